package salesforce

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

const simKindEvent = 1 // of sim.Planted

// simEvent is a type of event: the log files that have it, the object that stores it, which may be big, and its columns beside those
// of all log files. A name with an exclamation mark holds free text.
type simEvent struct {
	often         int
	file, object  string
	columns, vary string
}

// simEvents are the types of events. Logins are in LoginHistory too; an event of neither log file nor object is of the setup audit
// trail. https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/
// sforce_api_objects_eventlogfile_supportedeventtypes.htm
var simEvents = []simEvent{
	{120, "Login", "LoginEvent", `USER_TYPE=Standard REQUEST_STATUS=Success DB_TOTAL_TIME=1943 BROWSER_TYPE=Mozilla/5.0 API_TYPE
		API_VERSION=9998.0 USER_NAME TLS_PROTOCOL=TLSv1.3 CIPHER_SUITE=TLS_AES_256_GCM_SHA384 AUTHENTICATION_METHOD_REFERENCE
		LOGIN_SUB_TYPE | LOGIN_STATUS SOURCE_IP`, ""},
	{80, "", "", "", ""},
	{30, "Logout", "LogoutEvent", `USER_TYPE=Standard SESSION_TYPE=UI SESSION_LEVEL=STANDARD BROWSER_TYPE=Mozilla/5.0 APP_TYPE=1000
		USER_INITIATED_LOGOUT=1`, ""},
	{3, "LoginAs", "LoginAsEvent", `DELEGATED_USER_ID DELEGATED_USER_NAME DELEGATED_USER_ID_DERIVED`, ""},
	{30, "API", "ApiEvent", `USER_TYPE=Standard REQUEST_STATUS=S DB_TOTAL_TIME=3411 API_TYPE=E API_VERSION=62.0 CLIENT_NAME=sforce
		METHOD_NAME=query ENTITY_NAME=Contact ROWS_PROCESSED=200 REQUEST_SIZE=812 RESPONSE_SIZE=90211`, ""},
	{30, "RestApi", "", `USER_TYPE=Standard METHOD=GET MEDIA_TYPE=application/json STATUS_CODE=200 USER_AGENT=1 ROWS_PROCESSED=20
		API_VERSION=62.0 ENTITY_NAME=Account`, ""},
	{4, "BulkApi", "BulkApiResultEventStore", `USER_TYPE=Standard JOB_ID BATCH_ID OPERATION_TYPE=query ENTITY_TYPE=Contact ROWS_PROCESSED=10000
		NUMBER_FAILURES=0 SUCCESS=1 MESSAGE!`, ""},
	{10, "ApiTotalUsage", "", `API_FAMILY=REST API_VERSION=62.0 API_RESOURCE=/v62.0/query CLIENT_NAME HTTP_METHOD=GET CONNECTED_APP_ID
		ENTITY_NAME=Account COUNTS_AGAINST_API_LIMIT=1 STATUS_CODE=200`, ""},
	{10, "Report", "ReportEvent", `USER_TYPE=Standard ENTITY_NAME=Opportunity DISPLAY_TYPE=D RENDERING_TYPE=W REPORT_ID ROW_COUNT=420
		REPORT_ID_DERIVED`, ""},
	{4, "ReportExport", "", `USER_TYPE=Standard CLIENT_INFO=Mozilla/5.0 REPORT_DESCRIPTION!`, ""},
	{20, "URI", "UriEvent", `USER_TYPE=Standard REFERRER_URI REQUEST_STATUS=S DB_TOTAL_TIME=204`, ""},
	{25, "ContentTransfer", "FileEventStore", `USER_TYPE=Standard TRANSACTION_TYPE DOCUMENT_ID VERSION_ID FILE_TYPE SIZE_BYTES
		FILE_PREVIEW_TYPE DOCUMENT_ID_DERIVED VERSION_ID_DERIVED`, ""},
	{3, "ContentDistribution", "", `USER_TYPE=Standard ACTION DELIVERY_ID RELATED_ENTITY_ID VERSION_ID DELIVERY_LOCATION=S`,
		"CreateDistribution,ViewDistribution"},
	{4, "ContentDocumentLink", "", `USER_TYPE=Standard DOCUMENT_ID SHARED_WITH_ENTITY_ID SHARING_OPERATION=INSERT SHARING_PERMISSION=V
		DOCUMENT_ID_DERIVED SHARED_WITH_ENTITY_ID_DERIVED`, ""},
	{4, "DocumentAttachmentDownloads", "", `USER_TYPE=Standard ENTITY_ID FILE_NAME! FILE_TYPE`, ""},
	{3, "PermissionUpdate", "PermissionSetEventStore", `USER_TYPE=Standard PERMISSION_TYPE=UserPermission OPERATION=Update
		PERMISSION_SET_ID`, ""},
	{3, "GroupMembership", "", `USER_TYPE=Standard GROUP_ID MEMBER_ID ACTION`, "Add,Remove"},
	{8, "ApexExecution", "", `REQUEST_STATUS=S ENTRY_POINT=Sync.run QUIDDITY=R CALLOUT_TIME=0 EXEC_TIME=311`, ""},
	{8, "AuraRequest", "", `USER_TYPE=Standard REQUEST_METHOD=POST ACTION_MESSAGE REQUEST_STATUS=S USER_AGENT=1`, ""},
	{3, "ApexUnexpectedException", "", `EXCEPTION_TYPE=System.NullPointerException EXCEPTION_MESSAGE! STACK_TRACE
		EXCEPTION_CATEGORY=NonGack`, ""},
	{2, "Sandbox", "", `STATUS=COPYING SANDBOX_ID CURRENT_SANDBOX_ORG_ID PENDING_SANDBOX_ORG_ID`, ""},
	{2, "PackageInstall", "", `OPERATION_TYPE=INSTALL IS_SUCCESSFUL=1 PACKAGE_NAME!`, ""},
	{2, "MetadataApiOperation", "", `OPERATION=DEPLOY API_VERSION=62.0`, ""},
	{2, "CorsViolation", "", `ORIGIN=https://app.example`, ""},
	{6, "", "ListViewEvent", "", ""},
	{6, "", "LightningUriEvent", "", ""},
	{3, "", "IdentityVerificationEvent", "", ""},
	{2, "", "IdentityProviderEventStore", "", ""},
	{1, "", "SessionHijackingEventStore", "", ""},
	{1, "", "CredentialStuffingEventStore", "", ""},
	{1, "", "ReportAnomalyEventStore", "", ""},
	{1, "", "ApiAnomalyEventStore", "", ""},
	{1, "", "GuestUserAnomalyEventStore", "", ""},
	{1, "", "LoginAnomalyEventStore", "", ""},
}

