package office365

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Slots of signInFields.
const (
	sID = iota
	sUser
	sCode
	sReason
	sMore
	sClient
	sRisk
	sRiskWhy
	sGuest
	sPolicy
)

var signInFields = event.Table{
	sID: {"id", ""}, sUser: {"userPrincipalName", "user.name"}, sCode: {"status.errorCode", ""}, sReason: {"status.failureReason", ""},
	sMore: {"status.additionalDetails", ""}, sClient: {"clientAppUsed", ""}, sRisk: {"riskLevelDuringSignIn", ""},
	sRiskWhy: {"riskEventTypes_v2", ""}, sGuest: {"userType", ""}, sPolicy: {"conditionalAccessStatus", ""},
	{"createdDateTime", "@timestamp"}, {"userId", "user.id"}, {"userDisplayName", "user.full_name"}, {"ipAddress", "source.ip"},
	{"appId", "application.id"}, {"appDisplayName", "application.name"}, {"resourceId", "service.id"},
	{"resourceDisplayName", "service.name"}, {"deviceDetail.deviceId", "device.id"}, {"deviceDetail.displayName", "host.name"},
	{"deviceDetail.operatingSystem", "host.os.name"}, {"deviceDetail.browser", "user_agent.name"}, {"location.city", "source.geo.city_name"},
	{"location.state", "source.geo.region_name"}, {"location.countryOrRegion", "source.geo.country_iso_code"},
}

// mapSignIn maps a sign-in as Graph shows it. https://learn.microsoft.com/graph/api/resources/signin
func mapSignIn(v *event.Values, add func() *event.Record) error {
	r := add()
	class := classes["userloggedin"]
	outcome := "success"
	if code := v.Str(sCode); code != "" && code != "0" {
		class, outcome = classes["userloginfailed"], "failure"
		r.Str("error.code", code)
		r.Str("event.reason", cmp.Or(v.Str(sReason), v.Str(sMore)))
	}
	class.Put(r, "")
	r.Str("event.action", "sign-in")
	r.Str("event.provider", "AzureActiveDirectory")
	r.Str("event.outcome", outcome)
	r.Str("saas.actor.type", "user")
	r.Str("user.email", mailOf(v.Str(sUser)))
	if strings.Contains(v.Str(sUser), "#EXT#") || v.Str(sGuest) == "guest" {
		r.Str("saas.actor.type", "external")
		r.Bool("saas.actor.external", true)
	}
	switch client := v.Str(sClient); client {
	case "", "Browser", "Mobile Apps and Desktop clients":
	default: // IMAP4, POP3, Authenticated SMTP …: without modern authentication
		r.Str("saas.auth.protocol", "legacy")
	}
	if risk := v.Str(sRisk); risk != "none" && risk != "hidden" {
		r.Str("saas.risk.level", risk)
	}
	for e := range event.Elems(v.Bytes(sRiskWhy)) {
		r.Strs("saas.risk.reasons", saas.Text(e))
	}
	return nil
}

// Slots of directoryFields.
const (
	dID = iota
	dName
	dUser
	dUserName
	dApp
	dAppName
	dResult
	dTargets
	dDetails
)

var directoryFields = event.Table{
	dID: {"id", ""}, dName: {"activityDisplayName", "event.action"}, dUser: {"initiatedBy.user.id", ""},
	dUserName: {"initiatedBy.user.userPrincipalName", ""}, dApp: {"initiatedBy.app.servicePrincipalId", ""},
	dAppName: {"initiatedBy.app.displayName", ""}, dResult: {"result", ""}, dTargets: {"targetResources", ""},
	dDetails: {"additionalDetails", ""}, {"activityDateTime", "@timestamp"}, {"resultReason", "event.reason"},
	{"loggedByService", "event.provider"}, {"initiatedBy.user.ipAddress", "source.ip"}, {"initiatedBy.user.displayName", "user.full_name"},
}

// mapDirectoryAudit maps a change of the directory as Graph shows it.
// https://learn.microsoft.com/graph/api/resources/directoryaudit
func mapDirectoryAudit(v *event.Values, add func() *event.Record) error {
	r := add()
	class := classOf(v.Str(dName))
	class.Put(r, verbOf(v.Str(dName)))
	r.Str("event.outcome", map[string]string{"success": "success", "failure": "failure", "timeout": "failure"}[v.Str(dResult)])
	if user := v.Str(dUser); user != "" || v.Str(dUserName) != "" {
		r.Str("user.id", user)
		r.Str("user.name", v.Str(dUserName))
		r.Str("user.email", mailOf(v.Str(dUserName)))
		r.Str("saas.actor.type", "user")
	} else if v.Has(dApp) || v.Has(dAppName) {
		r.Str("user.id", v.Str(dApp))
		r.Str("user.name", v.Str(dAppName))
		r.Str("saas.actor.type", "application")
	}
	for e := range event.Elems(v.Bytes(dDetails)) {
		if saas.TextAt(e, "key") == "User-Agent" {
			r.Str("user_agent.original", saas.TextAt(e, "value"))
		}
	}
	for e := range event.Elems(v.Bytes(dTargets)) {
		mapAuditTarget(r, e)
	}
	return nil
}

// mapAuditTarget maps one target by its type; of several of one kind the first counts.
func mapAuditTarget(r *event.Record, e json.RawMessage) {
	id, name, kind := saas.TextAt(e, "id"), saas.TextAt(e, "displayName"), saas.TextAt(e, "type")
	fields := map[string][2]string{"Group": {"group.id", "group.name"}, "ServicePrincipal": {"saas.app.id", "saas.app.name"},
		"Application": {"saas.app.id", "saas.app.name"}, "Role": {"saas.role.id", "saas.role.name"}}[kind]
	switch {
	case kind == "User":
		if r.Get("user.target.id") != "" {
			r.Strs("related.user", id, saas.TextAt(e, "userPrincipalName"))
			break
		}
		upn := saas.TextAt(e, "userPrincipalName")
		r.Str("user.target.id", id)
		r.Str("user.target.name", cmp.Or(upn, name))
		r.Str("user.target.full_name", name)
		r.Str("user.target.email", mailOf(upn))
	case fields[0] != "" && r.Get(fields[0]) == "":
		r.Str(fields[0], id)
		r.Str(fields[1], name)
	case fields[0] == "" && r.Get("saas.object.id") == "":
		r.Str("saas.object.type", kind)
		r.Str("saas.object.id", id)
		r.Str("saas.object.name", name)
	}
	for change := range event.Elems(saas.Member(e, "modifiedProperties")) {
		r.Strs("saas.change.field", saas.TextAt(change, "displayName"))
		r.Strs("saas.change.old", bare(saas.TextAt(change, "oldValue")))
		r.Strs("saas.change.new", bare(saas.TextAt(change, "newValue")))
	}
}
