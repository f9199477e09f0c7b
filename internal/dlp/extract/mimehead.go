package extract

import (
	"bytes"
	"io"
	"mime"
	"strconv"
	"strings"
)

// header is one of a message (RFC 5322).
type header struct {
	name  string
	value string // on one line, still encoded
	line  int
}

const (
	maxHeaders = 1 << 20 // bytes of those of a part
	maxParams  = 64
)

// headers reads those of a message or part, up to the empty line.
func (l *mailLines) headers() ([]header, error) {
	var out []header
	var value []byte
	size := 0
	keep := func() {
		if n := len(out); n > 0 {
			out[n-1].value = string(bytes.TrimSpace(value))
		}
		value = value[:0]
	}
	for {
		b, err := l.next()
		if err != nil && err != io.EOF {
			return out, err
		}
		if size += len(b); size > maxHeaders {
			return out, flawf("headers of more than %s, the limit of mail", bytesText(maxHeaders))
		}
		line := bytes.TrimRight(b, "\r\n")
		name, rest, ok := bytes.Cut(line, []byte(":"))
		switch {
		case err == io.EOF, len(line) == 0:
			keep()
			return out, nil
		case line[0] == ' ' || line[0] == '\t':
			value = append(append(value, ' '), bytes.TrimSpace(line)...)
		case ok && len(name) <= maxName && !bytes.ContainsAny(bytes.TrimRight(name, " \t"), " \t"):
			keep()
			out = append(out, header{name: text(bytes.TrimRight(name, " \t")), line: l.line})
			value = append(value, rest...)
		default: // no header: it is text all the same
			keep()
			out = append(out, header{line: l.line})
			value = append(value, line...)
		}
	}
}

// headerOf is the value of the first header of a name, or "".
func headerOf(all []header, name string) string {
	for _, h := range all {
		if strings.EqualFold(h.name, name) {
			return h.value
		}
	}
	return ""
}

// words are encoded words of headers in any charset (RFC 2047).
var words = mime.WordDecoder{CharsetReader: func(name string, in io.Reader) (io.Reader, error) { return recoded(in, charset(name)), nil }}

// decoded is the value of a header as people see it.
func decoded(value string) string {
	if strings.Contains(value, "=?") {
		if s, err := words.DecodeHeader(value); err == nil {
			value = s
		}
	}
	return text([]byte(value))
}

// media is the value of Content-Type or Content-Disposition (RFC 2045, 2231).
type media struct {
	kind   string // in small letters
	params map[string]string
}

// mediaOf reads one as well as it can be read: what writes mail does not always quote as it should.
func mediaOf(value string) media {
	kind, rest, _ := strings.Cut(value, ";")
	m := media{kind: strings.ToLower(strings.TrimSpace(kind)), params: map[string]string{}}
	for len(m.params) < maxParams {
		rest = strings.TrimLeft(rest, "; \t")
		at := strings.IndexByte(rest, '=')
		if at < 0 {
			break
		}
		name := strings.ToLower(strings.TrimSpace(rest[:at]))
		var v string
		v, rest = paramValue(strings.TrimLeft(rest[at+1:], " \t"))
		if _, twice := m.params[name]; !twice {
			m.params[name] = v
		}
	}
	return m
}

// paramValue cuts off a value, with or without quotes.
func paramValue(s string) (v, rest string) {
	if !strings.HasPrefix(s, `"`) {
		v, rest, _ = strings.Cut(s, ";")
		return strings.TrimSpace(v), rest
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}

// param is a parameter as people see it, put together of its pieces.
func (m media) param(name string) string {
	if v, ok := m.params[name+"*"]; ok {
		return extended(v)
	}
	if v, ok := m.params[name]; ok {
		return decoded(v)
	}
	var all strings.Builder
	encoded := false
	for i := range maxParams {
		key := name + "*" + strconv.Itoa(i)
		v, ok := m.params[key]
		if !ok {
			if v, ok = m.params[key+"*"]; !ok {
				break
			}
			encoded = encoded || i == 0
		} else if encoded {
			v = strings.ReplaceAll(v, "%", "%25")
		}
		all.WriteString(v)
	}
	if encoded {
		return extended(all.String())
	}
	return decoded(all.String())
}

// extended is a value that says its charset: UTF-8'en'%E2%82%AC.
func extended(v string) string {
	name, rest, _ := strings.Cut(v, "'")
	_, rest, ok := strings.Cut(rest, "'")
	if !ok {
		name, rest = "", v
	}
	raw := make([]byte, 0, len(rest))
	for i := 0; i < len(rest); i++ {
		if rest[i] == '%' && i+2 < len(rest) && hexDigit(rest[i+1]) >= 0 && hexDigit(rest[i+2]) >= 0 {
			raw = append(raw, byte(hexDigit(rest[i+1])<<4|hexDigit(rest[i+2])))
			i += 2
			continue
		}
		raw = append(raw, rest[i])
	}
	return string(recode(nil, raw, charset(name)))
}
