package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// SplitOptions bound a Splitter; the zero value is good.
type SplitOptions struct {
	Hint     int   // expected bytes of the whole input; default 64 KiB, at most 4 MiB are taken at once
	MaxRow   int   // bytes of one row; default 16 MiB
	MaxBytes int64 // bytes of the whole input; default 1 GiB
	Single   bool  // an object where the list was expected is one row
}

const (
	firstRead = 64 << 10
	laterRead = 256 << 10 // a buffer lives as long as a row in it, and many streams read at the same time
	mostRead  = 4 << 20
)

// Splitter cuts a page of JSON into its rows while it is read. Rows and values are never written to again: they lie in
// buffers that are given up when full.
type Splitter struct {
	r      io.Reader
	o      SplitOptions
	l      *Layout
	path   []string
	b      []byte // read and not given up
	pos    int    // of the next byte to look at
	off    int64  // of b[0] in the input
	size   int    // of the next buffer
	in     error  // how reading ended
	err    error  // what Next goes on to say
	open   int    // enclosing objects
	first  bool   // no member or element of the innermost was read yet
	begun  bool
	rows   bool // inside the list
	single bool // the row is the object at the path
	others members
}

// RowError says why one row could not be read. The rows after it can.
type RowError struct {
	Raw json.RawMessage
	Err error
}

