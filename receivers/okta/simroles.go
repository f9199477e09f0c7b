package okta

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simRole is an administrator role assigned to a user, group or client.
type simRole struct {
	kind, holder        string // user, group or client, and its id
	id, roleType, label string
	custom              *simCustomRole // of type CUSTOM
	created             time.Time
	groups              []*simGroup // what it is limited to
	apps                []*simApp
}

// simCustomRole is a role that the org made, and the resource set it is assigned on.
type simCustomRole struct {
	id, label, set, setLabel string
	created                  time.Time
	permissions              []string
}

// simRoleLabels are the standard roles.
var simRoleLabels = map[string]string{"SUPER_ADMIN": "Super Organization Administrator", "ORG_ADMIN": "Organization Administrator",
	"READ_ONLY_ADMIN": "Read-only Administrator", "HELP_DESK_ADMIN": "Help Desk Administrator", "APP_ADMIN": "Application Administrator",
	"USER_ADMIN": "Group Administrator", "REPORT_ADMIN": "Report Administrator", "API_ACCESS_MANAGEMENT_ADMIN": "API Access Management Administrator",
	"GROUP_MEMBERSHIP_ADMIN": "Group Membership Administrator"}

// addRoles makes custom roles and assigns roles. The first two users and the service app are Super Administrators.
func (s *simOrg) addRoles() {
	for i, label := range []string{"Password helpers", "App Prüfer"} {
		s.custom = append(s.custom, &simCustomRole{s.newID("cr0", 7, i), label, s.newID("iam", 8, i), label + " set", s.users[0].created,
			[]string{"okta.users.read", "okta.users.credentials.resetPassword", "okta.apps.read"}[:2+i]})
	}
	assign := func(kind, holder, roleType string, custom *simCustomRole) *simRole {
		return s.assign(kind, holder, roleType, custom, s.users[0].created)
	}
	assign("user", s.users[0].id, "SUPER_ADMIN", nil)
	assign("user", s.users[1].id, "SUPER_ADMIN", nil)
	assign("user", s.users[2].id, "READ_ONLY_ADMIN", nil)
	assign("user", s.users[3].id, "APP_ADMIN", nil).apps = []*simApp{s.apps[1], s.apps[4]}
	assign("user", s.users[4].id, "HELP_DESK_ADMIN", nil).groups = []*simGroup{s.groups[2]}
	assign("user", s.users[4].id, "REPORT_ADMIN", nil)
	assign("user", s.users[6].id, "CUSTOM", s.custom[0])
	assign("group", s.groups[1].id, "USER_ADMIN", nil)
	assign("group", s.groups[5].id, "CUSTOM", s.custom[1])
	assign("client", s.app.id, "SUPER_ADMIN", nil)
	assign("client", s.oidc[1].id, "READ_ONLY_ADMIN", nil)
}

func (s *simOrg) assign(kind, holder, roleType string, custom *simCustomRole, at time.Time) *simRole {
	s.changes++
	r := &simRole{kind: kind, holder: holder, id: s.newID("ra1", 9, s.changes), roleType: roleType, label: simRoleLabels[roleType], custom: custom, created: at}
	if custom != nil {
		r.id, r.label = s.newID("irb", 9, s.changes), custom.label
	}
	s.roles = append(s.roles, r)
	return r
}

func (r *simRole) json(base string) obj {
	holders := map[string]string{"user": "/api/v1/users/", "group": "/api/v1/groups/", "client": "/oauth2/v1/clients/"}
	o := obj{"id": r.id, "label": r.label, "type": r.roleType, "status": "ACTIVE", "created": r.created.UTC().Format(simTime),
		"lastUpdated": r.created.UTC().Format(simTime), "assignmentType": map[string]string{"user": "USER", "group": "GROUP", "client": "CLIENT"}[r.kind],
		"_links": obj{"assignee": obj{"href": base + holders[r.kind] + r.holder}}}
	if r.custom != nil {
		o["role"], o["resource-set"] = r.custom.id, r.custom.set
	}
	return o
}

func (c *simCustomRole) json(base string) obj {
	at := base + "/api/v1/iam/roles/" + c.id
	return obj{"id": c.id, "label": c.label, "description": "made by the org", "created": c.created.UTC().Format(simTime),
		"lastUpdated": c.created.UTC().Format(simTime), "_links": obj{"permissions": obj{"href": at + "/permissions"}, "self": obj{"href": at}}}
}

// held are the places in paths where roles hang, and the kind of their holder.
var simHolders = []struct{ path, kind string }{{"/api/v1/users/{id}", "user"}, {"/api/v1/groups/{g}", "group"}, {"/oauth2/v1/clients/{app}", "client"}}

