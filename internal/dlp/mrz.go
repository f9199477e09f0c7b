package dlp

import "bytes"

// documents are what machines read from passports and payment cards.
var documents = map[uint8]detector{
	mrz: {Type: Type{"pii.passport_mrz", "Machine-readable zone of a travel document", "pii/travel", 4, `passport mrz travel document visa
		icao`}, least: 60, own: (*scanner).mrz, openings: "P< | V< | I< | A< | C<"},
	track1: {Type: Type{"pci.card_track1", "Track 1 of a payment card", "pci", 4, `track track1 magstripe magnetic swipe`}, least: minTrack},
	track2: {Type: Type{"pci.card_track2", "Track 2 of a payment card", "pci", 4, `track track2 magstripe magnetic swipe`}, least: minTrack},
}

const (
	minTrack = 22
	maxTrack = 79
)

// mrz looks at two or three lines of letters, digits and fillers, in the sizes of ICAO 9303 parts 4 to 7.
func (s *scanner) mrz(kind uint8, i, _ int) {
	b := s.text
	first := zone(b, i)
	next := skip(b, first, "\r\n \\nr", 8)
	n := first - i
	second := zone(b, next)
	if n != 30 && n != 36 && n != 44 || second-next != n {
		return
	}
	one, two := b[i:first], b[next:second]
	holds := false
	switch {
	case n == 30:
		holds = digitHolds(one[5:14], one[14]) && digitHolds(two[:6], two[6]) && digitHolds(two[8:14], two[14]) &&
			digitHolds(bytes.Join([][]byte{one[5:], two[:7], two[8:15], two[18:29]}, nil), two[29])
		if third := skip(b, second, "\r\n \\nr", 8); holds && zone(b, third)-third == n {
			second = zone(b, third)
		}
	default:
		holds = digitHolds(two[:9], two[9]) && digitHolds(two[13:19], two[19]) && digitHolds(two[21:27], two[27])
		if holds && one[0] != 'V' {
			holds = digitHolds(bytes.Join([][]byte{two[:10], two[13:20], two[21 : n-1]}, nil), two[n-1])
		}
	}
	if holds {
		s.claim(kind, i, second, true, false)
	}
}

// zone gives the end of a line of a machine-readable zone.
func zone(b []byte, i int) int {
	for i < len(b) && (class[b[i]]&(digit|upper) != 0 || b[i] == '<') {
		i++
	}
	return i
}

// digitHolds is the check digit of ICAO 9303 part 3, for which a filler stands where there is nothing.
func digitHolds(v []byte, check byte) bool {
	return check == byte('0'+icao(v)) || check == '<' && len(bytes.Trim(v, "<0")) == 0
}

// trackOne looks behind a percent sign: format B, the number, the name, expiry and service code, up to a question mark (ISO/IEC 7813).
func (s *scanner) trackOne(i int) {
	b := s.text[:min(len(s.text), i+maxTrack)]
	if i+2 >= len(b) || b[i+1] != 'B' {
		return
	}
	k := i + 2
	for k < len(b) && class[b[k]] == digit {
		k++
	}
	name := k + 1
	if n := k - i - 2; n < minCard || n > maxCard || k >= len(b) || b[k] != '^' || !isCard(b[i+2:k]) {
		return
	}
	end := bytes.IndexByte(b[name:], '^')
	if end < 2 || end > 26 {
		return
	}
	if to := tail(b, name+end+1); to > 0 {
		s.claim(track1, i, to, true, false)
	}
}

// trackTwo looks at a number between a semicolon and an equals sign.
func (s *scanner) trackTwo(i, end int) {
	b := s.text
	if i == 0 || b[i-1] != ';' || end >= len(b) || b[end] != '=' || !isCard(b[i:end]) {
		return
	}
	if to := tail(b[:min(len(b), i+40)], end+1); to > 0 {
		s.claim(track2, i-1, to, true, false)
	}
}

// tail is the end of expiry, service code and what the issuer adds, with the question mark, or 0.
func tail(b []byte, i int) int {
	k := i
	for k < len(b) && (class[b[k]]&(digit|upper) != 0 || b[k] == ' ') {
		k++
	}
	if k-i < 7 || k >= len(b) || b[k] != '?' || class[b[i]]&class[b[i+1]]&class[b[i+2]]&class[b[i+3]]&digit == 0 ||
		two(b[i+2:]) < 1 || two(b[i+2:]) > 12 {
		return 0
	}
	return k + 1
}
