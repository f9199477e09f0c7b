package aws

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/sim"
)

// published is Sim.Published. Keys of parts stand behind the part.
func (s *simCloud) published(stream string, f func(key string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	switch stream {
	case "cloudtrail":
		s.delivered(f)
	case "lookup":
		s.managed(f)
	default:
		_ = slices.IndexFunc(s.keysOf(stream), func(key string) bool { return !f(key) })
	}
}

// delivered calls f for the events of all files that the queue told of.
func (s *simCloud) delivered(f func(key string) bool) {
	for _, file := range s.trail.files {
		if s.o.Now().Sub(file.due) > simQueueKeeps {
			continue
		}
		for _, i := range file.events {
			if !f(s.feed.Key(i)) {
				return
			}
		}
		for _, id := range file.ids {
			if !f(id) {
				return
			}
		}
	}
}

// managed calls f for the events that the look-up has: of management, of 90 days.
func (s *simCloud) managed(f func(key string) bool) {
	now := s.o.Now()
	for i := range s.feed.Len() {
		if s.feed.At(i).After(now) {
			break
		}
		if s.feed.Persisted(i).After(now) || now.Sub(s.feed.At(i)) > simReach {
			continue
		}
		var e struct{ ManagementEvent bool }
		if s.o.Replay == nil {
			t, _, _ := s.place(i)
			e.ManagementEvent = t.kind != 'd'
		} else {
			_ = json.Unmarshal(s.feed.Make(nil, i), &e) // what cannot be read is none
		}
		if e.ManagementEvent && !f(s.feed.Key(i)) {
			return
		}
	}
	_ = slices.IndexFunc(s.lookable, func(id string) bool { return !f(id) })
}

// keysOf lists what a stream of entities holds now.
func (s *simCloud) keysOf(stream string) (keys []string) {
	e := &s.center
	switch stream {
	case "object_events":
		return slices.Clone(s.told)
	case "accounts":
		for _, a := range s.accounts {
			keys = append(keys, a.id)
		}
	case "identity_users":
		return simNames(e.users, "UserId")
	case "identity_groups":
		return simNames(e.groups, "GroupId")
	case "identity_members":
		return simNames(e.members, "MembershipId")
	case "permission_sets":
		return simNames(e.sets, "PermissionSetArn")
	case "identity_apps":
		return simNames(e.apps, "ApplicationArn")
	case "assignments":
		for _, a := range e.assigned {
			keys = append(keys, strings.Join([]string{a["AccountId"].(string), a["PermissionSetArn"].(string), a["PrincipalId"].(string)}, "/"))
		}
	case "trails":
		return []string{s.trailARN()}
	case "buckets":
		for _, b := range s.sortedBuckets() {
			keys = append(keys, b.name)
		}
	case "files", "versions", "content":
		return s.objectKeys(stream)
	default:
		for _, a := range s.active() {
			keys = append(keys, s.iamKeys(a, stream)...)
		}
	}
	return keys
}

// objectKeys lists the objects of the buckets that are read, or the versions that are not current, or all that have content.
func (s *simCloud) objectKeys(stream string) (keys []string) {
	for _, b := range s.sortedBuckets() {
		for _, o := range b.objects {
			if !b.notifies {
				break
			}
			for _, v := range o.versions {
				switch current := v == o.latest() && !v.marker; {
				case stream == "content" && v.marker:
				case current && stream != "versions":
					keys = append(keys, b.name+"/"+o.key)
				case !current && stream == "content":
					keys = append(keys, objectID(b.name, o.key, v.id))
				case !current && stream == "versions":
					keys = append(keys, b.name+"/"+o.key+"/"+v.id)
				}
			}
		}
	}
	slices.Sort(keys)
	return keys
}

// iamKeys lists what IAM has of an account: who is there, their credentials, who else may come in.
func (s *simCloud) iamKeys(a *simAccount, stream string) (keys []string) {
	i := &a.iam
	held := func(arn string, attached []string, inline map[string]string) {
		keys = append(keys, arn)
		for _, policy := range append(slices.Collect(maps.Keys(inline)), attached...) {
			keys = append(keys, arn+"#"+policy)
		}
	}
	switch stream {
	case "credentials":
		for _, u := range i.users {
			for _, k := range u.keys {
				keys = append(keys, k.id)
			}
			for _, p := range u.special {
				keys = append(keys, p.id)
			}
		}
	case "iam":
		keys = append(keys, s.arn("iam", "", a.id, "root"))
		for _, u := range i.users {
			held(u.arn, u.attached, u.inline)
		}
		for _, g := range i.groups {
			held(g.arn, g.attached, g.inline)
		}
		for _, r := range i.roles {
			held(r.arn, r.attached, r.inline)
		}
		for _, p := range i.policies {
			keys = append(keys, policyID(a.id, p.arn))
		}
	case "external_access":
		for _, p := range append(slices.Clone(i.saml), i.oidc...) {
			keys = append(keys, p.arn)
		}
		for _, r := range i.roles {
			if slices.Contains(simOutsiders, r.name) {
				keys = append(keys, r.arn)
			}
		}
	}
	return keys
}

// simOutsiders are the roles that others may assume.
var simOutsiders = []string{"DatadogIntegration", "OpenToAnybody", "ci-deploy"}

// note writes what a request changed into the trail.
func (s *simCloud) note(c *simCall) {
	t := &simType{source: c.service, name: c.op, by: 'x', kind: 'm'}
	region := c.region
	if c.service == "iam" {
		region = s.global()
	}
	at := s.o.Now().UTC()
	id, b := s.uuid(37, s.minted), []byte(`{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole"`)
	b = sim.Field(sim.Field(b, "principalId", c.who.userID), "arn", c.who.arn)
	b = append(sim.Field(sim.Field(b, "accountId", c.account.id), "accessKeyId", c.who.id), '}')
	b = sim.Field(sim.Field(b, "eventTime", simStamp(at)), "eventSource", t.source+".amazonaws.com")
	b = sim.Field(sim.Field(sim.Field(b, "eventName", t.name), "awsRegion", region), "sourceIPAddress", "198.51.100.7")
	params := obj{}
	for name := range c.form {
		if name != "Action" && name != "Version" {
			params[strings.ToLower(name[:1])+name[1:]] = c.form.Get(name)
		}
	}
	if c.bucket != "" {
		params["bucketName"], params["key"] = c.bucket, c.object
	}
	b = append(append(sim.Field(b, "userAgent", c.r.UserAgent()), `,"requestParameters":`...), simBody(params)...)
	b = sim.Field(sim.Field(append(b, `,"responseElements":null`...), "requestID", c.serverID), "eventID", id)
	data := c.service == "s3" && c.object != ""
	category := map[bool]string{true: "Data", false: "Management"}[data]
	b = append(sim.Field(append(b, `,"readOnly":false`...), "eventType", "AwsApiCall"), `,"managementEvent":`...)
	b = append(b, map[bool]string{true: "false", false: "true"}[data]...)
	b = append(sim.Field(sim.Field(b, "recipientAccountId", c.account.id), "eventCategory", category), '}')
	if s.feed.Append(id, at, b); !data {
		s.lookable = append(s.lookable, id)
	}
	s.trail.noted = append(s.trail.noted, simNoted{simPlace{c.account, region}, id, at, b})
}

func (s *simCloud) trailARN() string {
	return s.arn("cloudtrail", s.home(), s.accounts[0].id, "trail/org")
}

func (s *simCloud) describeTrails(c *simCall) (any, *simError) {
	if c.in["includeShadowTrails"] == false && (c.region != s.home() || c.account.n > 0) {
		return obj{"trailList": []obj{}}, nil
	}
	return obj{"trailList": []obj{{"Name": "org", "S3BucketName": simTrailBucket + s.suffix(), "IncludeGlobalServiceEvents": true,
		"IsMultiRegionTrail": true,
		"HomeRegion":         s.home(), "TrailARN": s.trailARN(), "LogFileValidationEnabled": true, "HasCustomEventSelectors": true,
		"HasInsightSelectors": false,
		"IsOrganizationTrail": s.org != ""}}}, nil
}

// named checks the name of the trail, which is its ARN wherever it is not at home.
func (s *simCloud) named(c *simCall, name string) *simError {
	if name == s.trailARN() || name == "org" && c.region == s.home() && c.account.n == 0 {
		return nil
	}
	return simErr(400, "TrailNotFoundException", "Unknown trail: "+name+" for the user: "+c.account.id)
}

func (s *simCloud) trailStatus(c *simCall) (any, *simError) {
	at := simEpoch(s.trail.next)
	return obj{"IsLogging": true, "LatestDeliveryTime": at, "StartLoggingTime": simEpoch(s.o.Start.AddDate(-1, 0, 0)),
		"LatestDeliveryAttemptTime":     "",
		"LatestNotificationAttemptTime": "", "LatestNotificationAttemptSucceeded": "", "LatestDeliveryAttemptSucceeded": "",
		"TimeLoggingStarted": "",
		"TimeLoggingStopped": ""}, s.named(c, c.text("Name"))
}

func (s *simCloud) eventSelectors(c *simCall) (any, *simError) {
	return obj{"TrailARN": s.trailARN(), "EventSelectors": []obj{{"ReadWriteType": "All", "IncludeManagementEvents": true,
		"DataResources":                 []obj{{"Type": "AWS::S3::Object", "Values": []string{"arn:" + s.partition + ":s3"}}},
		"ExcludeManagementEventSources": []string{}}}}, s.named(c, c.text("TrailName"))
}

func (s *simCloud) listTrails(*simCall) (any, *simError) {
	return obj{"Trails": []obj{{"TrailARN": s.trailARN(), "Name": "org", "HomeRegion": s.home()}}}, nil
}
