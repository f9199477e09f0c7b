package saas_test

import (
	"context"
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
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// pagesOf is a stream that reads one page each time.
func pagesOf(name string, kind saas.Kind, every time.Duration) saas.Stream {
	s := saas.Stream{Name: name, Kind: kind, Dataset: name, Every: every, Keep: day, Key: by("id"), Map: plain,
		Poll: func(ctx context.Context, r *saas.Run) error {
			return saas.Pages(ctx, r, saas.Req{URL: "/" + name}, rows(""), nil)
		}}
	if kind >= saas.Accounts {
		s.Map = thing("user", "id")
		s.Poll = saas.List(func(*saas.Run) saas.Req { return saas.Req{URL: "/" + name} }, rows(""), nil)
	}
	return s
}

// pageVendor answers each path with a page, or with a status.
type pageVendor struct {
	mu     sync.Mutex
	pages  map[string]string
	status map[string]int
	asked  map[string]int
	order  []string
}

func newPageVendor(pages map[string]string) *pageVendor {
	return &pageVendor{pages: pages, status: map[string]int{}, asked: map[string]int{}}
}

func (v *pageVendor) set(path string, status int, page string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.status[path], v.pages[path] = status, page
}

func (v *pageVendor) count(path string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.asked[path]
}

func (v *pageVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked[r.URL.Path]++
	v.order = append(v.order, r.URL.Path)
	if status := v.status[r.URL.Path]; status != 0 {
		w.WriteHeader(status)
		return
	}
	_, _ = io.WriteString(w, v.pages[r.URL.Path])
}

func ids(n ...string) string {
	var all []string
	for _, id := range n {
		all = append(all, fmt.Sprintf(`{"id":%q}`, id))
	}
	return "[" + strings.Join(all, ",") + "]"
}

type extensionsOf map[component.ID]component.Component

func (h extensionsOf) GetExtensions() map[component.ID]component.Component { return h }

func TestStorageIsFoundOrTheReceiverDoesNotStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.serve(newPageVendor(map[string]string{"/log": "[]"}))
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: []saas.Stream{pagesOf("log", saas.Audit, time.Minute)}}
		}
		f := func(name string, exts extensionsOf, want string) {
			t.Helper()
			fac := saas.NewFactory(s.provider())
			cfg := fac.CreateDefaultConfig().(*saas.Config)
			if err := cfg.Unmarshal(confmap.NewFromStringMap(map[string]any{"storage": name, "middlewares": simtest.Middlewares()})); err != nil {
				t.Fatal(err)
			}
			rs := receivertest.NewNopSettings(fac.Type())
			recv, err := fac.CreateLogs(t.Context(), rs, cfg, consumertest.NewNop())
			if err != nil {
				t.Fatal(err)
			}
			exts[simtest.NetID] = s.net
			err = recv.Start(t.Context(), exts)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("storage %q: %v, want %q", name, err, want)
			}
			if err := recv.Shutdown(t.Context()); err != nil {
				t.Errorf("storage %q: stop: %v", name, err)
			}
		}
		f("file_storage", extensionsOf{}, `storage "file_storage": there is no such extension`)
		f("bubble", extensionsOf{}, `storage "bubble": that extension stores nothing`)
		f("none", extensionsOf{}, "")
		f("deaf", extensionsOf{component.MustNewID("deaf"): &deaf{}}, "cannot list its rows")
	})
}

// deaf is a storage whose rows cannot be listed.
type deaf struct {
	component.StartFunc
	component.ShutdownFunc
}

func (*deaf) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return struct{ storage.Client }{storage.NewNopClient()}, nil
}

