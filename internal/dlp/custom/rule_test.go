package custom

import (
	"fmt"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp"
)

const aCard = "4539148803436467"

func TestRulesCountWhatOthersFound(t *testing.T) {
	employee := Detector{ID: "acme.employee", Patterns: []string{`\bEMP-\d{6}\b`}, Hidden: true}
	f := func(text, want string, rules ...Rule) {
		t.Helper()
		all := []Detector{employee}
		for i := range rules {
			all = append(all, Detector{ID: fmt.Sprint("r", i), Rule: &rules[i]})
		}
		s := scanner(t, all...)
		var got []string
		inText(s, text)
		for _, x := range s.Findings() {
			if strings.HasPrefix(x.Type.ID, "r") {
				got = append(got, fmt.Sprintf("%s %d %d", x.Type.ID, x.Count, x.Confidence))
			}
			if x.Type.ID == employee.ID {
				t.Errorf("%q: the hidden detector has a finding", text)
			}
		}
		if g := strings.Join(got, "; "); g != want {
			t.Errorf("%q: %q, want %q", text, g, want)
		}
	}
	term := func(id string, count int, unique bool) Term { return Term{id, count, unique} }
	e, card := term("acme.employee", 0, false), term("pci.credit_card", 0, false)
	f("EMP-123456", "r0 1 75", Rule{All: []Term{e}})
	f("EMP-123456", "", Rule{All: []Term{e, card}})
	f("EMP-123456 "+aCard, "r0 1 75", Rule{All: []Term{e, card}})
	f("EMP-123456", "r0 1 75", Rule{Any: []Term{e, card}})
	f("x", "", Rule{Any: []Term{e, card}})
	f("EMP-123456", "r0 1 75", Rule{All: []Term{e}, Not: []Term{card}})
	f("EMP-123456 "+aCard, "", Rule{All: []Term{e}, Not: []Term{card}})
	f("EMP-123456 EMP-123456", "r0 1 75", Rule{All: []Term{term("acme.employee", 2, false)}})
	f("EMP-123456 EMP-123456", "", Rule{All: []Term{term("acme.employee", 2, true)}})
	f("EMP-123456 EMP-123457", "r0 1 75", Rule{All: []Term{term("acme.employee", 2, true)}})
	f("EMP-123456", "r0 1 75; r1 1 75", Rule{All: []Term{e}}, Rule{All: []Term{{Detector: "r0"}}})

	near := Rule{All: []Term{e, card}, Within: 30}
	f("EMP-123456 "+aCard, "r0 1 75", near)
	f("EMP-123456"+strings.Repeat("é", 19)+" "+aCard, "r0 1 75", near)
	f("EMP-123456"+strings.Repeat("é", 20)+" "+aCard, "", near)
	far := strings.Repeat(" ", 100)
	f(aCard+" EMP-123456"+far+"EMP-123456 "+aCard+far+"EMP-111111", "r0 2 75", near)
	f("EMP-123456 EMP-123456", "", Rule{All: []Term{term("acme.employee", 2, true)}, Within: 30})
	f("EMP-123456 EMP-654321", "r0 1 75", Rule{All: []Term{term("acme.employee", 2, true)}, Within: 30})
	not := Rule{All: []Term{e}, Not: []Term{card}, Within: 30}
	f("EMP-123456", "r0 1 75", not)
	f(aCard+" EMP-123456", "", not)
	f("EMP-123456 "+aCard, "", not)
	f(aCard+far+"EMP-123456", "r0 1 75", not)
}

func TestARuleHoldsOverTheValuesOfARecord(t *testing.T) {
	s := scanner(t, Detector{ID: "acme.employee", Patterns: []string{`\bEMP-\d{6}\b`}},
		Detector{ID: "acme.both", Confidence: 90,
			Rule: &Rule{All: []Term{{Detector: "acme.employee"}, {Detector: "pci.credit_card"}}, Within: 60}})
	got := inJSON(s, `{"who":"EMP-123456","pay":{"card":"`+aCard+`"}}`)
	if want := "pci.credit_card 1/1 85 at pay.card; acme.both 1/0 90 at who, pay.card; acme.employee 1/1 75 at who"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got = inJSON(s, `{"who":"EMP-123456","x":"`+strings.Repeat("x", 60)+`","card":"`+aCard+`"}`); strings.Contains(got, "acme.both") {
		t.Errorf("too far apart: %s", got)
	}
}

func TestOwnAndBuiltInDetectorsShareTheBytes(t *testing.T) {
	f := func(text, want string, d Detector) {
		t.Helper()
		d.ID = "acme.x"
		if got := inText(scanner(t, d), text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	number := Detector{Patterns: []string{`\d{16}`}}
	f("x "+aCard, "pci.credit_card 1/1 75 at note; acme.x 1/1 75 at note", number)
	number.Confidence = 90
	f("x "+aCard, "acme.x 1/1 90 at note", number)
	f("card "+aCard, "pci.credit_card 1/1 85 at note", Detector{Patterns: []string{`\d{6}`}})
	f("order 12"+aCard+"34 "+aCard, "pci.credit_card 1/1 75 at note; acme.x 1/1 75 at note", Detector{Patterns: []string{`\d{20}`}})
}

func TestTheVersionChangesWithTheDetectors(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range []Detector{{}, {ID: "a", Patterns: []string{"a"}}, {ID: "a", Patterns: []string{"b"}},
		{ID: "b", Patterns: []string{"a"}}, {ID: "a", Patterns: []string{"a"}, Keywords: []string{"k"}},
		{ID: "a", Dictionary: &Dictionary{Terms: []string{"a"}}},
		{ID: "a", Dictionary: &Dictionary{Terms: []string{"a"}, Parts: true}}} {
		var all []Detector
		if d.ID != "" {
			all = append(all, d)
		}
		var versions []string
		for range 2 {
			own, err := New(all)
			if err != nil {
				t.Fatal(err)
			}
			s, err := dlp.New(dlp.Options{Packs: []string{"pci"}, Custom: own})
			if err != nil {
				t.Fatal(err)
			}
			versions = append(versions, s.Version())
		}
		if versions[0] != versions[1] || seen[versions[0]] {
			t.Errorf("%+v: versions %q", d, versions)
		}
		seen[versions[0]] = true
	}
}
