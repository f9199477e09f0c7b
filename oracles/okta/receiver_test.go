package okta

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/receivers/okta"
)

// delivery takes what the receiver hands on.
type delivery struct {
	mu   sync.Mutex
	got  sets
	came chan struct{}
}

func (d *delivery) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (d *delivery) ConsumeLogs(_ context.Context, l plog.Logs) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for w := range event.Views(l) {
		if stream, key := named(w); stream != "" {
			d.got.add(stream, strings.Clone(key))
		}
	}
	select {
	case d.came <- struct{}{}:
	default:
	}
	return nil
}

// named is the stream of a record and the vendor's key. The id of an entity's state is "stream/part/key@walk:hash"; the
// walk, "stream/part#number", stands beside it.
func named(w event.View) (stream, key string) {
	id, run := w.Str("event.id"), w.Str("saas.inventory.run_id")
	if run == "" {
		if w.Str("event.dataset") != "okta.system" {
			return "", ""
		}
		return "system_log", id
	}
	part := run[:strings.LastIndexByte(run, '#')]
	stream, _, whole := strings.Cut(part, "/")
	if !whole {
		part += "/"
	}
	key, ok := strings.CutPrefix(id, part+"/")
	if at := strings.LastIndexByte(key, '@'); ok && at > 0 && w.Str("event.kind") == "asset" {
		return stream, key[:at]
	}
	return "", ""
}

// delivered runs the receiver until it has delivered as many keys of these streams as were published.
func delivered(t *testing.T, o org, streams []string) *sets {
	t.Helper()
	f := okta.NewFactory()
	cfg := f.CreateDefaultConfig()
	set := o.Config(o.base)
	set["storage"], set["quota_share"] = "none", 1
	if o.ca != "" {
		set["tls"] = map[string]any{"ca_file": o.ca}
	}
	if err := confmap.NewFromStringMap(set).Unmarshal(cfg); err != nil {
		t.Fatal(err)
	}
	settings := receivertest.NewNopSettings(f.Type())
	settings.ID = component.MustNewIDWithName("okta", "acme")
	d := &delivery{came: make(chan struct{}, 1)}
	r, err := f.CreateLogs(t.Context(), settings, cfg, d)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	late := time.After(2 * time.Minute)
	for !d.has(o, streams) {
		select {
		case <-d.came:
		case <-late:
			t.Error("not everything was delivered in two minutes")
			return d.copied()
		}
	}
	return d.copied()
}

func (d *delivery) has(o org, streams []string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !slices.ContainsFunc(streams, func(s string) bool { return len(d.got.keys[s]) < o.Count(s) })
}

func (d *delivery) copied() *sets {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &sets{maps.Clone(d.got.keys), slices.Clone(d.got.twice)}
}

// alike checks that the receiver delivered what somebody else read.
func alike(t *testing.T, got *sets, who string, other *sets, streams []string) {
	t.Helper()
	for _, stream := range streams {
		if a, b := got.sorted(stream), other.sorted(stream); !slices.Equal(a, b) {
			t.Errorf("%s: the receiver delivered %d, %s read %d; missing %q, extra %q", stream, len(a), who, len(b), without(b, a), without(a, b))
		}
	}
	if len(got.twice) > 0 {
		t.Errorf("the receiver delivered %d twice, the first %s", len(got.twice), got.twice[0])
	}
}
