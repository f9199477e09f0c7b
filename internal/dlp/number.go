package dlp

// What payment cards and social security numbers look like.
const (
	minCard, maxCard = 13, 19
	lenSSN           = 9
	maxNumber        = maxCard
)

// How numbers are written in groups.
var (
	cardGroups = [...]layout{layoutOf(4, 4, 4, 4, 3), layoutOf(4, 4, 4, 4), layoutOf(4, 6, 5), layoutOf(4, 6, 4)}
	ssnGroups  = layoutOf(3, 2, 4)
)

// cardGrouped looks for 4-4-4-4-3, 4-4-4-4, 4-6-5 and 4-6-4 digits.
func (s *scanner) cardGrouped(i int) {
	b := s.text
	if i+4 >= len(b) || !s.set.on[card] {
		return
	}
	sep := b[i+4]
	if sep != ' ' && sep != '-' {
		return
	}
	for k := range cardGroups {
		l := &cardGroups[k]
		if !s.ahead.may(l) {
			continue
		}
		if end := l.end(b, i, sep); end > 0 && isCard(b[i:end]) {
			s.claim(card, i, end, true, glued(b, i, end) || numbersAround(b, i, end, sep))
		}
	}
}

// numbersAround says whether other groups of four or more letters or digits with a digit among them stand beside: a dump or
// a table.
func numbersAround(b []byte, i, end int, sep byte) bool {
	if i > 0 && b[i-1] == sep {
		n, shape := 0, uint8(0)
		for k := i - 2; k >= 0 && class[b[k]]&inWord != 0 && n < maxNumber; k-- {
			n, shape = n+1, shape|class[b[k]]
		}
		if n >= 4 && shape&digit != 0 {
			return true
		}
	}
	n, shape := 0, uint8(0)
	if end < len(b) && b[end] == sep {
		for k := end + 1; k < len(b) && class[b[k]]&inWord != 0 && n < maxNumber; k++ {
			n, shape = n+1, shape|class[b[k]]
		}
	}
	return n >= 4 && shape&digit != 0
}

// cardBare looks at 13 to 19 digits together.
func (s *scanner) cardBare(i, end int) {
	if s.set.on[card] && isCard(s.text[i:end]) {
		s.claim(card, i, end, true, glued(s.text, i, end) || s.field.identifies(s.set, card))
	}
}

// isCard says whether digits and separators pass Luhn's check, are of an issuer's range and length, and not all the same.
func isCard(b []byte) bool {
	var room [maxCard]byte
	v := compact(room[:0], b)
	return issued(v) && !same(v) && luhned(v)
}

// issuers are ranges of the first four digits and the lengths of numbers that begin so (ISO/IEC 7812, the schemes' own
// tables).
var issuers = [...]struct{ from, to, short, long int }{
	{4000, 4999, 13, 19}, // Visa
	{5100, 5599, 16, 16}, // Mastercard
	{2221, 2720, 16, 16},
	{3400, 3499, 15, 15}, // American Express
	{3700, 3799, 15, 15},
	{6011, 6011, 16, 19}, // Discover
	{6440, 6599, 16, 19},
	{3528, 3589, 16, 19}, // JCB
	{3000, 3059, 14, 19}, // Diners Club
	{3600, 3699, 14, 19},
	{3800, 3999, 14, 19},
	{6200, 6299, 16, 19}, // UnionPay
	{5018, 5020, 16, 19}, // Maestro and Dankort
	{5038, 5038, 16, 19},
	{5893, 5893, 16, 19},
	{6304, 6304, 16, 19},
	{6759, 6763, 16, 19},
}

func issued(d []byte) bool {
	first := whole(d[:4])
	for _, r := range issuers {
		if first >= r.from && first <= r.to && len(d) >= r.short && len(d) <= r.long {
			return r.from != 4000 || len(d) == 13 || len(d) == 16 || len(d) == 19
		}
	}
	return false
}

// ssnGrouped looks for 3-2-4 digits.
func (s *scanner) ssnGrouped(i int) {
	b := s.text
	if i+3 >= len(b) || !s.set.on[ssn] || !s.ahead.may(&ssnGroups) {
		return
	}
	sep := b[i+3]
	if sep != '-' && sep != ' ' && sep != '.' {
		return
	}
	end := ssnGroups.end(b, i, sep)
	if end > 0 && isSSN(b[i:i+3], b[i+4:i+6], b[i+7:end]) {
		weak := glued(b, i, end) || sep == ' ' && numbersAround(b, i, end, sep)
		s.claim(ssn, i, end, false, weak)
	}
}

// ssnBare looks at nine digits, which are one only where a keyword says so.
func (s *scanner) ssnBare(i int) {
	end := i + lenSSN
	b := s.text[i:end]
	if isSSN(b[:3], b[3:5], b[5:]) && !glued(s.text, i, end) && !s.field.identifies(s.set, ssn) && s.keyword(ssn, i, end) {
		s.claim(ssn, i, end, false, true)
	}
}

// isSSN applies the rules of the Social Security Administration: areas and groups that were never given out, and the
// numbers that advertisements made known.
func isSSN(area, group, serial []byte) bool {
	switch {
	case string(area) == "000", string(area) == "666", area[0] == '9', string(group) == "00", string(serial) == "0000":
		return false
	case string(area) == "078" && string(group) == "05" && string(serial) == "1120":
		return false
	case string(area) == "219" && string(group) == "09" && string(serial) == "9999":
		return false
	case string(area) == "457" && string(group) == "55" && string(serial) == "5462":
		return false
	}
	for _, part := range [...][]byte{area, group, serial} {
		for _, c := range part {
			if c != area[0] {
				return true
			}
		}
	}
	return false
}

// wordEnds says whether no word goes on at i.
func wordEnds(b []byte, i int) bool { return i >= len(b) || class[b[i]]&inWord == 0 }
