package saas_test

import (
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
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
	page    int              // files of one; 0 = 4
	slow    time.Duration    // until a page of them comes
	log     []string         // ids of files, as they changed
	fetched map[string]int   // by content
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
		v.mu.Unlock()
		time.Sleep(v.slow)
		v.mu.Lock()
		var ids []string
		for id, f := range v.files {
			if f.owner == step[1] {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		page, next := sim.Slice(ids, at, cmp.Or(v.page, 4))
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
	case len(step) == 2 && r.URL.RawQuery == "list":
		sim.WriteJSON(w, http.StatusOK, map[string]any{"rows": []any{v.row(step[1])}})
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
	if v.content != nil {
		v.mu.Unlock()
		defer v.mu.Lock()
		v.content(w, r)
		return
	}
	_, _ = io.WriteString(w, body[:len(body)/2])
	if v.during != nil {
		func() {
			v.mu.Unlock()
			defer v.mu.Lock()
			v.during(id)
		}()
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
	s.judgeBy(func(logs plog.Logs) error {
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
				if f.Verdict(set) != nil {
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
	})
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

// times is how often a content was downloaded.
func (v *fileVendor) times(body string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.fetched[sha(body)]
}

// left checks that nothing is left of the parts that were read, and ends the life.
func (s *stage) left() {
	s.t.Helper()
	s.stop()
	s.disked(func(key string) {
		if strings.Contains(key, "/content/") {
			s.t.Errorf("the storage still holds %q", key)
		}
	})
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
		s.left()
	})
}

// filled is a tenant over a vendor with files of one user.
func filled(t *testing.T, s *stage, files int) *fileVendor {
	t.Helper()
	v := newFileVendor()
	for i := range files {
		v.put(fmt.Sprintf("f%03d", i), "u", fmt.Sprintf("the content of file %d", i))
	}
	s.serve(v)
	s.open = v.instance
	return v
}

func TestAFileThatChangesWhileItIsReadIsJudgedAsItIsThen(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := filled(t, s, 3)
		changed := 0
		v.during = func(id string) {
			if id != "f001" {
				return
			}
			if changed++; changed <= 4 {
				v.put(id, "u", fmt.Sprintf("%d: after the head was sent, another tail", changed))
			}
		}
		s.judges("set1")
		s.live(10 * time.Minute)
		v.verdicts(s, "set1")
		v.mu.Lock()
		defer v.mu.Unlock()
		for id := range v.fetched {
			got := string(s.tenant().Verdict(t.Context(), "sha1:"+id, "set1"))
			if want := fmt.Sprintf(`{"of":%q}`, id); got != "" && got != want {
				t.Errorf("the verdict of %s is %s: of what was read instead", id, got)
			}
		}
		s.left()
	})
}

// A file's reading is over when what was found is saved, though Poll has not returned: what changes then makes the part anew.
func TestAFileThatChangesBeforePollReturnsIsReadAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := filled(t, s, 1)
		var mu sync.Mutex
		now, most, all := 0, 0, 0
		s.open = func() *saas.Instance {
			inst := v.instance()
			inst.Streams[2].Poll = func(ctx context.Context, r *saas.Run) error {
				mu.Lock()
				now, all = now+1, all+1
				most = max(most, now)
				mu.Unlock()
				err := readFile(ctx, r)
				v.put("f000", "u", "changed") // the log tells of it while Poll waits
				time.Sleep(3 * time.Minute)
				err = cmp.Or(err, r.Commit(nil)) // once more: the row of the part made anew stays
				mu.Lock()
				defer mu.Unlock()
				now--
				return err
			}
			return inst
		}
		s.judges("set1")
		s.live(20 * time.Minute)
		s.stop()
		mu.Lock()
		defer mu.Unlock()
		if most != 1 || all < 3 {
			t.Errorf("of %d readings of one file %d were at the same time", all, most)
		}
		kept := false
		s.disked(func(key string) { kept = kept || strings.HasPrefix(key, "p/") && strings.HasSuffix(key, "/f000") })
		if !kept {
			t.Error("the part made anew has no row")
		}
	})
}

