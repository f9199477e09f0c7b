package aws

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/oracles/procs"
)

// moto starts moto's server until the test ends, and gives AWS's client to fill it.
func moto(t *testing.T) *vendor {
	t.Helper()
	port := procs.Port(t)
	base := "http://127.0.0.1:" + port
	procs.Serve(t, base+"/moto-api/", nil, filepath.Join(procs.Python(t, "requirements.txt"), "moto_server"), "-H", "127.0.0.1", "-p", port)
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	client := &http.Client{Transport: tr}
	return &vendor{cloud: &cloud{base: base}, t: t, config: sdk.Config{Region: "us-east-1", BaseEndpoint: &base, HTTPClient: client,
		RequestChecksumCalculation: sdk.RequestChecksumCalculationWhenRequired,
		Credentials:                credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", "")}}
}

// behind is moto behind a door that answers what moto does not have, and gives the versioning of a bucket the name that it has in
// S3: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html.
func behind(t *testing.T, base string) string {
	t.Helper()
	at, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	proxy := &httputil.ReverseProxy{Transport: tr, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(at) }}
	proxy.ModifyResponse = func(r *http.Response) error {
		if !r.Request.URL.Query().Has("versioning") {
			return nil
		}
		b, err := io.ReadAll(r.Body)
		b = bytes.ReplaceAll(b, []byte("GetBucketVersioningResponse"), []byte("VersioningConfiguration"))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		r.Header.Set("Content-Length", strconv.Itoa(len(b)))
		return err
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if bytes.Contains(body, []byte("Action=ListServiceSpecificCredentials&")) {
			_, _ = io.WriteString(w, "<ListServiceSpecificCredentialsResponse><ListServiceSpecificCredentialsResult><ServiceSpecificCredentials/>"+
				"</ListServiceSpecificCredentialsResult></ListServiceSpecificCredentialsResponse>")
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { s.Close(); tr.CloseIdleConnections() })
	return s.URL
}

// people makes three users with a key each, and a group.
func (v *vendor) people() (arns, keys []string) {
	v.t.Helper()
	c, ctx := iam.NewFromConfig(v.config), v.t.Context()
	_, err := c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: sdk.String("Ops+Support")})
	v.must(err)
	for i := range 3 {
		u, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: sdk.String(fmt.Sprintf("user%d@contoso.example", i)),
			Path: sdk.String("/eng/")})
		v.must(err)
		k, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: u.User.UserName})
		v.must(err)
		_, err = c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: u.User.UserName, GroupName: sdk.String("Ops+Support")})
		v.must(err)
		arns, keys = append(arns, *u.User.Arn), append(keys, *k.AccessKey.AccessKeyId)
	}
	_, err = c.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: sdk.String("user0@contoso.example"),
		Password: sdk.String("Kj8#kjh7!aQ")})
	v.must(err)
	return arns, keys
}

// trail makes a bucket that tells a queue of its files, and writes such files, one of them twice.
func (v *vendor) trail() (queue string, ids []string) {
	v.t.Helper()
	ctx, q := v.t.Context(), sqs.NewFromConfig(v.config)
	made, err := q.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: sdk.String("trail")})
	v.must(err)
	bucket := sdk.String("contoso-trail")
	_, err = v.s3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket})
	v.must(err)
	_, err = v.s3().PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: bucket,
		NotificationConfiguration: &s3types.NotificationConfiguration{QueueConfigurations: []s3types.QueueConfiguration{{
			QueueArn: sdk.String("arn:aws:sqs:us-east-1:123456789012:trail"), Events: []s3types.Event{"s3:ObjectCreated:*"}}}}})
	v.must(err)
	at := time.Now().UTC().Add(-time.Hour)
	for i := range 4 {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		var records []string
		for n := range 30 {
			id := fmt.Sprintf("00000000-0000-4000-8000-%06d%06d", i/2, n) // the second file of two is the same again
			ids = append(ids, id)
			records = append(records,
				fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":{"type":"Root","accountId":"123456789012"},"eventTime":%q,`+
					`"eventSource":"iam.amazonaws.com","eventName":"CreateUser","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.9",`+
					`"requestParameters":null,"responseElements":null,"eventID":%q,"readOnly":false,"eventType":"AwsApiCall","managementEvent":true,`+
					`"recipientAccountId":"123456789012","eventCategory":"Management"}`, at.Format(time.RFC3339), id))
		}
		_, _ = z.Write([]byte(`{"Records":[` + strings.Join(records, ",") + `]}`)) // a buffer takes everything
		_ = z.Close()
		key := fmt.Sprintf("AWSLogs/123456789012/CloudTrail/us-east-1/%s/123456789012_CloudTrail_us-east-1_%s_%016d.json.gz",
			at.Format("2006/01/02"),
			at.Format("20060102T1504Z"), i)
		_, err = v.s3().PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: bytes.NewReader(b.Bytes())})
		v.must(err)
	}
	slices.Sort(ids)
	return *made.QueueUrl, slices.Compact(ids)
}

