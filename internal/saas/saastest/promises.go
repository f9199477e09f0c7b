package saastest

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

var hang = sim.Fault{Kind: sim.Hang}

// settled is a tenant that has read everything.
func (s *suite) settled(t *testing.T, set settings) *bench {
	t.Helper()
	b := newBench(t, s.p, set)
	b.start()
	b.settle()
	return b
}

// settle waits until everything published came out and every first scan has ended.
func (b *bench) settle() {
	b.t.Helper()
	b.drain(6 * time.Hour)
	b.wait(6*time.Hour, "walk everything", func() bool { return len(b.unwalked()) == 0 })
}

// refusals: the next component refuses, pages fail, connections break in the middle of one. (Shipped elsewhere: 3 an export
// failure moves the cursor, 4 an error on page n ends the window in silence.)
func (s *suite) refusals(t *testing.T) {
	b := newBench(t, s.p, settings{opts: usual(300, 8), tune: unhurried, keys: map[string]any{"batch_bytes": 4096}})
	calls := 0
	b.refuse = func(*batch) bool { calls++; return calls%4 == 0 }
	for _, route := range slices.Compact(slices.Sorted(maps.Values(s.routes))) { // of which streams may share one
		for _, f := range []sim.Fault{{Status: 500}, {Kind: sim.Reset}, {Kind: sim.Cut}, {Kind: sim.Truncated}} {
			b.sim.Faults.Share(0.08, route, f)
		}
	}
	b.start()
	b.settle()
	b.whole()
	b.once()
	if calls < 4 || b.sim.Faults.Hits() == 0 {
		t.Errorf("%d hand-overs, %d requests made to fail: the case shows nothing", calls, b.sim.Faults.Hits())
	}
}

// late: events come late by up to the documented lag, out of order, with equal times, while the agent runs and is stopped;
// a day later, when lists and sweeps read the same again, nothing comes twice. (Shipped elsewhere: 1 a late event behind the
// window's end, 2 newest-first and a restart lose the middle, 5 equal timestamps, 13 the same blob days later.)
func (s *suite) late(t *testing.T) {
	o := usual(500, 3)
	o.Start, o.Span, o.Late, o.MaxLag = time.Now().Add(-time.Hour), 5*time.Hour, 0.3, 0
	b := newBench(t, s.p, settings{opts: o, tune: unhurried})
	for _, away := range []time.Duration{20 * time.Minute, time.Second, 2 * time.Hour, time.Minute} {
		b.start()
		elapse(time.Hour)
		b.stop()
		elapse(away)
	}
	b.start()
	elapse(25 * time.Hour)
	b.drain(time.Hour)
	b.whole()
	b.once()
}

// pages: more of everything than fits in a page. (Shipped elsewhere: 14 the listing's own next page is ignored.)
func (s *suite) pages(t *testing.T) {
	b := newBench(t, s.p, settings{opts: usual(2500, 1100), tune: unhurried, keys: map[string]any{"streams": s.withoutParts()}})
	b.start()
	b.drain(6 * time.Hour)
	b.whole()
	b.once()
}

// withoutParts turns off the streams of entities that are read for each entity of another: they take a request for each.
func (s *suite) withoutParts() map[string]any {
	out := map[string]any{}
	for _, st := range s.streams {
		if st.Over != "" && st.Kind >= saas.Accounts {
			out[st.Name] = map[string]any{"enabled": false}
		}
	}
	return out
}

