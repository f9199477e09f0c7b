package saas_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// limitVendor has users with pages of grants, and a log; requests are limited by the minute and in flight.
func limitVendor(t *testing.T, users, pages int, l *sim.Limiter) *sim.Sim {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users", func(w http.ResponseWriter, r *http.Request) {
		page := []map[string]string{}
		for i := range users {
			page = append(page, map[string]string{"id": fmt.Sprintf("u%02d", i)})
		}
		sim.WriteJSON(w, http.StatusOK, page)
	})
	mux.HandleFunc("GET /users/{id}/grants", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("page"))
		select {
		case <-time.After(300 * time.Millisecond): // so that several are under way
		case <-r.Context().Done():
		}
		if n+1 < pages {
			sim.SetLinks(w.Header(), sim.Link{Rel: "next", URL: fmt.Sprintf("http://%s%s?page=%d", r.Host, r.URL.Path, n+1)})
		}
		sim.WriteJSON(w, http.StatusOK, []map[string]string{{"id": fmt.Sprintf("%s-g%d", r.PathValue("id"), n)}})
	})
	mux.HandleFunc("GET /log", func(w http.ResponseWriter, r *http.Request) { sim.WriteJSON(w, http.StatusOK, []int{}) })
	if l.Deny == nil {
		l.Deny = func(w http.ResponseWriter, _ *http.Request, _ sim.Window) { w.WriteHeader(http.StatusTooManyRequests) }
	}
	if l.Tell == nil {
		l.Tell = func(http.Header, sim.Window) {}
	}
	l.Now = time.Now
	return sim.New(sim.Options{}, sim.Vendor{Mux: mux, Gates: []sim.Gate{l.Gate},
		Fail: func(w http.ResponseWriter, _ *http.Request, status int) { w.WriteHeader(status) }})
}

func limitStreams() []saas.Stream {
	byLink := func(p *saas.Reply, _ json.RawMessage) (saas.Req, bool) {
		u := p.Link("next")
		return saas.Req{URL: u}, u != ""
	}
	users := userStream(time.Hour)
	users.Items = func(v *event.Values) []saas.Item { return []saas.Item{{Stream: "grants", Key: field(v.Raw, "id")}} }
	users.Poll = saas.List(func(*saas.Run) saas.Req { return saas.Req{URL: "/users"} }, rows(""), nil)
	return []saas.Stream{users,
		{Name: "log", Kind: saas.SignIn, Dataset: "log", Every: 10 * time.Second, Keep: time.Hour, Key: by("id"), Map: plain,
			Poll: saas.List(func(*saas.Run) saas.Req { return saas.Req{URL: "/log"} }, rows(""), nil)},
		{Name: "grants", Kind: saas.Grants, Dataset: "grants", Over: "users", Every: day, Width: 8, Key: by("id"), Map: thing("grant", "id"),
			Poll: saas.List(func(r *saas.Run) saas.Req { return saas.Req{URL: "/users/" + r.Item().Key + "/grants"} }, rows(""), byLink)}}
}

// grants are those that the walk of all users finds.
func grants(users, pages int) (ids []string) {
	for u := range users {
		for p := range pages {
			ids = append(ids, fmt.Sprintf("u%02d-g%d", u, p))
		}
	}
	return ids
}

