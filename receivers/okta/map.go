package okta

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Slots of logFields. After them come the targets, each with targetSlots.
const (
	fUUID = iota
	fKind
	fResult
	fReason
	fSeverity
	fActorID
	fActorType
	fActorName
	fActorFull
	fCredential
	fFactor
	fSignOn
	fRisk
	fBehaviors
	fLogOnly
	fThreat
	fScopes
	fGranted
	fRevoked
	fChanged
	fAPIToken
	fTargets
	fTarget
)

// Slots of a target, from its first one on.
const (
	tID = iota
	tType
	tName
	tFull
	tChange
	targetSlots
)

// slotTargets are read with the page; events with more, of which there are few, are read again.
const slotTargets = 4

var (
	logLayout = event.Compile(logFields)
	logFields = slices.Concat(event.Table{
		fUUID:       {"uuid", "event.id"},
		fKind:       {"eventType", "event.action"},
		fResult:     {"outcome.result", ""},
		fReason:     {"outcome.reason", "event.reason"},
		fSeverity:   {"severity", ""},
		fActorID:    {"actor.id", "user.id client.user.id"},
		fActorType:  {"actor.type", ""},
		fActorName:  {"actor.alternateId", ""},
		fActorFull:  {"actor.displayName", ""},
		fCredential: {"authenticationContext.credentialType", ""},
		fFactor:     {"debugContext.debugData.factor", ""},
		fSignOn:     {"debugContext.debugData.signOnMode", ""},
		fRisk:       {"debugContext.debugData.risk", ""},
		fBehaviors:  {"debugContext.debugData.behaviors", ""},
		fLogOnly:    {"debugContext.debugData.logOnlySecurityData", ""},
		fThreat:     {"debugContext.debugData.threatSuspected", ""},
		fScopes:     {"debugContext.debugData.grantedScopes", ""},
		fGranted:    {"debugContext.debugData.privilegeGranted", ""},
		fRevoked:    {"debugContext.debugData.privilegeRevoked", ""},
		fChanged:    {"debugContext.debugData.changedAttributes", ""},
		fAPIToken:   {"transaction.detail.requestApiTokenId", ""},
		fTargets:    {"target", ""},
	}, targetFields(), event.Table{
		{"published", "@timestamp"},
		{"displayMessage", "message"},
		{"client.ipAddress", "source.ip client.ip"},
		{"client.userAgent.rawUserAgent", "user_agent.original"},
		{"client.userAgent.os", "user_agent.os.name"},
		{"client.userAgent.browser", "user_agent.name"},
		{"client.device", "user_agent.device.name"},
		{"client.geographicalContext.city", "source.geo.city_name"},
		{"client.geographicalContext.state", "source.geo.region_name"},
		{"client.geographicalContext.country", "source.geo.country_name"},
		{"client.geographicalContext.postalCode", "source.geo.postal_code"},
		{"client.geographicalContext.geolocation", "source.geo.location"},
		{"device.id", "device.id"},
		{"device.name", "host.name"},
		{"authenticationContext.authenticationProvider", "saas.auth.idp"},
		{"authenticationContext.externalSessionId", "session.id"},
		{"securityContext.asNumber", "source.as.number"},
		{"securityContext.asOrg", "source.as.organization.name"},
		{"securityContext.domain", "source.domain"},
		{"debugContext.debugData.requestUri", "url.path"},
		{"debugContext.debugData.suspiciousActivityEventIp", "related.ip"},
		{"transaction.id", "transaction.id"},
		{"request.ipChain[0].ip", "related.ip"},
		{"request.ipChain[1].ip", "related.ip"},
		{"request.ipChain[2].ip", "related.ip"},
		{"request.ipChain[3].ip", "related.ip"},
	})
)

func targetFields() (t event.Table) {
	for i := range slotTargets {
		for _, name := range [targetSlots]string{"id", "type", "alternateId", "displayName", "changeDetails"} {
			t = append(t, event.Field{"target[" + strconv.Itoa(i) + "]." + name, ""})
		}
	}
	return t
}

