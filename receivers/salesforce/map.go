package salesforce

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
)

// Slots of eventFields. An event is a row of an object, whose name is in its attributes, or of a log file, whose columns are in
// capitals.
const (
	eObject = iota
	eID
	eStored
	eLogin
	eWhen
	eMade
	eAction
	eDisplay
	eBy
	eByName
	eUser
	eUserName
	eStatus
	ePolicy
	eError
	eSource
	eForwarded
	eFileAction
	eDocument
	eOperation
	eDone
	eDelegate
	eMethod
	eImpacted
	eURL
	eVersion
	eByFull
	eAs
	lType
	lDerived
	lTime
	lRequest
	lUser
	lUserShort
	lUserName
	lStatus
	lResult
	lCode
	lSource
	lClient
	lTransfer
	lDo
	lDelegate
	lDelegateID
	lDocument
	lDocumentShort
	lSuccess
	lException
	lVersion
	lEntity
	lMember
	lBrowser
	lURI
)

var (
	eventLayout = event.Compile(eventFields)
	eventFields = event.Table{
		eObject: {"attributes.type", ""}, eID: {"Id", ""}, eStored: {"EventIdentifier", ""}, eLogin: {"LoginTime", ""}, eWhen: {"EventDate", ""},
		eMade: {"CreatedDate", ""}, eAction: {"Action", ""}, eDisplay: {"Display", "message"}, eBy: {"CreatedById", ""},
		eByName: {"CreatedBy.Username", ""}, eUser: {"UserId", ""}, eUserName: {"Username", ""}, eStatus: {"Status", ""},
		ePolicy: {"PolicyOutcome", ""}, eError: {"ErrorCode", ""}, eSource: {"SourceIp", ""}, eForwarded: {"ForwardedForIp", ""},
		eFileAction: {"FileAction", ""}, eDocument: {"DocumentId", ""}, eOperation: {"Operation", ""}, eDone: {"OperationStatus", ""},
		eDelegate: {"DelegatedUsername", ""}, eMethod: {"VerificationMethod", ""}, eImpacted: {"ImpactedUserIds", ""}, eURL: {"PageUrl", ""},
		eVersion: {"VersionId", ""}, eByFull: {"CreatedBy.Name", ""}, eAs: {"DelegateUser", ""},
		lType: {"EVENT_TYPE", "event.code"}, lDerived: {"TIMESTAMP_DERIVED", ""}, lTime: {"TIMESTAMP", ""}, lRequest: {"REQUEST_ID", ""},
		lUser: {"USER_ID_DERIVED", ""}, lUserShort: {"USER_ID", ""}, lUserName: {"USER_NAME", ""}, lStatus: {"LOGIN_STATUS", ""},
		lResult: {"REQUEST_STATUS", ""}, lCode: {"STATUS_CODE", ""}, lSource: {"SOURCE_IP", ""}, lClient: {"CLIENT_IP", ""},
		lTransfer: {"TRANSACTION_TYPE", ""}, lDo: {"ACTION", ""}, lDelegate: {"DELEGATED_USER_NAME", ""},
		lDelegateID: {"DELEGATED_USER_ID_DERIVED", ""}, lDocument: {"DOCUMENT_ID_DERIVED", ""}, lDocumentShort: {"DOCUMENT_ID", ""},
		lSuccess: {"SUCCESS", ""}, lException: {"EXCEPTION_MESSAGE", ""}, lVersion: {"VERSION_ID_DERIVED", ""}, lEntity: {"ENTITY_ID", ""},
		lMember: {"MEMBER_ID", ""}, lBrowser: {"BROWSER_TYPE", ""}, lURI: {"URI", ""},
		{"Section", "event.provider"}, {"LoginType", "saas.auth.protocol"}, {"Browser", "user_agent.name"}, {"Platform", "user_agent.os.name"},
		{"UserAgent", "user_agent.original"}, {"Application", "application.name"}, {"CountryIso", "source.geo.country_iso_code"},
		{"Country", "source.geo.country_name"}, {"City", "source.geo.city_name"}, {"PostalCode", "source.geo.postal_code"},
		{"Subdivision", "source.geo.region_name"}, {"SessionKey", "session.id"}, {"LoginUrl", "url.domain"}, {"FileName", "file.name"},
		{"FileType", "file.extension"}, {"ContentSize", "file.size"}, {"TlsProtocol", "tls.version"}, {"CipherSuite", "tls.cipher"},
		{"ReportId", "saas.object.id"}, {"ListViewId", "saas.object.id"}, {"RecordId", "saas.object.id"}, {"QueriedEntities", "saas.object.type"},
		{"Name", "saas.object.name"}, {"ConnectedAppId", "saas.app.id"}, {"AppId", "saas.app.id"}, {"Client", "saas.app.name"},
		{"Score", "event.risk_score"}, {"Summary", "message"}, {"CurrentIp", "related.ip"}, {"PreviousIp", "related.ip"},
		{"CurrentUserAgent", "user_agent.original"}, {"AuthServiceId", "saas.auth.idp"}, {"AuthenticationServiceId", "saas.auth.idp"},
		{"USER_AGENT", "user_agent.original"}, {"SESSION_KEY", "session.id"}, {"CONNECTED_APP_ID", "saas.app.id"},
		{"CLIENT_NAME", "saas.app.name"}, {"FILE_TYPE", "file.extension"}, {"FILE_NAME", "file.name"}, {"SIZE_BYTES", "file.size"},
		{"REPORT_ID_DERIVED", "saas.object.id"}, {"ENTITY_NAME", "saas.object.type"}, {"TLS_PROTOCOL", "tls.version"},
		{"CIPHER_SUITE", "tls.cipher"}, {"COUNTRY_CODE", "source.geo.country_iso_code"}, {"EXCEPTION_TYPE", "error.type"},
		{"GROUP_ID", "group.id"}, {"METHOD", "http.request.method"}, {"HTTP_METHOD", "http.request.method"},
	}
)

