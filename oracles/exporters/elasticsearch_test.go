package exporters

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/exporters/elasticsearch"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/oracles/backends"
	"github.com/longshore-dev/longshore/receivers/aws"
	"github.com/longshore-dev/longshore/receivers/box"
	"github.com/longshore-dev/longshore/receivers/googleworkspace"
	"github.com/longshore-dev/longshore/receivers/office365"
	"github.com/longshore-dev/longshore/receivers/okta"
	"github.com/longshore-dev/longshore/receivers/salesforce"
)

// server asks Elasticsearch or OpenSearch without the client that the exporter uses.
type server struct {
	*backends.Server
	t *testing.T
	kind
}

// kind is what differs between the two.
type kind struct {
	flavor, whole string // and the type of a field for a whole object
	start         func(testing.TB, ...string) *backends.Server
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
	cfg.Endpoints, cfg.Flavor = []string{s.Addr}, s.flavor
	cfg.RetryConfig.MaxInterval = 2 * time.Second
	if change != nil {
		change(cfg)
	}
	return start(t, f, cfg)
}

func TestRealElasticsearch(t *testing.T) {
	trials(t, kind{"elasticsearch", "flattened", backends.StartElasticsearch})
}

func TestRealOpenSearch(t *testing.T) {
	trials(t, kind{"opensearch", "flat_object", backends.StartOpenSearch})
}

func trials(t *testing.T, k kind) {
	known()
	s := server{k.start(t), t, k}
	for _, c := range []struct {
		name string
		test func(*testing.T, server)
	}{
		{"WrongFlavorIsRefused", wrongFlavor},
		{"EveryDatasetStaysBelowTheFieldLimit", fieldLimit},
		{"TemplatesFitTheServer", templatesFit},
		{"RealDocumentsAreTaken", realDocuments},
		{"RepeatsAreNoOps", repeatsAreNoOps},
		{"FieldsAreSearchable", fieldsAreSearchable},
		{"VendorFieldsThatDoNotFitAreLeftOut", vendorUnfit},
		{"PoisonIsSetAside", poisonIsSetAside},
		{"ZstdGivesWayToGzip", zstdGivesWay},
		{"NoLifecycleIsToldAndNoHindrance", noLifecycle},
		{"OldStateNeverReplacesANewerOne", oldState},
		{"ReadOnlyIndexIsWaitedFor", readOnly},
		{"KilledUnderLoadNothingIsLostOrDoubled", killed},
		{"DeadNodeIsLeftAndTriedAgain", deadNode},
		{"FilesOfDeployFitTheServer", filesFit},
		{"FilesReplaceThoseOfAProgramWithoutTypes", replaceTheUntyped},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, server{s.Server, t, k}) })
	}
	s.Stop()
	t.Run("SmallRequestLimitIsObeyed", func(t *testing.T) {
		smallRequests(t, server{k.start(t, "http.max_content_length=200kb"), t, k})
	})
}

// providers are those of the program.
var providers = []saas.Provider{aws.Provider, box.Provider, googleworkspace.Provider, office365.Provider, okta.Provider, salesforce.Provider}

// known makes the vendors' fields known, as the components of the program do when it starts: templates depend on them.
func known() {
	for _, p := range providers {
		saas.NewFactory(p)
	}
}

