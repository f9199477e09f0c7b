package action

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// vendor is a tenant of an application that lives in memory: users with a status, and a count of every effect.
type vendor struct {
	mu      sync.Mutex
	status  map[string]string // of users
	effects []string          // "suspend u1", in order
	reads   int
	fail    func(q saas.Req, n int) error // may refuse the nth request; after it had its effect when the error says so
	show    time.Duration                 // how long a change takes to show
	slow    time.Duration                 // how long a plan takes
	changed time.Time
	rights  *saas.Rights
	gone    bool
}

// lostReply is a request that had its effect and whose answer never came.
var lostReply = &saas.Error{Outcome: saas.Unavailable, Msg: "the connection was cut"}

func newVendor() *vendor {
	return &vendor{status: map[string]string{"u1": "ACTIVE", "u2": "ACTIVE", "u3": "ACTIVE"},
		rights: &saas.Rights{Self: []string{"u0", "agent@acme.example"}, Held: []string{"users.manage"}}}
}

// request is what the vendor's API does with one.
func (v *vendor) request(_ context.Context, _ *saas.Conn, q saas.Req) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	verb, id, _ := strings.Cut(strings.TrimPrefix(q.URL, "/"), "/")
	var err error
	if v.fail != nil {
		err = v.fail(q, len(v.effects))
	}
	if err != nil && !errors.Is(err, lostReply) {
		return err
	}
	v.effects = append(v.effects, verb+" "+id)
	v.changed = time.Now()
	v.status[id] = map[string]string{"suspend": "SUSPENDED", "unsuspend": "ACTIVE", "deactivate": "DEPROVISIONED",
		"unlink": "PRIVATE", "link": "PUBLIC"}[verb]
	return err
}

func (v *vendor) is(id, status string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.reads++
	return v.status[id] == status && time.Since(v.changed) >= v.show
}

func (v *vendor) done() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.effects)
}

func (v *vendor) Conn() *saas.Conn { return nil }

func (v *vendor) Rights() *saas.Rights {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.rights
}

// be changes the vendor.
func (v *vendor) be(f func(v *vendor)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f(v)
}

func (v *vendor) isGone() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.gone
}

func (v *vendor) hasGone(gone bool) { v.be(func(v *vendor) { v.gone = gone }) }

func (v *vendor) fails(f func(q saas.Req, n int) error) { v.be(func(v *vendor) { v.fail = f }) }

func (v *vendor) Action(verb string) (saas.Action, bool) {
	state := map[string]string{SuspendUser: "SUSPENDED", DeactivateUser: "DEPROVISIONED", RemovePublicLink: "PRIVATE"}[verb]
	step := map[string]string{SuspendUser: "suspend", DeactivateUser: "deactivate", RevokeSessions: "clear", RemovePublicLink: "unlink"}[verb]
	back := map[string]string{SuspendUser: "unsuspend", RemovePublicLink: "link"}[verb]
	if step == "" {
		return saas.Action{}, false
	}
	a := saas.Action{Verb: verb, Needs: []string{"users.manage"},
		Plan: func(_ context.Context, _ *saas.Conn, t saas.Target) (*saas.Plan, error) {
			v.mu.Lock()
			slow := v.slow
			v.mu.Unlock()
			time.Sleep(slow) // of the bubble
			if t.ID == "missing" {
				return nil, &saas.Error{Outcome: saas.Missing, Status: 404, Code: "E7", Msg: "not found"}
			}
			if state != "" && v.is(t.ID, state) {
				return nil, &saas.Error{Outcome: saas.Already}
			}
			p := &saas.Plan{Target: t, Steps: []saas.Req{{Method: "POST", URL: "/" + step + "/" + t.ID}},
				Before: json.RawMessage(`{"login":"` + t.ID + `@acme.example"}`)}
			if back != "" {
				p.Back = []saas.Req{{Method: "POST", URL: "/" + back + "/" + t.ID}}
			}
			return p, nil
		}}
	if state != "" {
		a.Done = func(_ context.Context, _ *saas.Conn, p *saas.Plan) (bool, error) {
			return v.is(p.Target.ID, state), nil
		}
	}
	if back == "" {
		a.Irreversible = "the vendor forgets"
	}
	return a, true
}

// inbox is the next consumer.
type inbox struct {
	mu   sync.Mutex
	got  []receiptSeen
	fail error
}

// receiptSeen is what a test looks at.
type receiptSeen struct{ id, eventID, kind, verb, outcome, typ, mode, reason, raw, message string }

func (b *inbox) take(_ context.Context, l plog.Logs) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	for w := range event.Views(l) {
		b.got = append(b.got, receiptSeen{w.Str("saas.action.id"), w.Str("event.id"), strings.TrimPrefix(w.Str("saas.activity"), "action_"),
			w.Str("event.action"), w.Str("event.outcome"), w.Str("event.type"), w.Str("saas.action.mode"), w.Str("event.reason"), w.Raw(),
			w.Str("message")})
	}
	return nil
}