func TestAFileThatVanishesOrIsRefusedEndsWithTheReason(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := filled(t, s, 6)
		v.page = 10 // nothing moves into a page that was read
		v.refuse["f001"], v.refuse["f002"] = http.StatusForbidden, http.StatusNotFound
		s.open = func() *saas.Instance {
			inst := v.instance()
			inst.Streams[len(inst.Streams)-1].Poll = func(ctx context.Context, r *saas.Run) error {
				v.mu.Lock()
				folder := r.Item().Key == "f004" && v.refuse["f001"] != 0
				v.mu.Unlock()
				if folder {
					return nil
				}
				return readFile(ctx, r)
			}
			return inst
		}
		v.during = func(id string) { // the bytes are cut off, and then it is not there any more
			if id == "f003" {
				v.mu.Lock()
				delete(v.files, id)
				v.mu.Unlock()
				panic(http.ErrAbortHandler)
			}
		}
		s.judges("set1")
		s.live(30 * time.Minute)
		if st := s.status("content"); st.Parts != 0 || st.Off != "" {
			t.Errorf("%d files are tried for ever, off %q", st.Parts, st.Off)
		}
		for _, id := range []string{"f001", "f002", "f003", "f004"} {
			if !slices.ContainsFunc(s.gaps(), func(g string) bool { return strings.Contains(g, "content/"+id+"/") }) {
				t.Errorf("nothing tells that %s was not judged: %v", id, s.gaps())
			}
		}
		v.mu.Lock()
		v.refuse, v.during = map[string]int{}, nil
		v.mu.Unlock()
		s.live(13 * time.Hour) // the next walk makes the parts again
		v.verdicts(s, "set1")
	})
}

func TestBadContentIsAnErrorAndTriedAgain(t *testing.T) {
	f := func(name string, bad http.HandlerFunc, want saas.Outcome, text string) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				v := filled(t, s, 1)
				var errs []error
				var tries []int
				s.judges("set1")
				s.judge = func(logs plog.Logs) error {
					for w := range event.Views(logs) {
						f := s.tenant().File(w.Str("event.id"))
						if f == nil {
							continue
						}
						tries = append(tries, f.Tries())
						in, err := f.Open(t.Context())
						if err == nil {
							_, err = io.Copy(io.Discard, in)
						}
						if errs = append(errs, err); err != nil {
							return fmt.Errorf("judge: %w", err)
						}
						f.Judge("set1", json.RawMessage(`{}`), true)
					}
					return nil
				}
				asked := 0
				v.content = func(w http.ResponseWriter, r *http.Request) {
					v.mu.Lock()
					asked++
					first := asked <= 6
					v.mu.Unlock()
					if first {
						bad(w, r)
					} else {
						_, _ = io.WriteString(w, "the content of file 0")
					}
				}
				s.live(40 * time.Minute)
				var e *saas.Error
				if len(errs) == 0 || !errors.As(errs[0], &e) || e.Outcome != want || !strings.Contains(e.Error(), text) {
					t.Errorf("got %v, want %v: %s", errs, want, text)
				}
				if want == saas.Unavailable && (errs[len(errs)-1] != nil || tries[0] != 0 || tries[len(tries)-1] == 0) {
					t.Errorf("it was not read in the end: %v after %v failures", errs, tries)
				}
			})
		})
	}
	lie := func(n string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", n)
			_, _ = io.WriteString(w, "the content")
		}
	}
	f("stalls", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "the co")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}, saas.Unavailable, "no answer within the timeout")
	f("is shorter than it says", lie("21"), saas.Unavailable, "unexpected EOF")
	f("is not what its hash says", lie("11"), saas.Unavailable, "changed while it was read")
	f("is longer than allowed", func(w http.ResponseWriter, _ *http.Request) {
		mib := make([]byte, 1<<20)
		for range 1025 {
			if _, err := w.Write(mib); err != nil {
				return
			}
		}
	}, saas.Invalid, "more than 1073741824 bytes")
	f("is refused", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, saas.Denied, "403")
	f("is not ready", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(http.StatusServiceUnavailable)
	}, saas.Unavailable, "503")
}

// Copies that are read at the same time are judged one after the other.
func TestCopiesAreReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := newFileVendor()
		for i := range 12 {
			v.put(fmt.Sprintf("f%d", i), "u", "one content for all")
		}
		v.during = func(string) { time.Sleep(10 * time.Second) }
		s.serve(v)
		s.open = v.instance
		s.judges("set1")
		s.live(5 * time.Minute)
		v.verdicts(s, "set1")
		if n := v.more(); n > 0 || len(s.ids("content")) != 12 {
			t.Errorf("%d downloads too many, %d files were handed on", n, len(s.ids("content")))
		}
	})
}