// simFree are the log files that an org without Event Monitoring has, daily and for a day.
var simFree = []string{"Login", "Logout", "ApiTotalUsage", "CorsViolation", "ApexUnexpectedException"}

// kind is the type of event i, and what the rest of it is made of. The first events are one of each type: a short story has all.
func (s *simOrg) kind(i int) (*simEvent, *sim.Rand) {
	rnd := sim.NewRand(s.o.Seed, 11, uint64(i))
	n := rnd.N(s.often)
	if i < len(simEvents) {
		return &simEvents[i*5%len(simEvents)], rnd
	}
	for k := range simEvents {
		if n -= simEvents[k].often; n < 0 {
			return &simEvents[k], rnd
		}
	}
	panic("unreachable")
}

// simMixed mixes up events of a few neighbours: ids do not follow the time within a second.
func simMixed(seed int64, i int) int { return i&^15 | (i^int(sim.Hash(seed, 12, uint64(i>>4))))&15 }

// rowID is the id of event i among the records of an object.
func (s *simOrg) rowID(prefix string, i int) string { return s.id(prefix, 1<<30+simMixed(s.o.Seed, i)) }

// identifier is EventIdentifier of event i.
func (s *simOrg) identifier(i int) string {
	return string(sim.NewRand(s.o.Seed, 10, uint64(i)).UUID(nil))
}

// eventKey names event i: the id in the object that has it first.
func (s *simOrg) eventKey(i int) string {
	if row := s.stored(nil, i); row != nil {
		if id, ok := row["EventIdentifier"].(string); ok {
			return id
		}
		return row["Id"].(string)
	}
	return "event " + itoa(i)
}

