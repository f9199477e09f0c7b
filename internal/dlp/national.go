package dlp

import "bytes"

// national are the numbers of people and companies.
var national = map[uint8]detector{
	nino: {Type: Type{"pii.uk_nino", "UK national insurance number", "pii/uk", 3, `nino ninos ni nin ninumber nationalinsurance insurancenumber
		insuranceno hmrc paye payroll taxpayer`},
		forms: "AA999999A | AA 999999A | AA 999999 A | AA 99 99 99 A | AA-99-99-99-A",
		check: func(v []byte) verdict { return loosely(isNINO(v)) }},
	steuerID: {Type: Type{"pii.de_steuerid", "German tax identification number", "pii/de", 3, `steuerid steuerids idnr steueridnr stidnr
		steueridentnr steueridentifikationsnummer identifikationsnummer steueridentifikation steuernummer finanzamt taxid tin`},
		forms: "9{11} | 99 999 999 999", check: func(v []byte) verdict { return strong(isSteuerID(v)) }},
	nir: {Type: Type{"pii.fr_nir", "French social security number", "pii/fr", 3, `nir insee sécurité sécuritésociale numérosécu nss
		socialsecurity cartevitale vitale assurancemaladie assur cpam immatriculation`},
		forms: "9{6}X9{8} | 9{6}X9{6} 99 | 9~99~99~9X~999~999~99", check: func(v []byte) verdict { return strong(isNIR(v)) }},
	dni: {Type: Type{"pii.es_dni", "Spanish national identity number", "pii/es", 3, `dni nif dnis nifs documentonacional documentoidentidad
		nacionalidentidad deidentidad identidad identificación nidentidad identitycard nationalid`},
		forms: "9{8}A | 9{8}-A | 99.999.999-A", check: func(v []byte) verdict { return strong(isDNI(v)) }},
	fiscalCode: {Type: Type{"pii.it_cf", "Italian fiscal code", "pii/it", 3, `cf codicefiscale codfiscale codfisc codicefisc fiscale
		tesserasanitaria tesserafiscale contribuente taxcode fiscalcode`},
		forms: "A{6}XXAXXAXXXA", check: func(v []byte) verdict { return strong(isFiscalCode(v)) }},
}

const (
	lenNIR        = 15
	lenFiscalCode = 16
)

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

// isSteuerID says whether one digit alone comes again among the first ten, once or twice, and the check digit holds (ISO 7064
// mod 11,10).
func isSteuerID(v []byte) bool {
	if v[0] == '0' {
		return false
	}
	var count [10]int
	for _, c := range v[:10] {
		count[num(c)]++
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
	return repeated == 1 && mod1110(v)
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
