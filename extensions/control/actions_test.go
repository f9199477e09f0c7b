package control

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// vault is a tenant with one file that can be hidden.
type vault struct{ did chan string }

func (v vault) Conn() *saas.Conn     { return nil }
func (v vault) Rights() *saas.Rights { return &saas.Rights{Self: []string{"agent"}} }
func (v vault) Action(verb string) (saas.Action, bool) {
	say := func(what string) func(context.Context, *saas.Conn, *saas.Plan) error {
		return func(context.Context, *saas.Conn, *saas.Plan) error { v.did <- what; return nil }
	}
	return saas.Action{Verb: verb, Do: say("hide"), Undo: say("show"),
		Plan: func(_ context.Context, _ *saas.Conn, t saas.Target) (*saas.Plan, error) {
			return &saas.Plan{Target: t, Before: []byte(`{"parent":"7"}`)}, nil
		}}, verb == action.QuarantineFile
}

func TestActionsAreListedApprovedAndUndone(t *testing.T) {
	path := socket(t)
	start(t, path)
	c := Client{Socket: path}
	if _, err := c.Undo(t.Context(), "x", "ana"); err == nil || !strings.Contains(err.Error(), "no policies run in this agent") {
		t.Fatal(err)
	}
	v, receipts := vault{make(chan string, 10)}, make(chan string, 10)
	e := action.New(action.Settings{Store: saas.NewMemory(), PerHour: 5, Keep: time.Hour, Deadline: time.Hour,
		Find: func(string, string) action.Tenant { return v },
		Next: func(_ context.Context, l plog.Logs) error {
			for w := range event.Views(l) {
				receipts <- w.Str("saas.activity") + " " + w.Str("saas.action.mode")
			}
			return nil
		}})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	q := action.Request{Module: "box", Tenant: "acme", Verb: action.QuarantineFile,
		Target: saas.Target{Type: "file", ID: "42", Name: "card.csv"}, Policy: "cards", Mode: action.Approve, Trigger: "t", By: "governance"}
	if err := e.Ask(t.Context(), []action.Request{q}); err != nil {
		t.Fatal(err)
	}
	heard := func(want ...string) {
		t.Helper()
		var got []string
		for range want {
			got = append(got, <-receipts)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Fatalf("receipts %q, want %q", got, want)
		}
	}
	heard("action_requested approve")
	waiting, err := c.Actions(t.Context(), "waiting", 10)
	if err != nil || len(waiting) != 1 || waiting[0].ID != q.ID() || waiting[0].Target != "42" || waiting[0].Tenant != "box/acme" ||
		string(waiting[0].Before) != `{"parent":"7"}` || waiting[0].Ended != nil {
		t.Fatalf("%+v, %v", waiting, err)
	}
	if _, err := c.Undo(t.Context(), q.ID(), "ana"); err == nil || !strings.Contains(err.Error(), "has not ended") {
		t.Fatal(err)
	}
	if _, err := c.Approve(t.Context(), q.ID(), ""); err == nil || !strings.Contains(err.Error(), "nobody is named") {
		t.Fatal(err)
	}
	if a, err := c.Approve(t.Context(), q.ID(), "ana"); err != nil || a.ApprovedBy != "ana" {
		t.Fatalf("%+v, %v", a, err)
	}
	heard("action_result approve")
	a, err := c.Undo(t.Context(), q.ID(), "bob")
	if err != nil || a.UndoneBy == "" || a.Result != action.Done {
		t.Fatalf("%+v, %v", a, err)
	}
	heard("action_requested undo", "action_result undo")
	all, err := c.Actions(t.Context(), "", 10)
	if err != nil || len(all) != 2 || all[0].ID != a.UndoneBy || all[0].Undoes != q.ID() || all[0].By != "bob" || all[0].Ended == nil {
		t.Fatalf("%+v, %v", all, err)
	}
	if did := []string{<-v.did, <-v.did}; !slices.Equal(did, []string{"hide", "show"}) {
		t.Fatal(did)
	}
	if _, err := c.Approve(t.Context(), "nobody's", "ana"); err == nil || !strings.Contains(err.Error(), `no action "nobody's"`) {
		t.Fatal(err)
	}
	if _, err := c.Actions(t.Context(), "", 100_000); err == nil || !strings.Contains(err.Error(), "from 1 to 1000") {
		t.Fatal(err)
	}
	if err := e.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(action.Engines()) != 0 {
		t.Fatal("an engine that was shut down is still found")
	}
}
