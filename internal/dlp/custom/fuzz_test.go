package custom

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/dlp/extract"
	"github.com/longshore-dev/longshore/internal/sim"
)

// each is a detector of every kind.
func each(t testing.TB) []Detector {
	file, _ := built(t, strings.NewReader(people), "id", "first,last,mail")
	return []Detector{exactly(file, 1),
		{ID: "acme.employee", Patterns: []string{`EMP-\d{2,6}`, `\x{1a}{3}`}, Keywords: []string{"staff", "é"}},
		{ID: "acme.term", Dictionary: &Dictionary{Terms: []string{"ab", "b c", "éa", "世"}}},
		{ID: "acme.part", Dictionary: &Dictionary{Terms: []string{"a", "aa", "-"}, Parts: true, CaseSensitive: true}},
		{ID: "acme.type", FileTypes: []string{"text/*"}},
		{ID: "acme.rule", Rule: &Rule{All: []Term{{"acme.term", 2, true}}, Any: []Term{{"acme.part", 1, false}},
			Not: []Term{{"pii.us_ssn", 1, true}}, Within: 20}}}
}

// checked looks at texts with every detector, and at what is found in them.
func checked(t testing.TB) func(t *testing.T, text []byte) {
	own, err := New(each(t))
	if err != nil {
		t.Fatal(err)
	}
	set, err := dlp.New(dlp.Options{Packs: dlp.Packs(), Custom: own, Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	s, m := set.Scanner(), own.Matcher()
	return func(t *testing.T, text []byte) {
		last := 0
		for _, x := range m.Match(&dlp.Passage{Text: text, To: len(text), Field: func(int) string { return "staffNo" }}) {
			if x.Start < last || x.End <= x.Start || x.End > len(text) || x.Confidence < 1 || x.Confidence > 100 {
				t.Fatalf("match %+v after %d", x, last)
			}
			last = x.Start
		}
		for _, c := range s.Claims(text, "") {
			if c.Start < 0 || c.End > len(text) || c.Start >= c.End {
				t.Fatalf("claim %+v of %d bytes", c, len(text))
			}
		}
		var got [2]string
		for i := range got {
			s.Reset()
			s.JSON(text)
			s.Text(text, "staff")
			got[i] = told(s)
		}
		if got[0] != got[1] {
			t.Fatalf("once %q, then %q", got[0], got[1])
		}
		if _, err := s.File(t.Context(), bytes.NewReader(text), "x", -1, extract.Limits{}); err != nil {
			t.Fatal(err)
		}
		for _, x := range s.Findings() {
			if x.Type.ID == "acme.employee" && strings.Contains(strings.Join(x.Samples, " "), "EMP-") {
				t.Fatalf("samples %q", x.Samples)
			}
		}
	}
}

func FuzzEveryDetector(f *testing.F) {
	for _, s := range []string{"", `{"a":"EMP-1234","b":["ab","b c",12,{"é":"\u00e9a"}]}`, "staff EMP-99 ab  b\tc 123-45-6789 José",
		"\xff\xfe\x1a\x1a\x1a",
		`{"a":`, `["\`, "aaaa---世世e\u0301a", people, `{"EMP-12":"EMP-12","x":"EMP-12"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(checked(f))
}

func TestNoTextMakesADetectorFail(t *testing.T) {
	check, r := checked(t), sim.NewRand(12, 12)
	bits := []string{"EMP-12", `"`, `{"a":`, `}`, `[`, `]`, `,`, `:`, "\\", "\\u00e9", "\xff", "\x1a", "staff", "ab", "b c", "世",
		"e\u0301", "123-45-6789", "José", "536-90-4399", "\n", " ", "-", "4539148803436467"}
	for range 1500 {
		var b strings.Builder
		for range r.N(30) {
			b.WriteString(bits[r.N(len(bits))])
		}
		check(t, []byte(b.String()))
	}
}

func TestASetIsUsedByManyAtATime(t *testing.T) {
	own, err := New(each(t))
	if err != nil {
		t.Fatal(err)
	}
	set, err := dlp.New(dlp.Options{Packs: []string{"pci", "pii/us"}, Confidence: dlp.Medium, Custom: own})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(map[string]string{"a": "staff EMP-1234 ab", "b": "b c 123-45-6789 José", "c": strings.Repeat("aa ", 50)})
	want := inJSON(set.Scanner(), string(text))
	if strings.Count(want, "acme.") != 5 {
		t.Fatalf("found %s", want)
	}
	var all sync.WaitGroup
	got := make([]string, 8)
	for i := range got {
		all.Go(func() {
			s := set.Scanner()
			for range 50 {
				got[i] = inJSON(s, string(text))
			}
		})
	}
	all.Wait()
	if slices.ContainsFunc(got, func(g string) bool { return g != want }) {
		t.Errorf("got %q, want %q", got, want)
	}
}
