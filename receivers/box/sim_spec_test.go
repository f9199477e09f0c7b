package box

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

const (
	simSpec       = "box/openapi.json"
	simExceptions = "../../testdata/box/spec-exceptions.txt"
)

// simPatterns are all routes of the fake that a token is for.
func simPatterns(t *testing.T) (out []string) {
	t.Helper()
	s := &simOrg{o: sim.Options{Users: 26}.Filled()}
	s.populate()
	s.tree = newSimTree(s.o, s.owners())
	add := func(pattern, scope string, _ func(*simCall)) {
		if scope != simOpen {
			out = append(out, pattern)
		}
	}
	s.directoryRoutes(add)
	s.eventRoutes(add)
	s.fileRoutes(add)
	return out
}

func TestEveryAnswerOfTheFakeIsAsBoxDescribesIt(t *testing.T) {
	check := simtest.Spec(t, simSpec, simExceptions)
	s, a := newSimStaff(t, sim.Options{Seed: 3, Users: 30, Files: 400, Events: 1200, Late: 0.05, Limits: -1}, check.Handler)
	simReadAll(a)
	simChangeAll(a)
	simRefuseAll(a)
	limited, l := newSimStaff(t, sim.Options{Seed: 3}, check.Handler)
	limited.Faults.Next(1, "", sim.Fault{Status: http.StatusTooManyRequests})
	l.Must(http.StatusTooManyRequests, http.MethodGet, "/2.0/users", "")
	limited.Faults.Next(1, "", sim.Fault{Status: http.StatusInternalServerError})
	l.Must(http.StatusInternalServerError, http.MethodGet, "/2.0/groups", "")
	done := map[string]bool{}
	for _, n := range s.Seen.All() {
		if n.Status < 400 {
			done[n.Method+" "+n.Pattern] = true
		}
	}
	for _, pattern := range simPatterns(t) {
		if !done[pattern] {
			t.Errorf("%s was never answered with success", pattern)
		}
	}
	check.Done(t, true)
}

func TestEventsOfTheFakeAreOfTheTypesThatBoxLists(t *testing.T) {
	text, err := os.ReadFile(saastest.Shared(t, "specs/"+simSpec))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range simTypes {
		if known := bytes.Contains(text, []byte(`"`+k.kind+`"`)); known != (k.kind != "SOME_EVENT_OF_TOMORROW") {
			t.Errorf("%s: listed %v", k.kind, known)
		}
	}
}

// simReadAll reads every list, to its last page, and one object of each kind with all fields that can be asked for.
func simReadAll(a *simStaff) {
	a.drain(simStreaming+"&limit=500", "0")
	a.drain("stream_type=admin_logs&limit=400&created_after=2026-11-23T12:00:00Z&created_before=2026-11-24T11:00:00Z", "0")
	a.drain("stream_type=all", "now")
	const every = "fields=id,type,name,login,status,role,created_at,modified_at,enterprise,is_external_collab_restricted,space_used," +
		"is_exempt_from_login_verification,is_platform_access_only,external_app_user_id,job_title,tracking_codes,hostname,my_tags"
	a.rows(a.Client, "/2.0/users?user_type=managed&usemarker=true&limit=7&"+every)
	a.rows(a.Client, "/2.0/users?limit=100")
	a.Must(http.StatusOK, http.MethodGet, "/2.0/users/me", "")
	a.Must(http.StatusOK, http.MethodOptions, "/2.0/files/content", `{"name":"new.txt","size":1,"parent":{"id":"0"}}`)
	for _, g := range a.rows(a.Client, "/2.0/groups?limit=5&fields=name,group_type,provenance,external_sync_identifier,description,"+
		"invitability_level,member_viewability_level,created_at,modified_at,permissions") {
		a.Must(http.StatusOK, http.MethodGet, "/2.0/groups/"+simStr(g, "id"), "")
		a.rows(a.Client, "/2.0/groups/"+simStr(g, "id")+"/memberships?limit=3")
	}
	a.rows(a.Client, "/2.0/groups")
	for i, u := range a.rows(a.Client, "/2.0/users?fields=status") {
		a.Must(http.StatusOK, http.MethodGet, "/2.0/users/"+simStr(u, "id"), "")
		a.rows(a.Client, "/2.0/users/"+simStr(u, "id")+"/memberships")
		if u["status"] == "active" && i < 12 {
			simReadFiles(a, a.As("As-User", simStr(u, "id")))
		}
	}
	a.Must(http.StatusOK, http.MethodGet, "/2.0/metadata_templates/enterprise/"+simTemplate+"/schema", "")
}

