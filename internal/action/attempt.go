package action

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

// attempt is one attempt at an action.
type attempt struct {
	e   *Engine
	ctx context.Context
	en  *Entry
	t   Tenant
	act saas.Action
}

// attempt goes on with an action where the ledger says it is. nil = it has ended, or waits for a person; else it is to be
// tried again.
func (e *Engine) attempt(ctx context.Context, id string) error {
	en, err := e.read(ctx, id)
	if err != nil {
		return err
	}
	a := &attempt{e: e, ctx: ctx, en: en}
	if err := a.run(); !errors.Is(err, errEnded) {
		return err
	}
	return nil
}

func (a *attempt) run() error {
	e, en := a.e, a.en
	if a.t = e.set.Find(en.Module, en.Tenant); a.t == nil {
		return a.later(time.Time{}, fmt.Errorf("%s is not connected", en.tenant()))
	}
	var ok bool
	if a.act, ok = a.t.Action(en.Verb); !ok {
		return a.end(Denied, fmt.Sprintf("%s has no action %s", en.Module, en.Verb), "")
	}
	switch en.State {
	case Asked:
		return a.plan()
	case Sending:
		return a.resume()
	case Sent:
		return a.verify()
	}
	return nil
}

func (e *Engine) read(ctx context.Context, id string) (*Entry, error) {
	val, err := e.set.Store.Get(ctx, entryPrefix+id)
	if err != nil {
		return nil, fmt.Errorf("read action %q: %w", id, err)
	}
	if val == nil {
		return nil, fmt.Errorf("read action %q: it is not in the ledger", id)
	}
	var en Entry
	if err := json.Unmarshal(val, &en); err != nil {
		return nil, fmt.Errorf("read action %q: %w", id, err)
	}
	return &en, nil
}

// plan asks the provider what would be sent, and asks the guards before and after: only then everything about the target is
// known.
func (a *attempt) plan() error {
	en, rights := a.en, a.t.Rights()
	if en.Mode == Undo { // it has the plan of the action, and a person's word
		return a.begin()
	}
	if rights == nil {
		return a.later(time.Time{}, errors.New("what the credential may do is not known yet"))
	}
	if why := a.e.refusal(en, en.Target, nil, rights.Self); why != "" {
		return a.end(Denied, why, "")
	}
	lack := lacking(a.act.Needs, rights.Held)
	if lack != "" && en.Mode != DryRun {
		return a.end(Denied, lack, "")
	}
	plan, err := a.act.Plan(a.ctx, a.t.Conn(), en.Target)
	switch {
	case saas.Is(err, saas.Already):
		return a.end(Already, "nothing is to be done", saas.Code(err))
	case err != nil:
		return a.judge(err)
	case plan == nil:
		return a.end(Failed, "the provider made no plan", "")
	}
	plan.ID, plan.Verb = en.ID, en.Verb
	if plan.Target.Type == "" {
		plan.Target = en.Target
	}
	en.Plan = plan
	if en.Target.Name == "" {
		en.Target.Name = plan.Target.Name
	}
	if why := a.e.refusal(en, plan.Target, plan.Before, rights.Self); why != "" {
		en.Plan = nil
		return a.end(Denied, why, "")
	}
	if en.Mode == DryRun {
		return a.end(Rehearsed, lack, "")
	}
	if why := a.e.needsPerson(en, rights.Self, time.Now()); why != "" {
		en.State, en.Reason = Waiting, why
		return a.save()
	}
	return a.begin()
}

// begin saves that something may be sent from now on, and sends.
func (a *attempt) begin() error {
	now := time.Now()
	a.en.State, a.en.Sent, a.en.Until, a.en.Reason = Sending, now, now.Add(a.e.set.Deadline), ""
	if err := a.save(); err != nil {
		return err
	}
	return a.dispatch()
}

// resume goes on with what may have been sent, after a crash or a failure that hides whether it was: it looks first.
func (a *attempt) resume() error {
	if a.act.Done == nil || a.en.Mode == Undo && !a.allBack() {
		return a.dispatch()
	}
	return a.look(a.dispatch)
}

// allBack says whether a tenant that is no longer as the action left it shows that taking it back is over: the action was
// whole, and a single request takes it back.
func (a *attempt) allBack() bool {
	of, err := a.e.read(a.ctx, a.en.Of)
	return err == nil && of.Result == Done && a.act.Undo == nil && len(a.en.Plan.Back) == 1
}

// look ends the action when the tenant is as it should be, and else does what else says.
func (a *attempt) look(otherwise func() error) error {
	holds, err := a.act.Done(a.ctx, a.t.Conn(), a.en.Plan)
	if err != nil {
		return a.judge(err)
	}
	if holds != (a.en.Mode == Undo) {
		return a.end(Done, "", "")
	}
	return otherwise()
}

