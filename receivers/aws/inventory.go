package aws

import (
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Slots of the tables of accounts and of IAM.
const (
	aID = iota
	aRegions
	aState
	aStatus
)

const (
	iAccount = iota
	iUser
	iGroup
	iRole
	iPolicy
	iHolder
	iGrant
	iReport
	iUserName
	iRoleName
	iGroupName
	iPolicyName
	iReportARN
	iHolderType
	iHolderName
	iGrantARN
	iGrantName
	iMFA
	iPassword
	iKey1
	iKey2
)

var (
	accountFields = event.Table{aID: {"Account.Id", "cloud.account.id"}, aRegions: {"Regions", ""}, aState: {"Account.State", ""},
		aStatus: {"Account.Status", ""}, {"Account.Name", "entity.name cloud.account.name"}, {"Account.Email", "saas.entity.owners"},
		{"Account.JoinedTimestamp", "entity.lifecycle.created"}, {"Account.JoinedMethod", "entity.source"}}
	iamFields = event.Table{iAccount: {"Account", "cloud.account.id"}, iUser: {"User.Arn", ""}, iGroup: {"Group.Arn", ""},
		iRole: {"Role.Arn", ""}, iPolicy: {"Policy.Arn", ""}, iHolder: {"Holder.Arn", ""}, iGrant: {"Grant", ""}, iReport: {"Report", ""},
		iUserName: {"User.UserName", ""}, iRoleName: {"Role.RoleName", ""}, iGroupName: {"Group.GroupName", ""},
		iPolicyName: {"Policy.PolicyName", ""}, iReportARN: {"Report.arn", ""}, iHolderType: {"Holder.Type", ""},
		iHolderName: {"Holder.Name", ""}, iGrantARN: {"Grant.PolicyArn", ""}, iGrantName: {"Grant.PolicyName", ""},
		iMFA: {"Report.mfa_active", ""}, iPassword: {"Report.password_enabled", ""}, iKey1: {"Report.access_key_1_active", ""},
		iKey2: {"Report.access_key_2_active", ""},
		{"User.CreateDate", "entity.lifecycle.created"}, {"Group.CreateDate", "entity.lifecycle.created"},
		{"Role.CreateDate", "entity.lifecycle.created"}, {"Policy.CreateDate", "entity.lifecycle.created"},
		{"Policy.UpdateDate", "entity.lifecycle.changed"}, {"Role.RoleLastUsed.LastUsedDate", "entity.lifecycle.last_activity"}}
)

// iamKey: an entity by its ARN, what it holds by both.
func iamKey(v *event.Values) string {
	if v.Has(iHolder) {
		return v.Str(iHolder) + "#" + firstOf(v, iGrantARN, iGrantName)
	}
	if v.Has(iPolicy) {
		return policyID(v.Str(iAccount), v.Str(iPolicy))
	}
	return firstOf(v, iUser, iGroup, iRole, iReportARN)
}

// policyID is the id of a policy in an account: one that AWS manages has the same ARN in all of them.
func policyID(account, arn string) string {
	if strings.Contains(arn, ":"+account+":") {
		return arn
	}
	return account + "/" + arn
}

func mapAccount(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "account", v.Str(aID), "configuration", "info")
	r.Str("cloud.provider", "aws")
	r.Str("saas.entity.status", strings.ToLower(firstOf(v, aState, aStatus)))
	for region := range event.Elems(v.Bytes(aRegions)) {
		r.Relate("part_of", "region", saas.Text(region))
	}
	return nil
}

// privileged are the managed policies that let their holder do everything, or give it to himself.
var privileged = map[string]bool{"AdministratorAccess": true, "IAMFullAccess": true, "PowerUserAccess": true,
	"AWSOrganizationsFullAccess": true, "AWSSSOMasterAccountAdministrator": true}

