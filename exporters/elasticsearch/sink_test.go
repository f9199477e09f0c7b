package elasticsearch

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/delivery"
	"github.com/longshore-dev/longshore/internal/delivery/deliverytest"
	"github.com/longshore-dev/longshore/internal/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// user makes one state of an account, read at a time.
func user(name string, read time.Time) plog.Logs {
	logs := deliverytest.Batch(0, 1)
	w := deliverytest.First(logs)
	w.Log.SetObservedTimestamp(pcommon.NewTimestampFromTime(read))
	a := w.Log.Attributes()
	a.PutStr("event.dataset", "okta.inventory")
	a.PutStr("event.id", name+read.String())
	a.PutStr("entity.type", "user")
	a.PutStr("entity.id", "00u1")
	a.PutStr("user.name", name)
	return logs
}

// started is an exporter that writes to s.
func started(t *testing.T, s *standIn, change func(*Config)) *sink {
	t.Helper()
	cfg, _ := defaultConfig().(*Config)
	cfg.Endpoints = []string{s.URL}
	if change != nil {
		change(cfg)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	e := newSink(exportertest.NewNopSettings(NewFactory().Type()), cfg)
	if err := e.start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

func TestEveryRecordIsIndexedOnceUnderItsID(t *testing.T) {
	s := newStandIn(t)
	e := started(t, s, nil)
	logs := deliverytest.Batch(0, 500)
	deliverytest.Drain(t, e.push, logs)
	deliverytest.Drain(t, e.push, logs)
	deliverytest.Same(t, s.ids("logs-okta.system-saas"), deliverytest.IDs(logs))
	if a, d := e.counters.Count(delivery.Accepted), e.counters.Count(delivery.Duplicate); a != 500 || d != 500 {
		t.Fatalf("%d accepted, %d duplicates", a, d)
	}
}

func TestOnlyWhatFailedIsSentAgain(t *testing.T) {
	for _, status := range []int{429, 500, 503, 403, 404} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s := newStandIn(t)
			logs := deliverytest.Batch(0, 100)
			bad := deliverytest.IDs(logs)[:7]
			s.item = func(n int, _, id string, _ []byte) verdict {
				if n <= 2 && slices.Contains(bad, id) {
					return verdict{status, "es_rejected_execution_exception", "busy"}
				}
				return verdict{}
			}
			e := started(t, s, nil)
			if got := deliverytest.Drain(t, e.push, logs); !slices.Equal(got, []int{100, 7, 7}) {
				t.Fatalf("attempts had %v records", got)
			}
			deliverytest.Same(t, s.ids("logs-"), deliverytest.IDs(logs))
			for key, n := range s.sent {
				if want := 1 + 2*len(slices.DeleteFunc(slices.Clone(bad), func(id string) bool { return !strings.HasSuffix(key, id) })); n != want {
					t.Fatalf("%s was sent %d times, want %d", key, n, want)
				}
			}
		})
	}
}

func TestClusterTroubleIsNotBlamedOnTheDocument(t *testing.T) {
	s := newStandIn(t)
	s.item = func(n int, _, _ string, _ []byte) verdict {
		if n == 1 {
			return verdict{400, "validation_exception", "maximum shards open"}
		}
		return verdict{}
	}
	e := started(t, s, nil)
	deliverytest.Drain(t, e.push, deliverytest.Batch(0, 3))
	deliverytest.Same(t, s.ids("logs-"), deliverytest.IDs(deliverytest.Batch(0, 3)))
}

