package office365

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

type simObj = map[string]any

// simOrg is a tenant of the fake: its directory, its drives and its logs.
type simOrg struct {
	o      sim.Options
	ma     *simActivity
	signs  *sim.Feed // of auditLogs/signIns
	audits *sim.Feed // of auditLogs/directoryAudits
	issuer *sim.Issuer
	login  simLogin

	begun      time.Time
	id, domain string // of the tenant, and its name at SharePoint
	users      []*simUser
	groups     []*simGroup
	roles      []*simRole
	apps       []*simApp
	sites      []*simSite
	drives     []*simDrive
	files      []*simItem // those that were there in the beginning

	mu       sync.Mutex // of what follows, and of what changes in the above
	byID     map[string]any
	holds    []*simHold  // role assignments
	grants   []*simGrant // delegated
	assigned []*simAssigned
	changed  map[string]*sim.Changes // by entity set
	items    map[string]*simItem
	bin      []*simBinned
	jobs     map[string]*simJob // monitors by id
	made     uint64             // serial number of what requests made
	odd      simOdd
}

// simOdd is what the fake does wrong; tests of the package set it before the first request.
type simOdd struct {
	locked    map[string]bool // items that are checked out
	resync    bool            // no delta token is known
	unmarked  bool            // no item of a delta says that its sharing changed, as SharePoint's libraries do
	downloads string          // host of pre-signed URLs; "" = the fake's own
}

// newSim is Provider.Sim: a fake tenant. Options.Variant says which credential Config gives and what the tenant lacks: "" is an app
// that signs with a certificate, "secret" one with a client secret, "wrong_certificate" and "wrong_secret" one that is refused,
// "few_rights" one that may only
// read, "no_premium" a tenant without Entra ID P1, "audit_off" one whose audit log is off.
func newSim(o sim.Options) (*sim.Sim, error) {
	_, out, err := newSimOrg(o)
	return out, err
}

// newSimOrg is newSim with the tenant itself.
func newSimOrg(o sim.Options) (*simOrg, *sim.Sim, error) {
	o = o.Filled()
	s := &simOrg{o: o, begun: o.Now(), byID: map[string]any{}, items: map[string]*simItem{}, jobs: map[string]*simJob{},
		changed: map[string]*sim.Changes{},
		odd:     simOdd{locked: map[string]bool{}}}
	s.populate()
	s.shelve()
	if err := s.feeds(); err != nil {
		return nil, nil, err
	}
	if err := s.credentials(); err != nil {
		return nil, nil, err
	}
	out := sim.New(o, sim.Vendor{Mux: s.routes(), Fail: s.failStatus, Gates: s.limits()})
	out.Streams, out.Published, out.Config = simStreams, s.published, s.config
	out.Planted = sim.CountPlantedFiles(o.Seed, len(s.files), func(int) bool { return true })
	if o.Replay == nil {
		for kind, n := range sim.CountPlanted(o.Seed, simKindEvent, s.ma.feed.Len()) {
			out.Planted[kind] += n
		}
	}
	return s, out, nil
}

// feeds makes the logs.
func (s *simOrg) feeds() (err error) {
	if s.ma, err = newSimActivity(s); err != nil {
		return err
	}
	part := s.o
	part.Replay, part.Events = nil, s.ma.feed.Len()/4+1
	if s.signs, err = sim.NewFeed(part, sim.FeedSpec{MaxLag: 2 * time.Hour, Retention: simMonth, Make: s.signIn,
		Key: s.signInID}); err != nil {
		return err
	}
	part.Events = s.ma.feed.Len()/8 + 1
	s.audits, err = sim.NewFeed(part, sim.FeedSpec{MaxLag: 2 * time.Hour, Retention: simMonth, Make: s.directoryAudit,
		Key: s.directoryAuditID})
	return err
}

const (
	simMonth = 30 * 24 * time.Hour
	simTime  = "2006-01-02T15:04:05Z"
)

// simCall is a request that was let in.
type simCall struct {
	w    http.ResponseWriter
	r    *http.Request
	asks url.Values // of the query
	base string
	by   sim.Access
}

