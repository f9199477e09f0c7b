package office365

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simEvent is an audit record while it is written.
type simEvent struct {
	b    []byte
	rnd  *sim.Rand
	kind *simKind
	op   string
	by   *simUser
	to   *simUser // another
	file *simItem
	note string // free text
}

func (e *simEvent) text(name, value string) { e.b = sim.Field(e.b, name, value) }

// raw appends ,"name":json.
func (e *simEvent) raw(name, value string) {
	e.b = append(append(append(append(e.b, `,"`...), name...), `":`...), value...)
}

// pairs appends a list of names and values.
func (e *simEvent) pairs(name, as string, pairs ...string) {
	e.b = append(append(append(e.b, `,"`...), name...), `":[`...)
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.b = sim.Text(append(e.b, `{"Name":`...), pairs[i])
		e.b = append(sim.Text(append(e.b, `,"`+as+`":`...), pairs[i+1]), '}')
	}
	e.b = append(e.b, ']')
}

// event appends event i.
func (s *simOrg) event(b []byte, i int, at time.Time) []byte {
	k, rnd := s.kindOf(i), sim.NewRand(s.o.Seed, 18, uint64(i))
	e := &simEvent{b: b, rnd: rnd, kind: k, op: sim.Pick(rnd, k.operations), by: sim.Pick(rnd, s.users), to: sim.Pick(rnd, s.users)}
	if t, decoy := sim.Planted(s.o.Seed, simKindEvent, uint64(i)); t != "" {
		e.note = sim.Plant(rnd, t)
	} else if decoy {
		e.note = sim.Decoy(rnd)
	}
	workload, userType := k.workload, 0
	switch k.about {
	case "user", "group", "role", "app", "policy", "site", "command", "search":
		e.by, userType = s.users[rnd.N(min(3, len(s.users)))], 2
	case "file", "share", "dlp":
		if len(s.files) > 0 {
			e.file = sim.Pick(rnd, s.files)
		}
	}
	if workload == "*" {
		if workload = "SharePoint"; e.file != nil && e.file.drive.site.owner != nil {
			workload = "OneDrive"
		}
	}
	if e.by.guest {
		userType = 10
	}
	e.b = at.UTC().AppendFormat(append(e.b, `{"CreationTime":"`...), "2006-01-02T15:04:05")
	e.b = append(e.b, '"')
	e.text("Id", s.eventID(i))
	e.text("Operation", e.op)
	e.text("OrganizationId", s.id)
	e.raw("RecordType", strconv.Itoa(k.record))
	e.text("UserKey", "i:0h.f|membership|1003200"+string(rnd.Name(nil, 9))+"@live.com")
	e.raw("UserType", strconv.Itoa(userType))
	e.raw("Version", "1")
	e.text("Workload", workload)
	e.text("UserId", e.by.upn)
	s.detail(e)
	return append(e.b, '}')
}

// detail appends what records of a kind hold.
func (s *simOrg) detail(e *simEvent) {
	switch e.kind.about {
	case "logon", "failed":
		s.logon(e)
	case "user", "group", "role", "app", "policy":
		s.directory(e)
	case "file", "share":
		s.fileEvent(e)
	case "site":
		t := sim.Pick(e.rnd, s.sites)
		at := "https://" + s.host(t) + t.path
		e.text("ClientIP", s.ip(e))
		e.text("ObjectId", at)
		e.text("SiteUrl", at)
		e.text("Site", t.id)
		e.text("EventSource", "SharePoint")
		e.text("ItemType", "Site")
		e.pairs("ModifiedProperties", "NewValue", "SiteAdmin", e.to.mail)
		e.text("EventData", e.note)
	case "command", "mail":
		s.exchange(e)
	case "dlp":
		s.dlpEvent(e)
	default:
		s.general(e)
	}
}

// ip is from where the actor asks: with a port, or as version 6, as some records have it.
func (s *simOrg) ip(e *simEvent) string {
	ip := "203.0.113." + strconv.Itoa(1+e.by.n%250)
	switch e.rnd.N(9) {
	case 0:
		return "[2001:db8::" + strconv.FormatInt(int64(1+e.by.n%4000), 16) + "]:443"
	case 1:
		return ip + ":" + strconv.Itoa(1024+e.rnd.N(8000))
	case 2:
		return "2001:db8::" + strconv.FormatInt(int64(1+e.by.n%4000), 16)
	}
	return ip
}

