package dlp

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// all is every detector, at a confidence.
func all(t testing.TB, confidence int) *Scanner {
	t.Helper()
	s, err := New(Options{Packs: Packs(), Confidence: confidence})
	if err != nil {
		t.Fatal(err)
	}
	return s.Scanner()
}

// show writes claims as type, bytes and confidence.
func show(text string, claims []Claim) string {
	var out []string
	for _, c := range claims {
		out = append(out, fmt.Sprintf("%s %q %d", c.Type().ID, text[c.Start:c.End], c.Confidence))
	}
	return strings.Join(out, "; ")
}

func TestPlantedValuesAreFoundAndDecoysAreNot(t *testing.T) {
	s, r := all(t, Medium), sim.NewRand(1, 1)
	planted := []string{sim.Card, sim.SSN, sim.IBAN, sim.AWSKey, sim.JWT}
	for range 2000 {
		for _, want := range planted {
			text := sim.Plant(r, want)
			if c := s.Claims([]byte(text), ""); len(c) != 1 || c[0].Type().ID != want || c[0].Confidence != High {
				t.Fatalf("%q: %s", text, show(text, c))
			}
		}
		if text := sim.Decoy(r); len(s.Claims([]byte(text), "")) > 0 {
			t.Fatalf("%q: %s", text, show(text, s.claims))
		}
	}
	for _, id := range planted {
		if !slices.ContainsFunc(Types(), func(x Type) bool { return x.ID == id }) {
			t.Errorf("no detector for %s", id)
		}
	}
}

// presidio is which recognizer of the public cases has a detector here.
var presidio = map[string]uint8{"credit_card": card, "us_ssn": ssn, "iban": iban, "email": email, "uk_nino": nino,
	"de_tax_id": steuerID, "es_nif": dni, "it_fiscal_code": fiscalCode}

// alone are those of which the detector is asked by itself, with a keyword as the name of the field: many need one.
var alone = map[string]uint8{"ip": ipAddr, "de_vat_id": euVAT, "fi_personal_identity_code": fiHETU, "de_passport": dePassport,
	"de_id_card": deID, "tr_national_id": trTCKN, "ca_sin": caSIN, "mac": macAddr, "kr_rrn": krRRN, "se_personnummer": sePNR, "us_mbi": usMBI,
	"es_nie": esNIE, "us_npi": usNPI, "za_id_number": zaID, "in_aadhaar": inAadhaar, "uk_passport": ukPassport, "sg_fin": sgNRIC,
	"uk_driving_licence": ukDL, "crypto": btc, "pl_pesel": plPESEL, "au_tfn": auTFN, "au_medicare": auMedicare, "us_itin": usITIN,
	"aba_routing": usABA, "in_pan": inPAN, "it_vat_code": itPIVA, "us_passport": usPassport, "uk_nhs": ukNHS, "us_bank": usAccount,
	"us_driver_license": usDL, "th_tnin": thPIN}

