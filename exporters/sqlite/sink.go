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
	wake     chan struct{} // something was stored
	stop     context.CancelFunc
	done     chan struct{} // closed when nobody tidies any more
}

// tidyInterval is how often old records are looked for when nothing new comes.
const tidyInterval = time.Minute

func newSink(set exporter.Settings, cfg *Config) *sink {
	return &sink{set: set, cfg: cfg, now: time.Now, wake: make(chan struct{}, 1)}
}

func (s *sink) start(ctx context.Context, host component.Host) error {
	var err error
	if s.counters, err = delivery.NewCounters(s.set.TelemetrySettings, s.set.ID); err != nil {
		return err
	}
	s.health.Start(host)
	if s.store, err = store.Open(ctx, s.cfg.Path); err != nil {
		return err
	}
	if s.cfg.Retention != (RetentionConfig{}) {
		ctx, stop := context.WithCancel(context.Background())
		s.stop, s.done = stop, make(chan struct{})
		go s.tidy(ctx)
	}
	return nil
}

// tidy removes what is not to be kept, after each batch and once in a while, until ctx ends. What fails is tried again then: a store that
// is too large or whose disk is full goes on in its way.
func (s *sink) tidy(ctx context.Context) {
	defer close(s.done)
	tick := time.NewTicker(tidyInterval)
	defer tick.Stop()
	for {
		var sum store.Tidied
		for more := true; more && ctx.Err() == nil; {
			did, err := s.store.Tidy(ctx, s.cfg.Retention.keep(), s.now())
			if err != nil && ctx.Err() == nil {
				s.set.Logger.Warn("old records could not be removed", zap.Error(err))
			}
			more = did.More
			sum.Records, sum.Letters = sum.Records+did.Records, sum.Letters+did.Letters
		}
		if sum.Records+sum.Letters > 0 {
			s.set.Logger.Info("old records were removed", zap.Int("records", sum.Records), zap.Int("letters", sum.Letters))
		}
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-tick.C:
		}
	}
}

func (s *sink) shutdown(context.Context) error {
	if s.counters != nil {
		s.counters.Close()
	}
	if s.done != nil {
		s.stop()
		<-s.done
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
	select {
	case s.wake <- struct{}{}:
	default:
	}
	s.counters.Add(delivery.Accepted, n.Accepted)
	s.counters.Add(delivery.Duplicate, n.Duplicate)
	s.counters.Add(delivery.Refused, n.Refused)
	if n.Refused > 0 {
		s.set.Logger.Warn("records can never be stored and were set aside", zap.Int("records", n.Refused), zap.String("table", "letters"))
	}
	return nil
}
