package event

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// testVendor registers the module "test" for the length of a test.
func testVendor(t testing.TB, v Vendor) {
	t.Helper()
	v.Module = "test"
	RegisterVendor(v)
	t.Cleanup(func() {
		RegisterVendor(Vendor{Module: "test", Reshape: func(_, _ string, _ json.RawMessage) json.RawMessage { return nil }})
	})
}

func doc(w View, e Encoding) string { return string(AppendECS(nil, w, e)) }

func TestDocumentIsNestedAndOrdered(t *testing.T) {
	w := one(t, `{"uuid":"u","debugContext":{"debugData":{"requestUri":"/x","nil":null,"logOnly":{"A":1}}},"zone":"null",`+
		`"target":[{"displayName":"a"},null,{"id":2}]}`,
		func(r *Record) {
			r.Time(time.Date(2026, 11, 23, 20, 14, 3, 417e6, time.UTC))
			r.ID("u")
			r.Str("event.action", "user.session.start")
			r.Strs("event.category", "authentication")
			r.Strs("event.type", "start")
			r.Str("user.name", "ana")
			r.Str("user.target.name", "bo")
			r.Str("source.ip", "192.0.2.1")
			r.Str("source.geo.city_name", "Lyon \"2\"")
			r.Int("event.severity", 1)
			r.Bool("saas.auth.mfa", true)
			r.Str("x-own", "y")
		})
	testVendor(t, Vendor{Root: "vend", Snake: true, Flat: map[string]string{"debugContext.debugData": "flattened"}})
	want := `{"@timestamp":"2026-11-23T20:14:03.417Z","agent":{"type":"longshore","version":"1.2.3"},` +
		`"data_stream":{"dataset":"test.log","namespace":"saas","type":"logs"},"ecs":{"version":"` + ECSVersion + `"},` +
		`"event":{"action":"user.session.start","category":["authentication"],"created":"2026-11-23T20:15:00.000Z","dataset":"test.log",` +
		`"hash":"` + sum(w) + `","id":"u",` +
		`"kind":"event","module":"test","severity":1,"type":["start"]},"organization":{"id":"o1","name":"Acme"},` +
		`"related":{"ip":["192.0.2.1"],"user":["ana","bo"]},"saas":{"auth":{"mfa":true},"tenant":"acme"},` +
		`"source":{"geo":{"city_name":"Lyon \"2\""},"ip":"192.0.2.1"},"user":{"name":"ana","target":{"name":"bo"}},` +
		`"vend":{"uuid":"u","debug_context":{"debug_data":{"request_uri":"/x","log_only":{"a":1},"flattened":{"requestUri":"/x",` +
		`"logOnly":{"A":1}}}},` +
		`"zone":"null","target":[{"display_name":"a"},{"id":2}]},"x-own":"y"}`
	if got := doc(w, Encoding{NoOriginal: true}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got := doc(w, Encoding{NoVendor: true, NoClock: true, Ingested: observed, Namespace: "eu"})
	if strings.Contains(got, "vend") || strings.Contains(got, "created") || strings.Contains(got, "ingested") || !strings.Contains(got,
		`"namespace":"eu"`) ||
		!strings.Contains(got, `"original":"{\"uuid\":\"u\"`) {
		t.Error(got)
	}
	if got := doc(w, Encoding{Ingested: observed.Add(time.Nanosecond)}); !strings.Contains(got,
		`"ingested":"2026-11-23T20:15:00.000000001Z"`) {
		t.Error(got)
	}
	if got := string(AppendECS([]byte("head "), w, Encoding{})); !strings.HasPrefix(got, `head {"@timestamp"`) {
		t.Error(got)
	}
}

func TestTimestampOfWhatBearsNoTimeIsWhenItWasRead(t *testing.T) {
	w := one(t, `{}`, func(*Record) {})
	if got := doc(w, Encoding{}); !strings.HasPrefix(got, `{"@timestamp":"2026-11-23T20:15:00.000Z"`) {
		t.Error(got)
	}
	if got := doc(w, Encoding{NoClock: true}); strings.Contains(got, "@timestamp") {
		t.Error(got)
	}
}

func TestVendorFields(t *testing.T) {
	f := func(v Vendor, body, want string) {
		t.Helper()
		testVendor(t, v)
		w := one(t, body, func(r *Record) {})
		got := doc(w, Encoding{NoOriginal: true, NoClock: true})
		if _, got, _ = strings.Cut(got, `"tenant":"acme"},`); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", body, got, want)
		}
	}
	l := Compile(Table{{"debugContext.debugData.requestUri", ""}, {"target[0].displayName", ""}})
	flat := map[string]string{"debugContext.debugData": "flattened"}
	okta := Vendor{Root: "vend", Snake: true, Layout: l, Flat: flat}
	f(okta, `{"debugcontext":{"DEBUGDATA":{"requesturi":"/x"}},"target":[{"displayname":"a"}]}`,
		`"vend":{"debug_context":{"debug_data":{"request_uri":"/x","flattened":{"requesturi":"/x"}}},"target":[{"display_name":"a"}]}}`)
	f(okta, `{"debugContext":{"debugData":"text \"q\""}}`, `"vend":{"debug_context":{"debug_data":{"flattened_text":"text \"q\""}}}}`)
	f(okta, `{"debugContext":{"debugData":[{"a":1}]}}`, `"vend":{"debug_context":{"debug_data":{"flattened_text":"[{\"a\":1}]"}}}}`)
	f(okta, `{"debugContext":{"debugData":null}}`, `"vend":{"debug_context":{}}}`)
	f(okta, `{"debugContext":{"debugData":{}}}`, `"vend":{"debug_context":{"debug_data":{"flattened":{}}}}}`)
	f(okta, `{"debugContext":{"debugData":{"flattened":1,"a":2}}}`,
		`"vend":{"debug_context":{"debug_data":{"a":2,"flattened":{"flattened":1,"a":2}}}}}`)
	f(okta, `{"a":1,"A":2,"b":{"c":1,"c":null},"a":{"x":[1,{"y":1,"y":2}]}}`, `"vend":{"a":{"x":[1,{"y":2}]},"b":{}}}`)
	f(Vendor{Root: "vend"}, ` { "Id" : 9007199254740993 , "x" : 1e400 ,"f":0.10, "e":"\u00e9\/", "t":[ ], "o":{ }, "n":null, "nn":[null,`+
		`[null]] } `,
		`"vend":{"Id":"9007199254740993","x":1e400,"f":0.10,"e":"\u00e9\/","t":[],"o":{},"nn":[[]]}}`)
	f(Vendor{Root: "vend"}, `{".tag":"a","b.":1,"":2,"c..d":3,"..":4,"k\"q":5}`, `"vend":{"tag":"a","b":1,"_":4,"c.d":3,"k\"q":5}}`)
	f(Vendor{}, `{"a":1}`, `"test":{"log":{"a":1}}}`)
	f(Vendor{Root: "vend", Reshape: func(dataset, _ string, raw json.RawMessage) json.RawMessage {
		return json.RawMessage(`{"shaped":"` + dataset + `"}`)
	}}, `{"a":1}`, `"vend":{"shaped":"test.log"}}`)
}

