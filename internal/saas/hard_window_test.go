package saas_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// logVendor is a log read by windows of time.
type logVendor struct {
	t      *testing.T
	feed   *sim.Feed
	newest bool          // first, by page numbers: pages shift when events come in while they are read
	most   int           // rows that a window may hold; 0 = any
	grain  time.Duration // of the times that it compares
	counts int
}

// newLogVendor has events all the time, some of them late.
func newLogVendor(t *testing.T, events int, span time.Duration, make func(b []byte, i int, at time.Time) []byte) *logVendor {
	f, err := sim.NewFeed(sim.Options{Seed: 3, Events: events, Span: span, Start: time.Now().Add(-span / 2), Late: 0.3, Now: time.Now},
		sim.FeedSpec{MaxLag: 40 * time.Minute, Make: make, Key: func(i int) string { return "e" + strconv.Itoa(i) }})
	if err != nil {
		t.Fatal(err)
	}
	return &logVendor{t: t, feed: f, grain: time.Millisecond}
}

func logEvent(b []byte, i int, at time.Time) []byte {
	return fmt.Appendf(b, `{"id":"e%d","at":%q,"event":"sign-in"}`, i, at.Format(time.RFC3339Nano))
}

func (v *logVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	from, err := time.Parse(time.RFC3339Nano, q.Get("from"))
	to, err2 := time.Parse(time.RFC3339Nano, q.Get("to"))
	if err != nil || err2 != nil {
		http.Error(w, "bad window", http.StatusBadRequest)
		return
	}
	b := sim.Bounds{From: from, To: to, Newest: v.newest}
	if r.URL.Path == "/count" {
		v.counts++
		sim.WriteJSON(w, http.StatusOK, map[string]int{"total": v.feed.Count(b)})
		return
	}
	if v.most > 0 && v.feed.Count(b) > v.most {
		http.Error(w, "too many rows", http.StatusRequestEntityTooLarge)
		return
	}
	offset, _ := strconv.Atoi(q.Get("offset"))
	const limit = 20
	page := []json.RawMessage{}
	c, _ := v.feed.ReadIn(b, v.feed.Begin(b), offset, func([]byte) {})
	_, more := v.feed.ReadIn(b, c, limit, func(raw []byte) { page = append(page, slices.Clone(raw)) })
	out := map[string]any{"items": page}
	if more {
		out["next"] = strconv.Itoa(offset + limit)
	}
	sim.WriteJSON(w, http.StatusOK, out)
}

// published are the keys of what can be read now.
func (v *logVendor) published() (keys []string) {
	v.feed.Published(func(key string) bool { keys = append(keys, key); return true })
	return keys
}

func window(path string, from, to time.Time) string {
	return path + "?from=" + url.QueryEscape(from.UTC().Format(time.RFC3339Nano)) + "&to=" + url.QueryEscape(to.UTC().Format(time.RFC3339Nano))
}

func TestNewestFirstPagesThatShiftLoseNothing(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := newLogVendor(t, 300, 4*time.Hour, logEvent)
		v.newest = true
		s.serve(v)
		s.keys = map[string]any{"start_at": "6h", "batch_bytes": 2048}
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: []saas.Stream{{Name: "log", Kind: saas.SignIn, Dataset: "log", Every: 10 * time.Minute,
				Keep: 6 * time.Hour,
				Key:  by("id"), Map: plain,
				Poll: saas.Window{Lag: time.Hour, Max: 2 * time.Hour, Sweep: 4 * time.Hour, Back: 180 * day,
					Read: func(ctx context.Context, r *saas.Run, from, to time.Time) error {
						u := window("/items", from, to)
						return saas.Pages(ctx, r, saas.Req{URL: u}, rows("items"), token(u, "next", "offset"))
					}}.Poll}}}
		}
		s.live(time.Hour)
		s.stop()
		time.Sleep(30 * time.Minute) // the backlog of a pause
		s.live(2 * time.Hour)
		s.delivered("log", v.published(), 1)
	})
}

