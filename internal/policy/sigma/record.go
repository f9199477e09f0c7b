package sigma

import (
	"encoding/json"
	"fmt"
	"strings"
	"unsafe"

	"github.com/longshore-dev/longshore/internal/event"
)

// record is what a rule is asked of. Nothing of it is decoded but what the rule compares.
type record struct {
	raw    []byte     // the provider's object
	doc    []byte     // of a document
	view   event.View // of a record
	viewed bool       // it is one
}

// item is a field of a rule, or keywords when it has no name, and what its values are compared with.
type item struct {
	field    string
	exported string // where our documents have it; "" = nowhere
	tests    []test
	any      test // tests as one
	all      bool // every test is to be met, else one
	exists   bool // it is enough that there is a value
	absent   bool // it is enough that there is none
	refs     []ref
	op       string // of refs
	cased    bool   // of refs
}

// ref is another field, to compare with.
type ref struct{ field, exported string }

func (i *item) holds(d *record) bool {
	if i.exists || i.absent {
		has := false
		d.each(i.field, i.exported, func(string) bool { has = true; return false })
		if has && i.exists || !has && i.absent {
			return true
		}
	}
	if len(i.refs) > 0 {
		return i.refer(d)
	}
	if len(i.tests) == 0 {
		return false
	}
	if !i.all {
		return d.some(i, i.any)
	}
	for _, t := range i.tests {
		if !d.some(i, t) {
			return false
		}
	}
	return true
}

// refer compares with the values of other fields of the same record.
func (i *item) refer(d *record) bool {
	for n, to := range i.refs {
		met := false
		d.each(to.field, to.exported, func(other string) bool {
			met = d.some(i, newPattern(other, i.op, i.cased, true))
			return !met
		})
		if met != i.all || n == len(i.refs)-1 {
			return met
		}
	}
	return false
}

// some says whether any value of the item's field meets a test.
func (d *record) some(i *item, t test) (met bool) {
	d.each(i.field, i.exported, func(s string) bool { met = t.is(s); return !met })
	return met
}

// each gives the values of a field as text: of the body under the provider's name for it, else under the exported one, else
// under the rule's own. A list gives its elements, an object its JSON, null nothing. No field: every text of the body.
func (d *record) each(field, exported string, yield func(string) bool) {
	if field == "" {
		words(d.body(), 0, yield)
		return
	}
	found := false
	seen := func(s string) bool { found = true; return yield(s) }
	walk(d.raw, field, 0, seen)
	for _, name := range [...]string{exported, field} {
		switch {
		case found || name == "":
		case d.viewed:
			if v, ok := d.view.Get(name); ok {
				plain(v, seen)
			}
		default:
			walk(d.doc, name, 0, seen)
		}
	}
}

// body is what keywords are looked for in.
func (d *record) body() []byte {
	if len(d.raw) > 0 {
		return d.raw
	}
	return d.doc
}

// maxNesting bounds lists in lists and objects in objects.
const maxNesting = 200

// walk gives the values at a path of a JSON object, through lists, names in any case. It says false when told to end.
func walk(raw json.RawMessage, path string, depth int, yield func(string) bool) bool {
	switch {
	case len(raw) == 0 || depth > maxNesting:
		return true
	case path == "":
		return values(raw, depth, yield)
	case raw[0] == '[':
		for e := range event.Elems(raw) {
			if !walk(e, path, depth+1, yield) {
				return false
			}
		}
		return true
	}
	for name, val := range event.Members(raw) {
		if len(path) < len(name) || !strings.EqualFold(path[:len(name)], name) {
			continue
		}
		rest := path[len(name):]
		if rest != "" && rest[0] != '.' {
			continue
		}
		if !walk(val, strings.TrimPrefix(rest, "."), depth+1, yield) {
			return false
		}
	}
	return true
}

func values(raw json.RawMessage, depth int, yield func(string) bool) bool {
	switch {
	case len(raw) == 0 || depth > maxNesting || raw[0] == 'n':
		return true
	case raw[0] != '[':
		return yield(text(raw))
	}
	empty := true
	for e := range event.Elems(raw) {
		empty = false
		if !values(e, depth+1, yield) {
			return false
		}
	}
	return !empty || yield("[]")
}

// words gives every text and number in a value.
func words(raw json.RawMessage, depth int, yield func(string) bool) bool {
	switch {
	case len(raw) == 0 || depth > maxNesting || raw[0] == 'n':
	case raw[0] == '[':
		for e := range event.Elems(raw) {
			if !words(e, depth+1, yield) {
				return false
			}
		}
	case raw[0] == '{':
		for _, e := range event.Members(raw) {
			if !words(e, depth+1, yield) {
				return false
			}
		}
	default:
		return yield(text(raw))
	}
	return true
}

// text is a JSON value as rules compare it.
func text(raw json.RawMessage) string {
	if raw[0] != '"' {
		return unsafe.String(unsafe.SliceData(raw), len(raw))
	}
	in := raw[1 : len(raw)-1]
	s := unsafe.String(unsafe.SliceData(in), len(in))
	if strings.IndexByte(s, '\\') >= 0 {
		var out string
		if json.Unmarshal(raw, &out) == nil {
			return out
		}
	}
	return s
}

// plain gives the texts of a value that View.Get gave.
func plain(v any, yield func(string) bool) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return yield(v)
	case []any:
		for _, e := range v {
			if !plain(e, yield) {
				return false
			}
		}
		return len(v) > 0 || yield("[]")
	case map[string]any:
		b, err := json.Marshal(v)
		return err != nil || yield(string(b))
	}
	return yield(fmt.Sprint(v))
}

// object is the JSON object in s without a copy, which nobody writes to; nil when there is none.
func object(s string) []byte {
	if s = strings.TrimLeft(s, " \t\r\n"); s == "" || s[0] != '{' {
		return nil
	}
	return unsafe.Slice(unsafe.StringData(s), len(s))
}
