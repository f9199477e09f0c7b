package store

import (
	"context"
	"database/sql/driver"

	"modernc.org/sqlite"
)

// connector opens connections of our own driver: the one that the library registers for everybody stays as it is.
type connector struct{ dsn string }

// Connect opens one.
func (c connector) Connect(context.Context) (driver.Conn, error) { return engine.Open(c.dsn) }

// Driver is SQLite with the functions field_match and has_phrase.
func (c connector) Driver() driver.Driver { return engine }

// engine is SQLite with the functions field_match(document, name, test, first, second) and has_phrase(document, words, prefix).
var engine = func() *sqlite.Driver {
	d := &sqlite.Driver{}
	f := func(name string, args int32, call func([]driver.Value) (driver.Value, error)) {
		impl := &sqlite.FunctionImpl{NArgs: args, Deterministic: true, VolatileArgs: true,
			Scalar: func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) { return call(args) }}
		if err := d.RegisterFunction(name, impl); err != nil {
			panic("store: " + err.Error()) // only for a name that is taken, on a driver that is new
		}
	}
	f("field_match", 5, fieldMatch)
	f("has_phrase", 3, phraseMatch)
	return d
}()
