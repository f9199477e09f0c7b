package main

import (
	"io"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"

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
	f := func(exporter, rcv obj, where, level, says string, more ...func(cfg obj)) {
		t.Helper()
		path := file(t, "agent.yaml", pipeline(t.TempDir(), obj{"okta": polling(s, base, rcv)}, exporter, more...))
		code, out, errs := call(t, "", "check", "--json", "--config", path)
		answer := decode[checkJSON](t, out)
		if (code == exitOK) != (level != refused) || answer.OK != (level != refused) {
			t.Errorf("exit code %d for %q, stderr:\n%s", code, says, errs)
		}
		got := answer.Settings
		if says == "" {
			if len(got) != 0 {
				t.Errorf("flagged %+v", got)
			}
			return
		}
		if len(got) != 1 || got[0].Where != where || got[0].Level != level || !strings.Contains(got[0].Problem, says) || got[0].Instead == "" {
			t.Errorf("got %+v, want %s of %q at %s", got, level, says, where)
		}
	}
	off, forever := obj{"enabled": false}, obj{"retry_on_failure": obj{"max_elapsed_time": 0}}
	stored := obj{"enabled": true, "storage": "file_storage"}
	waits := func(batch obj) obj {
		return obj{"enabled": true, "wait_for_result": true, "sizer": "items", "queue_size": 9 << 20, "batch": batch}
	}
	const to = "exporters::otlp_http"
	f(otlp(off, nil), nil, "", "", "")
	f(otlp(nil, nil), nil, to, refused, "in memory and accepts records before they are exported: a crash loses them")
	f(otlp(obj{"enabled": true}, nil), nil, to, refused, "in memory")
	f(otlp(obj{"enabled": true, "batch": obj{"min_size": 10}}, nil), nil, to, refused, "in memory")
	f(otlp(stored, forever), nil, "", "", "")
	f(otlp(stored, obj{"retry_on_failure": off}), nil, to, refused, "retry_on_failure is off behind a persistent queue: one refusal drops")
	f(otlp(stored, nil), nil, to, refused, "ends after 5m0s behind a persistent queue: an outage that lasts longer drops")
	f(otlp(off, obj{"retry_on_failure": off}), nil, "", "", "") // the receiver asks again
	f(otlp(obj{"enabled": true, "wait_for_result": true}, nil), nil, "", "", "")
	f(otlp(waits(obj{"min_size": 5000, "flush_timeout": "7s"}), nil), nil, to, warning,
		"a batch of at least 5000 items: one page of a receiver, 1000 items at most, never fills it, so every page waits for flush_timeout (7s)")
	f(otlp(waits(obj{}), nil), nil, to, warning, "a batch of at least 8192 items") // the default
	f(otlp(waits(obj{"min_size": 1000}), nil), nil, "", "", "")
	f(otlp(waits(obj{"min_size": 8 << 20, "sizer": "bytes"}), nil), nil, to, warning, "a batch of at least 8388608 bytes")
	f(otlp(waits(obj{"min_size": 1 << 20, "sizer": "bytes"}), nil), nil, "", "", "")
	kafka := func(acks string) obj { return obj{"kafka": obj{"brokers": []string{"127.0.0.1:1"}, "acks": acks}} }
	f(kafka("all"), nil, "", "", "")
	f(kafka("one"), nil, "exporters::kafka", warning, "acks is one")
	f(kafka("none"), nil, "exporters::kafka", refused, "acks is none")
	f(otlp(off, nil), obj{"storage": "none"}, "receivers::okta", warning, "storage is none")
	f(otlp(off, nil), nil, "extensions::file_storage", warning, "fsync is off", func(cfg obj) {
		cfg["extensions"].(obj)["file_storage"].(obj)["fsync"] = false
	})
}

func TestCheckLooksAtAGatewayToo(t *testing.T) {
	gateway := func(queue obj) string {
		return pipeline(t.TempDir(), obj{"otlp": obj{"protocols": obj{"http": obj{"endpoint": "127.0.0.1:0"}}}},
			obj{"otlp_http": obj{"endpoint": "http://127.0.0.1:1", "sending_queue": queue}})
	}
	if code, out, _ := call(t, "", "check", "--config", file(t, "a.yaml", gateway(obj{"enabled": true}))); code != exitFailed ||
		!strings.Contains(out, "refused exporters::otlp_http: its sending_queue is in memory") ||
		!strings.Contains(out, "instead: sending_queue: {enabled: false}") {
		t.Errorf("exit code %d and\n%s", code, out)
	}
	if code, out, errs := call(t, "", "check", "--config", file(t, "b.yaml", gateway(obj{"enabled": false}))); code != exitOK {
		t.Errorf("exit code %d and\n%s%s", code, out, errs)
	}
}

func TestABatchProcessorIsRefused(t *testing.T) {
	s, base := fake(t, "okta", sim.Options{})
	path := file(t, "agent.yaml", pipeline(t.TempDir(), obj{"okta": polling(s, base, nil)}, obj{"debug": obj{}}, func(cfg obj) {
		cfg["processors"] = obj{"batch": obj{}}
		cfg["service"].(obj)["pipelines"].(obj)["logs"].(obj)["processors"] = []string{"batch"}
	}))
	code, _, errs := call(t, "", "check", "--config", path)
	if code == exitOK || !strings.Contains(errs, "a crash loses them: leave it out: receivers hand on batches of their own") {
		t.Errorf("exit code %d and\n%s", code, errs)
	}

	p := &program{in: strings.NewReader(""), out: io.Discard, errs: io.Discard, set: settings()}
	p.set.Factories = func() (otelcol.Factories, error) { // a build of one's own that has it
		fs, err := components()
		typ := component.MustNewType("batch")
		fs.Processors[typ] = processor.NewFactory(typ, func() component.Config { return &struct{}{} })
		return fs, err
	}
	cfg, err := p.load(t.Context(), []string{path})
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.check(t.Context(), cfg)
	if err != nil || got.OK || len(got.Settings) != 1 || got.Settings[0].Where != "processors::batch" || got.Settings[0].Level != refused {
		t.Errorf("%v, %+v", err, got)
	}
}
