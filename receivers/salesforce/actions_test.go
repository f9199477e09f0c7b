package salesforce

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/infile"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/sim"
)

// governed runs f in an org whose credential may do everything.
func governed(t *testing.T, f func(o *tenancy)) {
	t.Helper()
	inOrg(t, sim.Options{Seed: 6, Events: 5, Users: 24, Files: 42, Limits: -1}, nil, nil, func(o *tenancy) {
		o.pass(time.Minute)
		f(o)
	})
}

// acts tries the org's actions.
func (o *tenancy) acts() *saastest.Acts {
	return &saastest.Acts{T: o.T, Tenant: o.tenant(), Changes: o.changes}
}

// changes are the requests that changed something.
func (o *tenancy) changes() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.sent)
}

// somebody is a user with open sessions who is not the agent's own.
func (o *tenancy) somebody() (id, name string) {
	o.Helper()
	for _, row := range o.rows("SELECT UsersId, IsCurrent FROM AuthSession") {
		id := saas.TextAt(row, "UsersId")
		if n := o.text("SELECT Username FROM User WHERE Id = "+quote(id), "Username"); n != "svc.collector@contoso.example" &&
			n != "admin@contoso.example" {
			return id, n
		}
	}
	o.Fatal("nobody has a session")
	return "", ""
}

func TestAccountsReachTheirState(t *testing.T) {
	governed(t, func(o *tenancy) {
		id, name := o.somebody()
		frozen := func() string { return o.text("SELECT IsFrozen FROM UserLogin WHERE UserId = "+quote(id), "IsFrozen") }
		active := func() string { return o.text("SELECT IsActive FROM User WHERE Id = "+quote(id), "IsActive") }
		open := func() int { return len(o.rows("SELECT Id FROM AuthSession WHERE UsersId = " + quote(id))) }

		p := o.acts().Do(action.SuspendUser, saas.Target{ID: id})
		if frozen() != "true" || open() != 0 {
			o.Errorf("suspended: frozen %s, %d sessions", frozen(), open())
		}
		o.acts().Do(action.RestoreUser, saas.Target{Name: name})
		o.acts().Do(action.SuspendUser, saas.Target{ID: id})
		if o.acts().Undo(p); frozen() != "false" {
			o.Error("undone, and frozen")
		}
		p = o.acts().Do(action.DeactivateUser, saas.Target{ID: id})
		if active() != "false" {
			o.Error("deactivated, and active")
		}
		if o.acts().Undo(p); active() != "true" {
			o.Error("undone, and not active")
		}
		o.acts().Do(action.DeactivateUser, saas.Target{ID: id})
		if o.acts().Do(action.ReactivateUser, saas.Target{ID: id}); active() != "true" {
			o.Error("reactivated, and not active")
		}
	})
}

func TestSessionsEndButForTheAgentsOwn(t *testing.T) {
	governed(t, func(o *tenancy) {
		id, _ := o.somebody()
		o.acts().Do(action.RevokeSessions, saas.Target{ID: id})
		own := o.text("SELECT UsersId FROM AuthSession WHERE IsCurrent = true", "UsersId")
		if _, err := o.acts().Plan(action.RevokeSessions, saas.Target{ID: own}); !saas.Is(err, saas.Already) {
			o.Errorf("the agent's own session is to be ended: %v", err)
		}
	})
}

func TestANewPasswordIsSeenByNobody(t *testing.T) {
	governed(t, func(o *tenancy) {
		id, _ := o.somebody()
		p := o.acts().Do(action.ResetPassword, saas.Target{ID: id})
		last := o.sent[len(o.sent)-1]
		_, body, ok := strings.Cut(last, `"NewPassword":"`)
		password, _, _ := strings.Cut(body, `"`)
		if !strings.HasPrefix(last, "DELETE ") || !ok || len(password) < 8 {
			o.Fatalf("the last change was %s", last)
		}
		kept, _ := json.Marshal(p)
		o.pass(2 * time.Minute)
		if docs := fmt.Sprint(o.came(func(map[string]any) bool { return true })); strings.Contains(docs+string(kept), password) {
			o.Error("the new password is kept")
		}
	})
}

func TestMembershipsReachTheirState(t *testing.T) {
	governed(t, func(o *tenancy) {
		id, _ := o.somebody()
		for _, from := range []string{"SELECT Id, Name FROM Group WHERE Type = 'Regular'", "SELECT Id, Name FROM CollaborationGroup"} {
			group := saas.Target{ID: id, Params: map[string]string{"group.id": o.text(from, "Id")}}
			add, del := action.AddToGroup, action.RemoveFromGroup
			if _, err := o.acts().Plan(add, group); saas.Is(err, saas.Already) {
				add, del = del, add
			}
			o.acts().Undo(o.acts().Do(add, group))
			o.acts().Do(add, group)
			o.acts().Do(del, group)
		}
		unknown := saas.Target{ID: id, Params: map[string]string{"group.name": "no such group"}}
		if _, err := o.acts().Plan(action.AddToGroup, unknown); err == nil ||
			!strings.Contains(err.Error(), "no such group") {
			o.Errorf("a group that is not there: %v", err)
		}
	})
}

