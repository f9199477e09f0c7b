package office365

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// permission is who may do what with an item. https://learn.microsoft.com/graph/api/resources/permission
type permission struct {
	ID    string   `json:"id"`
	Roles []string `json:"roles"`
	Link  *struct {
		Scope    string `json:"scope"`
		Type     string `json:"type"`
		URL      string `json:"webUrl"`
		Download bool   `json:"preventsDownload,omitempty"`
	} `json:"link,omitempty"`
	To        *grantee    `json:"grantedToV2,omitempty"`
	Many      []grantee   `json:"grantedToIdentitiesV2,omitempty"`
	Inherited *parent     `json:"inheritedFrom,omitempty"`
	Expires   string      `json:"expirationDateTime,omitempty"`
	Password  bool        `json:"hasPassword,omitempty"`
	Share     string      `json:"shareId,omitempty"`
	Invited   *invitation `json:"invitation,omitempty"`
}

type (
	grantee struct {
		User     *person `json:"user,omitempty"`
		Group    *person `json:"group,omitempty"`
		Site     *person `json:"siteUser,omitempty"`
		SiteTeam *person `json:"siteGroup,omitempty"`
	}
	person struct {
		ID    string `json:"id,omitempty"`
		Name  string `json:"displayName,omitempty"`
		Mail  string `json:"email,omitempty"`
		Login string `json:"loginName,omitempty"`
	}
	parent struct {
		ID   string `json:"id,omitempty"`
		Path string `json:"path,omitempty"`
	}
	invitation struct {
		Email string `json:"email,omitempty"`
	}
)

// who are the addresses, else the names, of those whom a permission is for.
func (p *permission) who() (out []string) {
	for _, g := range append(p.Many, *cmp.Or(p.To, &grantee{})) {
		for _, u := range [...]*person{g.User, g.Site, g.Group, g.SiteTeam} {
			if u == nil {
				continue
			}
			login := u.Login[strings.LastIndexByte(u.Login, '|')+1:]
			if name := cmp.Or(u.Mail, mailOf(login), u.Name, u.ID); name != "" && !slices.Contains(out, name) {
				out = append(out, name)
			}
			break
		}
	}
	if p.Invited != nil && p.Invited.Email != "" && !slices.Contains(out, p.Invited.Email) {
		out = append(out, p.Invited.Email)
	}
	return out
}

// share is what the permissions of an item come to.
type share struct {
	visibility, role string
	recipients       []string
	url, expires     string
	password         bool
}

var (
	scopes       = map[string]string{"anonymous": "public", "organization": "org", "users": "private"}
	visibilities = []string{"", "private", "org", "public"}
	ranks        = []string{"", "viewer", "editor", "owner"}
	roleWords    = map[string]string{"read": "viewer", "write": "editor", "sp.full control": "owner", "owner": "owner"}
)

const maxNamed = 100 // recipients and domains that a record names

// shareOf sums up permissions. The owner is nobody whom it is shared with.
func readShare(list json.RawMessage) (s share) {
	for e := range event.Elems(list) {
		var p permission
		if json.Unmarshal(e, &p) != nil {
			continue
		}
		role := ""
		for _, r := range p.Roles {
			role = higher(ranks, role, roleWords[r])
		}
		if role == "owner" && p.Link == nil {
			continue
		}
		s.role = higher(ranks, s.role, role)
		if p.Link != nil {
			opens := scopes[p.Link.Scope]
			if wider := higher(visibilities, s.visibility, opens); wider != s.visibility || s.url == "" {
				s.visibility, s.url, s.expires, s.password = wider, p.Link.URL, p.Expires, p.Password
			}
		}
		for _, name := range p.who() {
			if len(s.recipients) < maxNamed && !slices.Contains(s.recipients, name) {
				s.recipients = append(s.recipients, name)
			}
		}
	}
	return s
}

func higher(ranks []string, a, b string) string {
	if slices.Index(ranks, b) > slices.Index(ranks, a) {
		return b
	}
	return a
}

// outside are the domains, none of the tenant's own, of those whom an item is shared with.
func (t *tenant) outside(ctx context.Context, d saas.Doer, permissions []json.RawMessage) (out []json.RawMessage, err error) {
	s := readShare(saas.Array(permissions))
	if len(s.recipients) == 0 {
		return nil, nil
	}
	own, err := t.domains(ctx, d)
	if err != nil || len(own) == 0 {
		return nil, err
	}
	var seen []string
	for _, name := range s.recipients {
		_, domain, ok := strings.Cut(strings.ToLower(name), "@")
		if ok && !slices.Contains(own, domain) && !slices.Contains(seen, domain) {
			seen, out = append(seen, domain), append(out, saas.Quote(domain))
		}
	}
	return out, nil
}

// domainsFor is for how long the tenant's domains are believed.
const domainsFor = 6 * time.Hour

// domains are those of the tenant; none = they are not to be had.
func (t *tenant) domains(ctx context.Context, d saas.Doer) ([]string, error) {
	now := t.setup.Now()
	t.mu.Lock()
	own, until := t.own, t.ownUntil
	t.mu.Unlock()
	if now.Before(until) {
		return own, nil
	}
	own = nil
	err := eachRow(ctx, d, "/domains?$select=id", func(row json.RawMessage) error {
		own = append(own, strings.ToLower(saas.TextAt(row, "id")))
		return nil
	})
	if err != nil && !soft(err) {
		return nil, err
	}
	t.mu.Lock()
	t.own, t.ownUntil = own, now.Add(domainsFor)
	t.mu.Unlock()
	return own, nil
}
