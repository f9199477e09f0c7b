package event

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"iter"
	"strconv"
	"strings"
	"unsafe"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// View reads one record of a batch, whoever made it. Only the encodings of OTLP read Scope, which may be left out.
type View struct {
	Res   plog.ResourceLogs
	Log   plog.LogRecord
	Scope plog.ScopeLogs
}

func (w View) hasScope() bool { return w.Scope != plog.ScopeLogs{} }

// Copy is the record alone, to be changed. Its scope is an empty one.
func (w View) Copy() View {
	c := View{Res: plog.NewResourceLogs()}
	w.Res.Resource().CopyTo(c.Res.Resource())
	c.Log = c.Res.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	w.Log.CopyTo(c.Log)
	return c
}

// Views iterates over all records of a batch.
func Views(l plog.Logs) iter.Seq[View] {
	return func(yield func(View) bool) {
		for _, rl := range l.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					if !yield(View{rl, lr, sl}) {
						return
					}
				}
			}
		}
	}
}

// attr is an attribute, else a resource attribute.
func (w View) attr(name string) (pcommon.Value, bool) {
	if v, ok := w.Log.Attributes().Get(name); ok {
		return v, true
	}
	return w.Res.Resource().Attributes().Get(name)
}

// Str is an attribute or resource attribute as text; "" when absent; a list's first value.
func (w View) Str(name string) string {
	v, ok := w.attr(name)
	if !ok {
		return ""
	}
	if v.Type() == pcommon.ValueTypeSlice {
		if v.Slice().Len() == 0 {
			return ""
		}
		v = v.Slice().At(0)
	}
	return v.AsString()
}

// Strs is a list attribute as texts; a single value is a list of one.
func (w View) Strs(name string) []string {
	v, ok := w.attr(name)
	switch {
	case !ok || v.Type() == pcommon.ValueTypeEmpty:
		return nil
	case v.Type() != pcommon.ValueTypeSlice:
		return []string{v.AsString()}
	}
	out := make([]string, 0, v.Slice().Len())
	for _, e := range v.Slice().All() {
		out = append(out, e.AsString())
	}
	return out
}

// Get is an attribute, a resource attribute, or a vendor field ("okta.client.zone") read from the body: a string, bool,
// int64, float64, []any or map[string]any. A field below a list of objects is the list of its values.
func (w View) Get(name string) (any, bool) {
	if v, ok := w.attr(name); ok {
		return v.AsRaw(), true
	}
	switch name {
	case "event.original":
		return w.Raw(), w.Raw() != ""
	case "event.hash":
		if w.Raw() == "" {
			return nil, false
		}
		return string(appendHash(nil, w.Raw())), true
	case "@timestamp":
		if w.Log.Timestamp() == 0 {
			return nil, false
		}
		return string(appendTime(nil, w.Log.Timestamp().AsTime())), true
	case "event.created":
		if w.Log.ObservedTimestamp() == 0 {
			return nil, false
		}
		return string(appendTime(nil, w.Log.ObservedTimestamp().AsTime())), true
	}
	v, root, raw := vendorOf(w, w.Str("event.module"), w.Str("event.dataset"), w.Raw())
	if v == nil {
		return nil, false
	}
	rest, ok := strings.CutPrefix(name, root)
	if !ok || rest == "" || rest[0] != '.' {
		return nil, false
	}
	found := v.lookup(nil, raw, rest[1:], v.top, v.flat, v.Snake)
	switch len(found) {
	case 0:
		return nil, false
	case 1:
		return found[0], true
	}
	return found, true
}

