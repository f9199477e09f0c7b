package aws

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

// ofUsers and ofDirectory are what changing IAM and Identity Center needs.
var (
	ofUsers     = []string{"iam:PutUserPolicy"}
	ofDirectory = []string{"iam:PutUserPolicy|sso:DeleteAccountAssignment"}
	ofObjects   = []string{"s3:PutObject"}
)

// actions are what the agent can change.
func (c *client) actions() []saas.Action {
	return append([]saas.Action{
		c.suspend(action.SuspendUser, ""), c.restore(action.RestoreUser),
		c.suspend(action.DeactivateUser, "the password for the console is gone; reactivate_user brings back keys and rights"),
		c.restore(action.ReactivateUser), c.expire(), c.sessions(), c.factors(),
		c.group(action.AddToGroup, true), c.group(action.RemoveFromGroup, false), c.role(), c.grant(), c.token(),
	}, c.fileActions()...)
}

// form is a parameter of a request to IAM.
func form(q saas.Req, name string) string {
	in, _ := url.ParseQuery(q.Body)
	return in.Get(name)
}

// unescaped is a document as it was written: IAM gives it as in a URL.
func unescaped(doc string) string {
	if strings.HasPrefix(doc, "%7B") {
		if s, err := url.PathUnescape(doc); err == nil {
			return s
		}
	}
	return doc
}

// pair is a plan with one step and what takes it back.
func pair(verb string, t saas.Target, before any, step, back saas.Req) (*saas.Plan, error) {
	raw, err := json.Marshal(before)
	return &saas.Plan{Verb: verb, Target: t, Before: raw, Steps: []saas.Req{step}, Back: []saas.Req{back}}, err
}

// directoryOf is the instance of Identity Center.
func (c *client) directoryOf(ctx context.Context, d saas.Doer) (directory, error) {
	all, err := c.directories(ctx, d)
	if err == nil && len(all) == 0 {
		err = saas.Refuse("there is no IAM Identity Center")
	}
	if err != nil {
		return directory{}, err
	}
	return all[0], nil
}

// holdings are what a user of Identity Center holds: the requests that take it away, in order, those that give it back, and all in words.
func (c *client) holdings(ctx context.Context, d saas.Doer, id string) (take, give []saas.Req, words []string, err error) {
	at, err := c.directoryOf(ctx, d)
	if err != nil {
		return nil, nil, nil, err
	}
	store := params{"IdentityStoreId": at.IdentityStoreId, "MemberId": map[string]string{"UserId": id}}
	err = c.eachStore(ctx, d, "ListGroupMembershipsForMember", store, "GroupMemberships", func(row json.RawMessage) error {
		take = append(take, c.store("DeleteGroupMembership", params{"IdentityStoreId": at.IdentityStoreId,
			"MembershipId": saas.TextAt(row, "MembershipId")}))
		give = append(give, c.store("CreateGroupMembership", params{"IdentityStoreId": at.IdentityStoreId,
			"GroupId": saas.TextAt(row, "GroupId"), "MemberId": map[string]string{"UserId": id}}))
		words = append(words, "group "+saas.TextAt(row, "GroupId"))
		return nil
	})
	if err != nil {
		return nil, nil, nil, err
	}
	err = c.eachSSO(ctx, d, "ListAccountAssignmentsForPrincipal", params{"InstanceArn": at.InstanceArn, "PrincipalId": id,
		"PrincipalType": "USER", "MaxResults": 100}, "AccountAssignments", func(row json.RawMessage) error {
		if saas.TextAt(row, "PrincipalType") != "USER" { // by a group
			return nil
		}
		in := assignment(at.InstanceArn, saas.TextAt(row, "PermissionSetArn"), saas.TextAt(row, "AccountId"), "USER", id)
		take, give = append(take, c.sso("DeleteAccountAssignment", in)), append(give, c.sso("CreateAccountAssignment", in))
		words = append(words, "permission set "+saas.TextAt(row, "PermissionSetArn")+" in account "+saas.TextAt(row, "AccountId"))
		return nil
	})
	return take, give, words, err
}

func (c *client) store(operation string, in params) saas.Req {
	return c.json("identitystore", c.IdentityCenterRegion, "", operation, in)
}

func assignment(instance, set, account, kind, principal string) params {
	return params{"InstanceArn": instance, "TargetId": account, "TargetType": "AWS_ACCOUNT", "PermissionSetArn": set, "PrincipalType": kind,
		"PrincipalId": principal}
}

// planDirectory takes from a user of Identity Center all that gives access: nothing public suspends the account itself.
func (c *client) planDirectory(ctx context.Context, conn *saas.Conn, t saas.Target, p principal) (*saas.Plan, error) {
	take, give, words, err := c.holdings(ctx, conn, p.ID)
	if err != nil {
		return nil, err
	}
	if len(take) == 0 {
		return nil, saas.Settled("user %s of Identity Center reaches no account", p.ID)
	}
	before, err := json.Marshal(map[string]any{"holds": words})
	return &saas.Plan{Verb: action.SuspendUser, Target: t, Before: before, Steps: take, Back: give}, err
}

