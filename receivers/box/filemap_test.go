package box

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// goldenRows are the objects of golden records.
func goldenRows(t *testing.T, name string) (raws []json.RawMessage) {
	t.Helper()
	in, err := os.ReadFile("../../testdata/box/" + name + ".in.json")
	if err == nil {
		err = json.Unmarshal(in, &raws)
	}
	if err != nil {
		t.Fatal(err)
	}
	return raws
}

// asFile maps one object by a configuration, and gives what it leads to.
func asFile(t *testing.T, c *Config, raw json.RawMessage) (event.View, []saas.Item) {
	t.Helper()
	l := event.Compile(fileFields)
	var v event.Values
	if err := l.Fill(raw, &v); err != nil {
		t.Fatal(err)
	}
	b := event.NewBatch(event.Origin{Module: "box"})
	if err := c.mapFile(&v, func() *event.Record { return b.Add(l, &v) }); err != nil {
		t.Fatal(err)
	}
	items := contentOf(&v)
	for w := range event.Views(b.Take()) {
		return w, items
	}
	t.Fatalf("%.80s made no record", raw)
	return event.View{}, nil
}

func TestNamesStayAsTheyAre(t *testing.T) {
	for _, raw := range goldenRows(t, "files.names") {
		var in struct {
			Item struct{ Name string }
		}
		if err := json.Unmarshal(raw, &in); err != nil {
			t.Fatal(err)
		}
		w, _ := asFile(t, &Config{}, raw)
		if got := w.Str("file.name"); got != in.Item.Name || w.Str("entity.name") != got || w.Str("file.path") != "/"+got+"/"+got {
			t.Errorf("%q came as %q at %q", in.Item.Name, got, w.Str("file.path"))
		}
	}
}

func TestContentIsAskedOfFilesOfTheEnterpriseByTheHashOfTheirRecord(t *testing.T) {
	f := func(name string, row int, want string) {
		t.Helper()
		w, items := asFile(t, &Config{}, goldenRows(t, name)[row])
		got := ""
		if len(items) == 1 {
			it := items[0]
			if it.Hash != saas.ContentID(w) {
				t.Errorf("%s %d: asked for %s, its record has %s", name, row, it.Hash, saas.ContentID(w))
			}
			got = it.Stream + " " + it.Key + " " + string(it.Data)
		}
		if got != want || len(items) > 1 {
			t.Errorf("%s %d: leads to %s, want %s", name, row, got, want)
		}
	}
	f("files.all", 0, `content 42123 {"as":"11446498","inherited":{"visibility":"public","role":"viewer",`+
		`"recipients":["guest@elsewhere.example","olu@agency.example"],"domains":["elsewhere.example"]}}`)
	f("files.all", 1, `content 42124 {"as":"11446498","inherited":{}}`)
	f("files.all", 2, "") // a folder
	f("files.all", 3, "") // a link
	f("files.all", 4, "") // of somebody outside
	f("files.all", 5, "")
	f("trash.all", 0, `content trash/42200 {"as":"11446498","inherited":{}}`)
	f("trash.all", 1, "")
}

func TestClassificationIsALabelByNameAndById(t *testing.T) {
	c := &Config{Labels: map[string]string{"Confidential": "8f1f2a4e-9d1b-4f63-9c3b-1d0a6b7c8d9e"}}
	w, _ := asFile(t, c, goldenRows(t, "files.all")[0])
	if got := w.Strs("saas.file.labels"); !slices.Equal(got, []string{"Confidential", "8f1f2a4e-9d1b-4f63-9c3b-1d0a6b7c8d9e"}) {
		t.Errorf("the labels are %q", got)
	}
	if w, _ = asFile(t, c, goldenRows(t, "files.all")[1]); len(w.Strs("saas.file.labels")) > 0 {
		t.Error("a file without a classification has a label")
	}
}
