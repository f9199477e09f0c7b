package event

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// feed makes a record of bytes: any names, any values.
type feed struct{ b []byte }

func (f *feed) next() byte {
	if len(f.b) == 0 {
		return 0
	}
	c := f.b[0]
	f.b = f.b[1:]
	return c
}

func (f *feed) text(most int) string {
	n := min(int(f.next())%most, len(f.b))
	s := string(f.b[:n])
	f.b = f.b[n:]
	return s
}

func (f *feed) uint64() uint64 {
	var b [8]byte
	for i := range b {
		b[i] = f.next()
	}
	return binary.LittleEndian.Uint64(b[:])
}

var feedNames = []string{"user.id", "user.name", "event.category", "related.ip", "event.module", "event.dataset", "@timestamp",
	"event.hash", "event.original", "labels", "source.ip", "a", "a.b", "a.value", "a.value.x", "a.", ".a", "a..b", "", ".", "b", "user",
	"user.id.x", "vend", "vend.x", "dup1", "dup2"}

func (f *feed) name() string {
	if n := f.next(); n&3 > 0 {
		return feedNames[int(n>>2)%len(feedNames)]
	}
	return strings.ReplaceAll(f.text(12), "/", ".")
}

func (f *feed) value(v pcommon.Value, depth int) {
	kind := f.next() % 12
	if depth > 5 && kind < 4 {
		kind += 4
	}
	switch kind {
	case 0, 1:
		list := v.SetEmptySlice()
		for range f.next() % 4 {
			f.value(list.AppendEmpty(), depth+1)
		}
	case 2, 3:
		f.fill(v.SetEmptyMap(), int(f.next()%4), depth+1)
	case 4:
		v.SetInt(int64(f.uint64()))
	case 5:
		v.SetInt([]int64{math.MinInt64, math.MaxInt64, maxExact, maxExact + 1, -maxExact, -maxExact - 1, 0}[f.next()%7])
	case 6:
		v.SetDouble(math.Float64frombits(f.uint64()))
	case 7:
		v.SetBool(f.next()&1 > 0)
	case 8:
		v.SetEmptyBytes().FromRaw([]byte(f.text(60)))
	case 9, 10:
		v.SetStr(f.text(60))
	}
}

func (f *feed) fill(m pcommon.Map, n, depth int) {
	for range n {
		f.value(m.PutEmpty(f.name()), depth)
	}
}

// record makes logs of one record. Where it has the name dup2 it then has dup1, mostly twice, which pdata alone does not do.
func (f *feed) record(t *testing.T, body string) plog.Logs {
	w, logs := otlpRecord()
	w.Res.SetSchemaUrl(f.text(9))
	w.Scope.SetSchemaUrl(f.text(9))
	w.Scope.Scope().SetName(f.text(9))
	w.Scope.Scope().SetVersion(f.text(9))
	w.Scope.Scope().SetDroppedAttributesCount(uint32(f.next()))
	f.fill(w.Scope.Scope().Attributes(), int(f.next()%3), 0)
	w.Res.Resource().SetDroppedAttributesCount(uint32(f.next()))
	f.fill(w.Res.Resource().Attributes(), int(f.next()%8), 0)
	r := w.Log
	if f.next()&1 > 0 {
		r.SetTimestamp(pcommon.Timestamp(f.uint64()))
		r.SetObservedTimestamp(pcommon.Timestamp(f.uint64()))
	}
	r.SetSeverityNumber(plog.SeverityNumber(int8(f.next())))
	r.SetSeverityText(f.text(9))
	r.SetEventName(f.text(9))
	r.SetFlags(plog.LogRecordFlags(f.next()))
	r.SetDroppedAttributesCount(uint32(f.next()))
	if f.next()&1 > 0 {
		r.SetTraceID(pcommon.TraceID{f.next(), 15: f.next()})
		r.SetSpanID(pcommon.SpanID{f.next(), 7: f.next()})
	}
	if f.next()&7 > 0 {
		r.Body().SetStr(body)
	} else {
		f.value(r.Body(), 0)
	}
	f.fill(r.Attributes(), int(f.next()%16), 0)
	var u plog.ProtoUnmarshaler
	logs, err := u.UnmarshalLogs(bytes.ReplaceAll(wire(t, logs), []byte("dup2"), []byte("dup1")))
	if err != nil {
		t.Fatal(err)
	}
	return logs
}