// holder checks that the holder of the path exists and gives its id.
func (s *simOrg) holder(kind string, h func(http.ResponseWriter, *http.Request, sim.Access, string)) route {
	switch kind {
	case "user":
		return s.withUser(func(w http.ResponseWriter, r *http.Request, by sim.Access, u *simUser) { h(w, r, by, u.id) })
	case "group":
		return s.withGroup(func(w http.ResponseWriter, r *http.Request, by sim.Access, g *simGroup) { h(w, r, by, g.id) })
	}
	return s.withApp(func(w http.ResponseWriter, r *http.Request, by sim.Access, a *simApp) { h(w, r, by, a.id) })
}

func (s *simOrg) roleRoutes(add func(pattern, scope string, h route)) {
	for _, at := range simHolders {
		add("GET "+at.path+"/roles", "okta.roles.read", s.holder(at.kind, func(w http.ResponseWriter, r *http.Request, _ sim.Access, id string) {
			s.reply(w, http.StatusOK, func() any {
				out := []obj{}
				for _, role := range s.roles {
					if role.kind == at.kind && role.holder == id {
						out = append(out, role.json(s.o.BaseOf(r)))
					}
				}
				return out
			})
		}))
		add("POST "+at.path+"/roles", "okta.roles.manage", s.holder(at.kind, s.postRole(at.kind)))
		add("DELETE "+at.path+"/roles/{role}", "okta.roles.manage", s.holder(at.kind, func(w http.ResponseWriter, r *http.Request, by sim.Access, id string) {
			s.mu.Lock()
			i := slices.IndexFunc(s.roles, func(x *simRole) bool { return x.holder == id && x.id == r.PathValue("role") })
			if i >= 0 {
				label := s.roles[i].label
				s.roles = slices.Delete(s.roles, i, i+1)
				s.logRole(r, by, "revoke", at.kind, id, label)
			}
			s.mu.Unlock()
			s.gone(w, i >= 0, r.PathValue("role"), "Role")
		}))
		s.targetRoutes(add, at.path, at.kind)
	}
	s.iamRoutes(add)
}

// postRole assigns a role.
func (s *simOrg) postRole(kind string) func(http.ResponseWriter, *http.Request, sim.Access, string) {
	return func(w http.ResponseWriter, r *http.Request, by sim.Access, id string) {
		var in struct {
			Type, Role string
			Set        string `json:"resource-set"`
		}
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&in)
		i := slices.IndexFunc(s.custom, func(c *simCustomRole) bool { return c.id == in.Role && c.set == in.Set })
		if err != nil || in.Type != "CUSTOM" && simRoleLabels[in.Type] == "" || in.Type == "CUSTOM" && i < 0 {
			s.fail(w, http.StatusBadRequest, "E0000001", "Api validation failed: type", "type: no such role")
			return
		}
		var custom *simCustomRole
		if in.Type == "CUSTOM" {
			custom = s.custom[i]
		}
		s.mu.Lock()
		if slices.ContainsFunc(s.roles, func(x *simRole) bool {
			return x.kind == kind && x.holder == id && x.roleType == in.Type && x.custom == custom
		}) {
			s.mu.Unlock()
			s.fail(w, http.StatusConflict, "E0000090", "Duplicate role assignment exception.",
				"The role specified is already assigned to the "+kind+".")
			return
		}
		role := s.assign(kind, id, in.Type, custom, s.o.Now())
		s.logRole(r, by, "grant", kind, id, role.label)
		out := role.json(s.o.BaseOf(r))
		s.mu.Unlock()
		sim.WriteJSON(w, http.StatusCreated, out)
	}
}

// logRole writes the event of a role given or taken.
func (s *simOrg) logRole(r *http.Request, by sim.Access, what, kind, id, label string) {
	role := simParty{"ROLE", "ROLE", "unknown", label}
	switch kind {
	case "user":
		s.log(r, by, "user.account.privilege."+what, s.byID[id].party(), role)
	case "group":
		i := slices.IndexFunc(s.groups, func(g *simGroup) bool { return g.id == id })
		s.log(r, by, "group.privilege."+what, simParty{id, "UserGroup", "unknown", s.groups[i].name}, role)
	default:
		s.log(r, by, "app.oauth2.client.privilege."+what, simParty{id, "PublicClientApp", id, s.label(id)}, role)
	}
}

