package box

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/oracles/procs"
)

// examples is a server of the vendor's own examples, made of the vendor's description. It checks every request.
type examples struct {
	base string

	mu       sync.Mutex
	requests map[string]int
	refused  []string
}

var (
	ansi     = regexp.MustCompile("\x1b\\[[0-9;]*m")
	received = regexp.MustCompile(`\[HTTP SERVER\] (\w+) (\S+)`)
)

// serveExamples starts it. What the description itself has wrong is mended first: paths that differ behind a # only, and
// servers of single operations.
func serveExamples(t *testing.T) *examples {
	t.Helper()
	program := filepath.Join(procs.Node(t, filepath.Join("prism", "package.json")), "prism")
	text, err := os.ReadFile(procs.Shared(t, "specs", "box", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	paths := doc["paths"].(map[string]any)
	for name, item := range paths {
		if strings.Contains(name, "#") {
			delete(paths, name)
		}
		for _, op := range item.(map[string]any) {
			if op, ok := op.(map[string]any); ok {
				delete(op, "servers")
			}
		}
	}
	own(doc)
	doc["servers"] = []any{map[string]any{"url": "/"}}
	if text, err = json.Marshal(doc); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "box.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	x := &examples{base: fmt.Sprintf("http://127.0.0.1:%d", port), requests: map[string]int{}}
	c := exec.Command(program, "mock", "--errors", "--host", "127.0.0.1", "--port", fmt.Sprint(port), path)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		x.read(bufio.NewScanner(out))
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		<-read
		_ = c.Wait()
	})
	procs.Until(t, "the server of examples", time.Minute, func() bool {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return x
}

// own makes the file of the examples one of the enterprise: of what belongs to others the content is not read.
func own(v any) {
	switch v := v.(type) {
	case map[string]any:
		if f, ok := v["is_externally_owned"].(map[string]any); ok && f["example"] == true {
			f["example"] = false
		}
		for _, e := range v {
			own(e)
		}
	case []any:
		for _, e := range v {
			own(e)
		}
	}
}

// read takes down what it says of requests.
func (x *examples) read(s *bufio.Scanner) {
	last := ""
	for s.Scan() {
		line := ansi.ReplaceAllString(s.Text(), "")
		x.mu.Lock()
		if m := received.FindStringSubmatch(line); m != nil {
			last = strings.ToUpper(m[1]) + " " + m[2]
			x.requests[last]++
		}
		if strings.Contains(line, "✖") || strings.Contains(line, "⚠") {
			x.refused = append(x.refused, last+": "+line)
		}
		x.mu.Unlock()
	}
}

func (x *examples) asked() (n map[string]int, refused []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	n = map[string]int{}
	for k, v := range x.requests {
		n[k] = v
	}
	return n, slices.Clone(x.refused)
}

// TestEveryRequestOfARoundIsOneTheVendorDescribes lets the receiver read one round of everything from the vendor's examples. Their markers
// and positions never move: each such listing must end with an error that names it.
func TestEveryRequestOfARoundIsOneTheVendorDescribes(t *testing.T) {
	x := serveExamples(t)
	dir := t.TempDir()
	p := procs.Pipeline{Dir: dir, Order: []string{"dlp"}, Processors: procs.M{"dlp": procs.M{}},
		Receivers: procs.M{"box/examples": procs.M{"endpoint": x.base, "storage": "file_storage",
			"urls": procs.M{"token": x.base + "/oauth2/token", "upload": x.base},
			"auth": procs.M{"type": "ccg", "client_id": "abc", "client_secret": "def", "enterprise_id": "123456"}}},
		Exporters: procs.M{"sqlite": procs.M{"path": filepath.Join(dir, "longshore.db")}}}
	c := p.Start(t)
	want := []string{"POST /oauth2/token", "GET /users/me", "GET /users", "GET /groups", "GET /events", "GET /folders/0/items",
		"GET /folders/trash/items"}
	shapes := []*regexp.Regexp{regexp.MustCompile(`^GET /groups/\d+/memberships$`), regexp.MustCompile(`^GET /files/\d+(/trash)?$`),
		regexp.MustCompile(`^GET /files/\d+/content$`), regexp.MustCompile(`^GET /(files|folders)/\d+/collaborations$`)}
	missing := func() (out []string) {
		n, _ := x.asked()
		for _, r := range want {
			if n[r] == 0 {
				out = append(out, r)
			}
		}
		for _, s := range shapes {
			if !slices.ContainsFunc(slices.Collect(maps.Keys(n)), s.MatchString) {
				out = append(out, s.String())
			}
		}
		for _, named := range []string{`the marker \"`, `next position \"`} {
			if !strings.Contains(c.Said(), named) {
				out = append(out, "an error that names "+named)
			}
		}
		return out
	}
	for end := time.Now().Add(2 * time.Minute); len(missing()) > 0; <-time.After(200 * time.Millisecond) {
		if c.Ended() {
			t.Fatalf("the collector ended:\n%s", c.Said())
		}
		if time.Now().After(end) {
			n, refused := x.asked()
			t.Fatalf("no whole round in two minutes; missing: %q\nasked: %v\nrefused: %q\n%s", missing(), n, refused, c.Said())
		}
	}
	n, refused := x.asked()
	for _, r := range refused {
		t.Error(r)
	}
	for r, times := range n {
		if times > 50 {
			t.Errorf("%s was asked %d times: the listing did not end", r, times)
		}
	}
	t.Logf("%d different requests answered", len(n))
}
