package okta

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simApp is an application; the id of an OpenID Connect app is its client id.
type simApp struct {
	n                       int
	id, name, label, signOn string
	status                  string
	created                 time.Time
	users                   map[string]bool
	groups                  []*simGroup
}

// simGrant is a consent to a scope: of a user, or of an administrator for the app.
type simGrant struct {
	id, client, scope string
	user              string // "" = for the app
	created           time.Time
}

// simToken is a refresh token of a user at a client.
type simToken struct {
	id, client, user string
	created          time.Time
}

// simAPIKey is an API token; value is what a caller sends.
type simAPIKey struct {
	id, name, owner, value string
	created                time.Time
}

func (a *simApp) party(kind string) simParty {
	if kind == "PublicClientApp" {
		return simParty{a.id, kind, a.id, a.label}
	}
	return simParty{a.id, kind, a.label, a.label}
}

// addApps makes apps and what was granted to them. The first one is the service app that Config signs in as.
func (s *simOrg) addApps() {
	names := []string{"Longshore collector", "Wiki", "CRM \"Vertrieb\"", "Payroll", "Travel", "Build server", "Mail", "Chat", "Source code",
		"Expenses", "Tickets", "Data warehouse", "Schulungsportal", "Legacy intranet"}
	for i, label := range names {
		a := &simApp{n: i, id: s.newID("0oa", 3, i), label: label, name: "oidc_client", signOn: "OPENID_CONNECT", status: "ACTIVE",
			created: s.users[0].created.Add(time.Duration(i) * time.Hour), users: map[string]bool{}}
		switch {
		case i == len(names)-1:
			a.name, a.signOn, a.status = "bookmark", "BOOKMARK", "INACTIVE"
		case i%3 == 1:
			a.name, a.signOn = "contoso_saml_"+itoa(i), "SAML_2_0"
		}
		for _, u := range s.users {
			if i > 0 && u.status != "DEPROVISIONED" && sim.Hash(s.o.Seed, 23, uint64(i), uint64(u.n))%4 == 0 {
				a.users[u.id] = true
			}
		}
		if i > 0 && i%4 == 0 {
			a.groups = []*simGroup{s.groups[i%len(s.groups)], s.groups[(i+3)%len(s.groups)]}
		}
		s.apps, s.appByID[a.id] = append(s.apps, a), a
		if a.signOn == "OPENID_CONNECT" {
			s.oidc = append(s.oidc, a)
		}
	}
	s.app = s.apps[0]
	for _, scope := range simScopes {
		s.addGrant(s.app, "", scope)
	}
	s.addGrant(s.oidc[1], "", "okta.users.read")
	s.addGrant(s.oidc[1], "", "okta.groups.manage")
	for _, u := range s.users {
		s.addConsents(u)
	}
	for i, name := range []string{"collector", "administrator", "auditor", "pipeline", "Skript \"Export\""} {
		k := &simAPIKey{id: s.newID("00T", 4, i), name: name, owner: s.users[i%3].id,
			created: s.o.Start.Add(-time.Duration(i+1) * 24 * time.Hour),
			value:   "00" + string(sim.NewRand(s.o.Seed, 24, uint64(i)).Name(nil, 40))}
		s.apiKeys = append(s.apiKeys, k)
	}
	s.service, s.me, s.low = s.apiKeys[0], s.apiKeys[1], s.apiKeys[2]
}

func (s *simOrg) addGrant(a *simApp, user, scope string) {
	s.grants = append(s.grants, &simGrant{s.newID("oag", 5, len(s.grants)), a.id, scope, user, a.created})
}

// addConsents gives every third user one to three consents and refresh tokens.
func (s *simOrg) addConsents(u *simUser) {
	if u.n%3 != 0 || u.status == "DEPROVISIONED" || u.status == "STAGED" {
		return
	}
	rnd := sim.NewRand(s.o.Seed, 25, uint64(u.n))
	for i := range 1 + rnd.N(3) {
		a := s.oidc[1+(u.n+i)%(len(s.oidc)-1)]
		s.addGrant(a, u.id, sim.Pick(rnd, []string{"okta.users.read.self", "offline_access", "okta.myAccount.email.read", "okta.users.manage"}))
		made := s.o.Start.Add(-time.Duration(rnd.N(90)) * time.Hour)
		s.tokens = append(s.tokens, &simToken{s.newID("oar", 6, len(s.tokens)), a.id, u.id, made})
	}
}

func (a *simApp) json(base string) obj {
	o := obj{"id": a.id, "name": a.name, "label": a.label, "status": a.status, "signOnMode": a.signOn, "created": simStamp(a.created),
		"lastUpdated": simStamp(a.created), "features": []string{}, "accessibility": obj{"selfService": false},
		"visibility": obj{"autoSubmitToolbar": false, "hide": obj{"iOS": false, "web": false}},
		"_links":     obj{"self": obj{"href": base + "/api/v1/apps/" + a.id}}}
	switch a.signOn {
	case "OPENID_CONNECT":
		kind := "web"
		if a.n == 0 {
			kind = "service"
		}
		o["credentials"] = obj{"oauthClient": obj{"client_id": a.id, "token_endpoint_auth_method": "private_key_jwt", "autoKeyRotation": true}}
		o["settings"] = obj{"oauthClient": obj{"application_type": kind, "grant_types": []string{"client_credentials"},
			"response_types": []string{"token"}, "consent_method": "REQUIRED"}}
	case "BOOKMARK":
		o["settings"] = obj{"app": obj{"url": "https://intranet.contoso.example/", "requestIntegration": false}}
	}
	return o
}

