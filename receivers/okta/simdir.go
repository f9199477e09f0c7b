package okta

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

type obj = map[string]any

func itoa(n int) string { return strconv.Itoa(n) }

// simUser is an account. What generated events read of it never changes.
type simUser struct {
	n                          int
	id, login, first, last     string
	status, note               string
	created, changed, password time.Time
	signedIn                   time.Time
	sourced                    bool // by a directory: its password is not Okta's
	sessions                   bool
}

type simGroup struct {
	id, name, kind   string
	created, changed time.Time
	members          map[string]bool // ids of users
}

var (
	simFirst = []string{"Ana", "Zoë", "Łukasz", "Jean-Luc", "Aisha", "José", "Mei", "Søren", "Priya", "Noah", "Olga", "健太", "Chloë", "Ibrahim"}
	simLast  = []string{"Roy", "Müller", "O'Brien", "García", "Nowak", "Østergård", "Sato", "van den Berg", "Kaya", "Smith", "Çelik", "Ivanova"}
)

func (u *simUser) name() string { return u.first + " " + u.last }

func (u *simUser) party() simParty { return simParty{u.id, "User", u.login, u.name()} }

func (s *simOrg) newID(prefix string, kind, i int) string {
	return string(sim.NewRand(s.o.Seed, 20, uint64(kind), uint64(i)).Name([]byte(prefix), 20-len(prefix)))
}

// populate makes the directory.
func (s *simOrg) populate() {
	n := s.o.Users
	if n <= 0 {
		n = 200
	}
	n = max(n, 30) // so that every status is there
	s.byID = map[string]*simUser{}
	s.id, s.domain = s.newID("00o", 0, 0), "contoso.example"
	for i := range n {
		s.addUser(i)
	}
	s.seeded = slices.Clone(s.users)
	s.addGroups()
	s.addApps()
	s.addRoles()
}

// simStatuses are the statuses of users i, i+25 …; the others are ACTIVE. The first three hold the fake's credentials.
var simStatuses = map[int]string{5: "SUSPENDED", 8: "LOCKED_OUT", 11: "PASSWORD_EXPIRED", 14: "STAGED", 17: "PROVISIONED", 19: "RECOVERY",
	21: "DEPROVISIONED", 23: "DEPROVISIONED"}

func (s *simOrg) addUser(i int) {
	rnd := sim.NewRand(s.o.Seed, 21, uint64(i))
	made := s.o.Start.Add(-time.Duration(100+rnd.N(900)) * 24 * time.Hour).Truncate(time.Second)
	u := &simUser{n: i, id: s.newID("00u", 1, i), first: sim.Pick(rnd, simFirst), last: sim.Pick(rnd, simLast), status: "ACTIVE",
		created: made, changed: made.Add(time.Duration(rnd.N(80)) * 24 * time.Hour), password: made.Add(24 * time.Hour),
		signedIn: s.o.Start.Add(-time.Duration(rnd.N(500)) * time.Hour), sourced: i%17 == 16}
	u.login = "user" + itoa(i) + "@" + s.domain
	switch i {
	case 0:
		u.first, u.last, u.login = "Log", "Collector", "svc.collector@"+s.domain
	case 1:
		u.login = "admin@" + s.domain
	case 2:
		u.login = "auditor@" + s.domain
	}
	if status := simStatuses[i%25]; status != "" {
		u.status = status
	}
	u.sessions = u.status == "ACTIVE"
	s.users = append(s.users, u)
	s.byID[u.id], s.byID[u.login] = u, u
	if u.status == "DEPROVISIONED" { // leavers are in no group, so that their profile is shown in one place only
		leaver := uint64(i/25)*2 + uint64(i%25-21)/2
		switch t, decoy := s.plantedLeaver(leaver); {
		case t != "":
			u.note = sim.Plant(rnd, t)
		case decoy:
			u.note = sim.Decoy(rnd)
		}
	}
}

