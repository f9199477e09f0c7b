package redact

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/longshore-dev/longshore/internal/dlp"
)

// Method says what stands for a value.
type Method string

// The methods, as anonymizers have them: Presidio's operators mask, replace and hash.
const (
	None    Method = "none"
	Mask    Method = "mask"    // an asterisk for each character, but for the separators of a number
	Replace Method = "replace" // its type: <pci.credit_card>
	Hash    Method = "hash"    // its type and its keyed fingerprint: <pci.credit_card:4b0c…>
)

// Methods are all of them.
var Methods = []Method{None, Mask, Replace, Hash}

const (
	maxHead  = 6  // bytes by which a value is looked up first
	minFree  = 9  // letters and digits from which a value may stand within something longer
	maxGap   = 8  // bytes that may stand between two letters or digits of a value
	maxStars = 64 // of a mask
	maxKept  = 1 << 16
)

// value is one that is to be masked.
type value struct {
	kind       string
	label      string // what stands for it
	lead, tail string // what of it is no letter or digit, before the first and behind the last one
	gap        int    // bytes between two of its letters and digits
	alone      bool   // where it is a part of a word or number it is something else
	letters    bool   // it has no digits
}

// Values are those of one record. The zero value has none and masks them by Mask.
type Values struct {
	Method Method
	Masked map[string]int64 // places where something was masked since Reset, by the type

	plain index // by their letters and digits, folded
	signs index // of those that have none, as they are
	room  folded
	views [maxViews]view
	found []place
	name  bool // what is looked at is the name of a field
}

// place is where a value stands in a text.
type place struct {
	from, to int
	v        *value
}

// Reset forgets the values.
func (s *Values) Reset() {
	s.plain.reset()
	s.signs.reset()
	clear(s.Masked)
}

// Empty says whether there is none.
func (s *Values) Empty() bool { return len(s.plain.whole)+len(s.signs.whole) == 0 }

// Add adds the value at [start, end) of a text. print gives its fingerprint.
func (s *Values) Add(text []byte, start, end int, kind string, print func() string) {
	raw := text[start:end]
	v := &value{kind: kind, letters: bytes.IndexFunc(raw, unicode.IsDigit) < 0}
	for n, form := 0, raw; n < maxViews; n++ {
		s.room.fold(form)
		key := s.room.text
		in := &s.plain
		if len(key) == 0 {
			in, key = &s.signs, form
		}
		if n == 0 {
			v.alone = v.alike(key) && !within(text, start, end)
			if old := in.whole[string(key)]; old != nil {
				old.alone = old.alone && v.alone
				return
			}
			v.lead, v.tail, v.gap = s.room.edges(form)
			v.label = s.label(raw, kind, print)
		}
		in.add(key, v)
		var some bool
		if form, some = unescaped(form); !some {
			return
		}
	}
}

// alike says whether a value is likely to be a part of something else: a short one, or one of letters alone.
func (v *value) alike(key []byte) bool { return v.letters || utf8.RuneCount(key) < minFree }

// within says whether a letter stands directly before or behind a letter, or a digit a digit.
func within(b []byte, start, end int) bool {
	before, _ := utf8.DecodeLastRune(b[:start])
	behind, _ := utf8.DecodeRune(b[end:])
	first, _ := utf8.DecodeRune(b[start:end])
	last, _ := utf8.DecodeLastRune(b[start:end])
	return goesOn(before, first) || goesOn(last, behind)
}

func goesOn(a, b rune) bool {
	return inWord(a) && inWord(b) && unicode.IsDigit(a) == unicode.IsDigit(b)
}

func inWord(c rune) bool {
	in, _ := dlp.WordRune(c)
	return in
}

// label is what stands for a value.
func (s *Values) label(raw []byte, kind string, print func() string) string {
	switch s.Method {
	case Replace:
		return "<" + kind + ">"
	case Hash:
		return "<" + kind + ":" + print() + ">"
	}
	var out strings.Builder
	for _, c := range string(raw) {
		if out.Len() == maxStars {
			break
		}
		if !strings.ContainsRune(" -./", c) {
			c = '*'
		}
		out.WriteRune(c)
	}
	return out.String()
}

// index finds values by how they begin: first by a few bytes, then by all.
type index struct {
	sizes uint             // a bit for each length of heads
	heads map[string][]int // the lengths of the values that begin so, longest first
	whole map[string]*value
}

func (x *index) reset() {
	if len(x.whole) > maxKept {
		*x = index{}
	}
	x.sizes = 0
	clear(x.heads)
	clear(x.whole)
}

func (x *index) add(key []byte, v *value) {
	if x.whole == nil {
		x.heads, x.whole = map[string][]int{}, map[string]*value{}
	}
	if x.whole[string(key)] != nil {
		return
	}
	x.whole[string(key)] = v
	n := min(len(key), maxHead)
	x.sizes |= 1 << n
	head := x.heads[string(key[:n])]
	at, known := slices.BinarySearchFunc(head, len(key), func(have, want int) int { return want - have })
	if !known {
		x.heads[string(key[:n])] = slices.Insert(head, at, len(key))
	}
}

// at gives the values that stand at i, with their lengths.
func (x *index) at(b []byte, i int, yield func(v *value, n int)) {
	for size := 1; size <= maxHead; size++ {
		if x.sizes>>size&1 == 0 || i+size > len(b) {
			continue
		}
		for _, n := range x.heads[string(b[i:i+size])] {
			if i+n <= len(b) {
				if v := x.whole[string(b[i:i+n])]; v != nil {
					yield(v, n)
				}
			}
		}
	}
}
