package action

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

const (
	askChunk = 500              // requests saved at once
	roomWait = 10 * time.Second // how long Ask waits for actions under way to end
	maxAgain = 100              // actions of one trigger
)

// errFull says that the ledger holds no more.
var errFull = errors.New("the ledger of actions is full")

// Ask takes requests that belong together. nil means that every one of them is saved, now or when it was asked before. Of
// those about the same object in the same mode, what another stands for or contradicts is recorded as refused.
func (e *Engine) Ask(ctx context.Context, reqs []Request) error {
	now := time.Now()
	fresh := e.entries(reqs, now)
	var until <-chan time.Time
	for len(fresh) > 0 {
		n := min(len(fresh), askChunk)
		err := e.admit(ctx, fresh[:n], now)
		if err == nil {
			fresh = fresh[n:]
			continue
		}
		if !errors.Is(err, errFull) {
			return err
		}
		if until == nil {
			timer := time.NewTimer(roomWait)
			defer timer.Stop()
			until = timer.C
		}
		select {
		case <-e.freed:
		case <-until:
			return err
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", err, ctx.Err())
		}
	}
	return nil
}

// entries makes entries of requests, each once.
func (e *Engine) entries(reqs []Request, now time.Time) []*Entry {
	type about struct{ tenant, object, mode string }
	asked := map[about][]string{}
	key := func(r *Request) about { return about{r.tenant(), r.object(), r.Mode} }
	for i := range reqs {
		if r := &reqs[i]; r.Unfit == "" {
			asked[key(r)] = append(asked[key(r)], r.Verb)
		}
	}
	dropped := map[about]map[string]string{}
	for a, vs := range asked {
		_, out := Resolve(vs)
		for _, d := range out {
			if dropped[a] == nil {
				dropped[a] = map[string]string{}
			}
			dropped[a][d.Verb] = d.Why
		}
	}
	seen := map[string]bool{}
	var out []*Entry
	for i := range reqs {
		r := &reqs[i]
		en := &Entry{ID: r.ID(), Request: *r, State: Asked, Asked: now, Until: now.Add(e.set.Deadline)}
		if seen[en.ID] {
			continue
		}
		seen[en.ID] = true
		if why := cmp.Or(r.Unfit, dropped[key(r)][r.Verb]); why != "" {
			en.end(Denied, why, "", now)
		}
		out = append(out, en)
	}
	return out
}