func (g *simGrant) json(base string) obj {
	o := obj{"id": g.id, "status": "ACTIVE", "created": simStamp(g.created), "lastUpdated": simStamp(g.created), "issuer": base,
		"clientId": g.client, "scopeId": g.scope, "source": "ADMIN", "createdBy": obj{"id": "00usimAdministrator0", "type": "User"},
		"_links": obj{"app": obj{"href": base + "/api/v1/apps/" + g.client, "title": "app"}}}
	if g.user != "" {
		o["userId"], o["source"] = g.user, "END_USER"
	}
	return o
}

func (t *simToken) json(base string) obj {
	return obj{"id": t.id, "status": "ACTIVE", "created": simStamp(t.created), "lastUpdated": simStamp(t.created),
		"expiresAt": simStamp(t.created.Add(90 * 24 * time.Hour)), "issuer": base + "/oauth2/default", "clientId": t.client, "userId": t.user,
		"scopes": []string{"offline_access", "openid"}}
}

func (k *simAPIKey) json(string) obj {
	return obj{"id": k.id, "name": k.name, "userId": k.owner, "clientName": "Okta API", "created": simStamp(k.created),
		"lastUpdated": simStamp(k.created), "expiresAt": simStamp(k.created.Add(30 * 24 * time.Hour)), "tokenWindow": "P30D",
		"network": obj{"connection": "ANYWHERE"}}
}

func (s *simOrg) appRoutes(add simAdd) {
	add("GET /api/v1/apps", "okta.apps.read", func(c *simCall) {
		keep := simAll[*simApp]
		if f := c.query("filter"); f != "" {
			status, ok := strings.CutPrefix(f, `status eq "`)
			if !ok || !strings.HasSuffix(status, `"`) {
				s.fail(c.w, http.StatusBadRequest, "E0000031", "Invalid search criteria.")
				return
			}
			keep = func(a *simApp) bool { return a.status == strings.TrimSuffix(status, `"`) }
		}
		s.list(c, 20, 200, func() []simRow { return simRows(s.apps, c.base, keep) })
	})
	add("GET /api/v1/apps/{app}", "okta.apps.read", func(c *simCall) { c.json(http.StatusOK, c.app.json(c.base)) })
	s.assignmentRoutes(add)
	s.grantRoutes(add)
	s.tokenRoutes(add)
	add("GET /api/v1/api-tokens", "okta.apiTokens.read", func(c *simCall) {
		s.reply(c, func() any { return simObjects(s.apiKeys, c.base) })
	})
	add("DELETE /api/v1/api-tokens/{key}", "okta.apiTokens.manage", func(c *simCall) {
		s.mu.Lock()
		i := slices.IndexFunc(s.apiKeys, func(k *simAPIKey) bool { return k.id == c.path("key") })
		if i >= 0 {
			k := s.apiKeys[i]
			s.log(c, "system.api_token.revoke", simParty{k.id, "Token", "unknown", k.name})
			s.apiKeys = slices.Delete(s.apiKeys, i, i+1)
			s.issuer.Revoke(func(a sim.Access) bool { return a.Token == k.value })
		}
		s.mu.Unlock()
		s.gone(c, i >= 0, c.path("key"), "ApiToken")
	})
}

func (s *simOrg) assignmentRoutes(add simAdd) {
	add("GET /api/v1/apps/{app}/users", "okta.apps.read", func(c *simCall) {
		s.list(c, 50, 500, func() []simRow {
			out, made := simRows(s.users, c.base, func(u *simUser) bool { return c.app.users[u.id] }), simStamp(c.app.created)
			for i, u := range s.users {
				if out[i].json != nil {
					out[i].json = func() obj {
						return obj{"id": u.id, "scope": "USER", "status": "ACTIVE", "syncState": "DISABLED", "created": made,
							"lastUpdated": made, "statusChanged": made, "passwordChanged": nil, "credentials": obj{"userName": u.login},
							"profile": obj{"email": u.login}}
					}
				}
			}
			return out
		})
	})
	add("GET /api/v1/apps/{app}/groups", "okta.apps.read", func(c *simCall) {
		s.list(c, 20, 200, func() []simRow {
			out := simRows(c.app.groups, c.base, simAll)
			for i, g := range c.app.groups {
				out[i].json = func() obj {
					return obj{"id": g.id, "priority": i, "lastUpdated": simStamp(c.app.created), "profile": obj{}}
				}
			}
			return out
		})
	})
	add("DELETE /api/v1/apps/{app}/users/{user}", "okta.apps.manage", func(c *simCall) {
		u := c.user
		s.mu.Lock()
		was := c.app.users[u.id]
		if was {
			delete(c.app.users, u.id)
			s.log(c, "application.user_membership.remove", simParty{u.id, "AppUser", u.login, u.name}, c.app.party("AppInstance"), u.party())
		}
		s.mu.Unlock()
		s.gone(c, was, u.id, "AppUser")
	})
}

