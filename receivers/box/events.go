package box

import "github.com/longshore-dev/longshore/internal/saas"

// activity is the event stream.
func activity(c *Config) []saas.Stream { return nil }
