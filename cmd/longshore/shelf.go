package main

import (
	"context"
	"database/sql"
	"os"

	_ "modernc.org/sqlite"
)

type shelf struct{ path string }

func (s *shelf) since(ctx context.Context, seq int64, each func(int64, []byte) error) (n int, err error) {
	if _, err := os.Stat(s.path); err != nil {
		return 0, nil
	}
	db, err := sql.Open("sqlite", "file:"+s.path+"?mode=ro")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SELECT seq, doc FROM documents WHERE seq > ? ORDER BY seq", seq)
	if err != nil {
		return 0, nil
	}
	defer rows.Close()
	for rows.Next() {
		var doc []byte
		if err := rows.Scan(&seq, &doc); err != nil {
			return n, err
		}
		n++
		if err := each(seq, doc); err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}