func TestRecordsOfOneBodyHaveTheirOwnVendorFields(t *testing.T) {
	testVendor(t, Vendor{Root: "vend", Reshape: func(_, id string, raw json.RawMessage) json.RawMessage {
		var body struct{ Events map[string]json.RawMessage }
		if json.Unmarshal(raw, &body) != nil {
			return nil
		}
		return body.Events[id]
	}})
	var buf []byte
	for _, id := range []string{"k", "k#1", "k", "k#1", "k#1"} { // also when they are written by a pattern
		w := one(t, `{"events":{"k":{"a":"first"},"k#1":{"a":"second"}}}`, func(r *Record) { r.ID(id) })
		want := map[string]string{"k": "first", "k#1": "second"}[id]
		if got, _ := w.Get("vend.a"); got != want {
			t.Errorf("%s: vend.a is %v, want %s", id, got, want)
		}
		if buf = AppendECS(buf[:0], w, Encoding{NoOriginal: true}); !strings.HasSuffix(string(buf), `"vend":{"a":"`+want+`"}}`) {
			t.Errorf("%s: %s", id, buf)
		}
	}
}

func TestBodiesThatAreNoObjectHaveNoVendorRoot(t *testing.T) {
	testVendor(t, Vendor{Root: "vend"})
	for _, body := range []string{`[1]`, `"x"`, `text`, `{"a":`, `{"a":1} x`, strings.Repeat(`{"a":`, 600) + "1" + strings.Repeat("}",
		600), `{"a":tru}`} {
		got := doc(one(t, body, func(r *Record) {}), Encoding{})
		if !json.Valid([]byte(got)) || strings.Contains(got, `"vend"`) {
			t.Errorf("%.40s: %s", body, got)
		}
	}
	got := doc(one(t, `{"a":1}`, func(r *Record) { r.Dataset("saas.agent") }), Encoding{})
	if strings.Contains(got, `"vend"`) {
		t.Error("a record of our own has a vendor root:", got)
	}
}