// simReadFiles reads all that one user finds.
func simReadFiles(a *simStaff, as *simtest.Client) {
	const wanted = "fields=id,type,name,size,sha1,etag,sequence_id,created_at,modified_at,content_created_at,content_modified_at,owned_by," +
		"created_by,modified_by,shared_link,has_collaborations,is_externally_owned,parent,path_collection,classification,permissions," +
		"file_version,version_number,extension,trashed_at,purged_at,item_status,url,description,comment_count,uploader_display_name,lock"
	open := func(it obj) string {
		at := "/2.0/" + simStr(it, "type") + "s/" + simStr(it, "id")
		if as.Must(http.StatusOK, http.MethodGet, at, ""); it["type"] != "web_link" {
			as.Must(http.StatusOK, http.MethodGet, at+"?"+wanted, "")
		}
		return at
	}
	for folders := []string{"0"}; len(folders) > 0; folders = folders[1:] {
		a.rows(as, "/2.0/folders/"+folders[0]+"/items?limit=40")
		for _, it := range a.rows(as, "/2.0/folders/"+folders[0]+"/items?usemarker=true&limit=10&"+wanted) {
			at := open(it)
			switch it["type"] {
			case "folder":
				folders = append(folders, simStr(it, "id"))
				a.rows(as, at+"/collaborations")
			case "file":
				a.rows(as, at+"/collaborations?limit=3")
				a.rows(as, at+"/versions")
				as.Do(http.MethodGet, at+"/content", "")
			}
			if it["classification"] != nil {
				as.Must(http.StatusOK, http.MethodGet, at+"/metadata/enterprise/"+simTemplate, "")
			}
		}
	}
	a.rows(as, "/2.0/folders/trash/items?limit=40")
	for _, it := range a.rows(as, "/2.0/folders/trash/items?usemarker=true&"+wanted) {
		as.Must(http.StatusOK, http.MethodGet, "/2.0/"+simStr(it, "type")+"s/"+simStr(it, "id")+"/trash", "")
	}
}

// simIDOf is the id of what a request made.
func simIDOf(t testing.TB, b []byte) string {
	t.Helper()
	var o struct {
		ID      string
		Entries []struct{ ID string }
	}
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatal(err)
	}
	if len(o.Entries) > 0 {
		return o.Entries[0].ID
	}
	return o.ID
}

