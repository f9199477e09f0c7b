package store

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/event"
)

// rows are what a reader's statement gives, each row as text.
func rows(t *testing.T, r *Reader, text string) []string {
	t.Helper()
	out := []string{}
	if err := r.SQL(t.Context(), text, func(_ []string, v []any) error {
		out = append(out, strings.Trim(fmt.Sprint(v), "[]"))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryColumnOfTheViewsIsOneRegisteredField(t *testing.T) {
	taken := map[string]string{}
	for _, list := range []string{eventColumns, views[len(views)-1].columns, "doc"} {
		for name := range strings.SplitSeq(list, ", ") {
			taken[name] = "the table"
		}
	}
	for field := range strings.FieldsSeq(shown) {
		if event.FieldType(field) == "" {
			t.Errorf("%s is no field", field)
		}
		if was := taken[viewColumn(field)]; was != "" {
			t.Errorf("%s and %s have the column %s", field, was, viewColumn(field))
		}
		taken[viewColumn(field)] = field
	}
}

func TestViewsShowFieldsAsColumns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	s := opened(t, path)
	logs := batch(0, 3)
	for i, v := range slices.Collect(event.Views(logs)) {
		a := v.Log.Attributes()
		a.PutBool("saas.auth.mfa", i == 1)
		a.PutInt("event.severity", int64(i))
		a.PutEmptySlice("event.category").AppendEmpty().SetStr("authentication")
		if i == 2 {
			a.PutStr("event.dataset", "saas.finding")
			a.PutStr("event.kind", "alert")
			a.PutStr("rule.name", "cards")
		}
	}
	state(logs, "u1", "ana", day, false)
	write(t, s, logs)
	r := reading(t, path)
	f := func(text string, want ...string) {
		t.Helper()
		if got := rows(t, r, text); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	f("SELECT timestamp, user, auth_mfa, event_severity FROM events ORDER BY time",
		"2026-11-20T10:00:00.000Z ana0@contoso.example 0 0", "2026-11-20T10:00:01.000Z ana1@contoso.example 1 1")
	f("SELECT rule_name, user_name FROM findings", "cards ana2@contoso.example")
	f("SELECT count(*) FROM actions", "0")
	f("SELECT type, native, name, deleted, entity_name FROM entities", "user u1 ana 0 ana")
	f("SELECT e.value FROM events, json_each(event_category) AS e LIMIT 1", "authentication")
	for condition, index := range map[string]string{"user = 'ana' ORDER BY time": "documents_time",
		"source_ip = '::1' ORDER BY time": "documents_time",
		"action = 'x'":                    "documents_action", "time > 5": "documents_time"} {
		got := plan(t, s, "EXPLAIN QUERY PLAN SELECT timestamp FROM events WHERE "+condition)
		if !strings.Contains(got, index) {
			t.Errorf("%s: %s", condition, got)
		}
	}
}

// plan is the plan of a statement.
func plan(t *testing.T, s *Store, text string) string {
	t.Helper()
	found, err := s.db.Query(text)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = found.Close() }()
	var out []string
	for found.Next() {
		var id, parent, unused int
		var detail string
		if err := found.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		out = append(out, detail)
	}
	return strings.Join(out, "; ")
}

// schemaOne is what the first version of the store made.
const schemaOne = `
CREATE TABLE documents (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, time INTEGER NOT NULL, module TEXT NOT NULL COLLATE NOCASE,
	dataset TEXT NOT NULL COLLATE NOCASE, tenant TEXT NOT NULL COLLATE NOCASE, kind TEXT NOT NULL COLLATE NOCASE,
	action TEXT NOT NULL COLLATE NOCASE, outcome TEXT NOT NULL COLLATE NOCASE, user TEXT NOT NULL COLLATE NOCASE,
	source_ip TEXT NOT NULL COLLATE NOCASE, doc TEXT NOT NULL);
CREATE INDEX documents_time ON documents (time);
CREATE INDEX documents_dataset ON documents (dataset, time);
CREATE INDEX documents_kind ON documents (kind, time);
CREATE INDEX documents_action ON documents (action, time);
CREATE INDEX documents_user ON documents (user, time);
CREATE INDEX documents_source_ip ON documents (source_ip, time);
CREATE VIRTUAL TABLE documents_text USING fts5 (words, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 2");
CREATE TABLE entities (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, time INTEGER NOT NULL,
	deleted INTEGER NOT NULL, module TEXT NOT NULL COLLATE NOCASE, dataset TEXT NOT NULL COLLATE NOCASE,
	tenant TEXT NOT NULL COLLATE NOCASE, type TEXT NOT NULL COLLATE NOCASE, native TEXT NOT NULL COLLATE NOCASE,
	name TEXT NOT NULL COLLATE NOCASE, doc TEXT NOT NULL);
CREATE INDEX entities_time ON entities (time);
CREATE INDEX entities_type ON entities (type, time);
CREATE VIRTUAL TABLE entities_text USING fts5 (words, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 2");
CREATE TABLE letters (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, time INTEGER NOT NULL, type TEXT NOT NULL, reason TEXT NOT NULL,
	doc TEXT NOT NULL);
PRAGMA application_id = 0x4c53484f; PRAGMA user_version = 1;`

func TestStoreOfTheFirstVersionIsReadAndUpgradedInPlace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "longshore.db")
	from := opened(t, filepath.Join(dir, "new.db")) // holds what the old one held
	logs := batch(0, 5)
	state(logs, "u1", "ana roy", day.Add(time.Hour), false)
	write(t, from, logs)
	old, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	old.SetMaxOpenConns(1)
	for _, text := range []string{schemaOne, "PRAGMA journal_mode = WAL", "ATTACH '" + from.path + "' AS new",
		"INSERT INTO documents SELECT * FROM new.documents", "INSERT INTO entities SELECT * FROM new.states",
		"INSERT INTO documents_text (rowid, words) SELECT seq, 'ana0 word' FROM documents",
		"INSERT INTO entities_text (rowid, words) SELECT seq, name FROM entities"} {
		if _, err := old.Exec(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	f := func(when string, want int) {
		t.Helper()
		r, err := OpenReader(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		n := 0
		for _, err := range r.Documents(t.Context(), Search{Filter: compiled(t, "event.kind:event")}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != want {
			t.Errorf("%s: %d events, want %d", when, n, want)
		}
		names := ""
		for e, err := range r.Entities(t.Context(), Search{Filter: compiled(t, "roy")}) {
			if err != nil {
				t.Fatal(err)
			}
			names += e.Name
		}
		if names != "ana roy" {
			t.Errorf("%s: entities %q", when, names)
		}
	}
	f("before", 5)
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	f("upgraded", 5)
	if n := write(t, s, batch(3, 5)); n != (Stored{Accepted: 3, Duplicate: 2}) {
		t.Fatalf("counted %+v", n)
	}
	more := plog.NewLogs()
	state(more, "u1", "ana roy", day.Add(2*time.Hour), false)
	write(t, s, more)
	f("written", 8)
	if got := column(t, s, "SELECT count(*) FROM events"); got[0] != "8" {
		t.Errorf("the view has %s", got)
	}
	whole(t, s)
	for i := range 3 {
		write(t, s, large(1000+i*100, 100))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	old, err = sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Exec("PRAGMA journal_mode = DELETE; PRAGMA page_size = 16384; PRAGMA auto_vacuum = 2; VACUUM"); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	s = opened(t, path)
	if got, _ := tidied(t, s, Retention{MaxAge: time.Hour}, day.Add(100*time.Hour)); got.Pages == 0 {
		t.Errorf("%+v: no page was given back", got)
	}
	whole(t, s)
}

func TestDocumentationListsTheFieldsOfTheViews(t *testing.T) {
	page, err := os.ReadFile("../../docs/store.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(page), "<!-- fields -->")
	list, _, _ = strings.Cut(list, "<!-- /fields -->")
	got := strings.Fields(strings.NewReplacer("`", "", ",", " ").Replace(list))
	if want := strings.Fields(shown); !slices.Equal(got, want) {
		t.Fatalf("the page lists %q, want %q", got, want)
	}
	for _, v := range views {
		if !strings.Contains(string(page), "`"+v.name+"`") {
			t.Errorf("no word of %s", v.name)
		}
	}
}

// TestStatementsOfTheDocumentationAreAnswered runs all SQL of the page on a store in which each finds something.
func TestStatementsOfTheDocumentationAreAnswered(t *testing.T) {
	page, err := os.ReadFile("../../docs/store.md")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "longshore.db")
	logs := batch(0, 4) // two of them failures
	state(logs, "u1", "roy of Paris", day, false)
	state(logs, "g1", "grant", day, false)
	all := slices.Collect(event.Views(logs))
	for _, v := range all[:4] {
		v.Log.SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-time.Hour)))
		v.Log.Attributes().PutStr("saas.activity", "login")
		v.Log.Attributes().PutStr("source.ip", "203.0.113.7")
	}
	all[4].Log.Attributes().PutBool("saas.entity.is_admin", true)
	all[4].Log.Attributes().PutBool("saas.entity.mfa_enrolled", false)
	grant := all[5].Log.Attributes()
	grant.PutStr("entity.type", "app_grant")
	grant.PutStr("saas.app.name", "Calendar")
	grant.PutEmptySlice("saas.grant.scopes").AppendEmpty().SetStr("mail.read")
	write(t, opened(t, path), logs)
	r := reading(t, path)

	var got []string
	for i, block := range strings.Split(string(page), "```sql\n")[1:] {
		text, _, closed := strings.Cut(block, "\n```")
		if !closed || !strings.HasSuffix(text, ";") {
			t.Fatalf("block %d of SQL has no end", i)
		}
		for statement := range strings.SplitSeq(strings.TrimSuffix(text, ";"), ";") {
			got = append(got, rows(t, r, statement)...)
		}
	}
	if want := []string{"203.0.113.7 2 2", "acme roy of Paris", "Calendar mail.read"}; !slices.Equal(got, want) {
		t.Errorf("the statements give %q, want %q", got, want)
	}
	const condition = "seq IN (SELECT rowid FROM documents_text WHERE documents_text MATCH 'roy AND paris')"
	if !strings.Contains(strings.Join(strings.Fields(string(page)), " "), condition) {
		t.Fatalf("the page does not say %s", condition)
	}
	if got := rows(t, r, "SELECT doc ->> '$.entity.name' FROM documents WHERE "+condition); !slices.Equal(got, []string{"roy of Paris"}) {
		t.Errorf("the words are in %q", got)
	}
}
