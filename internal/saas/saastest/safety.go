package saastest

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// silence: a request that nobody answers, answers cut off and answers that trickle end or arrive; one pool of connections
// serves all. (Shipped elsewhere: 9 no client deadline, 15 one new connection per request.)
func (s *suite) silence(t *testing.T) {
	b := newBench(t, s.p, settings{opts: usual(60, 6), tune: unhurried})
	faults := []sim.Fault{hang, {Kind: sim.Cut}, hang, {Kind: sim.Slow, Bytes: 2000, Every: time.Second}}
	for _, route := range s.routes {
		for _, f := range faults {
			b.sim.Faults.Next(1, route, f)
		}
	}
	b.start()
	b.settle()
	b.whole()
	b.once()
	for _, h := range b.asked("", time.Time{}) {
		if h.status == 0 && h.took > 65*time.Second {
			t.Errorf("%s was waited for %v though nothing came", h.route, h.took)
		}
	}
	dials := 0
	for _, n := range b.net.Dialed() {
		dials += n
	}
	// A dial that a connection which came free overtakes leaves one to spare.
	if most := 2*b.sim.Seen.MaxInFlight() + b.sim.Faults.Hits() + 1; dials > most {
		t.Errorf("%d connections for %d requests, want at most %d", dials, len(b.hits), most)
	}
}

// elsewhere: links and redirects to another host are not followed, not even tried, and plain http is refused.
func (s *suite) elsewhere(t *testing.T) {
	b := newBench(t, s.p, settings{opts: usual(2500, 3), tune: unhurried})
	away := http.Header{"Location": {"http://elsewhere.invalid/"}}
	for _, f := range []sim.Fault{
		{Kind: sim.Elsewhere, Host: "http://elsewhere.invalid"}, {Kind: sim.Elsewhere, Host: "https://127.0.0.1.invalid"},
		{Status: http.StatusFound, Header: away}, {Status: http.StatusTemporaryRedirect, Header: away}} {
		b.sim.Faults.Next(1, s.routes[s.activity()], f)
	}
	b.start()
	b.drain(12 * time.Hour)
	b.whole()
	b.once()
	if n := b.sim.Faults.Hits(); n != 4 {
		t.Errorf("%d of 4 ways elsewhere were tried", n)
	}
	for addr := range b.net.Dialed() {
		if !strings.HasSuffix(b.base, addr) {
			t.Errorf("a connection to %s was tried", addr)
		}
	}
	b.keys = map[string]any{"endpoint": "http://203.0.113.7"}
	p := *s.p
	if _, err := b.config(saas.NewFactory(p)); err == nil {
		t.Error("plain http to another machine was not refused")
	}
}

// malformed: a null, an object of wrong types and a null where an object was are set aside or read, and the rest of the page
// goes on. (Shipped elsewhere: 8 one record with a null field stops the stream.)
func (s *suite) malformed(t *testing.T) {
	for _, k := range []sim.Kind{sim.Null, sim.Malformed, sim.NullField} {
		b := newBench(t, s.p, settings{opts: usual(60, 6), tune: unhurried})
		for _, route := range s.routes {
			b.sim.Faults.Next(2, route, sim.Fault{Kind: k})
		}
		b.start()
		b.settle()
		b.whole()
		b.once()
		if n := b.count(func(r *record) bool { return r.action == "record_set_aside" }); n == 0 && k != sim.NullField {
			t.Errorf("fault %d: nothing was set aside", k)
		}
		if n := b.count(func(r *record) bool { return r.deleted }); n > 0 {
			t.Errorf("fault %d: %d entities reported as deleted", k, n)
		}
		b.close()
	}
}