// unique gives the receipts by event.id, as a store with stable ids keeps them.
func (b *inbox) unique() []receiptSeen {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []receiptSeen
	seen := map[string]bool{}
	for _, r := range b.got {
		if !seen[r.eventID] {
			seen[r.eventID] = true
			out = append(out, r)
		}
	}
	return out
}

// kinds is "requested suspend_user", "result suspend_user success" … in order.
func (b *inbox) kinds() []string {
	var out []string
	for _, r := range b.unique() {
		out = append(out, strings.TrimSpace(r.kind+" "+r.verb+" "+r.outcome))
	}
	return out
}

func (b *inbox) last() receiptSeen {
	all := b.unique()
	if len(all) == 0 {
		return receiptSeen{}
	}
	return all[len(all)-1]
}

// fragile is a store whose process dies at its nth write: before it, or right after it. A dead process writes nothing more.
type fragile struct {
	Store
	mu    sync.Mutex
	at    int // 0 = never
	after bool
	n     int
	dead  bool
}

var errDead = errors.New("the process is dead")

func (f *fragile) Batch(ctx context.Context, ops ...*storage.Operation) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return errDead
	}
	if f.n++; f.n == f.at {
		f.dead = true
		if f.after {
			_ = f.Store.Batch(ctx, ops...) // saas.Memory never fails
		}
		return errDead
	}
	return f.Store.Batch(ctx, ops...)
}

func (f *fragile) Get(ctx context.Context, key string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return nil, errDead
	}
	return f.Store.Get(ctx, key)
}

func (f *fragile) isDead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

// rig is an engine over a vendor, in the virtual time of a test.
type rig struct {
	*Engine
	t     *testing.T
	v     *vendor
	in    *inbox
	store Store
}

func newRig(t *testing.T, change ...func(*Settings)) *rig {
	t.Helper()
	r := &rig{t: t, v: newVendor(), in: &inbox{}, store: saas.NewMemory()}
	r.Engine = r.engine(r.store, change...)
	r.start()
	return r
}

func (r *rig) engine(store Store, change ...func(*Settings)) *Engine {
	set := Settings{Store: store, Next: r.in.take, PerHour: 20, Keep: 90 * 24 * time.Hour, Deadline: time.Hour, Version: "1.0",
		Find: func(module, tenant string) Tenant {
			if r.v.isGone() || module != "okta" || tenant != "acme" {
				return nil
			}
			return r.v
		}}
	for _, c := range change {
		c(&set)
	}
	e := New(set)
	e.send = r.v.request
	return e
}

func (r *rig) start() {
	r.t.Helper()
	if err := r.Start(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) stop() {
	r.t.Helper()
	if err := r.Shutdown(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

// ask asks and lets everything happen that happens within a minute.
func (r *rig) ask(reqs ...Request) {
	r.t.Helper()
	if err := r.Ask(r.t.Context(), reqs); err != nil {
		r.t.Fatal(err)
	}
	r.settle()
}

func (r *rig) settle() { r.after(time.Minute) }

// after lets virtual time pass.
func (r *rig) after(d time.Duration) {
	time.Sleep(d) // of the bubble
	synctest.Wait()
}

func (r *rig) entry(id string) Entry {
	r.t.Helper()
	en, err := r.read(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	return *en
}

func (r *rig) effects(want ...string) {
	r.t.Helper()
	if got := r.v.done(); !slices.Equal(got, want) {
		r.t.Fatalf("the vendor did %q, want %q", got, want)
	}
}

func (r *rig) receipts(want ...string) {
	r.t.Helper()
	if got := r.in.kinds(); !slices.Equal(got, want) {
		r.t.Fatalf("receipts %q, want %q; %+v", got, want, r.in.unique())
	}
}

// suspend asks for the suspension of a user in a mode.
func suspend(user, mode string) Request {
	return Request{Module: "okta", Tenant: "acme", Verb: SuspendUser,
		Target: saas.Target{Type: "user", ID: user, Name: user + "@acme.example"},
		Policy: "p", Mode: mode, Trigger: "t-" + user, By: "governance"}
}

// unlink asks for the link of a file to be removed, whose state was read now.
func unlink(file, mode string) Request {
	return Request{Module: "okta", Tenant: "acme", Verb: RemovePublicLink, Target: saas.Target{Type: "file", ID: file,
		Params: map[string]string{"owner.id": "o1", "owner.email": "Owner@acme.example"}},
		Policy: "p", Mode: mode, Trigger: "t-" + file, By: "governance", Seen: time.Now()}
}

func with(q Request, verb string) Request { q.Verb = verb; return q }

func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func nth(q Request, n int) Request { q.Trigger = fmt.Sprint(q.Trigger, n); return q }
