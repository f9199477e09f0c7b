package elasticsearch

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/longshore-dev/longshore/internal/delivery/deliverytest"
)

func TestCloudIDsLeadToADeployment(t *testing.T) {
	f := func(plain, want string) {
		t.Helper()
		id := "logs:eu:" + base64.StdEncoding.EncodeToString([]byte(plain))
		got, err := cloudAddress(id)
		if want == "" {
			if err == nil || !strings.Contains(err.Error(), "cloudid") || !strings.Contains(err.Error(), id) {
				t.Fatalf("%q: %q, %v", plain, got, err)
			}
			return
		}
		if err != nil || got != want {
			t.Fatalf("%q: %q, %v", plain, got, err)
		}
	}
	f("eu-west.cloud.example$abc123$kib", "https://abc123.eu-west.cloud.example:443")
	f("eu-west.cloud.example:9243$abc123$", "https://abc123.eu-west.cloud.example:9243")
	f("cloud.example:9243$abc:9244$kib:9245", "https://abc.cloud.example:9244")
	f("cloud.example", "")
	f("$abc$kib", "")
	f("cloud.example/x$abc", "")
	if _, err := cloudAddress("name:###"); err == nil || !strings.Contains(err.Error(), `cloudid "name:###"`) {
		t.Fatal(err)
	}
}

// logged is an exporter that writes to s, and what it logs.
func logged(t *testing.T, s *standIn, change func(*Config)) (*sink, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.WarnLevel)
	cfg, _ := defaultConfig().(*Config)
	cfg.Endpoints = []string{s.URL}
	change(cfg)
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	set := exportertest.NewNopSettings(NewFactory().Type())
	set.Logger = zap.New(core)
	e := newSink(set, cfg)
	if err := e.start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.shutdown(context.Background()) })
	return e, logs
}

func TestZstdIsUsedWhereItIsTaken(t *testing.T) {
	f := func(refuse func(http.ResponseWriter), want string, warnings int) {
		t.Helper()
		s := newStandIn(t)
		var used []string
		s.any = func(w http.ResponseWriter, r *http.Request) bool {
			enc := r.Header.Get("Content-Encoding")
			if enc == "zstd" && refuse != nil {
				refuse(w)
				return true
			}
			if enc != "" {
				used = append(used, enc)
			}
			return false
		}
		e, logs := logged(t, s, func(c *Config) { c.ClientConfig.Compression = configcompression.TypeZstd })
		for i := range 5 {
			if got := deliverytest.Drain(t, e.push, deliverytest.Batch(i*10, i*10+10)); len(got) != 1 {
				t.Fatalf("attempts: %v", got)
			}
		}
		deliverytest.Same(t, s.ids("logs-okta"), deliverytest.IDs(deliverytest.Batch(0, 50)))
		if got := s.ids("logs-saas.dead_letter"); len(got) != 0 {
			t.Fatalf("%d documents are blamed for the compression", len(got))
		}
		for _, enc := range used {
			if enc != want {
				t.Fatalf("used %v", used)
			}
		}
		if n := logs.FilterMessageSnippet("zstd").Len(); n != warnings || len(used) < 5 {
			t.Fatalf("%d warnings, used %v", n, used)
		}
	}
	f(nil, "zstd", 0)
	f(func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnsupportedMediaType) }, "gzip", 1)
	f(func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadRequest) }, "gzip", 1) // as Elasticsearch does
	f(func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "gzip", 1)            // as OpenSearch does
}

