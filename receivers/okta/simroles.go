package okta

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
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
	"USER_ADMIN": "Group Administrator", "REPORT_ADMIN": "Report Administrator",
	"API_ACCESS_MANAGEMENT_ADMIN": "API Access Management Administrator",
	"GROUP_MEMBERSHIP_ADMIN":      "Group Membership Administrator"}

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
	r := &simRole{kind: kind, holder: holder, id: s.newID("ra1", 9, s.changes), roleType: roleType, label: simRoleLabels[roleType],
		custom: custom, created: at}
	if custom != nil {
		r.id, r.label = s.newID("irb", 9, s.changes), custom.label
	}
	s.roles = append(s.roles, r)
	return r
}

func (r *simRole) json(base string) obj {
	h := simHolders[r.kind]
	o := obj{"id": r.id, "label": r.label, "type": r.roleType, "status": "ACTIVE", "created": simStamp(r.created),
		"lastUpdated": simStamp(r.created), "assignmentType": strings.ToUpper(r.kind),
		"_links": obj{"assignee": obj{"href": base + h[:strings.Index(h, "{")] + r.holder}}}
	if r.custom != nil {
		o["role"], o["resource-set"] = r.custom.id, r.custom.set
	}
	return o
}

func (m *simCustomRole) json(base string) obj {
	at := base + "/api/v1/iam/roles/" + m.id
	return obj{"id": m.id, "label": m.label, "description": "made by the org", "created": simStamp(m.created),
		"lastUpdated": simStamp(m.created), "_links": obj{"permissions": obj{"href": at + "/permissions"}, "self": obj{"href": at}}}
}

// simHolders are the places in paths where roles hang, by the kind of their holder.
var simHolders = map[string]string{"user": "/api/v1/users/{user}", "group": "/api/v1/groups/{group}", "client": "/oauth2/v1/clients/{app}"}

// holder is whose roles the path is about.
func (c *simCall) holder() (kind, id string, who simParty) {
	switch {
	case c.user != nil:
		return "user", c.user.id, c.user.party()
	case c.group != nil:
		return "group", c.group.id, c.group.party()
	}
	return "client", c.app.id, c.app.party("PublicClientApp")
}

// simPrivileges are the events of roles given to a holder and taken, less their last word.
var simPrivileges = map[string]string{"user": "user.account.privilege.", "group": "group.privilege.",
	"client": "app.oauth2.client.privilege."}

// has says whether the holder has the role: of his own, or a user through a group. The lock is held.
func (s *simOrg) has(id string, r *simRole) bool {
	return r.holder == id || slices.ContainsFunc(s.groups, func(g *simGroup) bool { return g.id == r.holder && g.members[id] })
}

func (s *simOrg) roleRoutes(add simAdd) {
	for _, path := range simHolders {
		add("GET "+path+"/roles", "okta.roles.read", func(c *simCall) {
			_, id, _ := c.holder()
			s.reply(c, func() any {
				out := []obj{}
				for _, r := range s.roles {
					if s.has(id, r) {
						out = append(out, r.json(c.base))
					}
				}
				return out
			})
		})
		add("POST "+path+"/roles", "okta.roles.manage", s.postRole)
		add("DELETE "+path+"/roles/{role}", "okta.roles.manage", func(c *simCall) {
			kind, id, who := c.holder()
			s.mu.Lock()
			i := slices.IndexFunc(s.roles, func(r *simRole) bool { return r.holder == id && r.id == c.path("role") })
			if i >= 0 {
				s.log(c, simPrivileges[kind]+"revoke", who, simParty{c.path("role"), "ROLE", "unknown", s.roles[i].label})
				s.roles = slices.Delete(s.roles, i, i+1)
			}
			s.mu.Unlock()
			s.gone(c, i >= 0, c.path("role"), "Role")
		})
		s.targetRoutes(add, path)
	}
	s.iamRoutes(add)
}

// postRole assigns a role.
func (s *simOrg) postRole(c *simCall) {
	var in struct {
		Type, Role string
		Set        string `json:"resource-set"`
	}
	err := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, 64<<10)).Decode(&in)
	var custom *simCustomRole
	if i := slices.IndexFunc(s.custom, func(m *simCustomRole) bool { return m.id == in.Role && m.set == in.Set }); i >= 0 {
		custom = s.custom[i]
	}
	if err != nil || in.Type != "CUSTOM" && simRoleLabels[in.Type] == "" || (in.Type == "CUSTOM") != (custom != nil) {
		s.fail(c.w, http.StatusBadRequest, "E0000001", "Api validation failed: type", "type: no such role")
		return
	}
	kind, id, who := c.holder()
	s.mu.Lock()
	if slices.ContainsFunc(s.roles, func(r *simRole) bool { return r.holder == id && r.roleType == in.Type && r.custom == custom }) {
		s.mu.Unlock()
		s.fail(c.w, http.StatusConflict, "E0000090", "Duplicate role assignment exception.", "The role is already assigned to the "+kind+".")
		return
	}
	r := s.assign(kind, id, in.Type, custom, s.o.Now())
	s.log(c, simPrivileges[kind]+"grant", who, simParty{r.id, "ROLE", "unknown", r.label})
	out := r.json(c.base)
	s.mu.Unlock()
	status := http.StatusCreated
	if kind == "client" {
		status = http.StatusOK
	}
	c.json(status, out)
}