// disagreed are the public cases that are decided otherwise here, and why.
var disagreed = func() map[string]string {
	out := map[string]string{}
	for why, cases := range map[string][]string{
		"UATP: a tenth of all numbers of 15 digits begin like one": {"122000000000003", "my credit card: 122000000000003"},
		"not written so by the authority": {"078-051121 07805-1121", "911-701234 91170-1234", "3123:4567:8909", "3998:7654:3211",
			"A1111DFSFS", "01333550_323", "DE-136-695-976", "DE.136.695.976", "DE 136-695.976", "de136695976", "de 136 695 976", "l01x00t44",
			"t22000129", "c01234565", "123456789 1234567890 12345679012 123456790123 1234567901234 1234"},
		"nine digits without a keyword are no claim": {"078051121"},
		"of the first ten digits none comes again: the authority gives out no such number": {"12345678903", "98765432106",
			"Meine Steuer-ID: 12345678903.", "IdNr. 98765432106 liegt vor."},
		"the authority writes eight digits": {"1111111-G", "1111111G"},
		"the last letter or digit is wrong": {"AAAAAA00B11C333N", "AAAAAA00B11C333Y and AAAAAA00B11C333N", "T1234567Z", "G1122144L",
			"DE123456789", "DE987654321", "DE100000001", "960121-1234567", "9601211234567", "000505-3637892", "0005053637892",
			"His Korean RRN is 960121-1234567"},
		"the span given has the space before it":            {"Here is my National Insurance Number YZ 61 48 68 B"},
		"no series or kind of holder begins so":             {"A1234567Z", "B1234567Z", "AAASA1111R", "ABCND1234Z"},
		"this first letter is of the other document":        {"de_id_card C01234565", "CZ6311T03", "G00000002", "de_passport L01X00T44"},
		"nine characters have no check digit: it is behind": {"L01X00T47", "C01234567", "F12345678"},
		"a part of a word":                                  {"My finnish id code is030594W903B.", "My swedish id code is199003052397."},
		"the provinces of Thailand are not checked":         {"1974567890124", "1984567890124", "1994567890124"},
		"passports have nine digits":                        {"uk_passport 123456789"},
		"accounts have from six digits on":                  {"us_bank 1234567"},
		"it passes the authority's check":                   {"1111111112", "051102-9234110"},
		"a part of an address is none":                      {"192.168.1.1.1", "foo2001:db8::10.0.0.1"},
	} {
		for _, c := range cases {
			out[c] = why
		}
	}
	return out
}()

// publicOnly leaves of the spans of addresses those of public ones, without the length of a prefix.
func publicOnly(text string, spans [][2]int) (out [][2]int) {
	for _, s := range spans {
		v, _, _ := strings.Cut(string([]rune(text)[s[0]:s[1]]), "/")
		a, err := netip.ParseAddr(v)
		if a = a.Unmap(); err == nil && a.IsGlobalUnicast() && !a.IsPrivate() && (!a.Is4() || a.As4()[0] != 0) {
			out = append(out, [2]int{s[0], s[0] + len(v)})
		}
	}
	return out
}

func TestPublicCasesAgree(t *testing.T) {
	f, err := os.Open(filepath.FromSlash("../../../shared/dlp-cases/presidio-recognizer-cases.jsonl"))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("the public cases are not beside the repository")
	}
	defer f.Close()
	scanners := map[uint8]*Scanner{}
	for _, kind := range alone {
		scanners[kind] = compile(Options{}, int(kind)).Scanner()
	}
	s, total, agree := all(t, Low), map[string]int{}, map[string]int{}
	for in := bufio.NewScanner(f); in.Scan(); {
		var c struct {
			Recognizer, Text string
			Count            any // a number, or whether there is any
			Spans            [][2]int
		}
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		want, isNumber := c.Count.(float64)
		kind, ok := presidio[c.Recognizer]
		s, name := s, ""
		if !ok {
			if kind, ok = alone[c.Recognizer]; ok {
				s, name = scanners[kind], strings.Fields(table[kind].keywords)[0]
			}
		}
		if !ok || !isNumber {
			continue
		}
		if kind == ipAddr && len(c.Spans) > 0 {
			c.Spans = publicOnly(c.Text, c.Spans)
			want = float64(len(c.Spans))
		}
		total[c.Recognizer]++
		var spans [][2]int
		for _, claim := range s.Claims([]byte(c.Text), name) {
			if claim.kind == kind {
				spans = append(spans, [2]int{len([]rune(c.Text[:claim.Start])), len([]rune(c.Text[:claim.End]))})
			}
		}
		same := len(spans) == int(want) && (len(c.Spans) == 0 || slices.Equal(spans, c.Spans))
		if same {
			agree[c.Recognizer]++
		}
		if why := cmp.Or(disagreed[c.Recognizer+" "+c.Text], disagreed[c.Text]); !same && why == "" {
			t.Errorf("%s %q: found %v, want %d %v", c.Recognizer, c.Text, spans, int(want), c.Spans)
		}
	}
	sum, all := 0, 0
	for _, of := range []map[string]uint8{presidio, alone} {
		for name := range of {
			t.Logf("%s: %d of %d", name, agree[name], total[name])
			if sum, all = sum+agree[name], all+total[name]; total[name] == 0 {
				t.Errorf("no case for %s", name)
			}
		}
	}
	t.Logf("%d of %d; where the others differ the authority's rule is followed, as noted", sum, all)
}

