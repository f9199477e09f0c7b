package office365

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/longshore-dev/longshore/internal/sim"
)

const simContext = "https://graph.microsoft.com/v1.0/$metadata#"

// simTokenPrefix begins the tokens of pages, as those of the directory do.
const simTokenPrefix = "RFNwdAoAAQ"

// user is an account as Graph shows it.
func (s *simOrg) user(u *simUser) simObj {
	kind := "Member"
	if u.guest {
		kind = "Guest"
	}
	o := simObj{"id": u.id, "userPrincipalName": u.upn, "displayName": u.name, "mail": u.mail, "accountEnabled": u.enabled, "userType": kind,
		"createdDateTime": simStamp(u.created), "onPremisesSyncEnabled": nil, "lastPasswordChangeDateTime": simStamp(u.changed),
		"signInSessionsValidFromDateTime": simStamp(u.sessions), "givenName": strings.Fields(u.name)[0], "surname": strconv.Itoa(u.n),
		"jobTitle": simJobs[u.n%len(simJobs)], "department": simTeams[u.n%len(simTeams)], "businessPhones": []string{}, "mobilePhone": nil,
		"officeLocation": nil, "preferredLanguage": nil, "otherMails": []string{}, "assignedLicenses": []simObj{},
		"proxyAddresses": []string{}, "externalUserState": nil}
	if u.synced {
		o["onPremisesSyncEnabled"] = true
	}
	if u.guest {
		o["externalUserState"] = "Accepted"
	}
	return o
}

// simUsual is what users show unless more is asked for.
var simUsual = []string{"businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
	"preferredLanguage",
	"surname", "userPrincipalName", "id"}

func (s *simOrg) group(g *simGroup) simObj {
	types := []string{}
	if g.unified {
		types = append(types, "Unified")
	}
	return simObj{"id": g.id, "displayName": g.name, "groupTypes": types, "securityEnabled": g.secured, "mailEnabled": g.unified,
		"isAssignableToRole": g.assignable, "createdDateTime": simStamp(g.created), "visibility": "Private", "description": nil,
		"mail": nil, "mailNickname": "team" + strconv.Itoa(g.n), "membershipRule": nil, "onPremisesSyncEnabled": nil,
		"proxyAddresses": []string{}}
}

func (r *simRole) activated() simObj {
	return simObj{"id": r.active, "deletedDateTime": nil, "description": "Can do what " + r.name + "s do.", "displayName": r.name,
		"roleTemplateId": r.id}
}

func (r *simRole) definition() simObj {
	return simObj{"id": r.id, "description": "Can do what " + r.name + "s do.", "displayName": r.name, "isBuiltIn": true, "isEnabled": true,
		"resourceScopes": []string{"/"}, "templateId": r.id, "version": "1",
		"rolePermissions": []simObj{{"allowedResourceActions": []string{"microsoft.directory/users/standard/read"}, "condition": nil}}}
}

// principal is whoever an id is of, with the type that tells what it is.
func (s *simOrg) principal(id string) simObj {
	var o simObj
	kind := ""
	switch p := s.byID[id].(type) {
	case *simUser:
		o, kind = s.user(p), "user"
	case *simGroup:
		o, kind = s.group(p), "group"
	case *simApp:
		o, kind = s.app(p), "servicePrincipal"
	}
	o["@odata.type"] = "#microsoft.graph." + kind
	return o
}

// hold is the assignment of a role, or that somebody may take it.
func (s *simOrg) hold(c *simCall, h *simHold) simObj {
	o := simObj{"id": h.id, "principalId": h.principal, "roleDefinitionId": h.role, "directoryScopeId": "/", "appScopeId": nil}
	if h.eligible {
		o["memberType"], o["startDateTime"], o["endDateTime"] = "Direct", simStamp(s.o.Start), nil
		o["roleEligibilityScheduleId"] = h.id
	}
	for _, name := range strings.Split(c.query("$expand"), ",") {
		switch name {
		case "principal":
			p := s.principal(h.principal)
			if p["@odata.type"] == "#microsoft.graph.user" {
				p = simSelect(p, append([]string{"@odata.type"}, simUsual...))
			}
			o["principal"] = p
		case "roleDefinition":
			i := slices.IndexFunc(s.roles, func(r *simRole) bool { return r.id == h.role })
			o["roleDefinition"] = s.roles[i].definition()
		}
	}
	return o
}

