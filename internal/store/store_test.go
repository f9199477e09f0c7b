package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

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

func TestEveryRecordHasItsColumnsWordsAndDocument(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	logs := batch(1, 1)
	for w := range event.Views(logs) {
		w.Log.Attributes().PutStr("user.full_name", "Ana \xff Roy")
		w.Log.Attributes().PutStr("message", "zero \x00 byte")
		w.Log.Body().SetStr("\xff not UTF-8")
	}
	write(t, opened(t, path), logs)
	r := reading(t, path)
	for _, expression := range []string{"", `"ana roy"`, `"zero byte"`, "user.full_name:*roy"} {
		n := 0
		for d, err := range r.Documents(t.Context(), Search{Filter: compiled(t, expression), Doc: true}) {
			if err != nil {
				t.Fatal(err)
			}
			if d.ID != ids(logs)[0] || !d.Time.Equal(day.Add(time.Second)) || d.Module != "okta" || d.Dataset != "okta.system" ||
				d.Tenant != "acme" || d.Kind != "event" || d.Action != "user.session.start" || d.Outcome != "failure" ||
				d.User != "ana1@contoso.example" || d.SourceIP != "203.0.113.1" {
				t.Fatalf("got %+v", d)
			}
			if !json.Valid([]byte(d.Doc)) || !utf8.ValidString(d.Doc) || !strings.Contains(d.Doc, `"ingested":"2026-11-20T10:00:00.000Z"`) {
				t.Fatalf("document %s", d.Doc)
			}
			n++
		}
		if n != 1 {
			t.Errorf("%q: %d found", expression, n)
		}
	}
}

func TestWhatCanNeverBeStoredIsSetAsideAndTheRestIsStored(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "longshore.db"))
	if _, err := s.db.Exec(`CREATE TRIGGER no BEFORE INSERT ON documents WHEN new.user = 'ana3@contoso.example'
		BEGIN SELECT raise(abort, 'not him'); END`); err != nil {
		t.Fatal(err)
	}
	logs := batch(0, 5)
	views := slices.Collect(event.Views(logs))
	views[0].Log.SetTimestamp(0) // the time of reading is left
	views[1].Log.SetTimestamp(0)
	views[1].Log.SetObservedTimestamp(0)
	views[2].Log.SetTimestamp(1 << 63)
	for range 2 {
		write(t, s, logs)
	}
	want := []string{views[0].DocID(), views[4].DocID()}
	slices.Sort(want)
	if got := column(t, s, "SELECT id FROM documents ORDER BY id"); !slices.Equal(got, want) {
		t.Fatalf("stored %v, want %v", got, want)
	}
	got := column(t, s, "SELECT id || ' ' || type || ' ' || reason FROM letters ORDER BY seq")
	if len(got) != 3 || !strings.HasPrefix(got[0], views[1].DocID()+" no_time ") ||
		!strings.HasPrefix(got[1], views[2].DocID()+" no_time ") ||
		!strings.HasPrefix(got[2], views[3].DocID()+" refused ") || !strings.Contains(got[2], "not him") {
		t.Fatalf("letters %q", got)
	}
	for _, doc := range column(t, s, "SELECT doc FROM letters") {
		if !json.Valid([]byte(doc)) || !strings.Contains(doc, `"original":"{\"uuid\"`) {
			t.Fatalf("letter %s", doc)
		}
	}
	if n := write(t, s, logs); n != (Stored{Duplicate: 2, Refused: 3}) {
		t.Fatalf("counted %+v", n)
	}
}

func TestTooLargeRecordIsSetAside(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "longshore.db"))
	logs := batch(0, 2)
	for w := range event.Views(logs) {
		w.Log.Body().SetStr(strings.Repeat("x", maxDocument))
		break
	}
	if n := write(t, s, logs); n != (Stored{Accepted: 1, Refused: 1}) {
		t.Fatalf("counted %+v", n)
	}
	if got := column(t, s, "SELECT type FROM letters WHERE length(doc) < 2000000"); len(got) != 1 || got[0] != "too_large" {
		t.Fatalf("letters %v", got)
	}
}

