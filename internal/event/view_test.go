package event

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestViewReadsAttributesResourceAndVendorFields(t *testing.T) {
	testVendor(t, Vendor{Root: "vend", Snake: true, Layout: Compile(Table{{"securityContext.isProxy", ""}}),
		Flat: map[string]string{"debugContext.debugData": "flattened"}})
	w := one(t, `{"securitycontext":{"isproxy":true},"target":[{"id":"a","type":"User"},{"id":"b"},{"deep":{"id":1}}],
		"debugContext":{"debugData":{"requestUri":"/x"}},
		"n":1.5,"i":3,"z":null,"l":["p","q"],"dup":1,"dup":2}`, func(r *Record) {
		r.Time(observed)
		r.Str("user.name", "ana")
		r.Int("source.port", 7)
		r.Strs("event.category", "iam", "file")
	})
	f := func(name, want string) {
		t.Helper()
		v, ok := w.Get(name)
		got, _ := json.Marshal(v)
		if !ok {
			got = nil
		}
		if string(got) != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	f("user.name", `"ana"`)
	f("source.port", `7`)
	f("event.category", `["iam","file"]`)
	f("saas.tenant", `"acme"`)
	f("event.module", `"test"`)
	f("@timestamp", `"2026-11-23T20:15:00.000Z"`)
	f("event.created", `"2026-11-23T20:15:00.000Z"`)
	f("vend.security_context.is_proxy", `true`)
	f("VEND.x", ``)
	f("vend.Security_Context.Is_Proxy", `true`)
	f("vend.target.id", `["a","b"]`)
	f("vend.target.type", `"User"`)
	f("vend.target.deep.id", `1`)
	f("vend.debug_context.debug_data.request_uri", `"/x"`)
	f("vend.debug_context.debug_data.flattened.requestUri", `"/x"`)
	f("vend.debug_context.debug_data.flattened", `{"requestUri":"/x"}`)
	f("vend.debug_context", `{"debug_data":{"flattened":{"requestUri":"/x"},"request_uri":"/x"}}`)
	f("vend.n", `1.5`)
	f("vend.i", `3`)
	f("vend.z", ``)
	f("vend.l", `["p","q"]`)
	f("vend.dup", `2`)
	f("vend.missing", ``)
	f("vend", ``)
	f("other.x", ``)
	if v, _ := w.Get("vend.i"); v != int64(3) {
		t.Errorf("%T", v)
	}
	if original, _ := w.Get("event.original"); original != w.Raw() {
		t.Error(original)
	}
}

func TestRecordsWithoutAnIDDoNotCollide(t *testing.T) {
	seen := map[string]bool{}
	for _, body := range []string{`{"a":1}`, `{"a":2}`} {
		for _, tag := range []string{"x", "y"} {
			docID := func() string { return one(t, body, func(r *Record) { r.Strs("tags", tag) }).DocID() }
			id := docID()
			if again := docID(); again != id {
				t.Error("the id is not stable")
			}
			seen[id] = true
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d ids for 4 records", len(seen))
	}
}

func TestMapIsTheDocument(t *testing.T) {
	testVendor(t, Vendor{Root: "vend", Snake: true})
	w := one(t, `{"aB":{"c":[1,"x"]}}`, func(r *Record) { r.Str("user.name", "ana"); r.Int("source.port", 7) })
	m := w.Map()
	var want map[string]any
	if err := json.Unmarshal(AppendECS(nil, w, Encoding{}), &want); err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(m)
	b, _ := json.Marshal(want)
	if !bytes.Equal(a, b) {
		t.Errorf("got  %s\nwant %s", a, b)
	}
	if n := m["source"].(map[string]any)["port"]; n != int64(7) {
		t.Errorf("%T", n)
	}
}

func TestIDsFollowTheSchema(t *testing.T) {
	w := one(t, `{}`, func(r *Record) { r.ID("evt-1"); r.Entity("user", "u1") })
	// base64url(SHA-256("test\0test.log\0acme\0evt-1")[:15]) and the same of "test\0acme\0user\0u1"
	if got := w.DocID(); got != "ALRG3VqYybZhOpHebVcJ" {
		t.Error(got)
	}
	if got := w.EntityID(); got != "wRpJUXD23ilX0FxtOuaw" {
		t.Error(got)
	}
}

func TestFieldTypesAreListedOnceInOrder(t *testing.T) {
	last, own := "", 0
	for name, typ := range FieldTypes() {
		if compareNames(last, name) >= 0 {
			t.Errorf("%s follows %s", name, last)
		}
		if FieldType(name) != typ || typ == "" {
			t.Errorf("%s: %q, %q", name, FieldType(name), typ)
		}
		if strings.HasPrefix(name, "saas.") {
			own++
		}
		last = name
	}
	if own > 120 {
		t.Errorf("%d fields below saas.", own)
	}
	for name, want := range map[string]string{"source.ip": "ip", "@timestamp": "date", "event.severity": "long",
		"saas.auth.mfa": "boolean", "event.risk_score": "float",
		"user.effective.name": "keyword", "saas.share.link.expires": "date", "saas.action.before": "flattened", "no.such": ""} {
		if got := FieldType(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
