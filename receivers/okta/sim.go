package okta

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simOrg is an org of the fake: its directory, apps, tokens and log.
type simOrg struct {
	o        sim.Options
	feed     *sim.Feed
	issuer   *sim.Issuer
	weighted []int // index into simKinds, as often as it comes

	users   []*simUser
	oidc    []*simApp
	byID    map[string]*simUser // by id and login
	groups  []*simGroup
	apps    []*simApp
	appByID map[string]*simApp
	custom  []*simCustomRole

	mu       sync.Mutex // of what follows, and of what changes in the above
	roles    []*simRole
	grants   []*simGrant
	tokens   []*simToken
	apiKeys  []*simAPIKey
	changes  int // events appended
	requests int

	id, domain       string
	service, me, low *simAPIKey // credentials of Config: of a service account, a person, a read-only administrator
	app              *simApp    // the service app
	keys             simKeys
}

// simScopes are what the service app was granted.
var simScopes = slices.Concat(simReadOnly("logs"), simReadOnly("orgs"), simBoth("users", "groups", "roles", "apps", "appGrants",
	"apiTokens", "authorizationServers", "sessions"))

func simReadOnly(name string) []string { return []string{"okta." + name + ".read"} }

func simBoth(names ...string) []string {
	var out []string
	for _, n := range names {
		out = append(out, "okta."+n+".read", "okta."+n+".manage")
	}
	return out
}

// newSim is Provider.Sim: a fake org. Options.Variant says which credential Config gives: "" and "dpop" are a service app
// with bound tokens, "pkjwt" and "pkjwt_es256" one without (RSA and EC key), "token" the API token of a service account,
// "person" that of an administrator, "readonly" that of a read-only administrator.
func newSim(o sim.Options) (*sim.Sim, error) {
	o = o.Filled()
	s := &simOrg{o: o}
	s.populate()
	for i, k := range simKinds {
		s.weighted = append(s.weighted, slices.Repeat([]int{i}, k.often)...)
	}
	var err error
	s.feed, err = sim.NewFeed(o, sim.FeedSpec{Events: 2500, MaxLag: 30 * time.Minute, Retention: simRetention,
		Make: s.generate, Key: s.uuid, ReplayKey: simReplayKey})
	if err != nil {
		return nil, err
	}
	s.issuer = &sim.Issuer{Seed: o.Seed, Now: o.Now, URL: func(r *http.Request) string { return o.BaseOf(r) + r.URL.EscapedPath() },
		Audience: func(r *http.Request) string { return o.BaseOf(r) + "/oauth2/v1/token" }}
	if err := s.credentials(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	s.routes(mux)
	limits := &sim.Limiter{Now: o.Now, Factor: o.Limits, InFlight: 75, Of: simFamily, Tell: simTell,
		Deny: func(w http.ResponseWriter, _ *http.Request, _ sim.Window) {
			s.failStatus(w, nil, http.StatusTooManyRequests)
		}}
	out := sim.New(o, sim.Vendor{Mux: mux, Fail: s.failStatus, Gates: []sim.Gate{limits.Gate}})
	out.Config, out.Published, out.Streams = s.config, s.published, simStreams
	if o.Replay == nil {
		out.Planted = sim.CountPlanted(o.Seed, simKindEvent, s.feed.Len())
	}
	for i, u := range s.users {
		if t, _ := s.plantedLeaver(i); t != "" && u.note != "" {
			out.Planted[t]++
		}
	}
	return out, nil
}

// simFamily is the bucket of a request and its requests a minute. https://developer.okta.com/docs/reference/rl-global-mgmt/
func simFamily(r *http.Request) (string, int) {
	for _, f := range [...]struct {
		prefix string
		limit  int
	}{
		{"/api/v1/logs", 120}, {"/api/v1/users/", 600}, {"/api/v1/users", 600}, {"/api/v1/groups/", 1000}, {"/api/v1/groups", 500},
		{"/api/v1/apps/", 500}, {"/api/v1/apps", 100}, {"/api/v1/iam/", 600}, {"/oauth2/v1/token", 600}, {"/oauth2/v1/clients", 100},
	} {
		if strings.HasPrefix(r.URL.Path, f.prefix) {
			return f.prefix, f.limit
		}
	}
	return "/", 1200
}

// simCall is a request that was let in, with what its path names.
type simCall struct {
	w     http.ResponseWriter
	r     *http.Request
	by    sim.Access
	base  string
	user  *simUser  // {user}: an id, a login, or me
	group *simGroup // {group}
	app   *simApp   // {app}: clients are apps
}

func (c *simCall) path(name string) string  { return c.r.PathValue(name) }
func (c *simCall) query(name string) string { return c.r.URL.Query().Get(name) }
func (c *simCall) json(status int, v any)   { sim.WriteJSON(c.w, status, v) }

// simAdd registers a route with the scope that the vendor asks for.
type simAdd func(pattern, scope string, h func(c *simCall))

// routes registers everything the fake answers.
func (s *simOrg) routes(mux *http.ServeMux) {
	mux.Handle("POST /oauth2/v1/token", s.issuer)
	mux.HandleFunc("GET /.well-known/okta-organization", func(w http.ResponseWriter, _ *http.Request) {
		sim.WriteJSON(w, http.StatusOK, obj{"id": s.id, "pipeline": "idx", "settings": obj{"analyticsCollectionEnabled": false}})
	})
	add := func(pattern, scope string, h func(c *simCall)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			c := &simCall{w: w, r: r, base: s.o.BaseOf(r)}
			if s.admit(c, scope) && s.resolve(c) {
				h(c)
			}
		})
	}
	add("GET /api/v1/logs", "okta.logs.read", s.logs)
	s.directoryRoutes(add)
	s.appRoutes(add)
	s.roleRoutes(add)
	s.lifecycleRoutes(add)
}