func wrongFlavor(t *testing.T, s server) {
	f := elasticsearch.NewFactory()
	cfg := f.CreateDefaultConfig().(*elasticsearch.Config)
	cfg.Endpoints = []string{s.Addr}
	if s.flavor == cfg.Flavor {
		cfg.Flavor = "opensearch"
	}
	e, err := f.CreateLogs(t.Context(), exportertest.NewNopSettings(f.Type()), cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = e.Start(t.Context(), componenttest.NewNopHost())
	if err == nil || !strings.Contains(err.Error(), "flavor") || !strings.Contains(err.Error(), s.Addr) {
		t.Errorf("got %v", err)
	}
	if err := e.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func templatesFit(t *testing.T, s server) {
	s.exporter(t, nil).send(batch("templates", 0, 1))
	list := s.call("GET", "/_component_template/saas-*", "")["component_templates"].([]any)
	if len(list) < 15 {
		t.Fatalf("%d component templates", len(list))
	}
	f := func(name string, priority float64) {
		t.Helper()
		installed := s.call("GET", "/_index_template/"+name, "")["index_templates"].([]any)[0].(map[string]any)
		index := installed["index_template"].(map[string]any)
		if index["priority"] != priority || index["data_stream"] == nil {
			t.Fatalf("%s: %v", name, index)
		}
	}
	f("saas-logs-saas", 250)
	f("saas-logs-okta-saas", 251)
	f("saas-logs-box-saas", 251)
	m := s.mapping("logs-okta.system-saas")
	props := m["properties"].(map[string]any)["okta"].(map[string]any)["properties"].(map[string]any)
	actor := props["actor"].(map[string]any)["properties"].(map[string]any)["alternate_id"].(map[string]any)
	if m["dynamic"] != "false" || actor["type"] != "keyword" {
		t.Fatalf("dynamic %v, okta.actor.alternate_id is %v", m["dynamic"], actor)
	}
}

// mapping is that of a data stream's only index.
func (s server) mapping(name string) map[string]any {
	s.t.Helper()
	for index, def := range s.call("GET", "/"+name+"/_mapping", "") {
		if !strings.HasPrefix(index, ".ds-") {
			s.t.Fatalf("%s is no data stream: %s", name, index)
		}
		return def.(map[string]any)["mappings"].(map[string]any)
	}
	s.t.Fatalf("%s has no index", name)
	return nil
}

// datasets are those of the schema, of all applications.
var datasets = strings.Fields(`aws.cloudtrail azure.signinlogs azure.auditlogs azure.activitylogs azure.identity_protection
 azure.graphactivitylogs o365.audit google_workspace.admin google_workspace.login google_workspace.drive google_workspace.token
 google_workspace.groups google_workspace.user_accounts google_workspace.saml google_workspace.rules google_workspace.alert
 google_workspace.device gcp.audit okta.system github.audit github.secret_scanning github.code_scanning github.dependabot github.members
 box_events.events box_events.shield_alerts salesforce.login salesforce.logout salesforce.apex salesforce.setupaudittrail servicenow.event
 workday.sign_on workday.activity workday.user dropbox.team_events webex.admin_audit webex.security_audit
 aws.inventory azure.inventory o365.inventory google_workspace.inventory gcp.inventory okta.inventory github.inventory box.inventory
 salesforce.inventory servicenow.inventory workday.inventory dropbox.inventory webex.inventory saas.finding saas.action saas.agent
 saas.dead_letter`)

func fieldLimit(t *testing.T, s server) {
	s.exporter(t, nil) // installs the templates
	least, most := 1000, 0
	for _, d := range datasets {
		made, ok := s.call("POST", "/_index_template/_simulate_index/logs-"+d+"-saas", "")["template"].(map[string]any)
		if !ok {
			t.Errorf("no template is for logs-%s-saas", d)
			continue
		}
		n := count(made["mappings"].(map[string]any))
		least, most = min(least, n), max(most, n)
		if n >= 800 || n < 400 {
			t.Errorf("%s: %d fields", d, n)
		}
	}
	made := s.call("POST", "/_index_template/_simulate_index/saas-entities-saas", "")["template"].(map[string]any)
	if n := count(made["mappings"].(map[string]any)); n >= 800 || n < 400 {
		t.Errorf("entities: %d fields", n)
	}
	t.Logf("%d datasets have %d to %d fields", len(datasets), least, most)
}

// otherwise says whether an object has a member of another type than its vendor documents.
var otherwise = map[string]func(body map[string]any) bool{
	"box": func(body map[string]any) bool { // details as a text
		_, object := body["additional_details"].(map[string]any)
		return !object
	},
	"office365": func(body map[string]any) bool {
		_, text := body["Parameters"].(string)
		return text
	},
	"aws": func(body map[string]any) bool { return strings.Contains(fmt.Sprint(body["eventTime"]), " ") },
}

// realDocuments sends what the providers' own documents and other people's examples give, and wants each in its index.
func realDocuments(t *testing.T, s server) {
	e := s.exporter(t, nil)
	for _, p := range providers {
		logs, want := plog.NewLogs(), map[string]bool{}
		add := func(stream string, raws []json.RawMessage) {
			for _, w := range saastest.Mapped(t, p, stream, raws...) {
				rl := logs.ResourceLogs().AppendEmpty()
				w.Res.Resource().CopyTo(rl.Resource())
				w.Log.CopyTo(rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
				rl.Resource().Attributes().PutStr("saas.tenant", "real/"+p.Name)
				rl.ScopeLogs().At(0).LogRecords().At(0).SetObservedTimestamp(pcommon.NewTimestampFromTime(day)) // as a receiver does
			}
		}
		for name, raws := range saastest.RawObjects(t, filepath.Join("..", "..", "testdata", p.Name)) {
			add(saastest.StreamOf(name), raws)
		}
		golden := logs.LogRecordCount()
		add(map[string]string{"aws": "cloudtrail", "okta": "system_log", "box": "events", "googleworkspace": "login",
			"office365": "audit_general", "salesforce": "login_event"}[p.Name],
			saastest.Given(t, p.Name, cmp.Or(map[string]int{"salesforce": 7}[p.Name], 10)))
		for _, w := range views(logs) {
			want[w.DocID()] = true
		}
		e.send(logs)
		got, docs := s.search("logs-*-saas", tenant("real/"+p.Name))
		same(t, p.Name, got, slices.Sorted(maps.Keys(want)))
		unfit := 0
		for _, d := range docs {
			if fmt.Sprint(d["tags"]) != "[vendor_fields_unfit]" {
				continue
			}
			unfit++
			original := d["event"].(map[string]any)["original"].(string)
			var body map[string]any
			if err := json.Unmarshal([]byte(original), &body); err != nil {
				t.Fatal(err)
			}
			if is := otherwise[p.Name]; is == nil || !is(body) {
				t.Errorf("does not fit the mapping: %s", original)
			}
		}
		t.Logf("%s: %d records, of them %d of ours; %d documents, %d without the vendor's fields",
			p.Name, logs.LogRecordCount(), golden, len(docs), unfit)
	}
	if got, letters := s.search("logs-*-saas", `{"term":{"event.kind":"pipeline_error"}}`); len(got) != 0 {
		t.Fatalf("set aside: %v", letters)
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
	f(`{"wildcard":{"okta.client.zone":"*one3"}}`, 10)                                   // declared
	f(`{"query_string":{"query":"okta.debug_context.debug_data.request_uri:*_3*"}}`, 10) // as KQL's wildcards become
	f(`{"term":{"okta.debug_context.debug_data.flattened.x":"y3"}}`, 10)                 // not declared, in a map
	f(`{"term":{"okta.unheard_of":"new2"}}`, 10)                                         // not declared
	f(`{"term":{"okta.also_new.deep.er":"2"}}`, 10)                                      // nor what is in it
	f(`{"terms":{"okta.target.alternate_id":["t1","t2"]}}`, 20)                          // a list of objects
}

func vendorUnfit(t *testing.T, s server) {
	e := s.exporter(t, nil)
	logs := batch("unfit", 0, 100)
	all := views(logs)
	f := func(i int, body string) { all[i].Log.Body().SetStr(body) }
	f(3, `{"uuid":"u3","client":"a text where the vendor has an object"}`)
	f(7, `{"uuid":"u7","eventType":{"an":"object where the vendor has a text"}}`)
	f(9, `{"uuid":"u9","securityContext":{"isProxy":"perhaps"}}`)
	f(11, `{"uuid":"u11","unheardOf":{"now":"an object"}}`)
	var many strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&many, `,"k%d":"%d"`, i, i)
	}
	f(13, `{"uuid":"u13"`+many.String()+`}`)
	e.send(logs)
	got, docs := s.search("logs-okta.system-saas", tenant("unfit"))
	same(t, "documents", got, ids(logs))
	bare := 0
	for _, d := range docs {
		if d["okta"] == nil {
			bare++
			if fmt.Sprint(d["tags"]) != "[vendor_fields_unfit]" || d["event"].(map[string]any)["original"] == nil {
				t.Errorf("not marked: %v", d)
			}
		}
	}
	want := 5
	if s.flavor == "elasticsearch" { // leaves out the fields beyond the limit by itself
		want = 4
	}
	if bare != want {
		t.Errorf("%d documents without the vendor's fields, want %d", bare, want)
	}
	if got, _ := s.search("logs-saas.dead_letter*", tenant("unfit")); len(got) != 0 {
		t.Errorf("%d were set aside", len(got))
	}
}

func zstdGivesWay(t *testing.T, s server) {
	e := s.exporter(t, func(c *elasticsearch.Config) { c.ClientConfig.Compression = "zstd" })
	for i := range 3 {
		e.send(batch("zstd", i*100, i*100+100))
	}
	got, _ := s.search("logs-okta.system-saas", tenant("zstd"))
	same(t, "documents", got, ids(batch("zstd", 0, 300)))
	if n := e.log.FilterMessageSnippet("does not take zstd").Len(); n != 1 {
		t.Errorf("told %d times", n)
	}
	if got, _ := s.search("logs-saas.dead_letter*", tenant("zstd")); len(got) != 0 {
		t.Errorf("%d were set aside", len(got))
	}
}

func noLifecycle(t *testing.T, s server) {
	e := s.exporter(t, func(c *elasticsearch.Config) { c.Lifecycle.Install = true })
	e.send(batch("lifecycle", 0, 10))
	got, _ := s.search("logs-okta.system-saas", tenant("lifecycle"))
	same(t, "documents", got, ids(batch("lifecycle", 0, 10)))
	if n := e.log.FilterMessageSnippet("lifecycle.install does nothing").Len(); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// deadNode has a second address behind which there is nothing.
func deadNode(t *testing.T, s server) {
	e := s.exporter(t, func(c *elasticsearch.Config) { c.Endpoints = []string{"http://127.0.0.1:1", s.Addr} })
	for i := range 6 {
		e.send(batch("dead", i*100, i*100+100))
	}
	got, _ := s.search("logs-okta.system-saas", tenant("dead"))
	same(t, "documents", got, ids(batch("dead", 0, 600)))
	if n := e.retries(); n != 0 {
		t.Errorf("%d retries: the other node was not used at once", n)
	}
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

func smallRequests(t *testing.T, s server) {
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
