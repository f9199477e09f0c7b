package elasticsearch

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
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
	client   *client
	counters *delivery.Counters
	health   delivery.Health
	letters  *delivery.File
	bulks    sync.Pool     // of *bulk
	limit    atomic.Int64  // bytes of a bulk request; shrinks when the server finds one too large
	slots    chan struct{} // one for each bulk request in flight
	path     string        // of bulk requests
	gate     chan struct{}
	ready    bool // templates are in place; guarded by gate
	now      func() time.Time
}

func newSink(set exporter.Settings, cfg *Config) *sink {
	s := &sink{set: set, cfg: cfg, log: set.Logger, gate: make(chan struct{}, 1), now: time.Now}
	s.ready = !cfg.InstallTemplates && !cfg.Lifecycle.Install
	s.limit.Store(int64(cfg.Flush.Bytes))
	s.slots = make(chan struct{}, cfg.NumWorkers)
	if s.path = bulkPath; cfg.Pipeline != "" {
		s.path += "&pipeline=" + url.QueryEscape(cfg.Pipeline)
	}
	s.bulks.New = func() any { return new(bulk) }
	return s
}

// installTimeout bounds the first attempt to install templates; the next is made before the first document.
const installTimeout = 10 * time.Second

func (s *sink) start(ctx context.Context, host component.Host) error {
	var err error
	if s.counters, err = delivery.NewCounters(s.set.TelemetrySettings, s.set.ID); err != nil {
		return err
	}
	if s.client, err = newClient(ctx, s.cfg, host, s.set.TelemetrySettings); err != nil {
		return err
	}
	if s.cfg.DeadLetter.File != "" {
		if s.letters, err = delivery.OpenFile(s.cfg.DeadLetter.File); err != nil {
			return err
		}
	}
	s.health.Start(host)
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	if err := s.install(ctx); errors.Is(err, errFlavor) {
		return err
	} else if err != nil {
		s.log.Warn("templates are not installed yet; it is tried again before the first document", zap.Error(err))
	}
	return nil
}

func (s *sink) shutdown(context.Context) error {
	var errs []error
	if s.counters != nil {
		s.counters.Close()
	}
	if s.client != nil {
		s.client.close()
	}
	if s.letters != nil {
		errs = append(errs, s.letters.Close())
	}
	return errors.Join(errs...)
}

// install installs the templates unless that is done; one caller at a time.
func (s *sink) install(ctx context.Context) error {
	select {
	case s.gate <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.gate }()
	if s.ready {
		return nil
	}
	l := layout{namespace: s.cfg.Namespace, flavor: s.cfg.Flavor}
	if s.cfg.Lifecycle.Install {
		switch err := installPolicy(ctx, s.client, s.cfg); {
		case errors.Is(err, errNoLifecycle):
			s.log.Warn("lifecycle.install does nothing here: documents are kept until somebody deletes them", zap.Error(err))
		case err != nil:
			return fmt.Errorf("install lifecycle policy: %w", err)
		default:
			l.policy = policyName(s.cfg.Namespace)
		}
	}
	if s.cfg.InstallTemplates {
		if err := install(ctx, s.client, l); err != nil {
			return fmt.Errorf("install templates: %w", err)
		}
	}
	s.ready = true
	return nil
}

// push writes a batch. Its error carries exactly the records that are to be tried again.
func (s *sink) push(ctx context.Context, logs plog.Logs) error {
	err := s.write(ctx, logs)
	s.health.Report(err)
	return err
}

func (s *sink) write(ctx context.Context, logs plog.Logs) error {
	if err := s.install(ctx); err != nil {
		return consumererror.NewLogs(err, logs)
	}
	b, _ := s.bulks.Get().(*bulk)
	p := &pass{sink: s, ctx: ctx, failed: make([]bool, logs.LogRecordCount()), at: s.now()}
	n := 0
	for w := range event.Views(logs) {
		b = p.add(b, w, n)
		n++
	}
	p.last(b)
	if p.err == nil {
		return nil
	}
	part := delivery.Part(logs, p.failed)
	s.counters.Add(delivery.Retried, part.LogRecordCount())
	err := fmt.Errorf("write %d of %d records: %w", part.LogRecordCount(), n, p.err)
	if p.wait > 0 {
		err = exporterhelper.NewThrottleRetry(err, p.wait)
	}
	return consumererror.NewLogs(err, part)
}
