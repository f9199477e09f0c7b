package box

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

type obj = map[string]any

func itoa(n int) string { return strconv.Itoa(n) }

// simOrg is an enterprise of the fake: its directory, files and events.
type simOrg struct {
	o      sim.Options
	feed   *sim.Feed
	issuer *sim.Issuer
	tree   *simTree

	id       string     // of the enterprise
	service  *simUser   // the app's service account, which no list has
	users    []*simUser // managed; the first is the primary administrator, the second a co-administrator
	external []*simUser // of others, who collaborate
	byID     map[string]*simUser
	groups   []*simGroup
	login    simLogin

	mu       sync.Mutex   // of what changes in the directory
	files    sync.RWMutex // of the tree; taken before mu
	requests atomic.Uint64
	changes  atomic.Uint64 // events appended
}

// newSim is Provider.Sim: a fake enterprise. Options.Variant says which credential Config gives: "" is the service account
// by client credentials, "jwt" and "jwt_encrypted" by a signed assertion, "coadmin" a person, "revoked" an app that the
// enterprise no longer authorises, "wrong_key_id" an assertion under a key that the app does not have.
func newSim(o sim.Options) (*sim.Sim, error) {
	o = o.Filled()
	s := &simOrg{o: o}
	s.populate()
	s.tree = newSimTree(o, s.owners())
	var err error
	s.feed, err = sim.NewFeed(o, sim.FeedSpec{Events: 2500, MaxLag: 30 * time.Minute, Retention: simYear,
		Make: s.generate, Key: s.eventID, ReplayKey: simReplayKey})
	if err != nil {
		return nil, err
	}
	if err := s.credentials(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	s.routes(mux)
	all := &sim.Limiter{Now: o.Now, Factor: o.Limits, Tell: func(http.Header, sim.Window) {}, Deny: s.deny,
		Of: func(r *http.Request) (string, int) {
			if strings.HasPrefix(r.URL.Path, "/download/") { // on another host, of nobody
				return "", 0
			}
			return s.acting(r), 1000
		}}
	uploads := &sim.Limiter{Now: o.Now, Factor: o.Limits, Tell: all.Tell, Deny: s.deny, Of: func(r *http.Request) (string, int) {
		if !strings.HasPrefix(r.URL.Path, "/api/2.0/") {
			return "", 0
		}
		return s.acting(r), 240
	}}
	out := sim.New(o, sim.Vendor{Mux: mux, Fail: s.failStatus, Gates: []sim.Gate{all.Gate, uploads.Gate}})
	out.Config, out.Published, out.Streams = s.config, s.published, simStreams
	out.Planted = s.tree.planted()
	if o.Replay == nil {
		for kind, n := range sim.CountPlanted(o.Seed, simKindEvent, s.feed.Len()) {
			out.Planted[kind] += n
		}
	}
	return out, nil
}

// simCall is a request that was let in.
type simCall struct {
	w    http.ResponseWriter
	r    *http.Request
	base string
	by   sim.Access
	user *simUser // who acts: the account of the token, or who As-User names
}

func (c *simCall) path(name string) string  { return c.r.PathValue(name) }
func (c *simCall) query(name string) string { return c.r.URL.Query().Get(name) }
func (c *simCall) json(status int, v any)   { sim.WriteJSON(c.w, status, v) }

// read decodes the body; false = it answered that it is no JSON.
func (s *simOrg) read(c *simCall, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, 1<<20)).Decode(into); err != nil {
		s.fail(c.w, http.StatusBadRequest, "bad_request", "Entity body should be a correctly nested resource attribute name/value pair")
		return false
	}
	return true
}

// simAdd registers a route with the scope that a token needs for it: "" = any token, simOpen = none at all.
type simAdd func(pattern, scope string, h func(c *simCall))

const (
	simOpen   = "open"
	simRead   = "root_readonly"
	simWrite  = "root_readwrite"
	simPeople = "manage_managed_users"
	simGroups = "manage_groups"
	simManage = "manage_enterprise_properties"
	simDenied = "access_denied_insufficient_permissions"
	simYear   = 365 * 24 * time.Hour
	simBuffer = 14 * 24 * time.Hour // for how long the stream of events goes back
)

// routes registers everything the fake answers.
func (s *simOrg) routes(mux *http.ServeMux) {
	mux.Handle("POST /oauth2/token", s.issuer)
	add := func(pattern, scope string, h func(c *simCall)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			c := &simCall{w: w, r: r, base: s.o.BaseOf(r)}
			if scope == simOpen || s.admit(c, scope) {
				h(c)
			}
		})
	}
	s.directoryRoutes(add)
	s.eventRoutes(add)
	s.fileRoutes(add)
}

