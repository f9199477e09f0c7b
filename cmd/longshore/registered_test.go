package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/delivery"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/store"
)

// letterFields are those of a dead letter that no record has.
var letterFields = []string{"saas.dead_letter.id", "saas.dead_letter.dataset", "saas.dead_letter.bytes", "saas.dead_letter.document",
	"saas.dead_letter.cut"}

// registry says of documents what is in them that the program does not declare.
type fieldRegistry struct {
	fields map[string]event.FieldInfo
	roots  map[string]string // of the vendors, by module; "" = the document's dataset
}

func newFieldRegistry(t *testing.T) *fieldRegistry {
	t.Helper()
	r := &fieldRegistry{fields: map[string]event.FieldInfo{}, roots: map[string]string{}}
	for f := range event.Fields() {
		r.fields[f.Name] = f
	}
	for _, a := range apps(t) {
		r.roots[a.module()] = a.Vendor.Root
	}
	return r
}

func apps(t testing.TB) []application {
	t.Helper()
	all, err := (&program{set: settings()}).applications()
	if err != nil || len(all) == 0 {
		t.Fatalf("%d applications: %v", len(all), err)
	}
	return all
}

// strange gives what is neither a field of the registry nor below the root of the document's vendor, and values that are not of
// their field's type.
func (r *fieldRegistry) strange(doc obj) (out []string) {
	dataset := fmt.Sprint(saastest.Lookup(doc, "event.dataset"))
	root, known := r.roots[fmt.Sprint(saastest.Lookup(doc, "event.module"))]
	if known && root == "" {
		root = dataset
	}
	var walk func(at string, m obj)
	walk = func(at string, m obj) {
		for name, v := range m {
			path := strings.TrimPrefix(at+"."+name, ".")
			f, known := r.fields[path]
			below, isObject := v.(obj)
			switch {
			case known:
				if why := misfit(f, v); why != "" {
					out = append(out, path+": "+why)
				}
			case path == root && !strings.HasPrefix(dataset, "saas."):
			case isObject && len(below) > 0:
				walk(path, below)
			case dataset == delivery.LetterDataset && slices.Contains(letterFields, path):
			default:
				out = append(out, path+": not in the registry")
			}
		}
	}
	walk("", doc)
	slices.Sort(out)
	return out
}

// misfit says why a value is none of a field, or "".
func misfit(f event.FieldInfo, v any) string {
	list, isList := v.([]any)
	if isList != f.List && f.Type != "nested" && f.Type != "flattened" {
		return fmt.Sprintf("a list: %v, want %v", isList, f.List)
	}
	if !isList {
		list = []any{v}
	}
	for _, e := range list {
		ok := false
		switch text, isText := e.(string); f.Type {
		case "long":
			n, isNumber := e.(json.Number)
			_, err := strconv.ParseInt(text, 10, 64)
			ok = isNumber && !strings.ContainsAny(n.String(), ".eE") || err == nil && len(text) > 15 // over 2^53
		case "float":
			_, ok = e.(json.Number)
		case "boolean":
			_, ok = e.(bool)
		case "flattened", "nested", "object", "geo_point":
			_, ok = e.(obj)
		case "date":
			_, ok = event.ParseTime(text)
		case "ip":
			_, err := netip.ParseAddr(text)
			ok = err == nil
		default:
			ok = isText && (text != "" || strings.HasPrefix(f.Name, "saas.change.")) // whose lists go index for index
		}
		if !ok {
			return fmt.Sprintf("%v is no %s", e, f.Type)
		}
	}
	return ""
}

// docs is what a source of documents gives, and how many they are at least.
type docs struct {
	t    *testing.T
	r    *fieldRegistry
	n    int
	seen map[string]bool // problems
}

// read checks all documents of a text.
func (d *docs) read(from string, text []byte) {
	d.t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	for dec.More() {
		var v any
		if err := dec.Decode(&v); err != nil {
			d.t.Fatalf("%s: %v", from, err)
		}
		all, isList := v.([]any)
		if !isList {
			all = []any{v}
		}
		for _, doc := range all {
			d.n++
			for _, p := range d.r.strange(doc.(obj)) {
				if !d.seen[p] {
					d.seen[p] = true
					d.t.Errorf("%s: %s", from, p)
				}
			}
		}
	}
}

func (d *docs) views(from string, all []event.View) {
	d.t.Helper()
	for _, w := range all {
		d.read(from, event.AppendECS(nil, w, event.Encoding{Ingested: goldenTime}))
	}
}

