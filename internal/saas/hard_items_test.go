package saas_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
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

// officeVendor has users, their drives, the files of these, and a log of what was done to them.
type officeVendor struct {
	mu     sync.Mutex
	drives map[string][]string // by user
	files  map[string][]string // by drive
	log    []string            // events "n:drive:file"
	read   map[string]int      // how often a drive or file was read
	slow   time.Duration       // of reading one file
}

func (v *officeVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	page := []map[string]any{}
	kind, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch kind {
	case "users":
		for u, drives := range v.drives {
			page = append(page, map[string]any{"id": u, "drives": drives})
		}
	case "drives":
		v.read[key]++
		for _, f := range v.files[key] {
			page = append(page, map[string]any{"id": f})
		}
	case "log":
		after, _ := strconv.Atoi(r.URL.Query().Get("after"))
		for _, e := range v.log[min(after, len(v.log)):] {
			n, rest, _ := strings.Cut(e, ":")
			drive, file, _ := strings.Cut(rest, ":")
			page = append(page, map[string]any{"id": "e" + n, "drive": drive, "file": file})
		}
	case "file":
		v.mu.Unlock()
		select {
		case <-time.After(v.slow):
		case <-r.Context().Done():
		}
		v.mu.Lock()
		v.read[key]++
		page = append(page, map[string]any{"id": key, "read": v.read[key]})
	}
	slices.SortFunc(page, func(a, b map[string]any) int { return strings.Compare(fmt.Sprint(a["id"]), fmt.Sprint(b["id"])) })
	sim.WriteJSON(w, http.StatusOK, page)
}

func officeStreams() []saas.Stream {
	walk := func(path string) saas.PollFunc {
		return saas.List(func(r *saas.Run) saas.Req { return saas.Req{URL: path + r.Item().Key} }, rows(""), nil)
	}
	return []saas.Stream{
		{Name: "users", Kind: saas.Accounts, Dataset: "users", Every: time.Hour, Key: by("id"), Map: thing("user", "id"), Poll: walk("/users/"),
			Items: func(v *event.Values) (items []saas.Item) {
				var u struct{ Drives []string }
				_ = json.Unmarshal(v.Raw, &u)
				for _, d := range u.Drives {
					items = append(items, saas.Item{Stream: "drives", Key: d})
				}
				return items
			}},
		{Name: "drives", Kind: saas.Files, Dataset: "drives", Over: "users", Every: 6 * time.Hour, Width: 4, Key: by("id"),
			Map: thing("file", "id"), Poll: walk("/drives/"),
			Items: func(v *event.Values) []saas.Item {
				return []saas.Item{{Stream: "shares", Key: field(v.Raw, "id")}, {Stream: "notes", Key: field(v.Raw, "id")}}
			}},
		{Name: "shares", Kind: saas.Grants, Dataset: "shares", Over: "drives", Every: 6 * time.Hour, Width: 4, Key: by("id"),
			Map: func(v *event.Values, add func() *event.Record) error {
				add().Entity("share", "share of "+field(v.Raw, "id"))
				return nil
			}, Poll: walk("/file/")},
		{Name: "notes", Kind: saas.Audit, Dataset: "notes", Over: "drives", Every: 6 * time.Hour, Key: by("id"), Map: plain,
			Poll: walk("/file/")},
		{Name: "log", Kind: saas.Audit, Dataset: "log", Every: time.Minute, Keep: day, Key: by("id"), Map: plain,
			Items: func(v *event.Values) []saas.Item {
				return []saas.Item{{Stream: "drives", Key: field(v.Raw, "drive")}, {Stream: "touched", Key: field(v.Raw, "file")}}
			},
			Poll: func(ctx context.Context, r *saas.Run) error {
				n := 0
				r.Mark(&n)
				p, err := r.Do(ctx, saas.Req{URL: "/log?after=" + strconv.Itoa(n)})
				if err != nil {
					return err
				}
				for raw, err := range p.JSON("") {
					if err != nil {
						return err
					}
					if err := r.Emit("", raw); err != nil {
						return err
					}
					n++
				}
				return r.Commit(n)
			}},
		{Name: "touched", Kind: saas.Audit, Dataset: "touched", Over: "log", Keep: day, Map: plain,
			Poll: func(ctx context.Context, r *saas.Run) error {
				p, err := r.Do(ctx, saas.Req{URL: "/file/" + r.Item().Key})
				if err != nil {
					return err
				}
				for raw, err := range p.JSON("") {
					if err != nil {
						return err
					}
					if err := r.Emit(field(raw, "id")+"@"+field(raw, "read"), raw); err != nil {
						return err
					}
				}
				return nil
			}},
	}
}