// What is judged while a copy's record is on its way, its reader does not know yet.
func TestACopyOfWhatIsJudgedMeanwhileIsHandedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := newFileVendor()
		v.page = 1
		v.during = func(string) { time.Sleep(10 * time.Second) } // by then the record of the copy is on its way
		v.put("f0", "u", "one content for all")
		v.put("f1", "u", "one content for all")
		s.serve(v)
		s.open = v.instance
		s.judges("set1")
		judge := s.judge
		s.judgeBy(func(logs plog.Logs) error {
			for w := range event.Views(logs) {
				if w.Str("entity.id") == "f1" && !strings.HasPrefix(w.Str("event.id"), "content/") {
					time.Sleep(time.Minute)
				}
			}
			return judge(logs)
		})
		s.live(5 * time.Minute)
		v.verdicts(s, "set1")
		if got := s.ids("content"); len(got) != 2 || v.times("one content for all") != 1 {
			t.Errorf("%q were handed on after %d downloads, want both after one", got, v.times("one content for all"))
		}
	})
}

// A judge may need all the time there is for a reading, and more.
func TestAVerdictThatComesLateIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := filled(t, s, 2)
		s.judges("set1")
		judge := s.judge
		s.judge = func(logs plog.Logs) error {
			err := judge(logs)
			for w := range event.Views(logs) {
				if s.find(w.Str("event.id")) != nil {
					time.Sleep(11 * time.Minute)
				}
			}
			return err
		}
		s.live(time.Hour)
		v.verdicts(s, "set1")
		if n := v.more(); n > 0 || s.status("content").Parts > 0 {
			t.Errorf("%d contents were read again, %d files wait", n, s.status("content").Parts)
		}
	})
}

func TestAPartIsTriedAgainWhenTheVendorSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v, began := filled(t, s, 1), time.Now()
		var asked []time.Duration
		v.content = func(w http.ResponseWriter, _ *http.Request) {
			if asked = append(asked, time.Since(began)); len(asked) == 1 { // its text is being made
				w.Header().Set("Retry-After", "3000")
				w.WriteHeader(http.StatusAccepted)
				return
			}
			_, _ = io.WriteString(w, "the content of file 0")
		}
		s.open = func() *saas.Instance {
			inst := v.instance()
			inst.Fault = func(status int, _ http.Header, _ []byte) *saas.Error {
				if status == http.StatusAccepted {
					return &saas.Error{Outcome: saas.Unavailable, Code: "not ready"}
				}
				return nil
			}
			return inst
		}
		s.judges("set1")
		s.live(time.Hour)
		v.verdicts(s, "set1")
		if len(asked) != 2 || asked[1]-asked[0] < 3000*time.Second || asked[1]-asked[0] > 3300*time.Second {
			t.Errorf("asked after %v, want again 50 minutes later", asked)
		}
	})
}

// The answer that tells of the file is given back before its content is asked for, though Poll has not read it to its end.
func TestTheFilesOwnAnswerHoldsNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := filled(t, s, 5)
		s.open = func() *saas.Instance {
			inst := v.instance()
			inst.Budgets = []saas.Budget{{Name: "in flight", Limit: 1}}
			st := &inst.Streams[len(inst.Streams)-1]
			st.Poll = func(ctx context.Context, r *saas.Run) error {
				p, err := r.Do(ctx, saas.Req{URL: "/files/" + r.Item().Key + "?list"})
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
				}
				return nil
			}
			return inst
		}
		s.judges("set1")
		s.live(time.Minute)
		v.verdicts(s, "set1")
		if n := v.more(); n > 0 || s.status("content").Parts > 0 || s.status("content").LastError != "" {
			t.Errorf("%d contents were read again, %+v", n, s.status("content"))
		}
	})
}

