package box

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/longshore-dev/longshore/internal/saas"
)

// profile is a user as far as it tells what a credential may do.
type profile struct {
	ID, Login, Role, Status string
	Enterprise              struct{ ID, Name string }
}

// rights is Instance.Rights. Box lists the scopes of no token: a read that each of them gives is tried. Whether files may be
// changed is told by what may be done in the root folder.
func (c *credential) rights(ctx context.Context, conn *saas.Conn) (*saas.Rights, error) {
	var me profile
	if err := saas.Get(ctx, conn, "/users/me?fields=id,login,role,enterprise", &me); err != nil {
		return nil, err
	}
	r := &saas.Rights{OrgID: me.Enterprise.ID, OrgName: me.Enterprise.Name, Who: me.Login, Self: []string{me.ID, me.Login},
		Person: !strings.HasPrefix(me.Login, serviceLogin)}
	var users struct{ Entries []profile }
	var root struct {
		Permissions struct {
			Upload bool `json:"can_upload"`
		}
	}
	for _, p := range []struct {
		scope, url string
		into       any
	}{
		{"manage_managed_users", "/users?user_type=managed&usemarker=true&limit=100&fields=id,role,status", &users},
		{"manage_groups", "/groups?limit=1", nil},
		{events, "/events?stream_type=admin_logs_streaming&stream_position=now&limit=1", nil},
		{"root_readonly", "/folders/0?fields=id,permissions", &root},
	} {
		if ok, err := may(ctx, conn, saas.Req{URL: p.url}, p.into); err != nil {
			return nil, err
		} else if ok {
			r.Held = append(r.Held, p.scope)
		}
	}
	if root.Permissions.Upload {
		r.Held = append(r.Held, "root_readwrite")
	}
	if r.Person && me.Role == "coadmin" {
		r.Blind = append(r.Blind, "what belongs to the primary administrator and to other co-administrators, for whom a co-administrator may not act")
	}
	if r.Person && me.Role != "coadmin" && me.Role != "admin" {
		r.Blind = append(r.Blind, "all but their own files, since "+me.Login+" is no administrator")
	}
	for _, u := range users.Entries {
		if u.ID == me.ID || u.Status != "active" || u.Role != "user" {
			continue
		}
		ok, err := may(ctx, conn, asUser(u.ID, "/folders/0?fields=id"), nil)
		if err == nil && !ok {
			r.Blind = append(r.Blind, "the files, trash and shares of everybody else: let the app make API calls using the as-user header, "+
				"give it enterprise access, and authorise it again")
		}
		return r, err
	}
	return r, nil
}

// may says whether a request is allowed, and decodes its answer.
func may(ctx context.Context, conn *saas.Conn, q saas.Req, into any) (bool, error) {
	rep, err := conn.Do(ctx, q)
	switch {
	case saas.Is(err, saas.Denied):
		return false, nil
	case err != nil:
		return false, err
	case into == nil:
		into = &json.RawMessage{}
	}
	return true, rep.Into(into)
}
