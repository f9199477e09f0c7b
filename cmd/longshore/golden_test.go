package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
)

const (
	goldenFolder = "../../testdata/golden"
	goldenHow    = "go test ./cmd/longshore -run TestGoldenDocuments -update"
)

// stagedOnce is what the stage gives, which is the same for every test of it.
var stagedOnce struct {
	sync.Once
	all []event.View
}

func stagedRecords(t *testing.T) []event.View {
	t.Helper()
	stagedOnce.Do(func() { stagedOnce.all = staged(t) })
	if len(stagedOnce.all) == 0 {
		t.Fatal("the stage gave nothing")
	}
	return stagedOnce.all
}

// goldenDoc writes a record as the exporters do: with all that there is of it.
func goldenDoc(t *testing.T, w event.View, encode encoder) string {
	t.Helper()
	var doc bytes.Buffer
	if err := json.Indent(&doc, encode(nil, w, event.Encoding{Ingested: goldenTime.Add(12 * time.Hour)}), "", "  "); err != nil {
		t.Fatal(err)
	}
	return doc.String() + "\n"
}

// TestGoldenDocuments holds one document of every family to testdata/golden, as ECS and as OCSF.
func TestGoldenDocuments(t *testing.T) {
	var names []string
	for _, f := range families {
		w := f.record(t)
		saastest.Same(t, filepath.Join(goldenFolder, f.name+".json"), goldenDoc(t, w, event.AppendECS), goldenHow)
		saastest.Same(t, filepath.Join(goldenFolder, f.name+".ocsf.json"), goldenDoc(t, w, event.AppendOCSF), goldenHow)
		names = append(names, f.name+".json", f.name+".ocsf.json")
	}
	files, err := os.ReadDir(goldenFolder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !slices.Contains(names, f.Name()) {
			t.Errorf("%s is of no family", f.Name())
		}
	}
}

// record is the first record of the family.
func (f *family) record(t *testing.T) event.View {
	t.Helper()
	for _, w := range stagedRecords(t) {
		if !slices.ContainsFunc(strings.Fields(f.is), func(is string) bool {
			name, want, _ := strings.Cut(is, "=")
			return w.Str(name) != want
		}) {
			return onTheHour(w)
		}
	}
	t.Fatalf("%s: no record has %s", f.name, f.is)
	return event.View{}
}

// onTheHour is a record of the stage without the chance in it: the receivers wait a little more or less at random.
func onTheHour(w event.View) event.View {
	full := func(at time.Time) time.Time {
		if at.Before(goldenTime) {
			return at
		}
		return at.Truncate(time.Hour)
	}
	out := w.Copy()
	out.Log.SetTimestamp(pcommon.NewTimestampFromTime(full(w.Log.Timestamp().AsTime())))
	out.Log.SetObservedTimestamp(pcommon.NewTimestampFromTime(full(w.Log.ObservedTimestamp().AsTime())))
	for name, v := range out.Log.Attributes().All() {
		if at, ok := event.ParseTime(v.AsString()); ok && event.FieldType(name) == "date" {
			v.SetStr(full(at).UTC().Format("2006-01-02T15:04:05.000Z"))
		}
	}
	return out
}

// TestGoldenDocumentsHaveTheFieldsOfTheirFamily asks of every golden document the fields that the schema's table of its section
// has, but for those that are listed with the reason why it has none.
func TestGoldenDocumentsHaveTheFieldsOfTheirFamily(t *testing.T) {
	tables := schemaTables(t)
	everywhere := map[string]bool{}
	for _, w := range stagedRecords(t) {
		addNames(everywhere, "", w.Map())
	}
	asked := map[string]bool{}
	for _, f := range families {
		has := map[string]bool{}
		addNames(has, "", onTheHour(f.record(t)).Map())
		for table := range strings.SplitSeq(f.tables, "+") {
			asked[table] = true
			for _, name := range tables[table] {
				f.ask(t, name, has, everywhere)
			}
		}
		for name := range f.lacks {
			if !slices.ContainsFunc(strings.Split(f.tables, "+"), func(table string) bool { return slices.Contains(tables[table], name) }) {
				t.Errorf("%s: %s is no field of its tables", f.name, name)
			}
		}
	}
	for table := range tables {
		if !asked[table] {
			t.Errorf("no family is that of table %s", table)
		}
	}
}

