package box

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simKindEvent is events of sim.Planted.
const simKindEvent = 1

// simPacific is the zone of all times.
var simPacific = time.FixedZone("", -8*60*60)

// simEvent is an event before it is written.
type simEvent struct {
	id, kind     string
	at, recorded time.Time // recorded zero = it is not told
	by           *simUser  // nil = Box itself
	anonymous    bool      // as Box then shows it: user 2, or null
	to           *simUser  // whom a collaboration is for
	source       []byte    // JSON; nil = null
	details      []byte    // JSON; nil = null
	ip, session  string
}

// simStamp writes a time as the API does.
func simStamp(t time.Time) string { return t.In(simPacific).Format(time.RFC3339) }

// write appends the event as the API gives it.
func (e *simEvent) write(b []byte) []byte {
	b = sim.Text(append(b, `{"type":"event","event_id":`...), e.id)
	b = sim.Field(b, "event_type", e.kind)
	b = sim.Field(b, "created_at", simStamp(e.at))
	if !e.recorded.IsZero() {
		b = sim.Field(b, "recorded_at", simStamp(e.recorded))
	}
	b = append(b, `,"created_by":`...)
	switch {
	case e.by != nil:
		b = e.by.write(b)
	case e.anonymous:
		b = append(b, `{"type":"user","id":"2","name":"Unknown User","login":""}`...)
	default:
		b = append(b, "null"...)
	}
	b = sim.Raw(append(b, `,"source":`...), e.source)
	b = sim.Raw(append(b, `,"additional_details":`...), e.details)
	if e.to != nil {
		b = e.to.write(append(b, `,"accessible_by":`...))
	}
	b = sim.Field(b, "session_id", e.session)
	b = sim.Field(b, "ip_address", e.ip)
	return append(b, '}')
}

// write appends the account as other objects name it.
func (u *simUser) write(b []byte) []byte {
	b = sim.Text(append(b, `{"type":"user","id":`...), u.id)
	b = sim.Field(b, "name", u.name)
	return append(sim.Field(b, "login", u.login), '}')
}

