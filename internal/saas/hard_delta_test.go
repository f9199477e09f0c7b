package saas_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// driveVendor holds files and a delta feed of their changes, which forgets all but the last ones.
type driveVendor struct {
	mu      sync.Mutex
	files   map[string]int // version by name
	changes *sim.Changes
}

func newDriveVendor(keep int) *driveVendor {
	v := &driveVendor{files: map[string]int{}, changes: &sim.Changes{Keep: keep}}
	return v
}

// set writes a file, version 0 = it is deleted.
func (v *driveVendor) set(name string, version int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.files[name] = version
	v.changes.Add(name)
}

func (v *driveVendor) names() (names []string) {
	for n, version := range v.files {
		if version > 0 {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// ServeHTTP gives the files page by page, then what changed since the first page was asked for.
func (v *driveVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	q, self := r.URL.Query(), "http://"+r.Host+"/delta?"
	out := map[string]any{}
	page := []json.RawMessage{}
	row := func(name string) json.RawMessage {
		if v.files[name] == 0 {
			return json.RawMessage(fmt.Sprintf(`{"id":%q,"deleted":true}`, name))
		}
		return json.RawMessage(fmt.Sprintf(`{"id":%q,"v":%d}`, name, v.files[name]))
	}
	if token := q.Get("token"); token != "" {
		keys, next, err := v.changes.Since(token, 4)
		if errors.Is(err, sim.ErrExpired) {
			http.Error(w, `{"error":{"code":"resyncRequired"}}`, http.StatusGone)
			return
		}
		for _, k := range keys {
			page = append(page, row(k))
		}
		link := "deltaLink"
		if len(keys) == 4 {
			link = "nextLink"
		}
		out[link] = self + "token=" + next
	} else {
		at := q.Get("at")
		if at == "" {
			_, at, _ = v.changes.Since("", 1)
		}
		offset, _ := strconv.Atoi(q.Get("offset"))
		names, next := sim.Slice(v.names(), offset, 4)
		for _, n := range names {
			page = append(page, row(n))
		}
		if next > 0 {
			out["nextLink"] = self + "at=" + at + "&offset=" + strconv.Itoa(next)
		} else {
			out["deltaLink"] = self + "token=" + at
		}
	}
	out["value"] = page
	sim.WriteJSON(w, http.StatusOK, out)
}

func deltaNext(p *saas.Reply, _ json.RawMessage) (saas.Req, bool) {
	if u := p.Field("nextLink"); u != "" {
		return saas.Req{URL: u}, true
	}
	return saas.Req{URL: p.Field("deltaLink")}, false
}

func TestADeltaFeedThatExpiresFallsBackToAWalkWithoutLoss(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := newDriveVendor(12)
		s.serve(v)
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: []saas.Stream{{Name: "files", Kind: saas.Files, Dataset: "files", Every: 5 * time.Minute, Key: by("id"),
				Map: thing("file", "id"), Poll: saas.Delta(func(*saas.Run) saas.Req { return saas.Req{URL: "/delta"} }, rows("value"), deltaNext)}}}
		}
		for i := range 14 {
			v.set(fmt.Sprintf("f%02d", i), 1)
		}
		s.live(7 * time.Minute)
		s.inventory("files", v.names()...)
		v.set("f01", 2)
		v.set("f02", 0)
		v.set("new", 1)
		s.live(7 * time.Minute)
		s.inventory("files", v.names()...)

		// A state that comes back is told of again: the last record of f01 has version 2 each time.
		for _, version := range []int{3, 2, 3, 2} {
			v.set("f01", version)
			s.live(7 * time.Minute)
			if recs := s.of("files"); field([]byte(last(recs, "f01").raw), "v") != strconv.Itoa(version) {
				t.Errorf("the last state of f01 is %s, want version %d", last(recs, "f01").raw, version)
			}
		}
		s.stop()
		for i := range 20 { // more than the feed remembers
			v.set(fmt.Sprintf("g%02d", i), 1)
		}
		v.set("f03", 0)
		v.set("f04", 2)
		for i := range 13 {
			v.set(fmt.Sprintf("h%02d", i), 1)
		}
		s.live(12 * time.Minute)
		s.inventory("files", v.names()...)
		if n := last(s.of("files"), "f03"); !n.deleted {
			t.Error("what was deleted while the token expired is not told of")
		}
		s.repeats("files", 1)
		counts := map[string]int{}
		ids := map[string]bool{}
		for _, r := range s.of("files") {
			if !ids[r.id] {
				ids[r.id] = true
				counts[r.key]++
			}
		}
		if counts["f05"] != 1 || counts["f02"] != 2 {
			t.Errorf("an unchanged file was told of %d times, a deleted one %d times", counts["f05"], counts["f02"])
		}
	})
}

