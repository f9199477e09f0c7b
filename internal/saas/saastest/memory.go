package saastest

import (
	"bytes"
	"math"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

// memory: what is held does not grow with the backlog, batches are bounded, and an answer without end is refused.
// (Shipped elsewhere: 10 all pages held in memory.)
func (s *suite) memory(t *testing.T) {
	const events, limit, warm = 12_000, 64 << 10, 40
	b := newBench(t, s.p, settings{opts: usual(events, 3), tune: unhurried, keys: map[string]any{"batch_bytes": limit}})
	b.out.light = true
	var used []float64 // in MiB, each time that warm batches came
	n, passed := 0, 0
	b.refuse = func(bt *batch) bool {
		if bt.bytes > limit+bt.most {
			t.Errorf("a batch of %d bytes, want at most %d and one object", bt.bytes, limit)
		}
		if n++; n%warm == 0 {
			used = append(used, float64(inUse())/(1<<20))
		}
		if n >= warm {
			passed += bt.bytes
		}
		return false
	}
	b.start()
	b.drain(6 * time.Hour)
	b.whole()
	// What is on its way differs from batch to batch: of what passed, a half passes from the middle of one half to that of the other.
	first, second := mean(used[:len(used)/2]), mean(used[len(used)/2:])
	if t.Logf("%.1f MiB in use at first, %.1f MiB once %.1f MiB had passed", first, second, float64(passed)/(1<<20)); len(used) < 4 ||
		second-first > float64(passed)/4/(1<<20)+1 {
		t.Errorf("memory grows with what passes: MiB in use, every %d batches: %.1f", warm, used)
	}
	b.stop()

	spaces := bytes.Repeat([]byte{' '}, 1<<20)
	var endless atomic.Pointer[string] // the first path of those that streams may share a route by: each takes a second
	b.sim.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method+" "+strings.TrimPrefix(r.Pattern, r.Method+" ") != s.routes[s.feed()] {
			return false
		}
		if endless.CompareAndSwap(nil, &r.URL.Path); *endless.Load() != r.URL.Path {
			return false
		}
		for range 1100 {
			if _, err := w.Write(spaces); err != nil {
				break
			}
		}
		return true
	}
	b.start()
	b.wait(10*time.Minute, "refuse an answer without end", func() bool {
		return slices.ContainsFunc(b.streams, func(st saas.Stream) bool { return strings.Contains(b.off(st.Name), "more than") })
	})
}

func mean(of []float64) (m float64) {
	for _, v := range of {
		m += v / float64(len(of))
	}
	return m
}

// inUse is how much memory is held. What others throw away until they wait for the caller's lock is not.
func inUse() uint64 {
	var m runtime.MemStats
	for least := uint64(math.MaxUint64); ; least = m.HeapAlloc {
		runtime.GC()
		if runtime.ReadMemStats(&m); m.HeapAlloc >= least {
			return least
		}
	}
}
