package event

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"strconv"
)

// maxDepth bounds the nesting of a JSON value.
const maxDepth = 512

// errShort says that the input ended inside a value.
var errShort = errors.New("unexpected end of JSON")

// scanner checks and skips JSON values, and notes where wanted ones stand. Its methods take the index of the first byte and
// return the index after the last, or -1 with err set.
type scanner struct {
	b     []byte
	final bool // nothing follows b; without it a number at the end of b may go on
	esc   bool // the string passed last holds an escape
	err   error
	base  int // where the object begins, for the offsets of slots
	v     *Values
	depth int
}

func (s *scanner) fail(i int, what string) int {
	if i >= len(s.b) {
		s.err = errShort
	} else {
		s.err = &syntaxError{off: i, got: s.b[i], want: what}
	}
	return -1
}

type syntaxError struct {
	off  int
	got  byte
	want string
}

func (e *syntaxError) Error() string {
	return "found " + strconv.QuoteRune(rune(e.got)) + " at offset " + strconv.Itoa(e.off) + " where JSON needs " + e.want
}

// space skips white space.
func space(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// str passes a string; i is after the opening quote.
func (s *scanner) str(i int) int {
	if i = plain(s.b, i); i < len(s.b) && s.b[i] == '"' {
		s.esc = false
		return i + 1
	}
	return s.strRest(i)
}

// plain gives the index of the first quote, backslash or control character from i on. It looks at eight bytes at a time.
func plain(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		if m := special(binary.LittleEndian.Uint64(b[i : i+8])); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= ' ' {
		i++
	}
	return i
}

// strRest passes the rest of a string that is not plain up to its end.
func (s *scanner) strRest(i int) int {
	b := s.b
	s.esc = true
	for {
		switch {
		case i >= len(b):
			return s.fail(i, "")
		case b[i] == '"':
			return i + 1
		case b[i] != '\\':
			return s.fail(i, "an escaped control character")
		}
		if i = s.escape(i + 1); i < 0 {
			return -1
		}
		i = plain(b, i)
	}
}

// special marks in the top bits of w's bytes the first one that is a quote, a backslash or a control character. A byte
// with its second bit turned is below 0x21 when it was a quote or below a space.
func special(w uint64) uint64 {
	control, escape := (w^ones*0x02)-ones*0x21, (w^ones*'\\')-ones
	return (control | escape) &^ w & highs
}

// escape passes what follows a backslash.
func (s *scanner) escape(i int) int {
	b := s.b
	if i >= len(b) {
		return s.fail(i, "")
	}
	switch b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		for n := 1; n <= 4; n++ {
			if i+n >= len(b) || hexVal(b[i+n]) < 0 {
				return s.fail(i+n, "a hexadecimal digit")
			}
		}
		return i + 5
	}
	return s.fail(i, "an escape")
}

func hexVal(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10
	}
	return -1
}

func (s *scanner) word(i int, w string) int {
	if len(s.b)-i >= len(w) && string(s.b[i:i+len(w)]) == w {
		return i + len(w)
	}
	for n := 0; n < len(w); n++ {
		if i+n >= len(s.b) || s.b[i+n] != w[n] {
			return s.fail(i+n, w)
		}
	}
	return -1
}

func (s *scanner) digits(i int) int {
	start := i
	for i < len(s.b) && s.b[i]-'0' <= 9 {
		i++
	}
	if i == start {
		return s.fail(i, "a digit")
	}
	return i
}

