package exporters

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/exporters/elasticsearch"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/oracles/backends"
)

// server asks Elasticsearch without the client that the exporter uses.
type server struct {
	*backends.Server
	t *testing.T
}

func (s server) call(method, path, body string) map[string]any {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.Addr+path, bytes.NewReader([]byte(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode/100 != 2 {
		s.t.Fatalf("%s %s: %d %.500s, %v", method, path, res.StatusCode, text, err)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		s.t.Fatal(err)
	}
	return out
}

// search gives the ids of the documents that match, and the documents.
func (s server) search(index, query string) (ids []string, docs []map[string]any) {
	s.t.Helper()
	s.call("POST", "/"+index+"/_refresh", "")
	body := fmt.Sprintf(`{"size":10000,"track_total_hits":true,"query":%s}`, query)
	found := s.call("POST", "/"+index+"/_search", body)["hits"].(map[string]any)
	for _, h := range found["hits"].([]any) {
		hit := h.(map[string]any)
		ids = append(ids, hit["_id"].(string))
		docs = append(docs, hit["_source"].(map[string]any))
	}
	if total := found["total"].(map[string]any)["value"].(float64); int(total) != len(ids) {
		s.t.Fatalf("%v documents, %d read", total, len(ids))
	}
	slices.Sort(ids)
	return ids, docs
}

func tenant(name string) string { return fmt.Sprintf(`{"term":{"saas.tenant":%q}}`, name) }

// exporter makes one that writes to the server.
func (s server) exporter(t *testing.T, change func(*elasticsearch.Config)) *running {
	t.Helper()
	f := elasticsearch.NewFactory()
	cfg := f.CreateDefaultConfig().(*elasticsearch.Config)
	cfg.Endpoints = []string{s.Addr}
	cfg.RetryConfig.MaxInterval = 2 * time.Second
	if change != nil {
		change(cfg)
	}
	return start(t, f, cfg)
}

func TestRealElasticsearch(t *testing.T) {
	event.RegisterVendor(event.Vendor{Module: "okta", Root: "okta", Snake: true})
	s := server{backends.StartElasticsearch(t), t}
	for _, c := range []struct {
		name string
		test func(*testing.T, server)
	}{
		{"TemplatesFitTheServer", templatesFit},
		{"RepeatsAreNoOps", repeatsAreNoOps},
		{"FieldsAreSearchable", fieldsAreSearchable},
		{"PoisonIsSetAside", poisonIsSetAside},
		{"OldStateNeverReplacesANewerOne", oldState},
		{"ReadOnlyIndexIsWaitedFor", readOnly},
		{"SmallRequestLimitIsObeyed", smallRequests},
		{"KilledUnderLoadNothingIsLostOrDoubled", killed},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, server{s.Server, t}) })
	}
}

func templatesFit(t *testing.T, s server) {
	s.exporter(t, nil).send(batch("templates", 0, 1))
	list := s.call("GET", "/_component_template/saas-*", "")["component_templates"].([]any)
	if len(list) < 15 {
		t.Fatalf("%d component templates", len(list))
	}
	installed := s.call("GET", "/_index_template/saas-logs-saas", "")["index_templates"].([]any)[0].(map[string]any)
	index := installed["index_template"].(map[string]any)
	if index["priority"] != 250.0 || index["data_stream"] == nil {
		t.Fatalf("index template %v", index)
	}
	for name, def := range s.call("GET", "/logs-okta.system-saas/_mapping", "") {
		mappings := def.(map[string]any)["mappings"].(map[string]any)
		if n := count(mappings); n >= 800 || n < 400 || mappings["dynamic"] != "false" || !strings.HasPrefix(name, ".ds-") {
			t.Fatalf("%s: %d fields, dynamic %v", name, n, mappings["dynamic"])
		}
		props := mappings["properties"].(map[string]any)
		if typ := props["okta"].(map[string]any)["type"]; typ != "flattened" {
			t.Fatalf("okta is %v", typ)
		}
	}
}

// count counts as the server's limit does.
func count(m map[string]any) int {
	n := 0
	for _, key := range []string{"properties", "fields"} {
		props, _ := m[key].(map[string]any)
		for _, p := range props {
			n += 1 + count(p.(map[string]any))
		}
	}
	return n
}

func repeatsAreNoOps(t *testing.T, s server) {
	e := s.exporter(t, nil)
	logs := batch("repeats", 0, 5000)
	e.send(logs)
	e.send(logs)
	e.send(batch("repeats", 2500, 7000))
	got, _ := s.search("logs-okta.system-saas", tenant("repeats"))
	same(t, "documents", got, ids(batch("repeats", 0, 7000)))
	if n := e.retries(); n != 0 {
		t.Fatalf("%d retries", n)
	}
}

