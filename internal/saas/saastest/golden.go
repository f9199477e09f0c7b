package saastest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

var update = flag.Bool("update", false, "write the golden records anew")

// Mapped are the records of raw objects, as a stream of the provider maps them offline.
func Mapped(t *testing.T, p saas.Provider, stream string, raws ...json.RawMessage) []event.View {
	t.Helper()
	event.RegisterVendor(p.Vendor)
	all := offline(t, p)
	i := slices.IndexFunc(all, func(s saas.Stream) bool { return s.Name == stream })
	if i < 0 {
		t.Fatalf("there is no stream %s", stream)
	}
	l := event.Compile(all[i].Fields)
	b := event.NewBatch(event.Origin{Module: p.Vendor.Module, Tenant: "acme", Dataset: all[i].Dataset})
	for _, raw := range raws {
		var v event.Values
		if err := l.Fill(raw, &v); err != nil {
			t.Fatalf("%s: read %.80s: %v", stream, raw, err)
		}
		key, n := all[i].Key(&v), 0
		if key == "" {
			t.Fatalf("%s: %.80s has no key", stream, raw)
		}
		err := all[i].Map(&v, func() *event.Record {
			r := b.Add(l, &v)
			if n++; n > 1 {
				r.ID(fmt.Sprintf("%s#%d", key, n-1))
			} else if !r.HasID() {
				r.ID(key)
			}
			return r
		})
		if err != nil {
			t.Fatalf("%s: map %.80s: %v", stream, raw, err)
		}
	}
	return slices.Collect(event.Views(b.Take()))
}

func offline(t *testing.T, p saas.Provider) []saas.Stream {
	t.Helper()
	streams, err := p.Declared()
	if err != nil {
		t.Fatal(err)
	}
	return streams
}

// Golden maps the objects of every <stream>.<family>.in.json in the folder and compares the documents with .want.json; a
// family that ends in .whole has the vendor's own fields too. Every stream must have one. With -update it writes them.
func Golden(t *testing.T, p saas.Provider, folder string) {
	t.Helper()
	seen := map[string]bool{}
	for name, raws := range RawObjects(t, folder) {
		stream := StreamOf(name)
		seen[stream] = true
		var docs []string
		for _, w := range Mapped(t, p, stream, raws...) {
			var doc bytes.Buffer
			enc := event.AppendECS(nil, w, event.Encoding{NoClock: true, NoOriginal: true, NoVendor: !strings.Contains(name, ".whole.")})
			if err := json.Indent(&doc, enc, "", "  "); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			docs = append(docs, doc.String())
		}
		Same(t, strings.Replace(name, ".in.", ".want.", 1), "["+strings.Join(docs, ",\n")+"]\n",
			"go test ./receivers/"+p.Name+" -run TestGoldenRecords -update")
	}
	for _, s := range offline(t, p) {
		if !seen[s.Name] && s.Map != nil { // what leads to parts and no more makes no records
			t.Errorf("stream %s has no golden record in %s", s.Name, folder)
		}
	}
}

// RawObjects are those of every <stream>.<family>.in.json in the folder, by the file's path, in the order of names.
func RawObjects(t testing.TB, folder string) iter.Seq2[string, []json.RawMessage] {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.in.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%d files of raw objects in %s, %v", len(names), folder, err)
	}
	return func(yield func(string, []json.RawMessage) bool) {
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var raws []json.RawMessage
			if err := json.Unmarshal(text, &raws); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !yield(name, raws) {
				return
			}
		}
	}
}

// StreamOf is the stream of such a file.
func StreamOf(name string) string {
	stream, _, _ := strings.Cut(filepath.Base(name), ".")
	return stream
}

// Same compares what was made with a golden file. With -update the file is written anew; how is the command that does it.
func Same(t *testing.T, golden, got, how string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v: run %s", err, how)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s\nif it is meant to be so, run %s", golden, got, want, how)
	}
}

// Shared finds a file that is given beside the repository, from a provider's folder; without it the test is skipped, but
// never in CI.
func Shared(t *testing.T, path string) string {
	t.Helper()
	name, err := beside(path)
	switch {
	case err == nil:
	case inCI():
		t.Fatalf("%v", err)
	default:
		t.Skipf("not given: %v", err)
	}
	return name
}

