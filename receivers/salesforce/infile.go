package salesforce

import (
	"cmp"
	"context"
	"crypto/md5" // what Salesforce tells contents apart by
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/infile"
)

const (
	labelled   = "Longshore: a sensitivity label was put into the file" // in ReasonForChange
	unlabelled = "Longshore: the file as it was before its label"
	restored   = "Longshore: what was uploaded while a label was put into the file"
)

// content is a file that a label is put into: its latest version. What belongs to a version and not to its file is given to the
// next one again; fields that an org has added itself stay with the version before.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentversion.htm
type content struct {
	o    *org
	conn *saas.Conn

	ID, ContentDocumentID, Title, PathOnClient, OwnerID, Description, TagCsv string
	Checksum, VersionNumber, ContentLocation                                 string
	ContentSize                                                              int64
}

const contentColumns = "Id,ContentDocumentId,Title,PathOnClient,OwnerId,Description,TagCsv,Checksum,VersionNumber,ContentLocation," +
	"ContentSize"

// labelled is a file that a label may be put into.
func (o *org) labelled(ctx context.Context, conn *saas.Conn, t saas.Target) (infile.File, error) {
	if isID(t.ID) && strings.HasPrefix(t.ID, ofFile) {
		if f, err := o.latest(ctx, conn, t.ID); err != nil || f != nil {
			return f, err
		}
	}
	d, err := o.find(ctx, conn, t)
	switch {
	case err != nil:
		return nil, err
	case d == nil:
		return nil, saas.Refuse("file %s is gone", t.ID)
	case d.kind != "ContentDocument":
		return nil, saas.Refuse("%s is an %s: only a file has versions, of which the one before brings it back", t.ID, d.kind)
	case d.IsDeleted:
		return nil, saas.Refuse("file %s lies in the recycle bin", t.ID)
	}
	return nil, saas.Refuse("file %s has no version that the agent may read", t.ID)
}

// latest is the version that a file is read as; nil = there is none to be seen.
func (o *org) latest(ctx context.Context, conn *saas.Conn, id string) (*content, error) {
	f := &content{o: o, conn: conn}
	err := o.first(ctx, conn, "SELECT "+contentColumns+" FROM ContentVersion WHERE "+latest+" AND ContentDocumentId = "+quote(id), f)
	switch {
	case err != nil || f.ID == "":
		return nil, err
	case f.ContentLocation != "S":
		return nil, saas.Refuse("file %s is stored outside of Salesforce", id)
	}
	return f, nil
}

// Version is infile.File's.
func (f *content) Version() infile.Version {
	return infile.Version{Name: "file " + f.ContentDocumentID, ID: f.ID, Sum: cmp.Or(f.Checksum, f.ID), Size: f.ContentSize}
}

// Open is infile.File's.
func (f *content) Open(ctx context.Context) (io.ReadCloser, error) {
	p, err := f.conn.Do(ctx, saas.Req{URL: f.o.object("ContentVersion", f.ID) + "/VersionData",
		Header: map[string]string{"Accept": "*/*", "Accept-Encoding": "identity"}})
	if err != nil {
		return nil, err
	}
	return p.Body(), nil
}

// Write is infile.File's. Salesforce takes a version whatever is there, so the agent looks before and after: what somebody uploaded in
// between becomes the latest version again.
func (f *content) Write(ctx context.Context, text string) (infile.Version, error) {
	return f.write(ctx, text, labelled)
}

func (f *content) write(ctx context.Context, text, why string) (v infile.Version, err error) {
	now, err := f.o.latest(ctx, f.conn, f.ContentDocumentID)
	if err != nil {
		return v, err
	}
	if now == nil || now.ID != f.ID {
		return v, f.overtaken()
	}
	v = infile.Version{Name: f.Version().Name, Sum: md5Of(text), Size: int64(len(text))}
	if v.ID, err = f.upload(ctx, text, why); err != nil {
		return v, err
	}
	before, last, err := f.before(ctx, v.ID)
	switch {
	case err != nil || before.ID == f.ID || before.Checksum == v.Sum: // the latter was sent twice
		return v, err
	case last != v.ID: // something newer is there already
		return v, f.overtaken()
	}
	before.o, before.conn = f.o, f.conn
	theirs, err := before.whole(ctx)
	if err == nil {
		_, err = before.upload(ctx, theirs, restored)
	}
	if err != nil {
		return v, fmt.Errorf("bring version %s back, which was uploaded meanwhile: %w", before.ID, err)
	}
	return v, f.overtaken()
}

