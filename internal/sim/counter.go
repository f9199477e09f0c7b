package sim

import (
	"cmp"
	"slices"
	"sync"
)

// Seen is how many requests of one kind got one status. Status 0 = no answer: the connection was cut or the client left.
type Seen struct {
	Method, Pattern string
	Status, N       int
}

// Counter counts requests by method, path pattern and status. It is bounded by the fake's routes.
type Counter struct {
	mu       sync.Mutex
	n        map[Seen]int
	now, max int
}

func (c *Counter) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now++
	c.max = max(c.max, c.now)
}

func (c *Counter) end(method, pattern string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now--
	if c.n == nil {
		c.n = map[Seen]int{}
	}
	c.n[Seen{Method: method, Pattern: pattern, Status: status}]++
}

// Writes is how many requests came that may change something: those by POST, PUT, PATCH and DELETE.
func (c *Counter) Writes() (n int) {
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		n += c.Count(method, "", 0)
	}
	return n
}

// Count is the number of requests with this method, path pattern and status; "" and 0 = any.
func (c *Counter) Count(method, pattern string, status int) int {
	sum := 0
	for _, s := range c.All() {
		if (method == "" || method == s.Method) && (pattern == "" || pattern == s.Pattern) && (status == 0 || status == s.Status) {
			sum += s.N
		}
	}
	return sum
}

// All lists the counts, in order.
func (c *Counter) All() []Seen {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Seen
	for s, n := range c.n {
		s.N = n
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Seen) int {
		return cmp.Or(cmp.Compare(a.Pattern, b.Pattern), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Status, b.Status))
	})
	return out
}

// MaxInFlight is how many requests were answered at the same time at most.
func (c *Counter) MaxInFlight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.max
}

// Reset forgets everything counted.
func (c *Counter) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n, c.max = nil, c.now
}
