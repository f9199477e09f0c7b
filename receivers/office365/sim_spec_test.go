package office365

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// simAllowed is where Graph does, by its documentation, what its description does not have; ** is any text.
var simAllowed = map[string]string{
	"** answer**/email": "people of files have an address: identity is an open type, " +
		"https://learn.microsoft.com/graph/api/resources/identity",
	"** answer**/owner/group": "the drive of a team is its group's: identitySet is an open type, " +
		"https://learn.microsoft.com/graph/api/resources/identityset",
	"POST /beta/shares/{}/permission/** path": "only beta has revokeGrants, https://learn.microsoft.com/graph/api/permission-revokegrants",
	"PUT /v1.0/drives/{}/items/{}/{}/content path": "a new file is put below its parent's id and its name, " +
		"https://learn.microsoft.com/graph/api/driveitem-put-content",
}

func TestEveryAnswerOfTheFakeIsAsGraphDescribesIt(t *testing.T) {
	check := newCSDLChecker(t, simAllowed)
	a := newSimStaff(t, sim.Options{Seed: 3, Users: 40, Files: 150, Events: 800, Limits: -1}, check.Handler)
	g := a.to(graphAPI)
	simReadAll(a, g)
	simChangeAll(a, g)
	simRefuseAll(g)
	done := map[string]bool{}
	for _, n := range a.s.Seen.All() {
		if n.Status < 400 {
			done[n.Method+" "+n.Pattern] = true
		}
	}
	org := &simOrg{}
	add := func(pattern, _ string, _ func(*simCall) (int, any)) {
		if strings.Contains(pattern, " /v1.0/") && !done[pattern] && !strings.HasSuffix(pattern, "/restore") {
			t.Errorf("%s was never answered with success", pattern)
		}
	}
	for _, routes := range []func(simAdd){org.logRoutes, org.directoryRoutes, org.appRoutes, org.driveRoutes, org.itemRoutes,
		org.shareRoutes} {
		routes(add)
	}
	check.done(t, true)
}

const simItemFields = "$select=id,name,size,file,folder,deleted,parentReference,eTag,cTag,lastModifiedDateTime,webUrl,shared,root," +
	"sharepointIds,createdBy,lastModifiedBy,createdDateTime"

// simReadAll reads every list to its last page, and one of each kind.
func simReadAll(a *simStaff, g *simtest.Client) {
	a.T.Helper()
	rows := func(target string) []simObj {
		a.T.Helper()
		all, _ := simRows(g, target)
		if len(all) == 0 {
			a.T.Errorf("%s lists nothing", target)
		}
		return all
	}
	one := func(target string) { g.Must(http.StatusOK, http.MethodGet, target, "") }
	rows("/v1.0/users")
	users := rows("/v1.0/users?$select=id,userPrincipalName,displayName,mail,accountEnabled,userType,createdDateTime,onPremisesSyncEnabled," +
		"lastPasswordChangeDateTime,signInSessionsValidFromDateTime,department,assignedLicenses&$top=7")
	one("/v1.0/users/" + simStr(users[3], "id"))
	_, delta := simRows(g, "/v1.0/users/delta?$select=id,displayName")
	one(delta)
	_, delta = simRows(g, "/v1.0/groups/delta")
	one(delta)
	for _, group := range rows("/v1.0/groups?$top=3") {
		id := simStr(group, "id")
		one("/v1.0/groups/" + id)
		rows("/v1.0/groups/" + id + "/members?$top=5")
		rows("/v1.0/groups/" + id + "/transitiveMembers")
	}
	for _, role := range rows("/v1.0/directoryRoles") {
		rows("/v1.0/directoryRoles/" + simStr(role, "id") + "/members")
	}
	rows("/v1.0/roleManagement/directory/roleAssignments?$expand=principal,roleDefinition&$top=2")
	rows("/v1.0/roleManagement/directory/roleEligibilityScheduleInstances?$expand=principal")
	rows("/v1.0/roleManagement/directory/roleDefinitions")
	rows("/v1.0/oauth2PermissionGrants?$top=3")
	_, delta = simRows(g, "/v1.0/oauth2PermissionGrants/delta")
	one(delta)
	for _, app := range rows("/v1.0/servicePrincipals?$top=4&$select=id,appId,displayName,accountEnabled,appOwnerOrganizationId," +
		"verifiedPublisher,tags,replyUrls,servicePrincipalType,appRoles") {
		one("/v1.0/servicePrincipals/" + simStr(app, "id"))
		one("/v1.0/servicePrincipals/" + simStr(app, "id") + "/appRoleAssignments")
		one("/v1.0/servicePrincipals/" + simStr(app, "id") + "/appRoleAssignedTo?$top=2")
	}
	rows("/v1.0/auditLogs/signIns?$top=30&$filter=createdDateTime%20ge%202026-11-23T13:00:00Z%20and%20" +
		"createdDateTime%20le%202026-11-24T12:00:00Z")
	rows("/v1.0/auditLogs/directoryAudits?$top=20&$orderby=activityDateTime%20asc&$filter=activityDateTime%20ge%202026-11-23T13:00:00Z")
	rows("/v1.0/security/dataSecurityAndGovernance/sensitivityLabels")
	simReadDrives(a, g, users, rows, one)
}

