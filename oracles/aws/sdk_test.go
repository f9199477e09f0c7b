package aws

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// vendor is AWS's own client, as somebody and somewhere.
type vendor struct {
	*cloud
	t      *testing.T
	config sdk.Config
	role   map[string]any // auth of the configuration
}

func newVendor(t *testing.T, c *cloud) *vendor {
	t.Helper()
	set := c.Config(c.base)
	auth := set["auth"].(map[string]any)
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &vendor{cloud: c, t: t, role: auth, config: sdk.Config{Region: set["region"].(string), BaseEndpoint: &c.base,
		HTTPClient: &http.Client{Transport: tr}, RetryMaxAttempts: 5, RequestChecksumCalculation: sdk.RequestChecksumCalculationWhenRequired,
		Credentials: credentials.NewStaticCredentialsProvider(auth["access_key_id"].(string), auth["secret_access_key"].(string), "")}}
}

// as assumes the member role of an account; in is the same in another Region.
func (v *vendor) as(account string) *vendor {
	with := *v
	role := "arn:aws:iam::" + account + ":role/" + v.role["member_role"].(string)
	with.config.Credentials = sdk.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(v.config), role,
		func(o *stscreds.AssumeRoleOptions) { o.ExternalID = sdk.String(v.role["external_id"].(string)) }))
	return &with
}

func (v *vendor) in(region string) *vendor { with := *v; with.config.Region = region; return &with }

func (v *vendor) s3() *s3.Client {
	return s3.NewFromConfig(v.config, func(o *s3.Options) { o.UsePathStyle = true })
}

// accounts are the active ones.
func (v *vendor) accounts() (active, all []string) {
	v.t.Helper()
	p := organizations.NewListAccountsPaginator(organizations.NewFromConfig(v.in("us-east-1").config), &organizations.ListAccountsInput{})
	for p.HasMorePages() {
		page, err := p.NextPage(v.t.Context())
		v.must(err)
		for _, a := range page.Accounts {
			if all = append(all, *a.Id); a.Status == "ACTIVE" {
				active = append(active, *a.Id)
			}
		}
	}
	return active, all
}

func (v *vendor) must(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

// same compares what was read with what was published.
func (v *vendor) same(stream string, got []string) {
	v.t.Helper()
	slices.Sort(got)
	if got, want := slices.Compact(got), v.published(stream); !slices.Equal(got, want) || len(want) == 0 {
		v.t.Errorf("%s: AWS's client read %d, %d were published; the first differ at %v", stream, len(got), len(want), differ(got, want))
	}
}

func differ(a, b []string) []string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return []string{a[i], b[i]}
		}
	}
	return append(slices.Clone(a[min(len(a), len(b)):]), b[min(len(a), len(b)):]...)
}

func TestVendorsClientsReadWhatIsPublished(t *testing.T) {
	c := start(t, recent(500))
	v := newVendor(t, c)
	active, all := v.accounts()
	v.same("accounts", all)
	var users, buckets, files, versions, trail []string
	for _, account := range active {
		who := v.as(account)
		users = append(users, who.principals()...)
		for _, region := range []string{"us-east-1", "eu-west-3"} {
			trail = append(trail, who.in(region).lookup()...)
		}
		b, f, old := who.objects()
		buckets, files, versions = append(buckets, b...), append(files, f...), append(versions, old...)
	}
	v.same("lookup", trail)
	v.same("iam", users)
	v.same("buckets", buckets)
	v.same("files", files)
	v.same("versions", versions)
	v.same("cloudtrail", v.follow(v.published("cloudtrail")))
	people, groups, members := v.directory()
	v.same("identity_users", people)
	v.same("identity_groups", groups)
	v.same("identity_members", members)
	v.same("assignments", v.assignments())
}

