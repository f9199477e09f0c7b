package dlp

const (
	minEmail  = 6
	maxLocal  = 64
	maxDomain = 253
)

// email looks at both sides of an @: a local part of RFC 5321's atoms, and a domain whose last label is of letters or of
// internationalized ones.
func (s *scanner) email(at int) {
	b := s.text
	i := at
	for i > 0 && at-i <= maxLocal && atom(b[i-1]) {
		i--
	}
	for i < at && (b[i] == '.' || b[i] == '-' || b[i] == '\'') {
		i++ // the dash or quote before it
	}
	if i == at || at-i > maxLocal || b[at-1] == '.' || class[b[i]]&inWord == 0 && b[i] != '+' {
		return
	}
	for k := i + 1; k < at; k++ {
		if b[k] == '.' && b[k-1] == '.' {
			return
		}
	}
	if end := domain(b, at+1); end > 0 && end-i >= minEmail {
		s.claim(email, i, end, true, false)
	}
}

// atom says whether a character may stand in a local part. Quotes, slashes and other marks may too, but hardly ever do.
func atom(c byte) bool {
	return class[c]&inWord != 0 || c == '.' || c == '-' || c == '+' || c == '\'' || c == '%' || c == '&'
}

// domain gives the end of two labels or more, or 0.
func domain(b []byte, i int) int {
	end, labels, begin := 0, 0, i
	for start := i; start < len(b) && start-begin <= maxDomain; {
		k := start
		for k < len(b) && (class[b[k]]&(digit|letter) != 0 || b[k] == '-') {
			k++
		}
		if k == start || k-start > 63 || b[start] == '-' {
			break
		}
		stop := k
		for b[stop-1] == '-' {
			stop--
		}
		labels++
		if labels > 1 && top(b[start:stop]) {
			end = stop
		}
		if stop < k || k >= len(b) || b[k] != '.' {
			break
		}
		start = k + 1
	}
	if end > 0 && end < len(b) && (b[end] == '_' || b[end] == '@') || end-begin > maxDomain {
		return 0
	}
	return end
}

// top says whether a label may be the last one.
func top(l []byte) bool {
	if len(l) >= 8 && string(l[:4]) == "xn--" {
		return true
	}
	for _, c := range l {
		if class[c]&letter == 0 {
			return false
		}
	}
	return len(l) >= 2
}
