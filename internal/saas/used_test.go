package saas

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// shared is a quota of 1000 a day, of which an answer says in the header Used how much is used.
func shared(share float64) *budgets {
	return newBudgets([]Budget{{Limit: 1000, Per: 24 * time.Hour, Used: func(h http.Header) (int, int) {
		n, err := strconv.Atoi(h.Get("Used"))
		if err != nil {
			return 0, 0
		}
		return n, 1000
	}, Upto: func(k Kind) float64 {
		if k < Accounts {
			return 0.95
		}
		return 0.8
	}}}, share, time.Now)
}

// takes draws once; the answer says that so much is used, -1 = nothing. It gives how long it waited; -1 = more than a day.
func takes(t *testing.T, bs *budgets, prio, used int) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Hour)
	defer cancel()
	begun := time.Now()
	g, err := bs.acquire(ctx, Req{}, prio)
	if err != nil {
		return -1
	}
	waited := time.Since(begun)
	h := http.Header{}
	if used >= 0 {
		h.Set("Used", strconv.Itoa(used))
	}
	g.hear(h)
	g.learn(quota{limit: 5, known: true, reset: time.Now().Add(time.Minute)}, false, time.Time{}) // of another quota
	g.release()
	return waited
}

func TestAQuotaOfAllLeavesRoomForWhatIsUrgent(t *testing.T) {
	f := func(used, prio int, least, most time.Duration) {
		t.Helper()
		inBubble(t, func(t *testing.T) {
			bs := shared(1)
			takes(t, bs, prioWalk, used)
			if d := takes(t, bs, prio, used); d < least || d > most {
				t.Errorf("with %d of 1000 used, priority %d waited %v, want %v to %v", used, prio, d, least, most)
			}
		})
	}
	sign := 1 + int(SignIn)
	f(0, prioWalk, 0, 0)
	f(799, 1+int(Content), 0, 0)
	f(800, prioWalk, 15*time.Minute, 15*time.Minute)
	f(800, sign, 0, 0)
	f(949, sign, 0, 0)
	f(950, sign, 15*time.Minute, 15*time.Minute)
	f(950, prioAction, 0, 0)
	f(1000, prioAction, 15*time.Minute, 15*time.Minute)
}

func TestWhileAQuotaIsUsedUpOneRequestAsks(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		bs := shared(1)
		takes(t, bs, prioWalk, 990)
		for range 3 {
			if d := takes(t, bs, prioWalk, 990); d != 15*time.Minute {
				t.Errorf("waited %v", d)
			}
		}
		if d := takes(t, bs, prioWalk, 10); d != 15*time.Minute {
			t.Errorf("waited %v", d)
		}
		if d := takes(t, bs, prioWalk, -1); d != 0 {
			t.Errorf("with room, waited %v", d)
		}
		seen := 0.0
		bs.each(func(_ string, used, _ float64) { seen = used })
		if seen != 11 {
			t.Errorf("%v are shown as used, want the 10 that were told and one", seen)
		}
	})
}

func TestOurShareOfAQuotaOfAllIsKept(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		bs := shared(0.1) // 100, of which walks take 80
		time.Sleep(time.Until(time.Now().Truncate(24 * time.Hour).Add(30 * time.Hour)))
		for n := range 80 {
			if d := takes(t, bs, prioWalk, -1); d != 0 {
				t.Fatalf("request %d waited %v", n, d)
			}
		}
		if d := takes(t, bs, 1+int(Audit), -1); d != 0 {
			t.Errorf("activity waited %v behind walks", d)
		}
		if d := takes(t, bs, prioWalk, -1); d < 18*time.Hour || d > 19*time.Hour {
			t.Errorf("a walk waited %v, want until the day ends", d)
		}
	})
}
