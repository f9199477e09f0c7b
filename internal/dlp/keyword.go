package dlp

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

const (
	reach   = 300 // code points between a keyword and a value
	maxWord = 48  // bytes
	gap     = 2   // bytes between two words that are written as one too
)

// keywords are those of the detectors of a set.
type keywords struct {
	bits   []kinds           // the detectors of each
	words  map[string]uint16 // its place in bits: folded
	filter [1 << 12]uint32   // two bits for each slot: what words may be
	within map[rune][]inner  // those of scripts without spaces, by how they begin
}

// inner is a keyword that may stand within a run of letters.
type inner struct {
	text string
	of   uint16
}

// slot tells words apart by their first four bytes and their length.
func slot(head uint32, n int) uint32 { return (head*0x9e3779b1 ^ uint32(n)*0x85ebca6b) >> 16 }

// head is the first four bytes of a word of n that stands at i, in lower case, 0 for those it has not.
func head(b []byte, i, n int) (x uint32) {
	if i+4 <= len(b) {
		x = binary.LittleEndian.Uint32(b[i:])
	} else {
		for k := len(b) - 1; k >= i; k-- {
			x = x<<8 | uint32(b[k])
		}
	}
	x |= 0x20202020
	if n < 4 {
		x &= 1<<(8*n) - 1
	}
	return x
}

// What a word may be, by its slot.
const (
	isKeyword   = 1
	beginsOne   = 2 // the first of two words that are a keyword
	perSlot     = 2
	slotsPerInt = 16
)

func (k *keywords) maybe(head uint32, n int) uint32 {
	at := slot(head, n)
	return k.filter[at/slotsPerInt] >> (at % slotsPerInt * perSlot) & (1<<perSlot - 1)
}

func (k *keywords) note(word []byte, n int, is uint32) {
	at := slot(head(word[:n], 0, n), n)
	k.filter[at/slotsPerInt] |= is << (at % slotsPerInt * perSlot)
}

// add adds one of a detector.
func (k *keywords) add(text string, kind uint8) {
	first, size := utf8.DecodeRuneInString(text)
	if size > 1 && spaceless(first) {
		for _, in := range k.within[first] {
			if in.text == text {
				k.bits[in.of].add(kind)
				return
			}
		}
		k.within[first] = append(k.within[first], inner{text, k.next(kind)})
		slices.SortStableFunc(k.within[first], func(a, b inner) int { return len(b.text) - len(a.text) })
		return
	}
	var room [maxWord]byte
	w := folded(room[:0], []byte(text))
	if len(w) > maxWord {
		panic("dlp: long keyword " + text)
	}
	if of, ok := k.words[string(w)]; ok {
		k.bits[of].add(kind)
		return
	}
	k.words[string(w)] = k.next(kind)
	k.note(w, len(w), isKeyword)
	for n := 1; n < len(w); n++ {
		k.note(w, n, beginsOne)
	}
}

func (k *keywords) next(kind uint8) uint16 {
	var of kinds
	of.add(kind)
	k.bits = append(k.bits, of)
	return uint16(len(k.bits) - 1)
}

// hit is a keyword that stands somewhere.
type hit struct {
	start, end int
	of         uint16
}

// word is one that was read: a run of letters and digits, or a part of it that capitals or digits set off.
type word struct {
	start, end int
	n          int // of bytes, as keywords are written; 0 = it begins none
	head       uint32
	wide       bool // it has letters beyond ASCII: it is in the reader's text
}

// reader looks words up, also joined with the word before.
type reader struct {
	set  *keywords
	hits []hit // by where they end
	last word
	text [maxWord]byte // of the last word if it is wide
}

// look takes the next word.
func (r *reader) look(b []byte, start, end int) {
	x := head(b, start, end-start)
	if is := r.set.maybe(x, end-start); is != 0 || r.last.n != 0 {
		r.take(b, start, end-start, x, is)
	}
}

// run looks up as one what was taken as several words.
func (r *reader) run(b []byte, start, end int) {
	if n := end - start; n <= maxWord && r.set.maybe(head(b, start, n), n)&isKeyword != 0 {
		r.find(start, end, appendLower(make([]byte, 0, maxWord), b[start:end]))
	}
}

// take looks a word of n up by what it may be: by itself, and as one with the word before.
func (r *reader) take(b []byte, start, n int, x, is uint32) {
	if r.last.n != 0 && start-r.last.end <= gap && r.last.n+n <= maxWord {
		if both := r.last.joined(x); r.set.maybe(both, r.last.n+n)&isKeyword != 0 {
			r.join(b, &word{start: start, end: start + n, n: n}, nil)
		}
	}
	r.last.n = 0
	if n > maxWord {
		return
	}
	if is&isKeyword != 0 {
		r.find(start, start+n, appendLower(make([]byte, 0, maxWord), b[start:start+n]))
	}
	if is&beginsOne != 0 {
		r.last = word{start: start, end: start + n, n: n, head: x}
	}
}

// joined is the head of two words as one.
func (w *word) joined(next uint32) uint32 {
	if w.n < 4 {
		return w.head | next<<(8*w.n)
	}
	return w.head
}

// join looks the word before and w up as one. text is that of w if it is wide.
func (r *reader) join(b []byte, w *word, text []byte) {
	l := &r.last
	both := make([]byte, 0, maxWord)
	if l.wide {
		both = append(both, r.text[:l.n]...)
	} else {
		both = appendLower(both, b[l.start:l.end])
	}
	if w.wide {
		both = append(both, text...)
	} else {
		both = appendLower(both, b[w.start:w.end])
	}
	r.find(l.start, w.end, both)
}

