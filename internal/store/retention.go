package store

import (
	"context"
	"time"
)

// Retention says what is removed, oldest first. The last known state of entities stays.
type Retention struct {
	MaxAge  time.Duration // of records and of letters; 0 = any
	MaxSize int64         // bytes of the file with its log; 0 = any
}

// LeastSize is the smallest MaxSize that has room beside the log.
const LeastSize = 4 * walBytes

// The bounds of a step, so that a writer who waits for it hardly waits.
const (
	tidyRows  = 500
	tidyPages = 64
	slack     = 16 << 20 // free bytes that the next records take are not given back
)

// Tidied counts what a step did.
type Tidied struct {
	Records, Letters int  // removed
	Parts            int  // indexes of words, whose records are gone
	Pages            int  // given back to the disk
	More             bool // there may be more to do
}

// Tidy does one step of removing what is not to be kept, and then of giving the room back. A writer that waits goes between two
// steps.
func (s *Store) Tidy(ctx context.Context, keep Retention, now time.Time) (Tidied, error) {
	if err := s.enter(ctx); err != nil {
		return Tidied{}, err
	}
	defer s.leave()
	var done Tidied
	u, err := s.usage(ctx)
	if err != nil {
		return done, describe("tidy", s.path, err)
	}
	before, err := s.before(ctx, keep, now, u)
	if err == nil && before != nil {
		err = s.session.with(ctx, s.db, func() error { return s.session.remove(*before, &done) })
	} else if err == nil {
		err = s.giveBack(ctx, keep, u, &done)
	}
	if err != nil {
		return Tidied{}, describe("tidy", s.path, err)
	}
	s.wrote((done.Records + done.Pages) * int(s.pageSize))
	done.More = done != Tidied{}
	return done, nil
}

// giveBack drops a part whose records are gone, or else gives pages back.
func (s *Store) giveBack(ctx context.Context, keep Retention, u usage, done *Tidied) error {
	first, found, err := s.dead(ctx)
	switch {
	case err != nil:
		return err
	case found:
		done.Parts = 1
		return s.session.with(ctx, s.db, func() error { return s.session.drop(first) })
	case !u.vacuums(keep):
		return nil
	}
	done.Pages = int(min(u.free, tidyPages))
	return s.session.with(ctx, s.db, func() error {
		_, err := s.session.exec(giveBack)
		return err
	})
}

// usage is what a file takes.
type usage struct {
	pages, free, size int64
	gives             bool // free pages can be given back
}

func (s *Store) usage(ctx context.Context) (u usage, err error) {
	vacuum := 0
	err = s.db.QueryRowContext(ctx, `SELECT (SELECT page_count FROM pragma_page_count), (SELECT freelist_count FROM pragma_freelist_count),
		(SELECT auto_vacuum FROM pragma_auto_vacuum)`).Scan(&u.pages, &u.free, &vacuum)
	u.size, u.gives = s.pageSize, vacuum == 2
	return u, err
}

// over tells whether so many pages are more than there is room for beside the log.
func (u usage) over(keep Retention, pages int64) bool {
	return keep.MaxSize > 0 && pages*u.size > keep.MaxSize-walBytes
}

// vacuums tells whether pages are to be given back: when the file is too large, or a quarter of it is empty.
func (u usage) vacuums(keep Retention) bool {
	return u.gives && u.free > 0 && (u.over(keep, u.pages) || u.free*u.size > slack && u.free > u.pages/4)
}

// always is a time after every record's.
const always = int64(1<<63 - 1)

// before gives the time before which something is to be removed, nil when there is nothing.
func (s *Store) before(ctx context.Context, keep Retention, now time.Time, u usage) (*int64, error) {
	at := always
	if !u.over(keep, u.pages-u.free) {
		if keep.MaxAge <= 0 {
			return nil, nil
		}
		at = now.Add(-keep.MaxAge).UnixNano()
	}
	there := false
	err := s.db.QueryRowContext(ctx,
		"SELECT EXISTS (SELECT 1 FROM documents WHERE time < ?1) OR EXISTS (SELECT 1 FROM letters WHERE time < ?1)",
		at).Scan(&there)
	if err != nil || !there {
		return nil, err
	}
	return &at, nil
}

// remove removes the oldest records and letters before a time, at most tidyRows of each. Letters do not go for want of room as long as
// there are records.
func (s *session) remove(before int64, done *Tidied) error {
	if _, err := s.exec(keepNumber); err != nil {
		return err
	}
	for _, d := range []struct {
		statement int
		count     *int
	}{{dropDocuments, &done.Records}, {dropLetters, &done.Letters}} {
		res, err := s.exec(d.statement, before, int64(tidyRows))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if *d.count = int(n); before == always && n > 0 {
			return nil
		}
	}
	return nil
}
