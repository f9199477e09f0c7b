package action

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

func TestEnforcedActionIsDoneVerifiedAndReceipted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		r.ask(suspend("u1", Enforce))
		r.effects("suspend u1")
		r.receipts("requested suspend_user", "result suspend_user success")
		all := r.in.unique()
		if all[0].id != all[1].id || all[0].id == "" || all[1].typ != "change" || all[0].mode != "enforce" {
			t.Fatalf("%+v", all)
		}
		if n := len(r.in.got); n != 2 {
			t.Fatalf("%d receipts were handed on, want each once", n)
		}
	})
}

func TestDryRunSendsNothingAndSaysWhatItWouldSend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		r.ask(suspend("u1", DryRun))
		r.effects()
		r.receipts("requested suspend_user")
		got := r.in.last()
		if !strings.Contains(got.message, "would send POST /suspend/u1") ||
			!strings.Contains(got.raw, `"url":"/suspend/u1"`) || got.outcome != "" {
			t.Fatalf("%+v", got)
		}
		_, err := r.Undo(t.Context(), got.id, "ana")
		if err == nil || !strings.Contains(err.Error(), "it changed nothing: it ended as rehearsed") {
			t.Fatalf("undo of a dry run: %v", err)
		}
	})
}

func TestDryRunSaysWhichRightIsMissing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		r.v.be(func(v *vendor) { v.rights.Held = []string{"users.read"} })
		r.ask(suspend("u1", DryRun), suspend("u2", Enforce))
		r.effects()
		for _, got := range r.in.unique() {
			if got.reason != "the credential lacks users.manage" || got.kind == result && got.mode == DryRun {
				t.Fatalf("%+v", got)
			}
		}
		if got := r.in.unique(); len(got) != 3 {
			t.Fatalf("%+v", got)
		}
	})
}

func TestSameTriggerIsOneAction(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		r.ask(suspend("u1", Enforce), suspend("u1", Enforce))
		r.v.be(func(v *vendor) { v.status["u1"] = "ACTIVE" }) // a person took it back
		r.ask(suspend("u1", Enforce))
		r.stop()
		r.Engine = r.engine(r.store)
		r.start()
		defer r.stop()
		r.ask(suspend("u1", Enforce))
		r.effects("suspend u1")
		r.receipts("requested suspend_user", "result suspend_user success")
		r.ask(nth(suspend("u1", Enforce), 2))
		r.effects("suspend u1", "suspend u1")
	})
}

// TestStateThatIsThereAgainIsActedOnAgain: what leads to an action is a state that several readings may show.
func TestStateThatIsThereAgainIsActedOnAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		first := unlink("f1", Enforce)
		r.ask(first)
		r.ask(first) // read before it was done, and told of later
		r.effects("unlink f1")
		r.receipts("requested remove_public_link", "result remove_public_link success")
		r.v.be(func(v *vendor) { v.status["f1"] = "PUBLIC" }) // somebody shares it again
		again := unlink("f1", Enforce)
		r.ask(again)
		r.ask(again)
		r.effects("unlink f1", "unlink f1")
		r.stop()
		r.Engine = r.engine(r.store)
		r.start()
		defer r.stop()
		r.ask(again)
		r.ask(unlink("f1", Enforce)) // a listing that lags behind
		r.ask(unlink("f1", Enforce))
		r.effects("unlink f1", "unlink f1")
		if n := r.Counts()[Ended]; n != 3 {
			t.Fatalf("%d actions, want two that were done and one for all that found nothing to do", n)
		}
	})
}

func TestWhatAPersonTookBackWaitsForAPerson(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		q := unlink("f1", Enforce)
		r.ask(q, suspend("u1", Enforce))
		for _, id := range []string{q.ID(), ptr(suspend("u1", Enforce)).ID()} {
			if _, err := r.Undo(t.Context(), id, "ana"); err != nil {
				t.Fatal(err)
			}
		}
		r.settle()
		did := r.v.done()
		r.stop() // it is known in the next life
		r.Engine = r.engine(r.store)
		r.start()
		defer r.stop()
		again := unlink("f1", Enforce)
		again.Trigger += " link under another address"
		r.ask(again, unlink("f2", Enforce))
		if got := r.v.done()[len(did):]; !slices.Equal(got, []string{"unlink f2"}) {
			t.Fatal(got)
		}
		if en := r.entry(again.ID()); en.State != Waiting || !strings.Contains(en.Reason, "took back the same action before ("+q.ID()+")") {
			t.Fatalf("%+v", en)
		}
		if err := r.Approve(t.Context(), again.ID(), "ana"); err != nil {
			t.Fatal(err)
		}
		r.ask(nth(suspend("u1", Enforce), 2)) // what happened, happened anew
		if got := r.v.done()[len(did)+1:]; !slices.Equal(got, []string{"unlink f1", "suspend u1"}) {
			t.Fatal(got)
		}
	})
}

