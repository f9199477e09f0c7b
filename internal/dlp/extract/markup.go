package extract

import (
	"bytes"
	"errors"
	"html"
	"io"
	"strconv"
	"unicode/utf8"
)

// token is what stands next in XML.
type token int

const (
	tokenNone token = iota // nothing that matters
	tokenEnd
	tokenText  // m.text
	tokenOpen  // m.name, m.attrs, m.empty
	tokenClose // m.name
)

// attr is an attribute. Its value is still escaped.
type attr struct{ name, value []byte }

// markup splits XML into tokens. It expands no entities but the five of XML and numbers, reads nothing else, and demands
// nothing of the order of what it finds. What a token gives is valid until the next one.
type markup struct {
	d     *decoder
	b     []byte // of which b[i:] is not read yet
	i     int
	end   bool
	line  int // that b[i] stands in
	began int // the line that the token begins in
	text  []byte
	name  []byte
	attrs []attr
	empty bool // <name/>
	plain []byte
	left  []byte // what ends the text that is being read as it stands: a comment, a section
}

const (
	maxTag    = 1 << 20
	maxEntity = 12 // of which the value is known: &#x10FFFF;
)

func newMarkup(d *decoder) *markup { return &markup{d: d, line: 1, began: 1} }

// more reads on; false at the end.
func (m *markup) more() (bool, error) {
	if m.end {
		return false, nil
	}
	b, err := m.d.next()
	if errors.Is(err, io.EOF) {
		m.end = true
		return false, nil
	}
	if err != nil {
		return false, err
	}
	m.b = append(m.b[:copy(m.b, m.b[m.i:])], b...)
	m.i = 0
	return true, nil
}

// skip passes n bytes.
func (m *markup) skip(n int) {
	m.line += bytes.Count(m.b[m.i:m.i+n], newline)
	m.i += n
}

// next gives the next token.
func (m *markup) next() (token, error) {
	for {
		t, err := m.step()
		if t != tokenNone || err != nil {
			return t, err
		}
	}
}

func (m *markup) step() (token, error) {
	m.began = m.line
	switch {
	case m.left != nil:
		return m.verbatim()
	case m.i == len(m.b):
		ok, err := m.more()
		if !ok && err == nil {
			return tokenEnd, nil
		}
		return tokenNone, err
	case m.b[m.i] != '<':
		return m.words()
	}
	for len(m.b)-m.i < len(cdata) && !m.end {
		if _, err := m.more(); err != nil {
			return tokenNone, err
		}
	}
	return m.tag()
}

// words is text up to a tag, or as much of it as is there.
func (m *markup) words() (token, error) {
	b := m.b[m.i:]
	n := bytes.IndexByte(b, '<')
	if n < 0 {
		n = len(b)
		if at := bytes.LastIndexByte(b, '&'); at >= 0 && n-at < maxEntity && !m.end && bytes.IndexByte(b[at:], ';') < 0 {
			if n = at; n == 0 {
				_, err := m.more()
				return tokenNone, err
			}
		}
	}
	m.text = m.unescape(b[:n])
	m.skip(n)
	return tokenText, nil
}

const cdata = "<![CDATA["

// tag passes what begins with <. Only an element is a token.
func (m *markup) tag() (token, error) {
	b := m.b[m.i:]
	switch {
	case bytes.HasPrefix(b, []byte("<!--")):
		m.skip(4)
		m.left = []byte("-->")
	case bytes.HasPrefix(b, []byte(cdata)):
		m.skip(len(cdata))
		m.left = []byte("]]>")
	case len(b) > 1 && b[1] == '?':
		m.skip(2)
		m.left = []byte("?>")
	case len(b) > 1 && b[1] == '!':
		m.skip(2)
		m.left = []byte(">") // what is declared inside is text: nothing is expanded
	case len(b) > 1 && (b[1] == '/' || nameStart(b[1])):
		return m.element()
	default:
		m.text = b[:1]
		m.skip(1)
		return tokenText, nil
	}
	return tokenNone, nil
}

// verbatim is text as it stands, up to what ends it.
func (m *markup) verbatim() (token, error) {
	b := m.b[m.i:]
	n := bytes.Index(b, m.left)
	stop := n >= 0
	if !stop {
		if n = len(b) - len(m.left) + 1; m.end {
			n, m.left = len(b), nil
		}
	}
	switch {
	case n > 0:
		m.text = b[:n]
		m.skip(n)
		return tokenText, nil
	case stop:
		m.skip(len(m.left))
		m.left = nil
		return tokenNone, nil
	}
	_, err := m.more()
	return tokenNone, err
}

