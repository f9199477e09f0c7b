package saastest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// point is a kind of moment at which a process can die.
type point struct {
	save   bool // else a hand-over
	after  bool // it had its effect
	stream string
}

// death is the n-th moment of a kind in a life.
type death struct {
	point
	n int
}

var errDead = errors.New("the process is dead")

// pass lets a hand-over or save have its effect, unless the process dies here.
func (b *bench) pass(save bool, stream string, effect func() error) error {
	if b.dead.Load() {
		return errDead
	}
	b.mu.Lock()
	at := point{save, false, stream}
	b.points[at]++
	dies := b.fatal != nil && b.fatal.save == save && b.fatal.stream == stream && b.points[at] == b.fatal.n
	after := dies && b.fatal.after
	b.mu.Unlock()
	if dies && !after {
		b.dead.Store(true)
		return errDead
	}
	err := effect()
	if dies {
		b.dead.Store(true)
		return errDead
	}
	return err
}

// tap is the storage extension with the saves counted.
type tap struct {
	extension.Extension
	b *bench
}

// GetClient is storage.Extension's.
func (x *tap) GetClient(ctx context.Context, k component.Kind, id component.ID, name string) (storage.Client, error) {
	c, err := x.Extension.(storage.Extension).GetClient(ctx, k, id, name)
	if err != nil {
		return nil, err
	}
	return &tapped{c, c.(storage.Walker), x.b}, nil
}

type tapped struct {
	storage.Client
	storage.Walker
	b *bench
}

func (c *tapped) Set(ctx context.Context, key string, val []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, val))
}

func (c *tapped) Batch(ctx context.Context, ops ...*storage.Operation) error {
	stream := ""
	for _, op := range ops {
		if rest, ok := strings.CutPrefix(op.Key, "p/"); ok {
			stream, _, _ = strings.Cut(rest, "/")
		}
	}
	return c.b.pass(true, stream, func() error { return c.Client.Batch(ctx, ops...) })
}

// kills ends the process at hand-overs and saves of every stream, before and after they had their effect, several times in
// one history, and begins again: nothing is lost, at most the last batch of each part repeats. (Shipped elsewhere: 3 an
// export failure moves the cursor.)
func (s *suite) kills(t *testing.T) {
	first := newBench(t, s.p, settings{opts: usual(40, 3), tune: unhurried})
	var todo []death
	for _, n := range [...]int{1, 2, 4} { // later ones of a stream are alike
		for _, after := range []bool{false, true} {
			for _, at := range slices.SortedFunc(maps.Keys(s.points), func(a, b point) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) }) {
				at.after = after
				todo = append(todo, death{at, n})
			}
		}
	}
	died := map[point]int{}
	for len(todo) > 0 {
		b := newBench(t, s.p, settings{with: first, tune: unhurried, keys: map[string]any{"batch_bytes": 2048}})
		todo = s.history(b, todo, died)
		if b.close(); t.Failed() {
			return
		}
	}
	for at := range s.points {
		for _, at.after = range []bool{false, true} {
			if died[at] == 0 {
				t.Errorf("no death at %+v: it was never reached again", at)
			}
		}
	}
}

// history is one tenant's: it dies in life after life at the deaths to do, and is then read to the end. It gives those left.
func (s *suite) history(b *bench, todo []death, died map[point]int) (left []death) {
	b.t.Helper()
	const lives = 5
	var deaths []death
	for i, d := range todo {
		if len(deaths) == lives {
			left = append(left, todo[i:]...)
			break
		}
		b.fatal = &d
		b.start()
		b.settle()
		if !b.dead.Load() { // everything is read: another history may come to it, unless this one only tried it
			if len(deaths) > 0 {
				left = append(left, todo[i:]...)
			} else {
				left = append(left, todo[i+1:]...)
			}
			break
		}
		died[d.point]++
		deaths = append(deaths, d)
		b.stop()
	}
	if b.fatal = nil; b.recv == nil {
		b.start()
		b.settle()
	}
	b.whole()
	b.once()
	if b.t.Failed() {
		b.t.Logf("died at %+v", deaths)
	}
	return left
}
