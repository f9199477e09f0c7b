package event

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// goldenRecords gives the records of the golden documents, read back from them.
func goldenRecords(t *testing.T, each func(name string, w View)) {
	t.Helper()
	files, err := filepath.Glob("../../testdata/*/*.want.json")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d golden files: %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		for d.More() {
			var v any
			if err = d.Decode(&v); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			docs, ok := v.([]any)
			if !ok {
				docs = []any{v}
			}
			for _, doc := range docs {
				each(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), recordOf(t, doc.(map[string]any)))
			}
		}
	}
}

// recordOf makes the record of an ECS document, as one that was read at a time like any other.
func recordOf(t *testing.T, doc map[string]any) View {
	rl := plog.NewResourceLogs()
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetObservedTimestamp(1795465500_000_000_000)
	var walk func(path string, v any)
	walk = func(path string, v any) {
		if m, ok := v.(map[string]any); ok && (FieldType(path) == "" || path == "labels") {
			for name, val := range m {
				if path == "" && (name == "okta" || name == "box") {
					continue
				}
				walk(join(path, name), val)
			}
			return
		}
		switch path {
		case "event.original":
			lr.Body().SetStr(v.(string))
		case "event.hash", "data_stream.type", "data_stream.dataset", "data_stream.namespace":
		case "@timestamp":
			at, ok := ParseTime(v.(string))
			if !ok {
				t.Fatal(v)
			}
			lr.SetTimestamp(1)
			lr.SetTimestamp(pcommonTime(at))
		default:
			raw, _ := json.Marshal(v)
			writeJSON(lr.Attributes().PutEmpty(path), raw, 0)
		}
	}
	walk("", doc)
	return View{Res: rl, Log: lr}
}

func TestGoldenRecordsObeyTheSchemaOfOCSF(t *testing.T) {
	s := schema(t)
	classes := map[float64]int{}
	n := 0
	goldenRecords(t, func(name string, w View) {
		n++
		doc := AppendOCSF(nil, w, Encoding{Ingested: time.Unix(1795465501, 0)})
		for _, p := range s.check(doc) {
			t.Errorf("%s: %s", name, p)
		}
		var v map[string]any
		if json.Unmarshal(doc, &v) == nil {
			classes[v["class_uid"].(float64)]++
		}
	})
	t.Log(n, "records", classes)
}

func pcommonTime(t time.Time) pcommon.Timestamp { return pcommon.NewTimestampFromTime(t) }