// expected is the document of w without a vendor root, made in the plainest way.
func expected(w View) any {
	fields, dataset := map[string]any{}, ""
	put := func(name string, val any) {
		if _, ok := fields[name]; !ok {
			fields[name] = val
		}
	}
	for _, m := range []pcommon.Map{w.Log.Attributes(), w.Res.Resource().Attributes()} {
		for name, v := range m.All() {
			name = plainPath(name)
			if v.Type() == pcommon.ValueTypeEmpty || name == "event.original" {
				continue
			}
			val := plainValue(v)
			if id, ok := fieldIndex[name]; ok && fieldTable[id].list && v.Type() != pcommon.ValueTypeSlice {
				val = []any{val}
			}
			if _, twice := fields[name]; !twice && name == "event.dataset" {
				dataset = repaired(v.AsString())
			}
			put(name, val)
		}
	}
	const layout = "2006-01-02T15:04:05.000000000Z"
	at, read := w.Log.Timestamp(), w.Log.ObservedTimestamp()
	for name, ts := range map[string]pcommon.Timestamp{"@timestamp": at, "event.created": read} {
		if ts == 0 && name == "@timestamp" {
			ts = read
		}
		if text := ts.AsTime().UTC().Format(layout); ts != 0 {
			text = strings.Replace(text, "000000Z", "Z", 1)
			if len(text) == len(layout) {
				text = strings.Replace(text, "000Z", "Z", 1)
			}
			put(name, text)
		}
	}
	if body := strings.ToValidUTF8(w.Log.Body().AsString(), "\ufffd"); body != "" {
		put("event.hash", fmt.Sprintf("%x", sha256.Sum256([]byte(body))))
		put("event.original", body)
	}
	if dataset != "" {
		put("data_stream.type", "logs")
		put("data_stream.dataset", dataset)
		put("data_stream.namespace", "saas")
	}
	return plainTree(fields)
}

// plainTree nests names at their dots. A field that is also an object is its member "value", unless there is one.
func plainTree(fields map[string]any) any {
	isParent := func(name string) bool {
		for other := range fields {
			if strings.HasPrefix(other, name+".") {
				return true
			}
		}
		return false
	}
	moved := map[string]any{}
	for name, val := range fields {
		if isParent(name) {
			name += ".value"
			if _, ok := fields[name]; ok || isParent(name) {
				continue
			}
		}
		moved[name] = val
	}
	top := map[string]any{}
	for name, val := range moved {
		m := top
		steps := strings.Split(name, ".")
		for _, step := range steps[:len(steps)-1] {
			if m[step] == nil {
				m[step] = map[string]any{}
			}
			m = m[step].(map[string]any)
		}
		m[steps[len(steps)-1]] = val
	}
	return top
}

// plainPath drops the empty steps of a name.
func plainPath(name string) string {
	var steps []string
	for step := range strings.SplitSeq(strings.ToValidUTF8(name, "\ufffd"), ".") {
		if step != "" {
			steps = append(steps, step)
		}
	}
	if name = strings.Join(steps, "."); strings.TrimFunc(name, func(r rune) bool { return r <= ' ' }) == "" {
		return "_"
	}
	return name
}

// plainValue is a value as encoding/json reads it.
func plainValue(v pcommon.Value) any {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return strings.ToValidUTF8(v.Str(), "\ufffd")
	case pcommon.ValueTypeBool:
		return v.Bool()
	case pcommon.ValueTypeInt:
		if n := v.Int(); n > maxExact || n < -maxExact {
			return fmt.Sprint(n)
		}
		return float64(v.Int())
	case pcommon.ValueTypeDouble:
		if f := v.Double(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
	case pcommon.ValueTypeBytes:
		return base64.StdEncoding.EncodeToString(v.Bytes().AsRaw())
	case pcommon.ValueTypeSlice:
		list := []any{}
		for _, e := range v.Slice().All() {
			list = append(list, plainValue(e))
		}
		return list
	case pcommon.ValueTypeMap:
		m := map[string]any{}
		for name, e := range v.Map().All() {
			name = strings.ToValidUTF8(name, "\ufffd")
			if _, ok := m[name]; !ok {
				m[name] = plainValue(e)
			}
		}
		return m
	}
	return nil
}

