package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"

	"github.com/longshore-dev/longshore/internal/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// call runs the program as a process would and gives its exit code, stdout and stderr.
func call(t *testing.T, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var o, e bytes.Buffer
	code = run(ctx, args, strings.NewReader(in), &o, &e)
	return code, o.String(), e.String()
}

// output is a stream that a running command writes to and a test waits on.
type output struct {
	mu    sync.Mutex
	text  strings.Builder
	wrote chan struct{}
}

func newOutput() *output { return &output{wrote: make(chan struct{}, 1)} }

// Write is io.Writer's.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.wrote <- struct{}{}:
	default:
	}
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// until waits for a text to be written.
func (o *output) until(t *testing.T, text string) string {
	t.Helper()
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	for {
		if got := o.String(); strings.Contains(got, text) {
			return got
		}
		select {
		case <-o.wrote:
		case <-late.C:
			t.Fatalf("%q was not written in 30 s; got:\n%s", text, o.String())
		}
	}
}

// started is a command that runs beside the test.
type started struct {
	out, errs *output
	stop      context.CancelFunc
	code      chan int
}

// start runs a command that goes on until it is stopped. end stops it and gives its exit code; the test's end does too.
func start(t *testing.T, args ...string) *started {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &started{out: newOutput(), errs: newOutput(), stop: cancel, code: make(chan int, 1)}
	go func() {
		code := run(ctx, args, strings.NewReader(""), s.out, s.errs)
		s.code <- code
		close(s.code)
	}()
	t.Cleanup(func() { cancel(); <-s.code })
	return s
}

func (s *started) end(t *testing.T, within time.Duration) int {
	t.Helper()
	s.stop()
	select {
	case code := <-s.code:
		return code
	case <-time.After(within):
		t.Fatalf("it has not ended %v after it was told to; stderr:\n%s", within, s.errs)
		return -1
	}
}

// fake serves the fake of an application.
func fake(t *testing.T, app string, o sim.Options) (*sim.Sim, string) {
	t.Helper()
	a, err := (&program{set: settings()}).application(app)
	if err != nil {
		t.Fatal(err)
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Users == 0 {
		o.Users = 30
	}
	if o.Start.IsZero() {
		o.Start = time.Now().Add(-25 * time.Hour)
	}
	s, err := a.Sim(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler)
	t.Cleanup(srv.Close)
	return s, srv.URL
}

type obj = map[string]any

// pipeline is a configuration: receivers into an exporter, state in dir, the control socket when it is asked for.
func pipeline(dir string, receivers obj, exporter obj, more ...func(cfg obj)) string {
	var from, to []string
	for id := range receivers {
		from = append(from, id)
	}
	for id := range exporter {
		to = append(to, id)
	}
	cfg := obj{
		"extensions": obj{"file_storage": obj{"directory": filepath.Join(dir, "state"), "create_directory": true, "fsync": true}},
		"receivers":  receivers,
		"exporters":  exporter,
		"service": obj{
			"extensions": []string{"file_storage"},
			"telemetry": obj{"metrics": obj{"level": "none"},
				"logs": obj{"level": "warn", "disable_stacktrace": true, "output_paths": []string{filepath.Join(dir, "agent.log")}}},
			"pipelines": obj{"logs": obj{"receivers": from, "exporters": to}},
		},
	}
	for _, f := range more {
		f(cfg)
	}
	b, err := yaml.Marshal(cfg)
	if err != nil {
		panic(err)
	}
	return strings.ReplaceAll(string(b), "$", "$$")
}

// polling is the configuration of a receiver that polls a fake.
func polling(s *sim.Sim, base string, more obj) obj {
	cfg := s.Config(base)
	cfg["storage"] = "file_storage"
	for k, v := range more {
		cfg[k] = v
	}
	return cfg
}

// file writes a file of the test.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// shortDir is a folder with a path short enough for a Unix socket in it.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ls")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// decode reads JSON that a command wrote.
func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	if _, err := dec.Token(); err != io.EOF {
		t.Fatalf("there is more than one value in:\n%s", text)
	}
	return v
}

