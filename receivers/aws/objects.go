package aws

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// listURL asks for the objects of a bucket, keys written as in a URL: XML cannot hold all of them.
func (c *client) listURL(b bucket, prefix, delimiter, token string) saas.Req {
	query := "list-type=2&encoding-type=url&max-keys=1000"
	for _, p := range [...][2]string{{"prefix", prefix}, {"delimiter", delimiter}, {"continuation-token", token}} {
		if p[1] != "" {
			query += "&" + p[0] + "=" + url.QueryEscape(p[1])
		}
	}
	return c.s3("", b, "", query)
}

// eachObject calls f for objects below a prefix, or for the folders there.
func (c *client) eachObject(ctx context.Context, d saas.Doer, b bucket, prefix, delimiter, rows string,
	f func(json.RawMessage) error) error {
	return pages(ctx, d, func(next string) saas.Req { return c.listURL(b, prefix, delimiter, next) },
		func(p *saas.Reply) saas.Rows { return p.XML("ListBucketResult/" + rows) }, "NextContinuationToken", f)
}

// placeOf is the bucket of a part.
func placeOf(it saas.Item) (b bucket, err error) {
	if err := json.Unmarshal(it.Data, &b); err != nil {
		return b, &saas.Error{Outcome: saas.Invalid, Msg: "part " + it.Key + " names no bucket", Err: err}
	}
	return b, nil
}

// files walks the objects of a bucket. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
func (c *client) files(ctx context.Context, r *saas.Run) error {
	return c.walkBucket(ctx, r, func(b bucket) saas.Req { return c.listURL(b, "", "", "") }, "ListBucketResult/Contents",
		func(b bucket, p *saas.Reply) (saas.Req, bool) {
			token := p.Field("NextContinuationToken")
			return c.listURL(b, "", "", token), token != ""
		}, func(json.RawMessage) bool { return true })
}

// versions walks what is no current object of a bucket: older versions, and the markers of those that were deleted.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
func (c *client) versions(ctx context.Context, r *saas.Run) error {
	const query = "versions=&encoding-type=url&max-keys=1000"
	return c.walkBucket(ctx, r, func(b bucket) saas.Req { return c.s3("", b, "", query) }, "ListVersionsResult/Version|DeleteMarker",
		func(b bucket, p *saas.Reply) (saas.Req, bool) {
			key, _ := url.QueryUnescape(p.Field("NextKeyMarker"))
			q := query + "&key-marker=" + url.QueryEscape(key) + "&version-id-marker=" + url.QueryEscape(p.Field("NextVersionIdMarker"))
			return c.s3("", b, "", q), key != ""
		}, func(row json.RawMessage) bool {
			return saas.TextAt(row, "IsLatest") != "true" || len(saas.Member(row, "ETag")) == 0
		})
}

// walkBucket walks a list of a bucket and joins each row that is wanted with where it is and who may see it.
func (c *client) walkBucket(ctx context.Context, r *saas.Run, first func(bucket) saas.Req, rows string,
	next func(bucket, *saas.Reply) (saas.Req, bool), wanted func(json.RawMessage) bool) error {
	b, err := placeOf(r.Item())
	if err != nil {
		return err
	}
	look, err := c.look(ctx, r, b)
	if err != nil {
		return err
	}
	around := c.around(b, look)
	return saas.List(func(*saas.Run) saas.Req { return first(b) }, func(p *saas.Reply) saas.Rows {
		return saas.Sift(p.XML(rows), func(row json.RawMessage) json.RawMessage {
			if !wanted(row) {
				return nil
			}
			return saas.Join("Bucket Object", around, row)
		})
	}, func(p *saas.Reply, _ json.RawMessage) (saas.Req, bool) { return next(b, p) })(ctx, r)
}

// around is what the row of an object lacks.
func (c *client) around(b bucket, l *look) json.RawMessage {
	return saas.Join("Name Region Account Visibility", saas.Quote(b.Name), saas.Quote(b.Region), saas.Quote(b.Account),
		saas.Quote(l.visibility()))
}

// contentOf asks for the content of an object that was listed. A delete marker has none.
func contentOf(v *event.Values) []saas.Item {
	if !v.Has(oETag) {
		return nil
	}
	b := bucket{v.Str(oBucket), v.Str(oRegion), v.Str(oAccount)}
	it := contentItem(b, keyOf(v), versionOf(v))
	it.Hash = it.Key + "@" + etagOf(v)
	return []saas.Item{it}
}

// contentItem asks for the content of an object, whoever found it: a part named as its entity.
func contentItem(b bucket, key, version string) saas.Item {
	b = bucket{strings.Clone(b.Name), strings.Clone(b.Region), strings.Clone(b.Account)}
	data, _ := json.Marshal(b)
	return saas.Item{Stream: "content", Key: objectID(b.Name, key, version), Data: data}
}

