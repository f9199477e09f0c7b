package office365

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// permissions are those of the item and those that folders give it.
func (s *simOrg) permissions(it *simItem) []simObj {
	out := []simObj{}
	for _, p := range it.perms {
		out = append(out, s.permission(p, nil))
	}
	all, from := s.inherited(it)
	for i, p := range all {
		out = append(out, s.permission(p, from[i]))
	}
	return out
}

// permission is one as Graph shows it; from = the folder that it is inherited from.
func (s *simOrg) permission(p *simPerm, from *simItem) simObj {
	o := simObj{"id": p.id, "roles": []string{p.role}}
	who := func() simObj {
		if p.group != "" {
			return simObj{"siteGroup": simObj{"id": "5", "displayName": p.group, "loginName": p.group}}
		}
		u := s.identity(p.user)
		login := simObj{"id": "12", "displayName": u["displayName"], "loginName": "i:0#.f|membership|" + u["email"].(string), "email": u["email"]}
		return simObj{"user": u, "siteUser": login}
	}
	switch {
	case p.scope != "":
		o["link"] = simObj{"scope": p.scope, "type": p.kind, "webUrl": s.linkURL(p), "preventsDownload": false}
		o["shareId"], o["hasPassword"] = "u!"+base64.RawURLEncoding.EncodeToString([]byte(s.linkURL(p))), p.password
		if p.user != "" {
			o["grantedToIdentitiesV2"] = []simObj{who()}
		}
	default:
		o["grantedToV2"] = who()
	}
	if !p.expires.IsZero() {
		o["expirationDateTime"] = simStamp(p.expires)
	}
	if from != nil {
		o["inheritedFrom"] = s.reference(from)
	}
	return o
}

func (s *simOrg) linkURL(p *simPerm) string {
	return "https://" + s.domain + "-my.sharepoint.com/:x:/g/personal/E" + p.id
}

// shareRoutes are what shows and changes who may see an item.
func (s *simOrg) shareRoutes(add simAdd) {
	on := s.onItem(add)
	on("GET /permissions", simReadFiles, func(c *simCall, it *simItem) (int, any) {
		return s.list(c, "permissions", s.permissions(it), 200, 999)
	})
	own := func(h func(c *simCall, it *simItem, i int) (int, any)) func(c *simCall, it *simItem) (int, any) {
		return func(c *simCall, it *simItem) (int, any) {
			id := c.path("permission")
			if i := slices.IndexFunc(it.perms, func(p *simPerm) bool { return p.id == id }); i >= 0 {
				return h(c, it, i)
			}
			all, _ := s.inherited(it)
			if slices.ContainsFunc(all, func(p *simPerm) bool { return p.id == id }) {
				return 0, simNo{http.StatusForbidden, "accessDenied", "The permission is inherited and can only be changed where it comes from"}
			}
			return 0, simMissing
		}
	}
	on("GET /permissions/{permission}", simReadFiles, own(func(_ *simCall, it *simItem, i int) (int, any) {
		return http.StatusOK, s.permission(it.perms[i], nil)
	}))
	on("DELETE /permissions/{permission}", simWriteFiles, own(func(_ *simCall, it *simItem, i int) (int, any) {
		if it.perms[i].locked {
			return 0, simNo{http.StatusForbidden, "accessDenied", "The owner cannot be removed"}
		}
		it.perms = slices.Delete(it.perms, i, i+1)
		s.changedItem(it, true)
		return http.StatusNoContent, nil
	}))
	on("PATCH /permissions/{permission}", simWriteFiles, own(s.patchPermission))
	on("POST /createLink", simWriteFiles, s.createLink)
	on("POST /invite", simWriteFiles, s.invite)
	add("GET /v1.0/shares/{share}/driveItem", simWriteFiles, func(c *simCall) (int, any) {
		it := s.shared(c.path("share"))
		if it == nil {
			return 0, simMissing
		}
		return s.showItem(c, it)
	})
	add("POST /beta/shares/{share}/permission/revokeGrants", simWriteFiles, s.revokeGrants)
}

