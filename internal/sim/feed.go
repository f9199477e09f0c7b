package sim

import (
	"fmt"
	"math/bits"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// lags is how many different lags late events have at most.
const lags = 16

// maxExtra bounds what a fake appends to a feed; the oldest leave first.
const maxExtra = 1 << 18

// FeedSpec is how a fake makes its events.
type FeedSpec struct {
	Events    int                                               // the default number
	MaxLag    time.Duration                                     // the vendor's documented one
	Retention time.Duration                                     // older events are gone; 0 = for ever
	Make      func(b []byte, i int, published time.Time) []byte // appends event i, whose identity is Key(i)
	Key       func(i int) string                                // the identity of event i
	ReplayKey func(raw []byte) string                           // of a replayed object
}

// Feed is a log of events. Event i is a function of the seed and i; it is published at Start + Span·i/n, some events
// share their time with their neighbours. A late event persists (can be read) up to MaxLag after it was published, so the
// order of persistence differs from the order of publication.
//
// The order of persistence is a sequence of slots: slot j is at the time of publication of event j and holds that event,
// unless it is late, and the late events that were moved there. All events of a block are moved by the same number of
// blocks, so that what a slot holds is found without looking at other slots.
type Feed struct {
	spec     FeedSpec
	seed     int64
	now      func() time.Time
	start    time.Time
	span     time.Duration
	n        int
	late     float64
	again    float64
	maxLag   time.Duration
	block    int // events per block; 0 = nothing is late
	lags     int // how many different lags there are
	replayed [][]byte

	mu    sync.Mutex
	extra []appended
	gone  int // appended events that left
}

type appended struct {
	at  time.Time
	key string
	raw []byte
}

// NewFeed makes the log that the options ask for.
func NewFeed(o Options, spec FeedSpec) (*Feed, error) {
	o = o.Filled()
	f := &Feed{spec: spec, seed: o.Seed, now: o.Now, start: o.Start, span: o.Span, n: o.Events, late: o.Late, again: o.Again}
	if f.n <= 0 {
		f.n = spec.Events
	}
	if o.Late < 0 || o.Late > 1 {
		return nil, fmt.Errorf("make feed: share of late events %v, want 0 to 1", o.Late)
	}
	if o.Again < 0 || o.Again > 1 {
		return nil, fmt.Errorf("make feed: share of repeated events %v, want 0 to 1", o.Again)
	}
	if o.Replay != nil {
		var err error
		if f.replayed, err = readReplay(o.Replay); err != nil {
			return nil, err
		}
		f.n, f.late = len(f.replayed), 0
	}
	lag := o.MaxLag
	if lag <= 0 {
		lag = spec.MaxLag
	}
	if f.late > 0 {
		f.maxLag = lag
		moved := sort.Search(f.n, func(i int) bool { return f.At(i).Sub(f.start) > lag }) - 8 // 8: events may share a time
		if f.lags = max(0, min(moved, lags)); f.lags > 0 {
			f.block = moved / f.lags
		}
	}
	return f, nil
}

// Len is the number of events that are not appended.
func (f *Feed) Len() int { return f.n }

// At is when event i is published. It never decreases with i.
func (f *Feed) At(i int) time.Time {
	if Hash(f.seed, 1, uint64(i/4))%8 == 0 {
		i -= i % 4 // these four have the same time
	}
	hi, lo := bits.Mul64(uint64(f.span), uint64(i))
	q, _ := bits.Div64(hi, lo, uint64(max(1, f.n)))
	return f.start.Add(time.Duration(q)).Truncate(time.Millisecond)
}

// Persisted is when event i can be read.
func (f *Feed) Persisted(i int) time.Time { return f.At(i + f.lag(i)*f.block) }

// lag is by how many blocks event i is moved.
func (f *Feed) lag(i int) int {
	if f.block == 0 || !chance(Hash(f.seed, 2, uint64(i)), f.late) {
		return 0
	}
	return f.blockLag(i)
}

func (f *Feed) blockLag(i int) int { return 1 + int(Hash(f.seed, 3, uint64(i/f.block))%uint64(f.lags)) }

// slots is the number of slots.
func (f *Feed) slots() int { return f.n + f.lags*f.block }

// Slot calls each for the events that persist at At(j), in the order in which Read gives them; all events are in the slots
// below Slots. A vendor's file of events is a run of slots.
func (f *Feed) Slot(j int, each func(i int)) {
	for c := (Cursor{Slot: j}); ; {
		i, ok := f.in(&c)
		if !ok {
			return
		}
		each(i)
	}
}

// Slots is how many slots there are.
func (f *Feed) Slots() int { return f.slots() }

// Make appends event i.
func (f *Feed) Make(b []byte, i int) []byte {
	if f.replayed != nil {
		return append(b, f.replayed[i]...)
	}
	return f.spec.Make(b, i, f.At(i))
}

// Key is the identity of event i.
func (f *Feed) Key(i int) string {
	if f.replayed != nil {
		return f.spec.ReplayKey(f.replayed[i])
	}
	return f.spec.Key(i)
}

// Append publishes one more event now: the effect of a request. Events made meanwhile for other requests are kept in
// the order of the calls.
func (f *Feed) Append(key string, at time.Time, raw []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := len(f.extra); k > 0 && at.Before(f.extra[k-1].at) {
		at = f.extra[k-1].at
	}
	if len(f.extra) == maxExtra {
		f.extra = append([]appended(nil), f.extra[maxExtra/2:]...)
		f.gone += maxExtra / 2
	}
	f.extra = append(f.extra, appended{at, key, raw})
}

func (f *Feed) appended() ([]appended, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.extra, f.gone
}

// Published calls g for the keys of all events that can be read now, until g returns false.
func (f *Feed) Published(g func(key string) bool) {
	now := f.now()
	oldest := f.oldest(now)
	end := sort.Search(f.n, func(i int) bool { return f.At(i).After(now) })
	for i := range end {
		if p := f.Persisted(i); p.After(now) || p.Before(oldest) {
			continue
		}
		if !g(f.Key(i)) {
			return
		}
	}
	extra, _ := f.appended()
	for _, e := range extra {
		if !g(e.key) {
			return
		}
	}
}

func (f *Feed) oldest(now time.Time) time.Time {
	if f.spec.Retention == 0 {
		return time.Time{}
	}
	return now.Add(-f.spec.Retention)
}

// Cursor is a place in a feed: what is read next.
type Cursor struct {
	Slot, Rank int
	Extra      int // among the appended events
}

// String is the cursor as an opaque token. ParseCursor reads it.
func (c Cursor) String() string { return fmt.Sprintf("%d.%d.%d", c.Slot, c.Rank, c.Extra) }

// ParseCursor reads what String wrote; anything else is an error.
func ParseCursor(s string) (Cursor, error) {
	var n [3]int
	parts := strings.Split(s, ".")
	if len(parts) != len(n) {
		return Cursor{}, fmt.Errorf("read cursor %q: want three numbers", s)
	}
	for i, p := range parts {
		var err error
		if n[i], err = strconv.Atoi(p); err != nil || n[i] < 0 {
			return Cursor{}, fmt.Errorf("read cursor %q: %q is no position", s, p)
		}
	}
	return Cursor{n[0], n[1], n[2]}, nil
}

// Number is the cursor as a number beyond 2^53, which does not decrease while a feed is read on. ParseNumber reads it.
// Slots stay below 2^28 and appended events below 2^27.
func (c Cursor) Number() int64 { return 1<<60 | int64(c.Extra)<<33 | int64(c.Slot)<<5 | int64(c.Rank) }

// ParseNumber reads what Number gives, in decimal.
func ParseNumber(s string) (Cursor, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n>>60 != 1 {
		return Cursor{}, fmt.Errorf("read cursor %q: not a number that was given out", s)
	}
	return Cursor{Slot: int(n >> 5 & (1<<28 - 1)), Rank: int(n & 31), Extra: int(n >> 33 & (1<<27 - 1))}, nil
}

// After is the place of the first event that persisted after t.
func (f *Feed) After(t time.Time) Cursor {
	if oldest := f.oldest(f.now()); t.Before(oldest) {
		t = oldest
	}
	extra, gone := f.appended()
	return Cursor{
		Slot:  sort.Search(f.slots(), func(j int) bool { return f.At(j).After(t) }),
		Extra: gone + sort.Search(len(extra), func(i int) bool { return extra[i].at.After(t) }),
	}
}

// Read calls each for at most limit events from c on, in the order of persistence, and returns the place behind them.
// Reading on and on from what it returned gives every event once. each must not keep raw.
func (f *Feed) Read(c Cursor, limit int, each func(raw []byte)) Cursor {
	now := f.now()
	extra, gone := f.appended()
	extra = extra[min(max(0, c.Extra-gone), len(extra)):]
	c.Extra = max(c.Extra, gone)
	var b []byte
	for limit > 0 {
		ready := c.Slot < f.slots() && !f.At(c.Slot).After(now)
		if len(extra) > 0 && (!ready || extra[0].at.Before(f.At(c.Slot))) {
			each(extra[0].raw)
			extra = extra[1:]
			c.Extra++
			limit--
			continue
		}
		if !ready {
			break
		}
		i, ok := f.in(&c)
		if !ok {
			c.Slot, c.Rank = c.Slot+1, 0
			continue
		}
		b = f.Make(b[:0], i)
		each(b)
		limit--
	}
	return c
}

// in is the next event of the slot, from the rank on; the cursor is moved behind it. The rank is the lag.
func (f *Feed) in(c *Cursor) (i int, ok bool) {
	for ; c.Rank <= f.lags; c.Rank++ {
		i := c.Slot - c.Rank*f.block
		if i < 0 || (c.Rank > 0 && f.block == 0) {
			return 0, false
		}
		if i < f.n && (c.Rank == 0 || f.blockLag(i) == c.Rank) && f.lag(i) == c.Rank {
			c.Rank++
			return i, true
		}
	}
	return 0, false
}