// objectID is the id of an object, or of one of its versions that is not the current one.
func objectID(bucket, key, version string) string {
	id := bucket + "/" + key
	if version != "" {
		id += "?versionId=" + version
	}
	return id
}

// readID is what objectID made.
func readID(id string) (bucket, key, version string) {
	bucket, key, _ = strings.Cut(id, "/")
	if at := strings.LastIndex(key, "?versionId="); at >= 0 {
		key, version = key[:at], key[at+len("?versionId="):]
	}
	return bucket, key, version
}

func versionQuery(version string) string {
	if version == "" {
		return ""
	}
	return "versionId=" + url.QueryEscape(version)
}

// touched reads an object as it is now, with its tags.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
func (c *client) touched(ctx context.Context, r *saas.Run) error {
	name, key, version := readID(r.Item().Key)
	b := bucket{Name: name}
	if data := r.Item().Data; len(data) > 0 {
		if err := json.Unmarshal(data, &b); err != nil {
			return &saas.Error{Outcome: saas.Invalid, Msg: "object " + r.Item().Key + ": its part cannot be read", Err: err}
		}
	}
	b = c.find(b)
	if b.Name = name; !c.reads(name) {
		return &saas.Error{Outcome: saas.Missing, Msg: "bucket " + name + " is left out"}
	}
	row, err := c.head(ctx, r, b, key, version)
	if saas.Is(err, saas.Invalid) { // of what is encrypted by a key that only its owner has nothing else is told
		row, err = json.Marshal(map[string]string{"Key": url.QueryEscape(key), "VersionId": version, "Encryption": "SSE-C"})
	}
	if err != nil {
		return err
	}
	var tags json.RawMessage
	rep, err := c.object(ctx, r, c.s3(http.MethodGet, b, key, joinQuery("tagging=", versionQuery(version))), b)
	if err == nil {
		tags, err = fragment(rep, "TagSet")
	}
	if hard(err) {
		return err
	}
	look, err := c.look(ctx, r, b)
	if err != nil {
		return err
	}
	acl, err := c.objectACL(ctx, r, b, key, version, look)
	if err != nil {
		return err
	}
	return r.Emit("", saas.Join("Bucket Object Tags Acl", c.around(b, look), row, tags, acl))
}

func joinQuery(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "&")
}

// hard says whether a failure may pass when the same is asked again.
func hard(err error) bool {
	return err != nil && !saas.Is(err, saas.Denied) && !saas.Is(err, saas.Missing) && !saas.Is(err, saas.Invalid)
}

// head is an object as its list would have it.
func (c *client) head(ctx context.Context, d saas.Doer, b bucket, key, version string) (json.RawMessage, error) {
	rep, err := c.object(ctx, d, c.s3(http.MethodHead, b, key, versionQuery(version)), b)
	if err != nil {
		return nil, err
	}
	if _, err := rep.Raw(); err != nil {
		return nil, err
	}
	row := map[string]string{"Key": url.QueryEscape(key), "VersionId": version, "Size": rep.Field("Content-Length"), "ETag": rep.Field("ETag"),
		"StorageClass": rep.Field("X-Amz-Storage-Class"), "ContentType": rep.Field("Content-Type"),
		"Encryption": rep.Field("X-Amz-Server-Side-Encryption"), "Restore": rep.Field("X-Amz-Restore")}
	if at, err := http.ParseTime(rep.Field("Last-Modified")); err == nil {
		row["LastModified"] = at.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	for name, val := range row {
		if val == "" {
			delete(row, name)
		}
	}
	raw, err := json.Marshal(row)
	return raw, err
}

// objectACL is who may see an object beside what its bucket says; nil where lists count for nothing.
func (c *client) objectACL(ctx context.Context, d saas.Doer, b bucket, key, version string, l *look) (json.RawMessage, error) {
	if l.blocks("IgnorePublicAcls") || l.listless() {
		return nil, nil
	}
	rep, err := c.object(ctx, d, c.s3(http.MethodGet, b, key, joinQuery("acl=", versionQuery(version))), b)
	if err != nil {
		if hard(err) {
			return nil, err
		}
		return nil, nil
	}
	return fragment(rep, "AccessControlPolicy")
}

// content is Instance.Content: the bytes of an object, as they were when it was described.
func (c *client) content(ctx context.Context, conn *saas.Conn, ref saas.FileRef) (io.ReadCloser, error) {
	b := bucket{saas.TextAt(ref.Raw, "Bucket", "Name"), saas.TextAt(ref.Raw, "Bucket", "Region"), saas.TextAt(ref.Raw, "Bucket", "Account")}
	_, key, version := readID(ref.ID)
	q := c.s3(http.MethodGet, b, key, versionQuery(version))
	q.Header["If-Match"] = saas.TextAt(ref.Raw, "Object", "ETag")
	rep, err := c.object(ctx, conn, q, b)
	if err != nil {
		return nil, err
	}
	return rep.Body(), nil
}
