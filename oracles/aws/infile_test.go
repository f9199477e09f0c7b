package aws

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
	"github.com/longshore-dev/longshore/internal/dlp/label"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	labelSite = "cb46c030-1825-4e81-a295-151c039dbf02"
	labelID   = "2096f6a2-d2f7-48be-b329-b73aaa526e5d"
)

// kept is what S3 has of an object's current version but its content, as AWS's client tells it.
func (v *vendor) kept(bucket, key *string) (about string, content []byte) {
	v.t.Helper()
	ctx := v.t.Context()
	o, err := v.s3().GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
	v.must(err)
	defer o.Body.Close()
	content, err = io.ReadAll(o.Body)
	v.must(err)
	tags, err := v.s3().GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: key})
	v.must(err)
	acl, err := v.s3().GetObjectAcl(ctx, &s3.GetObjectAclInput{Bucket: bucket, Key: key})
	v.must(err)
	said := func(s *string) string { return sdk.ToString(s) }
	out := []string{said(o.ContentType), said(o.CacheControl), said(o.ContentDisposition), said(o.ContentLanguage), string(o.StorageClass),
		string(o.ServerSideEncryption), said(o.SSEKMSKeyId), fmt.Sprint(o.Metadata)}
	var more []string
	for _, t := range tags.TagSet {
		more = append(more, said(t.Key)+"="+said(t.Value))
	}
	for _, g := range acl.Grants {
		more = append(more, said(g.Grantee.ID)+said(g.Grantee.URI)+" "+string(g.Permission))
	}
	slices.Sort(more)
	return strings.Join(append(out, more...), "\n"), content
}

// described is a write of an object with all that a later version is to have as well.
func described(bucket, key *string, content []byte) *s3.PutObjectInput {
	return &s3.PutObjectInput{Bucket: bucket, Key: key, Body: bytes.NewReader(content), ContentType: sdk.String("application/x-docx"),
		CacheControl: sdk.String("max-age=60"), ContentDisposition: sdk.String("inline"), ContentLanguage: sdk.String("de"),
		StorageClass: s3types.StorageClassStandardIa, ServerSideEncryption: s3types.ServerSideEncryptionAwsKms,
		SSEKMSKeyId: sdk.String("arn:aws:kms:us-east-1:123456789012:key/1"), Metadata: map[string]string{"department": "R&D"},
		Tagging: sdk.String("team=R%2FD%2Bx&note=a%20b")}
}

// keepsWhatIsWritten says whether the fake tells of an object what AWS's client wrote.
func (v *vendor) keepsWhatIsWritten(bucket *string) {
	v.t.Helper()
	key := sdk.String("hr/described.docx")
	_, err := v.s3().PutObject(v.t.Context(), described(bucket, key, []byte("one")))
	v.must(err)
	about, content := v.kept(bucket, key)
	want := "application/x-docx\nmax-age=60\ninline\nde\nSTANDARD_IA\naws:kms\narn:aws:kms:us-east-1:123456789012:key/1\nmap[department:R&D]"
	if !strings.HasPrefix(about, want) || !strings.HasSuffix(about, "note=a b\nteam=R/D+x") || string(content) != "one" {
		v.t.Errorf("the object is\n%s\nwant\n%s", about, want)
	}
}

// labelledInside puts a label into an object itself, whose content AWS's client then reads, and takes it back.
func (v *vendor) labelledInside(d *running) {
	t, ctx := v.t, v.t.Context()
	t.Helper()
	bucket, key := sdk.String("contoso-versioned"), sdk.String("hr/a b+é.docx")
	_, err := v.s3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket, ObjectOwnership: s3types.ObjectOwnershipObjectWriter})
	v.must(err)
	_, err = v.s3().PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: bucket,
		VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled}})
	v.must(err)
	before := []byte(made.Word(t, ""))
	in := described(bucket, key, before)
	in.ACL = s3types.ObjectCannedACLPublicRead
	_, err = v.s3().PutObject(ctx, in)
	v.must(err)
	about, _ := v.kept(bucket, key)
	target := saas.Target{Type: "file", ID: *bucket + "/" + *key,
		Params: map[string]string{"label": "Confidential", "place": "file", "owner.id": "123456789012"}}
	back := d.act(t, action.ApplyLabel, target)
	now, content := v.kept(bucket, key)
	found, err := label.Read(bytes.NewReader(content), int64(len(content)))
	if is := found.InForce(); err != nil || len(is) != 1 || is[0].ID != labelID || is[0].Site != labelSite || now != about {
		t.Errorf("labelled, the object has labels %+v, %v, and was\n%s\nand is\n%s", is, err, about, now)
	}
	list := func() int {
		t.Helper()
		out, err := v.s3().ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: bucket})
		v.must(err)
		return len(out.Versions)
	}
	if list() != 2 {
		t.Errorf("labelled, there are %d versions", list())
	}
	back()
	if now, content = v.kept(bucket, key); !bytes.Equal(content, before) || now != about || list() != 1 {
		t.Errorf("taken back, there are %d versions and %d bytes of %d, and was\n%s\nand is\n%s", list(), len(content), len(before), about, now)
	}
	if !strings.Contains(about, "AllUsers READ") || !strings.Contains(about, "note=a b") || !strings.Contains(about, "STANDARD_IA") {
		t.Errorf("the object was %s", about)
	}
}
