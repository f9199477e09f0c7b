package dlp

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/longshore-dev/longshore/internal/dlp/redact"
	"github.com/longshore-dev/longshore/internal/event"
)

// redacting is a configuration that masks.
func redacting(method redact.Method, change ...func(*Config)) func(*Config) {
	return func(c *Config) {
		c.Redaction.Method, c.FingerprintKey = method, "0123456789abcdef"
		for _, f := range change {
			f(c)
		}
	}
}

// total is the sum of a counter; type "" = of all.
func (r *run) total(name, kind string) (n int64) {
	r.t.Helper()
	m, err := r.tel.GetMetric("longshore_dlp_" + name)
	if err != nil {
		return 0
	}
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		if v, _ := p.Attributes.Value("type"); kind == "" || v.AsString() == kind {
			n += p.Value
		}
	}
	return n
}

func TestARedactedRecordHasSomethingElseInThePlaceOfValues(t *testing.T) {
	f := func(method redact.Method, want string) {
		t.Helper()
		r := start(t, redacting(method))
		b := oktaBatch()
		add(b, "e1", cardNote)
		records, found := r.pass(b.Take())
		if got := records[0].Raw(); got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", method, got, want)
		}
		if len(found) != 2 || found[0].Str("saas.finding.sample_redacted") != "************6467" {
			t.Errorf("%s: %d findings", method, len(found))
		}
		if n := r.total("masked", "pci.credit_card"); n != 2 && method != redact.None {
			t.Errorf("%s: %d cards are counted", method, n)
		}
	}
	f(redact.None, cardNote)
	f(redact.Mask, `{"debugContext":{"debugData":{"justification":"paid with card **** **** **** **** and again **** **** **** ****"}},`+
		`"target":[{"displayName":"x"},{"displayName":"SSN ***-**-****"}]}`)
	f(redact.Replace, `{"debugContext":{"debugData":{"justification":"paid with card <pci.credit_card> and again <pci.credit_card>"}},`+
		`"target":[{"displayName":"x"},{"displayName":"SSN <pii.us_ssn>"}]}`)
}

func TestAHashedValueHasTheFingerprintOfItsFinding(t *testing.T) {
	b := oktaBatch()
	add(b, "e1", `{"a":"card 4539 1488 0343 6467","b":"SSN 536-90-4399"}`)
	records, found := start(t, redacting(redact.Hash)).pass(b.Take())
	b = oktaBatch()
	add(b, "e1", `{"a":"card 4539 1488 0343 6467","b":"SSN 536-90-4399"}`)
	_, plain := start(t, redacting(redact.None)).pass(b.Take())
	for i, w := range found {
		print := w.Str("saas.finding.fingerprint")
		if !strings.Contains(records[0].Raw(), "<"+w.Str("rule.id")+":"+print+">") {
			t.Errorf("%s is not in %s", print, records[0].Raw())
		}
		if print != plain[i].Str("saas.finding.fingerprint") || w.DocID() != plain[i].DocID() || w.Raw() != plain[i].Raw() {
			t.Errorf("%s differs from what it is without redaction", w.Str("rule.id"))
		}
	}
}