// Two dlp processors stand in one pipeline; the first adds what it judged by to the record's id.
func TestTwoJudgesAskForOneFile(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := filled(t, s, 5)
		s.judges("set1", "set2")
		first := s.judge
		var late []*saas.File
		var mu sync.Mutex
		s.judge = func(logs plog.Logs) error {
			for w := range event.Views(logs) {
				id := w.Str("event.id")
				f, again := s.find(id), s.find(id+":set1")
				if f != again || strings.HasPrefix(id, "content/") && f == nil {
					return fmt.Errorf("%s: found %p, with a set %p", id, f, again)
				}
				if f != nil {
					mu.Lock()
					late = append(late, f)
					mu.Unlock()
				}
				if id := id[:len(id)-1]; s.find(id) != nil || s.find(id+"0") != nil && f == nil {
					return fmt.Errorf("%s: found though no record has that id", id)
				}
			}
			return first(logs)
		}
		s.live(5 * time.Minute)
		v.verdicts(s, "set1")
		v.verdicts(s, "set2")
		for _, f := range late { // what comes after the record was handed on has no effect
			f.Judge("set1", json.RawMessage(`"late"`), true)
			if in, err := f.Open(t.Context()); err == nil {
				_ = in.Close()
				t.Error("a file was opened after its record was handed on")
			}
		}
		for _, r := range s.of("content") {
			if s.find(r.id) != nil {
				t.Errorf("%s is found after it was handed on", r.id)
			}
		}
		v.verdicts(s, "set1")
	})
}

// walks is how many walks of a stream were complete.
func (s *stage) walks(stream string) (n int) {
	for _, r := range s.of(stream) {
		if r.action == "inventory.complete" {
			n++
		}
	}
	return n
}

// find is the tenant's file of a record; nil too while the tenant starts.
func (s *stage) find(id string) *saas.File {
	if t := saas.Find("vendor", "acme"); t != nil {
		return t.File(id)
	}
	return nil
}

func TestANewSetOfDetectorsIsAppliedAtOnce(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := filled(t, s, 9)
		s.judges("old")
		s.live(5 * time.Minute)
		v.verdicts(s, "old")
		s.stop()
		s.stops[len(s.stops)-1]() // the configuration names others
		s.judges("new")
		s.live(5 * time.Minute)
		v.verdicts(s, "new")
		most := 9
		if s.fate.n > 0 {
			most += 2
		}
		if n := v.more(); n < 9 || n > most {
			t.Errorf("%d contents were read again, want the 9 for the new set", n)
		}
		for id, f := range v.files {
			if old := s.tenant().Verdict(t.Context(), "sha1:"+sha(f.body), "old"); old != nil {
				t.Errorf("%s: what nobody judges by any more said %s", id, old)
			}
		}
		before := v.more()
		s.stop()
		s.live(5 * time.Minute) // the same again
		if n := v.more(); n != before {
			t.Errorf("%d contents were read again for nothing", n-before)
		}
	})
}

// What a walk had listed before the set came is listed again, though the walk is under way or goes on from where it was cut.
func TestANewSetInTheMiddleOfAWalkIsAppliedToAll(t *testing.T) {
	f := func(meanwhile func(*stage)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t)
			v := filled(t, s, 60)
			v.page, v.slow = 1, 2*time.Second
			s.judges("old")
			s.live(70 * time.Second)
			if st := s.status("files"); st.Complete || s.status("content").Judged < 20 {
				t.Fatalf("%d files were judged, the walk is complete: %v", s.status("content").Judged, st.Complete)
			}
			meanwhile(s)
			s.live(15 * time.Minute)
			v.verdicts(s, "new")
			if n := s.walks("files"); n > 2 {
				t.Errorf("%d walks", n)
			}
		})
	}
	f(func(s *stage) {
		s.stop()
		s.stops[len(s.stops)-1]()
		s.judges("new")
	})
	f(func(s *stage) { s.judges("new") })
	f(func(s *stage) {
		s.judges("new")
		s.stop() // before the walk under way could begin again
	})
}

// All was judged by the set that was there before, which stays.
func TestASecondSetOfDetectorsMayComeLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := filled(t, s, 20)
		s.judges("old")
		s.live(5 * time.Minute)
		v.verdicts(s, "old")
		s.judges("new")
		s.live(5 * time.Minute)
		v.verdicts(s, "new")
		v.verdicts(s, "old")
	})
}