// shared is the item whose URL, or link, is encoded in what names a share; nil = there is none.
func (s *simOrg) shared(share string) *simItem {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(share, "u!"))
	if err != nil {
		return nil
	}
	plain := func(v string) string {
		if p, err := url.PathUnescape(v); err == nil {
			return p
		}
		return v
	}
	want := string(b)
	for _, it := range s.items {
		if s.live(it) && (plain(s.url(it)) == plain(want) || slices.ContainsFunc(it.perms, func(p *simPerm) bool {
			return p.scope != "" && s.linkURL(p) == want
		})) {
			return it
		}
	}
	return nil
}

// patchPermission changes the role of a person, or when an anonymous link ends.
func (s *simOrg) patchPermission(c *simCall, it *simItem, i int) (int, any) {
	in, no := simRead[struct {
		Roles   []string
		Expires *time.Time `json:"expirationDateTime"`
	}](c)
	p := it.perms[i]
	switch {
	case no != nil:
		return 0, no
	case len(in.Roles) > 1 || len(in.Roles) == 1 && in.Roles[0] != "read" && in.Roles[0] != "write":
		return 0, simBad("Invalid role")
	case p.scope != "" && (len(in.Roles) > 0 || p.scope != "anonymous"), p.locked:
		return 0, simNo{http.StatusBadRequest, "notSupported", "Operation not supported"}
	}
	if len(in.Roles) == 1 {
		p.role = in.Roles[0]
	}
	if in.Expires != nil {
		p.expires = *in.Expires
	}
	s.changedItem(it, true)
	return http.StatusOK, s.permission(p, nil)
}

// createLink makes a link, or gives one that is there.
func (s *simOrg) createLink(c *simCall, it *simItem) (int, any) {
	in, no := simRead[struct{ Type, Scope, Password string }](c)
	switch {
	case no != nil:
		return 0, no
	case in.Type != "view" && in.Type != "edit" || !slices.Contains([]string{"anonymous", "organization", "users"}, in.Scope):
		return 0, simBad("The type or the scope of the link is not one of those supported")
	}
	for _, p := range it.perms {
		if p.scope == in.Scope && p.kind == in.Type && in.Scope != "users" {
			return http.StatusOK, s.permission(p, nil)
		}
	}
	p := s.newLink(in.Scope, in.Type)
	p.password = in.Password != ""
	it.perms = append(it.perms, p)
	s.changedItem(it, true)
	return http.StatusCreated, s.permission(p, nil)
}

// invite gives people a role.
func (s *simOrg) invite(c *simCall, it *simItem) (int, any) {
	in, no := simRead[struct {
		Recipients                 []struct{ Email, ObjectID string }
		Roles                      []string
		SignIn, SendInvitation     bool
		RetainInheritedPermissions *bool
	}](c)
	if no == nil && (len(in.Recipients) == 0 || len(in.Roles) != 1 || in.Roles[0] != "read" && in.Roles[0] != "write") {
		no = simBad("Recipients and one role of read or write are required")
	}
	if no != nil {
		return 0, no
	}
	made := []simObj{}
	for _, r := range in.Recipients {
		who := r.ObjectID
		if who == "" {
			who = r.Email
			for _, u := range s.users {
				if strings.EqualFold(u.mail, r.Email) || strings.EqualFold(u.upn, r.Email) {
					who = u.id
				}
			}
		}
		i := slices.IndexFunc(it.perms, func(p *simPerm) bool { return p.scope == "" && p.user == who })
		if i < 0 {
			i = len(it.perms)
			it.perms = append(it.perms, &simPerm{id: s.permID(), user: who})
		}
		it.perms[i].role = in.Roles[0]
		made = append(made, s.permission(it.perms[i], nil))
	}
	s.changedItem(it, true)
	return http.StatusOK, simObj{"@odata.context": simContext + "Collection(permission)", "value": made}
}

