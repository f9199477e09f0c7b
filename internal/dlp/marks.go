package dlp

import "encoding/binary"

const perBlock = 64 // bytes of a text

// block is what 64 bytes of a text are: a bit for each byte, the first in the lowest.
type block struct {
	word   uint64 // digits, letters and underscores
	digit  uint64
	letter uint64
	small  uint64 // of letters, those in lower case, and others that are no letters
	sign   uint64 // a value may stand around it
	high   uint64 // beyond ASCII
}

// blockAt is the block that begins at i. Behind the end of a text stands nothing.
func blockAt(b []byte, i int, m *block) {
	switch {
	case i+perBlock <= len(b):
		readBlock(m, (*[perBlock]byte)(b[i:]))
	case i < len(b):
		var pad [perBlock]byte
		copy(pad[:], b[i:])
		readBlock(m, &pad)
	default:
		*m = block{}
	}
}

// readWords reads eight bytes at a time: a byte of ASCII has its highest bit set if it is not below what is added to it.
func readWords(m *block, b *[perBlock]byte) {
	*m = block{}
	for k := 0; k < perBlock; k += 8 {
		x := binary.LittleEndian.Uint64(b[k:])
		y := x &^ highs
		low := y | 0x20*ones
		digits := (from(y, '0') ^ from(y, '9'+1)) &^ x
		letters := (from(low, 'a') ^ from(low, 'z'+1)) &^ x
		signs := (is(y, '@') | is(y, '~') | is(y, '=') | is(y, ':') | is(y, '+') | is(y, '%')) &^ x
		m.digit |= gather(digits) << k
		m.letter |= gather(letters) << k
		m.word |= gather(digits|letters|is(y, '_')&^x) << k
		m.small |= gather(x<<2) << k
		m.sign |= gather(signs) << k
		m.high |= gather(x) << k
	}
}

// from says by the highest bit of each byte whether it is c or above. The highest bits of y are not set.
func from(y uint64, c byte) uint64 { return y + uint64(0x80-c)*ones }

// is says by the highest bit of each byte whether it is c.
func is(y uint64, c byte) uint64 { return highs - (y ^ uint64(c)*ones) }

// gather puts the highest bits of the bytes together.
func gather(x uint64) uint64 { return (x & highs >> 7) * 0x0102040810204080 >> 56 }
