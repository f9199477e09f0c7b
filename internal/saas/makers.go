package saas

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
)

// Next gives the request for the page after p; last is the page's last row, nil when it was empty.
type Next func(p *Reply, last json.RawMessage) (next Req, more bool)

// page emits the rows of one request and says what follows.
func page(ctx context.Context, r *Run, q Req, rows func(*Reply) Rows, next Next) (follow Req, more bool, n int, err error) {
	p, err := r.Do(ctx, q)
	if err != nil {
		return Req{}, false, 0, err
	}
	var last json.RawMessage
	for raw, err := range rows(p) {
		if err != nil {
			return Req{}, false, n, err
		}
		if err := r.Emit("", raw); err != nil {
			return Req{}, false, n, err
		}
		last = raw
		n++
	}
	if next == nil {
		return Req{}, false, n, nil
	}
	follow, more = next(p, last)
	return follow, more, n, p.mayFollow(follow.URL)
}

// Circle finds the place of a listing, a marker or a whole request, at which the listing was before, however long the way round
// is (Brent's algorithm): it remembers one place, and after twice as many as the last time another one. The zero value is for
// a listing that begins; it may be kept in a mark.
type Circle struct {
	At   uint64 `json:"at"`
	Gone int    `json:"gone,omitempty"` // places since
	Span int    `json:"span,omitempty"` // after so many another is remembered
}

// Back says whether the listing was at the place before that it comes to.
func (c *Circle) Back(place string) bool {
	h := keyHash(place)
	if c.Span > 0 && h == c.At {
		return true
	}
	if c.Gone++; c.Gone >= c.Span {
		*c = Circle{At: h, Span: max(1, 2*c.Span)}
	}
	return false
}

// step is an error when the next request leads back.
func (c *Circle) step(from, to Req) error {
	if from.URL == to.URL && from.Body == to.Body || c.Back(to.Method+" "+to.URL+"\x00"+to.As+"\x00"+to.Body) {
		return &Error{Outcome: Invalid, Req: named(to), Err: errors.New("what is to be read next was read before in this listing")}
	}
	return nil
}

// named is a request with its marker or position, wherever that stands.
func named(q Req) string {
	return strings.TrimSpace(q.Method + " " + q.URL + " " + q.Body[:min(len(q.Body), maxNamed)])
}

const maxNamed = 256

// Pages emits every row from q on and touches no mark. next nil = one page.
func Pages(ctx context.Context, r *Run, q Req, rows func(*Reply) Rows, next Next) error {
	var c Circle
	for {
		follow, more, _, err := page(ctx, r, q, rows, next)
		if err == nil && more {
			err = c.step(q, follow)
		}
		if err != nil || !more {
			return err
		}
		q = follow
	}
}

// walkMark is the mark of List, Delta and Feed: the request that follows.
type walkMark struct {
	Next *Req   `json:"next,omitempty"`
	Full bool   `json:"full,omitempty"` // Delta: the first walk is over
	Way  Circle `json:"way,omitzero"`   // of this listing, to see when it leads back
}

// begin loads the mark, or begins at first.
func (m *walkMark) begin(r *Run, first func(*Run) Req) {
	if !r.Mark(m) || m.Next == nil {
		q := first(r)
		*m = walkMark{Next: &q}
	}
}

// follow checks where a listing goes on. What was read until it leads back is handed on.
func (m *walkMark) follow(r *Run, q Req) error {
	err := m.Way.step(*m.Next, q)
	if err != nil {
		return cmp.Or(r.Commit(nil), err)
	}
	return nil
}

// List reads a whole collection, resumes at the page it was cut at, and ends with Done.
func List(first func(*Run) Req, rows func(*Reply) Rows, next Next) PollFunc {
	return func(ctx context.Context, r *Run) error {
		var m walkMark
		m.begin(r, first)
		for {
			q, more, _, err := page(ctx, r, *m.Next, rows, next)
			if err == nil && more {
				err = m.follow(r, q)
			}
			if err != nil {
				return err
			}
			if !more {
				r.Done()
				return r.Commit(nil)
			}
			m.Next = &q
			if err := r.Commit(m); err != nil {
				return err
			}
		}
	}
}

// Delta is List whose last next is kept: later runs read the changes from there on. next must give the request for
// later even when it says that no more is there now.
func Delta(first func(*Run) Req, rows func(*Reply) Rows, next Next) PollFunc {
	return func(ctx context.Context, r *Run) error {
		var m walkMark
		m.begin(r, first)
		for {
			q, more, _, err := page(ctx, r, *m.Next, rows, next)
			if err == nil && more {
				err = m.follow(r, q)
			}
			if err != nil {
				return err
			}
			if m.Next = &q; !more {
				m.Way = Circle{}
			}
			if !more && !m.Full {
				m.Full = true
				r.Done()
			}
			if err := r.Commit(m); err != nil || !more {
				return err
			}
		}
	}
}

