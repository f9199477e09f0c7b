package googleworkspace

import (
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

// desk is a fake customer with a receiver whose actions are tried, in a bubble of virtual time.
type desk struct {
	saastest.Acts
	org *simOrg
}

// atDesk runs f. The quarantine is a shared drive of the administrator's.
func atDesk(t *testing.T, f func(d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 2, 9, 30, 17, 0, time.UTC)))
		org, err := newSimOrg(sim.Options{Seed: 6, Events: 20, Users: 30, Files: 400, Limits: -1})
		if err != nil {
			t.Fatal(err)
		}
		n, fake := &simtest.Net{}, org.sim
		base, stop := n.Serve(fake.Handler)
		defer stop()
		r := saastest.Start(t, Provider, "acts", n, consumertest.NewNop(), fake.Config(base),
			map[string]any{"streams": saastest.Only(t, &Provider), "quarantine_drive": org.quarantine(t),
				"labels": map[string]string{"Internal": simInternal}})
		defer saastest.End(t, r)
		synctest.Wait()
		changes := func() int { return fake.Seen.Writes() - fake.Seen.Count("POST", "/token", 0) }
		f(&desk{saastest.Acts{T: t, Tenant: saastest.TenantOf(t, module, "acts"), Changes: changes}, org})
	})
}

const simInternal = simLabelID + "/" + simFieldID + "/ChoiceInternB"

// quarantine is a shared drive that the administrator manages.
func (s *simOrg) quarantine(t *testing.T) string {
	for _, h := range s.tree.homes {
		if h.user == nil && slices.ContainsFunc(h.members, func(p simPerm) bool { return p.email == s.login.subject && p.role == "organizer" }) {
			return h.id
		}
	}
	t.Fatal("the administrator manages no shared drive")
	return ""
}

// user finds one who is as wanted.
func (d *desk) user(what string, ok func(u *simUser) bool) *simUser {
	d.Helper()
	for _, u := range d.org.users {
		if u.email != d.org.login.subject && u.deleted.IsZero() && !u.super && ok(u) {
			return u
		}
	}
	d.Fatalf("nobody is %s", what)
	return nil
}

func TestActionsReachTheirState(t *testing.T) {
	atDesk(t, func(d *desk) {
		u := d.user("active", (*simUser).live)
		target := saas.Target{ID: u.email}
		p := d.Do(action.SuspendUser, target)
		if !u.suspended {
			t.Error("the account was not suspended")
		}
		if d.Undo(p); u.suspended {
			t.Error("suspend_user was not taken back")
		}
		d.Try(action.SuspendUser, target)
		d.Try(action.ExpirePassword, target)
		if d.Do(action.ExpirePassword, target); !u.change {
			t.Error("the password was not expired")
		}
		d.Do(action.ResetPassword, target)
		away := d.user("suspended by an administrator", func(u *simUser) bool { return u.suspended && !u.abuse && !u.archived })
		if d.Do(action.RestoreUser, saas.Target{ID: away.id}); away.suspended {
			t.Error("the account was not restored")
		}
		safe := d.user("enrolled", func(u *simUser) bool { return u.live() && u.enrolled && !u.enforced })
		if d.Do(action.ResetFactors, saas.Target{ID: safe.id}); safe.enrolled {
			t.Error("the second factor is still there")
		}
	})
}

func TestGrantsAndTokensAreRevoked(t *testing.T) {
	atDesk(t, func(d *desk) {
		u := d.user("using apps", func(u *simUser) bool { return u.live() && len(u.tokens) > 1 })
		client := u.tokens[0].client
		if d.Do(action.RevokeGrant, saas.Target{ID: u.id + "/" + client}); u.holds(client) {
			t.Error("the grant was not revoked")
		}
		v := d.user("using app passwords", func(u *simUser) bool { return u.live() && len(u.asps) > 0 })
		n := len(v.asps)
		if d.Do(action.RevokeToken, saas.Target{ID: v.id + "/" + itoa(v.asps[0].code)}); len(v.asps) != n-1 {
			t.Error("the app password was not revoked")
		}
		was := u.sessions
		if d.Do(action.RevokeSessions, saas.Target{ID: u.email}); u.sessions == was || len(u.tokens) > 0 {
			t.Errorf("sessions ended %d times, %d grants are left", u.sessions-was, len(u.tokens))
		}
	})
}

func TestWhatCannotBeDoneToAnAccountIsRefused(t *testing.T) {
	atDesk(t, func(d *desk) {
		f := func(verb string, target saas.Target, want saas.Outcome) {
			t.Helper()
			if _, err := d.Plan(verb, target); !saas.Is(err, want) {
				t.Errorf("%s of %s: %v, want %v", verb, target.ID, err, want)
			}
		}
		u := d.user("active", (*simUser).live)
		f(action.RestoreUser, saas.Target{ID: u.email}, saas.Already)
		f(action.SuspendUser, saas.Target{ID: "nobody@contoso.example"}, saas.Missing)
		f(action.RevokeGrant, saas.Target{ID: u.id + "/no-such-app"}, saas.Already)
		f(action.RevokeGrant, saas.Target{ID: "no-such-app"}, saas.Invalid)
		f(action.QuarantineFile, saas.Target{ID: "no-such-file"}, saas.Invalid)
	})
}

