package office365

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

func (s *simOrg) signInID(i int) string { return s.uuid(21, uint64(i)) }

func (s *simOrg) directoryAuditID(i int) string {
	return "Directory_" + s.uuid(22, uint64(i)) + "_" + string(sim.NewRand(s.o.Seed, 23, uint64(i)).Name(nil, 5))
}

// signIn appends sign-in i. https://learn.microsoft.com/graph/api/resources/signin
func (s *simOrg) signIn(b []byte, i int, at time.Time) []byte {
	rnd := sim.NewRand(s.o.Seed, 24, uint64(i))
	u := sim.Pick(rnd, s.users)
	e := &simEvent{b: sim.Text(append(b, `{"id":`...), s.signInID(i)), rnd: rnd, by: u}
	e.text("createdDateTime", simStamp(at))
	e.text("userDisplayName", u.name)
	e.text("userPrincipalName", u.upn)
	e.text("userId", u.id)
	e.text("appId", "89bee1f7-5e6e-4d8a-9f3d-ecd601259da7")
	e.text("appDisplayName", sim.Pick(rnd, []string{"Office365 Shell WCSS-Client", "Microsoft Teams", "Azure Portal"}))
	e.text("ipAddress", "203.0.113."+strconv.Itoa(1+u.n%250))
	e.text("clientAppUsed", sim.Pick(rnd, []string{"Browser", "Mobile Apps and Desktop clients", "IMAP4", ""}))
	e.text("correlationId", string(rnd.UUID(nil)))
	e.text("conditionalAccessStatus", sim.Pick(rnd, []string{"notApplied", "success", "failure"}))
	e.raw("isInteractive", "true")
	e.text("riskDetail", "none")
	e.text("riskLevelAggregated", sim.Pick(rnd, []string{"none", "none", "low", "high"}))
	e.text("riskLevelDuringSignIn", "none")
	e.text("riskState", sim.Pick(rnd, []string{"none", "none", "atRisk"}))
	e.raw("riskEventTypes_v2", "[]")
	e.text("resourceDisplayName", "Microsoft Graph")
	e.text("resourceId", "00000003-0000-0000-c000-000000000000")
	code, why := "0", ""
	if rnd.N(8) == 0 {
		f := sim.Pick(rnd, simErrors)
		code, why = f[0], f[1]
	}
	e.b = append(append(e.b, `,"status":{"errorCode":`...), code...)
	e.text("failureReason", why)
	e.text("additionalDetails", "")
	e.b = append(e.b, `},"deviceDetail":{"deviceId":"","displayName":"","operatingSystem":"Windows10","browser":"Edge `+
		`142.0","isCompliant":false,`+
		`"isManaged":false,"trustType":""},"location":{"city":"Oslo","state":"Oslo","countryOrRegion":"NO","geoCoordinates":`+
		`{"altitude":null,"latitude":59.9,"longitude":10.7}},"appliedConditionalAccessPolicies":[]`...)
	return append(e.b, '}')
}

// simAudited are activities of the directory: category, operation, name.
var simAudited = [][3]string{{"UserManagement", "Add", "Add user"}, {"UserManagement", "Update", "Update user"},
	{"UserManagement", "Update", "Disable account"}, {"UserManagement", "Update", "Reset user password"}, {"RoleManagement", "Assign",
		"Add member to role"},
	{"GroupManagement", "Assign", "Add member to group"}, {"ApplicationManagement", "Assign", "Consent to application"},
	{"ApplicationManagement", "Add", "Add service principal"}, {"Policy", "Update", "Update conditional access policy"},
	{"DirectoryManagement", "Update", "Set Company Information"}}

// directoryAudit appends activity i. https://learn.microsoft.com/graph/api/resources/directoryaudit
func (s *simOrg) directoryAudit(b []byte, i int, at time.Time) []byte {
	rnd := sim.NewRand(s.o.Seed, 25, uint64(i))
	u, to, a := s.users[rnd.N(min(3, len(s.users)))], sim.Pick(rnd, s.users), sim.Pick(rnd, simAudited)
	e := &simEvent{b: sim.Text(append(b, `{"id":`...), s.directoryAuditID(i)), rnd: rnd, by: u}
	e.text("category", a[0])
	e.text("correlationId", string(rnd.UUID(nil)))
	e.text("result", sim.Pick(rnd, []string{"success", "success", "success", "failure"}))
	e.text("resultReason", "")
	e.text("activityDisplayName", a[2])
	e.text("activityDateTime", simStamp(at))
	e.text("loggedByService", "Core Directory")
	e.text("operationType", a[1])
	if rnd.N(5) == 0 {
		app := sim.Pick(rnd, s.apps)
		e.b = append(sim.Text(append(e.b, `,"initiatedBy":{"user":null,"app":{"appId":`...), app.app), `,"displayName":`...)
		e.b = sim.Text(e.b, app.name)
		e.text("servicePrincipalId", app.id)
		e.b = append(e.b, `,"servicePrincipalName":null}}`...)
	} else {
		e.b = append(sim.Text(append(e.b, `,"initiatedBy":{"app":null,"user":{"id":`...), u.id), `,"displayName":null`...)
		e.text("userPrincipalName", u.upn)
		e.text("ipAddress", "203.0.113."+strconv.Itoa(1+u.n%250))
		e.b = append(e.b, "}}"...)
	}
	e.b = append(sim.Text(append(e.b, `,"targetResources":[{"id":`...), to.id), `,"displayName":null,"type":"User"`...)
	e.text("userPrincipalName", to.upn)
	e.b = append(e.b,
		`,"groupType":null,"modifiedProperties":[{"displayName":"AccountEnabled","oldValue":"[true]","newValue":"[false]"}]}]`...)
	e.b = append(sim.Text(append(e.b, `,"additionalDetails":[{"key":"User-Agent","value":`...), simAgent(u.n)), "}]"...)
	return append(e.b, '}')
}