// onDisk works on the tenant's rows while it is stopped.
func (s *stage) onDisk(f func(c storage.Client)) {
	s.t.Helper()
	ff := filestorage.NewFactory()
	fc := ff.CreateDefaultConfig().(*filestorage.Config)
	fc.Directory = s.dir
	rs := receivertest.NewNopSettings(component.MustNewType("vendor"))
	ext, err := ff.Create(context.Background(), extension.Settings{ID: component.MustNewID("file_storage"),
		TelemetrySettings: rs.TelemetrySettings}, fc)
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := ext.(storage.Extension).GetClient(context.Background(), component.KindReceiver, component.MustNewIDWithName("vendor",
		"acme"), "")
	if err != nil {
		s.t.Fatal(err)
	}
	f(c)
	if err := errors.Join(c.Close(context.Background()), ext.Shutdown(context.Background())); err != nil {
		s.t.Fatal(err)
	}
}

func TestANewerStateIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.serve(newPageVendor(map[string]string{"/log": ids("a")}))
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: []saas.Stream{pagesOf("log", saas.Audit, time.Minute)}}
		}
		s.live(time.Minute)
		s.stop()
		ctx := context.Background()
		s.onDisk(func(c storage.Client) {
			_ = c.Set(ctx, "version", []byte("2"))
			_ = c.Set(ctx, "p/log/", []byte("in a form of tomorrow"))
		})
		if err := s.begin(); err == nil || !strings.Contains(err.Error(), `it has version "2"`) {
			t.Errorf("got %v", err)
		}
		s.stop()
	})
}

func TestAMarkThatCannotBeReadBeginsWhereItHadCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		var since []time.Duration
		s.serve(newPageVendor(map[string]string{"/log": ids("a")}))
		s.keys = map[string]any{"start_at": "30d"}
		s.open = func() *saas.Instance {
			st := pagesOf("log", saas.Audit, time.Hour)
			st.Poll = func(ctx context.Context, r *saas.Run) error {
				var m struct{ N int }
				if !r.Mark(&m) {
					since = append(since, r.Now().Sub(r.Since()))
				}
				m.N++
				return r.Commit(m)
			}
			return &saas.Instance{Streams: []saas.Stream{st}}
		}
		s.live(5*time.Hour + 30*time.Minute)
		s.stop()
		s.onDisk(func(c storage.Client) {
			row, _ := c.Get(context.Background(), "p/log/")
			_ = c.Set(context.Background(), "p/log/", []byte(strings.Replace(string(row), `{"N":6}`, `"torn"`, 1)))
		})
		s.live(time.Minute)
		if len(since) != 2 || since[0] != 30*day || since[1] < day || since[1] > day+2*time.Hour {
			t.Errorf("began %v back, want 30 days, then Keep before where it had come", since)
		}
		if s.logs.FilterMessageSnippet("mark cannot be read").Len() != 1 {
			t.Error("nobody was told")
		}
	})
}

