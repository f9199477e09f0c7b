package dlp

import (
	"net/netip"
	"strings"
)

// technical are addresses of machines, telephones and banks, and dates of birth.
var technical = map[uint8]detector{
	ipAddr: {Type: Type{"technical.ip_addr", "IP address", "technical", 1, `ip ips ipv4 ipv6 ipaddress ipaddr clientip remoteip sourceip
		hostip`}, least: len("1.1.1.1")},
	macAddr: {Type: Type{"technical.mac_addr", "MAC address", "technical", 1, `mac macs macaddress macaddr ethernet hwaddr hardwareaddress
		bssid wifi bluetooth`}, least: lenMAC},
	imei: {Type: Type{"technical.imei", "IMEI of a mobile device", "technical", 2, `imei imeis imeinumber imeino mobileequipment`},
		forms: "9{15} | 99-9{6}-9{6}-9 | 99 9{6} 9{6} 9", check: func(v []byte) verdict {
			body := strings.Contains(" 01 10 30 33 35 44 45 49 50 51 52 53 54 86 91 98 99 ", " "+string(v[:2])+" ")
			return single(body && luhned(v) && whole(v) > 0)
		}},
	dob: {Type: Type{"pii.dob", "Date of birth", "pii/contact", 2, `dob born birth birthdate birthday dateofbirth birthdays geburtsdatum
		geboren geburtstag naissance datenaissance nacimiento fechanacimiento nascita datanascita nascimento datanascimento geboortedatum
		födelsedatum fødselsdato syntymäaika urodzenia narození doğumtarihi
		рождения γέννησης 生年月日 出生日期 출생일 생년월일`},
		forms: "!9999-99-99 | !9999/99/99 | !9999.99.99 | !99-99-9999 | !9{1,2}/9{1,2}/9999 | !9{1,2}.9{1,2}.9999 | !9{1,2} A{3,9} 9999 |" +
			" !9{1,2}. A{3,9} 9999 | !A{3,9} 9{1,2}, 9999", check: birthday, words: true},
	swiftBIC: {Type: Type{"finance.swift_bic", "Bank identifier code", "finance", 1, `swift bic swiftcode swiftbic bankidentifier biccode`},
		forms: "!U{6}Z{2} | !U{6}Z{5}", check: func(v []byte) verdict {
			return loosely(inCountry(v[4:6]) && v[6] != '0' && v[6] != '1' || string(v[4:6]) == "XK")
		}},
	ukSort: {Type: Type{"finance.uk_sort_account", "UK bank account number", "finance", 2, `sortcode sort account accountnumber accountno
		bacs bankaccount`}, forms: "!99-99-99 9{8} | !99 99 99 9{8} | !9{6} 9{8} | !99-99-99-9{8}"},
	phone: {Type: Type{"pii.phone_intl", "International telephone number", "pii/contact", 1, `phone phones telephone tel cell mobile fax call
		phonenumber telefon telefono téléphone telefone handy mobil whatsapp sms msisdn телефон 电话 電話 전화`}, least: minPhone + 1},
}

const lenMAC = 17

// countries of ISO 3166-1.
const countries = " AD AE AF AG" +
	" AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD" +
	" CF" +
	" CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM" +
	" GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI" +
	" LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA" +
	" PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG" +
	" TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW "

// byLetters has a bit for each second letter of a country's code, by the first.
var byLetters = func() (of [26]uint32) {
	for code := range strings.FieldsSeq(countries) {
		of[code[0]-'A'] |= 1 << (code[1] - 'A')
	}
	return of
}()

// inCountry says whether two capitals are a country's code.
func inCountry(v []byte) bool {
	return class[v[0]] == upper && class[v[1]] == upper && byLetters[v[0]-'A']>>(v[1]-'A')&1 != 0
}

// months are how the names of months begin, in languages with Latin letters, by their number.
var months = [...]string{"JAN GEN ENE", "FEB FEV FÉV", "MAR MÄR MRT", "APR AVR ABR", "MAI MAY MAG", "JUN JUI GIU", "JUL LUG", "AUG AGO AOU",
	"SEP SET", "OCT OKT OTT OUT", "NOV", "DEC DEZ DIC"}

// birthday says whether a date is one of the last 130 years, in one of the orders that its form allows.
func birthday(v []byte) verdict {
	i := 0
	for i < len(v) && class[v[i]] == digit {
		i++
	}
	k := i
	for k < len(v) && class[v[k]] != digit {
		k++
	}
	switch {
	case i == len(v) && len(v) == 8 && (string(v[:2]) == "19" || string(v[:2]) == "20") && two(v[4:]) <= 12:
		return loosely(lived(whole(v[:4]), two(v[4:]), two(v[6:])))
	case i == len(v):
		year, rest := whole(v[len(v)-4:]), v[:len(v)-4]
		for cut := 1; cut < len(rest); cut++ {
			a, b := whole(rest[:cut]), whole(rest[cut:])
			if lived(year, a, b) || lived(year, b, a) {
				return plausible
			}
		}
		return refused
	case i == 0: // March 12, 1980
		return loosely(lived(whole(v[len(v)-4:]), month(v[:k]), whole(v[k:len(v)-4])))
	}
	return loosely(lived(whole(v[k:]), month(v[i:k]), whole(v[:i])))
}

