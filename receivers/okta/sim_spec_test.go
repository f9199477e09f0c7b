package okta

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

const (
	simSpec       = "okta/management-minimal.yaml"
	simExceptions = "../../testdata/okta/spec-exceptions.txt"
)

// simClient calls a fake in memory with an API token.
type simClient struct{ *simtest.Client }

func newSimClient(t *testing.T, o sim.Options, wrap func(http.Handler) http.Handler) (*sim.Sim, *simClient) {
	t.Helper()
	if o.Variant == "" {
		o.Variant = "token"
	}
	if o.Now == nil {
		now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
		o.Now = func() time.Time { return now }
	}
	s, err := newSim(o)
	if err != nil {
		t.Fatal(err)
	}
	h := s.Handler
	if wrap != nil {
		h = wrap(h)
	}
	c := &simClient{&simtest.Client{T: t, Handler: h, Base: "http://org.test"}}
	token, _ := s.Config(c.Base)["auth"].(obj)["token"].(string)
	c.sign(token)
	return s, c
}

func (c *simClient) sign(token string) { c.Client = c.As("Authorization", "SSWS "+token) }

// list is GET of an array.
func (c *simClient) list(target string) []obj {
	c.T.Helper()
	return simtest.Read[[]obj](c.Client, target)
}

func simString(o obj, key string) string { s, _ := o[key].(string); return s }

// with finds the user with a status.
func (c *simClient) with(status string) string {
	c.T.Helper()
	return simString(c.list(`/api/v1/users?search=status%20eq%20%22` + status + `%22`)[0], "id")
}

// simPatterns are all routes of the fake with their scopes.
func simPatterns() map[string]string {
	out := map[string]string{"GET /api/v1/logs": "okta.logs.read"}
	add := func(pattern, scope string, _ func(*simCall)) { out[pattern] = scope }
	s := &simOrg{}
	s.directoryRoutes(add)
	s.appRoutes(add)
	s.roleRoutes(add)
	s.lifecycleRoutes(add)
	return out
}

func TestEveryAnswerOfTheFakeIsAsOktaDescribesIt(t *testing.T) {
	check := simtest.Spec(t, simSpec, simExceptions)
	s, c := newSimClient(t, sim.Options{Seed: 3, Events: 400, Late: 0.05, Limits: -1}, check.Handler)
	simReadAll(c)
	simChangeAll(c)
	simRefuseAll(c)
	c.Do(http.MethodPost, "/oauth2/v1/token", "")
	c.Must(http.StatusOK, http.MethodGet, "/.well-known/okta-organization", "")
	limited, lc := newSimClient(t, sim.Options{Seed: 3}, check.Handler)
	limited.Faults.Next(1, "", sim.Fault{Status: http.StatusTooManyRequests})
	lc.Must(http.StatusTooManyRequests, http.MethodGet, "/api/v1/users", "")
	seen := map[string]bool{}
	for _, n := range s.Seen.All() {
		if n.Status < 400 {
			seen[n.Method+" "+n.Pattern] = true
		}
	}
	for pattern := range simPatterns() {
		if !seen[pattern] {
			t.Errorf("%s was never answered with success", pattern)
		}
	}
	check.Done(t, true)
}

