package dlp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// run is a processor and what it handed on.
type run struct {
	t    *testing.T
	p    processor.Logs
	sink *consumertest.LogsSink
	tel  *componenttest.Telemetry
	logs *bytes.Buffer
}

func start(t *testing.T, change func(*Config)) *run {
	t.Helper()
	r := &run{t: t, sink: &consumertest.LogsSink{}, tel: componenttest.NewTelemetry(), logs: &bytes.Buffer{}}
	t.Cleanup(func() { _ = r.tel.Shutdown(context.Background()) })
	cfg := defaultConfig().(*Config)
	if change != nil {
		change(cfg)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	set := processortest.NewNopSettings(NewFactory().Type())
	set.TelemetrySettings = r.tel.NewTelemetrySettings()
	set.Logger = zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewDevelopmentEncoderConfig()), zapcore.AddSync(r.logs), zap.DebugLevel))
	p, err := NewFactory().CreateLogs(context.Background(), set, cfg, r.sink)
	if err != nil {
		t.Fatal(err)
	}
	if err = p.Start(context.Background(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	r.p = p
	return r
}

// pass hands a batch in and gives the records and the findings that came out.
func (r *run) pass(l plog.Logs) (records, found []event.View) {
	r.t.Helper()
	r.sink.Reset()
	if err := r.p.ConsumeLogs(context.Background(), l); err != nil {
		r.t.Fatal(err)
	}
	for w := range event.Views(r.sink.AllLogs()[0]) {
		if w.Str("event.dataset") == "saas.finding" {
			found = append(found, w)
		} else {
			records = append(records, w)
		}
	}
	return records, found
}

func oktaBatch() *event.Batch {
	return event.NewBatch(event.Origin{Module: "okta", Tenant: "okta/acme", OrgID: "00o1", OrgName: "Acme", Version: "1.2.3",
		Dataset: "okta.system", Observed: noon.Add(time.Minute)})
}

func add(b *event.Batch, id, raw string) *event.Record {
	r := b.Add(nil, &event.Values{Raw: json.RawMessage(raw)})
	r.ID(id)
	r.Time(noon)
	r.Str("event.action", "user.session.start")
	r.Strs("event.category", "authentication")
	r.Str("user.id", "00u1")
	r.Str("user.email", "ann@acme.example")
	r.Str("source.ip", "203.0.113.7")
	return r
}

const cardNote = `{"debugContext":{"debugData":{"justification":"paid with card 4539 1488 0343 6467 and again 4539148803436467"}},` +
	`"target":[{"displayName":"x"},{"displayName":"SSN 536-90-4399"}]}`

func TestFindingSaysWhatIsWhereAndNotWhichValue(t *testing.T) {
	r := start(t, nil)
	b := oktaBatch()
	add(b, "e1", `{"a":"nothing"}`)
	add(b, "e2", cardNote)
	records, found := r.pass(b.Take())
	if len(records) != 2 || len(found) != 2 {
		t.Fatalf("%d records, %d findings", len(records), len(found))
	}
	w := found[0]
	f := func(name, want string) {
		t.Helper()
		if got := strings.Join(w.Strs(name), "|"); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	f("event.kind", "alert")
	f("event.module", "okta")
	f("event.dataset", "saas.finding")
	f("event.type", "info")
	f("event.category", "")
	f("event.severity", "3")
	f("tags", "data")
	f("saas.tenant", "okta/acme")
	f("organization.name", "Acme")
	f("agent.version", "1.2.3")
	f("rule.id", "pci.credit_card")
	f("rule.category", "pci")
	f("saas.finding.data_type", "pci.credit_card")
	f("saas.finding.confidence", "85")
	f("saas.finding.count", "2")
	f("saas.finding.unique_count", "1")
	f("saas.finding.status", "new")
	f("saas.finding.scan", "done")
	f("saas.finding.sample_redacted", "************6467")
	f("saas.finding.location", "debugContext.debugData.justification")
	f("user.email", "ann@acme.example")
	f("source.ip", "203.0.113.7")
	f("message", "Payment card number in debugContext.debugData.justification")
	if len(w.Strs("saas.finding.fingerprint")) != 1 || len(w.Str("saas.finding.fingerprint")) != 32 {
		t.Errorf("fingerprints %v", w.Strs("saas.finding.fingerprint"))
	}
	if w.Log.Timestamp().AsTime() != noon || w.Log.ObservedTimestamp().AsTime() != noon.Add(time.Minute) {
		t.Errorf("at %v, seen %v", w.Log.Timestamp().AsTime(), w.Log.ObservedTimestamp().AsTime())
	}
	if !strings.Contains(w.Raw(), `"record":"`+records[1].DocID()+`"`) {
		t.Errorf("body %s does not name the record %s", w.Raw(), records[1].DocID())
	}
	w = found[1]
	f("rule.id", "pii.us_ssn")
	f("saas.finding.location", "target[1].displayName")
	f("saas.finding.sample_redacted", "*****4399")
}

func TestFindingsOfTheSameRecordHaveTheSameID(t *testing.T) {
	ids := func(r *run, rename func(*event.Record)) (out []string) {
		b := oktaBatch()
		if rec := add(b, "e2", cardNote); rename != nil {
			rename(rec)
		}
		_, found := r.pass(b.Take())
		for _, w := range found {
			out = append(out, w.DocID())
		}
		return out
	}
	r := start(t, nil)
	first := ids(r, nil)
	if again := ids(r, nil); len(first) != 2 || !slices.Equal(first, again) || first[0] == first[1] {
		t.Errorf("first %v, again %v", first, again)
	}
	if other := ids(start(t, nil), nil); !slices.Equal(first, other) {
		t.Errorf("after a restart: %v, want %v", other, first)
	}
	if other := ids(r, func(rec *event.Record) { rec.ID("e3") }); slices.Equal(first, other) {
		t.Error("another record has findings of the same id")
	}
	entity := func(id, hash string) []string {
		return ids(r, func(rec *event.Record) {
			rec.Entity("user", "00u1")
			rec.ID(id)
			rec.Str("saas.inventory.content_hash", hash)
		})
	}
	if a, b := entity("r1", "h1"), entity("r2", "h1"); !slices.Equal(a, b) {
		t.Errorf("an entity read again unchanged: %v and %v", a, b)
	}
	if slices.Equal(entity("r1", "h1"), entity("r1", "h2")) {
		t.Error("a changed entity has findings of the same id")
	}
}

func TestFindingsStayWithTheirTenant(t *testing.T) {
	r := start(t, nil)
	l := plog.NewLogs()
	for _, tenant := range []string{"okta/north", "okta/south"} {
		b := event.NewBatch(event.Origin{Module: "okta", Tenant: tenant, Dataset: "okta.system", Observed: noon})
		add(b, "e1", cardNote)
		one := b.Take()
		one.ResourceLogs().At(0).Resource().Attributes().PutStr("deployment.environment.name", tenant+"-env")
		one.ResourceLogs().MoveAndAppendTo(l.ResourceLogs())
	}
	_, found := r.pass(l)
	if len(found) != 4 {
		t.Fatalf("%d findings", len(found))
	}
	for i, w := range found {
		want := []string{"okta/north", "okta/north", "okta/south", "okta/south"}[i]
		if got := w.Str("saas.tenant"); got != want || w.Str("deployment.environment.name") != want+"-env" {
			t.Errorf("finding %d is of %s, %s", i, got, w.Str("deployment.environment.name"))
		}
		if attrs := w.Res.Resource().Attributes(); attrs.Len() == 0 || w.Res.ScopeLogs().At(0).LogRecords().Len() != 2 {
			t.Errorf("finding %d stands among %d records", i, w.Res.ScopeLogs().At(0).LogRecords().Len())
		}
	}
}

func TestOwnRecordsAreNotScanned(t *testing.T) {
	r := start(t, nil)
	for _, dataset := range []string{"saas.finding", "saas.action", "saas.agent", "saas.dead_letter"} {
		b := event.NewBatch(event.Origin{Module: "okta", Dataset: dataset})
		add(b, "e1", cardNote)
		if r.pass(b.Take()); r.sink.LogRecordCount() != 1 {
			t.Errorf("%s: %d records came out", dataset, r.sink.LogRecordCount())
		}
	}
	b := event.NewBatch(event.Origin{Module: "okta", Dataset: "okta.alerts"})
	add(b, "e1", cardNote).Str("event.kind", "alert")
	if _, found := r.pass(b.Take()); len(found) != 2 {
		t.Errorf("an alert of the provider has %d findings", len(found))
	}
}

func TestRecordsPassUnchanged(t *testing.T) {
	r := start(t, nil)
	b := oktaBatch()
	for i, raw := range []string{cardNote, `{"esc":"\u0034539148803436467 \"card\""}`, "plain 4539148803436467", "", `{"broken":"`, "[[[[["} {
		add(b, fmt.Sprint(i), raw)
	}
	l := b.Take()
	before := plog.NewLogs()
	l.CopyTo(before)
	r.pass(l)
	m := plog.JSONMarshaler{}
	after := r.sink.AllLogs()[0]
	after.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool {
		v, _ := rl.Resource().Attributes().Get("event.dataset")
		return v.Str() == "saas.finding"
	})
	x, _ := m.MarshalLogs(before)
	y, _ := m.MarshalLogs(after)
	if !bytes.Equal(x, y) {
		t.Errorf("records changed:\n%s\n%s", x, y)
	}
}

func TestAddressesOfThePeopleOfAnEventAreNoFindings(t *testing.T) {
	const raw = `{"actor":{"alternateId":"Ann@acme.example"},"note":"sent to eve@elsewhere.example"}`
	f := func(packs []string, want int, location string) {
		t.Helper()
		r := start(t, func(c *Config) { c.Packs = packs })
		b := oktaBatch()
		add(b, "e1", raw)
		_, found := r.pass(b.Take())
		if len(found) != want || want > 0 && found[0].Str("saas.finding.location") != location {
			t.Errorf("packs %v: %d findings", packs, len(found))
		}
	}
	f([]string{"pci", "pii/us", "finance", "secrets"}, 0, "")
	f([]string{"pii/contact"}, 1, "note")
	f([]string{"pii"}, 1, "note")
}

func TestWhatIsScannedCanBeChosen(t *testing.T) {
	f := func(change func(*Config), body any, want ...string) {
		t.Helper()
		r := start(t, change)
		l := plog.NewLogs()
		lr := l.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		if err := lr.Body().FromRaw(body); err != nil {
			t.Fatal(err)
		}
		lr.Attributes().PutStr("card.number", "4539148803436467")
		lr.Attributes().PutStr("free", "SSN 536-90-4399")
		_, found := r.pass(l)
		var got []string
		for _, w := range found {
			got = append(got, w.Str("rule.id")+" "+w.Str("saas.finding.location"))
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	const key = "AKIAABCDEFGHIJKLMNOP"
	f(nil, "the aws key "+key, "secrets.aws_access_key ")
	f(nil, []byte("the aws key "+key), "secrets.aws_access_key ")
	f(nil, map[string]any{"a": []any{map[string]any{"aws": key}}}, "secrets.aws_access_key a.aws")
	f(func(c *Config) { c.Fields = []string{"attributes"} }, "the aws key "+key, "pci.credit_card card.number", "pii.us_ssn free")
	f(func(c *Config) { c.Fields = []string{"free"} }, "the aws key "+key, "pii.us_ssn free")
	f(func(c *Config) { c.SkipFields = []string{"a.b"} }, `{"a":[{"b":{"aws":"`+key+`"}}]}`)
	f(func(c *Config) { c.SkipFields = []string{"a.b"} }, `{"a":[{"bb":{"aws":"`+key+`"}}]}`, "secrets.aws_access_key a[0].bb.aws")
	f(func(c *Config) { c.SkipFields = []string{"a.aws"} }, map[string]any{"a": map[string]any{"aws": key}})
	f(func(c *Config) { c.MinConfidence = 85 }, key)
	f(nil, `{"userIdentity":{"accessKeyId":"`+key+`"}}`) // who signed, which is no secret
	f(nil, `{"userIdentity":{"AccessKeyId":"`+key+`"}}`)
	f(nil, `{"accessKeyId":"export AWS_ACCESS_KEY_ID=`+key+`"}`, "secrets.aws_access_key accessKeyId")
	f(nil, `{"a":{"accessKey":"`+key+`"}}`, "secrets.aws_access_key a.accessKey")
	f(func(c *Config) { c.MinConfidence = 75 }, key, "secrets.aws_access_key ")
	f(func(c *Config) { c.Packs = []string{"pci"} }, "the aws key "+key)
}

func TestErrorOfTheNextGoesBackUnchanged(t *testing.T) {
	want := errors.New("no room")
	cfg := defaultConfig().(*Config)
	p, err := NewFactory().CreateLogs(context.Background(), processortest.NewNopSettings(NewFactory().Type()), cfg, consumertest.NewErr(want))
	if err != nil {
		t.Fatal(err)
	}
	b := oktaBatch()
	add(b, "e1", cardNote)
	if err = p.ConsumeLogs(context.Background(), b.Take()); err != want {
		t.Errorf("got %v", err)
	}
}

func TestBatchesCanBeScannedAtOnce(t *testing.T) {
	r := start(t, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				b := oktaBatch()
				add(b, "e1", cardNote)
				if err := r.p.ConsumeLogs(context.Background(), b.Take()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := r.sink.LogRecordCount(); n != 8*20*3 {
		t.Errorf("%d records came out, want %d", n, 8*20*3)
	}
}

func TestWhatWasScannedAndFoundIsCounted(t *testing.T) {
	r := start(t, nil)
	b := oktaBatch()
	add(b, "e1", cardNote)
	add(b, "e2", `{"a":"nothing"}`)
	r.pass(b.Take())
	f := func(name, typ string, want int64) {
		t.Helper()
		m, err := r.tel.GetMetric(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
			if v, _ := p.Attributes.Value("type"); v.AsString() == typ && p.Value == want {
				return
			}
		}
		t.Errorf("%s %q: %v, want %d", name, typ, m.Data, want)
	}
	f("longshore_dlp_records", "", 2)
	f("longshore_dlp_bytes", "", int64(len(cardNote)+len(`{"a":"nothing"}`)))
	f("longshore_dlp_findings", "pci.credit_card", 1)
	f("longshore_dlp_findings", "pii.us_ssn", 1)
}

// secretOf is the value in a planted sentence.
func secretOf(typ, text string) string {
	after := map[string]string{sim.Card: "card ", sim.SSN: "SSN ", sim.IBAN: "IBAN ", sim.AWSKey: "id ", sim.JWT: "Bearer "}[typ]
	_, v, _ := strings.Cut(text, after)
	v, _, _ = strings.Cut(v, " exp ")
	return v
}

// TestNoValueIsInAnythingWritten plants 1,000 values wherever a record has text: in values, in names of members, in what a
// finding repeats of its record, in its resource.
func TestNoValueIsInAnythingWritten(t *testing.T) {
	r := start(t, func(c *Config) {
		c.Fields, c.MinConfidence, c.Packs = []string{"body", "attributes"}, 65, append(c.Packs, "pii/contact")
	})
	rnd := sim.NewRand(3, 3)
	types := []string{sim.Card, sim.SSN, sim.IBAN, sim.AWSKey, sim.JWT, "pii.email"}
	var values, written []string
	want, got := map[string]int{}, map[string]int{}
	const perBatch = 10
	var b *event.Batch
	for i := range 1000 {
		typ := types[i%len(types)]
		text := fmt.Sprintf("email secret%d@private%d.example", i, i)
		value := strings.TrimPrefix(text, "email ")
		if typ != "pii.email" {
			text = sim.Plant(rnd, typ)
			value = secretOf(typ, text)
		}
		values = append(values, value, strings.NewReplacer(" ", "", "-", "").Replace(value))
		want[typ]++
		if i%perBatch == 0 {
			b = event.NewBatch(event.Origin{Module: "okta", Tenant: "okta/acme", OrgName: "Acme " + value, Dataset: "okta.system", Observed: noon})
		}
		raw, _ := json.Marshal(map[string]any{"note": text, "names": map[string]any{value: "keyword: " + text},
			"deep": []any{map[string]any{text: []string{text}}}})
		rec := add(b, fmt.Sprint("e", i), string(raw))
		rec.Str("user.target.full_name", "Ann ("+text+")")
		rec.Str("user.full_name", strings.ToUpper(value))
		rec.Str("file.name", value+".txt")
		rec.Strs("user.roles", "admin", value)
		rec.Str("event.action", "read "+value)
		if i%perBatch != perBatch-1 {
			continue
		}
		l := b.Take()
		l.ResourceLogs().At(0).Resource().Attributes().PutStr("service.name", "x "+value)
		_, found := r.pass(l)
		for _, w := range found {
			got[w.Str("rule.id")]++
			if w.Str("user.email") != "ann@acme.example" || len(w.Strs("user.roles")) != 1 {
				t.Fatalf("a finding of %s does not say who: %v", w.Str("rule.id"), w.Log.Attributes().AsRaw())
			}
		}
		for _, rl := range r.sink.AllLogs()[0].ResourceLogs().All() {
			if v, _ := rl.Resource().Attributes().Get("event.dataset"); v.Str() == "saas.finding" {
				one := plog.NewLogs()
				rl.CopyTo(one.ResourceLogs().AppendEmpty())
				out, err := (&plog.JSONMarshaler{}).MarshalLogs(one)
				if err != nil {
					t.Fatal(err)
				}
				written = append(written, string(out))
			}
		}
		for _, w := range found {
			written = append(written, string(event.AppendECS(nil, w, event.Encoding{})))
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("findings %v, want %v", got, want)
	}
	for _, name := range []string{"longshore_dlp_records", "longshore_dlp_bytes", "longshore_dlp_findings"} {
		m, err := r.tel.GetMetric(name)
		if err != nil {
			t.Fatal(err)
		}
		written = append(written, fmt.Sprintf("%+v", m))
	}
	written = append(written, r.logs.String(), fmt.Sprintf("%+v %#v %v", r.p, r.p, r.p))
	everything := strings.ToLower(strings.Join(written, "\n"))
	var pairs []string
	for _, v := range values {
		pairs = append(pairs, strings.ToLower(v), "")
	}
	clean := strings.NewReplacer(pairs...).Replace(everything)
	for i := range clean {
		if clean[i] != everything[i] {
			t.Fatalf("a planted value is in what was written, after …%s", everything[max(0, i-80):i])
		}
	}
	if len(clean) != len(everything) || len(everything) < 1<<20 {
		t.Fatalf("of %d bytes %d are left without the values", len(everything), len(clean))
	}
}

func TestConfigurationErrorsNameKeyAndValue(t *testing.T) {
	f := func(m map[string]any, want ...string) {
		t.Helper()
		cfg := defaultConfig()
		err := confmap.NewFromStringMap(m).Unmarshal(cfg)
		if err == nil {
			err = cfg.(*Config).Validate()
		}
		if len(want) == 0 && err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Fatalf("%v: got %v, want %q", m, err, w)
			}
		}
		if strings.Contains(fmt.Sprintf("%v %+v", err, cfg), "hunter2") {
			t.Fatalf("shows the key: %v", err)
		}
	}
	f(map[string]any{})
	f(map[string]any{"packs": []any{"pci", "pii/us", "secrets"}, "min_confidence": 75, "fingerprint_key": "hunter2hunter2hunter2"})
	f(map[string]any{"packs": []any{}}, "packs", "pii/us")
	f(map[string]any{"packs": []any{"pii/xx"}}, "packs", `"pii/xx"`, "pii/us")
	f(map[string]any{"min_confidence": 0}, "min_confidence", "0", "75")
	f(map[string]any{"min_confidence": 101}, "min_confidence", "101")
	f(map[string]any{"fields": []any{}}, "fields", "body")
	f(map[string]any{"fields": []any{"body", ""}}, "fields", `""`)
	f(map[string]any{"skip_fields": []any{"target[0].id"}}, "skip_fields", `"target[0].id"`)
	f(map[string]any{"skip_fields": []any{".a"}}, "skip_fields", `".a"`)
	f(map[string]any{"fingerprint_key": "hunter2"}, "fingerprint_key", "7", "16")
	content := func(key string, v any) map[string]any { return map[string]any{"content": map[string]any{key: v}} }
	f(content("max_size", "100MiB"))
	f(content("max_size", "64 kb"))
	f(content("max_text", 4096))
	f(content("enabled", false))
	f(content("max_size", "2GiB"), "max_size", "2GiB")
	f(content("max_size", "much"), "max_size", "much")
	f(content("max_size", 12), "content", "max_size", "12", "1KiB")
	f(content("max_depth", 0), "content", "max_depth", "0")
	f(content("max_entries", 10_000_000), "max_entries", "10000000")
	f(content("max_ratio", 0.5), "max_ratio", "0.5")
	f(content("timeout", "100ms"), "timeout", "100ms")
	f(content("workers", 1000), "workers", "1000", "256")
	f(content("max_xml_depth", 0), "max_xml_depth", "0", "10000")
	pdf := func(key string, v any) map[string]any { return content("pdf", map[string]any{key: v}) }
	f(pdf("max_pages", 10))
	f(pdf("max_pages", 0), "content", "pdf", "max_pages", "0")
	f(pdf("page_timeout", "1ms"), "pdf", "page_timeout", "1ms")
	f(pdf("max_memory", "18MiB"), "pdf", "max_memory", "18MiB", "32MiB")
}

func TestConfigurationCanBeWrittenAndReadAgain(t *testing.T) {
	if err := componenttest.CheckConfigStruct(defaultConfig()); err != nil {
		t.Fatal(err)
	}
	conf := confmap.New()
	if err := conf.Marshal(defaultConfig()); err != nil {
		t.Fatal(err)
	}
	if err := conf.Unmarshal(NewFactory().CreateDefaultConfig()); err != nil {
		t.Fatal(err)
	}
}

func TestFingerprintsCanBeComparedWithTheSameKeyOnly(t *testing.T) {
	print := func(key string) string {
		r := start(t, func(c *Config) {
			if key != "" {
				c.FingerprintKey = "0123456789abcdef"
			}
		})
		b := oktaBatch()
		add(b, "e1", cardNote)
		_, found := r.pass(b.Take())
		return found[0].Str("saas.finding.fingerprint")
	}
	keyed, again, random, other := print("k"), print("k"), print(""), print("")
	if keyed != again || random == other || random == keyed {
		t.Error("fingerprints do not depend on the key alone")
	}
}
