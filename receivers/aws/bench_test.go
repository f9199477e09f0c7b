package aws

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"strconv"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/sim"
)

// trailFile is a file as a trail delivers it, of 8,000 events of all kinds, and its size unpacked.
func trailFile(b *testing.B) (packed []byte, size int) {
	b.Helper()
	var kinds [][]byte
	for name, raws := range saastest.RawObjects(b, "../../testdata/aws") {
		if saastest.StreamOf(name) == "cloudtrail" {
			for _, raw := range raws {
				var one bytes.Buffer
				if err := json.Compact(&one, raw); err != nil {
					b.Fatal(err)
				}
				kinds = append(kinds, one.Bytes())
			}
		}
	}
	var all bytes.Buffer
	all.WriteString(`{"Records":[`)
	for i := range 8000 {
		if i > 0 {
			all.WriteByte(',')
		}
		all.Write(bytes.Replace(kinds[i%len(kinds)], []byte(`"eventID":"`), []byte(`"eventID":"`+strconv.Itoa(i)+"-"), 1))
	}
	all.WriteString(`]}`)
	return sim.Gzip(all.Bytes()), all.Len()
}

// BenchmarkTrailFile unpacks a file, splits it, maps its events and, at last, encodes them as OTLP.
func BenchmarkTrailFile(b *testing.B) {
	packed, size := trailFile(b)
	f := func(name string, mapped, encoded bool) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			events := 0
			batch := event.NewBatch(event.Origin{Module: "aws", Tenant: "acme", OrgID: "o-1", Dataset: trailSet})
			var v event.Values
			add := func() *event.Record { return batch.Add(trailLayout, &v) }
			for b.Loop() {
				in, err := gzip.NewReader(bytes.NewReader(packed))
				if err != nil {
					b.Fatal(err)
				}
				sp := event.NewSplitter(in, "Records", trailLayout, event.SplitOptions{})
				for _, err := sp.Next(&v); err != io.EOF; _, err = sp.Next(&v) {
					if err != nil {
						b.Fatal(err)
					}
					if events++; mapped {
						if err := mapTrail(&v, add); err != nil {
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
			b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
		})
	}
	f("split", false, false)
	f("map", true, false)
	f("encode", true, true)
}
