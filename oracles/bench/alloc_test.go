package bench

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/oracles/procs"
)

// encoded counts records after it encoded them as an exporter of OTLP would.
type encoded struct {
	mu             sync.Mutex
	n, attrs, body int // records, their attributes, the bytes of their bodies
	want           int
	whole          chan struct{}
}

func (e *encoded) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (e *encoded) ConsumeLogs(_ context.Context, l plog.Logs) error {
	if _, err := plogotlp.NewExportRequestFromLogs(l).MarshalProto(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for w := range event.Views(l) {
		e.attrs += w.Log.Attributes().Len()
		e.body += len(w.Raw())
	}
	before := e.n
	if e.n += l.LogRecordCount(); before < e.want && e.n >= e.want {
		close(e.whole)
	}
	return nil
}

// pollMapEncode drains the fake once.
func pollMapEncode(tb testing.TB, from *procs.Sim, streams procs.M, events int) *encoded {
	e := &encoded{want: events, whole: make(chan struct{})}
	from.Read(tb, streams, e, e.whole)
	return e
}

const perDrain = 20_000

// BenchmarkPollMapEncode polls 20,000 events over HTTP, maps and encodes them.
func BenchmarkPollMapEncode(b *testing.B) {
	from := procs.StartSim(b, "okta", "--seed", "34", "--events", "20000", "--span", "20h", "--limits", "10000")
	streams := procs.LogOnly(b)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		pollMapEncode(b, from, streams, perDrain)
	}
	runtime.ReadMemStats(&after)
	n := float64(b.N * perDrain)
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/n, "allocs/event")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/n, "B/event")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/event")
}

// maxAllocs is what an event may cost. Raise it with a reason.
const maxAllocs = 80

func TestAllocationsOfAnEventStayWithinTheirBudget(t *testing.T) {
	from := procs.StartSim(t, "okta", "--seed", "34", "--events", "20000", "--span", "20h", "--limits", "10000")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	e := pollMapEncode(t, from, procs.LogOnly(t), perDrain)
	runtime.ReadMemStats(&after)
	n := float64(after.Mallocs-before.Mallocs) / perDrain
	t.Logf("%.1f allocations, %.0f bytes an event of %d bytes and %.1f attributes", n, float64(after.TotalAlloc-before.TotalAlloc)/perDrain,
		e.body/e.n, float64(e.attrs)/float64(e.n))
	if n > maxAllocs {
		t.Errorf("%.1f allocations an event, at most %d", n, maxAllocs)
	}
}
