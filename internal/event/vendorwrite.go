package event

import (
	"bytes"
	"strconv"
)

// vendorWriter copies a body under its public names.
type vendorWriter struct {
	scanner
	v     *vendor
	own   []string // first steps of attributes that lie below the root: they win
	spans []span   // names written, in the objects that are open
}

type span struct{ off, end int }

// members appends the members of the object in w.b without its braces; ok false = malformed.
func (w *vendorWriter) members(dst []byte) (out []byte, ok bool) {
	start := len(dst)
	i := space(w.b, 0)
	dst, i = w.object(dst, i+1, w.v.top, w.v.flat, w.v.Snake)
	if i < 0 || space(w.b, i) != len(w.b) {
		return dst[:start], false
	}
	copy(dst[start:], dst[start+1:])
	return dst[:len(dst)-2], true
}

// object appends the object whose first member is at i.
func (w *vendorWriter) object(dst []byte, i int, n *node, f *flatNode, snake bool) ([]byte, int) {
	if !w.enter() {
		return dst, -1
	}
	begin, first, base, twice := len(dst), i, len(w.spans), false
	dst = append(dst, '{')
	if i = space(w.b, i); i < len(w.b) && w.b[i] == '}' {
		w.depth--
		i++
	} else {
		for done := false; !done; {
			start := i + 1
			end, val := w.key(i)
			if val < 0 {
				return dst, -1
			}
			key := w.b[start:end]
			at := len(dst)
			var to *node
			var again, skip bool
			dst, key, to = w.name(dst, at > begin+1, key, n, snake)
			if again, skip = w.note(dst, base, f); skip {
				dst = dst[:at]
				i = w.skip(val)
			} else {
				dst, i = w.value(append(dst, ':'), val, to, f.kid(key), snake)
				if len(dst) > 0 && dst[len(dst)-1] == ':' { // null
					dst, w.spans = dst[:at], w.spans[:len(w.spans)-1]
				}
			}
			twice = twice || again
			if i < 0 {
				return dst, -1
			}
			i, done = w.more(i, '}')
			if i < 0 {
				return dst, -1
			}
		}
	}
	w.spans = w.spans[:base]
	if twice {
		return w.unique(dst[:begin], first, n, f, snake), i
	}
	if f != nil && f.name != "" {
		dst = w.whole(dst, begin, first, f)
	}
	return append(dst, '}'), i
}

// name appends a member's name in quotes; key comes back unescaped.
func (w *vendorWriter) name(dst []byte, comma bool, key []byte, n *node, snake bool) ([]byte, []byte, *node) {
	if comma {
		dst = append(dst, ',')
	}
	escaped := w.esc
	if escaped {
		key = unescape(nil, key)
	}
	dst = append(dst, '"')
	start := len(dst)
	w.spans = append(w.spans, span{off: start})
	dst, to := w.v.outName(dst, n, key, snake)
	if escaped {
		dst = appendEscaped(dst[:start], string(dst[start:]))
	}
	w.spans[len(w.spans)-1].end = len(dst)
	return append(dst, '"'), key, to
}

// note says whether the name written last was written before in the same object, or is not to be written at all.
func (w *vendorWriter) note(dst []byte, base int, f *flatNode) (again, skip bool) {
	last := w.spans[len(w.spans)-1]
	name := dst[last.off:last.end]
	if f != nil && f.name == string(name) {
		skip = true
	}
	if w.depth == 1 {
		for _, own := range w.own {
			skip = skip || own == string(name)
		}
	}
	if skip {
		w.spans = w.spans[:len(w.spans)-1]
		return false, true
	}
	if len(w.spans)-base > 64 { // too many to compare: written the other way
		return true, false
	}
	for _, s := range w.spans[base : len(w.spans)-1] {
		if s.end-s.off == len(name) && bytes.Equal(dst[s.off:s.end], name) {
			return true, false
		}
	}
	return false, false
}

// unique appends an object with repeated names, of which the last wins, or with very many. It is known to be well-formed.
func (w *vendorWriter) unique(dst []byte, i int, n *node, f *flatNode, snake bool) []byte {
	type pair struct {
		name string
		val  int
		to   *node
		kid  *flatNode
	}
	var pairs []pair
	place := map[string]int{}
	first, depth := i, w.depth
	i = space(w.b, i)
	for done := false; !done; {
		start := i + 1
		end, val := w.key(i)
		key := w.b[start:end]
		if w.esc {
			key = unescape(nil, key)
		}
		name, to := w.v.outName(nil, n, key, snake)
		p := pair{string(appendEscaped(nil, string(name))), val, to, f.kid(key)}
		if at, ok := place[p.name]; ok {
			pairs[at] = p
		} else {
			place[p.name] = len(pairs)
			pairs = append(pairs, p)
		}
		i, done = w.more(w.skip(val), '}')
	}
	w.depth = depth + 1
	begin := len(dst)
	dst = append(dst, '{')
	for _, p := range pairs {
		if f != nil && f.name == p.name || depth == 0 && w.owned(p.name) {
			continue
		}
		at := len(dst)
		if at > begin+1 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), p.name...), '"', ':')
		if dst, _ = w.value(dst, p.val, p.to, p.kid, snake); dst[len(dst)-1] == ':' {
			dst = dst[:at]
		}
	}
	if w.depth = depth; f != nil && f.name != "" {
		dst = w.whole(dst, begin, first, f)
	}
	return append(dst, '}')
}

func (w *vendorWriter) owned(name string) bool {
	for _, own := range w.own {
		if own == name {
			return true
		}
	}
	return false
}

// whole appends the object once more, with its own names, as one of its members.
func (w *vendorWriter) whole(dst []byte, begin, first int, f *flatNode) []byte {
	if len(dst) > begin+1 {
		dst = append(dst, ',')
	}
	dst = append(append(append(dst, '"'), f.name...), '"', ':')
	depth := w.depth
	w.depth = 1
	dst, _ = w.object(dst, first, nil, nil, false)
	w.depth = depth
	return dst
}

// value appends the value at i; nothing for null.
func (w *vendorWriter) value(dst []byte, i int, n *node, f *flatNode, snake bool) ([]byte, int) {
	if i >= len(w.b) {
		return dst, w.fail(i, "")
	}
	start := i
	switch c := w.b[i]; {
	case c == '{':
		return w.object(dst, i+1, n, f, snake)
	case c == 'n':
		return dst, w.skip(i)
	case f != nil && f.name != "":
		if i = w.skip(i); i < 0 {
			return dst, i
		}
		return w.noObject(dst, w.b[start:i], f), i
	case c == '[':
		return w.array(dst, i+1, n, snake)
	}
	if i = w.skip(i); i < 0 {
		return dst, i
	}
	raw := w.b[start:i]
	if len(raw) >= 16 && raw[0] != '"' && isDigits(zeroCopy(raw)) {
		if v, err := strconv.ParseInt(zeroCopy(raw), 10, 64); err != nil || v > maxExact || v < -maxExact {
			return append(append(append(dst, '"'), raw...), '"'), i
		}
	}
	return append(dst, raw...), i
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
func (w *vendorWriter) array(dst []byte, i int, n *node, snake bool) ([]byte, int) {
	if !w.enter() {
		return dst, -1
	}
	var elem *node
	if n != nil && len(n.elems) > 0 {
		elem = n.elems[0].to
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
		if dst, i = w.value(dst, i, elem, nil, snake); i < 0 {
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
