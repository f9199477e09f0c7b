package dlp

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tyler-smith/go-bip39/wordlists"

	"github.com/longshore-dev/longshore/internal/sim"
)

// corpora are the texts of the benchmarks, about a megabyte each: those that hold next to nothing, and one full of values.
func corpora() []corpus {
	const n = 1 << 20
	return []corpus{{"audit events", events()}, {"English", english(n)}, {"source code", source(n)}, {"CSV of people", people(n)}}
}

type corpus struct{ name, text string }

func events() string {
	var b strings.Builder
	for _, e := range sparse() {
		b.Write(e)
		b.WriteByte('\n')
	}
	return b.String()
}

// english is sentences of common words, with a number or an amount now and then.
func english(n int) string {
	r := sim.NewRand(9, 9)
	var b strings.Builder
	words := slices.DeleteFunc(slices.Clone(wordlists.English), func(w string) bool { // which hardly any text has
		return w == "seed" || w == "wallet" || w == "recovery"
	})
	for b.Len() < n {
		for k := range 6 + r.N(12) {
			word := sim.Pick(r, words)
			if k == 0 {
				word = strings.ToUpper(word[:1]) + word[1:]
			}
			switch b.WriteString(word); r.N(40) {
			case 0:
				b.WriteByte(',')
			case 1:
				fmt.Fprintf(&b, " %d", r.N(2000))
			case 2:
				fmt.Fprintf(&b, " $%d.%02d", r.N(900), r.N(100))
			}
			b.WriteByte(' ')
		}
		b.WriteString("for it.")
		b.WriteString([]string{" ", " ", " ", "\n\n"}[r.N(4)])
	}
	return b.String()
}

// source is functions as programmers write them.
func source(n int) string {
	r := sim.NewRand(10, 10)
	word := func() string { return sim.Pick(r, wordlists.English) }
	title := func() string { w := word(); return strings.ToUpper(w[:1]) + w[1:] }
	var b strings.Builder
	for b.Len() < n {
		t, f, a, c := title()+title(), title(), word(), word()
		fmt.Fprintf(&b, "// %s %s the %s of a %s, and %s it once more.\n", f, word(), word(), word(), word())
		fmt.Fprintf(&b, "func (%c *%s) %s(ctx context.Context, %s []byte, %s int) (map[string]%s, error) {\n", t[0]|0x20, t, f, a, c, title())
		for range 2 + r.N(8) {
			switch r.N(5) {
			case 0:
				fmt.Fprintf(&b, "\tif len(%s) > %d && %s != nil {\n\t\treturn nil, fmt.Errorf(\"%s: %%w\", err)\n\t}\n",
					a, r.N(1<<r.N(16)), word(), word())
			case 1:
				fmt.Fprintf(&b, "\t%s, err := %c.%s.%s%s(ctx, %s[:%d], \"%s_%s\")\n",
					word(), t[0]|0x20, word(), title(), title(), a, r.N(64), word(), word())
			case 2:
				fmt.Fprintf(&b, "\tfor i := range %s {\n\t\t%s[i] ^= 0x%02x << %d\n\t}\n", a, a, r.N(256), r.N(8))
			case 3:
				fmt.Fprintf(&b, "\tconst max%s%s = %d // bytes\n", title(), title(), r.N(1<<r.N(20)))
			case 4:
				fmt.Fprintf(&b, "\tswitch %s.%s {\n\tcase %s%s, %s:\n\t\t%s++\n\t}\n", word(), title(), word(), title(), word(), c)
			}
		}
		b.WriteString("\treturn nil, nil\n}\n\n")
	}
	return b.String()
}

// people is a table with 19 values of people in a kilobyte.
func people(n int) string {
	r := sim.NewRand(11, 11)
	var b strings.Builder
	b.WriteString("id,name,ssn,card,email,phone,iban,city,street,note\n")
	for i := 0; b.Len() < n; i++ {
		title := func() string { w := sim.Pick(r, wordlists.English); return strings.ToUpper(w[:1]) + w[1:] }
		first, last := title(), title()
		value := func(kind string) string { return given(sim.Plant(r, kind), kind) }
		fmt.Fprintf(&b, "%d,%s %s,%s,%s,%s.%s@%s.example,+1 %d-555-01%02d,%s,%s,%d %s %s,\"%s\"\n",
			i, first, last, value(sim.SSN), value(sim.Card),
			strings.ToLower(first), strings.ToLower(last), sim.Pick(r, wordlists.English), 201+r.N(700), r.N(100), value(sim.IBAN), title(),
			1+r.N(999), title(), title(), strings.Join(wordlists.English[r.N(2000):][:14], " "))
	}
	return b.String()
}

var teller = func() *Scanner {
	s, err := New(Options{Packs: Packs()})
	if err != nil {
		panic(err)
	}
	return s.Scanner()
}()

// given is the value of a type in a text that holds it.
func given(text, kind string) string {
	for _, c := range teller.Claims([]byte(text), "") {
		if c.Type().ID == kind {
			return text[c.Start:c.End]
		}
	}
	panic("no " + kind + " in what the simulator plants")
}

// TestTheTableOfPeopleIsDense holds the corpus to what is said of it.
func TestTheTableOfPeopleIsDense(t *testing.T) {
	s, err := New(Options{Packs: Packs(), Confidence: Medium})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range corpora() {
		n := float64(len(s.Scanner().Claims([]byte(c.text), ""))) / float64(len(c.text)) * 1000
		if dense := strings.Contains(c.name, "people"); dense != (n > 15) || !dense && n > 2 {
			t.Errorf("%s: %.1f values in a kilobyte", c.name, n)
		}
		t.Logf("%s: %.2f values in a kilobyte of %d", c.name, n, len(c.text))
	}
}
