package dlp

import "bytes"

// What national numbers look like. An id of a field that says so makes those without separators unlikely, as it does cards.
const (
	lenNINO       = 9
	lenSteuerID   = 11
	lenNIR        = 15
	lenDNI        = 9
	lenFiscalCode = 16
)

// wordEnds says whether no word goes on at i.
func wordEnds(b []byte, i int) bool { return i >= len(b) || class[b[i]]&inWord == 0 }

// digitsAround says whether further groups of digits stand beside: a larger number in groups of three, a row of a table.
func digitsAround(b []byte, i, end int, sep byte) bool {
	return i > 1 && b[i-1] == sep && class[b[i-2]] == digit || end+1 < len(b) && b[end] == sep && class[b[end+1]] == digit
}

// ninoBare looks at two letters, six digits and a letter.
func (s *scanner) ninoBare(i, end int) {
	if s.set.on[nino] && isNINO(s.text[i:end]) {
		s.claim(nino, i, end, false, glued(s.text, i, end) || s.field.identifies(s.set, nino))
	}
}

// ninoSpaced looks at six digits after two letters and a space, with or without one before the last letter.
func (s *scanner) ninoSpaced(i, digits int) {
	b, end := s.text, digits+1
	if !s.set.on[nino] || i < 3 || b[i-1] != ' ' {
		return
	}
	if digits < len(b) && b[digits] == ' ' {
		end++
	}
	s.ninoAround(i-3, end)
}

// ninoGrouped looks at groups of two after two letters, between spaces or hyphens.
func (s *scanner) ninoGrouped(i int) {
	b := s.text
	if !s.set.on[nino] || i < 3 || i+10 > len(b) {
		return
	}
	sep := b[i-1]
	if (sep == ' ' || sep == '-') && b[i+2] == sep && b[i+5] == sep && b[i+8] == sep {
		s.ninoAround(i-3, i+10)
	}
}

// ninoAround looks at a number with separators.
func (s *scanner) ninoAround(i, end int) {
	b := s.text
	if end > len(b) || i > 0 && class[b[i-1]]&inWord != 0 || !wordEnds(b, end) {
		return
	}
	var room [lenNINO]byte
	if v := compact(room[:0], b[i:end]); len(v) == lenNINO && isNINO(v) {
		s.claim(nino, i, end, false, glued(b, i, end))
	}
}

// isNINO applies the rules of HMRC for the letters.
func isNINO(v []byte) bool {
	first, second, last := v[0]&^0x20, v[1]&^0x20, v[8]&^0x20
	for k, c := range v {
		if want := k >= 2 && k < 8; want != (class[c] == digit) {
			return false
		}
	}
	if last > 'D' || bytes.IndexByte([]byte("DFIQUV"), first) >= 0 || bytes.IndexByte([]byte("DFIOQUV"), second) >= 0 {
		return false
	}
	switch string([]byte{first, second}) {
	case "BG", "GB", "KN", "NK", "NT", "TN", "ZZ":
		return false
	}
	return true
}

// steuerIDBare looks at eleven digits together.
func (s *scanner) steuerIDBare(i, end int) {
	if s.set.on[steuerID] && isSteuerID(s.text[i:end]) {
		s.claim(steuerID, i, end, true, glued(s.text, i, end) || s.field.identifies(s.set, steuerID))
	}
}

// steuerIDGrouped looks for 2-3-3-3 digits.
func (s *scanner) steuerIDGrouped(i int) {
	b := s.text
	if !s.set.on[steuerID] || i+2 >= len(b) || b[i+2] != ' ' {
		return
	}
	if end := groups(b, i+2, ' ', 3, 3, 3); end > 0 {
		var room [lenSteuerID]byte
		if isSteuerID(compact(room[:0], b[i:end])) {
			s.claim(steuerID, i, end, true, glued(b, i, end) || digitsAround(b, i, end, ' '))
		}
	}
}

// isSteuerID says whether one digit alone comes again among the first ten, once or twice, and the check digit holds (ISO 7064
// mod 11,10).
func isSteuerID(v []byte) bool {
	if v[0] == '0' {
		return false
	}
	var count [10]int
	rest := 10
	for _, c := range v[:10] {
		d := int(c - '0')
		count[d]++
		if rest = (rest + d) % 10; rest == 0 {
			rest = 10
		}
		rest = rest * 2 % 11
	}
	repeated := 0
	for _, n := range count {
		switch {
		case n > 3:
			return false
		case n > 1:
			repeated++
		}
	}
	return repeated == 1 && (11-rest)%10 == int(v[10]-'0')
}

// nirBare looks at fifteen characters together, or thirteen and the key after a space.
func (s *scanner) nirBare(i, end int) {
	b := s.text
	if n := end - i; !s.set.on[nir] || n != lenNIR && n != lenNIR-2 {
		return
	} else if n < lenNIR {
		if end = groups(b, end, ' ', 2); end == 0 {
			return
		}
	}
	var room [lenNIR]byte
	if isNIR(compact(room[:0], b[i:end])) {
		s.claim(nir, i, end, true, glued(b, i, end) || s.field.identifies(s.set, nir))
	}
}

