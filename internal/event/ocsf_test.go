package event

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// goldenRecords gives the records of the golden documents, read back from them.
func goldenRecords(t *testing.T, each func(name string, w View)) {
	t.Helper()
	files, err := filepath.Glob("../../testdata/*/*.want.json")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d golden files: %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		for d.More() {
			var v any
			if err = d.Decode(&v); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			docs, ok := v.([]any)
			if !ok {
				docs = []any{v}
			}
			for _, doc := range docs {
				each(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), recordOf(t, doc.(map[string]any)))
			}
		}
	}
}

// recordOf makes the record of an ECS document, as one that was read at a time like any other.
func recordOf(t *testing.T, doc map[string]any) View {
	rl := plog.NewResourceLogs()
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetObservedTimestamp(1795465500_000_000_000)
	var walk func(path string, v any)
	walk = func(path string, v any) {
		if m, ok := v.(map[string]any); ok && (FieldType(path) == "" || path == "labels") {
			for name, val := range m {
				if path == "" && (name == "okta" || name == "box") {
					continue
				}
				walk(join(path, name), val)
			}
			return
		}
		switch path {
		case "event.original":
			lr.Body().SetStr(v.(string))
		case "event.hash", "data_stream.type", "data_stream.dataset", "data_stream.namespace":
		case "@timestamp":
			at, ok := ParseTime(v.(string))
			if !ok {
				t.Fatal(v)
			}
			lr.SetTimestamp(1)
			lr.SetTimestamp(pcommonTime(at))
		default:
			raw, _ := json.Marshal(v)
			writeJSON(lr.Attributes().PutEmpty(path), raw, 0)
		}
	}
	walk("", doc)
	return View{Res: rl, Log: lr}
}

func pcommonTime(t time.Time) pcommon.Timestamp { return pcommon.NewTimestampFromTime(t) }

