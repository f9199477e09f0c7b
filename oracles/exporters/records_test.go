package exporters

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/longshore-dev/longshore/internal/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var day = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// batch makes the events from..to-1 of one tenant.
func batch(tenant string, from, to int) plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("event.module", "okta")
	rl.Resource().Attributes().PutStr("saas.tenant", tenant)
	sl := rl.ScopeLogs().AppendEmpty()
	for i := from; i < to; i++ {
		lr := sl.LogRecords().AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(day.Add(time.Duration(i) * time.Second)))
		lr.SetObservedTimestamp(pcommon.NewTimestampFromTime(day.Add(time.Hour)))
		a := lr.Attributes()
		a.PutStr("event.dataset", "okta.system")
		a.PutStr("event.id", fmt.Sprintf("id-%06d", i))
		a.PutStr("event.action", "user.session.start")
		a.PutStr("source.ip", fmt.Sprintf("192.0.2.%d", i%250))
		a.PutStr("user.name", fmt.Sprintf("user%d@acme.example", i%40))
		lr.Body().SetStr(fmt.Sprintf(`{"uuid":"id-%06d",`+"\n "+`"client":{"zone":"zone%d"},"target":[{"alternateId":"t%d"}],`+
			`"unheardOf":"new%d","alsoNew":{"deep":{"er":%d}},"debugContext":{"debugData":{"x":"y%d","requestUri":"/api/v1/_%d_","fill":"%s"}}}`,
			i, i%7, i%7, i%7, i%7, i%7, i%7, strings.Repeat("y", 60)))
	}
	return logs
}

// entity turns a record into a state of an account.
func entity(w event.View, id, name string, read time.Time) {
	w.Log.SetObservedTimestamp(pcommon.NewTimestampFromTime(read))
	a := w.Log.Attributes()
	a.PutStr("event.dataset", "okta.inventory")
	a.PutStr("event.kind", "asset")
	a.PutStr("event.id", id+read.String())
	a.PutStr("entity.type", "user")
	a.PutStr("entity.id", id)
	a.PutStr("user.name", name)
}

func views(l plog.Logs) []event.View { return slices.Collect(event.Views(l)) }

// ids are the ids of records.
func ids(all ...plog.Logs) []string {
	set := map[string]bool{}
	for _, l := range all {
		for w := range event.Views(l) {
			set[w.DocID()] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// running is an exporter between Start and the end of the test.
type running struct {
	exporter.Logs
	t   *testing.T
	log *observer.ObservedLogs
}

// start makes and starts an exporter. What it logs is kept; no log line may hold a secret.
func start(t *testing.T, f exporter.Factory, cfg component.Config, secrets ...string) *running {
	t.Helper()
	if v, ok := cfg.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			t.Fatal(err)
		}
	}
	core, logs := observer.New(zap.DebugLevel)
	set := exportertest.NewNopSettings(f.Type())
	set.Logger = zap.New(core)
	e, err := f.CreateLogs(t.Context(), set, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		for _, line := range logs.All() {
			for _, s := range secrets {
				if text := fmt.Sprint(line.Message, line.ContextMap()); strings.Contains(text, s) {
					t.Errorf("a secret in %s", text)
				}
			}
		}
	})
	return &running{e, t, logs}
}

// send hands a batch over, and fails the test unless it is taken within a minute.
func (r *running) send(logs plog.Logs) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	if err := r.ConsumeLogs(ctx, logs); err != nil {
		r.t.Error(err)
	}
}

// retries is how often a batch was to be tried again.
func (r *running) retries() int { return r.log.FilterMessageSnippet("Will retry").Len() }

// until waits for a condition, at most for a while.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(40 * time.Second); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}

// underLoad sends 60 batches of 100 records while disturb runs, which begins after the tenth.
func underLoad(t *testing.T, r *running, tenant string, disturb func()) plog.Logs {
	t.Helper()
	const batches, size = 60, 100
	begin, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := range batches {
			if i == 10 {
				close(begin)
			}
			r.send(batch(tenant, i*size, (i+1)*size))
		}
	}()
	<-begin
	disturb()
	<-done
	return batch(tenant, 0, batches*size)
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s: %d are there, %d were published; the first %.3q", what, len(got), len(want), got[:min(3, len(got))])
	}
}