func TestEightPartsAtATimeKeepTheBudgetAndUseIt(t *testing.T) {
	const users, pages, limit = 24, 20, 60 // eight minutes of it and more
	headers := func(name string, reset func(time.Time) string) func(http.Header, sim.Window) {
		return func(h http.Header, w sim.Window) {
			h.Set(name+"-Limit", strconv.Itoa(w.Limit))
			h.Set(name+"-Remaining", strconv.Itoa(w.Remaining))
			h.Set(name+"-Reset", reset(w.Reset))
		}
	}
	epoch := func(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
	seconds := func(at time.Time) string { return strconv.Itoa(int(time.Until(at)/time.Second) + 1) }
	date := func(at time.Time) string { return at.UTC().Format(http.TimeFormat) }
	millis := func(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }
	f := func(name string, tell func(http.Header, sim.Window), refusals int) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				v := limitVendor(t, users, pages, &sim.Limiter{Of: func(r *http.Request) (string, int) { return "all", limit }, Tell: tell})
				s.serve(v.Handler)
				s.open = func() *saas.Instance {
					return &saas.Instance{Streams: limitStreams(), Budgets: []saas.Budget{{Name: "all", Limit: limit, Per: time.Minute}}}
				}
				s.live(5 * time.Minute)
				used := v.Seen.Count("", "", 200)
				s.live(10 * time.Minute)
				s.inventory("grants", grants(users, pages)...)
				if n := v.Seen.Count("", "", 429); n > refusals {
					t.Errorf("%d requests were refused, at most %d may be", n, refusals)
				}
				if used < 5*limit*85/100 {
					t.Errorf("%d requests in five minutes, %d are allowed", used, 5*limit)
				}
				if n := v.Seen.Count("GET", "/log", 200); n < 80 {
					t.Errorf("the log was asked for %d times in 15 minutes: what is less urgent held it up", n)
				}
			})
		})
	}
	f("no headers", nil, 0)
	f("epoch", headers("X-RateLimit", epoch), 0)
	f("seconds", headers("RateLimit", seconds), 0)
	f("date", headers("X-Rate-Limit", date), 0)
	f("milliseconds", headers("X-RateLimit", millis), 0)
	f("in the past", headers("X-RateLimit", func(at time.Time) string { return epoch(at.Add(-time.Hour)) }), 0)
}

func TestAShareOfTheBudgetIsLeftToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.keys = map[string]any{"quota_share": 0.5}
		v := limitVendor(t, 10, 50, &sim.Limiter{Of: func(r *http.Request) (string, int) { return "all", 100 }, Tell: func(h http.Header,
			w sim.Window) {
			h.Set("X-Rate-Limit-Limit", strconv.Itoa(w.Limit))
			h.Set("X-Rate-Limit-Remaining", strconv.Itoa(max(0, w.Remaining-40))) // others used these
			h.Set("X-Rate-Limit-Reset", strconv.FormatInt(w.Reset.Unix(), 10))
		}})
		s.serve(v.Handler)
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: limitStreams(), Budgets: []saas.Budget{{Name: "all", Limit: 100, Per: time.Minute}}}
		}
		s.live(time.Minute)
		before := v.Seen.Count("", "", 0)
		s.live(5 * time.Minute)
		if n := v.Seen.Count("", "", 0) - before; n > 5*50+8 || n < 5*50*9/10 {
			t.Errorf("%d requests in five minutes, our share is %d", n, 5*50)
		}
	})
}

func TestRequestsInFlightAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := limitVendor(t, 16, 6, &sim.Limiter{InFlight: 3, Factor: 1, Of: func(r *http.Request) (string, int) { return "", 0 }})
		s.serve(v.Handler)
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: limitStreams(), Budgets: []saas.Budget{{Name: "in flight", Limit: 3}}}
		}
		s.live(5 * time.Minute)
		s.inventory("grants", grants(16, 6)...)
		if n := v.Seen.Count("", "", 429); n > 0 || v.Seen.MaxInFlight() != 3 {
			t.Errorf("%d refused, %d in flight at most: want none and 3", n, v.Seen.MaxInFlight())
		}
	})
}

// A budget for each acting user, as its key says, is not drawn on by others.
func TestBudgetsAreKeptByKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := limitVendor(t, 8, 30, &sim.Limiter{Of: func(r *http.Request) (string, int) {
			user, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/users/"), "/")
			return user, 30
		}})
		s.serve(v.Handler)
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: limitStreams(), Budgets: []saas.Budget{{Name: "user", Limit: 30, Per: time.Minute,
				Key: func(q saas.Req) string {
					_, path, _ := strings.Cut(q.URL, "/users/")
					user, _, _ := strings.Cut(path, "/")
					return user
				}}}}
		}
		s.live(90 * time.Second)
		s.inventory("grants", grants(8, 30)...)
		if n := v.Seen.Count("", "", 429); n > 0 {
			t.Errorf("%d requests were refused", n)
		}
	})
}

func TestWidthSurvives(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := limitVendor(t, 10, 4, &sim.Limiter{Of: func(r *http.Request) (string, int) { return "all", 30 }, Tell: func(h http.Header,
			w sim.Window) {
			h.Set("Retry-After", "7")
		}})
		s.serve(v.Handler)
		s.open = func() *saas.Instance { return &saas.Instance{Streams: limitStreams()} } // no budget: it learns when it is refused
		s.live(10 * time.Minute)
		s.inventory("grants", grants(10, 4)...)
		s.repeats("grants", 8)
	})
}
