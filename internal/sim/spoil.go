package sim

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"
)

// wrap lets requests through or makes them fail.
func (f *Faults) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault, ok := f.pick(r)
		switch {
		case !ok:
			next.ServeHTTP(w, r)
		case fault.Status != 0:
			f.answer(w, r, fault)
		case fault.Kind == Hang:
			_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that the client left
			<-r.Context().Done()
		case fault.Kind == Reset:
			panic(http.ErrAbortHandler)
		default:
			h := &held{header: http.Header{}, status: http.StatusOK}
			next.ServeHTTP(h, r)
			fault.spoil(w, r, h)
		}
	})
}

// answer is a status fault.
func (f *Faults) answer(w http.ResponseWriter, r *http.Request, fault Fault) {
	h := &held{header: http.Header{}, status: fault.Status}
	if fault.Body == "" {
		f.fail(h, r, fault.Status)
	} else {
		h.body.WriteString(fault.Body)
		h.header.Set("Content-Type", "application/json")
	}
	for k, v := range fault.Header {
		h.header[http.CanonicalHeaderKey(k)] = v
		if len(v) == 0 {
			h.header.Del(k)
		}
	}
	h.send(w, h.body.Bytes())
}

// held is an answer that is not sent yet; pages bound it.
type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *held) Header() http.Header         { return h.header }
func (h *held) WriteHeader(status int)      { h.status = status }
func (h *held) Write(b []byte) (int, error) { return h.body.Write(b) }

func (h *held) send(w http.ResponseWriter, body []byte) {
	maps.Copy(w.Header(), h.header)
	w.WriteHeader(h.status)
	_, _ = w.Write(body)
}

// spoil sends what was held, in the fault's way.
func (f Fault) spoil(w http.ResponseWriter, r *http.Request, h *held) {
	for k, v := range f.Header {
		h.header[http.CanonicalHeaderKey(k)] = v
	}
	body := h.body.Bytes()
	switch f.Kind {
	case Cut:
		h.send(w, body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case Truncated:
		h.send(w, body[:len(body)/2])
	case Slow:
		h.send(w, nil)
		f.drip(w, r, body)
	case Giant:
		h.send(w, nil)
		f.repeat(w, r, body)
	case Elsewhere:
		f.redirect(w, r, h)
	default:
		h.header.Del("Content-Length") // of what it was
		h.send(w, f.damage(body))
	}
}

// redirect lets links name another host.
func (f Fault) redirect(w http.ResponseWriter, r *http.Request, h *held) {
	for _, scheme := range []string{"http://", "https://"} {
		from := scheme + r.Host
		for i, l := range h.header["Link"] {
			h.header["Link"][i] = strings.ReplaceAll(l, from, f.Host)
		}
		body := bytes.ReplaceAll(h.body.Bytes(), []byte(from), []byte(f.Host))
		h.body = *bytes.NewBuffer(body)
	}
	h.send(w, h.body.Bytes())
}

// damage changes the records of a page.
func (f Fault) damage(body []byte) []byte {
	first, end := record(body)
	if first < 0 {
		return body
	}
	add := ""
	switch f.Kind {
	case Null:
		add = "null,"
	case Malformed:
		add = `{"uuid":{"no":1},"id":[17],"published":"never","eventType":7,"actor":"nobody","profile":null},`
	case NullField:
		in := bytes.IndexByte(body[first+1:end], '{')
		if in < 0 {
			return body
		}
		in += first + 1
		return bytes.Join([][]byte{body[:in], body[objectEnd(body, in):]}, []byte("null"))
	}
	return bytes.Join([][]byte{body[:first], body[first:]}, []byte(add))
}

// record is where the first object of the first array of objects stands; -1 = there is none.
func record(body []byte) (first, end int) {
	i := bytes.Index(body, []byte("[{"))
	if i < 0 {
		return -1, -1
	}
	return i + 1, objectEnd(body, i+1)
}

// objectEnd is the place behind the JSON object that begins at i.
func objectEnd(b []byte, i int) int {
	depth, quoted := 0, false
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(b)
}

// drip sends Bytes at a time.
func (f Fault) drip(w http.ResponseWriter, r *http.Request, body []byte) {
	tick := time.NewTicker(max(f.Every, time.Millisecond))
	defer tick.Stop()
	for len(body) > 0 {
		n := min(len(body), max(1, int(f.Bytes)))
		if _, err := w.Write(body[:n]); err != nil {
			return
		}
		body = body[n:]
		_ = http.NewResponseController(w).Flush()
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// repeat sends the first record of the page until Bytes are sent, and then the rest of the page.
func (f Fault) repeat(w http.ResponseWriter, r *http.Request, body []byte) {
	first, end := record(body)
	if first < 0 {
		_, _ = w.Write(body)
		return
	}
	if _, err := w.Write(body[:first]); err != nil {
		return
	}
	one := append(bytes.Clone(body[first:end]), ',')
	chunk := bytes.Repeat(one, max(1, (64<<10)/len(one)))
	for sent := int64(0); sent < f.Bytes && r.Context().Err() == nil; sent += int64(len(chunk)) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
	_, _ = w.Write(body[first:])
}
