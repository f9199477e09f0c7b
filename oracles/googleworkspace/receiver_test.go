package googleworkspace

import (
	"context"
	"maps"
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
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/receivers/googleworkspace"
)

// delivery takes what the receiver hands on, by the vendor's key.
type delivery struct {
	mu   sync.Mutex
	got  map[string]bool
	came chan struct{}
}

func (d *delivery) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (d *delivery) ConsumeLogs(_ context.Context, l plog.Logs) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for v := range event.Views(l) {
		id := strings.Clone(v.Str("event.id"))
		if at := strings.LastIndexByte(id, '@'); at > 0 && v.Str("saas.inventory.run_id") != "" {
			for id = id[:at]; id != ""; _, id, _ = strings.Cut(id, "/") { // stream/part/key
				d.got[id] = true
			}
			continue
		}
		d.got[saas.ObjectKey(id)] = true
	}
	select {
	case d.came <- struct{}{}:
	default:
	}
	return nil
}

// missing is the first key that is published and did not come.
func (d *delivery) missing(c *customer) (key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, stream := range c.Streams {
		c.Published(stream, func(k string) bool {
			if !d.got[k] {
				key = stream + ": " + k
			}
			return key == ""
		})
	}
	return key
}

// TestOurReadingIsAsGoogleDescribesIt runs our receiver until it has read everything: every request and every answer is as the
// discovery documents say.
func TestOurReadingIsAsGoogleDescribesIt(t *testing.T) {
	c := serve(t, small)
	d := c.poll(t, map[string]any{"start_at": "100h"})
	for late := time.After(2 * time.Minute); d.missing(c) != ""; {
		select {
		case <-d.came:
		case <-late:
			t.Fatalf("not delivered in two minutes: %s", d.missing(c))
		}
	}
	c.conforms(t)
}

// poll runs our receiver until the test ends.
func (c *customer) poll(t *testing.T, keys map[string]any) *delivery {
	t.Helper()
	f := googleworkspace.NewFactory()
	cfg := f.CreateDefaultConfig()
	set := c.Config(c.base)
	set["storage"], set["quota_share"] = "none", 1
	maps.Copy(set, keys)
	must(t, confmap.NewFromStringMap(set).Unmarshal(cfg))
	settings := receivertest.NewNopSettings(f.Type())
	settings.ID = component.MustNewIDWithName("googleworkspace", "contoso")
	d := &delivery{got: map[string]bool{}, came: make(chan struct{}, 1)}
	r, err := f.CreateLogs(t.Context(), settings, cfg, d)
	must(t, err)
	must(t, r.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		if err := r.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return d
}
