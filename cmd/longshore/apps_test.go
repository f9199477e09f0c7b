package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/saas"
)

func TestAppsListsEveryCapabilityWithItsReason(t *testing.T) {
	code, out, errs := call(t, "", "apps", "--json")
	if code != exitOK || errs != "" {
		t.Fatalf("exit code %d, stderr %q", code, errs)
	}
	list := decode[struct{ Apps []appJSON }](t, out).Apps
	if len(list) == 0 {
		t.Fatal("there is no application")
	}
	for _, a := range list {
		if len(a.Hosts) == 0 || a.Title == "" || a.Module == "" {
			t.Errorf("%s lacks hosts, a title or a module: %+v", a.Name, a)
		}
		if len(a.Capabilities) != len(rows()) {
			t.Errorf("%s has %d capabilities, the table has %d rows", a.Name, len(a.Capabilities), len(rows()))
		}
		for _, c := range a.Capabilities {
			switch {
			case c.Level != saas.Has && c.Level != saas.Part && c.Level != saas.None:
				t.Errorf("%s: %s has the level %q", a.Name, c.Capability, c.Level)
			case c.Level != saas.Has && c.Why == "":
				t.Errorf("%s: %s is %q and does not say why", a.Name, c.Capability, c.Level)
			case c.Level != saas.None && len(c.Needs) == 0:
				t.Errorf("%s: %s does not say what it needs", a.Name, c.Capability)
			}
			for _, n := range c.Needs {
				if n.Why == "" || n.Role == "" && len(n.Scopes) == 0 {
					t.Errorf("%s: a need of %s does not say what to grant or what is missing without it: %+v", a.Name, c.Capability, n)
				}
			}
		}
	}
}

func TestAppsIsReadableAndTakesNames(t *testing.T) {
	code, out, _ := call(t, "", "apps", "okta")
	if code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	for _, want := range []string{"Okta (okta)", "hosts to allow: *.okta.com", "log-on activity", "okta.logs.read",
		"Okta stores no files of its customers"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
	for line := range strings.Lines(out) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > width {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// TestEveryProofIsATestOfTheTree: what the table claims, a test shows.
func TestEveryProofIsATestOfTheTree(t *testing.T) {
	tests := map[string]bool{}
	err := fs.WalkDir(os.DirFS("../.."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, bytes.NewReader(text), parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
				tests[f.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	apps, err := (&program{set: settings()}).applications()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range apps {
		for _, c := range a.Covers {
			if c.Level != saas.None && !tests[c.Proof] {
				t.Errorf("%s claims %s and no test %q exists", a.Name, c.Capability, c.Proof)
			}
		}
	}
}