// lookup appends what path leads to in raw, through lists.
func (v *vendor) lookup(found []any, raw json.RawMessage, path string, n *node, f *flatNode, snake bool) []any {
	if path == "" {
		if val, ok := v.native(raw, n, f, snake); ok {
			found = append(found, val)
		}
		return found
	}
	i := space(raw, 0)
	if i < len(raw) && raw[i] == '[' {
		var elem *node
		if n != nil && len(n.elems) > 0 {
			elem = n.elems[0].to
		}
		for e := range Elems(raw) {
			found = v.lookup(found, e, path, elem, nil, snake)
		}
		return found
	}
	if f != nil && f.name != "" {
		if rest, ok := strings.CutPrefix(path, f.name); ok && (rest == "" || rest[0] == '.') {
			return v.lookup(found, raw, strings.TrimPrefix(rest, "."), nil, nil, false)
		}
	}
	var buf [64]byte
	before := len(found)
	for key, val := range Members(raw) {
		name, to := v.outName(buf[:0], n, []byte(key), snake)
		rest, ok := cutFold(path, zeroCopy(name))
		if ok && val[0] == 'n' {
			found = found[:before]
		} else if ok {
			p := (&spot{f: f, snake: snake}).member(to, []byte(key))
			found = v.lookup(found[:before], val, rest, p.n, p.f, p.snake)
		}
	}
	return found
}

// cutFold takes name, in any case, and the dot after it from the start of path.
func cutFold(path, name string) (rest string, ok bool) {
	if len(path) < len(name) || !strings.EqualFold(path[:len(name)], name) {
		return "", false
	}
	rest = path[len(name):]
	if rest == "" {
		return "", true
	}
	return rest[1:], rest[0] == '.'
}

// native is a value of a body as Go has it, with the names under which it is written.
func (v *vendor) native(raw json.RawMessage, n *node, f *flatNode, snake bool) (any, bool) {
	w := vendorWriter{scanner: scanner{b: raw, final: true, depth: 1}, v: v}
	out, end := w.from(nil, space(raw, 0), &spot{n: n, f: f, snake: snake})
	if end < 0 || len(out) == 0 {
		return nil, false
	}
	return decode(out), true
}

// decode is a checked JSON value as Go has it: whole numbers as int64.
func decode(raw json.RawMessage) any {
	switch raw[0] {
	case '{':
		m := map[string]any{}
		for name, val := range Members(raw) {
			m[name] = decode(val)
		}
		return m
	case '[':
		list := []any{}
		for val := range Elems(raw) {
			list = append(list, decode(val))
		}
		return list
	case '"':
		s, _ := text(raw)
		return s
	case 't', 'f':
		return raw[0] == 't'
	case 'n':
		return nil
	}
	if n, err := strconv.ParseInt(zeroCopy(raw), 10, 64); err == nil {
		return n
	}
	f, err := strconv.ParseFloat(zeroCopy(raw), 64)
	if err != nil {
		return string(raw)
	}
	return f
}

// Raw is the body.
func (w View) Raw() string {
	if b := w.Log.Body(); b.Type() == pcommon.ValueTypeStr {
		return b.Str()
	}
	return w.Log.Body().AsString()
}

// Map is the whole ECS document as nested maps, with the vendor root.
func (w View) Map() map[string]any {
	m, ok := decode(AppendECS(nil, w, Encoding{NoOriginal: true})).(map[string]any)
	if !ok {
		return map[string]any{}
	}
	if raw := w.Raw(); raw != "" {
		ev, ok := m["event"].(map[string]any)
		if !ok {
			ev = map[string]any{}
			m["event"] = ev
		}
		ev["original"] = raw
	}
	return m
}

// DocID is the stable id of the record (schema.md §11): base64url of the first 15 bytes of SHA-256 over module, dataset,
// tenant and event.id, joined by a zero byte. For a record without event.id, which only others make, the document takes
// its place.
func (w View) DocID() string {
	id := w.Str("event.id")
	if id == "" {
		id = zeroCopy(AppendECS(nil, w, Encoding{NoVendor: true, NoClock: true}))
	}
	return hashID(w.Str("event.module"), w.Str("event.dataset"), w.Str("saas.tenant"), id)
}

// EntityID is the stable id of an entity: the same over module, tenant, entity.type and entity.id; "" for what is none.
func (w View) EntityID() string {
	typ, id := w.Str("entity.type"), w.Str("entity.id")
	if typ == "" || id == "" {
		return ""
	}
	return hashID(w.Str("event.module"), w.Str("saas.tenant"), typ, id)
}

func hashID(parts ...string) string {
	var buf [256]byte
	b := buf[:0]
	for i, p := range parts {
		if i > 0 {
			b = append(b, 0)
		}
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	out := make([]byte, 20)
	base64.RawURLEncoding.Encode(out, sum[:15])
	return unsafe.String(unsafe.SliceData(out), len(out))
}
