package saas

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Tenant is an instance opened in this process: what processors, the control socket and the console see of it.
type Tenant struct{ tenant }

type tenant struct{ c *core }

// registry holds the running tenants of the process.
var registry struct {
	sync.Mutex
	cores []*core
}

func register(c *core) {
	registry.Lock()
	defer registry.Unlock()
	registry.cores = append(registry.cores, c)
}

func unregister(c *core) {
	registry.Lock()
	defer registry.Unlock()
	registry.cores = slices.DeleteFunc(registry.cores, func(o *core) bool { return o == c })
}

// Tenants lists the open tenants, ordered by ID.
func Tenants() []*Tenant {
	registry.Lock()
	defer registry.Unlock()
	ts := make([]*Tenant, 0, len(registry.cores))
	for _, c := range registry.cores {
		ts = append(ts, &Tenant{tenant{c}})
	}
	slices.SortFunc(ts, func(a, b *Tenant) int { return strings.Compare(a.ID(), b.ID()) })
	return ts
}

// Find gives the tenant whose records carry this event.module and saas.tenant, or nil.
func Find(module, tenantName string) *Tenant {
	registry.Lock()
	defer registry.Unlock()
	for _, c := range registry.cores {
		if c.module() == module && c.tenantName() == tenantName {
			return &Tenant{tenant{c}}
		}
	}
	return nil
}

// ID is the component id: "okta/acme".
func (t *Tenant) ID() string { return t.c.id.String() }

// Name is saas.tenant: "acme", or "okta" for an id without a name.
func (t *Tenant) Name() string { return t.c.tenantName() }

// Provider is the application.
func (t *Tenant) Provider() *Provider { return t.c.provider }

// Rights is what the credential holds; nil until it was asked.
func (t *Tenant) Rights() *Rights { return t.c.rightsNow() }

// Action finds an action by verb.
func (t *Tenant) Action(verb string) (Action, bool) {
	i := slices.IndexFunc(t.c.inst.Actions, func(a Action) bool { return a.Verb == verb })
	if i < 0 {
		return Action{}, false
	}
	return t.c.inst.Actions[i], true
}

// Conn sends with the priority of actions, and sends nothing twice that may have been done.
func (t *Tenant) Conn() *Conn { return &Conn{conn{link: t.c.link, prio: prioAction, careful: true}} }

// Disable stops reading within a second and stays across restarts.
func (t *Tenant) Disable(ctx context.Context) error {
	c := t.c
	if err := c.state.Set(ctx, rowDisabled, []byte{1}); err != nil {
		return fmt.Errorf("disable %s: %w", c.id, err)
	}
	c.mu.Lock()
	c.disabled = true
	c.cancel()
	c.mu.Unlock()
	done := make(chan struct{})
	go func() { c.wg.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("disable %s: readings under way did not end: %w", c.id, ctx.Err())
	}
}

// Enable goes on from the marks.
func (t *Tenant) Enable(ctx context.Context) error {
	c := t.c
	if err := c.state.Delete(ctx, rowDisabled); err != nil {
		return fmt.Errorf("enable %s: %w", c.id, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.disabled {
		c.disabled = false
		c.renew()
		c.poke()
	}
	return nil
}

// Status is the state of a tenant at one moment.
type Status struct {
	ID       string         `json:"id"`
	Module   string         `json:"module"`
	Tenant   string         `json:"tenant"`
	Endpoint string         `json:"endpoint"`
	Disabled bool           `json:"disabled"`
	Health   string         `json:"health"` // "ok", "starting", or why it is not
	Requests int64          `json:"requests"`
	Throttle int64          `json:"throttled"`
	Rights   *Rights        `json:"rights,omitempty"`
	Streams  []StreamStatus `json:"streams"`
}

// StreamStatus is the state of one stream.
type StreamStatus struct {
	Name        string        `json:"name"`
	Kind        string        `json:"kind"`
	Off         string        `json:"off,omitempty"` // why it is off; "" = on
	Parts       int           `json:"parts"`         // open parts
	Behind      int           `json:"behind"`        // of these, parts that are due or being read
	Events      int64         `json:"events"`        // accepted by the pipeline since start
	Duplicates  int64         `json:"duplicates"`
	Late        int64         `json:"late"`
	SetAside    int64         `json:"set_aside"`
	Gaps        int64         `json:"gaps"`
	Lag         time.Duration `json:"lag_ns"` // behind the provider
	LastSuccess time.Time     `json:"last_success,omitzero"`
	LastError   string        `json:"last_error,omitempty"`
	Complete    bool          `json:"complete"`            // an entity stream: every part's walk once saw everything
	Judged      int64         `json:"judged,omitempty"`    // a content stream: files judged since start; its parts are the unread ones
	Fetched     int64         `json:"fetched,omitempty"`   // bytes of their content that were read
	Postponed   int64         `json:"postponed,omitempty"` // changed files that wait for the next walk, so many are unread
}

// Status reports the state of the tenant.
func (t *Tenant) Status() Status {
	c := t.c
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Status{
		ID: c.id.String(), Module: c.module(), Tenant: c.tenantName(), Endpoint: c.link.base.String(), Disabled: c.disabled,
		Health: c.health, Rights: c.rights, Requests: c.link.stats.requests.Load(), Throttle: c.link.stats.throttled.Load(),
	}
	now := time.Now()
	for _, st := range c.order {
		s.Streams = append(s.Streams, st.status(now))
		s.Streams[len(s.Streams)-1].Off = c.whyOff(st)
	}
	return s
}

func (st *streamState) status(now time.Time) StreamStatus {
	s := StreamStatus{
		Name: st.Name, Kind: st.Kind.String(), Parts: len(st.parts), Events: st.stats.events.Load(),
		Duplicates: st.stats.duplicates.Load(), Late: st.stats.late.Load(), SetAside: st.stats.setAside.Load(),
		Gaps: st.stats.gaps.Load(), Judged: st.stats.judged.Load(), Fetched: st.stats.fetched.Load(),
		Postponed: st.stats.postponed.Load(), LastError: st.lastErr, Complete: st.entity(),
	}
	if n := st.stats.success.Load(); n != 0 {
		s.LastSuccess = time.Unix(0, n)
	}
	if newest := st.stats.newestSeen(); !newest.IsZero() {
		s.Lag = max(0, now.Sub(newest))
	}
	for _, p := range st.parts {
		s.Complete = s.Complete && p.row.Whole
		if p.running || !p.due.After(now) {
			s.Behind++
		}
	}
	return s
}
