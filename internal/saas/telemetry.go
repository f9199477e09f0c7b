package saas

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// telemetry reports a tenant's streams and budgets through the collector's own meter.
type telemetry struct{ reg metric.Registration }

// streamCounters are counted for every stream, the last ones for those of content only.
var streamCounters = [...]struct {
	name, what string
	of         func(*StreamStatus) int64
	content    bool
}{
	{"events", "Records accepted by the next component", func(s *StreamStatus) int64 { return s.Events }, false},
	{"duplicates_dropped", "Objects read again and dropped", func(s *StreamStatus) int64 { return s.Duplicates }, false},
	{"late_events", "Events older than others already read", func(s *StreamStatus) int64 { return s.Late }, false},
	{"records_set_aside", "Malformed objects handed on with the reason", func(s *StreamStatus) int64 { return s.SetAside }, false},
	{"gaps", "Stretches lost for good", func(s *StreamStatus) int64 { return s.Gaps }, false},
	{"files_judged", "Files whose content was judged", func(s *StreamStatus) int64 { return s.Judged }, true},
	{"files_postponed", "Changed files left to the next walk, so many are unread", func(s *StreamStatus) int64 { return s.Postponed }, true},
	{"content_bytes", "Bytes of files' content read", func(s *StreamStatus) int64 { return s.Fetched }, true},
}

// instruments are made of one meter; err is the first that failed.
type instruments struct {
	metric.Meter
	all []metric.Observable
	err error
}

func (m *instruments) counter(name, what string) metric.Int64ObservableCounter {
	i, err := m.Int64ObservableCounter("longshore_"+name, metric.WithDescription(what))
	m.all, m.err = append(m.all, i), cmp.Or(m.err, err)
	return i
}

func (m *instruments) gauge(name, what string) metric.Float64ObservableGauge {
	i, err := m.Float64ObservableGauge("longshore_"+name, metric.WithDescription(what))
	m.all, m.err = append(m.all, i), cmp.Or(m.err, err)
	return i
}

func newTelemetry(set component.TelemetrySettings, c *core) (*telemetry, error) {
	m := &instruments{Meter: set.MeterProvider.Meter("github.com/longshore-dev/longshore/internal/saas")}
	var counters [len(streamCounters)]metric.Int64ObservableCounter
	for i, k := range streamCounters {
		counters[i] = m.counter(k.name, k.what)
	}
	requests := m.counter("requests", "Requests sent")
	throttled := m.counter("throttled", "Requests refused for now")
	lag := m.gauge("lag_seconds", "Age of the newest event read")
	success := m.gauge("last_success_seconds", "Unix time of the last good reading")
	unread := m.gauge("files_unread", "Files whose content waits to be judged")
	used := m.gauge("budget_used", "Requests of the busiest bucket's window")
	limit := m.gauge("budget_limit", "Requests allowed in that window")
	if m.err != nil {
		return nil, fmt.Errorf("make metrics: %w", m.err)
	}
	reg, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s := (&Tenant{tenant{c}}).Status()
		id := attribute.String("tenant", s.ID)
		o.ObserveInt64(requests, s.Requests, metric.WithAttributes(id))
		o.ObserveInt64(throttled, s.Throttle, metric.WithAttributes(id))
		for _, st := range s.Streams {
			with := metric.WithAttributes(id, attribute.String("stream", st.Name))
			for i, k := range streamCounters {
				if !k.content || st.Kind == Content.String() {
					o.ObserveInt64(counters[i], k.of(&st), with)
				}
			}
			o.ObserveFloat64(lag, st.Lag.Seconds(), with)
			if !st.LastSuccess.IsZero() {
				o.ObserveFloat64(success, float64(st.LastSuccess.UnixMilli())/float64(time.Second/time.Millisecond), with)
			}
			if st.Kind == Content.String() {
				o.ObserveFloat64(unread, float64(st.Parts), with)
			}
		}
		c.link.budgets.each(func(name string, u, l float64) {
			with := metric.WithAttributes(id, attribute.String("budget", name))
			o.ObserveFloat64(used, u, with)
			o.ObserveFloat64(limit, l, with)
		})
		return nil
	}, m.all...)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return &telemetry{reg}, nil
}

func (t *telemetry) end() { _ = t.reg.Unregister() } // ends with the meter in any case
