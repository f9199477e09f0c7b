package store

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"unsafe"

	"github.com/longshore-dev/longshore/internal/event"
)

// The tests of a field. Of a list, one element that passes is enough.
const (
	testAny   = "any"   // the field is there
	testGlob  = "glob"  // first: a pattern, as glob reads it
	testWords = "words" // first: text that occurs in the value
	testTime  = "time"  // from first to before second, nanoseconds since 1970
	testNet   = "net"   // first: a network that holds the address
	// The order of numbers, times or else texts; "" is no bound. The brackets say whether the bounds belong to it.
	testRange = "range"
)

// fieldMatch is the SQL function field_match. Its arguments live only as long as the call.
func fieldMatch(args []driver.Value) (driver.Value, error) {
	doc, ok1 := args[0].(string)
	name, ok2 := args[1].(string)
	test, ok3 := args[2].(string)
	if !ok1 || !ok2 || !ok3 {
		return nil, errors.New("field_match(document, name, test, first, second): the first three are texts")
	}
	m := matcher{test: test}
	m.a, _ = args[3].(string)
	m.b, _ = args[4].(string)
	m.from, _ = args[3].(int64)
	m.to, _ = args[4].(int64)
	raw := unsafe.Slice(unsafe.StringData(doc), len(doc)) // only read
	if m.walk(raw, name) {
		return int64(1), nil
	}
	return int64(0), nil
}

// phraseMatch is the SQL function has_phrase. Its arguments live only as long as the call.
func phraseMatch(args []driver.Value) (driver.Value, error) {
	doc, ok1 := args[0].(string)
	text, ok2 := args[1].(string)
	prefix, ok3 := args[2].(int64)
	if !ok1 || !ok2 || !ok3 {
		return nil, errors.New("has_phrase(document, words, prefix): two texts and a number")
	}
	raw := unsafe.Slice(unsafe.StringData(doc), len(doc)) // only read
	if hasPhrase(raw, strings.Fields(text), prefix != 0, true) {
		return int64(1), nil
	}
	return int64(0), nil
}

// matcher is one test.
type matcher struct {
	test     string
	a, b     string
	from, to int64
}

// walk follows a name through objects and lists. Names of members may hold dots, and compare in any case.
func (m *matcher) walk(raw json.RawMessage, name string) bool {
	switch {
	case len(raw) == 0:
		return false
	case raw[0] == '[':
		for e := range event.Elems(raw) {
			if m.walk(bytes.TrimSpace(e), name) {
				return true
			}
		}
		return false
	case name == "":
		return m.value(raw)
	case raw[0] != '{':
		return false
	}
	for key, val := range event.Members(raw) {
		if len(name) < len(key) || !strings.EqualFold(name[:len(key)], key) {
			continue
		}
		rest := name[len(key):]
		if rest == "" || rest[0] == '.' {
			if m.walk(bytes.TrimSpace(val), strings.TrimPrefix(rest, ".")) {
				return true
			}
		}
	}
	return false
}

// value tests what stands at the end of the name.
func (m *matcher) value(raw json.RawMessage) bool {
	if m.test == testAny || raw[0] == '{' || raw[0] == 'n' {
		return m.test == testAny && raw[0] != 'n'
	}
	val := scalar(raw)
	switch m.test {
	case testGlob:
		return glob(m.a, val)
	case testWords:
		return strings.Contains(lower(val), lower(m.a))
	case testTime:
		t, ok := event.ParseTime(val)
		return ok && t.UnixNano() >= m.from && t.UnixNano() < m.to
	case testNet:
		return within(m.a, val)
	}
	return m.between(val)
}

// scalar is a string, number or boolean of a document as text.
func scalar(raw json.RawMessage) string {
	if raw[0] != '"' {
		return string(raw)
	}
	if in := raw[1 : len(raw)-1]; bytes.IndexByte(in, '\\') < 0 {
		return string(in)
	}
	var s string
	if json.Unmarshal(raw, &s) != nil { // documents are valid JSON
		return ""
	}
	return s
}

func within(network, address string) bool {
	n, err := netip.ParsePrefix(network)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(address)
	return err == nil && n.Contains(a.Unmap().WithZone(""))
}

// between tests bounds: testRange and the two brackets.
func (m *matcher) between(val string) bool {
	brackets, ok := strings.CutPrefix(m.test, testRange)
	if !ok || len(brackets) != 2 {
		return false
	}
	if m.a != "" {
		if c, ok := order(val, m.a); !ok || c < 0 || c == 0 && brackets[0] == '(' {
			return false
		}
	}
	if m.b != "" {
		if c, ok := order(val, m.b); !ok || c > 0 || c == 0 && brackets[1] == ')' {
			return false
		}
	}
	return true
}

// order compares a value with a bound: as numbers when the bound is one, as times when it is one, else as texts.
func order(val, bound string) (int, bool) {
	if b, err := strconv.ParseFloat(bound, 64); err == nil {
		v, err := strconv.ParseFloat(val, 64)
		switch {
		case err != nil || v != v || b != b:
			return 0, false
		case v < b:
			return -1, true
		case v > b:
			return 1, true
		}
		return 0, true
	}
	if b, ok := event.ParseTime(bound); ok {
		v, ok := event.ParseTime(val)
		return v.Compare(b), ok
	}
	return strings.Compare(lower(val), lower(bound)), true
}

// glob tells whether s, without regard to ASCII case, is what the pattern says: * is any text, \ takes the next byte as it
// is.
func glob(pattern, s string) bool {
	p, i := 0, 0
	star, back := -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			p++
			star, back = p, i
			continue
		case p < len(pattern):
			q := p
			if pattern[q] == '\\' && q+1 < len(pattern) {
				q++
			}
			if lowerByte(pattern[q]) == lowerByte(s[i]) {
				p, i = q+1, i+1
				continue
			}
		}
		if star < 0 {
			return false
		}
		back++
		p, i = star, back
	}
	return strings.Trim(pattern[p:], "*") == ""
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// lower is s with ASCII letters in lower case, as the columns of the tables compare.
func lower(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				b[i] = lowerByte(b[i])
			}
			return string(b)
		}
	}
	return s
}
