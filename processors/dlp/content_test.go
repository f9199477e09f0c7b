package dlp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/event"
)

const payroll = "Payroll\nSSN 536-90-4399\ncard 4539 1488 0343 6467\nand again 4539148803436467\n"

// judged fails unless there is one such record.
func one(t *testing.T, what string, of []event.View) event.View {
	t.Helper()
	if len(of) != 1 {
		t.Fatalf("%d %s, want 1", len(of), what)
	}
	return of[0]
}

func has(t *testing.T, w event.View, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := strings.Join(w.Strs(pairs[i]), "|"); got != pairs[i+1] {
			t.Errorf("%s is %q, want %q", pairs[i], got, pairs[i+1])
		}
	}
}

func TestAFileIsReadOnceAndToldOfWithItsExposure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.put("f1", payroll, "visibility", "public", "link", "https://vault.example/s/1", "with", []string{"eve@elsewhere.example"},
			"folder", "HR")
		s.live(10 * time.Minute)
		out := s.take()
		if len(out["state"]) != 2 || s.reads("f1") != 1 {
			t.Fatalf("%d records of the file, read %d times", len(out["state"]), s.reads("f1"))
		}
		has(t, out["state"][0], "saas.finding.scan", "")
		w := out["state"][1]
		has(t, w, "saas.finding.scan", "done", "saas.finding.data_type", "pci.credit_card|pii.us_ssn", "saas.finding.confidence", "85",
			"saas.finding.count", "3", "saas.entity.finding_count", "2")
		if id := w.Str("event.id"); !strings.HasPrefix(id, "content/content/f1@") || len(id) < 20 || !strings.Contains(id, ":") {
			t.Errorf("the record's id is %q", id)
		}
		if len(out["content_match"]) != 2 {
			t.Fatalf("%d alerts", len(out["content_match"]))
		}
		a := out["content_match"][0]
		has(t, a, "event.kind", "alert", "event.dataset", "saas.finding", "event.category", "file", "rule.id", "pci.credit_card",
			"saas.finding.status", "new", "saas.finding.scan", "done", "saas.finding.count", "2", "saas.finding.unique_count", "1",
			"saas.finding.sample_redacted", "************6467", "saas.finding.location", "line 3, line 4", "saas.share.visibility", "public",
			"saas.share.recipients", "eve@elsewhere.example", "saas.share.link.url", "https://vault.example/s/1", "saas.file.id", "f1",
			"file.name", "f1.txt", "saas.file.owner.email", "ann@acme.example", "saas.container.name", "HR", "saas.tenant", "acme",
			"message", "Payment card number in f1.txt")
		d := one(t, "documents on the content", out["content_scan"])
		has(t, d, "event.kind", "state", "event.dataset", "saas.finding", "event.reason", "", "saas.finding.scan", "done",
			"saas.finding.count", "3", "file.name", "f1.txt", "saas.file.id", "f1", "saas.finding.data_type", "pci.credit_card|pii.us_ssn")
		if raw := d.Raw(); !strings.Contains(raw, `"type":"text/plain`) || !strings.Contains(raw, fmt.Sprintf(`"bytes":%d`, len(payroll))) {
			t.Errorf("body %s", raw)
		}
		s.live(5 * time.Hour)
		if out = s.take(); s.reads("f1") != 1 || len(out["content_match"])+len(out["content_scan"])+len(out["state"]) != 0 {
			t.Errorf("an unchanged file: read %d times, %d alerts, %d records", s.reads("f1"), len(out["content_match"]), len(out["state"]))
		}
		for name, want := range map[string]int64{"fetches": 1, "file_bytes": int64(len(payroll)), "files": 1} {
			if got := s.sum("longshore_dlp_"+name, "", ""); got != want {
				t.Errorf("%s: %d, want %d", name, got, want)
			}
		}
	})
}

