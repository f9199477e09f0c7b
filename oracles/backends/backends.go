package backends

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Server is a running server. Its methods end the test when they fail.
type Server struct {
	Addr string // host:port of Kafka, address of Elasticsearch and OpenSearch
	Port int
	Data string // the folder of its data

	t       testing.TB
	scripts string
	again   []string // arguments that start it again on the same data
	kill    []string // arguments that kill it
	running bool
}

// Kafka runs a Kafka node until the test ends, and gives its address, host:port.
func Kafka(t testing.TB) (addr string) { return StartKafka(t).Addr }

// Elasticsearch runs an Elasticsearch node until the test ends, and gives its address.
func Elasticsearch(t testing.TB) (url string) { return StartElasticsearch(t).Addr }

// StartKafka runs a Kafka node with options of its start script: "-s" for SASL at Port+200, "-t" for TLS at Port+300.
func StartKafka(t testing.TB, options ...string) *Server {
	t.Helper()
	need(t, "kafka", "java")
	data, port := filepath.Join(t.TempDir(), "kafka"), freePort(t, 0, 100, 200, 300)
	s := &Server{t: t, Port: port, Data: data, scripts: folder("kafka"), again: []string{data, "--node", "0"}, kill: []string{"-9", data}}
	s.run(append(options, data, strconv.Itoa(port)))
	return s
}

// StartElasticsearch runs an Elasticsearch node with settings of the form name=value.
func StartElasticsearch(t testing.TB, settings ...string) *Server {
	t.Helper()
	need(t, "elasticsearch", "java", "javac", "jar", "curl")
	return search(t, "elasticsearch", settings)
}

// StartOpenSearch runs an OpenSearch node with settings of the form name=value.
func StartOpenSearch(t testing.TB, settings ...string) *Server {
	t.Helper()
	need(t, "opensearch", "java", "javac", "curl")
	return search(t, "opensearch", settings)
}

func search(t testing.TB, name string, settings []string) *Server {
	t.Helper()
	data, port := filepath.Join(t.TempDir(), name), freePort(t, 0, 100)
	start := append([]string{data, strconv.Itoa(port)}, settings...)
	s := &Server{t: t, Port: port, Data: data, scripts: folder(name), again: start, kill: []string{"-9", data}}
	s.run(start)
	return s
}

// Kill ends the server without warning.
func (s *Server) Kill() {
	s.t.Helper()
	if err := s.script("stop", s.kill); err != nil {
		s.t.Fatal(err)
	}
	s.running = false
}

// Stop ends the server as an operator would.
func (s *Server) Stop() {
	s.t.Helper()
	if err := s.script("stop", []string{s.Data}); err != nil {
		s.t.Fatal(err)
	}
	s.running = false
}

// Start starts the server again, on the same port and data.
func (s *Server) Start() {
	s.t.Helper()
	if err := s.script("start", s.again); err != nil {
		s.t.Fatal(err)
	}
	s.running = true
}

// run starts the server for the first time, and sees to it that it ends.
func (s *Server) run(start []string) {
	s.t.Helper()
	s.t.Cleanup(func() {
		if s.running {
			if err := s.script("stop", s.kill); err != nil {
				s.t.Error(err)
			}
		}
	})
	s.guard()
	unlock := lock(s.t, s.scripts)
	defer unlock()
	s.running = true
	if err := s.script("start", start); err != nil {
		s.t.Fatal(err)
	}
}

// guard starts a process that kills the server when this process is gone.
func (s *Server) guard() {
	watch := `while kill -0 "$1" 2>/dev/null; do sleep 2; done; shift; exec "$@"`
	args := append([]string{"-c", watch, "guard", strconv.Itoa(os.Getpid()), filepath.Join(s.scripts, "stop")}, s.kill...)
	c := exec.Command("bash", args...)
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		s.t.Fatalf("start guard of %s: %v", s.Data, err)
	}
	s.t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // its own session: the shell and its sleep
		_ = c.Wait()
	})
}

// script runs start or stop; the last line that start prints is the address.
func (s *Server) script(name string, args []string) error {
	c := exec.Command(filepath.Join(s.scripts, name), args...)
	var out, fault strings.Builder
	c.Stdout, c.Stderr = &out, &fault
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, fault.String())
	}
	if lines := strings.Fields(out.String()); name == "start" && len(lines) > 0 {
		s.Addr = lines[len(lines)-1]
	}
	return nil
}

// need skips the test, or fails it in CI, unless all programs are there. Maven is needed for the first start only.
func need(t testing.TB, server string, programs ...string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(folder(server), "target", "lib", ".complete")); err != nil {
		programs = append(programs, "mvn")
	}
	for _, p := range append(programs, "bash") {
		if _, err := exec.LookPath(p); err != nil {
			why := fmt.Sprintf("no real %s: %q is not installed", server, p)
			if os.Getenv("CI") == "true" {
				t.Fatal(why)
			}
			t.Skip(why)
		}
	}
}

// folder is where the scripts of a server are: beside this file.
func folder(server string) string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), server)
}

// lock keeps other test processes from fetching the same files.
func lock(t testing.TB, scripts string) (unlock func()) {
	t.Helper()
	dir := filepath.Join(scripts, "target")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatalf("lock %s: %v", f.Name(), err)
	}
	return func() { _ = f.Close() }
}

// freePort finds a port that is free together with those at the offsets. It lies below the ports that systems give to
// clients, so that it is still free when a server comes back to it.
func freePort(t testing.TB, offsets ...int) int {
	t.Helper()
	for range 200 {
		port := 20000 + rand.IntN(10000)
		if allFree(port, offsets) {
			return port
		}
	}
	t.Fatal("no free ports from 20000 to 30300")
	return 0
}

func allFree(port int, offsets []int) bool {
	for _, off := range offsets {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port+off)))
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}
