package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// module writes a module of one package with targets and gives its folder.
func module(t *testing.T, targets string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.25\n", "p/p.go": "package p\n", "other/go.mod": "module example.com/o\n",
		"other/o_test.go": "package o\nimport \"testing\"\nfunc FuzzOther(f *testing.F) {}\n",
		"p/p_test.go":     "package p\nimport (\"testing\"; \"time\")\nvar _ = time.Now\nfunc Fuzzy() {}\n" + targets} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	good = "func FuzzGood(f *testing.F) { f.Add(1); f.Fuzz(func(*testing.T, int) {}) }\n"
	bad  = "func FuzzBad(f *testing.F) { f.Add(1); f.Fuzz(func(t *testing.T, n int) { if n != 1 { t.Fatal(\"not one\") } }) }\n"
	slow = "func FuzzSlow(f *testing.F) { f.Add(1); f.Fuzz(func(*testing.T, int) { time.Sleep(time.Second) }) }\n"
)

func TestTargetsAreFoundAndRunAndFail(t *testing.T) {
	dir := module(t, good+bad+slow)
	var out strings.Builder
	err := command(t.Context(), []string{"-root", dir, "-under", ".", "-time", "2s"}, &out)
	if err == nil {
		t.Fatalf("no failure:\n%s", out.String())
	}
	for _, want := range []string{"FuzzBad of p: exit status 1", "FuzzSlow of p: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v: no %q", err, want)
		}
	}
	for _, want := range []string{"inputs are too few, at least 10", "not one", "3 targets, 2 failed",
		"that is " + filepath.Join(dir, "p", "testdata", "fuzz", "FuzzBad")} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "p", "testdata", "fuzz", "*", "*")); len(found) != 1 {
		t.Errorf("written into testdata: %v", found)
	}
}

func TestWhatRunsWithoutAFailureWritesNothing(t *testing.T) {
	dir := module(t, good+bad)
	var out strings.Builder
	if err := command(t.Context(), []string{"-root", dir, "-under", "p", "-time", "1s", "-only", "Good"}, &out); err != nil ||
		!strings.Contains(out.String(), "1 targets, 0 failed") {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "p", "testdata")); err == nil {
		t.Error("something was written into the package")
	}
	if err := command(t.Context(), []string{"-root", dir, "-only", "Nothing", "-under", "."}, &out); err == nil {
		t.Error("no targets are no failure")
	}
}
