package pipeline

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	_ "modernc.org/sqlite" // the driver

	"github.com/longshore-dev/longshore/oracles/procs"
)

func TestMain(m *testing.M) { procs.Main(m) }

// held is what a server holds: documents by id.
type held struct {
	who  string
	docs map[string]document
	n    int  // documents, repeats among them
	lean bool // only what names a document is kept
}

// document is one record as a server has it.
type document struct {
	Event struct{ ID, Dataset, Kind, Original string }
	SAAS  struct {
		Inventory struct {
			RunID string `json:"run_id"`
		}
	}
	raw map[string]any
}

// add takes one document.
func (h *held) add(t *testing.T, text []byte) {
	t.Helper()
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatalf("%s holds no JSON: %v: %.300s", h.who, err, text)
	}
	if h.lean {
		d.Event.Original = ""
	} else if err := json.Unmarshal(text, &d.raw); err != nil {
		t.Fatal(err)
	}
	if h.docs == nil {
		h.docs = map[string]document{}
	}
	h.docs[d.Event.Dataset+" "+d.Event.ID] = d
	h.n++
}

// keys are the vendor's keys of a stream's records. The log's are the ids of its events. The id of an entity's state is
// "stream/part/key@walk:hash"; the walk, "stream/part#number", stands beside it.
func (h *held) keys(stream string) []string {
	set := map[string]bool{}
	for _, d := range h.docs {
		if d.SAAS.Inventory.RunID == "" {
			if stream == "system_log" && d.Event.Dataset == "okta.system" {
				set[d.Event.ID] = true
			}
			continue
		}
		part := d.SAAS.Inventory.RunID[:strings.LastIndexByte(d.SAAS.Inventory.RunID, '#')]
		if part != stream && !strings.HasPrefix(part, stream+"/") {
			continue
		}
		if part == stream {
			part += "/"
		}
		if key, ok := strings.CutPrefix(d.state(), part+"/"); ok {
			set[key] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// state names the entity that a document is the state of, "stream/part/key"; "" = it is something else.
func (d document) state() string {
	if at := strings.LastIndexByte(d.Event.ID, '@'); d.SAAS.Inventory.RunID != "" && d.Event.Kind == "asset" && at > 0 {
		return d.Event.ID[:at]
	}
	return ""
}

// read reads the embedded store, or what of it the condition lets through.
func (h *held) read(t *testing.T, path, where string) *held {
	t.Helper()
	h.who = "SQLite"
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), "SELECT doc FROM documents WHERE "+where)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text []byte
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		h.add(t, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return h
}

// storedCount gives the number of documents in the embedded store that a condition lets through, 0 when there is no store.
func storedCount(path, where string) (n int) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err == nil {
		defer db.Close()
		_ = db.QueryRow("SELECT count(*) FROM documents WHERE " + where).Scan(&n)
	}
	return n
}

// index asks Elasticsearch without the client that the exporter uses.
type index struct{ addr string }

func (s index) call(ctx context.Context, method, path, body string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.addr+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s %.500s", method, path, r.Status, text)
	}
	if err == nil && into != nil {
		err = json.Unmarshal(text, into)
	}
	return err
}

// all reads every document.
func (s index) all(t *testing.T, h *held) *held {
	t.Helper()
	h.who = "Elasticsearch"
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.call(t.Context(), "POST", "/logs-*/_refresh", "", nil))
	type page struct {
		Scroll string `json:"_scroll_id"`
		Hits   struct {
			Hits []struct {
				Source json.RawMessage `json:"_source"`
			}
		}
	}
	var p page
	must(s.call(t.Context(), "POST", "/logs-*/_search?scroll=1m", `{"size":2000,"sort":["_doc"]}`, &p))
	for len(p.Hits.Hits) > 0 {
		for _, hit := range p.Hits.Hits {
			h.add(t, hit.Source)
		}
		body, _ := json.Marshal(map[string]string{"scroll": "1m", "scroll_id": p.Scroll})
		p = page{}
		must(s.call(t.Context(), "POST", "/_search/scroll", string(body), &p))
	}
	return h
}

// count is the number of documents, 0 while the server does not answer.
func (s index) count(t *testing.T) int {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var n struct{ Count int }
	if s.call(ctx, "POST", "/logs-*/_refresh", "", nil) != nil || s.call(ctx, "GET", "/logs-*/_count", "", &n) != nil {
		return 0
	}
	return n.Count
}

// consumed reads all topics of a broker that are ours, from their beginning.
func consumed(t *testing.T, addr string) *held {
	t.Helper()
	h := &held{who: "Kafka"}
	c, err := kafkago.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := c.ReadPartitions()
	_ = c.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if strings.HasPrefix(p.Topic, "saas.") {
			consume(t, addr, p, func(m kafkago.Message) { h.add(t, m.Value) })
		}
	}
	return h
}

func consume(t *testing.T, addr string, p kafkago.Partition, each func(kafkago.Message)) {
	t.Helper()
	c, err := kafkago.DialLeader(t.Context(), "tcp", addr, p.Topic, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	from, to, err := c.ReadOffsets()
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := c.Seek(from, kafkago.SeekAbsolute); err != nil {
		t.Fatal(err)
	}
	for at := from; at < to; {
		b := c.ReadBatch(1, 20<<20)
		for {
			m, err := b.ReadMessage()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("read %s/%d at %d of %d: %v", p.Topic, p.ID, at, to, err)
			}
			at = m.Offset + 1
			each(m)
		}
		_ = b.Close()
	}
}

// plain is a document without the time at which the server took it.
func plain(d document) map[string]any {
	if e, ok := d.raw["event"].(map[string]any); ok {
		delete(e, "ingested")
	}
	return d.raw
}

// alike says where two servers hold different documents. When each of them took it differs; the rest may not.
func alike(t *testing.T, a, b *held) {
	t.Helper()
	bad := 0
	differ := func(format string, args ...any) {
		t.Helper()
		if bad++; bad <= 5 {
			t.Errorf(format, args...)
		}
	}
	for id, d := range a.docs {
		other, ok := b.docs[id]
		if !ok {
			differ("%q is in %s and not in %s", id, a.who, b.who)
			continue
		}
		one, two := plain(d), plain(other)
		x, _ := json.Marshal(one)
		y, _ := json.Marshal(two)
		if !bytes.Equal(x, y) {
			at := 0
			for at < min(len(x), len(y)) && x[at] == y[at] {
				at++
			}
			differ("%q differs at %d: in %s %.200s, in %s %.200s", id, at, a.who, x[max(0, at-50):], b.who, y[max(0, at-50):])
		}
	}
	for id := range b.docs {
		if _, ok := a.docs[id]; !ok {
			differ("%q is in %s and not in %s", id, b.who, a.who)
		}
	}
	if bad > 5 {
		t.Errorf("%d documents differ between %s and %s", bad, a.who, b.who)
	}
}
