package analysts

import (
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

type obj = map[string]any

// person is an account of the company, in Okta and, unless box is "", in Box.
type person struct {
	name, okta, box string
	status, at      string // in Okta and in Box
	kind            string // userType
	seen            int    // days since the last sign-in
	home            string // the address of their sign-ins
}

func (p *person) login() string { return p.name + "@contoso.example" }

func (p *person) full() string {
	words := strings.Split(p.name, ".")
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}

// world is the company as its two providers show it. Everything in it was written by story; times are reckoned from now.
type world struct {
	now time.Time

	people  []*person
	log     []obj // of Okta
	groups  []obj
	members map[string][]*person
	roles   map[string][]obj // by holder, users/<id> or groups/<id>
	apps    []obj
	grants  map[string][]obj // by user
	tokens  []obj

	events []obj // of Box
	files  []*file

	mu    sync.Mutex
	state map[string]string // of accounts in Okta
	heard []string          // what asked for a change
}

// file is a file or a folder of Box.
type file struct {
	id, name string
	owner    *person
	in       *file // nil = its owner's root
	folder   bool
	content  string
	size     int    // 0 = that of the content
	link     string // open, company; "" = none
	guests   []obj
}

// ago is a moment of the story.
func (w *world) ago(days, hours, minutes int) time.Time {
	return w.now.Add(-time.Duration(days)*24*time.Hour - time.Duration(hours)*time.Hour - time.Duration(minutes)*time.Minute)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// write answers with JSON.
func write(rw http.ResponseWriter, status int, v any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(v)
}

// serve serves both providers until the test ends, each at its own address.
func (w *world) serve(t *testing.T) (okta, box string) {
	t.Helper()
	serve := func(h http.Handler) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	}
	return serve(w.okta()), serve(w.box())
}

// route registers a handler that answers with a status and a body.
func route(m *http.ServeMux, pattern string, h func(r *http.Request) (int, any)) {
	m.HandleFunc(pattern, func(rw http.ResponseWriter, r *http.Request) {
		status, v := h(r)
		if v == nil {
			rw.WriteHeader(status)
			return
		}
		write(rw, status, v)
	})
}

func (w *world) byOkta(id string) *person {
	for _, p := range w.people {
		if p.okta == id || p.login() == id {
			return p
		}
	}
	return nil
}

// okta answers as an org does: what the receiver asks, and the changes that the story's policies make.
func (w *world) okta() http.Handler {
	m := http.NewServeMux()
	list := func(pattern string, of func(r *http.Request) []obj) {
		route(m, "GET /api/v1/"+pattern, func(r *http.Request) (int, any) { return http.StatusOK, append([]obj{}, of(r)...) })
	}
	none := func(*http.Request) []obj { return nil }
	route(m, "GET /api/v1/org", func(*http.Request) (int, any) {
		return http.StatusOK, obj{"id": "00o1contoso000000000", "companyName": "Contoso", "subdomain": "contoso"}
	})
	m.HandleFunc("GET /api/v1/logs", func(rw http.ResponseWriter, r *http.Request) {
		page := w.log
		if r.URL.Query().Get("after") != "" {
			page = []obj{}
		}
		rw.Header().Set("Link", fmt.Sprintf("<http://%s/api/v1/logs?after=end>; rel=\"next\"", r.Host))
		write(rw, http.StatusOK, page)
	})
	list("users", func(r *http.Request) (out []obj) {
		for _, p := range w.people {
			if left := p.status == "DEPROVISIONED"; left == strings.Contains(r.URL.RawQuery, "search=") {
				out = append(out, w.user(p))
			}
		}
		return out
	})
	route(m, "GET /api/v1/users/{id}", func(r *http.Request) (int, any) {
		p := w.byOkta(r.PathValue("id"))
		if r.PathValue("id") == "me" {
			p = w.byOkta("00u0longshore0000000")
		}
		if p == nil {
			return http.StatusNotFound, obj{"errorCode": "E0000007", "errorSummary": "Not found"}
		}
		return http.StatusOK, w.user(p)
	})
	list("users/{id}/roles", func(r *http.Request) []obj { return w.roles["users/"+r.PathValue("id")] })
	list("groups/{id}/roles", func(r *http.Request) []obj { return w.roles["groups/"+r.PathValue("id")] })
	list("users/{id}/roles/{role}/targets/{kind...}", none)
	list("groups/{id}/roles/{role}/targets/{kind...}", none)
	list("users/{id}/grants", func(r *http.Request) []obj { return w.grants[r.PathValue("id")] })
	list("users/{id}/clients", none)
	list("groups", func(*http.Request) []obj { return w.groups })
	list("groups/{id}/users", func(r *http.Request) (out []obj) {
		for _, p := range w.members[r.PathValue("id")] {
			out = append(out, w.user(p))
		}
		return out
	})
	list("apps", func(*http.Request) []obj { return w.apps })
	list("apps/{id}/grants", none)
	list("apps/{id}/tokens", none)
	list("api-tokens", func(*http.Request) []obj { return w.tokens })
	route(m, "GET /api/v1/iam/assignees/users", func(*http.Request) (int, any) {
		var out []obj
		for _, p := range w.people {
			if len(w.roles["users/"+p.okta]) > 0 {
				out = append(out, obj{"id": p.okta})
			}
		}
		return http.StatusOK, obj{"value": out}
	})
	route(m, "GET /api/v1/iam/roles", func(*http.Request) (int, any) {
		return http.StatusOK, obj{"roles": []obj{{"id": "cr0mail00000000000000", "label": "Keepers of mail domains"}}}
	})
	route(m, "GET /api/v1/iam/roles/{id}/permissions", func(*http.Request) (int, any) {
		return http.StatusOK, obj{"permissions": []obj{{"label": "okta.emailDomains.manage"}}}
	})
	route(m, "POST /api/v1/users/{id}/lifecycle/{verb}", func(r *http.Request) (int, any) {
		if r.PathValue("id") == w.named("pete.park").okta {
			return http.StatusForbidden, obj{"errorCode": "E0000006", "errorSummary": "You do not have permission to perform the requested action"}
		}
		to := map[string]string{"suspend": "SUSPENDED", "unsuspend": "ACTIVE"}[r.PathValue("verb")]
		w.change(r, r.PathValue("id"), to)
		return http.StatusOK, obj{}
	})
	route(m, "DELETE /api/v1/users/{id}/sessions", func(r *http.Request) (int, any) {
		w.change(r, r.PathValue("id"), "")
		return http.StatusNoContent, nil
	})
	return m
}

// change notes a request that changed something.
func (w *world) change(r *http.Request, id, to string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, r.Method+" "+r.URL.Path)
	if to != "" {
		w.state[id] = to
	}
}

