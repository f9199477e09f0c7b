package aws

import (
	"encoding/json"
	"slices"
	"strings"
)

var simIAMWrites = map[string]func(*simCloud, *simCall) *simError{
	"UpdateAccessKey": (*simCloud).updateKey, "DeleteAccessKey": (*simCloud).deleteKey, "UpdateLoginProfile": (*simCloud).updateLogin,
	"DeleteLoginProfile": (*simCloud).deleteLogin, "AddUserToGroup": (*simCloud).joinGroup, "RemoveUserFromGroup": (*simCloud).leaveGroup,
	"PutUserPolicy": (*simCloud).putPolicyOf, "PutRolePolicy": (*simCloud).putPolicyOf, "PutGroupPolicy": (*simCloud).putPolicyOf,
	"DeleteUserPolicy": (*simCloud).deletePolicyOf, "DeleteRolePolicy": (*simCloud).deletePolicyOf,
	"DeleteGroupPolicy": (*simCloud).deletePolicyOf, "AttachUserPolicy": (*simCloud).attachPolicy,
	"AttachRolePolicy":  (*simCloud).attachPolicy,
	"AttachGroupPolicy": (*simCloud).attachPolicy, "DetachUserPolicy": (*simCloud).detachPolicy,
	"DetachRolePolicy":  (*simCloud).detachPolicy,
	"DetachGroupPolicy": (*simCloud).detachPolicy, "DeactivateMFADevice": (*simCloud).deactivateMFA,
	"UpdateServiceSpecificCredential": (*simCloud).updateSpecial, "DeleteServiceSpecificCredential": (*simCloud).deleteSpecial,
	"UpdateAssumeRolePolicy": (*simCloud).updateTrust, "DeleteSAMLProvider": (*simCloud).deleteSAML,
	"DeleteOpenIDConnectProvider": (*simCloud).deleteOIDC,
}

// eachKey calls do for the key of the user that a request names.
func (c *simCall) eachKey(do func(u *simUser, i int) *simError) *simError {
	u, e := c.user()
	if e != nil {
		return e
	}
	id := c.form.Get("AccessKeyId")
	if i := slices.IndexFunc(u.keys, func(k *simKey) bool { return k.id == id }); i >= 0 {
		return do(u, i)
	}
	return simErr(404, "NoSuchEntity", "The Access Key with id "+id+" cannot be found.")
}

func (s *simCloud) updateKey(c *simCall) *simError {
	status := c.form.Get("Status")
	if status != "Active" && status != "Inactive" {
		return simErr(400, "ValidationError",
			"1 validation error detected: Value '"+status+"' at 'status' failed to satisfy constraint: Member must "+
				"satisfy enum value set: [Active, Inactive]")
	}
	return c.eachKey(func(u *simUser, i int) *simError { u.keys[i].status = status; return nil })
}

func (s *simCloud) deleteKey(c *simCall) *simError {
	return c.eachKey(func(u *simUser, i int) *simError { u.keys = slices.Delete(u.keys, i, i+1); return nil })
}

// console finds the user whose password is meant.
func (c *simCall) console() (*simUser, *simError) {
	u, e := c.user()
	if e == nil && !u.login {
		e = simErr(404, "NoSuchEntity", "Login Profile for User "+u.name+" cannot be found.")
	}
	return u, e
}

func (s *simCloud) updateLogin(c *simCall) *simError {
	u, e := c.console()
	if e == nil && c.form.Has("PasswordResetRequired") {
		u.reset = c.form.Get("PasswordResetRequired") == "true"
	}
	return e
}

func (s *simCloud) deleteLogin(c *simCall) *simError {
	u, e := c.console()
	if e == nil {
		u.login, u.reset = false, false
	}
	return e
}

// document is the policy of a request.
func (c *simCall) document() (name, text string, e *simError) {
	name, text = c.form.Get("PolicyName"), c.form.Get("PolicyDocument")
	var doc struct{ Version, Statement any }
	if json.Unmarshal([]byte(text), &doc) != nil || doc.Statement == nil {
		return "", "", simErr(400, "MalformedPolicyDocument", "Syntax errors in policy.")
	}
	if name == "" || strings.ContainsAny(name, " /:\"") {
		return "", "", simErr(400, "ValidationError",
			"The specified value for policyName is invalid. It must contain only alphanumeric characters "+
				"and/or the following: +=,.@_-")
	}
	return name, text, nil
}

// changing finds whose policies a request changes. Those that AWS made are its own.
func (c *simCall) changing() (simHolder, *simError) {
	h, e := c.holder()
	if e == nil && h.reserved {
		e = simErr(400, "UnmodifiableEntity", "Cannot perform the operation on the protected role '"+h.name+
			"' - this role is only modifiable by AWS")
	}
	return h, e
}