func lived(year, month, day int) bool { return year >= 1900 && year <= 2030 && date(year, month, day) }

func month(name []byte) int {
	for i, starts := range months {
		if len(name) >= 3 && strings.Contains(starts, string(name[:3])) {
			return i + 1
		}
	}
	return 0
}

// ipv4 looks at four numbers between dots, of no private network.
func (s *scanner) ipv4(i int) {
	b, end := s.text, i
	if i > 0 && (b[i-1] == '.' || b[i-1] == '-') {
		return
	}
	var part [4]int
	for k := range part {
		start := end
		for end < len(b) && end-start < 4 && class[b[end]] == digit {
			part[k] = part[k]*10 + num(b[end])
			end++
		}
		if end == start || part[k] > 255 || end-start > 1 && b[start] == '0' || k < 3 && (end == len(b) || b[end] != '.') {
			return
		}
		if k < 3 {
			end++
		}
	}
	if !wordEnds(b, end) || end+1 < len(b) && b[end] == '.' && class[b[end+1]]&inWord != 0 ||
		!public(netip.AddrFrom4([4]byte{byte(part[0]), byte(part[1]), byte(part[2]), byte(part[3])})) {
		return
	}
	s.claim(ipAddr, i, end, false, false)
}

func public(a netip.Addr) bool {
	if a.Is4() && (a.As4()[0] == 0 || a.As4()[0] >= 224) {
		return false
	}
	return !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsMulticast() && !a.IsUnspecified()
}

// ipv6 looks around a colon at groups of hexadecimal digits, of which there are eight, or two colons stand together (RFC 4291).
func (s *scanner) ipv6(at int) {
	b, i := s.text, at
	for i > 0 && at-i < 4 && hexDigit[b[i-1]] {
		i--
	}
	if i == at && (at+1 >= len(b) || b[at+1] != ':') || i > 0 && (class[b[i-1]]&inWord != 0 || b[i-1] == '.' || b[i-1] == ':') {
		return
	}
	end, colons, short := i, 0, false
	for end < len(b) && end-i <= 45 && (hexDigit[b[end]] || b[end] == ':' || b[end] == '.') {
		if b[end] == ':' {
			colons++
			short = short || end > i && b[end-1] == ':'
		}
		end++
	}
	for end > i && (b[end-1] == '.' || b[end-1] == ':' && (end-2 < i || b[end-2] != ':')) {
		end--
	}
	if colons < 2 || !short && colons < 6 || !wordEnds(b, end) {
		return
	}
	if a, err := netip.ParseAddr(string(b[i:end])); err == nil && a.Is6() && public(a.Unmap()) {
		s.claim(ipAddr, i, end, false, false)
	}
}

// mac looks around a group of n hexadecimal digits for twelve of them in groups, which need a keyword: 00:00:5E:00:53:AF,
// 00-00-5E-00-53-AF, 0000.5E00.53AF.
func (s *scanner) mac(i, n int) {
	b := s.text
	if i+n >= len(b) {
		return
	}
	sep := b[i+n]
	if n == 2 && sep != ':' && sep != '-' || n == 4 && sep != '.' || !hexed(b[i:i+n]) || i+2*n >= len(b) || !hexed(b[i+n+1:i+2*n+1]) &&
		(i == 0 || b[i-1] != sep) {
		return
	}
	for k := i - n - 1; k >= 0 && b[i-1] == sep && hexed(b[k:i-1]); k -= n + 1 {
		i = k
	}
	end := i + 12 + 12/n - 1
	if end > len(b) || !wordEnds(b, end) || i > 0 && (b[i-1] == sep || class[b[i-1]]&inWord != 0) || end < len(b) && b[end] == sep &&
		!wordEnds(b, end+1) || !varied(b[i:end], 3) {
		return
	}
	for k := i; k < end; k += n + 1 {
		if !hexed(b[k:k+n]) || k+n < end && b[k+n] != sep {
			return
		}
	}
	s.need(macAddr, i, end)
}

// hexDigit are the digits of base 16.
var hexDigit = *runClasses['X']

func hexed(v []byte) bool {
	for _, c := range v {
		if !hexDigit[c] {
			return false
		}
	}
	return true
}
