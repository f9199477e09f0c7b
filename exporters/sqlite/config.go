package sqlite

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/longshore-dev/longshore/internal/store"
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

	// Retention says how long records stay. Default: for ever, and as many as the disk holds.
	Retention RetentionConfig `mapstructure:"retention"`

	// QueueConfig is a queue before the exporter. Default: none, so that a receiver's mark follows the acknowledgement.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// RetryConfig says how what was refused for now is tried again. Default: after 0.5 s to 30 s, without end.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`
}

// RetentionConfig says what is removed, oldest first, in small steps between batches. The last known state of entities stays.
type RetentionConfig struct {
	// MaxAge is how old a record, or what was set aside, may become. Default: 0, any age.
	MaxAge time.Duration `mapstructure:"max_age"`
	// MaxSizeMiB is how large the file may become with its log (64 MiB of it). Default: 0, any size; else at least 256.
	MaxSizeMiB int64 `mapstructure:"max_size_mib"`
}

// keep is what the store understands.
func (c RetentionConfig) keep() store.Retention {
	return store.Retention{MaxAge: c.MaxAge, MaxSize: c.MaxSizeMiB << 20}
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
	case c.Retention.MaxAge != 0 && c.Retention.MaxAge < time.Hour:
		return fmt.Errorf("retention::max_age %s: it must be at least 1h, or 0 for any age", c.Retention.MaxAge)
	case c.Retention.MaxSizeMiB != 0 && c.Retention.keep().MaxSize < store.LeastSize || c.Retention.MaxSizeMiB > math.MaxInt64>>20:
		return fmt.Errorf("retention::max_size_mib %d: it must be at least %d, or 0 for any size", c.Retention.MaxSizeMiB, store.LeastSize>>20)
	}
	return nil
}
