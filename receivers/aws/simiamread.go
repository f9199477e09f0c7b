package aws

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

var simIAMReads = map[string]func(*simCloud, *simCall) (string, *simError){
	"GetAccountAuthorizationDetails": (*simCloud).authorizationDetails, "ListUsers": (*simCloud).iamUsers, "GetUser": (*simCloud).iamUser,
	"ListGroups": (*simCloud).iamGroups, "GetRole": (*simCloud).iamRole, "ListRoles": (*simCloud).iamRoles,
	"ListAccountAliases": (*simCloud).aliases, "ListAccessKeys": (*simCloud).accessKeys, "GetAccessKeyLastUsed": (*simCloud).keyLastUsed,
	"GetLoginProfile": (*simCloud).loginProfile, "ListMFADevices": (*simCloud).mfaDevices, "ListGroupsForUser": (*simCloud).groupsOf,
	"ListServiceSpecificCredentials": (*simCloud).specials, "GetUserPolicy": (*simCloud).policyOf, "GetRolePolicy": (*simCloud).policyOf,
	"GetGroupPolicy": (*simCloud).policyOf, "ListUserPolicies": (*simCloud).policyNames, "ListRolePolicies": (*simCloud).policyNames,
	"ListGroupPolicies": (*simCloud).policyNames, "ListAttachedUserPolicies": (*simCloud).attachedPolicies,
	"ListAttachedRolePolicies": (*simCloud).attachedPolicies, "ListAttachedGroupPolicies": (*simCloud).attachedPolicies,
	"GenerateCredentialReport": (*simCloud).generateReport, "GetCredentialReport": (*simCloud).credentialReport,
	"ListSAMLProviders": (*simCloud).samlProviders, "ListOpenIDConnectProviders": (*simCloud).oidcProviders,
	"GetOpenIDConnectProvider": (*simCloud).oidcProvider, "GetSAMLProvider": (*simCloud).samlProvider,
	"CreateSAMLProvider": (*simCloud).createSAML, "CreateOpenIDConnectProvider": (*simCloud).createOIDC,
	"SimulatePrincipalPolicy": (*simCloud).simulate,
}

func simAttached(arns []string) string {
	return simMembers("AttachedManagedPolicies", arns, simAttachedOne)
}

func simAttachedOne(arn string) string {
	return simTag("PolicyName", arn[strings.LastIndexByte(arn, '/')+1:]) + simTag("PolicyArn", arn)
}

func simInline(list string, of map[string]string) string {
	return simMembers(list, slices.Sorted(maps.Keys(of)), func(name string) string {
		return simTag("PolicyName", name) + simTag("PolicyDocument", simEscape(of[name], false))
	})
}

func (u *simUser) head() string {
	out := simTag("Path", u.path) + simTag("UserName", u.name) + simTag("UserId", u.id) + simTag("Arn", u.arn) + simTag("CreateDate",
		simStamp(u.created))
	if u.boundary != "" {
		out += simNode("PermissionsBoundary", simTag("PermissionsBoundaryType", "PermissionsBoundaryPolicy")+simTag("PermissionsBoundaryArn",
			u.boundary))
	}
	return out
}

func (u *simUser) tags() string {
	if !u.tagged {
		return ""
	}
	return simNode("Tags", simNode("member", simTag("Key", "team")+simTag("Value", "R&D <1>")))
}

func (r *simRole) head() string {
	return simTag("Path", r.path) + simTag("RoleName", r.name) + simTag("RoleId", r.id) + simTag("Arn", r.arn) + simTag("CreateDate",
		simStamp(r.created)) +
		simTag("AssumeRolePolicyDocument", simEscape(r.trust, false))
}

func (r *simRole) lastUsed() string {
	if r.used.IsZero() {
		return "<RoleLastUsed/>"
	}
	return simNode("RoleLastUsed", simTag("LastUsedDate", simStamp(r.used))+simTag("Region", simHome))
}

