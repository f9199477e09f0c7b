package salesforce

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

type obj = map[string]any

func itoa(n int) string { return strconv.Itoa(n) }

// simOrg is an org of the fake: its records, files and events.
type simOrg struct {
	o       sim.Options
	feed    *sim.Feed
	issuer  *sim.Issuer
	schemas map[string]*simSchema // by name in lower case
	tables  map[string]simTable   // by name
	login   simLogin

	org, service string // ids: of the org, of the user that Config's credential is for
	people       []string
	often        int      // the sum of it in simEvents
	replayed     []simRow // instead of generated events
	usage        simUsage
	index        func() map[string][]int32 // of the events, by object
	uploads      func() map[int][]int32    // of versions: see simupload.go
	logs         sync.Map                  // of EventLogFile, by hour and day: see simelf.go

	mu       sync.RWMutex // of what follows
	rows     map[string][]string
	byID     map[string]simRow
	object   map[string]*simSchema // by prefix
	made     map[string]int        // records by object, those that are gone too
	opened   int
	locators map[string]*simLocator
	secrets  map[string]simSecret // by the DeleteToken of an OauthToken
	files    simFiles
}

// newSim is Provider.Sim: a fake org. Options.Variant says which credential Config gives and what the org has: "" is a JWT of a user
// who may do everything, in an org with Shield; "client_credentials" a secret of an app; "free" an org without Event Monitoring;
// "reader" a user who may only read; "own_files" one who sees no files of others; "unapproved" a user who is not
// pre-authorised; "wrong_key" a key that the app does not know; "no_api" an org without API access.
func newSim(o sim.Options) (*sim.Sim, error) {
	o = o.Filled()
	s := &simOrg{o: o, schemas: simSchemas(), rows: map[string][]string{}, byID: map[string]simRow{}, object: map[string]*simSchema{},
		made: map[string]int{}, locators: map[string]*simLocator{}, secrets: map[string]simSecret{}}
	for _, x := range s.schemas {
		s.object[x.prefix] = x
	}
	for _, k := range simEvents {
		s.often += k.often
	}
	var err error
	s.feed, err = sim.NewFeed(o, sim.FeedSpec{Events: 2500, MaxLag: 5 * time.Minute, Retention: simHalfYear,
		Make: func(b []byte, i int, _ time.Time) []byte { return append(b, s.eventKey(i)...) }, Key: s.eventKey, ReplayKey: simReplayKey})
	if err != nil {
		return nil, err
	}
	s.index, s.uploads = sync.OnceValue(s.byObject), sync.OnceValue(s.byFile)
	s.populate()
	s.tables = s.sources()
	if err = s.replay(); err == nil {
		err = s.credentials()
	}
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	s.routes(mux)
	out := sim.New(o, sim.Vendor{Mux: mux, Fail: s.failStatus, Gates: []sim.Gate{s.count}, Pattern: s.pattern})
	out.Config, out.Published, out.Streams = s.config, s.published, simStreams
	out.Planted = s.planted()
	return out, nil
}

const simHalfYear = 180 * 24 * time.Hour

// simCall is a request that was let in.
type simCall struct {
	w       http.ResponseWriter
	r       *http.Request
	base    string
	version string // "v62.0"
	token   string
	user    string // the id of who asks
}

func (c *simCall) path(name string) string { return c.r.PathValue(name) }
func (c *simCall) data() string            { return "/services/data/" + c.version }
func (c *simCall) json(status int, v any)  { sim.WriteJSON(c.w, status, v) }
func (c *simCall) done()                   { c.w.WriteHeader(http.StatusNoContent) }

// read decodes the body; false = it answered that it is no JSON.
func (s *simOrg) read(c *simCall, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, 64<<20))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		s.fault(c, simBad("JSON_PARSER_ERROR", "The HTTP entity body could not be read: %v", err))
		return false
	}
	return true
}

// routes registers everything the fake answers.
func (s *simOrg) routes(mux *http.ServeMux) {
	s.loginRoutes(mux)
	add := func(pattern string, h func(c *simCall)) {
		method, rest, _ := strings.Cut(pattern, " ")
		serve := func(w http.ResponseWriter, r *http.Request) {
			c := &simCall{w: w, r: r, base: s.o.BaseOf(r), version: r.PathValue("version")}
			if s.admit(c) {
				h(c)
			}
		}
		for _, end := range []string{"", "/{$}"} { // clients write both
			mux.HandleFunc(method+" /services/data/{version}"+rest+end, serve)
		}
	}
	add("GET /query", func(c *simCall) { s.query(c, false) })
	add("GET /queryAll", func(c *simCall) { s.query(c, true) })
	add("GET /query/{locator}", s.more)
	add("GET /limits", func(c *simCall) {
		used, _ := s.spend(0)
		c.json(http.StatusOK, obj{"DailyApiRequests": obj{"Max": s.most(), "Remaining": max(0, s.most()-used)}})
	})
	s.recordRoutes(add)
	s.appRoutes(add)
	mux.HandleFunc("POST /services/Soap/u/{version}", s.soap)
}