func TestConfidenceFollowsCheckKeywordAndNeighbourhood(t *testing.T) {
	s := all(t, 0)
	f := func(text, name, want string) {
		t.Helper()
		if got := show(text, s.Claims([]byte(text), name)); got != want {
			t.Errorf("%q in %q: %s, want %s", text, name, got, want)
		}
	}
	const c, key = "4539148803436467", `pci.credit_card "4539148803436467" `
	f(c, "", key+"75")
	f("the card "+c, "", key+"85")
	f(c+" was the cardNumber", "", key+"85")
	f("discard "+c, "", key+"75")
	f(c, "credit_card", key+"85")
	f(c, "paymentID", key+"65")
	f(c, "cardId", key+"85")
	f("0."+c, "", key+"65")
	f("/objects/"+c+"?x=1", "", key+"65")
	f("card x-"+c, "", key+"75")
	f("x"+c, "", "")
	f("é"+c+"é", "", key+"75")
	f("41 4539 1488 0343 6467 0000", "", `pci.credit_card "4539 1488 0343 6467" 65`)
	f("12ab 4539 1488 0343 6467 ff00", "", `pci.credit_card "4539 1488 0343 6467" 65`)
	f("card 4539-1488-0343-6467.", "", `pci.credit_card "4539-1488-0343-6467" 85`)
	f("4539 1488-0343 6467", "", "")
	f("536-90-4399", "", `pii.us_ssn "536-90-4399" 65`)
	f("536-90-4399", "socialSecurityNumber", `pii.us_ssn "536-90-4399" 85`)
	f("536-90-4399-1", "", "")
	f("536904399", "", `pii.au_tfn "536904399" 65`) // one in eleven numbers passes its check
	f("SSN 536904399", "", `pii.us_ssn "536904399" 75`)
	f("SSN 536904399", "requestId", "")
	f("the ssn is 078-05-1120", "", "")
	f("DE89 3704 0044 0532 0130 00", "", `finance.iban "DE89 3704 0044 0532 0130 00" 75`)
	f("de89370400440532013000", "", "")
	f("card+"+strings.Repeat("é", 298)+" "+c, "", key+"85")
	f("card+"+strings.Repeat("é", 299)+" "+c, "", key+"75")
	f(c+strings.Repeat(" ", 300)+"card", "", key+"85")
	f(c+strings.Repeat(" ", 301)+"card", "", key+"75")
	f("CARTÃO "+c, "", key+"75")
	f("AKIAABCDEFGHIJKLMNOP", "", `secrets.aws_access_key "AKIAABCDEFGHIJKLMNOP" 75`)
	f("AKIA7777777777ABCDEF", "", `secrets.aws_access_key "AKIA7777777777ABCDEF" 65`)
	f("AKIAIOSFODNN7EXAMPLE", "", "")
}

