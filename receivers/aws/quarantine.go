package aws

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

// kept is what an action on an object was, and what came of it.
type kept struct {
	bucket
	Key       string `json:"key"`
	Version   string `json:"version,omitempty"` // of what is not the current object
	ETag      string `json:"etag"`
	Versioned bool   `json:"versioned"`
	Copy      string `json:"copy,omitempty"`   // its key in the quarantine
	Marker    string `json:"marker,omitempty"` // the version that took the object's place
}

func was(p *saas.Plan) (k kept) {
	_ = json.Unmarshal(p.Before, &k) // a plan of ours
	if len(p.After) > 0 {
		_ = json.Unmarshal(p.After, &k)
	}
	return k
}

// shelter is the quarantine, where it is.
func (c *client) shelter(ctx context.Context, conn *saas.Conn) (bucket, error) {
	b := c.find(bucket{Name: c.QuarantineBucket})
	if b.Name == "" {
		return b, saas.Refuse("quarantine_bucket: empty, there is no place for objects in quarantine")
	}
	if b.Region != "" {
		return b, nil
	}
	rep, err := conn.Do(ctx, c.s3(http.MethodHead, b, "", ""))
	if b.Region = redirected(err); b.Region == "" {
		if err != nil {
			return b, err
		}
		b.Region = rep.Field(regionHeader)
	}
	c.saw(b)
	return b, nil
}

// copied copies an object, as it was when it was looked at. S3 may find out that it cannot when it has begun to answer.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
func (c *client) copied(ctx context.Context, conn *saas.Conn, from bucket, key, version, etag string, to bucket, as string) error {
	source := "/" + from.Name + "/" + escapeKey(key)
	if version != "" {
		source += "?versionId=" + url.QueryEscape(version)
	}
	q := c.s3Put(to, as, "", "", "X-Amz-Copy-Source", source, "X-Amz-Copy-Source-If-Match", `"`+etag+`"`)
	q.As = from.Account // who may read the one writes the other
	rep, err := conn.Do(ctx, q)
	if err != nil {
		return err
	}
	done, err := fragment(rep, "CopyObjectResult")
	if err == nil && len(done) == 0 {
		err = &saas.Error{Outcome: saas.Unavailable, Req: "PUT /" + to.Name + "/" + as, Msg: "the answer to the copy holds no result"}
	}
	return err
}

// planEnd is the Plan of what ends an object: it says what is in the way.
func (c *client) planEnd(verb string, t saas.Target, f *file) (*saas.Plan, error) {
	size, _ := strconv.ParseInt(f.Size, 10, 64)
	where := "s3://" + f.Name + "/" + f.Key
	k := kept{bucket: f.bucket, Key: f.Key, Version: f.Version, ETag: f.ETag, Versioned: f.Versioned}
	if verb != action.DeleteFile && c.QuarantineBucket != "" {
		k.Copy = f.Name + "/" + f.Key + "/" + f.ETag
	}
	switch {
	case f.Gone:
		return nil, saas.Settled("%s is gone", where)
	case f.Version != "":
		return nil, saas.Refuse("%s: version %s is not the current one: purge_file deletes it", where, f.Version)
	case !f.Versioned && verb == action.DeleteFile:
		return nil, saas.Refuse("%s: the bucket keeps no versions, what is deleted there is gone: quarantine_file or purge_file", where)
	case k.Copy == "" && (verb == action.QuarantineFile || !f.Versioned) && verb != action.DeleteFile:
		return nil, saas.Refuse("quarantine_bucket: empty, there is no place for %s", where)
	case k.Copy != "" && size > maxCopy:
		return nil, saas.Refuse("%s has %d bytes, more than one copy may have", where, size)
	}
	before, err := json.Marshal(k)
	return &saas.Plan{Verb: verb, Target: t, Before: before}, err
}

// remove is delete_file, which leaves a delete marker, and quarantine_file, which keeps a copy first.
func (c *client) remove(verb string) saas.Action {
	a := saas.Action{Verb: verb, Needs: ofObjects, Docs: s3Docs + "DeleteObject.html"}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		f, err := c.open(ctx, conn, t)
		if err != nil {
			return nil, err
		}
		return c.planEnd(verb, t, f)
	}
	a.Do = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error {
		return c.end(ctx, conn, p, func(k *kept) error {
			q := c.s3(http.MethodDelete, k.bucket, k.Key, "")
			rep, err := conn.Do(ctx, q)
			if err != nil {
				return err
			}
			k.Marker = rep.Field("X-Amz-Version-Id")
			_, err = rep.Raw()
			return err
		})
	}
	a.Done = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		f, err := c.open(ctx, conn, p.Target)
		return err == nil && f.Gone, err
	}
	a.Undo = c.bringBack
	return a
}

// end copies an object into the quarantine where it is to be, and lets last do the rest while the object is the one planned for.
func (c *client) end(ctx context.Context, conn *saas.Conn, p *saas.Plan, last func(k *kept) error) error {
	k := was(p)
	f, err := c.open(ctx, conn, p.Target)
	switch {
	case err != nil:
		return err
	case f.Gone: // before a crash
		if k.Marker = f.Marker; k.Marker != "" {
			p.After, err = json.Marshal(k)
		}
		return err
	case f.ETag != k.ETag:
		return saas.Refuse("s3://%s/%s was changed since it was looked at", k.Name, k.Key)
	}
	if k.Copy != "" {
		to, err := c.shelter(ctx, conn)
		if err == nil {
			err = c.copied(ctx, conn, k.bucket, k.Key, "", k.ETag, to, k.Copy)
		}
		if err != nil {
			return err
		}
	}
	if err := last(&k); err != nil {
		return err
	}
	p.After, err = json.Marshal(k)
	return err
}

