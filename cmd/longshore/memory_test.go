package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestGarbageIsBoundedAsTheHeapGrows(t *testing.T) {
	f := func(live uint64, want int) {
		t.Helper()
		if got := percentFor(live); got != want {
			t.Errorf("with %d bytes GOGC is %d, want %d", live, got, want)
		}
	}
	f(0, 400)
	f(5<<20, 400)
	f(10<<20, 200)
	f(16<<20, 125)
	f(20<<20, 100)
	f(1<<30, 100)
}

func TestPaceFollowsWhatLives(t *testing.T) {
	t.Setenv("GOGC", "")
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	paceCollections()
	held := make([]byte, 64<<20)
	held[0] = 1
	percent := 0
	for i := 0; i < 1000 && percent != minPercent; i++ { // the finalizer runs some time after a collection
		runtime.GC()
		percent = debug.SetGCPercent(maxPercent)
		debug.SetGCPercent(percent)
	}
	if percent != minPercent {
		t.Errorf("with %d bytes held GOGC is %d, want %d", len(held), percent, minPercent)
	}
	runtime.KeepAlive(held)
}
