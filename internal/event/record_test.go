package event

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

var observed = time.Date(2026, 11, 23, 20, 15, 0, 0, time.UTC)

func testBatch() *Batch {
	return NewBatch(Origin{Module: "test", Tenant: "acme", OrgID: "o1", OrgName: "Acme", Version: "1.2.3", Dataset: "test.log",
		Observed: observed})
}

// one makes a single record and reads it back.
func one(t *testing.T, body string, set func(r *Record)) View {
	t.Helper()
	b := testBatch()
	set(b.Add(nil, &Values{Raw: json.RawMessage(body)}))
	for w := range Views(b.Take()) {
		return w
	}
	t.Fatal("no record")
	return View{}
}

// attrs are the attributes of a record as JSON, keys sorted.
func attrs(w View) string {
	out, _ := json.Marshal(w.Log.Attributes().AsRaw())
	return string(out)
}

func TestUnknownValuesAreAbsent(t *testing.T) {
	w := one(t, `{}`, func(r *Record) {
		for i, val := range []string{"", "null", "NULL", "-", "unknown", "Unknown", "N/A", "n/a"} {
			r.Str(fmt.Sprint("labels.x", i), val)
			r.Str("user.name", val)
			r.Strs("user.roles", val)
			r.Str("source.ip", val)
			r.Relate("owns", "file", val)
		}
		r.Date("event.start", time.Time{})
		r.Str("event.end", "0001-01-01T00:00:00Z")
		r.Time(time.Time{})
		r.Strs("tags")
		r.ID("")
		r.JSON("labels.j", json.RawMessage("null"))
	})
	if got := attrs(w); got != `{}` {
		t.Error(got)
	}
	if w.Log.Timestamp() != 0 {
		t.Error(w.Log.Timestamp())
	}
	if got := attrs(one(t, `{}`, func(r *Record) { r.Str("event.outcome", "UNKNOWN") })); got != `{"event.outcome":"unknown"}` {
		t.Error("an unknown outcome is an outcome:", got)
	}
}