// admit checks the credential, its scopes and its roles, or answers why not.
func (s *simOrg) admit(c *simCall, scope string) bool {
	by, no := s.issuer.Check(c.r, "SSWS")
	c.by = by
	switch {
	case no != nil:
		if c.r.Header.Get("DPoP") != "" {
			c.w.Header().Set("WWW-Authenticate", `DPoP algs="RS256 ES256", error="invalid_dpop_proof", error_description="`+
				strings.ReplaceAll(no.Reason, `"`, "'")+`"`)
		}
		s.fail(c.w, http.StatusUnauthorized, "E0000011", "Invalid token provided")
	case !by.Static && !slices.Contains(by.Scopes, scope):
		c.w.Header().Set("WWW-Authenticate", `Bearer authorization_uri="`+c.base+`/oauth2/v1/authorize", realm="`+c.base+`", scope="`+
			scope+`", error="insufficient_scope", error_description="The access token provided does not contain the required scopes."`+
			`, resource="`+c.r.URL.Path+`"`)
		s.fail(c.w, http.StatusForbidden, "E0000006", simDenied)
	case !s.allowed(by, scope):
		s.fail(c.w, http.StatusForbidden, "E0000006", simDenied)
	default:
		return true
	}
	return false
}

// resolve finds what the path names, or answers 404.
func (s *simOrg) resolve(c *simCall) bool {
	if id := c.path("app"); id != "" {
		if c.app = s.appByID[id]; c.app == nil {
			s.missing(c.w, id, "AppInstance")
			return false
		}
	}
	if id := c.path("group"); id != "" {
		i := slices.IndexFunc(s.groups, func(g *simGroup) bool { return g.id == id })
		if i < 0 {
			s.missing(c.w, id, "UserGroup")
			return false
		}
		c.group = s.groups[i]
	}
	if id := c.path("user"); id != "" {
		if id == "me" {
			id = c.by.Owner
		}
		if c.user = s.byID[id]; c.user == nil {
			s.missing(c.w, c.path("user"), "User")
			return false
		}
	}
	return true
}

const simDenied = "You do not have permission to perform the requested action"

