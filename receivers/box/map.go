package box

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Slots of eventFields.
const (
	eID = iota
	eKind
	eActor
	eActorLogin
	eActorName
	eTime
	eSession
	eIP
	eDetails
	eToType
	eTo
	eToName
	eToLogin
	sType
	sItemType
	sID
	sItemID
	sName
	sItemName
	sLogin
	sFolder
	sFolderName
	sFile
	sFileName
	sUser
	sUserName
	sUserLogin
	sGroup
	sGroupName
	sParent
	sParentName
	sOwner
	sOwnerLogin
	sOwnerName
	sLabel
	sSize
	sSHA1
	sVersion
	sLink
	sInType
	sIn
	sInName
	sToType
	sTo
	sToName
	sToLogin
	sRole
	dSize
	dVersion
	dService
	dServiceName
	dRole
	dGroup
	dGroupName
	dAlert
	dRule
	dRuleName
	dRuleCategory
	dRisk
	dPriority
	dSummary
	dAlertUser
	dAlertUserName
	dAlertUserLogin
	dAlertFile
	dAlertFileName
)

// eventFields are all read by mapEvent: an event may make two records, and its details may have arrived as text.
var (
	eventLayout = event.Compile(eventFields)
	eventFields = event.Table{
		eID: {"event_id", ""}, eKind: {"event_type", ""}, eActor: {"created_by.id", ""}, eActorLogin: {"created_by.login", ""},
		eActorName: {"created_by.name", ""}, eTime: {"created_at", ""}, eSession: {"session_id", ""}, eIP: {"ip_address", ""},
		eDetails: {"additional_details", ""}, eToType: {"accessible_by.type", ""}, eTo: {"accessible_by.id", ""},
		eToName: {"accessible_by.name", ""}, eToLogin: {"accessible_by.login", ""},
		sType: {"source.type", ""}, sItemType: {"source.item_type", ""}, sID: {"source.id", ""}, sItemID: {"source.item_id", ""},
		sName: {"source.name", ""}, sItemName: {"source.item_name", ""}, sLogin: {"source.login", ""},
		sFolder: {"source.folder_id", ""}, sFolderName: {"source.folder_name", ""}, sFile: {"source.file_id", ""},
		sFileName: {"source.file_name", ""}, sUser: {"source.user_id", ""}, sUserName: {"source.user_name", ""},
		sUserLogin: {"source.user_email", ""}, sGroup: {"source.group_id", ""}, sGroupName: {"source.group_name", ""},
		sParent: {"source.parent.id", ""}, sParentName: {"source.parent.name", ""}, sOwner: {"source.owned_by.id", ""},
		sOwnerLogin: {"source.owned_by.login", ""}, sOwnerName: {"source.owned_by.name", ""}, sLabel: {"source.classification.name", ""},
		sSize: {"source.size", ""}, sSHA1: {"source.sha1", ""}, sVersion: {"source.file_version.id", ""}, sLink: {"source.shared_link", ""},
		sInType: {"source.item.type", ""}, sIn: {"source.item.id", ""}, sInName: {"source.item.name", ""},
		sToType: {"source.accessible_by.type", ""}, sTo: {"source.accessible_by.id", ""}, sToName: {"source.accessible_by.name", ""},
		sToLogin: {"source.accessible_by.login", ""}, sRole: {"source.role", ""},
		dSize: {"additional_details.size", ""}, dVersion: {"additional_details.version_id", ""},
		dService: {"additional_details.service_id", ""}, dServiceName: {"additional_details.service_name", ""},
		dRole: {"additional_details.role", ""}, dGroup: {"additional_details.group_id", ""}, dGroupName: {"additional_details.group_name", ""},
		dAlert: {alert, ""}, dRule: {alert + ".rule_id", ""}, dRuleName: {alert + ".rule_name", ""},
		dRuleCategory: {alert + ".rule_category", ""}, dRisk: {alert + ".risk_score", ""}, dPriority: {alert + ".priority", ""},
		dSummary: {alert + ".alert_summary.description", ""}, dAlertUser: {alert + ".user.id", ""}, dAlertUserName: {alert + ".user.name", ""},
		dAlertUserLogin: {alert + ".user.email", ""}, dAlertFile: {alert + ".alert_summary.upload_activity.item_id", ""},
		dAlertFileName: {alert + ".alert_summary.upload_activity.item_name", ""},
	}
)