var (
	outcomes   = map[string]string{"SUCCESS": "success", "ALLOW": "success", "FAILURE": "failure", "DENY": "failure"}
	severities = map[string]int64{"DEBUG": 1, "INFO": 1, "WARN": 2, "ERROR": 3}
	methods    = map[string]string{"PASSWORD": "password", "Password": "password", "PASSWORD_AS_FACTOR": "password", "OTP": "otp",
		"TOKEN_SOFTWARE_TOTP": "otp", "GOOGLE_OTP": "otp", "SMS": "sms", "SMS_FACTOR": "sms", "EMAIL": "email", "EMAIL_FACTOR": "email",
		"CALL_FACTOR": "call", "OKTA_VERIFY_PUSH": "push", "FIDO_WEBAUTHN": "fido2", "FIDO_U2F": "fido2", "SIGNED_NONCE": "fastpass",
		"ASSERTION": "sso", "IWA": "sso", "CERTIFICATE": "certificate", "JWT": "jwt"}
	protocols = map[string]string{"SAML 2.0": "saml", "SAML_2_0": "saml", "OpenID Connect": "oidc", openID: "oidc",
		"WS_FEDERATION": "ws_federation", "BROWSER_PLUGIN": "password", "AUTO_LOGIN": "password", "SECURE_PASSWORD_STORE": "password"}
)

// mapLog maps an event of the System Log.
func mapLog(v *event.Values, add func() *event.Record) error {
	r := add()
	kind := v.Str(fKind)
	c := classOf(kind)
	c.Put(r, kind[strings.LastIndexByte(kind, '.')+1:])
	r.Str("saas.auth.protocol", cmp.Or(protocols[v.Str(fSignOn)], c.More))
	mapOutcome(v, r, kind)
	mapActor(v, r)
	for i := range slotTargets {
		if at := fTarget + i*targetSlots; v.Has(at+tID) || v.Has(at+tType) {
			mapTarget(r, c, v.Str(at+tType), v.Str(at+tID), v.Str(at+tName), v.Str(at+tFull))
			mapChange(r, v.Bytes(at+tChange))
		}
	}
	if v.Has(fTarget + (slotTargets-1)*targetSlots + tType) {
		mapMoreTargets(v, r, c)
	}
	if c.Activity == "role_grant" || c.Activity == "role_revoke" {
		r.Bool("saas.role.privileged", true)
		r.Str("saas.role.name", cmp.Or(v.Str(fGranted), v.Str(fRevoked)))
	}
	if strings.HasPrefix(kind, "app.oauth2.") && v.Str(fActorType) != "User" && r.Get("saas.app.id") == "" {
		r.Str("saas.app.id", v.Str(fActorID))
		r.Str("saas.app.name", v.Str(fActorFull))
	}
	if id := v.Str(fAPIToken); id != "" && r.Get("saas.credential.id") == "" { // the token that the request came with
		r.Str("saas.credential.type", "api_token")
		r.Str("saas.credential.id", id)
	}
	addWords(r, "saas.grant.scopes", v.Str(fScopes))
	if r.Get("saas.change.field") == "" {
		addWords(r, "saas.change.field", v.Str(fChanged))
	}
	mapRisk(v, r)
	return nil
}

func mapOutcome(v *event.Values, r *event.Record, kind string) {
	result, reason := v.Str(fResult), v.Str(fReason)
	outcome := outcomes[result]
	if outcome == "" && result != "" {
		outcome = "unknown"
	}
	r.Str("event.outcome", outcome)
	switch result {
	case "ALLOW":
		r.Strs("event.type", "allowed")
	case "DENY":
		r.Strs("event.type", "denied")
	}
	if outcome == "failure" && !strings.Contains(reason, " ") {
		r.Str("error.code", reason)
	}
	if n, ok := severities[v.Str(fSeverity)]; ok {
		r.Int("event.severity", n)
	}
	for _, method := range [...]string{v.Str(fCredential), v.Str(fFactor)} {
		r.Strs("saas.auth.method", cmp.Or(methods[method], strings.ToLower(method)))
	}
	switch kind {
	case "user.authentication.auth_via_mfa":
		r.Bool("saas.auth.mfa", outcome == "success")
	case "user.session.access_admin_app":
		r.Bool("saas.auth.admin_console", true)
	}
}

