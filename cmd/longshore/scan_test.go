package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp/extract"
)

// aCard is a number that passes all checks, as it is never to be shown.
const aCard = "4539148803436467"

// folder makes one of names and contents in turn and goes there.
func folder(t *testing.T, files ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for i := 0; i < len(files); i += 2 {
		if err := os.MkdirAll(filepath.Dir(files[i]), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(files[i], []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func archived(t *testing.T, name, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err == nil {
		_, err = io.WriteString(f, content)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestScanTellsWhatFilesHoldAndWhere(t *testing.T) {
	folder(t, "a/staff.csv", "name,card\nAnn,"+aCard+"\nBob,"+aCard+"\n", "a/b/in.zip", archived(t, "x/notes.txt", "hello\ncard "+aCard),
		"clean.txt", "nothing", "pic.png", "\x89PNG\r\n\x1a\n\x00\x00", ".git/config", "card "+aCard)
	if err := os.Symlink("staff.csv", "a/link"); err != nil {
		t.Fatal(err)
	}
	code, out, errs := call(t, "", "scan", ".")
	want := `PATH                  TYPE                      SURE  VALUES  MASKED, AND WHERE
a/b/in.zip            pci.credit_card             85       1  ************6467  at x/notes.txt: line 2
a/staff.csv           pci.credit_card             85       2  ************6467  at row 2, card; row 3, card

pic.png: not read: an image: there is no reader for it

2 findings in 2 files: scanned 4 files, 0.0 MB in `
	if code != exitFailed || errs != "" || !strings.HasPrefix(out, want) || !strings.HasSuffix(out, " s; 1 of them not, or not whole\n") {
		t.Errorf("exit code %d, stderr %q:\n%s\nwant:\n%s", code, errs, out, want)
	}
}

func TestScanAnswersByItsExitCode(t *testing.T) {
	f := func(code int, want, stdin string, args ...string) {
		t.Helper()
		got, out, errs := call(t, stdin, append([]string{"scan"}, args...)...)
		if got != code || !strings.Contains(out+errs, want) {
			t.Errorf("%v: exit code %d, want %d with %q:\n%s%s", args, got, code, want, out, errs)
		}
		if strings.Contains(out+errs, aCard) {
			t.Errorf("%v: the value is shown", args)
		}
	}
	folder(t, "clean.txt", "nothing", "bad.txt", "card "+aCard, "weak.txt", "x-"+aCard, ".git/a", "card "+aCard)
	f(exitOK, "nothing found: scanned 1 file,", "", "clean.txt")
	f(exitFailed, "1 finding in 1 file", "", "clean.txt", "bad.txt")
	f(exitOK, "nothing found: scanned 1 file", "", "weak.txt")
	f(exitFailed, "weak.txt", "", "weak.txt", "--min-confidence", "65")
	f(exitOK, "nothing found", "", "bad.txt", "--packs", "secrets")
	f(exitFailed, ".git/a", "", ".git")
	f(exitFailed, "-                     pci.credit_card", "card "+aCard, "-")
	f(exitOK, "nothing found", "hello", "-")
	f(exitOK, "only its first 10 bytes were read", strings.Repeat(" ", 10)+aCard, "-", "--max-size", "10")
	f(exitUsage, "no PATH to scan", "")
	f(exitUsage, "gone: no such file", "", "gone", "bad.txt")
	f(exitUsage, `--max-size "x"`, "", "--max-size", "x", ".")
	f(exitUsage, `--max-size "0"`, "", "--max-size", "0", ".")
	f(exitUsage, "--max-pages 0: want 1 or more", "", "--max-pages", "0", ".")
	f(exitUsage, "--max-depth -1", "", "--max-depth", "-1", ".")
	f(exitUsage, "--max-entries 0", "", "--max-entries", "0", ".")
	f(exitUsage, "--max-ratio 0.5", "", "--max-ratio", "0.5", ".")
	f(exitUsage, "--timeout -1s", "", "--timeout", "-1s", ".")
	f(exitUsage, "--min-confidence 0", "", "--min-confidence", "0", ".")
	f(exitUsage, `no detector pack is called "pcj"`, "", "--packs", "pcj", ".")
}

func TestScanSaysWhichFilesItCouldNotRead(t *testing.T) {
	var out bytes.Buffer
	tell := newTelling(&program{out: &out, errs: io.Discard}, false)
	if err := tell.tell(&scanned{path: "a.txt", err: &os.PathError{Op: "open", Path: "a.txt", Err: os.ErrPermission}}); err != nil {
		t.Fatal(err)
	}
	if err := tell.end(); !errors.Is(err, errUnread) || !strings.Contains(out.String(), "a.txt: cannot be read: permission denied") {
		t.Errorf("%v:\n%s", err, out.String())
	}
}

func TestScanWritesJSONLines(t *testing.T) {
	folder(t, "a\x1b[2J.csv", "name,card\nAnn,"+aCard+"\n", "clean.txt", "nothing", "p.pdf", "%PDF-1.4")
	code, out, _ := call(t, "", "scan", "--json", ".")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != exitFailed || len(lines) != 4 {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	var files [3]fileJSON
	for i := range files {
		if err := json.Unmarshal([]byte(lines[i]), &files[i]); err != nil {
			t.Fatal(err)
		}
	}
	if f := files[0]; f.Path != "a\x1b[2J.csv" || f.Outcome != "done" || len(f.Findings) != 1 || f.Findings[0].Type != "pci.credit_card" ||
		f.Findings[0].Confidence != 85 || f.Findings[0].Samples[0] != "************6467" || f.Findings[0].Locations[0] != "row 2, card" {
		t.Errorf("got %+v", f)
	}
	if f := files[2]; f.Outcome != "not_scanned" || f.Reason != "a damaged PDF: it cannot be opened" || f.Type != "application/pdf" {
		t.Errorf("got %+v", f)
	}
	var last map[string]sumsJSON
	if err := json.Unmarshal([]byte(lines[3]), &last); err != nil || last["summary"].Files != 3 || last["summary"].Unread != 1 {
		t.Errorf("%v: %s", err, lines[3])
	}
	if _, out, _ = call(t, "", "scan", "."); strings.Contains(out, "\x1b") {
		t.Errorf("a name acts on the terminal: %q", out)
	}
}

// stuck is stdin of which nothing comes.
type stuck struct{ end chan struct{} }

// Read is io.Reader's.
func (s stuck) Read([]byte) (int, error) {
	<-s.end
	return 0, io.EOF
}

func TestScanEndsAtOnceWhenInterrupted(t *testing.T) {
	in := stuck{make(chan struct{})}
	defer close(in.end)
	var f scanFlags
	f.packs, f.confidence, f.size = []string{"pci"}, 75, "1M"
	f.limits = extract.Limits{Depth: 4, Entries: 100, Ratio: 200, Pages: 100}
	s, err := newScanning(&program{in: in, out: io.Discard, errs: io.Discard}, f, []string{"-"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.run(ctx); err == nil || !strings.Contains(err.Error(), "interrupted after 0 files") {
		t.Errorf("got %v", err)
	}
}

func TestScanStopsAtTheLimitsThatItIsGiven(t *testing.T) {
	inner := archived(t, "a.txt", "card "+aCard)
	folder(t, "deep.zip", archived(t, "b.zip", archived(t, "in.zip", inner)),
		"wide.zip", inner, "packed.zip", archived(t, "z.txt", strings.Repeat("0", 2<<20)))
	f := func(path, want string, args ...string) {
		t.Helper()
		_, out, errs := call(t, "", append([]string{"scan", "--json", path}, args...)...)
		if !strings.Contains(out, want) {
			t.Errorf("%v: want %q:\n%s%s", args, want, out, errs)
		}
	}
	f("deep.zip", `"outcome":"done"`)
	f("deep.zip", `"outcome":"not_scanned"`, "--max-depth", "1")
	f("deep.zip", "only 1 entries were read", "--max-entries", "1")
	f("packed.zip", "ratio", "--max-ratio", "10")
	f("packed.zip", `"outcome":"done"`, "--max-ratio", "100000")
	f("wide.zip", "the time ran out", "--timeout", "1ns")
	f("wide.zip", `"outcome":"done"`, "--timeout", "1m")
}
