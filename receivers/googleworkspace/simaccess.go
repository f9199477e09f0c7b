package googleworkspace

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simRoles are the roles, each as strong as those before it.
var simRoles = []string{"", "reader", "commenter", "writer", "fileOrganizer", "organizer", "owner"}

func simRank(role string) int { return slices.Index(simRoles, role) }

// simPermID is the id of a permission of an account, a group or a domain: the same on every file.
func simPermID(of string) string {
	n := strconv.FormatUint(sim.KeySum(of), 10)
	return ("10000000000000000000" + n)[len(n):]
}

// simHeld is a permission that holds for a file, with where it comes from.
type simHeld struct {
	simPerm
	direct bool
	from   []simSource
}

// simSource is a folder or shared drive that a permission is inherited from, and the role by it.
type simSource struct{ id, role string }

// held are all permissions that hold for a file: its owner's, its own, and those of folders and the shared drive above it.
func (t *simTree) held(f *simFile) []simHeld {
	var out []simHeld
	add := func(p simPerm, from string) {
		i := slices.IndexFunc(out, func(h simHeld) bool { return h.id == p.id })
		if i < 0 {
			out, i = append(out, simHeld{simPerm: p}), len(out)
		}
		if simRank(p.role) > simRank(out[i].role) {
			out[i].role = p.role
		}
		if from == "" {
			out[i].direct = true
		} else {
			out[i].from = append(out[i].from, simSource{from, p.role})
		}
	}
	if u := f.home.user; u != nil {
		add(simPerm{id: simPermID(u.email), kind: "user", role: "owner", email: u.email}, "")
	}
	for _, p := range f.perms {
		add(p, "")
	}
	above := f
	for !above.barren && above.parent != f.home.id {
		if above = t.get(above.parent); above == nil || above.id == f.id {
			break
		}
		for _, p := range above.perms {
			add(p, above.id)
		}
	}
	for _, p := range f.home.members {
		if above == nil || !above.barren || p.role == "organizer" {
			add(p, f.home.id)
		}
	}
	return out
}

// role is what a user may do with a file: by a permission of theirs or of a group; by a link too, where found says that they
// have it.
func (t *simTree) role(u *simUser, f *simFile, link bool) string {
	best := ""
	for _, p := range t.held(f) {
		mine := p.email == u.email || p.kind == "group" && slices.ContainsFunc(t.s.groups,
			func(g *simGroup) bool { return g.email == p.email && g.has(u) })
		if (mine || link && p.email == "") && simRank(p.role) > simRank(best) && (p.expires.IsZero() || t.s.o.Now().Before(p.expires)) {
			best = p.role
		}
	}
	return best
}

// visibility is how the log of activity says who can find a file.
func (t *simTree) visibility(f *simFile) string {
	said := "private"
	for _, p := range t.held(f) {
		switch {
		case p.kind == "anyone" && p.discover:
			return "public_on_the_web"
		case p.kind == "anyone":
			said = "people_with_link"
		case p.kind == "domain" && said != "people_with_link":
			said = "people_within_domain_with_link"
		case said == "private" && p.role != "owner":
			said = "shared_internally"
		}
		if p.kind == "user" && slices.Contains(simOutside, p.email) && said == "shared_internally" {
			said = "shared_externally"
		}
	}
	return said
}

// simAsk is a request about a file that the user can see.
type simAsk struct {
	*simCall
	f    *simFile
	role string
}

func simNotFound(id string) *simNo {
	return &simNo{http.StatusNotFound, "notFound", "File not found: " + id + ".", "fileId"}
}

func simWeak() *simNo {
	return simForbid("insufficientFilePermissions", "The user does not have sufficient permissions for this file.")
}

// onFile finds the file of the path, which the user must be able to see with at least the role need. In a shared drive need
// is another one, where it is given.
func (s *simOrg) onFile(need, inDrive string, h func(a *simAsk) (any, *simNo)) simDo {
	return func(c *simCall) (any, *simNo) {
		a, no := s.find(c, c.path("file"))
		if no != nil {
			return nil, no
		}
		least := need
		if a.f.home.user == nil && inDrive != "" {
			least = inDrive
		}
		if simRank(a.role) < simRank(least) {
			return nil, simWeak()
		}
		return h(a)
	}
}

// find finds a file for who asks.
func (s *simOrg) find(c *simCall, id string) (*simAsk, *simNo) {
	if c.by == nil { // the service account itself, which has no files
		return nil, simNotFound(id)
	}
	a := &simAsk{simCall: c}
	if home := s.tree.homeOf(c.by); id == "root" && home != nil {
		id = home.id
	}
	if h := s.tree.byRoot[id]; h != nil {
		a.f = &simFile{id: h.id, name: h.name, mime: simFolder, home: h, made: h.made, edited: h.made, version: 1, parent: h.id}
	} else {
		a.f = s.tree.get(id)
	}
	if a.f == nil || s.tree.odd.absent[id] {
		return nil, simNotFound(id)
	}
	a.role = s.tree.role(c.by, a.f, true)
	drives := c.yes("supportsAllDrives")
	switch {
	case a.f.home.user == nil && !drives && simPlacesAll(c):
		return nil, simNotFound(id)
	case c.yes("useDomainAdminAccess") && c.admin() && a.f.home.user == nil:
		a.role = "organizer"
	case a.role == "":
		return nil, simNotFound(id)
	}
	return a, nil
}

// simPlacesAll says whether the method asks whether its client knows shared drives.
func simPlacesAll(c *simCall) bool {
	for _, end := range []string{"/revisions", "/revisions/{revision}", "/listLabels", "/modifyLabels", "/export", "/download"} {
		if n := len(c.r.Pattern) - len(end); n >= 0 && c.r.Pattern[n:] == end {
			return false
		}
	}
	return true
}
