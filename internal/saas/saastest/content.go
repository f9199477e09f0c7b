package saastest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// contents is what the judge saw.
type contents struct {
	listed map[string]string // by entity.id, the content of the file as a walk listed it last
	opened map[string]int    // by content, how often it was opened
	bytes  map[string][]byte // and what was read; with learning on
}

func newContents() contents {
	return contents{listed: map[string]string{}, opened: map[string]int{}, bytes: map[string][]byte{}}
}

// judge does to a batch what a dlp processor does: it reads the content that a record asks for, unless it was judged before.
func (b *bench) judge(logs plog.Logs) error {
	if b.set == "" || b.dead.Load() {
		return nil
	}
	for v := range event.Views(logs) {
		id := saas.ContentID(v)
		f := b.tenant().File(v.Str("event.id"))
		if f == nil {
			if id != "" {
				b.mu.Lock()
				b.read.listed[v.Str("entity.id")] = id
				b.mu.Unlock()
			}
			continue
		}
		if f.Verdict(b.set) != nil {
			continue
		}
		b.mu.Lock()
		b.read.opened[id]++
		b.mu.Unlock()
		in, err := f.Open(context.Background())
		if err != nil {
			return fmt.Errorf("open %s: %w", id, err)
		}
		body, err := io.ReadAll(in)
		_ = in.Close()
		if err != nil {
			return fmt.Errorf("read %s: %w", id, err)
		}
		b.mu.Lock()
		if b.answers != nil {
			b.read.bytes[id] = body
		}
		b.mu.Unlock()
		said, _ := json.Marshal(map[string]any{"bytes": len(body)}) // of a number
		f.Judge(b.set, said, true)
	}
	return nil
}

// content is the stream of files to be judged; the case skips where there is none.
func (s *suite) content(t *testing.T) *saas.Stream {
	t.Helper()
	for i := range s.streams {
		if s.streams[i].Kind == saas.Content {
			return &s.streams[i]
		}
	}
	t.Skip("the provider stores no files: it has no stream of content")
	return nil
}

// unread is how many files wait to be judged.
func (b *bench) unread(stream string) int {
	for _, st := range b.tenant().Status().Streams {
		if st.Name == stream {
			return st.Parts
		}
	}
	return -1
}

// contentOnce: every file that a walk lists is judged, each content is downloaded once, but for what is read at a time when
// the process dies, and not again when the same is listed the next day.
func (s *suite) contentOnce(t *testing.T) {
	st := s.content(t)
	routes := s.downloads(t, st.Name)
	b := newBench(t, s.p, settings{opts: usual(40, 4), tune: unhurried, keys: map[string]any{"batch_bytes": 2048}})
	b.set = "suite 1"
	t.Cleanup(saas.RegisterJudge(b.set))
	died := 0
	for _, n := range [...]int{1, 3} {
		for _, at := range []point{{false, false, st.Name}, {false, true, st.Name}, {true, false, st.Name}, {true, true, st.Name}} {
			b.fatal = &death{at, n}
			b.start()
			b.judgeAll(st.Name)
			if b.dead.Load() {
				died++
			}
			b.stop()
		}
	}
	if died < 4 {
		t.Errorf("%d deaths of 8 came: the case shows little", died)
	}
	b.fatal = nil
	b.start()
	b.judgeAll(st.Name)
	b.whole()
	judged := s.judgedAll(b)
	before := b.sim.Seen.Count("", "", 0)
	down := b.answered(routes)
	opens := 0
	for _, n := range b.read.opened {
		opens += n
	}
	if opens > len(b.read.opened)+died*max(1, st.Width) || down > opens || down < judged {
		t.Errorf("%d contents were opened %d times for %d downloads, the process died %d times", judged, opens, down, died)
	}
	began, polls := time.Now(), b.polled(st.Name)
	elapse(s.stream(st.Over).Every + time.Hour)
	b.restart()
	elapse(s.stream(st.Over).Every + time.Hour)
	b.judgeAll(st.Name)
	told := b.count(func(r *record) bool { return r.action == "gap" && r.stream == st.Name && r.at.After(began) })
	if n := b.polled(st.Name) - polls; n > told {
		t.Errorf("%d files were read again of which nothing had changed: what lists them gives another hash than their record", n-told)
	}
	if again := b.answered(routes); again != down || b.sim.Seen.Count("", "", 0) == before {
		t.Errorf("%d more downloads of what did not change", again-down)
	}
}

