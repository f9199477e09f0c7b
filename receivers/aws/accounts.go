package aws

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// accounts lists the accounts of the organization or, where there is none to list, the credential's own; each with the Regions
// that it has enabled. https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
func (c *client) accounts(ctx context.Context, r *saas.Run) error {
	who, err := c.identity(ctx, r)
	if err != nil {
		return err
	}
	rows, err := c.members(ctx, r, who)
	if err != nil {
		return err
	}
	for _, row := range rows {
		id := saas.TextAt(row, "Id")
		var regions json.RawMessage
		if id == who.Account || c.MemberRole != "" && active(row) {
			list, err := c.regionsOf(ctx, r, id)
			if err != nil {
				return err
			}
			regions, _ = json.Marshal(list)
		}
		if err := r.Emit("", saas.Join("Account Regions", row, regions)); err != nil {
			return err
		}
	}
	r.Done()
	return r.Commit(nil)
}

func active(account json.RawMessage) bool {
	return slices.Contains([]string{"", "ACTIVE"}, saas.TextAt(account, "State")) &&
		slices.Contains([]string{"", "ACTIVE"}, saas.TextAt(account, "Status"))
}

// members are the accounts to be read, and are remembered as one's own.
func (c *client) members(ctx context.Context, d saas.Doer, who identity) ([]json.RawMessage, error) {
	rows, err := gather(func(f func(json.RawMessage) error) error {
		return c.each(ctx, d, "organizations", "", "", "ListAccounts", params{"MaxResults": 20}, "Accounts", f)
	})
	if saas.Is(err, saas.Denied) { // there is no organization, or it is not this account's to list
		rows = []json.RawMessage{saas.Join("Id Arn", saas.Quote(who.Account), saas.Quote("arn:"+c.name+":iam::"+who.Account+":root"))}
	} else if err != nil {
		return nil, err
	}
	own := map[string]bool{who.Account: true}
	for _, row := range rows {
		own[saas.TextAt(row, "Id")] = true
	}
	for _, id := range c.Accounts {
		if !own[id] {
			rows = append(rows, saas.Join("Id", saas.Quote(id)))
		}
		own[id] = true
	}
	c.mu.Lock()
	c.own = own
	c.mu.Unlock()
	if len(c.Accounts) > 0 {
		rows = slices.DeleteFunc(rows, func(row json.RawMessage) bool { return !slices.Contains(c.Accounts, saas.TextAt(row, "Id")) })
	}
	return rows, nil
}

// ours says which accounts are one's own.
func (c *client) ours(ctx context.Context, d saas.Doer) (map[string]bool, error) {
	c.mu.Lock()
	own := c.own
	c.mu.Unlock()
	if own != nil {
		return own, nil
	}
	who, err := c.identity(ctx, d)
	if err == nil {
		_, err = c.members(ctx, d, who)
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.own, nil
}

// regionsOf are the Regions of an account. Where it may not be asked for them, they are the configured one and that of global services.
// https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html
func (c *client) regionsOf(ctx context.Context, d saas.Doer, account string) (list []string, err error) {
	if len(c.Regions) > 0 {
		return c.Regions, nil
	}
	err = c.each(ctx, d, "account", "", account, "listRegions",
		params{"MaxResults": 50, "RegionOptStatusContains": []string{"ENABLED", "ENABLED_BY_DEFAULT"}}, "Regions",
		func(row json.RawMessage) error { list = append(list, saas.TextAt(row, "RegionName")); return nil })
	switch {
	case err == nil && len(list) > 0:
		return list, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case saas.Is(err, saas.Unavailable), saas.Is(err, saas.Throttled):
		return nil, err
	}
	list = []string{c.region, c.global}
	return slices.Compact(list), nil
}

// ofAccount: what every account that can be read has.
func (c *client) ofAccount(v *event.Values) (items []saas.Item) {
	if !v.Has(aRegions) {
		return nil
	}
	id := strings.Clone(v.Str(aID))
	for _, stream := range [...]string{"iam", "external_access", "buckets"} {
		items = append(items, saas.Item{Stream: stream, Key: id})
	}
	for region := range event.Elems(v.Bytes(aRegions)) {
		items = append(items, saas.Item{Stream: "trails", Key: id + "/" + saas.Text(region)},
			saas.Item{Stream: "lookup", Key: id + "/" + saas.Text(region)})
	}
	return items
}

// iam reads the users, groups, roles and policies of an account, and who holds which policy.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
func (c *client) iam(ctx context.Context, r *saas.Run) error {
	account := r.Item().Key
	report, err := c.report(ctx, r, account)
	if err != nil && !saas.Is(err, saas.Denied) { // without it users are seen all the same
		return err
	}
	id := saas.Quote(account)
	if root := report["arn:"+c.name+":iam::"+account+":root"]; root != nil {
		if err := r.Emit("", saas.Join("Account Report", id, root)); err != nil {
			return err
		}
	}
	filter := []string{"MaxItems", "1000"}
	for i, kind := range [...]string{"User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"} {
		filter = append(filter, "Filter.member."+string(rune('1'+i)), kind)
	}
	err = c.eachXML(ctx, r, account, "GetAccountAuthorizationDetails", "member", func(row json.RawMessage) error {
		kind := ""
		for _, k := range [...]string{"User", "Group", "Role", "Policy"} {
			if len(saas.Member(row, k+"Id")) > 0 {
				kind = k
			}
		}
		if kind == "User" {
			return c.emitHolder(r, kind, saas.Join("Account User Report", id, row, report[saas.TextAt(row, "Arn")]), row)
		}
		return c.emitHolder(r, kind, saas.Join("Account "+kind, id, row), row)
	}, filter...)
	return r.Whole(err)
}

// emitHolder emits an entity of IAM and the policies that it holds.
func (c *client) emitHolder(r *saas.Run, kind string, whole, row json.RawMessage) error {
	if err := r.Emit("", whole); err != nil || kind == "Policy" {
		return err
	}
	arn := saas.TextAt(row, "Arn")
	holder := saas.Join("Type Arn Name", saas.Quote(strings.ToLower(kind)), saas.Quote(arn), saas.Member(row, kind+"Name"))
	for _, list := range [...]string{"AttachedManagedPolicies", kind + "PolicyList"} {
		for _, policy := range members(saas.Member(row, list), "member") {
			name := saas.TextAt(policy, "PolicyArn")
			if name == "" {
				name = saas.TextAt(policy, "PolicyName")
			}
			if err := r.Emit(arn+"#"+name, saas.Join("Account Holder Grant", saas.Quote(r.Item().Key), holder, policy)); err != nil {
				return err
			}
		}
	}
	return nil
}

// report is the credential report of an account, by ARN: it is made when there is none, at most every four hours.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetCredentialReport.html
func (c *client) report(ctx context.Context, r *saas.Run, account string) (map[string]json.RawMessage, error) {
	get := func() (*saas.Reply, error) { return r.Do(ctx, c.query("iam", account, "GetCredentialReport")) }
	rep, err := get()
	if saas.Is(err, saas.Missing) {
		if rep, err = r.Do(ctx, c.query("iam", account, "GenerateCredentialReport")); err == nil {
			_, err = rep.Raw()
		}
		if err == nil {
			rep, err = get() // which is asked for until it is made
		}
	}
	if err != nil {
		return nil, err
	}
	var got struct{ Content []byte }
	if err := one(rep, "GetCredentialReportResult", &got); err != nil {
		return nil, err
	}
	return readReport(got.Content)
}

// readReport makes an object of each line of a report, by its ARN.
func readReport(text []byte) (map[string]json.RawMessage, error) {
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(lines) == 0 {
		return nil, &saas.Error{Outcome: saas.Unavailable, Req: "GetCredentialReport", Msg: "the report cannot be read", Err: err}
	}
	out := map[string]json.RawMessage{}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			if i < len(line) {
				row[name] = line[i]
			}
		}
		out[row["arn"]], _ = json.Marshal(row) // texts have a JSON form
	}
	return out, nil
}