// revokeGrants takes people out of a link. https://learn.microsoft.com/graph/api/permission-revokegrants
func (s *simOrg) revokeGrants(c *simCall) (int, any) {
	in, no := simRead[struct {
		Grantees []struct{ Email, ObjectID string }
	}](c)
	it := s.shared(c.path("share"))
	switch {
	case no != nil:
		return 0, no
	case it == nil:
		return 0, simMissing
	}
	for _, p := range it.perms {
		if "u!"+base64.RawURLEncoding.EncodeToString([]byte(s.linkURL(p))) != c.path("share") {
			continue
		}
		for _, g := range in.Grantees {
			if p.user != "" && (strings.EqualFold(s.identity(p.user)["email"].(string), g.Email) || p.user == g.ObjectID) {
				p.user = ""
			}
		}
		s.changedItem(it, true)
		return http.StatusOK, s.permission(p, nil)
	}
	return 0, simMissing
}

// simLabels are the sensitivity labels of the tenant, by what they are called.
var simLabels = []struct{ id, name string }{{"b7a1c9d0-4f1c-4a7e-9a55-6f0f9b2f7a11", "Public"},
	{"c3e5d1ab-9a70-4f0d-8c1e-2b6c4a9d7e22", "Internal"}, {"d9f0b2c4-7b1e-4c58-bb3a-5e8d6c1f0a33", "Confidential"},
	{"e1a2c3d4-5c6f-4e7a-ad9b-8c7f0e2b1d44", "Highly Confidential"}}

// labelRoutes are sensitivity labels. https://learn.microsoft.com/graph/api/driveitem-assignsensitivitylabel
func (s *simOrg) labelRoutes(on simOn, add simAdd) {
	on("POST /extractSensitivityLabels", simReadFiles, func(_ *simCall, it *simItem) (int, any) {
		labels := []simObj{}
		if s.odd.locked[it.id] {
			return 0, simNo{http.StatusLocked, "fileDoubleKeyEncrypted", "The file is protected by a double key"}
		}
		if id := it.labelAt(s.o.Now()); id != "" {
			labels = append(labels, simObj{"sensitivityLabelId": id, "assignmentMethod": "standard", "tenantId": s.id})
		}
		return http.StatusOK, simObj{"@odata.context": simContext + "microsoft.graph.extractSensitivityLabelsResult", "labels": labels}
	})
	on("POST /assignSensitivityLabel", "Files.ReadWrite.All", func(c *simCall, it *simItem) (int, any) {
		in, no := simRead[struct{ SensitivityLabelID, AssignmentMethod, JustificationText string }](c)
		now := s.o.Now()
		rank := func(id string) int {
			return slices.IndexFunc(simLabels, func(l struct{ id, name string }) bool { return l.id == id })
		}
		ext := it.name[strings.LastIndexByte(it.name, '.')+1:]
		if no == nil && (it.folder || !slices.Contains([]string{"docx", "xlsx", "pptx", "pdf"}, ext)) {
			no = simNo{http.StatusBadRequest, "notSupported", "The file type is not supported"}
		}
		switch {
		case no != nil:
			return 0, no
		case in.SensitivityLabelID != "" && rank(in.SensitivityLabelID) < 0:
			return 0, simBad("The label does not exist")
		case rank(in.SensitivityLabelID) < rank(it.labelAt(now)) && in.JustificationText == "":
			return 0, simBad("A justification is required to lower the label")
		}
		it.label, it.next, it.labelled = it.labelAt(now), in.SensitivityLabelID, now.Add(simWorks)
		s.touch(it, false)
		c.w.Header().Set("Location", s.work(c, &simJob{it.labelled, "AssignSensitivityLabel", it.id}))
		return http.StatusAccepted, nil
	})
	add("GET /_api/v2.0/monitor/{id}", "", s.monitor)
	add("GET /v1.0/security/dataSecurityAndGovernance/sensitivityLabels", "SensitivityLabel.Read SensitivityLabels.Read.All",
		func(c *simCall) (int, any) {
			rows := []simObj{}
			for i, l := range simLabels {
				rows = append(rows, simObj{"id": l.id, "name": l.name, "displayName": l.name, "description": "For what is " + l.name, "priority": i,
					"hasProtection": i == len(simLabels)-1, "toolTip": l.name})
			}
			return s.list(c, "security/dataSecurityAndGovernance/sensitivityLabels", rows, 100, 999)
		})
}

// labelAt is the label of the file at a time.
func (it *simItem) labelAt(now time.Time) string {
	if !it.labelled.IsZero() && !now.Before(it.labelled) {
		return it.next
	}
	return it.label
}
