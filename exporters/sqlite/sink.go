package sqlite

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/delivery"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/store"
)

// sink is the exporter.
type sink struct {
	set      exporter.Settings
	cfg      *Config
	store    *store.Store
	counters *delivery.Counters
	health   delivery.Health
	now      func() time.Time
}

func newSink(set exporter.Settings, cfg *Config) *sink {
	return &sink{set: set, cfg: cfg, now: time.Now}
}

func (s *sink) start(ctx context.Context, host component.Host) error {
	var err error
	if s.counters, err = delivery.NewCounters(s.set.TelemetrySettings, s.set.ID); err != nil {
		return err
	}
	s.health.Start(host)
	s.store, err = store.Open(ctx, s.cfg.Path)
	return err
}

func (s *sink) shutdown(context.Context) error {
	if s.counters != nil {
		s.counters.Close()
	}
	if s.store == nil {
		return nil
	}
	return s.store.Close()
}

// push writes a batch. An error gives all of it back.
func (s *sink) push(ctx context.Context, logs plog.Logs) error {
	enc := event.Encoding{NoOriginal: s.cfg.DropOriginal, Namespace: s.cfg.Namespace, Ingested: s.now()}
	n, err := s.store.Write(ctx, event.Views(logs), enc)
	s.health.Report(err)
	if err != nil {
		s.counters.Add(delivery.Retried, logs.LogRecordCount())
		return consumererror.NewLogs(err, logs)
	}
	s.counters.Add(delivery.Accepted, n.Accepted)
	s.counters.Add(delivery.Duplicate, n.Duplicate)
	s.counters.Add(delivery.Refused, n.Refused)
	if n.Refused > 0 {
		s.set.Logger.Warn("records can never be stored and were set aside", zap.Int("records", n.Refused), zap.String("table", "letters"))
	}
	return nil
}
