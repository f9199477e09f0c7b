package action

import (
	"cmp"
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/saas"
)

// Bounds of an engine.
const (
	maxRunning  = 32              // actions worked on at a time
	maxPerPlace = 4               // of these, of one tenant
	attemptTime = 2 * time.Minute // of one attempt
	sweepEvery  = time.Hour
	waitFor     = 7 * 24 * time.Hour // for a person
)

// Tenant is what the engine needs of a connected tenant.
type Tenant interface {
	Action(verb string) (saas.Action, bool)
	Conn() *saas.Conn
	Rights() *saas.Rights // nil until they were asked
}

// Settings of an engine.
type Settings struct {
	Store    Store
	Find     func(module, tenant string) Tenant           // nil result = not connected now
	Next     func(ctx context.Context, l plog.Logs) error // takes receipts
	Protect  []string                                     // ids, logins and addresses of accounts that are never changed
	Owners   []string                                     // ids and addresses of accounts whose files are never changed
	PerHour  int                                          // actions of one tenant without a person's word
	Keep     time.Duration                                // how long what has ended stays in the ledger
	Deadline time.Duration                                // how long an action may take
	MaxRows  int                                          // of the ledger
	Version  string                                       // of the agent
	Log      *zap.Logger
}

// Engine plans, does, verifies and undoes actions. It is for any number of goroutines.
type Engine struct {
	set  Settings
	send func(ctx context.Context, c *saas.Conn, q saas.Req) error

	asking sync.Mutex // held by who reads rows before writing them: Ask, Approve, Undo, the sweep

	mu      sync.Mutex
	items   map[string]*item
	lanes   map[string]*lane
	sent    map[string]map[string]time.Time // by tenant and action, of the last hour
	learnt  map[string]struct{}             // rows of accounts that are protected
	undone  map[string]string               // what a person took back, and the id of the action that did it
	running int
	sweepAt time.Time
	started time.Time

	owed         []string // keys of receipts, in order
	delivering   bool
	deliverAt    time.Time
	deliverMax   int
	deliverFails int

	wake  chan struct{}
	freed chan struct{} // an action has ended
	stop  context.CancelFunc
	done  chan struct{}
	wg    sync.WaitGroup
}

// item is what is held in memory of an entry.
type item struct {
	id, lane     string
	state        State
	sent, done   bool
	asked, ended time.Time
	due          time.Time
	fails        int
}

// lane is the actions about the same object, one after the other, and those of others that fell into the same lane. What is only
// planned has lanes of its own, so that nothing that is to be done waits for it.
type lane struct {
	queue   queue
	running bool
	plans   bool
}

type queue []*item

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(*item)) }
func (q *queue) Pop() any {
	old := *q
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return it
}

// New makes an engine that does nothing before Start.
func New(set Settings) *Engine {
	if set.Log == nil {
		set.Log = zap.NewNop()
	}
	set.MaxRows = cmp.Or(set.MaxRows, 50_000)
	return &Engine{set: set, send: sendStep, items: map[string]*item{}, lanes: map[string]*lane{},
		sent: map[string]map[string]time.Time{}, learnt: map[string]struct{}{}, undone: map[string]string{},
		deliverMax: receiptBatch, wake: make(chan struct{}, 1), freed: make(chan struct{}, 1)}
}

func sendStep(ctx context.Context, c *saas.Conn, q saas.Req) error {
	rep, err := c.Do(ctx, q)
	if err != nil {
		return err
	}
	return rep.Into(nil)
}

// Start reads the ledger and goes on with what it holds.
func (e *Engine) Start(ctx context.Context) error {
	if err := e.load(ctx); err != nil {
		return err
	}
	run, stop := context.WithCancel(context.Background())
	e.stop, e.done = stop, make(chan struct{})
	go e.loop(run)
	e.register(true)
	return nil
}

// Shutdown stops; what was under way goes on with the next Start.
func (e *Engine) Shutdown(ctx context.Context) error {
	if e.stop == nil {
		return nil
	}
	e.register(false)
	e.stop()
	ended := make(chan struct{})
	go func() { <-e.done; e.wg.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop actions under way: %w", ctx.Err())
	}
}

