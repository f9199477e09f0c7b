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

// moments are the points of a life, in order.
func (s *suite) moments() []point {
	return slices.SortedFunc(maps.Keys(s.points), func(a, b point) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}

// kills ends the process at hand-overs and saves of every stream, before and after they had their effect, several times in
// one history, and begins again: nothing is lost, at most the last batch of each part repeats. (Shipped elsewhere: 3 an
// export failure moves the cursor.) With -short at a fifth of them.
func (s *suite) kills(t *testing.T) {
	short, whole := s.story("4h"), s.story("30d") // of which some vendors keep less, which is told
	calm := s.settled(t, short)                   // to know which moments a life comes to
	calm.close()
	died := map[point]int{}
	s.killed(t, short, died, []int{1, 2, 4}, func(d death) bool { // later ones are alike
		return d.n <= calm.points[point{d.save, false, d.stream}]
	})
	if testing.Short() || t.Failed() {
		return
	}
	s.killed(t, whole, died, []int{1}, func(d death) bool { return died[d.point] == 0 })
	for _, at := range s.moments() {
		for _, at.after = range []bool{false, true} {
			if died[at] == 0 {
				t.Errorf("no death at %+v: it was never reached again", at)
			}
		}
	}
}

func (s *suite) story(from string) settings {
	return settings{opts: usual(40, 3), tune: unhurried, keys: map[string]any{"batch_bytes": 2048, "start_at": from}}
}

// killed ends the process at those times of each moment that are worth it.
func (s *suite) killed(t *testing.T, story settings, died map[point]int, times []int, worth func(d death) bool) {
	var todo []death
	for _, n := range times {
		for _, after := range []bool{false, true} {
			for _, at := range s.moments() {
				d := death{at, n}
				if d.after = after; worth(d) {
					todo = append(todo, d)
				}
			}
		}
	}
	if testing.Short() { // every fifth
		for i := range len(todo) / 5 {
			todo[i] = todo[i*5]
		}
		todo = todo[:len(todo)/5]
	}
	for len(todo) > 0 && !t.Failed() {
		b := newBench(t, s.p, story)
		todo = s.history(b, todo, died)
		b.close()
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
