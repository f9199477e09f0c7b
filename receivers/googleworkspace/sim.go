package googleworkspace

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simOrg is a customer of the fake: its directory, its activity, its files.
type simOrg struct {
	sim    *sim.Sim
	o      sim.Options
	issuer *sim.Issuer
	login  simLogin
	feeds  map[string]*sim.Feed // activity by application

	id     string // of the customer
	users  []*simUser
	byKey  map[string]*simUser // by id and address
	groups []*simGroup
	tree   *simTree

	mu       sync.RWMutex // of what changes in the directory and the tree
	requests atomic.Uint64
	notes    atomic.Uint64 // activities that requests caused
}

// obj is a JSON object.
type obj = map[string]any

const (
	simDomain  = "contoso.example"
	simRetains = 180 * 24 * time.Hour
	simStamp   = "2006-01-02T15:04:05.000Z"
)

// newSim is Provider.Sim: a fake customer. Options.Variant says which credential Config gives: "" is the key of a service
// account with all scopes and a super administrator as its subject, "keyless" signs by IAM Credentials, "delegated" acts for a
// delegated administrator, "no_drive" was not granted the scopes of Drive, "basic" is an edition without activity of Drive and
// without labels, "no_delegation" was granted nothing, "suspended" acts for an administrator who is suspended.
func newSim(o sim.Options) (*sim.Sim, error) {
	s, err := newSimOrg(o)
	if err != nil {
		return nil, err
	}
	return s.sim, nil
}

// newSimOrg makes the customer that a fake is of.
func newSimOrg(o sim.Options) (*simOrg, error) {
	o = o.Filled()
	s := &simOrg{o: o, id: "C0" + strings.ToLower(string(sim.NewRand(o.Seed, 20).Name(nil, 7)))}
	s.populate()
	s.tree = newSimTree(o, s)
	if err := s.credentials(); err != nil {
		return nil, err
	}
	if err := s.activities(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	s.routes(mux)
	gate := func(of func(*http.Request) (string, int), cost func(*http.Request) int) sim.Gate {
		return (&sim.Limiter{Now: o.Now, Factor: o.Limits, Of: of, Cost: cost, Tell: func(http.Header, sim.Window) {},
			Deny: func(w http.ResponseWriter, r *http.Request, _ sim.Window) { s.exceeded(w, r) }}).Gate
	}
	out := sim.New(o, sim.Vendor{Mux: mux, Fail: s.failStatus, Pattern: simPattern,
		Gates: []sim.Gate{gate(s.queries, nil), gate(simFiltered, nil),
			gate(s.units, simCost)}})
	out.Config, out.Published, out.Streams = s.config, s.published, simStreams
	out.Planted = s.planted()
	s.sim = out
	return s, nil
}

// simPattern tells downloads from other reads of a file, which have the same route.
func simPattern(r *http.Request) string {
	if strings.Contains(r.URL.RawQuery, "alt=media") {
		return r.Pattern + ":media"
	}
	return r.Pattern
}

// simCall is a request that was let in.
type simCall struct {
	w    http.ResponseWriter
	r    *http.Request
	body []byte
	args url.Values
	mask simMask  // what the answer is to hold
	by   *simUser // for whom the token acts; nil = the service account itself
	base string
}

func (c *simCall) path(name string) string  { return c.r.PathValue(name) }
func (c *simCall) query(name string) string { return c.args.Get(name) }
func (c *simCall) yes(name string) bool     { return c.query(name) == "true" }

// admin says whether the call acts for an administrator.
func (c *simCall) admin() bool { return c.by != nil && (c.by.super || c.by.delegated) }

// into reads the JSON body.
func (c *simCall) into(v any) *simNo {
	if err := json.Unmarshal(c.body, v); err != nil {
		return simBad("parseError", "Parse Error")
	}
	return nil
}

// simNo is an answer that refuses.
type simNo struct {
	status          int
	reason, message string
	at              string // the parameter at fault
}

func simBad(reason, message string) *simNo { return &simNo{http.StatusBadRequest, reason, message, ""} }

func simInvalid(name, value string) *simNo {
	return &simNo{http.StatusBadRequest, "invalidParameter", "Invalid value '" + value + "'.", name}
}

func simForbid(reason, message string) *simNo {
	return &simNo{http.StatusForbidden, reason, message, ""}
}

// simDo answers a request: with an object, with a simReply, with nothing (204), or refuses.
type simDo func(c *simCall) (any, *simNo)

// simReply is an answer as it goes out.
type simReply struct {
	status int
	header map[string]string
	body   [][]byte // what was sent of it is not held
}

// simAdd registers a route with the scopes of which a token needs one, without what they have in common.
type simAdd func(pattern, scopes string, h simDo)

// routes registers everything the fake answers.
func (s *simOrg) routes(mux *http.ServeMux) {
	mux.Handle("POST /token", s.issuer)
	mux.HandleFunc("POST /v1/token", s.exchange)
	mux.HandleFunc("GET /download/{file}/{revision}", s.download)
	s.each(func(pattern, scopes string, h simDo) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, strings.Fields(scopes), h) })
	})
}

