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
	"github.com/longshore-dev/longshore/internal/saas/saastest"
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
		r, err := sigma.Parse(text, sigma.Options{})
		if at := filepath.Base(filepath.Dir(name)); err != nil && at == module && unfit[module] != filepath.Base(name) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && r.Module() == module {
			out[filepath.Base(name)] = text
		}
	}
	return out
}

// unfit are the rules that cannot be asked as they are: at most one of an application.
var unfit = map[string]string{
	// its fields src_country and src_ip are of no product, and their values are for the reader to fill in
	"aws": "placeholder__aws_cloudtrail_console_login_success_from_susp_locations.yml",
}

// minimal are the members without which an application's object is none.
var minimal = map[string]obj{
	"aws": {"eventID": "e1", "eventTime": "2026-11-23T20:14:03Z", "eventName": "ListThings",
		"eventSource": "things.amazonaws.com"},
	"googleworkspace": {"kind": "admin#reports#activity", "actor": obj{"email": "a@contoso.example", "profileId": "1"}},
	"office365":       {"Id": "e1", "CreationTime": "2026-11-23T20:14:03"},
	"okta":            {"uuid": "u1", "published": "2026-11-23T20:14:03.417Z", "eventType": "user.session.end", "target": nil},
}

// sent turns the fields of a rule that knows events from another log into those that the provider's API has.
var sent = map[string]func(obj) obj{
	"googleworkspace": func(o obj) obj { // rules read what Cloud Logging has of the same events
		first := func(names ...string) string {
			for _, name := range names {
				if s, ok := saastest.Lookup(o, name).(string); ok {
					return s
				}
			}
			return ""
		}
		app := strings.TrimSuffix(first("eventService", "protoPayload.serviceName", "protoPayload.Servicename"), ".googleapis.com")
		done := obj{"type": "T", "name": first("eventName", "protoPayload.metadata.event.eventName")}
		if v, ok := o["new_value"]; ok {
			done["parameters"] = []any{obj{"name": "NEW_VALUE", "value": v}}
		}
		return obj{"events": []any{done}, "id": obj{"time": "2026-11-23T20:14:03.417Z", "uniqueQualifier": "1", "customerId": "C1",
			"applicationName": app}}
	},
	"office365": func(o obj) obj { // rules read alerts as another product shows them
		for from, to := range map[string]string{"eventSource": "Workload", "eventName": "Name"} {
			if v, ok := o[from]; ok {
				o[to] = v
				delete(o, from)
			}
		}
		switch o["status"] {
		case "success":
			o["ResultStatus"] = "Succeeded"
			delete(o, "status")
		case nil: // what has no result did succeed
			o["ResultStatus"] = "Failed"
		}
		return o
	},
}

// TestPublicRulesHoldUnmodifiedAfterNormalize makes, for every public rule of an application that is polled, an event as the
// provider sends it and near misses, and asks the rule of what the mapping makes of them.
func TestPublicRulesHoldUnmodifiedAfterNormalize(t *testing.T) {
	apps, err := (&program{set: settings()}).applications()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{"aws": 28, "box": 0, "googleworkspace": 5, "office365": 10, "okta": 11,
		"salesforce": 0} // public rules per application
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
			t.Run(a.Name+"/"+name, func(t *testing.T) { askPublicRule(t, n, text, minimal[a.Name], sent[a.Name]) })
		}
	}
}

func askPublicRule(t *testing.T, n *saas.Normalizer, text []byte, least obj, sent func(obj) obj) {
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
		for _, w := range normalized(t, n, least, sent, e) {
			whole := event.AppendECS(nil, w, event.Encoding{NoClock: true})
			bare := event.AppendECS(nil, w, event.Encoding{NoClock: true, NoOriginal: true})
			if r.Match(w) != want || r.MatchDocument(whole) != want || r.MatchDocument(bare) != want {
				t.Errorf("%s: record %v, document %v, without its original %v, want %v for %s", e.Why, r.Match(w), r.MatchDocument(whole),
					r.MatchDocument(bare), want, whole)
			}
		}
	}
	carried := map[string]bool{}
	for _, e := range meet {
		f(e, true)
		for _, w := range normalized(t, n, least, sent, e) {
			carries(t, r, w, e, true, carried)
		}
	}
	for _, e := range miss {
		f(e, false)
		for _, w := range normalized(t, n, least, sent, e) { // which alone have what a rule wants not to be there
			carries(t, r, w, e, sent == nil, carried)
		}
	}
	for _, field := range r.Fields() {
		if !carried[field] {
			t.Errorf("no event has %s", field)
		}
	}
}

// normalized are the records of an event: the least the provider sends, with the event's fields.
func normalized(t *testing.T, n *saas.Normalizer, least obj, sent func(obj) obj, e sigmatest.Event) (out []event.View) {
	t.Helper()
	o := maps.Clone(least)
	fields := e.Object()
	if sent != nil {
		fields = sent(fields)
	}
	for name, v := range fields {
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

// carries says whether a document has the fields of a rule that the event has, under their exported names and with the values that
// were sent, in the data stream that the rule's logsource means. Without all, those that were sent otherwise may be missing.
func carries(t *testing.T, r *sigma.Rule, w event.View, e sigmatest.Event, all bool, carried map[string]bool) {
	t.Helper()
	var doc obj
	if err := json.Unmarshal(event.AppendECS(nil, w, event.Encoding{NoClock: true}), &doc); err != nil {
		t.Fatal(err)
	}
	stream, _ := doc["data_stream"].(obj)
	dataset, _ := stream["dataset"].(string)
	if all && !slices.Contains(r.Datasets(), dataset) || stream["namespace"] != "saas" || stream["type"] != "logs" {
		t.Errorf("the data stream %v is none of logs-%v-saas", stream, r.Datasets())
	}
	for _, field := range r.Fields() {
		if e.Fields[field] == nil {
			continue
		}
		name := event.Exported(r.Module(), dataset, field)
		at := saastest.Lookup(doc, name)
		is := at != nil && text(at) == text(e.Fields[field])
		if carried[field] = carried[field] || is; !is && all {
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
