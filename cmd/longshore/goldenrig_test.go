package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
	"github.com/longshore-dev/longshore/processors/dlp"
	"github.com/longshore-dev/longshore/processors/governance"
	"github.com/longshore-dev/longshore/receivers/box"
	"github.com/longshore-dev/longshore/receivers/okta"
)

const (
	payroll = "Date: Fri, 27 Nov 2026 09:00:00 +0000\nFrom: ann.lee@contoso.example\nmsip_labels: " + sealed + "_Enabled=true; " + sealed +
		"_SiteId=cb46c030-1825-4e81-a295-151c039dbf02; " + sealed + "_Name=Confidential\n\n" +
		"Payroll\nSSN 536-90-4399\ncard 4539 1488 0343 6467\nand again 4539148803436467\n"
	sealed   = "MSIP_Label_2096f6a2-d2f7-48be-b329-b73aaa526e5d"
	suspect  = "00u1abcd2EFGHIJK3l4" // whom the policy is about, an account of testdata/okta
	reviewer = "noah.smith@contoso.example"
)

// goldenTime is when the stage begins to read.
var goldenTime = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// stage is what a collector is made of, in virtual time: the receivers of two tenants that are fed the raw objects of testdata
// where they would poll, dlp and governance behind them, and an inbox where an exporter would be.
type stage struct {
	t    *testing.T
	disk component.Component

	mu  sync.Mutex
	got []event.View
}

// staged gives all records that come out in half a day, in which one account is suspended after a person approved of it.
func staged(t *testing.T) (all []event.View) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(goldenTime)) // of the bubble
		s, n := &stage{t: t}, &simtest.Net{}
		base, stop := n.Serve(accountAPI(t))
		defer stop()
		s.openDisk()
		policy := obj{"name": "who left", "kind": "account", "when": `user.id == "` + suspect + `"`, "severity": 3, "mode": "approve",
			"actions": []any{"suspend_user"}}
		gov := s.process(governance.NewFactory(), s, obj{"storage": "file_storage", "policies": []any{policy}})
		scan := s.process(dlp.NewFactory(), gov, obj{"fingerprint_key": "0123456789abcdef"})
		for _, r := range []struct {
			p      saas.Provider
			org    saas.Rights
			config obj
		}{
			{okta.Provider, saas.Rights{OrgID: "00o1abcd2EFGHIJK3l4", OrgName: "Contoso"}, obj{"auth": obj{"type": "token", "token": "t"}}},
			{box.Provider, saas.Rights{OrgID: "1000001", OrgName: "Contoso"}, obj{
				"auth":   obj{"type": "ccg", "client_id": "c", "client_secret": "s", "enterprise_id": "1000001"},
				"labels": obj{"Confidential": "8f1f2a4e-9d1b-4f63-9c3b-1d0a6b7c8d9e"}}},
		} {
			recv := saastest.Start(t, fedBy(t, r.p, r.org), "contoso", n, scan, obj{"endpoint": base}, r.config)
			defer saastest.End(t, recv)
		}
		s.live(time.Hour)
		s.approve()
		s.live(11 * time.Hour)
		s.mu.Lock()
		defer s.mu.Unlock()
		all = s.got
	})
	return all
}

// live lets time pass.
func (s *stage) live(d time.Duration) {
	time.Sleep(d) // of the bubble
	synctest.Wait()
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// approve approves of what waits for a person.
func (s *stage) approve() {
	s.t.Helper()
	for _, w := range s.views() {
		if id := w.Str("saas.action.id"); id != "" {
			e, err := action.Holder(id)
			s.must(err)
			s.must(e.Approve(s.t.Context(), id, reviewer))
		}
	}
}

func (s *stage) views() []event.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func (s *stage) openDisk() {
	s.t.Helper()
	f := filestorage.NewFactory()
	cfg := f.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = s.t.TempDir()
	set := extensiontest.NewNopSettings(f.Type())
	set.ID = component.NewID(f.Type())
	disk, err := f.Create(s.t.Context(), set, cfg)
	s.must(err)
	s.disk = disk
	s.must(disk.Start(s.t.Context(), componenttest.NewNopHost()))
	s.t.Cleanup(func() { s.must(disk.Shutdown(context.Background())) })
}

// process starts a processor that hands on to next.
func (s *stage) process(f processor.Factory, next consumer.Logs, keys obj) processor.Logs {
	s.t.Helper()
	cfg := f.CreateDefaultConfig()
	s.must(confmap.NewFromStringMap(keys).Unmarshal(cfg))
	if v, ok := cfg.(interface{ Validate() error }); ok {
		s.must(v.Validate())
	}
	set := processortest.NewNopSettings(f.Type())
	set.ID = component.NewID(f.Type())
	p, err := f.CreateLogs(s.t.Context(), set, cfg, next)
	s.must(err)
	s.must(p.Start(s.t.Context(), s))
	s.t.Cleanup(func() { s.must(p.Shutdown(context.Background())) })
	return p
}

// GetExtensions makes the stage a host.
func (s *stage) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("file_storage"): s.disk}
}

