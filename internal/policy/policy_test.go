package policy

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/event"
)

func TestMain(m *testing.M) {
	event.RegisterVendor(event.Vendor{Module: "okta", Root: "okta", Snake: true})
	event.RegisterVendor(event.Vendor{Module: "azure", Snake: true})
	goleak.VerifyTestMain(m)
}

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// batch makes a record of a tenant with a body.
func batch(module, tenant, dataset, body string, fill func(r *event.Record)) plog.Logs {
	b := event.NewBatch(event.Origin{Module: module, Tenant: tenant, Dataset: dataset, Observed: noon})
	r := b.Add(nil, &event.Values{Raw: []byte(body)})
	r.ID("e")
	r.Time(noon)
	fill(r)
	return b.Take()
}

func one(l plog.Logs) event.View {
	for w := range event.Views(l) {
		return w
	}
	panic("no record")
}

// signIn is a failed sign-in at okta/acme.
func signIn(fill ...func(r *event.Record)) event.View {
	body := `{"securityContext":{"isProxy":true,"asNumber":64500},"debugContext":{"debugData":{"requestUri":"/login","risk":null}},
		"target":[{"id":"t1","type":"User"},{"id":"t2","type":"AppInstance"}],"n":{"deep":{"er":3}}}`
	return one(batch("okta", "acme", "okta.system", body, func(r *event.Record) {
		r.Str("event.action", "user.session.start")
		r.Strs("event.category", "authentication")
		r.Str("event.outcome", "failure")
		r.Str("user.id", "u1")
		r.Str("source.ip", "198.51.100.7")
		r.Int("event.severity", 3)
		r.Str("message", "user signs in")
		r.Strs("tags", "lab")
		r.Str("labels.team", "blue")
		r.Bool("saas.auth.mfa", false)
		for _, f := range fill {
			f(r)
		}
	}))
}

