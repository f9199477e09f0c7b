package box

import (
	"encoding/json"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
)

func TestGoldenRecords(t *testing.T) { saastest.Golden(t, Provider, "../../testdata/box") }

// happened are the records of one event.
func happened(t *testing.T, raw string) []event.View {
	t.Helper()
	return saastest.Mapped(t, Provider, "events", json.RawMessage(raw))
}

// rawEvent is an event, decoded apart from the receiver's table.
type rawEvent struct {
	Kind  string `json:"event_type"`
	Actor struct {
		ID          json.Number
		Login, Name string
	} `json:"created_by"`
	Source struct {
		ID                json.Number
		Type, Login, Name string
		ItemID            string                     `json:"item_id"`
		ItemName          string                     `json:"item_name"`
		ItemType          string                     `json:"item_type"`
		Owner             struct{ ID, Login string } `json:"owned_by"`
		Parent            struct{ ID, Name string }
	}
	Details string `json:"additional_details"`
}

func TestGivenEventsLoseNothing(t *testing.T) {
	raws := saastest.Given(t, "box", 13)
	saastest.Kept(t, Provider, raws, func(i int, docs []map[string]any) {
		var e rawEvent
		if err := json.Unmarshal(raws[i], &e); err != nil {
			t.Fatal(err)
		}
		w := happened(t, string(raws[i]))[0]
		f := func(name, want string) {
			t.Helper()
			if got := w.Str(name); got != want {
				t.Errorf("event %d (%s): %s is %q, want %q", i, e.Kind, name, got, want)
			}
		}
		f("event.action", e.Kind)
		f("user.id", e.Actor.ID.String())
		f("user.name", e.Actor.Login)
		f("user.full_name", e.Actor.Name)
		if e.Source.Type == "user" && e.Source.ID != e.Actor.ID {
			f("user.target.id", e.Source.ID.String())
			f("user.target.name", e.Source.Login)
		}
		if e.Source.ItemType == "file" {
			f("saas.file.id", e.Source.ItemID)
			f("file.name", e.Source.ItemName)
			f("saas.container.name", e.Source.Parent.Name)
			f("saas.file.owner.email", e.Source.Owner.Login)
		}
		var details struct {
			Alert *struct {
				Category string `json:"rule_category"`
				User     struct{ Email string }
				Summary  struct{ Description string } `json:"alert_summary"`
			} `json:"shield_alert"`
		}
		if err := json.Unmarshal([]byte(e.Details), &details); err != nil {
			t.Fatal(err)
		}
		if a := details.Alert; a != nil {
			f("event.kind", "alert")
			f("event.dataset", "box_events.shield_alerts")
			f("rule.category", a.Category)
			f("message", a.Summary.Description)
			if !slices.Contains(w.Strs("related.user"), a.User.Email) {
				t.Errorf("event %d: related.user %v lacks %s", i, w.Strs("related.user"), a.User.Email)
			}
		}
	})
}

