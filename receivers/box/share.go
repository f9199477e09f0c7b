package box

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	maxNamed   = 100    // recipients and domains that a record names
	maxKept    = 100    // collaborations that stay in the raw object
	maxCollabs = 10_000 // of one item that are looked at
)

// share is who beside its owner reaches an item, by its link and collaborators.
type share struct {
	Visibility string   `json:"visibility,omitempty"` // "" = private
	Role       string   `json:"role,omitempty"`       // the most that anybody may do
	Recipients []string `json:"recipients,omitempty"` // outsiders first
	Domains    []string `json:"domains,omitempty"`    // of outsiders
}

var (
	visibilities = []string{"", "org", "link", "public"}
	roles        = []string{"", "viewer", "editor", "owner"}
	access       = map[string]string{"open": "public", "company": "org"} // collaborators: the link opens to nobody else
)

// roleOf is the common word for a role of a collaborator or the permission of a link.
func roleOf(s string) string {
	switch s {
	case "owner", "co-owner":
		return "owner"
	case "editor", "uploader", "previewer uploader", "viewer uploader", "can_edit":
		return "editor"
	case "viewer", "previewer", "can_download", "can_preview":
		return "viewer"
	}
	return ""
}

func readShare(raw json.RawMessage) (s share) {
	if len(raw) > 0 && json.Unmarshal(raw, &s) != nil {
		return share{}
	}
	return s
}

// raw is the share as a part of a raw object; nil when there is nothing to say.
func (s *share) raw() json.RawMessage {
	b, _ := json.Marshal(s) // strings have a JSON form
	if string(b) == "{}" {
		return nil
	}
	return b
}

// and is the share of both.
func (s share) and(o share) share {
	return share{most(visibilities, s.Visibility, o.Visibility), most(roles, s.Role, o.Role),
		union(s.Recipients, o.Recipients), union(s.Domains, o.Domains)}
}

func most(ranks []string, a, b string) string {
	if slices.Index(ranks, b) > slices.Index(ranks, a) {
		return b
	}
	return a
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if len(out) < maxNamed && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// sharedLink is a link of an item.
type sharedLink struct {
	Access     string
	Effective  string `json:"effective_access"`
	Permission string `json:"effective_permission"`
}

// collaboration is one grant to a user, a group or an address that is no user yet.
type collaboration struct {
	Role, Status string
	Invited      string                                 `json:"invite_email"`
	To           struct{ ID, Type, Name, Login string } `json:"accessible_by"`
}

// shared is what an item's own link and collaborators give. rows are the collaborations, as far as they are kept.
func (f *files) shared(ctx context.Context, r *saas.Run, as string, it *item) (rows []json.RawMessage, s share, err error) {
	if l := it.Link; l != nil {
		s.Visibility = access[cmp.Or(l.Effective, l.Access)]
		if s.Visibility != "" {
			s.Role = roleOf(cmp.Or(l.Permission, "can_download"))
		}
	}
	if !it.Shared {
		return nil, s, nil
	}
	own, err := f.staff.load(ctx, r, r.Now())
	if err != nil {
		return nil, s, err
	}
	var insiders []string
	path := "/" + it.Type + "s/" + url.PathEscape(it.ID) + "/collaborations?limit=1000"
	n := 0
	err = marked(ctx, r, asUser(as, path), func(row json.RawMessage) {
		if n++; n > maxCollabs {
			return
		}
		if len(rows) < maxKept {
			rows = append(rows, row)
		}
		var c collaboration
		if json.Unmarshal(row, &c) != nil || c.Status == "rejected" || c.To.ID != "" && c.To.ID == it.Owner.ID {
			return
		}
		who := cmp.Or(c.To.Login, c.Invited, c.To.Name, c.To.ID)
		s.Role = most(roles, s.Role, roleOf(c.Role))
		if domain := own.outside(c, it.Owner.Login); domain != "" {
			s.Recipients, s.Domains = union(s.Recipients, []string{who}), union(s.Domains, []string{domain})
		} else if len(insiders) < maxNamed && who != "" {
			insiders = append(insiders, who)
		}
	})
	s.Recipients = union(s.Recipients, insiders)
	return rows, s, err
}

// domainOf is the domain of an address, in small letters.
func domainOf(login string) string {
	return strings.ToLower(login[strings.LastIndexByte(login, '@')+1:])
}