// dispatch sends.
func (a *attempt) dispatch() error {
	a.en.Attempts++
	err := a.do()
	if saas.Is(err, saas.Already) {
		err = nil
	}
	if err != nil {
		if serr := a.save(); serr != nil { // what Do learnt
			return serr
		}
		return a.judge(err)
	}
	if a.act.Done == nil {
		return a.end(Done, "", "")
	}
	a.en.State = Sent
	if err := a.save(); err != nil {
		return err
	}
	return a.verify()
}

func (a *attempt) do() error {
	conn, plan := a.t.Conn(), a.en.Plan
	steps, own := plan.Steps, a.act.Do
	if a.en.Mode == Undo {
		steps, own = plan.Back, a.act.Undo
	}
	if own != nil {
		return own(a.ctx, conn, plan)
	}
	for a.en.Step < len(steps) {
		if err := a.e.send(a.ctx, conn, steps[a.en.Step]); err != nil && !saas.Is(err, saas.Already) {
			return err
		}
		if a.en.Step++; a.en.Step < len(steps) {
			if err := a.save(); err != nil {
				return err
			}
		}
	}
	return nil
}

// verify asks until what was sent shows.
func (a *attempt) verify() error {
	if a.act.Done == nil {
		return a.end(Done, "", "")
	}
	return a.look(func() error { return a.later(time.Time{}, errors.New("sent, and it does not show yet")) })
}

// judge says what a failure means.
func (a *attempt) judge(err error) error {
	var e *saas.Error
	if !errors.As(err, &e) {
		if a.ctx.Err() != nil { // it says nothing of the vendor
			return a.later(time.Time{}, err)
		}
		return a.end(Failed, err.Error(), "") // no request that failed: a mistake in the provider or the request
	}
	switch e.Outcome {
	case saas.Unavailable, saas.Throttled, saas.Unauthorized, saas.Pending:
		return a.later(e.Until, err)
	case saas.Denied:
		return a.end(Denied, err.Error(), e.Code)
	}
	if e.Status == 0 && e.Msg != "" { // the provider's own words, for people
		return a.end(Failed, e.Msg, e.Code)
	}
	return a.end(Failed, err.Error(), e.Code)
}

// later asks for another attempt, or gives up when the deadline is over. A shutdown gives nothing up, and a start gives the
// whole time anew.
func (a *attempt) later(until time.Time, err error) error {
	now, deadline := time.Now(), a.e.set.Deadline
	if errors.Is(a.ctx.Err(), context.Canceled) || now.Before(a.en.Until) || now.Before(a.e.started.Add(deadline)) {
		return &pause{until, err}
	}
	res := Unverified
	if a.en.State == Asked {
		res = Failed
	}
	return a.end(res, fmt.Sprintf("given up after %v: %v", deadline, err), saas.Code(err))
}

// end saves the result. A dry run has no other receipt than that it was requested.
func (a *attempt) end(r Result, reason, code string) error {
	a.en.end(r, reason, code, time.Now())
	return a.save()
}

func (en *Entry) end(r Result, reason, code string, now time.Time) {
	en.State, en.Result, en.Reason, en.Code, en.Ended = Ended, r, reason, code, now
}

// save saves the entry with the receipts that its state owes, and tells the engine. The last attempt to save is made even when
// the time of the attempt is over: something may have been sent.
func (a *attempt) save() error {
	ctx, en := context.WithoutCancel(a.ctx), a.en
	_, err := en.encode()
	if !errors.Is(err, errTooLarge) {
		return a.e.save(ctx, en)
	}
	en.Plan = nil // a provider that plans or learns so much is at fault
	if en.State != Ended {
		res := Unverified
		if en.Attempts == 0 {
			res, en.Sent = Failed, time.Time{}
		}
		en.end(res, err.Error(), "", time.Now())
	}
	if err := a.e.save(ctx, en); err != nil {
		return err
	}
	return errEnded
}

// errEnded says that an action has ended where it was to go on.
var errEnded = errors.New("the action has ended")

func (e *Engine) save(ctx context.Context, en *Entry) error {
	kinds := en.owes()
	en.Told = en.Told || len(kinds) > 0
	ops, err := en.save(kinds...)
	if err != nil {
		return err
	}
	if err := e.set.Store.Batch(ctx, ops...); err != nil {
		return fmt.Errorf("save action %q: %w", en.ID, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.adopt(en, kinds)
	return nil
}

// owes lists the receipts that are to be made with this save.
func (en *Entry) owes() (kinds []string) {
	if en.State != Asked && !en.Told {
		kinds = append(kinds, requested)
	}
	if en.State == Ended && en.Result != Rehearsed {
		kinds = append(kinds, result)
	}
	return kinds
}

// adopt takes over what a save made durable. Called with mu held.
func (e *Engine) adopt(en *Entry, kinds []string) {
	if it := e.items[en.ID]; it != nil {
		it.state, it.sent, it.done, it.ended = en.State, !en.Sent.IsZero(), en.Result == Done, en.Ended
	}
	for _, k := range kinds {
		e.owed = append(e.owed, receiptKey(en.ID, k))
	}
	if en.State == Ended {
		select {
		case e.freed <- struct{}{}:
		default:
		}
	}
	e.poke()
}
