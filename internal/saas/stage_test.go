package saas_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is a vendor, a tenant that polls it on real file storage, and all that came out of the tenant in all its lives.
// It stands in a synctest bubble: days pass in milliseconds.
type stage struct {
	t     *testing.T
	net   *simtest.Net
	stops []func()
	dir   string
	keys  map[string]any         // configuration beside the usual
	open  func() *saas.Instance  // what the provider opens
	base  string                 // of the first host
	fsync bool                   // a process that dies takes no disk with it: one telling of each story waits for the disk
	fate  fate                   // when the process dies, or what fails
	judge func(plog.Logs) error  // what stands between the receiver and the stage
	calls [2]int                 // hand-overs and saves of all lives
	logs  *observer.ObservedLogs // of all lives
	core  zapcore.Core

	mu    sync.Mutex
	dead  bool
	died  chan struct{}
	recv  receiver.Logs
	disk  extension.Extension
	got   []record
	lives int
	batch int
}

// record is what came out.
type record struct {
	id, dataset, action, key, raw string
	deleted                       bool
	life, batch                   int
	at                            time.Time
}

// fate is one thing that goes wrong: at hand-over or save number n.
type fate struct {
	save  bool // else a hand-over
	n     int  // 0 = nothing goes wrong
	after bool // it had its effect
	dies  bool // the process ends; else the call fails once
}

func (f fate) String() string {
	words := map[bool][]string{false: {"hand-over", "before", "fails"}, true: {"save", "after", "dies"}}
	return fmt.Sprintf("%s %d, %s at %s", words[f.save][0], f.n, words[f.dies][2], words[f.after][1])
}

// newStage is for the inside of a bubble.
func newStage(t *testing.T) *stage {
	core, logs := observer.New(zapcore.WarnLevel)
	s := &stage{t: t, net: &simtest.Net{}, dir: t.TempDir(), core: core, logs: logs, died: make(chan struct{})}
	t.Cleanup(func() {
		s.stop()
		for _, stop := range s.stops {
			stop()
		}
	})
	return s
}

// serve adds a host of the vendor.
func (s *stage) serve(h http.Handler) (base string) {
	base, stop := s.net.Serve(h)
	s.stops = append(s.stops, stop)
	s.base = cmp.Or(s.base, base)
	return base
}

func (s *stage) provider() saas.Provider {
	return saas.Provider{Name: "vendor", Title: "Vendor", Config: func() any { return &struct{}{} },
		Open: func(any, saas.Setup) (*saas.Instance, error) {
			inst := s.open()
			inst.Base = cmp.Or(inst.Base, s.base)
			return inst, nil
		}}
}

// begin starts a life.
func (s *stage) begin() error {
	f, ctx := saas.NewFactory(s.provider()), context.Background()
	cfg := f.CreateDefaultConfig().(*saas.Config)
	all := map[string]any{"storage": "file_storage", "middlewares": append([]any{map[string]any{"id": "mortal"}}, simtest.Middlewares()...),
		"quota_share": 1.0}
	maps.Copy(all, s.keys)
	if err := cfg.Unmarshal(confmap.NewFromStringMap(all)); err != nil {
		return err
	}
	if err := cfg.Validate(); err != nil {
		return err
	}
	ff := filestorage.NewFactory()
	fc := ff.CreateDefaultConfig().(*filestorage.Config)
	fc.Directory, fc.FSync = s.dir, s.fsync
	rs := receivertest.NewNopSettings(f.Type())
	rs.ID, rs.Logger = component.NewIDWithName(f.Type(), "acme"), zap.New(s.core)
	disk, err := ff.Create(ctx, extension.Settings{ID: component.MustNewID("file_storage"), TelemetrySettings: rs.TelemetrySettings}, fc)
	if err != nil {
		return err
	}
	recv, err := f.CreateLogs(ctx, rs, cfg, s)
	if err != nil {
		return err
	}
	s.lives++
	s.recv, s.disk = recv, disk
	if err := disk.Start(ctx, s); err != nil {
		return err
	}
	return recv.Start(ctx, s)
}

func (s *stage) start() {
	s.t.Helper()
	for s.recv == nil {
		if err := s.begin(); err != nil {
			if !errors.Is(err, errGone) {
				s.t.Fatalf("start: %v", err)
			}
			s.stop() // what starts processes tries again
		}
	}
}

// stop ends the life. A process that died is cleared away: nothing of it has an effect any more.
func (s *stage) stop() {
	if s.recv == nil {
		return
	}
	if err := errors.Join(s.recv.Shutdown(context.Background()), s.disk.Shutdown(context.Background())); err != nil {
		s.t.Errorf("stop: %v", err)
	}
	s.recv = nil
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		s.dead, s.died = false, make(chan struct{})
	}
}

// live lets the tenant run for a time. Each time the process dies, another goes on.
func (s *stage) live(d time.Duration) {
	s.t.Helper()
	end := time.NewTimer(d)
	defer end.Stop()
	for {
		s.start()
		select {
		case <-s.died:
			s.stop()
		case <-end.C:
			synctest.Wait()
			return
		}
	}
}