// principals are those of an account and what they hold, as the receiver names them.
func (v *vendor) principals() (out []string) {
	v.t.Helper()
	who, err := sts.NewFromConfig(v.config).GetCallerIdentity(v.t.Context(), &sts.GetCallerIdentityInput{})
	v.must(err)
	p := iam.NewGetAccountAuthorizationDetailsPaginator(iam.NewFromConfig(v.config),
		&iam.GetAccountAuthorizationDetailsInput{MaxItems: sdk.Int32(7)})
	held := func(arn *string, attached []iamtypes.AttachedPolicy, inline []iamtypes.PolicyDetail) {
		out = append(out, *arn)
		for _, a := range attached {
			out = append(out, *arn+"#"+*a.PolicyArn)
		}
		for _, p := range inline {
			if text, err := url.QueryUnescape(*p.PolicyDocument); err != nil || !json.Valid([]byte(text)) {
				v.t.Errorf("policy %s: %v: %s", *p.PolicyName, err, text)
			}
			out = append(out, *arn+"#"+*p.PolicyName)
		}
	}
	for p.HasMorePages() {
		page, err := p.NextPage(v.t.Context())
		v.must(err)
		for _, u := range page.UserDetailList {
			held(u.Arn, u.AttachedManagedPolicies, u.UserPolicyList)
		}
		for _, g := range page.GroupDetailList {
			held(g.Arn, g.AttachedManagedPolicies, g.GroupPolicyList)
		}
		for _, r := range page.RoleDetailList {
			held(r.Arn, r.AttachedManagedPolicies, r.RolePolicyList)
		}
		for _, p := range page.Policies {
			if id := *p.Arn; strings.Contains(id, ":iam::aws:") { // AWS's own, which every account has
				out = append(out, *who.Account+"/"+id)
			} else {
				out = append(out, id)
			}
		}
	}
	return append(out, "arn:aws:iam::"+*who.Account+":root")
}

// lookup looks up all events of the account and Region.
func (v *vendor) lookup() (out []string) {
	v.t.Helper()
	p := cloudtrail.NewLookupEventsPaginator(cloudtrail.NewFromConfig(v.config), &cloudtrail.LookupEventsInput{MaxResults: sdk.Int32(50),
		StartTime: sdk.Time(time.Now().Add(-24 * time.Hour))})
	for p.HasMorePages() {
		page, err := p.NextPage(v.t.Context())
		v.must(err)
		for _, e := range page.Events {
			out = append(out, *e.EventId)
		}
	}
	return out
}

// objects are the buckets of the account, what is in those that are read, and what is no longer current there.
func (v *vendor) objects() (buckets, files, old []string) {
	v.t.Helper()
	ctx := v.t.Context()
	list, err := v.s3().ListBuckets(ctx, &s3.ListBucketsInput{})
	v.must(err)
	for _, b := range list.Buckets {
		buckets = append(buckets, *b.Name)
		if strings.Contains(*b.Name, "-trail-") || strings.Contains(*b.Name, "-quarantine-") {
			continue
		}
		at := v.in(*b.BucketRegion).s3()
		for p := s3.NewListObjectsV2Paginator(at, &s3.ListObjectsV2Input{Bucket: b.Name, MaxKeys: sdk.Int32(3)}); p.HasMorePages(); {
			page, err := p.NextPage(ctx)
			v.must(err)
			for _, o := range page.Contents {
				files = append(files, *b.Name+"/"+*o.Key)
				v.content(at, *b.Name, o)
			}
		}
		for p := s3.NewListObjectVersionsPaginator(at, &s3.ListObjectVersionsInput{Bucket: b.Name, MaxKeys: sdk.Int32(2)}); p.HasMorePages(); {
			page, err := p.NextPage(ctx)
			v.must(err)
			for _, o := range page.Versions {
				if !*o.IsLatest {
					old = append(old, *b.Name+"/"+*o.Key+"/"+*o.VersionId)
				}
			}
			for _, o := range page.DeleteMarkers {
				old = append(old, *b.Name+"/"+*o.Key+"/"+*o.VersionId)
			}
		}
	}
	return buckets, files, old
}

// content reads an object, which has the size that was listed unless it is archived or sealed.
func (v *vendor) content(at *s3.Client, bucket string, o s3types.Object) {
	v.t.Helper()
	got, err := at.GetObject(v.t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: o.Key, IfMatch: o.ETag})
	if err != nil {
		var e smithy.APIError
		if !errors.As(err, &e) || e.ErrorCode() != "InvalidObjectState" && e.ErrorCode() != "InvalidRequest" {
			v.t.Errorf("read %s/%s: %v", bucket, *o.Key, err)
		}
		return
	}
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	if err != nil || int64(len(b)) != *o.Size || *got.ETag != *o.ETag {
		v.t.Errorf("%s/%s has %d bytes and %s, listed were %d and %s: %v", bucket, *o.Key, len(b), *got.ETag, *o.Size, *o.ETag, err)
	}
}

