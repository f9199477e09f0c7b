package event

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"math/bits"
	"slices"
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
	id     int32 // in the field table, or -1
	before int32 // where it sorts among the names of the field table
	from   int32 // as in a step
	val    pcommon.Value
}

// encoder writes flat names as nested objects. What it learns of names stays for the next documents.
type encoder struct {
	dst      []byte
	open     string // the object that is being written; "" = the document
	comma    bool
	last     int // one more than the field of the table written last; 0 = none yet, -1 = something else
	items    []item
	known    []uint16        // by field id: one more than its place in items
	set      []uint64        // a bit for each field in known
	other    []uint16        // items outside the field table
	order    []uint16        // items as they are written, each name once
	vals     []pcommon.Value // of the attributes, for the pattern
	texts    [numTexts]string
	has      uint // a bit for each of texts
	times    []byte
	clocks   [2]clock
	patterns patterns
	learns   bool // a pattern is being made, of text and steps
	text     []byte
	steps    []step
	module   int // as in a branch
	dataset  int
	seats    seats
	joints   [1024]joint
	root     string // of the vendor written last
	before   int    // where it sorts among the names of the field table
	rootID   int    // it has a number as if it were a field, which no root before it had
	w        vendorWriter
}

var encoders = sync.Pool{New: func() any { return newEncoder() }}

func newEncoder() *encoder {
	return &encoder{known: make([]uint16, len(fieldTable)), set: make([]uint64, len(fieldTable)/64+1)}
}

// maxItems bounds the fields of a document; a record has fewer than a hundred.
const maxItems = 1 << 14

// AppendECS appends one ECS JSON document, keys nested and in a fixed order, without a line end.
func AppendECS(dst []byte, w View, e Encoding) []byte {
	c := encoders.Get().(*encoder)
	dst = c.document(dst, w, e)
	encoders.Put(c)
	return dst
}

func (c *encoder) document(dst []byte, w View, e Encoding) []byte {
	c.dst = append(dst, '{')
	if !c.repeat(w, e) {
		c.dst = c.dst[:len(dst)+1]
		c.anew(w, e)
	}
	dst = append(c.dst, '}')
	clear(c.vals)
	c.dst, c.vals, c.times, c.texts = nil, c.vals[:0], c.times[:0], [numTexts]string{}
	c.w = vendorWriter{spans: c.w.spans[:0], own: c.w.own[:0], memo: c.w.memo, crossed: kept(c.w.crossed), escaped: kept(c.w.escaped)}
	return dst
}

// anew writes a document field by field, and learns to write those like it.
func (c *encoder) anew(w View, e Encoding) {
	c.learns = c.patterns.debt < maxPatternDebt
	root := c.collect(w, e)
	c.sort()
	end := len(c.dst)
	for i, at := range c.order {
		if c.items[at].from == fromRoot {
			c.vendor(i, end)
		} else {
			c.write(i, end)
		}
		end = len(c.dst)
	}
	c.settle()
	c.moveTo("")
	c.text = append(c.text, c.dst[end:]...)
	if c.learns {
		c.learn(w, root)
	}
	clear(c.items)
	c.items, c.open, c.comma, c.last, c.order, c.other = c.items[:0], "", false, 0, c.order[:0], c.other[:0]
	c.text, c.steps = c.text[:0], c.steps[:0]
}

// collect gathers all fields. The first of a name counts: an attribute goes before a resource attribute.
func (c *encoder) collect(w View, e Encoding) (root string) {
	c.attributes(w.Log.Attributes(), 0)
	c.attributes(w.Res.Resource().Attributes(), w.Log.Attributes().Len())
	var module, dataset string
	module, c.module = c.known1(idModule)
	dataset, c.dataset = c.known1(idDataset)
	root = c.gather(w, e, module, dataset)
	for i, id := range textIDs {
		if c.has>>i&1 != 0 {
			if it := c.add(fieldTable[id].name, id); it != nil {
				it.from = int32(^i)
			}
		}
	}
	if root != "" {
		if it := c.add(root, -1); it != nil {
			it.from = fromRoot
		}
	}
	return root
}

