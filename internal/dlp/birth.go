package dlp

import "strings"

// belgian counts numbers of those born since 2000, who are no older than that yet, with a 2 before. Of those who are not Belgians the
// month is 20 or 40 more; where the register ran out of numbers, or does not know the day, there is no such month or day.
func belgian(v []byte) verdict {
	key, n, month := two(v[9:]), whole(v[:9]), two(v[2:])
	return strong(month <= 52 && month%20 <= 12 && (97-n%97 == key || two(v) < 40 && 97-(n+2_000_000_000)%97 == key))
}

// austrian takes months up to 15, of days on which all numbers were given.
func austrian(v []byte) verdict {
	check := weighted(v, 3, 7, 9, 0, 5, 8, 4, 2, 1, 6) % 11
	day, month := two(v[4:]), two(v[6:])
	return strong(v[0] != '0' && check == num(v[3]) && (date(two(v[8:]), month, day) || month > 12 && month <= 15 && day <= 31))
}

// ean13 is the check digit of GS1.
func ean13(v []byte) bool {
	return (10-weighted(v, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3)%10)%10 == num(v[12])
}

// danishYear reads the century from the seventh digit.
func danishYear(v []byte) int {
	year := two(v[4:])
	switch c := v[6]; {
	case c >= '5' && c <= '8' && year >= 58:
		return 1800 + year
	case c <= '3', (c == '4' || c == '9') && year >= 37:
		return 1900 + year
	}
	return 2000 + year
}

// swedish takes numbers for those without one, of whom the day is 60 more, and those with a century before.
func swedish(v []byte) verdict {
	year := 0
	if len(v) == 12 {
		if year = whole(v[:4]); year < 1800 || year > 2099 {
			return refused
		}
		v = v[2:]
	} else {
		year = two(v)
	}
	return strong(luhned(v) && date(year, two(v[2:]), two(v[4:])%60))
}

// norwegian takes the numbers of those who do not live there, of whom the day is 40 more, and temporary ones, of which the month is.
func norwegian(v []byte) verdict {
	first := (11 - weighted(v, 3, 7, 6, 1, 8, 9, 4, 5, 2)%11) % 11
	second := (11 - weighted(v, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
	if first != num(v[9]) || second != num(v[10]) {
		return refused
	}
	year, person := two(v[4:]), whole(v[6:9])
	switch {
	case person < 500, person >= 900 && year >= 40:
		year += 1900
	case person < 750 && year >= 54:
		year += 1800
	case year < 40:
		year += 2000
	default:
		return refused
	}
	return strong(date(year, two(v[2:])%40, two(v)%40))
}

func hetu(v []byte) verdict {
	person := v[6:9]
	if len(v) == 11 {
		if person = v[7:10]; strings.IndexByte("ABCDEFUVWXY", v[6]) < 0 {
			return refused
		}
	}
	n := whole(v[:6])*1000 + whole(person)
	return strong(whole(person) >= 2 && "0123456789ABCDEFHJKLMNPRSTUVWXY"[n%31] == v[len(v)-1] && date(two(v[4:]), two(v[2:]), two(v)))
}

// baltic is the check digit of Estonia and Lithuania.
func baltic(v []byte) bool {
	r := weighted(v, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1) % 11
	if r == 10 {
		r = weighted(v, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3) % 11 % 10
	}
	return r == num(v[10])
}

// balticDate reads the century from the first digit, which is the sex too.
func balticDate(v []byte) bool {
	return v[0] >= '1' && v[0] <= '8' && date(1800+(num(v[0])-1)/2*100+two(v[1:]), two(v[3:]), two(v[5:]))
}

// pesel reads the century from the month.
func pesel(v []byte) verdict {
	check := (10 - weighted(v, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3)%10) % 10
	month := two(v[2:])
	year := [...]int{1900, 2000, 2100, 2200, 1800}[month/20] + two(v)
	return strong(check == num(v[10]) && date(year, month%20, two(v[4:])))
}

// polishCard has its check digit after the letters.
func polishCard(v []byte) verdict {
	sum := base36(v[0])*7 + base36(v[1])*3 + base36(v[2])*1 + weighted(v[4:], 7, 3, 1, 7, 3)
	return strong(sum%10 == num(v[3]))
}

// birthNumber takes the months of women, 50 more, and since 2004 others, of which 20 more were given. Before 1954 there was no check
// digit.
func birthNumber(v []byte) verdict {
	year := 1900 + two(v)
	month, day := two(v[2:])%50, two(v[4:])
	if len(v) == 9 {
		if year >= 1980 {
			year -= 100
		}
		if year > 1953 {
			return refused
		}
		return loosely(date(year, month, day))
	}
	if year < 1954 {
		year += 100
	}
	if month > 20 && year >= 2004 {
		month -= 20
	}
	check := whole(v[:9]) % 11
	if year <= 1985 {
		check %= 10
	}
	return strong(date(year, month, day) && check == num(v[9]))
}

// cnp checks sex and century, the county and the date.
func cnp(v []byte) verdict {
	century := map[byte]int{'1': 1900, '2': 1900, '3': 1800, '4': 1800, '5': 2000, '6': 2000, '7': 1900, '8': 1900, '9': 1900}[v[0]]
	county := two(v[7:])
	r := weighted(v, 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9) % 11
	if r == 10 {
		r = 1
	}
	known := county >= 1 && county <= 48 || county == 51 || county == 52 || county == 70 || county == 80 || county == 81 ||
		county == 82 || county == 83
	return strong(century > 0 && known && r == num(v[12]) && date(century+two(v[1:]), two(v[3:]), two(v[5:])))
}

// egn reads the century from the month.
func egn(v []byte) verdict {
	month := two(v[2:])
	year := 1900 + two(v)
	switch {
	case month > 40:
		month, year = month-40, year+100
	case month > 20:
		month, year = month-20, year-100
	}
	return strong(weighted(v, 2, 4, 8, 5, 10, 9, 7, 3, 6)%11%10 == num(v[9]) && date(year, month, two(v[4:])))
}

// emso has three digits of the year.
func emso(v []byte) verdict {
	year := 1000 + whole(v[4:7])
	if year < 1800 {
		year += 1000
	}
	r := (11 - weighted(v, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11 % 10
	return strong(r == num(v[12]) && date(year, two(v[2:]), two(v)))
}

// citizenCard is Luhn's check over letters as numbers from 10.
func citizenCard(v []byte) verdict {
	if class[v[8]] != digit || class[v[11]] != digit {
		return refused
	}
	sum := 0
	for i, c := range v {
		d := base36(c)
		if i&1 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return strong(sum%10 == 0)
}

func turkish(v []byte) verdict {
	if v[0] == '0' {
		return refused
	}
	odd, even := weighted(v, 1, 0, 1, 0, 1, 0, 1, 0, 1), weighted(v, 0, 1, 0, 1, 0, 1, 0, 1)
	all := weighted(v, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
	return strong(((odd*7-even)%10+10)%10 == num(v[9]) && all%10 == num(v[10]))
}