// simReadDrives reads sites, drives and items.
func simReadDrives(a *simStaff, g *simtest.Client, users []simObj, rows func(string) []simObj, one func(string)) {
	for _, u := range users[:9] {
		for _, name := range []string{"drive", "drives"} {
			g.Do(http.MethodGet, "/v1.0/users/"+simStr(u, "id")+"/"+name, "")
		}
	}
	for _, site := range rows("/v1.0/sites/getAllSites?$top=9") {
		at := "/v1.0/sites/" + simStr(site, "id")
		one(at)
		one(at + "/drive")
		for _, d := range rows(at + "/drives") {
			at := "/v1.0/drives/" + simStr(d, "id")
			one(at)
			one(at + "/root")
			items, delta := simRows(g, at+"/root/delta?$top=4&"+simItemFields)
			one(delta)
			rows(at + "/root/delta")
			for _, it := range items {
				of := at + "/items/" + simStr(it, "id")
				one(of + "?$expand=permissions")
				rows(of + "/permissions")
				if it["folder"] != nil {
					one(of + "/children?$top=3")
					continue
				}
				one(of + "/versions")
				one("/v1.0/shares/u!" + base64.RawURLEncoding.EncodeToString([]byte(simStr(it, "webUrl"))) + "/driveItem")
			}
		}
	}
}

// simFirst is a drive and a file in it.
func simFirst(g *simtest.Client) (drive, root, item string, all []simObj) {
	g.T.Helper()
	sites, _ := simRows(g, "/v1.0/sites/getAllSites")
	for _, s := range sites {
		if s["isPersonalSite"] == true {
			drive = simStr(simtest.Read[simObj](g, "/v1.0/sites/"+simStr(s, "id")+"/drive"), "id")
			break
		}
	}
	all, _ = simRows(g, "/v1.0/drives/"+drive+"/root/delta")
	for _, it := range all {
		name := simStr(it, "name")
		if it["root"] != nil {
			root = simStr(it, "id")
		}
		if it["file"] != nil && (item == "" || strings.HasSuffix(name, "docx")) {
			item = simStr(it, "id")
		}
	}
	return drive, root, item, all
}

// simID is the id of what a request made.
func simID(t testing.TB, b []byte) string {
	t.Helper()
	var o struct {
		ID    string
		Value []struct{ ID string }
	}
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatal(err)
	}
	if len(o.Value) > 0 {
		return o.Value[0].ID
	}
	return o.ID
}

// simChangeAll uses every route that changes the tenant.
func simChangeAll(a *simStaff, g *simtest.Client) {
	const ok, made, taken, none = http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent
	users, _ := simRows(g, "/v1.0/users?$top=999")
	user := "/v1.0/users/" + simStr(users[5], "id")
	for _, body := range []string{`{"accountEnabled":false}`, `{"accountEnabled":true}`,
		`{"passwordProfile":{"forceChangePasswordNextSignIn":true,"password":"x"}}`} {
		g.Must(none, http.MethodPatch, user, body)
	}
	g.Must(ok, http.MethodPost, user+"/revokeSignInSessions", "")
	for _, name := range []string{"confirmCompromised", "dismiss"} {
		g.Must(none, http.MethodPost, "/v1.0/identityProtection/riskyUsers/"+name, `{"userIds":["`+simStr(users[5], "id")+`"]}`)
	}
	simChangeApps(g)
	drive, root, item, _ := simFirst(g)
	at := "/v1.0/drives/" + drive + "/items/"
	folder := simID(a.T, g.Must(made, http.MethodPost, at+root+"/children",
		`{"name":"Held","folder":{},"@microsoft.graph.conflictBehavior":"fail"}`))
	g.Must(ok, http.MethodPatch, at+item, `{"name":"renamed.docx","parentReference":{"id":"`+folder+`"}}`)
	g.Must(taken, http.MethodPost, at+item+"/copy", `{"name":"copy.docx","parentReference":{"driveId":"`+drive+`","id":"`+root+`"}}`)
	g.Must(ok, http.MethodPut, at+item+"/content", "tombstone")
	up := simID(a.T, g.Must(made, http.MethodPut, at+folder+":/new.txt:/content", "new"))
	var versions struct{ Value []struct{ ID string } }
	_ = json.Unmarshal(g.Must(ok, http.MethodGet, at+item+"/versions", ""), &versions)
	old := at + item + "/versions/" + versions.Value[1].ID
	g.Must(http.StatusFound, http.MethodGet, old+"/content", "")
	g.Must(http.StatusFound, http.MethodGet, at+item+"/content", "")
	g.Must(none, http.MethodPost, old+"/restoreVersion", "")
	g.Must(none, http.MethodDelete, old, "")
	link := simID(a.T, g.Must(made, http.MethodPost, at+item+"/createLink",
		`{"type":"view","scope":"anonymous","retainInheritedPermissions":true}`))
	g.Must(ok, http.MethodPost, at+item+"/createLink", `{"type":"view","scope":"anonymous"}`)
	p := at + item + "/permissions/"
	g.Must(ok, http.MethodPatch, p+link, `{"expirationDateTime":"2026-12-31T00:00:00Z"}`)
	g.Must(ok, http.MethodGet, p+link, "")
	g.Must(none, http.MethodDelete, p+link, "")
	group := simtest.Read[simObj](g, p+simID(a.T, g.Must(made, http.MethodPost, at+item+"/createLink", `{"type":"edit","scope":"users"}`)))
	g.Must(ok, http.MethodPost, "/beta/shares/"+simStr(group, "shareId")+"/permission/revokeGrants",
		`{"grantees":[{"email":"x@elsewhere.example"}]}`)
	person := simID(a.T, g.Must(ok, http.MethodPost, at+item+"/invite", `{"recipients":[{"email":"new@elsewhere.example"}],"roles":["read"],`+
		`"requireSignIn":true,"sendInvitation":false}`))
	g.Must(ok, http.MethodPatch, p+person, `{"roles":["write"]}`)
	g.Must(taken, http.MethodPost, at+item+"/assignSensitivityLabel", `{"sensitivityLabelId":"`+simLabels[2].id+
		`","assignmentMethod":"standard","justificationText":"found"}`)
	g.Must(ok, http.MethodPost, at+item+"/extractSensitivityLabels", "")
	g.Must(none, http.MethodDelete, at+item, "")
	g.Must(none, http.MethodPost, at+up+"/permanentDelete", "")
	_, delta := simRows(g, "/v1.0/drives/"+drive+"/root/delta?token=latest")
	g.Must(ok, http.MethodGet, delta, "")
}

