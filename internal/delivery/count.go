package delivery

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Outcome is what became of one attempt to deliver a record.
type Outcome int

// The outcomes.
const (
	Accepted  Outcome = iota // written
	Duplicate                // already there, or newer already there
	Refused                  // set aside for good, with the reason
	Retried                  // given back to be tried again
	outcomes
)

var outcomeNames = [outcomes]string{"accepted", "duplicate", "refused", "retried"}

// Counters count the outcomes of one exporter and show them as the metric longshore_delivered{exporter, outcome}.
type Counters struct {
	n   [outcomes]atomic.Int64
	reg metric.Registration
}

// NewCounters makes and registers counters.
func NewCounters(set component.TelemetrySettings, id component.ID) (*Counters, error) {
	c := &Counters{}
	m := set.MeterProvider.Meter("github.com/longshore-dev/longshore/internal/delivery")
	i, err := m.Int64ObservableCounter("longshore_delivered", metric.WithDescription("Documents or messages by what became of them"))
	if err != nil {
		return nil, fmt.Errorf("make metric longshore_delivered: %w", err)
	}
	c.reg, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for k, name := range outcomeNames {
			o.ObserveInt64(i, c.n[k].Load(), metric.WithAttributes(attribute.String("exporter", id.String()), attribute.String("outcome", name)))
		}
		return nil
	}, i)
	if err != nil {
		return nil, fmt.Errorf("register metric longshore_delivered: %w", err)
	}
	return c, nil
}

// Add counts n outcomes.
func (c *Counters) Add(o Outcome, n int) { c.n[o].Add(int64(n)) }

// Count is the number of outcomes so far.
func (c *Counters) Count(o Outcome) int64 { return c.n[o].Load() }

// Close ends the metric.
func (c *Counters) Close() { _ = c.reg.Unregister() } // ends with the meter in any case

// Health reports an exporter as failing for now, and as well again. The zero value reports to nobody.
type Health struct {
	mu   sync.Mutex
	host component.Host
	ill  bool
}

// Start says whom to report to.
func (h *Health) Start(host component.Host) { h.host = host }

// Report tells the outcome of a delivery; only changes are passed on.
func (h *Health) Report(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.host == nil || h.ill == (err != nil) {
		return
	}
	h.ill = err != nil
	if h.ill {
		componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(err))
	} else {
		componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}
