package googleworkspace

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// simUsual is what methods of Drive answer without fields.
var simUsual = map[string]string{
	"GET /drive/v3/files":                                   "kind,incompleteSearch,nextPageToken,files(" + simFileUsual + ")",
	"POST /drive/v3/files":                                  simFileUsual,
	"GET /drive/v3/files/{file}":                            simFileUsual,
	"PATCH /drive/v3/files/{file}":                          simFileUsual,
	"POST /drive/v3/files/{file}/copy":                      simFileUsual,
	"POST /upload/drive/v3/files":                           simFileUsual,
	"PATCH /upload/drive/v3/files/{file}":                   simFileUsual,
	"PUT /upload/drive/v3/files/{file}":                     simFileUsual,
	"GET /drive/v3/files/{file}/permissions":                "kind,nextPageToken,permissions(" + simPermUsual + ")",
	"POST /drive/v3/files/{file}/permissions":               simPermUsual,
	"GET /drive/v3/files/{file}/permissions/{permission}":   simPermUsual,
	"PATCH /drive/v3/files/{file}/permissions/{permission}": simPermUsual,
	"GET /drive/v3/files/{file}/revisions":                  "kind,nextPageToken,revisions(kind,id,mimeType,modifiedTime)",
	"GET /drive/v3/files/{file}/revisions/{revision}":       "kind,id,mimeType,modifiedTime",
	"GET /drive/v3/drives":                                  "kind,nextPageToken,drives(kind,id,name)",
	"GET /drive/v3/drives/{drive}":                          "kind,id,name",
	"GET /drive/v3/changes": "kind,nextPageToken,newStartPageToken,changes(kind,changeType,type,time,removed,fileId,driveId,file(" +
		simFileUsual + "),drive(kind,id,name))",
}

const (
	simFileUsual = "kind,id,name,mimeType"
	simPermUsual = "kind,id,type,role"
)

// fileRoutes answer about files, their content and revisions, shared drives and changes.
func (s *simOrg) fileRoutes(add simAdd) {
	const metadata = "drive.metadata.readonly drive.metadata drive.readonly drive"
	const one = "/drive/v3/files/{file}"
	add("GET /drive/v3/about", metadata, func(c *simCall) (any, *simNo) {
		if c.query("fields") == "" {
			return nil, simBad("required", "The 'fields' parameter is required for this method.")
		}
		return obj{"kind": "drive#about", "user": s.person(c, c.by.email)}, nil
	})
	add("GET /drive/v3/files", metadata, s.listFiles)
	add("GET "+one, metadata, s.onFile("reader", "", func(a *simAsk) (any, *simNo) {
		if a.query("alt") == "media" {
			return s.content(a, len(a.f.revs)-1)
		}
		return s.file(a.simCall, a.f, a.role, a.mask), nil
	}))
	add("GET "+one+"/export", "drive.readonly drive", s.onFile("reader", "", s.export))
	add("POST "+one+"/download", "drive.readonly drive", s.onFile("reader", "", func(a *simAsk) (any, *simNo) {
		return obj{"name": a.f.id + ":" + strings.ReplaceAll(a.query("mimeType"), "/", "~"), "done": false}, nil
	}))
	add("GET /drive/v3/operations/{name}", "drive.readonly drive", s.operation)
	add("GET "+one+"/revisions", metadata, s.onFile("writer", "", func(a *simAsk) (any, *simNo) {
		return simPaged(s, a.simCall, "revisions", "drive#revisionList", a.f.revs, 200, 1000, func(r simRev) obj { return s.revision(a, r) })
	}))
	add("GET "+one+"/revisions/{revision}", metadata, s.onFile("writer", "", func(a *simAsk) (any, *simNo) {
		i := slices.IndexFunc(a.f.revs, func(r simRev) bool { return r.id == a.path("revision") })
		switch {
		case i < 0:
			return nil, &simNo{http.StatusNotFound, "notFound", "Revision not found: " + a.path("revision") + ".", "revisionId"}
		case a.query("alt") == "media":
			return s.content(a, i)
		}
		return s.revision(a, a.f.revs[i]), nil
	}))
	add("GET /drive/v3/drives", "drive.readonly drive", s.listDrives)
	add("GET /drive/v3/drives/{drive}", "drive.readonly drive", func(c *simCall) (any, *simNo) {
		h := s.tree.drive(c.path("drive"))
		if h == nil || !s.member(c, h) {
			return nil, &simNo{http.StatusNotFound, "notFound", "Shared drive not found: " + c.path("drive"), "driveId"}
		}
		return h.show(), nil
	})
	add("GET /drive/v3/changes/startPageToken", metadata, func(c *simCall) (any, *simNo) {
		return obj{"kind": "drive#startPageToken", "startPageToken": itoa(len(s.tree.log) + 1)}, nil
	})
	add("GET /drive/v3/changes", metadata, s.listChanges)
}