// element reads a tag.
func (m *markup) element() (token, error) {
	n, from, quote := -1, 1, byte(0)
	for n < 0 {
		b := m.b[m.i:]
		if n, from, quote = tagEnd(b, from, quote); n >= 0 {
			break
		}
		if len(b) > maxTag {
			return tokenNone, flawf("damaged, or beyond a limit: a tag of more than %s", bytesText(maxTag))
		}
		if ok, err := m.more(); err != nil {
			return tokenNone, err
		} else if !ok {
			m.skip(len(b))
			return tokenNone, flawf("damaged: it ends inside of a tag")
		}
	}
	b := m.b[m.i+1 : m.i+n]
	defer m.skip(n + 1)
	if b[0] == '/' {
		m.name, _ = word(b[1:])
		return tokenClose, nil
	}
	if m.empty = b[len(b)-1] == '/'; m.empty {
		b = b[:len(b)-1]
	}
	m.name, b = word(b)
	m.attrs = m.attrs[:0]
	for {
		var a attr
		var ok bool
		if a, b, ok = attribute(b); !ok {
			break
		}
		m.attrs = append(m.attrs, a)
	}
	return tokenOpen, nil
}

// tagEnd finds the > that ends a tag, looking on from where it stopped.
func tagEnd(b []byte, i int, quote byte) (end, from int, inside byte) {
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i, i, 0
		}
	}
	return -1, i, quote
}

// word cuts a name off, without the prefix of its namespace.
func word(b []byte) (name, rest []byte) {
	n, from := 0, 0
	for n < len(b) && b[n] > ' ' && b[n] != '=' && b[n] != '/' {
		if b[n] == ':' {
			from = n + 1
		}
		n++
	}
	return b[min(from, n):n], b[n:]
}

// attribute cuts an attribute off.
func attribute(b []byte) (a attr, rest []byte, ok bool) {
	b = bytes.TrimLeft(b, " \t\r\n/")
	if len(b) == 0 {
		return a, nil, false
	}
	was := len(b)
	a.name, b = word(b)
	b = bytes.TrimLeft(b, " \t\r\n")
	if len(b) > 0 && b[0] == '=' {
		b = bytes.TrimLeft(b[1:], " \t\r\n")
		switch {
		case len(b) > 0 && (b[0] == '"' || b[0] == '\''):
			n := bytes.IndexByte(b[1:], b[0])
			if n < 0 {
				return a, nil, false
			}
			a.value, b = b[1:1+n], b[n+2:]
		default:
			n := bytes.IndexAny(b, " \t\r\n")
			if n < 0 {
				n = len(b)
			}
			a.value, b = b[:n], b[n:]
		}
	}
	if len(b) == was {
		b = b[1:]
	}
	return a, b, true
}

// attr is the value of an attribute, or nil.
func (m *markup) attr(name string) []byte {
	for _, a := range m.attrs {
		if string(a.name) == name {
			return m.unescape(a.value)
		}
	}
	return nil
}

// unescape resolves entities: those of XML and HTML that have a name, and numbers. What is none stays.
func (m *markup) unescape(b []byte) []byte {
	i := bytes.IndexByte(b, '&')
	if i < 0 {
		return b
	}
	m.plain = m.plain[:0]
	for ; i >= 0; i = bytes.IndexByte(b, '&') {
		m.plain = append(m.plain, b[:i]...)
		b = b[i:]
		end := bytes.IndexByte(b[:min(len(b), 32)], ';')
		if end < 0 {
			m.plain = append(m.plain, '&')
			b = b[1:]
			continue
		}
		m.plain = appendEntity(m.plain, b[:end+1])
		b = b[end+1:]
	}
	return append(m.plain, b...)
}

// appendEntity appends the character that &name; stands for.
func appendEntity(dst, e []byte) []byte {
	name := string(e[1 : len(e)-1])
	switch name {
	case "amp":
		return append(dst, '&')
	case "lt":
		return append(dst, '<')
	case "gt":
		return append(dst, '>')
	case "quot":
		return append(dst, '"')
	case "apos":
		return append(dst, '\'')
	}
	if len(name) > 1 && name[0] == '#' {
		digits, radix := name[1:], 10
		if digits[0]|0x20 == 'x' {
			digits, radix = digits[1:], 16
		}
		if n, err := strconv.ParseUint(digits, radix, 21); err == nil && utf8.ValidRune(rune(n)) {
			return appendPlain(dst, rune(n))
		}
		return append(dst, e...)
	}
	if r := html.UnescapeString(string(e)); r != string(e) {
		for _, c := range r {
			dst = appendPlain(dst, c)
		}
		return dst
	}
	return append(dst, e...)
}

func nameStart(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= utf8.RuneSelf }
