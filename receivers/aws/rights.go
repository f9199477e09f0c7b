package aws

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

// probeTime is how long one right is asked for.
const probeTime = 10 * time.Second

// rightsAsked are those that streams, actions and capabilities need.
var rightsAsked = []string{"iam:GetAccountAuthorizationDetails", "iam:ListAccessKeys", "iam:ListRoles", "cloudtrail:DescribeTrails",
	"cloudtrail:LookupEvents", "sqs:ReceiveMessage", "sso:ListInstances", "s3:ListAllMyBuckets", "iam:PutUserPolicy",
	"sso:DeleteAccountAssignment", "s3:PutObject"}

// rights is Instance.Rights: who the credential is, and what IAM says that it may do, else what is tried without changing anything.
func (c *client) rights(ctx context.Context, conn *saas.Conn) (*saas.Rights, error) {
	who, err := c.identity(ctx, conn)
	if err != nil {
		return nil, err
	}
	p, _ := c.principalOf(who.Arn)
	r := &saas.Rights{OrgID: who.Account, Who: who.Arn, Self: []string{who.Arn, who.UserId},
		Person: strings.HasSuffix(who.Arn, ":root") || strings.HasPrefix(p.Name, "AWSReservedSSO_")}
	if p.Kind == "role" {
		r.Self = append(r.Self, "arn:"+c.name+":iam::"+p.Account+":role/"+p.Name)
	}
	org, err := c.jsonRow(ctx, conn, "organizations", "", "", "DescribeOrganization", params{})
	switch id := saas.TextAt(org, "Organization", "Id"); {
	case err == nil && id != "":
		r.OrgID = id
		if c.MemberRole == "" {
			r.Blind = append(r.Blind, "all accounts of organization "+id+" but "+who.Account+": auth.member_role names no role to assume there")
		}
	case saas.Is(err, saas.Unauthorized):
		return nil, err
	}
	if c.CloudTrail.QueueURL == "" {
		r.Blind = append(r.Blind, "who reads and writes objects: LookupEvents knows management events only; "+
			"a trail and its queue tell of data events")
	}
	r.Held, err = c.simulated(ctx, conn, p)
	if err != nil {
		r.Held, err = c.tried(ctx, conn)
	}
	return r, err
}

// simulated asks IAM what the credential's policies allow.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
func (c *client) simulated(ctx context.Context, conn *saas.Conn, p principal) (held []string, err error) {
	if p.Kind != "user" && p.Kind != "role" {
		return nil, saas.Refuse("%q has no policies", p.ARN)
	}
	arn := p.ARN
	if p.Kind == "role" {
		arn = "arn:" + c.name + ":iam::" + p.Account + ":role/" + p.Name
	}
	in := []string{"PolicySourceArn", arn}
	for i, name := range rightsAsked {
		in = append(in, "ActionNames.member."+strconv.Itoa(i+1), name)
	}
	soon, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	err = c.eachXML(soon, conn, "", "SimulatePrincipalPolicy", "EvaluationResults/member", func(row json.RawMessage) error {
		if saas.TextAt(row, "EvalDecision") == "allowed" {
			held = append(held, saas.TextAt(row, "EvalActionName"))
		}
		return nil
	}, in...)
	if err == nil && len(held) == 0 {
		err = saas.Refuse("nothing is allowed") // a policy of a resource may allow it all the same
	}
	return held, err
}

// tried tries what only reads. What cannot be tried without changing something is believed to be allowed, to be refused later.
func (c *client) tried(ctx context.Context, conn *saas.Conn) (held []string, err error) {
	refused := map[string]bool{}
	queue := c.CloudTrail.QueueURL
	if queue == "" {
		queue = c.ObjectEvents.QueueURL
	}
	tries := map[string]saas.Req{
		"iam:ListRoles":             c.query("iam", "", "ListRoles", "MaxItems", "1"),
		"cloudtrail:DescribeTrails": c.json("cloudtrail", "", "", "DescribeTrails", params{"includeShadowTrails": false}),
		"sso:ListInstances":         c.sso("ListInstances", params{"MaxResults": 1}),
		"s3:ListAllMyBuckets":       c.s3(http.MethodGet, bucket{}, "", "max-buckets=1"),
		"iam:GetAccountAuthorizationDetails": c.query("iam", "", "GetAccountAuthorizationDetails", "MaxItems", "1",
			"Filter.member.1", "User"),
	}
	if queue != "" {
		tries["sqs:ReceiveMessage"] = c.queue("GetQueueAttributes", queue, params{"AttributeNames": []string{"QueueArn"}})
	}
	for name, q := range tries {
		soon, cancel := context.WithTimeout(ctx, probeTime)
		rep, err := conn.Do(soon, q)
		if err == nil {
			_, err = rep.Raw()
		}
		cancel()
		if saas.Is(err, saas.Unauthorized) {
			return nil, err
		}
		refused[name] = saas.Is(err, saas.Denied)
	}
	held = slices.DeleteFunc(slices.Clone(rightsAsked), func(name string) bool { return refused[name] })
	return held, nil
}