// mapIAM maps a user, a group, a role, a policy, or that one of these holds a policy.
func mapIAM(v *event.Values, add func() *event.Record) error {
	switch {
	case v.Has(iHolder):
		return mapHolding(v, add)
	case v.Has(iUser), v.Has(iReportARN) && !v.Has(iRole):
		mapUser(v, add)
	case v.Has(iGroup):
		r := saas.NewEntity(add, "group", v.Str(iGroup), "iam", "group", "info")
		names(r, "group", v.Str(iGroup), v.Str(iGroupName))
	case v.Has(iRole):
		r := saas.NewEntity(add, "role", v.Str(iRole), "iam", "admin", "info")
		names(r, "saas.role", v.Str(iRole), v.Str(iRoleName))
		for _, p := range readPolicy(saas.TextAt(v.Raw, "Role", "AssumeRolePolicyDocument")).allowed() {
			kind, name, _ := strings.Cut(p, " ")
			r.Relate("granted_to", strings.ToLower(kind), name)
		}
	default:
		r := saas.NewEntity(add, "policy", policyID(v.Str(iAccount), v.Str(iPolicy)), "iam", "admin", "info")
		names(r, "saas.role", v.Str(iPolicy), v.Str(iPolicyName))
		for _, version := range members(saas.Member(v.Raw, "Policy", "PolicyVersionList"), "member") {
			if saas.TextAt(version, "IsDefaultVersion") == "true" {
				all := readPolicy(saas.TextAt(version, "Document")).everything()
				r.Bool("saas.role.privileged", all || privileged[v.Str(iPolicyName)])
			}
		}
	}
	return nil
}

func names(r *event.Record, at, id, name string) {
	r.Str(at+".id", id)
	r.Str(at+".name", name)
	r.Str("entity.name", name)
	r.Str("cloud.provider", "aws")
}

// mapUser maps a user and what the credential report says of it; the root user is in the report alone.
func mapUser(v *event.Values, add func() *event.Record) {
	arn, name := firstOf(v, iUser, iReportARN), v.Str(iUserName)
	if name == "" {
		name = "root"
	}
	r := saas.NewEntity(add, "user", arn, "iam", "user", "info")
	names(r, "user", arn, name)
	r.Bool("saas.entity.is_admin", name == "root")
	status := "active"
	for _, g := range members(saas.Member(v.Raw, "User", "GroupList"), "member") {
		r.Relate("member_of", "group", arn[:strings.LastIndexByte(arn, ':')+1]+"group/"+saas.Text(g))
	}
	for _, p := range members(saas.Member(v.Raw, "User", "UserPolicyList"), "member") {
		if saas.TextAt(p, "PolicyName") == suspension {
			status = "suspended"
		}
	}
	r.Str("saas.entity.status", status)
	if !v.Has(iReport) {
		return
	}
	if mfa, ok := v.Bool(iMFA); ok {
		r.Bool("saas.entity.mfa_enrolled", mfa)
	}
	for field, column := range map[string]string{"saas.entity.last_login": "password_last_used",
		"saas.entity.password_changed": "password_last_changed", "entity.lifecycle.created": "user_creation_time"} {
		if at, ok := event.ParseTime(saas.TextAt(v.Raw, "Report", column)); ok {
			r.Date(field, at)
		}
	}
	var last string
	for _, column := range [...]string{"password_last_used", "access_key_1_last_used_date", "access_key_2_last_used_date"} {
		if at := saas.TextAt(v.Raw, "Report", column); at > last && at[0] >= '0' && at[0] <= '9' {
			last = at
		}
	}
	if at, ok := event.ParseTime(last); ok {
		r.Date("entity.lifecycle.last_activity", at)
	}
}

// mapHolding maps that a user, a group or a role holds a policy.
func mapHolding(v *event.Values, add func() *event.Record) error {
	kind, arn, name := v.Str(iHolderType), v.Str(iHolder), v.Str(iGrantName)
	id := firstOf(v, iGrantARN, iGrantName)
	r := saas.NewEntity(add, "role_assignment", arn+"#"+id, "iam", "admin", "info")
	r.Str("saas.role.id", id)
	r.Str("saas.role.name", name)
	r.Str("entity.name", name)
	all := privileged[name]
	if doc := saas.TextAt(v.Bytes(iGrant), "PolicyDocument"); doc != "" {
		r.Str("entity.sub_type", "inline")
		all = readPolicy(doc).everything()
	}
	r.Bool("saas.role.privileged", all)
	r.Str("saas.role.scope", v.Str(iAccount))
	switch kind {
	case "user", "group":
		r.Str(kind+".id", arn)
		r.Str(kind+".name", v.Str(iHolderName))
	default:
		r.Str("saas.object.type", kind)
		r.Str("saas.object.id", arn)
		r.Str("saas.object.name", v.Str(iHolderName))
	}
	r.Relate("assigned_to", kind, arn)
	return nil
}

