package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/event"
)

// sample are records of several kinds; event.id names each.
func sample() plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("event.module", "sample")
	rl.Resource().Attributes().PutStr("saas.tenant", "acme")
	sl := rl.ScopeLogs().AppendEmpty()
	add := func(id string, at time.Time, body string, fields ...string) plog.LogRecord {
		lr := sl.LogRecords().AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(at))
		lr.Body().SetStr(body)
		lr.Attributes().PutStr("event.id", id)
		for i := 0; i < len(fields); i += 2 {
			lr.Attributes().PutStr(fields[i], fields[i+1])
		}
		return lr
	}
	login := add("login", day,
		`{"target":[{"type":"AppInstance","displayName":"Mail"},{"type":"User","displayName":"Bo"}],"n":7,"on":true,"a.b":"dot"}`,
		"event.dataset", "okta.system", "event.kind", "event", "event.action", "user.session.start", "event.outcome", "failure",
		"user.name", "Ana@acme.example", "user.email", "ana@acme.example", "user.full_name", "Ana Röy",
		"source.ip", "10.1.2.3", "message", "User login to Okta")
	login.Attributes().PutInt("source.port", 443)
	login.Attributes().PutEmptySlice("event.category").AppendEmpty().SetStr("authentication")
	users := login.Attributes().PutEmptySlice("related.user")
	users.AppendEmpty().SetStr("ana@acme.example")
	users.AppendEmpty().SetStr("00u1")
	add("logout", day.Add(time.Hour), `{}`, "event.dataset", "okta.system", "event.kind", "event", "event.action", "user.session.end",
		"event.outcome", "success", "user.name", "100%_\\*\"()' OR 1=1 --", "source.ip", "2001:db8::1")
	add("finding", day.Add(25*time.Hour), ``, "event.dataset", "saas.finding", "event.kind", "alert", "rule.name", "card numbers",
		"file.name", "plan of Paris.docx", "user.id", "7")
	add("action", day.Add(26*time.Hour), ``, "event.dataset", "saas.action", "event.kind", "event", "event.action", "clear_sessions",
		"event.outcome", "success", "saas.action.mode", "dry_run", "event.start", "2026-11-21T12:00:00.5Z")
	return logs
}

func sampled(t testing.TB) *Reader {
	t.Helper()
	event.RegisterVendor(event.Vendor{Module: "sample", Root: "okta", Snake: true})
	path := filepath.Join(t.TempDir(), "longshore.db")
	write(t, opened(t, path), sample())
	return reading(t, path)
}