func compileOne(t *testing.T, p Policy) *Set {
	t.Helper()
	if p.Name == "" {
		p.Name = "p"
	}
	if p.Kind == "" {
		p.Kind = Activity
	}
	s, err := Compile([]Policy{p}, "dry_run")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConditionsReadTheRecord(t *testing.T) {
	w := signIn()
	f := func(when string, want bool) {
		t.Helper()
		s := compileOne(t, Policy{When: when})
		if got := len(s.Match(w, noon)) == 1; got != want || s.Stats()[0].Failed != 0 {
			t.Fatalf("%s: got %v, want %v; %+v", when, got, want, s.Stats())
		}
	}
	f("true", true)
	f("false", false)
	f(`event.action == "user.session.start"`, true)
	f(`event.action.startsWith("user.") && event.outcome == "failure"`, true)
	f(`event.category.exists(c, c == "authentication")`, true)
	f(`"iam" in event.category`, false)
	f(`event.severity >= 3`, true)
	f(`event.severity > 2.5`, true)
	f(`saas.auth.mfa`, false)
	f(`!saas.auth.mfa`, true)
	f(`message.contains("signs")`, true)
	f(`"lab" in tags`, true)
	f(`labels["team"] == "blue" && labels.team == "blue"`, true)
	f(`cidr("198.51.100.0/24").containsIP(source.ip)`, true)
	f(`event.module == "okta" && saas.tenant == "acme" && event.dataset == "okta.system"`, true)
	f(`now == timestamp("2026-11-25T12:00:00Z")`, true)
	f(`timestamp(event["created"]) == now`, true)
	f(`now - timestamp(event["created"]) < duration("1h")`, true)
	f(`user.id.matches("^u[0-9]$")`, true)
	f(`size(related.ip) == 1`, true)
	f(`has(user.id) && !has(user.email)`, true)
	f(`has(saas.risk.level)`, false) // nothing of it is there
	f(`has(saas.risk.level) && saas.risk.level == "high"`, false)
	f(`!has(organization.id)`, true)
	f(`organization.id == "x" || true`, true)
}

func TestVendorFieldsAreReadOnDemand(t *testing.T) {
	w := signIn()
	f := func(when string, want bool) {
		t.Helper()
		s := compileOne(t, Policy{When: when})
		if got := len(s.Match(w, noon)) == 1; got != want || s.Stats()[0].Failed != 0 {
			t.Fatalf("%s: got %v, want %v; %+v", when, got, want, s.Stats())
		}
	}
	f("okta.security_context.is_proxy", true)
	f("okta.security_context.as_number == 64500", true)
	f(`okta.debug_context.debug_data.request_uri == "/login"`, true)
	f("has(okta.debug_context.debug_data.risk)", false) // null
	f("has(okta.nothing.at.all)", false)
	f(`okta.target.exists(x, x.type == "AppInstance")`, true)
	f(`"t2" in okta.target.map(x, x.id)`, true)
	f("okta.n.deep.er == 3 && okta.n.deep == {'er': 3}", true)
	f(`has(azure.signinlogs)`, false) // of another application
	s := compileOne(t, Policy{When: "user.id == 'u1'"})
	if reads := s.reads["okta"]; reads != nil {
		t.Fatalf("a condition that does not name the vendor reads %v", reads)
	}
	s = compileOne(t, Policy{When: "okta.a.b == 1 && okta.a.b.c == 2 && has(okta.d.e)"})
	if reads := s.reads["okta"]; !slices.Equal(reads, paths{"okta.a.b", "okta.d"}) {
		t.Fatalf("reads %v", reads)
	}
}

func TestVendorRootOfADatasetIsReached(t *testing.T) {
	body := `{"category":"SignInLogs","properties":{"riskLevelDuringSignIn":"high"}}`
	w := one(batch("azure", "contoso", "azure.signinlogs", body, func(r *event.Record) {
		r.Str("event.action", "Sign-in activity")
	}))
	f := func(when string, want bool) {
		t.Helper()
		s := compileOne(t, Policy{When: when})
		if got := len(s.Match(w, noon)) == 1; got != want || s.Stats()[0].Failed != 0 {
			t.Fatalf("%s: got %v, want %v; %+v", when, got, want, s.Stats())
		}
	}
	f(`azure.signinlogs.properties.risk_level_during_sign_in == "high"`, true)
	f(`has(azure.signinlogs)`, true)
	f(`has(azure.auditlogs)`, false)
	f(`azure.signinlogs.category == "SignInLogs"`, true)
}

func TestFindingsAreCalledByTheirShortName(t *testing.T) {
	w := one(batch("box", "sales", "saas.finding", `{}`, func(r *event.Record) {
		r.Str("event.kind", "alert")
		r.Str("saas.file.id", "f1")
		r.Strs("saas.finding.data_type", "pci.credit_card", "pii.us_ssn")
		r.Int("saas.finding.count", 12)
		r.Str("saas.share.visibility", "public")
	}))
	f := func(when string, want bool) {
		t.Helper()
		if got := len(compileOne(t, Policy{Kind: File, When: when}).Match(w, noon)) == 1; got != want {
			t.Fatalf("%s: got %v, want %v", when, got, want)
		}
	}
	f(`has(saas.share) && saas.share.visibility == "public" && finding.types.exists(t, t.startsWith("pci."))`, true)
	f(`finding.types.exists(t, t.startsWith("secrets."))`, false)
	f(`finding.count > 10`, true)
	f(`saas.finding.count > 10`, true)
	f(`has(finding.types)`, true)
	f(`has(finding.location)`, false)
}

func TestKindsChooseRecords(t *testing.T) {
	f := func(want string, dataset string, fill func(r *event.Record)) {
		t.Helper()
		var got []string
		w := one(batch("okta", "acme", dataset, `{}`, fill))
		for _, k := range Kinds() {
			if len(compileOne(t, Policy{Kind: k, When: "true"}).Match(w, noon)) == 1 {
				got = append(got, k)
			}
		}
		if strings.Join(got, " ") != want {
			t.Fatalf("%s: got %v, want %q", dataset, got, want)
		}
	}
	entity := func(typ string) func(r *event.Record) { return func(r *event.Record) { r.Entity(typ, "x") } }
	f("activity", "okta.system", func(*event.Record) {})
	f("activity", "saas.finding", func(r *event.Record) { r.Str("event.kind", "alert") })
	f("activity file", "saas.finding", func(r *event.Record) { r.Str("event.kind", "alert"); r.Str("file.name", "a.txt") })
	f("activity", "saas.finding", func(r *event.Record) {
		r.Str("event.kind", "alert")
		r.Str("event.action", "content_match")
		r.Str("saas.file.id", "42")
	})
	f("", "saas.finding", func(r *event.Record) { // a verdict
		r.Str("event.kind", "state")
		r.Str("event.action", "content_scan")
		r.Str("saas.file.id", "42")
	})
	f("", "saas.action", func(*event.Record) {})
	f("", "saas.agent", func(r *event.Record) { r.Str("event.kind", "state") })
	f("account", "okta.inventory", entity("user"))
	f("account", "okta.inventory", entity("role_assignment"))
	f("account", "okta.inventory", entity("credential"))
	f("app", "okta.inventory", entity("app_grant"))
	f("app", "okta.inventory", entity("application"))
	f("file", "box.inventory", entity("file"))
	f("", "okta.inventory", entity("planet"))
	f("", "okta.inventory", func(r *event.Record) { r.Entity("user", "x"); r.Delete() })
	f("", "okta.inventory", func(r *event.Record) { r.Str("event.kind", "asset"); r.Bool("saas.inventory.complete", true) })
}

func TestInstancesNarrow(t *testing.T) {
	f := func(module, tenant string, want bool, instances ...string) {
		t.Helper()
		w := one(batch(module, tenant, "x", `{}`, func(*event.Record) {}))
		if got := len(compileOne(t, Policy{When: "true", Instances: instances}).Match(w, noon)) == 1; got != want {
			t.Fatalf("%s/%s in %v: got %v", module, tenant, instances, got)
		}
	}
	f("okta", "acme", true)
	f("okta", "acme", true, "okta")
	f("okta", "acme", true, "box", "okta/acme")
	f("okta", "acme", false, "okta/sales")
	f("okta", "acme", false, "box")
	f("o365", "contoso", true, "office365/contoso")
	f("o365", "contoso", true, "o365")
}

func TestFieldThatIsNotThereDoesNotHold(t *testing.T) {
	w := signIn()
	f := func(when string, missing, failed int64, text string) {
		t.Helper()
		s := compileOne(t, Policy{When: when})
		for range 2 {
			if len(s.Match(w, noon)) != 0 {
				t.Fatalf("%s holds", when)
			}
		}
		if st := s.Stats()[0]; st.Missing != 2*missing || st.Failed != 2*failed || !strings.Contains(st.Error, text) ||
			s.Failing() != (failed > 0) {
			t.Fatalf("%s: %+v", when, st)
		}
	}
	f(`user.email == "x"`, 1, 0, "")
	f(`okta.no.such == 1`, 1, 0, "")
	f(`finding.types.exists(t, true)`, 1, 0, "")
	f(`int(user.id) > 1`, 0, 1, "type conversion error from 'string' to 'int'")
	f(`user.id`, 0, 1, "the condition gives string")
	f(`1 / (event.severity - 3) == 1`, 0, 1, "divi")
}

func TestFailuresHoldNothingOfTheRecord(t *testing.T) {
	f := func(when, want string) {
		t.Helper()
		s := compileOne(t, Policy{When: when})
		s.Match(signIn(func(r *event.Record) { r.Str("message", `my "secret" is hunter2`+strings.Repeat("x", 1000)) }), noon)
		st := s.Stats()[0]
		if st.Failed != 1 || !strings.Contains(st.Error, want) || len(st.Error) > maxFailure+len("…") {
			t.Fatalf("%s: %+v", when, st)
		}
		for _, planted := range []string{"hunter2", "secret", "isProxy"} {
			if strings.Contains(st.Error, planted) {
				t.Fatalf("%s tells of the record: %s", when, st.Error)
			}
		}
	}
	f("timestamp(message) == now", `invalid RFC 3339 timestamp "…"`)
	f("timestamp(event.original) == now", `invalid RFC 3339 timestamp "…"`)
	f(`ip(message) == ip("192.0.2.1")`, "unable to parse IP")
	f("int(message) == 1", "type conversion error")
}

func TestConditionThatCostsTooMuchDoesNotHold(t *testing.T) {
	list := "[" + strings.Repeat("1,", 100) + "1]"
	when := list + ".all(a, " + list + ".all(b, " + list + ".all(c, a + b + c + event.severity > 0)))"
	s := compileOne(t, Policy{When: when})
	if len(s.Match(signIn(), noon)) != 0 {
		t.Fatal("it holds")
	}
	if st := s.Stats()[0]; st.Failed != 1 || !strings.Contains(st.Error, "cost") {
		t.Fatalf("%+v", st)
	}
}

func TestEveryErrorNamesPolicyPlaceAndText(t *testing.T) {
	f := func(p Policy, want ...string) {
		t.Helper()
		_, err := Compile([]Policy{p}, "dry_run")
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Fatalf("%+v: got %v, want %q", p, err, w)
			}
		}
	}
	ok := Policy{Name: "leavers", Kind: Activity, When: "true"}
	with := func(change func(p *Policy)) Policy { p := ok; change(&p); return p }
	when := func(text string) Policy { return with(func(p *Policy) { p.When = text }) }
	f(when(`evnt.action == "x"`),
		`policy "leavers": when: line 1, column 1: nothing is called "evnt": did you mean "event"?`, `evnt.action == "x"`)
	f(when("true &&\n  (usr.id == 'x')"), "line 2, column 4", `"usr": did you mean "user"?`, ": (usr.id == 'x')")
	f(when(`zzzzzzzzzz == 1`), `nothing is called "zzzzzzzzzz": known are agent, `)
	f(when(`event.action ==`), `policy "leavers": when: line 1, column 16`, "Syntax error", "event.action ==")
	f(when(`event.severity + 1`), "gives") // a number is known to be none only when it is typed
	f(when(`size(event.category)`), "the condition gives int, not true or false: size(event.category)")
	f(when(`"a"`), "the condition gives string")
	f(when(" "), `policy "leavers": when is missing: write true`)
	f(when(`user.id == "`+strings.Repeat("x", MaxCondition)+`"`), "when has 8205 bytes, at most 8192")
	f(when(strings.Repeat("(", 300)+"true"+strings.Repeat(")", 300)), `policy "leavers": when:`)
	f(when(`user.id.nosuch()`), "nosuch", "user.id.nosuch()")
	f(when(`user.id.matches("[")`), `policy "leavers"`, "regexp")
	f(with(func(p *Policy) { p.Name = " " }), "policy 1: name is missing")
	f(with(func(p *Policy) { p.Kind = "" }), `policy "leavers": unknown kind "": `)
	f(with(func(p *Policy) { p.Kind = "flie" }), `unknown kind "flie": did you mean "file"?`)
	f(with(func(p *Policy) { p.Mode = "enforced" }), `unknown mode "enforced": did you mean "enforce"?`)
	f(with(func(p *Policy) { p.Target = "boss" }), `unknown target "boss": known are actor, target`)
	f(with(func(p *Policy) { p.Actions = []string{"suspend"} }), `policy "leavers": unknown action "suspend"`)
	f(with(func(p *Policy) { p.Kind, p.Actions = App, []string{"quarantine_file"} }),
		`action "quarantine_file" changes a file, and a record of kind app has none`)
	f(with(func(p *Policy) { p.Severity = 5 }), "severity 5 is not between 0 and 4")
	f(with(func(p *Policy) { p.Threshold = &Threshold{Window: time.Minute} }), "threshold count 0 is not between 1 and 1000")
	f(with(func(p *Policy) { p.Threshold = &Threshold{Count: 1001, Window: time.Minute} }), "threshold count 1001")
	f(with(func(p *Policy) { p.Threshold = &Threshold{Count: 5} }), "threshold window 0s is not above 0")
	f(with(func(p *Policy) { p.Threshold = &Threshold{Count: 5, Window: 1, By: "user.idd"} }),
		`no record has a field "user.idd": did you mean "user.id"?`)
	all := func(ps []Policy, mode, want string) {
		t.Helper()
		if _, err := Compile(ps, mode); err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("got %v, want %q", err, want)
		}
	}
	all([]Policy{ok, ok, when("x.y")}, "dry_run", `policy "leavers": there are two of this name`)
	all(make([]Policy, MaxPolicies+1), "dry_run", "1001 policies, at most 1000")
	all([]Policy{ok}, "", `unknown mode ""`)
}

