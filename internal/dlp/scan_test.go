package dlp

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// all is every detector, at a confidence.
func all(t testing.TB, confidence int) *Scanner {
	t.Helper()
	s, err := New(Options{Packs: Packs(), Confidence: confidence})
	if err != nil {
		t.Fatal(err)
	}
	return s.Scanner()
}

// show writes claims as type, bytes and confidence.
func show(text string, claims []Claim) string {
	var out []string
	for _, c := range claims {
		out = append(out, fmt.Sprintf("%s %q %d", c.Type().ID, text[c.Start:c.End], c.Confidence))
	}
	return strings.Join(out, "; ")
}

func TestPlantedValuesAreFoundAndDecoysAreNot(t *testing.T) {
	s, r := all(t, Medium), sim.NewRand(1, 1)
	planted := []string{sim.Card, sim.SSN, sim.IBAN, sim.AWSKey, sim.JWT}
	for range 2000 {
		for _, want := range planted {
			text := sim.Plant(r, want)
			if c := s.Claims([]byte(text), ""); len(c) != 1 || c[0].Type().ID != want || c[0].Confidence != High {
				t.Fatalf("%q: %s", text, show(text, c))
			}
		}
		if text := sim.Decoy(r); len(s.Claims([]byte(text), "")) > 0 {
			t.Fatalf("%q: %s", text, show(text, s.claims))
		}
	}
	for _, id := range planted {
		if !slices.ContainsFunc(Types(), func(x Type) bool { return x.ID == id }) {
			t.Errorf("no detector for %s", id)
		}
	}
}

// presidio is which recognizer of the public cases has a detector here.
var presidio = map[string]uint8{"credit_card": card, "us_ssn": ssn, "iban": iban, "email": email}

// disagreed are the public cases that are decided otherwise here, and why.
var disagreed = map[string]string{
	"122000000000003":                 "UATP: a tenth of all numbers of 15 digits begin like one",
	"my credit card: 122000000000003": "the same",
	"078-051121 07805-1121":           "not written so by the authority",
	"078051121":                       "nine digits without a keyword are no claim",
}

func TestPublicCasesAgree(t *testing.T) {
	f, err := os.Open(filepath.FromSlash("../../../shared/dlp-cases/presidio-recognizer-cases.jsonl"))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("the public cases are not beside the repository")
	}
	defer f.Close()
	s, total, agree := all(t, Low), map[string]int{}, map[string]int{}
	for in := bufio.NewScanner(f); in.Scan(); {
		var c struct {
			Recognizer, Text string
			Count            any // a number, or whether there is any
			Spans            [][2]int
		}
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		kind, ok := presidio[c.Recognizer]
		want, isNumber := c.Count.(float64)
		if !ok || !isNumber {
			continue
		}
		total[c.Recognizer]++
		var spans [][2]int
		for _, claim := range s.Claims([]byte(c.Text), "") {
			if claim.kind == kind {
				spans = append(spans, [2]int{len([]rune(c.Text[:claim.Start])), len([]rune(c.Text[:claim.End]))})
			}
		}
		same := len(spans) == int(want) && (len(c.Spans) == 0 || slices.Equal(spans, c.Spans))
		if same {
			agree[c.Recognizer]++
		}
		if why := disagreed[c.Text]; same == (why != "") {
			t.Errorf("%s %q: found %v, want %d %v; noted: %q", c.Recognizer, c.Text, spans, int(want), c.Spans, why)
		}
	}
	for name := range presidio {
		t.Logf("%s: %d of %d", name, agree[name], total[name])
		if total[name] == 0 {
			t.Errorf("no case for %s", name)
		}
	}
}
