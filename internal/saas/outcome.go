package saas

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

var outcomeNames = [...]string{
	"unavailable", "throttled", "unauthorized", "denied", "expired", "missing", "already", "pending", "too much", "invalid",
}

// String is the outcome in words.
func (o Outcome) String() string {
	if o < 0 || int(o) >= len(outcomeNames) {
		return "outcome " + strconv.Itoa(int(o))
	}
	return outcomeNames[o]
}

var kindNames = [...]string{"sign-in", "audit", "accounts", "grants", "files", "content"}

// String is the kind in words.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "kind " + strconv.Itoa(int(k))
	}
	return kindNames[k]
}

// Error says what was asked, what came and in whose words.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Req != "" {
		b.WriteString(e.Req)
		b.WriteString(": ")
	}
	b.WriteString(e.Outcome.String())
	if e.Status != 0 {
		fmt.Fprintf(&b, ": http %d", e.Status)
	}
	if e.Code != "" {
		b.WriteString(" " + e.Code)
	}
	if e.Msg != "" {
		b.WriteString(" (" + e.Msg + ")")
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// HTTPStatus is the status of the answer that refused a request, 0 where err is no such failure.
func HTTPStatus(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// ByStatus is what a bad status of HTTP means where nothing says more.
func ByStatus(status int) Outcome {
	o, _ := byStatus(status)
	return o
}

// Code is the vendor's code in err, or "".
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Is reports whether err has the outcome o.
func Is(err error, o Outcome) bool {
	var e *Error
	return errors.As(err, &e) && e.Outcome == o
}

// asError makes any failure of a request an *Error.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Outcome: Unavailable, Err: err}
}

// byStatus is what a status means where the provider does not say.
func byStatus(status int) (Outcome, bool) {
	switch {
	case status >= 200 && status < 300:
		return 0, false
	case status == http.StatusUnauthorized:
		return Unauthorized, true
	case status == http.StatusForbidden:
		return Denied, true
	case status == http.StatusNotFound:
		return Missing, true
	case status == http.StatusGone:
		return Expired, true
	case status == http.StatusTooManyRequests:
		return Throttled, true
	case status == http.StatusRequestTimeout, status >= 500:
		return Unavailable, true
	}
	return Invalid, true
}

// quota is what a reply's headers say of the budget it drew on.
type quota struct {
	limit, remaining int
	reset            time.Time
	known            bool // limit or remaining were there
}

// readQuota understands the header families in use: X-Rate-Limit-*, X-RateLimit-*, RateLimit-* and Retry-After.
// A limit of 0 says nothing about a window (some vendors send it when too many requests are in flight).
func readQuota(h http.Header, now time.Time) quota {
	q := quota{remaining: -1}
	for _, family := range [...]string{"X-Rate-Limit-", "X-Ratelimit-", "Ratelimit-"} {
		limit, ok := headInt(h, family+"Limit")
		if ok && limit <= 0 {
			continue
		}
		if !ok && h.Get(family+"Reset") == "" {
			continue
		}
		q.known, q.limit = ok, limit
		if left, ok := headInt(h, family+"Remaining"); ok {
			q.remaining = left
		}
		q.reset = readWhen(h.Get(family+"Reset"), now)
		break
	}
	return q
}

func headInt(h http.Header, name string) (int, bool) {
	s, _, _ := strings.Cut(h.Get(name), ",")
	n, err := strconv.Atoi(strings.TrimSpace(s))
	return n, err == nil
}

// readWhen reads a moment in every form vendors use: seconds from now, epoch seconds or milliseconds, an HTTP date or
// RFC 3339. A moment in the past, or none, is the zero time.
func readWhen(s string, now time.Time) time.Time {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}
	}
	var at time.Time
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		switch {
		case n >= 1e11:
			at = time.UnixMilli(int64(n))
		case n >= 1e8: // as seconds from now that were years
			at = time.Unix(int64(n), 0)
		case n >= 0:
			at = now.Add(time.Duration(n * float64(time.Second)))
		}
	} else if t, err := http.ParseTime(s); err == nil {
		at = t
	} else if t, err := time.Parse(time.RFC3339, s); err == nil {
		at = t
	}
	if at.Before(now) || at.After(now.Add(24*time.Hour)) {
		return time.Time{}
	}
	return at
}

// sleep waits until the moment or the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Challenge is the error of a WWW-Authenticate header (RFC 6750, RFC 9449): insufficient_scope, invalid_token, use_dpop_nonce.
func Challenge(h http.Header) string {
	_, s, _ := strings.Cut(h.Get("WWW-Authenticate"), `error="`)
	s, _, _ = strings.Cut(s, `"`)
	return s
}
