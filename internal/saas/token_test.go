package saas

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func newTokens(mint func(ctx context.Context, c *Conn, key string) (Token, error)) *tokens {
	return &tokens{auth: Auth{Mint: mint}, now: time.Now, held: map[string]*heldToken{}}
}

func TestTokensAreMintedOneAtATimeAndKept(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var under, most, mints atomic.Int64
		ts := newTokens(func(context.Context, *Conn, string) (Token, error) {
			most.Store(max(most.Load(), under.Add(1)))
			time.Sleep(time.Second)
			under.Add(-1)
			return Token{Value: fmt.Sprint(mints.Add(1)), Expires: time.Now().Add(time.Hour)}, nil
		})
		for range 20 {
			go func() { _, _, _ = ts.get(t.Context(), "k") }()
		}
		time.Sleep(time.Minute)
		if mints.Load() != 1 || most.Load() != 1 {
			t.Errorf("%d mints, %d at a time", mints.Load(), most.Load())
		}
		time.Sleep(57 * time.Minute)
		if tok, _, _ := ts.get(t.Context(), "k"); tok.Value != "1" {
			t.Errorf("token %s before its time", tok.Value)
		}
		time.Sleep(2 * time.Minute) // a minute before it expires
		tok, serial, _ := ts.get(t.Context(), "k")
		if mints.Load() != 2 {
			t.Errorf("token %d of the time after", mints.Load())
		}
		ts.drop(t.Context(), "k", serial-1) // somebody late: a newer one is there
		if again, _, _ := ts.get(t.Context(), "k"); again.Value != tok.Value {
			t.Error("a newer token was dropped for an older one")
		}
		ts.drop(t.Context(), "k", serial)
		if again, _, _ := ts.get(t.Context(), "k"); again.Value == tok.Value {
			t.Error("a refused token is used again")
		}
	})
}

func TestShortLivedTokensAreUsedMostOfTheirLife(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var mints int
		life := 60 * time.Second
		ts := newTokens(func(context.Context, *Conn, string) (Token, error) {
			mints++
			return Token{Expires: time.Now().Add(life)}, nil
		})
		for range 60 {
			_, _, _ = ts.get(t.Context(), "")
			time.Sleep(time.Second)
		}
		if mints < 1 || mints > 2 {
			t.Errorf("%d mints in a minute for tokens of a minute", mints)
		}
		life, mints = -time.Hour, 0 // it is over already, as by a clock that is off
		for range 3 {
			if _, _, err := ts.get(t.Context(), "past"); err != nil {
				t.Error(err)
			}
		}
		if mints != 3 {
			t.Errorf("%d mints for tokens that are over", mints)
		}
	})
}

func TestTokensWithoutAnEndAreRenewed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		mints := 0
		ts := newTokens(func(context.Context, *Conn, string) (Token, error) { mints++; return Token{}, nil })
		for range 60 {
			_, _, _ = ts.get(t.Context(), "")
			time.Sleep(time.Minute)
		}
		if mints != 3 {
			t.Errorf("%d mints in an hour, want one every 29 minutes", mints)
		}
	})
}

func TestARefusedCredentialIsNotTriedAtOnceAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		mints := 0
		var fail error = &Error{Outcome: Invalid, Code: "invalid_client"}
		ts := newTokens(func(context.Context, *Conn, string) (Token, error) { mints++; return Token{}, fail })
		for range 29 {
			if _, _, err := ts.get(t.Context(), ""); !Is(err, Unauthorized) || Code(err) != "invalid_client" {
				t.Fatalf("got %v", err)
			}
			time.Sleep(time.Second)
		}
		if mints != 1 {
			t.Errorf("%d mints in half a minute", mints)
		}
		time.Sleep(2 * time.Second)
		fail = &Error{Outcome: Unavailable}
		for range 3 { // that the vendor is out says nothing of the credential
			if _, _, err := ts.get(t.Context(), ""); !Is(err, Unavailable) {
				t.Errorf("got %v", err)
			}
		}
		if mints != 4 {
			t.Errorf("%d mints", mints)
		}
	})
}

// TestATokenOfSeveralThatIsNotGrantedIsDenied: the credential is right, and what other tokens are for goes on.
func TestATokenOfSeveralThatIsNotGrantedIsDenied(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		mints := 0
		ts := newTokens(func(context.Context, *Conn, string) (Token, error) {
			mints++
			return Token{}, &Error{Outcome: Denied, Code: "unauthorized_client"}
		})
		if _, _, err := ts.get(t.Context(), "a"); !Is(err, Unauthorized) {
			t.Errorf("the only one: %v", err)
		}
		ts.auth.Key = func(Req) string { return "b" }
		for range 2 {
			if _, _, err := ts.get(t.Context(), "b"); !Is(err, Denied) || Code(err) != "unauthorized_client" {
				t.Errorf("one of several: %v", err)
			}
		}
		if mints != 2 {
			t.Errorf("%d mints: a refusal is not kept", mints)
		}
	})
}

func TestWaitingForATokenEndsWithTheDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		ts := newTokens(func(ctx context.Context, _ *Conn, _ string) (Token, error) {
			<-ctx.Done()
			return Token{}, ctx.Err()
		})
		slow, stop := context.WithCancel(t.Context())
		go func() { _, _, _ = ts.get(slow, "") }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		if _, _, err := ts.get(ctx, ""); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		stop()
		synctest.Wait()
	})
}

func TestTokensAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		mints := 0
		ts := newTokens(func(context.Context, *Conn, string) (Token, error) { mints++; return Token{}, nil })
		for i := range 3 * maxTokens {
			_, _, _ = ts.get(t.Context(), fmt.Sprint(i))
			_, _, _ = ts.get(t.Context(), "often")
			time.Sleep(time.Millisecond)
		}
		if len(ts.held) > maxTokens || mints != 3*maxTokens+1 {
			t.Errorf("%d tokens, %d mints: the one in use was given up", len(ts.held), mints)
		}
	})
}