// simReadAll reads every list, to its last page, and one object of each kind.
func simReadAll(c *simClient) {
	for _, target := range []string{"/api/v1/org", "/api/v1/users/me", "/api/v1/users/admin@contoso.example", "/api/v1/groups?limit=10000",
		"/api/v1/iam/roles", "/api/v1/iam/resource-sets", "/api/v1/logs?since=2026-11-23T00:00:00Z&until=2026-11-24T09:00:00Z&limit=7",
		"/api/v1/logs?sortOrder=DESCENDING&limit=7", "/api/v1/users?search=lastUpdated%20gt%20%222026-01-01T00:00:00.000Z%22"} {
		c.Must(http.StatusOK, http.MethodGet, target, "")
	}
	for next, i := "/api/v1/logs?sortOrder=ASCENDING&limit=200&since=2026-11-23T00:00:00Z", 0; i < 5; i++ {
		_, h, _ := c.Do(http.MethodGet, next, "")
		next = strings.TrimPrefix(simNext(h), "http://org.test")
	}
	for next := "/api/v1/iam/assignees/users?limit=2"; next != ""; {
		var page struct {
			Links struct{ Next struct{ Href string } } `json:"_links"`
		}
		_ = json.Unmarshal(c.Must(http.StatusOK, http.MethodGet, next, ""), &page)
		next = strings.TrimPrefix(page.Links.Next.Href, "http://org.test")
	}
	users := append(c.pages("/api/v1/users?limit=90"), c.list(`/api/v1/users?search=status%20eq%20%22DEPROVISIONED%22&limit=200`)...)
	groups, apps := c.list("/api/v1/groups"), c.list("/api/v1/apps?limit=200")
	c.list(`/api/v1/apps?filter=status%20eq%20%22ACTIVE%22&limit=200`)
	for _, u := range users {
		at := "/api/v1/users/" + simString(u, "id")
		c.list(at + "/grants?limit=200")
		c.list(at + "/groups")
		c.roles(at)
		for _, client := range c.list(at + "/clients") {
			c.list(at + "/clients/" + simString(client, "client_id") + "/tokens?limit=200")
			c.list(at + "/clients/" + simString(client, "client_id") + "/grants?limit=200")
		}
	}
	for _, g := range groups {
		at := "/api/v1/groups/" + simString(g, "id")
		c.Must(http.StatusOK, http.MethodGet, at, "")
		c.pages(at + "/users?limit=50")
		c.roles(at)
	}
	for _, a := range apps {
		at := "/api/v1/apps/" + simString(a, "id")
		c.Must(http.StatusOK, http.MethodGet, at, "")
		c.pages(at + "/users?limit=20")
		c.list(at + "/groups?limit=200")
		c.list(at + "/grants")
		c.pages(at + "/tokens?limit=20")
		c.roles("/oauth2/v1/clients/" + simString(a, "id"))
		c.list("/api/v1/authorizationServers/default/clients/" + simString(a, "id") + "/tokens")
	}
	c.list("/api/v1/api-tokens")
	c.list(`/api/v1/groups?search=profile.name%20eq%20%22Finance%22`)
	for _, role := range simtest.Read[struct{ Roles []obj }](c.Client, "/api/v1/iam/roles").Roles {
		c.Must(http.StatusOK, http.MethodGet, "/api/v1/iam/roles/"+simString(role, "id")+"/permissions", "")
	}
}

// pages reads a list to its end.
func (c *simClient) pages(target string) []obj {
	c.T.Helper()
	var all []obj
	for target != "" {
		status, h, b := c.Do(http.MethodGet, target, "")
		var page []obj
		if err := json.Unmarshal(b, &page); err != nil || status != http.StatusOK {
			c.T.Fatalf("GET %s: status %d, %v", target, status, err)
		}
		all = append(all, page...)
		target = strings.TrimPrefix(simNext(h), "http://org.test")
	}
	return all
}

// simNext is the next link of Link headers in both forms.
func simNext(h http.Header) string {
	for _, l := range strings.Split(strings.Join(h.Values("Link"), ", "), ", <") {
		if u, rel, ok := strings.Cut(strings.TrimPrefix(l, "<"), ">; "); ok && rel == `rel="next"` {
			return u
		}
	}
	return ""
}

// roles reads the roles of a holder and what they are limited to.
func (c *simClient) roles(at string) {
	for _, role := range c.list(at + "/roles") {
		c.list(at + "/roles/" + simString(role, "id") + "/targets/groups")
		c.list(at + "/roles/" + simString(role, "id") + "/targets/catalog/apps")
	}
}

