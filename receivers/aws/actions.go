package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	suspension = "longshore-suspend"      // the policy of a user who may do nothing
	revocation = "AWSRevokeOlderSessions" // that of one whose sessions ended, as the console names it
	iamDocs    = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_"
)

// principal is a user or a role of IAM, or a user of IAM Identity Center (with an ID only).
type principal struct {
	Account, Name, Kind, ARN, ID string
}

// principalOf reads who a target is: by the ARN of a user, of a role or of a session of one; an id without ARN is one of
// Identity Center.
func (c *client) principalOf(id string) (p principal, err error) {
	if id == "" {
		return p, saas.Refuse("the target names no user")
	}
	if !strings.HasPrefix(id, "arn:") {
		if strings.ContainsAny(id, ": ") {
			return p, saas.Refuse("user %q: want the ARN of a user or a role, or an id of Identity Center", id)
		}
		return principal{ID: id}, nil
	}
	parts := strings.SplitN(id, ":", 6)
	if len(parts) < 6 {
		return p, saas.Refuse("user %q is no ARN", id)
	}
	kind, rest, _ := strings.Cut(parts[5], "/")
	if kind == "root" {
		return p, saas.Refuse("%q is the root user, whom only the closing of the account keeps out", id)
	}
	p = principal{Account: parts[4], Kind: kind, Name: rest[strings.LastIndexByte(rest, '/')+1:], ARN: id}
	if kind == "assumed-role" {
		p.Kind = "role"
		p.Name, _, _ = strings.Cut(rest, "/")
	}
	if p.Kind != "user" && p.Kind != "role" && p.Kind != "group" || p.Name == "" {
		return p, saas.Refuse("%q is the ARN of no user and of no role", id)
	}
	return p, nil
}

// iamUser is principalOf for what only users of IAM have.
func (c *client) iamUser(id string) (principal, error) {
	p, err := c.principalOf(id)
	if err == nil && p.Kind != "user" {
		err = saas.Refuse("%q is no user of IAM", id)
	}
	return p, err
}

// ask sends something to IAM in the account of p, whose name is the parameter of its kind.
func (c *client) ask(p principal, op string, in ...string) saas.Req {
	name := map[string]string{"user": "UserName", "role": "RoleName", "group": "GroupName"}[p.Kind]
	return c.query("iam", p.Account, op, append([]string{name, p.Name}, in...)...)
}

// policyOf is the document of an inline policy of p, "" = there is none.
func (c *client) policyOf(ctx context.Context, d saas.Doer, p principal, name string) (string, error) {
	kind := strings.ToUpper(p.Kind[:1]) + p.Kind[1:]
	rep, err := d.Do(ctx, c.ask(p, "Get"+kind+"Policy", "PolicyName", name))
	if saas.Is(err, saas.Missing) {
		return "", nil
	}
	var got struct{ PolicyDocument string }
	if err == nil {
		err = one(rep, "Get"+kind+"PolicyResult", &got)
	}
	return unescaped(got.PolicyDocument), err
}

// setPolicy gives p an inline policy, or takes it: "" = none.
func (c *client) setPolicy(p principal, name, doc string) saas.Req {
	kind := strings.ToUpper(p.Kind[:1]) + p.Kind[1:]
	if doc == "" {
		return c.ask(p, "Delete"+kind+"Policy", "PolicyName", name)
	}
	return c.ask(p, "Put"+kind+"Policy", "PolicyName", name, "PolicyDocument", doc)
}

// accessKey is one of a user.
type accessKey struct{ AccessKeyId, Status, UserName string }

func (c *client) keysOf(ctx context.Context, d saas.Doer, p principal) (keys []accessKey, err error) {
	err = c.eachXML(ctx, d, p.Account, "ListAccessKeys", "AccessKeyMetadata/member", func(row json.RawMessage) error {
		keys = append(keys, accessKey{saas.TextAt(row, "AccessKeyId"), saas.TextAt(row, "Status"), p.Name})
		return nil
	}, "UserName", p.Name)
	return keys, err
}

func (c *client) setKey(p principal, id, status string) saas.Req {
	return c.ask(p, "UpdateAccessKey", "AccessKeyId", id, "Status", status)
}

// suspended is what keeps a user out: everything is denied, and the policy remembers which keys were switched off.
func suspended(keys []string) string {
	deny := func(sid string) map[string]string {
		return map[string]string{"Sid": sid, "Effect": "Deny", "Action": "*", "Resource": "*"}
	}
	all := []map[string]string{deny("LongshoreSuspend")}
	for _, k := range keys {
		all = append(all, deny("Key"+k))
	}
	doc, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": all}) // of texts
	return string(doc)
}

