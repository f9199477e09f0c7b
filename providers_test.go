package longshore

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// machinery are the things of other packages that a provider leaves to the SDK.
var machinery = map[string]string{
	"time.Sleep": "waiting", "time.After": "waiting", "time.NewTimer": "waiting", "time.NewTicker": "waiting", "time.Tick": "waiting",
	"time.AfterFunc": "waiting", "http.Client": "sending", "http.DefaultClient": "sending", "http.Transport": "sending",
	"http.DefaultTransport": "sending", "http.Get": "sending", "http.Post": "sending", "http.PostForm": "sending", "http.Head": "sending",
}

// foreign are packages that a provider has no business with.
var foreign = []string{"os/exec", "go.opentelemetry.io/collector/extension/xextension/storage", "database/sql"}

// offences lists what a provider's package contains that it may not.
func offences(files []*ast.File, set *token.FileSet) []string {
	var out []string
	note := func(n ast.Node, format string, args ...any) {
		out = append(out, fmt.Sprintf("%s: %s", set.Position(n.Pos()), fmt.Sprintf(format, args...)))
	}
	vars := packageVars(files)
	for _, f := range files {
		for _, i := range f.Imports {
			if p, _ := strconv.Unquote(i.Path.Value); slices.Contains(foreign, p) {
				note(i, "imports %s", p)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				note(n, "starts a goroutine")
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					note(n, "has an init")
				}
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && machinery[x.Name+"."+n.Sel.Name] != "" {
					note(n, "%s.%s: %s is the SDK's", x.Name, n.Sel.Name, machinery[x.Name+"."+n.Sel.Name])
				}
			case *ast.AssignStmt:
				for _, l := range n.Lhs {
					if name := root(l); n.Tok != token.DEFINE && vars[name] {
						note(n, "changes the package variable %s", name)
					}
				}
			case *ast.IncDecStmt:
				if name := root(n.X); vars[name] {
					note(n, "changes the package variable %s", name)
				}
			}
			return true
		})
	}
	return out
}

// packageVars are the names of a package's variables.
func packageVars(files []*ast.File) map[string]bool {
	vars := map[string]bool{}
	for _, f := range files {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, sp := range g.Specs {
				for _, id := range sp.(*ast.ValueSpec).Names {
					vars[id.Name] = id.Name != "_"
				}
			}
		}
	}
	return vars
}

// root is the variable that an expression like a.b[c] begins with.
func root(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x.Name
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return ""
		}
	}
}

func TestProvidersHoldProviderFactsOnly(t *testing.T) {
	byDir, sets := map[string][]*ast.File{}, map[string]*token.FileSet{}
	for _, s := range tree(t) {
		if s.test || !under(s.dir, "receivers") {
			continue
		}
		f, err := parser.ParseFile(setOf(sets, s.dir), s.path, s.text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		byDir[s.dir] = append(byDir[s.dir], f)
	}
	if len(byDir) == 0 {
		t.Fatal("no provider found")
	}
	for dir, files := range byDir {
		for _, o := range offences(files, sets[dir]) {
			t.Error(o)
		}
	}
}

func setOf(sets map[string]*token.FileSet, dir string) *token.FileSet {
	if sets[dir] == nil {
		sets[dir] = token.NewFileSet()
	}
	return sets[dir]
}

func TestProviderRulesAreAbleToFail(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, "x.go", "package x\nimport \"time\"\nvar seen = map[string]int{}\n"+body, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(offences([]*ast.File{file}, set), "\n")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Fatalf("%s: got %q, want %q", body, got, want)
		}
	}
	f(`func a() { go a() }`, "goroutine")
	f(`func init() {}`, "init")
	f(`func a() { time.Sleep(1) }`, "time.Sleep")
	f(`func a() { <-time.After(1) }`, "time.After")
	f(`var c http.Client`, "http.Client")
	f(`func a() { seen["b"] = 1 }`, "package variable seen")
	f(`func a() { seen["b"]++ }`, "package variable seen")
	f(`func a() time.Duration { x := 1; x++; return time.Second * time.Duration(seen["b"]) }`, "")
}

// TestSizesAreReported says how large the parts have become; over budget is a note, not a failure.
func TestSizesAreReported(t *testing.T) {
	lines := map[string]int{}
	for _, s := range tree(t) {
		if s.test {
			continue
		}
		n := strings.Count(string(s.text), "\n")
		lines[s.dir] += n
		if under(s.dir, "receivers") && strings.HasSuffix(s.path, "/sim.go") {
			lines[s.dir+" (its sim)"] += n
		}
	}
	budget := func(limit int, parts ...string) {
		sum := 0
		for _, p := range parts {
			sum += lines[p]
		}
		if note := ""; sum > 0 {
			if sum > limit {
				note = ": over budget"
			}
			t.Logf("%s: %d of %d lines%s", strings.Join(parts, " + "), sum, limit, note)
		}
	}
	budget(2000, "internal/saas")
	budget(700, "internal/saas/saastest")
	budget(600, "internal/sim")
	budget(900, "internal/event", "internal/action")
	for dir := range lines {
		if under(dir, "receivers") {
			budget(map[bool]int{true: 200, false: 600}[strings.HasSuffix(dir, ")")], dir)
		}
	}
}
