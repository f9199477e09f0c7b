package dlp

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// wide reads a run with letters beyond ASCII: what began at start goes on at i. It gives where the run ends.
func (r *reader) wide(b []byte, start, i int) int {
	if c, size := utf8.DecodeRune(b[i:]); i == start && (spaceless(c) || !inWords(c)) {
		r.last.n = 0
		return i + max(size, r.inner(b, i, c))
	}
	text := appendLower(make([]byte, 0, maxWord+utf8.UTFMax), b[start:min(i, start+maxWord)])
	whole := i-start <= maxWord
	for i < len(b) {
		c, size := utf8.DecodeRune(b[i:])
		if !inWords(c) || spaceless(c) {
			break
		}
		if whole {
			text = FoldRune(text, c)
			whole = len(text) <= maxWord
		}
		i += size
	}
	if !whole || len(text) == 0 {
		r.last.n = 0
		return i
	}
	w := word{start: start, end: i, n: len(text), head: head(text, 0, len(text)), wide: true}
	if l := &r.last; l.n != 0 && start-l.end <= gap && l.n+w.n <= maxWord && r.set.maybe(l.joined(w.head), l.n+w.n)&isKeyword != 0 {
		r.join(b, &w, text)
	}
	if r.set.maybe(w.head, w.n)&isKeyword != 0 {
		r.find(start, i, text)
	}
	r.last = w
	copy(r.text[:], text)
	return i
}

// inner looks for a keyword that begins with a letter of a script without spaces, and gives its length: the longest's.
func (r *reader) inner(b []byte, i int, c rune) int {
	for _, in := range r.set.within[c] {
		if len(b)-i >= len(in.text) && string(b[i:i+len(in.text)]) == in.text {
			r.hits = append(r.hits, hit{i, i + len(in.text), in.of})
			return len(in.text)
		}
	}
	return 0
}

func inWords(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c) }

// WordRune says whether a character stands in words, and whether words of its script are set apart.
func WordRune(c rune) (in, apart bool) { return inWords(c), !spaceless(c) }

// folded appends a word as keywords are compared: in lower case, without accents.
func folded(dst, b []byte) []byte {
	for len(b) > 0 {
		c, size := utf8.DecodeRune(b)
		dst, b = FoldRune(dst, c), b[size:]
	}
	return dst
}

// letters that have no decomposition.
var plainly = map[rune]string{'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ı': "i"}

// FoldRune appends a letter as keywords and terms of dictionaries are compared: in lower case, without accents.
func FoldRune(dst []byte, c rune) []byte {
	c = unicode.ToLower(c)
	if as, ok := plainly[c]; ok {
		return append(dst, as...)
	}
	if unicode.IsMark(c) {
		return dst
	}
	if c >= utf8.RuneSelf {
		var room [utf8.UTFMax]byte
		if apart := norm.NFD.Properties(utf8.AppendRune(room[:0], c)).Decomposition(); len(apart) > 0 {
			c, _ = utf8.DecodeRune(apart)
		}
	}
	return utf8.AppendRune(dst, c)
}

// spaceless says whether a letter is of a script that is written without spaces, or in which words have endings: Thai, Chinese,
// Japanese, Korean.
func spaceless(c rune) bool {
	return c >= 0x0e00 && c < 0x0f00 || c >= 0x3040 && c < 0xa000 || c >= 0xac00 && c < 0xd7b0 || c >= 0xf900 && c < 0xfb00 || c >= 0x20000
}