func TestAnEndedParentTakesAllThatHungOnIt(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := &officeVendor{drives: map[string][]string{"ada": {"d1", "d2"}, "bob": {"d3"}}, read: map[string]int{},
			files: map[string][]string{"d1": {"f1", "f2"}, "d2": {"f3"}, "d3": {"f4", "f5"}}}
		s.serve(v)
		s.open = func() *saas.Instance { return &saas.Instance{Streams: officeStreams()} }
		s.live(5 * time.Minute)
		s.inventory("drives", "f1", "f2", "f3", "f4", "f5")
		s.inventory("shares", "share of f1", "share of f2", "share of f3", "share of f4", "share of f5")
		v.mu.Lock()
		delete(v.drives, "bob")             // with two files and their shares
		v.drives["ada"] = []string{"d1"}    // she keeps one of her drives
		v.files["d1"] = []string{"f1"}      // and one of its files
		v.files["d3"] = []string{"f4"}      // what nobody sees any more
		v.files["d2"] = []string{"f3", "x"} //
		v.mu.Unlock()
		s.live(8 * time.Hour)
		s.inventory("users", "ada")
		s.inventory("drives", "f1")
		s.inventory("shares", "share of f1")
		for _, stream := range []string{"drives", "shares", "notes"} {
			if st := s.status(stream); st.Parts != 1 {
				t.Errorf("%s: %d parts, want 1", stream, st.Parts)
			}
		}
	})
}

func TestAnEventTouchesPartsAndFiles(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := &officeVendor{drives: map[string][]string{"ada": {"d1"}}, files: map[string][]string{"d1": {"f1"}}, read: map[string]int{},
			slow: time.Second}
		s.serve(v)
		s.open = func() *saas.Instance { return &saas.Instance{Streams: officeStreams()} }
		s.live(5 * time.Minute)
		if s.fate.n == 0 && v.read["d1"] != 1 {
			t.Errorf("the drive was read %d times", v.read["d1"])
		}
		event := func(drive, file string) {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.log = append(v.log, fmt.Sprintf("%d:%s:%s", len(v.log), drive, file))
		}
		v.mu.Lock()
		v.files["d1"] = []string{"f1", "f2"}
		before := v.read["d1"]
		v.mu.Unlock()
		event("d1", "f2")
		event("d9", "f9") // a drive that no walk has seen makes no part
		s.live(2 * time.Minute)
		if v.read["d1"] == before {
			t.Error("a touched drive was not read before its time")
		}
		s.inventory("drives", "f1", "f2")
		if n := len(s.ids("touched")); n < 2 {
			t.Errorf("%d touched files were read, want 2", n)
		}
		v.mu.Lock()
		v.slow = 50 * time.Second // the next touch comes while the file is read
		reads := v.read["f2"]
		v.mu.Unlock()
		event("d1", "f2")
		s.live(80 * time.Second)
		event("d1", "f2")
		s.live(10 * time.Minute)
		if n := v.read["f2"]; n < reads+2 {
			t.Errorf("a file touched twice more was read %d times more", n-reads)
		}
		if st := s.status("touched"); st.Parts != 0 {
			t.Errorf("%d touched files are left", st.Parts)
		}
		s.delivered("log", []string{"e0", "e1", "e2", "e3"}, 1)
	})
}

// tableVendor is a table read by queries; rows of the same second have ids in no order of time.
type tableVendor struct {
	mu   sync.Mutex
	rows []map[string]any // by time and id
}

func (v *tableVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	q := r.URL.Query()
	page := []map[string]any{}
	for _, row := range v.rows {
		t, id := row["at"].(string), row["sys_id"].(string)
		if t > q.Get("until") {
			continue
		}
		if q.Get("op") == "=" && t == q.Get("t") && id > q.Get("id") || q.Get("op") == ">" && t > q.Get("t") {
			page = append(page, row)
		}
	}
	slices.SortFunc(page, func(a, b map[string]any) int {
		return strings.Compare(a["at"].(string)+a["sys_id"].(string), b["at"].(string)+b["sys_id"].(string))
	})
	page = page[:min(4, len(page))]
	sim.WriteJSON(w, http.StatusOK, map[string]any{"result": page})
}

type tableMark struct {
	T  time.Time `json:"t"`
	ID string    `json:"id"`
}

func (m tableMark) before(o tableMark) bool { return m.T.Before(o.T) || m.T.Equal(o.T) && m.ID < o.ID }

