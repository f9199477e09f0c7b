package store

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/event"
)

// tidied does steps until nothing is left to do.
func tidied(t *testing.T, s *Store, keep Retention, now time.Time) (sum Tidied, steps int) {
	t.Helper()
	for {
		d, err := s.Tidy(t.Context(), keep, now)
		if err != nil {
			t.Fatal(err)
		}
		if d.Records > tidyRows || d.Letters > tidyRows || d.Pages > tidyPages {
			t.Fatalf("a step did %+v", d)
		}
		sum.Records, sum.Letters, sum.Parts, sum.Pages, steps = sum.Records+d.Records, sum.Letters+d.Letters, sum.Parts+d.Parts,
			sum.Pages+d.Pages, steps+1
		if !d.More {
			return sum, steps
		}
	}
}

// whole fails when the tables and their indexes do not hold the same.
func whole(t *testing.T, s *Store) {
	t.Helper()
	if got := column(t, s, "PRAGMA integrity_check"); !slices.Equal(got, []string{"ok"}) {
		t.Error(got)
	}
	text := ""
	for _, first := range column(t, s, "SELECT first FROM parts ORDER BY first") {
		text += " EXCEPT SELECT rowid FROM documents_text" + strings.TrimSuffix("_"+first, "_0")
	}
	if got := column(t, s, "SELECT seq FROM documents"+text); len(got) > 0 {
		t.Errorf("the words of %d records are missing", len(got))
	}
}

// number is the number that a statement gives.
func number(t *testing.T, s *Store, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(column(t, s, text)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRecordsAndLettersOlderThanTheirAgeAreRemovedAndEntitiesStay(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "longshore.db"))
	logs := batch(0, 1200)
	state(logs, "u1", "ana", day, false)
	bad := batch(5000, 1)
	for v := range event.Views(bad) {
		v.Log.SetTimestamp(0)
		v.Log.SetObservedTimestamp(0)
	}
	for _, l := range []plog.Logs{logs, bad} {
		write(t, s, l)
	}
	f := func(keep Retention, now time.Time, want Tidied) {
		t.Helper()
		got, steps := tidied(t, s, keep, now)
		if got != want || steps < want.Records/tidyRows {
			t.Errorf("%+v in %d steps, want %+v", got, steps, want)
		}
		whole(t, s)
	}
	f(Retention{}, day.Add(1e6*time.Hour), Tidied{})
	f(Retention{MaxAge: time.Hour}, day, Tidied{})
	f(Retention{MaxAge: time.Hour}, day.Add(time.Hour+700*time.Second), Tidied{Records: 701, Letters: 1})
	if got := column(t, s, "SELECT min(time) FROM documents")[0]; got != fmt.Sprint(day.Add(700*time.Second).UnixNano()) {
		t.Errorf("the oldest is of %s", got)
	}
	f(Retention{MaxAge: time.Hour}, day.Add(24*time.Hour), Tidied{Records: 500})
	if got := column(t, s, "SELECT name FROM states"); !slices.Equal(got, []string{"ana"}) {
		t.Errorf("entities %q", got)
	}
	if n := write(t, s, batch(0, 3)); n.Accepted != 3 {
		t.Errorf("counted %+v", n)
	}
}

// large makes n records of about 100 kB each.
func large(first, n int) plog.Logs {
	logs := batch(first, n)
	for v := range event.Views(logs) {
		v.Log.Body().SetStr(`{"n":"` + strings.Repeat("x", 100<<10) + `"}`)
	}
	return logs
}

func TestStoreOverItsSizeLosesItsOldestRecordsAndShrinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	s := opened(t, path)
	bad := batch(9000, 1)
	for v := range event.Views(bad) {
		v.Log.SetTimestamp(1 << 63)
	}
	state(bad, "u1", "ana", day, false)
	write(t, s, bad)
	for i := range 6 {
		write(t, s, large(i*100, 100))
	}
	const size = walBytes + 40<<20
	keep := Retention{MaxSize: size}
	reader := reading(t, path)
	got, _ := tidied(t, s, keep, day)
	left := column(t, s, "SELECT time FROM documents ORDER BY time")
	if got.Records == 0 || got.Letters != 0 || len(left) != 601-got.Records || len(left) < 50 ||
		left[0] != fmt.Sprint(day.Add(time.Duration(got.Records-1)*time.Second).UnixNano()) { // -1: that of the entity

		t.Fatalf("%+v, %d left from %s on", got, len(left), left[0])
	}
	whole(t, s)
	for range reader.Documents(t.Context(), Search{Filter: compiled(t, ""), Limit: 5}) { // readers see what is left
	}
	if _, err := s.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > size-walBytes || got.Pages == 0 {
		t.Fatalf("the file has %d bytes, %d pages were given back, %v", info.Size(), got.Pages, err)
	}
	if n := write(t, s, large(600, 100)); n.Accepted != 100 { // over its size again, and writable
		t.Fatalf("counted %+v", n)
	}
}

