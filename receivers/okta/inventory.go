package okta

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Slots of the tables below: the parts of the key come first.
const (
	uStatus = iota + 1
	uFirst
	uLast
	uDisplay
	uSource
	uSourceName
)

const (
	gType = iota + 1
	gName
)

const (
	mGroup = iota
	mUser
)

const (
	rHolderType = iota
	rHolder
	rAssignment
	rHolderName
	rKind
	rVia
	rSet
	rTargets
)

// The second and third slots of the tables of custom roles, apps and clients.
const (
	cPermissions = 1
	aSignOn      = 1
	aStatus      = 2
	kClient      = 1
	kTokens      = 2
)

const (
	oID     = iota
	oScope  // one, or a list
	oUser   // who consented, or owns
	oClient // the app it is for
	oSource
)

var (
	userFields = event.Table{
		{"id", "user.id"}, uStatus: {"status", ""}, uFirst: {"profile.firstName", ""}, uLast: {"profile.lastName", ""},
		uDisplay: {"profile.displayName", ""}, uSource: {"credentials.provider.type", ""}, uSourceName: {"credentials.provider.name", ""},
		{"profile.login", "user.name entity.name"}, {"profile.email", "user.email"}, {"profile.secondEmail", "saas.entity.aliases"},
		{"profile.department", "saas.entity.department"}, {"profile.manager", "saas.entity.manager"},
		{"profile.userType", "saas.entity.employee_type"}, {"created", "entity.lifecycle.created"}, {"lastUpdated", "entity.lifecycle.changed"},
		{"lastLogin", "entity.lifecycle.last_activity saas.entity.last_login"}, {"passwordChanged", "saas.entity.password_changed"},
	}
	groupFields = event.Table{
		{"id", "group.id"}, gType: {"type", "entity.sub_type"}, gName: {"profile.name", "group.name entity.name"},
		{"created", "entity.lifecycle.created"}, {"lastUpdated", "entity.lifecycle.changed"}, {"source.id", "entity.source"},
	}
	memberFields = event.Table{
		mGroup: {"group.id", "group.id user.group.id"}, mUser: {"user.id", "user.id"},
		{"user.login", "user.name entity.name"}, {"user.email", "user.email"},
	}
	roleFields = event.Table{
		rHolderType: {"holder.type", ""}, rHolder: {"holder.id", ""}, rAssignment: {"role.id", "saas.role.id"},
		rHolderName: {"holder.name", ""}, rKind: {"role.type", "entity.sub_type"}, rVia: {"role.assignmentType", ""},
		rSet: {"role.resource-set", "saas.role.scope"}, rTargets: {"targets", ""},
		{"role.label", "saas.role.name entity.name"}, {"role.created", "entity.lifecycle.created"},
		{"role.lastUpdated", "entity.lifecycle.changed"},
	}
	customFields = event.Table{
		{"role.id", "saas.role.id"}, cPermissions: {"permissions", ""}, {"role.label", "saas.role.name entity.name"},
		{"role.created", "entity.lifecycle.created"}, {"role.lastUpdated", "entity.lifecycle.changed"},
	}
	appFields = event.Table{
		{"id", "saas.app.id application.id"}, aSignOn: {"signOnMode", "entity.sub_type"}, aStatus: {"status", ""},
		{"label", "saas.app.name application.name entity.name"}, {"name", "entity.source"}, {"created", "entity.lifecycle.created"},
		{"lastUpdated", "entity.lifecycle.changed"},
	}
	grantFields = event.Table{
		oID: {"id", ""}, oScope: {"scopeId", "saas.grant.scopes entity.name"}, oUser: {"userId", "user.id"}, oClient: {"clientId", "saas.app.id"},
		oSource: {"source", ""}, {"_links.app.title", "saas.app.name"}, {"created", "entity.lifecycle.created"},
		{"lastUpdated", "entity.lifecycle.changed"},
	}
	tokenFields = event.Table{
		oID: {"id", "saas.credential.id"}, oScope: {"scopes", "saas.grant.scopes"}, oUser: {"userId", "user.id"},
		oClient: {"clientId", "saas.app.id"}, {"_links.app.title", "saas.app.name"}, {"expiresAt", "saas.credential.expires"},
		{"created", "entity.lifecycle.created"}, {"lastUpdated", "entity.lifecycle.changed"},
	}
	clientFields = event.Table{
		{"userId", "user.id"}, kClient: {"client.client_id", "saas.app.id"}, kTokens: {"tokens", ""},
		{"client.client_name", "saas.app.name entity.name"},
	}
	keyFields = event.Table{
		oID: {"id", "saas.credential.id"}, {"name", "entity.name"}, oUser: {"userId", "user.id"}, {"expiresAt", "saas.credential.expires"},
		{"created", "entity.lifecycle.created"}, {"lastUpdated", "entity.lifecycle.changed"}, {"clientName", "entity.source"},
	}
)

