package aws

import (
	"context"
	"encoding/json"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	day       = 24 * time.Hour
	trailSet  = "aws.cloudtrail"
	objectSet = "aws.s3_event"
	inventory = "aws.inventory"
	docs      = "https://docs.aws.amazon.com/"
)

// streams are what an organization has to read. Parts are named after what they hang on: an account's by its id, those of an account
// and a Region "<account>/<region>", a bucket's "<account>/<bucket>", a user's "<account>/<user>", an object's "<bucket>/<key>".
func (c *client) streams() []saas.Stream {
	all := append(c.activity(), c.accountStreams()...)
	all = append(all, c.identityStreams()...)
	all = append(all, c.objectStreams()...)
	for i := range all {
		s := &all[i]
		if s.Dataset == "" {
			s.Dataset = inventory
		}
		if s.Docs == "" {
			s.Docs = docs + "IAM/latest/APIReference/"
		}
	}
	return all
}

// activity is what happened: told by a queue of the trail's files, by CloudTrail's own look-up where there is none, and by buckets.
func (c *client) activity() []saas.Stream {
	events := func(s saas.Stream) saas.Stream {
		s.Dataset, s.Fields, s.Key, s.Map, s.Items = trailSet, trailFields, trailKey, mapTrail, c.touchedBy
		s.Gives = []saas.Capability{saas.LogOnActivity, saas.UserActivity, saas.AdminActivity}
		s.Docs = docs + "awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html"
		return s
	}
	lookup := events(saas.Stream{Name: "lookup", Kind: saas.SignIn, Over: "accounts", Every: 2 * time.Minute, Width: 16, Keep: day + time.Hour,
		Lag: 15 * time.Minute, Needs: []string{"cloudtrail:LookupEvents"}, Poll: c.lookup()})
	var list []saas.Stream
	if c.CloudTrail.QueueURL != "" || c.offline {
		lookup.Unless = "trail_files"
		needs := []string{"sqs:ReceiveMessage"}
		list = append(list, events(saas.Stream{Name: "cloudtrail", Kind: saas.SignIn, Over: "trail_files", Width: 8, Keep: day,
			Lag: 5 * time.Minute, Needs: needs, Poll: c.trailFile}),
			events(saas.Stream{Name: "trail_files", Kind: saas.SignIn, Every: time.Second, Keep: day, Needs: needs, Poll: c.trailFiles}))
	}
	list = append(list, lookup)
	if c.ObjectEvents.QueueURL != "" || c.offline {
		list = append(list, saas.Stream{Name: "object_events", Kind: saas.Audit, Dataset: objectSet, Every: time.Second, Keep: day,
			Needs: []string{"sqs:ReceiveMessage"}, Gives: []saas.Capability{saas.RealTimeDLP},
			Docs: docs + "AmazonS3/latest/userguide/EventNotifications.html", Poll: c.notified,
			Fields: noticeFields, Key: noticeKey, Map: mapNotice, Items: c.ofNotice})
	}
	return list
}

// notified is the Poll of what buckets tell of.
func (c *client) notified(ctx context.Context, r *saas.Run) error {
	return c.follow(ctx, r, c.ObjectEvents.QueueURL, 20, time.Time{}, notifications)
}

// notifications emits what a bucket tells of; a message that is none is set aside.
func notifications(_ context.Context, r *saas.Run, m *message) error {
	var l letter
	if !l.read(m.Body) {
		return r.Emit("", json.RawMessage(m.Body))
	}
	for _, row := range noticed(&l) {
		if err := r.Emit("", row); err != nil {
			return err
		}
	}
	return nil
}

// accountStreams are the accounts and what each has of users, rights and ways in.
func (c *client) accountStreams() []saas.Stream {
	return []saas.Stream{
		{Name: "accounts", Kind: saas.Accounts, Every: time.Hour, Docs: docs + "organizations/latest/APIReference/API_ListAccounts.html",
			Poll: c.accounts, Fields: accountFields, Key: saas.KeyOf(1), Map: mapAccount, Items: c.ofAccount},
		{Name: "iam", Kind: saas.Accounts, Over: "accounts", Every: time.Hour, Width: 4, Needs: []string{"iam:GetAccountAuthorizationDetails"},
			Gives: []saas.Capability{saas.ListAccounts, saas.ListGroups, saas.ListPrivileges},
			Docs:  iamDocs + "GetAccountAuthorizationDetails.html",
			Poll:  c.iam, Fields: iamFields, Key: iamKey, Map: mapIAM, Items: ofIAM},
		{Name: "credentials", Kind: saas.Grants, Over: "iam", Every: day, Width: 4, Needs: []string{"iam:ListAccessKeys"},
			Gives: []saas.Capability{saas.ViewAppRights}, Docs: iamDocs + "ListAccessKeys.html",
			Poll: c.credentials, Fields: credentialFields, Key: credentialKey, Map: mapCredential},
		{Name: "external_access", Kind: saas.Grants, Over: "accounts", Every: time.Hour, Width: 4, Needs: []string{"iam:ListRoles"},
			Gives: []saas.Capability{saas.ViewAppRights}, Docs: iamDocs + "ListRoles.html",
			Poll: c.external, Fields: externalFields, Key: externalKey, Map: mapExternal},
		{Name: "trails", Kind: saas.Grants, Over: "accounts", Every: 10 * time.Minute, Width: 8, Needs: []string{"cloudtrail:DescribeTrails"},
			Docs: docs + "awscloudtrail/latest/APIReference/API_GetTrailStatus.html",
			Poll: c.trails, Fields: stateFields, Key: saas.KeyOf(1), Map: mapState},
	}
}

