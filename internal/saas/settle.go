package saas

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/event"
)

// read does one reading of a part.
func (t *core) read(parent context.Context, p *part) (err error, progress bool) { //nolint:revive // the error decides, progress explains
	ctx, cancel := context.WithTimeout(parent, t.cfg.RunTimeout)
	defer cancel()
	r := newRun(ctx, t, p)
	defer r.closeReply()
	defer func() { p.st.claims.give(&r.run, maps.Keys(r.fresh)) }()
	if p.row.Begun.IsZero() {
		p.row.Begun = r.now().Add(-t.cfg.StartAt.before(r.now()))
	}
	defer func() {
		if v := recover(); v != nil {
			t.log.Error("reading a part panicked", zap.String("part", p.rowName()), zap.Any("panic", v), zap.ByteString("stack", debug.Stack()))
			err = &Error{Outcome: Invalid, Err: fmt.Errorf("read %q: panic: %v", p.rowName(), v)}
		}
	}()
	if p.st.entity() {
		if r.snap, err = loadSnapshot(ctx, t.state, p.snapPrefix(), p.row.Chunks); err != nil {
			return err, false
		}
	}
	if t.ends(p) {
		return r.endPart(), r.progress
	}
	err = p.st.Poll(ctx, r)
	r.closeReply()
	if r.judged && r.failed == nil { // the part ended with it, whatever Poll makes of that
		return nil, true
	}
	if p.st.Kind == Content {
		err = r.endContent(err)
	}
	if p.slow++; err == nil || r.moved || !errors.Is(err, context.DeadlineExceeded) {
		p.slow = 0
	}
	if until := p.row.Item.Until; err != nil && p.once() && parent.Err() == nil && r.failed == nil {
		if Is(err, Missing) || !until.IsZero() && r.now().After(until) { // what could be read of it stays
			last, end := context.WithTimeout(parent, t.cfg.RunTimeout)
			defer end()
			r.ctx = last
			r.gap(until, until, "part "+p.key+" cannot be read any more: "+err.Error())
			err = nil
		}
	}
	if err != nil {
		return err, r.progress
	}
	r.finished, r.last = p.once(), true
	err = r.commit(nil)
	return err, r.progress
}

// ends says whether what the part hangs on is gone. It may go while the part is read: then it is read once more.
func (t *core) ends(p *part) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return p.ending
}

// endPart reports everything the part held as deleted, and forgets the part.
func (r *run) endPart() error {
	if r.snap == nil { // of events: there is nothing to report
		r.snap = &snapshot{}
	}
	for _, g := range r.snap.rows {
		if err := r.report(r.st, g); err != nil {
			return err
		}
		r.snap.drop(g.Key)
		r.endings = append(r.endings, r.t.hangingOn(owner{r.st.Name, r.p.key, g.Key}, nil)...)
	}
	r.endings = append(r.endings, r.t.hangingOn(owner{r.st.Name, r.p.key, ""}, nil)...)
	if err := r.handOver(nil, false); err != nil {
		return err
	}
	ops := []*storage.Operation{storage.DeleteOperation(r.p.rowName()), storage.DeleteOperation(r.p.endName()),
		storage.DeleteOperation(r.p.touchName())}
	for n := range r.p.row.Chunks {
		ops = append(ops, storage.DeleteOperation(r.snap.row(n)))
	}
	r.t.saving.Lock() // and with it nobody lets the part begin anew
	defer r.t.saving.Unlock()
	if r.p.reborn != nil {
		val, err := json.Marshal(r.p.reborn)
		if err != nil {
			return fmt.Errorf("begin part %q anew: %w", r.p.rowName(), err)
		}
		ops = append(ops, storage.SetOperation(r.p.rowName(), val))
	}
	if err := r.t.state.Batch(r.ctx, ops...); err != nil {
		return fmt.Errorf("forget part %q: %w", r.p.rowName(), err)
	}
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	if r.p.gone = true; r.p.reborn != nil {
		r.t.include(&part{st: r.st, key: r.p.key, row: *r.p.reborn})
	}
	return nil
}