// ownRecords are records as the agent makes them itself, and some that lack what their class needs.
func ownRecords(t *testing.T, each func(name string, w View)) {
	t.Helper()
	f := func(name, dataset string, set func(*Record)) {
		b := NewBatch(Origin{Module: "okta", Tenant: "acme", OrgID: "o1", OrgName: "Acme", Version: "1.0.0", Dataset: dataset,
			Observed: observed})
		r := b.Add(nil, &Values{Raw: []byte(`{"it":"is","raw":"` + name + `"}`)})
		r.Time(observed)
		r.ID(name)
		set(r)
		for w := range Views(b.Take()) {
			each(name, w)
		}
	}
	finding := func(r *Record, status string) {
		r.Str("event.kind", "alert")
		r.Strs("event.category", "file")
		r.Strs("event.type", "info")
		r.Strs("tags", "data")
		r.Int("event.severity", 4)
		r.Str("event.action", "finding")
		r.Str("rule.id", "pci.credit_card")
		r.Str("rule.name", "Credit card")
		r.Str("rule.category", "pci")
		r.Str("rule.version", "3")
		r.Str("rule.ruleset", "dlp")
		r.Str("saas.finding.status", status)
		r.Str("saas.finding.scan", "done")
		r.Int("saas.finding.confidence", 85)
		r.Strs("saas.finding.data_type", "pci.credit_card")
		r.Int("saas.finding.count", 12)
		r.Int("saas.finding.unique_count", 11)
		r.Strs("saas.finding.sample_redacted", "4***********1111", "5***********4444")
		r.Strs("saas.finding.fingerprint", "a1", "b2")
		r.Date("saas.finding.first_seen", observed)
		r.Date("saas.finding.last_seen", observed)
		r.Str("message", "Credit card in card.csv")
		r.Str("user.id", "u1")
		r.Str("source.ip", "203.0.113.24")
	}
	for _, status := range []string{"new", "update", "suppressed", "resolved", "strange"} {
		f("finding "+status, "saas.finding", func(r *Record) {
			finding(r, status)
			r.Str("file.name", "card.csv")
			r.Str("saas.file.id", "4711")
			r.Strs("saas.file.labels", "Confidential", "Kept")
		})
	}
	f("finding in a nameless file, not scanned", "saas.finding", func(r *Record) {
		finding(r, "new")
		r.Str("saas.file.id", "4711")
		r.Str("saas.finding.scan", "encrypted")
		r.Str("event.reason", "the archive has a password")
	})
	f("finding of several kinds", "saas.finding", func(r *Record) {
		finding(r, "new")
		r.Strs("saas.finding.data_type", "pii.us_ssn", "secrets.aws_access_key")
	})
	f("finding of a policy", "saas.finding", func(r *Record) {
		r.Str("event.kind", "alert")
		r.Str("event.action", "finding")
		r.Strs("event.category", "iam")
		r.Strs("event.type", "info")
		r.Str("rule.name", "no-public-links")
		r.Str("rule.category", "activity")
		r.Str("rule.ruleset", "policies")
		r.Str("saas.finding.status", "new")
		r.Strs("related.user", "u1", "ana@contoso.example")
		r.Str("user.target.email", "ana@contoso.example")
		r.Str("saas.app.id", "a1")
		r.Str("saas.grant.scopes", "mail.read")
		r.JSON("threat.tactic.id", []byte(`["TA0006"]`))
		r.JSON("threat.tactic.name", []byte(`["Credential Access"]`))
		r.JSON("threat.technique.id", []byte(`["T1110","T1078"]`))
	})
	act := func(name, verb, mode string, set func(*Record)) {
		f(name, "saas.action", func(r *Record) {
			r.Str("event.kind", "event")
			r.Str("event.action", verb)
			r.Str("saas.activity", "action_result")
			r.Strs("event.type", "change")
			r.Strs("event.category", "iam")
			r.Str("event.outcome", "success")
			r.Date("event.start", observed)
			r.Date("event.end", observed.Add(time.Second))
			r.Int("saas.action.attempts", 2)
			r.Str("saas.action.id", "x1")
			r.Str("saas.action.plan_id", "x1")
			r.Str("saas.action.mode", mode)
			r.Str("saas.action.requested_by", "policy")
			r.Str("saas.action.policy", "no-public-links")
			r.Str("saas.action.finding_id", "f1")
			r.JSON("saas.action.before", []byte(`{"status":"ACTIVE"}`))
			set(r)
		})
	}
	act("suspend a user", "suspend_user", "enforce", func(r *Record) { r.Str("user.target.id", "u1") })
	act("undo", "suspend_user", "undo", func(r *Record) { r.Str("user.target.id", "u1") })
	act("quarantine a file", "quarantine_file", "enforce", func(r *Record) { r.Str("file.name", "card.csv") })
	act("quarantine a nameless file", "quarantine_file", "enforce", func(r *Record) { r.Str("saas.file.id", "4711") })
	act("an own verb", "sing", "enforce", func(r *Record) { r.Str("group.name", "Finance") })
	f("a gap of the agent", "saas.agent", func(r *Record) {
		r.Str("event.kind", "state")
		r.Str("event.action", "gap")
		r.Str("message", "a window was lost")
	})
	f("nothing is known", "okta.system", func(r *Record) {})
	event := func(name, category, typ, activity string, set func(*Record)) {
		f(name, "okta.system", func(r *Record) {
			r.Strs("event.category", category)
			r.Strs("event.type", typ)
			r.Str("event.action", "verb."+name)
			r.Str("saas.activity", activity)
			set(r)
		})
	}
	event("own password", "iam", "user", "password_change", func(r *Record) { r.Str("user.name", "ana") })
	event("own consent", "iam", "user", "app_consent", func(r *Record) { r.Str("user.name", "ana"); r.Str("saas.app.id", "a1") })
	event("role of an application", "iam", "admin", "role_grant", func(r *Record) { r.Str("saas.role.name", "Super"); r.Str("user.id", "u9") })
	event("role of a group", "iam", "admin", "role_grant", func(r *Record) { r.Str("saas.role.name", "Super"); r.Str("group.id", "g1") })
	event("key", "iam", "admin", "token_create", func(r *Record) {
		r.Str("saas.credential.id", "9f3a")
		r.Str("saas.credential.type", "api_token")
		r.Str("user.target.id", "u1")
	})
	event("nobody's group", "iam", "group", "group_create", func(r *Record) {
		r.Str("saas.object.type", "Policy")
		r.Str("saas.object.name", "p")
	})
	event("a nameless file", "file", "access", "file_download", func(r *Record) { r.Str("saas.file.id", "4711") })
	event("impersonation", "session", "start", "impersonation_start", func(r *Record) {
		r.Str("user.id", "support")
		r.Str("user.target.name", "ana")
		r.Str("user.target.domain", "contoso.example")
		r.Str("destination.ip", "2001:db8::1")
		r.Int("destination.port", 443)
	})
	event("all of a caller", "configuration", "change", "setting_change", func(r *Record) {
		r.Str("source.address", "cloudtrail.amazonaws.com")
		r.Str("source.mac", "00:1B:44:11:3A:B7")
		r.Str("source.geo.country_iso_code", "FR")
		r.JSON("source.geo.location", []byte(`{"lat":45.75,"lon":4}`))
		r.Str("device.id", "d1")
		r.Str("host.os.name", "iPadOS 18")
		r.Str("http.request.method", "POST")
		r.Int("http.response.status_code", 403)
		r.Str("url.full", "https://contoso.example/a?b=c")
		r.Str("error.code", "E0001")
		r.Str("error.message", "no")
		r.Str("event.code", "7")
		r.Str("event.severity", "9")
		r.Float("event.risk_score", 77.5)
		r.Str("event.sequence", "9007199254740993")
		r.Str("labels.site", "Lyon")
		r.Str("cloud.region", "eu-west-1")
		r.Str("cloud.account.id", "1234")
		r.Str("user.email", "not an address")
		r.Str("user.roles", "admin")
	})
}

