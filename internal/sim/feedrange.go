package sim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"time"
)

// maxReplay bounds the bytes of replayed events.
const maxReplay = 1 << 30

// Bounds is the part of a feed published in [From, To), read in the order of publication: oldest first, or newest first.
// What has not persisted yet is absent.
type Bounds struct {
	From, To time.Time
	Newest   bool
}

// Begin is the place where reading the bounds begins.
func (f *Feed) Begin(b Bounds) Cursor {
	extra, gone := f.appended()
	t := b.From
	if b.Newest {
		t = b.To
	}
	return Cursor{
		Slot:  sort.Search(f.n, func(i int) bool { return !f.At(i).Before(t) }),
		Extra: gone + sort.Search(len(extra), func(i int) bool { return !extra[i].at.Before(t) }),
	}
}

// ReadIn calls each for at most limit events from c on and returns the place behind them; more = there may be others.
func (f *Feed) ReadIn(b Bounds, c Cursor, limit int, each func(raw []byte)) (_ Cursor, more bool) {
	now := f.now()
	if oldest := f.oldest(now); b.From.Before(oldest) {
		b.From = oldest
	}
	extra, gone := f.appended()
	var buf []byte
	for ; limit > 0; limit-- {
		i, isEvent := f.visible(b, &c, now)
		e, isExtra := nextExtra(b, extra, c.Extra-gone)
		switch {
		case !isEvent && !isExtra:
			return c, false
		case isExtra && (!isEvent || b.Newest != e.at.Before(f.At(i))):
			each(e.raw)
			c.Extra = b.step(c.Extra)
		default:
			buf = f.Make(buf[:0], i)
			each(buf)
			c.Slot = b.step(c.Slot)
		}
	}
	_, isEvent := f.visible(b, &c, now)
	_, isExtra := nextExtra(b, extra, c.Extra-gone)
	return c, isEvent || isExtra
}

// step goes one on. Newest first, a place names the event before which reading goes on.
func (b Bounds) step(i int) int {
	if b.Newest {
		return i - 1
	}
	return i + 1
}

func (b Bounds) index(at int) int {
	if b.Newest {
		return at - 1
	}
	return at
}

func (b Bounds) hold(t time.Time) bool { return !t.Before(b.From) && t.Before(b.To) }

// visible moves the cursor to the next event that can be read.
func (f *Feed) visible(b Bounds, c *Cursor, now time.Time) (int, bool) {
	for {
		i := b.index(c.Slot)
		if i < 0 || i >= f.n || !b.hold(f.At(i)) {
			return 0, false
		}
		if !f.Persisted(i).After(now) {
			return i, true
		}
		if !b.Newest && f.At(i).After(now) {
			return 0, false
		}
		c.Slot = b.step(c.Slot)
	}
}

func nextExtra(b Bounds, extra []appended, at int) (appended, bool) {
	i := b.index(at)
	if i < 0 || i >= len(extra) || !b.hold(extra[i].at) {
		return appended{}, false
	}
	return extra[i], true
}

// Count is how many events of the bounds can be read now.
func (f *Feed) Count(b Bounds) int {
	now, n := f.now(), 0
	b.Newest = false
	for c := f.Begin(b); ; n++ {
		if _, ok := f.visible(b, &c, now); !ok {
			break
		}
		c.Slot++
	}
	extra, _ := f.appended()
	for _, e := range extra {
		if b.hold(e.at) {
			n++
		}
	}
	return n
}

// readReplay reads events, one JSON object a line, or {"raw": object} with other members beside.
func readReplay(r io.Reader) ([][]byte, error) {
	s := bufio.NewScanner(io.LimitReader(r, maxReplay+1))
	s.Buffer(nil, 64<<20)
	out, size := [][]byte{}, 0
	for line := 1; s.Scan(); line++ {
		raw := bytes.TrimSpace(s.Bytes())
		if len(raw) == 0 {
			continue
		}
		if size += len(raw); size > maxReplay {
			return nil, fmt.Errorf("read events to replay: more than %d bytes", maxReplay)
		}
		var o map[string]json.RawMessage
		if err := json.Unmarshal(raw, &o); err != nil || o == nil {
			return nil, fmt.Errorf("read events to replay: line %d: want a JSON object: %w", line, err)
		}
		if in := bytes.TrimSpace(o["raw"]); len(in) > 0 && in[0] == '{' {
			raw = in
		}
		out = append(out, bytes.Clone(raw))
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("read events to replay: %w", err)
	}
	return out, nil
}
