package office365

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// pairLists are the members that list names with their values: what of each element stands for it.
var pairLists = map[string][]string{"parameters": {"Value"}, "extendedproperties": {"Value"}, "deviceproperties": {"Value"},
	"operationproperties": {"Value"}, "modifiedproperties": {"NewValue", "OldValue"}}

// reshape makes objects by name of a record's lists of names and values. An alert gets the names that public rules read, which are
// those of the same alert in other exports.
func reshape(_, _ string, raw json.RawMessage) json.RawMessage {
	out, changed := []byte{'{'}, false
	member := func(name string, val json.RawMessage) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, saas.Quote(name)...), ':'), val...)
	}
	var alert, operation, title, status string
	for name, val := range event.Members(raw) {
		if vals := pairLists[strings.ToLower(name)]; vals != nil && len(val) > 0 && val[0] == '[' {
			if object := byName(val, vals); object != nil {
				val, changed = object, true
			}
		}
		member(name, val)
		switch strings.ToLower(name) {
		case "workload":
			alert = saas.Text(val)
		case "operation":
			operation = saas.Text(val)
		case "name":
			title = saas.Text(val)
		case "resultstatus":
			status = strings.ToLower(saas.Text(val))
		case "eventname": // it has them
			alert = "-"
		}
	}
	if alert == "SecurityComplianceCenter" {
		outcome := "success"
		if strings.HasPrefix(status, "fail") || status == "false" {
			outcome = "failure"
		}
		changed = true
		member("eventSource", saas.Quote(alert))
		member("eventName", saas.Quote(cmp.Or(title, operation)))
		if saas.Member(raw, "status") == nil {
			member("status", saas.Quote(outcome))
		}
	}
	if !changed {
		return raw
	}
	return append(out, '}')
}

// byName makes an object of a list of names and values; nil = it is none. A name that comes again gets a list.
func byName(list json.RawMessage, vals []string) json.RawMessage {
	var names []string
	all := map[string][]json.RawMessage{}
	for e := range event.Elems(list) {
		name := saas.TextAt(e, "Name")
		if name == "" {
			return nil
		}
		if all[name] == nil {
			names = append(names, name)
		}
		val := saas.Member(e, vals[0])
		if len(vals) > 1 {
			val = saas.Join(strings.Join(vals, " "), val, saas.Member(e, vals[1]))
		}
		if val == nil {
			val = json.RawMessage("null")
		}
		all[name] = append(all[name], val)
	}
	if names == nil {
		return nil
	}
	out := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		val := all[name][0]
		if len(all[name]) > 1 {
			val = saas.Array(all[name])
		}
		out = append(append(append(out, saas.Quote(name)...), ':'), val...)
	}
	return append(out, '}')
}

// recordTypes are the members of a record that have a field of their own in an index.
const recordTypes = `
keyword
 o365.audit.{Id,Operation,Workload,OrganizationId,OrganizationName,UserId,UserKey,UserType,RecordType,ResultStatus,ObjectId}
 o365.audit.{ActorContextId,ActorIpAddress,ApplicationId,ClientIP,ClientIPAddress,ClientInfoString,CorrelationId,InterSystemsId}
 o365.audit.{IntraSystemId,ErrorNumber,LogonError,TargetContextId,SupportTicketId,EventSource,EventData,ItemType,ItemName,ListId}
 o365.audit.{ListItemUniqueId,Site,SiteUrl,WebId,SourceRelativeUrl,SourceFileName,SourceFileExtension,DestinationFileName}
 o365.audit.{DestinationRelativeUrl,TargetUserOrGroupName,TargetUserOrGroupType,UniqueSharingId,UserAgent,SensitivityLabelId}
 o365.audit.{OriginatingServer,ExternalAccess,LogonType,InternalLogonType,MailboxGuid,MailboxOwnerUPN,SessionId,TeamName,TeamGuid}
 o365.audit.{AADGroupId,AlertId,AlertType,AlertEntityId,EntityType,Severity,Category,Source,Comments,Name,PolicyId,Payload}
 o365.audit.{Case,ObjectType,Query,IncidentId,DeliveryAction,Directionality,eventName}
 o365.audit.AppAccessContext.{AADSessionId,APIId,ClientAppId,CorrelationId,UniqueTokenId}
 o365.audit.{Actor,Target}.{ID,Type}
 o365.audit.Item.{Id,Subject,InternetMessageId}
 o365.audit.Parameters.{AccessRights,AllowFederatedUsers,DeleteMessage,Enabled,ForwardAsAttachmentTo,ForwardTo,ForwardingAddress}
 o365.audit.Parameters.{ForwardingSmtpAddress,Identity,Mailbox,MoveToFolder,Name,RedirectTo,StopProcessingRules,User}
date o365.audit.CreationTime
flattened
 o365.audit.{ExtendedProperties,DeviceProperties,ModifiedProperties,OperationProperties,PolicyDetails,SharePointMetaData}
 o365.audit.{ExchangeMetaData,ExceptionInfo,Members,SensitivityLabelEventData}
`
