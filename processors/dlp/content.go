package dlp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/dlp/extract"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	maxTries    = 3       // readings that may fail for a time
	workBytes   = 8 << 20 // beside the file itself
	maxAhead    = 64      // verdicts, of at most 60 KiB
	contentID   = "content/"
	entityGone  = "entity.delete"
	unreadable  = "it could not be read"
	whenRefused = "it may not be read"
	whenGone    = "it is gone"
)

// judge judges the content of files by the set of detectors of a processor.
type judge struct {
	set     string
	kinds   map[string]*dlp.Type // that findings may be of
	cfg     ContentConfig
	limits  extract.Limits
	ocr     extract.OCR // nil = there is none
	scanner sync.Pool   // of *dlp.Scanner
	count   func(ctx context.Context, v *verdict)
	opened  func(ctx context.Context, res extract.Result, took time.Duration)
	reused  func(ctx context.Context)
	reading func(ctx context.Context, n int64) // so many more

	mu    sync.Mutex
	told  recent                     // ids of what records of walks led to
	ahead map[string]json.RawMessage // verdicts of contents whose records were not accepted yet
}

func newJudge(set *dlp.Set, cfg ContentConfig) *judge {
	j := &judge{set: set.Version(), kinds: byID(set.Types()), cfg: cfg, limits: cfg.limits()}
	j.scanner.New = func() any { return set.Scanner() }
	return j
}

// file is the part of a processor's work that is about a file: of a record that asks for a verdict it gives one, reading the
// content where none is known; of another that is the state of a file it gives what is known. nil = the record is no such one.
func (j *judge) file(ctx context.Context, w event.View) (*judged, error) {
	name := w.Log.EventName()
	if !strings.HasPrefix(name, "entity.") {
		return nil, nil // most are events
	}
	id := w.Str("event.id")
	asks, state := strings.HasPrefix(id, contentID), w.Str("entity.type") == "file" && name != entityGone
	if !asks && !state {
		return nil, nil
	}
	t := saas.Find(w.Str("event.module"), w.Str("saas.tenant"))
	if t == nil {
		return nil, nil
	}
	content := saas.ContentID(w)
	out := &judged{w: w, entity: w.EntityID(), content: cmp.Or(content, id), set: j.set, exposed: exposure(w)}
	if asks {
		if f := t.File(id); f != nil {
			out.asked = true
			return out, j.ask(ctx, f, out)
		}
	}
	if !state || content == "" {
		return nil, nil
	}
	if out.v = readVerdict(t.Verdict(ctx, content, j.set), j.kinds); out.v == nil {
		return nil, nil
	}
	out.before, out.known = out.v.Told[out.entity]
	return out, nil
}

// ask gives the verdict that a record asks for. What was read is not read again because the record was not accepted.
func (j *judge) ask(ctx context.Context, f *saas.File, out *judged) error {
	final := true
	if out.v = readVerdict(f.Verdict(j.set), j.kinds); out.v != nil {
		j.reused(ctx)
		out.before, out.known = out.v.Told[out.entity]
	} else if out.v = readVerdict(j.recall(out.content), j.kinds); out.v != nil {
		out.fresh = true
	} else {
		var err error
		if out.v, final, err = j.read(ctx, out.w, f); err != nil {
			return fmt.Errorf("read the content of %s %q: %w", cmp.Or(out.w.Str("entity.type"), "file"), out.w.Str("entity.id"), err)
		}
		out.fresh = true
		j.count(ctx, out.v)
		if final {
			j.keep(out.content, out.v.json())
		}
	}
	if out.v.tell(out.entity, out.exposed); out.fresh || !out.known || out.before != out.exposed {
		f.Judge(j.set, out.v.json(), final)
	}
	if id := out.w.Str("event.id"); !strings.HasSuffix(id, ":"+j.set) {
		out.w.Log.Attributes().PutStr("event.id", id+":"+j.set)
	}
	return nil
}

func (j *judge) recall(content string) json.RawMessage {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.ahead[content]
}

// keep holds a verdict until its record is accepted.
func (j *judge) keep(content string, raw json.RawMessage) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.ahead) >= maxAhead {
		clear(j.ahead) // of files that were never offered again
	}
	if j.ahead == nil {
		j.ahead = map[string]json.RawMessage{}
	}
	j.ahead[content] = raw
}

// accepted forgets what need not be known once more.
func (j *judge) accepted(content string, told []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.ahead, content)
	j.told.add(told)
}

// news says whether an id was not handed on lately.
func (j *judge) news(id string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return !j.told.has(id)
}

