package aws

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/infile"
)

// applyLabel puts a label on an object as a tag or, where the target's place is file, into the file itself.
func (c *client) applyLabel() saas.Action {
	tag, file := c.label(), c.labels.Action(ofObjects, s3Docs+"PutObject.html", c.labelled)
	in := func(t saas.Target) *saas.Action {
		if t.Params[infile.Place] == infile.InFile {
			return &file
		}
		return &tag
	}
	a := tag
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		if p := t.Params[infile.Place]; p != "" && p != "tag" && p != infile.InFile {
			return nil, saas.Refuse("place: %q, want tag or %s", p, infile.InFile)
		}
		return in(t).Plan(ctx, conn, t)
	}
	a.Do = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error { return in(p.Target).Do(ctx, conn, p) }
	a.Undo = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error { return in(p.Target).Undo(ctx, conn, p) }
	a.Done = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		return in(p.Target).Done(ctx, conn, p)
	}
	return a
}

// object is an object that a label is put into: its current version.
type object struct {
	*file
	c    *client
	conn *saas.Conn
}

// labelled is an object that a label may be put into. The bucket must keep versions: the one before is then the whole way back, with
// its tags and its metadata, and no copy of it has to be made anywhere.
func (c *client) labelled(ctx context.Context, conn *saas.Conn, t saas.Target) (infile.File, error) {
	f, err := c.open(ctx, conn, t)
	if err != nil {
		return nil, err
	}
	where := "s3://" + f.Name + "/" + f.Key
	if f.Gone {
		return nil, saas.Refuse("%s is gone", where)
	}
	switch class := f.Said.Get("X-Amz-Storage-Class"); {
	case f.Version != "":
		return nil, saas.Refuse("%s: version %s is not the current one", where, f.Version)
	case !f.Versioned:
		return nil, saas.Refuse("%s: the bucket keeps no versions, what is written over there is gone: switch versioning on", where)
	case class == "GLACIER" || class == "DEEP_ARCHIVE" || f.Said.Get("X-Amz-Archive-Status") != "":
		return nil, saas.Refuse("%s is archived (%s)", where, cmp.Or(class, "STANDARD"))
	case f.Said.Get("X-Amz-Object-Lock-Mode") != "" || f.Said.Get("X-Amz-Object-Lock-Legal-Hold") == "ON":
		return nil, saas.Refuse("%s is under Object Lock: what is in it is not to change", where)
	case f.Said.Get("X-Amz-Missing-Meta") != "":
		return nil, saas.Refuse("%s has metadata that S3 does not tell, which a new version would not have", where)
	}
	return &object{f, c, conn}, nil
}

// Version is infile.File's.
func (o *object) Version() infile.Version {
	size, _ := strconv.ParseInt(o.Size, 10, 64) // S3 wrote it
	return infile.Version{Name: "s3://" + o.Name + "/" + o.Key, ID: o.Said.Get("X-Amz-Version-Id"), Sum: o.ETag, Size: size}
}

// at is the query of the version that was found.
func (o *object) at(more string) string { return joinQuery(more, versionQuery(o.Version().ID)) }

// Open is infile.File's.
func (o *object) Open(ctx context.Context) (io.ReadCloser, error) {
	rep, err := o.conn.Do(ctx, o.c.s3(http.MethodGet, o.bucket, o.Key, o.at("")))
	if err != nil {
		return nil, err
	}
	return rep.Body(), nil
}

// stays are the headers of an object that its next version is to have as well, beside its own metadata.
var stays = []string{"Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires",
	"X-Amz-Website-Redirect-Location", "X-Amz-Storage-Class", "X-Amz-Server-Side-Encryption",
	"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled"}

// Write is infile.File's: S3 takes the object only while it is the one that was read, and whole.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func (o *object) Write(ctx context.Context, content string) (v infile.Version, err error) {
	header := []string{"If-Match", `"` + o.ETag + `"`}
	for name, val := range o.Said {
		if slices.Contains(stays, name) || strings.HasPrefix(name, "X-Amz-Meta-") {
			header = append(header, name, val[0])
		}
	}
	tags, err := o.tags(ctx)
	if err != nil {
		return v, err
	}
	if tags != "" {
		header = append(header, "X-Amz-Tagging", tags)
	}
	grants, err := o.grants(ctx)
	if err != nil {
		return v, err
	}
	rep, err := o.conn.Do(ctx, o.c.s3Put(o.bucket, o.Key, "", content, append(header, grants...)...))
	if err != nil {
		return v, err
	}
	v = infile.Version{Name: o.Version().Name, ID: rep.Field("X-Amz-Version-Id"), Sum: strings.Trim(rep.Field("ETag"), `"`),
		Size: int64(len(content))}
	_, err = rep.Raw()
	return v, err
}

// tags are those of the object as a header has them.
func (o *object) tags(ctx context.Context) (string, error) {
	all, err := o.c.tagsOf(ctx, o.conn, o.file, o.Version().ID)
	tags := url.Values{}
	for _, t := range all {
		tags.Set(t.Key, t.Value)
	}
	return strings.ReplaceAll(tags.Encode(), "+", "%20"), err
}

// grants are the headers that give whom the object is shared with by its list the same again. One that is its owner's alone needs none.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
func (o *object) grants(ctx context.Context) (header []string, err error) {
	if o.look.listless() {
		return nil, nil
	}
	rep, err := o.conn.Do(ctx, o.c.s3(http.MethodGet, o.bucket, o.Key, o.at("acl=")))
	if err != nil {
		return nil, err
	}
	acl, err := fragment(rep, "AccessControlPolicy")
	if err != nil {
		return nil, err
	}
	to, others := map[string][]string{}, false
	for _, g := range members(saas.Member(acl, "AccessControlList"), "Grant") {
		who := `id="` + saas.TextAt(g, "Grantee", "ID") + `"`
		if group := saas.TextAt(g, "Grantee", "URI"); group != "" {
			who = `uri="` + group + `"`
		}
		others = others || who != `id="`+saas.TextAt(acl, "Owner", "ID")+`"`
		to[saas.TextAt(g, "Permission")] = append(to[saas.TextAt(g, "Permission")], who)
	}
	for _, p := range [...]string{"FULL_CONTROL", "READ", "READ_ACP", "WRITE_ACP"} { // WRITE says nothing of an object
		if others && len(to[p]) > 0 {
			header = append(header, "X-Amz-Grant-"+strings.ReplaceAll(strings.ToLower(p), "_", "-"), strings.Join(to[p], ", "))
		}
	}
	return header, nil
}

// Back is infile.File's: the version with the label goes, and the one before is the current one again, as it was.
func (o *object) Back(ctx context.Context, to infile.Version) error {
	rep, err := o.conn.Do(ctx, o.c.s3(http.MethodHead, o.bucket, o.Key, versionQuery(to.ID)))
	if saas.Is(err, saas.Missing) {
		return saas.Refuse("%s: version %s, which it was before, is gone", to.Name, to.ID)
	}
	if err == nil {
		_, err = rep.Raw()
	}
	if err != nil {
		return err
	}
	return saas.Send(ctx, o.conn, []saas.Req{o.c.s3(http.MethodDelete, o.bucket, o.Key, o.at(""))})
}
