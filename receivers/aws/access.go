package aws

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

// grant takes from others their way in: a role's trust, a provider of identities, an application of Identity Center.
func (c *client) grant() saas.Action {
	a := saas.Action{Verb: action.RevokeGrant, Needs: ofDirectory, Docs: iamDocs + "UpdateAssumeRolePolicy.html"}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		id, account := t.ID, accountOf(t.ID)
		if id == "" {
			id, account = t.Params["client.id"], accountOf(t.Params["client.id"])
		}
		switch {
		case strings.Contains(id, ":application/"):
			app := func(status string) saas.Req {
				return c.sso("UpdateApplication", params{"ApplicationArn": id, "Status": status})
			}
			return pair(a.Verb, t, map[string]string{"status": "ENABLED"}, app("DISABLED"), app("ENABLED"))
		case strings.Contains(id, ":saml-provider/"):
			rep, err := conn.Do(ctx, c.query("iam", account, "GetSAMLProvider", "SAMLProviderArn", id))
			var got struct{ SAMLMetadataDocument string }
			if err == nil {
				err = one(rep, "GetSAMLProviderResult", &got)
			}
			if err != nil {
				return nil, err
			}
			return pair(a.Verb, t, got, c.query("iam", account, "DeleteSAMLProvider", "SAMLProviderArn", id),
				c.query("iam", account, "CreateSAMLProvider", "Name", id[strings.LastIndexByte(id, '/')+1:], "SAMLMetadataDocument",
					got.SAMLMetadataDocument))
		case strings.Contains(id, ":oidc-provider/"):
			return c.planOIDC(ctx, conn, t, id, account)
		case strings.Contains(id, ":role/"):
			return c.planTrust(ctx, conn, t, id)
		}
		return nil, saas.Refuse("%q is no role, no provider of identities and no application of Identity Center", id)
	}
	return a
}

func (c *client) planOIDC(ctx context.Context, conn *saas.Conn, t saas.Target, id, account string) (*saas.Plan, error) {
	rep, err := conn.Do(ctx, c.query("iam", account, "GetOpenIDConnectProvider", "OpenIDConnectProviderArn", id))
	var was json.RawMessage
	if err == nil {
		was, err = fragment(rep, "GetOpenIDConnectProviderResult")
	}
	if err != nil {
		return nil, err
	}
	in := []string{"Url", "https://" + strings.TrimPrefix(saas.TextAt(was, "Url"), "https://")}
	for _, list := range [...]string{"ClientIDList", "ThumbprintList"} {
		for i, m := range members(saas.Member(was, list), "member") {
			in = append(in, list+".member."+string(rune('1'+i)), saas.Text(m))
		}
	}
	return pair(action.RevokeGrant, t, was, c.query("iam", account, "DeleteOpenIDConnectProvider", "OpenIDConnectProviderArn", id),
		c.query("iam", account, "CreateOpenIDConnectProvider", in...))
}

// planTrust takes those outside out of the trust of a role, and ends the sessions that they have.
func (c *client) planTrust(ctx context.Context, conn *saas.Conn, t saas.Target, id string) (*saas.Plan, error) {
	p, err := c.principalOf(id)
	if err != nil {
		return nil, err
	}
	own, err := c.ours(ctx, conn)
	if err != nil {
		return nil, err
	}
	var got struct{ AssumeRolePolicyDocument string }
	rep, err := conn.Do(ctx, c.ask(p, "GetRole"))
	if err == nil {
		err = one(rep, "GetRoleResult/Role", &got)
	}
	if err != nil {
		return nil, err
	}
	was := unescaped(got.AssumeRolePolicyDocument)
	now, cut := withoutPrincipals([]byte(was), func(p string) bool { return outsider(p, own) })
	if !cut {
		return nil, saas.Settled("role %s trusts nobody outside", id)
	}
	if now == nil { // a role trusts somebody, or is told to trust nobody
		now = []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`)
	}
	old, err := c.policyOf(ctx, conn, p, revocation)
	if err != nil {
		return nil, err
	}
	plan := &saas.Plan{Verb: action.RevokeGrant, Target: t,
		Steps: []saas.Req{c.ask(p, "UpdateAssumeRolePolicy", "PolicyDocument", string(now)), c.setPolicy(p, revocation, revoked(c.now()))},
		Back:  []saas.Req{c.ask(p, "UpdateAssumeRolePolicy", "PolicyDocument", was), c.setPolicy(p, revocation, old)}}
	plan.Before, err = json.Marshal(map[string]string{"trust": was})
	return plan, err
}