func TestAWindowWithTooMuchIsHalved(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		// No identity: events of the same second are equal, and different ones all the same.
		v := newLogVendor(t, 600, 40*time.Minute, func(b []byte, i int, at time.Time) []byte {
			return fmt.Appendf(b, `{"task":"view","at":%q}`, at.Truncate(8*time.Second).Format(time.RFC3339))
		})
		v.most = 45
		s.serve(v)
		s.keys = map[string]any{"start_at": "1h", "batch_bytes": 1024}
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: []saas.Stream{{Name: "log", Kind: saas.Audit, Dataset: "log", Every: 5 * time.Minute, Keep: 2 * time.Hour,
				Twins: true, Key: func(v *event.Values) string { return string(v.Raw) }, Map: plain,
				Poll: saas.Window{Lag: 45 * time.Minute, Settle: time.Minute, Max: time.Hour, Back: 30 * day,
					Read: func(ctx context.Context, r *saas.Run, from, to time.Time) error {
						from, to = from.Truncate(8*time.Second), to.Truncate(8*time.Second)
						p, err := r.Do(ctx, saas.Req{URL: window("/count", from, to)})
						if err != nil {
							return err
						}
						var n struct{ Total int }
						if err := p.Into(&n); err != nil {
							return err
						}
						if n.Total > v.most {
							return &saas.Error{Outcome: saas.TooMuch}
						}
						u := window("/items", from, to)
						return saas.Pages(ctx, r, saas.Req{URL: u}, rows("items"), token(u, "next", "offset"))
					}}.Poll}}}
		}
		s.live(90 * time.Minute)
		want, n := map[string]int{}, 0
		for i := range v.feed.Len() {
			want[string(v.feed.Make(nil, i))]++
		}
		for _, id := range s.ids("log") {
			n++
			_ = id
		}
		if n != v.feed.Len() {
			t.Errorf("%d different events came, want %d", n, v.feed.Len())
		}
		got, seen := map[string]int{}, map[string]bool{}
		for _, r := range s.of("log") {
			if !seen[r.id] {
				seen[r.id] = true
				got[r.raw]++
			}
		}
		for raw, k := range want {
			if got[raw] != k {
				t.Errorf("%s came %d times, want %d", raw, got[raw], k)
			}
		}
		s.repeats("log", 1)
		if v.counts < 10 {
			t.Errorf("%d windows were counted: none was halved", v.counts)
		}
	})
}

// A vendor that says so only when rows were given already: the halves give the same rows again, which are no twins.
func TestTwinsAreCountedAnewInTheHalves(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		begin := time.Now().Truncate(time.Hour)
		s.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			from, _ := time.Parse(time.RFC3339Nano, r.URL.Query().Get("from"))
			to, _ := time.Parse(time.RFC3339Nano, r.URL.Query().Get("to"))
			page := []map[string]any{}
			for i := range 12 { // each second's event comes twice
				if at := begin.Add(time.Duration(i/2) * 10 * time.Minute); !at.Before(from) && at.Before(to) {
					page = append(page, map[string]any{"n": i / 2})
				}
			}
			sim.WriteJSON(w, http.StatusOK, map[string]any{"items": page, "over": len(page) > 4})
		}))
		s.keys = map[string]any{"start_at": "0s"}
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: []saas.Stream{{Name: "log", Kind: saas.Audit, Dataset: "log", Every: 5 * time.Minute, Keep: 2 * time.Hour,
				Twins: true, Key: by("n"), Map: plain,
				Poll: saas.Window{Lag: 90 * time.Minute, Max: 2 * time.Hour, Read: func(ctx context.Context, r *saas.Run, from, to time.Time) error {
					p, err := r.Do(ctx, saas.Req{URL: window("/items", from, to)})
					if err != nil {
						return err
					}
					for raw, err := range p.JSON("items") {
						if err != nil {
							return err
						}
						if err := r.Emit("", raw); err != nil {
							return err
						}
					}
					if p.Field("over") == "true" {
						return &saas.Error{Outcome: saas.TooMuch}
					}
					return nil
				}}.Poll}}}
		}
		s.live(90 * time.Minute)
		s.delivered("log", []string{"0", "0~1", "1", "1~1", "2", "2~1", "3", "3~1", "4", "4~1", "5", "5~1"}, 1)
	})
}
