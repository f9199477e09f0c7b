package sqlite

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// DefaultPath is where the store is when nothing else is said.
const DefaultPath = "./data/longshore.db"

// Config is what a user writes below `sqlite:`.
type Config struct {
	// Path is the file of the store; it and its folder are made when missing. It must be on a local disk. Default:
	// ./data/longshore.db.
	Path string `mapstructure:"path"`
	// DropOriginal leaves the provider's raw object (event.original) out. Default: false.
	DropOriginal bool `mapstructure:"drop_original"`
	// Namespace is data_stream.namespace in documents. Default: saas.
	Namespace string `mapstructure:"namespace"`
	// Timeout bounds one attempt to write a batch of records. Default: 30s.
	Timeout time.Duration `mapstructure:"timeout"`

	// QueueConfig is a queue before the exporter. Default: none, so that a receiver's mark follows the acknowledgement.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// RetryConfig says how what was refused for now is tried again. Default: after 0.5 s to 30 s, without end.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`
}

func defaultConfig() component.Config {
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval, retry.MaxInterval, retry.MaxElapsedTime = 500*time.Millisecond, 30*time.Second, 0
	return &Config{
		Path: DefaultPath, Namespace: "saas", Timeout: 30 * time.Second,
		QueueConfig: configoptional.Default(exporterhelper.NewDefaultQueueConfig()), RetryConfig: retry,
	}
}

// Validate checks the configuration.
func (c *Config) Validate() error {
	switch {
	case c.Path == "":
		return fmt.Errorf("path is empty: give a file, such as %q", DefaultPath)
	case c.Path == ":memory:" || strings.HasPrefix(c.Path, "file:"):
		return fmt.Errorf("path %q: it must be the name of a file", c.Path)
	case strings.ContainsRune(c.Path, 0):
		return errors.New("path holds a zero byte")
	case c.Namespace == "":
		return errors.New("namespace is empty")
	case c.Timeout < time.Second:
		return fmt.Errorf("timeout %s: it must be at least 1s", c.Timeout)
	}
	return nil
}