// TestAValueIsMaskedWhereverItStands: in one member it is found, in the others it only stands.
func TestAValueIsMaskedWhereverItStands(t *testing.T) {
	r := start(t, redacting(redact.Replace))
	f := func(in, want string) {
		t.Helper()
		b := oktaBatch()
		add(b, "e1", `{"x":"card 4539 1488 0343 6467","y":`+in+`}`)
		records, _ := r.pass(b.Take())
		got := strings.TrimSuffix(strings.TrimPrefix(records[0].Raw(), `{"x":"card <pci.credit_card>","y":`), "}")
		if got != want || !json.Valid([]byte(records[0].Raw())) {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
	f(`4539148803436467`, `"<pci.credit_card>"`)
	f(`[1, 4539148803436467 ,2.5e3]`, `[1, "<pci.credit_card>" ,2.5e3]`)
	f(`"file_4539148803436467_2.pdf"`, `"file_<pci.credit_card>_2.pdf"`)
	f(`"4539-1488-0343-6467"`, `"<pci.credit_card>"`)
	f(`"453\u0039 1488\t0343\\n6467"`, `"<pci.credit_card>"`)
	f(`"{\"card\":4539148803436467,\"n\":[\"a\\nb\"]}"`, `"{\"card\":\"<pci.credit_card>\",\"n\":[\"a\\nb\"]}"`)
	f(`"/pay?card=4539%201488%200343%206467&x=%C3%A9"`, `"/pay?card=<pci.credit_card>&x=%C3%A9"`)
	f(`"/pay?card=4539%25201488%25200343%25206467"`, `"/pay?card=<pci.credit_card>"`)
	f(`{"4539148803436467":1,"4539 1488 0343 6467":2,"a":3}`, `{"<pci.credit_card>":1,"<pci.credit_card>#2":2,"a":3}`)
	f(`{"a":"\u00e9\ud83d\ude00 \/ é","b":null,"c":[{}, ""]}`, `{"a":"\u00e9\ud83d\ude00 \/ é","b":null,"c":[{}, ""]}`)
	f(`"4539 1488 0343 6468"`, `"4539 1488 0343 6468"`)
}

func TestWhatTellsWhatARecordIsAboutIsNotMasked(t *testing.T) {
	r := start(t, redacting(redact.Replace))
	b := oktaBatch()
	const raw = `{"note":"card 4539148803436467","id":"4539148803436467"}`
	rec := add(b, "4539148803436467", raw)
	rec.Str("user.target.id", "4539148803436467")
	rec.Str("saas.file.id", "4539148803436467")
	rec.Str("file.name", "4539148803436467.pdf")
	rec.Str("message", "about 4539 1488 0343 6467")
	records, found := r.pass(b.Take())
	w := records[0]
	want := func(name, val string) {
		t.Helper()
		if got := w.Str(name); got != val {
			t.Errorf("%s is %q, want %q", name, got, val)
		}
	}
	for _, name := range []string{"event.id", "user.target.id", "saas.file.id"} {
		want(name, "4539148803436467")
	}
	want("user.email", "ann@acme.example")
	want("event.action", "user.session.start")
	want("file.name", "<pci.credit_card>.pdf")
	want("message", "about <pci.credit_card>")
	if w.Raw() != `{"note":"card <pci.credit_card>","id":"<pci.credit_card>"}` || w.Log.EventName() != "okta.user.session.start" {
		t.Errorf("%s: %s", w.Log.EventName(), w.Raw())
	}
	if n := r.total("kept", ""); n < 3 { // related.user has it too
		t.Errorf("%d attributes are counted as kept", n)
	}
	if len(found) != 1 || !strings.Contains(found[0].Raw(), w.DocID()) {
		t.Errorf("%d findings", len(found))
	}
}

// TestAnAttributeThatHoldsNoTextGoes: an address is an address, or it is absent.
func TestAnAttributeThatHoldsNoTextGoes(t *testing.T) {
	r := start(t, redacting(redact.Replace, func(c *Config) { c.Packs = []string{"technical"} }))
	b := oktaBatch()
	rec := add(b, "e1", `{"ip":"client IP 203.0.113.7"}`)
	rec.Strs("related.ip", "198.51.100.1")
	records, _ := r.pass(b.Take())
	if w := records[0]; w.Raw() != `{"ip":"client IP <technical.ip_addr>"}` || w.Str("source.ip") != "" ||
		!slices.Equal(w.Strs("related.ip"), []string{"198.51.100.1"}) {
		t.Errorf("%s: %q, %q", w.Raw(), w.Str("source.ip"), w.Strs("related.ip"))
	}
}

// foreign is a record as other receivers make them.
func foreign(body string) (plog.Logs, plog.LogRecord) {
	l := plog.NewLogs()
	lr := l.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetTimestamp(1)
	lr.Body().SetStr(body)
	return l, lr
}

func TestRecordsThatDifferInAValueOnlyStayTwo(t *testing.T) {
	r := start(t, redacting(redact.Replace))
	id := func(body string) string {
		l, _ := foreign(body)
		records, _ := r.pass(l)
		if strings.Contains(records[0].Raw(), "4539") {
			t.Fatal(records[0].Raw())
		}
		return records[0].DocID()
	}
	one, other := id("card 4539 1488 0343 6467"), id("card 4539 1488 0343 6467 ")
	if one == other || one != id("card 4539 1488 0343 6467") {
		t.Error("two records are one, or one is two")
	}
}

func TestABodyOfMapsAndListsIsMaskedToo(t *testing.T) {
	r := start(t, redacting(redact.Mask))
	l, lr := foreign("")
	m := lr.Body().SetEmptyMap()
	m.PutStr("note", "card 4539 1488 0343 6467")
	m.PutInt("n", 4539148803436467)
	m.PutStr("event.id", "4539148803436467") // a name in a body says nothing
	m.PutEmptySlice("l").AppendEmpty().SetEmptyBytes().FromRaw([]byte("x 4539148803436467"))
	deep := m.PutEmpty("deep")
	for range 2000 {
		deep = deep.SetEmptySlice().AppendEmpty()
	}
	deep.SetStr("4539148803436467")
	lr.Attributes().PutInt("num", 4539148803436467)
	lr.Attributes().PutStr("k4539148803436467", "x")
	r.pass(l)
	proto := string(marshal(t, r))
	if strings.Contains(proto, "4539148803436467") || strings.Contains(proto, "NDUzOTE0ODgwMzQzNjQ2N") {
		t.Error("the value is left")
	}
	if v, _ := m.Get("n"); v.Type() != pcommon.ValueTypeStr || v.Str() == "" {
		t.Errorf("the number is %v", v.AsRaw())
	}
}

func marshal(t *testing.T, r *run) []byte {
	t.Helper()
	b, err := (&plog.JSONMarshaler{}).MarshalLogs(r.sink.AllLogs()[0])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRedactionHasAConfidenceOfItsOwn(t *testing.T) {
	f := func(own int, body string, masked bool, findings int) {
		t.Helper()
		r := start(t, redacting(redact.Replace, func(c *Config) { c.Redaction.MinConfidence = own }))
		b := oktaBatch()
		add(b, "e1", body)
		records, found := r.pass(b.Take())
		if got := records[0].Raw() != body; got != masked || len(found) != findings {
			t.Errorf("%d: %s, %d findings", own, records[0].Raw(), len(found))
		}
	}
	const low, medium, high = `{"a":"x 536-90-4399"}`, `{"a":"x 4539 1488 0343 6467"}`, `{"a":"card 4539148803436467"}`
	f(0, low, false, 0)
	f(0, medium, true, 1)
	f(65, low, true, 0)
	f(85, medium, false, 1)
	f(85, high, true, 1)
}

func TestTheSameBodyInTwoDatasetsIsMaskedTwice(t *testing.T) {
	r := start(t, redacting(redact.Replace))
	l := oktaBatch()
	add(l, "e1", cardNote)
	other := event.NewBatch(event.Origin{Module: "okta", Tenant: "okta/acme", Dataset: "okta.other"})
	add(other, "e2", cardNote)
	both := l.Take()
	other.Take().ResourceLogs().MoveAndAppendTo(both.ResourceLogs())
	records, found := r.pass(both)
	if len(records) != 2 || len(found) != 2 || strings.Contains(records[0].Raw()+records[1].Raw(), "6467") {
		t.Errorf("%d records, %d findings: %s", len(records), len(found), records[1].Raw())
	}
}

func TestWhatARuleCountsIsMaskedWhereItHolds(t *testing.T) {
	cfg, err := configured(t, `
packs: [pci]
fingerprint_key: 0123456789abcdef
redaction: {method: replace}
detectors:
  - {id: acme.project, hidden: true, dictionary: {terms: [Falcon Heavy]}}
  - {id: acme.leak, rule: {all: [acme.project, pci.credit_card]}}
`)
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, func(c *Config) { *c = *cfg })
	f := func(body, want string) {
		t.Helper()
		b := oktaBatch()
		add(b, "e1", body)
		if records, _ := r.pass(b.Take()); records[0].Raw() != want {
			t.Errorf("%s becomes %s", body, records[0].Raw())
		}
	}
	f(`{"a":"Falcon Heavy","falcon":1}`, `{"a":"Falcon Heavy","falcon":1}`)
	f(`{"a":"falcon heavy","b":"card 4539148803436467"}`, `{"a":"<acme.project>","b":"card <pci.credit_card>"}`)
}

// TestWhatIsMaskedIsNotFoundAgain: a second processor, or a second attempt, sees masked values.
func TestWhatIsMaskedIsNotFoundAgain(t *testing.T) {
	for _, method := range redact.Methods[1:] {
		r := start(t, redacting(method, func(c *Config) { c.MinConfidence = 65 }))
		b := oktaBatch()
		add(b, "e1", cardNote)
		l := b.Take()
		records, _ := r.pass(l)
		once := strings.Clone(records[0].Raw())
		records, found := r.pass(l)
		if len(found) != 2 || records[0].Raw() != once { // those of the first time
			t.Errorf("%s: %d findings, %s", method, len(found), records[0].Raw())
		}
	}
}

func TestARecordWithoutValuesPassesByteForByte(t *testing.T) {
	r := start(t, redacting(redact.Mask))
	b := oktaBatch()
	const raw = ` { "a" : "no\u0074hing <&> 12 4539148803436468" } `
	add(b, "e1", raw)
	if records, _ := r.pass(b.Take()); records[0].Raw() != raw {
		t.Error(records[0].Raw())
	}
}

func TestConfigurationOfRedactionIsChecked(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		cfg, err := configured(t, text)
		if err == nil {
			err = cfg.Validate()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	f("redaction: {method: mask}", "")
	f("redaction: {method: replace, min_confidence: 65}", "")
	f("redaction: {method: hash, min_confidence: 85}\nfingerprint_key: 0123456789abcdef", "")
	f("redaction: {method: blur}", `redaction: method: "blur": want none, mask, replace or hash`)
	f("redaction: {method: mask, min_confidence: 101}", "redaction: min_confidence: 101: want 1 to 100")
	f("redaction: {method: hash}", "redaction: method: hash: without fingerprint_key")
	f("redaction: {method: mask}\nfields: [body, entity.id]", `redaction: method: mask: fields lists "entity.id"`)
	f("redaction: {method: mask}\nfields: [user.email]", `fields lists "user.email"`)
	f("fields: [body, entity.id]", "")
}

// TestAFieldThatHoldsAValueInAnotherWritingIsMaskedWhole: in base64, and with wide digits.
func TestAFieldThatHoldsAValueInAnotherWritingIsMaskedWhole(t *testing.T) {
	f := func(field, want string) {
		t.Helper()
		r := start(t, redacting(redact.Replace))
		b := oktaBatch()
		add(b, "e1", `{"note":"`+field+`","other":"x"}`)
		records, found := r.pass(b.Take())
		if got := records[0].Raw(); got != want || len(found) != 1 {
			t.Errorf("%q becomes %s, %d findings; want %s", field, got, len(found), want)
		}
	}
	const masked = `{"note":"<pci.credit_card>","other":"x"}`
	f(base64.StdEncoding.EncodeToString([]byte("card 4539 1488 0343 6467")), masked)
	f(base64.RawURLEncoding.EncodeToString([]byte("card >?4539 1488 0343 6467")), masked)
	f("\uff14\uff15\uff13\uff19\uff11\uff14\uff18\uff18\uff10\uff13\uff14\uff13\uff16\uff14\uff16\uff17", masked)
}