func (c *simCall) path(name string) string  { return c.r.PathValue(name) }
func (c *simCall) query(name string) string { return c.asks.Get(name) }
func (c *simCall) json(status int, v any)   { sim.WriteJSON(c.w, status, v) }

// simNo is an answer that refuses.
type simNo struct {
	status        int
	code, message string
}

func simBad(format string, args ...any) simNo {
	return simNo{http.StatusBadRequest, "invalidRequest", fmt.Sprintf(format, args...)}
}

// simAdd registers a route of an API with the permissions of which one is enough: "" = the route asks for no token.
type simAdd func(pattern, rights string, h func(c *simCall) (status int, v any))

// routes registers everything the fake answers. A handler's nil is an empty body.
func (s *simOrg) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", s.token)
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", s.discovery)
	add := func(pattern, rights string, h func(c *simCall) (int, any)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			c := &simCall{w: w, r: r, asks: r.URL.Query(), base: s.o.BaseOf(r)}
			if rights != "" && !s.admit(c, rights) {
				return
			}
			s.mu.Lock()
			status, v := h(c)
			s.mu.Unlock()
			switch no := v.(type) {
			case simNo:
				s.fail(w, r, no.status, no.code, no.message)
			case nil:
				w.WriteHeader(status)
			case []byte:
				w.WriteHeader(status)
				_, _ = w.Write(no)
			default:
				c.json(status, v)
			}
		})
	}
	s.activityRoutes(add)
	s.logRoutes(add)
	s.directoryRoutes(add)
	s.appRoutes(add)
	s.driveRoutes(add)
	s.itemRoutes(add)
	s.shareRoutes(add)
	s.binRoutes(add)
	return mux
}

// read decodes the body.
func simRead[T any](c *simCall) (in T, no any) {
	if err := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, 1<<20)).Decode(&in); err != nil {
		return in, simNo{http.StatusBadRequest, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is " +
			"set and payload is of valid JSON format."}
	}
	return in, nil
}

// admit checks the token, its audience and its permissions, or answers why not.
func (s *simOrg) admit(c *simCall, rights string) bool {
	by, no := s.issuer.Check(c.r, "")
	c.by = by
	api := simAPIOf(c.r.URL.Path)
	audience, secret := strings.CutSuffix(by.Owner, " by secret")
	switch {
	case no != nil || audience != api:
		s.failStatus(c.w, c.r, http.StatusUnauthorized)
	case api == simSharePoint && secret:
		s.fail(c.w, c.r, http.StatusUnauthorized, "", "Unsupported app only token.")
	case !s.may(by, rights):
		s.failStatus(c.w, c.r, http.StatusForbidden)
	default:
		return true
	}
	return false
}

// The APIs, as the fake tells them apart by the path of a request.
const (
	simGraph      = "graph"
	simManage     = "manage"
	simSharePoint = "sharepoint"
	simLoginAPI   = "login"
)

func simAPIOf(path string) string {
	switch {
	case strings.HasPrefix(path, "/v1.0/") || strings.HasPrefix(path, "/beta/"):
		return simGraph
	case strings.HasPrefix(path, "/api/"):
		return simManage
	case strings.HasSuffix(path, "/token"):
		return simLoginAPI
	}
	return simSharePoint
}

// fail answers with an error as the API of the path writes it.
func (s *simOrg) fail(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	request := string(sim.NewRand(s.o.Seed, 12, uint64(s.o.Now().UnixNano())).UUID(nil))
	switch simAPIOf(r.URL.Path) {
	case simManage:
		if status == http.StatusUnauthorized {
			sim.WriteJSON(w, status, simObj{"Message": message})
			return
		}
		sim.WriteJSON(w, status, simObj{"error": simObj{"code": code, "message": message}})
	case simGraph:
		w.Header().Set("Request-Id", request)
		inner := simObj{"date": s.o.Now().UTC().Format("2006-01-02T15:04:05"), "request-id": request,
			"client-request-id": cmp.Or(r.Header.Get("Client-Request-Id"), request)}
		if status == http.StatusTooManyRequests && code == simThrottled {
			inner["code"], inner["innerError"] = "throttledRequest", simObj{"code": "quota"}
		} else if status == http.StatusTooManyRequests {
			inner["code"] = "429"
		}
		sim.WriteJSON(w, status, simObj{"error": simObj{"code": code, "message": message, "innerError": inner}})
	case simLoginAPI:
		s.refuse(w, sim.Refusal{Status: status, Code: cmp.Or(map[int]string{401: "invalid_client", 400: "invalid_request"}[status],
			"temporarily_unavailable")})
	default:
		sim.WriteJSON(w, status, simObj{"odata.error": simObj{"code": cmp.Or(code, "-1, Microsoft.SharePoint.Client.InvalidClientQueryException"),
			"message": simObj{"lang": "en-US", "value": message}}})
	}
}