// note is the free text of event i, if there is a place for it.
func (s *simOrg) note(i int, rnd *sim.Rand) string {
	t, decoy := sim.Planted(s.o.Seed, simKindEvent, uint64(i))
	switch {
	case t != "":
		return sim.Plant(rnd, t)
	case decoy:
		return sim.Decoy(rnd)
	}
	return ""
}

// planted is Sim.Planted.
func (s *simOrg) planted() map[string]int {
	out := s.files.planted(s)
	if s.replayed != nil {
		return out
	}
	for i := range s.feed.Len() {
		if t, _ := sim.Planted(s.o.Seed, simKindEvent, uint64(i)); t != "" {
			if k, _ := s.kind(i); k.file == "" && k.object == "" || strings.Contains(k.columns, "!") {
				out[t]++
			}
		}
	}
	return out
}

// actor is who does event i.
func (s *simOrg) actor(rnd *sim.Rand) (id string, row simRow) {
	id = sim.Pick(rnd, s.people)
	return id, s.find(id)
}

var simStatuses = []string{"Success", "Success", "Success", "Success", "Success", "Success", "Success", "Invalid Password",
	"User is Frozen", "Restricted IP"}

// login is event i of LoginHistory.
func (s *simOrg) loginRow(into simRow, i int, rnd *sim.Rand) simRow {
	id, _ := s.actor(rnd)
	kind := sim.Pick(rnd, []string{"Application", "Application", "Remote Access 2.0", "SAML Idp Initiated SSO", "Other Apex API"})
	row := into.fresh()
	row["Id"], row["UserId"], row["LoginTime"], row["LoginType"] = s.rowID("0Ya", i), id, s.feed.At(i).Truncate(time.Second), kind
	row["LoginUrl"], row["SourceIp"] = "contoso.my.salesforce.com", "203.0.113."+itoa(1+rnd.N(250))
	row["Status"], row["CountryIso"] = sim.Pick(rnd, simStatuses), sim.Pick(rnd, []string{"DE", "FR", "US"})
	row["Application"], row["Browser"], row["Platform"], row["ClientVersion"] = "Browser", "Chrome 142", "Windows 11", "N/A"
	row["ApiType"], row["ApiVersion"], row["TlsProtocol"], row["CipherSuite"] = "N/A", "N/A", "TLS 1.3", "TLS_AES_256_GCM_SHA384"
	row["LoginGeoId"] = s.rowID("04F", i)
	return row
}

// fresh is a record without fields, made of one that nobody needs any more.
func (r simRow) fresh() simRow {
	if r == nil {
		return simRow{}
	}
	clear(r)
	return r
}

// simSetup are actions of the setup audit trail: with a section, and what is shown, in which %s is a user.
var simSetup = [][3]string{
	{"PermSetAssign", "Manage Users", "Permission set Longshore: assigned to user %s"},
	{"PermSetAssign", "Manage Users", "Permission set Developer: assigned to user %s"},
	{"PermSetUnassign", "Manage Users", "Permission set Developer: unassigned from user %s"},
	{"createduser", "Manage Users", "Created new user %s"}, {"activateduser", "Manage Users", "Activated user %s"},
	{"deactivateduser", "Manage Users", "Deactivated user %s"}, {"frozeuser", "Manage Users", "Froze user %s"},
	{"resetpassword", "Manage Users", "Reset password for user %s"}, {"changedprofileforuser", "Manage Users",
		"Changed profile for user %s from Standard User to Read Only"},
	{"groupMembership", "Groups", "Added user %s to group Sales Regular"},
	{"insertConnectedApplication", "Connected Apps", "Created app Sync"},
	{"suOrgAdminLogin", "", "Logged in using Login-As access for %s"}, {"insertTwoFactorInfo2", "Manage Users", "Registered a method for %s"},
	{"loginIpRangesChanged", "Manage Users", "Changed the login ranges of profile Standard User"}, {"somethingOfTomorrow", "", "Did it"},
}