// eventKey is the id of a stored row. A row of a log file has none but its number in the file; where that is not known, what it holds
// must do.
func eventKey(v *event.Values) string {
	if !v.Has(lType) {
		return cmp.Or(v.Str(eStored), v.Str(eID))
	}
	return v.Str(lType) + ":" + cmp.Or(v.Str(lRequest), v.Str(lURI)) + ":" + cmp.Or(v.Str(lDerived), v.Str(lTime)) + ":" + v.Str(lUserShort)
}

// kindOf is what an event is: the action of the audit trail, else the name of its object or log file without Event and Store;
// and the dataset.
func kindOf(v *event.Values) (kind, dataset string) {
	name := cmp.Or(v.Str(lType), v.Str(eObject))
	switch {
	case v.Has(eAction) && (name == "SetupAuditTrail" || name == ""):
		return v.Str(eAction), auditSet
	case name == "" && v.Has(eLogin):
		name = "LoginHistory"
	}
	kind = strings.TrimSuffix(strings.TrimSuffix(name, "Store"), "Event")
	switch {
	case kind == "Login", kind == "LoginHistory":
		dataset = loginSet
	case kind == "Logout", !v.Has(lType):
		dataset = "salesforce." + strings.ToLower(kind)
	case strings.HasPrefix(kind, "Apex"):
		dataset = "salesforce.apex"
	default:
		dataset = logFileSet
	}
	return kind, dataset
}

// mapEvent maps a row of any object that holds events, or of any log file.
func mapEvent(v *event.Values, add func() *event.Record) error {
	r := add()
	kind, dataset := kindOf(v)
	r.Dataset(dataset)
	for _, slot := range [...]int{eLogin, eWhen, lDerived, lTime, eMade} {
		if at, ok := v.Time(slot); ok {
			r.Time(at)
			break
		}
	}
	c := classOf(kind, dataset)
	if what := cmp.Or(v.Str(eFileAction), v.Str(lTransfer), v.Str(lDo)); what != "" && c.Category[0] == "file" {
		c = transferOf(what, c)
	}
	r.Str("event.action", strings.Clone(cmp.Or(v.Str(eAction), v.Str(lType), v.Str(eObject), kind)))
	c.Put(r, kind)
	mapActor(v, r, dataset, &c)
	mapOutcome(v, r, &c)
	mapAddress(v, r)
	r.Str("saas.file.id", longID(cmp.Or(v.Str(eDocument), v.Str(lDocument), v.Str(lDocumentShort))))
	r.Str("saas.file.version", cmp.Or(v.Str(eVersion), v.Str(lVersion)))
	r.Strs("saas.auth.method", strings.ToLower(v.Str(eMethod)))
	if agent := v.Str(lBrowser); !number(agent) { // a number stands for a browser in log files of pages
		r.Str("user_agent.original", agent)
	}
	if page := cmp.Or(v.Str(eURL), v.Str(lURI)); page != "" {
		r.Str("url.original", page)
	}
	if dataset == auditSet {
		mapAudit(v, r, &c)
	}
	for id := range strings.SplitSeq(strings.Trim(v.Str(eImpacted), `[]" `), ",") {
		r.Strs("related.user", strings.Trim(id, `" `))
	}
	return nil
}