var simFrom = regexp.MustCompile(`(?i)\bfrom\s+(\w+)`)

// pattern names the object of a query beside its route: faults and counts are about objects.
func (s *simOrg) pattern(r *http.Request) string {
	rest, ok := strings.CutPrefix(r.URL.Path, "/services/data/")
	_, what, _ := strings.Cut(rest, "/")
	if strings.HasSuffix(what, "/LogFile") && r.Method == http.MethodGet {
		return "GET /services/data/{version}/sobjects/EventLogFile/{id}/LogFile"
	}
	if !ok || r.Method != http.MethodGet || !strings.HasPrefix(what, "query") {
		return r.Pattern
	}
	what, locator, more := strings.Cut(what, "/")
	from := simFrom.FindStringSubmatch(r.URL.Query().Get("q"))
	if more {
		id, _, _ := strings.Cut(locator, "-")
		s.mu.RLock()
		if l := s.locators[id]; l != nil {
			from = []string{"", l.o.name}
		}
		s.mu.RUnlock()
	}
	if len(from) < 2 {
		return r.Pattern
	}
	return "GET /services/data/{version}/" + what + "?from=" + from[1] + ";"
}

// admit checks the session and the version, or answers why not.
func (s *simOrg) admit(c *simCall) bool {
	by, no := s.issuer.Check(c.r, "")
	switch {
	case no != nil:
		s.failStatus(c.w, c.r, http.StatusUnauthorized)
		return false
	case s.o.Variant == "no_api":
		s.fault(c, &simFault{http.StatusForbidden, "API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner"})
		return false
	}
	c.token, c.user = by.Token, by.Owner
	if n, err := strconv.ParseFloat(strings.TrimPrefix(c.version, "v"), 64); err != nil || n < 20 || n > 68 {
		s.failStatus(c.w, c.r, http.StatusNotFound)
		return false
	}
	if !s.may(c.user, "ApiEnabled") {
		s.fault(c, &simFault{http.StatusForbidden, "API_CURRENTLY_DISABLED", "API is disabled for this User"})
		return false
	}
	return true
}

// fault answers with an error. https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
func (s *simOrg) fault(c *simCall, f *simFault) {
	c.json(f.status, []obj{{"message": f.message, "errorCode": f.code}})
}

// failStatus answers with the usual error of a status.
func (s *simOrg) failStatus(w http.ResponseWriter, _ *http.Request, status int) {
	e := map[int][2]string{
		400: {"MALFORMED_QUERY", "unexpected token"},
		401: {"INVALID_SESSION_ID", "Session expired or invalid"},
		403: {"INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id"},
		404: {"NOT_FOUND", "The requested resource does not exist"},
		405: {"METHOD_NOT_ALLOWED", "HTTP Method not allowed"},
		429: {"REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded."},
		503: {"SERVER_UNAVAILABLE", "The server is temporarily unavailable"},
	}[status]
	if e[0] == "" {
		e = [2]string{"UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support"}
	}
	sim.WriteJSON(w, status, []obj{{"message": e[1], "errorCode": e[0]}})
}

// id is an id as Salesforce makes them: a prefix, the instance, a number, and three characters that tell upper from lower case.
func (s *simOrg) id(prefix string, n int) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	b := []byte(prefix + "5g0000000000")
	for i := 14; n > 0; i, n = i-1, n/62 {
		b[i] = digits[n%62]
	}
	return simLong(string(b))
}

// simLong is an id in its long form.
func simLong(id string) string {
	if len(id) != 15 {
		return id
	}
	b := []byte(id)
	for i := 0; i < 15; i += 5 {
		bits := 0
		for j := range 5 {
			if c := id[i+j]; c >= 'A' && c <= 'Z' {
				bits |= 1 << j
			}
		}
		b = append(b, "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits])
	}
	return string(b)
}

// simNumber is the number in an id; -1 = it is of another org.
func simNumber(id string) int {
	if !simIsID(id) || id[3:5] != "5g" {
		return -1
	}
	n := 0
	for _, c := range []byte(id[5:15]) {
		switch {
		case c <= '9':
			n = n*62 + int(c-'0')
		case c <= 'Z':
			n = n*62 + int(c-'A') + 10
		default:
			n = n*62 + int(c-'a') + 36
		}
	}
	return n
}

func simIsID(id string) bool {
	return (len(id) == 15 || len(id) == 18) && !strings.ContainsFunc(id, func(r rune) bool {
		return r < '0' || r > '9' && r < 'A' || r > 'Z' && r < 'a' || r > 'z'
	})
}
