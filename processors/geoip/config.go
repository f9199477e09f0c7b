package geoip

import (
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
)

// Config is what a user writes below `geoip:`.
type Config struct {
	// Databases are files in MaxMind's format (.mmdb) that know cities, countries or networks (ASN). The first that knows a place
	// gives all of it, and the first that knows a network. Example: [GeoLite2-City.mmdb, GeoLite2-ASN.mmdb].
	Databases []string `mapstructure:"databases"`
	// ReloadInterval is how often it is looked whether a file has changed, by its size and time; at least 1s. Default: 1m.
	ReloadInterval time.Duration `mapstructure:"reload_interval"`
}

const maxDatabases = 8

func defaultConfig() component.Config { return &Config{ReloadInterval: time.Minute} }

// Validate checks the configuration.
func (c *Config) Validate() error {
	if n := len(c.Databases); n == 0 || n > maxDatabases {
		return fmt.Errorf("databases: %d listed, want 1 to %d files such as [GeoLite2-City.mmdb, GeoLite2-ASN.mmdb]", n, maxDatabases)
	}
	for i, name := range c.Databases {
		if name == "" || slices.Contains(c.Databases[:i], name) {
			return fmt.Errorf("databases: %q is empty or listed twice", name)
		}
	}
	if c.ReloadInterval < time.Second {
		return fmt.Errorf("reload_interval: %v, want at least 1s", c.ReloadInterval)
	}
	return nil
}
