package dlp

import (
	"fmt"
	"math/bits"
	"strings"
)

// verdict is what a check says of a value without its separators, its letters as capitals.
type verdict int

const (
	refused   verdict = iota
	plausible         // nothing speaks against it
	passes            // a check digit does not, as of one in ten or so by chance: it counts where the value is written in groups
	holds             // more than that speaks for it
)

// detector is how values of a type are found. Those with forms are told as data; the others have code of their own.
type detector struct {
	Type
	// forms are the ways in which values are written, parted by " | ". 9 is a digit, A a letter, U a capital, X a letter or digit,
	// Z a capital or digit; ~ is a space, hyphen or dot, the same one throughout; {n} or {n,m} repeats what stands before; anything
	// else is itself. A form after ! needs a keyword: without one there is no claim, and with one it is of medium confidence.
	forms string
	// openings are those that begin with given characters, see readOpenings. Their check sees the value as it is written.
	openings string
	check    func(v []byte) verdict // nil = plausible; of openings, varied
	own      func(s *scanner, kind uint8, i, end int)
	then     byte // the class of what follows the openings that code of its own looks at; 0 = anything may
	least    int  // bytes of a value that code of its own finds
	exact    bool // capitals and separators matter
	words    bool // words in both cases of letters are among the forms
}

const (
	maxForm = 40 // bytes
	hyphens = " -."
)

// form is one way of writing, compiled.
type form struct {
	kind    uint8
	class   [maxForm]uint8 // of each byte; 0 = it is the one in sign
	sign    [maxForm]byte
	n       int
	before  int  // bytes before the token that leads here: the first that must hold a digit, or may
	token   int  // its length
	sep     byte // the first separator; 0 = none
	check   func(v []byte) verdict
	needs   bool
	words   bool
	amount  bool // amounts are written so too
	capital bool // what leads here may be capitals alone
}

var formClasses = map[byte]uint8{'9': digit, 'A': letter, 'U': upper, 'X': letter | digit, 'Z': upper | digit}

// readForms compiles the forms of a detector. It panics: they are part of the program.
func readForms(kind uint8, d *detector) (out []form) {
	if d.forms == "" {
		return nil
	}
	for text := range strings.SplitSeq(d.forms, " | ") {
		text, needs := strings.CutPrefix(text, "!")
		for _, plain := range repeated(text) {
			if !strings.Contains(plain, "~") {
				out = append(out, readForm(kind, d, plain, needs))
				continue
			}
			for _, sep := range hyphens {
				out = append(out, readForm(kind, d, strings.ReplaceAll(plain, "~", string(sep)), needs))
			}
		}
	}
	return out
}

// repeated writes out the repetitions: 9{2}-9{1,2} is 99-9 and 99-99.
func repeated(text string) []string {
	at := strings.IndexByte(text, '{')
	if at < 0 {
		return []string{text}
	}
	end := at + strings.IndexByte(text[at:], '}')
	from, to := 0, 0
	if _, err := fmt.Sscanf(text[at:end+1], "{%d,%d}", &from, &to); err != nil {
		if _, err := fmt.Sscanf(text[at:end+1], "{%d}", &from); err != nil {
			panic("dlp: form " + text)
		}
		to = from
	}
	var out []string
	for n := from; n <= to; n++ {
		for _, rest := range repeated(text[end+1:]) {
			out = append(out, text[:at-1]+strings.Repeat(text[at-1:at], n)+rest)
		}
	}
	return out
}

func readForm(kind uint8, d *detector, text string, needs bool) form {
	f := form{kind: kind, n: len(text), check: d.check, needs: needs, words: d.words}
	if f.n > maxForm {
		panic("dlp: long form " + text)
	}
	for i := 0; i < f.n; i++ {
		f.class[i], f.sign[i] = formClasses[text[i]], text[i]
		if f.class[i] == 0 {
			if class[text[i]]&inWord == 0 && f.sep == 0 {
				f.sep = text[i]
			}
			continue
		}
		f.sign[i] = 0
	}
	if !f.leadBy(func(c uint8) bool { return c == digit }) && !f.leadBy(func(c uint8) bool { return c&digit != 0 }) {
		panic("dlp: no digit in form " + text)
	}
	f.capital = true
	for i := f.before; i < f.before+f.token; i++ {
		f.capital = f.capital && f.class[i]&upper != 0
	}
	f.amount = amounts(text)
	return f
}

