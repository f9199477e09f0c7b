package googleworkspace

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
)

func TestGoldenRecords(t *testing.T) { saastest.Golden(t, Provider, "../../testdata/googleworkspace") }

// documents are those of a raw object, as `normalize` writes them.
func documents(t *testing.T, raw string) (docs []map[string]any) {
	t.Helper()
	event.RegisterVendor(Provider.Vendor)
	n, err := saas.NewNormalizer(&Provider, "")
	if err != nil {
		t.Fatal(err)
	}
	err = n.Do(json.RawMessage(raw), func(w event.View) {
		var doc map[string]any
		if err := json.Unmarshal(event.AppendECS(nil, w, event.Encoding{NoClock: true}), &doc); err != nil {
			t.Fatal(err)
		}
		docs = append(docs, doc)
	})
	if err != nil || len(docs) == 0 {
		t.Fatalf("%d documents of %s: %v", len(docs), raw, err)
	}
	return docs
}

// TestGivenEventsLoseNothing asks of events that nobody here wrote that all of them pass, with what they were sent with, and that
// everything they say is said by the document's fields as well.
func TestGivenEventsLoseNothing(t *testing.T) {
	for i, raw := range saastest.Given(t, "google_workspace", 77) {
		docs := documents(t, string(raw))
		if got := saastest.Lookup(docs[0], "event.original"); got != string(raw) || len(docs) != 1 {
			t.Errorf("event %d: %d documents, event.original is not what was sent", i, len(docs))
		}
		said := map[string]bool{}
		delete(docs[0]["event"].(map[string]any), "original")
		for _, leaf := range saastest.Leaves(docs[0]) {
			said[strings.ToLower(leaf)] = true
		}
		var in struct {
			ID         struct{ ApplicationName string }
			Actor      struct{ Email string }
			Name, Type string
			IPAddress  string
			Parameters map[string]any
		}
		if err := json.Unmarshal(raw, &in); err != nil {
			t.Fatal(err)
		}
		for path, leaf := range saastest.Leaves(in.Parameters) {
			if !said[strings.ToLower(leaf)] && leaf != `""` {
				t.Errorf("event %d: parameter %s is %s and stands nowhere", i, path, leaf)
			}
		}
		f := func(name, want string) {
			t.Helper()
			if got, _ := saastest.Lookup(docs[0], name).(string); got != want {
				t.Errorf("event %d (%s/%s): %s is %q, want %q", i, in.ID.ApplicationName, in.Name, name, got, want)
			}
		}
		action := strings.TrimSpace(in.Name)
		if action == "" {
			action = in.Type
		}
		f("event.action", action)
		f("event.provider", in.ID.ApplicationName)
		f("event.dataset", datasetOf(in.ID.ApplicationName))
		f("source.ip", in.IPAddress)
		if in.Actor.Email != "" {
			f("user.email", in.Actor.Email)
		}
		for _, name := range []string{"target_user", "USER_EMAIL"} {
			if who, _ := in.Parameters[name].(string); who != "" && in.ID.ApplicationName != "mobile" {
				f("user.target.email", who)
			}
		}
		if id, _ := in.Parameters["doc_id"].(string); id != "" {
			f("saas.file.id", id)
		}
		if id, _ := in.Parameters["client_id"].(string); id != "" {
			f("saas.app.id", id)
		}
	}
}

func TestEveryEventOfAnActivityIsARecordWithFieldsOfItsOwn(t *testing.T) {
	docs := documents(t, `{"id":{"time":"2026-11-23T09:14:07.123Z","uniqueQualifier":"-1","applicationName":"drive","customerId":"C0"},
		"actor":{"email":"ann@contoso.com"},"events":[{"type":"access","name":"edit","parameters":[{"name":"doc_id","value":"a"}]},
		{"type":"acl_change","name":"change_user_access","parameters":[{"name":"doc_id","value":"b"},
		{"name":"count","intValue":"9007199254740993"}]}]}`)
	for i, want := range []string{"C0/drive/2026-11-23T09:14:07.123Z/-1 edit a",
		"C0/drive/2026-11-23T09:14:07.123Z/-1#1 change_user_access b"} {
		at := func(name string) any { return saastest.Lookup(docs[i], name) }
		if got := fmt.Sprint(at("event.id"), " ", at("event.action"), " ", at("google_workspace.drive.file.id")); got != want {
			t.Errorf("record %d is %q, want %q", i, got, want)
		}
	}
	if n := saastest.Lookup(docs[1], "google_workspace.drive.count"); n != "9007199254740993" || len(docs) != 2 {
		t.Errorf("%d records, count %v", len(docs), n)
	}
}

func TestAnActivityWithoutIdentityHasAKey(t *testing.T) {
	a := documents(t, `{"id":{"applicationName":"login"},"name":"logout"}`)
	b := documents(t, `{"id":{"applicationName":"login"},"name":"login"}`)
	if x, y := saastest.Lookup(a[0], "event.id"), saastest.Lookup(b[0], "event.id"); x == y || x == "" {
		t.Errorf("two activities have the ids %v and %v", x, y)
	}
}

func TestATreeKeepsAValueBesideWhatIsBelowIt(t *testing.T) {
	tr := &tree{}
	tr.put("a.b", json.RawMessage(`1`))
	tr.put("a", json.RawMessage(`2`))
	if tr.put("a.b", json.RawMessage(`3`)) {
		t.Error("a value took the place of another")
	}
	if got := string(tr.append(nil)); got != `{"a":{"value":2,"b":1}}` {
		t.Error(got)
	}
}
