package dlp

import (
	"cmp"
	"slices"
)

// settle lets the checked claims, then the longest, then the surest own their bytes, drops what overlaps with them and what
// is not sure enough, and puts the rest in order.
func (s *scanner) settle() {
	c := s.claims
	for i := 1; i < len(c); i++ { // they come in order but for a few
		for k := i; k > 0 && c[k].before(&c[k-1]); k-- {
			c[k], c[k-1] = c[k-1], c[k]
		}
	}
	kept := c[:0]
	for from := 0; from < len(c); {
		to, end := from+1, c[from].End
		for ; to < len(c) && c[to].Start < end; to++ {
			end = max(end, c[to].End)
		}
		kept = append(kept, s.contest(c[from:to], end)...)
		from = to
	}
	s.claims = slices.DeleteFunc(kept, func(c Claim) bool { return c.Confidence < s.set.confidence })
}

// before is the order of claims: by where they stand, the surest first.
func (c *Claim) before(o *Claim) bool {
	switch {
	case c.Start != o.Start:
		return c.Start < o.Start
	case c.End != o.End:
		return c.End < o.End
	case c.Confidence != o.Confidence:
		return c.Confidence > o.Confidence
	}
	return c.kind < o.kind
}

// contest settles claims that overlap in a chain that ends at end.
func (s *scanner) contest(c []Claim, end int) []Claim {
	if len(c) == 1 {
		return c
	}
	c = ambiguous(sharp(c))
	base := c[0].Start
	s.owned = append(s.owned[:0], make([]uint64, (end-base)/64+1)...)
	slices.SortFunc(c, func(a, b Claim) int {
		return cmp.Or(-cmp.Compare(min(a.Confidence, Medium), min(b.Confidence, Medium)), -cmp.Compare(a.End-a.Start, b.End-b.Start),
			-cmp.Compare(a.Confidence, b.Confidence), cmp.Compare(a.Start, b.Start), cmp.Compare(a.kind, b.kind))
	})
	kept := c[:0]
	for _, claim := range c {
		if n := len(kept); n > 0 && kept[n-1].Start == claim.Start && kept[n-1].End == claim.End || s.own(claim.Start-base, claim.End-base) {
			kept = append(kept, claim)
		}
	}
	slices.SortStableFunc(kept, func(a, b Claim) int { return cmp.Compare(a.Start, b.Start) })
	return kept
}

// ambiguous leaves of claims, in the order of settle, of the same bytes the surest. Where several are, each is less sure: of medium
// confidence if a keyword stands near, else of low.
func ambiguous(c []Claim) []Claim {
	c = slices.CompactFunc(c, func(a, b Claim) bool {
		return a.Start == b.Start && a.End == b.End && a.kind == b.kind && a.own == b.own
	})
	kept := c[:0]
	for from := 0; from < len(c); {
		to := from + 1
		for to < len(c) && c[to].Start == c[from].Start && c[to].End == c[from].End && c[to].Confidence == c[from].Confidence {
			to++
		}
		next := to
		for next < len(c) && c[next].Start == c[from].Start && c[next].End == c[from].End {
			next++
		}
		types := 0 // what the user's own detectors say is no guess
		for _, claim := range c[from:to] {
			if claim.own == nil {
				types++
			}
		}
		for _, claim := range c[from:to] {
			if types > 1 && claim.own == nil {
				claim.Confidence = Low
				if claim.word {
					claim.Confidence = Medium
				}
			}
			kept = append(kept, claim)
		}
		from = next
	}
	return kept
}

// vague are the types of what is known only by what stands around it, or has another name by itself.
var vague = [detectors]bool{generic: true, httpAuth: true, euVAT: true}

// sharp leaves out the vague claims that overlap with others of secrets, or are of the same bytes as others and
// no surer.
func sharp(c []Claim) []Claim {
	if !slices.ContainsFunc(c, func(c Claim) bool { return vague[c.kind] }) {
		return c
	}
	var kept []Claim
	for i := range c {
		if !vague[c[i].kind] || !slices.ContainsFunc(c, func(o Claim) bool {
			return !vague[o.kind] && o.Start < c[i].End && c[i].Start < o.End &&
				(table[o.kind].exact || o.Start == c[i].Start && o.End == c[i].End && o.Confidence >= c[i].Confidence)
		}) {
			kept = append(kept, c[i])
		}
	}
	return kept
}

// own takes bytes, unless one of them is owned already. The claims before were no longer than this one is, or stand apart,
// so that its ends would show any overlap; what is surer may be short and stand inside.
func (s *scanner) own(i, end int) bool {
	for k := i; k < end; k++ {
		if s.owned[k>>6]>>(k&63)&1 != 0 {
			return false
		}
	}
	for k := i; k < end; k++ {
		s.owned[k>>6] |= 1 << (k & 63)
	}
	return true
}
