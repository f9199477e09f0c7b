package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// otlpRecord starts a record with all that belongs to one.
func otlpRecord() (w View, logs plog.Logs) {
	logs = plog.NewLogs()
	w.Res = logs.ResourceLogs().AppendEmpty()
	w.Scope = w.Res.ScopeLogs().AppendEmpty()
	w.Log = w.Scope.LogRecords().AppendEmpty()
	return w, logs
}

// fullRecord has every member of a request and every type of value.
func fullRecord() (View, plog.Logs) {
	w, logs := otlpRecord()
	w.Res.SetSchemaUrl("https://example.net/resource")
	w.Res.Resource().SetDroppedAttributesCount(300)
	w.Res.Resource().Attributes().PutStr("event.module", "test")
	w.Scope.SetSchemaUrl("https://example.net/scope")
	w.Scope.Scope().SetName("scope")
	w.Scope.Scope().SetVersion("1.2.3")
	w.Scope.Scope().SetDroppedAttributesCount(1)
	w.Scope.Scope().Attributes().PutBool("of.scope", true)
	r := w.Log
	r.SetTimestamp(math.MaxUint64)
	r.SetObservedTimestamp(1)
	r.SetSeverityNumber(plog.SeverityNumberError4)
	r.SetSeverityText("ERROR \"4\"\n")
	r.SetEventName("test.event")
	r.SetDroppedAttributesCount(math.MaxUint32)
	r.SetFlags(plog.DefaultLogRecordFlags.WithIsSampled(true))
	r.SetTraceID(pcommon.TraceID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xff})
	r.SetSpanID(pcommon.SpanID{0xab, 7: 1})
	allTypes(r.Body().SetEmptyMap())
	allTypes(r.Attributes())
	return w, logs
}

func allTypes(m pcommon.Map) {
	m.PutEmpty("empty")
	m.PutStr("", "no name")
	m.PutStr("str", "é \"quoted\" \\ \x00\x1f\u2028 "+strings.Repeat("long", 9000))
	m.PutStr("no str", "")
	m.PutBool("true", true)
	m.PutBool("false", false)
	m.PutInt("least", math.MinInt64)
	m.PutInt("most", math.MaxInt64)
	m.PutInt("zero", 0)
	for _, f := range []float64{0, math.Copysign(0, -1), 0.1, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1),
		math.NaN()} {
		m.PutDouble(fmt.Sprint("double ", f), f)
	}
	for _, n := range []int{0, 1, 2, 3, 47, 48, 49, 50, 1000} {
		m.PutEmptyBytes(fmt.Sprint("bytes ", n)).FromRaw(bytes.Repeat([]byte{0xfe, 0, 'x'}, n)[:n])
	}
	m.PutEmptySlice("no list")
	m.PutEmptyMap("no map")
	list := m.PutEmptySlice("list")
	list.AppendEmpty()
	list.AppendEmpty().SetStr("a")
	list.AppendEmpty().SetEmptySlice().AppendEmpty().SetInt(1)
	below := list.AppendEmpty().SetEmptyMap()
	below.PutStr("x", strings.Repeat("y", 120))
	below.PutEmptyMap("map").PutEmptyBytes("b").Append(1)
}

// bothOTLP reads what is written of w in both encodings, and compares it with want.
func bothOTLP(t *testing.T, w View, want plog.Logs) {
	t.Helper()
	var p plog.ProtoUnmarshaler
	var j plog.JSONUnmarshaler
	for _, c := range []struct {
		name string
		out  []byte
		read func([]byte) (plog.Logs, error)
	}{{"protobuf", AppendOTLPProto([]byte("head"), w), p.UnmarshalLogs}, {"JSON", AppendOTLPJSON([]byte("head"), w), j.UnmarshalLogs}} {
		out, isAfter := bytes.CutPrefix(c.out, []byte("head"))
		if !isAfter {
			t.Fatalf("%s: what stood before is gone: %.20q", c.name, c.out)
		}
		if c.name == "JSON" && !json.Valid(out) {
			t.Fatalf("no JSON: %s", out)
		}
		got, err := c.read(out)
		if err != nil {
			t.Fatalf("%s: %v: %q", c.name, err, out)
		}
		if a, b := wire(t, got), wire(t, want); !bytes.Equal(a, b) {
			t.Errorf("%s:\ngot  %.3000q\nwant %.3000q", c.name, a, b)
		}
	}
}

