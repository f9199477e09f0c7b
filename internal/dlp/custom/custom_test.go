package custom

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/dlp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scanner has the packs pci and pii/us and some detectors of its own.
func scanner(t testing.TB, all ...Detector) *dlp.Scanner {
	t.Helper()
	own, err := New(all)
	if err != nil {
		t.Fatal(err)
	}
	s, err := dlp.New(dlp.Options{Packs: []string{"pci", "pii/us"}, Confidence: dlp.Medium, Custom: own, Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	return s.Scanner()
}

// told writes findings as type, values, different ones, confidence and places.
func told(s *dlp.Scanner) string {
	var out []string
	for _, f := range s.Findings() {
		out = append(out, fmt.Sprintf("%s %d/%d %d at %s", f.Type.ID, f.Count, f.Unique, f.Confidence, strings.Join(f.Locations, ", ")))
	}
	return strings.Join(out, "; ")
}

// inText, inJSON are what is found in a text, in a record.
func inText(s *dlp.Scanner, text string) string {
	s.Reset()
	s.Text([]byte(text), "note")
	return told(s)
}

func inJSON(s *dlp.Scanner, text string) string {
	s.Reset()
	s.JSON([]byte(text))
	return told(s)
}

func TestWrongDetectorsAreRefusedWithWhatIsWrong(t *testing.T) {
	f := func(want string, all ...Detector) {
		t.Helper()
		own, err := New(all)
		if err == nil {
			_, err = dlp.New(dlp.Options{Packs: []string{"pci"}, Custom: own})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	term := func(id string) *Rule { return &Rule{All: []Term{{Detector: id}}} }
	one := func(change func(*Detector)) Detector {
		d := Detector{ID: "acme.x"}
		change(&d)
		return d
	}
	f(`detector 1 has no id`, Detector{})
	f(`detector "Acme": id: want lower-case`, Detector{ID: "Acme"})
	f(`detector "pii.us_ssn": id: a detector of Longshore's own has it`, Detector{ID: "pii.us_ssn"})
	f(`detector "acme.x": has nothing to find: want one of patterns`, Detector{ID: "acme.x"})
	f(`detector "acme.x": has patterns and file_types`, Detector{ID: "acme.x", Patterns: []string{"a"}, FileTypes: []string{"a/b"}})
	f(`detector "acme.x": id: another`, Detector{ID: "acme.x", Patterns: []string{"a"}}, Detector{ID: "acme.x", Patterns: []string{"a"}})
	f(`detector "acme.x": patterns: "éa(b": missing closing ) at character 1: "éa(b"`, Detector{ID: "acme.x", Patterns: []string{"éa(b"}})
	f(`"éa[z-a]": invalid character class range at character 4: "z-a"`, Detector{ID: "acme.x", Patterns: []string{"éa[z-a]"}})
	f(`"(?=a)": invalid or unsupported Perl syntax at character 1: "(?="`, Detector{ID: "acme.x", Patterns: []string{"(?=a)"}})
	f(`"a*": it matches the empty text`, Detector{ID: "acme.x", Patterns: []string{"a*"}})
	f(`checksum: "lun": want any of luhn, mod11_10, mod97, verhoeff`, Detector{ID: "acme.x", Patterns: []string{"a"}, Checksum: "lun"})
	f(`keywords: number 2: the term is empty`, Detector{ID: "acme.x", Patterns: []string{"a"}, Keywords: []string{"a", " "}})
	f(`distance: 5001: want 1 to 5000`, Detector{ID: "acme.x", Patterns: []string{"a"}, Distance: 5001})
	f(`checksum, keywords and distance are for patterns`, Detector{ID: "acme.x", FileTypes: []string{"a/b"}, Distance: 2})
	f(`severity: 5: want 1 to 4`, one(func(d *Detector) { d.Severity = 5 }))
	f(`confidence: 101: want`, one(func(d *Detector) { d.Confidence = 101 }))
	f(`dictionary: no terms and no file`, one(func(d *Detector) { d.Dictionary = &Dictionary{} }))
	f(`dictionary: terms: number 1: the term is empty`, one(func(d *Detector) { d.Dictionary = &Dictionary{Terms: []string{""}} }))
	f(`dictionary: terms: number 1: the term has 129 bytes`, one(func(d *Detector) {
		d.Dictionary = &Dictionary{Terms: []string{strings.Repeat("x", 129)}}
	}))
	f(`dictionary: stat gone`, one(func(d *Detector) { d.Dictionary = &Dictionary{File: "gone"} }))
	f(`exact_match: no file`, one(func(d *Detector) { d.ExactMatch = &ExactMatch{} }))
	f(`exact_match: want key or key_file`, one(func(d *Detector) { d.ExactMatch = &ExactMatch{File: "x"} }))
	f(`documents: no file`, one(func(d *Detector) { d.Documents = &Documents{} }))
	f(`documents: containment: 2: want`, one(func(d *Detector) { d.Documents = &Documents{File: "x", Containment: 2} }))
	f(`file_types: "pdf": want a media type`, one(func(d *Detector) { d.FileTypes = []string{"pdf"} }))
	f(`rule: all and any are empty`, one(func(d *Detector) { d.Rule = &Rule{Not: []Term{{}}} }))
	f(`rule: no detector is called "pii.nobody", or it stands further below`, Detector{ID: "acme.x", Rule: term("pii.nobody")})
	f(`rule: no detector is called "acme.x"`, Detector{ID: "acme.x", Rule: term("acme.x")})
	f(`detector "acme.x": its rule counts "pii.us_ssn", whose pack "pii/us" is not on`, Detector{ID: "acme.x", Rule: term("pii.us_ssn")})
	f(`within: 5001: want`, one(func(d *Detector) { d.Rule = term("pci.credit_card"); d.Rule.Within = 5001 }))
	f(`"acme.t" stands nowhere in a text`, Detector{ID: "acme.t", FileTypes: []string{"a/b"}},
		one(func(d *Detector) { d.Rule = term("acme.t"); d.Rule.Within = 5 }))
	f(`rule: "pci.credit_card": count: -1`, one(func(d *Detector) { d.Rule = &Rule{All: []Term{{"pci.credit_card", -1, false}}} }))
	f(`257 detectors of your own: want at most 256`, slices.Collect(func(yield func(Detector) bool) {
		for i := range 257 {
			if !yield(Detector{ID: fmt.Sprint("d", i), FileTypes: []string{"a/b"}}) {
				return
			}
		}
	})...)
}

func TestPatternsAreFoundInTextsAndRecords(t *testing.T) {
	s := scanner(t, Detector{ID: "acme.employee", Patterns: []string{`\bEMP-\d{6}\b`, `\bE/\d{6}\b`}},
		Detector{ID: "acme.badge", Patterns: []string{`\b\d{7}\b`}, Checksum: "luhn", Keywords: []string{"badge", "Ausweis Nr"}, Distance: 20})
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	f(inText(s, "EMP-123456 and E/654321, EMP-123456"), "acme.employee 3/2 75 at note")
	f(inText(s, "EMP-1234567 XEMP-123456"), "")
	f(inText(s, "badge 1234566"), "acme.badge 1/1 85 at note")
	f(inText(s, "badge 1234567"), "")
	f(inText(s, "1234566"), "")
	f(inText(s, "1234566 AUSWEIS  NR."), "acme.badge 1/1 85 at note")
	f(inText(s, "badge "+strings.Repeat("é", 18)+" 1234566"), "acme.badge 1/1 85 at note")
	f(inText(s, "badge "+strings.Repeat("é", 19)+" 1234566"), "")
	f(inText(s, "badger 1234566"), "")
	f(inJSON(s, `{"a":[{"x":1},{"n":"the EMP-123456 é"}],"EMP-111111":"EMP-222222 EMP-3"}`),
		"acme.employee 3/3 75 at a[1].n, *")
	f(inJSON(s, `{"badgeNumber":1234566}`), "acme.badge 1/1 85 at badgeNumber")
	f(inJSON(s, `{"badge":"x","other":1234566}`), "acme.badge 1/1 85 at other")
	f(inJSON(s, `{"x":"EMP-","y":"123456"}`), "")
	f(inText(s, "\xff\xfeEMP-123456\xff"), "acme.employee 1/1 75 at note")
}
