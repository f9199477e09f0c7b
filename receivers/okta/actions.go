package okta

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

// step is a change of a user's state. The state decides what is sent, so that asking again changes nothing.
type step struct {
	verb  string
	from  []string // states it starts from; nil = any other than to
	to    []string // states in which it is done
	send  string   // below /lifecycle
	back  string   // what takes it back; "" = nothing does
	final string   // why nothing takes it back
	own   bool     // the password must be Okta's own
}

// steps: replies never hold a secret, because mail is sent instead of links and nobody is given a password.
var steps = []step{
	{verb: action.SuspendUser, from: []string{"ACTIVE"}, to: []string{"SUSPENDED", "DEPROVISIONED"}, send: "suspend", back: "unsuspend"},
	{verb: action.RestoreUser, from: []string{"SUSPENDED"}, to: []string{"ACTIVE"}, send: "unsuspend", back: "suspend"},
	{verb: action.DeactivateUser, to: []string{"DEPROVISIONED"}, send: "deactivate?sendEmail=false",
		final: "deactivation destroys assignments to apps, consents and tokens; reactivate_user brings back the account alone"},
	{verb: action.ReactivateUser, from: []string{"DEPROVISIONED"}, to: []string{"PROVISIONED", "ACTIVE"}, send: "activate?sendEmail=true",
		back: "deactivate?sendEmail=false"},
	{verb: action.UnlockUser, from: []string{"LOCKED_OUT"}, to: []string{"ACTIVE"}, send: "unlock",
		final: "Okta locks accounts itself, after failed sign-ins"},
	{verb: action.ExpirePassword, from: withPassword, to: []string{"PASSWORD_EXPIRED"}, send: "expire_password",
		final: "an expired password stays so until the user sets another"},
	{verb: action.ResetPassword, from: withPassword, to: []string{"RECOVERY"}, send: "reset_password?sendEmail=true&revokeSessions=true",
		final: "the password is gone; the user sets another by the link in the mail", own: true},
}

var withPassword = []string{"ACTIVE", "PASSWORD_EXPIRED", "LOCKED_OUT", "RECOVERY"}

// ofUsers is what changing an account needs.
var ofUsers = []string{"okta.users.read", "okta.users.manage"}

// actions are what the agent can change in an org.
func actions() []saas.Action {
	var list []saas.Action
	for _, s := range steps {
		list = append(list, s.action())
	}
	list = append(list, once(action.RevokeSessions, http.MethodDelete, "/sessions?oauthTokens=true", "UserSessions/",
		"a session that was ended does not come back; the user signs in again"),
		once(action.ResetFactors, http.MethodPost, "/lifecycle/reset_factors", "UserLifecycle/",
			"factors are secrets of the user, who enrols new ones"))
	for _, in := range []bool{true, false} {
		list = append(list, membership{in}.action())
	}
	return append(list,
		removal(action.RevokeRole, "RoleAssignmentAUser/", "", findRole, "okta.roles.read", "okta.roles.manage"),
		removal(action.RevokeGrant, "UserGrant/", "a consent is its giver's: the app asks for it again", findGrant,
			"okta.users.read", "okta.users.manage", "okta.appGrants.read", "okta.appGrants.manage"),
		removal(action.RevokeClientTokens, "UserOAuth/", "a revoked token stays so; the app gets another when the user signs in", findTokens,
			"okta.users.read", "okta.users.manage", "okta.apps.read", "okta.apps.manage"),
		removal(action.RevokeToken, "ApiToken/", "a revoked token stays so; its owner makes another", findToken, "okta.users.read",
			"okta.users.manage", "okta.apps.read", "okta.apps.manage", "okta.apiTokens.read", "okta.apiTokens.manage"))
}

// scopeOf is what a verb needs; false for what is no action of Okta.
func scopeOf(verb string) ([]string, bool) {
	for _, a := range actions() {
		if a.Verb == verb {
			return a.Needs, true
		}
	}
	return nil, false
}

func verbs() []string {
	var out []string
	for _, a := range actions() {
		out = append(out, a.Verb)
	}
	slices.Sort(out)
	return out
}

// user reads the account that a target names by id or login.
func user(ctx context.Context, conn *saas.Conn, t saas.Target) (u account, err error) {
	id := cmp.Or(t.ID, t.Name)
	if id == "" {
		return u, saas.Refuse("the target names no user")
	}
	err = saas.Get(ctx, conn, "/api/v1/users/"+url.PathEscape(id), &u)
	return u, err
}

// was is what a plan keeps of an account: its state, and by which names it may be protected.
func (u *account) was() json.RawMessage {
	return saas.Join("status login email", saas.Quote(u.Status), saas.Quote(u.Profile.Login), saas.Quote(u.Profile.Email))
}

