package extract

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// mailLines gives the lines of a message up to one that ends a part.
type mailLines struct {
	r     *bufio.Reader
	marks [][]byte // that end parts, the outermost first
	box   bool     // a line that begins with From ends a message
	line  int      // the number of the last one
	rest  bool     // of a line that was too long to be given at once
	blank bool     // the last line was empty

	stop  int  // which mark it stands at: its place, atBox, or atNone
	close bool // it is the last one of its kind
}

const (
	atNone = -1
	atBox  = 1 << 30 // at the From of a box
)

// next gives a line with its end, or a part of one that is very long; io.EOF at a mark and at the end.
func (l *mailLines) next() ([]byte, error) {
	if l.stop != atNone {
		return nil, io.EOF
	}
	b, err := l.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		err = nil
	}
	if len(b) == 0 {
		return nil, err
	}
	start := !l.rest
	l.rest = b[len(b)-1] != '\n'
	if start {
		l.line++
		if l.ends(b) {
			return nil, io.EOF
		}
	}
	l.blank = start && len(bytes.TrimRight(b, "\r\n")) == 0
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b, err
}

// ends says whether a line is a mark, and remembers which.
func (l *mailLines) ends(b []byte) bool {
	if l.box && l.blank && bytes.HasPrefix(b, []byte("From ")) {
		l.stop, l.close = atBox, false
		return true
	}
	if len(b) < 2 || b[0] != '-' || b[1] != '-' {
		return false
	}
	b = bytes.TrimRight(b[2:], " \t\r\n")
	for i := len(l.marks) - 1; i >= 0; i-- {
		if !bytes.HasPrefix(b, l.marks[i]) {
			continue
		}
		switch string(b[len(l.marks[i]):]) {
		case "":
			l.stop, l.close = i, false
			return true
		case "--":
			l.stop, l.close = i, true
			return true
		}
	}
	return false
}

// body reads the bytes up to the mark. The end of the last line is the mark's.
type body struct {
	l    *mailLines
	buf  []byte
	b    []byte // of buf, to be read
	held []byte
}

// Read is io.Reader's.
func (p *body) Read(b []byte) (int, error) {
	for len(p.b) == 0 {
		line, err := p.l.next()
		if err != nil {
			if errors.Is(err, io.EOF) && p.l.stop == atNone && len(p.held) > 0 { // at the end of the file it belongs to the text
				p.b, p.held = p.held, nil
				continue
			}
			return 0, err
		}
		text := bytes.TrimRight(line, "\r\n")
		p.buf = append(append(p.buf[:0], p.held...), text...)
		p.b = p.buf
		p.held = append(p.held[:0], line[len(text):]...)
	}
	n := copy(b, p.b)
	p.b = p.b[n:]
	return n, nil
}

// base64Reader decodes base64 (RFC 2045): what is no letter of it is left out, and what follows its end is one more.
type base64Reader struct {
	r    *bufio.Reader
	bits uint32
	n    int // of bits
}

// Read is io.Reader's.
func (d *base64Reader) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		c, err := d.r.ReadByte()
		if err != nil {
			if n > 0 && errors.Is(err, io.EOF) {
				return n, nil
			}
			return n, err
		}
		v := uint32(0)
		switch {
		case c >= 'A' && c <= 'Z':
			v = uint32(c - 'A')
		case c >= 'a' && c <= 'z':
			v = uint32(c-'a') + 26
		case c >= '0' && c <= '9':
			v = uint32(c-'0') + 52
		case c == '+', c == '-':
			v = 62
		case c == '/', c == '_':
			v = 63
		case c == '=':
			d.n = 0
			continue
		default:
			continue
		}
		d.bits, d.n = d.bits<<6|v, d.n+6
		if d.n >= 8 {
			d.n -= 8
			b[n] = byte(d.bits >> d.n)
			n++
		}
	}
	return n, nil
}

// quotedReader decodes quoted-printable (RFC 2045). What is not as it should be stays as it stands.
type quotedReader struct{ r *bufio.Reader }

// Read is io.Reader's.
func (d *quotedReader) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		c, err := d.r.ReadByte()
		if err != nil {
			if n > 0 && errors.Is(err, io.EOF) {
				return n, nil
			}
			return n, err
		}
		if c == '=' {
			var ok bool
			if c, ok = d.escape(); !ok {
				continue
			}
		}
		b[n] = c
		n++
	}
	return n, nil
}

// escape reads what follows an equals sign; false at the end of a line that goes on.
func (d *quotedReader) escape() (byte, bool) {
	next, _ := d.r.Peek(2)
	if len(next) == 2 && hexDigit(next[0]) >= 0 && hexDigit(next[1]) >= 0 {
		c := byte(hexDigit(next[0])<<4 | hexDigit(next[1]))
		_, _ = d.r.Discard(2)
		return c, true
	}
	line, _ := d.r.Peek(128)
	for i, c := range line {
		switch c {
		case ' ', '\t', '\r':
			continue
		case '\n':
			_, _ = d.r.Discard(i + 1)
			return 0, false
		}
		return '=', true
	}
	return '=', len(line) > 0
}
