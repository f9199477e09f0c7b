package salesforce

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// simRow is a record: its fields that are not null, by name.
type simRow map[string]any

// simRef is a record that a query found: kept, or made again when it is shown.
type simRef struct {
	n   int
	row simRow
}

// simTable is where the records of an object come from.
type simTable struct {
	scan    func(c *simCall, where *simCond, each func(simRef) bool) // all that where may hold for, and perhaps more, until each is false
	row     func(into simRow, n int) simRow                          // the record again, perhaps in into; nil = it is gone
	ordered bool                                                     // scan gives them in the order of their ids
	when    string                                                   // a column that row is not needed for: at has it
	at      func(n int) time.Time
}

// simPath is a field, over the fields that lead to its object.
type simPath []simField

// path finds a field by its name, which may have the names of relations before it.
func (s *simOrg) path(o *simSchema, name string) (simPath, *simFault) {
	var out simPath
	for {
		first, rest, more := strings.Cut(name, ".")
		if !more {
			f, ok := o.by[strings.ToLower(first)]
			if !ok {
				return nil, simBad("INVALID_FIELD", "No such column '%s' on entity '%s'. If you are attempting to use a custom field, be sure "+
					"to append the '__c' after the custom field name.", first, o.name)
			}
			return append(out, f), nil
		}
		f, ok := o.by[strings.ToLower(first)+"id"]
		next := s.schemas[strings.ToLower(f.to)]
		if !ok || next == nil || len(out) == 5 {
			return nil, simBad("INVALID_FIELD", "Didn't understand relationship '%s' in field path.", first)
		}
		out, o, name = append(out, f), next, rest
	}
}

// value is the field of a record; nil = null.
func (s *simOrg) value(row simRow, p simPath) any {
	for _, f := range p[:len(p)-1] {
		id, _ := row[f.name].(string)
		if row = s.find(id); row == nil {
			return nil
		}
	}
	f := p[len(p)-1]
	switch v := row[f.name].(type) {
	case func() any:
		return v()
	case nil:
		if f.kind == "boolean" {
			return false
		}
	}
	return row[f.name]
}

// holds says whether the condition holds for a record.
func (s *simOrg) holds(c *simCond, o *simSchema, row simRow) bool {
	if c == nil {
		return true
	}
	switch c.op {
	case "and":
		return !slices.ContainsFunc(c.parts, func(p *simCond) bool { return !s.holds(p, o, row) })
	case "or":
		return slices.ContainsFunc(c.parts, func(p *simCond) bool { return s.holds(p, o, row) })
	case "not":
		return !s.holds(c.parts[0], o, row)
	}
	p, _ := s.path(o, c.field) // it was checked
	v := s.value(row, p)
	one := func(w simValue) bool {
		if v == nil || w == nil {
			return v == nil && w == nil
		}
		return simCompare(v, w) == 0
	}
	switch c.op {
	case "=", "in":
		return slices.ContainsFunc(c.values, one)
	case "!=", "not in":
		return !slices.ContainsFunc(c.values, one)
	case "like":
		text, _ := v.(string)
		return v != nil && simLike(strings.ToLower(text), strings.ToLower(c.values[0].(string)))
	}
	if v == nil || c.values[0] == nil {
		return false
	}
	d := simCompare(v, c.values[0])
	return d < 0 && c.op[0] == '<' || d > 0 && c.op[0] == '>' || d == 0 && len(c.op) == 2
}

// simLike matches a text with % for anything and _ for a character.
func simLike(text, pattern string) bool {
	if pattern == "" {
		return text == ""
	}
	if pattern[0] == '%' {
		return simLike(text, pattern[1:]) || text != "" && simLike(text[1:], pattern)
	}
	return text != "" && (pattern[0] == '_' || pattern[0] == text[0]) && simLike(text[1:], pattern[1:])
}

// simCompare compares a field with a literal or another field.
func simCompare(v, w any) int {
	number := func(x any) float64 {
		switch x := x.(type) {
		case int:
			return float64(x)
		case int64:
			return float64(x)
		case float64:
			return x
		}
		return math.NaN()
	}
	switch v := v.(type) {
	case string:
		w, _ := w.(string)
		if simIsID(v) && (len(w) == 15 || len(w) == 18) {
			return cmp.Compare(v[:15], w[:15])
		}
		return cmp.Compare(strings.ToLower(v), strings.ToLower(w))
	case time.Time:
		w, _ := w.(time.Time)
		return v.Compare(w)
	case bool:
		if v == w {
			return 0
		}
		return 1
	}
	return cmp.Compare(number(v), number(w))
}

// simFits says whether a literal may stand beside a field.
func simFits(f simField, op string, v simValue) *simFault {
	ok := v == nil
	switch v := v.(type) {
	case string:
		switch f.kind {
		case "id", "reference":
			if n := len(v); n != 15 && n != 18 {
				return simBad("INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: %s", v)
			}
			ok = true
		default:
			ok = f.kind == "string"
		}
	case bool:
		ok = f.kind == "boolean"
	case time.Time:
		ok = f.kind == "datetime" || f.kind == "date"
	case int64, float64:
		ok = f.kind == "int" || f.kind == "double"
	}
	switch {
	case f.kind == "base64", f.kind == "boolean" && op != "=" && op != "!=", op == "like" && f.kind != "string":
		return simBad("INVALID_QUERY_FILTER_OPERATOR", "invalid operator on %s field: %s", f.kind, f.name)
	case !ok:
		return simBad("INVALID_FIELD", "value of filter criterion for field '%s' must be of type %s and should %sbe enclosed in quotes",
			f.name, f.kind, map[bool]string{false: "not "}[f.kind == "string"])
	}
	return nil
}

