package googleworkspace

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

const usersDocs = reference + "admin/directory/reference/rest/v1/"

// actions are what the agent can change of accounts and grants.
func (c *Config) actions() []saas.Action {
	return []saas.Action{
		setting(action.SuspendUser, "suspended", true, func(a *account) bool { return a.Suspended }),
		setting(action.RestoreUser, "suspended", false, func(a *account) bool { return !a.Suspended }),
		setting(action.ExpirePassword, "changePasswordAtNextLogin", true, func(a *account) bool { return a.MustChange }),
		resetPassword(), revokeSessions(), resetFactors(),
		removal(action.RevokeGrant, "tokens", "clientId", "client.id", "a grant is its giver's: the app asks for it again"),
		removal(action.RevokeToken, "asps", "codeId", "", "an app password stays revoked; its owner makes another"),
	}
}

func userURL(id string) string { return directory + "users/" + url.PathEscape(id) }

// user reads the account that a target names by id or address, and what a plan keeps of it.
func user(ctx context.Context, conn *saas.Conn, t saas.Target) (u account, was json.RawMessage, err error) {
	id := cmp.Or(t.ID, t.Name)
	if id == "" {
		return u, nil, saas.Refuse("the target names no user")
	}
	if err := saas.Get(ctx, conn, userURL(id)+"?projection=basic", &u); err != nil {
		return u, nil, err
	}
	return u, json.RawMessage(encode(u)), nil
}

// setting changes one field of an account, which has two values. Others' accounts than an administrator's own may want a super
// administrator, which the vendor says.
func setting(verb, field string, to bool, is func(*account) bool) saas.Action {
	a := saas.Action{Verb: verb, Needs: []string{readUsers + "|" + editUsers, editUsers}, Docs: usersDocs + "users/update"}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		u, was, err := user(ctx, conn, t)
		switch {
		case err != nil:
			return nil, err
		case is(&u):
			return nil, saas.Settled("%s of user %s is %t", field, u.Email, to)
		case verb == action.RestoreUser && u.Reason != "" && u.Reason != "ADMIN":
			return nil, saas.Refuse("user %s was suspended by Google (%s), and only Google takes that back", u.Email, u.Reason)
		}
		t.ID, t.Name = u.ID, cmp.Or(t.Name, u.Email)
		put := func(v bool) []saas.Req {
			return []saas.Req{change("", http.MethodPut, userURL(u.ID), map[string]bool{field: v})}
		}
		return &saas.Plan{Verb: verb, Target: t, Before: was, Steps: put(to), Back: put(!to)}, nil
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		u, _, err := user(ctx, conn, p.Target)
		return err == nil && is(&u), err
	})
}

// once plans an action on a user that leaves no state to look at.
func once(verb, docs, final string, steps func(ctx context.Context, conn *saas.Conn, u account) ([]saas.Req, error),
	needs ...string) saas.Action {
	return saas.Action{Verb: verb, Needs: needs, Docs: usersDocs + docs, Irreversible: final,
		Plan: func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
			u, was, err := user(ctx, conn, t)
			if err != nil {
				return nil, err
			}
			list, err := steps(ctx, conn, u)
			t.ID, t.Name = u.ID, cmp.Or(t.Name, u.Email)
			return &saas.Plan{Verb: verb, Target: t, Before: was, Steps: list}, err
		},
		Do: func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error { return saas.Send(ctx, conn, p.Steps) }}
}

// resetPassword gives an account a password that nobody knows, in the place of which its user has to choose another.
func resetPassword() saas.Action {
	return once(action.ResetPassword, "users/update", "the password is gone; an administrator gives the user another",
		func(_ context.Context, _ *saas.Conn, u account) ([]saas.Req, error) {
			sum := sha1.Sum([]byte(rand.Text() + rand.Text()))
			return []saas.Req{change("", http.MethodPut, userURL(u.ID), map[string]any{"password": hex.EncodeToString(sum[:]),
				"hashFunction": "SHA-1", "changePasswordAtNextLogin": true})}, nil
		}, readUsers+"|"+editUsers, editUsers)
}

// revokeSessions signs a user out everywhere. Tokens of apps and app passwords survive that, so they go as well.
func revokeSessions() saas.Action {
	return once(action.RevokeSessions, "users/signOut", "a session that was ended does not come back; the user signs in, and grants, again",
		func(ctx context.Context, conn *saas.Conn, u account) ([]saas.Req, error) {
			at := userURL(u.ID)
			steps := []saas.Req{{Method: http.MethodPost, URL: at + "/signOut"}}
			for _, what := range [...][2]string{{"tokens", "clientId"}, {"asps", "codeId"}} {
				err := each(ctx, conn, at+"/"+what[0]+"?prettyPrint=false", "", "items", func(row json.RawMessage) {
					steps = append(steps, saas.Req{Method: http.MethodDelete, URL: at + "/" + what[0] + "/" + url.PathEscape(plain(row, what[1]))})
				})
				if err != nil {
					return nil, err
				}
			}
			return steps, nil
		}, readUsers+"|"+editUsers, security)
}

// plain is a text or a number of an object.
func plain(row json.RawMessage, name string) string {
	raw := saas.Member(row, name)
	return cmp.Or(saas.Text(raw), strings.Trim(string(raw), `"`))
}

// resetFactors turns the second factor of an account off, until its user enrols another.
func resetFactors() saas.Action {
	a := once(action.ResetFactors, "twoStepVerification/turnOff", "factors are secrets of the user, who enrols new ones",
		func(_ context.Context, _ *saas.Conn, u account) ([]saas.Req, error) {
			if !u.EnrolledIn2SV {
				return nil, saas.Settled("user %s has no second factor", u.Email)
			}
			return []saas.Req{{Method: http.MethodPost, URL: userURL(u.ID) + "/twoStepVerification/turnOff"}}, nil
		}, readUsers+"|"+editUsers, security)
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		u, _, err := user(ctx, conn, p.Target)
		return err == nil && !u.EnrolledIn2SV, err
	})
}

// removal deletes what a user gave: the grant of an app, or an app password. The id of either names both.
func removal(verb, what, field, param, final string) saas.Action {
	find := func(ctx context.Context, conn *saas.Conn, t saas.Target) (owner, id string, found json.RawMessage, err error) {
		owner, id = t.Params["user.id"], t.ID
		if u, rest, ok := strings.Cut(t.ID, "/"); ok {
			owner, id = cmp.Or(owner, u), rest
		} else if param != "" {
			id = cmp.Or(t.Params[param], id)
		}
		if owner == "" || id == "" {
			return owner, id, nil, saas.Refuse("user.id and the id of what is to be revoked are needed")
		}
		err = each(ctx, conn, userURL(owner)+"/"+what+"?prettyPrint=false", "", "items", func(row json.RawMessage) {
			if plain(row, field) == id {
				found = row
			}
		})
		if saas.Is(err, saas.Missing) {
			err = nil
		}
		return owner, id, found, err
	}
	a := saas.Action{Verb: verb, Needs: []string{security}, Docs: usersDocs + what + "/delete", Irreversible: final}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		owner, id, found, err := find(ctx, conn, t)
		if err != nil {
			return nil, err
		}
		if found == nil {
			return nil, saas.Settled("user %s has no %s of %s", owner, t.Type, id)
		}
		return &saas.Plan{Verb: verb, Target: t, Before: found,
			Steps: []saas.Req{{Method: http.MethodDelete, URL: userURL(owner) + "/" + what + "/" + url.PathEscape(id)}}}, nil
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		_, _, found, err := find(ctx, conn, p.Target)
		return err == nil && found == nil, err
	})
}
