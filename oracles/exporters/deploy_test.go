package exporters

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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

// filesFit installs the files instead of the exporter. The servers of the tests have no lifecycle management.
func filesFit(t *testing.T, s server) {
	paths, bodies := deployed(t, s.flavor)
	for _, path := range paths {
		if strings.Contains(path, "/policies/") || strings.Contains(path, "/policy/") {
			continue
		}
		body := bodies[path]
		if inner, ok := body["template"].(map[string]any); ok {
			if settings, ok := inner["settings"].(map[string]any); ok {
				delete(settings["index"].(map[string]any), "lifecycle")
			}
		}
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		if s.flavor == "elasticsearch" {
			text = []byte(lacking.Replace(string(text)))
		}
		if got := s.call("PUT", path, string(text)); got["acknowledged"] != true {
			t.Fatalf("%s: %v", path, got)
		}
	}
	e := s.exporter(t, func(c *elasticsearch.Config) { c.InstallTemplates, c.Namespace = false, "saas" })
	e.send(batch("files", 0, 50))
	got, _ := s.search("logs-okta.system-saas", tenant("files"))
	same(t, "documents", got, ids(batch("files", 0, 50)))
}
