package aws

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"hash/crc32"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const simS3Space = "http://s3.amazonaws.com/doc/2006-03-01/"

// simS3Flags are what a query asks for instead of the bucket or object itself.
var simS3Flags = [][3]string{{"location", "BucketLocation", ""}, {"policyStatus", "BucketPolicyStatus", ""}, {"policy", "BucketPolicy",
	""},
	{"acl", "BucketAcl", "ObjectAcl"}, {"publicAccessBlock", "PublicAccessBlock", ""}, {"ownershipControls", "BucketOwnershipControls", ""},
	{"versioning", "BucketVersioning", ""}, {"notification", "BucketNotificationConfiguration", ""}, {"tagging", "BucketTagging",
		"ObjectTagging"},
	{"encryption", "BucketEncryption", ""}}

// toBucket finds bucket, key and operation of a request to S3, by path or by host.
func (c *simCall) toBucket() {
	path := strings.TrimPrefix(c.r.URL.Path, "/")
	if name, _, ok := strings.Cut(c.r.Host, ".s3."); ok {
		c.bucket, c.object = name, path
	} else {
		c.bucket, c.object, _ = strings.Cut(path, "/")
	}
	verb := map[string]string{"GET": "Get", "PUT": "Put", "DELETE": "Delete", "HEAD": "Head"}[c.r.Method]
	q, what := c.r.URL.Query(), 1
	if c.object != "" {
		what = 2
	}
	for _, f := range simS3Flags {
		if q.Has(f[0]) && f[what] != "" {
			c.op = verb + f[what]
			return
		}
	}
	switch {
	case c.bucket == "":
		c.op = "ListBuckets"
	case c.object == "" && c.r.Method == "POST" && q.Has("delete"):
		c.op = "DeleteObjects"
	case c.object == "" && c.r.Method == "GET" && q.Has("versions"):
		c.op = "ListObjectVersions"
	case c.object == "" && c.r.Method == "GET":
		c.op = "ListObjectsV2"
	case c.object == "":
		c.op = verb + "Bucket"
	case c.r.Method == "PUT" && c.r.Header.Get("X-Amz-Copy-Source") != "":
		c.op = "CopyObject"
	default:
		c.op = verb + "Object"
	}
}

var simBucketOps = map[string]func(*simCloud, *simCall, *simBucket) (*simReply, *simError){
	"HeadBucket": (*simCloud).headBucket, "GetBucketLocation": (*simCloud).bucketLocation, "GetBucketPolicy": (*simCloud).getPolicy,
	"PutBucketPolicy": (*simCloud).putPolicy, "DeleteBucketPolicy": (*simCloud).deletePolicy,
	"GetBucketPolicyStatus": (*simCloud).policyStatus,
	"GetBucketAcl":          (*simCloud).getBucketACL, "PutBucketAcl": (*simCloud).putBucketACL,
	"GetPublicAccessBlock": (*simCloud).getBlock,
	"PutPublicAccessBlock": (*simCloud).putBlock, "DeletePublicAccessBlock": (*simCloud).deleteBlock,
	"GetBucketOwnershipControls": (*simCloud).ownership, "GetBucketVersioning": (*simCloud).versioning,
	"ListObjectsV2":      (*simCloud).listObjects,
	"ListObjectVersions": (*simCloud).listVersions, "GetObject": (*simCloud).getObject, "HeadObject": (*simCloud).getObject,
	"PutObject": (*simCloud).putObject, "CopyObject": (*simCloud).copyObject, "DeleteObject": (*simCloud).deleteObject,
	"GetObjectTagging": (*simCloud).getTags, "PutObjectTagging": (*simCloud).putTags, "DeleteObjectTagging": (*simCloud).deleteTags,
	"GetObjectAcl": (*simCloud).getObjectACL, "PutObjectAcl": (*simCloud).putObjectACL,
}

