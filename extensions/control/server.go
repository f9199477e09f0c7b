package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

// maxBody bounds a request; none of today's calls needs one.
const maxBody = 64 << 10

// connector is what the server asks of a tenant.
type connector interface {
	ID() string
	Status() saas.Status
	Disable(context.Context) error
	Enable(context.Context) error
}

// server is the extension.
type server struct {
	cfg        *Config
	log        *zap.Logger
	connectors func() []connector

	http *http.Server
	done chan struct{}
}

// Start listens and serves until Shutdown.
func (s *server) Start(_ context.Context, host component.Host) error {
	l, err := listen(s.cfg.Socket)
	if err != nil {
		return err
	}
	s.http = &http.Server{Handler: s.routes(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: zap.NewStdLog(s.log)}
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewPermanentErrorEvent(fmt.Errorf("serve control socket: %w", err)))
		}
	}()
	s.log.Info("control socket open", zap.String("socket", s.cfg.Socket))
	return nil
}

// Shutdown lets running calls end, as long as ctx allows, and removes the socket.
func (s *server) Shutdown(ctx context.Context) error {
	if s.http == nil {
		return nil
	}
	err := s.http.Shutdown(ctx)
	if err != nil {
		_ = s.http.Close()
	}
	<-s.done
	s.http = nil
	if rmErr := os.Remove(s.cfg.Socket); rmErr != nil && !errors.Is(rmErr, os.ErrNotExist) {
		err = errors.Join(err, rmErr)
	}
	return err
}

// listen opens the socket at path for the agent's account alone. It is made in a folder nobody else may enter and then moved,
// so that there is no moment at which others may connect.
func listen(path string) (net.Listener, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder of control socket %q: %w", path, err)
	}
	if err := vacant(path); err != nil {
		return nil, err
	}
	private, err := os.MkdirTemp(dir, ".c")
	if err != nil {
		return nil, fmt.Errorf("make private folder beside control socket %q: %w", path, err)
	}
	defer func() { _ = os.RemoveAll(private) }()
	at := filepath.Join(private, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: at, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("open control socket %q: %w", path, err)
	}
	l.SetUnlinkOnClose(false)
	if err = os.Chmod(at, 0o600); err == nil {
		err = os.Rename(at, path)
	}
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("open control socket %q: %w", path, err)
	}
	return l, nil
}

// vacant fails when path holds something that is no socket, or the socket of an agent that runs.
func vacant(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at control socket %q: %w", path, err)
	}
	if info.Mode()&os.ModeSocket == 0 {
		return fmt.Errorf("open control socket %q: a file that is no socket is in its place", path)
	}
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		_ = c.Close()
		return fmt.Errorf("open control socket %q: another agent is running on it", path)
	}
	return nil
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/connectors", s.list)
	mux.HandleFunc("POST /v1/connectors/{id}/disable", s.change(connector.Disable))
	mux.HandleFunc("POST /v1/connectors/{id}/enable", s.change(connector.Enable))
	mux.HandleFunc("GET /v1/actions", listActions)
	mux.HandleFunc("POST /v1/actions/{id}/approve", decide((*action.Engine).Approve))
	mux.HandleFunc("POST /v1/actions/{id}/undo", decide(undo))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusNotFound, failure{fmt.Sprintf("there is no %s %s", r.Method, r.URL.Path)})
	})
	return http.MaxBytesHandler(mux, maxBody)
}

func (s *server) list(w http.ResponseWriter, _ *http.Request) {
	cs := s.connectors()
	out := make([]Connector, 0, len(cs))
	for _, c := range cs {
		out = append(out, describe(c.Status()))
	}
	answer(w, http.StatusOK, out)
}

func (s *server) change(do func(connector, context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		for _, c := range s.connectors() {
			if c.ID() != id {
				continue
			}
			if err := do(c, r.Context()); err != nil {
				answer(w, http.StatusInternalServerError, failure{err.Error()})
				return
			}
			answer(w, http.StatusOK, describe(c.Status()))
			return
		}
		answer(w, http.StatusNotFound, failure{fmt.Sprintf("no connector %q in this agent", id)})
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body) // the caller went away
}