// dropGrants removes grants and says whether there were any.
func (s *simOrg) dropGrants(c *simCall, drop func(*simGrant) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.grants)
	s.grants = slices.DeleteFunc(s.grants, func(g *simGrant) bool {
		if !drop(g) {
			return false
		}
		targets := []simParty{{g.id, "Grant", g.scope, g.scope}, s.appByID[g.client].party("AppInstance")}
		if g.user == "" {
			s.log(c, "app.oauth2.admin.consent.revoke", targets...)
		} else {
			s.log(c, "app.oauth2.consent.revoke", append(targets, s.byID[g.user].party())...)
		}
		return true
	})
	return len(s.grants) < before
}

// dropTokens removes refresh tokens and says whether there were any.
func (s *simOrg) dropTokens(c *simCall, drop func(*simToken) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.tokens)
	s.tokens = slices.DeleteFunc(s.tokens, func(t *simToken) bool {
		if !drop(t) {
			return false
		}
		s.log(c, "app.oauth2.token.revoke", simParty{t.id, "refresh_token", "", "Refresh Token"},
			s.appByID[t.client].party("AppInstance"), s.byID[t.user].party())
		return true
	})
	return len(s.tokens) < before
}

func (s *simOrg) grantRoutes(add simAdd) {
	get := func(pattern, scope string, keep func(c *simCall, g *simGrant) bool) {
		add("GET "+pattern, scope, func(c *simCall) {
			s.list(c, 200, 200, func() []simRow { return simRows(s.grants, c.base, func(g *simGrant) bool { return keep(c, g) }) })
		})
	}
	remove := func(pattern, scope, name string, drop func(c *simCall, g *simGrant) bool) {
		add("DELETE "+pattern, scope, func(c *simCall) {
			s.gone(c, s.dropGrants(c, func(g *simGrant) bool { return drop(c, g) }), c.path(name), "Grant")
		})
	}
	ofApp := func(c *simCall, g *simGrant) bool { return g.client == c.app.id && g.user == "" }
	ofUser := func(c *simCall, g *simGrant) bool { return g.user == c.user.id }
	atClient := func(c *simCall, g *simGrant) bool { return ofUser(c, g) && g.client == c.path("client") }
	get("/api/v1/apps/{app}/grants", "okta.appGrants.read", ofApp)
	get("/api/v1/users/{user}/grants", "okta.users.read", ofUser)
	get("/api/v1/users/{user}/clients/{client}/grants", "okta.users.read", atClient)
	remove("/api/v1/users/{user}/clients/{client}/grants", "okta.users.manage", "client", atClient)
	remove("/api/v1/apps/{app}/grants/{grant}", "okta.appGrants.manage", "grant",
		func(c *simCall, g *simGrant) bool { return ofApp(c, g) && g.id == c.path("grant") })
	remove("/api/v1/users/{user}/grants/{grant}", "okta.users.manage", "grant",
		func(c *simCall, g *simGrant) bool { return ofUser(c, g) && g.id == c.path("grant") })
}

func (s *simOrg) tokenRoutes(add simAdd) {
	at := func(c *simCall, t *simToken) bool { // what of the path names the token
		return (c.user == nil || t.user == c.user.id) && (c.app == nil || t.client == c.app.id) &&
			(c.path("client") == "" || t.client == c.path("client")) && (c.path("token") == "" || t.id == c.path("token"))
	}
	for _, path := range []string{"apps/{app}", "users/{user}/clients/{client}", "authorizationServers/{server}/clients/{client}"} {
		scope := "okta." + path[:strings.Index(path, "/")]
		add("GET /api/v1/"+path+"/tokens", scope+".read", func(c *simCall) {
			s.list(c, 20, 200, func() []simRow { return simRows(s.tokens, c.base, func(t *simToken) bool { return at(c, t) }) })
		})
		for _, one := range []string{"", "/{token}"} {
			add("DELETE /api/v1/"+path+"/tokens"+one, scope+".manage", func(c *simCall) {
				was := s.dropTokens(c, func(t *simToken) bool { return at(c, t) })
				s.gone(c, was || one == "", c.path("token"), "OAuth2RefreshToken") // revoking all of none is done
			})
		}
	}
	add("GET /api/v1/users/{user}/clients", "okta.users.read", func(c *simCall) {
		s.reply(c, func() any {
			out, at := []obj{}, c.base+"/api/v1/users/"+c.user.id+"/clients/"
			for _, a := range s.apps {
				if slices.ContainsFunc(s.tokens, func(t *simToken) bool { return t.user == c.user.id && t.client == a.id }) {
					out = append(out, obj{"client_id": a.id, "client_name": a.label, "client_uri": nil, "logo_uri": nil,
						"_links": obj{"tokens": obj{"href": at + a.id + "/tokens"}}})
				}
			}
			return out
		})
	})
}
