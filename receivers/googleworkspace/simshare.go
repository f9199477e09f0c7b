package googleworkspace

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// shareRoutes answer about permissions. https://developers.google.com/workspace/drive/api/guides/manage-sharing
func (s *simOrg) shareRoutes(add simAdd) {
	const all, one = "/drive/v3/files/{file}/permissions", "/drive/v3/files/{file}/permissions/{permission}"
	const read = "drive.metadata.readonly drive.metadata drive.readonly drive"
	add("GET "+all, read, s.onFile("writer", "reader", func(a *simAsk) (any, *simNo) {
		usual := 100 // for My Drive all, where no size is asked for
		if n := len(s.tree.held(a.f)); a.f.home.user != nil {
			usual = max(1, n)
		}
		return simPaged(s, a.simCall, "permissions", "drive#permissionList", s.tree.held(a.f), usual, 100,
			func(p simHeld) obj { return s.permission(a.f, p) })
	}))
	add("GET "+one, read, s.onFile("writer", "reader", func(a *simAsk) (any, *simNo) {
		p, no := s.held(a)
		if no != nil {
			return nil, no
		}
		return s.permission(a.f, *p), nil
	}))
	add("POST "+all, "drive", s.onFile("writer", "fileOrganizer", s.share))
	add("PATCH "+one, "drive", s.onFile("writer", "fileOrganizer", s.reshare))
	add("DELETE "+one, "drive", s.onFile("reader", "", s.unshare))
}

// permission is one as who may share sees it. Where an inherited one is from is only told in shared drives.
func (s *simOrg) permission(f *simFile, p simHeld) obj {
	out := obj{"kind": "drive#permission", "id": p.id, "type": p.kind, "role": p.role}
	switch p.kind {
	case "user", "group":
		out["emailAddress"], out["deleted"] = p.email, false
		out["displayName"] = p.email
		if u := s.byKey[p.email]; u != nil {
			out["displayName"], out["deleted"] = u.given+" "+u.family, !u.deleted.IsZero()
		}
		if p.kind == "user" {
			out["pendingOwner"] = false
		}
	case "domain":
		out["domain"], out["displayName"], out["allowFileDiscovery"] = p.domain, "Contoso", p.discover
	default:
		out["allowFileDiscovery"] = p.discover
	}
	if !p.expires.IsZero() {
		out["expirationTime"] = simTime(p.expires)
	}
	details := []obj{}
	if p.direct {
		details = append(details, obj{"permissionType": "file", "role": p.role, "inherited": false})
	}
	for _, from := range p.from {
		d := obj{"permissionType": "file", "role": from.role, "inherited": true}
		if f.home.user == nil {
			if d["inheritedFrom"] = from.id; from.id == f.home.id {
				d["permissionType"] = "member"
			}
		}
		details = append(details, d)
	}
	out["permissionDetails"] = details
	return out
}

// held is the permission that the path names.
func (s *simOrg) held(a *simAsk) (*simHeld, *simNo) {
	all := s.tree.held(a.f)
	i := slices.IndexFunc(all, func(p simHeld) bool { return p.id == a.path("permission") })
	if i < 0 {
		return nil, &simNo{http.StatusNotFound, "notFound", "Permission not found: " + a.path("permission") + ".", "permissionId"}
	}
	return &all[i], nil
}

// simShare is the body of a request about a permission.
type simShare struct {
	Type, Role, EmailAddress, Domain string
	AllowFileDiscovery               bool
	ExpirationTime                   string
}

// mayShare says why who asks may not change permissions of the file.
func (a *simAsk) mayShare() *simNo {
	switch {
	case a.f.shareless && a.role == "writer":
		return simForbid("cannotShareFile", "The owner does not let writers share the file.")
	case a.f.home.user != nil && simRank(a.role) < simRank("writer"), a.f.home.user == nil && simRank(a.role) < simRank("fileOrganizer"):
		return simWeak()
	}
	return nil
}

