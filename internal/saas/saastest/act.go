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
func (a *Acts) Plan(verb string, target saas.Target) (saas.Action, *saas.Plan, error) {
	a.Helper()
	act, ok := a.Tenant.Action(verb)
	if !ok {
		a.Fatalf("there is no action %s", verb)
	}
	if target.Type == "" {
		target.Type = action.On(verb)
	}
	before := a.Changes()
	p, err := act.Plan(a.Context(), a.Tenant.Conn(), target)
	if a.Changes() != before {
		a.Errorf("%s: planning changed something", verb)
	}
	if err != nil {
		return act, nil, err
	}
	p.ID = "00000000-0000-4000-8000-000000000001"
	return act, a.saved(p), nil
}

func (a *Acts) saved(p *saas.Plan) *saas.Plan {
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

// Do plans an action, does it and verifies; done again it changes nothing, and what was planned is not to plan again.
func (a *Acts) Do(verb string, target saas.Target) (saas.Action, *saas.Plan) {
	a.Helper()
	act, p, err := a.Plan(verb, target)
	if err != nil {
		a.Fatalf("%s of %s: plan: %v", verb, target.ID, err)
	}
	before, changes := p.Before, a.Changes()
	do := func() error {
		if act.Do == nil {
			return saas.Send(a.Context(), a.Tenant.Conn(), p.Steps)
		}
		return act.Do(a.Context(), a.Tenant.Conn(), p)
	}
	if a.until(verb+" of "+target.ID, do); a.Changes() == changes {
		a.Errorf("%s of %s: nothing was changed", verb, target.ID)
	}
	p = a.saved(p)
	if act.Done == nil {
		return act, p
	}
	a.is(act, p, true)
	changes = a.Changes()
	if a.until(verb+" of "+target.ID+" again", do); a.Changes() != changes {
		a.Errorf("%s of %s: done again it changed something", verb, target.ID)
	}
	if _, again, err := a.Plan(verb, target); err == nil && bytes.Equal(again.Before, before) {
		a.Errorf("%s of %s: the same is to plan again, before which there was %s", verb, target.ID, before)
	}
	return act, a.saved(p)
}

// is waits until an action is done, or is not any more.
func (a *Acts) is(act saas.Action, p *saas.Plan, done bool) {
	a.Helper()
	a.until(fmt.Sprintf("%s of %s: done is to be %t", p.Verb, p.Target.ID, done), func() error {
		ok, err := act.Done(a.Context(), a.Tenant.Conn(), p)
		if err == nil && ok != done {
			err = &saas.Error{Outcome: saas.Pending}
		}
		return err
	})
}

// Undo takes an action back.
func (a *Acts) Undo(act saas.Action, p *saas.Plan) {
	a.Helper()
	a.until("undo "+p.Verb+" of "+p.Target.ID, func() error {
		if act.Undo == nil {
			return saas.Send(a.Context(), a.Tenant.Conn(), p.Back)
		}
		return act.Undo(a.Context(), a.Tenant.Conn(), p)
	})
}

// Try does an action and, where that can be, takes it back: then the same is to plan as before.
func (a *Acts) Try(verb string, target saas.Target) {
	a.Helper()
	act, p := a.Do(verb, target)
	if act.Irreversible != "" {
		return
	}
	if a.Undo(act, p); act.Done != nil {
		a.is(act, p, false)
	}
	if _, again, err := a.Plan(verb, target); err != nil || !bytes.Equal(again.Before, p.Before) {
		a.Errorf("%s of %s: after it was taken back there is another state, or nothing to plan: %v", verb, target.ID, err)
	}
}