// admit checks the credential, its scopes, and whom it acts for, or answers why not.
func (s *simOrg) admit(c *simCall, scope string) bool {
	var no *sim.Refusal
	if c.by, no = s.issuer.Check(c.r, ""); no != nil {
		c.challenge("invalid_token", "The access token provided is invalid.")
		s.failStatus(c.w, c.r, http.StatusUnauthorized)
		return false
	}
	self := s.byID[c.by.Owner]
	c.user = self
	if id := c.r.Header.Get("As-User"); id != "" {
		c.user = s.byID[id]
	}
	if c.user != self && !s.mayBe(self, c.user) {
		s.failStatus(c.w, c.r, http.StatusForbidden)
		return false
	}
	return s.permit(c, scope)
}

// permit checks what the token and who acts may do.
func (s *simOrg) permit(c *simCall, scope string) bool {
	if !simMay(c.by, scope) {
		const why = "The request requires higher privileges than provided by the access token."
		c.challenge("insufficient_scope", why)
		s.fail(c.w, http.StatusForbidden, "insufficient_scope", why)
		return false
	}
	if content := scope == simRead || scope == simWrite || scope == ""; !content && !s.governs(c.user) {
		s.failStatus(c.w, c.r, http.StatusForbidden)
		return false
	}
	return true
}

func (c *simCall) challenge(code, why string) {
	c.w.Header().Set("WWW-Authenticate", `Bearer realm="Service", error="`+code+`", error_description="`+why+`"`)
}

// governs says whether the account may do what administrators may.
func (s *simOrg) governs(u *simUser) bool { return u.service || s.roleOf(u) != "user" }

// mayBe says whether requests of the account may be made as the other: managed users that are not shut out, and for a
// co-administrator none with more rights than theirs.
func (s *simOrg) mayBe(u, other *simUser) bool {
	if other == nil || other.external || s.statusOf(other) == "inactive" {
		return false
	}
	return u.service || s.roleOf(u) == "admin" || s.roleOf(u) == "coadmin" && !s.governs(other)
}

// acting is on whose account a request counts.
func (s *simOrg) acting(r *http.Request) string {
	if id := r.Header.Get("As-User"); id != "" {
		return id
	}
	by, _ := s.issuer.Check(r, "")
	return by.Owner
}

// deny is the answer to who asks too much.
func (s *simOrg) deny(w http.ResponseWriter, r *http.Request, by sim.Window) {
	w.Header().Set("Retry-After", itoa(1+int(by.Reset.Sub(s.o.Now()).Seconds())))
	s.failStatus(w, r, http.StatusTooManyRequests)
}

// fail answers with an error of the API.
func (s *simOrg) fail(w http.ResponseWriter, status int, code, message string) {
	s.failWith(w, status, code, message, nil)
}

// failWith is fail with what the error is about.
func (s *simOrg) failWith(w http.ResponseWriter, status int, code, message string, info obj) {
	e := obj{"type": "error", "status": status, "code": code, "message": message, "request_id": s.name(12, s.requests.Add(1), 16),
		"help_url": "http://developers.box.com/docs/#errors"}
	if info != nil {
		e["context_info"] = info
	}
	sim.WriteJSON(w, status, e)
}

// invalid says that a value of the request is wrong.
func (s *simOrg) invalid(c *simCall, name, value string) {
	s.failWith(c.w, http.StatusBadRequest, "bad_request", "Bad Request", obj{"errors": []obj{{"reason": "invalid_parameter", "name": name,
		"message": "Invalid value '" + value + "'."}}})
}

// failStatus answers with the usual error of a status.
func (s *simOrg) failStatus(w http.ResponseWriter, _ *http.Request, status int) {
	e := map[int][2]string{
		400: {"bad_request", "Bad Request"},
		401: {"unauthorized", "The access token provided is invalid."},
		403: {simDenied, "Access denied - insufficient permission"},
		404: {"not_found", "Not Found"},
		405: {"method_not_allowed", "Method Not Allowed"},
		409: {"conflict", "A resource with this value already exists"},
		412: {"precondition_failed", "The resource has been modified. Please retrieve the resource again and retry"},
		429: {"rate_limit_exceeded", "Request rate limit exceeded, please try again later"},
		503: {"unavailable", "Unavailable"},
	}[status]
	if e[0] == "" {
		e = [2]string{"internal_server_error", "Internal Server Error"}
	}
	if status == http.StatusTooManyRequests && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "30")
	}
	s.fail(w, status, e[0], e[1])
}

// name is a random name of n characters: thing i of a kind.
func (s *simOrg) name(kind int, i uint64, n int) string {
	return string(sim.NewRand(s.o.Seed, uint64(kind), i).Name(nil, n))
}

// number is an id as Box makes them, of eleven digits: of thing i of a kind, which is 20 or more.
func (s *simOrg) number(kind, i int) string {
	return itoa(20_000_000_000 + (int(sim.Hash(s.o.Seed, 17)%300)*20+kind-20)*10_000_000 + i)
}