func TestAttributesBelowTheVendorRootWin(t *testing.T) {
	testVendor(t, Vendor{Root: "vend.log", Snake: true})
	w := one(t, `{"a":1,"someThing":{"x":1},"c":3}`, func(r *Record) {
		r.Str("vend.log.some_thing.y", "mine")
		r.Str("vend.tenant_id", "t")
	})
	if got := doc(w, Encoding{}); !strings.HasSuffix(got, `"vend":{"log":{"a":1,"c":3,"some_thing":{"y":"mine"}},"tenant_id":"t"}}`) {
		t.Error(got)
	}
}

func TestNamesInSnakeCase(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := string(appendSnake(nil, in)); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	f("debugContext", "debug_context")
	f("requestURI", "request_uri")
	f("URLPath", "url_path")
	f("asNumber", "as_number")
	f("already_snake", "already_snake")
	f("_document_id", "_document_id")
	f("__Type", "__type")
	f("a__b", "a__b")
	f("s3BucketName", "s3_bucket_name")
	f("EVENT_TYPE", "event_type")
	f("EventName", "event_name")
	f("x-forwarded for", "x_forwarded_for")
	f("@odata.type", "odata.type")
	f(".tag", "tag")
	f("Größe", "größe")
	f("a", "a")
	f("", "_")
	f("$", "_")
}

// sum is what event.hash of a record must be.
func sum(w View) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(w.Raw()))) }

func TestForeignRecordsAreEncodedToo(t *testing.T) {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", "from resource")
	rl.Resource().Attributes().PutStr("service.name", "svc")
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	m := lr.Attributes()
	m.PutStr("host.name", "from record")
	m.PutStr("event.category", "network")
	m.PutStr("a", "leaf")
	m.PutStr("a.b", "below")
	m.PutStr("a-b", "beside")
	m.PutStr("", "empty")
	m.PutStr("bad\xff", "\xff")
	m.PutInt("big", 1<<60)
	m.PutDouble("nan", 0)
	m.PutEmpty("none")
	m.PutEmptyBytes("bytes").FromRaw([]byte{1, 2})
	m.PutEmptyMap("map").PutEmptySlice("list").AppendEmpty().SetBool(true)
	if err := lr.Body().FromRaw(map[string]any{"k": "v"}); err != nil {
		t.Fatal(err)
	}
	got := doc(View{Res: rl, Log: lr}, Encoding{})
	want := `{"_":"empty","a":{"value":"leaf","b":"below"},"a-b":"beside",` + "\"bad\ufffd\":\"\ufffd\"," + `"big":"1152921504606846976",` +
		`"bytes":"AQI=","event":{"category":["network"],"hash":"` + sum(View{Res: rl, Log: lr}) + `","original":"{\"k\":\"v\"}"},` +
		`"host":{"name":"from record"},"map":{"list":[true]},` +
		`"nan":0,` +
		`"service":{"name":"svc"}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if w := (View{Res: rl, Log: lr}); w.DocID() == "" || w.EntityID() != "" || w.Str("event.category") != "network" ||
		strings.Join(w.Strs("big"),
			"") != "1152921504606846976" {
		t.Error(w.DocID(), w.EntityID(), w.Strs("big"))
	}
}

// noTwins checks that no object of a document names a member twice.
func noTwins(raw json.RawMessage) error {
	seen := map[string]bool{}
	for name, val := range Members(raw) {
		if seen[name] {
			return fmt.Errorf("%q stands twice in %s", name, raw)
		}
		seen[name] = true
		if err := noTwins(val); err != nil {
			return err
		}
	}
	for e := range Elems(raw) {
		if err := noTwins(e); err != nil {
			return err
		}
	}
	return nil
}

func FuzzAppendECS(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1}`, `{"debugContext":{"debugData":{"x":"y"}}}`, `{"debugContext":{"debugData":["x"]}}`,
		`{"aB":1,"a_b":2,"AB":{"c":null}}`,
		`{"a":"\u0000\n\ud800\"","é":"ü"}`, `{"":{"":{"":[]}}}`, `{"user":{"name":"x"},"some":{"y":1}}`, `not json`, `[{"a":1}]`,
		`{"a":123456789012345678901234567890}`,
		`{"a":[[[[null]]],{"b":[{"c":{}}]}]}`, `{"@a.b..c.":1,"a.b.c":2}`, "{\"a\":\"\xff\"}", `{"k\"":{"\\":1}}`,
		`{"debugContext":{"debugData":{"flattened":{},"Flattened":1}}}`} {
		f.Add(s)
	}
	l := Compile(Table{{"debugContext.debugData.x", "user.name"}, {"user.name", "user.id"}, {"aB", "source.ip"}, {"a", "labels.a"}})
	for module, snake := range map[string]bool{"snake": true, "as sent": false} {
		v := Vendor{Module: module, Root: "vend", Snake: snake, Layout: l, Flat: map[string]string{"debugContext.debugData": "flattened"}}
		RegisterVendor(v)
		f.Cleanup(func() { RegisterVendor(Vendor{Module: module}) })
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, module := range []string{"snake", "as sent"} {
			b := NewBatch(Origin{Module: module, Tenant: "acme", Dataset: "test.log", Observed: observed})
			r := b.Add(l, &Values{Raw: json.RawMessage(body)})
			r.Str("vend.some.y", "z")
			for w := range Views(b.Take()) {
				out := AppendECS(nil, w, Encoding{})
				var d struct{ Event struct{ Original string } }
				if err := json.Unmarshal(out, &d); err != nil {
					t.Fatalf("%q: %v: %s", body, err, out)
				}
				if utf8.ValidString(body) && d.Event.Original != body {
					t.Fatalf("%q: event.original is %q", body, d.Event.Original)
				}
				if err := noTwins(out); err != nil {
					t.Fatalf("%q: %v", body, err)
				}
				if fresh := newEncoder().document(nil, w, Encoding{}); !bytes.Equal(out, fresh) {
					t.Fatalf("%q: what was written before changes it:\n%s\n%s", body, out, fresh)
				}
				if len(out) > 1024+24*len(body) {
					t.Fatalf("%q: %d bytes", body, len(out))
				}
				w.Map()
				w.Get("vend.debug_context.debug_data.x")
			}
		}
	})
}