// read reads the content. An error is one that may pass. final false: what the verdict says is why there is none.
func (j *judge) read(ctx context.Context, w event.View, f *saas.File) (v *verdict, final bool, err error) {
	size := int64(-1)
	if n, err := strconv.ParseInt(w.Str("file.size"), 10, 64); err == nil && n >= 0 {
		size = n
	}
	if size > int64(j.cfg.MaxSize) {
		why := fmt.Sprintf("it has %d bytes, more than max_size, %s", size, j.cfg.MaxSize)
		return newVerdict(extract.Result{Outcome: extract.NotScanned, Reason: why}, nil), true, nil
	}
	held := int64(j.cfg.MaxSize)
	if size >= 0 {
		held = size
	}
	leave, err := reading.enter(ctx, j.cfg.Workers, held+workBytes)
	if err != nil {
		return nil, false, err
	}
	defer leave()
	j.reading(ctx, 1)
	defer j.reading(ctx, -1)
	limited, cancel := context.WithTimeoutCause(ctx, j.cfg.Timeout, fmt.Errorf("it was not read within %v", j.cfg.Timeout))
	defer cancel()
	res, found, err := j.scan(limited, f, w.Str("file.name"), size)
	switch {
	case err == nil:
		return newVerdict(res, found), true, nil
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, false, ctx.Err()
	case limited.Err() != nil:
		err = context.Cause(limited)
	}
	why, lasting := failure(err)
	if !lasting && f.Tries() < maxTries {
		return nil, false, err
	}
	res.Outcome, res.Reason = extract.NotScanned, why
	if len(found) > 0 {
		res.Outcome = extract.Partial
	}
	return newVerdict(res, found), false, nil
}

// scan opens and scans the content. No content makes it panic.
func (j *judge) scan(ctx context.Context, f *saas.File, name string, size int64) (res extract.Result, found []dlp.Finding, err error) {
	in, err := f.Open(ctx)
	if err != nil {
		return res, nil, err
	}
	body, began := &measured{in: in}, time.Now()
	defer func() {
		_ = in.Close()        // of what was only read
		if recover() != nil { // its scanner is not used again
			res, err = extract.Result{Outcome: extract.Partial, Reason: "its reader failed", Bytes: body.n}, nil
		}
		told := res
		told.Bytes = body.n
		j.opened(ctx, told, time.Since(began))
	}()
	s := j.scanner.Get().(*dlp.Scanner)
	s.Reset()
	if j.ocr != nil {
		ctx = extract.WithOCR(ctx, j.ocr)
	}
	res, err = s.File(ctx, body, name, size, j.limits)
	if err == nil && body.ended && body.n < size {
		err = fmt.Errorf("it ended after %d of its %d bytes", body.n, size)
	}
	found = s.Findings()
	s.Reset()
	j.scanner.Put(s)
	return res, found, err
}

// measured counts what is read.
type measured struct {
	in    io.Reader
	n     int64
	ended bool
}

// Read is io.Reader's.
func (m *measured) Read(b []byte) (int, error) {
	n, err := m.in.Read(b)
	m.n += int64(n)
	m.ended = err == io.EOF
	return n, err
}

// failure says why a content was not read, and whether it will be the same at once.
func failure(err error) (why string, lasting bool) {
	var e *saas.Error
	if !errors.As(err, &e) {
		return clip(unreadable + ": " + err.Error()), false
	}
	short := *e // the path of the request says nothing
	short.Req = ""
	switch e.Outcome {
	case saas.Denied:
		return clip(whenRefused + ": " + short.Error()), true
	case saas.Missing:
		return clip(whenGone + ": " + short.Error()), true
	case saas.Invalid:
		return clip(unreadable + ": " + short.Error()), true
	}
	return clip(unreadable + ": " + short.Error()), false
}

func clip(s string) string {
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason], "") + "…"
	}
	return s
}

// labels is the field with the sensitivity labels of a file: those that the vendor tells, and those in the file.
const labels = "saas.file.labels"

// label writes the labels that the file itself has.
func (d *judged) label(attrs pcommon.Map, clean cleaner) {
	all := d.w.Strs(labels)
	for _, l := range d.v.Labels {
		if l = clean(labels, l); l != "" && !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	if len(all) == 0 || len(d.v.Labels) == 0 {
		return
	}
	to := attrs.PutEmptySlice(labels)
	for _, l := range all {
		to.AppendEmpty().SetStr(l)
	}
}

// judged is a file's record with the verdict on its content.
type judged struct {
	w       event.View
	v       *verdict
	entity  string // EntityID
	content string // ContentID, or the record's own id
	set     string
	exposed string
	asked   bool   // the record asked for the verdict
	fresh   bool   // the content was judged just now
	known   bool   // alerts told of the file and this content before
	before  string // and to whom it was exposed then
}

// facts writes on the record what is known of the file's content.
func (d *judged) facts(clean cleaner) {
	attrs := d.w.Log.Attributes()
	d.label(attrs, clean)
	count, confidence := d.v.total()
	attrs.PutStr("saas.finding.scan", d.v.Scan)
	attrs.PutInt("saas.finding.count", int64(count))
	attrs.PutInt("saas.entity.finding_count", int64(len(d.v.Findings)))
	if len(d.v.Findings) == 0 {
		return
	}
	attrs.PutInt("saas.finding.confidence", int64(confidence))
	types := attrs.PutEmptySlice("saas.finding.data_type")
	for _, t := range d.v.types() {
		types.AppendEmpty().SetStr(t)
	}
}
