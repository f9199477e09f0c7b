package googleworkspace

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simUser is an account.
type simUser struct {
	n                   int
	id, email, unit     string
	given, family       string
	aliases             []string
	made, seen, deleted time.Time // seen: the last log-on
	super, delegated    bool
	suspended, archived bool
	abuse               bool // suspended by Google
	guest, enrolled     bool
	enforced, change    bool
	version             int
	tokens              []simToken
	asps                []simASP
	sessions            int // how often all were ended
}

// simGroup is a group; its members are addresses.
type simGroup struct {
	n               int
	id, email, name string
	members         []simMember
}

type simMember struct{ id, email, role, kind, status string }

var (
	simGiven  = strings.Fields("Ana Zoë Łukasz Jean-Luc Aisha José Mei Søren Priya Noah Olga 健太 Chloë Úna")
	simFamily = []string{"Roy", "Müller", "O'Brien", "García", "Nowak", "Østergård", "Sato", "van den Berg", "Kaya", "Smith", "Çelik", `"X"`}
	simTeams  = []string{"Finance", "Engineering", "Vertrieb & Büro", `Support "tier 2"`, "Contractors", "経理部", "Board"}
	simUnits  = []string{"/", "/Sales", "/Sales/Büro \"West\"", "/Engineering", "/経理部"}
)

// simOutside are people whom things are shared with.
var simOutside = []string{"eve@other.example", "olu@agency.example", "gast@privat.example"}

// populate makes the directory. The first account is a super administrator, the second a delegated one.
func (s *simOrg) populate() {
	n := s.o.Users
	if n <= 0 {
		n = 50
	}
	s.byKey = map[string]*simUser{}
	for i := range max(n, 4) {
		rnd := sim.NewRand(s.o.Seed, 21, uint64(i))
		u := &simUser{n: i, id: s.digits(21, 22, uint64(i)), email: "user" + itoa(i) + "@" + simDomain, given: sim.Pick(rnd, simGiven),
			family: sim.Pick(rnd, simFamily), unit: sim.Pick(rnd, simUnits), enrolled: rnd.N(3) > 0, enforced: rnd.N(2) == 0,
			made: s.o.Start.Add(-time.Duration(100+rnd.N(900)) * 24 * time.Hour), suspended: i%25 == 5 || i%25 == 14, abuse: i%25 == 14,
			archived: i%25 == 8, guest: i%25 == 11, change: i%10 == 7, version: 1}
		if u.seen = s.o.Start.Add(-time.Duration(rnd.N(2000)) * time.Hour); i%9 == 6 {
			u.seen = time.Unix(0, 0) // never
		}
		if i%6 == 2 {
			u.aliases = []string{"alias" + itoa(i) + "@" + simDomain}
		}
		switch i {
		case 0:
			u.email, u.super = "admin@"+simDomain, true
		case 1:
			u.email, u.delegated = "helpdesk@"+simDomain, true
		}
		s.users = append(s.users, u)
		s.appOf(u, rnd)
	}
	s.users = append(s.users, &simUser{n: len(s.users), id: s.digits(21, 22, 1<<20), email: "left@" + simDomain, given: "Lee", family: "Left",
		unit: "/", made: s.o.Start.Add(-1000 * time.Hour), seen: s.o.Start.Add(-300 * time.Hour),
		deleted: s.o.Start.Add(-99 * time.Hour), version: 1})
	for _, u := range s.users {
		for _, key := range append([]string{u.id, u.email}, u.aliases...) {
			s.byKey[key] = u
		}
	}
	for i, name := range simTeams {
		g := &simGroup{n: i, id: "0" + string(sim.NewRand(s.o.Seed, 23, uint64(i)).Name(nil, 14)), email: "team" + itoa(i) + "@" + simDomain,
			name: name}
		for _, u := range s.users {
			if h := sim.Hash(s.o.Seed, 24, uint64(i), uint64(u.n)); h%5 == 0 && u.deleted.IsZero() {
				m := simMember{u.id, u.email, []string{"MEMBER", "MEMBER", "MANAGER", "OWNER"}[h>>8%4], "USER", "ACTIVE"}
				if u.suspended {
					m.status = "SUSPENDED"
				}
				g.members = append(g.members, m)
			}
		}
		g.members = append(g.members, simMember{s.digits(21, 25, uint64(i)), simOutside[i%3], "MEMBER", "USER", "ACTIVE"})
		switch i {
		case 1, 2: // a group within the first
			s.groups[0].members = append(s.groups[0].members, simMember{g.id, g.email, "MEMBER", "GROUP", "ACTIVE"})
		case 6: // everybody, who has no address
			g.members = append(g.members, simMember{s.id, "", "MEMBER", "CUSTOMER", ""})
		}
		s.groups = append(s.groups, g)
	}
}