// allRecords are the golden ones and the agent's own.
func allRecords(t *testing.T, each func(name string, w View)) {
	t.Helper()
	goldenRecords(t, each)
	ownRecords(t, each)
}

func TestOCSFObeysTheSchemaInEveryClass(t *testing.T) {
	s := schema(t)
	classes, reached := map[string]int{}, map[string]bool{}
	allRecords(t, func(name string, w View) {
		for _, e := range []Encoding{{}, {Ingested: observed}, {NoOriginal: true, NoVendor: true}} {
			doc := AppendOCSF(nil, w, e)
			for _, p := range s.check(doc) {
				t.Errorf("%s: %s in %s", name, p, doc)
			}
		}
		k := planOf(w)
		reached[k.class.key] = true
		classes[strconv.Itoa(k.class.uid)+" "+k.class.caption]++
	})
	for _, key := range slices.Sorted(maps.Keys(classes)) {
		t.Logf("%3d records of %s", classes[key], key)
	}
	for key := range readBook().plans {
		if !reached[key] {
			t.Errorf("no record is of class %s", key)
		}
	}
}

// planOf is how a record is written.
func planOf(w View) *plan {
	c := newOCSFEncoder()
	c.collect(w.Log.Attributes())
	c.collect(w.Res.Resource().Attributes())
	return c.choose(readBook())
}

func TestOCSFLosesNoField(t *testing.T) {
	told := []string{"event.kind", "event.category", "event.type", "ecs.version"} // by the class and the activity
	allRecords(t, func(name string, w View) {
		var doc any
		out := AppendOCSF(nil, w, Encoding{})
		if err := json.Unmarshal(out, &doc); err != nil {
			t.Fatalf("%s: %v in %s", name, err, out)
		}
		texts := map[string]bool{}
		var walk func(v any)
		walk = func(v any) {
			switch v := v.(type) {
			case map[string]any:
				for _, e := range v {
					walk(e)
				}
			case []any:
				for _, e := range v {
					walk(e)
				}
			case float64:
				texts[strconv.FormatFloat(v, 'f', -1, 64)] = true
			case string:
				texts[v] = true
				for part := range strings.SplitSeq(v, ", ") { // a list as one text
					texts[part] = true
				}
			default:
				texts[fmt.Sprint(v)] = true
			}
		}
		walk(doc)
		var value func(field string, v pcommon.Value)
		value = func(field string, v pcommon.Value) {
			switch v.Type() {
			case pcommon.ValueTypeSlice:
				for _, e := range v.Slice().All() {
					value(field, e)
				}
			case pcommon.ValueTypeMap:
				for _, e := range v.Map().All() {
					value(field, e)
				}
			default:
				if text := v.AsString(); !texts[text] && !texts[inOCSF(field, text, planOf(w))] {
					t.Errorf("%s: %s %q is not in %s", name, field, text, out)
				}
			}
		}
		for _, m := range []pcommon.Map{w.Log.Attributes(), w.Res.Resource().Attributes()} {
			for field, v := range m.All() {
				if !slices.Contains(told, field) {
					value(field, v)
				}
			}
		}
	})
}

