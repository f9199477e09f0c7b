package sim

import (
	"net/http"
	"sync"
	"time"
)

// Limiter counts requests in fixed windows by key, as vendors do, and requests in flight.
type Limiter struct {
	Now      func() time.Time
	Factor   float64                                     // Options.Limits
	Per      time.Duration                               // of a window; 0 = a minute
	InFlight int                                         // at the same time; 0 = any number
	Of       func(r *http.Request) (key string, max int) // the window that a request is counted in; max 0 = not limited
	Cost     func(r *http.Request) int                   // how many requests it counts as; nil = 1
	Tell     func(h http.Header, w Window)               // the vendor's headers, on every answer
	Deny     func(w http.ResponseWriter, r *http.Request, by Window)

	mu      sync.Mutex
	windows map[string]*Window
	flying  int
}

// Window is what is left of one window.
type Window struct {
	Limit, Remaining int
	Reset            time.Time
	InFlight         bool // refused for too many requests at the same time
}

// Gate counts and refuses.
func (l *Limiter) Gate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !l.enter() {
			by := Window{Reset: l.Now(), InFlight: true}
			l.Tell(w.Header(), by)
			l.Deny(w, r, by)
			return
		}
		defer l.leave()
		key, limit := "", 0
		if l.Factor >= 0 {
			key, limit = l.Of(r)
		}
		if limit <= 0 {
			next.ServeHTTP(w, r)
			return
		}
		cost := 1
		if l.Cost != nil {
			cost = l.Cost(r)
		}
		by, ok := l.take(key, limit, cost)
		l.Tell(w.Header(), by)
		if !ok {
			l.Deny(w, r, by)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (l *Limiter) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.InFlight > 0 && l.Factor >= 0 && l.flying >= l.InFlight {
		return false
	}
	l.flying++
	return true
}

func (l *Limiter) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flying--
}

func (l *Limiter) take(key string, limit, cost int) (Window, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	per := l.Per
	if per == 0 {
		per = time.Minute
	}
	if l.Factor > 0 {
		limit = max(1, int(float64(limit)*l.Factor))
	}
	now := l.Now()
	if l.windows == nil || len(l.windows) > 4096 { // the keys are few; a caller that makes up more gets new windows
		l.windows = map[string]*Window{}
	}
	w := l.windows[key]
	if w == nil || !now.Before(w.Reset) {
		w = &Window{Limit: limit, Remaining: limit, Reset: now.Truncate(per).Add(per)}
		l.windows[key] = w
	}
	if w.Remaining < cost && w.Remaining < w.Limit || w.Remaining == 0 { // what costs more than all of a window has one of its own
		return *w, false
	}
	w.Remaining = max(0, w.Remaining-cost)
	return *w, true
}
