package dlp

const (
	minEmail  = 6
	maxLocal  = 64
	maxLabel  = 63
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
	for i < at && class[b[i]]&inWord == 0 && b[i] != '+' {
		i++ // a dash or quote before it
	}
	if i == at || at-i > maxLocal || b[at-1] == '.' {
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

// domain gives the end of two labels or more, or 0. What follows the last after a hyphen is not of it.
func domain(b []byte, i int) int {
	end, begin := 0, i
	for start := i; start-begin <= maxDomain; {
		k := start
		for k < len(b) && (class[b[k]]&(digit|letter) != 0 || b[k] == '-') {
			k++
		}
		if k == start || k-start > maxLabel || b[start] == '-' {
			break
		}
		if start > begin {
			if n := top(b[start:k]); n > 0 && (start+n == len(b) || class[b[start+n]]&inWord == 0) {
				end = start + n
			}
		}
		if b[k-1] == '-' || k >= len(b) || b[k] != '.' {
			break
		}
		start = k + 1
	}
	if end-begin > maxDomain || end > 0 && end < len(b) && b[end] == '@' {
		return 0
	}
	return end
}

// top is how much of a label may be the last one: its letters, or all of an internationalized one.
func top(l []byte) int {
	if len(l) >= 8 && string(l[:4]) == "xn--" {
		return len(l)
	}
	n := 0
	for n < len(l) && class[l[n]]&letter != 0 {
		n++
	}
	if n < 2 {
		return 0
	}
	return n
}
