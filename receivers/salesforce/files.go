package salesforce

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	versionColumns = "Id,ContentDocumentId,Title,PathOnClient,FileType,FileExtension,ContentSize,Checksum,VersionNumber,OwnerId," +
		"Owner.Username,Owner.Name,CreatedDate,ContentModifiedDate,LastModifiedDate"
	linkColumns         = "Id,ContentDocumentId,LinkedEntityId,LinkedEntity.Name,LinkedEntity.Type,ShareType,Visibility"
	distributionColumns = "Id,ContentDocumentId,ContentVersionId,Name,DistributionPublicUrl,ExpiryDate,PreferencesExpires," +
		"PreferencesPasswordRequired,PreferencesAllowOriginalDownload,PreferencesLinkLatestVersion"
	attachmentColumns = "Id,Name,ContentType,BodyLength,IsPrivate,ParentId,OwnerId,Owner.Name,CreatedDate,LastModifiedDate"
	documentColumns   = "Id,Name,Type,ContentType,BodyLength,IsPublic,IsInternalUseOnly,FolderId,AuthorId,Author.Username,CreatedDate," +
		"LastModifiedDate"
	trashColumns = "Id,Title,FileType,FileExtension,ContentSize,OwnerId,Owner.Username,CreatedDate,LastModifiedDate"

	latest = "IsLatest = true"
	// asked is about how many files a question asks at once: it may have 16 KB.
	asked = 300
)

// The first three characters of an id say what it is of.
const (
	ofFile       = "069"
	ofAttachment = "00P"
	ofDocument   = "015"
	ofUser       = "005"
	ofLibrary    = "058"
	ofOrg        = "00D"
)

// Slots of the table of changes.
const (
	wID = iota
	wWhen
	wFile
)

// changeFields are of a version, a link or a public link that changed.
var changeFields = event.Table{wID: {"Id", ""}, wWhen: {"SystemModstamp", ""}, wFile: {"ContentDocumentId", ""}}

// fileStreams are what the org stores. file_changes gives no records: it makes due what changed or is shared otherwise.
func (o *org) fileStreams() []saas.Stream {
	scan, change := []saas.Capability{saas.PeriodicDLP, saas.SharingControl}, []saas.Capability{saas.RealTimeDLP}
	list := []saas.Stream{
		{Name: "files", Kind: saas.Files, Every: o.Files.ScanEvery, Gives: scan, Docs: reference + "contentversion.htm",
			Poll: o.walk(set{fields: versionColumns, from: "ContentVersion", where: latest, each: o.emitVersions}), Items: contentOf},
		{Name: "attachments", Kind: saas.Files, Every: o.Files.ScanEvery, Gives: scan[:1], Docs: reference + "attachment.htm",
			Poll: o.walk(set{fields: attachmentColumns, from: "Attachment", each: emitAs("Attachment")}), Items: contentOf},
		{Name: "documents", Kind: saas.Files, Every: o.Files.ScanEvery, Gives: scan[:1], Docs: reference + "document.htm",
			Poll: o.walk(set{fields: documentColumns, from: "Document", each: emitAs("Document")}), Items: contentOf},
		{Name: "content", Kind: saas.Content, Over: "files", Width: 8, Gives: append(change, scan[0]), Docs: reference + "contentversion.htm",
			Poll: o.touchedFile},
		{Name: "trash", Kind: saas.Files, Every: day, Gives: []saas.Capability{saas.FileGovernance}, Docs: reference + "contentdocument.htm",
			Poll: o.walk(set{fields: trashColumns, from: "ContentDocument", where: "IsDeleted = true", deleted: true,
				each: emitAs("ContentDocument")})},
	}
	if o.Files.SkipTrash {
		list = list[:4]
	}
	for i := range list {
		list[i].Fields, list[i].Key, list[i].Map = fileFields, fileID, mapFile
	}
	const columns = "Id,ContentDocumentId,SystemModstamp"
	changed := trail{fields: columns, column: "SystemModstamp", overlap: 2 * time.Minute, mayFail: true}
	version, link, public := changed, changed, changed
	version.from, version.where, version.mayFail = "ContentVersion", latest, false
	link.from, public.from = "ContentDocumentLink", "ContentDistribution" // links are listed with Query All Files only
	list = append(list, saas.Stream{Name: "file_changes", Kind: saas.Audit, Every: time.Minute, Keep: day, Gives: change,
		Docs: reference + "contentversion.htm", Poll: o.follow(version, link, public), Fields: changeFields,
		Key:   func(v *event.Values) string { return v.Str(wID) + "@" + v.Str(wWhen) },
		Map:   func(*event.Values, func() *event.Record) error { return nil },
		Items: func(v *event.Values) []saas.Item { return contentItem(v.Str(wFile), "") }})
	for i := range list {
		list[i].Dataset = inventorySet
	}
	return list
}

