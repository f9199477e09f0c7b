package saas

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

const (
	maxStreamKeys  = 1 << 20
	maxProcessKeys = 1 << 23
	keySlices      = 16
	maxOpenKeys    = maxStreamKeys / keySlices
	maxOpenChunks  = 256       // rows of an open slice, before they are made one
	minKeep        = time.Hour // also of what is never read again on purpose: a kill may repeat it
)

// processKeys counts the keys held in all streams of the process.
var processKeys atomic.Int64

// keyHash is what is kept of a key.
func keyHash(key string) uint64 {
	sum := sha256.Sum256([]byte(key))
	return binary.BigEndian.Uint64(sum[:8])
}

// keySet remembers which keys were accepted, for as long as they may come again. The open slice is a map, closed ones are
// sorted and indexed by their upper bits. Rows: "<prefix>/<seq>" = 8 bytes of time, then the keys.
type keySet struct {
	prefix   string
	keep     time.Duration
	open     map[uint64]struct{}
	openAt   time.Time
	chunks   []uint64 // row numbers of the open slice
	closed   []keySlice
	filter   keyFilter // of all keys, and of some that were dropped
	next     uint64
	clock    time.Time // counts the time between commits, standing still only in part: it ages no keys
	wall     time.Time // of the last commit in this process
	overflow int64     // keys forgotten because of the bounds
}

type keySlice struct {
	seq   uint64
	at    time.Time // on the set's clock, when it was closed
	keys  []uint64
	index []uint32 // first key of each range: a power of two of them, of some 16 keys each
	shift int      // of a key to its range
}

// maxKeyRanges bounds the ranges of a slice.
const maxKeyRanges = 1 << 12

func newKeySet(prefix string, keep time.Duration) *keySet {
	return &keySet{prefix: prefix, keep: max(keep, minKeep), open: map[uint64]struct{}{}}
}

func (s *keySet) has(h uint64) bool {
	if !s.filter.may(h) {
		return false
	}
	if _, ok := s.open[h]; ok {
		return true
	}
	for i := range s.closed {
		if s.closed[i].has(h) {
			return true
		}
	}
	return false
}

func (c *keySlice) has(h uint64) bool {
	r := h >> c.shift
	part := c.keys[c.index[r]:c.index[r+1]]
	_, ok := slices.BinarySearch(part, h)
	return ok
}

func newKeySlice(seq uint64, at time.Time, keys []uint64) keySlice {
	slices.Sort(keys)
	ranges, shift := 1, 64
	for ranges < maxKeyRanges && ranges*16 < len(keys) {
		ranges, shift = ranges*2, shift-1
	}
	c := keySlice{seq: seq, at: at, keys: keys, index: make([]uint32, ranges+1), shift: shift}
	n := 0
	for r := range ranges {
		for n < len(keys) && keys[n]>>shift < uint64(r) {
			n++
		}
		c.index[r] = uint32(n)
	}
	c.index[ranges] = uint32(len(keys))
	return c
}

// save gives the operations that make accepted keys durable at a commit or hand-over at now, and a function for their
// success: only then they are remembered, for what was not saved must be read again with all that belongs to it.
func (s *keySet) save(now time.Time, accepted ...uint64) ([]*storage.Operation, func()) {
	if len(accepted) == 0 {
		return nil, func() {}
	}
	seq := s.next
	if s.clock.IsZero() {
		s.clock = now
	}
	return []*storage.Operation{storage.SetOperation(s.row(seq), encodeKeys(s.clock, accepted))}, func() {
		s.next = seq + 1
		s.chunks = append(s.chunks, seq)
		before := len(s.open)
		if s.filter.full() {
			s.sift()
		}
		for _, h := range accepted {
			s.open[h] = struct{}{}
			s.filter.add(h)
		}
		processKeys.Add(int64(len(s.open) - before))
	}
}

// sift makes the filter anew, of the keys that are there now.
func (s *keySet) sift() {
	s.filter = newKeyFilter(s.total())
	for h := range s.open {
		s.filter.add(h)
	}
	for _, c := range s.closed {
		for _, h := range c.keys {
			s.filter.add(h)
		}
	}
}

// tick moves the clock at a commit. A pause counts as one slice at most: what is read again after it is still known.
func (s *keySet) tick(now time.Time) {
	if !s.wall.IsZero() && now.After(s.wall) {
		s.clock = s.clock.Add(min(now.Sub(s.wall), s.keep/keySlices))
	}
	s.wall = now
}

