package office365

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// desk is a fake tenant with a receiver whose actions are tried, in a bubble of virtual time.
type desk struct {
	saastest.Acts
	org  *simOrg
	fake *sim.Sim
	net  simtest.Net
}

// atDesk runs f. keys are added to the configuration.
func atDesk(t *testing.T, f func(d *desk), keys func(*simOrg) map[string]any) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)))
		d := &desk{}
		var err error
		d.org, d.fake, err = newSimOrg(sim.Options{Seed: 3, Users: 30, Files: 300, Events: 5, Limits: -1, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		base, stop := d.net.Serve(described(t, d.fake.Handler))
		defer stop()
		more := map[string]any{}
		if keys != nil {
			more = keys(d.org)
		}
		recv := saastest.Start(t, Provider, "acme", &d.net, consumertest.NewNop(),
			map[string]any{"streams": saastest.Only(t, &Provider)}, d.fake.Config(base), more)
		defer saastest.End(t, recv)
		synctest.Wait()
		d.Acts = saastest.Acts{T: t, Tenant: saastest.TenantOf(t, "o365", "acme"), Changes: d.written}
		f(d)
	})
}

// written counts the requests that changed something.
func (d *desk) written() int {
	return d.fake.Seen.Writes() - d.fake.Seen.Count("POST", "/{tenant}/oauth2/v2.0/token", 0) - d.fake.Seen.Count("POST",
		"/v1.0/drives/{drive}/items/{item}/extractSensitivityLabels", 0)
}

func TestActionsReachTheirState(t *testing.T) {
	atDesk(t, func(d *desk) {
		u := d.org.users[4]
		user := saas.Target{ID: u.id}
		was := u.sessions
		p := d.Do(action.SuspendUser, user)
		if u.enabled || !u.sessions.After(was) {
			t.Errorf("suspended: enabled %t, sessions from %v", u.enabled, u.sessions)
		}
		d.Undo(p)
		if !u.enabled {
			t.Error("suspend_user was not undone")
		}
		u.enabled = false
		if d.Do(action.RestoreUser, user); !u.enabled {
			t.Error("the account was not restored")
		}
		was = u.sessions
		time.Sleep(time.Second)
		if d.Do(action.RevokeSessions, user); !u.sessions.After(was) {
			t.Error("sessions were not revoked")
		}
		p = d.Do(action.ExpirePassword, user)
		if !u.force {
			t.Error("the password was not expired")
		}
		if d.Undo(p); u.force {
			t.Error("expire_password was not undone")
		}
		p = d.Do(action.ConfirmCompromised, user)
		if !u.compromised {
			t.Error("the account was not confirmed as compromised")
		}
		if d.Undo(p); u.compromised {
			t.Error("confirm_compromised was not undone")
		}
		synced := d.org.users[slices.IndexFunc(d.org.users, func(u *simUser) bool { return u.synced })]
		if _, err := d.Plan(action.ExpirePassword, saas.Target{ID: synced.id}); !saas.Is(err, saas.Invalid) {
			t.Errorf("a password that is mastered on premises: %v", err)
		}
		if _, err := d.Plan(action.SuspendUser, saas.Target{}); !saas.Is(err, saas.Invalid) {
			t.Errorf("nobody: %v", err)
		}
	}, nil)
}

func TestPermissionsOfAppsAreRevoked(t *testing.T) {
	atDesk(t, func(d *desk) {
		g := *d.org.grants[0]
		p := d.Do(action.RevokeGrant, saas.Target{ID: "oauth2PermissionGrants/" + g.id})
		if slices.ContainsFunc(d.org.grants, func(o *simGrant) bool { return o.id == g.id }) {
			t.Error("the grant is there")
		}
		d.Undo(p)
		if !slices.ContainsFunc(d.org.grants, func(o *simGrant) bool {
			return o.client == g.client && o.user == g.user && o.resource == g.resource && o.scope == g.scope
		}) {
			t.Error("the grant was not brought back")
		}
		app := d.org.byID[g.client].(*simApp)
		d.Do(action.RevokeGrant, saas.Target{Params: map[string]string{"client.id": app.app, "user.id": g.user}})
		if slices.ContainsFunc(d.org.grants, func(o *simGrant) bool { return o.client == g.client && o.user == g.user }) {
			t.Error("what the user granted the app is there")
		}
		h := *d.org.assigned[len(d.org.assigned)-1]
		p = d.Do(action.RevokeGrant, saas.Target{ID: "servicePrincipals/" + h.resource + "/appRoleAssignedTo/" + h.id})
		has := func() bool {
			return slices.ContainsFunc(d.org.assigned, func(o *simAssigned) bool { return o.app == h.app && o.role == h.role })
		}
		if has() {
			t.Error("the application permission is there")
		}
		if d.Undo(p); !has() {
			t.Error("the application permission was not brought back")
		}
		app.disabled = false
		p = d.Do(action.BanApp, saas.Target{Params: map[string]string{"client.id": app.app}})
		if !app.disabled {
			t.Error("the app was not banned")
		}
		if d.Undo(p); app.disabled {
			t.Error("ban_app was not undone")
		}
		if _, err := d.Plan(action.RevokeGrant, saas.Target{ID: "users/x"}); !saas.Is(err, saas.Invalid) {
			t.Errorf("what is no permission: %v", err)
		}
	}, nil)
}

// file is a file that is as wanted, alive and in a drive.
func (d *desk) file(want func(it *simItem) bool) *simItem {
	d.Helper()
	i := slices.IndexFunc(d.org.files, func(it *simItem) bool { return d.org.live(it) && want(it) })
	if i < 0 {
		d.Fatal("no file is as the test wants it")
	}
	return d.org.files[i]
}

