package dlp

import (
	"bytes"
	"maps"
	"slices"
	"strings"
)

// vat are the identification numbers for value added tax of the European Union, with the country's code before them.
// https://ec.europa.eu/taxation_customs/vies/#/faq
var vat = map[uint8]detector{
	euVAT: {Type: Type{"finance.eu_vat", "EU VAT number", "finance", 1, `vat vatnumber vatid vatno ustidnr ustid umsatzsteuer tva btw iva moms
		mwst uid nip dph adószám ддс φπα`}, exact: true, openings: vatOpenings(), check: func(v []byte) verdict {
		return strong(vatNumbers[string(v[:2])].holds(bytes.ReplaceAll(v[2:], []byte(" "), nil)))
	}},
}

// vatNumber is how numbers of a country are written, as an opening, and its check.
type vatNumber struct {
	form  string
	holds func(v []byte) bool
}

func vatOpenings() string {
	var all []string
	for _, country := range slices.Sorted(maps.Keys(vatNumbers)) {
		for form := range strings.SplitSeq(vatNumbers[country].form, " or ") {
			if all = append(all, country+form, country+" "+form); form == "<d9>" {
				all = append(all, country+" <d3> <d3> <d3>")
			}
		}
	}
	return strings.Join(all, " | ")
}

var vatNumbers = map[string]vatNumber{
	"AT": {"U<d8>", func(v []byte) bool {
		sum := 0
		for i, c := range v[1:8] {
			d := num(c) * (1 + i%2)
			sum += d/10 + d%10
		}
		return (16-sum%10)%10 == num(v[8])
	}},
	"BE": {"<d10>", func(v []byte) bool { return v[0] <= '1' && whole(v[:8]) > 0 && 97-whole(v[:8])%97 == two(v[8:]) }},
	"BG": {"<d9,10>", func(v []byte) bool {
		if len(v) == 10 {
			return egn(v) != refused
		}
		check := weighted(v, 1, 2, 3, 4, 5, 6, 7, 8) % 11
		if check == 10 {
			check = weighted(v, 3, 4, 5, 6, 7, 8, 9, 10) % 11
		}
		return check%10 == num(v[8])
	}},
	"CY": {"<d8><A1>", func(v []byte) bool {
		sum := 0
		for i, c := range v[:8] {
			if i%2 == 0 {
				sum += [...]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21}[num(c)]
			} else {
				sum += num(c)
			}
		}
		return string(v[:2]) != "12" && v[8] == byte('A'+sum%26)
	}},
	"CZ": {"<d8,10>", func(v []byte) bool {
		if len(v) > 8 {
			return birthNumber(v) != refused
		}
		check := (11 - weighted(v, 8, 7, 6, 5, 4, 3, 2)%11) % 11
		return v[0] != '9' && max(check, 1)%10 == num(v[7])
	}},
	"DE": {"<d9>", func(v []byte) bool { return v[0] != '0' && mod1110(v) }},
	"DK": {"<d8>", func(v []byte) bool { return v[0] != '0' && weighted(v, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0 }},
	"EE": {"<d9>", func(v []byte) bool { return weighted(v, 3, 7, 1, 3, 7, 1, 3, 7, 1)%10 == 0 }},
	"EL": {"<d9>", func(v []byte) bool {
		return whole(v) > 0 && weighted(v, 256, 128, 64, 32, 16, 8, 4, 2)%11%10 == num(v[8])
	}},
	"ES": {"<A1><d7><A1>", spanishVAT},
	"FI": {"<d8>", func(v []byte) bool { return whole(v) > 0 && weighted(v, 7, 9, 10, 5, 8, 4, 2, 1)%11 == 0 }},
	"FR": {"<d11>", func(v []byte) bool { return luhned(v[2:]) && (whole(v[2:])*100+12)%97 == two(v) }},
	"HR": {"<d11>", mod1110},
	"HU": {"<d8>", func(v []byte) bool { return whole(v) > 0 && weighted(v, 9, 7, 3, 1, 9, 7, 3, 1)%10 == 0 }},
	"IE": {"<d7><A1,2>", func(v []byte) bool { return pps(v) != refused }},
	"IT": {"<d11>", func(v []byte) bool { return piva(v) != refused }},
	"LT": {"<d9> or <d12>", func(v []byte) bool {
		n, check := len(v)-1, 0
		for _, from := range [...]int{0, 2} {
			sum := 0
			for i, c := range v[:n] {
				sum += (1 + (i+from)%9) * num(c)
			}
			if check = sum % 11; check < 10 {
				break
			}
		}
		return v[n-1] == '1' && check%10 == num(v[n])
	}},
	"LU": {"<d8>", func(v []byte) bool { return whole(v) > 0 && whole(v[:6])%89 == two(v[6:]) }},
	"LV": {"<d11>", func(v []byte) bool {
		if v[0] > '3' {
			return weighted(v, 9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1)%11 == 3
		}
		return (1+weighted(v, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9))%11%10 == num(v[10]) && two(v[2:]) <= 12 && two(v) <= 31
	}},
	"MT": {"<d8>", func(v []byte) bool { return v[0] != '0' && weighted(v, 3, 4, 6, 7, 8, 9, 10, 1)%37 == 0 }},
	"NL": {"<d9>B<d2>", func(v []byte) bool {
		rest := 23*100 + 21
		for _, c := range v {
			rest = mod97(rest, c)
		}
		return whole(v[:9]) > 0 && two(v[10:]) > 0 && (elevenProof(v[:9]) || rest == 1)
	}},
	"PL": {"<d10>", polishTax},
	"PT": {"<d9>", portugueseTax},
	"RO": {"<d4,10>", func(v []byte) bool {
		sum, weights := 0, [...]int{2, 3, 5, 7, 1, 2, 3, 5, 7}
		for i := range len(v) - 1 {
			sum += weights[i] * num(v[len(v)-2-i])
		}
		return v[0] != '0' && sum*10%11%10 == num(v[len(v)-1])
	}},
	"SE": {"<d12>", func(v []byte) bool { return luhned(v[:10]) && whole(v[:10]) > 0 && two(v[10:]) > 0 }},
	"SI": {"<d8>", func(v []byte) bool {
		check := 11 - weighted(v, 8, 7, 6, 5, 4, 3, 2)%11
		return v[0] != '0' && check < 11 && check%10 == num(v[7])
	}},
	"SK": {"<d10>", func(v []byte) bool {
		return v[0] != '0' && bytes.IndexByte([]byte("234789"), v[2]) >= 0 && whole(v)%11 == 0
	}},
}

// spanishVAT is a DNI, an NIE or a CIF.
func spanishVAT(v []byte) bool {
	switch {
	case class[v[0]] == digit:
		return class[v[8]] == upper && isDNI(v)
	case bytes.IndexByte([]byte("XYZ"), v[0]) >= 0:
		return class[v[8]] == upper && nie(v) != refused
	case bytes.IndexByte([]byte("ABCDEFGHJKLMNPQRSUVW"), v[0]) < 0:
		return false
	}
	sum := 0
	for i, c := range v[1:8] {
		d := num(c) * (2 - i%2)
		sum += d/10 + d%10
	}
	check := (10 - sum%10) % 10
	switch {
	case bytes.IndexByte([]byte("ABEH"), v[0]) >= 0:
		return v[8] == byte('0'+check)
	case bytes.IndexByte([]byte("PQSKNWR"), v[0]) >= 0:
		return v[8] == "JABCDEFGHI"[check]
	}
	return v[8] == byte('0'+check) || v[8] == "JABCDEFGHI"[check]
}
