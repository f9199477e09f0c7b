package sigma

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/policy/sigma/sigmatest"
)

func TestMain(m *testing.M) {
	layout := event.Compile(event.Table{{"eventType", "event.action"}, {"debugContext.debugData.requestUri", ""}, {"target[0].id", ""}})
	event.RegisterVendor(event.Vendor{Module: "okta", Root: "okta", Snake: true, Layout: layout})
	goleak.VerifyTestMain(m)
}

// given are the texts of the public rules beside the repository.
func given(t *testing.T) map[string][]byte {
	t.Helper()
	names, _ := filepath.Glob("../../../../shared/sigma/*/*.yml")
	if len(names) == 0 && os.Getenv("CI") != "true" {
		t.Skip("the public rules are not given beside the repository")
	}
	if len(names) < 100 {
		t.Fatalf("%d public rules", len(names))
	}
	out := map[string][]byte{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(name)] = text
	}
	return out
}

// filled stands for whatever placeholder the public rules have.
var filled = map[string][]string{}

func init() {
	for _, name := range strings.Fields("Legitimate_Countries Legitimate_IP_Ranges Important_AppIds Approved_Inviters UnLegitCountries " +
		"UnApprovedIp UnApprovedDevice") {
		filled[name] = []string{"first.example", sigmatest.Expanded}
	}
}

func TestEveryPublicRuleHoldsForWhatItDescribesAndForNothingNear(t *testing.T) {
	met, missed := 0, 0
	for name, text := range given(t) {
		r, err := Parse(text, Options{Placeholders: filled})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		in, err := sigmatest.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		if r.Title == "" || r.Title != in.Title || r.ID == "" || r.ID != in.ID || r.Author == "" || r.Author != in.Author {
			t.Errorf("%s: the rule is %q, %q by %q", name, r.ID, r.Title, r.Author)
		}
		if len(r.Datasets()) == 0 || r.Module() == "" {
			t.Errorf("%s: no dataset for %+v", name, r.Source)
		}
		if got := slices.Sorted(slices.Values(r.Fields())); !subset(in.Fields(), got) {
			t.Errorf("%s: fields %v, want %v", name, got, in.Fields())
		}
		meet, miss, err := in.Events()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f := func(e sigmatest.Event, want bool) {
			raw, err := json.Marshal(e.Object())
			if err != nil {
				t.Fatal(err)
			}
			if r.MatchRaw(raw) != want {
				t.Errorf("%s: %s %s: want %v", name, raw, e.Why, want)
			}
		}
		for _, e := range meet {
			f(e, true)
			met++
		}
		for _, e := range miss {
			f(e, false)
			missed++
		}
	}
	if met < 135 || missed < 300 {
		t.Errorf("only %d events and %d near misses were made", met, missed)
	}
}

func subset(want, got []string) bool {
	return !slices.ContainsFunc(want, func(s string) bool { return !slices.Contains(got, s) })
}

