package saas

import (
	"context"
	"fmt"
	"iter"
	"sync"
)

// claims are the keys of events that a reading has met and not saved yet. An event that comes in two parts which are read at the
// same time is handed on by the reading that met it first; the other waits for that before it moves on.
type claims struct {
	mu   sync.Mutex
	of   map[uint64]*run
	free chan struct{} // closed when keys are given back; nil = nobody waits
}

// take makes the key r's to hand on, unless another reading has it.
func (c *claims) take(h uint64, r *run) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if by := c.of[h]; by != nil && by != r {
		return false
	}
	if c.of == nil {
		c.of = map[uint64]*run{}
	}
	c.of[h] = r
	return true
}

// give gives back keys of r, which are saved or were not accepted. Only a stream whose parts are read side by side has any.
func (c *claims) give(r *run, keys iter.Seq[uint64]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.of) == 0 {
		return
	}
	for h := range keys {
		if c.of[h] == r {
			delete(c.of, h)
		}
	}
	if c.free != nil {
		close(c.free)
		c.free = nil
	}
}

// taken gives a channel that is closed when keys are given back; nil = nobody has the key.
func (c *claims) taken(h uint64) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[h] == nil {
		return nil
	}
	if c.free == nil {
		c.free = make(chan struct{})
	}
	return c.free
}

// dup says whether the event of the key needs no handing on: it was handed on, or another reading has it.
func (r *run) dup(h uint64) bool {
	if _, mine := r.fresh[h]; mine {
		return true
	}
	if r.st.Width > 1 && !r.st.claims.take(h, r) {
		r.waits = append(r.waits, h)
		return true
	}
	if !r.st.seen(h) { // asked after the key was taken: who had it before may have saved it meanwhile
		return false
	}
	r.unclaim(h)
	return true
}

// unclaim gives one key back.
func (r *run) unclaim(h uint64) { r.st.claims.give(r, func(yield func(uint64) bool) { yield(h) }) }

// await waits for the readings that have events which this one met too. Whoever waits has given back its own keys, so that no two
// wait for each other. When another did not bring an event, this reading failed: it is done again.
func (r *run) await(ctx context.Context) error {
	for _, h := range r.waits {
		for free := r.st.claims.taken(h); free != nil; free = r.st.claims.taken(h) {
			select {
			case <-free:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if !r.st.seen(h) {
			return &Error{Outcome: Unavailable, Err: fmt.Errorf("hand on %q: another part has an event of it, and failed", r.p.rowName())}
		}
	}
	r.waits = nil
	return nil
}
