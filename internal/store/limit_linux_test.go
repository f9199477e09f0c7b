package store

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
)

// limited bounds how large files of this process may become, and gives what undoes it: a disk that is full.
func limited(t *testing.T, bytes uint64) (undo func()) {
	t.Helper()
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	set := func(l syscall.Rlimit) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
			t.Fatal(err)
		}
	}
	set(syscall.Rlimit{Cur: bytes, Max: was.Max})
	return func() { set(was) }
}

// TestDiskThatFillsUpLosesNothingAndStoresNothingTwice: the log fills up, the file cannot take what is in the log, and old
// records cannot be removed. What was acknowledged is there, and what was not is stored later.
func TestDiskThatFillsUpLosesNothingAndStoresNothingTwice(t *testing.T) {
	const env, size = "LONGSHORE_STORE_LIMIT", 500
	if os.Getenv(env) == "" { // the limit is that of a process: a child's
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDiskThatFillsUpLosesNothingAndStoresNothingTwice$", "-test.v")
		cmd.Env = append(os.Environ(), env+"="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "was full") {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	path := filepath.Join(os.Getenv(env), "longshore.db")
	s := opened(t, path)
	acknowledged := 0
	put := func() error {
		_, err := s.Write(t.Context(), event.Views(batch(acknowledged, size)), event.Encoding{})
		if err == nil {
			acknowledged += size
		}
		return err
	}
	check := func(when string) {
		t.Helper()
		r := reading(t, path)
		got := []string{}
		if err := r.SQL(t.Context(), "SELECT id FROM documents ORDER BY id", func(_ []string, v []any) error {
			got = append(got, v[0].(string))
			return nil
		}); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if want := ids(batch(0, acknowledged)); !slices.Equal(got, want) {
			t.Fatalf("%s: %d stored, %d acknowledged", when, len(got), acknowledged)
		}
	}
	for range 4 {
		if err := put(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	undo := limited(t, uint64(info.Size())+64<<10) // the file can hardly grow, the log can for a while
	before, n := acknowledged, 0
	for err = put(); err == nil && n < 1000; err, n = put(), n+1 {
	}
	if err == nil || !strings.Contains(err.Error(), path) || acknowledged == before {
		t.Fatalf("%d acknowledged, then %v", acknowledged, err)
	}
	check("full")
	busy, inLog, copied := 0, 0, 0
	err = s.db.QueryRow("PRAGMA wal_checkpoint(FULL)").Scan(&busy, &inLog, &copied)
	if err == nil && copied == inLog {
		t.Fatalf("the file took all of %d pages: its disk was not full", inLog)
	}
	check("what is in the log cannot be copied")
	if _, err := s.Tidy(t.Context(), Retention{MaxAge: time.Hour}, day.Add(1e4*time.Hour)); err == nil {
		t.Fatal("records were removed without room for the log")
	}
	check("old records cannot be removed")
	if err := put(); err == nil {
		t.Fatal("a full disk took a batch")
	}
	undo()
	for range 3 {
		if err := put(); err != nil {
			t.Fatal(err)
		}
	}
	check("there is room again")
	if n := write(t, s, batch(0, size)); n != (Stored{Duplicate: size}) {
		t.Fatalf("counted %+v", n)
	}
	whole(t, s)
	fmt.Printf("the disk was full at %d bytes, after %d records\n", info.Size(), before)
}