// contents is all that a request holds, with strings repaired, to be compared.
func contents(logs plog.Logs) (all []any) {
	for _, rl := range logs.ResourceLogs().All() {
		all = append(all, repaired(rl.SchemaUrl()), rl.Resource().DroppedAttributesCount(), pairs(rl.Resource().Attributes()))
		for _, sl := range rl.ScopeLogs().All() {
			s := sl.Scope()
			all = append(all, repaired(sl.SchemaUrl()), repaired(s.Name()), repaired(s.Version()), s.DroppedAttributesCount(), pairs(s.Attributes()))
			for _, r := range sl.LogRecords().All() {
				all = append(all, r.Timestamp(), r.ObservedTimestamp(), r.SeverityNumber(), repaired(r.SeverityText()), repaired(r.EventName()),
					r.Flags(), r.DroppedAttributesCount(), r.TraceID(), r.SpanID(), content(r.Body()), pairs(r.Attributes()))
			}
		}
	}
	return all
}

func repaired(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

func pairs(m pcommon.Map) any {
	all := []any{}
	for name, v := range m.All() {
		all = append(all, repaired(name), content(v))
	}
	return all
}

func content(v pcommon.Value) any {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return repaired(v.Str())
	case pcommon.ValueTypeBool:
		return v.Bool()
	case pcommon.ValueTypeInt:
		return v.Int()
	case pcommon.ValueTypeDouble:
		if math.IsNaN(v.Double()) {
			return "NaN, of which there are many"
		}
		return math.Float64bits(v.Double())
	case pcommon.ValueTypeBytes:
		return [1]string{string(v.Bytes().AsRaw())}
	case pcommon.ValueTypeSlice:
		all := []any{"list"}
		for _, e := range v.Slice().All() {
			all = append(all, content(e))
		}
		return all
	case pcommon.ValueTypeMap:
		return [1]any{pairs(v.Map())}
	}
	return nil
}

// FuzzEncode makes a record of anything and reads back what is written of it in every encoding.
func FuzzEncode(f *testing.F) {
	f.Add([]byte{}, `{"a":1}`)
	f.Add([]byte("\x03abc\x03\xff\xfed\x02sc\x01v\x07\x02\x01\x06\x09\x03xyz\x01\x03\x0a\x03\x08\x00\x01\x0a\x06\x0a\x07\x05\x01"), "a\xffb")
	seed := make([]byte, 600)
	for i := range seed {
		seed[i] = byte(i * i * 31 >> 3)
	}
	for at := 0; at < len(seed); at += 60 {
		f.Add(seed[at:], `{"n":1e400,"i":9223372036854775808,"a":{"b":null}}`)
	}
	f.Fuzz(func(t *testing.T, data []byte, body string) {
		readBack(t, (&feed{data}).record(t, body))
	})
}

// Chance finds what coverage does not ask for: names that come together.
func TestRandomRecordsAreReadBack(t *testing.T) {
	random := rand.NewChaCha8([32]byte{5})
	for range 2000 {
		data := make([]byte, 400)
		if _, err := random.Read(data); err != nil {
			t.Fatal(err)
		}
		readBack(t, (&feed{data[20:]}).record(t, string(data[:20])))
	}
}

func readBack(t *testing.T, logs plog.Logs) {
	t.Helper()
	for w := range Views(logs) {
		size := len(wire(t, logs))
		readBackECS(t, w, size)
		readBackOTLP(t, w, contents(logs), size)
	}
}

// readBackECS also checks the bound of a document: sixteen times the record, beside what follows from nothing.
func readBackECS(t *testing.T, w View, size int) {
	t.Helper()
	out := AppendECS(nil, w, Encoding{NoVendor: true})
	if len(out) > 1024+16*size {
		t.Errorf("%d bytes of a record of %d", len(out), size)
	}
	if err := noTwins(out); err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %q", err, out)
	}
	if want := expected(w); !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %q\nwant %q", fmt.Sprint(got), fmt.Sprint(want))
	}
	if again := AppendECS(nil, w, Encoding{NoVendor: true}); !bytes.Equal(out, again) {
		t.Fatalf("written twice it differs:\n%s\n%s", out, again)
	}
}