func TestFilesOfProtectedOwnersAreLeftAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := func(owner string, denied bool) {
			t.Helper()
			r := newRig(t, func(s *Settings) { s.Owners = []string{owner} })
			defer r.stop()
			r.ask(unlink("f1", Enforce), suspend("u1", Enforce))
			want := []string{"suspend u1", "unlink f1"}
			if denied {
				want = want[:1]
			}
			if got := slices.Sorted(slices.Values(r.v.done())); !slices.Equal(got, want) {
				t.Fatalf("%s is protected: %q was done", owner, got)
			}
		}
		f("o1", true)
		f("owner@acme.example ", true)
		f("u1", false) // as an account, this says nothing
		f("", false)
	})
}

// TestEnforcedActionStartsAtOnce behind a thousand plans, each of which takes its time.
func TestEnforcedActionStartsAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		r.v.be(func(v *vendor) { v.slow = 10 * time.Second })
		var many []Request
		for i := range 1000 {
			many = append(many, unlink(fmt.Sprint("d", i), []string{DryRun, Approve}[i%2]))
		}
		if err := r.Ask(t.Context(), many); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.v.be(func(v *vendor) { v.slow = 0 })
		if err := r.Ask(t.Context(), []Request{unlink("f1", Enforce)}); err != nil {
			t.Fatal(err)
		}
		r.after(time.Nanosecond)
		r.effects("unlink f1")
		if n := r.Counts()[Asked]; n < 900 {
			t.Fatalf("only %d plans were still to be made", n)
		}
	})
}

func ptr[T any](v T) *T { return &v }

func TestNothingToDoIsSuccess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		r.v.be(func(v *vendor) { v.status["u1"] = "SUSPENDED" })
		r.ask(suspend("u1", Enforce))
		r.effects()
		r.receipts("requested suspend_user", "result suspend_user success")
		if got := r.in.last(); got.reason != "nothing is to be done" {
			t.Fatalf("%+v", got)
		}
	})
}

func TestOwnAndProtectedAccountsAreDenied(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, func(s *Settings) { s.Protect = []string{"Breakglass@ACME.example", "u2", " u3@acme.example "} })
		defer r.stop()
		f := func(q Request, want string) {
			t.Helper()
			r.ask(q)
			got := r.in.last()
			if got.kind != result || got.typ != "denied" || got.outcome != "failure" || got.reason != want {
				t.Fatalf("got %+v, want %q", got, want)
			}
		}
		f(suspend("u0", Enforce), "u0 is the agent's own account")
		f(nth(suspend("u0", DryRun), 1), "u0 is the agent's own account")
		q := suspend("u8", Enforce)
		q.Target.Name = "AGENT@acme.example"
		f(q, "AGENT@acme.example is the agent's own account")
		q = suspend("u9", Enforce)
		q.Names = []string{"breakglass@acme.example"}
		f(q, "breakglass@acme.example is protected")
		f(suspend("u2", Approve), "u2 is protected")
		q = suspend("u3", Enforce)
		q.Target.Name = "" // only the plan knows the login
		f(q, "u3@acme.example is protected")
		q = suspend("u4", Enforce)
		q.Target.Params = map[string]string{"user.id": "u2"}
		f(q, "u2 is protected")
		r.effects()
	})
}

func TestProtectionByNameBecomesOneById(t *testing.T) {
	bubble(t, func(t *testing.T) {
		protect := func(names ...string) func(*Settings) { return func(s *Settings) { s.Protect = names } }
		r := newRig(t, protect("ana@acme.example"))
		for _, who := range [][3]string{{"acme", "u1", "Ana@acme.example"}, {"acme", "u2", "bob@acme.example"},
			{"sales", "u3", "ana@acme.example"}} {
			for range 2 {
				if err := r.Learn(t.Context(), "okta", who[0], who[1], "", who[2]); err != nil {
					t.Fatal(err)
				}
			}
		}
		r.stop()
		r.Engine = r.engine(r.store, protect("ana@acme.example")) // it is known in the next life
		r.start()
		onlyID := func(user string) Request {
			q := suspend(user, Enforce)
			q.Target.Name = ""
			return with(q, RevokeSessions)
		}
		r.ask(onlyID("u1"), onlyID("u2"), onlyID("u3"))
		r.stop()
		if got := r.v.done(); len(got) != 2 || slices.Contains(got, "clear u1") {
			t.Fatal(got)
		}
		r.Engine = r.engine(r.store, protect("cid@acme.example")) // and forgotten with the name
		r.start()
		defer r.stop()
		if n := r.rows(protectedPrefix); n != 0 {
			t.Fatalf("%d rows", n)
		}
	})
}

