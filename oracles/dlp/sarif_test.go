package dlp

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/longshore-dev/longshore/oracles/procs"
)

// TestALogOfFindingsIsSARIF has a log of `scan --sarif` read and checked against the schema of SARIF 2.1.0 by a library.
func TestALogOfFindingsIsSARIF(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a b.txt": "SSN 536-90-4399\ncard 4539 1488 0343 6467\n", "b.csv": "name,card\nAna,4539 1488 0343 6467\n",
		"c.png": "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "d.txt": "nothing"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, of := range []string{".", "d.txt"} {
		cmd := exec.Command(procs.Binary(t), "scan", "--sarif", of)
		cmd.Dir = dir
		log, err := cmd.Output()
		if exit := new(exec.ExitError); err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) {
			t.Fatal(err)
		}
		r, err := sarif.FromBytes(log)
		if err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
		run := r.Runs[0]
		// The library has no place for their defaults, which it writes empty.
		run.Language, run.Tool.Driver.Language, run.NewlineSequences = "en-US", "en-US", []string{"\n"}
		if err := r.Validate(); err != nil {
			t.Errorf("%v\n%s", err, log)
		}
		if of == "d.txt" {
			if len(run.Results) != 0 {
				t.Errorf("%d results", len(run.Results))
			}
			continue
		}
		if len(run.Results) != 3 || len(run.Tool.Driver.Rules) != 2 || len(run.Invocations[0].ToolExecutionNotifications) != 1 {
			t.Errorf("%d results, %d rules, want 3 and 2:\n%s", len(run.Results), len(run.Tool.Driver.Rules), log)
		}
		place := run.Results[0].Locations[0].PhysicalLocation
		if *place.ArtifactLocation.URI != "a%20b.txt" || *place.Region.StartLine < 1 {
			t.Errorf("the first result is at %s", *place.ArtifactLocation.URI)
		}
	}
}