// live says whether the account can be used.
func (u *simUser) live() bool { return !u.suspended && !u.archived && u.deleted.IsZero() }

func (s *simOrg) etag(parts ...uint64) string {
	return `"` + string(sim.NewRand(s.o.Seed, parts...).Name(nil, 27)) + `"`
}

// show is the account as administrators see it. https://developers.google.com/workspace/admin/directory/reference/rest/v1/users
func (s *simOrg) show(u *simUser) obj {
	name := obj{"givenName": u.given, "familyName": u.family, "fullName": u.given + " " + u.family}
	out := obj{"kind": "admin#directory#user", "id": u.id, "etag": s.etag(26, uint64(u.n), uint64(u.version)), "primaryEmail": u.email,
		"name": name, "isAdmin": u.super, "isDelegatedAdmin": u.delegated, "lastLoginTime": simTime(u.seen), "creationTime": simTime(u.made),
		"agreedToTerms": true, "suspended": u.suspended, "archived": u.archived, "changePasswordAtNextLogin": u.change, "ipWhitelisted": false,
		"emails":     []obj{{"address": u.email, "primary": true}, {"address": u.email + ".test-google-a.com"}},
		"languages":  []obj{{"languageCode": "en", "preference": "preferred"}},
		"customerId": s.id, "orgUnitPath": u.unit, "isMailboxSetup": !u.guest, "isEnrolledIn2Sv": u.enrolled, "isEnforcedIn2Sv": u.enforced,
		"includeInGlobalAddressList": true, "isGuestUser": u.guest, "nonEditableAliases": []string{u.email + ".test-google-a.com"}}
	if len(u.aliases) > 0 {
		out["aliases"] = u.aliases
	}
	if u.suspended {
		if out["suspensionReason"] = "ADMIN"; u.abuse {
			out["suspensionReason"] = "ABUSE"
		}
	}
	if u.archived {
		out["archivalTime"] = simTime(u.seen)
	}
	if !u.deleted.IsZero() {
		out["deletionTime"] = simTime(u.deleted)
	}
	return out
}

func simTime(t time.Time) string { return t.UTC().Format(simStamp) }

// directoryRoutes answer about accounts and groups.
func (s *simOrg) directoryRoutes(add simAdd) {
	const one, readGroup = "/admin/directory/v1/users/{user}", "admin.directory.group.readonly admin.directory.group"
	add("GET /admin/directory/v1/customers/{customer}", "admin.directory.customer.readonly admin.directory.customer",
		func(c *simCall) (any, *simNo) {
			if id := c.path("customer"); id != "my_customer" && id != s.id {
				return nil, simMissing("customerKey")
			}
			return obj{"kind": "admin#directory#customer", "id": s.id, "etag": s.etag(27), "customerDomain": simDomain, "language": "en",
				"alternateEmail": "owner@other.example", "customerCreationTime": simTime(s.users[0].made)}, nil
		})
	add("GET /admin/directory/v1/users", "admin.directory.user.readonly admin.directory.user", s.listUsers)
	add("GET "+one, "admin.directory.user.readonly admin.directory.user", func(c *simCall) (any, *simNo) {
		u, no := s.named(c)
		if no != nil {
			return nil, no
		}
		return s.show(u), nil
	})
	add("PUT "+one, "admin.directory.user", s.updateUser)
	add("PATCH "+one, "admin.directory.user", s.updateUser)
	add("GET /admin/directory/v1/groups", readGroup, func(c *simCall) (any, *simNo) {
		all := s.groups
		if key := c.query("userKey"); key != "" {
			all = slices.DeleteFunc(slices.Clone(all), func(g *simGroup) bool { return !g.has(s.byKey[key]) })
		} else if no := s.ours(c); no != nil {
			return nil, no
		}
		return simPaged(s, c, "groups", "admin#directory#groups", all, 200, 200, s.showGroup)
	})
	add("GET /admin/directory/v1/groups/{group}", readGroup, func(c *simCall) (any, *simNo) {
		g, no := s.group(c)
		if no != nil {
			return nil, no
		}
		return s.showGroup(g), nil
	})
	add("GET /admin/directory/v1/groups/{group}/members", readGroup+" admin.directory.group.member.readonly admin.directory.group.member",
		func(c *simCall) (any, *simNo) {
			g, no := s.group(c)
			if no != nil {
				return nil, no
			}
			return simPaged(s, c, "members", "admin#directory#members", g.members, 200, 200, func(m simMember) obj {
				out := obj{"kind": "admin#directory#member", "etag": s.etag(28, sim.KeySum(g.id+m.id)), "id": m.id, "role": m.role, "type": m.kind}
				if m.email != "" {
					out["email"], out["status"] = m.email, m.status
				}
				return out
			})
		})
}

