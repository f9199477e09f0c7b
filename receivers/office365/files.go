package office365

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	itemFields = "$select=id,name,size,file,folder,package,deleted,parentReference,eTag,cTag,createdDateTime,lastModifiedDateTime,webUrl," +
		"shared,root,sharepointIds,createdBy,lastModifiedBy"
	// prefer asks for what changes of shares would not show. https://learn.microsoft.com/graph/api/driveitem-delta
	prefer = "deltashowsharingchanges, deltashowremovedasdeleted, deltatraversepermissiongaps, hierarchicalsharing"
)

// Slots of fileFields. The key comes first.
const (
	fID = iota
	fDrive
	fName
	fFolder
	fFile
	fDeleted
	fCTag
	fParent
	fPath
	fShared
	fPermissions
	fOwner
	fOwnerMail
	fOwnerName
	fPackage
	fOutside
)

// fileFields are of an item with what its own object lacks: {"item", "owner", "permissions", "outside"}.
var fileFields = event.Table{
	fID: {"item.id", ""}, fDrive: {"item.parentReference.driveId", "saas.container.id"}, fName: {"item.name", "file.name entity.name"},
	fFolder: {"item.folder", ""}, fFile: {"item.file", ""}, fDeleted: {"item.deleted", ""}, fCTag: {"item.cTag", ""},
	fParent: {"item.parentReference.id", ""}, fPath: {"item.parentReference.path", ""}, fShared: {"item.shared.scope", ""},
	fPermissions: {"permissions", ""}, fOwner: {"owner.id", "saas.file.owner.id"}, fOwnerMail: {"owner.mail", "saas.file.owner.email"},
	fOwnerName: {"owner.name", "file.owner"}, fPackage: {"item.package", ""}, fOutside: {"outside", ""},
	{"item.size", "file.size"},
	{"item.file.mimeType", "file.mime_type"}, {"item.webUrl", "url.original"},
	{"item.createdDateTime", "file.created entity.lifecycle.created"},
	{"item.lastModifiedDateTime", "file.mtime entity.lifecycle.changed"},
}

// driveMark is the mark of a drive.
type driveMark struct {
	Next  saas.Req    `json:"next"`
	Whole bool        `json:"whole,omitempty"` // it was listed whole: what follows are changes
	Begun time.Time   `json:"begun"`           // when that listing began
	Way   saas.Circle `json:"way,omitzero"`
}

// pollFiles lists a drive whole, then what changed in it, and whole again after a while: not all changes of shares are told. A
// place in the changes that is not known any more makes the SDK begin anew.
func (t *tenant) pollFiles(ctx context.Context, r *saas.Run) error {
	drive := r.Item().Key
	var m driveMark
	if known := r.Mark(&m); !known || m.Whole && r.Now().Sub(m.Begun) >= t.Files.ScanEvery {
		m = driveMark{Next: saas.Req{URL: "/drives/" + step(drive) + "/root/delta?" + itemFields, Header: map[string]string{"Prefer": prefer}},
			Begun: r.Now()}
	}
	for {
		next, more, err := t.filePage(ctx, r, drive, m.Next)
		if err != nil {
			return err
		}
		if more && m.Way.Back(next.URL) {
			return cmp.Or(r.Commit(nil), error(&saas.Error{Outcome: saas.Invalid, Req: next.URL,
				Msg: "the listing leads back to a page that was read"}))
		}
		if m.Next = next; !more {
			m.Way = saas.Circle{}
			if !m.Whole {
				m.Whole = true
				r.Done()
			}
		}
		if err := r.Commit(m); err != nil || !more {
			return err
		}
	}
}

// filePage hands on a page of a drive, with who may see what is shared in it.
func (t *tenant) filePage(ctx context.Context, r *saas.Run, drive string, q saas.Req) (next saas.Req, more bool, err error) {
	p, err := r.Do(ctx, q)
	if err != nil {
		return next, false, err
	}
	var rows []json.RawMessage
	at := map[string]int{} // an item that comes again is as it came last
	for row, err := range values(p) {
		if err != nil {
			return next, false, err
		}
		id := saas.TextAt(row, "id")
		if saas.Member(row, "root") != nil && id != "" {
			continue
		}
		if i, again := at[id]; again && id != "" {
			rows[i] = row
			continue
		}
		at[id], rows = len(rows), append(rows, row)
	}
	next = saas.Req{URL: p.Field("@odata.nextLink"), Header: q.Header}
	if more = next.URL != ""; !more {
		next.URL = p.Field("@odata.deltaLink")
	}
	if next.URL == "" {
		return next, false, &saas.Error{Outcome: saas.Unavailable, Req: q.URL, Msg: "the page names no next one"}
	}
	for _, row := range rows {
		joined, err := t.joined(ctx, r, drive, row, r.Item().Data)
		if err != nil {
			return next, false, err
		}
		if err := r.Emit("", joined); err != nil {
			return next, false, err
		}
	}
	return next, more, nil
}

// joined is an item with its owner and, of one that is shared, its permissions. Reading these costs as much as five items.
func (t *tenant) joined(ctx context.Context, d saas.Doer, drive string, row, owner json.RawMessage) (json.RawMessage, error) {
	if saas.Member(row, "shared") == nil || saas.Member(row, "deleted") != nil {
		return saas.Join("item owner", row, owner), nil
	}
	var all []json.RawMessage
	err := eachRow(ctx, d, "/drives/"+step(drive)+"/items/"+step(saas.TextAt(row, "id"))+"/permissions", func(p json.RawMessage) error {
		all = append(all, p)
		return nil
	})
	if err != nil && !soft(err) {
		return nil, err
	}
	var domains json.RawMessage
	out, err := t.outside(ctx, d, all)
	if len(out) > 0 {
		domains = saas.Array(out)
	}
	return saas.Join("item owner permissions outside", row, owner, saas.Array(all), domains), err
}

