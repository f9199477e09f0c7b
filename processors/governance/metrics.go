package governance

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/policy"
)

// metrics shows how policies and actions do through the collector's own meter.
type metrics struct{ reg metric.Registration }

func newMetrics(set processor.Settings, ps *policy.Set, e *action.Engine) (*metrics, error) {
	m := set.MeterProvider.Meter("github.com/longshore-dev/longshore/processors/governance")
	var err error
	counter := func(name, what string) metric.Int64ObservableCounter {
		i, e := m.Int64ObservableCounter("longshore_policy_"+name, metric.WithDescription(what))
		if e != nil {
			err = e
		}
		return i
	}
	matches := counter("matches", "Records for which a policy held")
	missing := counter("missing_fields", "Records that lack a field a policy's condition asks for")
	failed := counter("errors", "Conditions that failed or cost too much")
	actions, e2 := m.Int64ObservableGauge("longshore_actions", metric.WithDescription("Actions in the ledger, by state"))
	if err == nil {
		err = e2
	}
	if err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	id := attribute.String("processor", set.ID.String())
	reg, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, s := range ps.Stats() {
			with := metric.WithAttributes(id, attribute.String("policy", s.Policy))
			o.ObserveInt64(matches, s.Matches, with)
			o.ObserveInt64(missing, s.Missing, with)
			o.ObserveInt64(failed, s.Failed, with)
		}
		for state, n := range e.Counts() {
			o.ObserveInt64(actions, int64(n), metric.WithAttributes(id, attribute.String("state", string(state))))
		}
		return nil
	}, matches, missing, failed, actions)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return &metrics{reg}, nil
}

func (m *metrics) end() { _ = m.reg.Unregister() } // ends with the meter in any case
