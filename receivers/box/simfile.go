package box

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simAsk is a request about an item that the user can see.
type simAsk struct {
	*simCall
	it   *simItem
	role string   // of the user in the item
	view *simView // how the user sees items
	body []byte
	form simForm // in place of it
}

// simNo is an answer that refuses.
type simNo struct {
	status        int
	code, message string
	info          obj
}

var (
	simAbsent   = simNo{404, "not_found", "Not Found", nil}
	simForbid   = simNo{403, simDenied, "Access denied - insufficient permission", nil}
	simInBin    = simNo{404, "trashed", "Item is trashed", nil}
	simNotInBin = simNo{405, "not_trashed", "Item is not trashed", nil}
	simStale    = simNo{412, "precondition_failed", "The resource has been modified. Please retrieve the resource again and retry", nil}
)

func simBad(format string, args ...any) simNo {
	return simNo{400, "bad_request", fmt.Sprintf(format, args...), nil}
}

// simInto reads a JSON body.
func simInto[T any](f *simAsk) (in T, bad any) {
	if err := json.Unmarshal(f.body, &in); err != nil {
		return in, simBad("Entity body should be a correctly nested resource attribute name/value pair")
	}
	return in, nil
}

// simOn registers a route. need is the weakest role that may use it: "" = none, no item is meant.
type simOn func(pattern, need string, h func(f *simAsk) (status int, v any))

// fileRoutes registers what the fake answers about files.
func (s *simOrg) fileRoutes(add simAdd) {
	s.tree.teams = s.groups
	for _, u := range s.byID {
		if _, ok := s.tree.people[u.id]; !ok {
			s.tree.people[u.id] = simPerson{u.id, u.name, u.login, u.status == "active"}
		}
	}
	on := func(pattern, need string, h func(f *simAsk) (int, any)) {
		scope := simWrite
		if strings.HasPrefix(pattern, "GET ") {
			scope = simRead
		}
		add(pattern, scope, func(c *simCall) { s.answer(c, need, h) })
	}
	s.readRoutes(on)
	s.moveRoutes(on)
	s.shareRoutes(on)
	s.classRoutes(on)
	add("GET /download/{file}/{version}", simOpen, s.download)
	add("OPTIONS /2.0/files/content", simWrite, func(c *simCall) { // every upload would be taken
		c.json(http.StatusOK, obj{"upload_url": c.base + "/api/2.0/files/content"})
	})
}

// answer answers a request; nobody waits for its client.
func (s *simOrg) answer(c *simCall, need string, h func(f *simAsk) (int, any)) {
	f := &simAsk{simCall: c, view: &simView{t: s.tree, user: c.user.id}}
	status, v := 0, f.read()
	if v == nil {
		status, v = s.locked(f, need, h)
	}
	switch no, refused := v.(simNo); {
	case refused:
		s.failWith(c.w, no.status, no.code, no.message, no.info)
	case v == nil:
		c.w.WriteHeader(status)
	default:
		c.json(status, v)
	}
}

// locked finds the item that the path names and asks h, under the lock.
func (s *simOrg) locked(f *simAsk, need string, h func(f *simAsk) (int, any)) (status int, v any) {
	if f.r.Method == http.MethodGet {
		s.files.RLock()
		defer s.files.RUnlock()
	} else {
		s.files.Lock()
		defer s.files.Unlock()
	}
	if v = s.reach(f, need); v != nil {
		return 0, v
	}
	return h(f)
}

// read takes the body before the lock is taken.
func (f *simAsk) read() any {
	body := http.MaxBytesReader(f.w, f.r.Body, 16<<20)
	kind, params, _ := mime.ParseMediaType(f.r.Header.Get("Content-Type"))
	if kind == "multipart/form-data" {
		return f.readForm(body, params["boundary"])
	}
	var err error
	if f.body, err = io.ReadAll(body); err != nil {
		return simBad("Entity body is too large or was cut off")
	}
	return nil
}

// reach finds the item, or says why the user may not.
func (s *simOrg) reach(f *simAsk, need string) any {
	kind, id := "file", f.path("file")
	for _, k := range []string{"folder", "web_link"} {
		if v := f.path(k); v != "" {
			kind, id = k, v
		}
	}
	if id == "" || id == "0" && kind == "folder" {
		if f.role = "owner"; id == "0" {
			f.it = &simItem{id: "0", kind: "folder", name: "All Files", owner: f.user.id, maker: f.user.id, by: f.user.id,
				made: f.user.created, edited: f.user.created}
		}
		return nil
	}
	it := s.tree.get(id)
	if it == nil || it.kind != kind || s.tree.odd.vanished[id] {
		return simAbsent
	}
	f.it, f.role = it, s.tree.role(f.user.id, it)
	restore := strings.HasPrefix(f.r.Pattern, "POST ") && strings.Count(f.r.Pattern, "/") == 3
	binned := restore || strings.HasSuffix(f.r.Pattern, "/trash")
	match := f.r.Header.Get("If-Match")
	switch live := s.tree.live(it); {
	case f.role == "":
		return simAbsent
	case !binned && !live:
		return simInBin
	case restore && it.trashed.IsZero():
		return simNotInBin
	case binned && it.trashed.IsZero():
		return simAbsent
	case simRank(f.role) < simRank(need):
		return simForbid
	case f.r.Method != http.MethodGet && match != "" && match != itoa(it.etag):
		return simStale
	}
	return nil
}

