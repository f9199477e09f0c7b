package saas

import (
	"cmp"
	"context"
	"crypto/md5"  // of the hashes that vendors give, to compare with
	"crypto/sha1" // likewise
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/event"
)

const (
	maxVerdict = 64 << 10 // bytes of one
	trustAfter = 3        // failures of a part, after which the hash that the vendor gives is taken for one of something else
)

var (
	errUnjudged = errors.New("no dlp processor in the pipeline of this receiver")
	errNoJudge  = errors.New("no dlp processor runs in this agent")
	errLate     = errors.New("the record was handed on: its content is judged no more")
)

// file is the ticket of a record of a Content stream while it is handed on.
type file struct {
	r       *run
	conn    *Conn
	id      string // event.id of the record
	content string // ContentID
	ref     FileRef
	failed  int
	until   time.Time     // the end of the reading
	row     verdictRow    // what is known of the content
	done    chan struct{} // closed when the ticket is free

	mu     sync.Mutex
	closed bool
	asked  map[string]bool // sets that came for a verdict or brought one
	said   map[string]verdict
	ends   []func() // of what was opened
}

// emitContent hands on the state of the part's file at once and alone, and ends the part when it was accepted: what was
// judged meanwhile is saved and the part forgotten in one storage batch.
func (r *run) emitContent(key string, v *event.Values) error {
	if r.judged {
		return fmt.Errorf("emit %q: a part of a content stream is one file", key)
	}
	if r.batch.Len() > 0 {
		if err := r.handOver(nil, false); err != nil {
			return err
		}
	}
	r.told = true
	h := strconv.FormatUint(contentHash(v.Raw), 16)
	id := "content/" + r.st.Name + "/" + r.p.key + "@" + h
	_, err := r.mapRecord(v, func(rec *event.Record, n int) {
		rec.ID(numbered(id, n))
		rec.Str("saas.inventory.content_hash", h)
		if rec.NoTime() {
			rec.Time(r.now())
		}
	})
	if err == nil && r.mapped != 1 {
		r.batch.Cut(0)
		err = fmt.Errorf("map record: %d of them, want the one of the file", r.mapped)
	}
	if err != nil {
		return r.setAside(v.Raw, err)
	}
	r.closeReply() // what it holds of the budgets is needed to open the file
	if r.rejected = r.judge(id, v.Raw); r.rejected != nil {
		return r.rejected
	}
	defer r.t.freeTicket(r.file) // when what was found is saved: who waits for the same content finds it
	r.judged, r.finished, r.last = true, true, true
	r.ctx = context.WithoutCancel(r.ctx) // the deadline is for reading: what was found is kept
	return cmp.Or(r.commit(nil), r.t.judgesFound(r.ctx))
}

// judge hands the record on and waits until its content is judged. The ticket of what was judged is to be freed.
func (r *run) judge(id string, raw json.RawMessage) error {
	f := &File{file{r: r, id: id, failed: r.p.fails, done: make(chan struct{}), asked: map[string]bool{}, said: map[string]verdict{}}}
	logs := r.batch.Take()
	for w := range event.Views(logs) {
		f.content = ContentID(w)
		f.ref = FileRef{Part: r.p.row.Item, ID: strings.Clone(w.Str("entity.id")), Raw: raw}
	}
	f.until, _ = r.ctx.Deadline()
	f.conn = &Conn{conn{link: r.t.link, prio: r.conn.prio, accept: "*/*"}}
	if err := r.t.openTicket(r.ctx, f); err != nil {
		return err
	}
	defer func() {
		if r.file == nil { // also when a processor panicked
			r.t.freeTicket(f)
		}
	}()
	err := func() error {
		defer r.t.closeTicket(f)
		return r.consume(logs, 1)
	}()
	switch {
	case err != nil:
		return err
	case len(f.asked) == 0:
		return errUnjudged
	}
	r.st.stats.judged.Add(1)
	r.file = f
	return nil
}

