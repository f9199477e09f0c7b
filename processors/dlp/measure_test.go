package dlp

import (
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// TestMetricsTellBytesTextAndValuesByOutcomeAndType: from them follow bytes a second.
func TestMetricsTellBytesTextAndValuesByOutcomeAndType(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.put("f1", "cards 4539148803436467 and 4539148803436467\n")
		s.put("f2", "\x89PNG\r\n\x1a\n\x00\x00 picture")
		s.live(2 * time.Hour)
		f := func(name, outcome string, want int64) {
			t.Helper()
			attr := ""
			if outcome != "" {
				attr = "outcome"
			}
			if got := s.sum("longshore_dlp_"+name, attr, outcome); got != want {
				t.Errorf("%s %s is %d, want %d", name, outcome, got, want)
			}
		}
		f("values", "", 2)
		f("findings", "", 1)
		f("files", "done", 1)
		f("files", "not_scanned", 1)
		f("file_bytes", "done", 44)
		f("file_bytes", "not_scanned", 18)
		f("text_bytes", "done", 44)
		f("text_bytes", "not_scanned", 0)
		f("files_reading", "", 0)
		m, err := s.tel.GetMetric("longshore_dlp_file_duration")
		if err != nil {
			t.Fatal(err)
		}
		var n uint64
		for _, p := range m.Data.(metricdata.Histogram[float64]).DataPoints {
			n += p.Count
		}
		if n != 2 {
			t.Errorf("the duration of %d files is told", n)
		}
	})
}