// state is a record of a user as read at a time.
func state(logs plog.Logs, id, name string, read time.Time, deleted bool) {
	if logs.ResourceLogs().Len() == 0 {
		logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	}
	lr := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
	lr.SetTimestamp(pcommon.NewTimestampFromTime(read))
	lr.SetObservedTimestamp(pcommon.NewTimestampFromTime(read))
	a := lr.Attributes()
	for _, kv := range [][2]string{{"event.module", "okta"}, {"event.dataset", "okta.inventory"}, {"event.kind", "asset"},
		{"saas.tenant", "acme"}, {"entity.type", "user"}, {"entity.id", id}, {"entity.name", name}, {"event.id", id + read.String()}} {
		a.PutStr(kv[0], kv[1])
	}
	if deleted {
		lr.SetEventName("entity.delete")
		a.PutEmptySlice("event.type").AppendEmpty().SetStr("deletion")
	}
	lr.Body().SetStr(`{"id":"` + id + `"}`)
}

func TestNewestStateOfAnEntityStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	s, r := opened(t, path), (*Reader)(nil)
	put := func(id, name string, hours int, deleted bool) {
		t.Helper()
		logs := plog.NewLogs()
		state(logs, id, name, day.Add(time.Duration(hours)*time.Hour), deleted)
		if n := write(t, s, logs); n != (Stored{Accepted: 1}) {
			t.Fatalf("counted %+v", n)
		}
	}
	f := func(expression string, want ...string) {
		t.Helper()
		got := []string{}
		for e, err := range r.Entities(t.Context(), Search{Filter: compiled(t, expression), Doc: true}) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Type != "user" || e.Module != "okta" || e.Tenant != "acme" || !strings.Contains(e.Doc, `"name":"`+e.Name+`"`) {
				t.Fatalf("got %+v", e)
			}
			gone := ""
			if !e.Deleted.IsZero() {
				gone = " gone at " + e.Deleted.Format("15:04")
			}
			got = append(got, e.Native+" "+e.Name+gone)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s: got %q, want %q", expression, got, want)
		}
	}
	put("u1", "ana", 1, false)
	put("u2", "bo", 1, false)
	r = reading(t, path)
	put("u1", "ana roy", 3, false)
	put("u1", "ana old", 2, false) // an old page that comes late
	f("", "u1 ana roy", "u2 bo")
	f("entity.id:u1", "u1 ana roy")
	f("roy entity.type:user", "u1 ana roy")
	f("old")
	put("u1", "ana roy", 5, true)
	put("u1", "ana late", 4, false)
	put("u3", "cy", 1, true) // never seen before
	f("", "u2 bo")
	f("entity.lifecycle.deleted:*", "u1 ana roy gone at 15:00", "u3 cy gone at 11:00")
	f("entity.lifecycle.deleted:>=2026-11-20T12:00 roy", "u1 ana roy gone at 15:00")
	put("u1", "ana back", 6, false)
	f("", "u1 ana back", "u2 bo")
	f("back", "u1 ana back")
	if got := column(t, s, "SELECT count(*) FROM documents"); got[0] != "8" {
		t.Fatalf("%s states are kept as events", got)
	}
	logs := plog.NewLogs() // a finding on an entity is not its state
	state(logs, "u2", "finding", day.Add(9*time.Hour), false)
	for w := range event.Views(logs) {
		w.Log.Attributes().PutStr("event.dataset", "saas.finding")
	}
	write(t, s, logs)
	f("entity.id:u2", "u2 bo")
}

func TestStoreCanBeReadWhileItIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	s := opened(t, path)
	const batches, size = 30, 100
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		r := reading(t, path)
		wg.Go(func() {
			last := 0
			for more := true; more; {
				select {
				case <-done:
					more = false
				default:
				}
				n := 0
				const text = "SELECT count(*), (SELECT count(*) FROM documents_text) FROM documents"
				if err := r.SQL(t.Context(), text, func(_ []string, v []any) error {
					n = int(v[0].(int64))
					if v[0] != v[1] {
						return fmt.Errorf("%d records, %d in the index", v[0], v[1])
					}
					return nil
				}); err != nil {
					t.Error(err)
					return
				}
				if n%size != 0 || n < last {
					t.Errorf("%d records after %d: not whole batches", n, last)
				}
				last = n
			}
			if last != batches*size {
				t.Errorf("%d seen in the end", last)
			}
		})
	}
	var writers sync.WaitGroup
	for i := range 3 { // writers wait for each other
		writers.Go(func() {
			for k := range batches / 3 {
				if _, err := s.Write(t.Context(), event.Views(batch((i*batches/3+k)*size, size)), event.Encoding{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(done)
	wg.Wait()
}

func TestFullDiskIsAnErrorAfterWhichTheSameBatchIsStored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	s := opened(t, path)
	a, b := batch(0, 200), batch(200, 3000)
	write(t, s, a)
	pages := column(t, s, "SELECT page_count + 20 FROM pragma_page_count")[0]
	if _, err := s.db.Exec("PRAGMA max_page_count = " + pages); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := s.Write(t.Context(), event.Views(b), event.Encoding{})
		if err == nil || !strings.Contains(err.Error(), "the disk is full") || !strings.Contains(err.Error(), path) {
			t.Fatalf("got %v", err)
		}
		if got := column(t, s, "SELECT id FROM documents ORDER BY id"); !slices.Equal(got, ids(a)) {
			t.Fatalf("%d stored after a failure, want %d", len(got), 200)
		}
	}
	if _, err := s.db.Exec("PRAGMA max_page_count = 4000000"); err != nil {
		t.Fatal(err)
	}
	if n := write(t, s, b); n != (Stored{Accepted: 3000}) {
		t.Fatalf("counted %+v", n)
	}
	if got := column(t, s, "PRAGMA integrity_check"); !slices.Equal(got, []string{"ok"}) {
		t.Fatal(got)
	}
}

func TestLockOfAnotherProcessIsAnErrorAfterWhichTheSameBatchIsStored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	s, other := opened(t, path), opened(t, path)
	if _, err := s.db.Exec("PRAGMA busy_timeout = 0"); err != nil {
		t.Fatal(err)
	}
	tx, err := other.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Write(t.Context(), event.Views(batch(0, 5)), event.Encoding{})
	if err == nil || !strings.Contains(err.Error(), "another process keeps it locked") || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if n := write(t, s, batch(0, 5)); n.Accepted != 5 {
		t.Fatalf("counted %+v", n)
	}
}

func TestEndedContextStoresNothing(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "longshore.db"))
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	_, err := s.Write(ctx, func(yield func(event.View) bool) {
		for w := range event.Views(batch(0, 100)) {
			if n++; n == 50 {
				cancel()
			}
			if !yield(w) {
				return
			}
		}
	}, event.Encoding{})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if got := column(t, s, "SELECT count(*) FROM documents"); got[0] != "0" {
		t.Fatalf("%s stored", got)
	}
	if n := write(t, s, batch(0, 100)); n.Accepted != 100 {
		t.Fatalf("counted %+v", n)
	}
	s.gate <- struct{}{}
	if _, err := s.Write(ctx, event.Views(batch(0, 1)), event.Encoding{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	<-s.gate
}

func TestFilesThatAreNoStoreOfOursAreRefusedByName(t *testing.T) {
	f := func(name, want string, make func(path string)) {
		t.Helper()
		path := filepath.Join(t.TempDir(), name)
		make(path)
		s, err := Open(t.Context(), path)
		if err == nil {
			_ = s.Close()
		}
		r, rerr := OpenReader(t.Context(), path)
		if rerr == nil {
			_ = r.Close()
		}
		for _, err := range []error{err, rerr} {
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: got %v, want %q", name, err, want)
			}
		}
	}
	altered := func(text string) func(string) {
		return func(path string) {
			s := opened(t, path)
			if _, err := s.db.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
	}
	f("newer.db", "version 3, this program knows versions up to 2", altered("PRAGMA user_version = 3"))
	f("none.db", "version 0 is none", altered("PRAGMA user_version = 0"))
	f("other.db", "another program", altered("PRAGMA application_id = 5"))
	f("text.db", "damaged", func(path string) {
		if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	f("cut.db", "damaged", func(path string) {
		s, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, s, batch(0, 100))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 100; i < 4096; i++ { // the list of tables
			whole[i] = 0xa5
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	})
}

func TestDamageFoundLaterNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, batch(0, 2000))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 60 * 16384; i < len(whole); i++ {
		whole[i] = 0xa5
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	r := reading(t, path)
	for _, err = range r.Documents(t.Context(), Search{Filter: compiled(t, ""), Doc: true}) {
		if err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v", err)
	}
	again := opened(t, path)
	_, err = again.Write(t.Context(), event.Views(batch(2000, 500)), event.Encoding{})
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v", err)
	}
}

func TestReaderChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	if _, err := OpenReader(t.Context(), path); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Fatal("a reader made the file")
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReader(t.Context(), path); err == nil || !strings.Contains(err.Error(), "nothing was stored") {
		t.Fatalf("got %v", err)
	}
	s := opened(t, path)
	write(t, s, batch(0, 5))
	r := reading(t, path)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere.db")
	for _, text := range []string{"DELETE FROM documents", "DROP TABLE documents", "UPDATE letters SET type = ''", "CREATE TABLE x (y)",
		"CREATE TEMP TABLE x (y)", "PRAGMA query_only = 0", "PRAGMA user_version = 9", "ATTACH '" + elsewhere + "' AS x",
		"VACUUM INTO '" + elsewhere + "'", "SELECT 1; DELETE FROM documents", "BEGIN IMMEDIATE",
		"INSERT INTO documents_text (documents_text) VALUES ('rebuild')",
		"SELECT load_extension('x')"} {
		if err := r.SQL(t.Context(), text, func([]string, []any) error { return nil }); err == nil {
			t.Errorf("%s was run", text)
		}
	}
	if _, err := os.Stat(elsewhere); !errors.Is(err, os.ErrNotExist) {
		t.Error("another file was written")
	}
	n := 0
	text := `WITH d AS (SELECT * FROM documents WHERE seq IN (SELECT rowid FROM documents_text WHERE documents_text MATCH 'contoso'))
		SELECT count(*) AS n, json(max(doc)) FROM d`
	if err := r.SQL(t.Context(), text, func(names []string, v []any) error {
		n++
		if names[0] != "n" || v[0] != int64(5) {
			return fmt.Errorf("got %v %v", names, v)
		}
		return nil
	}); err != nil || n != 1 {
		t.Fatalf("%d rows, %v", n, err)
	}
}

func TestOnlyTheOwnerCanReadTheFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no modes")
	}
	path := filepath.Join(t.TempDir(), "data", "longshore.db")
	write(t, opened(t, path), batch(0, 5))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", suffix, info.Mode(), err)
		}
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info.Mode(), err)
	}
	if _, err := Open(t.Context(), filepath.Join(path, "below", "a.db")); err == nil || !strings.Contains(err.Error(), "below") {
		t.Errorf("got %v", err)
	}
}

