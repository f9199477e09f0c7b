package elasticsearch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/delivery"
	"github.com/longshore-dev/longshore/internal/event"
)

// op is one operation of a bulk request.
type op struct {
	view       event.View
	id         string // of the document in the data stream
	rec        int    // number of the record in the batch
	start, end int    // its lines
	bare       bool   // without the vendor's fields
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
	ctx context.Context // of this call only: a pass lives no longer
	at  time.Time
	out sync.WaitGroup // requests in flight

	mu     sync.Mutex
	failed []bool // by record
	err    error  // why the first of them failed
	wait   time.Duration
	down   bool // the server does not answer: the rest of the batch is not tried
}

// add encodes the operations of a record. What was there before goes out when they do not fit any more; the request being
// filled comes back.
func (p *pass) add(b *bulk, w event.View, rec int) *bulk {
	from, ops := len(b.buf), len(b.ops)
	p.encode(b, w, rec)
	if int64(len(b.buf)) <= p.limit.Load() || ops == 0 {
		return b
	}
	next, _ := p.bulks.Get().(*bulk)
	next.buf = append(next.buf, b.buf[from:]...)
	for _, o := range b.ops[ops:] {
		o.start, o.end = o.start-from, o.end-from
		next.ops = append(next.ops, o)
	}
	clear(b.ops[ops:])
	b.buf, b.ops = b.buf[:from], b.ops[:ops]
	if p.slot(b) {
		p.out.Go(func() { p.flush(b) })
	}
	return next
}

// last sends what is left, and waits for all.
func (p *pass) last(b *bulk) {
	if p.slot(b) {
		p.flush(b)
	}
	p.out.Wait()
}

// slot waits until one request more may be in flight.
func (p *pass) slot(b *bulk) bool {
	select {
	case p.slots <- struct{}{}:
		return true
	case <-p.ctx.Done():
		p.again(b.ops, p.ctx.Err())
		return false
	}
}

// flush sends a request and keeps its memory for the next, unless a connection may still be reading from it.
func (p *pass) flush(b *bulk) {
	defer func() { <-p.slots }()
	if p.send(b.buf, b.ops) {
		b.reset()
		p.bulks.Put(b)
	}
}

// encode appends the operations of a record.
func (p *pass) encode(b *bulk, w event.View, rec int) {
	docID, entityID := w.DocID(), w.EntityID()
	if delivery.ClassOf(w) != delivery.Entity {
		entityID = ""
	}
	version := w.Log.ObservedTimestamp()
	if version == 0 {
		version = w.Log.Timestamp()
	}
	w, dataset := fitted(w)
	doc := p.create(b, op{view: w, id: docID, rec: rec}, dataset)
	end := len(b.buf) - 1
	if entityID == "" {
		return
	}
	start := len(b.buf)
	b.buf = append(append(b.buf, `{"index":{"_index":"saas-entities-`...), p.cfg.Namespace...)
	b.buf = append(append(append(b.buf, `","_id":"`...), entityID...), `","version_type":"external","version":`...)
	b.buf = append(strconv.AppendInt(b.buf, version.AsTime().UnixMilli(), 10), "}}\n"...)
	b.buf = append(append(b.buf, b.buf[doc:end]...), '\n')
	b.ops = append(b.ops, op{view: w, id: docID, rec: rec, start: start, end: len(b.buf)})
}

// create appends the operation that creates a document, and says where the document begins.
func (p *pass) create(b *bulk, o op, dataset string) (doc int) {
	o.start = len(b.buf)
	b.buf = append(append(append(append(b.buf, `{"create":{"_index":"logs-`...), dataset...), '-'), p.cfg.Namespace...)
	b.buf = append(append(append(b.buf, `","_id":"`...), o.id...), `"}}`+"\n"...)
	doc = len(b.buf)
	b.buf = event.AppendECS(b.buf, o.view, event.Encoding{NoOriginal: p.cfg.DropOriginal, NoVendor: o.bare, Ingested: p.at,
		Namespace: p.cfg.Namespace})
	oneLine(b.buf[doc:])
	b.buf = append(b.buf, '\n')
	o.end = len(b.buf)
	b.ops = append(b.ops, o)
	return doc
}

