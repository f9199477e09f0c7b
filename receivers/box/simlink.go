package box

import (
	"encoding/json"
	"path"
	"slices"
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
