package office365

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

// actions are what the agent can change in a tenant.
func (t *tenant) actions() []saas.Action {
	return slices.Concat([]saas.Action{enable(action.SuspendUser, false), enable(action.RestoreUser, true), signOut(), forceReset(),
		compromised(), revokeGrant(), banApp()}, t.fileActions())
}

const ofAccount = "/users/"

// account reads the account that a target names, and what a plan keeps of it.
func account(ctx context.Context, conn *saas.Conn, t saas.Target) (u struct {
	ID      string
	Enabled bool `json:"accountEnabled"`
	Synced  bool `json:"onPremisesSyncEnabled"`
}, was json.RawMessage, err error) {
	if t.ID == "" {
		return u, nil, saas.Refuse("the target names no user")
	}
	err = saas.Get(ctx, conn, ofAccount+step(t.ID)+"?$select=id,userPrincipalName,mail,accountEnabled,onPremisesSyncEnabled", &was)
	if err == nil {
		err = json.Unmarshal(was, &u)
	}
	return u, was, err
}

// patch is a request that changes something.
func patch(url, body string) saas.Req {
	return saas.Req{Method: http.MethodPatch, URL: url, Body: body}
}

func post(url, body string) saas.Req { return saas.Req{Method: http.MethodPost, URL: url, Body: body} }

// enable lets an account sign in, or not. Tokens that are out live on, so that sessions are revoked too.
func enable(verb string, on bool) saas.Action {
	set := func(id string, on bool) saas.Req {
		return patch(ofAccount+id, string(saas.Join("accountEnabled", boolean(on))))
	}
	a := saas.Action{Verb: verb, Needs: []string{"User.EnableDisableAccount.All|User.ReadWrite.All"}, Docs: graphDocs + "user-update",
		Plan: func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
			u, was, err := account(ctx, conn, t)
			if err != nil {
				return nil, err
			}
			if u.Enabled == on {
				return nil, saas.Settled("accountEnabled of user %s is %t", u.ID, on)
			}
			p := &saas.Plan{Verb: verb, Target: t, Before: was, Steps: []saas.Req{set(u.ID, on)}, Back: []saas.Req{set(u.ID, !on)}}
			if !on {
				p.Steps = append([]saas.Req{post(ofAccount+u.ID+"/revokeSignInSessions", "")}, p.Steps...)
			}
			return p, nil
		}}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		u, _, err := account(ctx, conn, p.Target)
		return u.Enabled == on, err
	})
}

func boolean(v bool) json.RawMessage {
	b, _ := json.Marshal(v)
	return b
}

// once is an action on an account of which nothing shows that it was done.
func once(verb, right, docs string, plan func(id string, synced bool) (do, back []saas.Req, err error)) saas.Action {
	return saas.Action{Verb: verb, Needs: []string{right}, Docs: graphDocs + docs,
		Plan: func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
			u, was, err := account(ctx, conn, t)
			if err != nil {
				return nil, err
			}
			p := &saas.Plan{Verb: verb, Target: t, Before: was}
			p.Steps, p.Back, err = plan(u.ID, u.Synced)
			return p, err
		}}
}

// signOut makes a user sign in again everywhere, within minutes.
func signOut() saas.Action {
	a := once(action.RevokeSessions, "User.RevokeSessions.All|User.ReadWrite.All", "user-revokesigninsessions",
		func(id string, _ bool) (do, back []saas.Req, err error) {
			return []saas.Req{post(ofAccount+id+"/revokeSignInSessions", "")}, nil, nil
		})
	a.Irreversible = "a session that was ended does not come back; the user signs in again"
	return a
}

// forceReset makes a user choose another password.
func forceReset() saas.Action {
	return once(action.ExpirePassword, "User-PasswordProfile.ReadWrite.All|User.ReadWrite.All", "user-update",
		func(id string, synced bool) (do, back []saas.Req, err error) {
			if synced {
				return nil, nil, saas.Refuse("the password of user %s is mastered on premises", id)
			}
			set := func(on string) []saas.Req {
				return []saas.Req{patch(ofAccount+id, `{"passwordProfile":{"forceChangePasswordNextSignIn":`+on+`}}`)}
			}
			return set("true"), set("false"), nil
		})
}

// compromised tells Entra ID that an account is in wrong hands, for its policies to act on.
func compromised() saas.Action {
	return once(action.ConfirmCompromised, "IdentityRiskyUser.ReadWrite.All", "riskyuser-confirmcompromised",
		func(id string, _ bool) (do, back []saas.Req, err error) {
			body := string(saas.Join("userIds", saas.Array([]json.RawMessage{saas.Quote(id)})))
			const at = "/identityProtection/riskyUsers/"
			return []saas.Req{post(at+"confirmCompromised", body)}, []saas.Req{post(at+"dismiss", body)}, nil
		})
}

// grantAt reads a permission of an app by its path; nil = it is gone.
func grantAt(ctx context.Context, conn *saas.Conn, path string) (row json.RawMessage, err error) {
	if strings.HasPrefix(path, grantsURL) {
		err = saas.Get(ctx, conn, path, &row)
	} else {
		at := strings.LastIndexByte(path, '/')
		err = eachRow(ctx, conn, path[:at], func(r json.RawMessage) error {
			if saas.TextAt(r, "id") == path[at+1:] {
				row = append(row, r...)
			}
			return nil
		})
	}
	if saas.Is(err, saas.Missing) {
		return nil, nil
	}
	return row, err
}