const (
	alert     = "additional_details.shield_alert"
	anonymous = "2" // the user that Box writes for nobody
	unknownIP = "Unknown IP"
	// serviceLogin begins the address of every app's service account.
	serviceLogin = "AutomationUser_"
	tokenMade    = "USER_AUTHENTICATE_OAUTH2_ACCESS_TOKEN_CREATE"
)

var priorities = map[string]int64{"low": 1, "medium": 2, "high": 3, "critical": 4}

// eventKey is the event's id; of one without, a hash of it.
func eventKey(v *event.Values) string {
	if id := v.Str(eID); id != "" || v.Str(eKind) == "" {
		return id
	}
	sum := sha256.Sum256(v.Raw)
	return hex.EncodeToString(sum[:15])
}

// mapEvent maps an event of the enterprise; that an app got a token for somebody is also what is known of the grant to it.
func (c *Config) mapEvent(v *event.Values, add func() *event.Record) error {
	r, kind, d := add(), v.Str(eKind), v
	if text := v.Str(eDetails); text != "" { // they arrived as text
		d = &event.Values{}
		if eventLayout.Fill(saas.Join("additional_details", json.RawMessage(text)), d) != nil {
			d = v
		}
	}
	class := classOf(kind)
	class.Put(r, kind[strings.LastIndexByte(kind, '_')+1:])
	r.Str("event.action", kind)
	r.Str("event.outcome", class.More)
	r.Str("@timestamp", v.Str(eTime))
	r.Str("session.id", v.Str(eSession))
	if ip := v.Str(eIP); ip != unknownIP {
		r.Str("source.ip", ip)
		r.Str("client.ip", ip)
	}
	mapActor(v, d, r, &class)
	mapSubject(v, d, r, &class)
	c.mapItem(v, d, r)
	if strings.HasPrefix(class.Activity, "app_") || strings.HasPrefix(class.Activity, "token_") {
		r.Str("saas.app.id", d.Str(dService))
		r.Str("saas.app.name", d.Str(dServiceName))
	} else {
		r.Str("service.id", d.Str(dService))
		r.Str("service.name", d.Str(dServiceName))
	}
	switch kind {
	case "ADMIN_LOGIN":
		r.Bool("saas.auth.admin_console", true)
	case tokenMade:
		r.Str("saas.auth.protocol", "oauth2")
		mapGrant(v, d, add)
	}
	if d.Has(dAlert) {
		mapAlert(d, r)
	}
	return nil
}

// mapActor notes who did it. Nobody is Box itself or, as the user 2, somebody who was not signed in.
func mapActor(v, d *event.Values, r *event.Record, class *event.Class) {
	id, login, name := v.Str(eActor), v.Str(eActorLogin), v.Str(eActorName)
	kind, nobody := "user", id == anonymous
	if nobody || id == "" && login == "" {
		switch id, login, name = "", "", ""; {
		case d.Has(dAlert):
			id, login, name = d.Str(dAlertUser), d.Str(dAlertUserLogin), d.Str(dAlertUserName)
		case class.Category[0] == "authentication" && v.Str(sType) == "user":
			id, login, name = v.Str(sID), v.Str(sLogin), v.Str(sName)
		}
	}
	switch gone := id == "" && login == ""; {
	case gone && (nobody && !class.Alert || class.Category[0] == "authentication"):
		kind = "anonymous"
	case gone:
		kind = "system"
	case strings.HasPrefix(login, serviceLogin):
		kind = "service_account"
	}
	r.Str("saas.actor.type", kind)
	actor.is(r, id, login, name)
	r.Str("client.user.id", id)
	r.Str("client.user.name", login)
}