// nirGrouped looks for 1-2-2-2-3-3-2 characters.
func (s *scanner) nirGrouped(i int) {
	b := s.text
	const length = lenNIR + 6
	if !s.set.on[nir] || i+length > len(b) {
		return
	}
	sep, end := b[i+1], i+length
	if sep != ' ' && sep != '.' && sep != '-' || !wordEnds(b, end) {
		return
	}
	for _, at := range [...]int{4, 7, 10, 14, 18} {
		if b[i+at] != sep {
			return
		}
	}
	var room [lenNIR]byte
	if v := compact(room[:0], b[i:end]); len(v) == lenNIR && isNIR(v) {
		s.claim(nir, i, end, true, glued(b, i, end) || digitsAround(b, i, end, sep))
	}
}

// isNIR checks sex, month and département, of which Corsica's have a letter, and the key: 97 less the rest of all before.
func isNIR(v []byte) bool {
	corsica := 0
	for k, c := range v {
		switch {
		case class[c] == digit:
		case k == 6 && v[5] == '2' && c&^0x20 == 'A':
			corsica = 1
		case k == 6 && v[5] == '2' && c&^0x20 == 'B':
			corsica = 2
		default:
			return false
		}
	}
	if bytes.IndexByte([]byte("123478"), v[0]) < 0 || string(v[5:7]) == "00" || string(v[10:13]) == "000" {
		return false
	}
	switch month := int(v[3]-'0')*10 + int(v[4]-'0'); {
	case month == 0, month > 12 && month < 20, month > 42 && month < 50:
		return false // 20 and more where the month is not known
	}
	rest := 0
	for k, c := range v[:lenNIR-2] {
		d := int(c - '0')
		if k == 6 && corsica > 0 { // 2A counts as 19, 2B as 18
			d = 0
		}
		rest = (rest*10 + d) % 97
	}
	rest = (rest + 97*97 - corsica*(1_000_000%97)) % 97
	return 97-rest == int(v[13]-'0')*10+int(v[14]-'0')
}

// dniBare looks at eight digits and a letter.
func (s *scanner) dniBare(i, end int) {
	if s.set.on[dni] && isDNI(s.text[i:end]) {
		s.claim(dni, i, end, true, glued(s.text, i, end) || s.field.identifies(s.set, dni) || isDate(s.text[i:end]))
	}
}

// dniHyphen looks at eight digits, a hyphen and a letter.
func (s *scanner) dniHyphen(i, digits int) {
	b, end := s.text, digits+2
	if !s.set.on[dni] || end > len(b) || b[digits] != '-' || !wordEnds(b, end) {
		return
	}
	var room [lenDNI]byte
	if v := compact(room[:0], b[i:end]); len(v) == lenDNI && isDNI(v) {
		s.claim(dni, i, end, true, glued(b, i, end) || isDate(v))
	}
}

// dniDotted looks for 2-3-3 digits between dots, a hyphen and a letter.
func (s *scanner) dniDotted(i int) {
	b, end := s.text, i+lenDNI+3
	if !s.set.on[dni] || end > len(b) || b[i+2] != '.' || b[i+6] != '.' || b[i+10] != '-' || !wordEnds(b, end) {
		return
	}
	var room [lenDNI]byte
	if v := compact(room[:0], b[i:end]); len(v) == lenDNI && isDNI(v) {
		s.claim(dni, i, end, true, glued(b, i, end))
	}
}

// isDNI checks the letter, by the rest of the number.
func isDNI(v []byte) bool {
	n := 0
	for _, c := range v[:8] {
		if class[c] != digit {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return n > 0 && class[v[8]]&letter != 0 && "TRWAGMYFPDXBNJZSQVHLCKE"[n%23] == v[8]&^0x20
}

// isDate says whether digits begin as a date of these centuries does: 20261124Z.
func isDate(v []byte) bool {
	year, month, day := string(v[:2]), string(v[4:6]), string(v[6:8])
	return (year == "19" || year == "20") && month >= "01" && month <= "12" && day >= "01" && day <= "31"
}

// fiscalCode looks at sixteen letters and digits, in one case.
func (s *scanner) fiscalCode(i, end int, shape uint8) {
	if s.set.on[fiscalCode] && shape&letter != letter && isFiscalCode(s.text[i:end]) {
		s.claim(fiscalCode, i, end, true, glued(s.text, i, end) || s.field.identifies(s.set, fiscalCode))
	}
}

const (
	formFiscalCode = "aaaaaannmnnannna" // letters, digits and the month
	omocodia       = "LMNPQRSTUV"       // stand for 0 to 9 where two people would have the same code
	monthsOfBirth  = "ABCDEHLMPRST"
)

// oddFiscalCode is what the characters at odd places count.
var oddFiscalCode = [26]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}

// isFiscalCode checks the form, the date of birth and the last letter.
func isFiscalCode(v []byte) bool {
	sum := 0
	var number [lenFiscalCode]int
	for k, c := range v {
		value := int(c - '0') // as a digit, or the place in the alphabet
		if class[c] != digit {
			c &^= 0x20
			value = int(c - 'A')
		}
		switch formFiscalCode[k] {
		case 'a':
			if class[c] == digit {
				return false
			}
		case 'm':
			if bytes.IndexByte([]byte(monthsOfBirth), c) < 0 {
				return false
			}
		default:
			if number[k] = value; class[c] != digit {
				if number[k] = bytes.IndexByte([]byte(omocodia), c); number[k] < 0 {
					return false
				}
			}
		}
		if k == lenFiscalCode-1 {
			break
		}
		if k&1 == 0 {
			value = oddFiscalCode[value]
		}
		sum += value
	}
	day := number[9]*10 + number[10] // of women 40 more
	return day%40 >= 1 && day%40 <= 31 && day < 72 && sum%26 == int(v[lenFiscalCode-1]&^0x20-'A')
}
