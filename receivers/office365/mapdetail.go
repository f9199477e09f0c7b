package office365

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// mapEntra maps what only records of the directory have: sign-ins and changes.
func mapEntra(v *event.Values, r *event.Record, class *event.Class) {
	extended := v.Bytes(rExtended)
	if class.Category[0] == "authentication" || class.Activity == "logout" {
		r.Str("application.id", v.Str(rApp))
		for e := range event.Elems(v.Bytes(rTargets)) {
			r.Str("service.id", saas.TextAt(e, "ID"))
			break
		}
		protocol, _, _ := strings.Cut(named(extended, "RequestType"), ":")
		r.Str("saas.auth.protocol", map[string]string{"OAuth2": "oauth2", "Saml2": "saml", "WsFederation": "ws_federation"}[protocol])
		device := v.Bytes(rDevice)
		r.Str("device.id", named(device, "Id"))
		r.Str("host.name", named(device, "DisplayName"))
		r.Str("host.os.name", named(device, "OS"))
		r.Str("session.id", named(device, "SessionId"))
		return
	}
	changes := v.Bytes(rModified)
	mapChanges(r, changes)
	id, name := "", ""
	for e := range event.Elems(v.Bytes(rTargets)) {
		if val := saas.TextAt(e, "ID"); id == "" && isGUID(val[strings.LastIndexByte(val, '_')+1:]) {
			id = val[strings.LastIndexByte(val, '_')+1:]
		}
	}
	name = cmp.Or(partyNamed(v.Bytes(rTargets), "5"), partyNamed(v.Bytes(rTargets), "1"), v.Str(rObject))
	if name == "Not Available" || name == id {
		name = ""
	}
	switch operation := strings.ToLower(v.Str(rOperation)); {
	case strings.HasPrefix(class.Activity, "app_") || strings.Contains(operation, "service principal"):
		mapApp(v, r, id, name)
	case strings.HasPrefix(class.Activity, "group_") && !strings.HasPrefix(class.Activity, "group_member"):
		mapGroupOf(r, id, name)
	case class.Category[0] == "configuration":
		kind, _, _ := strings.Cut(class.Activity, "_")
		r.Str("saas.object.type", kind)
		r.Str("saas.object.id", id)
		r.Str("saas.object.name", name)
	default:
		r.Str("user.target.id", id)
		r.Str("user.target.name", name)
		if strings.Contains(name, "@") {
			r.Str("user.target.email", mailOf(name))
		}
		mapGroupOf(r, changed(changes, "Group.ObjectID"), changed(changes, "Group.DisplayName"))
		if strings.HasPrefix(class.Activity, "role_") {
			r.Str("saas.role.id", cmp.Or(changed(changes, "Role.TemplateId"), changed(changes, "Role.ObjectID")))
			r.Str("saas.role.name", changed(changes, "Role.DisplayName"))
			r.Bool("saas.role.privileged", privileged(r.Get("saas.role.name")))
		}
	}
}

// mapApp maps the app of a consent or a credential.
func mapApp(v *event.Values, r *event.Record, id, name string) {
	changes := v.Bytes(rModified)
	r.Str("saas.app.id", id)
	r.Str("saas.app.name", name)
	if yes := changed(changes, "ConsentContext.IsAdminConsent"); yes != "" {
		r.Bool("saas.grant.admin_consent", strings.EqualFold(yes, "true"))
	}
	given := cmp.Or(changed(changes, "ConsentAction.Permissions"), changed(changes, "DelegatedPermissionGrant.Scope"))
	if _, after, ok := strings.Cut(given, "=> "); ok {
		given = after
	}
	if _, rest, ok := strings.Cut(given, "Scope:"); ok {
		given, _, _ = strings.Cut(rest, "]")
		given, _, _ = strings.Cut(given, ",")
	} else if strings.ContainsAny(given, "[]:") {
		given = ""
	}
	r.Strs("saas.grant.scopes", strings.Fields(given)...)
	r.Strs("saas.grant.scopes", changed(changes, "AppRole.Value"))
}

func mapGroupOf(r *event.Record, id, name string) {
	r.Str("group.id", id)
	r.Str("group.name", name)
	r.Str("user.target.group.id", id)
	r.Str("user.target.group.name", name)
}

// changed is the new value of a property; of one that was removed, the old one.
func changed(list json.RawMessage, name string) string {
	for e := range event.Elems(list) {
		if saas.TextAt(e, "Name") == name {
			return cmp.Or(bare(saas.TextAt(e, "NewValue")), bare(saas.TextAt(e, "OldValue")))
		}
	}
	return ""
}

// bare is a text that may have arrived as JSON in a text.
func bare(s string) string {
	if len(s) > 1 && s[0] == '"' {
		return cmp.Or(saas.Text(json.RawMessage(s)), s)
	}
	return s
}