// tend closes, merges and drops slices; it runs after a save and gives the operations for the next one.
func (s *keySet) tend() (ops []*storage.Operation) {
	if s.openAt.IsZero() {
		s.openAt = s.clock
	}
	full := len(s.open) >= maxOpenKeys || len(s.open) > 0 && s.clock.Sub(s.openAt) > s.keep/keySlices
	if full || len(s.chunks) >= maxOpenChunks {
		ops = append(ops, s.merge(full)...)
	}
	edge := s.clock.Add(-s.keep)
	for len(s.closed) > 0 && (s.closed[0].at.Before(edge) || s.total() > maxStreamKeys || processKeys.Load() > maxProcessKeys) {
		old := s.closed[0]
		if !old.at.Before(edge) {
			s.overflow += int64(len(old.keys))
		}
		ops = append(ops, storage.DeleteOperation(s.row(old.seq)))
		processKeys.Add(-int64(len(old.keys)))
		s.closed = s.closed[1:]
	}
	return ops
}

func (s *keySet) merge(closing bool) []*storage.Operation {
	keys := make([]uint64, 0, len(s.open))
	for h := range s.open {
		keys = append(keys, h)
	}
	seq := s.next
	s.next++
	ops := []*storage.Operation{storage.SetOperation(s.row(seq), encodeKeys(s.clock, keys))}
	for _, c := range s.chunks {
		ops = append(ops, storage.DeleteOperation(s.row(c)))
	}
	s.chunks = s.chunks[:0]
	if !closing {
		s.chunks = append(s.chunks, seq)
		return ops
	}
	s.closed = append(s.closed, newKeySlice(seq, s.clock, keys))
	s.open, s.openAt = map[uint64]struct{}{}, s.clock
	return ops
}

func (s *keySet) total() int {
	n := len(s.open)
	for _, c := range s.closed {
		n += len(c.keys)
	}
	return n
}

// forget gives the process its room back.
func (s *keySet) forget() { processKeys.Add(-int64(s.total())) }

func (s *keySet) row(seq uint64) string { return fmt.Sprintf("%s/%016x", s.prefix, seq) }

// load takes up one stored row.
func (s *keySet) load(row string, val []byte) error {
	seq, err := strconv.ParseUint(strings.TrimPrefix(row, s.prefix+"/"), 16, 64)
	if err != nil || len(val) < 8 || len(val)%8 != 0 {
		return fmt.Errorf("read keys %q: %d bytes are no row of keys", row, len(val))
	}
	at := time.Unix(0, int64(binary.BigEndian.Uint64(val)))
	keys := make([]uint64, 0, len(val)/8-1)
	for b := val[8:]; len(b) > 0; b = b[8:] {
		keys = append(keys, binary.BigEndian.Uint64(b))
	}
	processKeys.Add(int64(len(keys)))
	s.next, s.clock = max(s.next, seq+1), later(s.clock, at)
	s.closed = append(s.closed, keySlice{seq: seq, at: at, keys: keys})
	return nil
}

// loaded puts the rows in order once all are there: small ones become the open slice again.
func (s *keySet) loaded() {
	slices.SortFunc(s.closed, func(a, b keySlice) int { return a.at.Compare(b.at) })
	rows, held := s.closed, s.total()
	s.closed = nil
	defer func() {
		processKeys.Add(int64(s.total() - held)) // a key may have stood in several rows
		s.sift()
	}()
	for i, c := range rows {
		newer := 0
		for _, r := range rows[i:] {
			newer += len(r.keys)
		}
		if newer <= maxOpenKeys && len(rows)-i <= maxOpenChunks {
			for _, h := range c.keys {
				s.open[h] = struct{}{}
			}
			if s.openAt.IsZero() {
				s.openAt = c.at
			}
			s.chunks = append(s.chunks, c.seq)
			continue
		}
		s.closed = append(s.closed, newKeySlice(c.seq, c.at, c.keys))
	}
}

func encodeKeys(at time.Time, keys []uint64) []byte {
	b := make([]byte, 0, 8+8*len(keys))
	b = binary.BigEndian.AppendUint64(b, uint64(at.UnixNano()))
	for _, h := range keys {
		b = binary.BigEndian.AppendUint64(b, h)
	}
	return b
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
