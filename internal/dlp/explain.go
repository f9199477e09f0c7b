package dlp

import (
	"sort"
	"unicode/utf8"

	"github.com/longshore-dev/longshore/internal/dlp/extract"
)

// Reason is why values were taken for what they are. It says nothing of them.
type Reason struct {
	Confidence int
	Count      int // of values, for this reason
	Proof
}

// maxReasons is how many of a finding are told apart.
const maxReasons = 8

// because adds a reason.
func (f *Finding) because(r Reason) {
	for i := range f.Reasons {
		if was := &f.Reasons[i]; was.Confidence == r.Confidence && was.Proof == r.Proof {
			was.Count += r.Count
			return
		}
	}
	if len(f.Reasons) < maxReasons {
		f.Reasons = append(f.Reasons, r)
	}
}

// why is the reason of a claim of the text that was scanned last.
func (s *scanner) why(c Claim, text []byte) Reason {
	r := Reason{Confidence: c.Confidence, Count: 1}
	if c.own != nil {
		r.Proof = s.custom.proof(&c)
		return r
	}
	switch {
	case c.kind == generic:
		r.Check = "the name that it is given"
	case s.holds(c, text[c.Start:c.End]):
		r.Check = "check digit or structure"
	}
	r.Keyword, r.Distance = s.nearest(c, text)
	return r
}

// holds says whether a value by itself is more than its pattern.
func (s *scanner) holds(c Claim, value []byte) bool {
	t := &s.tally
	if t.alone == nil {
		t.alone = &scanner{set: s.set.plain()}
	}
	t.alone.field.named("")
	for _, alone := range t.alone.scan(value) {
		if alone.kind == c.kind && alone.Start == 0 && alone.End == len(value) {
			return alone.Confidence >= Medium
		}
	}
	return false
}

// nearest is where the next keyword stands.
func (s *scanner) nearest(c Claim, text []byte) (side Side, distance int) {
	if !c.word {
		return Nowhere, 0
	}
	if s.field.bits(s.set).has(c.kind) {
		return InField, 0
	}
	n := &s.near
	defer n.reset()
	n.reset()
	n.r.set = s.set.keywords
	n.cover(text, max(0, back(text, c.Start)-2*maxWord), min(len(text), forth(text, c.End)+1+2*maxWord))
	distance = reach + 1
	for _, h := range n.r.hits {
		if !s.set.keywords.bits[h.of].has(c.kind) {
			continue
		}
		if d := apart(text, h.end, c.Start); h.end <= c.Start && d < distance {
			side, distance = Before, d
		}
		if d := apart(text, c.End, h.start); h.start >= c.End && d < distance {
			side, distance = Behind, d
		}
	}
	return side, distance
}

// apart is how many code points stand between two places.
func apart(text []byte, from, to int) int {
	if from > to {
		return 0
	}
	return utf8.RuneCount(text[from:to])
}

// fieldsOf gives the field that a byte stands in.
func fieldsOf(spans []extract.Span) func(at int) string {
	return func(at int) string {
		i := sort.Search(len(spans), func(i int) bool { return spans[i].At > at })
		if i == 0 {
			return ""
		}
		return spans[i-1].Name
	}
}
