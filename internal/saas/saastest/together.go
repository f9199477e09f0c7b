package saastest

import (
	"cmp"
	"net/http"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

// together: a quota that all who connect to the tenant draw on, whose use answers tell, is used as far as the provider says
// for activity, and by the vendor's own count never up, so that something is left to others and to actions. Nothing is lost.
// The quota is so small that there is more to ask all the time, and still leaves room for the requests that only hear more.
func (s *suite) together(t *testing.T, quota saas.Budget) {
	upto := 1.0
	if quota.Upto != nil {
		upto = quota.Upto(s.stream(s.activity()).Kind)
	}
	limit := 2 * float64(quota.Per/cmp.Or(quota.Rest, 15*time.Minute)) / max(0.05, 1-upto)
	due := 0.0 // readings of events within Per
	for _, st := range s.streams {
		if st.Kind < saas.Accounts && st.Every > 0 && s.routes[st.Name] != "" {
			due += float64(quota.Per / st.Every)
		}
	}
	if due < 1.2*limit {
		t.Skip("what is due asks for less than the smallest quota that shows anything")
	}
	o, most, of := usual(300, 3), 0, 0
	o.Limits = limit / float64(quota.Limit)
	b := newBench(t, s.p, settings{opts: o, keys: map[string]any{"start_at": "4h"}})
	b.tune = func(inst *saas.Instance) {
		for i, q := range inst.Budgets {
			if q.Name != quota.Name {
				inst.Budgets[i].Limit *= 1000
				continue
			}
			inst.Budgets[i].Used = func(h http.Header) (int, int) {
				used, all := q.Used(h)
				b.mu.Lock()
				most, of = max(most, used), max(of, all)
				b.mu.Unlock()
				return used, all
			}
		}
	}
	b.start()
	b.settle()
	elapse(2*quota.Per - time.Since(b.hits[0].at))
	used := 0
	for _, h := range b.asked("", time.Time{}) {
		if h.status == http.StatusTooManyRequests {
			t.Errorf("%s was refused", h.route)
		}
		if quota.Match == nil || quota.Match(h.req) {
			used++
		}
	}
	if most >= of || of == 0 {
		t.Errorf("the vendor counted %d of %d: nothing is left", most, of)
	}
	if want := 2 * upto * float64(of); float64(used) < 0.95*want {
		t.Errorf("%d requests in two windows, want 95 %% of %.0f", used, want)
	}
	b.drain(quota.Per)
	b.whole()
	b.once()
	t.Logf("%d requests in two windows of %d, of which %.0f %% are for activity; at most %d by the vendor's count", used, of, upto*100, most)
}
