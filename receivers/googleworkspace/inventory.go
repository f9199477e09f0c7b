package googleworkspace

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const directory = "/admin/directory/v1/"

// Slots of the tables below: the parts of the key come first.
const (
	uID = iota
	uEmail
	uSuspended
	uArchived
	uAdmin
	uDelegated
	uMFA
	uLast
	uGuest
	uReason
)

const (
	mGroup = iota
	mID
	mEmail
	mType
)

const (
	rID = iota
	rPrivileges
)

const (
	sID = iota
	sRole
	sTo
	sToType
	sUnit
	sSuper
)

const (
	gUser = iota
	gClient
	gAnonymous
)

var (
	userFields = event.Table{
		uID: {"id", "user.id"}, uEmail: {"primaryEmail", "user.name user.email entity.name"}, uSuspended: {"suspended", ""},
		uArchived: {"archived", ""}, uAdmin: {"isAdmin", ""}, uDelegated: {"isDelegatedAdmin", ""},
		uMFA: {"isEnrolledIn2Sv", "saas.entity.mfa_enrolled"}, uLast: {"lastLoginTime", ""}, uGuest: {"isGuestUser", "saas.entity.is_guest"},
		uReason: {"suspensionReason", "event.reason"}, {"name.fullName", "user.full_name entity.display_name"},
		{"creationTime", "entity.lifecycle.created"}, {"deletionTime", "entity.lifecycle.deleted"}, {"aliases", "saas.entity.aliases"},
		{"orgUnitPath", "saas.entity.path"}, {"organizations[0].department", "saas.entity.department"},
		{"organizations[0].title", "saas.entity.employee_type"}, {"customerId", "organization.id"},
	}
	groupFields = event.Table{
		{"id", "group.id"}, {"email", "group.name entity.name"}, {"name", "entity.display_name"},
		{"directMembersCount", "saas.entity.member_count"}, {"aliases", "saas.entity.aliases"},
	}
	memberFields = event.Table{
		mGroup: {"group.id", "group.id user.group.id"}, mID: {"member.id", ""}, mEmail: {"member.email", ""}, mType: {"member.type", ""},
		{"member.role", "entity.sub_type"}, {"member.status", "saas.entity.status"},
	}
	roleFields = event.Table{
		rID: {"roleId", "saas.role.id"}, rPrivileges: {"rolePrivileges", ""}, {"roleName", "saas.role.name entity.name"},
		{"roleDescription", "entity.display_name"},
	}
	assignmentFields = event.Table{
		sID: {"assignment.roleAssignmentId", ""}, sRole: {"assignment.roleId", "saas.role.id"}, sTo: {"assignment.assignedTo", ""},
		sToType: {"assignment.assigneeType", ""}, sUnit: {"assignment.orgUnitId", ""}, sSuper: {"role.isSuperAdminRole", ""},
		{"assignment.scopeType", "saas.role.scope"}, {"role.roleName", "saas.role.name entity.name"},
	}
	grantFields = event.Table{
		gUser: {"userKey", "user.id"}, gClient: {"clientId", "saas.app.id"}, gAnonymous: {"anonymous", ""},
		{"displayText", "saas.app.name entity.name"}, {"scopes", "saas.grant.scopes"},
	}
	passwordFields = event.Table{
		{"userKey", "user.id"}, {"codeId", "saas.credential.id"}, {"name", "entity.name"}, {"creationTime", ""}, {"lastTimeUsed", ""},
	}
	labelFields = event.Table{
		{"id", ""}, {"name", "saas.object.id"}, {"properties.title", "entity.name saas.file.labels"}, {"createTime", "entity.lifecycle.created"},
		{"revisionCreateTime", "entity.lifecycle.changed"}, {"lifecycle.state", "saas.entity.status"}, {"labelType", "entity.sub_type"},
	}
)