func TestFreePagesAreKeptForTheNextRecordsUntilTheyAreMany(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "longshore.db"))
	for i := range 8 {
		write(t, s, large(i*100, 100))
	}
	keep := Retention{MaxAge: time.Hour}
	if got, _ := tidied(t, s, keep, day.Add(time.Hour+100*time.Second)); got.Pages != 0 || got.Records != 100 {
		t.Errorf("%+v", got)
	}
	got, _ := tidied(t, s, keep, day.Add(time.Hour+600*time.Second))
	free, pages := number(t, s, "SELECT freelist_count FROM pragma_freelist_count"), number(t, s, "SELECT page_count FROM pragma_page_count")
	if got.Pages == 0 || free*s.pageSize > slack && free > pages/4 {
		t.Errorf("%+v, %d of %d pages are free", got, free, pages)
	}
	whole(t, s)
}

// TestWriterWaitsForOneStepOfTidying: whoever comes first, the writer is not passed by.
func TestWriterWaitsForOneStepOfTidying(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, filepath.Join(dir, "longshore.db"))
		for i := range 20 {
			write(t, s, batch(i*1000, 1000))
		}
		var steps atomic.Int32
		s.gate <- struct{}{} // both wait
		done := make(chan error, 1)
		go func() {
			for {
				d, err := s.Tidy(t.Context(), Retention{MaxAge: time.Hour}, day.Add(1000*time.Hour))
				if err != nil || !d.More {
					done <- err
					return
				}
				steps.Add(1)
			}
		}()
		waited := make(chan int32, 1)
		go func() {
			_, err := s.Write(t.Context(), func(yield func(event.View) bool) {
				waited <- steps.Load()
				event.Views(batch(50000, 10))(yield)
			}, event.Encoding{})
			if err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		<-s.gate
		if n := <-waited; n > 1 {
			t.Errorf("%d steps went before the writer", n)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if steps.Load() < 20*1000/tidyRows-1 {
			t.Errorf("only %d steps: nobody had to wait", steps.Load())
		}
		whole(t, s)
	})
}