func TestAllMistakesAreNamedAtOnce(t *testing.T) {
	_, err := Compile([]Policy{{Name: "a", Kind: "x", When: "true"}, {Name: "b", Kind: File, When: "true", Mode: "y"}}, "dry_run")
	if err == nil || !strings.Contains(err.Error(), `"a"`) || !strings.Contains(err.Error(), `"b"`) {
		t.Fatal(err)
	}
	_, err = Compile([]Policy{{Name: "a", Kind: File, When: "x"}, {Name: "b", Kind: File, When: "y"}}, "dry_run")
	if err == nil || !strings.Contains(err.Error(), `"a"`) || !strings.Contains(err.Error(), `"b"`) {
		t.Fatal(err)
	}
}

func TestDefaultsAreFilledIn(t *testing.T) {
	s, err := Compile([]Policy{{Name: "a", Kind: Activity, When: "true"},
		{Name: "b", Kind: Activity, When: "true", Mode: "enforce", Target: "target"}}, "approve")
	if err != nil {
		t.Fatal(err)
	}
	ps := s.Policies()
	if ps[0].Mode != "approve" || ps[0].Target != Actor || ps[1].Mode != "enforce" || ps[1].Target != ActedUpon {
		t.Fatalf("%+v", ps)
	}
	if got := s.Match(signIn(), noon); len(got) != 2 || got[0].Name != "a" || got[1].Name != "b" {
		t.Fatalf("%+v", got)
	}
}

