package custom

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp/extract"
	"github.com/longshore-dev/longshore/internal/sim"
)

// prose is n words of a vocabulary.
func prose(r *sim.Rand, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("word%d", r.N(400))
	}
	return out
}

// fingerprinted is a file of the fingerprints of texts.
func fingerprinted(t *testing.T, texts ...string) string {
	t.Helper()
	var all []byte
	for i, text := range texts {
		line, err := Fingerprint(t.Context(), strings.NewReader(text), fmt.Sprintf("doc%d.txt", i), -1, extract.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, line...)
	}
	file := filepath.Join(t.TempDir(), "documents.jsonl")
	if err := os.WriteFile(file, all, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCopiesOfDocumentsAreFoundAndOthersAreNot(t *testing.T) {
	r := sim.NewRand(6, 6)
	one, two := prose(r, 2000), prose(r, 800)
	file := fingerprinted(t, strings.Join(one, " "), strings.Join(two, " "))
	s := scanner(t, Detector{ID: "acme.plan", Documents: &Documents{File: file}},
		Detector{ID: "acme.part", Documents: &Documents{File: file, Containment: 0.1}})
	f := func(what string, words []string, want ...string) {
		t.Helper()
		for _, sep := range []string{" ", ",\n"} {
			if _, err := s.File(t.Context(), strings.NewReader(strings.Join(words, sep)), "x.txt", -1, extract.Limits{}); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, x := range s.Findings() {
				got = append(got, fmt.Sprintf("%s %d %s", x.Type.ID, x.Count, x.Samples[0]))
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", what, got, want)
			}
		}
	}
	f("the document", one, "acme.plan 1 100 % of doc0.txt", "acme.part 1 100 % of doc0.txt")
	f("both", slices.Concat(prose(r, 50), two, prose(r, 5000), one), "acme.plan 2 100 % of doc0.txt", "acme.part 2 100 % of doc0.txt")
	edited := slices.Clone(one)
	for i := 0; i < len(edited); i += 40 {
		edited[i] = "Changed"
	}
	for i := range edited {
		edited[i] = strings.ToUpper(edited[i])
	}
	s.Reset()
	if _, err := s.File(t.Context(), strings.NewReader(strings.Join(edited, " ")), "x", -1, extract.Limits{}); err != nil {
		t.Fatal(err)
	}
	if got := told(s); !strings.HasPrefix(got, "acme.plan 1/1 85 at ; acme.part") {
		t.Errorf("an edited copy: %q", got)
	}
	s.Reset()
	if _, err := s.File(t.Context(), strings.NewReader(strings.Join(one[500:900], " ")), "x", -1, extract.Limits{}); err != nil {
		t.Fatal(err)
	}
	if got := told(s); got != "acme.part 1/1 85 at " {
		t.Errorf("a fifth of it: %q", got)
	}
	f("another text of the same words", prose(r, 3000))
	mixed := slices.Clone(one)
	for i := range mixed {
		k := r.N(i + 1)
		mixed[i], mixed[k] = mixed[k], mixed[i]
	}
	f("its words in another order", mixed)
}

func TestTextsThatShareEnoughWordsShareAFingerprint(t *testing.T) {
	r := sim.NewRand(7, 7)
	prints := func(words []string) (out []uint64) {
		w := winnow{keep: func(p uint64) { out = append(out, p) }}
		w.read([]byte(strings.Join(words, " ")))
		w.end()
		return out
	}
	for range 500 {
		shared := prose(r, wordsEach+rowsEach-1)
		a := prints(slices.Concat(prose(r, r.N(100)), shared, prose(r, r.N(100))))
		b := prints(slices.Concat(prose(r, r.N(100)), shared, prose(r, r.N(100))))
		if !slices.ContainsFunc(a, func(p uint64) bool { return slices.Contains(b, p) }) {
			t.Fatal("no fingerprint is shared")
		}
	}
	if all := prints(prose(r, 9000)); len(all) < 9000*2/(rowsEach+1)*8/10 || len(all) > 9000*2/(rowsEach+1)*12/10 {
		t.Errorf("%d fingerprints of 9000 words, about 2 in %d are expected", len(all), rowsEach+1)
	}
}

func TestDocumentsAreFoundInPiecesAndRecords(t *testing.T) {
	r := sim.NewRand(8, 8)
	one := prose(r, 300_000) // more than a piece
	file := fingerprinted(t, strings.Join(one, " "), strings.Join(one[:200], " "))
	s := scanner(t, Detector{ID: "acme.plan", Documents: &Documents{File: file, Containment: 1}})
	if _, err := s.File(t.Context(), strings.NewReader(strings.Join(one, "\n")), "x", -1, extract.Limits{}); err != nil {
		t.Fatal(err)
	}
	if got := told(s); got != "acme.plan 2/1 85 at " {
		t.Errorf("got %q", got)
	}
	if got := inJSON(s, `{"a":"`+strings.Join(one[:200], ` `)+`"}`); got != "acme.plan 1/1 85 at " {
		t.Errorf("in a record: %q", got)
	}
	if got := inJSON(s, `{"a":"x"}`); got != "" {
		t.Errorf("in the next one: %q", got)
	}
}

func TestFilesOfFingerprintsThatCannotBeUsedSayWhy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "d.jsonl")
	f := func(content, want string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New([]Detector{{ID: "acme.x", Documents: &Documents{File: file}}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", content, err, want)
		}
	}
	f("", `detector "acme.x": documents: `+file+" has no document")
	f("\n{}\n", "line 2 is none that `longshore fingerprint` wrote")
	f(`{"longshore_document":1,"name":"x","prints":"AAAA`, "or is cut")
	for text, want := range map[string]string{"too short a text": "has 4 words", "%PDF-1.4 \x00": "not read whole: "} {
		_, err := Fingerprint(t.Context(), strings.NewReader(text), "x", -1, extract.Limits{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestFileTypesAreTheContents(t *testing.T) {
	s := scanner(t, Detector{ID: "acme.pdf", FileTypes: []string{"application/pdf", "image/*"}, Hidden: true},
		Detector{ID: "acme.rule", Rule: &Rule{Any: []Term{{Detector: "acme.pdf"}}}}, Detector{ID: "acme.text", FileTypes: []string{"text/plain"}})
	f := func(content, want string) {
		t.Helper()
		if _, err := s.File(t.Context(), strings.NewReader(content), "x", -1, extract.Limits{}); err != nil {
			t.Fatal(err)
		}
		if got := told(s); got != want {
			t.Errorf("%q: %q, want %q", content, got, want)
		}
	}
	f("%PDF-1.4", "acme.rule 1/0 85 at ")
	f("\x89PNG\r\n\x1a\n\x00\x00", "acme.rule 1/0 85 at ")
	f("hello", "acme.text 1/1 85 at ")
}
