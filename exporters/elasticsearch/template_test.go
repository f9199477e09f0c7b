package elasticsearch

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/longshore-dev/longshore/internal/delivery/deliverytest"
	"github.com/longshore-dev/longshore/internal/event"
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

// acme is a vendor with fields of its own; "workday" stands for a module that has no receiver.
func acme(t *testing.T) {
	t.Helper()
	event.RegisterVendor(event.Vendor{Module: "workday", Root: "workday", Typed: []string{"workday.sign_on", "workday.x.*"},
		Fields: "keyword workday.who workday.actor.{id,name} long workday.n flattened workday.debug.flattened keyword workday.debug.url"})
	t.Cleanup(func() { event.RegisterVendor(event.Vendor{Module: "workday"}) })
}

// merged are the fields of a data stream.
func merged(has types) object { return mappingsOf(has, "saas-logs-saas")["properties"].(object) }

func mappingsOf(has types, index string) object {
	all := layout{has: has, namespace: "saas"}.templates()
	for _, t := range all {
		if t.path == "/_index_template/"+index {
			mappings, _ := composed(all, t)
			return mappings
		}
	}
	return nil
}

func TestEveryIndexStaysFarBelowTheFieldLimit(t *testing.T) {
	acme(t)
	for _, index := range []string{"saas-logs-saas", "saas-logs-workday-saas", "saas-entities-saas"} {
		m := mappingsOf(types{"flattened": true}, index)
		if n := fields(m["properties"].(object)); n >= 800 || n < 400 {
			t.Errorf("%s: %d fields, want fewer than 800", index, n)
		}
	}
}

func TestEveryVendorRootIsSearchable(t *testing.T) {
	acme(t)
	for _, index := range []string{"saas-logs-saas", "saas-entities-saas"} {
		props := mappingsOf(types{"flattened": true}, index)["properties"].(object)
		for _, root := range vendorRoots {
			if m, _ := props[root].(object); m["type"] != "flattened" {
				t.Errorf("%s: %s: %v", index, root, m)
			}
		}
	}
}

func TestDeclaredVendorFieldsHaveTypesAndTheRestIsSearchable(t *testing.T) {
	acme(t)
	m := mappingsOf(types{"flattened": true}, "saas-logs-workday-saas")
	props := m["properties"].(object)
	got, _ := json.Marshal(props["workday"])
	want := `{"dynamic":true,"properties":{"actor":{"properties":{"id":{"ignore_above":8191,"type":"keyword"},"name":{"ignore_above":8191,` +
		`"type":"keyword"}}},"debug":{"dynamic":false,"properties":{"flattened":{"depth_limit":64,"ignore_above":8191,"type":"flattened"` +
		`},"url":{"ignore_above":8191,"type":"keyword"}}},"n":{"ignore_malformed":true,"type":"long"},` +
		`"who":{"ignore_above":8191,"type":"keyword"}}}`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if props["okta"] != nil {
		t.Errorf("another vendor's root is in the index: %v", props["okta"])
	}
	got, _ = json.Marshal(m["dynamic_templates"])
	want = `[{"workday_objects":{"mapping":{"depth_limit":64,"ignore_above":8191,"type":"flattened"},"match_mapping_type":"object",` +
		`"path_match":"workday.*"}},{"workday_values":{"mapping":{"ignore_above":8191,"type":"keyword"},"match_mapping_type":"*",` +
		`"path_match":"workday.*"}}]`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, tmpl := range (layout{namespace: "saas"}).templates() {
		if tmpl.path == "/_index_template/saas-logs-workday-saas" {
			want := "[logs-workday.sign_on-saas logs-workday.x.*-saas] 251"
			if got := fmt.Sprint(tmpl.body["index_patterns"], tmpl.body["priority"]); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
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
	for _, tmpl := range (layout{has: types{"constant_keyword": true}, namespace: "saas"}).templates() {
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
	if len(s.templates) != len(vendorRoots)+5 {
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
	if len(s.order) != len(vendorRoots)+3 {
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
	err := e.push(t.Context(), deliverytest.Batch(0, 3))
	var part consumererror.Logs
	if !errors.As(err, &part) || part.Data().LogRecordCount() != 3 || s.bulks != 0 {
		t.Fatalf("%d bulk requests, %v", s.bulks, err)
	}
	s.lacks = nil
	deliverytest.Drain(t, e.push, deliverytest.Batch(0, 3))
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
	if err := e.push(t.Context(), deliverytest.Batch(0, 1)); err == nil {
		t.Fatal("written without templates")
	}
	down = false
	deliverytest.Drain(t, e.push, deliverytest.Batch(0, 1))
	if len(s.templates) == 0 {
		t.Fatal("no templates")
	}
}

func TestTemplatesCanBeLeftOut(t *testing.T) {
	s := newStandIn(t)
	e := started(t, s, func(c *Config) { c.InstallTemplates = false })
	deliverytest.Drain(t, e.push, deliverytest.Batch(0, 1))
	if len(s.templates) != 0 {
		t.Fatalf("installed %v", s.order)
	}
}

func TestRootsOfDatasetsStandBelowTheNameOfTheirModule(t *testing.T) {
	event.RegisterVendor(event.Vendor{Module: "workday", Typed: []string{"workday.sign_on"}, Fields: "keyword workday.sign_on.who"})
	t.Cleanup(func() { event.RegisterVendor(event.Vendor{Module: "workday"}) })
	m := mappingsOf(types{"flattened": true}, "saas-logs-workday-saas")
	module, _ := m["properties"].(object)["workday"].(object)
	root, _ := module["properties"].(object)["sign_on"].(object)
	if who, _ := root["properties"].(object)["who"].(object); module["dynamic"] != true || who["type"] != "keyword" {
		t.Errorf("workday is %v", module)
	}
}
