package box

import (
	"context"
	"encoding/json"
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

// office is a fake enterprise whose events a real receiver follows, in a bubble of virtual time.
type office struct {
	*testing.T
	net  simtest.Net
	sim  *sim.Sim
	odd  func(w http.ResponseWriter, r *http.Request) (done bool)
	base string

	mu    sync.Mutex
	got   map[string]int            // events by id, and how often they came
	rows  map[string]map[string]int // entities by stream and key, and how often one part of the stream told of it
	times []time.Time
	gaps  []map[string]any
	asked []string // queries for events, but for those that only try
}

// inOffice runs f while the events are followed; keys are added to the configuration, odd may answer in place of the fake, and
// wraps see what it answers.
func inOffice(t *testing.T, o sim.Options, keys map[string]any,
	odd func(w http.ResponseWriter, r *http.Request) (done bool), f func(o *office), wraps ...func(http.Handler) http.Handler) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 2, 9, 30, 17, 0, time.UTC)))
		of := &office{T: t, got: map[string]int{}, rows: map[string]map[string]int{}, odd: odd}
		if o.Now == nil {
			o.Now = time.Now
		}
		if !o.Start.IsZero() { // a distance from now
			o.Start = time.Now().Add(o.Start.Sub(fromNow(0)))
		}
		var err error
		if of.sim, err = newSim(o); err != nil {
			t.Fatal(err)
		}
		for _, wrap := range wraps {
			of.sim.Handler = wrap(of.sim.Handler)
		}
		base, stop := of.net.Serve(http.HandlerFunc(of.serve))
		defer stop()
		of.base = base
		off := map[string]any{}
		for _, s := range inventoryStreams(&Config{}) {
			off[s.Name] = map[string]any{"enabled": false}
		}
		recv := saastest.Start(t, Provider, "office", &of.net, of, map[string]any{"quota_share": 1, "streams": off}, of.sim.Config(base), keys)
		defer saastest.End(t, recv)
		f(of)
	})
}

// fromNow is a time that inOffice takes as a distance from the beginning of the test.
func fromNow(d time.Duration) time.Time { return time.Unix(1e9, 0).Add(d) }

func (o *office) serve(w http.ResponseWriter, r *http.Request) {
	if q := r.URL.Query(); r.URL.Path == "/2.0/events" && q.Get("stream_position") != "now" {
		o.mu.Lock()
		o.asked = append(o.asked, q.Get("stream_type")+" "+q.Get("stream_position"))
		o.mu.Unlock()
	}
	if o.odd == nil || !o.odd(w, r) {
		o.sim.Handler.ServeHTTP(w, r)
	}
}

// Capabilities and ConsumeLogs make the office the next component.
func (o *office) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (o *office) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for w := range event.Views(logs) {
		switch {
		case w.Str("event.action") == "record_set_aside":
			o.Errorf("set aside: %s: %s", w.Str("error.message"), w.Raw())
		case w.Str("event.action") == "gap":
			o.gaps = append(o.gaps, w.Map())
		case strings.HasPrefix(w.Str("event.dataset"), "box_events."):
			o.got[w.Str("event.id")]++
			o.times = append(o.times, w.Log.Timestamp().AsTime())
		case w.Str("saas.inventory.run_id") != "" && w.Str("entity.id") != "":
			walk := w.Str("saas.inventory.run_id")
			walk = walk[:strings.LastIndexByte(walk, '#')] // stream, and the part where there are several
			stream, part, _ := strings.Cut(walk, "/")
			key := strings.TrimPrefix(w.Str("event.id"), stream+"/"+part+"/")
			if o.rows[stream] == nil {
				o.rows[stream] = map[string]int{}
			}
			key = key[:strings.LastIndexByte(key, '@')]
			id := stream + "/" + part + "/" + key
			o.got[id]++
			o.rows[stream][key] = max(o.rows[stream][key], o.got[id])
		}
	}
	return nil
}

func (o *office) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (o *office) tenant() *saas.Tenant {
	o.Helper()
	t := saas.Find("box", "office")
	if t == nil {
		o.Fatal("the tenant does not run")
	}
	return t
}

func (o *office) status() saas.StreamStatus { return o.tenant().Status().Streams[0] }

// whole checks that everything published since came, and each once; it gives how much that is.
func (o *office) whole() int {
	o.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	lost, n := 0, 0
	o.sim.Published("events", func(key string) bool {
		if n++; o.got[key] == 0 {
			lost++
		}
		return true
	})
	twice := 0
	for _, times := range o.got {
		if times > 1 {
			twice++
		}
	}
	if lost > 0 || twice > 0 || n == 0 {
		o.Errorf("of %d events %d were lost and %d came more than once", n, lost, twice)
	}
	return n
}