// Feed follows an endless cursor of events: there is always a next request, also after an empty page. Each page is
// committed with the request that follows; reading goes on at once while pages hold rows. A page with rows that leads back
// is an error, after its rows.
func Feed(first func(*Run) Req, rows func(*Reply) Rows, next Next) PollFunc {
	return func(ctx context.Context, r *Run) error {
		var m walkMark
		m.begin(r, first)
		for {
			q, more, n, err := page(ctx, r, *m.Next, rows, next)
			if err != nil {
				return err
			}
			if !more {
				return &Error{Outcome: Unavailable, Req: m.Next.URL, Err: errors.New("the page names no next one")}
			}
			var back error
			if n == 0 {
				m.Way = Circle{}
			} else {
				back = m.Way.step(*m.Next, q)
			}
			moved := q.URL != m.Next.URL || q.Body != m.Next.Body
			if m.Next = &q; moved || n > 0 {
				if err := r.Commit(m); err != nil {
					return err
				}
			}
			if n == 0 || back != nil {
				return back
			}
		}
	}
}

// Window reads [mark − Lag, Now − Settle) in pieces of at most Max, oldest first; the mark moves after each piece.
// TooMuch halves a piece; a full second that still overflows is a Gap. Sweep re-reads that far back once a day.
// What is older than Back is a Gap.
type Window struct {
	Lag    time.Duration // how late the vendor may publish
	Settle time.Duration // how near to now a window may end
	Max    time.Duration // the longest piece; 0 = an hour
	Sweep  time.Duration
	Back   time.Duration // how far back the vendor lets us read; 0 = any
	Read   func(ctx context.Context, r *Run, from, to time.Time) error
}

type windowMark struct {
	To    time.Time `json:"to"`             // everything before is read
	Swept time.Time `json:"swept,omitzero"` // when the last sweep ended
	Sweep time.Time `json:"sweep,omitzero"` // where a sweep under way goes on
	Until time.Time `json:"until,omitzero"` // where it ends
	At    time.Time `json:"at,omitzero"`    // where a reading cut by its deadline goes on
	End   time.Time `json:"end,omitzero"`   // where it ends: what is late by then is read again
}

const (
	sweepEvery = 24 * time.Hour
	emptySave  = 30 * time.Second // between saves while pieces are empty
)

// Poll is the stream's function.
func (w Window) Poll(ctx context.Context, r *Run) error {
	now := r.Now()
	end := now.Add(-w.Settle)
	var m windowMark
	from := r.Since()
	if r.Mark(&m) {
		from = m.To.Add(-w.Lag)
	} else {
		m = windowMark{To: from, Swept: now}
		if err := r.Commit(m); err != nil { // the beginning stands, though the first reading should fail
			return err
		}
	}
	var oldest time.Time
	if w.Back > 0 {
		oldest = now.Add(-w.Back)
	}
	if m.To.Before(oldest) {
		r.Gap(m.To, oldest, "older than the vendor keeps")
	}
	from = later(from, oldest)
	if from = later(from, m.At); m.At.IsZero() || !from.Before(m.End) {
		m.At, m.End = time.Time{}, end
	}
	saved, whole, committed, behind := m.To, m.At.IsZero(), time.Now(), false
	err := w.pieces(ctx, r, from, m.End, func(to time.Time) any {
		last := to.Equal(m.End)
		if last && whole && r.quiet() && to.Sub(saved) < idleSave { // nothing happened: a save can wait
			return nil
		}
		m.To, m.At, whole = later(m.To, to), to, false
		if last {
			m.At = time.Time{}
		} else if behind = r.quiet() && time.Since(committed) < emptySave; behind {
			return nil
		}
		committed, behind = time.Now(), false
		return m
	})
	if err != nil {
		if behind {
			err = errors.Join(err, r.Commit(m))
		}
		return err
	}
	return w.sweep(ctx, r, m, now, end, oldest)
}

// sweep reads again, once a day, what Sweep goes back. m is the mark so far.
func (w Window) sweep(ctx context.Context, r *Run, m windowMark, now, end, oldest time.Time) error {
	if w.Sweep <= 0 {
		return nil
	}
	if m.Sweep = later(m.Sweep, oldest); !m.Sweep.Before(m.Until) { // none is under way, or it is overtaken
		if now.Sub(m.Swept) < sweepEvery {
			return nil
		}
		m.Sweep, m.Until = later(now.Add(-w.Sweep), oldest), end
	}
	return w.pieces(ctx, r, m.Sweep, m.Until, func(to time.Time) any {
		if m.Sweep = to; !to.Before(m.Until) {
			m.Sweep, m.Until, m.Swept = time.Time{}, time.Time{}, now
		}
		return m
	})
}

// pieces reads from..end oldest first and commits the mark of each piece.
func (w Window) pieces(ctx context.Context, r *Run, from, end time.Time, mark func(to time.Time) any) error {
	longest := w.Max
	if longest <= 0 {
		longest = time.Hour
	}
	longest = max(longest>>min(r.p.slow, 30), time.Second)
	var todo []time.Time // ends of the pieces ahead, nearest last
	for from.Before(end) {
		if len(todo) == 0 {
			todo = append(todo, minTime(from.Add(longest), end))
		}
		to := todo[len(todo)-1]
		err := w.Read(ctx, r, from, to)
		if Is(err, TooMuch) {
			clear(r.twins) // the halves are counted anew
			half := from.Add(to.Sub(from) / 2).Truncate(time.Second)
			if !half.After(from) {
				half = from.Truncate(time.Second).Add(time.Second)
			}
			if half.Before(to) {
				todo = append(todo, half)
				continue
			}
			r.Gap(from, to, "the vendor holds more in this second than it gives")
			err = nil
		}
		if err != nil {
			return err
		}
		if err := r.Commit(mark(to)); err != nil {
			return err
		}
		from, todo = to, slices.Delete(todo, len(todo)-1, len(todo))
	}
	return nil
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
