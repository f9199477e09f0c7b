package aws

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

func simS3Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// version finds the version that a request means.
func (c *simCall) version(b *simBucket, key, id string) (*simObject, *simVersion, *simError) {
	_, o := b.find(key)
	if id == "" {
		v := o.latest()
		if v == nil || v.marker {
			e := &simError{status: 404, code: "NoSuchKey", message: "The specified key does not exist.", more: simTag("Key", key),
				header: map[string]string{}}
			if v != nil {
				e.header["X-Amz-Delete-Marker"], e.header["X-Amz-Version-Id"] = "true", v.id
			}
			return nil, nil, e
		}
		return o, v, nil
	}
	for i := 0; o != nil && i < len(o.versions); i++ {
		if v := o.versions[i]; v.id == id {
			if v.marker && c.op != "DeleteObject" {
				return nil, nil, &simError{status: 405, code: "MethodNotAllowed",
					message: "The specified method is not allowed against this resource.",
					header:  map[string]string{"X-Amz-Delete-Marker": "true", "Allow": "DELETE"}}
			}
			return o, v, nil
		}
	}
	return nil, nil, simErr(404, "NoSuchVersion", "The specified version does not exist.")
}

// header says what a version is.
func (s *simCloud) headOf(b *simBucket, v *simVersion) map[string]string {
	s.weigh(v)
	h := map[string]string{"Etag": v.etag, "Last-Modified": v.at.UTC().Format(http.TimeFormat), "Content-Type": v.kind,
		"Accept-Ranges":                "bytes",
		"X-Amz-Server-Side-Encryption": "AES256"}
	if b.versioned {
		h["X-Amz-Version-Id"] = v.id
	}
	if v.class != "STANDARD" {
		h["X-Amz-Storage-Class"] = v.class
	}
	if len(v.tags) > 0 {
		h["X-Amz-Tagging-Count"] = strconv.Itoa(len(v.tags))
	}
	for name, val := range v.meta {
		h[name] = val
	}
	return h
}

// readable says why the bytes of a version cannot be had.
func (v *simVersion) readable() *simError {
	switch {
	case v.class == "GLACIER" || v.class == "DEEP_ARCHIVE":
		return &simError{status: 403, code: "InvalidObjectState", message: "The operation is not valid for the object's storage class",
			more: simTag("StorageClass", v.class)}
	case v.sealed:
		return simErr(400, "InvalidRequest",
			"The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "+
				"retrieve the object.")
	}
	return nil
}