// judgeAll waits until all is walked and no file waits to be judged.
func (b *bench) judgeAll(stream string) {
	b.t.Helper()
	b.settle()
	b.wait(6*time.Hour, "judge every file", func() bool { return b.unread(stream) == 0 })
}

// judgedAll checks that what walks listed has a verdict, but for what a record says cannot be read. It gives the number of
// contents judged.
func (s *suite) judgedAll(b *bench) int {
	b.t.Helper()
	judged := map[string]bool{}
	for file, id := range b.read.listed {
		told := b.count(func(r *record) bool { return r.action == "gap" && strings.Contains(r.id, "/"+file+"/") }) > 0
		switch {
		case b.tenant().Verdict(b.t.Context(), id, b.set) != nil:
			judged[id] = true
		case !told:
			b.t.Errorf("file %s was listed with content %s and never judged; %s", file, id, b.state())
			return len(judged)
		}
	}
	if len(judged) == 0 {
		b.t.Error("nothing was judged")
	}
	return len(judged)
}

// answered is how many requests by these routes were answered well.
func (b *bench) answered(routes []string) (n int) {
	for _, route := range routes {
		method, pattern, _ := strings.Cut(route, " ")
		n += b.sim.Seen.Count(method, pattern, 200)
	}
	return n
}

// downloads finds the routes whose answers are the content of files: more than one where vendors give some kinds another way.
func (s *suite) downloads(t *testing.T, stream string) (routes []string) {
	t.Helper()
	b := newBench(t, s.p, settings{opts: usual(40, 4), tune: unhurried})
	b.set, b.answers = "suite 0", map[string][]byte{}
	defer saas.RegisterJudge(b.set)()
	b.start()
	b.judgeAll(stream)
	defer b.close()
	left := b.read.bytes
	maps.DeleteFunc(left, func(_ string, body []byte) bool { return len(body) == 0 })
	for {
		best, most := "", 0
		for route, answers := range b.answers {
			n := 0
			for _, body := range left {
				if bytes.Contains(answers, body) {
					n += len(body)
				}
			}
			if n > most {
				best, most = route, n
			}
		}
		if best == "" {
			break
		}
		routes = append(routes, best)
		maps.DeleteFunc(left, func(_ string, body []byte) bool { return bytes.Contains(b.answers[best], body) })
	}
	if len(routes) == 0 || len(left) > 0 {
		t.Fatalf("no route answers with what was read of %d contents; others come from %v", len(left), routes)
	}
	t.Logf("content comes from %v", routes)
	return routes
}

// changedFirst: while walks and unread files wait for a narrow budget, a file that an event touched is judged next.
func (s *suite) changedFirst(t *testing.T) {
	st := s.content(t)
	b := s.afterHalfADay(t, "suite 2")
	order := slices.DeleteFunc(b.order, func(o turn) bool { return !strings.HasPrefix(o.part, st.Name+"/") })
	if s.inOrder(t, order) == 0 {
		t.Skip("no event leads to a file")
	}
	const most = 30 * time.Minute // for all that were touched while nobody read; one that waits behind the walks waits for hours
	waits := map[string]time.Time{}
	for _, o := range order {
		since, waiting := waits[o.part]
		switch {
		case o.touched && !waiting:
			waits[o.part] = o.at
		case !o.touched && waiting:
			if wait := o.at.Sub(since); wait > most {
				t.Errorf("%s was touched and read %v later", o.part, wait)
			}
			delete(waits, o.part)
		}
	}
	last := order[len(order)-1].at
	for part, since := range waits {
		if last.Sub(since) > most {
			t.Errorf("%s was touched and never read", part)
		}
	}
}
