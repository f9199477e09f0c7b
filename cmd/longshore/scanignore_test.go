package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestScanLeavesOutWhatIsToBeIgnored(t *testing.T) {
	card := "card " + aCard
	folder(t, "all/.longshoreignore", "# fixtures\n*.fixture\n/testdata/\ndocs/**/old.txt\n!keep.fixture\n",
		"all/a.txt", card, "all/b.fixture", card,
		"all/x/keep.fixture", card, "all/testdata/a.txt", card, "all/x/testdata/a.txt", card, "all/docs/1/2/old.txt", card,
		"more.ignore", "x/\n", "bad.ignore", "ok\n[a\n")
	found := func(args ...string) (paths []string) {
		t.Helper()
		_, out, errs := call(t, "", append([]string{"scan"}, args...)...)
		for line := range strings.SplitSeq(out, "\n") {
			if f := strings.Fields(line); len(f) > 1 && f[1] == "pci.credit_card" {
				paths = append(paths, f[0])
			}
		}
		if errs != "" {
			t.Errorf("%v: %s", args, errs)
		}
		return paths
	}
	if got, want := found("all"), []string{"all/a.txt", "all/x/keep.fixture", "all/x/testdata/a.txt"}; !slices.Equal(got, want) {
		t.Errorf("found in %v, want %v", got, want)
	}
	if got, want := found("--ignore", "more.ignore", "all"), []string{"all/a.txt"}; !slices.Equal(got, want) {
		t.Errorf("found in %v, want %v", got, want)
	}
	if got, want := found("all/b.fixture"), []string{"all/b.fixture"}; !slices.Equal(got, want) {
		t.Errorf("a file that is named: found in %v, want %v", got, want)
	}
	for name, want := range map[string]string{"none": "no such file", "bad.ignore": `bad.ignore, line 2: "[a" is no pattern of files`} {
		if code, _, errs := call(t, "", "scan", "--ignore", name, "all"); code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d, %s", name, code, errs)
		}
	}
}

// TestPatternsAreThoseOfGit compares with git's own, where git is.
func TestPatternsAreThoseOfGit(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("there is no git here")
	}
	files := []string{"a.txt", "b/a.txt", "b/c/a.txt", "b/c/d.log", "log", "x/log", "build/o", "x/build/o", "doc/frotz/a", "a/doc/frotz/a",
		"foo.bar",
		"b/foo.bar", "#x", "!y"}
	patterns := []string{"*.txt", "/a.txt", "b/", "log", "build/", "doc/frotz/", "/b/**", "**/c", "b/*/a.txt", "*.txt\n!a.txt",
		"foo.*", "[ab]", "?",
		"b/**/d.log", "\\#x", "\\!y", "*\n!*/\n!*.log", "x/**\n!x/log"}
	var made []string
	for _, f := range files {
		made = append(made, f, "x")
	}
	folder(t, made...)
	if out, err := exec.Command(git, "init", "-q", ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, p := range patterns {
		for _, name := range []string{".gitignore", ignoreFile} {
			if err := os.WriteFile(name, []byte(p+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(git, "check-ignore", "--no-index", "--stdin")
		cmd.Stdin = strings.NewReader(strings.Join(files, "\n"))
		out, err := cmd.Output()
		if exit := new(exec.ExitError); err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) {
			t.Fatalf("%q: %v", p, err)
		}
		theirs := strings.Fields(strings.ReplaceAll(string(out), `"`, ""))
		list, err := readIgnores(ignoreFile, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			ours := false
			for dir := filepath.Dir(f); dir != "."; dir = filepath.Dir(dir) {
				ours = ours || list.leaveOut(".", dir, true)
			}
			ours = ours || list.leaveOut(".", f, false)
			if want := slices.Contains(theirs, f); ours != want {
				t.Errorf("%q of %q: %t, want %t", p, f, ours, want)
			}
		}
	}
}
