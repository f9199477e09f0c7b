package event

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// calc is what an attribute is that no single field gives.
type calc uint8

const (
	calcNone calc = iota
	calcText
	calcTime
	calcVersion
	calcProfiles
	calcOriginalTime
	calcLogged
	calcProcessed
	calcModule
	calcInstead // the application's name, where the object it is in would lack what it needs
	calcRaw
	calcSize
	calcHash
	calcObservables
	calcUnmapped
)

// calculated are attributes of every class.
var calculated = []leaf{{path: "time", calc: calcTime}, {path: "metadata.version", calc: calcVersion},
	{path: "metadata.profiles", calc: calcProfiles}, {path: "metadata.original_time", calc: calcOriginalTime},
	{path: "metadata.logged_time", calc: calcLogged}, {path: "metadata.processed_time", calc: calcProcessed},
	{path: "metadata.product.name", calc: calcModule}, {path: "cloud.provider", calc: calcModule},
	{path: "severity", calc: calcText, text: `"severity":"Unknown","severity_id":0`}, {path: "raw_data", calc: calcRaw},
	{path: "raw_data_size", calc: calcSize}, {path: "raw_data_hash", calc: calcHash}, {path: "observables", calc: calcObservables},
	{path: "unmapped", calc: calcUnmapped}}

// ocsfEncoder is the working state of one document.
type ocsfEncoder struct {
	dst     []byte
	w       View
	e       Encoding
	raw     string
	vals    []pcommon.Value // by field
	set     []uint64        // a bit for each field that is there
	placed  []uint64        // a bit for each that is written where OCSF has it
	extra   []extraValue    // what has no name in the registry
	picked  []int16         // by leaf: one more than its field, 0 = absent, -1 = calculated
	ok, on  []bool          // by node: may be there, is there
	uses    profiles
	act     int // one more than the place of the activity; 0 = none; -1 = other
	actName string
	alert   bool
	seats   seats
	node    int16
	comma   bool
}

type extraValue struct {
	name string
	val  pcommon.Value
}

var ocsfEncoders = sync.Pool{New: func() any { return newOCSFEncoder() }}

func newOCSFEncoder() *ocsfEncoder {
	n := len(fieldTable)
	return &ocsfEncoder{vals: make([]pcommon.Value, n), set: make([]uint64, n/64+1), placed: make([]uint64, n/64+1)}
}

// AppendOCSF appends one document of the Open Cybersecurity Schema Framework, without a line end: of the class that fits the
// record's kind, category and saas.activity, or where it lacks what that one needs, of a more general one. What OCSF has no place
// for is in unmapped by its name here; the vendor's own fields are in raw_data. NoVendor and Namespace do not matter.
func AppendOCSF(dst []byte, w View, e Encoding) []byte {
	c := ocsfEncoders.Get().(*ocsfEncoder)
	dst = c.document(dst, w, e)
	ocsfEncoders.Put(c)
	return dst
}

func (c *ocsfEncoder) document(dst []byte, w View, e Encoding) []byte {
	c.dst, c.w, c.e = append(dst, '{'), w, e
	c.collect(w.Log.Attributes())
	c.collect(w.Res.Resource().Attributes())
	if len(c.extra) > 1 { // the first of a name counts
		slices.SortStableFunc(c.extra, func(a, b extraValue) int { return strings.Compare(a.name, b.name) })
		c.extra = slices.CompactFunc(c.extra, func(a, b extraValue) bool { return a.name == b.name })
	}
	if c.raw = w.Raw(); !utf8.ValidString(c.raw) {
		c.raw = strings.ToValidUTF8(c.raw, "\ufffd")
	}
	p := c.choose(readBook())
	c.head(p)
	c.pick(p)
	c.write(p)
	dst = append(c.dst, '}')
	for word, set := range c.set {
		for ; set != 0; set &= set - 1 {
			c.vals[word<<6+bits.TrailingZeros64(set)] = pcommon.Value{}
		}
	}
	clear(c.set)
	clear(c.placed)
	clear(c.extra)
	c.dst, c.w, c.e, c.raw, c.extra, c.uses, c.actName, c.node, c.comma = nil, View{}, Encoding{}, "", c.extra[:0], 0, "", 0, false
	return dst
}

// collect notes what m holds; the first of a name counts.
func (c *ocsfEncoder) collect(m pcommon.Map) {
	for name, val := range m.All() {
		if val.Type() == pcommon.ValueTypeEmpty {
			continue
		}
		id := c.seats.fieldID(name)
		switch {
		case id < 0:
			if len(c.extra) < maxItems {
				c.extra = append(c.extra, extraValue{name, val})
			}
		case id != idOriginal && !c.has(id):
			c.vals[id] = val
			c.set[id>>6] |= 1 << (id & 63)
		}
	}
}

func (c *ocsfEncoder) has(id int) bool { return c.set[id>>6]&(1<<(id&63)) != 0 }

func (c *ocsfEncoder) place(id int) { c.placed[id>>6] |= 1 << (id & 63) }

// str is a field as text; a list's first value.
func (c *ocsfEncoder) str(id int) string {
	if !c.has(id) {
		return ""
	}
	return first(c.vals[id])
}

// in says whether a list has one of these words.
func (c *ocsfEncoder) in(id int, words ...string) bool {
	if !c.has(id) {
		return false
	}
	v := c.vals[id]
	if v.Type() != pcommon.ValueTypeSlice {
		return slices.Contains(words, v.AsString())
	}
	for _, e := range v.Slice().All() {
		if slices.Contains(words, e.AsString()) {
			return true
		}
	}
	return false
}