// leadBy lets the first token with a byte of a class lead to the form.
func (f *form) leadBy(is func(class uint8) bool) bool {
	for i := 0; i < f.n; i++ {
		end, found := i, false
		for ; end < f.n; end++ {
			c := f.classAt(end)
			if c&inWord == 0 {
				break
			}
			found = found || is(c)
		}
		if found {
			f.before, f.token = i, end-i
			return true
		}
		i = end
	}
	return false
}

// amounts says whether a form is that of amounts too: groups of three digits after the first, which has one to three.
func amounts(text string) bool {
	for _, sep := range []string{" ", "."} {
		groups := strings.Split(text, sep)
		like := len(groups) > 1 && len(groups[0]) <= 3
		for i, g := range groups {
			like = like && strings.Trim(g, "9") == "" && (i == 0 || len(g) == 3)
		}
		if like {
			return true
		}
	}
	return false
}

// numeric says whether the token may be, or must be, digits alone.
func (f *form) numeric() (may, must bool) {
	may, must = true, true
	for i := f.before; i < f.before+f.token; i++ {
		c := f.classAt(i)
		may, must = may && c&digit != 0, must && c == digit
	}
	return may, must
}

// at says whether a text has the form at i.
func (f *form) at(b []byte, i int) bool {
	if i < 0 || i+f.n > len(b) || i > 0 && class[b[i-1]]&inWord != 0 || i+f.n < len(b) && class[b[i+f.n]]&inWord != 0 {
		return false
	}
	for k, c := range b[i : i+f.n] {
		if want := f.class[k]; want == 0 && c != f.sign[k] || want != 0 && class[c]&want == 0 {
			return false
		}
	}
	return true
}

// fit is a form and what may stand there by the blocks of the text; nothing is said of one that begins before the token.
type fit struct {
	layout
	*form
}

func (f *form) fit() fit {
	if f.before > 0 {
		return fit{form: f}
	}
	l := layout{reach: 1<<(f.n+1) - 1}
	for k := range f.n {
		if c := f.classAt(k); c&inWord != 0 {
			l.words |= 1 << k
			if c == digit {
				l.digits |= 1 << k
			}
		}
	}
	return fit{l, f}
}

// lead is the forms that a token of a length leads to.
type lead struct {
	ends   [4][]fit   // that end with it, by whether its first and its last byte are digits
	groups []group    // that go on; the first is empty
	after  [256]uint8 // the place in groups, by the byte that stands there
}

// group is the forms that go on in a way, by the length of the token behind that byte.
type group [][]fit

func (l *lead) add(f *form) {
	at := f.before + f.token
	if at == f.n {
		for key := range l.ends {
			if f.digit(f.before, key&1 != 0) && f.digit(at-1, key&2 != 0) {
				l.ends[key] = append(l.ends[key], f.fit())
			}
		}
		return
	}
	if l.groups == nil {
		l.groups = []group{nil}
	}
	c := f.sign[at]
	if l.after[c] == 0 {
		l.after[c] = uint8(len(l.groups))
		l.groups = append(l.groups, nil)
	}
	n := 0
	for k := at + 1; k < f.n && f.classAt(k)&inWord != 0; k++ {
		n++
	}
	g := &l.groups[l.after[c]]
	for len(*g) <= n {
		*g = append(*g, nil)
	}
	(*g)[n] = append((*g)[n], f.fit())
}

func (f *form) classAt(k int) uint8 {
	if f.class[k] == 0 {
		return class[f.sign[k]]
	}
	return f.class[k]
}

// digit says whether a byte may be a digit, or may be none.
func (f *form) digit(k int, is bool) bool {
	if is {
		return f.classAt(k)&digit != 0
	}
	return f.classAt(k) != digit
}

// leads are those of tokens of digits, of others with a digit, and of capitals alone, by their length.
type leads struct{ numbers, mixed, capitals [maxForm + 1]*lead }

