package saas

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestAKeptValueIsFetchedOnceUntilItIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k Kept[int]
		fetched, fail := 0, errors.New("refused")
		get := func() (int, error) {
			return k.Get(t.Context(), time.Now(), time.Hour, func() (int, error) {
				time.Sleep(time.Second)
				fetched++
				return fetched, fail
			})
		}
		if _, err := get(); !errors.Is(err, fail) {
			t.Fatal(err)
		}
		fail = nil
		for range 3 {
			go func() {
				if n, err := get(); n != 2 || err != nil {
					t.Error(n, err)
				}
			}()
		}
		synctest.Wait()
		soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := k.Get(soon, time.Now(), time.Hour, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who stopped waiting got %v", err)
		}
		time.Sleep(2 * time.Hour)
		if n, err := get(); n != 3 || err != nil {
			t.Error("an old value was kept:", n, err)
		}
	})
}
