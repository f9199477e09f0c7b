package event

import (
	"encoding/json"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Values are the wanted values of one object. They point into its bytes and live as long as these.
type Values struct {
	Raw json.RawMessage
	values
}

type values struct {
	l     *Layout
	slots []slot
	nodes []nodeState
	guess []uint16 // for each node a run of edges: which came after the edge before
	turn  uint32   // of the object being read
}

// slot is where a value stands in Raw; end 0 = nowhere.
type slot struct {
	off, end int32
	esc      bool // a string with escapes
}

type nodeState struct {
	seen  uint32 // the turn in which the node was met last
	guess int32  // where its run in guess begins
}

func (v *Values) reset(l *Layout) {
	v.Raw = nil
	if v.l != l {
		v.values = values{l: l, slots: make([]slot, l.slots), nodes: make([]nodeState, l.nodes)}
		v.plan(l.root)
	}
	clear(v.slots)
	if v.turn++; v.turn == 0 {
		for i := range v.nodes {
			v.nodes[i].seen = 0
		}
		v.turn = 1
	}
}

// plan lays out the guesses: at first, members come in the order of the table.
func (v *Values) plan(n *node) {
	v.nodes[n.id].guess = int32(len(v.guess))
	if len(n.edges) > 0 {
		for i := range n.edges {
			v.guess = append(v.guess, uint16(i))
		}
		v.guess = append(v.guess, 0)
	}
	for _, es := range [][]edge{n.edges, n.elems} {
		for i := range es {
			v.plan(es[i].to)
		}
	}
}

func (v *Values) next(n *node) []uint16 {
	at := v.nodes[n.id].guess
	return v.guess[at : int(at)+len(n.edges)+1]
}

// forget drops what a repeated member said the first time.
func (v *Values) forget(n *node) {
	for _, i := range n.slots {
		v.slots[i] = slot{}
	}
	for _, es := range [][]edge{n.edges, n.elems} {
		for i := range es {
			v.nodes[es[i].to.id].seen = 0
			v.forget(es[i].to)
		}
	}
}

// Has says whether the value is there and not null.
func (v *Values) Has(i int) bool {
	b := v.Bytes(i)
	return len(b) > 0 && b[0] != 'n'
}

// Bytes is the JSON value as sent; nil when absent.
func (v *Values) Bytes(i int) json.RawMessage {
	if i < 0 || i >= len(v.slots) || v.slots[i].end == 0 {
		return nil
	}
	return v.Raw[v.slots[i].off:v.slots[i].end:v.slots[i].end]
}

// Str is a string unescaped, a number or boolean as its literal, "" when absent, null, a list or an object.
func (v *Values) Str(i int) string {
	b := v.Bytes(i)
	if len(b) == 0 {
		return ""
	}
	switch b[0] {
	case '"':
		if v.slots[i].esc {
			return zeroCopy(unescape(nil, b[1:len(b)-1]))
		}
		return zeroCopy(b[1 : len(b)-1])
	case '{', '[', 'n':
		return ""
	}
	return zeroCopy(b)
}

// Int is a whole number, also one sent as a string.
func (v *Values) Int(i int) (int64, bool) { return parseInt(v.Str(i)) }

// Bool is a boolean, also one sent as a string.
func (v *Values) Bool(i int) (val, ok bool) { return parseBool(v.Str(i)) }

// Time is a time in any form that ParseTime reads.
func (v *Values) Time(i int) (time.Time, bool) { return ParseTime(v.Str(i)) }

func parseInt(s string) (int64, bool) {
	if s == "" {
		return 0, false
	}
	if isDigits(s) {
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil
	}
	if s[0] != '-' && (s[0] < '0' || s[0] > '9') {
		return 0, false
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f == float64(int64(f)) && f >= -1<<53 && f <= 1<<53 {
		return int64(f), true // 1.0, 1e3
	}
	return 0, false
}

func parseBool(s string) (val, ok bool) {
	switch {
	case s == "1", strings.EqualFold(s, "true"):
		return true, true
	case s == "0", strings.EqualFold(s, "false"):
		return false, true
	}
	return false, false
}

// zeroCopy is b as a string. Nobody may write to b after it.
func zeroCopy(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf are the bytes of s, to be read only.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// unescape appends the text between the quotes of a checked JSON string; a lone surrogate becomes U+FFFD.
func unescape(dst, b []byte) []byte {
	if dst == nil {
		dst = make([]byte, 0, len(b))
	}
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c != '\\' || i+1 >= len(b) {
			dst = append(dst, c)
			continue
		}
		i++
		switch b[i] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := hex4(b, i+1)
			i += 4
			if utf16.IsSurrogate(r) {
				pair := utf8.RuneError
				if i+2 < len(b) && b[i+1] == '\\' && b[i+2] == 'u' {
					pair = utf16.DecodeRune(r, hex4(b, i+3))
				}
				if r = pair; r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, b[i])
		}
	}
	return dst
}

func hex4(b []byte, i int) rune {
	if i+4 > len(b) {
		return utf8.RuneError
	}
	return hexVal(b[i])<<12 | hexVal(b[i+1])<<8 | hexVal(b[i+2])<<4 | hexVal(b[i+3])
}

// text is the string that a JSON string stands for, or a number or boolean as its literal.
func text(raw []byte) (string, bool) {
	switch {
	case len(raw) == 0 || raw[0] == 'n' || raw[0] == '{' || raw[0] == '[':
		return "", false
	case raw[0] != '"':
		return zeroCopy(raw), true
	}
	in := raw[1 : len(raw)-1]
	for _, c := range in {
		if c == '\\' {
			return zeroCopy(unescape(nil, in)), true
		}
	}
	return zeroCopy(in), true
}

// Elems iterates over the elements of a JSON array, or nothing when raw is no array. It ends where raw is malformed.
func Elems(raw json.RawMessage) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		i := space(raw, 0)
		if i >= len(raw) || raw[i] != '[' {
			return
		}
		s := scanner{b: raw, final: true}
		if i = space(raw, i+1); i < len(raw) && raw[i] == ']' {
			return
		}
		for done := false; !done; {
			start := i
			if i = s.skip(i); i < 0 || !yield(raw[start:i:i]) {
				return
			}
			i, done = s.more(i, ']')
		}
	}
}

// Members iterates over the members of a JSON object, names unescaped. It ends where raw is malformed.
func Members(raw json.RawMessage) iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		i := space(raw, 0)
		if i >= len(raw) || raw[i] != '{' {
			return
		}
		s := scanner{b: raw, final: true}
		if i = space(raw, i+1); i < len(raw) && raw[i] == '}' {
			return
		}
		for done := false; !done; {
			start := i + 1
			end, val := s.key(i)
			if val < 0 {
				return
			}
			name := raw[start:end]
			if s.esc {
				name = unescape(nil, name)
			}
			if i = s.skip(val); i < 0 || !yield(zeroCopy(name), raw[val:i:i]) {
				return
			}
			i, done = s.more(i, '}')
		}
	}
}