func TestAPlaceholderWithoutValuesIsAnError(t *testing.T) {
	n := 0
	for name, text := range given(t) {
		if !strings.Contains(string(text), "|expand") {
			continue
		}
		n++
		if _, err := Parse(text, Options{}); err == nil || !strings.Contains(err.Error(), "no values are given for the placeholder %") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n == 0 {
		t.Error("no public rule has a placeholder")
	}
}

// rule makes a rule of a detection.
func rule(detection string) []byte {
	return []byte("title: t\nid: i\nauthor: a\nlogsource: {product: okta, service: okta}\ndetection:\n  " +
		strings.ReplaceAll(detection, "\n", "\n  ") + "\n")
}

func must(t *testing.T, text []byte) *Rule {
	t.Helper()
	r, err := Parse(text, Options{Placeholders: map[string][]string{"names": {"ana", "b*"}}, Fields: map[string]string{"theirs": "ours"}})
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return r
}

func TestValuesAreComparedAsTheSpecificationSays(t *testing.T) {
	f := func(item, raw string, want bool) {
		t.Helper()
		if r := must(t, rule("sel:\n    "+item+"\ncondition: sel")); r.MatchRaw([]byte(raw)) != want {
			t.Errorf("%s for %s: want %v", item, raw, want)
		}
	}
	f(`a: Value`, `{"A":"vALUE"}`, true) // in any case, names and values
	f(`a: Value`, `{"a":"Value "}`, false)
	f(`a: Élan`, `{"a":"éLAN"}`, true)
	f(`a|cased: Value`, `{"a":"value"}`, false)
	f(`a|cased|contains: alu`, `{"a":"Value"}`, true)
	f(`a|cased|contains: ALU`, `{"a":"Value"}`, false)
	f(`a: [x, y]`, `{"a":"y"}`, true)
	f(`a: y`, `{"a":["x","y"]}`, true)
	f(`a.b.c: y`, `{"a":[{"b":1},{"b":{"c":["y"]}}]}`, true)
	f(`a.b.c: y`, `{"a":{"b.c":"y"}}`, true)
	f(`a.b: y`, `{"a":"y"}`, false)
	f(`theirs: y`, `{"ours":"y"}`, true)
	f("a: x\n    b: y", `{"a":"x","b":"y"}`, true)
	f("a: x\n    b: y", `{"a":"x","b":"z"}`, false)

	f(`a: v*.Job`, `{"a":"v1beta1.job"}`, true)
	f(`a: v*.Job`, `{"a":"xv1.job"}`, false)
	f(`a: '?b*d?'`, `{"a":"abccde"}`, true)
	f(`a: '?b*d?'`, `{"a":"abd"}`, false)
	f(`a: '*?x*y'`, `{"a":"äxzzy"}`, true)
	f(`a: 'a\*b'`, `{"a":"a*b"}`, true)
	f(`a: 'a\*b'`, `{"a":"axb"}`, false)
	f(`a: 'a\\*'`, `{"a":"a\\bc"}`, true)
	f(`a: 'C:\Win'`, `{"a":"c:\\win"}`, true)
	f(`a: 'C:\\Win'`, `{"a":"c:\\win"}`, true)
	f(`a: '*'`, `{"a":""}`, true)
	f(`a: '*'`, `{"b":1}`, false)
	f(`a: ''`, `{"a":""}`, true)
	f(`a: ''`, `{"a":"x"}`, false)
	f(`a: ''`, `{}`, false)
	f(`a: '[]'`, `{"a":[]}`, true)

	f(`a|contains: ell`, `{"a":"hELLo"}`, true)
	f(`a|contains: h*o`, `{"a":"xhellox"}`, true)
	f(`a|startswith: HE`, `{"a":"hello"}`, true)
	f(`a|startswith: e`, `{"a":"hello"}`, false)
	f(`a|endswith: lo`, `{"a":"hello"}`, true)
	f(`a|endswith: l`, `{"a":"hello"}`, false)
	f(`a|contains|all: [he, lo]`, `{"a":"hello"}`, true)
	f(`a|contains|all: [he, x]`, `{"a":"hello"}`, false)
	f(`a|contains: key`, `{"a":{"key":"v"}}`, true) // an object is compared as its text
	f(`a|neq: x`, `{"a":"y"}`, true)
	f(`a|neq: x`, `{"a":"X"}`, false)

	f(`a: 0`, `{"a":0}`, true)
	f(`a: 0`, `{"a":"0"}`, true)
	f(`a: 1`, `{"a":1.0}`, true)
	f(`a: 0`, `{"a":""}`, false)
	f(`a: 9007199254740993`, `{"a":9007199254740992}`, false)
	f(`a: true`, `{"a":true}`, true)
	f(`a: 'true'`, `{"a":true}`, true)
	f(`a: true`, `{"a":"True"}`, true)
	f(`a: null`, `{}`, true)
	f(`a: null`, `{"a":null}`, true)
	f(`a: null`, `{"a":""}`, false)
	f(`a: [null, x]`, `{"a":"x"}`, true)
	f(`a: [null, x]`, `{"a":"y"}`, false)
	f(`a|exists: true`, `{"a":1}`, true)
	f(`a|exists: true`, `{"b":1}`, false)
	f(`a|exists: false`, `{"b":1}`, true)
	f(`a|exists: false`, `{"a":false}`, false)
	f(`a|lt: 5`, `{"a":4.5}`, true)
	f(`a|lt: 5`, `{"a":5}`, false)
	f(`a|lte: 5`, `{"a":"5"}`, true)
	f(`a|gt: 5`, `{"a":6}`, true)
	f(`a|gt: 5`, `{"a":"many"}`, false)
	f(`a|gte: -1`, `{"a":-1}`, true)

	f(`a|re: 'h.l+o$'`, `{"a":"xhello"}`, true)
	f(`a|re: 'H.l+o'`, `{"a":"hello"}`, false)
	f(`a|re|i: 'H.l+o'`, `{"a":"hello"}`, true)
	f(`a|re|s: 'a.b'`, `{"a":"a\nb"}`, true)
	f(`a|re: 'a.b'`, `{"a":"a\nb"}`, false)
	f(`a|re|i|m: '^B$'`, `{"a":"a\nb"}`, true)
	f(`a|cidr: 203.0.113.7/24`, `{"a":"203.0.113.255"}`, true)
	f(`a|cidr: 203.0.113.0/24`, `{"a":"::ffff:203.0.113.9"}`, true)
	f(`a|cidr: 203.0.113.0/24`, `{"a":"203.0.114.1"}`, false)
	f(`a|cidr: ['2001:db8::/32', 10.0.0.0/8]`, `{"a":"2001:db8::1"}`, true)
	f(`a|cidr: 203.0.113.0/24`, `{"a":"nobody"}`, false)
	f(`a|fieldref: b`, `{"a":"X","b":"x"}`, true)
	f(`a|fieldref: b`, `{"a":"X","b":"y"}`, false)
	f(`a|fieldref: b`, `{"a":"x"}`, false)
	f(`a|fieldref|startswith: b`, `{"a":"ab*","b":"AB"}`, true)
	f(`a|fieldref: [b, c]`, `{"a":"x","b":"y","c":"x"}`, true)
	f(`a|expand: '%names%'`, `{"a":"ANA"}`, true)
	f(`a|expand: '%names%'`, `{"a":"bob"}`, true) // a wildcard of the user's
	f(`a|expand|contains: 'mail %names%'`, `{"a":"e-mail ana now"}`, true)
	f(`a|expand: '%names%'`, `{"a":"%names%"}`, false)

	f(`a|base64: foo`, `{"a":"Zm9v"}`, true)
	f(`a|base64offset|contains: /bin/bash`, `{"a":"eC9iaW4vYmFzaA=="}`, true) // x/bin/bash
	f(`a|base64offset|contains: /bin/bash`, `{"a":"L2Jpbi9iYXNo"}`, true)
	f(`a|base64offset|contains: /bin/bash`, `{"a":"eHgvYmluL2Jhc2g="}`, true)
	f(`a|base64offset|contains: /bin/bash`, `{"a":"L2Jpbi9zaA=="}`, false)
	f(`a|wide|base64: ping`, `{"a":"cABpAG4AZwA="}`, true)
	f(`a|utf16be|base64: ping`, `{"a":"AHAAaQBuAGc="}`, true)
	f(`a|windash|contains: ' -f'`, `{"a":"rm /f x"}`, true)
	f(`a|windash|contains: ' -f'`, `{"a":"rm –f x"}`, true)
	f(`a|windash|contains|all: [' -f', ' -q']`, `{"a":"rm /f -q"}`, true)
	f(`a|windash|contains|all: [' -f', ' -q']`, `{"a":"rm /f /f"}`, false)
}

func TestSelectionsAndConditionsCombine(t *testing.T) {
	const parts = "one: {a: 1}\nother_x: {b: 1}\nother_y: {c: 1}\n_hidden: {d: 1}\ncondition: "
	f := func(condition, raw string, want bool) {
		t.Helper()
		if r := must(t, rule(parts+condition)); r.MatchRaw([]byte(raw)) != want {
			t.Errorf("%s for %s: want %v", condition, raw, want)
		}
	}
	f("one and other_x", `{"a":1,"b":1}`, true)
	f("one and other_x", `{"a":1}`, false)
	f("one or other_x and other_y", `{"a":1}`, true) // and binds closer
	f("(one or other_x) and other_y", `{"a":1}`, false)
	f("not one or other_x", `{"a":1,"b":1}`, true) // not binds closest
	f("not (one or other_x)", `{"b":1}`, false)
	f("not not one", `{"a":1}`, true)
	f("1 of other_*", `{"c":1}`, true)
	f("1 of other_*", `{"a":1}`, false)
	f("all of other_*", `{"b":1,"c":1}`, true)
	f("all of other_*", `{"b":1}`, false)
	f("one AND NOT 1 of other_*", `{"a":1,"c":1}`, false)
	f("1 of them", `{"d":1}`, false) // what begins with _ is not of them
	f("any of them", `{"c":1}`, true)
	f("all of them", `{"a":1,"b":1,"c":1}`, true)
	f("1 of *_x", `{"b":1}`, true)
	f("[one, other_y]", `{"c":1}`, true)

	g := func(detection, raw string, want bool) {
		t.Helper()
		if r := must(t, rule(detection+"\ncondition: sel")); r.MatchRaw([]byte(raw)) != want {
			t.Errorf("%s for %s: want %v", detection, raw, want)
		}
	}
	g("sel:\n  - {a: 1, b: 1}\n  - c: 1", `{"c":1}`, true)
	g("sel:\n  - {a: 1, b: 1}\n  - c: 1", `{"a":1}`, false)
	g("sel: [needle, thread]", `{"x":[{"y":"a NEEDLE here"}]}`, true) // anywhere
	g("sel: [needle, thread]", `{"needle":"in a name"}`, false)
	g("sel: needle", `{"x":"needle"}`, true)
	g("sel: {'|all': [needle, thread]}", `{"x":"needle","y":"thread"}`, true)
	g("sel: {'|all': [needle, thread]}", `{"x":"needle"}`, false)
	g("sel: {'|re': 'ne+dle$'}", `{"x":"a needle"}`, true)
	g("base: &b {a: 1}\nsel: *b", `{"a":1}`, true)
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	f := func(detection, says string) {
		t.Helper()
		_, err := Parse(rule(detection), Options{})
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), `sigma rule "t"`) {
			t.Errorf("%s: %v, want %q", detection, err, says)
		}
	}
	f("sel: {a|near: 1}\ncondition: sel", `"a|near": unknown modifier "near"`)
	f("sel: {a|i: 1}\ncondition: sel", `"i" stands only after re`)
	f("sel: {a|contains|endswith: 1}\ncondition: sel", `"contains" and "endswith" exclude each other`)
	f("sel: {a|lt: many}\ncondition: sel", `value "many": no number`)
	f("sel: {a|cidr: 10.0.0.1}\ncondition: sel", `value "10.0.0.1": no network`)
	f("sel: {a|re: 'a(b'}\ncondition: sel", `value "a(b": no regular expression`)
	f("sel: {a|re: '(?=x)'}\ncondition: sel", "no regular expression")
	f("sel: {a|re: '((x{50}){50}){50}'}\ncondition: sel", "regular expression")
	f("sel: {a|re: '(\\pL{30}){30}y'}\ncondition: sel", "steps")
	f("sel: {a|exists: maybe}\ncondition: sel", "exists is true or false")
	f("sel: {a|contains: null}\ncondition: sel", "null cannot be compared")
	f("sel: {a|base64: 'x*'}\ncondition: sel", "a wildcard cannot be encoded")
	f("sel: {a|base64offset: ''}\ncondition: sel", "too short")
	f("sel: {a|windash: '-a -b -c -d -e'}\ncondition: sel", "5 dashes")
	f("sel: {a|re|wide: x}\ncondition: sel", `"wide" changes text`)
	f("sel: {a|fieldref|re: x}\ncondition: sel", "fieldref goes with")
	f("sel: {a: {b: 1}}\ncondition: sel", "a list or map where a value should be")
	f("sel: {a: []}\ncondition: sel", `"a": no value`)
	f("sel: {}\ncondition: sel", `selection "sel": an empty map`)
	f("sel: []\ncondition: sel", "an empty list")
	f("sel: [[x]]\ncondition: sel", "a list in a list")
	f("sel: {a: 1, a: 2}\ncondition: sel", `field "a" is there twice`)
	f("sel: {a: 1}", "condition is missing")
	f("sel: {a: 1}\ncondition: self", `there is no selection "self": there are sel`)
	f("sel: {a: 1}\ncondition: 1 of self*", `no selection is called "self*"`)
	f("sel: {a: 1}\ncondition: 2 of sel", `"2" of sel: only 1, any and all`)
	f("sel: {a: 1}\ncondition: sel and", "it ends where a selection should stand")
	f("sel: {a: 1}\ncondition: (sel", "a parenthesis is not closed")
	f("sel: {a: 1}\ncondition: sel)", `where ")" stands`)
	f("sel: {a: 1}\ncondition: sel sel", `where "sel" stands`)
	f("sel: {a: 1}\ncondition: sel | count() > 5", "aggregations")
	f("sel: {a: 1}\ntimeframe: 5m\ncondition: sel", "rules over several events")
	f("sel: {a: 1}\ncondition: "+strings.Repeat("(", 100)+"sel"+strings.Repeat(")", 100), "nested deeper")
	f("sel: {a: "+strings.Repeat("x", maxValue+1)+"}\ncondition: sel", "a value of")
	f("sel: {a: &a ["+strings.Repeat("x,", 10_000)+"], b: *a, c: *a}\ncondition: sel", "more than 20000 values")

	g := func(text, says string) {
		t.Helper()
		if _, err := Parse([]byte(text), Options{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
	g("id: x\nlogsource: {product: okta}\ndetection: {}", "title is missing")
	g("title: x\ndetection: {}", "logsource is missing")
	g("title: x\nlogsource: {product: okta}", "detection is missing")
	g("title: [", "read sigma rule")
	g(strings.Repeat("#", MaxRule+1), "at most")
}

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// signIn is a record of okta.system.
func signIn(t testing.TB, dataset, body string) event.View {
	b := event.NewBatch(event.Origin{Module: "okta", Tenant: "acme", Dataset: dataset, Observed: noon})
	r := b.Add(nil, &event.Values{Raw: []byte(body)})
	r.ID("e")
	r.Time(noon)
	r.Str("event.action", "user.session.start")
	r.Str("user.name", "ana@contoso.example")
	for w := range event.Views(b.Take()) {
		return w
	}
	t.Fatal("no record")
	return event.View{}
}

const body = ` {"eventType":"user.session.start","securityContext":{"isProxy":true},"debugContext":{"debugData":{"requestUri":"/a/b"}},` +
	`"target":[{"id":"t1"},{"id":"t2"}]}`

func TestRecordsAndDocumentsAreAskedAlike(t *testing.T) {
	w := signIn(t, "okta.system", body)
	whole := event.AppendECS(nil, w, event.Encoding{})
	bare := event.AppendECS(nil, w, event.Encoding{NoOriginal: true})
	f := func(detection string, want bool) {
		t.Helper()
		r := must(t, rule("sel: "+detection+"\ncondition: sel"))
		if r.Match(w) != want || r.MatchDocument(whole) != want || r.MatchDocument(bare) != want {
			t.Errorf("%s: record %v, document %v, without its original %v, want %v", detection, r.Match(w), r.MatchDocument(whole),
				r.MatchDocument(bare), want)
		}
	}
	f(`{eventType: user.session.start, securityContext.isProxy: 'true'}`, true)
	f(`{eventtype: user.session.start, debugcontext.debugdata.requesturi|startswith: /a/}`, true) // as older rules are written
	f(`{okta.security_context.is_proxy: true}`, true)                                             // as Elastic's rules name them
	f(`{target.id: t2}`, true)
	f(`{user.name: ana@contoso.example, event.action: user.session.start}`, true) // ECS
	f(`{eventType: user.session.end}`, false)
	f(`{nothing: null}`, true)
	f(`{nothing|exists: true}`, false)
	f(`[/a/b]`, true)

	r := must(t, rule("sel: {eventType: user.session.start}\ncondition: sel"))
	if other := signIn(t, "okta.inventory", body); r.Match(other) || r.MatchDocument(event.AppendECS(nil, other, event.Encoding{})) {
		t.Error("a rule of the System Log holds for a record of the inventory")
	}
	if got := strings.Join(r.Datasets(), " "); got != "okta.system" || r.Module() != "okta" {
		t.Errorf("datasets %q of %q", got, r.Module())
	}
	windows := must(t, []byte(strings.Replace(string(rule("sel: {a: 1}\ncondition: sel")), "product: okta", "product: windows", 1)))
	if windows.Datasets() != nil || windows.Module() != "" || windows.Match(w) {
		t.Error("a rule of another product is for a record")
	}
}

func TestAskingCostsOneAllocation(t *testing.T) {
	w := signIn(t, "okta.system", body)
	r := must(t, rule("sel: {eventType: [user.session.end, user.session.start], securityContext.isProxy: 'true'}\ncondition: sel"))
	if !r.Match(w) {
		t.Fatal("no match")
	}
	if n := testing.AllocsPerRun(200, func() { r.Match(w) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzRule(f *testing.F) {
	f.Add(rule("sel: {a|contains|all: [x, 'y*']}\ncondition: sel and not 1 of s*"), []byte(`{"a":["x"]}`))
	f.Add(rule("sel: {a|re|i: '(a|b)+'}\ncondition: all of them"), []byte(`{"a":{"b":null}}`))
	f.Add(rule("sel: {a|base64offset|contains: xyz}\nk: [word]\ncondition: sel or k"), []byte(`{"a":"\u00e9"}`))
	f.Add(rule("sel: {a|windash: ' -f', b|fieldref: a, c: null}\ncondition: sel"), []byte(`[[[[`))
	f.Add(rule("sel: word\ncondition: sel"), []byte(`"`))
	f.Fuzz(func(t *testing.T, text, raw []byte) {
		r, err := Parse(text, Options{Placeholders: map[string][]string{"a": {"x"}}})
		if err != nil {
			return
		}
		again, err := Parse(text, Options{Placeholders: map[string][]string{"a": {"x"}}})
		if err != nil || r.MatchRaw(raw) != again.MatchRaw(raw) {
			t.Fatalf("asked twice: %v", err)
		}
		r.MatchDocument(raw)
		r.Match(signIn(t, "okta.system", string(raw)))
	})
}
