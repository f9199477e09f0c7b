package store

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
)

// span is a time as it was written: 2026-11-24 is a day, 2026-11-24T10:00Z a minute. to is after its end.
type span struct{ from, to int64 }

// forms are the ways to write a time, and what each stands for.
var forms = []struct {
	layout string
	length func(time.Time) time.Time
}{
	{"2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
	{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
	{"2006-01-02T15:04", func(t time.Time) time.Time { return t.Add(time.Minute) }},
	{"2006-01-02T15:04:05", func(t time.Time) time.Time { return t.Add(time.Second) }},
}

// units are those of a distance from now.
var units = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// moment reads a time: one of the forms, RFC 3339, now, or now-15m. Without an offset it is UTC.
func moment(s string, now time.Time) (span, bool) {
	if rest, ok := cutNow(s); ok {
		return distance(rest, now)
	}
	plain := strings.TrimSuffix(strings.ReplaceAll(s, " ", "T"), "Z")
	for _, f := range forms {
		if t, err := time.Parse(f.layout, plain); err == nil {
			return spanOf(t, f.length(t))
		}
	}
	t, err := time.Parse(time.RFC3339Nano, strings.ReplaceAll(s, " ", "T"))
	if err != nil {
		var ok bool
		if t, ok = event.ParseTime(s); !ok {
			return span{}, false
		}
	}
	length := time.Nanosecond
	if t.Nanosecond() == 0 {
		length = time.Second
	} else if t.Nanosecond()%1e6 == 0 {
		length = time.Millisecond
	}
	return spanOf(t, t.Add(length))
}

func cutNow(s string) (string, bool) {
	if len(s) < 3 || !strings.EqualFold(s[:3], "now") {
		return "", false
	}
	return s[3:], true
}

// distance reads what stands after now: nothing, or -15m.
func distance(s string, now time.Time) (span, bool) {
	if s != "" {
		if len(s) < 3 || s[0] != '-' {
			return span{}, false
		}
		n, err := strconv.ParseInt(s[1:len(s)-1], 10, 32)
		unit := units[s[len(s)-1]]
		if err != nil || n < 0 || unit == 0 || n > math.MaxInt64/int64(unit) {
			return span{}, false
		}
		now = now.Add(-time.Duration(n) * unit)
	}
	return spanOf(now, now.Add(time.Nanosecond))
}

// spanOf is in nanoseconds since 1970; times that do not fit are none.
func spanOf(from, to time.Time) (span, bool) {
	if from.Year() < 1678 || to.Year() > 2261 {
		return span{}, false
	}
	return span{from.UnixNano(), to.UnixNano()}, true
}

// reach is the time from first to before last that a comparison leaves.
func reach(compare string, v, upper span) (from, to int64) {
	switch compare {
	case ">=":
		return v.from, math.MaxInt64
	case ">":
		return v.to, math.MaxInt64
	case "<=":
		return math.MinInt64, v.to
	case "<":
		return math.MinInt64, v.from
	case "[]":
		return v.from, upper.to
	}
	return v.from, v.to
}
