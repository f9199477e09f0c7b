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

// simStamp writes a time as the API does; zero is null.
func simStamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(simTime)
}

// simUser is an account. What generated events read of it never changes.
type simUser struct {
	n                           int
	id, login                   string
	first, last, name           string
	status, note                string
	created, changed            time.Time
	activated, password, signed time.Time
	sourced                     bool // by a directory: its password is not Okta's
}

type simGroup struct {
	id, name, kind   string
	created, changed time.Time
	members          map[string]bool // ids of users
}

var (
	simFirst = []string{"Ana", "Zoë", "Łukasz", "Jean-Luc", "Aisha", "José", "Mei", "Søren", "Priya", "Noah", "Olga", "健太", "Chloë"}
	simLast  = []string{"Roy", "Müller", "O'Brien", "García", "Nowak", "Østergård", "Sato", "van den Berg", "Kaya", "Smith", "Çelik"}
)

func (u *simUser) party() simParty { return simParty{u.id, "User", u.login, u.name} }

func (g *simGroup) party() simParty { return simParty{g.id, "UserGroup", "unknown", g.name} }

func (s *simOrg) newID(prefix string, kind, i int) string {
	return string(sim.NewRand(s.o.Seed, 20, uint64(kind), uint64(i)).Name([]byte(prefix), 20-len(prefix)))
}

// populate makes the directory.
func (s *simOrg) populate() {
	n := s.o.Users
	if n <= 0 {
		n = 200
	}
	s.byID, s.appByID = map[string]*simUser{}, map[string]*simApp{}
	s.id, s.domain = s.newID("00o", 0, 0), "contoso.example"
	for i := range max(n, 30) { // so that every status is there
		s.addUser(i)
	}
	s.addGroups()
	s.addApps()
	s.addRoles()
}

// simStatuses are the statuses of users i, i+25 …; the others are ACTIVE. The first three own the API tokens of Config.
var simStatuses = map[int]string{5: "SUSPENDED", 8: "LOCKED_OUT", 11: "PASSWORD_EXPIRED", 14: "STAGED", 17: "PROVISIONED", 19: "RECOVERY",
	21: "DEPROVISIONED", 23: "DEPROVISIONED"}

func (s *simOrg) addUser(i int) {
	rnd := sim.NewRand(s.o.Seed, 21, uint64(i))
	made := s.o.Start.Add(-time.Duration(100+rnd.N(900)) * 24 * time.Hour).Truncate(time.Second)
	u := &simUser{n: i, id: s.newID("00u", 1, i), first: sim.Pick(rnd, simFirst), last: sim.Pick(rnd, simLast), status: "ACTIVE",
		created: made, changed: made.Add(time.Duration(rnd.N(80)) * 24 * time.Hour), sourced: i%17 == 16}
	u.login = "user" + itoa(i) + "@" + s.domain
	switch i {
	case 0:
		u.first, u.last, u.login = "Log", "Collector", "svc.collector@"+s.domain
	case 1:
		u.login = "admin@" + s.domain
	case 2:
		u.login = "auditor@" + s.domain
	}
	u.name = u.first + " " + u.last
	if status := simStatuses[i%25]; status != "" {
		u.status = status
	}
	if u.status != "STAGED" {
		u.activated = made.Add(time.Minute)
	}
	if u.status != "STAGED" && u.status != "PROVISIONED" {
		u.password, u.signed = made.Add(24*time.Hour), s.o.Start.Add(-time.Duration(rnd.N(500))*time.Hour)
	}
	s.users = append(s.users, u)
	s.byID[u.id], s.byID[u.login] = u, u
	if u.status == "DEPROVISIONED" { // leavers are in no group, so that their profile is shown in one place only
		if t, decoy := s.plantedLeaver(i); t != "" {
			u.note = sim.Plant(rnd, t)
		} else if decoy {
			u.note = sim.Decoy(rnd)
		}
	}
}

// plantedLeaver says what the profile of the leaver user i holds: they are few, so every second one holds something.
func (s *simOrg) plantedLeaver(i int) (dataType string, decoy bool) {
	if i%25 == 21 {
		types := []string{sim.Card, sim.SSN, sim.IBAN, sim.AWSKey, sim.JWT}
		return types[sim.Hash(s.o.Seed, 27, uint64(i))%uint64(len(types))], false
	}
	return "", i%50 == 23
}

