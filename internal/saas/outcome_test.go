package saas

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestMomentsAreReadInEveryForm(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f := func(in string, want time.Duration) {
		t.Helper()
		got := readWhen(in, now)
		if want == 0 && !got.IsZero() || want != 0 && !got.Equal(now.Add(want)) {
			t.Errorf("%q is %v, want in %v", in, got, want)
		}
	}
	f("30", 30*time.Second)
	f(" 1.5 ", 1500*time.Millisecond)
	f(fmt.Sprint(now.Unix()+7), 7*time.Second)
	f(fmt.Sprint(now.UnixMilli()+1250), 1250*time.Millisecond)
	f("Sun, 01 Mar 2026 12:00:09 GMT", 9*time.Second)
	f("Sunday, 01-Mar-26 12:00:09 GMT", 9*time.Second)
	f("2026-03-01T13:00:11+01:00", 11*time.Second)
	f("", 0)
	f("soon", 0)
	f("-5", 0)
	f(fmt.Sprint(now.Unix()-7), 0)            // past
	f("Sun, 01 Mar 2026 11:00:00 GMT", 0)     // past
	f("Sun, 01 Mar 2099 11:00:00 GMT", 0)     // no window is that long
	f("1e300", 0)                             // nonsense
	f("NaN", 0)                               // nonsense
	f("Inf", 0)                               // nonsense
	f(fmt.Sprint(int64(1)<<62), 0)            // nonsense
	f("999999999999999999999999999999999", 0) // nonsense
	if at := readWhen("0", now); !at.Equal(now) {
		t.Errorf("0 seconds from now is %v", at)
	}
}

func FuzzMomentsAreNearOrNone(f *testing.F) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, s := range []string{"30", "1772366400", "1772366400123", "Sun, 01 Mar 2026 12:00:09 GMT", "2026-03-01T13:00:11+01:00", "-1",
		"1e99", "NaN", "0x1p10"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if at := readWhen(s, now); !at.IsZero() && (at.Before(now) || at.After(now.Add(24*time.Hour))) {
			t.Errorf("%q is %v", s, at)
		}
	})
}

func TestQuotasAreReadFromEveryFamily(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f := func(want quota, kv ...string) {
		t.Helper()
		h := http.Header{}
		for i := 0; i < len(kv); i += 2 {
			h.Set(kv[i], kv[i+1])
		}
		got := readQuota(h, now)
		if got.reset.Equal(want.reset) {
			got.reset = want.reset
		}
		if got != want {
			t.Errorf("%v: got %+v, want %+v", h, got, want)
		}
	}
	in10 := now.Add(10 * time.Second)
	f(quota{600, 599, in10, true}, "X-Rate-Limit-Limit", "600", "X-Rate-Limit-Remaining", "599", "X-Rate-Limit-Reset", fmt.Sprint(in10.Unix()))
	f(quota{5000, 0, in10, true}, "X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", fmt.Sprint(in10.UnixMilli()))
	f(quota{100, 7, in10, true}, "RateLimit-Limit", "100, 100;w=60", "RateLimit-Remaining", "7", "RateLimit-Reset", "10")
	f(quota{100, -1, time.Time{}, true}, "RateLimit-Limit", "100") // what is left, and until when, is not said
	f(quota{0, -1, time.Time{}, false}, "X-Rate-Limit-Limit", "0", "X-Rate-Limit-Remaining", "0", "X-Rate-Limit-Reset", "10")
	f(quota{0, -1, time.Time{}, false}, "X-Rate-Limit-Limit", "many")
	f(quota{0, -1, time.Time{}, false})
	f(quota{600, 3, time.Time{}, true}, "X-Rate-Limit-Limit", "600", "X-Rate-Limit-Remaining", "3", "X-Rate-Limit-Reset",
		fmt.Sprint(now.Unix()-9))
}

func TestStatusesMeanOutcomes(t *testing.T) {
	f := func(status int, want Outcome, bad bool) {
		t.Helper()
		if got, isBad := byStatus(status); got != want || isBad != bad {
			t.Errorf("%d is %v, %v", status, got, isBad)
		}
	}
	f(200, 0, false)
	f(204, 0, false)
	f(400, Invalid, true)
	f(401, Unauthorized, true)
	f(403, Denied, true)
	f(404, Missing, true)
	f(408, Unavailable, true)
	f(410, Expired, true)
	f(429, Throttled, true)
	f(500, Unavailable, true)
	f(503, Unavailable, true)
	f(302, Invalid, true)
}

func TestErrorsSayWhatWasAskedAndWhatCame(t *testing.T) {
	cause := errors.New("broken pipe")
	e := &Error{Outcome: Denied, Code: "E0000006", Msg: "no access", Status: 403, Req: "GET /api/v1/logs", Err: cause}
	if got := e.Error(); got != "GET /api/v1/logs: denied: http 403 E0000006 (no access): broken pipe" {
		t.Errorf("got %q", got)
	}
	wrapped := fmt.Errorf("list users: %w", e)
	if !Is(wrapped, Denied) || Is(wrapped, Missing) || Code(wrapped) != "E0000006" || !errors.Is(wrapped, cause) || Code(cause) != "" {
		t.Error("the outcome, the code or the cause is lost in wrapping")
	}
	if asError(cause).Outcome != Unavailable {
		t.Error("an error that is not of a request means try again")
	}
	if Outcome(99).String() != "outcome 99" || Kind(-1).String() != "kind -1" {
		t.Error("unknown outcomes and kinds have names")
	}
}
