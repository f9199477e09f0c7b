package campaign

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	_ "modernc.org/sqlite" // the driver
)

// held is what a server has: how often each record, by event.id, and which were set aside, by document id.
type held struct {
	stored  map[string]int
	letters map[string]bool
	odd     int // repeats whose key or id is not that of the first
}

func (h held) documents() (n int) {
	for _, times := range h.stored {
		n += times
	}
	return n
}

// search is an Elasticsearch or OpenSearch.
type search struct{ base string }

func (s search) call(t *testing.T, method, path, body string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.base+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode/100 != 2 && res.StatusCode != http.StatusNotFound {
		t.Fatalf("%s %s: %d %.500s, %v", method, path, res.StatusCode, text, err)
	}
	return text
}

// page is a part of an answer to a search.
type page struct {
	Scroll string `json:"_scroll_id"`
	Hits   struct {
		Hits []struct {
			ID     string                              `json:"_id"`
			Source struct{ Event struct{ ID string } } `json:"_source"`
		}
	}
}

// scroll reads all documents of an index.
func (s search) scroll(t *testing.T, index string, each func(id, event string)) {
	t.Helper()
	s.call(t, "POST", "/"+index+"/_refresh", "")
	text := s.call(t, "POST", "/"+index+"/_search?scroll=2m", `{"size":10000,"sort":["_doc"],"_source":["event.id"]}`)
	for {
		var p page
		if err := json.Unmarshal(text, &p); err != nil {
			t.Fatal(err)
		}
		for _, h := range p.Hits.Hits {
			each(h.ID, h.Source.Event.ID)
		}
		if len(p.Hits.Hits) == 0 {
			if p.Scroll != "" {
				s.call(t, "DELETE", "/_search/scroll", fmt.Sprintf(`{"scroll_id":%q}`, p.Scroll))
			}
			return
		}
		text = s.call(t, "POST", "/_search/scroll", fmt.Sprintf(`{"scroll":"2m","scroll_id":%q}`, p.Scroll))
	}
}

func (s search) held(t *testing.T, documents map[string]string) held {
	h := held{map[string]int{}, map[string]bool{}, 0}
	s.scroll(t, "logs-okta.system-saas", func(id, event string) {
		h.stored[event]++
		if documents[id] != event {
			h.odd++
		}
	})
	s.scroll(t, "logs-saas.dead_letter-saas", func(id, _ string) { h.letters[id] = true })
	return h
}

// block makes the data stream refuse to be written to as a full disk does, or ends that.
func (s search) block(t *testing.T, on bool) {
	t.Helper()
	value := "null"
	if on {
		value = "true"
	}
	s.call(t, "PUT", "/logs-okta.system-saas/_settings", `{"index.blocks.read_only_allow_delete":`+value+`}`)
}

// storm stands before a server and answers 429 to most requests while it is on: to some before the server sees them, to some
// after it has done what they ask.
type storm struct {
	*httptest.Server
	on      atomic.Bool
	refused atomic.Int64
}

func newStorm(t *testing.T, base string) *storm {
	to, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	s := &storm{}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, ErrorLog: log.New(io.Discard, "", 0)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse := s.on.Load() && strings.HasSuffix(r.URL.Path, "_bulk") && rand.Float64() < 0.7
		if refuse && rand.Float64() < 0.5 {
			proxy.ServeHTTP(httptest.NewRecorder(), r)
		} else if !refuse {
			proxy.ServeHTTP(w, r)
			return
		}
		s.refused.Add(1)
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(s.Close)
	return s
}

// topics reads whole topics of Kafka.
func topics(t *testing.T, brokers []string, documents map[string]string) held {
	h := held{map[string]int{}, map[string]bool{}, 0}
	keys := map[string]string{}
	read(t, brokers, "saas.events", func(m kafkago.Message) {
		event := ""
		for _, header := range m.Headers {
			if header.Key == "event_id" {
				event = string(header.Value)
			}
		}
		h.stored[event]++
		if first, again := keys[event]; again && first != string(m.Key) || documents[string(m.Key)] != event {
			h.odd++
		}
		keys[event] = string(m.Key)
	})
	read(t, brokers, "saas.dead_letter", func(m kafkago.Message) { h.letters[string(m.Key)] = true })
	return h
}

func read(t *testing.T, brokers []string, topic string, each func(kafkago.Message)) {
	t.Helper()
	dialer := &kafkago.Dialer{Timeout: 10 * time.Second}
	var parts []kafkago.Partition
	var err error
	for _, b := range brokers {
		if parts, err = dialer.LookupPartitions(t.Context(), "tcp", b, topic); err == nil {
			break
		}
	}
	for _, part := range parts {
		leader, err := dialer.DialLeader(t.Context(), "tcp", brokers[0], topic, part.ID)
		if err != nil {
			t.Fatal(err)
		}
		last, err := leader.ReadLastOffset()
		_ = leader.Close()
		if err != nil {
			t.Fatal(err)
		}
		r := kafkago.NewReader(kafkago.ReaderConfig{Brokers: brokers, Topic: topic, Partition: part.ID, MaxBytes: 16 << 20, MaxWait: 100 * time.Millisecond})
		for last > 0 && r.Offset() < last {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			m, err := r.ReadMessage(ctx)
			cancel()
			if err != nil {
				t.Fatalf("read %s/%d at %d of %d: %v", topic, part.ID, r.Offset(), last, err)
			}
			each(m)
		}
		_ = r.Close()
	}
}

// file reads an embedded store.
func file(t *testing.T, path string, documents map[string]string) held {
	t.Helper()
	h := held{map[string]int{}, map[string]bool{}, 0}
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{"documents", "letters"} {
		rows, err := db.QueryContext(t.Context(), "SELECT id FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				t.Fatal(err)
			}
			if table == "letters" {
				h.letters[id] = true
			} else {
				h.stored[documents[id]]++
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		_ = rows.Close()
	}
	return h
}
