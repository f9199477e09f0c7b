package geoip

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
)

// NewFactory makes the factory of the processor "geoip".
func NewFactory() processor.Factory {
	return processor.NewFactory(component.MustNewType("geoip"), defaultConfig, processor.WithLogs(create, component.StabilityLevelBeta))
}

func create(_ context.Context, set processor.Settings, c component.Config, next consumer.Logs) (processor.Logs, error) {
	cfg, ok := c.(*Config)
	if !ok {
		return nil, fmt.Errorf("configuration of %s has type %T", set.ID, c)
	}
	return newLocator(set, cfg, next)
}