// gather sets the texts of a document and makes its vendor root ready, which it names.
func (c *encoder) gather(w View, e Encoding, module, dataset string) (root string) {
	c.has = 0
	at, read := w.Log.Timestamp(), w.Log.ObservedTimestamp()
	if e.NoClock {
		read = 0
	}
	if at = cmp.Or(at, read); at != 0 { // of what bears no time the best that is known
		c.setText(textTimestamp, c.timeText(at.AsTime()))
	}
	if read != 0 {
		c.setText(textCreated, c.clocks[0].write(read.AsTime()))
	}
	if !e.Ingested.IsZero() && !e.NoClock {
		c.setText(textIngested, c.clocks[1].write(e.Ingested))
	}
	body := w.Raw()
	if !utf8.ValidString(body) {
		body = strings.ToValidUTF8(body, "\ufffd")
	}
	if body != "" {
		c.setText(textHash, c.hashText(body))
		if !e.NoOriginal {
			c.setText(textOriginal, body)
		}
	}
	if dataset != "" {
		c.setText(textStreamType, "logs")
		c.setText(textStreamDataset, valid(dataset))
		c.setText(textStreamNamespace, cmp.Or(e.Namespace, "saas"))
	}
	if c.w.crossing = untried; !e.NoVendor {
		var raw []byte
		c.w.v, root, raw = vendorOf(w, module, dataset, body)
		c.w.scanner = scanner{b: raw, final: true}
		c.w.escapes = c.w.v != nil && c.w.v.Reshape == nil && len(c.w.v.Texts) == 0 && !e.NoOriginal
	}
	return root
}

func (c *encoder) setText(i int, val string) {
	c.texts[i] = val
	c.has |= 1 << i
}

// attributes adds what m holds, which stands after other attributes.
func (c *encoder) attributes(m pcommon.Map, after int) {
	at := after - 1
	for name, val := range m.All() {
		at++
		id := c.seats.fieldID(name)
		if id < 0 && !isPath(name) {
			name = cleanPath(name)
			id = fieldID(name)
		}
		if id == idOriginal {
			continue
		}
		if val.Type() == pcommon.ValueTypeEmpty {
			c.learns = false
			continue
		}
		if it := c.add(name, id); it != nil {
			it.val, it.from = val, int32(at)
		}
	}
}

// add adds a field without a value; nil when one of its name is there.
func (c *encoder) add(name string, id int) *item {
	n := len(c.items)
	switch {
	case n >= maxItems:
		return nil
	case id < 0:
		c.other = append(c.other, uint16(n))
	case c.known[id] != 0:
		return nil
	default:
		c.known[id] = uint16(n + 1)
		c.set[id>>6] |= 1 << (id & 63)
	}
	if n == cap(c.items) {
		c.items = slices.Grow(c.items, 64)
	}
	c.items = c.items[:n+1] // it was cleared after the last document
	it := &c.items[n]
	it.name, it.id = name, int32(id)
	return it
}

// known1 is a field of the table as text, and its place among the attributes; -1 = none.
func (c *encoder) known1(id int) (val string, from int) {
	if at := c.known[id]; at != 0 {
		it := &c.items[at-1]
		return it.val.AsString(), int(it.from)
	}
	return "", -1
}

// sort puts the fields in order and forgets what is known.
func (c *encoder) sort() {
	for _, at := range c.other {
		it := &c.items[at]
		if it.from != fromRoot || it.name != c.root {
			it.before = int32(sortOf(it.name))
		}
		if it.from == fromRoot {
			c.setRoot(it)
		}
	}
	slices.SortStableFunc(c.other, func(a, b uint16) int { return compareNames(c.items[a].name, c.items[b].name) })
	c.other = slices.CompactFunc(c.other, func(a, b uint16) bool { return c.items[a].name == c.items[b].name })
	k := 0
	for word, set := range c.set {
		c.set[word] = 0
		for ; set != 0; set &= set - 1 {
			id := word<<6 + bits.TrailingZeros64(set)
			for ; k < len(c.other) && int(c.items[c.other[k]].before) <= id; k++ {
				c.order = append(c.order, c.other[k])
			}
			c.order = append(c.order, c.known[id]-1)
			c.known[id] = 0
		}
	}
	c.order = append(c.order, c.other[k:]...)
}