// away is a tenant that is not read for a time.
func (o *office) away(d time.Duration) {
	o.Helper()
	if err := o.tenant().Disable(o.Context()); err != nil {
		o.Fatal(err)
	}
	o.pass(d)
	if err := o.tenant().Enable(o.Context()); err != nil {
		o.Fatal(err)
	}
}

// asks are the queries for events whose text has the prefix.
func (o *office) asks(prefix string) (out []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, q := range o.asked {
		if strings.HasPrefix(q, prefix) {
			out = append(out, q)
		}
	}
	return out
}

func TestOldEventsComeFromTheLogAndNewOnesFromTheStream(t *testing.T) {
	o := sim.Options{Seed: 3, Events: 4000, Start: fromNow(-60 * day), Span: 60 * day, Late: 0.2, Limits: -1}
	inOffice(t, o, map[string]any{"start_at": "90d"}, nil, func(o *office) {
		o.pass(30 * time.Minute)
		if n := o.whole(); n < 3900 {
			t.Errorf("%d events were published", n)
		}
		log, stream := o.asks("admin_logs "), o.asks("admin_logs_streaming ")
		if len(log) < 4 || len(log) > 30 || stream[0] != "admin_logs_streaming 0" {
			t.Errorf("%d requests for the log, the stream was asked for by %v", len(log), stream[:2])
		}
		if s := o.status(); s.Gaps > 0 || s.LastError != "" || s.SetAside > 0 {
			t.Errorf("%+v", s)
		}
		for i, q := range stream[1:] {
			if strings.HasSuffix(q, " 0") {
				t.Fatalf("request %d begins the stream anew", i+1)
			}
		}
	})
}

func TestNothingBeforeTheStartIsDelivered(t *testing.T) {
	o := sim.Options{Seed: 3, Events: 2000, Start: fromNow(-10 * day), Span: 10 * day, Limits: -1}
	inOffice(t, o, map[string]any{"start_at": "12h"}, nil, func(o *office) {
		begin := time.Now().Add(-12*time.Hour - time.Minute)
		o.pass(10 * time.Minute)
		o.mu.Lock()
		defer o.mu.Unlock()
		for _, at := range o.times {
			if at.Before(begin) {
				t.Errorf("an event of %v", at)
			}
		}
		if n := len(o.times); n < 60 || n > 150 || len(o.asked) > 30 {
			t.Errorf("%d events of half a day of ten that have 2000, by %d requests", n, len(o.asked))
		}
	})
}

func TestAnOutageLongerThanTheStreamGoesBackIsReadFromTheLog(t *testing.T) {
	o := sim.Options{Seed: 5, Events: 4000, Start: fromNow(-day), Span: 60 * day, Late: 0.2, Limits: -1}
	inOffice(t, o, nil, nil, func(o *office) {
		for _, outage := range []time.Duration{10 * day, 20 * day, 13*day + 20*time.Hour} {
			o.pass(2 * time.Hour)
			o.away(outage)
			o.pass(2 * time.Hour)
			o.whole()
		}
		if s := o.status(); s.Gaps > 0 || s.LastError != "" {
			t.Errorf("%+v", s)
		}
	})
}

func TestWhatIsOlderThanTheLogIsAGap(t *testing.T) {
	o := sim.Options{Seed: 5, Events: 2000, Start: fromNow(-day), Span: 400 * day, Limits: -1}
	inOffice(t, o, nil, nil, func(o *office) {
		o.pass(time.Hour)
		began := time.Now()
		o.away(380 * day)
		o.pass(2 * time.Hour)
		o.whole() // of what is still there
		if len(o.gaps) != 1 {
			t.Fatalf("gaps: %v", o.gaps)
		}
		gap := o.gaps[0]["event"].(map[string]any)
		from, _ := time.Parse(time.RFC3339Nano, gap["start"].(string))
		to, _ := time.Parse(time.RFC3339Nano, gap["end"].(string))
		if !strings.Contains(gap["reason"].(string), "older than the year") || began.Sub(from) < 0 || began.Sub(from) > 26*time.Hour ||
			to.Sub(began.Add(15*day)).Abs() > time.Hour {
			t.Errorf("the outage began at %v, the gap is %v", began, gap)
		}
	})
}

