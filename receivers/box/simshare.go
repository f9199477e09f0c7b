package box

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simPartner owns what other enterprises share with this one; simOutsiders are people whom this one shares with.
var (
	simPartner   = simPerson{id: "90000001", name: "Pat Partner", login: "pat@partner.example"}
	simOutsiders = []simPerson{{id: "90000002", name: "Olu Outside", login: "olu@agency.example", active: true},
		{id: "90000003", name: "Ines Extern", login: "ines@agency.example", active: true},
		{id: "90000004", name: "Günter Gast", login: "gast@privat.example", active: true}}
)

// simGrant is a collaboration.
type simGrant struct {
	id, item, by  string
	user, email   string // the user or group, or whom a pending invitation was sent to
	role          string
	made, expires time.Time
	gone          bool
}

// simRoles are the roles, each as strong as those before it.
var simRoles = []string{"", "uploader", "previewer", "previewer uploader", "viewer", "viewer uploader", "editor", "co-owner", "owner"}

func simRank(role string) int { return slices.Index(simRoles, role) }

// invited are the collaborations that an item was generated with.
func (t *simTree) invited(it *simItem) []*simGrant {
	kind, u, n, ok := t.parse(it.id)
	if !ok || kind == simWebLink {
		return nil
	}
	var out []*simGrant
	add := func(ordinal int, user, email, role string) {
		if user != t.owners[u].id && !slices.ContainsFunc(out, func(g *simGrant) bool { return g.user == user && user != "" }) {
			out = append(out, &simGrant{id: t.id(simCollab, u, (n*2+kind)*32+ordinal), item: it.id, by: t.owners[u].id, user: user,
				email: email, role: role, made: it.made})
		}
	}
	all := t.users()
	switch {
	case u == all:
		for v := 2; kind == simFolder && n == 2 && v < min(all, 160); v += 5 {
			add(v/5, t.owners[v].id, "", "editor")
		}
	case kind == simFolder && n == 2 && u%3 == 0:
		add(0, t.owners[(u+1)%all].id, "", "editor")
		add(1, t.owners[(u+3)%all].id, "", "viewer")
		add(2, simOutsiders[u%len(simOutsiders)].id, "", "previewer")
		if u/3 < len(t.teams) {
			add(3, t.teams[u/3].id, "", "viewer uploader")
		}
	case kind == simFolder && n == 4 && u%2 == 1:
		add(0, "", "guest"+itoa(u)+"@elsewhere.example", "viewer uploader")
	case kind == simFile && n == 0:
		add(0, t.owners[(u+2)%all].id, "", "viewer")
	case kind == simFile && n%9 == 4:
		add(0, simOutsiders[n%len(simOutsiders)].id, "", []string{"viewer", "editor"}[n%2])
	}
	return out
}

