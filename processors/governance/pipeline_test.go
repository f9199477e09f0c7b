package governance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
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
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tiny is a vendor with users that can be suspended, and the provider of it.
type tiny struct {
	mu     sync.Mutex
	status map[string]string
	sent   []string // changes
	reads  int
	hang   bool // reads of users are never answered
}

func (v *tiny) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	hang := v.hang && strings.HasPrefix(r.URL.Path, "/users/")
	v.mu.Unlock()
	if hang {
		<-r.Context().Done()
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if r.URL.Path == "/me" {
		fmt.Fprint(w, `{"id":"u0","login":"agent@acme.example"}`)
		return
	}
	id, verb, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/users/"), "/")
	if r.Method == http.MethodGet {
		v.reads++
		_ = json.NewEncoder(w).Encode(map[string]string{"id": id, "login": id + "@acme.example", "status": v.status[id]})
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	v.sent = append(v.sent, r.Method+" "+r.URL.Path)
	v.status[id] = map[string]string{"suspend": "SUSPENDED", "unsuspend": "ACTIVE", "unlink": "PRIVATE", "link": "PUBLIC",
		"hide": "HIDDEN"}[verb]
	fmt.Fprint(w, `{}`)
}

func (v *tiny) changes() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.sent)
}

type tinyUser struct{ ID, Login, Status string }

func readUser(ctx context.Context, c *saas.Conn, path string) (u tinyUser, err error) {
	rep, err := c.Do(ctx, saas.Req{URL: path})
	if err == nil {
		err = rep.Into(&u)
	}
	return u, err
}

// tinyAction brings a user, or what stands for a file, into a state.
func tinyAction(verb, step, state, back string) saas.Action {
	return saas.Action{Verb: verb,
		Plan: func(ctx context.Context, c *saas.Conn, t saas.Target) (*saas.Plan, error) {
			u, err := readUser(ctx, c, "/users/"+t.ID)
			switch {
			case err != nil:
				return nil, err
			case u.Status == state:
				return nil, &saas.Error{Outcome: saas.Already}
			}
			t.Name = u.Login
			before, err := json.Marshal(u)
			return &saas.Plan{Target: t, Before: before, Steps: []saas.Req{{Method: http.MethodPost, URL: "/users/" + t.ID + "/" + step}},
				Back: []saas.Req{{Method: http.MethodPost, URL: "/users/" + t.ID + "/" + back}}}, err
		},
		Done: func(ctx context.Context, c *saas.Conn, p *saas.Plan) (bool, error) {
			u, err := readUser(ctx, c, "/users/"+p.Target.ID)
			return u.Status == state, err
		}}
}

func tinyProvider() saas.Provider {
	return saas.Provider{Name: "tiny", Title: "Tiny", Config: func() any { return &struct{}{} },
		Open: func(_ any, s saas.Setup) (*saas.Instance, error) {
			return &saas.Instance{Base: s.Endpoint,
				Rights: func(ctx context.Context, c *saas.Conn) (*saas.Rights, error) {
					me, err := readUser(ctx, c, "/me")
					return &saas.Rights{Self: []string{me.ID, me.Login}}, err
				},
				Actions: []saas.Action{tinyAction(action.SuspendUser, "suspend", "SUSPENDED", "unsuspend"),
					tinyAction(action.RemovePublicLink, "unlink", "PRIVATE", "link"),
					tinyAction(action.QuarantineFile, "hide", "HIDDEN", "link")}}, nil
		}}
}

// rig is the processor with a connected tenant before it and an inbox after it, in a bubble of virtual time.
type rig struct {
	t    *testing.T
	v    *tiny
	net  simtest.Net
	recv receiver.Logs
	disk extension.Extension
	dir  string
	keys map[string]any
	g    *governor
	logs *observer.ObservedLogs

	mu   sync.Mutex
	fail error
	got  []event.View
}

// inRig runs f beside a processor with this configuration.
func inRig(t *testing.T, keys map[string]any, f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, v: &tiny{status: map[string]string{}}, dir: t.TempDir(), keys: keys}
		base, stop := r.net.Serve(r.v)
		defer stop()
		r.connect(base)
		r.begin()
		f(r)
		r.end()
		if err := r.recv.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
}

// connect starts the receiver of the tenant; its rights are read before the processor is asked anything.
func (r *rig) connect(base string) {
	r.t.Helper()
	f := saas.NewFactory(tinyProvider())
	cfg := f.CreateDefaultConfig().(*saas.Config)
	err := cfg.Unmarshal(confmap.NewFromStringMap(map[string]any{"storage": "none", "endpoint": base, "middlewares": simtest.Middlewares()}))
	if err != nil {
		r.t.Fatal(err)
	}
	set := receivertest.NewNopSettings(f.Type())
	set.ID = component.NewIDWithName(f.Type(), "acme")
	next, err := consumer.NewLogs(func(context.Context, plog.Logs) error { return nil })
	if err != nil {
		r.t.Fatal(err)
	}
	if r.recv, err = f.CreateLogs(context.Background(), set, cfg, next); err != nil {
		r.t.Fatal(err)
	}
	if err := r.recv.Start(context.Background(), r); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
}

