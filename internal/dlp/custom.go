package dlp

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Custom are detectors that a user describes, compiled. Package custom makes them. Several goroutines may use it.
type Custom interface {
	// Types are those of the findings. Matches name one by its place in it.
	Types() []Type
	// Hidden says whether a type has no finding of its own: it counts in rules only.
	Hidden(of int) bool
	// Uses are the detectors of this package that rules count, by the id of the rule.
	Uses() map[string][]string
	// Version changes with what may be found.
	Version() string
	// Normal is a copy of a value without what does not matter.
	Normal(of int, value []byte) []byte
	// Matcher makes a matcher.
	Matcher() Matcher
}

// Matcher looks at the texts of one object after the other. It is for one goroutine.
type Matcher interface {
	// Reset begins a new object.
	Reset()
	// Match gives what may be values in a text, by where they begin. They are valid until the next call.
	Match(p *Passage) []Match
	// Settled tells which claims of the text count, by where they stand in it.
	Settled(p *Passage, claims []Claim)
	// File tells the media type of the object, which is a file.
	File(kind string)
	// Object gives what the object as a whole is found to be. of is what was found of a type, nil = nothing.
	Object(of func(id string) *Finding) []Found
	// Shows says whether a text that is no content may show a value of one of some types; nil = of any.
	Shows(text []byte, among []string) bool
}

// Passage is a text, or a JSON object as the texts in it, a line each.
type Passage struct {
	Text     []byte
	From, To int                 // what begins here is counted; what stands around it is only for the context
	Field    func(at int) string // the name of the field that a byte stands in; "" = none
}

// Match is what may be a value.
type Match struct {
	Of         int // place in Types
	Start, End int
	Confidence int
	Proof
}

// Proof is what speaks for a value beside its pattern. It says nothing of the value.
type Proof struct {
	Check    string // that holds: "luhn", "2 of 3 columns"; "" = none
	Keyword  Side   // where one stands
	Distance int    // to it, in code points
}

// Side is where a keyword stands.
type Side string

// The sides of a value.
const (
	Nowhere Side = ""
	Before  Side = "before"
	Behind  Side = "behind"
	InField Side = "in the name of the field"
)

// Found is what an object as a whole is found to be.
type Found struct {
	Of         int
	Confidence int
	Count      int
	Sample     string   // what people need to recognise it; holds nothing of the content
	Locations  []string // as those of findings
	Proof
}

// maxOwn is how many detectors of its own a set may have.
const maxOwn = 256

// own is one of them.
type own struct {
	Type
	at     int
	hidden bool
}

// checkCustom says what is wrong with detectors beside those of the packs.
func checkCustom(c Custom, packs []string) error {
	if c == nil {
		return nil
	}
	types := c.Types()
	if len(types) > maxOwn {
		return fmt.Errorf("%d detectors of your own: want at most %d", len(types), maxOwn)
	}
	for by, uses := range c.Uses() {
		for _, id := range uses {
			k := slices.IndexFunc(table[:], func(d detector) bool { return d.ID == id })
			if k >= 0 && !wanted(table[k].Pack, packs) {
				return fmt.Errorf("detector %q: its rule counts %q, whose pack %q is not on", by, id, table[k].Pack)
			}
		}
	}
	return nil
}

// take adds the user's own detectors.
func (s *Set) take(c Custom) {
	if c == nil {
		return
	}
	s.custom, s.shortest = c, 1
	for at, t := range c.Types() {
		s.own = append(s.own, own{t, at, c.Hidden(at)})
	}
}

// Types are all kinds that findings of the set may be of, and more.
func (s *Set) Types() []Type {
	out := Types()
	for i := range s.own {
		out = append(out, s.own[i].Type)
	}
	return out
}

// Bounds of what is kept of a text.
const (
	maxSeen = 1 << 16 // claims that rules look at
	maxKept = 4 << 20 // bytes of room for the next object
)

// customs are the user's detectors at work.
type customs struct {
	set      *Set
	m        Matcher
	passage  Passage
	matches  []Match // of the passage
	next     int
	from, to int // the text that is scanned stands here in the passage
	seen     []Claim
	ready    bool // the passage was looked at

	gathering bool
	flat      []byte // the texts of an object, a line each
	leaves    []leaf
	at        int
}

// leaf is where a text of an object stands in flat.
type leaf struct {
	start, end int
	name       []byte
}

// match looks at a text.
func (c *customs) match(p *Passage) {
	c.passage, c.next, c.from, c.to, c.seen, c.ready = *p, 0, 0, len(p.Text), c.seen[:0], true
	c.matches = c.m.Match(&c.passage)
}

// begin lets the texts of an object be gathered.
func (c *customs) begin() {
	c.gathering, c.flat, c.leaves, c.at = true, c.flat[:0], c.leaves[:0], 0
}

// gathered looks at them.
func (c *customs) gathered() {
	c.gathering = false
	c.match(&Passage{Text: c.flat, To: len(c.flat), Field: c.field})
}

// field is the name of the member that holds a byte of flat.
func (c *customs) field(at int) string {
	i, found := slices.BinarySearchFunc(c.leaves, at, func(l leaf, at int) int { return l.start - at })
	if !found {
		i--
	}
	if i < 0 {
		return ""
	}
	return string(c.leaves[i].name)
}