// simChangeApps changes what apps may do.
func simChangeApps(g *simtest.Client) {
	const ok, made, none = http.StatusOK, http.StatusCreated, http.StatusNoContent
	app := simID(g.T, g.Must(made, http.MethodPost, "/v1.0/servicePrincipals",
		`{"appId":"a1b2c3d4-0000-4000-8000-00000000000a","accountEnabled":false}`))
	g.Must(none, http.MethodPatch, "/v1.0/servicePrincipals/"+app, `{"accountEnabled":true}`)
	grants, _ := simRows(g, "/v1.0/oauth2PermissionGrants?$top=999")
	first := grants[0]
	at := "/v1.0/oauth2PermissionGrants/" + simStr(first, "id")
	g.Must(ok, http.MethodGet, at, "")
	g.Must(none, http.MethodPatch, at, `{"scope":"User.Read"}`)
	g.Must(none, http.MethodDelete, at, "")
	delete(first, "id")
	again, _ := json.Marshal(first)
	g.Must(made, http.MethodPost, "/v1.0/oauth2PermissionGrants", string(again))
	apps, _ := simRows(g, "/v1.0/servicePrincipals?$top=999")
	for i, name := range []string{"appRoleAssignedTo", "appRoleAssignments"} {
		resource := simStr(apps[0], "id")
		rows, _ := simRows(g, "/v1.0/servicePrincipals/"+resource+"/appRoleAssignedTo?$top=999")
		row := rows[i]
		of := "/v1.0/servicePrincipals/" + simStr(row, "resourceId") + "/" + name
		if i == 1 {
			of = "/v1.0/servicePrincipals/" + simStr(row, "principalId") + "/" + name
		}
		g.Must(none, http.MethodDelete, of+"/"+simStr(row, "id"), "")
		body := fmt.Sprintf(`{"principalId":%q,"resourceId":%q,"appRoleId":%q}`, row["principalId"], row["resourceId"], row["appRoleId"])
		g.Must(made, http.MethodPost, of, body)
	}
}

// simRefuseAll gets refusals of every kind.
func simRefuseAll(g *simtest.Client) {
	drive, root, item, _ := simFirst(g)
	at := "/v1.0/drives/" + drive + "/items/"
	for target, status := range map[string]int{"/v1.0/users/none": 404, "/v1.0/users?$top=5000": 400, "/v1.0/users?$skiptoken=x": 400,
		"/v1.0/groups/none": 404, "/v1.0/servicePrincipals/none": 404, at + "none": 404, at + root + "/permissions/none": 404,
		"/v1.0/drives/none/root": 404, "/v1.0/drives/" + drive + "/root/delta?$expand=permissions": 400,
		"/v1.0/auditLogs/signIns?$filter=createdDateTime%20gt%202026-11-23T13:00:00Z": 400, "/v1.0/nothing": 404} {
		g.Must(status, http.MethodGet, target, "")
	}
	g.Must(http.StatusBadRequest, http.MethodPost, at+item+"/restore", "")
	g.Must(http.StatusForbidden, http.MethodDelete, at+root, "")
	g.As("If-Match", `"other"`).Must(http.StatusPreconditionFailed, http.MethodDelete, at+item, "")
	g.As("Authorization", "Bearer wrong").Must(http.StatusUnauthorized, http.MethodGet, "/v1.0/users", "")
	users, _ := simRows(g, "/v1.0/users?$top=999")
	g.Must(http.StatusForbidden, http.MethodPatch, "/v1.0/users/"+simStr(users[0], "id"), `{"accountEnabled":false}`)
}
