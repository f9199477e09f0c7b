package dlp

// Claim says that bytes of a text look like a value. It does not hold them.
type Claim struct {
	Start, End int
	Confidence int
	kind       uint8
	word       bool // a keyword stands near
	own        *own // the detector of the user's whose it is; nil = kind says which
}

// Type is what kind of value it is.
func (c Claim) Type() *Type {
	if c.own != nil {
		return &c.own.Type
	}
	return &table[c.kind].Type
}

// Scanner scans one text after the other. It is for one goroutine.
type Scanner struct{ *scanner }

type scanner struct {
	set    *Set
	text   []byte
	claims []Claim
	ahead  ahead // of the token that is being looked at
	near   nearby
	field  field
	spans  spans
	owned  []uint64            // a bit for each byte that a claim owns
	plain  []byte              // a string without its escapes
	wide   []byte              // a text with plain characters
	packed []byte              // what was in base64
	prefix func(at int) string // where the JSON stands; nil = nowhere else
	walker walker
	pass   func(string) bool
	each   func(text []byte, c Claim)
	tally  tally
	custom *customs // nil = the set has none
	room   [maxForm]byte

	compacted struct { // the value that was looked at last
		i, end int
		v      []byte
		shape  uint8
	}
}

// Classes of bytes. Those of no class, and all beyond ASCII, stand between tokens.
const (
	digit  = 1
	upper  = 2
	lower  = 4
	under  = 8
	sign   = 16 // a value may stand around it
	letter = upper | lower
	inWord = digit | letter | under
)

var class = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= '0' && c <= '9':
			t[c] = digit
		case c >= 'A' && c <= 'Z':
			t[c] = upper
		case c >= 'a' && c <= 'z':
			t[c] = lower
		case c == '_':
			t[c] = under
		case c == '@', c == '~', c == '=', c == ':', c == '+', c == '%':
			t[c] = sign
		}
	}
	return t
}()

// Claims are the values in a text, in order; no two overlap, unless they are of the same bytes, which may be of several types. They
// are valid until the next call. The name of the field that holds the text counts as a keyword.
func (s *Scanner) Claims(text []byte, name string) []Claim {
	s.field.named(name)
	if s.custom != nil {
		s.custom.match(&Passage{Text: text, To: len(text), Field: func(int) string { return name }})
	}
	return s.scan(text)
}

// scan finds the claims of a text that stands in s.field.
func (s *scanner) scan(text []byte) []Claim {
	s.text, s.claims, s.compacted.end = text, s.claims[:0], -1
	if s.set.on[generic] && len(text) >= minGeneric {
		s.fields(text)
	}
	s.walk(text)
	s.near.reset()
	if s.custom != nil {
		s.custom.join(s)
	}
	if len(s.claims) > 0 {
		s.settle()
	}
	s.text = nil
	return s.claims
}

// sign looks at what stands around a character that is not of a token.
func (s *scanner) sign(i int) {
	switch on := &s.set.on; s.text[i] {
	case '@':
		if on[email] {
			s.email(i)
		}
		if on[connection] {
			s.login(i)
		}
	case '+':
		s.phone(i)
	case '%':
		s.trackOne(i)
	case '~':
		s.azureClient(i)
	case '=':
		s.assigned(i)
	case ':':
		if on[generic] {
			s.assigned(i)
		}
		if on[ipAddr] {
			s.ipv6(i)
		}
	}
}

// number looks at what begins with a token of digits, or holds it.
func (s *scanner) number(i, end int) {
	switch n := end - i; {
	case n == 3:
		s.ssnGrouped(i)
	case n == 4:
		s.cardGrouped(i)
	case n == lenSSN && s.set.on[ssn]:
		s.ssnBare(i)
	case n >= minCard && n <= maxCard:
		s.cardBare(i, end)
	}
	if s.set.on[track2] && end-i >= minCard {
		s.trackTwo(i, end)
	}
	s.follow(s.set.leads.numbers[end-i], i, end)
}

// claim adds a claim. checked: more than the pattern holds. weak: it may well be a part of something else.
func (s *scanner) claim(kind uint8, start, end int, checked, weak bool) {
	s.say(kind, start, end, checked, weak, s.keyword(kind, start, end))
}

// say is claim where it is known whether a keyword stands near.
func (s *scanner) say(kind uint8, start, end int, checked, weak, word bool) {
	conf := Low
	switch {
	case word:
		conf = High
	case checked:
		conf = Medium
	}
	if weak {
		conf -= 10
	}
	if conf >= Low {
		s.claims = append(s.claims, Claim{Start: start, End: end, Confidence: conf, kind: kind, word: word})
	}
}

// need claims what is something only where a keyword says so.
func (s *scanner) need(kind uint8, start, end int) {
	if s.keyword(kind, start, end) {
		s.claims = append(s.claims, Claim{Start: start, End: end, Confidence: Medium, kind: kind, word: true})
	}
}

// keyword says whether a keyword of the detector is the name of the field or stands near.
func (s *scanner) keyword(kind uint8, start, end int) bool {
	return s.field.bits(s.set).has(kind) || s.near.has(s.set, s.text, kind, start, end)
}

// glued says whether what stands at [i, end) goes on beyond a dot, hyphen or slash: a part of a decimal, an identifier, a
// path. So does a number after a plus.
func glued(b []byte, i, end int) bool {
	if i > 0 {
		switch b[i-1] {
		case '.', '-':
			if i > 1 && class[b[i-2]]&inWord != 0 {
				return true
			}
		case '/', '+':
			return true
		}
	}
	if end+1 < len(b) {
		switch b[end] {
		case '.', '-', '/':
			return class[b[end+1]]&inWord != 0
		}
	}
	return false
}
