package box

import (
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"time"
)

// simForm is a form with content.
type simForm struct {
	Name   string
	Parent simParent
	data   []byte
}

type simParent struct{ ID string }

// simPut is the body of a request that changes or makes an item.
type simPut struct {
	Name, Version string
	Parent        simParent
	Link          json.RawMessage `json:"shared_link"`
}

// readForm reads the parts: attributes come first.
func (f *simAsk) readForm(body io.Reader, boundary string) any {
	parts := multipart.NewReader(body, boundary)
	seen := false
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return simBad("The form is broken")
		}
		b, err := io.ReadAll(p)
		switch {
		case err != nil:
			return simBad("The form is broken")
		case p.FormName() == "attributes":
			if seen = true; json.Unmarshal(b, &f.form) != nil {
				return simBad("attributes is no JSON object")
			}
		case !seen:
			return simNo{400, "metadata_after_file_contents", "Any metadata must be provided before the file contents", nil}
		case p.FormName() == "file":
			f.form.data = append([]byte{}, b...)
		}
	}
}

// check says what is wrong with the content of a form.
func (f *simAsk) check() any {
	if f.form.data == nil {
		return simBad("The form has no file")
	}
	if sum, _ := simSum(f.form.data); f.r.Header.Get("content-md5") != "" && !strings.EqualFold(f.r.Header.Get("content-md5"), sum) {
		return simNo{400, "bad_digest", "The specified content-md5 did not match what we received", nil}
	}
	return nil
}

// moveRoutes are what makes, changes and removes items.
func (s *simOrg) moveRoutes(on simOn) {
	for _, kind := range []string{"file", "folder", "web_link"} {
		one := "/2.0/" + kind + "s/{" + kind + "}"
		on("PUT "+one, "editor", s.put)
		on("DELETE "+one, "editor", s.trash)
		on("POST "+one, "owner", s.restore)
		on("DELETE "+one+"/trash", "owner", func(f *simAsk) (int, any) {
			s.tree.edit(f.it.id).gone = true
			return http.StatusNoContent, nil
		})
	}
	on("POST /2.0/folders", "", s.makeFolder)
	on("POST /2.0/files/{file}/copy", "viewer", s.copy)
	on("POST /api/2.0/files/content", "", s.upload)
	on("POST /api/2.0/files/{file}/content", "editor", s.uploadVersion)
	on("POST /2.0/files/{file}/versions/current", "editor", s.promote)
	on("DELETE /2.0/files/{file}/versions/{version}", "editor", func(f *simAsk) (int, any) {
		i := f.it.current(f.path("version"))
		switch {
		case i < 0:
			return 0, simAbsent
		case i == len(f.it.versions)-1:
			return 0, simForbid
		}
		s.tree.edit(f.it.id).versions[i].trashed = s.o.Now()
		return http.StatusNoContent, nil
	})
	on("PUT /2.0/files/{file}/versions/{version}", "editor", func(f *simAsk) (int, any) {
		in, bad := simInto[map[string]any](f)
		i := slices.IndexFunc(f.it.versions, func(v simVersion) bool { return v.id == f.path("version") })
		switch at, set := in["trashed_at"]; {
		case bad != nil:
			return 0, bad
		case !set || at != nil:
			return 0, simBad("Invalid trashed_at: want null")
		case i < 0:
			return 0, simAbsent
		}
		f.it = s.tree.edit(f.it.id)
		f.it.versions[i].trashed = time.Time{}
		return http.StatusOK, f.view.version(f.it, i)
	})
}

// target is the folder that something is to come into, as the tree names it. itself is what moves, "" = it is new.
func (s *simOrg) target(f *simAsk, id, name, itself string) (folder string, no any) {
	it := s.tree.get(id)
	switch {
	case id == "0":
		return simRoot(f.user.id), s.free(f, simRoot(f.user.id), name, itself)
	case it == nil || it.kind != "folder" || s.tree.role(f.user.id, it) == "":
		return "", simAbsent
	case !s.tree.live(it):
		return "", simInBin
	case simRank(s.tree.role(f.user.id, it)) < simRank("editor"):
		return "", simForbid
	case itself != "" && s.tree.loops(id, itself):
		return "", simNo{400, "cyclical_folder_structure", "Folder move creates cyclical folder structure", nil}
	}
	return id, s.free(f, id, name, itself)
}