// bringBack takes away what took an object's place or, where the bucket keeps no versions, copies it back from the quarantine.
func (c *client) bringBack(ctx context.Context, conn *saas.Conn, p *saas.Plan) error {
	k := was(p)
	if k.Versioned && k.Marker != "" {
		rep, err := conn.Do(ctx, c.s3(http.MethodDelete, k.bucket, k.Key, versionQuery(k.Marker)))
		if err == nil {
			_, err = rep.Raw()
		}
		if err != nil && !saas.Is(err, saas.Missing) {
			return err
		}
	} else {
		if k.Copy == "" {
			return saas.Refuse("s3://%s/%s: nothing is kept of it", k.Name, k.Key)
		}
		if err := c.copiedBack(ctx, conn, p, k); err != nil {
			return err
		}
	}
	if k.Copy == "" {
		return nil
	}
	from, err := c.shelter(ctx, conn)
	if err != nil {
		return err
	}
	return saas.Send(ctx, conn, []saas.Req{c.s3(http.MethodDelete, from, k.Copy, "")})
}

// copiedBack copies an object back from the quarantine, unless it is there already.
func (c *client) copiedBack(ctx context.Context, conn *saas.Conn, p *saas.Plan, k kept) error {
	if f, err := c.open(ctx, conn, p.Target); err != nil || !f.Gone && f.ETag == k.ETag {
		return err
	}
	from, err := c.shelter(ctx, conn)
	if err != nil {
		return err
	}
	from.Account = k.Account
	return c.copied(ctx, conn, from, k.Copy, "", k.ETag, k.bucket, k.Key)
}

// tombstone puts a notice in the place of an object, unless somebody changed it meanwhile.
func (c *client) tombstone() saas.Action {
	a := saas.Action{Verb: action.TombstoneFile, Needs: ofObjects, Docs: s3Docs + "PutObject.html"}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		f, err := c.open(ctx, conn, t)
		if err != nil {
			return nil, err
		}
		if f.ETag == epitaphTag() {
			return nil, saas.Settled("s3://%s/%s holds the notice", f.Name, f.Key)
		}
		return c.planEnd(a.Verb, t, f)
	}
	a.Do = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error {
		if f, err := c.open(ctx, conn, p.Target); err != nil || f.ETag == epitaphTag() {
			return err
		}
		return c.end(ctx, conn, p, func(k *kept) error {
			rep, err := conn.Do(ctx, c.s3Put(k.bucket, k.Key, "", epitaph, "If-Match", `"`+k.ETag+`"`, "Content-Type", "text/plain"))
			if err != nil {
				return err
			}
			k.Marker = rep.Field("X-Amz-Version-Id")
			_, err = rep.Raw()
			return err
		})
	}
	a.Done = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		f, err := c.open(ctx, conn, p.Target)
		if err != nil || f.Gone {
			return err == nil, err
		}
		return f.ETag != was(p).ETag, nil
	}
	a.Undo = c.bringBack
	return a
}

// restoreFile takes away the delete marker that hides an object.
func (c *client) restoreFile() saas.Action {
	a := saas.Action{Verb: action.RestoreFile, Needs: ofObjects, Docs: s3Docs + "DeleteObject.html"}
	current := func(t saas.Target) saas.Target { // a trashed object is known by its marker
		name, key, _ := readID(t.ID)
		t.ID = objectID(name, key, "")
		return t
	}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		f, err := c.open(ctx, conn, current(t))
		switch {
		case err != nil:
			return nil, err
		case !f.Gone:
			return nil, saas.Settled("s3://%s/%s is there", f.Name, f.Key)
		case f.Marker == "":
			return nil, saas.Refuse("s3://%s/%s is gone for good", f.Name, f.Key)
		}
		return pair(a.Verb, t, map[string]string{"marker": f.Marker}, c.s3(http.MethodDelete, f.bucket, f.Key, versionQuery(f.Marker)),
			c.s3(http.MethodDelete, f.bucket, f.Key, ""))
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		f, err := c.open(ctx, conn, current(p.Target))
		return err == nil && !f.Gone, err
	})
}

// purge deletes an object with all its versions, or the one version that the target names.
func (c *client) purge() saas.Action {
	a := saas.Action{Verb: action.PurgeFile, Needs: ofObjects, Docs: s3Docs + "DeleteObject.html",
		Irreversible: "what is deleted with its versions is kept nowhere"}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		f, err := c.open(ctx, conn, t)
		if err != nil {
			return nil, err
		}
		plan := &saas.Plan{Verb: a.Verb, Target: t}
		q := "versions=&encoding-type=url&max-keys=1000&prefix=" + url.QueryEscape(f.Key)
		rep, err := conn.Do(ctx, c.s3(http.MethodGet, f.bucket, "", q))
		if err != nil {
			return nil, err
		}
		var ids []string
		for row, err := range rep.XML("ListVersionsResult/Version|DeleteMarker") {
			if err != nil {
				return nil, err
			}
			key, _ := url.QueryUnescape(saas.TextAt(row, "Key"))
			if id := saas.TextAt(row, "VersionId"); key == f.Key && (f.Version == "" || f.Version == id) {
				ids = append(ids, id)
				plan.Steps = append(plan.Steps, c.s3(http.MethodDelete, f.bucket, f.Key, versionQuery(id)))
			}
		}
		if len(plan.Steps) == 0 {
			return nil, saas.Settled("s3://%s/%s is gone", f.Name, f.Key)
		}
		plan.Before, err = json.Marshal(map[string]any{"etag": f.ETag, "versions": ids})
		return plan, err
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		f, err := c.open(ctx, conn, p.Target)
		return err == nil && f.Gone && f.Marker == "", err
	})
}
