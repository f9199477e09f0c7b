package dlp

import (
	"context"
	"fmt"
	"hash/maphash"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/metric"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/dlp/custom"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const maxNested = 64 // levels of a value that is a map or list

// classifier scans the records of a pipeline.
type classifier struct {
	next   consumer.Logs
	pool   sync.Pool // of *worker
	judge  *judge    // nil = content is not read
	remove func()
	close  func()

	telemetry component.TelemetrySettings

	records, bytes, found metric.Int64Counter
	files, fetches        metric.Int64Counter
	fetched, reused       metric.Int64Counter
	masked, kept          metric.Int64Counter
	values, text          metric.Int64Counter
	reading               metric.Int64UpDownCounter
	took                  metric.Float64Histogram
	self                  metric.MeasurementOption
	byType                map[string]metric.MeasurementOption
}

var bodySeed = maphash.MakeSeed()

// worker scans one batch.
type worker struct {
	reader
	c        *classifier
	seen     map[uint64]bool // the bodies of a batch of several datasets
	repeated bool            // the record's body was one of them
	redactor *redactor       // nil = values are not masked
	findings
	records int64
	files   []fileTold
}

func newClassifier(set processor.Settings, cfg *Config, next consumer.Logs) (*classifier, error) {
	own, err := custom.New(cfg.Detectors)
	if err != nil {
		return nil, fmt.Errorf("detectors: %w", err)
	}
	detectors, err := dlp.New(dlp.Options{Packs: cfg.Packs, Confidence: cfg.MinConfidence, SkipFields: cfg.SkipFields,
		Key: []byte(cfg.FingerprintKey), Limits: cfg.Content.limits(), Custom: own})
	if err != nil {
		return nil, err
	}
	redactor, err := newRedactors(cfg, own, detectors)
	if err != nil {
		return nil, err
	}
	c := &classifier{next: next, remove: func() {}, close: func() {}, telemetry: set.TelemetrySettings}
	c.pool.New = func() any {
		k := &worker{reader: reader{Scanner: detectors.Scanner(), fields: cfg.Fields, skip: cfg.SkipFields}, c: c}
		k.Pass(k.knows)
		if redactor != nil {
			k.redactor = redactor()
		}
		return k
	}
	if cfg.Content.Enabled {
		c.judge = newJudge(detectors, cfg.Content)
		c.measure(c.judge)
	}
	return c, c.meter(set, detectors.Types())
}

// Start lets receivers know that content is judged.
func (c *classifier) Start(ctx context.Context, host component.Host) error {
	if c.judge != nil {
		if conf := &c.judge.cfg.OCR; conf.on() {
			o, err := newOCR(ctx, conf, host, c.telemetry)
			if err != nil {
				return err
			}
			c.judge.ocr, c.close = o.read, o.web.CloseIdleConnections
		}
		c.remove = saas.RegisterJudge(c.judge.set)
	}
	return nil
}

// Shutdown takes that back.
func (c *classifier) Shutdown(context.Context) error {
	c.remove()
	c.close()
	return nil
}

// Capabilities says that findings are added to a batch.
func (c *classifier) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// ConsumeLogs scans a batch, adds what it found and hands it on. Of a record that asks for a verdict it reads the file; an error
// then says what may pass.
func (c *classifier) ConsumeLogs(ctx context.Context, l plog.Logs) error {
	k := c.pool.Get().(*worker)
	defer func() {
		k.Reset()
		k.w, k.seen = event.View{}, nil
		k.groups, k.records, k.bytes, k.files = nil, 0, 0, k.files[:0]
		c.pool.Put(k)
	}()
	if l.ResourceLogs().Len() > 1 {
		k.seen = map[uint64]bool{}
	}
	for w := range event.Views(l) {
		if ours(w) {
			continue
		}
		if err := k.file(ctx, w); err != nil {
			return err
		}
		k.scan(w)
		found := k.Findings()
		k.redact(ctx, w, len(found) > 0)
		for _, f := range found {
			k.add(w, f, k.Shows)
			c.found.Add(ctx, 1, c.byType[f.Type.ID])
			c.values.Add(ctx, int64(f.Count), c.byType[f.Type.ID])
		}
	}
	k.take().ResourceLogs().MoveAndAppendTo(l.ResourceLogs())
	c.records.Add(ctx, k.records, c.self)
	c.bytes.Add(ctx, k.bytes, c.self)
	if err := c.next.ConsumeLogs(ctx, l); err != nil {
		return err
	}
	for _, f := range k.files {
		c.judge.accepted(f.content, f.ids)
	}
	return nil
}

// file adds what is known of a file's content to its record, and tells of it.
func (k *worker) file(ctx context.Context, w event.View) error {
	if k.c.judge == nil {
		return nil
	}
	d, err := k.c.judge.file(ctx, w)
	if d == nil || err != nil {
		return err
	}
	d.facts(cleanerOf(k.Scanner, d.v.types()))
	k.files = append(k.files, fileTold{d.content, k.tell(ctx, d)})
	return nil
}

// fileTold is what a batch tells of a file.
type fileTold struct {
	content string
	ids     []string
}

// ours says whether the record is a finding, a receipt or about the agent itself.
func ours(w event.View) bool { return strings.HasPrefix(w.Str("event.dataset"), "saas.") }

// scan looks at the wanted fields of a record.
func (k *worker) scan(w event.View) {
	k.records++
	k.repeated = false
	k.read(w, k.object)
}

// object scans a body, unless another record of the batch has the same: one object may give several records, of several
// datasets, and what it holds is found once.
func (k *worker) object(v pcommon.Value) {
	if k.seen != nil && v.Type() == pcommon.ValueTypeStr {
		sum := maphash.Comparable(bodySeed, [3]string{k.w.Str("event.module"), k.w.Str("saas.tenant"), v.Str()})
		if k.repeated = k.seen[sum]; k.repeated {
			return
		}
		k.seen[sum] = true
	}
	k.body(v)
}