// getObject is GetObject and HeadObject.
func (s *simCloud) getObject(c *simCall, b *simBucket) (*simReply, *simError) {
	_, v, e := c.version(b, c.object, c.query("versionId"))
	if e != nil {
		return nil, e
	}
	if e := v.readable(); e != nil && (v.sealed || c.op == "GetObject") {
		return nil, e
	}
	h := s.headOf(b, v)
	switch m := c.r.Header; {
	case m.Get("If-Match") != "" && m.Get("If-Match") != v.etag:
		return nil, simErr(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	case m.Get("If-None-Match") != "" && m.Get("If-None-Match") == v.etag:
		return &simReply{status: http.StatusNotModified, header: h}, nil
	}
	if c.op == "HeadObject" {
		h["Content-Length"] = strconv.Itoa(v.size)
		return &simReply{header: h}, nil
	}
	body := s.bytes(v)
	var from, to int
	switch r := c.r.Header.Get("Range"); {
	case r == "":
		return &simReply{header: h, body: body}, nil
	case strings.HasSuffix(r, "-"):
		_, _ = fmt.Sscanf(r, "bytes=%d-", &from)
		to = len(body) - 1
	default:
		_, _ = fmt.Sscanf(r, "bytes=%d-%d", &from, &to)
	}
	if from >= len(body) {
		return nil, simErr(416, "InvalidRange", "The requested range is not satisfiable")
	}
	to = min(to, len(body)-1)
	h["Content-Range"] = fmt.Sprintf("bytes %d-%d/%d", from, to, len(body))
	return &simReply{status: http.StatusPartialContent, header: h, body: body[from : to+1]}, nil
}

// holds checks the conditions of a write.
func (c *simCall) holds(s *simCloud, b *simBucket) *simError {
	_, o := b.find(c.object)
	v := o.latest()
	there := v != nil && !v.marker
	switch want := c.r.Header.Get("If-Match"); {
	case c.r.Header.Get("If-None-Match") == "*" && there:
	case want != "" && !there:
		return simErr(404, "NoSuchKey", "The specified key does not exist.")
	case want != "" && want != s.weigh(v).etag && want != "*":
	default:
		return nil
	}
	return simErr(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
}

func (s *simCloud) putObject(c *simCall, b *simBucket) (*simReply, *simError) {
	if e := c.holds(s, b); e != nil {
		return nil, e
	}
	v := &simVersion{data: bytes.Clone(c.body), at: s.o.Now().UTC().Truncate(time.Second), class: "STANDARD",
		kind: c.r.Header.Get("Content-Type"), acl: "private", meta: c.meta()}
	if v.kind == "" {
		v.kind = "binary/octet-stream"
	}
	if class := c.r.Header.Get("X-Amz-Storage-Class"); class != "" {
		v.class = class
	}
	if acl := c.granted(); acl != "" {
		if b.enforced {
			return nil, simErr(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")
		}
		v.acl = acl
	}
	if t, _ := url.ParseQuery(c.r.Header.Get("X-Amz-Tagging")); len(t) > 0 {
		for _, name := range slices.Sorted(maps.Keys(t)) {
			v.tags = append(v.tags, [2]string{name, t.Get(name)})
		}
	}
	s.put(b, c.object, v)
	s.tell(b, c.object, v, "ObjectCreated:Put", c.who.userID)
	return &simReply{header: s.written(b, v)}, nil
}

// simKept are the headers of a write that every answer about the object repeats.
var simKept = []string{"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires",
	"X-Amz-Website-Redirect-Location", "X-Amz-Server-Side-Encryption", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id",
	"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled", "X-Amz-Object-Lock-Mode", "X-Amz-Object-Lock-Retain-Until-Date",
	"X-Amz-Object-Lock-Legal-Hold"}

// granted is the canned ACL that a write names, or that its grants come to; "" = none.
func (c *simCall) granted() string {
	to := c.r.Header.Get("X-Amz-Grant-Read")
	switch {
	case strings.Contains(to, "/global/AllUsers"):
		return "public-read"
	case strings.Contains(to, "/global/AuthenticatedUsers"):
		return "authenticated-read"
	}
	return c.r.Header.Get("X-Amz-Acl")
}

// meta are the headers that stay with an object.
func (c *simCall) meta() map[string]string {
	out := map[string]string{}
	for name, v := range c.r.Header {
		if strings.HasPrefix(name, "X-Amz-Meta-") || slices.Contains(simKept, name) {
			out[name] = v[0]
		}
	}
	return out
}

// written are the headers of what was written.
func (s *simCloud) written(b *simBucket, v *simVersion) map[string]string {
	h := map[string]string{"Etag": s.weigh(v).etag, "X-Amz-Server-Side-Encryption": "AES256"}
	if kind := v.meta["X-Amz-Server-Side-Encryption"]; kind != "" {
		h["X-Amz-Server-Side-Encryption"] = kind
	}
	if b.versioned {
		h["X-Amz-Version-Id"] = v.id
	}
	return h
}

func (s *simCloud) copyObject(c *simCall, b *simBucket) (*simReply, *simError) {
	text, query, _ := strings.Cut(c.r.Header.Get("X-Amz-Copy-Source"), "?versionId=")
	path, err := url.PathUnescape(strings.TrimPrefix(text, "/"))
	name, key, _ := strings.Cut(path, "/")
	from := s.buckets[name]
	if err != nil || from == nil {
		return nil, simErr(404, "NoSuchBucket", "The specified bucket does not exist")
	}
	if from.owner != c.account && !from.shared {
		return nil, simErr(403, "AccessDenied", "Access Denied")
	}
	_, v, e := c.version(from, key, query)
	if e == nil {
		e = v.readable()
	}
	if want := c.r.Header.Get("X-Amz-Copy-Source-If-Match"); e == nil && want != "" && want != s.weigh(v).etag {
		e = simErr(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	}
	if e == nil {
		e = c.holds(s, b)
	}
	if e != nil {
		return nil, e
	}
	n := *v
	n.at, n.acl, n.locked = s.o.Now().UTC().Truncate(time.Second), "private", false
	if c.r.Header.Get("X-Amz-Metadata-Directive") == "REPLACE" {
		n.meta = c.meta()
	}
	s.put(b, c.object, &n)
	s.tell(b, c.object, &n, "ObjectCreated:Copy", c.who.userID)
	h := s.written(b, &n)
	delete(h, "Etag")
	if from.versioned {
		h["X-Amz-Copy-Source-Version-Id"] = v.id
	}
	return &simReply{header: h, body: simNode("CopyObjectResult", simTag("ETag", n.etag)+simTag("LastModified", simS3Stamp(n.at)), "xmlns",
		simS3Space)}, nil
}

func (s *simCloud) deleteObject(c *simCall, b *simBucket) (*simReply, *simError) {
	out := &simReply{status: http.StatusNoContent, header: map[string]string{}}
	id := c.query("versionId")
	if id == "" {
		if _, o := b.find(c.object); o == nil && !b.versioned {
			return out, nil
		}
		m := s.put(b, c.object, &simVersion{marker: true, at: s.o.Now().UTC().Truncate(time.Second)})
		kind := "ObjectRemoved:Delete"
		if b.versioned {
			kind = "ObjectRemoved:DeleteMarkerCreated"
			out.header["X-Amz-Delete-Marker"], out.header["X-Amz-Version-Id"] = "true", m.id
		}
		s.tell(b, c.object, m, kind, c.who.userID)
		return out, nil
	}
	o, v, e := c.version(b, c.object, id)
	switch {
	case e != nil && e.code == "NoSuchVersion":
		return out, nil
	case e != nil:
		return nil, e
	case v.locked:
		return nil, simErr(403, "AccessDenied", "Access Denied because object protected by object lock.")
	}
	if out.header["X-Amz-Version-Id"] = v.id; v.marker {
		out.header["X-Amz-Delete-Marker"] = "true"
	}
	if o.versions = slices.DeleteFunc(o.versions, func(x *simVersion) bool { return x == v }); len(o.versions) == 0 {
		i, _ := b.find(c.object)
		b.objects = slices.Delete(b.objects, i, i+1)
	}
	s.tell(b, c.object, v, "ObjectRemoved:Delete", c.who.userID)
	return out, nil
}

func (s *simCloud) getTags(c *simCall, b *simBucket) (*simReply, *simError) {
	_, v, e := c.version(b, c.object, c.query("versionId"))
	if e != nil {
		return nil, e
	}
	out := ""
	for _, t := range v.tags {
		out += simNode("Tag", simTag("Key", t[0])+simTag("Value", t[1]))
	}
	return &simReply{body: simNode("Tagging", simNode("TagSet", out), "xmlns", simS3Space)}, nil
}

// putTags replaces all tags.
func (s *simCloud) putTags(c *simCall, b *simBucket) (*simReply, *simError) {
	_, v, e := c.version(b, c.object, c.query("versionId"))
	if e != nil {
		return nil, e
	}
	var in struct {
		Tags []struct{ Key, Value string } `xml:"TagSet>Tag"`
	}
	if err := xml.Unmarshal(c.body, &in); err != nil {
		return nil, simErr(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	var tags [][2]string
	for _, t := range in.Tags {
		if t.Key == "" || len(t.Key) > 128 || len(t.Value) > 256 || slices.ContainsFunc(tags, func(o [2]string) bool { return o[0] == t.Key }) {
			return nil, simErr(400, "InvalidTag", "The TagKey or TagValue you have provided is invalid")
		}
		tags = append(tags, [2]string{t.Key, t.Value})
	}
	if len(tags) > 10 {
		return nil, simErr(400, "BadRequest", "Object tags cannot be greater than 10")
	}
	v.tags = tags
	s.tell(b, c.object, v, "ObjectTagging:Put", c.who.userID)
	return &simReply{}, nil
}

func (s *simCloud) deleteTags(c *simCall, b *simBucket) (*simReply, *simError) {
	_, v, e := c.version(b, c.object, c.query("versionId"))
	if e != nil {
		return nil, e
	}
	v.tags = nil
	s.tell(b, c.object, v, "ObjectTagging:Delete", c.who.userID)
	return &simReply{status: http.StatusNoContent}, nil
}

func (s *simCloud) getObjectACL(c *simCall, b *simBucket) (*simReply, *simError) {
	_, v, e := c.version(b, c.object, c.query("versionId"))
	if e != nil {
		return nil, e
	}
	return &simReply{body: simACL(b.owner.canonical, v.acl)}, nil
}

func (s *simCloud) putObjectACL(c *simCall, b *simBucket) (*simReply, *simError) {
	_, v, e := c.version(b, c.object, c.query("versionId"))
	if e != nil {
		return nil, e
	}
	acl, e := c.asked(b, b.owner.canonical)
	if e != nil {
		return nil, e
	}
	v.acl = acl
	s.tell(b, c.object, v, "ObjectAcl:Put", c.who.userID)
	return &simReply{}, nil
}