// directoryRoutes are accounts, groups and roles.
func (s *simOrg) directoryRoutes(add simAdd) {
	const users, groups, roles = "User.Read.All Directory.Read.All", "Group.Read.All GroupMember.Read.All Directory.Read.All",
		"RoleManagement.Read.Directory Directory.Read.All"
	add("GET /v1.0/users", users, func(c *simCall) (int, any) { return s.list(c, "users", simAll(s.users, s.user), 100, 999) })
	add("GET /v1.0/users/{id}", users, func(c *simCall) (int, any) {
		u, no := simFind[*simUser](s, c)
		if no != nil {
			return 0, no
		}
		return s.one(c, "users/$entity", s.user(u), simUsual)
	})
	add("GET /v1.0/users/delta", users, func(c *simCall) (int, any) { return s.delta(c, "users", simAll(s.users, s.user)) })
	add("GET /v1.0/groups/delta", groups, func(c *simCall) (int, any) { return s.delta(c, "groups", simAll(s.groups, s.group)) })
	add("GET /v1.0/groups", groups, func(c *simCall) (int, any) { return s.list(c, "groups", simAll(s.groups, s.group), 100, 999) })
	add("GET /v1.0/groups/{id}", groups, func(c *simCall) (int, any) {
		g, no := simFind[*simGroup](s, c)
		if no != nil {
			return 0, no
		}
		return s.one(c, "groups/$entity", s.group(g), nil)
	})
	for _, name := range []string{"members", "transitiveMembers"} {
		add("GET /v1.0/groups/{id}/"+name, groups, func(c *simCall) (int, any) {
			g, no := simFind[*simGroup](s, c)
			if no != nil {
				return 0, no
			}
			return s.list(c, "directoryObjects", simAll(s.members(g, name != "members", nil), s.principal), 100, 999)
		})
	}
	add("GET /v1.0/directoryRoles", roles, func(c *simCall) (int, any) {
		held := slices.DeleteFunc(slices.Clone(s.roles), func(r *simRole) bool { return len(s.holders(r, false)) == 0 })
		return s.list(c, "directoryRoles", simAll(held, (*simRole).activated), 1000, 1000)
	})
	add("GET /v1.0/directoryRoles/{id}/members", roles, func(c *simCall) (int, any) {
		i := slices.IndexFunc(s.roles, func(r *simRole) bool { return r.active == c.path("id") })
		if i < 0 {
			return 0, simAbsent(c)
		}
		return s.list(c, "directoryObjects", simAll(s.holders(s.roles[i], false), s.principal), 1000, 1000)
	})
	for name, eligible := range map[string]bool{"roleAssignments": false, "roleEligibilityScheduleInstances": true} {
		right := roles
		if eligible {
			right = "RoleManagement.Read.Directory"
		}
		add("GET /v1.0/roleManagement/directory/"+name, right, func(c *simCall) (int, any) {
			holds := slices.DeleteFunc(slices.Clone(s.holds), func(h *simHold) bool { return h.eligible != eligible })
			return s.list(c, "roleManagement/directory/"+name, simAll(holds, func(h *simHold) simObj { return s.hold(c, h) }), 100, 500)
		})
	}
	add("GET /v1.0/roleManagement/directory/roleDefinitions", roles, func(c *simCall) (int, any) {
		return s.list(c, "roleManagement/directory/roleDefinitions", simAll(s.roles, (*simRole).definition), 100, 500)
	})
	s.userActions(add)
}

// members are the ids in a group, and with deep those in the groups in it.
func (s *simOrg) members(g *simGroup, deep bool, seen []string) []string {
	for _, id := range g.members {
		if slices.Contains(seen, id) {
			continue
		}
		seen = append(seen, id)
		if in, ok := s.byID[id].(*simGroup); ok && deep {
			seen = s.members(in, deep, seen)
		}
	}
	return seen
}

func (s *simOrg) holders(r *simRole, eligible bool) (ids []string) {
	for _, h := range s.holds {
		if h.role == r.id && h.eligible == eligible {
			ids = append(ids, h.principal)
		}
	}
	return ids
}

