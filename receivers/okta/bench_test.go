package okta

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/sim"
)

// logPage is a page of the fake's System Log.
func logPage(b *testing.B) []byte {
	b.Helper()
	s, err := newSim(sim.Options{Seed: 3, Events: 1000, Users: 100, Limits: -1, Variant: "token"})
	if err != nil {
		b.Fatal(err)
	}
	since := time.Now().Add(-48 * time.Hour).UTC().Format(time.RFC3339)
	q := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/api/v1/logs?limit=1000&sortOrder=ASCENDING&since="+since, nil)
	auth := s.Config("http://127.0.0.1")["auth"].(map[string]any)
	q.Header.Set("Authorization", "SSWS "+auth["token"].(string))
	w := httptest.NewRecorder()
	s.Handler.ServeHTTP(w, q)
	if w.Code != http.StatusOK || w.Body.Len() < 1<<20 {
		b.Fatalf("status %d, %d bytes", w.Code, w.Body.Len())
	}
	return w.Body.Bytes()
}

// BenchmarkLogPage splits a page, maps it and, at last, encodes it as OTLP.
func BenchmarkLogPage(b *testing.B) {
	page := logPage(b)
	f := func(name string, mapped, encoded bool) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(page)))
			events := 0
			batch := event.NewBatch(event.Origin{Module: "okta", Tenant: "acme", OrgID: "00o1", Dataset: "okta.system"})
			var v event.Values
			add := func() *event.Record { return batch.Add(logLayout, &v) }
			for b.Loop() {
				sp := event.NewSplitter(bytes.NewReader(page), "", logLayout, event.SplitOptions{Hint: len(page)})
				for _, err := sp.Next(&v); err != io.EOF; _, err = sp.Next(&v) {
					if err != nil {
						b.Fatal(err)
					}
					if events++; mapped {
						if err := mapLog(&v, add); err != nil {
							b.Fatal(err)
						}
					}
				}
				if logs := batch.Take(); encoded {
					if _, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto(); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
		})
	}
	f("split", false, false)
	f("map", true, false)
	f("encode", true, true)
}
