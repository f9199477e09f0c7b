package redact

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/longshore-dev/longshore/internal/dlp"
)

// maxViews is how often escapes are undone, and one more.
const maxViews = 5

// view is a text without some of its escapes.
type view struct {
	b        []byte
	from, to []int // where each byte's escape begins and ends in the text; nil = the text has none
}

// span is where bytes of the view stand in the text.
func (v *view) span(from, to int) (int, int) {
	if v.from == nil {
		return from, to
	}
	return v.from[from], v.to[to-1]
}

// unescape makes v a view of what is behind the escapes in of, and says whether there are any: those of JSON strings, of one in another
// too, and %XX; or once only, those of the string alone.
func (v *view) unescape(of *view, once bool) (some bool) {
	v.b, v.from, v.to = v.b[:0], v.from[:0], v.to[:0]
	if v.from == nil {
		v.from, v.to = []int{}, []int{}
	}
	for i := 0; i < len(of.b); {
		c, n := escape(of.b[i:], once)
		if n == 0 {
			from, to := of.span(i, i+1)
			v.b, v.from, v.to = append(v.b, of.b[i]), append(v.from, from), append(v.to, to)
			i++
			continue
		}
		some = true
		from, to := of.span(i, i+n)
		start := len(v.b)
		if v.b = append(v.b, byte(c)); c >= utf8.RuneSelf && of.b[i] != '%' {
			v.b = utf8.AppendRune(v.b[:start], c)
		}
		for range len(v.b) - start {
			v.from, v.to = append(v.from, from), append(v.to, to)
		}
		i += n
	}
	return some
}

// unescaped is what is behind the escapes of a value.
func unescaped(b []byte) ([]byte, bool) {
	var v view
	some := v.unescape(&view{b: b}, false)
	return v.b, some
}

// escape is what an escape at the begin of b stands for, and its length; 0 = there is none.
func escape(b []byte, once bool) (c rune, n int) {
	if c, ok := hexes(b[1:], 2); b[0] == '%' && ok && !once {
		return c, 3
	}
	if b[0] != '\\' {
		return 0, 0
	}
	for n = 1; n < len(b) && b[n] == '\\' && (n == 1 || !once); {
		n++
	}
	if once && n == 2 || n == len(b) {
		return '\\', n
	}
	switch b[n] {
	case 'n', 'r', 't', 'b', 'f':
		return rune("\n\r\t\b\f"[strings.IndexByte("nrtbf", b[n])]), n + 1
	case '"', '/':
		return rune(b[n]), n + 1
	case 'u':
		c, ok := hexes(b[n+1:], 4)
		if !ok {
			break
		}
		n += 5
		if next := bytes.TrimLeft(b[n:], `\`); utf16.IsSurrogate(c) && len(next) > 0 && next[0] == 'u' {
			low, _ := hexes(next[1:], 4)
			if pair := utf16.DecodeRune(c, low); pair != utf8.RuneError {
				return pair, len(b) - len(next) + 5
			}
		}
		return c, n
	}
	return '\\', n
}

func hexes(b []byte, n int) (c rune, ok bool) {
	if len(b) < n {
		return 0, false
	}
	for _, x := range b[:n] {
		switch {
		case x >= '0' && x <= '9':
			x -= '0'
		case x|0x20 >= 'a' && x|0x20 <= 'f':
			x = x | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		c = c<<4 | rune(x)
	}
	return c, true
}

// folded is the letters and digits of a text: in lower case and without accents.
type folded struct {
	text     []byte
	from, to []int // of each byte, where its letter begins and ends in the text
}

func (f *folded) fold(b []byte) {
	f.text, f.from, f.to = f.text[:0], f.from[:0], f.to[:0]
	for i := 0; i < len(b); {
		c, size := rune(b[i]), 1
		start := len(f.text)
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			f.text = append(f.text, b[i])
		case c >= 'A' && c <= 'Z':
			f.text = append(f.text, b[i]|0x20)
		case c >= utf8.RuneSelf:
			if c, size = utf8.DecodeRune(b[i:]); inWord(c) {
				f.text = dlp.FoldRune(f.text, c)
			}
		}
		for range len(f.text) - start {
			f.from, f.to = append(f.from, i), append(f.to, i+size)
		}
		i += size
	}
}

// edges are what stands around the letters and digits of b, and the widest gap between two of them.
func (f *folded) edges(b []byte) (lead, tail string, gap int) {
	n := len(f.text)
	if n == 0 {
		return "", "", 0
	}
	for i := 1; i < n; i++ {
		gap = max(gap, f.from[i]-f.to[i-1])
	}
	return string(b[:f.from[0]]), string(b[f.to[n-1]:]), gap
}

// close says whether no two letters from i on, n bytes of them, stand further apart than allowed.
func (f *folded) close(i, n, gap int) bool {
	for k := i + 1; k < i+n; k++ {
		if f.from[k]-f.to[k-1] > gap {
			return false
		}
	}
	return true
}
