package event

import (
	"bytes"
	"math/bits"
)

// vendorWriter copies a body under its public names.
type vendorWriter struct {
	scanner
	v     *vendor
	own   []string // first steps of attributes that lie below the root: they win
	spans []span   // names written, in the objects that are open
	twice bool     // a name may stand twice in an object: the body is to be written with care
	care  bool     // every object is looked through before it is written
	asIs  bool     // of the object to be written whole nothing was changed yet but names
	memo  memo
	trace trace
	// What cross wrote: the members and, where it escapes, the whole body as the inside of a JSON string.
	crossed, escaped []byte
	crossing         crossing
	escapes          bool
}

type span struct{ off, end int }

// spot is a place in a body: what the layout and Flat say of it, and what earlier bodies had there.
type spot struct {
	n     *node
	f     *flatNode
	shape *vendorShape
	snake bool
}

// members appends the members of the object in w.b without its braces; ok false = malformed.
func (w *vendorWriter) members(dst []byte) (out []byte, ok bool) {
	if len(w.own) == 0 && w.bridges() {
		return append(dst, w.crossed...), true
	}
	start, top := len(dst), w.memo.of(w.v)
	w.trace = trace{on: len(w.own) == 0 && w.crossing == failed, from: top, out: start + 1}
	dst, i := w.from(dst, space(w.b, 0), &spot{w.v.top, w.v.flat, top, w.v.Snake})
	if i < 0 || space(w.b, i) != len(w.b) {
		return dst[:start], false
	}
	if w.trace.on {
		w.build(bridge{}, dst, len(w.b), len(dst)-1)
	}
	copy(dst[start:], dst[start+1:])
	return dst[:len(dst)-2], true
}

// passage is how far an object is passed.
type passage struct {
	next    int    // the member of the shape that is expected
	had     uint64 // a bit for each member of the shape that is written
	strange bool   // a member came that the shape has not there: from now on none is looked for in it
	base    int    // where the names of such members begin in spans
}

// from appends the value at i. One with a repeated name in it is written again, with care: to write only the object again would
// double the work with every level of repeated names.
func (w *vendorWriter) from(dst []byte, i int, p *spot) ([]byte, int) {
	start, depth := len(dst), w.depth
	dst, end := w.value(dst, i, p)
	if !w.twice {
		return dst, end
	}
	w.twice, w.care, w.err, w.spans, w.depth, w.trace.on = false, true, nil, w.spans[:0], depth, false
	if w.skip(i) < 0 {
		return dst[:start], -1
	}
	return w.value(dst[:start], i, p)
}

// object appends the object whose first member is at i.
func (w *vendorWriter) object(dst []byte, i int, p *spot) ([]byte, int) {
	if !w.enter() {
		return dst, -1
	}
	begin, first, base := len(dst), i, len(w.spans)
	dst = append(dst, '{')
	w.asIs = true
	w.trace.enter(first-1, p.f)
	if i = space(w.b, i); i < len(w.b) && w.b[i] == '}' {
		w.depth--
		return w.close(dst, begin, first, i+1, p)
	}
	if w.care {
		return w.unique(dst, begin, i, p)
	}
	in := passage{base: base, strange: w.depth == 1 && len(w.own) > 0}
	for done := false; !done; {
		m, val := p.shape.find(w.b, i, &in)
		switch {
		case m == nil:
			dst, i = w.unknown(dst, begin, i, &in, p)
		case w.b[val] == 'n':
			w.asIs = false
			in.had &^= 1 << (in.next - 1)
			i = w.skip(val)
		default:
			out := m.out
			if len(dst) == begin+1 {
				out = out[1:]
			}
			dst, w.asIs = append(dst, out...), w.asIs && m.same
			if w.b[val] == '"' && m.text { // as value does it, without a call
				at := len(dst)
				dst, i = w.copyStr(append(dst, '"'), val+1)
				w.note(dst, m.below.shape, val, i, at)
			} else {
				dst, i = w.value(dst, val, &m.below)
			}
		}
		if i < 0 {
			return dst, -1
		}
		if i+1 < len(w.b) && w.b[i] == ',' && w.b[i+1] > ' ' { // as more does it, without a call
			i++
			continue
		}
		end := i
		if i, done = w.more(i, '}'); i < 0 {
			return dst, -1
		}
		w.asIs = w.asIs && i == end+1
	}
	w.spans = w.spans[:base]
	return w.close(dst, begin, first, i, p)
}