func simAgent(n int) string {
	return []string{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 " +
		"Edg/142.0",
		"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Microsoft Office/16.0 (Windows NT 10.0; Pro)"}[n%3]
}

// simErrors are the codes of sign-ins that fail.
var simErrors = [][2]string{{"50126", "InvalidUserNameOrPassword"}, {"50053", "IdsLocked"}, {"50076",
	"UserStrongAuthClientAuthNRequiredInterrupt"},
	{"50057", "UserDisabled"}, {"53003", "BlockedByConditionalAccess"}}

// logon appends a sign-in. A failed one may say that it succeeded.
func (s *simOrg) logon(e *simEvent) {
	code, detail, result := "0", "Success", "Success"
	if e.kind.about == "failed" {
		f := sim.Pick(e.rnd, simErrors)
		code, detail, result = f[0], f[1], sim.Pick(e.rnd, []string{"Failed", "Success"})
	}
	ip := s.ip(e)
	e.text("ResultStatus", result)
	e.text("ClientIP", ip)
	e.text("ActorIpAddress", ip)
	e.text("ObjectId", "00000003-0000-0000-c000-000000000000")
	e.raw("AzureActiveDirectoryEventType", "1")
	extended := []string{"ResultStatusDetail", detail, "UserAgent", simAgent(e.by.n), "RequestType", "OAuth2:Authorize"}
	if e.note != "" {
		extended = append(extended, "additionalDetails", e.note)
	}
	e.pairs("ExtendedProperties", "Value", extended...)
	e.raw("ModifiedProperties", "[]")
	s.parties(e, "Actor", e.by.id, e.by.upn)
	e.text("ActorContextId", s.id)
	e.raw("Target", `[{"ID":"00000003-0000-0000-c000-000000000000","Type":0}]`)
	e.text("TargetContextId", s.id)
	e.text("InterSystemsId", string(e.rnd.UUID(nil)))
	e.text("IntraSystemId", string(e.rnd.UUID(nil)))
	e.text("SupportTicketId", "")
	e.text("ApplicationId", "89bee1f7-5e6e-4d8a-9f3d-ecd601259da7")
	e.pairs("DeviceProperties", "Value", "OS", "Windows10", "BrowserType", "Edge", "IsCompliantAndManaged", "False", "SessionId",
		string(e.rnd.UUID(nil)))
	e.text("ErrorNumber", code)
	if code != "0" {
		e.text("LogonError", detail)
	}
}

// parties appends who did something, or to whom.
func (s *simOrg) parties(e *simEvent, name, id, upn string) {
	e.b = append(append(append(e.b, `,"`...), name...), `":[`...)
	e.b = append(sim.Text(append(e.b, `{"ID":`...), id), `,"Type":0},`...)
	e.b = append(sim.Text(append(e.b, `{"ID":`...), upn), `,"Type":5}]`...)
}

// directory appends a change of the directory. Records of administrators have no ClientIP.
func (s *simOrg) directory(e *simEvent) {
	target, id := e.to.upn, e.to.id
	changes := []string{}
	switch e.kind.about {
	case "group":
		g := sim.Pick(e.rnd, s.groups)
		if changes = []string{"Group.DisplayName", g.name, "Group.ObjectID", g.id}; !strings.Contains(e.op, "member") {
			target, id = g.name, g.id
		}
	case "role":
		r := sim.Pick(e.rnd, s.roles)
		changes = []string{"Role.DisplayName", r.name, "Role.ObjectID", r.active, "Role.TemplateId", r.id}
	case "app":
		a := sim.Pick(e.rnd, s.apps)
		target, id = a.name, a.id
		changes = []string{"ConsentContext.IsAdminConsent", "True", "ConsentAction.Permissions", "[] => [[Id: x, ClientId: " + a.id +
			", PrincipalId: " + e.to.id + ", ResourceId: " + s.apps[0].id + ", ConsentType: Principal, Scope:" +
			simScopes[a.n%len(simScopes)] + "]]"}
	case "policy":
		target, id = "Catch-all \"strict\" policy", string(e.rnd.UUID(nil))
	default:
		changes = []string{"AccountEnabled", "[\r\n  false\r\n]", "Included Updated Properties", "AccountEnabled"}
	}
	e.text("ResultStatus", "Success")
	e.text("ClientIP", "")
	e.text("ObjectId", target)
	e.raw("AzureActiveDirectoryEventType", "1")
	extended := []string{"additionalDetails", `{"User-Agent":"` + simAgent(e.by.n) + `"}`, "extendedAuditEventCategory", e.kind.about}
	if e.note != "" {
		extended[1] = e.note
	}
	e.pairs("ExtendedProperties", "Value", extended...)
	e.pairs("ModifiedProperties", "NewValue", changes...)
	s.parties(e, "Actor", e.by.id, e.by.upn)
	e.text("ActorContextId", s.id)
	e.text("ActorIpAddress", s.ip(e))
	e.text("InterSystemsId", string(e.rnd.UUID(nil)))
	e.text("IntraSystemId", string(e.rnd.UUID(nil)))
	s.parties(e, "Target", id, target)
	e.text("TargetContextId", s.id)
}

