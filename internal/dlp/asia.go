package dlp

import "strings"

// asia are the numbers of people and accounts in Asia, Africa and Oceania. Sources: the issuing authorities' rules as Microsoft's
// sensitive information types and python-stdnum name them.
var asia = map[uint8]detector{
	ilID: {Type: Type{"pii.il_id", "Israeli identity number", "pii/il", 3, `teudatzehut teudat zehut identitynumber israeliid idnumber
		mispar תעודתזהות זהות`},
		forms: "9{9} | 9{8}-9", check: func(v []byte) verdict { return single(luhned(v) && whole(v) > 0) }},
	inAadhaar: {Type: Type{"pii.in_aadhaar", "Indian Aadhaar number", "pii/in", 3, `aadhaar aadhar adhaar adhar uid uidai aadhaarnumber`},
		forms: "9{12} | 9999 9999 9999 | 9999-9999-9999", check: aadhaar},
	inPAN: {Type: Type{"pii.in_pan", "Indian permanent account number", "pii/in", 3, `pan pannumber panno pancard permanentaccount incometax`},
		forms: "A{5}9{4}A", check: func(v []byte) verdict {
			return loosely(strings.IndexByte("ABCFGHJLPT", v[3]) >= 0 && whole(v[5:9]) > 0)
		}},
	auTFN: {Type: Type{"pii.au_tfn", "Australian tax file number", "pii/au", 3, `tfn tfns taxfile taxfilenumber ato`},
		forms: "9{9} | 999 999 999 | 999-999-999", check: func(v []byte) verdict {
			return single(weighted(v, 1, 4, 3, 7, 5, 8, 6, 9, 10)%11 == 0 && whole(v) > 0)
		}},
	auMedicare: {Type: Type{"health.au_medicare", "Australian Medicare number", "health/au", 3, `medicare medicarecard medicareno
		medicarenumber healthcard`},
		forms: "9{10,11} | 9999 9{5} 9 | 9999-9{5}-9 | 9999 9{5} 9 9 | 9999-9{5}-9-9", check: func(v []byte) verdict {
			return single(v[0] >= '2' && v[0] <= '6' && weighted(v, 1, 3, 7, 9, 1, 3, 7, 9)%10 == num(v[8]))
		}},
	auBSB: {Type: Type{"finance.au_bsb", "Australian bank account number", "finance", 2, `bsb bsbnumber bankaccount accountnumber account`},
		forms: "!999-999-9{6,10} | !999-999 9{6,10}"},
	nzIRD: {Type: Type{"pii.nz_ird", "New Zealand inland revenue number", "pii/nz", 3, `ird irdnumber irdno inlandrevenue taxnumber`},
		forms: "9{8,9} | 99-999-999 | 999-999-999 | 9{7,8}-9", check: ird},
	sgNRIC: {Type: Type{"pii.sg_nric", "Singapore identity number", "pii/sg", 3, `nric fin nricno nricnumber foreignidentification ic
		identitycard passport`},
		forms: "A9{7}A", check: nric},
	myNRIC: {Type: Type{"pii.my_nric", "Malaysian identity card number", "pii/my", 3, `mykad nric mykas kadpengenalan identitycard ic
		nokp`},
		forms: "9{6}-99-9{4} | !9{12}", check: func(v []byte) verdict {
			place := two(v[6:])
			known := place >= 1 && place != 17 && place != 18 && place != 19 && place != 20 && place < 69 && place != 80 && place != 81 ||
				place >= 70 && place < 100 && place != 73 && place != 80 && place != 81 && (place < 94 || place > 97)
			return loosely(known && date(two(v), two(v[2:]), two(v[4:])))
		}},
	hkHKID: {Type: Type{"pii.hk_hkid", "Hong Kong identity card number", "pii/hk", 3, `hkid hkidno hkicard identitycard identitydocument
		idcard 身份證 身分證`},
		forms: "A9{6}(X) | AA9{6}(X) | A9{6}X | AA9{6}X", check: hkid},
	twID: {Type: Type{"pii.tw_id", "Taiwanese identity number", "pii/tw", 3, `identitycard nationalid idnumber taiwanid 身分證 身份證 統一編號`},
		forms: "A9{9}", check: taiwanese},
	cnRIC: {Type: Type{"pii.cn_ric", "Chinese resident identity number", "pii/cn", 3, `residentidentity identitycard prcid shenfenzheng
		idcard nationalid 身份证 身份證 公民身份`},
		forms: "9{17}X", check: chinese},
	jpMyNumber: {Type: Type{"pii.jp_mynumber", "Japanese individual number", "pii/jp", 3, `mynumber individualnumber kojinbango マイナンバー 個人番号`},
		forms: "9{12} | 9999 9999 9999 | 9999-9999-9999", check: func(v []byte) verdict {
			r := weighted(v, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2) % 11
			return single((11-r)%11%10 == num(v[11]) && !same(v) && (r > 1 || v[11] == '0'))
		}},
	krRRN: {Type: Type{"pii.kr_rrn", "South Korean resident registration number", "pii/kr", 3, `rrn residentregistration juminnumber
		residentnumber 주민등록번호 주민번호`},
		forms: "9{6}-9{7} | 9{13}", check: korean},
	thPIN: {Type: Type{"pii.th_pin", "Thai personal identification number", "pii/th", 3, `pin nationalid idcard thaiid citizenid
		identificationnumber เลขประจำตัว บัตรประชาชน`},
		forms: "9{13} | 9-9999-9{5}-99-9 | 9 9999 9{5} 99 9", check: func(v []byte) verdict {
			r := weighted(v, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2) % 11
			return single(v[0] != '0' && v[0] != '9' && (11-r)%10 == num(v[12]))
		}},
	idNIK: {Type: Type{"pii.id_nik", "Indonesian identity number", "pii/id", 3, `nik ktp ektp nomorinduk kependudukan indukkependudukan`},
		forms: "9{16}", check: func(v []byte) verdict {
			return single(date(0, two(v[8:]), two(v[6:])%40) && two(v) >= 11 && two(v) <= 97 && two(v[6:]) < 72 && whole(v[12:]) > 0)
		}},
	pkCNIC: {Type: Type{"pii.pk_cnic", "Pakistani identity card number", "pii/pk", 3, `cnic nadra cnicno identitycard nic shanakhti`},
		forms: "9{5}-9{7}-9", check: func(v []byte) verdict { return loosely(v[0] >= '1' && v[0] <= '7' && v[12] != '0') }},
	zaID: {Type: Type{"pii.za_id", "South African identity number", "pii/za", 3, `idnumber identitynumber southafricanid rsaid nationalid
		identitydocument`},
		forms: "9{13} | 9{6} 9{4} 999 | 9{6} 9{4} 99 9", check: func(v []byte) verdict {
			return strong(v[10] <= '2' && luhned(v) && date(two(v), two(v[2:]), two(v[4:])))
		}},
	saID: {Type: Type{"pii.sa_id", "Saudi national or residence identity number", "pii/sa", 3, `nationalid iqama iqamanumber idnumber
		identitycard الهوية الإقامة`},
		forms: "9{10}", check: func(v []byte) verdict { return single((v[0] == '1' || v[0] == '2') && luhned(v)) }},
	aeEID: {Type: Type{"pii.ae_eid", "Emirates identity number", "pii/ae", 3, `emiratesid eid uaeid identitycard idnumber الهوية`},
		forms: "784-9999-9{7}-9 | 784 9999 9{7} 9 | 7849{12}", check: func(v []byte) verdict {
			return strong(luhned(v) && whole(v[3:7]) >= 1900 && whole(v[3:7]) < 2100)
		}},
	egNID: {Type: Type{"pii.eg_nid", "Egyptian national identity number", "pii/eg", 3, `nationalid nid egyptianid idnumber
		الرقمالقومي القومي`},
		forms: "9{14}", check: func(v []byte) verdict {
			place := two(v[7:])
			known := place >= 1 && place <= 4 || place >= 11 && place <= 19 || place >= 21 && place <= 29 || place >= 31 && place <= 35 ||
				place == 88
			return single(known && (v[0] == '2' || v[0] == '3') && date((17+num(v[0]))*100+two(v[1:]), two(v[3:]), two(v[5:])))
		}},
}