// TestWhatWasAcknowledgedSurvivesAKill kills a process that writes, several times, each time at another moment.
func TestWhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	const env, size = "LONGSHORE_STORE_CHILD", 50
	if path := os.Getenv(env); path != "" { // the child: writes without end, and says what was acknowledged
		s := opened(t, path)
		first := column(t, s, "SELECT count(*) FROM documents")[0]
		n, err := strconv.Atoi(first)
		if err != nil {
			t.Fatal(err)
		}
		for n = n / size * size; ; n += size {
			write(t, s, batch(n, size))
			fmt.Printf("acknowledged %d\n", n+size)
		}
	}
	path := filepath.Join(t.TempDir(), "longshore.db")
	acknowledged := 0
	for round := range 5 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWhatWasAcknowledgedSurvivesAKill$")
		cmd.Env = append(os.Environ(), env+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for left := 3 + 7*round; left > 0 && lines.Scan(); left-- {
			_, _ = fmt.Sscanf(lines.Text(), "acknowledged %d", &acknowledged)
		}
		_ = cmd.Process.Kill() // in the middle of the next batch
		for lines.Scan() {     // what was acknowledged meanwhile
			_, _ = fmt.Sscanf(lines.Text(), "acknowledged %d", &acknowledged)
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child was not killed")
		}
		s, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		got := column(t, s, "SELECT id FROM documents ORDER BY id")
		if len(got) < acknowledged || len(got)%size != 0 || acknowledged == 0 {
			t.Fatalf("%d stored, %d acknowledged", len(got), acknowledged)
		}
		if !slices.Equal(got, ids(batch(0, len(got)))) {
			t.Fatalf("%d stored, others than were written", len(got))
		}
		if got := column(t, s, "PRAGMA integrity_check"); got[0] != "ok" {
			t.Fatal(got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
