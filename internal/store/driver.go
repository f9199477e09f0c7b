package store

import (
	"context"
	"database/sql/driver"

	"modernc.org/sqlite"
)

// connector opens connections of our own driver.
type connector struct{ dsn string }

// Connect opens one.
func (c connector) Connect(context.Context) (driver.Conn, error) { return engine.Open(c.dsn) }

// Driver is SQLite with our functions.
func (c connector) Driver() driver.Driver { return engine }

var engine = &sqlite.Driver{}
