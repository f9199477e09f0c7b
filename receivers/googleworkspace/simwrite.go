package googleworkspace

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simWritable are the fields of a file that requests may set.
var simWritable = strings.Fields(`name mimeType description starred trashed parents writersCanShare copyRequiresWriterPermission
contentRestrictions inheritedPermissionsDisabled viewersCanCopyContent properties appProperties modifiedTime createdTime id kind
downloadRestrictions`)

// writeRoutes answer about what changes files.
func (s *simOrg) writeRoutes(add simAdd) {
	const one, upload = "/drive/v3/files/{file}", "/upload/drive/v3/files"
	add("PATCH "+one, "drive", s.onFile("writer", "", func(a *simAsk) (any, *simNo) { return s.update(a, a.body, nil) }))
	add("PATCH "+upload+"/{file}", "drive", s.onFile("writer", "", func(a *simAsk) (any, *simNo) { return s.upload(a.simCall, a) }))
	add("PUT "+upload+"/{file}", "drive", s.onFile("writer", "", s.resume)) // of a session
	add("POST "+upload, "drive", func(c *simCall) (any, *simNo) { return s.upload(c, nil) })
	add("POST /drive/v3/files", "drive", func(c *simCall) (any, *simNo) { return s.create(c, c.body, nil, "") })
	add("POST "+one+"/copy", "drive", s.onFile("reader", "", s.copyFile))
	add("DELETE "+one, "drive", s.onFile("owner", "organizer", func(a *simAsk) (any, *simNo) {
		f := s.tree.edit(a.f)
		f.gone = true
		s.changed(a.simCall, a.f, "access", "delete")
		return nil, nil
	}))
	add("DELETE "+one+"/revisions/{revision}", "drive", s.onFile("writer", "", func(a *simAsk) (any, *simNo) {
		i := slices.IndexFunc(a.f.revs, func(r simRev) bool { return r.id == a.path("revision") })
		switch {
		case i < 0:
			return nil, &simNo{http.StatusNotFound, "notFound", "Revision not found: " + a.path("revision") + ".", "revisionId"}
		case a.f.editors():
			return nil, simForbid("revisionsNotSupported", "The file does not support the deletion of revisions.")
		case len(a.f.revs) == 1:
			return nil, simBad("cannotDeleteOnlyRevision", "The only revision of a file cannot be deleted.")
		}
		f := s.tree.edit(a.f)
		f.revs = slices.Delete(f.revs, i, i+1)
		s.changed(a.simCall, f, "", "")
		return nil, nil
	}))
}

// update is PATCH of a file: of its metadata, or of its content too.
func (s *simOrg) update(a *simAsk, body, data []byte) (any, *simNo) {
	in, no := simFields(body)
	if no != nil {
		return nil, no
	}
	f := *a.f
	f.perms, f.revs = slices.Clone(f.perms), slices.Clone(f.revs)
	event := "edit"
	if no := simSetFields(&f, in, &event); no != nil {
		return nil, no
	}
	locked := slices.ContainsFunc(a.f.locks, func(l obj) bool { return l["readOnly"] == true })
	own := a.role == "owner" || a.f.home.user == nil && simRank(a.role) >= simRank("fileOrganizer")
	switch {
	case (event == "trash" || event == "untrash") && !own, s.tree.byRoot[f.id] != nil:
		return nil, simWeak()
	case event == "trash" && !a.f.trashed.IsZero(), event == "untrash" && a.f.trashed.IsZero():
		event = "" // as it was
	case event == "trash":
		f.trashed = s.o.Now()
	case (data != nil || event == "rename") && locked:
		return nil, simForbid("forbidden", "The file is locked by a content restriction.")
	}
	if no := s.move(a, &f, &event); no != nil {
		return nil, no
	}
	if data != nil {
		f.revs = append(f.revs, simRev{id: s.tree.newRev(), by: a.by.email, data: data, at: s.o.Now()})
	}
	if data != nil || event == "rename" {
		f.edited = s.o.Now()
	}
	now := s.tree.edit(&f)
	if now.home != a.f.home {
		s.tree.put(now.home, f.id)
	}
	s.changed(a.simCall, now, "access", event)
	return s.file(a.simCall, now, s.tree.role(a.by, now, true), a.mask), nil
}

// simFields reads the body of a request about a file: only what may be written.
func simFields(body []byte) (map[string]json.RawMessage, *simNo) {
	in := map[string]json.RawMessage{}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, simBad("parseError", "Parse Error")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if !slices.Contains(simWritable, name) {
			return nil, simForbid("fieldNotWritable", "The resource body includes fields which are not directly writable.")
		}
	}
	return in, nil
}

