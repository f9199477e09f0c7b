package custom

import (
	"bytes"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/longshore-dev/longshore/internal/dlp"
)

const (
	maxTerm = 128  // bytes of a term as it is written; as it is compared it has at most 2.5 times as many
	edge    = 0xff // stands in what is compared where a word begins, or a sign: it is no byte of UTF-8
)

// automaton finds any of many terms in one pass over a text (Aho and Corasick, Efficient String Matching, 1975). Nodes are
// numbered by their depth, and those of a parent one after the other, so that 13 bytes of a node are all there is.
type automaton struct {
	manner
	first []uint32 // of a node, its first child; those of node n end where those of n+1 begin
	label []byte   // that leads to the node
	fail  []uint32 // the longest other node that the text may stand at as well
	out   []uint32 // the longest term that ends here: its node; 0 = none
	root  [256]uint32
	level []uint32 // the first node of a depth
	ends  []uint32 // nodes that are terms
	of    []uint16 // whose they are, by ends: places in owners
	sets  [][]uint8
}

// manner is how terms are compared: without case and accents, and as whole words.
type manner struct{ fold, whole bool }

// entry is a term before it is compiled.
type entry struct {
	text  string
	owner uint8
}

// newAutomaton compiles terms, which are normal already. It sorts them.
func newAutomaton(how manner, terms []entry) *automaton {
	slices.SortFunc(terms, func(a, b entry) int {
		if c := strings.Compare(a.text, b.text); c != 0 {
			return c
		}
		return int(a.owner) - int(b.owner)
	})
	terms = slices.Compact(terms)
	a := &automaton{manner: how, label: []byte{0}, first: []uint32{1}}
	b := builder{automaton: a, terms: terms, known: map[string]uint16{}}
	b.grow()
	b.link()
	return a
}

type builder struct {
	*automaton
	terms []entry
	known map[string]uint16 // sets of owners
}

// stretch is the terms that begin as a node says.
type stretch struct{ from, to uint32 }

// grow makes the nodes, depth by depth.
func (b *builder) grow() {
	now, next := []stretch{{0, uint32(len(b.terms))}}, []stretch(nil)
	b.first = b.first[:0]
	nodes := uint32(1)
	for depth := 0; len(now) > 0; depth++ {
		b.level = append(b.level, uint32(len(b.first)))
		next = next[:0]
		for _, s := range now {
			node := uint32(len(b.first))
			b.first = append(b.first, nodes)
			from := s.from
			for from < s.to && len(b.terms[from].text) == depth {
				from++
			}
			if from > s.from {
				b.ends = append(b.ends, node)
				b.of = append(b.of, b.owners(b.terms[s.from:from]))
			}
			for from < s.to {
				c := b.terms[from].text[depth]
				to := from + 1
				for to < s.to && b.terms[to].text[depth] == c {
					to++
				}
				b.label = append(b.label, c)
				next = append(next, stretch{from, to})
				nodes++
				from = to
			}
		}
		now, next = next, now
	}
	b.first = append(b.first, nodes)
	b.first, b.label = slices.Clip(b.first), slices.Clip(b.label)
}

// owners is the place of whose some terms are.
func (b *builder) owners(terms []entry) uint16 {
	var set []uint8
	for _, t := range terms {
		set = append(set, t.owner)
	}
	at, ok := b.known[string(set)]
	if !ok {
		at = uint16(len(b.sets))
		b.known[string(set)] = at
		b.sets = append(b.sets, set)
	}
	return at
}

// link finds where to go on when no child fits, and which terms end on the way.
func (b *builder) link() {
	n := len(b.label)
	b.fail, b.out = make([]uint32, n), make([]uint32, n)
	for _, e := range b.ends {
		b.out[e] = e
	}
	for c := b.first[0]; c < b.first[1]; c++ {
		b.root[b.label[c]] = c
	}
	for node := range uint32(n) {
		for c := b.first[node]; c < b.first[node+1]; c++ {
			if node != 0 {
				b.fail[c] = b.next(b.fail[node], b.label[c])
			}
			if b.out[c] == 0 {
				b.out[c] = b.out[b.fail[c]]
			}
		}
	}
}

// next is the node after one more byte.
func (a *automaton) next(node uint32, c byte) uint32 {
	for node != 0 {
		from, to := a.first[node], a.first[node+1]
		if to-from > 8 {
			kids := a.label[from:to]
			if i, ok := slices.BinarySearch(kids, c); ok {
				return from + uint32(i)
			}
		} else {
			for ; from < to; from++ {
				if a.label[from] == c {
					return from
				}
			}
		}
		node = a.fail[node]
	}
	return a.root[c]
}

// owned is whose the term of a node is.
func (a *automaton) owned(end uint32) []uint8 {
	i, _ := slices.BinarySearch(a.ends, end)
	return a.sets[a.of[i]]
}