func (s *simCloud) putPolicyOf(c *simCall) *simError {
	h, e := c.changing()
	if e != nil {
		return e
	}
	name, text, e := c.document()
	if e == nil {
		h.inline[name] = text
	}
	return e
}

func (s *simCloud) deletePolicyOf(c *simCall) *simError {
	h, e := c.changing()
	if e != nil {
		return e
	}
	name := c.form.Get("PolicyName")
	if _, ok := h.inline[name]; !ok {
		return simErr(404, "NoSuchEntity", "The policy with name "+name+" cannot be found.")
	}
	delete(h.inline, name)
	return nil
}

func (s *simCloud) attachPolicy(c *simCall) *simError {
	h, e := c.changing()
	arn := c.form.Get("PolicyArn")
	switch {
	case e != nil:
		return e
	case !slices.ContainsFunc(c.account.iam.policies, func(p *simPolicy) bool { return p.arn == arn }):
		return simErr(404, "NoSuchEntity", "Policy "+arn+" does not exist or is not attachable.")
	case !slices.Contains(*h.attached, arn):
		*h.attached = append(*h.attached, arn)
	}
	return nil
}

func (s *simCloud) detachPolicy(c *simCall) *simError {
	h, e := c.changing()
	if e != nil {
		return e
	}
	return simTake(h.attached, c.form.Get("PolicyArn"), "Policy "+c.form.Get("PolicyArn")+" was not found.")
}

// simTake takes a name out of a list.
func simTake(list *[]string, name, why string) *simError {
	i := slices.Index(*list, name)
	if i < 0 {
		return simErr(404, "NoSuchEntity", why)
	}
	*list = slices.Delete(*list, i, i+1)
	return nil
}

// membership finds the user and group that a request names.
func (c *simCall) membership() (*simUser, string, *simError) {
	u, e := c.user()
	name := c.form.Get("GroupName")
	if e == nil && !slices.ContainsFunc(c.account.iam.groups, func(g *simGroup) bool { return g.name == name }) {
		e = simErr(404, "NoSuchEntity", "The group with name "+name+" cannot be found.")
	}
	return u, name, e
}

func (s *simCloud) joinGroup(c *simCall) *simError {
	u, name, e := c.membership()
	if e == nil && !slices.Contains(u.groups, name) {
		u.groups = append(u.groups, name)
	}
	return e
}

func (s *simCloud) leaveGroup(c *simCall) *simError {
	u, name, e := c.membership()
	if e != nil {
		return e
	}
	return simTake(&u.groups, name, "The user with name "+u.name+" is not in the group "+name+".")
}

func (s *simCloud) deactivateMFA(c *simCall) *simError {
	u, e := c.user()
	if e != nil {
		return e
	}
	return simTake(&u.mfa, c.form.Get("SerialNumber"), "MFA Device "+c.form.Get("SerialNumber")+" is not assigned to user "+u.name+".")
}

// special finds the credential for one service that a request names.
func (c *simCall) special(do func(u *simUser, i int)) *simError {
	u, e := c.user()
	if e != nil {
		return e
	}
	id := c.form.Get("ServiceSpecificCredentialId")
	i := slices.IndexFunc(u.special, func(p *simSpecial) bool { return p.id == id })
	if i < 0 {
		return simErr(404, "NoSuchEntity", "No such credential "+id+" exists")
	}
	do(u, i)
	return nil
}

func (s *simCloud) updateSpecial(c *simCall) *simError {
	return c.special(func(u *simUser, i int) { u.special[i].status = c.form.Get("Status") })
}

func (s *simCloud) deleteSpecial(c *simCall) *simError {
	return c.special(func(u *simUser, i int) { u.special = slices.Delete(u.special, i, i+1) })
}

func (s *simCloud) updateTrust(c *simCall) *simError {
	r, e := c.role()
	if e != nil {
		return e
	}
	if !json.Valid([]byte(c.form.Get("PolicyDocument"))) {
		return simErr(400, "MalformedPolicyDocument", "Syntax errors in policy.")
	}
	r.trust = c.form.Get("PolicyDocument")
	return nil
}

func (s *simCloud) deleteSAML(c *simCall) *simError {
	return simDrop(&c.account.iam.saml, c.form.Get("SAMLProviderArn"))
}

func (s *simCloud) deleteOIDC(c *simCall) *simError {
	return simDrop(&c.account.iam.oidc, c.form.Get("OpenIDConnectProviderArn"))
}

func simDrop(list *[]simFederation, arn string) *simError {
	i := slices.IndexFunc(*list, func(f simFederation) bool { return f.arn == arn })
	if i < 0 {
		return simErr(404, "NoSuchEntity", "Manifest not found for arn "+arn)
	}
	*list = slices.Delete(*list, i, i+1)
	return nil
}
