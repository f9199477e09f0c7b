package saas_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

const day = 24 * time.Hour

// blobVendor lists blobs by the time they were made, three a page, and gives them by name.
type blobVendor struct {
	mu     sync.Mutex
	blobs  *sim.Blobs
	made   map[string]time.Time
	broken map[string]int // status instead of the blob, by name
	asked  map[string]int
}

func newBlobVendor() *blobVendor {
	return &blobVendor{blobs: &sim.Blobs{Now: time.Now}, made: map[string]time.Time{}, broken: map[string]int{}, asked: map[string]int{}}
}

func (v *blobVendor) put(name string, data []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.blobs.Put(name, "application/octet-stream", data)
	v.made[name] = time.Now()
}

func (v *blobVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	name := strings.TrimPrefix(r.URL.Path, "/blobs/")
	if name != "" {
		v.asked[name]++
		if status := v.broken[name]; status != 0 {
			w.WriteHeader(status)
			return
		}
		http.StripPrefix("/blobs", v.blobs).ServeHTTP(w, r)
		return
	}
	q := r.URL.Query()
	from, _ := time.Parse(time.RFC3339, q.Get("from"))
	to, _ := time.Parse(time.RFC3339, q.Get("to"))
	if time.Since(from) > 7*day {
		http.Error(w, "the window is too old", http.StatusBadRequest)
		return
	}
	var names []string
	for name, at := range v.made {
		if !at.Before(from) && at.Before(to) && name > q.Get("after") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	page, next := sim.Slice(names, 0, 3)
	if next > 0 {
		w.Header().Set("NextPageUri", "/blobs/?"+r.URL.RawQuery+"&after="+page[len(page)-1])
		if q.Has("after") {
			w.Header().Set("NextPageUri", strings.Replace(r.URL.String(), "after="+q.Get("after"), "after="+page[len(page)-1], 1))
		}
	}
	sim.WriteJSON(w, http.StatusOK, page)
}

// jsonBlob holds events e<first> … in a gzip list; some of them also came in another blob.
func jsonBlob(ids ...string) []byte {
	var all []string
	for _, id := range ids {
		all = append(all, `{"Id":"`+id+`","Operation":"FileAccessed"}`)
	}
	return sim.Gzip([]byte("[" + strings.Join(all, ",") + "]"))
}

// blobStreams are a list of blobs, re-read a day back, and the blobs.
func blobStreams(poll saas.PollFunc) []saas.Stream {
	list := func(ctx context.Context, r *saas.Run, from, to time.Time) error {
		url := fmt.Sprintf("/blobs/?from=%s&to=%s", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
		for url != "" {
			p, err := r.Do(ctx, saas.Req{URL: url})
			if err != nil {
				return err
			}
			for raw, err := range p.JSON("") {
				if err != nil {
					return err
				}
				var name string
				if err := json.Unmarshal(raw, &name); err != nil {
					return err
				}
				r.Put(saas.Item{Stream: "blob", Key: name, Until: r.Now().Add(7 * day)})
			}
			url = p.Field("NextPageUri")
		}
		return nil
	}
	return []saas.Stream{
		{Name: "list", Kind: saas.Audit, Dataset: "list", Every: 10 * time.Minute,
			Poll: saas.Window{Lag: time.Hour, Settle: time.Second, Max: 6 * time.Hour, Sweep: day, Back: 7*day - 5*time.Minute, Read: list}.Poll},
		{Name: "blob", Kind: saas.Audit, Dataset: "blob", Over: "list", Width: 2, Keep: 8 * day, Key: by("Id"), Map: plain, Poll: poll},
	}
}

func TestBlobsAreListedAndReadOnce(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := newBlobVendor()
		s.serve(v)
		s.keys = map[string]any{"start_at": "12h", "batch_bytes": 1024}
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: blobStreams(func(ctx context.Context, r *saas.Run) error {
				return saas.Pages(ctx, r, saas.Req{URL: "/blobs/" + r.Item().Key}, rows(""), nil)
			})}
		}
		var want []string
		put := func(name string, n int) {
			ids := make([]string, n)
			for i := range ids {
				ids[i] = fmt.Sprintf("%s-%d", name, i)
			}
			want = append(want, ids...)
			v.put(name, jsonBlob(append(ids, "in-all")...)) // every blob has this event too
		}
		want = append(want, "in-all")
		for i := range 5 { // the listing has pages of three
			put(fmt.Sprintf("b%d", i), 3)
		}
		put("big", 60) // several batches
		v.put("gone", nil)
		v.broken["gone"] = http.StatusNotFound
		v.put("late", jsonBlob("late-0"))
		v.broken["late"] = http.StatusInternalServerError
		s.live(25 * time.Minute)
		s.delivered("blob", want, 2)
		if g := s.gaps(); len(g) != 1 || !strings.Contains(g[0], "gone") {
			t.Errorf("gaps %v, want the blob that is gone", g)
		}
		put("b9", 1)
		v.mu.Lock()
		delete(v.broken, "late")
		v.mu.Unlock()
		want = append(want, "late-0")
		s.live(time.Hour)
		s.delivered("blob", want, 2)

		v.made["b1"] = time.Now().Add(5 * time.Hour) // the same blob is listed again, two days later
		s.stop()
		time.Sleep(2 * day)
		put("c0", 2)
		s.live(26 * time.Hour) // and again by the sweep
		s.delivered("blob", want, 2)
		if n := v.asked["b1"]; n > 1 && s.fate.n == 0 {
			t.Errorf("a blob was read %d times", n)
		}
		if st := s.status("blob"); st.Parts != 0 {
			t.Errorf("%d parts are open, want none", st.Parts)
		}
	})
}

