package box

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simUser is an account. Of what may change, role and status are read by roleOf and statusOf.
type simUser struct {
	n                 int // among the managed users
	id, name, login   string
	role, status, job string
	created, changed  time.Time
	external, service bool
	platform, reset   bool
}

type simGroup struct {
	n        int
	id, name string
	created  time.Time
	members  []simMember
}

// simMember is a membership.
type simMember struct {
	id, role string
	user     *simUser
	group    *simGroup
}

var (
	simFirst = []string{"Ana", "Zoë", "Łukasz", "Jean-Luc", "Aisha", "José", "Mei", "Søren", "Priya", "Noah", "Olga", "健太", "Chloë", "Úna"}
	simLast  = []string{"Roy", "Müller", "O'Brien", "García", "Nowak", "Østergård", "Sato", "van den Berg", "Kaya", "Smith", "Çelik", "\"X\""}
	simTeams = []string{"Finance", "Engineering", "Vertrieb & Büro", "Support \"tier 2\"", "Contractors", "経理部", "Board"}
	// simStatuses are the statuses of users i, i+25 …; the others are active.
	simStatuses = map[int]string{5: "inactive", 8: "cannot_delete_edit", 11: "cannot_delete_edit_upload", 14: "inactive"}
)

// populate makes the directory.
func (s *simOrg) populate() {
	n := s.o.Users
	if n <= 0 {
		n = 50
	}
	s.byID, s.id = map[string]*simUser{}, itoa(1_000_000+int(sim.Hash(s.o.Seed, 19)%9_000_000))
	s.service = s.addUser(20, 0, "AutomationUser_2431_"+s.name(18, 0, 10)+"@boxdevedition.com")
	s.service.name, s.service.service, s.service.platform = "Longshore", true, true
	for i := range max(n, 26) { // so that every status is there
		u := s.addUser(21, i, "user"+itoa(i)+"@contoso.example")
		if u.n = i; simStatuses[i%25] != "" {
			u.status = simStatuses[i%25]
		}
		if i%25 == 17 {
			u.platform, u.login = true, "AppUser_2431_"+s.name(18, uint64(i), 10)+"@boxdevedition.com"
		}
		s.users = append(s.users, u)
	}
	s.users[0].role, s.users[0].login, s.users[1].role, s.users[2].role = "admin", "admin@contoso.example", "coadmin", "coadmin"
	for _, p := range simOutsiders {
		s.byID[p.id] = &simUser{id: p.id, name: p.name, login: p.login, role: "user", status: "active", external: true}
		s.external = append(s.external, s.byID[p.id])
	}
	for i, name := range simTeams {
		g := &simGroup{n: i, id: s.number(22, i), name: name, created: s.users[0].created}
		for _, u := range s.users {
			if h := sim.Hash(s.o.Seed, 23, uint64(i), uint64(u.n)); h%5 == 0 {
				role := []string{"member", "member", "member", "admin"}[h>>8%4]
				g.members = append(g.members, simMember{s.number(24+i, u.n), role, u, g})
			}
		}
		s.groups = append(s.groups, g)
	}
}

func (s *simOrg) addUser(kind, i int, login string) *simUser {
	rnd := sim.NewRand(s.o.Seed, uint64(kind), uint64(i))
	u := &simUser{id: s.number(kind, i), name: sim.Pick(rnd, simFirst) + " " + sim.Pick(rnd, simLast), login: login, role: "user",
		status: "active", job: sim.Pick(rnd, []string{"Analyst", "", "Ingénieur", "Buyer"}),
		created: s.o.Start.Add(-time.Duration(100+rnd.N(900)) * 24 * time.Hour)}
	u.changed = u.created.Add(time.Duration(rnd.N(2000)) * time.Hour)
	s.byID[u.id] = u
	return u
}

// owners are the managed users, to whom files belong.
func (s *simOrg) owners() []simPerson {
	var out []simPerson
	for _, u := range s.users {
		out = append(out, simPerson{u.id, u.name, u.login, u.status != "inactive"})
	}
	return out
}

func (s *simOrg) roleOf(u *simUser) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return u.role
}

func (s *simOrg) statusOf(u *simUser) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return u.status
}

// mini is the account as other objects name it.
func (u *simUser) mini() obj {
	return obj{"type": "user", "id": u.id, "name": u.name, "login": u.login}
}

