package store

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// SyntaxError says where an expression is wrong.
type SyntaxError struct {
	At     int    // the character, from 1
	Near   string // the word there; "" at the end
	Reason string
}

// Error names position, word and reason.
func (e *SyntaxError) Error() string {
	if e.Near == "" {
		return fmt.Sprintf("at character %d, the end: %s", e.At, e.Reason)
	}
	return fmt.Sprintf("at character %d, near %q: %s", e.At, e.Near, e.Reason)
}

// The bounds of an expression.
const (
	maxExpression = 16 << 10
	maxTerms      = 256
	maxNesting    = 64
)

// node is a part of an expression.
type node struct {
	op   string // "and", "or", "not", "all", or "" for a term
	kids []node
	term term
}

// term is one condition as it is written.
type term struct {
	at      int // offset in the expression
	field   string
	compare string // "=", ">=", "<=", ">", "<", "[]"
	val     word
	upper   word // of "[]"
}

// word is a value: quoted or not, the wildcards in it still marked.
type word struct {
	at      int
	pattern string // as glob reads it
	quoted  bool
	wild    bool // it has a wildcard
}

// text is the value without marks.
func (w word) text() string {
	if strings.IndexByte(w.pattern, '\\') < 0 {
		return w.pattern
	}
	var b strings.Builder
	for i := 0; i < len(w.pattern); i++ {
		if w.pattern[i] == '\\' && i+1 < len(w.pattern) {
			i++
		}
		b.WriteByte(w.pattern[i])
	}
	return b.String()
}

// parser reads an expression once, left to right.
type parser struct {
	in    string
	i     int
	terms int
	depth int
}

// bail carries a SyntaxError out of the parser.
type bail struct{ err *SyntaxError }

// caught ends what fail began.
func caught(err *error) {
	if r := recover(); r != nil {
		b, ok := r.(bail)
		if !ok {
			panic(r)
		}
		*err = b.err
	}
}

// fail ends reading with an error at an offset.
func (p *parser) fail(at int, format string, args ...any) {
	near := strings.TrimLeft(p.in[at:], " \t\r\n")
	if end := strings.IndexAny(near, " \t\r\n()"); end > 0 {
		near = near[:end]
	} else if end == 0 {
		near = near[:1]
	}
	if len(near) > 40 {
		near = strings.ToValidUTF8(near[:40], "") + "…"
	}
	panic(bail{&SyntaxError{At: utf8.RuneCountInString(p.in[:at]) + 1, Near: near, Reason: fmt.Sprintf(format, args...)}})
}

// parse reads the whole expression; an empty one is everything.
func parse(in string) (n node, err error) {
	p := &parser{in: in}
	defer caught(&err)
	switch {
	case len(in) > maxExpression:
		return n, fmt.Errorf("the expression has %d bytes, at most %d are read", len(in), maxExpression)
	case !utf8.ValidString(in) || strings.IndexByte(in, 0) >= 0:
		return n, fmt.Errorf("the expression %.40q… is no UTF-8 text", in)
	}
	if p.space(); p.i == len(p.in) {
		return node{op: "all"}, nil
	}
	n = p.or("")
	if p.i < len(p.in) {
		p.fail(p.i, "nothing to close here")
	}
	return n, nil
}

func (p *parser) space() {
	for p.i < len(p.in) && strings.IndexByte(" \t\r\n", p.in[p.i]) >= 0 {
		p.i++
	}
}

// keyword takes one of the words, in any case, when it stands alone.
func (p *parser) keyword(word string) bool {
	end := p.i + len(word)
	if end > len(p.in) || !strings.EqualFold(p.in[p.i:end], word) {
		return false
	}
	if end < len(p.in) && strings.IndexByte(" \t\r\n()", p.in[end]) < 0 {
		return false
	}
	p.i = end
	p.space()
	return true
}

// or reads alternatives; field is that of a group of values.
func (p *parser) or(field string) node {
	kids := []node{p.and(field)}
	for p.keyword("or") {
		kids = append(kids, p.and(field))
	}
	return join("or", kids)
}

// and reads what must all hold; the word AND may be left out.
func (p *parser) and(field string) node {
	kids := []node{p.not(field)}
	for {
		start := p.i
		if p.keyword("or") || p.i == len(p.in) || p.in[p.i] == ')' {
			p.i = start
			return join("and", kids)
		}
		p.keyword("and")
		kids = append(kids, p.not(field))
	}
}

func join(op string, kids []node) node {
	if len(kids) == 1 {
		return kids[0]
	}
	return node{op: op, kids: kids}
}

func (p *parser) not(field string) node {
	if p.depth++; p.depth > maxNesting {
		p.fail(p.i, "more than %d levels", maxNesting)
	}
	defer func() { p.depth-- }()
	if p.keyword("not") {
		return node{op: "not", kids: []node{p.not(field)}}
	}
	return p.primary(field)
}

