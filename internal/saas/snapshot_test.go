package saas

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

func loadSnap(t *testing.T, st *Memory, chunks int) *snapshot {
	t.Helper()
	s, err := loadSnapshot(context.Background(), st, "s/users/", chunks)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func keep(t *testing.T, st *Memory, ops ...*storage.Operation) {
	t.Helper()
	if err := st.Batch(context.Background(), ops...); err != nil {
		t.Fatal(err)
	}
}

func TestSnapshotsAreSavedInPiecesAndCompacted(t *testing.T) {
	st, chunks := NewMemory(), 0
	s := loadSnap(t, st, 0)
	for i := range 50 {
		s.stamp(entityRow{Key: fmt.Sprint("u", i), Hash: uint64(i), Walk: 1, ID: fmt.Sprint(i)})
		if i%3 == 2 {
			s.drop(fmt.Sprint("u", i-1))
		}
		op, err := s.save(chunks)
		if err != nil {
			t.Fatal(err)
		}
		keep(t, st, op)
		clear(s.dirty)
		chunks++
	}
	check := func() {
		t.Helper()
		got := loadSnap(t, st, chunks)
		if len(got.rows) != 34 || got.rows["u0"] == nil || got.rows["u1"] != nil || got.rows["u49"].Hash != 49 {
			t.Errorf("%d entities after loading", len(got.rows))
		}
	}
	check()
	if op, err := s.save(chunks); op != nil || err != nil {
		t.Errorf("nothing changed: %v, %v", op, err)
	}
	ops, n, err := s.compact(chunks)
	if err != nil || n != 1 {
		t.Fatalf("%d rows, %v", n, err)
	}
	keep(t, st, ops...)
	chunks = n
	check()
	if len(st.rows) != 1 {
		t.Errorf("%d rows are left", len(st.rows))
	}
}

func TestLargeSnapshotsHaveRowsOfBoundedSize(t *testing.T) {
	st := NewMemory()
	s := loadSnap(t, st, 0)
	for i := range 30_000 {
		s.stamp(entityRow{Key: fmt.Sprintf("%064d", i), Walk: 1})
	}
	ops, n, err := s.compact(0)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, st, ops...)
	for _, val := range st.rows {
		if len(val) > 2*maxSnapChunk {
			t.Errorf("a row of %d bytes", len(val))
		}
	}
	if got := loadSnap(t, st, n); n < 3 || len(got.rows) != 30_000 {
		t.Errorf("%d entities in %d rows", len(got.rows), n)
	}
}

func TestATornSnapshotIsAnError(t *testing.T) {
	st := NewMemory()
	keep(t, st, storage.SetOperation("s/users//0", []byte(`[{"k":"a"`)))
	if _, err := loadSnapshot(context.Background(), st, "s/users/", 1); err == nil || !strings.Contains(err.Error(), `"s/users//0"`) {
		t.Errorf("got %v", err)
	}
}

func TestAnEntityIsSentWhenItChangedOrForTooLongWasNot(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	s := &snapshot{rows: map[string]*entityRow{"a": {Key: "a", Hash: 1, Sent: now.Unix()}}}
	f := func(key string, hash uint64, after, every time.Duration, want bool) {
		t.Helper()
		if _, send := s.due(key, hash, now.Add(after), every); send != want {
			t.Errorf("%s %d after %v: %v", key, hash, after, send)
		}
	}
	f("b", 1, 0, time.Hour, true)
	f("a", 2, 0, time.Hour, true)
	f("a", 1, 59*time.Minute, time.Hour, false)
	f("a", 1, time.Hour, time.Hour, true)
	f("a", 1, 1000*time.Hour, 0, false)
}

func TestLosingMostIsDoubtedWhenItIsMany(t *testing.T) {
	f := func(known, lost int, want bool) {
		t.Helper()
		s := &snapshot{rows: map[string]*entityRow{}}
		for i := range known {
			walk := 2
			if i < lost {
				walk = 1
			}
			s.rows[fmt.Sprint(i)] = &entityRow{Walk: walk}
		}
		if gone, doubtful := s.unseen(2); len(gone) != lost || doubtful != want {
			t.Errorf("%d of %d lost: %d, doubtful %v", lost, known, len(gone), doubtful)
		}
	}
	f(9, 9, false)
	f(10, 10, true)
	f(20, 10, false)
	f(20, 11, true)
	f(1000, 400, false)
	f(5, 0, false)
}