func TestRightsAreAskedForAgainWhenTheVendorIsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := newPageVendor(map[string]string{"/log": ids("a"), "/users": ids("u"), "/audit": ids("x"), "/basic": ids("b")})
		s.serve(v)
		var mu sync.Mutex // of held
		held := []string{"logs.read"}
		s.open = func() *saas.Instance {
			need := func(st saas.Stream, needs ...string) saas.Stream { st.Needs = needs; return st }
			basic := pagesOf("basic", saas.Audit, time.Minute)
			basic.Unless = "audit"
			return &saas.Instance{
				Streams: []saas.Stream{need(pagesOf("log", saas.Audit, time.Minute), "logs.read|logs.manage"), pagesOf("users", saas.Accounts,
					time.Hour),
					need(pagesOf("audit", saas.Audit, time.Minute), "audit.read"), basic},
				Rights: func(ctx context.Context, c *saas.Conn) (*saas.Rights, error) {
					if _, err := c.Do(ctx, saas.Req{URL: "/rights"}); err != nil {
						return nil, err
					}
					mu.Lock()
					defer mu.Unlock()
					slices.Reverse(held) // as a provider that keeps them in a map
					return &saas.Rights{Held: append(slices.Clone(held), held[0])}, nil
				}}
		}
		v.set("/rights", 500, "")
		s.live(time.Minute)
		if v.count("/log") != 0 {
			t.Error("streams are read before the rights are known")
		}
		v.set("/rights", 0, "{}")
		s.live(5 * time.Minute)
		if v.count("/log") < 4 || v.count("/audit") != 0 {
			t.Errorf("the log was read %d times, what no right is held for %d times", v.count("/log"), v.count("/audit"))
		}
		if off := s.status("audit").Off; !strings.Contains(off, "audit.read") {
			t.Errorf("off because of %q", off)
		}
		if v.count("/basic") < 4 {
			t.Errorf("the poorer source was read %d times while the richer one is off", v.count("/basic"))
		}
		mu.Lock()
		held = append(held, "audit.read") // given an hour later
		mu.Unlock()
		s.live(2 * time.Hour)
		before := v.count("/basic")
		s.live(10 * time.Minute)
		if v.count("/audit") < 10 || v.count("/basic") != before || !strings.Contains(s.status("basic").Off, "audit") {
			t.Errorf("%d, %d readings: the richer source replaces the poorer one", v.count("/audit"), v.count("/basic")-before)
		}
		if told := len(slices.DeleteFunc(s.of("saas.agent"), func(r record) bool { return r.action != "permissions_read" })); told != 2 {
			t.Errorf("the rights were told %d times, and changed once", told)
		}
		first := slices.Index(v.order, "/users")
		if log := slices.Index(v.order, "/log"); first < 0 || log < first {
			t.Errorf("asked for %v first", v.order[:min(len(v.order), 12)])
		}
	})
}

// A provider that is cut off may answer anything: nothing at all, or the rights that it has seen so far.
func TestRightsThatWereCutOffAreNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := newPageVendor(map[string]string{"/log": ids("a")})
		s.serve(v)
		asked := 0
		s.open = func() *saas.Instance {
			st := pagesOf("log", saas.Audit, time.Minute)
			st.Needs = []string{"logs.read"}
			return &saas.Instance{Streams: []saas.Stream{st}, Rights: func(ctx context.Context, _ *saas.Conn) (*saas.Rights, error) {
				switch asked++; asked {
				case 1:
					<-ctx.Done()
					return nil, nil
				case 2:
					<-ctx.Done()
					return &saas.Rights{Held: []string{"users.read"}}, nil
				}
				return &saas.Rights{Held: []string{"logs.read"}}, nil
			}}
		}
		s.live(3 * time.Hour)
		if asked < 3 || v.count("/log") == 0 || s.status("log").Off != "" {
			t.Errorf("asked %d times, the log was read %d times, off because of %q", asked, v.count("/log"), s.status("log").Off)
		}
		if told := s.of("saas.agent"); len(told) != 1 || told[0].action != "permissions_read" {
			t.Errorf("told %v, want the rights once", told)
		}
	})
}

func TestABadCredentialRestsAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := newPageVendor(map[string]string{"/log": ids("a")})
		s.serve(v)
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: []saas.Stream{pagesOf("log", saas.Audit, time.Minute)},
				Auth: saas.Auth{Mint: func(context.Context, *saas.Conn, string) (saas.Token, error) { return saas.Token{Value: "t"}, nil }}}
		}
		v.set("/log", http.StatusUnauthorized, ids("a"))
		s.live(time.Hour)
		if n := v.count("/log"); n > 40 || n < 6 {
			t.Errorf("a refused credential was used %d times in an hour", n)
		}
		if h := s.tenant().Status().Health; !strings.Contains(h, "unauthorized") {
			t.Errorf("health %q", h)
		}
		v.set("/log", 0, ids("a"))
		s.live(15 * time.Minute)
		s.delivered("log", []string{"a"}, 1)
		if h := s.tenant().Status().Health; h != "ok" {
			t.Errorf("health %q", h)
		}
	})
}

