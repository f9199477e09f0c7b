package office365

import (
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simUser is an account. byID holds it by id and by userPrincipalName.
type simUser struct {
	n                          int
	id, name, upn, mail        string
	guest, enabled, synced     bool
	force                      bool // to choose another password
	created, changed, sessions time.Time
	compromised                bool
}

type simGroup struct {
	n                int
	id, name         string
	unified, secured bool
	assignable       bool // roles may be given to it
	members          []string
	created          time.Time
}

// simRole is a role of the directory. id is that of its definition, active that of the role once somebody holds it.
type simRole struct{ id, active, name string }

// simHold is the assignment of a role; eligible = it must be activated first.
type simHold struct {
	id, role, principal string
	eligible            bool
}

// simApp is a service principal.
type simApp struct {
	n                   int
	id, app, name       string
	owner, publisher    string // tenant of the app; "" = nobody verified its publisher
	disabled, legacy    bool
	roles               []simAppRole // that it offers
	replies             []string
	created             time.Time
	microsoft, resource bool
}

type simAppRole struct{ id, value string }

// simGrant is a delegated permission; no user = everybody.
type simGrant struct{ id, client, user, resource, scope string }

// simAssigned is an application permission.
type simAssigned struct {
	id, app, resource, role string
	created                 time.Time
}

var (
	simJobs  = []string{"buyer", "planner", "engineer", "auditor", "clerk", "analyst", "Büroleitung", "経理", "driver", "pilot", "\"temp\""}
	simTeams = []string{"Finance", "Engineering", "Vertrieb & Büro", "Support \"tier 2\"", "Contractors", "経理部", "Board", "Helpdesk"}
)

const simMicrosoft = "f8cdef31-a31e-4b4a-93e4-5f571e91255a" // tenant that owns Microsoft's own apps

// populate makes the directory. Its first accounts are administrators; every tenth is a guest.
func (s *simOrg) populate() {
	s.id, s.domain = s.uuid(1, 1), "contoso"
	n := s.o.Users
	if n <= 0 {
		n = 26
	}
	for i := range n {
		s.users = append(s.users, s.newUser(i))
	}
	for i := range max(2, min(len(simTeams), n/4)) {
		g := &simGroup{n: i, id: s.uuid(3, uint64(i)), name: simTeams[i], unified: i%2 == 0, secured: i%2 == 1 || i%4 == 0, assignable: i == 7,
			created: s.o.Start.Add(-time.Duration(9000+i) * time.Hour)}
		s.groups = append(s.groups, g)
		for k, u := range s.users {
			if k%(i+2) == 0 {
				g.members = append(g.members, u.id)
			}
		}
		s.byID[g.id] = g
	}
	s.groups[0].members = append(s.groups[0].members, s.groups[1].id) // nested
	s.populateRoles()
	s.populateApps()
}

func (s *simOrg) newUser(i int) *simUser {
	rnd := sim.NewRand(s.o.Seed, 2, uint64(i))
	job := simJobs[i%len(simJobs)]
	u := &simUser{n: i, id: s.uuid(2, uint64(i)), name: strings.ToUpper(job[:1]) + job[1:] + " " + strconv.Itoa(i), enabled: i%9 != 5,
		synced: i%5 == 3, created: s.o.Start.Add(-time.Duration(1000+rnd.N(20000)) * time.Hour).Truncate(time.Second)}
	if job[0] > 'z' {
		u.name = job + " " + strconv.Itoa(i)
	}
	u.changed = u.created.Add(time.Duration(rnd.N(900)) * time.Hour)
	u.sessions = u.changed
	local := "user" + strconv.Itoa(i)
	if i%11 < 6 && job[0] < 'z' {
		local = job + strconv.Itoa(i)
	}
	u.upn, u.mail = local+"@contoso.example", local+"@contoso.example"
	if u.guest = i%10 == 7; u.guest {
		u.mail, u.synced = local+"@partner.example", false
		u.upn = local + "_partner.example#EXT#@contoso.onmicrosoft.com"
	}
	s.byID[u.id], s.byID[u.upn] = u, u
	return u
}

// populateRoles gives roles to the first accounts, a group and an app.
func (s *simOrg) populateRoles() {
	for i, r := range [][2]string{{"62e90394-69f5-4237-9190-012177145e10", "Global Administrator"},
		{"fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"}, {"f28a1f50-f6e7-4571-818b-6a12f2af6b6c", "SharePoint Administrator"},
		{"5d6b6bb7-de71-4623-b4af-96380a352509", "Security Reader"}, {"7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
			"Privileged Authentication Administrator"},
		{"9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "Application Administrator"}} {
		s.roles = append(s.roles, &simRole{r[0], s.uuid(4, uint64(i)), r[1]})
	}
	hold := func(role int, principal string, eligible bool) {
		h := &simHold{string(sim.NewRand(s.o.Seed, 5, uint64(len(s.holds))).Name(nil, 43)) + "-1", s.roles[role].id, principal, eligible}
		s.holds = append(s.holds, h)
	}
	for i, u := range s.users {
		switch {
		case i == 0:
			hold(0, u.id, false)
		case i < 4:
			hold(i, u.id, i == 3)
		case i%50 == 40:
			hold(3, u.id, false)
		}
	}
	for _, g := range s.groups {
		if g.assignable {
			hold(1, g.id, false)
		}
	}
}

// simScopes are what users allow apps to do.
var simScopes = []string{" Files.Read.All offline_access", "User.Read", "openid profile User.Read Mail.Read", "Mail.ReadWrite Mail.Send",
	" Files.ReadWrite.All Sites.Read.All", "Calendars.Read"}

// populateApps makes the resources, the collector's own app and others, with their permissions.
func (s *simOrg) populateApps() {
	add := func(a simApp) *simApp {
		a.n, a.id, a.created = len(s.apps), s.uuid(6, uint64(len(s.apps))), s.o.Start.Add(-time.Duration(3000+len(s.apps)*7)*time.Hour)
		if a.app == "" {
			a.app = s.uuid(7, uint64(a.n))
		}
		s.apps = append(s.apps, &a)
		s.byID[a.id] = &a
		return &a
	}
	roles := func(kind int, values ...string) (out []simAppRole) {
		for i, v := range values {
			out = append(out, simAppRole{s.uuid(kind, uint64(i)), v})
		}
		return out
	}
	graph := add(simApp{app: "00000003-0000-0000-c000-000000000000", name: "Microsoft Graph", owner: simMicrosoft, microsoft: true,
		resource: true,
		roles:    roles(40, simRights[simGraph]...)})
	share := add(simApp{app: "00000003-0000-0ff1-ce00-000000000000", name: "Office 365 SharePoint Online", owner: simMicrosoft,
		microsoft: true,
		resource:  true, roles: roles(41, simRights[simSharePoint]...)})
	manage := add(simApp{app: "c5393580-f805-4401-95e8-94b7a6ef2fc2", name: "Office 365 Management APIs", owner: simMicrosoft, microsoft: true,
		resource: true, roles: roles(42, simRights[simManage]...)})
	own := add(simApp{app: s.uuid(30, 1), name: "longshore", owner: s.id})
	for _, to := range []*simApp{graph, share, manage} {
		for _, r := range to.roles {
			s.assign(own, to, r)
		}
	}
	for i := range max(3, min(40, len(s.users)/3)) {
		a := add(simApp{name: sim.Pick(sim.NewRand(s.o.Seed, 8, uint64(i)), sim.Words) + " connector " + strconv.Itoa(i), owner: s.uuid(9,
			uint64(i%4)),
			disabled: i%9 == 8, legacy: i%5 == 4, replies: []string{"https://app" + strconv.Itoa(i) + ".example/auth"}})
		if i%3 == 0 {
			a.publisher = "Publisher " + strconv.Itoa(i)
		}
		if i%4 == 1 {
			s.assign(a, graph, graph.roles[i%len(graph.roles)])
		}
		if i%6 == 2 {
			s.allow(a, "", graph, simScopes[i%len(simScopes)])
		}
		for k := i; k < len(s.users); k += 7 + i {
			s.allow(a, s.users[k].id, graph, simScopes[(i+k)%len(simScopes)])
		}
	}
}

func (s *simOrg) assign(a, to *simApp, r simAppRole) {
	s.assigned = append(s.assigned, &simAssigned{string(sim.NewRand(s.o.Seed, 10, uint64(len(s.assigned))).Name(nil, 43)), a.id, to.id, r.id,
		a.created})
}

func (s *simOrg) allow(a *simApp, user string, to *simApp, scope string) *simGrant {
	g := &simGrant{string(sim.NewRand(s.o.Seed, 15, uint64(len(s.grants)), s.made).Name(nil, 43)), a.id, user, to.id, scope}
	s.grants = append(s.grants, g)
	return g
}
