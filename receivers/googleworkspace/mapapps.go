package googleworkspace

import (
	"cmp"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// methods are the common words for ways to sign in.
var methods = map[string]string{"password": "password", "google_authenticator": "otp", "offline_otp": "otp", "backup_code": "otp",
	"security_key": "fido2", "security_key_otp": "otp", "passkey": "fido2", "google_prompt": "push", "device_prompt": "push",
	"idv_preregistered_phone": "sms", "idv_any_phone": "sms", "idv_any_email": "email", "google_password": "password", "saml": "sso",
	"exchange": "token", "none": ""}

func mapLogin(r *event.Record, e *activityEvent) {
	kind := e.str("login_type")
	if kind == "saml" {
		r.Str("saas.auth.protocol", "saml")
	}
	for _, m := range append([]string{kind}, e.strs("login_challenge_method")...) {
		if word, known := methods[m]; known {
			r.Strs("saas.auth.method", word)
		} else {
			r.Strs("saas.auth.method", m)
		}
	}
	if e.str("is_second_factor") == "true" {
		r.Bool("saas.auth.mfa", r.Get("event.outcome") == "success")
	}
	r.Str("event.reason", e.first("login_failure_type", "sensitive_action_name"))
	if r.Get("event.outcome") == "failure" {
		r.Str("error.code", e.str("login_failure_type"))
	}
	if who := e.str("affected_email_address"); who != "" {
		setUser(r, "user.target.", who)
	}
	if strings.HasPrefix(e.name, "suspicious_") || e.name == "gov_attack_warning" || e.str("is_suspicious") == "true" {
		r.Strs("saas.risk.reasons", e.name)
		r.Str("saas.risk.level", "high")
	}
	if to := e.str("email_forwarding_destination_address"); to != "" {
		r.Str("saas.change.field", "forwarding")
		r.Strs("saas.change.new", to)
		r.Strs("related.user", to)
	}
}

func mapSAML(r *event.Record, e *activityEvent) {
	r.Str("saas.auth.protocol", "saml")
	r.Str("application.name", e.str("application_name"))
	r.Str("event.reason", e.str("failure_type"))
	r.Str("error.code", e.str("saml_second_level_status_code"))
}

// mapToken maps what apps were granted by their users.
func mapToken(r *event.Record, e *activityEvent) {
	r.Str("saas.app.id", e.str("client_id"))
	r.Str("saas.app.name", e.str("app_name"))
	r.Str("saas.auth.protocol", "oauth2")
	r.Strs("saas.grant.scopes", e.strs("scope")...)
	for s := range event.Elems(e.params["scope_data"]) {
		r.Strs("saas.grant.scopes", saas.TextAt(s, "scope_name"))
	}
	r.Str("service.id", e.str("api_name"))
}

// visibilities are the common words for those of the log of Drive.
var visibilities = map[string]string{"private": "private", "shared_internally": "org", "people_within_domain_with_link": "org",
	"public_in_the_domain": "org", "people_with_link": "link", "public_on_the_web": "public", "shared_externally": "private"}

// roles are the common words for those of the log of Drive and of permissions.
var roles = map[string]string{"can_view": "viewer", "can_comment": "viewer", "can_edit": "editor", "reader": "viewer",
	"commenter": "viewer",
	"writer":    "editor", "fileOrganizer": "editor", "organizer": "owner", "owner": "owner", "viewer": "viewer", "editor": "editor",
	"contributor": "editor", "content_manager": "editor", "manager": "owner"}

func mapDrive(r *event.Record, e *activityEvent) {
	id, name, kind := e.str("doc_id"), e.str("doc_title"), e.str("doc_type")
	r.Str("saas.file.id", id)
	r.Str("file.name", name)
	if kind == "folder" || kind == "shared_drive" {
		r.Str("file.type", "dir")
	} else if id != "" {
		r.Str("file.type", "file")
	}
	if at := strings.LastIndexByte(name, '.'); at > 0 && at < len(name)-1 {
		r.Str("file.extension", strings.ToLower(name[at+1:]))
	}
	owner := e.str("owner")
	r.Str("file.owner", owner)
	if strings.Contains(owner, "@") {
		r.Str("saas.file.owner.email", owner)
	}
	if drive := e.first("shared_drive_id", "team_drive_id"); drive != "" {
		r.Str("saas.container.id", drive)
		r.Str("saas.container.type", "drive")
	} else if folder := e.str("destination_folder_id"); folder != "" {
		r.Str("saas.container.id", folder)
		r.Str("saas.container.name", e.str("destination_folder_title"))
		r.Str("saas.container.type", "folder")
	}
	r.Str("saas.share.visibility", visibilities[e.str("visibility")])
	mapShare(r, e)
	r.Strs("saas.file.labels", e.str("label_title"))
}

func mapShare(r *event.Record, e *activityEvent) {
	for _, who := range []string{e.str("target_user"), e.str("target"), e.str("new_owner")} {
		if strings.Contains(who, "@") {
			setUser(r, "user.target.", who)
			r.Strs("saas.share.recipients", who)
		}
	}
	domain := e.str("target_domain")
	if e.str("visibility_change") == "external" || e.str("visibility") == "shared_externally" {
		r.Bool("saas.target.external", true)
		if d := r.Get("user.target.domain"); d != "" {
			r.Strs("saas.share.external_domains", d)
		} else if domain != "all" {
			r.Strs("saas.share.external_domains", domain)
		}
	}
	news, olds := e.strs("new_value"), e.strs("old_value")
	for i := range max(len(news), len(olds)) {
		r.Strs("saas.change.field", e.name)
		r.Strs("saas.change.old", at(olds, i))
		r.Strs("saas.change.new", at(news, i))
	}
	for _, role := range append(news, e.str("added_role")) {
		if word := roles[role]; word != "" {
			r.Str("saas.share.role", word)
		}
	}
	switch action := e.str("visibility"); {
	case e.name == "change_document_visibility" && (action == "people_with_link" || action == "public_on_the_web"):
		r.Str("saas.activity", "share_public")
	case e.str("visibility_change") == "external" && strings.HasPrefix(e.name, "change_"):
		r.Str("saas.activity", "share_external")
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

func mapAdmin(r *event.Record, e *activityEvent) {
	setUser(r, "user.target.", e.str("USER_EMAIL"))
	if group := e.str("GROUP_EMAIL"); group != "" {
		r.Str("group.name", group)
		r.Str("user.target.group.name", group)
	}
	if role := e.first("ROLE_NAME", "ROLE_ID"); role != "" || e.name == "GRANT_ADMIN_PRIVILEGE" || e.name == "REVOKE_ADMIN_PRIVILEGE" {
		r.Str("saas.role.id", e.str("ROLE_ID"))
		r.Str("saas.role.name", cmp.Or(e.str("ROLE_NAME"), "super administrator"))
		r.Bool("saas.role.privileged", true)
	}
	r.Str("saas.app.id", e.first("OAUTH2_APP_ID", "API_CLIENT_NAME", "APP_ID"))
	r.Str("saas.app.name", e.first("OAUTH2_APP_NAME", "APP_NAME"))
	r.Strs("saas.grant.scopes", e.strs("API_SCOPES")...)
	field := e.first("SETTING_NAME", "FIELD_NAME", "USER_CUSTOM_FIELD")
	if olds, news := e.first("OLD_VALUE"), e.first("NEW_VALUE"); field != "" || olds != "" || news != "" {
		r.Strs("saas.change.field", cmp.Or(field, e.name))
		r.Strs("saas.change.old", olds)
		r.Strs("saas.change.new", news)
	}
	object := e.first("ORG_UNIT_NAME", "DOMAIN_NAME")
	if app := e.str("APPLICATION_NAME"); app != "" {
		r.Str("saas.object.type", "application")
		r.Str("saas.object.name", app)
	} else if rule := e.first("RULE_NAME", "ALERT_NAME"); rule != "" {
		r.Str("saas.object.type", "rule")
		r.Str("saas.object.name", rule)
	} else if object != "" {
		r.Str("saas.object.type", map[bool]string{true: "org_unit", false: "domain"}[e.str("ORG_UNIT_NAME") != ""])
		r.Str("saas.object.name", object)
	}
	for _, name := range []string{"EMAIL_MONITOR_DEST_EMAIL", "DESTINATION_USER_EMAIL"} {
		r.Strs("related.user", e.str(name))
	}
}

func mapGroupEvent(r *event.Record, e *activityEvent) {
	group := e.first("group_id", "group_email")
	r.Str("group.name", group)
	r.Str("user.target.group.name", group)
	setUser(r, "user.target.", e.first("member_id", "user_email"))
	if news := e.first("new_value"); news != "" {
		r.Strs("saas.change.field", e.first("info_setting", "setting", "basic_setting"))
		r.Strs("saas.change.old", e.first("old_value"))
		r.Strs("saas.change.new", news)
	}
}

var severities = map[string]int64{"LOW": 1, "MEDIUM": 2, "HIGH": 3, "CRITICAL": 4}

func mapRule(r *event.Record, e *activityEvent) {
	r.Str("rule.id", e.first("rule_id", "rule_resource_name"))
	r.Str("rule.name", e.str("rule_name"))
	r.Str("rule.category", e.str("rule_type"))
	if n := severities[strings.ToUpper(e.str("severity"))]; n > 0 {
		r.Int("event.severity", n)
	}
	r.Str("saas.file.id", e.str("resource_id"))
	r.Str("file.name", e.str("resource_title"))
	r.Str("saas.file.owner.email", e.str("resource_owner_email"))
	r.Strs("saas.share.recipients", e.strs("resource_recipients")...)
	r.Strs("saas.risk.reasons", e.strs("matched_templates")...)
}

func mapDevice(r *event.Record, e *activityEvent) {
	setUser(r, "user.", e.str("USER_EMAIL"))
	r.Str("device.id", e.str("DEVICE_ID"))
	r.Str("device.serial_number", e.str("SERIAL_NUMBER"))
	r.Str("device.model.name", e.str("DEVICE_MODEL"))
	r.Str("host.os.version", e.str("OS_VERSION"))
}

func mapMail(r *event.Record, e *activityEvent) {
	info := e.params["message_info"]
	r.Str("email.subject", cmp.Or(saas.TextAt(info, "subject"), e.str("subject")))
	r.Str("email.message_id", cmp.Or(saas.TextAt(info, "rfc2822_message_id"), e.str("rfc2822_message_id")))
	from := saas.TextAt(info, "source", "address")
	r.Str("email.sender.address", from)
	r.Strs("email.from.address", from)
	for d := range event.Elems(saas.Member(info, "destination")) {
		r.Strs("email.to.address", saas.TextAt(d, "address"))
	}
}

func mapAccess(r *event.Record, e *activityEvent) {
	r.Str("application.name", e.first("CAA_APPLICATION", "application"))
	r.Str("event.reason", e.first("CAA_ACCESS_LEVEL_UNSATISFIED", "CAA_DEVICE_STATE"))
	r.Str("device.id", e.str("CAA_DEVICE_ID"))
	if e.str("decision") == "DENY" {
		r.Str("event.outcome", "failure")
		r.Strs("event.type", "denied")
	}
}

func mapRoom(r *event.Record, e *activityEvent) {
	r.Str("saas.container.id", e.str("room_id"))
	r.Str("saas.container.name", e.str("room_name"))
	r.Str("file.name", e.str("attachment_name"))
}

func mapMeeting(r *event.Record, e *activityEvent) {
	r.Str("saas.object.type", "meeting")
	r.Str("saas.object.id", e.str("meeting_code"))
	setUser(r, "user.target.", e.str("organizer_email"))
	if ip := e.str("ip_address"); r.Get("source.ip") == "" {
		r.Str("source.ip", ip)
	}
}

func mapCalendar(r *event.Record, e *activityEvent) {
	r.Str("saas.object.type", "calendar_event")
	r.Str("saas.object.id", e.first("event_id", "calendar_id"))
	r.Str("saas.object.name", e.str("event_title"))
	setUser(r, "user.target.", e.first("event_guest", "grantee_email"))
}

func mapTakeout(r *event.Record, e *activityEvent) {
	r.Str("saas.object.type", "export")
	r.Str("saas.object.id", e.str("takeout_job_id"))
	if e.str("takeout_status") == "failed" {
		r.Str("event.outcome", "failure")
	}
}
