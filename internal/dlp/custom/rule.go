package custom

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/longshore-dev/longshore/internal/dlp"
)

// ruled is how often a rule held within its distance.
type ruled struct{ count, confidence int }

// enough says whether a term is met by so many, so many of them different.
func (t *Term) enough(count, unique int) bool {
	if t.Unique {
		count = unique
	}
	return count >= max(1, t.Count)
}

// holds says whether a rule does, and how surely, if of says how surely each of its terms is met, 0 = it is not.
func (r *Rule) holds(of func(t *Term) int) (confidence int) {
	confidence = math.MaxInt
	for i := range r.All {
		confidence = min(confidence, of(&r.All[i]))
	}
	any := 0
	for i := range r.Any {
		any = max(any, of(&r.Any[i]))
	}
	if len(r.Any) > 0 {
		confidence = min(confidence, any)
	}
	return confidence
}

// Object is dlp.Matcher's.
func (m *matcher) Object(of func(id string) *dlp.Finding) []dlp.Found {
	if !m.set.whole {
		return nil
	}
	out := m.types(m.copies(nil))
	found := map[string]int{} // confidence of those that are the object's, by id
	for _, f := range out {
		found[m.set.all[f.Of].ID] = f.Confidence
	}
	for i := range m.set.all {
		d := &m.set.all[i]
		if d.Rule == nil {
			continue
		}
		if f, ok := m.rule(i, of, found); ok {
			found[d.ID] = f.Confidence
			out = append(out, f)
		}
	}
	return out
}

// rule says whether a rule holds for the object.
func (m *matcher) rule(i int, of func(id string) *dlp.Finding, found map[string]int) (x dlp.Found, ok bool) {
	d := &m.set.all[i]
	met := func(t *Term) int {
		if c, whole := found[t.Detector]; whole && t.enough(1, 1) {
			return c
		}
		if f := of(t.Detector); f != nil && t.enough(f.Count, f.Unique) {
			return f.Confidence
		}
		return 0
	}
	x = dlp.Found{Of: i, Count: 1, Proof: dlp.Proof{Check: "rule"}}
	if d.Rule.Within > 0 {
		if len(m.rules) > i {
			x.Confidence, x.Count = m.rules[i].confidence, m.rules[i].count
		}
	} else if x.Confidence = d.Rule.holds(met); slices.ContainsFunc(d.Rule.Not, func(t Term) bool { return met(&t) > 0 }) {
		return x, false
	}
	if x.Confidence == 0 || x.Count == 0 {
		return x, false
	}
	x.Confidence = cmp.Or(d.Confidence, x.Confidence)
	for _, t := range slices.Concat(d.Rule.All, d.Rule.Any) {
		f := of(t.Detector)
		if f == nil {
			continue
		}
		for _, where := range f.Locations {
			if len(x.Locations) < 8 && !slices.Contains(x.Locations, where) {
				x.Locations = append(x.Locations, where)
			}
		}
	}
	return x, true
}

// Settled is dlp.Matcher's.
func (m *matcher) Settled(p *dlp.Passage, claims []dlp.Claim) {
	for i := range m.set.all {
		if r := m.set.all[i].Rule; r != nil && r.Within > 0 && len(claims) > 0 {
			for len(m.rules) <= i {
				m.rules = append(m.rules, ruled{})
			}
			m.within(r, p, claims, &m.rules[i])
		}
	}
}

// member is a claim that a rule counts.
type member struct {
	start, end int
	at         int // start, in characters from that of the first
	id         string
	confidence int
}

// within counts the stretches of a text in which a rule holds. They do not overlap.
func (m *matcher) within(r *Rule, p *dlp.Passage, claims []dlp.Claim, to *ruled) {
	var all []member
	terms := slices.Concat(r.All, r.Any, r.Not)
	at, from := 0, 0
	for _, c := range claims {
		id := c.Type().ID
		if !slices.ContainsFunc(terms, func(t Term) bool { return t.Detector == id }) {
			continue
		}
		if len(all) > 0 {
			at += utf8.RuneCount(p.Text[from:max(from, c.Start)])
		}
		from = max(from, c.Start)
		all = append(all, member{c.Start, c.End, at, id, c.Confidence})
	}
	for i, j := 0, 0; i < len(all); i++ {
		for j < len(all) && all[j].at-all[i].at <= r.Within {
			j++
		}
		if all[i].start < p.From || all[i].start >= p.To {
			continue
		}
		part := all[i:j]
		met := func(t *Term) int { return t.among(p.Text, part) }
		c := r.holds(met)
		if c == 0 {
			continue
		}
		k := i
		for k > 0 && all[i].at-all[k-1].at <= r.Within {
			k--
		}
		if slices.ContainsFunc(r.Not, func(t Term) bool { return t.among(p.Text, all[k:j]) > 0 }) {
			continue
		}
		to.count++
		to.confidence = max(to.confidence, c)
		i = j - 1
	}
}

// among is how surely a term is met by claims of a text, 0 = it is not.
func (t *Term) among(text []byte, claims []member) (confidence int) {
	var seen [][]byte
	count := 0
	for _, c := range claims {
		if c.id != t.Detector {
			continue
		}
		count++
		confidence = max(confidence, c.confidence)
		if t.Unique && len(seen) < max(1, t.Count) {
			if v := bytes.ToUpper(text[c.start:c.end]); !slices.ContainsFunc(seen, func(o []byte) bool { return bytes.Equal(o, v) }) {
				seen = append(seen, v)
			}
		}
	}
	if !t.enough(count, len(seen)) {
		return 0
	}
	return confidence
}