// emitAs emits rows under a name, which says what they are.
func emitAs(name string) func(context.Context, *saas.Run, []json.RawMessage) error {
	return func(_ context.Context, r *saas.Run, rows []json.RawMessage) (err error) {
		for i := 0; i < len(rows) && err == nil; i++ {
			err = r.Emit("", saas.Join(name, rows[i]))
		}
		return err
	}
}

// emitVersions emits files with what shares them.
func (o *org) emitVersions(ctx context.Context, r *saas.Run, rows []json.RawMessage) error {
	for len(rows) > 0 {
		some := rows[:min(asked, len(rows))]
		rows = rows[len(some):]
		ids := make([]string, len(some))
		for i, row := range some {
			ids[i] = saas.TextAt(row, "ContentDocumentId")
		}
		links, err := o.shares(ctx, r, linkColumns, "ContentDocumentLink", ids)
		if err != nil {
			return err
		}
		public, err := o.shares(ctx, r, distributionColumns, "ContentDistribution", ids)
		if err != nil {
			return err
		}
		for i, row := range some {
			var open, over []json.RawMessage
			for _, d := range public[ids[i]] {
				if expired(d, r.Now()) {
					over = append(over, d)
				} else {
					open = append(open, d)
				}
			}
			file := saas.Join("Version Links Distributions Expired", row, list(links[ids[i]]), list(open), list(over))
			if err = r.Emit("", file); err != nil {
				return fmt.Errorf("file %s: %w", ids[i], err)
			}
		}
	}
	return nil
}

// list is rows as a list; nil = there are none.
func list(rows []json.RawMessage) json.RawMessage {
	if len(rows) == 0 {
		return nil
	}
	return saas.Array(rows)
}

// expired says whether a public link opens nothing any more.
func expired(d json.RawMessage, now time.Time) bool {
	until, ok := event.ParseTime(saas.TextAt(d, "ExpiryDate"))
	return ok && string(saas.Member(d, "PreferencesExpires")) == "true" && !until.After(now)
}

// shares are the rows of an object about files, by file. What is hidden from the agent shares nothing.
func (o *org) shares(ctx context.Context, d saas.Doer, fields, from string, ids []string) (map[string][]json.RawMessage, error) {
	rows, err := o.all(ctx, d, o.query("SELECT "+fields+" FROM "+from+" WHERE ContentDocumentId"+in(ids)))
	if err != nil && !saas.Is(err, saas.Denied) {
		return nil, err
	}
	found := map[string][]json.RawMessage{}
	for _, row := range rows {
		id := saas.TextAt(row, "ContentDocumentId")
		found[id] = append(found[id], row)
	}
	return found, nil
}

// contentItem asks for the content of a file, wherever it was found.
func contentItem(id, hash string) []saas.Item {
	return []saas.Item{{Stream: "content", Key: strings.Clone(id), Hash: hash}}
}

// contentOf asks for the content of a file that was listed.
func contentOf(v *event.Values) []saas.Item {
	hash := ""
	if sum := v.Str(fChecksum); sum != "" {
		hash = "md5:" + sum
	} else if version := cmp.Or(v.Str(fAttached), v.Str(fFiled)); version != "" {
		hash = fileID(v) + "@" + version
	}
	return contentItem(fileID(v), hash)
}

// touchedFile reads one file as it is now.
func (o *org) touchedFile(ctx context.Context, r *saas.Run) error {
	id := r.Item().Key
	from, fields, where, emit := "ContentVersion", versionColumns, latest+" AND ContentDocumentId", o.emitVersions
	switch {
	case strings.HasPrefix(id, ofAttachment):
		from, fields, where, emit = "Attachment", attachmentColumns, "Id", emitAs("Attachment")
	case strings.HasPrefix(id, ofDocument):
		from, fields, where, emit = "Document", documentColumns, "Id", emitAs("Document")
	}
	rows, err := o.all(ctx, r, o.query("SELECT "+fields+" FROM "+from+" WHERE "+where+" = "+quote(id)))
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return &saas.Error{Outcome: saas.Missing, Msg: "there is no " + from + " of " + id + " any more"}
	}
	return emit(ctx, r, rows[:1])
}

// content is Instance.Content.
func (o *org) content(ctx context.Context, conn *saas.Conn, ref saas.FileRef) (io.ReadCloser, error) {
	path := "/sobjects/ContentVersion/" + url.PathEscape(saas.TextAt(ref.Raw, "Version", "Id")) + "/VersionData"
	for _, kind := range [...]string{"Attachment", "Document"} {
		if id := saas.TextAt(ref.Raw, kind, "Id"); id != "" {
			path = "/sobjects/" + kind + "/" + url.PathEscape(id) + "/Body"
		}
	}
	p, err := conn.Do(ctx, saas.Req{URL: o.at(path)})
	if err != nil {
		return nil, err
	}
	return p.Body(), nil
}
