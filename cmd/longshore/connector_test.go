package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/extensions/control"
	"github.com/longshore-dev/longshore/internal/sim"
)

// TestDisableRestartEnableLeavesNoGap: events go on being published while the tenant is off and the agent restarts.
func TestDisableRestartEnableLeavesNoGap(t *testing.T) {
	s, base := fake(t, "okta", sim.Options{Events: 1200, Start: time.Now().Add(-30 * time.Second), Span: 33 * time.Second, Limits: 20})
	dir := shortDir(t)
	db, socket := filepath.Join(dir, "longshore.db"), filepath.Join(dir, "control.sock")
	rcv := polling(s, base, obj{"streams": obj{"system_log": obj{"interval": "1s"}}, "quota_share": 1})
	path := file(t, "agent.yaml", pipeline(dir, obj{"okta/acme": rcv}, obj{"sqlite": obj{"path": db}}, func(cfg obj) {
		cfg["extensions"].(obj)["control"] = obj{"socket": socket}
		cfg["service"].(obj)["extensions"] = []string{"file_storage", "control"}
	}))
	connector := func(args ...string) control.Connector {
		t.Helper()
		code, out, errs := call(t, "", append([]string{"connector", "--json", "--socket", socket}, args...)...)
		if code != exitOK {
			t.Fatalf("connector %v: exit code %d, %s", args, code, errs)
		}
		if args[0] != "list" {
			return decode[control.Connector](t, out)
		}
		list := decode[struct{ Connectors []control.Connector }](t, out).Connectors
		if len(list) != 1 {
			t.Fatalf("got %+v", list)
		}
		return list[0]
	}
	first := start(t, "--config", path)
	wait(t, func() string {
		if s.Seen.Count("GET", "/api/v1/logs", 200) < 2 {
			return "the log is not read"
		}
		return ""
	})
	s.Faults.Share(1, "GET /api/v1/logs", sim.Fault{Kind: sim.Hang}) // a request that does not end must not hold it up
	wait(t, func() string {
		if s.Faults.Hits() == 0 {
			return "no request hangs"
		}
		return ""
	})
	began := time.Now()
	if c := connector("disable", "okta/acme"); !c.Disabled || c.ID != "okta/acme" {
		t.Errorf("got %+v", c)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("disable took %v, want a second at most", took)
	}
	s.Faults.Clear()
	asked := s.Seen.Count("", "", 0)
	if code := first.end(t, 10*time.Second); code != exitOK {
		t.Fatalf("the agent ended with %d:\n%s", code, first.errs)
	}
	second := start(t, "--config", path)
	wait(t, func() string { // the socket is there before the receiver
		if _, out, _ := call(t, "", "connector", "list", "--socket", socket); !strings.Contains(out, "okta/acme") {
			return "the receiver is not there: " + out
		}
		return ""
	})
	if c := connector("list"); !c.Disabled {
		t.Errorf("after a restart: %+v", c)
	}
	if code, out, _ := call(t, "", "connector", "list", "--socket", socket); code != exitOK || !strings.Contains(out, "okta/acme: disabled") {
		t.Errorf("exit code %d and\n%s", code, out)
	}
	if n := s.Seen.Count("", "", 0); n != asked {
		t.Errorf("%d requests were made while it was disabled", n-asked)
	}
	if code, _, errs := call(t, "", "connector", "enable", "okta/acm", "--socket", socket); code != exitFailed ||
		!strings.Contains(errs, `no connector "okta/acm"`) {
		t.Errorf("exit code %d, %q", code, errs)
	}
	if c := connector("enable", "okta/acme"); c.Disabled {
		t.Errorf("got %+v", c)
	}
	wait(t, func() string {
		if n := s.Count("system_log"); n < 1200 {
			return "the fake still publishes"
		}
		return ""
	})
	holds(t, db, "okta/acme", all(s))
	if code, out, _ := call(t, "", "connector", "list", "--socket", socket); code != exitOK || !strings.Contains(out, "system_log") ||
		!strings.Contains(out, "okta/acme: ok") {
		t.Errorf("exit code %d and\n%s", code, out)
	}
	if code := second.end(t, 10*time.Second); code != exitOK {
		t.Errorf("the agent ended with %d:\n%s", code, second.errs)
	}
}
