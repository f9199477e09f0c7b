package salesforce

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

// ofUsers is what changing an account needs.
var ofUsers = []string{"ManageUsers|ManageInternalUsers"}

// actions are what the agent can change in an org.
func (o *org) actions() []saas.Action {
	list := []saas.Action{o.endSessions(), o.resetPassword(), o.membership(true), o.membership(false), o.revokeRole()}
	for _, s := range switches {
		list = append(list, o.turn(s))
	}
	return append(append(list, o.revocations()...), o.fileActions()...)
}

// object is a record of an object, by which it is changed.
func (o *org) object(kind, id string) string {
	return o.at("/sobjects/" + kind + "/" + url.PathEscape(id))
}

// patch is a request that changes fields.
func patch(path string, fields map[string]any) saas.Req {
	body, _ := json.Marshal(fields) // texts and truths have a JSON form
	return saas.Req{Method: http.MethodPatch, URL: path, Body: string(body)}
}

// post is a request that makes a record.
func (o *org) post(kind string, fields map[string]any) saas.Req {
	q := patch(o.at("/sobjects/"+kind), fields)
	q.Method = http.MethodPost
	return q
}

func remove(path string) saas.Req { return saas.Req{Method: http.MethodDelete, URL: path} }

// account is a user, and what bars it from logging on.
type account struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Email    string `json:"email"`
	Active   bool   `json:"active"`
	Login    string `json:"user_login"` // the id of its UserLogin
	Frozen   bool   `json:"frozen"`
	Locked   bool   `json:"locked"`
}

// user reads the account that a target names by its id or user name.
func (o *org) user(ctx context.Context, conn *saas.Conn, id, name string) (u account, err error) {
	where := "Id = " + quote(id)
	if !isID(id) {
		if where = "Username = " + quote(cmp.Or(name, id)); cmp.Or(name, id) == "" {
			return u, saas.Refuse("the target names no user")
		}
	}
	var row struct {
		ID, Username, Email string
		IsActive            bool
	}
	if err := o.first(ctx, conn, "SELECT Id,Username,Email,IsActive FROM User WHERE "+where, &row); err != nil {
		return u, err
	}
	if row.ID == "" {
		return u, saas.Refuse("there is no user with %s", where)
	}
	var login struct {
		ID                         string
		IsFrozen, IsPasswordLocked bool
	}
	err = o.first(ctx, conn, "SELECT Id,IsFrozen,IsPasswordLocked FROM UserLogin WHERE UserId = "+quote(row.ID), &login)
	return account{row.ID, row.Username, row.Email, row.IsActive, login.ID, login.IsFrozen, login.IsPasswordLocked}, err
}

// was is what a plan keeps of an account.
func (u *account) was() json.RawMessage {
	b, _ := json.Marshal(u) // texts and truths have a JSON form
	return b
}

// turnable is a truth about an account that is changed.
type turnable struct {
	verb, field string
	to          bool
	of          func(*account) bool
	sessions    bool // those are ended too
	final       string
}

func frozen(u *account) bool { return u.Frozen }
func active(u *account) bool { return u.Active }
func locked(u *account) bool { return u.Locked }

var switches = []turnable{
	{action.SuspendUser, "IsFrozen", true, frozen, true, ""}, // which lets sessions go on
	{action.RestoreUser, "IsFrozen", false, frozen, false, ""},
	{action.UnlockUser, "IsPasswordLocked", false, locked, false, "an account is locked by wrong passwords only"},
	{action.DeactivateUser, "IsActive", false, active, true, ""},
	{action.ReactivateUser, "IsActive", true, active, false, ""},
}