func TestTheReceiverReadsAndGovernsMoto(t *testing.T) {
	v := moto(t)
	ctx := t.Context()
	org := organizations.NewFromConfig(v.config)
	_, err := org.CreateOrganization(ctx, &organizations.CreateOrganizationInput{FeatureSet: "ALL"})
	v.must(err)
	_, err = org.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: sdk.String("Log Archive"),
		Email: sdk.String("aws+1@contoso.example")})
	v.must(err)
	users, keys := v.people()
	queue, ids := v.trail()
	data, key := sdk.String("contoso-data"), sdk.String("hr/card list+é.csv")
	_, err = v.s3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: data})
	v.must(err)
	_, err = v.s3().PutObject(ctx, &s3.PutObjectInput{Bucket: data, Key: key, Body: strings.NewReader("a,b\n"),
		Tagging: sdk.String("team=x")})
	v.must(err)
	d := run(t, "moto", obj{"endpoint": behind(t, v.base), "region": "us-east-1", "auth": obj{"access_key_id": "AKIAIOSFODNN7EXAMPLE",
		"secret_access_key": "secret",
		"member_role":       "LongshoreRead", "external_id": "x"}, "cloudtrail": obj{"queue_url": queue, "bucket": "contoso-trail"},
		"start_at": "4h", "in_file_labels": labelSite, "labels": obj{"Confidential": labelID}})
	file := *data + "/" + *key
	for stream, want := range map[string][]string{"cloudtrail": ids, "iam": users, "credentials": keys, "files": {file},
		"buckets": {"contoso-data"}} {
		d.until(t, stream+" to come", func() bool {
			got := d.keys(stream)
			return !slices.ContainsFunc(want, func(k string) bool { return !slices.Contains(got, k) })
		})
	}
	all, err := org.ListAccounts(ctx, &organizations.ListAccountsInput{})
	v.must(err)
	for _, a := range all.Accounts {
		if !slices.Contains(d.keys("accounts"), *a.Id) {
			t.Errorf("account %s did not come", *a.Id)
		}
	}
	if got := d.keys("cloudtrail"); !slices.Equal(got, ids) {
		t.Errorf("%d events came, %d were written", len(got), len(ids))
	}
	v.suspended(d, users[0], keys[0])
	v.labelled(d, file, data, key)
	v.labelledInside(d)
	back := d.act(t, action.RevokeToken, saas.Target{Type: "credential", ID: keys[1], Params: map[string]string{"user.id": users[1]}})
	if is := v.statusOf("user1@contoso.example"); is != "Inactive" {
		t.Errorf("the key that was revoked is %s", is)
	}
	if back(); v.statusOf("user1@contoso.example") != "Active" {
		t.Error("the key that was given back is not active")
	}
}

func (v *vendor) statusOf(user string) string {
	v.t.Helper()
	out, err := iam.NewFromConfig(v.config).ListAccessKeys(v.t.Context(), &iam.ListAccessKeysInput{UserName: &user})
	v.must(err)
	return string(out.AccessKeyMetadata[0].Status)
}

// suspended suspends a user and lets it in again.
func (v *vendor) suspended(d *running, arn, key string) {
	v.t.Helper()
	user, c := "user0@contoso.example", iam.NewFromConfig(v.config)
	policies := func() []string {
		v.t.Helper()
		out, err := c.ListUserPolicies(v.t.Context(), &iam.ListUserPoliciesInput{UserName: &user})
		v.must(err)
		return out.PolicyNames
	}
	back := d.act(v.t, action.SuspendUser, saas.Target{Type: "user", ID: arn})
	if names := policies(); len(names) != 1 || v.statusOf(user) != "Inactive" {
		v.t.Fatalf("suspended, the user has policies %v and key %s is %s", names, key, v.statusOf(user))
	}
	name := policies()[0]
	got, err := c.GetUserPolicy(v.t.Context(), &iam.GetUserPolicyInput{UserName: &user, PolicyName: &name})
	v.must(err)
	text, _ := url.QueryUnescape(*got.PolicyDocument)
	var doc struct {
		Statement []struct{ Effect, Action, Resource string }
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil || doc.Statement[0] != (struct{ Effect, Action, Resource string }{"Deny", "*",
		"*"}) {
		v.t.Errorf("suspended by %s: %v", text, err)
	}
	if back(); len(policies()) != 0 || v.statusOf(user) != "Active" {
		v.t.Errorf("let in again, the user has policies %v and key %s is %s", policies(), key, v.statusOf(user))
	}
}

// labelled labels an object, whose other tags stay, and takes the label back.
func (v *vendor) labelled(d *running, file string, bucket, key *string) {
	v.t.Helper()
	tags := func() (out []string) {
		v.t.Helper()
		got, err := v.s3().GetObjectTagging(v.t.Context(), &s3.GetObjectTaggingInput{Bucket: bucket, Key: key})
		v.must(err)
		for _, t := range got.TagSet {
			out = append(out, *t.Key+"="+*t.Value)
		}
		slices.Sort(out)
		return out
	}
	back := d.act(v.t, action.ApplyLabel, saas.Target{Type: "file", ID: file, Params: map[string]string{"label": "Confidential",
		"owner.id": "123456789012"}})
	if got := tags(); !slices.Equal(got, []string{"sensitivity=Confidential", "team=x"}) {
		v.t.Errorf("labelled, the object has tags %v", got)
	}
	if back(); !slices.Equal(tags(), []string{"team=x"}) {
		v.t.Errorf("the label was taken back, and the object has tags %v", tags())
	}
}
