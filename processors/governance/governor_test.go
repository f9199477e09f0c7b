package governance

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/policy"
	"github.com/longshore-dev/longshore/internal/saas"
)

func TestDryRunOnlyReads(t *testing.T) {
	inRig(t, m{"policies": policies(suspendRisky(nil))}, func(r *rig) {
		r.give(records("tiny.log", risky("u1")))
		r.changed()
		r.receipts("requested suspend_user dry_run")
		if r.v.reads != 1 {
			t.Fatalf("%d reads, want the plan's", r.v.reads)
		}
		w := r.of(action.Dataset)[0]
		if got := w.Str("message"); got != "suspend user: user u1 (u1@acme.example): would send POST /users/u1/suspend" {
			t.Fatal(got)
		}
		if w.Str("saas.action.requested_by") != r.g.set.ID.String() || w.Str("saas.action.policy") != "risky sign-in" ||
			w.Str("organization.id") != "o1" || w.Str("user.target.id") != "u1" || w.Str("event.module") != "tiny" {
			t.Fatalf("%v", w.Map())
		}
	})
}

func TestEnforceActsAndUndoes(t *testing.T) {
	inRig(t, m{"mode": "enforce", "storage": "file_storage", "policies": policies(suspendRisky(nil))}, func(r *rig) {
		r.give(records("tiny.log", risky("u1")))
		r.changed("POST /users/u1/suspend")
		r.receipts("requested suspend_user enforce", "result suspend_user enforce success")
		r.end()
		r.begin()
		if _, err := r.g.engine.Undo(r.t.Context(), r.of(action.Dataset)[0].Str("saas.action.id"), "ana"); err != nil {
			t.Fatal(err)
		}
		r.settle()
		r.changed("POST /users/u1/suspend", "POST /users/u1/unsuspend")
	})
}

func TestRefusedBatchThatComesAgainActsOnce(t *testing.T) {
	keys := m{"mode": "enforce", "storage": "file_storage", "policies": policies(suspendRisky(m{"severity": 3}))}
	inRig(t, keys, func(r *rig) {
		r.refuse(errors.New("the exporter is down"))
		for range 3 {
			err := r.g.ConsumeLogs(r.t.Context(), records("tiny.log", risky("u1")))
			if err == nil || !strings.Contains(err.Error(), "the exporter is down") {
				t.Fatalf("the receiver hears %v", err)
			}
			r.settle()
		}
		r.refuse(nil)
		r.end() // and after a restart
		r.begin()
		r.give(records("tiny.log", risky("u1")))
		r.changed("POST /users/u1/suspend")
		r.receipts("requested suspend_user enforce", "result suspend_user enforce success")
		if n := len(r.of(findingDataset)); n != 1 {
			t.Fatalf("%d findings", n)
		}
		if n := len(r.of("tiny.log")); n != 1 {
			t.Fatalf("%d records", n)
		}
	})
}

func TestOwnAndProtectedAccountsAreRefused(t *testing.T) {
	keys := m{"mode": "enforce", "storage": "file_storage", "policies": policies(suspendRisky(nil)),
		"protect": m{"users": []any{"breakglass@acme.example"}}}
	inRig(t, keys, func(r *rig) {
		f := func(user, why string) {
			t.Helper()
			r.give(records("tiny.log", risky(user)))
			all := r.of(action.Dataset)
			w := all[len(all)-1]
			if w.Str("event.outcome") != "failure" || w.Str("event.reason") != why || !slices.Equal(w.Strs("event.type"), []string{"denied"}) {
				t.Fatalf("%s: %v", user, w.Map())
			}
		}
		f("u0", "u0 is the agent's own account")
		f("breakglass", "breakglass@acme.example is protected")
		r.give(records("tiny.inventory", func(r *event.Record) {
			r.Entity("user", "u5")
			r.ID("users//u5@1")
			r.Str("user.email", "BreakGlass@acme.example")
		}))
		f("u5", "u5 is protected") // by what its inventory says
		r.changed()
	})
}

