package elasticsearch

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/consumer/consumererror"
)

// fields counts as the server does: every field, every object, every sub-field.
func fields(props object) int {
	n := 0
	for _, p := range props {
		m, _ := p.(object)
		n++
		for _, inner := range []string{"properties", "fields"} {
			below, _ := m[inner].(object)
			n += fields(below)
		}
	}
	return n
}

// merged are the fields of a data stream.
func merged(has types) object {
	props := object{}
	for _, t := range templates(has, "saas") {
		m := t.body["template"].(object)["mappings"].(object)
		p, _ := m["properties"].(object)
		for name, def := range p {
			props[name] = def
		}
	}
	return props
}

func TestDataStreamStaysFarBelowTheFieldLimit(t *testing.T) {
	if n := fields(merged(types{"flattened": true})); n >= 800 || n < 400 {
		t.Fatalf("%d fields, want fewer than 800", n)
	}
}

func TestEveryVendorRootIsSearchable(t *testing.T) {
	props := merged(types{"flattened": true})
	for _, root := range vendorRoots {
		if m, _ := props[root].(object); m["type"] != "flattened" {
			t.Errorf("%s: %v", root, m)
		}
	}
}

func TestMappingHasTheTypesOfTheSchema(t *testing.T) {
	full := types{"match_only_text": true, "wildcard": true, "constant_keyword": true, "flattened": true}
	f := func(has types, name, want string) {
		t.Helper()
		at := merged(has)
		steps := strings.Split(name, ".")
		for _, s := range steps[:len(steps)-1] {
			at, _ = at[s].(object)["properties"].(object)
		}
		if got, _ := json.Marshal(at[steps[len(steps)-1]]); string(got) != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	f(full, "@timestamp", `{"type":"date"}`)
	f(full, "source.ip", `{"ignore_malformed":true,"type":"ip"}`)
	f(full, "event.original", `{"doc_values":false,"index":false,"type":"keyword"}`)
	f(full, "event.id", `{"ignore_above":1024,"type":"keyword"}`)
	f(full, "user_agent.original", `{"ignore_above":8191,"type":"keyword"}`)
	f(full, "url.full", `{"ignore_above":8191,"type":"wildcard"}`)
	f(types{}, "url.full", `{"ignore_above":8191,"type":"keyword"}`)
	f(full, "error.message", `{"type":"match_only_text"}`)
	f(types{}, "error.message", `{"norms":false,"type":"text"}`)
	f(full, "data_stream.dataset", `{"type":"constant_keyword"}`)
	f(types{}, "data_stream.dataset", `{"ignore_above":1024,"type":"keyword"}`)
	f(types{"flat_object": true}, "okta", `{"type":"flat_object"}`)
	f(types{}, "okta", `{"enabled":false,"type":"object"}`)
	f(full, "saas.dead_letter.cut", `{"type":"boolean"}`)
}

func TestEntitiesOfAllDatasetsFitIntoOneIndex(t *testing.T) {
	for _, tmpl := range templates(types{"constant_keyword": true}, "saas") {
		text, _ := json.Marshal(tmpl.body)
		constant := strings.Contains(string(text), "constant_keyword")
		if want := tmpl.path == "/_index_template/saas-logs-saas"; constant != want {
			t.Errorf("%s: a constant: %v", tmpl.path, constant)
		}
	}
}

func TestTemplatesAreInstalledBeforeTheFirstDocument(t *testing.T) {
	s := newStandIn(t)
	s.lacks = []string{"match_only_text", "wildcard", "constant_keyword", "flat_object"}
	started(t, s, nil)
	if len(s.templates) != len(vendorRoots)+4 {
		t.Fatalf("installed %v", s.order)
	}
	if last := s.order[len(s.order)-1]; last != "/_index_template/saas-logs-saas" {
		t.Fatalf("the last was %s", last)
	}
	for path, body := range s.templates {
		for _, typ := range s.lacks {
			if strings.Contains(string(body), `"type":"`+typ+`"`) {
				t.Errorf("%s has type %s, which the cluster lacks", path, typ)
			}
		}
	}
	var logs struct {
		Patterns []string `json:"index_patterns"`
		Priority int      `json:"priority"`
		Stream   *object  `json:"data_stream"`
	}
	if err := json.Unmarshal(s.templates["/_index_template/saas-logs-saas"], &logs); err != nil {
		t.Fatal(err)
	}
	if len(logs.Patterns) != 1 || logs.Patterns[0] != "logs-*-saas" || logs.Priority != 250 || logs.Stream == nil {
		t.Fatalf("got %+v", logs)
	}
}

func TestNewerAndForeignTemplatesAreLeftAlone(t *testing.T) {
	s := newStandIn(t)
	s.templates["/_component_template/saas-own"] = json.RawMessage(`{"_meta":{"managed_by":"longshore","version":99}}`)
	s.templates["/_component_template/saas-okta"] = json.RawMessage(`{"_meta":{"managed_by":"somebody"}}`)
	s.templates["/_index_template/saas-logs-saas"] = json.RawMessage(`{"_meta":{"managed_by":"longshore","version":0}}`)
	started(t, s, nil)
	for _, path := range s.order {
		if path == "/_component_template/saas-own" || path == "/_component_template/saas-okta" {
			t.Errorf("%s was overwritten", path)
		}
	}
	if len(s.order) != len(vendorRoots)+2 {
		t.Fatalf("installed %v", s.order)
	}
	n := len(s.order)
	started(t, s, nil)
	if len(s.order) != n {
		t.Fatalf("installed again: %v", s.order[n:])
	}
}

func TestNothingIsWrittenWhenTheClusterRefusesTheWhole(t *testing.T) {
	s := newStandIn(t)
	s.lacks = []string{"nested"} // not a type that is asked for one by one
	e := started(t, s, nil)
	if len(s.order) != 0 {
		t.Fatalf("installed %v", s.order)
	}
	err := e.push(t.Context(), batch(3))
	var part consumererror.Logs
	if !errors.As(err, &part) || part.Data().LogRecordCount() != 3 || s.bulks != 0 {
		t.Fatalf("%d bulk requests, %v", s.bulks, err)
	}
	s.lacks = nil
	drain(t, e, batch(3))
}

func TestTemplatesWaitForTheServer(t *testing.T) {
	s := newStandIn(t)
	down := true
	s.other = func(w http.ResponseWriter, _ *http.Request) bool {
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return down
	}
	e := started(t, s, nil)
	if err := e.push(t.Context(), batch(1)); err == nil {
		t.Fatal("written without templates")
	}
	down = false
	drain(t, e, batch(1))
	if len(s.templates) == 0 {
		t.Fatal("no templates")
	}
}

func TestTemplatesCanBeLeftOut(t *testing.T) {
	s := newStandIn(t)
	e := started(t, s, func(c *Config) { c.InstallTemplates = false })
	drain(t, e, batch(1))
	if len(s.templates) != 0 {
		t.Fatalf("installed %v", s.order)
	}
}