func TestProtectionKnowsWhatAVerbChanges(t *testing.T) {
	f := func(verb string, target saas.Target, want bool) {
		t.Helper()
		q := Request{Verb: verb, Target: target}
		if got := protectedBy(&q, target, nil, []string{"app1"}, []string{"ana"}); (got != "") != want {
			t.Fatalf("%s %+v: %q", verb, target, got)
		}
	}
	f(RevokeGrant, saas.Target{Params: map[string]string{"client.id": "app1", "user.id": "bob"}}, true)
	f(RevokeGrant, saas.Target{Params: map[string]string{"client.id": "app2", "user.id": "Ana"}}, true)
	f(RevokeGrant, saas.Target{Params: map[string]string{"client.id": "app2", "user.id": "bob"}}, false)
	f(RevokeToken, saas.Target{ID: "t1", Params: map[string]string{"user.id": "ana"}}, true)
	f(RemovePublicLink, saas.Target{ID: "f1", Name: "ana", Params: map[string]string{"owner.id": "ana"}}, false)
	f(RemoveCollaborator, saas.Target{ID: "f1", Params: map[string]string{"collaborator": "ana"}}, true)
}

func TestWhatIsAboveTheCapWaitsForAPerson(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, func(s *Settings) { s.PerHour = 2 })
		r.ask(suspend("u1", Enforce))
		r.ask(suspend("u2", Enforce))
		r.ask(suspend("u3", Enforce))
		r.effects("suspend u1", "suspend u2")
		got := r.in.last()
		if got.kind != requested || got.reason != "2 actions were sent to okta/acme within an hour, which is the cap" ||
			!strings.Contains(got.message, "waits for a person") {
			t.Fatalf("%+v", got)
		}
		r.stop() // the count survives
		r.Engine = r.engine(r.store, func(s *Settings) { s.PerHour = 2 })
		r.start()
		defer r.stop()
		r.ask(nth(suspend("u1", Enforce), 1)) // it is suspended: nothing is to be done, and nothing counted
		r.v.be(func(v *vendor) { v.status["u2"] = "ACTIVE" })
		r.ask(nth(suspend("u2", Enforce), 1))
		r.effects("suspend u1", "suspend u2")
		if err := r.Approve(t.Context(), got.id, "ana"); err != nil {
			t.Fatal(err)
		}
		r.settle()
		r.effects("suspend u1", "suspend u2", "suspend u3")
		r.after(time.Hour)
		r.ask(nth(suspend("u2", Enforce), 2)) // the hour is over
		r.effects("suspend u1", "suspend u2", "suspend u3", "suspend u2")
	})
}

func TestUnknownOwnAccountNeedsAPerson(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		r.v.be(func(v *vendor) { v.rights = &saas.Rights{} })
		r.ask(suspend("u1", Enforce))
		r.effects()
		if got := r.in.last(); got.kind != requested || !strings.Contains(got.reason, "which account is the agent's own") {
			t.Fatalf("%+v", got)
		}
	})
}

func TestNothingIsPlannedBeforeTheRightsAreKnown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		rights := r.v.rights
		r.v.be(func(v *vendor) { v.rights = nil })
		r.ask(suspend("u1", Enforce))
		if r.v.reads != 0 {
			t.Fatalf("%d reads", r.v.reads)
		}
		r.v.be(func(v *vendor) { v.rights = rights })
		r.settle()
		r.effects("suspend u1")
	})
}

func TestApprovalIsAskedForAndGivenOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		r.ask(suspend("u1", Approve))
		r.effects()
		r.receipts("requested suspend_user")
		id := r.in.last().id
		waiting, err := r.List(t.Context(), Waiting, 10)
		if err != nil || len(waiting) != 1 || waiting[0].ID != id || waiting[0].Reason != "the policy asks for approval" {
			t.Fatalf("%+v, %v", waiting, err)
		}
		f := func(id, by, want string) {
			t.Helper()
			err := r.Approve(t.Context(), id, by)
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Fatalf("approve %q by %q: got %v, want %q", id, by, err, want)
			}
		}
		f("none", "ana", `action "none": it is not in the ledger`)
		f(id, "", "nobody is named")
		f(id, "ana", "")
		r.settle()
		f(id, "ana", "it is ended, not waiting")
		r.effects("suspend u1")
		r.receipts("requested suspend_user", "result suspend_user success")
		if en := r.entry(id); en.ApprovedBy != "ana" || en.Attempts != 1 {
			t.Fatalf("%+v", en)
		}
	})
}

func TestWhatNobodyApprovesIsRefusedAfterAWeek(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		r.ask(suspend("u1", Approve))
		r.after(waitFor + 2*sweepEvery)
		r.receipts("requested suspend_user", "result suspend_user failure")
		if got := r.in.last(); !strings.Contains(got.reason, "nobody approved it within 168h") || got.typ != "denied" {
			t.Fatalf("%+v", got)
		}
	})
}

func TestUndoTakesBackOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		r.ask(suspend("u1", Enforce))
		id := r.in.last().id
		r.stop()
		r.after(80 * 24 * time.Hour) // a manifest is good for weeks
		r.Engine = r.engine(r.store)
		r.start()
		defer r.stop()
		back, err := r.Undo(t.Context(), id, "ana")
		if err != nil {
			t.Fatal(err)
		}
		r.settle()
		again, err := r.Undo(t.Context(), id, "ana")
		if err != nil || again != back {
			t.Fatalf("%q, %v, want %q", again, err, back)
		}
		r.settle()
		r.effects("suspend u1", "unsuspend u1")
		r.receipts("requested suspend_user", "result suspend_user success", "requested suspend_user", "result suspend_user success")
		if got := r.in.last(); got.mode != "undo" || got.id != back || !strings.HasPrefix(got.message, "undo suspend user: user u1") {
			t.Fatalf("%+v", got)
		}
		if _, err := r.Undo(t.Context(), back, "ana"); err == nil || !strings.Contains(err.Error(), "it took back another one") {
			t.Fatalf("undo of an undo: %v", err)
		}
		if en := r.entry(back); en.Of != id || en.By != "ana" || r.entry(id).Undone != back {
			t.Fatalf("%+v", en)
		}
	})
}

func TestFailedUndoCanBeAskedForAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		r.ask(suspend("u1", Enforce))
		id := r.in.last().id
		r.v.fails(func(saas.Req, int) error { return &saas.Error{Outcome: saas.Denied, Status: 403, Code: "E6"} })
		first, err := r.Undo(t.Context(), id, "ana")
		if err != nil {
			t.Fatal(err)
		}
		r.settle()
		r.v.fails(nil)
		second, err := r.Undo(t.Context(), id, "ana")
		if err != nil || second == first {
			t.Fatalf("%q after %q, %v", second, first, err)
		}
		r.settle()
		r.effects("suspend u1", "unsuspend u1")
	})
}

func TestIrreversibleSaysWhy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		r.ask(with(suspend("u1", Enforce), DeactivateUser))
		_, err := r.Undo(t.Context(), r.in.last().id, "ana")
		if err == nil || !strings.Contains(err.Error(), "it cannot be taken back: the vendor forgets") {
			t.Fatal(err)
		}
		r.receipts("requested deactivate_user", "result deactivate_user success")
	})
}

func TestConflictsAreResolvedPerTargetAndMode(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		q := suspend("u1", Enforce)
		r.ask(q, with(q, RevokeSessions), with(q, DeactivateUser), suspend("u2", Enforce), with(suspend("u2", DryRun), DeactivateUser))
		got := r.v.done() // users are worked on side by side
		if slices.Sort(got); !slices.Equal(got, []string{"deactivate u1", "suspend u2"}) {
			t.Fatal(got)
		}
		want := map[string]string{
			"suspend_user failure": "deactivate_user contains suspend_user", "revoke_sessions failure": "deactivate_user contains revoke_sessions",
			"deactivate_user success": "", "suspend_user success": "",
		}
		for _, got := range r.in.unique() {
			if why, ok := want[got.verb+" "+got.outcome]; got.kind == result && (!ok || got.reason != why) {
				t.Fatalf("%+v", got)
			}
		}
	})
}

