package googleworkspace

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Slots of activityFields. The key comes first.
const (
	aCustomer = iota
	aApp
	aTime
	aQualifier
	aCaller
	aEmail
	aID
	aKey
	aClient
	aIP
	aASN
	aEvents
)

// Slots of alertFields.
const (
	lID = iota
	lType
	lSource
	lSeverity
	lData
	lDeleted
)

var (
	activityFields = event.Table{
		aCustomer: {"id.customerId", "organization.id"}, aApp: {"id.applicationName", "event.provider"}, aTime: {"id.time", "@timestamp"},
		aQualifier: {"id.uniqueQualifier", ""}, aCaller: {"actor.callerType", ""}, aEmail: {"actor.email", ""}, aID: {"actor.profileId", ""},
		aKey: {"actor.key", ""}, aClient: {"actor.applicationInfo.oauthClientId", "saas.app.id"}, aIP: {"ipAddress", "source.ip"},
		aASN: {"networkInfo.ipAsn[0]", "source.as.number"}, aEvents: {"events", ""},
		{"actor.applicationInfo.applicationName", "saas.app.name"}, {"networkInfo.regionCode", "source.geo.country_iso_code"},
		{"networkInfo.subdivisionCode", "source.geo.region_iso_code"},
		{"userDeviceInfo.deviceId", "device.id"}, {"userDeviceInfo.deviceName", "host.name"},
	}
	alertFields = event.Table{
		lID: {"alertId", ""}, lType: {"type", "event.action rule.name"}, lSource: {"source", "event.provider"},
		lSeverity: {"metadata.severity", ""}, lData: {"data", ""}, lDeleted: {"deleted", ""}, {"customerId", "organization.id"},
		{"createTime", "@timestamp"}, {"startTime", "event.start"}, {"endTime", "event.end"},
		{"securityInvestigationToolLink", "event.url"}, {"metadata.status", "event.reason"},
	}
)

// services are the names under which the public rules for these events know the application.
// https://cloud.google.com/logging/docs/audit/gsuite-audit-logging
var services = map[string]string{"admin": "admin.googleapis.com", "login": "login.googleapis.com", "saml": "login.googleapis.com",
	"token": "oauth2.googleapis.com", "groups_enterprise": "cloudidentity.googleapis.com"}

// activityKey is what an activity is identified by: its qualifier only tells apart those of the same time. Of one that was cut
// short it is a hash.
func activityKey(v *event.Values) string {
	if v.Str(aTime) == "" || v.Str(aQualifier) == "" {
		if v.Str(aApp) == "" {
			return ""
		}
		sum := sha256.Sum256(v.Raw)
		return hex.EncodeToString(sum[:15])
	}
	return v.Str(aCustomer) + "/" + v.Str(aApp) + "/" + v.Str(aTime) + "/" + v.Str(aQualifier)
}

// mapActivity makes a record of each event of an activity.
func mapActivity(v *event.Values, add func() *event.Record) error {
	app := v.Str(aApp)
	for e := range eventsOf(v) {
		r := add()
		r.Dataset(datasetOf(app))
		class := classOf(app, e.name)
		class.Put(r, verb(app, e.name))
		r.Str("event.action", cmp.Or(e.name, e.kind))
		r.Str("service.name", services[app])
		mapActor(v, r, &e, &class)
		mapOutcome(r, &e, &class)
		if of := mappers[app]; of != nil {
			of(r, &e)
		}
	}
	return nil
}

// mappers map what is an application's own.
var mappers = map[string]func(*event.Record, *activityEvent){"login": mapLogin, "user_accounts": mapLogin, "saml": mapSAML,
	"token": mapToken, "drive": mapDrive, "admin": mapAdmin, "groups_enterprise": mapGroupEvent, "groups": mapGroupEvent, "rules": mapRule,
	"mobile": mapDevice, "gmail": mapMail, "context_aware_access": mapAccess, "chat": mapRoom, "meet": mapMeeting, "calendar": mapCalendar,
	"takeout": mapTakeout, "access_evaluation": mapAccess}

func mapActor(v *event.Values, r *event.Record, e *activityEvent, class *event.Class) {
	email, id := v.Str(aEmail), v.Str(aID)
	if id == nobody {
		id = ""
	}
	kind := "user"
	switch {
	case class.Activity == "user_suspend" && strings.HasPrefix(e.name, "account_disabled_"):
		kind, email, id = "system", "", ""
	case v.Str(aCaller) == "KEY" || v.Str(aKey) != "":
		kind, email = "application", cmp.Or(email, v.Str(aKey))
	case strings.HasSuffix(email, ".gserviceaccount.com"):
		kind = "service_account"
	case id == "" && email == "":
		kind, email = "anonymous", e.first("affected_email_address")
		if email != "" {
			kind = "user"
		}
	}
	r.Str("saas.actor.type", kind)
	r.Str("user.id", id)
	setUser(r, "user.", email)
}

// setUser notes an address as a user's.
func setUser(r *event.Record, prefix, email string) {
	if email == "" || r.Get(prefix+"name") != "" {
		return
	}
	r.Str(prefix+"name", email)
	if name, domain, ok := strings.Cut(email, "@"); ok && name != "" {
		r.Str(prefix+"email", email)
		r.Str(prefix+"domain", strings.ToLower(domain))
	}
}

// outcomes are those of events that tell one.
var outcomes = map[string]string{"SUCCEEDED": "success", "SUCCEEDED_WITH_WARNINGS": "success", "FAILED": "failure"}

func mapOutcome(r *event.Record, e *activityEvent, class *event.Class) {
	outcome := outcomes[saas.TextAt(e.status, "eventStatus")]
	if outcome == "failure" {
		r.Str("error.code", cmp.Or(saas.TextAt(e.status, "errorCode"), string(saas.Member(e.status, "httpStatusCode"))))
	}
	if outcome == "" && class.More != "-" {
		outcome = class.More
	}
	if outcome == "" && class.Activity == "mfa_challenge" {
		switch s := strings.ToLower(strings.TrimRight(e.str("login_challenge_status"), ".")); s {
		case "":
		case "passed", "challenge passed", "challenge_passed", "success":
			outcome = "success"
		default:
			outcome = "failure"
			r.Str("event.reason", e.str("login_challenge_status"))
		}
	}
	if outcome == "" && (slices.Contains(class.Category, "iam") || slices.Contains(class.Category, "file") ||
		slices.Contains(class.Category, "configuration")) {
		outcome = "success" // what was done is told of
	}
	r.Str("event.outcome", outcome)
}

// mapAlert maps an alert of the Alert Center.
func mapAlert(v *event.Values, add func() *event.Record) error {
	r := add()
	r.Dataset(alertSet)
	r.Str("event.kind", "alert")
	r.Strs("event.category", "intrusion_detection")
	r.Strs("event.type", "info")
	r.Str("saas.activity", "threat_detected")
	r.Str("rule.id", v.Str(lType))
	r.Str("rule.category", v.Str(lSource))
	if n := severities[v.Str(lSeverity)]; n > 0 {
		r.Int("event.severity", n)
	}
	data := v.Bytes(lData)
	for _, name := range []string{"email", "actorEmail"} {
		setUser(r, "user.", saas.TextAt(data, name))
	}
	for _, name := range []string{"ipAddress", "loginDetails"} {
		raw := saas.Member(data, name)
		r.Str("source.ip", cmp.Or(saas.Text(raw), saas.TextAt(json.RawMessage(raw), "ipAddress")))
	}
	return nil
}
