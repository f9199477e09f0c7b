package aws

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *simCloud) callerIdentity(c *simCall) (any, *simError) {
	return simNode("GetCallerIdentityResult", simTag("Arn", c.who.arn)+simTag("UserId", c.who.userID)+simTag("Account", c.account.id)), nil
}

var simSessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

// assumeRole is AssumeRole: only roles that trust the management account can be assumed, by who knows their external id.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (s *simCloud) assumeRole(c *simCall) (any, *simError) {
	arn, name := c.form.Get("RoleArn"), c.form.Get("RoleSessionName")
	seconds := c.number("DurationSeconds", 3600)
	switch {
	case !simSessionName.MatchString(name):
		return nil, simErr(400, "ValidationError",
			"1 validation error detected: Value '"+name+"' at 'roleSessionName' failed to satisfy constraint")
	case seconds < 900 || seconds > 43200:
		return nil, simErr(400, "ValidationError",
			"1 validation error detected: Value '"+strconv.Itoa(seconds)+"' at 'durationSeconds' failed to "+
				"satisfy constraint: Member must have value between 900 and 43200")
	case seconds > 3600 && c.who.user == nil && c.who.token != "":
		return nil, simErr(400, "ValidationError",
			"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	for _, a := range s.active() {
		for _, r := range a.iam.roles {
			trusted := r.name == simMember && c.form.Get("ExternalId") == simOutside && c.account.n == 0
			if r.arn != arn || !trusted {
				continue
			}
			s.minted++
			who := &simCred{id: s.unique("ASIA", 22, s.minted)[:20], secret: s.hex(23, s.minted, 40), token: "IQoJb3JpZ2luX2Vj" + s.name(24,
				s.minted, 300),
				account: a.id, arn: s.arn("sts", "", a.id, "assumed-role/"+r.name+"/"+name), userID: r.id + ":" + name,
				expires: s.o.Now().Add(time.Duration(seconds) * time.Second)}
			s.keys[who.id] = who
			return simNode("AssumeRoleResult", simNode("AssumedRoleUser", simTag("AssumedRoleId", who.userID)+simTag("Arn", who.arn))+
				simNode("Credentials", simTag("AccessKeyId", who.id)+simTag("SecretAccessKey", who.secret)+simTag("SessionToken", who.token)+
					simTag("Expiration", simStamp(who.expires)))), nil
		}
	}
	return nil, simErr(403, "AccessDenied", "User: "+c.who.arn+" is not authorized to perform: sts:AssumeRole on resource: "+arn)
}

// simPage is the part of a list that NextToken names, at most most and no more than MaxResults.
func simPage[T any](c *simCall, all []T, most int, of string) (page []T, next string, e *simError) {
	n, from := c.number("MaxResults", most), 0
	if n < 1 || n > most {
		return nil, "", simErr(400, "ValidationException", "MaxResults must be between 1 and "+strconv.Itoa(most))
	}
	token := c.text("NextToken")
	if token == "" {
		token = c.text("nextToken")
	}
	if token != "" {
		b, err := base64.URLEncoding.DecodeString(token)
		text, ok := strings.CutPrefix(string(b), c.op+of+"/")
		if from, _ = strconv.Atoi(text); err != nil || !ok {
			return nil, "", simErr(400, "ValidationException", "NextToken is invalid")
		}
	}
	to := min(max(from, 0)+n, len(all))
	if to < len(all) {
		next = base64.URLEncoding.EncodeToString([]byte(c.op + of + "/" + strconv.Itoa(to)))
	}
	return all[min(from, len(all)):to], next, nil
}

// listAccounts is ListAccounts of Organizations. A page may be empty and yet have a token.
func (s *simCloud) listAccounts(c *simCall) (any, *simError) {
	if s.org == "" {
		return nil, simErr(400, "AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
	}
	list := make([]obj, 0, len(s.accounts)+1)
	for i, a := range s.accounts {
		state := a.status
		list = append(list, obj{"Id": a.id, "Arn": s.arn("organizations", "", s.accounts[0].id, "account/"+s.org+"/"+a.id), "Email": a.email,
			"Name":   a.name,
			"Status": a.status, "State": state, "JoinedMethod": []string{"CREATED", "INVITED"}[i%2], "JoinedTimestamp": simEpoch(a.joined)})
	}
	page, next, e := simPage(c, list, 20, "")
	if e != nil {
		return nil, simErr(400, "InvalidInputException", e.message)
	}
	if len(list) > 2 && c.text("NextToken") == "" { // nothing yet
		page, next = page[:0], base64.URLEncoding.EncodeToString([]byte(c.op+"/0"))
	}
	return simNext(obj{"Accounts": page}, next), nil
}

func simNext(out obj, next string) obj {
	if next != "" {
		out["NextToken"] = next
	}
	return out
}

// simEpoch is a time as JSON protocols write it.
func simEpoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (s *simCloud) describeOrganization(*simCall) (any, *simError) {
	if s.org == "" {
		return nil, simErr(400, "AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
	}
	m := s.accounts[0]
	return obj{"Organization": obj{"Id": s.org, "Arn": s.arn("organizations", "", m.id, "organization/"+s.org), "FeatureSet": "ALL",
		"MasterAccountArn": s.arn("organizations", "", m.id, "account/"+s.org+"/"+m.id), "MasterAccountId": m.id, "MasterAccountEmail": m.email,
		"AvailablePolicyTypes": []obj{{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}}}}, nil
}

// listRegions is ListRegions of account management: the enabled ones and, unless they are left out, one that is not.
func (s *simCloud) listRegions(c *simCall) (any, *simError) {
	all := []obj{{"RegionName": "ap-east-1", "RegionOptStatus": "DISABLED"}, {"RegionName": s.global(),
		"RegionOptStatus": "ENABLED_BY_DEFAULT"},
		{"RegionName": s.home(), "RegionOptStatus": "ENABLED"}}
	if want, ok := c.in["RegionOptStatusContains"].([]any); ok && len(want) > 0 {
		all = slices.DeleteFunc(all, func(r obj) bool { return !slices.Contains(want, r["RegionOptStatus"]) })
	}
	page, next, e := simPage(c, all, 50, "")
	return simNext(obj{"Regions": page}, next), e
}

func (s *simCloud) describeRegions(*simCall) (any, *simError) {
	out := ""
	for _, r := range s.regions {
		out += simNode("item", simTag("regionName", r)+simTag("regionEndpoint", "ec2."+r+".amazonaws.com")+simTag("optInStatus",
			"opt-in-not-required"))
	}
	return simNode("regionInfo", out), nil
}

// listAnalyzers is ListAnalyzers of Access Analyzer: the management account has one for the organization.
func (s *simCloud) listAnalyzers(c *simCall) (any, *simError) {
	out := []obj{}
	if c.account.n == 0 && c.region == s.home() {
		out = append(out, obj{"arn": s.analyzer(), "name": "external", "type": "ORGANIZATION", "status": "ACTIVE",
			"createdAt": s.o.Start.AddDate(-1, 0, 0).Format(time.RFC3339)})
	}
	return obj{"analyzers": out}, nil
}

func (s *simCloud) analyzer() string {
	return s.arn("access-analyzer", s.home(), s.accounts[0].id, "analyzer/external")
}

// listFindings is ListFindingsV2: a finding for every bucket and role that others may use.
func (s *simCloud) listFindings(c *simCall) (any, *simError) {
	if c.text("analyzerArn") != s.analyzer() || c.account.n > 0 {
		return nil, simErr(404, "ResourceNotFoundException", "Analyzer not found")
	}
	out, at := []obj{}, s.o.Start.Format(time.RFC3339)
	add := func(kind, arn, owner string) {
		out = append(out, obj{"id": s.uuid(63, uint64(len(out))), "resource": arn, "resourceType": kind, "resourceOwnerAccount": owner,
			"status":     "ACTIVE",
			"analyzedAt": at, "createdAt": at, "updatedAt": at, "findingType": "ExternalAccess"})
	}
	for _, b := range s.sortedBuckets() {
		if b.open() {
			add("AWS::S3::Bucket", s.arn("s3", "", "", b.name), b.owner.id)
		}
	}
	for _, a := range s.active() {
		for _, r := range a.iam.roles {
			if slices.Contains(simOutsiders, r.name) {
				add("AWS::IAM::Role", r.arn, a.id)
			}
		}
	}
	page, next, e := simPage(c, out, 100, "")
	doc := obj{"findings": page}
	if next != "" {
		doc["nextToken"] = next
	}
	return doc, e
}