func TestZstdIsNotGivenUpForAnotherReason(t *testing.T) {
	s := newStandIn(t)
	busy := 3
	s.any = func(w http.ResponseWriter, r *http.Request) bool {
		if busy > 0 && r.Header.Get("Content-Encoding") != "" {
			busy--
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	}
	e, logs := logged(t, s, func(c *Config) { c.ClientConfig.Compression = configcompression.TypeZstd })
	deliverytest.Drain(t, e.push, deliverytest.Batch(0, 10))
	if logs.FilterMessageSnippet("zstd").Len() != 0 || e.client.zstd.Load() != zstdTaken {
		t.Fatalf("state %d, %v", e.client.zstd.Load(), logs.All())
	}
}

func TestAWrongFlavorIsToldInClearWords(t *testing.T) {
	f := func(flavor, product string, want ...string) {
		t.Helper()
		s := newStandIn(t)
		s.product = product
		cfg, _ := defaultConfig().(*Config)
		cfg.Endpoints, cfg.Flavor = []string{s.URL}, flavor
		e := newSink(exportertest.NewNopSettings(NewFactory().Type()), cfg)
		err := e.start(t.Context(), componenttest.NewNopHost())
		defer func() { _ = e.shutdown(context.Background()) }()
		if len(want) == 0 {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		for _, w := range append(want, s.URL) {
			if !errors.Is(err, errFlavor) || !strings.Contains(err.Error(), w) {
				t.Fatalf("%s: %v, want %q", flavor, err, w)
			}
		}
		if len(s.templates) != 0 {
			t.Fatalf("wrote %v", s.order)
		}
		if err := e.push(t.Context(), deliverytest.Batch(0, 3)); err == nil || s.bulks != 0 {
			t.Fatalf("%d requests, %v", s.bulks, err)
		}
	}
	f(elastic, "Elasticsearch")
	f(openSearch, "")
	f(elastic, "", "does not say that it is Elasticsearch", "set flavor to opensearch")
	f(openSearch, "Elasticsearch", "is Elasticsearch, but flavor is opensearch")
}

func TestNoMoreRequestsThanWorkersAreInFlight(t *testing.T) {
	s := newStandIn(t)
	var mu sync.Mutex
	now, most := 0, 0
	all := make(chan struct{})
	s.bulk = func(http.ResponseWriter, int, int) bool {
		s.mu.Unlock()
		defer s.mu.Lock()
		mu.Lock()
		now++
		most = max(most, now)
		if now == 3 && most == 3 {
			select {
			case <-all:
			default:
				close(all)
			}
		}
		mu.Unlock()
		select {
		case <-all: // three are there at once
		case <-time.After(10 * time.Second):
		}
		mu.Lock()
		now--
		mu.Unlock()
		return false
	}
	e := started(t, s, func(c *Config) { c.Flush.Bytes, c.NumWorkers = 64<<10, 3 })
	var out sync.WaitGroup
	for i := range 2 {
		out.Go(func() { deliverytest.Drain(t, e.push, deliverytest.Batch(i*2000, i*2000+2000)) })
	}
	out.Wait()
	deliverytest.Same(t, s.ids("logs-"), deliverytest.IDs(deliverytest.Batch(0, 4000)))
	if most != 3 {
		t.Fatalf("%d requests in flight, want 3", most)
	}
}

func TestANodeOutOfServiceIsLeftAtOnceAndUsedAgainLater(t *testing.T) {
	sick, well := newStandIn(t), newStandIn(t)
	ill := true
	sick.any = func(w http.ResponseWriter, _ *http.Request) bool {
		if ill {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return ill
	}
	e := started(t, well, func(c *Config) { c.Endpoints, c.InstallTemplates = []string{sick.URL, well.URL + "/"}, false })
	now := deliverytest.Day
	e.client.now = func() time.Time { return now }
	for i := range 6 {
		if got := deliverytest.Drain(t, e.push, deliverytest.Batch(i*10, i*10+10)); len(got) != 1 {
			t.Fatalf("attempts: %v", got)
		}
	}
	if sick.asked != 1 {
		t.Fatalf("the sick node was asked %d times", sick.asked)
	}
	ill, now = false, now.Add(firstRest)
	for i := range 4 {
		deliverytest.Drain(t, e.push, deliverytest.Batch(100+i*10, 110+i*10))
	}
	if len(sick.ids("logs-")) != 20 || len(well.ids("logs-")) != 80 {
		t.Fatalf("%d and %d documents", len(sick.ids("logs-")), len(well.ids("logs-")))
	}
}

func TestDocumentsGoThroughThePipeline(t *testing.T) {
	s := newStandIn(t)
	var query string
	s.any = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/_bulk" {
			query = r.URL.Query().Get("pipeline")
		}
		return false
	}
	deliverytest.Drain(t, started(t, s, func(c *Config) { c.Pipeline = "geo ip" }).push, deliverytest.Batch(0, 1))
	if query != "geo ip" {
		t.Fatalf("pipeline %q", query)
	}
}
