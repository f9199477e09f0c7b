package policy

import (
	"container/list"
	"hash/maphash"
	"slices"
	"sync"
	"time"
)

// Bounds of one policy's counts: at most maxEntries records are remembered over all groups, 24 bytes each; the groups not
// heard of longest are forgotten first. A group keeps the last 2 × Count records by arrival.
const (
	maxCount   = 1000
	maxGroups  = 10_000
	maxEntries = 1 << 18
)

// counter counts the records of one policy with a threshold. Repeats of a record, known by its id, count once, and the record
// that reached the count reaches it again: a batch that was refused and comes again leads to the same matches.
type counter struct {
	t       Threshold
	seed    maphash.Seed
	mu      sync.Mutex
	groups  map[string]*list.Element
	recent  *list.List // of *group, the latest first
	entries int
}

type group struct {
	key  string
	seen []seen // in order of arrival
}

type seen struct {
	id    uint64
	at    int64 // nanoseconds
	state uint8
}

const (
	counting uint8 = iota
	used           // counted towards a match
	matched        // reached the count
)

func newCounter(t Threshold) *counter {
	return &counter{t: t, seed: maphash.MakeSeed(), groups: map[string]*list.Element{}, recent: list.New()}
}

// add counts a record and says whether it reached the count. Records may come in any order.
func (c *counter) add(key, id string, at time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.group(key)
	hash := maphash.String(c.seed, id)
	if i := slices.IndexFunc(g.seen, func(s seen) bool { return s.id == hash }); i >= 0 {
		return g.seen[i].state == matched
	}
	if len(g.seen) >= 2*c.t.Count {
		g.seen = slices.Delete(g.seen, 0, 1)
		c.entries--
	}
	g.seen = append(g.seen, seen{hash, at.UnixNano(), counting})
	c.entries++
	for c.entries > maxEntries || len(c.groups) > maxGroups {
		c.forget(c.recent.Back())
	}
	return g.reached(c.t.Count, int64(c.t.Window))
}

// reached says whether n records not used before, the last one of them, lie within a window, and uses them.
func (g *group) reached(n int, window int64) bool {
	last := len(g.seen) - 1
	if last < 0 { // the group itself was forgotten
		return false
	}
	at := g.seen[last].at
	var near []int
	for i, s := range g.seen {
		if s.state == counting && s.at > at-window && s.at < at+window {
			near = append(near, i)
		}
	}
	slices.SortStableFunc(near, func(a, b int) int { return int(min(1, max(-1, g.seen[a].at-g.seen[b].at))) })
	me := slices.Index(near, last)
	for from := max(0, me-n+1); from <= me && from+n <= len(near); from++ {
		if g.seen[near[from+n-1]].at-g.seen[near[from]].at >= window {
			continue
		}
		for _, i := range near[from : from+n] {
			g.seen[i].state = used
		}
		g.seen[last].state = matched
		return true
	}
	return false
}

func (c *counter) group(key string) *group {
	if e, ok := c.groups[key]; ok {
		c.recent.MoveToFront(e)
		return e.Value.(*group)
	}
	g := &group{key: key}
	c.groups[key] = c.recent.PushFront(g)
	return g
}

func (c *counter) forget(e *list.Element) {
	g := e.Value.(*group)
	c.recent.Remove(e)
	delete(c.groups, g.key)
	c.entries -= len(g.seen)
	g.seen = nil
}
