package aws

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

const (
	simQuarantine  = "contoso-quarantine"
	simTrailBucket = "contoso-trail"
	simFiles       = 120 // when no number is asked for
)

// simBucket is a bucket.
type simBucket struct {
	n         int
	name      string
	region    string
	owner     *simAccount
	created   time.Time
	versioned bool
	enforced  bool // no ACLs: the owner of the bucket owns everything
	shared    bool // with all of the organization
	notifies  bool
	block     *simBlock
	policy    string
	acl       string       // canned
	objects   []*simObject // by key
}

// simBlock blocks public access.
type simBlock struct {
	BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
}

type simObject struct {
	key      string
	versions []*simVersion // the newest last
}

// simVersion is a version of an object, or a delete marker.
type simVersion struct {
	id     string
	marker bool
	at     time.Time
	doc    *sim.Doc
	data   []byte
	file   *simFile // of the trail
	etag   string   // "" = not made yet
	size   int
	class  string
	kind   string
	acl    string
	tags   [][2]string
	meta   map[string]string
	locked bool // by Object Lock
	sealed bool // with a key of the customer
}

// populateBuckets makes two buckets in each account, those of trail and quarantine, and what is in them.
func (s *simCloud) populateBuckets() {
	add := func(a *simAccount, name, region string) *simBucket {
		b := &simBucket{n: len(s.buckets), name: name, region: region, owner: a, created: s.o.Start.AddDate(-1, 0, 0), acl: "private",
			enforced: true}
		s.buckets[name] = b
		return b
	}
	var data []*simBucket
	for _, a := range s.active() {
		for i, kind := range []string{"data", "www"} {
			b := add(a, fmt.Sprintf("contoso-%s%s-%d", kind, s.suffix(), a.n), s.regions[1-i])
			b.versioned, b.enforced, b.notifies = i == 0, i == 0, true
			switch {
			case i == 0:
				b.block = &simBlock{true, true, true, true}
			case a.n%2 == 0:
				b.acl = "public-read"
			default:
				b.policy = `{"Version":"2012-10-17","Statement":[{"Sid":"web","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"` +
					s.arn("s3", "", "", b.name) + `/*"},{"Effect":"Allow","Principal":{"AWS":"` + s.arn("iam", "", "464622532012", "root") +
					`"},"Action":"s3:*","Resource":"` + s.arn("s3", "", "", b.name) + `"}]}`
			}
			data = append(data, b)
		}
	}
	q := add(s.accounts[0], simQuarantine+s.suffix(), s.home())
	q.versioned, q.shared, q.block = true, true, &simBlock{true, true, true, true}
	q.policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",` +
		`"Action":["s3:PutObject","s3:GetObject","s3:DeleteObject"],` +
		`"Resource":"` + s.arn("s3", "", "", q.name) + `/*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"` + s.org + `"}}}]}`
	add(s.accounts[0], simTrailBucket+s.suffix(), s.home()).block = &simBlock{true, true, true, true}
	for i := range s.files() {
		b := data[i%len(data)]
		s.addFile(b, i)
	}
	for _, b := range data {
		slices.SortFunc(b.objects, func(a, b *simObject) int { return cmp.Compare(a.key, b.key) })
	}
}

func (s *simCloud) files() int {
	if s.o.Files > 0 {
		return s.o.Files
	}
	return simFiles
}

// addFile makes file i.
func (s *simCloud) addFile(b *simBucket, i int) {
	rnd := sim.NewRand(s.o.Seed, 80, uint64(i))
	kind, decoy := sim.PlantedFile(s.o.Seed, i)
	doc := &sim.Doc{Seed: s.o.Seed, N: rnd.Next(), Planted: kind, Decoy: decoy}
	doc.Kind = sim.DocKindOf(doc.N, kind != "" || decoy)
	key := sim.Pick(rnd, []string{"", "hr/", "finance/2026/", "Vertrieb & Büro/", "a//b/", "経理/+/"}) + sim.Title(rnd, i%13 == 7) +
		fmt.Sprint("-", i, ".", doc.Kind.Ext)
	v := &simVersion{id: s.versionID(b, uint64(i)), at: s.o.Start.Add(-time.Duration(1+rnd.N(5000)) * time.Hour).Truncate(time.Second),
		doc:   doc,
		class: "STANDARD", kind: doc.Kind.MIME, acl: "private"}
	switch {
	case kind != "" || decoy:
	case i%31 == 5:
		v.class = []string{"GLACIER", "DEEP_ARCHIVE"}[i%2]
	case i%37 == 6:
		v.sealed = true
	case i%41 == 7:
		v.locked = b.versioned
	}
	if i%4 == 1 {
		v.meta = map[string]string{"X-Amz-Meta-Department": "Vertrieb", "Cache-Control": "max-age=60", "Content-Language": "de",
			"X-Amz-Server-Side-Encryption":                "aws:kms",
			"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": s.arn("kms", b.region, b.owner.id, "key/1234abcd-12ab-34cd-56ef-1234567890ab")}
	}
	if i%10 == 3 {
		v.tags = [][2]string{{"team", "R&D"}, {"sensitivity", "Internal"}}
	}
	if !b.enforced && i%8 == 1 {
		v.acl = "public-read"
	}
	o := &simObject{key: key}
	if b.versioned && i%9 == 2 { // what it was before
		old := *v
		older := *doc
		older.N, older.Planted, older.Decoy = doc.N+1, "", false
		old.id, old.doc, old.at, old.locked = s.versionID(b, uint64(i)+1<<32), &older, v.at.Add(-time.Hour), false
		o.versions = append(o.versions, &old)
	}
	if o.versions = append(o.versions, v); b.versioned && i%29 == 11 && kind == "" { // deleted
		o.versions = append(o.versions, &simVersion{id: s.versionID(b, uint64(i)+1<<33), marker: true, at: v.at.Add(time.Hour)})
	}
	b.objects = append(b.objects, o)
}

