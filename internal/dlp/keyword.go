package dlp

import (
	"slices"
	"unicode/utf8"
)

const (
	reach   = 300                    // code points between a keyword and a value
	window  = reach*utf8.UTFMax + 64 // bytes that hold as many, and a word
	maxWord = 31
)

// word is a run of letters and digits, or one that capitals, digits or underscores set off in it, in lower case.
type word struct {
	text [maxWord]byte
	n    int
}

// add appends; what is too long for any keyword makes the word empty.
func (w *word) add(b []byte) {
	if w.n+len(b) > maxWord {
		w.n = 0
		return
	}
	for _, c := range b {
		if class[c] == upper {
			c |= 0x20
		}
		w.text[w.n] = c
		w.n++
	}
}

// openings are the two letters that keywords begin with.
type openings [32]uint32

func opening(a, b byte) (x, y byte) { return a & 31, b & 31 }

func (o *openings) add(word string) {
	x, y := opening(word[0], word[1])
	o[x] |= 1 << y
}

// maybe says whether a keyword may begin as b does. One letter may be the first half of one.
func (o *openings) maybe(b []byte) bool {
	if len(b) < 2 {
		return true
	}
	x, y := opening(b[0], b[1])
	return o[x]>>y&1 != 0
}

// shapes are the first and last letters of keywords, and their lengths.
type shapes [1 << 10]uint32

func (w *word) shape() int { return int(w.text[0]&31)<<5 | int(w.text[w.n-1]&31) }

// bits are the detectors whose keyword the word is.
func (s *Set) bits(w *word) kinds {
	if w.n == 0 || s.shapes[w.shape()]>>w.n&1 == 0 {
		return kinds{}
	}
	return s.keywords[string(w.text[:w.n])]
}

// keyword adds one of a detector.
func (s *Set) keyword(text string, d uint8) {
	of := s.keywords[text]
	of.add(d)
	s.keywords[text] = of
	s.openings.add(text)
	var w word
	w.add([]byte(text))
	s.shapes[w.shape()] |= 1 << w.n
}

// reader looks words up, also joined with the word before.
type reader struct {
	before     word
	began, end int // where the word before stands
}

// hit is a keyword that stands somewhere.
type hit struct {
	start, end int
	bits       kinds
}

// read adds the keywords in b[i:end] to hits, by where they end.
func (r *reader) read(set *Set, hits []hit, b []byte, i, end int) []hit {
	for i < end {
		was := class[b[i]]
		if was&(digit|letter) == 0 {
			i++
			continue
		}
		start, piece := i, i
		for i++; i < end; i++ {
			is := class[b[i]]
			if is&(digit|letter) == 0 {
				break
			}
			if (is != was || is == upper) && breaks(b, i, end) {
				hits = r.look(set, hits, b, piece, i)
				piece = i
			}
			was = is
		}
		hits = r.look(set, hits, b, piece, i)
		if piece > start && set.openings.maybe(b[start:i]) {
			var w word
			hits = w.find(set, hits, b, start, i)
		}
	}
	return hits
}

// find adds b[i:end] as one word.
func (w *word) find(set *Set, hits []hit, b []byte, i, end int) []hit {
	w.n = 0
	w.add(b[i:end])
	if bits := set.bits(w); bits != (kinds{}) {
		hits = append(hits, hit{i, end, bits})
	}
	return hits
}

// breaks says whether a new word begins at i inside a run of letters and digits: cardNumber, SSNField, card2.
func breaks(b []byte, i, end int) bool {
	was, is := class[b[i-1]], class[b[i]]
	switch {
	case (was == digit) != (is == digit):
		return true
	case is == upper:
		return was == lower || was == upper && i+1 < end && class[b[i+1]] == lower
	}
	return false
}

// look adds a word, and the word before and it as one.
func (r *reader) look(set *Set, hits []hit, b []byte, i, end int) []hit {
	if r.before.n > 0 && i-r.end <= 2 {
		r.before.add(b[i:end])
		if bits := set.bits(&r.before); bits != (kinds{}) {
			hits = append(hits, hit{r.began, end, bits})
		}
	}
	r.before.n = 0
	if set.openings.maybe(b[i:end]) {
		hits = r.before.find(set, hits, b, i, end)
	}
	r.began, r.end = i, end
	return hits
}

