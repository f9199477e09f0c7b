package salesforce

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

const simDaily = 100_000 // requests in 24 hours, and a thousand for each licence

// simUsage counts the requests of the last 24 hours, by the minute.
// https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/
// salesforce_app_limits_platform_api.htm
type simUsage struct {
	mu      sync.Mutex
	minutes []simMinute
	used    int
}

type simMinute struct {
	at time.Time
	n  int
}

// most is how many requests the org has.
func (s *simOrg) most() int {
	n := simDaily + 1000*len(s.people)
	switch {
	case s.o.Limits < 0:
		return 5_000_000
	case s.o.Limits > 0:
		return max(1, int(float64(n)*s.o.Limits))
	}
	return n
}

// spend counts n requests, if there is room for them, and gives how many there were.
func (s *simOrg) spend(n int) (used int, ok bool) {
	u, now := &s.usage, s.o.Now().Truncate(time.Minute)
	u.mu.Lock()
	defer u.mu.Unlock()
	for len(u.minutes) > 0 && now.Sub(u.minutes[0].at) >= 24*time.Hour {
		u.used -= u.minutes[0].n
		u.minutes = u.minutes[1:]
	}
	if s.o.Limits >= 0 && u.used+n > s.most() {
		return u.used, false
	}
	if last := len(u.minutes) - 1; last >= 0 && u.minutes[last].at.Equal(now) {
		u.minutes[last].n += n
	} else if n > 0 {
		u.minutes = append(u.minutes, simMinute{now, n})
	}
	u.used += n
	return u.used, true
}

// count says on every answer how many requests the org has made, and refuses what is too many.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_api_usage.htm
func (s *simOrg) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest := strings.HasPrefix(r.URL.Path, "/services/data/")
		if !rest && !strings.HasPrefix(r.URL.Path, "/services/Soap/") {
			next.ServeHTTP(w, r)
			return
		}
		used, ok := s.spend(1)
		if rest {
			w.Header().Set("Sforce-Limit-Info", fmt.Sprintf("api-usage=%d/%d", used, s.most()))
		}
		if !ok {
			sim.WriteJSON(w, http.StatusForbidden, []obj{{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}})
			return
		}
		next.ServeHTTP(w, r)
	})
}
