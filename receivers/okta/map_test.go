package okta

import (
	"cmp"
	"encoding/json"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
)

// mapped are the records of raw objects, as a stream of the receiver maps them.
func mapped(t *testing.T, stream string, raws ...json.RawMessage) []event.View {
	t.Helper()
	return saastest.Mapped(t, Provider, stream, raws...)
}

// one is the document of one event.
func one(t *testing.T, raw string) map[string]any {
	t.Helper()
	return mapped(t, "system_log", json.RawMessage(raw))[0].Map()
}

func TestGoldenRecords(t *testing.T) { saastest.Golden(t, Provider, "../../testdata/okta") }

// logEvent is an event, decoded apart from the receiver's table. encoding/json takes names in any case, as these events have.
type logEvent struct {
	UUID, EventType, Published, DisplayMessage, Severity string
	Actor                                                struct{ ID, Type, AlternateID, DisplayName string }
	Client                                               struct {
		IPAddress string
		UserAgent struct{ RawUserAgent string }
	}
	Outcome struct{ Result, Reason string }
	Target  []struct{ ID, Type, AlternateID, DisplayName string }
}

func TestGivenEventsLoseNothing(t *testing.T) {
	raws := saastest.Given(t, "okta", 34)
	saastest.Kept(t, Provider, raws, func(i int, docs []map[string]any) {
		if len(docs) != 1 {
			t.Errorf("event %d: %d records", i, len(docs))
		}
		checkEvent(t, i, raws[i], docs[0])
	})
}

// known leaves out what stands for no value.
func known(s string) any {
	if slices.Contains([]string{"", "null", "unknown", "-"}, strings.ToLower(s)) {
		return nil
	}
	return s
}

func checkEvent(t *testing.T, i int, raw json.RawMessage, doc map[string]any) {
	t.Helper()
	var e logEvent
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Logf("event %d: %v", i, err) // of members that the check does not read
	}
	f := func(name string, want any) {
		t.Helper()
		if got := saastest.Lookup(doc, name); got != want {
			t.Errorf("event %d (%s): %s is %v, want %v", i, e.EventType, name, got, want)
		}
	}
	f("event.id", e.UUID)
	f("event.action", e.EventType)
	f("okta.event_type", e.EventType)
	f("message", known(e.DisplayMessage))
	want := any("unknown")
	switch e.Outcome.Result {
	case "SUCCESS", "ALLOW":
		want = "success"
	case "FAILURE", "DENY":
		want = "failure"
	}
	f("event.outcome", want)
	f("event.reason", known(e.Outcome.Reason))
	f("user.id", known(e.Actor.ID))
	f("user.name", known(e.Actor.AlternateID))
	f("user.full_name", known(e.Actor.DisplayName))
	f("user_agent.original", known(e.Client.UserAgent.RawUserAgent))
	if _, err := netip.ParseAddr(e.Client.IPAddress); err == nil {
		f("source.ip", e.Client.IPAddress)
		f("client.ip", e.Client.IPAddress)
	} else {
		f("source.ip", nil)
	}
	if at, err := time.Parse("2006-01-02 15:04:05.999999999", e.Published); err == nil {
		got, err := time.Parse(time.RFC3339Nano, cmp.Or(texts(saastest.Lookup(doc, "@timestamp"))[0], "none"))
		if err != nil || !got.Equal(at) {
			t.Errorf("event %d: @timestamp %v, want %v", i, saastest.Lookup(doc, "@timestamp"), at)
		}
	}
	users, apps := 0, 0
	for _, target := range e.Target {
		switch target.Type {
		case "User":
			if users++; users == 1 {
				f("user.target.id", known(target.ID))
				f("user.target.name", known(target.AlternateID))
				f("user.target.full_name", known(target.DisplayName))
			}
		case "AppInstance":
			at := "saas.app."
			if slices.Contains(texts(saastest.Lookup(doc, "event.category")), "authentication") {
				at = "application."
			}
			if apps++; apps == 1 {
				f(at+"id", known(target.ID))
				f(at+"name", known(target.DisplayName))
			}
		case "Token":
			f("saas.credential.id", target.ID)
			f("saas.credential.type", "api_token")
		}
		if name := known(target.AlternateID); name != nil && strings.Contains(target.Type, "User") {
			if !slices.Contains(texts(saastest.Lookup(doc, "related.user")), name.(string)) {
				t.Errorf("event %d: related.user %v lacks %s", i, saastest.Lookup(doc, "related.user"), name)
			}
		}
	}
	if users == 0 {
		f("user.target.id", nil)
	}
}

