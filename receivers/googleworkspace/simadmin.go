package googleworkspace

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simToken is an app that a user let in.
type simToken struct {
	client, name string
	scopes       []string
	native       bool
}

// simASP is an app password.
type simASP struct {
	code int
	name string
	made time.Time
	used time.Time // zero = never
}

// simThirdParties are the apps that users let in.
var simThirdParties = []simToken{
	{"1084552113-mailmerge7k.apps.googleusercontent.com", "Mail Merge \"X\"", []string{simScope("drive"), "https://mail.google.com/"}, false},
	{"1190233410-pdfkitchen2.apps.googleusercontent.com", "PDF Küche", []string{simScope("drive.readonly"), "openid"}, false},
	{"1023311870-phonesync9q.apps.googleusercontent.com", "Phone Sync", []string{simScope("calendar"), simScope("contacts")}, true},
	{"anonymous", "anonymous", []string{simScope("userinfo.email")}, false},
}

// appOf gives a user apps and app passwords.
func (s *simOrg) appOf(u *simUser, rnd *sim.Rand) {
	for _, t := range simThirdParties {
		if rnd.N(3) == 0 {
			u.tokens = append(u.tokens, t)
		}
	}
	for i := range rnd.N(5) - 2 {
		a := simASP{code: 1 + i, name: sim.Pick(rnd, []string{"Mail on my Mac", "Scanner, 2nd floor", "カレンダー"}), made: u.made}
		if rnd.N(3) > 0 {
			a.used = u.seen
		}
		u.asps = append(u.asps, a)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

// simRole is an administrator role.
type simRole struct {
	id, name      string
	system, super bool
	privileges    []string
}

// simService is the id of the service that a privilege is of.
const simService = "00haapch16h1ysv"

// roles are the administrator roles: those of Google, and one of the customer's own.
func (s *simOrg) roles() []simRole {
	return []simRole{
		{s.digits(17, 34, 0), "_SEED_ADMIN_ROLE", true, true, []string{"SUPER_ADMIN", "ROOT_APP_ADMIN", "ADMIN_APIS_ALL"}},
		{s.digits(17, 34, 1), "_GROUPS_ADMIN_ROLE", true, false, []string{"GROUPS_ALL"}},
		{s.digits(17, 34, 2), "_USER_MANAGEMENT_ADMIN_ROLE", true, false, []string{"USERS_RETRIEVE", "USERS_SUSPEND"}},
		{s.digits(17, 34, 3), "Longshore \"Audit\"", false, false, []string{"REPORTS_ACCESS", "USERS_RETRIEVE", "USERS_UPDATE",
			"USER_SECURITY_ALL", "GROUPS_RETRIEVE"}},
	}
}

// adminRoutes answer about administrators, grants to apps, app passwords, and end sessions.
func (s *simOrg) adminRoutes(add simAdd) {
	const roles, user = "/admin/directory/v1/customer/{customer}/", "/admin/directory/v1/users/{user}/"
	const readRoles, security = "admin.directory.rolemanagement.readonly admin.directory.rolemanagement", "admin.directory.user.security"
	ours := func(h simDo) simDo {
		return func(c *simCall) (any, *simNo) {
			if id := c.path("customer"); id != "my_customer" && id != s.id {
				return nil, simForbid("forbidden", "Not Authorized to access this resource/api")
			}
			return h(c)
		}
	}
	add("GET "+roles+"roles", readRoles, ours(func(c *simCall) (any, *simNo) {
		return simPaged(s, c, "items", "admin#directory#roles", s.roles(), 100, 100, func(r simRole) obj {
			rights := []obj{}
			for _, p := range r.privileges {
				rights = append(rights, obj{"privilegeName": p, "serviceId": simService})
			}
			return obj{"kind": "admin#directory#role", "etag": s.etag(35, sim.KeySum(r.id)), "roleId": r.id, "roleName": r.name,
				"roleDescription": "What " + r.name + " may", "isSystemRole": r.system, "isSuperAdminRole": r.super, "rolePrivileges": rights}
		})
	}))
	add("GET "+roles+"roleassignments", readRoles, ours(s.assignments))
	add("GET "+roles+"roles/ALL/privileges", readRoles, ours(func(*simCall) (any, *simNo) {
		items := []obj{}
		for _, r := range s.roles() {
			for _, p := range r.privileges {
				items = append(items, obj{"kind": "admin#directory#privilege", "etag": s.etag(36, sim.KeySum(p)), "serviceId": simService,
					"serviceName": "admin", "privilegeName": p, "isOuScopable": strings.HasPrefix(p, "USERS")})
			}
		}
		return obj{"kind": "admin#directory#privileges", "etag": s.etag(37), "items": items}, nil
	}))
	add("GET "+user+"tokens", security, s.onUser(s.listTokens))
	add("DELETE "+user+"tokens/{client}", security, s.onUser(s.revoke))
	add("GET "+user+"asps", security, s.onUser(s.listASPs))
	add("DELETE "+user+"asps/{code}", security, s.onUser(s.deleteASP))
	add("POST "+user+"signOut", security, s.onUser(func(c *simCall, u *simUser) (any, *simNo) {
		u.sessions++
		s.tell(c, "admin", "USER_SETTINGS", "RESET_SIGNIN_COOKIES", "USER_EMAIL="+u.email)
		return nil, nil
	}))
	add("POST "+user+"twoStepVerification/turnOff", security, s.onUser(func(c *simCall, u *simUser) (any, *simNo) {
		u.enrolled = false
		s.tell(c, "admin", "USER_SETTINGS", "TURN_OFF_2_STEP_VERIFICATION", "USER_EMAIL="+u.email)
		return nil, nil
	}))
}

// onUser finds the account of the path. Only super administrators may change administrators.
func (s *simOrg) onUser(h func(c *simCall, u *simUser) (any, *simNo)) simDo {
	return func(c *simCall) (any, *simNo) {
		u, no := s.named(c)
		switch {
		case no != nil:
			return nil, no
		case c.r.Method != http.MethodGet && (u.super || u.delegated) && !c.by.super:
			return nil, simForbid("forbidden", "Not Authorized to access this resource/api")
		}
		return h(c, u)
	}
}

// simAssignment is who has a role: an account, or a group.
type simAssignment struct {
	id, role, to, kind, scope, unit string
}

// assigned are the assignments of roles.
func (s *simOrg) assigned() []simAssignment {
	all := s.roles()
	return []simAssignment{
		{s.digits(17, 38, 0), all[0].id, s.users[0].id, "user", "CUSTOMER", ""},
		{s.digits(17, 38, 1), all[3].id, s.users[1].id, "user", "CUSTOMER", ""},
		{s.digits(17, 38, 2), all[2].id, s.users[1].id, "user", "ORG_UNIT", "03ph8a2z" + string(sim.NewRand(s.o.Seed, 39).Name(nil, 7))},
		{s.digits(17, 38, 3), all[1].id, s.groups[1].id, "group", "CUSTOMER", ""},
	}
}

// assignments lists them. Those by a group come for its members only where they are asked for.
func (s *simOrg) assignments(c *simCall) (any, *simNo) {
	u := s.byKey[c.query("userKey")]
	if c.query("userKey") != "" && u == nil {
		return nil, simMissing("userKey")
	}
	all := slices.DeleteFunc(s.assigned(), func(a simAssignment) bool {
		direct := u == nil || a.to == u.id
		indirect := u != nil && c.yes("includeIndirectRoleAssignments") && a.kind == "group" && s.groups[1].has(u)
		return !direct && !indirect || c.query("roleId") != "" && c.query("roleId") != a.role
	})
	return simPaged(s, c, "items", "admin#directory#roleAssignments", all, 100, 200, func(a simAssignment) obj {
		out := obj{"kind": "admin#directory#roleAssignment", "etag": s.etag(41, sim.KeySum(a.id)), "roleAssignmentId": a.id, "roleId": a.role,
			"assignedTo": a.to, "assigneeType": a.kind, "scopeType": a.scope}
		if a.unit != "" {
			out["orgUnitId"] = a.unit
		}
		return out
	})
}

func (s *simOrg) listTokens(_ *simCall, u *simUser) (any, *simNo) {
	out := obj{"kind": "admin#directory#tokenList", "etag": s.etag(42, uint64(u.n), uint64(len(u.tokens)))}
	var items []obj
	for _, t := range u.tokens {
		items = append(items, obj{"kind": "admin#directory#token", "etag": s.etag(43, uint64(u.n), sim.KeySum(t.client)), "clientId": t.client,
			"displayText": t.name, "scopes": t.scopes, "anonymous": t.client == "anonymous", "nativeApp": t.native, "userKey": u.id})
	}
	if items != nil {
		out["items"] = items
	}
	return out, nil
}

// revoke takes an app's grant.
func (s *simOrg) revoke(c *simCall, u *simUser) (any, *simNo) {
	i := slices.IndexFunc(u.tokens, func(t simToken) bool { return t.client == c.path("client") })
	if i < 0 {
		return nil, simMissing("clientId")
	}
	t := u.tokens[i]
	u.tokens = slices.Delete(slices.Clone(u.tokens), i, i+1)
	s.tell(c, "admin", "SECURITY_SETTINGS", "REVOKE_3LO_TOKEN", "USER_EMAIL="+u.email, "APP_ID="+t.client)
	return nil, nil
}

func (s *simOrg) listASPs(_ *simCall, u *simUser) (any, *simNo) {
	out := obj{"kind": "admin#directory#aspList", "etag": s.etag(44, uint64(u.n), uint64(len(u.asps)))}
	var items []obj
	for _, a := range u.asps {
		used := "0"
		if !a.used.IsZero() {
			used = strconv.FormatInt(a.used.UnixMilli(), 10)
		}
		items = append(items, obj{"kind": "admin#directory#asp", "etag": s.etag(45, uint64(u.n), uint64(a.code)), "codeId": a.code,
			"name": a.name, "creationTime": strconv.FormatInt(a.made.UnixMilli(), 10), "lastTimeUsed": used, "userKey": u.id})
	}
	if items != nil {
		out["items"] = items
	}
	return out, nil
}

func (s *simOrg) deleteASP(c *simCall, u *simUser) (any, *simNo) {
	i := slices.IndexFunc(u.asps, func(a simASP) bool { return itoa(a.code) == c.path("code") })
	if i < 0 {
		return nil, simMissing("codeId")
	}
	u.asps = slices.Delete(slices.Clone(u.asps), i, i+1)
	s.tell(c, "admin", "SECURITY_SETTINGS", "REVOKE_ASP", "USER_EMAIL="+u.email)
	return nil, nil
}

// simHashes are how a hash of a password must look, by its function.
var simHashes = map[string]*regexp.Regexp{"SHA-1": regexp.MustCompile(`^[0-9a-fA-F]{40}$`), "MD5": regexp.MustCompile(`^[0-9a-fA-F]{32}$`),
	"crypt": regexp.MustCompile(`^\$[156]\$`), "": regexp.MustCompile(`^.{8,100}$`)}

// updateUser is PUT, which changes only what it names, as PATCH does.
func (s *simOrg) updateUser(c *simCall) (any, *simNo) {
	return s.onUser(func(c *simCall, u *simUser) (any, *simNo) {
		var in struct {
			Suspended    *bool
			Change       *bool `json:"changePasswordAtNextLogin"`
			Archived     *bool
			Password     string
			HashFunction string
			Unit         *string `json:"orgUnitPath"`
		}
		if no := c.into(&in); no != nil {
			return nil, no
		}
		match := c.r.Header.Get("If-Match")
		switch shape := simHashes[in.HashFunction]; {
		case match != "" && match != "*" && match != s.etag(26, uint64(u.n), uint64(u.version)):
			return nil, &simNo{http.StatusPreconditionFailed, "conditionNotMet", "Precondition Failed", ""}
		case shape == nil || in.Password != "" && !shape.MatchString(in.Password):
			return nil, simBad("invalid", "Invalid Password")
		case in.Suspended != nil && !*in.Suspended && u.abuse && u.suspended:
			return nil, simForbid("forbidden", "User creation is not complete or the account was suspended for abuse.")
		case in.Suspended != nil && *in.Suspended && u == c.by:
			return nil, simForbid("forbidden", "Administrators cannot suspend themselves.")
		}
		about := "USER_EMAIL=" + u.email
		if in.Suspended != nil && *in.Suspended != u.suspended {
			u.suspended = *in.Suspended
			s.tell(c, "admin", "USER_SETTINGS", map[bool]string{true: "SUSPEND_USER", false: "UNSUSPEND_USER"}[u.suspended], about)
		}
		if in.Archived != nil && *in.Archived != u.archived {
			u.archived = *in.Archived
			s.tell(c, "admin", "USER_SETTINGS", map[bool]string{true: "ARCHIVE_USER", false: "UNARCHIVE_USER"}[u.archived], about)
		}
		if in.Change != nil && *in.Change != u.change {
			u.change = *in.Change
			s.tell(c, "admin", "USER_SETTINGS", "CHANGE_PASSWORD_ON_NEXT_LOGIN", about, "NEW_VALUE="+simText(u.change))
		}
		if in.Password != "" {
			s.tell(c, "admin", "USER_SETTINGS", "CHANGE_PASSWORD", about)
		}
		u.version++
		return s.show(u), nil
	})(c)
}
