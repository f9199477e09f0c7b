package salesforce

import (
	"maps"
	"slices"
	"time"
)

// simListed are the streams of entities by the object whose records they have.
var simListed = map[string]string{"users": "User", "groups": "Group", "group_members": "GroupMember",
	"chatter_groups": "CollaborationGroup", "chatter_group_members": "CollaborationGroupMember", "profiles": "Profile",
	"permission_sets": "PermissionSet", "permission_set_groups": "PermissionSetGroup", "permission_set_assignments": "PermissionSetAssignment",
	"permission_set_components": "PermissionSetGroupComponent", "setup_entity_access": "SetupEntityAccess",
	"roles": "UserRole", "attachments": "Attachment", "documents": "Document"}

// simStored are the streams of stored events by their object.
var simStored = map[string]string{"login_history": "LoginHistory", "setup_audit_trail": "SetupAuditTrail", "login_event": "LoginEvent",
	"logout_event": "LogoutEvent", "login_as_event": "LoginAsEvent", "identity_verification_event": "IdentityVerificationEvent",
	"identity_provider_event": "IdentityProviderEventStore", "api_event": "ApiEvent", "report_event": "ReportEvent",
	"list_view_event": "ListViewEvent", "uri_event": "UriEvent", "lightning_uri_event": "LightningUriEvent", "file_event": "FileEventStore",
	"permission_set_event": "PermissionSetEventStore", "bulk_api_result_event": "BulkApiResultEventStore",
	"session_hijacking_event": "SessionHijackingEventStore", "credential_stuffing_event": "CredentialStuffingEventStore",
	"report_anomaly_event": "ReportAnomalyEventStore", "api_anomaly_event": "ApiAnomalyEventStore",
	"guest_user_anomaly_event": "GuestUserAnomalyEventStore", "login_anomaly_event": "LoginAnomalyEventStore"}

// simStreams are the names that published knows.
var simStreams = slices.Concat([]string{"event_log_files", "apps", "app_users", "app_grants", "files", "trash"},
	slices.Sorted(maps.Keys(simListed)), slices.Sorted(maps.Keys(simStored)))

// published is Sim.Published.
func (s *simOrg) published(stream string, f func(key string) bool) {
	more := true
	each := func(key string) bool {
		more = more && f(key)
		return more
	}
	switch object := simStored[stream]; {
	case object != "":
		s.publishedEvents(object, each)
	case simListed[stream] != "":
		for _, id := range s.listed(simListed[stream]) {
			if s.find(id)["IsDeleted"] != true && !each(id) {
				return
			}
		}
	case stream == "event_log_files":
		s.eachLog(time.Time{}, s.o.Now(), func(l *simLog) {
			if (l.seq == 0) != (s.o.Variant == "free") || !more {
				return
			}
			id := s.id("0AT", l.number())
			for n := range l.lines {
				if !each(id + ":" + itoa(n+1)) {
					return
				}
			}
		})
	default:
		s.publishedOthers(stream, each)
	}
}

// publishedEvents calls each for the records of an object that are events.
func (s *simOrg) publishedEvents(object string, each func(key string) bool) {
	s.between(object, time.Time{}, s.o.Now(), func(i int) bool {
		switch {
		case s.replayed != nil:
			return each(simReplayKey(s.feed.Make(nil, i)))
		case object == "LoginHistory":
			return each(s.rowID("0Ya", i))
		case object == "SetupAuditTrail":
			return each(s.rowID("0Ym", i))
		}
		return each(s.identifier(i))
	})
	for _, id := range s.listed(object) {
		each(id)
	}
}

func (s *simOrg) publishedOthers(stream string, each func(key string) bool) {
	switch stream {
	case "apps":
		for _, id := range s.listed("ExternalClientApplication") {
			if len(s.given(func(x simSecret) bool { return x.app == id })) > 0 {
				each(id)
			}
		}
	case "app_users", "app_grants":
		for _, x := range s.given(func(simSecret) bool { return true }) {
			switch external := s.objectOf(x.app).name == "ExternalClientApplication"; {
			case stream == "app_users" && external:
				each(x.id)
			case stream == "app_grants" && external: // OauthToken has no ids: the user and the app
				each(x.user + "/" + s.find(x.id)["AppName"].(string))
			case stream == "app_grants":
				each(x.user + "/" + x.app)
			}
		}
	case "content":
		s.publishedOthers("files", each)
		for _, id := range slices.Concat(s.listed("Attachment"), s.listed("Document")) {
			if s.find(id)["IsDeleted"] != true {
				each(id)
			}
		}
	default:
		s.eachFile(nil, 0, int64(s.files.n), time.Time{}, func(x *simFile) bool {
			return x.deleted.IsZero() != (stream != "trash") || each(x.id)
		})
	}
}

// sources are the tables of all objects.
func (s *simOrg) sources() map[string]simTable {
	out := map[string]simTable{}
	for _, o := range s.schemas {
		out[o.name] = s.kept(o.name)
	}
	login := func(into simRow, i int) simRow {
		if s.replayed != nil {
			return s.replayed[i]
		}
		_, rnd := s.kind(i)
		return s.loginRow(into, i, rnd)
	}
	out["LoginHistory"] = s.events("LoginHistory", "LoginTime", login)
	out["SetupAuditTrail"] = s.events("SetupAuditTrail", "CreatedDate", s.stored)
	for _, k := range simEvents {
		if k.object != "" {
			out[k.object] = s.events(k.object, "EventDate", s.stored)
		}
	}
	out["UserPermissionAccess"] = simTable{scan: func(c *simCall, _ *simCond, each func(simRef) bool) {
		row := simRow{"Id": s.id("0gH", 1), "LastCacheUpdate": s.o.Now()}
		for _, p := range simPermissions {
			row["Permissions"+p] = s.may(c.user, p)
		}
		each(simRef{row: row})
	}}
	out["EventLogFile"] = simTable{scan: s.listLogs}
	out["ContentVersion"], out["ContentDocument"], out["ContentDocumentLink"] = s.fileTables()
	return out
}
