package event

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
)

func TestCutTakesRecordsBack(t *testing.T) {
	b := testBatch()
	add := func(i int, dataset string) {
		r := b.Add(nil, &Values{Raw: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i))})
		r.ID(fmt.Sprint(i))
		r.Dataset(dataset)
	}
	for i := range 6 {
		add(i, []string{"", "test.b"}[i%2])
	}
	b.Cut(5)
	b.Cut(9)
	b.Cut(2)
	if b.Len() != 2 || b.Size() != 14 {
		t.Errorf("len %d, size %d", b.Len(), b.Size())
	}
	add(7, "")
	var ids []string
	for w := range Views(b.Take()) {
		ids = append(ids, w.Str("event.dataset")+" "+w.Str("event.id"))
	}
	if got := strings.Join(ids, ", "); got != "test.log 0, test.log 7, test.b 1" {
		t.Error(got)
	}
	add(8, "test.b")
	b.Cut(0)
	if logs := b.Take(); logs.ResourceLogs().Len() != 0 {
		t.Error("a cut batch still has resources")
	}
}

func TestSameInputGivesTheSameRecords(t *testing.T) {
	page := signInPage(300)
	run := func() string {
		bt := signInBatch()
		var v Values
		split(t, page, signInLayout, &v, func() { signIn(&v, bt.Add(signInLayout, &v)) })
		var m plog.ProtoMarshaler
		out, err := m.MarshalLogs(bt.Take())
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if first := run(); first != run() {
		t.Error("two runs differ")
	}
}

func TestManyShapesAndNamesStayCorrect(t *testing.T) {
	b := testBatch()
	for round := range 3 {
		for i := range 2 * maxShapes {
			r := b.Add(nil, &Values{Raw: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i))})
			for bit := range 12 {
				if i>>bit&1 != 0 {
					r.Str(fmt.Sprint("labels.b", bit), fmt.Sprint(i))
				}
			}
			r.Str(fmt.Sprintf("labels.r%d_%d", round, i), "x")
		}
		i := 0
		for w := range Views(b.Take()) {
			for bit := range 12 {
				want := ""
				if i>>bit&1 != 0 {
					want = fmt.Sprint(i)
				}
				if got := w.Str(fmt.Sprint("labels.b", bit)); got != want {
					t.Fatalf("record %d, bit %d: %q", i, bit, got)
				}
			}
			if w.Str(fmt.Sprintf("labels.r%d_%d", round, i)) != "x" {
				t.Fatalf("record %d lost a name: %s", i, attrs(w))
			}
			i++
		}
		if len(b.shapes) > maxShapes || len(b.extra) > maxExtra {
			t.Fatalf("%d shapes, %d names", len(b.shapes), len(b.extra))
		}
	}
}

func TestEnvelopeOfARecord(t *testing.T) {
	b := NewBatch(Origin{Module: "okta", Tenant: "acme", OrgID: "o1", OrgName: "Acme", Version: "1.2.3", Dataset: "okta.system",
		Observed: observed})
	r := b.Add(nil, &Values{Raw: json.RawMessage(`{"a":1}`)})
	r.Str("event.action", "user.session.start")
	r.Int("event.severity", 3)
	b.Add(nil, &Values{Raw: json.RawMessage(`{"a":2}`)}).Dataset("okta.other")
	b.Add(nil, &Values{Raw: json.RawMessage(`{"a":3}`)})
	if b.Len() != 3 || b.Size() != 21 {
		t.Errorf("len %d, size %d", b.Len(), b.Size())
	}
	logs := b.Take()
	if b.Len() != 0 || b.Size() != 0 || b.Take().LogRecordCount() != 0 {
		t.Error("the batch is not empty after Take")
	}
	if logs.ResourceLogs().Len() != 2 || logs.LogRecordCount() != 3 {
		t.Fatalf("%d resources, %d records", logs.ResourceLogs().Len(), logs.LogRecordCount())
	}
	res, _ := json.Marshal(logs.ResourceLogs().At(0).Resource().Attributes().AsRaw())
	want := `{"agent.type":"longshore","agent.version":"1.2.3","ecs.version":"` + ECSVersion + `","event.dataset":"okta.system",` +
		`"event.kind":"event",` +
		`"event.module":"okta","organization.id":"o1","organization.name":"Acme","saas.tenant":"acme"}`
	if string(res) != want {
		t.Errorf("got  %s\nwant %s", res, want)
	}
	sl := logs.ResourceLogs().At(0).ScopeLogs().At(0)
	lr := sl.LogRecords().At(0)
	sum := sha256.Sum256([]byte(`{"a":1}`))
	want = hex.EncodeToString(sum[:])
	w := View{Res: logs.ResourceLogs().At(0), Log: lr}
	if hash, _ := w.Get("event.hash"); hash != want {
		t.Errorf("the hash of the body is %v, want %s", hash, want)
	}
	if doc := string(AppendECS(nil, w, Encoding{})); !strings.Contains(doc, `"hash":"`+want+`"`) {
		t.Errorf("no hash %s in %s", want, doc)
	}
	if sl.Scope().Name() != "longshore" || lr.EventName() != "okta.user.session.start" || lr.SeverityNumber() != plog.SeverityNumberError ||
		lr.ObservedTimestamp().AsTime() != observed || lr.Body().Str() != `{"a":1}` {
		t.Error(sl.Scope().Name(), lr.EventName(), lr.SeverityNumber(), lr.ObservedTimestamp(), lr.Body().AsString())
	}
}

func TestSeverityNumberFollowsEventSeverity(t *testing.T) {
	for sev, want := range map[string]plog.SeverityNumber{"0": plog.SeverityNumberUnspecified, "1": plog.SeverityNumberInfo,
		"2": plog.SeverityNumberWarn,
		"3": plog.SeverityNumberError, "4": plog.SeverityNumberError4, "99999999999999999999": plog.SeverityNumberUnspecified,
		"": plog.SeverityNumberUnspecified} {
		if got := one(t, `{}`, func(r *Record) { r.Str("event.severity", sev) }).Log.SeverityNumber(); got != want {
			t.Errorf("severity %s: %s", sev, got)
		}
	}
}
