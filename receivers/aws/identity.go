package aws

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// directory is an instance of IAM Identity Center.
type directory struct{ InstanceArn, IdentityStoreId string }

func (c *client) sso(operation string, in params) saas.Req {
	return c.json("sso", c.IdentityCenterRegion, "", operation, in)
}

// eachSSO and eachStore are each for Identity Center, and for its directory.
func (c *client) eachSSO(ctx context.Context, d saas.Doer, operation string, in params, rows string, f func(json.RawMessage) error) error {
	return c.each(ctx, d, "sso", c.IdentityCenterRegion, "", operation, in, rows, f)
}

func (c *client) eachStore(ctx context.Context, d saas.Doer, operation string, in params, rows string,
	f func(json.RawMessage) error) error {
	in["MaxResults"] = 100
	return c.each(ctx, d, "identitystore", c.IdentityCenterRegion, "", operation, in, rows, f)
}

// directories are the instances; there may be none.
func (c *client) directories(ctx context.Context, d saas.Doer) (list []directory, err error) {
	err = c.eachSSO(ctx, d, "ListInstances", params{"MaxResults": 100}, "Instances", func(row json.RawMessage) error {
		list = append(list, directory{strings.Clone(saas.TextAt(row, "InstanceArn")), strings.Clone(saas.TextAt(row, "IdentityStoreId"))})
		return nil
	})
	return list, err
}

// walk is the Poll of something that every instance has.
func (c *client) walk(list func(ctx context.Context, r *saas.Run, d directory) error) saas.PollFunc {
	return func(ctx context.Context, r *saas.Run) error {
		all, err := c.directories(ctx, r)
		for i := 0; err == nil && i < len(all); i++ {
			err = list(ctx, r, all[i])
		}
		return r.Whole(err)
	}
}

func emit(r *saas.Run) func(json.RawMessage) error {
	return func(row json.RawMessage) error { return r.Emit("", row) }
}

// identityUsers and identityGroups list the directory.
// https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_ListUsers.html
func (c *client) identityUsers(ctx context.Context, r *saas.Run, d directory) error {
	return c.eachStore(ctx, r, "ListUsers", params{"IdentityStoreId": d.IdentityStoreId}, "Users", emit(r))
}

func (c *client) identityGroups(ctx context.Context, r *saas.Run, d directory) error {
	return c.eachStore(ctx, r, "ListGroups", params{"IdentityStoreId": d.IdentityStoreId}, "Groups", emit(r))
}

// ofGroup: who is in it. The directory is before the group.
func ofGroup(v *event.Values) []saas.Item {
	return []saas.Item{{Stream: "identity_members", Key: v.Str(gStore) + "/" + v.Str(gID)}}
}

func (c *client) identityMembers(ctx context.Context, r *saas.Run) error {
	store, group, _ := strings.Cut(r.Item().Key, "/")
	err := c.eachStore(ctx, r, "ListGroupMemberships", params{"IdentityStoreId": store, "GroupId": group}, "GroupMemberships", emit(r))
	return r.Whole(err)
}

// permissionSets lists what can be assigned, each with its policies.
// https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListPermissionSets.html
func (c *client) permissionSets(ctx context.Context, r *saas.Run, d directory) error {
	sets, err := gather(func(f func(json.RawMessage) error) error {
		return c.eachSSO(ctx, r, "ListPermissionSets", params{"InstanceArn": d.InstanceArn, "MaxResults": 100}, "PermissionSets", f)
	})
	if err != nil {
		return err
	}
	for _, raw := range sets {
		in := func() params { return params{"InstanceArn": d.InstanceArn, "PermissionSetArn": saas.Text(raw)} }
		set, err := c.jsonRow(ctx, r, "sso", c.IdentityCenterRegion, "", "DescribePermissionSet", in())
		if saas.Is(err, saas.Missing) {
			continue
		}
		var managed []json.RawMessage
		if err == nil {
			managed, err = gather(func(f func(json.RawMessage) error) error {
				return c.eachSSO(ctx, r, "ListManagedPoliciesInPermissionSet", in(), "AttachedManagedPolicies", f)
			})
		}
		var inline json.RawMessage
		if err == nil {
			inline, err = c.jsonRow(ctx, r, "sso", c.IdentityCenterRegion, "", "GetInlinePolicyForPermissionSet", in())
		}
		if err != nil {
			return err
		}
		whole := saas.Join("InstanceArn PermissionSet ManagedPolicies InlinePolicy", saas.Quote(d.InstanceArn),
			saas.Member(set, "PermissionSet"), saas.Array(managed), saas.Member(inline, "InlinePolicy"))
		if err := r.Emit("", whole); err != nil {
			return err
		}
	}
	return nil
}

