package aws

import (
	"context"
	"crypto/md5" // a checksum that S3 asks for
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	s3Docs  = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_"
	maxCopy = 5 << 30 // bytes that one copy may have
	epitaph = "This object was removed by a data protection policy. Ask your administrator.\n"
	maxTags = 10
)

// file is an object as an action finds it.
type file struct {
	bucket
	Key, Version string // Version of what is not the current object
	ETag, Size   string
	Gone         bool
	Versioned    bool
	Marker       string // the delete marker that is the current version
	Said         http.Header
	look         *look
}

// open finds the object of a target.
func (c *client) open(ctx context.Context, conn *saas.Conn, t saas.Target) (*file, error) {
	name, key, version := readID(t.ID)
	if name == "" || key == "" {
		return nil, saas.Refuse("file %q: want bucket/key", t.ID)
	}
	f := &file{bucket: c.find(bucket{Name: name, Account: t.Params["owner.id"]}), Key: key, Version: version}
	rep, err := conn.Do(ctx, c.s3(http.MethodHead, bucket{Name: name, Region: f.Region, Account: f.Account}, "", ""))
	if e := redirected(err); e != "" {
		f.Region = e
	} else if err != nil {
		return nil, err
	} else if at := rep.Field(regionHeader); at != "" {
		f.Region = at
	}
	c.saw(f.bucket)
	if f.look, err = c.look(ctx, conn, f.bucket); err != nil {
		return nil, err
	}
	f.Versioned = saas.TextAt(f.look.Versioning, "Status") == "Enabled"
	rep, err = conn.Do(ctx, c.s3(http.MethodHead, f.bucket, key, versionQuery(version)))
	switch {
	case saas.Is(err, saas.Missing):
		f.Gone = true
		return f, c.marked(ctx, conn, f)
	case err != nil:
		return nil, err
	}
	f.Said = rep.Header()
	f.ETag, f.Size = strings.Trim(rep.Field("ETag"), `"`), rep.Field("Content-Length")
	_, err = rep.Raw()
	return f, err
}

// redirected is the Region that a refusal names.
func redirected(err error) string {
	if e, ok := err.(*saas.Error); ok && e.Header != nil {
		return e.Header.Get(regionHeader)
	}
	return ""
}

// marked finds the delete marker that hides an object.
func (c *client) marked(ctx context.Context, conn *saas.Conn, f *file) error {
	q := "versions=&encoding-type=url&max-keys=1000&prefix=" + url.QueryEscape(f.Key)
	rep, err := conn.Do(ctx, c.s3(http.MethodGet, f.bucket, "", q))
	if err != nil {
		return err
	}
	for row, err := range rep.XML("ListVersionsResult/Version|DeleteMarker") {
		if err != nil {
			return err
		}
		key, _ := url.QueryUnescape(saas.TextAt(row, "Key"))
		if key == f.Key && saas.TextAt(row, "IsLatest") == "true" && len(saas.Member(row, "ETag")) == 0 {
			f.Marker = saas.TextAt(row, "VersionId")
		}
	}
	return nil
}

// s3Put is a request that changes a bucket or an object, with the checksum that S3 asks for.
func (c *client) s3Put(b bucket, key, query, body string, header ...string) saas.Req {
	q := c.s3(http.MethodPut, b, key, query)
	q.Body = body
	sum := md5.Sum([]byte(body))
	if body != "" {
		q.Header["Content-MD5"] = base64.StdEncoding.EncodeToString(sum[:])
		q.Header["Content-Type"] = "application/xml"
	}
	for i := 0; i < len(header); i += 2 {
		q.Header[header[i]] = header[i+1]
	}
	return q
}

// fileActions are what the agent can do to objects and to who sees them.
func (c *client) fileActions() []saas.Action {
	return []saas.Action{c.makePrivate(), c.removeCollaborator(), c.applyLabel(), c.remove(action.DeleteFile), c.restoreFile(), c.purge(),
		c.remove(action.QuarantineFile), c.tombstone()}
}

