package box

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simDesk asks a fake about files, as one user after the other, without a token.
type simDesk struct {
	t   *testing.T
	s   *simOrg
	mux *http.ServeMux
	now time.Time
	at  sim.Cursor // in the events
}

func newSimDesk(t *testing.T, files int) *simDesk {
	t.Helper()
	d := &simDesk{t: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), mux: http.NewServeMux()}
	o := sim.Options{Seed: 7, Users: 26, Files: files, Events: 1, Now: func() time.Time { return d.now }}.Filled()
	d.s = &simOrg{o: o}
	d.s.populate()
	d.s.tree = newSimTree(o, d.s.owners())
	var err error
	none := func(b []byte, _ int, _ time.Time) []byte { return append(b, "{}"...) }
	if d.s.feed, err = sim.NewFeed(o, sim.FeedSpec{Events: 1, Make: none}); err != nil {
		t.Fatal(err)
	}
	d.s.fileRoutes(func(pattern, _ string, h func(c *simCall)) {
		d.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Pattern = pattern
			h(&simCall{w: w, r: r, base: "http://box.test", user: d.s.byID[r.Header.Get("As-User")]})
		})
	})
	d.at = d.s.feed.After(d.now)
	return d
}

// do sends a request as user n, -1 = the service account; rest are a body and headers "name: value".
func (d *simDesk) do(user int, method, target string, rest ...string) *httptest.ResponseRecorder {
	d.t.Helper()
	d.now = d.now.Add(time.Second)
	body := ""
	if len(rest) > 0 {
		body = rest[0]
	}
	r := httptest.NewRequest(method, "http://box.test"+target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("As-User", d.id(user))
	for _, h := range rest[min(1, len(rest)):] {
		name, value, _ := strings.Cut(h, ": ")
		if r.Header.Set(name, value); value == "" {
			r.Header.Del(name)
		}
	}
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, r)
	return w
}

func (d *simDesk) id(user int) string {
	if user < 0 {
		return d.s.service.id
	}
	return d.s.users[user].id
}

// want is do that must be answered with the status; what a refusal says is its code.
func (d *simDesk) want(status int, user int, method, target string, rest ...string) obj {
	d.t.Helper()
	w := d.do(user, method, target, rest...)
	if w.Code != status {
		d.t.Fatalf("%s %s as %d: %d %s, want %d", method, target, user, w.Code, w.Body, status)
	}
	var out obj
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			d.t.Fatalf("%s %s: %v in %s", method, target, err, w.Body)
		}
	}
	return out
}

// refused is want with the code of the error.
func (d *simDesk) refused(status int, code string, user int, method, target string, rest ...string) obj {
	d.t.Helper()
	out := d.want(status, user, method, target, rest...)
	if out["code"] != code || out["type"] != "error" {
		d.t.Fatalf("%s %s: %v, want code %s", method, target, out, code)
	}
	return out
}

// events are the kinds of events since the last call.
func (d *simDesk) events() string {
	var kinds []string
	d.now = d.now.Add(time.Second)
	d.at = d.s.feed.Read(d.at, 1000, func(raw []byte) {
		var e struct {
			Kind   string `json:"event_type"`
			Source obj
		}
		if err := json.Unmarshal(raw, &e); err != nil || e.Source == nil {
			d.t.Fatalf("%v in %s", err, raw)
		}
		kinds = append(kinds, e.Kind)
	})
	return strings.Join(kinds, " ")
}

// file is file k of a user, as it is now.
func (d *simDesk) file(user, k int) string { return d.s.tree.id(simFile, user, k) }

func (d *simDesk) folder(user, j int) string { return d.s.tree.id(simFolder, user, j) }

// names are the ids in a list, read page by page.
func (d *simDesk) names(user int, target string) []string {
	d.t.Helper()
	var ids []string
	for marker := ""; ; {
		page := d.want(200, user, "GET", target+"&marker="+marker)
		for _, e := range page["entries"].([]any) {
			ids = append(ids, e.(obj)["id"].(string))
		}
		next, _ := page["next_marker"].(string)
		if marker = next; next == "" {
			return ids
		}
	}
}