func fieldsAreSearchable(t *testing.T, s server) {
	s.exporter(t, nil).send(batch("fields", 0, 70))
	f := func(query string, want int) {
		t.Helper()
		got, _ := s.search("logs-*", `{"bool":{"filter":[`+tenant("fields")+`,`+query+`]}}`)
		if len(got) != want {
			t.Fatalf("%s: %d, want %d", query, len(got), want)
		}
	}
	f(`{"term":{"okta.client.zone":"zone3"}}`, 10)
	f(`{"prefix":{"okta.client.zone":"zone"}}`, 70)
	f(`{"term":{"source.ip":"192.0.2.0/28"}}`, 16)
	f(`{"range":{"@timestamp":{"lt":"2026-11-20T10:00:05Z"}}}`, 5)
	f(`{"term":{"data_stream.dataset":"okta.system"}}`, 70)
	f(`{"term":{"user.name":"user7@acme.example"}}`, 2)
	f(`{"exists":{"field":"event.ingested"}}`, 70)
}

func poisonIsSetAside(t *testing.T, s server) {
	e := s.exporter(t, nil)
	logs := batch("poison", 0, 300)
	all := views(logs)
	all[5].Log.Attributes().Remove("user.name")
	all[5].Log.Attributes().PutStr("user", "a text where the schema has an object")
	all[9].Log.SetTimestamp(0)
	all[9].Log.SetObservedTimestamp(0)
	all[11].Log.Attributes().PutStr("source.ip", "not an address") // is kept, and not indexed
	bad := []string{all[5].DocID(), all[9].DocID()}
	slices.Sort(bad)
	e.send(logs)
	e.send(logs)
	good := slices.DeleteFunc(ids(logs), func(id string) bool { return slices.Contains(bad, id) })
	got, _ := s.search("logs-okta.system-saas", tenant("poison"))
	same(t, "documents", got, good)
	got, letters := s.search("logs-saas.dead_letter-saas", tenant("poison"))
	same(t, "letters", got, bad)
	for _, l := range letters {
		reason := l["error"].(map[string]any)
		if reason["type"] == "" || reason["message"] == "" || !strings.HasPrefix(l["event"].(map[string]any)["original"].(string), `{"uuid":`) {
			t.Fatalf("letter %v", l)
		}
	}
}

func oldState(t *testing.T, s server) {
	e := s.exporter(t, nil)
	var want []string
	for i, read := range []time.Duration{2, 3, 1, 3} { // minutes; the last is a repeat
		logs := batch("states", 0, 20)
		for k, w := range views(logs) {
			entity(w, fmt.Sprint("u", k), fmt.Sprint("name", int(read)), day.Add(read*time.Minute))
			if i == 0 {
				want = append(want, w.EntityID())
			}
		}
		e.send(logs)
	}
	slices.Sort(want)
	got, docs := s.search("saas-entities-saas", tenant("states"))
	same(t, "entities", got, want)
	for _, d := range docs {
		if name := d["user"].(map[string]any)["name"]; name != "name3" {
			t.Fatalf("kept %v", name)
		}
	}
	if got, _ := s.search("logs-okta.inventory-saas", tenant("states")); len(got) != 60 {
		t.Fatalf("%d states in the data stream, want 60", len(got))
	}
}

func readOnly(t *testing.T, s server) {
	e := s.exporter(t, nil)
	e.send(batch("readonly", 0, 10))
	s.call("PUT", "/logs-okta.system-saas/_settings", `{"index.blocks.read_only_allow_delete":true}`)
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.send(batch("readonly", 0, 500))
	}()
	until(t, "the first refusal", func() bool { return e.retries() > 0 })
	got, _ := s.search("logs-okta.system-saas", tenant("readonly"))
	same(t, "documents while read-only", got, ids(batch("readonly", 0, 10)))
	s.call("PUT", "/logs-okta.system-saas/_settings", `{"index.blocks.read_only_allow_delete":null}`)
	<-done
	got, _ = s.search("logs-okta.system-saas", tenant("readonly"))
	same(t, "documents", got, ids(batch("readonly", 0, 500)))
	if got, _ := s.search("logs-saas.dead_letter-saas,logs-okta.system-saas", `{"bool":{"filter":[`+tenant("readonly")+
		`,{"term":{"event.kind":"pipeline_error"}}]}}`); len(got) != 0 {
		t.Fatalf("%d were blamed for the read-only index", len(got))
	}
}

func smallRequests(t *testing.T, _ server) {
	s := server{backends.StartElasticsearch(t, "http.max_content_length=200kb"), t}
	e := s.exporter(t, func(c *elasticsearch.Config) { c.ClientConfig.Compression = "" })
	logs := batch("small", 0, 2000)
	huge := views(logs)[100]
	huge.Log.Body().SetStr(`{"huge":"` + strings.Repeat("z", 300<<10) + `"}`)
	e.send(logs)
	got, _ := s.search("logs-okta.system-saas", tenant("small"))
	same(t, "documents", got, slices.DeleteFunc(ids(logs), func(id string) bool { return id == huge.DocID() }))
	got, _ = s.search("logs-saas.dead_letter-saas", tenant("small"))
	same(t, "letters", got, []string{huge.DocID()})
}

func killed(t *testing.T, s server) {
	e := s.exporter(t, nil)
	logs := underLoad(t, e, "killed", func() {
		s.Kill()
		until(t, "the first refusal", func() bool { return e.retries() > 0 })
		s.Server.Start()
	})
	got, _ := s.search("logs-okta.system-saas", tenant("killed"))
	same(t, "documents", got, ids(logs))
	t.Logf("%d retries", e.retries())
}
