package event

import (
	"encoding/json"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

type valueKind uint8

const (
	strValue valueKind = iota
	intValue
	floatValue
	boolValue
	listValue
	jsonValue
	relationsValue
)

// value is one attribute of a record being made.
type value struct {
	id   int32
	kind valueKind
	num  uint64
	str  string
	list []string
	rel  *scratch
}

// scratch is the working state of one record; it is used again for a later one.
type scratch struct {
	vals      []value
	index     []uint16 // by field id: one more than its place in vals
	relations [][3]string
}

func (s *scratch) has(id int) bool { return id < len(s.index) && s.index[id] != 0 }

// at gives the value of a field, new or as it stands. It is good until the next call.
func (s *scratch) at(id int) *value {
	if id >= len(s.index) {
		s.index = append(s.index, make([]uint16, max(id+1, len(fieldTable)+16)-len(s.index))...)
	}
	if at := s.index[id]; at != 0 {
		return &s.vals[at-1]
	}
	if len(s.vals) < cap(s.vals) {
		s.vals = s.vals[:len(s.vals)+1]
	} else {
		s.vals = append(s.vals, value{})
	}
	v := &s.vals[len(s.vals)-1]
	v.id, v.kind, v.rel = int32(id), strValue, s
	s.index[id] = uint16(len(s.vals))
	return v
}

func (s *scratch) reset() {
	for i := range s.vals {
		v := &s.vals[i]
		s.index[v.id] = 0
		clear(v.list)
		v.str, v.list = "", v.list[:0]
	}
	clear(s.relations)
	s.vals, s.relations = s.vals[:0], s.relations[:0]
}

func (v *value) write(to pcommon.Value) {
	switch v.kind {
	case strValue:
		to.SetStr(v.str)
	case intValue:
		to.SetInt(int64(v.num))
	case floatValue:
		to.SetDouble(math.Float64frombits(v.num))
	case boolValue:
		to.SetBool(v.num != 0)
	case listValue:
		sl := to.SetEmptySlice()
		sl.EnsureCapacity(len(v.list))
		for _, s := range v.list {
			sl.AppendEmpty().SetStr(s)
		}
	case jsonValue:
		writeJSON(to, bytesOf(v.str), 0)
	case relationsValue:
		sl := to.SetEmptySlice()
		sl.EnsureCapacity(len(v.rel.relations))
		for _, rel := range v.rel.relations {
			m := sl.AppendEmpty().SetEmptyMap()
			m.EnsureCapacity(2)
			m.PutStr("type", rel[0])
			target := m.PutEmptyMap("target")
			target.EnsureCapacity(2)
			target.PutStr("type", rel[1])
			target.PutStr("id", rel[2])
		}
	}
}

// maxNested is how deep an attribute may be nested: readers of protobuf refuse a hundred levels, and one of ours is three.
const maxNested = 24

// writeJSON writes a checked JSON value as an attribute: null is left out of objects, whole numbers beyond 2^53 are
// strings, and what is nested too deep is its text.
func writeJSON(to pcommon.Value, raw json.RawMessage, depth int) {
	if depth++; depth > maxNested && (raw[0] == '{' || raw[0] == '[') {
		to.SetStr(string(raw))
		return
	}
	switch raw[0] {
	case '{':
		m := to.SetEmptyMap()
		m.EnsureCapacity(2) // a point on the map is the usual one
		for name, raw := range Members(raw) {
			if raw[0] == 'n' {
				m.Remove(name)
			} else {
				writeJSON(m.PutEmpty(name), raw, depth)
			}
		}
	case '[':
		sl := to.SetEmptySlice()
		for raw := range Elems(raw) {
			writeJSON(sl.AppendEmpty(), raw, depth)
		}
	case '"':
		s, _ := text(raw)
		to.SetStr(s)
	case 't', 'f':
		to.SetBool(raw[0] == 't')
	case 'n':
	default:
		lit := zeroCopy(raw)
		if n, ok := parseInt(lit); ok && isDigits(lit) && n <= maxExact && n >= -maxExact {
			to.SetInt(n)
		} else if f, err := strconv.ParseFloat(lit, 64); err == nil && !isDigits(lit) {
			to.SetDouble(f)
		} else {
			to.SetStr(lit)
		}
	}
}

func trimSpace(raw json.RawMessage) json.RawMessage {
	for len(raw) > 0 && raw[len(raw)-1] <= ' ' {
		raw = raw[:len(raw)-1]
	}
	return raw
}

// address reads an IP address: without brackets, port and zone, and an IPv4 address as such.
func address(s string) (addr string, port int, ok bool) {
	host := strings.TrimSpace(s)
	if strings.HasPrefix(host, "[") {
		end := strings.IndexByte(host, ']')
		if end < 0 {
			return "", 0, false
		}
		if rest := host[end+1:]; rest != "" {
			if port, ok = portNumber(rest); !ok {
				return "", 0, false
			}
		}
		host = host[1:end]
	} else if at := strings.IndexByte(host, ':'); at > 0 && strings.LastIndexByte(host, ':') == at {
		if port, ok = portNumber(host[at:]); !ok {
			return "", 0, false
		}
		host = host[:at]
	}
	if at := strings.IndexByte(host, '%'); at > 0 {
		host = host[:at]
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return "", 0, false
	}
	if a.Is4In6() {
		if at := strings.LastIndexByte(host, ':'); strings.IndexByte(host[at+1:], '.') > 0 {
			return host[at+1:], port, true
		}
		return a.Unmap().String(), port, true
	}
	return host, port, true
}

// portNumber reads ":443".
func portNumber(s string) (int, bool) {
	if s[0] != ':' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:], 10, 16)
	return int(n), err == nil
}
