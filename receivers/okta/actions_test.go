package okta

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/sim"
)

// governed runs f in an org whose credential may do everything.
func governed(t *testing.T, f func(o *org)) {
	t.Helper()
	inOrg(t, sim.Options{Seed: 6, Events: 20, Users: 60, Limits: -1}, map[string]any{"auth": map[string]any{"governance": []any{"all"}}},
		func(o *org) {
			o.pass(time.Minute)
			f(o)
		})
}

// acts tries the org's actions.
func (o *org) acts() *saastest.Acts {
	return &saastest.Acts{T: o.T, Tenant: o.tenant(), Changes: o.changes}
}

// changes counts the requests that changed something.
func (o *org) changes() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.sent)
}

// list reads a list of the org.
func (o *org) list(path string) (out []json.RawMessage) {
	o.Helper()
	if err := saas.Get(o.Context(), o.tenant().Conn(), path, &out); err != nil {
		o.Fatal(err)
	}
	return out
}

// in is the first user in a state, from the nth on.
func (o *org) in(status string, n int) (ids []string) {
	o.Helper()
	for _, u := range o.list(`/api/v1/users?limit=200&search=status+eq+%22` + status + `%22`)[n:] {
		if saas.TextAt(u, "credentials", "provider", "type") == "OKTA" {
			ids = append(ids, saas.TextAt(u, "id"))
		}
	}
	return ids
}

func (o *org) state(id string) string {
	o.Helper()
	u, err := user(o.Context(), o.tenant().Conn(), saas.Target{ID: id})
	if err != nil {
		o.Fatal(err)
	}
	return u.Status
}

func TestActionsReachTheirState(t *testing.T) {
	t.Run("accounts", func(t *testing.T) { governed(t, accountActions) })
	t.Run("groups", func(t *testing.T) { governed(t, groupActions) })
	t.Run("roles", func(t *testing.T) { governed(t, roleActions) })
	t.Run("grants", func(t *testing.T) { governed(t, grantActions) })
	t.Run("tokens", func(t *testing.T) { governed(t, tokenActions) })
}