// admit saves those entries that the ledger does not know.
func (e *Engine) admit(ctx context.Context, ens []*Entry, now time.Time) error {
	e.asking.Lock()
	defer e.asking.Unlock()
	e.mu.Lock()
	for _, en := range ens {
		e.again(en)
	}
	fresh := slices.DeleteFunc(slices.Clone(ens), func(en *Entry) bool { return e.items[en.ID] != nil })
	e.mu.Unlock()
	if len(fresh) == 0 {
		return nil
	}
	if err := e.makeRoom(ctx, len(fresh), now); err != nil {
		return err
	}
	var ops []*storage.Operation
	owes := make([][]string, len(fresh))
	for i, en := range fresh {
		owes[i] = en.owes()
		en.Told = len(owes[i]) > 0
		more, err := en.save(owes[i]...)
		if err != nil {
			return err
		}
		ops = append(ops, more...)
	}
	if err := e.set.Store.Batch(ctx, ops...); err != nil {
		return fmt.Errorf("save %d actions: %w", len(fresh), err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, en := range fresh {
		e.hold(en, now)
		e.adopt(en, owes[i])
	}
	return nil
}

// again gives an entry the id of another trigger while its own is that of an action that was done before what leads to it was
// seen: somebody put the state back. Called with mu held.
func (e *Engine) again(en *Entry) {
	for range maxAgain {
		it := e.items[en.ID]
		if en.Seen.IsZero() || it == nil || !it.done || !it.ended.Before(en.Seen) {
			return
		}
		en.Trigger += "+"
		en.ID = en.Request.ID()
	}
}

// makeRoom drops what has ended, first what changed nothing and then the oldest; then what waits longest for a person is
// refused. Called with asking held.
func (e *Engine) makeRoom(ctx context.Context, n int, now time.Time) error {
	e.mu.Lock()
	over, held := len(e.items)+n-e.set.MaxRows, len(e.items)
	if len(e.owed) > 2*e.set.MaxRows {
		e.mu.Unlock()
		return fmt.Errorf("%w: %d receipts were not accepted yet", errFull, 2*e.set.MaxRows)
	}
	var ended, waiting []*item
	for _, it := range e.items {
		switch it.state {
		case Ended:
			ended = append(ended, it)
		case Waiting:
			waiting = append(waiting, it)
		}
	}
	e.mu.Unlock()
	if over <= 0 {
		return nil
	}
	if len(ended)+len(waiting) < over {
		return fmt.Errorf("%w: %d of %d are under way", errFull, held-len(ended)-len(waiting), e.set.MaxRows)
	}
	rank := func(it *item) int {
		if it.sent {
			return 1
		}
		return 0
	}
	slices.SortFunc(ended, func(a, b *item) int { return cmp.Or(rank(a)-rank(b), a.ended.Compare(b.ended)) })
	slices.SortFunc(waiting, func(a, b *item) int { return a.asked.Compare(b.asked) })
	if miss := over - len(ended); miss > 0 {
		why := fmt.Sprintf("more than %d actions are in the ledger, and this one waited longest for a person", e.set.MaxRows)
		if err := e.refuse(ctx, waiting[:miss], why, now); err != nil {
			return err
		}
		ended = append(ended, waiting[:miss]...)
	}
	return e.drop(ctx, ended[:min(len(ended), over+e.set.MaxRows/50)])
}

// refuse ends actions that wait. Called with asking held.
func (e *Engine) refuse(ctx context.Context, its []*item, why string, now time.Time) error {
	for _, it := range its {
		en, err := e.read(ctx, it.id)
		if err != nil {
			return err
		}
		en.end(Denied, why, "", now)
		if err := e.save(ctx, en); err != nil {
			return err
		}
	}
	return nil
}

// drop forgets actions that have ended; receipts they still owe are rows of their own. Called with asking held.
func (e *Engine) drop(ctx context.Context, its []*item) error {
	for part := range slices.Chunk(its, askChunk) {
		var ops []*storage.Operation
		for _, it := range part {
			ops = append(ops, storage.DeleteOperation(entryPrefix+it.id))
		}
		if err := e.set.Store.Batch(ctx, ops...); err != nil {
			return fmt.Errorf("forget %d actions: %w", len(part), err)
		}
		e.mu.Lock()
		for _, it := range part {
			delete(e.items, it.id)
		}
		maps.DeleteFunc(e.undone, func(_, id string) bool { return e.items[id] == nil })
		e.mu.Unlock()
	}
	return nil
}

// sweep forgets what ended long ago and refuses what nobody approved.
func (e *Engine) sweep(ctx context.Context) error {
	e.asking.Lock()
	defer e.asking.Unlock()
	now := time.Now()
	var old, late []*item
	e.mu.Lock()
	for _, it := range e.items {
		switch {
		case it.state == Ended && now.Sub(it.ended) > e.set.Keep:
			old = append(old, it)
		case it.state == Waiting && now.Sub(it.asked) > waitFor:
			late = append(late, it)
		}
	}
	e.mu.Unlock()
	err := e.refuse(ctx, late, fmt.Sprintf("nobody approved it within %v", waitFor), now)
	return errors.Join(err, e.drop(ctx, old))
}

// Approve lets an action that waits go on; by is the person. It is planned anew, since time has passed.
func (e *Engine) Approve(ctx context.Context, id, by string) error {
	if by == "" {
		return fmt.Errorf("approve action %q: nobody is named who approves", id)
	}
	e.asking.Lock()
	defer e.asking.Unlock()
	en, err := e.read(ctx, id)
	if err != nil {
		return fmt.Errorf("approve: %w", err)
	}
	if en.State != Waiting {
		return fmt.Errorf("approve action %q: it is %s, not waiting", id, en.State)
	}
	now := time.Now()
	en.State, en.ApprovedBy, en.Reason, en.Until = Asked, by, "", now.Add(e.set.Deadline)
	if err := e.save(ctx, en); err != nil {
		return fmt.Errorf("approve: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hold(en, now)
	return nil
}

// Undo takes back what an action changed and gives the id of the action that does so; by is the person. Asked twice it gives
// the same, until that one has failed.
func (e *Engine) Undo(ctx context.Context, id, by string) (string, error) {
	if by == "" {
		return "", fmt.Errorf("undo action %q: nobody is named who asks for it", id)
	}
	e.asking.Lock()
	defer e.asking.Unlock()
	en, err := e.read(ctx, id)
	if err != nil {
		return "", fmt.Errorf("undo: %w", err)
	}
	if en.Undone != "" {
		if back, err := e.read(ctx, en.Undone); err == nil && (back.State != Ended || back.Result == Done) {
			return back.ID, nil
		}
	}
	if err := e.undoable(en); err != nil {
		return "", fmt.Errorf("undo action %q: %w", id, err)
	}
	now := time.Now()
	if err := e.makeRoom(ctx, 1, now); err != nil {
		return "", fmt.Errorf("undo action %q: %w", id, err)
	}
	back := &Entry{ID: stableID(id, cmp.Or(en.Undone, Undo)), Request: en.Request, State: Asked, Plan: en.Plan, Asked: now,
		Until: now.Add(e.set.Deadline), Of: id, Told: true}
	back.Mode, back.By, back.Trigger, en.Undone = Undo, by, id, back.ID
	ops, err := en.save()
	if err != nil {
		return "", fmt.Errorf("undo: %w", err)
	}
	more, err := back.save(requested)
	if err != nil {
		return "", fmt.Errorf("undo: %w", err)
	}
	if err := e.set.Store.Batch(ctx, append(ops, more...)...); err != nil {
		return "", fmt.Errorf("save undo of action %q: %w", id, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.undone[en.change()] = en.ID
	e.hold(back, now)
	e.adopt(back, []string{requested})
	return back.ID, nil
}

// undoable says why an action cannot be taken back.
func (e *Engine) undoable(en *Entry) error {
	switch {
	case en.Mode == Undo:
		return errors.New("it took back another one: ask for that one anew")
	case en.State != Ended:
		return fmt.Errorf("it is %s, and has not ended", en.State)
	case en.Sent.IsZero() || en.Plan == nil:
		return fmt.Errorf("it changed nothing: it ended as %s", en.Result)
	}
	t := e.set.Find(en.Module, en.Tenant)
	if t == nil {
		return fmt.Errorf("%s is not connected", en.tenant())
	}
	act, ok := t.Action(en.Verb)
	if !ok {
		return fmt.Errorf("%s has no action %s", en.Module, en.Verb)
	}
	if act.Undo == nil && len(en.Plan.Back) == 0 {
		return fmt.Errorf("it cannot be taken back: %s", cmp.Or(act.Irreversible, "the provider has no way to"))
	}
	return nil
}

// List gives the actions of a state, the newest first, at most max. "" = of any state.
func (e *Engine) List(ctx context.Context, of State, max int) ([]Entry, error) {
	e.mu.Lock()
	var its []*item
	for _, it := range e.items {
		if of == "" || it.state == of {
			its = append(its, it)
		}
	}
	e.mu.Unlock()
	slices.SortFunc(its, func(a, b *item) int { return cmp.Or(b.asked.Compare(a.asked), cmp.Compare(a.id, b.id)) })
	var out []Entry
	for _, it := range its {
		if len(out) >= max {
			break
		}
		val, err := e.set.Store.Get(ctx, entryPrefix+it.id)
		if err != nil {
			return nil, fmt.Errorf("list actions: %w", err)
		}
		var en Entry
		if val == nil { // forgotten since
			continue
		}
		if err := json.Unmarshal(val, &en); err != nil {
			return nil, fmt.Errorf("read action %q: %w", it.id, err)
		}
		out = append(out, en)
	}
	return out, nil
}

// Counts says how many actions of each state the ledger holds.
func (e *Engine) Counts() map[State]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[State]int{}
	for _, it := range e.items {
		out[it.state]++
	}
	return out
}