// fileEvent appends what happened to a file.
func (s *simOrg) fileEvent(e *simEvent) {
	e.text("ClientIP", s.ip(e))
	e.text("CorrelationId", string(e.rnd.UUID(nil)))
	e.text("EventSource", "SharePoint")
	e.text("UserAgent", simAgent(e.by.n))
	if e.file == nil {
		return
	}
	s.fileFields(e)
	if e.kind.about == "share" {
		e.text("TargetUserOrGroupType", "Member")
		if e.text("TargetUserOrGroupName", e.to.mail); e.to.guest {
			e.b = append(e.b[:len(e.b)-len(sim.Field(nil, "TargetUserOrGroupName", e.to.mail))], `,"TargetUserOrGroupName":null`...)
		}
		e.text("UniqueSharingId", string(e.rnd.UUID(nil)))
		e.text("EventData", "<Type>View</Type>"+e.note)
	} else if e.note != "" {
		e.text("EventData", e.note)
	}
	if strings.Contains(e.op, "Label") {
		e.text("SensitivityLabelId", simLabels[e.rnd.N(4)].id)
	}
	if e.op == "FileRenamed" || e.op == "FileMoved" || e.op == "FileCopied" {
		e.text("DestinationFileName", "copy of "+e.file.born)
		e.text("DestinationRelativeUrl", e.file.drive.library())
	}
	e.raw("AppAccessContext",
		`{"AADSessionId":"`+string(e.rnd.UUID(nil))+`","ClientAppId":"08e18876-6177-487e-b8b5-cf950c1e598c","CorrelationId":"`+
			string(e.rnd.UUID(nil))+`","UniqueTokenId":"`+string(e.rnd.Name(nil, 22))+`"}`)
}

// fileFields appends which file it is.
func (s *simOrg) fileFields(e *simEvent) {
	f, d := e.file, e.file.drive
	site := "https://" + s.host(d.site) + d.site.path + "/"
	dir := d.library()
	if f.dir != "" {
		dir += "/" + f.dir
	}
	plain, _ := url.PathUnescape(site + dir)
	e.text("ObjectId", plain+"/"+f.born)
	e.text("SiteUrl", site)
	e.text("SourceRelativeUrl", dir)
	e.text("SourceFileName", f.born)
	e.text("SourceFileExtension", f.born[strings.LastIndexByte(f.born, '.')+1:])
	if strings.HasPrefix(e.op, "Folder") {
		e.text("ItemType", "Folder")
	} else {
		e.text("ItemType", "File")
	}
	e.text("ListId", d.list)
	e.text("ListItemUniqueId", f.uid)
	e.text("Site", d.site.id)
	e.text("WebId", d.site.web)
}