// block is what keeps the public out of a bucket, whatever its policy and lists say.
func block(on map[string]string) string {
	var b strings.Builder
	b.WriteString(`<PublicAccessBlockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`)
	for _, way := range [...]string{"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"} {
		val := on[way]
		if val == "" {
			val = "false"
		}
		b.WriteString("<" + way + ">" + val + "</" + way + ">")
	}
	b.WriteString("</PublicAccessBlockConfiguration>")
	return b.String()
}

// makePrivate takes what is public away: the list of an object or, where its bucket is public, that of the whole bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html
func (c *client) makePrivate() saas.Action {
	a := saas.Action{Verb: action.RemovePublicLink, Needs: ofObjects, Docs: s3Docs + "PutPublicAccessBlock.html"}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		f, err := c.open(ctx, conn, t)
		if err != nil {
			return nil, err
		}
		plan := &saas.Plan{Verb: a.Verb, Target: t}
		was := map[string]any{"visibility": f.look.visibility()}
		acl, open, err := c.openTo(ctx, conn, f)
		if err != nil {
			return nil, err
		}
		if open {
			plan.Steps = append(plan.Steps, c.s3Put(f.bucket, f.Key, joinQuery("acl=", versionQuery(f.Version)), "", "X-Amz-Acl", "private"))
			plan.Back = append(plan.Back, c.s3Put(f.bucket, f.Key, joinQuery("acl=", versionQuery(f.Version)), acl))
			was["acl"] = acl
		}
		if f.look.visibility() == "public" {
			all := map[string]string{"BlockPublicAcls": "true", "IgnorePublicAcls": "true", "BlockPublicPolicy": "true",
				"RestrictPublicBuckets": "true"}
			plan.Steps = append(plan.Steps, c.s3Put(f.bucket, "", "publicAccessBlock=", block(all)))
			var old map[string]string
			back := c.s3(http.MethodDelete, f.bucket, "", "publicAccessBlock=")
			if json.Unmarshal(f.look.Block, &old) == nil && len(old) > 0 {
				back = c.s3Put(f.bucket, "", "publicAccessBlock=", block(old))
			}
			plan.Back, was["public_access_block"] = append([]saas.Req{back}, plan.Back...), old // a blocked bucket takes no public list
		}
		if len(plan.Steps) == 0 {
			return nil, saas.Settled("s3://%s/%s is not public", f.Name, f.Key)
		}
		plan.Before, err = json.Marshal(was)
		return plan, err
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		f, err := c.open(ctx, conn, p.Target)
		if err != nil || f.Gone {
			return err == nil, err
		}
		_, open, err := c.openTo(ctx, conn, f)
		return !open && f.look.visibility() != "public", err
	})
}

// openTo is the list of an object as it was sent, and whether all the world is in it.
func (c *client) openTo(ctx context.Context, conn *saas.Conn, f *file) (acl string, open bool, err error) {
	if f.Gone || f.look.blocks("IgnorePublicAcls") || f.look.listless() {
		return "", false, nil
	}
	rep, err := conn.Do(ctx, c.s3(http.MethodGet, f.bucket, f.Key, joinQuery("acl=", versionQuery(f.Version))))
	if err != nil {
		return "", false, err
	}
	raw, err := rep.Raw()
	return string(raw), strings.Contains(string(raw), everybody) || strings.Contains(string(raw), signedIn), err
}

