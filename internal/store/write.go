package store

import (
	"context"
	"database/sql"
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

// maxDocument bounds a document; a larger record is set aside.
const maxDocument = 64 << 20

// keptDocument bounds the memory that an idle store keeps.
const keptDocument = 1 << 20

// writer is the writing of one batch.
type writer struct {
	ctx   context.Context // of this call only
	tx    *sql.Tx
	stmts statements // in the transaction
	enc   event.Encoding
	at    time.Time
	doc   []byte
	words words
	n     Stored
}

// Write stores records in one transaction. After an error nothing of them is stored.
func (s *Store) Write(ctx context.Context, records iter.Seq[event.View], enc event.Encoding) (Stored, error) {
	select {
	case s.gate <- struct{}{}:
	case <-ctx.Done():
		return Stored{}, fmt.Errorf("write store %q: wait for its writer: %w", s.path, context.Cause(ctx))
	}
	defer func() { <-s.gate }()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return Stored{}, describe("write", s.path, err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit there is nothing to roll back
	w := &s.w
	*w = writer{ctx: ctx, tx: tx, stmts: s.stmts.in(ctx, tx), enc: enc, at: enc.Ingested, doc: w.doc[:0], words: w.words}
	defer w.release()
	for v := range records {
		if err := w.record(v); err != nil {
			return Stored{}, describe("write", s.path, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return Stored{}, describe("write", s.path, err)
	}
	return w.n, nil
}

// release drops what belongs to one batch.
func (w *writer) release() {
	doc := w.doc
	if cap(doc) > keptDocument {
		doc = nil
	}
	*w = writer{doc: doc, words: w.words}
}

// record stores one record; its error is one of the store, not of the record.
func (w *writer) record(v event.View) error {
	at := v.Log.Timestamp()
	if at == 0 {
		at = v.Log.ObservedTimestamp()
	}
	if at == 0 || at > math.MaxInt64 {
		return w.refuse(v, "no_time", fmt.Sprintf("the record's time is %d: it has none or one after 2262", uint64(at)))
	}
	w.doc = event.AppendECS(w.doc[:0], v, w.enc)
	if len(w.doc) > maxDocument {
		return w.refuse(v, "too_large", fmt.Sprintf("the document has %d bytes, at most %d are stored", len(w.doc), maxDocument))
	}
	w.words.read(v)
	c := w.words.columns
	doc := string(w.doc)
	res, err := w.stmts.document.ExecContext(w.ctx, v.DocID(), int64(at), c[colModule], c[colDataset], c[colTenant], c[colKind],
		c[colAction], c[colOutcome], w.words.user(), c[colSourceIP], doc)
	if err != nil {
		return w.failed(v, err)
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		w.n.Duplicate++
	} else {
		seq, err := res.LastInsertId()
		if err != nil {
			return err
		}
		if _, err := w.stmts.text.ExecContext(w.ctx, seq, w.words.String()); err != nil {
			return err
		}
		w.n.Accepted++
	}
	return w.entity(v, int64(at), doc)
}

// entity makes the record the current state of its entity, unless a newer one is there. Of a deleted entity the last state
// stays, with the time at which it was found gone.
func (w *writer) entity(v event.View, at int64, doc string) error {
	id := v.EntityID()
	if id == "" || delivery.ClassOf(v) != delivery.Entity {
		return nil
	}
	version := at
	if o := v.Log.ObservedTimestamp(); o != 0 && o <= math.MaxInt64 {
		version = int64(o)
	}
	deleted := int64(0)
	if v.Log.EventName() == "entity.delete" || w.words.deletion {
		deleted = at
	}
	c := w.words.columns
	var seq int64
	var fresh string
	err := w.stmts.entity.QueryRowContext(w.ctx, id, version, at, deleted, c[colModule], c[colDataset], c[colTenant], c[colEntityType],
		c[colEntityID], w.words.entityName(), doc).Scan(&seq, &fresh)
	switch {
	case err == sql.ErrNoRows: // a newer state is there
		return nil
	case err != nil:
		return err
	case fresh != doc:
		return nil // the words are those of the last state
	}
	_, err = w.stmts.entityText.ExecContext(w.ctx, seq, w.words.String())
	return err
}

// failed sets a record aside that the store refuses for what it holds.
func (w *writer) failed(v event.View, err error) error {
	if !never(err) {
		return err
	}
	return w.refuse(v, "refused", err.Error())
}

// letterLimit bounds a part of a letter.
const letterLimit = 1 << 20

// refuse sets a record aside for good.
func (w *writer) refuse(v event.View, typ, reason string) error {
	r := delivery.Refusal{ID: v.DocID(), Type: typ, Reason: strings.ToValidUTF8(reason, "\ufffd")}
	letter := delivery.Letter(v, r, w.enc.Namespace, letterLimit, w.at)
	if _, err := w.stmts.letter.ExecContext(w.ctx, r.ID, w.at.UnixNano(), r.Type, r.Reason, string(letter)); err != nil {
		return fmt.Errorf("set aside record %s (%s): %w", r.ID, r.Type, err)
	}
	w.n.Refused++
	return nil
}

// statements are those of a writer.
type statements struct{ document, text, entity, entityText, letter *sql.Stmt }

var statementTexts = [...]string{
	`INSERT INTO documents (id, time, module, dataset, tenant, kind, action, outcome, user, source_ip, doc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
	`INSERT INTO documents_text (rowid, words) VALUES (?, ?)`,
	`INSERT INTO states (id, version, time, deleted, module, dataset, tenant, type, native, name, doc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
		version = excluded.version, time = excluded.time, deleted = excluded.deleted, dataset = excluded.dataset,
		name = iif(excluded.deleted > 0, name, excluded.name), doc = iif(excluded.deleted > 0, doc, excluded.doc)
		WHERE excluded.version > version RETURNING seq, doc`,
	`INSERT OR REPLACE INTO states_text (rowid, words) VALUES (?, ?)`,
	`INSERT INTO letters (id, time, type, reason, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
}

func (s *statements) all() [len(statementTexts)]**sql.Stmt {
	return [...]**sql.Stmt{&s.document, &s.text, &s.entity, &s.entityText, &s.letter}
}

func (s *statements) prepare(ctx context.Context, db *sql.DB, path string) (err error) {
	for i, to := range s.all() {
		if *to, err = db.PrepareContext(ctx, statementTexts[i]); err != nil {
			return describe("open", path, err)
		}
	}
	return nil
}

// in are the statements within a transaction, which closes them.
func (s *statements) in(ctx context.Context, tx *sql.Tx) (out statements) {
	to := out.all()
	for i, from := range s.all() {
		*to[i] = tx.StmtContext(ctx, *from)
	}
	return out
}
