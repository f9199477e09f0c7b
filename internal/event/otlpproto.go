package event

import (
	"encoding/binary"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Wire types of protobuf; the tag of a field is its number, shifted, and one of them.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// maxLevels bounds the lists and maps around a value: readers of protobuf refuse a request of more than 100 messages in one
// another, and a map is three.
const maxLevels = 30

// AppendOTLPProto appends the record as a whole OTLP ExportLogsServiceRequest in protobuf: its resource, its scope and itself.
// Strings that are no UTF-8, which receivers refuse, are repaired as in AppendECS; values in more than 30 lists and maps are empty.
// The references to entities that a resource may have are not public in pdata and are left out.
func AppendOTLPProto(dst []byte, w View) []byte {
	dst, logs := openMessage(dst, 1)
	if res := w.Res.Resource(); res.Attributes().Len() > 0 || res.DroppedAttributesCount() > 0 {
		var at int
		dst, at = openMessage(dst, 1)
		dst = appendProtoMap(dst, 1, res.Attributes(), 0)
		dst = closeMessage(appendProtoUint(dst, 2, uint64(res.DroppedAttributesCount())), at)
	}
	dst, scope := openMessage(dst, 2)
	if w.hasScope() {
		dst = appendProtoScope(dst, 1, w.Scope.Scope())
	}
	dst, record := openMessage(dst, 2)
	dst = closeMessage(appendProtoRecord(dst, w.Log), record)
	if w.hasScope() {
		dst = appendProtoString(dst, 3, w.Scope.SchemaUrl())
	}
	dst = appendProtoString(closeMessage(dst, scope), 3, w.Res.SchemaUrl())
	return closeMessage(dst, logs)
}

func appendProtoScope(dst []byte, field int, s pcommon.InstrumentationScope) []byte {
	dst, at := openMessage(dst, field)
	dst = appendProtoString(dst, 1, s.Name())
	dst = appendProtoString(dst, 2, s.Version())
	dst = appendProtoMap(dst, 3, s.Attributes(), 0)
	return closeMessage(appendProtoUint(dst, 4, uint64(s.DroppedAttributesCount())), at)
}

func appendProtoRecord(dst []byte, r plog.LogRecord) []byte {
	dst = appendProtoTime(dst, 1, r.Timestamp())
	dst = appendProtoUint(dst, 2, uint64(r.SeverityNumber()))
	dst = appendProtoString(dst, 3, r.SeverityText())
	if r.Body().Type() != pcommon.ValueTypeEmpty {
		dst = appendProtoValue(dst, 5, r.Body(), 0)
	}
	dst = appendProtoMap(dst, 6, r.Attributes(), 0)
	dst = appendProtoUint(dst, 7, uint64(r.DroppedAttributesCount()))
	if flags := uint32(r.Flags()); flags != 0 {
		dst = binary.LittleEndian.AppendUint32(appendTag(dst, 8, wireFixed32), flags)
	}
	if id := r.TraceID(); !id.IsEmpty() {
		dst = append(binary.AppendUvarint(appendTag(dst, 9, wireBytes), uint64(len(id))), id[:]...)
	}
	if id := r.SpanID(); !id.IsEmpty() {
		dst = append(binary.AppendUvarint(appendTag(dst, 10, wireBytes), uint64(len(id))), id[:]...)
	}
	dst = appendProtoTime(dst, 11, r.ObservedTimestamp())
	return appendProtoString(dst, 12, r.EventName())
}

// appendProtoMap appends each pair as a message KeyValue.
func appendProtoMap(dst []byte, field int, m pcommon.Map, depth int) []byte {
	for name, v := range m.All() {
		var at int
		dst, at = openMessage(dst, field)
		dst = appendProtoString(dst, 1, name)
		dst = closeMessage(appendProtoValue(dst, 2, v, depth), at)
	}
	return dst
}

// appendProtoValue appends a message AnyValue. Its field is set whatever its value: a false is not an empty value.
func appendProtoValue(dst []byte, field int, v pcommon.Value, depth int) []byte {
	dst, at := openMessage(dst, field)
	switch v.Type() {
	case pcommon.ValueTypeStr:
		s := valid(v.Str())
		dst = append(binary.AppendUvarint(appendTag(dst, 1, wireBytes), uint64(len(s))), s...)
	case pcommon.ValueTypeBool:
		is := byte(0)
		if v.Bool() {
			is = 1
		}
		dst = append(appendTag(dst, 2, wireVarint), is)
	case pcommon.ValueTypeInt:
		dst = binary.AppendUvarint(appendTag(dst, 3, wireVarint), uint64(v.Int()))
	case pcommon.ValueTypeDouble:
		dst = binary.LittleEndian.AppendUint64(appendTag(dst, 4, wireFixed64), math.Float64bits(v.Double()))
	case pcommon.ValueTypeSlice, pcommon.ValueTypeMap:
		if depth < maxLevels {
			dst = appendProtoNested(dst, v, depth+1)
		}
	case pcommon.ValueTypeBytes:
		b := v.Bytes()
		dst = binary.AppendUvarint(appendTag(dst, 7, wireBytes), uint64(b.Len()))
		for i := range b.Len() {
			dst = append(dst, b.At(i))
		}
	}
	return closeMessage(dst, at)
}

// appendProtoNested appends a message ArrayValue or KeyValueList.
func appendProtoNested(dst []byte, v pcommon.Value, depth int) []byte {
	if v.Type() == pcommon.ValueTypeMap {
		dst, at := openMessage(dst, 6)
		return closeMessage(appendProtoMap(dst, 1, v.Map(), depth), at)
	}
	dst, at := openMessage(dst, 5)
	for _, e := range v.Slice().All() {
		dst = appendProtoValue(dst, 1, e, depth)
	}
	return closeMessage(dst, at)
}

func appendTag(dst []byte, field, wire int) []byte { return append(dst, byte(field<<3|wire)) }

// appendProtoString appends a string; as in protobuf an empty one is not written.
func appendProtoString(dst []byte, field int, s string) []byte {
	if s == "" {
		return dst
	}
	s = valid(s)
	return append(binary.AppendUvarint(appendTag(dst, field, wireBytes), uint64(len(s))), s...)
}

func appendProtoUint(dst []byte, field int, n uint64) []byte {
	if n == 0 {
		return dst
	}
	return binary.AppendUvarint(appendTag(dst, field, wireVarint), n)
}

func appendProtoTime(dst []byte, field int, t pcommon.Timestamp) []byte {
	if t == 0 {
		return dst
	}
	return binary.LittleEndian.AppendUint64(appendTag(dst, field, wireFixed64), uint64(t))
}

// openMessage begins a message within a message and leaves one byte for its length.
func openMessage(dst []byte, field int) ([]byte, int) {
	return append(appendTag(dst, field, wireBytes), 0), len(dst) + 2
}

// closeMessage writes the length before the message that begins at start. Most are below 128 bytes; what is longer moves on to
// make room, which costs less than a second walk to know the lengths beforehand.
func closeMessage(dst []byte, start int) []byte {
	n := len(dst) - start
	if n < 1<<7 {
		dst[start-1] = byte(n)
		return dst
	}
	var length [binary.MaxVarintLen64]byte
	size := binary.PutUvarint(length[:], uint64(n))
	dst = append(dst, length[1:size]...)
	copy(dst[start+size-1:], dst[start:start+n])
	copy(dst[start-1:], length[:size])
	return dst
}
