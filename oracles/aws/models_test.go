package aws

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
)

// checked has botocore read what was said, and gives the operations that it saw.
func checked(t *testing.T, c *cloud) map[string]int {
	t.Helper()
	ops, problems := read(t, c)
	for _, p := range problems {
		t.Error(p)
	}
	return ops
}

func read(t *testing.T, c *cloud) (operations map[string]int, problems []string) {
	t.Helper()
	python := filepath.Join(procs.Python(t, "requirements.txt"), "python")
	cmd := exec.CommandContext(t.Context(), python, "models.py", c.write(t))
	var fault strings.Builder
	cmd.Stderr = &fault
	text, err := cmd.Output()
	var out struct {
		Operations map[string]int
		Problems   []string
	}
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatalf("check with botocore: %v\n%s", err, fault.String())
	}
	return out.Operations, out.Problems
}

func TestTheModelsFindWhatIsWrong(t *testing.T) {
	const cloudtrail = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"
	good, bad, wants := &cloud{}, &cloud{}, []string{}
	f := func(want, service, target, request string, status int, answer string) {
		x := exchange{Method: "POST", Target: "/", Service: service, Status: status, Header: map[string]string{"x-amz-target": target},
			Answer: map[string]string{}, Body: base64.StdEncoding.EncodeToString([]byte(request)),
			Content: base64.StdEncoding.EncodeToString([]byte(answer))}
		if service == "s3" {
			x.Method, x.Target, _ = strings.Cut(target, " ")
		}
		if service != "cloudtrail" {
			x.Header = map[string]string{}
		}
		if want == "" {
			good.said = append(good.said, x)
			return
		}
		bad.said, wants = append(bad.said, x), append(wants, want)
	}
	const users = "<ListUsersResponse><ListUsersResult><Users/><IsTruncated>false</IsTruncated></ListUsersResult></ListUsersResponse>"
	f("", "cloudtrail", cloudtrail, `{"MaxResults":50}`, 200, `{"Events":[{"EventId":"1","EventTime":1}]}`)
	f("MaxResults", "cloudtrail", cloudtrail, `{"MaxResults":"50"}`, 200, `{}`)
	f("Unknown parameter", "cloudtrail", cloudtrail, `{"Maximum":50}`, 200, `{}`)
	f("want a string", "cloudtrail", cloudtrail, `{}`, 200, `{"Events":[{"ReadOnly":true}]}`)
	f("which the model has not", "cloudtrail", cloudtrail, `{}`, 200, `{"Event":[]}`)
	f("none of the operation's", "cloudtrail", cloudtrail, `{}`, 400, `{"__type":"Oops"}`)
	f("is none of ['insight']", "cloudtrail", cloudtrail, `{"EventCategory":"Management"}`, 200, `{}`)
	f("", "iam", "", "Action=ListUsers&Version=2010-05-08&MaxItems=10", 200, users)
	f("unknown parameter", "iam", "", "Action=ListUsers&Version=2010-05-08&Max=10", 200, users)
	f("UserName", "iam", "", "Action=PutUserPolicy&Version=2010-05-08&PolicyName=a&PolicyDocument=b", 200, "<PutUserPolicyResponse/>")
	f("KeyError 'ListUsersResult'", "iam", "", "Action=ListUsers&Version=2010-05-08", 200, "<ListUsersResponse/>")
	f("lacks Users", "iam", "", "Action=ListUsers&Version=2010-05-08", 200,
		"<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated></ListUsersResult></ListUsersResponse>")
	f("", "s3", "GET /b?list-type=2&prefix=a", "", 200, "<ListBucketResult><Name>b</Name></ListBucketResult>")
	f("unknown query parameter", "s3", "GET /b?list-type=2&perfix=a", "", 200, "<ListBucketResult><Name>b</Name></ListBucketResult>")
	f("<Owner>", "s3", "GET /b?list-type=2", "", 200, "<ListBucketResult><Owner>b</Owner></ListBucketResult>")
	checked(t, good)
	_, problems := read(t, bad)
	for _, want := range wants {
		if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, want) }) {
			t.Errorf("not found: %q in %q", want, problems)
		}
	}
}

// recent is a fake whose events and files have all come.
func recent(events int) sim.Options {
	return sim.Options{Seed: 21, Events: events, Users: 12, Files: 60, Start: time.Now().Add(-3 * time.Hour), Span: 2 * time.Hour,
		Late: 0.1, Limits: -1}
}

func TestWhatTheReceiverAndTheFakeSayIsAsBotocoreHasIt(t *testing.T) {
	f := func(variant string, streams []string, want ...string) {
		t.Helper()
		t.Run(variant, func(t *testing.T) {
			o := recent(300)
			o.Variant = variant
			c := start(t, o)
			config := c.Config(c.base)
			config["start_at"] = "4h"
			d := run(t, "models-"+variant, config)
			d.until(t, "deliver everything", func() bool {
				return !slices.ContainsFunc(streams, func(s string) bool { return len(d.keys(cmp.Or(alias[s], s))) < len(c.published(s)) })
			})
			if variant == "" {
				govern(t, c, d)
			}
			saw := checked(t, c)
			t.Log(saw)
			for _, op := range want {
				if saw[op] == 0 {
					t.Errorf("%s was not said", op)
				}
			}
		})
	}
	f("", c0, "sts AssumeRole", "organizations ListAccounts", "sqs ReceiveMessage", "sqs DeleteMessageBatch", "s3 GetObject",
		"s3 ListObjectsV2",
		"s3 ListObjectVersions", "s3 GetBucketAcl", "s3 GetPublicAccessBlock", "s3control GetPublicAccessBlock",
		"iam GetAccountAuthorizationDetails",
		"iam GetCredentialReport", "identitystore ListUsers", "sso-admin ListAccountAssignments", "iam UpdateAccessKey", "iam PutUserPolicy",
		"iam DeleteUserPolicy", "s3 PutPublicAccessBlock", "s3 PutObjectTagging", "s3 CopyObject")
	f("lookup", []string{"lookup"}, "cloudtrail LookupEvents")
	f("single", []string{"accounts"})
	f("reader", []string{"accounts"})
}