func TestDocumentSurvivesAProtobufRoundTrip(t *testing.T) {
	testVendor(t, Vendor{Root: "vend", Snake: true})
	b := testBatch()
	r := b.Add(nil, &Values{Raw: json.RawMessage(`{"a":1}`)})
	r.Entity("group", "g")
	r.Relate("owns", "file", "f")
	r.Strs("tags", "x")
	logs := b.Take()
	var m plog.ProtoMarshaler
	var u plog.ProtoUnmarshaler
	wire, err := m.MarshalLogs(logs)
	if err != nil {
		t.Fatal(err)
	}
	again, err := u.UnmarshalLogs(wire)
	if err != nil {
		t.Fatal(err)
	}
	for w := range Views(logs) {
		for w2 := range Views(again) {
			if a, b := doc(w, Encoding{}), doc(w2, Encoding{}); a != b || !strings.Contains(a,
				`"relationships":[{"type":"owns","target":{"type":"file","id":"f"}}]`) {
				t.Errorf("%s\n%s", a, b)
			}
		}
	}
}

func TestEveryRealEventBecomesADocument(t *testing.T) {
	dir := os.Getenv("LONGSHORE_RAW_EVENTS")
	if dir == "" {
		dir = "../../../shared/raw-events"
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if len(files) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("no raw events at", dir)
		}
		t.Skip("no raw events at", dir)
	}
	testVendor(t, Vendor{Root: "vend", Snake: true, Layout: signInLayout})
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
			raw := member1(line, "raw")
			var v Values
			if err := signInLayout.Fill(raw, &v); err != nil {
				t.Fatalf("%s line %d: %v", file, n+1, err)
			}
			b := testBatch()
			b.Add(signInLayout, &v)
			for w := range Views(b.Take()) {
				out := AppendECS(nil, w, Encoding{})
				if err := noTwins(out); err != nil || !json.Valid(out) || !bytes.Contains(out, []byte(`"vend":{`)) {
					t.Errorf("%s line %d: %v: %s", file, n+1, err, out)
				}
				var d struct{ Event struct{ Original string } }
				if err := json.Unmarshal(out, &d); err != nil || d.Event.Original != string(raw) {
					t.Errorf("%s line %d: the original is not as sent", file, n+1)
				}
			}
		}
	}
}