// authorizationDetails is GetAccountAuthorizationDetails: pages run through users, groups, roles and policies.
func (s *simCloud) authorizationDetails(c *simCall) (string, *simError) {
	want := map[string]bool{}
	for name, v := range c.form {
		if strings.HasPrefix(name, "Filter.member.") {
			want[v[0]] = true
		}
	}
	type item struct{ list, text string }
	var all []item
	add := func(kind, list string, f func() string) {
		if len(want) == 0 || want[kind] {
			all = append(all, item{list, f()})
		}
	}
	a := c.account
	for _, u := range a.iam.users {
		add("User", "UserDetailList", func() string {
			return u.head() + simInline("UserPolicyList", u.inline) + simMembers("GroupList", u.groups, simEscapeText) +
				simAttached(u.attached) + u.tags()
		})
	}
	for _, g := range a.iam.groups {
		add("Group", "GroupDetailList", func() string {
			return g.head(s) + simInline("GroupPolicyList", g.inline) + simAttached(g.attached)
		})
	}
	for _, r := range a.iam.roles {
		add("Role", "RoleDetailList", func() string {
			return r.head() + "<InstanceProfileList/>" + simInline("RolePolicyList", r.inline) + simAttached(r.attached) + r.lastUsed()
		})
	}
	for _, p := range a.iam.policies {
		kind := "LocalManagedPolicy"
		if strings.Contains(p.arn, "::aws:") {
			kind = "AWSManagedPolicy"
		}
		add(kind, "Policies", func() string { return s.policyDetail(p) })
	}
	from, to, tail, e := c.simMarked(len(all), 100)
	if e != nil {
		return "", e
	}
	out := ""
	for _, list := range []string{"UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"} {
		out += simMembers(list, slices.DeleteFunc(slices.Clone(all[from:to]), func(i item) bool { return i.list != list }),
			func(i item) string { return i.text })
	}
	return tail + out, nil
}

func simEscapeText(s string) string {
	return strings.TrimSuffix(strings.TrimPrefix(simTag("x", s), "<x>"), "</x>")
}

func (s *simCloud) policyDetail(p *simPolicy) string {
	at := simStamp(s.o.Start.AddDate(-1, 0, 0))
	return simTag("PolicyName", p.name) + simTag("PolicyId", p.id) + simTag("Arn", p.arn) + simTag("Path", "/") +
		simTag("DefaultVersionId", "v2") +
		simTag("AttachmentCount", "1") + simTag("PermissionsBoundaryUsageCount", "0") + simTag("IsAttachable", "true") + simTag("CreateDate",
		at) +
		simTag("UpdateDate", at) + simNode("PolicyVersionList", simNode("member", simTag("Document", simEscape(p.document, false))+
		simTag("VersionId", "v2")+simTag("IsDefaultVersion", "true")+simTag("CreateDate", at)))
}

func (g *simGroup) head(s *simCloud) string {
	return simTag("Path", "/") + simTag("GroupName", g.name) + simTag("GroupId", g.id) + simTag("Arn", g.arn) +
		simTag("CreateDate", simStamp(s.o.Start.AddDate(-1, 0, 0)))
}

// simListed is a list with its page.
func simListed[T any](c *simCall, name string, all []T, one func(T) string) (string, *simError) {
	from, to, tail, e := c.simMarked(len(all), 100)
	if e != nil {
		return "", e
	}
	return simMembers(name, all[from:to], one) + tail, nil
}

func (s *simCloud) iamUsers(c *simCall) (string, *simError) {
	return simListed(c, "Users", c.account.iam.users, func(u *simUser) string { return u.head() + u.passwordUsed() })
}

func (u *simUser) passwordUsed() string {
	if u.loggedOn.IsZero() {
		return ""
	}
	return simTag("PasswordLastUsed", simStamp(u.loggedOn))
}

func (s *simCloud) iamUser(c *simCall) (string, *simError) {
	if c.form.Get("UserName") == "" && c.who.user != nil {
		c.form.Set("UserName", c.who.user.name)
	}
	u, e := c.user()
	if e != nil {
		return "", e
	}
	return simNode("User", u.head()+u.passwordUsed()+u.tags()), nil
}

func (s *simCloud) iamGroups(c *simCall) (string, *simError) {
	return simListed(c, "Groups", c.account.iam.groups, func(g *simGroup) string { return g.head(s) })
}

func (s *simCloud) groupsOf(c *simCall) (string, *simError) {
	u, e := c.user()
	if e != nil {
		return "", e
	}
	return simListed(c, "Groups", slices.DeleteFunc(slices.Clone(c.account.iam.groups),
		func(g *simGroup) bool { return !slices.Contains(u.groups, g.name) }),
		func(g *simGroup) string { return g.head(s) })
}

func (s *simCloud) iamRole(c *simCall) (string, *simError) {
	r, e := c.role()
	if e != nil {
		return "", e
	}
	return simNode("Role", r.head()+r.lastUsed()), nil
}

func (s *simCloud) iamRoles(c *simCall) (string, *simError) {
	return simListed(c, "Roles", c.account.iam.roles, func(r *simRole) string { return r.head() })
}

func (s *simCloud) aliases(c *simCall) (string, *simError) {
	return simListed(c, "AccountAliases", []string{"contoso-" + strconv.Itoa(c.account.n)}, simEscapeText)
}

