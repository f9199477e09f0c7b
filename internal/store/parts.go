package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The words of records are in parts, each an index for the records that came after the one before. Of a removed record the words stay
// until all records of its part are gone, and then the part goes: to take single words out, SQLite would merge what is left, for
// seconds, while the writer waits.

// leastPart is how many records a part has at least before another begins; else a quarter of all.
const leastPart = 1 << 14

// partsText makes what keeps account of the parts: where each begins, and the last number that any record had, so that none is given twice.
const partsText = `
CREATE TABLE IF NOT EXISTS parts (first INTEGER PRIMARY KEY);
INSERT INTO parts SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM parts);
CREATE TABLE IF NOT EXISTS numbers (last INTEGER NOT NULL);
INSERT INTO numbers SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM numbers);
`

// partName is the table of the part that begins at a record.
func partName(first int64) string {
	if first == 0 {
		return "documents_text"
	}
	return fmt.Sprintf("documents_text_%d", first)
}

func partText(first int64) string {
	return "CREATE VIRTUAL TABLE " + partName(first) + " USING fts5 (words, content='', detail=none, tokenize='ascii')"
}

// place finds where the next record goes, in a transaction: its number, and the part of its words.
func (s *session) place() error {
	at, err := s.numbers(readPlace, 3)
	if err != nil {
		return err
	}
	last, first, oldest := at[0], at[1], at[2]
	s.next = last + 1
	if s.next-first > max(leastPart, (last-oldest)/4) {
		first = s.next
		if err := s.run(partText(first) + fmt.Sprintf("; INSERT INTO parts VALUES (%d)", first)); err != nil {
			return fmt.Errorf("make index of words %s: %w", partName(first), err)
		}
	}
	return s.intoPart(first)
}

// intoPart makes putWords write to a part.
func (s *session) intoPart(first int64) error {
	if s.stmts[putWords] != nil && s.part == first {
		return nil
	}
	made, err := s.compile(context.Background(), "INSERT INTO "+partName(first)+" (rowid, words) VALUES (?, ?)")
	if err != nil {
		return err
	}
	if was := s.stmts[putWords]; was != nil {
		if err := was.Close(); err != nil {
			return err
		}
	}
	s.stmts[putWords], s.part = made, first
	return nil
}

// run runs a text of statements.
func (s *session) run(text string) error {
	e, ok := s.conn.(driver.ExecerContext)
	if !ok {
		return fmt.Errorf("a connection of type %T runs no text", s.conn)
	}
	_, err := e.ExecContext(context.Background(), text, nil)
	return err
}

// dead finds a part that has no record any more, other than the last one.
func (s *Store) dead(ctx context.Context) (first int64, found bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT p.first FROM parts AS p WHERE p.first < (SELECT max(first) FROM parts)
		AND NOT EXISTS (SELECT 1 FROM documents WHERE seq >= p.first AND seq < (SELECT min(n.first) FROM parts AS n WHERE n.first > p.first))
		LIMIT 1`).Scan(&first)
	if err == sql.ErrNoRows {
		return 0, false, nil
	}
	return first, err == nil, err
}

// drop removes a part.
func (s *session) drop(first int64) error {
	return s.run(fmt.Sprintf("DROP TABLE %s; DELETE FROM parts WHERE first = %d", partName(first), first))
}

// texts are the indexes of words of a table, of a store of any version.
func (r *Reader) texts(ctx context.Context, t table) (out []string, err error) {
	if t.name != documents.name {
		return []string{t.name + "_text"}, nil
	}
	there := false
	const text = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'parts')"
	if err := r.db.QueryRowContext(ctx, text).Scan(&there); err != nil || !there {
		return []string{partName(0)}, err
	}
	rows, err := r.db.QueryContext(ctx, "SELECT first FROM parts ORDER BY first")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var first int64
		if err := rows.Scan(&first); err != nil {
			return nil, err
		}
		out = append(out, partName(first))
	}
	return out, rows.Err()
}

// partGone tells whether a part was removed between finding the parts and reading them.
func partGone(err error) bool {
	return err != nil && strings.Contains(err.Error(), "no such table: "+partName(0))
}

// matching is the condition that a record is in one of the indexes with an expression.
func matching(texts []string, expression string) (string, []any) {
	var selects []string
	for _, name := range texts {
		selects = append(selects, fmt.Sprintf("SELECT rowid FROM %s WHERE %s MATCH ?", name, name))
	}
	return "seq IN (" + strings.Join(selects, " UNION ALL ") + ")", slices.Repeat([]any{expression}, len(texts))
}