// userStates are the common words for Okta's states.
var userStates = map[string]string{"ACTIVE": "active", "RECOVERY": "active", "PASSWORD_EXPIRED": "active", "STAGED": "invited",
	"PROVISIONED": "invited", "SUSPENDED": "suspended", "LOCKED_OUT": "locked", "DEPROVISIONED": "deprovisioned"}

func mapUser(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "user", v.Str(0), "iam", "user", "info")
	name := cmp.Or(v.Str(uDisplay), strings.TrimSpace(v.Str(uFirst)+" "+v.Str(uLast)))
	r.Str("user.full_name", name)
	r.Str("entity.display_name", name)
	r.Str("saas.entity.status", cmp.Or(userStates[v.Str(uStatus)], strings.ToLower(v.Str(uStatus))))
	if v.Str(uSource) == "OKTA" {
		r.Str("entity.source", "okta")
	} else {
		r.Str("entity.source", cmp.Or(v.Str(uSourceName), v.Str(uSource)))
	}
	return nil
}

func mapGroup(v *event.Values, add func() *event.Record) error {
	saas.NewEntity(add, "group", v.Str(0), "iam", "group", "info")
	return nil
}

// mapMember maps one membership; an entity of its own, because a group may have more members than a record may hold.
func mapMember(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "group_member", v.Str(mGroup)+"/"+v.Str(mUser), "iam", "group", "info")
	r.Relate("granted_to", "user", v.Str(mUser))
	r.Relate("member_of", "group", v.Str(mGroup))
	return nil
}

func mapRole(v *event.Values, add func() *event.Record) error {
	kind, id := v.Str(rHolderType), v.Str(rHolder)
	r := saas.NewEntity(add, "role_assignment", kind+"/"+id+"/"+v.Str(rAssignment), "iam", "admin", "info")
	r.Bool("saas.role.privileged", true)
	prefix := map[string]string{"user": "user.", "group": "group.", "client": "saas.app."}[kind]
	r.Str(prefix+"id", id)
	r.Str(prefix+"name", v.Str(rHolderName))
	if kind == "client" {
		kind = "application"
	}
	r.Relate("assigned_to", kind, id)
	if via := strings.ToLower(v.Str(rVia)); via == "group" && kind == "user" {
		r.Str("saas.entity.path", via)
	}
	target, scope := "group", ""
	if v.Str(rKind) == "APP_ADMIN" {
		target = "application"
	}
	for t := range event.Elems(v.Bytes(rTargets)) {
		r.Relate("manages", target, saas.TextAt(t, "id"))
		scope = target + "s"
	}
	r.Str("saas.role.scope", scope)
	return nil
}

// mapCustom maps a role that the org made, with its permissions.
func mapCustom(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "role", v.Str(0), "iam", "admin", "info")
	r.Bool("saas.role.privileged", true)
	for p := range event.Elems(v.Bytes(cPermissions)) {
		r.Strs("saas.grant.scopes", saas.TextAt(p, "label"))
	}
	return nil
}

func mapApp(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "application", v.Str(0), "configuration", "info")
	r.Str("saas.entity.status", strings.ToLower(v.Str(aStatus)))
	return nil
}

func mapGrant(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "app_grant", v.Str(oID), "iam", "user", "info")
	r.Bool("saas.grant.admin_consent", v.Str(oSource) == "ADMIN")
	relateGrant(r, v)
	return nil
}

func mapToken(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "credential", v.Str(oID), "iam", "user", "info")
	r.Str("saas.credential.type", "refresh_token")
	relateGrant(r, v)
	return nil
}

func relateGrant(r *event.Record, v *event.Values) {
	r.Relate("granted_to", "application", v.Str(oClient))
	r.Relate("part_of", "user", v.Str(oUser))
}

// mapClient maps a client that holds refresh tokens of a user: a consent in use, with the scopes of all its tokens.
func mapClient(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "app_grant", v.Str(0)+"/"+v.Str(kClient), "iam", "user", "info")
	r.Str("entity.sub_type", "refresh_tokens")
	for t := range event.Elems(v.Bytes(kTokens)) {
		for s := range event.Elems(saas.Member(t, "scopes")) {
			r.Strs("saas.grant.scopes", saas.Text(s))
		}
		r.Relate("part_of", "credential", saas.TextAt(t, "id"))
	}
	r.Relate("granted_to", "application", v.Str(kClient))
	return nil
}

func mapKey(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "credential", v.Str(oID), "iam", "user", "info")
	r.Str("saas.credential.type", "api_token")
	r.Relate("part_of", "user", v.Str(oUser))
	return nil
}