// documented are the types of events in the vendor's description.
func documented(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(saastest.Shared(t, "specs/box/openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Components struct {
			Schemas struct {
				Event struct {
					Properties struct {
						Kind struct {
							AllOf []struct{ Enum []string }
						} `json:"event_type"`
					}
				}
			}
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	kinds := doc.Components.Schemas.Event.Properties.Kind.AllOf[0].Enum
	if len(kinds) < 132 {
		t.Fatalf("only %d types of events are described", len(kinds))
	}
	return kinds
}

func TestEveryDocumentedTypeOfEventHasItsMeaning(t *testing.T) {
	categories := strings.Fields("authentication configuration file iam intrusion_detection malware session")
	types := strings.Fields("access admin allowed change creation deletion denied group info start user")
	for _, kind := range documented(t) {
		c, ok := classes[kind]
		if !ok || c.Activity == "-" {
			t.Errorf("%s has no class of its own", kind)
		}
		w := happened(t, `{"event_id":"e1","event_type":"`+kind+`"}`)[0]
		for _, name := range w.Strs("event.category") {
			if !slices.Contains(categories, name) {
				t.Errorf("%s: event.category %s", kind, name)
			}
		}
		got := w.Strs("event.type")
		for _, name := range got {
			if !slices.Contains(types, name) {
				t.Errorf("%s: event.type %s", kind, name)
			}
		}
		if len(got) == 0 || w.Str("saas.activity") == "" || w.Str("event.action") != kind {
			t.Errorf("%s: %v", kind, w.Map())
		}
		blocks := w.Str("saas.activity") == "policy_block" && w.Str("event.outcome") == "failure"
		if blocks != (strings.Contains(kind, "BLOCKED") || strings.Contains(kind, "RESTRICTED")) {
			t.Errorf("%s: %s with outcome %q", kind, w.Str("saas.activity"), w.Str("event.outcome"))
		}
	}
}

func TestTypesOfEventsMeanWhatTheyAre(t *testing.T) {
	f := func(kinds, category, types, activity, outcome string) {
		t.Helper()
		for kind := range strings.FieldsSeq(kinds) {
			w := happened(t, `{"event_id":"e1","event_type":"`+kind+`"}`)[0]
			got := [...]string{strings.Join(w.Strs("event.category"), " "), strings.Join(w.Strs("event.type"), " "), w.Str("saas.activity"),
				w.Str("event.outcome")}
			if got != [...]string{category, types, activity, outcome} {
				t.Errorf("%s is %q", kind, got)
			}
			alerts := activity != "" && strings.Contains("threat_detected policy_block policy_violation", activity)
			if alerts != (w.Str("event.kind") == "alert") {
				t.Errorf("%s: event.kind is %s", kind, w.Str("event.kind"))
			}
		}
	}
	f("LOGIN ADMIN_LOGIN", "authentication session", "start", "login", "success")
	f("FAILED_LOGIN", "authentication", "start", "login", "failure")
	f("DEVICE_TRUST_CHECK_FAILED", "authentication", "denied", "device_check", "failure")
	f("USER_AUTHENTICATE_OAUTH2_ACCESS_TOKEN_CREATE", "authentication", "info", "token_issued", "")
	f("NEW_USER", "iam", "user creation", "user_create", "")
	f("DELETE_USER", "iam", "user deletion", "user_delete", "")
	f("CHANGE_ADMIN_ROLE", "iam", "admin change", "role_change", "")
	f("GROUP_ADD_USER", "iam", "group change", "group_member_add", "")
	f("UPLOAD ITEM_UPLOAD", "file", "creation", "file_upload", "")
	f("EDIT ITEM_MODIFY", "file", "change", "file_edit", "")
	f("DOWNLOAD FILE_WATERMARKED_DOWNLOAD", "file", "access", "file_download", "")
	f("DELETE", "file", "deletion", "file_delete", "")
	f("UNDELETE", "file", "creation", "file_restore", "")
	f("SHARE", "file", "change", "link_create", "")
	f("COLLABORATION_INVITE", "file", "change", "collab_add", "")
	f("COMMENT_EDIT", "file", "change", "comment", "")
	f("TASK_CREATE", "file", "creation", "task", "")
	f("SHIELD_ALERT", "intrusion_detection", "info", "threat_detected", "")
	f("FILE_MARKED_MALICIOUS", "malware", "info", "threat_detected", "")
	f("SHIELD_EXTERNAL_COLLAB_ACCESS_BLOCKED SHIELD_SHARED_LINK_STATUS_RESTRICTED_ON_CREATE", "file", "denied", "policy_block", "failure")
	// of those that are not described, by their beginning, or by nothing
	f("METADATA_TEMPLATE_RENAMED METADATA_ELSE", "configuration", "info", "policy_change", "")
	f("GROUP_ELSE_CREATED", "iam", "group change", "group_update", "")
	f("SHIELD_INFORMATION_BARRIER_ELSE_BLOCKED", "file", "denied", "policy_block", "failure")
	f("DELETE_GADGET SHARE_GADGET GADGET _ __", "configuration", "info", "", "")
	f("GADGET_CREATED GADGET_ADDED", "configuration", "creation", "", "")
}

func TestATokenTellsOfTheGrantToItsApp(t *testing.T) {
	recs := happened(t, `{"event_id":"e1","event_type":"USER_AUTHENTICATE_OAUTH2_ACCESS_TOKEN_CREATE","created_at":"2026-11-23T12:12:13-08:00",
		"created_by":{"type":"user","id":"11","login":"ana@contoso.example"},"additional_details":{"service_id":"812","service_name":"Robot"}}`)
	if len(recs) != 2 {
		t.Fatalf("%d records", len(recs))
	}
	w, g := recs[0], recs[1]
	if w.Str("event.id") != "e1" || w.Str("saas.app.id") != "812" || w.Str("saas.auth.protocol") != "oauth2" || w.Str("entity.id") != "" {
		t.Errorf("the event: %v", w.Map())
	}
	for name, want := range map[string]string{"event.id": "e1#1", "event.kind": "asset", "event.dataset": "box.inventory",
		"entity.type": "app_grant", "entity.id": "812/11", "entity.name": "Robot", "saas.app.id": "812", "saas.app.name": "Robot",
		"user.id": "11", "user.name": "ana@contoso.example", "event.action": "", "saas.entity.last_used": "2026-11-23T20:12:13.000Z"} {
		if got := g.Str(name); got != want {
			t.Errorf("the grant: %s is %q, want %q", name, got, want)
		}
	}
	if got := g.Strs("saas.grant.scopes"); len(got) > 0 {
		t.Errorf("scopes that Box does not tell: %v", got)
	}
	for _, lacks := range []string{`"created_by":{"id":"11"}`, `"additional_details":{"service_id":"812"}`} {
		if recs := happened(t, `{"event_id":"e1","event_type":"USER_AUTHENTICATE_OAUTH2_ACCESS_TOKEN_CREATE",`+lacks+`}`); len(recs) != 1 {
			t.Errorf("%s: %d records", lacks, len(recs))
		}
	}
}

func TestActorsAreTellingFromNobody(t *testing.T) {
	f := func(event, actor, id string) {
		t.Helper()
		w := happened(t, `{"event_id":"e1",`+event+`}`)[0]
		if w.Str("saas.actor.type") != actor || w.Str("user.id") != id || strings.Contains(w.Str("user.name"), "Unknown") {
			t.Errorf("%s: %s %q %q", event, w.Str("saas.actor.type"), w.Str("user.id"), w.Str("user.name"))
		}
	}
	const nobody = `"created_by":{"type":"user","id":"2","name":"Unknown User","login":""}`
	f(`"event_type":"UPLOAD","created_by":{"id":"11","login":"ana@contoso.example"}`, "user", "11")
	f(`"event_type":"UPLOAD","created_by":{"id":11,"login":"ana@contoso.example"}`, "user", "11")
	f(`"event_type":"UPLOAD","created_by":{"id":"11","login":"AutomationUser_1_x@boxdevedition.com"}`, "service_account", "11")
	f(`"event_type":"STORAGE_EXPIRATION","created_by":null`, "system", "")
	f(`"event_type":"STORAGE_EXPIRATION"`, "system", "")
	f(`"event_type":"DOWNLOAD",`+nobody, "anonymous", "")
	f(`"event_type":"FILE_MARKED_MALICIOUS",`+nobody, "system", "")
	f(`"event_type":"FAILED_LOGIN","source":{"type":"user","id":"12"},`+nobody, "user", "12")
	f(`"event_type":"SHIELD_ALERT","additional_details":{"shield_alert":{"user":{"id":12}}},`+nobody, "user", "12")
}

func TestUnknownIsAbsent(t *testing.T) {
	for _, raw := range goldenRows(t, "events.odd") {
		for _, w := range saastest.Mapped(t, Provider, "events", raw) {
			doc := w.Map()
			delete(doc, "box") // there everything stays as sent
			for path, leaf := range saastest.Leaves(doc) {
				if path != ".event.original" && (leaf == `""` || leaf == `"-"` || strings.Contains(strings.ToLower(leaf), "unknown")) {
					t.Errorf("%s is %s", path, leaf)
				}
			}
			if ip := w.Str("source.ip"); ip != "" {
				if _, err := netip.ParseAddr(ip); err != nil {
					t.Errorf("source.ip is %q", ip)
				}
			}
		}
	}
	if w := happened(t, `{"event_id":"e1","event_type":"LOGIN","ip_address":"Unknown IP"}`)[0]; w.Str("source.address") != "" {
		t.Errorf("source.address is %q", w.Str("source.address"))
	}
}

func TestTimesAreUTC(t *testing.T) {
	w := happened(t, `{"event_id":"e1","event_type":"LOGIN","created_at":"2026-11-23T20:12:13-08:00",
		"recorded_at":"2026-11-24T20:12:13-08:00"}`)[0]
	if got := w.Map()["@timestamp"]; got != "2026-11-24T04:12:13.000Z" {
		t.Errorf("@timestamp is %v", got)
	}
}

func TestAlertsRelateAllTheirAddresses(t *testing.T) {
	w := happened(t, `{"event_id":"e1","event_type":"SHIELD_ALERT","ip_address":"203.0.113.1","additional_details":{"shield_alert":{
		"rule_category":"Suspicious Sessions","alert_summary":{"sessions":[{"activities":[{"ip_info":{"ip":"203.0.113.2"}},
		{"ip_info":{"ip":"203.0.113.3"}}]}],
		"download_ips":[{"ip":"203.0.113.4"},{"ip":"nowhere"},{"ip":7}]}}}}`)[0]
	if got := slices.Sorted(slices.Values(w.Strs("related.ip"))); len(got) != 4 {
		t.Errorf("related.ip is %v", got)
	}
}

func TestEventsTouchWhatTheyChanged(t *testing.T) {
	l := event.Compile(eventFields)
	f := func(event string, want ...string) {
		t.Helper()
		v := valuesOf(t, l, `{"event_id":"e1",`+event+`}`)
		var got []string
		for _, it := range touched(&v) {
			got = append(got, it.Stream+"/"+it.Key+string(it.Data)+it.Hash)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s touches %q, want %q", event, got, want)
		}
	}
	const file, folder = `"source":{"item_type":"file","item_id":"42","owned_by":{"id":"11"}}`, `"source":{"item_type":"folder","item_id":"7"}`
	const owned = `"source":{"item_type":"folder","item_id":"7","owned_by":{"id":"11"}}`
	const content = `content/42{"as":"11"}`
	for kind := range strings.FieldsSeq(`UPLOAD EDIT COPY MOVE UNDELETE RENAME FILE_VERSION_RESTORE ITEM_SHARED_UPDATE SHARE UNSHARE
		COLLABORATION_INVITE`) {
		f(`"event_type":"`+kind+`",`+file, content)
		f(`"event_type":"` + kind + `",` + folder)
		if moves[kind] {
			f(`"event_type":"` + kind + `",` + owned)
		} else {
			f(`"event_type":"`+kind+`",`+owned, "files/11")
		}
		f(`"event_type":"` + kind + `","source":null`)
	}
	f(`"event_type":"DOWNLOAD",` + file)
	f(`"event_type":"DELETE",` + file)
	f(`"event_type":"UPLOAD","source":{"type":"file","id":"42","owned_by":{"id":"11"}}`, content)
	f(`"event_type":"COLLABORATION_ACCEPT","source":{"file_id":"42"}`, `content/42{}`)
	f(`"event_type":"COLLABORATION_REMOVE","source":{"type":"collaboration","item":{"type":"file","id":"42"}}`, `content/42{}`)
	f(`"event_type":"NEW_USER","source":{"type":"user","id":"12"}`, "users/")
	f(`"event_type":"CHANGE_ADMIN_ROLE","source":{"type":"user","id":"12"}`, "users/", "privileges/")
	f(`"event_type":"GROUP_EDITED","source":{"type":"group","id":"5"}`, "groups/")
	f(`"event_type":"GROUP_ADD_USER","source":{"type":"group","id":"5"}`, "group_members/5")
	f(`"event_type":"GROUP_ADD_USER","source":{"group_id":"5","user_id":"12"}`, "group_members/5")
	f(`"event_type":"GROUP_REMOVE_USER","source":{"type":"user","id":"12"},"additional_details":{"group_id":"5"}`, "group_members/5")
	f(`"event_type":"GROUP_REMOVE_USER","source":{"type":"user","id":"12"}`)
	f(`"event_type":"UPLOAD","source":{"item_type":"file","item_id":null}`)
	all := map[string]bool{}
	for _, s := range streams(&Config{}) {
		all[s.Name] = true
	}
	for kind := range classes {
		v := valuesOf(t, l, `{"event_id":"e1","event_type":"`+kind+`",`+file+`}`)
		for _, it := range touched(&v) {
			if !all[it.Stream] {
				t.Errorf("%s touches %s, which is no stream", kind, it.Stream)
			}
		}
	}
}

func valuesOf(t *testing.T, l *event.Layout, raw string) (v event.Values) {
	t.Helper()
	if err := l.Fill(json.RawMessage(raw), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEventsWithoutIDsAreToldByTheirContent(t *testing.T) {
	l := event.Compile(eventFields)
	f := func(raw string) string {
		v := valuesOf(t, l, raw)
		return eventKey(&v)
	}
	a, b := f(`{"event_type":"DELETE"}`), f(`{"event_type":"EDIT"}`)
	if a == "" || a == b || a != f(`{"event_type":"DELETE"}`) || f(`{"event_id":"e1","event_type":"EDIT"}`) != "e1" ||
		f(`{"type":"event"}`) != "" {
		t.Errorf("keys %q %q", a, b)
	}
}

func TestMappingAnEventAllocatesLittle(t *testing.T) {
	raws := goldenRows(t, "events.file.whole")
	var v event.Values
	b := event.NewBatch(event.Origin{Module: "box", Dataset: "box_events.events"})
	add := func() *event.Record { return b.Add(eventLayout, &v) }
	c := &Config{}
	once := func() {
		for range 100 {
			for _, raw := range raws {
				if err := eventLayout.Fill(raw, &v); err != nil {
					t.Fatal(err)
				}
				if err := c.mapEvent(&v, add); err != nil {
					t.Fatal(err)
				}
			}
		}
		b.Take()
	}
	once()
	if n := testing.AllocsPerRun(5, once) / 100 / float64(len(raws)); n > 60 {
		t.Errorf("%.0f allocations an event", n)
	} else {
		t.Logf("%.1f allocations an event", n)
	}
}