// revokeGrant takes a permission of an app away, or all that somebody gave it.
func revokeGrant() saas.Action {
	a := saas.Action{Verb: action.RevokeGrant, Docs: graphDocs + "oauth2permissiongrant-delete",
		Needs: []string{"DelegatedPermissionGrant.ReadWrite.All|AppRoleAssignment.ReadWrite.All"},
		Plan: func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
			paths, err := grantsOf(ctx, conn, t)
			if err != nil {
				return nil, err
			}
			p := &saas.Plan{Verb: action.RevokeGrant, Target: t}
			var were []json.RawMessage
			for _, path := range paths {
				row, err := grantAt(ctx, conn, path)
				if err != nil {
					return nil, err
				}
				if row == nil {
					continue
				}
				names, back := permissionNames, path[:strings.LastIndexByte(path, '/')]
				if back == grantsURL {
					names = grantNames + " scope"
				}
				var vals []json.RawMessage
				for name := range strings.FieldsSeq(names) {
					vals = append(vals, saas.Member(row, name))
				}
				were, p.Steps = append(were, row), append(p.Steps, saas.Req{Method: http.MethodDelete, URL: path})
				p.Back = append(p.Back, post(back, string(saas.Join(names, vals...))))
			}
			if p.Before = saas.Array(were); len(were) == 0 {
				return nil, saas.Settled("there is no permission %s", t.ID)
			}
			return p, nil
		}}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		var were []json.RawMessage
		err := json.Unmarshal(p.Before, &were)
		for i := 0; i < len(were) && err == nil; i++ {
			if there, err := granted(ctx, conn, p.Steps[i].URL, were[i]); err != nil || there {
				return false, err
			}
		}
		return err == nil, err
	})
}

// What makes a permission of an app the same one, also when it was given again and has another id.
const (
	grantNames      = "clientId consentType principalId resourceId"
	permissionNames = "principalId resourceId appRoleId"
)

// granted says whether there is a permission of an app as the one that had a path.
func granted(ctx context.Context, conn *saas.Conn, path string, was json.RawMessage) (there bool, err error) {
	list, names := path[:strings.LastIndexByte(path, '/')], permissionNames
	if list == grantsURL {
		list, names = grantsURL+"?$filter=clientId%20eq%20%27"+saas.TextAt(was, "clientId")+"%27", grantNames
	}
	err = eachRow(ctx, conn, list, func(row json.RawMessage) error {
		same := true
		for name := range strings.FieldsSeq(names) {
			same = same && saas.TextAt(row, name) == saas.TextAt(was, name)
		}
		there = there || same
		return nil
	})
	if saas.Is(err, saas.Missing) { // the app itself is gone
		return false, nil
	}
	return there, err
}

// grantsOf are the paths of the permissions that a target means.
func grantsOf(ctx context.Context, conn *saas.Conn, t saas.Target) (paths []string, err error) {
	if t.ID != "" {
		if !strings.HasPrefix(t.ID, grantsURL[1:]+"/") && !strings.Contains(t.ID, assignedURL+"/") {
			return nil, saas.Refuse("%q is no permission of an app", t.ID)
		}
		return []string{"/" + t.ID}, nil
	}
	app, err := appOf(ctx, conn, t)
	if err != nil {
		return nil, err
	}
	err = eachRow(ctx, conn, grantsURL+"?$filter=clientId%20eq%20%27"+app.ID+"%27", func(row json.RawMessage) error {
		if user := t.Params["user.id"]; user == "" || user == saas.TextAt(row, "principalId") {
			paths = append(paths, grantsURL+"/"+saas.TextAt(row, "id"))
		}
		return nil
	})
	return paths, err
}

// servicePrincipal is an app as the tenant knows it.
type servicePrincipal struct {
	ID, AppID, DisplayName string
	Enabled                bool `json:"accountEnabled"`
}

// appOf finds the app of a target, by its own id or by the tenant's.
func appOf(ctx context.Context, conn *saas.Conn, t saas.Target) (app servicePrincipal, err error) {
	id := t.Params["client.id"]
	if !isGUID(id) {
		return app, saas.Refuse("the target names no app")
	}
	var found struct{ Value []servicePrincipal }
	const fields = "$select=id,appId,displayName,accountEnabled"
	err = saas.Get(ctx, conn, "/servicePrincipals?$filter=appId%20eq%20%27"+id+"%27&"+fields, &found)
	if err != nil || len(found.Value) > 0 {
		return append(found.Value, app)[0], err
	}
	err = saas.Get(ctx, conn, "/servicePrincipals/"+id+"?"+fields, &app)
	return app, err
}

// banApp gives an app no more tokens, for whomever.
func banApp() saas.Action {
	a := saas.Action{Verb: action.BanApp, Needs: []string{"Application.ReadWrite.All"}, Docs: graphDocs + "serviceprincipal-update",
		Plan: func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
			app, err := appOf(ctx, conn, t)
			if err != nil {
				return nil, err
			}
			if !app.Enabled {
				return nil, saas.Settled("app %s gets no tokens", app.DisplayName)
			}
			was, err := json.Marshal(app)
			at := "/servicePrincipals/" + app.ID
			return &saas.Plan{Verb: action.BanApp, Target: t, Before: was, Steps: []saas.Req{patch(at, `{"accountEnabled":false}`)},
				Back: []saas.Req{patch(at, `{"accountEnabled":true}`)}}, err
		}}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		app, err := appOf(ctx, conn, p.Target)
		return !app.Enabled, err
	})
}
