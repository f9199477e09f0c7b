package sqlite

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// NewFactory makes the factory of the exporter "sqlite".
func NewFactory() exporter.Factory {
	return exporter.NewFactory(component.MustNewType("sqlite"), defaultConfig, exporter.WithLogs(create, component.StabilityLevelBeta))
}

func create(ctx context.Context, set exporter.Settings, c component.Config) (exporter.Logs, error) {
	cfg, ok := c.(*Config)
	if !ok {
		return nil, fmt.Errorf("configuration of %s has type %T", set.ID, c)
	}
	return newLogs(ctx, newSink(set, cfg))
}

func newLogs(ctx context.Context, s *sink) (exporter.Logs, error) {
	return exporterhelper.NewLogs(ctx, s.set, s.cfg, s.push,
		exporterhelper.WithStart(s.start),
		exporterhelper.WithShutdown(s.shutdown),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: s.cfg.Timeout}),
		exporterhelper.WithRetry(s.cfg.RetryConfig),
		exporterhelper.WithQueue(s.cfg.QueueConfig),
	)
}