// logged is an event of a type.
func logged(kind, result string) string {
	return `{"uuid":"u1","published":"2026-11-23T20:14:03.417Z","eventType":"` + kind + `","outcome":{"result":"` + result + `"},` +
		`"actor":{"id":"00u1","type":"User","alternateId":"ana@contoso.example"},"target":null}`
}

func TestTypesOfEventsMeanWhatTheyAre(t *testing.T) {
	f := func(kinds, category, types, activity string) {
		t.Helper()
		for kind := range strings.FieldsSeq(kinds) {
			doc := one(t, logged(kind, "SUCCESS"))
			got := [...]string{strings.Join(texts(saastest.Lookup(doc, "event.category")), " "),
				strings.Join(texts(saastest.Lookup(doc, "event.type")), " "),
				strings.Join(texts(saastest.Lookup(doc, "saas.activity")), " ")}
			if got != [...]string{category, types, activity} || saastest.Lookup(doc, "event.action") != kind {
				t.Errorf("%s is %v, want %v", kind, got, [...]string{category, types, activity})
			}
			if alert := category == "intrusion_detection" || activity == "token_reuse"; alert != (saastest.Lookup(doc, "event.kind") == "alert") {
				t.Errorf("%s: event.kind is %v", kind, saastest.Lookup(doc, "event.kind"))
			}
		}
	}
	f("user.session.start user.session.access_admin_app", "authentication session", "start", "login")
	f("user.session.end user.session.expire user.authentication.slo", "authentication session", "end", "logout")
	f("user.session.clear user.authentication.universal_logout", "session", "end", "session_revoked")
	f("user.session.context.change", "session", "info", "session_context_change")
	f(`user.authentication.sso app.oauth2.signon user.authentication.auth_via_IDP user.authentication.auth_via_AD_agent
		user.authentication.auth_via_LDAP_agent user.authentication.auth_via_inbound_SAML user.authentication.auth_via_radius
		user.authentication.auth_via_social user.authentication.verify app.oauth2.invalid_client_credentials`, "authentication", "start", "login")
	f("user.authentication.auth_via_mfa user.mfa.okta_verify.deny_push user.mfa.attempt_bypass", "authentication", "info", "mfa_challenge")
	f("user.session.impersonation.grant user.session.impersonation.initiate user.session.impersonation.extend", "session", "start",
		"impersonation_start")
	f("user.session.impersonation.end user.session.impersonation.revoke", "session", "end", "impersonation_end")
	f("user.lifecycle.create", "iam", "user creation", "user_create")
	f("user.lifecycle.activate user.lifecycle.reactivate", "iam", "user change", "user_enable")
	f("user.lifecycle.deactivate", "iam", "user change", "user_disable")
	f("user.lifecycle.suspend", "iam", "user change", "user_suspend")
	f("user.lifecycle.unsuspend", "iam", "user change", "user_restore")
	f("user.lifecycle.delete.initiated user.lifecycle.delete.completed", "iam", "user deletion", "user_delete")
	f("user.account.lock user.account.lock.limit", "iam", "user change", "user_lock")
	f("user.account.unlock user.account.unlock_by_admin", "iam", "user change", "user_unlock")
	f("user.account.reset_password user.account.expire_password user.lifecycle.password_mass_expiry", "iam", "user change", "password_reset")
	f("user.account.update_password", "iam", "user change", "password_change")
	f("user.account.update_profile user.account.update_primary_email user.account.update_secondary_email", "iam", "user change", "user_update")
	f("user.account.privilege.grant group.privilege.grant iam.resourceset.bindings.add app.oauth2.client.privilege.grant", "iam",
		"admin change", "role_grant")
	f("user.account.privilege.revoke group.privilege.revoke", "iam", "admin change", "role_revoke")
	f("iam.role.create", "iam", "admin creation", "role_change")
	f("user.mfa.factor.activate", "iam", "user change", "mfa_enroll")
	f("user.mfa.factor.deactivate user.mfa.factor.reset_all", "iam", "user change", "mfa_remove")
	f("user.mfa.factor.suspend user.mfa.factor.unsuspend user.mfa.factor.update", "iam", "user change", "mfa_change")
	f("group.user_membership.add", "iam", "group change", "group_member_add")
	f("group.user_membership.remove", "iam", "group change", "group_member_remove")
	f("group.lifecycle.create", "iam", "group creation", "group_create")
	f("group.lifecycle.delete", "iam", "group deletion", "group_delete")
	f("application.user_membership.add group.application_assignment.add", "iam", "user change", "app_assign")
	f("application.user_membership.remove", "iam", "user change", "app_unassign")
	f("application.user_membership.change_username", "iam", "user change", "user_update")
	f("application.lifecycle.create", "configuration", "creation", "app_install")
	f("application.lifecycle.delete", "configuration", "deletion", "app_uninstall")
	f("application.lifecycle.update application.lifecycle.activate application.lifecycle.deactivate", "configuration", "change",
		"setting_change")
	f(`app.oauth2.token.grant app.oauth2.token.grant.access_token app.oauth2.token.grant.refresh_token app.oauth2.token.grant.id_token
		system.oauth2.token.request_outside_allowed_range`, "authentication", "info", "token_issued")
	f("app.oauth2.consent.grant app.oauth2.as.consent.grant app.oauth2.admin.consent.grant", "iam", "user creation", "app_consent")
	f("app.oauth2.admin.consent.revoke", "iam", "user deletion", "app_consent_revoke")
	f("app.oauth2.token.revoke app.oauth2.token.revoke.implicit.user app.oauth2.token.revoke.implicit.client system.api_token.revoke", "iam",
		"user deletion", "token_revoke")
	f("app.oauth2.token.detect_reuse", "authentication", "info", "token_reuse")
	f("system.api_token.create", "iam", "user creation", "token_create")
	f("policy.lifecycle.create policy.rule.add", "configuration", "creation", "policy_change")
	f("policy.lifecycle.update policy.lifecycle.activate policy.rule.update policy.rule.deactivate application.policy.sign_on.update",
		"configuration", "change", "policy_change")
	f("policy.lifecycle.delete policy.rule.delete application.policy.sign_on.rule.delete", "configuration", "deletion", "policy_change")
	f("policy.evaluate_sign_on", "authentication", "info", "policy_evaluation")
	f("zone.create", "configuration", "creation", "setting_change")
	f("zone.update zone.activate zone.deactivate zone.make_blacklist zone.remove_blacklist", "configuration", "change", "setting_change")
	f("zone.delete", "configuration", "deletion", "setting_change")
	f("system.idp.lifecycle.create", "configuration", "creation", "federation_change")
	f("system.mfa.factor.activate system.mfa.factor.deactivate system.feature.enable system.feature.disable", "configuration", "change",
		"setting_change")
	f("system.log_stream.lifecycle.deactivate", "configuration", "change", "logging_disabled")
	f("system.log_stream.lifecycle.delete", "configuration", "deletion", "logging_disabled")
	f("system.hook.key.created", "configuration", "creation", "key_rotate")
	f("system.hook.key.deleted", "configuration", "deletion", "key_rotate")
	f(`security.threat.detected security.request.blocked user.account.report_suspicious_activity_by_enduser user.risk.detect user.risk.change
		security.attack.start`, "intrusion_detection", "info", "threat_detected")
	f(`system.org.rate_limit.warning system.org.rate_limit.violation system.org.rate_limit.burst system.operation.rate_limit.violation
		system.client.rate_limit.violation`, "api", "info", "rate_limit")
	f("analytics.reports.export.request analytics.reports.export.download workflows.user.flow.export workflows.user.table.export",
		"configuration", "access", "export_job")
	f("user.session.new_thing user.authentication.new_thing", "authentication", "info", "")
	f("user.new_thing.update", "iam", "user change", "")
	f("group.new_thing.delete", "iam", "group deletion", "")
	f("app.new_thing app_new.thing application.new_thing", "iam", "user info", "")
	f("policy.new_thing", "configuration", "info", "policy_change")
	f("zone.new_thing system.new_thing", "configuration", "info", "setting_change")
	f("security.new_thing", "intrusion_detection", "info", "threat_detected")
	f("brand.new_thing.add", "configuration", "creation", "")
}

