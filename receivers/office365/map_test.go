package office365

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
)

func TestGoldenRecords(t *testing.T) { saastest.Golden(t, Provider, "../../testdata/office365") }

// happened is the record of one event of the feed.
func happened(t *testing.T, raw string) event.View {
	t.Helper()
	return saastest.Mapped(t, Provider, "audit_general", json.RawMessage(raw))[0]
}

func TestGivenEventsLoseNothing(t *testing.T) {
	raws := saastest.Given(t, "office365", 15)
	saastest.Kept(t, Provider, raws, func(i int, docs []map[string]any) {
		var e struct { // decoded apart from the receiver's table; names come in any case
			Operation, Workload, UserID, ClientIP, OrganizationID        string
			TargetUserOrGroupName, TargetUserOrGroupType, SourceFileName string

			Parameters []struct{ Name, Value string }
		}
		if err := json.Unmarshal(raws[i], &e); err != nil {
			t.Fatal(err)
		}
		w := happened(t, string(raws[i]))
		f := func(name, want string) {
			t.Helper()
			if got := w.Str(name); got != want {
				t.Errorf("event %d (%s): %s is %q, want %q", i, e.Operation, name, got, want)
			}
		}
		ip, _, _ := strings.Cut(e.ClientIP, ":")
		f("event.action", e.Operation)
		f("event.provider", e.Workload)
		f("event.outcome", "success")
		f("user.name", e.UserID)
		f("source.ip", ip)
		f("organization.id", e.OrganizationID)
		if to := e.TargetUserOrGroupName; to != "" {
			f("user.target.name", to)
			f("file.name", e.SourceFileName)
			f("saas.activity", "collab_add")
			f("saas.share.role", "editor")
			f("file.path", strings.TrimSuffix(w.Str("file.path"), e.SourceFileName)+e.SourceFileName)
			if got, _ := w.Get("saas.target.external"); got != (e.TargetUserOrGroupType == "Guest") {
				t.Errorf("event %d: saas.target.external is %v for a %s", i, got, e.TargetUserOrGroupType)
			}
		}
		for _, p := range e.Parameters {
			if got := saastest.Lookup(docs[0], "o365.audit.Parameters."+p.Name); got != p.Value {
				t.Errorf("event %d: parameter %s is %v, want %s", i, p.Name, got, p.Value)
			}
			switch {
			case p.Name == "Identity" && e.Operation == "Set-Mailbox":
				f("user.target.name", p.Value)
			case p.Name == "Mailbox":
				f("user.target.name", p.Value)
			case p.Name == "ForwardingSmtpAddress":
				f("saas.activity", "mail_forwarding_set")
				if to := strings.TrimPrefix(p.Value, "smtp:"); !slices.Contains(w.Strs("email.to.address"), to) {
					t.Errorf("event %d: %s is not among %v", i, to, w.Strs("email.to.address"))
				}
			}
		}
	})
}

func TestOperationsMeanWhatTheyAre(t *testing.T) {
	f := func(operations, category, types, activity, outcome string) {
		t.Helper()
		for operation := range strings.SplitSeq(operations, ", ") {
			raw, _ := json.Marshal(map[string]string{"Id": "e1", "Operation": operation})
			w := happened(t, string(raw))
			got := [...]string{strings.Join(w.Strs("event.category"), " "), strings.Join(w.Strs("event.type"), " "), w.Str("saas.activity"),
				w.Str("event.outcome")}
			if got != [...]string{category, types, activity, outcome} {
				t.Errorf("%s is %q", operation, got)
			}
			if w.Str("event.action") != operation {
				t.Errorf("%s: event.action is %q", operation, w.Str("event.action"))
			}
		}
	}
	f("UserLoggedIn", "authentication session", "start", "login", "success")
	f("UserLoginFailed", "authentication", "start", "login", "failure")
	f("UserLoggedOff", "session authentication", "end", "logout", "success")
	f("Update StsRefreshTokenValidFrom Timestamp.", "session", "end", "session_revoked", "success")
	f("Add user.", "iam", "user creation", "user_create", "success")
	f("Delete user., Hard Delete user.", "iam", "user deletion", "user_delete", "success")
	f("Disable account.", "iam", "user change", "user_suspend", "success")
	f("Reset user password., Set force change user password.", "iam", "user change", "password_reset", "success")
	f("Add member to role., Add eligible member to role.", "iam", "admin change", "role_grant", "success")
	f("Remove member from role.", "iam", "admin change", "role_revoke", "success")
	f("Add member to group., MemberAdded", "iam", "group change", "group_member_add", "success")
	f("Consent to application., Add delegated permission grant., Add OAuth2PermissionGrant.", "iam", "user change", "app_consent", "success")
	f("Add app role assignment to service principal.", "iam", "admin change", "app_consent", "success")
	f("Add service principal credentials., Update application – Certificates and secrets management ", "iam", "admin change",
		"app_credential_add", "success")
	f("Add policy., Add conditional access policy.", "configuration", "creation", "policy_change", "success")
	f("Set federation settings on domain.", "configuration", "change", "federation_change", "success")
	f("FileAccessed, FilePreviewed, PageViewed", "file", "access", "file_view", "success")
	f("FileDownloaded", "file", "access", "file_download", "success")
	f("FileUploaded", "file", "creation", "file_upload", "success")
	f("FileRecycled, FileDeletedSecondStageRecycleBin", "file", "deletion", "file_delete", "success")
	f("AnonymousLinkCreated", "file", "change", "share_public", "success")
	f("CompanyLinkRemoved, SharedLinkDisabled", "file", "change", "link_remove", "success")
	f("AddedToSecureLink, SharingSet", "file", "change", "collab_add", "success")
	f("New-InboxRule", "configuration", "creation", "mail_rule_add", "success")
	f("Add-MailboxPermission", "iam", "user change", "delegation_grant", "success")
	f("Set-AdminAuditLogConfig", "configuration", "change", "logging_change", "success")
	f("Disable-AntiPhishRule", "configuration", "change", "mail_policy_change", "success")
	f("MailItemsAccessed", "email", "access", "mail_read", "success")
	f("DlpRuleMatch", "email", "info", "dlp_match", "success")
	f("AlertTriggered", "intrusion_detection", "info", "threat_detected", "success")
	f("SearchExported", "configuration", "access", "ediscovery_export", "success")
	// of those that nobody knows
	f("SomethingOfTomorrow", "configuration", "info", "", "success")
	f("New-Thing, ThingCreated", "configuration", "creation", "", "success")
}

