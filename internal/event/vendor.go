package event

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

// Vendor says how a module's own fields are written from the body (schema.md §10). Null members are left out, everything
// else stays as sent; whole numbers beyond 2^53 are strings. Datasets of our own ("saas.…") have no vendor root.
type Vendor struct {
	Module string
	Root   string            // "okta"; "" = the record's event.dataset ("azure.signinlogs")
	Snake  bool              // keys in snake_case, else as sent
	Flat   map[string]string // path of an object → name of the field that also holds it whole: "debugContext.debugData" → "flattened"
	Layout *Layout           // spelling of keys that arrive in another case
	// Texts are members of the body whose objects and lists are written twice: in their place, under the name given here, as one text
	// {a=b, c=[d]}, and whole below "flattened" under that name, the names within as sent.
	Texts map[string]string
	// Fields are the members that get a field of their own in an index, as they are written: types, each before its names,
	// "keyword okta.actor.{id,type} ip okta.client.ip_address". They are those of Typed; "" = none.
	Fields string
	Typed  []string // datasets with Fields: "okta.system", "box_events.*"
	// Reshape rewrites the body before its fields are written and read: name/value lists to objects, for instance. id is the
	// record's event.id, which tells apart the records of one body. It must be pure and must not change raw; nil = as sent. What it
	// returns must be an object, else there is no vendor root.
	Reshape func(dataset, id string, raw json.RawMessage) json.RawMessage
	// Names are where a document has the fields that public rules name otherwise than the provider's objects do, by these names in
	// small letters: "protopayload.servicename" → "service.name".
	Names map[string]string
}

// vendor is a registered Vendor.
type vendor struct {
	Vendor
	flat *flatNode
	top  *node
}

// flatNode is one step of the paths in Flat; name is set at the end of one.
type flatNode struct {
	step string
	name string
	sent bool // names below are as sent
	kids []*flatNode
}

var vendors struct {
	mu    sync.Mutex // of writers
	table atomic.Pointer[map[string]*vendor]
}

// RegisterVendor makes a module's fields known to View and AppendECS. Registering the same module again replaces it.
func RegisterVendor(v Vendor) {
	made := &vendor{Vendor: v, flat: &flatNode{}}
	checkVendorFields(v)
	if v.Layout != nil {
		made.top = v.Layout.root
	}
	for path, name := range v.Flat {
		n := made.flat
		for step := range pathSteps(path) {
			step = strings.ReplaceAll(step, "\x00", ".")
			to := n.kid([]byte(step))
			if to == nil {
				to = &flatNode{step: step}
				n.kids = append(n.kids, to)
			}
			n = to
		}
		n.name = name
	}
	if len(v.Texts) > 0 {
		made.flat.kids = append(made.flat.kids, &flatNode{step: asSent, sent: true})
	}
	vendors.mu.Lock()
	defer vendors.mu.Unlock()
	table := map[string]*vendor{v.Module: made}
	if old := vendors.table.Load(); old != nil {
		table = maps.Clone(*old)
		table[v.Module] = made
	}
	vendors.table.Store(&table)
}

// vendorOf gives the vendor of a record, its root and its body; nil when it has no fields of a vendor.
func vendorOf(w View, module, dataset, body string) (v *vendor, root string, raw []byte) {
	table := vendors.table.Load()
	if table == nil || body == "" || strings.HasPrefix(dataset, "saas.") {
		return nil, "", nil
	}
	if v = (*table)[module]; v == nil {
		return nil, "", nil
	}
	if root = v.Root; root == "" {
		root = dataset
	}
	raw = unsafe.Slice(unsafe.StringData(body), len(body))
	if v.Reshape != nil {
		raw = v.Reshape(dataset, w.Str("event.id"), raw)
	}
	if i := space(raw, 0); root == "" || i >= len(raw) || raw[i] != '{' {
		return nil, "", nil
	}
	if len(v.Texts) > 0 {
		raw = v.texts(raw)
	}
	return v, root, raw
}

// outName is a member's name as it is written: spelled as the layout does, in snake_case if asked for.
func (v *vendor) outName(dst []byte, n *node, key []byte, snake bool) (name []byte, to *node) {
	if n != nil {
		if e := n.find(key, false); e >= 0 {
			if snake {
				return append(dst, n.edges[e].snake...), n.edges[e].to
			}
			return appendClean(dst, n.edges[e].key), n.edges[e].to
		}
	}
	if snake {
		return appendSnake(dst, zeroCopy(key)), nil
	}
	return appendClean(dst, zeroCopy(key)), nil
}

func (f *flatNode) kid(key []byte) *flatNode {
	if f == nil {
		return nil
	}
	for _, k := range f.kids {
		if len(k.step) == len(key) && foldEqual(k.step, key) {
			return k
		}
	}
	return nil
}

// member is the place of a member with this key.
func (p *spot) member(to *node, key []byte) spot {
	f := p.f.kid(key)
	return spot{n: to, f: f, snake: p.snake && (f == nil || !f.sent)}
}

// appendSnake appends key in snake_case: debugContext → debug_context, requestURI → request_uri, @odata.type → odata.type.
func appendSnake(dst []byte, key string) []byte {
	start, plain := len(dst), 0
	for plain < len(key) && (key[plain] >= 'a' && key[plain] <= 'z' || key[plain] >= '0' && key[plain] <= '9' || key[plain] == '_') {
		plain++
	}
	dst = append(dst, key[:plain]...)
	if plain == len(key) && plain > 0 {
		return dst
	}
	prev := rune(0)
	if plain > 0 {
		prev = rune(key[plain-1])
	}
	for i, c := range key[plain:] {
		i += plain
		switch {
		case c < utf8.RuneSelf && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '_'):
			dst = append(dst, byte(c))
		case unicode.IsUpper(c):
			if len(dst) > start && prev != '_' && prev != '.' {
				next, _ := utf8.DecodeRuneInString(key[i+utf8.RuneLen(c):])
				if unicode.IsLower(prev) || unicode.IsDigit(prev) || unicode.IsUpper(prev) && unicode.IsLower(next) {
					dst = append(dst, '_')
				}
			}
			dst = utf8.AppendRune(dst, unicode.ToLower(c))
		case unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c):
			dst = utf8.AppendRune(dst, c)
		case len(dst) > start && prev != '_' && dst[len(dst)-1] != '.':
			dst = append(dst, '_')
			prev = '_'
			continue
		}
		prev = c
	}
	if len(dst) > start+1 && dst[len(dst)-1] == '_' && !strings.HasSuffix(key, "_") {
		dst = dst[:len(dst)-1]
	}
	return cleanDots(dst, start)
}

// appendClean appends key as sent, but for dots that Elasticsearch refuses.
func appendClean(dst []byte, key string) []byte {
	start := len(dst)
	return cleanDots(append(dst, key...), start)
}

// cleanDots drops empty steps from dst[start:]; a name of nothing becomes an underscore.
func cleanDots(dst []byte, start int) []byte {
	if len(dst) > start && dst[start] > ' ' && bytes.IndexByte(dst[start:], '.') < 0 {
		return dst
	}
	w := start
	blank := true
	for i := start; i < len(dst); i++ {
		c := dst[i]
		if c == '.' && (w == start || i+1 == len(dst) || dst[i+1] == '.') {
			continue
		}
		blank = blank && c <= ' '
		dst[w] = c
		w++
	}
	if blank {
		return append(dst[:start], '_')
	}
	return dst[:w]
}
