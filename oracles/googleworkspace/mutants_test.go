package googleworkspace

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestWhatTheDescriptionsDoNotAllowIsFound shows that the checker is able to fail.
func TestWhatTheDescriptionsDoNotAllowIsFound(t *testing.T) {
	f := func(method, target, body, answer, want string) {
		t.Helper()
		c := newChecker(t)
		c.granted["t"] = []string{"https://www.googleapis.com/auth/drive.metadata.readonly"}
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer t")
		c.wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })).ServeHTTP(httptest.NewRecorder(), r)
		if want == "" && len(c.found) > 0 || want != "" && c.found[want] == "" {
			t.Errorf("%s %s: found %v, want %q", method, target, c.found, want)
		}
	}
	const file = "/drive/v3/files/1x"
	f("GET", file, "", `{"id":"1x","size":"12","trashed":false}`, "")
	f("GET", "/drive/v4/files", "", `{}`, "GET /drive/v4/files")
	f("GET", file+"?supportAllDrives=true", "", `{}`, "drive.files.get ?supportAllDrives")
	f("GET", file+"?supportsAllDrives=yes", "", `{}`, "drive.files.get ?supportsAllDrives")
	f("GET", file+"?fields=id,sizes", "", `{}`, "drive.files.get fields sizes")
	f("GET", "/drive/v3/files?fields=files(id,permissions/ids)", "", `{}`, "drive.files.list fields ids")
	f("GET", "/drive/v3/files?pageSize=1001", "", `{}`, "drive.files.list ?pageSize")
	f("GET", "/drive/v3/changes", "", `{}`, "drive.changes.list ?pageToken")
	f("GET", file, "", `{"size":12}`, "drive.files.get answer.size")
	f("GET", file, "", `{"modifiedTime":"today"}`, "drive.files.get answer.modifiedTime")
	f("GET", file, "", `{"owners":[{"mail":"x"}]}`, "drive.files.get answer.owners[].mail")
	f("PATCH", file, `{"trash":true}`, `{}`, "drive.files.update request.trash")
	f("DELETE", file, "", "", "drive.files.delete scope")
}