// mapChanges notes all properties that were changed.
func mapChanges(r *event.Record, list json.RawMessage) {
	for e := range event.Elems(list) {
		if name := saas.TextAt(e, "Name"); name != "" {
			r.Strs("saas.change.field", name)
			r.Strs("saas.change.old", bare(saas.TextAt(e, "OldValue")))
			r.Strs("saas.change.new", bare(saas.TextAt(e, "NewValue")))
		}
	}
}

// mapCommand maps a command of an administrator of Exchange or Purview.
func mapCommand(v *event.Values, r *event.Record, class *event.Class) {
	list := v.Bytes(rParameters)
	for e := range event.Elems(list) {
		if name := saas.TextAt(e, "Name"); name != "" && name != "Identity" {
			r.Strs("saas.change.field", name)
			r.Strs("saas.change.old", "")
			r.Strs("saas.change.new", saas.TextAt(e, "Value"))
		}
	}
	identity := cmp.Or(named(list, "Identity"), v.Str(rObject))
	mailbox := named(list, "Mailbox")
	switch {
	case strings.HasPrefix(class.Activity, "mail_rule"), strings.HasPrefix(class.Activity, "mail_policy"):
		r.Str("saas.object.type", "mail_rule")
		r.Str("saas.object.id", v.Str(rObject))
		r.Str("saas.object.name", cmp.Or(named(list, "Name"), identity[strings.LastIndexByte(identity, '\\')+1:]))
	case class.Category[0] == "iam" || class.Activity == "mailbox_change":
		mailbox = cmp.Or(mailbox, identity)
	default:
		r.Str("saas.object.id", v.Str(rObject))
		r.Str("saas.object.name", identity)
	}
	r.Str("user.target.name", mailbox)
	if strings.Contains(mailbox, "@") {
		r.Str("user.target.email", mailbox)
	}
	for _, name := range [...]string{"ForwardingSmtpAddress", "ForwardingAddress", "ForwardTo", "RedirectTo", "ForwardAsAttachmentTo"} {
		for to := range strings.SplitSeq(named(list, name), ";") {
			to = strings.TrimPrefix(to, "smtp:")
			if r.Strs("email.to.address", to); to != "" && class.Activity == "mailbox_change" {
				r.Str("saas.activity", "mail_forwarding_set")
			}
		}
	}
	if class.Activity == "logging_change" && strings.EqualFold(named(list, "UnifiedAuditLogIngestionEnabled"), "false") {
		r.Str("saas.activity", "logging_disabled")
	}
	if class.Activity == "delegation_grant" {
		r.Strs("saas.share.recipients", cmp.Or(named(list, "User"), named(list, "Trustee")))
		r.Str("saas.role.name", cmp.Or(named(list, "AccessRights"), named(list, "AccessRight")))
	}
}

// mapAlert maps an alert, or what a rule against data loss found.
func mapAlert(v *event.Values, r *event.Record) {
	r.Str("rule.name", v.Str(rAlertName))
	r.Str("rule.id", cmp.Or(v.Str(rPolicyID), v.Str(rAlert)))
	r.Str("rule.category", v.Str(rCategory))
	r.Strs("related.user", v.Str(rEntity))
	severity := v.Str(rSeverity)
	for policy := range event.Elems(v.Bytes(rPolicies)) {
		r.Strs("tags", "data")
		r.Str("rule.ruleset", saas.TextAt(policy, "PolicyName"))
		for rule := range event.Elems(saas.Member(policy, "Rules")) {
			r.Str("rule.id", saas.TextAt(rule, "RuleId"))
			r.Str("rule.name", saas.TextAt(rule, "RuleName"))
			severity = cmp.Or(severity, saas.TextAt(rule, "Severity"))
			for found := range event.Elems(saas.Member(rule, "ConditionsMatched", "SensitiveInformation")) {
				r.Strs("saas.risk.reasons", cmp.Or(saas.TextAt(found, "SensitiveInformationTypeName"), saas.TextAt(found, "SensitiveType")))
			}
			break
		}
		break
	}
	if n, ok := severities[strings.ToLower(severity)]; ok {
		r.Int("event.severity", n)
	}
	if file := v.Bytes(rSharePoint); len(file) > 0 {
		r.Str("file.name", saas.TextAt(file, "FileName"))
		r.Str("file.owner", saas.TextAt(file, "FileOwner"))
		r.Str("url.original", saas.TextAt(file, "FilePathUrl"))
		r.Str("saas.file.id", saas.TextAt(file, "UniqueID"))
		r.Str("saas.container.id", saas.TextAt(file, "SiteCollectionGuid"))
		r.Str("saas.container.name", saas.TextAt(file, "SiteCollectionUrl"))
	}
	if mail := v.Bytes(rExchange); len(mail) > 0 {
		r.Str("email.subject", saas.TextAt(mail, "Subject"))
		r.Str("email.message_id", saas.TextAt(mail, "MessageID"))
		r.Strs("email.from.address", saas.TextAt(mail, "From"))
		for to := range event.Elems(saas.Member(mail, "To")) {
			r.Strs("email.to.address", saas.Text(to))
		}
	}
}
