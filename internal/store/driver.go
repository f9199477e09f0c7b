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

// Driver is SQLite with the function field_match.
func (c connector) Driver() driver.Driver { return engine }

// engine is SQLite with the function field_match(document, name, test, first, second).
var engine = func() *sqlite.Driver {
	d := &sqlite.Driver{}
	f := &sqlite.FunctionImpl{NArgs: 5, Deterministic: true, VolatileArgs: true,
		Scalar: func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) { return fieldMatch(args) }}
	if err := d.RegisterFunction("field_match", f); err != nil {
		panic("store: " + err.Error()) // only for a name that is taken, on a driver that is new
	}
	return d
}()
