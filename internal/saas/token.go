package saas

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	maxTokens     = 1024             // cached per instance: impersonated users, audiences, accounts
	tokenLife     = 30 * time.Minute // of a token that does not say
	renewBefore   = time.Minute      // before a token expires
	mintRetryWait = 30 * time.Second // after a credential was refused, before it is tried again
	skewNoticed   = 20 * time.Second // a clock that is further off spoils what is signed
)

// Format keeps a token that is printed secret.
func (Token) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[token]")) }

// tokens caches what Auth.Mint got, one call per key at a time.
type tokens struct {
	auth Auth
	conn *Conn // for Mint: no credentials of its own
	now  func() time.Time

	mu   sync.Mutex
	held map[string]*heldToken
}

type heldToken struct {
	turn     chan struct{} // one mint at a time; a channel, so that a deadline ends the wait
	token    Token
	ok       bool
	err      error
	retry    time.Time
	lastUsed time.Time
	serial   int
}

func (ts *tokens) key(q Req) string {
	if ts.auth.Key == nil {
		return ""
	}
	return ts.auth.Key(q)
}

// get gives the token of a key, minted when needed, and its serial number for drop.
func (ts *tokens) get(ctx context.Context, key string) (Token, int, error) {
	h := ts.hold(key)
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done():
		return Token{}, 0, &Error{Outcome: Unavailable, Err: fmt.Errorf("wait for a token: %w", ctx.Err())}
	}
	defer func() { <-h.turn }()
	now := ts.now()
	if h.ok && now.Before(h.token.Expires.Add(-renewBefore)) {
		return h.token, h.serial, nil
	}
	if h.err != nil && now.Before(h.retry) {
		return Token{}, 0, h.err
	}
	h.ok, h.err = false, nil
	before := ts.skew()
	t, err := ts.auth.Mint(ctx, ts.conn, key)
	if err != nil && ctx.Err() == nil && (ts.skew()-before).Abs() > skewNoticed {
		t, err = ts.auth.Mint(ctx, ts.conn, key) // what was signed bore the wrong time; the refusal told the right one
	}
	if err != nil {
		if ctx.Err() == nil && (Is(err, Unauthorized) || Is(err, Denied) || Is(err, Invalid)) {
			e := *asError(err)
			if e.Outcome != Denied || ts.auth.Key == nil { // of several tokens one may be for what was not granted
				e.Outcome = Unauthorized
			}
			h.err, h.retry, err = &e, now.Add(mintRetryWait), &e
		}
		return Token{}, 0, err
	}
	if t.Expires.IsZero() {
		t.Expires = now.Add(tokenLife)
	}
	if life := t.Expires.Sub(now); life <= 2*renewBefore { // short-lived: use most of what there is
		t.Expires = t.Expires.Add(renewBefore - life/4)
	}
	h.token, h.ok = t, true
	h.serial++
	return t, h.serial, nil
}

// skew is how far the vendor's clock is known to be ahead of ours.
func (ts *tokens) skew() time.Duration { return time.Until(ts.now()) }

func (ts *tokens) hold(key string) *heldToken {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	h := ts.held[key]
	if h == nil {
		if len(ts.held) >= maxTokens {
			oldest := ""
			for k, o := range ts.held {
				if oldest == "" || o.lastUsed.Before(ts.held[oldest].lastUsed) {
					oldest = k
				}
			}
			delete(ts.held, oldest)
		}
		h = &heldToken{turn: make(chan struct{}, 1)}
		ts.held[key] = h
	}
	h.lastUsed = ts.now()
	return h
}

// drop forgets a token that was refused, unless a newer one is there already.
func (ts *tokens) drop(ctx context.Context, key string, serial int) {
	h := ts.hold(key)
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-h.turn }()
	if h.serial == serial {
		h.ok = false
	}
}
