package okta

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	day       = 24 * time.Hour
	retention = 90 * day // of the System Log
	reference = "https://developer.okta.com/docs/api/openapi/okta-management/management/tag/"
	maxRows   = 10_000 // of a list that hangs on one row: the tokens of one client, the targets of one role
)

// streams are what an org has to read. Rows of the same grant or token appear in one stream only, but for refresh tokens:
// app_tokens has each of them, user_clients the clients that hold any.
func streams(c *Config, base string) []saas.Stream {
	o := reader{base}
	return []saas.Stream{
		{Name: "system_log", Kind: saas.SignIn, Dataset: "okta.system", Every: 30 * time.Second, Keep: day, Needs: []string{"okta.logs.read"},
			Gives: []saas.Capability{saas.LogOnActivity, saas.UserActivity, saas.AdminActivity}, Docs: reference + "SystemLog/",
			Poll: o.followLog, Fields: logFields, Key: saas.KeyOf(1), Map: mapLog, Items: touched},
		inventory(saas.Stream{Name: "users", Kind: saas.Accounts, Every: time.Hour, Needs: []string{"okta.users.read"},
			Gives: []saas.Capability{saas.ListAccounts}, Docs: reference + "User/", Fields: userFields, Map: mapUser, Items: ofUser,
			Poll: o.walk(list{path: "/api/v1/users?limit=200"}, // without search: consistent at once, but without leavers
				list{path: "/api/v1/users?limit=200&search=" + url.QueryEscape(`status eq "DEPROVISIONED"`)})}),
		inventory(saas.Stream{Name: "groups", Kind: saas.Accounts, Every: time.Hour, Needs: []string{"okta.groups.read"},
			Gives: []saas.Capability{saas.ListGroups}, Docs: reference + "Group/", Fields: groupFields, Map: mapGroup, Items: c.ofGroup,
			Poll: o.walk(list{path: "/api/v1/groups?limit=1000"})}),
		inventory(saas.Stream{Name: "group_members", Kind: saas.Accounts, Over: "groups", Every: 6 * time.Hour, Width: 2,
			Needs: []string{"okta.groups.read"}, Gives: []saas.Capability{saas.ListGroups}, Docs: reference + "Group/",
			Fields: memberFields, Map: mapMember, Poll: o.walk(list{path: "/api/v1/groups/{id}/users?limit=1000", each: emitMember})}),
		inventory(saas.Stream{Name: "admin_roles", Kind: saas.Grants, Every: 6 * time.Hour,
			Needs: []string{"okta.roles.read", "okta.users.read", "okta.groups.read", "okta.apps.read"},
			Gives: []saas.Capability{saas.ListPrivileges}, Docs: reference + "RoleAssignmentAUser/", Fields: roleFields, Map: mapRole,
			Poll: o.walk(list{"/api/v1/iam/assignees/users?limit=100", "value", o.rolesOf("user", "/api/v1/users/")},
				list{"/api/v1/groups?limit=200", "", o.rolesOf("group", "/api/v1/groups/")},
				list{"/api/v1/apps?limit=200", "", o.rolesOf("client", "/oauth2/v1/clients/")})}),
		inventory(saas.Stream{Name: "custom_roles", Kind: saas.Grants, Every: 6 * time.Hour, Needs: []string{"okta.roles.read"},
			Gives: []saas.Capability{saas.ListPrivileges}, Docs: reference + "RoleECustom/", Fields: customFields, Map: mapCustom,
			Poll: o.walk(list{"/api/v1/iam/roles", "roles", o.emitCustom})}),
		inventory(saas.Stream{Name: "apps", Kind: saas.Grants, Every: time.Hour, Needs: []string{"okta.apps.read"},
			Gives: []saas.Capability{saas.ViewAppRights}, Docs: reference + "Application/", Fields: appFields, Map: mapApp, Items: ofApp,
			Poll: o.walk(list{path: "/api/v1/apps?limit=200"})}),
		o.hanging("app_grants", "apps", 2, "okta.appGrants.read", "ApplicationGrants/", grantFields, mapGrant,
			list{path: "/api/v1/apps/{id}/grants"}),
		o.hanging("app_tokens", "apps", 2, "okta.apps.read", "ApplicationTokens/", tokenFields, mapToken,
			list{path: "/api/v1/apps/{id}/tokens?limit=200"}),
		o.hanging("user_grants", "users", 4, "okta.users.read", "UserGrant/", grantFields, mapGrant,
			list{path: "/api/v1/users/{id}/grants?limit=200"}),
		o.hanging("user_clients", "users", 4, "okta.users.read", "UserOAuth/", clientFields, mapClient,
			list{path: "/api/v1/users/{id}/clients", each: o.emitClient}),
		inventory(saas.Stream{Name: "api_tokens", Kind: saas.Grants, Every: time.Hour, Needs: []string{"okta.apiTokens.read"},
			Gives: []saas.Capability{saas.ViewAppRights}, Docs: reference + "ApiToken/", Fields: keyFields, Map: mapKey,
			Poll: o.walk(list{path: "/api/v1/api-tokens"})}),
	}
}

// hanging is a stream of what apps or users were granted: a request or more for each of them, so once a day, and when activity
// touched it.
func (o reader) hanging(name, over string, width int, need, docs string, fields event.Table, m mapFunc, l list) saas.Stream {
	return inventory(saas.Stream{Name: name, Kind: saas.Grants, Over: over, Every: day, Width: width, Needs: []string{need},
		Gives: []saas.Capability{saas.ViewAppRights}, Docs: reference + docs, Fields: fields, Map: m, Poll: o.walk(l)})
}