func TestRecordsDoNotMix(t *testing.T) {
	s := compileOne(t, Policy{When: `has(user.email) && okta.security_context.is_proxy`})
	with := signIn(func(r *event.Record) { r.Str("user.email", "a@acme.example") })
	for range 3 {
		if len(s.Match(with, noon)) != 1 || len(s.Match(signIn(), noon)) != 0 {
			t.Fatal("a record sees another one's fields")
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if len(s.Match(with, noon)) != 1 || len(s.Match(signIn(), noon)) != 0 {
					t.Error("a record sees another one's fields")
					return
				}
			}
		})
	}
	wg.Wait()
}

// attempt is a failed sign-in of a user at a second after noon.
func attempt(id, user string, second int) event.View {
	return signIn(func(r *event.Record) {
		r.ID(id)
		r.Str("user.id", user)
		r.Time(noon.Add(time.Duration(second) * time.Second))
	})
}

func TestThresholdAsksForRepetition(t *testing.T) {
	s := compileOne(t, Policy{When: "true", Threshold: &Threshold{Count: 3, Window: time.Minute, By: "user.id"}})
	f := func(id, user string, second int, want bool) {
		t.Helper()
		if got := len(s.Match(attempt(id, user, second), noon)) == 1; got != want {
			t.Fatalf("%s of %s at %d: got %v, want %v", id, user, second, got, want)
		}
	}
	f("a1", "ana", 0, false)
	f("b1", "bob", 1, false) // counted apart
	f("a2", "ana", 10, false)
	f("a2", "ana", 10, false) // a repeat counts once
	f("a3", "ana", 20, true)
	f("a3", "ana", 20, true) // the record that reached the count reaches it again
	f("a1", "ana", 0, false)
	f("a4", "ana", 30, false) // those before are used
	f("a5", "ana", 40, false)
	f("a6", "ana", 90, false) // a4 is a minute before
	f("a7", "ana", 35, true)  // late and out of order: a4, a7, a5
	f("b2", "bob", 30, false)
	f("b3", "bob", 61, false) // exactly a window after b1
	f("b4", "bob", 62, true)  // b2, b3, b4
	if st := s.Stats()[0]; st.Matches != 4 {
		t.Fatalf("%+v", st)
	}
}