// IsShared says whether a test may ask Shared for a file without being skipped for it.
func IsShared(path string) bool {
	_, err := beside(path)
	return err == nil || inCI()
}

func inCI() bool { return os.Getenv("CI") == "true" }

func beside(path string) (name string, err error) {
	name = filepath.Join("..", "..", "..", "shared", path)
	_, err = os.Stat(name)
	return name, err
}

// Given are the raw events of the shared examples of an application, of which there must be so many at least.
func Given(t *testing.T, app string, least int) (raws []json.RawMessage) {
	t.Helper()
	if app == "googleworkspace" { // whose module is spelled in two words
		app = "google_workspace"
	}
	f, err := os.Open(Shared(t, "raw-events/"+app+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var line struct{ Raw json.RawMessage }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		raws = append(raws, line.Raw)
	}
	if err := lines.Err(); err != nil || len(raws) < least {
		t.Fatalf("only %d events of %s are given: %v", len(raws), app, err)
	}
	return raws
}

// Kept checks that each raw object goes through `normalize` with nothing lost: what was sent is in the first document as
// event.original, byte for byte, and every scalar of it under the vendor's root, or whole below its flattened; what a list has by
// name may lie below that name. It calls each with all its documents.
func Kept(t *testing.T, p saas.Provider, raws []json.RawMessage, each func(i int, docs []map[string]any)) {
	t.Helper()
	norm, err := saas.NewNormalizer(&p, "")
	if err != nil {
		t.Fatal(err)
	}
	event.RegisterVendor(p.Vendor)
	for i, raw := range raws {
		var docs []map[string]any
		err := norm.Do(raw, func(w event.View) {
			var doc map[string]any
			if err := json.Unmarshal(event.AppendECS(nil, w, event.Encoding{NoClock: true}), &doc); err != nil {
				t.Fatal(err)
			}
			docs = append(docs, doc)
		})
		if err != nil || len(docs) == 0 {
			t.Errorf("event %d: %d records, %v", i, len(docs), err)
			continue
		}
		if got, _ := docs[0]["event"].(map[string]any); got["original"] != string(raw) {
			t.Errorf("event %d: event.original differs from what was sent", i)
		}
		var in map[string]any
		_ = json.Unmarshal(raw, &in)
		at := p.Vendor.Root
		if at == "" {
			at, _ = Lookup(docs[0], "event.dataset").(string)
		}
		root, _ := Lookup(docs[0], at).(map[string]any)
		found := Leaves(root)
		sent := Leaves(in)
		for path, leaf := range sent {
			if got := found[path]; got != leaf && found[".flattened"+path] != leaf && leaf != `""` && !isNamed(sent, found, path) {
				t.Errorf("event %d: %s is %s under %s, was sent as %s", i, path, got, at, leaf)
			}
		}
		each(i, docs)
	}
}

// isNamed says whether a scalar of an element of a list, [{"Name":"a","Value":1}], lies below that element's name: {"a":1}.
func isNamed(sent, found map[string]string, path string) bool {
	end := strings.LastIndexByte(path, '.')
	start := strings.LastIndexByte(path, '[')
	if start < 0 || end < start {
		return false
	}
	var name string
	if json.Unmarshal([]byte(sent[path[:end]+".name"]), &name) != nil {
		return false
	}
	below := path[:start] + "." + plainName(name)
	if path[end:] != ".name" {
		return found[below] == sent[path] || found[below+path[end:]] == sent[path]
	}
	for at := range found {
		if at == below || strings.HasPrefix(at, below+".") {
			return true
		}
	}
	return false
}

// plainName is a name in any spelling.
func plainName(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", " ", "", "-", "").Replace(s))
}

// Leaves are the scalars of a value by their paths, names in any spelling.
func Leaves(v any) map[string]string {
	out := map[string]string{}
	addLeaves(out, "", v)
	return out
}

func addLeaves(out map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			addLeaves(out, path+"."+plainName(k), e)
		}
	case []any:
		for i, e := range v {
			addLeaves(out, fmt.Sprintf("%s[%d]", path, i), e)
		}
	case nil:
	default:
		b, _ := json.Marshal(v)
		out[path] = string(b)
	}
}