// versionID names a version; without versions it is null.
func (s *simCloud) versionID(b *simBucket, n uint64) string {
	if !b.versioned {
		return "null"
	}
	return s.name(81+b.n<<8, n, 32)
}

// planted counts what dlp must find.
func (s *simCloud) planted() map[string]int {
	out := sim.CountPlantedFiles(s.o.Seed, s.files(), func(int) bool { return true })
	if s.o.Replay == nil {
		for i := range s.feed.Len() {
			kind, _ := sim.Planted(s.o.Seed, simKindEvent, uint64(i))
			if kind == "" {
				continue
			}
			if t, _, _ := s.place(i); t.source != "signin" { // whose events have no parameters
				out[kind]++
			}
		}
	}
	return out
}

func (s *simCloud) sortedBuckets() []*simBucket {
	var out []*simBucket
	for _, b := range s.buckets {
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b *simBucket) int { return cmp.Compare(a.name, b.name) })
	return out
}

// open says whether the bucket is public.
func (b *simBucket) open() bool {
	policy := strings.Contains(b.policy, `"Principal":"*"`) && !strings.Contains(b.policy, `"Condition"`)
	blocked := simBlock{}
	for _, k := range []*simBlock{b.block, b.owner.block} {
		if k != nil {
			blocked.IgnorePublicAcls = blocked.IgnorePublicAcls || k.IgnorePublicAcls
			blocked.RestrictPublicBuckets = blocked.RestrictPublicBuckets || k.RestrictPublicBuckets
		}
	}
	return policy && !blocked.RestrictPublicBuckets || strings.HasPrefix(b.acl, "public") && !b.enforced && !blocked.IgnorePublicAcls
}

// find is the object with the key, or where it would stand.
func (b *simBucket) find(key string) (int, *simObject) {
	i, ok := slices.BinarySearchFunc(b.objects, key, func(o *simObject, key string) int { return cmp.Compare(o.key, key) })
	if !ok {
		return i, nil
	}
	return i, b.objects[i]
}

// put adds a version: after the others, or instead of the only one.
func (s *simCloud) put(b *simBucket, key string, v *simVersion) *simVersion {
	s.minted++
	v.id = s.versionID(b, s.minted+1<<40)
	i, o := b.find(key)
	if o == nil {
		o = &simObject{key: key}
		b.objects = slices.Insert(b.objects, i, o)
	}
	if !b.versioned {
		o.versions = nil
	}
	if v.marker && !b.versioned {
		b.objects = slices.Delete(b.objects, i, i+1)
		return v
	}
	o.versions = append(o.versions, v)
	return v
}

// latest is the current version, which may be a marker.
func (o *simObject) latest() *simVersion {
	if o == nil || len(o.versions) == 0 {
		return nil
	}
	return o.versions[len(o.versions)-1]
}

// bytes is what the version holds.
func (s *simCloud) bytes(v *simVersion) []byte {
	switch {
	case v.file != nil:
		return s.fileBytes(v.file)
	case v.doc != nil:
		return v.doc.Bytes()
	}
	return v.data
}

// weigh makes the ETag and the size.
func (s *simCloud) weigh(v *simVersion) *simVersion {
	if v.etag == "" && !v.marker {
		b := s.bytes(v)
		sum := md5.Sum(b)
		v.etag, v.size = `"`+hex.EncodeToString(sum[:])+`"`, len(b)
	}
	return v
}
