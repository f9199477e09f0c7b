package sim

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestAwaitEndsWhenThereIsSomethingOrNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		f := func(ctx context.Context, at, most, took time.Duration, want bool) {
			t.Helper()
			began = time.Now()
			got := Await(ctx, most, func() bool { return time.Since(began) >= at })
			if spent := time.Since(began); got != want || spent != took {
				t.Errorf("%v after %v, want %v after %v", got, spent, want, took)
			}
		}
		f(t.Context(), 0, 0, 0, true)
		f(t.Context(), 3*time.Second, 20*time.Second, 3*time.Second, true)
		f(t.Context(), time.Minute, 20*time.Second, 20*time.Second, false)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second+time.Millisecond)
		defer cancel()
		f(ctx, time.Minute, 20*time.Second, 2*time.Second+time.Millisecond, false)
	})
}