// A set that comes while the tenant runs, also in the middle of a walk.
func TestASetOfDetectorsMayComeLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := filled(t, s, 40)
		s.live(3 * time.Minute)
		if st := s.status("content"); st.Off != "no dlp processor runs in this agent" || st.Parts != 0 {
			t.Errorf("nobody judges, and the stream is off because %q, with %d parts", st.Off, st.Parts)
		}
		if st := s.status("files"); st.Events < 40 {
			t.Errorf("%d files were listed", st.Events)
		}
		s.judges("set1")
		s.live(5 * time.Minute)
		v.verdicts(s, "set1")
	})
}

func TestWhatNobodyJudgesTurnsTheStreamOffForAnHour(t *testing.T) {
	whatNobodyJudges(t, func(*stage) {})
	whatNobodyJudges(t, func(s *stage) {
		s.stop() // with another configuration
		before := s.walks("files")
		s.live(time.Minute)
		if s.walks("files") == before {
			s.t.Error("the files were not listed again when their content was judged at last")
		}
	})
	whatNobodyJudges(t, func(s *stage) {
		judge := s.judge
		s.judgeBy(nil)
		s.stop() // with the same configuration
		before := s.walks("files")
		s.live(time.Minute)
		if s.walks("files") != before {
			s.t.Error("the files were listed again though nobody judges")
		}
		s.judgeBy(judge)
	})
}

func whatNobodyJudges(t *testing.T, then func(*stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := filled(t, s, 30)
		s.judges("set1")
		judge := s.judge
		s.judge = nil // the dlp processor is in another pipeline
		s.live(20 * time.Minute)
		st := s.status("content")
		if st.Off != "no dlp processor in the pipeline of this receiver" {
			t.Errorf("off because %q", st.Off)
		}
		if n := len(s.of("content")); n == 0 || n > 2 {
			t.Errorf("%d files were handed on to nobody", n)
		}
		if n := v.times(v.files["f000"].body); n > 0 {
			t.Errorf("%d downloads for nobody", n)
		}
		if st := s.status("files"); !st.Complete {
			t.Error("the walk waits for what nobody reads")
		}
		s.judgeBy(judge) // from now on it is in this one, and all is listed again
		then(s)
		s.live(time.Hour)
		v.verdicts(s, "set1")
	})
}

func TestAVerdictThatIsNotFinalIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := filled(t, s, 2)
		s.judges("set1")
		var mu sync.Mutex
		asked, final := 0, false
		s.judge = func(logs plog.Logs) error {
			mu.Lock()
			defer mu.Unlock()
			for w := range event.Views(logs) {
				if f := s.find(w.Str("event.id")); f != nil && f.Verdict("set1") == nil {
					asked++
					f.Judge("set1", json.RawMessage(`"not now"`), final)
				}
			}
			return nil
		}
		f := func(d time.Duration, want int) {
			t.Helper()
			s.live(d)
			mu.Lock()
			defer mu.Unlock()
			if asked != want {
				t.Errorf("asked %d times, want %d", asked, want)
			}
			if got := s.tenant().Verdict(t.Context(), "sha1:"+sha(v.files["f000"].body), "set1"); string(got) != `"not now"` {
				t.Errorf("the reason is %q", got)
			}
		}
		f(5*time.Minute, 2)
		f(13*time.Hour, 4)
		mu.Lock()
		final = true
		mu.Unlock()
		f(13*time.Hour, 6)
		f(13*time.Hour, 6)
	})
}

// What changed passes all that waits: unread files, and the walks that draw on the same budget.
func TestAChangedFileIsJudgedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := filled(t, s, 900)
		v.page = 1 // the walk takes half of the time
		s.open = func() *saas.Instance {
			inst := v.instance()
			inst.Budgets = []saas.Budget{{Name: "narrow", Limit: 30, Per: time.Minute}}
			return inst
		}
		s.judges("set1")
		s.live(7 * time.Minute)
		if st := s.status("content"); st.Parts < 100 {
			t.Fatalf("only %d files wait", st.Parts)
		}
		for i := range 20 {
			id := fmt.Sprintf("f%03d", 290-i)
			v.put(id, "u", "changed: "+id)
			if i == 10 {
				s.stop() // what changed is first in the next life, too
			}
			s.live(100 * time.Second) // a minute until the log is read again
			if n := v.times("changed: " + id); n != 1 {
				t.Errorf("%s changed and was read %d times soon after", id, n)
			}
		}
		if st := s.status("content"); st.Parts == 0 {
			t.Error("nothing waited any more: the case shows nothing")
		}
	})
}