// depth is the length of the term of a node.
func (a *automaton) depth(node uint32) int {
	return sort.Search(len(a.level), func(i int) bool { return a.level[i] > node }) - 1
}

// asciiFold is how characters of ASCII are compared.
var asciiFold = func() (t [utf8.RuneSelf]byte) {
	for c := range t {
		if t[c] = byte(unicode.ToLower(rune(c))); unicode.IsSpace(rune(c)) {
			t[c] = ' '
		}
	}
	return t
}()

// appendChar appends a character as texts are compared.
func (a manner) appendChar(dst []byte, c rune) []byte {
	switch {
	case unicode.IsSpace(c):
		return append(dst, ' ')
	case a.fold:
		return dlp.FoldRune(dst, c)
	}
	return utf8.AppendRune(dst, c)
}

// normal is a term as it is compared: runs of spaces are one.
func (a manner) normal(term string) string {
	var out []byte
	was := rune(utf8.RuneError)
	for _, c := range strings.Join(strings.Fields(term), " ") {
		if a.fold && unicode.IsMark(c) {
			continue
		}
		if a.whole && !joined(was, c) {
			out = append(out, edge)
		}
		out = a.appendChar(out, c)
		was = c
	}
	return string(out)
}

// walk is where a text has led to.
type walk struct {
	*automaton
	text  []byte
	node  uint32
	n     int              // bytes compared
	at    [4 * maxTerm]int // where the last ones stand in the text
	was   rune             // the character before
	space bool             // it is one
	found func(owner uint8, start, end int)
}

// scan gives every term of a text, at each of its ends the longest first.
func (a *automaton) scan(text []byte, found func(owner uint8, start, end int)) {
	w := walk{automaton: a, text: text, found: found, was: utf8.RuneError}
	for i := 0; i < len(text); {
		c, size := rune(text[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRune(text[i:])
		}
		if !a.fold || c < utf8.RuneSelf || !unicode.IsMark(c) { // a mark belongs to the letter before
			w.char(c, i)
		}
		i += size
	}
	if !w.space && a.out[w.node] != 0 {
		w.end(len(text))
	}
}

// char goes on by a character that stands at i. Runs of spaces are one.
func (w *walk) char(c rune, i int) {
	apart := w.whole && !joined(w.was, c)
	if !w.space && w.out[w.node] != 0 && (apart || !w.whole) {
		w.end(i)
	}
	w.was = c
	if w.node == 0 && !apart && w.whole {
		w.space = false
		return // within a word of which no term has the beginning
	}
	if c < utf8.RuneSelf {
		is := asciiFold[c]
		if was := w.space; is == ' ' {
			if w.space = true; was {
				return
			}
		} else if w.space = false; !w.fold {
			is = byte(c)
		}
		if apart {
			w.take(edge, i)
		}
		w.take(is, i)
		return
	}
	if was := w.space; unicode.IsSpace(c) {
		if w.space = true; was {
			return
		}
	} else {
		w.space = false
	}
	if apart {
		w.take(edge, i)
	}
	var room [4 * utf8.UTFMax]byte
	for _, is := range w.appendChar(room[:0], c) {
		w.take(is, i)
	}
}

// asciiWord says whether a character is a letter or digit of ASCII.
func asciiWord(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// take goes on by a byte of what is compared.
func (w *walk) take(c byte, i int) {
	w.at[w.n%len(w.at)] = i
	w.n++
	w.node = w.next(w.node, c)
}

// end gives the terms that end before end.
func (w *walk) end(end int) {
	for t := w.out[w.node]; t != 0; t = w.out[w.fail[t]] {
		start := w.at[(w.n-w.depth(t))%len(w.at)]
		for _, owner := range w.owned(t) {
			w.found(owner, start, end)
		}
	}
}

// joined says whether two characters are of one word.
func joined(a, b rune) bool {
	if a < utf8.RuneSelf && b < utf8.RuneSelf {
		return (asciiWord(a) || a == '_') && (asciiWord(b) || b == '_')
	}
	inA, apartA := dlp.WordRune(a)
	inB, apartB := dlp.WordRune(b)
	return (inA || a == '_') && (inB || b == '_') && apartA && apartB
}

// span is bytes of a text.
type span struct{ start, end int }

// longest keeps of terms, given by where they end, those that begin first and of these the longest.
func longest(kept []span, s span) []span {
	for len(kept) > 0 && kept[len(kept)-1].start >= s.start {
		kept = kept[:len(kept)-1]
	}
	if len(kept) > 0 && kept[len(kept)-1].end > s.start {
		return kept
	}
	return append(kept, s)
}

var newline = []byte("\n")

// lines are the terms of a file.
func lines(b []byte) [][]byte {
	return bytes.Split(bytes.TrimPrefix(b, []byte("\ufeff")), newline)
}
