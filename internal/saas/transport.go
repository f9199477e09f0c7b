package saas

import (
	"context"
	"fmt"
	"maps"
	"net/http"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
)

// pool is the innermost middleware of the client: it changes nothing and remembers the transport, whose connections the
// wrappers around it cannot close.
type pool struct {
	component.StartFunc
	component.ShutdownFunc
	transport http.RoundTripper
}

var poolID = component.MustNewIDWithName("longshore", "pool")

// GetHTTPRoundTripper is extensionmiddleware.HTTPClient's.
func (p *pool) GetHTTPRoundTripper(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
	return func(_ context.Context, rt http.RoundTripper) (http.RoundTripper, error) {
		p.transport = rt
		return rt, nil
	}, nil
}

func (p *pool) close() {
	if c, ok := p.transport.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// newClient makes the one HTTP client of an instance, and its pool.
func newClient(ctx context.Context, hc confighttp.ClientConfig, host component.Host,
	set component.TelemetrySettings) (*http.Client, *pool, error) {
	p := &pool{}
	exts := map[component.ID]component.Component{}
	if host != nil {
		maps.Copy(exts, host.GetExtensions())
	}
	exts[poolID] = p
	hc.Middlewares = append(hc.Middlewares[:len(hc.Middlewares):len(hc.Middlewares)], configmiddleware.Config{ID: poolID})
	c, err := hc.ToClient(ctx, exts, set)
	if err != nil {
		return nil, nil, fmt.Errorf("make HTTP client: %w", err)
	}
	return c, p, nil
}
