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
	names := []string{"Longshore collector", "Wiki", "CRM \"Vertrieb\"", "Payroll", "Travel", "Build server", "Mail", "Chat", "Source code", "Expenses",
		"Tickets", "Data warehouse", "Schulungsportal", "Legacy intranet"}
	for i, label := range names {
		a := &simApp{n: i, id: s.newID("0oa", 3, i), label: label, name: "oidc_client", signOn: "OPENID_CONNECT", status: "ACTIVE",
			created: s.users[0].created.Add(time.Duration(i) * time.Hour), users: map[string]bool{}}
		switch {
		case i%3 == 1:
			a.name, a.signOn = "contoso_saml_"+itoa(i), "SAML_2_0"
		case i == 13:
			a.name, a.signOn, a.status = "bookmark", "BOOKMARK", "INACTIVE"
		}
		for _, u := range s.users {
			if i > 0 && u.status != "DEPROVISIONED" && sim.Hash(s.o.Seed, 23, uint64(i), uint64(u.n))%4 == 0 {
				a.users[u.id] = true
			}
		}
		if i > 0 && i%4 == 0 {
			a.groups = []*simGroup{s.groups[i%len(s.groups)], s.groups[(i+3)%len(s.groups)]}
		}
		s.apps = append(s.apps, a)
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
		k := &simAPIKey{id: s.newID("00T", 4, i), name: name, owner: s.users[i%3].id, created: s.o.Start.Add(-time.Duration(i+1) * 24 * time.Hour),
			value: "00" + string(sim.NewRand(s.o.Seed, 24, uint64(i)).Name(nil, 40))}
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
		s.tokens = append(s.tokens, &simToken{s.newID("oar", 6, len(s.tokens)), a.id, u.id, s.o.Start.Add(-time.Duration(rnd.N(90)) * time.Hour)})
	}
}

