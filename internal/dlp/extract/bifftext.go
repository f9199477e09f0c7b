package extract

import "unicode/utf16"

// biffText reads texts that go on over records: where one does between characters, their width is said again (2.5.293).
type biffText struct {
	b    []byte
	rest [][]byte
}

// end says whether nothing is left.
func (r *biffText) end() bool {
	for len(r.b) == 0 && len(r.rest) > 0 {
		r.b, r.rest = r.rest[0], r.rest[1:]
	}
	return len(r.b) == 0
}

func (r *biffText) byte() byte {
	if r.end() {
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *biffText) skip(n int) {
	for n > 0 && !r.end() {
		k := min(n, len(r.b))
		r.b = r.b[k:]
		n -= k
	}
}

// text appends a text of n characters, with what says how they look left out.
func (r *biffText) text(dst []byte, n int) []byte {
	flags := r.byte()
	extra := 0
	if flags&8 != 0 {
		extra = 4 * (int(r.byte()) | int(r.byte())<<8)
	}
	if flags&4 != 0 {
		size := uint32(r.byte()) | uint32(r.byte())<<8 | uint32(r.byte())<<16 | uint32(r.byte())<<24
		extra += int(min(size, 1<<30))
	}
	dst = r.chars(dst, n, flags&1 != 0)
	r.skip(extra)
	return dst
}

func (r *biffText) chars(dst []byte, n int, wide bool) []byte {
	high := rune(0)
	for ; n > 0; n-- {
		if len(r.b) == 0 {
			if r.end() {
				return dst
			}
			wide = r.byte()&1 != 0
		}
		c := rune(r.byte())
		if wide {
			c |= rune(r.byte()) << 8
		}
		if utf16.IsSurrogate(c) {
			if c < 0xdc00 {
				high = c
				continue
			}
			c = utf16.DecodeRune(high, c)
		}
		dst = appendPlain(dst, c)
	}
	return dst
}

// linkText is the longest text of 16 bits a character in a record.
func linkText(b []byte) []byte {
	var best, now []byte
	for i := 0; i+2 <= len(b); i += 2 {
		if c := le.Uint16(b[i:]); c >= ' ' && c < 0x7f {
			now = append(now, byte(c))
			continue
		}
		if len(now) > len(best) {
			best = append(best[:0], now...)
		}
		now = now[:0]
	}
	if len(now) > len(best) {
		best = now
	}
	return best
}