// unknown appends a member that no earlier body had in this place; nothing for null.
func (w *vendorWriter) unknown(dst []byte, begin, i int, in *passage, p *spot) ([]byte, int) {
	at := len(dst)
	if at > begin+1 {
		dst = append(dst, ',')
	}
	var below spot
	dst, val, skip := w.member(dst, i, in, p, &below)
	switch {
	case val < 0:
		return dst, -1
	case skip:
		return dst[:at], w.skip(val)
	}
	dst, i = w.value(dst, val, &below)
	if i >= 0 && dst[len(dst)-1] == ':' { // null
		dst, w.asIs = dst[:at], false
		w.forget(in)
	}
	return dst, i
}

// forget takes back the name written last, whose value is null.
func (w *vendorWriter) forget(in *passage) {
	if in.strange {
		w.spans = w.spans[:len(w.spans)-1]
	} else {
		in.had &^= 1 << (in.next - 1)
	}
}

// member appends the name of a member that no earlier body had in this place, and the colon. No value = stop: malformed, or the
// name was written before. skip = the member is not to be written.
func (w *vendorWriter) member(dst []byte, i int, in *passage, p, below *spot) (out []byte, val int, skip bool) {
	w.asIs = false
	end, val := w.key(i)
	if val < 0 {
		return dst, -1, false
	}
	key, escaped := w.b[i+1:end], w.esc
	if escaped {
		key = unescape(nil, key)
	}
	start := len(dst)
	out, to := w.v.outName(append(dst, '"'), p.n, key, p.snake)
	if escaped {
		out = appendEscaped(out[:start+1], string(out[start+1:]))
	}
	name := out[start+1:]
	out = append(out, '"', ':')
	if p.f != nil && p.f.name == string(name) || w.depth == 1 && w.owned(string(name)) {
		in.strange, w.trace.on = true, false
		return out, val, true
	}
	if w.twice = w.isWritten(out, out[start:], in, p.shape); w.twice {
		return dst, -1, false
	}
	*below = p.member(to, key)
	if escaped || val != end+2 || !w.memo.learn(p.shape, in, w.b[i:val], out[start:], below) {
		in.strange = true
	}
	if in.strange {
		w.trace.on = false
		w.spans = append(w.spans, span{start, len(out)})
	}
	return out, val, false
}

// isWritten says whether a name, in quotes and with its colon, stands in the object already, or has too many before it to be
// compared with.
func (w *vendorWriter) isWritten(dst, name []byte, in *passage, shape *vendorShape) bool {
	if len(w.spans)-in.base >= 64 {
		return true
	}
	for _, s := range w.spans[in.base:] {
		if bytes.Equal(dst[s.off:s.end], name) {
			return true
		}
	}
	for had := in.had; had != 0; had &= had - 1 {
		if shape.members[bits.TrailingZeros64(had)].out[1:] == string(name) {
			return true
		}
	}
	return false
}

func (w *vendorWriter) owned(name string) bool {
	for _, own := range w.own {
		if own == name {
			return true
		}
	}
	return false
}

// close ends an object that begins at begin and has its first member at first in the body.
func (w *vendorWriter) close(dst []byte, begin, first, end int, p *spot) ([]byte, int) {
	asIs := w.asIs
	w.asIs = false // of the object around it
	if p.f == nil || p.f.name == "" {
		return append(dst, '}'), end
	}
	if len(dst) > begin+1 {
		dst = append(dst, ',')
	}
	dst = append(append(append(dst, '"'), p.f.name...), '"', ':')
	w.trace.leave(first-1, end, len(dst), asIs)
	if asIs {
		return append(append(dst, w.b[first-1:end]...), '}'), end
	}
	depth := w.depth
	w.depth = 1
	dst, i := w.object(dst, first, &spot{shape: w.memo.whole(p.shape)})
	if w.depth = depth; i < 0 {
		return dst, -1
	}
	return append(dst, '}'), end
}