// userActions are what changes accounts.
func (s *simOrg) userActions(add simAdd) {
	add("PATCH /v1.0/users/{id}", "User.EnableDisableAccount.All User-PasswordProfile.ReadWrite.All User.ReadWrite.All", s.patchUser)
	add("POST /v1.0/users/{id}/revokeSignInSessions", "User.RevokeSessions.All User.ReadWrite.All", func(c *simCall) (int, any) {
		u, no := simFind[*simUser](s, c)
		if no != nil {
			return 0, no
		}
		u.sessions = s.o.Now()
		s.note("users", u.id)
		return http.StatusOK, simObj{"@odata.context": simContext + "Edm.Boolean", "value": true}
	})
	for name, compromised := range map[string]bool{"confirmCompromised": true, "dismiss": false} {
		add("POST /v1.0/identityProtection/riskyUsers/"+name, "IdentityRiskyUser.ReadWrite.All", func(c *simCall) (int, any) {
			if s.o.Variant == "no_premium" {
				return 0, simNo{http.StatusForbidden, "Forbidden", "Your tenant is not licensed for this feature."}
			}
			in, no := simRead[struct{ UserIDs []string }](c)
			for _, id := range in.UserIDs {
				if u, ok := s.byID[id].(*simUser); ok {
					u.compromised = compromised
				}
			}
			return http.StatusNoContent, no
		})
	}
}

// patchUser suspends and gives back an account, or makes its user choose another password.
func (s *simOrg) patchUser(c *simCall) (int, any) {
	u, no := simFind[*simUser](s, c)
	if no != nil {
		return 0, no
	}
	in, no := simRead[map[string]json.RawMessage](c)
	if no != nil {
		return 0, no
	}
	var profile struct {
		Force    *bool `json:"forceChangePasswordNextSignIn"`
		MFA      *bool `json:"forceChangePasswordNextSignInWithMfa"`
		Password string
	}
	enabled := u.enabled
	for name, v := range in {
		var err error
		switch name {
		case "accountEnabled":
			err = json.Unmarshal(v, &enabled)
		case "passwordProfile":
			err = json.Unmarshal(v, &profile)
		default:
			return 0, simNo{http.StatusBadRequest, "Request_BadRequest", "This fake has no property '" + name + "' that can be changed."}
		}
		if err != nil {
			return 0, simNo{http.StatusBadRequest, "Request_BadRequest", "Invalid value specified for property '" + name + "' of resource 'User'."}
		}
	}
	switch {
	case in["accountEnabled"] != nil && !s.may(c.by, "User.EnableDisableAccount.All User.ReadWrite.All"),
		in["passwordProfile"] != nil && !s.may(c.by, "User-PasswordProfile.ReadWrite.All User.ReadWrite.All"):
		return 0, simNo{http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."}
	case len(in) == 0:
		return 0, simNo{http.StatusBadRequest, "Request_BadRequest", "Write requests must contain at least one property."}
	case u.synced && in["passwordProfile"] != nil:
		return 0, simNo{http.StatusBadRequest, "Request_BadRequest", "Unable to update the specified properties for on-premises mastered " +
			"Directory " +
			"Sync objects or objects currently undergoing migration."}
	case u.n == 0: // an app needs a higher role for those who hold the highest
		return 0, simNo{http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."}
	}
	u.enabled = enabled
	if profile.Force != nil {
		u.force = *profile.Force
	}
	if profile.Password != "" {
		u.changed = s.o.Now()
	}
	s.note("users", u.id)
	return http.StatusNoContent, nil
}

// note remembers that an object changed, for delta queries.
func (s *simOrg) note(set, id string) { s.changes(set).Add(id) }

func (s *simOrg) changes(set string) *sim.Changes {
	if s.changed[set] == nil {
		s.changed[set] = &sim.Changes{Keep: 1 << 12}
	}
	return s.changed[set]
}

func simAbsent(c *simCall) simNo {
	return simNo{http.StatusNotFound, "Request_ResourceNotFound", "Resource '" + c.path("id") + "' does not exist or one of its queried " +
		"reference-property objects are not present."}
}

// simFind finds what {id} names.
func simFind[T any](s *simOrg, c *simCall) (T, any) {
	it, ok := s.byID[c.path("id")].(T)
	if !ok {
		return it, simAbsent(c)
	}
	return it, nil
}

// simAll shows each.
func simAll[T any](all []T, show func(T) simObj) []simObj {
	out := make([]simObj, len(all))
	for i, v := range all {
		out[i] = show(v)
	}
	return out
}