func (s step) action() saas.Action {
	a := saas.Action{Verb: s.verb, Needs: ofUsers, Docs: reference + "UserLifecycle/", Irreversible: s.final}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		u, err := user(ctx, conn, t)
		if err != nil {
			return nil, err
		}
		at := "/api/v1/users/" + u.ID + "/lifecycle/"
		p := &saas.Plan{Verb: s.verb, Target: t, Before: u.was(),
			Steps: []saas.Req{{Method: http.MethodPost, URL: at + s.send}}}
		p.Target.ID = u.ID
		if s.back != "" {
			p.Back = []saas.Req{{Method: http.MethodPost, URL: at + s.back}}
		}
		switch from := u.Credentials.Provider.Type; {
		case slices.Contains(s.to, u.Status):
			return nil, saas.Settled("user %s is %s", u.ID, u.Status)
		case s.from != nil && !slices.Contains(s.from, u.Status):
			return nil, saas.Refuse("user %s is %s, %s needs %s", u.ID, u.Status, s.verb, strings.Join(s.from, " or "))
		case s.own && from != "" && from != "OKTA" && from != "IMPORT":
			return nil, saas.Refuse("the password of user %s is kept by %s, not by Okta", u.ID, from)
		}
		return p, nil
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		u, err := user(ctx, conn, p.Target)
		return slices.Contains(s.to, u.Status), err
	})
}

// once is an action on a user that leaves no state to look at.
func once(verb, method, path, docs, final string) saas.Action {
	return saas.Action{Verb: verb, Needs: ofUsers, Docs: reference + docs, Irreversible: final,
		Plan: func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
			u, err := user(ctx, conn, t)
			if err != nil {
				return nil, err
			}
			t.ID = u.ID
			steps := []saas.Req{{Method: method, URL: "/api/v1/users/" + u.ID + path}}
			return &saas.Plan{Verb: verb, Target: t, Before: u.was(), Steps: steps}, nil
		},
		Do: func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error { return saas.Send(ctx, conn, p.Steps) }}
}

// membership puts a user into a group, or takes him out.
type membership struct{ in bool }

func (m membership) action() saas.Action {
	verb, method, back := action.RemoveFromGroup, http.MethodDelete, http.MethodPut
	if m.in {
		verb, method, back = action.AddToGroup, back, method
	}
	a := saas.Action{Verb: verb, Needs: []string{"okta.users.read", "okta.groups.read", "okta.groups.manage"},
		Docs: reference + "Group/"}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		u, err := user(ctx, conn, t)
		if err != nil {
			return nil, err
		}
		group, err := findGroup(ctx, conn, t.Params)
		if err != nil {
			return nil, err
		}
		path := "/api/v1/groups/" + group + "/users/" + u.ID
		t.ID, t.Params = u.ID, map[string]string{"group.id": group, "group.name": t.Params["group.name"]}
		p := &saas.Plan{Verb: verb, Target: t, Before: u.was(), Steps: []saas.Req{{Method: method, URL: path}},
			Back: []saas.Req{{Method: back, URL: path}}}
		if done, err := m.done(ctx, conn, p); err != nil {
			return nil, err
		} else if done {
			return nil, saas.Settled("user %s is %s group %s", u.ID, map[bool]string{true: "in", false: "not in"}[m.in], group)
		}
		return p, nil
	}
	return saas.Guarded(a, m.done)
}

func (m membership) done(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
	groups, err := reader{}.all(ctx, conn, "/api/v1/users/"+p.Target.ID+"/groups", "")
	is := slices.ContainsFunc(groups, func(g json.RawMessage) bool { return saas.TextAt(g, "id") == p.Target.Params["group.id"] })
	return is == m.in, err
}

// findGroup is the id of a group named by id or name, whose members are kept in Okta itself.
func findGroup(ctx context.Context, conn *saas.Conn, params map[string]string) (string, error) {
	var g struct{ ID, Type string }
	switch id, name := params["group.id"], params["group.name"]; {
	case id != "":
		if err := saas.Get(ctx, conn, "/api/v1/groups/"+url.PathEscape(id), &g); err != nil {
			return "", err
		}
	case name != "":
		var found []struct{ ID, Type string }
		search := url.QueryEscape(`profile.name eq "` + strings.ReplaceAll(name, `"`, `\"`) + `"`)
		if err := saas.Get(ctx, conn, "/api/v1/groups?search="+search, &found); err != nil {
			return "", err
		}
		if len(found) != 1 {
			return "", saas.Refuse("%d groups are named %q, want one", len(found), name)
		}
		g = found[0]
	default:
		return "", saas.Refuse("group.id and group.name are missing")
	}
	if g.Type != "OKTA_GROUP" {
		return "", saas.Refuse("the members of group %s are not kept by Okta's administrators: it is a %s", g.ID, g.Type)
	}
	return g.ID, nil
}
