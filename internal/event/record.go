package event

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

const (
	maxList      = 1024 // elements of a list field
	maxRelations = 500
	maxExact     = 1 << 53
)

// Record is one record being made. Setters leave out unknown values: "", "null", "-", "unknown", "N/A" in any case, and
// values that do not fit the type of the ECS name. Setting a name again replaces its value; a list grows.
type Record struct{ record }

type record struct {
	b       *Batch
	s       *scratch // nil when the record can no longer be changed
	body    json.RawMessage
	dataset string
	time    pcommon.Timestamp
	entity  bool
	deleted bool
}

// Str sets a field by the type of its name: source.ip takes only addresses (anything else goes to source.address), a long
// only whole numbers, a date only what ParseTime reads.
func (r *Record) Str(name, val string) {
	if r.s != nil {
		r.str(r.b.nameID(name), valid(val))
	}
}

// valid makes UTF-8 of a string: one that is not would make a receiver refuse the whole batch.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// Strs adds to a list; repeats are dropped; nothing when empty.
func (r *Record) Strs(name string, vals ...string) {
	if r.s == nil {
		return
	}
	id := r.b.nameID(name)
	for _, val := range vals {
		r.elem(id, valid(val))
	}
}

// Int sets a whole number; beyond 2^53 it is kept as a string.
func (r *Record) Int(name string, val int64) {
	if r.s != nil {
		r.int(r.b.nameID(name), val)
	}
}

// Float sets a number; NaN and the infinities are left out.
func (r *Record) Float(name string, val float64) {
	if r.s == nil || math.IsNaN(val) || math.IsInf(val, 0) {
		return
	}
	switch id := r.b.nameID(name); kindOfField(id) {
	case floatKind, anyKind:
		v := r.s.at(id)
		v.kind, v.num = floatValue, math.Float64bits(val)
	default:
		r.str(id, r.b.hold(strconv.AppendFloat(nil, val, 'f', -1, 64)))
	}
}

// Bool sets a boolean.
func (r *Record) Bool(name string, val bool) {
	if r.s != nil {
		r.bool(r.b.nameID(name), val)
	}
}

// Date sets a time, in UTC; the zero time is left out.
func (r *Record) Date(name string, t time.Time) {
	if r.s != nil {
		r.date(r.b.nameID(name), t)
	}
}

// JSON sets a nested value: an object, a list, or a scalar as by Str. raw must not be changed after it.
func (r *Record) JSON(name string, raw json.RawMessage) {
	if r.s == nil || !json.Valid(raw) {
		return
	}
	i := space(raw, 0)
	r.put(r.b.nameID(name), trimSpace(raw[i:]), nil, 0)
}

// Time sets @timestamp; what no timestamp can hold is left out.
func (r *Record) Time(t time.Time) {
	if ns := t.UnixNano(); t.Year() > 1 && t.Year() < 2262 && ns > 0 {
		r.time = pcommon.Timestamp(ns)
	}
}

// Dataset sets event.dataset, when it is not the origin's.
func (r *Record) Dataset(d string) { r.dataset = d }

// ID sets event.id.
func (r *Record) ID(id string) { r.Str("event.id", id) }

// HasID says whether event.id is set.
func (r *Record) HasID() bool { return r.s != nil && r.s.has(idID) }

// NoTime says whether @timestamp is not set.
func (r *Record) NoTime() bool { return r.time == 0 }

// Get gives a value set before, as text; a list's first; "" when there is none or the record can no longer be changed.
func (r *Record) Get(name string) string {
	id := fieldID(name)
	if r.s != nil && id < 0 {
		if extra, ok := r.b.extraID[name]; ok {
			id = extra
		}
	}
	if r.s == nil || id < 0 || !r.s.has(id) {
		return ""
	}
	switch v := r.s.at(id); v.kind {
	case strValue, jsonValue:
		return v.str
	case listValue:
		return v.list[0]
	case intValue:
		return strconv.FormatInt(int64(v.num), 10)
	case floatValue:
		return strconv.FormatFloat(math.Float64frombits(v.num), 'f', -1, 64)
	default:
		return strconv.FormatBool(v.num != 0)
	}
}

// unknown says whether a string stands for no value.
func unknown(s string) bool {
	switch len(s) {
	case 0:
		return true
	case 1:
		return s == "-"
	case 3:
		return strings.EqualFold(s, "n/a")
	case 4:
		return s[0]|0x20 == 'n' && strings.EqualFold(s, "null")
	case 7:
		return s[0]|0x20 == 'u' && strings.EqualFold(s, "unknown")
	}
	return false
}

func kindOfField(id int) fieldKind {
	if id < len(fieldTable) {
		return fieldTable[id].kind
	}
	return anyKind
}

// put sets a field from JSON. v and i are where it came from, when it is a value of a table.
func (r *Record) put(id int, raw json.RawMessage, v *Values, i int) {
	if len(raw) == 0 {
		return
	}
	switch raw[0] {
	case '"':
		if v != nil {
			r.str(id, v.Str(i))
		} else if s, ok := text(raw); ok {
			r.str(id, s)
		}
	case 't', 'f':
		r.bool(id, raw[0] == 't')
	case 'n':
	case '{', '[':
		r.nested(id, raw)
	default:
		r.number(id, zeroCopy(raw))
	}
}

