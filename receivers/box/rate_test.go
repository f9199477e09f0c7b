package box

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// TestEveryUsersRequestsAreUsedAndNotExceeded reads many files of several users with Box's own limit, a thousand requests a minute
// for each acting user, which no reply tells: all of it is used, for all of them at the same time.
func TestEveryUsersRequestsAreUsedAndNotExceeded(t *testing.T) {
	const users, files, limit, minutes = 5, 26 * 1100, 1000, 1
	var mu sync.Mutex
	var begin time.Time
	asked := map[string]map[int]int{} // by acting user and minute
	// admit counts a request, and lets the first few users in alone.
	admit := func(as string) bool {
		mu.Lock()
		defer mu.Unlock()
		if begin.IsZero() {
			begin = time.Now().Truncate(time.Minute).Add(time.Minute)
		}
		if asked[as] == nil {
			if len(asked) == users {
				return false
			}
			asked[as] = map[int]int{}
		}
		if at := time.Since(begin); at >= 0 {
			asked[as][int(at/time.Minute)]++
		}
		return true
	}
	odd := func(w http.ResponseWriter, r *http.Request) (done bool) {
		time.Sleep(30 * time.Millisecond) // as far away as a vendor is
		as := r.Header.Get("As-User")
		if as == "" || strings.HasPrefix(r.URL.Path, "/download/") || admit(as) {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		return true
	}
	refused := 0
	inLibrary(t, sim.Options{Seed: 8, Users: 26, Files: files, Events: 1}, "users files content", nil, odd, func(l *library) {
		l.pass((minutes + 1) * time.Minute)
		refused = l.sim.Seen.Count("", "", http.StatusTooManyRequests)
	})
	all, active := 0, 0
	for as, by := range asked {
		sum := 0
		for m := range minutes {
			sum += by[m]
		}
		if all += sum; sum == 0 { // an inactive user, for whom Box lets nobody act
			continue
		}
		active++
		if share := float64(sum) / (minutes * limit); share < 0.95 {
			t.Errorf("user %s: %.1f %% of what is allowed was used: %v", as, 100*share, by)
		}
	}
	if active < users-1 {
		t.Errorf("%d users were acted for at a time", active)
	}
	if float64(refused) > 0.001*float64(all) {
		t.Errorf("%d of %d requests were refused", refused, all)
	}
	t.Logf("%d users, %d requests in a minute, %d refused", active, all, refused)
}