// changes are the requests that changed something.
func (w *world) changes() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.heard)
}

func (w *world) user(p *person) obj {
	w.mu.Lock()
	defer w.mu.Unlock()
	status := p.status
	if s := w.state[p.okta]; s != "" {
		status = s
	}
	first, last, _ := strings.Cut(p.full(), " ")
	u := obj{"id": p.okta, "status": status, "created": stamp(w.ago(500, 0, 0)), "lastUpdated": stamp(w.ago(60, 0, 0)),
		"passwordChanged": stamp(w.ago(60, 0, 0)), "lastLogin": nil, "credentials": obj{"provider": obj{"type": "OKTA", "name": "OKTA"}},
		"profile": obj{"login": p.login(), "email": p.login(), "firstName": first, "lastName": last, "userType": p.kind}}
	if p.seen > 0 {
		u["lastLogin"] = stamp(w.ago(p.seen, 0, 0))
	}
	return u
}

// box answers as an enterprise does: what the receiver asks.
func (w *world) box() http.Handler {
	m := http.NewServeMux()
	route(m, "POST /oauth2/token", func(*http.Request) (int, any) {
		return http.StatusOK, obj{"access_token": "story", "token_type": "bearer", "expires_in": 3600}
	})
	get := func(pattern string, h func(r *http.Request) (int, any)) { route(m, "GET /2.0/"+pattern, h) }
	get("users/me", func(*http.Request) (int, any) {
		return http.StatusOK, obj{"type": "user", "id": "29999", "name": "Longshore", "login": "AutomationUser_1_story@boxdevedition.com",
			"role": "user", "status": "active", "enterprise": obj{"id": "777", "name": "Contoso"}}
	})
	get("users", func(*http.Request) (int, any) {
		var out []obj
		for _, p := range w.people {
			if p.box != "" {
				role := "user"
				if p.name == "alice.arnold" {
					role = "admin"
				}
				u := mini(p)
				u["status"], u["role"], u["created_at"], u["modified_at"] = p.at, role, stamp(w.ago(500, 0, 0)), stamp(w.ago(60, 0, 0))
				out = append(out, u)
			}
		}
		return http.StatusOK, obj{"entries": out, "next_marker": ""}
	})
	get("groups", func(*http.Request) (int, any) {
		return http.StatusOK, obj{"total_count": 0, "limit": 1000, "offset": 0, "entries": []obj{}}
	})
	get("events", w.boxEvents)
	get("folders/{id}", func(r *http.Request) (int, any) { return http.StatusOK, obj{"type": "folder", "id": r.PathValue("id")} })
	get("folders/{id}/items", func(r *http.Request) (int, any) {
		as, out := r.Header.Get("As-User"), []obj{}
		if r.PathValue("id") == "trash" {
			return http.StatusOK, obj{"entries": out, "next_marker": ""}
		}
		if as == w.named("grace.green").box {
			return http.StatusForbidden, obj{"type": "error", "status": 403, "code": "access_denied_insufficient_permissions"}
		}
		for _, f := range w.files {
			if f.owner.box == as && (f.in == nil && r.PathValue("id") == "0" || f.in != nil && f.in.id == r.PathValue("id")) {
				out = append(out, w.item(f))
			}
		}
		return http.StatusOK, obj{"entries": out, "next_marker": ""}
	})
	for _, kind := range []string{"files", "folders"} {
		get(kind+"/{id}/collaborations", func(r *http.Request) (int, any) {
			return http.StatusOK, obj{"entries": append([]obj{}, w.file(r.PathValue("id")).guests...), "next_marker": ""}
		})
	}
	get("files/{id}", func(r *http.Request) (int, any) {
		f := w.file(r.PathValue("id"))
		if f == nil {
			return http.StatusNotFound, obj{"type": "error", "status": 404, "code": "not_found"}
		}
		return http.StatusOK, w.item(f)
	})
	m.HandleFunc("GET /2.0/files/{id}/content", func(rw http.ResponseWriter, r *http.Request) {
		_, _ = rw.Write([]byte(w.file(r.PathValue("id")).content))
	})
	route(m, "OPTIONS /2.0/files/content", func(*http.Request) (int, any) { return http.StatusOK, obj{} })
	return m
}

