package saas

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/longshore-dev/longshore/internal/event"
)

const (
	defaultMaxBody = 1 << 30 // bytes of one answer
	maxSmallBody   = 16 << 20
)

type reply struct {
	c      *conn
	resp   *http.Response
	in     *body
	what   string
	sp     *event.Splitter
	fields map[string]string // of CSV and XML answers
	run    *run              // whose stream's table is filled while splitting; nil outside a run
}

// peek reads the start of the body without consuming it; of a bad answer, as much as Fault may want.
func (p *reply) peek(bad bool) []byte {
	n := headBytes
	if bad {
		n = faultBytes
	}
	if p.c.inst.Fault == nil && !bad {
		return nil
	}
	buf := make([]byte, n)
	var got int
	if bad {
		got, _ = io.ReadFull(p.in, buf)
	} else {
		got, _ = p.in.Read(buf)
	}
	p.in.head = buf[:got]
	return buf[:got]
}

func (p *reply) fail(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errTooLong):
		return &Error{Outcome: Invalid, Req: p.what, Err: fmt.Errorf("read answer: more than %d bytes", p.c.maxBody)}
	case errors.Is(err, errRowTooLong), errors.Is(err, errTooDeep):
		return &Error{Outcome: Invalid, Req: p.what, Err: fmt.Errorf("read answer: %w", err)}
	}
	return &Error{Outcome: Unavailable, Req: p.what, Err: fmt.Errorf("read answer: %w", err)}
}

// plain is the body without gzip, which blobs often bring themselves, and without a byte order mark.
func (p *reply) plain() (io.Reader, error) {
	in := bufio.NewReaderSize(p.in, 16) // to look ahead: longer reads pass it by
	if head, _ := in.Peek(2); string(head) == "\x1f\x8b" {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		in = bufio.NewReaderSize(&bounded{z, p.c.maxBody, errTooLong}, 16)
	}
	if head, _ := in.Peek(3); string(head) == "\ufeff" {
		_, _ = in.Discard(3) // they were just seen
	}
	return in, nil
}

func (p *reply) json(path string) Rows {
	return func(yield func(json.RawMessage, error) bool) {
		defer p.in.Close()
		in, err := p.plain()
		if err != nil {
			yield(nil, p.fail(err))
			return
		}
		var layout *event.Layout
		opts := event.SplitOptions{}
		if p.run != nil {
			layout = p.run.st.layout
			opts.Hint = int(p.run.st.pageHint.Load())
		}
		p.sp = event.NewSplitter(in, path, layout, opts)
		var v event.Values
		for {
			raw, err := p.sp.Next(&v)
			if err == io.EOF {
				break
			}
			var bad *event.RowError
			if errors.As(err, &bad) && p.run != nil {
				if err := p.run.unread(bad.Raw, bad.Err); err != nil {
					yield(nil, err)
					return
				}
				continue
			}
			if err != nil {
				yield(nil, p.fail(err))
				return
			}
			if p.run != nil {
				p.run.cur = &v
			}
			if !yield(raw, nil) {
				return
			}
		}
		if p.run != nil {
			p.run.cur = nil
			p.run.st.pageHint.Store(p.c.maxBody - p.in.left)
		}
	}
}

func (p *reply) raw() (json.RawMessage, error) {
	defer p.in.Close()
	in, err := p.plain()
	if err != nil {
		return nil, p.fail(err)
	}
	b, err := io.ReadAll(io.LimitReader(in, maxSmallBody+1))
	if err != nil {
		return nil, p.fail(err)
	}
	if len(b) > maxSmallBody {
		return nil, &Error{Outcome: Invalid, Req: p.what, Err: fmt.Errorf("read answer: more than %d bytes", maxSmallBody)}
	}
	return b, nil
}

func (p *reply) into(v any) error {
	b, err := p.raw()
	if err != nil || v == nil || len(b) == 0 {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return &Error{Outcome: Unavailable, Req: p.what, Err: fmt.Errorf("decode answer: %w", err)}
	}
	return nil
}

func (p *reply) field(name string) string {
	if p.sp != nil {
		if s, ok := p.sp.Field(name); ok {
			return s
		}
	}
	if s, ok := p.fields[name]; ok {
		return s
	}
	return p.resp.Header.Get(name)
}