// follow reads the files that the queue tells of, until all of these events came.
func (v *vendor) follow(want []string) []string {
	v.t.Helper()
	q, ctx, got := sqs.NewFromConfig(v.config), v.t.Context(), map[string]bool{}
	at := v.Config(v.base)["cloudtrail"].(map[string]any)["queue_url"].(string)
	for {
		in, err := q.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &at, MaxNumberOfMessages: 10, VisibilityTimeout: 300,
			MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{"All"}})
		v.must(err)
		if len(in.Messages) == 0 {
			break
		}
		var done []sqstypes.DeleteMessageBatchRequestEntry
		for _, m := range in.Messages {
			if bucket, key := told(v.t, *m.Body); strings.Contains(key, "/CloudTrail/") {
				v.file(ctx, bucket, key, got)
			}
			done = append(done, sqstypes.DeleteMessageBatchRequestEntry{Id: m.MessageId, ReceiptHandle: m.ReceiptHandle})
		}
		out, err := q.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &at, Entries: done})
		v.must(err)
		if len(out.Failed) > 0 {
			v.t.Errorf("not deleted: %v", out.Failed)
		}
	}
	var out []string
	for _, id := range want {
		if got[id] {
			out = append(out, id)
		}
	}
	return out
}

// file reads a file of the trail.
func (v *vendor) file(ctx context.Context, bucket, key string, into map[string]bool) {
	v.t.Helper()
	o, err := v.s3().GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	v.must(err)
	defer o.Body.Close()
	z, err := gzip.NewReader(o.Body)
	v.must(err)
	var file struct{ Records []struct{ EventID string } }
	v.must(json.NewDecoder(z).Decode(&file))
	for _, r := range file.Records {
		into[r.EventID] = true
	}
}

// told is the object that a message is about.
func told(t *testing.T, body string) (bucket, key string) {
	t.Helper()
	type of struct {
		Bucket struct{ Name string }
		Object struct{ Key string }
	}
	var m struct {
		Message string
		Records []struct{ S3 of }
		Detail  of
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		t.Fatal(err)
	}
	switch {
	case m.Message != "":
		return told(t, m.Message)
	case len(m.Records) > 0:
		key, err := url.QueryUnescape(m.Records[0].S3.Object.Key)
		if err != nil {
			t.Fatal(err)
		}
		return m.Records[0].S3.Bucket.Name, key
	}
	return m.Detail.Bucket.Name, m.Detail.Object.Key
}

// instance is that of Identity Center.
func (v *vendor) instance() (arn, store *string) {
	v.t.Helper()
	out, err := ssoadmin.NewFromConfig(v.config).ListInstances(v.t.Context(), &ssoadmin.ListInstancesInput{})
	v.must(err)
	return out.Instances[0].InstanceArn, out.Instances[0].IdentityStoreId
}

