package main

import (
	"bytes"
	"encoding/json"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestGeneratedPagesAreThoseOfTheCode(t *testing.T) {
	pages, err := (&program{set: settings()}).pages("../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) == 0 {
		t.Fatal("no page is generated")
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join("../..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is not what the code says; run: go generate ./cmd/longshore\n%s", name, firstDifference(string(got), want))
		}
	}
	err = filepath.WalkDir("../../deploy", func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel("../..", path)
		if _, ok := pages[filepath.ToSlash(name)]; err == nil && filepath.Ext(path) == ".json" && !ok {
			t.Errorf("%s is nothing that the exporter installs", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// firstDifference shows the first line in which two texts differ.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "it has:  " + g[i] + "\nit wants: " + w[i]
		}
	}
	return "one is longer"
}

// TestComponentsAreThoseOfTheList: components.go is what the builder makes of builder-config.yaml, gofmt'ed.
func TestComponentsAreThoseOfTheList(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command("go", "tool", "builder", "--config", "../../builder-config.yaml", "--skip-compilation", "--skip-get-modules",
		"--output-path", dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("run the builder: %v\n%s", err, out)
		}
		t.Skipf("the builder cannot run here: %v\n%s", err, out)
	}
	made, err := os.ReadFile(filepath.Join(dir, "components.go"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := format.Source(made)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("components.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("components.go is not what builder-config.yaml says; run: go generate ./cmd/longshore\n%s",
			firstDifference(string(got), string(want)))
	}
}

func TestDurationsAreWrittenShort(t *testing.T) {
	f := func(d time.Duration, want string) {
		t.Helper()
		if got := short(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
	f(0, "")
	f(30*time.Second, "30s")
	f(time.Minute, "1m")
	f(90*time.Second, "1m30s")
	f(time.Hour, "1h")
	f(90*time.Minute, "1h30m")
	f(24*time.Hour, "24h")
	f(20*time.Minute, "20m")
	f(10*time.Hour, "10h")
}

func TestTheRecordShownIsWhatNormalizeGives(t *testing.T) {
	text, err := os.ReadFile("../../docs/records.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "```")
	if len(parts) != 5 {
		t.Fatalf("%d parts between fences, want 5", len(parts))
	}
	code, out, errs := call(t, strings.TrimPrefix(parts[1], "json\n"), "normalize", "--app", "okta")
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	var want bytes.Buffer
	if err := json.Indent(&want, []byte(out), "", "  "); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimPrefix(parts[3], "json\n"); got != want.String() {
		t.Errorf("docs/records.md shows another document\n%s", firstDifference(got, want.String()))
	}
}

func TestLinksOfTheDocumentationLeadSomewhere(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) < 5 {
		t.Fatalf("%d pages found, %v", len(pages), err)
	}
	more, err := filepath.Glob("../../docs/*/*.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, page := range append(append(pages, more...), "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`).FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			n++
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d links found: the test does not see them", n)
	}
}