// each calls f for the conditions on single fields.
func (c *simCond) each(f func(*simCond)) {
	if c == nil {
		return
	}
	if c.field != "" {
		f(c)
	}
	for _, p := range c.parts {
		p.each(f)
	}
}

// names says whether the condition is about a field.
func (c *simCond) names(fields ...string) (found bool) {
	c.each(func(p *simCond) {
		found = found || slices.ContainsFunc(fields, func(f string) bool { return strings.EqualFold(f, p.field) })
	})
	return found
}

// bounds are the first and the last value of a field for which the condition can hold, as numbers.
func (c *simCond) bounds(field string, number func(simValue) int64) (lo, hi int64) {
	lo, hi = math.MinInt64, math.MaxInt64
	if c == nil {
		return lo, hi
	}
	switch c.op {
	case "and":
		for _, p := range c.parts {
			l, h := p.bounds(field, number)
			lo, hi = max(lo, l), min(hi, h)
		}
	case "or":
		lo, hi = hi, lo
		for _, p := range c.parts {
			l, h := p.bounds(field, number)
			lo, hi = min(lo, l), max(hi, h)
		}
	case "=", "in":
		if strings.EqualFold(c.field, field) {
			lo, hi = hi, lo
			for _, v := range c.values {
				lo, hi = min(lo, number(v)), max(hi, number(v))
			}
		}
	case "<", "<=":
		if strings.EqualFold(c.field, field) {
			hi = number(c.values[0])
		}
	case ">", ">=":
		if strings.EqualFold(c.field, field) {
			lo = number(c.values[0])
		}
	}
	return lo, hi
}

// span is the time that a condition on a field is about.
func (c *simCond) span(field string) (from, to time.Time) {
	lo, hi := c.bounds(field, func(v simValue) int64 {
		at, _ := v.(time.Time)
		return at.UnixMilli()
	})
	const most = 1 << 45 // milliseconds: some thousand years
	return time.UnixMilli(max(lo, 0)), time.UnixMilli(min(hi, most))
}

// check finds what is wrong with a query of an object.
func (s *simOrg) check(q *simQuery, o *simSchema) (no *simFault) {
	seen := map[string]bool{}
	for _, name := range q.fields {
		if seen[strings.ToLower(name)] {
			return simBad("INVALID_FIELD", "duplicate field selected: %s", name)
		}
		seen[strings.ToLower(name)] = true
		if _, no = s.path(o, name); no != nil && name != "COUNT()" {
			return no
		}
	}
	no = nil
	q.where.each(func(c *simCond) {
		p, bad := s.path(o, c.field)
		for _, v := range c.values {
			if bad == nil {
				bad = simFits(p[len(p)-1], c.op, v)
			}
		}
		no = cmp.Or(no, bad)
	})
	for _, by := range q.orders {
		if _, bad := s.path(o, by.field); bad != nil {
			no = cmp.Or(no, bad)
		}
	}
	return cmp.Or(no, s.restrict(q, o))
}

// search finds the records in the order that is asked for.
func (s *simOrg) search(c *simCall, q *simQuery, o *simSchema) []simRef {
	var refs []simRef
	var keys []any // as many for each of refs as there are orders
	paths := make([]simPath, len(q.orders))
	for i, by := range q.orders {
		paths[i], _ = s.path(o, by.field)
	}
	t := s.tables[o.name]
	into := simRow{}
	timed := t.when != "" && q.about(t.when)
	most := math.MaxInt
	if t.ordered && q.limit >= 0 && len(q.orders) == 1 && q.orders[0].field == "Id" && !q.orders[0].desc {
		most = q.offset + q.limit
	}
	t.scan(c, q.where, func(r simRef) bool {
		row := r.row
		switch {
		case row != nil:
		case timed:
			row = into
			row[t.when] = t.at(r.n)
		default:
			row = t.row(into, r.n)
		}
		if row == nil || row["IsDeleted"] == true && !q.deleted || !s.holds(q.where, o, row) {
			return true
		}
		for _, p := range paths {
			keys = append(keys, s.value(row, p))
		}
		refs = append(refs, r)
		return len(refs) < most
	})
	refs = simSort(refs, keys, q.orders)
	refs = refs[min(q.offset, len(refs)):]
	if q.limit >= 0 {
		refs = refs[:min(q.limit, len(refs))]
	}
	return refs
}

// about says whether conditions and order are of one column only.
func (q *simQuery) about(column string) bool {
	only := true
	q.where.each(func(c *simCond) { only = only && strings.EqualFold(c.field, column) })
	for _, by := range q.orders {
		only = only && strings.EqualFold(by.field, column)
	}
	return only
}

// simSort brings records in the order of their keys, of which each has as many as there are orders.
func simSort(refs []simRef, keys []any, orders []simOrder) []simRef {
	n := len(orders)
	compare := func(a, b int) int {
		for i, by := range orders {
			d := simNullsFirst(keys[a*n+i], keys[b*n+i])
			if by.desc {
				d = -d
			}
			if d != 0 {
				return d
			}
		}
		return 0
	}
	places := make([]int, len(refs))
	for i := range places {
		places[i] = i
	}
	if n == 0 || slices.IsSortedFunc(places, compare) {
		return refs
	}
	slices.SortStableFunc(places, compare)
	sorted := make([]simRef, len(refs))
	for i, at := range places {
		sorted[i] = refs[at]
	}
	return sorted
}

func simNullsFirst(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return simCompare(a, b)
}
