package custom

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/dlp/extract"
)

const tableKey = "a key of a table, 32 bytes or so"

// built writes a table.
func built(t testing.TB, csv io.Reader, primary, secondary string) (file string, out Built) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "t.edm")
	b := Build{Key: []byte(tableKey), Primary: strings.Split(primary, ","), Secondary: strings.Split(secondary, ",")}
	out, err := b.WriteTable(t.Context(), csv, file)
	if err != nil {
		t.Fatal(err)
	}
	return file, out
}

const people = "\ufeffid,first,last,mail\n" +
	"123-45-6789,José,O'Brien,jose@example.org\n" +
	"987-65-4321,Ann Mary,Smith,\n" +
	"987-65-4321,Bob,Jones,bob@example.org\n" +
	"12,Too,Short,x@example.org\n"

func exactly(file string, needs int) Detector {
	return Detector{ID: "acme.person", ExactMatch: &ExactMatch{File: file, Key: tableKey, MinSecondary: &needs}}
}

func TestRowsOfATableAreFound(t *testing.T) {
	file, out := built(t, strings.NewReader(people), "id", "first,last,mail")
	if out != (Built{3, 1}) {
		t.Errorf("built %+v", out)
	}
	one, two := scanner(t, exactly(file, 1)), scanner(t, exactly(file, 2))
	f := func(s *dlp.Scanner, text, want string) {
		t.Helper()
		if got := inText(s, text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	const found = "acme.person 1/1 85 at note"
	f(one, "JOSE 123 45 6789", found)
	f(one, "123456789, o brien", found)
	f(one, "123-45-6789 alone", "")
	f(one, "123-45-6789 Smith", "")
	f(one, "123-45-678 José", "")
	f(one, "9123-45-6789 José", "")
	f(two, "123-45-6789 José", "")
	f(two, "123-45-6789 José, José", "")
	f(two, "jose@example.org is José: 123-45-6789", found)
	f(two, "987-65-4321 Ann Mary Smith", found)
	f(two, "987-65-4321 Bob Smith", "")
	f(two, "987-65-4321 Bob Jones, 123-45-6789 José O'Brien, again 123456789", "acme.person 3/2 85 at note")
	f(one, "123-45-6789 "+strings.Repeat("é", 298)+" José", found)
	f(one, "123-45-6789"+strings.Repeat(" ", 301)+"José", "")
	f(one, "123-45-\n6789 José", "")
	f(scanner(t, exactly(file, 0)), "123-45-6789", found)
	record := `{"id":"123-45-6789","name":{"first":"Jos\u00e9","last":"O'Brien"}}`
	if got := inJSON(two, record); got != "acme.person 1/1 85 at id" {
		t.Errorf("in a record: %q", got)
	}
	if _, err := two.File(t.Context(), strings.NewReader(people), "people.csv", -1, extract.Limits{}); err != nil {
		t.Fatal(err)
	}
	if got := told(two); got != "acme.person 3/2 85 at row 2, id, row 3, id, row 4, id" {
		t.Errorf("in a file: %q", got)
	}
	for _, x := range two.Findings() {
		if x.Samples[0] != "*******89" || x.Reasons[0].Check != "row of a table, 3 of 3 other columns" {
			t.Errorf("finding %+v", x)
		}
	}
}

func TestPrimaryColumnsAreEachEnough(t *testing.T) {
	file, _ := built(t, strings.NewReader("id,card,name\nA-1234,4000 1234,Ann\n"), "id,card", "name")
	s := scanner(t, exactly(file, 1))
	if got := inText(s, "a1234 Ann"+strings.Repeat(" ", 400)+"Ann 4000-1234"); got != "acme.person 2/2 85 at note" {
		t.Errorf("got %q", got)
	}
}

func TestATableShowsNoValueWithoutItsKey(t *testing.T) {
	file, _ := built(t, strings.NewReader(people), "id", "first,last,mail")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	low := bytes.ToLower(raw)
	for _, v := range []string{"123-45-6789", "123456789", "jos", "brien", "obrien", "smith", "example"} {
		if bytes.Contains(low, []byte(v)) {
			t.Errorf("the table holds %q", v)
		}
	}
	file, _ = built(t, strings.NewReader("id,city\n11111,Rome\n22222,Rome\n33333,Rome\n"), "id", "city")
	x, err := openTable(file, []byte(tableKey))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, id := range []string{"11111", "22222", "33333"} {
		hash, _ := newHasher([]byte(tableKey)).primary(0, []byte(id))
		rows, _ := x.rows(0, hash, nil)
		if len(rows) != x.width || seen[string(rows[keyBytes:])] {
			t.Errorf("%s: equal values of two rows look alike, or there is no row: %x", id, rows)
		}
		seen[string(rows[keyBytes:])] = true
	}
}

func TestATableThatCannotBeUsedSaysWhy(t *testing.T) {
	file, _ := built(t, strings.NewReader(people), "id", "first,last,mail")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f := func(want string, d Detector) {
		t.Helper()
		if _, err := New([]Detector{d}); err == nil || !strings.Contains(err.Error(), `detector "acme.person": exact_match: `) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	d := exactly(file, 1)
	d.ExactMatch.Key = configopaque.String("another key of 32 bytes, or nearly")
	f("the key is not the one that it was built with", d)
	d.ExactMatch.Key = "short"
	f("the key has 5 bytes: want at least 16", d)
	f("min_secondary: 4: "+file+" has 3", exactly(file, 4))
	f("no such file", exactly(file+"x", 1))
	cut := filepath.Join(t.TempDir(), "cut.edm")
	for _, n := range []int{0, 1, len(tableBegins), len(raw) / 2, len(raw) - 1} {
		if err := os.WriteFile(cut, raw[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		f("cut.edm: it is truncated", exactly(cut, 1))
	}
	for i := len(tableBegins); i < len(raw); i += 7 {
		bad := bytes.Clone(raw)
		bad[i] ^= 1
		if err := os.WriteFile(cut, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openTable(cut, []byte(tableKey)); err == nil {
			t.Errorf("byte %d is damaged, and that is not seen", i)
		}
	}
}

func TestACSVThatIsNoTableSaysWhy(t *testing.T) {
	f := func(want, csv, primary, secondary string) {
		t.Helper()
		b := Build{Key: []byte(tableKey), Primary: strings.Fields(primary), Secondary: strings.Fields(secondary)}
		file := filepath.Join(t.TempDir(), "t.edm")
		if _, err := b.WriteTable(t.Context(), strings.NewReader(csv), file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if left, _ := os.ReadDir(filepath.Dir(file)); len(left) > 0 {
			t.Errorf("%s: a file is left", want)
		}
	}
	f(`no column is called "x": there are id, name`, "id,name\n1,2\n", "x", "")
	f(`column "id" is named twice`, "id,name\n1,2\n", "id", "id")
	f(`no primary column`, "id,name\n", "", "name")
	f(`no row has all primary values`, "id,name\n,2\n", "id", "name")
	f(`line 3: wrong number of fields`, "id,name\n12345,2\n1\n", "id", "name")
	f(`read the names of the columns: EOF`, "", "id", "name")
	b := Build{Key: []byte("short"), Primary: []string{"id"}}
	if _, err := b.WriteTable(t.Context(), strings.NewReader("id\n12345\n"), "x"); err == nil {
		t.Error("a short key is taken")
	}
}

// rowsOf is a CSV of n rows.
type rowsOf struct {
	n, i int
	left []byte
}

// Read is io.Reader's.
func (r *rowsOf) Read(b []byte) (int, error) {
	for len(r.left) == 0 {
		switch {
		case r.i > r.n:
			return 0, io.EOF
		case r.i == 0:
			r.left = []byte("id,first,last,born\n")
		default:
			r.left = fmt.Appendf(nil, "%09d,name%d,family%d,19%02d-%02d-01\n", r.i*97, r.i%5000, r.i%70000, r.i%100, r.i%12+1)
		}
		r.i++
	}
	n := copy(b, r.left)
	r.left = r.left[n:]
	return n, nil
}

// BenchmarkExactMatch has EDM_ROWS rows, 10,000,000 for the figures in docs/benchmarks.md.
func BenchmarkExactMatch(b *testing.B) {
	n := 0
	if _, err := fmt.Sscan(cmp.Or(os.Getenv("EDM_ROWS"), "100000"), &n); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	file, _ := built(b, &rowsOf{n: n}, "id", "first,last,born")
	took := time.Since(began)
	info, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began = time.Now()
	own, err := New([]Detector{exactly(file, 2)})
	if err != nil {
		b.Fatal(err)
	}
	opened := time.Since(began)
	runtime.GC()
	runtime.ReadMemStats(&after)
	_, text := many(1)
	for i := range 1000 {
		text = fmt.Appendf(text, "%09d name%d family%d\n", (i+1)*97, (i+1)%5000, (i+1)%70000)
	}
	m, found := own.Matcher(), 0
	rate(b, len(text), func() { found = len(m.Match(&dlp.Passage{Text: text, To: len(text)})) })
	if found != min(n, 1000) {
		b.Errorf("%d rows found", found)
	}
	b.ReportMetric(float64(info.Size())/1e6, "MB-file")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB-heap")
	b.ReportMetric(float64(info.Size())/float64(n)*1e7/1e6, "MB/10M-rows")
	b.ReportMetric(took.Seconds(), "s-build")
	b.ReportMetric(opened.Seconds(), "s-open")
	runtime.KeepAlive(own)
}

func TestBuildingEndsWhenItIsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := Build{Key: []byte(tableKey), Primary: []string{"id"}}
	if _, err := b.WriteTable(ctx, &rowsOf{n: 5000}, filepath.Join(t.TempDir(), "t")); err == nil {
		t.Error("it went on")
	}
}

func TestTextsThatRepeatPrimaryValuesCostNoMore(t *testing.T) {
	file, _ := built(t, &rowsOf{n: 3000}, "id", "first,last,born")
	own, err := New([]Detector{exactly(file, 3)})
	if err != nil {
		t.Fatal(err)
	}
	text := []byte(strings.Repeat("000000097 name2 family3 ", 20000))
	m := own.Matcher().(*matcher)
	if got := m.Match(&dlp.Passage{Text: text, To: len(text)}); len(got) > 0 {
		t.Errorf("%d rows", len(got))
	}
	if m.searches[0].work > maxWork {
		t.Errorf("%d hashes", m.searches[0].work)
	}
}