func TestPoisonIsSetAsideWithReasonAndRaw(t *testing.T) {
	s := newStandIn(t)
	logs := deliverytest.Batch(0, 20)
	bad := deliverytest.IDs(logs)[3]
	s.item = func(_ int, _, id string, _ []byte) verdict {
		if id == bad {
			return verdict{400, "document_parsing_exception", "failed to parse field [source.ip]"}
		}
		return verdict{}
	}
	e := started(t, s, nil)
	if got := deliverytest.Drain(t, e.push, logs); len(got) != 1 {
		t.Fatalf("attempts: %v", got)
	}
	good := slices.DeleteFunc(deliverytest.IDs(logs), func(id string) bool { return id == bad })
	deliverytest.Same(t, s.ids("logs-okta"), good)
	deliverytest.Same(t, s.ids("logs-saas.dead_letter-saas"), []string{bad})
	var letter struct {
		Time  string `json:"@timestamp"`
		Event struct{ Original, Kind string }
		Error struct{ Type, Message string }
	}
	if err := json.Unmarshal(s.docs["logs-saas.dead_letter-saas"][bad], &letter); err != nil {
		t.Fatal(err)
	}
	if letter.Time == "" || !strings.HasPrefix(letter.Event.Original, `{"uuid":"id-`) || letter.Event.Kind != "pipeline_error" ||
		letter.Error.Type != "document_parsing_exception" || !strings.Contains(letter.Error.Message, "source.ip") {
		t.Fatalf("letter %+v", letter)
	}
	if n := e.counters.Count(delivery.Refused); n != 1 {
		t.Fatalf("%d counted", n)
	}
}

func TestOnlyTheVendorsFieldsAreLeftOutWhenJustTheyDoNotFit(t *testing.T) {
	event.RegisterVendor(event.Vendor{Module: "okta", Root: "okta"})
	t.Cleanup(func() { event.RegisterVendor(event.Vendor{Module: "okta"}) })
	f := func(reason string, poison bool) {
		t.Helper()
		s := newStandIn(t)
		logs := deliverytest.Batch(0, 20)
		bad := deliverytest.IDs(logs)[3]
		s.item = func(_ int, index, id string, doc []byte) verdict {
			if id == bad && (poison || strings.Contains(string(doc), `"okta":{`)) {
				return verdict{400, "document_parsing_exception", reason}
			}
			return verdict{}
		}
		e := started(t, s, nil)
		if got := deliverytest.Drain(t, e.push, logs); len(got) != 1 {
			t.Fatalf("attempts: %v", got)
		}
		if poison {
			deliverytest.Same(t, s.ids("logs-saas.dead_letter-saas"), []string{bad})
			return
		}
		deliverytest.Same(t, s.ids("logs-okta"), deliverytest.IDs(logs))
		for id, doc := range s.docs["logs-okta.system-saas"] {
			text := string(doc)
			if strings.Contains(text, `"okta":{`) != (id != bad) || strings.Contains(text, `"tags":["vendor_fields_unfit"]`) != (id == bad) ||
				!strings.Contains(text, `"original":"{`) {
				t.Fatalf("%s: %s", id, doc)
			}
		}
	}
	f("failed to parse field [okta.n] of type [keyword]", false)
	f("object mapping for [okta] tried to parse field [okta] as object", false)
	f("Limit of total fields [1000] has been exceeded while adding new fields [1]", false)
	f("failed to parse field [okta.n] of type [keyword]", true) // and without it as well
	f("failed to parse field [source.ip] of type [ip]", true)
}

func TestPoisonGoesToTheFile(t *testing.T) {
	s := newStandIn(t)
	s.item = func(int, string, string, []byte) verdict { return verdict{400, "mapper_parsing_exception", "no"} }
	file := filepath.Join(t.TempDir(), "dead.jsonl")
	e := started(t, s, func(c *Config) { c.DeadLetter.File = file })
	deliverytest.Drain(t, e.push, deliverytest.Batch(0, 3))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(string(text)), "\n"); len(lines) != 3 || !json.Valid([]byte(lines[2])) {
		t.Fatalf("file: %s", text)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
}

func TestRecordIsKeptWhenItCannotBeSetAside(t *testing.T) {
	s := newStandIn(t)
	s.item = func(int, string, string, []byte) verdict { return verdict{400, "mapper_parsing_exception", "no"} }
	refusals := 2
	s.other = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/_create/") && refusals > 0 {
			refusals--
			w.WriteHeader(http.StatusBadRequest)
			return true
		}
		return false
	}
	e := started(t, s, nil)
	logs := deliverytest.Batch(0, 3)
	if got := deliverytest.Drain(t, e.push, logs); len(got) != 3 {
		t.Fatalf("attempts: %v", got)
	}
	deliverytest.Same(t, s.ids("logs-saas.dead_letter-"), deliverytest.IDs(logs))
}

