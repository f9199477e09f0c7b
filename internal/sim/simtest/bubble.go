package simtest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
)

// Net is a network in memory: real HTTP without sockets, so that a test in a synctest bubble has virtual time. A receiver
// dials through it when Net is among the host's extensions under NetID and in its configuration as Middlewares: it is a
// middleware that changes how confighttp's own transport dials and nothing else.
type Net struct {
	component.StartFunc
	component.ShutdownFunc

	mu     sync.Mutex
	at     map[string]*inMemory // by address
	dialed map[string]int
}

// NetID is the id of Net as an extension.
var NetID = component.MustNewID("bubble")

// Middlewares is what a receiver's configuration has as "middlewares" to dial through Net.
func Middlewares() []any { return []any{map[string]any{"id": NetID.String()}} }

// Middleware is Middlewares for a configuration that is made by hand.
func Middleware() []configmiddleware.Config { return []configmiddleware.Config{{ID: NetID}} }

// Serve serves h at an address of its own. base is its URL; stop ends it and every connection, and waits for that.
func (n *Net) Serve(h http.Handler) (base string, stop func()) {
	n.mu.Lock()
	if n.at == nil {
		n.at = map[string]*inMemory{}
	}
	l := &inMemory{addr: fmt.Sprintf("127.0.0.1:%d", 8001+len(n.at)), conns: make(chan net.Conn), closed: make(chan struct{})}
	n.at[l.addr] = l
	n.mu.Unlock()
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l) // ends with Close
	}()
	return "http://" + l.addr, func() {
		_ = srv.Close()
		<-done
	}
}

// Dial connects to what is served at the address; there is nothing else.
func (n *Net) Dial(ctx context.Context, _, addr string) (net.Conn, error) {
	n.mu.Lock()
	if n.dialed == nil {
		n.dialed = map[string]int{}
	}
	n.dialed[addr]++
	l := n.at[addr]
	n.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("dial %s: nothing is there", addr)
	}
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.closed:
		return nil, fmt.Errorf("dial %s: connection refused", addr)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Dialed is how often each address was dialed.
func (n *Net) Dialed() map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make(map[string]int, len(n.dialed))
	for addr, times := range n.dialed {
		out[addr] = times
	}
	return out
}

// GetHTTPRoundTripper is extensionmiddleware.HTTPClient's.
func (n *Net) GetHTTPRoundTripper(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
	return func(_ context.Context, rt http.RoundTripper) (http.RoundTripper, error) {
		t, ok := rt.(*http.Transport)
		if !ok {
			return nil, fmt.Errorf("dial in memory: the transport is a %T", rt)
		}
		t.DialContext, t.Proxy = n.Dial, nil
		return t, nil
	}, nil
}

// inMemory is a net.Listener without a socket.
type inMemory struct {
	addr   string
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *inMemory) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *inMemory) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *inMemory) Addr() net.Addr { return inMemoryAddr(l.addr) }

type inMemoryAddr string

func (a inMemoryAddr) Network() string { return "memory" }
func (a inMemoryAddr) String() string  { return string(a) }
