package dlp

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"golang.org/x/crypto/sha3"
)

// rarer are numbers that few files hold, and codes that only words around them tell from others. Sources: the issuing authorities' rules as
// Microsoft's sensitive information types and python-stdnum name them; the World Health Organization's ICD-10; the FDA's national drug code
// directory; Monero's addresses.
var rarer = map[uint8]detector{
	chESR: {Type: Type{"finance.ch_esr", "Swiss payment slip reference", "finance", 1, `esr esrreferenz referenz referenznummer qrreferenz
		einzahlungsschein référence`}, forms: "9{27} | 99 9{5} 9{5} 9{5} 9{5} 9{5}", check: func(v []byte) verdict {
		carry := 0
		for _, c := range v[:26] {
			carry = [...]int{0, 9, 4, 6, 8, 2, 7, 1, 3, 5}[(num(c)+carry)%10]
		}
		return single((10-carry)%10 == num(v[26]) && string(v[:5]) != "00000")
	}},
	xmr: {Type: Type{"finance.xmr", "Monero address", "finance", 1, `monero xmr wallet wallets crypto`}, exact: true,
		openings: "41<c93> | 42<c93> | 43<c93> | 44<c93> | 45<c93> |" +
			" 46<c93> | 47<c93> | 48<c93> | 49<c93> | 4A<c93>" +
			" | 4B<c93> | 82<c93> | 83<c93> | 84<c93> | 85<c93> | 86<c93> |" +
			" 87<c93> | 88<c93> | 89<c93> | 8A<c93> | 8B<c93> | 8C<c93>", check: monero},
	ukElectoral: {Type: Type{"pii.uk_electoral", "UK electoral roll number", "pii/uk", 2, `electoralroll electoralregister electoralnumber
		councilnomination nominationform rollnumber`}, forms: "!UU9{1,4} | !UU 9{1,4}"},
	ukUPN: {Type: Type{"pii.uk_upn", "UK unique pupil number", "pii/uk", 3, `upn upns pupil pupilnumber uniquepupil`},
		forms: "U9{11}Z", check: pupil},
	deSTNR: {Type: Type{"pii.de_stnr", "German tax number", "pii/de", 2, `steuernummer steuernr stnr stnummer finanzamt`},
		forms: "!999/999/99999 | !99/999/99999 | !9{3}/9{4}/9{4} | !999/9{4}/9{5} | !999 999 99999 | !99 999 99999"},
	deDL: {Type: Type{"pii.de_dl", "German driving licence number", "pii/de", 3, `führerschein führerscheinnummer fuehrerschein fahrerlaubnis
		führerscheinnr drivinglicence driverslicense`}, forms: "!Z99Z{6}9Z",
		check: func(v []byte) verdict { return loosely(mixed(v) != digit) }},
	atTIN: {Type: Type{"pii.at_tin", "Austrian tax number", "pii/at", 2, `steuernummer steuernr stnr abgabenkontonummer finanzamt`},
		forms: "99-999/9999 | !9{9}", check: func(v []byte) verdict {
			return single(luhned(v) && whole(v[:2]) > 2)
		}},
	ltAK: {Type: Type{"pii.lt_ak", "Lithuanian personal code", "pii/lt", 3, `asmenskodas asmenskodo asmenskodą ak personalcode`},
		forms: "!9{11}", check: func(v []byte) verdict { return strong(baltic(v) && balticDate(v)) }},
	lvPK: {Type: Type{"pii.lv_pk", "Latvian personal code", "pii/lv", 3, `personaskods personaskoda personaskodu pk`},
		forms: "9{6}-9{5} | !9{11}", check: latvian},
	peCUI: {Type: Type{"pii.pe_cui", "Peruvian identity number", "pii/pe", 3, `dni cui documentoidentidad identidad reniec`},
		forms: "9{8}-9 | !9{8}", check: func(v []byte) verdict {
			if len(v) == 8 {
				return plausible
			}
			rest := weighted(v, 3, 2, 7, 6, 5, 4, 3, 2) % 11
			return single(v[8] == "65432110987"[rest]) // or a letter, as behind Spanish numbers
		}},
	icd10: {Type: Type{"health.icd10", "Diagnosis as a code of ICD-10", "health/terms", 2, `icd icd10 icdcode diagnosis diagnoses diagnose
		diagnostic diagnóstico diagnosi`}, forms: "!U99.9 | !U9Z.Z{1,4}",
		check: func(v []byte) verdict { return loosely(v[0] != 'U' || v[1] == '0') }}, // of provisional ones only U0 is given
	ndc: {Type: Type{"health.ndc", "US national drug code", "health/us", 1, `ndc ndcs ndccode nationaldrug drug drugcode`},
		forms: "!9999-9999-99 | !99999-999-99 | !99999-9999-9 | !99999-9999-99"},
	usMRN: {Type: Type{"health.us_mrn", "US medical record number", "health/us", 3, `mrn mrns mrnumber medicalrecord medicalrecordnumber
		patientnumber`}, forms: "!9{6,10}"},
}

// pupil checks the letter before the number, of which the first three digits are an authority's.
func pupil(v []byte) verdict {
	const letters = "ABCDEFGHJKLMNPQRTUVWXYZ"
	sum := 0
	for i, c := range v[1:] {
		x := strings.IndexByte(letters, c) // of a temporary one, the last
		if class[c] == digit {
			x = num(c)
		}
		if x < 0 {
			return refused
		}
		sum += x * (i + 2)
	}
	area := whole(v[1:4])
	return strong(v[0] == letters[sum%len(letters)] && (area >= 201 && area <= 420 || area >= 800 && area <= 938))
}

// latvian checks the day of birth, of which the seventh digit tells the century. Since 2017 numbers begin with 32 and have no day.
func latvian(v []byte) verdict {
	check := (1 + weighted(v, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9)) % 11 % 10
	known := string(v[:2]) == "32" || v[6] <= '2' && date(1800+100*num(v[6])+two(v[4:]), two(v[2:]), two(v))
	return strong(known && check == num(v[10]))
}

// monero checks the network and the checksum of an address: 69 bytes in base 58, eight as eleven characters each, the last five as seven.
func monero(v []byte) verdict {
	var raw [72]byte
	for block := range 9 {
		chars, size := v[block*11:min(len(v), block*11+11)], 8
		if block == 8 {
			size = 5
		}
		n := uint64(0)
		for _, c := range chars {
			over, low := bits.Mul64(n, 58)
			sum, carry := bits.Add64(low, uint64(strings.IndexByte(base58, c)), 0)
			if over+carry != 0 {
				return refused
			}
			n = sum
		}
		if n>>(8*size-1)>>1 != 0 {
			return refused
		}
		binary.BigEndian.PutUint64(raw[block*8:], n<<(64-8*size))
	}
	if raw[0] != 18 && raw[0] != 42 {
		return refused
	}
	h := sha3.NewLegacyKeccak256()
	h.Write(raw[:65])
	return strong(string(h.Sum(nil)[:4]) == string(raw[65:69]))
}