// turn is the action of a truth.
func (o *org) turn(s turnable) saas.Action {
	a := saas.Action{Verb: s.verb, Needs: ofUsers, Docs: reference + "userlogin.htm", Irreversible: s.final}
	if s.field == "IsFrozen" {
		a.Needs = []string{"FreezeUsers|ManageUsers"}
	}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		u, err := o.user(ctx, conn, t.ID, t.Name)
		if err != nil {
			return nil, err
		}
		t.ID = u.ID
		p := &saas.Plan{Verb: s.verb, Target: t, Before: u.was()}
		if done, err := o.turned(ctx, conn, s, p); err != nil || done {
			return nil, cmp.Or(err, saas.Settled("%s of user %s is %t", s.field, u.Username, s.to))
		}
		path := o.object("User", u.ID)
		if s.field != "IsActive" {
			if path = o.object("UserLogin", u.Login); u.Login == "" {
				return nil, saas.Refuse("user %s never had a log-on that could be barred", u.Username)
			}
		}
		p.Steps = []saas.Req{patch(path, map[string]any{s.field: s.to})}
		if p.Back = []saas.Req{patch(path, map[string]any{s.field: !s.to})}; s.of(&u) == s.to || s.final != "" {
			p.Back = nil
		}
		return p, nil
	}
	a.Done = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		return o.turned(ctx, conn, s, p)
	}
	a.Do = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error {
		if done, err := a.Done(ctx, conn, p); done || err != nil {
			return err
		}
		err := saas.Send(ctx, conn, p.Steps)
		if err == nil && s.sessions {
			err = o.endAll(ctx, conn, p.Target.ID)
		}
		return err
	}
	return a
}

// turned says whether a truth is as wanted, and no session is left where none should be.
func (o *org) turned(ctx context.Context, conn *saas.Conn, s turnable, p *saas.Plan) (bool, error) {
	u, err := o.user(ctx, conn, p.Target.ID, "")
	if err != nil || s.of(&u) != s.to {
		return false, err
	}
	if !s.sessions {
		return true, nil
	}
	open, err := o.sessions(ctx, conn, u.ID)
	return len(open) == 0, err
}

// sessions are those of a user, but for the agent's own.
func (o *org) sessions(ctx context.Context, conn *saas.Conn, user string) (open []saas.Req, err error) {
	rows, err := o.all(ctx, conn, o.query("SELECT Id,SessionType,SourceIp,CreatedDate,IsCurrent,ParentId FROM AuthSession WHERE UsersId = "+
		quote(user)))
	for _, row := range rows {
		if string(saas.Member(row, "IsCurrent")) != "true" {
			open = append(open, remove(o.object("AuthSession", saas.TextAt(row, "Id"))))
		}
	}
	return open, err
}

// endAll ends the sessions of a user. One within another ends with it.
func (o *org) endAll(ctx context.Context, conn *saas.Conn, user string) error {
	open, err := o.sessions(ctx, conn, user)
	if err != nil {
		return err
	}
	return saas.Send(ctx, conn, open)
}

func (o *org) endSessions() saas.Action {
	return saas.Action{Verb: action.RevokeSessions, Needs: []string{"ManageUsers"}, Docs: reference + "authsession.htm",
		Irreversible: "a session that was ended does not come back; the user logs in again",
		Plan: func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
			u, err := o.user(ctx, conn, t.ID, t.Name)
			if err != nil {
				return nil, err
			}
			open, err := o.sessions(ctx, conn, u.ID)
			if err == nil && len(open) == 0 {
				err = saas.Settled("user %s has no session", u.Username)
			}
			t.ID = u.ID
			return &saas.Plan{Verb: action.RevokeSessions, Target: t, Before: u.was(), Steps: open}, err
		},
		Do: func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error {
			return o.endAll(ctx, conn, p.Target.ID)
		},
		Done: func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
			open, err := o.sessions(ctx, conn, p.Target.ID)
			return len(open) == 0, err
		}}
}

