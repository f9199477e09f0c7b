package office365

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	appFields   = "$select=id,appId,displayName,accountEnabled,appOwnerOrganizationId,verifiedPublisher,tags,replyUrls,servicePrincipalType"
	appsURL     = "/servicePrincipals?" + appFields + ",appRoles&$top=999"
	grantsURL   = "/oauth2PermissionGrants"
	assignedURL = "/appRoleAssignedTo"
)

// Slots of grantFields.
const (
	aID = iota
	aScopes
	aConsent
	aUser
	aResource
	aRole
	aClient
	aName
	aPublisher
	aEnabled
	aResourceName
)

// grantFields are of a permission with the app that has it: {"grant", "app", "resource"}, or {"assignment", "app", "resource",
// "role"} of one that the app has by itself.
var grantFields = event.Table{
	aID: {"id", ""}, aScopes: {"grant.scope", ""}, aConsent: {"grant.consentType", ""}, aUser: {"grant.principalId", "user.id"},
	aResource: {"resource.id", ""}, aRole: {"role", ""}, aClient: {"app.id", ""}, aName: {"app.displayName", "saas.app.name entity.name"},
	aPublisher: {"app.verifiedPublisher.displayName", "saas.app.publisher"}, aEnabled: {"app.accountEnabled", ""},
	aResourceName: {"resource.name", "service.name"}, {"app.appId", "saas.app.id"}, {"resource.id", "service.id"},
	{"assignment.createdDateTime", "entity.lifecycle.created"},
}

// app is a service principal, as far as other permissions point to it.
type app struct {
	row    json.RawMessage // without what follows
	name   json.RawMessage
	offers map[string]json.RawMessage // permissions for apps, by id
}

// pollGrants reads what apps may do: on behalf of people, and by themselves. The latter is listed at what they may use, which are
// few.
func pollGrants(ctx context.Context, r *saas.Run) error {
	apps, err := readApps(ctx, r)
	if err != nil {
		return err
	}
	emit := func(kind string, row json.RawMessage, id, client, resource string, role json.RawMessage) error {
		var of, name json.RawMessage
		if a := apps[client]; a != nil {
			of = a.row
		}
		if a := apps[resource]; a != nil {
			name = a.name
		}
		return r.Emit("", saas.Join("id "+kind+" app resource role", saas.Quote(id), row, of, saas.Join("id name", saas.Quote(resource), name),
			role))
	}
	err = eachRow(ctx, r, grantsURL, func(row json.RawMessage) error {
		return emit("grant", row, saas.TextAt(row, "id"), saas.TextAt(row, "clientId"), saas.TextAt(row, "resourceId"), nil)
	})
	if err != nil {
		return err
	}
	for id, a := range apps {
		if len(a.offers) == 0 {
			continue
		}
		err := eachRow(ctx, r, "/servicePrincipals/"+id+assignedURL, func(row json.RawMessage) error {
			if saas.TextAt(row, "principalType") != "ServicePrincipal" { // people who may use the app
				return nil
			}
			return emit("assignment", row, saas.TextAt(row, "id"), saas.TextAt(row, "principalId"), id, a.offers[saas.TextAt(row, "appRoleId")])
		})
		if err != nil && !saas.Is(err, saas.Missing) { // an app that went meanwhile
			return err
		}
	}
	return r.Whole(nil)
}

func readApps(ctx context.Context, d saas.Doer) (map[string]*app, error) {
	apps := map[string]*app{}
	return apps, eachRow(ctx, d, appsURL, func(row json.RawMessage) error {
		apps[saas.TextAt(row, "id")] = readApp(row)
		return nil
	})
}

func readApp(row json.RawMessage) *app {
	a := &app{name: saas.Member(row, "displayName"), offers: map[string]json.RawMessage{}}
	row, rest := []byte{'{'}, row
	for name, val := range event.Members(rest) {
		if name == "appRoles" {
			for role := range event.Elems(val) {
				if strings.Contains(string(saas.Member(role, "allowedMemberTypes")), `"Application"`) {
					a.offers[saas.TextAt(role, "id")] = saas.Member(role, "value")
				}
			}
			continue
		}
		if len(row) > 1 {
			row = append(row, ',')
		}
		row = append(append(append(row, saas.Quote(name)...), ':'), val...)
	}
	a.row = append(row, '}')
	for id, val := range a.offers { // the page goes
		a.offers[id] = append(json.RawMessage{}, val...)
	}
	a.name = append(json.RawMessage{}, a.name...)
	return a
}

// mapGrant maps a permission of an app. Its id is the path by which it is revoked.
func mapGrant(v *event.Values, add func() *event.Record) error {
	id, alone := grantsURL[1:]+"/"+v.Str(aID), v.Has(aRole) || !v.Has(aConsent)
	if alone {
		id = "servicePrincipals/" + v.Str(aResource) + assignedURL + "/" + v.Str(aID)
	}
	r := saas.NewEntity(add, "app_grant", id, "iam", "user", "info")
	r.Bool("saas.app.verified", v.Str(aPublisher) != "")
	if on, ok := v.Bool(aEnabled); ok && !on {
		r.Str("saas.entity.status", "suspended")
	}
	r.Relate("granted_to", "application", v.Str(aClient))
	if alone {
		r.Str("entity.sub_type", "application")
		r.Bool("saas.grant.admin_consent", true)
		r.Strs("saas.grant.scopes", v.Str(aRole))
		return nil
	}
	r.Str("entity.sub_type", "delegated")
	r.Bool("saas.grant.admin_consent", v.Str(aConsent) == "AllPrincipals")
	r.Strs("saas.grant.scopes", strings.Fields(v.Str(aScopes))...)
	return nil
}

// step is an id as a step of a path.
func step(id string) string { return url.PathEscape(id) }
