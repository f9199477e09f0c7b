package longshore

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of sizes into docs/adding-an-application.md")

// sizes is the table of the lines of every application, without tests.
func sizes(t *testing.T) string {
	t.Helper()
	type size struct{ itself, fake int }
	all := map[string]*size{}
	for _, s := range tree(t) {
		if s.test || !strings.HasPrefix(s.dir, "receivers/") {
			continue
		}
		app := strings.Split(s.dir, "/")[1]
		if all[app] == nil {
			all[app] = &size{}
		}
		n := bytes.Count(s.text, []byte("\n"))
		if strings.HasPrefix(path.Base(s.path), "sim") {
			all[app].fake += n
		} else {
			all[app].itself += n
		}
	}
	var b strings.Builder
	b.WriteString("| application | lines, 300 to 600 wanted | of its fake, 80 to 200 wanted |\n| --- | --- | --- |\n")
	for _, app := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "| %s | %d | %d |\n", app, all[app].itself, all[app].fake)
	}
	return b.String()
}

// TestSizesOfApplicationsAreToldAsTheyAre: the page says how far each is from the budget. -update writes it.
func TestSizesOfApplicationsAreToldAsTheyAre(t *testing.T) {
	const page, begin, end = "docs/adding-an-application.md", "<!-- sizes -->\n", "<!-- /sizes -->"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	told, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the sizes", page)
	}
	is := sizes(t)
	switch {
	case told == is:
	case *update:
		if err := os.WriteFile(page, []byte(before+begin+is+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s says\n%sand it is\n%s(go test . -run Sizes -update)", page, told, is)
	}
}