// s3 is an operation of S3 or S3 control.
func (s *simCloud) s3(c *simCall) (*simReply, *simError) {
	if strings.HasSuffix(c.op, "AccountPublicAccessBlock") {
		return s.accountBlock(c)
	}
	if c.op == "ListBuckets" {
		return s.listBuckets(c)
	}
	b, h := s.buckets[c.bucket], simBucketOps[c.op]
	if b == nil {
		return nil, &simError{status: 404, code: "NoSuchBucket", message: "The specified bucket does not exist", more: simTag("BucketName",
			c.bucket)}
	}
	if c.region != b.region && c.op != "GetBucketLocation" {
		return nil, &simError{status: http.StatusMovedPermanently, code: "PermanentRedirect",
			message: "The bucket you are attempting to access must be " +
				"addressed using the specified endpoint. Please send all future requests to this endpoint.", more: simTag("Endpoint",
				b.name+".s3."+b.region+
					".amazonaws.com") + simTag("Bucket", b.name), header: map[string]string{"X-Amz-Bucket-Region": b.region}}
	}
	if b.owner != c.account && !(b.shared && c.object != "") {
		return nil, simErr(403, "AccessDenied", "Access Denied")
	}
	if h == nil {
		return nil, simErr(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	}
	if e := c.checksum(); e != nil {
		return nil, e
	}
	return h(s, c, b)
}

// checksum checks what says that the body arrived whole; some operations need it.
func (c *simCall) checksum() *simError {
	needs := slices.Contains([]string{"PutBucketAcl", "PutBucketPolicy", "PutObjectAcl", "PutObjectTagging", "PutPublicAccessBlock"},
		c.op) && len(c.body) > 0
	md, sha1sum, sha := md5.Sum(c.body), sha1.Sum(c.body), sha256.Sum256(c.body)
	for name, sum := range map[string][]byte{"Content-Md5": md[:], "X-Amz-Checksum-Sha1": sha1sum[:], "X-Amz-Checksum-Sha256": sha[:],
		"X-Amz-Checksum-Crc32": binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(c.body))} {
		switch v := c.r.Header.Get(name); {
		case v == "":
		case v != base64.StdEncoding.EncodeToString(sum):
			return simErr(400, "BadDigest", "The "+name+" you specified did not match what we received.")
		default:
			needs = false
		}
	}
	if needs {
		return simErr(400, "InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
	}
	return nil
}

func (s *simCloud) listBuckets(c *simCall) (*simReply, *simError) {
	most, after := c.number("max-buckets", 10000), c.query("continuation-token")
	out, next, n := "", "", 0
	for _, b := range s.sortedBuckets() {
		if b.owner != c.account || b.name <= after && after != "" || !strings.HasPrefix(b.name, c.query("prefix")) ||
			c.flag("bucket-region") && b.region != c.query("bucket-region") {
			continue
		}
		if n++; n > most {
			next = simTag("ContinuationToken", after)
			break
		}
		after = b.name
		out += simNode("Bucket", simTag("Name", b.name)+simTag("CreationDate", simS3Stamp(b.created))+simTag("BucketRegion", b.region)+
			simTag("BucketArn", s.arn("s3", "", "", b.name)))
	}
	return &simReply{body: simNode("ListAllMyBucketsResult", simNode("Owner", simTag("ID", c.account.canonical))+simNode("Buckets",
		out)+next,
		"xmlns", simS3Space)}, nil
}

func (s *simCloud) headBucket(_ *simCall, b *simBucket) (*simReply, *simError) {
	return &simReply{header: map[string]string{"X-Amz-Bucket-Region": b.region}}, nil
}

func (s *simCloud) bucketLocation(_ *simCall, b *simBucket) (*simReply, *simError) {
	at := b.region
	if at == "us-east-1" {
		at = ""
	}
	var text strings.Builder
	_ = xml.EscapeText(&text, []byte(at)) // a builder takes everything
	return &simReply{body: simNode("LocationConstraint", text.String(), "xmlns", simS3Space)}, nil
}

func (s *simCloud) getPolicy(_ *simCall, b *simBucket) (*simReply, *simError) {
	if b.policy == "" {
		return nil, simErr(404, "NoSuchBucketPolicy", "The bucket policy does not exist")
	}
	return &simReply{body: []byte(b.policy), header: map[string]string{"Content-Type": "application/json"}}, nil
}

func (s *simCloud) putPolicy(c *simCall, b *simBucket) (*simReply, *simError) {
	var doc struct{ Statement []any }
	if err := json.Unmarshal(c.body, &doc); err != nil || len(doc.Statement) == 0 {
		return nil, simErr(400, "MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
	}
	was := b.policy
	b.policy = string(c.body)
	for _, k := range []*simBlock{b.block, b.owner.block} {
		if k != nil && k.BlockPublicPolicy && b.open() {
			b.policy = was
			return nil, simErr(403, "AccessDenied", "Access Denied")
		}
	}
	return &simReply{status: http.StatusNoContent}, nil
}

func (s *simCloud) deletePolicy(_ *simCall, b *simBucket) (*simReply, *simError) {
	b.policy = ""
	return &simReply{status: http.StatusNoContent}, nil
}

func (s *simCloud) policyStatus(_ *simCall, b *simBucket) (*simReply, *simError) {
	if b.policy == "" {
		return nil, simErr(404, "NoSuchBucketPolicy", "The bucket policy does not exist")
	}
	public := "false"
	if strings.Contains(b.policy, `"Principal":"*"`) && b.open() {
		public = "true"
	}
	return &simReply{body: simNode("PolicyStatus", simTag("IsPublic", public), "xmlns", simS3Space)}, nil
}

// simACL is an ACL in full: the owner's right and that of the group that the canned one names.
func simACL(owner, canned string) string {
	const xsi = "http://www.w3.org/2001/XMLSchema-instance"
	grants := simNode("Grant", simNode("Grantee", simTag("ID", owner), "xmlns:xsi", xsi, "xsi:type", "CanonicalUser")+simTag("Permission",
		"FULL_CONTROL"))
	group := map[string][]string{"public-read": {"AllUsers", "READ"}, "public-read-write": {"AllUsers", "READ", "WRITE"},
		"authenticated-read": {"AuthenticatedUsers", "READ"}}[canned]
	for i := 1; i < len(group); i++ {
		grants += simNode("Grant", simNode("Grantee", simTag("URI", "http://acs.amazonaws.com/groups/global/"+group[0]), "xmlns:xsi", xsi,
			"xsi:type",
			"Group")+simTag("Permission", group[i]))
	}
	return simNode("AccessControlPolicy", simNode("Owner", simTag("ID", owner))+simNode("AccessControlList", grants), "xmlns", simS3Space)
}

// asked is the canned ACL that a request asks for, or the one that its grants come to.
func (c *simCall) asked(b *simBucket, owner string) (string, *simError) {
	canned := c.r.Header.Get("X-Amz-Acl")
	if canned == "" {
		var in struct {
			Grants []struct {
				Grantee    struct{ ID, URI string }
				Permission string
			} `xml:"AccessControlList>Grant"`
		}
		if err := xml.Unmarshal(c.body, &in); err != nil || len(in.Grants) == 0 {
			return "", simErr(400, "MalformedACLError",
				"The XML you provided was not well-formed or did not validate against our published schema")
		}
		canned = "private"
		for _, g := range in.Grants {
			switch _, group, _ := strings.Cut(g.Grantee.URI, "/global/"); {
			case group == "AllUsers" && canned == "public-read" && g.Permission != "READ":
				canned = "public-read-write"
			case group == "AllUsers":
				canned = "public-read"
			case group == "AuthenticatedUsers":
				canned = "authenticated-read"
			case g.Grantee.ID != owner:
				return "", simErr(400, "InvalidArgument", "Invalid id")
			}
		}
	}
	switch {
	case b.enforced:
		return "", simErr(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")
	case strings.HasPrefix(canned, "public") && (b.block != nil && b.block.BlockPublicAcls || b.owner.block != nil &&
		b.owner.block.BlockPublicAcls):
		return "", simErr(403, "AccessDenied", "Access Denied")
	}
	return canned, nil
}

func (s *simCloud) getBucketACL(_ *simCall, b *simBucket) (*simReply, *simError) {
	return &simReply{body: simACL(b.owner.canonical, b.acl)}, nil
}

func (s *simCloud) putBucketACL(c *simCall, b *simBucket) (*simReply, *simError) {
	acl, e := c.asked(b, b.owner.canonical)
	if e == nil {
		b.acl = acl
	}
	return &simReply{}, e
}

func (s *simCloud) ownership(_ *simCall, b *simBucket) (*simReply, *simError) {
	rule := "ObjectWriter"
	if b.enforced {
		rule = "BucketOwnerEnforced"
	}
	if b.n == 1 { // as old buckets are
		return nil, simErr(404, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
	}
	return &simReply{body: simNode("OwnershipControls", simNode("Rule", simTag("ObjectOwnership", rule)), "xmlns", simS3Space)}, nil
}

func (s *simCloud) versioning(_ *simCall, b *simBucket) (*simReply, *simError) {
	status := ""
	if b.versioned {
		status = simTag("Status", "Enabled")
	}
	return &simReply{body: simNode("VersioningConfiguration", status, "xmlns", simS3Space)}, nil
}

// block reads, sets or deletes what blocks public access.
func (c *simCall) blocks(at **simBlock) (*simReply, *simError) {
	switch c.r.Method {
	case "GET":
		if *at == nil {
			return nil, simErr(404, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
		}
		out := ""
		for _, v := range []struct {
			name string
			on   bool
		}{{"BlockPublicAcls", (*at).BlockPublicAcls}, {"IgnorePublicAcls", (*at).IgnorePublicAcls}, {"BlockPublicPolicy",
			(*at).BlockPublicPolicy},
			{"RestrictPublicBuckets", (*at).RestrictPublicBuckets}} {
			out += simTag(v.name, map[bool]string{true: "true", false: "false"}[v.on])
		}
		return &simReply{body: simNode("PublicAccessBlockConfiguration", out, "xmlns", simS3Space)}, nil
	case "PUT":
		var in simBlock
		if err := xml.Unmarshal(c.body, &in); err != nil || !strings.Contains(string(c.body), "<PublicAccessBlockConfiguration") {
			return nil, simErr(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
		}
		*at = &in
		return &simReply{}, nil
	}
	*at = nil
	return &simReply{status: http.StatusNoContent}, nil
}

func (s *simCloud) getBlock(c *simCall, b *simBucket) (*simReply, *simError) {
	return c.blocks(&b.block)
}
func (s *simCloud) putBlock(c *simCall, b *simBucket) (*simReply, *simError) {
	return c.blocks(&b.block)
}
func (s *simCloud) deleteBlock(c *simCall, b *simBucket) (*simReply, *simError) {
	return c.blocks(&b.block)
}

// accountBlock is what S3 control knows of a whole account.
func (s *simCloud) accountBlock(c *simCall) (*simReply, *simError) {
	if c.r.Header.Get("X-Amz-Account-Id") != c.account.id {
		return nil, simErr(403, "AccessDenied", "Access Denied")
	}
	return c.blocks(&c.account.block)
}

// simEncoded is a key as a list has it: escaped when that is asked for.
func (c *simCall) encoded(name, key string) string {
	if c.query("encoding-type") == "url" {
		key = strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
	}
	return simTag(name, key)
}
