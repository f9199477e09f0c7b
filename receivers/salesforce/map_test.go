package salesforce

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
)

func TestGoldenRecords(t *testing.T) { saastest.Golden(t, Provider, "../../testdata/salesforce") }

// rawLine is a line of a log file, decoded apart from the receiver's table.
type rawLine struct {
	Type   string `json:"EVENT_TYPE"`
	User   string `json:"USER_ID"`
	Long   string `json:"USER_ID_DERIVED"`
	Name   string `json:"USER_NAME"`
	By     string `json:"DELEGATED_USER_ID_DERIVED"`
	ByName string `json:"DELEGATED_USER_NAME"`
	Source string `json:"SOURCE_IP"`
	Client string `json:"CLIENT_IP"`
	Time   string `json:"TIMESTAMP_DERIVED"`
}

func TestGivenEventsLoseNothing(t *testing.T) {
	raws := saastest.Given(t, "salesforce", 7)
	keys := map[string]bool{}
	saastest.Kept(t, Provider, raws, func(i int, docs []map[string]any) {
		var e rawLine
		if err := json.Unmarshal(raws[i], &e); err != nil {
			t.Fatal(err)
		}
		w := saastest.Mapped(t, Provider, "event_log_files", raws[i])[0]
		f := func(name, want string) {
			t.Helper()
			if got := w.Str(name); got != want {
				t.Errorf("event %d (%s): %s is %q, want %q", i, e.Type, name, got, want)
			}
		}
		id, name := longID(e.Long), e.Name
		if e.By != "" {
			f("user.effective.id", id)
			f("user.target.id", id)
			id, name = e.By, e.ByName
		}
		f("event.action", e.Type)
		f("event.outcome", "success")
		f("user.id", id)
		f("user.name", name)
		f("source.ip", either(e.Source, e.Client))
		if at := strings.Replace(e.Time, " ", "T", 1) + "Z"; docs[0]["@timestamp"] != at {
			t.Errorf("event %d happened at %v, want %s", i, docs[0]["@timestamp"], at)
		}
		if key := w.Str("event.id"); keys[key] {
			t.Errorf("event %d has the key %q of another", i, key)
		} else {
			keys[key] = true
		}
		set := map[string]string{"Login": loginSet}[e.Type]
		f("event.dataset", either(set, logFileSet))
	})
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func TestWhatAnEventSaysDecidesItsOutcome(t *testing.T) {
	f := func(raw, outcome, reason string) {
		t.Helper()
		w := saastest.Mapped(t, Provider, "event_log_files", json.RawMessage(raw))[0]
		if w.Str("event.outcome") != outcome || w.Str("event.reason") != reason {
			t.Errorf("%s: %q %q, want %q %q", raw, w.Str("event.outcome"), w.Str("event.reason"), outcome, reason)
		}
	}
	row := func(kind, rest string) string { return `{"EVENT_TYPE":"` + kind + `","REQUEST_ID":"r",` + rest + `}` }
	f(row("Login", `"LOGIN_STATUS":"LOGIN_NO_ERROR"`), "success", "")
	f(row("Login", `"LOGIN_STATUS":"LOGIN_ERROR_USER_FROZEN"`), "failure", "LOGIN_ERROR_USER_FROZEN")
	f(row("API", `"REQUEST_STATUS":"S"`), "success", "")
	f(row("API", `"REQUEST_STATUS":"U"`), "success", "")
	f(row("API", `"REQUEST_STATUS":"A"`), "failure", "REQUEST_STATUS A")
	f(row("RestApi", `"STATUS_CODE":"200"`), "success", "")
	f(row("RestApi", `"STATUS_CODE":"500"`), "failure", "STATUS_CODE 500")
	f(row("BulkApi", `"SUCCESS":"1"`), "success", "")
	f(`{"attributes":{"type":"LoginHistory"},"Id":"1","Status":"Success"}`, "success", "")
	f(`{"attributes":{"type":"LoginHistory"},"Id":"1","Status":"Restricted IP"}`, "failure", "Restricted IP")
	f(`{"attributes":{"type":"IdentityProviderEventStore"},"EventIdentifier":"1","ErrorCode":"SamlCertMissing"}`, "failure", "SamlCertMissing")
	f(`{"attributes":{"type":"IdentityVerificationEvent"},"EventIdentifier":"1","Status":"Succeeded"}`, "success", "")
	f(`{"attributes":{"type":"ApiEvent"},"EventIdentifier":"1","PolicyOutcome":"Block"}`, "failure", "transaction security policy: Block")
	f(`{"attributes":{"type":"ApiEvent"},"EventIdentifier":"1","PolicyOutcome":"NoAction"}`, "success", "")
	f(`{"attributes":{"type":"ApiAnomalyEventStore"},"EventIdentifier":"1","Score":0.9}`, "unknown", "")
}

func TestEveryEventOfTheCatalogueHasAClass(t *testing.T) {
	for name, raws := range saastest.RawObjects(t, "../../testdata/salesforce") {
		if !strings.Contains(name, ".catalogue.") {
			continue
		}
		for i, w := range saastest.Mapped(t, Provider, saastest.StreamOf(name), raws...) {
			kind := w.Str("event.action")
			plain := slices.Contains([]string{"SomethingOfTomorrow"}, kind)
			if general := w.Str("saas.activity") == ""; general != plain && !strings.HasPrefix(kind, "ContentTransfer") {
				t.Errorf("%s: event %d (%s) is %q", name, i, kind, w.Strs("event.category"))
			}
		}
	}
}

func TestIDsOfLogFilesAreTheLongOnes(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := longID(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	f("0054x000001L78a", "0054x000001L78aAAC")
	f("0055f00000CyENt", "0055f00000CyENtAAN")
	f("0055f00000CyENtAAN", "0055f00000CyENtAAN")
	f("", "")
	f("not an id here!", "not an id here!")
}

func TestFieldsOfTheVendorAreTyped(t *testing.T) {
	n := 0
	for name, typ := range (event.Vendor{Fields: eventTypes}).FieldTypes() {
		if n++; !strings.HasPrefix(name, "salesforce.") || typ == "" {
			t.Errorf("%s is a %q", name, typ)
		}
	}
	if n < 80 {
		t.Errorf("%d fields", n)
	}
}
