package main

import (
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// checked runs check on receivers and gives its answer.
func checked(t *testing.T, receivers obj, more ...func(cfg obj)) (int, checkJSON) {
	t.Helper()
	path := file(t, "agent.yaml", pipeline(t.TempDir(), receivers, obj{"debug": obj{}}, more...))
	code, out, errs := call(t, "", "check", "--json", "--config", path)
	if out == "" {
		t.Fatalf("exit code %d, stderr:\n%s", code, errs)
	}
	return code, decode[checkJSON](t, out)
}

func TestCheckListsRightsAndWhatTheyGive(t *testing.T) {
	s, base := fake(t, "okta", sim.Options{})
	code, got := checked(t, obj{"okta/acme": polling(s, base, nil)})
	if code != exitOK || !got.OK || len(got.Instances) != 1 {
		t.Fatalf("exit code %d, %+v", code, got)
	}
	in := got.Instances[0]
	if in.ID != "okta/acme" || !in.OK || in.Person || in.Who == "" || len(in.Rights) == 0 || len(in.Capabilities) == 0 {
		t.Errorf("got %+v", in)
	}
	for _, g := range in.Capabilities {
		if g.Capability == saas.LogOnActivity && (g.Level != saas.Has || g.Missing != "") {
			t.Errorf("got %+v", g)
		}
	}
}

func TestCheckWarnsOfAPersonsCredential(t *testing.T) {
	s, base := fake(t, "okta", sim.Options{Variant: "person"})
	code, got := checked(t, obj{"okta/acme": polling(s, base, nil)})
	in := got.Instances[0]
	if code != exitOK || !in.Person || !strings.Contains(strings.Join(in.Warnings, " "), "belongs to a person, admin@contoso.example") ||
		!strings.Contains(strings.Join(in.Warnings, " "), "use a dedicated service account") {
		t.Errorf("exit code %d, %+v", code, in)
	}
	s, base = fake(t, "okta", sim.Options{Variant: "token"})
	if _, got = checked(t, obj{"okta/acme": polling(s, base, nil)}); got.Instances[0].Person || len(got.Instances[0].Warnings) > 0 {
		t.Errorf("a service account's token: %+v", got.Instances[0])
	}
}

func TestCheckSaysWhatAnAdministratorMustGrant(t *testing.T) {
	s, base := fake(t, "okta", sim.Options{Variant: "readonly"})
	_, got := checked(t, obj{"okta/acme": polling(s, base, nil)})
	missing := ""
	for _, g := range got.Instances[0].Capabilities {
		if g.Capability == saas.ListPrivileges {
			missing = g.Missing
			if g.Level == saas.Has {
				t.Errorf("a read-only administrator has %s: %+v", g.Capability, g)
			}
		}
	}
	if !strings.Contains(missing, "grant okta.roles.read") || !strings.Contains(missing, "Super Administrator") {
		t.Errorf("missing: %q", missing)
	}
	code, out, _ := call(t, "", "check", "--config",
		file(t, "agent.yaml", pipeline(t.TempDir(), obj{"okta/acme": polling(s, base, nil)}, obj{"debug": obj{}})))
	if code != exitOK || !strings.Contains(out, "rights held:") || !strings.Contains(out, "grant okta.roles.read") ||
		!strings.Contains(out, "1 tenant, 0 failed") {
		t.Errorf("exit code %d and\n%s", code, out)
	}
}

func TestCheckSaysInWordsWhatIsWrongAndAsksTheOthers(t *testing.T) {
	s, base := fake(t, "okta", sim.Options{Variant: "token"})
	wrong := polling(s, base, obj{"auth": obj{"type": "token", "token": "00wrong"}})
	silent := polling(s, "http://127.0.0.1:1", obj{"timeout": "1s"})
	code, got := checked(t, obj{"okta/a": wrong, "okta/b": polling(s, base, nil), "okta/c": silent})
	if code != exitFailed || got.OK {
		t.Fatalf("exit code %d, %+v", code, got)
	}
	f := func(in instanceJSON, id string, ok bool, says string) {
		t.Helper()
		if in.ID != id || in.OK != ok || !strings.Contains(in.Error, says) || strings.Contains(in.Error, "00wrong") {
			t.Errorf("got %+v, want %q in the error", in, says)
		}
	}
	f(got.Instances[0], "okta/a", false, "the credential is refused: it is wrong, expired or revoked")
	f(got.Instances[1], "okta/b", true, "")
	f(got.Instances[2], "okta/c", false, "cannot be reached or does not answer: check the endpoint")
}

func TestCheckFlagsEachUnsafeSetting(t *testing.T) {
	s, base := fake(t, "okta", sim.Options{})
	otlp := func(queue obj, more obj) obj {
		x := obj{"endpoint": "http://127.0.0.1:1", "sending_queue": queue}
		for k, v := range more {
			x[k] = v
		}
		return obj{"otlp_http": x}
	}
	f := func(exporter, rcv obj, where, says string, more ...func(cfg obj)) {
		t.Helper()
		path := file(t, "agent.yaml", pipeline(t.TempDir(), obj{"okta": polling(s, base, rcv)}, exporter, more...))
		code, out, errs := call(t, "", "check", "--json", "--config", path)
		if code != exitOK {
			t.Fatalf("exit code %d, stderr:\n%s", code, errs)
		}
		got := decode[checkJSON](t, out).Settings
		if says == "" {
			if len(got) != 0 {
				t.Errorf("flagged %+v", got)
			}
			return
		}
		if len(got) != 1 || got[0].Where != where || !strings.Contains(got[0].Problem, says) || got[0].Instead == "" {
			t.Errorf("got %+v, want %q at %s", got, says, where)
		}
	}
	off := obj{"enabled": false}
	f(otlp(off, nil), nil, "", "")
	f(otlp(obj{"enabled": true}, nil), nil, "exporters::otlp_http", "in memory")
	f(otlp(obj{"enabled": true, "storage": "file_storage"}, nil), nil, "", "")
	f(otlp(obj{"enabled": true, "storage": "file_storage"}, obj{"retry_on_failure": off}), nil,
		"exporters::otlp_http", "retry_on_failure is off")
	f(otlp(obj{"enabled": true, "wait_for_result": true, "batch": obj{"min_size": 5000, "flush_timeout": "1s"}}, nil), nil,
		"exporters::otlp_http", "a batch of at least 5000")
	f(otlp(obj{"enabled": true, "wait_for_result": true}, nil), nil, "", "")
	f(otlp(off, nil), obj{"storage": "none"}, "receivers::okta", "storage is none")
	f(otlp(off, nil), nil, "extensions::file_storage", "fsync is off", func(cfg obj) {
		cfg["extensions"].(obj)["file_storage"].(obj)["fsync"] = false
	})
}
