package office365

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

// The families of requests, each with a quota of its own.
const (
	toFeed      = "activity feed"
	toReports   = "reports"
	toDirectory = "directory"
	toFiles     = "files"
)

// family says which quota a request draws on, and the steps of its path. "" = none: it is for a token or a download.
func (t *tenant) family(q saas.Req) (name string, path []string, query url.Values) {
	if q.NoAuth {
		return "", nil, nil
	}
	u, err := url.Parse(strings.TrimPrefix(q.URL, t.graph()))
	if err != nil {
		return toDirectory, nil, nil
	}
	path = strings.Split(strings.Trim(u.Path, "/"), "/")
	switch {
	case q.As != "":
		return toFiles, path, u.Query()
	case strings.HasPrefix(q.URL, t.feed()):
		return toFeed, path, u.Query()
	case path[0] == "auditLogs":
		return toReports, path, u.Query()
	case slices.Contains([]string{"drives", "sites", "shares"}, path[0]), path[0] == "users" && strings.HasPrefix(path[len(path)-1], "drive"):
		return toFiles, path, u.Query()
	}
	return toDirectory, path, u.Query()
}

// size is what an app may ask of a tenant with at least so many licences: of files a minute, of the directory in 10 s.
type size struct{ licenses, files, directory int }

// sizes begin with the largest tenants.
// https://learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online
var sizes = []size{
	{50_000, 6000, 8000}, {15_000, 4800, 8000}, {5000, 3600, 8000}, {1000, 2400, 8000}, {500, 1200, 8000}, {50, 1200, 5000}, {0, 1200, 3500}}

// budgets are the quotas. SharePoint's headers correct that of files once most of it is used.
// https://learn.microsoft.com/graph/throttling-limits
func (t *tenant) budgets() []saas.Budget {
	own := sizes[slices.IndexFunc(sizes, func(s size) bool { return t.Licenses >= s.licenses })]
	of := func(name string, limit int, per time.Duration, cost func(saas.Req) int) saas.Budget {
		return saas.Budget{Name: name, Limit: limit, Per: per, Cost: cost,
			Match: func(q saas.Req) bool { is, _, _ := t.family(q); return is == name }}
	}
	return []saas.Budget{of(toFeed, 2000, time.Minute, nil), of(toReports, 5, 10*time.Second, nil),
		of(toDirectory, own.directory, 10*time.Second, t.units), of(toFiles, own.files, time.Minute, t.fileUnits)}
}

// units is what a request to the directory costs.
func (t *tenant) units(q saas.Req) int {
	_, path, query := t.family(q)
	n := map[string]int{"users": 2, "applications": 2, "oauth2PermissionGrants": 2}[path[0]]
	n = max(n, map[string]int{"members": 3, "appRoleAssignments": 2, "appRoleAssignedTo": 2}[path[len(path)-1]], 1)
	if query.Has("$select") {
		n--
	}
	if query.Has("$expand") {
		n++
	}
	if top, err := strconv.Atoi(query.Get("$top")); err == nil && top < 20 {
		n--
	}
	return max(n, 1)
}

// fileUnits is what a request to files costs.
// https://learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online
func (t *tenant) fileUnits(q saas.Req) int {
	_, path, query := t.family(q)
	switch last := path[len(path)-1]; {
	case slices.Contains(path, "permissions"), last == "createLink", last == "invite":
		return 5
	case q.Method != "" && q.Method != "GET", q.Body != "", last == "delta" && !query.Has("token"), last == "getAllSites",
		last == "drives", last == "RecycleBin":
		return 2
	}
	return 1
}
