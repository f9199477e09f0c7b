package exporters

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esutil"
	"go.opentelemetry.io/collector/pdata/plog"

	exporter "github.com/longshore-dev/longshore/exporters/elasticsearch"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/oracles/backends"
	"github.com/longshore-dev/longshore/receivers/okta"
)

const (
	bulkBatches = 20 // a round
	bulkSize    = 1000
	bulkRounds  = 5
	bulkWorkers = 4
	bulkBytes   = 5 << 20
)

// document is what a client that has the bytes already is given.
type document struct {
	id   string
	body []byte
}

// TestExporterIsAsFastAsABulkIndexer writes the same records to one Elasticsearch in turns: by the exporter, and by the vendor's
// esutil.BulkIndexer, which has the bytes already. Both create documents with the same ids in data streams of the same
// templates, in requests as large, as many at once, and compressed alike; of each round the ids are new. The best round of each
// counts, and the goal is 0.9 of the indexer.
func TestExporterIsAsFastAsABulkIndexer(t *testing.T) {
	if os.Getenv("LONGSHORE_BENCH") == "" {
		t.Skip("a measurement: set LONGSHORE_BENCH=1 on an idle machine")
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("load before: %s", strings.TrimSpace(string(load)))
	okta.NewFactory() // the types of its fields
	s := server{backends.StartElasticsearch(t), t, kind{"elasticsearch", "flattened", nil}}
	e := s.exporter(t, func(c *exporter.Config) { c.NumWorkers, c.Flush.Bytes = bulkWorkers, bulkBytes })
	var records []plog.Logs
	var documents []document
	ways := []struct {
		name  string
		write func()
		best  time.Duration
	}{
		{name: "exporter", write: func() { round(bulkBatches, func(i int) { e.send(records[i]) }) }},
		{name: "indexer", write: func() { s.index(documents) }},
	}
	for r := range bulkRounds {
		for k := range ways {
			w := &ways[(k+r)%len(ways)]
			tenant := fmt.Sprintf("bench %d %s", r, w.name)
			records, documents = written(tenant)
			began := time.Now()
			w.write()
			took := time.Since(began)
			if w.best == 0 || took < w.best {
				w.best = took
			}
			s.call("POST", "/logs-okta.system-saas/_refresh", "")
			body := fmt.Sprintf(`{"query":{"term":{"saas.tenant":%q}}}`, tenant)
			if n := s.call("POST", "/logs-okta.system-saas/_count", body)["count"]; n != float64(len(documents)) {
				t.Fatalf("%s: %v documents are there", w.name, n)
			}
			t.Logf("%s: %.0f documents/s of %d bytes", w.name, float64(len(documents))/took.Seconds(), len(documents[0].body))
		}
	}
	ratio := ways[1].best.Seconds() / ways[0].best.Seconds()
	t.Logf("the exporter is %.2f times as fast as the indexer", ratio)
	if ratio < 0.9 {
		t.Errorf("the exporter is %.2f times as fast as the indexer, want 0.9", ratio)
	}
}

// written are the records of a round, and the documents that they become.
func written(tenant string) (records []plog.Logs, documents []document) {
	for i := range bulkBatches {
		records = append(records, batch(tenant, i*bulkSize, (i+1)*bulkSize))
		for _, w := range views(records[i]) {
			full(w)
			body := event.AppendECS(nil, w, event.Encoding{Namespace: "saas", Ingested: day})
			documents = append(documents, document{w.DocID(), body})
		}
	}
	return records, documents
}

// index creates documents by the vendor's own indexer.
func (s server) index(documents []document) {
	s.t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = bulkWorkers
	defer transport.CloseIdleConnections()
	client, err := elasticsearch.NewClient(elasticsearch.Config{Addresses: []string{s.Addr}, Transport: transport,
		CompressRequestBody: true, CompressRequestBodyLevel: gzip.BestSpeed, PoolCompressor: true})
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{Client: client, Index: "logs-okta.system-saas", NumWorkers: bulkWorkers,
		FlushBytes: bulkBytes, FlushInterval: time.Hour})
	if err != nil {
		s.t.Fatal(err)
	}
	var failed atomic.Int64
	for _, d := range documents {
		item := esutil.BulkIndexerItem{Action: "create", DocumentID: d.id, Body: bytes.NewReader(d.body),
			OnFailure: func(context.Context, esutil.BulkIndexerItem,
				esutil.BulkIndexerResponseItem, error) {
				failed.Add(1)
			}}
		if err := b.Add(s.t.Context(), item); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := b.Close(s.t.Context()); err != nil || failed.Load() > 0 {
		s.t.Fatalf("%d documents failed, %v", failed.Load(), err)
	}
}