// allowed says whether the roles of the token's owner, or of the app, give the scope.
func (s *simOrg) allowed(by sim.Access, scope string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, holder := "client", by.Client
	if by.Static {
		kind, holder = "user", by.Owner
	}
	for _, r := range s.roles {
		super := strings.HasPrefix(scope, "okta.roles.") || strings.HasPrefix(scope, "okta.apiTokens.")
		switch {
		case r.kind != kind || r.holder != holder:
		case r.roleType == "SUPER_ADMIN", r.roleType == "READ_ONLY_ADMIN" && !super && strings.HasSuffix(scope, ".read"):
			return true
		}
	}
	return false
}

func simTell(h http.Header, w sim.Window) {
	h.Set("X-Rate-Limit-Limit", itoa(w.Limit))
	h.Set("X-Rate-Limit-Remaining", itoa(w.Remaining))
	h.Set("X-Rate-Limit-Reset", itoa(int(w.Reset.Unix())))
}

// fail answers with an error of the API. https://developer.okta.com/docs/reference/error-codes/
func (s *simOrg) fail(w http.ResponseWriter, status int, code, summary string, causes ...string) {
	s.mu.Lock()
	s.requests++
	id := string(sim.NewRand(s.o.Seed, 12, uint64(s.requests)).Name([]byte("oae"), 22))
	s.mu.Unlock()
	list := []obj{}
	for _, c := range causes {
		list = append(list, obj{"errorSummary": c})
	}
	sim.WriteJSON(w, status, obj{"errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": id, "errorCauses": list})
}

// failStatus answers with the usual error of a status.
func (s *simOrg) failStatus(w http.ResponseWriter, _ *http.Request, status int) {
	e := map[int][2]string{
		400: {"E0000001", "Api validation failed"},
		401: {"E0000011", "Invalid token provided"},
		403: {"E0000006", simDenied},
		404: {"E0000007", "Not found: Resource not found"},
		429: {"E0000047", "API call exceeded rate limit due to too many requests."},
	}[status]
	if e[0] == "" {
		e = [2]string{"E0000009", "Internal Server Error"}
	}
	if status == http.StatusTooManyRequests && w.Header().Get("X-Rate-Limit-Reset") == "" {
		simTell(w.Header(), sim.Window{Limit: 120, Reset: s.o.Now().Truncate(time.Minute).Add(time.Minute)})
	}
	s.fail(w, status, e[0], e[1])
}

// simStreams are the names that published knows.
var simStreams = []string{"system_log", "users", "groups", "group_members", "admin_roles", "custom_roles", "apps", "app_grants",
	"user_grants", "user_clients", "app_tokens", "api_tokens"}

// published is Sim.Published.
func (s *simOrg) published(stream string, f func(key string) bool) {
	if stream == "system_log" {
		s.feed.Published(f)
		return
	}
	s.mu.Lock()
	keys := s.keysOf(stream)
	s.mu.Unlock()
	sim.Each(keys, f)
}

// keysOf lists what a stream of entities holds now.
func (s *simOrg) keysOf(stream string) []string {
	set := map[string]bool{}
	switch stream {
	case "users":
		for _, u := range s.users {
			set[u.id] = true
		}
	case "groups", "group_members":
		for _, g := range s.groups {
			if stream == "groups" {
				set[g.id] = true
				continue
			}
			for id := range g.members {
				set[g.id+"/"+id] = true
			}
		}
	case "admin_roles":
		for _, r := range s.roles { // a user is shown with the roles of his groups too
			set[r.kind+"/"+r.holder+"/"+r.id] = true
			for _, u := range s.users {
				if r.kind == "group" && s.has(u.id, r) {
					set["user/"+u.id+"/"+r.id] = true
				}
			}
		}
	case "custom_roles":
		for _, c := range s.custom {
			set[c.id] = true
		}
	case "apps":
		for _, a := range s.apps {
			set[a.id] = true
		}
	case "app_grants", "user_grants":
		for _, g := range s.grants {
			if (g.user == "") == (stream == "app_grants") {
				set[g.id] = true
			}
		}
	case "user_clients", "app_tokens":
		for _, t := range s.tokens {
			if stream == "app_tokens" {
				set[t.id] = true
			} else {
				set[t.user+"/"+t.client] = true
			}
		}
	case "api_tokens":
		for _, k := range s.apiKeys {
			set[k.id] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}