// unique appends an object of which the last member of a name counts. It is known to be well-formed.
func (w *vendorWriter) unique(dst []byte, begin, i int, p *spot) ([]byte, int) {
	type pair struct {
		name string
		val  int
		p    spot
	}
	var pairs []pair
	place := map[string]int{}
	first, depth := i, w.depth
	for done := false; !done; {
		end, val := w.key(i)
		key := w.b[i+1 : end]
		if w.esc {
			key = unescape(nil, key)
		}
		name, to := w.v.outName(nil, p.n, key, p.snake)
		m := pair{string(appendEscaped(nil, string(name))), val, p.member(to, key)}
		if at, ok := place[m.name]; ok {
			pairs[at] = m
		} else {
			place[m.name] = len(pairs)
			pairs = append(pairs, m)
		}
		i, done = w.more(w.skip(val), '}')
	}
	w.depth = depth
	for _, m := range pairs {
		if p.f != nil && p.f.name == m.name || depth == 1 && w.owned(m.name) {
			continue
		}
		at := len(dst)
		if at > begin+1 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), m.name...), '"', ':')
		if dst, _ = w.value(dst, m.val, &m.p); dst[len(dst)-1] == ':' { // null
			dst = dst[:at]
		}
	}
	w.depth, w.asIs = depth-1, false
	return w.close(dst, begin, first, i, p)
}

// value appends the value at i; nothing for null.
func (w *vendorWriter) value(dst []byte, i int, p *spot) ([]byte, int) {
	if i >= len(w.b) {
		return dst, w.fail(i, "")
	}
	start := i
	switch c := w.b[i]; {
	case c == '{':
		return w.object(dst, i+1, p)
	case c == 'n':
		return dst, w.skip(i)
	case p.f != nil && p.f.name != "":
		if i = w.skip(i); i < 0 {
			return dst, i
		}
		w.asIs, w.trace.on = false, false
		return w.noObject(dst, w.b[start:i], p.f), i
	case c == '"':
		at := len(dst)
		dst, i = w.copyStr(append(dst, '"'), i+1)
		w.note(dst, p.shape, start, i, at)
		return dst, i
	case c == '[':
		return w.array(dst, i+1, p)
	}
	if i = w.skip(i); i < 0 {
		return dst, i
	}
	at, raw := len(dst), w.b[start:i]
	if isLarge(raw) {
		w.asIs = false
		dst = append(append(append(dst, '"'), raw...), '"')
	} else {
		dst = append(dst, raw...)
	}
	w.note(dst, p.shape, start, i, at)
	return dst, i
}

// noObject appends what stands in the place of an object that is also written whole: {"<name>_text": "…"}, which clashes
// neither with the object nor with its copy in a mapping.
func (w *vendorWriter) noObject(dst, raw []byte, f *flatNode) []byte {
	dst = append(append(append(dst, '{', '"'), f.name...), `_text":`...)
	if raw[0] == '"' {
		dst = append(dst, raw...)
	} else {
		dst = append(appendEscaped(append(dst, '"'), string(raw)), '"')
	}
	return append(dst, '}')
}

// array appends the list whose first element is at i; null elements are left out.
func (w *vendorWriter) array(dst []byte, i int, p *spot) ([]byte, int) {
	if !w.enter() {
		return dst, -1
	}
	w.asIs = false
	w.trace.on = w.trace.on && !w.trace.flat
	elem := spot{shape: w.memo.elem(p.shape), snake: p.snake}
	if p.n != nil && len(p.n.elems) > 0 {
		elem.n = p.n.elems[0].to
	}
	begin := len(dst)
	dst = append(dst, '[')
	if i = space(w.b, i); i < len(w.b) && w.b[i] == ']' {
		w.depth--
		return append(dst, ']'), i + 1
	}
	for done := false; !done; {
		at := len(dst)
		if at > begin+1 {
			dst = append(dst, ',')
		}
		before := len(dst)
		if dst, i = w.value(dst, i, &elem); i < 0 {
			return dst, -1
		}
		if len(dst) == before {
			dst = dst[:at]
		}
		if i, done = w.more(i, ']'); i < 0 {
			return dst, -1
		}
	}
	return append(dst, ']'), i
}
