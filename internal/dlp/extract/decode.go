package extract

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// encoding is how characters are written. Bytes of eight bits are UTF-8, and those that are not, Windows-1252.
type encoding int

const (
	bits8 encoding = iota
	utf16LE
	utf16BE
	utf32LE
	utf32BE
)

// marks are what texts of an encoding begin with: a byte order mark, or that and how XML begins.
var marks = []struct {
	enc  encoding
	mark string
	skip int
}{
	{utf32LE, "\xff\xfe\x00\x00", 4}, {utf32BE, "\x00\x00\xfe\xff", 4}, {utf16LE, "\xff\xfe", 2}, {utf16BE, "\xfe\xff", 2},
	{bits8, "\xef\xbb\xbf", 3}, {utf16LE, "<\x00?\x00", 0}, {utf16BE, "\x00<\x00?", 0},
}

// encodingOf tells the encoding and how long its mark is.
func encodingOf(head []byte) (enc encoding, skip int) {
	for _, m := range marks {
		if bytes.HasPrefix(head, []byte(m.mark)) {
			return m.enc, m.skip
		}
	}
	return bits8, 0
}

// decoder gives a text in UTF-8. Typographic spaces, hyphens and wide letters are given as the plain ones, and what has no
// width is left out: values are the same in them.
type decoder struct {
	r    *bufio.Reader
	enc  encoding
	out  []byte
	rest []byte // for Read
}

func newDecoder(r *bufio.Reader) *decoder {
	head, _ := r.Peek(4)
	enc, skip := encodingOf(head)
	_, _ = r.Discard(skip) // it is in the buffer
	return &decoder{r: r, enc: enc}
}

// next gives the next bytes, valid until it is called again, or an error; io.EOF at the end.
func (d *decoder) next() ([]byte, error) {
	for want := 1; ; {
		_, err := d.r.Peek(want)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		last := err != nil
		raw, _ := d.r.Peek(d.r.Buffered())
		if len(raw) == 0 {
			return nil, io.EOF
		}
		used, out := len(raw), raw
		if d.enc != bits8 || ascii(raw) < len(raw) {
			d.out, used = d.enc.decode(d.out[:0], raw, last)
			out = d.out
		}
		_, _ = d.r.Discard(used) // of what is in the buffer
		if len(out) > 0 {
			return out, nil
		}
		if want = 1; used == 0 {
			want = len(raw) + 1
		}
	}
}

// Read is io.Reader's.
func (d *decoder) Read(b []byte) (int, error) {
	if len(d.rest) == 0 {
		var err error
		if d.rest, err = d.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

// decode appends the text of raw and says how much of it was used. last: nothing follows.
func (e encoding) decode(dst, raw []byte, last bool) ([]byte, int) {
	switch e {
	case utf16LE, utf16BE:
		return e.decode16(dst, raw, last)
	case utf32LE, utf32BE:
		order := e.order()
		i := 0
		for ; i+4 <= len(raw); i += 4 {
			dst = appendPlain(dst, rune(order.Uint32(raw[i:])&0x1fffff))
		}
		if last {
			i = len(raw)
		}
		return dst, i
	}
	return decode8(dst, raw, last)
}

func (e encoding) order() binary.ByteOrder {
	if e == utf16BE || e == utf32BE {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (e encoding) decode16(dst, raw []byte, last bool) ([]byte, int) {
	order := e.order()
	i := 0
	for ; i+2 <= len(raw); i += 2 {
		r := rune(order.Uint16(raw[i:]))
		if utf16.IsSurrogate(r) {
			if i+4 > len(raw) && !last {
				return dst, i
			}
			if i+4 <= len(raw) {
				if pair := utf16.DecodeRune(r, rune(order.Uint16(raw[i+2:]))); pair != utf8.RuneError {
					r = pair
					i += 2
				}
			}
		}
		dst = appendPlain(dst, r)
	}
	if last {
		i = len(raw)
	}
	return dst, i
}

func decode8(dst, raw []byte, last bool) ([]byte, int) {
	for i := 0; i < len(raw); {
		if n := ascii(raw[i:]); n > 0 {
			dst = append(dst, raw[i:i+n]...)
			i += n
			continue
		}
		r, n := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && n == 1 {
			if !last && !utf8.FullRune(raw[i:]) {
				return dst, i
			}
			r = windows1252[raw[i]&0x7f]
		}
		dst = appendPlain(dst, r)
		i += n
	}
	return dst, len(raw)
}

// ascii is the length of the ASCII characters that b begins with.
func ascii(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if binary.LittleEndian.Uint64(b[i:])&0x8080808080808080 != 0 {
			break
		}
	}
	for i < len(b) && b[i] < utf8.RuneSelf {
		i++
	}
	return i
}

// PlainText appends a text in UTF-8 with the plain character for each that has one, as texts of files are given. What is no UTF-8 is
// taken for Windows-1252.
func PlainText(dst, text []byte) []byte {
	dst, _ = decode8(dst, text, true)
	return dst
}

// appendPlain appends a character, or the plain one for it: of digits of any script, and of what only looks otherwise (Unicode's
// compatibility forms of letters, UAX 15) among symbols.
func appendPlain(dst []byte, r rune) []byte {
	switch {
	case r < utf8.RuneSelf:
		return append(dst, byte(r))
	case r == 0xa0, r >= 0x2000 && r <= 0x200a, r == 0x202f, r == 0x205f, r == 0x3000:
		return append(dst, ' ')
	case r >= 0x2010 && r <= 0x2013, r == 0x2212, r == 0xfe58, r == 0xfe63:
		return append(dst, '-')
	case r == 0xad, r >= 0x200b && r <= 0x200f, r == 0x2060, r == 0xfeff:
		return dst
	case r >= 0xff01 && r <= 0xff5e:
		return append(dst, byte(r-0xfee0))
	case r >= 0x2070 && r <= 0x209f, r >= 0x2460 && r <= 0x24ff, r >= 0x1d400 && r <= 0x1d7ff, r >= 0xfb00 && r <= 0xfb06:
		return append(dst, norm.NFKC.String(string(r))...)
	case r < 0x660, r >= 0x3000 && r < 0xa620: // Latin, Greek, Cyrillic, Chinese, Japanese: no digits of their own
	case unicode.Is(unicode.Nd, r):
		return append(dst, '0'+digitOf(r))
	}
	return utf8.AppendRune(dst, r)
}

// digitOf is the value of a decimal digit: those of a script follow one another from its zero.
func digitOf(r rune) byte {
	zero := r
	for unicode.Is(unicode.Nd, zero-1) {
		zero--
	}
	return byte((r - zero) % 10)
}

// windows1252 is its upper half.
var windows1252 = [128]rune{
	0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f,
	0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178,
}

func init() {
	for i := 32; i < 128; i++ {
		windows1252[i] = rune(0x80 + i)
	}
}