func TestTooLargeRequestIsHalved(t *testing.T) {
	s := newStandIn(t)
	s.bulk = func(w http.ResponseWriter, _, size int) bool {
		if size > 80<<10 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return true
		}
		return false
	}
	e := started(t, s, nil)
	logs := deliverytest.Batch(0, 1000)
	w := deliverytest.First(logs)
	w.Log.Body().SetStr(`{"huge":"` + strings.Repeat("y", 100<<10) + `"}`)
	if got := deliverytest.Drain(t, e.push, logs); len(got) != 1 {
		t.Fatalf("attempts: %v", got)
	}
	deliverytest.Same(t, s.ids("logs-okta"), slices.DeleteFunc(deliverytest.IDs(logs), func(id string) bool { return id == w.DocID() }))
	deliverytest.Same(t, s.ids("logs-saas.dead_letter-"), []string{w.DocID()})
	before := s.bulks
	deliverytest.Drain(t, e.push, deliverytest.Batch(1000, 1100))
	if n := s.bulks - before; n > 2 {
		t.Fatalf("%d requests for 100 records: the smaller bound was forgotten", n)
	}
}

func TestBulkRequestsStayBelowTheirBound(t *testing.T) {
	s := newStandIn(t)
	most := 0
	s.bulk = func(_ http.ResponseWriter, _, size int) bool { most = max(most, size); return false }
	e := started(t, s, func(c *Config) { c.Flush.Bytes = 64 << 10 })
	logs := deliverytest.Batch(0, 1000)
	deliverytest.Drain(t, e.push, logs)
	deliverytest.Same(t, s.ids("logs-"), deliverytest.IDs(logs))
	if most > 64<<10 || s.bulks < 3 {
		t.Fatalf("%d requests of up to %d bytes", s.bulks, most)
	}
}