func TestExposureThatChangesIsToldWithoutReadingAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.put("f1", payroll)
		s.live(10 * time.Minute)
		first := s.take()["content_match"]
		s.put("f1", payroll, "visibility", "public")
		s.live(time.Hour) // a walk sees it
		out := s.take()
		w := one(t, "records of the changed file", out["state"])
		has(t, w, "saas.finding.scan", "done", "saas.finding.data_type", "pci.credit_card|pii.us_ssn", "saas.share.visibility", "public")
		if len(out["content_match"]) != 2 || len(out["content_scan"]) != 0 || len(first) != 2 {
			t.Fatalf("%d alerts at first, then %d, and %d documents", len(first), len(out["content_match"]), len(out["content_scan"]))
		}
		for i, a := range out["content_match"] {
			has(t, a, "saas.finding.status", "update", "saas.share.visibility", "public")
			if a.DocID() == first[i].DocID() || a.Str("saas.finding.fingerprint") != first[i].Str("saas.finding.fingerprint") {
				t.Error("another exposure has the same id, or other fingerprints")
			}
		}
		public := out["content_match"]
		s.touch("f1") // an event
		s.live(5 * time.Minute)
		out = s.take()
		has(t, one(t, "records of the touched file", out["state"]), "saas.finding.scan", "done")
		for i, a := range out["content_match"] {
			if a.DocID() != public[i].DocID() {
				t.Error("the same exposure, seen by an event, has another id")
			}
		}
		s.touch("f1")
		s.live(5 * time.Minute)
		if out = s.take(); len(out["content_match"]) != 0 || len(out["content_scan"]) != 0 || len(out["state"]) != 1 {
			t.Errorf("nothing changed: %d alerts, %d documents, %d records", len(out["content_match"]), len(out["content_scan"]), len(out["state"]))
		}
		if s.reads("f1") != 1 || s.sum("longshore_dlp_verdicts_reused", "", "") != 2 {
			t.Errorf("read %d times, %d verdicts reused", s.reads("f1"), s.sum("longshore_dlp_verdicts_reused", "", ""))
		}
		s.put("f1", strings.Replace(payroll, "4399", "4398", 1), "visibility", "public")
		s.touch("f1")
		s.live(5 * time.Minute)
		if out = s.take(); s.reads("f1") != 2 || len(out["content_match"]) != 2 || len(out["content_scan"]) != 1 {
			t.Errorf("new content: read %d times, %d alerts", s.reads("f1"), len(out["content_match"]))
		}
		has(t, out["content_match"][0], "saas.finding.status", "new")
	})
}

func TestFilesOfTheSameContentAreReadOnceAndEachToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		for i := range 5 {
			s.put(fmt.Sprint("f", i), payroll)
		}
		s.live(10 * time.Minute)
		for i := range 3 {
			s.put(fmt.Sprint("late", i), payroll)
		}
		s.live(2 * time.Hour)
		out, reads, seen := s.take(), 0, map[string]int{}
		for _, kind := range []string{"content_scan", "content_match"} {
			for _, w := range out[kind] {
				seen[kind+" "+w.Str("rule.id")+" "+w.Str("saas.file.id")+" "+w.DocID()]++
			}
		}
		for id := range s.files {
			reads += s.reads(id)
		}
		if reads != 1 || len(seen) != 8*3 {
			t.Errorf("read %d times; %d different documents, want %d", reads, len(seen), 8*3)
		}
	})
}

func TestWhatIsKnownSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.put("f1", payroll)
		s.live(10 * time.Minute)
		before := s.take()
		one(t, "documents", before["content_scan"])
		s.stop()
		s.start()
		s.live(5 * time.Hour)
		if out := s.take(); s.reads("f1") != 1 || len(out["content_match"])+len(out["content_scan"]) != 0 {
			t.Errorf("after a restart: read %d times, %d alerts", s.reads("f1"), len(out["content_match"]))
		}
		s.stop()
		s.start(func(c *Config) { c.Packs = []string{"pci"} })
		s.live(5 * time.Hour)
		out := s.take()
		if s.reads("f1") != 2 || len(out["content_match"]) != 1 || len(out["content_scan"]) != 1 {
			t.Fatalf("other detectors: read %d times, %d alerts, %d documents", s.reads("f1"), len(out["content_match"]), len(out["content_scan"]))
		}
		if out["content_scan"][0].DocID() == before["content_scan"][0].DocID() {
			t.Error("the document of another set has the same id")
		}
	})
}

