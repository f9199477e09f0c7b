package store

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var day = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// batch makes n events of one application, numbered from first.
func batch(first, n int) plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("event.module", "okta")
	rl.Resource().Attributes().PutStr("saas.tenant", "acme")
	sl := rl.ScopeLogs().AppendEmpty()
	for i := first; i < first+n; i++ {
		lr := sl.LogRecords().AppendEmpty()
		at := pcommon.NewTimestampFromTime(day.Add(time.Duration(i) * time.Second))
		lr.SetTimestamp(at)
		lr.SetObservedTimestamp(at)
		a := lr.Attributes()
		a.PutStr("event.dataset", "okta.system")
		a.PutStr("event.kind", "event")
		a.PutStr("event.id", fmt.Sprintf("id-%06d", i))
		a.PutStr("event.action", "user.session.start")
		a.PutStr("event.outcome", []string{"success", "failure"}[i%2])
		a.PutStr("user.name", fmt.Sprintf("ana%d@contoso.example", i%10))
		a.PutStr("source.ip", fmt.Sprintf("203.0.113.%d", i%250))
		lr.Body().SetStr(fmt.Sprintf(`{"uuid":"id-%06d","n":"%s"}`, i, strings.Repeat("x", 100)))
	}
	return logs
}

// ids are the ids that the records of a batch must have.
func ids(l plog.Logs) []string {
	var out []string
	for w := range event.Views(l) {
		out = append(out, w.DocID())
	}
	slices.Sort(out)
	return out
}

func opened(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func write(t testing.TB, s *Store, l plog.Logs) Stored {
	t.Helper()
	n, err := s.Write(context.Background(), event.Views(l), event.Encoding{Namespace: "saas", Ingested: day})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// column reads one column of text.
func column(t testing.TB, s *Store, query string, args ...any) []string {
	t.Helper()
	rows, err := s.db.Query(query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	out := []string{}
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRepeatsAreStoredOnce(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "sub", "a?b%#.db"))
	a, b := batch(0, 300), batch(200, 300)
	if n := write(t, s, a); n != (Stored{Accepted: 300}) {
		t.Fatalf("got %+v", n)
	}
	if n := write(t, s, a); n != (Stored{Duplicate: 300}) {
		t.Fatalf("got %+v", n)
	}
	if n := write(t, s, b); n != (Stored{Accepted: 200, Duplicate: 100}) {
		t.Fatalf("got %+v", n)
	}
	want := slices.Compact(slices.Sorted(slices.Values(append(ids(a), ids(b)...))))
	if got := column(t, s, "SELECT id FROM documents ORDER BY id"); !slices.Equal(got, want) {
		t.Fatalf("%d stored, want %d", len(got), len(want))
	}
	if got := column(t, s, "SELECT count(*) FROM documents_text"); got[0] != "500" {
		t.Fatalf("%s in the index", got)
	}
}