// setupRow is event i of the setup audit trail: bulk changes give several rows in a second.
func (s *simOrg) setupRow(into simRow, i int, rnd *sim.Rand) simRow {
	id, _ := s.actor(rnd)
	if rnd.N(3) > 0 {
		id = s.people[0]
	}
	_, of := s.actor(rnd)
	a := sim.Pick(rnd, simSetup[:])
	text := a[2]
	if strings.Contains(text, "%s") {
		text = fmt.Sprintf(text, of["Username"])
	}
	if note := s.note(i, rnd); note != "" {
		text += " (" + note + ")"
	}
	at := s.feed.At(i).Truncate(time.Second)
	row := into.fresh()
	row["Id"], row["Action"], row["Display"], row["CreatedDate"], row["SystemModstamp"] = s.rowID("0Ym", i), a[0], text, at, at
	row["CreatedById"] = id
	if a[1] != "" {
		row["Section"] = a[1]
	}
	return row
}

// stored is event i as the object has it that stores such events; nil = it is in log files only.
func (s *simOrg) stored(into simRow, i int) simRow {
	if s.replayed != nil {
		return s.replayed[i]
	}
	k, rnd := s.kind(i)
	if k.object == "" {
		if k.file == "" {
			return s.setupRow(into, i, rnd)
		}
		return nil
	}
	return s.eventRow(into, i, k, rnd)
}

// eventRow is event i of a monitored object.
func (s *simOrg) eventRow(into simRow, i int, k *simEvent, rnd *sim.Rand) simRow {
	at := s.feed.At(i)
	own := into.fresh()
	id, who := s.actor(rnd)
	switch k.object {
	case "LoginEvent":
		_, again := s.kind(i)
		own = s.loginRow(own, i, again)
		own["LoginHistoryId"], id = own["Id"], own["UserId"].(string)
		who = s.find(id)
		own["City"], own["HttpMethod"], own["LoginLatitude"] = "Lyon", "POST", 45.75
	case "FileEventStore":
		maps.Copy(own, s.fileEvent(i))
	case "ApiEvent":
		own["Operation"], own["QueriedEntities"], own["Query"] = "Query", "Contact", "SELECT Id, Name FROM Contact"
		own["RowsProcessed"], own["RowsReturned"], own["OperationStatus"], own["ApiVersion"] = 200.0, 200.0, "Success", 62.0
	case "ReportEvent":
		own["Name"], own["Operation"], own["Format"], own["RowsProcessed"], own["Sequence"] = "Pipeline", "ReportRunFromLightning",
			"Tabular", 420.0, 1
	case "LoginAsEvent":
		own["DelegatedUsername"], own["LoginAsCategory"] = "admin@contoso.example", "Organization"
	case "IdentityVerificationEvent":
		own["Activity"], own["VerificationMethod"], own["Status"] = "Login", "TOTP", sim.Pick(rnd,
			[]string{"Succeeded", "Succeeded", "FailedInvalidCode"})
	case "IdentityProviderEventStore":
		own["ErrorCode"], own["SsoType"], own["InitiatedBy"] = sim.Pick(rnd, []string{"Success", "SamlCertMissing"}), "SAML", "SP"
	case "PermissionSetEventStore":
		own["Operation"], own["PermissionType"], own["PermissionList"] = "AssignedToUsers", "UserPermission", "ModifyAllData"
		own["UserCount"], own["HasExternalUsers"] = "1", false
	}
	if strings.Contains(k.object, "Anomaly") || strings.Contains(k.object, "Hijacking") || strings.Contains(k.object, "Stuffing") {
		own["Score"], own["Summary"] = float64(rnd.N(100))/100, "An unusual pattern was found"
		own["SecurityEventData"] = `[{"featureName":"rowCount","featureValue":"` + itoa(rnd.N(9000)) + `","featureContribution":"95.00 %"}]`
	}
	set := func(name string, v any) {
		if own[name] == nil {
			own[name] = v
		}
	}
	own["Id"], own["EventIdentifier"], own["EventDate"], own["CreatedDate"] = "000000000000000AAA", s.identifier(i), at, at.Add(2*time.Second)
	set("UserId", id)
	set("Username", who["Username"])
	set("SourceIp", "203.0.113."+itoa(1+rnd.N(250)))
	own["SessionKey"], own["LoginKey"], own["SessionLevel"] = string(rnd.Name(nil, 16)), string(rnd.Name(nil, 16)), "STANDARD"
	own["ProfileId"], own["RoleId"], own["PolicyOutcome"] = who["ProfileId"], who["UserRoleId"], "NoAction"
	own["EvaluationTime"], own["UserType"] = 0.0, "Standard"
	by := s.schemas[strings.ToLower(k.object)].by
	for name := range own {
		if _, ok := by[strings.ToLower(name)]; !ok {
			delete(own, name)
		}
	}
	if !slices.Contains(simStores, k.object) {
		own["Id"] = s.rowID("0EV", i)
	}
	return own
}

