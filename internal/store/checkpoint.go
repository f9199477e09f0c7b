package store

import (
	"context"
	"database/sql"
	"net/url"
)

// checkpointBytes is after how many bytes of documents the log is copied into the file, while the next batch is written. When
// that does not keep up, the writer copies the rest itself at walBytes, which is also how long the log may stay.
const (
	checkpointBytes = 8 << 20
	walBytes        = 64 << 20
)

// copier copies the log into the file beside the writer.
type copier struct {
	db      *sql.DB
	wake    chan struct{}
	done    chan struct{}
	pending int // bytes since the last waking; guarded by the store's gate
}

func startCopier(path string) (*copier, error) {
	db, err := open(path, url.Values{"_pragma": {"busy_timeout(0)", "synchronous(FULL)", "wal_autocheckpoint(0)", "cache_size(-256)"}})
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	c := &copier{db: db, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go c.run()
	return c, nil
}

// run copies whenever it is woken. An error is no loss: the log keeps what was not copied, and a writer that finds the disk full says
// so.
func (c *copier) run() {
	defer close(c.done)
	for range c.wake {
		_, _ = c.db.ExecContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)")
	}
}

// wrote counts bytes in the log.
func (s *Store) wrote(bytes int) {
	c := s.copier
	if c.pending += bytes; c.pending < checkpointBytes {
		return
	}
	c.pending = 0
	select {
	case c.wake <- struct{}{}:
	default: // it is at work
	}
}

func (c *copier) close() error {
	close(c.wake)
	<-c.done
	return c.db.Close()
}