func TestConflictOrder(t *testing.T) {
	f := func(asked string, keep string, dropped ...string) {
		t.Helper()
		k, d := Resolve(strings.Fields(asked))
		var why []string
		for _, x := range d {
			why = append(why, x.Why)
		}
		if strings.Join(k, " ") != keep || !slices.Equal(why, dropped) {
			t.Fatalf("%s: kept %v, dropped %q", asked, k, why)
		}
	}
	f("", "")
	f("suspend_user suspend_user", "suspend_user")
	f("revoke_sessions suspend_user", "suspend_user", "suspend_user contains revoke_sessions")
	f("restore_user suspend_user reset_factors", "suspend_user reset_factors",
		"suspend_user and restore_user are opposites: suspend_user is the safer and wins")
	f("add_to_group remove_from_group", "remove_from_group",
		"remove_from_group and add_to_group are opposites: remove_from_group is the safer and wins")
	f("restore_user restore_file", "restore_user restore_file")
	f("remove_public_link apply_label", "remove_public_link apply_label")
	f("restrict_link remove_public_link", "remove_public_link", "remove_public_link contains restrict_link")
	f("remove_public_link quarantine_file apply_label", "quarantine_file apply_label", "quarantine_file contains remove_public_link")
	f("restore_file quarantine_file", "quarantine_file",
		"quarantine_file and restore_file are opposites: quarantine_file is the safer and wins")
}

func TestStrongerActionsOnFilesContainTheWeaker(t *testing.T) {
	order := []string{PurgeFile, DeleteFile, TombstoneFile, QuarantineFile}
	weakest := []string{RemovePublicLink, RestrictLink, RemoveCollaborator}
	for i, strong := range order {
		for _, weak := range slices.Concat(order[i+1:], weakest) {
			for _, asked := range [][]string{{strong, weak}, {weak, strong}} {
				if keep, _ := Resolve(asked); !slices.Equal(keep, []string{strong}) {
					t.Errorf("%v: kept %v, want %s", asked, keep, strong)
				}
			}
		}
		if !Safer(strong, RestoreFile) {
			t.Errorf("%s gives way to restore_file", strong)
		}
	}
	if keep, _ := Resolve(slices.Concat(weakest, order)); !slices.Equal(keep, []string{PurgeFile}) {
		t.Errorf("of all %v is kept", keep)
	}
}

func TestEveryVerbIsKnownOnSomething(t *testing.T) {
	for _, v := range Verbs() {
		if !Known(v) || !slices.Contains([]string{OnUser, OnRole, OnGrant, OnCredential, OnFile}, On(v)) {
			t.Errorf("%s is on %q", v, On(v))
		}
		for _, o := range Verbs() {
			if Safer(v, o) && Safer(o, v) || Contains(v, o) && Contains(o, v) {
				t.Errorf("%s and %s are both stronger than the other", v, o)
			}
		}
	}
	if Known("shout") || On("shout") != "" {
		t.Fatal("shout is no verb")
	}
}

func TestUnfitRequestIsRecorded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		q := suspend("", Enforce)
		q.Unfit = "the record names no user"
		r.ask(q)
		r.receipts("requested suspend_user", "result suspend_user failure")
		if got := r.in.last(); got.reason != q.Unfit || got.typ != "denied" {
			t.Fatalf("%+v", got)
		}
	})
}

// TestFailuresAreJudged lets the vendor refuse in every way.
func TestFailuresAreJudged(t *testing.T) {
	f := func(name string, fail func(saas.Req, int) error, user string, want ...string) {
		t.Helper()
		bubble(t, func(t *testing.T) {
			r := newRig(t)
			defer r.stop()
			r.v.fails(fail)
			r.ask(suspend(user, Enforce))
			r.after(2 * time.Hour)
			got := r.in.last()
			if s := fmt.Sprint(r.v.done(), " ", got.typ, " ", got.outcome); s != want[0] || !strings.Contains(got.reason, want[1]) ||
				name == "in words" && got.reason != want[1] {
				t.Fatalf("%s: got %q %+v, want %q", name, s, got, want)
			}
		})
	}
	always := func(o saas.Outcome) func(saas.Req, int) error {
		return func(saas.Req, int) error { return &saas.Error{Outcome: o, Status: 400, Code: "E1", Msg: "no"} }
	}
	times := func(n int, o saas.Outcome) func(saas.Req, int) error {
		return func(saas.Req, int) error {
			if n--; n < 0 {
				return nil
			}
			return &saas.Error{Outcome: o, Until: time.Now().Add(5 * time.Minute)}
		}
	}
	f("denied", always(saas.Denied), "u1", "[] denied failure", "E1 (no)")
	f("missing", always(saas.Missing), "u1", "[] change failure", "missing: http 400 E1")
	f("no such user", nil, "missing", "[] change failure", "http 404 E7 (not found)")
	f("invalid", always(saas.Invalid), "u1", "[] change failure", "invalid")
	f("already", always(saas.Already), "u1", "[] change unknown", "given up after 1h0m0s: sent, and it does not show yet")
	f("down", always(saas.Unavailable), "u1", "[] change unknown", "given up after 1h0m0s: unavailable")
	f("throttled", times(3, saas.Throttled), "u1", "[suspend u1] change success", "")
	f("token", times(1, saas.Unauthorized), "u1", "[suspend u1] change success", "")
	f("pending", times(2, saas.Pending), "u1", "[suspend u1] change success", "")
	f("in words", func(saas.Req, int) error { return &saas.Error{Outcome: saas.Invalid, Msg: "u1 is LOCKED"} }, "u1",
		"[] change failure", "u1 is LOCKED")
	f("mistake", func(saas.Req, int) error { return errors.New("user has no id") }, "u1", "[] change failure", "user has no id")
}