// simCatalogue are the types of events: how often each comes, and what it is about. u = the account that acts, o = another,
// f = a file, F = one as older events name it, d = a folder, c = a collaboration, g = a group and an account, a = an app, n =
// nothing; a capital B before it: Box itself acts.
const simCatalogue = `
2600 f PREVIEW
1300 f DOWNLOAD
900 f UPLOAD
600 f EDIT
600 u LOGIN
300 a USER_AUTHENTICATE_OAUTH2_ACCESS_TOKEN_CREATE
150 f MOVE RENAME COPY DELETE ITEM_MODIFY ITEM_OPEN ITEM_SYNC ITEM_SHARED_UPDATE SHARE
100 u FAILED_LOGIN ADD_LOGIN_ACTIVITY_DEVICE
80 c COLLABORATION_INVITE COLLABORATION_ACCEPT
60 f UNSHARE UNDELETE LOCK UNLOCK METADATA_INSTANCE_CREATE METADATA_INSTANCE_UPDATE COMMENT_CREATE
40 F SHARED_LINK_SEND ITEM_EMAIL_SEND FILE_VERSION_RESTORE FILE_WATERMARKED_DOWNLOAD ITEM_UNSYNC
40 c COLLABORATION_ROLE_CHANGE COLLABORATION_REMOVE
40 n SOME_EVENT_OF_TOMORROW
30 g GROUP_ADD_USER GROUP_REMOVE_USER
30 o EDIT_USER NEW_USER
30 u ADMIN_LOGIN REMOVE_LOGIN_ACTIVITY_DEVICE ADD_DEVICE_ASSOCIATION REMOVE_DEVICE_ASSOCIATION DEVICE_TRUST_CHECK_FAILED
30 a OAUTH2_ACCESS_TOKEN_REVOKE OAUTH2_REFRESH_TOKEN_REVOKE
25 Bf STORAGE_EXPIRATION SHARE_EXPIRATION UPDATE_SHARE_EXPIRATION FILE_MARKED_MALICIOUS
25 Bc COLLABORATION_EXPIRATION UPDATE_COLLABORATION_EXPIRATION
25 Bo SHIELD_ALERT CONTENT_WORKFLOW_ABNORMAL_DOWNLOAD_ACTIVITY
20 o DELETE_USER CHANGE_ADMIN_ROLE ACCESS_GRANTED ACCESS_REVOKED EMAIL_ALIAS_CONFIRM EMAIL_ALIAS_PRIMARY EMAIL_ALIAS_REMOVE
20 g GROUP_CREATION GROUP_DELETION GROUP_EDITED GROUP_ADD_ITEM GROUP_REMOVE_ITEM
20 d CHANGE_FOLDER_PERMISSION ADVANCED_FOLDER_SETTINGS_UPDATE FILE_REQUEST_CREATE FILE_REQUEST_UPDATE FILE_REQUEST_DELETE
20 f METADATA_INSTANCE_DELETE METADATA_INSTANCE_COPY WATERMARK_LABEL_CREATE WATERMARK_LABEL_DELETE COMMENT_EDIT COMMENT_DELETE
20 f TASK_CREATE TASK_UPDATE TASK_ASSIGNMENT_CREATE TASK_ASSIGNMENT_UPDATE TASK_ASSIGNMENT_DELETE
15 f CONTENT_WORKFLOW_UPLOAD_POLICY_VIOLATION CONTENT_WORKFLOW_SHARING_POLICY_VIOLATION ILLEGAL_ITEM_OWNERSHIP_TRANSFER_BY_USER
15 c SHIELD_EXTERNAL_COLLAB_INVITE_BLOCKED SHIELD_EXTERNAL_COLLAB_INVITE_BLOCKED_MISSING_JUSTIFICATION
15 c SHIELD_EXTERNAL_COLLAB_ACCESS_BLOCKED SHIELD_EXTERNAL_COLLAB_ACCESS_BLOCKED_MISSING_JUSTIFICATION
15 f SHIELD_SHARED_LINK_ACCESS_BLOCKED SHIELD_SHARED_LINK_STATUS_RESTRICTED_ON_CREATE SHIELD_SHARED_LINK_STATUS_RESTRICTED_ON_UPDATE
15 f SHIELD_JUSTIFICATION_APPROVAL SIGN_DOCUMENT_CREATED SIGN_DOCUMENT_ASSIGNED SIGN_DOCUMENT_COMPLETED SIGN_DOCUMENT_DECLINED
10 f SIGN_DOCUMENT_CANCELLED SIGN_DOCUMENT_CONVERTED SIGN_DOCUMENT_EXPIRED SIGN_DOCUMENT_SIGNED SIGN_DOCUMENT_VIEWED_BY_SIGNED
10 n METADATA_TEMPLATE_CREATE METADATA_TEMPLATE_UPDATE METADATA_TEMPLATE_DELETE EXTERNAL_COLLAB_SECURITY_SETTINGS
10 d METADATA_CASCADE_POLICY_CREATE METADATA_CASCADE_POLICY_APPLY EMAIL_UPLOAD_ENABLED EMAIL_UPLOAD_DISABLED
10 a APPLICATION_CREATED APPLICATION_PUBLIC_KEY_ADDED APPLICATION_PUBLIC_KEY_DELETED ENTERPRISE_APP_AUTHORIZATION_UPDATE
10 n CONTENT_WORKFLOW_POLICY_ADD CONTENT_WORKFLOW_AUTOMATION_ADD CONTENT_WORKFLOW_AUTOMATION_DELETE
10 n DATA_RETENTION_CREATE_RETENTION DATA_RETENTION_REMOVE_RETENTION RETENTION_POLICY_ASSIGNMENT_ADD
10 n LEGAL_HOLD_POLICY_CREATE LEGAL_HOLD_POLICY_UPDATE LEGAL_HOLD_POLICY_DELETE LEGAL_HOLD_ASSIGNMENT_CREATE
10 n LEGAL_HOLD_ASSIGNMENT_DELETE WORKFLOW_AUTOMATION_CREATE WORKFLOW_AUTOMATION_UPDATE WORKFLOW_AUTOMATION_DELETE
10 u TERMS_OF_SERVICE_ACCEPT TERMS_OF_SERVICE_REJECT`