const simThrottled = "activityLimitReached"

// failStatus answers with the usual error of a status.
func (s *simOrg) failStatus(w http.ResponseWriter, r *http.Request, status int) {
	files := simIsFiles(r.URL.Path)
	e := map[string]map[int][2]string{
		simManage: {
			401: {"", "Authorization has been denied for this request."},
			403: {"AF10001", "The permission set () sent in the request did not include the expected permission ActivityFeed.Read."},
			404: {"AF20050", "The specified content (" + r.URL.Path + ") does not exist."},
			429: {"AF429", "Too many requests. Method=" + r.Method + ", PublisherId=" + r.URL.Query().Get("PublisherIdentifier")},
			500: {"AF50000", "An internal error occurred. Retry the request."},
		},
		simGraph: {
			400: {"BadRequest", "The request is invalid."},
			401: {"InvalidAuthenticationToken", "Access token validation failure. Invalid audience."},
			403: {"Authorization_RequestDenied", "Insufficient privileges to complete the operation."},
			404: {"Request_ResourceNotFound", "Resource '" + r.PathValue("id") +
				"' does not exist or one of its queried reference-property objects are not present."},
			429: {"TooManyRequests", "Too many requests. Please retry after the time given."},
			503: {"serviceNotAvailable", "The service is temporarily unavailable."},
		},
		simSharePoint: {
			401: {"", "Unauthorized."},
			403: {"-2147024891, System.UnauthorizedAccessException", "Attempted to perform an unauthorized operation."},
			404: {"-2147024894, System.IO.FileNotFoundException", "File Not Found."},
		},
	}[simAPIOf(r.URL.Path)][status]
	if files {
		e = cmp.Or(map[int][2]string{403: {"accessDenied", "The caller does not have permission to perform the action."},
			404: {"itemNotFound", "The resource could not be found."}, 429: {simThrottled, "The request has been throttled."},
			410: {"resyncRequired", "Resync required."}, 412: {"resourceModified", "ETag does not match current item's value"},
			423: {"resourceLocked", "The resource you are attempting to access is locked"}}[status], e)
	}
	if status == http.StatusTooManyRequests && simAPIOf(r.URL.Path) != simManage && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "17")
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"`)
	}
	s.fail(w, r, status, cmp.Or(e[0], "generalException"), cmp.Or(e[1], "An error has occurred."))
}

// simIsFiles says whether SharePoint answers a request to Graph.
func simIsFiles(path string) bool {
	return slices.ContainsFunc([]string{"/v1.0/drives", "/v1.0/sites", "/v1.0/shares", "/beta/shares"}, func(p string) bool {
		return strings.HasPrefix(path, p)
	}) || strings.HasPrefix(path, "/v1.0/users/") && strings.HasSuffix(path, "/drive")
}

// uuid is the GUID of thing i of a kind.
func (s *simOrg) uuid(kind int, i uint64) string {
	return string(sim.NewRand(s.o.Seed, uint64(kind), i).UUID(nil))
}

// fresh is the GUID of something that a request makes.
func (s *simOrg) fresh() string {
	s.made++
	return s.uuid(20, s.made)
}

func simStamp(t time.Time) string { return t.UTC().Format(simTime) }

// simTop reads $top.
func simTop(c *simCall, usual, most int) (int, any) {
	v := c.query("$top")
	if v == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > most {
		return 0, simNo{http.StatusBadRequest, "Request_UnsupportedQuery", "Invalid page size specified: '" + v + "'. Must be between 1 and " +
			strconv.Itoa(most) + " inclusive."}
	}
	return n, nil
}
