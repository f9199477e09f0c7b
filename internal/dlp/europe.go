package dlp

import (
	"slices"
	"strings"
)

// europe are the numbers of people in Europe, beside those in national. Sources: the issuing authorities' rules as Microsoft's sensitive
// information types and python-stdnum name them; ICAO 9303 for documents.
var europe = map[uint8]detector{
	ukNHS: {Type: Type{"pii.uk_nhs", "UK NHS number", "health/uk", 3, `nhs nhsnumber nhsno nationalhealth patient hospital chi`},
		forms: "9{10} | 999~999~9999", check: nhs},
	ukUTR: {Type: Type{"pii.uk_utr", "UK unique taxpayer reference", "pii/uk", 2, `utr uniquetaxpayer taxpayerreference taxreference
		selfassessment hmrc taxreturn`},
		forms: "9{10} | 9{5} 9{5} | 999 999 9999", check: utr},
	ukVAT: {Type: Type{"pii.uk_vat", "UK VAT number", "finance/uk", 1, `vat vatnumber vatno vatreg vatregistration`},
		forms: "GB9{9} | GB 9{9} | GB 999 9999 99 | GB9{12} | GB 999 9999 99 999", check: ukVATNumber},
	ukDL: {Type: Type{"pii.uk_dl", "UK driving licence number", "pii/uk", 3, `driving licence drivinglicence driverslicence license
		drivinglicense dvla driver dl`},
		forms: "A{5}9{6}XX9AA | A{4}99{6}XX9AA | A{3}9{8}XX9AA | A{2}9{9}XX9AA", check: ukLicence},
	ukPassport: {Type: Type{"pii.uk_passport", "UK passport number", "pii/uk", 3, `passport passportnumber passportno passports`},
		forms: "!9{9} | !AA9{7}"},
	iePPS: {Type: Type{"pii.ie_pps", "Irish personal public service number", "pii/ie", 3, `pps ppsn ppsnumber ppsno personalpublic rsi
		clientidentity uimhir`},
		forms: "9{7}A{1,2} | 9{7} A{1,2}", check: pps},
	deID: {Type: Type{"pii.de_personalausweis", "German identity card number", "pii/de", 3, `personalausweis ausweis personalausweisnummer
		ausweisnummer ausweisnr persoalausweis idcard identitycard`},
		forms: "UZ{8}9 | !UZ{8}", check: func(v []byte) verdict { return germanDocument(v, "LMNPRTVWXYZ") }},
	dePassport: {Type: Type{"pii.de_passport", "German passport number", "pii/de", 3, `passport reisepass reisepassnummer reisepassnr pass
		passnummer passnr passportnumber`},
		forms: "UZ{8}9 | !UZ{8}", check: func(v []byte) verdict { return germanDocument(v, "CFGHJK") }},
	frCNI: {Type: Type{"pii.fr_cni", "French national identity card number", "pii/fr", 3, `cni carteidentité nationaleidentité carte didentité
		cartenationale identitycard nationalid`},
		forms: "!9{12}", check: func(v []byte) verdict { return loosely(date(0, two(v[2:]), 1)) }},
	frNIF: {Type: Type{"pii.fr_nif", "French tax identification number", "pii/fr", 3, `nif spi numérofiscal fiscal impôts
		tin taxid référencefiscale`},
		forms: "9{13} | 99 99 999 999 999", check: func(v []byte) verdict {
			return strong(v[0] <= '3' && whole(v[:10])%511 == whole(v[10:]))
		}},
	frPassport: {Type: Type{"pii.fr_passport", "French passport number", "pii/fr", 3, `passport passeport passeports passports
		numéropasseport`},
		forms: "!99UU9{5}"},
	esNIE: {Type: Type{"pii.es_nie", "Spanish foreigner's identity number", "pii/es", 3, `nie nies extranjero extranjeros nif residencia
		identidad`},
		forms: "A9{7}A | A-9{7}-A | A9{7}-A", check: nie},
	esNSS: {Type: Type{"pii.es_nss", "Spanish social security number", "pii/es", 3, `nss naf seguridadsocial númeroseguridad
		afiliación socialsecurity`},
		forms: "9{12} | 99 9{8} 99 | 99/9{8}/99 | 99-9{8}-99", check: nss},
	itPIVA: {Type: Type{"pii.it_piva", "Italian VAT number", "pii/it", 1, `piva partitaiva iva vat partita`},
		forms: "9{11} | IT9{11} | IT 9{11}", check: piva},
	nlBSN: {Type: Type{"pii.nl_bsn", "Dutch citizen service number", "pii/nl", 3, `bsn bsnnummer burgerservicenummer burgerservice sofi
		sofinummer persoonsnummer citizenservice`},
		forms: "9{9} | 9999.99.999 | 999 999 999 | 999.999.999", check: func(v []byte) verdict {
			return single(elevenProof(v))
		}},
	beNN: {Type: Type{"pii.be_nn", "Belgian national number", "pii/be", 3, `rijksregister rijksregisternummer registrenational
		numéronational nationalnumber nationaal insz niss nationaalnummer nationalregister bnn`},
		forms: "9{11} | 99.99.99-999.99 | 99 99 99 999 99 | 9{6}-999-99 | 9{6}-999.99 | 99.99.99-999 99", check: belgian},
	atSVNR: {Type: Type{"pii.at_svnr", "Austrian social security number", "pii/at", 3, `svnr sozialversicherungsnummer sozialversicherung
		versicherungsnummer vsnr svnummer`},
		forms: "9{10} | 9999 9{6} | 9999 99 99 99 | 9999-9{6}", check: austrian},
	chAHV: {Type: Type{"pii.ch_ahv", "Swiss social security number", "pii/ch", 3, `ahv avs ahvnummer ahvn navs sozialversicherungsnummer
		assurancevieillesse oasi`},
		forms: "7569{10} | 756~9999~9999~99", check: func(v []byte) verdict { return strong(ean13(v)) }},
	dkCPR: {Type: Type{"pii.dk_cpr", "Danish personal identification number", "pii/dk", 3, `cpr cprnummer cprnr personnummer
		personnumre identifikationsnummer`},
		forms: "9{6}-9{4} | 9{6} 9{4} | !9{10}", check: func(v []byte) verdict {
			return loosely(date(danishYear(v), two(v[2:]), two(v)))
		}},
	sePNR: {Type: Type{"pii.se_pnr", "Swedish personal identity number", "pii/se", 3, `personnummer personnr pnr personid samordningsnummer
		skatteverket idnummer`},
		forms: "9{6}-9{4} | 9{6}+9{4} | 9{8}-9{4} | 9{10} | 9{12}", check: swedish},
	noFNR: {Type: Type{"pii.no_fnr", "Norwegian birth number", "pii/no", 3, `fødselsnummer fnr personnummer fødselsnr
		dnummer birthnumber`},
		forms: "9{11} | 9{6} 9{5}", check: norwegian},
	fiHETU: {Type: Type{"pii.fi_hetu", "Finnish personal identity code", "pii/fi", 3, `hetu henkilötunnus henkilötunnusnumero
		sosiaaliturvatunnus sotu personbeteckning personnummer`},
		forms: "9{6}-999X | 9{6}+999X | 9{6}A999X", check: hetu},
	eeIK: {Type: Type{"pii.ee_ik", "Estonian personal identification code", "pii/ee", 3, `isikukood ik personalcode idcode`},
		forms: "9{11}", check: func(v []byte) verdict { return strong(baltic(v) && balticDate(v)) }},
	plPESEL: {Type: Type{"pii.pl_pesel", "Polish national identification number", "pii/pl", 3, `pesel peselu nrpesel numerpesel`},
		forms: "9{11}", check: pesel},
	plNIP: {Type: Type{"pii.pl_nip", "Polish tax identification number", "pii/pl", 2, `nip nrnip numernip podatkowej vat`},
		forms: "9{10} | 999-999-99-99 | 999-99-99-999 | PL9{10} | PL 9{10}", check: func(v []byte) verdict {
			v = []byte(strings.TrimPrefix(string(v), "PL"))
			return single(polishTax(v))
		}},
	plID: {Type: Type{"pii.pl_id", "Polish identity card number", "pii/pl", 3, `dowód dowódosobisty dowodu osobisty
		identitycard idcard`},
		forms: "UUU9{6} | UUU 9{6}", check: polishCard},
	czRC: {Type: Type{"pii.cz_rc", "Czech and Slovak birth number", "pii/cz", 3, `rodné rodnéčíslo rc birthnumber
		rodného`},
		forms: "9{6}/9{3,4} | 9{10}", check: birthNumber},
	roCNP: {Type: Type{"pii.ro_cnp", "Romanian personal numerical code", "pii/ro", 3, `cnp codnumeric numericpersonal codpersonal`},
		forms: "9{13}", check: cnp},
	bgEGN: {Type: Type{"pii.bg_egn", "Bulgarian uniform civil number", "pii/bg", 3, `egn uniformcivil civilnumber егн граждански`},
		forms: "9{10} | 9{6} 9{4} | 9{6} 999 9", check: egn},
	grAMKA: {Type: Type{"pii.gr_amka", "Greek social security number", "pii/gr", 3, `amka socialsecurity αμκα`},
		forms: "9{11}", check: func(v []byte) verdict { return strong(luhned(v) && date(two(v[4:]), two(v[2:]), two(v))) }},
	hrOIB: {Type: Type{"pii.hr_oib", "Croatian personal identification number", "pii/hr", 3, `oib osobniidentifikacijski identifikacijski
		porezni`},
		forms: "9{11} | HR9{11} | HR 9{11}", check: func(v []byte) verdict { return single(mod1110(v[len(v)-11:])) }},
	siEMSO: {Type: Type{"pii.si_emso", "Slovenian personal number", "pii/si", 3, `emšo matična enotnamatična jmbg`},
		forms: "9{13}", check: emso},
	ptNIF: {Type: Type{"pii.pt_nif", "Portuguese tax identification number", "pii/pt", 2, `nif contribuinte númerocontribuinte fiscal nipc
		númerofiscal`},
		forms: "9{9} | 999 999 999 | PT9{9} | PT 9{9} | PT 999 999 999", check: func(v []byte) verdict {
			v = v[len(v)-9:]
			return single(portugueseTax(v))
		}},
	ptCC: {Type: Type{"pii.pt_cc", "Portuguese citizen card number", "pii/pt", 3, `cartão cidadão
		documentoidentificação bi identidade`},
		forms: "9{9}UZ9 | 9{9}ZU9 | 9{8} 9 ZZ9 | 9{8}-9-ZZ9 | 9{8} 9ZZ9", check: citizenCard},
	trTCKN: {Type: Type{"pii.tr_tckn", "Turkish national identification number", "pii/tr", 3, `tckn tckimlik kimlik kimlikno tc
		vatandaşlık`},
		forms: "9{11}", check: turkish},
	uaRNTRC: {Type: Type{"pii.ua_rntrc", "Ukrainian taxpayer number", "pii/ua", 3, `ipn rntrc inn drfo taxpayer рнокпп іпн ипн дрфо`},
		forms: "9{10}", check: func(v []byte) verdict {
			r := weighted(v, -1, 5, 7, 9, 4, 6, 10, 5, 7) % 11
			return single((r+11)%11%10 == num(v[9]))
		}},
}

