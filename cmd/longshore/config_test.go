package main

import (
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/sim"
)

func TestValidateSaysWhatIsWrongWithAConfiguration(t *testing.T) {
	s, base := fake(t, "okta", sim.Options{Variant: "token"})
	f := func(want int, says string, rcv obj, more ...func(cfg obj)) {
		t.Helper()
		path := file(t, "agent.yaml", pipeline(t.TempDir(), obj{"okta/acme": polling(s, base, rcv)}, obj{"sqlite": obj{"path": "x.db"}}, more...))
		code, _, errs := call(t, "", "validate", "--config", path)
		if code != want || !strings.Contains(errs, says) || strings.Contains(errs, "panic") {
			t.Errorf("exit code %d, want %d and %q on stderr; got:\n%s", code, want, says, errs)
		}
		if code != exitOK && !strings.Contains(errs, "okta/acme") && !strings.Contains(errs, "sqlite") && !strings.Contains(errs, "governance") {
			t.Errorf("the error does not name the component:\n%s", errs)
		}
	}
	f(exitOK, "", nil)
	f(exitFailed, `unknown key "storrage": did you mean "storage"?`, obj{"storrage": "file_storage"})
	f(exitFailed, `did you mean "token"?`, obj{"auth": obj{"type": "token", "tokn": "x"}})
	f(exitFailed, `did you mean "system_log"?`, obj{"streams": obj{"sytem_log": obj{"interval": "1m"}}})
	f(exitFailed, "storage is missing: name a storage extension", obj{"storage": nil})
	f(exitFailed, `"https://acme okta"`, obj{"endpoint": "https://acme okta"})
	f(exitFailed, `"acme.okta.com" is no URL`, obj{"endpoint": "acme.okta.com"})
	f(exitFailed, "is the Admin Console", obj{"endpoint": "https://acme-admin.okta.com"})
	f(exitFailed, "plain http is spoken with this machine only: use https", obj{"endpoint": "http://acme.okta.com"})
	f(exitFailed, "start_at", obj{"start_at": "yesterday"})
	f(exitFailed, "quota_share", obj{"quota_share": 2})
	f(exitFailed, "streams.users.interval", obj{"streams": obj{"users": obj{"interval": "1ms"}}})
	f(exitFailed, `"pth" is not known; did you mean "path"?`, nil, func(cfg obj) {
		cfg["exporters"] = obj{"sqlite": obj{"pth": "x.db"}}
	})
	f(exitFailed, `nothing is called "evnt": did you mean "event"?`, nil, func(cfg obj) {
		cfg["processors"] = obj{"governance": obj{"policies": []obj{{"name": "x", "kind": "activity", "when": `evnt.action == "a"`}}}}
		cfg["service"].(obj)["pipelines"].(obj)["logs"].(obj)["processors"] = []string{"governance"}
	})
}

func TestAnAgentRefusesWhatValidateRefuses(t *testing.T) {
	s, base := fake(t, "okta", sim.Options{Variant: "token"})
	path := file(t, "agent.yaml", pipeline(t.TempDir(), obj{"okta": polling(s, base, obj{"storrage": "x"})}, obj{"debug": obj{}}))
	if code, _, errs := call(t, "", "--config", path); code != exitFailed || !strings.Contains(errs, `did you mean "storage"?`) {
		t.Errorf("exit code %d:\n%s", code, errs)
	}
}
