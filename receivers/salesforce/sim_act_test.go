package salesforce

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

func (d *simDesk) first(format string, args ...any) map[string]any {
	d.t.Helper()
	rows := d.query(format, args...)
	if len(rows) == 0 {
		d.t.Fatalf(format+": nothing", args...)
	}
	return rows[0]
}

// change sends a change of a record, and gives the error's code, "" = none.
func (d *simDesk) change(want int, method, path, body string) string {
	d.t.Helper()
	if b := d.Must(want, method, simAPI+"/sobjects/"+path, body); want >= 400 {
		return simCode(d.t, b)
	}
	return ""
}

// made is the id of a record that is made.
func (d *simDesk) made(object, body string) string {
	d.t.Helper()
	var out struct {
		ID      string
		Success bool
	}
	if err := json.Unmarshal(d.Must(http.StatusCreated, http.MethodPost, simAPI+"/sobjects/"+object, body), &out); err != nil || !out.Success {
		d.t.Fatal(err, out)
	}
	return out.ID
}

func TestFakeListsItsDirectory(t *testing.T) {
	d := newSimDesk(t, sim.Options{Users: 30})
	for stream, object := range simListed {
		d.same(stream, simColumn(d.query("SELECT Id FROM %s", object), "Id"))
	}
	const mine = "SELECT PermissionsModifyAllData, PermissionsManageRoles, PermissionsViewSetup FROM UserPermissionAccess"
	if r := d.first(mine); r["PermissionsModifyAllData"] != true || r["PermissionsManageRoles"] != false {
		t.Error(r)
	}
	r := newSimDesk(t, sim.Options{Users: 30, Variant: "reader"}).first(mine)
	if r["PermissionsModifyAllData"] != false || r["PermissionsViewSetup"] != true {
		t.Error(r)
	}
	nested := 0
	for _, m := range d.query("SELECT UserOrGroupId FROM GroupMember") {
		if strings.HasPrefix(m["UserOrGroupId"].(string), "00G") {
			nested++
		}
	}
	if nested == 0 {
		t.Error("no group is in another")
	}
}