// simChangeAll uses every route that changes the org.
func simChangeAll(c *simClient) {
	const ok, none = http.StatusOK, http.StatusNoContent
	post := func(user, step string) { c.Must(ok, http.MethodPost, "/api/v1/users/"+user+"/lifecycle/"+step, "") }
	remove := func(target string) { c.Must(none, http.MethodDelete, target, "") }
	id := simString(c.list(`/api/v1/users?search=status%20eq%20%22ACTIVE%22`)[40], "id")
	for _, step := range []string{"suspend", "unsuspend", "expire_password", "reset_password?sendEmail=false&revokeSessions=true",
		"reset_factors", "reactivate?sendEmail=false", "deactivate?sendEmail=false", "activate?sendEmail=true"} {
		post(id, step)
	}
	post(c.with("LOCKED_OUT"), "unlock")
	post(c.with("PASSWORD_EXPIRED"), "expire_password_with_temp_password?revokeSessions=true")
	post(c.with("DEPROVISIONED"), "activate?sendEmail=false")
	group := simString(c.list("/api/v1/groups")[3], "id")
	c.Must(none, http.MethodPut, "/api/v1/groups/"+group+"/users/"+id, "")
	remove("/api/v1/groups/" + group + "/users/" + id)
	apps := c.list("/api/v1/apps?limit=200")
	app := simString(apps[2], "id")
	remove("/api/v1/apps/" + app + "/users/" + simString(c.list("/api/v1/apps/" + app + "/users")[0], "id"))
	for _, at := range []string{"/api/v1/users/" + id, "/api/v1/groups/" + group, "/oauth2/v1/clients/" + app} {
		if status, _, b := c.Do(http.MethodPost, at+"/roles", `{"type":"HELP_DESK_ADMIN"}`); status/100 != 2 {
			c.T.Fatalf("POST %s/roles: status %d: %s", at, status, b)
		}
		remove(at + "/roles/" + simString(c.list(at + "/roles")[0], "id"))
	}
	for i, one := range [][2]string{{"grants", "/"}, {"tokens", "/"}, {"grants", ""}, {"tokens", ""}} {
		row := c.list("/api/v1/apps/" + app + "/tokens")[0]
		at := "/api/v1/users/" + simString(row, "userId")
		switch {
		case one == [2]string{"grants", "/"}:
			remove(at + "/grants/" + simString(c.list(at + "/grants")[0], "id"))
		case one[1] == "/":
			remove(at + "/clients/" + app + "/tokens/" + simString(row, "id"))
		case one[0] == "grants":
			other := c.list(at + "/grants")
			if len(other) == 0 {
				c.T.Fatalf("user %d has no grant", i)
			}
			remove(at + "/clients/" + simString(other[0], "clientId") + "/grants")
		default:
			remove(at + "/clients/" + app + "/tokens")
		}
	}
	remove("/api/v1/apps/" + app + "/tokens/" + simString(c.list("/api/v1/apps/" + app + "/tokens")[0], "id"))
	remove("/api/v1/authorizationServers/default/clients/" + app + "/tokens/" + simString(c.list("/api/v1/apps/" + app + "/tokens")[0], "id"))
	remove("/api/v1/authorizationServers/default/clients/" + app + "/tokens")
	remove("/api/v1/apps/" + app + "/tokens")
	remove("/api/v1/apps/" + app + "/grants/" + simString(c.list("/api/v1/apps/" + app + "/grants")[0], "id"))
	remove("/api/v1/users/" + id + "/sessions?oauthTokens=true")
	remove("/api/v1/api-tokens/" + simString(c.list("/api/v1/api-tokens")[3], "id"))
	c.Must(ok, http.MethodGet, "/api/v1/logs?since=2026-11-24T11:59:59Z", "")
}

// simRefuseAll gets every kind of refusal.
func simRefuseAll(c *simClient) {
	post := func(status int, user, step string) {
		c.Must(status, http.MethodPost, "/api/v1/users/"+user+"/lifecycle/"+step, "")
	}
	gone, active := c.with("DEPROVISIONED"), simString(c.list(`/api/v1/users?search=status%20eq%20%22ACTIVE%22`)[50], "id")
	post(http.StatusBadRequest, gone, "suspend")
	post(http.StatusBadRequest, gone, "unsuspend")
	post(http.StatusForbidden, gone, "deactivate")
	post(http.StatusForbidden, gone, "unlock")
	post(http.StatusForbidden, gone, "reset_password?sendEmail=true")
	post(http.StatusForbidden, active, "activate")
	post(http.StatusNotFound, "00unobody", "suspend")
	c.Must(http.StatusNotFound, http.MethodGet, "/api/v1/users/nobody@contoso.example", "")
	c.Must(http.StatusNotFound, http.MethodDelete, "/api/v1/users/"+active+"/grants/oagnone", "")
	c.Must(http.StatusBadRequest, http.MethodGet, "/api/v1/logs?since=2026-01-01T00:00:00Z", "")
	c.Must(http.StatusBadRequest, http.MethodGet, "/api/v1/logs?after=made-up", "")
	c.Must(http.StatusBadRequest, http.MethodGet, `/api/v1/logs?filter=published%20gt%20%222026%22`, "")
	c.Must(http.StatusForbidden, http.MethodPut, "/api/v1/groups/"+simString(c.list("/api/v1/groups")[0], "id")+"/users/"+active, "")
	c.Must(http.StatusBadRequest, http.MethodPost, "/api/v1/users/"+active+"/roles", `{"type":"CUSTOM","role":"cr0","resource-set":"iam"}`)
	c.Must(http.StatusConflict, http.MethodPost, "/api/v1/users/me/roles", `{"type":"SUPER_ADMIN"}`)
	c.As("Authorization", "SSWS wrong").Must(http.StatusUnauthorized, http.MethodGet, "/api/v1/users", "")
}

func TestScopesOfTheFakeAreTheVendors(t *testing.T) {
	check := simtest.Spec(t, simSpec, simExceptions)
	want := map[string][]string{} // by path with all parameters alike
	alike := func(p string) string {
		seg := strings.Split(p, "/")
		for i := range seg {
			if strings.HasPrefix(seg[i], "{") {
				seg[i] = "{}"
			}
		}
		return strings.Join(seg, "/")
	}
	for op, scopes := range check.Scopes() {
		want[alike(op)] = scopes
	}
	for pattern, scope := range simPatterns() {
		if got := want[alike(pattern)]; !slices.Contains(got, scope) {
			t.Errorf("%s wants %s, the description says %v", pattern, scope, got)
		}
	}
}
