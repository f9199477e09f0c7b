package salesforce

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// simQuery is a SOQL query.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm
type simQuery struct {
	text    string
	fields  []string // "COUNT()" alone for a count
	from    string
	where   *simCond
	orders  []simOrder
	limit   int // -1 = none
	offset  int
	deleted bool // what lies in the recycle bin too
}

// simCond is a condition: of several parts joined by op and, or, not; or of one field.
type simCond struct {
	op     string // = != < <= > >= in, not in, like; and, or, not
	parts  []*simCond
	field  string
	values []simValue
}

// simValue is a literal: a string, an int64 or float64, a bool, a time.Time, or nil.
type simValue any

type simOrder struct {
	field string
	desc  bool
}

// simFault is an error of the API.
type simFault struct {
	status        int
	code, message string
}

func (f *simFault) Error() string { return f.code + ": " + f.message }

func simBad(code, format string, args ...any) *simFault {
	return &simFault{400, code, fmt.Sprintf(format, args...)}
}

// simToken is the token that a text begins with; "" = none does.
func simToken(text string) string {
	run := func(from int, more string) int {
		n := from
		for n < len(text) && (text[n] >= '0' && text[n] <= '9' || text[n]|32 >= 'a' && text[n]|32 <= 'z' ||
			strings.IndexByte(more, text[n]) >= 0) {
			n++
		}
		return n
	}
	switch c := text[0]; {
	case c == '\'':
		for n := 1; n < len(text); n++ {
			if text[n] == '\\' {
				n++
			} else if text[n] == '\'' {
				return text[:n+1]
			}
		}
		return ""
	case c >= '0' && c <= '9' || c == '-' || c == '+': // a number or a time
		return text[:run(1, "-:+.")]
	case c|32 >= 'a' && c|32 <= 'z' || c == '_':
		return text[:run(1, "_.")]
	case len(text) > 1 && slices.Contains([]string{"<=", ">=", "!=", "<>"}, text[:2]):
		return text[:2]
	case strings.IndexByte("=<>(), \t\r\n", c) >= 0:
		return text[:1]
	}
	return ""
}

// simParser reads a query token by token. The first fault stays.
type simParser struct {
	text   string
	tokens []string
	at     []int // where they stand
	n      int
	fault  *simFault
}

// simParse reads a query.
func simParse(text string) (*simQuery, *simFault) {
	p := &simParser{text: text}
	for i := 0; i < len(text); {
		t := simToken(text[i:])
		if t == "" {
			return nil, p.wrong(i, "unexpected char: '"+text[i:i+1]+"'")
		}
		if strings.TrimSpace(t) != "" {
			p.tokens, p.at = append(p.tokens, t), append(p.at, i)
		}
		i += len(t)
	}
	q := p.query()
	if p.fault == nil && p.n < len(p.tokens) {
		p.unexpected()
	}
	return q, p.fault
}

func (p *simParser) wrong(at int, what string) *simFault {
	return simBad("MALFORMED_QUERY", "\n%s\n^\nERROR at Row:1:Column:%d\n%s", p.text[max(0, at-20):min(len(p.text), at+20)], at+1, what)
}

func (p *simParser) unexpected() {
	if p.fault == nil && p.n >= len(p.tokens) {
		p.fault = p.wrong(len(p.text), "unexpected token: '<EOF>'")
	} else if p.fault == nil {
		p.fault = p.wrong(p.at[p.n], "unexpected token: '"+p.tokens[p.n]+"'")
	}
}

// is takes the next tokens if they are these.
func (p *simParser) is(words ...string) bool {
	for i, w := range words {
		if p.n+i >= len(p.tokens) || !strings.EqualFold(p.tokens[p.n+i], w) {
			return false
		}
	}
	p.n += len(words)
	return true
}

func (p *simParser) must(words ...string) {
	if !p.is(words...) {
		p.unexpected()
	}
}

// next takes a token.
func (p *simParser) next() string {
	if p.fault != nil || p.n >= len(p.tokens) {
		p.unexpected()
		return ""
	}
	p.n++
	return p.tokens[p.n-1]
}