func TestLongestAndStrongestClaimOwnsItsBytes(t *testing.T) {
	s := all(t, 0)
	f := func(text, want string) {
		t.Helper()
		var got []string
		for _, c := range s.Claims([]byte(text), "") {
			got = append(got, c.Type().ID+" "+text[c.Start:c.End])
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	f("4539148803436467@example.org", "pii.email 4539148803436467@example.org")
	// The last three of 19 digits that pass are the card, not the 16 before them.
	f("4000 0000 0000 0002 002", "pci.credit_card 4000 0000 0000 0002 002")
	f("4242 4242 4242 4242 4242", "pci.credit_card 4242 4242 4242 4242")
	f("550e8400-e29b-41d4-a716-446655440000", "")
	f("53690439-9123-4539-1488-034364670000", "")
	f("ab12f4539148803436467c0ffee0123456789", "")
}

func TestNothingIsAllocatedWhileNothingIsFound(t *testing.T) {
	s, err := New(Options{Packs: []string{"pci", "pii/us", "finance", "secrets"}, Confidence: Medium})
	if err != nil {
		t.Fatal(err)
	}
	c, events := s.Scanner(), sparse()
	for _, e := range events {
		c.Reset()
		if c.JSON(e); len(c.Findings()) > 0 {
			t.Fatalf("%s: %+v", e, c.Findings())
		}
	}
	if n := testing.AllocsPerRun(5, func() {
		for _, e := range events {
			c.Reset()
			c.JSON(e)
			c.Claims(e, "")
		}
	}); n > 0 {
		t.Errorf("%v allocations for %d events", n, len(events))
	}
}

func TestTimeGrowsWithTheTextAlone(t *testing.T) {
	s := all(t, 0)
	f := func(piece string) {
		t.Helper()
		text := []byte(strings.Repeat(piece, 400_000/len(piece)))
		s.steps(t, text)
	}
	for _, piece := range []string{"4242 ", "4242-", "eyJa-", "eyJhbGciOiJIUzI1NiJ9.", "a@a.", "@", "a.a@", "AL47 ", "card ", "a",
		"536-90-4399 ",
		"12 ", "1 12 ", "AB 12-", "12.345.", "xoxb-1-", "-----BEGIN PRIVATE KEY-----", "-----BEGIN", "AIza-", "ghp_", "{", `{"a":[`, `"`, `\`} {
		f(piece)
	}
}

// steps scans a hostile text in a time that only something far from linear exceeds.
func (s *Scanner) steps(t *testing.T, text []byte) {
	t.Helper()
	began := time.Now()
	s.Reset()
	s.Claims(text, "")
	s.JSON(text)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("%.20q…: %v", text, took)
	}
}

func TestStringsOfJSONAreScannedWithTheirFields(t *testing.T) {
	s := all(t, Medium)
	f := func(text, want string) {
		t.Helper()
		s.Reset()
		s.JSON([]byte(text))
		var got []string
		for _, x := range s.Findings() {
			got = append(got, fmt.Sprint(x.Type.ID, " ", x.Confidence, " ", x.Count, "/", x.Unique, " ", x.Samples)+fmt.Sprint(x.Locations))
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s:\n%s\nwant\n%s", text, strings.Join(got, "; "), want)
		}
	}
	f(`{"a":{"ssn":"536904399"}}`, "pii.us_ssn 75 1/1 [*****4399][a.ssn]")
	f(`{"a":{"ssn":536904399,"id":536904399}}`, "pii.us_ssn 75 1/1 [*****4399][a.ssn]")
	f(`{"card":{"number":4539148803436467}}`, "pci.credit_card 85 1/1 [************6467][card.number]")
	f(`{"number":4539148803436467}`, "")
	f(`{"note":"4539\u00201488 0343 6467\n\"card\""}`, "pci.credit_card 85 1/1 [************6467][note]")
	f(`{"note":"\u0034539148803436467"}`, "pci.credit_card 75 1/1 [************6467][note]")
	f(`[{"x":["",{"y":["4539148803436467"]}]},"4539-1488-0343-6467"]`, "pci.credit_card 75 2/1 [************6467][[0].x[1].y[0] [1]]")
	f(`{"4539148803436467":{"v":"4539148803436467"}}`, "pci.credit_card 75 2/1 [************6467][* *.v]")
	f(`{"a":"4539148803436467","a":1,"b" : "x"`, "pci.credit_card 75 1/1 [************6467][a]")
	f(`{"a":"broken 4539148803436467`, "pci.credit_card 75 1/1 [************6467][a]")
	f(strings.Repeat(`[`, 1000)+`"4539148803436467"`, "pci.credit_card 75 1/1 [************6467]["+strings.Repeat("[0]", 64)+"]")
	f(`{"`+strings.Repeat("n", 100)+`":"4539148803436467"}`, "pci.credit_card 75 1/1 [************6467]["+strings.Repeat("n", 64)+"…]")
}

func TestManyValuesAreBounded(t *testing.T) {
	s, r := all(t, Low), sim.NewRand(5, 5)
	for i := range 6000 {
		s.Text([]byte(sim.Plant(r, sim.Card)), fmt.Sprint("field", string(rune('a'+i%26))))
	}
	f := s.Findings()[0]
	if f.Count != 6000 || f.Unique != maxUnique || len(f.Samples) != maxSamples ||
		len(f.Fingerprints) != maxPrints || len(f.Locations) != maxLocations {
		t.Errorf("%d values, %d different, %d samples, %d fingerprints, %d places", f.Count, f.Unique,
			len(f.Samples), len(f.Fingerprints), len(f.Locations))
	}
	if !s.Shows("anything at all") {
		t.Error("with more values than can be kept a text is still taken for harmless")
	}
	if s.Reset(); s.Shows("anything at all") || len(s.Findings()) > 0 {
		t.Error("the values of the object before are still there")
	}
}

func TestNothingPrintsAValueOrTheKey(t *testing.T) {
	set, err := New(Options{Packs: Packs(), Key: []byte("hunter2hunter2hunter2")})
	if err != nil {
		t.Fatal(err)
	}
	s := set.Scanner()
	const text = `{"card":"4539148803436467"}`
	s.JSON([]byte(text))
	out := fmt.Sprintf("%v %+v %#v %v %+v %#v %+v %#v", s, s, s, *s, *s, *s, s.Findings(), s.Findings())
	out += fmt.Sprintf("%v %+v %#v %+v %#v", set, set, set, *set, *set)
	for _, c := range s.Claims([]byte(text), "") {
		out += fmt.Sprintf("%v %+v %#v", c, c, c)
	}
	for _, bad := range []string{"4539148803436467", "hunter2", fmt.Sprint([]byte("hunter2")), fmt.Sprint([]byte("45391488"))} {
		if strings.Contains(out, strings.Trim(bad, "[]")) {
			t.Errorf("%q is printed", bad)
		}
	}
}

func TestFingerprintsAreOfTheValueAndNotOfItsForm(t *testing.T) {
	prints := func(text string) string {
		set, err := New(Options{Packs: Packs(), Key: []byte("0123456789abcdef")})
		if err != nil {
			t.Fatal(err)
		}
		s := set.Scanner()
		s.Text([]byte(text), "")
		return s.Findings()[0].Fingerprints[0]
	}
	if a := prints("4539148803436467"); a != prints("card: 4539-1488-0343-6467") || a == prints("4716190207394368") {
		t.Error("fingerprints do not follow the value")
	}
	if prints("Ann@x.org") != prints("ann@X.ORG") {
		t.Error("the case of an address counts")
	}
}

func TestUnknownPackIsNamed(t *testing.T) {
	if _, err := New(Options{Packs: []string{"pci", "pii/xx"}}); err == nil || !strings.Contains(err.Error(), `"pii/xx"`) {
		t.Errorf("got %v", err)
	}
}

// checkClaims checks what holds for every input.
func checkClaims(t *testing.T, s *Scanner, text []byte) {
	last, from := 0, -1
	for _, c := range s.Claims(text, "") {
		apart := c.Start >= last || c.Start == from && c.End == last
		if !apart || c.End <= c.Start || c.End > len(text) || c.Confidence < Low || c.Confidence > High {
			t.Fatalf("claim %+v in %d bytes after %d", c, len(text), last)
		}
		last, from = c.End, c.Start
	}
}

func FuzzScan(f *testing.F) {
	r := sim.NewRand(9, 9)
	for _, kind := range []string{sim.Card, sim.SSN, sim.IBAN, sim.AWSKey, sim.JWT} {
		f.Add([]byte(sim.Plant(r, kind)), "note")
		f.Add([]byte(`{"a":["`+sim.Plant(r, kind)+`"]}`), "")
	}
	for kind := uint8(nino); kind < detectors; kind++ {
		f.Add([]byte(keywordsOf(kind)[0]+made(noise{r}, kind)), "")
	}
	f.Add([]byte("a@b.co \\u00 4539 1488 0343 6467 \xff\xfe"), "cardId")
	f.Add([]byte(`{"a\u0034`), "\xff")
	s := all(f, 0)
	f.Fuzz(func(t *testing.T, text []byte, name string) {
		checkClaims(t, s, text)
		sameWalk(t, s, text)
		s.Reset()
		s.Text(text, name)
		s.JSON(text)
		held := s.tally.held
		for _, x := range s.Findings() {
			out := strings.ToLower(fmt.Sprint(x.Samples, x.Locations))
			prints := fmt.Sprint(x.Fingerprints) // of random digits, among which a short value may stand
			for _, v := range held {
				if strings.Contains(out, string(v)) || len(v) > 7 && strings.Contains(prints, string(v)) {
					t.Fatalf("a finding of %s shows its value", x.Type.ID)
				}
			}
			if x.Unique > x.Count || x.Count == 0 || !utf8.ValidString(out) {
				t.Fatalf("finding %+v", x)
			}
		}
	})
}

func TestRealAuditEventsRaiseNoAlarm(t *testing.T) {
	files, _ := filepath.Glob(filepath.FromSlash("../../../shared/raw-events/*.jsonl"))
	if len(files) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("the raw events are not beside the repository")
		}
		t.Skip("the raw events are not beside the repository")
	}
	set, err := New(Options{Packs: []string{"pci", "pii/us", "finance", "secrets"}})
	if err != nil {
		t.Fatal(err)
	}
	s, events := set.Scanner(), 0
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(b) {
			s.Reset()
			s.JSON(line)
			for _, f := range s.Findings() {
				t.Errorf("%s: %s in %v", filepath.Base(name), f.Type.ID, f.Locations)
			}
			events++
		}
	}
	t.Logf("%d events of %d applications", events, len(files))
}

func TestKeywordsOfEveryScriptCount(t *testing.T) {
	s := all(t, 0)
	for _, c := range []struct {
		kind  uint8
		value string
		texts []string
	}{
		{nir, "295107972611193", []string{"Numéro de sécurité sociale: ", "NUMERO DE SECURITE SOCIALE ", "se\u0301curite\u0301 sociale "}},
		{cnRIC, "360426199111010075", []string{"公民身份号码", "他的身份证号是：", "身份證號碼 "}},
		{jpMyNumber, "621498310227", []string{"マイナンバー：", "本人の個人番号は", "my number "}},
		{krRRN, "871013-9019402", []string{"주민등록번호는 ", "주민번호:"}},
		{thPIN, "1-7345-45674-78-1", []string{"หมายเลขประจำตัวประชาชน เลขประจำตัว ", "เลขประจำตัวประชาชน"}},
		{bgEGN, "7423169568", []string{"ЕГН ", "егн: ", "Единен граждански номер "}},
		{uaRNTRC, "1759013701", []string{"РНОКПП: ", "ІПН "}},
		{grAMKA, "01013099427", []string{"ΑΜΚΑ: ", "Α.Μ.Κ.Α. αμκα "}},
		{egNID, "29001011234567", []string{"الرقم القومي: ", "القومي "}},
		{trTCKN, "17291756660", []string{"T.C. vatandaşlık numarası ", "TC Kimlik No: "}},
		{plID, "ABA300000", []string{"dowód osobisty ", "DOWÓD "}},
	} {
		for _, text := range c.texts {
			for _, around := range []string{text + c.value, c.value + " " + text} {
				found := false
				for _, claim := range s.Claims([]byte(around), "") {
					found = found || claim.kind == c.kind && claim.word
				}
				if !found {
					t.Errorf("%s: no keyword in %q: %s", table[c.kind].ID, around, show(around, s.Claims([]byte(around), "")))
				}
			}
		}
	}
	for _, text := range []string{"длинный 1759013701", "身 份 证 360426199111010075", "égné 7423169568"} {
		for _, claim := range s.Claims([]byte(text), "") {
			if claim.word {
				t.Errorf("%q has no keyword: %s", text, show(text, s.Claims([]byte(text), "")))
			}
		}
	}
}