// inOCSF is how a text may stand there: a time in milliseconds, a word's caption.
func inOCSF(field, text string, p *plan) string {
	id := fieldID(field)
	if id < 0 {
		return text
	}
	if at, ok := ParseTime(text); ok && fieldTable[id].kind == dateKind {
		return strconv.FormatInt(at.UnixMilli(), 10)
	}
	for _, target := range fieldTable[id].targets() {
		if n, err := strconv.Atoi(text); target.conv == convSeverity && err == nil && n < 5 {
			if p.class.uid/1000 == 2 {
				n++
			}
			return severities[n]
		}
		if target.isFor(p.class) && target.conv >= convFactors {
			return enum(target.conv, text).text
		}
	}
	return text
}

func TestOCSFHasTheRawObjectByteForByte(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		w := foreign(map[string]any{"event.id": "1"}, body)
		var doc struct {
			Raw  string `json:"raw_data"`
			Size int    `json:"raw_data_size"`
			Hash struct {
				ID    int `json:"algorithm_id"`
				Value string
			} `json:"raw_data_hash"`
		}
		if err := json.Unmarshal(AppendOCSF(nil, w, Encoding{}), &doc); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(want))
		if doc.Raw != want || doc.Size != len(body) || doc.Hash.ID != 3 || doc.Hash.Value != hex.EncodeToString(sum[:]) {
			t.Errorf("%q: got %+v", body, doc)
		}
	}
	f(`{ "a" : "b\n\u00e9" }`, `{ "a" : "b\n\u00e9" }`)
	f("no JSON \x00\x1f\"\\ \u2028", "no JSON \x00\x1f\"\\ \u2028")
	f("broken \xff", "broken \ufffd")
	out := AppendOCSF(nil, foreign(map[string]any{"event.id": "1"}, `{"a":1}`), Encoding{NoOriginal: true})
	if bytes.Contains(out, []byte(`"raw_data":`)) || !bytes.Contains(out, []byte(`"raw_data_hash":{`)) {
		t.Errorf("without the original: %s", out)
	}
}

func TestOCSFReadsNoClockWhenToldSo(t *testing.T) {
	w := foreign(map[string]any{"event.id": "1"}, "x")
	w.Log.SetObservedTimestamp(pcommonTime(observed))
	out := AppendOCSF(nil, w, Encoding{NoClock: true, Ingested: observed})
	for _, name := range []string{"logged_time", "processed_time", `"time"`} {
		if bytes.Contains(out, []byte(name)) {
			t.Errorf("%s in %s", name, out)
		}
	}
}

// foreign is a record that somebody else made.
func foreign(attrs map[string]any, body string) View {
	rl := plog.NewResourceLogs()
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	if err := lr.Attributes().FromRaw(attrs); err != nil {
		panic(err)
	}
	lr.Body().SetStr(body)
	return View{Res: rl, Log: lr}
}

