package office365

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// app is a service principal as Graph shows it.
func (s *simOrg) app(a *simApp) simObj {
	roles := []simObj{}
	for _, r := range a.roles {
		roles = append(roles, simObj{"id": r.id, "value": r.value, "displayName": r.value, "description": "Allows the app to do " + r.value,
			"allowedMemberTypes": []string{"Application"}, "isEnabled": true, "origin": "Application"})
	}
	verified := simObj{"displayName": nil, "verifiedPublisherId": nil, "addedDateTime": nil}
	if a.publisher != "" {
		verified = simObj{"displayName": a.publisher, "verifiedPublisherId": strconv.Itoa(6000 + a.n), "addedDateTime": simStamp(a.created)}
	}
	kind, tags := "Application", []string{"WindowsAzureActiveDirectoryIntegratedApp"}
	if a.legacy {
		kind, tags = "Legacy", []string{}
	}
	return simObj{"id": a.id, "appId": a.app, "displayName": a.name, "appDisplayName": a.name, "accountEnabled": !a.disabled,
		"appOwnerOrganizationId": a.owner, "verifiedPublisher": verified, "tags": tags, "replyUrls": append([]string{}, a.replies...),
		"servicePrincipalType": kind, "appRoles": roles, "signInAudience": "AzureADMultipleOrgs", "homepage": nil, "notes": nil,
		"servicePrincipalNames": []string{a.app}, "appRoleAssignmentRequired": false, "deletedDateTime": nil}
}

func (g *simGrant) show() simObj {
	o := simObj{"id": g.id, "clientId": g.client, "consentType": "AllPrincipals", "principalId": nil, "resourceId": g.resource,
		"scope": g.scope}
	if g.user != "" {
		o["consentType"], o["principalId"] = "Principal", g.user
	}
	return o
}

func (s *simOrg) assignment(a *simAssigned) simObj {
	by, to := s.byID[a.app].(*simApp), s.byID[a.resource].(*simApp)
	return simObj{"id": a.id, "appRoleId": a.role, "createdDateTime": simStamp(a.created), "deletedDateTime": nil, "principalId": a.app,
		"principalDisplayName": by.name, "principalType": "ServicePrincipal", "resourceId": a.resource, "resourceDisplayName": to.name}
}

// appRoutes are service principals and what they may do.
func (s *simOrg) appRoutes(add simAdd) {
	const read, grants = "Application.Read.All Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All"
	add("GET /v1.0/servicePrincipals", read, func(c *simCall) (int, any) {
		return s.list(c, "servicePrincipals", simAll(s.apps, s.app), 100, 999)
	})
	add("GET /v1.0/servicePrincipals/{id}", read, func(c *simCall) (int, any) {
		a, no := simFind[*simApp](s, c)
		if no != nil {
			return 0, no
		}
		return s.one(c, "servicePrincipals/$entity", s.app(a), nil)
	})
	add("PATCH /v1.0/servicePrincipals/{id}", "Application.ReadWrite.All", func(c *simCall) (int, any) {
		a, no := simFind[*simApp](s, c)
		if no != nil {
			return 0, no
		}
		in, no := simRead[struct{ AccountEnabled *bool }](c)
		if no == nil && in.AccountEnabled == nil {
			no = simNo{http.StatusBadRequest, "Request_BadRequest", "Write requests must contain at least one property."}
		}
		if no == nil {
			a.disabled = !*in.AccountEnabled
			s.note("servicePrincipals", a.id)
		}
		return http.StatusNoContent, no
	})
	add("POST /v1.0/servicePrincipals", "Application.ReadWrite.All", s.addApp)
	add("GET /v1.0/oauth2PermissionGrants", "Directory.Read.All "+grants, func(c *simCall) (int, any) {
		return s.list(c, "oauth2PermissionGrants", simAll(s.grants, (*simGrant).show), 100, 999)
	})
	add("GET /v1.0/oauth2PermissionGrants/delta", "Directory.Read.All "+grants, func(c *simCall) (int, any) {
		return s.delta(c, "oauth2PermissionGrants", simAll(s.grants, (*simGrant).show))
	})
	s.grantRoutes(add, grants)
	s.assignedRoutes(add, read)
}

