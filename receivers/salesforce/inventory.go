package salesforce

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// admins are the permissions that make their holder an administrator, in the order of the tables below.
var admins = [...]string{"ModifyAllData", "ViewAllData", "ManageUsers", "AuthorApex", "CustomizeApplication"}

const (
	adminColumns = "PermissionsModifyAllData,PermissionsViewAllData,PermissionsManageUsers,PermissionsAuthorApex," +
		"PermissionsCustomizeApplication"
	userColumns = "Id,Username,Email,Name,FirstName,LastName,IsActive,UserType,ProfileId,Profile.Name,UserRoleId,UserRole.Name,ManagerId," +
		"Department,LastLoginDate,FederationIdentifier,LastPasswordChangeDate,CreatedDate,LastModifiedDate"
	groupColumns         = "Id,Name,DeveloperName,Type,RelatedId,Email,CreatedDate,LastModifiedDate"
	memberColumns        = "Id,GroupId,Group.Name,UserOrGroupId"
	chatterColumns       = "Id,Name,CollaborationType,CanHaveGuests,IsArchived,MemberCount,OwnerId,CreatedDate"
	chatterMemberColumns = "Id,CollaborationGroupId,CollaborationGroup.Name,MemberId,CollaborationRole,CreatedDate"
	profileColumns       = "Id,Name,UserType,CreatedDate,LastModifiedDate," + adminColumns
	permissionSetColumns = "Id,Name,Label,Type,IsCustom,IsOwnedByProfile,ProfileId,Profile.Name,PermissionSetGroupId,CreatedDate," +
		"LastModifiedDate," + adminColumns
	setGroupColumns   = "Id,DeveloperName,MasterLabel,Status,CreatedDate,LastModifiedDate"
	componentColumns  = "Id,PermissionSetGroupId,PermissionSetId,PermissionSet.Name"
	roleColumns       = "Id,Name,DeveloperName,ParentRoleId,LastModifiedDate"
	accessColumns     = "Id,ParentId,SetupEntityId,SetupEntityType"
	assignmentColumns = "Id,AssigneeId,Assignee.Username,Assignee.Name,PermissionSetId,PermissionSet.Name,PermissionSet.Label," +
		"PermissionSet.IsOwnedByProfile,PermissionSet.PermissionsModifyAllData,PermissionSet.PermissionsViewAllData," +
		"PermissionSet.PermissionsManageUsers,PermissionSet.PermissionsAuthorApex,PermissionSet.PermissionsCustomizeApplication," +
		"PermissionSetGroupId,IsActive,ExpirationDate"
)

// Slots of the tables below; the id comes first.
const (
	uActive = iota + 1
	uFrozen
	uLocked
	uType
)

const (
	mUser = iota + 1
	mMember
	mGroup
	mChatter
	mWhole
	mPart
)

const (
	pKind = iota + 1
	pOwned
	pProfile
	pLabel
	pName
	pParent
	pEntity
	pEntityType
	pRights // five, in the order of admins
)

const (
	aUser = iota + 1
	aSet
	aName
	aLabel
	aOwned
	aGroup
	aExpires
	aActive
	aRights
)