func reading(t testing.TB, path string) *Reader {
	t.Helper()
	r, err := OpenReader(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func compiled(t testing.TB, expression string) *Filter {
	t.Helper()
	f, err := Compile(expression, day.Add(26*time.Hour+30*time.Minute))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return f
}

func TestExpressionsFindTheirRecords(t *testing.T) {
	r := sampled(t)
	names := map[string]string{}
	for w := range event.Views(sample()) {
		names[w.DocID()] = w.Str("event.id")
	}
	f := func(expression string, want ...string) {
		t.Helper()
		got := []string{}
		for d, err := range r.Documents(t.Context(), Search{Filter: compiled(t, expression)}) {
			if err != nil {
				t.Fatalf("%s: %v", expression, err)
			}
			got = append(got, names[d.ID])
		}
		if !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%s: got %v, want %v", expression, got, want)
		}
	}
	all := []string{"action", "finding", "logout", "login"}
	f("", all...)
	f(" * ", all...)
	// Columns.
	f("event.outcome:failure", "login")
	f("event.kind:alert", "finding")
	f("event.dataset:saas.action", "action")
	f("data_stream.dataset:saas.action", "action")
	f("EVENT.Outcome:failure", "login")
	f("event.outcome:FAILURE", "login")
	f("event.outcome: failure", "login")
	f("NOT event.outcome:failure", "action", "finding", "logout")
	f("not event.outcome:*", "finding")
	f("event.outcome:* AND event.kind:event", "action", "logout", "login")
	f("event.dataset:saas.*", "action", "finding")
	f("event.action:user.*.END", "logout")
	f(`event.action:"user.*"`)
	f("event.dataset:okta.system event.outcome:success", "logout")
	f("event.dataset:saas.finding OR event.dataset:saas.action AND event.kind:alert", "finding")
	f("(event.dataset:saas.finding OR event.dataset:saas.action) AND event.kind:event", "action")
	f("event.dataset:(saas.finding OR saas.action)", "action", "finding")
	f("event.dataset:(saas.* AND NOT *.action)", "finding")
	f("event.action:>=user", "logout", "login")
	f("event.action:<user", "action")
	f("event.action:[c TO d]", "action")
	f("saas.tenant:acme event.module:sample", all...)
	// Times.
	f("@timestamp:2026-11-20", "logout", "login")
	f("@timestamp:>2026-11-20", "action", "finding")
	f("@timestamp:<=2026-11-20", "logout", "login")
	f("@timestamp:2026-11", all...)
	f("@timestamp:2026-11-20T10:00", "login")
	f("@timestamp:2026-11-20T10:00:00.000Z", "login")
	f("@timestamp:[2026-11-20T10:30 TO 2026-11-21T11:00]", "finding", "logout")
	f("@timestamp:[* TO 2026-11-20T10:30]", "login")
	f(`@timestamp:["2026-11-21 12:00" TO *]`, "action")
	f("@timestamp:>=now-1h", "action")
	f("@timestamp:>=now-2d", all...)
	f("@timestamp:*", all...)
	f("@timestamp:2026-11-20T12:00:00+02:00", "login")
	f("event.start:2026-11-21", "action")
	f("event.start:>2026-11-21")
	f("event.start:>2026-11-21T12:00:00Z") // the second that it lies in is not after itself
	f("event.start:*", "action")
	// Fields of the document.
	f("event.category:authentication", "login")
	f("related.user:00u1", "login")
	f("NOT related.user:00u1", "action", "finding", "logout")
	f("user.name:ana@acme.example", "login")
	f("user.email:ANA@acme.example", "login")
	f("user.email:ana@acme")
	f(`user.full_name:"Ana Röy"`, "login")
	f("user.full_name:*röy", "login")
	f("user.id:7", "finding")
	f("source.port:>=443", "login")
	f("source.port:>443")
	f("source.port:[80 TO 1000]", "login")
	f("source.port:[* TO 442]")
	f("source.port:443", "login")
	f("message:login", "login")
	f(`message:"login to"`, "login")
	f("source.ip:10.0.0.0/8", "login")
	f("source.ip:2001:db8::/32", "logout")
	f("source.ip:2001:db8::1", "logout")
	f("source.ip:10.*", "login")
	f("okta.target.type:User", "login")
	f("okta.target.display_name:(Mail AND Bo)", "login")
	f("okta.target.display_name:ma*l", "login")
	f("okta.n:7 okta.on:true", "login")
	f("okta.n:<8", "login")
	f("okta.a.b:dot", "login")
	f("okta.target:*", "login")
	f("okta:*", "logout", "login")
	f("no.such.field:*")
	f("_id:"+r.id(t, "finding"), "finding")
	// Free text.
	f("paris", "finding")
	f("PARIS card", "finding")
	f(`"plan of paris"`, "finding")
	f(`"paris plan"`)
	f("par*", "finding")
	f("roy", "login")
	f("ana@acme.example", "login")
	f("NOT paris event.kind:alert")
	f(`"or" OR paris`, "finding", "logout")
}

// id finds a record by its event.id.
func (r *Reader) id(t testing.TB, name string) string {
	t.Helper()
	for d, err := range r.Documents(t.Context(), Search{Filter: compiled(t, "event.id:"+name)}) {
		if err != nil {
			t.Fatal(err)
		}
		return d.ID
	}
	t.Fatalf("no record %s", name)
	return ""
}

func TestValuesThatTheIndexNarrowsAreFoundInEveryForm(t *testing.T) {
	names := slices.Sorted(maps.Keys(selective))
	forms := []func(plog.ResourceLogs, plog.LogRecord, string){
		func(_ plog.ResourceLogs, lr plog.LogRecord, name string) { lr.Attributes().PutStr(name, "Want.4711-x") },
		func(rl plog.ResourceLogs, _ plog.LogRecord, name string) {
			rl.Resource().Attributes().PutStr(name, "Want.4711-x")
		},
		func(_ plog.ResourceLogs, lr plog.LogRecord, name string) { lr.Attributes().PutInt(name, 4711) },
		func(_ plog.ResourceLogs, lr plog.LogRecord, name string) {
			l := lr.Attributes().PutEmptySlice(name)
			l.AppendEmpty().SetStr("other")
			l.AppendEmpty().SetStr("WANT.4711-x")
		},
		func(rl plog.ResourceLogs, _ plog.LogRecord, name string) {
			at := strings.LastIndexByte(name, '.')
			rl.Resource().Attributes().PutEmptyMap(name[:at]).PutInt(name[at+1:], 4711)
		},
	}
	path := filepath.Join(t.TempDir(), "longshore.db")
	logs := plog.NewLogs()
	want := map[string]string{}
	for i, form := range forms {
		for _, name := range names {
			rl := logs.ResourceLogs().AppendEmpty()
			rl.Resource().Attributes().PutStr("event.id", fmt.Sprint(i, name))
			lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
			lr.SetTimestamp(pcommon.NewTimestampFromTime(day))
			form(rl, lr, name)
			want[event.View{Res: rl, Log: lr}.DocID()] = name
		}
	}
	write(t, opened(t, path), logs)
	r := reading(t, path)
	for _, name := range names {
		n := 0
		for d, err := range r.Documents(t.Context(), Search{Filter: compiled(t, name+":(want.4711-X OR 4711)")}) {
			if err != nil {
				t.Fatal(err)
			}
			if want[d.ID] == name {
				n++
			}
		}
		if n != len(forms) && name != "event.id" { // whose forms are one id, and so repeats
			t.Errorf("%s: found in %d of %d forms", name, n, len(forms))
		}
	}
}

func TestValuesAreNeverSQL(t *testing.T) {
	r := sampled(t)
	odd := `100%_\\*\"()' OR 1=1 --`
	f := func(expression string, want int) {
		t.Helper()
		n := 0
		for _, err := range r.Documents(t.Context(), Search{Filter: compiled(t, expression)}) {
			if err != nil {
				t.Fatalf("%s: %v", expression, err)
			}
			n++
		}
		if n != want {
			t.Errorf("%s: %d found, want %d", expression, n, want)
		}
	}
	f(`user.name:"`+odd+`"`, 1)
	f(`user.name:"100%_\\*\"()' OR 1=1 -"`, 0)
	f(`event.action:"' OR 1=1 --"`, 0)
	f(`event.action:'; DROP TABLE documents; --`, 0)
	f(`event.action:user%`, 0)
	f(`event.action:user_session*`, 0)
	f(`"a\" OR words:b"`, 0)
	f(`") OR 1=1 --":x`[:len(`") OR 1=1 --"`)], 1) // the words or, 1 and 1 stand in a name
	f(`'x' OR ''=''`, 0)
	f("*", 4)
}

func TestBadExpressionsNamePlaceAndWord(t *testing.T) {
	f := func(expression string, at int, near, reason string) {
		t.Helper()
		_, err := Compile(expression, day)
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Fatalf("%s: got %v", expression, err)
		}
		if e.At != at || e.Near != near || !strings.Contains(e.Error(), reason) {
			t.Errorf("%s: got %d, %q: %v", expression, e.At, e.Near, e)
		}
	}
	f("event.outcome:", 15, "", `"event.outcome" has no value`)
	f("a:b AND", 8, "", "a condition is missing")
	f("AND a:b", 1, "AND", "a condition is missing")
	f("a:b OR OR c:d", 8, "OR", "missing")
	f("NOT", 4, "", "missing")
	f("(a:b", 1, "(", "never closed")
	f("a:b)", 4, ")", "nothing to close")
	f("()", 2, ")", "missing")
	f(`ä:b "x`, 5, `"x`, "never closed")
	f(`a:x"y"`, 4, `"y"`, "quotation mark")
	f(":x", 1, ":x", "name of a field")
	f(`a*:x`, 1, "a*:x", "name of a field")
	f("a >= 5", 3, ">=", "field:>=")
	f("a:>=", 5, "", "no value")
	f("a:>b*", 4, "b*", "wildcard")
	f("a:[1 2]", 6, "2]", "first TO last")
	f("a:[1 TO", 8, "", "no value")
	f("a:[TO 2]", 7, "2]", "first TO last")
	f("a:[1 TO 2", 10, "", "first TO last")
	f("fo*o", 1, "fo*o", "end of a word")
	f(`""`, 1, `""`, "no word")
	f("@timestamp:yesterday", 12, "yesterday", "wants a time")
	f("x OR @timestamp:>=now+1h", 19, "now+1h", "wants a time")
	f("@timestamp:2026*", 12, "2026*", "wants a time")
	f("source.ip:10.0.0.0/99", 11, "10.0.0.0/99", "no network")
	f(`a:b\`, 4, `\`, "nothing stands after")
	f(strings.Repeat("(", 100), 65, "(", "levels")
	f(strings.Repeat("a ", 300), 513, "a", "conditions")
	for _, bad := range []string{"a\x00", "\xff", strings.Repeat("x", maxExpression+1)} {
		if _, err := Compile(bad, day); err == nil {
			t.Errorf("%.10q was taken", bad)
		}
	}
}

func TestPagesJoinWithoutGapOrRepeat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	s := opened(t, path)
	const many = 2500
	logs := batch(0, many)
	for i, w := range slices.Collect(event.Views(logs)) { // hundreds of equal times across the seams
		w.Log.SetTimestamp(pcommon.NewTimestampFromTime(day.Add(time.Duration(i/900) * time.Second)))
	}
	write(t, s, logs)
	r := reading(t, path)
	f := func(limit, want int) {
		t.Helper()
		var got []string
		last := time.Unix(1<<40, 0)
		for d, err := range r.Documents(t.Context(), Search{Filter: compiled(t, ""), Limit: limit, Doc: true}) {
			if err != nil || d.Time.After(last) || !strings.Contains(d.Doc, `"event"`) {
				t.Fatalf("%+v, %v", d, err)
			}
			last = d.Time
			got = append(got, d.ID)
		}
		slices.Sort(got)
		if n := len(slices.Compact(got)); n != want || n != len(got) {
			t.Fatalf("limit %d: %d found, %d different, want %d", limit, len(got), n, want)
		}
	}
	for _, size := range []int{7, 500, 899, 900, many - 1, many, many + 1} {
		r.pageRows = size
		f(0, many)
	}
	r.pageRows = 100
	f(100, 100)
	f(101, 101)
	f(3, 3)
}

func TestGlob(t *testing.T) {
	f := func(pattern, s string, want bool) {
		t.Helper()
		if glob(pattern, s) != want {
			t.Errorf("%s %s: got %v", pattern, s, !want)
		}
	}
	f("", "", true)
	f("", "a", false)
	f("a", "A", true)
	f("a*", "a", true)
	f("*a", "ba", true)
	f("*a*b*", "xxayyb", true)
	f("*a*b", "ab b", true)
	f("*ab", "aab", true)
	f("a*b*c", "a-b-b-d", false)
	f(`\*`, "*", true)
	f(`\*`, "x", false)
	f(`a\\*`, `a\x`, true)
	f("é*", "éa", true)
}

// FuzzCompile: whatever is typed, it is refused with a place in it, or SQLite takes it and finds what it says.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{"event.outcome:failure", "event.kind:alert", "event.dataset:saas.action", `a:"b c" OR NOT (d:[1 TO *] e*)`,
		"@timestamp:>=now-1h source.ip:10.0.0.0/8", `x:\*y "q\"q"`,
		"user.id:x user.name:y entity.lifecycle.deleted:*", "a:(b AND *c) d:<5", "')\"--"} {
		f.Add(seed)
	}
	r := sampled(f)
	f.Fuzz(func(t *testing.T, expression string) {
		c, err := Compile(expression, day)
		var e *SyntaxError
		switch {
		case errors.As(err, &e):
			if n := len([]rune(expression)); e.At < 1 || e.At > n+1 {
				t.Fatalf("character %d of %d: %v", e.At, n, err)
			}
			return
		case err != nil:
			return
		}
		for _, err := range r.Documents(t.Context(), Search{Filter: c, Limit: 10, Doc: true}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, err := range r.Entities(t.Context(), Search{Filter: c, Limit: 10, Doc: true}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		found := func(expression string) (n int) {
			c, err := Compile(expression, day)
			if err != nil { // one level more than allowed
				return -1
			}
			for range r.Documents(t.Context(), Search{Filter: c}) {
				n++
			}
			return n
		}
		yes, no := found("("+expression+")"), found("NOT ("+expression+")")
		if expression != "" && yes >= 0 && no >= 0 && yes+no != 4 {
			t.Fatalf("%d fit, %d do not, of 4", yes, no)
		}
	})
}