func mapActor(v *event.Values, r *event.Record) {
	kind, name := v.Str(fActorType), v.Str(fActorName)
	switch kind {
	case "":
		return
	case "User":
		kind = "user"
		if v.Str(fActorID) == "unknown" { // nobody yet: the name is what somebody typed
			kind = "anonymous"
		}
		r.Str("user.full_name", v.Str(fActorFull))
		if strings.Contains(name, "@") {
			r.Str("user.email", name)
		}
	case "SystemPrincipal":
		kind = "system"
	default: // PublicClientApp, AppInstance …: alternateId is the id once more
		kind, name = "application", cmp.Or(v.Str(fActorFull), name)
	}
	r.Str("saas.actor.type", kind)
	r.Str("user.name", name)
	r.Str("client.user.name", name)
}

// mapTarget maps one target by its type; of several of one kind the first counts.
func mapTarget(r *event.Record, c event.Class, kind, id, name, full string) {
	switch kind {
	case "User":
		if r.Get("user.target.id") != "" {
			r.Strs("related.user", id, name)
			return
		}
		r.Str("user.target.id", id)
		r.Str("user.target.name", name)
		r.Str("user.target.full_name", full)
		if strings.Contains(name, "@") {
			r.Str("user.target.email", name)
		}
	case "AppUser": // the account at the app, whose id is no user's
		r.Strs("related.user", name)
	case "UserGroup":
		first(r, "group.id", "group.name", id, full)
		first(r, "user.target.group.id", "user.target.group.name", id, full)
	case "AppInstance", "PublicClientApp", "App":
		if c.Category[0] != "authentication" {
			first(r, "saas.app.id", "saas.app.name", id, full)
			return
		}
		first(r, "application.id", "application.name", id, full)
		r.Str("service.name", r.Get("application.name"))
	case "ROLE", "Role":
		first(r, "saas.role.id", "saas.role.name", id, full)
	case "Token", "access_token", "refresh_token", "id_token":
		if r.Get("saas.credential.id") == "" {
			r.Str("saas.credential.id", id)
			r.Str("saas.credential.type", strings.Replace(kind, "Token", "api_token", 1))
		}
	case "AuthenticatorEnrollment":
		r.Strs("saas.auth.method", cmp.Or(methods[full], strings.ToLower(full)))
	default:
		if r.Get("saas.object.type") == "" {
			r.Str("saas.object.type", kind)
			first(r, "saas.object.id", "saas.object.name", id, full)
		}
	}
}

func first(r *event.Record, idField, nameField, id, name string) {
	if r.Get(idField) == "" {
		r.Str(idField, id)
		r.Str(nameField, name)
	}
}

// mapMoreTargets maps the targets that have no slots.
func mapMoreTargets(v *event.Values, r *event.Record, c event.Class) {
	n := 0
	for t := range event.Elems(v.Bytes(fTargets)) {
		if n++; n > slotTargets {
			mapTarget(r, c, saas.TextAt(t, "type"), saas.TextAt(t, "id"), saas.TextAt(t, "alternateId"), saas.TextAt(t, "displayName"))
			mapChange(r, saas.Member(t, "changeDetails"))
		}
	}
}

// mapChange notes what was changed from what to what: {"from":{"name":"a"},"to":{"name":"b"}}.
func mapChange(r *event.Record, change json.RawMessage) {
	if len(change) == 0 || change[0] != '{' {
		return
	}
	from := saas.Member(change, "from")
	for field, val := range event.Members(saas.Member(change, "to")) {
		r.Strs("saas.change.field", field)
		r.Strs("saas.change.old", plain(saas.Member(from, field)))
		r.Strs("saas.change.new", plain(val))
	}
}