// TestEveryOperationOfTheFakeHasItsMeaning: what the fake sends is the catalogue of the fact sheet.
func TestEveryOperationOfTheFakeHasItsMeaning(t *testing.T) {
	for _, kind := range simKinds {
		for _, operation := range kind.operations {
			if c := classOf(operation); c.Activity == "-" && operation != "SomethingOfTomorrow" {
				t.Errorf("%s has no class of its own", operation)
			}
		}
	}
}

func TestActorsAreToldApart(t *testing.T) {
	f := func(members, kind, id, name string) {
		t.Helper()
		w := happened(t, `{"Id":"e1","Operation":"FileAccessed",`+members+`}`)
		if w.Str("saas.actor.type") != kind || w.Str("user.id") != id || w.Str("user.name") != name {
			t.Errorf("%s: %s %q %q", members, w.Str("saas.actor.type"), w.Str("user.id"), w.Str("user.name"))
		}
	}
	const id = "c0ffee00-0000-4000-8000-000000000001"
	f(`"UserId":"ann@contoso.example","UserType":0`, "user", "ann@contoso.example", "ann@contoso.example")
	f(`"UserId":"ann@contoso.example","UserType":2,"Actor":[{"ID":"`+id+`","Type":0},{"ID":"ann@contoso.example","Type":5}]`, "admin", id,
		"ann@contoso.example")
	f(`"UserId":"ServicePrincipal_`+id+`","UserType":4,"Actor":[{"ID":"Robot","Type":1}]`, "application", id, "Robot")
	f(`"UserId":"eve_other.example#EXT#@contoso.onmicrosoft.com","UserType":0`, "external", "eve_other.example#EXT#@contoso.onmicrosoft.com",
		"eve_other.example#EXT#@contoso.onmicrosoft.com")
	f(`"UserId":"urn:spo:anon#8ab0","UserType":0`, "anonymous", "", "")
	f(`"UserId":"Not Available","UserType":4`, "system", "", "")
	f(`"UserId":"app@sharepoint","UserType":0,"AppAccessContext":{"ClientAppId":"`+id+`"}`, "application", "app@sharepoint", "app@sharepoint")
	if w := happened(t, `{"Id":"e1","Operation":"X","UserId":"eve_other.example#EXT#@contoso.onmicrosoft.com"}`); w.Str("user.email") !=
		"eve@other.example" {
		t.Errorf("user.email is %q", w.Str("user.email"))
	}
}