// nearby is the keywords of a text, read only around what may be a value.
type nearby struct {
	hits     []hit
	from, to int // what has been read
	r        reader
}

func (n *nearby) reset() { n.hits, n.from, n.to = n.hits[:0], 0, 0 }

// has says whether a keyword of a detector stands within reach of [start, end) and outside of it. What stands before is read
// first: it mostly decides.
func (n *nearby) has(set *Set, b []byte, kind uint8, start, end int) bool {
	n.cover(set, b, max(0, start-window), end)
	first, _ := slices.BinarySearchFunc(n.hits, start+1, func(h hit, at int) int { return h.end - at })
	for k := first - 1; k >= 0 && n.hits[k].end >= start-window; k-- {
		if n.hits[k].bits.has(kind) {
			if within(b[n.hits[k].end:start]) {
				return true
			}
			break
		}
	}
	n.cover(set, b, max(0, start-window), min(len(b), end+window))
	for _, h := range n.hits[first:] {
		if h.bits.has(kind) && h.start >= end {
			return within(b[end:h.start])
		}
	}
	return false
}

func within(between []byte) bool {
	return len(between) <= reach || len(between) <= reach*utf8.UTFMax && utf8.RuneCount(between) <= reach
}

// cover reads the words in [from, to) that have not been read. Words are not cut at the ends.
func (n *nearby) cover(set *Set, b []byte, from, to int) {
	if from < n.from || from > n.to || n.to == 0 {
		for from > 0 && class[b[from-1]]&inWord != 0 && class[b[from]]&inWord != 0 {
			from--
		}
		n.hits, n.from, n.to = n.hits[:0], from, from
		n.r.before.n = 0
	}
	if to <= n.to {
		return
	}
	for to < len(b) && class[b[to]]&inWord != 0 && class[b[to-1]]&inWord != 0 {
		to++
	}
	n.hits = n.r.read(set, n.hits, b, n.to, to)
	n.to = to
}

// field is where a text stands. What its names say is worked out when a value needs it.
type field struct {
	name   []byte
	parent []byte // the name above it, which counts as well
	number bool
	known  bool
	id     bool
	words  kinds
	hits   []hit
	own    []byte // holds the name when it is nobody else's
}

func (f *field) named(name string) {
	own := append(f.own[:0], name...)
	*f = field{name: own, own: own, hits: f.hits[:0]}
}

func (f *field) stands(name, parent []byte, number bool) {
	*f = field{name: name, parent: parent, number: number, own: f.own, hits: f.hits[:0]}
}

// bits are the detectors whose keywords the names hold.
func (f *field) bits(set *Set) *kinds {
	if !f.known {
		f.known, f.words = true, kinds{}
		for _, name := range [...][]byte{f.parent, f.name} {
			var r reader
			f.hits = r.read(set, f.hits[:0], name, 0, len(name))
			for _, h := range f.hits {
				f.words.join(&h.bits)
			}
		}
		f.id = isID(f.name)
	}
	return &f.words
}

// identifies says whether the text is the identifier of something: the field's name says so, or it is a bare number; and it
// does not say that it holds what the detector looks for.
func (f *field) identifies(set *Set, kind uint8) bool {
	return !f.bits(set).has(kind) && (f.number || f.id)
}

var idWords = map[string]bool{"id": true, "ids": true, "uid": true, "uuid": true, "guid": true, "sid": true, "hash": true, "etag": true,
	"md5": true, "sha": true, "checksum": true, "digest": true, "fingerprint": true, "trace": true, "span": true, "request": true,
	"correlation": true, "transaction": true, "nonce": true, "cursor": true, "offset": true, "position": true, "sequence": true,
	"timestamp": true, "time": true, "ts": true, "version": true, "revision": true, "url": true, "uri": true, "href": true,
	"link": true, "path": true, "arn": true, "key": true}

// isID says whether the last word of a name is one of those for identifiers, times and addresses.
func isID(name []byte) bool {
	end := len(name)
	for end > 0 && class[name[end-1]]&letter == 0 {
		end--
	}
	i := end
	for i > 0 && class[name[i-1]]&letter != 0 && (i == end || !breaks(name, i, end)) {
		i--
	}
	var w word
	w.add(name[i:end])
	return idWords[string(w.text[:w.n])]
}
