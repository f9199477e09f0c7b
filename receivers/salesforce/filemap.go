package salesforce

import (
	"cmp"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Slots of fileFields.
const (
	fID = iota
	fChecksum
	fTitle
	fPath
	fOwner
	fLinks
	fPublic
	fAttachment
	fAttached
	fFile
	fFiled
	fIsPublic
	fTrash
)

// fileFields are of one of {"Version", "Links", "Distributions", "Expired"}, {"Attachment"}, {"Document"}, {"ContentDocument"}.
var fileFields = event.Table{
	fID: {"Version.ContentDocumentId", ""}, fChecksum: {"Version.Checksum", "file.hash.md5"}, fTitle: {"Version.Title", "entity.display_name"},
	fPath: {"Version.PathOnClient", ""}, fOwner: {"Version.OwnerId", "saas.file.owner.id"}, fLinks: {"Links", ""},
	fPublic: {"Distributions", ""}, fAttachment: {"Attachment.Id", ""},
	fAttached: {"Attachment.LastModifiedDate", "saas.file.version entity.lifecycle.changed file.mtime"}, fFile: {"Document.Id", ""},
	fFiled:    {"Document.LastModifiedDate", "saas.file.version entity.lifecycle.changed file.mtime"},
	fIsPublic: {"Document.IsPublic", ""}, fTrash: {"ContentDocument.Id", ""},
	{"Version.Id", "saas.file.version"}, {"Version.FileExtension", "file.extension"}, {"Version.ContentSize", "file.size"},
	{"Version.Owner.Username", "saas.file.owner.email"}, {"Version.Owner.Name", "file.owner"},
	{"Version.CreatedDate", "file.created entity.lifecycle.created"}, {"Version.ContentModifiedDate", "file.mtime"},
	{"Version.LastModifiedDate", "file.ctime entity.lifecycle.changed"},
	{"Attachment.Name", "file.name entity.name"}, {"Attachment.ContentType", "file.mime_type"}, {"Attachment.BodyLength", "file.size"},
	{"Attachment.OwnerId", "saas.file.owner.id"}, {"Attachment.Owner.Name", "file.owner"}, {"Attachment.ParentId", "saas.container.id"},
	{"Attachment.CreatedDate", "file.created entity.lifecycle.created"},
	{"Document.Name", "file.name entity.name"}, {"Document.ContentType", "file.mime_type"}, {"Document.BodyLength", "file.size"},
	{"Document.Type", "file.extension"}, {"Document.AuthorId", "saas.file.owner.id"}, {"Document.Author.Username", "saas.file.owner.email"},
	{"Document.FolderId", "saas.container.id"}, {"Document.CreatedDate", "file.created entity.lifecycle.created"},
	{"ContentDocument.Title", "file.name entity.name"}, {"ContentDocument.ContentSize", "file.size"},
	{"ContentDocument.FileExtension", "file.extension"}, {"ContentDocument.OwnerId", "saas.file.owner.id"},
	{"ContentDocument.Owner.Username", "saas.file.owner.email"},
	{"ContentDocument.CreatedDate", "file.created entity.lifecycle.created"},
	{"ContentDocument.LastModifiedDate", "entity.lifecycle.changed entity.lifecycle.deleted"},
}

// fileID is the id of whatever it is.
func fileID(v *event.Values) string {
	return strings.Clone(cmp.Or(v.Str(fID), v.Str(fAttachment), v.Str(fFile), v.Str(fTrash)))
}

// mapFile maps a file. What lies in the recycle bin is an entity of its own, so that the walk that misses it where it was does not
// end it.
func mapFile(v *event.Values, add func() *event.Record) error {
	id, entity := fileID(v), fileID(v)
	if v.Has(fTrash) {
		entity = "trash/" + id
	}
	r := saas.NewEntity(add, "file", entity, "file", "info")
	r.Str("file.type", "file")
	r.Str("saas.file.id", id)
	switch {
	case v.Has(fTrash):
		r.Str("saas.entity.status", "trashed")
	case v.Has(fAttachment): // who sees the record it hangs on sees it
		r.Str("entity.sub_type", "attachment")
		r.Str("saas.container.type", "record")
	case v.Has(fFile):
		r.Str("entity.sub_type", "document")
		r.Str("saas.container.type", "folder")
		if is(v, fIsPublic) {
			r.Str("saas.share.visibility", "public")
		}
	default:
		path := v.Str(fPath)
		name := cmp.Or(path[strings.LastIndexAny(path, `/\`)+1:], v.Str(fTitle)) // the title has no extension
		r.Str("file.name", name)
		r.Str("entity.name", name)
		mapShares(v, r)
	}
	return nil
}

// mapShares notes with whom a file is shared. A distribution is a link that opens to everybody; one with the org's own id to all
// who have a licence. Library and record have their own rules.
func mapShares(v *event.Values, r *event.Record) {
	visibility, role := "private", ""
	for link := range event.Elems(v.Bytes(fLinks)) {
		to, kind := saas.TextAt(link, "LinkedEntityId"), saas.TextAt(link, "ShareType")
		switch {
		case to == v.Str(fOwner):
			continue
		case strings.HasPrefix(to, ofOrg):
			visibility = "org"
		case strings.HasPrefix(to, ofLibrary):
			r.Str("saas.container.type", "library")
			r.Str("saas.container.id", to)
			r.Str("saas.container.name", saas.TextAt(link, "LinkedEntity", "Name"))
		}
		r.Strs("saas.share.recipients", to)
		if kind == "C" {
			role = "editor"
		} else if role == "" {
			role = "viewer"
		}
	}
	for d := range event.Elems(v.Bytes(fPublic)) {
		visibility, role = "public", cmp.Or(role, "viewer")
		r.Str("saas.share.link.url", saas.TextAt(d, "DistributionPublicUrl"))
		r.JSON("saas.share.link.password", saas.Member(d, "PreferencesPasswordRequired"))
		if string(saas.Member(d, "PreferencesExpires")) == "true" {
			r.Str("saas.share.link.expires", saas.TextAt(d, "ExpiryDate"))
		}
	}
	r.Str("saas.share.visibility", visibility)
	r.Str("saas.share.role", role)
}