// guests are the items of others that a user was generated to find in his root.
func (t *simTree) guests(user string) []string {
	v, ok := t.number[user]
	all := t.users()
	if !ok || v == all {
		return nil
	}
	var out []string
	for _, back := range []int{1, 3} {
		if u := ((v-back)%all + all) % all; u%3 == 0 && u != v {
			out = append(out, t.id(simFolder, u, 2))
		}
	}
	if u := ((v-2)%all + all) % all; u != v {
		out = append(out, t.id(simFile, u, 0))
	}
	for i, team := range t.teams {
		if 3*i < all && 3*i != v && team.has(user) {
			out = append(out, t.id(simFolder, 3*i, 2))
		}
	}
	if v%5 == 2 && v < 160 {
		out = append(out, t.id(simFolder, all, 2))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// collabs are the collaborations of an item itself.
func (t *simTree) collabs(it *simItem) []*simGrant {
	out := t.invited(it)
	for i, g := range out {
		if now := t.grants[g.id]; now != nil {
			out[i] = now
		}
	}
	for _, id := range t.granted[it.id] {
		out = append(out, t.grants[id])
	}
	return slices.DeleteFunc(out, func(g *simGrant) bool { return g.gone })
}

// grant is a collaboration by its id, and what it is of; nil = there is none.
func (t *simTree) grant(id string) (*simGrant, *simItem) {
	g := t.grants[id]
	if kind, u, n, ok := t.parse(id); g == nil && ok && kind == simCollab {
		if it := t.get(t.id(n/32%2, u, n/64)); it != nil {
			for _, base := range t.invited(it) {
				if base.id == id {
					g = base
				}
			}
		}
	}
	if g == nil || g.gone {
		return nil, nil
	}
	it := t.get(g.item)
	if it == nil {
		return nil, nil
	}
	return g, it
}

// role is the strongest role that a user has in an item, by it or a folder above it; "" = he cannot see it.
func (t *simTree) role(user string, it *simItem) string {
	best := ""
	for {
		for _, g := range t.collabs(it) {
			if simRank(g.role) > simRank(best) && (g.user == user || t.team(g.user).has(user)) {
				best = g.role
			}
		}
		owner, top := strings.CutPrefix(it.parent, "0/")
		if !top {
			up := t.get(it.parent)
			if top = up == nil; !top {
				it = up
				continue
			}
			owner = it.owner
		}
		if owner == user {
			return "owner"
		}
		return best
	}
}

func (t *simTree) person(id string) obj {
	p := t.people[id]
	return obj{"type": "user", "id": id, "name": p.name, "login": p.login}
}

// team is the group with the id, or nil.
func (t *simTree) team(id string) *simGroup {
	if i := slices.IndexFunc(t.teams, func(g *simGroup) bool { return g.id == id }); i >= 0 {
		return t.teams[i]
	}
	return nil
}

// has says whether a user is a member.
func (g *simGroup) has(user string) bool {
	return g != nil && slices.ContainsFunc(g.members, func(m simMember) bool { return m.user.id == user })
}

// collabJSON is a collaboration as one who may see it does.
func (t *simTree) collabJSON(v *simView, g *simGrant, it *simItem) obj {
	out := obj{"type": "collaboration", "id": g.id, "created_by": t.person(g.by), "created_at": simTime(g.made),
		"modified_at": simTime(g.made),
		"expires_at":  simTime(g.expires), "status": "accepted", "acknowledged_at": simTime(g.made), "role": g.role,
		"item": v.item(it, simMini[it.kind]), "is_access_only": false, "invite_email": nil, "app_item": nil}
	if g.user == "" {
		out["status"], out["invite_email"], out["accessible_by"] = "pending", g.email, nil
		delete(out, "acknowledged_at")
		return out
	}
	if team := t.team(g.user); team != nil {
		out["accessible_by"] = obj{"type": "group", "id": team.id, "name": team.name, "group_type": "managed_group"}
		return out
	}
	who := t.person(g.user)
	who["is_active"] = true
	out["accessible_by"] = who
	return out
}

// shareRoutes answer about collaborations.
func (s *simOrg) shareRoutes(on simOn) {
	on("GET /2.0/files/{file}/collaborations", "viewer", s.collaborations)
	on("GET /2.0/folders/{folder}/collaborations", "viewer", s.collaborations)
	on("POST /2.0/collaborations", "", s.invite)
	one := func(method string, h func(f *simAsk, g *simGrant) (int, any)) {
		on(method+" /2.0/collaborations/{collab}", "", func(f *simAsk) (int, any) {
			g, it := s.tree.grant(f.path("collab"))
			if g == nil {
				return 0, simAbsent
			}
			f.it, f.role = it, s.tree.role(f.user.id, it)
			switch admin := s.roleOf(f.user) != "user"; {
			case f.role == "" && !admin:
				return 0, simAbsent
			case method != "GET" && simRank(f.role) < simRank("co-owner") && !admin && g.user != f.user.id:
				return 0, simForbid
			}
			return h(f, g)
		})
	}
	one("GET", func(f *simAsk, g *simGrant) (int, any) { return http.StatusOK, s.tree.collabJSON(f.view, g, f.it) })
	one("PUT", func(f *simAsk, g *simGrant) (int, any) {
		in, bad := simInto[simInvite](f)
		if bad != nil {
			return 0, bad
		}
		now := *g
		if in.Role != "" {
			if now.role = in.Role; simRank(in.Role) < 1 || in.Role == "owner" {
				return 0, simBad("Invalid role %q", in.Role)
			}
		}
		if in.Expires != nil {
			now.expires = *in.Expires
		}
		s.tree.grants[g.id] = &now
		s.tellCollab(f, "COLLABORATION_ROLE_CHANGE", &now)
		return http.StatusOK, s.tree.collabJSON(f.view, &now, f.it)
	})
	one("DELETE", func(f *simAsk, g *simGrant) (int, any) {
		now := *g
		now.gone = true
		s.tree.grants[g.id] = &now
		s.tellCollab(f, "COLLABORATION_REMOVE", g)
		return http.StatusNoContent, nil
	})
}

// collaborations lists those of an item itself.
func (s *simOrg) collaborations(f *simAsk) (int, any) {
	limit, place, _, no := simPaging(f)
	if no != nil {
		return 0, no
	}
	all := s.tree.collabs(f.it)
	page, next := sim.Slice(all, place, limit)
	out := obj{"limit": limit, "next_marker": nil}
	if next > 0 || s.tree.odd.stuck {
		out["next_marker"] = f.marker(next)
	}
	rows := []obj{}
	for _, g := range page {
		rows = append(rows, s.tree.collabJSON(f.view, g, f.it))
	}
	out["entries"] = rows
	return http.StatusOK, out
}

// simInvite is the body of a request about a collaboration.
type simInvite struct {
	Item    struct{ Type, ID string }
	To      struct{ Type, ID, Login string } `json:"accessible_by"`
	Role    string
	Expires *time.Time `json:"expires_at"`
}

// invite is POST /collaborations. Who is unknown gets a pending invitation.
func (s *simOrg) invite(f *simAsk) (int, any) {
	in, bad := simInto[simInvite](f)
	if bad != nil {
		return 0, bad
	}
	f.r.SetPathValue(in.Item.Type, in.Item.ID)
	if bad = s.reach(f, "editor"); bad != nil {
		return 0, bad
	}
	g := &simGrant{item: f.it.id, by: f.user.id, user: in.To.ID, role: in.Role, made: s.o.Now()}
	for id, p := range s.tree.people {
		if p.login == in.To.Login && in.To.ID == "" {
			g.user = id
		}
	}
	_, known := s.tree.people[g.user]
	team := s.tree.team(g.user)
	switch {
	case f.it.id == "0" || f.it.kind == "web_link":
		return 0, simForbid
	case in.To.Type != "user" && team == nil || simRank(in.Role) < 1 || in.Role == "owner",
		!known && team == nil && in.To.ID != "", g.user == "" && in.To.Login == "":
		return 0, simBad("Invalid accessible_by or role")
	case g.user == "":
		g.email = in.To.Login
	}
	for _, old := range s.tree.collabs(f.it) {
		if old.user == g.user && old.email == g.email {
			return 0, simNo{409, "user_already_collaborator", "User is already a collaborator", nil}
		}
	}
	if in.Expires != nil {
		g.expires = *in.Expires
	}
	g.id = s.tree.newID()
	s.tree.grants[g.id] = g
	simNote(s.tree.granted, g.item, g.id)
	for id := range s.tree.people {
		if (id == g.user || team.has(id)) && !slices.Contains(s.tree.guests(id), g.item) {
			simNote(s.tree.visited, id, g.item)
		}
	}
	s.tellCollab(f, "COLLABORATION_INVITE", g)
	return http.StatusCreated, s.tree.collabJSON(f.view, g, f.it)
}

// tellCollab appends the event of a collaboration, whose source names the item and whom it is for in its own way.
func (s *simOrg) tellCollab(f *simAsk, kind string, g *simGrant) {
	from := (&simView{t: s.tree, user: s.tree.ownerOf(f.it)}).source(f.it)
	source := obj{f.it.kind + "_id": f.it.id, f.it.kind + "_name": f.it.name, "parent": from["parent"], "owned_by": from["owned_by"]}
	if team := s.tree.team(g.user); team != nil {
		source["group_id"], source["group_name"] = team.id, team.name
	} else if p, ok := s.tree.people[g.user]; ok {
		source["user_id"], source["user_name"], source["user_login"] = p.id, p.name, p.login
	} else {
		source["user_id"], source["user_name"], source["user_login"] = nil, "", g.email
	}
	s.note(f.user, kind, source, obj{"collab_id": g.id, "role": g.role, "is_performed_by_admin": f.role == ""})
}