func TestThresholdWithoutItsFieldDoesNotHold(t *testing.T) {
	s := compileOne(t, Policy{When: "true", Threshold: &Threshold{Count: 1, Window: time.Minute, By: "user.email"}})
	if len(s.Match(attempt("a", "ana", 0), noon)) != 0 || s.Stats()[0].Missing != 1 {
		t.Fatalf("%+v", s.Stats())
	}
	s = compileOne(t, Policy{When: "true", Threshold: &Threshold{Count: 1, Window: time.Minute, By: "okta.security_context.as_number"}})
	if len(s.Match(attempt("a", "ana", 0), noon)) != 1 {
		t.Fatalf("%+v", s.Stats())
	}
}

func TestThresholdWithoutFieldCountsPerTenant(t *testing.T) {
	s := compileOne(t, Policy{When: "true", Threshold: &Threshold{Count: 2, Window: time.Minute}})
	at := func(tenant, id string) event.View {
		return one(batch("okta", tenant, "okta.system", `{}`, func(r *event.Record) { r.ID(id) }))
	}
	for i, want := range []int{0, 0, 1, 1} {
		if got := len(s.Match(at([]string{"acme", "sales"}[i%2], fmt.Sprint(i)), noon)); got != want {
			t.Fatalf("record %d: got %d, want %d", i, got, want)
		}
	}
}

