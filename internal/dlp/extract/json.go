package extract

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// readJSON reads a JSON document, or lines of them. What is small enough is handed on whole, the rest by its values.
func (x *run) readJSON(r *bufio.Reader, f file, form form) (status, error) {
	return x.gather(f, form, "", r, func(w *flow, d *decoder) error {
		if form.kind == kindLines {
			l := lines{w: w}
			w.at = func(int) string { return "line " + strconv.Itoa(l.n) }
			return l.read(d)
		}
		var doc []byte
		var v *values
		err := each(d, func(b []byte) error {
			if v == nil && len(doc)+len(b) <= x.size {
				doc = append(doc, b...)
				return nil
			}
			if v == nil {
				v = newValues(w)
				if err := v.feed(doc); err != nil {
					return err
				}
			}
			return v.feed(b)
		})
		switch {
		case v != nil && err == nil:
			return v.close()
		case v == nil && len(doc) > 0 && (err == nil || !errors.As(err, new(failure))):
			return errors.Join(w.json(doc), err)
		}
		return err
	})
}

// lines reads a document from each line.
type lines struct {
	w    *flow
	n    int
	line []byte
	v    *values // of a line that is too long to be held
}

func (l *lines) read(d *decoder) error {
	err := each(d, func(b []byte) error {
		for len(b) > 0 {
			line, rest, end := bytes.Cut(b, newline)
			if err := l.add(line); err != nil {
				return err
			}
			if b = rest; end {
				if err := l.end(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil || errors.As(err, new(halt)) || errors.As(err, new(flaw)) {
		err = errors.Join(l.end(), err)
	}
	return err
}

func (l *lines) add(b []byte) error {
	if l.v == nil && len(l.line)+len(b) > l.w.x.size {
		l.n++
		l.v = newValues(l.w)
		l.v.lead = "line " + strconv.Itoa(l.n)
		if err := l.v.feed(l.line); err != nil {
			return err
		}
		l.line = l.line[:0]
	}
	if l.v != nil {
		return l.v.feed(b)
	}
	l.line = append(l.line, b...)
	return nil
}

func (l *lines) end() error {
	at := l.w.at
	defer func() { l.line, l.v, l.w.at = l.line[:0], nil, at }()
	if l.v != nil {
		return l.v.close()
	}
	l.n++
	line := bytes.TrimSpace(l.line)
	switch {
	case len(line) == 0:
		return nil
	case line[0] == '{' && line[len(line)-1] == '}', line[0] == '[' && json.Valid(line):
		return l.w.json(line)
	}
	if err := l.w.write(line); err != nil {
		return err
	}
	return l.w.end()
}

// values reads the values of a JSON document of any size, one after the other. It needs no valid JSON: the strings and
// numbers count.
type values struct {
	w     *flow
	lead  string
	stack []member
	depth int
	state byte   // of what b is read: '"' a string, '\\' an escape, 'u' its digits, '0' a number, ' ' nothing, ':' maybe a name
	text  []byte // the string, as long as it may be a name
	long  bool   // it is none: it goes on
	digit []byte // of an escape
	half  rune   // of a pair of surrogates
}

// member is an open object or list.
type member struct {
	list  bool
	name  string
	index int
}

const (
	maxMembers = 64      // levels whose names are known
	maxKey     = 4 << 10 // a string that is longer is no name
)

func newValues(w *flow) *values {
	v := &values{w: w, state: ' '}
	w.at = v.where
	return v
}

// feed takes the next bytes.
func (v *values) feed(b []byte) error {
	for i := 0; i < len(b); {
		var err error
		switch v.state {
		case '"':
			n := bytes.IndexAny(b[i:], `"\`)
			if n < 0 {
				n = len(b) - i
			}
			if err = v.add(b[i : i+n]); err != nil {
				return err
			}
			if i += n; i < len(b) {
				if v.state = '\\'; b[i] == '"' {
					v.state = ':'
				}
				i++
			}
		case '\\':
			err = v.escape(b[i])
			i++
		case 'u':
			v.digit = append(v.digit, b[i])
			i++
			if len(v.digit) == 4 {
				err = v.unicode()
			}
		case '0':
			if numeric(b[i]) {
				err = v.add(b[i : i+1])
				i++
				break
			}
			err = v.leaf(true)
		case ':':
			i, err = v.named(b, i)
		default:
			v.structure(b[i])
			i++
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func numeric(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c|0x20 == 'e' || c == '-' || c == '+'
}

// structure takes a character between the values.
func (v *values) structure(c byte) {
	switch c {
	case '"':
		v.state, v.text, v.long, v.half = '"', v.text[:0], false, 0
	case '{', '[':
		if v.depth++; v.depth <= maxMembers {
			v.stack = append(v.stack[:v.depth-1], member{list: c == '['})
		}
	case '}', ']':
		v.depth = max(0, v.depth-1)
	case ',':
		if v.depth > 0 && v.depth <= maxMembers {
			v.stack[v.depth-1].index++
		}
	default:
		if c == '-' || c >= '0' && c <= '9' {
			v.state, v.text, v.long = '0', append(v.text[:0], c), false
		}
	}
}

// named tells whether the string before is a name: a colon follows.
func (v *values) named(b []byte, i int) (int, error) {
	switch c := b[i]; {
	case c == ' ' || c == '\n' || c == '\r' || c == '\t':
		return i + 1, nil
	case c == ':' && !v.long:
		if v.depth > 0 && v.depth <= maxMembers {
			v.stack[v.depth-1].name = string(v.text)
		}
		if bytes.ContainsAny(v.text, "0123456789@") || len(v.text) >= 20 {
			return i + 1, v.leaf(false)
		}
		v.state = ' '
		return i + 1, nil
	}
	return i, v.leaf(false)
}

// add adds to a string. One that is too long for a name is written as it comes.
func (v *values) add(b []byte) error {
	if !v.long && len(v.text)+len(b) <= maxKey {
		v.text = append(v.text, b...)
		return nil
	}
	if !v.long {
		v.long = true
		v.w.mark(v.field(), false, 0)
		if err := v.w.write(v.text); err != nil {
			return err
		}
		v.text = v.text[:0]
	}
	return v.w.write(b)
}

// leaf ends a string or a number.
func (v *values) leaf(number bool) error {
	v.state = ' '
	if !v.long {
		v.w.mark(v.field(), number, 0)
		if err := v.w.write(v.text); err != nil {
			return err
		}
	}
	v.long = false
	return v.w.end()
}

func (v *values) close() error {
	switch v.state {
	case '"', '\\', 'u', ':':
		return v.leaf(false)
	case '0':
		return v.leaf(true)
	}
	return nil
}

func (v *values) escape(c byte) error {
	v.state = '"'
	if n := strings.IndexByte("nrtbf", c); n >= 0 {
		return v.add([]byte{"\n\r\t\b\f"[n]})
	}
	if c == 'u' {
		v.state, v.digit = 'u', v.digit[:0]
		return nil
	}
	return v.add([]byte{c})
}

func (v *values) unicode() error {
	v.state = '"'
	n, err := strconv.ParseUint(string(v.digit), 16, 32)
	if err != nil {
		return v.add(append([]byte(`\u`), v.digit...))
	}
	r := rune(n)
	if v.half != 0 {
		r, v.half = utf16.DecodeRune(v.half, r), 0
	} else if utf16.IsSurrogate(r) {
		v.half = r
		return nil
	}
	return v.add(utf8.AppendRune(nil, r))
}

// field is the name of the member, after that of the one around it.
func (v *values) field() string {
	name, n := "", 0
	for d := min(v.depth, len(v.stack)) - 1; d >= 0 && n < 2; d-- {
		if m := &v.stack[d]; !m.list {
			if n++; n == 2 && m.name != "" {
				return m.name + "." + name
			}
			name = m.name
		}
	}
	return name
}

// where is the path.
func (v *values) where(int) string {
	var p []byte
	for _, m := range v.stack[:min(v.depth, len(v.stack))] {
		switch {
		case m.list:
			p = append(strconv.AppendInt(append(p, '['), int64(m.index), 10), ']')
		case len(p) > 0:
			p = append(append(p, '.'), m.name...)
		default:
			p = append(p, m.name...)
		}
		if len(p) > 256 {
			break
		}
	}
	if v.lead != "" {
		return v.lead + ": " + string(p)
	}
	return string(p)
}
