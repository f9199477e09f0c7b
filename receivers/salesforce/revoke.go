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

// revokeRole takes a permission set, or a group of them, from a user.
func (o *org) revokeRole() saas.Action {
	a := saas.Action{Verb: action.RevokeRole, Needs: ofUsers, Docs: reference + "permissionsetassignment.htm"}
	find := func(ctx context.Context, conn *saas.Conn, t saas.Target) ([]json.RawMessage, error) {
		where := "Id = " + quote(t.ID)
		switch user, role := t.Params["user.id"], t.Params["role.id"]; {
		case isID(user) && isID(role): // which stay when the assignment is made again

			where = "AssigneeId = " + quote(user) + " AND (PermissionSetId = " + quote(role) + " OR PermissionSetGroupId = " +
				quote(role) + ")"
		case isID(t.ID):
		case isID(user) && t.Name != "":
			name := quote(t.Name)
			where = "AssigneeId = " + quote(user) + " AND (PermissionSet.Name = " + name + " OR PermissionSet.Label = " + name + ")"
		default:
			return nil, saas.Refuse("the id of the assignment, or user.id and the id or name of the permission set, are needed")
		}
		return o.all(ctx, conn, o.query("SELECT Id,AssigneeId,PermissionSetId,PermissionSetGroupId,ExpirationDate,"+
			"PermissionSet.IsOwnedByProfile FROM PermissionSetAssignment WHERE "+where))
	}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		rows, err := find(ctx, conn, t)
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			return nil, saas.Settled("assignment %s is not there", cmp.Or(t.ID, t.Name))
		}
		p := &saas.Plan{Verb: a.Verb, Target: t, Before: saas.Array(rows)}
		for _, row := range rows {
			if string(saas.Member(row, "PermissionSet", "IsOwnedByProfile")) == "true" {
				return nil, saas.Refuse("assignment %s is the user's profile: another profile has to take its place", saas.TextAt(row, "Id"))
			}
			back := map[string]any{"AssigneeId": saas.TextAt(row, "AssigneeId")}
			if group := saas.TextAt(row, "PermissionSetGroupId"); group != "" {
				back["PermissionSetGroupId"] = group
			} else {
				back["PermissionSetId"] = saas.TextAt(row, "PermissionSetId")
			}
			if len(rows) == 1 {
				p.Target.Params = map[string]string{"user.id": saas.TextAt(row, "AssigneeId"),
					"role.id": cmp.Or(saas.TextAt(row, "PermissionSetGroupId"), saas.TextAt(row, "PermissionSetId"))}
			}
			if until := saas.TextAt(row, "ExpirationDate"); until != "" {
				back["ExpirationDate"] = until
			}
			p.Steps = append(p.Steps, remove(o.object("PermissionSetAssignment", saas.TextAt(row, "Id"))))
			p.Back = append(p.Back, o.post("PermissionSetAssignment", back))
		}
		return p, nil
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		rows, err := find(ctx, conn, p.Target)
		return len(rows) == 0, err
	})
}

// tokens are what apps hold, as a target names them: of a user for an app, of all users for an app, or one.
type tokens struct{ app, user, id string }

const (
	revokeURL   = "/services/oauth2/revoke"
	externalApp = "0xI" // ids of external client apps begin so
)

// of reads what a target names. The id of a grant to a connected app is the user's and the app's.
func (k *tokens) of(t saas.Target) {
	k.app, k.user, k.id = t.Params["client.id"], t.Params["user.id"], t.ID
	if user, app, ok := strings.Cut(t.ID, "/"); ok {
		k.app, k.user, k.id = cmp.Or(k.app, app), cmp.Or(k.user, user), ""
	}
}