// ask says whether a document has a field, or whether the reason for which it has none holds.
func (f *family) ask(t *testing.T, name string, has, everywhere map[string]bool) {
	t.Helper()
	why, excused := f.lacks[name]
	switch {
	case has[name] && excused:
		t.Errorf("%s has %s, which is listed as absent: %s", f.name, name, why)
	case has[name]:
	case !excused:
		t.Errorf("%s has no %s (other records have it: %v)", f.name, name, everywhere[name])
	case strings.HasPrefix(why, other) != everywhere[name]:
		t.Errorf("%s: %s: %q, but other records have it: %v", f.name, name, why, everywhere[name])
	}
}

// addNames adds the names of all fields below a value, and of the objects that they are in.
func addNames(to map[string]bool, at string, v any) {
	if at != "" {
		to[at] = true
	}
	if m, ok := v.(obj); ok {
		for name, val := range m {
			addNames(to, strings.TrimPrefix(at+"."+name, "."), val)
		}
	}
}

// schemaTables are the fields of the tables of sections 3 to 9 of the schema, which is given beside the repository: by section, and
// those of inventory by the type of entity.
func schemaTables(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(saastest.Shared(t, "schema.md"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	section := ""
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.HasPrefix(line, "## "):
			section, _, _ = strings.Cut(strings.TrimPrefix(line, "## "), ".")
		case len(section) != 1 || section < "3":
		case strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| field ") && !strings.HasPrefix(line, "| ---"):
			out[section] = append(out[section], fieldsIn(strings.Split(line, "|")[1])...)
		case strings.HasPrefix(line, "**"):
			name, rest, _ := strings.Cut(strings.TrimPrefix(line, "**"), "**")
			_, rest, _ = strings.Cut(rest, ":")
			out[section+" "+name] = fieldsIn(rest)
		}
	}
	if len(out) != 7+6 {
		t.Fatalf("the schema has %d tables: %v", len(out), out)
	}
	return out
}

// fieldsIn reads names as the schema's tables write them: "saas.role.id/name, .privileged", "user.*", "`x.y` (z)", "a → b".
func fieldsIn(text string) (names []string) {
	if _, to, ok := strings.Cut(text, "→"); ok {
		text = to
	}
	depth, last := 0, ""
	for word := range strings.FieldsFuncSeq(strings.NewReplacer("(", " ( ", ")", " ) ", "[]", "", "`", "", "*", "").Replace(text),
		func(c rune) bool { return c == ' ' || c == ',' || c == '\n' }) {
		switch word {
		case "(":
			depth++
		case ")":
			depth--
		}
		if depth > 0 || len(word) < 3 || !strings.Contains(word, ".") {
			continue
		}
		for i, name := range strings.Split(strings.Trim(word, "."), "/") {
			if at := strings.LastIndexByte(last, '.'); i > 0 || word[0] == '.' { // a sister of the last one, or else of inventory
				if parent := last[:at+1]; registered(parent + name) {
					name = parent + name
				} else {
					name = "saas.entity." + name
				}
			}
			last = name
			names = append(names, name)
		}
	}
	return names
}

// registered says whether the registry has a field, or fields below it.
func registered(name string) bool {
	for known := range event.FieldTypes() {
		if known == name || strings.HasPrefix(known, name+".") {
			return true
		}
	}
	return false
}

func TestFieldsAreReadFromTables(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		if got := fieldsIn(text); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	f(" saas.role.name/id, saas.role.privileged ", "saas.role.name", "saas.role.id", "saas.role.privileged")
	f(" saas.finding.sample_redacted[], .fingerprint[] ", "saas.finding.sample_redacted", "saas.finding.fingerprint")
	f(" group.id/name, .member_count (of all, x.y), user.*(owner) ", "group.id", "group.name", "saas.entity.member_count", "user")
	f(" file.uid → `saas.file.id`, saas.file.version ", "saas.file.id", "saas.file.version")
	f(" email.subject/from/to ", "email.subject", "email.from", "email.to")
	f(" rule.* only for rules that fired ", "rule")
	f(" application.name, application.id ³ ", "application.name", "application.id")
}
