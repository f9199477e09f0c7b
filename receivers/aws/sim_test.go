package aws

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/longshore-dev/longshore/internal/sim"
)

const simBase = "https://cloud.test"

// simHand asks a fake in memory as AWS's own signer signs.
type simHand struct {
	t      *testing.T
	h      http.Handler
	now    *time.Time
	region string
	cred   sdk.Credentials
	config map[string]any
}

// newSimHand is a fake at noon, and whom its configuration names.
func newSimHand(t *testing.T, o sim.Options) (*sim.Sim, *simHand) {
	t.Helper()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	o.Now = func() time.Time { return now }
	s, err := newSim(o)
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.Config(simBase)
	auth := cfg["auth"].(obj)
	return s, &simHand{t: t, h: s.Handler, now: &now, region: cfg["region"].(string), config: cfg,
		cred: sdk.Credentials{AccessKeyID: auth["access_key_id"].(string), SecretAccessKey: auth["secret_access_key"].(string)}}
}

// at is the hand in another Region.
func (c *simHand) at(region string) *simHand { with := *c; with.region = region; return &with }

// send signs and sends.
func (c *simHand) send(service, method, target, body string, header ...string) (int, http.Header, []byte) {
	c.t.Helper()
	r := httptest.NewRequestWithContext(c.t.Context(), method, simBase+target, strings.NewReader(body))
	r.RequestURI = ""
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	sum := sha256.Sum256([]byte(body))
	hash := hex.EncodeToString(sum[:])
	if service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", hash)
	}
	err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" }).SignHTTP(context.Background(), c.cred, r,
		hash,
		service, c.region, *c.now)
	if err != nil {
		c.t.Fatal(err)
	}
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, r)
	return w.Code, w.Header(), w.Body.Bytes()
}

// json asks a JSON service.
func (c *simHand) json(status int, service, target string, in any) obj {
	c.t.Helper()
	b, _ := json.Marshal(in) // a literal
	got, _, body := c.send(service, "POST", "/", string(b), "X-Amz-Target", target, "Content-Type", "application/x-amz-json-1.1")
	var out obj
	if err := json.Unmarshal(body, &out); err != nil || got != status {
		c.t.Fatalf("%s: status %d, want %d: %v: %.400s", target, got, status, err, body)
	}
	return out
}

