package governance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/policy"
	"github.com/longshore-dev/longshore/internal/saas"
)

// memoryRows bounds dry runs that are kept in memory, about 2 KiB each.
const memoryRows = 5_000

// governor is the processor.
type governor struct {
	set      processor.Settings
	cfg      *Config
	next     consumer.Logs
	policies *policy.Set

	engine  *action.Engine
	storage storage.Client // nil when dry runs are kept in memory
	metrics *metrics

	mu    sync.Mutex
	moans []string // policies whose failure was logged
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

// Start opens the ledger and goes on with the actions in it.
func (g *governor) Start(ctx context.Context, host component.Host) error {
	store, rows, err := g.open(ctx, host)
	if err != nil {
		return fmt.Errorf("start %s: %w", g.set.ID, err)
	}
	g.engine = action.New(action.Settings{
		Store: store, MaxRows: rows, Find: find, Next: g.next.ConsumeLogs, Protect: g.cfg.Protect.Users, Owners: g.cfg.Protect.Owners,
		PerHour: g.cfg.MaxActionsPerHour, Keep: g.cfg.Keep, Deadline: g.cfg.Deadline, Version: g.set.BuildInfo.Version, Log: g.set.Logger,
	})
	if err := g.engine.Start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", g.set.ID, err)
	}
	if g.metrics, err = newMetrics(g.set, g.policies, g.engine); err != nil {
		return fmt.Errorf("start %s: %w", g.set.ID, err)
	}
	return nil
}

// find looks for a tenant among those connected in this process. To one that is disabled nothing is sent.
func find(module, tenant string) action.Tenant {
	if t := saas.Find(module, tenant); t != nil && !t.Status().Disabled {
		return t
	}
	return nil
}

func (g *governor) open(ctx context.Context, host component.Host) (action.Store, int, error) {
	if g.cfg.Storage == "" {
		return saas.NewMemory(), memoryRows, nil
	}
	var id component.ID
	if err := id.UnmarshalText([]byte(g.cfg.Storage)); err != nil {
		return nil, 0, fmt.Errorf("storage %q: %w", g.cfg.Storage, err)
	}
	ext, ok := host.GetExtensions()[id]
	if !ok {
		return nil, 0, fmt.Errorf("storage %q: there is no such extension: add it to extensions and to service.extensions", g.cfg.Storage)
	}
	st, ok := ext.(storage.Extension)
	if !ok {
		return nil, 0, fmt.Errorf("storage %q: that extension stores nothing", g.cfg.Storage)
	}
	c, err := st.GetClient(ctx, component.KindProcessor, g.set.ID, "")
	if err != nil {
		return nil, 0, fmt.Errorf("open storage %q (a processor in two pipelines needs an id for each): %w", g.cfg.Storage, err)
	}
	g.storage = c
	store, ok := c.(action.Store)
	if !ok {
		return nil, 0, fmt.Errorf("storage %q: it cannot list its rows; file_storage can", g.cfg.Storage)
	}
	return store, 0, nil
}

// Shutdown stops the actions; they go on with the next start.
func (g *governor) Shutdown(ctx context.Context) error {
	var errs []error
	if g.metrics != nil {
		g.metrics.end()
	}
	if g.engine != nil {
		errs = append(errs, g.engine.Shutdown(ctx))
	}
	if g.storage != nil {
		errs = append(errs, g.storage.Close(ctx))
		g.storage = nil
	}
	return errors.Join(errs...)
}

// ConsumeLogs asks the policies, saves what is to be done, and hands on findings, then the records. All of these have stable
// ids: after an error all may come again.
func (g *governor) ConsumeLogs(ctx context.Context, l plog.Logs) error {
	var found findings
	var todo []action.Request
	now := time.Now()
	for w := range event.Views(l) {
		if err := g.learn(ctx, w); err != nil {
			return err
		}
		for _, p := range g.policies.Match(w, now) {
			if p.Severity > 0 || len(p.Actions) == 0 {
				found.add(w, p, g.set.BuildInfo.Version)
			}
			for _, verb := range p.Actions {
				todo = append(todo, g.request(w, p, verb))
			}
		}
	}
	g.moan()
	if len(todo) > 0 {
		if err := g.engine.Ask(ctx, todo); err != nil {
			return fmt.Errorf("ask for %d actions: %w", len(todo), err)
		}
	}
	if found.len() > 0 {
		if err := g.next.ConsumeLogs(ctx, found.take()); err != nil {
			return fmt.Errorf("hand on findings: %w", err)
		}
	}
	return g.next.ConsumeLogs(ctx, l)
}

// learn tells the engine of accounts, by which it knows protected ones also where a record has only their id.
func (g *governor) learn(ctx context.Context, w event.View) error {
	if len(g.cfg.Protect.Users) == 0 || w.Str("entity.type") != "user" {
		return nil
	}
	names := append(w.Strs("saas.entity.aliases"), w.Str("user.name"), w.Str("user.email"), w.Str("entity.name"))
	return g.engine.Learn(ctx, w.Str("event.module"), w.Str("saas.tenant"), w.Str("entity.id"), names...)
}

// moan logs the first failure of each policy's condition; the metrics count the rest.
func (g *governor) moan() {
	if !g.policies.Failing() {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.policies.Stats() {
		if s.Failed > 0 && !slices.Contains(g.moans, s.Policy) {
			g.moans = append(g.moans, s.Policy)
			g.set.Logger.Warn("the condition of a policy failed and was taken as not holding", zap.String("policy", s.Policy),
				zap.String("failure", s.Error))
		}
	}
}
