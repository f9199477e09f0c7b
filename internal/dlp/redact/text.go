package redact

import (
	"bytes"
	"cmp"
	"slices"
)

// Text masks the values in a text that is no JSON. It gives the text itself where there is none.
func (s *Values) Text(b []byte) []byte {
	if s.Empty() || len(b) == 0 {
		return b
	}
	s.views[0] = view{b: b}
	return s.splice(nil, b, s.places(0))
}

// Holds says whether a value stands in a text.
func (s *Values) Holds(b []byte) bool {
	if s.Empty() || len(b) == 0 {
		return false
	}
	s.views[0] = view{b: b}
	return len(s.places(0)) > 0
}

// inside masks the values in the inside of a JSON string.
func (s *Values) inside(b []byte) []byte {
	v := &s.views[1]
	s.views[0] = view{b: b}
	if bytes.IndexByte(b, '\\') < 0 {
		return s.splice(nil, b, s.places(0))
	}
	v.unescape(&s.views[0], true)
	return s.splice(nil, b, s.places(1))
}

// places are where values stand in a text, by views[n] and those that it leads to. None overlap.
func (s *Values) places(n int) []place {
	s.found = s.found[:0]
	for ; ; n++ {
		s.look(&s.views[n])
		if n+1 == maxViews || bytes.IndexByte(s.views[n].b, '\\') < 0 && bytes.IndexByte(s.views[n].b, '%') < 0 ||
			!s.views[n+1].unescape(&s.views[n], false) {
			break
		}
	}
	slices.SortFunc(s.found, func(a, b place) int { return cmp.Or(a.from-b.from, b.to-a.to) })
	out := s.found[:0]
	for _, p := range s.found {
		if k := len(out) - 1; k >= 0 && p.from < out[k].to {
			if p.to-p.from > out[k].to-out[k].from {
				out[k].v = p.v
			}
			out[k].to = max(out[k].to, p.to)
			continue
		}
		out = append(out, p)
	}
	return out
}

// look finds the values in a view.
func (s *Values) look(v *view) {
	f := &s.room
	f.fold(v.b)
	for i := range f.text {
		if i > 0 && f.from[i] == f.from[i-1] { // in the middle of a letter
			continue
		}
		s.plain.at(f.text, i, func(val *value, n int) {
			from, to := f.from[i], f.to[i+n-1]
			gap := max(val.gap, maxGap)
			if val.alone && n < minFree {
				gap = max(val.gap, 1)
			}
			if i+n < len(f.text) && f.from[i+n] == f.from[i+n-1] || !f.close(i, n, gap) || s.name && val.letters ||
				val.alone && within(v.b, from, to) {
				return
			}
			if bytes.HasSuffix(v.b[:from], []byte(val.lead)) {
				from -= len(val.lead)
			}
			if bytes.HasPrefix(v.b[to:], []byte(val.tail)) {
				to += len(val.tail)
			}
			from, to = v.span(from, to)
			s.found = append(s.found, place{from, to, val})
		})
	}
	if len(s.signs.whole) == 0 || s.name {
		return
	}
	for i := range v.b {
		s.signs.at(v.b, i, func(val *value, n int) {
			from, to := v.span(i, i+n)
			s.found = append(s.found, place{from, to, val})
		})
	}
}

// splice puts the labels in their places.
func (s *Values) splice(dst, b []byte, at []place) []byte {
	if len(at) == 0 {
		return b
	}
	done := 0
	for _, p := range at {
		dst = append(append(dst, b[done:p.from]...), p.v.label...)
		done = p.to
		s.count(p.v)
	}
	return append(dst, b[done:]...)
}

func (s *Values) count(v *value) {
	if s.Masked == nil {
		s.Masked = map[string]int64{}
	}
	s.Masked[v.kind]++
}