// plain is a value as text: a string's, else as it was sent; null is "", which keeps the lists parallel.
func plain(raw json.RawMessage) string {
	if len(raw) == 0 || raw[0] == 'n' {
		return ""
	}
	return cmp.Or(saas.Text(raw), string(raw))
}

// addWords adds a list that was sent as text.
func addWords(r *event.Record, name, list string) {
	if list == "" {
		return
	}
	for word := range strings.FieldsFuncSeq(list, func(c rune) bool { return c == ',' || c == ' ' }) {
		r.Strs(name, word)
	}
}

// mapRisk maps Okta's verdict: {reasons=Anomalous Device, level=HIGH} and {New Device=POSITIVE, New IP=NEGATIVE}, which
// newer events hold as JSON in logOnlySecurityData.
func mapRisk(v *event.Values, r *event.Record) {
	risk, behaviors, newer := v.Str(fRisk), plainValue(v, fBehaviors), ""
	_, level, ok := strings.Cut(risk, "level=")
	if !ok || bytes.Contains(v.Bytes(fLogOnly), positive) { // else it says nothing more
		newer = plainValue(v, fLogOnly)
	}
	if !ok {
		_, level, _ = strings.Cut(newer, `"level":"`)
	}
	if end := strings.IndexAny(level, `,}" `); end >= 0 {
		level = level[:end]
	}
	r.Str("saas.risk.level", strings.ToLower(level))
	if _, reasons, ok := strings.Cut(risk, "reasons="); ok {
		reasons, _, _ = strings.Cut(strings.TrimRight(reasons, "}"), ", level=")
		for reason := range strings.SplitSeq(reasons, ", ") {
			r.Strs("saas.risk.reasons", reason)
		}
	}
	for _, list := range [...]string{behaviors, newer} {
		if !strings.Contains(list, "POSITIVE") {
			continue
		}
		for pair := range strings.SplitSeq(list, ",") {
			if at := strings.LastIndexAny(pair, "=:"); at > 0 && strings.HasPrefix(strings.Trim(pair[at+1:], `" `), "POSITIVE") {
				name := pair[:at]
				r.Strs("saas.risk.reasons", strings.Trim(name[strings.LastIndexByte(name, '{')+1:], `"[ `))
			}
		}
	}
	if on, _ := v.Bool(fThreat); on {
		r.Strs("saas.risk.reasons", "threat suspected")
	}
}

var positive = []byte("POSITIVE")

// plainValue is a string's text, or a list or an object as it was sent.
func plainValue(v *event.Values, slot int) string {
	if s := v.Str(slot); s != "" || !v.Has(slot) {
		return s
	}
	return string(v.Bytes(slot))
}

// touched says which parts an event makes due: what it changed of grants, tokens, members and roles.
func touched(v *event.Values) (items []saas.Item) {
	kind := v.Str(fKind)
	switch {
	case strings.HasPrefix(kind, "app.oauth2.") && !strings.HasSuffix(kind, ".access_token") && !strings.HasSuffix(kind, ".id_token"):
		if v.Str(fActorType) == "PublicClientApp" {
			items = parts(v.Str(fActorID), "app_grants", "app_tokens")
		}
		items = append(items, touchedTargets(v, "User", "user_grants", "user_clients")...)
		return append(items, touchedTargets(v, "AppInstance", "app_grants", "app_tokens")...)
	case strings.HasPrefix(kind, "group.user_membership."):
		return touchedTargets(v, "UserGroup", "group_members")
	case strings.HasPrefix(kind, "system.api_token."):
		return parts("", "api_tokens")
	case strings.HasPrefix(kind, "iam."), strings.Contains(kind, ".privilege."):
		return parts("", "admin_roles", "custom_roles")
	}
	return nil
}

func touchedTargets(v *event.Values, kind string, streams ...string) (items []saas.Item) {
	for i := range slotTargets {
		if at := fTarget + i*targetSlots; v.Str(at+tType) == kind {
			items = append(items, parts(v.Str(at+tID), streams...)...)
		}
	}
	return items
}
