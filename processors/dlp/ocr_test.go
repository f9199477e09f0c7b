package dlp

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// tika stands in for a server of Apache Tika.
type tika struct {
	mu     sync.Mutex
	asked  []string
	now    int // requests
	most   int // at the same time
	answer http.HandlerFunc
}

// ServeHTTP is http.Handler's.
func (s *tika) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.asked = append(s.asked, fmt.Sprintf("%s %s %s %s %s %d", r.Method, r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("Accept"),
		r.Header.Get("X-Key"), len(b)))
	s.now++
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.now--
		s.mu.Unlock()
	}()
	if s.answer != nil {
		s.answer(w, r)
		return
	}
	_, _ = io.WriteString(w, "\n\ncard "+aCard+"\n")
}

const picture = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR "

// withOCR is a stage whose processor asks a server about pictures.
func withOCR(t *testing.T, s *tika, change func(*OCRConfig)) *stage {
	t.Helper()
	var st *stage
	st = newStage(t, func(c *Config) {
		o := &c.Content.OCR
		base, stop := st.net.Serve(s)
		t.Cleanup(stop)
		o.Endpoint, o.Middlewares = base, simtest.Middleware()
		if change != nil {
			change(o)
		}
	})
	return st
}

// outcome is what became of the only file.
func (s *stage) outcome(t *testing.T) event.View {
	t.Helper()
	scans := s.take()[scanAction]
	if len(scans) != 1 {
		t.Fatalf("%d files were scanned", len(scans))
	}
	return scans[0]
}

func TestPicturesAreReadByAServerThatIsConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &tika{}
		s := withOCR(t, server, func(o *OCRConfig) { o.Headers.Set("X-Key", "abc") })
		s.put("f1", picture)
		s.live(2 * time.Hour)
		w := s.outcome(t)
		if w.Str("saas.finding.scan") != "done" || strings.Join(w.Strs("saas.finding.data_type"), " ") != "pci.credit_card" {
			t.Errorf("%s: %s", w.Str("saas.finding.scan"), w.Raw())
		}
		if got := strings.Join(server.asked, "\n"); got != "PUT /tika image/png text/plain abc 17" {
			t.Errorf("it is asked\n%s", got)
		}
	})
}

func TestPicturesGoNowhereUnlessAServerIsConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.put("f1", picture)
		s.live(2 * time.Hour)
		w := s.outcome(t)
		if w.Str("saas.finding.scan") != "not_scanned" || w.Str("event.reason") != "an image: there is no reader for it" {
			t.Errorf("%s: %s", w.Str("saas.finding.scan"), w.Str("event.reason"))
		}
		if s.procs[0].(*classifier).judge.ocr != nil {
			t.Error("there is a client")
		}
	})
}

func TestAServerThatFailsIsTheReasonAndNoValueIsInIt(t *testing.T) {
	f := func(want string, change func(*OCRConfig), answer http.HandlerFunc) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s := withOCR(t, &tika{answer: answer}, change)
			s.put("f1", picture)
			s.live(2 * time.Hour)
			w := s.outcome(t)
			if w.Str("saas.finding.scan") != "not_scanned" || w.Str("event.reason") != "an image: the OCR server "+want {
				t.Errorf("%s: %s, want %s", w.Str("saas.finding.scan"), w.Str("event.reason"), want)
			}
			if strings.Contains(s.logs.String(), aCard) {
				t.Error("the log tells")
			}
		})
	}
	f("answered http 500", nil, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "cannot read card "+aCard, 500) })
	f("answered http 422", nil, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, aCard, http.StatusUnprocessableEntity) })
	f("answered http 307", nil, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
	})
	f("answered more than max_text, 1KiB", func(o *OCRConfig) { o.MaxText = 1 << 10 }, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("a", 1<<10+1))
	})
	f("did not answer in time", func(o *OCRConfig) { o.Timeout = time.Second }, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	})
	f("could not be reached, or broke off", nil, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
}

func TestNoMorePicturesAreSentAtATimeThanWorkersSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &tika{answer: func(w http.ResponseWriter, _ *http.Request) {
			<-time.After(time.Second)
			w.WriteHeader(http.StatusNoContent)
		}}
		s := withOCR(t, server, func(o *OCRConfig) { o.Workers = 2 })
		for i := range 8 {
			s.put(fmt.Sprint("f", i), picture+fmt.Sprint(i))
		}
		s.live(4 * time.Hour)
		if len(server.asked) != 8 || server.most != 2 {
			t.Errorf("%d pictures, %d at a time", len(server.asked), server.most)
		}
		for _, w := range s.take()[scanAction] {
			if w.Str("saas.finding.scan") != "done" {
				t.Errorf("%s: %s", w.Str("saas.finding.scan"), w.Str("event.reason"))
			}
		}
	})
}

func TestConfigurationOfOCRIsChecked(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		cfg, err := configured(t, "content: {ocr: {"+text+"}}")
		if err == nil {
			err = cfg.Validate()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	f(`endpoint: "http://localhost:9998", timeout: 20s, headers: {X-Key: abc}, max_bytes: 1MiB`, "")
	f(`endpoint: "localhost:9998"`, `content: ocr: endpoint: "localhost:9998": want a URL`)
	f("max_bytes: 1", "content: ocr: max_bytes: 1: want 1KiB to 1GiB")
	f("max_text: 2GiB", "max_text")
	f("max_images: 0", "ocr: max_images: 0: want 1 to 10000")
	f("workers: 1000", "ocr: workers: 1000: want 1 to 256")
	f("timeout: 1ms", "ocr: timeout: 1ms: want 100ms to 10m")
}