// elevenProof is the check of Dutch numbers.
func elevenProof(v []byte) bool {
	return whole(v) > 0 && weighted(v, 9, 8, 7, 6, 5, 4, 3, 2, -1)%11 == 0
}

func polishTax(v []byte) bool {
	return whole(v) > 0 && weighted(v, 6, 5, 7, 2, 3, 4, 5, 6, 7)%11 == num(v[9])
}

func portugueseTax(v []byte) bool {
	return v[0] != '0' && (11-weighted(v, 9, 8, 7, 6, 5, 4, 3, 2)%11)%11%10 == num(v[8])
}

func nhs(v []byte) verdict {
	r := 11 - weighted(v, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11
	return single(r%11 == num(v[9]) && r != 10 && whole(v) > 0)
}

func utr(v []byte) verdict {
	return single("21987654321"[weighted(v[1:], 6, 7, 8, 9, 10, 5, 4, 3, 2)%11] == v[0])
}

func ukVATNumber(v []byte) verdict {
	v = v[2:]
	rest := weighted(v, 8, 7, 6, 5, 4, 3, 2, 10, 1) % 97
	return strong(whole(v[:7]) > 0 && (rest == 0 || whole(v[:3]) >= 100 && (rest == 42 || rest == 55)))
}

// ukLicence checks the date of birth, between the year's digits, and where nines fill up the surname.
func ukLicence(v []byte) verdict {
	for i := 1; i < 5; i++ {
		if class[v[i]] == digit && v[i] != '9' || v[i-1] == '9' && v[i] != '9' {
			return refused
		}
	}
	for _, c := range v[11:13] {
		if class[c] == digit && c != '9' {
			return refused
		}
	}
	return strong(date(num(v[5])*10+num(v[10]), two(v[6:])%50, two(v[8:])) && two(v[6:]) < 63)
}

func pps(v []byte) verdict {
	const letters = "WABCDEFGHIJKLMNOPQRSTUV"
	sum := weighted(v, 8, 7, 6, 5, 4, 3, 2)
	if len(v) == 9 {
		second := strings.IndexByte(letters, v[8])
		if second < 0 {
			return refused
		}
		sum += 9 * second
	}
	return strong(letters[sum%23] == v[7])
}

// germanDocument checks the digit of a serial number in the characters that such have, after one of the first letters.
func germanDocument(v []byte, first string) verdict {
	for _, c := range v[1:9] {
		if class[c] != digit && strings.IndexByte("CFGHJKLMNPRTVWXYZ", c) < 0 {
			return refused
		}
	}
	known := strings.IndexByte(first, v[0]) >= 0
	if len(v) == 9 { // as it is printed, without the check digit
		return loosely(known)
	}
	return single(known && icao(v[:9]) == num(v[9]))
}

func nie(v []byte) verdict {
	at := strings.IndexByte("XYZ", v[0])
	return strong(at >= 0 && "TRWAGMYFPDXBNJZSQVHLCKE"[(at*10_000_000+whole(v[1:8]))%23] == v[8])
}

func nss(v []byte) verdict {
	n := whole(v[:10])
	if whole(v[2:10]) < 10_000_000 {
		n = two(v)*10_000_000 + whole(v[2:10])
	}
	return strong(n > 0 && n%97 == two(v[10:]))
}

// piva checks the office that gave the number too.
func piva(v []byte) verdict {
	v = v[len(v)-11:]
	office := whole(v[7:10])
	known := office >= 1 && office <= 100 || slices.Contains([]int{120, 121, 888, 999}, office)
	return single(known && whole(v[:7]) > 0 && luhned(v))
}