func TestExitCodeTellsAWrongCallFromAFailure(t *testing.T) {
	f := func(want int, says string, args ...string) {
		t.Helper()
		code, _, errs := call(t, "", args...)
		if code != want || !strings.Contains(errs, says) {
			t.Errorf("longshore %s: exit code %d, want %d and %q on stderr; got:\n%s", strings.Join(args, " "), code, want, says, errs)
		}
	}
	f(exitUsage, "quickstart")
	f(exitUsage, `unknown command "nope"`, "nope")
	f(exitUsage, "unknown flag: --nope", "apps", "--nope")
	f(exitUsage, `unknown application "slack"; there are: aws, box, googleworkspace, office365, okta, salesforce`, "apps", "slack")
	f(exitUsage, "--config FILE is needed", "check")
	f(exitFailed, "no such file", "check", "--config", "nowhere.yaml")
	f(exitFailed, "no such file", "--config", "nowhere.yaml")
	f(exitUsage, "--app NAME is needed", "normalize")
	f(exitUsage, `unknown dataset "okta.sytem"`, "normalize", "--app", "okta", "--dataset", "okta.sytem")
	f(exitUsage, `unknown encoding "xml"`, "normalize", "--app", "okta", "--encoding", "xml")
	f(exitUsage, "--app NAME is needed", "sim")
	f(exitUsage, "go together", "sim", "--app", "okta", "--tls-cert", "c.pem")
	f(exitUsage, "exclude each other", "sim", "--app", "okta", "--replay", "x", "--events", "3")
	f(exitUsage, "--faults", "sim", "--app", "okta", "--faults", "sleep=1")
	f(exitUsage, "invalid argument", "sim", "--app", "okta", "--events", "many")
	f(exitUsage, "--late 2", "sim", "--app", "okta", "--late", "2")
	f(exitUsage, "--events -1", "sim", "--app", "okta", "--events", "-1")
	f(exitUsage, "--events 0: it must be from 1", "quickstart", "--once", "--events", "0")
	f(exitFailed, "no such file", "sim", "--app", "okta", "--replay", "nowhere.jsonl")
	f(exitUsage, "loopback", "quickstart", "--once", "--listen", "0.0.0.0:0")
	f(exitUsage, "--listen", "quickstart", "--once", "--listen", "here")
	f(exitUsage, "only --once has", "quickstart", "--json")
	f(exitUsage, "one of: list, disable, enable", "connector")
	f(exitUsage, `unknown command "stop" of connector`, "connector", "stop")
	f(exitUsage, "accepts 1 arg", "connector", "disable")
	f(exitUsage, "one of: list, approve, undo", "actions")
	f(exitUsage, `unknown command "do" of actions`, "actions", "do")
	f(exitUsage, "accepts 1 arg", "actions", "undo")
	f(exitUsage, `--state "done": there are asked, waiting, sending, sent, ended`, "actions", "list", "--state", "done")
	f(exitFailed, "no agent is listening", "actions", "undo", "x", "--socket", filepath.Join(t.TempDir(), "s"))
	f(exitFailed, "no agent is listening", "connector", "list", "--socket", filepath.Join(t.TempDir(), "s"))
}

func TestEveryCommandExplainsItself(t *testing.T) {
	var began bool
	root := newRoot(&program{out: io.Discard, errs: io.Discard, set: settings()}, &began)
	for _, c := range root.Commands() {
		if c.Hidden || c.Name() == "help" {
			continue
		}
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		code, out, errs := call(t, "", args...)
		if code != exitOK || !strings.Contains(out, c.Short) && !strings.Contains(out, c.Long) || !strings.Contains(out, "Usage:") {
			t.Errorf("%v: exit code %d, %q on stderr, and on stdout:\n%s", args, code, errs, out)
		}
	}
	own := []string{"quickstart", "apps", "check", "normalize", "sim", "query", "connector", "actions"}
	for _, name := range own {
		c, _, err := root.Find([]string{name})
		if err != nil || c.Short == "" || c.Long == "" || c.Example == "" {
			t.Errorf("%s lacks a short or long text or an example: %v", name, err)
		}
	}
	if code, out, _ := call(t, "", "--help"); code != exitOK || !strings.Contains(out, "quickstart") || strings.Contains(out, "{{") {
		t.Errorf("--help: exit code %d and\n%s", code, out)
	}
	if code, out, _ := call(t, "", "--version"); code != exitOK || !strings.Contains(out, version) {
		t.Errorf("--version: exit code %d and %q", code, out)
	}
}

func TestNumbersAndTextAreWrittenForPeople(t *testing.T) {
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(count(0), "0")
	f(count(999), "999")
	f(count(1000), "1,000")
	f(count(int64(-1234567)), "-1,234,567")
	f(count(-123), "-123")
	f(plural(1, "tenant"), "1 tenant")
	f(plural(1200, "tenant"), "1,200 tenants")
	f(wrap("x: ", "a  b\nc", "  "), "x: a b c")
	long := wrap("a rather long lead, ", strings.Repeat("Straße ", 40), "    ")
	for i, line := range strings.Split(long, "\n") {
		if n := len([]rune(line)); n > width || i > 0 && !strings.HasPrefix(line, "    Straße") {
			t.Errorf("line %d has %d columns: %q", i, n, line)
		}
	}
}

func TestProgressIsQuietAboutWhatDidNotChange(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b)
	for i := range 4 {
		p.say("%d of 2", i/2)
	}
	p.end()
	if got, want := b.String(), "0 of 2\n1 of 2\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	live := &progress{w: &b, live: true}
	b.Reset()
	live.say("one")
	live.end()
	if got := b.String(); !strings.HasPrefix(got, "\r") || !strings.HasSuffix(got, "\r\x1b[K") {
		t.Errorf("a terminal got %q", got)
	}
}