// simChangeAll uses every route that changes the enterprise.
func simChangeAll(a *simStaff) {
	users := a.rows(a.Client, "/2.0/users?fields=role,login")
	id := func(i int) string { return simStr(users[i], "id") }
	for _, body := range []string{`{"status":"inactive"}`, `{"status":"active"}`, `{"is_password_reset_required":true}`, `{"role":"coadmin"}`,
		`{"role":"user"}`} {
		a.Must(http.StatusOK, http.MethodPut, "/2.0/users/"+id(9), body)
	}
	a.Must(http.StatusAccepted, http.MethodPost, "/2.0/users/terminate_sessions", `{"user_ids":["`+id(9)+`"],"user_logins":[]}`)
	as := a.As("As-User", id(4))
	do := func(status int, method, target, body string) string {
		a.T.Helper()
		if b := as.Must(status, method, target, body); status == http.StatusOK || status == http.StatusCreated {
			return simIDOf(a.T, b)
		}
		return ""
	}
	upload := func(to, attributes, content string) string {
		a.T.Helper()
		body, form := simUpload(a.T.(*testing.T), attributes, content, "attributes", "file")
		_, form, _ = strings.Cut(form, ": ")
		return simIDOf(a.T, as.As("Content-Type", form).Must(http.StatusCreated, http.MethodPost, "/api/2.0/files/"+to+"content", body))
	}
	const ok, made, none = http.StatusOK, http.StatusCreated, http.StatusNoContent
	folder := do(made, http.MethodPost, "/2.0/folders", `{"name":"Plans","parent":{"id":"0"}}`)
	file := upload("", `{"name":"plan.txt","parent":{"id":"`+folder+`"}}`, "first")
	upload(file+"/", `{"name":"plan.txt"}`, "second")
	var versions struct{ Entries []struct{ ID string } }
	_ = json.Unmarshal(as.Must(ok, http.MethodGet, "/2.0/files/"+file+"/versions", ""), &versions)
	old := versions.Entries[0].ID
	do(made, http.MethodPost, "/2.0/files/"+file+"/versions/current", `{"id":"`+old+`","type":"file_version"}`)
	do(none, http.MethodDelete, "/2.0/files/"+file+"/versions/"+old, "")
	do(ok, http.MethodPut, "/2.0/files/"+file+"/versions/"+old, `{"trashed_at":null}`)
	twin := do(made, http.MethodPost, "/2.0/files/"+file+"/copy", `{"name":"twin.txt","parent":{"id":"0"}}`)
	link := simStr(simWebLinkOf(a, as), "id")
	for _, at := range []string{"/2.0/files/" + file, "/2.0/folders/" + folder, "/2.0/web_links/" + link} {
		for _, body := range []string{`{"shared_link":{"access":"open"}}`, `{"shared_link":{"access":"collaborators"}}`, `{"shared_link":null}`} {
			do(ok, http.MethodPut, at+"?fields=shared_link", body)
		}
		do(ok, http.MethodPut, at, `{"name":"renamed.txt"}`)
		if strings.Contains(at, "web_link") {
			continue
		}
		class := at + "/metadata/enterprise/" + simTemplate
		as.Must(made, http.MethodPost, class, `{"`+simClassKey+`":"`+simClasses[0].name+`"}`)
		as.Must(http.StatusConflict, http.MethodPost, class, `{"`+simClassKey+`":"`+simClasses[0].name+`"}`)
		as.Must(ok, http.MethodGet, class, "")
		as.As("Content-Type", "application/json-patch+json").Must(ok, http.MethodPut, class,
			`[{"op":"replace","path":"/`+simClassKey+`","value":"`+simClasses[1].name+`"}]`)
		do(none, http.MethodDelete, class, "")
		kind := strings.TrimSuffix(strings.Split(at, "/")[2], "s")
		item := `{"item":{"type":"` + kind + `","id":"` + at[strings.LastIndex(at, "/")+1:] + `"},"role":"viewer","accessible_by":`
		collab := do(made, http.MethodPost, "/2.0/collaborations", item+`{"type":"user","id":"`+id(6)+`"}}`)
		do(made, http.MethodPost, "/2.0/collaborations", item+`{"type":"user","login":"new@elsewhere.example"}}`)
		do(ok, http.MethodGet, "/2.0/collaborations/"+collab, "")
		do(ok, http.MethodPut, "/2.0/collaborations/"+collab, `{"role":"editor"}`)
		do(none, http.MethodDelete, "/2.0/collaborations/"+collab, "")
	}
	for _, at := range []string{"/2.0/files/" + file, "/2.0/web_links/" + link, "/2.0/folders/" + folder} {
		query := ""
		if strings.Contains(at, "folders") {
			query = "?recursive=true"
		}
		do(none, http.MethodDelete, at+query, "")
		do(ok, http.MethodGet, at+"/trash", "")
		do(made, http.MethodPost, at, `{}`)
		do(none, http.MethodDelete, at+query, "")
		do(none, http.MethodDelete, at+"/trash", "")
	}
	as.As("If-Match", "77").Must(http.StatusPreconditionFailed, http.MethodPut, "/2.0/files/"+twin, `{"name":"x"}`)
	_, at := a.drain(simStreaming, "now")
	a.drain(simStreaming, at)
}

// simWebLinkOf finds a web link.
func simWebLinkOf(a *simStaff, as *simtest.Client) obj {
	for folders := []string{"0"}; len(folders) > 0; folders = folders[1:] {
		for _, it := range a.rows(as, "/2.0/folders/"+folders[0]+"/items?usemarker=true") {
			switch it["type"] {
			case "web_link":
				return it
			case "folder":
				folders = append(folders, simStr(it, "id"))
			}
		}
	}
	a.T.Fatal("no web link")
	return nil
}

// simRefuseAll gets every kind of refusal.
func simRefuseAll(a *simStaff) {
	for target, status := range map[string]int{"/2.0/users/77": 404, "/2.0/groups/77": 404, "/2.0/files/77": 404, "/2.0/folders/77": 404,
		"/2.0/users?offset=10001": 400, "/2.0/users?usemarker=true&marker=x": 400, "/2.0/events?stream_position=5": 400,
		"/2.0/files/77/collaborations": 404, "/2.0/metadata_templates/enterprise/other/schema": 404} {
		a.Must(status, http.MethodGet, target, "")
	}
	users := a.rows(a.Client, "/2.0/users?fields=role")
	a.Must(http.StatusForbidden, http.MethodPut, "/2.0/users/"+simStr(users[0], "id"), `{"status":"inactive"}`)
	a.Must(http.StatusBadRequest, http.MethodPut, "/2.0/users/"+simStr(users[4], "id"), `{"status":"gone"}`)
	a.Must(http.StatusBadRequest, http.MethodPost, "/2.0/users/terminate_sessions", `{"user_ids":["1"]}`)
	a.As("As-User", "77").Must(http.StatusForbidden, http.MethodGet, "/2.0/users/me", "")
	a.As("Authorization", "Bearer wrong").Must(http.StatusUnauthorized, http.MethodGet, "/2.0/users", "")
	if status, _ := a.ask(url.Values{"grant_type": {"client_credentials"}}); status != http.StatusBadRequest {
		a.T.Errorf("no client: %d", status)
	}
}