// wire is what the stock marshaler makes of logs: everything in one fixed form, NaN as well.
func wire(t testing.TB, logs plog.Logs) []byte {
	t.Helper()
	var m plog.ProtoMarshaler
	out, err := m.MarshalLogs(logs)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOTLPHoldsAllOfARecord(t *testing.T) {
	w, logs := fullRecord()
	bothOTLP(t, w, logs)
}

func TestOTLPOfAnEmptyRecordIsAnEmptyRecord(t *testing.T) {
	w, logs := otlpRecord()
	bothOTLP(t, w, logs)
	w.Scope = plog.ScopeLogs{}
	bothOTLP(t, w, logs)
	if got := string(AppendOTLPJSON(nil, w)); got != `{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{}]}]}]}` {
		t.Error(got)
	}
}

// Some readers take other forms too, so that the one that the specification names is compared as text.
func TestOTLPJSONIsSpelledAsTheSpecificationSays(t *testing.T) {
	w, _ := otlpRecord()
	w.Res.SetSchemaUrl("u")
	w.Scope.Scope().SetName("s")
	r := w.Log
	r.SetTimestamp(1795465500000000001)
	r.SetObservedTimestamp(2)
	r.SetSeverityNumber(plog.SeverityNumberWarn)
	r.SetEventName("n")
	r.SetFlags(1)
	r.SetTraceID(pcommon.TraceID{0xAB, 15: 1})
	r.SetSpanID(pcommon.SpanID{0xCD, 7: 2})
	r.Body().SetStr(`{"a":1}`)
	m := r.Attributes()
	m.PutInt("i", -1<<60)
	m.PutDouble("d", 1e300)
	m.PutDouble("nan", math.NaN())
	m.PutDouble("inf", math.Inf(1))
	m.PutDouble("minus", math.Inf(-1))
	m.PutBool("b", false)
	m.PutEmptyBytes("by").Append(0xfb, 0xff)
	m.PutEmptySlice("l").AppendEmpty().SetStr(",")
	m.PutEmptyMap("m").PutEmpty("e")
	want := `{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{"name":"s"},"logRecords":[{"timeUnixNano":"1795465500000000001",` +
		`"observedTimeUnixNano":"2","severityNumber":13,"body":{"stringValue":"{\"a\":1}"},"attributes":[` +
		`{"key":"i","value":{"intValue":"-1152921504606846976"}},{"key":"d","value":{"doubleValue":1e+300}},` +
		`{"key":"nan","value":{"doubleValue":"NaN"}},{"key":"inf","value":{"doubleValue":"Infinity"}},` +
		`{"key":"minus","value":{"doubleValue":"-Infinity"}},{"key":"b","value":{"boolValue":false}},` +
		`{"key":"by","value":{"bytesValue":"+/8="}},{"key":"l","value":{"arrayValue":{"values":[{"stringValue":","}]}}},` +
		`{"key":"m","value":{"kvlistValue":{"values":[{"key":"e","value":{}}]}}}],"flags":1,` +
		`"traceId":"ab000000000000000000000000000001","spanId":"cd00000000000002","eventName":"n"}]}],"schemaUrl":"u"}]}`
	if got := string(AppendOTLPJSON(nil, w)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A receiver refuses a request with a string that is no UTF-8, and all that is with it.
func TestOTLPStringsAreUTF8(t *testing.T) {
	broken, broke := otlpRecord()
	whole, want := otlpRecord()
	for _, c := range []struct {
		w View
		s string
	}{{broken, "a\xff\xfe\xc3"}, {whole, "a\ufffd"}} {
		c.w.Res.SetSchemaUrl(c.s)
		c.w.Scope.Scope().SetName(c.s)
		c.w.Log.SetEventName(c.s)
		c.w.Log.SetSeverityText(c.s)
		c.w.Log.Body().SetStr(c.s)
		c.w.Log.Attributes().PutStr(c.s, c.s)
		c.w.Log.Attributes().PutEmptyBytes("bytes").Append(0xff)
	}
	bothOTLP(t, broken, want)
	if bytes.Equal(wire(t, broke), wire(t, want)) {
		t.Error("nothing was broken")
	}
}

func TestOTLPValuesAreWrittenAsDeepAsReadersGo(t *testing.T) {
	deep := func(n int) (View, plog.Logs) {
		w, logs := otlpRecord()
		v := w.Log.Body()
		for i := range n {
			if i%8 == 0 {
				v = v.SetEmptySlice().AppendEmpty()
			} else {
				v = v.SetEmptyMap().PutEmpty("k")
			}
		}
		if n <= maxLevels {
			v.SetStr("end")
		}
		return w, logs
	}
	w, want := deep(maxLevels)
	bothOTLP(t, w, want)
	w, _ = deep(5000)
	_, want = deep(maxLevels + 1)
	v := want.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body()
	for range maxLevels {
		if v.Type() == pcommon.ValueTypeSlice {
			v = v.Slice().At(0)
		} else {
			v, _ = v.Map().Get("k")
		}
	}
	pcommon.NewValueEmpty().CopyTo(v)
	bothOTLP(t, w, want)
}

func TestOTLPIsWrittenWithoutAllocations(t *testing.T) {
	w, _ := fullRecord()
	var dst []byte
	if n := testing.AllocsPerRun(100, func() { dst = AppendOTLPProto(dst[:0], w) }); n != 0 {
		t.Errorf("protobuf: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { dst = AppendOTLPJSON(dst[:0], w) }); n != 0 {
		t.Errorf("JSON: %v allocations", n)
	}
}