// settle decides when a part is read again. Called with mu held.
func (t *core) settle(p *part, err error, progress bool) {
	now, st := time.Now(), p.st
	switch {
	case err == nil:
		t.wentWell(p, now)
		return
	case errors.Is(err, errUnjudged):
		t.judgesMissing(st, now)
		fallthrough
	case errors.Is(err, errCrowded):
		st.wait(p, now)
		return
	}
	if progress && (errors.Is(err, context.DeadlineExceeded) || Is(err, Unavailable)) {
		p.fails = 0
	}
	p.fails++
	p.lastErr, st.lastErr = err.Error(), err.Error()
	due := now.Add(min(backoff(p.fails+1), maxPartFails))
	t.log.Warn("reading a part failed", zap.String("stream", st.Name), zap.String("part", p.key), zap.Int("times", p.fails), zap.Error(err))
	e := asError(err)
	switch e.Outcome {
	case Unauthorized:
		if t.inst.Auth.Key == nil {
			t.refused(e, now)
		} else { // one of several credentials, or one of many users: the others go on
			due = now.Add(refusedFor(p.fails))
			if st.Over == "" {
				t.bad = p
				t.unhealthy(e)
			}
		}
	case Denied, Invalid:
		due = now.Add(deniedRetry)
		if st.Over == "" {
			st.off, st.offUntil = err.Error(), due
			due = now
		}
	case Expired:
		if p.expired++; p.expired <= maxExpiredRow {
			due = now
		}
		p.row.Mark = nil
		p.row.Walk++
		p.restart()
	case Missing:
		due = now.Add(max(st.Every, time.Minute))
	case Throttled, Unavailable:
		due = later(due, now.Add(e.Until.Sub(t.link.vendorNow())))
	}
	if p.ending && p.again { // what it hangs on went while it was read
		due = now
	}
	st.wait(p, due)
	t.contacted()
}

// wentWell is settle after a good reading.
func (t *core) wentWell(p *part, now time.Time) {
	st := p.st
	p.fails, p.expired, p.lastErr, st.lastErr = 0, 0, "", ""
	st.stats.success.Store(now.UnixNano())
	if t.bad == nil || t.bad == p {
		t.wellAgain()
	}
	t.contacted()
	next := st.Every + time.Duration(rand.Int64N(int64(st.Every)/20+1))
	if p.again {
		next = 0
	}
	st.wait(p, now.Add(next))
}

// forget takes out a part that ended well. Its namesake, made since, may begin.
func (t *core) forget(p *part) {
	p.st.lastErr = ""
	p.st.stats.success.Store(time.Now().UnixNano())
	if next := p.st.parts[p.key]; next == p {
		delete(p.st.parts, p.key)
	} else if next != nil && next.former == p {
		next.former = nil
		p.st.wait(next, next.due)
	}
	if from := p.row.Owner; from != (owner{}) {
		t.hanging[from] = slices.DeleteFunc(t.hanging[from], func(q *part) bool { return q == p })
		if len(t.hanging[from]) == 0 {
			delete(t.hanging, from)
		}
	}
}

// refused makes the tenant unhealthy: its credential does not work. Others go on.
func (t *core) refused(e *Error, now time.Time) {
	t.authFail++
	t.pauseTil = now.Add(refusedFor(t.authFail))
	t.rightsAt = t.pauseTil
	t.unhealthy(e)
	t.log.Error("the credential is refused", zap.Error(e), zap.Time("next_try", t.pauseTil))
}

func (t *core) unhealthy(e *Error) {
	t.health = e.Error()
	t.report(componentstatus.NewRecoverableErrorEvent(fmt.Errorf("%s: %w", t.id, e)))
}

// refusedFor is how long a credential rests that was refused n times in a row.
func refusedFor(n int) time.Duration { return min(30*time.Second<<min(n-1, 6), 10*time.Minute) }

func (t *core) wellAgain() {
	t.bad = nil
	if t.health != "ok" {
		t.health, t.authFail = "ok", 0
		t.report(componentstatus.NewEvent(componentstatus.StatusOK))
	}
}

