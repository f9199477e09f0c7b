package dlp

import (
	"cmp"
	"slices"
)

// settle lets the checked claims, then the longest, then the surest own their bytes, drops what overlaps with them and what
// is not sure enough, and puts the rest in order.
func (s *scanner) settle() {
	c := s.claims
	slices.SortFunc(c, func(a, b Claim) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
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

// contest settles claims that overlap in a chain that ends at end.
func (s *scanner) contest(c []Claim, end int) []Claim {
	if len(c) == 1 {
		return c
	}
	base := c[0].Start
	s.owned = append(s.owned[:0], make([]uint64, (end-base)/64+1)...)
	slices.SortFunc(c, func(a, b Claim) int {
		return cmp.Or(-cmp.Compare(min(a.Confidence, Medium), min(b.Confidence, Medium)), -cmp.Compare(a.End-a.Start, b.End-b.Start),
			-cmp.Compare(a.Confidence, b.Confidence), cmp.Compare(a.Start, b.Start), cmp.Compare(a.kind, b.kind))
	})
	kept := c[:0]
	for _, claim := range c {
		if s.own(claim.Start-base, claim.End-base) {
			kept = append(kept, claim)
		}
	}
	slices.SortFunc(kept, func(a, b Claim) int { return cmp.Compare(a.Start, b.Start) })
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
