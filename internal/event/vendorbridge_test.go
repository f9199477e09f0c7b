package event

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

// bodyMaker makes bodies whose members come in one order, are there or not, and now and then are something else than usual.
type bodyMaker struct{ *rand.Rand }

func (m bodyMaker) one(n int) bool { return m.IntN(n) == 0 }

// scalar is a value; a rare one is larger than 2^53.
func (m bodyMaker) scalar() string {
	return []string{`""`, `"some text that is longer than a word"`, `"with \"quotes\" and \u00e9"`, `"é"`, "0", "-1.5e3", "true", "false",
		"null", "1234567890123456", "12345678901234567890"}[min(m.IntN(11), m.IntN(11))]
}

func (m bodyMaker) list(elem func() string) string {
	var elems []string
	for range m.IntN(4) {
		elems = append(elems, elem())
	}
	return "[" + strings.Join(elems, ",") + "]"
}

// object has members named with some of names, in their order unless it is a rare one; what is made of them goes three deep.
func (m bodyMaker) object(depth int) string {
	names := []string{"aB", "kept", "a_b", "flat", "flat2", "in", "list"}[m.IntN(2):]
	if m.one(50) {
		m.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	}
	if m.one(50) {
		names = append(names, names[0], "e\\u0066")
	}
	if m.one(8) {
		names = nil
	}
	var all []string
	for _, name := range names {
		val, inner := m.scalar(), depth > 0
		switch {
		case m.one(6), !inner && !m.one(50) && (name == "in" || strings.HasPrefix(name, "flat")):
			continue
		case inner && (strings.HasPrefix(name, "flat") || name == "in") && !m.one(10):
			val = m.object(m.IntN(depth))
		case inner && name == "list" && m.one(2):
			val = m.list(m.scalar)
		case inner && name == "list":
			val = m.list(func() string { return m.object(0) })
		}
		if m.one(60) {
			val = " " + val + " "
		}
		all = append(all, `"`+name+`":`+val)
	}
	return "{" + strings.Join(all, ",") + "}"
}

// TestBodiesWithTheSameBridgesAreWrittenAsTheFirst: by what was learned of other bodies each is written as by a new encoder.
func TestBodiesWithTheSameBridgesAreWrittenAsTheFirst(t *testing.T) {
	crossed := 0
	for seed := range uint64(20) {
		m := bodyMaker{rand.New(rand.NewPCG(seed, 1))}
		testVendor(t, Vendor{Root: "vend", Snake: seed&1 > 0, Flat: map[string]string{"flat": "whole", "flat2": "whole", "in.flat": "whole",
			"flat.in": "inner"}})
		var c *encoder
		for n := range 300 {
			if n%50 == 0 {
				c = newEncoder()
			}
			body := m.object(1 + int(seed%2))
			if m.one(30) {
				body = strings.TrimSuffix(body, "}")
			}
			w := one(t, body, func(*Record) {})
			for range 3 { // the third time all bridges are known
				for _, top := range c.w.memo.tops {
					top.missed = 0 // else such bodies would mostly be written without
				}
				e := Encoding{NoOriginal: n%3 == 0}
				got, want := c.document(nil, w, e), newEncoder().document(nil, w, e)
				if !bytes.Equal(got, want) {
					t.Fatalf("seed %d, %s:\n%s\nand by a new encoder\n%s", seed, body, got, want)
				}
				for _, top := range c.w.memo.tops {
					if top.missed == 0 {
						crossed++
					}
				}
			}
		}
	}
	if crossed < 1000 {
		t.Errorf("%d bodies were written by bridges alone", crossed)
	}
}
