package dlp

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/dlp/extract"
)

// seconds are the bounds of the classes of a histogram: most files take milliseconds, the longest a minute or more.
var seconds = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300}

func (c *classifier) meter(set processor.Settings, types []dlp.Type) (err error) {
	m := set.MeterProvider.Meter("github.com/longshore-dev/longshore/processors/dlp")
	for _, i := range []struct {
		to         *metric.Int64Counter
		name, what string
	}{
		{&c.records, "records", "Records scanned"},
		{&c.bytes, "bytes", "Bytes scanned"},
		{&c.found, "findings", "Findings by type of data"},
		{&c.values, "values", "Values found, by type of data"},
		{&c.text, "text_bytes", "Bytes of text that files held and were scanned, by outcome"},
		{&c.files, "files", "Files whose content was judged, by outcome"},
		{&c.fetches, "fetches", "Files whose content was opened"},
		{&c.fetched, "file_bytes", "Bytes of content read, by outcome"},
		{&c.reused, "verdicts_reused", "Files whose content was judged before, so that it was not read"},
		{&c.masked, "masked", "Places of records where a value was masked, by type of data"},
		{&c.kept, "kept", "Attributes that tell what a record is about, and so keep a value that is masked elsewhere"},
	} {
		if *i.to, err = m.Int64Counter("longshore_dlp_"+i.name, metric.WithDescription(i.what)); err != nil {
			return fmt.Errorf("make metric longshore_dlp_%s: %w", i.name, err)
		}
	}
	if c.reading, err = m.Int64UpDownCounter("longshore_dlp_files_reading", metric.WithDescription("Files being read now")); err != nil {
		return fmt.Errorf("make metric longshore_dlp_files_reading: %w", err)
	}
	if c.took, err = m.Float64Histogram("longshore_dlp_file_duration", metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(seconds...),
		metric.WithDescription("How long files were read and scanned, by outcome")); err != nil {
		return fmt.Errorf("make metric longshore_dlp_file_duration: %w", err)
	}
	id := attribute.String("processor", set.ID.String())
	c.self, c.byType = metric.WithAttributes(id), map[string]metric.MeasurementOption{}
	for _, t := range types {
		c.byType[t.ID] = metric.WithAttributes(id, attribute.String("type", t.ID))
	}
	return nil
}

// measure has the reading of files counted.
func (c *classifier) measure(j *judge) {
	outcome := func(of string) metric.MeasurementOption {
		return metric.WithAttributes(attribute.String("outcome", of))
	}
	j.count = func(ctx context.Context, v *verdict) {
		c.files.Add(ctx, 1, c.self, outcome(v.Scan))
		for _, f := range v.Findings {
			c.values.Add(ctx, int64(f.Count), c.byType[f.Type])
		}
	}
	j.opened = func(ctx context.Context, res extract.Result, took time.Duration) {
		of := outcome(res.Outcome)
		c.fetches.Add(ctx, 1, c.self)
		c.fetched.Add(ctx, res.Bytes, c.self, of)
		c.text.Add(ctx, res.Text, c.self, of)
		c.took.Record(ctx, took.Seconds(), c.self, of)
	}
	j.reused = func(ctx context.Context) { c.reused.Add(ctx, 1, c.self) }
	j.reading = func(ctx context.Context, n int64) { c.reading.Add(ctx, n, c.self) }
}
