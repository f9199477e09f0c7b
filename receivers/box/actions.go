package box

import "github.com/longshore-dev/longshore/internal/saas"

// actions are what the agent can change.
func actions(c *Config) []saas.Action { return nil }