// targetRoutes answer what a role is limited to.
func (s *simOrg) targetRoutes(add simAdd, path string) {
	get := func(what string, of func(r *simRole, base string) []simRow) {
		add("GET "+path+"/roles/{role}/targets/"+what, "okta.roles.read", func(c *simCall) {
			_, id, _ := c.holder()
			s.mu.Lock()
			i := slices.IndexFunc(s.roles, func(r *simRole) bool { return r.id == c.path("role") && s.has(id, r) })
			var r *simRole
			if i >= 0 {
				r = s.roles[i]
			}
			s.mu.Unlock()
			if r == nil {
				s.missing(c.w, c.path("role"), "Role")
				return
			}
			s.list(c, 20, 200, func() []simRow { return of(r, c.base) })
		})
	}
	get("groups", func(r *simRole, base string) []simRow { return simRows(r.groups, base, simAll) })
	get("catalog/apps", func(r *simRole, base string) []simRow {
		out := simRows(r.apps, base, simAll)
		for i, a := range r.apps {
			out[i].json = func() obj {
				return obj{"id": a.id, "name": a.name, "displayName": a.label, "status": "ACTIVE", "category": "", "description": "",
					"features": []string{}, "lastUpdated": simStamp(a.created), "signOnModes": []string{a.signOn}, "website": ""}
			}
		}
		return out
	})
}

func (s *simOrg) iamRoutes(add simAdd) {
	add("GET /api/v1/iam/assignees/users", "okta.roles.read", s.assignees)
	add("GET /api/v1/iam/roles", "okta.roles.read", func(c *simCall) {
		c.json(http.StatusOK, obj{"roles": simObjects(s.custom, c.base), "_links": obj{}})
	})
	add("GET /api/v1/iam/resource-sets", "okta.roles.read", func(c *simCall) {
		out := []obj{}
		for _, m := range s.custom {
			out = append(out, obj{"id": m.set, "label": m.setLabel, "description": "what the role is about", "created": simStamp(m.created),
				"lastUpdated": simStamp(m.created)})
		}
		c.json(http.StatusOK, obj{"resource-sets": out, "_links": obj{}})
	})
	add("GET /api/v1/iam/roles/{role}/permissions", "okta.roles.read", func(c *simCall) {
		i := slices.IndexFunc(s.custom, func(m *simCustomRole) bool { return m.id == c.path("role") || m.label == c.path("role") })
		if i < 0 {
			s.missing(c.w, c.path("role"), "Role")
			return
		}
		out, made := []obj{}, simStamp(s.custom[i].created)
		for _, p := range s.custom[i].permissions {
			out = append(out, obj{"label": p, "created": made, "lastUpdated": made, "conditions": nil})
		}
		c.json(http.StatusOK, obj{"permissions": out})
	})
}

// assignees is GET /api/v1/iam/assignees/users: who has a role, of his own or through a group. The next page is in the body.
func (s *simOrg) assignees(c *simCall) {
	limit, ok := simLimit(c.query("limit"), 100, 100)
	if !ok || limit == 0 {
		s.fail(c.w, http.StatusBadRequest, "E0000001", "Api validation failed: limit")
		return
	}
	after := c.query("after")
	s.mu.Lock()
	defer s.mu.Unlock()
	value, links, last := []obj{}, obj{}, ""
	for _, u := range s.users {
		has := slices.ContainsFunc(s.roles, func(r *simRole) bool { return s.has(u.id, r) })
		switch {
		case after != "":
			if u.id == after {
				after = ""
			}
		case !has:
		case len(value) == limit:
			links["next"] = obj{"href": sim.WithQuery(c.base, c.r, map[string]string{"after": last})}
		default:
			last = u.id
			at := c.base + "/api/v1/users/" + u.id
			value = append(value, obj{"id": u.id, "orn": "orn:okta:directory:" + s.id + ":users:" + u.id,
				"_links": obj{"self": obj{"href": at}, "roles": obj{"href": at + "/roles"}}})
		}
	}
	c.json(http.StatusOK, obj{"value": value, "_links": links})
}