// fitted gives a record a dataset under which it can be stored; those of applications have one.
func fitted(w event.View) (event.View, string) {
	dataset := w.Str("event.dataset")
	if unfit(dataset) == "" {
		return w, dataset
	}
	dataset = fit(dataset)
	w = w.Copy()
	w.Log.Attributes().PutStr("event.dataset", dataset)
	return w, dataset
}

// oneLine turns line ends between the members of a document into blanks; within strings they are escaped.
func oneLine(doc []byte) {
	for at := bytes.IndexByte(doc, '\n'); at >= 0; at = bytes.IndexByte(doc, '\n') {
		doc[at] = ' '
		doc = doc[at+1:]
	}
}

const bulkPath = "/_bulk?filter_path=items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason"

// send sends operations, and says whether all of them were read by the server. When it cannot take them together, they are
// halved.
func (p *pass) send(buf []byte, ops []op) (read bool) {
	if len(ops) == 0 {
		return true
	}
	if err := p.given(); err != nil {
		p.again(ops, err)
		return true
	}
	var poison []refused
	seen := 0
	err := p.client.send(p.ctx, bulkRequest(p.path, buf), func(res *http.Response) (err error) {
		p.slow(retryAfter(res.Header.Get("Retry-After"), p.at))
		seen, err = readAnswer(io.LimitReader(res.Body, maxReply), len(ops), func(o outcome) {
			if p.settle(ops[seen], o) {
				poison = append(poison, refused{ops[seen], delivery.Refusal{Type: o.typ, Reason: o.reason}})
			}
			seen++
		})
		return err
	})
	var f *failure
	if errors.As(err, &f) {
		if f.status == http.StatusRequestEntityTooLarge || f.status == http.StatusBadRequest {
			return p.halve(buf, ops, f)
		}
		p.slow(f.wait)
	}
	for _, r := range p.bare(poison) {
		p.refuse(r.op, r.why)
	}
	if err != nil {
		err = fmt.Errorf("bulk request: %w", err)
		p.giveUp(err)
		p.again(ops[seen:], err)
	}
	return err == nil
}

func bulkRequest(path string, body []byte) request {
	return request{method: http.MethodPost, path: path, mime: "application/x-ndjson", body: body}
}

// refused is an operation that can never be carried out.
type refused struct {
	op  op
	why delivery.Refusal
}

// halve sends both halves of a request that was refused as a whole; what is refused alone is set aside.
func (p *pass) halve(buf []byte, ops []op, f *failure) bool {
	if len(ops) == 1 {
		p.refuse(ops[0], delivery.Refusal{Type: f.typ, Reason: f.Error()})
		return false
	}
	if f.status == http.StatusRequestEntityTooLarge {
		p.limit.Store(min(p.limit.Load(), max(int64(len(buf)/2), 64<<10)))
	}
	mid := len(ops) / 2
	base, cut := ops[0].start, ops[mid].start
	p.send(buf[:cut-base], ops[:mid])
	p.send(buf[cut-base:], ops[mid:])
	return false
}

// settle takes the outcome of one operation; poison = it can never be carried out.
func (p *pass) settle(o op, out outcome) (poison bool) {
	switch {
	case out.status/100 == 2:
		p.counters.Add(delivery.Accepted, 1)
	case out.status == http.StatusConflict:
		p.counters.Add(delivery.Duplicate, 1)
	case never(out.status, out.typ):
		return true
	default:
		p.again([]op{o}, fmt.Errorf("http %d: %s", out.status, out.typ))
	}
	return false
}

// never says whether a document with this outcome can never be written. The listed causes lie with the cluster.
func never(status int, typ string) bool {
	switch typ {
	case "validation_exception", "index_closed_exception", "cluster_block_exception", "security_exception":
		return false
	}
	return status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge
}

// given is why the server is given up for this batch, nil while it is not.
func (p *pass) given() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return p.err
	}
	return nil
}

func (p *pass) giveUp(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	if p.err == nil {
		p.err = why
	}
}

// slow notes how long the server asks to wait.
func (p *pass) slow(wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wait = max(p.wait, wait)
}

// again marks the records to be tried again.
func (p *pass) again(ops []op, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
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
	if err := p.given(); err != nil {
		p.again([]op{o}, err)
		return
	}
	r.ID = o.id
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
		err = fmt.Errorf("set aside document %s (%s): %w", r.ID, r.Type, err)
		p.giveUp(err)
		p.again([]op{o}, err)
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