// setRoot notes what is asked of the root in every document.
func (c *encoder) setRoot(it *item) {
	if it.name != c.root {
		c.root, c.before = it.name, int(it.before)
		c.rootID = max(c.rootID+1, len(fieldTable))
	}
	it.before = int32(c.before)
}

// sortOf is the first place in the field table whose name is not below name in order.
func sortOf(name string) int {
	at, _ := slices.BinarySearchFunc(fieldTable, name, func(f field, name string) int { return compareNames(f.name, name) })
	return at
}

// timeText writes a time into memory that the document's end frees for the next one.
func (c *encoder) timeText(t time.Time) string {
	start := len(c.times)
	c.times = appendTime(c.times, t)
	return zeroCopy(c.times[start:])
}

// hashText is event.hash, of the raw object. It is no attribute: a twelfth of what a record costs from the vendor to an OTLP
// receiver, for 64 bytes that follow from its body.
func (c *encoder) hashText(body string) string {
	start := len(c.times)
	c.times = appendHash(c.times, body)
	return zeroCopy(c.times[start:])
}

func appendHash(dst []byte, body string) []byte {
	sum := sha256.Sum256(bytesOf(body))
	return hex.AppendEncode(dst, sum[:])
}

func isBelow(name, parent string) bool {
	return len(name) > len(parent) && name[len(parent)] == '.' && name[:len(parent)] == parent
}

// write writes one field; the one before it ended at end. One that is also an object, which only foreign records have, becomes its
// member "value".
func (c *encoder) write(i, end int) {
	it := &c.items[c.order[i]]
	switch {
	case c.isObject(i):
		name := it.name + ".value"
		for _, at := range c.order[i+1:] {
			if other := c.items[at].name; other == name || isBelow(other, name) {
				return
			}
		}
		c.key(name)
	case it.id >= 0:
		c.field(int(it.id))
	default:
		c.key(it.name)
	}
	c.note(end, it)
	switch {
	case it.from < 0:
		c.dst = c.appendText(c.dst, int(^it.from))
	case it.id >= 0 && fieldForms[it.id].list && it.val.Type() != pcommon.ValueTypeSlice:
		c.dst = append(appendValue(append(c.dst, '['), it.val), ']')
	default:
		c.dst = appendValue(c.dst, it.val)
	}
}

// isObject says whether the next field is below this one.
func (c *encoder) isObject(i int) bool {
	if i+1 == len(c.order) {
		return false
	}
	it, next := &c.items[c.order[i]], &c.items[c.order[i+1]]
	if it.id >= 0 && next.id >= 0 && !fieldForms[it.id].object {
		return false
	}
	return isBelow(next.name, it.name)
}

// vendor writes the body below the vendor root; the field before it ended at end.
func (c *encoder) vendor(i, end int) {
	it := &c.items[c.order[i]]
	root := it.name
	c.w.own = c.w.own[:0]
	for _, at := range c.order[i+1:] {
		if !isBelow(c.items[at].name, root) {
			break
		}
		step, _, _ := strings.Cut(c.items[at].name[len(root)+1:], ".")
		c.w.own = append(c.w.own, step)
	}
	dst, open, comma, last := c.dst, c.open, c.comma, c.last
	c.join(c.rootID, root, "")
	c.note(end, it)
	start := len(c.dst)
	out, ok := c.w.members(c.dst)
	c.learns = c.learns && ok && len(out) > start && len(c.w.own) == 0
	switch {
	case !ok:
		c.dst, c.open, c.comma, c.last = dst, open, comma, last
	case len(out) > start:
		c.dst = out
	default:
		c.dst, c.open, c.comma, c.last = out, root, false, -1
	}
}

// key closes and opens objects until the last step of name can be written, and writes it.
func (c *encoder) key(name string) {
	c.settle()
	at := strings.LastIndexByte(name, '.')
	if at >= 0 {
		c.moveTo(name[:at])
	} else {
		c.moveTo("")
	}
	c.member(name[at+1:])
	c.comma, c.last = true, -1
}

func (c *encoder) member(step string) {
	if c.comma {
		c.dst = append(c.dst, ',')
	}
	c.dst = append(appendString(c.dst, step), ':')
}