// simType is a type of events; it comes for draws below upTo.
type simType struct {
	kind, about string
	upTo        int
}

// simTypes is the catalogue.
var simTypes = func() (all []simType) {
	sum := 0
	for _, line := range strings.Split(strings.TrimSpace(simCatalogue), "\n") {
		w := strings.Fields(line)
		often, _ := strconv.Atoi(w[0])
		for _, kind := range w[2:] {
			sum += often
			all = append(all, simType{kind, w[1], sum})
		}
	}
	return all
}()

func (s *simOrg) eventID(i int) string { return string(sim.NewRand(s.o.Seed, 10, uint64(i)).UUID(nil)) }

// generate appends event i.
func (s *simOrg) generate(b []byte, i int, at time.Time) []byte {
	rnd := sim.NewRand(s.o.Seed, 11, uint64(i))
	draw := rnd.N(simTypes[len(simTypes)-1].upTo)
	t := &simTypes[sort.Search(len(simTypes), func(k int) bool { return draw < simTypes[k].upTo })]
	e := &simEvent{id: s.eventID(i), kind: t.kind, at: at, recorded: s.feed.Persisted(i)}
	if i%40 == 7 { // as old events are
		e.recorded = time.Time{}
	}
	u := rnd.N(len(s.users))
	e.by = s.users[u]
	about, box := strings.CutPrefix(t.about, "B")
	s.aim(e, about, u, rnd)
	if box {
		e.by, e.anonymous, e.ip = nil, rnd.N(2) == 0, "Unknown IP"
	} else {
		e.ip = "203.0.113." + itoa(1+e.by.n%250)
		if rnd.N(12) == 0 {
			e.ip = "2001:db8::" + strconv.FormatInt(int64(1+e.by.n%4000), 16)
		}
		if rnd.N(8) > 0 {
			e.session = string(rnd.Name(nil, 22))
		}
	}
	s.detail(e, i, rnd)
	return e.write(b)
}

// aim says what the event is about; the actor is account u, the owner of the file.
func (s *simOrg) aim(e *simEvent, about string, u int, rnd *sim.Rand) {
	other := s.users[rnd.N(len(s.users))]
	switch about {
	case "u", "a":
		e.source = e.by.write(nil)
	case "o":
		e.source = other.write(nil)
		e.by = s.users[rnd.N(3)]
	case "g":
		g := sim.Pick(rnd, s.groups)
		b := sim.Text(append(e.source, `{"group_id":`...), g.id)
		b = sim.Field(b, "group_name", g.name)
		if strings.HasSuffix(e.kind, "_USER") {
			b = sim.Field(sim.Field(b, "user_id", other.id), "user_name", other.name)
		}
		e.source, e.by = append(b, '}'), s.users[rnd.N(3)]
	case "f", "F", "d", "c":
		files := s.tree.filesOf(u)
		if files == 0 {
			return
		}
		k := rnd.N(files)
		if about == "c" {
			if e.to = other; rnd.N(4) == 0 {
				e.to = sim.Pick(rnd, s.external)
			}
		}
		e.source = s.item(about, u, k, e.to)
		if about == "f" && rnd.N(5) == 0 { // a colleague, or somebody outside
			if e.by = other; rnd.N(6) == 0 {
				e.by = sim.Pick(rnd, s.external)
			}
		}
	}
}

// item is file k of account u, or its folder, as events name it.
func (s *simOrg) item(about string, u, k int, to *simUser) []byte {
	f, j := s.tree.file(u, k), s.tree.folderOf(u, k)
	home, above := simOfFolder(s.tree, u, j), simOfFolder(s.tree, u, simAbove(j))
	var b []byte
	kind, id, name, parent := "file", f.id, f.name, home
	if about != "f" && about != "F" && j > 0 {
		kind, id, name, parent = "folder", home.id, home.name, above
	}
	if about == "f" || about == "d" {
		b = sim.Field(sim.Text(append(b, `{"item_type":`...), kind), "item_id", id)
		b = sim.Field(b, "item_name", name)
		if kind == "file" && f.class != "" {
			b = append(sim.Text(append(b, `,"classification":{"name":`...), f.class), '}')
		}
	} else {
		b = sim.Text(append(append(append(b, `{"`...), kind...), `_id":`...), id)
		b = sim.Field(b, kind+"_name", name)
	}
	if to != nil {
		b = sim.Field(sim.Field(b, "user_id", to.id), "user_name", to.name)
	}
	b = sim.Text(append(b, `,"parent":{"type":"folder","id":`...), parent.id)
	b = sim.Field(b, "name", parent.name)
	return append(s.users[u].write(append(b, `},"owned_by":`...)), '}')
}

