package office365

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	inventorySet = "o365.inventory"

	usersURL = "/users?$select=id,userPrincipalName,displayName,mail,accountEnabled,userType,createdDateTime,onPremisesSyncEnabled," +
		"lastPasswordChangeDateTime,signInSessionsValidFromDateTime,department,externalUserState,assignedLicenses,proxyAddresses&$top=999"
	groupsURL = "/groups?$select=id,displayName,groupTypes,securityEnabled,mailEnabled,isAssignableToRole,createdDateTime,visibility," +
		"mail&$top=999"
	membersQuery = "/members?$select=id,displayName,userPrincipalName,mail&$top=999"
)

// Slots of the tables of users, groups, their members and roles.
const (
	uID = iota
	uName
	uMail
	uEnabled
	uType
	uState
	uLicenses
	uAddresses
)
const (
	gID = iota
	gTypes
	gRole
)
const (
	mGroup = iota
	mID
	mType
	mUPN
)
const (
	oID = iota
	oPrincipal
	oRole
	oTo
	oEligible
	oHolder
	oLogin
	oHolderName
)

var (
	userFields = event.Table{
		uID: {"id", "user.id"}, uName: {"userPrincipalName", "user.name entity.name"}, uMail: {"mail", ""},
		uEnabled: {"accountEnabled", ""}, uType: {"userType", ""}, uState: {"externalUserState", ""}, uLicenses: {"assignedLicenses", ""},
		uAddresses: {"proxyAddresses", ""}, {"displayName", "user.full_name entity.display_name"},
		{"createdDateTime", "entity.lifecycle.created"}, {"lastPasswordChangeDateTime", "saas.entity.password_changed"},
		{"department", "saas.entity.department"},
	}
	groupFields = event.Table{
		gID: {"id", "group.id"}, gTypes: {"groupTypes", ""}, gRole: {"isAssignableToRole", "saas.entity.is_admin_group"},
		{"displayName", "group.name entity.name"}, {"visibility", "saas.entity.visibility"}, {"createdDateTime", "entity.lifecycle.created"},
	}
	memberFields = event.Table{
		mID: {"member.id", ""}, mType: {"member.@odata\\.type", ""}, mGroup: {"group", "group.id"}, mUPN: {"member.userPrincipalName", ""},
		{"member.displayName", "entity.display_name"},
	}
	roleFields = event.Table{
		oID: {"assignment.id", ""}, oPrincipal: {"assignment.principalId", ""}, oRole: {"assignment.roleDefinitionId", "saas.role.id"},
		oTo: {"assignment.directoryScopeId", "saas.role.scope"}, oEligible: {"eligible", ""},
		oHolder: {"assignment.principal.@odata\\.type", ""}, oLogin: {"assignment.principal.userPrincipalName", ""},
		oHolderName: {"assignment.principal.displayName", ""}, {"role", "saas.role.name entity.name"},
		{"assignment.endDateTime", "saas.entity.expires"}, {"assignment.startDateTime", "entity.lifecycle.created"},
	}
)

// directory are accounts, groups, privileges and what apps may do.
func (t *tenant) directory() []saas.Stream {
	const users, groups, roles = "User.Read.All|Directory.Read.All", "Group.Read.All|GroupMember.Read.All|Directory.Read.All",
		"RoleManagement.Read.Directory|Directory.Read.All"
	return inventoried([]saas.Stream{
		{Name: "users", Kind: saas.Accounts, Every: time.Hour, Needs: []string{users},
			Gives: []saas.Capability{saas.ListAccounts}, Docs: graphDocs + "user-list", Poll: saas.List(first(usersURL), values, nextLink),
			Fields: userFields, Key: saas.KeyOf(1), Map: mapUser, Items: ofUser},
		{Name: "groups", Kind: saas.Accounts, Every: time.Hour, Needs: []string{groups},
			Gives: []saas.Capability{saas.ListGroups}, Docs: graphDocs + "group-list", Poll: saas.List(first(groupsURL), values, nextLink),
			Fields: groupFields, Key: saas.KeyOf(1), Map: mapGroup, Items: ofGroup},
		{Name: "group_members", Kind: saas.Accounts, Over: "groups", Every: 6 * time.Hour, Width: 2,
			Needs: []string{groups}, Gives: []saas.Capability{saas.ListGroups}, Docs: graphDocs + "group-list-members",
			Poll: pollMembers, Fields: memberFields, Key: saas.KeyOf(2), Map: mapMember},
		{Name: "roles", Kind: saas.Grants, Every: 6 * time.Hour, Needs: []string{roles},
			Gives: []saas.Capability{saas.ListPrivileges}, Docs: graphDocs + "rbacapplication-list-roleassignments",
			Poll: pollRoles, Fields: roleFields, Key: saas.KeyOf(1), Map: mapRole},
		{Name: "app_grants", Kind: saas.Grants, Every: 6 * time.Hour, Needs: []string{"Directory.Read.All"},
			Gives: []saas.Capability{saas.ViewAppRights}, Docs: graphDocs + "oauth2permissiongrant-list",
			Poll: pollGrants, Fields: grantFields, Key: saas.KeyOf(1), Map: mapGrant},
	})
}

func first(url string) func(*saas.Run) saas.Req {
	return func(*saas.Run) saas.Req { return saas.Req{URL: url} }
}

// ofUser: a guest has no drive here.
func ofUser(v *event.Values) []saas.Item {
	if v.Str(uType) == "Guest" {
		return nil
	}
	return []saas.Item{{Stream: "drives", Key: strings.Clone(v.Str(uID))}}
}

func ofGroup(v *event.Values) []saas.Item {
	return []saas.Item{{Stream: "group_members", Key: strings.Clone(v.Str(gID))}}
}