// overtaken is the error of a write that another one came before.
func (f *content) overtaken() error {
	return &saas.Error{Outcome: saas.Invalid, Status: http.StatusPreconditionFailed, Msg: f.Version().Name + " was changed meanwhile"}
}

// before is the version of the file that the given one follows, and the id of the latest.
func (f *content) before(ctx context.Context, id string) (before *content, last string, err error) {
	rows, err := f.o.all(ctx, f.conn, f.o.query("SELECT "+contentColumns+",IsLatest FROM ContentVersion WHERE ContentDocumentId = "+
		quote(f.ContentDocumentID)+" ORDER BY CreatedDate DESC, Id DESC LIMIT 20"))
	if err != nil {
		return nil, "", err
	}
	number := 0
	versions := make([]content, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal(row, &versions[i]); err != nil {
			return nil, "", err
		}
		if string(saas.Member(row, "IsLatest")) == "true" {
			last = versions[i].ID
		}
		if versions[i].ID == id {
			number = versions[i].number()
		}
	}
	for i := range versions {
		if number > 0 && versions[i].number() == number-1 {
			return &versions[i], last, nil
		}
	}
	return nil, "", &saas.Error{Outcome: saas.Unavailable, Msg: "file " + f.ContentDocumentID + ": version " + id + " is not listed yet"}
}

func (f *content) number() (n int) {
	_, _ = fmt.Sscan(f.VersionNumber, &n) // 0 = it has none
	return n
}

// whole is the content of a version, which is compared with its checksum.
func (f *content) whole(ctx context.Context) (string, error) {
	if f.ContentSize > infile.MaxSize {
		return "", saas.Refuse("version %s has %d bytes, more than the %d that are held", f.ID, f.ContentSize, int64(infile.MaxSize))
	}
	in, err := f.Open(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }() // what was read is judged by its checksum
	var b strings.Builder
	b.Grow(int(f.ContentSize))
	if _, err := io.Copy(&b, io.LimitReader(in, f.ContentSize+1)); err != nil {
		return "", err
	}
	if text := b.String(); f.Checksum == "" || md5Of(text) == f.Checksum {
		return text, nil
	}
	return "", &saas.Error{Outcome: saas.Unavailable, Msg: "version " + f.ID + " did not come whole"}
}

// upload makes a version that follows the latest, in the parts that are asked for of files, and gives its id.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_sobject_insert_update_blob.htm
func (f *content) upload(ctx context.Context, text, why string) (id string, err error) {
	fields := map[string]any{"ContentDocumentId": f.ContentDocumentID, "Title": f.Title, "PathOnClient": f.PathOnClient,
		"OwnerId": f.OwnerID, "ReasonForChange": why}
	for name, val := range map[string]string{"Description": f.Description, "TagCsv": f.TagCsv} {
		if val != "" {
			fields[name] = val
		}
	}
	q := f.o.post("ContentVersion", fields)
	var b strings.Builder
	b.Grow(len(text) + len(q.Body) + 1<<10)
	parts := multipart.NewWriter(&b) // a builder takes everything
	for _, part := range [...][3]string{{`name="entity_content"`, "application/json", q.Body},
		{`name="VersionData"; filename="file"`, "application/octet-stream", text}} {
		w, err := parts.CreatePart(textproto.MIMEHeader{"Content-Disposition": {"form-data; " + part[0]}, "Content-Type": {part[1]}})
		if err != nil {
			return "", err
		}
		_, _ = io.WriteString(w, part[2])
	}
	if err := parts.Close(); err != nil {
		return "", err
	}
	q.Body, q.Header = b.String(), map[string]string{"Content-Type": parts.FormDataContentType()}
	rep, err := f.conn.Do(ctx, q)
	if err != nil {
		return "", err
	}
	var made struct{ ID string }
	if err = rep.Into(&made); err == nil && made.ID == "" {
		err = &saas.Error{Outcome: saas.Unavailable, Msg: "the answer to the upload holds no id"}
	}
	return made.ID, err
}

// Back is infile.File's. Salesforce deletes no single version, so the earlier bytes become one more.
func (f *content) Back(ctx context.Context, to infile.Version) error {
	from := &content{o: f.o, conn: f.conn, ID: to.ID, Checksum: to.Sum, ContentSize: to.Size}
	if from.Checksum == from.ID { // it had none
		from.Checksum = ""
	}
	text, err := from.whole(ctx)
	if err == nil {
		_, err = f.write(ctx, text, unlabelled)
	}
	return err
}

func md5Of(text string) string {
	h := md5.New()
	_, _ = io.Copy(h, io.LimitReader(strings.NewReader(text), int64(len(text)))) // piece by piece; a hash takes everything
	return hex.EncodeToString(h.Sum(nil))
}
