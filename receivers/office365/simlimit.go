package office365

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// limits are the quotas. https://learn.microsoft.com/graph/throttling-limits
func (s *simOrg) limits() []sim.Gate {
	limit := func(per time.Duration, n int, of func(r *http.Request) (key string, ok bool), cost func(r *http.Request) int) sim.Gate {
		l := &sim.Limiter{Now: s.o.Now, Factor: s.o.Limits, Per: per, Cost: cost, Tell: func(http.Header, sim.Window) {}, Deny: s.deny,
			Of: func(r *http.Request) (string, int) {
				if key, ok := of(r); ok {
					return key, n
				}
				return "", 0
			}}
		if n == simFileUnits {
			l.Tell = s.tell
		}
		return l.Gate
	}
	return []sim.Gate{
		limit(time.Minute, 2000, func(r *http.Request) (string, bool) { // those that do not say whose they are share one
			return r.URL.Query().Get("PublisherIdentifier"), simAPIOf(r.URL.Path) == simManage
		}, nil),
		limit(10*time.Second, 5, func(r *http.Request) (string, bool) { return "", simIsReport(r.URL.Path) }, nil),
		limit(10*time.Second, 3500, func(r *http.Request) (string, bool) {
			return "", simAPIOf(r.URL.Path) == simGraph && !simIsFiles(r.URL.Path) && !simIsReport(r.URL.Path)
		}, simUnits),
		limit(time.Minute, simFileUnits, func(r *http.Request) (string, bool) {
			return "", simIsFiles(r.URL.Path) || strings.Contains(r.URL.Path, "/_api/") && !strings.Contains(r.URL.Path, "/monitor/")
		}, simFileCost),
	}
}

const simFileUnits = 1200

func simIsReport(path string) bool { return strings.HasPrefix(path, "/v1.0/auditLogs/") }

// simUnits is what a request to the directory costs.
func simUnits(r *http.Request) int {
	path, q := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1.0/"), "/"), r.URL.Query()
	n := map[string]int{"users": 2, "applications": 2, "oauth2PermissionGrants": 2}[path[0]]
	switch path[len(path)-1] {
	case "members":
		n = 3
	case "transitiveMembers":
		n = 5
	case "appRoleAssignments":
		n = 2
	}
	n = max(1, n)
	if q.Has("$select") {
		n--
	}
	if q.Has("$expand") {
		n++
	}
	if top, err := strconv.Atoi(q.Get("$top")); err == nil && top < 20 {
		n--
	}
	return max(1, n)
}

// simFileCost is what a request to files costs.
// https://learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online
func simFileCost(r *http.Request) int {
	path, q := r.URL.Path, r.URL.Query()
	last := path[strings.LastIndexByte(path, '/')+1:]
	switch {
	case strings.Contains(path, "/permissions") || last == "createLink" || last == "invite" || strings.Contains(q.Get("$expand"),
		"permissions"):
		return 5
	case r.Method != http.MethodGet, last == "delta" && !q.Has("token"), last == "children" || last == "drives" || last == "getAllSites":
		return 2
	}
	return 1
}

// tell writes the headers that come once most of the quota is used.
func (s *simOrg) tell(h http.Header, w sim.Window) {
	if w.Remaining > w.Limit/5 {
		return
	}
	h.Set("RateLimit-Limit", strconv.Itoa(w.Limit))
	h.Set("RateLimit-Remaining", strconv.Itoa(w.Remaining))
	h.Set("RateLimit-Reset", strconv.Itoa(1+int(w.Reset.Sub(s.o.Now()).Seconds())))
}

// deny is the answer to who asks too much. The Management Activity API says so under 403 too, and does not say until when.
func (s *simOrg) deny(w http.ResponseWriter, r *http.Request, by sim.Window) {
	if simAPIOf(r.URL.Path) == simManage {
		s.fail(w, r, http.StatusForbidden, "AF429", "Too many requests. Method="+r.Method+", PublisherId="+
			r.URL.Query().Get("PublisherIdentifier"))
		return
	}
	w.Header().Set("Retry-After", strconv.Itoa(1+int(by.Reset.Sub(s.o.Now()).Seconds())))
	s.failStatus(w, r, http.StatusTooManyRequests)
}