func (e *Engine) load(ctx context.Context) error {
	type owed struct {
		key   string
		asked time.Time
	}
	var receipts []owed
	version := ""
	now := time.Now()
	err := e.set.Store.Walk(ctx, func(key string, val []byte) ([]*storage.Operation, error) {
		switch {
		case key == rowVersion:
			version = string(val)
			return nil, nil
		case strings.HasPrefix(key, protectedPrefix):
			if !e.isProtected(string(val)) { // no longer
				return []*storage.Operation{storage.DeleteOperation(key)}, nil
			}
			e.learnt[key] = struct{}{}
			return nil, nil
		}
		var en Entry
		if err := json.Unmarshal(val, &en); err != nil {
			return nil, fmt.Errorf("read row %q: %w", key, err)
		}
		if strings.HasPrefix(key, receiptPrefix) {
			receipts = append(receipts, owed{key, en.Asked})
			return nil, nil
		}
		e.hold(&en, now)
		if en.Undone != "" {
			e.undone[en.change()] = en.ID
		}
		if now.Sub(en.Sent) < time.Hour && en.Mode != Undo {
			if e.sent[en.tenant()] == nil {
				e.sent[en.tenant()] = map[string]time.Time{}
			}
			e.sent[en.tenant()][en.ID] = en.Sent
		}
		return nil, nil
	})
	if err != nil {
		return fmt.Errorf("load actions: %w", err)
	}
	if version == "" {
		if err := e.set.Store.Batch(ctx, storage.SetOperation(rowVersion, []byte(ledgerVersion))); err != nil {
			return fmt.Errorf("save version of actions: %w", err)
		}
	} else if version != ledgerVersion {
		return fmt.Errorf("load actions: they have version %q, this program knows version %s: use a newer program", version, ledgerVersion)
	}
	slices.SortFunc(receipts, func(a, b owed) int { return cmp.Or(a.asked.Compare(b.asked), strings.Compare(a.key, b.key)) })
	for _, r := range receipts {
		e.owed = append(e.owed, r.key)
	}
	e.sweepAt, e.started = now, now
	return nil
}

// hold takes an entry into memory and queues it when something is to be done. Called with mu held, or before Start.
func (e *Engine) hold(en *Entry, due time.Time) {
	it := e.items[en.ID]
	if it == nil {
		it = &item{id: en.ID, asked: en.Asked}
		e.items[en.ID] = it
	}
	it.lane = en.lane()
	it.state, it.sent, it.done, it.ended, it.fails = en.State, !en.Sent.IsZero(), en.Result == Done, en.Ended, 0
	if it.state == Waiting || it.state == Ended {
		return
	}
	e.queue(it, due)
}

// planLane begins the names of the lanes of what is only planned.
const planLane = "plan "

func (en *Entry) lane() string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(en.object())) // never fails
	name := fmt.Sprintf("%s %d", en.tenant(), h.Sum32()%maxPerPlace)
	if en.Mode == DryRun || en.Mode == Approve && en.ApprovedBy == "" {
		return planLane + name
	}
	return name
}

// queue is called with mu held.
func (e *Engine) queue(it *item, due time.Time) {
	l := e.lanes[it.lane]
	if l == nil {
		l = &lane{plans: strings.HasPrefix(it.lane, planLane)}
		e.lanes[it.lane] = l
	}
	it.due = due
	heap.Push(&l.queue, it)
	e.poke()
}

func (e *Engine) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

func (e *Engine) loop(ctx context.Context) {
	defer close(e.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-e.wake:
		}
		e.mu.Lock()
		wait := e.dispatch(ctx, time.Now())
		e.mu.Unlock()
		timer.Reset(wait)
	}
}

// dispatch starts what is due and says when to look again. Called with mu held.
func (e *Engine) dispatch(ctx context.Context, now time.Time) time.Duration {
	wait := sweepEvery
	due := func(at time.Time) bool {
		if !at.After(now) {
			return true
		}
		wait = min(wait, at.Sub(now))
		return false
	}
	for key, l := range e.lanes {
		switch {
		case l.running || e.running >= maxRunning || l.plans && e.running >= maxRunning/2:
		case len(l.queue) == 0:
			delete(e.lanes, key)
		case due(l.queue[0].due):
			it := heap.Pop(&l.queue).(*item)
			l.running = true
			e.running++
			e.goDo(func() { e.work(ctx, l, it) })
		}
	}
	if len(e.owed) > 0 && !e.delivering && due(e.deliverAt) {
		e.delivering = true
		e.goDo(func() { e.deliver(ctx) })
	}
	if due(e.sweepAt) {
		e.sweepAt = now.Add(sweepEvery)
		e.goDo(func() {
			if err := e.sweep(ctx); err != nil && ctx.Err() == nil {
				e.set.Log.Warn("removing old actions failed", zap.Error(err))
			}
		})
	}
	return wait
}

// goDo is called with mu held, by the loop only, so that nothing begins after it has ended.
func (e *Engine) goDo(f func()) {
	e.wg.Add(1)
	go func() {
		defer e.wg.Done()
		f()
	}()
}

// work makes one attempt at an action.
func (e *Engine) work(ctx context.Context, l *lane, it *item) {
	actx, cancel := context.WithTimeout(ctx, attemptTime)
	err := e.attempt(actx, it.id)
	cancel()
	e.mu.Lock()
	defer e.mu.Unlock()
	l.running = false
	e.running--
	defer e.poke()
	if err == nil || ctx.Err() != nil {
		return
	}
	it.fails++
	at := time.Now().Add(pauseAfter(it.fails))
	var p *pause
	if !errors.As(err, &p) {
		e.set.Log.Warn("an action goes on later", zap.String("action", it.id), zap.Error(err))
	} else if p.until.After(at) {
		at = p.until
	}
	e.queue(it, at)
}

// pause asks for another attempt.
type pause struct {
	until time.Time
	err   error
}

func (p *pause) Error() string { return p.err.Error() }
func (p *pause) Unwrap() error { return p.err }

// pauseAfter is 1 s, 2 s, 4 s … 1 min.
func pauseAfter(fails int) time.Duration { return min(time.Second<<min(fails-1, 6), time.Minute) }
