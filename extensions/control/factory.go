package control

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/longshore-dev/longshore/internal/saas"
)

// NewFactory makes the extension `control`.
func NewFactory() extension.Factory {
	return extension.NewFactory(
		component.MustNewType("control"),
		func() component.Config { return &Config{Socket: DefaultSocket} },
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return &server{cfg: cfg.(*Config), log: set.Logger, connectors: open}, nil
		},
		component.StabilityLevelDevelopment,
	)
}

// open lists the tenants of this process.
func open() []connector {
	ts := saas.Tenants()
	out := make([]connector, len(ts))
	for i, t := range ts {
		out[i] = t
	}
	return out
}