// inventoryStreams are accounts, groups, privileges, grants, labels, files and what is in them. The parts of what is read per user
// are named by his id, those of shared drives by the drive's, those of content by the file's.
func (c *Config) inventoryStreams(f *files) []saas.Stream {
	admin := reference + "admin/directory/reference/rest/v1/"
	tokens := func(s saas.Stream, what string, fields event.Table, m mapFunc) saas.Stream {
		s.Kind, s.Over, s.Every, s.Width, s.Needs, s.Docs = saas.Grants, "users", day, 8, []string{security}, admin+what
		s.Gives, s.Fields, s.Key, s.Map = []saas.Capability{saas.ViewAppRights}, fields, saas.KeyOf(2), m
		s.Poll = perUser(listed(func(r *saas.Run) string {
			return directory + "users/" + r.Item().Key + "/" + what + "?prettyPrint=false"
		}, "items"))
		return s
	}
	all := []saas.Stream{
		{Name: "users", Kind: saas.Accounts, Every: time.Hour, Needs: []string{readUsers + "|" + editUsers},
			Gives: []saas.Capability{saas.ListAccounts}, Docs: admin + "users/list", Fields: userFields, Key: saas.KeyOf(1), Map: mapUser,
			Items: c.ofUser, Poll: c.ofCustomer("users?maxResults=500&projection=full&orderBy=email&showDeleted=false&", "users")},
		{Name: "groups", Kind: saas.Accounts, Every: time.Hour, Needs: []string{readGroups}, Gives: []saas.Capability{saas.ListGroups},
			Docs: admin + "groups/list", Fields: groupFields, Key: saas.KeyOf(1), Map: bare("group", "iam", "group", "info"), Items: ofGroup,
			Poll: c.ofCustomer("groups?maxResults=200&", "groups")},
		{Name: "group_members", Kind: saas.Accounts, Over: "groups", Every: 6 * time.Hour, Width: 4,
			Needs: []string{readMembers + "|" + readGroups}, Gives: []saas.Capability{saas.ListGroups}, Docs: admin + "members/list",
			Fields: memberFields, Key: saas.KeyOf(2), Map: mapMember, Poll: perUser(readMembersOf)},
		{Name: "roles", Kind: saas.Grants, Every: 6 * time.Hour, Needs: []string{readRoles}, Gives: []saas.Capability{saas.ListPrivileges},
			Docs: admin + "roles/list", Fields: roleFields, Key: saas.KeyOf(1), Map: mapRole,
			Poll: listed(func(*saas.Run) string { return c.rolesURL() + "/roles?maxResults=100" }, "items")},
		{Name: "role_assignments", Kind: saas.Grants, Every: 6 * time.Hour, Needs: []string{readRoles},
			Gives: []saas.Capability{saas.ListPrivileges}, Docs: admin + "roleAssignments/list", Fields: assignmentFields, Key: saas.KeyOf(1),
			Map: mapAssignment, Poll: c.readAssignments},
		tokens(saas.Stream{Name: "grants"}, "tokens", grantFields, mapGrant),
		tokens(saas.Stream{Name: "app_passwords"}, "asps", passwordFields, mapPassword),
		{Name: "labels", Kind: saas.Grants, Every: 6 * time.Hour, Needs: []string{readLabels}, Gives: []saas.Capability{saas.ApplyLabels},
			Docs: reference + "drive/labels/reference/rest/v2/labels/list", Fields: labelFields,
			Key: saas.KeyOf(1), Map: bare("label", "configuration", "info"),
			Poll: listed(func(*saas.Run) string {
				return c.URLs.Labels + "/v2/labels?publishedOnly=true&view=LABEL_VIEW_FULL&useAdminAccess=true&pageSize=200"
			}, "labels")},
	}
	all = append(all, f.streams()...)
	for i := range all {
		all[i].Dataset = inventory
	}
	return all
}

type mapFunc = func(*event.Values, func() *event.Record) error

// customer is whose directory is read: my_customer is the administrator's own.
func (c *Config) customer() string { return cmp.Or(c.Auth.CustomerID, "my_customer") }

func (c *Config) rolesURL() string { return directory + "customer/" + c.customer() }

