package elasticsearch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/delivery"
	"github.com/longshore-dev/longshore/internal/event"
)

// op is one operation of a bulk request.
type op struct {
	view       event.View
	rec        int // number of the record in the batch
	start, end int // its lines
}

// bulk is a request being filled.
type bulk struct {
	buf []byte
	ops []op
}

// keptBulk bounds the memory that an idle exporter keeps for each request that ran at the same time.
const keptBulk = 16 << 20

func (b *bulk) reset() {
	clear(b.ops)
	b.buf, b.ops = b.buf[:0], b.ops[:0]
	if cap(b.buf) > keptBulk {
		b.buf = nil
	}
}

// pass is the writing of one batch.
type pass struct {
	*sink
	ctx    context.Context // of this call only: a pass lives no longer
	at     time.Time
	failed []bool // by record
	err    error  // why the first of them failed
	wait   time.Duration
	down   bool // the server does not answer: the rest of the batch is not tried
}

// add encodes the operations of a record, and sends what is there when they do not fit any more.
func (p *pass) add(b *bulk, w event.View, rec int) {
	from, ops := len(b.buf), len(b.ops)
	docID, entityID := w.DocID(), w.EntityID()
	if delivery.ClassOf(w) != delivery.Entity {
		entityID = ""
	}
	version := w.Log.ObservedTimestamp()
	if version == 0 {
		version = w.Log.Timestamp()
	}
	w, dataset := fitted(w)
	b.buf = append(append(append(append(b.buf, `{"create":{"_index":"logs-`...), dataset...), '-'), p.cfg.Namespace...)
	b.buf = append(append(append(b.buf, `","_id":"`...), docID...), `"}}`+"\n"...)
	doc := len(b.buf)
	b.buf = event.AppendECS(b.buf, w, event.Encoding{NoOriginal: p.cfg.DropOriginal, Ingested: p.at, Namespace: p.cfg.Namespace})
	oneLine(b.buf[doc:])
	end := len(b.buf)
	b.buf = append(b.buf, '\n')
	b.ops = append(b.ops, op{w, rec, from, len(b.buf)})
	if entityID != "" {
		start := len(b.buf)
		b.buf = append(append(b.buf, `{"index":{"_index":"saas-entities-`...), p.cfg.Namespace...)
		b.buf = append(append(append(b.buf, `","_id":"`...), entityID...), `","version_type":"external","version":`...)
		b.buf = append(strconv.AppendInt(b.buf, version.AsTime().UnixMilli(), 10), "}}\n"...)
		b.buf = append(append(b.buf, b.buf[doc:end]...), '\n')
		b.ops = append(b.ops, op{w, rec, start, len(b.buf)})
	}
	if int64(len(b.buf)) > p.limit.Load() && ops > 0 {
		p.send(b.buf[:from], b.ops[:ops])
		b.buf = b.buf[:copy(b.buf, b.buf[from:])]
		b.ops = b.ops[:copy(b.ops, b.ops[ops:])]
		for i := range b.ops {
			b.ops[i].start -= from
			b.ops[i].end -= from
		}
	}
}

// fitted gives a record a dataset under which it can be stored; those of applications have one.
func fitted(w event.View) (event.View, string) {
	dataset := w.Str("event.dataset")
	if unfit(dataset) == "" {
		return w, dataset
	}
	dataset = fit(dataset)
	res := plog.NewResourceLogs()
	w.Res.Resource().CopyTo(res.Resource())
	lr := res.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	w.Log.CopyTo(lr)
	lr.Attributes().PutStr("event.dataset", dataset)
	return event.View{Res: res, Log: lr}, dataset
}

// oneLine turns line ends between the members of a document into blanks; within strings they are escaped.
func oneLine(doc []byte) {
	for at := bytes.IndexByte(doc, '\n'); at >= 0; at = bytes.IndexByte(doc, '\n') {
		doc[at] = ' '
		doc = doc[at+1:]
	}
}

// answer is what the server says about each operation.
type answer struct {
	Items []map[string]struct {
		Status int `json:"status"`
		Error  struct {
			Type     string `json:"type"`
			Reason   string `json:"reason"`
			CausedBy struct {
				Reason string `json:"reason"`
			} `json:"caused_by"`
		} `json:"error"`
	} `json:"items"`
}

const bulkPath = "/_bulk?filter_path=items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason"

