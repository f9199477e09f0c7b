package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/longshore-dev/longshore/internal/delivery"
	"github.com/longshore-dev/longshore/internal/delivery/deliverytest"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config is that of an exporter that writes to path.
func config(path string, change func(*Config)) *Config {
	cfg, _ := defaultConfig().(*Config)
	cfg.Path = path
	if change != nil {
		change(cfg)
	}
	return cfg
}

// started is a sink that writes to path.
func started(t *testing.T, path string, change func(*Config)) *sink {
	t.Helper()
	s := newSink(exportertest.NewNopSettings(NewFactory().Type()), config(path, change))
	s.now = func() time.Time { return deliverytest.Day }
	if err := s.start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// stored are the ids of all documents in order, and the documents.
func stored(t *testing.T, path string) (ids, docs []string) {
	t.Helper()
	r, err := store.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if err := r.SQL(t.Context(), "SELECT id, doc FROM documents ORDER BY id", func(_ []string, v []any) error {
		ids, docs = append(ids, v[0].(string)), append(docs, v[1].(string))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return ids, docs
}

func TestPublishedIsStoredOnceAndCounted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "longshore.db")
	s := started(t, path, nil)
	bad := deliverytest.Batch(500, 500+2)
	for w := range event.Views(bad) {
		w.Log.SetTimestamp(0)
		w.Log.SetObservedTimestamp(0)
		break
	}
	for _, logs := range []plog.Logs{deliverytest.Batch(0, 300), deliverytest.Batch(200, 200+300), bad, deliverytest.Batch(0, 500)} {
		if err := s.push(t.Context(), logs); err != nil {
			t.Fatal(err)
		}
	}
	want := append(deliverytest.IDs(deliverytest.Batch(0, 500)), deliverytest.IDs(deliverytest.Batch(501, 501+1))...)
	slices.Sort(want)
	if got, _ := stored(t, path); !slices.Equal(got, want) {
		t.Fatalf("%d stored, want %d", len(got), len(want))
	}
	f := func(o delivery.Outcome, want int64) {
		t.Helper()
		if got := s.counters.Count(o); got != want {
			t.Errorf("outcome %d: %d counted, want %d", o, got, want)
		}
	}
	f(delivery.Accepted, 501)
	f(delivery.Duplicate, 600)
	f(delivery.Refused, 1)
	f(delivery.Retried, 0)
}

func TestDocumentsAreEncodedAsConfigured(t *testing.T) {
	f := func(change func(*Config), want, not string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "longshore.db")
		if err := started(t, path, change).push(t.Context(), deliverytest.Batch(0, 1)); err != nil {
			t.Fatal(err)
		}
		if _, docs := stored(t, path); !strings.Contains(docs[0], want) || strings.Contains(docs[0], not) {
			t.Fatalf("want %s, not %s: %s", want, not, docs[0])
		}
	}
	f(nil, `"original":"{\"uuid\"`, `"namespace":"eu"`)
	f(nil, `"ingested":"2026-11-20T10:00:00.000Z"`, `"namespace":"eu"`)
	f(func(c *Config) { c.DropOriginal, c.Namespace = true, "eu" }, `"namespace":"eu"`, `"original"`)
}

func TestFailureGivesTheWholeBatchBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	s := started(t, path, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.push(ctx, deliverytest.Batch(0, 7))
	var part consumererror.Logs
	if !errors.As(err, &part) || consumererror.IsPermanent(err) || part.Data().LogRecordCount() != 7 || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v", err)
	}
	if n := s.counters.Count(delivery.Retried); n != 7 {
		t.Fatalf("%d counted", n)
	}
	if err := s.push(t.Context(), part.Data()); err != nil {
		t.Fatal(err)
	}
	if got, _ := stored(t, path); !slices.Equal(got, deliverytest.IDs(deliverytest.Batch(0, 7))) {
		t.Fatalf("%d stored", len(got))
	}
}

func TestExporterAcknowledgesOnlyWhatIsStored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	set := exportertest.NewNopSettings(NewFactory().Type())
	made, err := NewFactory().CreateLogs(t.Context(), set, config(path, nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	if err := made.ConsumeLogs(t.Context(), deliverytest.Batch(0, 10)); err != nil {
		t.Fatal(err)
	}
	if got, _ := stored(t, path); len(got) != 10 { // no queue in between
		t.Fatalf("%d stored", len(got))
	}
	if err := made.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestStartFailsForAFileThatIsNoStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("text ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	made, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(NewFactory().Type()), config(path, nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Start(t.Context(), componenttest.NewNopHost()); err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v", err)
	}
	if err := made.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestOldRecordsAreRemovedAfterABatch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	removed := make(chan string, 10)
	set := exportertest.NewNopSettings(NewFactory().Type())
	core, _ := observer.New(zap.InfoLevel)
	set.Logger = zap.New(core, zap.Hooks(func(e zapcore.Entry) error {
		removed <- e.Message
		return nil
	}))
	s := newSink(set, config(path, func(c *Config) { c.Retention.MaxAge = time.Hour }))
	s.now = func() time.Time { return deliverytest.Day.Add(time.Hour + 200*time.Second) }
	if err := s.start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	if err := s.push(t.Context(), deliverytest.Batch(0, 300)); err != nil {
		t.Fatal(err)
	}
	if got := <-removed; got != "old records were removed" {
		t.Fatalf("said %q", got)
	}
	if err := s.shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _ := stored(t, path); len(got) != 100 {
		t.Fatalf("%d stored", len(got))
	}
}
