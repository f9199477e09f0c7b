package dlp

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/dlp/extract"
)

func TestFilesReadAtOnceAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		two := func(c *Config) { c.Content.Workers = 2 }
		s := newStage(t, two)
		var mu sync.Mutex
		now, most := 0, 0
		s.serve = func(w http.ResponseWriter, _ *http.Request, _, body string) bool {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			<-time.After(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			_, _ = io.WriteString(w, body)
			return true
		}
		for i := range 20 {
			s.put(fmt.Sprint("f", i), fmt.Sprintf("%s%d", payroll, i))
		}
		s.live(10 * time.Minute)
		if n := len(s.take()["content_scan"]); n != 20 || most != 2 {
			t.Errorf("%d files judged, up to %d at once, want 20 and 2", n, most)
		}
	})
}

func TestTheGateHoldsItsBoundsAndItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gate
		ctx := context.Background()
		var mu sync.Mutex
		var order []string
		var leaves []func()
		enter := func(ctx context.Context, name string, most int, bytes int64) {
			go func() {
				leave, err := g.enter(ctx, most, bytes)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					order = append(order, name+" gives up")
					return
				}
				order = append(order, name)
				leaves = append(leaves, leave)
			}()
			synctest.Wait()
		}
		f := func(want ...string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(order, want) {
				t.Fatalf("in came %q, want %q", order, want)
			}
		}
		leave := func() {
			mu.Lock()
			l := leaves[0]
			leaves = leaves[1:]
			mu.Unlock()
			l()
			l() // once more is nothing
		}
		enter(ctx, "huge", 4, 4*maxHeld) // alone
		enter(ctx, "a", 4, 1)
		f("huge")
		leave()
		f("huge", "a")
		enter(ctx, "b", 4, maxHeld-1)
		late, cancel := context.WithCancel(ctx)
		enter(late, "large", 4, maxHeld)
		enter(ctx, "c", 4, 0) // would fit, but waits its turn
		f("huge", "a", "b")
		cancel()
		f("huge", "a", "b", "large gives up", "c")
		enter(ctx, "d", 3, 0)
		f("huge", "a", "b", "large gives up", "c")
		for range 3 {
			leave()
		}
		f("huge", "a", "b", "large gives up", "c", "d")
		leave()
		if g.files != 0 || g.bytes != 0 || len(g.queue) != 0 {
			t.Errorf("%d files, %d bytes and %d waiting are left", g.files, g.bytes, len(g.queue))
		}
	})
}

func TestAVerdictIsBoundedAndReadAsItWasWritten(t *testing.T) {
	all := dlp.Types()
	var found []dlp.Finding
	for i := range all {
		f := dlp.Finding{Type: &all[i], Confidence: 85, Count: 1 << 40, Unique: 4096}
		for k := range 16 {
			f.Fingerprints = append(f.Fingerprints, strings.Repeat("f", 32))
			if k < 5 {
				f.Samples = append(f.Samples, "***@"+strings.Repeat("x", 250)+fmt.Sprint(k))
			}
			if k < 8 {
				f.Locations = append(f.Locations, strings.Repeat("é", 257)+fmt.Sprint(k))
			}
		}
		found = append(found, f)
	}
	v := newVerdict(extract.Result{Outcome: extract.Partial, Reason: strings.Repeat("x", 300), Type: "text/plain", Bytes: 7}, found)
	for i := range 1000 {
		v.tell(fmt.Sprintf("entity%014d", i), "0123456789ab")
	}
	raw := v.json()
	if len(raw) > 64<<10 || !json.Valid(raw) {
		t.Fatalf("%d bytes", len(raw))
	}
	r := readVerdict(raw, byID(all))
	if r == nil || len(r.Findings) != len(all) || len(r.Told) > maxTold || r.Scan != extract.Partial || r.Bytes != 7 {
		t.Fatalf("read %+v", r)
	}
	if string(r.json()) != string(raw) {
		t.Error("written again it is another one")
	}
	f := func(raw string) {
		t.Helper()
		if readVerdict(json.RawMessage(raw), byID(all)) != nil {
			t.Errorf("%s is taken for a verdict", raw)
		}
	}
	f("")
	f("{}")
	f("null")
	f(`{"v":2,"scan":"done"}`)
	f(`{"v":1,"scan":"done","findings":[{"type":"pii.nobody"}]}`)
	f(`{"v":1,"scan":`)
}

func TestWhatWasToldLatelyIsRememberedAndBounded(t *testing.T) {
	var r recent
	for i := range 5 * maxRecent {
		r.add([]string{fmt.Sprint(i)})
		if n := len(r.now) + len(r.before); n > 2*maxRecent {
			t.Fatalf("%d are remembered", n)
		}
	}
	if !r.has(fmt.Sprint(5*maxRecent-1)) || !r.has(fmt.Sprint(4*maxRecent)) || r.has("0") {
		t.Error("the latest are not those remembered")
	}
}

func TestSizesAreWrittenAndReadAlike(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		var s Size
		if err := s.UnmarshalText([]byte(in)); err != nil || s.String() != want {
			t.Errorf("%q is %s, %v; want %s", in, s, err, want)
		}
	}
	f("64MiB", "64MiB")
	f("64 mb", "64MiB")
	f("2048", "2KiB")
	f("1000", "1000")
	f("1G", "1GiB")
	f("0", "0")
	f("1536k", "1536KiB")
	for _, bad := range []string{"", "-1", "2GiB", "64XiB", "MiB", "9999999999999999999"} {
		if err := new(Size).UnmarshalText([]byte(bad)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", bad)) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