// simUpload is a body with attributes and content, in this order of parts, and its type.
func simUpload(t *testing.T, attributes, content string, order ...string) (string, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, name := range order {
		h := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + name + `"`}}
		text := attributes
		if name == "file" {
			h.Set("Content-Disposition", `form-data; name="file"; filename="f"`)
			text = content
		}
		p, err := w.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = p.Write([]byte(text))
	}
	_ = w.Close()
	return b.String(), "Content-Type: " + w.FormDataContentType()
}

// bytes downloads a file.
func (d *simDesk) bytes(user int, target string) string {
	d.t.Helper()
	w := d.do(user, "GET", target)
	if w.Code != http.StatusFound {
		d.t.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	w = d.do(user, "GET", strings.TrimPrefix(w.Header().Get("Location"), "http://box.test"), "", "As-User: ")
	if w.Code != 200 {
		d.t.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	return w.Body.String()
}

// simFieldsOf are the names of the members, in order.
func simFieldsOf(o obj) []string {
	var out []string
	for k := range o {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func TestFakeFieldsReplaceTheUsualOnes(t *testing.T) {
	d := newSimDesk(t, 260)
	f := func(target string, want ...string) {
		t.Helper()
		if got := simFieldsOf(d.want(200, 0, "GET", target)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
	f("/2.0/files/"+d.file(0, 3)+"?fields=name,size", "etag", "id", "name", "size", "type")
	f("/2.0/files/"+d.file(0, 3)+"?fields=no_such_field", "etag", "id", "type")
	f("/2.0/folders/0?fields=parent", "etag", "id", "parent", "type")
	all := d.want(200, 0, "GET", "/2.0/files/"+d.file(0, 3))
	if len(all) != 22 || all["classification"] != nil || all["sha1"] == "" {
		t.Error(simFieldsOf(all))
	}
	root := d.want(200, 0, "GET", "/2.0/folders/0/items?limit=1")["entries"].([]any)[0].(obj)
	if got := simFieldsOf(root); !slices.Equal(got, []string{"etag", "id", "name", "sequence_id", "type"}) {
		t.Error(got)
	}
}

func TestFakeListsHavePagesByMarkerAndByOffset(t *testing.T) {
	d := newSimDesk(t, 26*200)
	list := "/2.0/folders/" + d.folder(3, 1) + "/items?"
	want := d.names(3, list+"usemarker=true&limit=1000")
	if got := d.names(3, list+"usemarker=true&limit=7"); len(got) < 45 || !slices.Equal(got, want) {
		t.Errorf("%d rows by 7, %d by 1000", len(got), len(want))
	}
	page := d.want(200, 3, "GET", list+"limit=5&offset=40")
	rows := page["entries"].([]any)
	if page["total_count"] != float64(len(want)) || rows[4].(obj)["id"] != want[44] || page["next_marker"] != nil {
		t.Error(page)
	}
	marker := d.want(200, 3, "GET", list+"usemarker=true&limit=1")["next_marker"].(string)
	d.refused(400, "bad_request", 3, "GET", "/2.0/folders/0/items?usemarker=true&marker="+marker)
	d.refused(400, "bad_request", 3, "GET", list+"offset=10001")
	d.refused(400, "bad_request", 3, "GET", list+"limit=0")
	trash := d.names(3, "/2.0/folders/trash/items?usemarker=true&limit=2")
	if len(trash) < 4 || len(slices.Compact(trash)) != len(trash) {
		t.Error(trash)
	}
	d.refused(404, "trashed", 3, "GET", "/2.0/files/"+trash[0])
	if got := d.want(200, 3, "GET", "/2.0/files/"+trash[0]+"/trash"); got["item_status"] != "trashed" || got["trashed_at"] == nil {
		t.Error(got)
	}
}

func TestFakeContentIsWhatItsMetadataSays(t *testing.T) {
	d := newSimDesk(t, 260)
	for k := range 6 {
		is := d.want(200, 4, "GET", "/2.0/files/"+d.file(4, k))
		sum, size := simSum([]byte(d.bytes(4, "/2.0/files/"+d.file(4, k)+"/content")))
		if is["sha1"] != sum || is["size"] != float64(size) || is["file_version"].(obj)["sha1"] != sum {
			t.Error(is, sum, size)
		}
	}
	w := d.do(4, "GET", "/2.0/files/"+d.file(4, 1)+"/content")
	at := strings.TrimPrefix(w.Header().Get("Location"), "http://box.test")
	f := func(status int, at string, header string) {
		t.Helper()
		if w := d.do(4, "GET", at, "", "As-User: ", header); w.Code != status {
			t.Errorf("%s: %d %s", at, w.Code, w.Body)
		}
	}
	f(200, at, "Accept: */*")
	d.s.tree.odd.host = "http://dl.test"
	f(400, at, "Authorization: Bearer t")
	d.s.tree.odd.host = ""
	f(403, at+"0", "Accept: */*")
	d.now = d.now.Add(time.Hour)
	f(403, at, "Accept: */*")
	d.s.tree.odd.unready = time.Hour
	d.want(302, 4, "GET", "/2.0/files/"+d.file(4, 1)+"/content")
	body, kind := simUpload(t, `{"name":"new.txt","parent":{"id":"0"}}`, "fresh", "attributes", "file")
	id := d.want(201, 4, "POST", "/api/2.0/files/content", body, kind)["entries"].([]any)[0].(obj)["id"].(string)
	if w := d.do(4, "GET", "/2.0/files/"+id+"/content"); w.Code != 202 || w.Header().Get("Retry-After") == "" {
		t.Error(w.Code, w.Header())
	}
}

func TestFakeFilesChangeByVersions(t *testing.T) {
	d := newSimDesk(t, 260)
	at := "/2.0/files/" + d.file(2, 1) // of three versions
	was := d.want(200, 2, "GET", at)
	old := d.bytes(2, at+"/content")
	const attributes = `{"name":"x.txt"}`
	put := func(status int, body, kind string, header string) obj {
		t.Helper()
		return d.want(status, 2, "POST", "/api"+at+"/content", body, kind, header)
	}
	body, kind := simUpload(t, attributes, "gone", "file", "attributes")
	if out := put(400, body, kind, "If-Match: 2"); out["code"] != "metadata_after_file_contents" {
		t.Error(out)
	}
	body, kind = simUpload(t, attributes, "gone", "attributes", "file")
	put(412, body, kind, "If-Match: 1")
	put(400, body, kind, "content-md5: 0123")
	sum, _ := simSum([]byte("gone"))
	now := put(201, body, kind, "content-md5: "+sum)["entries"].([]any)[0].(obj)
	if now["etag"] != "3" || now["sha1"] != sum || now["name"] != "x.txt" || d.bytes(2, at+"/content") != "gone" {
		t.Error(now)
	}
	past := d.names(2, at+"/versions?limit=10")
	if len(past) != 3 || past[0] != was["file_version"].(obj)["id"] || d.bytes(2, at+"/content?version="+past[0]) != old {
		t.Error(past, was)
	}
	d.want(204, 2, "DELETE", at+"/versions/"+past[1])
	d.want(404, 2, "POST", at+"/versions/current", `{"id":"`+past[1]+`","type":"file_version"}`)
	d.want(200, 2, "PUT", at+"/versions/"+past[1], `{"trashed_at":null}`)
	d.want(201, 2, "POST", at+"/versions/current", `{"id":"`+past[0]+`","type":"file_version"}`)
	d.refused(403, simDenied, 2, "DELETE", at+"/versions/"+d.want(200, 2, "GET", at)["file_version"].(obj)["id"].(string))
	if d.bytes(2, at+"/content") != old || d.events() != "EDIT FILE_VERSION_RESTORE" {
		t.Error("the old version is not current")
	}
}

func TestFakeLinksAreMadeNarrowedAndRemoved(t *testing.T) {
	d := newSimDesk(t, 260)
	for _, at := range []string{"/2.0/files/" + d.file(1, 5), "/2.0/folders/" + d.folder(1, 1),
		"/2.0/web_links/" + d.s.tree.id(simWebLink, 1, 1)} {
		link := func(body string) obj {
			out, _ := d.want(200, 1, "PUT", at+"?fields=shared_link", `{"shared_link":`+body+`}`)["shared_link"].(obj)
			return out
		}
		first := link(`{"access":"open","password":"do-n8t-use"}`)
		narrow := link(`{"access":"collaborators"}`)
		if first["effective_access"] != "open" || first["is_password_enabled"] != true || narrow["access"] != "collaborators" ||
			narrow["url"] != first["url"] || link("null") != nil || link(`{}`)["url"] == first["url"] {
			t.Error(first, narrow)
		}
		d.refused(400, "bad_request", 1, "PUT", at, `{"shared_link":{"access":"everybody"}}`)
		d.refused(400, "bad_request", 1, "PUT", at, `{"shared_link":{"access":"collaborators","permissions":{"can_download":true}}}`)
		d.want(412, 1, "PUT", at, `{"shared_link":null}`, "If-Match: 77")
	}
	if got := d.events(); got != strings.TrimSpace(strings.Repeat("SHARE ITEM_SHARED_UPDATE UNSHARE SHARE ", 2)) {
		t.Error(got)
	}
}

func TestFakeItemsAreSeenByWhomTheyAreSharedWith(t *testing.T) {
	d := newSimDesk(t, 260)
	at := "/2.0/files/" + d.file(9, 5)
	to := `{"item":{"type":"file","id":"` + d.file(9, 5) + `"},"accessible_by":{"type":"user","id":"` + d.id(11) + `"},"role":"`
	d.refused(404, "not_found", 11, "GET", at)
	d.refused(404, "not_found", 11, "POST", "/2.0/collaborations", to+`viewer"}`)
	one := d.want(201, 9, "POST", "/2.0/collaborations?notify=false", to+`viewer"}`)
	d.refused(409, "user_already_collaborator", 9, "POST", "/2.0/collaborations", to+`editor"}`)
	seen := d.want(200, 11, "GET", at)
	if seen["parent"].(obj)["id"] != "0" || seen["owned_by"].(obj)["id"] != d.id(9) ||
		len(d.bytes(11, at+"/content")) != int(seen["size"].(float64)) {
		t.Error(seen)
	}
	if !slices.Contains(d.names(11, "/2.0/folders/0/items?usemarker=true"), d.file(9, 5)) {
		t.Error("it is not in the guest's root")
	}
	d.refused(403, simDenied, 11, "DELETE", at)
	id := "/2.0/collaborations/" + one["id"].(string)
	d.refused(404, "not_found", 14, "DELETE", id)
	if d.want(200, 9, "PUT", id, `{"role":"previewer"}`); d.do(11, "GET", at+"/content").Code != 403 {
		t.Error("a previewer downloads")
	}
	d.want(204, 11, "DELETE", id)
	d.refused(404, "not_found", 9, "DELETE", id)
	d.refused(404, "not_found", 11, "GET", at)
	pending := d.want(201, 9, "POST", "/2.0/collaborations", `{"item":{"type":"file","id":"`+d.file(9, 5)+
		`"},"accessible_by":{"type":"user","login":"new@elsewhere.example"},"role":"viewer"}`)
	if got := d.names(9, at+"/collaborations?limit=1"); pending["status"] != "pending" || len(got) != 1 || got[0] != pending["id"] {
		t.Error(got, pending)
	}
	if got := d.events(); got != "COLLABORATION_INVITE COLLABORATION_ROLE_CHANGE COLLABORATION_REMOVE COLLABORATION_INVITE" {
		t.Error(got)
	}
	// What was generated goes the same way.
	shared := "/2.0/folders/" + d.folder(3, 2)
	if got := d.names(3, shared+"/collaborations?limit=2"); len(got) != 4 {
		t.Fatal(got)
	} else if d.want(200, 4, "GET", shared+"/items"); true {
		d.want(204, 3, "DELETE", "/2.0/collaborations/"+got[0])
		if !d.s.groups[1].has(d.id(4)) {
			d.refused(404, "not_found", 4, "GET", shared+"/items")
		}
	}
	member := slices.IndexFunc(d.s.users, func(u *simUser) bool { return u.n > 8 && d.s.groups[1].has(u.id) })
	if got := d.names(member, "/2.0/folders/0/items?usemarker=true"); !slices.Contains(got, d.folder(3, 2)) {
		t.Error("what is shared with a group is not in its member's root")
	}
	team := `{"item":{"type":"file","id":"` + d.file(9, 5) + `"},"accessible_by":{"type":"group","id":"` + d.s.groups[1].id +
		`"},"role":"viewer"}`
	if out := d.want(201, 9, "POST", "/2.0/collaborations", team); out["accessible_by"].(obj)["type"] != "group" {
		t.Error(out)
	}
	d.refused(409, "user_already_collaborator", 9, "POST", "/2.0/collaborations", team)
	d.want(200, member, "GET", at)
}

func TestFakeFilesMoveAndChangeTheirOwner(t *testing.T) {
	d := newSimDesk(t, 260)
	at, name := "/2.0/files/"+d.file(0, 5), ""
	name = d.want(200, 0, "GET", at)["name"].(string)
	made := d.want(201, -1, "POST", "/2.0/folders", `{"name":"Quarantine","parent":{"id":"0"}}`)
	q := made["id"].(string)
	clash := d.refused(409, "item_name_in_use", -1, "POST", "/2.0/folders", `{"name":"quarantine","parent":{"id":"0"}}`)
	if clash["context_info"].(obj)["conflicts"].([]any)[0].(obj)["id"] != q {
		t.Error(clash)
	}
	into := `{"parent":{"id":"` + q + `"}}`
	d.refused(404, "not_found", 0, "PUT", at, into) // its owner does not see the folder
	d.want(201, -1, "POST", "/2.0/collaborations", `{"item":{"type":"folder","id":"`+q+`"},"accessible_by":{"type":"user","id":"`+d.id(0)+
		`"},"role":"editor"}`)
	d.want(412, 0, "PUT", at, into, "If-Match: 9")
	moved := d.want(200, 0, "PUT", at, into, "If-Match: 0")
	if moved["owned_by"].(obj)["id"] != d.id(-1) || moved["etag"] != "1" || moved["path_collection"].(obj)["total_count"] != 2.0 {
		t.Error(moved)
	}
	if got := d.names(-1, "/2.0/folders/"+q+"/items?usemarker=true"); !slices.Equal(got, []string{d.file(0, 5)}) {
		t.Error(got)
	}
	copied := d.want(201, -1, "POST", at+"/copy", `{"parent":{"id":"`+q+`"},"name":"copy of it"}`)
	d.refused(409, "item_name_in_use", -1, "POST", at+"/copy", into)
	if copied["sha1"] != moved["sha1"] || copied["id"] == moved["id"] || copied["shared_link"] != nil {
		t.Error(copied)
	}
	home := d.want(200, 0, "PUT", at, `{"parent":{"id":"0"},"name":"home `+"again"+`"}`)
	if home["owned_by"].(obj)["id"] != d.id(0) || home["name"] == name {
		t.Error(home)
	}
	// An editor renames what lies in the root of its owner.
	d.want(201, 0, "POST", "/2.0/collaborations", `{"item":{"type":"file","id":"`+d.file(0, 5)+`"},"accessible_by":{"type":"user","id":"`+
		d.id(8)+`"},"role":"editor"}`)
	if got := d.want(200, 8, "PUT", at, `{"name":"by an editor"}`); got["owned_by"].(obj)["id"] != d.id(0) ||
		got["created_by"].(obj)["id"] != d.id(0) || got["modified_by"].(obj)["id"] != d.id(8) {
		t.Error(got)
	}
	d.refused(404, "not_found", 8, "PUT", at, `{"parent":{"id":"0/`+d.id(0)+`"}}`)
	d.refused(400, "cyclical_folder_structure", 0, "PUT", "/2.0/folders/"+d.folder(0, 1), `{"parent":{"id":"`+d.folder(0, 3)+`"}}`)
	if got := d.events(); got != "UPLOAD COLLABORATION_INVITE MOVE COPY MOVE RENAME COLLABORATION_INVITE RENAME" {
		t.Error(got)
	}
	seen := 0
	simSeen(d.s.tree, d.id(0), simRoot(d.id(0)), 0, func(it *simItem, _ int) {
		if it.id == d.file(0, 5) {
			seen++
		}
	})
	if seen != 1 {
		t.Errorf("the file is listed %d times", seen)
	}
}

func TestFakeTrashIsEmptiedAndRestoredFrom(t *testing.T) {
	d := newSimDesk(t, 26*40)
	file, folder := d.file(5, 24), d.folder(5, d.s.tree.folderOf(5, 24))
	at := "/2.0/files/" + file
	name := d.want(200, 5, "GET", at)["name"].(string)
	d.want(412, 5, "DELETE", at, "", "If-Match: 5")
	d.refused(405, "not_trashed", 5, "POST", at, `{}`)
	d.refused(404, "not_found", 5, "DELETE", at+"/trash")
	d.want(204, 5, "DELETE", at)
	d.refused(404, "trashed", 5, "DELETE", at)
	if got := d.names(5, "/2.0/folders/trash/items?usemarker=true"); !slices.Contains(got, file) {
		t.Error(got)
	}
	quoted, _ := json.Marshal(obj{"name": name, "parent": obj{"id": folder}})
	body, kind := simUpload(t, string(quoted), "in its place", "attributes", "file")
	squatter := d.want(201, 5, "POST", "/api/2.0/files/content", body, kind)["entries"].([]any)[0].(obj)["id"].(string)
	d.refused(409, "item_name_in_use", 5, "POST", at, `{}`)
	if got := d.want(201, 5, "POST", at, `{"name":"another"}`); got["item_status"] != "active" || got["parent"].(obj)["id"] != folder {
		t.Error(got)
	}
	d.want(204, 5, "DELETE", "/2.0/files/"+squatter)
	d.want(204, 5, "DELETE", "/2.0/files/"+squatter+"/trash")
	d.refused(404, "not_found", 5, "DELETE", "/2.0/files/"+squatter+"/trash")
	d.want(204, 5, "DELETE", at)
	d.refused(400, "folder_not_empty", 5, "DELETE", "/2.0/folders/"+folder)
	d.want(204, 5, "DELETE", "/2.0/folders/"+folder+"?recursive=true")
	d.refused(403, simDenied, 5, "POST", at, `{}`)
	d.want(201, 5, "POST", at, `{"parent":{"id":"0"}}`)
	other := d.file(5, 23)
	d.refused(404, "trashed", 5, "GET", "/2.0/files/"+other) // in the trashed folder
	d.want(201, 5, "POST", "/2.0/folders/"+folder, `{}`)
	d.want(200, 5, "GET", "/2.0/files/"+other)
	if got := d.events(); got != "DELETE UPLOAD UNDELETE DELETE DELETE DELETE UNDELETE UNDELETE" {
		t.Error(got)
	}
}

func TestFakeItemsAreClassified(t *testing.T) {
	d := newSimDesk(t, 260)
	schema := d.want(200, 1, "GET", "/2.0/metadata_templates/enterprise/"+simTemplate+"/schema")
	if got := schema["fields"].([]any)[0].(obj)["options"].([]any); len(got) != len(simClasses) {
		t.Error(schema)
	}
	for _, item := range []string{"/2.0/files/" + d.file(1, 3), "/2.0/folders/" + d.folder(1, 1)} {
		at := item + "/metadata/enterprise/" + simTemplate
		d.refused(404, "instance_not_found", 1, "GET", at)
		d.refused(400, "bad_request", 1, "POST", at, `{"Box__Security__Classification__Key":"Secret"}`)
		d.want(201, 1, "POST", at, `{"Box__Security__Classification__Key":"Internal"}`)
		d.refused(409, "tuple_already_exists", 1, "POST", at, `{"Box__Security__Classification__Key":"Confidential"}`)
		patch := `[{"op":"replace","path":"/Box__Security__Classification__Key","value":"Confidential"}]`
		d.want(415, 1, "PUT", at, patch)
		d.want(200, 1, "PUT", at, patch, "Content-Type: application/json-patch+json")
		if got := d.want(200, 1, "GET", item+"?fields=classification")["classification"].(obj); got["name"] != "Confidential" {
			t.Error(got)
		}
		d.want(204, 1, "DELETE", at)
		d.want(404, 1, "DELETE", at)
	}
	if got := d.events(); strings.ReplaceAll(got, "METADATA_INSTANCE_", "") != "CREATE UPDATE DELETE CREATE UPDATE DELETE" {
		t.Error(got)
	}
}

func TestFakeIsAskedByManyAtOnce(t *testing.T) {
	d := newSimDesk(t, 26*40)
	ask := func(user int, method, target, body string) int {
		r := httptest.NewRequest(method, "http://box.test"+target, strings.NewReader(body))
		r.Header.Set("As-User", d.id(user))
		w := httptest.NewRecorder()
		d.mux.ServeHTTP(w, r)
		return w.Code
	}
	var all sync.WaitGroup
	for user := range 6 {
		all.Go(func() {
			for k := range 10 {
				at := "/2.0/files/" + d.file(user, k)
				ask(user, "GET", "/2.0/folders/"+d.folder(3, 2)+"/items?usemarker=true&fields=sha1,size,shared_link,path_collection", "")
				if code := ask(user, "PUT", at, `{"shared_link":{"access":"company"},"parent":{"id":"0"}}`); k != simTrashed && code != 200 {
					t.Errorf("%s as %d: %d", at, user, code)
				}
				ask(user, "GET", at, "")
				ask(user, "DELETE", at, "")
				ask(user, "GET", "/2.0/folders/trash/items?usemarker=true", "")
			}
		})
	}
	all.Wait()
	for user := range 6 {
		if got := d.names(user, "/2.0/folders/trash/items?usemarker=true&limit=1000"); len(got) < 10 {
			t.Errorf("%d files in the trash of %d", len(got), user)
		}
	}
}

func TestFakeMisbehavesWhenTold(t *testing.T) {
	d := newSimDesk(t, 260)
	tree := d.s.tree
	d.want(200, 2, "GET", "/2.0/files/"+d.file(2, 1))
	tree.odd.vanished[d.file(2, 1)] = true
	d.refused(404, "not_found", 2, "GET", "/2.0/files/"+d.file(2, 1))
	if got := d.names(2, "/2.0/folders/"+d.folder(2, 1)+"/items?usemarker=true"); !slices.Contains(got, d.file(2, 1)) {
		t.Error("a file that vanishes is not listed")
	}
	tree.put(d.folder(2, 3), d.folder(2, 1))
	if got := d.names(2, "/2.0/folders/"+d.folder(2, 3)+"/items?usemarker=true"); !slices.Contains(got, d.folder(2, 1)) {
		t.Error("the folder does not loop", got)
	}
	tree.odd.longer[d.file(2, 3)] = 10
	w := d.do(2, "GET", "/2.0/files/"+d.file(2, 3)+"/content")
	w = d.do(2, "GET", strings.TrimPrefix(w.Header().Get("Location"), "http://box.test"), "", "As-User: ")
	if w.Header().Get("Content-Length") != itoa(w.Body.Len()+10) {
		t.Error(w.Header())
	}
	tree.odd.stuck = true
	list := "/2.0/folders/" + d.folder(2, 1) + "/items?usemarker=true&limit=1"
	a := d.want(200, 2, "GET", list)["next_marker"].(string)
	if b := d.want(200, 2, "GET", list+"&marker="+a)["next_marker"]; a != b || a == "" {
		t.Error(a, b)
	}
}
