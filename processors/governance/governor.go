package governance

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/policy"
)

// governor is the processor.
type governor struct {
	set      processor.Settings
	cfg      *Config
	next     consumer.Logs
	policies *policy.Set
}

func newGovernor(set processor.Settings, cfg *Config, next consumer.Logs) (*governor, error) {
	ps, err := policy.Compile(cfg.Policies, cfg.Mode)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", set.ID, err)
	}
	return &governor{set: set, cfg: cfg, next: next, policies: ps}, nil
}

// Capabilities says that records pass unchanged.
func (g *governor) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// Start does nothing yet.
func (g *governor) Start(context.Context, component.Host) error { return nil }

// Shutdown ends the processor.
func (g *governor) Shutdown(context.Context) error { return nil }

// ConsumeLogs asks the policies and hands on findings, then the records. Both have stable ids: after an error all may come
// again.
func (g *governor) ConsumeLogs(ctx context.Context, l plog.Logs) error {
	found := findings{}
	now := time.Now()
	for w := range event.Views(l) {
		for _, p := range g.policies.Match(w, now) {
			if p.Severity > 0 || len(p.Actions) == 0 {
				found.add(w, p, g.set.BuildInfo.Version)
			}
		}
	}
	if found.len() > 0 {
		if err := g.next.ConsumeLogs(ctx, found.take()); err != nil {
			return err
		}
	}
	return g.next.ConsumeLogs(ctx, l)
}