// simOfFolder is folder j of an owner as it was generated, shown to him.
func simOfFolder(t *simTree, u, j int) simItem {
	if j == 0 {
		return simItem{id: "0", name: "All Files"}
	}
	return *t.plain(simFolder, u, j)
}

// detail adds what Box tells besides.
func (s *simOrg) detail(e *simEvent, i int, rnd *sim.Rand) {
	service := sim.Pick(rnd, []string{"Box Web Application", "Box for iPhone", "Box Drive", "Slack", "Zoom \"Pro\"", "Reisekosten"})
	b := sim.Text(append(e.details, `{"service_id":`...), itoa(2_000+len(service)))
	b = sim.Field(b, "service_name", service)
	switch e.kind {
	case "UPLOAD", "EDIT", "DOWNLOAD", "PREVIEW":
		b = strconv.AppendInt(append(b, `,"size":`...), int64(rnd.N(5_000_000)), 10)
		b = sim.Field(sim.Field(b, "version_id", itoa(1<<30+rnd.N(1<<29))), "ekm_id", string(rnd.UUID(nil)))
	case "SHARE", "ITEM_SHARED_UPDATE":
		b = sim.Field(append(b, `,"shared_link_id":"`+string(rnd.Name(nil, 20))+`"`...), "access", sim.Pick(rnd, []string{"open", "company"}))
	case "SHIELD_ALERT":
		login := s.users[rnd.N(len(s.users))].login
		b = strconv.AppendInt(append(b, `,"shield_alert":{"rule_category":"Suspicious Locations","rule_id":"123","rule_name":"Out of reach",`+
			`"priority":"high","risk_score":`...), int64(rnd.N(100)), 10)
		b = append(sim.Text(append(b, `,"alert_summary":{"description":"From a place that is new"},"user":{"email":`...), login), "}}"...)
	case "METADATA_INSTANCE_CREATE", "METADATA_INSTANCE_UPDATE":
		b = append(b, `,"metadata":{"type":"securityClassification-6VMVochwUWo","operation_params":"Confidential"}`...)
	default:
		if e.to != nil {
			b = append(sim.Field(sim.Field(b, "collab_id", itoa(1<<30+i)), "role", "Editor"), `,"is_performed_by_admin":false`...)
		} else if i%9 == 2 { // many have none
			b = nil
		}
	}
	text := ""
	if t, decoy := sim.Planted(s.o.Seed, simKindEvent, uint64(i)); t != "" {
		text = sim.Plant(rnd, t)
	} else if decoy {
		text = sim.Decoy(rnd)
	}
	if text != "" {
		if b == nil {
			b = []byte(`{"type":"file"`)
		}
		b = sim.Field(b, "message", text)
	}
	if b != nil {
		b = append(b, '}')
	}
	e.details = b
}

// note appends the event of a change that an account made, nil = Box itself; source is what it is about.
func (s *simOrg) note(by *simUser, kind string, source, details obj) {
	at := s.o.Now()
	e := &simEvent{id: string(sim.NewRand(s.o.Seed, 31, s.changes.Add(1)).UUID(nil)), kind: kind, at: at, recorded: at, by: by,
		ip: "198.51.100.7", session: s.name(32, s.changes.Load(), 22)}
	e.source, _ = json.Marshal(source) // strings, numbers and objects of them
	e.details, _ = json.Marshal(details)
	s.feed.Append(e.id, at, e.write(nil))
}

// simReplayKey is the identity of a replayed event: its id, or a hash.
func simReplayKey(raw []byte) string {
	var o struct {
		ID string `json:"event_id"`
	}
	if err := json.Unmarshal(raw, &o); err != nil || o.ID == "" {
		return fmt.Sprintf("%016x", sim.KeySum(string(raw)))
	}
	return o.ID
}
