package sim

import (
	"io"
	"net/http"
	"time"
)

// Options say what a fake publishes and how badly it behaves.
type Options struct {
	Seed    int64
	Events  int           // published in all; 0 = the fake's default
	Start   time.Time     // of the first event; zero = 24 h before Now
	Span    time.Duration // from the first event to the last; 0 = 24 h
	Users   int           // 0 = the fake's default
	Files   int           // of a fake that has files; 0 = the fake's default
	Late    float64       // share of events that are published late and out of order
	MaxLag  time.Duration // of late events; 0 = the vendor's documented one
	Again   float64       // share of events handed out a second time days later, by a vendor of which that is known
	Replay  io.Reader     // events to serve instead of generated ones, JSON lines; objects or {"raw": object}
	Limits  float64       // factor on the vendor's documented limits; 0 = 1, negative = none
	Now     func() time.Time
	Base    string // URL under which the fake is reached; "" = from each request's Host
	Variant string // which credential Config gives, as the fake names them; "" = the one the vendor advises
}

// Sim is a running fake.
type Sim struct {
	Handler http.Handler
	// Config is the configuration of an instance that polls this fake at base, as in YAML: endpoint, auth …
	Config func(base string) map[string]any
	// Published calls f for the key of everything the named stream must deliver up to now, until f returns false.
	// Streams lists the names.
	Published func(stream string, f func(key string) bool)
	Streams   []string
	// Planted counts the records (events, users) that hold at least one value that dlp must find, by data type
	// ("pci.credit_card"), in everything published. Nothing is planted in replayed events.
	Planted map[string]int
	// Faults makes requests fail; tests and `longshore sim` set it.
	Faults *Faults
	// Seen counts requests by method, path pattern and status, for tests and benchmarks.
	Seen *Counter
	// Intercept, where set before the first request, sees each request first; true = it answered.
	Intercept func(w http.ResponseWriter, r *http.Request) (done bool)
}

// Count is how many keys the named stream must deliver up to now.
func (s *Sim) Count(stream string) int {
	n := 0
	s.Published(stream, func(string) bool { n++; return true })
	return n
}

// Each calls f for the keys until it returns false, as Published does.
func Each(keys []string, f func(key string) bool) {
	for _, k := range keys {
		if !f(k) {
			return
		}
	}
}

// Digest is the number of keys the named stream must deliver up to now, and a sum over them that does not depend on
// their order: two sets are equal when both are.
func (s *Sim) Digest(stream string) (n int, sum uint64) {
	s.Published(stream, func(key string) bool { n++; sum += KeySum(key); return true })
	return n, sum
}

// Filled returns the options with what every fake defaults alike: the clock, the start and the span.
func (o Options) Filled() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Start.IsZero() {
		o.Start = o.Now().Add(-24 * time.Hour)
	}
	o.Start = o.Start.UTC().Truncate(time.Millisecond)
	if o.Span <= 0 {
		o.Span = 24 * time.Hour
	}
	return o
}
