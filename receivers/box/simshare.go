package box

import (
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simLink is a shared link.
type simLink struct {
	key, access    string // open, company or collaborators
	password       bool
	expires        time.Time
	download, edit bool
	vanity         string
}

func newSimLink(rnd *sim.Rand, access string) *simLink {
	return &simLink{key: string(rnd.Name(nil, 28)), access: access, password: access == "open" && rnd.N(6) == 0,
		download: rnd.N(4) > 0 || access == "collaborators"}
}

func (l *simLink) json(it *simItem) any {
	if l == nil {
		return nil
	}
	out := obj{"url": "https://contoso.box.com/s/" + l.key, "download_url": nil, "vanity_url": nil, "vanity_name": nil, "access": l.access,
		"effective_access": l.access, "effective_permission": "can_preview", "is_password_enabled": l.password,
		"unshared_at": simTime(l.expires), "download_count": 0, "preview_count": 0,
		"permissions": obj{"can_preview": true, "can_download": l.download, "can_edit": l.edit}}
	if l.download {
		out["effective_permission"] = "can_download"
		if it.kind == "file" {
			out["download_url"] = "https://contoso.box.com/shared/static/" + l.key + path.Ext(it.name)
		}
	}
	if l.edit {
		out["effective_permission"] = "can_edit"
	}
	if l.vanity != "" {
		out["vanity_name"], out["vanity_url"] = l.vanity, "https://contoso.box.com/v/"+l.vanity
	}
	return out
}

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
	user, email   string // the user, or whom a pending invitation was sent to
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
			if g.user == user && simRank(g.role) > simRank(best) {
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
	who := t.person(g.user)
	who["is_active"] = true
	out["accessible_by"] = who
	return out
}

// link is what shared_link in a body makes of an item's link, and the event of it.
func (s *simOrg) link(it *simItem, raw json.RawMessage) (link *simLink, event string, bad any) {
	var in *struct {
		Access      string
		Password    *string
		Vanity      string     `json:"vanity_name"`
		Expires     *time.Time `json:"unshared_at"`
		Permissions struct {
			Download *bool `json:"can_download"`
			Edit     *bool `json:"can_edit"`
		}
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, "", simBad("Invalid shared_link")
	}
	switch {
	case in == nil && it.link == nil:
		return nil, "", nil
	case in == nil:
		return nil, "UNSHARE", nil
	case it.link == nil:
		s.tree.made++
		link, event = newSimLink(sim.NewRand(s.o.Seed, 64, s.tree.made), "open"), "SHARE"
		link.password, link.download = false, true
	default:
		copied := *it.link
		link, event = &copied, "ITEM_SHARED_UPDATE"
	}
	if in.Access != "" {
		link.access = in.Access
	}
	link.password = link.access == "open" && link.password
	allowed := in.Permissions.Download == nil && in.Permissions.Edit == nil || link.access != "collaborators"
	if !allowed || !slices.Contains([]string{"open", "company", "collaborators"}, link.access) {
		return nil, "", simBad("Invalid shared_link: access or permissions")
	}
	if in.Password != nil {
		link.password = *in.Password != ""
	}
	if in.Vanity != "" {
		link.vanity = in.Vanity
	}
	if in.Expires != nil {
		link.expires = *in.Expires
	}
	if p := in.Permissions.Download; p != nil {
		link.download = *p
	}
	if p := in.Permissions.Edit; p != nil {
		link.edit = *p
	}
	return link, event, nil
}

// shareRoutes answer about collaborations.
func (s *simOrg) shareRoutes(on simOn) {
	list := func(f *simAsk) (int, any) {
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
	on("GET /2.0/files/{file}/collaborations", "viewer", list)
	on("GET /2.0/folders/{folder}/collaborations", "viewer", list)
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
	switch {
	case f.it.id == "0" || f.it.kind == "web_link":
		return 0, simForbid
	case in.To.Type != "user" || simRank(in.Role) < 1 || in.Role == "owner" || !known && in.To.ID != "" || g.user == "" && in.To.Login == "":
		return 0, simBad("Invalid accessible_by or role")
	case !known:
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
	if !slices.Contains(s.tree.guests(g.user), g.item) {
		simNote(s.tree.visited, g.user, g.item)
	}
	s.tellCollab(f, "COLLABORATION_INVITE", g)
	return http.StatusCreated, s.tree.collabJSON(f.view, g, f.it)
}

// tellCollab appends the event of a collaboration, whose source names item and user in its own way.
func (s *simOrg) tellCollab(f *simAsk, kind string, g *simGrant) {
	from := (&simView{t: s.tree, user: s.tree.ownerOf(f.it)}).source(f.it)
	user, name, login := any(g.user), s.tree.people[g.user].name, s.tree.people[g.user].login
	if g.user == "" {
		user, name, login = nil, "", g.email
	}
	s.note(f.user, kind, obj{f.it.kind + "_id": f.it.id, f.it.kind + "_name": f.it.name, "user_id": user, "user_name": name,
		"user_login": login, "parent": from["parent"], "owned_by": from["owned_by"]}, obj{"collab_id": g.id, "role": g.role,
		"is_performed_by_admin": f.role == ""})
}