// plantedLeaver says what the profile of the n-th leaver holds: they are few, so every second one holds something.
func (s *simOrg) plantedLeaver(n uint64) (dataType string, decoy bool) {
	types := []string{sim.Card, sim.SSN, sim.IBAN, sim.AWSKey, sim.JWT}
	switch n % 4 {
	case 0:
		return types[sim.Hash(s.o.Seed, simKindUser, n)%uint64(len(types))], false
	case 2:
		return "", true
	}
	return "", false
}

// plantedUsers counts the profiles that hold a value, by type.
func (s *simOrg) plantedUsers() map[string]int {
	count, n := map[string]int{}, uint64(0)
	for _, u := range s.seeded {
		if u.status != "DEPROVISIONED" {
			continue
		}
		if t, _ := s.plantedLeaver(n); t != "" {
			count[t]++
		}
		n++
	}
	return count
}

func (s *simOrg) addGroups() {
	names := []string{"Everyone", "IT Admins", "Finance", "Engineering", "Vertrieb & Büro", "Support \"tier 2\"", "AD Sync", "Contractors"}
	for i, name := range names {
		g := &simGroup{id: s.newID("00g", 2, i), name: name, kind: "OKTA_GROUP", created: s.users[0].created, changed: s.o.Start, members: map[string]bool{}}
		switch i {
		case 0:
			g.kind = "BUILT_IN"
		case 6:
			g.kind = "APP_GROUP"
		}
		for _, u := range s.users {
			if u.status != "DEPROVISIONED" && (i == 0 || sim.Hash(s.o.Seed, 22, uint64(i), uint64(u.n))%6 == 0) {
				g.members[u.id] = true
			}
		}
		s.groups = append(s.groups, g)
	}
}

func (u *simUser) json(base string) obj {
	stamp := func(t time.Time, there bool) any {
		if !there || t.IsZero() {
			return nil
		}
		return t.UTC().Format(simTime)
	}
	provider := obj{"type": "OKTA", "name": "OKTA"}
	if u.sourced {
		provider = obj{"type": "ACTIVE_DIRECTORY", "name": "corp.contoso.example"}
	}
	profile := obj{"firstName": u.first, "lastName": u.last, "login": u.login, "email": u.login, "secondEmail": nil, "mobilePhone": nil,
		"department": []string{"Finance", "Engineering", "Sales"}[u.n%3], "employeeNumber": "E" + itoa(10000+u.n)}
	if u.note != "" {
		profile["notes"] = u.note
	}
	started := u.status != "STAGED" && u.status != "PROVISIONED"
	return obj{"id": u.id, "status": u.status, "created": stamp(u.created, true), "activated": stamp(u.created, u.status != "STAGED"),
		"statusChanged": stamp(u.changed, u.status != "STAGED"), "lastLogin": stamp(u.signedIn, started), "lastUpdated": stamp(u.changed, true),
		"passwordChanged": stamp(u.password, started), "type": obj{"id": "otysimDefaultType"}, "profile": profile,
		"credentials": obj{"provider": provider}, "_links": obj{"self": obj{"href": base + "/api/v1/users/" + u.id}}}
}

func (g *simGroup) json(base string) obj {
	profile := obj{"name": g.name, "description": nil}
	class := "okta:user_group"
	if g.kind == "APP_GROUP" {
		class = "okta:windows_security_principal"
		profile = obj{"name": g.name, "description": "from the directory", "samAccountName": g.name, "dn": "CN=" + g.name + ",DC=contoso",
			"windowsDomainQualifiedName": "CONTOSO\\" + g.name, "externalId": "xkJp1Q=="}
	} else {
		delete(profile, "description")
	}
	at := base + "/api/v1/groups/" + g.id
	return obj{"id": g.id, "created": g.created.UTC().Format(simTime), "lastUpdated": g.created.UTC().Format(simTime),
		"lastMembershipUpdated": g.changed.UTC().Format(simTime), "objectClass": []string{class}, "type": g.kind, "profile": profile,
		"_links": obj{"users": obj{"href": at + "/users"}, "apps": obj{"href": at + "/apps"}}}
}

