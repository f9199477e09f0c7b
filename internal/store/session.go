package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	sqlite3 "modernc.org/sqlite/lib"
)

// The statements of a writer.
const (
	putDocument = iota
	putWords
	putState
	putStateWords
	putLetter
	readPlace
	keepNumber
	dropDocuments
	dropLetters
	giveBack
	begin
	commit
	rollback
	statementCount
)

var statementTexts = [statementCount]string{
	putDocument: `INSERT INTO documents (seq, id, time, module, dataset, tenant, kind, action, outcome, user, source_ip, doc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
	putWords: "", // that of the part
	putState: `INSERT INTO states (id, version, time, deleted, module, dataset, tenant, type, native, name, doc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
		version = excluded.version, time = excluded.time, deleted = excluded.deleted, dataset = excluded.dataset,
		name = iif(excluded.deleted > 0, name, excluded.name), doc = iif(excluded.deleted > 0, doc, excluded.doc)
		WHERE excluded.version > version RETURNING seq, doc = ?11`,
	putStateWords: `INSERT OR REPLACE INTO states_text (rowid, words) VALUES (?, ?)`,
	putLetter:     `INSERT INTO letters (id, time, type, reason, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
	readPlace: `SELECT max(coalesce((SELECT max(seq) FROM documents), 0), (SELECT last FROM numbers)), (SELECT max(first) FROM parts),
		coalesce((SELECT min(seq) FROM documents), 0)`,
	keepNumber:    `UPDATE numbers SET last = max(last, coalesce((SELECT max(seq) FROM documents), 0))`,
	dropDocuments: `DELETE FROM documents WHERE seq IN (SELECT seq FROM documents WHERE time < ? ORDER BY time, seq LIMIT ?)`,
	dropLetters:   `DELETE FROM letters WHERE seq IN (SELECT seq FROM letters WHERE time < ? ORDER BY seq LIMIT ?)`,
	giveBack:      fmt.Sprintf(`PRAGMA incremental_vacuum(%d)`, tidyPages),
	begin:         `BEGIN IMMEDIATE`,
	commit:        `COMMIT`,
	rollback:      `ROLLBACK`,
}

// session is the connection that writes, without database/sql between: a record takes two statements, and a batch a thousand.
type session struct {
	conn  any // the driver's
	stmts [statementCount]statement
	args  []driver.NamedValue
	next  int64 // number of the next record; of a transaction
	part  int64 // whose words putWords writes
}

// statement is what the driver's statements can do.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// with calls f in a transaction, which it commits if f ends well.
func (s *session) with(ctx context.Context, db *sql.DB, f func() error) (err error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return c.Raw(func(conn any) error {
		if err := s.prepare(ctx, conn); err != nil {
			return err
		}
		if _, err := s.stmts[begin].ExecContext(ctx, nil); err != nil {
			return err
		}
		err := f()
		if err == nil {
			err = context.Cause(ctx)
		}
		if err == nil {
			_, err = s.exec(commit)
		}
		if err == nil {
			return nil
		}
		if _, undone := s.exec(rollback); undone != nil && code(undone) != sqlite3.SQLITE_ERROR { // that: there is none any more
			return errors.Join(err, undone, driver.ErrBadConn)
		}
		return err
	})
}

// prepare makes the statements for a connection, when it is another one than before.
func (s *session) prepare(ctx context.Context, conn any) error {
	if s.conn == conn {
		return nil
	}
	s.conn, s.stmts = conn, [statementCount]statement{} // the statements of a connection that failed went with it
	for i, text := range statementTexts {
		if text == "" {
			continue
		}
		made, err := s.compile(ctx, text)
		if err != nil {
			s.conn = nil
			return err
		}
		s.stmts[i] = made
	}
	return nil
}

// compile makes a statement.
func (s *session) compile(ctx context.Context, text string) (statement, error) {
	p, ok := s.conn.(driver.ConnPrepareContext)
	if !ok {
		return nil, fmt.Errorf("a connection of type %T prepares no statements", s.conn)
	}
	made, err := p.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	stmt, ok := made.(statement)
	if !ok {
		return nil, fmt.Errorf("a statement of type %T cannot be run", made)
	}
	return stmt, nil
}

// close ends the statements.
func (s *session) close(db *sql.DB) error {
	if s.conn == nil {
		return nil
	}
	c, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	err = c.Raw(func(conn any) error {
		if conn != s.conn {
			return nil
		}
		var errs []error
		for _, stmt := range s.stmts {
			if stmt != nil {
				errs = append(errs, stmt.Close())
			}
		}
		s.conn = nil
		return errors.Join(errs...)
	})
	return errors.Join(err, c.Close())
}

// exec runs a statement. It is not interrupted: the context is looked at between records.
func (s *session) exec(n int, args ...driver.Value) (driver.Result, error) {
	return s.stmts[n].ExecContext(context.Background(), s.named(args))
}

func (s *session) named(args []driver.Value) []driver.NamedValue {
	s.args = s.args[:0]
	for i, arg := range args {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: arg})
	}
	return s.args
}

// numbers runs a statement that gives rows of n integers, and gives them one after the other.
func (s *session) numbers(statement, n int, args ...driver.Value) (out []int64, err error) {
	rows, err := s.stmts[statement].QueryContext(context.Background(), s.named(args))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	vals := make([]driver.Value, n)
	for {
		switch err := rows.Next(vals); {
		case err == io.EOF:
			return out, nil
		case err != nil:
			return nil, err
		}
		for _, v := range vals {
			number, ok := v.(int64)
			if !ok {
				return nil, fmt.Errorf("a statement gave %T for a number", v)
			}
			out = append(out, number)
		}
	}
}
