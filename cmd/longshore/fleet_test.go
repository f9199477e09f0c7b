package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// fleet is many tenants of all applications in one process, in virtual time.
type fleet struct {
	net   *simtest.Net
	sims  map[string]*sim.Sim // by saas.tenant
	stops []func()
	logs  []receiver.Logs
}

// start polls the fake of an application as one more tenant.
func (f *fleet) start(t *testing.T, a application, name string, o sim.Options, next consumer.Logs) {
	t.Helper()
	s, err := a.Sim(o)
	if err != nil {
		t.Fatal(err)
	}
	base, stop := f.net.Serve(s.Handler)
	r := saastest.Start(t, *a.Provider, name, f.net, next, s.Config(base), map[string]any{"quota_share": 1.0})
	f.sims[name], f.stops, f.logs = s, append(f.stops, stop), append(f.logs, r)
}

func (f *fleet) end(t *testing.T) {
	for _, r := range f.logs {
		saastest.End(t, r)
	}
	for _, stop := range f.stops {
		stop()
	}
}

// heap is what is in use.
func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

// TestManyTenantsOfAllKindsShareAProcess: nobody's budget is exceeded, no stream starves, and memory does not grow with time. All
// that was published comes out, of each tenant. With LONGSHORE_LONG=1 a hundred tenants for ten hours.
func TestManyTenantsOfAllKindsShareAProcess(t *testing.T) {
	many, hours := 12, 3
	if os.Getenv("LONGSHORE_LONG") != "" {
		many, hours = 100, 10
	}
	apps := apps(t)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 2, 9, 30, 17, 0, time.UTC)))
		came := &arrivals{ids: map[string]map[uint64]bool{}}
		next, err := consumer.NewLogs(came.take)
		if err != nil {
			t.Fatal(err)
		}
		f := &fleet{net: &simtest.Net{}, sims: map[string]*sim.Sim{}}
		defer f.end(t)
		for i := range many {
			o := sim.Options{Seed: int64(i), Events: 100 * hours, Users: 6, Files: 12, Late: 0.05, MaxLag: 10 * time.Minute,
				Start: time.Now().Add(-time.Hour), Span: time.Duration(hours) * time.Hour} // its last hour has no events
			f.start(t, apps[i%len(apps)], fmt.Sprintf("t%d", i), o, next)
		}
		began := time.Now()
		elapse(2 * time.Hour)
		early := heap()
		elapse(time.Until(began.Add(time.Duration(hours) * time.Hour)))
		late := heap()
		t.Logf("%d tenants of %d applications, %d hours: %.0f MB in use after two, %.0f at the end", many, len(apps), hours, early, late)
		if late > early*1.25+8 {
			t.Errorf("%.0f MB were in use after two hours, %.0f after %d", early, late, hours)
		}
		asked := 0
		for _, tenant := range saas.Tenants() {
			s := f.sims[tenant.Name()]
			asked += s.Seen.Count("", "", 0)
			if n := s.Seen.Count("", "", 429); n > 0 {
				t.Errorf("%s: %d requests beyond a budget", tenant.Status().ID, n)
			}
			starved(t, tenant)
			came.complete(t, tenant, s)
		}
		t.Logf("%d requests", asked)
	})
}

// starved says which streams of a tenant were not read when they were due.
func starved(t *testing.T, tenant *saas.Tenant) {
	t.Helper()
	status := tenant.Status()
	if status.Health != "ok" {
		t.Errorf("%s is %q", status.ID, status.Health)
	}
	for _, st := range status.Streams {
		if st.Off != "" || st.Kind == saas.Content.String() || st.Parts == 0 {
			continue
		}
		if since := time.Since(st.LastSuccess); st.LastSuccess.IsZero() || since > 26*time.Hour || st.LastError != "" {
			t.Errorf("%s, %s: read %v ago; %s", status.ID, st.Name, since, st.LastError)
		}
		if st.Kind == saas.SignIn.String() && time.Since(st.LastSuccess) > 10*time.Minute {
			t.Errorf("%s, %s: read %v ago", status.ID, st.Name, time.Since(st.LastSuccess))
		}
	}
}

// arrivals are the ids of what came, by tenant.
type arrivals struct {
	mu  sync.Mutex
	ids map[string]map[uint64]bool
}

func (a *arrivals) take(_ context.Context, logs plog.Logs) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for v := range event.Views(logs) {
		tenant, id := v.Str("saas.tenant"), v.Str("event.id")
		if a.ids[tenant] == nil {
			a.ids[tenant] = map[uint64]bool{}
		}
		a.ids[tenant][sim.KeySum(id)] = true
		a.ids[tenant][sim.KeySum(saas.ObjectKey(id))] = true
	}
	return nil
}

// complete checks that all events that a fake has published came.
func (a *arrivals) complete(t *testing.T, tenant *saas.Tenant, s *sim.Sim) {
	t.Helper()
	for _, st := range tenant.Status().Streams {
		if !slices.Contains(s.Streams, st.Name) || st.Off != "" || st.Kind != saas.SignIn.String() && st.Kind != saas.Audit.String() {
			continue
		}
		lost := 0
		s.Published(st.Name, func(key string) bool {
			if !a.ids[tenant.Name()][sim.KeySum(key)] {
				lost++
			}
			return true
		})
		if lost > 0 {
			t.Errorf("%s, %s: %d of %d did not come", tenant.Status().ID, st.Name, lost, s.Count(st.Name))
		}
	}
}

// elapse lets virtual time pass, until nothing is under way that needs none.
func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