// person is an account as Drive shows it.
func (s *simOrg) person(c *simCall, email string) obj {
	name := email
	if u := s.byKey[email]; u != nil {
		name = u.given + " " + u.family
	}
	return obj{"kind": "drive#user", "displayName": name, "me": c.by != nil && email == c.by.email, "permissionId": simPermID(email),
		"emailAddress": email}
}

// file is a file as who asks sees it; mask is what is asked of it.
// https://developers.google.com/workspace/drive/api/reference/rest/v3/files
func (s *simOrg) file(c *simCall, f *simFile, role string, mask simMask) obj {
	own := f.home.user
	out := obj{"kind": "drive#file", "id": f.id, "name": f.name, "mimeType": f.mime, "version": itoa(f.version),
		"createdTime": simTime(f.made), "modifiedTime": simTime(f.edited), "trashed": s.tree.inTrash(f),
		"explicitlyTrashed": !f.trashed.IsZero(), "starred": false,
		"spaces": []string{"drive"}, "writersCanShare": !f.shareless, "copyRequiresWriterPermission": f.copyless,
		"viewersCanCopyContent": !f.copyless, "inheritedPermissionsDisabled": f.barren,
		"webViewLink": "https://drive.google.com/file/d/" + f.id + "/view", "quotaBytesUsed": "0",
		"capabilities": simMay(f, role)}
	if f.parent != f.id && role != "" {
		out["parents"] = []string{f.parent}
	}
	if !f.trashed.IsZero() {
		out["trashedTime"] = simTime(f.trashed)
	}
	if len(f.locks) > 0 {
		out["contentRestrictions"] = f.locks
	}
	held := s.tree.held(f)
	ids, all := []string{}, []obj{}
	for _, p := range held {
		ids, all = append(ids, p.id), append(all, s.permission(f, p))
	}
	out["permissionIds"] = ids
	if own == nil {
		out["driveId"], out["teamDriveId"], out["hasAugmentedPermissions"] = f.home.id, f.home.id, len(f.perms) > 0
	} else {
		out["owners"], out["ownedByMe"], out["shared"] = []obj{s.person(c, own.email)}, own == c.by, len(held) > 1
		if simRank(role) >= simRank("writer") && !(f.shareless && role != "owner") {
			out["permissions"] = all
		}
	}
	if f.target != "" {
		to := obj{"targetId": f.target}
		if t := s.tree.get(f.target); t != nil {
			to["targetMimeType"] = t.mime
		}
		out["shortcutDetails"] = to
	}
	if ids := c.query("includeLabels"); ids != "" {
		out["labelInfo"] = obj{"labels": f.shown(strings.Split(ids, ","))}
	}
	s.tree.contentFields(c, f, mask, out)
	return out
}