// leaf gathers a text, or goes to where it was put. It says whether that is all there is to do.
func (c *customs) leaf(text, name []byte, skip bool) bool {
	if c.gathering {
		l := leaf{start: len(c.flat), name: name}
		if !skip {
			c.flat = append(c.flat, text...)
		}
		l.end = len(c.flat)
		c.flat = append(c.flat, '\n')
		c.leaves = append(c.leaves, l)
		return true
	}
	c.from, c.to = c.leaves[c.at].start, c.leaves[c.at].end
	c.at++
	return skip
}

// join adds the matches in the text that is scanned to its claims.
func (c *customs) join(s *scanner) {
	n := len(s.claims)
	for ; c.ready && c.next < len(c.matches) && c.matches[c.next].Start < c.to; c.next++ {
		if m := &c.matches[c.next]; m.Start >= c.from && m.End <= c.to {
			s.claims = append(s.claims, Claim{Start: m.Start - c.from, End: m.End - c.from, Confidence: m.Confidence,
				word: m.Keyword != Nowhere, own: &c.set.own[m.Of]})
		}
	}
	if len(s.claims) > n {
		slices.SortStableFunc(s.claims, func(a, b Claim) int {
			switch {
			case a.before(&b):
				return -1
			case b.before(&a):
				return 1
			}
			return 0
		})
	}
}

// proof is that of a claim of the text that is scanned.
func (c *customs) proof(claim *Claim) Proof {
	at := claim.Start + c.from
	i, _ := slices.BinarySearchFunc(c.matches, at, func(m Match, at int) int { return m.Start - at })
	for ; i < len(c.matches) && c.matches[i].Start == at; i++ {
		if m := &c.matches[i]; m.Of == claim.own.at && m.End == claim.End+c.from {
			return m.Proof
		}
	}
	return Proof{}
}

// see notes a claim that counts, or stands around what counts.
func (c *customs) see(claim Claim) {
	if len(c.seen) < maxSeen {
		claim.Start, claim.End = claim.Start+c.from, claim.End+c.from
		c.seen = append(c.seen, claim)
	}
}

// settled tells what counts in the passage.
func (c *customs) settled() {
	c.m.Settled(&c.passage, c.seen)
	c.passage, c.matches, c.seen, c.ready = Passage{}, nil, c.seen[:0], false
	clear(c.leaves)
	if cap(c.flat) > maxKept {
		c.flat, c.leaves = nil, nil
	}
}

func (c *customs) reset(t *tally) {
	clear(t.own)
	clear(t.ours)
	t.ours = t.ours[:0]
	c.m.Reset()
}

// addOwn counts a value of a detector of the user's own.
func (t *tally) addOwn(c Claim, value []byte) {
	f := &t.own[c.own.at]
	f.Type = &c.own.Type
	value = t.set.custom.Normal(c.own.at, value)
	if !t.count(f, c.Confidence, value, func() string { return veil(value) }) {
		return
	}
	if t.full = t.full || len(t.ours) >= maxHeld || t.bytes+len(value) > maxHeldBytes; !t.full {
		t.ours = append(t.ours, bare(value))
		t.bytes += len(value)
	}
}

// veil shows the last characters of a value, at most a quarter of it and four.
func veil(value []byte) string {
	n := utf8.RuneCount(value)
	end := value
	for range n - min(4, n/4) {
		_, size := utf8.DecodeRune(end)
		end = end[size:]
	}
	return string(bytes.Repeat([]byte("*"), min(n-min(4, n/4), 64))) + string(bytes.ToValidUTF8(end, []byte("*")))
}

// bare is a text in lower case without accents, and without what is no letter or digit if it has any of these.
func bare(text []byte) []byte {
	var out []byte
	for rest := text; len(rest) > 0; {
		c, size := utf8.DecodeRune(rest)
		if rest = rest[size:]; inWords(c) {
			out = FoldRune(out, c)
		}
	}
	if len(out) == 0 {
		return bytes.Clone(text)
	}
	return out
}

// shows says whether a text may show a value of the user's own detectors.
func (c *customs) shows(t *tally, text []byte) bool {
	plain := bare(text)
	for _, v := range t.ours {
		if bytes.Contains(plain, v) || bytes.Contains(text, v) {
			return true
		}
	}
	return c.m.Shows(text, nil)
}

// findings adds those of the user's own detectors.
func (c *customs) findings(t *tally, out []Finding) []Finding {
	of := func(id string) *Finding {
		for i := range t.own {
			if t.own[i].Count > 0 && t.own[i].Type.ID == id {
				return &t.own[i]
			}
		}
		for i := range t.found {
			if t.found[i].Count > 0 && t.found[i].Type.ID == id {
				return &t.found[i]
			}
		}
		return nil
	}
	for _, x := range c.m.Object(of) {
		o := &c.set.own[x.Of]
		if x.Confidence < c.set.confidence || o.hidden {
			continue
		}
		f := Finding{Type: &o.Type, Confidence: x.Confidence, Count: x.Count, Locations: x.Locations}
		if x.Sample != "" {
			sum := t.print(o.ID, []byte(x.Sample))
			f.Unique, f.Samples, f.Fingerprints = 1, []string{x.Sample}, []string{fmt.Sprintf("%x", sum)}
		}
		if c.set.explain {
			f.because(Reason{Confidence: x.Confidence, Proof: x.Proof, Count: 1})
		}
		out = append(out, f)
	}
	for i := range t.own {
		if t.own[i].Count > 0 && !c.set.own[i].hidden {
			out = append(out, t.own[i])
		}
	}
	return out
}
