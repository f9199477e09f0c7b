package dashboard

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/longshore-dev/longshore/internal/event"
)

var update = flag.Bool("update", false, "write the files in deploy/ anew")

// TestFilesAreWhatTheTableSays compares the files that users import with the table.
func TestFilesAreWhatTheTableSays(t *testing.T) {
	want, err := Objects()
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"kibana", "opensearch"} {
		path := filepath.Join("..", "..", "deploy", program, "dashboards.ndjson")
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the table says (%v): run go test ./internal/dashboard -update", path, err)
		}
	}
}

var fieldInQuery = regexp.MustCompile(`(?:_exists_:)?([a-z_]+(?:\.[a-z_]+)+)\b(?::|$| )`)

// letters are the fields of dead letters beside those of records.
var letters = []string{"saas.dead_letter.dataset"}

func TestPanelsCountFieldsThatRecordsHave(t *testing.T) {
	counted := []string{"keyword", "ip", "boolean", "date", "long", "float", "constant_keyword"}
	f := func(p Panel, field string, types []string) {
		t.Helper()
		if typ := event.FieldType(field); !slices.Contains(types, typ) && !slices.Contains(letters, field) {
			t.Errorf("panel %q: field %q has type %q", p.Title, field, typ)
		}
	}
	for _, d := range All {
		for _, p := range d.Panels {
			for _, by := range p.By {
				f(p, by, counted)
			}
			if p.Count != "" {
				f(p, p.Count, counted)
			}
			if p.Last != "" {
				f(p, p.Last, []string{"date"})
			}
			for _, m := range fieldInQuery.FindAllStringSubmatch(p.Query, -1) {
				if event.FieldType(m[1]) == "" && m[1] != "saas.finding" && m[1] != "saas.action" && m[1] != "saas.agent" {
					t.Errorf("panel %q: the query reads %q, which no record has", p.Title, m[1])
				}
			}
			if p.View == Entities && p.Kind == Bars {
				t.Errorf("panel %q: the state of entities has no history", p.Title)
			}
		}
	}
}

// saved is a saved object as a program reads it.
type saved struct {
	Type, ID   string
	Attributes struct {
		Title, VisState, PanelsJSON string
	}
	References []struct{ Name, Type, ID string }
}

func TestObjectsPointAtEachOtherAndPanelsDoNotOverlap(t *testing.T) {
	out, err := Objects()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var all []saved
	for line := range bytes.Lines(out) {
		var s saved
		if err := json.Unmarshal(line, &s); err != nil {
			t.Fatal(err)
		}
		for _, ref := range s.References {
			if !seen[ref.Type+" "+ref.ID] {
				t.Errorf("%s %s points at %s %s, which does not stand before it", s.Type, s.ID, ref.Type, ref.ID)
			}
		}
		if seen[s.Type+" "+s.ID] || s.Attributes.Title == "" {
			t.Errorf("%s %q is there twice, or has no title", s.Type, s.ID)
		}
		seen[s.Type+" "+s.ID] = true
		all = append(all, s)
	}
	boards := 0
	for _, s := range all {
		if s.Type != "dashboard" {
			continue
		}
		boards++
		overlap(t, s)
	}
	if boards != 6 {
		t.Errorf("%d dashboards", boards)
	}
}

func overlap(t *testing.T, s saved) {
	t.Helper()
	var panels []struct {
		PanelRefName string
		GridData     struct{ X, Y, W, H int }
	}
	if err := json.Unmarshal([]byte(s.Attributes.PanelsJSON), &panels); err != nil || len(panels) != len(s.References) {
		t.Fatalf("%s: %d panels, %d references, %v", s.ID, len(panels), len(s.References), err)
	}
	used := map[[2]int]string{}
	for i, p := range panels {
		if p.PanelRefName != s.References[i].Name {
			t.Errorf("%s: panel %d is %s, its reference %s", s.ID, i, p.PanelRefName, s.References[i].Name)
		}
		for x := p.GridData.X; x < p.GridData.X+p.GridData.W; x++ {
			for y := p.GridData.Y; y < p.GridData.Y+p.GridData.H; y++ {
				if other := used[[2]int{x, y}]; other != "" || x >= columns {
					t.Fatalf("%s: %s lies on %q at %d,%d", s.ID, p.PanelRefName, other, x, y)
				}
				used[[2]int{x, y}] = p.PanelRefName
			}
		}
	}
}