// who are the fields of a user: id, name, full name and address.
type who [4]string

var (
	actor  = who{"user.id", "user.name", "user.full_name", "user.email"}
	target = who{"user.target.id", "user.target.name", "user.target.full_name", "user.target.email"}
)

// is notes a user, unless one is there.
func (w *who) is(r *event.Record, id, login, name string) {
	if id == "" && login == "" && name == "" || r.Get(w[0]) != "" || r.Get(w[1]) != "" {
		return
	}
	r.Str(w[0], id)
	r.Str(w[1], cmp.Or(login, name))
	r.Str(w[2], name)
	if strings.Contains(login, "@") {
		r.Str(w[3], login)
	}
}

// mapSubject notes the user, the group or the thing that an event is about; what is an item is noted by mapItem.
func mapSubject(v, d *event.Values, r *event.Record, class *event.Class) {
	switch kind := v.Str(sType); kind {
	case "user":
		if class.Category[0] == "iam" || v.Str(sID) != r.Get("user.id") { // else it is who signed in
			target.is(r, v.Str(sID), v.Str(sLogin), v.Str(sName))
		}
	case "group":
		group(r, v.Str(sID), v.Str(sName))
	case "file", "folder", "web_link", "collaboration":
	default:
		r.Str("saas.object.type", kind)
		r.Str("saas.object.id", v.Str(sID))
		r.Str("saas.object.name", v.Str(sName))
	}
	for _, at := range [...]int{eToType, sToType} { // of the event, and of a collaboration
		if id, name, login := v.Str(at+1), v.Str(at+2), v.Str(at+3); v.Str(at) == "group" {
			group(r, id, name)
		} else {
			target.is(r, id, login, name)
		}
	}
	target.is(r, v.Str(sUser), v.Str(sUserLogin), v.Str(sUserName))
	group(r, v.Str(sGroup), v.Str(sGroupName))
	group(r, d.Str(dGroup), d.Str(dGroupName))
	if strings.HasPrefix(class.Activity, "collab_") {
		r.Strs("saas.share.recipients", cmp.Or(r.Get("user.target.name"), r.Get("group.name")))
		r.Str("saas.share.role", roleOf(strings.ToLower(cmp.Or(v.Str(sRole), d.Str(dRole)))))
	}
}

func group(r *event.Record, id, name string) {
	if id != "" && r.Get("group.id") == "" {
		r.Str("group.id", id)
		r.Str("group.name", name)
		r.Str("user.target.group.id", id)
		r.Str("user.target.group.name", name)
	}
}

// mapItem notes the file, folder or web link that an event is about.
func (c *Config) mapItem(v, d *event.Values, r *event.Record) {
	kind, id, name := itemOf(v)
	if kind == "" {
		return
	}
	r.Str("file.name", name)
	if kind == "file" {
		r.Str("file.type", "file")
		r.Str("file.extension", strings.TrimPrefix(path.Ext(name), "."))
		r.Str("saas.file.id", id)
		r.Str("file.size", cmp.Or(d.Str(dSize), v.Str(sSize)))
		r.Str("saas.file.version", cmp.Or(d.Str(dVersion), v.Str(sVersion)))
		r.Str("file.hash.sha1", strings.ToLower(v.Str(sSHA1)))
	} else {
		if kind == "folder" {
			r.Str("file.type", "dir")
		}
		r.Str("saas.object.type", kind)
		r.Str("saas.object.id", id)
		r.Str("saas.object.name", name)
	}
	if parent := v.Str(sParent); parent != "" {
		r.Str("saas.container.type", "folder")
		r.Str("saas.container.id", parent)
		r.Str("saas.container.name", v.Str(sParentName))
	}
	r.Str("file.owner", v.Str(sOwnerName))
	r.Str("saas.file.owner.id", v.Str(sOwner))
	r.Str("saas.file.owner.email", v.Str(sOwnerLogin))
	label := v.Str(sLabel)
	r.Strs("saas.file.labels", label, c.Labels[label])
	if link := v.Bytes(sLink); v.Has(sLink) {
		opens := access[cmp.Or(saas.TextAt(link, "effective_access"), saas.TextAt(link, "access"))]
		r.Str("saas.share.visibility", cmp.Or(opens, "private"))
		r.Str("saas.share.link.url", saas.TextAt(link, "url"))
		r.Str("saas.share.link.expires", saas.TextAt(link, "unshared_at"))
		r.JSON("saas.share.link.password", saas.Member(link, "is_password_enabled"))
	}
}