// listed reads a list of the administrator's by the tokens of its pages.
func listed(at func(*saas.Run) string, path string) saas.PollFunc {
	return func(ctx context.Context, r *saas.Run) error {
		first := at(r)
		return saas.List(func(*saas.Run) saas.Req { return saas.Req{URL: first} }, rows(path), following(first, ""))(ctx, r)
	}
}

func (c *Config) ofCustomer(list, path string) saas.PollFunc {
	return listed(func(*saas.Run) string { return directory + list + "customer=" + c.customer() }, path)
}

// walked is what stays of a walk that is over.
type walked struct {
	Known bool `json:"known"` // a walk saw everything
}

// perUser reads a part that hangs on a user, group or drive. That one of them is refused says nothing of the others; who was never
// to be read has nothing, and of whom something was known that stays.
func perUser(poll saas.PollFunc) saas.PollFunc {
	return func(ctx context.Context, r *saas.Run) error {
		var before walked
		r.Mark(&before)
		err := ofOne(poll(ctx, r))
		switch {
		case err == nil:
			return r.Commit(walked{true})
		case saas.Is(err, saas.Missing) && !before.Known:
			r.Done()
			return r.Commit(nil)
		}
		return err
	}
}

// ofOne makes a refusal one of the object that was asked for, unless a scope was not granted.
func ofOne(err error) error {
	if saas.Is(err, saas.Denied) && !ungranted(err) && !slices.Contains(scopeless, saas.Code(err)) {
		return &saas.Error{Outcome: saas.Missing, Code: saas.Code(err), Err: err}
	}
	return err
}

// scopeless are the reasons of refusals that mean everybody.
var scopeless = []string{"insufficientPermissions", "insufficient_scope", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "accessNotConfigured",
	"SERVICE_DISABLED"}

// readMembersOf reads the members of a group, which do not say whose they are.
func readMembersOf(ctx context.Context, r *saas.Run) error {
	group := r.Item().Key
	at := directory + "groups/" + url.PathEscape(group) + "/members?maxResults=200&includeDerivedMembership=false"
	of := saas.Join("id", saas.Quote(group))
	return saas.List(func(*saas.Run) saas.Req { return saas.Req{URL: at} }, func(p *saas.Reply) saas.Rows {
		return saas.Sift(p.JSON("members"), func(row json.RawMessage) json.RawMessage { return saas.Join("group member", of, row) })
	}, following(at, ""))(ctx, r)
}

// readAssignments reads who holds which role, with the role.
func (c *Config) readAssignments(ctx context.Context, r *saas.Run) error {
	known := map[string]json.RawMessage{}
	err := each(ctx, r, c.rolesURL()+"/roles?maxResults=100", "", "items", func(row json.RawMessage) {
		known[saas.TextAt(row, "roleId")] = saas.Join("roleName isSuperAdminRole isSystemRole", saas.Member(row, "roleName"),
			saas.Member(row, "isSuperAdminRole"), saas.Member(row, "isSystemRole"))
	})
	if err != nil {
		return err
	}
	at := c.rolesURL() + "/roleassignments?maxResults=200"
	return saas.List(func(*saas.Run) saas.Req { return saas.Req{URL: at} }, func(p *saas.Reply) saas.Rows {
		return saas.Sift(p.JSON("items"), func(row json.RawMessage) json.RawMessage {
			return saas.Join("assignment role", row, known[saas.TextAt(row, "roleId")])
		})
	}, following(at, ""))(ctx, r)
}

const maxPages = 1000 // of a list that is read whole

// each calls f for the rows of a list that is read whole.
func each(ctx context.Context, d saas.Doer, at, as, path string, f func(json.RawMessage)) error {
	q := saas.Req{URL: at, As: as}
	for range maxPages {
		p, err := d.Do(ctx, q)
		if err != nil {
			return err
		}
		for row, err := range p.JSON(path) {
			if err != nil {
				return err
			}
			f(row)
		}
		var more bool
		if q, more = following(at, as)(p, nil); !more {
			return nil
		}
	}
	return &saas.Error{Outcome: saas.Invalid, Req: "GET " + at, Msg: "the list has no end"}
}

