package box

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	staffFor = 6 * time.Hour // the enterprise's domains are believed
	maxStaff = 100_000       // domains, and users at a provider of mailboxes
)

// mailboxes are domains that everybody can have an address in: a managed user there makes no colleagues of the others.
const mailboxes = " gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com icloud.com me.com aol.com proton.me" +
	" protonmail.com gmx.com gmx.net gmx.de web.de mail.ru yandex.ru qq.com 163.com 126.com "

// staff knows who belongs to the enterprise.
type staff struct{ saas.Kept[people] }

// people are the enterprise's domains, and its users who have an address elsewhere.
type people struct{ domains, users map[string]bool }

// load gives who belongs to the enterprise: by its managed users, listed anew from time to time. Where they may not be
// listed, an owner's own domain is all that is known.
func (s *staff) load(ctx context.Context, r saas.Doer, now time.Time) (people, error) {
	return s.Get(ctx, now, staffFor, func() (people, error) {
		p := people{map[string]bool{}, map[string]bool{}}
		err := marked(ctx, r, saas.Req{URL: "/users?user_type=managed&usemarker=true&limit=1000&fields=id,login"}, func(row json.RawMessage) {
			id, domain := saas.TextAt(row, "id"), domainOf(saas.TextAt(row, "login"))
			if list := p.domains; isMailbox(domain) {
				if list = p.users; len(list) < maxStaff {
					list[strings.Clone(id)] = true
				}
			} else if domain != "" && len(list) < maxStaff {
				list[domain] = true
			}
		})
		if saas.Is(err, saas.Denied) || saas.Is(err, saas.Invalid) {
			err = nil
		}
		return p, err
	})
}

// outside gives the domain of a collaborator who is no user of the enterprise; "" = of one who is, and of a group.
func (p people) outside(c collaboration, owner string) string {
	domain := domainOf(c.To.Login)
	if c.To.Login == "" {
		domain = domainOf(c.Invited)
	}
	if c.To.Type == "group" || domain == "" || p.users[c.To.ID] || p.domains[domain] || domain == domainOf(owner) && !isMailbox(domain) {
		return ""
	}
	return domain
}

func isMailbox(domain string) bool {
	return domain != "" && strings.Contains(mailboxes, " "+domain+" ")
}