func TestFakeGovernsUsers(t *testing.T) {
	d := newSimDesk(t, sim.Options{Users: 30})
	user := ""
	for _, s := range d.query("SELECT UsersId FROM AuthSession WHERE IsCurrent = false AND ParentId != null") {
		user = s["UsersId"].(string)
	}
	login := d.first("SELECT Id, IsFrozen FROM UserLogin WHERE UserId = '%s'", user)["Id"].(string)
	stamp := d.first("SELECT SystemModstamp FROM User WHERE Id = '%s'", user)
	sessions := func() int { return len(d.query("SELECT Id FROM AuthSession WHERE UsersId = '%s'", user)) }
	before := sessions()
	d.change(http.StatusNoContent, http.MethodPatch, "UserLogin/"+login, `{"IsFrozen":true}`)
	r := d.first("SELECT IsFrozen, LastModifiedDate FROM UserLogin WHERE Id = '%s'", login)
	if r["IsFrozen"] != true || sessions() != before || before < 2 || r["LastModifiedDate"] != d.now.Format(simAPITime) {
		t.Errorf("%v, %d sessions of %d", r, sessions(), before)
	}
	if again := d.first("SELECT SystemModstamp FROM User WHERE Id = '%s'", user); again["SystemModstamp"] != stamp["SystemModstamp"] {
		t.Error("freezing touched the user")
	}
	parent := d.first("SELECT Id FROM AuthSession WHERE UsersId = '%s' AND ParentId = null", user)["Id"].(string)
	d.change(http.StatusNoContent, http.MethodDelete, "AuthSession/"+parent, "")
	if got := d.change(http.StatusNotFound, http.MethodDelete, "AuthSession/"+parent, ""); got != "NOT_FOUND" || sessions() != 0 {
		t.Errorf("%s, %d sessions", got, sessions())
	}
	d.change(http.StatusNoContent, http.MethodPatch, "User/"+user, `{"IsActive":false}`)
	if r := d.first("SELECT IsActive FROM User WHERE Id = '%s'", user); r["IsActive"] != false {
		t.Error(r)
	}
	admin := d.first("SELECT Id FROM User WHERE Username = 'admin@contoso.example'")["Id"].(string)
	if got := d.change(http.StatusBadRequest, http.MethodPatch, "User/"+admin, `{"IsActive":false}`); got != "FIELD_INTEGRITY_EXCEPTION" {
		t.Error(got)
	}
	b := d.Must(http.StatusOK, http.MethodDelete, simAPI+"/sobjects/User/"+user+"/password", "")
	if !bytes.Contains(b, []byte("NewPassword")) {
		t.Errorf("%s", b)
	}
	d.change(http.StatusNoContent, http.MethodPost, "User/"+user+"/password", `{"NewPassword":"x"}`)
	grant := d.first("SELECT Id, PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = '%s'", user)
	body := fmt.Sprintf(`{"AssigneeId":"%s","PermissionSetId":"%s"}`, user, grant["PermissionSetId"])
	if got := d.change(http.StatusBadRequest, http.MethodPost, "PermissionSetAssignment", body); got != "DUPLICATE_VALUE" {
		t.Error(got)
	}
	d.change(http.StatusNoContent, http.MethodDelete, "PermissionSetAssignment/"+grant["Id"].(string), "")
	if id := d.made("PermissionSetAssignment", body); id == grant["Id"] {
		t.Error("the new assignment has the old id")
	}
	d.now = d.now.Add(time.Minute)
	var traces []string
	for _, r := range d.query("SELECT Id, Action, Display FROM SetupAuditTrail WHERE CreatedDate >= 2026-11-23T12:00:00Z") {
		traces = append(traces, r["Action"].(string))
	}
	if !slices.Equal(traces, []string{"frozeuser", "deactivateduser", "resetpassword", "resetpassword", "PermSetUnassign"}) {
		t.Error(traces)
	}
	for path, want := range map[string]string{"User/" + user: "INVALID_FIELD_FOR_INSERT_UPDATE", "UserLogin/" + login: "INVALID_FIELD"} {
		if got := d.change(http.StatusBadRequest, http.MethodPatch, path, `{"Name":"x"}`); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
	reader := newSimDesk(t, sim.Options{Users: 30, Variant: "reader"})
	got := reader.change(http.StatusForbidden, http.MethodPatch, "User/"+user, `{"IsActive":false}`)
	if got != "INSUFFICIENT_ACCESS_OR_READONLY" {
		t.Error(got)
	}
}

func TestFakeShowsAndRevokesApps(t *testing.T) {
	d := newSimDesk(t, sim.Options{Users: 30})
	usage := simAPI + "/apps/oauth/usage"
	type page struct {
		Apps, Users, Tokens []map[string]any
		Next                string `json:"nextPageUrl"`
	}
	p := simtest.Read[page](d.Client, usage+"?page=0&pageSize=3")
	last := simtest.Read[page](d.Client, p.Next)
	if empty := simtest.Read[page](d.Client, last.Next); len(p.Apps) != 3 || len(last.Apps) != 1 || len(empty.Apps) != 0 || empty.Next == "" {
		t.Fatalf("%d, %d and %d apps", len(p.Apps), len(last.Apps), len(empty.Apps))
	}
	app := p.Apps[0]["identifier"].(string)
	users := simtest.Read[page](d.Client, usage+"/"+app+"/users").Users
	who := users[0]["userIdentifier"].(string)
	tokens := func(of string) int { return len(simtest.Read[page](d.Client, usage+"/"+app+"/"+of+"/tokens").Tokens) }
	token := simtest.Read[page](d.Client, usage+"/"+app+"/"+who+"/tokens").Tokens[0]
	d.Must(http.StatusNoContent, http.MethodDelete, token["revocationUrl"].(string), "")
	d.Must(http.StatusNotFound, http.MethodDelete, token["revocationUrl"].(string), "")
	other := users[1]["userIdentifier"].(string)
	d.Must(http.StatusNoContent, http.MethodDelete, usage+"/"+app+"/"+other+"/tokens", "")
	if tokens(who) != 0 || tokens(other) != 0 {
		t.Error("tokens are left")
	}
	d.Must(http.StatusNoContent, http.MethodDelete, usage+"/"+app+"/tokens", "")
	if n := len(simtest.Read[page](d.Client, usage).Apps); n != 3 {
		t.Errorf("%d apps hold tokens, want 3", n)
	}
	d.Must(http.StatusNotFound, http.MethodGet, strings.Replace(usage, "v62", "v58", 1), "")
	grants := d.query("SELECT Id, AppName, DeleteToken, User.Username FROM OauthToken WHERE AppName = 'Legacy Sync'")
	if len(grants) == 0 || grants[0]["Id"] != nil {
		t.Fatal(grants)
	}
	revoke := "/services/oauth2/revoke?token=" + url.QueryEscape(grants[0]["DeleteToken"].(string))
	d.Must(http.StatusOK, http.MethodPost, revoke, "")
	d.Must(http.StatusBadRequest, http.MethodPost, revoke, "")
	if left := d.query("SELECT AppName FROM OauthToken WHERE AppName = 'Legacy Sync'"); len(left) != len(grants)-1 {
		t.Errorf("%d of %d tokens are left", len(left), len(grants))
	}
}

func TestFakeStoresFiles(t *testing.T) {
	d := newSimDesk(t, sim.Options{Files: 120})
	versions := d.query("SELECT Id, ContentDocumentId, Checksum, ContentSize, VersionNumber, IsLatest FROM ContentVersion")
	latest, docs := 0, map[string]bool{}
	for _, v := range versions {
		b := d.Must(http.StatusOK, http.MethodGet, simAPI+"/sobjects/ContentVersion/"+v["Id"].(string)+"/VersionData", "")
		if sum := md5.Sum(b); hex.EncodeToString(sum[:]) != v["Checksum"] || float64(len(b)) != v["ContentSize"] {
			t.Errorf("%v has %d bytes", v, len(b))
		}
		if v["IsLatest"] == true {
			latest++
			docs[v["ContentDocumentId"].(string)] = true
		}
	}
	if len(versions) <= latest || len(docs) != latest {
		t.Errorf("%d versions, %d of them the latest of %d files", len(versions), latest, len(docs))
	}
	d.same("files", slices.Collect(maps.Keys(docs)))
	var walked []string
	for from := "000000000000000"; ; {
		rows := d.query("SELECT Id FROM ContentVersion WHERE Id > '%s' ORDER BY Id LIMIT 50", from)
		if len(rows) == 0 {
			break
		}
		walked, from = append(walked, simColumn(rows, "Id")...), rows[len(rows)-1]["Id"].(string)
	}
	if !slices.Equal(walked, simColumn(versions, "Id")) {
		t.Errorf("%d versions by walking, %d at once", len(walked), len(versions))
	}
	for _, kind := range []string{"Attachment", "Document"} {
		for _, r := range d.query("SELECT Id, Body, BodyLength FROM %s", kind) {
			if b := d.Must(http.StatusOK, http.MethodGet, r["Body"].(string), ""); float64(len(b)) != r["BodyLength"] {
				t.Errorf("%v: %d bytes", r, len(b))
			}
		}
	}
	if n := len(d.query("SELECT Id, Owner.Name FROM Attachment WHERE Owner.Name != null")); n == 0 {
		t.Error("attachments belong to nobody")
	}
}

func TestFakeGovernsFiles(t *testing.T) {
	d := newSimDesk(t, sim.Options{})
	public := d.first("SELECT Id, ContentDocumentId, DistributionPublicUrl, ContentVersionId FROM ContentDistribution")
	doc := public["ContentDocumentId"].(string)
	d.change(http.StatusNoContent, http.MethodPatch, "ContentDistribution/"+public["Id"].(string),
		`{"PreferencesExpires":true,"ExpiryDate":"2026-11-23T12:00:00Z"}`)
	if r := d.first("SELECT PreferencesExpires, ExpiryDate FROM ContentDistribution WHERE Id = '%s'", public["Id"]); r["ExpiryDate"] == nil {
		t.Error(r)
	}
	d.change(http.StatusNoContent, http.MethodDelete, "ContentDistribution/"+public["Id"].(string), "")
	again := d.made("ContentDistribution", fmt.Sprintf(`{"Name":"x","ContentVersionId":"%s"}`, public["ContentVersionId"]))
	if r := d.first("SELECT DistributionPublicUrl FROM ContentDistribution WHERE Id = '%s'", again); r["DistributionPublicUrl"] ==
		public["DistributionPublicUrl"] {
		t.Error("the new public link has the old URL")
	}
	links := func() []map[string]any {
		return d.query("SELECT Id, LinkedEntityId, ShareType, Visibility FROM ContentDocumentLink WHERE ContentDocumentId = '%s'", doc)
	}
	if len(links()) != 2 {
		t.Fatal(links())
	}
	to := links()[1]
	d.change(http.StatusNoContent, http.MethodPatch, "ContentDocumentLink/"+to["Id"].(string),
		`{"ShareType":"V","Visibility":"InternalUsers"}`)
	if l := links()[1]; l["ShareType"] != "V" || l["Visibility"] != "InternalUsers" {
		t.Error(l)
	}
	d.change(http.StatusNoContent, http.MethodDelete, "ContentDocumentLink/"+to["Id"].(string), "")
	body := fmt.Sprintf(`{"ContentDocumentId":"%s","LinkedEntityId":"%s","ShareType":"C"}`, doc, to["LinkedEntityId"])
	d.made("ContentDocumentLink", body)
	if got := d.change(http.StatusBadRequest, http.MethodPost, "ContentDocumentLink", body); got != "DUPLICATE_VALUE" || len(links()) != 2 {
		t.Error(got, links())
	}
	jail := d.first("SELECT Id FROM User WHERE Username = 'quarantine@contoso.example'")["Id"].(string)
	d.change(http.StatusNoContent, http.MethodPatch, "ContentDocument/"+doc, `{"OwnerId":"`+jail+`"}`)
	if r := d.first("SELECT OwnerId FROM ContentDocument WHERE Id = '%s'", doc); r["OwnerId"] != jail {
		t.Error(r)
	}
	version := d.made("ContentVersion", fmt.Sprintf(
		`{"ContentDocumentId":"%s","PathOnClient":"removed.txt","VersionData":"%s","ReasonForChange":"DLP"}`, doc,
		base64.StdEncoding.EncodeToString([]byte("gone"))))
	if b := d.Must(http.StatusOK, http.MethodGet, simAPI+"/sobjects/ContentVersion/"+version+"/VersionData", ""); string(b) != "gone" {
		t.Errorf("%s", b)
	}
	if r := d.first("SELECT Id FROM ContentVersion WHERE ContentDocumentId = '%s' AND IsLatest = true", doc); r["Id"] != version {
		t.Error(r)
	}
	if got := d.change(http.StatusBadRequest, http.MethodDelete, "ContentVersion/"+version, ""); got != "INVALID_TYPE_FOR_OPERATION" {
		t.Error(got)
	}
	d.bin(doc)
}

// bin deletes a file, takes it back by SOAP, and deletes it for good.
func (d *simDesk) bin(doc string) {
	t := d.t
	t.Helper()
	soap := func(call string) string {
		t.Helper()
		_, token, _ := strings.Cut(d.Header.Get("Authorization"), " ")
		_, _, b := d.As("SOAPAction", call).As("Content-Type", "text/xml").Do(http.MethodPost, "/services/Soap/u/62.0",
			`<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com"><e:Header>`+
				`<SessionHeader><sessionId>`+token+`</sessionId></SessionHeader></e:Header><e:Body><`+
				call+`><ids>`+doc+`</ids></`+call+`></e:Body></e:Envelope>`)
		return string(b)
	}
	binned := func() int {
		q := url.QueryEscape("SELECT Id FROM ContentDocument WHERE IsDeleted = true AND Id = '" + doc + "'")
		return simtest.Read[simPage](d.Client, simAPI+"/queryAll?q="+q).TotalSize
	}
	d.change(http.StatusNoContent, http.MethodDelete, "ContentDocument/"+doc, "")
	if got := d.change(http.StatusNotFound, http.MethodDelete, "ContentDocument/"+doc, ""); got != "ENTITY_IS_DELETED" || binned() != 1 {
		t.Error(got, binned())
	}
	if len(d.query("SELECT Id FROM ContentDocument WHERE Id = '%s'", doc)) != 0 {
		t.Error("a deleted file is listed")
	}
	if b := soap("undelete"); !strings.Contains(b, "<success>true</success>") || binned() != 0 {
		t.Error(b)
	}
	if b := soap("undelete"); !strings.Contains(b, "UNDELETE_FAILED") {
		t.Error(b)
	}
	d.change(http.StatusNoContent, http.MethodDelete, "ContentDocument/"+doc, "")
	if b := soap("emptyRecycleBin"); !strings.Contains(b, "<success>true</success>") || binned() != 0 {
		t.Error(b)
	}
	if got := d.change(http.StatusNotFound, http.MethodGet, "ContentDocument/"+doc, ""); got != "NOT_FOUND" {
		t.Error(got)
	}
	d.Client = d.As("Authorization", "Bearer no")
	if b := soap("undelete"); !strings.Contains(b, "sf:INVALID_SESSION_ID") {
		t.Error(b)
	}
}
