package box

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

const reference = "https://developer.box.com/reference/"

// ofUsers and ofFiles are what changing an account and a file needs.
var (
	ofUsers = []string{"manage_managed_users"}
	ofFiles = []string{"root_readwrite"}
)

// actions are what the agent can change in an enterprise.
func actions(c *Config) []saas.Action {
	list := []saas.Action{sessions()}
	for _, s := range settings {
		list = append(list, s.action())
	}
	for _, f := range []fileAction{removeLink, restrictLink, removeCollaborator(), label(c), deleteFile, restoreFile, purgeFile, tombstone(c),
		quarantine{c.QuarantineFolder}.action()} {
		list = append(list, f.action())
	}
	return list
}

// setting is a change of one field of a managed user.
type setting struct {
	verb, field, to string
	from            []string // values it starts from; nil = any other than to
}

var settings = []setting{
	{action.SuspendUser, "status", "inactive", nil},
	{action.RestoreUser, "status", "active", []string{"inactive"}},
	{action.RevokeRole, "role", "user", []string{"coadmin"}},
	{action.ExpirePassword, "is_password_reset_required", "", nil}, // Box does not say what it is
}

// person reads the managed user whom a target names, and what a plan keeps of him: his state, and by which names he may be protected.
func person(ctx context.Context, conn *saas.Conn, t saas.Target) (u map[string]string, was json.RawMessage, err error) {
	id := t.ID
	if t.Type == action.OnRole {
		if role := t.Params["role.id"]; role != "" && role != "coadmin" || t.Params["group.id"] != "" {
			return nil, nil, saas.Refuse("role %q: only that of a co-administrator, coadmin, can be dropped", role)
		}
		id = t.Params["user.id"]
	}
	if !number(id) {
		return nil, nil, saas.Refuse("the target names no user")
	}
	if err := saas.Get(ctx, conn, "/users/"+id+"?fields=id,type,login,status,role", &u); err != nil {
		return nil, nil, err
	}
	was, err = json.Marshal(u)
	return u, was, err
}

func (s setting) action() saas.Action {
	a := saas.Action{Verb: s.verb, Needs: ofUsers, Docs: reference + "put-users-id/"}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		u, was, err := person(ctx, conn, t)
		if err != nil {
			return nil, err
		}
		set := func(val string) []saas.Req {
			return []saas.Req{{Method: http.MethodPut, URL: "/users/" + u["id"], Body: string(saas.Join(s.field, json.RawMessage(val)))}}
		}
		p := &saas.Plan{Verb: s.verb, Target: t, Before: was}
		if s.to == "" {
			p.Steps, p.Back = set("true"), set("false")
			return p, nil
		}
		switch is := u[s.field]; {
		case is == s.to:
			return nil, saas.Settled("%s of user %s is %s", s.field, u["id"], is)
		case s.from != nil && !slices.Contains(s.from, is):
			return nil, saas.Refuse("%s of user %s is %s, %s needs %s", s.field, u["id"], is, s.verb, strings.Join(s.from, " or "))
		default:
			p.Steps, p.Back = set(string(saas.Quote(s.to))), set(string(saas.Quote(is)))
		}
		return p, nil
	}
	if s.to == "" {
		return a
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		u, _, err := person(ctx, conn, p.Target)
		return u[s.field] == s.to, err
	})
}

// sessions ends what a user is signed in to, some time after it is asked for.
func sessions() saas.Action {
	return saas.Action{Verb: action.RevokeSessions, Needs: ofUsers, Docs: reference + "post-users-terminate-sessions/",
		Irreversible: "a session that was ended does not come back; the user signs in again",
		Plan: func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
			u, was, err := person(ctx, conn, t)
			body := saas.Join("user_ids user_logins", saas.Array([]json.RawMessage{saas.Quote(u["id"])}),
				saas.Array([]json.RawMessage{saas.Quote(u["login"])}))
			return &saas.Plan{Verb: action.RevokeSessions, Target: t, Before: was,
				Steps: []saas.Req{{Method: http.MethodPost, URL: "/users/terminate_sessions", Body: string(body)}}}, err
		}}
}

// fileAction is an action on a file, done as its owner. A document that is nil is gone. do and undo go on where a crash cut them
// off; undo gives what it could not bring back.
type fileAction struct {
	verb, docs string
	final      string // why there is no undo
	buried     bool   // a file in a trash can be its target
	// plan adds to the plan what the document lacks, and says what is in the way.
	plan func(ctx context.Context, conn *saas.Conn, p *saas.Plan, was *document) error
	do   func(ctx context.Context, conn *saas.Conn, p *saas.Plan, was, now *document) error
	done func(ctx context.Context, conn *saas.Conn, p *saas.Plan, was, now *document) (bool, error)
	undo func(ctx context.Context, conn *saas.Conn, p *saas.Plan, was, now *document) (lost []string, err error)
}

func (f fileAction) action() saas.Action {
	a := saas.Action{Verb: f.verb, Needs: ofFiles, Docs: reference + f.docs + "/", Irreversible: f.final}
	a.Plan = f.planned
	a.Do = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error {
		was, now, err := both(ctx, conn, p)
		if err != nil {
			return err
		}
		if ok, err := f.done(ctx, conn, p, was, now); err != nil || ok {
			return err
		}
		if now == nil {
			return saas.Refuse("file %s is gone", p.Target.ID)
		}
		return f.do(ctx, conn, p, was, now)
	}
	a.Done = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		was, now, err := both(ctx, conn, p)
		if err != nil {
			return false, err
		}
		return f.done(ctx, conn, p, was, now)
	}
	if f.undo != nil {
		a.Undo = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error {
			was, now, err := both(ctx, conn, p)
			if err != nil {
				return err
			}
			if now == nil {
				return saas.Refuse("file %s is gone for good", p.Target.ID)
			}
			lost, err := f.undo(ctx, conn, p, was, now)
			if err == nil && len(lost) > 0 {
				p.After, err = json.Marshal(map[string]any{"not_brought_back": lost})
			}
			return err
		}
	}
	return a
}

func (f fileAction) planned(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
	d, err := find(ctx, conn, t)
	switch {
	case err != nil:
		return nil, err
	case d == nil && f.buried:
		return nil, saas.Settled("file %s is gone", t.ID)
	case d == nil:
		return nil, saas.Refuse("file %s is gone", t.ID)
	case d.Foreign:
		return nil, saas.Refuse("file %s belongs to another enterprise", t.ID)
	case d.Trashed != "" && !f.buried:
		return nil, saas.Refuse("file %s is in the trash since %s", t.ID, d.Trashed)
	}
	p := &saas.Plan{Verb: f.verb, Target: d.target(t)}
	if f.plan != nil {
		if err := f.plan(ctx, conn, p, d); err != nil {
			return nil, err
		}
	}
	if ok, err := f.done(ctx, conn, p, d, d); err != nil || ok {
		return nil, orSettled(err, "file %s is so already", t.ID)
	}
	p.Before, err = json.Marshal(d)
	return p, err
}

func orSettled(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	return saas.Settled(format, args...)
}

// both is a file as it was planned with and as it is.
func both(ctx context.Context, conn *saas.Conn, p *saas.Plan) (was, now *document, err error) {
	was = &document{}
	if err := json.Unmarshal(p.Before, was); err != nil {
		return nil, nil, saas.Refuse("the plan of %s does not say how file %s was: %v", p.Verb, p.Target.ID, err)
	}
	now, err = find(ctx, conn, p.Target)
	return was, now, err
}