// free says what is wrong with a name in a folder.
func (s *simOrg) free(f *simAsk, folder, name, itself string) (no any) {
	if name == "" || len(name) > 255 || strings.ContainsAny(name, "/\\\x00\n\t") || strings.TrimSpace(name) != name ||
		name == "." || name == ".." {
		return simNo{400, "item_name_invalid", "Item name invalid", nil}
	}
	s.tree.list(f.user.id, folder, 0, func(it *simItem, _ int) bool {
		if it.id != itself && strings.EqualFold(it.name, name) {
			no = simNo{409, "item_name_in_use", "Item with the same name already exists",
				obj{"conflicts": []obj{f.view.item(it, simMini[it.kind])}}}
		}
		return no == nil
	})
	return no
}

// touch is the item, held, as changed now by the user.
func (s *simOrg) touch(f *simAsk) *simItem {
	it := s.tree.edit(f.it.id)
	it.etag++
	it.edited, it.by = s.o.Now(), f.user.id
	f.it = it
	return it
}

// put is PUT of an item: its name, its place, its link.
func (s *simOrg) put(f *simAsk) (int, any) {
	in, bad := simInto[simPut](f)
	switch {
	case bad != nil:
		return 0, bad
	case f.it.id == "0":
		return 0, simForbid
	}
	it := f.it
	name, folder := in.Name, it.parent
	if name == "" {
		name = it.name
	}
	if id := in.Parent.ID; id != "" {
		folder, bad = s.target(f, id, name, it.id)
	} else if name != it.name {
		bad = s.free(f, folder, name, it.id)
	}
	if bad != nil {
		return 0, bad
	}
	link, kind := it.link, ""
	if in.Link != nil {
		if link, kind, bad = s.link(it, in.Link); bad != nil {
			return 0, bad
		}
	}
	moved, renamed := folder != it.parent, name != it.name
	it = s.touch(f)
	it.name, it.parent, it.link = name, folder, link
	s.tree.put(folder, it.id)
	it.owner = s.tree.ownerOf(it)
	if moved {
		s.tell(f, "MOVE", nil)
	}
	if renamed {
		s.tell(f, "RENAME", nil)
	}
	if kind != "" {
		s.tell(f, kind, nil)
	}
	return s.show(http.StatusOK, f)
}

// tell appends the event of a change of the item.
func (s *simOrg) tell(f *simAsk, kind string, details obj) {
	v := simView{t: s.tree, user: f.user.id}
	if f.it.kind == "web_link" {
		return
	}
	if details == nil {
		details = obj{}
	}
	if f.it.kind == "file" {
		last := f.it.versions[len(f.it.versions)-1]
		details["version_id"], details["size"] = last.id, len(last.bytes())
	}
	s.note(f.user, kind, v.source(f.it), details)
}

// trash is DELETE of an item.
func (s *simOrg) trash(f *simAsk) (int, any) {
	if f.it.id == "0" {
		return 0, simForbid
	}
	if f.it.kind == "folder" && f.query("recursive") != "true" {
		full := false
		s.tree.list(f.user.id, f.it.id, 0, func(*simItem, int) bool { full = true; return false })
		if full {
			return 0, simNo{400, "folder_not_empty", "Cannot delete - folder not empty", nil}
		}
	}
	owner := s.tree.ownerOf(f.it)
	it := s.touch(f)
	s.tell(f, "DELETE", nil)
	it.owner, it.trashed = owner, s.o.Now()
	s.tree.discard(it)
	return http.StatusNoContent, nil
}

// restore is POST of an item in the trash.
func (s *simOrg) restore(f *simAsk) (int, any) {
	in, bad := simInto[simPut](f)
	if bad != nil {
		return 0, bad
	}
	name, folder := in.Name, f.it.parent
	if name == "" {
		name = f.it.name
	}
	switch up := s.tree.get(folder); {
	case in.Parent.ID != "":
		folder, bad = s.target(f, in.Parent.ID, name, f.it.id)
	case folder != simRoot(s.tree.ownerOf(f.it)) && (up == nil || !s.tree.live(up)):
		bad = simNo{403, simDenied, "The folder that the item was in is gone", nil}
	default:
		bad = s.free(f, folder, name, f.it.id)
	}
	if bad != nil {
		return 0, bad
	}
	it := s.touch(f)
	it.name, it.parent, it.trashed = name, folder, time.Time{}
	s.tree.put(folder, it.id)
	it.owner = s.tree.ownerOf(it)
	s.tell(f, "UNDELETE", nil)
	status, out := s.show(http.StatusCreated, f)
	out["shared_link"] = nil // which works again nevertheless
	return status, out
}

