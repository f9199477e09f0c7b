package aws

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// simEntry is a key or a common prefix of a list.
type simEntry struct {
	key    string
	object *simObject // nil = a prefix
}

// entries are the keys and prefixes that a list goes over, after a key, at most n and one.
func (c *simCall) entries(b *simBucket, after string, n int) (out []simEntry) {
	prefix, delimiter := c.query("prefix"), c.query("delimiter")
	from, _ := b.find(max(after, prefix))
	for _, o := range b.objects[from:] {
		if !strings.HasPrefix(o.key, prefix) {
			break
		}
		if o.key <= after && after != "" {
			continue
		}
		e := simEntry{o.key, o}
		if i := strings.Index(o.key[len(prefix):], delimiter); delimiter != "" && i >= 0 {
			if e = (simEntry{o.key[:len(prefix)+i+len(delimiter)], nil}); strings.HasPrefix(after, e.key) || len(out) > 0 &&
				out[len(out)-1].key == e.key {
				continue
			}
		}
		if c.op == "ListObjectsV2" && e.object != nil && o.latest().marker {
			continue
		}
		if out = append(out, e); len(out) > n {
			break
		}
	}
	return out
}

// listObjects is ListObjectsV2. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
func (s *simCloud) listObjects(c *simCall, b *simBucket) (*simReply, *simError) {
	if c.query("list-type") != "2" {
		return nil, simErr(501, "NotImplemented", "A header or query you provided implies functionality that is not implemented")
	}
	most, after := min(c.number("max-keys", 1000), 1000), c.query("start-after")
	if t := c.query("continuation-token"); t != "" {
		key, err := base64.StdEncoding.DecodeString(t)
		if err != nil {
			return nil, simErr(400, "InvalidArgument", "The continuation token provided is incorrect")
		}
		after = string(key)
	}
	list, head, tail, out := c.entries(b, after, most), "", simTag("IsTruncated", "false"), ""
	if len(list) > most {
		if list = list[:most]; most > 0 {
			last := list[most-1].key
			tail = simTag("IsTruncated", "true") + simTag("NextContinuationToken", base64.StdEncoding.EncodeToString([]byte(last)))
		}
	}
	for _, e := range list {
		if e.object == nil {
			out += simNode("CommonPrefixes", c.encoded("Prefix", e.key))
			continue
		}
		v, owner := s.weigh(e.object.latest()), ""
		if c.query("fetch-owner") == "true" {
			owner = simNode("Owner", simTag("ID", b.owner.canonical))
		}
		out += simNode("Contents", c.encoded("Key", e.key)+simTag("LastModified", simS3Stamp(v.at))+simTag("ETag", v.etag)+
			simTag("Size", strconv.Itoa(v.size))+owner+simTag("StorageClass", v.class))
	}
	head = simTag("Name", b.name) + c.encoded("Prefix", c.query("prefix")) + simTag("KeyCount", strconv.Itoa(len(list))) +
		simTag("MaxKeys", strconv.Itoa(most)) + c.echo()
	return &simReply{body: simNode("ListBucketResult", head+tail+out, "xmlns", simS3Space)}, nil
}

// echo repeats what a list was asked for.
func (c *simCall) echo() (out string) {
	for _, p := range [][2]string{{"delimiter", "Delimiter"}, {"start-after", "StartAfter"}, {"key-marker", "KeyMarker"}} {
		if c.flag(p[0]) {
			out += c.encoded(p[1], c.query(p[0]))
		}
	}
	for _, p := range [][2]string{{"encoding-type", "EncodingType"}, {"continuation-token", "ContinuationToken"}, {"version-id-marker",
		"VersionIdMarker"}} {
		if c.flag(p[0]) {
			out += simTag(p[1], c.query(p[0]))
		}
	}
	return out
}

// listVersions is ListObjectVersions: of each key the newest first.
func (s *simCloud) listVersions(c *simCall, b *simBucket) (*simReply, *simError) {
	most, key, mark := min(c.number("max-keys", 1000), 1000), c.query("key-marker"), c.query("version-id-marker")
	list := c.entries(b, key, len(b.objects))
	if _, o := b.find(key); mark != "" && o != nil { // the rest of this key
		list = append([]simEntry{{key, o}}, list...)
	}
	tail, out, n := simTag("IsTruncated", "false"), "", 0
	lastKey, lastID := "", ""
all:
	for _, e := range list {
		if e.object == nil {
			out += simNode("CommonPrefixes", c.encoded("Prefix", e.key))
			continue
		}
		skip := e.key == key && mark != ""
		for i := len(e.object.versions) - 1; i >= 0; i-- {
			v := e.object.versions[i]
			if skip {
				skip = v.id != mark
				continue
			}
			if n == most {
				tail = simTag("IsTruncated", "true") + c.encoded("NextKeyMarker", lastKey) + simTag("NextVersionIdMarker", lastID)
				break all
			}
			n, lastKey, lastID = n+1, e.key, v.id
			out += s.versionXML(c, b, e.object, v)
		}
	}
	return &simReply{body: simNode("ListVersionsResult", simTag("Name", b.name)+c.encoded("Prefix", c.query("prefix"))+c.echo()+
		simTag("MaxKeys", strconv.Itoa(most))+tail+out, "xmlns", simS3Space)}, nil
}

func (s *simCloud) versionXML(c *simCall, b *simBucket, o *simObject, v *simVersion) string {
	head := c.encoded("Key", o.key) + simTag("VersionId", v.id) + simTag("IsLatest", strconv.FormatBool(v == o.latest())) +
		simTag("LastModified", simS3Stamp(v.at)) + simNode("Owner", simTag("ID", b.owner.canonical))
	if v.marker {
		return simNode("DeleteMarker", head)
	}
	s.weigh(v)
	return simNode("Version", head+simTag("ETag", v.etag)+simTag("Size", strconv.Itoa(v.size))+simTag("StorageClass", "STANDARD"))
}