// itemOf finds the item of an event, which is spelled in one of four ways; kind "" = there is none.
func itemOf(v *event.Values) (kind, id, name string) {
	switch kind = cmp.Or(v.Str(sItemType), v.Str(sType)); kind {
	case "file", "folder", "web_link":
		return kind, cmp.Or(v.Str(sItemID), v.Str(sID)), cmp.Or(v.Str(sItemName), v.Str(sName))
	case "collaboration":
		return v.Str(sInType), v.Str(sIn), v.Str(sInName)
	}
	if id := v.Str(sFile); id != "" {
		return "file", id, v.Str(sFileName)
	}
	if id := v.Str(sFolder); id != "" {
		return "folder", id, v.Str(sFolderName)
	}
	return "", "", ""
}

// mapAlert maps an alert of Box Shield. https://developer.box.com/guides/events/event-triggers/shield-alert-events/
func mapAlert(d *event.Values, r *event.Record) {
	r.Dataset("box_events.shield_alerts")
	r.Str("rule.id", d.Str(dRule))
	r.Str("rule.name", d.Str(dRuleName))
	r.Str("rule.category", d.Str(dRuleCategory))
	r.Str("event.risk_score", d.Str(dRisk))
	if n, ok := priorities[strings.ToLower(d.Str(dPriority))]; ok {
		r.Int("event.severity", n)
	}
	r.Str("saas.risk.level", strings.ToLower(d.Str(dPriority)))
	r.Str("message", d.Str(dSummary))
	if login := d.Str(dAlertUserLogin); login != r.Get("user.name") || login == "" {
		target.is(r, d.Str(dAlertUser), login, d.Str(dAlertUserName))
	}
	if r.Get("file.name") == "" {
		r.Str("file.name", d.Str(dAlertFileName))
		r.Str("saas.file.id", d.Str(dAlertFile))
	}
	addIPs(r, d.Bytes(dAlert))
}

// addIPs relates all addresses of an alert, which stand at different places by its kind.
func addIPs(r *event.Record, raw json.RawMessage) {
	for name, val := range event.Members(raw) {
		if name == "ip" {
			r.Strs("related.ip", saas.Text(val))
		}
		addIPs(r, val)
	}
	for e := range event.Elems(raw) {
		addIPs(r, e)
	}
}

// mapGrant adds what a token tells of the grant to its app, without scopes: no list of Box has the grants.
func mapGrant(v, d *event.Values, add func() *event.Record) {
	app, user := d.Str(dService), v.Str(eActor)
	if app == "" || user == "" {
		return
	}
	r := saas.NewEntity(add, "app_grant", app+"/"+user, "iam", "user", "info")
	r.Dataset(inventorySet)
	r.Str("entity.sub_type", "observed")
	r.Str("entity.name", d.Str(dServiceName))
	r.Str("saas.app.id", app)
	r.Str("saas.app.name", d.Str(dServiceName))
	actor.is(r, user, v.Str(eActorLogin), v.Str(eActorName))
	for _, name := range [...]string{"@timestamp", "entity.lifecycle.last_activity", "saas.entity.last_used"} {
		r.Str(name, v.Str(eTime))
	}
	r.Relate("granted_to", "application", app)
}
