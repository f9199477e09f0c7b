package box

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
	"github.com/longshore-dev/longshore/receivers/box"
)

func TestMain(m *testing.M) { procs.Main(m) }

// enterprise is a running fake, and a client of it that is not ours.
type enterprise struct {
	*sim.Sim
	base, token string
	auth        map[string]any
}

// serve serves an enterprise until the test ends.
func serve(t *testing.T, o sim.Options) *enterprise {
	t.Helper()
	s, err := box.Provider.Sim(o)
	if err != nil {
		t.Fatal(err)
	}
	base, stop, err := sim.Serve("127.0.0.1:0", s, "", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	e := &enterprise{Sim: s, base: base, auth: s.Config(base)["auth"].(map[string]any)}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {e.key("client_id")}, "client_secret": {e.key("client_secret")},
		"box_subject_type": {"enterprise"}, "box_subject_id": {e.key("enterprise_id")}}
	resp, err := http.PostForm(base+"/oauth2/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var tok struct {
		Value string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&tok); err != nil || tok.Value == "" {
		t.Fatalf("no token: status %d, %v", resp.StatusCode, err)
	}
	e.token = tok.Value
	return e
}

func (e *enterprise) key(name string) string { return fmt.Sprint(e.auth[name]) }

// receiver is the configuration that polls it, with some keys set.
func (e *enterprise) receiver(set procs.M) procs.M {
	cfg := e.Config(e.base)
	cfg["storage"] = "file_storage"
	for k, v := range set {
		cfg[k] = v
	}
	return cfg
}

// call sends a request on a user's behalf and decodes the answer.
func (e *enterprise) call(t *testing.T, as, method, path, typ, body string, out any) (status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, e.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+e.token)
	if as != "" {
		req.Header.Set("As-User", as)
	}
	if typ != "" {
		req.Header.Set("Content-Type", typ)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if out != nil && resp.StatusCode < 300 {
		if err := json.Unmarshal(text, out); err != nil {
			t.Fatalf("%s %s: %v: %.300s", method, path, err, text)
		}
	}
	return resp.StatusCode
}

// upload makes a new version of a file, as its owner would.
func (e *enterprise) upload(t *testing.T, f file, content string) {
	t.Helper()
	e.send(t, f.Owner.ID, "/api/2.0/files/"+f.ID+"/content", map[string]any{"name": f.Name}, content)
}

// create makes a file in a folder of a user's.
func (e *enterprise) create(t *testing.T, as, folder, name, content string) (f file) {
	t.Helper()
	attributes := map[string]any{"name": name, "parent": map[string]string{"id": folder}}
	list := e.send(t, as, "/api/2.0/files/content?fields="+fileFields, attributes, content)
	if len(list.Entries) != 1 {
		t.Fatalf("create file %q: %d entries", name, len(list.Entries))
	}
	return list.Entries[0]
}

// send uploads: the attributes before the content, as Box wants them.
func (e *enterprise) send(t *testing.T, as, path string, attributes map[string]any, content string) (list page[file]) {
	t.Helper()
	const edge = "longshore-edge"
	text, err := json.Marshal(attributes)
	if err != nil {
		t.Fatal(err)
	}
	body := "--" + edge + "\r\nContent-Disposition: form-data; name=\"attributes\"\r\n\r\n" + string(text) +
		"\r\n--" + edge + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\nContent-Type: application/octet-stream\r\n\r\n" +
		content + "\r\n--" + edge + "--\r\n"
	if status := e.call(t, as, http.MethodPost, path, "multipart/form-data; boundary="+edge, body, &list); status >= 300 {
		t.Fatalf("upload to %s: status %d", path, status)
	}
	return list
}

// file is a file as the fake shows it.
type file struct {
	ID, Type, Name, SHA1 string
	Owner                struct{ ID string } `json:"owned_by"`
	Parent               struct{ ID string }
	External             bool             `json:"is_externally_owned"`
	Link                 *json.RawMessage `json:"shared_link"`
}

const fileFields = "id,type,name,sha1,owned_by,parent,is_externally_owned,shared_link"

// page is a page of a list with markers.
type page[T any] struct {
	Entries []T
	Next    string `json:"next_marker"`
}

// files walks all users' trees: what they own, as it is now.
func (e *enterprise) files(t *testing.T) []file {
	t.Helper()
	type user struct{ ID, Status string }
	var users []user
	for marker := ""; ; {
		var p page[user]
		e.call(t, "", http.MethodGet, "/2.0/users?user_type=managed&usemarker=true&limit=1000&marker="+url.QueryEscape(marker), "", "", &p)
		users = append(users, p.Entries...)
		if marker = p.Next; marker == "" {
			break
		}
	}
	var out []file
	for _, u := range users {
		for todo := []string{"0"}; u.Status == "active" && len(todo) > 0; {
			folder := todo[0]
			todo = todo[1:]
			for marker := ""; ; {
				var p page[file]
				e.call(t, u.ID, http.MethodGet, "/2.0/folders/"+folder+"/items?usemarker=true&limit=1000&fields="+fileFields+"&marker="+
					url.QueryEscape(marker), "", "", &p)
				for _, f := range p.Entries {
					switch {
					case f.Type == "folder":
						todo = append(todo, f.ID)
					case f.Type == "file" && f.Owner.ID == u.ID && !f.External:
						out = append(out, f)
					}
				}
				if marker = p.Next; marker == "" {
					break
				}
			}
		}
	}
	return out
}

// published is what a stream must deliver.
func (e *enterprise) published(stream string) []string {
	var out []string
	e.Published(stream, func(key string) bool { out = append(out, key); return true })
	slices.Sort(out)
	return out
}
