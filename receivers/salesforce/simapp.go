package salesforce

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simApps are the apps that users gave access to: the first four are external client apps, the others connected apps.
var simApps = []struct{ name, scopes string }{
	{"Longshore", "API REFRESH_TOKEN OFFLINE_ACCESS"},
	{"Data Loader", "API FULL WEB REFRESH_TOKEN OFFLINE_ACCESS"},
	{"Umsatz-Dashboard", "OPENID API CDP_QUERY_API"},
	{"Assistant \"Nova\"", "API MCP_API REFRESH_TOKEN OFFLINE_ACCESS CHATTER_REST_API"},
	{"Legacy Sync", ""},
	{"Chat for Sales", ""},
}

const simExternal = 4 // of simApps

// apps makes the apps and the tokens that users gave them, and sessions.
func (s *simOrg) apps(admin string, old time.Time) {
	var menu []string
	for i, a := range simApps {
		dev := "App_" + itoa(i)
		if i >= simExternal {
			app := s.put("ConnectedApplication", admin, old, simRow{"Name": a.name})
			menu = append(menu, s.put("AppMenuItem", admin, old, simRow{"Name": dev, "Label": a.name, "Type": "ConnectedApplication",
				"ApplicationId": app}))
			continue
		}
		app := s.put("ExternalClientApplication", admin, old, simRow{"DeveloperName": dev, "MasterLabel": a.name, "Language": "en_US",
			"DistributionState": "Local", "ContactEmail": "admin@contoso.example"})
		menu = append(menu, app)
		row := simRow{"DeveloperName": dev + "_oauth", "MasterLabel": a.name, "ExternalClientApplicationId": app, "Language": "en_US"}
		for _, scope := range strings.Fields(a.scopes) {
			row["OauthScopes"+scope] = true
		}
		s.put("ExtlClntAppOauthSettings", admin, old, row)
	}
	for i, user := range s.people {
		rnd := sim.NewRand(s.o.Seed, 40, uint64(i))
		for n := range rnd.N(4) {
			app := (i + n) % len(simApps)
			at := s.o.Start.Add(-time.Duration(1+rnd.N(300)) * 24 * time.Hour).Truncate(time.Second)
			row := simRow{"AppName": simApps[app].name, "UserId": user, "UseCount": 1 + rnd.N(900), "LastUsedDate": at.Add(26 * time.Hour),
				"DeleteToken": string(rnd.Name([]byte("DT"), 60))}
			if app >= simExternal {
				row["AppMenuItemId"] = menu[app]
			}
			id := s.put("OauthToken", admin, at, row)
			delete(row, "Id") // reserved for future use: always null
			s.secrets[row["DeleteToken"].(string)] = simSecret{id, menu[app], user}
		}
		s.session(user, rnd)
	}
	s.put("AuthSession", s.service, s.o.Start, simRow{"UsersId": s.service, "SessionType": "OauthAccessToken", "IsCurrent": true,
		"SourceIp": "198.51.100.7", "UserType": "Standard", "LoginType": "Remote Access 2.0", "NumSecondsValid": 7200})
}

// simSecret is the token of an app: the id of its OauthToken, the app, and whose it is.
type simSecret struct{ id, app, user string }

// session makes sessions of a user, one within another.
func (s *simOrg) session(user string, rnd *sim.Rand) {
	parent := ""
	for range rnd.N(3) {
		row := simRow{"UsersId": user, "SessionType": "UI", "SourceIp": "203.0.113." + itoa(1+rnd.N(250)), "UserType": "Standard",
			"LoginType": "Application", "NumSecondsValid": 7200, "SessionSecurityLevel": "STANDARD"}
		if parent != "" {
			row["ParentId"], row["SessionType"] = parent, "Aura"
		}
		parent = s.put("AuthSession", user, s.o.Start.Add(-time.Duration(rnd.N(3600))*time.Second).Truncate(time.Second), row)
	}
}

// holder is the id of the token that a DeleteToken is for.
func (s *simOrg) holder(token string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.secrets[token].id
}

