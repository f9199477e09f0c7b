package dlp

import "strings"

// americas are the numbers of people, companies and accounts in the Americas. Sources: the issuing authorities' rules as Microsoft's
// sensitive information types and python-stdnum name them.
var americas = map[uint8]detector{
	usITIN: {Type: Type{"pii.us_itin", "US individual taxpayer identification number", "pii/us", 3, `itin itins taxpayer taxid tin
		individualtaxpayer irs`},
		forms: "999-99-9999 | 999 99 9999 | !9{9}", check: func(v []byte) verdict {
			group := two(v[3:])
			given := group >= 50 && group <= 65 || group >= 70 && group <= 88 || group >= 90 && group <= 99 && group != 93
			return loosely(v[0] == '9' && given && !same(v))
		}},
	usEIN: {Type: Type{"pii.us_ein", "US employer identification number", "pii/us", 1, `ein eins fein employerid employeridentification
		federaltax taxid tin irs`},
		forms: "99-9{7} | !9{9}", check: func(v []byte) verdict { return loosely(campus(two(v)) && !same(v)) }},
	usPassport: {Type: Type{"pii.us_passport", "US passport number", "pii/us", 3, `passport passports passportnumber passportno passportid
		passportbook`},
		forms: "!9{9} | !U9{8}"},
	usDL: {Type: Type{"pii.us_dl", "US driver's licence number", "pii/us", 3, `driverlicense driverslicense driverlicenses driverslicenses
		drivinglicense licensenumber licenseno dlnumber dlno dl dln dls`},
		forms: "!A9{7,8} | !9{7,10} | !A9{11,14} | !AA9{6} | !AAA9{6} | !9{12} | !AA9{6}A | !A999-9999-9999 | !A9{3}-9{3}-99-9{3}-9"},
	usNPI: {Type: Type{"health.us_npi", "US national provider identifier", "health/us", 1, `npi npis nationalprovider provideridentifier
		providerid provider`},
		forms: "9{10} | 9999-999-999 | 9999 999 999", check: func(v []byte) verdict {
			return single(v[0] <= '2' && v[0] >= '1' && luhned(append([]byte("80840"), v...)))
		}},
	usDEA: {Type: Type{"health.us_dea", "US DEA number", "health/us", 3, `dea deanumber deano deaid drugenforcement`},
		forms: "AX9{7}", check: dea},
	usMBI: {Type: Type{"health.us_mbi", "US Medicare beneficiary identifier", "health/us", 3, `mbi mbis medicare beneficiary
		medicarebeneficiary medicarenumber`},
		forms: "9AX9AX9AA99 | 9AX9-AX9-AA99", check: mbi},
	usPhone: {Type: Type{"pii.us_phone", "US telephone number", "pii/contact", 1, `phone phones telephone tel cell mobile fax call
		phonenumber telephonenumber cellphone`},
		forms: "(999) 999-9999 | (999)999-9999 | 999-999-9999 | 999.999.9999 | 999 999 9999 | 1-999-999-9999 | 1 999 999 9999 |" +
			" 1 (999) 999-9999 | !9{10}", check: nanp},
	usABA: {Type: Type{"finance.aba_routing", "US bank routing number", "finance", 1, `aba rtn routing routingnumber routingno abanumber
		bankrouting transit`},
		forms: "9{9} | 9999-9999-9", check: func(v []byte) verdict {
			p := two(v)
			known := p <= 12 || p >= 21 && p <= 32 || p >= 61 && p <= 72 || p == 80
			return single(known && whole(v) > 0 && weighted(v, 3, 7, 1, 3, 7, 1, 3, 7, 1)%10 == 0)
		}},
	usAccount: {Type: Type{"finance.us_bank_account", "US bank account number", "finance", 2, `checkingaccount savingsaccount
		bankaccount debitaccount accountnumber accountno acctnumber acctno acct checking savings`},
		forms: "!9{6,17}"},
	caSIN: {Type: Type{"pii.ca_sin", "Canadian social insurance number", "pii/ca", 3, `sin sins socialinsurance nas assurancesociale`},
		forms: "9{9} | 999-999-999 | 999 999 999", check: func(v []byte) verdict { return single(v[0] != '0' && v[0] != '8' && luhned(v)) }},
	caTransit: {Type: Type{"finance.ca_transit", "Canadian bank account number", "finance", 2, `transit institution canadasavings
		bankaccount accountnumber account`},
		forms: "!9{5}-999-9{7,12} | !9{5}-999 9{7,12}"},
	mxCURP: {Type: Type{"pii.mx_curp", "Mexican population registry code", "pii/mx", 3, `curp claveúnica registropoblación`},
		forms: "A{4}9{6}A{6}X9", check: curp},
	mxRFC: {Type: Type{"pii.mx_rfc", "Mexican taxpayer registry code", "pii/mx", 2, `rfc registrofederal contribuyentes sat`},
		forms: "A{4}9{6}XXX | A{3}9{6}XXX | A{4} 9{6} XXX | A{3} 9{6} XXX | A{4}-9{6}-XXX | A{3}-9{6}-XXX", check: rfc},
	mxCLABE: {Type: Type{"finance.clabe", "Mexican bank account number", "finance", 2, `clabe cuenta interbancaria clavebancaria banco`},
		forms: "9{18} | 999 999 9{11} 9", check: func(v []byte) verdict {
			sum := 0
			for i, c := range v[:17] {
				sum += num(c) * [...]int{3, 7, 1}[i%3] % 10
			}
			return single((10-sum%10)%10 == num(v[17]) && whole(v[:3]) > 1)
		}},
	brCPF: {Type: Type{"pii.br_cpf", "Brazilian taxpayer number", "pii/br", 3, `cpf cpfs cadastropessoa pessoafísica identificação
		receita contribuinte`},
		forms: "9{11} | 999.999.999-99 | 9{9}-99", check: func(v []byte) verdict {
			return strong(!same(v) && brazilian(v[:9], v[9]) && brazilian(v[:10], v[10]))
		}},
	brCNPJ: {Type: Type{"pii.br_cnpj", "Brazilian company number", "pii/br", 1, `cnpj cnpjs cgc cadastronacional pessoajurídica`},
		forms: "9{14} | XX.XXX.XXX/XXXX-99", check: cnpj},
	arDNI: {Type: Type{"pii.ar_dni", "Argentine identity document number", "pii/ar", 3, `dni documento documentonacional identidad
		documentodeidentidad`},
		forms: "!99.999.999 | !9{7,8} | !9.999.999"},
	arCUIT: {Type: Type{"pii.ar_cuit", "Argentine tax identification number", "pii/ar", 2, `cuit cuil cuits claveúnica afip
		identificacióntributaria`},
		forms: "9{11} | 99-9{8}-9 | 99 9{8} 9", check: func(v []byte) verdict {
			known := strings.Contains(" 20 23 24 27 30 33 34 50 51 55 ", " "+string(v[:2])+" ")
			return strong(known && "012345678990"[11-weighted(v, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11] == v[10])
		}},
	clRUT: {Type: Type{"pii.cl_rut", "Chilean identity number", "pii/cl", 3, `rut run rol roltributario cédula identidad`},
		forms: "9{7,8}-X | 99.999.999-X | 9.999.999-X", check: rut},
}

// campus says whether the Internal Revenue Service gives out numbers that begin so.
func campus(p int) bool {
	for _, r := range [...][2]int{{1, 6}, {10, 16}, {20, 27}, {30, 48}, {50, 68}, {71, 77}, {80, 88}, {90, 95}, {98, 99}} {
		if p >= r[0] && p <= r[1] {
			return true
		}
	}
	return false
}

// dea checks the kind of registrant and the digit.
func dea(v []byte) verdict {
	sum := weighted(v[2:], 1, 2, 1, 2, 1, 2)
	return strong(strings.IndexByte("ABCDEFGHJKLMPRSTUX", v[0]) >= 0 && (class[v[1]] != digit || v[1] == '9') && sum%10 == num(v[8]) &&
		whole(v[2:]) > 0)
}

func mbi(v []byte) verdict {
	for _, c := range v {
		if strings.IndexByte("SLOIBZ", c) >= 0 {
			return refused
		}
	}
	return strong(v[0] != '0')
}

// nanp applies the rules of the North American Numbering Plan for areas and exchanges.
func nanp(v []byte) verdict {
	v = v[len(v)-10:]
	return loosely(v[0] > '1' && v[3] > '1' && string(v[1:3]) != "11" && string(v[4:6]) != "11" && v[1] != '9')
}

func curp(v []byte) verdict {
	const values = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ"
	sum := 0
	for i, c := range v[:17] {
		sum += strings.IndexByte(values, c) * (18 - i)
	}
	year := 1900 + two(v[4:])
	if class[v[16]] != digit {
		year += 100
	}
	known := strings.Contains(mexicanStates, " "+string(v[11:13])+" ")
	sex := v[10] == 'H' || v[10] == 'M' || v[10] == 'X'
	return strong(sex && known && date(year, two(v[6:]), two(v[8:])) && (10-sum%10)%10 == num(v[17]))
}

const mexicanStates = " AS BC BS CC CH CL CM CS DF DG GR GT HG JC MC MN MS NE NL NT OC PL QR QT SL SP SR TC TL TS VZ YN ZS "

func rfc(v []byte) verdict {
	const values = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ "
	name := len(v) - 9
	if v[len(v)-1] != 'A' && class[v[len(v)-1]] != digit || !date(two(v[name:]), two(v[name+2:]), two(v[name+4:])) {
		return refused
	}
	if first, second := v[len(v)-3], v[len(v)-2]; first == '0' || first > 'V' || second == '0' { // what tells homonyms apart
		return refused
	}
	sum := 0
	for i, c := range v[:len(v)-1] {
		sum += strings.IndexByte(values, c) * (len(v) - i)
	}
	if len(v) == 12 { // a company, of whose name the first place is a space
		sum += 37 * 13
	}
	return strong("0123456789A"[(11-sum%11)%11] == v[len(v)-1])
}

// brazilian says whether c is the check digit of v: weights from 2, from the right.
func brazilian(v []byte, c byte) bool {
	sum := 0
	for i := range v {
		sum += num(v[len(v)-1-i]) * (i + 2)
	}
	return sum*10%11%10 == num(c)
}

// cnpj counts letters, which there are since 2026, by their place in ASCII.
func cnpj(v []byte) verdict {
	check := func(n int) bool {
		sum := 0
		for i := range n {
			sum += num(v[n-1-i]) * (i%8 + 2)
		}
		return (11-sum%11)%11%10 == num(v[n]) && (sum%11 > 1 || v[n] == '0')
	}
	return strong(!same(v) && check(12) && check(13))
}

func rut(v []byte) verdict {
	sum, n := 0, len(v)-1
	if class[v[n]] != digit && v[n] != 'K' {
		return refused
	}
	for i := range n {
		sum += num(v[n-1-i]) * (i%6 + 2)
	}
	return strong("0123456789K0"[(11-sum%11)%12] == v[n])
}