// switchedOff are the keys that a policy of suspended remembers.
func switchedOff(doc string) (keys []string) {
	for _, s := range readPolicy(doc).Statement {
		if id, ok := strings.CutPrefix(s.Sid, "Key"); ok {
			keys = append(keys, id)
		}
	}
	return keys
}

// suspend is suspend_user and, for good, deactivate_user: which also takes the console's password away.
func (c *client) suspend(verb, final string) saas.Action {
	a := saas.Action{Verb: verb, Needs: ofUsers, Docs: iamDocs + "PutUserPolicy.html", Irreversible: final}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		p, err := c.principalOf(t.ID)
		if err == nil && p.ID != "" && final == "" {
			return c.planDirectory(ctx, conn, t, p)
		}
		if err == nil {
			p, err = c.iamUser(t.ID)
		}
		if err != nil {
			return nil, err
		}
		was, err := c.policyOf(ctx, conn, p, suspension)
		if err != nil {
			return nil, err
		}
		keys, err := c.keysOf(ctx, conn, p)
		if err != nil {
			return nil, err
		}
		plan := &saas.Plan{Verb: verb, Target: t}
		off := switchedOff(was)
		for _, k := range keys {
			if k.Status == "Active" {
				off = append(off, k.AccessKeyId)
				plan.Steps = append(plan.Steps, c.setKey(p, k.AccessKeyId, "Inactive"))
				plan.Back = append(plan.Back, c.setKey(p, k.AccessKeyId, "Active"))
			}
		}
		if password, err := c.hasPassword(ctx, conn, p); err != nil {
			return nil, err
		} else if password && final != "" {
			plan.Steps = append(plan.Steps, c.ask(p, "DeleteLoginProfile"))
		}
		if was != "" && len(plan.Steps) == 0 {
			return nil, saas.Settled("user %s is suspended", p.ARN)
		}
		plan.Before, err = json.Marshal(map[string]any{"keys": keys, "policy": was})
		plan.Steps = append([]saas.Req{c.setPolicy(p, suspension, suspended(off))}, plan.Steps...)
		plan.Back = append([]saas.Req{c.setPolicy(p, suspension, was)}, plan.Back...)
		return plan, err
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		return c.isOut(ctx, conn, p.Target.ID, final != "")
	})
}

// hasPassword says whether a user has one for the console.
func (c *client) hasPassword(ctx context.Context, conn *saas.Conn, p principal) (bool, error) {
	rep, err := conn.Do(ctx, c.ask(p, "GetLoginProfile"))
	if saas.Is(err, saas.Missing) {
		return false, nil
	}
	if err == nil {
		_, err = rep.Raw()
	}
	return err == nil, err
}

// isOut says whether a user can do nothing: is denied everything, has no key that works and, for good, no password.
func (c *client) isOut(ctx context.Context, conn *saas.Conn, id string, forGood bool) (bool, error) {
	who, err := c.principalOf(id)
	if err != nil {
		return false, err
	}
	if who.ID != "" {
		left, _, _, err := c.holdings(ctx, conn, who.ID)
		return len(left) == 0, err
	}
	doc, err := c.policyOf(ctx, conn, who, suspension)
	if err != nil || doc == "" {
		return false, err
	}
	keys, err := c.keysOf(ctx, conn, who)
	on := slices.ContainsFunc(keys, func(k accessKey) bool { return k.Status == "Active" })
	if err != nil || on || !forGood {
		return !on, err
	}
	on, err = c.hasPassword(ctx, conn, who)
	return !on, err
}

// restore is restore_user and reactivate_user: the policy goes, and the keys come back that went with it.
func (c *client) restore(verb string) saas.Action {
	a := saas.Action{Verb: verb, Needs: ofUsers, Docs: iamDocs + "DeleteUserPolicy.html"}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		p, err := c.iamUser(t.ID)
		if err != nil {
			return nil, err
		}
		was, err := c.policyOf(ctx, conn, p, suspension)
		if err != nil {
			return nil, err
		}
		if was == "" {
			return nil, saas.Settled("user %s is not suspended", p.ARN)
		}
		plan := &saas.Plan{Verb: verb, Target: t}
		plan.Before, err = json.Marshal(map[string]string{"policy": was})
		for _, id := range switchedOff(was) {
			plan.Steps = append(plan.Steps, c.setKey(p, id, "Active"))
			plan.Back = append(plan.Back, c.setKey(p, id, "Inactive"))
		}
		plan.Steps = append(plan.Steps, c.setPolicy(p, suspension, ""))
		plan.Back = append(plan.Back, c.setPolicy(p, suspension, was))
		return plan, err
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		who, err := c.iamUser(p.Target.ID)
		if err != nil {
			return false, err
		}
		doc, err := c.policyOf(ctx, conn, who, suspension)
		return doc == "", err
	})
}

