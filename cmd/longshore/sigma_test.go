package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/policy/sigma"
	"github.com/longshore-dev/longshore/internal/policy/sigma/sigmatest"
	"github.com/longshore-dev/longshore/internal/saas"
)

// publicRules are the texts of the public Sigma rules for a module, by file name; they are given beside the repository.
func publicRules(t *testing.T, module string) map[string][]byte {
	t.Helper()
	names, _ := filepath.Glob("../../../shared/sigma/*/*.yml")
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
		if r, err := sigma.Parse(text, sigma.Options{}); err == nil && r.Module() == module {
			out[filepath.Base(name)] = text
		}
	}
	return out
}

// minimal are the members without which an application's object is none.
var minimal = map[string]obj{
	"okta": {"uuid": "u1", "published": "2026-11-23T20:14:03.417Z", "eventType": "user.session.end", "target": nil},
}

// TestPublicRulesHoldUnmodifiedAfterNormalize makes, for every public rule of an application that is polled, an event as the
// provider sends it and near misses, and asks the rule of what the mapping makes of them.
func TestPublicRulesHoldUnmodifiedAfterNormalize(t *testing.T) {
	apps, err := (&program{set: settings()}).applications()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{"box": 0, "okta": 11} // public rules per application
	for _, a := range apps {
		rules := publicRules(t, a.module())
		if want, known := counts[a.Name]; !known || len(rules) != want {
			t.Errorf("%s has %d public rules, %d are expected", a.Name, len(rules), want)
		}
		if len(rules) == 0 {
			continue
		}
		n, err := saas.NewNormalizer(a.Provider, "")
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range rules {
			t.Run(a.Name+"/"+name, func(t *testing.T) { askPublicRule(t, n, text, minimal[a.Name]) })
		}
	}
}

func askPublicRule(t *testing.T, n *saas.Normalizer, text []byte, least obj) {
	r, err := sigma.Parse(text, sigma.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in, err := sigmatest.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	meet, miss, err := in.Events()
	if err != nil || len(meet) == 0 || len(miss) == 0 {
		t.Fatalf("%d events, %d near misses: %v", len(meet), len(miss), err)
	}
	f := func(e sigmatest.Event, want bool) {
		t.Helper()
		for _, w := range normalized(t, n, least, e) {
			whole := event.AppendECS(nil, w, event.Encoding{NoClock: true})
			bare := event.AppendECS(nil, w, event.Encoding{NoClock: true, NoOriginal: true})
			if r.Match(w) != want || r.MatchDocument(whole) != want || r.MatchDocument(bare) != want {
				t.Errorf("%s: record %v, document %v, without its original %v, want %v for %s", e.Why, r.Match(w), r.MatchDocument(whole),
					r.MatchDocument(bare), want, whole)
			}
		}
	}
	for _, e := range meet {
		f(e, true)
		for _, w := range normalized(t, n, least, e) {
			carries(t, r, w, e)
		}
	}
	for _, e := range miss {
		f(e, false)
	}
}

// normalized are the records of an event: the least the provider sends, with the event's fields.
func normalized(t *testing.T, n *saas.Normalizer, least obj, e sigmatest.Event) (out []event.View) {
	t.Helper()
	o := maps.Clone(least)
	for name, v := range e.Object() {
		if v == "true" || v == "false" { // rules quote what is sent as a boolean
			v = v == "true"
		}
		o[name] = v
	}
	raw, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if err = n.Do(raw, func(w event.View) { out = append(out, w) }); err != nil || len(out) == 0 {
		t.Fatalf("%d records of %s: %v", len(out), raw, err)
	}
	return out
}

// carries says whether a document has every field of a rule, under its exported name and with the value that the rule wants, in
// the data stream that the rule's logsource means.
func carries(t *testing.T, r *sigma.Rule, w event.View, e sigmatest.Event) {
	t.Helper()
	var doc obj
	if err := json.Unmarshal(event.AppendECS(nil, w, event.Encoding{NoClock: true}), &doc); err != nil {
		t.Fatal(err)
	}
	stream, _ := doc["data_stream"].(obj)
	dataset, _ := stream["dataset"].(string)
	if !slices.Contains(r.Datasets(), dataset) || stream["namespace"] != "saas" || stream["type"] != "logs" {
		t.Errorf("the data stream %v is none of logs-%v-saas", stream, r.Datasets())
	}
	for _, field := range r.Fields() {
		name := event.Exported(r.Module(), dataset, field)
		var at any = doc
		for step := range strings.SplitSeq(name, ".") {
			o, _ := at.(obj)
			at = o[step]
		}
		if at == nil || text(at) != text(e.Fields[field]) {
			t.Errorf("%s is %v at %s, want %v", field, at, name, e.Fields[field])
		}
	}
}

// text is a value as rules compare it.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, _ := json.Marshal(v)
	return string(b)
}