func TestDisabledTenantIsLeftAlone(t *testing.T) {
	inRig(t, m{"mode": "enforce", "storage": "file_storage", "policies": policies(suspendRisky(nil))}, func(r *rig) {
		acme := saas.Find("tiny", "acme")
		if err := acme.Disable(r.t.Context()); err != nil {
			t.Fatal(err)
		}
		r.give(records("tiny.log", risky("u1")))
		r.changed()
		if err := acme.Enable(r.t.Context()); err != nil {
			t.Fatal(err)
		}
		r.settle()
		r.changed("POST /users/u1/suspend")
	})
}

func TestSlowVendorHoldsUpNoRecord(t *testing.T) {
	inRig(t, m{"policies": policies(suspendRisky(nil))}, func(r *rig) {
		r.v.mu.Lock()
		r.v.hang = true
		r.v.mu.Unlock()
		began := time.Now()
		for range 50 {
			if err := r.g.ConsumeLogs(r.t.Context(), records("tiny.log", risky("u1"), risky("u2"), risky("u3"))); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(began); d != 0 {
			t.Fatalf("records were held up for %v", d)
		}
		if n := len(r.of("tiny.log")); n != 3 {
			t.Fatalf("%d records", n)
		}
		if c := r.g.engine.Counts(); c[action.Asked] != 3 {
			t.Fatalf("%v, want what is not planned yet kept", c)
		}
	})
}

func TestRecordsPassUnchanged(t *testing.T) {
	inRig(t, m{"policies": policies(suspendRisky(m{"severity": 2}))}, func(r *rig) {
		text := func(l plog.Logs) string {
			b, err := (&plog.JSONMarshaler{}).MarshalLogs(l)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		l := records("tiny.log", risky("u1"), func(r *event.Record) { r.ID("e2") })
		before := text(l)
		r.give(l)
		if text(l) != before || r.g.Capabilities().MutatesData {
			t.Fatal("the batch was changed")
		}
		if n := len(r.of("tiny.log")); n != 2 {
			t.Fatalf("%d records", n)
		}
	})
}

func TestFindingHasWhatTheRecordSays(t *testing.T) {
	p := m{"name": "dormant admin", "kind": "account", "when": "saas.entity.is_admin && has(user.email)", "severity": 4}
	alert := m{"name": "any proxy", "kind": "activity", "when": `saas.risk.level == "high"`}
	inRig(t, m{"policies": policies(p, alert)}, func(r *rig) {
		r.give(records("tiny.inventory", func(r *event.Record) {
			r.Entity("user", "u7")
			r.ID("users//u7@1")
			r.Str("user.id", "u7")
			r.Str("user.email", "u7@acme.example")
			r.Str("entity.display_name", "Uma Seven")
			r.Bool("saas.entity.is_admin", true)
			r.Strs("event.category", "iam")
			r.Strs("user.roles", "SUPER_ADMIN", "APP_ADMIN")
		}))
		r.give(records("tiny.log", risky("u1")))
		got := r.of(findingDataset)
		if len(got) != 2 {
			t.Fatalf("%d findings", len(got))
		}
		w := got[0]
		for name, want := range map[string]string{"event.kind": "alert", "rule.name": "dormant admin", "rule.category": "account",
			"event.severity": "4", "saas.finding.status": "new", "user.email": "u7@acme.example", "event.module": "tiny", "saas.tenant": "acme",
			"event.category": "iam", "event.type": "info", "message": "policy dormant admin holds for Uma Seven", "entity.id": ""} {
			if w.Str(name) != want {
				t.Errorf("%s: got %q, want %q", name, w.Str(name), want)
			}
		}
		if roles := w.Strs("user.roles"); len(roles) != 2 || w.EntityID() != "" || w.Log.SeverityNumber() != plog.SeverityNumberError4 {
			t.Errorf("%v", w.Map())
		}
		body := `"when":"saas.risk.level == \"high\""`
		if w := got[1]; w.Str("event.severity") != "" || w.Str("source.ip") != "198.51.100.7" || !strings.Contains(w.Raw(), body) {
			t.Errorf("%v", w.Map())
		}
		r.receipts()
	})
}

func TestEntityReportedAgainOnTheSameDayIsTheSameTrigger(t *testing.T) {
	state := func(at time.Time, walk string) plog.Logs {
		return records("tiny.inventory", func(r *event.Record) {
			r.Entity("user", "u7")
			r.ID("users//u7@" + walk)
			r.Time(at)
		})
	}
	f := func(a, b plog.Logs, same bool) {
		t.Helper()
		var ids []string
		for _, l := range []plog.Logs{a, b} {
			for w := range event.Views(l) {
				ids = append(ids, trigger(w))
			}
		}
		if (ids[0] == ids[1]) != same {
			t.Fatal(ids)
		}
	}
	day := time.Date(2026, 11, 25, 1, 0, 0, 0, time.UTC)
	f(state(day, "1"), state(day.Add(20*time.Hour), "2"), true)
	f(state(day, "1"), state(day.Add(23*time.Hour), "2"), false)
	f(records("tiny.log", risky("u1")), records("tiny.log", risky("u1")), true)
	f(records("tiny.log", risky("u1")), records("tiny.log", risky("u2")), false)
}

// TestEveryVerbFindsItsTarget gives records of every kind.
func TestEveryVerbFindsItsTarget(t *testing.T) {
	f := func(kind, verb, whom string, fill func(r *event.Record), want string) {
		t.Helper()
		g := &governor{set: processortest.NewNopSettings(component.MustNewType("governance"))}
		for w := range event.Views(records("tiny.x", fill)) {
			q := g.request(w, &policy.Policy{Name: "p", Kind: kind, Target: whom, Mode: "dry_run"}, verb)
			got := q.Target.Type + " " + q.Target.ID
			var params []string
			for k, v := range q.Target.Params {
				params = append(params, " "+k+"="+v)
			}
			slices.Sort(params)
			got += strings.Join(params, "")
			if q.Unfit != "" {
				got = q.Unfit
			}
			if got != want {
				t.Fatalf("%s %s: got %q, want %q", kind, verb, got, want)
			}
		}
	}
	set := func(pairs ...string) func(r *event.Record) {
		return func(r *event.Record) {
			r.ID("e")
			for i := 0; i < len(pairs); i += 2 {
				r.Str(pairs[i], pairs[i+1])
			}
		}
	}
	entity := func(typ, id string, pairs ...string) func(r *event.Record) {
		return func(r *event.Record) {
			set(pairs...)(r)
			r.Entity(typ, id)
		}
	}
	acts := set("user.id", "a", "user.target.id", "b", "user.target.group.id", "g2", "group.id", "g1", "saas.role.id", "r1",
		"saas.app.id", "c1", "saas.credential.id", "k1", "saas.credential.type", "api_token", "saas.file.id", "f1",
		"saas.file.owner.id", "o1", "saas.file.version", "7")
	f("activity", "suspend_user", "actor", acts, "user a")
	f("activity", "suspend_user", "target", acts, "user b")
	f("activity", "suspend_user", "actor", set("user.id", "app", "saas.actor.type", "application"), "the record names no user")
	f("activity", "suspend_user", "target", set("user.id", "a"), "the record names no user")
	f("activity", "remove_from_group", "target", acts, "user b group.id=g1")
	f("activity", "remove_from_group", "target", set("user.target.id", "b", "user.target.group.id", "g2"), "user b group.id=g2")
	f("activity", "remove_from_group", "target", set("user.target.id", "b"), "neither the record nor the policy names a group")
	f("activity", "revoke_role", "target", acts, "role_assignment  group.id=g1 role.id=r1 user.id=b")
	f("activity", "revoke_role", "target", set("user.target.id", "b"), "the record names no role and who holds it")
	f("activity", "revoke_grant", "actor", acts, "app_grant  client.id=c1 user.id=a")
	f("activity", "revoke_grant", "actor", set("user.id", "a"), "the record names no application that was granted something")
	f("activity", "revoke_token", "actor", acts, "credential k1 credential.type=api_token user.id=a")
	f("activity", "remove_public_link", "actor", acts, "file f1 file.version=7 owner.id=o1")
	f("file", "quarantine_file", "actor", entity("file", "f2"), "file f2")
	f("file", "suspend_user", "actor", entity("file", "f2", "saas.file.owner.id", "o1", "user.id", "x"), "user o1")
	f("file", "suspend_user", "actor", set("saas.file.id", "f1", "user.id", "x"), "user x")
	f("app", "revoke_grant", "actor", entity("app_grant", "g1", "user.id", "a", "saas.app.id", "c1"), "app_grant g1 client.id=c1 user.id=a")
	f("app", "suspend_user", "actor", entity("app_grant", "g1", "user.id", "a"), "user a")
	f("app", "suspend_user", "actor", entity("application", "c1"), "the record names no user")
	f("account", "suspend_user", "actor", entity("user", "u1"), "user u1")
	f("account", "suspend_user", "actor", entity("role_assignment", "ra1", "user.id", "a"), "user a")
	f("account", "suspend_user", "actor", entity("group", "g1"), "the record names no user")
	f("account", "revoke_role", "actor", entity("role_assignment", "ra1", "user.id", "a", "saas.role.id", "r"),
		"role_assignment ra1 role.id=r user.id=a")
	f("account", "revoke_token", "actor", entity("credential", "k1", "user.id", "a"), "credential k1 user.id=a")
	f("account", "revoke_token", "actor", entity("user", "u1"), "the record names no credential")
}

func TestParamsOfThePolicyWin(t *testing.T) {
	p := m{"name": "out", "kind": "activity", "when": "true", "actions": []any{"remove_from_group"}, "params": m{"group.id": "00g1"}}
	cfg := defaultConfig().(*Config)
	if err := confmap.NewFromStringMap(m{"policies": policies(p)}).Unmarshal(cfg); err != nil {
		t.Fatal(err)
	}
	g, err := newGovernor(processortest.NewNopSettings(component.MustNewType("governance")), cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	for w := range event.Views(records("tiny.log", func(r *event.Record) {
		risky("u1")(r)
		r.Str("group.id", "g9")
		r.Str("group.name", "nine")
	})) {
		held := g.policies.Match(w, time.Now())
		if q := g.request(w, held[0], "remove_from_group"); len(q.Target.Params) != 1 || q.Target.Params["group.id"] != "00g1" {
			t.Fatalf("%+v", q)
		}
	}
}

func TestFailingConditionIsLoggedOnceAndCounted(t *testing.T) {
	p := m{"name": "odd", "kind": "activity", "when": `int(user.name) > 3`}
	inRig(t, m{"policies": policies(p, suspendRisky(nil))}, func(r *rig) {
		reader := sdkmetric.NewManualReader()
		r.g.metrics.end()
		r.g.set.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
		var err error
		if r.g.metrics, err = newMetrics(r.g.set, r.g.policies, r.g.engine); err != nil {
			t.Fatal(err)
		}
		r.give(records("tiny.log", risky("u1"), risky("u2")))
		if all := r.logs.FilterMessageSnippet("the condition of a policy failed").All(); len(all) != 1 || all[0].ContextMap()["policy"] != "odd" {
			t.Fatalf("%v", all)
		}
		var out metricdata.ResourceMetrics
		if err := reader.Collect(r.t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		got := map[string]int64{}
		for _, s := range out.ScopeMetrics {
			for _, x := range s.Metrics {
				switch d := x.Data.(type) {
				case metricdata.Sum[int64]:
					for _, pt := range d.DataPoints {
						v, _ := pt.Attributes.Value(attribute.Key("policy"))
						got[x.Name+" "+v.AsString()] = pt.Value
					}
				case metricdata.Gauge[int64]:
					for _, pt := range d.DataPoints {
						v, _ := pt.Attributes.Value(attribute.Key("state"))
						got[x.Name+" "+v.AsString()] = pt.Value
					}
				}
			}
		}
		for name, want := range map[string]int64{"longshore_policy_errors odd": 2, "longshore_policy_matches odd": 0,
			"longshore_policy_matches risky sign-in": 2, "longshore_policy_errors risky sign-in": 0, "longshore_actions ended": 2} {
			if n, ok := got[name]; !ok || n != want {
				t.Errorf("%s: got %d, want %d; %v", name, n, want, got)
			}
		}
	})
}

func TestConfigurationErrorsNameKeyAndValue(t *testing.T) {
	f := func(keys m, want ...string) {
		t.Helper()
		cfg := defaultConfig()
		err := confmap.NewFromStringMap(keys).Unmarshal(cfg)
		if err == nil {
			err = cfg.(*Config).Validate()
		}
		if len(want) == 0 && err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Fatalf("%v: got %v, want %q", keys, err, w)
			}
		}
	}
	f(m{})
	f(m{"policies": policies(suspendRisky(m{"mode": "enforce"})), "storage": "file_storage/actions"})
	f(m{"mode": "enforce", "policies": policies(m{"name": "a", "kind": "file", "when": "true"})}) // it only finds
	f(m{"mode": "audit"}, `mode "audit"`, "dry_run, approve, enforce")
	f(m{"polices": []any{}}, "polices")
	f(m{"protect": m{"user": []any{"x"}}}, "protect", "user")
	f(m{"protect": m{"users": []any{"a", " "}}}, "protect: users", "position 2")
	f(m{"max_actions_per_hour": 0}, "max_actions_per_hour 0")
	f(m{"keep": "1h"}, "keep 1h0m0s", "24h")
	f(m{"deadline": "1s"}, "deadline 1s")
	f(m{"storage": "a/b/c d"}, "storage", `"a/b/c d"`)
	f(m{"mode": "enforce", "policies": policies(suspendRisky(nil))}, "storage is missing", `policy "risky sign-in"`, "enforce")
	f(m{"policies": policies(suspendRisky(m{"mode": "approve"}))}, "storage is missing", "approve")
	f(m{"policies": policies(suspendRisky(m{"wen": "true"}))}, "wen")
	f(m{"policies": policies(suspendRisky(m{"when": `evnt.action == "x"`}))},
		`policy "risky sign-in"`, "line 1, column 1", `did you mean "event"?`)
	f(m{"policies": policies(suspendRisky(m{"when": `event.action ==`}))}, `policy "risky sign-in"`, "Syntax error")
	f(m{"policies": policies(suspendRisky(m{"actions": []any{"clear_sessions"}}))}, `unknown action "clear_sessions"`, "revoke_sessions")
}

func TestConfigurationCanBeWrittenAndReadAgain(t *testing.T) {
	if err := componenttest.CheckConfigStruct(defaultConfig()); err != nil {
		t.Fatal(err)
	}
	conf := confmap.New()
	if err := conf.Marshal(defaultConfig()); err != nil {
		t.Fatal(err)
	}
	again := NewFactory().CreateDefaultConfig()
	if err := conf.Unmarshal(again); err != nil {
		t.Fatal(err)
	}
	if got := again.(*Config); got.Mode != action.DryRun || got.Keep != 90*24*time.Hour || got.MaxActionsPerHour != 20 {
		t.Fatalf("%+v", got)
	}
}

func TestStorageThatIsNotThereIsNamed(t *testing.T) {
	f := func(storage string, exts map[component.ID]component.Component, want string) {
		t.Helper()
		cfg := defaultConfig().(*Config)
		cfg.Storage = storage
		g, err := newGovernor(processortest.NewNopSettings(component.MustNewType("governance")), cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Start(context.Background(), extensions(exts)); err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("got %v, want %q", err, want)
		}
		if err := g.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	id := component.MustNewID("file_storage")
	f("file_storage", nil, `storage "file_storage": there is no such extension`)
	f("file_storage", extensions{id: struct {
		component.StartFunc
		component.ShutdownFunc
	}{}}, `storage "file_storage": that extension stores nothing`)
}

type extensions map[component.ID]component.Component

func (e extensions) GetExtensions() map[component.ID]component.Component { return e }