// disabled: reading stops within a second, though every request hangs, stays stopped over a restart, and goes on without a
// gap; so does a tenant that is disabled in its configuration.
func (s *suite) disabled(t *testing.T) {
	b := newBench(t, s.p, settings{opts: usual(300, 6), tune: unhurried})
	b.start()
	b.wait(10*time.Minute, "begin", func() bool { return b.count(func(*record) bool { return true }) > 1 })
	b.sim.Faults.Share(1, "", hang)
	elapse(s.stream(s.feed()).Every * 2)
	began := time.Now()
	if err := b.tenant().Disable(soon(t)); err != nil || time.Since(began) > time.Second {
		t.Errorf("disabling took %v: %v", time.Since(began), err)
	}
	quiet := func(what string) {
		t.Helper()
		since := time.Now().Add(time.Second)
		elapse(10 * time.Minute)
		if hits := b.asked("", since); len(hits) > 0 || !b.tenant().Status().Disabled {
			t.Errorf("%s: %d requests", what, len(hits))
		}
	}
	quiet("disabled")
	b.sim.Faults.Clear()
	b.restart()
	quiet("disabled and restarted")
	if err := b.tenant().Enable(soon(t)); err != nil {
		t.Error(err)
	}
	b.settle()
	b.whole()
	b.once()
	b.stop()
	b.keys = map[string]any{"disabled": true}
	b.start()
	quiet("disabled in the configuration")
}

// soon is a context for calls that must end soon.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// users is the first list of accounts, whose objects the case will take out of the answers; it skips where it cannot.
func (s *suite) users(t *testing.T, users int, keys map[string]any) (b *bench, st *saas.Stream, raws []string) {
	t.Helper()
	b = newBench(t, s.p, settings{opts: usual(30, users), tune: unhurried, keys: keys})
	b.answers = map[string][]byte{}
	b.start()
	b.settle()
	for i := range s.streams {
		st = &s.streams[i]
		if st.Kind != saas.Accounts || st.Over != "" {
			continue
		}
		answers := b.answers[s.routes[st.Name]]
		raws = slices.DeleteFunc(b.out.raws[st.Name], func(raw string) bool { return !bytes.Contains(answers, []byte(raw)) })
		if len(raws) >= users {
			return b, st, raws
		}
	}
	t.Skip("the objects of no list of accounts can be told in its answers")
	return nil, nil, nil
}

// without takes objects out of the lists of an answer.
func without(body []byte, raws []string) []byte {
	for _, raw := range raws {
		for _, cut := range []string{raw + ",", "," + raw, raw} {
			body = bytes.Replace(body, []byte(cut), nil, 1)
		}
	}
	return body
}

// snapshots: what vanished from a whole walk is deleted, once; what came back is there again; what did not change is not
// sent again before the report interval, and then it is.
func (s *suite) snapshots(t *testing.T) {
	b, st, raws := s.users(t, 6, map[string]any{"report_interval": "12h"})
	states := func(since time.Time) int {
		return b.count(func(r *record) bool { return r.stream == st.Name && r.key != "" && !r.deleted && !r.at.Before(since) })
	}
	gone, known := raws[len(raws)/2], states(time.Time{})
	b.hide(gone)
	deleted := func(r *record) bool { return r.deleted && r.stream == st.Name }
	b.wait(3*st.Every, "find the delete", func() bool { return b.count(deleted) > 0 })
	elapse(2 * st.Every)
	b.hide()
	began := time.Now()
	b.wait(3*st.Every, "find it again", func() bool { return states(began) > 0 })
	if n := b.count(deleted); n != 1 {
		t.Errorf("%d deletes of one user", n)
	}
	if n := states(time.Time{}); n != known+1 {
		t.Errorf("%d states of %d users of whom one came back: what did not change was sent again", n, known)
	}
	began = time.Now()
	elapse(13*time.Hour + st.Every)
	if n := states(began); n < known {
		t.Errorf("%d of %d users reported again after the report interval", n, known)
	}
	b.once()
}

// massDelete: a walk that lost most of what was there deletes nothing; when the next walk agrees, it does.
func (s *suite) massDelete(t *testing.T) {
	b, st, raws := s.users(t, 24, nil)
	lost := raws[:len(raws)*3/4]
	b.hide(lost...)
	deleted := func(r *record) bool { return r.deleted && r.stream == st.Name }
	walks := func() int {
		return b.count(func(r *record) bool { return r.stream == st.Name && r.action == "inventory.complete" })
	}
	before := walks()
	b.wait(3*st.Every, "walk again", func() bool { return walks() > before })
	if n := b.count(deleted); n > 0 {
		t.Errorf("%d of %d users deleted by the first walk without them", n, len(raws))
	}
	b.wait(3*st.Every, "believe the second walk", func() bool { return walks() > before+1 })
	if n := b.count(deleted); n != len(lost) {
		t.Errorf("%d users deleted by the second walk without them, want %d", n, len(lost))
	}
}

