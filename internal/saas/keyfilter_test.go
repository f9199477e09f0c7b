package saas

import (
	"math/rand/v2"
	"testing"
)

func TestFilterForgetsNoKeyAndKnowsFewOthers(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 63, 64, 1000, 100_000} {
		f := newKeyFilter(n)
		var keys []uint64
		for !f.full() {
			keys = append(keys, rnd.Uint64())
			f.add(keys[len(keys)-1])
		}
		if len(keys) < n {
			t.Errorf("a filter for %d keys is full with %d", n, len(keys))
		}
		for _, h := range keys {
			if !f.may(h) {
				t.Fatalf("of %d keys %x is forgotten", len(keys), h)
			}
		}
		others := 0
		for range 20_000 {
			if f.may(rnd.Uint64()) {
				others++
			}
		}
		if others > 20_000/15 {
			t.Errorf("with %d keys, %d of 20000 others may be there", len(keys), others)
		}
	}
}