// Capabilities is consumer.Logs's.
func (s *stage) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs makes the stage the last component.
func (s *stage) ConsumeLogs(_ context.Context, l plog.Logs) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = slices.AppendSeq(s.got, event.Views(l))
	return nil
}

// accountAPI is what of Okta's API an action on the suspect asks.
func accountAPI(t *testing.T) http.Handler {
	var mu sync.Mutex
	account := string(rawObjects(t, "okta")["users"][0])
	if saas.TextAt(json.RawMessage(account), "id") != suspect {
		t.Fatalf("the first account of testdata/okta is not %s", suspect)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/users/"+suspect, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, account)
	})
	mux.HandleFunc("POST /api/v1/users/"+suspect+"/lifecycle/suspend", func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		account = strings.Replace(account, `"ACTIVE"`, `"SUSPENDED"`, 1)
	})
	return mux
}

// rawObjects are the raw objects of testdata/<app>, by stream, those of the fullest example first.
func rawObjects(t testing.TB, app string) map[string][]json.RawMessage {
	t.Helper()
	out, files := map[string][]json.RawMessage{}, 0
	for name, raws := range saastest.RawObjects(t, "../../testdata/"+app) {
		files++
		stream := saastest.StreamOf(name)
		if strings.Contains(name, "/"+stream+".full.") {
			out[stream] = append(raws, out[stream]...)
		} else {
			out[stream] = append(out[stream], raws...)
		}
	}
	if files < 10 {
		t.Fatalf("%d files of raw objects of %s", files, app)
	}
	return out
}

// fedBy is a provider whose streams are fed the raw objects of testdata instead of polling; what they mean, what an instance does
// and which files have content stays the provider's own.
func fedBy(t *testing.T, p saas.Provider, org saas.Rights) saas.Provider {
	raws, open := rawObjects(t, p.Name), p.Open
	var mu sync.Mutex
	walks := map[string]int{}
	p.Open = func(cfg any, s saas.Setup) (*saas.Instance, error) {
		inst, err := open(cfg, s)
		if err != nil {
			return nil, err
		}
		for _, a := range inst.Actions {
			org.Held = append(org.Held, a.Needs...)
		}
		inst.Auth, inst.Rights = saas.Auth{}, func(context.Context, *saas.Conn) (*saas.Rights, error) { return &org, nil }
		if inst.Content != nil {
			inst.Content = func(_ context.Context, _ *saas.Conn, ref saas.FileRef) (io.ReadCloser, error) {
				size, err := strconv.Atoi(string(saas.Member(ref.Raw, "item", "size")))
				return io.NopCloser(strings.NewReader(payroll + strings.Repeat(" ", max(0, size-len(payroll))))), err
			}
		}
		for i := range inst.Streams {
			st := &inst.Streams[i]
			rows, kind := raws[st.Name], st.Kind
			st.Needs, st.Poll = nil, func(_ context.Context, r *saas.Run) error {
				if kind == saas.Content {
					return emitContent(r, rows)
				}
				mu.Lock()
				walks[st.Name]++
				n := walks[st.Name]
				mu.Unlock()
				return emitWalk(r, rows, n, kind)
			}
		}
		return inst, nil
	}
	return p
}

// emitContent emits the state of the file that is to be judged.
func emitContent(r *saas.Run, rows []json.RawMessage) error {
	for _, raw := range rows {
		if saas.TextAt(raw, "item", "id") == r.Item().Key {
			return r.Emit("", raw)
		}
	}
	return &saas.Error{Outcome: saas.Missing, Msg: "there is no such file"}
}

// emitWalk emits all objects, of a part those that name it. The next walk of a list no longer finds the last one; an event without an
// id is set aside, and the hour before the first is lost.
func emitWalk(r *saas.Run, rows []json.RawMessage, n int, kind saas.Kind) error {
	part := r.Item().Key
	if n > 1 && part == "" && len(rows) > 0 {
		rows = rows[:len(rows)-1]
	}
	for _, raw := range rows {
		if !strings.Contains(string(raw), `"`+part) {
			continue
		}
		if err := r.Emit("", raw); err != nil {
			return err
		}
	}
	if kind > saas.Audit {
		r.Done()
		return r.Commit(nil)
	}
	if n == 1 {
		if err := r.Emit("", json.RawMessage(`{"displayMessage":"User login to Okta"}`)); err != nil {
			return err
		}
		r.Gap(goldenTime.Add(-time.Hour), goldenTime, "the vendor gives nothing so old any more")
	}
	return r.Commit(n)
}
