package exporters

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/elastic/go-elasticsearch/v8/typedapi/ilm/putlifecycle"
	"github.com/opensearch-project/opensearch-go/v4/plugins/ism"

	"github.com/longshore-dev/longshore/exporters/elasticsearch"
)

// deployed are the files that users install themselves: path below the server's root, and body.
func deployed(t *testing.T, flavor string) (paths []string, bodies map[string]map[string]any) {
	t.Helper()
	root := filepath.Join("..", "..", "deploy", flavor)
	bodies = map[string]map[string]any{}
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, strings.TrimSuffix(path, ".json"))
		name = "/" + filepath.ToSlash(name)
		var body map[string]any
		err = json.Unmarshal(text, &body)
		paths, bodies[name] = append(paths, name), body
		return err
	})
	if err != nil || len(paths) < 15 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	slices.Sort(paths)
	return paths, bodies
}

// lacking are types of fields that every Elasticsearch has but the one of the tests, which is without its modules, and what is
// nearest to each.
var lacking = strings.NewReplacer(`"match_only_text"`, `"text"`, `"wildcard"`, `"keyword"`, `"constant_keyword"`, `"keyword"`)

// filesFit installs the files instead of the exporter.
func filesFit(t *testing.T, s server) {
	paths, bodies := deployed(t, s.flavor)
	for _, path := range paths {
		s.deploy(path, bodies[path])
	}
	e := s.exporter(t, func(c *elasticsearch.Config) { c.InstallTemplates, c.Namespace = false, "saas" })
	e.send(batch("files", 0, 50))
	got, _ := s.search("logs-okta.system-saas", tenant("files"))
	same(t, "documents", got, ids(batch("files", 0, 50)))
}

// deploy installs a file. The servers of the tests have no lifecycle management.
func (s server) deploy(path string, body map[string]any) {
	s.t.Helper()
	if strings.Contains(path, "/policies/") || strings.Contains(path, "/policy/") {
		return
	}
	if settings, ok := at(body, "template", "settings", "index").(map[string]any); ok {
		delete(settings, "lifecycle")
	}
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.flavor == "elasticsearch" {
		text = []byte(lacking.Replace(string(text)))
	}
	if got := s.call("PUT", path, string(text)); got["acknowledged"] != true {
		s.t.Fatalf("%s: %v", path, got)
	}
}

// at is a member of a document; nil = there is none.
func at(doc any, path ...string) any {
	for _, name := range path {
		m, _ := doc.(map[string]any)
		doc = m[name]
	}
	return doc
}

// replaceTheUntyped installs the files over those of a program that declared no types for Okta's fields, and had its whole object
// in the component that all datasets share.
func replaceTheUntyped(t *testing.T, s server) {
	const shared, inventory = "/_component_template/saas-okta", "/_component_template/saas-inventory"
	paths, bodies := deployed(t, s.flavor)
	_, old := deployed(t, s.flavor)
	whole := at(old[inventory], "template", "mappings", "properties").(map[string]any)
	okta, ok := whole["okta"]
	if !ok {
		t.Fatalf("%s has no okta: %v", inventory, whole)
	}
	delete(whole, "okta")
	old[shared] = map[string]any{"template": map[string]any{"mappings": map[string]any{"properties": map[string]any{"okta": okta}}}}
	for _, name := range []string{"entities", "logs"} {
		index := old["/_index_template/saas-"+name+"-saas"]
		index["composed_of"] = append(index["composed_of"].([]any), "saas-okta")
	}
	was := append([]string{shared}, slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return strings.Contains(p, "-okta") })...)
	for _, path := range was {
		s.deploy(path, old[path])
	}
	for _, path := range paths {
		s.deploy(path, bodies[path])
	}
}

// TestPoliciesAreWhatTheVendorsClientsKnow: nothing of a policy is lost in the types of the vendors' clients.
func TestPoliciesAreWhatTheVendorsClientsKnow(t *testing.T) {
	f := func(flavor, path string, into any) {
		t.Helper()
		_, bodies := deployed(t, flavor)
		text, err := json.Marshal(bodies[path])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
		if text, err = json.Marshal(into); err != nil {
			t.Fatal(err)
		}
		var known map[string]any
		if err := json.Unmarshal(text, &known); err != nil {
			t.Fatal(err)
		}
		want, got := leaves(bodies[path], "", nil), leaves(known, "", nil)
		if len(want) < 5 {
			t.Fatalf("%s has %q", path, want)
		}
		for _, leaf := range want {
			if !slices.Contains(got, leaf) {
				t.Errorf("%s: the client knows nothing of %s", path, leaf)
			}
		}
	}
	f("elasticsearch", "/_ilm/policy/saas-saas", new(putlifecycle.Request))
	f("opensearch", "/_plugins/_ism/policies/saas-saas", new(ism.PoliciesPutBody))
}

// leaves are the paths and values of what is no object or list, or is an empty one.
func leaves(v any, at string, into []string) []string {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			into = leaves(inner, at+"."+name, into)
		}
		if len(v) > 0 {
			return into
		}
	case []any:
		for i, inner := range v {
			into = leaves(inner, fmt.Sprint(at, ".", i), into)
		}
		if len(v) > 0 {
			return into
		}
	}
	return append(into, fmt.Sprint(at, "=", v))
}