func (s *stage) tenant() *saas.Tenant {
	s.t.Helper()
	t := saas.Find("vendor", "acme")
	if t == nil {
		s.t.Fatal("the tenant does not run")
	}
	return t
}

func (s *stage) status(stream string) saas.StreamStatus {
	s.t.Helper()
	for _, st := range s.tenant().Status().Streams {
		if st.Name == stream {
			return st
		}
	}
	s.t.Fatalf("there is no stream %q", stream)
	return saas.StreamStatus{}
}

// disked calls f for the keys of all rows of the storage, while the tenant does not run.
func (s *stage) disked(f func(key string)) {
	s.t.Helper()
	ctx, ff := context.Background(), filestorage.NewFactory()
	fc := ff.CreateDefaultConfig().(*filestorage.Config)
	fc.Directory = s.dir
	set := receivertest.NewNopSettings(component.MustNewType("vendor"))
	disk, err := ff.Create(ctx, extension.Settings{ID: component.MustNewID("file_storage"), TelemetrySettings: set.TelemetrySettings}, fc)
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := disk.(storage.Extension).GetClient(ctx, component.KindReceiver, component.MustNewIDWithName("vendor", "acme"), "")
	if err != nil {
		s.t.Fatal(err)
	}
	err = c.(storage.Walker).Walk(ctx, func(key string, _ []byte) ([]*storage.Operation, error) {
		f(key)
		return nil, nil
	})
	if err := errors.Join(err, c.Close(ctx), disk.Shutdown(ctx)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) isDead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

var errGone = errors.New("the process is dead")

// pass lets a hand-over or save have its effect, unless fate is against it.
func (s *stage) pass(save bool, effect func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return errGone
	}
	kind := 0
	if save {
		kind = 1
	}
	s.calls[kind]++
	hit := s.fate.n > 0 && s.fate.save == save && s.calls[kind] == s.fate.n
	if !hit {
		return effect()
	}
	if s.fate.after {
		_ = effect()
	}
	if s.fate.dies {
		s.dead = true
		close(s.died)
	}
	return errGone
}

// judgeBy puts a dlp processor between the receiver and the stage.
func (s *stage) judgeBy(judge func(plog.Logs) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.judge = judge
}

// ConsumeLogs makes the stage the receiver's next component.
func (s *stage) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	s.mu.Lock()
	judge := s.judge
	s.mu.Unlock()
	if judge != nil && !s.isDead() {
		if err := judge(logs); err != nil {
			return err
		}
	}
	return s.pass(false, func() error {
		s.batch++
		for _, res := range logs.ResourceLogs().All() {
			dataset, _ := res.Resource().Attributes().Get("event.dataset")
			for _, scope := range res.ScopeLogs().All() {
				for _, rec := range scope.LogRecords().All() {
					attr := func(name string) string {
						v, ok := rec.Attributes().Get(name)
						if !ok {
							return ""
						}
						return v.AsString()
					}
					s.got = append(s.got, record{id: attr("event.id"), dataset: dataset.AsString(), action: attr("event.action"),
						key: attr("entity.id"), raw: rec.Body().Str(), deleted: rec.EventName() == "entity.delete",
						life: s.lives, batch: s.batch, at: time.Now()})
				}
			}
		}
		return nil
	})
}

// Capabilities is consumer.Logs's.
func (s *stage) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// GetExtensions makes the stage the receiver's host.
func (s *stage) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("file_storage"): &safe{s.disk, s},
		component.MustNewID("mortal"): &mortal{s: s}, simtest.NetID: s.net}
}

// mortal is an HTTP middleware through which a dead process asks for nothing.
type mortal struct {
	component.StartFunc
	component.ShutdownFunc
	s *stage
}

func (m *mortal) GetHTTPRoundTripper(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
	return func(_ context.Context, rt http.RoundTripper) (http.RoundTripper, error) {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			if m.s.isDead() {
				return nil, errGone
			}
			return rt.RoundTrip(r)
		}), nil
	}, nil
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// safe is the storage extension with the saves counted.
type safe struct {
	extension.Extension
	s *stage
}

func (x *safe) GetClient(ctx context.Context, k component.Kind, id component.ID, name string) (storage.Client, error) {
	c, err := x.Extension.(storage.Extension).GetClient(ctx, k, id, name)
	if err != nil {
		return nil, err
	}
	return &saved{c, c.(storage.Walker), x.s}, nil
}

type saved struct {
	storage.Client
	storage.Walker
	s *stage
}

func (c *saved) Set(ctx context.Context, key string, val []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, val))
}

func (c *saved) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

func (c *saved) Batch(ctx context.Context, ops ...*storage.Operation) error {
	return c.s.pass(true, func() error { return c.Client.Batch(ctx, ops...) })
}

// of lists the records of a dataset, in the order in which they came out.
func (s *stage) of(dataset string) (recs []record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.got {
		if r.dataset == dataset {
			recs = append(recs, r)
		}
	}
	return recs
}

