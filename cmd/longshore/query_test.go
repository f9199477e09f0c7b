package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/store"
)

// stocked makes a store with n events, one finding and two users, one of whom is gone.
func stocked(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "longshore.db")
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	add := func(at int, fields ...string) plog.LogRecord {
		lr := records.AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(time.Date(2026, 11, 20, 10, 0, at, 0, time.UTC)))
		for i := 0; i < len(fields); i += 2 {
			lr.Attributes().PutStr(fields[i], fields[i+1])
		}
		return lr
	}
	for i := range n {
		add(i, "event.dataset", "okta.system", "event.kind", "event", "saas.tenant", "acme",
			"event.id", fmt.Sprint(i), "event.action", "user.session.start",
			"event.outcome", []string{"success", "failure"}[i%2], "user.name", fmt.Sprintf("ana%d@acme.example", i), "source.ip", "203.0.113.7")
	}
	add(n, "event.dataset", "saas.finding", "event.kind", "alert", "event.id", "f", "event.action", "steer\x1b[2Jthe terminal",
		"message", "a policy holds")
	add(1, "event.dataset", "okta.inventory", "event.kind", "asset", "entity.type", "user", "entity.id", "00u1", "entity.name", "Ana Roy")
	add(2, "event.dataset", "okta.inventory", "event.kind", "asset", "entity.type", "user", "entity.id", "00u2", "entity.name", "Bo").
		SetEventName("entity.delete")
	if _, err := s.Write(t.Context(), event.Views(logs), event.Encoding{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestQueryShowsNewestFirstInColumns(t *testing.T) {
	db := stocked(t, 4)
	f := func(wantOut, wantErrs string, args ...string) {
		t.Helper()
		code, out, errs := call(t, "", append([]string{"query", "--db", db}, args...)...)
		if code != exitOK || out != wantOut || errs != wantErrs {
			t.Errorf("%v: exit code %d, on stdout:\n%s\non stderr: %s", args, code, out, errs)
		}
	}
	f("time                  tenant  dataset      action              outcome  user               source\n"+
		"2026-11-20T10:00:03Z  acme    okta.system  user.session.start  failure  ana3@acme.example  203.0.113.7\n"+
		"2026-11-20T10:00:01Z  acme    okta.system  user.session.start  failure  ana1@acme.example  203.0.113.7\n", "", "event.outcome:failure")
	f("time                  tenant  dataset       action                 outcome  user  source\n"+
		"2026-11-20T10:00:04Z  -       saas.finding  steer·[2Jthe terminal  -        -     -       a policy holds\n", "", "event.kind:alert")
	f("", "nothing found\n", "event.dataset:saas.action")
	f("time                  tenant  dataset      action              outcome  user               source\n"+
		"2026-11-20T10:00:03Z  acme    okta.system  user.session.start  failure  ana3@acme.example  203.0.113.7\n",
		"the first 1 result; there are more: --limit 0 shows all\n", "--limit", "1", "event.outcome:failure")
	f("read                  dataset         tenant  type  name     id    gone\n"+
		"2026-11-20T10:00:01Z  okta.inventory  -       user  Ana Roy  00u1  -\n", "", "--entities", "entity.type:user")
	f("read                  dataset         tenant  type  name  id    gone\n"+
		"2026-11-20T10:00:02Z  okta.inventory  -       user  Bo    00u2  2026-11-20T10:00:02Z\n", "",
		"--entities", "entity.lifecycle.deleted:*")
	f("outcome  n\nfailure  2\nsuccess  2\n", "", "--sql",
		"SELECT outcome, count(*) AS n FROM documents WHERE kind = 'event' GROUP BY outcome ORDER BY outcome")
	f("", "note: there is no field \"outcome\"; did you mean \"event.outcome\"?\nnothing found\n", "outcome:failure")
	f("", "note: there is no field \"user.nmae\"; did you mean \"user.name\"?\nnothing found\n", "user.nmae:x")
	f("", "nothing found\n", "okta.actor.own_field:x")
	f("", "nothing found\n", "user:* event.kind:alert")
}

func TestQueryWritesWholeDocumentsAsJSONLines(t *testing.T) {
	db := stocked(t, 1500) // more than a page and more than the widths are taken from
	f := func(want int, args ...string) {
		t.Helper()
		code, out, errs := call(t, "", append([]string{"query", "--db", db, "--json"}, args...)...)
		if code != exitOK {
			t.Fatalf("%v: exit code %d: %s", args, code, errs)
		}
		n := 0
		for line := range bytes.Lines([]byte(out)) {
			n++
			if !json.Valid(line) {
				t.Fatalf("%v: line %d: %s", args, n, line)
			}
		}
		if n != want {
			t.Errorf("%v: %d lines, want %d", args, n, want)
		}
	}
	f(100)
	f(1503, "--limit", "0")
	f(750, "--limit", "0", "event.outcome:failure")
	f(1, "--entities")
	f(1503, "--sql", "SELECT id, time, NULL AS x, CAST(dataset AS BLOB) AS y, 1.5 AS z FROM documents")
	code, out, _ := call(t, "", "query", "--db", db, "--json", "--sql", `SELECT 1 AS b, 'x' AS "a""c", NULL AS d`)
	if code != exitOK || out != `{"b":1,"a\"c":"x","d":null}`+"\n" {
		t.Errorf("exit code %d: %s", code, out)
	}
	if _, out, _ := call(t, "", "query", "--db", db, "--limit", "0"); strings.Count(out, "\n") != 1504 {
		t.Errorf("%d lines in columns", strings.Count(out, "\n"))
	}
}

func TestQuerySaysWhatIsWrong(t *testing.T) {
	db := stocked(t, 1)
	f := func(want int, says string, args ...string) {
		t.Helper()
		code, out, errs := call(t, "", append([]string{"query"}, args...)...)
		if code != want || !strings.Contains(errs, says) || out != "" {
			t.Errorf("%v: exit code %d, want %d and %q on stderr; got:\n%s%s", args, code, want, says, errs, out)
		}
	}
	f(exitUsage, `at character 8, near "OR": a condition is missing`, "--db", db, "a:b OR OR c:d")
	f(exitUsage, `at character 12, near "yesterday"`, "--db", db, "@timestamp:yesterday")
	f(exitUsage, "--limit -1", "--db", db, "--limit", "-1")
	f(exitUsage, "--sql stands alone", "--db", db, "--sql", "SELECT 1", "a:b")
	f(exitUsage, "at most 1 arg", "--db", db, "a:b", "c:d")
	f(exitFailed, "no such file", "--db", db+"x")
	f(exitFailed, "only statements that read", "--db", db, "--sql", "DELETE FROM documents")
	f(exitFailed, "no such table: x", "--db", db, "--sql", "SELECT * FROM x")
}