// korean checks the date, and the digit that those born before October 2020 have: since then the last six are random.
func korean(v []byte) verdict {
	year := [...]int{1800, 1900, 1900, 2000, 2000, 1900, 1900, 2000, 2000, 1800}[num(v[6])] + two(v)
	check := (11 - weighted(v, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)%11) % 10
	switch {
	case !date(year, two(v[2:]), two(v[4:])):
		return refused
	case check == num(v[12]) && two(v[7:]) <= 96:
		return holds
	case year*100+two(v[2:]) >= 202010:
		return plausible
	}
	return refused
}

// aadhaar is Verhoeff's check. No number reads the same backwards.
func aadhaar(v []byte) verdict {
	backwards := true
	for i := range v[:6] {
		backwards = backwards && v[i] == v[11-i]
	}
	return single(v[0] >= '2' && !backwards && verhoeff(v))
}

// verhoeff says whether digits pass the check of J. Verhoeff, Error Detecting Decimal Codes (1969).
func verhoeff(v []byte) bool {
	c := 0
	for i := range v {
		d := num(v[len(v)-1-i])
		for range i % 8 {
			d = [...]int{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}[d]
		}
		c = dihedral(c, d)
	}
	return c == 0
}

// dihedral multiplies in the group of the pentagon: 0 to 4 turn, 5 to 9 turn and flip.
func dihedral(a, b int) int {
	switch {
	case a < 5 && b < 5:
		return (a + b) % 5
	case a < 5:
		return 5 + (a+b-5)%5
	case b < 5:
		return 5 + (a-5-b+5)%5
	}
	return (a - b + 5) % 5
}