func TestARefusedPositionBeginsAgainAndLosesNothing(t *testing.T) {
	o := sim.Options{Seed: 6, Events: 3000, Start: fromNow(-30 * day), Span: 60 * day, Late: 0.1, Limits: -1}
	var mu sync.Mutex
	refuse := map[string]int{}
	inOffice(t, o, map[string]any{"start_at": "40d"}, func(w http.ResponseWriter, r *http.Request) bool {
		q := r.URL.Query()
		mu.Lock()
		defer mu.Unlock()
		if kind := q.Get("stream_type"); len(q.Get("stream_position")) < 4 || refuse[kind] == 0 {
			return false
		} else {
			refuse[kind]--
		}
		sim.WriteJSON(w, http.StatusBadRequest, obj{"type": "error", "status": 400, "code": "bad_request", "message": "Bad Request",
			"context_info": obj{"errors": []obj{{"reason": "invalid_parameter", "name": "stream_position", "message": "too old"}}}})
		return true
	}, func(o *office) {
		set := func(kind string, n int) {
			mu.Lock()
			defer mu.Unlock()
			refuse[kind] = n
		}
		set("admin_logs", 2)
		o.pass(time.Hour)
		o.whole()
		for range 3 {
			set("admin_logs_streaming", 1)
			o.pass(3 * time.Hour)
			o.whole()
		}
		if mu.Lock(); refuse["admin_logs"]+refuse["admin_logs_streaming"] > 0 {
			t.Errorf("not refused: %v", refuse)
		}
		mu.Unlock()
		if s := o.status(); s.Gaps > 0 || s.LastError != "" {
			t.Errorf("%+v", s)
		}
	})
}

func TestAPositionThatRepeatsIsNamedAndEndsTheReading(t *testing.T) {
	const page = `{"chunk_size":1,"next_stream_position":"1152922976252290886","entries":[{"event_id":"e1","event_type":"LOGIN"}]}`
	f := func(kind string) {
		t.Helper()
		inOffice(t, sim.Options{Seed: 1, Events: 30, Limits: -1}, nil, func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Query().Get("stream_type") != kind || r.URL.Query().Get("stream_position") == "now" {
				return false
			}
			_, _ = w.Write([]byte(page))
			return true
		}, func(o *office) {
			o.pass(time.Hour)
			if s := o.status(); !strings.Contains(s.LastError, `"1152922976252290886"`) || o.got["e1"] != 1 {
				t.Errorf("%s: error %q, the event came %d times", kind, s.LastError, o.got["e1"])
			}
			if n := len(o.asks(kind + " ")); n < 2 || n > 200 {
				t.Errorf("%s: asked for %d times in an hour", kind, n)
			}
		})
	}
	f("admin_logs_streaming")
	f("admin_logs")
}

func TestZeroIsNoPosition(t *testing.T) {
	o := sim.Options{Seed: 7, Events: 600, Start: fromNow(-time.Hour), Span: 12 * time.Hour, Limits: -1}
	var mu sync.Mutex
	n := 0
	inOffice(t, o, nil, func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if q := r.URL.Query(); q.Get("stream_type") != "admin_logs_streaming" || len(q.Get("stream_position")) < 4 {
			return false
		}
		if n++; n%3 != 0 {
			return false
		}
		next := []any{"0", 0, "", nil}[n/3%4]
		sim.WriteJSON(w, http.StatusOK, obj{"chunk_size": 0, "next_stream_position": next, "entries": []any{}})
		return true
	}, func(o *office) {
		o.pass(14 * time.Hour)
		o.whole()
		if zeros := o.asks("admin_logs_streaming 0"); len(zeros) != 1 {
			t.Errorf("the stream was read from its beginning %d times", len(zeros))
		}
		if s := o.status(); s.LastError != "" {
			t.Errorf("%+v", s)
		}
	})
}

func TestPositionsAreSentAsTheyWereGiven(t *testing.T) {
	given := []json.RawMessage{[]byte(`9007199254740993`), []byte(`"30401068076164269"`), []byte(`18446744073709551617`)}
	want := []string{"9007199254740993", "30401068076164269", "18446744073709551617"}
	inOffice(t, sim.Options{Seed: 1, Events: 30, Limits: -1}, nil, func(w http.ResponseWriter, r *http.Request) bool {
		q := r.URL.Query()
		if q.Get("stream_type") != "admin_logs_streaming" || q.Get("stream_position") == "now" {
			return false
		}
		i := slices.Index(want, q.Get("stream_position")) + 1
		entries := []obj{{"event_id": q.Get("stream_position"), "event_type": "LOGIN"}}
		if i == len(want) {
			i, entries = i-1, nil
		}
		sim.WriteJSON(w, http.StatusOK, obj{"next_stream_position": given[i], "entries": entries})
		return true
	}, func(o *office) {
		o.pass(5 * time.Minute)
		if s := o.status(); s.LastError != "" {
			t.Errorf("%+v", s)
		}
		asks := o.asks("admin_logs_streaming ")
		for i, p := range append([]string{"0"}, want...) {
			if asks[i] != "admin_logs_streaming "+p {
				t.Errorf("request %d is for %s, want %s", i, asks[i], p)
			}
		}
	})
}