func TestRefusedForNowIsAskedAgainOnlyThen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		tries := 0
		until := time.Now().Add(10 * time.Minute)
		r.v.fails(func(saas.Req, int) error {
			if tries++; time.Now().Before(until) {
				return &saas.Error{Outcome: saas.Throttled, Until: until}
			}
			return nil
		})
		r.ask(suspend("u1", Enforce))
		r.after(time.Hour)
		if r.effects("suspend u1"); tries != 2 {
			t.Fatalf("%d tries, want 2", tries)
		}
	})
}

func TestLostReplyIsLookedAtBeforeItIsSentAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		r.v.fails(func(saas.Req, int) error { return lostReply })
		r.ask(suspend("u1", Enforce))
		r.effects("suspend u1")
		r.receipts("requested suspend_user", "result suspend_user success")
	})
}

func TestSlowToShowIsVerifiedAndNotSentAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		r.v.be(func(v *vendor) { v.show = 10 * time.Minute })
		r.ask(suspend("u1", Enforce))
		r.receipts("requested suspend_user")
		r.after(15 * time.Minute)
		r.effects("suspend u1")
		r.receipts("requested suspend_user", "result suspend_user success")
	})
}

func TestPendingKeepsWhatDoLearnt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		var seen []string
		act := saas.Action{Verb: QuarantineFile,
			Plan: func(_ context.Context, _ *saas.Conn, target saas.Target) (*saas.Plan, error) {
				return &saas.Plan{Target: target}, nil
			},
			Do: func(_ context.Context, _ *saas.Conn, p *saas.Plan) error {
				seen = append(seen, string(p.After))
				if len(seen) < 3 {
					p.After = []byte(fmt.Sprintf(`{"monitor":"job%d"}`, len(seen)))
					return &saas.Error{Outcome: saas.Pending}
				}
				return nil
			}}
		find := func(string, string) Tenant { return oneAction{r.v, act} }
		r.stop()
		r.Engine = r.engine(r.store, func(s *Settings) { s.Find = find })
		r.start()
		q := Request{Module: "box", Tenant: "sales", Verb: QuarantineFile, Target: saas.Target{Type: "file", ID: "f1"}, Mode: Enforce,
			Trigger: "t"}
		if err := r.Ask(t.Context(), []Request{q}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.stop() // between two questions
		r.Engine = r.engine(r.store, func(s *Settings) { s.Find = find })
		r.start()
		defer r.stop()
		r.settle()
		if want := []string{"", `{"monitor":"job1"}`, `{"monitor":"job2"}`}; !slices.Equal(seen, want) {
			t.Fatalf("%q, want %q", seen, want)
		}
		r.receipts("requested quarantine_file", "result quarantine_file success")
	})
}

// oneAction is a vendor with another action.
type oneAction struct {
	*vendor
	act saas.Action
}

func (o oneAction) Action(verb string) (saas.Action, bool) { return o.act, verb == o.act.Verb }

// twoSteps is an action of two requests whose end shows.
func twoSteps(v *vendor) saas.Action {
	return saas.Action{Verb: SuspendUser,
		Plan: func(_ context.Context, _ *saas.Conn, target saas.Target) (*saas.Plan, error) {
			return &saas.Plan{Target: target, Steps: []saas.Req{{URL: "/suspend/u1"}, {URL: "/suspend/u2"}},
				Back: []saas.Req{{URL: "/unsuspend/u2"}, {URL: "/unsuspend/u1"}}}, nil
		},
		Done: func(context.Context, *saas.Conn, *saas.Plan) (bool, error) {
			return v.is("u1", "SUSPENDED") && v.is("u2", "SUSPENDED"), nil
		}}
}