// targetRoutes answer what a role is limited to.
func (s *simOrg) targetRoutes(add func(pattern, scope string, h route), path, kind string) {
	show := func(what func(*simRole, string) []obj) route {
		return s.holder(kind, func(w http.ResponseWriter, r *http.Request, _ sim.Access, id string) {
			s.mu.Lock()
			i := slices.IndexFunc(s.roles, func(x *simRole) bool { return x.holder == id && x.id == r.PathValue("role") })
			s.mu.Unlock()
			if i < 0 {
				s.missing(w, r.PathValue("role"), "Role")
				return
			}
			s.list(w, r, 20, 200, func() []obj { return what(s.roles[i], s.o.BaseOf(r)) })
		})
	}
	add("GET "+path+"/roles/{role}/targets/groups", "okta.roles.read", show(func(x *simRole, base string) []obj { return objects(x.groups, base, all) }))
	add("GET "+path+"/roles/{role}/targets/catalog/apps", "okta.roles.read", show(func(x *simRole, _ string) []obj {
		out := []obj{}
		for _, a := range x.apps {
			out = append(out, obj{"id": a.id, "name": a.name, "displayName": a.label, "status": "ACTIVE", "category": "", "description": "", "features": []string{},
				"lastUpdated": a.created.UTC().Format(simTime), "signOnModes": []string{a.signOn}, "verificationStatus": "OKTA_VERIFIED", "website": ""})
		}
		return out
	}))
}

func (s *simOrg) iamRoutes(add func(pattern, scope string, h route)) {
	get := func(pattern string, v func(r *http.Request) any) {
		add(pattern, "okta.roles.read", func(w http.ResponseWriter, r *http.Request, _ sim.Access) {
			s.reply(w, http.StatusOK, func() any { return v(r) })
		})
	}
	add("GET /api/v1/iam/assignees/users", "okta.roles.read", s.assignees)
	get("GET /api/v1/iam/roles", func(r *http.Request) any { return obj{"roles": objects(s.custom, s.o.BaseOf(r), all), "_links": obj{}} })
	get("GET /api/v1/iam/resource-sets", func(*http.Request) any {
		out := []obj{}
		for _, c := range s.custom {
			out = append(out, obj{"id": c.set, "label": c.setLabel, "description": "what the role is about", "created": c.created.UTC().Format(simTime),
				"lastUpdated": c.created.UTC().Format(simTime)})
		}
		return obj{"resource-sets": out, "_links": obj{}}
	})
	add("GET /api/v1/iam/roles/{role}/permissions", "okta.roles.read", func(w http.ResponseWriter, r *http.Request, _ sim.Access) {
		i := slices.IndexFunc(s.custom, func(c *simCustomRole) bool { return c.id == r.PathValue("role") || c.label == r.PathValue("role") })
		if i < 0 {
			s.missing(w, r.PathValue("role"), "Role")
			return
		}
		out := []obj{}
		for _, p := range s.custom[i].permissions {
			out = append(out, obj{"label": p, "created": s.custom[i].created.UTC().Format(simTime), "lastUpdated": s.custom[i].created.UTC().Format(simTime),
				"conditions": nil})
		}
		sim.WriteJSON(w, http.StatusOK, obj{"permissions": out})
	})
}

// assignees is GET /api/v1/iam/assignees/users: who has a role, of his own or through a group. The next page is in the body.
func (s *simOrg) assignees(w http.ResponseWriter, r *http.Request, _ sim.Access) {
	limit, ok := limitOf(r.URL.Query().Get("limit"), 100, 100)
	if !ok || limit == 0 {
		s.fail(w, http.StatusBadRequest, "E0000001", "Api validation failed: limit")
		return
	}
	base, after := s.o.BaseOf(r), r.URL.Query().Get("after")
	s.mu.Lock()
	defer s.mu.Unlock()
	holders := map[string]bool{}
	for _, role := range s.roles {
		holders[role.holder] = true
	}
	value, links, last := []obj{}, obj{}, ""
	for _, u := range s.users {
		has := holders[u.id] || slices.ContainsFunc(s.groups, func(g *simGroup) bool { return holders[g.id] && g.members[u.id] })
		switch {
		case !has:
		case after != "":
			if u.id == after {
				after = ""
			}
		case len(value) == limit:
			links["next"] = obj{"href": sim.WithQuery(base, r, map[string]string{"after": last})}
		default:
			last = u.id
			value = append(value, obj{"id": u.id, "orn": "orn:okta:directory:" + s.id + ":users:" + u.id,
				"_links": obj{"self": obj{"href": base + "/api/v1/users/" + u.id}, "roles": obj{"href": base + "/api/v1/users/" + u.id + "/roles"}}})
		}
	}
	sim.WriteJSON(w, http.StatusOK, obj{"value": value, "_links": links})
}
