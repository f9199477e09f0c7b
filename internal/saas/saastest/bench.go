package saastest

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/metric"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// bench is one tenant on the bench: the fake behind a door, the real receiver, its storage, and all that came out of it
// in all its lives.
type bench struct {
	t     *testing.T
	p     *saas.Provider
	name  string
	net   *simtest.Net
	sim   *sim.Sim
	base  string
	shut  func()
	dir   string
	keys  map[string]any // of the configuration, beside what the fake says
	fsync bool
	meter metric.MeterProvider
	// What Open gives is changed by tune, and its functions are watched.
	tune func(*saas.Instance)

	recv   receiver.Logs
	disk   extension.Extension
	life   int
	dead   atomic.Bool
	died   map[int]bool             // lives that ended so
	denied string                   // the stream that the case had turned off
	refuse func(bt *batch) bool     // the next component refuses
	edit   func(body []byte) []byte // changes answers
	fatal  *death                   // where the process dies
	set    string                   // by which a judge reads content; "" = there is none

	mu      sync.Mutex
	points  map[point]int
	out     output
	hits    []hit
	answers map[string][]byte           // by route, while learning
	runs    map[string]int              // readings under way by part
	by      map[<-chan struct{}]reading // those of this life, by the end of their contexts
	polls   map[string]int              // by stream
	first   map[string]time.Time
	mints   int
	status  []componentstatus.Status
	streams []saas.Stream
	budgets []saas.Budget
	order   []turn   // what happened to parts
	read    contents // by the judge
	wrong   []string // broken promises seen from inside
}

// turn is a reading of a part, or an event that touched it.
type turn struct {
	part    string
	touched bool
	at      time.Time
}

// hit is one request as the vendor saw it.
type hit struct {
	at     time.Time
	took   time.Duration
	route  string // "METHOD /pattern"
	status int
	req    saas.Req
}

// settings of a bench; zero = the usual.
type settings struct {
	opts sim.Options
	keys map[string]any
	tune func(*saas.Instance)
	name string
	with *bench // shares its network and its fake
}

// usual is a fake whose events all lie in the past, in quantities that a test can wait for, and a vendor in no hurry.
func usual(events, users int) sim.Options {
	return sim.Options{Seed: 7, Events: events, Users: users, Late: 0.2, MaxLag: 10 * time.Minute, Limits: -1,
		Start: time.Now().Add(-3 * time.Hour), Span: 2 * time.Hour}
}

func newBench(t *testing.T, p *saas.Provider, s settings) *bench {
	t.Helper()
	b := &bench{t: t, p: p, name: s.name, dir: t.TempDir(), keys: s.keys, tune: s.tune, points: map[point]int{}, runs: map[string]int{},
		died: map[int]bool{}, polls: map[string]int{}, first: map[string]time.Time{}, out: newOutput(), read: newContents()}
	if b.name == "" {
		b.name = "acme"
	}
	if s.with != nil {
		b.net, b.sim = s.with.net, s.with.sim
	} else {
		f, err := p.Sim(s.opts)
		if err != nil {
			t.Fatalf("make the fake of %s: %v", p.Name, err)
		}
		b.net, b.sim = &simtest.Net{}, f
	}
	base, stop := b.net.Serve(b)
	b.base, b.shut = base, stop
	t.Cleanup(b.close)
	return b
}

// close ends the life and the fake's door.
func (b *bench) close() {
	b.stop()
	b.shut()
}

// ServeHTTP is the door of the vendor.
func (b *bench) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if b.dead.Load() { // a dead process asks for nothing
		panic(http.ErrAbortHandler)
	}
	at, q := time.Now(), saas.Req{Method: r.Method, URL: b.base + r.URL.RequestURI()}
	out := &door{ResponseWriter: w}
	defer func() {
		route := r.Method + " " + strings.TrimPrefix(r.Pattern, r.Method+" ")
		b.mu.Lock()
		if !b.out.light {
			b.hits = append(b.hits, hit{at, time.Since(at), route, out.status, q})
		}
		b.mu.Unlock()
	}()
	b.mu.Lock()
	plain := b.edit == nil && b.answers == nil
	b.mu.Unlock()
	if plain {
		b.sim.Handler.ServeHTTP(out, r)
		return
	}
	held := httptest.NewRecorder()
	b.sim.Handler.ServeHTTP(held, r)
	route, body := r.Method+" "+strings.TrimPrefix(r.Pattern, r.Method+" "), held.Body.Bytes()
	b.mu.Lock()
	edit := b.edit
	if b.answers != nil { // both may be others since the request came, of which some wait for long
		b.answers[route] = append(b.answers[route], body...)
	}
	b.mu.Unlock()
	if edit != nil {
		body = edit(body)
	}
	maps.Copy(w.Header(), held.Header())
	out.WriteHeader(held.Code)
	_, _ = out.Write(body)
}

type door struct {
	http.ResponseWriter
	status int
}

func (d *door) WriteHeader(status int) {
	d.status = status
	d.ResponseWriter.WriteHeader(status)
}

func (d *door) Write(p []byte) (int, error) {
	if d.status == 0 {
		d.status = http.StatusOK
	}
	return d.ResponseWriter.Write(p)
}

func (d *door) Unwrap() http.ResponseWriter { return d.ResponseWriter }

// GetExtensions and Report make the bench the receiver's host.
func (b *bench) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("file_storage"): &tap{b.disk, b}, simtest.NetID: b.net}
}

// Report notes what the receiver says of its health.
func (b *bench) Report(e *componentstatus.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status = append(b.status, e.Status())
}