// priority: while walks wait for a narrow budget, activity is read when it is due and an action need not wait; no part is
// read twice at a time, which every case watches. (Shipped elsewhere: 11 a second run starts before the first ended.)
func (s *suite) priority(t *testing.T) {
	const perMinute, span = 6, 20 * time.Minute
	var sent atomic.Pointer[saas.Req] // the first request, to be sent again as it was
	b := newBench(t, s.p, settings{opts: usual(20, 150), tune: func(inst *saas.Instance) {
		unhurried(inst)
		inst.Budgets = append(inst.Budgets, saas.Budget{Name: "narrow", Limit: perMinute, Per: time.Minute, Match: func(q saas.Req) bool {
			if !q.NoAuth {
				sent.CompareAndSwap(nil, &q)
			}
			return true
		}})
	}})
	route := s.routes[s.activity()]
	b.start()
	b.wait(time.Hour, "read activity", func() bool { return len(b.asked(route, time.Time{})) > 0 })
	began := time.Now()
	elapse(span)
	asked := b.asked(route, began)
	if len(b.unwalked()) == 0 {
		t.Skip("there are too few requests for anybody to wait")
	}
	every := s.stream(s.activity()).Every
	if due := int(span / (every + 2*time.Minute/perMinute)); len(asked) < due && every > 0 {
		t.Errorf("activity was read %d times in %v while walks waited, want %d", len(asked), span, due)
	}
	if all := len(b.asked("", began)); all < int(span.Minutes()*perMinute*0.9) || all > int(span.Minutes()*perMinute)+perMinute {
		t.Errorf("%d requests in %v, want nearly all of the %d a minute", all, span, perMinute)
	}
	began = time.Now()
	if _, err := b.tenant().Conn().Do(t.Context(), *sent.Load()); err != nil || time.Since(began) > 2*time.Minute/perMinute {
		t.Errorf("an action waited %v behind the walks: %v", time.Since(began), err)
	}
}

// capacity: with the vendor's published limits (small, so that it takes few requests) a backlog is drained at 95 % of them
// and nothing is refused.
func (s *suite) capacity(t *testing.T) {
	const whole, some = 12, 4000  // windows, events that tell how many a request gives
	back := 2 * 24 * time.Hour    // which are requests too where time is read in pieces; every vendor keeps as much
	small := 3 * len(s.sharing()) // requests a window
	probe := s.settled(t, settings{opts: usual(some, 3), tune: unhurried, keys: map[string]any{"start_at": back.String()}})
	read := s.lastPage(probe)
	hits := slices.DeleteFunc(probe.asked(s.routes[s.activity()], time.Time{}), func(h hit) bool { return h.at.After(read) })
	var quota saas.Budget // the narrowest that activity draws on
	for _, q := range probe.budgets {
		if q.Limit /= 1000; q.Per > 0 && (q.Match == nil || q.Match(hits[0].req)) && (quota.Limit == 0 || q.Limit < quota.Limit) {
			quota = q
		}
	}
	drawn := func(b *bench) []hit {
		return slices.DeleteFunc(b.asked("", time.Time{}), func(h hit) bool { return quota.Match != nil && !quota.Match(h.req) })
	}
	spent := len(slices.DeleteFunc(drawn(probe), func(h hit) bool { return h.at.After(read) }))
	probe.close()
	if quota.Limit == 0 {
		t.Skip("the vendor publishes no limit")
	}
	if quota.Used != nil {
		s.together(t, quota)
		return
	}
	o, factor, per := usual(min(20_000, some*small*whole/spent), 3), float64(small)/float64(quota.Limit), quota.Per
	o.Limits = factor
	from := min(30*24*time.Hour, max(4*time.Hour, back/time.Duration(spent)*time.Duration(small*whole)))
	b := newBench(t, s.p, settings{opts: o, tune: func(inst *saas.Instance) {
		for i, q := range inst.Budgets {
			if q.Per > 0 {
				inst.Budgets[i].Limit = max(1, int(float64(q.Limit)*factor))
			}
		}
	}, keys: map[string]any{"start_at": from.String(), "streams": s.withoutParts()}})
	b.start()
	b.drain(4 * whole * per)
	windows := map[time.Time]int{}
	for _, h := range b.asked("", time.Time{}) {
		if h.status == http.StatusTooManyRequests || h.status == http.StatusServiceUnavailable {
			t.Errorf("%s was refused", h.route)
		}
	}
	hits = drawn(b)
	for _, h := range hits {
		windows[h.at.Truncate(per)]++
	}
	first, last := hits[0].at.Truncate(per).Add(per), s.lastPage(b).Truncate(per)
	full, used := 0, 0
	for w := first; w.Before(last); w = w.Add(per) {
		full, used = full+1, used+windows[w]
	}
	if full < 2 {
		t.Skip("the backlog was read in too few windows to tell")
	}
	if share := float64(used) / float64(full*small); share < 0.95 {
		t.Errorf("%.0f %% of the capacity used over %d windows, want 95 %%: %v", share*100, full, windows)
	}
}

// sharing are the streams that are read by the same route as the first activity.
func (s *suite) sharing() (names []string) {
	for _, st := range s.streams {
		if s.routes[st.Name] == s.routes[s.activity()] {
			names = append(names, st.Name)
		}
	}
	return names
}

