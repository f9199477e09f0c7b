package event

import (
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Encoding options of AppendECS.
type Encoding struct {
	NoOriginal bool      // leave out event.original
	NoVendor   bool      // leave out the vendor root
	NoClock    bool      // leave out event.created and event.ingested (normalize)
	Ingested   time.Time // event.ingested
	Namespace  string    // data_stream.namespace; "" = saas
}

// item is one field of a document: an attribute, a text, or the vendor root.
type item struct {
	name   string
	id     int // in the field table, or -1
	val    pcommon.Value
	str    string
	source itemSource
}

type itemSource uint8

const (
	fromAttr itemSource = iota
	fromText
	fromVendor
)

// encoder writes flat names as nested objects.
type encoder struct {
	dst   []byte
	open  string // the object that is being written; "" = the document
	comma bool
	items []item
	w     vendorWriter
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

// AppendECS appends one ECS JSON document, keys nested and in a fixed order, without a line end.
func AppendECS(dst []byte, w View, e Encoding) []byte {
	c := encoders.Get().(*encoder)
	c.dst = append(dst, '{')
	c.collect(w, e)
	for i := range c.items {
		if i > 0 && c.items[i].name == c.items[i-1].name {
			continue // an attribute wins over a resource attribute
		}
		if c.items[i].source == fromVendor {
			c.vendor(i)
		} else {
			c.write(i)
		}
	}
	c.moveTo("")
	dst = append(c.dst, '}')
	clear(c.items)
	c.dst, c.items, c.open, c.comma = nil, c.items[:0], "", false
	c.w = vendorWriter{spans: c.w.spans[:0], own: c.w.own[:0]}
	encoders.Put(c)
	return dst
}

// collect gathers all fields in the order in which they are written.
func (c *encoder) collect(w View, e Encoding) {
	var buf [32]byte
	var module, dataset string
	for _, m := range []pcommon.Map{w.Log.Attributes(), w.Res.Resource().Attributes()} {
		for name, val := range m.All() {
			if val.Type() == pcommon.ValueTypeEmpty || name == "event.original" {
				continue
			}
			id := fieldID(name)
			switch {
			case id == idModule && module == "":
				module = val.AsString()
			case id == idDataset && dataset == "":
				dataset = val.AsString()
			}
			c.items = append(c.items, item{name: name, id: id, val: val})
		}
	}
	if t := w.Log.Timestamp(); t != 0 {
		c.text("@timestamp", string(appendTime(buf[:0], t.AsTime())))
	}
	if t := w.Log.ObservedTimestamp(); t != 0 && !e.NoClock {
		c.text("event.created", string(appendTime(buf[:0], t.AsTime())))
	}
	if !e.Ingested.IsZero() && !e.NoClock {
		c.text("event.ingested", string(appendTime(buf[:0], e.Ingested)))
	}
	body := w.Raw()
	if !utf8.ValidString(body) {
		body = strings.ToValidUTF8(body, "\ufffd")
	}
	if body != "" && !e.NoOriginal {
		c.text("event.original", body)
	}
	if dataset != "" {
		if e.Namespace == "" {
			e.Namespace = "saas"
		}
		c.text("data_stream.type", "logs")
		c.text("data_stream.dataset", dataset)
		c.text("data_stream.namespace", e.Namespace)
	}
	if !e.NoVendor {
		if v, root, raw := vendorOf(module, dataset, body); v != nil {
			c.w.v, c.w.scanner = v, scanner{b: raw, final: true}
			c.items = append(c.items, item{name: root, id: -1, source: fromVendor})
		}
	}
	slices.SortStableFunc(c.items, func(a, b item) int {
		if a.id >= 0 && b.id >= 0 {
			return a.id - b.id
		}
		return compareNames(a.name, b.name)
	})
}

func (c *encoder) text(name, val string) {
	c.items = append(c.items, item{name: name, id: fieldID(name), str: val, source: fromText})
}

// below says whether the field after i lies inside the field i.
func (c *encoder) below(i int) bool {
	for k := i + 1; k < len(c.items); k++ {
		if c.items[k].name != c.items[i].name {
			return isBelow(c.items[k].name, c.items[i].name)
		}
	}
	return false
}

func isBelow(name, parent string) bool {
	return len(name) > len(parent) && name[len(parent)] == '.' && name[:len(parent)] == parent
}

// write writes one field. One that is also an object, which only foreign records have, becomes its member "value".
func (c *encoder) write(i int) {
	it := &c.items[i]
	name := it.name
	if c.below(i) {
		name += ".value"
		for k := i + 1; k < len(c.items); k++ {
			if c.items[k].name == name || isBelow(c.items[k].name, name) {
				return
			}
		}
	}
	c.key(name)
	list := it.id >= 0 && fieldTable[it.id].list
	switch {
	case it.source == fromText:
		c.dst = appendString(c.dst, it.str)
	case list && it.val.Type() != pcommon.ValueTypeSlice:
		c.dst = append(appendValue(append(c.dst, '['), it.val), ']')
	default:
		c.dst = appendValue(c.dst, it.val)
	}
}

// vendor writes the body below the vendor root.
func (c *encoder) vendor(i int) {
	root := c.items[i].name
	c.w.own = c.w.own[:0]
	for k := i + 1; k < len(c.items) && isBelow(c.items[k].name, root); k++ {
		step, _, _ := strings.Cut(c.items[k].name[len(root)+1:], ".")
		c.w.own = append(c.w.own, step)
	}
	dst, open, comma := c.dst, c.open, c.comma
	c.moveTo(root)
	if c.comma {
		c.dst = append(c.dst, ',')
	}
	start := len(c.dst)
	out, ok := c.w.members(c.dst)
	switch {
	case !ok:
		c.dst, c.open, c.comma = dst, open, comma
	case len(out) > start:
		c.dst, c.comma = out, true
	default:
		c.dst = out
	}
}

// key closes and opens objects until the last step of name can be written, and writes it.
func (c *encoder) key(name string) {
	at := strings.LastIndexByte(name, '.')
	if at >= 0 {
		c.moveTo(name[:at])
	} else {
		c.moveTo("")
	}
	c.member(name[at+1:])
	c.comma = true
}

func (c *encoder) member(step string) {
	if c.comma {
		c.dst = append(c.dst, ',')
	}
	c.dst = append(appendString(c.dst, step), ':')
}

// moveTo goes from the open object to another one.
func (c *encoder) moveTo(to string) {
	if to == c.open {
		return
	}
	common := commonSteps(c.open, to)
	if rest := strings.TrimPrefix(c.open[common:], "."); rest != "" || common == 0 && c.open != "" {
		for range strings.Count(rest, ".") + 1 {
			c.dst = append(c.dst, '}')
		}
		c.comma = true
	}
	if len(to) > common {
		for step := range strings.SplitSeq(strings.TrimPrefix(to[common:], "."), ".") {
			c.member(step)
			c.dst = append(c.dst, '{')
			c.comma = false
		}
	}
	c.open = to
}

// commonSteps is the length of the steps that a and b begin with.
func commonSteps(a, b string) int {
	n := 0
	for i := 0; ; i++ {
		endA, endB := i == len(a) || a[i] == '.', i == len(b) || b[i] == '.'
		switch {
		case endA && endB:
			n = i
			if i == len(a) || i == len(b) {
				return n
			}
		case endA || endB || a[i] != b[i]:
			return n
		}
	}
}

func appendValue(dst []byte, v pcommon.Value) []byte {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return appendString(dst, v.Str())
	case pcommon.ValueTypeInt:
		if n := v.Int(); n > maxExact || n < -maxExact {
			return append(strconv.AppendInt(append(dst, '"'), n, 10), '"')
		}
		return strconv.AppendInt(dst, v.Int(), 10)
	case pcommon.ValueTypeDouble:
		return appendFloat(dst, v.Double())
	case pcommon.ValueTypeBool:
		return strconv.AppendBool(dst, v.Bool())
	case pcommon.ValueTypeBytes:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v.Bytes().AsRaw()), '"')
	case pcommon.ValueTypeSlice:
		dst = append(dst, '[')
		for i, e := range v.Slice().All() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendValue(dst, e)
		}
		return append(dst, ']')
	case pcommon.ValueTypeMap:
		dst = append(dst, '{')
		first := len(dst)
		for name, e := range v.Map().All() {
			if len(dst) > first {
				dst = append(dst, ',')
			}
			dst = appendValue(append(appendString(dst, name), ':'), e)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

func appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, 64)
}

func appendString(dst []byte, s string) []byte {
	return append(appendEscaped(append(dst, '"'), s), '"')
}

const hexDigits = "0123456789abcdef"

// appendEscaped appends s as the inside of a JSON string; what is no UTF-8 becomes U+FFFD.
func appendEscaped(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(dst, s[from:]...)
}
