package saas

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

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
	}
	return &Error{Outcome: Unavailable, Req: p.what, Err: fmt.Errorf("read answer: %w", err)}
}

// plain is the body without gzip, which blobs often bring themselves.
func (p *reply) plain() (io.Reader, error) {
	var two [2]byte
	n, err := io.ReadFull(p.in, two[:])
	rest := io.MultiReader(bytes.NewReader(two[:n]), p.in)
	if n < 2 || two != [2]byte{0x1f, 0x8b} {
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, err
		}
		return rest, nil
	}
	z, err := gzip.NewReader(rest)
	if err != nil {
		return nil, err
	}
	return &bounded{z, p.c.maxBody}, nil
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

func (p *reply) csv() Rows {
	return func(yield func(json.RawMessage, error) bool) {
		defer p.in.Close()
		in, err := p.plain()
		if err != nil {
			yield(nil, p.fail(err))
			return
		}
		r := csv.NewReader(in)
		r.ReuseRecord, r.FieldsPerRecord = true, -1
		head, err := r.Read()
		if err == io.EOF {
			return
		}
		names := make([][]byte, len(head))
		for i, name := range head {
			names[i], _ = json.Marshal(strings.TrimPrefix(name, "\ufeff"))
		}
		for err == nil {
			var row []string
			if row, err = r.Read(); err != nil {
				break
			}
			if len(row) != len(names) {
				err = fmt.Errorf("a line has %d fields, the header %d", len(row), len(names))
				break
			}
			if !yield(csvObject(names, row), nil) {
				return
			}
		}
		if err != io.EOF {
			yield(nil, p.fail(err))
		}
	}
}

func csvObject(names [][]byte, row []string) json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, val := range row {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(names[i])
		b.WriteByte(':')
		text, _ := json.Marshal(val)
		b.Write(text)
	}
	b.WriteByte('}')
	return b.Bytes()
}

func (p *reply) xml(path string) Rows {
	return func(yield func(json.RawMessage, error) bool) {
		defer p.in.Close()
		in, err := p.plain()
		if err != nil {
			yield(nil, p.fail(err))
			return
		}
		p.fields = map[string]string{}
		d, want := xml.NewDecoder(in), strings.Split(path, "/")
		var at []string
		var text strings.Builder
		for {
			tok, err := d.Token()
			if err == io.EOF && len(at) == 0 {
				return
			}
			if err != nil {
				yield(nil, p.fail(err))
				return
			}
			switch tok := tok.(type) {
			case xml.StartElement:
				at = append(at, tok.Name.Local)
				text.Reset()
				if !endsWith(at, want) {
					continue
				}
				v, err := xmlValue(d)
				at = at[:len(at)-1]
				if err != nil {
					yield(nil, p.fail(err))
					return
				}
				raw, _ := json.Marshal(v)
				if !yield(raw, nil) {
					return
				}
			case xml.EndElement:
				if len(p.fields) < 256 {
					p.fields[tok.Name.Local] = strings.TrimSpace(text.String())
				}
				text.Reset()
				at = at[:len(at)-1]
			case xml.CharData:
				text.Write(tok)
			}
		}
	}
}

func endsWith(at, want []string) bool {
	if len(at) < len(want) {
		return false
	}
	for i, w := range want {
		if at[len(at)-len(want)+i] != w {
			return false
		}
	}
	return true
}

// xmlValue reads the element just entered: text, or an object whose repeated children are lists.
func xmlValue(d *xml.Decoder) (any, error) {
	var text strings.Builder
	members := map[string]any{}
	for {
		tok, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.CharData:
			text.Write(tok)
		case xml.StartElement:
			v, err := xmlValue(d)
			if err != nil {
				return nil, err
			}
			switch old := members[tok.Name.Local].(type) {
			case nil:
				members[tok.Name.Local] = v
			case []any:
				members[tok.Name.Local] = append(old, v)
			default:
				members[tok.Name.Local] = []any{old, v}
			}
		case xml.EndElement:
			if len(members) == 0 {
				return strings.TrimSpace(text.String()), nil
			}
			return members, nil
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

// link reads Link headers (RFC 8288), several of them or joined by commas.
func (p *reply) link(rel string) string {
	for _, h := range p.resp.Header.Values("Link") {
		for h != "" {
			open := strings.IndexByte(h, '<')
			end := strings.IndexByte(h, '>')
			if open < 0 || end < open {
				break
			}
			target := h[open+1 : end]
			params := h[end+1:]
			next := strings.Index(params, ",")
			if at := strings.IndexByte(params, '<'); at >= 0 {
				next = strings.LastIndexByte(params[:at], ',')
			} else {
				next = -1
			}
			h = ""
			if next >= 0 {
				params, h = params[:next], params[next+1:]
			}
			if hasRel(params, rel) {
				return target
			}
		}
	}
	return ""
}

func hasRel(params, rel string) bool {
	for part := range strings.SplitSeq(params, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		if !strings.EqualFold(strings.TrimSpace(k), "rel") {
			continue
		}
		for r := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(v), `"`)) {
			if strings.EqualFold(r, rel) {
				return true
			}
		}
	}
	return false
}