// What is shown of accounts and groups without fields.
const (
	simUserUsual = "name,login,created_at,modified_at,language,timezone,space_amount,space_used,max_upload_size,status,job_title,phone," +
		"address,avatar_url,notification_email"
	simGroupUsual = "name,group_type,created_at,modified_at"
)

// profile is the account with the fields asked for.
func (s *simOrg) profile(c *simCall, u *simUser) obj {
	s.mu.Lock()
	defer s.mu.Unlock()
	full := obj{"name": u.name, "login": u.login, "created_at": simStamp(u.created), "modified_at": simStamp(u.changed), "language": "en",
		"timezone": "America/Los_Angeles", "space_amount": 10_737_418_240, "space_used": 1_237_009 * (1 + u.n), "max_upload_size": 5_368_709_120,
		"status": u.status, "job_title": u.job, "phone": "", "address": "", "avatar_url": "https://contoso.box.com/api/avatar/large/" + u.id,
		"notification_email": nil, "role": u.role, "tracking_codes": []obj{}, "can_see_managed_users": true, "is_sync_enabled": true,
		"is_external_collab_restricted": u.n%7 == 3, "is_exempt_from_device_limits": false, "is_exempt_from_login_verification": u.n%9 == 4,
		"enterprise": obj{"type": "enterprise", "id": s.id, "name": "Contoso"}, "my_tags": []string{}, "hostname": "https://contoso.box.com/",
		"is_platform_access_only": u.platform}
	if u.platform && !u.service {
		full["external_app_user_id"] = "erp-" + itoa(u.n)
	}
	if u.external {
		return u.mini()
	}
	return c.pick("user", u.id, full, simUserUsual)
}

// pick is an object with the fields asked for; usual are those shown otherwise.
func (c *simCall) pick(kind, id string, full obj, usual string) obj {
	out := obj{"type": kind, "id": id}
	if fields := c.query("fields"); fields != "" {
		usual = fields
	}
	for _, name := range strings.Split(usual, ",") {
		if v, ok := full[name]; ok {
			out[name] = v
		}
	}
	return out
}

func (g *simGroup) mini() obj {
	return obj{"type": "group", "id": g.id, "name": g.name, "group_type": "managed_group"}
}

func (g *simGroup) show(c *simCall) obj {
	full := g.mini()
	full["created_at"], full["modified_at"], full["description"] = simStamp(g.created), simStamp(g.created), "People of "+g.name
	full["invitability_level"], full["member_viewability_level"] = "admins_and_members", "all_managed_users"
	full["permissions"] = obj{"can_invite_as_collaborator": true}
	if g.n%3 == 1 {
		full["provenance"], full["external_sync_identifier"] = "Active Directory", "AD:"+g.id
	}
	return c.pick("group", g.id, full, simGroupUsual)
}

func (m simMember) show() obj {
	at := simStamp(m.group.created)
	return obj{"type": "group_membership", "id": m.id, "role": m.role, "user": m.user.mini(), "group": m.group.mini(), "created_at": at,
		"modified_at": at}
}

func (s *simOrg) directoryRoutes(add simAdd) {
	add("GET /2.0/users", simPeople, s.listUsers)
	add("GET /2.0/users/me", "", func(c *simCall) { c.json(http.StatusOK, s.profile(c, c.user)) })
	add("GET /2.0/users/{user}", simPeople, func(c *simCall) {
		if u := s.named(c); u != nil {
			c.json(http.StatusOK, s.profile(c, u))
		}
	})
	add("PUT /2.0/users/{user}", simPeople, s.changeUser)
	add("POST /2.0/users/terminate_sessions", simPeople, s.endSessions)
	add("GET /2.0/users/{user}/memberships", simGroups, func(c *simCall) {
		if u := s.named(c); u != nil {
			s.byOffset(c, s.memberships(func(m simMember) bool { return m.user == u }))
		}
	})
	add("GET /2.0/groups", simGroups, func(c *simCall) {
		s.byOffset(c, simRows(s.groups, func(g *simGroup) bool { return simBegins(g.name, c.query("filter_term")) },
			func(g *simGroup) obj { return g.show(c) }))
	})
	group := func(c *simCall) *simGroup {
		if i := slices.IndexFunc(s.groups, func(g *simGroup) bool { return g.id == c.path("group") }); i >= 0 {
			return s.groups[i]
		}
		s.failStatus(c.w, c.r, http.StatusNotFound)
		return nil
	}
	add("GET /2.0/groups/{group}", simGroups, func(c *simCall) {
		if g := group(c); g != nil {
			c.json(http.StatusOK, g.show(c))
		}
	})
	add("GET /2.0/groups/{group}/memberships", simGroups, func(c *simCall) {
		if g := group(c); g != nil {
			s.byOffset(c, s.memberships(func(m simMember) bool { return m.group == g }))
		}
	})
}

