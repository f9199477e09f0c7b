package redact

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxInner bounds JSON in strings of JSON.
const maxInner = 8

// Any masks the values in a text, which may be a JSON object or list.
func (s *Values) Any(b []byte) []byte {
	if s.Empty() {
		return b
	}
	if isJSON(b) {
		return s.json(b, 0)
	}
	return s.Text(b)
}

// Name masks the values in the name of a field. Those of letters alone are words there, and stay; but not in what is no name by its
// characters.
func (s *Values) Name(b []byte) []byte { return s.named(s.Text, b) }

func (s *Values) named(mask func([]byte) []byte, b []byte) []byte {
	s.name = !bytes.ContainsFunc(b, func(c rune) bool { return !inWord(c) && !strings.ContainsRune("_-.@$", c) })
	b = mask(b)
	s.name = false
	return b
}

// Number masks a number: it gives what stands for it, if a value is in it.
func (s *Values) Number(b []byte) (label string, ok bool) {
	s.views[0] = view{b: b}
	at := s.places(0)
	if len(at) == 0 {
		return "", false
	}
	s.count(at[0].v)
	return at[0].v.label, true
}

func isJSON(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	return len(b) > 1 && (b[0] == '{' || b[0] == '[') && json.Valid(b)
}

// json masks the values in a valid JSON object or list: in the names of its members too, which stay different.
func (s *Values) json(b []byte, depth int) []byte {
	var dst []byte
	var open []map[string]int // of each open object, how often a name came of masking
	done := 0
	put := func(from, to int, text []byte) {
		dst = append(append(dst, b[done:from]...), text...)
		done = to
	}
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c == '"':
			end := closing(b, i+1)
			in := b[i+1 : end]
			if isName(b[end+1:]) {
				if out := s.named(s.inside, in); !same(in, out) {
					put(i+1, end, distinct(&open[len(open)-1], out))
				}
			} else if out := s.str(in, depth); !same(in, out) {
				put(i+1, end, out)
			}
			i = end + 1
		case c == '{' || c == '[':
			open = append(open, nil)
			i++
		case c == '}' || c == ']':
			open = open[:len(open)-1]
			i++
		case c == '-' || c >= '0' && c <= '9':
			start := i
			for i++; i < len(b) && (b[i] >= '0' && b[i] <= '9' || bytes.IndexByte([]byte(".eE+-"), b[i]) >= 0); i++ {
			}
			if label, ok := s.Number(b[start:i]); ok {
				put(start, i, strconv.AppendQuote(nil, label))
			}
		default:
			i++
		}
	}
	if dst == nil {
		return b
	}
	return append(dst, b[done:]...)
}

// closing is the end of the string whose inside begins at i.
func closing(b []byte, i int) int {
	for i < len(b) && b[i] != '"' {
		if b[i] == '\\' {
			i++
		}
		i++
	}
	return min(i, len(b))
}

// isName says whether a colon follows.
func isName(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	return len(b) > 0 && b[0] == ':'
}

// str masks the values in the inside of a string. What is JSON itself stays JSON.
func (s *Values) str(in []byte, depth int) []byte {
	if len(in) > 1 && (in[0] == '{' || in[0] == '[') && depth < maxInner && utf8.Valid(in) {
		var text string
		if json.Unmarshal(append(append([]byte{'"'}, in...), '"'), &text) == nil && isJSON([]byte(text)) {
			inner := []byte(text)
			if out := s.json(inner, depth+1); !same(inner, out) {
				in = quoted(out)
			}
		}
	}
	return s.inside(in) // to a scanner what is in it is a text, and a value may go from member to member
}

// quoted is the inside of a JSON string for a text.
func quoted(text []byte) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(string(text)) // a string always has a form
	return b.Bytes()[1 : b.Len()-2]
}

// distinct is a name that no other masked one of the object has.
func distinct(seen *map[string]int, name []byte) []byte {
	if *seen == nil {
		*seen = map[string]int{}
	}
	(*seen)[string(name)]++
	if n := (*seen)[string(name)]; n > 1 {
		return strconv.AppendInt(append(name[:len(name):len(name)], '#'), int64(n), 10)
	}
	return name
}

func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