func TestOCSFOfForeignRecordsObeysTheSchema(t *testing.T) {
	s := schema(t)
	f := func(attrs map[string]any, has string) {
		t.Helper()
		w := foreign(attrs, "plain text")
		w.Log.SetObservedTimestamp(pcommonTime(observed))
		out := AppendOCSF(nil, w, Encoding{})
		for _, p := range s.check(out) {
			t.Errorf("%s in %s", p, out)
		}
		if !bytes.Contains(out, []byte(has)) {
			t.Errorf("no %s in %s", has, out)
		}
	}
	f(nil, `"class_uid":0`)
	f(map[string]any{"user.id": 7, "event.category": "authentication", "event.type": "start"}, `"user":{"uid":"7"}`)
	f(map[string]any{"user.id": []any{"a", "b"}, "event.category": []any{"authentication"}}, `"user.id":["a","b"]`)
	f(map[string]any{"user.id": map[string]any{"a": 1}}, `"user.id":{"a":1}`)
	f(map[string]any{"source.ip": "nowhere", "event.action": "x"}, `"source.ip":"nowhere"`)
	f(map[string]any{"source.port": 70000, "source.ip": "::1", "event.action": "x"}, `"source.port":70000`)
	f(map[string]any{"event.risk_score": math.NaN(), "event.kind": "alert", "event.id": "1"}, `"event.risk_score":null`)
	f(map[string]any{"event.created": "yesterday"}, `"event.created":"yesterday"`)
	f(map[string]any{"event.severity": 0}, `"severity":"0","severity_id":99`)
	f(map[string]any{"related.ip": []any{}, "related.user": "one"}, `"observables":[{"type":"User Name","type_id":4,"value":"one"}]`)
	f(map[string]any{"my.own": "é\xff", "": true}, "\"my.own\":\"é\ufffd\"")
	f(map[string]any{"event.kind": "asset", "entity.type": "user"}, `"class_uid":0`)
	f(map[string]any{"event.action": "x", "http.request.method": "STEAL"}, `"http.request.method":"STEAL"`)
}

func TestCheckOfOCSFFindsWhatIsWrong(t *testing.T) {
	s := schema(t)
	var good []byte
	goldenRecords(t, func(name string, w View) {
		if name == "okta/system_log.logon.whole.want.json" && good == nil {
			good = AppendOCSF(nil, w, Encoding{})
		}
	})
	if p := s.check(good); good == nil || len(p) > 0 {
		t.Fatalf("%v in %s", p, good)
	}
	f := func(path string, v any, want string) {
		t.Helper()
		var doc map[string]any
		if err := json.Unmarshal(good, &doc); err != nil {
			t.Fatal(err)
		}
		steps, at := strings.Split(path, "."), doc
		for _, step := range steps[:len(steps)-1] {
			at = at[step].(map[string]any)
		}
		if last := steps[len(steps)-1]; v == nil {
			delete(at, last)
		} else {
			at[last] = v
		}
		out, _ := json.Marshal(doc)
		if p := s.check(out); !slices.ContainsFunc(p, func(p string) bool { return strings.HasPrefix(p, want) }) {
			t.Errorf("%s = %v: %q, want %q", path, v, p, want)
		}
	}
	f("class_uid", 9999, "there is no class")
	f("class_name", "Logon", "class_name: Logon of category")
	f("type_uid", 300202, "type_uid: ")
	f("type_name", "Authentication: Logoff", "type_name: ")
	f("activity_id", 42, "activity_id: 42 is not one of the values")
	f("activity_name", "Logoff", "activity_name: Logoff, the caption of 1 is Logon")
	f("user", nil, "user: required and absent")
	f("severity_id", nil, "severity_id: required and absent")
	f("time", nil, "time: required and absent")
	f("time", "2026-11-23T20:01:13Z", "time: string, want a number")
	f("time", 1.5, "time: 1.5 is no whole number")
	f("service", nil, "event: none of [service dst_endpoint]")
	f("user.uid", 7, "user.uid: json.Number, want a string")
	f("user.nickname", "x", "user.nickname: no attribute of user")
	f("user.email_addr", "nobody", `user.email_addr: "nobody" is no email_t`)
	f("user", map[string]any{"domain": "x"}, "user: none of [account name uid]")
	f("nickname", "x", "nickname: no attribute of authentication")
	f("file", map[string]any{"name": "x", "type_id": 1}, "file: no attribute of authentication")
	f("is_mfa", "true", "is_mfa: string, want a boolean")
	f("src_endpoint.ip", "300.1.1.1", `src_endpoint.ip: "300.1.1.1" is no address`)
	f("src_endpoint.port", 70000, "src_endpoint.port: 70000 is out of range")
	f("http_request.http_method", "STEAL", `http_request.http_method: "STEAL" is not one of the values`)
	f("src_endpoint.os.type_id", 5, "src_endpoint.os.type_id: 5 is not one of the values")
	f("src_endpoint.os.name", nil, "src_endpoint.os.name: required and absent")
	f("status_id", 2, "status: Success, the caption of 2 is Failure")
	f("metadata.profiles", []any{}, "cloud: is of the profile cloud")
	f("metadata.profiles", []any{"cloud", "osint"}, "osint: required and absent")
	f("metadata.version", "1.0.0", "metadata.version: ")
	f("metadata.product", map[string]any{}, "metadata.product: none of")
	f("observables", map[string]any{}, "observables: a list: false")
	f("observables", []any{map[string]any{"type_id": 3000, "value": "x"}}, "observables[0].type_id: no kind of observable")
	f("auth_protocol_id", 99, "auth_protocol_id: 99 without auth_protocol")
}