// One that fails at first stays ahead of what is only listed.
func TestAChangedFileThatFailsIsStillFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := filled(t, s, 400)
		s.open = func() *saas.Instance {
			inst := v.instance()
			inst.Budgets = []saas.Budget{{Name: "narrow", Limit: 30, Per: time.Minute}}
			return inst
		}
		s.judges("set1")
		s.live(4 * time.Minute)
		v.put("f399", "u", "changed")
		v.mu.Lock()
		v.refuse["f399"] = http.StatusInternalServerError
		v.mu.Unlock()
		s.live(2 * time.Minute)
		v.mu.Lock()
		v.refuse = map[string]int{}
		v.mu.Unlock()
		s.live(3 * time.Minute)
		if n := v.times("changed"); n != 1 || s.status("content").Parts < 100 {
			t.Errorf("read %d times, %d others wait", n, s.status("content").Parts)
		}
	})
}

// The walk waits while too many files are unread, and so does not grow what is held; events that come then are not lost.
func TestUnreadFilesAreBounded(t *testing.T) {
	const files = 24_000
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := filled(t, s, files)
		v.page = 100
		s.open = func() *saas.Instance {
			inst := v.instance()
			for i := range inst.Streams {
				if st := &inst.Streams[i]; st.Name == "content" {
					st.Width = 8
				}
			}
			return inst
		}
		s.judges("set1")
		judge, slow := s.judge, true
		var mu sync.Mutex
		s.judge = func(logs plog.Logs) error {
			mu.Lock()
			wait := slow
			mu.Unlock()
			for w := range event.Views(logs) {
				if wait && s.find(w.Str("event.id")) != nil {
					time.Sleep(time.Second)
				}
			}
			return judge(logs)
		}
		s.live(2 * time.Minute)
		st := s.status("content")
		if st.Parts < 5_000 || st.Parts > 10_100 || s.status("files").Complete {
			t.Errorf("%d of %d files wait to be read, the walk is complete: %v", st.Parts, files, s.status("files").Complete)
		}
		for id := range v.files {
			v.put(id, "u", "changed: "+id) // all of them, at once
		}
		s.live(2 * time.Minute)
		if st := s.status("content"); st.Parts > 20_000 || st.Postponed == 0 {
			t.Errorf("%d files wait, %d were put off", st.Parts, st.Postponed)
		}
		s.stop()
		s.stops[len(s.stops)-1]() // nobody judges any more: what was to be read holds up nobody
		s.live(time.Hour)
		if !s.status("files").Complete {
			t.Errorf("the walk waits for %d files that nobody reads", s.status("content").Parts)
		}
		s.stop()
		s.stops = append(s.stops, saas.RegisterJudge("set1"))
		mu.Lock()
		slow = false
		mu.Unlock()
		s.live(26 * time.Hour)
		v.verdicts(s, "set1")
		if n := v.more(); n > 8 { // which changed while they were read
			t.Errorf("%d contents were read again", n)
		}
	})
}

func TestVerdictsAreKeptWhileTheirContentIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		v := filled(t, s, 3)
		s.judges("set1")
		s.live(time.Hour)
		v.mu.Lock()
		gone := v.files["f000"]
		delete(v.files, "f000")
		v.mu.Unlock()
		rows := func() int {
			t.Helper()
			s.stop()
			n := 0
			s.disked(func(key string) {
				if strings.HasPrefix(key, "v/") {
					n++
				}
			})
			s.start()
			return n
		}
		s.live(44 * day)
		if n := rows(); n != 3 {
			t.Errorf("%d contents have verdicts after 44 days, want 3", n)
		}
		s.live(3 * day)
		if n := rows(); n != 2 {
			t.Errorf("%d contents have verdicts after 47 days, want the 2 that are there", n)
		}
		v.mu.Lock()
		v.files["f000"] = gone
		v.mu.Unlock()
		s.live(day)
		v.verdicts(s, "set1")
		if n := v.times(gone.body); n != 2 || v.more() != 1 {
			t.Errorf("what came back was read %d times, others %d times again", n, v.more()-1)
		}
	})
}