func (d *docs) files(pattern string) {
	d.t.Helper()
	names, err := filepath.Glob("../../testdata/" + pattern)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".ocsf.json") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			d.t.Fatal(err)
		}
		d.read(name, text)
	}
}

// TestEveryFieldOfEveryDocumentIsRegistered asks it of everything that the tests can make the program write.
func TestEveryFieldOfEveryDocumentIsRegistered(t *testing.T) {
	r := newFieldRegistry(t)
	f := func(name string, least int, give func(d *docs)) {
		t.Run(name, func(t *testing.T) {
			d := &docs{t: t, r: r, seen: map[string]bool{}}
			if give(d); d.n < least {
				t.Errorf("%d documents, at least %d are expected", d.n, least)
			}
			t.Logf("%d documents", d.n)
		})
	}
	f("mapped", 150, func(d *docs) {
		for _, a := range apps(t) { // what is no component yet writes nothing
			d.files(a.Name + "/*.want.json")
		}
	})
	f("golden", len(families), func(d *docs) { d.files("golden/*.json") })
	f("staged", 150, func(d *docs) { d.views("stage", stagedRecords(d.t)) })
	f("dead letters", 2*len(families), func(d *docs) {
		for _, w := range stagedRecords(d.t) {
			for _, limit := range []int{100, 1 << 20} {
				why := delivery.Refusal{ID: w.DocID(), Type: "document_parsing_exception", Reason: "failed to parse"}
				d.read("letter", delivery.Letter(w, why, "saas", limit, goldenTime))
			}
		}
	})
	for _, a := range apps(t) {
		least := cmp.Or(map[string]int{"salesforce": 7}[a.Name], 10) // how many are given
		f("given "+a.Name, least, func(d *docs) {
			n, err := saas.NewNormalizer(a.Provider, "")
			if err != nil {
				d.t.Fatal(err)
			}
			for _, raw := range saastest.Given(d.t, a.Name, least) {
				if err := n.Do(raw, func(w event.View) { d.views(a.Name, []event.View{w}) }); err != nil {
					d.t.Error(err)
				}
			}
		})
	}
}

// stored reads everything that the simulated tenants of a quickstart led to.
func (d *docs) stored(dir string) {
	d.t.Helper()
	reader, err := store.OpenReader(d.t.Context(), filepath.Join(dir, "longshore.db"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	datasets := map[string]bool{}
	_, err = since(d.t.Context(), reader, 0, func(_ int64, doc []byte) error {
		if head, err := parse(doc); err == nil {
			datasets[head.Event.Dataset] = true
		}
		d.read("quickstart", doc)
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	for _, want := range []string{"okta.system", "okta.inventory", "box_events.events", "box.inventory", "saas.finding", "saas.action",
		"saas.agent"} {
		if !datasets[want] {
			d.t.Errorf("the simulated tenants gave nothing of %s", want)
		}
	}
}

func TestWhatIsNotRegisteredIsFound(t *testing.T) {
	r := newFieldRegistry(t)
	f := func(doc string, want ...string) {
		t.Helper()
		var o obj
		dec := json.NewDecoder(strings.NewReader(doc))
		dec.UseNumber()
		if err := dec.Decode(&o); err != nil {
			t.Fatal(err)
		}
		if got := r.strange(o); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", doc, got, want)
		}
	}
	f(`{"event":{"module":"okta","dataset":"okta.system","type":["info"]},"okta":{"anything":{"at":"all"}}}`)
	f(`{"event":{"module":"okta","dataset":"okta.system"},"box":{"a":1}}`, "box.a: not in the registry")
	f(`{"event":{"module":"okta","dataset":"saas.finding"},"okta":{"a":1}}`, "okta.a: not in the registry")
	f(`{"saas":{"share":{"visible":"public"}},"file":{}}`, "file: not in the registry", "saas.share.visible: not in the registry")
	f(`{"saas":{"dead_letter":{"id":"x"}}}`, "saas.dead_letter.id: not in the registry")
	f(`{"event":{"type":"info","severity":"3","start":"noon","reason":""},"source":{"ip":"here"},"saas":{"auth":{"mfa":1}}}`,
		"event.reason:  is no keyword", "event.severity: 3 is no long", "event.start: noon is no date", "event.type: a list: false, want true",
		"saas.auth.mfa: 1 is no boolean", "source.ip: here is no ip")
}
