package saas

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/event"
)

const (
	maxRunning    = 64               // parts of one tenant read at a time
	maxWalks      = 48               // of these, parts of entities: what happens does not wait for them
	maxContent    = 56               // of these, parts of entities and files: what changed is judged while walks take all they may
	firstContact  = 30 * time.Second // how long activity waits for the first list of accounts
	deniedRetry   = time.Hour        // after a right was found missing
	rightsEvery   = time.Hour
	maxPartFails  = 10 * time.Minute // longest pause of a failing part
	maxExpiredRow = 3                // marks that expired in a row before it counts as a failure
)

var errCrowded = errors.New("what was listed is read first")

// core is a tenant at work: its scheduler, state and connection.
type core struct {
	id       component.ID
	provider *Provider
	cfg      *Config
	inst     *Instance
	link     *link
	log      *zap.Logger
	next     consumer.Logs
	obs      *receiverhelper.ObsReport
	state    storage.Client
	report   func(*componentstatus.Event)
	version  string

	saving sync.Mutex // one storage batch at a time
	files  openFiles

	mu       sync.Mutex
	streams  map[string]*streamState
	order    []*streamState // by kind
	hanging  map[owner][]*part
	rights   *Rights
	rightsAt time.Time
	health   string
	pauseTil time.Time // the credential is refused: nothing is asked until then
	authFail int
	bad      *part // whose credential is refused, one of several
	disabled bool
	contact  bool
	started  time.Time
	running  int
	asked    map[string]bool // sets of detectors that came for a verdict
	// walkedFor are the sets for which walks were begun, the newest last.
	walkedFor []string
	nobody    bool      // records came to nobody who judges: walks begin when one was judged
	sweepAt   time.Time // when old verdicts are dropped next; zero = never

	cancel   context.CancelFunc // of the readings under way
	ctx      context.Context    // of the readings
	parent   context.Context    // ends with the tenant
	wake     chan struct{}
	stop     context.CancelFunc
	wg       sync.WaitGroup
	loopDone chan struct{}
}

func (t *core) module() string { return t.provider.module() }

func (t *core) tenantName() string {
	if t.id.Name() != "" {
		return t.id.Name()
	}
	return t.id.Type().String()
}

func (t *core) origin(dataset string) event.Origin {
	o := event.Origin{Module: t.module(), Tenant: t.tenantName(), Version: t.version, Dataset: dataset}
	o.Observed = t.link.vendorNow()
	if r := t.rightsNow(); r != nil {
		o.OrgID, o.OrgName = r.OrgID, r.OrgName
	}
	return o
}

func (t *core) rightsNow() *Rights {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rights
}

// aboutItself fills a record in which the agent tells of itself.
func (t *core) aboutItself(rec *event.Record, stream, action, id string) {
	rec.Dataset(agentDataset)
	rec.Str("event.kind", "state")
	rec.Str("event.action", action)
	rec.Str("event.provider", stream)
	rec.ID(id)
}

// begin loads the state and makes the scheduler ready, which runs as loop.
func (t *core) begin(ctx context.Context) error {
	t.streams, t.hanging = map[string]*streamState{}, map[owner][]*part{}
	t.asked, t.files.open, t.files.known = map[string]bool{}, map[*File]bool{}, map[*run]map[string]verdictRow{}
	t.wake, t.loopDone = make(chan struct{}, 1), make(chan struct{})
	t.order = nil
	for i := range t.inst.Streams {
		st := newStreamState(&t.inst.Streams[i])
		t.streams[st.Name] = st
		t.order = append(t.order, st)
	}
	slices.SortStableFunc(t.order, func(a, b *streamState) int { return int(a.Kind) - int(b.Kind) })
	found, err := loadState(ctx, t.state, t.streams)
	if err != nil {
		return err
	}
	t.contact, t.disabled, t.started = found.contact, found.disabled || t.cfg.Disabled, time.Now()
	t.walkedFor, t.nobody = found.sets, found.sets != nil && len(found.sets) == 0
	t.health = "starting"
	for _, st := range t.order {
		t.ready(st)
	}
	if len(t.parentsOfContent()) > 0 {
		t.sweepAt = t.started.Add(sweepDelay)
	}
	if err := t.relist(ctx, false); err != nil {
		return err
	}
	loop, stop := context.WithCancel(context.Background())
	t.stop = stop
	t.parent = loop
	t.renew()
	return nil
}

// renew gives the readings a context; Disable cancels it.
func (t *core) renew() { t.ctx, t.cancel = context.WithCancel(t.parent) }

// ready queues the parts of a stream and makes the single one of a root stream.
func (t *core) ready(st *streamState) {
	if st.Over == "" && st.parts[""] == nil {
		st.parts[""] = &part{st: st, row: partRow{Walk: 1}}
	}
	st.off = t.cfg.offReason(st.Name)
	now := time.Now()
	for _, p := range st.parts {
		p.ending, p.touched = st.endings[p.key] != nil, st.touches[p.key] != 0 || p.byEvent()
		p.anew = st.touches[p.key] == touchAnew
		if row := (partRow{}); p.ending && json.Unmarshal(st.endings[p.key], &row) == nil {
			p.reborn = &row
		}
		p.row.Walk = max(1, p.row.Walk)
		if p.row.Owner != (owner{}) && st.Every > 0 {
			t.hanging[p.row.Owner] = append(t.hanging[p.row.Owner], p)
		}
		due := now
		if st.Every > 0 && len(p.row.Mark) == 0 && st.entity() && !p.row.Ran.IsZero() {
			due = later(now, p.row.Ran.Add(st.Every))
		}
		if p.ending || p.touched {
			due = now
		}
		st.wait(p, due)
	}
}