func TestStepsGoOnWhereTheyStopped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		r.stop()
		r.Engine = r.engine(r.store, func(s *Settings) { s.Find = func(string, string) Tenant { return oneAction{r.v, twoSteps(r.v)} } })
		r.start()
		defer r.stop()
		refuse := 2
		r.v.fails(func(_ saas.Req, n int) error {
			if n == 1 && refuse > 0 {
				refuse--
				return &saas.Error{Outcome: saas.Throttled}
			}
			return nil
		})
		r.ask(suspend("u1", Enforce))
		r.effects("suspend u1", "suspend u2")
		refuse = 0
		r.v.fails(func(_ saas.Req, n int) error {
			if n == 3 && refuse < 1 { // the second request back: the first has made Done false already
				refuse++
				return &saas.Error{Outcome: saas.Throttled}
			}
			return nil
		})
		if _, err := r.Undo(t.Context(), r.in.last().id, "ana"); err != nil {
			t.Fatal(err)
		}
		r.settle()
		r.v.mu.Lock()
		defer r.v.mu.Unlock()
		if s := fmt.Sprint(r.v.effects[2:]); s != "[unsuspend u2 unsuspend u1]" {
			t.Fatal(s)
		}
	})
}

func TestReceiptsAreHandedOnUntilAccepted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		r.in.fail = errors.New("the exporter is down")
		r.ask(suspend("u1", Enforce))
		r.effects("suspend u1")
		r.receipts()
		r.stop()
		r.in.fail = nil
		r.Engine = r.engine(r.store)
		r.start()
		defer r.stop()
		r.settle()
		r.receipts("requested suspend_user", "result suspend_user success")
		r.settle()
		if n := len(r.in.got); n != 2 {
			t.Fatalf("handed on %d", n)
		}
	})
}

func TestReceiptThatNobodyTakesDoesNotHoldUpOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		r.stop()
		bad := suspend("u1", DryRun)
		r.Engine = r.engine(r.store, func(s *Settings) {
			s.Next = func(ctx context.Context, l plog.Logs) error {
				for w := range event.Views(l) {
					if w.Str("saas.action.id") == bad.ID() {
						return consumererror.NewPermanent(errors.New("never"))
					}
				}
				return r.in.take(ctx, l)
			}
		})
		r.start()
		defer r.stop()
		r.ask(bad, suspend("u2", DryRun), suspend("u3", DryRun))
		r.after(10 * time.Minute)
		r.receipts("requested suspend_user", "requested suspend_user")
	})
}

func TestMissingTenantIsWaitedForAndThenGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		r.v.hasGone(true)
		r.ask(suspend("u1", Enforce))
		r.v.hasGone(false)
		r.settle()
		r.effects("suspend u1")
		r.v.hasGone(true)
		r.ask(suspend("u2", Enforce))
		r.after(2 * time.Hour)
		if got := r.in.last(); got.outcome != "failure" || got.reason != "given up after 1h0m0s: okta/acme is not connected" {
			t.Fatalf("%+v", got)
		}
		r.v.hasGone(false)
		r.ask(with(suspend("u3", Enforce), UnlockUser))
		if got := r.in.last(); got.typ != "denied" || got.reason != "okta has no action unlock_user" {
			t.Fatalf("%+v", got)
		}
	})
}

func TestSlowTenantDoesNotHoldUpAnother(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		r.stop()
		slow := saas.Action{Verb: SuspendUser, Plan: func(ctx context.Context, _ *saas.Conn, _ saas.Target) (*saas.Plan, error) {
			<-ctx.Done()
			return nil, &saas.Error{Outcome: saas.Unavailable, Err: ctx.Err()}
		}}
		find := func(_, tenant string) Tenant {
			if tenant == "slow" {
				return oneAction{r.v, slow}
			}
			return r.v
		}
		r.Engine = r.engine(r.store, func(s *Settings) { s.Find = find })
		r.start()
		defer r.stop()
		var reqs []Request
		for i := range 100 {
			q := nth(suspend(fmt.Sprint("x", i), Enforce), i)
			q.Tenant = "slow"
			reqs = append(reqs, q)
		}
		if err := r.Ask(t.Context(), append(reqs, suspend("u1", Enforce))); err != nil {
			t.Fatal(err)
		}
		r.after(time.Second)
		r.effects("suspend u1")
		if r.running > maxPerPlace {
			t.Fatalf("%d at a time for one tenant", r.running)
		}
	})
}

