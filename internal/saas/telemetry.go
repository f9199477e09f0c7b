package saas

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// telemetry reports a tenant's streams and budgets through the collector's own meter.
type telemetry struct{ reg metric.Registration }

func newTelemetry(set component.TelemetrySettings, c *core) (*telemetry, error) {
	m := set.MeterProvider.Meter("github.com/longshore-dev/longshore/internal/saas")
	var err error
	counter := func(name, what string) metric.Int64ObservableCounter {
		i, e := m.Int64ObservableCounter("longshore_"+name, metric.WithDescription(what))
		if e != nil {
			err = e
		}
		return i
	}
	gauge := func(name, what string) metric.Float64ObservableGauge {
		i, e := m.Float64ObservableGauge("longshore_"+name, metric.WithDescription(what))
		if e != nil {
			err = e
		}
		return i
	}
	events := counter("events", "Records accepted by the next component")
	dups := counter("duplicates_dropped", "Objects read again and dropped")
	late := counter("late_events", "Events older than others already read")
	aside := counter("records_set_aside", "Malformed objects handed on with the reason")
	gaps := counter("gaps", "Stretches lost for good")
	judged := counter("files_judged", "Files whose content was judged")
	fetched := counter("content_bytes", "Bytes of files' content read")
	requests := counter("requests", "Requests sent")
	throttled := counter("throttled", "Requests refused for now")
	unread := gauge("files_unread", "Files whose content waits to be judged")
	lag := gauge("lag_seconds", "Age of the newest event read")
	success := gauge("last_success_seconds", "Unix time of the last good reading")
	used := gauge("budget_used", "Requests of the busiest bucket's window")
	limit := gauge("budget_limit", "Requests allowed in that window")
	if err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	reg, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s := (&Tenant{tenant{c}}).Status()
		id := attribute.String("tenant", s.ID)
		o.ObserveInt64(requests, s.Requests, metric.WithAttributes(id))
		o.ObserveInt64(throttled, s.Throttle, metric.WithAttributes(id))
		for _, st := range s.Streams {
			with := metric.WithAttributes(id, attribute.String("stream", st.Name))
			o.ObserveInt64(events, st.Events, with)
			o.ObserveInt64(dups, st.Duplicates, with)
			o.ObserveInt64(late, st.Late, with)
			o.ObserveInt64(aside, st.SetAside, with)
			o.ObserveInt64(gaps, st.Gaps, with)
			if st.Kind == Content.String() {
				o.ObserveInt64(judged, st.Judged, with)
				o.ObserveInt64(fetched, st.Fetched, with)
				o.ObserveFloat64(unread, float64(st.Parts), with)
			}
			o.ObserveFloat64(lag, st.Lag.Seconds(), with)
			if !st.LastSuccess.IsZero() {
				o.ObserveFloat64(success, float64(st.LastSuccess.UnixMilli())/float64(time.Second/time.Millisecond), with)
			}
		}
		c.link.budgets.each(func(name string, u, l float64) {
			with := metric.WithAttributes(id, attribute.String("budget", name))
			o.ObserveFloat64(used, u, with)
			o.ObserveFloat64(limit, l, with)
		})
		return nil
	}, events, dups, late, aside, gaps, judged, fetched, unread, requests, throttled, lag, success, used, limit)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return &telemetry{reg}, nil
}

func (t *telemetry) end() { _ = t.reg.Unregister() } // ends with the meter in any case
