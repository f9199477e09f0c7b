package elasticsearch

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// verdict is what the stand-in does with one operation; 0 = as a server would.
type verdict struct {
	status      int
	typ, reason string
}

// standIn is a small server of the bulk API. It is a stand-in: only what these tests need behaves as Elasticsearch does.
type standIn struct {
	*httptest.Server
	mu        sync.Mutex
	docs      map[string]map[string]json.RawMessage // index → id → document
	versions  map[string]int64
	sent      map[string]int // index/id → times sent
	bulks     int
	templates map[string]json.RawMessage
	lacks     []string // field types
	order     []string // of templates written
	header    http.Header
	product   string // what it says it is
	asked     int

	any   func(w http.ResponseWriter, r *http.Request) bool // answers any request
	bulk  func(w http.ResponseWriter, n int, size int) bool // answers the nth request itself
	item  func(n int, index, id string, doc []byte) verdict // answers one operation
	other func(w http.ResponseWriter, r *http.Request) bool // answers any other request
}

func newStandIn(t *testing.T) *standIn {
	s := &standIn{docs: map[string]map[string]json.RawMessage{}, versions: map[string]int64{}, sent: map[string]int{},
		templates: map[string]json.RawMessage{}, product: "Elasticsearch"}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.header = r.Header.Clone()
	s.asked++
	if s.product != "" {
		w.Header().Set("X-Elastic-Product", s.product)
	}
	if s.any != nil && s.any(w, r) {
		return
	}
	body := read(r)
	switch {
	case r.URL.Path == "/_bulk":
		s.bulks++
		if s.bulk == nil || !s.bulk(w, s.bulks, len(body)) {
			s.serveBulk(w, body)
		}
	case s.other != nil && s.other(w, r):
	case r.URL.Path == simulate:
		s.simulate(w, body)
	case strings.Contains(r.URL.Path, "_template/"):
		s.template(w, r, body)
	case strings.Contains(r.URL.Path, "/_create/"):
		index, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/_create/")
		status := s.put(index, id, 0, body)
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"status":%d}`, status)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func read(r *http.Request) []byte {
	in := io.Reader(r.Body)
	switch r.Header.Get("Content-Encoding") {
	case "gzip":
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil
		}
		in = z
	case "zstd":
		z, err := zstd.NewReader(r.Body)
		if err != nil {
			return nil
		}
		defer z.Close()
		in = z
	}
	body, _ := io.ReadAll(in)
	return body
}

func (s *standIn) serveBulk(w http.ResponseWriter, body []byte) {
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, 64<<20)
	var items []string
	for lines.Scan() {
		var action map[string]struct {
			Index   string `json:"_index"`
			ID      string `json:"_id"`
			Version int64  `json:"version"`
		}
		if json.Unmarshal(lines.Bytes(), &action) != nil || !lines.Scan() || !json.Valid(lines.Bytes()) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":{"type":"illegal_argument_exception","reason":"malformed"},"status":400}`)
			return
		}
		for verb, a := range action {
			s.sent[a.Index+"/"+a.ID]++
			v := verdict{}
			if s.item != nil {
				v = s.item(s.bulks, a.Index, a.ID, lines.Bytes())
			}
			if v.status == 0 {
				v.status = s.put(a.Index, a.ID, a.Version, bytes.Clone(lines.Bytes()))
			}
			if v.status/100 == 2 {
				items = append(items, fmt.Sprintf(`{%q:{"status":%d}}`, verb, v.status))
			} else {
				items = append(items, fmt.Sprintf(`{%q:{"status":%d,"error":{"type":%q,"reason":%q}}}`, verb, v.status, v.typ, v.reason))
			}
		}
	}
	fmt.Fprintf(w, `{"items":[%s]}`, strings.Join(items, ","))
}

// put keeps a document; version 0: only a new one.
func (s *standIn) put(index, id string, version int64, doc []byte) int {
	if s.docs[index] == nil {
		s.docs[index] = map[string]json.RawMessage{}
	}
	_, there := s.docs[index][id]
	if there && (version == 0 || version <= s.versions[index+"/"+id]) {
		return http.StatusConflict
	}
	s.docs[index][id], s.versions[index+"/"+id] = doc, version
	return http.StatusCreated
}

func (s *standIn) simulate(w http.ResponseWriter, body []byte) {
	for _, typ := range s.lacks {
		if bytes.Contains(body, []byte(`"type":"`+typ+`"`)) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error":{"type":"illegal_argument_exception","reason":"no handler for type [%s]"}}`, typ)
			return
		}
	}
	fmt.Fprint(w, `{}`)
}

func (s *standIn) template(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.Method == http.MethodPut {
		s.templates[r.URL.Path] = body
		s.order = append(s.order, r.URL.Path)
		fmt.Fprint(w, `{"acknowledged":true}`)
		return
	}
	kind := strings.Split(r.URL.Path, "/")[1]
	var list []string
	for path, body := range s.templates {
		if name, ok := strings.CutPrefix(path, "/"+kind+"/"); ok {
			list = append(list, fmt.Sprintf(`{"name":%q,%q:%s}`, name, kind[1:], body))
		}
	}
	slices.Sort(list)
	fmt.Fprintf(w, `{"%ss":[%s]}`, kind[1:], strings.Join(list, ","))
}

// ids are the documents of all indices that match.
func (s *standIn) ids(prefix string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for index, docs := range s.docs {
		if strings.HasPrefix(index, prefix) {
			for id := range docs {
				out = append(out, id)
			}
		}
	}
	slices.Sort(out)
	return out
}
