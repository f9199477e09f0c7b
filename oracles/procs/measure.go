package procs

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/receivers/okta"
)

// Measures skips what takes minutes and wants an idle machine, unless it is asked for, and says how idle it is.
func Measures(t *testing.T) {
	t.Helper()
	if os.Getenv("LONGSHORE_BENCH") == "" {
		t.Skip("a measurement: set LONGSHORE_BENCH=1 on an idle machine")
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("load before: %s", strings.TrimSpace(string(load)))
}

// LogOnly turns off every stream of Okta but the System Log.
func LogOnly(t testing.TB) M { return saastest.Only(t, &okta.Provider, "system_log") }

// Read reads streams of a fake Okta, which is in another process, by a receiver in this one, until next has closed whole.
func (s *Sim) Read(t testing.TB, streams M, next consumer.Logs, whole <-chan struct{}) {
	t.Helper()
	f := okta.NewFactory()
	cfg := f.CreateDefaultConfig()
	conf := confmap.NewFromStringMap(s.With(M{"storage": "none", "quota_share": 1, "streams": streams}))
	if err := conf.Unmarshal(cfg); err != nil {
		t.Fatal(err)
	}
	set := receivertest.NewNopSettings(f.Type())
	set.ID = component.MustNewIDWithName("okta", "acme")
	r, err := f.CreateLogs(t.Context(), set, cfg, next)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-whole:
	case <-time.After(5 * time.Minute):
		t.Error("the streams are not read within five minutes")
	}
	if err := r.Shutdown(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}