func number(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// mapActor notes who did it. Who logged in as somebody else did it, and is whom he acts as in effect.
func mapActor(v *event.Values, r *event.Record, dataset string, c *event.Class) {
	id, name := longID(cmp.Or(v.Str(eUser), v.Str(lUser), v.Str(lUserShort))), cmp.Or(v.Str(eUserName), v.Str(lUserName))
	byID, by, full := longID(v.Str(lDelegateID)), cmp.Or(v.Str(eDelegate), v.Str(lDelegate)), ""
	if dataset == auditSet {
		id, name, by, full = v.Str(eBy), v.Str(eByName), v.Str(eAs), v.Str(eByFull)
	}
	if (byID != "" || by != "") && by != name {
		r.Str("user.effective.id", id)
		r.Str("user.effective.name", name)
		r.Str("user.effective.full_name", full)
		if c.Activity == "impersonation_start" {
			r.Str("user.target.id", id)
			r.Str("user.target.name", name)
		}
		id, name, full = byID, by, ""
	}
	r.Str("user.id", id)
	r.Str("client.user.id", id)
	r.Str("user.name", name)
	r.Str("client.user.name", name)
	r.Str("user.full_name", full)
	if strings.Contains(name, "@") {
		r.Str("user.email", name)
	}
	switch {
	case id != "" || name != "":
		r.Str("saas.actor.type", "user")
	case c.Category[0] == "authentication":
		r.Str("saas.actor.type", "anonymous")
	default:
		r.Str("saas.actor.type", "system")
	}
	if member := longID(v.Str(lMember)); strings.HasPrefix(member, "005") {
		r.Str("user.target.id", member)
	}
}

// mapOutcome notes whether it went well. A status is a word for success or says what was wrong; what can fail and says nothing did not.
func mapOutcome(v *event.Values, r *event.Record, c *event.Class) {
	bad, code := "", ""
	switch result := v.Str(lResult); {
	case v.Has(lStatus) && v.Str(lStatus) != "" && v.Str(lStatus) != "LOGIN_NO_ERROR":
		bad, code = v.Str(lStatus), v.Str(lStatus)
	case !well(v.Str(eStatus)):
		bad = v.Str(eStatus)
	case !well(v.Str(eError)):
		bad, code = v.Str(eError), v.Str(eError)
	case !well(v.Str(eDone)):
		bad = v.Str(eDone)
	case v.Str(ePolicy) == "Block", strings.Contains(v.Str(ePolicy), "Fail"), v.Str(ePolicy) == "Error":
		bad = "transaction security policy: " + v.Str(ePolicy)
	case result == "F", result == "A", result == "N": // failure, not authorised, not found
		bad = "REQUEST_STATUS " + result
	case len(v.Str(lCode)) == 3 && v.Str(lCode) >= "400":
		bad, code = "STATUS_CODE "+v.Str(lCode), v.Str(lCode)
	case v.Str(lSuccess) == "0":
		bad = "SUCCESS 0"
	case v.Str(lException) != "":
		bad = v.Str(lException)
	}
	switch {
	case bad != "":
		r.Str("event.outcome", "failure")
		r.Str("event.reason", bad)
		r.Str("error.code", code)
	case c.Alert:
		r.Str("event.outcome", "unknown")
	default:
		r.Str("event.outcome", "success")
	}
}

// well says whether a status means success; none does.
func well(s string) bool {
	switch strings.ToLower(s) {
	case "", "success", "succeeded", "initiated", "inprogress", "no_error", "0":
		return true
	}
	return false
}

// mapAddress notes where it came from. "Salesforce.com IP" stands for the vendor's own.
func mapAddress(v *event.Values, r *event.Record) {
	for _, slot := range [...]int{eSource, lSource, lClient} {
		ip, err := netip.ParseAddr(v.Str(slot))
		switch {
		case err != nil:
		case r.Get("source.ip") == "":
			r.Str("source.ip", ip.String())
			r.Str("client.ip", ip.String())
		default:
			r.Strs("related.ip", ip.String())
		}
	}
	for ip := range strings.SplitSeq(v.Str(eForwarded), ",") {
		if ip, err := netip.ParseAddr(strings.TrimSpace(ip)); err == nil {
			r.Strs("related.ip", ip.String())
		}
	}
}

// mapAudit notes whom and what an entry of the audit trail is about, which only its text says.
func mapAudit(v *event.Values, r *event.Record, c *event.Class) {
	text := v.Str(eDisplay)
	if _, rest, ok := strings.Cut(text, "ermission set "); ok && strings.HasPrefix(c.Activity, "role_") {
		name, _, _ := strings.Cut(rest, ":")
		r.Str("saas.role.name", strings.TrimSpace(name))
	}
	if c.Category[0] != "iam" && c.Category[0] != "session" {
		return
	}
	for word := range strings.FieldsSeq(text) {
		if word = strings.Trim(word, `.,;:()"'`); strings.Contains(word, "@") {
			r.Str("user.target.name", word)
			r.Str("user.target.email", word)
			return
		}
	}
	for _, before := range [...]string{"assigned to user ", "new User ", "for user ", "user "} {
		if _, name, ok := strings.Cut(text, before); ok && !strings.Contains(name, " from ") && len(name) < 80 {
			r.Str("user.target.full_name", strings.TrimSpace(name))
			return
		}
	}
}
