package dlp

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
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
	fields []string
	skip   []string
	pool   sync.Pool // of *worker
	judge  *judge    // nil = content is not read
	remove func()

	records, bytes, found metric.Int64Counter
	files, fetches        metric.Int64Counter
	fetched, reused       metric.Int64Counter
	self                  metric.MeasurementOption
	byType                map[string]metric.MeasurementOption
}

var bodySeed = maphash.MakeSeed()

// worker scans one batch.
type worker struct {
	*dlp.Scanner
	c    *classifier
	w    event.View      // the record that is being scanned
	seen map[uint64]bool // the bodies of a batch of several datasets
	findings
	records int64
	bytes   int64
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
	c := &classifier{next: next, fields: cfg.Fields, skip: cfg.SkipFields, remove: func() {}}
	c.pool.New = func() any {
		k := &worker{Scanner: detectors.Scanner(), c: c}
		k.Pass(k.knows)
		return k
	}
	if cfg.Content.Enabled {
		c.judge = newJudge(detectors, cfg.Content)
		c.judge.count = func(ctx context.Context, v *verdict) {
			c.files.Add(ctx, 1, c.self, metric.WithAttributes(attribute.String("outcome", v.Scan)))
		}
		c.judge.opened = func(ctx context.Context, bytes int64) {
			c.fetches.Add(ctx, 1, c.self)
			c.fetched.Add(ctx, bytes, c.self)
		}
		c.judge.reused = func(ctx context.Context) { c.reused.Add(ctx, 1, c.self) }
	}
	return c, c.meter(set, detectors.Types())
}

// Start lets receivers know that content is judged.
func (c *classifier) Start(context.Context, component.Host) error {
	if c.judge != nil {
		c.remove = saas.RegisterJudge(c.judge.set)
	}
	return nil
}

// Shutdown takes that back.
func (c *classifier) Shutdown(context.Context) error {
	c.remove()
	return nil
}

func (c *classifier) meter(set processor.Settings, types []dlp.Type) (err error) {
	m := set.MeterProvider.Meter("github.com/longshore-dev/longshore/processors/dlp")
	for _, i := range []struct {
		to         *metric.Int64Counter
		name, what string
	}{
		{&c.records, "records", "Records scanned"},
		{&c.bytes, "bytes", "Bytes scanned"},
		{&c.found, "findings", "Findings by type of data"},
		{&c.files, "files", "Files whose content was judged, by outcome"},
		{&c.fetches, "fetches", "Files whose content was opened"},
		{&c.fetched, "file_bytes", "Bytes of content read"},
		{&c.reused, "verdicts_reused", "Files whose content was judged before, so that it was not read"},
	} {
		if *i.to, err = m.Int64Counter("longshore_dlp_"+i.name, metric.WithDescription(i.what)); err != nil {
			return fmt.Errorf("make metric longshore_dlp_%s: %w", i.name, err)
		}
	}
	id := attribute.String("processor", set.ID.String())
	c.self, c.byType = metric.WithAttributes(id), map[string]metric.MeasurementOption{}
	for _, t := range types {
		c.byType[t.ID] = metric.WithAttributes(id, attribute.String("type", t.ID))
	}
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
		for _, f := range k.Findings() {
			k.add(w, f, k.Shows)
			c.found.Add(ctx, 1, c.byType[f.Type.ID])
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
	k.Reset()
	k.w = w
	k.records++
	attrs := w.Log.Attributes()
	for _, f := range k.c.fields {
		switch f {
		case fieldBody:
			k.object(w.Log.Body())
		case fieldAttributes:
			for name, v := range attrs.All() {
				k.value(name, v, 0)
			}
		default:
			if v, ok := attrs.Get(f); ok {
				k.value(f, v, 0)
			}
		}
	}
}

// object scans a body, unless another record of the batch has the same: one object may give several records, of several
// datasets, and what it holds is found once.
func (k *worker) object(v pcommon.Value) {
	if k.seen != nil && v.Type() == pcommon.ValueTypeStr {
		sum := maphash.Comparable(bodySeed, [3]string{k.w.Str("event.module"), k.w.Str("saas.tenant"), v.Str()})
		if k.seen[sum] {
			return
		}
		k.seen[sum] = true
	}
	k.body(v)
}

// body scans a body: the raw object, or what other receivers put there.
func (k *worker) body(v pcommon.Value) {
	if v.Type() != pcommon.ValueTypeStr {
		k.value("", v, 0)
		return
	}
	s := v.Str()
	k.bytes += int64(len(s))
	if start := strings.TrimLeft(s, " \t\r\n"); start != "" && (start[0] == '{' || start[0] == '[') {
		k.JSON(bytesOf(s))
	} else {
		k.Text(bytesOf(s), "")
	}
}

// value scans a value and what is below it. Numbers are of interest in the provider's own object only.
func (k *worker) value(name string, v pcommon.Value, depth int) {
	if slices.Contains(k.c.skip, name) || depth > maxNested {
		return
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		k.bytes += int64(len(v.Str()))
		k.Text(bytesOf(v.Str()), name)
	case pcommon.ValueTypeBytes:
		k.bytes += int64(v.Bytes().Len())
		k.Text(v.Bytes().AsRaw(), name)
	case pcommon.ValueTypeSlice:
		for _, e := range v.Slice().All() {
			k.value(name, e, depth+1)
		}
	case pcommon.ValueTypeMap:
		for key, e := range v.Map().All() {
			if name != "" {
				key = name + "." + key
			}
			k.value(key, e, depth+1)
		}
	}
}

// knows says whether an address belongs to the people of the record: then it is no finding.
func (k *worker) knows(address string) bool {
	for name, v := range k.w.Log.Attributes().All() {
		if !names(name) {
			continue
		}
		if v.Type() == pcommon.ValueTypeSlice {
			for _, e := range v.Slice().All() {
				if strings.EqualFold(e.AsString(), address) {
					return true
				}
			}
		} else if strings.EqualFold(v.AsString(), address) {
			return true
		}
	}
	return false
}

// names says whether a field names people: user.email, user.target.name, email.from.address.
func names(field string) bool {
	switch {
	case field == "related.user":
		return true
	case strings.Contains(field, "user."):
		return strings.HasSuffix(field, ".email") || strings.HasSuffix(field, ".name") || strings.HasSuffix(field, ".id")
	}
	return strings.HasPrefix(field, "email.") && strings.HasSuffix(field, ".address")
}

// bytesOf are the bytes of a string, to be read only.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