// byObject are the events that each object has, oldest first.
func (s *simOrg) byObject() map[string][]int32 {
	out := map[string][]int32{}
	add := func(object string, i int) { out[object] = append(out[object], int32(i)) }
	for i := range s.feed.Len() {
		if s.replayed != nil {
			add(s.replayed[i]["object"].(string), i)
			continue
		}
		switch k, _ := s.kind(i); {
		case k.file == "" && k.object == "":
			add("SetupAuditTrail", i)
		case k.file != "Login":
			add(k.object, i)
		case !s.stranger(i):
			add("LoginHistory", i)
			add("LoginEvent", i)
		}
	}
	delete(out, "") // only log files have these
	return out
}

// between are the events of an object published in a span that can be read now, oldest first, until each is false.
func (s *simOrg) between(object string, from, to time.Time, each func(i int) bool) {
	now := s.o.Now()
	if old := now.Add(-simHalfYear); from.Before(old) {
		from = old
	}
	all := s.index()[object]
	first := sort.Search(len(all), func(n int) bool { return !s.feed.At(int(all[n])).Before(from) })
	for _, i := range all[first:] {
		if at := s.feed.At(int(i)); at.After(to) || at.After(now) || !s.feed.Persisted(int(i)).After(now) && !each(int(i)) {
			return
		}
	}
}

// events is the table of an object whose records are events.
func (s *simOrg) events(object, when string, row func(into simRow, i int) simRow) simTable {
	t := simTable{row: row, scan: func(_ *simCall, where *simCond, each func(simRef) bool) {
		from, to := where.span(when)
		s.between(object, from, to.Add(time.Second), func(i int) bool { return each(simRef{n: i}) })
		s.kept(object).scan(nil, nil, each)
	}}
	if s.o.Replay == nil {
		t.when = when
		t.at = func(i int) time.Time {
			if when == "EventDate" {
				return s.feed.At(i)
			}
			return s.feed.At(i).Truncate(time.Second)
		}
	}
	return t
}

// replay reads the events that are to be served instead of generated ones: records with attributes, or lines of log files.
func (s *simOrg) replay() error {
	if s.o.Replay == nil {
		return nil
	}
	for i := range s.feed.Len() {
		var row simRow
		if err := json.Unmarshal(s.feed.Make(nil, i), &row); err != nil {
			return fmt.Errorf("read events to replay: %w", err)
		}
		of, _ := row["attributes"].(map[string]any)
		name, _ := of["type"].(string)
		o := s.schemas[strings.ToLower(name)]
		file, _ := row["EVENT_TYPE"].(string)
		switch {
		case o != nil:
			for field, v := range row {
				if f := o.by[strings.ToLower(field)]; f.kind == "datetime" {
					row[field] = s.feed.At(i).Truncate(time.Second)
				} else if n, ok := v.(float64); ok && f.kind == "int" && n == math.Trunc(n) {
					row[field] = int(n)
				}
			}
			row["object"] = o.name
		case file != "":
			row["object"] = "log " + file
		default:
			return fmt.Errorf("read events to replay: event %d has neither attributes.type of a known object nor EVENT_TYPE", i)
		}
		s.replayed = append(s.replayed, row)
	}
	return nil
}

func simReplayKey(raw []byte) string {
	var o struct {
		Id, EventIdentifier string
	}
	if json.Unmarshal(raw, &o) == nil && o.EventIdentifier != "" {
		return o.EventIdentifier
	}
	return o.Id
}