// name takes a name.
func (p *simParser) name() string {
	t := p.next()
	if p.fault == nil && (!(t[0] >= 'A' && t[0] <= 'Z' || t[0] >= 'a' && t[0] <= 'z' || t[0] == '_') ||
		slices.Contains(strings.Fields("select from where and or not in like order by limit offset"), strings.ToLower(t))) {
		p.n--
		p.unexpected()
	}
	return t
}

// list takes what is separated by commas.
func (p *simParser) list(each func()) {
	for each(); p.fault == nil && p.is(","); {
		each()
	}
}

func (p *simParser) number() int {
	n, err := strconv.Atoi(p.next())
	if err != nil || n < 0 {
		p.n--
		p.unexpected()
	}
	return n
}

func (p *simParser) query() *simQuery {
	q := &simQuery{text: p.text, limit: -1}
	p.must("SELECT")
	if p.is("COUNT", "(", ")") {
		q.fields = []string{"COUNT()"}
	} else {
		p.list(func() { q.fields = append(q.fields, p.name()) })
	}
	p.must("FROM")
	q.from = p.name()
	if p.is("WHERE") {
		q.where = p.cond()
	}
	if p.is("ORDER", "BY") {
		p.list(func() {
			o := simOrder{field: p.name(), desc: p.is("DESC")}
			if !o.desc {
				p.is("ASC")
			}
			if p.is("NULLS") && !p.is("FIRST") {
				p.must("LAST")
			}
			q.orders = append(q.orders, o)
		})
	}
	if p.is("LIMIT") {
		q.limit = p.number()
	}
	if p.is("OFFSET") {
		if q.offset = p.number(); q.offset > 2000 && p.fault == nil {
			p.fault = simBad("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
		}
	}
	return q
}

// cond takes conditions joined by one and the same word: others need parentheses.
func (p *simParser) cond() *simCond {
	c := p.simple()
	for _, word := range []string{"AND", "OR"} {
		if p.fault != nil || !p.is(word) {
			continue
		}
		c = &simCond{op: strings.ToLower(word), parts: []*simCond{c, p.simple()}}
		for p.fault == nil && p.is(word) {
			c.parts = append(c.parts, p.simple())
		}
		break
	}
	return c
}

func (p *simParser) simple() *simCond {
	if p.is("NOT") {
		return &simCond{op: "not", parts: []*simCond{p.simple()}}
	}
	if p.is("(") {
		c := p.cond()
		p.must(")")
		return c
	}
	c := &simCond{field: p.name()}
	switch t := p.next(); strings.ToLower(t) {
	case "=", "!=", "<", "<=", ">", ">=", "like":
		c.op, c.values = strings.ToLower(t), []simValue{p.value()}
		return c
	case "<>":
		c.op, c.values = "!=", []simValue{p.value()}
		return c
	case "in":
		c.op = "in"
	case "not":
		p.must("IN")
		c.op = "not in"
	default:
		p.n--
		p.unexpected()
	}
	p.must("(")
	p.list(func() { c.values = append(c.values, p.value()) })
	p.must(")")
	return c
}

// value takes a literal.
func (p *simParser) value() simValue {
	t := p.next()
	switch low := strings.ToLower(t); {
	case p.fault != nil:
		return nil
	case t[0] == '\'':
		return regexp.MustCompile(`\\(.)`).ReplaceAllString(t[1:len(t)-1], "$1")
	case low == "true", low == "false":
		return low == "true"
	case low == "null":
		return nil
	case len(t) > 10 && t[4] == '-':
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
			if at, err := time.Parse(layout, t); err == nil {
				return at
			}
		}
	case len(t) == 10 && t[4] == '-':
		if at, err := time.Parse(time.DateOnly, t); err == nil {
			return at
		}
	}
	if n, err := strconv.ParseInt(t, 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(t, 64); err == nil && (t[0] < 'A') {
		return f
	}
	p.n--
	p.unexpected()
	return nil
}
