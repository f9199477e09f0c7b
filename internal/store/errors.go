package store

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// describe names the file and says what its state means.
func describe(verb, path string, err error) error {
	why := ""
	switch code(err) {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		why = "the file is damaged or no store: "
	case sqlite3.SQLITE_FULL:
		why = "the disk is full: "
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		why = "another process keeps it locked: "
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
		why = "it may not be written or opened: "
	}
	return fmt.Errorf("%s store %q: %s%w", verb, path, why, err)
}

// code is SQLite's primary code of an error, 0 for another's.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// never says whether a statement failed for its record alone, so that it would fail again.
func never(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH:
		return true
	}
	return false
}
