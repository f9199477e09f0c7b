package box

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
)

// mixed are files of all kinds in an enterprise: which of them hold a value, and of which type.
type mixed struct {
	all     []string // ids
	planted map[string]string
	bytes   int
}

// mix puts n files of all kinds in turn into the folders of all owners. One in 20 holds a value, another one something that looks like one.
// They have 8 to 200 lines, one in 50 has 4,000.
func (e *enterprise) mix(t *testing.T, n int) mixed {
	t.Helper()
	var owners []string
	for _, f := range e.files(t) {
		if !slices.Contains(owners, f.Owner.ID) {
			owners = append(owners, f.Owner.ID)
		}
	}
	kinds := []string{sim.Card, sim.SSN, sim.IBAN, sim.AWSKey, sim.JWT}
	rnd := sim.NewRand(67, 1)
	m := mixed{planted: map[string]string{}}
	for i := range n {
		ext := made.Extensions[i%len(made.Extensions)]
		count := 8 + rnd.N(193)
		if i%50 == 7 {
			count = 4000
		}
		lines := make([]string, count)
		for k := range lines {
			words := make([]string, 6+rnd.N(8))
			for w := range words {
				words[w] = sim.Pick(rnd, sim.Words[:60]) // of the letters that every format has
			}
			lines[k] = strings.Join(words, " ")
		}
		planted := ""
		switch at := rnd.N(count); {
		case i%20 == 3 && ext != "png":
			planted = kinds[i/20%len(kinds)]
			lines[at] += ". " + sim.Plant(rnd, planted) + "."
		case i%20 == 13:
			lines[at] += ". " + sim.Decoy(rnd) + "."
		}
		content := made.File(t, ext, lines)
		id := e.create(t, owners[i%len(owners)], "0", fmt.Sprintf("report %d.%s", i, ext), content).ID
		m.all, m.bytes = append(m.all, id), m.bytes+len(content)
		if planted != "" {
			m.planted[id] = planted
		}
	}
	return m
}

// judgements counts the verdicts that are stored. The store may be written to meanwhile.
func judgements(t *testing.T, path string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.QueryRowContext(context.Background(),
		"SELECT count(*) FROM documents WHERE dataset = 'saas.finding' AND doc LIKE '%\"action\":\"content_scan\"%'").Scan(&n)
	if err != nil && !strings.Contains(err.Error(), "no such table") && !strings.Contains(err.Error(), "unable to open") {
		t.Fatal(err)
	}
	return n
}

// TestTenThousandFilesOfAllKindsAreJudged measures the way of content: files are fetched from Box, read, looked at, and what is found is
// stored; the program is a process of its own. What is found is what was planted, and a second walk fetches nothing. The short form has
// 500 files.
func TestTenThousandFilesOfAllKindsAreJudged(t *testing.T) {
	n, users := 500, 12
	if procs.Long() {
		n = 10_000
	}
	e := serve(t, sim.Options{Seed: 67, Events: 100, Users: users, Files: 60, Limits: -1, Start: time.Now().Add(-30 * time.Hour),
		Span: 24 * time.Hour})
	m := e.mix(t, n)
	files := e.files(t)
	dir := t.TempDir()
	db := filepath.Join(dir, "longshore.db")
	p := procs.Pipeline{Dir: dir, Order: []string{"dlp"}, Processors: procs.M{"dlp": procs.M{}},
		Receivers: procs.M{"box/acme": e.receiver(procs.M{"quota_share": 1})},
		Exporters: procs.M{"sqlite": procs.M{"path": db}}}
	if path := os.Getenv("LONGSHORE_PROFILE"); path != "" { // of the processor, for who wants to know where time goes
		p.Extensions = procs.M{"pprof": procs.M{"endpoint": "127.0.0.1:0", "save_to_file": path}}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	began := time.Now()
	c := p.Start(t)
	procs.Until(t, "a verdict on every file", 20*time.Minute, func() bool {
		if c.Ended() {
			t.Fatalf("the collector ended:\n%s", c.Said())
		}
		<-time.After(200 * time.Millisecond)
		return judgements(t, db) >= len(files) && judged(files, verdicts(t, db)) == 0
	})
	took, cpu, peak := time.Since(began), c.CPU(), c.Peak()
	c.Stop()
	found, outcomes := m.found(t, db)
	if !maps.Equal(found, m.planted) {
		t.Errorf("%d files with findings, %d were planted: %v", len(found), len(m.planted), differing(found, m.planted))
	}
	fetched := e.Seen.Count("GET", download, 302)
	e.walkedAgain(t, p, db, users)
	s := took.Seconds()
	t.Logf("%d files, %.0f MB, in %.1f s: %.0f files/s, %.1f MB/s, %.1f ms of the processor each; "+
		"peak %d MB; %d downloads; %v; load before %s", len(files), float64(m.bytes)/1e6, s, float64(len(files))/s, float64(m.bytes)/1e6/s,
		1e3*cpu.Seconds()/float64(len(files)),
		peak>>20, fetched, outcomes, strings.TrimSpace(string(load)))
}

// walkedAgain starts the program again, which walks all files once more a minute after the first time, and fetches none of them.
func (e *enterprise) walkedAgain(t *testing.T, p procs.Pipeline, db string, users int) {
	t.Helper()
	listed := func() int { return e.Seen.Count("GET", "/2.0/folders/{folder}/items", 200) }
	fetched := func() int { return e.Seen.Count("GET", download, 302) }
	verdicts, files, lists := judgements(t, db), fetched(), listed()
	p.Extensions = nil
	p.Receivers["box/acme"].(procs.M)["files"] = procs.M{"scan_every": "1m"}
	c := p.Start(t)
	last, since := lists, time.Now()
	procs.Until(t, "a second walk", 5*time.Minute, func() bool {
		if n := listed(); n != last {
			last, since = n, time.Now()
		}
		return last > lists && time.Since(since) > 5*time.Second
	})
	c.Stop()
	if more := fetched() - files; more != 0 || judgements(t, db) != verdicts {
		t.Errorf("the second walk fetched %d files, and there are %d more verdicts", more, judgements(t, db)-verdicts)
	}
	if last-lists < users {
		t.Errorf("the second walk listed %d folders, and there are %d users", last-lists, users)
	}
	t.Logf("the second walk listed %d folders and fetched nothing", last-lists)
}

// found are the types of what was found in the files that were put there, and what became of these.
func (m mixed) found(t *testing.T, db string) (types map[string]string, outcomes map[string]int) {
	t.Helper()
	types, outcomes = map[string]string{}, map[string]int{}
	stored(t, db, "dataset = 'saas.finding'", func(d doc, _ string) {
		id := d.SAAS.File.ID
		switch {
		case !slices.Contains(m.all, id):
		case d.Event.Action == "content_match":
			types[id] = strings.Join(append(strings.Fields(types[id]), d.SAAS.Finding.DataType...), " ")
		case d.Event.Action == "content_scan":
			outcomes[d.SAAS.Finding.Scan]++
		}
	})
	return types, outcomes
}

// differing are what two say otherwise.
func differing(a, b map[string]string) (out []string) {
	for id := range a {
		if a[id] != b[id] {
			out = append(out, fmt.Sprintf("%s: %q and %q", id, a[id], b[id]))
		}
	}
	for id := range b {
		if a[id] == "" {
			out = append(out, fmt.Sprintf("%s: nothing and %q", id, b[id]))
		}
	}
	return out
}