type mapFunc = func(*event.Values, func() *event.Record) error

// inventory is a stream of entities whose key is the first fields of its table.
func inventory(s saas.Stream) saas.Stream {
	s.Dataset = "okta.inventory"
	switch s.Name {
	case "group_members", "user_clients":
		s.Key = saas.KeyOf(2)
	case "admin_roles":
		s.Key = saas.KeyOf(3)
	default:
		s.Key = saas.KeyOf(1)
	}
	return s
}

// reader reads lists of the org at base.
type reader struct{ base string }

// list is a collection in pages. {id} in its path stands for the key of the part.
type list struct {
	path string
	rows string                                                            // where the rows of a page are; "" = it is the list
	each func(ctx context.Context, r *saas.Run, row json.RawMessage) error // emits what a row leads to; nil = the row itself
}

// place is the mark of a walk: the page that follows.
type place struct {
	List int    `json:"list,omitempty"`
	Next string `json:"next,omitempty"`
}

// walk reads collections one after the other as one whole, and goes on at the page it was cut at.
func (o reader) walk(lists ...list) saas.PollFunc {
	return func(ctx context.Context, r *saas.Run) error {
		var at place
		r.Mark(&at)
		for at.List < len(lists) {
			l := lists[at.List]
			var err error
			at.Next, err = o.page(ctx, r, l, cmp.Or(at.Next, strings.ReplaceAll(l.path, "{id}", url.PathEscape(r.Item().Key))))
			if err != nil {
				return err
			}
			if at.Next == "" {
				at.List++
			}
			if at.List < len(lists) {
				if err := r.Commit(at); err != nil {
					return err
				}
			}
		}
		r.Done()
		return r.Commit(nil)
	}
}

// page emits one page of a list and gives the path of the next.
func (o reader) page(ctx context.Context, r *saas.Run, l list, path string) (next string, err error) {
	p, err := r.Do(ctx, saas.Req{URL: path})
	if err != nil {
		return "", err
	}
	var kept []json.RawMessage
	for row, err := range p.JSON(l.rows) {
		if err == nil && l.each == nil {
			err = r.Emit("", row)
		}
		if err != nil {
			return "", err
		}
		if l.each != nil {
			kept = append(kept, row)
		}
	}
	if next = o.next(p); next == path {
		return "", &saas.Error{Outcome: saas.Invalid, Req: "GET " + path, Msg: "the next page is this page again"}
	}
	for _, row := range kept {
		if err := l.each(ctx, r, row); err != nil {
			return "", err
		}
	}
	return next, nil
}

// next is the path of the page that follows: of the Link header or, under /iam, of the body. "" = none. A link to
// another host stays whole, to be refused.
func (o reader) next(p *saas.Reply) string {
	link := cmp.Or(p.Link("next"), p.Field("_links.next.href"))
	if rest, ok := strings.CutPrefix(link, o.base); ok && strings.HasPrefix(rest, "/") {
		return rest
	}
	return link
}

// all reads a short list whole. What is gone by now has no rows.
func (o reader) all(ctx context.Context, r saas.Doer, path, rows string) ([]json.RawMessage, error) {
	var out []json.RawMessage
	for path != "" {
		p, err := r.Do(ctx, saas.Req{URL: path})
		if saas.Is(err, saas.Missing) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		for row, err := range p.JSON(rows) {
			if err != nil {
				return nil, err
			}
			if out = append(out, row); len(out) > maxRows {
				return nil, &saas.Error{Outcome: saas.Invalid, Req: "GET " + path, Msg: fmt.Sprintf("more than %d rows", maxRows)}
			}
		}
		path = o.next(p)
	}
	return out, nil
}

// followLog follows the System Log by its endless next link.
// https://developer.okta.com/docs/reference/system-log-query/
func (o reader) followLog(ctx context.Context, r *saas.Run) error {
	err := saas.Feed(beginLog, func(p *saas.Reply) saas.Rows { return p.JSON("") }, func(p *saas.Reply, _ json.RawMessage) (saas.Req, bool) {
		next := o.next(p)
		return saas.Req{URL: next}, next != ""
	})(ctx, r)
	var stored struct{}
	var e *saas.Error
	refused := []int{http.StatusBadRequest, http.StatusNotFound, http.StatusGone}
	if !errors.As(err, &e) || !slices.Contains(refused, e.Status) || !r.Mark(&stored) {
		return err
	}
	dead := *e
	dead.Outcome = saas.Expired // the link was good when it was stored
	return &dead
}

// beginLog asks for what became visible since then, in the order in which it did. Older than Okta keeps is lost.
func beginLog(r *saas.Run) saas.Req {
	since, oldest := r.Since(), r.Now().Add(-retention)
	if since.Before(oldest) {
		if oldest.Sub(since) > time.Hour { // less is the time since start_at: 90d was reckoned
			r.Gap(since, oldest, "older than the 90 days that Okta keeps its log")
		}
		since = oldest
	}
	return saas.Req{URL: "/api/v1/logs?limit=1000&since=" + since.UTC().Format("2006-01-02T15:04:05.000Z") + "&sortOrder=ASCENDING"}
}