// simMissing is the answer for what is not in the directory.
func simMissing(what string) *simNo {
	return &simNo{http.StatusNotFound, "notFound", "Resource Not Found: " + what, ""}
}

// ours checks that the request is for this customer or a domain of it.
func (s *simOrg) ours(c *simCall) *simNo {
	customer, domain := c.query("customer"), c.query("domain")
	switch {
	case customer == "" && domain == "":
		return simBad("badRequest", "Bad Request")
	case customer != "" && customer != "my_customer" && customer != s.id:
		return simForbid("forbidden", "Not Authorized to access this resource/api")
	case domain != "" && domain != simDomain:
		return &simNo{http.StatusNotFound, "notFound", "Domain not found.", ""}
	}
	return nil
}

// named is the account that the path names.
func (s *simOrg) named(c *simCall) (*simUser, *simNo) {
	if u := s.byKey[c.path("user")]; u != nil && u.deleted.IsZero() {
		return u, nil
	}
	return nil, simMissing("userKey")
}

func (s *simOrg) group(c *simCall) (*simGroup, *simNo) {
	key := c.path("group")
	if i := slices.IndexFunc(s.groups, func(g *simGroup) bool { return g.id == key || g.email == key }); i >= 0 {
		return s.groups[i], nil
	}
	return nil, simMissing("groupKey")
}

func (g *simGroup) has(u *simUser) bool {
	return u != nil && slices.ContainsFunc(g.members, func(m simMember) bool { return m.id == u.id })
}

func (s *simOrg) showGroup(g *simGroup) obj {
	return obj{"kind": "admin#directory#group", "id": g.id, "etag": s.etag(29, uint64(g.n)), "email": g.email, "name": g.name,
		"directMembersCount": itoa(len(g.members)), "description": "People of " + g.name, "adminCreated": g.n%3 != 1,
		"nonEditableAliases": []string{g.email + ".test-google-a.com"}}
}

// listUsers is GET /users, in the order of addresses where that is asked for.
func (s *simOrg) listUsers(c *simCall) (any, *simNo) {
	if no := s.ours(c); no != nil {
		return nil, no
	}
	switch p := c.query("projection"); p {
	case "", "basic", "full", "custom":
	default:
		return nil, simInvalid("projection", p)
	}
	field, want, _ := strings.Cut(c.query("query"), "=")
	is := map[string]func(u *simUser) string{"": func(*simUser) string { return "" },
		"isSuspended": func(u *simUser) string { return simText(u.suspended) },
		"isAdmin":     func(u *simUser) string { return simText(u.super) }, "isArchived": func(u *simUser) string { return simText(u.archived) },
		"email": func(u *simUser) string { return u.email }, "orgUnitPath": func(u *simUser) string { return u.unit }}[field]
	if is == nil {
		return nil, simBad("invalid", "Invalid Input: query")
	}
	deleted := c.yes("showDeleted")
	all := slices.DeleteFunc(slices.Clone(s.users), func(u *simUser) bool {
		return deleted == u.deleted.IsZero() || is(u) != strings.Trim(want, "'") || u.deleted.Before(s.o.Now().Add(-20*24*time.Hour)) && deleted
	})
	if c.query("orderBy") == "email" {
		slices.SortFunc(all, func(a, b *simUser) int { return strings.Compare(a.email, b.email) })
	}
	return simPaged(s, c, "users", "admin#directory#users", all, 100, 500, s.show)
}

func simText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
