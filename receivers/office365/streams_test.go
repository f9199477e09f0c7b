package office365

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// heard is what a receiver handed on.
type heard struct {
	mu    sync.Mutex
	keys  map[string]bool   // of events by event.id, of entities by the stream and the key
	recs  []event.View      // copies
	texts map[string]string // content by entity.id
	opens int
}

// running runs a receiver against a fake for a while, with a judge that reads all content.
func running(t *testing.T, o sim.Options, keys map[string]any, f func(org *simOrg, fake *sim.Sim, h *heard)) {
	t.Helper()
	defer saas.RegisterJudge("a judge")()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)))
		o.Now, o.Limits, o.Start, o.Span = time.Now, -1, time.Now().Add(-5*time.Hour), 4*time.Hour
		org, fake, err := newSimOrg(o)
		if err != nil {
			t.Fatal(err)
		}
		var n simtest.Net
		base, stop := n.Serve(described(t, fake.Handler))
		defer stop()
		h := &heard{keys: map[string]bool{}, texts: map[string]string{}}
		next, err := consumer.NewLogs(func(ctx context.Context, l plog.Logs) error { return h.take(ctx, l) })
		if err != nil {
			t.Fatal(err)
		}
		recv := saastest.Start(t, Provider, "heard", &n, next, map[string]any{"start_at": "6h"}, fake.Config(base), keys)
		defer saastest.End(t, recv)
		f(org, fake, h)
	})
}

func (h *heard) take(ctx context.Context, l plog.Logs) error {
	for w := range event.Views(l) {
		id := w.Str("event.id")
		if f := saas.Find("o365", "heard").File(id); f != nil {
			in, err := f.Open(ctx)
			if err != nil {
				return err
			}
			text, err := io.ReadAll(in)
			if err != nil {
				return err
			}
			_ = in.Close()
			h.mu.Lock()
			h.texts[w.Str("entity.id")] = string(text)
			h.opens++
			h.mu.Unlock()
			f.Judge("a judge", []byte(`{}`), true)
		}
		run, _, _ := strings.Cut(w.Str("saas.inventory.run_id"), "#") // with its part, if it has one
		walk, _, _ := strings.Cut(run, "/")
		h.mu.Lock()
		h.recs = append(h.recs, w.Copy())
		h.keys[id] = true
		if at := strings.LastIndexByte(id, '@'); walk != "" && at > 0 {
			h.keys[walk+" "+id[strings.LastIndexByte(id[:at], '/')+1:at]] = true
			h.keys[walk+" "+strings.TrimPrefix(id[:at], run+"/")] = true
		}
		h.mu.Unlock()
	}
	return nil
}

func TestEveryStreamIsDelivered(t *testing.T) {
	running(t, sim.Options{Seed: 5, Users: 24, Files: 90, Events: 400}, nil, func(_ *simOrg, fake *sim.Sim, h *heard) {
		time.Sleep(3 * time.Hour)
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, stream := range fake.Streams {
			if stream == "sign_ins" || stream == "directory_audits" {
				continue // the feed has the same facts
			}
			published, missing := 0, 0
			fake.Published(stream, func(key string) bool {
				published++
				if !h.keys[key] && !h.keys[stream+" "+key] {
					missing++
				}
				return true
			})
			if published == 0 || missing > 0 {
				t.Errorf("%s: %d of %d did not come out", stream, missing, published)
			}
		}
		if n := fake.Seen.Count("GET", "/v1.0/auditLogs/signIns", 0) + fake.Seen.Count("GET", "/v1.0/auditLogs/directoryAudits", 0); n > 0 {
			t.Errorf("the reports of Graph were read %d times beside the feed: events would be counted twice", n)
		}
	})
}

func TestGraphsReportsStandInWhereThereIsNoFeed(t *testing.T) {
	running(t, sim.Options{Seed: 5, Users: 10, Files: 5, Events: 200, Variant: "audit_off"}, nil, func(_ *simOrg, fake *sim.Sim, h *heard) {
		time.Sleep(5 * time.Hour)
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, stream := range []string{"sign_ins", "directory_audits"} {
			published, missing := 0, 0
			fake.Published(stream, func(key string) bool {
				if published++; !h.keys[key] {
					missing++
				}
				return true
			})
			if published == 0 || missing > 0 {
				t.Errorf("%s: %d of %d did not come out", stream, missing, published)
			}
		}
	})
}