// openTicket lets processors find the file. Two files of the same content are judged one after the other: what the first
// one is found to be need not be read again.
func (t *core) openTicket(ctx context.Context, f *File) error {
	for {
		t.files.Lock()
		var same *File
		for o := range t.files.open {
			if f.content != "" && o.content == f.content {
				same = o
			}
		}
		if same == nil {
			t.files.open[f] = true
		}
		t.files.Unlock()
		if same == nil {
			break
		}
		select {
		case <-same.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	row, err := t.verdictsOf(ctx, f.content)
	if err != nil {
		t.freeTicket(f)
		return err
	}
	f.row = row
	return nil
}

// closeTicket ends all that processors may do with the file.
func (t *core) closeTicket(f *File) {
	f.mu.Lock()
	f.closed = true
	ends, asked := f.ends, f.asked
	f.ends = nil
	f.mu.Unlock()
	for _, end := range ends {
		end()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.Copy(t.asked, asked)
}

// freeTicket lets the next file of the same content be judged.
func (t *core) freeTicket(f *File) {
	t.files.Lock()
	delete(t.files.open, f)
	t.files.Unlock()
	close(f.done)
}

// openFiles are the tickets of a tenant, no more than its parts that are read at a time.
type openFiles struct {
	sync.Mutex
	open  map[*File]bool
	known map[*run]map[string]verdictRow // of the contents that records being handed on name
}

// fileOf also finds the file of a record to whose id a processor added what it judged by.
func (t *Tenant) fileOf(eventID string) *File {
	fs := &t.c.files
	fs.Lock()
	defer fs.Unlock()
	for f := range fs.open {
		if rest, ok := strings.CutPrefix(eventID, f.id); ok && (rest == "" || rest[0] == ':') && !f.isClosed() {
			return f
		}
	}
	return nil
}

func (f *file) verdict(set string) json.RawMessage {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.asked[set] = true
	}
	if v := f.row.Sets[set]; v.Final {
		return v.Verdict
	}
	return nil
}

func (f *file) isClosed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}

func (f *file) tries() int { return f.failed }

func (f *file) judge(set string, val json.RawMessage, final bool) {
	if len(val) > maxVerdict || !json.Valid(val) {
		f.r.t.log.Error("a verdict cannot be kept: it is no JSON or too long", zap.String("part", f.r.p.rowName()), zap.String("set", set),
			zap.Int("bytes", len(val)))
		val, final = nil, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.asked[set] = true
	f.said[set] = verdict{Verdict: append(json.RawMessage(nil), val...), Final: final}
}

func (f *file) open(ctx context.Context) (io.ReadCloser, error) {
	ctx, cancel := context.WithDeadline(ctx, f.until) // also for one who waits for ever
	rc, err := f.r.t.inst.Content(ctx, f.conn, f.ref)
	if err != nil {
		cancel()
		return nil, asError(err)
	}
	end := func() {
		_ = rc.Close() // nobody reads it any more
		cancel()
	}
	c := &content{in: rc, fetched: func(n int) { f.r.st.stats.fetched.Add(int64(n)) }}
	if f.failed < trustAfter {
		c.hash(f.content)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		end()
		return nil, &Error{Outcome: Unavailable, Err: errLate}
	}
	f.ends = append(f.ends, end)
	return c, nil
}

// content is a file's bytes while they are read. What changed meanwhile is an error: the verdict would be kept for what
// nobody read.
type content struct {
	in      io.ReadCloser
	fetched func(int)
	sum     hash.Hash // nil = there is nothing to compare with
	want    string
}

func (c *content) hash(contentID string) {
	alg, want, _ := strings.Cut(contentID, ":")
	switch alg {
	case "sha256":
		c.sum = sha256.New()
	case "sha1":
		c.sum = sha1.New()
	case "md5":
		c.sum = md5.New()
	}
	c.want = want
}

// Read is io.Reader's; its errors are an *Error or io.EOF.
func (c *content) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.fetched(n)
	if c.sum != nil {
		c.sum.Write(p[:n])
	}
	switch {
	case err == io.EOF && c.sum != nil && hex.EncodeToString(c.sum.Sum(nil)) != c.want:
		return n, &Error{Outcome: Unavailable, Err: errors.New("the content is not what its hash says: it changed while it was read")}
	case err != nil && err != io.EOF:
		err = asError(err)
	}
	return n, err
}

// Close ends the reading.
func (c *content) Close() error { return c.in.Close() }

// endContent decides what becomes of a content part that Poll has ended without handing a file on. One that is refused, gone
// or not understood is not tried for ever: a record tells of it, and the next walk makes the part again.
func (r *run) endContent(err error) error {
	if err == nil {
		err = r.rejected // which Poll kept to itself
	}
	why := ""
	switch {
	case r.failed != nil:
		return err
	case err == nil && !r.told:
		why = "part " + r.p.key + ": there is no file to judge"
	case Is(err, Missing), Is(err, Denied), Is(err, Invalid):
		why = "part " + r.p.key + " cannot be read: " + err.Error()
	default:
		return err
	}
	r.gap(r.now(), r.now(), why)
	return nil
}

// body is the body as it came.
func (p *reply) body() io.ReadCloser { return &rawBody{p} }

type rawBody struct{ p *reply }

// Read is io.Reader's. A body that ends before its Content-Length fails in the transport.
func (b *rawBody) Read(p []byte) (int, error) {
	n, err := b.p.in.Read(p)
	if err != nil && err != io.EOF {
		err = b.p.fail(err)
	}
	return n, err
}

// Close ends the request.
func (b *rawBody) Close() error {
	b.p.in.Close()
	return nil
}