// exchange appends a command of an administrator, or what happened in a mailbox.
func (s *simOrg) exchange(e *simEvent) {
	if e.kind.about == "command" {
		e.text("ResultStatus", "True")
		e.text("ClientIP", s.ip(e))
		e.text("ObjectId", "contoso.example/"+e.to.name+"\\rule")
		e.raw("ExternalAccess", "false")
		e.text("OrganizationName", "contoso.onmicrosoft.com")
		e.text("OriginatingServer", "EXAMPLE01 (15.20.0000.000)")
		parameters := []string{"Identity", e.to.upn, "ForwardingSmtpAddress", "smtp:box@elsewhere.example", "DeliverToMailboxAndForward", "True"}
		if e.note != "" {
			parameters = append(parameters, "Comment", e.note)
		}
		e.pairs("Parameters", "Value", parameters...)
		return
	}
	e.text("ResultStatus", "Succeeded")
	e.text("ClientIPAddress", s.ip(e))
	e.text("ClientInfoString", "Client=OWA;Action=ViaProxy")
	e.text("MailboxOwnerUPN", e.by.upn)
	e.text("MailboxGuid", string(e.rnd.UUID(nil)))
	e.raw("LogonType", "0")
	e.raw("InternalLogonType", "0")
	e.text("SessionId", string(e.rnd.UUID(nil)))
	subject := "Re: " + sim.Title(e.rnd, false)
	if e.note != "" {
		subject += " " + e.note
	}
	item := string(sim.Text([]byte(`{"Id":"RgAA`+string(e.rnd.Name(nil, 40))+`","Subject":`), subject)) + `,"ParentFolder":{"Path":"\\Inbox"}}`
	e.raw("Item", item)
}

// dlpEvent appends what a rule of the tenant found.
func (s *simOrg) dlpEvent(e *simEvent) {
	e.text("ObjectId", string(e.rnd.UUID(nil)))
	e.text("IncidentId", string(e.rnd.UUID(nil)))
	e.raw("SensitiveInfoDetectionIsIncluded", "false")
	if e.file != nil {
		e.b = append(e.b, `,"SharePointMetaData":{"From":`...)
		e.b = sim.Text(e.b, e.by.upn)
		e.text("itemCreationTime", simStamp(e.file.created))
		e.text("SiteCollectionGuid", e.file.drive.site.id)
		e.text("FileName", e.file.born)
		e.text("FileOwner", e.by.name)
		e.text("UniqueID", e.file.uid)
		e.b = append(e.b, '}')
	}
	reason := "x"
	if e.note != "" {
		reason = e.note
	}
	e.b = append(e.b, `,"ExceptionInfo":{"Reason":"Override","Justification":`...)
	e.b = append(sim.Text(e.b, reason), '}')
	e.raw("PolicyDetails", `[{"PolicyId":"`+string(e.rnd.UUID(nil))+`","PolicyName":"Card data","Rules":[{"RuleId":"`+string(e.rnd.UUID(nil))+
		`","RuleName":"Block cards","Severity":"High","Actions":["BlockAccess"],"ConditionsMatched":{"SensitiveInformation":[{"Count":3,`+
		`"Confidence":85,"SensitiveType":"50842eb7-edc8-4019-85dd-5a5c1f2bb085","SensitiveInformationTypeName":"Credit Card Number"}]}}]}]`)
}

// general appends records of Teams, alerts and searches, and one of a workload that nobody knows.
func (s *simOrg) general(e *simEvent) {
	e.text("ResultStatus", "Succeeded")
	e.text("ClientIP", s.ip(e))
	g := sim.Pick(e.rnd, s.groups)
	switch e.kind.about {
	case "team":
		e.text("TeamName", g.name)
		e.text("TeamGuid", "19:"+string(e.rnd.Name(nil, 32))+"@thread.tacv2")
		e.text("AADGroupId", g.id)
		e.b = append(sim.Text(append(e.b, `,"Members":[{"DisplayName":`...), e.to.name), `,"Role":1`...)
		e.text("UPN", e.to.upn)
		e.b = append(e.b, "}]"...)
	case "alert":
		e.text("AlertId", string(e.rnd.UUID(nil)))
		e.text("Name", "Unusual volume of file deletion")
		e.text("Severity", sim.Pick(e.rnd, []string{"Low", "Medium", "High"}))
		e.text("Category", "DataGovernance")
		e.text("Source", "Office 365 Security & Compliance")
		e.text("Status", "Active")
		e.text("EntityType", "User")
		e.text("AlertEntityId", e.to.upn)
	case "search":
		e.text("Case", "Case "+g.name)
		e.text("ObjectType", "Search")
		e.text("Query", "subject:merger")
	case "label":
		e.text("ObjectId", "C:\\plans.docx")
		e.text("ItemName", "plans.docx")
		e.raw("SensitivityLabelEventData", `{"SensitivityLabelId":"`+simLabels[1].id+`","ActionSource":3}`)
	}
	if e.note != "" {
		e.text("Comments", e.note)
	}
}