// group puts a user into a group, or takes it out: both of IAM, or both of Identity Center.
func (c *client) group(verb string, in bool) saas.Action {
	a := saas.Action{Verb: verb, Needs: ofDirectory, Docs: iamDocs + "AddUserToGroup.html"}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		add, remove, is, err := c.membership(ctx, conn, t)
		switch {
		case err != nil:
			return nil, err
		case is == in:
			return nil, saas.Settled("user %s is in group %s: %v", t.ID, groupOf(t), is)
		case in:
			return pair(verb, t, map[string]bool{"member": is}, add, remove)
		}
		return pair(verb, t, map[string]bool{"member": is}, remove, add)
	}
	done := func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		_, _, is, err := c.membership(ctx, conn, p.Target)
		return is == in, err
	}
	a = saas.Guarded(a, done)
	a.Undo = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error { // a membership of Identity Center has another id by now
		add, remove, is, err := c.membership(ctx, conn, p.Target)
		if err != nil || is != in {
			return err
		}
		if in {
			return saas.Send(ctx, conn, []saas.Req{remove})
		}
		return saas.Send(ctx, conn, []saas.Req{add})
	}
	return a
}

func groupOf(t saas.Target) string {
	if name := t.Params["group.name"]; name != "" && !strings.Contains(t.Params["group.id"], "-") {
		return name
	}
	id := t.Params["group.id"]
	if strings.HasPrefix(id, "arn:") {
		return id[strings.LastIndexByte(id, '/')+1:]
	}
	if id == "" {
		return t.Params["group.name"]
	}
	return id
}

// membership gives the requests that make and end a membership, and says whether there is one.
func (c *client) membership(ctx context.Context, conn *saas.Conn, t saas.Target) (add, remove saas.Req, is bool, err error) {
	p, err := c.principalOf(t.ID)
	group := groupOf(t)
	if err == nil && group == "" {
		err = saas.Refuse("the target names no group")
	}
	if err != nil {
		return add, remove, false, err
	}
	if p.ID == "" {
		err = c.eachXML(ctx, conn, p.Account, "ListGroupsForUser", "Groups/member", func(row json.RawMessage) error {
			is = is || saas.TextAt(row, "GroupName") == group
			return nil
		}, "UserName", p.Name)
		return c.ask(p, "AddUserToGroup", "GroupName", group), c.ask(p, "RemoveUserFromGroup", "GroupName", group), is, err
	}
	at, err := c.directoryOf(ctx, conn)
	if err != nil {
		return add, remove, false, err
	}
	in := func() params {
		return params{"IdentityStoreId": at.IdentityStoreId, "GroupId": group, "MemberId": map[string]string{"UserId": p.ID}}
	}
	got, err := none(c.jsonRow(ctx, conn, "identitystore", c.IdentityCenterRegion, "", "GetGroupMembershipId", in()))
	id := saas.TextAt(got, "MembershipId")
	remove = c.store("DeleteGroupMembership", params{"IdentityStoreId": at.IdentityStoreId, "MembershipId": id})
	return c.store("CreateGroupMembership", in()), remove, id != "", err
}

// role takes a policy from a user, a group or a role of IAM, or an assignment of Identity Center from whom it is assigned to.
func (c *client) role() saas.Action {
	a := saas.Action{Verb: action.RevokeRole, Needs: ofDirectory, Docs: iamDocs + "DetachUserPolicy.html"}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		plan, err := c.planRole(ctx, conn, t)
		if err != nil {
			return nil, err
		}
		gone, err := c.roleGone(ctx, conn, plan)
		if err == nil && gone {
			err = saas.Settled("%s is not held", cmp.Or(t.ID, t.Params["role.id"]))
		}
		return plan, err
	}
	return saas.Guarded(a, c.roleGone)
}

func (c *client) planRole(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
	const verb = action.RevokeRole
	if set, account, kind, who, ok := readAssignment(t.ID); ok {
		in := assignment(instanceOf(set), set, account, kind, who)
		return pair(verb, t, in, c.sso("DeleteAccountAssignment", in), c.sso("CreateAccountAssignment", in))
	}
	p, policy, err := c.holder(t)
	if err != nil {
		return nil, err
	}
	kind := strings.ToUpper(p.Kind[:1]) + p.Kind[1:]
	if strings.HasPrefix(policy, "arn:") {
		return pair(verb, t, map[string]string{"policy": policy}, c.ask(p, "Detach"+kind+"Policy", "PolicyArn", policy),
			c.ask(p, "Attach"+kind+"Policy", "PolicyArn", policy))
	}
	doc, err := c.policyOf(ctx, conn, p, policy)
	if err != nil {
		return nil, err
	}
	return pair(verb, t, map[string]string{"policy": policy, "document": doc}, c.setPolicy(p, policy, ""), c.setPolicy(p, policy, doc))
}