// appRoutes registers the use of apps. https://developer.salesforce.com/docs/atlas.en-us.chatterapi.meta/chatterapi/
// connect_resources_usage_resources.htm
func (s *simOrg) appRoutes(add func(string, func(*simCall))) {
	with := func(pattern string, h func(*simCall)) {
		add(pattern, func(c *simCall) {
			n, _ := strconv.ParseFloat(strings.TrimPrefix(c.version, "v"), 64)
			switch {
			case n < 59:
				s.failStatus(c.w, c.r, http.StatusNotFound)
			case !s.may(c.user, "ExternalClientAppViewer") || c.r.Method == http.MethodDelete && !s.may(c.user, "CustomizeApplication"):
				s.fault(c, &simFault{http.StatusForbidden, "INSUFFICIENT_ACCESS", "You don't have permission to view external client apps."})
			default:
				h(c)
			}
		})
	}
	with("GET /apps/oauth/usage", func(c *simCall) {
		var all []obj
		for _, id := range s.listed("ExternalClientApplication") {
			if len(s.given(func(x simSecret) bool { return x.app == id })) > 0 {
				row := s.find(id)
				all = append(all, obj{"identifier": id, "developerName": row["DeveloperName"], "label": row["MasterLabel"]})
			}
		}
		s.usagePage(c, "apps", all)
	})
	with("GET /apps/oauth/usage/{app}/users", func(c *simCall) {
		var all []obj
		seen := map[string]bool{}
		for _, x := range s.given(func(x simSecret) bool { return x.app == c.path("app") }) {
			if !seen[x.user] {
				seen[x.user] = true
				all = append(all, obj{"userIdentifier": x.user, "username": s.find(x.user)["Username"]})
			}
		}
		s.usagePage(c, "users", all)
	})
	of := func(c *simCall) func(simSecret) bool {
		return func(x simSecret) bool {
			return x.app == c.path("app") && (x.user == c.path("user") || c.path("user") == "")
		}
	}
	with("GET /apps/oauth/usage/{app}/{user}/tokens", func(c *simCall) { s.usagePage(c, "tokens", s.shown(c, of(c))) })
	with("DELETE /apps/oauth/usage/{app}/{user}/tokens", func(c *simCall) { s.take(c, of(c)) })
	with("DELETE /apps/oauth/usage/{app}/{token}", func(c *simCall) { // …/tokens/{token} and …/{app}/tokens
		switch token := c.path("token"); {
		case c.path("app") == "tokens":
			s.take(c, func(x simSecret) bool { return x.id == token })
		case token == "tokens":
			s.take(c, of(c))
		default:
			s.failStatus(c.w, c.r, http.StatusNotFound)
		}
	})
}

// given are tokens of apps, in order.
func (s *simOrg) given(ok func(simSecret) bool) (out []simSecret) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, x := range s.secrets {
		if ok(x) {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b simSecret) int { return strings.Compare(a.id, b.id) })
	return out
}

// shown are tokens of external client apps as the usage resources show them.
func (s *simOrg) shown(c *simCall, ok func(simSecret) bool) (out []obj) {
	for _, x := range s.given(ok) {
		app, row := s.find(x.app), s.find(x.id)
		if app["DeveloperName"] == nil || row == nil {
			continue
		}
		stamp := func(name string) string { return row[name].(time.Time).UTC().Format(simAPITime) }
		out = append(out, obj{"accessTokenFormat": "Opaque", "appDeveloperName": app["DeveloperName"], "appIdentifier": x.app,
			"initialConnectionAt": stamp("CreatedDate"), "lastUsedAt": stamp("LastUsedDate"), "useCount": row["UseCount"],
			"userIdentifier": x.user, "username": s.find(x.user)["Username"], "revocationUrl": c.data() + "/apps/oauth/usage/tokens/" + x.id})
	}
	return out
}

// take ends tokens.
func (s *simOrg) take(c *simCall, ok func(simSecret) bool) {
	gone := s.given(ok)
	if len(gone) == 0 {
		s.failStatus(c.w, c.r, http.StatusNotFound)
		return
	}
	s.mu.Lock()
	for secret, x := range s.secrets {
		if ok(x) {
			delete(s.secrets, secret)
			s.remove(x.id)
		}
	}
	s.mu.Unlock()
	c.done()
}

// usagePage answers with a page, which names the next one even when it is the last: that is empty.
func (s *simOrg) usagePage(c *simCall, name string, all []obj) {
	q := c.r.URL.Query()
	page, _ := strconv.Atoi(q.Get("page"))
	size, err := strconv.Atoi(q.Get("pageSize"))
	if err != nil || size <= 0 {
		size = 100
	}
	rows, _ := sim.Slice(all, page*size, size)
	if rows == nil {
		rows = []obj{}
	}
	url := func(n int) string { return fmt.Sprintf("%s?page=%d&pageSize=%d", c.r.URL.Path, n, size) }
	c.json(http.StatusOK, obj{name: rows, "currentPageUrl": url(page), "nextPageUrl": url(page + 1)})
}
