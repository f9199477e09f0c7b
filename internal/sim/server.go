package sim

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// Gate wraps what comes after it: limits, credentials. The request's Pattern is set.
type Gate func(next http.Handler) http.Handler

// Vendor is what the kit must know of a fake to answer for it.
type Vendor struct {
	Mux *http.ServeMux
	// Fail answers in the vendor's way with an error of this status; "no such route" is 404.
	Fail func(w http.ResponseWriter, r *http.Request, status int)
	// Gates are passed in order before a route, and before the answer that there is none.
	Gates []Gate
	// Pattern names the route of a request for Seen and Faults where the mux cannot; nil = the mux's pattern.
	Pattern func(r *http.Request) string
}

// New makes a running fake of the vendor's routes. The fake adds Config, Published, Streams and Planted.
func New(o Options, v Vendor) *Sim {
	s := &Sim{Faults: newFaults(o.Seed, v.Fail), Seen: &Counter{}, Planted: map[string]int{}}
	var inner http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := v.Mux.Handler(r); pattern == "" {
			v.Fail(w, r, http.StatusNotFound)
			return
		}
		v.Mux.ServeHTTP(w, r)
	})
	for i := len(v.Gates) - 1; i >= 0; i-- {
		inner = v.Gates[i](inner)
	}
	inner = s.Faults.wrap(inner)
	now := o.Filled().Now
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, r.Pattern = v.Mux.Handler(r)
		if v.Pattern != nil {
			r.Pattern = v.Pattern(r)
		}
		name := r.Pattern
		defer func() { r.Pattern = name }() // which the mux sets anew
		pattern := strings.TrimPrefix(name, r.Method+" ")
		out := &recorder{ResponseWriter: w}
		s.Seen.begin()
		defer func() { s.Seen.end(r.Method, pattern, out.status) }()
		w.Header().Set("Date", now().Add(s.Faults.skew()).UTC().Format(http.TimeFormat))
		if s.Intercept != nil && s.Intercept(out, r) {
			return
		}
		inner.ServeHTTP(out, r)
		if out.status == 0 && r.Context().Err() == nil {
			out.status = http.StatusOK
		}
	})
	return s
}

// recorder remembers the status.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader is http.ResponseWriter's.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write is http.ResponseWriter's.
func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Serve serves the fake at a loopback address, over HTTPS when a certificate is given. base is its URL; stop ends it and
// every connection, and waits for that.
func Serve(addr string, s *Sim, tlsCert, tlsKey string) (base string, stop func(), err error) {
	if tlsCert != "" {
		if _, err := tls.LoadX509KeyPair(tlsCert, tlsKey); err != nil {
			return "", nil, fmt.Errorf("read certificate %q: %w", tlsCert, err)
		}
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("listen on %q: %w", addr, err)
	}
	if ip := l.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
		return "", nil, errors.Join(fmt.Errorf("serve a fake at %q: want a loopback address, its credentials are no secret", addr), l.Close())
	}
	srv := &http.Server{Handler: s.Handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if tlsCert != "" {
			_ = srv.ServeTLS(l, tlsCert, tlsKey) // the files were read before
		} else {
			_ = srv.Serve(l) // ends with Close
		}
	}()
	stop = func() {
		_ = srv.Close()
		<-done
	}
	if tlsCert == "" {
		return "http://" + l.Addr().String(), stop, nil
	}
	return "https://" + l.Addr().String(), stop, nil
}