// ofSet: to whom it is assigned. The ARN of the instance is before that of the set.
func ofSet(v *event.Values) []saas.Item {
	return []saas.Item{{Stream: "assignments", Key: v.Str(psInstance) + " " + v.Str(psArn)}}
}

// assignments lists who holds a permission set in which account.
// https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListAccountAssignments.html
func (c *client) assignments(ctx context.Context, r *saas.Run) error {
	instance, set, _ := strings.Cut(r.Item().Key, " ")
	in := func() params { return params{"InstanceArn": instance, "PermissionSetArn": set, "MaxResults": 100} }
	accounts, err := gather(func(f func(json.RawMessage) error) error {
		return c.eachSSO(ctx, r, "ListAccountsForProvisionedPermissionSet", in(), "AccountIds", f)
	})
	if err != nil {
		return err
	}
	for _, account := range accounts {
		in := in()
		in["AccountId"] = saas.Text(account)
		err := c.eachSSO(ctx, r, "ListAccountAssignments", in, "AccountAssignments", func(row json.RawMessage) error {
			return r.Emit("", saas.Join("InstanceArn Assignment", saas.Quote(instance), row))
		})
		if err != nil {
			return err
		}
	}
	r.Done()
	return r.Commit(nil)
}

// identityApps lists the applications that users reach through Identity Center, with who may and what each may ask for.
// https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListApplications.html
func (c *client) identityApps(ctx context.Context, r *saas.Run, d directory) error {
	apps, err := gather(func(f func(json.RawMessage) error) error {
		return c.eachSSO(ctx, r, "ListApplications", params{"InstanceArn": d.InstanceArn, "MaxResults": 100}, "Applications", f)
	})
	if err != nil {
		return err
	}
	for _, app := range apps {
		var lists [2]json.RawMessage
		for i, l := range [...][2]string{{"ListApplicationAssignments", "ApplicationAssignments"}, {"ListApplicationAccessScopes", "Scopes"}} {
			rows, err := gather(func(f func(json.RawMessage) error) error {
				return c.eachSSO(ctx, r, l[0], params{"ApplicationArn": saas.TextAt(app, "ApplicationArn")}, l[1], f)
			})
			if err != nil && !saas.Is(err, saas.Missing) {
				return err
			}
			lists[i] = saas.Array(rows)
		}
		if err := r.Emit("", saas.Join("Application Assignments Scopes", app, lists[0], lists[1])); err != nil {
			return err
		}
	}
	return nil
}

// trails reads the state of the trails that are at home in a Region: whether they log, and what stands in the way.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
func (c *client) trails(ctx context.Context, r *saas.Run) error {
	account, region, _ := strings.Cut(r.Item().Key, "/")
	all, err := c.jsonRow(ctx, r, "cloudtrail", region, account, "DescribeTrails", params{"includeShadowTrails": false})
	if err != nil {
		return err
	}
	for trail := range event.Elems(saas.Member(all, "trailList")) {
		arn := saas.TextAt(trail, "TrailARN")
		if accountOf(arn) != account { // of the organization, which its own account tells of
			continue
		}
		status, err := c.jsonRow(ctx, r, "cloudtrail", region, account, "GetTrailStatus", params{"Name": arn})
		if err != nil && !saas.Is(err, saas.Missing) {
			return err
		}
		selectors, err := c.jsonRow(ctx, r, "cloudtrail", region, account, "GetEventSelectors", params{"TrailName": arn})
		if err != nil && !saas.Is(err, saas.Missing) {
			return err
		}
		still := saas.Join("IsLogging LatestDeliveryError LatestNotificationError LatestDigestDeliveryError StartLoggingTime StopLoggingTime",
			saas.Member(status, "IsLogging"), saas.Member(status, "LatestDeliveryError"), saas.Member(status, "LatestNotificationError"),
			saas.Member(status, "LatestDigestDeliveryError"), saas.Member(status, "StartLoggingTime"), saas.Member(status, "StopLoggingTime"))
		if err := r.Emit("", saas.Join("Account Trail Status Selectors", saas.Quote(account), trail, still, selectors)); err != nil {
			return err
		}
	}
	r.Done()
	return r.Commit(nil)
}