func TestCSVBlobsAreReadByLine(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := newBlobVendor()
		s.serve(v)
		s.keys = map[string]any{"start_at": "12h", "batch_bytes": 1024}
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: blobStreams(func(ctx context.Context, r *saas.Run) error {
				p, err := r.Do(ctx, saas.Req{URL: "/blobs/" + r.Item().Key})
				if err != nil {
					return err
				}
				n := 0
				for row, err := range p.CSV() {
					if err != nil {
						return err
					}
					n++
					if err := r.Emit(fmt.Sprint(r.Item().Key, ":", n), row); err != nil {
						return err
					}
				}
				return nil
			})}
		}
		var want []string
		for b := range 3 {
			lines := [][]string{{"TYPE", "USER"}}
			for i := range 30 { // equal lines are different events: the number of the line is the identity
				lines = append(lines, []string{"Login", "user, \"quoted\"\nand broken"})
				want = append(want, fmt.Sprintf("log%d:%d", b, i+1))
			}
			v.put(fmt.Sprintf("log%d", b), sim.CSV(lines...))
		}
		v.put("odd", append([]byte("\ufeffTYPE,USER\r\nLogin,a\r\nonly one\r\n"), []byte("Login,b\r\n")...))
		want = append(want, "odd:1", "odd:2")
		s.live(25 * time.Minute)
		s.delivered("blob", want, 2)
		for _, r := range s.of("blob") {
			if field([]byte(r.raw), "TYPE") != "Login" {
				t.Fatalf("got line %s", r.raw)
			}
		}
		aside := 0
		for _, r := range s.of("saas.agent") {
			if r.action == "record_set_aside" && strings.Contains(r.raw, "only one") {
				aside++
			}
		}
		if aside == 0 || aside > 2 {
			t.Errorf("the odd line was set aside %d times", aside)
		}
	})
}

func TestABlobGivenUpIsAGapWithWhatCouldBeRead(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := newBlobVendor()
		s.serve(v)
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: []saas.Stream{
				{Name: "list", Kind: saas.Audit, Dataset: "list", Every: time.Hour, Poll: func(_ context.Context, r *saas.Run) error {
					for _, name := range []string{"half", "whole"} {
						r.Put(saas.Item{Stream: "blob", Key: name, Until: r.Now().Add(3 * time.Hour)})
					}
					return nil
				}},
				{Name: "blob", Kind: saas.Audit, Dataset: "blob", Over: "list", Keep: 8 * day, Key: by("Id"), Map: plain,
					Poll: func(ctx context.Context, r *saas.Run) error {
						return saas.Pages(ctx, r, saas.Req{URL: "/blobs/" + r.Item().Key}, rows(""), nil)
					}},
			}}
		}
		v.put("half", []byte(`[{"Id":"h0"},{"Id":"h1"},{"Id":"h`))
		v.put("whole", []byte(`[{"Id":"w0"}]`))
		s.live(2 * time.Hour)
		s.delivered("blob", []string{"w0"}, 1)
		s.live(4 * time.Hour)
		s.delivered("blob", []string{"h0", "h1", "w0"}, 1)
		if g := s.gaps(); len(g) != 1 {
			t.Errorf("gaps %v, want one", g)
		}
	})
}

func TestAPauseLongerThanTheVendorKeepsIsAGapAndNoMore(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := newBlobVendor()
		s.serve(v)
		s.keys = map[string]any{"start_at": "1h"}
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: blobStreams(func(ctx context.Context, r *saas.Run) error {
				return saas.Pages(ctx, r, saas.Req{URL: "/blobs/" + r.Item().Key}, rows(""), nil)
			})}
		}
		v.put("a", jsonBlob("a0"))
		s.live(26 * time.Hour) // a sweep was made
		s.stop()
		time.Sleep(3 * day)
		v.put("lost", jsonBlob("l0"))
		time.Sleep(7 * day)
		v.put("b", jsonBlob("b0"))
		s.live(time.Hour)
		v.put("c", jsonBlob("c0"))
		s.live(26 * time.Hour)
		s.delivered("blob", []string{"a0", "b0", "c0"}, 2)
		if g := s.gaps(); len(g) != 1 {
			t.Errorf("gaps %v, want one", g)
		}
		if st := s.status("list"); st.Off != "" || st.LastError != "" && s.fate.n == 0 {
			t.Errorf("the list is off because of %q, its last error %q", st.Off, st.LastError)
		}
	})
}

func TestAnEventOfTwoBlobsThatAreReadAtOnceComesOnce(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := newBlobVendor()
		var refused atomic.Int32
		s.serve(v)
		s.keys = map[string]any{"start_at": "12h"}
		s.judgeBy(func(logs plog.Logs) error { // whoever has the event fails at first: the other may not end without it
			if refused.Add(1) <= 3 {
				return errors.New("the next component is full")
			}
			return nil
		})
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: blobStreams(func(ctx context.Context, r *saas.Run) error {
				p, err := r.Do(ctx, saas.Req{URL: "/blobs/" + r.Item().Key})
				if err != nil {
					return err
				}
				for row, err := range p.JSON("") {
					if err != nil {
						return err
					}
					if err := r.Emit("", row); err != nil {
						return err
					}
					select { // until the other has met it too
					case <-time.After(2 * time.Second):
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				return nil
			})}
		}
		v.put("a", jsonBlob("x", "y", "a"))
		v.put("b", jsonBlob("y", "x", "b")) // each has what the other waits for
		v.put("c", jsonBlob("x", "c"))
		s.live(2 * time.Hour)
		s.delivered("blob", []string{"a", "b", "c", "x", "y"}, 2)
		if st := s.status("blob"); st.Parts != 0 {
			t.Errorf("%d parts are open, want none", st.Parts)
		}
	})
}
