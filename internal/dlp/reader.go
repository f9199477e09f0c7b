package dlp

import (
	"math/bits"
	"unicode/utf8"
)

// read adds the keywords in b[i:end] to hits. Words are not cut at the end; it gives where it came to.
func (r *reader) read(b []byte, i, end int) int {
	for i < end {
		to := r.block(b, i)
		if to == i {
			to = r.step(b, i, min(end, i+perBlock))
		}
		i = to
	}
	return i
}

// block reads the words of the block that begins at i, as far as it is ASCII and they end in it, and gives where it came to.
func (r *reader) block(b []byte, i int) int {
	var m block
	blockAt(b, i, &m)
	in := m.letter | m.digit
	whole := min(bits.TrailingZeros64(m.high), perBlock) // as far as that
	whole -= bits.LeadingZeros64(^(in << (perBlock - whole)))
	if whole == 0 {
		return i
	}
	lower, upper := m.letter&m.small, m.letter&^m.small
	runs := in &^ (in << 1)
	starts := runs | in&(in<<1)&(m.digit^m.digit<<1) | // card2
		upper&(lower<<1) | upper&(upper<<1)&(lower>>1) // cardNumber, SSNField
	ends := starts | ^in
	run := 0
	for rest := starts & (1<<whole - 1); rest != 0; rest &= rest - 1 {
		at := bits.TrailingZeros64(rest)
		n := bits.TrailingZeros64(ends>>at>>1) + 1
		r.look(b, i+at, i+at+n)
		if runs>>at&1 != 0 {
			run = at
		} else if in>>(at+n)&1 == 0 {
			r.run(b, i+run, i+at+n)
		}
	}
	return min(i+whole, len(b))
}

// step is read, a byte at a time.
func (r *reader) step(b []byte, i, end int) int {
	for i < end {
		was := class[b[i]]
		if was&(digit|letter) == 0 {
			if b[i] >= utf8.RuneSelf {
				i = r.wide(b, i, i)
				continue
			}
			i++
			continue
		}
		start, piece := i, i
		for i++; i < len(b); i++ {
			is := class[b[i]]
			if is == was {
				continue
			}
			if is&(digit|letter) == 0 {
				break
			}
			switch {
			case was == digit || is == digit || is == upper: // card2, cardNumber
				r.look(b, piece, i)
				piece = i
			case i-1 > piece: // SSNField
				r.look(b, piece, i-1)
				piece = i - 1
			}
			was = is
		}
		if i < len(b) && b[i] >= utf8.RuneSelf {
			if c, _ := utf8.DecodeRune(b[i:]); inWords(c) && !spaceless(c) {
				i = r.wide(b, piece, i)
				continue
			}
		}
		r.look(b, piece, i)
		if piece > start {
			r.run(b, start, i)
		}
	}
	return i
}