// pathOf is what was asked, without the query.
func pathOf(h hit) string {
	path, _, _ := strings.Cut(h.req.URL, "?")
	return path
}

// lastPage is when the last event came out.
func (s *suite) lastPage(b *bench) (at time.Time) {
	b.count(func(r *record) bool {
		if s.stream(r.stream).Kind < saas.Accounts && r.at.After(at) {
			at = r.at
		}
		return false
	})
	return at
}

// throttled: a refusal in every form, and none of it costs an event. (Shipped elsewhere: 7 a 429 without a reset, or with
// one in the past.)
func (s *suite) throttled(t *testing.T) {
	b := s.settled(t, settings{opts: usual(30, 3), tune: unhurried})
	route := s.routes[s.feed()]
	f := func(name string, status int, at time.Time, after time.Duration, set map[string]string) {
		t.Helper()
		h := http.Header{"Retry-After": nil}
		for _, k := range []string{"Limit", "Remaining", "Reset"} {
			h["X-Rate-Limit-"+k], h["X-Ratelimit-"+k], h["Ratelimit-"+k] = nil, nil, nil
		}
		for k, v := range set {
			h.Set(k, v)
		}
		elapse(time.Millisecond)
		began := time.Now()
		b.sim.Faults.Next(1, route, sim.Fault{Status: status, Header: h})
		b.wait(time.Hour, name, func() bool {
			hits := b.asked(route, began)
			return slices.ContainsFunc(hits, func(h hit) bool { return h.status < 300 && pathOf(h) == pathOf(hits[0]) })
		})
		hits := b.asked(route, began)
		hits = slices.DeleteFunc(hits, func(h hit) bool { return pathOf(h) != pathOf(hits[0]) }) // other streams have the same route
		if len(hits) < 2 || hits[0].status != status {
			t.Fatalf("%s: the refusal did not come", name)
		}
		if at.IsZero() {
			at = hits[0].at.Add(after)
		}
		if late := hits[1].at.Sub(at); late < 0 || late > 2*time.Minute {
			t.Errorf("%s: asked again %v after it was told to", name, late)
		}
	}
	const least = 100 * time.Millisecond // without a word
	in := func() time.Time { return time.Now().Truncate(time.Second).Add(5 * time.Minute) }
	unix := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
	f("seconds", 429, time.Time{}, 90*time.Second, map[string]string{"Retry-After": "90"})
	f("date", 429, in(), 0, map[string]string{"Retry-After": in().UTC().Format(http.TimeFormat)})
	f("epoch", 429, in(), 0, map[string]string{"X-RateLimit-Reset": unix(in())})
	f("milliseconds", 429, in(), 0, map[string]string{"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0",
		"X-RateLimit-Reset": unix(in()) + "000"})
	f("none", 429, time.Time{}, least, nil)
	f("past", 429, time.Time{}, least, map[string]string{"Retry-After": time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat),
		"X-RateLimit-Reset": "1"})
	f("nonsense", 429, time.Time{}, least, map[string]string{"Retry-After": "soon"})
	f("unavailable", 503, time.Time{}, 90*time.Second, map[string]string{"Retry-After": "90"})
	b.whole()
	b.once()
}

// idle: an hour in which nothing happens costs few requests and saves. (Shipped elsewhere: 6 idle polling burns quota.)
func (s *suite) idle(t *testing.T) {
	b := s.settled(t, settings{opts: usual(30, 3), tune: unhurried})
	elapse(10 * time.Minute)
	b.mu.Lock()
	clear(b.polls)
	clear(b.points)
	b.mu.Unlock()
	began := time.Now()
	elapse(time.Hour)
	polls := 0
	for _, st := range b.streams {
		n, parts := b.polls[st.Name], 1
		for _, now := range b.tenant().Status().Streams {
			if now.Name == st.Name {
				parts = max(1, now.Parts)
			}
		}
		if most := parts * int(time.Hour/max(st.Every, time.Second)+1); n > most {
			t.Errorf("%s: %d readings in an hour, want %d", st.Name, n, most)
		}
		if saves := b.points[point{save: true, stream: st.Name}]; st.Kind < saas.Accounts && saves > 13*parts {
			t.Errorf("%s: %d saves in an hour in which nothing happened", st.Name, saves)
		}
		if polls += n; st.Kind < saas.Accounts && s.routes[st.Name] != "" {
			all := 0 // readings by that route
			for _, o := range b.streams {
				if s.routes[o.Name] == s.routes[st.Name] {
					all += b.polled(o.Name)
				}
			}
			if asked := len(b.asked(s.routes[st.Name], began)); asked > 2*all+20 {
				t.Errorf("%s: %d requests for %d readings that find nothing", st.Name, asked, all)
			}
		}
	}
	if n := b.count(func(r *record) bool { return r.hash != "" && !r.at.Before(began) }); n > 0 {
		t.Errorf("%d entities sent again though they did not change", n)
	}
	if n := len(b.asked("", began)); n > 3*polls+30 {
		t.Errorf("%d requests for %d readings in an idle hour", n, polls)
	}
}