func TestAPermissionSetIsTakenAndGivenBack(t *testing.T) {
	governed(t, func(o *tenancy) {
		const from = " FROM PermissionSetAssignment WHERE PermissionSet.IsOwnedByProfile = "
		row := o.rows("SELECT Id, AssigneeId, PermissionSetId, PermissionSetGroupId" + from +
			"false AND Assignee.Username != 'svc.collector@contoso.example'")[0]
		o.acts().Undo(o.acts().Do(action.RevokeRole, saas.Target{ID: saas.TextAt(row, "Id")}))
		role := saas.TextAt(row, "PermissionSetGroupId")
		if role == "" {
			role = saas.TextAt(row, "PermissionSetId")
		}
		o.acts().Do(action.RevokeRole, saas.Target{Params: map[string]string{"user.id": saas.TextAt(row, "AssigneeId"), "role.id": role}})
		own := o.text("SELECT Id"+from+"true", "Id")
		if own == "" {
			return
		}
		if _, err := o.acts().Plan(action.RevokeRole, saas.Target{ID: own}); err == nil || !strings.Contains(err.Error(), "profile") {
			o.Errorf("a profile was to be taken: %v", err)
		}
	})
}

// text is a text in a document, by its path.
func text(d map[string]any, path string) string {
	first, rest, more := strings.Cut(path, ".")
	if !more {
		s, _ := d[first].(string)
		return s
	}
	below, _ := d[first].(map[string]any)
	return text(below, rest)
}

func TestTokensAreRevokedInEveryForm(t *testing.T) {
	governed(t, func(o *tenancy) {
		o.pass(10 * time.Minute)
		grants := func(kind string) []map[string]any {
			return o.came(func(d map[string]any) bool {
				return text(d, "entity.type") == "app_grant" && text(d, "entity.sub_type") == kind
			})
		}
		target := func(d map[string]any) saas.Target {
			return saas.Target{ID: text(d, "entity.id"), Params: map[string]string{"user.id": text(d, "user.id"),
				"client.id": text(d, "saas.app.id")}}
		}
		external, connected := grants("external_client_app"), grants("connected_app")
		if len(external) < 4 || len(connected) < 4 {
			o.Fatalf("%d and %d grants", len(external), len(connected))
		}
		o.acts().Do(action.RevokeToken, target(external[0]))
		o.acts().Do(action.RevokeGrant, target(external[1]))
		o.acts().Do(action.RevokeClientTokens, saas.Target{Params: map[string]string{"client.id": text(external[2], "saas.app.id")}})
		for _, d := range connected {
			app := text(d, "saas.app.id")
			if !strings.HasPrefix(app, "0DS") {
				continue
			}
			p := o.acts().Do(action.RevokeGrant, saas.Target{ID: text(d, "entity.id")})
			if kept, _ := json.Marshal(p); !strings.Contains(string(kept), "{DeleteToken}") || strings.Contains(string(kept), `"DT`) {
				o.Errorf("the plan keeps %s", kept)
			}
			if _, err := o.acts().Plan(action.RevokeClientTokens, saas.Target{Params: map[string]string{"client.id": app}}); err == nil {
				o.acts().Do(action.RevokeClientTokens, saas.Target{Params: map[string]string{"client.id": app}})
			}
			break
		}
		nobody := saas.Target{Params: map[string]string{"user.id": "0055g00000000GHAAY"}}
		if _, err := o.acts().Plan(action.RevokeGrant, nobody); !saas.Is(err, saas.Invalid) {
			o.Errorf("of no app: %v", err)
		}
		if all := fmt.Sprint(o.came(func(map[string]any) bool { return true })); strings.Contains(all, "DeleteToken") {
			o.Error("a record holds a token")
		}
	})
}

func TestActionsRefuseWhatCannotWork(t *testing.T) {
	governed(t, func(o *tenancy) {
		f := func(verb string, t saas.Target, want string) {
			o.Helper()
			if _, err := o.acts().Plan(verb, t); err == nil || !strings.Contains(err.Error(), want) {
				o.Errorf("%s of %+v: %v, want %q", verb, t, err, want)
			}
		}
		f(action.SuspendUser, saas.Target{}, "names no user")
		f(action.SuspendUser, saas.Target{Name: "nobody' OR Id != '"}, "there is no user")
		f(action.RevokeRole, saas.Target{ID: "x"}, "are needed")
		f(action.QuarantineFile, saas.Target{ID: "0010000000000001"}, "is no file")
		f(action.QuarantineFile, saas.Target{ID: "069000000000001AAA"}, "is gone")
		f(action.QuarantineFile, saas.Target{ID: o.text("SELECT Id FROM Attachment", "Id")}, "Attachment")
		f(action.RestrictLink, saas.Target{ID: o.text("SELECT Id FROM ContentDocument", "Id"), Params: map[string]string{"access": "open"}},
			`"open"`)
		admin := o.text("SELECT Id FROM User WHERE Username = 'admin@contoso.example'", "Id")
		if p, err := o.acts().Plan(action.DeactivateUser, saas.Target{ID: admin}); admin != "" && err == nil {
			a, _ := o.tenant().Action(action.DeactivateUser)
			if err := a.Do(o.Context(), o.tenant().Conn(), p); err == nil || !strings.Contains(err.Error(), "FIELD_INTEGRITY_EXCEPTION") {
				o.Errorf("a default owner was deactivated: %v", err)
			}
		}
	})
}

func TestEveryActionSaysWhatItIs(t *testing.T) {
	o := &org{Config: defaults(), cred: &credential{}, labels: infile.New("", nil)}
	for _, a := range o.actions() {
		if !action.Known(a.Verb) || a.Docs == "" || len(a.Needs) == 0 || a.Plan == nil || a.Do == nil {
			t.Errorf("%+v", a)
		}
	}
}
