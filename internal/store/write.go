package store

import (
	"context"
	"fmt"
	"iter"
	"math"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/delivery"
	"github.com/longshore-dev/longshore/internal/event"
)

// Stored counts what became of the records of a batch.
type Stored struct {
	Accepted  int // new
	Duplicate int // there already
	Refused   int // set aside among the letters
}

// writer is the writing of one batch.
type writer struct {
	*session
	namespace string
	now       time.Time
	n         Stored
}

// chunkCount is how many chunks a store has: one is encoded, one waits, one is written.
const chunkCount = 3

// Write stores records in one transaction. After an error nothing of them is stored.
func (s *Store) Write(ctx context.Context, records iter.Seq[event.View], enc event.Encoding) (Stored, error) {
	if err := s.enter(ctx); err != nil {
		return Stored{}, err
	}
	defer s.leave()
	w := writer{session: &s.session, namespace: enc.Namespace, now: enc.Ingested}
	bytes := 0
	if err := s.session.with(ctx, s.db, func() (err error) {
		if err = s.session.place(); err != nil {
			return err
		}
		bytes, err = s.chunks(ctx, records, enc, w.chunk)
		return err
	}); err != nil {
		return Stored{}, describe("write", s.path, err)
	}
	s.wrote(bytes)
	return w.n, nil
}

// enter waits until nobody else writes.
func (s *Store) enter(ctx context.Context) error {
	select {
	case s.gate <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("write store %q: wait for its writer: %w", s.path, context.Cause(ctx))
	}
}

func (s *Store) leave() { <-s.gate }

// chunks calls each with all records while the next ones are encoded, and says how many bytes they have.
func (s *Store) chunks(ctx context.Context, records iter.Seq[event.View], enc event.Encoding, each func(*chunk) error) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	full := make(chan *chunk)
	go encode(ctx, records, enc, s.free, full)
	defer func() {
		cancel()
		for range full { // until the encoder is done
		}
		for len(s.free) < chunkCount { // those that did not come back
			s.free <- new(chunk)
		}
	}()
	bytes := 0
	for c := range full {
		bytes += len(c.buf)
		if err := each(c); err != nil {
			return bytes, err
		}
		if ctx.Err() != nil {
			return bytes, context.Cause(ctx)
		}
		c.reset()
		s.free <- c
	}
	return bytes, context.Cause(ctx)
}

func (w *writer) chunk(c *chunk) error {
	for i := range c.rows {
		if err := w.record(&c.rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// record stores one record; its error is one of the store, not of the record.
func (w *writer) record(r *row) error {
	if r.refused != "" {
		return w.refuse(r, r.refused, r.said)
	}
	c := &r.columns
	res, err := w.exec(putDocument, w.next, r.id, r.at, c[colModule], c[colDataset], c[colTenant], c[colKind], c[colAction], c[colOutcome],
		r.user(), c[colSourceIP], r.doc)
	if never(err) {
		return w.refuse(r, "refused", err.Error())
	}
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		w.n.Duplicate++
		return w.entity(r)
	}
	if _, err := w.exec(putWords, w.next, r.words); err != nil {
		return err
	}
	w.next++
	w.n.Accepted++
	return w.entity(r)
}

// entity makes the record the current state of its entity, unless a newer one is there. Of a deleted entity the last state
// stays, with the time at which it was found gone.
func (w *writer) entity(r *row) error {
	id := r.view.EntityID()
	if id == "" || delivery.ClassOf(r.view) != delivery.Entity {
		return nil
	}
	version := r.at
	if o := r.view.Log.ObservedTimestamp(); o != 0 && o <= math.MaxInt64 {
		version = int64(o)
	}
	deleted := int64(0)
	if r.view.Log.EventName() == "entity.delete" || r.deletion {
		deleted = r.at
	}
	c := &r.columns
	got, err := w.numbers(putState, 2, id, version, r.at, deleted, c[colModule], c[colDataset], c[colTenant], c[colEntityType],
		c[colEntityID], r.entityName(), r.doc)
	// No row: a newer state is there. Second number 0: the document and its words stay those of the last state.
	if err != nil || len(got) == 0 || got[1] == 0 {
		return err
	}
	_, err = w.exec(putStateWords, got[0], r.words)
	return err
}

// letterLimit bounds a part of a letter.
const letterLimit = 1 << 20

// refuse sets a record aside for good.
func (w *writer) refuse(r *row, typ, reason string) error {
	l := delivery.Refusal{ID: r.id, Type: typ, Reason: strings.ToValidUTF8(reason, "\ufffd")}
	letter := delivery.Letter(r.view, l, w.namespace, letterLimit, w.now)
	if _, err := w.exec(putLetter, l.ID, w.now.UnixNano(), l.Type, l.Reason, string(letter)); err != nil {
		return fmt.Errorf("set aside record %s (%s): %w", l.ID, l.Type, err)
	}
	w.n.Refused++
	return nil
}