// identityStreams are of IAM Identity Center.
func (c *client) identityStreams() []saas.Stream {
	needs, reference := []string{"sso:ListInstances"}, docs+"singlesignon/latest/"
	return []saas.Stream{
		{Name: "identity_users", Kind: saas.Accounts, Every: time.Hour, Needs: needs, Gives: []saas.Capability{saas.ListAccounts},
			Docs: reference + "IdentityStoreAPIReference/API_ListUsers.html",
			Poll: c.walk(c.identityUsers), Fields: identityFields, Key: saas.KeyOf(1), Map: mapIdentity},
		{Name: "identity_groups", Kind: saas.Accounts, Every: time.Hour, Needs: needs, Gives: []saas.Capability{saas.ListGroups},
			Docs: reference + "IdentityStoreAPIReference/API_ListGroups.html",
			Poll: c.walk(c.identityGroups), Fields: groupFields, Key: saas.KeyOf(1), Map: mapIdentityGroup, Items: ofGroup},
		{Name: "identity_members", Kind: saas.Accounts, Over: "identity_groups", Every: day / 4, Width: 4, Needs: needs,
			Gives: []saas.Capability{saas.ListGroups}, Docs: reference + "IdentityStoreAPIReference/API_ListGroupMemberships.html",
			Poll: c.identityMembers, Fields: memberFields, Key: saas.KeyOf(1), Map: mapMember},
		{Name: "permission_sets", Kind: saas.Grants, Every: day / 4, Needs: needs, Gives: []saas.Capability{saas.ListPrivileges},
			Docs: reference + "APIReference/API_ListPermissionSets.html",
			Poll: c.walk(c.permissionSets), Fields: setFields, Key: saas.KeyOf(1), Map: mapSet, Items: ofSet},
		{Name: "assignments", Kind: saas.Grants, Over: "permission_sets", Every: day / 4, Width: 4, Needs: needs,
			Gives: []saas.Capability{saas.ListPrivileges}, Docs: reference + "APIReference/API_ListAccountAssignments.html",
			Poll: c.assignments, Fields: assignmentFields, Key: saas.KeyOf(3), Map: mapAssignment},
		{Name: "identity_apps", Kind: saas.Grants, Every: day / 4, Needs: needs, Gives: []saas.Capability{saas.ViewAppRights},
			Docs: reference + "APIReference/API_ListApplications.html",
			Poll: c.walk(c.identityApps), Fields: appFields, Key: saas.KeyOf(1), Map: mapApp},
	}
}

// objectStreams are buckets, what is in them, and its content.
func (c *client) objectStreams() []saas.Stream {
	objects := func(s saas.Stream) saas.Stream {
		s.Needs, s.Fields, s.Key, s.Map = []string{"s3:ListAllMyBuckets"}, objectFields, objectKey, c.mapObjectEntity
		return s
	}
	versions := func(s saas.Stream) saas.Stream {
		s = objects(s)
		s.Key = versionKey
		return s
	}
	return []saas.Stream{
		{Name: "buckets", Kind: saas.Grants, Over: "accounts", Every: time.Hour, Width: 4, Needs: []string{"s3:ListAllMyBuckets"},
			Gives: []saas.Capability{saas.SharingControl}, Docs: s3Docs + "ListBuckets.html",
			Poll: c.bucketsOf, Fields: bucketFields, Key: saas.KeyOf(1), Map: mapBucket, Items: c.ofBucket},
		objects(saas.Stream{Name: "files", Kind: saas.Files, Over: "buckets", Every: c.Files.ScanEvery, Width: 8,
			Gives: []saas.Capability{saas.PeriodicDLP, saas.SharingControl}, Docs: s3Docs + "ListObjectsV2.html",
			Poll: c.files, Items: contentOf}),
		versions(saas.Stream{Name: "versions", Kind: saas.Files, Over: "buckets", Every: c.Files.ScanEvery, Width: 4,
			Gives: []saas.Capability{saas.FileGovernance}, Docs: s3Docs + "ListObjectVersions.html",
			Poll: c.versions, Items: contentOf}),
		objects(saas.Stream{Name: "content", Kind: saas.Content, Over: "files", Width: 48,
			Gives: []saas.Capability{saas.PeriodicDLP, saas.RealTimeDLP}, Docs: s3Docs + "GetObject.html", Poll: c.touched}),
	}
}
