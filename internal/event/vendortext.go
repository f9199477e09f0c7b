package event

import (
	"bytes"
	"strings"
)

// asSent is the member below a vendor's root that holds what Texts names, with the names in it as sent.
const asSent = "flattened"

// textName is the name under which Texts has a member; "" = it has not.
func (v *vendor) textName(member string) string {
	if name, ok := v.Texts[member]; ok || len(v.Texts) == 0 {
		return name
	}
	for m, name := range v.Texts { // sent in another case
		if strings.EqualFold(m, member) {
			return name
		}
	}
	return ""
}

// texts is a body with the objects and lists that Texts names as texts, and once more below asSent.
func (v *vendor) texts(raw []byte) []byte {
	var out, whole, text []byte
	if s := (scanner{b: raw, final: true}); s.skip(space(raw, 0)) < 0 {
		return raw
	}
	for member, val := range Members(raw) {
		name := v.textName(member)
		out = append(out, ',')
		if name == "" || val[0] != '{' && val[0] != '[' {
			if name == "" {
				name = member
			}
			out = append(append(appendString(out, name), ':'), val...)
			continue
		}
		text = appendJoined(text[:0], val)
		out = appendString(append(appendString(out, name), ':'), zeroCopy(text))
		whole = append(append(appendString(append(whole, ','), name), ':'), val...)
	}
	if whole == nil {
		return raw
	}
	out[0], whole[0] = '{', '{'
	out = append(append(append(out, `,"`+asSent+`":`...), whole...), "}}"...)
	return out
}

// appendJoined appends a checked JSON value as {a=b, c=[d, e]}: without quotes, null as it is.
func appendJoined(dst []byte, raw []byte) []byte {
	n := 0
	next := func() {
		if n++; n > 1 {
			dst = append(dst, ", "...)
		}
	}
	switch raw[0] {
	case '{':
		dst = append(dst, '{')
		for name, val := range Members(raw) {
			next()
			dst = appendJoined(append(append(dst, name...), '='), val)
		}
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		for val := range Elems(raw) {
			next()
			dst = appendJoined(dst, val)
		}
		return append(dst, ']')
	case '"':
		if in := raw[1 : len(raw)-1]; bytes.IndexByte(in, '\\') >= 0 {
			return append(dst, unescape(nil, in)...)
		}
		return append(dst, raw[1:len(raw)-1]...)
	}
	return append(dst, raw...)
}