// makeFolder is POST /folders.
func (s *simOrg) makeFolder(f *simAsk) (int, any) {
	in, bad := simInto[simPut](f)
	if bad != nil {
		return 0, bad
	}
	folder, bad := s.target(f, in.Parent.ID, in.Name, "")
	if bad != nil {
		return 0, bad
	}
	s.add(f, &simItem{kind: "folder", name: in.Name, parent: folder})
	s.tell(f, "UPLOAD", nil)
	return s.show(http.StatusCreated, f)
}

// add makes an item that the user made, in the folder that is its parent.
func (s *simOrg) add(f *simAsk, it *simItem) {
	it.id, it.made, it.edited, it.maker, it.by = s.tree.newID(), s.o.Now(), s.o.Now(), f.user.id, f.user.id
	it.owner = s.tree.ownerOf(it)
	s.tree.changed[it.id] = it
	s.tree.put(it.parent, it.id)
	f.it = it
}

// copy is POST /files/{id}/copy: the content and the class, not who it is shared with.
func (s *simOrg) copy(f *simAsk) (int, any) {
	in, bad := simInto[simPut](f)
	at := f.it.current(in.Version)
	switch {
	case bad != nil:
		return 0, bad
	case at < 0:
		return 0, simAbsent
	case in.Name == "":
		in.Name = f.it.name
	}
	folder, bad := s.target(f, in.Parent.ID, in.Name, "")
	if bad != nil {
		return 0, bad
	}
	v := f.it.versions[at]
	v.id, v.by, v.at = s.tree.newID(), f.user.id, s.o.Now()
	s.add(f, &simItem{kind: "file", name: in.Name, parent: folder, class: f.it.class, versions: []simVersion{v}})
	s.tell(f, "COPY", nil)
	return s.show(http.StatusCreated, f)
}

// upload is POST /files/content.
func (s *simOrg) upload(f *simAsk) (int, any) {
	if no := f.check(); no != nil {
		return 0, no
	}
	folder, no := s.target(f, f.form.Parent.ID, f.form.Name, "")
	if no != nil {
		return 0, no
	}
	s.add(f, &simItem{kind: "file", name: f.form.Name, parent: folder,
		versions: []simVersion{{id: s.tree.newID(), data: f.form.data, by: f.user.id, at: s.o.Now()}}})
	s.tell(f, "UPLOAD", nil)
	_, out := s.show(0, f)
	return http.StatusCreated, obj{"total_count": 1, "entries": []any{out}}
}

// uploadVersion is POST /files/{id}/content.
func (s *simOrg) uploadVersion(f *simAsk) (int, any) {
	if no := f.check(); no != nil {
		return 0, no
	}
	it := s.touch(f)
	if f.form.Name != "" {
		it.name = f.form.Name
	}
	it.versions = append(it.versions, simVersion{id: s.tree.newID(), data: f.form.data, by: f.user.id, at: it.edited})
	s.tell(f, "EDIT", nil)
	_, out := s.show(0, f)
	return http.StatusCreated, obj{"total_count": 1, "entries": []any{out}}
}

// promote makes a copy of an old version the current one.
func (s *simOrg) promote(f *simAsk) (int, any) {
	in, bad := simInto[struct{ ID, Type string }](f)
	i := f.it.current(in.ID)
	switch {
	case bad != nil:
		return 0, bad
	case in.ID == "" || i < 0:
		return 0, simAbsent
	}
	it := s.touch(f)
	v := it.versions[i]
	v.id, v.by, v.at = s.tree.newID(), f.user.id, it.edited
	it.versions = append(it.versions, v)
	s.tell(f, "FILE_VERSION_RESTORE", nil)
	return http.StatusCreated, f.view.version(it, len(it.versions)-1)
}