// readRoutes are what shows items, lists and content.
func (s *simOrg) readRoutes(on simOn) {
	for _, kind := range []string{"file", "folder", "web_link"} {
		one := "/2.0/" + kind + "s/{" + kind + "}"
		on("GET "+one, "uploader", s.showOne)
		on("GET "+one+"/trash", "uploader", s.showOne)
	}
	on("GET /2.0/folders/{folder}/items", "uploader", func(f *simAsk) (int, any) {
		return s.entries(f, func(place int, each func(*simItem, int) bool) { s.tree.list(f.user.id, f.key(), place, each) })
	})
	on("GET /2.0/folders/trash/items", "", func(f *simAsk) (int, any) {
		return s.entries(f, func(place int, each func(*simItem, int) bool) { s.tree.bin(f.user.id, place, each) })
	})
	on("GET /2.0/files/{file}/content", "viewer", s.content)
	on("GET /2.0/files/{file}/versions", "viewer", func(f *simAsk) (int, any) {
		limit, _, offset, no := simPaging(f)
		if no != nil {
			return 0, no
		}
		past := []obj{}
		for i := len(f.it.versions) - 2; i >= 0; i-- {
			past = append(past, f.view.version(f.it, i))
		}
		page, _ := sim.Slice(past, offset, limit)
		return http.StatusOK, obj{"total_count": len(past), "limit": limit, "offset": offset, "entries": append([]obj{}, page...)}
	})
}

// key is the folder as the tree names it.
func (f *simAsk) key() string {
	if f.it.id == "0" {
		return simRoot(f.user.id)
	}
	return f.it.id
}

// fields are what the request wants to see of items; nil = the usual.
func (f *simAsk) fields() []string {
	if v := f.query("fields"); v != "" {
		return strings.Split(v, ",")
	}
	return nil
}

// show answers with the item.
func (s *simOrg) show(status int, f *simAsk) (int, obj) {
	fields := f.fields()
	if fields != nil {
		return status, f.view.item(f.it, fields)
	}
	out := f.view.item(f.it, slices.Concat(simMini[f.it.kind], simStandard[f.it.kind]))
	if f.it.kind == "folder" && f.r.Method == http.MethodGet && f.it.trashed.IsZero() {
		total, page := 0, []obj{}
		s.tree.list(f.user.id, f.key(), 0, func(it *simItem, _ int) bool {
			if total++; total <= 100 {
				page = append(page, f.view.item(it, simMini[it.kind]))
			}
			return true
		})
		out["item_collection"] = obj{"total_count": total, "offset": 0, "limit": 100, "entries": page}
	}
	return status, out
}

// showOne is GET of an item.
func (s *simOrg) showOne(f *simAsk) (int, any) { return s.show(http.StatusOK, f) }

// content sends the client to where it can download, for a while, without a token.
func (s *simOrg) content(f *simAsk) (int, any) {
	i := f.it.current(f.query("version"))
	if i < 0 {
		return 0, simAbsent
	}
	v := f.it.versions[i]
	if s.o.Now().Before(v.at.Add(s.tree.odd.unready)) {
		f.w.Header().Set("Retry-After", "1")
		return http.StatusAccepted, nil
	}
	host := f.base
	if s.tree.odd.host != "" {
		host = s.tree.odd.host
	}
	until := s.o.Now().Add(15 * time.Minute).Unix()
	f.w.Header().Set("Location", fmt.Sprintf("%s/download/%s/%s?until=%d&signature=%s", host, f.it.id, v.id, until, s.signature(v.id, until)))
	return http.StatusFound, nil
}

func (s *simOrg) signature(version string, until int64) string {
	return fmt.Sprintf("%016x", sim.Hash(s.o.Seed, 65, sim.KeySum(version), uint64(until)))
}

// current is the place of a version of a file, "" = the last; -1 = it has no such.
func (it *simItem) current(id string) int {
	if id == "" {
		return len(it.versions) - 1
	}
	return slices.IndexFunc(it.versions, func(v simVersion) bool { return v.id == id && v.trashed.IsZero() })
}

// download is the content. A token is none of its business.
func (s *simOrg) download(c *simCall) {
	until, _ := strconv.ParseInt(c.query("until"), 10, 64)
	id := c.path("version")
	switch {
	case s.tree.odd.host != "" && c.r.Header.Get("Authorization") != "": // clients leave it at the host that sent them here
		s.fail(c.w, http.StatusBadRequest, "bad_request", "Only one way to authenticate may be used, and that is the signature of the URL")
		return
	case c.query("signature") != s.signature(id, until) || s.o.Now().Unix() > until:
		s.fail(c.w, http.StatusForbidden, simDenied, "The URL is wrong or has expired")
		return
	}
	s.files.RLock()
	it := s.tree.get(c.path("file"))
	at := -1
	if it != nil && !s.tree.odd.vanished[it.id] {
		at = it.current(id)
	}
	if at < 0 {
		s.files.RUnlock()
		s.failStatus(c.w, c.r, http.StatusNotFound)
		return
	}
	v, name, longer := it.versions[at], it.name, s.tree.odd.longer[it.id]
	s.files.RUnlock()
	b := v.bytes()
	kind := "application/octet-stream"
	if v.data == nil {
		kind = v.doc.Kind.MIME
	}
	h := c.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Content-Length", strconv.FormatInt(max(0, int64(len(b))+longer), 10))
	_, _ = c.w.Write(b)
}