func TestCountsAreBounded(t *testing.T) {
	c := newCounter(Threshold{Count: 1000, Window: time.Hour})
	for g := range 3 * maxGroups {
		c.add(fmt.Sprint("g", g), "r", noon)
	}
	if len(c.groups) > maxGroups || c.recent.Len() != len(c.groups) || c.entries > maxEntries {
		t.Fatalf("%d groups, %d entries", len(c.groups), c.entries)
	}
	if _, old := c.groups["g0"]; old {
		t.Fatal("the group not heard of longest was kept")
	}
	for i := range 5000 { // of which a group keeps twice the count
		c.add("one", fmt.Sprint("r", i), noon.Add(time.Duration(i)*2*time.Hour))
	}
	if n := len(c.groups["one"].Value.(*group).seen); n > 2000 {
		t.Fatalf("%d records of one group", n)
	}
	sum := 0
	for e := c.recent.Front(); e != nil; e = e.Next() {
		sum += len(e.Value.(*group).seen)
	}
	if sum != c.entries {
		t.Fatalf("%d entries, counted %d", sum, c.entries)
	}
	many := newCounter(Threshold{Count: 1000, Window: time.Nanosecond})
	for i := range maxEntries + 10_000 {
		many.add(fmt.Sprint(i%(maxGroups-1)), fmt.Sprint(i), noon.Add(time.Duration(i)*time.Second))
	}
	if many.entries > maxEntries || many.entries < maxEntries-1000 {
		t.Fatalf("%d entries", many.entries)
	}
}

// TestAskingCostsLittle guards the way of a record that no policy's condition holds for.
func TestAskingCostsLittle(t *testing.T) {
	s := compileOne(t, Policy{When: `event.action == "user.account.lock" && user.id == "x"`})
	w := signIn()
	if n := testing.AllocsPerRun(200, func() { s.Match(w, noon) }); n > 20 {
		t.Fatalf("%v allocations for a record", n)
	}
	inv := one(batch("okta", "acme", "okta.inventory", `{}`, func(r *event.Record) { r.Entity("user", "x") }))
	if n := testing.AllocsPerRun(200, func() { s.Match(inv, noon) }); n > 3 {
		t.Fatalf("%v allocations for a record of another kind", n)
	}
	runtime.KeepAlive(s)
}
