package dlp

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/longshore-dev/longshore/internal/event"
)

// maxMasked is how deep a value may stand in maps and lists. What is deeper no exporter writes.
const maxMasked = 512

// mask masks the values wherever they stand in a record, and in what it shares with others: its resource and scope.
func (r *redactor) mask(w event.View) {
	lr := w.Log
	if w.Str("event.id") == "" { // else records that differ in a value only would be one
		lr.Attributes().PutStr("event.id", r.Key("event.id", []byte(w.DocID())))
	}
	r.any(lr.Body(), "", 0)
	r.pairs(lr.Attributes(), "", 0, true)
	r.pairs(w.Res.Resource().Attributes(), "", 0, true)
	if name := lr.EventName(); !strings.HasPrefix(name, "entity.") && name != w.Str("event.module")+"."+w.Str("event.action") {
		lr.SetEventName(r.text(name))
	}
	lr.SetSeverityText(r.text(lr.SeverityText()))
	scope := w.Scope.Scope()
	scope.SetName(r.text(scope.Name()))
	r.pairs(scope.Attributes(), "", 0, false)
}

func (r *redactor) text(s string) string {
	if s == "" {
		return ""
	}
	out := r.values.Any(bytesOf(s))
	if &out[0] == &bytesOf(s)[0] {
		return s
	}
	return string(out)
}

// any masks a value and what is below it. name is that of the attribute, "" = it is in none.
func (r *redactor) any(v pcommon.Value, name string, depth int) {
	if depth > maxMasked {
		pcommon.NewValueEmpty().CopyTo(v)
		return
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		if s := v.Str(); s != "" {
			if out := r.text(s); out != s {
				v.SetStr(out)
			}
		}
	case pcommon.ValueTypeBytes:
		if b := v.Bytes().AsRaw(); len(b) > 0 {
			v.Bytes().FromRaw(r.values.Text(b))
		}
	case pcommon.ValueTypeInt, pcommon.ValueTypeDouble:
		if label, ok := r.values.Number([]byte(v.AsString())); ok {
			v.SetStr(label)
		}
	case pcommon.ValueTypeSlice:
		if typed(name) {
			v.Slice().RemoveIf(func(e pcommon.Value) bool { return r.holds(e) })
		}
		for _, e := range v.Slice().All() {
			r.any(e, name, depth+1)
		}
	case pcommon.ValueTypeMap:
		r.pairs(v.Map(), name, depth+1, name != "")
	}
}

// pairs masks the values in a map, and in its names. below is the name of the attribute that it is; named: its members have names
// of attributes, of which those that tell what the record is about stay, and those that hold no text go.
func (r *redactor) pairs(m pcommon.Map, below string, depth int, named bool) {
	full := func(name string) string {
		switch {
		case !named:
			return ""
		case below == "":
			return name
		}
		return below + "." + name
	}
	m.RemoveIf(func(name string, v pcommon.Value) bool {
		name = full(name)
		return !identity(name) && v.Type() != pcommon.ValueTypeSlice && typed(name) && r.holds(v)
	})
	renamed := map[string]string{}
	for name, v := range m.All() {
		switch {
		case !identity(full(name)):
			r.any(v, full(name), depth)
		case r.holds(v):
			r.kept++
		}
		if out := r.values.Name(bytesOf(name)); !bytes.Equal(out, bytesOf(name)) {
			renamed[name] = string(out)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(renamed)) {
		masked := renamed[name]
		v, ok := m.Get(name)
		if !ok {
			continue
		}
		for _, taken := m.Get(masked); taken; _, taken = m.Get(masked) {
			masked += "#"
		}
		held := pcommon.NewValueEmpty()
		v.CopyTo(held)
		m.Remove(name)
		held.CopyTo(m.PutEmpty(masked))
	}
}

func (r *redactor) holds(v pcommon.Value) bool { return r.values.Holds([]byte(v.AsString())) }

// typed says whether an attribute holds an address, a number or a time, in whose place no text may stand.
func typed(name string) bool {
	switch event.FieldType(name) {
	case "ip", "date", "long", "float", "boolean", "geo_point":
		return true
	}
	return false
}
