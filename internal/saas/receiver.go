package saas

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/event"
)

// factory is a receiver factory that knows its provider.
type factory struct {
	receiver.Factory
	provider *Provider
}

// NewFactory makes the collector component of a provider.
func NewFactory(p Provider) receiver.Factory {
	event.RegisterVendor(p.Vendor)
	create := func(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
		return newReceiver(&p, set, cfg.(*Config), next)
	}
	f := receiver.NewFactory(component.MustNewType(p.Name), func() component.Config { return defaultConfig(&p) },
		receiver.WithLogs(create, component.StabilityLevelBeta))
	return factory{Factory: f, provider: &p}
}

// ProviderOf finds the provider behind a component factory.
func ProviderOf(f component.Factory) (*Provider, bool) {
	own, ok := f.(factory)
	if !ok {
		return nil, false
	}
	return own.provider, true
}

// pollReceiver is the collector component around a core.
type pollReceiver struct {
	core *core
	set  receiver.Settings
	tele *telemetry
}

func newReceiver(p *Provider, set receiver.Settings, cfg *Config, next consumer.Logs) (*pollReceiver, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: "http", ReceiverCreateSettings: set, LongLivedCtx: true,
	})
	if err != nil {
		return nil, fmt.Errorf("make telemetry of %s: %w", set.ID, err)
	}
	c := &core{id: set.ID, provider: p, cfg: cfg, log: set.Logger, next: next, obs: obs, version: set.BuildInfo.Version}
	return &pollReceiver{core: c, set: set}, nil
}

// Start connects nothing yet: it opens the state and starts the scheduler.
func (r *pollReceiver) Start(ctx context.Context, host component.Host) error {
	c := r.core
	c.report = func(e *componentstatus.Event) { componentstatus.ReportStatus(host, e) }
	if err := c.connect(ctx, host, r.set.TelemetrySettings); err != nil {
		return fmt.Errorf("start %s: %w", c.id, err)
	}
	state, err := c.openStorage(ctx, host)
	if err != nil {
		return fmt.Errorf("start %s: %w", c.id, err)
	}
	c.state = state
	if r.tele, err = newTelemetry(r.set.TelemetrySettings, c); err != nil {
		return fmt.Errorf("start %s: %w", c.id, err)
	}
	if err := c.begin(ctx); err != nil {
		return fmt.Errorf("start %s: %w", c.id, err)
	}
	register(c)  // before anything is handed on: processors look for the tenant
	c.newJudge() // one may have come meanwhile
	go c.loop(c.parent)
	return nil
}

// Shutdown ends the readings; what was not accepted is read again.
func (r *pollReceiver) Shutdown(ctx context.Context) error {
	c := r.core
	unregister(c)
	if r.tele != nil {
		r.tele.end()
	}
	if err := c.end(ctx); err != nil {
		return err
	}
	if c.link != nil {
		c.link.pool.close()
	}
	if c.state != nil {
		return c.state.Close(ctx)
	}
	return nil
}

// connect builds the instance and its one HTTP client.
func (t *core) connect(ctx context.Context, host component.Host, set component.TelemetrySettings) error {
	l := &link{timeout: t.cfg.HTTP.Timeout, maxBody: defaultMaxBody, agent: "longshore/" + t.version, log: t.log}
	if l.timeout <= 0 {
		l.timeout = time.Minute
	}
	inst, err := t.cfg.open(l.vendorNow)
	if err != nil {
		return err
	}
	if l.base, err = parseBase(inst.Base); err != nil {
		return err
	}
	hc := t.cfg.HTTP
	hc.Timeout = 0 // ours runs between two reads: a long page may take long
	client, pool, err := newClient(ctx, hc, host, set)
	if err != nil {
		return err
	}
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error { return l.redirect(req, via) }
	l.inst, l.client, l.pool = inst, client, pool
	l.budgets = newBudgets(inst.Budgets, t.cfg.QuotaShare, l.vendorNow)
	l.tokens = &tokens{auth: inst.Auth, now: l.vendorNow, held: map[string]*heldToken{}, conn: &Conn{conn{link: l, prio: prioAction}}}
	t.inst, t.link = inst, l
	return nil
}

func (t *core) openStorage(ctx context.Context, host component.Host) (storage.Client, error) {
	if t.cfg.Storage == noStorage {
		t.log.Warn("storage is none: every restart begins again at start_at", zap.Stringer("receiver", t.id))
		return NewMemory(), nil
	}
	var id component.ID
	if err := id.UnmarshalText([]byte(t.cfg.Storage)); err != nil {
		return nil, fmt.Errorf("storage %q: %w", t.cfg.Storage, err)
	}
	ext, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("storage %q: there is no such extension: add it to extensions and to service.extensions", t.cfg.Storage)
	}
	st, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage %q: that extension stores nothing", t.cfg.Storage)
	}
	c, err := st.GetClient(ctx, component.KindReceiver, t.id, "")
	if err != nil {
		return nil, fmt.Errorf("open storage %q: %w", t.cfg.Storage, err)
	}
	return c, nil
}
