package saastest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// Host is a host whose receivers dial through n.
type Host struct{ n *simtest.Net }

// GetExtensions is component.Host's.
func (h Host) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{simtest.NetID: h.n}
}

// Start starts the receiver of a provider, named name, that polls through n and keeps no state; later ones of the configurations
// win. Its records go to next.
func Start(t *testing.T, p saas.Provider, name string, n *simtest.Net, next consumer.Logs, configs ...map[string]any) (r receiver.Logs) {
	t.Helper()
	f, all := saas.NewFactory(p), map[string]any{"storage": "none", "middlewares": simtest.Middlewares()}
	for _, c := range configs {
		maps.Copy(all, c)
	}
	cfg := f.CreateDefaultConfig().(*saas.Config)
	if err := cfg.Unmarshal(confmap.NewFromStringMap(all)); err != nil {
		t.Fatal(err)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	set := receivertest.NewNopSettings(f.Type())
	set.ID = component.NewIDWithName(f.Type(), name)
	r, err := f.CreateLogs(t.Context(), set, cfg, next)
	if err == nil {
		err = r.Start(t.Context(), Host{n})
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Only is the key streams of a configuration that turns off every stream of a provider but these.
func Only(t testing.TB, p *saas.Provider, streams ...string) map[string]any {
	t.Helper()
	all, err := p.Declared()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	for _, st := range all {
		out[st.Name] = map[string]any{"enabled": slices.Contains(streams, st.Name)}
	}
	return out
}

// End ends a receiver.
func End(t *testing.T, r receiver.Logs) {
	t.Helper()
	if err := r.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}

// Lookup is a member of a document by its dotted name; nil = there is none.
func Lookup(doc map[string]any, name string) any {
	var at any = doc
	for step := range strings.SplitSeq(name, ".") {
		m, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = m[step]
	}
	return at
}
