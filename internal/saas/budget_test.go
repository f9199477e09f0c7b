package saas

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// draw takes n times and says how long it took.
func draw(t *testing.T, bs *budgets, n, prio int) time.Duration {
	t.Helper()
	begun := time.Now()
	for range n {
		g, err := bs.acquire(t.Context(), Req{}, prio)
		if err != nil {
			t.Fatal(err)
		}
		g.learn(quota{}, false, time.Time{})
		g.release()
	}
	return time.Since(begun)
}

func TestWithoutHeadersARateIsKept(t *testing.T) {
	f := func(limit int, share float64, n int, least, most time.Duration) {
		t.Helper()
		inBubble(t, func(t *testing.T) {
			bs := newBudgets([]Budget{{Limit: limit, Per: time.Minute}}, share, time.Now)
			if d := draw(t, bs, n, 1); d < least || d > most {
				t.Errorf("%d of %d a minute at a share of %v took %v, want %v to %v", n, limit, share, d, least, most)
			}
		})
	}
	f(600, 1, 600, 59*time.Second, 63*time.Second)
	f(600, 0.5, 600, 119*time.Second, 125*time.Second)
	f(10, 1, 11, time.Minute, 62*time.Second)
	f(1, 1, 3, 2*time.Minute, 125*time.Second)
	f(0, 1, 10_000, 0, 0) // no limit
}

func TestAWindowIsCountedAsTheVendorCountsIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		bs := newBudgets([]Budget{{Limit: 1000, Per: time.Minute}}, 1, time.Now)
		tell := func(left int, reset time.Time) {
			g, err := bs.acquire(t.Context(), Req{}, 1)
			if err != nil {
				t.Fatal(err)
			}
			g.learn(quota{limit: 20, remaining: left, reset: reset, known: true}, false, time.Time{})
			g.release()
		}
		end := time.Now().Add(30 * time.Second)
		tell(5, end) // others used the rest
		if d := draw(t, bs, 5, 1); d > time.Second {
			t.Errorf("what was left took %v", d)
		}
		if d := draw(t, bs, 1, 1); d < 29*time.Second || d > 31*time.Second {
			t.Errorf("the next took %v, want until the window ends", d)
		}
		if d := draw(t, bs, 18, 1); d > time.Second {
			t.Errorf("a new window took %v", d)
		}
		tell(3, end) // an answer that comes late tells of the window before: it changes nothing
		if d := draw(t, bs, 1, 1); d < 55*time.Second || d > 62*time.Second {
			t.Errorf("one more took %v, want until the next window", d)
		}
	})
}

func TestARefusalClosesTheWindow(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		bs := newBudgets([]Budget{{Limit: 6000, Per: time.Minute}}, 1, time.Now)
		g, _ := bs.acquire(t.Context(), Req{}, 1)
		g.learn(quota{}, true, time.Now().Add(45*time.Second))
		g.release()
		if d := draw(t, bs, 1, 1); d < 45*time.Second || d > 46*time.Second {
			t.Errorf("the next took %v", d)
		}
		slow := draw(t, bs, 300, 1)
		if slow < 3*time.Second { // 2.4 s at the full rate, but for a start
			t.Errorf("300 after a refusal took %v", slow)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		g, _ = bs.acquire(t.Context(), Req{}, 1)
		g.learn(quota{}, true, time.Now().Add(time.Hour))
		if _, err := bs.acquire(ctx, Req{}, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting ended with %v", err)
		}
	})
}

func TestARefusalHoldsForAllThatDrawOnTheBudget(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		skew := -time.Second
		bs := newBudgets([]Budget{{Limit: 1e6, Per: time.Minute}}, 1, func() time.Time { return time.Now().Add(skew) })
		f := func(until time.Time, least time.Duration) {
			t.Helper()
			g, _ := bs.acquire(t.Context(), Req{}, 1)
			g.learn(quota{}, true, until)
			skew += 500 * time.Millisecond // an answer told the vendor's clock better
			if d := draw(t, bs, 1, 1); d < least || d > least+time.Second {
				t.Errorf("the next took %v, want %v", d, least)
			}
		}
		f(bs.now().Add(45*time.Second), 45*time.Second)
		f(time.Time{}, 100*time.Millisecond)
		f(bs.now().Add(-time.Hour), 100*time.Millisecond)
	})
}

func TestWhatIsMoreUrgentGoesFirst(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		bs := newBudgets([]Budget{{Limit: 60, Per: time.Minute}}, 1, time.Now)
		draw(t, bs, 1, 0)
		var mu sync.Mutex
		var order []int
		var wg sync.WaitGroup
		for _, prio := range []int{5, 3, 1, 4, 0, 2, 6} {
			wg.Go(func() {
				g, err := bs.acquire(t.Context(), Req{}, prio)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, prio)
				g.release()
			})
			synctest.Wait()
		}
		wg.Wait()
		if !slices.IsSorted(order) {
			t.Errorf("order %v", order)
		}
	})
}

func TestOneWhoGivesUpHoldsNobodyUp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		bs := newBudgets([]Budget{{Limit: 1, Per: time.Hour}, {Limit: 1}}, 1, time.Now)
		draw(t, bs, 1, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		done := make(chan time.Duration)
		begun := time.Now()
		go func() {
			g, _ := bs.acquire(t.Context(), Req{}, 3)
			g.release()
			done <- time.Since(begun)
		}()
		if _, err := bs.acquire(ctx, Req{}, 0); err == nil {
			t.Error("there was room")
		}
		if d := <-done; d > 65*time.Minute {
			t.Errorf("the less urgent one went after %v", d)
		}
	})
}

func TestRequestsDrawOnEveryBudgetThatMatches(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		bs := newBudgets([]Budget{
			{Name: "slow", Match: func(q Req) bool { return q.As == "slow" }, Limit: 60, Per: time.Minute},
			{Name: "dear", Cost: func(q Req) int { return len(q.Body) }, Limit: 600, Per: time.Minute},
		}, 1, time.Now)
		take := func(q Req, n int) time.Duration {
			begun := time.Now()
			for range n {
				g, err := bs.acquire(t.Context(), q, 1)
				if err != nil {
					t.Fatal(err)
				}
				g.release()
			}
			return time.Since(begun)
		}
		if d := take(Req{As: "slow", Body: "1"}, 30); d < 28*time.Second || d > 32*time.Second {
			t.Errorf("30 that draw on both took %v", d)
		}
		if d := take(Req{Body: "1234567890"}, 30); d < 28*time.Second || d > 33*time.Second {
			t.Errorf("30 that cost ten took %v", d)
		}
		seen := map[string]bool{}
		bs.each(func(name string, _, limit float64) { seen[fmt.Sprint(name, limit)] = true })
		if !seen["slow60"] || !seen["dear600"] {
			t.Errorf("budgets shown: %v", seen)
		}
	})
}

func TestBucketsAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		bs := newBudgets([]Budget{{Limit: 10, Per: time.Minute, Key: func(q Req) string { return q.As }}}, 1, time.Now)
		for i := range maxBuckets + 500 {
			g, err := bs.acquire(t.Context(), Req{As: fmt.Sprint(i)}, 1)
			if err != nil {
				t.Fatal(err)
			}
			g.release()
		}
		if n := len(bs.all[0].buckets); n > maxBuckets {
			t.Errorf("%d buckets", n)
		}
	})
}
