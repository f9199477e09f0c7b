package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// headroom is how much garbage may gather before it is collected, whatever lives: up to four times as much in a small heap,
// which makes collections rare; in a large one as much again, as Go's default has it.
const headroom = 20 << 20

// paceCollections sets GOGC after each collection, unless the user set it.
func paceCollections() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(maxPercent)
	p := &pacer{percent: maxPercent, live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
	p.again()
}

const minPercent, maxPercent = 100, 400

type pacer struct {
	percent int
	live    []metrics.Sample
}

// again waits for the next collection: it is then that an object nobody holds is found.
func (p *pacer) again() {
	type mark struct{ _ [16]byte }
	runtime.SetFinalizer(&mark{}, func(*mark) {
		metrics.Read(p.live)
		if n := percentFor(p.live[0].Value.Uint64()); n != p.percent {
			p.percent = n
			debug.SetGCPercent(n)
		}
		p.again()
	})
}

// percentFor is GOGC for a heap in which so many bytes live.
func percentFor(live uint64) int {
	return int(min(maxPercent, max(minPercent, headroom*100/max(live, 1))))
}