// end stops reading, waits for the readings under way and leaves the storage as it is.
func (t *core) end(ctx context.Context) error {
	if t.stop == nil {
		return nil
	}
	t.stop()
	done := make(chan struct{})
	go func() { <-t.loopDone; t.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		return fmt.Errorf("stop %s: %w", t.id, ctx.Err())
	}
	for _, st := range t.order {
		st.keys.forget()
		st.finished.forget()
	}
	return nil
}

func (t *core) poke() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// loop starts what is due.
func (t *core) loop(ctx context.Context) {
	defer close(t.loopDone)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-t.wake:
		}
		t.mu.Lock()
		wait := t.dispatch(time.Now())
		t.mu.Unlock()
		timer.Reset(wait)
	}
}

// dispatch starts all that is due and says when to look again. Called with mu held.
func (t *core) dispatch(now time.Time) time.Duration {
	wait := time.Hour
	soon := func(at time.Time) { wait = min(wait, max(at.Sub(now), time.Millisecond)) }
	if t.disabled {
		return wait
	}
	if now.Before(t.pauseTil) {
		return t.pauseTil.Sub(now)
	}
	if !now.Before(t.rightsAt) {
		t.rightsAt = now.Add(rightsEvery)
		t.goDo(func(ctx context.Context) { t.askRights(ctx) })
	}
	soon(t.rightsAt)
	if !t.sweepAt.IsZero() && !now.Before(t.sweepAt) {
		t.sweepAt = now.Add(sweepEvery)
		t.goDo(func(ctx context.Context) {
			next := t.sweepVerdicts(ctx)
			t.mu.Lock()
			defer t.mu.Unlock()
			t.sweepAt = time.Now().Add(next)
		})
	}
	if t.inst.Rights != nil && t.rights == nil {
		return wait
	}
	for _, st := range t.order {
		if st.off != "" {
			if st.offUntil.IsZero() || now.Before(st.offUntil) {
				if !st.offUntil.IsZero() {
					soon(st.offUntil)
				}
				continue
			}
			st.off = ""
		}
		if t.whyOff(st) != "" {
			continue
		}
		if until := t.gate(st, now); !until.IsZero() {
			soon(until)
			continue
		}
		for t.running < st.most() {
			p := st.head(now)
			if p == nil || st.running >= st.room(p) {
				break
			}
			if p.due.After(now) {
				soon(p.due)
				break
			}
			if st.take(p) {
				t.launch(st, p)
			}
		}
	}
	return wait
}

// whyOff says why a stream is not read now; "" = it is. Called with mu held.
func (t *core) whyOff(st *streamState) string {
	if rich := t.streams[st.Unless]; rich != nil && rich.off == "" && st.off == "" {
		return "stream " + st.Unless + " has the same facts and more"
	}
	if st.off == "" && st.Kind == Content && len(judging()) == 0 {
		return errNoJudge.Error()
	}
	return st.off
}

// gate keeps first contact in order: accounts first, then what happened. Zero = open.
func (t *core) gate(st *streamState, now time.Time) time.Time {
	if t.isCrowded(st) {
		return now.Add(time.Second)
	}
	if t.contact || st.Kind == Accounts {
		return time.Time{}
	}
	end := t.started.Add(firstContact)
	if now.After(end) {
		return time.Time{}
	}
	for _, a := range t.order {
		if a.Kind == Accounts && a.Over == "" && a.off == "" && a.Every > 0 {
			if p := a.parts[""]; p.row.Success.IsZero() && p.fails == 0 {
				return end
			}
		}
	}
	return time.Time{}
}

// isCrowded reports whether a stream has led to so many once-parts that half of them are read first. Called with mu held.
func (t *core) isCrowded(st *streamState) bool {
	for _, child := range t.order {
		if child.Over != st.Name || child.Every > 0 || child.Kind == Content && t.whyOff(child) != "" {
			continue
		}
		if child.crowd = len(child.parts) >= maxItems || child.crowd && len(child.parts) > maxItems/2; child.crowd {
			return true
		}
	}
	return false
}

func (t *core) launch(st *streamState, p *part) {
	p.running, p.again = true, false
	as := p.row.Item.As
	st.running++
	t.running++
	t.goDo(func(ctx context.Context) {
		err, progress := t.read(ctx, p)
		t.mu.Lock()
		defer t.mu.Unlock()
		p.running = false
		st.release(as)
		st.running--
		t.running--
		if p.anew { // it was begun for fewer sets of detectors
			p.anew, p.again = false, true
			p.row.Mark, p.row.Walk = nil, p.row.Walk+1
		}
		switch {
		case p.gone:
			t.forget(p)
		case ctx.Err() != nil: // disabled or stopped: it goes on from here
			st.wait(p, time.Now())
		default:
			t.settle(p, err, progress)
		}
		t.poke()
	})
}

// goDo runs f with the context of the readings. Called with mu held.
func (t *core) goDo(f func(context.Context)) {
	ctx := t.ctx
	t.wg.Add(1)
	go func() {
		defer t.wg.Done()
		f(ctx)
	}()
}