func (u *simUser) holds(client string) bool {
	return slices.ContainsFunc(u.tokens, func(k simToken) bool { return k.client == client })
}

// file finds one in somebody's own drive that is as wanted.
func (d *desk) file(what string, ok func(f *simFile) bool) (*simFile, saas.Target) {
	d.Helper()
	for _, h := range d.org.tree.homes {
		if h.user == nil || !h.user.live() {
			continue
		}
		n, at := d.org.tree.list(h)
		for i := range n {
			f := d.org.tree.get(at(i))
			if f != nil && f.home == h && f.trashed.IsZero() && f.parent != "" && !strings.HasPrefix(f.mime, simGoogle) && ok(f) {
				return f, saas.Target{ID: f.id, Params: map[string]string{"owner.email": h.user.email}}
			}
		}
	}
	d.Fatalf("no file is %s", what)
	return nil, saas.Target{}
}

// shared says whether somebody of a kind has a file of his own right.
func (d *desk) shared(id, kind string, ok func(p simPerm) bool) bool {
	f := d.org.tree.get(id)
	return f != nil && slices.ContainsFunc(f.perms, func(p simPerm) bool { return p.kind == kind && ok(p) })
}

func TestSharingIsTakenAwayAndGivenBack(t *testing.T) {
	anybody := func(simPerm) bool { return true }
	outside := func(p simPerm) bool { return p.role != "owner" && !strings.HasSuffix(p.email, "@contoso.example") }
	f := func(verb, what, kind string, meant func(p simPerm) bool, params map[string]string) {
		t.Helper()
		atDesk(t, func(d *desk) {
			file, target := d.file(what, func(f *simFile) bool {
				return slices.ContainsFunc(f.perms, func(p simPerm) bool { return p.kind == kind && meant(p) })
			})
			for k, v := range params {
				target.Params[k] = v
			}
			p := d.Do(verb, target)
			if d.shared(file.id, kind, meant) {
				t.Errorf("%s: %s is still %s", verb, file.id, what)
			}
			if params["access"] == "company" && !d.shared(file.id, "domain", anybody) {
				t.Errorf("%s: %s is not open to the company", verb, file.id)
			}
			if d.Undo(p); !d.shared(file.id, kind, meant) {
				t.Errorf("%s: %s is not given back", verb, file.id)
			}
			if params["access"] != "company" {
				d.Try(verb, target)
			}
		})
	}
	f(action.RemovePublicLink, "open to everybody", "anyone", anybody, nil)
	f(action.RestrictLink, "open to everybody", "anyone", anybody, map[string]string{"access": "company"})
	f(action.RestrictLink, "open to everybody", "anyone", anybody, map[string]string{"access": "collaborators"})
	f(action.RemoveCollaborator, "shared outside", "user", outside, nil)
}

func TestFileActionsReachTheirState(t *testing.T) {
	atDesk(t, func(d *desk) {
		any := func(*simFile) bool { return true }
		file, target := d.file("there", any)
		d.Try(action.DeleteFile, target)
		d.Do(action.DeleteFile, target)
		if d.org.tree.get(file.id).trashed.IsZero() {
			t.Error("the file is not in the trash")
		}
		if d.Do(action.RestoreFile, target); !d.org.tree.get(file.id).trashed.IsZero() {
			t.Error("the file is still in the trash")
		}
		target.Params["label"] = "Internal"
		d.Try(action.ApplyLabel, target)
		d.Do(action.ApplyLabel, target)
		if on := d.org.tree.get(file.id).labels; len(on) == 0 {
			t.Error("the file has no label")
		}
		delete(target.Params, "label")
		home, q := d.org.tree.get(file.id).home, d.org.quarantine(t)
		p := d.Do(action.QuarantineFile, target)
		if now := d.org.tree.get(file.id).home; now.id != q {
			t.Errorf("the file is in %s, not in quarantine", now.id)
		}
		if d.Undo(p); d.org.tree.get(file.id).home != home {
			t.Error("the file is not back where it was")
		}
		d.Do(action.TombstoneFile, target)
		if f := d.org.tree.get(file.id); len(f.revs) != 1 || string(f.revs[0].data) != notice {
			t.Errorf("%d revisions are left", len(f.revs))
		}
		if d.Do(action.PurgeFile, target); d.org.tree.get(file.id) != nil {
			t.Error("the file is still there")
		}
	})
}
