package store

import (
	"context"
	"fmt"
	"iter"
	"math"
	"unsafe"

	"github.com/longshore-dev/longshore/internal/event"
)

// maxDocument bounds a document; a larger record is set aside.
const maxDocument = 64 << 20

// A chunk is closed at chunkRows records or chunkBytes of documents; one with more than keptBytes is not kept for the next.
const (
	chunkRows  = 64
	chunkBytes = 1 << 20
	keptBytes  = 2 << 20
)

// row is a record made ready to be stored.
type row struct {
	view          event.View
	id            string
	at            int64
	columns       [columnCount]string
	deletion      bool
	doc, words    string // in the memory of the chunk
	refused, said string // why it can never be stored: a type and the reason
}

// chunk is a few records on their way from encoding to SQLite, which work at the same time.
type chunk struct {
	rows []row
	ends []int // of doc and words of each row
	buf  []byte
}

// encode makes chunks of records until ctx ends. The chunks come from free.
func encode(ctx context.Context, records iter.Seq[event.View], enc event.Encoding, free <-chan *chunk, full chan<- *chunk) {
	defer close(full)
	var w words
	var c *chunk
	hand := func() bool {
		c.close()
		select {
		case full <- c:
			c = nil
			return true
		case <-ctx.Done():
			return false
		}
	}
	for v := range records {
		if c == nil {
			select {
			case c = <-free:
			case <-ctx.Done():
				return
			}
		}
		c.add(v, enc, &w)
		if (len(c.rows) == chunkRows || len(c.buf) >= chunkBytes) && !hand() {
			return
		}
	}
	if c != nil {
		hand()
	}
}

// add encodes a record.
func (c *chunk) add(v event.View, enc event.Encoding, w *words) {
	r := row{view: v, id: v.DocID()}
	at := v.Log.Timestamp()
	if at == 0 {
		at = v.Log.ObservedTimestamp()
	}
	start := len(c.buf)
	if at == 0 || at > math.MaxInt64 {
		r.refused, r.said = "no_time", fmt.Sprintf("the record's time is %d: it has none or one after 2262", uint64(at))
	} else {
		r.at = int64(at)
		c.buf = event.AppendECS(c.buf, v, enc)
	}
	if n := len(c.buf) - start; n > maxDocument {
		r.refused, r.said = "too_large", fmt.Sprintf("the document has %d bytes, at most %d are stored", n, maxDocument)
		c.buf = c.buf[:start]
	}
	mid := len(c.buf)
	if r.refused == "" {
		w.read(v)
		r.columns, r.deletion = w.columns, w.deletion
		c.buf = w.append(c.buf)
	}
	c.rows = append(c.rows, r)
	c.ends = append(c.ends, mid, len(c.buf))
}

// close gives the rows their texts; before, the memory could move.
func (c *chunk) close() {
	all := unsafe.String(unsafe.SliceData(c.buf), len(c.buf)) // nobody writes until reset
	start := 0
	for i := range c.rows {
		mid, end := c.ends[2*i], c.ends[2*i+1]
		c.rows[i].doc, c.rows[i].words = all[start:mid], all[mid:end]
		start = end
	}
}

// reset empties the chunk for the next records.
func (c *chunk) reset() {
	clear(c.rows)
	c.rows, c.ends, c.buf = c.rows[:0], c.ends[:0], c.buf[:0]
	if cap(c.buf) > keptBytes {
		c.buf = nil
	}
}

// append writes the text of the index: each word once.
func (w *words) append(dst []byte) []byte {
	if w.set.now++; w.set.now == 0 {
		w.set = wordSet{now: 1}
	}
	for _, val := range w.vals {
		dst = w.set.add(dst, val)
	}
	return dst
}

// user is what a person calls the actor by.
func (r *row) user() string { return r.first(colUserName, colUserEmail, colUserID) }

// entityName is what a person calls the entity by.
func (r *row) entityName() string {
	return r.first(colDisplayName, colEntityName, colUserName, colEntityID)
}

func (r *row) first(cols ...int) string {
	for _, col := range cols {
		if r.columns[col] != "" {
			return r.columns[col]
		}
	}
	return ""
}