func TestCutAndSlowConnectionsLoseAndRepeatNothing(t *testing.T) {
	s := newStandIn(t)
	release := make(chan struct{})
	s.bulk = func(w http.ResponseWriter, n, _ int) bool {
		switch n {
		case 1: // nothing was read
			panic(http.ErrAbortHandler)
		case 3: // answered by halves
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"items":[`))
			return true
		case 5:
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write([]byte(`{"items":[]}`))
			return true
		case 6: // answers too late
			s.mu.Unlock()
			<-release
			s.mu.Lock()
			return true
		}
		return false
	}
	e := started(t, s, func(c *Config) { c.Flush.Bytes = 64 << 10; c.ClientConfig.Timeout = 200 * time.Millisecond })
	logs := deliverytest.Batch(0, 400)
	deliverytest.Drain(t, e.push, logs)
	close(release)
	deliverytest.Same(t, s.ids("logs-"), deliverytest.IDs(logs))
}

func TestAnotherNodeIsUsedWhenOneIsDown(t *testing.T) {
	dead, s := newStandIn(t), newStandIn(t)
	dead.Close()
	e := started(t, s, func(c *Config) { c.Endpoints = []string{dead.URL, s.URL} })
	for i := range 4 {
		if got := deliverytest.Drain(t, e.push, deliverytest.Batch(i*10, i*10+10)); len(got) != 1 {
			t.Fatalf("attempts: %v", got)
		}
	}
	deliverytest.Same(t, s.ids("logs-"), deliverytest.IDs(deliverytest.Batch(0, 40)))
}

func TestServersWaitIsHonoured(t *testing.T) {
	s := newStandIn(t)
	s.bulk = func(w http.ResponseWriter, _, _ int) bool {
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	e := started(t, s, nil)
	err := e.push(t.Context(), deliverytest.Batch(0, 5))
	if err == nil || !strings.Contains(err.Error(), "Throttle (17s)") {
		t.Fatalf("got %v", err)
	}
	if consumererror.IsPermanent(err) {
		t.Fatal("permanent")
	}
}

func TestRetryAfterIsReadInEveryForm(t *testing.T) {
	f := func(in string, want time.Duration) {
		t.Helper()
		if got := retryAfter(in, deliverytest.Day); got != want {
			t.Fatalf("%q: %v, want %v", in, got, want)
		}
	}
	f("", 0)
	f("3", 3*time.Second)
	f("-4", 0)
	f("999999", 5*time.Minute)
	f("NaN", 0)
	f("soon", 0)
	f(deliverytest.Day.Add(time.Minute).Format(http.TimeFormat), time.Minute)
	f(deliverytest.Day.Add(-time.Minute).Format(http.TimeFormat), 0)
}

func TestOldStateNeverReplacesANewerOne(t *testing.T) {
	s := newStandIn(t)
	e := started(t, s, nil)
	now, before := user("new", deliverytest.Day.Add(time.Hour)), user("old", deliverytest.Day)
	deliverytest.Drain(t, e.push, now)
	deliverytest.Drain(t, e.push, before)
	id := deliverytest.First(now).EntityID()
	deliverytest.Same(t, s.ids("saas-entities-saas"), []string{id})
	if doc := string(s.docs["saas-entities-saas"][id]); !strings.Contains(doc, `"name":"new"`) {
		t.Fatalf("kept %s", doc)
	}
	if n := len(s.ids("logs-okta.inventory-saas")); n != 2 {
		t.Fatalf("%d states in the data stream", n)
	}
}

func TestForeignRecordsAreStoredToo(t *testing.T) {
	s := newStandIn(t)
	e := started(t, s, nil)
	logs := deliverytest.Batch(0, 2)
	w := deliverytest.First(logs)
	w.Log.Attributes().Clear()
	w.Log.SetTimestamp(0)
	w.Log.Attributes().PutStr("event.dataset", "My-App")
	deliverytest.Drain(t, e.push, logs)
	docs := s.docs["logs-my_app-saas"]
	if len(docs) != 1 || !strings.Contains(string(docs[w.DocID()]), `"@timestamp":"2026-11-20T11:00:00.000Z"`) {
		t.Fatalf("got %s", docs)
	}
}

func TestRetriesEndInSetEquality(t *testing.T) {
	s := newStandIn(t)
	s.bulk = func(w http.ResponseWriter, n, _ int) bool {
		if n%3 == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	}
	s.item = func(n int, _, id string, _ []byte) verdict {
		if n%3 == 2 && id[0]%4 == 0 {
			return verdict{429, "es_rejected_execution_exception", "busy"}
		}
		return verdict{}
	}
	cfg, _ := defaultConfig().(*Config)
	cfg.Endpoints = []string{s.URL}
	cfg.Flush.Bytes = 64 << 10
	cfg.RetryConfig.InitialInterval, cfg.RetryConfig.MaxInterval = time.Millisecond, 2*time.Millisecond
	f := NewFactory()
	e, err := f.CreateLogs(t.Context(), exportertest.NewNopSettings(f.Type()), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	logs := deliverytest.Batch(0, 2000)
	if err := e.ConsumeLogs(t.Context(), logs); err != nil {
		t.Fatal(err)
	}
	if err := e.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	deliverytest.Same(t, s.ids("logs-"), deliverytest.IDs(logs))
}

func TestKeyIsSentAndNeverShown(t *testing.T) {
	s := newStandIn(t)
	s.bulk = func(w http.ResponseWriter, _, _ int) bool { w.WriteHeader(http.StatusUnauthorized); return true }
	e := started(t, s, func(c *Config) { c.APIKey = configopaque.String("c2VjcmV0") })
	err := e.push(t.Context(), deliverytest.Batch(0, 1))
	if err == nil || strings.Contains(err.Error(), "c2VjcmV0") || strings.Contains(fmt.Sprintf("%+v", *e.cfg), "c2VjcmV0") {
		t.Fatalf("got %v", err)
	}
	if got := s.header.Get("Authorization"); !strings.EqualFold(got, "ApiKey c2VjcmV0") {
		t.Fatalf("sent %q", got)
	}
}