// each calls add for every route that a token is for.
func (s *simOrg) each(add simAdd) {
	add("POST /v1/projects/{project}/serviceAccounts/{call}", "cloud-platform", s.signJWT)
	add("GET /admin/reports/v1/activity/users/{user}/applications/{app}", "admin.reports.audit.readonly", s.listActivities)
	add("GET /v1beta1/alerts", "apps.alerts", s.listAlerts)
	s.directoryRoutes(add)
	s.adminRoutes(add)
	s.fileRoutes(add)
	s.writeRoutes(add)
	s.shareRoutes(add)
	s.labelRoutes(add)
}

// answer checks the credential and answers; nobody waits for its client.
func (s *simOrg) answer(w http.ResponseWriter, r *http.Request, scopes []string, h simDo) {
	c := &simCall{w: w, r: r, args: r.URL.Query(), base: s.o.BaseOf(r)}
	by, bad := s.issuer.Check(r, "Bearer")
	if by.Static { // the workload's
		by.Scopes = []string{simScope("cloud-platform")}
	}
	switch {
	case bad != nil:
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
		s.failStatus(w, r, http.StatusUnauthorized)
		return
	case !slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(by.Scopes, simScope(scope)) }):
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="insufficient_scope"`)
		s.refuse(w, r, simForbid("insufficientPermissions", "Request had insufficient authentication scopes."))
		return
	}
	var err error
	if c.body, err = simBody(w, r); err != nil {
		s.refuse(w, r, simBad("parseError", "Parse Error"))
		return
	}
	v, no := s.locked(c, by.Owner, h)
	reply, ready := v.(simReply)
	switch {
	case no != nil:
		s.refuse(w, r, no)
	case v == nil:
		w.WriteHeader(http.StatusNoContent)
	case !ready:
		sim.WriteJSON(w, http.StatusOK, v)
	default:
		for name, value := range reply.header {
			w.Header().Set(name, value)
		}
		if reply.status == 0 { // content, of which a range may be asked for
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(slices.Concat(reply.body...)))
			return
		}
		w.WriteHeader(reply.status)
		for i, part := range reply.body {
			reply.body[i] = nil
			_, _ = w.Write(part)
		}
	}
}

// locked finds out who asks and answers under the lock.
func (s *simOrg) locked(c *simCall, owner string, h simDo) (any, *simNo) {
	if c.r.Method == http.MethodGet {
		s.mu.RLock()
		defer s.mu.RUnlock()
	} else {
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	c.by = s.byKey[owner]
	if strings.HasPrefix(c.r.URL.Path, "/admin/") && !c.admin() {
		return nil, simForbid("forbidden", "Not Authorized to access this resource/api")
	}
	fields := c.query("fields")
	if fields == "" {
		fields = simUsual[c.r.Pattern]
	}
	if fields == "" {
		return h(c)
	}
	var no *simNo
	if c.mask, no = simMaskOf(fields); no != nil {
		return nil, no
	}
	v, no := h(c)
	if _, ready := v.(simReply); ready || v == nil || no != nil {
		return v, no
	}
	return c.mask.of(v), nil
}

// queries is whose window of Reports, or of Directory, a request counts in. https://developers.google.com/workspace/admin/reports/v1/limits
func (s *simOrg) queries(r *http.Request) (string, int) {
	part := strings.SplitN(r.URL.Path, "/", 4)
	if len(part) < 4 || part[1] != "admin" {
		return "", 0
	}
	by, _ := s.issuer.Check(r, "Bearer")
	return part[2] + " " + by.Owner, 2400
}

// simFiltered is the narrower window of filtered activities.
func simFiltered(r *http.Request) (string, int) {
	q := r.URL.Query()
	if strings.HasPrefix(r.URL.Path, "/admin/reports/") && (q.Has("filters") || q.Has("eventName") || q.Has("actorIpAddress")) {
		return "filtered", 250
	}
	return "", 0
}

// units is whose window of Drive's quota units a request counts in. https://developers.google.com/workspace/drive/api/guides/limits
func (s *simOrg) units(r *http.Request) (string, int) {
	if !strings.Contains(r.URL.Path, "/drive/v3/") {
		return "", 0
	}
	by, _ := s.issuer.Check(r, "Bearer")
	return by.Owner, 325_000
}

// simCost is how many quota units a request of Drive costs.
func simCost(r *http.Request) int {
	end := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	lists := []string{"files", "drives", "changes", "permissions", "revisions", "listLabels"}
	switch download := r.URL.Query().Get("alt") == "media" || end == "export" || end == "download"; {
	case download:
		return 200
	case r.Method == http.MethodGet && slices.Contains(lists, end):
		return 100
	case r.Method != http.MethodGet && r.Method != http.MethodDelete:
		return 50
	}
	return 5
}

// exceeded is the answer to who asks too much. Reports says 503, the others take turns between 403 and 429.
func (s *simOrg) exceeded(w http.ResponseWriter, r *http.Request) {
	reason := "userRateLimitExceeded"
	no := &simNo{http.StatusForbidden, reason, "User Rate Limit Exceeded. Rate of requests for user exceed configured project quota.", ""}
	switch {
	case strings.HasPrefix(r.URL.Path, "/admin/reports/"):
		no.status, no.reason, no.message = http.StatusServiceUnavailable, "rateLimitExceeded", "Rate Limit Exceeded"
	case s.requests.Load()%2 == 1:
		no.status, no.reason, no.message = http.StatusTooManyRequests, "rateLimitExceeded", "Rate Limit Exceeded"
	}
	s.refuse(w, r, no)
}

// refuse answers with an error of the APIs.
func (s *simOrg) refuse(w http.ResponseWriter, r *http.Request, no *simNo) {
	s.requests.Add(1)
	domain := "global"
	if strings.HasSuffix(no.reason, "Exceeded") && no.reason != "exportSizeLimitExceeded" {
		domain = "usageLimits"
	}
	e := obj{"message": no.message, "domain": domain, "reason": no.reason}
	if no.at != "" {
		e["location"], e["locationType"] = no.at, "parameter"
	}
	if no.status == http.StatusUnauthorized {
		e["location"], e["locationType"] = "Authorization", "header"
	}
	said := map[int]string{400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ALREADY_EXISTS",
		412: "FAILED_PRECONDITION", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}[no.status]
	body := obj{"code": no.status, "message": no.message, "errors": []obj{e}}
	if said != "" && !strings.Contains(r.URL.Path, "/drive/v3/") { // of which the errors have no status
		body["status"] = said
	}
	sim.WriteJSON(w, no.status, obj{"error": body})
}

// failStatus answers with the usual error of a status.
func (s *simOrg) failStatus(w http.ResponseWriter, r *http.Request, status int) {
	if r.URL.Path == "/token" {
		simSay(w, sim.Access{}, &sim.Refusal{Status: status, Code: "internal_failure"})
		return
	}
	e := map[int][2]string{
		400: {"badRequest", "Bad Request"},
		401: {"authError", "Invalid Credentials"},
		403: {"forbidden", "Not Authorized to access this resource/api"},
		404: {"notFound", "Not Found"},
		409: {"duplicate", "Entity already exists."},
		410: {"deleted", "Resource has been deleted"},
		412: {"conditionNotMet", "Precondition Failed"},
		429: {"rateLimitExceeded", "Rate Limit Exceeded"},
		503: {"rateLimitExceeded", "Rate Limit Exceeded"},
	}[status]
	if e[0] == "" {
		e = [2]string{"backendError", "Internal Error"}
	}
	s.refuse(w, r, &simNo{status, e[0], e[1], ""})
}

// digits is an id of n digits, thing i of a kind. It begins with 1, as no card number does.
func (s *simOrg) digits(n, kind int, i uint64) string {
	d := strconv.FormatUint(sim.Hash(s.o.Seed, uint64(kind), i), 10) + strconv.FormatUint(sim.Hash(s.o.Seed, uint64(kind), i, 1), 10)
	return "1" + (d + d)[:n-1]
}
