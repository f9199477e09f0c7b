package dlp

import (
	"fmt"
	"strings"
)

// opening is how values are written that begin with given characters: those, and runs of characters of a class behind them.
type opening struct {
	kind  uint8
	text  string
	runs  []run
	check func(v []byte) verdict // of all of the value; nil = varied
	own   func(s *scanner, kind uint8, i, end int)
	needs bool
}

// run is n characters of a class, or given ones.
type run struct {
	text     string
	of       *[256]bool
	min, max int
}

// runClasses are the letters by which an opening names a class.
var runClasses = map[byte]*[256]bool{
	'd': characters("0-9"),
	'x': characters("0-9a-f"),
	'X': characters("0-9a-fA-F"),
	'a': characters("0-9a-z"),
	'A': characters("0-9A-Z"),
	'w': characters("0-9A-Za-z"),
	'k': characters("0-9A-Za-z_"),
	'u': characters("0-9A-Za-z_-"),
	'b': characters("0-9A-Za-z+/"),
	'c': characters("1-9A-HJ-NP-Za-km-z"), // base 58
	'l': characters("ac-hj-np-z02-9"),     // bech32
	't': characters("A-Z2-7"),             // base 32
	'e': characters("0-9A-Za-z_=-"),
}

// characters is a class, of ranges as in a regular expression.
func characters(ranges string) *[256]bool {
	var of [256]bool
	for i := 0; i < len(ranges); i++ {
		from, to := ranges[i], ranges[i]
		if i+2 < len(ranges) && ranges[i+1] == '-' {
			to = ranges[i+2]
			i += 2
		}
		for c := int(from); c <= int(to); c++ {
			of[c] = true
		}
	}
	return &of
}

// readOpenings compiles the openings of a detector, parted by " | ": glpat-<u20> is glpat- and 20 characters of class u, <u20,300> is 20
// to 300. One after ! needs a keyword. Of a detector with code of its own they are those characters alone. It panics: they are part of the
// program.
func readOpenings(kind uint8, d *detector) (out []opening) {
	if d.openings == "" {
		return nil
	}
	for text := range strings.SplitSeq(d.openings, " | ") {
		o := opening{kind: kind, check: d.check, own: d.own}
		text, o.needs = strings.CutPrefix(text, "!")
		if d.own != nil {
			o.text, text = text, ""
			if d.then != 0 {
				o.runs = []run{{of: runClasses[d.then], min: 1}}
			}
		}
		for text != "" {
			lit, rest, is := strings.Cut(text, "<")
			switch {
			case o.text == "" && lit != "":
				o.text = lit
			case lit != "":
				o.runs = append(o.runs, run{text: lit})
			}
			if text = ""; is {
				var spec string
				spec, text, _ = strings.Cut(rest, ">")
				o.runs = append(o.runs, readRun(spec))
			}
		}
		if len(o.text) == 0 {
			panic("dlp: opening of " + d.ID)
		}
		out = append(out, o)
	}
	return out
}

func readRun(spec string) run {
	r := run{of: runClasses[spec[0]]}
	if _, err := fmt.Sscanf(spec[1:], "%d,%d", &r.min, &r.max); err != nil {
		if _, err := fmt.Sscanf(spec[1:], "%d", &r.min); err != nil || r.of == nil {
			panic("dlp: run " + spec)
		}
		r.max = r.min
	}
	return r
}

// shortest is the least number of bytes.
func (o *opening) shortest() int {
	n := len(o.text)
	for _, r := range o.runs {
		n += len(r.text) + r.min
	}
	return n
}

// end is where the value at i ends, 0 if there is none.
func (o *opening) end(b []byte, i int) int {
	if len(b)-i < len(o.text) || string(b[i:i+len(o.text)]) != o.text {
		return 0
	}
	i += len(o.text)
	for k := range o.runs {
		r := &o.runs[k]
		if r.of == nil {
			if len(b)-i < len(r.text) || string(b[i:i+len(r.text)]) != r.text {
				return 0
			}
			i += len(r.text)
			continue
		}
		n := 0
		for n < r.max && i+n < len(b) && r.of[b[i+n]] {
			n++
		}
		if n < r.min || k == len(o.runs)-1 && i+n < len(b) && r.of[b[i+n]] {
			return 0
		}
		i += n
	}
	if !wordEnds(b, i) {
		return 0
	}
	return i
}

