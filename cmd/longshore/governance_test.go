package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/store"
)

// receipt is what the test below reads of a stored receipt.
type receipt struct {
	Event struct{ Action, Outcome, Reason string }
	SAAS  struct {
		Activity string
		Action   struct{ ID, Mode string }
	}
}

// TestActionsOnASimulatedOrgAreDoneUpToTheCap: an enforced policy that holds for every active user of an org suspends as many
// as the cap allows, never the agent's own account, and no more of them after a restart.
func TestActionsOnASimulatedOrgAreDoneUpToTheCap(t *testing.T) {
	const allowed = 3
	org, at := fake(t, "okta", sim.Options{Events: 50, Limits: 20, Variant: "token"})
	dir := t.TempDir()
	db := filepath.Join(dir, "longshore.db")
	text := pipeline(dir, obj{"okta/acme": polling(org, at, nil)}, obj{"sqlite": obj{"path": db}}, func(cfg obj) {
		cfg["processors"] = obj{"governance": obj{"storage": "file_storage", "max_actions_per_hour": allowed, "policies": []obj{{
			"name": "nobody works today", "kind": "account", "mode": "enforce", "actions": []string{"suspend_user"},
			"when": `entity.type == "user" && saas.entity.status == "active"`,
		}}}}
		cfg["service"].(obj)["pipelines"].(obj)["logs"].(obj)["processors"] = []string{"governance"}
	})
	path := file(t, "agent.yaml", text)
	var held map[string]int
	count := func() string {
		held = map[string]int{}
		r, err := store.OpenReader(t.Context(), db)
		if err != nil {
			return err.Error()
		}
		defer r.Close()
		_, err = since(t.Context(), r, 0, func(_ int64, doc []byte) error {
			var d document
			var c receipt
			if err := json.Unmarshal(doc, &d); err != nil || d.Event.Dataset != "saas.action" {
				return err
			}
			if err := json.Unmarshal(doc, &c); err != nil {
				return err
			}
			held[c.SAAS.Activity+" "+c.Event.Outcome]++
			if strings.HasSuffix(c.Event.Reason, " is the agent's own account") && c.Event.Outcome == "failure" {
				held["own"]++
			}
			return nil
		})
		if err != nil {
			return err.Error()
		}
		if held["action_result success"] < allowed || held["own"] != 1 || held["action_requested "] < allowed+2 {
			return fmt.Sprint("the receipts are ", held)
		}
		return ""
	}
	for range 2 {
		lives := org.Seen.Count("GET", "/api/v1/org", 200)
		agent := start(t, "--config", path)
		wait(t, func() string {
			if org.Seen.Count("GET", "/api/v1/org", 200) == lives {
				return "the rights of the credential were not read"
			}
			return count()
		})
		if code := agent.end(t, 10*time.Second); code != exitOK {
			t.Fatalf("exit code %d:\n%s", code, agent.errs)
		}
	}
	if n := org.Seen.Count("POST", "/api/v1/users/{user}/lifecycle/suspend", 0); n != allowed || held["action_result success"] != allowed {
		t.Fatalf("%d suspensions were sent, want %d; receipts %v", n, allowed, held)
	}
}
