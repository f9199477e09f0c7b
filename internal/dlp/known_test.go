package dlp

import (
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp/extract"
	"github.com/longshore-dev/longshore/internal/sim"
)

// made is a value of a type as its issuer would write it, none of them issued. All are built from the published rules by code
// that shares none with the scanner.
func made(n noise, kind uint8) string {
	digits := n.digits
	letters := func(from string, k int) string {
		b := make([]byte, k)
		for i := range b {
			b[i] = from[n.N(len(from))]
		}
		return string(b)
	}
	const alnum = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	switch kind {
	case nino:
		d := digits(6)
		first := letters("ABCEGHJKLMNOPRSTWXYZ", 1)
		v := first + letters("ACEHJLMPRSWXY", 1)
		return sim.Pick(n.Rand, []string{v + d, v + " " + d[:2] + " " + d[2:4] + " " + d[4:] + " ", v + " " + d,
			v + "-" + d[:2] + "-" + d[2:4] + "-" + d[4:] + "-"}) + letters("ABCD", 1)
	case steuerID:
		for {
			v := letters("123456789", 1) + digits(9)
			if v += strconv.Itoa(refMod1110(v)); refSteuerID(v) {
				return sim.Pick(n.Rand, []string{v, v[:2] + " " + v[2:5] + " " + v[5:8] + " " + v[8:]})
			}
		}
	case nir:
		dept := fmt.Sprintf("%02d", 1+n.N(95))
		number := func(dept string) int {
			v, _ := strconv.Atoi(dept)
			return v
		}
		weight := number(dept)
		switch n.N(6) {
		case 0:
			dept, weight = "2A", 19
		case 1:
			dept, weight = "2B", 18
		}
		head, tail := letters("12", 1)+digits(2)+fmt.Sprintf("%02d", 1+n.N(12)), fmt.Sprintf("%03d%03d", 1+n.N(989), 1+n.N(998))
		whole, _ := strconv.Atoi(head + fmt.Sprintf("%02d", weight) + tail)
		v, key := head+dept+tail, fmt.Sprintf("%02d", 97-whole%97)
		return sim.Pick(n.Rand, []string{v + key, v + " " + key,
			strings.Join([]string{v[:1], v[1:3], v[3:5], v[5:7], v[7:10], v[10:13], key}, sim.Pick(n.Rand, []string{" ", ".", "-"}))})
	case dni:
		k := 1 + n.N(99_999_999)
		if head := k / 1_000_000; head == 19 || head == 20 {
			k += 10_000_000 // what begins as a date is less sure
		}
		v, l := fmt.Sprintf("%08d", k), string("TRWAGMYFPDXBNJZSQVHLCKE"[k%23])
		return sim.Pick(n.Rand, []string{v + l, v + "-" + l, v[:2] + "." + v[2:5] + "." + v[5:] + "-" + l, strings.ToLower(v + l)})
	case fiscalCode:
		v := letters("BCDFGLMNPRSTVZ", 6) + digits(2) + letters("ABCDEHLMPRST", 1) + fmt.Sprintf("%02d", 1+n.N(28)+40*n.N(2)) +
			letters("ABCDEFGHL", 1) + fmt.Sprintf("%03d", 1+n.N(999))
		if n.N(5) == 0 {
			b := []byte(v)
			b[14] = "LMNPQRSTUV"[b[14]-'0']
			v = string(b)
		}
		v += string(rune('A' + refFiscalSum(v)%26))
		return sim.Pick(n.Rand, []string{v, strings.ToLower(v)})
	case github:
		v := letters(alnum, 30)
		return "gh" + letters("pousr", 1) + "_" + v + base62(crc32.ChecksumIEEE([]byte(v)))
	case slack:
		team, bot := letters("123456789", 1)+digits(10+n.N(3)), letters("123456789", 1)+digits(10+n.N(3))
		return sim.Pick(n.Rand, []string{"xoxb-" + team + "-" + bot + "-" + letters(alnum, 24),
			"xoxp-" + team + "-" + bot + "-" + digits(12) + "-" + letters("0123456789abcdef", 32),
			"xapp-1-A" + letters("0123456789ABCDEF", 10) + "-" + team + "-" + letters("0123456789abcdef", 64),
			"xoxe-1-" + letters(alnum, 147)})
	case btc:
		return sim.Pick(n.Rand, []string{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
			"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"})
	case xmr: // of the Monero project itself
		return sim.Pick(n.Rand, []string{"44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A",
			"888tNkZrPN6JsEgekjMnABU4TBzc2Dt29EPAvkRxbANsAnjyPbb3iQ1YBRk1UXcdRsiKc9dhwMVgN5S9cQUiyoogDavup3H"})
	case eth:
		return sim.Pick(n.Rand, []string{"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
			"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0x" + letters("0123456789abcdef", 40)})
	case dob:
		return sim.Pick(n.Rand, []string{"1980-02-29", "29/02/1980", "12.3.1975", "3/12/1975", "12 March 1980", "May 3, 1999", "3. Mai 1999"})
	case gcpAccount:
		return letters("0123456789abcdef", 40)
	case google:
		return "AIza" + letters(alnum+"-_", 34) + letters(alnum, 1)
	case privateKey:
		raw := make([]byte, 64+n.N(1200))
		for i := range raw {
			raw[i] = byte(n.N(256))
		}
		label := sim.Pick(n.Rand, []string{"", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "}) + "PRIVATE KEY"
		v := "-----BEGIN " + label + "-----\n"
		if n.N(4) == 0 {
			v += "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC," + letters("0123456789ABCDEF", 32) + "\n\n"
		}
		for b := base64.StdEncoding.EncodeToString(raw); b != ""; {
			k := min(64, len(b))
			v, b = v+b[:k]+"\n", b[k:]
		}
		return v + "-----END " + label + "-----"
	}
	if table[kind].openings != "" && table[kind].own == nil {
		return opened(n, kind)
	}
	if of := lettered[kind]; of != nil {
		return filled(n, sim.Pick(n.Rand, of))
	}
	return formed(n, kind)
}

// lettered are values of the detectors with code of their own; <w20> is 20 letters and digits.
var lettered = map[uint8][]string{
	awsSecret:   {"AKIA234567ABCDEFGHIJ,<w40>", "aws_secret_access_key = <w30>/<w9>", `"SecretAccessKey": "<w20>+<w19>"`},
	azureClient: {"<w3>8Q~<w34>", "<w3>7Q~<w20>.<w12>"},
	azureSAS: {"https://acme.blob.core.windows.net/c?sv=2022-11-02&se=2026-12-01&sr=c&sp=r&sig=<w20>%2B<w19>%3D",
		"?sv=2020-08-04&ss=b&srt=sco&sp=rwdl&se=2026-12-01T00:00:00Z&sig=<w43>%3D"},
	azureDevOps: {"<w76>AZDO<w4>"},
	pgpKey: {"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n<w64>\n<w64>\n=<w4>\n-----END PGP PRIVATE KEY BLOCK-----",
		"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\n<w64>\nPrivate-MAC: <x64>"},
	ipAddr:  {"IP 198.51.<d1>.2", "ip=2001:db8::<x4>:1", "client_ip: 203.0.113.77"},
	macAddr: {"MAC 00:00:5E:00:53:AF", "mac 00-00-5e-00-53-<x2>"},
	phone: {"Telefon +49 30 <d7>", "tel: +44 20 7946 0958", "+1 (202) 555-0143", "+33 1 <d2> <d2> <d2> <d2>", "mobile +919876543210",
		"call +41 (0)44 <d3> 45 67"},
	seedPhrase: {"seed: legal winner thank year wave sausage worth useful legal winner thank yellow",
		"Recovery phrase\nabandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"},
	mrz: {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
		"I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<",
		"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<"},
	track1:     {"%B4111111111111111^DOE/JOHN^29121010000000000000?"},
	track2:     {"x;4111111111111111=29121010000000000?"},
	httpAuth:   {"Authorization: Bearer <w40>", `"authorization": "token <w32>"`, "Authorization: Basic dXNlcjpoN1RyNHdReno5"},
	connection: {"postgres://app:<w12>@db.acme.example:5432/x", "Server=db1;Database=x;User Id=app;Password=<w14>;Encrypt=true"},
	generic:    {`db_password = "<w6>!<w6>9a"`, "api_key: <w32>", `"clientSecret":"<w24>7b"`, "TOKEN=<x40>"},
}

// filled puts characters for what stands in pointed brackets.
func filled(n noise, text string) string {
	classes := map[byte]string{'d': "0123456789", 'x': "0123456789abcdef", 'a': "0123456789abcdefghijklmnopqrstuvwxyz"}
	for _, c := range []byte("XAwueb") {
		classes[c] = "0123456789ABCDEF"
	}
	const alnum = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	classes['A'], classes['w'], classes['u'], classes['e'], classes['b'] = alnum[:36], alnum, alnum+"_-", alnum+"_-=", alnum+"+/"
	for {
		m := rx(`<[A-Za-z][0-9]+(?:,[0-9]+)?>`).FindStringIndex(text)
		if m == nil {
			return text
		}
		at, end := m[0], m[1]-1
		from, to, ranged := strings.Cut(text[at+2:end], ",")
		k, _ := strconv.Atoi(from)
		if ranged {
			most, _ := strconv.Atoi(to)
			k += n.N(min(most-k, 20) + 1)
		}
		v, of := make([]byte, k), classes[text[at+1]]
		for i := range v {
			if v[i] = of[n.N(len(of))]; i == 0 || i == k-1 {
				v[i] = of[n.N(10)] // no hyphen at an end
			}
		}
		text = text[:at] + string(v) + text[end+1:]
	}
}

// opened is a value of a detector whose values begin with given characters.
func opened(n noise, kind uint8) string {
	v := filled(n, strings.TrimPrefix(sim.Pick(n.Rand, strings.Split(table[kind].openings, " | ")), "!"))
	for kind == euVAT && table[kind].check([]byte(v)) == refused {
		v = filled(n, sim.Pick(n.Rand, strings.Split(table[kind].openings, " | ")))
	}
	if strings.HasPrefix(v, "npm_") {
		v = v[:len(v)-6] + base62(crc32.ChecksumIEEE([]byte(v[4:len(v)-6])))
	}
	return v
}

// base62 is a number in six digits.
func base62(sum uint32) (text string) {
	for range 6 {
		text, sum = string("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[sum%62])+text, sum/62
	}
	return text
}

// formed is a value of a detector that is told as data: one of its forms filled in until its check lets it pass, or a sample whose
// digits are changed until it does.
func formed(n noise, kind uint8) string {
	all := readForms(kind, &table[kind])
	for range 2_000_000 {
		f := all[n.N(len(all))]
		v := make([]byte, f.n)
		for i := range v {
			switch c := f.class[i]; {
			case c == 0:
				v[i] = f.sign[i]
			case c == digit, c&digit != 0 && n.N(3) > 0:
				v[i] = byte('0' + n.N(10))
			default:
				v[i] = byte('A' + n.N(26))
			}
		}
		if s := samples[kind]; s != "" {
			v = []byte(s)
			for i, c := range v {
				if c >= '0' && c <= '9' && n.N(3) == 0 {
					v[i] = byte('0' + n.N(10))
				}
			}
		}
		plain := compact(nil, v)
		if (f.check == nil || f.check(plain) != refused) && !timely(v) {
			return string(v)
		}
	}
	panic("no value of " + table[kind].ID)
}

// samples are values whose letters few could find by chance.
var samples = map[uint8]string{mxCURP: "BOXW310722HNERXN02", ukDL: "MORGA753116SM9IJ", mxRFC: "GODE581231GR1", usMBI: "1EG4TE5MK73",
	ukVAT: "GB280990684"}

// beside is a keyword of a type in a sentence, in its country's language.
var beside = map[uint8][]string{
	nino:       {"National Insurance number: ", "NI number ", "nino ", "NINumber="},
	steuerID:   {"Steuer-ID: ", "Steueridentifikationsnummer ", "IdNr. ", "die Steuer-Identifikationsnummer lautet ", "Finanzamt Mitte, "},
	nir:        {"numéro de sécurité sociale : ", "N° Sécu (NIR) ", "INSEE ", "numero de securite sociale ", "carte Vitale "},
	dni:        {"DNI: ", "N.I.F. y DNI ", "documento nacional de identidad ", "número de identificación ", "nif="},
	fiscalCode: {"codice fiscale: ", "C.F. e codice_fiscale ", "CF ", "Cod. Fisc. ", "codiceFiscale="},
	github:     {"GitHub token ", "GH_TOKEN=", "Authorization: token "},
	slack:      {"Slack bot: ", "SLACK_TOKEN=", "Authorization: Bearer "},
	google:     {"Google API key ", "GOOGLE_API_KEY=", "maps key="},
	privateKey: {"RSA key:\n", "ssh ", "private key\n"},
}

// keywordsOf are keywords of a type, as they may stand before a value.
func keywordsOf(kind uint8) []string {
	if of := beside[kind]; of != nil {
		return of
	}
	f := strings.Fields(table[kind].keywords)
	if len(f) == 0 {
		return []string{""}
	}
	return []string{f[0] + " ", strings.ToUpper(f[len(f)-1]) + ": "}
}

func TestWhatIsToldAsDataIsFoundWithItsKeywords(t *testing.T) {
	for kind := uint8(privateKey + 1); kind < detectors; kind++ {
		if lettered[kind] != nil {
			continue
		}
		s, n := compile(Options{}, int(kind)).Scanner(), noise{sim.NewRand(22, uint64(kind))}
		for range 100 {
			v, before := made(n, kind), sim.Pick(n.Rand, keywordsOf(kind))
			c := s.Claims([]byte(before+v+" ."), "")
			if len(c) != 1 || c[0].Confidence < Medium || c[0].Start != len(before) || c[0].End != len(before+v) {
				t.Fatalf("%s %q: %s", table[kind].ID, before+v, show(before+v+" .", c))
			}
			if c = s.Claims([]byte("x "+v+" ."), ""); len(c) > 1 || len(c) == 1 && c[0].Confidence > Medium {
				t.Fatalf("%s %q: %s", table[kind].ID, v, show("x "+v+" .", c))
			}
			value := normal(kind, []byte(v))
			if sample := mask(kind, value); len(strings.Trim(sample, "*")) > 7 || strings.Contains(sample, string(value)) {
				t.Fatalf("%q is shown as %q", v, sample)
			}
		}
	}
}

func TestSecretsWithoutAPrefixAreFoundByWhatStandsAround(t *testing.T) {
	for kind := range lettered {
		s, n := compile(Options{}, int(kind)).Scanner(), noise{sim.NewRand(23, uint64(kind))}
		for range 200 {
			v := made(n, kind)
			for _, text := range []string{v, "x " + v + " .", "{" + v + "}\n"} {
				c := s.Claims([]byte(text), "")
				if len(c) != 1 || c[0].kind != kind || c[0].Confidence < Medium {
					t.Fatalf("%s in %q: %s", table[kind].ID, text, show(text, c))
				}
				value := normal(kind, []byte(text[c[0].Start:c[0].End]))
				if shown := strings.Trim(mask(kind, value), "*"); shown == "" || strings.Contains(string(value), shown) && len(shown) > 8 {
					t.Fatalf("%q is shown as %q", value, shown)
				}
			}
		}
	}
}

func TestWhatIsCalledASecretIsOneIfItLooksLikeOne(t *testing.T) {
	s := compile(Options{}, int(generic)).Scanner()
	f := func(text, name string, want int) {
		t.Helper()
		c := s.Claims([]byte(text), name)
		if got := len(c); got > 1 || got == 0 && want != 0 || got == 1 && c[0].Confidence != want {
			t.Errorf("%q in %q: %s, want %d", text, name, show(text, c), want)
		}
	}
	for _, text := range []string{`password = "hT7!rWq9zK"`, `DB_PASSWORD=hT7!rWq9zK`, `"clientSecret": "q83Nf02LxPz71KdwRt5m"`,
		`api_key: q83Nf02LxPz71KdwRt5m`, `spring.datasource.password=hT7!rWq9zK # x`, `{"token":"q83Nf02LxPz71KdwRt5m"}`,
		`$env:API_TOKEN = 'q83Nf02LxPz71KdwRt5m'`, `secret => "q83Nf02LxPz71KdwRt5m",`} {
		f(text, "", Medium)
	}
	f("hT7!rWq9zK", "password", Medium)
	f("q83Nf02LxPz71KdwRt5m", "client_secret", Medium)
	f("password: hunter2hunter2", "", Low)
	f(`api_key = "q83Nf02LxPz71KdwRt5mq83Nf02LxPz71KdwRt+m"`, "", Medium) // of 40 characters, as a secret of AWS
	for _, text := range []string{`password = os.environ["DB_PASSWORD"]`, `password: ${DB_PASSWORD}`, `token = getToken(request)`,
		`secret: changeme123!`,
		`password = "your-password-1"`, `token: "<insert token 1234>"`, `password: string`, `apiKey: process.env.API_KEY1`, `the token: it is`,
		`"password": null`, `password = "********1A"`, `token=xxxxxxxxxxxxxxxxxxx1`, `passwordField = document.getElementById("pw1")`,
		`secret: "correct horse battery staple"`, `"tokenType":"Bearer1234"`, `"nextToken": "q83Nf02LxPz71KdwRt5m"`, `token = self.next_token1`,
		`token: {{ .Values.token1234567890 }}`} {
		f(text, "", 0)
	}
	f("hT7!rWq9zK", "passwordHint", 0)
	f("1234567890123456", "token", 0)
}

func TestATypeOfItsOwnBeatsWhatAValueIsCalled(t *testing.T) {
	s, n := all(t, Medium), noise{sim.NewRand(24, 1)}
	for _, kind := range []uint8{github, gitlab, stripe, sendgrid, modelKey, registry} {
		v := made(n, kind)
		for _, text := range []string{"token = \"" + v + "\"", "Authorization: Bearer " + v, "api_key=" + v} {
			for _, c := range s.Claims([]byte(text), "") {
				if vague[c.kind] {
					t.Errorf("%q: %s", text, show(text, s.Claims([]byte(text), "")))
				}
			}
		}
	}
}

func TestMadeValuesAreFoundWithTheKeywordsOfTheirCountry(t *testing.T) {
	for kind := nino; kind <= privateKey; kind++ {
		set := compile(Options{}, kind)
		s, n := set.Scanner(), noise{sim.NewRand(21, uint64(kind))}
		for range 500 {
			v, before := made(n, uint8(kind)), sim.Pick(n.Rand, beside[uint8(kind)])
			c := s.Claims([]byte(before+v+" ."), "")
			if len(c) != 1 || c[0].Confidence != High || c[0].Start != len(before) || c[0].End != len(before+v) {
				t.Fatalf("%q: %s", before+v, show(before+v+" .", c))
			}
			want := Medium
			if kind == nino {
				want = Low
			}
			if c = s.Claims([]byte("x "+v+" ."), ""); len(c) != 1 || c[0].Confidence != want {
				t.Fatalf("%q: %s", v, show("x "+v+" .", c))
			}
			sample, value := mask(uint8(kind), normal(uint8(kind), []byte(v))), normal(uint8(kind), []byte(v))
			if hidden := strings.Trim(sample, "*"); len(sample) == 0 || hidden != "-----BEGIN PRIVATE KEY-----" && len(hidden) > 4 ||
				strings.Contains(sample, string(value)) {
				t.Fatalf("%q is shown as %q", v, sample)
			}
		}
	}
}

func TestKnownValuesAreDecidedAsTheirIssuersDo(t *testing.T) {
	f := func(kind int, text string, want int) {
		t.Helper()
		s := compile(Options{}, kind).Scanner()
		c := s.Claims([]byte(text), "")
		if got := len(c); got > 1 || got == 0 && want != 0 || got == 1 && c[0].Confidence != want {
			t.Errorf("%s %q: %s, want %d", table[kind].ID, text, show(text, c), want)
		}
	}
	f(nino, "AB123456C", Low)
	f(nino, "ab 12 34 56 c", Low)
	f(nino, "AB 123456C", Low)
	f(nino, "AB 123456 C", Low)
	f(nino, "AB-12-34-56-C", Low)
	f(nino, "nino AB123456C", High)
	f(nino, "AB 12-34 56 C", 0)
	f(nino, "AB123456E", 0)
	f(nino, "DB123456C", 0)
	f(nino, "AO123456C", 0)
	f(nino, "GB123456C", 0)
	f(nino, "ZZ123456C", 0)
	f(nino, "AB1234567", 0)
	f(nino, "xAB 12 34 56 C", 0)
	f(nino, "part AB123456C-7", 0)
	f(steuerID, "36574261809", Medium)
	f(steuerID, "36 574 261 809", Medium)
	f(steuerID, "IdNr 36574261809", High)
	f(steuerID, "36574261808", 0)
	f(steuerID, "06574261809", 0)
	f(steuerID, "12345678903", 0) // no digit comes again
	f(steuerID, "11223456783", 0)
	f(steuerID, "36 574 261 809 112", Low)
	f(steuerID, "7 36 574 261 809", Low)
	f(steuerID, "36.574.261.809", 0)
	f(nir, "295107972611193", Medium)
	f(nir, "2 95 10 79 726 111 93", Medium)
	f(nir, "2951079726111 93", Medium)
	f(nir, "2.95.10.79.726.111.93", Medium)
	f(nir, "295107972611192", 0)
	f(nir, "295137972611193", 0)
	f(nir, "5 95 10 79 726 111 93", 0)
	f(nir, "sécurité sociale 2 95 10 79 726 111 93", High)
	f(dni, "54562415K", Medium)
	f(dni, "54562415-K", Medium)
	f(dni, "54.562.415-K", Medium)
	f(dni, "54562415k", Medium)
	f(dni, "20260101M", 0)
	f(dni, "20260116Z", Low)
	f(dni, "54562415L", 0)
	f(dni, "00000000T", 0)
	f(dni, "54562415-KA", 0)
	f(dni, "DNI 54562415K", High)
	f(fiscalCode, "RCCMNL83S18D969H", Medium)
	f(fiscalCode, "rccmnl83s18d969h", Medium)
	f(fiscalCode, "RCCMNL83S18D969A", 0)
	f(fiscalCode, "RCCMNL83S38D969H", 0)
	f(fiscalCode, "Rccmnl83S18D969H", 0)
	f(fiscalCode, "codice fiscale RCCMNL83S18D969H", High)
	f(github, "ghp_"+strings.Repeat("x", 36), 0)
	f(github, "ghp_0123456789abcdefghijABCDEFGHIJ000000", Low)
	f(slack, "xoxb-123456789012-123456789012-xxxxxxxxxxxxxxxxxxxxxxxx", 0)
	f(slack, "xoxb-your-token-here", 0)
	f(slack, "xoxb-123456789012-123456789012", 0)
	f(google, "AIzaSy"+strings.Repeat("X", 33), 0)
	f(google, "AIzaSyA0b1C2d3E4f5G6h7I8j9K0l1M2n3O4p5Q", Medium)
	f(google, "AIzaSyA0b1C2d3E4f5G6h7I8j9K0l1M2n3O4p5Qx", 0)
	f(google, "AIzaSyA0b1C2d3E4f5G6h7I8j9K0l1M2n3O4p5", 0)
	f(privateKey, "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----", 0)
	f(privateKey, "-----BEGIN PUBLIC KEY-----\n"+strings.Repeat("aB3dE5gH7jK9", 6)+"\n-----END PUBLIC KEY-----", 0)
	f(privateKey, "-----BEGIN PRIVATE KEY-----\n"+strings.Repeat("aB3dE5gH7jK9", 6)+"\n-----END RSA PRIVATE KEY-----", 0)
	f(privateKey, `"-----BEGIN PRIVATE KEY-----\n`+strings.Repeat("aB3dE5gH7jK9", 6)+`\n-----END PRIVATE KEY-----\n"`, Medium)
	f(privateKey, "-----BEGIN PRIVATE KEY-----"+strings.Repeat("aB3dE5gH7jK9", 6), 0)
}

// TestWhatMachinesWriteIsQuiet: hashes, ids, times, counts and addresses hold many digits and no value.
func TestWhatMachinesWriteIsQuiet(t *testing.T) {
	var kinds []int
	for k := range detectors {
		if k != email && k != usPhone && k != phone {
			kinds = append(kinds, k)
		}
	}
	s, n := compile(Options{Confidence: Medium}, kinds...).Scanner(), noise{sim.NewRand(31, 7)}
	hex := func(k int) string {
		const d = "0123456789abcdef"
		b := make([]byte, k)
		for i := range b {
			b[i] = d[n.N(16)]
		}
		return string(b)
	}
	upper := func(k int) string {
		const d = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		b := make([]byte, k)
		for i := range b {
			b[i] = d[n.N(36)]
		}
		return string(b)
	}
	alarms, texts := map[string]int{}, 0
	f := func(text, name string) {
		texts++
		for _, c := range s.Claims([]byte(text), name) {
			alarms[c.Type().ID+" in "+name]++
		}
	}
	for range 20_000 {
		f(string(n.UUID(nil)), "uuid")
		f("commit "+hex(40)+" tree "+hex(7), "git")
		f(hex(32)+" "+hex(64), "md5 and sha256")
		f(fmt.Sprintf("2026-%02d-%02dT%02d:%02d:%02d.%06dZ 2026%02d%02dT%02d%02d%02dZ 2026%02d%02dZ", 1+n.N(12), 1+n.N(28), n.N(24), n.N(60),
			n.N(60), n.N(1e6), 1+n.N(12), 1+n.N(28), n.N(24), n.N(60), n.N(60), 1+n.N(12), 1+n.N(28)), "times")
		f(fmt.Sprintf("%d %d", 1_700_000_000+n.N(99_999_999), 1_700_000_000_000+n.N(99_999_999_999)), "seconds")
		f(fmt.Sprintf("10.%d.%d.%d:%d fe80::%s:%s", n.N(255), n.N(255), n.N(255), n.N(65536), hex(4), hex(4)), "addresses")
		f("00u"+string(n.Name(nil, 17))+" i-"+hex(17)+" arn:aws:iam::"+n.digits(12)+":role/x", "ids")
		f("SKU "+upper(8)+" lot "+upper(12)+" v"+n.digits(1)+"."+n.digits(2)+"."+n.digits(3), "product")
		f(fmt.Sprintf("+1 %d %d %d, 0%s %s", 200+n.N(700), 200+n.N(700), n.N(10000), n.digits(3), n.digits(7)), "phone")
		f("total "+n.digits(2)+" "+n.digits(3)+" "+n.digits(3)+" EUR, "+n.digits(3)+","+n.digits(3)+"."+n.digits(2), "amounts")
		f("req-"+n.digits(11)+" /files/"+n.digits(15)+"/v/"+n.digits(13), "path")
		f(n.digits(11)+"", "request_id")
		f(n.digits(15)+"", "file_id")
		f(n.digits(8)+"Z", "timestamp")
	}
	t.Logf("%d texts: %v", texts, alarms)
	for what, k := range alarms {
		t.Errorf("%s: %d of 20000", what, k)
	}
}

func TestVersionOfASetFollowsWhatItMayFind(t *testing.T) {
	v := func(o Options) string {
		t.Helper()
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		return s.Version()
	}
	base := Options{Packs: []string{"pci"}, Confidence: 75}
	if again := v(base); again != v(base) || len(again) != 12 {
		t.Errorf("%q and %q", v(base), v(base))
	}
	if got := v(base); got != "1ba38ec08a4d" {
		t.Errorf("version %s: it is another in another process, or detectors changed without their version", got)
	}
	skip := base
	skip.SkipFields = []string{"a.b"}
	if v(skip) != v(base) {
		t.Error("fields of records that are skipped change what is found in files")
	}
	seen := map[string]bool{v(base): true}
	for _, o := range []Options{{Packs: []string{"pci", "pii/us"}, Confidence: 75}, {Packs: []string{"pci"}, Confidence: 65},
		{Packs: []string{"pci"}, Confidence: 75, Key: []byte("0123456789abcdef")},
		{Packs: []string{"pci"}, Confidence: 75, Key: []byte("0123456789abcdeX")},
		{Packs: []string{"pci"}, Confidence: 75, Limits: extract.Limits{Depth: 2}}} {
		if seen[v(o)] {
			t.Errorf("%+v has the version of another set", o.Packs)
		}
		seen[v(o)] = true
	}
	if v(Options{Packs: []string{"pii/us", "pci"}, Confidence: 75}) != v(Options{Packs: []string{"pci", "pii/us", "pii/us"}, Confidence: 75}) {
		t.Error("the order of packs counts")
	}
}
