package saastest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Acts tries the actions of a running tenant, in a bubble of virtual time.
type Acts struct {
	*testing.T
	Tenant  *saas.Tenant
	Changes func() int // requests so far that changed something
}

// TenantOf is the running tenant of a module.
func TenantOf(t *testing.T, module, name string) *saas.Tenant {
	t.Helper()
	found := saas.Find(module, name)
	if found == nil {
		t.Fatalf("the tenant %s/%s does not run", module, name)
	}
	return found
}

// Plan is the plan of an action as it is saved, made without changing anything.
func (a *Acts) Plan(verb string, target saas.Target) (*saas.Plan, error) {
	a.Helper()
	if target.Type == "" {
		target.Type = action.On(verb)
	}
	before := a.Changes()
	p, err := a.action(verb).Plan(a.Context(), a.Tenant.Conn(), target)
	if a.Changes() != before {
		a.Errorf("%s: planning changed something", verb)
	}
	if err != nil {
		return nil, err
	}
	p.ID = "00000000-0000-4000-8000-000000000001"
	return a.Saved(p), nil
}

func (a *Acts) action(verb string) saas.Action {
	a.Helper()
	act, ok := a.Tenant.Action(verb)
	if !ok {
		a.Fatalf("there is no action %s", verb)
	}
	return act
}

// Saved is a plan as the ledger gives it back.
func (a *Acts) Saved(p *saas.Plan) *saas.Plan {
	a.Helper()
	b, err := json.Marshal(p)
	out := &saas.Plan{}
	if err == nil {
		err = json.Unmarshal(b, out)
	}
	if err != nil {
		a.Fatal(err)
	}
	return out
}

// until calls f again while the vendor is not finished.
func (a *Acts) until(what string, f func() error) {
	a.Helper()
	for range 60 {
		err := f()
		if err == nil {
			return
		}
		if !saas.Is(err, saas.Pending) {
			a.Fatalf("%s: %v", what, err)
		}
		time.Sleep(time.Second)
	}
	a.Fatalf("%s: never finished", what)
}

// Once does what the engine does with a plan, or takes it back, without waiting for what is pending.
func (a *Acts) Once(p *saas.Plan, undo bool) error {
	a.Helper()
	act := a.action(p.Verb)
	own, steps := act.Do, p.Steps
	if undo {
		own, steps = act.Undo, p.Back
	}
	if own == nil {
		return saas.Send(a.Context(), a.Tenant.Conn(), steps)
	}
	return own(a.Context(), a.Tenant.Conn(), p)
}

// Do plans an action, does it and verifies; done again it changes nothing, and what was planned is not to plan again.
func (a *Acts) Do(verb string, target saas.Target) *saas.Plan {
	a.Helper()
	p, err := a.Plan(verb, target)
	if err != nil {
		a.Fatalf("%s of %s: plan: %v", verb, target.ID, err)
	}
	before, changes, do := p.Before, a.Changes(), func() error { return a.Once(p, false) }
	if a.until(verb+" of "+target.ID, do); a.Changes() == changes {
		a.Errorf("%s of %s: nothing was changed", verb, target.ID)
	}
	p = a.Saved(p)
	if a.action(verb).Done == nil {
		return p
	}
	a.Is(p, true)
	changes = a.Changes()
	if a.until(verb+" of "+target.ID+" again", do); a.Changes() != changes {
		a.Errorf("%s of %s: done again it changed something", verb, target.ID)
	}
	again, err := a.Plan(verb, target)
	switch {
	case err != nil && !saas.Is(err, saas.Already):
		a.Errorf("%s of %s: planned again: %v, want that it is so already", verb, target.ID, err)
	case err == nil && bytes.Equal(again.Before, before):
		a.Errorf("%s of %s: the same is to plan again, before which there was %s", verb, target.ID, before)
	}
	return a.Saved(p)
}

// Is waits until what was planned is so, or is not any more.
func (a *Acts) Is(p *saas.Plan, done bool) {
	a.Helper()
	act := a.action(p.Verb)
	if act.Done == nil {
		return
	}
	a.until(fmt.Sprintf("%s of %s: done is to be %t", p.Verb, p.Target.ID, done), func() error {
		ok, err := act.Done(a.Context(), a.Tenant.Conn(), p)
		if err == nil && ok != done {
			err = &saas.Error{Outcome: saas.Pending}
		}
		return err
	})
}

// Undo takes an action back, twice, and gives the plan as it is saved then.
func (a *Acts) Undo(p *saas.Plan) *saas.Plan {
	a.Helper()
	act := a.action(p.Verb)
	if act.Irreversible != "" || act.Undo == nil && len(p.Back) == 0 {
		a.Fatalf("%s of %s: there is no way back: %q", p.Verb, p.Target.ID, act.Irreversible)
	}
	for range 2 {
		a.until("undo "+p.Verb+" of "+p.Target.ID, func() error { return a.Once(p, true) })
		a.Is(p, false)
	}
	return a.Saved(p)
}

// Try does an action and, where that can be, takes it back: then the same is to plan as before.
func (a *Acts) Try(verb string, target saas.Target) {
	a.Helper()
	p := a.Do(verb, target)
	if a.action(verb).Irreversible != "" {
		return
	}
	a.Undo(p)
	if again, err := a.Plan(verb, target); err != nil || !bytes.Equal(again.Before, p.Before) {
		a.Errorf("%s of %s: after it was taken back there is another state, or nothing to plan: %v", verb, target.ID, err)
	}
}