func (s *simCloud) accessKeys(c *simCall) (string, *simError) {
	u, e := c.user()
	if e != nil {
		return "", e
	}
	return simListed(c, "AccessKeyMetadata", u.keys, func(k *simKey) string {
		return simTag("UserName", u.name) + simTag("AccessKeyId", k.id) + simTag("Status", k.status) + simTag("CreateDate", simStamp(k.created))
	})
}

func (s *simCloud) keyLastUsed(c *simCall) (string, *simError) {
	for _, u := range c.account.iam.users {
		for _, k := range u.keys {
			if k.id != c.form.Get("AccessKeyId") {
				continue
			}
			last := simTag("ServiceName", "N/A") + simTag("Region", "N/A")
			if !k.used.IsZero() {
				last = simTag("LastUsedDate", simStamp(k.used)) + simTag("ServiceName", "s3") + simTag("Region", s.home())
			}
			return simTag("UserName", u.name) + simNode("AccessKeyLastUsed", last), nil
		}
	}
	return "", simErr(403, "AccessDenied", "User: "+c.who.arn+" is not authorized to perform: iam:GetAccessKeyLastUsed on resource: user "+
		c.form.Get("AccessKeyId"))
}

func (s *simCloud) loginProfile(c *simCall) (string, *simError) {
	u, e := c.user()
	if e == nil && !u.login {
		e = simErr(404, "NoSuchEntity", "Login Profile for User "+u.name+" cannot be found.")
	}
	if e != nil {
		return "", e
	}
	return simNode("LoginProfile", simTag("UserName", u.name)+simTag("CreateDate", simStamp(u.created))+
		simTag("PasswordResetRequired", strconv.FormatBool(u.reset))), nil
}

func (s *simCloud) mfaDevices(c *simCall) (string, *simError) {
	u, e := c.user()
	if e != nil {
		return "", e
	}
	return simListed(c, "MFADevices", u.mfa, func(serial string) string {
		return simTag("UserName", u.name) + simTag("SerialNumber", serial) + simTag("EnableDate", simStamp(u.created))
	})
}

func (s *simCloud) specials(c *simCall) (string, *simError) {
	var all []string
	for _, u := range c.account.iam.users {
		if c.form.Get("AllUsers") != "true" && u.name != c.form.Get("UserName") {
			continue
		}
		for _, p := range u.special {
			all = append(all, simTag("UserName", u.name)+simTag("Status", p.status)+simTag("ServiceUserName", p.name)+
				simTag("CreateDate", simStamp(u.created))+simTag("ServiceSpecificCredentialId", p.id)+simTag("ServiceName", p.service))
		}
	}
	return simListed(c, "ServiceSpecificCredentials", all, func(v string) string { return v })
}

// simHolder is who holds policies: a user, a group or a role.
type simHolder struct {
	kind, name string
	inline     map[string]string
	attached   *[]string
	reserved   bool
}

// holder finds whom a request for policies is about, by the word in its name.
func (c *simCall) holder() (h simHolder, e *simError) {
	switch {
	case strings.Contains(c.op, "Role"):
		r, e := c.role()
		if e != nil {
			return h, e
		}
		return simHolder{"Role", r.name, r.inline, &r.attached, strings.HasPrefix(r.path, "/aws-reserved/")}, nil
	case strings.Contains(c.op, "Group"):
		name := c.form.Get("GroupName")
		for _, g := range c.account.iam.groups {
			if g.name == name {
				return simHolder{"Group", name, g.inline, &g.attached, false}, nil
			}
		}
		return h, simErr(404, "NoSuchEntity", "The group with name "+name+" cannot be found.")
	}
	u, e := c.user()
	if e != nil {
		return h, e
	}
	return simHolder{"User", u.name, u.inline, &u.attached, false}, nil
}

func (s *simCloud) policyOf(c *simCall) (string, *simError) {
	h, e := c.holder()
	if e != nil {
		return "", e
	}
	name := c.form.Get("PolicyName")
	document, ok := h.inline[name]
	if !ok {
		return "", simErr(404, "NoSuchEntity", "The policy with name "+name+" cannot be found.")
	}
	return simTag(h.kind+"Name", h.name) + simTag("PolicyName", name) + simTag("PolicyDocument", simEscape(document, false)), nil
}

func (s *simCloud) policyNames(c *simCall) (string, *simError) {
	h, e := c.holder()
	if e != nil {
		return "", e
	}
	return simListed(c, "PolicyNames", slices.Sorted(maps.Keys(h.inline)), simEscapeText)
}

func (s *simCloud) attachedPolicies(c *simCall) (string, *simError) {
	h, e := c.holder()
	if e != nil {
		return "", e
	}
	return simListed(c, "AttachedPolicies", *h.attached, simAttachedOne)
}