// removeCollaborator takes others out of the policy of an object's bucket: whom the target names, else all other accounts.
func (c *client) removeCollaborator() saas.Action {
	a := saas.Action{Verb: action.RemoveCollaborator, Needs: ofObjects, Docs: s3Docs + "PutBucketPolicy.html"}
	meant := func(t saas.Target, own map[string]bool) func(string) bool {
		who := t.Params["collaborator"]
		return func(p string) bool {
			if who == "" {
				return outsider(p, own)
			}
			_, name, _ := strings.Cut(p, " ")
			return name == who || accountOf(name) == who
		}
	}
	policies := func(ctx context.Context, conn *saas.Conn, t saas.Target) (f *file, now []byte, cut bool, err error) {
		own, err := c.ours(ctx, conn)
		if err == nil {
			f, err = c.open(ctx, conn, t)
		}
		if err != nil || len(f.look.Policy) == 0 {
			return f, nil, false, err
		}
		now, cut = withoutPrincipals(f.look.Policy, meant(t, own))
		return f, now, cut, nil
	}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		f, now, cut, err := policies(ctx, conn, t)
		if err != nil {
			return nil, err
		}
		if !cut {
			return nil, saas.Settled("the policy of bucket %s lets nobody in that is meant", f.Name)
		}
		step := c.s3(http.MethodDelete, f.bucket, "", "policy=")
		if now != nil {
			step = c.s3Put(f.bucket, "", "policy=", string(now), "Content-Type", "application/json")
		}
		return pair(a.Verb, t, map[string]json.RawMessage{"policy": f.look.Policy}, step,
			c.s3Put(f.bucket, "", "policy=", string(f.look.Policy), "Content-Type", "application/json"))
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		_, _, cut, err := policies(ctx, conn, p.Target)
		return !cut, err
	})
}

type tag struct{ Key, Value string }

// tagging writes tags as S3 takes them.
func tagging(tags []tag) string {
	body, _ := xml.Marshal(struct {
		XMLName xml.Name `xml:"Tagging"`
		TagSet  struct{ Tag []tag }
	}{TagSet: struct{ Tag []tag }{tags}})
	return string(body)
}

// tagsOf are the tags of a version of an object; "" = the current one.
func (c *client) tagsOf(ctx context.Context, conn *saas.Conn, f *file, version string) (tags []tag, err error) {
	rep, err := conn.Do(ctx, c.s3(http.MethodGet, f.bucket, f.Key, joinQuery("tagging=", versionQuery(version))))
	if err != nil {
		return nil, err
	}
	raw, err := fragment(rep, "TagSet")
	for _, m := range members(raw, "Tag") {
		tags = append(tags, tag{saas.TextAt(m, "Key"), saas.TextAt(m, "Value")})
	}
	return tags, err
}

// label gives an object the tag that stands for a label, and leaves its other tags.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
func (c *client) label() saas.Action {
	a := saas.Action{Verb: action.ApplyLabel, Needs: ofObjects, Docs: s3Docs + "PutObjectTagging.html"}
	read := func(ctx context.Context, conn *saas.Conn, t saas.Target) (f *file, tags []tag, err error) {
		if f, err = c.open(ctx, conn, t); err != nil {
			return nil, nil, err
		}
		if f.Gone {
			return nil, nil, saas.Refuse("s3://%s/%s is gone", f.Name, f.Key)
		}
		tags, err = c.tagsOf(ctx, conn, f, f.Version)
		return f, tags, err
	}
	has := func(t saas.Target, tags []tag) bool { return slices.Contains(tags, tag{c.LabelTag, t.Params["label"]}) }
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		if t.Params["label"] == "" {
			return nil, saas.Refuse("the target names no label")
		}
		f, was, err := read(ctx, conn, t)
		if err != nil {
			return nil, err
		}
		if has(t, was) {
			return nil, saas.Settled("s3://%s/%s has label %s", f.Name, f.Key, t.Params["label"])
		}
		now := slices.DeleteFunc(slices.Clone(was), func(o tag) bool { return o.Key == c.LabelTag })
		if now = append(now, tag{c.LabelTag, t.Params["label"]}); len(now) > maxTags {
			return nil, saas.Refuse("s3://%s/%s has %d tags, the most there may be", f.Name, f.Key, len(was))
		}
		at := joinQuery("tagging=", versionQuery(f.Version))
		back := c.s3Put(f.bucket, f.Key, at, tagging(was))
		if len(was) == 0 {
			back = c.s3(http.MethodDelete, f.bucket, f.Key, at)
		}
		return pair(a.Verb, t, map[string]any{"tags": was}, c.s3Put(f.bucket, f.Key, at, tagging(now)), back)
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		_, tags, err := read(ctx, conn, p.Target)
		return has(p.Target, tags), err
	})
}

// epitaphTag is the ETag of the notice, which no key encrypts.
func epitaphTag() string {
	sum := md5.Sum([]byte(epitaph))
	return hex.EncodeToString(sum[:])
}