// renewal: a refused token is minted anew, once, and nobody notices.
func (s *suite) renewal(t *testing.T) {
	b := s.settled(t, settings{opts: usual(30, 3), tune: unhurried})
	elapse(time.Millisecond)
	route, before, began := s.routes[s.feed()], b.mints, time.Now()
	b.sim.Faults.Next(1, route, sim.Fault{Status: http.StatusUnauthorized})
	b.wait(time.Hour, "read again", func() bool { return len(b.asked(route, began)) > 1 })
	if hits := b.asked(route, began); hits[0].status != 401 || hits[1].status != 200 || hits[1].at.Sub(hits[0].at) > 5*time.Second {
		t.Errorf("after a 401 came %v, want one more request that is answered", hits[:2])
	}
	if b.mints > before+1 {
		t.Errorf("%d tokens minted for one refusal", b.mints-before)
	}
	if b.unhealthy() {
		t.Error("the tenant was reported unhealthy for one refused token")
	}
}

// badTenant: a credential that is refused makes its tenant unhealthy and asks little; the other tenant is not held up. When
// the credential works again nothing is missing. (Shipped elsewhere: 12 one bad tenant stops the others.)
func (s *suite) badTenant(t *testing.T) {
	bad := newBench(t, s.p, settings{opts: usual(60, 3), tune: unhurried, name: "bad"})
	good := newBench(t, s.p, settings{opts: usual(60, 3), tune: unhurried, name: "good"})
	bad.sim.Faults.Share(1, "", sim.Fault{Status: http.StatusUnauthorized})
	bad.start()
	good.start()
	good.drain(5 * time.Minute)
	good.whole()
	elapse(time.Hour)
	if !bad.unhealthy() || bad.tenant().Status().Health == "ok" {
		t.Errorf("a tenant whose credential is refused says it is %q", bad.tenant().Status().Health)
	}
	if n := len(bad.asked("", time.Time{})); n > 100 {
		t.Errorf("%d requests in an hour with a refused credential", n)
	}
	if good.unhealthy() {
		t.Error("the good tenant was reported unhealthy")
	}
	bad.sim.Faults.Clear()
	bad.drain(time.Hour)
	bad.whole()
	bad.once()
	if health := bad.tenant().Status().Health; health != "ok" {
		t.Errorf("the tenant is well again and says %q", health)
	}
}

// lostRight: what is refused for a right is off with the reason, the rest goes on, and it is tried again.
func (s *suite) lostRight(t *testing.T) {
	name := ""
	for _, st := range s.streams {
		alone := st.Over == "" && st.Kind >= saas.Accounts && s.routes[st.Name] != ""
		for _, o := range s.streams {
			alone = alone && o.Over != st.Name && (o.Name == st.Name || s.routes[o.Name] != s.routes[st.Name])
		}
		if alone {
			name = st.Name
		}
	}
	if name == "" {
		t.Skip("no stream of entities stands alone")
	}
	b := newBench(t, s.p, settings{opts: usual(30, 3), tune: unhurried})
	b.denied = name
	b.sim.Faults.Share(1, s.routes[name], sim.Fault{Status: http.StatusForbidden})
	b.start()
	b.wait(10*time.Minute, name+" off", func() bool { return b.off(name) != "" })
	if why := b.off(name); !strings.Contains(why, "denied") {
		t.Errorf("%s is off because %q, want the refusal as the reason", name, why)
	}
	b.drain(time.Hour)
	if b.unhealthy() {
		t.Error("one missing right made the tenant unhealthy")
	}
	b.sim.Faults.Clear()
	b.denied = ""
	b.wait(3*time.Hour, name+" on again", func() bool { return b.off(name) == "" })
	b.drain(time.Hour)
	b.whole()
}
