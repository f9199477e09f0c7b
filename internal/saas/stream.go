package saas

import (
	"container/heap"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/longshore-dev/longshore/internal/event"
)

const asideKeep = 7 * 24 * time.Hour // how long a malformed entity is not reported again

// streamState is one stream of a running tenant. mu guards keys, finished and pending; the tenant's mu guards the rest.
type streamState struct {
	*Stream
	layout   *event.Layout
	pageHint atomic.Int64 // bytes of the last page
	stats    streamStats

	mu       sync.Mutex
	keys     *keySet
	finished *keySet
	pending  []*storage.Operation // of the last tend, for the next save
	claims   claims

	parts    map[string]*part
	endings  map[string][]byte // parts found to end when the state was loaded, and the row with which they begin anew
	touches  map[string]byte   // and what the touch rows of parts say
	queue    partHeap
	urgent   partHeap         // that go first
	lanes    map[string]*lane // by Item.As, where Abreast bounds them
	running  int
	crowd    bool      // so many parts are unread that its parent waits
	off      string    // why the stream is off; "" = on
	offUntil time.Time // when it is tried again; zero = never
	lastErr  string
}

type streamStats struct {
	events, duplicates, late, setAside, gaps atomic.Int64
	judged, fetched, postponed               atomic.Int64 // files, bytes of their content, events for which there was no room
	newest, success                          atomic.Int64 // unix nanoseconds
}

func (s *streamStats) accepted(n int64, newest time.Time) {
	s.events.Add(n)
	if !newest.IsZero() && newest.UnixNano() > s.newest.Load() {
		s.newest.Store(newest.UnixNano())
	}
}

func (s *streamStats) newestSeen() time.Time {
	if n := s.newest.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

func newStreamState(s *Stream) *streamState {
	st := &streamState{Stream: s, parts: map[string]*part{}, endings: map[string][]byte{}, touches: map[string]byte{}}
	keep := s.Keep
	if st.Kind >= Accounts { // only what was set aside, which every walk meets again
		keep = max(keep, asideKeep)
	}
	st.keys = newKeySet("k/"+s.Name, keep)
	st.finished = newKeySet("f/"+s.Name, s.Keep)
	if s.Fields != nil {
		st.layout = event.Compile(s.Fields)
	}
	return st
}

// entity reports whether the stream's objects are compared with the walk before.
func (st *streamState) entity() bool { return st.Kind >= Accounts && st.Kind <= Files }

func (st *streamState) seen(h uint64) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.keys.has(h)
}

func (st *streamState) isFinished(key string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.finished.has(keyHash(key))
}

// room is how many parts may be read at a time for p to be one of them. Listed files wait for the budgets longest: what
// changed does not wait for them.
func (st *streamState) room(p *part) int {
	n := max(1, st.Width)
	if st.Kind == Content && p.touched {
		n += (n + 3) / 4
	}
	return n
}

// most is how many parts of the tenant may be read already for one more of this stream to begin.
func (st *streamState) most() int {
	switch {
	case st.Kind < Accounts:
		return maxRunning
	case st.Kind == Content:
		return maxContent
	}
	return maxWalks
}

// partHeap orders the parts that wait by due time.
type partHeap []*part

func (h partHeap) Len() int           { return len(h) }
func (h partHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h partHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].place, h[j].place = i, j }
func (h *partHeap) Push(x any)        { p := x.(*part); p.place = len(*h); *h = append(*h, p) }
func (h *partHeap) Pop() any {
	old := *h
	p := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return p
}

// wait puts a part into its queue, or moves it. What an event touched, or is to end, goes before all that is only due. One whose
// namesake is still being read is queued by forget.
func (st *streamState) wait(p *part, due time.Time) {
	st.leave(p)
	if p.due = due; p.former != nil {
		return
	}
	if p.in = &st.queue; p.touched || p.ending {
		p.in = &st.urgent
	}
	heap.Push(p.in, p)
}

// leave takes a part out of where it waits.
func (st *streamState) leave(p *part) {
	if p.in != nil {
		heap.Remove(p.in, p.place)
		p.in = nil
	}
}

// head is the part to be read next, which may not be due yet; nil = none waits.
func (st *streamState) head(now time.Time) *part {
	switch {
	case len(st.urgent) == 0 && len(st.queue) == 0:
		return nil
	case len(st.urgent) == 0:
		return st.queue[0]
	case len(st.queue) == 0 || !st.urgent[0].due.After(now) || st.urgent[0].due.Before(st.queue[0].due):
		return st.urgent[0]
	}
	return st.queue[0]
}
