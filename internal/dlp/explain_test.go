package dlp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp/extract"
)

func TestReasonsSayWhatSpeaksForAValueAndNotWhichItIs(t *testing.T) {
	set, err := New(Options{Packs: []string{"pci", "pii/us"}, Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	s := set.Scanner()
	told := func() string {
		var out []string
		for _, f := range s.Findings() {
			for _, r := range f.Reasons {
				out = append(out, fmt.Sprintf("%s %d %dx %s, %s %d", f.Type.ID, r.Confidence, r.Count, r.Check, r.Keyword, r.Distance))
			}
		}
		return strings.Join(out, "; ")
	}
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	text := func(text, name string) string {
		s.Reset()
		s.Text([]byte(text), name)
		return told()
	}
	const check = "check digit or structure"
	f(text("4539148803436467", ""), "pci.credit_card 75 1x "+check+",  0")
	f(text("card 4539148803436467", ""), "pci.credit_card 85 1x "+check+", before 1")
	f(text("4539148803436467 éé card", ""), "pci.credit_card 85 1x "+check+", behind 4")
	f(text("4539148803436467 4539148803436467", "cardNumber"), "pci.credit_card 85 2x "+check+", in the name of the field 0")
	f(text("536-90-4399", ""), "pii.us_ssn 65 1x ,  0")
	f(text("ssn 536-90-4399", ""), "pii.us_ssn 85 1x , before 1")
	s.Reset()
	s.JSON([]byte(`{"card":["4539148803436467"],"x":"4539148803436467"}`))
	f(told(), "pci.credit_card 85 1x "+check+", in the name of the field 0; pci.credit_card 75 1x "+check+",  0")
	if _, err = s.File(t.Context(), strings.NewReader("name,card\nAnn,4539148803436467\n"), "x.csv", -1, extract.Limits{}); err != nil {
		t.Fatal(err)
	}
	f(told(), "pci.credit_card 85 1x "+check+", in the name of the field 0")
	var many strings.Builder
	for i := range 20 {
		fmt.Fprintf(&many, "card%s4539148803436467%s", strings.Repeat(" ", i+1), strings.Repeat("\n", 400))
	}
	if text(many.String(), ""); len(s.Findings()[0].Reasons) != maxReasons {
		t.Errorf("%d reasons", len(s.Findings()[0].Reasons))
	}
}