// credentials lists the keys of a user and the passwords that single services took from it.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html
func (c *client) credentials(ctx context.Context, r *saas.Run) error {
	account, name, _ := strings.Cut(r.Item().Key, "/")
	arn := saas.Text(r.Item().Data)
	head := func(kind string, row, used json.RawMessage) json.RawMessage {
		return saas.Join("Account Arn "+kind+" LastUsed", saas.Quote(account), saas.Quote(arn), row, used)
	}
	keys, err := gather(func(f func(json.RawMessage) error) error {
		return c.eachXML(ctx, r, account, "ListAccessKeys", "AccessKeyMetadata/member", f, "UserName", name)
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		rep, err := r.Do(ctx, c.query("iam", account, "GetAccessKeyLastUsed", "AccessKeyId", saas.TextAt(key, "AccessKeyId")))
		var used json.RawMessage
		if err == nil {
			used, err = fragment(rep, "AccessKeyLastUsed")
		}
		if err != nil && !saas.Is(err, saas.Missing) && !saas.Is(err, saas.Denied) {
			return err
		}
		if err := r.Emit("", head("AccessKey", key, used)); err != nil {
			return err
		}
	}
	rep, err := r.Do(ctx, c.query("iam", account, "ListServiceSpecificCredentials", "UserName", name))
	if err != nil {
		return err
	}
	for row, err := range rep.XML("ServiceSpecificCredentials/member") {
		if err == nil {
			err = r.Emit("", head("ServiceCredential", row, nil))
		}
		if err != nil {
			return err
		}
	}
	r.Done()
	return r.Commit(nil)
}

// external reads through what others reach an account: providers of identities, and roles that trust somebody outside.
func (c *client) external(ctx context.Context, r *saas.Run) error {
	account := r.Item().Key
	own, err := c.ours(ctx, r)
	if err != nil {
		return err
	}
	id := saas.Quote(account)
	for kind, list := range map[string][2]string{"SAMLProvider": {"ListSAMLProviders", "SAMLProviderList/member"},
		"OIDCProvider": {"ListOpenIDConnectProviders", "OpenIDConnectProviderList/member"}} {
		err := c.eachXML(ctx, r, account, list[0], list[1], func(row json.RawMessage) error {
			return r.Emit("", saas.Join("Account "+kind, id, row))
		})
		if err != nil {
			return err
		}
	}
	err = c.eachXML(ctx, r, account, "ListRoles", "Roles/member", func(row json.RawMessage) error {
		var out []json.RawMessage
		for _, p := range readPolicy(saas.TextAt(row, "AssumeRolePolicyDocument")).allowed() {
			if outsider(p, own) {
				out = append(out, saas.Quote(p))
			}
		}
		if len(out) == 0 {
			return nil
		}
		return r.Emit("", saas.Join("Account Role Outsiders", id, row, saas.Array(out)))
	}, "MaxItems", "1000")
	return r.Whole(err)
}