func TestWhatCannotBeReadIsSaidWithTheReason(t *testing.T) {
	f := func(name string, change []any, serve func(http.ResponseWriter, *http.Request, string, string) bool, reads int, scan, reason string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t)
			s.serve = serve
			s.put("f1", payroll, change...)
			s.live(50 * time.Minute)
			out := s.take()
			d := one(t, name+": documents", out["content_scan"])
			if s.reads("f1") != reads || d.Str("saas.finding.scan") != scan || !strings.Contains(d.Str("event.reason"), reason) {
				t.Errorf("%s: read %d times, %s, %q", name, s.reads("f1"), d.Str("saas.finding.scan"), d.Str("event.reason"))
			}
			has(t, out["state"][len(out["state"])-1], "saas.finding.scan", scan)
			if n := s.sum("longshore_dlp_files", "outcome", scan); n != 1 {
				t.Errorf("%s: %d files counted as %s", name, n, scan)
			}
			if strings.Contains(s.logs.String(), "4539") {
				t.Errorf("%s: the log shows a value", name)
			}
		})
	}
	status := func(code int) func(http.ResponseWriter, *http.Request, string, string) bool {
		return func(w http.ResponseWriter, _ *http.Request, _, _ string) bool {
			w.WriteHeader(code)
			return true
		}
	}
	f("too large", []any{"size", 65 << 20}, nil, 0, "not_scanned", "it has 68157440 bytes, more than max_size, 64MiB")
	f("refused", nil, status(http.StatusForbidden), 1, "not_scanned", "it may not be read: denied: http 403")
	f("gone", nil, status(http.StatusNotFound), 1, "not_scanned", "it is gone: missing: http 404")
	f("too short", []any{"sha1", "", "size", 500}, nil, 4, "partial", "it ended after 76 of its 500 bytes")
	f("of another hash for ever", []any{"sha1", strings.Repeat("0", 40)}, nil, 4, "done", "")
	f("an image", nil, func(w http.ResponseWriter, _ *http.Request, _, _ string) bool {
		_, _ = io.WriteString(w, "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"+strings.Repeat("\x00", 100_000))
		return true
	}, 1, "not_scanned", "image")
	f("cut", nil, func(w http.ResponseWriter, _ *http.Request, _, body string) bool {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, body)
		return true
	}, 4, "not_scanned", "it could not be read: unavailable")
	f("cut later", nil, func(w http.ResponseWriter, _ *http.Request, _, body string) bool {
		w.Header().Set("Content-Length", "3000000")
		_, _ = io.WriteString(w, body+strings.Repeat("nothing more\n", 200_000))
		return true
	}, 4, "partial", "it could not be read: unavailable")
	f("stalled", nil, func(w http.ResponseWriter, r *http.Request, _, body string) bool {
		_, _ = io.WriteString(w, body[:20])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	}, 4, "not_scanned", "it could not be read")
}

func TestAFailureThatPassesIsNotTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		n := 0
		s.serve = func(w http.ResponseWriter, _ *http.Request, _, _ string) bool {
			if n++; n <= 2 {
				w.Header().Set("Content-Length", "1000000")
				return true
			}
			return false
		}
		s.put("f1", payroll)
		s.live(30 * time.Minute)
		out := s.take()
		has(t, one(t, "documents", out["content_scan"]), "saas.finding.scan", "done")
		if len(out["content_match"]) != 2 {
			t.Errorf("%d alerts", len(out["content_match"]))
		}
	})
}

