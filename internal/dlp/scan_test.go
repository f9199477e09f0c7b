package dlp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
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

// disagreed are the public cases that are decided otherwise here, and why.
var disagreed = map[string]string{
	"122000000000003":                       "UATP: a tenth of all numbers of 15 digits begin like one",
	"my credit card: 122000000000003":       "the same",
	"078-051121 07805-1121":                 "not written so by the authority",
	"078051121":                             "nine digits without a keyword are no claim",
	"12345678903":                           "of the first ten digits none comes again: the authority gives out no such number",
	"98765432106":                           "the same",
	"Meine Steuer-ID: 12345678903.":         "the same",
	"IdNr. 98765432106 liegt vor.":          "the same",
	"1111111-G":                             "the authority writes eight digits",
	"1111111G":                              "the same",
	"AAAAAA00B11C333N":                      "the last letter is wrong",
	"AAAAAA00B11C333Y and AAAAAA00B11C333N": "the same",
	"Here is my National Insurance Number YZ 61 48 68 B": "the span given has the space before it",
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
		kind, ok := presidio[c.Recognizer]
		want, isNumber := c.Count.(float64)
		if !ok || !isNumber {
			continue
		}
		total[c.Recognizer]++
		var spans [][2]int
		for _, claim := range s.Claims([]byte(c.Text), "") {
			if claim.kind == kind {
				spans = append(spans, [2]int{len([]rune(c.Text[:claim.Start])), len([]rune(c.Text[:claim.End]))})
			}
		}
		same := len(spans) == int(want) && (len(c.Spans) == 0 || slices.Equal(spans, c.Spans))
		if same {
			agree[c.Recognizer]++
		}
		if why := disagreed[c.Text]; same == (why != "") {
			t.Errorf("%s %q: found %v, want %d %v; noted: %q", c.Recognizer, c.Text, spans, int(want), c.Spans, why)
		}
	}
	for name := range presidio {
		t.Logf("%s: %d of %d", name, agree[name], total[name])
		if total[name] == 0 {
			t.Errorf("no case for %s", name)
		}
	}
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
		s.Reset()
		s.Text(text, name)
		s.JSON(text)
		held := s.tally.held
		for _, x := range s.Findings() {
			out := strings.ToLower(fmt.Sprint(x.Samples, x.Fingerprints, x.Locations))
			for _, v := range held {
				if strings.Contains(out, string(v)) {
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
