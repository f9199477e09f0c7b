package dlp

import (
	"bytes"
	"encoding/binary"
	"iter"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Reset begins a new object.
func (s *Scanner) Reset() { s.tally.reset() }

// Findings are what the texts since Reset hold, one for each type.
func (s *Scanner) Findings() []Finding { return s.tally.findings() }

// Shows says whether a text holds a value found since Reset, or anything like one but an address: then it must not stand
// in a finding.
func (s *Scanner) Shows(text string) bool { return s.tally.shows(text) }

// Pass sets what is asked of every address found: those that it knows are no finding. nil = none.
func (s *Scanner) Pass(known func(address string) bool) { s.pass = known }

// Text adds what a text holds that stands in the field of a name.
func (s *Scanner) Text(text []byte, name string) {
	if len(text) < s.set.shortest {
		return
	}
	raw := text
	text = s.plainly(text)
	s.field.named(name)
	if s.custom != nil {
		s.custom.match(&Passage{Text: text, To: len(text), Field: func(int) string { return name }})
		defer s.custom.settled()
	}
	claims, text := s.see(text)
	if of := s.count(claims, text); of != (placed{}) {
		s.whole(claims[0], raw, text)
		s.place(&of, s.tally.step([]byte(name)))
	}
}

// count adds claims to the tally and gives a bit for each type among them.
func (s *scanner) count(claims []Claim, text []byte) (of placed) {
	for _, c := range claims {
		if c.kind == email && s.pass != nil && s.pass(string(text[c.Start:c.End])) {
			continue
		}
		var f *Finding
		if c.own != nil {
			f = &s.tally.own[c.own.at]
			s.tally.addOwn(c, text[c.Start:c.End])
			of.own[c.own.at>>6] |= 1 << (c.own.at & 63)
		} else {
			f = &s.tally.found[c.kind]
			s.tally.add(c.kind, c.Confidence, text[c.Start:c.End])
			of.kinds.add(c.kind)
		}
		if s.custom != nil {
			s.custom.see(c)
		}
		if s.each != nil {
			s.each(text, c)
		}
		if s.set.explain {
			f.because(s.why(c, text))
		}
	}
	return of
}

// placed are types of which something was counted.
type placed struct {
	kinds kinds
	own   [maxOwn / 64]uint64
}

// of are the findings of the types.
func (t *tally) of(p *placed) iter.Seq[*Finding] {
	return func(yield func(*Finding) bool) {
		for kind := range t.found {
			if p.kinds.has(uint8(kind)) && !yield(&t.found[kind]) {
				return
			}
		}
		for at := range t.own {
			if p.own[at>>6]>>(at&63)&1 != 0 && !yield(&t.own[at]) {
				return
			}
		}
	}
}

// place notes where values of some types stand.
func (s *scanner) place(of *placed, where string) {
	for f := range s.tally.of(of) {
		f.at(where)
	}
}

const maxLevels = 64

// walker is the way to the value that is being looked at.
type walker struct {
	level [maxLevels]level
	depth int
}

// level is an open object or list.
type level struct {
	list       bool
	start, end int // of the name of its member
	index      int
}

// JSON adds what the strings and numbers of a JSON value hold, and the names. It needs no valid JSON: the strings count.
func (s *Scanner) JSON(b []byte) {
	if s.custom == nil {
		s.members(b)
		return
	}
	s.custom.begin()
	s.members(b) // gathers the texts
	s.custom.gathered()
	s.members(b)
	s.custom.settled()
}

// members looks at the strings and numbers, and the names.
func (s *Scanner) members(b []byte) {
	w := &s.walker
	w.depth = 0
	for i := 0; i < len(b); {
		switch c := b[i]; c {
		case '"':
			i = s.str(b, i+1)
		case '{', '[':
			i++
			if w.depth++; w.depth <= maxLevels {
				w.level[w.depth-1] = level{list: c == '['}
			}
		case '}', ']':
			i++
			w.depth = max(0, w.depth-1)
		case ',':
			i++
			if w.depth > 0 && w.depth <= maxLevels {
				w.level[w.depth-1].index++
			}
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			start := i
			for i++; i < len(b) && numeric(b[i]); i++ {
			}
			if i-start >= s.set.shortest {
				s.leaf(b, b[start:i], true)
			}
		default:
			i++
		}
	}
}

func numeric(c byte) bool {
	return class[c] == digit || c == '.' || c|0x20 == 'e' || c == '-' || c == '+'
}

// str passes the string that begins at start: a name when a colon follows, else a value.
func (s *Scanner) str(b []byte, start int) int {
	end, escaped := closing(b, start)
	i := end + 1
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	if i < len(b) && b[i] == ':' {
		i++
		if d := s.walker.depth; d > 0 && d <= maxLevels {
			s.walker.level[d-1].start, s.walker.level[d-1].end = start, end
		}
		if end-start < s.set.shortest || s.custom == nil && !telling(b[start:end]) {
			return i
		}
	} else if end-start < s.set.shortest {
		return i
	}
	text := b[start:end]
	if escaped {
		s.plain = unescape(s.plain[:0], text)
		text = s.plain
	}
	s.leaf(b, text, false)
	return i
}

const minTelling = 20 // bytes of a name

// telling says whether a name may hold a value: names of fields have no digits and no @, and are not long.
func telling(name []byte) bool {
	if len(name) >= minTelling {
		return true
	}
	for _, c := range name {
		if class[c]&(digit|sign) != 0 {
			return true
		}
	}
	return false
}

// leaf scans a value, or a name.
func (s *Scanner) leaf(b, text []byte, number bool) {
	w := &s.walker
	var names [2][]byte
	n := 0
	for d := min(w.depth, maxLevels) - 1; d >= 0 && n < len(names); d-- {
		if l := &w.level[d]; !l.list {
			names[n] = b[l.start:l.end]
			n++
		}
	}
	raw := text
	text = s.plainly(text)
	if s.custom != nil && s.custom.leaf(text, names[0], s.set.skip != nil && s.skipped(b)) {
		return
	}
	s.field.stands(names[0], names[1], number)
	claims, text := s.see(text)
	if len(claims) == 0 || s.skipped(b) || s.prefix == nil && identifier(claims, text, names[0]) {
		return
	}
	of := s.count(claims, text)
	if of == (placed{}) {
		return
	}
	if s.whole(claims[0], raw, text); s.tally.wants(&of) {
		s.place(&of, s.path(b))
	}
}

// identifier says whether a value of a record is the id of an access key and nothing else, in a member that is named so: logs name
// the key that a request was signed with. The id alone opens nothing; in a file it still says where keys were left.
func identifier(claims []Claim, text, name []byte) bool {
	return len(claims) == 1 && claims[0].kind == awsKey && claims[0].Start == 0 && claims[0].End == len(text) &&
		(bytes.HasSuffix(name, []byte("KeyId")) || bytes.HasSuffix(name, []byte("keyId")) || bytes.HasSuffix(name, []byte("key_id")))
}

// skipped says whether the value stands below one of the paths to skip, which are those of records.
func (s *Scanner) skipped(b []byte) bool {
	if s.prefix != nil {
		return false
	}
	for _, skip := range s.set.skip {
		for d := 0; d < min(s.walker.depth, maxLevels); d++ {
			l := &s.walker.level[d]
			if l.list {
				continue
			}
			rest, ok := strings.CutPrefix(skip, string(b[l.start:l.end]))
			if !ok || rest != "" && rest[0] != '.' {
				break
			}
			if skip = strings.TrimPrefix(rest, "."); skip == "" {
				return true
			}
		}
	}
	return false
}

// path is the way to the value, where no name shows what was found.
func (s *Scanner) path(b []byte) string {
	var p []byte
	if s.prefix != nil {
		if where := s.prefix(0); where != "" {
			p = append(append(p, s.masked(where)...), ": "...)
		}
	}
	lead := len(p)
	for d := 0; d < min(s.walker.depth, maxLevels) && len(p)-lead < maxPath; d++ {
		switch l := &s.walker.level[d]; {
		case l.list:
			p = append(strconv.AppendInt(append(p, '['), int64(l.index), 10), ']')
		default:
			if len(p) > lead {
				p = append(p, '.')
			}
			p = append(p, s.tally.step(unescape(nil, b[l.start:l.end]))...)
		}
	}
	return string(p)
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// closing finds the quote that ends a string, eight bytes at a time, or the end.
func closing(b []byte, i int) (end int, escaped bool) {
	for {
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			q, e := w^ones*'"', w^ones*'\\'
			if m := ((q - ones) &^ q & highs) | ((e - ones) &^ e & highs); m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		for i < len(b) && b[i] != '"' && b[i] != '\\' {
			i++
		}
		if i >= len(b) || b[i] == '"' {
			return min(i, len(b)), escaped
		}
		escaped = true
		i += 2
	}
}

// unescape appends what the inside of a JSON string stands for. What is no escape stays as it is.
func unescape(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			dst = append(dst, b[i])
			continue
		}
		i++
		switch c := b[i]; c {
		case 'n', 'r', 't', 'b', 'f':
			dst = append(dst, "\n\r\t\b\f"[strings.IndexByte("nrtbf", c)])
		case 'u':
			r := hex4(b[i+1:])
			if r < 0 {
				dst = append(dst, '\\', c)
				continue
			}
			i += 4
			if utf16.IsSurrogate(r) && i+2 < len(b) && b[i+1] == '\\' && b[i+2] == 'u' {
				if pair := utf16.DecodeRune(r, hex4(b[i+3:])); pair != utf8.RuneError {
					r = pair
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func hex4(b []byte) rune {
	if len(b) < 4 {
		return -1
	}
	n, err := strconv.ParseUint(string(b[:4]), 16, 32)
	if err != nil {
		return -1
	}
	return rune(n)
}