func (s *simOrg) directoryRoutes(add func(pattern, scope string, h route)) {
	add("GET /api/v1/org", "okta.orgs.read", func(w http.ResponseWriter, r *http.Request, _ sim.Access) {
		sim.WriteJSON(w, http.StatusOK, obj{"id": s.id, "companyName": "Contoso", "status": "ACTIVE", "subdomain": "contoso", "website": "https://" + s.domain,
			"created": s.users[0].created.UTC().Format(simTime), "lastUpdated": s.o.Start.Format(simTime), "country": "FR"})
	})
	add("GET /api/v1/users", "okta.users.read", s.listUsers)
	add("GET /api/v1/users/{id}", "okta.users.read", s.withUser(func(w http.ResponseWriter, r *http.Request, _ sim.Access, u *simUser) {
		s.reply(w, http.StatusOK, func() any { return u.json(s.o.BaseOf(r)) })
	}))
	add("GET /api/v1/groups", "okta.groups.read", func(w http.ResponseWriter, r *http.Request, _ sim.Access) {
		s.list(w, r, 10000, 10000, func() []obj { return objects(s.groups, s.o.BaseOf(r), all) })
	})
	add("GET /api/v1/groups/{g}", "okta.groups.read", s.withGroup(func(w http.ResponseWriter, r *http.Request, _ sim.Access, g *simGroup) {
		s.reply(w, http.StatusOK, func() any { return g.json(s.o.BaseOf(r)) })
	}))
	add("GET /api/v1/groups/{g}/users", "okta.groups.read", s.withGroup(func(w http.ResponseWriter, r *http.Request, _ sim.Access, g *simGroup) {
		s.list(w, r, 1000, 1000, func() []obj {
			return objects(s.users, s.o.BaseOf(r), func(u *simUser) bool { return g.members[u.id] })
		})
	}))
	member := func(kind string, in bool) route {
		return s.withGroup(func(w http.ResponseWriter, r *http.Request, by sim.Access, g *simGroup) {
			s.withUser(func(w http.ResponseWriter, r *http.Request, by sim.Access, u *simUser) {
				if g.kind != "OKTA_GROUP" {
					s.fail(w, http.StatusForbidden, "E0000006", simDenied)
					return
				}
				s.mu.Lock()
				defer s.mu.Unlock()
				if g.members[u.id] != in {
					g.changed = s.o.Now()
					if g.members[u.id] = in; !in {
						delete(g.members, u.id)
					}
					s.log(r, by, kind, u.party(), simParty{g.id, "UserGroup", "unknown", g.name})
				}
				w.WriteHeader(http.StatusNoContent)
			})(w, r, by)
		})
	}
	add("PUT /api/v1/groups/{g}/users/{id}", "okta.groups.manage", member("group.user_membership.add", true))
	add("DELETE /api/v1/groups/{g}/users/{id}", "okta.groups.manage", member("group.user_membership.remove", false))
}

// shown is a thing of the directory.
type shown interface{ json(base string) obj }

func all[T any](T) bool { return true }

// simHidden marks an object that is not shown, though a page may begin after it.
const simHidden = "_hidden"

// objects are the things as JSON; what keep does not let through is hidden.
func objects[T shown](from []T, base string, keep func(T) bool) []obj {
	out := []obj{}
	for _, t := range from {
		o := t.json(base)
		if !keep(t) {
			o = obj{"id": o["id"], simHidden: true}
		}
		out = append(out, o)
	}
	return out
}

// reply answers with what v says under the lock.
func (s *simOrg) reply(w http.ResponseWriter, status int, v func() any) {
	s.mu.Lock()
	out := v()
	s.mu.Unlock()
	sim.WriteJSON(w, status, out)
}