func (a *simApp) json(base string) obj {
	o := obj{"id": a.id, "name": a.name, "label": a.label, "status": a.status, "signOnMode": a.signOn, "created": a.created.UTC().Format(simTime),
		"lastUpdated": a.created.UTC().Format(simTime), "features": []string{}, "accessibility": obj{"selfService": false},
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
	o := obj{"id": g.id, "status": "ACTIVE", "created": g.created.UTC().Format(simTime), "lastUpdated": g.created.UTC().Format(simTime), "issuer": base,
		"clientId": g.client, "scopeId": g.scope, "source": "ADMIN", "createdBy": obj{"id": "00usimAdministrator0", "type": "User"},
		"_links": obj{"app": obj{"href": base + "/api/v1/apps/" + g.client, "title": "app"}}}
	if g.user != "" {
		o["userId"], o["source"] = g.user, "END_USER"
	}
	return o
}

func (t *simToken) json(base string) obj {
	return obj{"id": t.id, "status": "ACTIVE", "created": t.created.UTC().Format(simTime), "lastUpdated": t.created.UTC().Format(simTime),
		"expiresAt": t.created.Add(90 * 24 * time.Hour).UTC().Format(simTime), "issuer": base + "/oauth2/default", "clientId": t.client, "userId": t.user,
		"scopes": []string{"offline_access", "openid"}}
}

func (k *simAPIKey) json(string) obj {
	return obj{"id": k.id, "name": k.name, "userId": k.owner, "clientName": "Okta API", "created": k.created.UTC().Format(simTime),
		"lastUpdated": k.created.UTC().Format(simTime), "expiresAt": k.created.Add(30 * 24 * time.Hour).UTC().Format(simTime), "tokenWindow": "P30D",
		"network": obj{"connection": "ANYWHERE"}}
}

// withApp finds the app of the path; the oldest paths call it a client.
func (s *simOrg) withApp(h func(http.ResponseWriter, *http.Request, sim.Access, *simApp)) route {
	return func(w http.ResponseWriter, r *http.Request, by sim.Access) {
		id := r.PathValue("app")
		i := slices.IndexFunc(s.apps, func(a *simApp) bool { return a.id == id })
		if i < 0 {
			s.missing(w, id, "AppInstance")
			return
		}
		h(w, r, by, s.apps[i])
	}
}

func (s *simOrg) appRoutes(add func(pattern, scope string, h route)) {
	add("GET /api/v1/apps", "okta.apps.read", func(w http.ResponseWriter, r *http.Request, _ sim.Access) {
		keep := all[*simApp]
		if f := r.URL.Query().Get("filter"); f != "" {
			status, ok := strings.CutPrefix(f, `status eq "`)
			if !ok || !strings.HasSuffix(status, `"`) {
				s.fail(w, http.StatusBadRequest, "E0000031", "Invalid search criteria.")
				return
			}
			keep = func(a *simApp) bool { return a.status == strings.TrimSuffix(status, `"`) }
		}
		s.list(w, r, 20, 200, func() []obj { return objects(s.apps, s.o.BaseOf(r), keep) })
	})
	add("GET /api/v1/apps/{app}", "okta.apps.read", s.withApp(func(w http.ResponseWriter, r *http.Request, _ sim.Access, a *simApp) {
		s.reply(w, http.StatusOK, func() any { return a.json(s.o.BaseOf(r)) })
	}))
	s.assignmentRoutes(add)
	s.grantRoutes(add)
	s.tokenRoutes(add)
	add("GET /api/v1/api-tokens", "okta.apiTokens.read", func(w http.ResponseWriter, r *http.Request, _ sim.Access) {
		s.reply(w, http.StatusOK, func() any { return objects(s.apiKeys, s.o.BaseOf(r), all) })
	})
	add("DELETE /api/v1/api-tokens/{k}", "okta.apiTokens.manage", func(w http.ResponseWriter, r *http.Request, by sim.Access) {
		s.mu.Lock()
		i := slices.IndexFunc(s.apiKeys, func(k *simAPIKey) bool { return k.id == r.PathValue("k") })
		if i >= 0 {
			k := s.apiKeys[i]
			s.apiKeys = slices.Delete(s.apiKeys, i, i+1)
			s.issuer.Revoke(func(a sim.Access) bool { return a.Token == k.value })
			s.log(r, by, "system.api_token.revoke", simParty{k.id, "Token", "unknown", k.name})
		}
		s.mu.Unlock()
		s.gone(w, i >= 0, r.PathValue("k"), "ApiToken")
	})
}

// gone answers a DELETE: 204, or 404 when nothing was there.
func (s *simOrg) gone(w http.ResponseWriter, was bool, id, kind string) {
	if !was {
		s.missing(w, id, kind)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *simOrg) assignmentRoutes(add func(pattern, scope string, h route)) {
	add("GET /api/v1/apps/{app}/users", "okta.apps.read", s.withApp(func(w http.ResponseWriter, r *http.Request, _ sim.Access, a *simApp) {
		s.list(w, r, 50, 500, func() []obj {
			out := []obj{}
			for _, u := range s.users {
				if a.users[u.id] {
					out = append(out, obj{"id": u.id, "scope": "USER", "status": "ACTIVE", "syncState": "DISABLED", "created": a.created.UTC().Format(simTime),
						"lastUpdated": a.created.UTC().Format(simTime), "statusChanged": a.created.UTC().Format(simTime), "passwordChanged": nil,
						"credentials": obj{"userName": u.login}, "profile": obj{"email": u.login}})
				}
			}
			return out
		})
	}))
	add("GET /api/v1/apps/{app}/groups", "okta.apps.read", s.withApp(func(w http.ResponseWriter, r *http.Request, _ sim.Access, a *simApp) {
		s.list(w, r, 20, 200, func() []obj {
			out := []obj{}
			for i, g := range a.groups {
				out = append(out, obj{"id": g.id, "priority": i, "lastUpdated": a.created.UTC().Format(simTime), "profile": obj{}})
			}
			return out
		})
	}))
	add("DELETE /api/v1/apps/{app}/users/{id}", "okta.apps.manage", s.withApp(func(w http.ResponseWriter, r *http.Request, by sim.Access, a *simApp) {
		id := r.PathValue("id")
		s.mu.Lock()
		was := a.users[id]
		if was {
			delete(a.users, id)
			u := s.byID[id]
			s.log(r, by, "application.user_membership.remove", simParty{u.id, "AppUser", u.login, u.name()}, a.party("AppInstance"), u.party())
		}
		s.mu.Unlock()
		s.gone(w, was, id, "AppUser")
	}))
}

// dropGrants removes grants and says whether there were any.
func (s *simOrg) dropGrants(r *http.Request, by sim.Access, drop func(*simGrant) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.grants)
	s.grants = slices.DeleteFunc(s.grants, func(g *simGrant) bool {
		gone := drop(g)
		if gone {
			kind := "app.oauth2.admin.consent.revoke"
			if g.user != "" {
				kind = "app.oauth2.consent.revoke"
			}
			s.log(r, by, kind, simParty{g.id, "Grant", g.scope, g.scope}, simParty{g.client, "AppInstance", g.client, s.label(g.client)})
		}
		return gone
	})
	return len(s.grants) < before
}

func (s *simOrg) dropTokens(r *http.Request, by sim.Access, drop func(*simToken) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.tokens)
	s.tokens = slices.DeleteFunc(s.tokens, func(t *simToken) bool {
		gone := drop(t)
		if gone {
			s.log(r, by, "app.oauth2.token.revoke", simParty{t.id, "refresh_token", "", "Refresh Token"},
				simParty{t.client, "AppInstance", t.client, s.label(t.client)}, s.byID[t.user].party())
		}
		return gone
	})
	return len(s.tokens) < before
}

func (s *simOrg) label(client string) string {
	for _, a := range s.apps {
		if a.id == client {
			return a.label
		}
	}
	return client
}

