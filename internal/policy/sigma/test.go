package sigma

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// test compares a value, as text, with one of a rule.
type test interface{ is(s string) bool }

type (
	either     []test
	expression struct{ re *regexp.Regexp }
	network    struct{ netip.Prefix }
	number     struct {
		op   string // "" = equal
		f    float64
		text string
	}
)

func (e either) is(s string) bool {
	for _, t := range e {
		if t.is(s) {
			return true
		}
	}
	return false
}

func (e expression) is(s string) bool { return e.re.MatchString(s) }

func (n network) is(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && n.Contains(a.Unmap().WithZone(""))
}

func (n number) is(s string) bool {
	if n.op == "" && s == n.text {
		return true
	}
	if s == "" || len(s) > 40 || s[0] > '9' {
		return false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return false
	}
	switch n.op {
	case "lt":
		return f < n.f
	case "lte":
		return f <= n.f
	case "gt":
		return f > n.f
	case "gte":
		return f >= n.f
	}
	return f == n.f && len(s) < 16 // longer ones are equal as floats before they are equal
}

// pattern is text with wildcards: parts that follow each other, with anything between them.
type pattern struct {
	parts []part
	cased bool
	plain bool // no wildcard at all
}

// part is text without *; holes, its runes with -1 for every ?, is nil when there is none.
type part struct {
	text  string
	holes []rune
}

// newPattern compiles a value for equality or one of contains, startswith and endswith. Literal: * and ? are characters.
func newPattern(v, op string, cased, literal bool) *pattern {
	p := &pattern{cased: cased}
	if !cased {
		v = strings.ToLower(v)
	}
	runes, star := []rune{}, false
	end := func() { p.parts = append(p.parts, newPart(runes)); runes = nil }
	if op == "contains" || op == "endswith" {
		end()
	}
	for i := 0; i < len(v); {
		c, n := utf8.DecodeRuneInString(v[i:])
		switch i += n; {
		case literal:
		case c == '\\' && i < len(v) && strings.IndexByte(`*?\`, v[i]) >= 0:
			c = rune(v[i])
			i++
		case c == '?':
			c = -1
		case c == '*':
			end()
			star = true
			continue
		}
		runes = append(runes, c)
	}
	end()
	if op == "contains" || op == "startswith" {
		end()
	}
	p.plain = op == "" && !star && p.parts[0].holes == nil
	return p
}

func newPart(runes []rune) part {
	for _, c := range runes {
		if c < 0 {
			return part{holes: runes}
		}
	}
	return part{text: string(runes)}
}

func (p *pattern) is(s string) bool {
	first, last := p.parts[0], p.parts[len(p.parts)-1]
	if p.plain && !p.cased && len(s) != len(first.text) && len(s) < 2*len(first.text) && ascii(s) {
		return false
	}
	if !p.cased {
		s = strings.ToLower(s)
	}
	if p.plain {
		return s == first.text
	}
	n := first.at(s)
	if len(p.parts) == 1 {
		return n == len(s)
	}
	if n < 0 {
		return false
	}
	s = s[n:]
	for _, m := range p.parts[1 : len(p.parts)-1] {
		if s, n = m.after(s); n < 0 {
			return false
		}
	}
	return last.ends(s)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// at says how many bytes of the start of s the part takes; -1 when it does not stand there.
func (p part) at(s string) int {
	if p.holes == nil {
		if strings.HasPrefix(s, p.text) {
			return len(p.text)
		}
		return -1
	}
	i := 0
	for _, want := range p.holes {
		c, n := utf8.DecodeRuneInString(s[i:])
		if n == 0 || want >= 0 && c != want {
			return -1
		}
		i += n
	}
	return i
}

// after gives what follows the part where it stands first; n < 0 when it is nowhere.
func (p part) after(s string) (rest string, n int) {
	if p.holes == nil {
		i := strings.Index(s, p.text)
		if i < 0 {
			return "", -1
		}
		return s[i+len(p.text):], 0
	}
	for {
		if i := p.at(s); i >= 0 {
			return s[i:], 0
		}
		if s == "" {
			return "", -1
		}
		_, n := utf8.DecodeRuneInString(s)
		s = s[n:]
	}
}

func (p part) ends(s string) bool {
	if p.holes == nil {
		return strings.HasSuffix(s, p.text)
	}
	i := len(s)
	for range p.holes {
		_, n := utf8.DecodeLastRuneInString(s[:i])
		if n == 0 {
			return false
		}
		i -= n
	}
	return p.at(s[i:]) >= 0
}