func TestLedgerIsBoundedByRows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		r.stop()
		r.Engine = r.engine(r.store, func(s *Settings) { s.MaxRows = 10 })
		r.start()
		defer r.stop()
		r.ask(suspend("u1", Enforce))
		done := r.in.last().id
		r.ask(nth(suspend("u2", Approve), 0))
		for i := range 20 {
			r.ask(nth(suspend("u3", DryRun), i))
		}
		if c := r.Counts(); c[Waiting] != 1 || c[Ended] > 9 {
			t.Fatalf("%v", c)
		}
		if _, err := r.Undo(t.Context(), done, "ana"); err != nil {
			t.Fatalf("what changed something is dropped last: %v", err)
		}
		for i := range 12 {
			r.ask(nth(suspend("u2", Approve), i))
		}
		if n := r.rows(entryPrefix); n > 10 {
			t.Fatalf("%d rows", n)
		}
		found := slices.ContainsFunc(r.in.unique(), func(s receiptSeen) bool { return strings.Contains(s.reason, "waited longest for a person") })
		if !found {
			t.Fatal("nobody was told what was refused")
		}
	})
}

func TestFullLedgerPushesBackAndThenGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		r.stop()
		r.Engine = r.engine(r.store, func(s *Settings) { s.MaxRows = 2 })
		r.start()
		defer r.stop()
		r.v.hasGone(true)
		r.ask(suspend("u1", Enforce), suspend("u2", Enforce))
		began := time.Now()
		err := r.Ask(t.Context(), []Request{suspend("u3", Enforce)})
		if err == nil || !strings.Contains(err.Error(), "the ledger of actions is full: 2 of 2 are under way") || time.Since(began) != roomWait {
			t.Fatalf("%v after %v", err, time.Since(began))
		}
		r.v.hasGone(false)
		r.settle()
		r.ask(suspend("u3", Enforce))
		r.settle()
		if got := r.v.done(); len(got) != 3 {
			t.Fatal(got)
		}
	})
}

func TestLedgerForgetsAfterKeep(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		r.ask(suspend("u1", Enforce))
		id := r.in.last().id
		r.after(89 * 24 * time.Hour)
		r.entry(id)
		r.after(2 * 24 * time.Hour)
		if n := r.rows(""); n != 1 { // the version
			t.Fatalf("%d rows", n)
		}
		if _, err := r.Undo(t.Context(), id, "ana"); err == nil || !strings.Contains(err.Error(), "not in the ledger") {
			t.Fatal(err)
		}
	})
}

func (r *rig) rows(prefix string) (n int) {
	_ = r.store.Walk(r.t.Context(), func(key string, _ []byte) ([]*storage.Operation, error) { // saas.Memory never fails
		if strings.HasPrefix(key, prefix) {
			n++
		}
		return nil, nil
	})
	return n
}

func TestNewerOrBrokenLedgerIsRefused(t *testing.T) {
	f := func(key, val, want string) {
		t.Helper()
		m := saas.NewMemory()
		if err := m.Batch(t.Context(), storage.SetOperation(key, []byte(val))); err != nil {
			t.Fatal(err)
		}
		if err := New(Settings{Store: m}).Start(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("got %v, want %q", err, want)
		}
	}
	f("version", "2", `they have version "2", this program knows version 1`)
	f("a/x", "{", `load actions: read row "a/x"`)
}

func TestHugePlanIsNotDone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		r.stop()
		act, _ := r.v.Action(SuspendUser)
		plan := act.Plan
		act.Plan = func(ctx context.Context, c *saas.Conn, target saas.Target) (*saas.Plan, error) {
			p, err := plan(ctx, c, target)
			p.Before = []byte(`"` + strings.Repeat("x", maxEntryBytes) + `"`)
			return p, err
		}
		r.Engine = r.engine(r.store, func(s *Settings) { s.Find = func(string, string) Tenant { return oneAction{r.v, act} } })
		r.start()
		defer r.stop()
		r.ask(suspend("u1", Enforce))
		r.effects()
		if got := r.in.last(); got.outcome != "failure" || !strings.Contains(got.reason, "the plan has more than 1048576 bytes") {
			t.Fatalf("%.300s", fmt.Sprint(got))
		}
	})
}
