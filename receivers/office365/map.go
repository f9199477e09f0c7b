package office365

import (
	"cmp"
	"encoding/json"
	"path"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Slots of recordFields.
const (
	rID = iota
	rOperation
	rWorkload
	rRecordType
	rUserType
	rUser
	rUserKey
	rActors
	rTargets
	rStatus
	rIP
	rMailIP
	rActorIP
	rErrorNumber
	rErrorCode
	rLogonError
	rApp
	rObject
	rExtended
	rDevice
	rModified
	rParameters
	rAgent
	rSiteURL
	rDir
	rName
	rExtension
	rItemType
	rUnique
	rSite
	rToName
	rToType
	rData
	rLabel
	rLabelData
	rSession
	rClientApp
	rMailbox
	rSubject
	rTeam
	rTeamGroup
	rMembers
	rAlertName
	rAlert
	rPolicyID
	rSeverity
	rCategory
	rEntity
	rPolicies
	rSharePoint
	rExchange
)

var (
	recordLayout = event.Compile(recordFields)
	// recordFields are those of the feed's common schema and of the workloads'.
	// https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema
	recordFields = event.Table{
		rID: {"Id", ""}, rOperation: {"Operation", "event.action"}, rWorkload: {"Workload", "event.provider"},
		rRecordType: {"RecordType", "event.code"}, rUserType: {"UserType", ""}, rUser: {"UserId", ""}, rUserKey: {"UserKey", ""},
		rActors: {"Actor", ""}, rTargets: {"Target", ""}, rStatus: {"ResultStatus", ""}, rIP: {"ClientIP", ""},
		rMailIP: {"ClientIPAddress", ""}, rActorIP: {"ActorIpAddress", ""}, rErrorNumber: {"ErrorNumber", ""}, rErrorCode: {"ErrorCode", ""},
		rLogonError: {"LogonError", ""}, rApp: {"ApplicationId", ""}, rObject: {"ObjectId", ""}, rExtended: {"ExtendedProperties", ""},
		rDevice: {"DeviceProperties", ""}, rModified: {"ModifiedProperties", ""}, rParameters: {"Parameters", ""},
		rAgent: {"UserAgent", ""}, rSiteURL: {"SiteUrl", ""}, rDir: {"SourceRelativeUrl", ""}, rName: {"SourceFileName", ""},
		rExtension: {"SourceFileExtension", ""}, rItemType: {"ItemType", ""}, rUnique: {"ListItemUniqueId", ""}, rSite: {"Site", ""},
		rToName: {"TargetUserOrGroupName", ""}, rToType: {"TargetUserOrGroupType", ""}, rData: {"EventData", ""},
		rLabel: {"SensitivityLabelId", "saas.file.labels"}, rLabelData: {"SensitivityLabelEventData.SensitivityLabelId", "saas.file.labels"},
		rSession: {"AppAccessContext.AADSessionId", "session.id"}, rClientApp: {"AppAccessContext.ClientAppId", ""},
		rMailbox: {"MailboxOwnerUPN", ""}, rSubject: {"Item.Subject", "email.subject"}, rTeam: {"TeamName", ""},
		rTeamGroup: {"AADGroupId", ""}, rMembers: {"Members", ""}, rAlertName: {"Name", ""}, rAlert: {"AlertId", ""},
		rPolicyID: {"PolicyId", ""}, rSeverity: {"Severity", ""}, rCategory: {"Category", ""}, rEntity: {"AlertEntityId", ""},
		rPolicies: {"PolicyDetails", ""}, rSharePoint: {"SharePointMetaData", ""}, rExchange: {"ExchangeMetaData", ""},
		{"CreationTime", "@timestamp"}, {"OrganizationId", "organization.id"}, {"OrganizationName", "organization.name"},
		{"Item.InternetMessageId", "email.message_id"}, {"SessionId", "session.id"}, {"Comments", "message"},
	}
)

var (
	actorTypes = map[string]string{"0": "user", "1": "user", "2": "admin", "3": "admin", "4": "system", "5": "application", "6": "application",
		"7": "system", "8": "system", "9": "external", "10": "external"}
	severities = map[string]int64{"informational": 1, "low": 1, "medium": 2, "high": 3, "critical": 4}
)

// mapRecord maps a record of the feed.
func mapRecord(v *event.Values, add func() *event.Record) error {
	r, operation := add(), v.Str(rOperation)
	class := classOf(operation)
	if class.Category[0] == "email" && class.Alert && v.Has(rSharePoint) { // what a rule of the tenant found in a file
		class.Category = []string{"file"}
	}
	class.Put(r, verbOf(operation))
	mapOutcome(v, r, &class)
	mapActor(v, r)
	for _, ip := range [...]string{v.Str(rIP), v.Str(rMailIP), v.Str(rActorIP)} {
		if r.Get("source.ip") == "" {
			r.Str("source.ip", ip)
		} else {
			r.Strs("related.ip", ip)
		}
	}
	r.Str("user_agent.original", cmp.Or(v.Str(rAgent), named(v.Bytes(rExtended), "UserAgent")))
	switch {
	case v.Has(rActors) || v.Has(rTargets):
		mapEntra(v, r, &class)
	case v.Has(rParameters):
		mapCommand(v, r, &class)
	}
	mapItem(v, r, &class)
	mapMail(v, r)
	if class.Alert {
		mapAlert(v, r)
	}
	return nil
}

// mapOutcome reads what became of it. A failed sign-in may say that it succeeded.
func mapOutcome(v *event.Values, r *event.Record, class *event.Class) {
	outcome, status := "success", strings.ToLower(v.Str(rStatus))
	if class.More != "-" {
		outcome = class.More
	} else if strings.HasPrefix(status, "fail") || status == "false" {
		outcome = "failure"
	}
	code := cmp.Or(v.Str(rErrorNumber), v.Str(rErrorCode))
	if code != "0" {
		r.Str("error.code", code)
	}
	why := v.Str(rLogonError)
	if why != "" {
		outcome = "failure"
	}
	if r.Str("event.outcome", outcome); outcome == "failure" {
		if detail := named(v.Bytes(rExtended), "ResultStatusDetail"); !strings.EqualFold(detail, "success") {
			why = cmp.Or(why, detail)
		}
		r.Str("event.reason", why)
	}
}

// mapActor notes who did it: by the name that he signs in with, and by his id where the record has it.
func mapActor(v *event.Values, r *event.Record) {
	name, kind := v.Str(rUser), actorTypes[v.Str(rUserType)]
	id := ""
	for e := range event.Elems(v.Bytes(rActors)) {
		if val := saas.TextAt(e, "ID"); id == "" && isGUID(strings.TrimPrefix(val, "User_")) {
			id = strings.TrimPrefix(val, "User_")
		}
	}
	switch rest, app := strings.CutPrefix(name, "ServicePrincipal_"); {
	case app:
		id, kind, name = rest, "application", partyNamed(v.Bytes(rActors), "1")
	case strings.HasPrefix(name, "urn:spo:anon"), strings.EqualFold(name, "anonymous"):
		name, kind = "", "anonymous"
	case strings.EqualFold(name, "Not Available"):
		name = ""
	case strings.Contains(strings.ToUpper(name), "#EXT#"), strings.HasPrefix(name, "urn:spo:guest"):
		kind = "external"
	case name == "app@sharepoint" && v.Str(rClientApp) != "":
		kind = "application"
	}
	if key := v.Str(rUserKey); id == "" && isGUID(key) {
		id = key
	}
	r.Str("user.id", cmp.Or(id, name))
	r.Str("user.name", name)
	if strings.Contains(name, "@") && kind != "application" {
		r.Str("user.email", mailOf(name))
	}
	r.Str("saas.actor.type", kind)
	if kind == "external" {
		r.Bool("saas.actor.external", true)
	}
}

// mailOf is the address behind the name of a guest: eve_other.example#EXT#@contoso.onmicrosoft.com.
func mailOf(name string) string {
	if at := strings.Index(strings.ToUpper(name), "#EXT#"); at > 0 {
		if dash := strings.LastIndexByte(name[:at], '_'); dash > 0 {
			return name[:dash] + "@" + name[dash+1:at]
		}
	}
	return name
}

// named is the value of a name in a list of names and values.
func named(list json.RawMessage, name string) string {
	for e := range event.Elems(list) {
		if saas.TextAt(e, "Name") == name {
			return saas.TextAt(e, "Value")
		}
	}
	return ""
}

// partyNamed is what a list of actors or targets has of a type: 1 a name, 2 another id, 5 a user's name.
func partyNamed(list json.RawMessage, kind string) string {
	for e := range event.Elems(list) {
		if string(saas.Member(e, "Type")) == kind {
			return saas.TextAt(e, "ID")
		}
	}
	return ""
}

// mapItem notes the file, folder, page or site that an event is about, and with whom it is shared.
func mapItem(v *event.Values, r *event.Record, class *event.Class) {
	if site := v.Str(rSiteURL); site != "" {
		r.Str("saas.container.type", "site")
		r.Str("saas.container.id", v.Str(rSite))
		r.Str("saas.container.name", site)
	}
	if name := v.Str(rName); name != "" {
		r.Str("file.name", name)
		r.Str("file.extension", v.Str(rExtension))
		r.Str("file.type", map[string]string{"File": "file", "Folder": "dir"}[v.Str(rItemType)])
		dir := v.Str(rDir)
		if dir != name && !strings.HasSuffix(dir, "/"+name) {
			dir = path.Join(dir, name)
		}
		r.Str("file.path", dir)
		r.Str("url.original", v.Str(rObject))
		if at := v.Str(rObject); strings.HasPrefix(at, "https://") { // by which Graph finds it, and actions
			r.Str("saas.file.id", shareOf(at))
		} else {
			r.Str("saas.file.id", v.Str(rUnique))
		}
	} else if v.Has(rItemType) {
		r.Str("saas.object.type", strings.ToLower(v.Str(rItemType)))
		r.Str("saas.object.id", v.Str(rObject))
	}
	switch class.Activity {
	case "share_public":
		r.Str("saas.share.visibility", "public")
	case "link_create", "link_change", "collab_add":
		r.Str("saas.share.visibility", visibilityOf(v.Str(rOperation)))
	}
	if to := v.Str(rToName); to != "" {
		r.Strs("saas.share.recipients", to)
		if strings.Contains(v.Str(rToType), "Group") {
			r.Str("group.name", to)
			r.Str("user.target.group.name", to)
		} else {
			r.Str("user.target.name", to)
			if strings.Contains(to, "@") {
				r.Str("user.target.email", mailOf(to))
			}
		}
	}
	if kind := v.Str(rToType); kind != "" {
		r.Bool("saas.target.external", kind == "Guest")
	}
	if _, role, ok := strings.Cut(v.Str(rData), "<Type>"); ok && strings.Contains(class.Activity, "_") {
		role, _, _ = strings.Cut(role, "<")
		r.Str("saas.share.role", map[string]string{"View": "viewer", "Edit": "editor", "Read": "viewer", "Contribute": "editor"}[role])
	}
}

// visibilityOf is whom an operation opens an item to.
func visibilityOf(operation string) string {
	switch {
	case strings.HasPrefix(operation, "Anonymous"):
		return "public"
	case strings.HasPrefix(operation, "Company"):
		return "org"
	}
	return "private"
}

// mapMail notes the mailbox and the team of an event.
func mapMail(v *event.Values, r *event.Record) {
	if owner := v.Str(rMailbox); owner != "" && !strings.EqualFold(owner, v.Str(rUser)) {
		r.Str("user.target.name", owner)
		r.Str("user.target.email", owner)
	}
	if id := v.Str(rTeamGroup); id != "" || v.Has(rTeam) {
		r.Str("group.id", id)
		r.Str("group.name", v.Str(rTeam))
		r.Str("user.target.group.id", id)
		r.Str("user.target.group.name", v.Str(rTeam))
	}
	for e := range event.Elems(v.Bytes(rMembers)) {
		name := saas.TextAt(e, "UPN")
		if r.Get("user.target.name") == "" {
			r.Str("user.target.name", name)
			r.Str("user.target.full_name", saas.TextAt(e, "DisplayName"))
		}
		r.Strs("related.user", name)
	}
}
