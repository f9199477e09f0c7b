package aws

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/receivers/aws"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type obj = map[string]any

// cloud is a running fake, and what was said to it.
type cloud struct {
	*sim.Sim
	base string

	mu   sync.Mutex
	said []exchange
}

// exchange is a request and its answer. Bodies are as they were.
type exchange struct {
	Method, Target   string
	Header           map[string]string
	Body             string // base64
	Status           int
	Answer           map[string]string // its headers
	Content          string            // base64
	Service, Account string
}

// start serves a fake until the test ends.
func start(t *testing.T, o sim.Options) *cloud {
	t.Helper()
	s, err := aws.Provider.Sim(o)
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{Sim: s}
	inner := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.note(w, r, inner) })
	base, stop, err := sim.Serve("127.0.0.1:0", s, "", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	c.base = base
	return c
}

// note lets a request through and keeps what was said.
func (c *cloud) note(w http.ResponseWriter, r *http.Request, next http.Handler) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	held := httptest.NewRecorder()
	next.ServeHTTP(held, r)
	flat := func(h http.Header) map[string]string {
		out := map[string]string{}
		for k, v := range h {
			out[strings.ToLower(k)] = strings.Join(v, ",")
		}
		return out
	}
	x := exchange{Method: r.Method, Target: r.RequestURI, Header: flat(r.Header), Body: base64.StdEncoding.EncodeToString(body),
		Status: held.Code,
		Answer: flat(held.Header()), Content: base64.StdEncoding.EncodeToString(held.Body.Bytes())}
	if _, scope, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		if part := strings.Split(scope, "/"); len(part) > 4 {
			x.Service = part[3]
		}
	}
	c.mu.Lock()
	c.said = append(c.said, x)
	c.mu.Unlock()
	maps.Copy(w.Header(), held.Header())
	w.WriteHeader(held.Code)
	_, _ = w.Write(held.Body.Bytes())
}

// write saves what was said, a JSON object a line.
func (c *cloud) write(t *testing.T) string {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	path := filepath.Join(t.TempDir(), "said.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	e := json.NewEncoder(f)
	for i := range c.said {
		if err := e.Encode(&c.said[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// published is what a stream must deliver.
func (c *cloud) published(stream string) []string {
	var out []string
	c.Published(stream, func(key string) bool { out = append(out, key); return true })
	slices.Sort(out)
	return slices.Compact(out)
}

// running is the receiver at work.
type running struct {
	name string
	mu   sync.Mutex
	got  map[string]map[string]bool // keys by stream
	raw  map[string]string          // bodies by entity.id
	came chan struct{}
}

// run starts the receiver with a configuration, until the test ends.
func run(t *testing.T, name string, config obj) *running {
	t.Helper()
	f := aws.NewFactory()
	cfg := f.CreateDefaultConfig()
	set := obj{"storage": "none", "quota_share": 1}
	maps.Copy(set, config)
	if err := confmap.NewFromStringMap(set).Unmarshal(cfg); err != nil {
		t.Fatal(err)
	}
	settings := receivertest.NewNopSettings(f.Type())
	settings.ID = component.MustNewIDWithName("aws", name)
	d := &running{name: name, got: map[string]map[string]bool{}, raw: map[string]string{}, came: make(chan struct{}, 1)}
	r, err := f.CreateLogs(t.Context(), settings, cfg, d)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *running) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

var _ consumer.Logs = (*running)(nil)

// ConsumeLogs keeps keys of events and entities.
func (d *running) ConsumeLogs(_ context.Context, l plog.Logs) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for v := range event.Views(l) {
		stream, key := named(v)
		if stream == "" {
			continue
		}
		if d.got[stream] == nil {
			d.got[stream] = map[string]bool{}
		}
		d.got[stream][strings.Clone(key)] = true
		if id := v.Str("entity.id"); id != "" {
			d.raw[strings.Clone(id)] = strings.Clone(v.Raw())
		}
	}
	select {
	case d.came <- struct{}{}:
	default:
	}
	return nil
}

// named is the stream of a record and the vendor's key, "" of what is neither event nor entity.
func named(v event.View) (stream, key string) {
	id, walk := v.Str("event.id"), v.Str("saas.inventory.run_id")
	switch {
	case v.Str("event.dataset") == "aws.cloudtrail":
		return "cloudtrail", id
	case v.Str("event.dataset") == "aws.s3_event":
		return "object_events", id
	case walk == "" || v.Str("event.kind") != "asset":
		return "", ""
	}
	part := walk[:strings.LastIndexByte(walk, '#')]
	stream, _, whole := strings.Cut(part, "/")
	if !whole {
		part += "/"
	}
	key, ok := strings.CutPrefix(id, part+"/")
	if at := strings.LastIndexByte(key, '@'); ok && at > 0 {
		return stream, key[:at]
	}
	return "", ""
}

func (d *running) keys(stream string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.got[stream]))
}

// entity is the id of one that has all these texts in it.
func (d *running) entity(t *testing.T, texts ...string) string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(d.raw)) {
		if !slices.ContainsFunc(texts, func(s string) bool { return !strings.Contains(id, s) }) {
			return id
		}
	}
	t.Fatalf("no entity has %q in its id", texts)
	return ""
}

// until waits for something, at most two minutes.
func (d *running) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for late := time.After(2 * time.Minute); !ok(); {
		select {
		case <-d.came:
		case <-time.After(200 * time.Millisecond):
		case <-late:
			t.Fatalf("%s: not after two minutes", what)
		}
	}
}

// tenant is the receiver as processors and commands reach it.
func (d *running) tenant(t *testing.T) *saas.Tenant {
	t.Helper()
	for _, tenant := range saas.Tenants() {
		if tenant.Name() == d.name {
			return tenant
		}
	}
	t.Fatalf("tenant %s does not run", d.name)
	return nil
}

// act plans and does an action and waits for its end; back takes it back, nil = nothing can.
func (d *running) act(t *testing.T, verb string, target saas.Target) (back func()) {
	t.Helper()
	a, ok := d.tenant(t).Action(verb)
	if !ok {
		t.Fatalf("there is no action %s", verb)
	}
	ctx, conn := t.Context(), d.tenant(t).Conn()
	p, err := a.Plan(ctx, conn, target)
	if err != nil {
		t.Fatalf("plan %s of %s: %v", verb, target.ID, err)
	}
	p.ID = "00000000-0000-4000-8000-000000000001"
	pass := func(what string, f func(context.Context, *saas.Conn, *saas.Plan) error, list []saas.Req) {
		t.Helper()
		for n := 0; ; n++ {
			var err error
			if f != nil {
				err = f(ctx, conn, p)
			} else {
				err = saas.Send(ctx, conn, list)
			}
			if err == nil {
				return
			}
			if !saas.Is(err, saas.Pending) || n == 20 {
				t.Fatalf("%s %s of %s: %v", what, verb, target.ID, err)
			}
			<-time.After(500 * time.Millisecond)
		}
	}
	pass("do", a.Do, p.Steps)
	if a.Done != nil {
		d.until(t, verb, func() bool {
			ok, err := a.Done(ctx, conn, p)
			if err != nil {
				t.Fatalf("verify %s: %v", verb, err)
			}
			return ok
		})
	}
	if a.Irreversible != "" {
		return nil
	}
	return func() { t.Helper(); pass("take back", a.Undo, p.Back) }
}