func (l *leads) add(f *form) {
	may, must := f.numeric()
	if may {
		l.of(&l.numbers, f)
	}
	if !must {
		l.of(&l.mixed, f)
	}
	if f.capital {
		l.of(&l.capitals, f)
	}
}

func (l *leads) of(by *[maxForm + 1]*lead, f *form) {
	if by[f.token] == nil {
		by[f.token] = &lead{}
	}
	by[f.token].add(f)
}

// follow looks at the forms that the token at [i, end), from which s.ahead tells, leads to.
func (s *scanner) follow(l *lead, i, end int) {
	if l == nil {
		return
	}
	digits := s.ahead.digits
	if ends := l.ends[digits&1|digits>>(end-i-1)&1<<1]; len(ends) > 0 {
		s.fits(ends, i)
	}
	if l.groups == nil || end >= len(s.text) {
		return
	}
	g := l.groups[l.after[s.text[end]]]
	if n := bits.TrailingZeros64(^(s.ahead.words >> (end - i + 1))); n < len(g) && len(g[n]) > 0 {
		s.fits(g[n], i)
	}
}

// fits looks at some forms of which the token at i is a part.
func (s *scanner) fits(forms []fit, i int) {
	for k := range forms {
		if f := &forms[k]; s.ahead.may(&f.layout) {
			s.try(f.form, i-f.before)
		}
	}
}

// value is what stands at [i, end) without separators, its letters as capitals, and what classes it had.
func (s *scanner) value(i, end int) ([]byte, uint8) {
	c := &s.compacted
	if c.i == i && c.end == end {
		return c.v, c.shape
	}
	c.i, c.end, c.v, c.shape = i, end, compact(s.room[:0], s.text[i:end]), 0
	for k, x := range c.v {
		if c.shape |= class[x]; class[x] == lower {
			c.v[k] = x &^ 0x20
		}
	}
	return c.v, c.shape
}

// try claims what stands at i if it has the form and the check lets it pass. It is weak where it may be a part of something larger,
// a time, or the identifier of something. Digits that may be a time are none without a keyword.
func (s *scanner) try(f *form, i int) {
	if !f.at(s.text, i) {
		return
	}
	b, end := s.text, i+f.n
	v, shape := s.value(i, end)
	if shape&letter == letter && !f.words { // in both cases, as random text is
		return
	}
	is := plausible
	if f.check != nil {
		is = f.check(v)
	}
	if is == refused {
		return
	}
	late := timely(b[i:end])
	weak := glued(b, i, end) || late
	if f.sep == 0 {
		weak = weak || s.field.identifies(s.set, f.kind)
	} else {
		weak = weak || digitsAround(b, i, end, f.sep)
	}
	if s.set.strict && is == passes && f.sep == 0 && !s.field.bits(s.set).has(f.kind) {
		return
	}
	if f.needs {
		if !weak {
			s.need(f.kind, i, end)
		}
		return
	}
	if word := s.keyword(f.kind, i, end); word || !late || shape != digit {
		s.say(f.kind, i, end, is == holds || is == passes && f.sep != 0 && !f.amount, weak, word)
	}
}

// timely says whether a value may well be a time: a date of these centuries, 20261124Z, with hours to seconds or milliseconds, or as
// many seconds, milliseconds, microseconds or nanoseconds as there are since 1970, up to 2033.
func timely(v []byte) bool {
	n := 0
	for n < len(v) && class[v[n]] == digit {
		n++
	}
	if n == len(v) && (n == 10 || n == 13 || n == 16 || n == 19) && v[0] == '1' {
		return true
	}
	if n != 8 && n != 14 && n != 17 {
		return false
	}
	year, month, day := string(v[:2]), string(v[4:6]), string(v[6:8])
	return (year == "19" || year == "20") && month >= "01" && month <= "12" && day >= "01" && day <= "31"
}

// digitsAround says whether further groups of digits stand beside digits: a larger number in groups of three, a row of a table.
func digitsAround(b []byte, i, end int, sep byte) bool {
	return i > 1 && b[i-1] == sep && class[b[i-2]] == digit && class[b[i]] == digit ||
		end+1 < len(b) && b[end] == sep && class[b[end+1]] == digit && class[b[end-1]] == digit
}