func TestWhatWasRefusedIsReadByTheNextWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.serve = func(w http.ResponseWriter, _ *http.Request, _, _ string) bool {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		s.put("f1", payroll)
		s.live(30 * time.Minute)
		refused := one(t, "documents", s.take()["content_scan"])
		s.mu.Lock()
		s.serve = nil
		s.mu.Unlock()
		s.live(time.Hour)
		d := one(t, "documents", s.take()["content_scan"])
		if has(t, d, "saas.finding.scan", "done"); d.DocID() != refused.DocID() {
			t.Error("the document of the same content has another id")
		}
	})
}

// bomb is a content whose reader fails in the worst way.
type bomb struct{ io.ReadCloser }

// Read panics.
func (bomb) Read([]byte) (int, error) { panic("of the reader") }

func TestAPanicIsAnOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.wrap = func(in io.ReadCloser) io.ReadCloser { return bomb{in} }
		s.put("f1", payroll)
		s.live(30 * time.Minute)
		has(t, one(t, "documents", s.take()["content_scan"]), "saas.finding.scan", "partial", "event.reason", "its reader failed")
	})
}

func TestARefusedRecordDoesNotLetItsFileBeReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		refused := 0
		s.refuse = func(l plog.Logs) error {
			for w := range event.Views(l) {
				if w.Str("event.action") == "content_scan" && refused < 5 {
					refused++
					return errors.New("no room")
				}
			}
			return nil
		}
		s.put("f1", payroll)
		s.live(50 * time.Minute)
		out := s.take()
		if s.reads("f1") != 1 || refused != 5 || len(out["content_match"]) != 2 || len(out["content_scan"]) != 1 {
			t.Errorf("read %d times, refused %d, %d alerts, %d documents", s.reads("f1"), refused, len(out["content_match"]),
				len(out["content_scan"]))
		}
	})
}

func TestEveryPipelineJudgesByItsOwnDetectors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, func(c *Config) { c.Packs = []string{"pci"} }, func(c *Config) { c.Packs = []string{"pii/us"} },
			func(c *Config) { c.Content.Enabled = false })
		s.put("f1", payroll)
		s.live(3 * time.Hour)
		out := s.take()
		var rules, ids []string
		for _, w := range out["content_match"] {
			rules = append(rules, w.Str("rule.id"))
		}
		for _, w := range out["content_scan"] {
			ids = append(ids, w.DocID())
		}
		slices.Sort(rules)
		if !slices.Equal(rules, []string{"pci.credit_card", "pii.us_ssn"}) || len(ids) != 2 || ids[0] == ids[1] || s.reads("f1") != 2 {
			t.Errorf("alerts %v, documents %v, read %d times", rules, ids, s.reads("f1"))
		}
	})
}

func TestWithoutContentNothingIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, func(c *Config) { c.Content.Enabled = false })
		s.put("f1", payroll)
		s.live(3 * time.Hour)
		out := s.take()
		if s.reads("f1") != 0 || len(out["content_scan"])+len(out["content_match"]) != 0 || len(out["state"]) != 1 {
			t.Errorf("read %d times, %d documents, %d alerts, %d records", s.reads("f1"), len(out["content_scan"]), len(out["content_match"]),
				len(out["state"]))
		}
	})
}

// TestEveryLimitHasAKey: what may be set by the configuration, and what it is when nothing is said.
func TestEveryLimitHasAKey(t *testing.T) {
	cfg := defaultContent()
	cfg.OCR.Endpoint = "http://localhost:9998"
	v := reflect.ValueOf(cfg.limits())
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%s has no key", v.Type().Field(i).Name)
		}
	}
	cfg.MaxXMLDepth, cfg.PDF = 7, PDFConfig{8, 9 * time.Second, 64 << 20}
	if l := cfg.limits(); l.XML != 7 || l.Pages != 8 || l.PageTime != 9*time.Second || l.Memory != 64<<20 {
		t.Errorf("the limits are %+v", l)
	}
}