// simSetFields sets fields of a file, and says what kind of event that is.
func simSetFields(f *simFile, in map[string]json.RawMessage, event *string) *simNo {
	trashed := !f.trashed.IsZero()
	shareless, copyless := !f.shareless, f.copyless
	for name, into := range map[string]any{"name": &f.name, "mimeType": &f.mime, "trashed": &trashed, "writersCanShare": &shareless,
		"copyRequiresWriterPermission": &copyless, "contentRestrictions": &f.locks, "inheritedPermissionsDisabled": &f.barren} {
		if in[name] != nil && json.Unmarshal(in[name], into) != nil {
			return simInvalid(name, string(in[name]))
		}
	}
	f.shareless, f.copyless = !shareless, copyless
	switch {
	case in["trashed"] != nil && trashed:
		*event = "trash"
	case in["trashed"] != nil:
		*event, f.trashed = "untrash", time.Time{}
	case in["name"] != nil:
		*event = "rename"
	case in["contentRestrictions"] != nil:
		*event = "remove_lock"
		for _, l := range f.locks {
			if l["readOnly"] == true {
				*event = "add_lock"
			}
		}
		f.locks = slices.DeleteFunc(f.locks, func(l obj) bool { return l["readOnly"] != true })
	}
	return nil
}

// move changes the parent, and with it the home. https://developers.google.com/workspace/drive/api/guides/folder
func (s *simOrg) move(a *simAsk, f *simFile, event *string) *simNo {
	to, from := a.query("addParents"), a.query("removeParents")
	if to == "" {
		if from != "" {
			return simBad("cannotRemoveOnlyParent", "A file must have exactly one parent.")
		}
		return nil
	}
	into, no := s.find(a.simCall, to)
	switch {
	case no != nil:
		return no
	case into.f.mime != simFolder || f.id == to:
		return simForbid("parentNotAFolder", "The specified parent is not a folder.")
	case from != "" && from != f.parent:
		return simBad("invalid", "The file is not in the folder that removeParents names.")
	case simRank(into.role) < simRank("writer"):
		return simWeak()
	}
	if into.f.home != f.home {
		drive := into.f.home.user == nil
		switch {
		case drive && f.mime == simFolder:
			return simForbid("teamDrivesFolderMoveInNotSupported", "Moving folders into shared drives is not supported.")
		case drive && !a.f.trashed.IsZero():
			return simForbid("cannotMoveTrashedItemIntoTeamDrive", "A trashed item cannot be moved into a shared drive.")
		case f.home.user == nil && !a.f.trashed.IsZero():
			return simForbid("cannotMoveTrashedItemOutOfTeamDrive", "A trashed item cannot be moved out of a shared drive.")
		case f.home.user != nil && a.role != "owner",
			f.home.user == nil && simRank(a.role) < simRank("organizer"), !drive && into.f.home.user != a.by:
			return simWeak()
		}
	}
	f.parent, f.home, *event = to, into.f.home, "move"
	return nil
}

// create makes a file of the user, or in the parent that the body names.
func (s *simOrg) create(c *simCall, body, data []byte, kind string) (any, *simNo) {
	in, no := simFields(body)
	if no != nil {
		return nil, no
	}
	if c.by == nil {
		return nil, simForbid("storageQuotaExceeded", "Service Accounts do not have storage quota.")
	}
	home := s.tree.homeOf(c.by)
	now := s.o.Now()
	f := &simFile{id: s.tree.newID(), name: "Untitled", mime: kind, home: home, parent: home.id, made: now, edited: now}
	if no := s.placed(c, f, in); no != nil {
		return nil, no
	}
	event := ""
	if no := simSetFields(f, in, &event); no != nil {
		return nil, no
	}
	if f.mime == "" {
		f.mime = "application/octet-stream"
	}
	if !f.editors() || data != nil {
		f.revs = []simRev{{id: s.tree.newRev(), by: c.by.email, data: append([]byte{}, data...), at: now}}
	}
	return s.added(c, f, "create")
}

// placed sets the parent that a body names.
func (s *simOrg) placed(c *simCall, f *simFile, in map[string]json.RawMessage) *simNo {
	var parents []string
	if in["parents"] != nil && (json.Unmarshal(in["parents"], &parents) != nil || len(parents) != 1) {
		return simBad("invalid", "A file must have exactly one parent.")
	}
	if len(parents) == 0 {
		return nil
	}
	into, no := s.find(c, parents[0])
	switch {
	case no != nil:
		return no
	case into.f.mime != simFolder:
		return simForbid("parentNotAFolder", "The specified parent is not a folder.")
	case simRank(into.role) < simRank("writer"):
		return simWeak()
	}
	f.parent, f.home = into.f.id, into.f.home
	return nil
}

