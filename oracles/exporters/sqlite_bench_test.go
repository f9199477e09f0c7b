package exporters

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/exporters/sqlite"
	"github.com/longshore-dev/longshore/internal/store"
	"github.com/longshore-dev/longshore/oracles/procs"
)

const (
	storedEvents = 100_000
	storedRounds = 4
	storedGoal   = 20_000 // documents a second
)

// TestExporterStoresDocumentsAsFastAsItMust stores the System Log of a fake Okta, as its receiver hands it over, a page of 1,000
// at a time, each synced, in a new store with all its indexes. The clock runs from records to what is acknowledged.
func TestExporterStoresDocumentsAsFastAsItMust(t *testing.T) {
	procs.Measures(t)
	pages := polled(t, storedEvents)
	w := way{name: "store"}
	for range storedRounds {
		t.Run("round", func(t *testing.T) {
			f := sqlite.NewFactory()
			cfg := f.CreateDefaultConfig().(*sqlite.Config)
			cfg.Path = filepath.Join(t.TempDir(), "longshore.db")
			t.Cleanup(func() { // after the store is closed, and its log empty
				info, err := os.Stat(cfg.Path)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%d bytes each on disk", info.Size()/storedEvents)
			})
			e := start(t, f, cfg)
			w.write = func() {
				for _, p := range pages {
					e.send(p)
				}
			}
			took, cpu := w.run(true)
			doc, raw := stored(t, cfg.Path)
			t.Logf("%.0f documents/s of %d bytes, with raw objects of %d, %.1f CPU-µs each", storedEvents/took.Seconds(), doc, raw,
				cpu.Seconds()*1e6/storedEvents)
		})
	}
	if rate := storedEvents / w.best.Seconds(); rate < storedGoal {
		t.Errorf("%.0f documents/s are stored, want %d", rate, storedGoal)
	}
}

// stored checks that every event is in the store, and gives the mean size of documents and of raw objects.
func stored(t *testing.T, path string) (doc, raw int64) {
	t.Helper()
	r, err := store.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	const text = `SELECT count(*), sum(octet_length(doc)), sum(octet_length(doc ->> '$.event.original')) FROM events`
	if err := r.SQL(t.Context(), text, func(_ []string, v []any) error {
		if v[0] != int64(storedEvents) {
			t.Errorf("%v events are stored", v[0])
		}
		doc, raw = v[1].(int64)/storedEvents, v[2].(int64)/storedEvents
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return doc, raw
}

// pages keeps what a receiver hands over.
type pages struct {
	mu   sync.Mutex
	logs []plog.Logs
	left int
	done chan struct{}
}

func (p *pages) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (p *pages) ConsumeLogs(_ context.Context, l plog.Logs) error {
	kept := plog.NewLogs()
	l.CopyTo(kept)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.logs = append(p.logs, kept)
	before := p.left
	if p.left -= kept.LogRecordCount(); before > 0 && p.left <= 0 {
		close(p.done)
	}
	return nil
}

// polled are the events of a fake Okta as its receiver hands them over.
func polled(t *testing.T, events int) []plog.Logs {
	t.Helper()
	from := procs.StartSim(t, "okta", "--seed", "31", "--events", strconv.Itoa(events), "--users", "1000", "--span", "20h",
		"--limits", "10000")
	p := &pages{left: events, done: make(chan struct{})}
	from.Read(t, procs.LogOnly(t), p, p.done)
	from.Stop()
	return p.logs
}
