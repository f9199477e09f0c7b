package dlp

import (
	"context"
	"slices"
	"sync"
)

// maxHeld is how many bytes of files are held at the same time in this process. One file alone may be larger.
const maxHeld = 256 << 20

// gate bounds the files that are read at the same time, and the bytes that they may take. Who waits is let in in turn.
type gate struct {
	mu    sync.Mutex
	files int
	bytes int64
	queue []*waiter
}

type waiter struct {
	most  int
	bytes int64
	in    chan struct{}
}

// reading is the gate of the process.
var reading gate

// fits says whether there is room. Called with mu held.
func (g *gate) fits(most int, bytes int64) bool {
	return g.files == 0 || g.files < most && g.bytes+bytes <= maxHeld
}

// enter waits for room for one more file where there may be most. leave gives it back.
func (g *gate) enter(ctx context.Context, most int, bytes int64) (leave func(), err error) {
	leave = sync.OnceFunc(func() { g.leave(bytes) })
	g.mu.Lock()
	if len(g.queue) == 0 && g.fits(most, bytes) {
		g.files++
		g.bytes += bytes
		g.mu.Unlock()
		return leave, nil
	}
	w := &waiter{most, bytes, make(chan struct{})}
	g.queue = append(g.queue, w)
	g.mu.Unlock()
	select {
	case <-w.in:
		return leave, nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	i := slices.Index(g.queue, w)
	if i >= 0 {
		g.queue = slices.Delete(g.queue, i, i+1)
		g.admit() // the next one may be smaller
	}
	g.mu.Unlock()
	if i < 0 {
		leave()
	}
	return nil, ctx.Err()
}

func (g *gate) leave(bytes int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.files--
	g.bytes -= bytes
	g.admit()
}

// admit lets in who waits longest, while there is room. Called with mu held.
func (g *gate) admit() {
	for len(g.queue) > 0 && g.fits(g.queue[0].most, g.queue[0].bytes) {
		w := g.queue[0]
		g.queue = slices.Delete(g.queue, 0, 1)
		g.files++
		g.bytes += w.bytes
		close(w.in)
	}
}