// third says whether a value may have a third character.
func (o *opening) third(c byte) bool {
	if len(o.text) > 2 {
		return c == o.text[2]
	}
	return len(o.runs) == 0 || len(o.text)+o.runs[0].min < 3 || o.runs[0].of == nil || o.runs[0].of[c]
}

// openings are those of a set, by the first two characters. No list is empty but the first.
type openings struct {
	lists [][]opening
	at    [1 << 12]uint16 // the place in lists
	three [1 << 12]uint64 // a bit for each three characters that are no digits, which some others share
}

// of gives the openings that a text may have at i: none is empty.
func (o *openings) of(b []byte, i int) []opening {
	if i+1 >= len(b) {
		return nil
	}
	return o.lists[o.at[pair(b[i], b[i+1])]]
}

// triple is the place of three characters.
func triple(a, b, c byte) uint { return uint(a&63)<<12 | uint(b&63)<<6 | uint(c&63) }

// mark lets tokens be looked at that begin so. All that have digits are.
func (o *openings) mark(a, b, c byte) {
	if at := triple(a, b, c); class[a] != digit && class[b] != digit && class[c] != digit {
		o.three[at>>6] |= 1 << (at & 63)
	}
}

const (
	capital = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	hexes   = "ABCDEFabcdef"
)

// all marks what has one of some characters in each of three places.
func (o *openings) all(first, second, third string) {
	for _, a := range []byte(first) {
		for _, b := range []byte(second) {
			for _, c := range []byte(third) {
				o.mark(a, b, c)
			}
		}
	}
}

// others marks the beginnings of tokens without digits that begin no opening and are looked at.
func (o *openings) others(s *Set) {
	if s.leads.capitals != [maxForm + 1]*lead{} {
		o.all(capital, capital, capital)
	}
	if s.on[macAddr] {
		o.all(hexes, hexes, hexes+":-")
	}
}

// pair is the place of two characters, which others share only if they are of no word.
func pair(a, b byte) uint { return uint(inPair[a])<<6 | uint(inPair[b]) }

var inPair = func() (of [256]uint8) {
	n := uint8(0)
	for c := range of {
		if class[c]&inWord != 0 {
			n++
			of[c] = n
		}
	}
	return of
}()

func (o *openings) add(begin opening, second string) {
	for _, b := range []byte(second) {
		at := pair(begin.text[0], b)
		if o.at[at] == 0 {
			if o.lists = append(o.lists, nil); len(o.lists) > 1<<12 {
				panic("dlp: too many openings")
			}
			o.at[at] = uint16(len(o.lists) - 1)
		}
		o.lists[o.at[at]] = append(o.lists[o.at[at]], begin)
		for c := range 256 {
			if begin.third(byte(c)) {
				o.mark(begin.text[0], b, byte(c))
			}
		}
	}
}

// begin adds the openings of a detector and gives the least number of bytes of a value.
func (o *openings) begin(kind uint8, d *detector) int {
	least := maxForm
	for _, begin := range readOpenings(kind, d) {
		least = min(least, begin.shortest())
		second := begin.text[1:min(2, len(begin.text))]
		if second == "" { // the first run says
			for c, in := range begin.runs[0].of {
				if in {
					second += string(rune(c))
				}
			}
		}
		o.add(begin, second)
	}
	return least
}

// open looks at what begins with the first two characters of a value.
func (s *scanner) open(list []opening, i, end int) {
	for k := range list {
		o := &list[k]
		if o.own != nil {
			if len(s.text)-i >= len(o.text) && string(s.text[i:i+len(o.text)]) == o.text {
				o.own(s, o.kind, i, end)
			}
			continue
		}
		if end := o.end(s.text, i); end > 0 {
			s.judge(o, i, end)
		}
	}
}

// judge claims what is written as an opening says if its check lets it pass.
func (s *scanner) judge(o *opening, i, end int) {
	is := plausible
	switch {
	case o.check != nil:
		is = o.check(s.text[i:end])
	case !varied(s.text[i+len(o.text):end], minVaried):
		is = refused
	default:
		is = holds
	}
	if is == refused {
		return
	}
	if o.needs {
		s.need(o.kind, i, end)
		return
	}
	s.claim(o.kind, i, end, is == holds, false)
}

const minVaried = 8 // different letters and digits of a random value