// ofUser: what everybody has, also who is suspended: what he has stays.
func (c *Config) ofUser(v *event.Values) []saas.Item {
	id, email := strings.Clone(v.Str(uID)), strings.Clone(v.Str(uEmail))
	l := lead{As: email}
	items := []saas.Item{{Stream: "grants", Key: id}, {Stream: "app_passwords", Key: id}, l.item("files", id)}
	if slices.ContainsFunc(c.Files.Follow, func(f string) bool { return strings.EqualFold(f, email) }) {
		items = append(items, l.item("changes", id))
	}
	return items
}

func ofGroup(v *event.Values) []saas.Item {
	return []saas.Item{{Stream: "group_members", Key: strings.Clone(v.Str(0))}}
}

func mapUser(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "user", v.Str(uID), "iam", "user", "info")
	yes := func(slot int) bool { b, _ := v.Bool(slot); return b }
	status := "active"
	switch {
	case yes(uArchived):
		status = "deprovisioned"
	case yes(uSuspended):
		status = "suspended"
	}
	r.Str("saas.entity.status", status)
	r.Bool("saas.entity.is_admin", yes(uAdmin) || yes(uDelegated))
	if last, ok := v.Time(uLast); ok && last.Unix() > 0 { // else he never signed in
		r.Date("saas.entity.last_login", last)
		r.Date("entity.lifecycle.last_activity", last)
	}
	return nil
}

// mapMember maps one membership: of a user, of a group or of everybody.
func mapMember(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "group_member", v.Str(mGroup)+"/"+v.Str(mID), "iam", "group", "info")
	kind := strings.ToLower(v.Str(mType))
	r.Str("entity.name", v.Str(mEmail))
	if kind == "user" {
		r.Str("user.id", v.Str(mID))
		setUser(r, "user.", v.Str(mEmail))
	}
	r.Relate("granted_to", cmp.Or(kind, "user"), v.Str(mID))
	r.Relate("member_of", "group", v.Str(mGroup))
	return nil
}

func mapRole(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "role", v.Str(rID), "iam", "admin", "info")
	r.Bool("saas.role.privileged", true)
	for p := range event.Elems(v.Bytes(rPrivileges)) {
		r.Strs("saas.grant.scopes", saas.TextAt(p, "privilegeName"))
	}
	return nil
}

func mapAssignment(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "role_assignment", v.Str(sID), "iam", "admin", "info")
	r.Bool("saas.role.privileged", true)
	kind := cmp.Or(v.Str(sToType), "user")
	if kind == "group" {
		r.Str("group.id", v.Str(sTo))
	} else {
		r.Str("user.id", v.Str(sTo))
	}
	r.Relate("assigned_to", kind, v.Str(sTo))
	if unit := v.Str(sUnit); unit != "" {
		r.Relate("manages", "org_unit", unit)
	}
	return nil
}

func mapGrant(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "app_grant", v.Str(gUser)+"/"+v.Str(gClient), "iam", "user", "info")
	if anonymous, ok := v.Bool(gAnonymous); ok {
		r.Bool("saas.app.verified", !anonymous)
	}
	r.Relate("granted_to", "application", v.Str(gClient))
	r.Relate("part_of", "user", v.Str(gUser))
	return nil
}

func mapPassword(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "credential", v.Str(0)+"/"+v.Str(1), "iam", "user", "info")
	r.Str("saas.credential.type", "app_password")
	for i, name := range []string{"entity.lifecycle.created", "saas.entity.last_used"} { // in milliseconds; 0 = never
		if ms, ok := v.Int(3 + i); ok && ms > 0 {
			r.Date(name, time.UnixMilli(ms))
		}
	}
	r.Relate("part_of", "user", v.Str(0))
	return nil
}

// bare maps what the table says all of.
func bare(kind, category string, types ...string) mapFunc {
	return func(v *event.Values, add func() *event.Record) error {
		saas.NewEntity(add, kind, v.Str(0), category, types...)
		return nil
	}
}
