package dlp

import (
	"encoding/binary"
	"math/bits"
)

// walk looks at every token once, a block of the text after the other, and lets a verifier see those that may begin a value.
func (s *scanner) walk(b []byte) {
	var blocks [2]block
	blockAt(b, 0, &blocks[0])
	within := uint64(0) // a token goes on from the block before
	for at := 0; at < len(b); at += perBlock {
		now, next := &blocks[at/perBlock&1], &blocks[at/perBlock&1^1]
		blockAt(b, at+perBlock, next)
		starts := now.word &^ (now.word<<1 | within)
		within = now.word >> (perBlock - 1)
		todo := now.firstDigits(next, starts) | s.set.openings.among(b, at, starts) | now.sign
		for todo != 0 {
			bit := bits.TrailingZeros64(todo)
			if now.sign>>bit&1 != 0 {
				if s.set.signs[b[at+bit]] {
					s.enter(at + bit)
					s.sign(at + bit)
				}
				todo &= todo - 1
				continue
			}
			bit = perBlock - 1 - bits.LeadingZeros64(starts&(2<<bit-1))
			s.ahead = ahead{now.word>>bit | next.word<<(perBlock-bit), now.digit>>bit | next.digit<<(perBlock-bit)}
			n := s.visit(b, at+bit)
			todo &= ^uint64(0) << (bit + n)
		}
	}
}

// firstDigits are the first digits of the tokens that begin at starts, or the beginning of one that goes on in the next block and has
// them there, or goes on beyond it.
func (m *block) firstDigits(next *block, starts uint64) uint64 {
	others := m.word &^ m.digit
	first := m.digit & (starts | (others + starts&others)) // what is added runs through the others up to what is none
	if starts == 0 || m.word>>(perBlock-1) == 0 {
		return first
	}
	last := perBlock - 1 - bits.LeadingZeros64(starts)
	n := bits.TrailingZeros64(^next.word)
	if m.digit>>last == 0 && ^m.word>>last == 0 && (n == perBlock || next.digit&(1<<n-1) != 0) {
		first |= 1 << last
	}
	return first
}

// among are the starts of those tokens that may begin a value by their first three characters.
func (o *openings) among(b []byte, at int, starts uint64) (found uint64) {
	for ; starts != 0; starts &= starts - 1 {
		bit := bits.TrailingZeros64(starts)
		i := at + bit
		if i+4 > len(b) {
			found |= 1 << bit
			continue
		}
		x := binary.LittleEndian.Uint32(b[i:])
		place := triple(byte(x), byte(x>>8), byte(x>>16))
		found |= o.three[place>>6] >> (place & 63) & 1 << bit
	}
	return found
}

// ahead is what stands from the beginning of a token on: a bit for each byte.
type ahead struct{ words, digits uint64 }

// layout is where words, and among them digits, stand in what has a form, and the bits of that: up to the end and one more.
type layout struct{ reach, words, digits uint64 }

// may says whether a text may have a form by where its words and digits stand.
func (a *ahead) may(l *layout) bool { return a.words&l.reach == l.words && l.digits&^a.digits == 0 }

// layoutOf is that of groups of so many digits.
func layoutOf(groups ...int) (l layout) {
	at := 0
	for _, n := range groups {
		l.digits |= (1<<n - 1) << at
		at += n + 1
	}
	l.words, l.reach = l.digits, 1<<at-1
	return l
}

// end is where a text ends that has the layout at i, if sep stands between its words; else 0.
func (l *layout) end(b []byte, i int, sep byte) int {
	for gaps := l.reach >> 1 &^ l.words; gaps != 0; gaps &= gaps - 1 {
		if b[i+bits.TrailingZeros64(gaps)] != sep {
			return 0
		}
	}
	return i + bits.Len64(l.words)
}

// visit looks at the token at i, from which s.ahead tells, and gives its length.
func (s *scanner) visit(b []byte, i int) int {
	n := bits.TrailingZeros64(^s.ahead.words)
	shape := uint8(0)
	switch digits := s.ahead.digits & (1<<n - 1); {
	case n == perBlock:
		for n = 0; i+n < len(b) && class[b[i+n]]&inWord != 0; n++ {
			shape |= class[b[i+n]]
		}
	case digits == 0:
		shape = letter
	case digits == 1<<n-1:
		shape = digit
	default:
		shape = digit | letter
	}
	s.enter(i)
	s.token(i, i+n, shape)
	if list := s.set.openings.of(b, i); list != nil {
		s.open(list, i, i+n)
	}
	return n
}

// token looks at what a token may begin, or hold. shape says whether it has digits, and whether it has others.
func (s *scanner) token(start, end int, shape uint8) {
	set, n := s.set, end-start
	switch {
	case shape == digit:
		if n <= 3 && set.on[ipAddr] && end < len(s.text) && s.text[end] == '.' {
			s.ipv4(start)
		}
		if n <= maxForm && set.lengths>>n&1 != 0 {
			s.number(start, end)
		}
	case shape&digit != 0 && n <= maxForm:
		s.follow(set.leads.mixed[n], start, end)
	case shape&digit != 0 && (n == lenDevOps || n == lenOldDevOps):
		if set.on[azureDevOps] {
			s.devOps(start, end)
		}
	case n <= maxForm && set.leads.capitals[n] != nil && mixed(s.text[start:end]) == upper:
		s.follow(set.leads.capitals[n], start, end)
	}
	if set.on[macAddr] && (n == 2 || n == 4) {
		s.mac(start, n)
	}
}