// contentFields adds what tells of the content; hashes only where they are asked for.
func (t *simTree) contentFields(c *simCall, f *simFile, mask simMask, out obj) {
	if len(f.revs) == 0 {
		return
	}
	head := f.revs[len(f.revs)-1]
	out["lastModifyingUser"] = t.s.person(c, head.by)
	if f.editors() {
		links := obj{}
		for _, kind := range simExports[f.mime] {
			links[kind] = "https://docs.google.com/feeds/download/documents/export/Export?id=" + f.id + "&exportFormat=" + url.QueryEscape(kind)
		}
		out["exportLinks"], out["size"], out["hasThumbnail"] = links, "1024", true
		return
	}
	out["headRevisionId"], out["originalFilename"] = head.id, f.name
	ext := strings.TrimPrefix(path.Ext(f.name), ".")
	out["fileExtension"], out["fullFileExtension"] = ext, ext
	out["webContentLink"] = "https://drive.google.com/uc?id=" + f.id + "&export=download"
	if !mask.asks("size") && !mask.asks("md5Checksum") && !mask.asks("sha256Checksum") && !mask.asks("sha1Checksum") {
		return
	}
	b := head.bytes()
	m5, s1, s256 := md5.Sum(b), sha1.Sum(b), sha256.Sum256(b)
	out["size"], out["quotaBytesUsed"] = itoa(len(b)), itoa(len(b))
	out["md5Checksum"], out["sha1Checksum"] = hex.EncodeToString(m5[:]), hex.EncodeToString(s1[:])
	out["sha256Checksum"] = hex.EncodeToString(s256[:])
}

// editors says whether the file is one of the Docs editors.
func (f *simFile) editors() bool { return strings.HasPrefix(f.mime, simGoogle) }

// inTrash says whether the file, or a folder above it, was put into the trash.
func (t *simTree) inTrash(f *simFile) bool {
	for f != nil {
		if !f.trashed.IsZero() {
			return true
		}
		if f.parent == f.home.id {
			return false
		}
		f = t.get(f.parent)
	}
	return false
}

// simMay are capabilities.
func simMay(f *simFile, role string) obj {
	rank, own := simRank(role), role == "owner" || f.home.user == nil && simRank(role) >= simRank("fileOrganizer")
	write, read := rank >= simRank("writer"), rank >= simRank("reader")
	folder := f.mime == simFolder
	return obj{"canTrash": own, "canUntrash": own, "canDelete": role == "owner" || role == "organizer", "canEdit": write,
		"canModifyContent": write, "canRename": write,
		"canShare":   rank >= simRank("fileOrganizer") || write && f.home.user != nil && !f.shareless,
		"canComment": rank >= simRank("commenter"), "canDownload": read && (write || !f.copyless),
		"canCopy":          read && !folder && (write || !f.copyless),
		"canReadRevisions": write, "canListChildren": folder, "canAddChildren": folder && write, "canModifyLabels": write, "canReadLabels": read}
}

func (s *simOrg) revision(a *simAsk, r simRev) obj {
	out := obj{"kind": "drive#revision", "id": r.id, "mimeType": a.f.mime, "modifiedTime": simTime(r.at), "keepForever": r.forever,
		"published": false, "lastModifyingUser": s.person(a.simCall, r.by)}
	if !a.f.editors() {
		b := r.bytes()
		sum := md5.Sum(b)
		out["size"], out["md5Checksum"], out["originalFilename"] = itoa(len(b)), hex.EncodeToString(sum[:]), a.f.name
	}
	return out
}

// member says whether who asks may see a shared drive.
func (s *simOrg) member(c *simCall, h *simHome) bool {
	return c.yes("useDomainAdminAccess") && c.admin() || c.by != nil && s.tree.role(c.by, &simFile{home: h, parent: h.id}, false) != ""
}

// show is a shared drive.
func (h *simHome) show() obj {
	return obj{"kind": "drive#drive", "id": h.id, "name": h.name, "colorRgb": "#0f9d58", "hidden": false, "createdTime": simTime(h.made),
		"restrictions": obj{"domainUsersOnly": false, "driveMembersOnly": false, "copyRequiresWriterPermission": false,
			"adminManagedRestrictions": false, "sharingFoldersRequiresOrganizerPermission": false},
		"capabilities": obj{"canListChildren": true, "canManageMembers": true, "canAddChildren": true}}
}

// listDrives is GET /drives: all of the customer's for administrators who ask so, else those that the user is a member of.
func (s *simOrg) listDrives(c *simCall) (any, *simNo) {
	if c.yes("useDomainAdminAccess") && !c.admin() {
		return nil, simForbid("insufficientFilePermissions", "The user must be a domain administrator.")
	}
	var all []*simHome
	for _, h := range s.tree.homes {
		if h.user == nil && s.member(c, h) {
			all = append(all, h)
		}
	}
	return simPaged(s, c, "drives", "drive#driveList", all, 10, 100, (*simHome).show)
}
