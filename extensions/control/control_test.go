package control

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/saas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tenant is a connected tenant without an application behind it.
type tenant struct {
	id   string
	off  bool
	fail error
}

func (t *tenant) ID() string { return t.id }
func (t *tenant) Status() saas.Status {
	return saas.Status{ID: t.id, Module: "okta", Disabled: t.off, Health: "ok", Streams: []saas.StreamStatus{
		{Name: "system_log", Events: 7, Lag: 1500 * time.Millisecond, LastSuccess: time.Unix(1, 0)}, {Name: "users"}}}
}
func (t *tenant) Disable(context.Context) error { t.off = true; return t.fail }
func (t *tenant) Enable(context.Context) error  { t.off = false; return t.fail }

func start(t *testing.T, socket string, cs ...connector) *server {
	t.Helper()
	s := &server{cfg: &Config{Socket: socket}, log: zap.NewNop(), connectors: func() []connector { return cs }}
	if err := s.Start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// socket gives a path short enough for a Unix socket, which a test's own folder may not be.
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ls")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "data", "control.sock")
}

func TestConnectorIsListedDisabledAndEnabledByItsID(t *testing.T) {
	path := socket(t)
	acme := &tenant{id: "okta/acme"}
	start(t, path, acme, &tenant{id: "okta"})
	c := Client{Socket: path}
	got, err := c.Connectors(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].ID != "okta/acme" || got[0].Streams[0].Events != 7 || got[0].Streams[0].LagSeconds != 1.5 {
		t.Fatalf("got %+v", got)
	}
	if got[0].Streams[0].LastSuccess == nil || got[0].Streams[1].LastSuccess != nil {
		t.Fatalf("last success: got %v and %v, want a time and none", got[0].Streams[0].LastSuccess, got[0].Streams[1].LastSuccess)
	}
	if one, err := c.Disable(t.Context(), "okta/acme"); err != nil || !one.Disabled || !acme.off {
		t.Fatalf("disable: %+v, %v", one, err)
	}
	if one, err := c.Enable(t.Context(), "okta/acme"); err != nil || one.Disabled || acme.off {
		t.Fatalf("enable: %+v, %v", one, err)
	}
}

func TestRefusalsSayWhatIsWrong(t *testing.T) {
	path := socket(t)
	start(t, path, &tenant{id: "okta/acme", fail: errors.New("save state: disk full")})
	c := Client{Socket: path}
	f := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("got %v, want %q in it", err, want)
		}
	}
	_, err := c.Disable(t.Context(), "okta/acme")
	f(err, "disk full")
	_, err = c.Disable(t.Context(), "okta/other")
	f(err, `no connector "okta/other"`)
	f(c.call(t.Context(), "GET", "/v2", nil), "there is no GET /v2")
	_, err = Client{Socket: path + "x"}.Connectors(t.Context())
	f(err, "no agent is listening")
}

func TestOnlyTheOwnAccountMayOpenTheSocket(t *testing.T) {
	path := socket(t)
	s := start(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if info, err = os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("folder's mode %v, %v; want 0700", info.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Fatalf("beside the socket lies %v, %v", left, err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the socket is still there: %v", err)
	}
}

func TestStaleSocketIsReplacedAndALiveOneIsNot(t *testing.T) {
	path := socket(t)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()
	start(t, path)
	if _, err = listen(path); err == nil || !strings.Contains(err.Error(), "another agent is running") {
		t.Fatalf("a live agent's socket was taken: %v", err)
	}
	file := path + ".txt"
	if err = os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = listen(file); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Fatalf("a file was replaced: %v", err)
	}
}

func TestFactoryMakesAnExtensionThatMayStopBeforeItStarts(t *testing.T) {
	f := NewFactory()
	e, err := f.Create(t.Context(), extensiontest.NewNopSettings(f.Type()), f.CreateDefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSocketPathIsChecked(t *testing.T) {
	f := func(path string, ok bool) {
		t.Helper()
		if err := (&Config{Socket: path}).Validate(); (err == nil) != ok {
			t.Fatalf("%q: got %v", path, err)
		}
	}
	f(DefaultSocket, true)
	f("", false)
	f("/"+strings.Repeat("x", 120), false)
}
