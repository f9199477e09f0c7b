package salesforce

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	halfYear   = 180 * day // how long log-ons, set-up changes and stored events are kept
	logsKept   = 30 * day  // log files, with Event Monitoring
	loginSet   = "salesforce.login"
	auditSet   = "salesforce.setupaudittrail"
	logFileSet = "salesforce.eventlogfile"

	loginColumns = "Id,UserId,LoginTime,LoginType,LoginSubType,LoginUrl,SourceIp,ForwardedForIp,CountryIso,LoginGeoId,Status,Application," +
		"Browser,Platform,ClientVersion,ApiType,ApiVersion,AuthenticationServiceId,AuthMethodReference,TlsProtocol,CipherSuite,NetworkId"
	auditColumns = "Id,Action,Section,Display,DelegateUser,CreatedDate,CreatedById,CreatedBy.Username,CreatedBy.Name,CreatedByContext," +
		"CreatedByIssuer,ResponsibleNamespacePrefix"
	logColumns = "Id,EventType,Interval,Sequence,LogDate,CreatedDate,LogFileLength"
)

// activity is what happened in the org. The rows of log files have the dataset of what else tells of it: salesforce.login,
// salesforce.logout, salesforce.apex of all types that begin with Apex, else salesforce.eventlogfile. Stored real-time events have
// their objects' names without Event and Store, in small letters.
func (o *org) activity() []saas.Stream {
	logOn, admin := []saas.Capability{saas.LogOnActivity}, []saas.Capability{saas.AdminActivity}
	both := []saas.Capability{saas.LogOnActivity, saas.UserActivity}
	list := []saas.Stream{
		{Name: "login_history", Kind: saas.SignIn, Dataset: loginSet, Every: time.Minute, Keep: day, Lag: 5 * time.Minute, Gives: logOn,
			Needs: []string{"MonitorLoginHistory|ManageUsers"}, Unless: "login_event", Docs: reference + "loginhistory.htm",
			Poll: o.window(15*time.Minute, loginColumns, "LoginHistory", "LoginTime")},
		{Name: "setup_audit_trail", Kind: saas.Audit, Dataset: auditSet, Every: time.Minute, Keep: day, Lag: time.Minute, Gives: admin,
			Needs: []string{"ViewSetup"}, Docs: reference + "setupaudittrail.htm",
			Poll: o.follow(trail{fields: auditColumns, from: "SetupAuditTrail", column: "CreatedDate", overlap: 10 * time.Minute, back: halfYear})},
		{Name: "event_log_files.list", Kind: saas.Audit, Every: 10 * time.Minute, Lag: 6 * time.Hour, Gives: both,
			Needs: []string{"ViewEventLogFiles"}, Docs: reference + "eventlogfile.htm",
			Poll: o.follow(trail{fields: logColumns, from: "EventLogFile", where: o.logFilter(), column: "CreatedDate", overlap: day,
				back: logsKept, each: o.putLog})},
		{Name: "event_log_files", Kind: saas.Audit, Dataset: logFileSet, Over: "event_log_files.list", Width: 4, Keep: 35 * day,
			Lag: 6 * time.Hour, Gives: both, Needs: []string{"ViewEventLogFiles"}, Docs: reference + "eventlogfile.htm", Poll: o.readLog},
	}
	for _, e := range realTime {
		need, every := "ViewPlatformEvents", 5*time.Minute
		if strings.Contains(storedColumns, e.object+": ") && strings.Contains(realTimeColumns(e.object), ",Summary") {
			need = "ViewAnomalyEvents"
		}
		gives := []saas.Capability{saas.UserActivity}
		if e.kind == saas.SignIn {
			every, gives = time.Minute, logOn
		}
		list = append(list, saas.Stream{Name: e.stream, Kind: e.kind, Dataset: e.dataset, Every: every, Keep: day, Lag: 5 * time.Minute,
			Gives: gives, Needs: []string{need}, Docs: realTimeDocs + strings.ToLower(e.object) + ".htm",
			Poll: o.window(10*time.Minute, realTimeColumns(e.object), e.object, "EventDate")})
	}
	for i := range list {
		if list[i].Dataset == "" { // it leads to parts and has no records
			continue
		}
		list[i].Fields, list[i].Key, list[i].Map, list[i].Items = eventFields, eventKey, mapEvent, touched
	}
	return list
}

// window reads an object's rows by their time. A day that takes too long is read in parts.
func (o *org) window(lag time.Duration, fields, from, column string) saas.PollFunc {
	return saas.Window{Lag: lag, Settle: 10 * time.Second, Max: day, Back: halfYear, Read: o.span(fields, from, column)}.Poll
}

// logFilter says which log files are read. The interval is always named: an org with hourly files has daily ones of the same events.
func (o *org) logFilter() string {
	where := "Interval = 'Hourly'"
	if o.EventLog.Interval == "daily" {
		where = "Interval = 'Daily'"
	}
	if len(o.EventLog.Types) > 0 {
		where += " AND EventType" + in(o.EventLog.Types)
	}
	return where
}

// putLog makes a part of a log file.
func (o *org) putLog(r *saas.Run, row json.RawMessage) error {
	if slices.Contains(o.EventLog.Except, saas.TextAt(row, "EventType")) {
		return nil
	}
	made, _ := event.ParseTime(saas.TextAt(row, "CreatedDate"))
	r.Put(saas.Item{Stream: "event_log_files", Key: strings.Clone(saas.TextAt(row, "Id")), Until: made.Add(logsKept)})
	return nil
}

// readLog reads a log file. Its rows have no identity but their number: several may share a request.
func (o *org) readLog(ctx context.Context, r *saas.Run) error {
	id := r.Item().Key
	p, err := r.Do(ctx, saas.Req{URL: o.object("EventLogFile", id) + "/LogFile", Header: map[string]string{"Accept": "*/*"}})
	if err != nil {
		return err
	}
	n := 0
	for row, err := range p.CSV() {
		if n++; err == nil {
			err = r.Emit(fmt.Sprintf("%s:%d", id, n), row)
		}
		if err != nil {
			return err
		}
	}
	return r.Commit(nil)
}

// touched says what an event makes due.
func touched(v *event.Values) []saas.Item {
	if v.Str(eFileAction) == "UPLOAD" && v.Has(eDocument) {
		return contentItem(v.Str(eDocument), "")
	}
	if !v.Has(eAction) {
		return nil
	}
	switch c := classOf(v.Str(eAction), auditSet); c.Activity {
	case "user_create", "user_suspend", "user_restore", "user_update", "user_disable", "user_enable":
		return []saas.Item{{Stream: "users"}}
	case "role_grant", "role_revoke", "role_change":
		return []saas.Item{{Stream: "permission_set_assignments"}}
	case "group_member_change":
		return []saas.Item{{Stream: "group_members"}}
	}
	return nil
}