func TestASubscriptionIsStartedOnceAndStartedAgainWhenItIsGone(t *testing.T) {
	running(t, sim.Options{Seed: 5, Users: 5, Files: 2, Events: 50}, nil, func(org *simOrg, fake *sim.Sim, _ *heard) {
		time.Sleep(10 * time.Minute)
		const start = "/api/v1.0/{tenant}/activity/feed/subscriptions/start"
		if n := fake.Seen.Count("POST", start, 0); n != len(contents) {
			t.Errorf("%d subscriptions were started, want %d", n, len(contents))
		}
		org.mu.Lock()
		sub := org.ma.subs["Audit.General"]
		sub.on, sub.stopped = false, append(sub.stopped, [2]time.Time{time.Now()})
		org.mu.Unlock()
		time.Sleep(5 * time.Minute)
		if n := fake.Seen.Count("POST", start, 0); n != len(contents)+1 || !sub.on {
			t.Errorf("%d subscriptions were started, of which one again; it is on: %t", n, sub.on)
		}
	})
}

func TestContentIsReadOnceAndAgainAfterAChange(t *testing.T) {
	running(t, sim.Options{Seed: 5, Users: 8, Files: 40, Events: 5}, nil, func(org *simOrg, _ *sim.Sim, h *heard) {
		time.Sleep(2 * time.Hour)
		h.mu.Lock()
		first := h.opens
		for _, it := range org.files {
			if text, ok := h.texts[it.drive.id+"/"+it.id]; org.live(it) && (!ok || text != string(it.versions[len(it.versions)-1].bytes())) {
				t.Errorf("the content of %s was not read", it.name)
			}
		}
		h.mu.Unlock()
		time.Sleep(14 * time.Hour) // the drives are listed whole again
		h.mu.Lock()
		if h.opens != first || first == 0 {
			t.Errorf("%d contents were opened, %d more though nothing changed", first, h.opens-first)
		}
		h.mu.Unlock()
		it := org.files[slices.IndexFunc(org.files, org.live)]
		org.mu.Lock()
		org.newVersion(it, &simVersion{data: []byte("changed")})
		org.mu.Unlock()
		time.Sleep(10 * time.Minute)
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.opens != first+1 || h.texts[it.drive.id+"/"+it.id] != "changed" {
			t.Errorf("after the change %d contents more were opened: %q", h.opens-first, h.texts[it.drive.id+"/"+it.id])
		}
	})
}

func TestADriveIsListedAnewWhenItsChangesAreNotKnownAnyMore(t *testing.T) {
	running(t, sim.Options{Seed: 5, Users: 6, Files: 30, Events: 5}, nil, func(org *simOrg, _ *sim.Sim, h *heard) {
		time.Sleep(time.Hour)
		it := org.files[slices.IndexFunc(org.files, org.live)]
		org.mu.Lock()
		it.gone, org.odd.resync = true, true // the change is never told
		org.mu.Unlock()
		time.Sleep(time.Hour)
		h.mu.Lock()
		defer h.mu.Unlock()
		if !slices.ContainsFunc(h.recs, func(w event.View) bool {
			return w.Log.EventName() == "entity.delete" && w.Str("entity.id") == it.drive.id+"/"+it.id
		}) {
			t.Error("the file that went is not reported")
		}
	})
}

func TestASecretLeavesRecycleBinsOut(t *testing.T) {
	running(t, sim.Options{Seed: 5, Users: 5, Files: 40, Events: 5, Variant: "secret"}, nil, func(_ *simOrg, fake *sim.Sim, _ *heard) {
		time.Sleep(time.Hour)
		if n := fake.Seen.Count("GET", "", http.StatusUnauthorized); n > 0 {
			t.Errorf("%d requests were refused", n)
		}
		for _, s := range saas.Find("o365", "heard").Status().Streams {
			if off := strings.Contains(s.Off, "SharePoint"); off != (s.Name == "recycled") {
				t.Errorf("stream %s is off because of %q", s.Name, s.Off)
			}
		}
	})
}
