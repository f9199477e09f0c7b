package box

import (
	"bytes"
	"encoding/json"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
)

// TestTheVendorsClientReadsTheSame reads users, events and files of the fake with the vendor's Python client, whose models
// refuse what they do not know.
func TestTheVendorsClientReadsTheSame(t *testing.T) {
	python := filepath.Join(procs.Python(t, filepath.Join("boxsdk", "requirements.txt")), "python")
	e := serve(t, sim.Options{Seed: 17, Events: 3000, Users: 8, Start: time.Now().Add(-30 * time.Hour), Span: 24 * time.Hour, Limits: -1})
	c := exec.CommandContext(t.Context(), python, filepath.Join("boxsdk", "read.py"), e.base, e.key("client_id"), e.key("client_secret"),
		e.key("enterprise_id"))
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		t.Fatalf("run the vendor's client: %v\n%s", err, said.String())
	}
	got, compared := map[string]map[string]bool{}, 0
	for line := range bytes.Lines(out) {
		var row struct {
			Stream, Key string
			Same        *bool
		}
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		if got[row.Stream] == nil {
			got[row.Stream] = map[string]bool{}
		}
		got[row.Stream][row.Key] = true
		if row.Same != nil {
			if compared++; !*row.Same {
				t.Errorf("the content of file %s has another SHA-1 than the fake says", row.Key)
			}
		}
	}
	if compared == 0 {
		t.Error("no content was compared")
	}
	for _, stream := range []string{"users", "events"} {
		if read, want := slices.Sorted(maps.Keys(got[stream])), e.published(stream); !slices.Equal(read, want) {
			t.Errorf("%s: the vendor's client read %d, %d were published", stream, len(read), len(want))
		}
	}
	var want []string
	for _, f := range e.files(t) {
		want = append(want, f.ID)
	}
	for _, id := range want {
		if !got["files"][id] {
			t.Errorf("the vendor's client did not see file %s", id)
		}
	}
	if len(want) == 0 || len(got["files"]) < len(want) {
		t.Errorf("files: the vendor's client read %d, there are %d", len(got["files"]), len(want))
	}
}