func (v *vendor) directory() (users, groups, members []string) {
	v.t.Helper()
	_, store := v.instance()
	c, ctx := identitystore.NewFromConfig(v.config), v.t.Context()
	for p := identitystore.NewListUsersPaginator(c, &identitystore.ListUsersInput{IdentityStoreId: store,
		MaxResults: sdk.Int32(5)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		v.must(err)
		for _, u := range page.Users {
			users = append(users, *u.UserId)
		}
	}
	for p := identitystore.NewListGroupsPaginator(c, &identitystore.ListGroupsInput{IdentityStoreId: store,
		MaxResults: sdk.Int32(4)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		v.must(err)
		for _, g := range page.Groups {
			groups = append(groups, *g.GroupId)
		}
	}
	for _, g := range groups {
		p := identitystore.NewListGroupMembershipsPaginator(c, &identitystore.ListGroupMembershipsInput{IdentityStoreId: store, GroupId: &g,
			MaxResults: sdk.Int32(2)})
		for p.HasMorePages() {
			page, err := p.NextPage(ctx)
			v.must(err)
			for _, m := range page.GroupMemberships {
				members = append(members, *m.MembershipId)
			}
		}
	}
	return users, groups, members
}

func (v *vendor) assignments() (out []string) {
	v.t.Helper()
	arn, _ := v.instance()
	c, ctx := ssoadmin.NewFromConfig(v.config), v.t.Context()
	for p := ssoadmin.NewListPermissionSetsPaginator(c, &ssoadmin.ListPermissionSetsInput{InstanceArn: arn,
		MaxResults: sdk.Int32(3)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		v.must(err)
		for _, set := range page.PermissionSets {
			in, err := c.ListAccountsForProvisionedPermissionSet(ctx, &ssoadmin.ListAccountsForProvisionedPermissionSetInput{InstanceArn: arn,
				PermissionSetArn: &set})
			v.must(err)
			for _, account := range in.AccountIds {
				list, err := c.ListAccountAssignments(ctx, &ssoadmin.ListAccountAssignmentsInput{InstanceArn: arn, PermissionSetArn: &set,
					AccountId: &account})
				v.must(err)
				for _, a := range list.AccountAssignments {
					out = append(out, strings.Join([]string{*a.AccountId, *a.PermissionSetArn, *a.PrincipalId}, "/"))
				}
			}
		}
	}
	return out
}

func TestVendorsClientsGovernTheFake(t *testing.T) {
	c := start(t, recent(50))
	v := newVendor(t, c)
	active, _ := v.accounts()
	who := v.as(active[1])
	users, ctx := iam.NewFromConfig(who.config), t.Context()
	list, err := users.ListUsers(ctx, &iam.ListUsersInput{})
	v.must(err)
	name := list.Users[1].UserName
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`
	_, err = users.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: sdk.String("suspended"),
		PolicyDocument: sdk.String(policy)})
	v.must(err)
	is, err := users.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: name, PolicyName: sdk.String("suspended")})
	v.must(err)
	if text, _ := url.QueryUnescape(*is.PolicyDocument); text != policy {
		t.Errorf("the policy is %s", text)
	}
	_, err = users.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: name, PolicyName: sdk.String("suspended")})
	v.must(err)
	_, err = users.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: name, PolicyName: sdk.String("suspended")})
	var none *iamtypes.NoSuchEntityException
	if !errors.As(err, &none) {
		t.Errorf("the policy is gone and AWS's client makes of it %v", err)
	}
	who.governObjects(active[1])
}

// governObjects writes, hides, labels and brings back an object of the account's first bucket.
func (v *vendor) governObjects(account string) {
	t, ctx := v.t, v.t.Context()
	t.Helper()
	list, err := v.s3().ListBuckets(ctx, &s3.ListBucketsInput{})
	v.must(err)
	c, b, key := v.s3(), list.Buckets[0].Name, sdk.String("hr/a b+c é/%2F.txt")
	put := func(text string, match *string) error {
		_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: key, Body: bytes.NewReader([]byte(text)), IfMatch: match})
		return err
	}
	get := func() string {
		o, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: key})
		var gone *s3types.NoSuchKey
		if errors.As(err, &gone) {
			return "gone"
		}
		v.must(err)
		defer o.Body.Close()
		text, _ := io.ReadAll(o.Body)
		return string(text)
	}
	v.keepsWhatIsWritten(b)
	v.must(put("one", nil))
	if err := put("two", sdk.String(`"0"`)); err == nil {
		t.Error("a write goes on though another version is there")
	}
	v.must(put("two", nil))
	_, err = c.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: b, Key: key, Tagging: &s3types.Tagging{TagSet: []s3types.Tag{
		{Key: sdk.String("sensitivity"), Value: sdk.String("R&D <top>")}}}})
	v.must(err)
	tags, err := c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: b, Key: key})
	v.must(err)
	if len(tags.TagSet) != 1 || *tags.TagSet[0].Value != "R&D <top>" {
		t.Errorf("tags are %v", tags.TagSet)
	}
	hidden, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: key})
	v.must(err)
	if got := get(); got != "gone" || !*hidden.DeleteMarker {
		t.Errorf("deleted, and there is %q", got)
	}
	_, err = c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: key, VersionId: hidden.VersionId})
	v.must(err)
	if got := get(); got != "two" {
		t.Errorf("brought back, and there is %q", got)
	}
	_, err = c.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: b,
		PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{
			BlockPublicAcls: sdk.Bool(true), RestrictPublicBuckets: sdk.Bool(true)}})
	v.must(err)
	block, err := c.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: b})
	v.must(err)
	if k := block.PublicAccessBlockConfiguration; !*k.BlockPublicAcls || *k.BlockPublicPolicy || !*k.RestrictPublicBuckets {
		t.Errorf("the block is %+v", k)
	}
	if _, err = v.in("us-east-1").s3().GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: key}); err == nil ||
		!strings.Contains(err.Error(), "PermanentRedirect") {
		t.Errorf("asked in another Region, the answer is %v", err)
	}
}
