package box

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	maxOffset = 10_000 // the vendor lists nothing beyond it

	inventorySet = "box.inventory"

	usersURL = "/users?user_type=managed&usemarker=true&limit=1000&fields=id,type,name,login,status,role,created_at,modified_at," +
		"enterprise,is_external_collab_restricted,is_exempt_from_login_verification,is_platform_access_only,external_app_user_id,job_title"
	adminsURL = "/users?user_type=managed&usemarker=true&limit=1000&fields=id,type,name,login,role,created_at"
	groupsURL = "/groups?fields=id,type,name,group_type,description,provenance,external_sync_identifier,invitability_level," +
		"member_viewability_level,created_at,modified_at&"
)

// Slots of the tables of users.
const (
	uID = iota
	uRole
	uLogin
	uStatus
	uPlatform
)

// Slots of the table of memberships.
const (
	mID = iota
	mRole
	mUser
	mGroup
	mGroupName
	mAdmin
)

var (
	userFields = event.Table{
		uID: {"id", "user.id"}, uRole: {"role", "user.roles"}, uLogin: {"login", "user.name user.email entity.name"},
		uStatus: {"status", ""}, uPlatform: {"is_platform_access_only", ""}, {"name", "user.full_name entity.display_name"},
		{"created_at", "entity.lifecycle.created"}, {"modified_at", "entity.lifecycle.changed"},
	}
	adminFields = event.Table{
		uID: {"id", "user.id"}, uRole: {"role", "saas.role.id saas.role.name entity.name"}, uLogin: {"login", "user.name user.email"},
		{"name", "user.full_name"},
	}
	groupFields = event.Table{
		{"id", "group.id"}, {"name", "group.name entity.name"}, {"group_type", "entity.sub_type"}, {"provenance", "entity.source"},
		{"member_viewability_level", "saas.entity.visibility"}, {"created_at", "entity.lifecycle.created"},
		{"modified_at", "entity.lifecycle.changed"},
	}
	memberFields = event.Table{
		mID: {"member.id", ""}, mRole: {"member.role", ""}, mUser: {"member.user.id", "user.id"}, mGroup: {"member.group.id", "group.id"},
		mGroupName: {"member.group.name", "group.name"}, mAdmin: {"as", ""}, {"member.user.login", "user.name user.email entity.name"},
		{"member.user.name", "user.full_name"}, {"member.created_at", "entity.lifecycle.created"},
		{"member.modified_at", "entity.lifecycle.changed"},
	}
)

// inventoryStreams are accounts, groups, privileges, files and what is in them.
func inventoryStreams(c *Config) []saas.Stream {
	f := &files{}
	all := []saas.Stream{
		{Name: "users", Kind: saas.Accounts, Every: time.Hour, Needs: []string{"manage_managed_users"},
			Gives: []saas.Capability{saas.ListAccounts}, Docs: reference + "get-users",
			Poll:   listed(usersURL, entries),
			Fields: userFields, Key: saas.KeyOf(1), Map: mapUser, Items: c.ofUser},
		{Name: "groups", Kind: saas.Accounts, Every: time.Hour, Needs: []string{"manage_groups"}, Gives: []saas.Capability{saas.ListGroups},
			Docs: reference + "get-groups", Poll: numbered(func(*saas.Run) string { return groupsURL }, emit),
			Fields: groupFields, Key: saas.KeyOf(1), Map: mapGroup, Items: ofGroup},
		{Name: "group_members", Kind: saas.Accounts, Over: "groups", Every: 6 * time.Hour, Width: 2, Needs: []string{"manage_groups"},
			Gives: []saas.Capability{saas.ListGroups, saas.ListPrivileges}, Docs: reference + "get-groups-id-memberships",
			Poll:   numbered(func(r *saas.Run) string { return "/groups/" + r.Item().Key + "/memberships?" }, emitMember),
			Fields: memberFields, Key: saas.KeyOf(1), Map: mapMember},
		{Name: "privileges", Kind: saas.Grants, Every: 6 * time.Hour, Needs: []string{"manage_managed_users"},
			Gives: []saas.Capability{saas.ListPrivileges}, Docs: reference + "get-users",
			Poll:   listed(adminsURL, admins),
			Fields: adminFields, Key: saas.KeyOf(2), Map: mapAdmin},
		c.ofFiles(saas.Stream{Name: "files", Kind: saas.Files, Over: "users", Every: c.Files.ScanEvery, Width: 24,
			Gives: []saas.Capability{saas.PeriodicDLP, saas.SharingControl}, Docs: reference + "get-folders-id-items",
			Poll: f.from(everything), Items: contentOf}),
		c.ofFiles(saas.Stream{Name: "trash", Kind: saas.Files, Over: "users", Every: day, Width: 4,
			Gives: []saas.Capability{saas.FileGovernance}, Docs: reference + "get-folders-trash-items",
			Poll: f.from(bin), Items: contentOf}),
		c.ofFiles(saas.Stream{Name: "content", Kind: saas.Content, Over: "files", Width: 48, Abreast: 2,
			Gives: []saas.Capability{saas.PeriodicDLP, saas.RealTimeDLP}, Docs: reference + "get-files-id-content", Poll: f.touched}),
	}
	if c.Files.SkipTrash {
		all = append(all[:5:5], all[6])
	}
	for i := range all {
		all[i].Dataset = inventorySet
	}
	return all
}