func accountActions(o *org) {
	active := o.in("ACTIVE", 10)
	f := func(verb, id, want, back string) {
		o.Helper()
		p := o.acts().Do(verb, saas.Target{ID: id})
		if got := o.state(id); got != want {
			o.Errorf("%s: state %s, want %s", verb, got, want)
		}
		if a, _ := o.tenant().Action(verb); (back == "") != (a.Irreversible != "") || (back == "") != (a.Undo == nil) {
			o.Errorf("%s: irreversible %q", verb, a.Irreversible)
		}
		if back == "" {
			return
		}
		o.acts().Undo(p)
		if got := o.state(id); got != back {
			o.Errorf("%s: state %s after undo, want %s", verb, got, back)
		}
	}
	f(action.SuspendUser, active[0], "SUSPENDED", "ACTIVE")
	f(action.RestoreUser, o.in("SUSPENDED", 0)[0], "ACTIVE", "SUSPENDED")
	f(action.DeactivateUser, active[1], "DEPROVISIONED", "")
	f(action.DeactivateUser, o.in("LOCKED_OUT", 0)[1], "DEPROVISIONED", "")
	f(action.ReactivateUser, o.in("DEPROVISIONED", 0)[0], "PROVISIONED", "DEPROVISIONED")
	f(action.UnlockUser, o.in("LOCKED_OUT", 0)[0], "ACTIVE", "")
	f(action.ExpirePassword, active[2], "PASSWORD_EXPIRED", "")
	f(action.ResetPassword, active[3], "RECOVERY", "")
	o.acts().Do(action.ResetFactors, saas.Target{ID: active[4]})
	for _, id := range o.in("ACTIVE", 0) {
		if len(o.list("/api/v1/users/"+id+"/clients")) == 0 {
			continue
		}
		o.acts().Do(action.RevokeSessions, saas.Target{ID: id})
		if n := len(o.list("/api/v1/users/" + id + "/clients")); n > 0 {
			o.Errorf("%d clients hold tokens of a user whose sessions were revoked", n)
		}
		break
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, answer := range o.sent {
		for _, secret := range []string{"tempPassword", "resetPasswordUrl", "activationUrl", "activationToken"} {
			if strings.Contains(answer, secret) {
				o.Errorf("%.80s was answered with %s", answer, secret)
			}
		}
	}
	for _, want := range []string{"/lifecycle/reset_factors ", "/sessions?oauthTokens=true "} {
		if !slices.ContainsFunc(o.sent, func(s string) bool { return strings.Contains(s, want) }) {
			o.Errorf("nothing was sent to %s", want)
		}
	}
}

func groupActions(o *org) {
	id, groups := o.in("ACTIVE", 12)[0], o.list("/api/v1/groups?limit=10000")
	is := func(group string) bool {
		return slices.ContainsFunc(o.list("/api/v1/users/"+id+"/groups"), func(g json.RawMessage) bool { return saas.TextAt(g, "id") == group })
	}
	for _, g := range groups {
		group := saas.TextAt(g, "id")
		params := map[string]string{"group.id": group}
		if saas.TextAt(g, "type") != "OKTA_GROUP" {
			for _, verb := range []string{action.AddToGroup, action.RemoveFromGroup} {
				_, err := o.acts().Plan(verb, saas.Target{ID: id, Params: params})
				if !saas.Is(err, saas.Invalid) || !strings.Contains(err.Error(), group) {
					o.Errorf("%s of a group that is kept elsewhere: %v", verb, err)
				}
			}
			continue
		}
		if !is(group) { // by name: policies know no ids
			params = map[string]string{"group.name": saas.TextAt(g, "profile", "name")}
		}
		verb := map[bool]string{true: action.RemoveFromGroup, false: action.AddToGroup}[is(group)]
		was := is(group)
		p := o.acts().Do(verb, saas.Target{ID: id, Params: params})
		if is(group) == was {
			o.Errorf("%s: nothing changed", verb)
		}
		if o.acts().Undo(p); is(group) != was {
			o.Errorf("%s: undo changed nothing", verb)
		}
	}
}

func roleActions(o *org) {
	find := func(at, kind string) (holder, role string) {
		o.Helper()
		for _, row := range o.list(at) {
			holder = saas.TextAt(row, "id")
			path := strings.Replace(at[:strings.IndexByte(at, '?')], "/api/v1/apps", "/oauth2/v1/clients", 1) + "/" + holder + "/roles"
			for _, r := range o.list(path) {
				if saas.TextAt(r, "type") == kind && saas.TextAt(r, "assignmentType") != "" {
					return holder, saas.TextAt(r, "id")
				}
			}
		}
		o.Fatalf("nobody of %s has the role %s", at, kind)
		return "", ""
	}
	f := func(param, at, kind string, back bool) {
		o.Helper()
		holder, role := find(at, kind)
		for _, same := range []saas.Target{{ID: strings.TrimSuffix(param, ".id") + "/" + holder + "/" + role},
			{Name: strings.ToLower(strings.ReplaceAll(kind, "_", " ")) + "istrator, Nothing", Params: map[string]string{param: holder}}} {
			p, err := o.acts().Plan(action.RevokeRole, same)
			if kind != "CUSTOM" && (err != nil || !strings.HasSuffix(p.Steps[0].URL, "/"+role)) {
				o.Errorf("%s named in another way: %v, %v", kind, p, err)
			}
		}
		p := o.acts().Do(action.RevokeRole, saas.Target{ID: role, Params: map[string]string{param: holder, "role.id": role}})
		a, _ := o.tenant().Action(action.RevokeRole)
		for range 2 {
			if err := a.Undo(o.Context(), o.tenant().Conn(), p); back != (err == nil) {
				o.Errorf("the role %s given back: %v; with its limits it may not be", kind, err)
			}
		}
		if !back {
			return
		}
		if again, _ := find(at, kind); again != holder {
			o.Errorf("the role %s was given back to %s, want %s", kind, again, holder)
		}
	}
	const users, groups, apps = "/api/v1/users?limit=200", "/api/v1/groups?limit=200", "/api/v1/apps?limit=200"
	f("user.id", users, "REPORT_ADMIN", true)
	f("user.id", users, "HELP_DESK_ADMIN", false)
	f("user.id", users, "APP_ADMIN", false)
	f("group.id", groups, "CUSTOM", true)
	f("client.id", apps, "READ_ONLY_ADMIN", true)
	holder, role := "", ""
	for _, u := range o.list(users) {
		for _, r := range o.list("/api/v1/users/" + saas.TextAt(u, "id") + "/roles") {
			if saas.TextAt(r, "assignmentType") == "GROUP" {
				holder, role = saas.TextAt(u, "id"), saas.TextAt(r, "id")
			}
		}
	}
	_, err := o.acts().Plan(action.RevokeRole, saas.Target{ID: role, Params: map[string]string{"user.id": holder, "role.id": role}})
	if !saas.Is(err, saas.Invalid) || !strings.Contains(err.Error(), "through a group") {
		o.Errorf("a role that comes through a group: %v", err)
	}
}

// consents are users with their consents.
func (o *org) consents() (users []string, grants map[string][]json.RawMessage) {
	grants = map[string][]json.RawMessage{}
	for _, id := range o.in("ACTIVE", 0) {
		if list := o.list("/api/v1/users/" + id + "/grants"); len(list) > 0 {
			users, grants[id] = append(users, id), list
		}
	}
	return users, grants
}

func grantActions(o *org) {
	users, grants := o.consents()
	gone := func(path, id string) {
		o.Helper()
		if left, err := among(o.Context(), o.tenant().Conn(), path, id); err != nil || len(left) > 0 {
			o.Errorf("%s: %d are left, %v", path, len(left), err)
		}
	}
	id := saas.TextAt(grants[users[0]][0], "id")
	o.acts().Do(action.RevokeGrant, saas.Target{ID: id, Params: map[string]string{"user.id": users[0]}})
	gone("/api/v1/users/"+users[0]+"/grants", id)
	client := saas.TextAt(grants[users[1]][0], "clientId")
	o.acts().Do(action.RevokeGrant, saas.Target{ID: users[1] + "/" + client})
	gone("/api/v1/users/"+users[1]+"/clients/"+client+"/grants", "")
	client = saas.TextAt(grants[users[2]][0], "clientId")
	o.acts().Do(action.RevokeGrant, saas.Target{Params: map[string]string{"user.id": users[2], "client.id": client}})
	gone("/api/v1/users/"+users[2]+"/clients/"+client+"/grants", "")
	for _, app := range o.list("/api/v1/apps?limit=200")[1:] {
		client := saas.TextAt(app, "id")
		if list := o.list("/api/v1/apps/" + client + "/grants"); len(list) > 0 {
			id := saas.TextAt(list[0], "id")
			o.acts().Do(action.RevokeGrant, saas.Target{ID: id, Params: map[string]string{"client.id": client}})
			gone("/api/v1/apps/"+client+"/grants", id)
			break
		}
	}
}

func tokenActions(o *org) {
	users, grants := o.consents()
	client := func(i int) string { return saas.TextAt(grants[users[i]][0], "clientId") }
	path := func(i int) string { return "/api/v1/users/" + users[i] + "/clients/" + client(i) + "/tokens" }
	o.acts().Do(action.RevokeClientTokens, saas.Target{Params: map[string]string{"user.id": users[0], "client.id": client(0)}})
	o.acts().Do(action.RevokeClientTokens, saas.Target{ID: users[1] + "/" + client(1)})
	o.acts().Do(action.RevokeClientTokens, saas.Target{Params: map[string]string{"client.id": client(2)}})
	if n := len(o.list(path(0))) + len(o.list(path(1))) + len(o.list("/api/v1/apps/"+client(2)+"/tokens")); n > 0 {
		o.Errorf("%d tokens are left at clients whose tokens were revoked", n)
	}
	revoked := 0
	for i := range users {
		list := o.list(path(i))
		if len(list) == 0 {
			continue
		}
		id := saas.TextAt(list[0], "id")
		params := map[string]string{"user.id": users[i], "credential.type": "refresh_token"}
		switch revoked {
		case 1:
			params["client.id"] = client(i)
		case 2:
			params = map[string]string{"client.id": client(i), "credential.type": "refresh_token"}
		}
		o.acts().Do(action.RevokeToken, saas.Target{ID: id, Params: params})
		if revoked++; slices.ContainsFunc(o.list(path(i)), func(t json.RawMessage) bool { return saas.TextAt(t, "id") == id }) {
			o.Errorf("token %s is still there", id)
		}
	}
	if revoked < 3 {
		o.Errorf("only %d refresh tokens could be revoked", revoked)
	}
	keys := o.list("/api/v1/api-tokens")
	o.acts().Do(action.RevokeToken, saas.Target{ID: saas.TextAt(keys[3], "id"), Params: map[string]string{"credential.type": "api_token"}})
	if left := o.list("/api/v1/api-tokens"); len(left) != len(keys)-1 {
		o.Errorf("%d API tokens are left of %d", len(left), len(keys))
	}
}

func TestActionsRefuseWhatCannotWork(t *testing.T) {
	governed(t, func(o *org) {
		f := func(verb string, t saas.Target, want string) {
			o.Helper()
			if _, err := o.acts().Plan(verb, t); !saas.Is(err, saas.Invalid) || !strings.Contains(err.Error(), want) {
				o.Errorf("%s: %v, want %q", verb, err, want)
			}
		}
		f(action.SuspendUser, saas.Target{}, "no user")
		f(action.SuspendUser, saas.Target{ID: o.in("LOCKED_OUT", 0)[0]}, "LOCKED_OUT, suspend_user needs ACTIVE")
		f(action.RestoreUser, saas.Target{ID: o.in("LOCKED_OUT", 0)[0]}, "needs SUSPENDED")
		f(action.ReactivateUser, saas.Target{ID: o.in("SUSPENDED", 0)[0]}, "needs DEPROVISIONED")
		f(action.UnlockUser, saas.Target{ID: o.in("SUSPENDED", 0)[0]}, "needs LOCKED_OUT")
		f(action.ResetPassword, saas.Target{Name: "user16@contoso.example"}, "kept by ACTIVE_DIRECTORY")
		f(action.AddToGroup, saas.Target{ID: o.in("ACTIVE", 9)[0]}, "group.id and group.name are missing")
		f(action.AddToGroup, saas.Target{ID: o.in("ACTIVE", 9)[0], Params: map[string]string{"group.name": "Nobodies"}},
			`0 groups are named "Nobodies"`)
		f(action.RevokeRole, saas.Target{ID: "ra1"}, "are needed")
		f(action.RevokeGrant, saas.Target{ID: "oag1"}, "two of")
		f(action.RevokeClientTokens, saas.Target{Params: map[string]string{"user.id": "00u1"}}, "client.id is missing")
		f(action.RevokeToken, saas.Target{}, "no token")
		f(action.RevokeToken, saas.Target{ID: "oar1"}, "user.id and client.id are missing")
		f(action.RevokeToken, saas.Target{ID: "AT.1", Params: map[string]string{"credential.type": "access_token"}}, "is a access_token")
		if _, err := o.acts().Plan(action.SuspendUser, saas.Target{ID: "00unobody"}); !saas.Is(err, saas.Missing) {
			o.Errorf("suspend of nobody: %v", err)
		}
	})
}

func TestNamesOfOneRoleAreAlike(t *testing.T) {
	f := func(a, b string, same bool) {
		t.Helper()
		if (letters(a) == letters(b)) != same {
			t.Errorf("%q is %q, %q is %q", a, letters(a), b, letters(b))
		}
	}
	f("Super administrator", "SUPER_ADMIN", true)
	f("Super administrator", "Super Organization Administrator", true)
	f("Help desk administrator", "HELP_DESK_ADMIN", true)
	f("Read-only administrator", "READ_ONLY_ADMIN", true)
	f("Organization administrator", "ORG_ADMIN", false) // by its label, Organization Administrator
	f("Organization administrator", "Organization Administrator", true)
	f("Organization administrator", "Super Organization Administrator", false)
	f("Report administrator", "HELP_DESK_ADMIN", false)
	f("Administrator", "Organization Administrator", false)
	f("", "Organization Administrator", false)
}

func TestEveryActionSaysWhatItIs(t *testing.T) {
	for _, a := range actions() {
		if !action.Known(a.Verb) || a.Plan == nil || a.Docs == "" || len(a.Needs) == 0 {
			t.Errorf("%s does not say all that an action says", a.Verb)
		}
		for _, scope := range a.Needs {
			if !slices.Contains(readScopes, scope) && !slices.Contains(manageScopes, scope) {
				t.Errorf("%s needs %s, which is never asked for", a.Verb, scope)
			}
		}
	}
	if got := len(verbs()); got != 15 || !slices.IsSorted(verbs()) {
		t.Errorf("%d verbs: %v", got, verbs())
	}
}