// send sends operations. When the server cannot take them together, they are halved.
func (p *pass) send(buf []byte, ops []op) {
	if len(ops) == 0 {
		return
	}
	if p.down {
		p.again(ops, p.err)
		return
	}
	r, err := p.client.do(p.ctx, http.MethodPost, bulkPath, "application/x-ndjson", buf)
	var f *failure
	switch {
	case errors.As(err, &f) && (f.status == http.StatusRequestEntityTooLarge || f.status == http.StatusBadRequest):
		p.halve(buf, ops, f)
		return
	case errors.As(err, &f):
		p.wait = max(p.wait, f.wait)
	}
	var a answer
	if err == nil {
		if err = json.Unmarshal(r.body, &a); err == nil && len(a.Items) != len(ops) {
			err = fmt.Errorf("%d outcomes for %d operations", len(a.Items), len(ops))
		}
		if err != nil {
			err = fmt.Errorf("read outcome: %w", err)
		}
	}
	if err != nil {
		p.down = true
		p.again(ops, fmt.Errorf("bulk request: %w", err))
		return
	}
	p.wait = max(p.wait, r.wait)
	for i, item := range a.Items {
		for _, o := range item {
			reason := o.Error.Reason
			if o.Error.CausedBy.Reason != "" {
				reason += ": " + o.Error.CausedBy.Reason
			}
			p.settle(ops[i], o.Status, o.Error.Type, reason)
		}
	}
}

// halve sends both halves of a request that was refused as a whole; what is refused alone is set aside.
func (p *pass) halve(buf []byte, ops []op, f *failure) {
	if len(ops) == 1 {
		p.refuse(ops[0], delivery.Refusal{Type: f.typ, Reason: f.Error()})
		return
	}
	if f.status == http.StatusRequestEntityTooLarge {
		p.limit.Store(min(p.limit.Load(), max(int64(len(buf)/2), 64<<10)))
	}
	mid := len(ops) / 2
	base, cut := ops[0].start, ops[mid].start
	p.send(buf[:cut-base], ops[:mid])
	p.send(buf[cut-base:], ops[mid:])
}

// settle takes the outcome of one operation.
func (p *pass) settle(o op, status int, typ, reason string) {
	switch {
	case status/100 == 2:
		p.counters.Add(delivery.Accepted, 1)
	case status == http.StatusConflict:
		p.counters.Add(delivery.Duplicate, 1)
	case never(status, typ):
		p.refuse(o, delivery.Refusal{Type: typ, Reason: reason})
	default:
		p.again([]op{o}, fmt.Errorf("http %d: %s", status, typ))
	}
}

// never says whether a document with this outcome can never be written. The listed causes lie with the cluster.
func never(status int, typ string) bool {
	switch typ {
	case "validation_exception", "index_closed_exception", "cluster_block_exception", "security_exception":
		return false
	}
	return status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge
}

// again marks the records to be tried again.
func (p *pass) again(ops []op, why error) {
	if p.err == nil {
		p.err = why
	}
	for _, o := range ops {
		p.failed[o.rec] = true
	}
}

// letterLimit bounds a part of a letter.
const letterLimit = 1 << 20

// refuse sets a record aside for good. Where that fails, the record is tried again.
func (p *pass) refuse(o op, r delivery.Refusal) {
	if p.down {
		p.again([]op{o}, p.err)
		return
	}
	r.ID = o.view.DocID()
	limit := letterLimit
	if r.Type == http.StatusText(http.StatusRequestEntityTooLarge) {
		limit = 16 << 10
	}
	letter := delivery.Letter(o.view, r, p.cfg.Namespace, limit, p.at)
	var err error
	if p.letters != nil {
		err = p.letters.Write(letter)
	} else {
		err = p.post(letter, r.ID)
	}
	if err != nil {
		p.down = true
		p.again([]op{o}, fmt.Errorf("set aside document %s (%s): %w", r.ID, r.Type, err))
		return
	}
	p.counters.Add(delivery.Refused, 1)
	p.log.Warn("a document can never be indexed and was set aside", zap.String("id", r.ID), zap.String("cause", r.Type))
}

// post writes a letter to the dead-letter index; one that is there already is fine.
func (p *pass) post(letter []byte, id string) error {
	_, err := p.client.do(p.ctx, http.MethodPut, "/"+p.cfg.deadLetterIndex()+"/_create/"+id, "application/json", letter)
	var f *failure
	if errors.As(err, &f) && f.status == http.StatusConflict {
		return nil
	}
	return err
}
