package saas_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// treeVendor has users, each with folders and files in them; folders are listed with a marker, three entries a page.
type treeVendor struct {
	mu     sync.Mutex
	users  []string
	items  map[string][]string // entries by "user/folder"; those of folders end with a slash
	denied map[string]int      // status by user
	empty  map[string]bool     // a user whose files nobody may see for now
	asked  map[string]int      // pages by "user/folder"
}

func newTreeVendor(users ...string) *treeVendor {
	v := &treeVendor{users: users, items: map[string][]string{}, denied: map[string]int{}, empty: map[string]bool{}, asked: map[string]int{}}
	for _, u := range users {
		for f := range 2 {
			v.items[u+"/0"] = append(v.items[u+"/0"], fmt.Sprintf("d%d/", f))
			for g := range 2 {
				v.items[fmt.Sprintf("%s/d%d", u, f)] = append(v.items[fmt.Sprintf("%s/d%d", u, f)], fmt.Sprintf("d%d%d/", f, g))
				for n := range 4 {
					at := fmt.Sprintf("%s/d%d%d", u, f, g)
					v.items[at] = append(v.items[at], fmt.Sprintf("%s-file%d%d%d", u, f, g, n))
				}
			}
			v.items[u+"/0"] = append(v.items[u+"/0"], fmt.Sprintf("%s-file%d", u, f))
		}
	}
	return v
}

// files are those of all users that are there.
func (v *treeVendor) files() (files []string) {
	for at, entries := range v.items {
		if user, _, _ := strings.Cut(at, "/"); slices.Contains(v.users, user) {
			for _, e := range entries {
				if !strings.HasSuffix(e, "/") {
					files = append(files, e)
				}
			}
		}
	}
	return files
}

func (v *treeVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	page := []map[string]string{}
	if r.URL.Path == "/users" {
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		users, next := sim.Slice(v.users, offset, 3)
		for _, u := range users {
			page = append(page, map[string]string{"id": u})
		}
		out := map[string]any{"entries": page}
		if next > 0 {
			out["next"] = strconv.Itoa(next)
		}
		sim.WriteJSON(w, http.StatusOK, out)
		return
	}
	user, folder := r.Header.Get("As-User"), strings.TrimPrefix(r.URL.Path, "/folders/")
	if status := v.denied[user]; status != 0 {
		w.WriteHeader(status)
		return
	}
	if !slices.Contains(v.users, user) {
		http.NotFound(w, r)
		return
	}
	marker, _ := strconv.Atoi(r.URL.Query().Get("marker"))
	v.asked[user+"/"+folder]++
	all := v.items[user+"/"+folder]
	if v.empty[user] {
		all = nil
	}
	entries, next := sim.Slice(all, marker, 3)
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e, "/"); ok {
			page = append(page, map[string]string{"type": "folder", "id": id})
		} else {
			page = append(page, map[string]string{"type": "file", "id": e})
		}
	}
	out := map[string]any{"entries": page}
	if next > 0 {
		out["marker"] = strconv.Itoa(next)
	}
	sim.WriteJSON(w, http.StatusOK, out)
}

// folder is an open folder of a walk.
type folder struct {
	ID     string   `json:"id"`
	Marker string   `json:"marker,omitempty"`
	Sub    []string `json:"sub,omitempty"`
	End    bool     `json:"end,omitempty"`
}

// walkFolders reads one user's tree. The mark is the path of open folders, so that a walk goes on where it was cut.
func walkFolders(ctx context.Context, r *saas.Run) error {
	path := []folder{{ID: "0"}}
	r.Mark(&path)
	for len(path) > 0 {
		d := &path[len(path)-1]
		switch {
		case len(d.Sub) > 0:
			sub := d.Sub[0]
			d.Sub = d.Sub[1:]
			path = append(path, folder{ID: sub})
			continue
		case d.End:
			path = path[:len(path)-1]
			continue
		}
		user := r.Item().Key
		p, err := r.Do(ctx, saas.Req{URL: "/folders/" + d.ID + "?marker=" + d.Marker, As: user, Header: map[string]string{"As-User": user}})
		if err != nil {
			return err
		}
		for raw, err := range p.JSON("entries") {
			if err != nil {
				return err
			}
			if field(raw, "type") == "folder" {
				d.Sub = append(d.Sub, field(raw, "id"))
			} else if err := r.Emit("", raw); err != nil {
				return err
			}
		}
		d.Marker = p.Field("marker")
		d.End = d.Marker == ""
		if err := r.Commit(path); err != nil {
			return err
		}
	}
	r.Done()
	return r.Commit(nil)
}

