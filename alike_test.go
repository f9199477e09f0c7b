package longshore

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// alikeLines are how many lines in a row make two pieces of code one that stands twice.
const alikeLines = 6

// codeLine is a line that says something, without its indentation.
type codeLine struct {
	text, at string
}

// codeLines are the lines of a file but for its imports, comments and empty lines.
func codeLines(s source) []codeLine {
	var out []codeLine
	from := 0 // after the imports
	for _, i := range s.file.Imports {
		from = s.set.Position(i.End()).Line + 1 // and the parenthesis
	}
	for n, text := range strings.Split(string(s.text), "\n") {
		if text = strings.TrimSpace(text); n >= from && text != "" && !strings.HasPrefix(text, "//") {
			out = append(out, codeLine{text, fmt.Sprintf("%s:%d", s.path, n+1)})
		}
	}
	return out
}

// alike finds the blocks of six or more lines that stand in both, each once, by where they begin.
func alike(a, b []codeLine) []string {
	same := func(i, j int) (n int) {
		for i+n < len(a) && j+n < len(b) && a[i+n].text == b[j+n].text {
			n++
		}
		return n
	}
	places := map[string][]int{}
	for j := range b {
		places[b[j].text] = append(places[b[j].text], j)
	}
	var out []string
	for i := 0; i < len(a); i++ {
		longest := 0
		var at string
		for _, j := range places[a[i].text] {
			if n := same(i, j); n > longest {
				longest, at = n, b[j].at
			}
		}
		if longest >= alikeLines {
			out = append(out, fmt.Sprintf("%s and %s have %d lines alike", a[i].at, at, longest))
			i += longest - 1
		}
	}
	return out
}

func TestProvidersDoNotRepeatEachOther(t *testing.T) {
	all := tree(t)
	all = slices.DeleteFunc(all, func(s source) bool { return s.test || !under(s.dir, "receivers") })
	for i, s := range all {
		for _, o := range all[i+1:] {
			if s.dir == o.dir {
				continue
			}
			for _, what := range alike(codeLines(s), codeLines(o)) {
				t.Errorf("%s: it belongs into internal/saas, internal/sim or internal/event", what)
			}
		}
	}
}

func TestRepeatsAreFound(t *testing.T) {
	f := func(a, b string, want int) {
		t.Helper()
		lines := func(s string) (out []codeLine) {
			for _, l := range strings.Fields(s) {
				out = append(out, codeLine{l, l})
			}
			return out
		}
		if got := alike(lines(a), lines(b)); len(got) != want {
			t.Fatalf("%q and %q: %d blocks, want %d", a, b, len(got), want)
		}
	}
	f("a b c d e f", "a b c d e f", 1)
	f("x a b c d e f y", "z a b c d e f", 1)
	f("a b c d e", "a b c d e", 0)
	f("a b c d e f g h", "a b c x d e f g h", 0)
	f("a a a a a a a", "a a a a a a", 1)
}