func TestEveryPlaceInOCSFIsInTheSchema(t *testing.T) {
	s := schema(t)
	b := readBook()
	if s.version != OCSFVersion {
		t.Fatalf("the schema is %s", s.version)
	}
	used := map[string]bool{}
	for _, p := range b.plans {
		class := s.classes[p.class.uid]
		if class == nil || class.Caption != p.class.caption {
			t.Fatalf("class %s is %+v", p.class.key, class)
		}
		for _, a := range p.class.acts {
			if got := class.attrs["activity_id"].Enum[strconv.Itoa(a.id)].Caption; got != a.name {
				t.Errorf("%s: activity %d is %s, not %s", p.class.key, a.id, got, a.name)
			}
		}
		for _, l := range p.leaves {
			if why := s.misplaced(class, l); why != "" {
				t.Errorf("%s: %s %s", p.class.key, l.path, why)
			}
			for _, id := range l.from {
				used[fieldTable[id].name+" "+l.path] = true
			}
		}
	}
	for i := range fieldTable {
		for _, target := range fieldTable[i].targets() {
			special := target.path == "unmapped" || target.path == "activity_name" || slices.Contains(computed, target.path)
			if !special && !used[fieldTable[i].name+" "+target.path] {
				t.Errorf("%s: no class has %s", fieldTable[i].name, target)
			}
		}
	}
}

// misplaced says why a leaf is not as the schema has it.
func (s *ocsfSchema) misplaced(class *ocsfThing, l leaf) string {
	thing, has := class, l.profile|cloudProfile
	steps := strings.Split(l.path, ".")
	for i, step := range steps {
		name, _, elem := strings.Cut(step, "[")
		a, ok := thing.attrs[name]
		if !ok {
			return "is no attribute: " + step
		}
		if at := slices.Index(profileNames[:], a.profile); a.profile != "" && (at < 0 || has&(1<<at) == 0) {
			return "is of the profile " + a.profile
		}
		if i < len(steps)-1 {
			if isArray := a.IsArray != nil && *a.IsArray; isArray != elem {
				return fmt.Sprint("has a list in it: ", isArray)
			}
			if thing = s.objects[cmp.Or(a.ObjectType, a.Type)]; thing == nil {
				return "is below no object: " + step
			}
		} else if l.calc != calcText && l.calc != calcHash && l.calc != calcProfiles && l.calc != calcObservables && l.calc != calcUnmapped {
			return s.mistyped(thing, a, name, l.conv)
		}
	}
	return ""
}

func (s *ocsfSchema) mistyped(thing *ocsfThing, a ocsfAttr, name string, cv conv) string {
	base := cmp.Or(s.types[a.Type].Type, a.Type)
	isList := a.IsArray != nil && *a.IsArray
	want := "string_t"
	switch cv {
	case convInt, convPort:
		want = "integer_t"
	case convBool, convPublic:
		want = "boolean_t"
	case convLat, convLon:
		want = "float_t"
	case convTime:
		want = "long_t"
	case convFactors, convFound, convLabels:
		want = a.Type
	}
	if base == "long_t" && want == "integer_t" || name == "time" || strings.HasSuffix(name, "_time") && name != "original_time" ||
		name == "raw_data_size" {
		base = want
	}
	if base != want || isList != (cv >= convList && cv < convEnum) {
		return fmt.Sprintf("is a %s (list: %v)", a.Type, isList)
	}
	if cv > convEnum {
		numbers := thing.attrs[name+"_id"]
		for word, c := range enums[cv] {
			if got := numbers.Enum[strconv.Itoa(c.id)].Caption; got != c.text {
				return fmt.Sprintf("%s: %d is %q", word, c.id, got)
			}
		}
		if numbers.Enum["99"].Caption == "" {
			return "has no 99"
		}
	}
	return ""
}
