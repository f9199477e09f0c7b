package exporters

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esutil"
	"github.com/opensearch-project/opensearch-go/v4"
	"github.com/opensearch-project/opensearch-go/v4/opensearchapi"
	"github.com/opensearch-project/opensearch-go/v4/opensearchutil"
	"go.opentelemetry.io/collector/pdata/plog"

	exporter "github.com/longshore-dev/longshore/exporters/elasticsearch"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/oracles/backends"
	"github.com/longshore-dev/longshore/oracles/procs"
	"github.com/longshore-dev/longshore/receivers/okta"
)

const (
	bulkBatches = 8 // a round
	bulkSize    = 1000
	bulkRounds  = 7 // the first one is not counted
	bulkWorkers = 4
	bulkBytes   = 5 << 20
	bulkIndex   = "logs-okta.system-saas"
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
	procs.Measures(t)
	compare(t, kind{"elasticsearch", "flattened", backends.StartElasticsearch}, server.elastic)
}

// TestExporterIsAsFastAsABulkIndexerOfOpenSearch does the same with opensearchutil.BulkIndexer. Its level of gzip is another
// one and cannot be set, so neither compresses.
func TestExporterIsAsFastAsABulkIndexerOfOpenSearch(t *testing.T) {
	procs.Measures(t)
	compare(t, kind{"opensearch", "flat_object", backends.StartOpenSearch}, server.open)
}

// way is one of those that are compared.
type way struct {
	name  string
	write func()
	best  time.Duration
	cpu   time.Duration // the least of a round
}

// run measures one round; without counts, it is for the server to become warm.
func (w *way) run(counts bool) (took, cpu time.Duration) {
	began, used := time.Now(), spent()
	w.write()
	took, cpu = time.Since(began), spent()-used
	if counts && (w.best == 0 || took < w.best) {
		w.best = took
	}
	if counts && (w.cpu == 0 || cpu < w.cpu) {
		w.cpu = cpu
	}
	return took, cpu
}

// spent is the time that processors worked for this process, which is the client.
func spent() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func compare(t *testing.T, k kind, index func(server, []document)) {
	okta.NewFactory() // the types of its fields
	s := server{k.start(t), t, k}
	e := s.exporter(t, func(c *exporter.Config) {
		c.NumWorkers, c.Flush.Bytes = bulkWorkers, bulkBytes
		if k.flavor == "opensearch" {
			c.ClientConfig.Compression = "none"
		}
	})
	var records []plog.Logs
	var documents []document
	ways := []way{
		{name: "exporter", write: func() { round(bulkBatches, func(i int) { e.send(records[i]) }) }},
		{name: "indexer", write: func() { index(s, documents) }},
	}
	for r := range bulkRounds {
		for k := range ways {
			w := &ways[(k+r)%len(ways)]
			tenant := fmt.Sprintf("bench %d %s", r, w.name)
			records, documents = written(tenant)
			took, cpu := w.run(r > 0)
			s.call("POST", "/"+bulkIndex+"/_refresh", "")
			body := fmt.Sprintf(`{"query":{"term":{"saas.tenant":%q}}}`, tenant)
			if n := s.call("POST", "/"+bulkIndex+"/_count", body)["count"]; n != float64(len(documents)) {
				t.Fatalf("%s: %v documents are there", w.name, n)
			}
			n := len(documents)
			t.Logf("%s: %.0f documents/s of %d bytes, client %.1f CPU-µs each", w.name, float64(n)/took.Seconds(), len(documents[0].body),
				cpu.Seconds()*1e6/float64(n))
		}
	}
	ratio := ways[1].best.Seconds() / ways[0].best.Seconds()
	cost := ways[0].cpu.Seconds() / ways[1].cpu.Seconds()
	t.Logf("the exporter is %.2f times as fast as the indexer, and takes %.2f times its CPU", ratio, cost)
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

// transport is one of the client alone.
func transport() *http.Transport {
	tr := http.DefaultTransport.(*http.Transport).Clone()
	tr.MaxIdleConnsPerHost = bulkWorkers
	return tr
}

// elastic creates documents by the indexer of Elasticsearch's vendor.
func (s server) elastic(documents []document) {
	s.t.Helper()
	tr := transport()
	defer tr.CloseIdleConnections()
	client, err := elasticsearch.NewClient(elasticsearch.Config{Addresses: []string{s.Addr}, Transport: tr,
		CompressRequestBody: true, CompressRequestBodyLevel: gzip.BestSpeed, PoolCompressor: true})
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{Client: client, Index: bulkIndex, NumWorkers: bulkWorkers,
		FlushBytes: bulkBytes, FlushInterval: time.Hour})
	if err != nil {
		s.t.Fatal(err)
	}
	var failed atomic.Int64
	for _, d := range documents {
		item := esutil.BulkIndexerItem{Action: "create", DocumentID: d.id, Body: bytes.NewReader(d.body),
			OnFailure: func(context.Context, esutil.BulkIndexerItem, esutil.BulkIndexerResponseItem, error) { failed.Add(1) }}
		if err := b.Add(s.t.Context(), item); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := b.Close(s.t.Context()); err != nil || failed.Load() > 0 {
		s.t.Fatalf("%d documents failed, %v", failed.Load(), err)
	}
}

// open creates documents by the indexer of OpenSearch's vendor.
func (s server) open(documents []document) {
	s.t.Helper()
	tr := transport()
	defer tr.CloseIdleConnections()
	client, err := opensearchapi.NewClient(opensearchapi.Config{Client: opensearch.Config{Addresses: []string{s.Addr}, Transport: tr}})
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := opensearchutil.NewBulkIndexer(opensearchutil.BulkIndexerConfig{Client: client, Index: bulkIndex, NumWorkers: bulkWorkers,
		FlushBytes: bulkBytes, FlushInterval: time.Hour})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range documents {
		item := opensearchutil.BulkIndexerItem{Action: "create", DocumentID: d.id, Body: bytes.NewReader(d.body)}
		if err := b.Add(s.t.Context(), item); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := b.Close(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}