// list answers with a page of a list, with links. after is the id of the last row of the page before.
func (s *simOrg) list(w http.ResponseWriter, r *http.Request, usual, most int, rows func() []obj) {
	limit, ok := limitOf(r.URL.Query().Get("limit"), usual, most)
	if !ok || limit == 0 {
		s.fail(w, http.StatusBadRequest, "E0000001", "Api validation failed: limit", "limit: must be 1 to "+itoa(most))
		return
	}
	s.mu.Lock()
	list := rows()
	s.mu.Unlock()
	if after := r.URL.Query().Get("after"); after != "" {
		i := slices.IndexFunc(list, func(o obj) bool { return o["id"] == after })
		if i < 0 {
			s.fail(w, http.StatusBadRequest, "E0000001", "Api validation failed: after")
			return
		}
		list = list[i+1:]
	}
	list = slices.DeleteFunc(list, func(o obj) bool { return o[simHidden] != nil })
	page, next := sim.Slice(list, 0, limit)
	base := s.o.BaseOf(r)
	links := []sim.Link{{Rel: "self", URL: base + r.URL.String()}}
	if next > 0 {
		last, _ := page[len(page)-1]["id"].(string)
		links = append(links, sim.Link{Rel: "next", URL: sim.WithQuery(base, r, map[string]string{"after": last})})
	}
	sim.SetLinks(w.Header(), links...)
	if page == nil {
		page = []obj{}
	}
	sim.WriteJSON(w, http.StatusOK, page)
}

// listUsers is GET /api/v1/users: without search or filter it leaves out who is DEPROVISIONED.
func (s *simOrg) listUsers(w http.ResponseWriter, r *http.Request, _ sim.Access) {
	q := r.URL.Query()
	keep := func(u *simUser) bool { return u.status != "DEPROVISIONED" }
	if expr := q.Get("search") + q.Get("filter"); expr != "" {
		var ok bool
		if keep, ok = userFilter(expr); !ok {
			s.fail(w, http.StatusBadRequest, "E0000031", "Invalid search criteria.")
			return
		}
	}
	s.list(w, r, 200, 200, func() []obj { return objects(s.users, s.o.BaseOf(r), keep) })
}

// userFilter reads conditions of the form `field op "value"` joined by and.
func userFilter(expr string) (func(*simUser) bool, bool) {
	var conditions []func(*simUser) bool
	for _, c := range strings.Split(expr, " and ") {
		f := strings.SplitN(strings.TrimSpace(c), " ", 3)
		if len(f) != 3 || len(f[2]) < 2 || f[2][0] != '"' || !strings.HasSuffix(f[2], `"`) {
			return nil, false
		}
		v := strings.Trim(f[2], `"`)
		switch at, err := time.Parse(time.RFC3339, v); f[0] + " " + f[1] {
		case "status eq":
			conditions = append(conditions, func(u *simUser) bool { return u.status == v })
		case "id eq":
			conditions = append(conditions, func(u *simUser) bool { return u.id == v })
		case "profile.login eq", "profile.email eq":
			conditions = append(conditions, func(u *simUser) bool { return u.login == v })
		case "lastUpdated gt":
			if err != nil {
				return nil, false
			}
			conditions = append(conditions, func(u *simUser) bool { return u.changed.After(at) })
		default:
			return nil, false
		}
	}
	return func(u *simUser) bool {
		return !slices.ContainsFunc(conditions, func(c func(*simUser) bool) bool { return !c(u) })
	}, true
}

// withUser finds the user of the path: by id, login, or me.
func (s *simOrg) withUser(h func(http.ResponseWriter, *http.Request, sim.Access, *simUser)) route {
	return func(w http.ResponseWriter, r *http.Request, by sim.Access) {
		id := r.PathValue("id")
		if id == "me" {
			id = by.Owner
		}
		s.mu.Lock()
		u := s.byID[id]
		s.mu.Unlock()
		if u == nil {
			s.missing(w, id, "User")
			return
		}
		h(w, r, by, u)
	}
}

func (s *simOrg) withGroup(h func(http.ResponseWriter, *http.Request, sim.Access, *simGroup)) route {
	return func(w http.ResponseWriter, r *http.Request, by sim.Access) {
		id := r.PathValue("g")
		i := slices.IndexFunc(s.groups, func(g *simGroup) bool { return g.id == id })
		if i < 0 {
			s.missing(w, id, "UserGroup")
			return
		}
		h(w, r, by, s.groups[i])
	}
}

func (s *simOrg) missing(w http.ResponseWriter, id, kind string) {
	s.fail(w, http.StatusNotFound, "E0000007", "Not found: Resource not found: "+id+" ("+kind+")")
}