// begin starts a life of the processor.
func (r *rig) begin() {
	r.t.Helper()
	f := NewFactory()
	cfg := f.CreateDefaultConfig().(*Config)
	if err := confmap.NewFromStringMap(r.keys).Unmarshal(cfg); err != nil {
		r.t.Fatal(err)
	}
	if err := cfg.Validate(); err != nil {
		r.t.Fatal(err)
	}
	ff := filestorage.NewFactory()
	fc := ff.CreateDefaultConfig().(*filestorage.Config)
	fc.Directory = r.dir
	set := processortest.NewNopSettings(f.Type())
	core, logs := observer.New(zap.WarnLevel)
	set.Logger, r.logs = zap.New(core), logs
	var err error
	r.disk, err = ff.Create(context.Background(), extension.Settings{ID: component.MustNewID("file_storage"),
		TelemetrySettings: set.TelemetrySettings}, fc)
	if err != nil {
		r.t.Fatal(err)
	}
	r.g = r.make(f, set, cfg)
	if err := r.g.Start(context.Background(), r); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) make(f processor.Factory, set processor.Settings, cfg *Config) *governor {
	r.t.Helper()
	p, err := f.CreateLogs(context.Background(), set, cfg, r)
	if err != nil {
		r.t.Fatal(err)
	}
	return p.(*governor)
}

func (r *rig) end() {
	r.t.Helper()
	if err := errors.Join(r.g.Shutdown(context.Background()), r.disk.Shutdown(context.Background())); err != nil {
		r.t.Fatal(err)
	}
}

// GetExtensions makes the rig a host.
func (r *rig) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{simtest.NetID: &r.net, component.MustNewID("file_storage"): r.disk}
}

// Capabilities makes the rig the next consumer.
func (r *rig) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs keeps what comes.
func (r *rig) ConsumeLogs(_ context.Context, l plog.Logs) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	r.got = slices.AppendSeq(r.got, event.Views(l))
	return nil
}

func (r *rig) refuse(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = err
}

// of gives what came of a dataset, each document once.
func (r *rig) of(dataset string) []event.View {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []event.View
	seen := map[string]bool{}
	for _, w := range r.got {
		if id := w.DocID(); w.Str("event.dataset") == dataset && !seen[id] {
			seen[id] = true
			out = append(out, w)
		}
	}
	return out
}

// give hands records to the processor and lets a minute pass.
func (r *rig) give(l plog.Logs) {
	r.t.Helper()
	if err := r.g.ConsumeLogs(r.t.Context(), l); err != nil {
		r.t.Fatal(err)
	}
	r.settle()
}

func (r *rig) settle() {
	time.Sleep(time.Minute) // of the bubble
	synctest.Wait()
}

func (r *rig) changed(want ...string) {
	r.t.Helper()
	if got := r.v.changes(); !slices.Equal(got, want) {
		r.t.Fatalf("sent %q, want %q", got, want)
	}
}

// receipts are "requested suspend_user dry_run", "result suspend_user enforce success" …, in order.
func (r *rig) receipts(want ...string) {
	r.t.Helper()
	var got []string
	for _, w := range r.of(action.Dataset) {
		got = append(got, strings.TrimSpace(strings.Join([]string{strings.TrimPrefix(w.Str("saas.activity"), "action_"), w.Str("event.action"),
			w.Str("saas.action.mode"), w.Str("event.outcome")}, " ")))
	}
	if !slices.Equal(got, want) {
		r.t.Fatalf("receipts %q, want %q", got, want)
	}
}

// records makes a batch of one tenant.
func records(dataset string, fill ...func(r *event.Record)) plog.Logs {
	b := event.NewBatch(event.Origin{Module: "tiny", Tenant: "acme", OrgID: "o1", Dataset: dataset, Version: "1.0",
		Observed: time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)})
	for i, f := range fill {
		r := b.Add(nil, &event.Values{Raw: fmt.Appendf(nil, `{"n":%d}`, i)})
		r.Time(time.Date(2026, 11, 25, 7, 0, i, 0, time.UTC))
		f(r)
	}
	return b.Take()
}

// risky is a sign-in of a user from a proxy.
func risky(user string) func(r *event.Record) {
	return func(r *event.Record) {
		r.ID("e-" + user)
		r.Str("event.action", "user.session.start")
		r.Strs("event.category", "authentication")
		r.Str("user.id", user)
		r.Str("user.name", user+"@acme.example")
		r.Str("source.ip", "198.51.100.7")
		r.Str("saas.risk.level", "high")
	}
}

type m = map[string]any

func policies(ps ...m) []any {
	var out []any
	for _, p := range ps {
		out = append(out, p)
	}
	return out
}

func suspendRisky(more m) m {
	p := m{"name": "risky sign-in", "kind": "activity", "when": `saas.risk.level == "high"`, "actions": []any{"suspend_user"}}
	for k, v := range more {
		p[k] = v
	}
	return p
}
