package okta

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/saas"
)

// readScopes are what the streams need, and the org's name.
var readScopes = []string{"okta.logs.read", "okta.users.read", "okta.groups.read", "okta.roles.read", "okta.apps.read",
	"okta.appGrants.read", "okta.apiTokens.read", "okta.orgs.read"}

// manageScopes are what the actions need.
var manageScopes = []string{"okta.users.manage", "okta.groups.manage", "okta.roles.manage", "okta.apps.manage",
	"okta.appGrants.manage", "okta.apiTokens.manage"}

// wanted is what to ask for at the token endpoint.
func (a *Auth) wanted() []string {
	scopes := slices.Clone(a.Scopes)
	if len(scopes) == 0 {
		scopes = slices.Clone(readScopes)
	}
	for _, verb := range a.Governance {
		need, _ := scopeOf(verb)
		if verb == "all" {
			need = manageScopes
		}
		scopes = append(scopes, need...)
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

type account struct {
	ID, Status  string
	Profile     struct{ Login, Email, UserType, Title, EmployeeNumber, ManagerID, Manager, MobilePhone string }
	Credentials struct{ Provider struct{ Type string } }
}

// person says whether an account looks like somebody's own: its profile has what only people have (a number as an
// employee, a manager, a mobile phone), or nothing in its login, user type or title names it as a service's.
// Okta has no kind of its own for service accounts, and every maker of a token signed in to make it.
func (a *account) person() bool {
	p := a.Profile
	if cmp.Or(p.EmployeeNumber, p.ManagerID, p.Manager, p.MobilePhone) != "" {
		return true
	}
	words := strings.FieldsFunc(strings.ToLower(p.Login+" "+p.UserType+" "+p.Title), func(r rune) bool { return r < 'a' || r > 'z' })
	return !slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains([]string{"service", "svc", "serviceaccount", "bot", "robot", "api", "automation", "integration", "system"}, w)
	})
}

// rights is Instance.Rights: the org, who the credential is, and what it holds. An API token has what its maker's roles
// give, spelled as scopes; an app has the scopes of its token as far as its roles let it use them.
func (c *credential) rights(ctx context.Context, conn *saas.Conn) (*saas.Rights, error) {
	var org struct{ ID, CompanyName, Subdomain string }
	err := saas.Get(ctx, conn, "/api/v1/org", &org)
	if saas.Is(err, saas.Denied) { // okta.orgs.read was not granted; the id is public
		err = saas.Get(ctx, conn, "/.well-known/okta-organization", &org)
	}
	if err != nil {
		return nil, err
	}
	r := &saas.Rights{OrgID: org.ID, OrgName: cmp.Or(org.CompanyName, org.Subdomain), Who: "app " + c.ClientID, Self: []string{c.ClientID}}
	assigned := "/oauth2/v1/clients/" + c.ClientID + "/roles"
	c.mu.Lock()
	scopes := slices.Clone(c.granted)
	c.mu.Unlock()
	if c.Type == "token" {
		var me account
		if err := saas.Get(ctx, conn, "/api/v1/users/me", &me); err != nil {
			return nil, err
		}
		r.Who, r.Self, r.Person = me.Profile.Login, []string{me.ID, me.Profile.Login}, me.person()
		assigned, scopes = "/api/v1/users/"+me.ID+"/roles", slices.Concat(readScopes, manageScopes)
	}
	var roles []struct{ Type, Status string }
	if err := saas.Get(ctx, conn, assigned, &roles); saas.Is(err, saas.Denied) || saas.Is(err, saas.Missing) {
		roles = append(roles, struct{ Type, Status string }{Type: "CUSTOM"}) // only Super admins see roles: ask and be refused
		scopes = slices.DeleteFunc(scopes, func(s string) bool { return strings.HasPrefix(s, "okta.roles.") })
	} else if err != nil {
		return nil, err
	}
	for _, scope := range scopes {
		if slices.ContainsFunc(roles, func(role struct{ Type, Status string }) bool { return allows(role.Type, scope) }) {
			r.Held = append(r.Held, scope)
		}
	}
	for _, role := range roles {
		r.Held = append(r.Held, role.Type)
	}
	return r, nil
}

// allows says whether a role gives a scope. What it does not know it allows, to be refused by the vendor.
// https://help.okta.com/en-us/content/topics/security/administrators-admin-comparison.htm
func allows(role, scope string) bool {
	super := strings.HasPrefix(scope, "okta.roles.") || strings.HasPrefix(scope, "okta.apiTokens.")
	switch role {
	case "SUPER_ADMIN", "CUSTOM":
		return true
	case "READ_ONLY_ADMIN":
		return !super && strings.HasSuffix(scope, ".read")
	}
	return !super
}
