package sim

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is one way to answer wrongly. Status faults say the vendor's error unless Body is set; the others let the fake
// answer and then spoil it.
type Fault struct {
	Status int         // answer this instead
	Body   string      // with this; "" = the vendor's error
	Header http.Header // and these; an empty list removes a header that the vendor's error would have

	Kind  Kind
	Bytes int64         // of Slow: per Every; of Giant: in all
	Every time.Duration // of Slow
	Host  string        // of Elsewhere: scheme and host that links name
}

// Kind is a way to spoil an answer.
type Kind int

// The kinds. The last five keep what the answer says complete where they can: a record is added, not replaced.
const (
	Plain     Kind = iota // not spoilt
	Hang                  // no answer until the client gives up
	Reset                 // the connection is closed before the answer
	Cut                   // the connection is closed in the middle of the body
	Truncated             // a complete answer with half of the JSON
	Slow                  // Bytes of the body at a time
	Giant                 // the first record of the page again and again, Bytes in all
	Null                  // a null before the first record
	Malformed             // an object with wrong types before the first record
	NullField             // the first object within the first record is null
	Elsewhere             // links of the answer name another host
)

// kinds by the names that Parse reads.
var kinds = [...]struct {
	name string
	kind Kind
}{{"hang", Hang}, {"reset", Reset}, {"cut", Cut}, {"truncate", Truncated}, {"slow", Slow}, {"giant", Giant}, {"null", Null},
	{"malformed", Malformed}, {"nullfield", NullField}, {"elsewhere", Elsewhere}}

// Faults makes requests fail while the fake runs. Rules are tried in the order in which they were added.
type Faults struct {
	fail func(w http.ResponseWriter, r *http.Request, status int)
	seed int64

	mu    sync.Mutex
	rules []*rule
	n     uint64
	off   time.Duration
	hit   int
}

type rule struct {
	on    string
	share float64
	left  int // of Next; < 0 = by share
	fault Fault
}

// maxRules bounds the rules; more replace the oldest.
const maxRules = 256

func newFaults(seed int64, fail func(http.ResponseWriter, *http.Request, int)) *Faults {
	return &Faults{seed: seed, fail: fail}
}

// Next makes the next n requests fail whose "METHOD pattern" contains on: "GET /api/v1/logs", "lifecycle", "" = any. With $ at
// its end on is the end of the pattern.
func (f *Faults) Next(n int, on string, fault Fault) { f.add(&rule{on: on, left: n, fault: fault}) }

// Share makes a share of such requests fail, chosen by the seed.
func (f *Faults) Share(share float64, on string, fault Fault) {
	f.add(&rule{on: on, left: -1, share: share, fault: fault})
}

func (f *Faults) add(r *rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, r)
	if len(f.rules) > maxRules {
		f.rules = f.rules[1:]
	}
}

// Skew sets how far the Date header is from the fake's clock.
func (f *Faults) Skew(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off = d
}

func (f *Faults) skew() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.off
}

// Clear ends all faults.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules, f.off = nil, 0
}

// Hits is how many requests were made to fail.
func (f *Faults) Hits() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hit
}

// Parse adds faults by share: "429=0.01,500=0.01,hang=0.002,cut=0.002"; a colon does for the equals sign. Names beside
// statuses: hang, reset, cut, truncate, slow, giant, null, malformed, nullfield, elsewhere.
func (f *Faults) Parse(spec string) error {
	var add []rule
	for _, part := range strings.Split(spec, ",") {
		name, text, ok := strings.Cut(strings.Replace(strings.TrimSpace(part), ":", "=", 1), "=")
		share, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil || !(share >= 0 && share <= 1) {
			return fmt.Errorf("read fault %q: want name=share with a share of 0 to 1", part)
		}
		fault, err := named(name)
		if err != nil {
			return err
		}
		add = append(add, rule{share: share, left: -1, fault: fault})
	}
	for i := range add {
		f.add(&add[i])
	}
	return nil
}

func named(name string) (Fault, error) {
	for _, k := range kinds {
		if k.name == name {
			return Fault{Kind: k.kind, Bytes: 256, Every: 100 * time.Millisecond, Host: "http://elsewhere.invalid"}, nil
		}
	}
	if status, err := strconv.Atoi(name); err == nil && status >= 400 && status <= 599 {
		return Fault{Status: status}, nil
	}
	return Fault{}, fmt.Errorf("read fault %q: want a status of 400 to 599 or one of hang, reset, cut, truncate, slow, giant, "+
		"null, malformed, nullfield, elsewhere", name)
}

// pick is the fault of a request, if any.
func (f *Faults) pick(r *http.Request) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := r.Pattern
	if !strings.HasPrefix(name, r.Method+" ") {
		name = r.Method + " " + name
	}
	for _, rule := range f.rules {
		on, end := strings.CutSuffix(rule.on, "$")
		if rule.left == 0 || !strings.Contains(name, on) || end && !strings.HasSuffix(name, on) {
			continue
		}
		if rule.left < 0 {
			f.n++
			if !chance(Hash(f.seed, 4, f.n), rule.share) {
				continue
			}
		} else {
			rule.left--
		}
		f.hit++
		return rule.fault, true
	}
	return Fault{}, false
}