// contacted ends first contact once accounts were listed, or could not be.
func (t *core) contacted() {
	if t.contact {
		return
	}
	for _, st := range t.order {
		if p := st.parts[""]; st.Kind == Accounts && st.Over == "" && st.off == "" && p.row.Success.IsZero() && p.fails == 0 {
			return
		}
	}
	t.contact = true
	if err := t.state.Set(t.ctx, rowContact, []byte{1}); err != nil {
		t.log.Warn("first contact could not be noted: it happens again after a restart", zap.Error(err))
	}
}

// askRights reads what the credential may do, before anything else and once an hour.
func (t *core) askRights(ctx context.Context) {
	rights := &Rights{}
	var err error
	if t.inst.Rights != nil {
		actx, cancel := context.WithTimeout(ctx, t.cfg.RunTimeout)
		rights, err = t.inst.Rights(actx, &Conn{conn{link: t.link, prio: prioAction}})
		if actx.Err() != nil { // what was cut off may have taken a request's failure for a lack
			rights, err = nil, cmp.Or(err, actx.Err())
		}
		cancel()
	}
	if Is(err, Denied) {
		t.log.Warn("what the credential may do cannot be read: it is learnt from refusals", zap.Error(err))
		rights, err = &Rights{}, nil
	}
	if err == nil && t.inst.Rights != nil {
		err = t.saveRights(ctx, rights)
	}
	t.mu.Lock()
	defer t.poke()
	defer t.mu.Unlock()
	if ctx.Err() != nil {
		t.rightsAt = time.Time{}
		return
	}
	switch {
	case err == nil && t.inst.Rights == nil: // which says nothing of the credential
	case err == nil:
		t.wellAgain()
	case Is(err, Unauthorized):
		t.refused(asError(err), time.Now())
		return
	default:
		t.log.Warn("reading what the credential may do failed", zap.Error(err))
		t.health = err.Error()
		t.rightsAt = time.Now().Add(backoff(4))
		return
	}
	if t.rights == nil {
		t.started = time.Now() // first contact begins with the rights
	}
	t.rights = rights
	t.applyRights(rights)
}

// applyRights turns off what the credential may not read, with the reason, and on what it may again.
func (t *core) applyRights(rights *Rights) {
	for _, st := range t.order {
		if t.cfg.offReason(st.Name) != "" {
			continue
		}
		st.off, st.offUntil = "", time.Time{}
		if lack := lacking(st.Needs, rights.Held); len(lack) > 0 {
			st.off = "the credential lacks " + strings.Join(lack, ", ")
		}
	}
}

// lacking lists the needs that held does not meet. No held rights at all = unknown.
func lacking(needs, held []string) (lack []string) {
	if len(held) == 0 {
		return nil
	}
	for _, need := range needs {
		ok := false
		for either := range strings.SplitSeq(need, "|") {
			ok = ok || slices.Contains(held, either)
		}
		if !ok {
			lack = append(lack, strings.ReplaceAll(need, "|", " or "))
		}
	}
	return lack
}

// saveRights hands on a record of the rights when they changed, and saves them.
func (t *core) saveRights(ctx context.Context, rights *Rights) error {
	rights.Held = slices.Compact(slices.Sorted(slices.Values(rights.Held))) // in another order they are the same
	val, err := json.Marshal(rights)
	if err != nil {
		return fmt.Errorf("save the permissions: %w", err)
	}
	if old, err := t.state.Get(ctx, rowRights); err == nil && string(old) == string(val) {
		return nil
	}
	o := t.origin(agentDataset)
	o.OrgID, o.OrgName = rights.OrgID, rights.OrgName
	b := event.NewBatch(o)
	rec := b.Add(nil, &event.Values{Raw: val})
	t.aboutItself(rec, "permissions", "permissions_read", fmt.Sprintf("permissions:%x", contentHash(val)))
	rec.Time(t.link.vendorNow())
	if err := t.next.ConsumeLogs(ctx, b.Take()); err != nil {
		return fmt.Errorf("hand on the permissions: %w", err)
	}
	if err := t.state.Set(ctx, rowRights, val); err != nil {
		return fmt.Errorf("save the permissions: %w", err)
	}
	return nil
}