// touchedFirst: after half a day away all walks are due on a narrow budget; the parts that an event touched meanwhile are
// read before those that are only due.
func (s *suite) touchedFirst(t *testing.T) {
	b := s.afterHalfADay(t, "")
	if touches := s.inOrder(t, b.order); touches == 0 {
		t.Skip("no event leads to a part that lasts")
	}
}

// afterHalfADay is a tenant that was away and has read on for some hours on a narrow budget while events come. With a set, a
// judge reads content meanwhile.
func (s *suite) afterHalfADay(t *testing.T, set string) *bench {
	t.Helper()
	o, narrow := usual(24, 60), 6
	if set != "" {
		narrow = 24 // else events alone may take all of it, and no content is read
	}
	o.Start, o.Span, o.Late = time.Now(), 24*time.Hour, 0
	b := newBench(t, s.p, settings{opts: o, keys: map[string]any{"start_at": "1m"}, tune: func(inst *saas.Instance) {
		unhurried(inst)
		inst.Budgets = append(inst.Budgets, saas.Budget{Name: "narrow", Limit: narrow, Per: time.Minute})
	}})
	b.start()
	elapse(3 * time.Hour)
	b.stop()
	elapse(13 * time.Hour)
	b.order = nil
	if b.set = set; set != "" {
		t.Cleanup(saas.RegisterJudge(set))
	}
	b.start()
	elapse(3 * time.Hour)
	b.stop()
	return b
}

// inOrder checks that what was touched waited for no more of what was only due than is read at a time. It gives the number
// of touches.
func (s *suite) inOrder(t *testing.T, order []turn) (touches int) {
	t.Helper()
	waits := map[string]int{} // by touched part, how many others went before
	for _, o := range order {
		name, _, _ := strings.Cut(o.part, "/")
		_, waiting := waits[o.part]
		switch {
		case o.touched:
			waits[o.part], touches = 0, touches+1
		case waiting:
			delete(waits, o.part)
		default:
			for part := range waits {
				if !strings.HasPrefix(part, name+"/") {
					continue
				}
				if waits[part]++; waits[part] == s.stream(name).Width+2 {
					t.Errorf("%s was touched and had to wait for %d parts that were only due", part, waits[part])
				}
			}
		}
	}
	return touches
}

// metrics: every stream tells of itself, every budget of its use.
func (s *suite) metrics(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	b := newBench(t, s.p, settings{opts: usual(30, 3), tune: unhurried})
	b.meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	b.start()
	b.settle()
	var got metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	have := map[string]float64{} // "name stream" and "name"
	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			note := func(stream string, v float64) { have[m.Name], have[m.Name+" "+stream] = have[m.Name]+v, v }
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					v, _ := p.Attributes.Value("stream")
					note(v.AsString(), float64(p.Value))
				}
			case metricdata.Gauge[float64]:
				for _, p := range d.DataPoints {
					v, _ := p.Attributes.Value("stream")
					note(v.AsString(), p.Value)
				}
			}
		}
	}
	for _, name := range []string{"requests", "throttled"} {
		if _, ok := have["longshore_"+name]; !ok {
			t.Errorf("no metric longshore_%s", name)
		}
	}
	if len(b.budgets) > 0 && (have["longshore_budget_limit"] == 0 || have["longshore_budget_used"] > have["longshore_budget_limit"]) {
		t.Errorf("budgets: %v used of %v", have["longshore_budget_used"], have["longshore_budget_limit"])
	}
	for _, stream := range b.on() {
		for _, name := range []string{"events", "duplicates_dropped", "late_events", "records_set_aside", "gaps", "lag_seconds",
			"last_success_seconds"} {
			if _, ok := have["longshore_"+name+" "+stream]; !ok {
				t.Errorf("no metric longshore_%s of %s", name, stream)
			}
		}
		n := b.count(func(r *record) bool { return r.stream == stream })
		if got := have["longshore_events "+stream]; s.stream(stream).Kind >= saas.Accounts && int(got) != n {
			t.Errorf("longshore_events of %s is %v, %d came out", stream, got, n)
		}
	}
}
