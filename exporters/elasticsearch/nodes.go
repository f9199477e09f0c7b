package elasticsearch

import (
	"slices"
	"sync"
	"time"
)

const (
	// firstRest is how long a node is left alone that failed once; each further failure doubles it up to mostRest.
	firstRest = 5 * time.Second
	mostRest  = time.Minute
)

// node is one address of the cluster.
type node struct {
	url   string
	fails int       // guarded by nodes.mu
	until time.Time // not before, guarded by nodes.mu
}

// nodes takes turns among the addresses that were given; it asks no server for others.
type nodes struct {
	mu   sync.Mutex
	all  []*node
	next int
	now  func() time.Time
}

func newNodes(urls []string, now func() time.Time) *nodes {
	n := &nodes{now: now}
	for _, u := range urls {
		n.all = append(n.all, &node{url: u})
	}
	return n
}

// order is all nodes as they are to be tried: those that work in turn, then those that rest, the longest rested first.
func (n *nodes) order() []*node {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.now()
	out := make([]*node, 0, len(n.all))
	for i := range n.all {
		if at := n.all[(n.next+i)%len(n.all)]; !at.until.After(now) {
			out = append(out, at)
		}
	}
	n.next = (n.next + 1) % len(n.all)
	fit := len(out)
	for _, at := range n.all {
		if at.until.After(now) {
			out = append(out, at)
		}
	}
	slices.SortStableFunc(out[fit:], func(a, b *node) int { return a.until.Compare(b.until) })
	return out
}

// report says how a node did.
func (n *nodes) report(at *node, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if ok {
		at.fails, at.until = 0, time.Time{}
		return
	}
	at.until = n.now().Add(min(firstRest<<min(at.fails, 8), mostRest))
	at.fails++
}