// named is the account that the path names, or it answers that there is none.
func (s *simOrg) named(c *simCall) *simUser {
	u := s.byID[c.path("user")]
	if u == nil {
		s.failStatus(c.w, c.r, http.StatusNotFound)
	}
	return u
}

func simBegins(text, with string) bool {
	return len(text) >= len(with) && strings.EqualFold(text[:len(with)], with)
}

// simList is a list that is shown in pages.
type simList struct {
	n  int
	at func(i int) obj
}

func simRows[T any](of []T, keep func(T) bool, show func(T) obj) simList {
	of = slices.DeleteFunc(slices.Clone(of), func(t T) bool { return !keep(t) })
	return simList{len(of), func(i int) obj { return show(of[i]) }}
}

func (s *simOrg) memberships(keep func(simMember) bool) simList {
	var all []simMember
	for _, g := range s.groups {
		all = append(all, g.members...)
	}
	return simRows(all, keep, simMember.show)
}

// listUsers is GET /2.0/users: others' users only answer to their whole login.
func (s *simOrg) listUsers(c *simCall) {
	term, kind := c.query("filter_term"), c.query("user_type")
	switch kind {
	case "", "all", "managed", "external":
	default:
		s.invalid(c, "user_type", kind)
		return
	}
	if i := slices.IndexFunc(s.external, func(u *simUser) bool { return u.login == term }); kind == "external" || kind == "all" && i >= 0 {
		s.byOffset(c, simRows(s.external, func(u *simUser) bool { return u.login == term }, func(u *simUser) obj { return s.profile(c, u) }))
		return
	}
	list := simRows(s.users, func(u *simUser) bool { return simBegins(u.name, term) || simBegins(u.login, term) },
		func(u *simUser) obj { return s.profile(c, u) })
	if c.query("usemarker") == "true" {
		s.byMarker(c, list)
		return
	}
	s.byOffset(c, list)
}

// limit reads how many rows a page has; more than a thousand are a thousand.
func (s *simOrg) limit(c *simCall) (int, bool) {
	text := c.query("limit")
	if text == "" {
		return 100, true
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		s.invalid(c, "limit", text)
		return 0, false
	}
	return min(n, 1000), true
}

// byOffset answers with a page of a list by offset, which may not be above 10,000.
func (s *simOrg) byOffset(c *simCall, l simList) {
	text := c.query("offset")
	offset, err := strconv.Atoi("0" + text)
	if err != nil || offset > 10_000 {
		s.invalid(c, "offset", text)
		return
	}
	if limit, ok := s.limit(c); ok {
		c.json(http.StatusOK, obj{"total_count": l.n, "limit": limit, "offset": offset, "entries": l.rows(offset, limit),
			"order": []obj{{"by": "id", "direction": "ASC"}}})
	}
}

// byMarker answers with a page of a list by marker.
func (s *simOrg) byMarker(c *simCall, l simList) {
	from, marker := 0, c.query("marker")
	if marker != "" {
		raw, _ := base64.RawURLEncoding.DecodeString(marker) // what is left of another text is no row
		place, ok := strings.CutPrefix(string(raw), "row:")
		var err error
		if from, err = strconv.Atoi(place); !ok || err != nil || from < 0 {
			s.invalid(c, "marker", marker)
			return
		}
	}
	limit, ok := s.limit(c)
	if !ok {
		return
	}
	out := obj{"limit": limit, "entries": l.rows(from, limit)}
	if from+limit < l.n {
		out["next_marker"] = base64.RawURLEncoding.EncodeToString([]byte("row:" + itoa(from+limit)))
	}
	c.json(http.StatusOK, out)
}

func (l simList) rows(from, limit int) []obj {
	out := []obj{}
	for i := from; i < min(l.n, from+limit); i++ {
		out = append(out, l.at(i))
	}
	return out
}