// config is what a user would write.
func (b *bench) config(f receiver.Factory) (*saas.Config, error) {
	cfg := f.CreateDefaultConfig().(*saas.Config)
	all := b.sim.Config(b.base)
	maps.Copy(all, map[string]any{"storage": "file_storage", "middlewares": simtest.Middlewares(), "quota_share": 1.0})
	maps.Copy(all, b.keys)
	if err := cfg.Unmarshal(confmap.NewFromStringMap(all)); err != nil {
		return nil, err
	}
	return cfg, cfg.Validate()
}

// start begins a life.
func (b *bench) start() {
	b.t.Helper()
	p := *b.p
	p.Open = b.open
	f, ctx := saas.NewFactory(p), context.Background()
	cfg, err := b.config(f)
	if err != nil {
		b.t.Fatalf("configure %s: %v", p.Name, err)
	}
	b.life++
	b.dead.Store(false)
	b.points, b.by = map[point]int{}, map[<-chan struct{}]reading{}
	ff := filestorage.NewFactory()
	fc := ff.CreateDefaultConfig().(*filestorage.Config)
	fc.Directory, fc.FSync = b.dir, b.fsync
	rs := receivertest.NewNopSettings(f.Type())
	set := extension.Settings{ID: component.MustNewID("file_storage"), TelemetrySettings: rs.TelemetrySettings}
	if b.disk, err = ff.Create(ctx, set, fc); err != nil {
		b.t.Fatal(err)
	}
	rs.ID = component.NewIDWithName(f.Type(), b.name)
	if b.meter != nil {
		rs.MeterProvider = b.meter
	}
	if b.recv, err = f.CreateLogs(ctx, rs, cfg, b); err != nil {
		b.t.Fatal(err)
	}
	if err = b.disk.Start(ctx, b); err == nil {
		err = b.recv.Start(ctx, b)
	}
	if err != nil && !b.dead.Load() {
		b.t.Fatalf("start %s: %v", p.Name, err)
	}
}

// stop ends the life; what was not saved is lost.
func (b *bench) stop() {
	if b.recv == nil {
		return
	}
	if err := b.recv.Shutdown(context.Background()); err != nil {
		b.t.Errorf("stop: %v", err)
	}
	if err := b.disk.Shutdown(context.Background()); err != nil {
		b.t.Errorf("close the storage: %v", err)
	}
	b.recv, b.died[b.life] = nil, b.dead.Load()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.wrong {
		b.t.Error(w)
	}
	b.wrong = nil
}

func (b *bench) restart() { b.stop(); b.start() }

// tenant is the running instance.
func (b *bench) tenant() *saas.Tenant {
	for _, t := range saas.Tenants() {
		if t.Name() == b.name {
			return t
		}
	}
	b.t.Fatalf("tenant %q does not run", b.name)
	return nil
}

// polled is how often parts of a stream were read.
func (b *bench) polled(stream string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.polls[stream]
}

// open is the provider's Open with its functions watched.
func (b *bench) open(cfg any, set saas.Setup) (*saas.Instance, error) {
	inst, err := b.p.Open(cfg, set)
	if err != nil {
		return nil, err
	}
	if b.tune != nil {
		b.tune(inst)
	}
	if mint := inst.Auth.Mint; mint != nil {
		inst.Auth.Mint = func(ctx context.Context, c *saas.Conn, key string) (saas.Token, error) {
			b.mu.Lock()
			b.mints++
			b.mu.Unlock()
			return mint(ctx, c, key)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.streams, b.budgets = inst.Streams, inst.Budgets
	for i := range inst.Streams {
		st, poll := &inst.Streams[i], inst.Streams[i].Poll
		st.Poll = func(ctx context.Context, r *saas.Run) error {
			part := st.Name + "/" + r.Item().Key
			b.enter(ctx, reading{st.Name, r.Item().Key}, part)
			defer b.leave(part)
			return poll(ctx, r)
		}
		if items := st.Items; items != nil && st.Kind < saas.Accounts {
			st.Items = func(v *event.Values) []saas.Item { return b.touch(items(v)) }
		}
	}
	return inst, nil
}

// reading is one of a part of a stream.
type reading struct{ stream, part string }

func (b *bench) enter(ctx context.Context, of reading, part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.by[ctx.Done()] = of
	if b.runs[part]++; b.runs[part] > 1 {
		b.wrong = append(b.wrong, "two readings of "+part+" at the same time")
	}
	if _, ok := ctx.Deadline(); !ok {
		b.wrong = append(b.wrong, "a reading of "+part+" has no deadline")
	}
	b.polls[of.stream]++
	b.order = append(b.order, turn{part, false, time.Now()})
	if _, ok := b.first[of.stream]; !ok {
		b.first[of.stream] = time.Now()
	}
}

// touch notes the parts that an event leads to.
func (b *bench) touch(items []saas.Item) []saas.Item {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, it := range items {
		if part := it.Stream + "/" + it.Key; b.runs[part] == 0 { // else it is being read, and again after that
			b.order = append(b.order, turn{part, true, time.Now()})
		}
	}
	return items
}

func (b *bench) leave(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.runs[part]--
}

// hide takes objects out of all answers from now on.
func (b *bench) hide(raws ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers, b.edit = nil, func(body []byte) []byte { return without(body, raws) }
}

// unhealthy reports whether the tenant ever said that it is.
func (b *bench) unhealthy() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.status, componentstatus.StatusRecoverableError)
}

// elapse lets virtual time pass, until nothing is under way that needs none.
func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// wait lets virtual time pass until ok, for at most the given time.
func (b *bench) wait(most time.Duration, what string, ok func() bool) {
	b.t.Helper()
	for end := time.Now().Add(most); ; time.Sleep(time.Second) {
		synctest.Wait()
		if b.dead.Load() || ok() {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("%s: not after %v; %s", what, most, b.state())
		}
	}
}
