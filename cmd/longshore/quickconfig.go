package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// quickConfig is the configuration of quickstart: what an agent.yaml for the same pipeline would say.
func quickConfig(f quickFlags, tenants []rehearsed) (string, error) {
	type m = map[string]any
	receivers, ids := m{}, []string{}
	for _, t := range tenants {
		cfg := t.sim.Config(t.base)
		cfg["storage"] = "file_storage"
		receivers[t.id()] = cfg
		ids = append(ids, t.id())
	}
	logs := m{"level": "error", "encoding": "console", "disable_stacktrace": true}
	extensions := m{"file_storage": m{"directory": filepath.Join(f.data, "state"), "fsync": !f.once, "create_directory": true}}
	use := []string{"file_storage"}
	if !f.once {
		extensions["control"] = m{"socket": filepath.Join(f.data, "control.sock")}
		use = append(use, "control")
		logs["level"], logs["output_paths"] = "info", []string{filepath.Join(f.data, "longshore.log")}
	}
	b, err := yaml.Marshal(m{
		"extensions": extensions,
		"receivers":  receivers,
		"processors": m{"dlp": m{}, "governance": m{"mode": "dry_run", "policies": samplePolicies()}},
		"exporters":  m{"sqlite": m{"path": filepath.Join(f.data, "longshore.db")}},
		"service": m{
			"extensions": use,
			"telemetry":  m{"logs": logs, "metrics": m{"level": "none"}},
			"pipelines": m{"logs": m{"receivers": ids, "processors": []string{"dlp", "governance"},
				"exporters": []string{"sqlite"}}},
		},
	})
	if err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	return strings.ReplaceAll(string(b), "$", "$$"), nil
}

// samplePolicies are policies that have something to say about simulated tenants, of kinds that a real organisation has:
// somebody guesses passwords, an administrator is made, an account is left over, an app may do too much.
func samplePolicies() []map[string]any {
	type m = map[string]any
	return []m{
		{
			"name": "repeated failed sign-ins", "kind": "activity",
			"when":      `event.category.exists(c, c == "authentication") && event.outcome == "failure"`,
			"threshold": m{"count": 3, "window": "6h", "by": "user.id"},
			"actions":   []string{"revoke_sessions"},
		},
		{
			"name": "sign-in reported as suspicious", "kind": "activity",
			"when":    `event.action == "user.account.report_suspicious_activity_by_enduser"`,
			"actions": []string{"revoke_sessions", "expire_password"}, "severity": 3,
		},
		{
			"name": "account unused for two weeks", "kind": "account",
			"when": `entity.type == "user" && saas.entity.status == "active" && has(entity.lifecycle.last_activity) &&
				timestamp(entity.lifecycle.last_activity) < now - duration("336h")`,
			"actions": []string{"suspend_user"},
		},
		{
			"name": "app may manage users or groups", "kind": "app",
			"when":    `saas.grant.scopes.exists(s, s == "okta.users.manage" || s == "okta.groups.manage")`,
			"actions": []string{"revoke_grant"}, "severity": 2,
		},
		{
			"name": "card data behind a public link", "kind": "file",
			"when": `has(saas.share) && saas.share.visibility == "public" && has(finding.types) &&
				finding.types.exists(t, t.startsWith("pci."))`,
			"actions": []string{"remove_public_link", "quarantine_file"}, "severity": 4,
		},
		{
			"name": "an administrator was made", "kind": "activity",
			"when":     `event.action == "user.account.privilege.grant"`,
			"severity": 2,
		},
	}
}
