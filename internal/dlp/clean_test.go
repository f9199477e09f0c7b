package dlp

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/sim"
)

// alarms counts the findings of high confidence in clean texts, but for addresses of people and machines, which are what they seem.
type alarms struct {
	s     *Scanner
	bytes int
	of    map[string]int
}

func (a *alarms) scan(text []byte) {
	a.bytes += len(text)
	for _, c := range a.s.Claims(text, "") {
		if c.kind != email && c.kind != ipAddr {
			a.of[c.Type().ID]++
		}
	}
}

// TestCleanTextsRaiseNoAlarm bounds the false findings of high confidence in source code, audit events and dumps at 0.1 for 1 MB.
func TestCleanTextsRaiseNoAlarm(t *testing.T) {
	check := func(name string, a *alarms) {
		t.Helper()
		n := 0
		for _, k := range a.of {
			n += k
		}
		mb := float64(a.bytes) / 1e6
		if t.Logf("%s: %d in %.1f MB: %v", name, n, mb, a.of); mb < 1 || float64(n) > 0.1*mb {
			t.Errorf("%s: %d findings in %.1f MB, want at most 0.1 for each: %v", name, n, mb, a.of)
		}
	}
	s := all(t, High)
	code := &alarms{s: s, of: map[string]int{}}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(filepath.Join(strings.TrimSpace(string(root)), "src"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "testdata" {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil // tests hold values on purpose
		}
		text, err := os.ReadFile(path)
		code.scan(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	check("Go's own source", code)

	events := &alarms{s: s, of: map[string]int{}}
	for range 10 {
		events.scan(bytes.Join(sparse(), []byte("\n")))
	}
	check("audit events", events)

	r, dump := sim.NewRand(41, 1), &alarms{s: s, of: map[string]int{}}
	for range 40 {
		var b bytes.Buffer
		for at := range 8 << 10 {
			fmt.Fprintf(&b, "%08x ", at*16)
			for range 8 {
				fmt.Fprintf(&b, " %02x%02x", r.N(256), r.N(256))
			}
			b.WriteByte('\n')
		}
		dump.scan(b.Bytes())
	}
	check("dumps", dump)
}