func TestValuesTakeTheTypeOfTheirName(t *testing.T) {
	f := func(set func(r *Record), want string) {
		t.Helper()
		if got := attrs(one(t, `{}`, set)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	str := func(name, val, want string) {
		t.Helper()
		f(func(r *Record) { r.Str(name, val) }, want)
	}
	str("source.port", "7018", `{"source.port":7018}`)
	str("source.port", "many", `{}`)
	str("event.sequence", "9007199254740993", `{"event.sequence":"9007199254740993"}`)
	str("event.sequence", "99999999999999999999", `{"event.sequence":"99999999999999999999"}`)
	str("saas.auth.mfa", "true", `{"saas.auth.mfa":true}`)
	str("saas.auth.mfa", "False", `{"saas.auth.mfa":false}`)
	str("saas.auth.mfa", "perhaps", `{}`)
	str("event.risk_score", "7.5", `{"event.risk_score":7.5}`)
	str("event.risk_score", "NaN", `{}`)
	str("event.start", "2026-11-23 21:14:03.5+01:00", `{"event.start":"2026-11-23T20:14:03.500Z"}`)
	str("event.start", "2026-11-23T20:14:03.417Z", `{"event.start":"2026-11-23T20:14:03.417Z"}`)
	str("event.start", "soon", `{}`)
	str("user.roles", "admin", `{"user.roles":["admin"]}`)
	str("event.outcome", "SUCCESS", `{"event.outcome":"success"}`)
	str("event.outcome", "ok", `{}`)
	str("saas.action.before", "text", `{}`)
	str("user.name", "a\xffb", `{"related.user":["a�b"],"user.name":"a�b"}`)
	f(func(r *Record) { r.Int("event.sequence", 1<<53+1) }, `{"event.sequence":"9007199254740993"}`)
	f(func(r *Record) { r.Int("event.sequence", -1<<53) }, `{"event.sequence":-9007199254740992}`)
	f(func(r *Record) { r.Int("event.code", 50126) }, `{"event.code":"50126"}`)
	f(func(r *Record) { r.Bool("event.code", true) }, `{"event.code":"true"}`)
	f(func(r *Record) { r.Float("event.risk_score", 1.5); r.Float("event.code", 2.5) }, `{"event.code":"2.5","event.risk_score":1.5}`)
	f(func(r *Record) { r.Str("user.name", "a"); r.Str("user.name", "b") }, `{"related.user":["b"],"user.name":"b"}`)
	f(func(r *Record) { r.Strs("tags", "b", "a", "b"); r.Strs("tags", "a", "c") }, `{"tags":["b","a","c"]}`)
	f(func(r *Record) { r.Strs("saas.change.old", "", "x", "x"); r.Strs("saas.change.new", "y", "", "z") },
		`{"saas.change.new":["y","","z"],"saas.change.old":["","x","x"]}`)
	f(func(r *Record) { r.Strs("tags", make([]string, 10)...) }, `{}`)
	f(func(r *Record) {
		for i := range 2000 {
			r.Strs("tags", fmt.Sprint(i))
		}
		if n := len(r.s.at(fieldID("tags")).list); n != maxList {
			t.Errorf("a list of %d", n)
		}
		r.s.at(fieldID("tags")).list = []string{"cut"}
	}, `{"tags":["cut"]}`)
}

func TestAddressFieldsHoldAddressesOnly(t *testing.T) {
	f := func(val, want string) {
		t.Helper()
		if got := attrs(one(t, `{}`, func(r *Record) { r.Str("source.ip", val) })); got != want {
			t.Errorf("%s: got %s, want %s", val, got, want)
		}
	}
	f("203.0.113.9", `{"related.ip":["203.0.113.9"],"source.ip":"203.0.113.9"}`)
	f("203.0.113.9:443", `{"related.ip":["203.0.113.9"],"source.ip":"203.0.113.9","source.port":443}`)
	f("[2001:db8::1]:8443", `{"related.ip":["2001:db8::1"],"source.ip":"2001:db8::1","source.port":8443}`)
	f("[2001:db8::1]", `{"related.ip":["2001:db8::1"],"source.ip":"2001:db8::1"}`)
	f("2001:db8::1", `{"related.ip":["2001:db8::1"],"source.ip":"2001:db8::1"}`)
	f("fe80::1%eth0", `{"related.ip":["fe80::1"],"source.ip":"fe80::1"}`)
	f("::ffff:192.0.2.7", `{"related.ip":["192.0.2.7"],"source.ip":"192.0.2.7"}`)
	f(" 192.0.2.7 ", `{"related.ip":["192.0.2.7"],"source.ip":"192.0.2.7"}`)
	f("cloudtrail.amazonaws.com", `{"related.hosts":["cloudtrail.amazonaws.com"],"source.address":"cloudtrail.amazonaws.com"}`)
	f("host:443", `{"related.hosts":["host:443"],"source.address":"host:443"}`)
	f("192.0.2.7:http", `{"related.hosts":["192.0.2.7:http"],"source.address":"192.0.2.7:http"}`)
	f("[::1", `{"related.hosts":["[::1"],"source.address":"[::1"}`)
	f("999.1.1.1", `{"related.hosts":["999.1.1.1"],"source.address":"999.1.1.1"}`)
	w := one(t, `{}`, func(r *Record) {
		r.Strs("related.ip", "198.51.100.1:80", "no address")
		r.Int("source.port", 1)
		r.Str("source.ip", "198.51.100.1:80")
	})
	if got := attrs(w); got != `{"related.ip":["198.51.100.1"],"source.ip":"198.51.100.1","source.port":1}` {
		t.Error(got)
	}
}

func TestRelatedHoldsEveryIdentifierOnce(t *testing.T) {
	w := one(t, `{}`, func(r *Record) {
		r.Str("user.id", "u1")
		r.Str("user.name", "ana@x")
		r.Str("user.email", "ana@x")
		r.Str("user.full_name", "Ana Roy")
		r.Str("user.target.id", "u2")
		r.Str("user.effective.name", "root")
		r.Str("client.user.email", "c@x")
		r.Strs("saas.share.recipients", "r1@x", "ana@x")
		r.Str("source.ip", "192.0.2.1")
		r.Str("client.ip", "192.0.2.1")
		r.Str("source.address", "192.0.2.9")
		r.Str("host.name", "pc")
		r.Str("source.domain", "example.net")
		r.Str("file.hash.sha256", "abc")
		r.Strs("related.user", "given")
	})
	f := func(name, want string) {
		t.Helper()
		if got := strings.Join(w.Strs(name), " "); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	f("related.user", "given u1 ana@x u2 root c@x r1@x")
	f("related.ip", "192.0.2.1 192.0.2.9")
	f("related.hosts", "pc example.net")
	f("related.hash", "abc")
}

func TestDeepValuesAreKeptAsText(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	got := attrs(one(t, `{}`, func(r *Record) { r.JSON("labels.deep", json.RawMessage(deep)) }))
	if n := strings.Count(got, "{") - strings.Count(got, `{\"`); n != maxNested+1 || !json.Valid([]byte(got)) {
		t.Errorf("%d levels: %s", n, got)
	}
}

func TestTablePutsValuesInPlace(t *testing.T) {
	l := Compile(Table{{"id", ""}, {"when", "@timestamp"}, {"who.mail", "user.email user.name"}, {"ip", "source.ip"}, {"n",
		"source.as.number"},
		{"roles", "user.roles"}, {"extra", "labels.extra"}, {"flag", "saas.auth.mfa"}, {"set", "event.dataset"}, {"obj", "user.domain"},
		{"before", "saas.action.before"}, {"list[1].id", "user.target.id"}, {"num", "event.code"}, {"float", "labels.float"}})
	body := `{"ID":"x","when":"2026-11-23T20:14:03Z","who":{"mail":"a\u0040b"},"ip":"192.0.2.1:99","n":"701","roles":["r1",2,null,"r1"],
		"extra":{"k":[1,2.5,null,"s",
		{"big":9007199254740993,"nil":null}]},"flag":"true","set":"test.other","obj":{"x":1},
		"before":{"a":1},"list":[{"id":"i0"},{"id":"i1"}],"num":0,"float":1.5e3}`
	var v Values
	if err := l.Fill([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	b := testBatch()
	b.Add(l, &v)
	b.Add(l, &Values{Raw: json.RawMessage(body)}) // not filled by this layout
	n := 0
	for w := range Views(b.Take()) {
		n++
		want := `{"event.code":"0","labels.extra":{"k":[1,2.5,null,"s",{"big":"9007199254740993"}]},"labels.float":1500,` +
			`"related.ip":["192.0.2.1"],` +
			`"related.user":["a@b","i1"],"saas.action.before":{"a":1},"saas.auth.mfa":true,"source.as.number":701,` +
			`"source.ip":"192.0.2.1","source.port":99,` +
			`"user.email":"a@b","user.name":"a@b","user.roles":["r1","2"],"user.target.id":"i1"}`
		if got := attrs(w); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if w.Log.Timestamp().AsTime() != time.Date(2026, 11, 23, 20, 14, 3, 0, time.UTC) || w.Str("event.dataset") != "test.other" {
			t.Error(w.Log.Timestamp().AsTime(), w.Str("event.dataset"))
		}
		if w.Raw() != body {
			t.Errorf("the body is %s", w.Raw())
		}
	}
	if n != 2 {
		t.Errorf("%d records", n)
	}
}

func TestRecordsOfOneObjectCanBeChangedTogether(t *testing.T) {
	b := testBatch()
	v := Values{Raw: json.RawMessage(`{"many":true}`)}
	first := b.Add(nil, &v)
	second := b.Add(nil, &v)
	second.ID("k#1")
	if first.HasID() || !second.HasID() {
		t.Error("HasID")
	}
	first.ID("k")
	first.Str("entity.name", "n")
	if first.Get("event.id") != "k" || first.Get("entity.name") != "n" || first.Get("user.name") != "" || !first.NoTime() {
		t.Error(first.Get("event.id"), first.Get("entity.name"))
	}
	first.Time(observed)
	if first.NoTime() {
		t.Error("the time is not set")
	}
	other := b.Add(nil, &Values{Raw: json.RawMessage(`{"other":true}`)})
	first.ID("too late")
	first.Strs("tags", "x")
	first.Relate("a", "b", "c")
	first.Entity("user", "u")
	first.Bool("saas.auth.mfa", true)
	first.Float("event.risk_score", 1)
	first.Date("event.start", observed)
	first.Int("event.sequence", 1)
	first.JSON("labels.x", json.RawMessage(`1`))
	other.ID("o")
	var ids []string
	for w := range Views(b.Take()) {
		ids = append(ids, w.Str("event.id"))
	}
	if got := strings.Join(ids, " "); got != "k k#1 o" {
		t.Error(got)
	}
	if first.Get("event.id") != "" {
		t.Error("a finished record still answers")
	}
}

func TestEntities(t *testing.T) {
	w := one(t, `{"id":"u1"}`, func(r *Record) {
		r.Entity("user", "u1")
		r.Str("entity.display_name", "Ana")
		r.Bool("saas.entity.mfa_enrolled", true)
		for i := range 600 {
			r.Relate("member_of", "group", fmt.Sprint("g", i))
		}
	})
	if w.Log.EventName() != "entity.state" || w.Str("event.kind") != "asset" || w.Str("user.entity.id") != "u1" ||
		w.Str("user.entity.display_name") != "Ana" ||
		w.Str("user.entity.attributes.mfa_enabled") != "true" {
		t.Error(w.Log.EventName(), attrs(w)[:300])
	}
	rel, _ := w.Get("entity.relationships")
	list := rel.([]any)
	if first, _ := json.Marshal(list[0]); len(list) != 500 || string(first) != `{"target":{"id":"g0","type":"group"},"type":"member_of"}` {
		t.Errorf("%d relationships, the first is %s", len(list), first)
	}
	b := testBatch()
	r := b.Add(nil, &Values{Raw: json.RawMessage(`{}`)})
	r.Entity("file", "f1")
	r.Delete()
	if !r.Deleted() {
		t.Error("Deleted is false")
	}
	for w := range Views(b.Take()) {
		if w.Log.EventName() != "entity.delete" || w.Str("event.type") != "deletion" || w.Str("user.entity.id") != "" {
			t.Error(w.Log.EventName(), attrs(w))
		}
	}
}

func TestGetReadsWhatWasSet(t *testing.T) {
	one(t, `{}`, func(r *Record) {
		r.Int("source.port", 7)
		r.Float("event.risk_score", 1.5)
		r.Bool("saas.auth.mfa", true)
		r.Strs("tags", "a", "b")
		r.Str("labels.x", "y")
		r.JSON("labels.o", json.RawMessage(` {"a":1} `))
		r.JSON("labels.s", json.RawMessage(`"s\u0041"`))
		r.JSON("labels.n", json.RawMessage(`2.50`))
		r.JSON("labels.b", json.RawMessage(`false`))
		r.JSON("labels.big", json.RawMessage(`123456789012345678901`))
		r.JSON("labels.bad", json.RawMessage(`{"a"`))
		r.JSON("tags", json.RawMessage(`["c"]`))
		for name, want := range map[string]string{"source.port": "7", "event.risk_score": "1.5", "saas.auth.mfa": "true", "tags": "a",
			"labels.x": "y",
			"labels.o": `{"a":1}`, "labels.s": "sA", "labels.n": "2.5", "labels.b": "false", "labels.big": "123456789012345678901",
			"labels.bad":  "",
			"labels.none": "", "user.name": ""} {
			if got := r.Get(name); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
	})
}