func TestResultsBecomeOutcomes(t *testing.T) {
	f := func(result, outcome, types string) {
		t.Helper()
		doc := one(t, logged("policy.evaluate_sign_on", result))
		if saastest.Lookup(doc, "event.outcome") != outcome || strings.Join(texts(saastest.Lookup(doc, "event.type")), " ") != types {
			t.Errorf("%s is %v, %v", result, saastest.Lookup(doc, "event.outcome"), saastest.Lookup(doc, "event.type"))
		}
	}
	f("SUCCESS", "success", "info")
	f("FAILURE", "failure", "info")
	f("ALLOW", "success", "info allowed")
	f("DENY", "failure", "info denied")
	for _, result := range []string{"SKIPPED", "CHALLENGE", "UNKNOWN", "DEFERRED", "SCHEDULED", "ABANDONED", "RATE_LIMIT"} {
		f(result, "unknown", "info")
	}
}

func TestUnknownIsAbsent(t *testing.T) {
	doc := one(t, `{"uuid":"u1","eventType":"user.session.start",
		"actor":{"id":"unknown","type":"User","alternateId":"unknown","displayName":"unknown"},
		"client":{"ipAddress":"null","zone":"null","device":null,"userAgent":{"os":"Unknown","browser":"UNKNOWN","rawUserAgent":null}},
		"outcome":{"result":"FAILURE","reason":null},"securityContext":{"asNumber":null},"target":null,
		"request":{"ipChain":[{"ip":"not an address"}]},
		"transaction":{"id":"unknown","detail":{}},"debugContext":{"debugData":{"risk":"{level=}","behaviors":"{}","threatSuspected":"null"}}}`)
	delete(doc, "okta") // there everything stays as sent
	for path, leaf := range saastest.Leaves(doc) {
		if strings.Contains(strings.ToLower(leaf), "unknown") || strings.Contains(leaf, "null") || leaf == `""` {
			if path != ".event.original" {
				t.Errorf("%s is %s", path, leaf)
			}
		}
	}
	for _, name := range []string{"source", "client", "user", "related.ip", "user_agent", "saas.risk", "@timestamp", "error"} {
		if got := saastest.Lookup(doc, name); got != nil {
			t.Errorf("%s is %v", name, got)
		}
	}
	if saastest.Lookup(doc, "saas.actor.type") != "anonymous" {
		t.Errorf("the actor is %v", saastest.Lookup(doc, "saas.actor.type"))
	}
}