// find adds what stands at [start, end) if it is a keyword.
func (r *reader) find(start, end int, text []byte) {
	if of, ok := r.set.words[string(text)]; ok {
		r.hits = append(r.hits, hit{start, end, of})
	}
}

func appendLower(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, c|0x20) // a digit stays one
	}
	return dst
}

// nearby is the keywords of a text, read only around what may be a value, and those around the value that was asked about last.
type nearby struct {
	r             reader
	from, to      int  // what has been read
	ascii, wide   bool // the text is, or is not; neither = nobody asked
	start, end    int  // the value
	before, after side
}

// side is what stands before or behind a value, as far as it was looked at: first what stands close by, which mostly decides.
type side struct {
	limit int // as far as that
	next  int // of the hits
	whole bool
	has   kinds
}

const closeBy = 48 // bytes

func (n *nearby) reset() {
	n.r.hits, n.from, n.to, n.start, n.end, n.ascii, n.wide = n.r.hits[:0], 0, 0, -1, -1, false, false
}

// has says whether a keyword of a detector stands within reach of [start, end) and outside of it.
func (n *nearby) has(set *Set, b []byte, kind uint8, start, end int) bool {
	if start != n.start || end != n.end {
		n.r.set, n.start, n.end, n.before, n.after = set.keywords, start, end, side{}, side{}
		n.look(b, max(0, start-closeBy), start-closeBy)
	}
	for s := &n.before; !s.has.has(kind); {
		switch {
		case s.next >= 0 && n.r.hits[s.next].end >= s.limit:
			s.has.join(&set.keywords.bits[n.r.hits[s.next].of])
			s.next--
		case !s.whole:
			limit := n.back(b, start)
			n.look(b, max(0, limit-2*maxWord), limit) // with two words that are one
			s.whole = true
		default:
			return n.behind(b, kind)
		}
	}
	return true
}

// look reads what stands before the value, from a place on, and begins with the hit next to it.
func (n *nearby) look(b []byte, from, limit int) {
	n.cover(b, from, n.end)
	k := len(n.r.hits)
	for k > 0 && n.r.hits[k-1].end > n.start {
		k--
	}
	n.before.limit, n.before.next, n.after = limit, k-1, side{next: k}
}

// behind is has for what stands behind.
func (n *nearby) behind(b []byte, kind uint8) bool {
	s := &n.after
	for !s.has.has(kind) {
		switch {
		case s.next < len(n.r.hits) && n.r.hits[s.next].start <= s.limit:
			if h := n.r.hits[s.next]; h.start >= n.end {
				s.has.join(&n.r.set.bits[h.of])
			}
			s.next++
		case s.limit == 0:
			s.limit = min(len(b), n.end+closeBy)
			n.cover(b, n.from, min(len(b), s.limit+1))
		case !s.whole:
			s.limit, s.whole = n.forth(b, n.end), true
			n.cover(b, n.from, min(len(b), s.limit+1+2*maxWord)) // with two words that are one
		default:
			return false
		}
	}
	return true
}

// plain says whether a text is of ASCII alone.
func (n *nearby) plain(b []byte) bool {
	if !n.ascii && !n.wide {
		n.ascii = ascii(b)
		n.wide = !n.ascii
	}
	return n.ascii
}

func (n *nearby) back(b []byte, i int) int {
	if n.plain(b) {
		return max(0, i-reach)
	}
	return back(b, i)
}

func (n *nearby) forth(b []byte, i int) int {
	if n.plain(b) {
		return min(len(b), i+reach)
	}
	return forth(b, i)
}

// back is where the code points within reach before i begin.
func back(b []byte, i int) int {
	if from := max(0, i-reach); ascii(b[from:i]) {
		return from
	}
	for n := 0; n < reach && i > 0; n++ {
		_, size := utf8.DecodeLastRune(b[:i])
		i -= size
	}
	return i
}

// forth is where those behind i end.
func forth(b []byte, i int) int {
	if to := min(len(b), i+reach); ascii(b[i:to]) {
		return to
	}
	for n := 0; n < reach && i < len(b); n++ {
		_, size := utf8.DecodeRune(b[i:])
		i += size
	}
	return i
}

func ascii(b []byte) bool {
	var all uint64
	for ; len(b) >= 8; b = b[8:] {
		all |= binary.LittleEndian.Uint64(b)
	}
	for _, c := range b {
		all |= uint64(c)
	}
	return all&highs == 0
}

// cover reads the words in [from, to) that have not been read. Words are not cut at the ends.
func (n *nearby) cover(b []byte, from, to int) {
	if from < n.from || from > n.to || n.to == 0 {
		from = begins(b, from)
		n.r.hits, n.r.last, n.from, n.to = n.r.hits[:0], word{}, from, from
	}
	if to > n.to {
		n.to = n.r.read(b, n.to, to)
	}
}

// begins is where the word at i begins. A long run beyond ASCII may have no spaces.
func begins(b []byte, i int) int {
	for least := i - 2*maxWord; i > 0 && inRun(b[i]) && inRun(b[i-1]); i-- {
		if i <= least && utf8.RuneStart(b[i]) && b[i] >= utf8.RuneSelf {
			break
		}
	}
	return i
}

func inRun(c byte) bool { return class[c]&inWord != 0 || c >= utf8.RuneSelf }