// last is the last record of an entity.
func last(recs []record, key string) record {
	for _, r := range slices.Backward(recs) {
		if r.key == key {
			return r
		}
	}
	return record{}
}

// A feed of events without ids, read by a cursor that dies while a backlog is read: what follows is read from where it came to.
func TestADeadCursorLosesNoEvents(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		begin := time.Now().Add(-20 * day)
		v := &cursorVendor{begin: begin, n: 240, each: 2 * time.Hour, life: 10 * time.Minute}
		s.serve(v)
		s.keys = map[string]any{"start_at": "30d", "run_timeout": "1m"}
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: []saas.Stream{{Name: "log", Kind: saas.Audit, Dataset: "log", Every: 20 * time.Minute, Keep: day,
				Twins: true,
				Key:   func(v *event.Values) string { return string(v.Raw) }, Map: func(v *event.Values, add func() *event.Record) error {
					at, err := time.Parse(time.RFC3339, field(v.Raw, "at"))
					add().Time(at)
					return err
				},
				Poll: saas.Delta(func(r *saas.Run) saas.Req {
					return saas.Req{URL: "/events", Body: "start=" + r.Since().UTC().Format(time.RFC3339)}
				}, rows("events"), func(p *saas.Reply, _ json.RawMessage) (saas.Req, bool) {
					return saas.Req{URL: "/events/continue", Body: "cursor=" + url.QueryEscape(p.Field("cursor"))}, p.Field("more") == "true"
				})}},
				Fault: func(status int, _ http.Header, head []byte) *saas.Error {
					if status == http.StatusConflict && strings.Contains(string(head), "reset") {
						return &saas.Error{Outcome: saas.Expired, Code: "reset"}
					}
					return nil
				}}
		}
		v.failFrom = 100 // in the middle of the backlog the vendor is out for longer than a cursor lives
		s.live(30 * time.Minute)
		v.mu.Lock()
		v.failFrom = 0
		v.mu.Unlock()
		s.live(3 * time.Hour)
		var want []string
		for i := range v.visible() {
			want = append(want, string(v.event(i)))
		}
		counted := map[string]int{}
		for _, raw := range want {
			counted[raw]++
		}
		got, ids := map[string]int{}, map[string]bool{}
		for _, r := range s.of("log") {
			if !ids[r.id] {
				ids[r.id] = true
				got[r.raw]++
			}
		}
		if !maps.Equal(got, counted) {
			t.Errorf("%d different events, want %d", len(ids), len(want))
		}
		if v.resets == 0 {
			t.Error("no cursor died: the story does not try anything")
		}
	})
}

// cursorVendor gives events oldest first by a cursor that lives for a while. Two events of each moment are equal.
type cursorVendor struct {
	mu       sync.Mutex
	begin    time.Time
	each     time.Duration
	n        int
	life     time.Duration
	failFrom int // events from this one on are answered with 503
	resets   int
}

func (v *cursorVendor) event(i int) []byte {
	return fmt.Appendf(nil, `{"at":%q}`, v.begin.Add(time.Duration(i/2)*v.each).Format(time.RFC3339))
}

func (v *cursorVendor) visible() int {
	return min(v.n, 2*(1+int(time.Since(v.begin)/v.each)))
}

func (v *cursorVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	_ = r.ParseForm()
	at := 0
	if c := r.Form.Get("cursor"); c != "" {
		var made int64
		if _, err := fmt.Sscanf(c, "%d/%d", &at, &made); err != nil || time.Since(time.Unix(made, 0)) > v.life && at < v.n/2 {
			v.resets++
			http.Error(w, `{"error":"reset"}`, http.StatusConflict)
			return
		}
	} else {
		start, err := time.Parse(time.RFC3339, r.Form.Get("start"))
		if err != nil {
			http.Error(w, "bad start", http.StatusBadRequest)
			return
		}
		for at < v.n && v.begin.Add(time.Duration(at/2)*v.each).Before(start) {
			at++
		}
	}
	if v.failFrom > 0 && at >= v.failFrom {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	page := []json.RawMessage{}
	for ; at < v.visible() && len(page) < 20; at++ {
		page = append(page, v.event(at))
	}
	sim.WriteJSON(w, http.StatusOK, map[string]any{"events": page, "cursor": fmt.Sprintf("%d/%d", at, time.Now().Unix()),
		"more": at < v.visible()})
}
