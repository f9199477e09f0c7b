package delivery

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/event"
)

// grid makes resources × scopes × records, numbered in order.
func grid(resources, scopes, records int) plog.Logs {
	logs := plog.NewLogs()
	n := 0
	for r := range resources {
		rl := logs.ResourceLogs().AppendEmpty()
		rl.SetSchemaUrl("schema")
		rl.Resource().Attributes().PutInt("resource", int64(r))
		for s := range scopes {
			sl := rl.ScopeLogs().AppendEmpty()
			sl.Scope().SetName(fmt.Sprint("scope ", s))
			for range records {
				sl.LogRecords().AppendEmpty().Body().SetStr(fmt.Sprintf("%d/%d/%d", r, s, n))
				n++
			}
		}
	}
	return logs
}

func TestPartKeepsExactlyWhatFailedWithItsPlace(t *testing.T) {
	logs := grid(3, 2, 4)
	failed := make([]bool, 24)
	want := ""
	for i := range failed {
		failed[i] = i%5 == 1 || i >= 16 && i < 20
	}
	i := 0
	for w := range event.Views(logs) {
		if failed[i] {
			want += w.Raw() + " "
		}
		i++
	}
	got := ""
	part := Part(logs, failed)
	for _, rl := range part.ResourceLogs().All() {
		r, _ := rl.Resource().Attributes().Get("resource")
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				body := lr.Body().Str()
				got += body + " "
				if !strings.HasPrefix(body, r.AsString()+"/"+strings.TrimPrefix(sl.Scope().Name(), "scope ")+"/") || rl.SchemaUrl() != "schema" {
					t.Errorf("%s stands in resource %s, %s", body, r.AsString(), sl.Scope().Name())
				}
			}
		}
	}
	if got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	if n := logs.LogRecordCount(); n != 24 {
		t.Fatalf("the batch was changed: %d records", n)
	}
}

func TestClassFollowsTheDataset(t *testing.T) {
	f := func(dataset, entity string, want Class) {
		t.Helper()
		logs := grid(1, 1, 1)
		for w := range event.Views(logs) {
			a := w.Log.Attributes()
			a.PutStr("event.dataset", dataset)
			if entity != "" {
				a.PutStr("entity.type", "user")
				a.PutStr("entity.id", entity)
			}
			if got := ClassOf(w); got != want {
				t.Fatalf("%s: class %d, want %d", dataset, got, want)
			}
		}
	}
	f("okta.system", "", Event)
	f("okta.inventory", "00u1", Entity)
	f("okta.inventory", "", Entity) // the end of a run
	f("other", "00u1", Entity)
	f("saas.finding", "00u1", Finding)
	f("saas.action", "", Action)
	f("saas.agent", "", Event)
}

func TestLetterIsBoundedAndSaysWhatWasCut(t *testing.T) {
	logs := grid(1, 1, 1)
	for w := range event.Views(logs) {
		w.Log.Body().SetStr(strings.Repeat("é\xff", 5000))
		w.Log.Attributes().PutStr("event.module", "okta")
		out := Letter(w, Refusal{"id", "type", "reason"}, "saas", 1001, time.Unix(0, 0))
		var l struct {
			Event struct{ Original, Module, Dataset string }
			Saas  struct {
				DeadLetter struct {
					Cut   bool
					Bytes int
				} `json:"dead_letter"`
			}
		}
		if err := json.Unmarshal(out, &l); err != nil {
			t.Fatal(err)
		}
		if n := len(l.Event.Original); n > 1001 || n < 990 || !l.Saas.DeadLetter.Cut || l.Saas.DeadLetter.Bytes != 15000 {
			t.Fatalf("kept %d bytes, %+v", n, l.Saas)
		}
		if l.Event.Module != "okta" || l.Event.Dataset != LetterDataset || bytes.ContainsRune(out, '\n') {
			t.Fatalf("letter %s", out)
		}
	}
}

func TestFileIsAppendedTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "letters")
	for _, text := range []string{"a", "b"} {
		f, err := OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Write([]byte("late")); err == nil {
			t.Fatal("a letter was lost in silence")
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "a\nb\n" {
		t.Fatalf("got %q, %v", got, err)
	}
	if _, err := OpenFile(filepath.Join(path, "x")); err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v", err)
	}
}

func TestOutcomesAreShownAsAMetric(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer func() { _ = tel.Shutdown(t.Context()) }()
	c, err := NewCounters(tel.NewTelemetrySettings(), component.MustNewID("kafka"))
	if err != nil {
		t.Fatal(err)
	}
	c.Add(Refused, 3)
	m, err := tel.GetMetric("longshore_delivered")
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%+v", m.Data); !strings.Contains(text, "Value:3") {
		t.Fatalf("got %s", text)
	}
	c.Close()
	if c.Count(Refused) != 3 {
		t.Fatal("lost count")
	}
}