func TestDisabledIsQuietAndEnabledGoesOn(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := newPageVendor(map[string]string{"/log": ids("a"), "/users": ids("u")})
		s.serve(v)
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: []saas.Stream{pagesOf("log", saas.Audit, time.Minute), pagesOf("users", saas.Accounts, time.Hour)}}
		}
		try := func(f func(context.Context) error) {
			for f(context.Background()) != nil { // the administrator tries again
				s.live(time.Second)
			}
		}
		s.live(3 * time.Minute)
		try(func(ctx context.Context) error { return s.tenant().Disable(ctx) })
		before := v.count("/log")
		v.set("/log", 0, ids("a", "b"))
		s.live(10 * time.Minute)
		s.stop()
		s.live(10 * time.Minute)
		if s.fate.n == 0 && v.count("/log") != before {
			t.Error("a disabled tenant asks")
		}
		if s.fate.n == 0 && !s.tenant().Status().Disabled {
			t.Error("a restart enabled the tenant")
		}
		try(func(ctx context.Context) error { return s.tenant().Enable(ctx) })
		s.live(2 * time.Minute)
		s.delivered("log", []string{"a", "b"}, 1)
	})
}

func TestMalformedObjectsAreSetAsideAndNothingElse(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := newPageVendor(map[string]string{"/log": `[{"id":"a"},null,{"id":"panic"},{"no":1},{"id":"b"},17,{"id":"items"},{"id":"c"}]`,
			"/users": ids("u1", "u2", "u3")})
		s.serve(v)
		s.open = func() *saas.Instance {
			log := pagesOf("log", saas.Audit, time.Minute)
			log.Map = func(v *event.Values, add func() *event.Record) error {
				if field(v.Raw, "id") == "panic" {
					panic("a nil map")
				}
				return plain(v, add)
			}
			log.Items = func(v *event.Values) []saas.Item {
				if field(v.Raw, "id") == "items" {
					panic("a null field")
				}
				return nil
			}
			users := pagesOf("users", saas.Accounts, time.Hour)
			users.Map = func(v *event.Values, add func() *event.Record) error {
				if strings.Contains(string(v.Raw), "odd") {
					return errors.New("the user is odd")
				}
				return thing("user", "id")(v, add)
			}
			return &saas.Instance{Streams: []saas.Stream{log, users}}
		}
		s.live(10 * time.Minute)
		s.delivered("log", []string{"a", "b", "c"}, 1)
		aside := map[string]bool{}
		for _, r := range s.of("saas.agent") {
			if r.action == "record_set_aside" {
				aside[r.raw] = true
			}
		}
		for _, want := range []string{"null", "17", `{"no":1}`, `{"id":"panic"}`, `{"id":"items"}`} {
			if !aside[want] {
				t.Errorf("%s was not set aside: %v", want, aside)
			}
		}
		v.set("/users", 0, `[{"id":"u1"},{"id":"u2","odd":1}]`) // one cannot be read, one is gone
		s.live(2 * time.Hour)
		s.inventory("users", "u1", "u2")
		v.set("/users", 0, `[{"id":"u1"},null]`) // whose this was cannot be told
		s.live(2 * time.Hour)
		s.inventory("users", "u1", "u2")
	})
}

func TestAPollThatPanicsOrRunsForEverStopsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := newPageVendor(map[string]string{"/log": ids("a")})
		s.serve(v)
		s.keys = map[string]any{"run_timeout": "1m"}
		s.open = func() *saas.Instance {
			bad, hung := pagesOf("bad", saas.SignIn, time.Minute), pagesOf("hung", saas.SignIn, time.Minute)
			bad.Poll = func(context.Context, *saas.Run) error { panic("a mistake") }
			hung.Poll = func(ctx context.Context, _ *saas.Run) error {
				<-ctx.Done()
				return ctx.Err()
			}
			return &saas.Instance{Streams: []saas.Stream{bad, hung, pagesOf("log", saas.Audit, time.Minute)}}
		}
		s.live(10 * time.Minute)
		s.delivered("log", []string{"a"}, 1)
		if v.count("/log") < 8 {
			t.Errorf("the log was read %d times", v.count("/log"))
		}
		if off := s.status("bad").Off; !strings.Contains(off, "panic") {
			t.Errorf("off because of %q", off)
		}
	})
}

func TestAListingWaitsForItsBlobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		listed := 0
		s.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { sim.WriteJSON(w, http.StatusOK, []int{}) }))
		s.keys = map[string]any{"streams": map[string]any{"off": map[string]any{"enabled": false}}}
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: []saas.Stream{
				{Name: "list", Kind: saas.Audit, Dataset: "list", Every: time.Minute, Poll: func(ctx context.Context, r *saas.Run) error {
					r.Mark(&listed)
					for range 40 {
						for range 1000 {
							r.Put(saas.Item{Stream: "blob", Key: fmt.Sprint(listed)})
							r.Put(saas.Item{Stream: "off", Key: fmt.Sprint(listed)})
							listed++
						}
						if err := r.Commit(listed); err != nil {
							return err
						}
					}
					return nil
				}},
				{Name: "blob", Kind: saas.Audit, Dataset: "blob", Over: "list", Width: 8, Keep: day, Key: by("id"), Map: plain,
					Poll: func(ctx context.Context, r *saas.Run) error { <-ctx.Done(); return ctx.Err() }},
				{Name: "off", Kind: saas.Audit, Dataset: "off", Over: "list", Keep: day, Key: by("id"), Map: plain,
					Poll: func(context.Context, *saas.Run) error { return nil }},
			}}
		}
		s.live(5 * time.Minute)
		if n := s.status("blob").Parts; n != 10_000 || listed != 10_000 {
			t.Errorf("%d parts are held, %d were listed", n, listed)
		}
		if n := s.status("off").Parts; n != 0 {
			t.Errorf("%d parts are held of a stream that is turned off", n)
		}
	})
}

func TestRecordsOfOneObjectHaveIdsOfTheirOwn(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := newPageVendor(map[string]string{"/log": ids("a", "a", "b"), "/users": `[{"id":"u","v":1}]`})
		s.serve(v)
		s.open = func() *saas.Instance {
			several := func(n int, fill func(rec *event.Record, i int)) func(*event.Values, func() *event.Record) error {
				return func(_ *event.Values, add func() *event.Record) error {
					for i := range n {
						fill(add(), i)
					}
					return nil
				}
			}
			log, users := pagesOf("log", saas.Audit, time.Minute), pagesOf("users", saas.Accounts, 10*time.Minute)
			log.Twins = true // equal objects are different events, each of several records
			log.Map = several(300, func(rec *event.Record, i int) { rec.Int("event.sequence", int64(i)) })
			users.Map = several(2, func(rec *event.Record, i int) { rec.Entity("user", fmt.Sprint("u", i)) })
			return &saas.Instance{Streams: []saas.Stream{log, users}}
		}
		s.live(15 * time.Minute)
		if n := len(s.ids("log")); n != 3*300 {
			t.Errorf("%d different records, want 900", n)
		}
		s.repeats("log", 1)
		v.set("/users", 0, `[{"id":"u","v":2}]`)
		s.live(15 * time.Minute)
		v.set("/users", 0, `[{"id":"u","v":1}]`) // as it was
		s.live(15 * time.Minute)
		states := 0
		for _, r := range s.of("users") {
			if r.id == "" {
				t.Error("a record has no id")
			}
		}
		seen := map[string]bool{}
		for _, r := range s.of("users") {
			if r.key != "" && !seen[r.id] {
				seen[r.id] = true
				states++
			}
		}
		if states != 3*2 {
			t.Errorf("%d states, want three of two records each", states)
		}
	})
}