// soft says whether asking again would not help, and only this one thing is not to be had.
func soft(err error) bool {
	return saas.Is(err, saas.Denied) || saas.Is(err, saas.Missing) || saas.Is(err, saas.Invalid) || saas.Is(err, saas.Pending)
}

// contentOf asks for the content of a file that was listed.
func contentOf(v *event.Values) []saas.Item {
	if !v.Has(fFile) || v.Has(fDeleted) || v.Str(fCTag) == "" {
		return nil
	}
	id := v.Str(fDrive) + "/" + v.Str(fID)
	return []saas.Item{{Stream: "content", Key: id, As: strings.Clone(v.Str(fDrive)), Hash: id + "@" + v.Str(fCTag)}}
}

// pollContent reads a file as it is now: one that was listed, or one that was shared, which is known by its address.
func (t *tenant) pollContent(ctx context.Context, r *saas.Run) error {
	key := r.Item().Key
	at := "/shares/" + key + "/driveItem"
	if drive, id, ok := strings.Cut(key, "/"); ok {
		at = "/drives/" + step(drive) + "/items/" + step(id)
	}
	var row json.RawMessage
	if err := saas.Get(ctx, r, at+"?"+itemFields, &row); err != nil {
		return err
	}
	if saas.Member(row, "file") == nil {
		return &saas.Error{Outcome: saas.Missing, Req: at, Msg: "it is no file"}
	}
	drive := saas.TextAt(row, "parentReference", "driveId")
	of, err := t.ownerOf(ctx, r, drive)
	if err != nil {
		return err
	}
	joined, err := t.joined(ctx, r, drive, row, of)
	if err != nil {
		return err
	}
	return r.Emit("", joined)
}

// ownerOf is whose drive it is.
func (t *tenant) ownerOf(ctx context.Context, d saas.Doer, drive string) (json.RawMessage, error) {
	var got struct {
		Owner struct {
			User struct{ ID, Email, DisplayName string }
		}
	}
	if err := saas.Get(ctx, d, "/drives/"+step(drive)+"?$select=id,owner", &got); err != nil {
		return nil, err
	}
	u := got.Owner.User
	return json.Marshal(owner{u.ID, u.Email, u.DisplayName})
}

// content is Instance.Content: the bytes of a file, from where they are for a while, without a token.
func content(ctx context.Context, conn *saas.Conn, ref saas.FileRef) (io.ReadCloser, error) {
	d := document{Drive: saas.TextAt(ref.Raw, "item", "parentReference", "driveId"), ID: saas.TextAt(ref.Raw, "item", "id")}
	return download(ctx, conn, d.url())
}

func download(ctx context.Context, conn *saas.Conn, at string) (io.ReadCloser, error) {
	var got map[string]json.RawMessage
	if err := saas.Get(ctx, conn, at+"?$select=id,@microsoft.graph.downloadUrl", &got); err != nil {
		return nil, err
	}
	from := saas.Text(got["@microsoft.graph.downloadUrl"])
	if from == "" {
		return nil, &saas.Error{Outcome: saas.Missing, Req: at, Msg: "there is no content to download"}
	}
	p, err := conn.Do(ctx, saas.Req{URL: from, NoAuth: true})
	if err != nil {
		return nil, err
	}
	return p.Body(), nil
}

func extension(name string) string { return strings.TrimPrefix(path.Ext(name), ".") }

// mapFile maps a file or a folder. Its id is by which drive and item are asked for.
func mapFile(v *event.Values, add func() *event.Record) error {
	kind, file := "file", "file"
	if v.Has(fFolder) {
		kind, file = "container", "dir"
	}
	drive := v.Str(fDrive)
	r := saas.NewEntity(add, kind, drive+"/"+v.Str(fID), "file", "info")
	if v.Has(fDeleted) {
		r.Delete()
		return nil
	}
	r.Str("file.type", file)
	if kind == "file" {
		r.Str("saas.file.id", drive+"/"+v.Str(fID))
		r.Str("file.extension", extension(v.Str(fName)))
	}
	if v.Has(fFile) { // a notebook is neither a file nor a folder: it has no content of its own
		r.Str("saas.file.version", v.Str(fCTag))
	}
	if _, dir, ok := strings.Cut(v.Str(fPath), "root:"); ok {
		if plain, err := url.PathUnescape(dir); err == nil {
			dir = plain
		}
		r.Str("file.path", dir+"/"+v.Str(fName))
	}
	r.Str("saas.container.type", "drive")
	r.Relate("part_of", "container", drive)
	s := readShare(v.Bytes(fPermissions))
	r.Str("saas.share.visibility", cmp.Or(s.visibility, scopes[v.Str(fShared)], "private"))
	r.Str("saas.share.role", s.role)
	r.Strs("saas.share.recipients", s.recipients...)
	for e := range event.Elems(v.Bytes(fOutside)) {
		r.Strs("saas.share.external_domains", saas.Text(e))
	}
	r.Str("saas.share.link.url", s.url)
	if s.url != "" {
		r.Bool("saas.share.link.password", s.password)
		r.Str("saas.share.link.expires", s.expires)
	}
	return nil
}