// logRoutes are the logs of the directory. https://learn.microsoft.com/graph/api/signin-list
func (s *simOrg) logRoutes(add simAdd) {
	const right = "AuditLog.Read.All"
	add("GET /v1.0/auditLogs/signIns", right, func(c *simCall) (int, any) {
		if s.o.Variant == "no_premium" {
			return 0, simNo{http.StatusForbidden, "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
				"Neither tenant is B2C or tenant doesn't " +
					"have premium license"}
		}
		return s.logPage(c, s.signs, "signIns", "createdDateTime", 1000)
	})
	add("GET /v1.0/auditLogs/directoryAudits", right, func(c *simCall) (int, any) {
		return s.logPage(c, s.audits, "directoryAudits", "activityDateTime", 999)
	})
}

// logPage answers with a page of a log: newest first, unless the request wants the oldest first.
func (s *simOrg) logPage(c *simCall, feed *sim.Feed, set, field string, most int) (int, any) {
	top, no := simTop(c, most, most)
	if no != nil {
		return 0, no
	}
	bad := func(why string) (int, any) { return 0, simNo{http.StatusBadRequest, "BadRequest", why} }
	span := sim.Bounds{From: s.o.Now().Add(-simMonth), To: s.o.Now().Add(time.Second), Newest: true}
	switch order := c.query("$orderby"); order {
	case "", field, field + " desc":
	case field + " asc":
	default:
		return bad("Invalid $orderby: " + order)
	}
	span.Newest = c.query("$orderby") == "" || strings.HasSuffix(c.query("$orderby"), " desc")
	for part := range strings.SplitSeq(c.query("$filter"), " and ") {
		w := strings.Fields(part)
		if len(w) == 0 {
			continue
		}
		t, err := time.Parse(time.RFC3339, w[len(w)-1])
		if len(w) != 3 || w[0] != field || err != nil {
			return bad("Invalid filter clause: " + part)
		}
		switch t = t.Add(time.Second - 1).Truncate(time.Second); w[1] { // what is compared are whole seconds
		case "ge":
			span.From = t
		case "le":
			span.To = t.Add(time.Second)
		case "eq":
			span.From, span.To = t, t.Add(time.Second)
		default:
			return bad("Invalid filter clause: " + w[1] + " is not supported on " + field)
		}
	}
	at := feed.Begin(span)
	if v := c.query("$skiptoken"); v != "" {
		var err error
		if at, err = sim.ParseCursor(v); err != nil {
			return bad("The skip token is not valid.")
		}
	}
	rows := []byte{}
	next, more := feed.ReadIn(span, at, top, func(raw []byte) {
		if len(rows) > 0 {
			rows = append(rows, ',')
		}
		rows = append(rows, raw...)
	})
	out := sim.Text([]byte(`{"@odata.context":`), simContext+"auditLogs/"+set)
	if more {
		out = sim.Text(append(out, `,"@odata.nextLink":`...), simLink(c, "$skiptoken", next.String()))
	}
	c.w.Header().Set("Content-Type", "application/json")
	return http.StatusOK, append(append(append(out, `,"value":[`...), rows...), "]}"...)
}

// simStreams are the names that published knows; first those of the types of content, in order.
var simStreams = []string{"audit_entra", "audit_exchange", "audit_sharepoint", "audit_general", "dlp_all", "sign_ins", "directory_audits",
	"users", "groups", "group_members", "roles", "app_grants", "sites", "drives", "site_drives", "files", "recycled"}

// published is Sim.Published.
func (s *simOrg) published(stream string, f func(key string) bool) {
	if feed := map[string]*sim.Feed{"sign_ins": s.signs, "directory_audits": s.audits}[stream]; feed != nil {
		feed.Published(f)
		return
	}
	if i := slices.Index(simStreams, stream); i >= 0 && i < len(simContents) {
		s.ma.published(int8(i), f)
		return
	}
	sim.Each(s.keysOf(stream), f)
}

// keysOf lists what a stream of entities holds now.
func (s *simOrg) keysOf(stream string) (keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch stream {
	case "users":
		for _, u := range s.users {
			keys = append(keys, u.id)
		}
	case "groups":
		for _, g := range s.groups {
			keys = append(keys, g.id)
		}
	case "group_members":
		for _, g := range s.groups {
			for _, id := range g.members {
				keys = append(keys, g.id+"/"+id)
			}
		}
	case "sites": // of teams; those of people are found by whose they are
		for _, t := range s.sites {
			if t.owner == nil {
				keys = append(keys, s.site(t)["id"].(string))
			}
		}
	case "drives", "site_drives":
		for _, d := range s.drives {
			if (d.site.owner != nil) == (stream == "drives") {
				keys = append(keys, d.id)
			}
		}
	case "roles":
		for _, h := range s.holds {
			keys = append(keys, h.id)
		}
	case "app_grants":
		for _, g := range s.grants {
			keys = append(keys, g.id)
		}
		for _, a := range s.assigned {
			keys = append(keys, a.id)
		}
	case "files", "content":
		for _, it := range s.items {
			if s.live(it) && it.parent != "" && (stream == "files" || !it.folder) {
				key := it.id
				if stream == "content" {
					key = it.drive.id + "/" + it.id
				}
				keys = append(keys, key)
			}
		}
	case "recycled":
		for _, b := range s.bin {
			keys = append(keys, b.id)
		}
	}
	return keys
}
