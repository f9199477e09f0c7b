package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Store is a file that is written. It may be used by several goroutines; they write one after the other.
type Store struct {
	path     string
	db       *sql.DB
	pageSize int64
	gate     chan struct{} // one writer; it guards what follows
	session  session
	free     chan *chunk
	copier   *copier
}

// lockWait is how long a writer waits for another process.
const lockWait = 10 * time.Second

// Open opens the store at path, or makes it and its folder. Only its owner can read a new file.
func Open(ctx context.Context, path string) (*Store, error) {
	if err := create(path); err != nil {
		return nil, err
	}
	// A commit syncs the log (FULL): a receiver's mark moves after it, and must not be ahead of what a power cut leaves.
	db, err := open(path, url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(" + milliseconds(lockWait) + ")", "synchronous(FULL)", "cache_size(-32768)",
		fmt.Sprintf("journal_size_limit(%d)", walBytes)}})
	if err != nil {
		return nil, describe("open", path, err)
	}
	db.SetMaxOpenConns(1)
	s := &Store{path: path, db: db, gate: make(chan struct{}, 1), free: make(chan *chunk, chunkCount)}
	for range chunkCount {
		s.free <- new(chunk)
	}
	err = s.prepare(ctx)
	if err == nil {
		s.copier, err = startCopier(path)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends writing. The file stays whole without it too.
func (s *Store) Close() error {
	var errs []error
	if s.copier != nil {
		errs = append(errs, s.copier.close())
	}
	if err := errors.Join(append(errs, s.session.close(s.db), s.db.Close())...); err != nil {
		return describe("close", s.path, err)
	}
	return nil
}

// create makes an empty file, so that it and what SQLite puts beside it are the owner's only.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make folder of store %q: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, os.ErrExist):
		return nil
	case err != nil:
		return fmt.Errorf("make store %q: %w", path, err)
	}
	return f.Close()
}

// format sets what must be set before a file has content, and what follows from it.
func (s *Store) format(ctx context.Context) error {
	var pages, size int64
	const text = "SELECT (SELECT page_count FROM pragma_page_count), (SELECT page_size FROM pragma_page_size)"
	if err := s.db.QueryRowContext(ctx, text).Scan(&pages, &size); err != nil {
		return describe("open", s.path, err)
	}
	if pages == 0 {
		if _, err := s.db.ExecContext(ctx, fileText); err != nil {
			return describe("make", s.path, err)
		}
		if err := s.db.QueryRowContext(ctx, text).Scan(&pages, &size); err != nil {
			return describe("open", s.path, err)
		}
	}
	s.pageSize = size
	if _, err := s.db.ExecContext(ctx, fmt.Sprintf("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = %d", walBytes/size)); err != nil {
		return describe("open", s.path, err)
	}
	return nil
}

// prepare checks or makes the tables.
func (s *Store) prepare(ctx context.Context) error {
	if err := s.format(ctx); err != nil {
		return err
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return describe("open", s.path, err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit there is nothing to roll back
	version, err := check(ctx, tx, s.path)
	if err != nil {
		return err
	}
	if version < Version {
		text := fmt.Sprintf("%s; PRAGMA application_id = %d; PRAGMA user_version = %d", [...]string{schema, fromOne}[version],
			applicationID, Version)
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return describe("make tables of", s.path, err)
		}
	}
	if _, err := tx.ExecContext(ctx, partsText); err != nil {
		return describe("make tables of", s.path, err)
	}
	if err := makeViews(ctx, tx); err != nil {
		return describe("make tables of", s.path, err)
	}
	if err := tx.Commit(); err != nil {
		return describe("make tables of", s.path, err)
	}
	return nil
}

// querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// check reads the version of the file, 0 of an empty one, and refuses what is none of ours.
func check(ctx context.Context, q querier, path string) (version int, err error) {
	var app, tables int64
	err = q.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
		(SELECT count(*) FROM sqlite_schema)`).Scan(&app, &version, &tables)
	switch {
	case err != nil:
		return 0, describe("open", path, err)
	case app == 0 && version == 0 && tables == 0:
		return 0, nil
	case app != applicationID:
		return 0, fmt.Errorf("open store %q: it is the database of another program (application id %d)", path, app)
	case version > Version:
		return 0, fmt.Errorf("open store %q: it has version %d, this program knows versions up to %d: use a newer one",
			path, version, Version)
	case version < 1:
		return 0, fmt.Errorf("open store %q: version %d is none", path, version)
	}
	return version, nil
}

// open makes a pool of connections. SQLite's own parameters reach it through the URI only.
func open(path string, params url.Values) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	name := filepath.ToSlash(abs)
	if !strings.HasPrefix(name, "/") { // a drive
		name = "/" + name
	}
	uri := url.URL{Scheme: "file", Path: name, RawQuery: params.Encode()}
	return sql.OpenDB(connector{uri.String()}), nil
}

func milliseconds(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }
