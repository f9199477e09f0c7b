package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/delivery"
	"github.com/longshore-dev/longshore/internal/event"
)

// sink is the exporter.
type sink struct {
	set      exporter.Settings
	cfg      *Config
	log      *zap.Logger
	dial     func(context.Context, *Config) (*cluster, error)
	cluster  *cluster
	topics   *topics
	counters *delivery.Counters
	health   delivery.Health
	rooms    sync.Pool // of *room
	now      func() time.Time
}

func newSink(set exporter.Settings, cfg *Config) *sink {
	s := &sink{set: set, cfg: cfg, log: set.Logger, dial: dial, now: time.Now}
	s.rooms.New = func() any { return new(room) }
	return s
}

func (s *sink) start(ctx context.Context, host component.Host) error {
	var err error
	if s.counters, err = delivery.NewCounters(s.set.TelemetrySettings, s.set.ID); err != nil {
		return err
	}
	s.topics, err = newTopics(s.cfg, func() {
		s.log.Warn("the template of topic gave as many topics as it may: other records go to the topic of their class",
			zap.String("topic", s.cfg.Topic), zap.Int("topics", maxTopics))
	})
	if err != nil {
		return err
	}
	if s.cluster, err = s.dial(ctx, s.cfg); err != nil {
		return err
	}
	s.health.Start(host)
	if s.cfg.SASL.Mechanism == mechanismPlain && !s.cfg.TLS.HasValue() {
		s.log.Warn("sasl mechanism plain without tls: the password can be read on the way")
	}
	return nil
}

func (s *sink) shutdown(context.Context) error {
	if s.counters != nil {
		s.counters.Close()
	}
	if s.cluster != nil {
		s.cluster.close()
	}
	return nil
}

// push writes a batch. Its error carries exactly the records that are to be tried again.
func (s *sink) push(ctx context.Context, logs plog.Logs) error {
	err := s.write(ctx, logs)
	s.health.Report(err)
	return err
}

func (s *sink) write(ctx context.Context, logs plog.Logs) error {
	r, _ := s.rooms.Get().(*room)
	p := &pass{sink: s, ctx: ctx, failed: make([]bool, logs.LogRecordCount()), at: s.now()}
	n := 0
	for w := range event.Views(logs) {
		p.add(r, w, n)
		n++
		if len(r.buf) >= roomBytes {
			p.flush(r)
		}
	}
	p.flush(r)
	s.rooms.Put(r)
	if len(p.errs) == 0 {
		return nil
	}
	part := delivery.Part(logs, p.failed)
	s.counters.Add(delivery.Retried, part.LogRecordCount())
	return consumererror.NewLogs(fmt.Errorf("write %d of %d records: %w", part.LogRecordCount(), n, errors.Join(p.errs...)), part)
}