var (
	userFields = event.Table{
		{"Id", "user.id"}, uActive: {"IsActive", ""}, uFrozen: {"UserLogin.IsFrozen", ""}, uLocked: {"UserLogin.IsPasswordLocked", ""},
		uType: {"UserType", "saas.entity.employee_type"}, {"Profile.Name", "user.roles"}, {"UserRole.Name", "user.roles"},
		{"Username", "user.name entity.name"}, {"Email", "user.email"}, {"Name", "user.full_name entity.display_name"},
		{"FederationIdentifier", "saas.entity.aliases"}, {"ManagerId", "saas.entity.manager"},
		{"Department", "saas.entity.department"}, {"LastLoginDate", "entity.lifecycle.last_activity saas.entity.last_login"},
		{"LastPasswordChangeDate", "saas.entity.password_changed"}, {"CreatedDate", "entity.lifecycle.created"},
		{"LastModifiedDate", "entity.lifecycle.changed"},
	}
	groupFields = event.Table{
		{"Id", "group.id"}, {"Type", "entity.sub_type"}, {"CollaborationType", "entity.sub_type saas.entity.visibility"},
		{"Name", "group.name entity.name"}, {"DeveloperName", "entity.display_name"}, {"MemberCount", "saas.entity.member_count"},
		{"OwnerId", "saas.entity.owners"}, {"CreatedDate", "entity.lifecycle.created"}, {"LastModifiedDate", "entity.lifecycle.changed"},
	}
	memberFields = event.Table{
		{"Id", ""}, mUser: {"UserOrGroupId", ""}, mMember: {"MemberId", ""}, mGroup: {"GroupId", "group.id"},
		mChatter: {"CollaborationGroupId", "group.id"}, mWhole: {"PermissionSetGroupId", ""}, mPart: {"PermissionSetId", ""},
		{"Group.Name", "group.name"}, {"CollaborationGroup.Name", "group.name"}, {"CollaborationRole", "entity.sub_type"},
		{"PermissionSet.Name", "entity.name"}, {"CreatedDate", "entity.lifecycle.created"},
	}
	roleFields = event.Table{
		{"Id", "saas.role.id"}, pKind: {"attributes.type", "entity.sub_type"}, pOwned: {"IsOwnedByProfile", ""}, pProfile: {"Profile.Name", ""},
		pLabel: {"Label", ""}, pName: {"Name", ""}, pParent: {"ParentRoleId", ""}, pEntity: {"SetupEntityId", "saas.object.id"},
		pEntityType: {"SetupEntityType", "saas.object.type"}, pRights: {"PermissionsModifyAllData", ""}, {"PermissionsViewAllData", ""},
		{"PermissionsManageUsers", ""}, {"PermissionsAuthorApex", ""}, {"PermissionsCustomizeApplication", ""},
		{"MasterLabel", "saas.role.name entity.name"}, {"Status", "saas.entity.status"}, {"CreatedDate", "entity.lifecycle.created"},
		{"LastModifiedDate", "entity.lifecycle.changed"},
	}
	assignmentFields = event.Table{
		{"Id", ""}, aUser: {"AssigneeId", "user.id"}, aSet: {"PermissionSetId", "saas.role.id"}, aName: {"PermissionSet.Name", ""},
		aLabel: {"PermissionSet.Label", ""}, aOwned: {"PermissionSet.IsOwnedByProfile", ""}, aGroup: {"PermissionSetGroupId", ""},
		aExpires: {"ExpirationDate", "saas.entity.expires"}, aActive: {"IsActive", ""}, aRights: {"PermissionSet.PermissionsModifyAllData", ""},
		{"PermissionSet.PermissionsViewAllData", ""}, {"PermissionSet.PermissionsManageUsers", ""}, {"PermissionSet.PermissionsAuthorApex", ""},
		{"PermissionSet.PermissionsCustomizeApplication", ""}, {"Assignee.Username", "user.name"}, {"Assignee.Name", "user.full_name"},
	}
)

// inventory is what the org has: its accounts, groups, what they may do, and apps.
func (o *org) inventory() []saas.Stream {
	list := []saas.Stream{
		{Name: "users", Kind: saas.Accounts, Every: time.Hour, Poll: o.users, Fields: userFields, Map: mapUser},
		o.list("groups", "Group", groupColumns, groupFields, mapGroup),
		o.list("group_members", "GroupMember", memberColumns, memberFields, mapMember),
		o.list("chatter_groups", "CollaborationGroup", chatterColumns, groupFields, mapGroup),
		o.list("chatter_group_members", "CollaborationGroupMember", chatterMemberColumns, memberFields, mapMember),
		o.list("profiles", "Profile", profileColumns, roleFields, mapRole),
		o.list("permission_sets", "PermissionSet", permissionSetColumns, roleFields, mapRole),
		o.list("permission_set_groups", "PermissionSetGroup", setGroupColumns, roleFields, mapRole),
		o.list("permission_set_components", "PermissionSetGroupComponent", componentColumns, memberFields, mapMember),
		o.list("permission_set_assignments", "PermissionSetAssignment", assignmentColumns, assignmentFields, mapAssignment),
		o.list("roles", "UserRole", roleColumns, roleFields, mapRole),
		o.list("setup_entity_access", "SetupEntityAccess", accessColumns, roleFields, mapAccess),
	}
	for i := range list {
		s := &list[i]
		s.Docs = cmp.Or(s.Docs, reference+"user.htm")
		s.Gives = []saas.Capability{saas.ListPrivileges}
		switch {
		case s.Name == "users":
			s.Gives = []saas.Capability{saas.ListAccounts}
		case s.Kind == saas.Accounts:
			s.Gives = []saas.Capability{saas.ListGroups}
		case s.Name != "profiles" && s.Name != "roles":
			s.Needs = []string{"ViewSetup"}
		}
		s.Dataset, s.Key = inventorySet, saas.KeyOf(1)
	}
	return append(list, o.apps()...)
}

// list is a stream of all rows of an object.
func (o *org) list(name, from, fields string, t event.Table, m func(*event.Values, func() *event.Record) error) saas.Stream {
	s := saas.Stream{Name: name, Kind: saas.Grants, Every: 6 * time.Hour, Docs: reference + strings.ToLower(from) + ".htm",
		Poll: o.walk(set{fields: fields, from: from}), Fields: t, Map: m}
	if strings.Contains(name, "group") && !strings.HasPrefix(name, "permission") {
		s.Kind = saas.Accounts
	}
	if name == "groups" {
		s.Every = time.Hour
	}
	return s
}

