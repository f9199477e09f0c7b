package simtest

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// Checker collects what requests and answers did against a description.
type Checker struct {
	doc        *openapi3.T
	file       string
	exceptions []*exception

	mu       sync.Mutex
	found    map[string]string // violations by "METHOD path status pointer"
	seen     map[string]int    // "METHOD path" by how often
	statuses map[string]bool   // "METHOD path status"
}

// exception is a line of the file: METHOD path status pointer reason…; each of the first four may be * or have * in it.
type exception struct {
	line   int
	fields [4]string
	used   bool
}

// loaded are the documents of this process, by path: large ones take seconds.
var loaded sync.Map

// Spec loads the description at path below the folder of official API descriptions (../shared/specs beside the
// repository, or LONGSHORE_SPECS), and the exceptions, a path from the test's own folder. Where the folder is absent the
// test is skipped; with CI=true it fails.
func Spec(t testing.TB, path, exceptions string) *Checker {
	t.Helper()
	root := cmp.Or(os.Getenv("LONGSHORE_SPECS"), filepath.Join(repository(t), "..", "shared", "specs"))
	name := filepath.Join(root, path)
	if _, err := os.Stat(name); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the official description is absent: %v", err)
		}
		t.Skipf("the official description is absent (set LONGSHORE_SPECS): %v", err)
	}
	once, _ := loaded.LoadOrStore(name, sync.OnceValues(func() (*openapi3.T, error) { return load(name) }))
	doc, err := once.(func() (*openapi3.T, error))()
	if err != nil {
		t.Fatalf("load %s: %v", name, err)
	}
	c := &Checker{doc: doc, file: exceptions, found: map[string]string{}, seen: map[string]int{}, statuses: map[string]bool{}}
	c.exceptions, err = readExceptions(exceptions)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// load reads a description. The hosts of its servers are dropped, whatever host the test has, and what their URLs have after
// it becomes part of the paths.
func load(name string) (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(name)
	if err != nil {
		return nil, err
	}
	repair(doc)
	paths := openapi3.NewPaths()
	for path, p := range doc.Paths.Map() {
		for method, op := range p.Operations() {
			servers := doc.Servers
			if len(p.Servers) > 0 {
				servers = p.Servers
			}
			if op.Servers != nil && len(*op.Servers) > 0 {
				servers = *op.Servers
			}
			at := below(servers) + path
			item := paths.Value(at)
			if item == nil {
				item = &openapi3.PathItem{Parameters: p.Parameters}
				paths.Set(at, item)
			}
			op.Servers = nil
			item.SetOperation(method, op)
		}
	}
	doc.Paths, doc.Servers = paths, openapi3.Servers{{URL: "/"}}
	return doc, nil
}

// below is the path of the first server's URL.
func below(servers openapi3.Servers) string {
	if len(servers) == 0 {
		return ""
	}
	_, rest, _ := strings.Cut(servers[0].URL, "://")
	_, path, found := strings.Cut(rest, "/")
	if !found || path == "" {
		return ""
	}
	return "/" + strings.TrimSuffix(path, "/")
}

// repository is the folder of go.mod.
func repository(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for ; err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatalf("no go.mod above the test's folder: %v", err)
	return ""
}

func readExceptions(name string) ([]*exception, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open exceptions: %w", err)
	}
	defer f.Close()
	var out []*exception
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		line := strings.TrimSpace(s.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		w := strings.Fields(line)
		if len(w) < 5 {
			return nil, fmt.Errorf("%s:%d: want METHOD path status pointer and a reason", name, n)
		}
		out = append(out, &exception{line: n, fields: [4]string(w[:4])})
	}
	return out, s.Err()
}

// excused says whether an exception covers the violation.
func (c *Checker) excused(fields [4]string) bool {
	ok := false
	for _, e := range c.exceptions {
		hit := true
		for i, want := range e.fields {
			hit = hit && like(want, fields[i])
		}
		e.used = e.used || hit
		ok = ok || hit
	}
	return ok
}

// like matches a pattern in which * stands for any text without a slash, and a lone * for anything.
func like(pattern, s string) bool {
	if pattern == "*" {
		return true
	}
	a, b := strings.Split(pattern, "/"), strings.Split(s, "/")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && a[i] != "*" {
			return false
		}
	}
	return true
}

// Violations lists what was found so far, each once.
func (c *Checker) Violations() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for where, why := range c.found {
		out = append(out, where+": "+why)
	}
	return out
}

// Seen is how many requests of the operation were checked, by method and the description's path.
func (c *Checker) Seen(method, path string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[method+" "+path]
}

// Got says whether the operation was answered with the status.
func (c *Checker) Got(method, path string, status int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.statuses[fmt.Sprint(method, " ", path, " ", status)]
}

// Done fails the test for every violation; stale = for every exception that was not needed too, which only a test that
// exercises everything can say.
func (c *Checker) Done(t testing.TB, stale bool) {
	t.Helper()
	for _, v := range c.Violations() {
		t.Error(v)
	}
	for _, e := range c.exceptions {
		if stale && !e.used {
			t.Errorf("%s:%d: nothing needs this exception: %s", c.file, e.line, strings.Join(e.fields[:], " "))
		}
	}
}

// Scopes are the OAuth scopes the description asks for, by "METHOD path".
func (c *Checker) Scopes() map[string][]string {
	out := map[string][]string{}
	for path, p := range c.doc.Paths.Map() {
		for method, op := range p.Operations() {
			if op.Security == nil {
				continue
			}
			for _, s := range *op.Security {
				if scopes, ok := s["oauth2"]; ok {
					out[method+" "+path] = scopes
				}
			}
		}
	}
	return out
}