func (s *simOrg) addGroups() {
	names := []string{"Everyone", "IT Admins", "Finance", "Engineering", "Vertrieb & Büro", "Support \"tier 2\"", "AD Sync", "Contractors"}
	for i, name := range names {
		g := &simGroup{id: s.newID("00g", 2, i), name: name, kind: "OKTA_GROUP", created: s.users[0].created, changed: s.o.Start,
			members: map[string]bool{}}
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
	provider := obj{"type": "OKTA", "name": "OKTA"}
	if u.sourced {
		provider = obj{"type": "ACTIVE_DIRECTORY", "name": "corp.contoso.example"}
	}
	profile := obj{"firstName": u.first, "lastName": u.last, "login": u.login, "email": u.login, "secondEmail": nil, "mobilePhone": nil,
		"department": []string{"Finance", "Engineering", "Sales"}[u.n%3], "employeeNumber": "E" + itoa(10000+u.n)}
	if u.n == 0 { // a service's, not somebody's
		delete(profile, "employeeNumber")
	}
	if u.note != "" {
		profile["notes"] = u.note
	}
	return obj{"id": u.id, "status": u.status, "created": simStamp(u.created), "activated": simStamp(u.activated),
		"statusChanged": simStamp(u.changed), "lastLogin": simStamp(u.signed), "lastUpdated": simStamp(u.changed),
		"passwordChanged": simStamp(u.password), "profile": profile, "credentials": obj{"provider": provider},
		"type": obj{"id": "otysimDefaultType"}, "_links": obj{"self": obj{"href": base + "/api/v1/users/" + u.id}}}
}

func (g *simGroup) json(base string) obj {
	class, profile := "okta:user_group", obj{"name": g.name}
	if g.kind == "APP_GROUP" {
		class = "okta:windows_security_principal"
		profile = obj{"name": g.name, "description": "from the directory", "samAccountName": g.name, "dn": "CN=" + g.name + ",DC=contoso",
			"windowsDomainQualifiedName": "CONTOSO\\" + g.name, "externalId": "xkJp1Q=="}
	}
	at := base + "/api/v1/groups/" + g.id
	return obj{"id": g.id, "created": simStamp(g.created), "lastUpdated": simStamp(g.created), "lastMembershipUpdated": simStamp(g.changed),
		"objectClass": []string{class}, "type": g.kind, "profile": profile,
		"_links": obj{"users": obj{"href": at + "/users"}, "apps": obj{"href": at + "/apps"}}}
}

func (s *simOrg) directoryRoutes(add simAdd) {
	add("GET /api/v1/org", "okta.orgs.read", func(c *simCall) {
		c.json(http.StatusOK, obj{"id": s.id, "companyName": "Contoso", "status": "ACTIVE", "subdomain": "contoso", "country": "FR",
			"website": "https://" + s.domain, "created": simStamp(s.users[0].created), "lastUpdated": simStamp(s.o.Start)})
	})
	add("GET /api/v1/users", "okta.users.read", s.listUsers)
	add("GET /api/v1/users/{user}", "okta.users.read", func(c *simCall) {
		s.reply(c, func() any { return c.user.json(c.base) })
	})
	add("GET /api/v1/groups", "okta.groups.read", func(c *simCall) {
		keep := simAll[*simGroup]
		if expr := c.query("search"); expr != "" {
			name, ok := strings.CutPrefix(expr, `profile.name eq "`)
			if !ok || !strings.HasSuffix(name, `"`) {
				s.fail(c.w, http.StatusBadRequest, "E0000031", "Invalid search criteria.")
				return
			}
			name = strings.ReplaceAll(strings.TrimSuffix(name, `"`), `\"`, `"`)
			keep = func(g *simGroup) bool { return g.name == name }
		}
		s.list(c, 10000, 10000, func() []simRow { return simRows(s.groups, c.base, keep) })
	})
	add("GET /api/v1/users/{user}/groups", "okta.users.read", func(c *simCall) {
		s.reply(c, func() any {
			return simObjects(slices.DeleteFunc(slices.Clone(s.groups), func(g *simGroup) bool { return !g.members[c.user.id] }), c.base)
		})
	})
	add("GET /api/v1/groups/{group}", "okta.groups.read", func(c *simCall) {
		s.reply(c, func() any { return c.group.json(c.base) })
	})
	add("GET /api/v1/groups/{group}/users", "okta.groups.read", func(c *simCall) {
		s.list(c, 1000, 1000, func() []simRow {
			return simRows(s.users, c.base, func(u *simUser) bool { return c.group.members[u.id] })
		})
	})
	add("PUT /api/v1/groups/{group}/users/{user}", "okta.groups.manage", func(c *simCall) { s.setMember(c, "add", true) })
	add("DELETE /api/v1/groups/{group}/users/{user}", "okta.groups.manage", func(c *simCall) { s.setMember(c, "remove", false) })
}

// setMember puts a user into a group or takes him out; others than Okta's own groups are kept elsewhere.
func (s *simOrg) setMember(c *simCall, what string, in bool) {
	g := c.group
	if g.kind != "OKTA_GROUP" {
		s.fail(c.w, http.StatusForbidden, "E0000006", simDenied)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.members[c.user.id] != in {
		g.changed = s.o.Now()
		if delete(g.members, c.user.id); in {
			g.members[c.user.id] = true
		}
		s.log(c, "group.user_membership."+what, c.user.party(), g.party())
	}
	c.w.WriteHeader(http.StatusNoContent)
}

// simShown is a thing of the directory.
type simShown interface {
	key() string
	json(base string) obj
}

func (u *simUser) key() string       { return u.id }
func (g *simGroup) key() string      { return g.id }
func (a *simApp) key() string        { return a.id }
func (g *simGrant) key() string      { return g.id }
func (t *simToken) key() string      { return t.id }
func (k *simAPIKey) key() string     { return k.id }
func (m *simCustomRole) key() string { return m.id }

func simAll[T any](T) bool { return true }

// simRow is a row of a list; no json = it is not shown, though a page may begin after it.
type simRow struct {
	id   string
	json func() obj
}

// simRows are the things that keep lets through.
func simRows[T simShown](from []T, base string, keep func(T) bool) []simRow {
	out := make([]simRow, len(from))
	for i, t := range from {
		out[i].id = t.key()
		if keep(t) {
			out[i].json = func() obj { return t.json(base) }
		}
	}
	return out
}

// simObjects are the things as JSON.
func simObjects[T simShown](from []T, base string) []obj {
	out := []obj{}
	for _, t := range from {
		out = append(out, t.json(base))
	}
	return out
}

// reply answers with what v says under the lock.
func (s *simOrg) reply(c *simCall, v func() any) {
	s.mu.Lock()
	out := v()
	s.mu.Unlock()
	c.json(http.StatusOK, out)
}

// list answers with a page of a list, with links. after is the id of the last row of the page before.
func (s *simOrg) list(c *simCall, usual, most int, of func() []simRow) {
	limit, ok := simLimit(c.query("limit"), usual, most)
	if !ok || limit == 0 {
		s.fail(c.w, http.StatusBadRequest, "E0000001", "Api validation failed: limit", "limit: must be 1 to "+itoa(most))
		return
	}
	s.mu.Lock()
	list, after := of(), c.query("after")
	if after != "" {
		i := slices.IndexFunc(list, func(r simRow) bool { return r.id == after })
		if i < 0 {
			s.mu.Unlock()
			s.fail(c.w, http.StatusBadRequest, "E0000001", "Api validation failed: after")
			return
		}
		list = list[i+1:]
	}
	list = slices.DeleteFunc(list, func(r simRow) bool { return r.json == nil })
	links := []sim.Link{{Rel: "self", URL: c.base + c.r.URL.RequestURI()}}
	if len(list) > limit {
		list = list[:limit]
		next := sim.WithQuery(c.base, c.r, map[string]string{"after": list[limit-1].id})
		links = append(links, sim.Link{Rel: "next", URL: next})
	}
	page := []obj{}
	for _, r := range list {
		page = append(page, r.json())
	}
	s.mu.Unlock()
	sim.SetLinks(c.w.Header(), links...)
	c.json(http.StatusOK, page)
}

// listUsers is GET /api/v1/users: without search or filter it leaves out who is DEPROVISIONED.
func (s *simOrg) listUsers(c *simCall) {
	keep := func(u *simUser) bool { return u.status != "DEPROVISIONED" }
	if expr := c.query("search") + c.query("filter"); expr != "" {
		var ok bool
		if keep, ok = simFilter(expr); !ok {
			s.fail(c.w, http.StatusBadRequest, "E0000031", "Invalid search criteria.")
			return
		}
	}
	s.list(c, 200, 200, func() []simRow { return simRows(s.users, c.base, keep) })
}

// simFilter reads conditions of the form `field op "value"` joined by and.
func simFilter(expr string) (func(*simUser) bool, bool) {
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

func (s *simOrg) missing(w http.ResponseWriter, id, kind string) {
	s.fail(w, http.StatusNotFound, "E0000007", "Not found: Resource not found: "+id+" ("+kind+")")
}

// gone answers a DELETE: 204, or 404 when nothing was there.
func (s *simOrg) gone(c *simCall, was bool, id, kind string) {
	if !was {
		s.missing(c.w, id, kind)
		return
	}
	c.w.WriteHeader(http.StatusNoContent)
}
