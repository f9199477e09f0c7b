package dlp

import "strings"

const minIBAN = 15

// country is how account numbers of a country are built (ISO 13616 registry).
type country struct {
	length int
	parts  string // after the check digits: n digits, a letters, c both, each with its count as a byte
}

var ibans = readCountries(`AD n8c12, AE n19, AL n8c16, AT n16, AZ a4c20, BA n16, BE n12, BG a4n6c8, BH a4c14, BI n23, BR n23a1c1,
 BY c4n4c16, CH n5c12, CR n18, CY n8c16, CZ n20, DE n18, DJ n23, DK n14, DO c4n20, EE n16, EG n25, ES n20, FI n14, FK a2n12,
 FO n14, FR n10c11n2, GB a4n14, GE a2n16, GI a4c15, GL n14, GR n7c16, GT c24, HN a4n20, HR n17, HU n24, IE a4n14, IL n19,
 IQ a4n15, IS n22, IT a1n10c12, JO a4n4c18, KW a4c22, KZ n3c13, LB n4c20, LC a4c24, LI n5c12, LT n16, LU n3c13, LV a4c13,
 LY n21, MC n10c11n2, MD c20, ME n18, MK n3c10n2, MN n16, MR n23, MT a4n5c18, MU a4n19a3, NI a4n20, NL a4n10, NO n11, OM n3c16,
 PK a4c16, PL n24, PS a4c21, PT n21, QA a4c21, RO a4c16, RS n18, RU n14c15, SA n2c18, SC a4n20a3, SD n14, SE n20, SI n15,
 SK n20, SM a1n10c12, SO n19, ST n21, SV a4n20, TL n19, TN n20, TR n6c16, UA n6c19, VA n18, VG a4n16, XK n16, YE a4n4c18`)

func readCountries(table string) map[string]country {
	out := map[string]country{}
	for entry := range strings.SplitSeq(table, ",") {
		name, spec, _ := strings.Cut(strings.TrimSpace(entry), " ")
		c := country{length: 4}
		for i := 0; i < len(spec); {
			kind, n := spec[i], 0
			for i++; i < len(spec) && spec[i] <= '9'; i++ {
				n = n*10 + int(spec[i]-'0')
			}
			c.length += n
			c.parts += string([]byte{kind, byte(n)})
		}
		out[name] = c
	}
	return out
}

// iban looks for an account number: in one token, or in groups of four after a space or hyphen.
func (s *scanner) iban(kind uint8, i, end int) {
	b := s.text
	if end-i < 4 || class[b[i+2]]&class[b[i+3]]&digit == 0 {
		return
	}
	c := ibans[string(b[i:i+2])]
	if end-i != c.length {
		if end-i != 4 || end >= len(b) || b[end] != ' ' && b[end] != '-' {
			return
		}
		if end = grouped(b, i, c.length); end == 0 {
			return
		}
	}
	if c.fits(b[i:end]) {
		s.claim(kind, i, end, true, false)
	}
}

// grouped gives the end of n letters and digits in groups of four, or 0.
func grouped(b []byte, i, n int) int {
	sep := b[i+4]
	for got := 4; got < n; got += 4 {
		i += 4
		if i >= len(b) || b[i] != sep {
			return 0
		}
		i++
		for k := i; k < i+min(4, n-got); k++ {
			if k >= len(b) || class[b[k]]&(digit|upper) == 0 {
				return 0
			}
		}
	}
	end := i + (n-1)%4 + 1
	if end < len(b) && class[b[end]]&inWord != 0 {
		return 0
	}
	return end
}

// fits checks the parts and the check digits (ISO 7064 mod 97-10, over the number with its first four at the end).
func (c country) fits(b []byte) bool {
	var val [34]byte
	n := 0
	for _, x := range b {
		if class[x]&(digit|upper) != 0 {
			val[n] = x
			n++
		}
	}
	if n != c.length {
		return false
	}
	at, left, rest := 0, 0, 0
	for k := 4; k < n; k++ {
		if left == 0 {
			left = int(c.parts[at+1])
			at += 2
		}
		left--
		is, kind := class[val[k]], c.parts[at-2]
		if kind == 'n' && is != digit || kind == 'a' && is != upper {
			return false
		}
		rest = mod97(rest, val[k])
	}
	for k := range 4 {
		rest = mod97(rest, val[k])
	}
	return rest == 1
}

func mod97(rest int, c byte) int {
	if class[c] == digit {
		return (rest*10 + int(c-'0')) % 97
	}
	return (rest*100 + int(c-'A') + 10) % 97
}