// revocations revoke tokens: by the resources of external client apps, or by the DeleteToken of those of connected apps, which is
// asked for when it is used and kept nowhere.
func (o *org) revocations() (list []saas.Action) {
	for _, verb := range []string{action.RevokeGrant, action.RevokeClientTokens, action.RevokeToken} {
		a := saas.Action{Verb: verb, Needs: []string{"CustomizeApplication|ManageUsers"}, Docs: usageDocs,
			Irreversible: "a token that was revoked does not come back; the user authorises the app again"}
		named := func(t saas.Target) (k tokens, err error) {
			switch k.of(t); {
			case verb == action.RevokeClientTokens && k.app != "":
				k.user, k.id = "", ""
			case verb == action.RevokeToken && k.id != "" && k.app != "":
			case verb == action.RevokeGrant && k.app != "" && k.user != "":
				k.id = ""
			default:
				err = saas.Refuse("%s: of user.id, client.id and the id of the token one that is needed is missing", verb)
			}
			return k, err
		}
		a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
			k, err := named(t)
			if err != nil {
				return nil, err
			}
			there, err := o.present(ctx, conn, k)
			if err == nil && len(there) == 0 {
				err = saas.Settled("no token of app %s is there", cmp.Or(k.app, k.id))
			}
			return &saas.Plan{Verb: verb, Target: t, Before: saas.Array(there), Steps: o.revoke(k, there)}, err
		}
		a.Do = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error {
			k, err := named(p.Target)
			if err != nil {
				return err
			}
			if there, err := o.present(ctx, conn, k); err != nil || len(there) == 0 {
				return err
			}
			if k.external() {
				return saas.Send(ctx, conn, p.Steps)
			}
			rows, err := o.all(ctx, conn, o.query("SELECT DeleteToken FROM OauthToken WHERE "+k.where()))
			for i := 0; i < len(rows) && err == nil; i++ {
				form := url.Values{"token": {saas.TextAt(rows[i], "DeleteToken")}}
				err = saas.Send(ctx, conn, []saas.Req{{Method: http.MethodPost, URL: revokeURL, Body: form.Encode()}})
			}
			return err
		}
		a.Done = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
			k, err := named(p.Target)
			if err != nil {
				return false, err
			}
			there, err := o.present(ctx, conn, k)
			return len(there) == 0, err
		}
		list = append(list, a)
	}
	return list
}

// external says whether the tokens are those of an external client app.
func (k *tokens) external() bool { return k.id != "" || strings.HasPrefix(k.app, externalApp) }

// where is which rows of OauthToken are meant.
func (k *tokens) where() string {
	where := "AppName = " + quote(k.app)
	if isID(k.app) {
		where = "AppMenuItemId = " + quote(k.app)
	}
	if k.user != "" {
		where += " AND UserId = " + quote(k.user)
	}
	return where
}

// present are the tokens that are there.
func (o *org) present(ctx context.Context, conn *saas.Conn, k tokens) (rows []json.RawMessage, err error) {
	if !k.external() {
		return o.all(ctx, conn, o.query("SELECT "+tokenColumns+" FROM OauthToken WHERE "+k.where()))
	}
	users := []string{k.user}
	path := usage + "/" + url.PathEscape(k.app)
	if k.user == "" {
		users = nil
		err = o.pages(ctx, conn, path+"/users", "users", func(row json.RawMessage) error {
			users = append(users, saas.TextAt(row, "userIdentifier"))
			return nil
		})
	}
	for i := 0; i < len(users) && (err == nil || saas.Is(err, saas.Missing)); i++ {
		err = o.pages(ctx, conn, path+"/"+url.PathEscape(users[i])+"/tokens", "tokens", func(row json.RawMessage) error {
			if k.id == "" || strings.HasSuffix(saas.TextAt(row, "revocationUrl"), "/"+k.id) {
				rows = append(rows, row)
			}
			return nil
		})
	}
	if saas.Is(err, saas.Missing) {
		err = nil
	}
	return rows, err
}

// revoke are the requests that end tokens; of a connected app's, as many as there are now, without the tokens.
func (o *org) revoke(k tokens, there []json.RawMessage) (steps []saas.Req) {
	path := o.at(usage + "/" + url.PathEscape(k.app))
	switch {
	case k.id != "":
		return []saas.Req{remove(o.at(usage + "/tokens/" + url.PathEscape(k.id)))}
	case k.external() && k.user != "":
		return []saas.Req{remove(path + "/" + url.PathEscape(k.user) + "/tokens")}
	case k.external():
		return []saas.Req{remove(path + "/tokens")}
	}
	for range there {
		steps = append(steps, saas.Req{Method: http.MethodPost, URL: revokeURL, Body: "token={DeleteToken}"})
	}
	return steps
}
