package procs

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"net"
	"net/http"
)

// built is the folder with the collector's program.
var built string

// Main is TestMain. In a child process it is the sink instead.
func Main(m *testing.M) {
	if os.Getenv(sinkVar) != "" {
		if err := sink(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	status := m.Run()
	if err := goleak.Find(); status == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(status)
}

// build makes the collector's program; LONGSHORE_BINARY names one that is built already.
var build = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("LONGSHORE_BINARY"); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "longshore-oracles")
	if err != nil {
		return "", err
	}
	built = dir
	path := filepath.Join(dir, "longshore")
	c := exec.Command("go", "build", "-o", path, "./cmd/longshore")
	c.Dir, c.Env = Root(), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the collector: %w\n%s", err, out)
	}
	return path, nil
})

// Binary is the collector's program.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Root is the folder of the product's module.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Shared is a file beside the repository. The test is skipped with the reason where it is absent, and fails there in CI.
func Shared(t testing.TB, name ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{Root(), "..", "shared"}, name...)...)
	if _, err := os.Stat(path); err != nil {
		Absent(t, "not beside the repository: %v", err)
	}
	return path
}

// Absent skips the test, or fails it in CI.
func Absent(t testing.TB, why string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(why, args...)
	}
	t.Skipf(why, args...)
}

// Long says whether the long forms were asked for.
func Long() bool { return os.Getenv("LONGSHORE_LONG") != "" }

// Proc is a running program. Its methods end the test when they fail.
type Proc struct {
	PID int

	t    testing.TB
	cmd  *exec.Cmd
	said *tail
	done chan struct{}
	err  error
}

// Port is a free one of this machine.
func Port(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// Serve starts a server of others and waits until it answers at a URL. What it said last is told when the test fails.
func Serve(t testing.TB, at string, env []string, program string, args ...string) {
	t.Helper()
	said := &tail{}
	p := run(t, func(line string) { _, _ = said.Write([]byte(line + "\n")) }, nil, env, program, args...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s said\n%s\n%s", program, said, p.said)
		}
	})
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	Until(t, program+" to serve", 2*time.Minute, func() bool {
		r, err := (&http.Client{Transport: tr}).Get(at)
		return err == nil && r.Body.Close() == nil
	})
}

// run starts a program. Each line that it writes to stdout goes to line; what it writes to stderr is kept for Said.
func run(t testing.TB, line func(string), in io.Reader, env []string, program string, args ...string) *Proc {
	t.Helper()
	p := &Proc{t: t, cmd: exec.Command(program, args...), said: &tail{}, done: make(chan struct{})}
	p.cmd.Env, p.cmd.Stderr, p.cmd.Stdin = append(os.Environ(), env...), p.said, in
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout = w
	began := make(chan error)
	go func() { // the thread that starts it must live as long: that is what Pdeathsig is bound to
		runtime.LockOSThread()
		err := p.cmd.Start()
		_ = w.Close()
		began <- err
		if err == nil {
			p.err = p.cmd.Wait()
		}
		close(p.done)
	}()
	if err := <-began; err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	p.PID = p.cmd.Process.Pid
	read := make(chan struct{})
	go func() {
		defer close(read)
		for s := bufio.NewScanner(r); s.Scan(); {
			if line != nil {
				line(s.Text())
			}
		}
	}()
	t.Cleanup(func() {
		p.Kill()
		_ = r.Close()
		<-read
	})
	return p
}

// Kill ends it without warning.
func (p *Proc) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Stop ends it as an operator would.
func (p *Proc) Stop() {
	p.t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		p.t.Fatalf("%s did not end in a minute:\n%s", p.cmd.Path, p.Said())
	}
	if p.err != nil {
		p.t.Errorf("%s ended: %v\n%s", p.cmd.Path, p.err, p.Said())
	}
}

// Ended says whether it has ended by itself.
func (p *Proc) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Said is the end of what it wrote to stderr.
func (p *Proc) Said() string { return p.said.String() }

// CPU is the time it has used, user and system. It says nothing about a process that has ended.
func (p *Proc) CPU() time.Duration {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID))
	if err != nil {
		p.t.Fatal(err)
	}
	f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // from the state on, the third field
	var ticks int64
	for _, s := range f[11:13] { // utime, stime
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			p.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100
}

// Peak is the most memory it has had resident, in bytes.
func (p *Proc) Peak() int64 { return p.memory("VmHWM") }

// Resident is the memory it has resident, in bytes.
func (p *Proc) Resident() int64 { return p.memory("VmRSS") }

func (p *Proc) memory(field string) int64 {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID))
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				p.t.Fatal(err)
			}
			return n << 10
		}
	}
	p.t.Fatalf("%s of process %d: not found", field, p.PID)
	return 0
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const kept = 64 << 10

// Write is io.Writer's.
func (w *tail) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b = append(w.b, b...)
	if over := len(w.b) - kept; over > kept {
		w.b = append([]byte(nil), w.b[over:]...)
	}
	return len(b), nil
}

// String is what is kept.
func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.b[max(0, len(w.b)-kept):])
}

// Until waits for a condition, at most for a while.
func Until(t testing.TB, what string, most time.Duration, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(most); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited %s for %s", most, what)
		}
	}
}
