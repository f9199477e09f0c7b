package dlp

import (
	"slices"
	"strings"
	"unsafe"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/event"
)

// reader shows the wanted fields of records to a scanner.
type reader struct {
	*dlp.Scanner
	fields []string
	skip   []string
	w      event.View // the record that is being read
	bytes  int64
}

// read shows those of a record, the body by body.
func (r *reader) read(w event.View, body func(v pcommon.Value)) {
	r.Reset()
	r.w = w
	attrs := w.Log.Attributes()
	for _, f := range r.fields {
		switch f {
		case fieldBody:
			body(w.Log.Body())
		case fieldAttributes:
			for name, v := range attrs.All() {
				r.value(name, v, 0)
			}
		default:
			if v, ok := attrs.Get(f); ok {
				r.value(f, v, 0)
			}
		}
	}
}

// body scans a body: the raw object, or what other receivers put there.
func (r *reader) body(v pcommon.Value) {
	if v.Type() != pcommon.ValueTypeStr {
		r.value("", v, 0)
		return
	}
	s := v.Str()
	r.bytes += int64(len(s))
	if start := strings.TrimLeft(s, " \t\r\n"); start != "" && (start[0] == '{' || start[0] == '[') {
		r.JSON(bytesOf(s))
	} else {
		r.Text(bytesOf(s), "")
	}
}

// value scans a value and what is below it. Numbers are of interest in the provider's own object only.
func (r *reader) value(name string, v pcommon.Value, depth int) {
	if slices.Contains(r.skip, name) || depth > maxNested {
		return
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		r.bytes += int64(len(v.Str()))
		r.Text(bytesOf(v.Str()), name)
	case pcommon.ValueTypeBytes:
		r.bytes += int64(v.Bytes().Len())
		r.Text(v.Bytes().AsRaw(), name)
	case pcommon.ValueTypeSlice:
		for _, e := range v.Slice().All() {
			r.value(name, e, depth+1)
		}
	case pcommon.ValueTypeMap:
		for key, e := range v.Map().All() {
			if name != "" {
				key = name + "." + key
			}
			r.value(key, e, depth+1)
		}
	}
}

// knows says whether an address belongs to the people of the record: then it is no finding.
func (r *reader) knows(address string) bool {
	for name, v := range r.w.Log.Attributes().All() {
		if !names(name) {
			continue
		}
		if v.Type() == pcommon.ValueTypeSlice {
			for _, e := range v.Slice().All() {
				if strings.EqualFold(e.AsString(), address) {
					return true
				}
			}
		} else if strings.EqualFold(v.AsString(), address) {
			return true
		}
	}
	return false
}

// names says whether a field names people: user.email, user.target.name, email.from.address.
func names(field string) bool {
	switch {
	case field == "related.user":
		return true
	case strings.Contains(field, "user."):
		return strings.HasSuffix(field, ".email") || strings.HasSuffix(field, ".name") || strings.HasSuffix(field, ".id")
	}
	return strings.HasPrefix(field, "email.") && strings.HasSuffix(field, ".address")
}

// bytesOf are the bytes of a string, to be read only.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