func TestAFailedSignInMaySayThatItSucceeded(t *testing.T) {
	w := happened(t, `{"Id":"e1","Operation":"UserLoginFailed","ResultStatus":"Success","ErrorNumber":"50126","LogonError":
		"InvalidUserNameOrPassword","ClientIP":"[2001:db8::1]:443","Target":[{"ID":"00000003-0000-0000-c000-000000000000","Type":0}],
		"ExtendedProperties":[{"Name":"UserAgent","Value":"Mozilla/5.0"},{"Name":"RequestType","Value":"OAuth2:Token"}]}`)
	for name, want := range map[string]string{"event.outcome": "failure", "event.reason": "InvalidUserNameOrPassword", "error.code": "50126",
		"source.ip": "2001:db8::1", "user_agent.original": "Mozilla/5.0", "saas.auth.protocol": "oauth2",
		"service.id": "00000003-0000-0000-c000-000000000000"} {
		if got := w.Str(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestConsentsNameTheAppAndWhatItMay(t *testing.T) {
	w := happened(t, `{"Id":"e1","Operation":"Consent to application.","Target":[{"ID":"ServicePrincipal_c0ffee00-0000-4000-8000-000000000009",
		"Type":2},{"ID":"Robot","Type":1}],"ModifiedProperties":[{"Name":"ConsentContext.IsAdminConsent","NewValue":"\"True\"","OldValue":""},
		{"Name":"ConsentAction.Permissions","NewValue":"\"[] => [[Id: x, ClientId: y, Scope: Files.Read.All Mail.Read]]\"","OldValue":""}]}`)
	if got := w.Strs("saas.grant.scopes"); !slices.Equal(got, []string{"Files.Read.All", "Mail.Read"}) {
		t.Errorf("scopes %q", got)
	}
	admin, _ := w.Get("saas.grant.admin_consent")
	if w.Str("saas.app.id") != "c0ffee00-0000-4000-8000-000000000009" || w.Str("saas.app.name") != "Robot" || admin != true {
		t.Errorf("%v", w.Map())
	}
}

func TestUnknownIsAbsent(t *testing.T) {
	for name, raws := range saastest.RawObjects(t, "../../testdata/office365") {
		for _, raw := range raws {
			for _, w := range saastest.Mapped(t, Provider, saastest.StreamOf(name), raw) {
				doc := w.Map()
				delete(doc, "o365") // there everything stays as sent
				for path, leaf := range saastest.Leaves(doc) {
					parallel := strings.HasPrefix(path, ".saas.change.")
					if path != ".event.original" && !parallel && (leaf == `""` || leaf == `"-"` || strings.EqualFold(leaf, `"not available"`)) {
						t.Errorf("%s: %s is %s", filepath.Base(name), path, leaf)
					}
				}
				if ip := w.Str("source.ip"); ip != "" {
					if _, err := netip.ParseAddr(ip); err != nil {
						t.Errorf("%s: source.ip is %q", name, ip)
					}
				}
			}
		}
	}
}

func TestEventsTouchWhatTheyChanged(t *testing.T) {
	f := func(raw string, want ...string) {
		t.Helper()
		var v event.Values
		if err := recordLayout.Fill(json.RawMessage(raw), &v); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, it := range touched(&v) {
			got = append(got, it.Stream+"/"+it.Key)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s touches %q, want %q", raw, got, want)
		}
	}
	const entra, url = `"Workload":"AzureActiveDirectory"`, "https://contoso.sharepoint.com/sites/x/a.docx"
	f(`{"Operation":"Add user.",`+entra+`}`, "users/")
	f(`{"Operation":"Add member to role.",`+entra+`}`, "roles/")
	f(`{"Operation":"Consent to application.",`+entra+`}`, "app_grants/")
	f(`{"Operation":"Add member to group.",`+entra+`,"ModifiedProperties":[{"Name":"Group.ObjectID","NewValue":"\"g1\""}]}`, "groups/",
		"group_members/g1")
	f(`{"Operation":"AnonymousLinkCreated","ItemType":"File","ObjectId":"`+url+`"}`, "content/"+shareOf(url))
	f(`{"Operation":"AnonymousLinkCreated","ItemType":"Folder","ObjectId":"` + url + `"}`)
	f(`{"Operation":"FileAccessed","ItemType":"File","ObjectId":"` + url + `"}`)
	f(`{"Operation":"TeamCreated","Workload":"MicrosoftTeams"}`)
	f(`{"Operation":"UserLoggedIn",` + entra + `}`)
}

// TestPublicRulesFindTheirFields: the fields that public rules read lie where an event has them.
func TestPublicRulesFindTheirFields(t *testing.T) {
	names, _ := filepath.Glob(filepath.Join(filepath.Dir(saastest.Shared(t, "sigma/office365")), "office365", "*.yml"))
	if len(names) < 9 {
		t.Fatalf("%d public rules", len(names))
	}
	record := `{"Id":"e1","CreationTime":"2026-11-23T09:14:07","Operation":"New-InboxRule","Workload":"SecurityComplianceCenter",
		"Name":"Unusual volume of file deletion","Directionality":"Inbound","DeliveryAction":"Delivered","Payload":"{\"x\":1}",
		"Parameters":[{"Name":"ForwardTo","Value":"a@b.example"}],"OperationProperties":[{"Name":"RuleActions","Value":"Forward"}]}`
	w := happened(t, record)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range []string{"Operation", "OperationProperties", "Parameters", "eventSource", "eventName", "status", "Payload",
			"Workload", "Directionality", "DeliveryAction"} {
			if !strings.Contains(string(text), " "+field) {
				continue
			}
			if got, ok := w.Get(event.Exported("o365", auditSet, field)); !ok {
				t.Errorf("%s reads %s, which is not at %s: %v", filepath.Base(name), field, event.Exported("o365", auditSet, field), got)
			}
		}
	}
	for field, want := range map[string]string{"eventSource": "SecurityComplianceCenter", "eventName": "Unusual volume of file deletion",
		"status": "success"} {
		if got, _ := w.Get("o365.audit." + field); got != want {
			t.Errorf("%s is %v, want %s", field, got, want)
		}
	}
}