// c0 are the streams of the usual configuration.
var c0 = []string{"cloudtrail", "object_events", "accounts", "iam", "identity_users", "identity_groups", "identity_members",
	"permission_sets",
	"assignments", "identity_apps", "credentials", "external_access", "trails", "buckets", "files", "versions"}

// alias is where the keys of a stream are kept, where it is another.
var alias = map[string]string{"lookup": "cloudtrail"}

// govern does every action that the receiver has, and takes back what can be.
func govern(t *testing.T, c *cloud, d *running) {
	t.Helper()
	pick := func(stream string, ok func(key, raw string) bool) string {
		t.Helper()
		for _, key := range d.keys(stream) {
			if ok(key, d.raw[key]) {
				return key
			}
		}
		t.Fatalf("%s has none that is fit", stream)
		return ""
	}
	with := func(text string) func(string, string) bool {
		return func(key, raw string) bool { return strings.Contains(key+raw, text) && !strings.Contains(key, "#") }
	}
	of := func(id string) map[string]string {
		bucket, _, _ := strings.Cut(id, "/")
		var b struct{ Account string }
		_ = json.Unmarshal([]byte(d.raw[bucket]), &b) // "" then, and the action says so
		return map[string]string{"owner.id": b.Account, "label": "Confidential"}
	}
	user := pick("iam", func(key, raw string) bool {
		return with(":user/user")(key, raw) && strings.Contains(raw, `"mfa_active":"true"`)
	})
	key := pick("credentials", func(_, raw string) bool {
		return strings.Contains(raw, `"AccessKey"`) && strings.Contains(raw, `"Status":"Active"`)
	})
	www := func(ext string) string {
		return pick("files", func(key, raw string) bool {
			return strings.HasPrefix(key, "contoso-www") && strings.HasSuffix(key, ext)
		})
	}
	data := pick("files", func(key, raw string) bool {
		return strings.HasPrefix(key, "contoso-data") && strings.HasSuffix(key, ".txt") && !strings.Contains(raw, "GLACIER")
	})
	person := pick("identity_users", with(""))
	for _, do := range []struct {
		verb, kind, id string
		params         map[string]string
	}{
		{action.SuspendUser, "user", user, nil},
		{action.SuspendUser, "user", person, nil},
		{action.RevokeSessions, "user", user, nil},
		{action.ExpirePassword, "user", user, nil},
		{action.AddToGroup, "user", user, map[string]string{"group.name": "Admins"}},
		{action.AddToGroup, "user", person, map[string]string{"group.id": pick("identity_groups", with("Empty"))}},
		{action.RevokeRole, "role_assignment", pick("iam", func(key, _ string) bool {
			return strings.Contains(key, ":user/") &&
				strings.Contains(key, "#arn:")
		}), nil},
		{action.RevokeRole, "role_assignment", d.entity(t, ":permissionSet/", "/GROUP/"), nil},
		{action.RevokeGrant, "app_grant", pick("external_access", with(":oidc-provider/")), nil},
		{action.RevokeGrant, "app_grant", pick("external_access", with(":saml-provider/")), nil},
		{action.RevokeGrant, "app_grant", pick("external_access", with("DatadogIntegration")), nil},
		{action.RevokeGrant, "app_grant", pick("identity_apps", with("ENABLED")), nil},
		{action.RevokeToken, "credential", key, map[string]string{"user.id": owner(d.raw[key])}},
		{action.ApplyLabel, "file", data, of(data)},
		{action.RemovePublicLink, "file", www(".txt"), of(www(".txt"))},
		{action.RemoveCollaborator, "file", guarded(d), of(guarded(d))},
		{action.QuarantineFile, "file", data, of(data)},
		{action.TombstoneFile, "file", data, of(data)},
		{action.DeleteFile, "file", data, of(data)},
		{action.QuarantineFile, "file", www(".txt"), of(www(".txt"))},
		{action.ResetFactors, "user", user, nil},
		{action.DeactivateUser, "user", user, nil},
	} {
		t.Log(do.verb, do.id)
		if back := d.act(t, do.verb, saas.Target{Type: do.kind, ID: do.id, Params: do.params}); back != nil {
			back()
		}
	}
}

// guarded is an object of a bucket whose policy lets somebody outside in.
func guarded(d *running) string {
	for _, key := range d.keys("files") {
		bucket, _, _ := strings.Cut(key, "/")
		if strings.Contains(d.raw[bucket], "464622532012") {
			return key
		}
	}
	return ""
}

// owner is the user of a credential's raw object.
func owner(raw string) string {
	var o struct{ Arn string }
	_ = json.Unmarshal([]byte(raw), &o) // "" then, and the action says so
	return o.Arn
}
