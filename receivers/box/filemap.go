package box

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// itemFields is what is asked of files, folders and web links: it replaces the vendor's own choice. What changes by looking
// at an item, or depends on who looks, is not among it.
const itemFields = "id,type,name,extension,size,sha1,etag,file_version,created_at,modified_at,content_created_at,content_modified_at," +
	"created_by,modified_by,owned_by,parent,path_collection,shared_link,has_collaborations,is_externally_owned,classification," +
	"item_status,trashed_at,url"

// Slots of fileFields. The key comes first: files, folders and web links are numbered each on their own.
const (
	fType = iota
	fID
	fName
	fSHA1
	fVersion
	fOwner
	fStatus
	fTrashed
	fParent
	fPath
	fLink
	fLabel
	fUser
	fOwn
	fInherited
)

// fileFields are of an item with what its own object lacks: {"item", "collaborations", "own", "inherited"}, or {"item", "user"}
// of what belongs to somebody outside.
var fileFields = event.Table{
	fType: {"item.type", ""}, fID: {"item.id", ""}, fName: {"item.name", "file.name entity.name"}, fSHA1: {"item.sha1", ""},
	fVersion: {"item.file_version.id", "saas.file.version"}, fOwner: {"item.owned_by.id", "saas.file.owner.id"},
	fStatus: {"item.item_status", "saas.entity.status"}, fTrashed: {"item.trashed_at", "entity.lifecycle.deleted"},
	fParent: {"item.parent.id", "saas.container.id"}, fPath: {"item.path_collection.entries", ""}, fLink: {"item.shared_link", ""},
	fLabel: {"item.classification.name", "saas.file.labels"}, fUser: {"user", "user.id"}, fOwn: {"own", ""}, fInherited: {"inherited", ""},
	{"item.parent.name", "saas.container.name"}, {"item.extension", "file.extension"}, {"item.size", "file.size"},
	{"item.owned_by.login", "saas.file.owner.email"}, {"item.owned_by.name", "file.owner"}, {"item.url", "url.original"},
	{"item.created_at", "file.created entity.lifecycle.created"}, {"item.content_modified_at", "file.mtime"},
	{"item.modified_at", "file.ctime entity.lifecycle.changed"}, {"item.shared_link.url", "saas.share.link.url"},
	{"item.shared_link.is_password_enabled", "saas.share.link.password"}, {"item.shared_link.unshared_at", "saas.share.link.expires"},
}

// mapFile maps a file, folder or web link. What lies in a trash is an entity of its own, so that the walk that misses it where
// it was does not end it; so is what belongs to somebody outside, once for each user who sees it.
func (c *Config) mapFile(v *event.Values, add func() *event.Record) error {
	id, kind := v.Str(fID), "file"
	if v.Str(fType) == "folder" {
		kind = "container"
	}
	entity := id
	if v.Str(fType) == "web_link" { // whose numbers are not those of files
		entity = "web_link/" + id
	}
	if trashed(v) {
		entity = inTrash + entity
	} else if user := v.Str(fUser); user != "" {
		entity = user + "/" + entity
	}
	r := saas.NewEntity(add, kind, entity, "file", "info")
	r.Str("entity.sub_type", v.Str(fType))
	switch v.Str(fType) {
	case "folder":
		r.Str("file.type", "dir")
	case "file":
		r.Str("file.type", "file")
		r.Str("saas.file.id", id)
	}
	r.Str("file.hash.sha1", strings.ToLower(v.Str(fSHA1)))
	r.Str("file.path", pathOf(v))
	if parent := v.Str(fParent); parent != "" {
		r.Str("saas.container.type", "folder")
		if parent != everything { // which everybody has
			r.Relate("part_of", "container", parent)
		}
	}
	r.Strs("saas.file.labels", c.Labels[v.Str(fLabel)])
	if trashed(v) {
		r.Str("saas.entity.status", "trashed")
	}
	if v.Has(fUser) {
		r.Bool("saas.target.external", true)
		r.Relate("granted_to", "user", v.Str(fUser))
		return nil
	}
	s := readShare(v.Bytes(fOwn)).and(readShare(v.Bytes(fInherited)))
	r.Str("saas.share.visibility", cmp.Or(s.Visibility, "private"))
	r.Str("saas.share.role", s.Role)
	r.Strs("saas.share.recipients", s.Recipients...)
	r.Strs("saas.share.external_domains", s.Domains...)
	return nil
}

func trashed(v *event.Values) bool { return v.Str(fStatus) == "trashed" || v.Has(fTrashed) }

// pathOf is the path below the owner's root, whose own name is no part of it. A trash has none.
func pathOf(v *event.Values) string {
	if !v.Has(fPath) || v.Str(fName) == "" || trashed(v) {
		return ""
	}
	path := ""
	for step := range event.Elems(v.Bytes(fPath)) {
		if saas.TextAt(step, "id") != "0" {
			path += "/" + saas.TextAt(step, "name")
		}
	}
	return path + "/" + v.Str(fName)
}

// lead is what the content of a file is found by: whose it is, and what its folders give others, where a walk came by them.
type lead struct {
	As        string `json:"as,omitempty"`
	Inherited *share `json:"inherited,omitempty"`
}

// inTrash is before the number of what lies in a trash.
const inTrash = "trash/"

// contentOf asks for the content of a file that was listed, unless it belongs to somebody outside.
func contentOf(v *event.Values) []saas.Item {
	if v.Str(fType) != "file" || v.Has(fUser) {
		return nil
	}
	id, s := v.Str(fID), readShare(v.Bytes(fInherited))
	if trashed(v) {
		id = inTrash + id
	}
	it := contentItem(id, lead{As: v.Str(fOwner), Inherited: &s})
	if sha1 := v.Str(fSHA1); sha1 != "" {
		it.Hash = "sha1:" + strings.ToLower(sha1)
	}
	return []saas.Item{it}
}

// contentItem asks for the content of a file, by its number or that with inTrash before it, whoever found it.
func contentItem(id string, l lead) saas.Item {
	data, _ := json.Marshal(l) // strings have a JSON form
	return saas.Item{Stream: "content", Key: strings.Clone(id), As: strings.Clone(l.As), Data: data}
}