// query asks IAM or STS: parameters by name and value.
func (c *simHand) query(status int, service, action string, pairs ...string) string {
	c.t.Helper()
	form := url.Values{"Action": {action}, "Version": {map[string]string{"iam": "2010-05-08", "sts": "2011-06-15",
		"ec2": "2016-11-15"}[service]}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	got, _, body := c.send(service, "POST", "/", form.Encode(), "Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if got != status {
		c.t.Fatalf("%s: status %d, want %d: %.400s", action, got, status, body)
	}
	return string(body)
}

// s3 asks S3, with the digest that some operations need.
func (c *simHand) s3(status int, method, target, body string, header ...string) (http.Header, string) {
	c.t.Helper()
	if body != "" {
		sum := md5.Sum([]byte(body))
		header = append(header, "Content-MD5", base64.StdEncoding.EncodeToString(sum[:]))
	}
	got, h, out := c.send("s3", method, target, body, header...)
	if got != status {
		c.t.Fatalf("%s %s: status %d, want %d: %.400s", method, target, got, status, out)
	}
	return h, string(out)
}

// simElement is the text of the first element of the name.
func simElement(doc, name string) string {
	_, rest, _ := strings.Cut(doc, "<"+name+">")
	text, _, _ := strings.Cut(rest, "</"+name+">")
	return text
}

// as assumes the member role of an account.
func (c *simHand) as(account string) *simHand {
	c.t.Helper()
	out := c.query(200, "sts", "AssumeRole", "RoleArn", "arn:aws:iam::"+account+":role/LongshoreRead", "RoleSessionName", "test",
		"ExternalId",
		simOutside)
	with := *c
	with.cred = sdk.Credentials{AccessKeyID: simElement(out, "AccessKeyId"), SecretAccessKey: simElement(out, "SecretAccessKey"),
		SessionToken: simElement(out, "SessionToken")}
	return &with
}

// accounts lists the organization to its last page.
func (c *simHand) accounts() (ids []string, pages int) {
	c.t.Helper()
	in := obj{}
	for {
		out := c.at("us-east-1").json(200, "organizations", "AWSOrganizationsV20161128.ListAccounts", in)
		pages++
		for _, a := range out["Accounts"].([]any) {
			if a.(obj)["Status"] == "ACTIVE" {
				ids = append(ids, a.(obj)["Id"].(string))
			}
		}
		token, ok := out["NextToken"]
		if !ok {
			return ids, pages
		}
		in["NextToken"] = token
	}
}

func TestSimChecksSignatures(t *testing.T) {
	_, c := newSimHand(t, sim.Options{Limits: -1})
	c.query(200, "sts", "GetCallerIdentity")
	wrong := *c
	wrong.cred.SecretAccessKey += "x"
	if out := wrong.query(403, "sts", "GetCallerIdentity"); simElement(out, "Code") != "SignatureDoesNotMatch" {
		t.Error(out)
	}
	if out := wrong.json(400, "sqs", "AmazonSQS.ReceiveMessage", obj{}); out["__type"] != "com.amazonaws.sqs#InvalidSignatureException" {
		t.Error(out)
	}
	if _, out := wrong.s3(403, "GET", "/", ""); simElement(out, "Code") != "SignatureDoesNotMatch" {
		t.Error(out)
	}
	wrong.cred.AccessKeyID = "AKIANOBODY"
	if out := wrong.query(403, "sts", "GetCallerIdentity"); simElement(out, "Code") != "InvalidClientTokenId" {
		t.Error(out)
	}
	if _, out := wrong.s3(403, "GET", "/", ""); simElement(out, "Code") != "InvalidAccessKeyId" {
		t.Error(out)
	}
	member := c.as(strings.Split(c.config["cloudtrail"].(obj)["queue_url"].(string), "/")[3])
	member.query(200, "iam", "ListUsers")
	member.s3(200, "GET", "/contoso-data-"+simDataBucket(t, c)+"/?list-type=2&prefix=a%2Fb%20c&encoding-type=url", "")
	later := c.now.Add(2 * time.Hour)
	*c.now = later
	if out := member.query(403, "iam", "ListUsers"); simElement(out, "Code") != "ExpiredToken" {
		t.Error(out)
	}
	if _, out := member.s3(400, "GET", "/", ""); simElement(out, "Code") != "ExpiredToken" {
		t.Error(out)
	}
	if out := member.json(400, "cloudtrail", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents", obj{}); out["__type"] !=
		"ExpiredTokenException" {
		t.Error(out)
	}
	old := later.Add(-16 * time.Minute)
	skewed := *c
	skewed.now = &old
	if _, out := skewed.s3(403, "GET", "/", ""); simElement(out, "Code") != "RequestTimeTooSkewed" {
		t.Error(out)
	}
}

// simDataBucket is the end of the name of the first bucket.
func simDataBucket(t *testing.T, c *simHand) string {
	t.Helper()
	_, out := c.s3(200, "GET", "/", "")
	return strings.TrimPrefix(simElement(out, "Name"), "contoso-data-")
}

func TestSimRolesAreForWhoKnowsTheExternalID(t *testing.T) {
	_, c := newSimHand(t, sim.Options{Limits: -1, Users: 1100})
	ids, pages := c.accounts()
	if len(ids) < 20 || pages < 3 {
		t.Fatalf("%d accounts on %d pages", len(ids), pages)
	}
	who := c.as(ids[3])
	if out := who.query(200, "sts", "GetCallerIdentity"); simElement(out, "Account") != ids[3] || !strings.Contains(out,
		"assumed-role/LongshoreRead/test") {
		t.Error(out)
	}
	c.query(403, "sts", "AssumeRole", "RoleArn", "arn:aws:iam::"+ids[3]+":role/LongshoreRead", "RoleSessionName", "test", "ExternalId",
		"guess")
	c.query(403, "sts", "AssumeRole", "RoleArn", "arn:aws:iam::"+ids[3]+":role/DatadogIntegration", "RoleSessionName", "test",
		"ExternalId", simOutside)
	c.query(400, "sts", "AssumeRole", "RoleArn", "x", "RoleSessionName", "t e")
	if out := who.at("us-east-1").json(400, "organizations", "AWSOrganizationsV20161128.ListAccounts",
		obj{}); out["__type"] != "AccessDeniedException" {
		t.Error(out)
	}
}

func TestSimQueueComesAgainUntilDeleted(t *testing.T) {
	_, c := newSimHand(t, sim.Options{Limits: -1, Events: 50})
	at := c.config["cloudtrail"].(obj)["queue_url"]
	ask := func(op string, in obj) obj { in["QueueUrl"] = at; return c.json(200, "sqs", "AmazonSQS."+op, in) }
	all := map[string]int{}
	for range 40 {
		out, _ := ask("ReceiveMessage", obj{"MaxNumberOfMessages": 10, "VisibilityTimeout": 60,
			"MessageSystemAttributeNames": []string{"All"}})["Messages"].([]any)
		for _, m := range out {
			m := m.(obj)
			if m["Attributes"].(obj)["ApproximateReceiveCount"] != "1" {
				t.Errorf("came a second time while hidden: %v", m)
			}
			all[m["MessageId"].(string)]++
		}
	}
	if len(all) < 20 {
		t.Fatalf("%d messages", len(all))
	}
	*c.now = c.now.Add(2 * time.Minute)
	m := ask("ReceiveMessage", obj{"VisibilityTimeout": 60,
		"AttributeNames": []string{"ApproximateReceiveCount"}})["Messages"].([]any)[0].(obj)
	if m["Attributes"].(obj)["ApproximateReceiveCount"] != "2" || len(m["Attributes"].(obj)) != 1 {
		t.Errorf("not told that it came again: %v", m)
	}
	handle := m["ReceiptHandle"]
	ask("ChangeMessageVisibility", obj{"ReceiptHandle": handle, "VisibilityTimeout": 600})
	if out := ask("DeleteMessageBatch", obj{"Entries": []obj{{"Id": "a", "ReceiptHandle": handle}, {"Id": "b",
		"ReceiptHandle": "made up"}}}); len(out["Successful"].([]any)) != 1 ||
		len(out["Failed"].([]any)) != 1 {
		t.Error(out)
	}
	ask("DeleteMessage", obj{"ReceiptHandle": handle}) // again is no error
	c.json(400, "sqs", "AmazonSQS.ReceiveMessage", obj{"QueueUrl": at, "MaxNumberOfMessages": 11})
	if out := c.json(400, "sqs", "AmazonSQS.ReceiveMessage", obj{"QueueUrl": simBase +
		"/1/none"}); out["__type"] != "com.amazonaws.sqs#QueueDoesNotExist" {
		t.Error(out)
	}
	for range 10 { // until all went to the dead-letter queue
		*c.now = c.now.Add(15 * time.Minute)
		for range 40 {
			ask("ReceiveMessage", obj{"MaxNumberOfMessages": 10, "VisibilityTimeout": 1})
		}
	}
	if out := ask("GetQueueAttributes",
		obj{"AttributeNames": []string{"All"}})["Attributes"].(obj); out["ApproximateNumberOfMessages"] != "0" {
		t.Errorf("poison stays: %v", out)
	}
}

func TestSimTrailDeliversEveryEventInFilesThatTheQueueNames(t *testing.T) {
	s, c := newSimHand(t, sim.Options{Limits: -1, Events: 400, Late: 0.2})
	*c.now = c.now.Add(3 * time.Hour)
	got, twice, forms := map[string]int{}, 0, map[string]int{}
	for {
		out := c.json(200, "sqs", "AmazonSQS.ReceiveMessage", obj{"QueueUrl": c.config["cloudtrail"].(obj)["queue_url"],
			"MaxNumberOfMessages": 10,
			"VisibilityTimeout":   600})
		list, _ := out["Messages"].([]any)
		if len(list) == 0 {
			break
		}
		for _, m := range list {
			bucket, key, form := simNamed(t, m.(obj)["Body"].(string))
			if forms[form]++; key == "" || strings.Contains(key, "Digest") {
				continue
			}
			_, body := c.s3(200, "GET", "/"+bucket+"/"+key, "")
			z, err := gzipped([]byte(body))
			var file struct{ Records []struct{ EventID string } }
			if err == nil {
				err = json.Unmarshal(z, &file)
			}
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			for _, r := range file.Records {
				if got[r.EventID]++; got[r.EventID] > 1 {
					twice++
				}
			}
		}
	}
	n := 0
	s.Published("cloudtrail", func(key string) bool {
		if n++; got[key] == 0 {
			t.Errorf("%s is in no file", key)
		}
		return n < 10000
	})
	if n < 400 || len(got) != 400 || twice == 0 || len(forms) < 4 {
		t.Errorf("%d events of %d, %d twice, forms %v", len(got), n, twice, forms)
	}
}

// simNamed reads a notification in each of its forms.
func simNamed(t *testing.T, body string) (bucket, key, form string) {
	t.Helper()
	var m struct {
		Type, Message, Source, Event string
		Records                      []struct {
			S3 struct {
				Bucket struct{ Name string }
				Object struct{ Key string }
			}
		}
		Detail struct {
			Bucket struct{ Name string }
			Object struct{ Key string }
		}
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	switch {
	case m.Type == "Notification":
		bucket, key, _ = simNamed(t, m.Message)
		return bucket, key, "sns"
	case m.Source == "aws.s3":
		return m.Detail.Bucket.Name, m.Detail.Object.Key, "eventbridge"
	case m.Event == "s3:TestEvent":
		return "", "", "test"
	}
	key, err := url.QueryUnescape(m.Records[0].S3.Object.Key)
	if err != nil {
		t.Fatal(err)
	}
	return m.Records[0].S3.Bucket.Name, key, "s3"
}

func gzipped(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func TestSimLooksUpNewestFirst(t *testing.T) {
	s, c := newSimHand(t, sim.Options{Events: 900})
	ids, _ := c.accounts()
	got, pages := map[string]bool{}, 0
	const op = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"
	for _, id := range ids {
		who := c.as(id)
		for _, region := range []string{"us-east-1", "eu-west-3"} {
			in, last := obj{"StartTime": c.now.Add(-25 * time.Hour).Unix(), "EndTime": c.now.Unix(), "MaxResults": 50}, 1e12
			for {
				*c.now = c.now.Add(time.Second)
				out := who.at(region).json(200, "cloudtrail", op, in)
				pages++
				for _, e := range out["Events"].([]any) {
					at := e.(obj)["EventTime"].(float64)
					if at > last {
						t.Errorf("%v comes after %v", at, last)
					}
					last = at
					got[e.(obj)["EventId"].(string)] = true
					if !strings.Contains(e.(obj)["CloudTrailEvent"].(string), `"awsRegion":"`+region+`"`) {
						t.Error("of another Region")
					}
				}
				if out["NextToken"] == nil {
					break
				}
				in["NextToken"] = out["NextToken"]
			}
		}
	}
	if all := s.Count("lookup"); len(got) != all || all >= 900 || pages < 12 {
		t.Errorf("%d of %d events on %d pages: want those of management", len(got), all, pages)
	}
	*c.now = c.now.Add(time.Second)
	first := c.json(200, "cloudtrail", op, obj{"MaxResults": 2})
	c.json(400, "cloudtrail", op, obj{"MaxResults": 3, "NextToken": first["NextToken"]})
	if out := c.json(400, "cloudtrail", op, obj{}); out["__type"] != "ThrottlingException" {
		t.Errorf("a third look-up in a second is not refused: %v", out)
	}
	*c.now = c.now.Add(time.Second)
	c.json(400, "cloudtrail", op, obj{"MaxResults": 51})
	c.json(400, "cloudtrail", op, obj{"StartTime": 2000, "EndTime": 1000})
}

func TestSimReportTakesAWhile(t *testing.T) {
	_, c := newSimHand(t, sim.Options{})
	if out := c.query(410, "iam", "GetCredentialReport"); simElement(out, "Code") != "ReportNotPresent" {
		t.Error(out)
	}
	for _, want := range []string{"STARTED", "INPROGRESS", "COMPLETE"} {
		if out := c.query(200, "iam", "GenerateCredentialReport"); simElement(out, "State") != want {
			t.Errorf("%s, want %s", out, want)
		}
		*c.now = c.now.Add(2 * time.Second)
	}
	csv, err := base64.StdEncoding.DecodeString(simElement(c.query(200, "iam", "GetCredentialReport"), "Content"))
	if err != nil || !strings.Contains(string(csv), "\n<root_account>,arn:aws:iam::") || !strings.HasPrefix(string(csv), "user,arn,") {
		t.Errorf("%v: %s", err, csv)
	}
	*c.now = c.now.Add(5 * time.Hour)
	c.query(410, "iam", "GetCredentialReport")
}

func TestSimTellsTheRegionOfABucket(t *testing.T) {
	_, c := newSimHand(t, sim.Options{Limits: -1})
	at := "/contoso-data-" + simDataBucket(t, c)
	if h, out := c.at("us-east-1").s3(301, "GET", at+"?versioning", ""); h.Get("X-Amz-Bucket-Region") != "eu-west-3" || simElement(out,
		"Code") !=
		"PermanentRedirect" {
		t.Error(out)
	}
	if _, out := c.at("us-east-1").s3(200, "GET", at+"?location", ""); !strings.Contains(out, ">eu-west-3<") {
		t.Error(out)
	}
	if err := xml.Unmarshal([]byte(simSecond(c.s3(200, "GET", at+"?acl", ""))), new(any)); err != nil {
		t.Error(err)
	}
}

func simSecond(_ http.Header, s string) string { return s }