// ofIAM: what a user holds of keys.
func ofIAM(v *event.Values) []saas.Item {
	if !v.Has(iUser) {
		return nil
	}
	return []saas.Item{{Stream: "credentials", Key: v.Str(iAccount) + "/" + v.Str(iUserName), Data: saas.Quote(v.Str(iUser))}}
}

// Slots of the table of credentials.
const (
	cARN = iota
	cKeyID
	cServiceID
	cStatus
	cServiceStatus
	cName
	cService
)

var credentialFields = event.Table{cARN: {"Arn", "user.id"}, cKeyID: {"AccessKey.AccessKeyId", ""},
	cServiceID: {"ServiceCredential.ServiceSpecificCredentialId", ""}, cStatus: {"AccessKey.Status", ""},
	cServiceStatus: {"ServiceCredential.Status", ""}, cName: {"ServiceCredential.ServiceUserName", "entity.name"},
	cService: {"ServiceCredential.ServiceName", "service.name"}, {"AccessKey.UserName", "user.name"},
	{"ServiceCredential.UserName", "user.name"}, {"AccessKey.CreateDate", "entity.lifecycle.created"},
	{"ServiceCredential.CreateDate", "entity.lifecycle.created"}, {"ServiceCredential.ExpirationDate", "saas.credential.expires"},
	{"LastUsed.LastUsedDate", ""}, {"Account", "cloud.account.id"}}

func credentialKey(v *event.Values) string { return firstOf(v, cKeyID, cServiceID) }

// mapCredential maps an access key, or the password of a user for one service.
func mapCredential(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "credential", credentialKey(v), "iam", "user", "info")
	r.Str("saas.credential.id", credentialKey(v))
	r.Str("saas.credential.type", "access_key")
	if v.Has(cServiceID) {
		r.Str("saas.credential.type", "service_specific_credential")
	}
	r.Str("saas.entity.status", strings.ToLower(firstOf(v, cStatus, cServiceStatus)))
	r.Str("cloud.provider", "aws")
	if at, ok := event.ParseTime(saas.TextAt(v.Raw, "LastUsed", "LastUsedDate")); ok { // N/A of one that was not
		r.Date("saas.entity.last_used", at)
	}
	r.Relate("part_of", "user", v.Str(cARN))
	return nil
}

// Slots of the table of external access.
const (
	xAccount = iota
	xSAML
	xOIDC
	xRole
	xRoleName
	xOutsiders
)

var externalFields = event.Table{xAccount: {"Account", "cloud.account.id"}, xSAML: {"SAMLProvider.Arn", ""},
	xOIDC: {"OIDCProvider.Arn", ""},
	xRole: {"Role.Arn", "saas.role.id"}, xRoleName: {"Role.RoleName", "saas.role.name"}, xOutsiders: {"Outsiders", ""},
	{"SAMLProvider.CreateDate", "entity.lifecycle.created"}, {"SAMLProvider.ValidUntil", "saas.entity.expires"},
	{"Role.CreateDate", "entity.lifecycle.created"}}

func externalKey(v *event.Values) string { return firstOf(v, xSAML, xOIDC, xRole) }

// mapExternal maps a way in for others: a provider of identities, or a role that trusts somebody outside.
func mapExternal(v *event.Values, add func() *event.Record) error {
	id := externalKey(v)
	r := saas.NewEntity(add, "app_grant", id, "iam", "user", "info")
	name := id[strings.LastIndexByte(id, '/')+1:]
	kind := "role_trust"
	switch {
	case v.Has(xSAML):
		kind = "saml_provider"
	case v.Has(xOIDC):
		kind = "oidc_provider"
	}
	r.Str("entity.sub_type", kind)
	r.Str("entity.name", name)
	r.Str("cloud.provider", "aws")
	r.Bool("saas.target.external", true)
	r.Str("saas.app.id", id)
	r.Str("saas.app.name", name)
	for p := range event.Elems(v.Bytes(xOutsiders)) {
		kind, who, _ := strings.Cut(saas.Text(p), " ")
		r.Strs("saas.share.recipients", who)
		r.Relate("granted_to", strings.ToLower(kind), who)
	}
	if v.Has(xRole) {
		for _, s := range readPolicy(saas.TextAt(v.Raw, "Role", "AssumeRolePolicyDocument")).Statement {
			r.Strs("saas.grant.scopes", s.Action...)
		}
	}
	return nil
}