func (d *desk) target(it *simItem, params ...string) saas.Target {
	t := saas.Target{ID: it.drive.id + "/" + it.id, Params: map[string]string{}}
	for i := 0; i+1 < len(params); i += 2 {
		t.Params[params[i]] = params[i+1]
	}
	return t
}

// linked says whether a file has a link of its own with the scope, and nothing from folders.
func (d *desk) linked(scope string) func(it *simItem) bool {
	return func(it *simItem) bool {
		all, _ := d.org.inherited(it)
		return slices.ContainsFunc(it.perms, func(p *simPerm) bool { return p.scope == scope }) &&
			!slices.ContainsFunc(all, func(p *simPerm) bool { return p.scope != "" })
	}
}

func TestFileActionsReachTheirState(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.shares()
		d.removals()
		d.labels()
	}, func(org *simOrg) map[string]any {
		drive := org.sites[0].drive
		return map[string]any{"quarantine": map[string]any{"drive_id": drive.id, "folder_id": drive.root}}
	})
}

func (d *desk) shares() {
	it := d.file(d.linked("anonymous"))
	has := d.linked("anonymous")
	p := d.Do(action.RemovePublicLink, d.target(it))
	if has(it) {
		d.Error("the public link is there")
	}
	if d.Undo(p); !has(it) || !strings.Contains(string(p.After), "address of the link") {
		d.Errorf("the public link was not brought back, or not told with another address: %s", p.After)
	}
	p = d.Do(action.RestrictLink, d.target(it, "access", "company"))
	if has(it) || !d.linked("organization")(it) {
		d.Error("the link is not narrowed to the organization")
	}
	if d.Undo(p); !has(it) || d.linked("organization")(it) {
		d.Error("the narrowing of the link was not undone")
	}
	shared := d.file(func(it *simItem) bool {
		return slices.ContainsFunc(it.perms, func(p *simPerm) bool { return p.scope == "" && strings.Contains(p.user, "@partner") })
	})
	who := shared.perms[slices.IndexFunc(shared.perms, func(p *simPerm) bool { return p.scope == "" })].user
	reaches := func() bool {
		return slices.ContainsFunc(shared.perms, func(p *simPerm) bool { return p.user == who })
	}
	p = d.Do(action.RemoveCollaborator, d.target(shared, "collaborator", who))
	if reaches() {
		d.Error("the collaborator reaches the file")
	}
	if d.Undo(p); !reaches() {
		d.Error("the collaborator was not brought back")
	}
}

func (d *desk) removals() {
	plain := func(it *simItem) bool {
		return len(it.perms) == 0 && it.drive != d.org.sites[0].drive && len(it.versions) == 2
	}
	it := d.file(plain)
	p := d.Do(action.DeleteFile, d.target(it))
	if !it.binned {
		d.Error("the file is not in the bin")
	}
	if d.Undo(p); it.binned {
		d.Error("delete_file was not undone")
	}
	before := len(d.org.items)
	p = d.Do(action.QuarantineFile, d.target(it))
	if !it.binned || len(d.org.items) != before+1 {
		d.Error("the file is not in quarantine")
	}
	if d.Undo(p); it.binned {
		d.Error("quarantine_file was not undone")
	}
	d.Do(action.TombstoneFile, d.target(it))
	if len(it.versions) != 1 || string(it.versions[0].bytes()) != notice {
		d.Errorf("%d versions, the last %.40q", len(it.versions), it.versions[len(it.versions)-1].bytes())
	}
	if d.Do(action.PurgeFile, d.target(it)); !it.gone {
		d.Error("the file is not gone")
	}
	b := d.org.bin[0]
	d.Do(action.RestoreFile, saas.Target{ID: inBin + b.id,
		Params: map[string]string{"container.id": "https://" + d.org.host(b.item.drive.site) + b.item.drive.site.path}})
	if b.item.binned {
		d.Error("the file was not restored")
	}
	if _, err := d.Plan(action.DeleteFile, saas.Target{ID: "42"}); !saas.Is(err, saas.Invalid) {
		d.Errorf("what is no file: %v", err)
	}
}

func (d *desk) labels() {
	it := d.file(func(it *simItem) bool { return strings.HasSuffix(it.name, ".docx") && it.label == "" })
	p := d.Do(action.ApplyLabel, d.target(it, "label", "Confidential"))
	if got := it.labelAt(time.Now()); got != simLabels[2].id {
		d.Errorf("the label is %q", got)
	}
	d.Undo(p)
	time.Sleep(time.Minute)
	if got := it.labelAt(time.Now()); got != "" {
		d.Errorf("undone, the label is %q", got)
	}
	if _, err := d.Plan(action.ApplyLabel, d.target(it, "label", "Of nobody")); !saas.Is(err, saas.Invalid) {
		d.Errorf("a label that there is not: %v", err)
	}
}

func TestALockedFileIsLeftForLater(t *testing.T) {
	atDesk(t, func(d *desk) {
		it := d.file(func(it *simItem) bool { return len(it.perms) == 0 })
		p, err := d.Plan(action.DeleteFile, d.target(it))
		if err != nil {
			t.Fatal(err)
		}
		d.org.odd.locked[it.id] = true
		if err := d.Once(p, false); !saas.Is(err, saas.Pending) {
			t.Errorf("a locked file: %v", err)
		}
		delete(d.org.odd.locked, it.id)
		if err := errors.Join(d.Once(p, false)); err != nil || !it.binned {
			t.Errorf("unlocked: %v", err)
		}
	}, nil)
}
