package box

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/documents"
	"github.com/longshore-dev/longshore/oracles/procs"
)

// TestRealDocumentsAreJudgedOnTheirWay puts documents that nobody here made into the fake, beside some with planted values,
// and lets the program read them as it reads Box: each has a verdict or a reason, and no planted value is in a byte that was
// written.
func TestRealDocumentsAreJudgedOnTheirWay(t *testing.T) {
	e := serve(t, sim.Options{Seed: 61, Events: 100, Users: 4, Files: 50, Limits: -1, Start: time.Now().Add(-30 * time.Hour),
		Span: 24 * time.Hour})
	owner := e.files(t)[0].Owner.ID
	put := map[string]string{} // names by id
	size, largest := 0, 0
	for i, f := range documents.Files(t) {
		kind := strings.ToLower(path.Ext(f.Name))
		if !slices.Contains([]string{".docx", ".docm", ".xlsx", ".xlsm", ".pptx", ".doc", ".xls", ".ppt", ".pdf", ".zip", ".jar",
			".7z", ".tar", ".gz", ".odt", ".ods", ".odp", ".rtf", ".html", ".csv", ".xml"}, kind) {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		size, largest = size+len(content), max(largest, len(content))
		put[e.create(t, owner, "0", fmt.Sprintf("%d %s", i, path.Base(f.Name)), string(content)).ID] = f.Name
	}
	if len(put) < 100 {
		t.Fatalf("only %d documents", len(put))
	}
	rnd := sim.NewRand(61, 1)
	var planted []string
	for i := range 20 {
		var text, value string
		for len(value) < 9 { // in one piece, so that it can be looked for
			text = sim.Plant(rnd, []string{sim.Card, sim.SSN, sim.IBAN, sim.AWSKey, sim.JWT}[i%5])
			value = longest(strings.Fields(text))
		}
		planted = append(planted, value)
		e.create(t, owner, "0", fmt.Sprintf("planted %d.txt", i), "Dear all,\n"+text+"\n")
	}
	dir := t.TempDir()
	db := filepath.Join(dir, "longshore.db")
	p := procs.Pipeline{Dir: dir, Order: []string{"dlp"}, Processors: procs.M{"dlp": procs.M{}},
		Receivers: procs.M{"box/acme": e.receiver(procs.M{"quota_share": 1})},
		Exporters: procs.M{"sqlite": procs.M{"path": db}}}
	files := e.files(t)
	c := p.Start(t)
	var looked time.Time
	procs.Until(t, "a verdict on every document", 5*time.Minute, func() bool {
		if c.Ended() {
			t.Fatalf("the collector ended:\n%s", c.Said())
		}
		if time.Since(looked) < time.Second {
			return false
		}
		looked = time.Now()
		return judged(files, verdicts(t, db)) == 0
	})
	peak := c.Peak()
	c.Stop()
	outcomes, found := map[string]int{}, 0
	stored(t, db, "dataset = 'saas.finding'", func(d doc, text string) {
		switch {
		case d.Event.Action == "content_match":
			found++
		case d.Event.Action != "content_scan" || put[d.SAAS.File.ID] == "":
		default:
			outcomes[d.SAAS.Finding.Scan]++
			if d.SAAS.Finding.Scan != "done" && d.Event.Reason == "" {
				t.Errorf("%s is %s and nobody says why", put[d.SAAS.File.ID], d.SAAS.Finding.Scan)
			}
		}
	})
	if found < len(planted) {
		t.Errorf("%d findings, %d values were planted", found, len(planted))
	}
	absent(t, dir, c.Said(), planted)
	t.Logf("%d documents, %d MB, the largest %d MB: %v; peak %d MB", len(put), size>>20, largest>>20, outcomes, peak>>20)
}

// longest is the longest word: the value in a planted sentence.
func longest(words []string) string {
	return slices.MaxFunc(words, func(a, b string) int { return len(a) - len(b) })
}

// absent checks that no value is in anything that was written.
func absent(t *testing.T, dir, said string, values []string) {
	t.Helper()
	look := func(where string, b []byte) {
		for i, v := range values {
			if bytes.Contains(b, []byte(v)) {
				t.Errorf("planted value %d is in %s", i, where)
			}
		}
	}
	look("the log", []byte(said))
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		look(name, b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
