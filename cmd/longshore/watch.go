package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/longshore-dev/longshore/internal/store"
)

const (
	lookEvery = 200 * time.Millisecond // at the store
	sayEvery  = 2 * time.Second        // where progress is not rewritten in place
	quiet     = time.Second            // without a new record once the sets are equal: what follows from them is there too
	samples   = 3                      // keys shown of what differs
)

// watch compares what the simulated tenants published with what the store holds.
type watch struct {
	store   *store.Reader
	tenants []rehearsed
	say     *progress
	limit   time.Duration
	want    []map[string]digest // by tenant: what each stream had published when it was last asked
	asked   time.Time
}

func newWatch(store *store.Reader, tenants []rehearsed, say *progress) *watch {
	w := &watch{store: store, tenants: tenants, say: say, limit: onceDeadline}
	w.ask()
	return w
}

// ask asks what is published by now: events are over, but some vendors put them into files hours later.
func (w *watch) ask() {
	w.want, w.asked = nil, time.Now()
	for _, t := range w.tenants {
		w.want = append(w.want, t.published())
	}
}

// untilEqual waits for the sets to be equal and gives the comparison. After the limit it gives what differs instead.
// ended is the collector's: it should not end before.
func (w *watch) untilEqual(ctx context.Context, ended <-chan error) (*result, error) {
	began := time.Now()
	defer w.say.end()
	held, read := newTally(w.tenants), int64(0)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	last, said := began, began
	for {
		n, err := since(ctx, w.store, read, func(seq int64, doc []byte) error { read = seq; return held.add(doc) })
		if err != nil {
			return nil, err
		}
		now := time.Now()
		if n > 0 {
			last = now
		}
		res := w.compare(held)
		res.Seconds = now.Sub(began).Seconds()
		switch {
		case res.OK && now.Sub(last) >= quiet:
			return res, nil
		case now.Sub(began) > w.limit:
			return res, w.explain(ctx, res)
		case !res.OK && now.Sub(last) >= quiet && now.Sub(w.asked) >= quiet:
			w.ask()
		case w.say.live || now.Sub(said) >= sayEvery:
			said = now
			w.say.say("%s of %s records stored, %s findings, %s planned", count(res.stored()), count(res.published()), count(res.found()),
				plural(res.planned(), "action"))
		}
		select {
		case <-tick.C:
		case err := <-ended:
			return nil, tooEarly(err)
		case <-ctx.Done():
			return nil, errors.New("interrupted before everything was stored")
		}
	}
}

// explain adds a few keys of what differs. It reads the store once more, because while all is well no keys are kept.
func (w *watch) explain(ctx context.Context, res *result) error {
	held := map[string]map[string]bool{} // tenant and stream: keys
	_, err := since(ctx, w.store, 0, func(_ int64, doc []byte) error {
		d, err := parse(doc)
		if err != nil {
			return err
		}
		for _, t := range w.tenants {
			if d.Event.Module != t.app.module() || d.SAAS.Tenant != t.name {
				continue
			}
			stream, key := t.app.keyOf(d)
			id := t.id() + "\x00" + stream
			if held[id] == nil {
				held[id] = map[string]bool{}
			}
			held[id][key] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, t := range w.tenants {
		for j := range res.Tenants[i].Streams {
			if s := &res.Tenants[i].Streams[j]; !s.Equal {
				s.differ(t, held[t.id()+"\x00"+s.Stream])
			}
		}
	}
	return nil
}

// differ takes out of held what was published and notes samples of what is left on either side.
func (s *streamResult) differ(t rehearsed, held map[string]bool) {
	t.keys(s.Stream, func(key string) bool {
		if !held[key] && len(s.Missing) < samples {
			s.Missing = append(s.Missing, key)
		}
		delete(held, key)
		return true
	})
	for key := range held {
		if s.Unexpected = append(s.Unexpected, key); len(s.Unexpected) == samples {
			break
		}
	}
}

// since calls each for the documents stored after one, in the order in which they were, and says how many there are.
func since(ctx context.Context, r *store.Reader, seq int64, each func(seq int64, doc []byte) error) (n int, err error) {
	text := fmt.Sprintf("SELECT seq, doc FROM documents WHERE seq > %d ORDER BY seq", seq)
	err = r.SQL(ctx, text, func(_ []string, row []any) error {
		seq, _ := row[0].(int64)
		doc, _ := row[1].(string)
		n++
		return each(seq, []byte(doc))
	})
	return n, err
}

func tooEarly(err error) error {
	if err == nil {
		return errors.New("the collector ended before it was told to")
	}
	return fmt.Errorf("run the collector: %w", err)
}