func readBackOTLP(t *testing.T, w View, want []any, size int) {
	t.Helper()
	var p plog.ProtoUnmarshaler
	var j plog.JSONUnmarshaler
	proto, text := AppendOTLPProto(nil, w), AppendOTLPJSON(nil, w)
	if len(proto) > 64+4*size || len(text) > 1024+32*size {
		t.Errorf("%d and %d bytes of a record of %d", len(proto), len(text), size)
	}
	if !json.Valid(text) {
		t.Fatalf("no JSON: %q", text)
	}
	for _, read := range []func() (plog.Logs, error){func() (plog.Logs, error) { return p.UnmarshalLogs(proto) },
		func() (plog.Logs, error) { return j.UnmarshalLogs(text) }} {
		logs, err := read()
		if err != nil {
			t.Fatalf("%v: %q %q", err, proto, text)
		}
		if got := contents(logs); !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %q\nwant %q", fmt.Sprint(got), fmt.Sprint(want))
		}
	}
}

// FuzzEncodeReceived encodes what a receiver may have read.
func FuzzEncodeReceived(f *testing.F) {
	for _, logs := range []plog.Logs{smallLogs(2), plog.NewLogs()} {
		f.Add(wire(f, logs))
	}
	_, full := fullRecord()
	f.Add(wire(f, full))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p plog.ProtoUnmarshaler
		logs, err := p.UnmarshalLogs(data)
		if err != nil {
			return
		}
		for w := range Views(logs) {
			single := plog.NewLogs()
			rl := single.ResourceLogs().AppendEmpty()
			w.Res.Resource().CopyTo(rl.Resource())
			rl.SetSchemaUrl(w.Res.SchemaUrl())
			sl := rl.ScopeLogs().AppendEmpty()
			w.Scope.Scope().CopyTo(sl.Scope())
			sl.SetSchemaUrl(w.Scope.SchemaUrl())
			w.Log.CopyTo(sl.LogRecords().AppendEmpty())
			size := len(wire(t, single))
			readBackECS(t, w, size)
			readBackOTLP(t, w, contents(single), size)
		}
	})
}

func TestTimesAreWrittenAsTheStandardLibraryDoes(t *testing.T) {
	f := func(at time.Time, layout string) {
		t.Helper()
		if got, want := string(appendTime(nil, at)), at.UTC().Format(layout); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, sec := range []int64{0, 1, -1, 951782399, 951782400, 1795465500, 253402300799, 253402300800, -62135596800, 1e12} {
		f(time.Unix(sec, 0), "2006-01-02T15:04:05.000Z")
		f(time.Unix(sec, 1e6), "2006-01-02T15:04:05.000Z")
		f(time.Unix(sec, 999e6), "2006-01-02T15:04:05.000Z")
		f(time.Unix(sec, 999001e3), "2006-01-02T15:04:05.000000Z")
		f(time.Unix(sec, 1), "2006-01-02T15:04:05.000000000Z")
		f(time.Unix(sec, 120).In(time.FixedZone("", 3600)), "2006-01-02T15:04:05.000000000Z")
	}
}

func TestForeignNamesAreCleaned(t *testing.T) {
	w, _ := otlpRecord()
	m := w.Log.Attributes()
	m.PutStr(".user..id.", "u")
	m.PutStr("user.id", "second")
	m.PutStr("a.", "1")
	m.PutStr("a", "second")
	m.PutStr("..", "2")
	m.PutStr("", "second")
	m.PutStr("x\xff", "3")
	m.PutStr("x\xfe", "second")
	if got, want := doc(w, Encoding{}), "{\"_\":\"2\",\"a\":\"1\",\"user\":{\"id\":\"u\"},\"x\ufffd\":\"3\"}"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestNestedValuesEndAtADepthOf512(t *testing.T) {
	w, _ := otlpRecord()
	v := w.Log.Attributes().PutEmpty("deep")
	for i := range 100000 {
		if i%2 == 0 {
			v = v.SetEmptySlice().AppendEmpty()
		} else {
			v = v.SetEmptyMap().PutEmpty("k")
		}
	}
	out := doc(w, Encoding{})
	if n := strings.Count(out, "["); n != maxDepth/2 || !strings.Contains(out, "null") || !json.Valid([]byte(out)) {
		t.Errorf("%d lists: %.100s", n, out)
	}
}