func ird(v []byte) verdict {
	if n := whole(v); n <= 10_000_000 || n >= 150_000_000 {
		return refused
	}
	if len(v) == 8 {
		v = append([]byte{'0'}, v...)
	}
	r := (11 - weighted(v, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
	if r == 10 {
		r = (11 - weighted(v, 7, 4, 3, 2, 5, 2, 7, 6)%11) % 11
	}
	return single(r == num(v[8]))
}

func nric(v []byte) verdict {
	sum := weighted(v[1:], 2, 7, 6, 5, 4, 3, 2)
	switch v[0] {
	case 'S':
		return strong("JZIHGFEDCBA"[sum%11] == v[8])
	case 'T':
		return strong("JZIHGFEDCBA"[(sum+4)%11] == v[8])
	case 'F':
		return strong("XWUTRQPNMLK"[sum%11] == v[8])
	case 'G':
		return strong("XWUTRQPNMLK"[(sum+4)%11] == v[8])
	case 'M':
		return strong("KLJNPQRTUWX"[10-(sum+3)%11] == v[8])
	}
	return refused
}

// hkid counts a missing first letter as a space, 36.
func hkid(v []byte) verdict {
	n := len(v) - 1
	last := base36(v[n])
	if class[v[n]] != digit && v[n] != 'A' {
		return refused
	}
	sum := 36 * 9
	if n == 8 {
		sum = base36(v[0]) * 9
	}
	sum += base36(v[n-7])*8 + weighted(v[n-6:], 7, 6, 5, 4, 3, 2) + last
	return strong(sum%11 == 0)
}

// taiwanese counts the letter of the place as two digits.
func taiwanese(v []byte) verdict {
	place := strings.IndexByte("ABCDEFGHJKLMNPQRSTUVXYWZIO", v[0]) + 10
	sum := place/10 + place%10*9 + weighted(v[1:], 8, 7, 6, 5, 4, 3, 2, 1, 1)
	return strong(strings.IndexByte("1289", v[1]) >= 0 && sum%10 == 0)
}

// chinese is ISO 7064 mod 11-2 with the date of birth.
func chinese(v []byte) verdict {
	sum := weighted(v, 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
	year := whole(v[6:10])
	return strong("10X98765432"[sum%11] == v[17] && year >= 1850 && year < 2100 && date(year, two(v[10:]), two(v[12:])) && two(v) >= 11)
}