// users walks the users, each with what bars it from logging on, which its own row does not say.
func (o *org) users(ctx context.Context, r *saas.Run) error {
	barred := map[string]json.RawMessage{}
	rows, err := o.all(ctx, r, o.query("SELECT Id,UserId,IsFrozen,IsPasswordLocked,LastModifiedDate FROM UserLogin "+
		"WHERE IsFrozen = true OR IsPasswordLocked = true"))
	if err != nil && !saas.Is(err, saas.Denied) { // who may not see it sees all as active
		return err
	}
	for _, row := range rows {
		barred[saas.TextAt(row, "UserId")] = row
	}
	return o.walk(set{fields: userColumns, from: "User", each: func(_ context.Context, r *saas.Run, rows []json.RawMessage) error {
		for _, row := range rows {
			if err := r.Emit("", with(row, "UserLogin", barred[saas.TextAt(row, "Id")])); err != nil {
				return err
			}
		}
		return nil
	}})(ctx, r)
}

// with is a row with a member more, as if it had been asked for with it; nil = as it is.
func with(row json.RawMessage, name string, val json.RawMessage) json.RawMessage {
	if val == nil {
		return row
	}
	more := saas.Join(name, val)
	return slices.Concat(row[:bytes.LastIndexByte(row, '}')], []byte{','}, more[1:])
}

func is(v *event.Values, slot int) bool {
	b, _ := v.Bool(slot)
	return b
}

func mapUser(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "user", v.Str(0), "iam", "user", "info")
	status := "active"
	switch {
	case !is(v, uActive):
		status = "deprovisioned"
	case is(v, uFrozen):
		status = "suspended"
	case is(v, uLocked):
		status = "locked"
	}
	r.Str("saas.entity.status", status)
	r.Str("entity.source", "salesforce")
	r.Bool("saas.entity.is_guest", outsider(v.Str(uType)))
	return nil
}

// outsider says whether a type of user is one of customers, partners or visitors, whose licences are for sites.
func outsider(kind string) bool {
	return kind == "Guest" || strings.HasPrefix(kind, "Csp") || strings.Contains(kind, "Partner") || strings.Contains(kind, "Customer")
}

func mapGroup(v *event.Values, add func() *event.Record) error {
	saas.NewEntity(add, "group", v.Str(0), "iam", "group", "info").Str("entity.source", "salesforce")
	return nil
}

// mapMember maps a membership: of a user or a group in a group, or of a permission set in a group of these.
func mapMember(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "group_member", v.Str(0), "iam", "group", "info")
	if v.Has(mWhole) {
		r.Relate("part_of", "role", v.Str(mWhole))
		r.Relate("granted_to", "role", v.Str(mPart))
		return nil
	}
	kind, member := "group", strings.Clone(v.Str(mUser)+v.Str(mMember))
	if strings.HasPrefix(member, "005") {
		kind = "user"
		r.Str("user.id", member)
		r.Str("user.group.id", v.Str(mGroup)+v.Str(mChatter))
	}
	r.Relate("granted_to", kind, member)
	r.Relate("member_of", "group", strings.Clone(v.Str(mGroup)+v.Str(mChatter)))
	return nil
}

// mapRole maps what gives permissions, a profile, permission set or group of these, or a role, which says whose records one sees.
func mapRole(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "role", v.Str(0), "iam", "admin", "info")
	name := v.Str(pLabel)
	if is(v, pOwned) && v.Has(pProfile) { // the profile's own set has no name that people know
		name = v.Str(pProfile)
		r.Str("saas.entity.path", "profile")
	}
	if name == "" {
		name = v.Str(pName)
	}
	if name = strings.Clone(name); name != "" {
		r.Str("saas.role.name", name)
		r.Str("entity.name", name)
	}
	privileged(v, r, pRights)
	if parent := v.Str(pParent); parent != "" {
		r.Relate("part_of", "role", strings.Clone(parent))
	}
	return nil
}

// mapAccess maps that a permission set opens something of the set-up: an Apex class, a page, an app.
func mapAccess(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "role_access", v.Str(0), "iam", "admin", "info")
	r.Relate("manages", strings.ToLower(v.Str(pEntityType)), strings.Clone(v.Str(pEntity)))
	return nil
}

// privileged notes which of the permissions from a slot on are held.
func privileged(v *event.Values, r *event.Record, from int) {
	if !v.Has(from) {
		return
	}
	any := false
	for i, name := range admins {
		if is(v, from+i) {
			any = true
			r.Strs("saas.grant.scopes", name)
		}
	}
	r.Bool("saas.role.privileged", any)
}

func mapAssignment(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "role_assignment", v.Str(0), "iam", "admin", "info")
	name := cmp.Or(v.Str(aLabel), v.Str(aName))
	r.Str("saas.role.name", name)
	r.Str("entity.name", name)
	privileged(v, r, aRights)
	switch {
	case is(v, aOwned):
		r.Str("saas.entity.path", "profile")
	case v.Has(aGroup):
		r.Str("saas.entity.path", "permission_set_group")
	}
	r.Bool("saas.entity.permanent", !v.Has(aExpires))
	if v.Has(aActive) && !is(v, aActive) {
		r.Str("saas.entity.status", "suspended")
	}
	r.Relate("assigned_to", "user", strings.Clone(v.Str(aUser)))
	r.Relate("granted_to", "role", strings.Clone(v.Str(aSet)))
	return nil
}
