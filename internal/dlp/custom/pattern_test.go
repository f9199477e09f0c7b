package custom

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	re2 "github.com/wasilibs/go-re2/experimental"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/sim"
)

// sample are patterns of many shapes.
var sample = []string{`\bEMP-\d{6}\b`, `[A-Z]{2}\d{2,4}`, `(?i)secret[- ]?word`, `^id=\w+$`, `(a|ab)(c|bcd)`, `x{2,5}?`, `\p{Greek}+`,
	`[^\s]{5,}é`,
	`(?s)b.e`, `\d+(\.\d+)?%`, `ü+|世.`, `a.c`, `\x{1a}`, `foo$`, `(?U)q.+q`}

func TestPatternsAreThoseOfPackageRegexp(t *testing.T) {
	var all []Detector
	for i, p := range sample {
		all = append(all, Detector{ID: fmt.Sprint("p", i), Patterns: []string{p}})
	}
	own, err := New(all)
	if err != nil {
		t.Fatal(err)
	}
	m, r, found := own.Matcher(), sim.NewRand(4, 4), 0
	bits := []string{"EMP-123456", "AB123", "Secret-Word", "id=x\n", "abcd", "xxxx", "αβγ", "hellowé", "b\ne", "12.5%", "ü世界",
		"a\xffc", "\xf0\x9f", "foo", "\n", " ", "-", "qaqbq", "ab", "é", "1"}
	for range 2000 {
		var b strings.Builder
		for range r.N(12) {
			b.WriteString(bits[r.N(len(bits))])
		}
		text := []byte(b.String())
		var want []string
		for i, p := range sample {
			clean := bytes.Clone(text)
			if !bytes.Equal(bytes.ToValidUTF8(clean, nil), clean) {
				clean = (&matcher{}).valid(clean)
			}
			for _, at := range regexp.MustCompile("(?m)"+p).FindAllIndex(clean, -1) {
				want = append(want, fmt.Sprint(i, at[0], at[1]))
			}
		}
		var got []string
		for _, x := range m.Match(&dlp.Passage{Text: text, To: len(text)}) {
			got = append(got, fmt.Sprint(x.Of, x.Start, x.End))
		}
		slices.Sort(got)
		slices.Sort(want)
		if found += len(want); !slices.Equal(got, want) {
			t.Fatalf("%q: %v, want %v", text, got, want)
		}
	}
	if found < 5000 {
		t.Errorf("only %d matches", found)
	}
}

func TestLongTextsAreCutBetweenLines(t *testing.T) {
	own, err := New([]Detector{{ID: "acme.x", Patterns: []string{`^EMP-\d{6}$`}}})
	if err != nil {
		t.Fatal(err)
	}
	line := "EMP-123456\n"
	text := []byte(strings.Repeat(line, 5*maxChunk/2/len(line)))
	got := own.Matcher().Match(&dlp.Passage{Text: text, To: len(text)})
	want := bytes.Count(text, newline)
	if len(got) != want {
		t.Errorf("%d of %d lines", len(got), want)
	}
	for i, m := range got {
		if m.Start%len(line) != 0 || m.End != m.Start+len(line)-1 {
			t.Fatalf("match %d is %+v", i, m)
		}
	}
	text = []byte(strings.Repeat("é", maxChunk))
	if to := cut(text, 1); to <= 1 || text[to] != "é"[0] {
		t.Errorf("a character is cut at %d", to)
	}
}

func TestASetThatRunsOutOfMemoryLeavesItToTheOthers(t *testing.T) {
	own, err := New([]Detector{{ID: "acme.x", Patterns: []string{`x\d`}}, {ID: "acme.y", Patterns: []string{`y\d`}}})
	if err != nil {
		t.Fatal(err)
	}
	own.(*Set).patterns.find = func([]byte, int) ([]int, error) { return nil, re2.ErrSetEvaluation }
	text := []byte("y1 x2 y3")
	if got := own.Matcher().Match(&dlp.Passage{Text: text, To: len(text)}); len(got) != 3 || got[1].Of != 0 || got[2].Of != 1 {
		t.Errorf("got %+v", got)
	}
}

func BenchmarkPatterns(b *testing.B) {
	var all []Detector
	for i := range 100 {
		all = append(all, Detector{ID: fmt.Sprint("p", i), Patterns: []string{fmt.Sprintf(`\b[A-Z]{2}%02d-\d{6}\b`, i)}})
	}
	own, err := New(all)
	if err != nil {
		b.Fatal(err)
	}
	_, text := many(1)
	m := own.Matcher()
	f := func(name string, text []byte) {
		b.Run(name, func(b *testing.B) {
			rate(b, len(text), func() { m.Match(&dlp.Passage{Text: text, To: len(text)}) })
		})
	}
	f("none matches", text)
	f("event of 2 kB", text[:2000])
	f("one matches", append([]byte("AB07-123456 "), text...))
}