func (s *scanner) number(i int) int {
	b := s.b
	if b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if i = s.digits(i); i < 0 {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		if i = s.digits(i + 1); i < 0 {
			return -1
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if i = s.digits(i); i < 0 {
			return -1
		}
	}
	if i == len(b) && !s.final {
		return s.fail(i, "")
	}
	return i
}

// skip passes one value; i is at its first byte.
func (s *scanner) skip(i int) int {
	if i >= len(s.b) {
		return s.fail(i, "")
	}
	switch c := s.b[i]; c {
	case '"':
		return s.str(i + 1)
	case '{', '[':
		return s.nested(i)
	case 't':
		return s.word(i, "true")
	case 'f':
		return s.word(i, "false")
	case 'n':
		return s.word(i, "null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.number(i)
	}
	return s.fail(i, "a value")
}

func (s *scanner) enter() bool {
	if s.depth++; s.depth > maxDepth {
		s.err = errors.New("nested deeper than " + strconv.Itoa(maxDepth))
		return false
	}
	return true
}

// key passes a member's name and the colon; i is at the opening quote. It returns the end of the name and the value's start.
func (s *scanner) key(i int) (end, val int) {
	b := s.b
	if i >= len(b) || b[i] != '"' {
		return -1, s.fail(i, "a name in quotes")
	}
	if i = s.str(i + 1); i < 0 {
		return -1, -1
	}
	if i+1 < len(b) && b[i] == ':' && b[i+1] > ' ' {
		return i - 1, i + 1
	}
	return i - 1, s.colon(i)
}

func (s *scanner) colon(i int) int {
	b := s.b
	if i < len(b) && b[i] != ':' {
		i = space(b, i)
	}
	if i >= len(b) || b[i] != ':' {
		return s.fail(i, "a colon")
	}
	if i++; i < len(b) && b[i] <= ' ' {
		i = space(b, i)
	}
	return i
}

// more passes the comma after an element, or the closing byte; done says which.
func (s *scanner) more(i int, closing byte) (at int, done bool) {
	b := s.b
	if i+1 < len(b) && b[i] == ',' && b[i+1] > ' ' {
		return i + 1, false
	}
	if i < len(b) && b[i] <= ' ' {
		i = space(b, i)
	}
	if i >= len(b) {
		return s.fail(i, ""), true
	}
	switch b[i] {
	case ',':
		if i++; i < len(b) && b[i] <= ' ' {
			i = space(b, i)
		}
		return i, false
	case closing:
		s.depth--
		return i + 1, true
	}
	return s.fail(i, "a comma or "+string(rune(closing))), true
}

// nested passes an object or a list, whose first byte is at i, without recursion.
func (s *scanner) nested(i int) int {
	b := s.b
	var objects [maxDepth/64 + 1]uint64 // a bit for each open value: it is an object
	outer := s.depth
	for {
		// i is at a value, or at the name of a member.
		c := byte(0)
		if i < len(b) {
			c = b[i]
		}
		inObject := s.depth > outer && objects[s.depth>>6]>>(s.depth&63)&1 != 0
		if inObject {
			if _, i = s.key(i); i < 0 {
				return -1
			}
			if i < len(b) {
				c = b[i]
			}
		}
		switch {
		case c == '"':
			i = s.str(i + 1)
		case c == '{', c == '[':
			if !s.enter() {
				return -1
			}
			objects[s.depth>>6] &^= 1 << (s.depth & 63)
			if c == '{' {
				objects[s.depth>>6] |= 1 << (s.depth & 63)
			}
			if i = space(b, i+1); i >= len(b) || b[i] != c+2 {
				continue
			}
			i++
			s.depth--
		default:
			i = s.skip(i)
		}
		if i >= 0 && i+1 < len(b) && b[i] == ',' && b[i+1] > ' ' && s.depth > outer {
			i++
		} else if i = s.after(i, outer, &objects); i < 0 || s.depth == outer {
			return i
		}
	}
}

// after passes what follows a value: the ends of the values around it, and the comma before the next.
func (s *scanner) after(i, outer int, objects *[maxDepth/64 + 1]uint64) int {
	b := s.b
	for i >= 0 && s.depth > outer {
		if i < len(b) && b[i] <= ' ' {
			i = space(b, i)
		}
		closing := byte(']')
		if objects[s.depth>>6]>>(s.depth&63)&1 != 0 {
			closing = '}'
		}
		switch {
		case i >= len(b):
			return s.fail(i, "")
		case b[i] == closing:
			s.depth--
			i++
		case b[i] == ',':
			if i++; i < len(b) && b[i] <= ' ' {
				i = space(b, i)
			}
			return i
		default:
			return s.fail(i, "a comma or "+string(rune(closing)))
		}
	}
	return i
}

// lenient finds the end of a malformed value by its brackets and quotes alone.
func lenient(b []byte, i int) int {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}