// ofFiles is a stream of files: read as their owners.
func (c *Config) ofFiles(s saas.Stream) saas.Stream {
	s.Needs = []string{"root_readonly|root_readwrite"}
	s.Fields, s.Key, s.Map = fileFields, saas.KeyOf(2), c.mapFile
	return s
}

func emit(r *saas.Run, row json.RawMessage) error { return r.Emit("", row) }

// listed reads a list by markers.
func listed(url string, rows func(*saas.Reply) saas.Rows) saas.PollFunc {
	return saas.List(func(*saas.Run) saas.Req { return saas.Req{URL: url} }, rows, func(p *saas.Reply, _ json.RawMessage) (saas.Req, bool) {
		at := place{Marker: p.Field("next_marker")}
		return at.on(saas.Req{URL: url}), at.Marker != ""
	})
}

func entries(p *saas.Reply) saas.Rows { return p.JSON("entries") }

// admins leaves out whom the enterprise gave no role.
func admins(p *saas.Reply) saas.Rows {
	return saas.Sift(entries(p), func(row json.RawMessage) json.RawMessage {
		if saas.TextAt(row, "role") == "user" {
			return nil
		}
		return row
	})
}

// emitMember emits a membership and, of who administers the group, also that privilege.
func emitMember(r *saas.Run, row json.RawMessage) error {
	if err := r.Emit("", saas.Join("member", row)); err != nil || saas.TextAt(row, "role") != "admin" {
		return err
	}
	return r.Emit(saas.TextAt(row, "id")+"#1", saas.Join("member as", row, saas.Quote("admin")))
}

// ofUser: what everybody has, also who was deactivated: his files stay.
func (c *Config) ofUser(v *event.Values) []saas.Item {
	id := strings.Clone(v.Str(uID))
	if c.Files.SkipTrash {
		return []saas.Item{{Stream: "files", Key: id}}
	}
	return []saas.Item{{Stream: "files", Key: id}, {Stream: "trash", Key: id}}
}

func ofGroup(v *event.Values) []saas.Item {
	return []saas.Item{{Stream: "group_members", Key: strings.Clone(v.Str(0))}}
}

func mapGroup(v *event.Values, add func() *event.Record) error {
	saas.NewEntity(add, "group", v.Str(0), "iam", "group", "info")
	return nil
}

// userStates are the common words for Box's states; who may not delete or upload can still sign in.
var userStates = map[string]string{"inactive": "suspended", "cannot_delete_edit": "active", "cannot_delete_edit_upload": "active"}