// ids are the record ids of a dataset, in order and each once.
func (s *stage) ids(dataset string) (ids []string) {
	for _, r := range s.of(dataset) {
		ids = append(ids, r.id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// delivered checks that the dataset's records are the published ones. Each came once, but for what one batch repeated in
// the life after the one that ended badly; at is how many batches can be under way at a time.
func (s *stage) delivered(dataset string, want []string, under int) {
	s.t.Helper()
	want = slices.Clone(want)
	slices.Sort(want)
	if got := s.ids(dataset); !slices.Equal(got, want) {
		s.t.Errorf("%s: delivered %d of %d published: missing %v, not published %v", dataset, len(got), len(want), less(want, got), less(got,
			want))
	}
	s.repeats(dataset, under)
}

// repeats checks that no more than some batches were handed on again.
func (s *stage) repeats(dataset string, under int) {
	s.t.Helper()
	seen, again := map[string]int{}, map[int]bool{}
	n := 0
	for _, r := range s.of(dataset) {
		if first, ok := seen[r.id]; ok {
			n++
			again[first] = true
		} else {
			seen[r.id] = r.batch
		}
	}
	if len(again) > under || s.fate.n == 0 && n > 0 {
		s.t.Errorf("%s: %d records came again, of %d batches", dataset, n, len(again))
	}
}

// entities are the keys that are there by what the last records of a dataset say.
func (s *stage) entities(dataset string) (keys []string) {
	there := map[string]bool{}
	for _, r := range s.of(dataset) {
		if r.key != "" {
			there[r.key] = !r.deleted
		}
	}
	for k, ok := range there {
		if ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// inventory checks which entities are there by what came out.
func (s *stage) inventory(dataset string, want ...string) {
	s.t.Helper()
	slices.Sort(want)
	if got := s.entities(dataset); !slices.Equal(got, want) {
		s.t.Errorf("%s: %v are there, want %v: missing %v, too many %v", dataset, got, want, less(want, got), less(got, want))
	}
}

// gaps are the reasons of the gaps that were reported.
func (s *stage) gaps() (reasons []string) {
	for _, r := range s.of("saas.agent") {
		if r.action == "gap" {
			reasons = append(reasons, r.id)
		}
	}
	slices.Sort(reasons)
	return slices.Compact(reasons)
}

func less(a, b []string) (out []string) {
	for _, x := range a {
		if !slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

// maxFates bounds how many moments of each kind are tried. LONGSHORE_LONG=1 tries more.
var maxFates = func() int {
	if os.Getenv("LONGSHORE_LONG") != "" {
		return 10
	}
	return 4
}()

// survives runs a story in a bubble: once undisturbed, and then again with the process killed, or the call failed, before and
// after it had its effect, at hand-overs and saves.
func survives(t *testing.T, story func(t *testing.T, s *stage)) {
	t.Helper()
	var calls [2]int
	t.Run("undisturbed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t)
			s.fsync = true
			story(t, s)
			calls = s.calls
			if calls[0] < 2 || calls[1] < 2 {
				t.Errorf("%d hand-overs and %d saves: the story does not try anything", calls[0], calls[1])
			}
		})
	})
	for kind, n := range calls {
		step := max(1, (n+maxFates-1)/maxFates)
		if testing.Short() {
			step *= 5
		}
		for i := 1; i <= n; i += step {
			for _, f := range []fate{{dies: true}, {dies: true, after: true}, {}, {after: true}} {
				f.save, f.n = kind == 1, i
				t.Run(f.String(), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s := newStage(t)
						s.fate = f
						story(t, s)
					})
				})
				if t.Failed() {
					return
				}
			}
		}
	}
}

// field is a string or number in a raw object.
func field(raw []byte, name string) string {
	var o map[string]json.RawMessage
	if json.Unmarshal(raw, &o) != nil {
		return ""
	}
	return strings.Trim(string(o[name]), `"`)
}

// by is a Key of one field.
func by(name string) func(*event.Values) string {
	return func(v *event.Values) string { return field(v.Raw, name) }
}

// plain maps an event.
func plain(v *event.Values, add func() *event.Record) error {
	add().Str("event.action", "test.action")
	return nil
}

// thing maps an entity whose id is in a field.
func thing(typ, name string) func(*event.Values, func() *event.Record) error {
	return func(v *event.Values, add func() *event.Record) error {
		rec := add()
		rec.Entity(typ, field(v.Raw, name))
		if field(v.Raw, "deleted") == "true" {
			rec.Delete()
		}
		return nil
	}
}

// rows are the elements of the list in a member.
func rows(path string) func(*saas.Reply) saas.Rows {
	return func(p *saas.Reply) saas.Rows { return p.JSON(path) }
}

// token follows a member of the answer with a query parameter.
func token(url, member, param string) saas.Next {
	return func(p *saas.Reply, _ json.RawMessage) (saas.Req, bool) {
		next := p.Field(member)
		return saas.Req{URL: url + "&" + param + "=" + next}, next != ""
	}
}
