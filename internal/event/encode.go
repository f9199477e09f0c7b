package event

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

func appendValue(dst []byte, v pcommon.Value) []byte { return appendNested(dst, v, 0) }

// appendNested appends a value that stands in depth lists and maps. What is nested deeper than any reader goes is null.
func appendNested(dst []byte, v pcommon.Value, depth int) []byte {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return appendString(dst, v.Str())
	case pcommon.ValueTypeInt:
		if n := v.Int(); n > maxExact || n < -maxExact {
			return append(strconv.AppendInt(append(dst, '"'), n, 10), '"')
		}
		return strconv.AppendInt(dst, v.Int(), 10)
	case pcommon.ValueTypeDouble:
		return appendFloat(dst, v.Double())
	case pcommon.ValueTypeBool:
		return strconv.AppendBool(dst, v.Bool())
	case pcommon.ValueTypeBytes:
		return append(appendBase64(append(dst, '"'), v.Bytes()), '"')
	case pcommon.ValueTypeSlice:
		if depth < maxDepth {
			return appendList(dst, v.Slice(), depth+1)
		}
	case pcommon.ValueTypeMap:
		if depth < maxDepth {
			return appendMap(dst, v.Map(), depth+1)
		}
	}
	return append(dst, "null"...)
}

func appendList(dst []byte, list pcommon.Slice, depth int) []byte {
	dst = append(dst, '[')
	for i, e := range list.All() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendNested(dst, e, depth)
	}
	return append(dst, ']')
}

// appendMap appends an object. The first of a name counts; only foreign records have a name twice.
func appendMap(dst []byte, m pcommon.Map, depth int) []byte {
	dst = append(dst, '{')
	first, at := len(dst), 0
	var seen map[string]bool
	if m.Len() > 32 { // too many to compare
		seen = make(map[string]bool, m.Len())
	}
	for name, e := range m.All() {
		if at++; isBefore(m, at-1, name, seen) {
			continue
		}
		if len(dst) > first {
			dst = append(dst, ',')
		}
		dst = appendNested(append(appendString(dst, name), ':'), e, depth)
	}
	return append(dst, '}')
}

// isBefore says whether one of the first n names of m, which are in seen when it is there, is written as name is.
func isBefore(m pcommon.Map, n int, name string, seen map[string]bool) bool {
	name = valid(name)
	if seen != nil {
		was := seen[name]
		seen[name] = true
		return was
	}
	for other := range m.All() {
		if n--; n < 0 {
			return false
		}
		if valid(other) == name {
			return true
		}
	}
	return false
}

// appendBase64 takes a few bytes at a time: pdata gives no more of them without a copy of all.
func appendBase64(dst []byte, b pcommon.ByteSlice) []byte {
	var part [48]byte
	for i := 0; i < b.Len(); {
		n := 0
		for ; n < len(part) && i < b.Len(); n++ {
			part[n] = b.At(i)
			i++
		}
		dst = base64.StdEncoding.AppendEncode(dst, part[:n])
	}
	return dst
}

func appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, 64)
}

func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	if isPlain(s) {
		dst = append(dst, s...)
	} else {
		dst = appendEscaped(dst, s)
	}
	return append(dst, '"')
}

// isPlain says that s is ASCII and stands in JSON as it is.
func isPlain(s string) bool {
	b := bytesOf(s)
	if len(b) < 8 {
		for _, c := range b {
			if c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
				return false
			}
		}
		return true
	}
	for i := 0; i+8 < len(b); i += 8 {
		if w := binary.LittleEndian.Uint64(b[i : i+8]); special(w)|w&highs != 0 {
			return false
		}
	}
	w := binary.LittleEndian.Uint64(b[len(b)-8:])
	return special(w)|w&highs == 0
}

const hexDigits = "0123456789abcdef"

// appendEscaped appends s as the inside of a JSON string; what is no UTF-8 becomes U+FFFD.
func appendEscaped(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	return appendValid(dst, s)
}

// appendValid is appendEscaped for what is known to be UTF-8. It takes eight bytes at a time, and where the value of one member
// of a JSON object ends and the next begins, as it does in event.original all the time, three.
func appendValid(dst []byte, s string) []byte {
	b := bytesOf(s)
	dst = slices.Grow(dst, len(s)+len(s)/4+16)
	i := 0
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i : i+8])
		dst = binary.LittleEndian.AppendUint64(dst, w)
		m := special(w)
		if m == 0 {
			i += 8
			continue
		}
		n := bits.TrailingZeros64(m) >> 3
		i += n
		dst = dst[:len(dst)-8+n]
		if i+3 <= len(b) && b[i] == '"' && b[i+2] == '"' && (b[i+1] == ':' || b[i+1] == ',') {
			dst = append(dst, '\\', '"', b[i+1], '\\', '"')
			i += 3
			continue
		}
		dst = appendSpecial(dst, b[i])
		i++
	}
	for ; i < len(b); i++ {
		if c := b[i]; c >= ' ' && c != '"' && c != '\\' {
			dst = append(dst, c)
		} else {
			dst = appendSpecial(dst, c)
		}
	}
	return dst
}

func appendSpecial(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
