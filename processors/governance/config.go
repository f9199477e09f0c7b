package governance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/policy"
)

// Config is what a user writes below `governance:`.
type Config struct {
	// Mode is that of policies that say none: dry_run (plan and write what would be sent), approve (wait for a person) or
	// enforce. Default: dry_run.
	Mode string `mapstructure:"mode"`
	// Policies are asked of every record, in this order. Default: none.
	Policies []policy.Policy `mapstructure:"policies"`
	// Protect names what no policy may ever change.
	Protect ProtectConfig `mapstructure:"protect"`
	// MaxActionsPerHour bounds the actions of one tenant; what is more waits for a person. Default: 20.
	MaxActionsPerHour int `mapstructure:"max_actions_per_hour"`
	// Storage is the storage extension that holds the actions: file_storage. Needed as soon as a policy with actions has
	// the mode approve or enforce. Default: none, dry runs are kept in memory.
	Storage string `mapstructure:"storage"`
	// Keep is how long an action can be undone, and its trigger is known. Default: 2160h, which are 90 days.
	Keep time.Duration `mapstructure:"keep"`
	// Deadline is how long an action may take, with every attempt, until it is given up. Default: 1h.
	Deadline time.Duration `mapstructure:"deadline"`
}

// ProtectConfig names what no policy may ever change.
type ProtectConfig struct {
	// Users are ids, logins or e-mail addresses of accounts. Their roles, grants and credentials are protected as well.
	// The agent's own account always is. Example: ["breakglass@acme.example"].
	Users []string `mapstructure:"users"`
	// Owners are ids or e-mail addresses of accounts whose files are never changed. Example: ["legal@acme.example"].
	Owners []string `mapstructure:"owners"`
}

func defaultConfig() component.Config {
	return &Config{Mode: action.DryRun, MaxActionsPerHour: 20, Keep: 90 * 24 * time.Hour, Deadline: time.Hour}
}

// Validate checks the configuration, and compiles the policies.
func (c *Config) Validate() error {
	if !slices.Contains(action.Modes(), c.Mode) {
		return fmt.Errorf("mode %q: it is one of %s", c.Mode, strings.Join(action.Modes(), ", "))
	}
	for key, names := range map[string][]string{"users": c.Protect.Users, "owners": c.Protect.Owners} {
		for i, n := range names {
			if strings.TrimSpace(n) == "" {
				return fmt.Errorf("protect: %s: the name at position %d is empty", key, i+1)
			}
		}
	}
	switch {
	case c.MaxActionsPerHour < 1 || c.MaxActionsPerHour > 10_000:
		return fmt.Errorf("max_actions_per_hour %d: it must be from 1 to 10000", c.MaxActionsPerHour)
	case c.Keep < 24*time.Hour:
		return fmt.Errorf("keep %v: it must be at least 24h", c.Keep)
	case c.Deadline < time.Minute || c.Deadline > 24*time.Hour:
		return fmt.Errorf("deadline %v: it must be from 1m to 24h", c.Deadline)
	}
	set, err := policy.Compile(c.Policies, c.Mode)
	if err != nil {
		return fmt.Errorf("policies: %w", err)
	}
	if c.Storage != "" {
		var id component.ID
		if err := id.UnmarshalText([]byte(c.Storage)); err != nil {
			return fmt.Errorf("storage %q is no component id: %w", c.Storage, err)
		}
		return nil
	}
	var errs []error
	for _, p := range set.Policies() {
		if p.Mode != action.DryRun && len(p.Actions) > 0 {
			errs = append(errs, fmt.Errorf("storage is missing: policy %q has mode %s, and what it does must survive a restart: "+
				"name a storage extension (storage: file_storage)", p.Name, p.Mode))
		}
	}
	return errors.Join(errs...)
}