func (s *simOrg) added(c *simCall, f *simFile, event string) (any, *simNo) {
	now := s.tree.edit(f)
	s.tree.put(now.home, now.id)
	s.changed(c, now, "access", event)
	return s.file(c, now, s.tree.role(c.by, now, true), c.mask), nil
}

// copyFile is POST /files/{file}/copy: the copy is who asks', or the shared drive's, and shared with nobody.
func (s *simOrg) copyFile(a *simAsk) (any, *simNo) {
	in, no := simFields(a.body)
	switch {
	case no != nil:
		return nil, no
	case a.f.mime == simFolder || a.f.copyless && simRank(a.role) < simRank("writer"):
		return nil, simForbid("cannotCopyFile", "This file cannot be copied by the user.")
	}
	f := *a.f
	f.id, f.perms, f.labels, f.locks, f.version, f.trashed = s.tree.newID(), nil, nil, nil, 0, time.Time{}
	f.name, f.made, f.edited = "Copy of "+f.name, s.o.Now(), s.o.Now()
	f.revs = slices.Clone(f.revs[max(0, len(f.revs)-1):])
	for i := range f.revs {
		f.revs[i].id = s.tree.newRev()
	}
	if f.home.user != nil {
		f.home = s.tree.homeOf(a.by)
		if f.parent = a.f.parent; a.f.home != f.home {
			f.parent = f.home.id
		}
	}
	if no := s.placed(a.simCall, &f, in); no != nil {
		return nil, no
	}
	delete(in, "trashed")
	event := ""
	if no := simSetFields(&f, in, &event); no != nil {
		return nil, no
	}
	return s.added(a.simCall, &f, "copy")
}

// upload is a request with content: of a new file, or of one that is there.
// https://developers.google.com/workspace/drive/api/guides/manage-uploads
func (s *simOrg) upload(c *simCall, a *simAsk) (any, *simNo) {
	meta, data, kind := []byte(nil), c.body, c.r.Header.Get("Content-Type")
	switch how := c.query("uploadType"); {
	case how == "media" && len(data) > 5<<20:
		return nil, &simNo{http.StatusRequestEntityTooLarge, "uploadTooLarge", "Request too large.", ""}
	case how == "media":
	case how == "multipart":
		var err error
		if meta, data, kind, err = simRelated(c.body, kind); err != nil {
			return nil, simBad("badContent", "Malformed multipart body.")
		}
	case how == "resumable":
		return s.session(c, a)
	default:
		return nil, simInvalid("uploadType", how)
	}
	if a == nil {
		return s.create(c, meta, data, kind)
	}
	return s.update(a, meta, append([]byte{}, data...))
}

// session begins a resumable upload, whose content comes with one PUT.
func (s *simOrg) session(c *simCall, a *simAsk) (any, *simNo) {
	if a == nil {
		v, no := s.create(c, c.body, []byte{}, c.r.Header.Get("X-Upload-Content-Type"))
		if no != nil {
			return nil, no
		}
		id, _ := v.(obj)["id"].(string)
		a = &simAsk{simCall: c, f: s.tree.get(id)}
	} else if _, no := s.update(a, c.body, nil); no != nil {
		return nil, no
	}
	at := sim.WithQuery(c.base, c.r, map[string]string{"upload_id": "U" + a.f.id})
	if c.r.Method == http.MethodPost {
		at = strings.Replace(at, "/upload/drive/v3/files?", "/upload/drive/v3/files/"+a.f.id+"?", 1)
	}
	return simReply{http.StatusOK, map[string]string{"Location": at, "X-Goog-Upload-Status": "active"}, nil}, nil
}

// resume takes the content of a session, whole.
func (s *simOrg) resume(a *simAsk) (any, *simNo) {
	if a.query("upload_id") != "U"+a.f.id {
		return nil, &simNo{http.StatusNotFound, "notFound", "Upload session not found", ""}
	}
	if _, size, part := strings.Cut(a.r.Header.Get("Content-Range"), "/"); part && size != strconv.Itoa(len(a.body)) {
		return nil, simBad("badContent", "This fake takes the content at once.")
	}
	return s.update(a, nil, append([]byte{}, a.body...))
}

// simRelated reads multipart/related: the metadata, then the content.
func simRelated(body []byte, kind string) (meta, data []byte, dataKind string, err error) {
	_, params, err := mime.ParseMediaType(kind)
	if err != nil {
		return nil, nil, "", err
	}
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for _, into := range []*[]byte{&meta, &data} {
		p, err := r.NextPart()
		if err != nil {
			return nil, nil, "", err
		}
		if *into, err = io.ReadAll(p); err != nil {
			return nil, nil, "", err
		}
		dataKind = p.Header.Get("Content-Type")
	}
	return meta, data, dataKind, nil
}