// parts are the parts of streams with this key. The key outlives the page it was read from.
func parts(key string, streams ...string) []saas.Item {
	items := make([]saas.Item, len(streams))
	key = strings.Clone(key)
	for i, s := range streams {
		items[i] = saas.Item{Stream: s, Key: key}
	}
	return items
}

// ofUser: who never signed in, or left, holds no grant.
func ofUser(v *event.Values) []saas.Item {
	if s := v.Str(uStatus); s == "STAGED" || s == "DEPROVISIONED" {
		return nil
	}
	return parts(v.Str(0), "user_grants", "user_clients")
}

func (c *Config) ofGroup(v *event.Values) []saas.Item {
	if c.SkipBuiltinGroups && v.Str(gType) == "BUILT_IN" {
		return nil
	}
	return parts(v.Str(0), "group_members")
}

// ofApp: only what speaks OAuth is granted scopes and tokens.
func ofApp(v *event.Values) []saas.Item {
	if v.Str(aSignOn) != openID {
		return nil
	}
	return parts(v.Str(0), "app_grants", "app_tokens")
}

const openID = "OPENID_CONNECT"

// emitMember leaves out of a member's account what changes with every sign-in, so that the membership does not.
func emitMember(_ context.Context, r *saas.Run, row json.RawMessage) error {
	user := saas.Join("id login email", saas.Member(row, "id"), saas.Member(row, "profile", "login"), saas.Member(row, "profile", "email"))
	return r.Emit("", saas.Join("group user", saas.Join("id", saas.Quote(r.Item().Key)), user))
}

// limitedTo says of a standard role where to read what it is limited to.
var limitedTo = map[string]string{"APP_ADMIN": "catalog/apps", "USER_ADMIN": "groups", "HELP_DESK_ADMIN": "groups",
	"GROUP_MEMBERSHIP_ADMIN": "groups"}

// rolesOf emits the roles of a holder, who is a row of users, groups or apps.
func (o reader) rolesOf(kind, at string) func(context.Context, *saas.Run, json.RawMessage) error {
	return func(ctx context.Context, r *saas.Run, row json.RawMessage) error {
		id, name := saas.TextAt(row, "id"), cmp.Or(saas.TextAt(row, "label"), saas.TextAt(row, "profile", "name"))
		if kind == "client" && !bytes.Contains(saas.Member(row, "settings", "oauthClient", "grant_types"), []byte("client_credentials")) {
			return nil // only apps that act for themselves hold roles
		}
		path := at + url.PathEscape(id)
		roles, err := o.all(ctx, r, path+"/roles", "")
		if err != nil || len(roles) == 0 {
			return err
		}
		if kind == "user" { // the row has the id only
			var u account
			if err := saas.Get(ctx, r.Conn, path, &u); err != nil && !saas.Is(err, saas.Missing) {
				return err
			}
			name = u.Profile.Login
		}
		holder := saas.Join("type id name", saas.Quote(kind), saas.Quote(id), saas.Quote(name))
		for _, role := range roles {
			var limits []json.RawMessage
			if where := limitedTo[saas.TextAt(role, "type")]; where != "" {
				targets, err := o.all(ctx, r, path+"/roles/"+url.PathEscape(saas.TextAt(role, "id"))+"/targets/"+where+"?limit=200", "")
				if err != nil {
					return err
				}
				for _, t := range targets {
					name := cmp.Or(saas.TextAt(t, "displayName"), saas.TextAt(t, "profile", "name"))
					limits = append(limits, saas.Join("id name", saas.Member(t, "id"), saas.Quote(name)))
				}
			}
			if err := r.Emit("", saas.Join("holder role targets", holder, role, saas.Array(limits))); err != nil {
				return err
			}
		}
		return nil
	}
}

// emitCustom emits a custom role with its permissions.
func (o reader) emitCustom(ctx context.Context, r *saas.Run, row json.RawMessage) error {
	permissions, err := o.all(ctx, r, "/api/v1/iam/roles/"+url.PathEscape(saas.TextAt(row, "id"))+"/permissions", "permissions")
	if err != nil {
		return err
	}
	return r.Emit("", saas.Join("role permissions", row, saas.Array(permissions)))
}

// emitClient emits a client with the refresh tokens that it holds of the user.
func (o reader) emitClient(ctx context.Context, r *saas.Run, row json.RawMessage) error {
	user := r.Item().Key
	at := "/api/v1/users/" + url.PathEscape(user) + "/clients/" + url.PathEscape(saas.TextAt(row, "client_id"))
	tokens, err := o.all(ctx, r, at+"/tokens?limit=200", "")
	if err != nil {
		return err
	}
	return r.Emit("", saas.Join("userId client tokens", saas.Quote(user), row, saas.Array(tokens)))
}
