package saas_test

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// fileVendor has users, their files, and a log of what changed.
type fileVendor struct {
	mu      sync.Mutex
	files   map[string]*vendorFile
	log     []string         // ids of files, as they changed
	fetched map[string]int   // by content
	order   []string         // ids, as they were downloaded
	refuse  map[string]int   // a status for the metadata of a file
	during  func(id string)  // called while a file is downloaded, without mu
	content http.HandlerFunc // instead of the bytes
}

type vendorFile struct{ owner, body string }

func newFileVendor() *fileVendor {
	return &fileVendor{files: map[string]*vendorFile{}, fetched: map[string]int{}, refuse: map[string]int{}}
}

func sha(body string) string {
	sum := sha1.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// put writes a file and, of one that is there, logs the change.
func (v *fileVendor) put(id, owner, body string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.files[id] != nil {
		v.log = append(v.log, id)
	}
	v.files[id] = &vendorFile{owner, body}
}

func (v *fileVendor) row(id string) map[string]any {
	return map[string]any{"id": id, "owner": v.files[id].owner, "sha1": sha(v.files[id].body), "size": len(v.files[id].body)}
}

func (v *fileVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	step := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	at, _ := strconv.Atoi(r.URL.Query().Get("at"))
	switch {
	case step[0] == "users" && len(step) == 1:
		rows := []map[string]any{}
		for _, f := range v.files {
			if !slices.ContainsFunc(rows, func(o map[string]any) bool { return o["id"] == f.owner }) {
				rows = append(rows, map[string]any{"id": f.owner})
			}
		}
		sim.WriteJSON(w, http.StatusOK, map[string]any{"rows": rows})
	case step[0] == "users":
		var ids []string
		for id, f := range v.files {
			if f.owner == step[1] {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		page, next := sim.Slice(ids, at, 4)
		rows := []map[string]any{}
		for _, id := range page {
			rows = append(rows, v.row(id))
		}
		out := map[string]any{"rows": rows}
		if next > 0 {
			out["next"] = strconv.Itoa(next)
		}
		sim.WriteJSON(w, http.StatusOK, out)
	case step[0] == "log":
		rows := []map[string]any{}
		for n := at; n < len(v.log); n++ {
			rows = append(rows, map[string]any{"id": "e" + strconv.Itoa(n), "file": v.log[n]})
		}
		sim.WriteJSON(w, http.StatusOK, map[string]any{"rows": rows})
	case v.refuse[step[1]] != 0:
		w.WriteHeader(v.refuse[step[1]])
	case v.files[step[1]] == nil:
		w.WriteHeader(http.StatusNotFound)
	case len(step) == 2:
		sim.WriteJSON(w, http.StatusOK, v.row(step[1]))
	default:
		v.download(w, r, step[1])
	}
}

// download sends a file, half of it before during is called and half of what is there then.
func (v *fileVendor) download(w http.ResponseWriter, r *http.Request, id string) {
	body := v.files[id].body
	v.fetched[sha(body)]++
	v.order = append(v.order, id)
	if v.content != nil {
		v.mu.Unlock()
		defer v.mu.Lock()
		v.content(w, r)
		return
	}
	_, _ = io.WriteString(w, body[:len(body)/2])
	if v.during != nil {
		v.mu.Unlock()
		v.during(id)
		v.mu.Lock()
	}
	if f := v.files[id]; f != nil {
		_, _ = io.WriteString(w, f.body[len(f.body)/2:])
	}
}

func (v *fileVendor) instance() *saas.Instance {
	list := func(path func(*saas.Run) string) saas.PollFunc {
		return saas.List(func(r *saas.Run) saas.Req { return saas.Req{URL: path(r)} }, rows("rows"),
			func(p *saas.Reply, _ json.RawMessage) (saas.Req, bool) {
				u := p.Field("next")
				return saas.Req{URL: "/users/u/files?at=" + u}, u != ""
			})
	}
	mapFile := func(w *event.Values, add func() *event.Record) error {
		rec := add()
		rec.Entity("file", field(w.Raw, "id"))
		rec.Str("file.hash.sha1", field(w.Raw, "sha1"))
		return nil
	}
	return &saas.Instance{
		Content: func(ctx context.Context, c *saas.Conn, f saas.FileRef) (io.ReadCloser, error) {
			p, err := c.Do(ctx, saas.Req{URL: "/files/" + f.Part.Key + "/content"})
			if err != nil {
				return nil, err
			}
			return p.Body(), nil
		},
		Streams: []saas.Stream{
			{Name: "log", Kind: saas.Audit, Dataset: "log", Every: time.Minute, Keep: day, Key: by("id"), Map: plain,
				Items: func(w *event.Values) []saas.Item {
					return []saas.Item{{Stream: "content", Key: field(w.Raw, "file")}}
				},
				Poll: func(ctx context.Context, r *saas.Run) error {
					n := 0
					r.Mark(&n)
					p, err := r.Do(ctx, saas.Req{URL: "/log?at=" + strconv.Itoa(n)})
					if err != nil {
						return err
					}
					for raw, err := range p.JSON("rows") {
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
			{Name: "files", Kind: saas.Files, Dataset: "files", Every: 12 * time.Hour, Key: by("id"), Map: mapFile,
				Items: func(w *event.Values) []saas.Item {
					return []saas.Item{{Stream: "content", Key: field(w.Raw, "id"), Hash: "sha1:" + field(w.Raw, "sha1")}}
				},
				Poll: list(func(*saas.Run) string { return "/users/u/files" })},
			{Name: "content", Kind: saas.Content, Dataset: "content", Over: "files", Width: 2, Map: mapFile, Poll: readFile},
		},
	}
}

// readFile hands on the state of one file as it is now.
func readFile(ctx context.Context, r *saas.Run) error {
	p, err := r.Do(ctx, saas.Req{URL: "/files/" + r.Item().Key})
	if err != nil {
		return err
	}
	raw, err := p.Raw()
	if err != nil {
		return err
	}
	return r.Emit("", raw)
}

// judged is a dlp processor that judges by sets: it reads what has no verdict yet.
func (s *stage) judges(sets ...string) {
	for _, set := range sets {
		s.stops = append(s.stops, saas.RegisterJudge(set))
	}
	s.judge = func(logs plog.Logs) error {
		for w := range event.Views(logs) {
			t := saas.Find("vendor", "acme")
			if t == nil {
				continue // it starts or ends
			}
			f := t.File(w.Str("event.id"))
			if f == nil {
				continue
			}
			for _, set := range sets {
				if f.Verdict(context.Background(), set) != nil {
					continue
				}
				in, err := f.Open(context.Background())
				if err != nil {
					return fmt.Errorf("judge: %w", err)
				}
				body, err := io.ReadAll(in)
				_ = in.Close()
				if err != nil {
					return fmt.Errorf("judge: %w", err)
				}
				f.Judge(set, fmt.Appendf(nil, `{"of":%q}`, sha(string(body))), true)
			}
		}
		return nil
	}
}

// verdicts checks that every file's content has a verdict of the set, which is of that content.
func (v *fileVendor) verdicts(s *stage, set string) {
	s.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for id, f := range v.files {
		got := string(s.tenant().Verdict(s.t.Context(), "sha1:"+sha(f.body), set))
		if want := fmt.Sprintf(`{"of":%q}`, sha(f.body)); got != want {
			s.t.Errorf("%s: its verdict is %q, want %q", id, got, want)
		}
	}
}

// more counts the downloads beyond one of each content.
func (v *fileVendor) more() (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, times := range v.fetched {
		n += times - 1
	}
	return n
}

func TestEveryContentIsReadOnceAndJudged(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := newFileVendor()
		for i := range 10 {
			v.put(fmt.Sprintf("f%d", i), "u", fmt.Sprintf("the content of file %d", i%8)) // two are copies of others
		}
		s.serve(v)
		s.open = v.instance
		s.judges("set1")
		s.live(3 * time.Minute)
		v.put("f3", "u", "changed once")
		v.put("f4", "u", "changed too")
		s.live(2 * time.Minute)
		v.put("f3", "u", "changed twice")
		s.live(13 * time.Hour) // and another walk
		v.verdicts(s, "set1")
		most := 0
		if s.fate.n > 0 {
			most = 2 // as many as are read at a time
		}
		if n := v.more(); n > most {
			t.Errorf("%d contents were read again", n)
		}
		if st := s.status("content"); st.Parts != 0 || st.Off != "" {
			t.Errorf("%d files are left, off %q, error %q", st.Parts, st.Off, st.LastError)
		}
		s.delivered("log", []string{"e0", "e1", "e2"}, 1)
		if gaps := s.gaps(); len(gaps) > 0 {
			t.Errorf("gaps: %v", gaps)
		}
	})
}