func (r *Record) number(id int, lit string) {
	switch kindOfField(id) {
	case anyKind, longKind:
		if n, ok := parseInt(lit); ok {
			r.int(id, n)
			return
		}
		if f, err := strconv.ParseFloat(lit, 64); err == nil && kindOfField(id) == anyKind {
			if f == math.Trunc(f) {
				r.set(id, lit)
				return
			}
			v := r.s.at(id)
			v.kind, v.num = floatValue, math.Float64bits(f)
			return
		}
	}
	r.str(id, lit)
}

// nested sets a list or an object. A keyword takes the scalars of a list; an object does not fit it.
func (r *Record) nested(id int, raw json.RawMessage) {
	kind := kindOfField(id)
	if kind == objectKind || kind == anyKind {
		v := r.s.at(id)
		v.kind, v.str = jsonValue, zeroCopy(raw)
		return
	}
	for e := range Elems(raw) {
		if s, ok := text(e); ok {
			r.elem(id, s)
		} else if fieldTable[id].parallel {
			r.elem(id, "")
		}
	}
}

func (r *Record) str(id int, val string) {
	if id < len(fieldTable) && fieldTable[id].list {
		r.elem(id, val)
		return
	}
	if unknown(val) && id != idOutcome {
		return
	}
	switch kindOfField(id) {
	case ipKind:
		r.ip(id, val)
	case longKind:
		if n, ok := parseInt(val); ok {
			r.int(id, n)
		} else if isDigits(val) {
			r.set(id, val)
		}
	case floatKind:
		if f, err := strconv.ParseFloat(val, 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			v := r.s.at(id)
			v.kind, v.num = floatValue, math.Float64bits(f)
		}
	case boolKind:
		if on, ok := parseBool(val); ok {
			r.bool(id, on)
		}
	case dateKind:
		if t, ok := ParseTime(val); !ok {
			return
		} else if id != idTimestamp && canonicalTime(val) {
			r.set(id, val)
		} else {
			r.date(id, t)
		}
	case objectKind:
	default:
		r.keyword(id, val)
	}
}

func (r *Record) keyword(id int, val string) {
	switch id {
	case idDataset:
		r.dataset = val
		return
	case idOutcome:
		switch strings.ToLower(val) {
		case "success":
			val = "success"
		case "failure":
			val = "failure"
		case "unknown":
			val = "unknown"
		default:
			return
		}
	}
	r.set(id, val)
}

func isDigits(s string) bool {
	s = strings.TrimPrefix(s, "-")
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// canonicalTime says whether s, a valid time, is written as appendTime would.
func canonicalTime(s string) bool {
	return (len(s) == 24 || len(s) == 27 || len(s) == 30) && s[10] == 'T' && s[19] == '.' && s[len(s)-1] == 'Z'
}

func (r *Record) set(id int, val string) {
	v := r.s.at(id)
	v.kind, v.str = strValue, val
}

func (r *Record) int(id int, val int64) {
	switch kindOfField(id) {
	case anyKind, longKind:
		if val > maxExact || val < -maxExact {
			r.set(id, r.b.hold(strconv.AppendInt(nil, val, 10)))
			return
		}
		v := r.s.at(id)
		v.kind, v.num = intValue, uint64(val)
	case objectKind:
	default:
		r.str(id, r.b.hold(strconv.AppendInt(nil, val, 10)))
	}
}

func (r *Record) bool(id int, val bool) {
	switch kindOfField(id) {
	case anyKind, boolKind:
		v := r.s.at(id)
		v.kind, v.num = boolValue, 0
		if val {
			v.num = 1
		}
	case textKind:
		r.str(id, strconv.FormatBool(val))
	}
}

func (r *Record) date(id int, t time.Time) {
	if t.Year() <= 1 {
		return
	}
	switch kindOfField(id) {
	case dateKind, textKind, anyKind:
		if id == idTimestamp {
			r.Time(t)
			return
		}
		var buf [40]byte
		r.set(id, r.b.hold(appendTime(buf[:0], t)))
	}
}

// elem adds one element to a list.
func (r *Record) elem(id int, val string) {
	parallel := id < len(fieldTable) && fieldTable[id].parallel
	if unknown(val) && !parallel {
		return
	}
	if kindOfField(id) == ipKind {
		addr, _, ok := address(val)
		if !ok {
			return
		}
		val = addr
	}
	v := r.s.at(id)
	if v.kind != listValue {
		v.kind, v.list = listValue, v.list[:0]
	}
	if len(v.list) >= maxList {
		return
	}
	if !parallel {
		for _, old := range v.list {
			if old == val {
				return
			}
		}
	}
	v.list = append(v.list, val)
}

// ip sets an address; a port beside it goes to the port, what is no address to the address field.
func (r *Record) ip(id int, val string) {
	addr, port, ok := address(val)
	if !ok {
		if id < len(fieldTable) && fieldTable[id].address > 0 {
			r.set(fieldTable[id].address, val)
		}
		return
	}
	r.set(id, addr)
	if at := fieldTable[id].port; at > 0 && port > 0 && !r.s.has(at) {
		r.int(at, int64(port))
	}
}