// expire asks for another password at the next sign-in to the console.
func (c *client) expire() saas.Action {
	required := func(ctx context.Context, conn *saas.Conn, p principal) (string, error) {
		var got struct{ PasswordResetRequired string }
		rep, err := conn.Do(ctx, c.ask(p, "GetLoginProfile"))
		if err == nil {
			err = one(rep, "GetLoginProfileResult/LoginProfile", &got)
		}
		return got.PasswordResetRequired, err
	}
	a := saas.Action{Verb: action.ExpirePassword, Needs: ofUsers, Docs: iamDocs + "UpdateLoginProfile.html"}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		p, err := c.iamUser(t.ID)
		if err != nil {
			return nil, err
		}
		was, err := required(ctx, conn, p)
		switch {
		case saas.Is(err, saas.Missing):
			return nil, saas.Refuse("user %s has no password for the console", p.ARN)
		case err != nil:
			return nil, err
		case was == "true":
			return nil, saas.Settled("user %s has to change the password", p.ARN)
		}
		set := func(to string) []saas.Req {
			return []saas.Req{c.ask(p, "UpdateLoginProfile", "PasswordResetRequired", to)}
		}
		return &saas.Plan{Verb: a.Verb, Target: t, Before: json.RawMessage(`{"password_reset_required":false}`), Steps: set("true"),
			Back: set("false")}, nil
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		who, err := c.iamUser(p.Target.ID)
		if err != nil {
			return false, err
		}
		is, err := required(ctx, conn, who)
		return is == "true", err
	})
}

// revoked denies what was signed in to before a moment.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
func revoked(before time.Time) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"],`+
		`"Condition":{"DateLessThan":{"aws:TokenIssueTime":"%s"}}}]}`, before.UTC().Format("2006-01-02T15:04:05.000Z"))
}

// sessions ends the sessions of a user or of a role: all of the role, whoever assumed it.
func (c *client) sessions() saas.Action {
	a := saas.Action{Verb: action.RevokeSessions, Needs: ofUsers, Docs: iamDocs + "PutRolePolicy.html"}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		p, err := c.principalOf(t.ID)
		if err == nil && p.ID != "" {
			err = saas.Refuse("user %s is one of Identity Center, which ends no session: name the role that was assumed", p.ID)
		}
		if err != nil {
			return nil, err
		}
		was, err := c.policyOf(ctx, conn, p, revocation)
		if err != nil {
			return nil, err
		}
		before, err := json.Marshal(map[string]string{"policy": was})
		return &saas.Plan{Verb: a.Verb, Target: t, Before: before, Steps: []saas.Req{c.setPolicy(p, revocation, revoked(c.now()))},
			Back: []saas.Req{c.setPolicy(p, revocation, was)}}, err
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		who, err := c.principalOf(p.Target.ID)
		if err != nil {
			return false, err
		}
		doc, err := c.policyOf(ctx, conn, who, revocation)
		return doc != "" && doc == form(p.Steps[0], "PolicyDocument"), err
	})
}

// factors takes a user's second factors away.
func (c *client) factors() saas.Action {
	list := func(ctx context.Context, conn *saas.Conn, p principal) (serials []string, err error) {
		err = c.eachXML(ctx, conn, p.Account, "ListMFADevices", "MFADevices/member", func(row json.RawMessage) error {
			serials = append(serials, saas.TextAt(row, "SerialNumber"))
			return nil
		}, "UserName", p.Name)
		return serials, err
	}
	a := saas.Action{Verb: action.ResetFactors, Needs: ofUsers, Docs: iamDocs + "DeactivateMFADevice.html",
		Irreversible: "a factor is a secret of the user, who enrols another"}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		p, err := c.iamUser(t.ID)
		if err != nil {
			return nil, err
		}
		serials, err := list(ctx, conn, p)
		if err != nil {
			return nil, err
		}
		if len(serials) == 0 {
			return nil, saas.Settled("user %s has no second factor", p.ARN)
		}
		plan := &saas.Plan{Verb: a.Verb, Target: t}
		for _, s := range serials {
			plan.Steps = append(plan.Steps, c.ask(p, "DeactivateMFADevice", "SerialNumber", s))
		}
		plan.Before, err = json.Marshal(map[string]any{"devices": serials})
		return plan, err
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		who, err := c.iamUser(p.Target.ID)
		if err != nil {
			return false, err
		}
		serials, err := list(ctx, conn, who)
		return len(serials) == 0, err
	})
}
