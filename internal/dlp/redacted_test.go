package dlp_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/sim"
	processor "github.com/longshore-dev/longshore/processors/dlp"
)

// everything are the packs of all detectors.
func everything() (packs []string) {
	for _, t := range dlp.Types() {
		packs = append(packs, t.Pack)
	}
	slices.Sort(packs)
	return slices.Compact(packs)
}

// planting hides values in a record and its copy without them.
type planting struct {
	r    *sim.Rand
	text string // a sentence with the value
}

// written is the sentence in one of the ways in which others write it.
func (p *planting) written() string {
	quoted, _ := json.Marshal(p.text)
	switch p.r.N(6) {
	case 0:
		return p.text
	case 1:
		return `{"inner":` + string(quoted) + `,"n":1}`
	case 2:
		twice, _ := json.Marshal(`[{"deep":` + string(quoted) + `}]`)
		return "said " + string(twice)
	case 3:
		return "https://acme.example/find?q=" + url.QueryEscape(p.text) + "&p=1"
	case 4:
		return "first " + p.text + ", and once more: " + p.text
	}
	return url.PathEscape(p.text) + " and " + strings.ToUpper(p.text)
}

// record plants it all over a record. What finds it is the member "note"; the rest repeats it.
func (p *planting) record(l plog.Logs) {
	str := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	body := fmt.Sprintf(`{"a":[{"b":%s}],"note":%s,"list":["x",%s,2.5],"deep":{%s:{"c":%s}}}`, str(p.written()), str(p.text),
		str(p.written()), str("k "+p.text), str(p.written()))
	rl := l.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", p.written())
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().Attributes().PutStr("scope", p.written())
	lr := sl.LogRecords().AppendEmpty()
	lr.SetTimestamp(1)
	lr.SetEventName("x " + p.text)
	lr.SetSeverityText(p.written())
	lr.Body().SetStr(body)
	attrs := lr.Attributes()
	attrs.PutStr("event.module", "okta")
	attrs.PutStr("event.dataset", "okta.system")
	attrs.PutStr("event.action", "user.session.start")
	attrs.PutStr("saas.tenant", "okta/acme")
	attrs.PutStr("message", p.written())
	attrs.PutStr("event.reason", p.written())
	attrs.PutStr("file.name", p.text)
	attrs.PutStr("okta.own", p.written())
	attrs.PutEmptyBytes("raw").FromRaw([]byte(p.text))
	list := attrs.PutEmptySlice("tags")
	list.AppendEmpty().SetStr(p.written())
	m := attrs.PutEmptyMap("labels")
	m.PutStr("one", p.text)
	m.PutStr("k "+p.text, "two")
}

// exported are the ways in which the exporters write records.
func exported(l plog.Logs) (out string) {
	for w := range event.Views(l) {
		if w.Str("event.dataset") == "saas.finding" {
			continue
		}
		out += string(event.AppendECS(nil, w, event.Encoding{})) + "\n" + string(event.AppendOCSF(nil, w, event.Encoding{})) + "\n" +
			string(event.AppendOTLPJSON(nil, w)) + "\n" + string(event.AppendOTLPProto(nil, w)) + "\n"
	}
	return out
}

// shapes are the ways in which a value may be written: as it is, by its letters and digits, escaped, in base64.
func shapes(value string) (out []string) {
	bare := strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return c
		}
		return -1
	}, value)
	quoted, _ := json.Marshal(value)
	once := strings.Trim(string(quoted), `"`)
	quoted, _ = json.Marshal(once)
	out = []string{value, bare, once, strings.Trim(string(quoted), `"`), url.QueryEscape(value), url.PathEscape(value)}
	for shift := range 3 {
		if b := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", shift) + value)); len(b) > 16 {
			out = append(out, b[4:len(b)-4])
		}
	}
	for i := range out {
		out[i] = strings.ToLower(out[i])
	}
	return out
}

// valuesIn are what a scanner finds in a sentence of what was planted.
func valuesIn(s *dlp.Scanner, text string) (out []string) {
	s.Reset()
	s.Each(func(text []byte, c dlp.Claim) { out = append(out, string(text[c.Start:c.End])) })
	s.Text([]byte(text), "note")
	s.Each(nil)
	return out
}

// TestNoValueIsLeftInARedactedRecord plants a value of every detector in every part of a record, escaped in several ways, and looks
// for it in all that exporters write.
func TestNoValueIsLeftInARedactedRecord(t *testing.T) {
	set, err := dlp.New(dlp.Options{Packs: everything(), Confidence: dlp.Medium})
	if err != nil {
		t.Fatal(err)
	}
	scanner, planted := set.Scanner(), 0
	for _, method := range []string{"mask", "replace", "hash"} {
		sink := &consumertest.LogsSink{}
		p := newProcessor(t, sink, map[string]any{"packs": everything(), "fingerprint_key": "0123456789abcdef",
			"redaction": map[string]any{"method": method}})
		for kind, typ := range dlp.Types() {
			r := sim.NewRand(40, uint64(kind))
			for range 4 {
				before, value := dlp.Made(r, kind)
				in := &planting{r, before + value}
				values := valuesIn(scanner, in.text)
				if len(values) == 0 {
					continue // of two types that do not tell which
				}
				planted++
				l := plog.NewLogs()
				in.record(l)
				sink.Reset()
				if err := p(l); err != nil {
					t.Fatal(err)
				}
				got := sink.AllLogs()[0]
				out := strings.ToLower(exported(got))
				for _, v := range values {
					for _, form := range shapes(v) {
						if at := strings.Index(out, form); at >= 0 && len(form) > 5 {
							t.Fatalf("%s: %s: %q of %q is left: %s", method, typ.ID, form, in.text, out[max(0, at-200):min(len(out), at+100)])
						}
					}
				}
				checkShape(t, got)
			}
		}
	}
	if planted < 3*4*len(dlp.Types())*9/10 {
		t.Errorf("only %d values were planted", planted)
	}
}

// checkShape says whether a record still is one, and its finding tells of it.
func checkShape(t *testing.T, l plog.Logs) {
	t.Helper()
	found := 0
	var record event.View
	for w := range event.Views(l) {
		if w.Str("event.dataset") == "saas.finding" {
			found++
			continue
		}
		record = w
		body := map[string]any{}
		if err := json.Unmarshal([]byte(w.Raw()), &body); err != nil || len(body) != 4 {
			t.Fatalf("%v: the body is %s", err, w.Raw())
		}
		for _, name := range []string{"event.id", "event.module", "event.dataset", "event.action", "saas.tenant"} {
			if w.Str(name) == "" {
				t.Fatalf("%s is lost", name)
			}
		}
	}
	if found == 0 {
		t.Fatal("there is no finding")
	}
	for w := range event.Views(l) {
		if w.Str("event.dataset") == "saas.finding" && !strings.Contains(w.Raw(), `"record":"`+record.DocID()+`"`) {
			t.Fatalf("the finding tells of another record: %s", w.Raw())
		}
	}
}

// newProcessor makes the processor dlp of a configuration.
func newProcessor(t *testing.T, sink *consumertest.LogsSink, conf map[string]any) func(plog.Logs) error {
	t.Helper()
	f := processor.NewFactory()
	cfg := f.CreateDefaultConfig()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(confmap.NewFromStringMap(conf).Unmarshal(cfg))
	must(cfg.(*processor.Config).Validate())
	p, err := f.CreateLogs(context.Background(), processortest.NewNopSettings(f.Type()), cfg, sink)
	must(err)
	return func(l plog.Logs) error { return p.ConsumeLogs(context.Background(), l) }
}
