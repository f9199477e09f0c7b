package event

import (
	"encoding/hex"
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// AppendOTLPJSON appends the same request as AppendOTLPProto in OTLP's JSON: ids in hexadecimal, integers of 64 bits as
// strings, enumerations as numbers, bytes in base64, NaN and infinities as strings.
func AppendOTLPJSON(dst []byte, w View) []byte {
	dst = append(dst, `{"resourceLogs":[{"resource":{`...)
	dst = appendJSONAttributes(dst, w.Res.Resource().Attributes())
	dst = appendJSONUint(dst, `"droppedAttributesCount":`, w.Res.Resource().DroppedAttributesCount())
	dst = append(closeJSON(dst, '}'), `"scopeLogs":[{"scope":{`...)
	if w.hasScope() {
		s := w.Scope.Scope()
		dst = appendJSONString(dst, `"name":`, s.Name())
		dst = appendJSONString(dst, `"version":`, s.Version())
		dst = appendJSONAttributes(dst, s.Attributes())
		dst = appendJSONUint(dst, `"droppedAttributesCount":`, s.DroppedAttributesCount())
	}
	dst = append(closeJSON(dst, '}'), `"logRecords":[{`...)
	dst = closeJSON(closeJSON(appendJSONRecord(dst, w.Log), '}'), ']')
	if w.hasScope() {
		dst = appendJSONString(dst, `"schemaUrl":`, w.Scope.SchemaUrl())
	}
	dst = closeJSON(closeJSON(dst, '}'), ']')
	dst = appendJSONString(dst, `"schemaUrl":`, w.Res.SchemaUrl())
	dst = closeJSON(closeJSON(closeJSON(dst, '}'), ']'), '}')
	return dst[:len(dst)-1]
}

func appendJSONRecord(dst []byte, r plog.LogRecord) []byte {
	dst = appendJSONTime(dst, `"timeUnixNano":`, r.Timestamp())
	dst = appendJSONTime(dst, `"observedTimeUnixNano":`, r.ObservedTimestamp())
	if n := r.SeverityNumber(); n != 0 {
		dst = append(strconv.AppendInt(append(dst, `"severityNumber":`...), int64(n), 10), ',')
	}
	dst = appendJSONString(dst, `"severityText":`, r.SeverityText())
	if r.Body().Type() != pcommon.ValueTypeEmpty {
		dst = appendJSONValue(append(dst, `"body":`...), r.Body(), 0)
	}
	dst = appendJSONAttributes(dst, r.Attributes())
	dst = appendJSONUint(dst, `"droppedAttributesCount":`, r.DroppedAttributesCount())
	dst = appendJSONUint(dst, `"flags":`, uint32(r.Flags()))
	if id := r.TraceID(); !id.IsEmpty() {
		dst = append(hex.AppendEncode(append(dst, `"traceId":"`...), id[:]), '"', ',')
	}
	if id := r.SpanID(); !id.IsEmpty() {
		dst = append(hex.AppendEncode(append(dst, `"spanId":"`...), id[:]), '"', ',')
	}
	return appendJSONString(dst, `"eventName":`, r.EventName())
}

func appendJSONAttributes(dst []byte, m pcommon.Map) []byte {
	if m.Len() == 0 {
		return dst
	}
	return appendJSONPairs(append(dst, `"attributes":[`...), m, 0)
}

// appendJSONPairs appends the pairs of a list whose bracket is open.
func appendJSONPairs(dst []byte, m pcommon.Map, depth int) []byte {
	for name, v := range m.All() {
		dst = append(appendString(append(dst, `{"key":`...), name), `,"value":`...)
		dst = closeJSON(appendJSONValue(dst, v, depth), '}')
	}
	return closeJSON(dst, ']')
}

// appendJSONValue appends an AnyValue and, like all of these, a comma.
func appendJSONValue(dst []byte, v pcommon.Value, depth int) []byte {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return append(appendString(append(dst, `{"stringValue":`...), v.Str()), '}', ',')
	case pcommon.ValueTypeBool:
		return append(strconv.AppendBool(append(dst, `{"boolValue":`...), v.Bool()), '}', ',')
	case pcommon.ValueTypeInt:
		return append(strconv.AppendInt(append(dst, `{"intValue":"`...), v.Int(), 10), `"},`...)
	case pcommon.ValueTypeDouble:
		return append(appendJSONDouble(append(dst, `{"doubleValue":`...), v.Double()), '}', ',')
	case pcommon.ValueTypeBytes:
		return append(appendBase64(append(dst, `{"bytesValue":"`...), v.Bytes()), `"},`...)
	case pcommon.ValueTypeSlice:
		if depth < maxLevels {
			dst = append(dst, `{"arrayValue":{"values":[`...)
			for _, e := range v.Slice().All() {
				dst = appendJSONValue(dst, e, depth+1)
			}
			return closeJSON(closeJSON(closeJSON(dst, ']'), '}'), '}')
		}
	case pcommon.ValueTypeMap:
		if depth < maxLevels {
			dst = appendJSONPairs(append(dst, `{"kvlistValue":{"values":[`...), v.Map(), depth+1)
			return closeJSON(closeJSON(dst, '}'), '}')
		}
	}
	return append(dst, "{},"...)
}

func appendJSONDouble(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	return appendFloat(dst, f)
}

// The names come as they are written, with quotes and colon; what has no value is not written.

func appendJSONString(dst []byte, name, s string) []byte {
	if s == "" {
		return dst
	}
	return append(appendString(append(dst, name...), s), ',')
}

func appendJSONUint(dst []byte, name string, n uint32) []byte {
	if n == 0 {
		return dst
	}
	return append(strconv.AppendUint(append(dst, name...), uint64(n), 10), ',')
}

func appendJSONTime(dst []byte, name string, t pcommon.Timestamp) []byte {
	if t == 0 {
		return dst
	}
	return append(strconv.AppendUint(append(append(dst, name...), '"'), uint64(t), 10), '"', ',')
}

// closeJSON closes an object or a list in the place of the comma after its last member, and puts a comma after it.
func closeJSON(dst []byte, closing byte) []byte {
	if dst[len(dst)-1] == ',' {
		dst = dst[:len(dst)-1]
	}
	return append(dst, closing, ',')
}