func (p *parser) primary(field string) node {
	start := p.i
	switch {
	case p.i == len(p.in):
		p.fail(p.i, "a condition is missing")
	case p.keyword("and"), p.keyword("or"):
		p.fail(start, "a condition is missing before it; to search for the word, quote it")
	case p.in[p.i] == ')':
		p.fail(start, "a condition is missing before it")
	case p.in[p.i] == '(':
		return p.group(field)
	case field != "":
		return p.value(field, start)
	}
	w := p.word(true)
	if p.i < len(p.in) && p.in[p.i] == ':' {
		if w.quoted || w.wild || w.pattern == "" || strings.Contains(w.pattern, `\`) {
			p.fail(start, "before the colon stands the name of a field")
		}
		p.i++
		p.space()
		return p.value(w.pattern, start)
	}
	if !w.quoted && strings.IndexByte("<>=[]", w.pattern[0]) >= 0 {
		p.fail(start, `a comparison is written field:%s`, w.text())
	}
	p.space()
	if !w.quoted && w.pattern == "*" {
		return node{op: "all"}
	}
	return p.one(term{at: start, compare: "=", val: w})
}

func (p *parser) one(t term) node {
	if p.terms++; p.terms > maxTerms {
		p.fail(t.at, "more than %d conditions", maxTerms)
	}
	return node{term: t}
}

func (p *parser) group(field string) node {
	start := p.i
	p.i++
	p.space()
	n := p.or(field)
	if p.i == len(p.in) {
		p.fail(start, "this parenthesis is never closed")
	}
	p.i++ // or ends only at the end and before ')'
	p.space()
	return n
}

// value reads what stands after field and colon.
func (p *parser) value(field string, start int) node {
	t := term{at: start, field: field, compare: "="}
	switch {
	case p.i == len(p.in):
		p.fail(p.i, "field %q has no value", field)
	case p.in[p.i] == '(':
		return p.group(field)
	case p.in[p.i] == '[':
		p.i++
		p.space()
		t.compare, t.val = "[]", p.bound("TO", field)
		if !p.keyword("to") {
			p.fail(p.i, "a range is written %s:[first TO last]", field)
		}
		t.upper = p.bound("]", field)
		if p.i == len(p.in) || p.in[p.i] != ']' {
			p.fail(p.i, "a range is written %s:[first TO last]", field)
		}
		p.i++
		p.space()
		return p.one(t)
	}
	for _, c := range []string{">=", "<=", ">", "<"} {
		if strings.HasPrefix(p.in[p.i:], c) {
			p.i += len(c)
			p.space()
			t.compare = c
			break
		}
	}
	t.val = p.word(false)
	if t.val.pattern == "" && !t.val.quoted {
		p.fail(p.i, "field %q has no value", field)
	}
	if t.compare != "=" && t.val.wild {
		p.fail(t.val.at, "no wildcard can stand after %s", t.compare)
	}
	p.space()
	return p.one(t)
}

// bound reads one end of a range; * leaves it open.
func (p *parser) bound(before, field string) word {
	w := p.word(false)
	if !w.quoted {
		if end := strings.IndexByte(w.pattern, ']'); end >= 0 {
			p.i = w.at + strings.IndexByte(p.in[w.at:], ']')
			w.pattern = w.pattern[:end]
		}
	}
	switch {
	case w.pattern == "" && !w.quoted:
		p.fail(p.i, "the range of %q has no value before %s", field, before)
	case w.wild && w.pattern != "*":
		p.fail(w.at, "no wildcard can stand in a range")
	}
	p.space()
	return w
}

// word reads a value or, with colon, a name: quoted, or up to a blank or parenthesis.
func (p *parser) word(colon bool) word {
	w := word{at: p.i}
	var b strings.Builder
	if p.i < len(p.in) && p.in[p.i] == '"' {
		w.quoted = true
		for p.i++; ; p.i++ {
			switch {
			case p.i == len(p.in):
				p.fail(w.at, "this quotation mark is never closed")
			case p.in[p.i] == '"':
				p.i++
				w.pattern = b.String()
				return w
			case p.in[p.i] == '\\' && p.i+1 < len(p.in) && strings.IndexByte(`"\`, p.in[p.i+1]) >= 0:
				p.i++
			}
			if strings.IndexByte(`*\`, p.in[p.i]) >= 0 {
				b.WriteByte('\\')
			}
			b.WriteByte(p.in[p.i])
		}
	}
	for ; p.i < len(p.in) && strings.IndexByte(" \t\r\n()", p.in[p.i]) < 0; p.i++ {
		switch c := p.in[p.i]; {
		case colon && c == ':':
			w.pattern = b.String()
			return w
		case c == '"':
			p.fail(p.i, "a quotation mark in the middle of a word; write %s", `\"`)
		case c == '\\' && p.i+1 < len(p.in):
			p.i++
			if strings.IndexByte(`*\`, p.in[p.i]) >= 0 {
				b.WriteByte('\\')
			}
			b.WriteByte(p.in[p.i])
		case c == '\\':
			p.fail(p.i, `nothing stands after \`)
		default:
			w.wild = w.wild || c == '*'
			b.WriteByte(c)
		}
	}
	w.pattern = b.String()
	return w
}