// assignedRoutes are application permissions, seen from who has them and from what they are of.
func (s *simOrg) assignedRoutes(add simAdd, read string) {
	for name, of := range map[string]func(a *simAssigned) string{
		"appRoleAssignments": func(a *simAssigned) string { return a.app },
		"appRoleAssignedTo":  func(a *simAssigned) string { return a.resource },
	} {
		at := "/v1.0/servicePrincipals/{id}/" + name
		add("GET "+at, read, func(c *simCall) (int, any) {
			a, no := simFind[*simApp](s, c)
			if no != nil {
				return 0, no
			}
			rows := slices.DeleteFunc(slices.Clone(s.assigned), func(x *simAssigned) bool { return of(x) != a.id })
			return s.list(c, "appRoleAssignments", simAll(rows, s.assignment), 100, 999)
		})
		add("DELETE "+at+"/{row}", "AppRoleAssignment.ReadWrite.All", func(c *simCall) (int, any) {
			i := slices.IndexFunc(s.assigned, func(x *simAssigned) bool { return of(x) == c.path("id") && x.id == c.path("row") })
			if i < 0 {
				return 0, simAbsent(c)
			}
			s.assigned = slices.Delete(s.assigned, i, i+1)
			return http.StatusNoContent, nil
		})
		add("POST "+at, "AppRoleAssignment.ReadWrite.All", func(c *simCall) (int, any) {
			in, no := simRead[struct{ PrincipalID, ResourceID, AppRoleID string }](c)
			if no != nil {
				return 0, no
			}
			by, ok := s.byID[in.PrincipalID].(*simApp)
			to, ok2 := s.byID[in.ResourceID].(*simApp)
			if !ok || !ok2 || !slices.ContainsFunc(to.roles, func(r simAppRole) bool { return r.id == in.AppRoleID }) {
				return 0, simNo{http.StatusBadRequest, "Request_BadRequest", "Not a valid reference update."}
			}
			s.assign(by, to, simAppRole{id: in.AppRoleID})
			last := s.assigned[len(s.assigned)-1]
			last.id, last.created = s.fresh(), s.o.Now()
			return http.StatusCreated, s.assignment(last)
		})
	}
}

// addApp makes a service principal of an app that the tenant does not have yet.
func (s *simOrg) addApp(c *simCall) (int, any) {
	in, no := simRead[struct {
		AppID          string
		AccountEnabled *bool
	}](c)
	switch {
	case no != nil:
		return 0, no
	case in.AppID == "":
		return 0, simNo{http.StatusBadRequest, "Request_BadRequest", "A value is required for property 'appId' of resource 'ServicePrincipal'."}
	case slices.ContainsFunc(s.apps, func(a *simApp) bool { return a.app == in.AppID }):
		return 0, simNo{http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "The service principal cannot be created, updated, or " +
			"restored because the service principal name " + in.AppID + " is already in use."}
	}
	a := &simApp{n: len(s.apps), id: s.fresh(), app: in.AppID, name: "App " + in.AppID[:min(8, len(in.AppID))], owner: s.fresh(),
		disabled: in.AccountEnabled != nil && !*in.AccountEnabled, created: s.o.Now()}
	s.apps, s.byID[a.id] = append(s.apps, a), a
	return http.StatusCreated, s.app(a)
}

// grantRoutes are what changes delegated permissions.
func (s *simOrg) grantRoutes(add simAdd, right string) {
	const at = "/v1.0/oauth2PermissionGrants"
	find := func(c *simCall) (int, any) {
		i := slices.IndexFunc(s.grants, func(g *simGrant) bool { return g.id == c.path("id") })
		if i < 0 {
			return i, simAbsent(c)
		}
		return i, nil
	}
	add("GET "+at+"/{id}", "Directory.Read.All "+right, func(c *simCall) (int, any) {
		i, no := find(c)
		if no != nil {
			return 0, no
		}
		return s.one(c, "oauth2PermissionGrants/$entity", s.grants[i].show(), nil)
	})
	add("DELETE "+at+"/{id}", right, func(c *simCall) (int, any) {
		i, no := find(c)
		if no == nil {
			s.note("oauth2PermissionGrants", s.grants[i].id)
			s.grants = slices.Delete(s.grants, i, i+1)
		}
		return http.StatusNoContent, no
	})
	add("PATCH "+at+"/{id}", right, func(c *simCall) (int, any) {
		i, no := find(c)
		if no != nil {
			return 0, no
		}
		in, no := simRead[struct{ Scope *string }](c)
		if no == nil && in.Scope != nil {
			s.grants[i].scope = *in.Scope
			s.note("oauth2PermissionGrants", s.grants[i].id)
		}
		return http.StatusNoContent, no
	})
	add("POST "+at, right, func(c *simCall) (int, any) {
		in, no := simRead[struct{ ClientID, ConsentType, PrincipalID, ResourceID, Scope string }](c)
		a, ok := s.byID[in.ClientID].(*simApp)
		to, ok2 := s.byID[in.ResourceID].(*simApp)
		all := in.ConsentType == "AllPrincipals"
		switch {
		case no != nil:
			return 0, no
		case !ok || !ok2 || !all && (in.ConsentType != "Principal" || s.byID[in.PrincipalID] == nil):
			return 0, simNo{http.StatusBadRequest, "Request_BadRequest", "Property clientId, resourceId, consentType or principalId is invalid."}
		case slices.ContainsFunc(s.grants, func(g *simGrant) bool { return g.client == a.id && g.user == in.PrincipalID && g.resource == to.id }):
			return 0, simNo{http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists."}
		}
		s.made++
		g := s.allow(a, in.PrincipalID, to, strings.TrimRight(in.Scope, " "))
		s.note("oauth2PermissionGrants", g.id)
		return http.StatusCreated, g.show()
	})
}
