package saas_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// laneVendor lists the files of four users, all of the first one's before those of the next. Each user may ask so often a minute.
func laneVendor(files, limit int) (v *sim.Sim, asked func(user string) int) {
	var mu sync.Mutex
	n := map[string]int{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /files", func(w http.ResponseWriter, _ *http.Request) {
		page := []map[string]string{}
		for i := range 4 * files {
			page = append(page, map[string]string{"id": fmt.Sprintf("f%03d", i), "owner": fmt.Sprintf("u%d", i/files)})
		}
		sim.WriteJSON(w, http.StatusOK, page)
	})
	mux.HandleFunc("GET /users/{user}/files/{id}", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-r.Context().Done():
		}
		mu.Lock()
		n[r.PathValue("user")]++
		mu.Unlock()
		sim.WriteJSON(w, http.StatusOK, []map[string]string{{"id": r.PathValue("id")}})
	})
	l := &sim.Limiter{Now: time.Now, Tell: func(http.Header, sim.Window) {},
		Of: func(r *http.Request) (string, int) {
			if user, _, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/users/"), "/"); ok {
				return user, limit
			}
			return "", 0
		},
		Deny: func(w http.ResponseWriter, _ *http.Request, _ sim.Window) { w.WriteHeader(http.StatusTooManyRequests) }}
	v = sim.New(sim.Options{}, sim.Vendor{Mux: mux, Gates: []sim.Gate{l.Gate},
		Fail: func(w http.ResponseWriter, _ *http.Request, status int) { w.WriteHeader(status) }})
	return v, func(user string) int {
		mu.Lock()
		defer mu.Unlock()
		return n[user]
	}
}

func TestAUserWhoseBudgetIsUsedUpHoldsUpNobodyElse(t *testing.T) {
	const files, limit = 600, 60
	f := func(abreast int, fair bool) {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t)
			v, asked := laneVendor(files, limit)
			s.serve(v.Handler)
			s.open = func() *saas.Instance {
				list := userStream(time.Hour)
				list.Poll = saas.List(func(*saas.Run) saas.Req { return saas.Req{URL: "/files"} }, rows(""), nil)
				list.Items = func(v *event.Values) []saas.Item {
					return []saas.Item{{Stream: "file", Key: field(v.Raw, "id"), As: field(v.Raw, "owner")}}
				}
				one := saas.Stream{Name: "file", Kind: saas.Audit, Dataset: "file", Over: "users", Width: 12, Abreast: abreast, Keep: day,
					Key: by("id"), Map: plain, Poll: saas.List(func(r *saas.Run) saas.Req {
						return saas.Req{URL: "/users/" + r.Item().As + "/files/" + r.Item().Key, As: r.Item().As}
					}, rows(""), nil)}
				return &saas.Instance{Streams: []saas.Stream{list, one}, Budgets: []saas.Budget{{Name: "of a user", Limit: limit,
					Per: time.Minute, Match: func(q saas.Req) bool { return q.As != "" }, Key: func(q saas.Req) string { return q.As }}}}
			}
			s.live(5*time.Minute + time.Second)
			s.stop()
			used := true
			for u := range 4 {
				used = used && asked(fmt.Sprintf("u%d", u)) >= 5*limit*95/100
			}
			if used != fair {
				t.Errorf("%d abreast: %d of the first user's files were read in five minutes, %d of the last one's, %d may be of each", abreast,
					asked("u0"), asked("u3"), 5*limit)
			}
			if n := v.Seen.Count("", "", 429); n > 0 {
				t.Errorf("%d requests were refused", n)
			}
		})
	}
	f(2, true)
	f(0, false) // so the test can fail
}