func TestAllTargetsAreRelated(t *testing.T) {
	var targets []string
	for _, id := range strings.Fields("a b c d e f g") {
		targets = append(targets, `{"id":"00u`+id+`","type":"User","alternateId":"`+id+`@contoso.example","displayName":"`+id+`"}`)
	}
	doc := one(t, `{"uuid":"u1","eventType":"user.lifecycle.create","target":[`+strings.Join(targets, ",")+`]}`)
	if got := texts(saastest.Lookup(doc, "related.user")); len(got) != 14 || saastest.Lookup(doc, "user.target.id") != "00ua" {
		t.Errorf("%v are related, the target is %v", got, saastest.Lookup(doc, "user.target.id"))
	}
}

func TestMappingAnEventAllocatesLittle(t *testing.T) {
	var raws []json.RawMessage
	in, err := os.ReadFile("../../testdata/okta/system_log.logon.whole.in.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(in, &raws); err != nil {
		t.Fatal(err)
	}
	var v event.Values
	b := event.NewBatch(event.Origin{Module: "okta", Dataset: "okta.system"})
	add := func() *event.Record { return b.Add(logLayout, &v) }
	once := func() {
		for range 100 {
			for _, raw := range raws {
				if err := logLayout.Fill(raw, &v); err != nil {
					t.Fatal(err)
				}
				if err := mapLog(&v, add); err != nil {
					t.Fatal(err)
				}
			}
		}
		b.Take()
	}
	once()
	if n := testing.AllocsPerRun(5, once) / 200; n > 80 {
		t.Errorf("%.0f allocations an event", n)
	} else {
		t.Logf("%.1f allocations an event", n)
	}
}