func (s *simOrg) grantRoutes(add func(pattern, scope string, h route)) {
	show := func(w http.ResponseWriter, r *http.Request, most int, keep func(*simGrant) bool) {
		s.list(w, r, most, most, func() []obj { return objects(s.grants, s.o.BaseOf(r), keep) })
	}
	add("GET /api/v1/apps/{app}/grants", "okta.appGrants.read", s.withApp(func(w http.ResponseWriter, r *http.Request, _ sim.Access, a *simApp) {
		show(w, r, 1000, func(g *simGrant) bool { return g.client == a.id && g.user == "" })
	}))
	add("DELETE /api/v1/apps/{app}/grants/{grant}", "okta.appGrants.manage", s.withApp(func(w http.ResponseWriter, r *http.Request, by sim.Access, a *simApp) {
		id := r.PathValue("grant")
		s.gone(w, s.dropGrants(r, by, func(g *simGrant) bool { return g.id == id && g.client == a.id && g.user == "" }), id, "Grant")
	}))
	add("GET /api/v1/users/{id}/grants", "okta.users.read", s.withUser(func(w http.ResponseWriter, r *http.Request, _ sim.Access, u *simUser) {
		show(w, r, 200, func(g *simGrant) bool { return g.user == u.id })
	}))
	add("GET /api/v1/users/{id}/clients/{client}/grants", "okta.users.read", s.withUser(func(w http.ResponseWriter, r *http.Request, _ sim.Access, u *simUser) {
		show(w, r, 200, func(g *simGrant) bool { return g.user == u.id && g.client == r.PathValue("client") })
	}))
	add("DELETE /api/v1/users/{id}/grants/{grant}", "okta.users.manage", s.withUser(func(w http.ResponseWriter, r *http.Request, by sim.Access, u *simUser) {
		id := r.PathValue("grant")
		s.gone(w, s.dropGrants(r, by, func(g *simGrant) bool { return g.id == id && g.user == u.id }), id, "Grant")
	}))
	add("DELETE /api/v1/users/{id}/clients/{client}/grants", "okta.users.manage", s.withUser(func(w http.ResponseWriter, r *http.Request, by sim.Access, u *simUser) {
		id := r.PathValue("client")
		s.gone(w, s.dropGrants(r, by, func(g *simGrant) bool { return g.client == id && g.user == u.id }), id, "Client")
	}))
}

func (s *simOrg) tokenRoutes(add func(pattern, scope string, h route)) {
	show := func(w http.ResponseWriter, r *http.Request, keep func(*simToken) bool) {
		s.list(w, r, 20, 200, func() []obj { return objects(s.tokens, s.o.BaseOf(r), keep) })
	}
	add("GET /api/v1/apps/{app}/tokens", "okta.apps.read", s.withApp(func(w http.ResponseWriter, r *http.Request, _ sim.Access, a *simApp) {
		show(w, r, func(t *simToken) bool { return t.client == a.id })
	}))
	add("GET /api/v1/users/{id}/clients/{client}/tokens", "okta.users.read", s.withUser(func(w http.ResponseWriter, r *http.Request, _ sim.Access, u *simUser) {
		show(w, r, func(t *simToken) bool { return t.user == u.id && t.client == r.PathValue("client") })
	}))
	add("GET /api/v1/users/{id}/clients", "okta.users.read", s.withUser(func(w http.ResponseWriter, r *http.Request, _ sim.Access, u *simUser) {
		s.reply(w, http.StatusOK, func() any {
			out, base := []obj{}, s.o.BaseOf(r)
			for _, a := range s.apps {
				if slices.ContainsFunc(s.tokens, func(t *simToken) bool { return t.user == u.id && t.client == a.id }) {
					out = append(out, obj{"client_id": a.id, "client_name": a.label, "client_uri": nil, "logo_uri": nil,
						"_links": obj{"tokens": obj{"href": base + "/api/v1/users/" + u.id + "/clients/" + a.id + "/tokens"}}})
				}
			}
			return out
		})
	}))
	for _, p := range []struct{ pattern, scope string }{
		{"DELETE /api/v1/apps/{app}/tokens", "okta.apps.manage"},
		{"DELETE /api/v1/apps/{app}/tokens/{token}", "okta.apps.manage"},
		{"DELETE /api/v1/users/{id}/clients/{client}/tokens", "okta.users.manage"},
		{"DELETE /api/v1/users/{id}/clients/{client}/tokens/{token}", "okta.users.manage"},
		{"DELETE /api/v1/authorizationServers/{as}/clients/{client}/tokens", "okta.authorizationServers.manage"},
		{"DELETE /api/v1/authorizationServers/{as}/clients/{client}/tokens/{token}", "okta.authorizationServers.manage"},
	} {
		add(p.pattern, p.scope, func(w http.ResponseWriter, r *http.Request, by sim.Access) {
			client, user, token := r.PathValue("app")+r.PathValue("client"), r.PathValue("id"), r.PathValue("token")
			was := s.dropTokens(r, by, func(t *simToken) bool {
				return t.client == client && (user == "" || t.user == user) && (token == "" || t.id == token)
			})
			s.gone(w, was || token == "", token, "OAuth2RefreshToken") // revoking all of none is done
		})
	}
}
