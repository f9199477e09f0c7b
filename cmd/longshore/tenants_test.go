package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// TestATenantWithAWrongTokenAndAThrottledOneDelayNobody: all three are in one process and one pipeline.
func TestATenantWithAWrongTokenAndAThrottledOneDelayNobody(t *testing.T) {
	good, goodAt := fake(t, "okta", sim.Options{Events: 3000, Limits: 20})
	wrong, wrongAt := fake(t, "okta", sim.Options{Events: 3000, Variant: "token"})
	slow, slowAt := fake(t, "okta", sim.Options{Seed: 3, Events: 12000, Limits: 0.02, Variant: "token"}) // two pages of the log a minute
	dir := t.TempDir()
	db := filepath.Join(dir, "longshore.db")
	path := file(t, "agent.yaml", pipeline(dir, obj{
		"okta/a-wrong":     polling(wrong, wrongAt, obj{"auth": obj{"type": "token", "token": "00wrong"}}),
		"okta/b-throttled": polling(slow, slowAt, obj{"quota_share": 1}),
		"okta/c-good":      polling(good, goodAt, nil),
	}, obj{"sqlite": obj{"path": db}}))
	agent := start(t, "--config", path)
	holds(t, db, "okta/c-good", all(good))
	if pages := slow.Seen.Count("GET", "/api/v1/logs", 200); pages > 10 { // it has twelve, for six minutes
		t.Errorf("the good tenant was ready only after the throttled one had read %d pages", pages)
	}
	for _, tenant := range saas.Tenants() {
		switch s := tenant.Status(); s.ID {
		case "okta/a-wrong":
			if !strings.Contains(s.Health, "Invalid token") {
				t.Errorf("%s is %q", s.ID, s.Health)
			}
		case "okta/b-throttled":
			if s.Health != "ok" && s.Health != "starting" {
				t.Errorf("%s is %q", s.ID, s.Health)
			}
			if slow.Seen.Count("", "", 200) == 0 {
				t.Errorf("%s got nothing", s.ID)
			}
		case "okta/c-good":
			if s.Health != "ok" {
				t.Errorf("%s is %q", s.ID, s.Health)
			}
		default:
			t.Errorf("there is a tenant %s", s.ID)
		}
	}
	if n := wrong.Seen.Count("", "", 401); n == 0 || n > 4 {
		t.Errorf("the wrong token was tried %d times", n)
	}
	if code := agent.end(t, 10*time.Second); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, agent.errs)
	}
	if strings.Contains(agent.errs.String(), "00wrong") {
		t.Error("the token is on stderr")
	}
}
