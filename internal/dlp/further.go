package dlp

import (
	"bytes"
	"strings"
)

// further are numbers of securities, accounts, people, companies and vehicles beside the others. Sources: the issuing authorities' rules
// as Microsoft's sensitive information types and python-stdnum name them; ISO 6166, ISO 17442 and ISO 3779.
var further = map[uint8]detector{
	cusip: {Type: Type{"finance.cusip", "CUSIP of a security", "finance", 1, `cusip cusips cusipnumber security securities`},
		forms: "Z{8}9", check: func(v []byte) verdict { return single(mixed(v) != digit && cusipHolds(v)) }},
	isin: {Type: Type{"finance.isin", "ISIN of a security", "finance", 1, `isin isins security securities wkn valor`}, forms: "UUZ{9}9",
		check: func(v []byte) verdict {
			known := inCountry(v[:2]) || strings.Contains(" XS EU XK ", " "+string(v[:2])+" ")
			return single(known && luhned(lettersAsNumbers(v)))
		}},
	lei: {Type: Type{"finance.lei", "Legal entity identifier", "finance", 1, `lei leis leicode legalentity entityidentifier`},
		forms: "Z{18}99", check: func(v []byte) verdict {
			rest := 0
			for _, c := range v {
				rest = mod97(rest, c)
			}
			return strong(rest == 1 && mixed(v) != digit)
		}},
	esCCC: {Type: Type{"finance.es_ccc", "Spanish bank account number", "finance", 2, `ccc cuenta cuentacorriente numerocuenta banco`},
		forms: "9{20} | 9999-9999-99-9{10} | 9999 9999 99 9{10}", check: spanishAccount},
	arCBU: {Type: Type{"finance.cbu", "Argentine bank account number", "finance", 2, `cbu cuenta clavebancaria banco transferencia`},
		forms: "9{22}", check: func(v []byte) verdict {
			bank := (10 - weighted(v, 7, 1, 3, 9, 7, 1, 3)%10) % 10
			account := (10 - weighted(v[8:], 3, 9, 7, 1, 3, 9, 7, 1, 3, 9, 7, 1, 3)%10) % 10
			return strong(bank == num(v[7]) && account == num(v[21]) && whole(v[:8]) > 0)
		}},
	usATIN: {Type: Type{"pii.us_atin", "US adoption taxpayer identification number", "pii/us", 3, `atin adoption adoptiontaxpayer taxpayer`},
		forms: "999-99-9999", check: func(v []byte) verdict { return loosely(v[0] == '9' && string(v[3:5]) == "93") }},
	usPTIN: {Type: Type{"pii.us_ptin", "US preparer tax identification number", "pii/us", 1, `ptin preparer taxpreparer preparertax`},
		forms: "!P9{8} | !P-9{8}"},
	vin: {Type: Type{"pii.vin", "Vehicle identification number", "pii/vehicle", 1, `vin vins chassis vehicleidentification fahrgestellnummer
		vehicle fin`}, forms: "Z{17}", check: vehicle},
	frSIRET: {Type: Type{"pii.fr_siret", "French establishment number", "pii/fr", 1, `siret siren établissement rcs`},
		forms: "9{14} | 999 999 999 99999", check: func(v []byte) verdict {
			return strong(luhned(v) && luhned(v[:9]) && whole(v[:9]) > 0)
		}},
	esCIF: {Type: Type{"pii.es_cif", "Spanish company tax number", "pii/es", 1, `cif nif empresa sociedad`},
		forms: "U9{7}X | U-9{7}-X | U9{7}-X",
		check: func(v []byte) verdict { return strong(strings.IndexByte("XYZ", v[0]) < 0 && spanishVAT(v)) }},
	isKT: {Type: Type{"pii.is_kt", "Icelandic identity number", "pii/is", 3, `kennitala kt kennitölu`}, forms: "9{6}-9{4} | 9{10}",
		check: func(v []byte) verdict {
			century := [...]int{2000, 0, 0, 0, 0, 0, 0, 0, 1800, 1900}[num(v[9])]
			return strong(century > 0 && weighted(v, 3, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0 && date(century+two(v[4:]), two(v[2:]), two(v)%40))
		}},
	huTAJ: {Type: Type{"pii.hu_taj", "Hungarian social security number", "pii/hu", 3, `taj tajszám társadalombiztosítási tajkártya`},
		forms: "9{9} | 999 999 999 | 999-999-999", check: func(v []byte) verdict {
			return single(weighted(v, 3, 7, 3, 7, 3, 7, 3, 7)%10 == num(v[8]) && whole(v) > 0)
		}},
	ruINN: {Type: Type{"pii.ru_inn", "Russian taxpayer number", "pii/ru", 2, `inn инн налогоплательщика`}, forms: "9{10} | 9{12}",
		check: russian},
	caPHN: {Type: Type{"health.ca_bc_phn", "British Columbia personal health number", "health/ca", 3, `phn phns msp bchealth personalhealth
		carecard`}, forms: "9{10} | 9999 999 999", check: func(v []byte) verdict {
		return single(v[0] == '9' && (11-weighted(v[1:], 2, 4, 8, 5, 10, 9, 7, 3)%11)%11 == num(v[9]))
	}},
	coNIT: {Type: Type{"pii.co_nit", "Colombian tax number", "pii/co", 2, `nit rut tributaria dian`}, forms: "9{9}-9 | 999.999.999-9",
		check: func(v []byte) verdict {
			return single("01987654321"[weighted(v, 41, 37, 29, 23, 19, 17, 13, 7, 3)%11] == v[9])
		}},
	ecCI: {Type: Type{"pii.ec_ci", "Ecuadorian identity number", "pii/ec", 3, `cédula cedula ci identidad`}, forms: "9{10} | 9{9}-9",
		check: func(v []byte) verdict {
			p := two(v)
			return single((p >= 1 && p <= 24 || p == 30 || p == 50) && v[2] <= '6' && luhned(v))
		}},
	inGSTIN: {Type: Type{"pii.in_gstin", "Indian goods and services tax number", "pii/in", 1, `gstin gst gstno gstnumber`},
		forms: "99U{5}9999UZUZ", check: indianTax},
	auABN: {Type: Type{"pii.au_abn", "Australian business number", "pii/au", 1, `abn abns businessnumber australianbusiness`},
		forms: "9{11} | 99 999 999 999", check: func(v []byte) verdict {
			return strong(v[0] != '0' && (weighted(v, 10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)-10)%89 == 0)
		}},
	jpPassport: {Type: Type{"pii.jp_passport", "Japanese passport number", "pii/jp", 3, `passport passportnumber パスポート 旅券`},
		forms: "!UU9{7}"},
	itDL: {Type: Type{"pii.it_dl", "Italian driving licence number", "pii/it", 3, `patente patenteguida patenti drivinglicence`},
		forms: "!UZ9{7}U | !UZ 9{7} U"},
	phUMID: {Type: Type{"pii.ph_umid", "Philippine multi-purpose identity number", "pii/ph", 3, `umid crn sss gsis`}, forms: "!9999-9{7}-9"},
	nzNHI: {Type: Type{"health.nz_nhi", "New Zealand health index number", "health/nz", 3, `nhi nhis nhinumber healthindex nhino`},
		forms: "A{3}9{4}", check: func(v []byte) verdict {
			const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
			sum := 0
			for i, c := range v[:6] {
				x := num(c)
				if i < 3 {
					if x = strings.IndexByte(letters, c) + 1; x == 0 {
						return refused
					}
				}
				sum += x * (7 - i)
			}
			return single(sum%11 > 0 && (11-sum%11)%10 == num(v[6]))
		}},
	deSVNR: {Type: Type{"pii.de_svnr", "German pension insurance number", "pii/de", 3, `sozialversicherungsnummer
		rentenversicherungsnummer svnr rvnr sozialversicherung rentenversicherung versicherungsnummer`},
		forms: "9{8}U999 | 99 9{6} U 999", check: germanPension},
	luID: {Type: Type{"pii.lu_id", "Luxembourgish identification number", "pii/lu", 3, `matricule matricules identification cns`},
		forms: "9{13}", check: func(v []byte) verdict {
			return strong(date(whole(v[:4]), two(v[4:]), two(v[6:])) && luhned(v[:12]) &&
				verhoeff(append(append(make([]byte, 0, 12), v[:11]...), v[12])))
		}},
}

// lettersAsNumbers writes letters as two digits, from 10.
func lettersAsNumbers(v []byte) []byte {
	out := make([]byte, 0, 2*len(v))
	for _, c := range v {
		if class[c] == digit {
			out = append(out, c)
			continue
		}
		n := base36(c)
		out = append(out, byte('0'+n/10), byte('0'+n%10))
	}
	return out
}

func cusipHolds(v []byte) bool {
	sum := 0
	for i, c := range v[:8] {
		x := base36(c) * (1 + i%2)
		sum += x/10 + x%10
	}
	return (10-sum%10)%10 == num(v[8])
}

// spanishAccount checks bank and branch, and the account.
func spanishAccount(v []byte) verdict {
	digitOf := func(sum int) int {
		switch c := 11 - sum%11; c {
		case 10:
			return 1
		case 11:
			return 0
		default:
			return c
		}
	}
	return strong(digitOf(weighted(v, 4, 8, 5, 10, 9, 7, 3, 6)) == num(v[8]) &&
		digitOf(weighted(v[10:], 1, 2, 4, 8, 5, 10, 9, 7, 3, 6)) == num(v[9]) && whole(v[:8]) > 0)
}

// vehicle checks the ninth character, as in North America.
func vehicle(v []byte) verdict {
	const values = "0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ"
	if mixed(v) == digit || bytes.ContainsAny(v, "IOQ") {
		return refused
	}
	sum := 0
	for i, c := range v {
		sum += strings.IndexByte(values, c) % 10 * [...]int{8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2}[i]
	}
	return strong("0123456789X"[sum%11] == v[8])
}

func russian(v []byte) verdict {
	if len(v) == 10 {
		return single(weighted(v, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == num(v[9]) && whole(v) > 0)
	}
	return strong(weighted(v, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == num(v[10]) &&
		weighted(v, 3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == num(v[11]) && whole(v) > 0)
}

// indianTax checks the state, the permanent account number within and the last character, which is Luhn's in base 36.
func indianTax(v []byte) verdict {
	sum := 0
	for i := range v {
		x := base36(v[len(v)-1-i])
		if i%2 == 1 {
			x *= 2
			x = x/36 + x%36
		}
		sum += x
	}
	state := two(v)
	return strong(sum%36 == 0 && v[13] == 'Z' && state >= 1 && state <= 38 && strings.IndexByte("ABCFGHJLPT", v[5]) >= 0 && whole(v[7:11]) > 0)
}

// germanPension checks the day of birth and the sum of the digits' products.
func germanPension(v []byte) verdict {
	n := int(v[8] - 'A' + 1)
	digits := []byte{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], byte('0' + n/10), byte('0' + n%10), v[9], v[10]}
	sum := 0
	for i, w := range [...]int{2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1} {
		x := num(digits[i]) * w
		sum += x/10 + x%10
	}
	return strong(sum%10 == num(v[11]) && date(0, two(v[4:]), two(v[2:])%50))
}
