package dlp

import (
	"bytes"
	"maps"
	"slices"
)

// num is the value of a digit.
func num(c byte) int { return int(c - '0') }

// two is the number that two digits make.
func two(v []byte) int { return num(v[0])*10 + num(v[1]) }

// whole is the number that digits make.
func whole(v []byte) (n int) {
	for _, c := range v {
		n = n*10 + num(c)
	}
	return n
}

// weighted adds digits, each times its weight.
func weighted(v []byte, weights ...int) (sum int) {
	for i, w := range weights {
		sum += num(v[i]) * w
	}
	return sum
}

// luhned says whether digits pass the check of ISO/IEC 7812.
func luhned(v []byte) bool {
	sum := 0
	for i := range v {
		d := num(v[len(v)-1-i])
		if i&1 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// mod1110 says whether digits pass the check of ISO 7064 mod 11,10.
func mod1110(v []byte) bool {
	rest := 10
	for _, c := range v[:len(v)-1] {
		if rest = (rest + num(c)) % 10; rest == 0 {
			rest = 10
		}
		rest = rest * 2 % 11
	}
	return (rest+num(v[len(v)-1]))%10 == 1
}

// icao is the check of ISO/IEC 7501 (ICAO 9303): weights 7, 3, 1, letters from 10.
func icao(v []byte) (sum int) {
	for i, c := range v {
		if c != '<' { // a filler
			sum += base36(c) * [...]int{7, 3, 1}[i%3]
		}
	}
	return sum % 10
}

// base36 is the value of a digit or capital.
func base36(c byte) int {
	if class[c] == digit {
		return num(c)
	}
	return int(c-'A') + 10
}

// same says whether all characters are.
func same(v []byte) bool {
	for _, c := range v {
		if c != v[0] {
			return false
		}
	}
	return true
}

// date says whether there is such a day. Of a year of two digits the century is not known: then there is a 29 February if any has it.
func date(year, month, day int) bool {
	switch {
	case month < 1 || month > 12 || day < 1 || day > 31:
		return false
	case day == 31:
		return month != 2 && month != 4 && month != 6 && month != 9 && month != 11
	case month == 2 && day == 30:
		return false
	case month == 2 && day == 29:
		return year%4 == 0 && (year < 100 || year%100 != 0 || year%400 == 0)
	}
	return true
}

// single is the verdict of one check digit: of bare digits one in ten or so passes by chance.
func single(ok bool) verdict {
	if ok {
		return passes
	}
	return refused
}

// strong is the verdict of more than one check digit, or of one together with an inner structure.
func strong(ok bool) verdict {
	if ok {
		return holds
	}
	return refused
}

// loosely is the verdict of rules that only exclude.
func loosely(ok bool) verdict {
	if ok {
		return plausible
	}
	return refused
}

// checksums are the checks that detectors of the user's own may name.
var checksums = map[string]func(v []byte) bool{
	"luhn":     luhned,
	"mod11_10": func(v []byte) bool { return len(v) > 1 && mod1110(v) },
	"verhoeff": verhoeff,
	"mod97": func(v []byte) bool {
		rest := 0
		for _, c := range v {
			rest = mod97(rest, c)
		}
		return rest == 1
	},
}

// Checksums are the names of the checks, sorted.
func Checksums() []string { return slices.Sorted(maps.Keys(checksums)) }

// Checksum says whether the letters and digits of a value pass a check of Checksums; only mod97 (ISO 7064 mod 97-10) has letters.
func Checksum(name string, value []byte) bool {
	v := bytes.ToUpper(compact(nil, value))
	if name != "mod97" && bytes.ContainsFunc(v, func(c rune) bool { return c > '9' }) {
		return false
	}
	return len(v) > 0 && checksums[name](v)
}