func TestReaderSeesWholeStepsOfTidying(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	s := opened(t, path)
	for i := range 6 {
		write(t, s, batch(i*1000, 1000))
	}
	r := reading(t, path)
	stop, seen := make(chan struct{}), make(chan int, 1)
	go func() {
		n := 0
		for {
			select {
			case <-stop:
				seen <- n
				return
			default:
			}
			if err := r.SQL(t.Context(), "SELECT count(*) FROM documents", func(_ []string, v []any) error {
				if v[0].(int64)%tidyRows != 0 {
					return fmt.Errorf("%d records", v[0])
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
			n++
		}
	}()
	got, _ := tidied(t, s, Retention{MaxAge: time.Hour}, day.Add(100*time.Hour))
	close(stop)
	if n := <-seen; got.Records != 6000 || n == 0 {
		t.Errorf("%+v, read %d times", got, n)
	}
}

func TestFullStoreIsWritableAgainWhenOldRecordsAreRemoved(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "longshore.db"))
	write(t, s, batch(0, 2000))
	if _, err := s.db.Exec(fmt.Sprint("PRAGMA max_page_count = ", number(t, s, "SELECT page_count FROM pragma_page_count"))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(t.Context(), event.Views(batch(2000, 2000)), event.Encoding{}); err == nil ||
		!strings.Contains(err.Error(), "the disk is full") {
		t.Fatalf("got %v", err)
	}
	if got, _ := tidied(t, s, Retention{MaxAge: time.Hour}, day.Add(time.Hour+1500*time.Second)); got.Records != 1500 {
		t.Fatalf("%+v", got)
	}
	if n := write(t, s, batch(2000, 500)); n.Accepted != 500 {
		t.Fatalf("counted %+v", n)
	}
	whole(t, s)
}

// TestAnotherProcessReadsWhileRecordsComeAndGo: each of its readings sees whole batches and whole steps.
func TestAnotherProcessReadsWhileRecordsComeAndGo(t *testing.T) {
	const env = "LONGSHORE_STORE_READER"
	if path := os.Getenv(env); path != "" { // the child: reads until its input ends
		ended := make(chan struct{})
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			close(ended)
		}()
		r := reading(t, path)
		for n := 0; ; n++ {
			select {
			case <-ended:
				fmt.Printf("read %d times\n", n)
				return
			default:
			}
			if err := r.SQL(t.Context(), "SELECT count(*) FROM documents", func(_ []string, v []any) error {
				if v[0].(int64)%tidyRows != 0 {
					return fmt.Errorf("%d records", v[0])
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				fmt.Println("reading")
			}
		}
	}
	path := filepath.Join(t.TempDir(), "longshore.db")
	s := opened(t, path)
	write(t, s, batch(0, tidyRows))
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAnotherProcessReadsWhileRecordsComeAndGo$")
	cmd.Env = append(os.Environ(), env+"="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(out)
	if line, err := said.ReadString('\n'); err != nil || line != "reading\n" {
		t.Fatalf("the reader said %q, %v", line, err)
	}
	for i := range 20 {
		write(t, s, batch((i+1)*tidyRows, tidyRows))
		if _, err := s.Tidy(t.Context(), Retention{MaxAge: time.Hour}, day.Add(time.Hour+time.Duration(i*tidyRows)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(said)
	if err := cmd.Wait(); err != nil || !strings.Contains(string(rest), "read ") {
		t.Fatalf("%v: %s", err, rest)
	}
	whole(t, s)
}

// TestWordsAreInPartsThatGoWithTheirRecords: no word of a record is lost, none is found of another, and numbers are given once.
func TestWordsAreInPartsThatGoWithTheirRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	s := opened(t, path)
	const size, batches = 5000, 10
	for i := range batches {
		write(t, s, batch(i*size, size))
	}
	r := reading(t, path)
	found := func(id int) int {
		n := 0
		for d, err := range r.Documents(t.Context(), Search{Filter: compiled(t, fmt.Sprintf(`"id %06d"`, id))}) {
			if err != nil {
				t.Fatal(err)
			}
			if d.ID != ids(batch(id, 1))[0] {
				t.Errorf("%d found another record", id)
			}
			n++
		}
		return n
	}
	f := func(parts, from int) {
		t.Helper()
		if got := number(t, s, "SELECT count(*) FROM parts"); got != int64(parts) {
			t.Errorf("%d parts, want %d", got, parts)
		}
		for id := 0; id < batches*size; id += 777 {
			if want := min(1, max(0, id-from+1)); found(id) != want {
				t.Errorf("record %d: found %d times", id, found(id))
			}
		}
		whole(t, s)
	}
	f(3, 0)
	age := Retention{MaxAge: time.Hour}
	if got, _ := tidied(t, s, age, day.Add(time.Hour+25000*time.Second)); got.Records != 25000 || got.Parts != 1 {
		t.Errorf("%+v", got)
	}
	f(2, 25000)
	last := number(t, s, "SELECT max(seq) FROM documents")
	if got, _ := tidied(t, s, age, day.Add(1000*time.Hour)); got.Records != 25000 || got.Parts != 1 { // the last one stays
		t.Errorf("%+v", got)
	}
	f(1, batches*size)
	write(t, s, batch(100, 1))
	if got := number(t, s, "SELECT min(seq) FROM documents"); got <= last {
		t.Errorf("number %d was given before", got)
	}
	if found(100) != 1 || found(30000) != 0 {
		t.Errorf("found %d and %d", found(100), found(30000))
	}
}

// TestSearchGoesOnWhenAPartIsRemoved while it is under way.
func TestSearchGoesOnWhenAPartIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	s := opened(t, path)
	for i := range 8 {
		write(t, s, batch(i*5000, 5000))
	}
	r := reading(t, path)
	r.pageRows = 10
	n := 0
	for _, err := range r.Documents(t.Context(), Search{Filter: compiled(t, "contoso")}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 5 {
			if got, _ := tidied(t, s, Retention{MaxAge: time.Hour}, day.Add(time.Hour+39900*time.Second)); got.Parts == 0 {
				t.Fatalf("%+v", got)
			}
		}
	}
	if n != 100 {
		t.Errorf("%d found", n)
	}
}