func (w *world) named(name string) *person {
	for _, p := range w.people {
		if p.name == name {
			return p
		}
	}
	panic("nobody is named " + name)
}

func (w *world) file(id string) *file {
	for _, f := range w.files {
		if f.id == id {
			return f
		}
	}
	return nil
}

func mini(p *person) obj {
	return obj{"type": "user", "id": p.box, "name": p.full(), "login": p.login()}
}

// item is a file or a folder as Box shows it to its owner.
func (w *world) item(f *file) obj {
	path, parent := []obj{{"type": "folder", "id": "0", "name": "All Files"}}, obj{"type": "folder", "id": "0", "name": "All Files"}
	if f.in != nil {
		parent = obj{"type": "folder", "id": f.in.id, "name": f.in.name}
		path = append(path, parent)
	}
	it := obj{"type": "file", "id": f.id, "etag": "1", "name": f.name, "owned_by": mini(f.owner), "created_by": mini(f.owner),
		"parent": parent, "path_collection": obj{"total_count": len(path), "entries": path}, "created_at": stamp(w.ago(90, 0, 0)),
		"modified_at": stamp(w.ago(30, 0, 0)), "shared_link": nil, "has_collaborations": len(f.guests) > 0, "is_externally_owned": false,
		"item_status": "active", "trashed_at": nil}
	if f.folder {
		it["type"] = "folder"
	} else {
		size := f.size
		if size == 0 {
			size = len(f.content)
		}
		it["size"], it["extension"] = size, f.name[strings.LastIndexByte(f.name, '.')+1:]
		it["sha1"], it["file_version"] = fmt.Sprintf("%x", sha1.Sum([]byte(f.id+f.content))), obj{"type": "file_version", "id": "9" + f.id}
	}
	if f.link != "" {
		it["shared_link"] = obj{"url": "https://contoso.box.example/s/" + f.id, "access": f.link, "effective_access": f.link,
			"effective_permission": "can_download"}
	}
	return it
}

// boxEvents answers for the stream and, where it asks for a time, for the log.
func (w *world) boxEvents(r *http.Request) (int, any) {
	q := r.URL.Query()
	after, _ := time.Parse(time.RFC3339, q.Get("created_after"))
	before, err := time.Parse(time.RFC3339, q.Get("created_before"))
	if err != nil {
		before = w.now.Add(time.Hour)
		after = w.now.Add(-14 * 24 * time.Hour)
	}
	out := []obj{}
	if p := q.Get("stream_position"); p == "0" {
		for _, e := range w.events {
			if at, _ := time.Parse(time.RFC3339, e["created_at"].(string)); at.After(after) && at.Before(before) {
				out = append(out, e)
			}
		}
	}
	next := "1001"
	if len(out) == 0 && q.Get("stream_position") == "0" {
		next = "0"
	}
	return http.StatusOK, obj{"chunk_size": len(out), "next_stream_position": next, "entries": out}
}
