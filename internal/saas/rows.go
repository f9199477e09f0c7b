package saas

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	maxRow      = 16 << 20 // bytes of one line or element
	maxXMLDepth = 256
	maxFields   = 256     // scalars beside the rows of an XML answer
	maxField    = 4 << 10 // bytes of one
)

var (
	errRowTooLong = fmt.Errorf("a row is longer than %d bytes", maxRow)
	errTooDeep    = fmt.Errorf("nested deeper than %d", maxXMLDepth)
)

func (p *reply) csv() Rows {
	return func(yield func(json.RawMessage, error) bool) {
		defer p.in.Close()
		plain, err := p.plain()
		if err != nil {
			yield(nil, p.fail(err))
			return
		}
		in := &bounded{plain, maxRow, errRowTooLong}
		r := csv.NewReader(in)
		r.ReuseRecord, r.LazyQuotes, r.FieldsPerRecord = true, true, -1
		head, err := r.Read()
		names := make([][]byte, len(head))
		for i, name := range head {
			names[i], _ = json.Marshal(name)
		}
		for err == nil {
			in.left = maxRow
			var row []string
			if row, err = r.Read(); err != nil {
				break
			}
			if len(row) != len(names) {
				err = p.oddLine(row, len(names))
				continue
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

// oddLine sets a line aside that does not fit the header: the rest of the blob goes on.
func (p *reply) oddLine(row []string, want int) error {
	why := fmt.Errorf("a line has %d fields, the header %d", len(row), want)
	if p.run == nil {
		return why
	}
	raw, _ := json.Marshal(row)
	return p.run.unread(raw, why)
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
		x := newXMLRows(in, path)
		p.fields = x.fields
		for {
			raw, err := x.next()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(nil, p.fail(err))
				return
			}
			if !yield(raw, nil) {
				return
			}
		}
	}
}

// xmlRows reads the elements at a path as objects, and the scalars around them.
type xmlRows struct {
	in     *bounded
	d      *xml.Decoder
	path   [][]string // each step with its alternatives
	at     []string   // the elements around
	text   strings.Builder
	fields map[string]string
}

func newXMLRows(in io.Reader, path string) *xmlRows {
	b := &bounded{in, maxRow, errRowTooLong}
	x := &xmlRows{in: b, d: xml.NewDecoder(b), fields: map[string]string{}}
	for step := range strings.SplitSeq(path, "/") {
		x.path = append(x.path, strings.Split(step, "|"))
	}
	return x
}

// next gives the next row; io.EOF after the end of the whole input.
func (x *xmlRows) next() (json.RawMessage, error) {
	for {
		x.in.left = maxRow
		tok, err := x.d.Token()
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if len(x.at) >= maxXMLDepth {
				return nil, errTooDeep
			}
			x.at = append(x.at, tok.Name.Local)
			x.text.Reset()
			if !endsWith(x.at, x.path) {
				continue
			}
			v, err := xmlValue(x.d, len(x.at))
			if err != nil {
				return nil, err
			}
			x.at = x.at[:len(x.at)-1]
			return json.Marshal(v)
		case xml.EndElement:
			if len(x.fields) < maxFields && x.text.Len() <= maxField {
				x.fields[tok.Name.Local] = strings.TrimSpace(x.text.String())
			}
			x.text.Reset()
			x.at = x.at[:len(x.at)-1]
		case xml.CharData:
			x.text.Write(tok[:min(len(tok), maxField+1)])
		}
	}
}

func endsWith(at []string, want [][]string) bool {
	if len(at) < len(want) {
		return false
	}
	for i, w := range want {
		if !slices.Contains(w, at[len(at)-len(want)+i]) {
			return false
		}
	}
	return true
}

// xmlValue reads the element just entered: text, or an object whose repeated children are lists.
func xmlValue(d *xml.Decoder, depth int) (any, error) {
	if depth > maxXMLDepth {
		return nil, errTooDeep
	}
	var text strings.Builder
	members := map[string]any{}
	for {
		tok, err := d.Token()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.CharData:
			text.Write(tok)
		case xml.StartElement:
			v, err := xmlValue(d, depth+1)
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