// tablePoll finishes the second by id, then reads one page of later rows, and so on.
func tablePoll(ctx context.Context, r *saas.Run) error {
	m := tableMark{T: r.Since()}
	top := m
	if r.Mark(&top) {
		m = tableMark{T: top.T.Add(-5 * time.Minute)}
	}
	page := func(op string) (more bool, err error) {
		u := fmt.Sprintf("/table?op=%s&t=%s&id=%s&until=%s", map[string]string{"=": "%3D", ">": "%3E"}[op], m.T.UTC().Format(time.DateTime), m.ID,
			r.Now().Add(-time.Minute).UTC().Format(time.DateTime))
		p, err := r.Do(ctx, saas.Req{URL: strings.ReplaceAll(u, " ", "%20")})
		if err != nil {
			return false, err
		}
		n := 0
		for raw, err := range p.JSON("result") {
			if err != nil {
				return false, err
			}
			if err := r.Emit("", raw); err != nil {
				return false, err
			}
			n++
			m.ID = field(raw, "sys_id")
			if m.T, err = time.Parse(time.DateTime, field(raw, "at")); err != nil {
				return false, err
			}
		}
		if top.before(m) {
			top = m
		}
		return n > 0, r.Commit(top)
	}
	for {
		more, err := page("=")
		if err == nil && !more {
			more, err = page(">")
		}
		if err != nil || !more {
			return err
		}
	}
}

func TestTheSecondIsFinishedBeforeLaterRowsAreRead(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := &tableVendor{}
		s.serve(v)
		s.keys = map[string]any{"start_at": "1h"}
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: []saas.Stream{{Name: "sys", Kind: saas.SignIn, Dataset: "sys", Every: time.Minute, Keep: 15 * time.Minute,
				Key: by("sys_id"), Map: plain, Poll: tablePoll}}}
		}
		var want []string
		add := func(at time.Time, n int) {
			v.mu.Lock()
			defer v.mu.Unlock()
			for range n {
				id := fmt.Sprintf("%03x", sim.Hash(1, uint64(len(want)))%4096)
				if slices.Contains(want, id) {
					continue
				}
				want = append(want, id)
				v.rows = append(v.rows, map[string]any{"sys_id": id, "at": at.UTC().Format(time.DateTime)})
			}
		}
		add(time.Now().Add(-30*time.Minute), 11) // three pages in one second
		add(time.Now().Add(-20*time.Minute), 1)
		add(time.Now().Add(-10*time.Minute), 9)
		s.live(3 * time.Minute)
		s.delivered("sys", want, 1)
		add(time.Now().Add(-4*time.Minute), 6) // late
		add(time.Now(), 3)
		s.live(5 * time.Minute)
		s.delivered("sys", want, 1)
	})
}

// What a delta feed says is gone and there again keeps its part, which no later walk would make anew.
func TestAnEntityThatComesBackKeepsItsPart(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		changes := []string{`{"id":"slow"}`, `{"id":"u"}`}
		var mu sync.Mutex
		s.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			at, _ := strconv.Atoi(r.URL.Query().Get("at"))
			if who, ok := strings.CutPrefix(r.URL.Path, "/files/"); ok {
				if who == "slow" {
					mu.Unlock()
					select {
					case <-time.After(40 * time.Second):
					case <-r.Context().Done():
					}
					mu.Lock()
				}
				_, _ = fmt.Fprintf(w, `[{"id":"f-%s"}]`, who)
				return
			}
			end := min(at+2, len(changes)) // the first page is the walk, a later one has one change
			if at > 0 {
				end = min(at+1, len(changes))
			}
			_, _ = fmt.Fprintf(w, `{"value":[%s],"next":"/users?at=%d","more":%v}`, strings.Join(changes[at:end], ","), end, end < len(changes))
		}))
		s.open = func() *saas.Instance {
			users := userStream(time.Minute)
			users.Poll = saas.Delta(func(*saas.Run) saas.Req { return saas.Req{URL: "/users"} }, rows("value"),
				func(p *saas.Reply, _ json.RawMessage) (saas.Req, bool) {
					return saas.Req{URL: p.Field("next")}, p.Field("more") == "true"
				})
			return &saas.Instance{Streams: []saas.Stream{users,
				{Name: "files", Kind: saas.Files, Dataset: "files", Over: "users", Every: 2 * time.Minute, Key: by("id"), Map: thing("file", "id"),
					Poll: saas.List(func(r *saas.Run) saas.Req { return saas.Req{URL: "/files/" + r.Item().Key} }, rows(""), nil)}}}
		}
		s.live(5 * time.Minute)
		s.inventory("files", "f-slow", "f-u")
		for range 6 { // while the one part that may be read at a time is slow, and while it is not
			mu.Lock()
			changes = append(changes, `{"id":"u","deleted":true}`, fmt.Sprintf(`{"id":"u","n":%d}`, len(changes)))
			mu.Unlock()
			s.live(70 * time.Second)
		}
		s.live(10 * time.Minute)
		s.inventory("users", "slow", "u")
		s.inventory("files", "f-slow", "f-u")
		if n := s.status("files").Parts; n != 2 {
			t.Errorf("%d parts, want 2", n)
		}
	})
}
