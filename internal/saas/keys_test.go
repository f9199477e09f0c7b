package saas

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// keyTest is a key set on storage.
type keyTest struct {
	t   *testing.T
	set *keySet
	st  *Memory
	now time.Time
}

func newKeyTest(t *testing.T, keep time.Duration) *keyTest {
	k := &keyTest{t: t, set: newKeySet("k/log", keep), st: NewMemory(), now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	t.Cleanup(func() { k.set.forget() })
	return k
}

// commit saves keys after a time.
func (k *keyTest) commit(after time.Duration, keys ...string) {
	k.t.Helper()
	k.now = k.now.Add(after)
	hashes := make([]uint64, len(keys))
	for i, key := range keys {
		hashes[i] = keyHash(key)
	}
	ops, done := k.set.save(k.now, hashes...)
	k.apply(ops)
	done()
	k.set.tick(k.now)
	k.apply(k.set.tend())
}

func (k *keyTest) apply(ops []*storage.Operation) {
	k.t.Helper()
	if err := k.st.Batch(context.Background(), ops...); err != nil {
		k.t.Fatal(err)
	}
}

// reload is a restart.
func (k *keyTest) reload() {
	k.t.Helper()
	k.set.forget()
	k.set = newKeySet("k/log", k.set.keep)
	for row, val := range k.st.rows {
		if err := k.set.load(row, val); err != nil {
			k.t.Fatal(err)
		}
	}
	k.set.loaded()
}

func numbers(from, to int) (keys []string) {
	for i := from; i < to; i++ {
		keys = append(keys, strconv.Itoa(i))
	}
	return keys
}

func (k *keyTest) knows(want bool, keys ...string) {
	k.t.Helper()
	for _, key := range keys {
		if k.set.has(keyHash(key)) != want {
			k.t.Fatalf("key %s is known: %v", key, !want)
		}
	}
}

func TestKeysAreKnownAfterARestart(t *testing.T) {
	k := newKeyTest(t, 16*time.Hour)
	for i := range 300 { // merged and closed on the way
		k.commit(10*time.Minute, numbers(10*i, 10*i+10)...)
	}
	recent := numbers(3000-10*6*15, 3000)
	k.knows(true, recent...)
	k.knows(false, "3000", "x")
	held := k.set.total()
	k.reload()
	k.knows(true, recent...)
	k.knows(false, "3000", "x")
	if k.set.total() != held {
		t.Errorf("%d keys after the restart, %d before", k.set.total(), held)
	}
	if n := len(k.st.rows); n > 120 {
		t.Errorf("%d rows for %d keys", n, held)
	}
	k.commit(time.Minute, "new")
	k.reload()
	k.knows(true, "new", "2999")
}

func TestKeysAreForgottenByTheTimeInWhichTheyCouldComeAgain(t *testing.T) {
	k := newKeyTest(t, 16*time.Hour)
	k.commit(0, "old")
	for range 15 * 6 {
		k.commit(10 * time.Minute)
	}
	k.knows(true, "old")
	for i := range 4 * 6 {
		k.commit(10*time.Minute, strconv.Itoa(i))
	}
	k.knows(false, "old")
	if n := len(k.st.rows); n > 30 {
		t.Errorf("%d rows are left", n)
	}
}

func TestStandingStillAgesNoKeys(t *testing.T) {
	k := newKeyTest(t, 16*time.Hour)
	k.commit(0, "old")
	k.reload()
	for i := range 5 { // after ten days away the overlap is read again in several pieces
		k.commit(map[bool]time.Duration{true: 10 * 24 * time.Hour, false: time.Second}[i == 0], strconv.Itoa(i))
		k.knows(true, "old")
	}
	k.commit(10*24*time.Hour, "x") // refused for ten days, in one process
	k.knows(true, "old")
	k.commit(-time.Hour, "y") // the clock was set back
	k.knows(true, "old", "x")
}

func TestKeysAreBoundedAndWhatIsForgottenIsCounted(t *testing.T) {
	k := newKeyTest(t, 1000*time.Hour)
	const each = maxOpenKeys
	for i := range keySlices + 3 {
		k.commit(time.Second, numbers(i*each, (i+1)*each)...)
	}
	if n := k.set.total(); n > maxStreamKeys || k.set.overflow == 0 {
		t.Errorf("%d keys, %d forgotten", n, k.set.overflow)
	}
	k.knows(false, "0", "1")
	last := (keySlices + 3) * each
	k.knows(true, strconv.Itoa(last-1), strconv.Itoa(last-maxStreamKeys/2))
	if n := processKeys.Load(); n != int64(k.set.total()) {
		t.Errorf("the process counts %d keys, the set holds %d", n, k.set.total())
	}
	k.reload()
	k.knows(true, strconv.Itoa(last-1), strconv.Itoa(last-maxStreamKeys/2))
}

func TestOnePartWithoutACommitKeepsTheBound(t *testing.T) {
	k := newKeyTest(t, time.Hour)
	for i := range keySlices + 3 { // hand-overs of one reading
		ops, done := k.set.save(k.now, hashes(numbers(i*maxOpenKeys, (i+1)*maxOpenKeys))...)
		k.apply(ops)
		done()
		k.apply(k.set.tend())
	}
	if n := k.set.total(); n > maxStreamKeys {
		t.Errorf("%d keys", n)
	}
}

func hashes(keys []string) (out []uint64) {
	for _, k := range keys {
		out = append(out, keyHash(k))
	}
	return out
}

func TestTheProcessIsBoundedToo(t *testing.T) {
	k := newKeyTest(t, 1000*time.Hour)
	for i := range 3 {
		k.commit(time.Second, numbers(i*maxOpenKeys, (i+1)*maxOpenKeys)...)
	}
	before := k.set.total()
	processKeys.Add(maxProcessKeys) // other tenants
	k.commit(time.Second, "x")
	processKeys.Add(-maxProcessKeys)
	if k.set.total() >= before || k.set.overflow == 0 {
		t.Errorf("%d keys, %d before", k.set.total(), before)
	}
	k.knows(true, "x")
}

func TestWhatWasNotSavedIsNotKnown(t *testing.T) {
	k := newKeyTest(t, time.Hour)
	_, _ = k.set.save(k.now, keyHash("a")) // the storage refused
	k.knows(false, "a")
	k.commit(0, "a")
	k.reload()
	k.knows(true, "a")
}

func TestTornRowsOfKeysAreRefused(t *testing.T) {
	s := newKeySet("k/log", time.Hour)
	f := func(row string, val []byte) {
		t.Helper()
		if err := s.load(row, val); err == nil || !strings.Contains(err.Error(), row) {
			t.Errorf("%s with %d bytes: %v", row, len(val), err)
		}
	}
	f("k/log/0000000000000001", nil)
	f("k/log/0000000000000001", make([]byte, 12))
	f("k/log/xyz", make([]byte, 16))
	if processKeys.Load() != 0 {
		t.Errorf("the process counts %d keys", processKeys.Load())
	}
}

// TestASliceOfKeysCostsByItsKeys: a stream closes sixteen slices in the time that it keeps keys, however few there are.
func TestASliceOfKeysCostsByItsKeys(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 17, 1000, 100_000} {
		var keys []uint64
		for i := range n {
			keys = append(keys, keyHash(fmt.Sprint("k", i)))
		}
		c := newKeySlice(1, time.Time{}, keys)
		if most := n/8 + 2; len(c.index) > most {
			t.Errorf("%d keys: %d ranges, at most %d", n, len(c.index)-1, most)
		}
		for i := range n + 100 {
			if got := c.has(keyHash(fmt.Sprint("k", i))); got != (i < n) {
				t.Fatalf("%d keys: key %d is known: %v", n, i, got)
			}
		}
	}
}