// roleGone says whether what a plan takes is not held any more.
func (c *client) roleGone(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
	still := false
	if set, account, kind, who, ok := readAssignment(p.Target.ID); ok {
		err := c.eachSSO(ctx, conn, "ListAccountAssignments", params{"InstanceArn": instanceOf(set), "AccountId": account,
			"PermissionSetArn": set, "MaxResults": 100}, "AccountAssignments", func(row json.RawMessage) error {
			still = still || saas.TextAt(row, "PrincipalType") == kind && saas.TextAt(row, "PrincipalId") == who
			return nil
		})
		return !still, err
	}
	who, policy, err := c.holder(p.Target)
	if err != nil {
		return false, err
	}
	kind := strings.ToUpper(who.Kind[:1]) + who.Kind[1:]
	if !strings.HasPrefix(policy, "arn:") {
		doc, err := c.policyOf(ctx, conn, who, policy)
		return doc == "", err
	}
	err = c.eachXML(ctx, conn, who.Account, "ListAttached"+kind+"Policies", "AttachedPolicies/member", func(row json.RawMessage) error {
		still = still || saas.TextAt(row, "PolicyArn") == policy
		return nil
	}, kind+"Name", who.Name)
	return !still, err
}

// holder reads who holds which policy: of the id of an assignment, or of the ids beside it.
func (c *client) holder(t saas.Target) (p principal, policy string, err error) {
	who, policy, ok := strings.Cut(t.ID, "#")
	if !ok {
		who, policy = t.Params["user.id"], t.Params["role.id"]
		if group := t.Params["group.id"]; group != "" {
			who = group
		}
	}
	p, err = c.principalOf(who)
	if err == nil && (p.ID != "" || policy == "") {
		err = saas.Refuse("the target names no policy and who holds it")
	}
	return p, policy, err
}

// readAssignment reads what assignmentID made.
func readAssignment(id string) (set, account, kind, principal string, ok bool) {
	parts := strings.Split(id, "/")
	if n := len(parts); n >= 6 && strings.Contains(id, ":permissionSet/") {
		return strings.Join(parts[:n-3], "/"), parts[n-3], parts[n-2], parts[n-1], true
	}
	return "", "", "", "", false
}

// instanceOf is the instance in which a permission set is.
func instanceOf(set string) string {
	head, rest, _ := strings.Cut(set, ":permissionSet/")
	instance, _, _ := strings.Cut(rest, "/")
	return head + ":instance/" + instance
}

// token switches an access key off, or the password of a user for one service.
func (c *client) token() saas.Action {
	a := saas.Action{Verb: action.RevokeToken, Needs: ofUsers, Docs: iamDocs + "UpdateAccessKey.html"}
	set := func(p principal, t saas.Target, to string) saas.Req {
		if t.Params["credential.type"] == "service_specific_credential" {
			return c.ask(p, "UpdateServiceSpecificCredential", "ServiceSpecificCredentialId", t.ID, "Status", to)
		}
		return c.setKey(p, t.ID, to)
	}
	status := func(ctx context.Context, conn *saas.Conn, p principal, t saas.Target) (string, error) {
		op, rows, name := "ListAccessKeys", "AccessKeyMetadata/member", "AccessKeyId"
		if t.Params["credential.type"] == "service_specific_credential" {
			op, rows, name = "ListServiceSpecificCredentials", "ServiceSpecificCredentials/member", "ServiceSpecificCredentialId"
		}
		is := ""
		err := c.eachXML(ctx, conn, p.Account, op, rows, func(row json.RawMessage) error {
			if saas.TextAt(row, name) == t.ID {
				is = saas.TextAt(row, "Status")
			}
			return nil
		}, "UserName", p.Name)
		return is, err
	}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		if strings.HasPrefix(t.ID, "ASIA") {
			return nil, saas.Refuse("key %s is one of a session: revoke_sessions of its role or user ends it", t.ID)
		}
		p, err := c.owner(ctx, conn, t)
		if err != nil {
			return nil, err
		}
		is, err := status(ctx, conn, p, t)
		switch {
		case err != nil:
			return nil, err
		case is != "Active":
			return nil, saas.Settled("credential %s of user %s is %q", t.ID, p.Name, is)
		}
		return pair(a.Verb, t, map[string]string{"user": p.ARN, "status": is}, set(p, t, "Inactive"), set(p, t, "Active"))
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		who, err := c.owner(ctx, conn, p.Target)
		if err != nil {
			return false, err
		}
		is, err := status(ctx, conn, who, p.Target)
		return is != "Active", err
	})
}

// owner is the user to whom a key belongs, as the target says or as IAM of the own account knows.
func (c *client) owner(ctx context.Context, conn *saas.Conn, t saas.Target) (principal, error) {
	if id := t.Params["user.id"]; strings.Contains(id, ":user/") {
		return c.iamUser(id)
	}
	rep, err := conn.Do(ctx, c.query("iam", "", "GetAccessKeyLastUsed", "AccessKeyId", t.ID))
	var got struct{ UserName string }
	if err == nil {
		err = one(rep, "GetAccessKeyLastUsedResult", &got)
	}
	if err == nil && got.UserName == "" {
		err = saas.Refuse("credential %s: neither the target nor IAM says whose it is", t.ID)
	}
	return principal{Kind: "user", Name: got.UserName, ARN: got.UserName}, err
}