func userStream(every time.Duration) saas.Stream {
	return saas.Stream{Name: "users", Kind: saas.Accounts, Dataset: "users", Every: every, Key: by("id"), Map: thing("user", "id"),
		Items: func(v *event.Values) []saas.Item { return []saas.Item{{Stream: "files", Key: field(v.Raw, "id")}} },
		Poll: saas.List(func(*saas.Run) saas.Req { return saas.Req{URL: "/users?"} }, rows("entries"), func(p *saas.Reply,
			_ json.RawMessage) (saas.Req, bool) {
			next := p.Field("next")
			return saas.Req{URL: "/users?offset=" + next}, next != ""
		})}
}

func TestAWalkIsResumedInside(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := newTreeVendor("ada", "bob", "cyd", "dee")
		s.serve(v)
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: []saas.Stream{userStream(time.Hour),
				{Name: "files", Kind: saas.Files, Dataset: "files", Over: "users", Every: 12 * time.Hour, Width: 3, Key: by("id"),
					Map: thing("file", "id"), Poll: walkFolders}}}
		}
		s.live(10 * time.Minute)
		s.inventory("users", v.users...)
		s.inventory("files", v.files()...)
		s.repeats("files", 3)
		if s.fate.n > 0 && s.fate.dies {
			for at, n := range v.asked { // a page that was read and saved is not asked for again
				if pages := (len(v.items[at]) + 2) / 3; n > pages+1 {
					t.Errorf("%s: %d pages were asked for, it has %d", at, n, pages)
				}
			}
		}
		if st := s.status("files"); !st.Complete || st.Parts != 4 {
			t.Errorf("%d parts, complete %v", st.Parts, st.Complete)
		}

		v.mu.Lock()
		v.items["ada/d00"] = v.items["ada/d00"][1:] // a file is deleted
		v.users = slices.DeleteFunc(v.users, func(u string) bool { return u == "bob" })
		v.denied["cyd"] = http.StatusForbidden // what cannot be read is not gone
		v.mu.Unlock()
		s.live(14 * time.Hour)
		s.inventory("users", "ada", "cyd", "dee")
		s.inventory("files", v.files()...)
		if st := s.status("files"); st.Parts != 3 {
			t.Errorf("%d parts, want those of three users", st.Parts)
		}
	})
}

func TestAWalkThatLosesMostCountsOnlyWhenTheNextAgrees(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := newTreeVendor("ada")
		s.serve(v)
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: []saas.Stream{userStream(time.Hour),
				{Name: "files", Kind: saas.Files, Dataset: "files", Over: "users", Every: 4 * time.Hour, Key: by("id"), Map: thing("file", "id"),
					Poll: walkFolders}}}
		}
		all := v.files()
		set := func(empty bool, files ...string) {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.empty["ada"] = empty
			if files != nil {
				v.items = map[string][]string{"ada/0": files}
			}
		}
		s.live(2 * time.Hour)
		s.inventory("files", all...)
		set(true) // success without rows, as when somebody revokes a right in the middle of a walk
		s.live(4 * time.Hour)
		s.inventory("files", all...)
		set(false)
		s.live(4 * time.Hour)
		s.inventory("files", all...)
		set(true)
		s.live(4 * time.Hour)
		s.inventory("files", all...)
		set(false, all[:4]...) // the next loses most too, but not the same: only what both lost is gone
		s.live(4 * time.Hour)
		s.inventory("files", all[:4]...)
		for _, r := range s.of("files") {
			if r.deleted && slices.Contains(all[:4], r.key) {
				t.Errorf("%s was reported as deleted", r.key)
			}
		}
	})
}