// share is POST /permissions.
func (s *simOrg) share(a *simAsk) (any, *simNo) {
	var in simShare
	no := a.into(&in)
	if no == nil {
		no = a.mayShare()
	}
	p := simPerm{kind: in.Type, role: in.Role, email: in.EmailAddress, domain: in.Domain, discover: in.AllowFileDiscovery}
	drive := a.f.home.user == nil
	switch {
	case no != nil:
		return nil, no
	case in.Type == "user" || in.Type == "group":
		p.id, p.domain, p.discover = simPermID(p.email), "", false
	case in.Type == "domain":
		p.id, p.email = simPermID(p.domain)+"k", ""
	case in.Type == "anyone":
		p.id, p.email, p.domain = map[bool]string{true: "anyone", false: "anyoneWithLink"}[p.discover], "", ""
	}
	switch rank := simRank(in.Role); {
	case p.id == "" || rank < 1:
		return nil, simBad("required", "The permission type and role fields are required.")
	case (in.Type == "user" || in.Type == "group") && !strings.Contains(p.email, "@"), in.Type == "domain" && p.domain == "":
		return nil, simBad("invalidSharingRequest", "Bad Request. User message: \"The address or domain is missing.\"")
	case in.Role == "owner" && (drive || !a.yes("transferOwnership")):
		return nil, simForbid("forbidden", "The transferOwnership parameter must be enabled when the permission role is 'owner'.")
	case in.Role == "owner" && a.query("sendNotificationEmail") == "false":
		return nil, simForbid("forbidden", "sendNotificationEmail may not be false for a transfer of ownership.")
	case !drive && rank > simRank("writer") && in.Role != "owner":
		return nil, simForbid("organizerOnNonTeamDriveItemNotSupported", "The role is only valid in shared drives.")
	case p.email == "" && rank > simRank("writer"):
		return nil, simBad("invalid", "The role is not valid for this type.")
	}
	if p.expires, no = simExpiry(in.ExpirationTime); no != nil {
		return nil, no
	}
	f := s.tree.edit(a.f)
	if i := slices.IndexFunc(f.perms, func(o simPerm) bool { return o.id == p.id }); i >= 0 {
		f.perms[i] = p
	} else {
		f.perms = append(f.perms, p)
	}
	if p.email != "" && !slices.Contains(s.tree.guests[p.email], f.id) {
		s.tree.guests[p.email] = append(s.tree.guests[p.email], f.id)
	}
	s.shared(a, f, p, "none", p.role)
	return s.shown(a, f, p.id)
}

func simExpiry(text string) (time.Time, *simNo) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, simInvalid("expirationTime", text)
	}
	return t, nil
}

// shown is the permission after a change.
func (s *simOrg) shown(a *simAsk, f *simFile, id string) (any, *simNo) {
	for _, p := range s.tree.held(f) {
		if p.id == id {
			return s.permission(f, p), nil
		}
	}
	return nil, &simNo{http.StatusNotFound, "notFound", "Permission not found: " + id + ".", "permissionId"}
}

// shared tells that a permission changed.
func (s *simOrg) shared(a *simAsk, f *simFile, p simPerm, before, now string) {
	said := map[string]string{"none": "none", "reader": "can_view", "commenter": "can_comment", "writer": "can_edit", "owner": "owner"}
	change := []string{"old_value*=" + said[before], "new_value*=" + said[now]}
	if p.email != "" {
		s.changed(a.simCall, f, "acl_change", "change_user_access", append(change, "target_user="+p.email)...)
		return
	}
	target := "all"
	if p.domain != "" {
		target = p.domain
	}
	change = append(change, "target_domain="+target, "visibility_change=external")
	s.changed(a.simCall, f, "acl_change", "change_document_visibility", change...)
}

// reshare is PATCH of a permission, whose type cannot change.
func (s *simOrg) reshare(a *simAsk) (any, *simNo) {
	var in simShare
	no := a.into(&in)
	if no == nil {
		no = a.mayShare()
	}
	var p *simHeld
	if no == nil {
		p, no = s.held(a)
	}
	switch {
	case no != nil:
		return nil, no
	case in.Type != "" || in.EmailAddress != "" || in.Domain != "":
		return nil, simForbid("fieldNotWritable", "The resource body includes fields which are not directly writable.")
	case !p.direct || p.role == "owner":
		return nil, simInherited()
	case in.Role != "" && (simRank(in.Role) < 1 || in.Role == "owner"):
		return nil, simInvalid("role", in.Role)
	}
	f := s.tree.edit(a.f)
	i := slices.IndexFunc(f.perms, func(o simPerm) bool { return o.id == p.id })
	before := f.perms[i].role
	if in.Role != "" {
		f.perms[i].role = in.Role
	}
	if in.ExpirationTime != "" {
		if f.perms[i].expires, no = simExpiry(in.ExpirationTime); no != nil {
			return nil, no
		}
	}
	if a.yes("removeExpiration") {
		f.perms[i].expires = time.Time{}
	}
	s.shared(a, f, f.perms[i], before, f.perms[i].role)
	return s.shown(a, f, p.id)
}

func simInherited() *simNo {
	return simForbid("cannotModifyInheritedPermission", "Cannot update or delete an inherited permission.")
}

// unshare is DELETE of a permission. Everybody may give up their own.
func (s *simOrg) unshare(a *simAsk) (any, *simNo) {
	p, no := s.held(a)
	if no == nil && p.email != a.by.email {
		no = a.mayShare()
	}
	switch {
	case no != nil:
		return nil, no
	case p.role == "owner":
		return nil, simForbid("forbidden", "The owner of a file cannot be removed.")
	case !p.direct:
		return nil, simInherited()
	}
	f := s.tree.edit(a.f)
	s.shared(a, f, p.simPerm, p.role, "none") // while who loses it still has it
	f.perms = slices.DeleteFunc(f.perms, func(o simPerm) bool { return o.id == p.id })
	return nil, nil
}