// resetPassword lets Salesforce make a new password, which the answer holds and nobody reads, and mail the user how to choose one.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_user_password_delete.htm
func (o *org) resetPassword() saas.Action {
	return saas.Action{Verb: action.ResetPassword, Needs: []string{"ResetPasswords|ManageUsers"}, Docs: reference + "user.htm",
		Irreversible: "Salesforce keeps no former password; who signs in elsewhere is not affected",
		Plan: func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
			u, err := o.user(ctx, conn, t.ID, t.Name)
			t.ID = u.ID
			return &saas.Plan{Verb: action.ResetPassword, Target: t, Before: u.was(),
				Steps: []saas.Req{remove(o.object("User", u.ID) + "/password")}}, err
		},
		Do: func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error { return saas.Send(ctx, conn, p.Steps) }}
}

// membership puts a user into a group, of Salesforce itself or of Chatter, or takes it out.
func (o *org) membership(in bool) saas.Action {
	a := saas.Action{Verb: action.RemoveFromGroup, Needs: ofUsers, Docs: reference + "groupmember.htm"}
	if in {
		a.Verb = action.AddToGroup
	}
	// place is where a membership is, what it holds, and its id, "" = there is none.
	place := func(ctx context.Context, conn *saas.Conn, t saas.Target) (kind string, fields map[string]any, id string, err error) {
		kind, group, member := "GroupMember", "GroupId", "UserOrGroupId"
		if strings.HasPrefix(t.Params["group.id"], "0F9") {
			kind, group, member = "CollaborationGroupMember", "CollaborationGroupId", "MemberId"
		}
		fields = map[string]any{group: t.Params["group.id"], member: t.ID}
		var row struct{ ID string }
		err = o.first(ctx, conn, "SELECT Id FROM "+kind+" WHERE "+group+" = "+quote(t.Params["group.id"])+" AND "+member+" = "+quote(t.ID), &row)
		return kind, fields, row.ID, err
	}
	send := func(ctx context.Context, conn *saas.Conn, t saas.Target, in bool) ([]saas.Req, error) {
		kind, fields, id, err := place(ctx, conn, t)
		switch {
		case err != nil || in == (id != ""):
			return nil, err
		case in:
			return []saas.Req{o.post(kind, fields)}, nil
		}
		return []saas.Req{remove(o.object(kind, id))}, nil
	}
	turn := func(ctx context.Context, conn *saas.Conn, t saas.Target, in bool) error {
		steps, err := send(ctx, conn, t, in)
		if err != nil {
			return err
		}
		return saas.Send(ctx, conn, steps)
	}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		u, err := o.user(ctx, conn, t.ID, t.Name)
		if err != nil {
			return nil, err
		}
		if t.ID = u.ID; t.Params["group.id"] == "" {
			id, err := o.groupNamed(ctx, conn, t.Params["group.name"])
			if err != nil {
				return nil, err
			}
			t.Params = map[string]string{"group.id": id, "group.name": t.Params["group.name"]}
		}
		steps, err := send(ctx, conn, t, in)
		if err == nil && len(steps) == 0 {
			err = saas.Settled("user %s in group %s: %t", u.Username, t.Params["group.id"], in)
		}
		return &saas.Plan{Verb: a.Verb, Target: t, Before: u.was(), Steps: steps}, err
	}
	a.Do = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error { return turn(ctx, conn, p.Target, in) }
	a.Undo = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error { return turn(ctx, conn, p.Target, !in) }
	a.Done = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		steps, err := send(ctx, conn, p.Target, in)
		return err == nil && len(steps) == 0, err
	}
	return a
}

func (o *org) groupNamed(ctx context.Context, conn *saas.Conn, name string) (string, error) {
	if name == "" {
		return "", saas.Refuse("group.id and group.name are missing")
	}
	rows, err := o.all(ctx, conn, o.query("SELECT Id FROM Group WHERE Name = "+quote(name)))
	if err == nil && len(rows) != 1 {
		err = saas.Refuse("%d groups are named %q, want one", len(rows), name)
	}
	if err != nil {
		return "", err
	}
	return saas.TextAt(rows[0], "Id"), nil
}
