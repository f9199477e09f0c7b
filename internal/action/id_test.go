package action

import (
	"fmt"
	"testing"

	"github.com/longshore-dev/longshore/internal/saas"
)

// TestAnIDIsNoOption: people hand ids to `longshore actions undo`, where what begins with a hyphen is an option.
func TestAnIDIsNoOption(t *testing.T) {
	seen := map[string]bool{}
	for i := range 5000 {
		q := Request{Module: "box", Tenant: "acme", Verb: QuarantineFile, Target: saas.Target{Type: "file", ID: fmt.Sprint(i)}}
		id := q.ID()
		if id[0] == '-' || len(id) != 20 || seen[id] {
			t.Fatalf("request %d: %q", i, id)
		}
		seen[id] = true
	}
}
