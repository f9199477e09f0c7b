package box

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

// probeTime is how long one right is asked for.
const probeTime = 5 * time.Second

// profile is a user as far as it tells what a credential may do.
type profile struct {
	ID, Login, Role, Status string
	Enterprise              struct{ ID, Name string }
}

// rights is Instance.Rights. Box lists the scopes of no token: what each of them allows is tried, and changes nothing.
func (c *credential) rights(ctx context.Context, conn *saas.Conn) (*saas.Rights, error) {
	var me profile
	if err := saas.Get(ctx, conn, "/users/me?fields=id,login,role,enterprise", &me); err != nil {
		return nil, err
	}
	r := &saas.Rights{OrgID: me.Enterprise.ID, OrgName: me.Enterprise.Name, Who: me.Login, Self: []string{me.ID, me.Login},
		Person: !strings.HasPrefix(me.Login, serviceLogin)}
	var users struct{ Entries []profile }
	for _, p := range []struct {
		scope string
		q     saas.Req
		into  any
	}{
		{"manage_managed_users", saas.Req{URL: "/users?user_type=managed&usemarker=true&limit=100&fields=id,role,status"}, &users},
		{"manage_groups", saas.Req{URL: "/groups?limit=1"}, nil},
		{events, saas.Req{URL: "/events?stream_type=admin_logs_streaming&stream_position=now&limit=1"}, nil},
		{"root_readonly", saas.Req{URL: "/folders/0?fields=id"}, nil},
		{"root_readwrite", saas.Req{Method: http.MethodOptions, URL: "/files/content",
			Body: `{"name":"may it be uploaded","size":1,"parent":{"id":"0"}}`}, nil},
	} {
		if ok, err := may(ctx, conn, p.q, p.into); err != nil {
			return nil, err
		} else if ok {
			r.Held = append(r.Held, p.scope)
		}
	}
	if r.Person && me.Role == "coadmin" {
		r.Blind = append(r.Blind, "what belongs to the primary administrator and to other co-administrators, "+
			"for whom a co-administrator may not act")
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

// may says whether a request is allowed, and decodes its answer. One that fails otherwise, or takes long, is believed to be:
// it is refused later, and what it stands for is then off by itself.
func may(ctx context.Context, conn *saas.Conn, q saas.Req, into any) (bool, error) {
	soon, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	rep, err := conn.Do(soon, q)
	if err == nil && into != nil {
		err = rep.Into(into)
	} else if err == nil {
		_, err = rep.Raw()
	}
	if saas.Is(err, saas.Unauthorized) {
		return false, err
	}
	return !saas.Is(err, saas.Denied), nil
}