func TestEmptyAttributesAreLeftOut(t *testing.T) {
	m := pcommon.NewMap()
	m.PutEmpty("x")
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	m.CopyTo(lr.Attributes())
	if got := doc(View{Res: rl, Log: lr}, Encoding{}); got != `{}` {
		t.Error(got)
	}
	if got := (View{Res: rl, Log: lr}).Strs("x"); got != nil {
		t.Error(got)
	}
}

func TestObjectsWithVeryManyMembersKeepAll(t *testing.T) {
	testVendor(t, Vendor{Root: "vend", Snake: true, Flat: map[string]string{"many": "flattened"}})
	var body strings.Builder
	body.WriteString(`{"many":{"k0":"first"`)
	for i := range 500 {
		fmt.Fprintf(&body, `,"k%d":%d`, i, i)
	}
	body.WriteString(`}}`)
	w := one(t, body.String(), func(*Record) {})
	out := AppendECS(nil, w, Encoding{})
	many, ok := w.Map()["vend"].(map[string]any)["many"].(map[string]any)
	if err := noTwins(out); err != nil || !ok || len(many) != 501 || many["k0"] != int64(0) ||
		len(many["flattened"].(map[string]any)) != 500 {
		t.Error(err, len(many), many["k0"])
	}
}

// Repeated names in objects in one another once doubled the work with every level.
func TestRepeatedNamesInEachOtherTakeNoLonger(t *testing.T) {
	testVendor(t, Vendor{Root: "vend", Flat: map[string]string{"a": "whole"}})
	f := func(begin string) {
		t.Helper()
		w := one(t, strings.Repeat(begin, 400)+"1"+strings.Repeat("}", 400), func(*Record) {})
		done := make(chan []byte)
		go func() { done <- AppendECS(nil, w, Encoding{NoOriginal: true}) }()
		select {
		case out := <-done:
			if err := noTwins(out); err != nil || !bytes.Contains(out, []byte(`"vend":{`)) {
				t.Errorf("%v: %.200s", err, out)
			}
		case <-time.After(time.Minute):
			t.Fatal("not written within a minute")
		}
		if _, ok := w.Get("vend.a.a.a"); !ok {
			t.Error("not found")
		}
	}
	f(`{"a":1,"a":`)
	var many strings.Builder
	for i := range 65 {
		fmt.Fprintf(&many, `"k%d":0,`, i)
	}
	f(`{` + many.String() + `"a":`)
}

func TestWhatAWriterLearnedOfOneBodyChangesNoOther(t *testing.T) {
	v := Vendor{Root: "vend", Snake: true, Layout: Compile(Table{{"debugContext.debugData.requestUri", ""}}),
		Flat: map[string]string{"debugContext.debugData": "flattened"}}
	bodies := []string{`{"a":1,"bC":2,"debugContext":{"debugData":{"requestUri":"/","x":"y"}}}`, `{"bC":2,"a":1}`, `{"a":1,"b_c":3,"bC":2}`,
		`{"a":null,"bC":[{"x":1},{"y":2,"x":1}]}`, `{"a":{"bC":1},"bC":null}`, `{"a" : 1, "bC":2}`, `{"bC":1,"a":2,"bC":3}`,
		`{"debugContext":{"debugData":{"x":null,"requestUri":"/"}}}`, `{"debugContext":{"debugData":{"requestUri":12345678901234567890}}}`,
		`{"debugContext":{"debugData":{"requestUri":[1, 2]}}}`, `{"debugContext":{"debugData":{"x":"y", "requestUri":"/"}}}`,
		`{"debugContext":{"debugData":"text","x":1}}`, `{"debugContext":{"debugData":{".x":1,"flattened":2}}}`, `{"a":`, `{"a":1}}`}
	alone := map[string]string{}
	for _, body := range bodies {
		testVendor(t, v) // nothing is known of a new vendor
		alone[body] = doc(one(t, body, func(*Record) {}), Encoding{})
	}
	for _, a := range bodies {
		for _, b := range bodies {
			testVendor(t, v)
			for _, body := range []string{a, b, a, b} {
				if got := doc(one(t, body, func(*Record) {}), Encoding{}); got != alone[body] {
					t.Fatalf("%s, with %s and %s before:\ngot  %s\nwant %s", body, a, b, got, alone[body])
				}
			}
		}
	}
}
