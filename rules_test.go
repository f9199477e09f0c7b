package longshore

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

const module = "github.com/longshore-dev/longshore/"

// source is one Go file of the product.
type source struct {
	path, dir string // slash-separated, from the root
	test      bool
	text      []byte
	file      *ast.File
	set       *token.FileSet
}

// tree reads all Go files of the product, generated ones left out.
func tree(t *testing.T) []source {
	t.Helper()
	var out []source
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := path.Base(name); name != "." && (base[0] == '.' || base[0] == '_' || base == "testdata" || name == "oracles") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil || bytes.HasPrefix(text, []byte("// Code generated ")) {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		out = append(out, source{name, path.Dir(name), strings.HasSuffix(name, "_test.go"), text, file, set})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("only %d files found: the test does not see the tree", len(out))
	}
	return out
}

// imports are the packages of this module that a file imports, from the root.
func (s source) imports() []string {
	var out []string
	for _, i := range s.file.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil && strings.HasPrefix(p, module) {
			out = append(out, strings.TrimPrefix(p, module))
		}
	}
	return out
}

func under(p string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return p == f || strings.HasPrefix(p, f+"/") })
}

// forbidden says why a package may not import another, or "".
func forbidden(from, to string) string {
	switch {
	case under(from, "receivers") && !under(to, "internal/saas", "internal/event", "internal/action", "internal/sim"):
		if strings.HasPrefix(to, from+"/") || to == from {
			return ""
		}
		return "a provider imports internal/{saas,event,action,sim} and nothing else of ours"
	case under(from, "internal") && !under(to, "internal"):
		return "internal packages import no component and no command"
	case under(from, "processors") && under(to, "receivers", "exporters"):
		return "processors reach a tenant only through internal/saas"
	case under(from, "exporters", "extensions") && under(to, "receivers", "processors"):
		return "components do not import each other"
	}
	return ""
}

func TestNobodyImportsWhatTheyMayNot(t *testing.T) {
	for _, s := range tree(t) {
		if s.test {
			continue
		}
		for _, to := range s.imports() {
			if why := forbidden(s.dir, to); why != "" {
				t.Errorf("%s imports %s: %s", s.path, to, why)
			}
		}
	}
}

func TestImportRulesAreAbleToFail(t *testing.T) {
	f := func(from, to string, allowed bool) {
		t.Helper()
		if (forbidden(from, to) == "") != allowed {
			t.Fatalf("%s imports %s: got %q", from, to, forbidden(from, to))
		}
	}
	f("receivers/okta", "internal/saas", true)
	f("receivers/okta", "receivers/box", false)
	f("receivers/okta", "internal/store", false)
	f("internal/saas", "receivers/okta", false)
	f("internal/store", "internal/event", true)
	f("processors/governance", "receivers/okta", false)
	f("cmd/longshore", "receivers/okta", true)
}

func TestPackagesAreNamedAfterTheirDomain(t *testing.T) {
	for _, s := range tree(t) {
		for _, part := range strings.Split(s.dir, "/") {
			if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "manager", "base"}, part) {
				t.Errorf("%s: %q says nothing about what is in it", s.path, part)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	has := map[string]bool{}
	all := tree(t)
	for _, s := range all {
		has[s.dir] = has[s.dir] || (path.Base(s.path) == "doc.go" && bytes.HasPrefix(s.text, []byte("//")))
	}
	for dir, ok := range has {
		if !ok {
			t.Errorf("%s has no doc.go", dir)
		}
	}
}

func TestFilesFunctionsAndLinesStaySmall(t *testing.T) {
	for _, s := range tree(t) {
		lines := bytes.Split(bytes.TrimSuffix(s.text, []byte("\n")), []byte("\n"))
		for i, l := range lines {
			if n := utf8.RuneCount(l); n > 140 {
				t.Errorf("%s:%d: %d columns, at most 140", s.path, i+1, n)
			}
		}
		if s.test {
			continue
		}
		if len(lines) > 400 {
			t.Errorf("%s: %d lines, at most 400", s.path, len(lines))
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				if n := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1; n > 60 {
					t.Errorf("%s: %s has %d lines, at most 60", s.path, f.Name.Name, n)
				}
			}
		}
	}
}

func TestChangeNotesSayWhatKindTheyAre(t *testing.T) {
	names, err := fs.Glob(os.DirFS("changes"), "*.md")
	if err != nil || len(names) == 0 {
		t.Fatalf("no change notes found: %v", err)
	}
	for _, n := range names {
		text, err := os.ReadFile("changes/" + n)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^(Fix|Add|Change) \S`).Match(text) {
			t.Errorf("changes/%s: the first line begins with Fix, Add or Change", n)
		}
	}
}