func (e *RowError) Error() string { return "read row: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *RowError) Unwrap() error { return e.Err }

// NewSplitter reads the list at path, member names joined by dots; "" is the value itself. The values that l wants are
// noted on the way; l may be nil. A row that is no object has none; null is no row.
func NewSplitter(r io.Reader, path string, l *Layout, o SplitOptions) *Splitter {
	s := &Splitter{r: r, o: o, l: l, size: firstRead}
	if o.Hint > 0 {
		s.size = min(o.Hint+o.Hint/16, mostRead)
	}
	if o.MaxRow <= 0 {
		s.o.MaxRow = 16 << 20
	}
	if o.MaxBytes <= 0 {
		s.o.MaxBytes = 1 << 30
	}
	if path != "" {
		for step := range pathSteps(path) {
			s.path = append(s.path, strings.ReplaceAll(step, "\x00", "."))
		}
	}
	return s
}

// Next gives the next row and its values; io.EOF after the end of the whole input. After a *RowError it may be called
// again; any other error stays.
func (s *Splitter) Next(v *Values) (json.RawMessage, error) {
	if s.err != nil {
		return nil, s.err
	}
	raw, err := s.next(v)
	if err == nil {
		return raw, nil
	}
	var bad *RowError
	if !errors.As(err, &bad) {
		if err != io.EOF {
			err = fmt.Errorf("split page: %w", err)
		}
		s.err = err
	}
	return nil, err
}

func (s *Splitter) next(v *Values) (json.RawMessage, error) {
	for {
		if !s.rows {
			if err := s.seek(); err != nil {
				return nil, err
			}
		}
		if s.single {
			s.single, s.rows = false, false
			return s.row(v)
		}
		c, err := s.peek()
		if err != nil {
			return nil, err
		}
		switch {
		case c == ']':
			s.pos++
			s.rows, s.first = false, false
			continue
		case s.first:
			s.first = false
		case c != ',':
			return nil, s.unexpected("a comma or ]")
		default:
			s.pos++
			if _, err := s.peek(); err != nil {
				return nil, err
			}
		}
		return s.row(v)
	}
}

// row reads the row at pos, and reads on until its end is there.
func (s *Splitter) row(v *Values) (json.RawMessage, error) {
	for {
		sc := scanner{b: s.b, final: s.in == io.EOF}
		var end int
		if s.l != nil && v != nil {
			end = sc.fill(s.pos, s.l, v)
		} else {
			end = sc.skip(s.pos)
		}
		if end >= 0 && s.b[s.pos] == 'n' {
			sc.err, end = errNull, -1
		}
		if end >= 0 {
			return s.good(v, end)
		}
		if sc.err != errShort {
			if end = lenient(s.b, s.pos); end == s.pos {
				return nil, s.where(&sc)
			} else if end > s.pos {
				return nil, s.bad(v, end, sc.err)
			}
		}
		if err := s.more(); err != nil {
			return nil, err
		}
	}
}

func (s *Splitter) good(v *Values, end int) (json.RawMessage, error) {
	raw := json.RawMessage(s.b[s.pos:end:end])
	if len(raw) > s.o.MaxRow {
		return nil, s.tooLong()
	}
	if !utf8.Valid(raw) {
		return nil, s.bad(v, end, errUTF8)
	}
	s.pos = end
	if v != nil {
		if s.l == nil {
			*v = Values{}
		}
		v.Raw = raw
	}
	return raw, nil
}

// bad sets a row aside when what follows it can be read.
func (s *Splitter) bad(v *Values, end int, why error) error {
	if at, ok := why.(*syntaxError); ok {
		why = &syntaxError{off: at.off - s.pos, got: at.got, want: at.want}
	}
	raw := json.RawMessage(s.b[s.pos:end:end])
	if v != nil {
		*v = Values{values: v.values}
		clear(v.slots)
	}
	at := s.off + int64(s.pos)
	s.pos = end
	if !s.rows {
		return &RowError{Raw: raw, Err: why}
	}
	if c, err := s.peek(); err != nil {
		return err
	} else if c != ',' && c != ']' {
		return fmt.Errorf("at offset %d: %w", at, why)
	}
	return &RowError{Raw: raw, Err: why}
}

// value reads any value at pos: a name, a member that is no row.
func (s *Splitter) value() ([]byte, error) {
	for {
		sc := scanner{b: s.b, final: s.in == io.EOF}
		end := sc.skip(s.pos)
		if end >= 0 {
			raw := s.b[s.pos:end:end]
			s.pos = end
			return raw, nil
		}
		if sc.err != errShort {
			return nil, s.where(&sc)
		}
		if err := s.more(); err != nil {
			return nil, err
		}
	}
}

func (s *Splitter) where(sc *scanner) error {
	if e, ok := sc.err.(*syntaxError); ok {
		return &syntaxError{off: int(s.off) + e.off, got: e.got, want: e.want}
	}
	return fmt.Errorf("at offset %d: %w", s.off+int64(s.pos), sc.err)
}

// peek gives the next byte that is no white space; it stays unread.
func (s *Splitter) peek() (byte, error) {
	for {
		if s.pos = space(s.b, s.pos); s.pos < len(s.b) {
			return s.b[s.pos], nil
		}
		if err := s.more(); err != nil {
			return 0, err
		}
	}
}

func (s *Splitter) unexpected(want string) error {
	return &syntaxError{off: int(s.off) + s.pos, got: s.b[s.pos], want: want}
}

func (s *Splitter) tooLong() error {
	return fmt.Errorf("row at offset %d is longer than %d bytes", s.off+int64(s.pos), s.o.MaxRow)
}

// more reads at least as many bytes as the unfinished value has, so that reading it again stays linear.
func (s *Splitter) more() error {
	part := len(s.b) - s.pos
	if part > s.o.MaxRow {
		return s.tooLong()
	}
	if s.in != nil {
		if s.in == io.EOF {
			return fmt.Errorf("at offset %d: %w", s.off+int64(len(s.b)), io.ErrUnexpectedEOF)
		}
		return s.in
	}
	fresh := make([]byte, part, max(s.size, 2*part+64))
	copy(fresh, s.b[s.pos:])
	s.off += int64(s.pos)
	s.b, s.pos = fresh, 0
	s.size = min(max(2*s.size, firstRead), laterRead)
	room := s.b[len(s.b):cap(s.b)]
	if left := s.o.MaxBytes - s.off - int64(len(s.b)); int64(len(room)) > left {
		room = room[:left+1]
	}
	n, err := io.ReadFull(s.r, room)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	s.b, s.in = s.b[:len(s.b)+n], err
	if s.off+int64(len(s.b)) > s.o.MaxBytes {
		return fmt.Errorf("the input is longer than %d bytes", s.o.MaxBytes)
	}
	return nil
}
