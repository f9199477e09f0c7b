package saas

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

const (
	maxSnapChunk  = 1 << 20 // bytes of one compacted row of a snapshot
	maxSnapChunks = 512     // rows of a snapshot before they are compacted, though no walk ended
	minGuarded    = 10      // a walk that lost this many and over half of its keys counts only when the next agrees
)

// entityRow is what a part remembers of one entity: enough to see a change and to report its end.
type entityRow struct {
	Key  string `json:"k"`
	Hash uint64 `json:"h"`           // of the content as last sent
	Walk int    `json:"w"`           // that saw it last
	Sent int64  `json:"s"`           // unix seconds
	Type string `json:"t,omitempty"` // entity.type
	ID   string `json:"i,omitempty"` // entity.id
	Name string `json:"n,omitempty"` // entity.name
	Gone bool   `json:"g,omitempty"` // forget it
}

// snapshot is the entities of one part while it is read. Rows: "s/<stream>/<part>/<n>", later ones win.
type snapshot struct {
	prefix string
	rows   map[string]*entityRow
	dirty  map[string]*entityRow
}

func loadSnapshot(ctx context.Context, c storage.Client, prefix string, chunks int) (*snapshot, error) {
	s := &snapshot{prefix: prefix, rows: map[string]*entityRow{}, dirty: map[string]*entityRow{}}
	for n := range chunks {
		name := s.row(n)
		val, err := c.Get(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("read snapshot %q: %w", name, err)
		}
		if len(val) == 0 {
			continue
		}
		var rows []*entityRow
		if err := json.Unmarshal(val, &rows); err != nil {
			return nil, fmt.Errorf("read snapshot %q: %w", name, err)
		}
		for _, r := range rows {
			if s.rows[r.Key] = r; r.Gone {
				delete(s.rows, r.Key)
			}
		}
	}
	return s, nil
}

func (s *snapshot) row(n int) string { return s.prefix + "/" + strconv.Itoa(n) }

// stamp remembers that the walk saw an entity, and what of it was sent.
func (s *snapshot) stamp(r entityRow) {
	s.rows[r.Key] = &r
	s.dirty[r.Key] = &r
}

func (s *snapshot) drop(key string) {
	delete(s.rows, key)
	s.dirty[key] = &entityRow{Key: key, Gone: true}
}

// save gives the operation that makes changes durable as row n, if there are any.
func (s *snapshot) save(n int) (*storage.Operation, error) {
	if len(s.dirty) == 0 {
		return nil, nil
	}
	rows := make([]*entityRow, 0, len(s.dirty))
	for _, r := range s.dirty {
		rows = append(rows, r)
	}
	val, err := json.Marshal(rows)
	if err != nil {
		return nil, fmt.Errorf("save snapshot %q: %w", s.prefix, err)
	}
	return storage.SetOperation(s.row(n), val), nil
}

// compact gives the operations that replace n rows by as few as possible, and their number.
func (s *snapshot) compact(n int) (ops []*storage.Operation, chunks int, err error) {
	var rows []*entityRow
	size := 0
	flush := func() {
		val, merr := json.Marshal(rows)
		if merr != nil {
			err = fmt.Errorf("compact snapshot %q: %w", s.prefix, merr)
			return
		}
		ops = append(ops, storage.SetOperation(s.row(chunks), val))
		chunks++
		rows, size = rows[:0], 0
	}
	for _, r := range s.rows {
		rows = append(rows, r)
		if size += len(r.Key) + len(r.ID) + len(r.Name) + 96; size > maxSnapChunk {
			flush()
		}
	}
	if len(rows) > 0 {
		flush()
	}
	for i := chunks; i < n; i++ {
		ops = append(ops, storage.DeleteOperation(s.row(i)))
	}
	return ops, chunks, err
}

// unseen lists what a complete walk did not see, and whether that is too much to believe at once.
func (s *snapshot) unseen(walk int) (gone []*entityRow, doubtful bool) {
	for _, r := range s.rows {
		if r.Walk != walk {
			gone = append(gone, r)
		}
	}
	return gone, len(gone) >= minGuarded && 2*len(gone) > len(s.rows)
}

// due reports whether an entity must be sent: new, changed, or not reported for too long.
func (s *snapshot) due(key string, hash uint64, now time.Time, every time.Duration) (old *entityRow, send bool) {
	old = s.rows[key]
	if old == nil || old.Hash != hash {
		return old, true
	}
	return old, every > 0 && now.Sub(time.Unix(old.Sent, 0)) >= every
}