// mapUser maps an account.
func mapUser(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "user", v.Str(uID), "iam", "user", "info")
	mail := v.Str(uMail)
	if mail == "" && strings.Contains(v.Str(uName), "@") {
		mail = mailOf(v.Str(uName))
	}
	r.Str("user.email", mail)
	status := "active"
	if on, ok := v.Bool(uEnabled); ok && !on {
		status = "suspended"
	} else if v.Str(uState) == "PendingAcceptance" {
		status = "invited"
	}
	r.Str("saas.entity.status", status)
	r.Bool("saas.entity.is_guest", v.Str(uType) == "Guest")
	for e := range event.Elems(v.Bytes(uLicenses)) {
		r.Strs("saas.entity.license", saas.TextAt(e, "skuId"))
	}
	for e := range event.Elems(v.Bytes(uAddresses)) {
		if _, address, ok := strings.Cut(saas.Text(e), ":"); ok {
			r.Strs("saas.entity.aliases", address)
		}
	}
	return nil
}

func mapGroup(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "group", v.Str(gID), "iam", "group", "info")
	for e := range event.Elems(v.Bytes(gTypes)) {
		switch saas.Text(e) {
		case "Unified":
			r.Str("entity.sub_type", "microsoft_365")
		case "DynamicMembership":
			r.Bool("saas.entity.is_dynamic", true)
		}
	}
	return nil
}

// pollMembers lists who is in a group.
func pollMembers(ctx context.Context, r *saas.Run) error {
	group := r.Item().Key
	rows := func(p *saas.Reply) saas.Rows {
		return saas.Sift(values(p), func(row json.RawMessage) json.RawMessage { return saas.Join("member group", row, saas.Quote(group)) })
	}
	return saas.List(first("/groups/"+group+membersQuery), rows, nextLink)(ctx, r)
}

// mapMember maps that somebody, or another group, is in a group.
func mapMember(v *event.Values, add func() *event.Record) error {
	id, group := v.Str(mID), v.Str(mGroup)
	r := saas.NewEntity(add, "group_member", group+"/"+id, "iam", "group", "info")
	kind := kindOf(v.Str(mType))
	r.Str("entity.sub_type", kind)
	r.Str("entity.name", v.Str(mUPN))
	if kind == "user" {
		r.Str("user.id", id)
		r.Str("user.name", v.Str(mUPN))
	}
	r.Relate("granted_to", kind, id)
	r.Relate("member_of", "group", group)
	return nil
}

// kindOf is entity.type for a type of Graph.
func kindOf(odata string) string {
	kind := strings.TrimPrefix(odata, "#microsoft.graph.")
	if kind == "servicePrincipal" {
		return "application"
	}
	return kind
}

// pollRoles reads who holds a role, with the role's name, and who may take one for a while.
func pollRoles(ctx context.Context, r *saas.Run) error {
	names := map[string]json.RawMessage{}
	const at = "/roleManagement/directory/"
	err := eachRow(ctx, r, at+"roleDefinitions?$select=id,displayName", func(row json.RawMessage) error {
		names[saas.TextAt(row, "id")] = saas.Member(row, "displayName")
		return nil
	})
	if err != nil {
		return err
	}
	for _, list := range [...]struct {
		path     string
		eligible json.RawMessage
	}{{"roleAssignments?$expand=principal", nil}, {"roleEligibilityScheduleInstances?$expand=principal", json.RawMessage("true")}} {
		err := eachRow(ctx, r, at+list.path, func(row json.RawMessage) error {
			return r.Emit("", saas.Join("assignment role eligible", row, names[saas.TextAt(row, "roleDefinitionId")], list.eligible))
		})
		if err != nil && !(list.eligible != nil && (saas.Is(err, saas.Denied) || saas.Is(err, saas.Invalid))) { // it needs Entra ID P2
			return err
		}
	}
	return r.Whole(nil)
}

// eachRow calls each for every row of a list.
func eachRow(ctx context.Context, d saas.Doer, url string, each func(json.RawMessage) error) error {
	var way saas.Circle
	for url != "" {
		p, err := d.Do(ctx, saas.Req{URL: url})
		if err != nil {
			return err
		}
		for row, err := range values(p) {
			if err == nil {
				err = each(row)
			}
			if err != nil {
				return err
			}
		}
		if url = p.Field("@odata.nextLink"); url != "" && way.Back(url) {
			return &saas.Error{Outcome: saas.Invalid, Req: url, Msg: "the list leads back to a page that was read"}
		}
	}
	return nil
}

// privileged says whether a role changes something; those that do not are called so.
func privileged(name string) bool {
	return !strings.HasSuffix(name, " Reader") && !strings.HasSuffix(name, " Readers") && !strings.HasSuffix(name, "User")
}

func mapRole(v *event.Values, add func() *event.Record) error {
	holder, kind := v.Str(oPrincipal), kindOf(v.Str(oHolder))
	r := saas.NewEntity(add, "role_assignment", v.Str(oID), "iam", "admin", "info")
	r.Bool("saas.role.privileged", privileged(r.Get("saas.role.name")))
	r.Bool("saas.entity.permanent", !v.Has(oEligible))
	if v.Has(oEligible) {
		r.Str("entity.sub_type", "eligible")
	}
	switch kind {
	case "group":
		r.Str("group.id", holder)
		r.Str("group.name", v.Str(oHolderName))
	default:
		r.Str("user.id", holder)
		r.Str("user.name", v.Str(oLogin))
		r.Str("user.full_name", v.Str(oHolderName))
	}
	r.Relate("assigned_to", kind, holder)
	return nil
}
