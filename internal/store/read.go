package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"
	"net/url"
	"os"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Reader reads a store, its own or that of a running agent. It may be used by several goroutines.
type Reader struct {
	path     string
	db       *sql.DB
	pageRows int
	states   table // by the version of the file
}

// OpenReader opens a store that is there. Nothing in it can be changed through a Reader.
func OpenReader(ctx context.Context, path string) (*Reader, error) {
	if _, err := os.Stat(path); err != nil { // SQLite would only say that it cannot open it
		return nil, fmt.Errorf("open store %q: %w", path, errors.Unwrap(err))
	}
	db, err := open(path, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(" + milliseconds(lockWait) + ")", "query_only(1)"}})
	if err != nil {
		return nil, describe("open", path, err)
	}
	db.SetMaxOpenConns(4)
	r := &Reader{path, db, pageRows, states}
	version, err := check(ctx, db, path)
	switch {
	case err == nil && version == 0:
		err = fmt.Errorf("open store %q: nothing was stored in it yet", path)
	case version == 1: // no program that writes opened it yet
		r.states.name = "entities"
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Close ends reading.
func (r *Reader) Close() error {
	if err := r.db.Close(); err != nil {
		return describe("close", r.path, err)
	}
	return nil
}

// Search says what to look for.
type Search struct {
	Filter *Filter
	Limit  int  // 0 = all
	Doc    bool // read the documents too
}

// Document is a stored record.
type Document struct {
	ID, Module, Dataset, Tenant, Kind, Action, Outcome, User, SourceIP string

	Time time.Time
	Doc  string // ECS JSON; "" when it was not asked for
}

// Entity is the last known state of an entity.
type Entity struct {
	ID, Module, Dataset, Tenant, Type, Native, Name string

	Time    time.Time // when it was read
	Deleted time.Time // when it was found gone; else zero
	Doc     string
}

// pageRows bounds how many places are found at once. Their rows are read one by one, so that a slow consumer keeps no read
// transaction open, which would let the log of the writer grow.
const pageRows = 1 << 16

// Documents iterates over the records that a search finds, newest first. An error is the last thing that it gives.
func (r *Reader) Documents(ctx context.Context, s Search) iter.Seq2[Document, error] {
	return search(ctx, r, s, documents, "id, module, dataset, tenant, kind, action, outcome, user, source_ip", func(d *Document) []any {
		return []any{&d.ID, &d.Module, &d.Dataset, &d.Tenant, &d.Kind, &d.Action, &d.Outcome, &d.User, &d.SourceIP}
	}, func(d *Document, at int64, doc string) { d.Time, d.Doc = time.Unix(0, at).UTC(), doc })
}

// Entities iterates over the entities that a search finds, those first that were read last; deleted ones only when the
// filter names entity.lifecycle.deleted.
func (r *Reader) Entities(ctx context.Context, s Search) iter.Seq2[Entity, error] {
	type row struct {
		Entity
		deleted int64
	}
	found := search(ctx, r, s, r.states, "id, module, dataset, tenant, type, native, name, deleted", func(e *row) []any {
		return []any{&e.ID, &e.Module, &e.Dataset, &e.Tenant, &e.Type, &e.Native, &e.Name, &e.deleted}
	}, func(e *row, at int64, doc string) { e.Time, e.Doc = time.Unix(0, at).UTC(), doc })
	return func(yield func(Entity, error) bool) {
		for e, err := range found {
			if e.deleted > 0 {
				e.Deleted = time.Unix(0, e.deleted).UTC()
			}
			if !yield(e.Entity, err) {
				return
			}
		}
	}
}

// mark is a place in the order of a search.
type mark struct{ time, seq int64 }

// search reads the rows of a table that a search finds.
func search[T any](ctx context.Context, r *Reader, s Search, t table, columns string, into func(*T) []any,
	finish func(*T, int64, string)) iter.Seq2[T, error] {
	doc := "''"
	if s.Doc {
		doc = "doc"
	}
	keys := func() (string, []any, error) {
		texts, err := r.texts(ctx, t)
		where, args := s.Filter.where(t, texts)
		return "SELECT seq, time FROM " + t.name + " WHERE " + where + " AND (time, seq) < (?, ?) ORDER BY time DESC, seq DESC LIMIT ?", args, err
	}
	one := fmt.Sprintf("SELECT time, %s, %s FROM %s WHERE seq = ?", doc, columns, t.name)
	return func(yield func(T, error) bool) {
		left := s.Limit
		if left <= 0 {
			left = math.MaxInt
		}
		err := r.pages(ctx, keys, left, func(get *sql.Stmt, seq int64) (bool, error) {
			var row T
			var at int64
			var doc string
			err := get.QueryRowContext(ctx, seq).Scan(append([]any{&at, &doc}, into(&row)...)...)
			if errors.Is(err, sql.ErrNoRows) { // deleted meanwhile
				return true, nil
			}
			if err != nil {
				return false, err
			}
			finish(&row, at, doc)
			return yield(row, nil), nil
		}, one)
		if err != nil {
			yield(*new(T), describe("search", r.path, err))
		}
	}
}

// pages finds places, page after page, and calls each with them until it says no.
func (r *Reader) pages(ctx context.Context, keys func() (string, []any, error), left int, each func(*sql.Stmt, int64) (bool, error),
	one string) (err error) {
	text, args, err := keys()
	if err != nil {
		return err
	}
	get, err := r.db.PrepareContext(ctx, one)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, get.Close()) }()
	last, gone := mark{math.MaxInt64, math.MaxInt64}, 0
	for left > 0 {
		want := min(left, r.pageRows)
		page, err := r.page(ctx, text, append(args[:len(args):len(args)], last.time, last.seq, want))
		if gone++; partGone(err) && gone < 10 {
			if text, args, err = keys(); err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		gone = 0
		for _, last = range page {
			if more, err := each(get, last.seq); err != nil || !more {
				return err
			}
		}
		if left -= len(page); len(page) < want {
			return nil
		}
	}
	return nil
}

// page reads one page of places.
func (r *Reader) page(ctx context.Context, text string, args []any) (page []mark, err error) {
	rows, err := r.db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var m mark
		if err := rows.Scan(&m.seq, &m.time); err != nil {
			return nil, err
		}
		page = append(page, m)
	}
	return page, rows.Err()
}

// SQL runs a statement that only reads, and calls each with every row. Anything else is refused, by SQLite itself. Columns
// are the same in every call; values are int64, float64, string, []byte or nil. Until it returns, it keeps what it reads from
// being cleared out of the writer's log.
func (r *Reader) SQL(ctx context.Context, text string, each func(columns []string, values []any) error) (err error) {
	conn, err := r.db.Conn(ctx)
	if err != nil {
		return describe("open", r.path, err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	err = conn.Raw(func(c any) error {
		a, ok := c.(sqlite.AuthorizerRegisterer)
		if !ok {
			return fmt.Errorf("a connection of type %T has no authorizer", c)
		}
		return a.RegisterAuthorizer(readOnly)
	})
	if err != nil {
		return err
	}
	rows, err := conn.QueryContext(ctx, text)
	if code(err) == sqlite3.SQLITE_AUTH {
		return fmt.Errorf("run SQL: only statements that read are allowed: %w", err)
	}
	if err != nil {
		return fmt.Errorf("run SQL: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, to := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		to[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return fmt.Errorf("read row: %w", err)
		}
		if err := each(columns, values); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("run SQL: %w", err)
	}
	return nil
}

// readOnly allows what reads the store and nothing else: no other file, no setting.
func readOnly(action sqlite.AuthorizerActionCode, arg1, _, _, _ string) sqlite.AuthorizerReturnCode {
	switch action {
	case sqlite.AuthSelect, sqlite.AuthRead, sqlite.AuthFunction, sqlite.AuthRecursive:
		return sqlite.AuthorizerOK
	case sqlite.AuthPragma:
		switch arg1 {
		case "table_info", "table_xinfo", "table_list", "index_list", "index_info", "data_version":
			return sqlite.AuthorizerOK
		}
	}
	return sqlite.AuthorizerDeny
}
