package sim

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clock is a clock that tests set.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func numbered() FeedSpec {
	key := func(i int) string { return fmt.Sprint("e", i) }
	return FeedSpec{Events: 1000, MaxLag: time.Hour, Key: key, ReplayKey: func(raw []byte) string { return string(raw) },
		Make: func(b []byte, i int, _ time.Time) []byte { return append(b, key(i)...) }}
}

func newFeed(t *testing.T, o Options, spec FeedSpec) *Feed {
	t.Helper()
	f, err := NewFeed(o, spec)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func published(f *Feed) []string {
	var keys []string
	f.Published(func(k string) bool { keys = append(keys, k); return true })
	slices.Sort(keys)
	return keys
}

func TestEveryEventComesOnceWhileTheClockGoesOn(t *testing.T) {
	for seed := range int64(12) {
		c := &clock{noon}
		lag := []time.Duration{time.Hour, time.Minute, 23 * time.Hour, time.Second}[seed%4]
		f := newFeed(t, Options{Seed: seed, Late: 0.3, MaxLag: lag, Now: c.now, Start: noon, Events: 500 + int(seed)*37}, numbered())
		var got []string
		extra := 0
		at := f.After(noon.Add(-time.Nanosecond))
		for c.t.Before(noon.Add(50 * time.Hour)) {
			if Hash(seed, uint64(c.t.Unix()))%5 == 0 {
				extra++
				f.Append(fmt.Sprint("x", extra), c.t, []byte(fmt.Sprint("x", extra)))
			}
			for n := -1; n != len(got); {
				n = len(got)
				at = f.Read(at, 1+int(Hash(seed, uint64(n))%9), func(raw []byte) { got = append(got, string(raw)) })
			}
			if want := published(f); len(want) != len(got) {
				t.Fatalf("seed %d, %v after the start: %d events read, %d published", seed, c.t.Sub(noon), len(got), len(want))
			}
			c.t = c.t.Add(37 * time.Minute)
		}
		order := slices.Clone(got)
		slices.Sort(got)
		if want := published(f); !slices.Equal(got, want) || len(want) != f.Len()+extra {
			t.Fatalf("seed %d: %d read, %d published, %d made", seed, len(got), len(want), f.Len()+extra)
		}
		slices.SortStableFunc(order, func(a, b string) int { return strings.Compare(a[:1], b[:1]) })
		last, moved := -1, 0
		for _, k := range order {
			var i int
			if n, _ := fmt.Sscanf(k, "e%d", &i); n == 1 {
				if i < last {
					moved++
				}
				last = i
			}
		}
		if lag > time.Minute && moved == 0 {
			t.Errorf("seed %d: nothing came out of order", seed)
		}
	}
}

func TestLateEventsKeepTheirLagAndShare(t *testing.T) {
	f := newFeed(t, Options{Seed: 5, Late: 0.2, MaxLag: time.Hour, Events: 20000, Start: noon}, numbered())
	late := 0
	for i := range f.Len() {
		lag := f.Persisted(i).Sub(f.At(i))
		if lag < 0 || lag > time.Hour {
			t.Fatalf("event %d: lag %v", i, lag)
		}
		if lag > time.Minute {
			late++
		}
	}
	if late < 3500 || late > 4500 {
		t.Errorf("%d of 20000 are late, want about a fifth", late)
	}
}

func TestSomeEventsShareTheirTimeAndNoneGoesBack(t *testing.T) {
	f := newFeed(t, Options{Seed: 5, Start: noon}, numbered())
	same := 0
	for i := 1; i < f.Len(); i++ {
		if f.At(i).Before(f.At(i - 1)) {
			t.Fatalf("event %d is before event %d", i, i-1)
		}
		if f.At(i).Equal(f.At(i - 1)) {
			same++
		}
	}
	if same == 0 {
		t.Error("no two events have the same time")
	}
}

func TestSinceIsExclusiveAndByPersistence(t *testing.T) {
	c := &clock{noon.Add(48 * time.Hour)}
	f := newFeed(t, Options{Seed: 2, Late: 0.2, Now: c.now, Start: noon}, numbered())
	since := f.At(500)
	want := map[string]bool{}
	for i := range f.Len() {
		if f.Persisted(i).After(since) {
			want[f.Key(i)] = true
		}
	}
	f.Read(f.After(since), 10000, func(raw []byte) {
		if !want[string(raw)] {
			t.Fatalf("%s persisted at %v or before", raw, since)
		}
		delete(want, string(raw))
	})
	if len(want) != 0 {
		t.Errorf("%d events are missing", len(want))
	}
}

func TestBoundsAreOrderedFiniteAndWithoutWhatIsNotThereYet(t *testing.T) {
	for _, newest := range []bool{false, true} {
		c := &clock{noon.Add(12 * time.Hour)}
		f := newFeed(t, Options{Seed: 4, Late: 0.2, Now: c.now, Start: noon}, numbered())
		f.Append("x", c.t, []byte("x"))
		b := Bounds{From: noon.Add(2 * time.Hour), To: noon.Add(13 * time.Hour), Newest: newest}
		var got []string
		at, more := f.Begin(b), true
		for more {
			at, more = f.ReadIn(b, at, 7, func(raw []byte) { got = append(got, string(raw)) })
		}
		var want []string
		absent := 0
		for i := range f.Len() {
			switch in := !f.At(i).Before(b.From) && f.At(i).Before(b.To); {
			case in && !f.Persisted(i).After(c.t):
				want = append(want, f.Key(i))
			case in && !f.At(i).After(c.t):
				absent++
			}
		}
		want = append(want, "x")
		if newest {
			slices.Reverse(want)
		}
		if !slices.Equal(got, want) || absent == 0 {
			t.Errorf("newest %t: %d events, want %d; %d have not persisted", newest, len(got), len(want), absent)
		}
		if n := f.Count(b); n != len(want) {
			t.Errorf("count %d, want %d", n, len(want))
		}
	}
}

func TestWhatIsOlderThanTheRetentionIsGone(t *testing.T) {
	c := &clock{noon.Add(10 * 24 * time.Hour)}
	spec := numbered()
	spec.Retention = 240*time.Hour - 12*time.Hour
	f := newFeed(t, Options{Now: c.now, Start: noon}, spec)
	n := 0
	f.Read(f.After(noon), 10000, func([]byte) { n++ })
	if want := len(published(f)); n < 400 || n > 600 || n < want-1 || n > want+1 {
		t.Errorf("%d events read, %d published, want about half of 1000", n, want)
	}
}

func TestNewestPagesShiftWhileTheyAreRead(t *testing.T) {
	c := &clock{noon.Add(48 * time.Hour)}
	f := newFeed(t, Options{Now: c.now, Start: noon}, numbered())
	page := func(offset int) (keys []string, more bool) {
		more = f.Newest(offset, 3, func(raw []byte) { keys = append(keys, string(raw)) })
		return keys, more
	}
	if got, more := page(0); !slices.Equal(got, []string{"e999", "e998", "e997"}) || !more {
		t.Fatal(got, more)
	}
	f.Append("x", c.t, []byte("x"))
	if got, _ := page(3); got[0] != "e997" {
		t.Errorf("the second page begins with %s, want e997 again", got[0])
	}
	if _, more := page(999); more {
		t.Error("there is more behind the oldest event")
	}
}

func TestCursorsSurviveBeingWritten(t *testing.T) {
	c := Cursor{123456789, 7, 42}
	if got, err := ParseCursor(c.String()); err != nil || got != c {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "1.2", "1.2.3.4", "a.b.c", "-1.0.0", "1..2"} {
		if _, err := ParseCursor(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestCursorsAreNumbersThatFloatsCannotHold(t *testing.T) {
	f := func(c Cursor) {
		t.Helper()
		n := c.Number()
		if got, err := ParseNumber(strconv.FormatInt(n, 10)); err != nil || got != c || n < 1<<53 {
			t.Errorf("%+v is %d, which is %+v: %v", c, n, got, err)
		}
	}
	f(Cursor{})
	f(Cursor{Slot: 1, Rank: 2, Extra: 3})
	f(Cursor{Slot: 1<<28 - 1, Rank: lags + 1, Extra: 1<<27 - 1})
	at := Cursor{Slot: 12_345_678, Rank: 1, Extra: 7}
	if near, _ := ParseNumber(strconv.FormatInt(int64(float64(at.Number())), 10)); near == at {
		t.Error("a float holds the number: a client that loses digits would not be found out")
	}
	for _, bad := range []string{"", "0", "12", "-5", "1e18", "1.0", "2305843009213693952", strconv.FormatUint(1<<63, 10)} {
		if c, err := ParseNumber(bad); err == nil {
			t.Errorf("%q is %+v", bad, c)
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	for _, s := range []string{"0.0.0", "12.3.4", "999999999.16.0", "1.99999999.5", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCursor(s)
		if err != nil {
			return
		}
		feed := newFeed(t, Options{Late: 0.5, Start: noon, Now: (&clock{noon.Add(30 * time.Hour)}).now}, numbered())
		if feed.Read(c, 3, func([]byte) {}); c.Slot > 0 {
			feed.ReadIn(Bounds{To: noon.Add(20 * time.Hour), Newest: c.Slot%2 == 0}, c, 3, func([]byte) {})
		}
	})
}

func TestTenMillionEventsNeedNoMemory(t *testing.T) {
	c := &clock{noon.Add(48 * time.Hour)}
	f := newFeed(t, Options{Seed: 1, Events: 10_000_000, Late: 0.1, Now: c.now, Start: noon}, numbered())
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n := 0
	for _, hours := range []time.Duration{0, 5, 11, 17, 23} {
		f.Read(f.After(noon.Add(hours*time.Hour)), 5000, func([]byte) { n++ })
		b := Bounds{From: noon.Add(hours * time.Hour), To: noon.Add(30 * time.Hour)}
		f.ReadIn(b, f.Begin(b), 1000, func([]byte) { n++ })
	}
	runtime.ReadMemStats(&after)
	if n != 30_000 {
		t.Errorf("%d events read, want 30000", n)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

func TestReplayedEventsKeepTheirOrderAndBytes(t *testing.T) {
	in := `{"id": "a",  "n":1}

{"dataset":"d","raw":{"id":"b"}}
  {"id":"c"}  `
	c := &clock{noon.Add(48 * time.Hour)}
	f := newFeed(t, Options{Replay: strings.NewReader(in), Late: 0.9, Now: c.now, Start: noon}, numbered())
	var got []string
	f.Read(f.After(noon.Add(-time.Hour)), 10, func(raw []byte) { got = append(got, string(raw)) })
	want := []string{`{"id": "a",  "n":1}`, `{"id":"b"}`, `{"id":"c"}`}
	if !slices.Equal(got, want) || len(published(f)) != 3 {
		t.Errorf("%q", got)
	}
	for _, bad := range []string{"[1]", "{", "null", `"text"`, "{} x"} {
		if _, err := NewFeed(Options{Replay: strings.NewReader(bad)}, numbered()); err == nil {
			t.Errorf("%s was taken for an event", bad)
		}
	}
}

func TestShareOfLateEventsIsChecked(t *testing.T) {
	for _, late := range []float64{-0.1, 1.1} {
		if _, err := NewFeed(Options{Late: late}, numbered()); err == nil {
			t.Errorf("late %v was accepted", late)
		}
	}
}

func BenchmarkFeedRead(b *testing.B) {
	c := &clock{noon.Add(48 * time.Hour)}
	f, err := NewFeed(Options{Seed: 1, Events: 10_000_000, Late: 0.05, Now: c.now, Start: noon}, numbered())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	at := f.After(noon)
	for b.Loop() {
		at = f.Read(at, 1, func([]byte) {})
	}
}

func TestSlotsHoldEveryEventWhereItPersists(t *testing.T) {
	f := newFeed(t, Options{Seed: 3, Events: 2000, Late: 0.3, MaxLag: time.Hour, Now: (&clock{noon.Add(72 * time.Hour)}).now, Start: noon,
		Span: 24 * time.Hour}, numbered())
	var order []string
	for j := range f.Slots() {
		f.Slot(j, func(i int) {
			if !f.Persisted(i).Equal(f.At(j)) {
				t.Errorf("event %d persists at %v and is in the slot of %v", i, f.Persisted(i), f.At(j))
			}
			order = append(order, string(f.Make(nil, i)))
		})
	}
	n := 0
	f.Read(Cursor{}, 3000, func(raw []byte) {
		if n >= len(order) || order[n] != string(raw) {
			t.Fatalf("event %d in slots is not what Read gives", n)
		}
		n++
	})
	if n != 2000 {
		t.Errorf("%d events, want 2000", n)
	}
}