// head writes what the class and the activity say.
func (c *ocsfEncoder) head(p *plan) {
	k := p.class
	switch {
	case c.act > 0:
		c.dst = append(c.dst, k.acts[c.act-1].head...)
	case c.act < 0:
		c.dst = appendString(append(c.dst, k.other...), c.actName)
	default:
		c.dst = append(c.dst, k.unknown...)
	}
	c.comma = true
}

// source is the field that a leaf takes, or -1.
func (c *ocsfEncoder) source(l *leaf) int {
	for _, id := range l.from {
		if c.has(int(id)) && fits(l.conv, c.vals[id]) {
			return int(id)
		}
	}
	return -1
}

func (c *ocsfEncoder) any(p *plan, leaves []int16) bool {
	for _, i := range leaves {
		if c.source(&p.leaves[i]) >= 0 {
			return true
		}
	}
	return false
}

// pick decides which attributes the document has.
func (c *ocsfEncoder) pick(p *plan) {
	c.ok, c.on = grown(c.ok, len(p.nodes)), grown(c.on, len(p.nodes))
	c.picked = grown(c.picked, len(p.leaves))
	c.ok[0] = true
	for i := 1; i < len(p.nodes); i++ {
		n := &p.nodes[i]
		c.ok[i] = c.ok[n.parent] && (len(n.gate) == 0 || c.any(p, n.gate))
		if !c.ok[i] && c.ok[n.parent] && n.instead >= 0 {
			c.ok[i] = true
			c.take(p, n.instead, -1)
		}
		if c.ok[i] && n.twin >= 0 && c.str(idEntityID) == c.str(int(p.leaves[n.twin].from[0])) {
			c.ok[i] = false
			c.repeats(p, int16(i))
		}
	}
	for i := range p.leaves {
		l := &p.leaves[i]
		if !c.ok[l.node] {
			continue
		}
		if id := c.source(l); id >= 0 {
			c.take(p, int16(i), int16(id+1))
			for _, same := range l.from {
				if int(same) == id || c.has(int(same)) && c.vals[same].Equal(c.vals[id]) {
					c.place(int(same))
				}
			}
		} else if l.weak {
			c.picked[i] = -1
		} else if c.calculates(l.calc) {
			c.take(p, int16(i), -1)
		}
	}
	for i, word := range p.silent {
		c.placed[i] |= word
	}
	for i, word := range p.kept {
		c.placed[i] &^= word
	}
	if c.act < 0 && c.actName == c.str(idActivity) {
		c.place(idActivity)
	}
}

// repeats places what an object has of the entity's own id and name.
func (c *ocsfEncoder) repeats(p *plan, n int16) {
	for _, l := range p.leaves {
		for _, id := range l.from {
			if l.node == n && c.has(int(id)) && (c.str(int(id)) == c.str(idEntityID) || c.str(int(id)) == c.str(idEntityName)) {
				c.place(int(id))
			}
		}
	}
}

// take picks a leaf, and with it the objects around it.
func (c *ocsfEncoder) take(p *plan, i, from int16) {
	c.picked[i] = from
	c.uses |= p.leaves[i].profile
	for n := p.leaves[i].node; n != 0 && !c.on[n]; n = p.nodes[n].parent {
		c.on[n] = true
	}
}

func grown[T any](s []T, n int) []T {
	s = slices.Grow(s[:0], n)[:n]
	clear(s)
	return s
}

// calculates says whether there is what is calculated.
func (c *ocsfEncoder) calculates(k calc) bool {
	switch k {
	case calcNone, calcInstead:
		return false
	case calcTime:
		return c.w.Log.Timestamp() != 0 || c.observed() != 0
	case calcOriginalTime:
		return c.w.Log.Timestamp() != 0
	case calcLogged:
		return c.observed() != 0
	case calcProcessed:
		return !c.e.NoClock && !c.e.Ingested.IsZero()
	case calcRaw:
		return c.raw != "" && !c.e.NoOriginal
	case calcSize, calcHash:
		return c.raw != ""
	case calcObservables:
		for _, id := range idRelated[relUser:] {
			if c.has(id) && (c.vals[id].Type() != pcommon.ValueTypeSlice || c.vals[id].Slice().Len() > 0) {
				return true
			}
		}
		return false
	}
	return true
}

func (c *ocsfEncoder) observed() pcommon.Timestamp {
	if c.e.NoClock {
		return 0
	}
	return c.w.Log.ObservedTimestamp()
}

// write writes what is picked, in order.
func (c *ocsfEncoder) write(p *plan) {
	for i, from := range c.picked {
		l := &p.leaves[i]
		if from == 0 || l.weak && !c.on[l.node] || l.calc == calcUnmapped && !c.hasUnmapped() {
			continue
		}
		c.moveTo(p, l.node)
		if c.comma {
			c.dst = append(c.dst, ',')
		}
		c.comma = true
		if from > 0 {
			c.value(l, c.vals[from-1])
		} else {
			c.calculate(l)
		}
	}
	c.moveTo(p, 0)
}

// moveTo closes and opens objects until a member of n can be written.
func (c *ocsfEncoder) moveTo(p *plan, n int16) {
	if n == c.node {
		return
	}
	var down [16]int16
	k, up := 0, c.node
	for n != up {
		if p.nodes[n].depth > p.nodes[up].depth {
			down[k] = n
			n, k = p.nodes[n].parent, k+1
		} else {
			c.dst = append(c.dst, p.nodes[up].end)
			up, c.comma = p.nodes[up].parent, true
		}
	}
	c.node = up
	for ; k > 0; k-- {
		if c.comma {
			c.dst = append(c.dst, ',')
		}
		c.node, c.comma = down[k-1], false
		c.dst = append(c.dst, p.nodes[c.node].open...)
	}
}

func appendMillis(dst []byte, t time.Time) []byte { return strconv.AppendInt(dst, t.UnixMilli(), 10) }