func mapUser(v *event.Values, add func() *event.Record) error {
	kind := "user"
	if app, _ := v.Bool(uPlatform); app {
		kind = "service_account"
	}
	r := saas.NewEntity(add, kind, v.Str(uID), "iam", "user", "info")
	status := v.Str(uStatus)
	if s := userStates[status]; s != "" {
		status = s
	}
	r.Str("saas.entity.status", status)
	r.Bool("saas.entity.is_admin", v.Str(uRole) == "admin" || v.Str(uRole) == "coadmin")
	return nil
}

// mapMember maps one membership, or the privilege that comes with it.
func mapMember(v *event.Values, add func() *event.Record) error {
	if v.Has(mAdmin) {
		r := saas.NewEntity(add, "role_assignment", "group/"+v.Str(mGroup)+"/"+v.Str(mUser), "iam", "admin", "info")
		r.Str("saas.role.id", "group_admin")
		r.Str("saas.role.name", "group admin")
		r.Str("saas.role.scope", v.Str(mGroupName))
		r.Bool("saas.role.privileged", true)
		r.Relate("assigned_to", "user", v.Str(mUser))
		r.Relate("manages", "group", v.Str(mGroup))
		return nil
	}
	r := saas.NewEntity(add, "group_member", v.Str(mID), "iam", "group", "info")
	r.Str("entity.sub_type", v.Str(mRole))
	r.Relate("granted_to", "user", v.Str(mUser))
	r.Relate("member_of", "group", v.Str(mGroup))
	return nil
}

// mapAdmin maps the role of an administrator. Which rights a co-administrator has Box does not tell.
func mapAdmin(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "role_assignment", "user/"+v.Str(uID)+"/"+v.Str(uRole), "iam", "admin", "info")
	r.Bool("saas.role.privileged", true)
	r.Str("saas.role.scope", "enterprise")
	r.Relate("assigned_to", "user", v.Str(uID))
	return nil
}

// count is the mark of a list by numbers.
type count struct {
	At    int    `json:"at,omitempty"`
	Total int    `json:"total,omitempty"` // of the rows, when the walk began
	Moved bool   `json:"moved,omitempty"` // rows came or went since: one may have been missed
	Told  string `json:"told,omitempty"`  // what was reported as out of reach
}

// numbered reads a list by the numbers of its rows: Box gives no markers for groups and their members, and at most 10,000
// rows. A walk in which rows moved deletes nothing.
func numbered(path func(*saas.Run) string, each func(*saas.Run, json.RawMessage) error) saas.PollFunc {
	return func(ctx context.Context, r *saas.Run) error {
		var m count
		r.Mark(&m)
		for {
			step, total, err := numberedPage(ctx, r, path(r)+"limit=1000&offset="+strconv.Itoa(m.At), each)
			if err != nil {
				return err
			}
			if m.At == 0 {
				m.Total = total
			}
			m.Moved = m.Moved || m.Total != total
			if m.At += step; m.At >= total {
				if !m.Moved {
					r.Done()
				}
				return r.Commit(count{})
			}
			if m.At > maxOffset {
				what, _, _ := strings.Cut(path(r), "?")
				why := fmt.Sprintf("%s: %d of %d are listed, Box gives no more", what, m.At, total)
				if why != m.Told {
					r.Gap(r.Now(), r.Now(), why)
				}
				return r.Commit(count{Told: why})
			}
			if err := r.Commit(m); err != nil {
				return err
			}
		}
	}
}

// numberedPage emits a page and says by how much it went on, of how many rows.
func numberedPage(ctx context.Context, r *saas.Run, url string, each func(*saas.Run, json.RawMessage) error) (step, total int, err error) {
	p, err := r.Do(ctx, saas.Req{URL: url})
	if err != nil {
		return 0, 0, err
	}
	for row, err := range p.JSON("entries") {
		if err == nil {
			err = each(r, row)
		}
		if err != nil {
			return 0, 0, err
		}
	}
	total, err = strconv.Atoi(p.Field("total_count"))
	if step, _ = strconv.Atoi(p.Field("limit")); err != nil || step <= 0 {
		return 0, 0, &saas.Error{Outcome: saas.Unavailable, Req: url,
			Msg: "the page does not say how many rows there are and how many it may hold"}
	}
	return step, total, nil
}
