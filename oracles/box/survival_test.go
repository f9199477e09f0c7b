package box

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
)

// doc is what the tests read of a stored document.
type doc struct {
	Event  struct{ ID, Action, Kind, Outcome, Reason string }
	Entity struct{ ID string }
	File   struct {
		Name string
		Hash struct{ SHA1 string }
	}
	SAAS struct {
		File    struct{ ID string }
		Finding struct {
			Scan     string
			DataType []string `json:"data_type"`
		}
		Action struct{ ID, Mode, Policy string }
	}
}

// stored calls f for the documents that a condition lets through. The store may be written to meanwhile.
func stored(t *testing.T, path, where string, f func(d doc, text string)) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(context.Background(), "SELECT doc FROM documents WHERE "+where)
	if err != nil {
		if strings.Contains(err.Error(), "no such table") || strings.Contains(err.Error(), "unable to open") {
			return // it begins
		}
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		var d doc
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		f(d, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// verdicts are how many verdict documents there are of each file's content, by "id sha1".
func verdicts(t *testing.T, path string) map[string]int {
	t.Helper()
	n := map[string]int{}
	stored(t, path, "dataset = 'saas.finding'", func(d doc, _ string) {
		if d.Event.Action == "content_scan" {
			n[d.SAAS.File.ID+" "+strings.ToLower(d.File.Hash.SHA1)]++
		}
	})
	return n
}

// latest is the content of a file as verdicts name it.
func (f file) latest() string { return f.ID + " " + strings.ToLower(f.SHA1) }

// judged says whether the latest content of all files has a verdict.
func judged(files []file, n map[string]int) (missing int) {
	for _, f := range files {
		if n[f.latest()] == 0 {
			missing++
		}
	}
	return missing
}

const download = "/2.0/files/{file}/content"

// TestKilledDuringTheWalkEveryFileIsJudgedOnce kills the program (SIGKILL) while it walks all files for the first time and
// users write new versions. LONGSHORE_LONG kills it 50 times in 25,000 files, of which 20,000 can be read, instead of 5 times in 1,200.
func TestKilledDuringTheWalkEveryFileIsJudgedOnce(t *testing.T) {
	kills, count, users := 5, 1200, 12
	if procs.Long() {
		kills, count, users = 50, 25_000, 26
	}
	e := serve(t, sim.Options{Seed: 51, Events: 1000, Users: users, Files: count, Limits: 1000, Start: time.Now().Add(-30 * time.Hour),
		Span: 24 * time.Hour})
	dir := t.TempDir()
	path := filepath.Join(dir, "longshore.db")
	p := procs.Pipeline{Dir: dir, Order: []string{"dlp"}, Processors: procs.M{"dlp": procs.M{}},
		Receivers: procs.M{"box/acme": e.receiver(procs.M{"quota_share": 1, "streams": procs.M{"events": procs.M{"interval": "2s"}}})},
		Exporters: procs.M{"sqlite": procs.M{"path": path}}}
	files := e.files(t)
	rnd := rand.New(rand.NewPCG(51, 51))
	changes := 0
	change := func() {
		for range 4 {
			changes++
			e.upload(t, files[rnd.IntN(len(files))], fmt.Sprintf("version %d: nothing to see, card 4539 1488 0343 646%d", changes, changes%10))
		}
	}
	before := 0
	for i := range kills {
		c := p.Start(t)
		if i%4 != 0 { // a quarter of them may die before the first verdict
			procs.Until(t, "a verdict", 3*time.Minute, func() bool {
				return c.Ended() || len(verdicts(t, path)) > before
			})
		}
		change()
		<-time.After(time.Duration(rnd.Int64N(int64(900 * time.Millisecond))))
		if c.Ended() {
			t.Fatalf("life %d ended by itself:\n%s", i+1, c.Said())
		}
		c.Kill()
		n := verdicts(t, path)
		if before = len(n); judged(files, n) == 0 {
			t.Fatalf("all was judged before kill %d of %d", i+1, kills)
		}
	}
	died := e.Seen.Count("GET", download, 302)
	c := p.Start(t)
	change()
	files = e.files(t)
	var n map[string]int
	var looked time.Time
	procs.Until(t, "a verdict on every file", 20*time.Minute, func() bool {
		if c.Ended() {
			t.Fatalf("the collector ended:\n%s", c.Said())
		}
		if time.Since(looked) < time.Second {
			return false
		}
		looked = time.Now()
		n = verdicts(t, path)
		return judged(files, n) == 0
	})
	c.Stop()
	n = verdicts(t, path)
	for id, times := range n {
		if times != 1 {
			t.Errorf("%s has %d verdicts", id, times)
		}
	}
	known := map[string]bool{}
	stored(t, path, "dataset = 'box.inventory'", func(d doc, _ string) { known[d.Entity.ID] = true })
	for _, f := range files {
		if !known[f.ID] {
			t.Errorf("file %s was not walked", f.ID)
		}
	}
	fetched := e.Seen.Count("GET", download, 302)
	t.Logf("%d files, %d changes, %d kills: %d verdicts, %d downloads (%d before the last life)", len(files), changes, kills, len(n),
		fetched, died)
	const inFlight = 32 // files read at a time, whose verdict a kill may cost
	if most := len(n) + kills*inFlight; fetched > most || fetched == 0 {
		t.Errorf("%d downloads for %d verdicts and %d kills, at most %d", fetched, len(n), kills, most)
	}
}
