package okta

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

const (
	simTime      = "2006-01-02T15:04:05.000Z"
	simRetention = 90 * 24 * time.Hour
	simKindEvent = 1 // of sim.Planted
)

// simKind is a type of event: who acts, on what, how it ends, and how often it comes.
type simKind struct {
	often                  int
	kind, legacy, message  string
	actor, target, outcome string
	uri                    string
}

// simKinds: actors are user, admin, system, app; outcomes ok, mixed (some fail), deny, challenge, allow.
// https://developer.okta.com/docs/reference/api/event-types/
var simKinds = [...]simKind{
	{220, "user.session.start", "core.user_auth.login_success", "User login to Okta", "user", "self", "mixed", "/idp/idx/identify"},
	{200, "user.authentication.sso", "core.user.sso", "User single sign on to app", "user", "app", "ok", "/app/template_saml/sso/saml"},
	{120, "user.authentication.auth_via_mfa", "core.user.factor.attempt_success", "Authentication of user via MFA", "user", "self", "mixed",
		"/idp/idx/challenge/answer"},
	{100, "policy.evaluate_sign_on", "", "Evaluation of sign-on policy", "user", "policy", "allow", "/idp/idx/identify"},
	{40, "policy.evaluate_sign_on", "", "Evaluation of sign-on policy", "user", "policy", "challenge", "/idp/idx/identify"},
	{40, "user.session.end", "core.user_auth.logout_success", "User logout from Okta", "user", "none", "ok", "/login/signout"},
	{40, "app.oauth2.token.grant.access_token", "", "OAuth2 access token is granted", "app", "token", "ok", "/oauth2/v1/token"},
	{20, "app.oauth2.token.grant.refresh_token", "", "OAuth2 refresh token is granted", "app", "token", "mixed", "/oauth2/v1/token"},
	{30, "user.authentication.verify", "", "Verify user identity", "user", "self", "ok", "/idp/idx/introspect"},
	{15, "user.session.access_admin_app", "app.admin.sso.login.success", "User accessing Okta admin app", "admin", "none", "ok",
		"/admin/sso/callback"},
	{15, "user.account.update_profile", "core.user.config.profile_update.success", "Update user profile for Okta", "admin", "other", "ok",
		"/api/internal/user/profile"},
	{12, "group.user_membership.add", "core.user_group_member.user_add", "Add user to group membership", "admin", "member", "ok",
		"/api/v1/groups/users"},
	{8, "group.user_membership.remove", "core.user_group_member.user_remove", "Remove user from group membership", "system", "member", "ok",
		""},
	{10, "application.user_membership.add", "app.generic.provision.assign_user_to_app", "Add user to application membership", "admin",
		"appuser",
		"ok", "/admin/app/assign"},
	{6, "application.user_membership.remove", "app.generic.provision.deactivate_user_from_app", "Remove user's application membership",
		"system",
		"appuser", "ok", ""},
	{5, "application.lifecycle.update", "app.generic.config.app_updated", "Update application", "admin", "app", "ok", "/admin/app/edit"},
	{6, "app.oauth2.consent.grant", "", "User granted consent to app", "user", "app", "ok", "/oauth2/v1/authorize"},
	{5, "user.lifecycle.create", "core.user.config.user_creation.success", "Create Okta user", "admin", "other", "ok", "/api/v1/users"},
	{5, "user.lifecycle.activate", "core.user.config.user_activated", "Activate Okta user", "admin", "other", "ok", "/admin/user/activate"},
	{3, "user.lifecycle.deactivate", "core.user.config.user_deactivated", "Deactivate Okta user", "admin", "other", "ok",
		"/admin/user/deactivate"},
	{3, "user.lifecycle.suspend", "core.user.config.user_suspended", "Suspend Okta user", "admin", "other", "ok", "/admin/user/suspend"},
	{3, "user.lifecycle.unsuspend", "core.user.config.user_unsuspended", "Unsuspend Okta user", "admin", "other", "ok",
		"/admin/user/unsuspend"},
	{6, "user.account.lock", "core.user_auth.account_locked", "Max sign in attempts exceeded", "user", "self", "lock",
		"/idp/idx/challenge/answer"},
	{5, "user.account.unlock_by_admin", "core.user.config.account_unlocked", "Unlock user account", "admin", "other", "ok",
		"/admin/user/unlock"},
	{6, "user.account.reset_password", "core.user.config.password_reset", "User reset password for Okta", "admin", "other", "ok",
		"/api/v1/users/lifecycle/reset_password"},
	{6, "user.account.update_password", "core.user.config.password_update.success", "User update password for Okta", "user", "self", "mixed",
		"/enduser/settings"},
	{5, "user.mfa.factor.activate", "core.user.factor.activate", "User activated factor", "user", "self", "ok", "/idp/idx/enroll"},
	{4, "user.mfa.factor.deactivate", "core.user.factor.deactivate", "Reset factor for user", "admin", "other", "ok", "/admin/user/factors"},
	{3, "user.mfa.okta_verify.deny_push", "", "User rejected Okta push verify", "user", "self", "push", "/api/v1/authn/factors/push"},
	{3, "user.account.privilege.grant", "core.user.admin_privilege.granted", "Grant user privilege", "admin", "role", "ok",
		"/api/internal/privileges"},
	{2, "user.account.privilege.revoke", "core.user.admin_privilege.revoked", "Revoke user privilege", "admin", "role", "ok",
		"/api/internal/privileges"},
	{2, "system.api_token.create", "api.token.create", "Create API token", "admin", "apitoken", "ok", "/api/internal/tokens"},
	{2, "system.api_token.revoke", "api.token.revoke", "Revoke API token", "admin", "apitoken", "ok", "/api/internal/tokens/revoke"},
	{3, "policy.rule.update", "policy.rule.update", "Update policy rule", "admin", "policy", "ok", "/api/v1/policies/rules"},
	{2, "policy.lifecycle.update", "policy.lifecycle.update", "Update policy", "admin", "policy", "ok", "/api/v1/policies"},
	{2, "zone.update", "network_zone.updated", "Update of network zone", "admin", "zone", "ok", "/api/v1/zones"},
	{2, "security.threat.detected", "", "Request from suspicious actor", "anonymous", "none", "deny", "/idp/idx/identify"},
	{2, "security.request.blocked", "security.request.blocked", "Request blocked", "anonymous", "zone", "deny", "/"},
	{2, "user.account.report_suspicious_activity_by_enduser", "", "User reported suspicious activity", "user", "self", "ok",
		"/user/notifications"},
	{2, "system.org.rate_limit.warning", "core.framework.ratelimit.warning", "Rate limit warning", "system", "none", "ok", ""},
	{4, "system.email.send_factor_verify_message.sent", "", "Send factor verification message", "system", "other", "ok", ""},
	{2, "system.import.user.update", "", "Imported user from \"Directory\" \\ corp", "system", "other", "ok", ""},
}

// simPlaces are where people of the fake work.
var simPlaces = [...]simPlace{
	{"Lyon", "Auvergne-Rhône-Alpes", "France", "69000", "45.75", "4.85", 64500, "example isp", "example.net"},
	{"München", "Bavaria", "Germany", "80331", "48.14", "11.58", 64501, "example netz", "example.org"},
	{"Springfield", "Illinois", "United States", "62701", "39.8", "-89.64", 64502, "example broadband", "example.com"},
	{"São Paulo", "São Paulo", "Brazil", "01000", "-23.55", "-46.63", 64503, "example telecom", "example.net"},
	{"大阪市", "Osaka", "Japan", "530-0001", "34.69", "135.5", 64504, "example kk", "example.org"},
}

// simAgents are user agents: raw, system, browser.
var simAgents = [...][3]string{
	{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
		"Windows 10", "CHROME"},
	{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
		"Mac OS X", "SAFARI"},
	{"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Linux", "FIREFOX"},
	{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148", "iOS", "SAFARI"},
}

// generate appends event i.
func (s *simOrg) generate(b []byte, i int, at time.Time) []byte {
	rnd := sim.NewRand(s.o.Seed, 11, uint64(i))
	k := &simKinds[s.weighted[rnd.N(len(s.weighted))]]
	e := &simEvent{rnd: rnd, uuid: s.uuid(i), kind: k.kind, legacy: k.legacy, message: k.message, at: at, severity: "INFO", uri: k.uri,
		transaction: string(rnd.Name(nil, 27))}
	who := s.users[rnd.N(len(s.users))]
	switch k.actor {
	case "user":
		e.actor = who.party()
	case "admin":
		e.actor = s.users[rnd.N(4)].party()
	case "app":
		e.actor = sim.Pick(rnd, s.oidc).party("PublicClientApp")
	case "anonymous":
		e.actor = simParty{id: "unknown", kind: "User", alternate: "unknown", name: "unknown"}
	default:
		e.actor = simParty{id: "okta", kind: "SystemPrincipal", alternate: "system@okta.com", name: "Okta System"}
	}
	if k.actor != "system" {
		s.from(e, who, rnd)
	}
	s.aim(e, k, who, rnd)
	e.end(k.outcome, rnd)
	if t, decoy := sim.Planted(s.o.Seed, simKindEvent, uint64(i)); t != "" {
		e.note = sim.Plant(rnd, t)
	} else if decoy {
		e.note = sim.Decoy(rnd)
	}
	if e.note != "" && rnd.N(3) == 0 && len(e.targets) > 0 { // some notes are in the name of a target
		e.targets[0].name, e.note = e.targets[0].name+" ("+e.note+")", ""
	}
	return e.write(b)
}

// from says from where a person's request comes: mostly from the same place.
func (s *simOrg) from(e *simEvent, who *simUser, rnd *sim.Rand) {
	e.place = &simPlaces[who.n%len(simPlaces)]
	if rnd.N(50) == 0 {
		e.place = &simPlaces[rnd.N(len(simPlaces))]
	}
	a := &simAgents[(who.n/3)%len(simAgents)]
	e.agent, e.os, e.browser = a[0], a[1], a[2]
	e.zone = sim.Pick(rnd, []string{"null", "null", "LegacyIpZone", "Büro \"HQ\""})
	e.session = "102" + string(rnd.Name(nil, 22))
	e.ip = "203.0.113." + strconv.Itoa(1+who.n%250)
	switch rnd.N(12) {
	case 0:
		e.ip = "2001:db8::" + strconv.FormatInt(int64(1+who.n%4000), 16)
	case 1:
		e.proxied = true
	}
}

// aim sets the targets.
func (s *simOrg) aim(e *simEvent, k *simKind, who *simUser, rnd *sim.Rand) {
	other, app := sim.Pick(rnd, s.users), sim.Pick(rnd, s.apps)
	switch k.target {
	case "self":
		e.targets = []simParty{who.party()}
	case "other":
		e.targets = []simParty{other.party()}
	case "app":
		e.targets = []simParty{app.party("AppInstance"), {app.id, "AppUser", other.login, other.name}}
	case "appuser":
		e.targets = []simParty{{other.id, "AppUser", other.login, other.name}, app.party("AppInstance"), other.party()}
	case "member":
		g := sim.Pick(rnd, s.groups)
		e.targets = []simParty{other.party(), {g.id, "UserGroup", "unknown", g.name}}
	case "role":
		e.targets = []simParty{other.party(), {"ra1" + other.id[3:], "ROLE", "unknown", "Help Desk administrator"}}
	case "token":
		e.targets = []simParty{{string(rnd.Name([]byte("AT."), 20)), "access_token", "", "Access Token"}, other.party()}
	case "apitoken":
		e.targets = []simParty{{string(rnd.Name([]byte("00T"), 17)), "Token", "unknown", "pipeline"}}
	case "policy":
		e.targets = []simParty{{string(rnd.Name([]byte("rst"), 17)), "PolicyEntity", "unknown", "Catch-all \"strict\" policy"},
			{string(rnd.Name([]byte("rul"), 17)), "PolicyRule", "unknown", "Mitarbeiter außerhalb"}}
	case "zone":
		e.targets = []simParty{{string(rnd.Name([]byte("nzo"), 17)), "NetworkZone", "unknown", "Zone Ωmega"}}
	}
}

// end sets the outcome.
func (e *simEvent) end(how string, rnd *sim.Rand) {
	e.result = "SUCCESS"
	switch how {
	case "mixed":
		if rnd.N(8) == 0 {
			e.result, e.severity = "FAILURE", "WARN"
			e.reason = sim.Pick(rnd, []string{"INVALID_CREDENTIALS", "LOCKED_OUT", "VERIFICATION_ERROR",
				"Sign-on policy evaluation resulted in DENY"})
		}
	case "deny":
		e.result, e.severity, e.reason = "DENY", "WARN", "Login failures"
	case "lock":
		e.result, e.severity, e.reason = "FAILURE", "DEBUG", "LOCKED_OUT"
	case "push":
		e.result, e.severity, e.reason = "FAILURE", "INFO", "INVALID_CREDENTIALS"
	case "allow":
		e.result, e.reason = "ALLOW", "Sign-on policy evaluation resulted in ALLOW"
	case "challenge":
		e.result, e.reason = "CHALLENGE", "Sign-on policy evaluation resulted in CHALLENGE"
	}
}

func (s *simOrg) uuid(i int) string { return string(sim.NewRand(s.o.Seed, 10, uint64(i)).UUID(nil)) }

// logs is GET /api/v1/logs. Without until it is the endless feed by persistence; its next link is always there, and on an
// empty page it is the request's own URL. https://developer.okta.com/docs/reference/system-log-query/
func (s *simOrg) logs(c *simCall) {
	w, q, now := c.w, c.r.URL.Query(), s.o.Now()
	from, to := now.Add(-7*24*time.Hour), time.Time{}
	for name, into := range map[string]*time.Time{"since": &from, "until": &to} {
		if v := q.Get(name); v != "" {
			t, err := time.Parse(time.RFC3339, v)
			if err != nil {
				s.fail(w, http.StatusBadRequest, "E0000053", "Invalid parameter: "+name+" must be a timestamp in ISO 8601 format")
				return
			}
			*into = t
		}
	}
	limit, ok := simLimit(q.Get("limit"), 100, 1000)
	newest := q.Get("sortOrder") == "DESCENDING"
	switch filter := q.Get("filter"); {
	case from.Before(now.Add(-180 * 24 * time.Hour)):
		s.fail(w, http.StatusBadRequest, "E0000053", "Invalid parameter: since is over 180 days prior to the current day")
		return
	case !ok || !newest && q.Get("sortOrder") != "" && q.Get("sortOrder") != "ASCENDING":
		s.fail(w, http.StatusBadRequest, "E0000053", "Invalid parameter: limit must be 0 to 1000, sortOrder ASCENDING or DESCENDING")
		return
	case strings.Contains(filter, "published"):
		s.fail(w, http.StatusBadRequest, "E0000053", "Invalid filter: published is not allowed")
		return
	case filter != "":
		s.fail(w, http.StatusBadRequest, "E0000031", "Invalid search criteria: this fake has no filters")
		return
	}
	at, ok := s.logCursor(w, q.Get("after"), now)
	if !ok {
		return
	}
	if to.IsZero() && newest {
		to = now
	}
	s.logPage(c, simQuery{at, from, to, newest, limit})
}

// simQuery is a request for events: from and to are exclusive, no to = the endless feed.
type simQuery struct {
	at       *sim.Cursor
	from, to time.Time
	newest   bool
	limit    int
}

// logPage writes a page and its links.
func (s *simOrg) logPage(c *simCall, q simQuery) {
	page := make([]byte, 1, 2200*q.limit+2)
	page[0] = '['
	each := func(raw []byte) { page = append(append(page, raw...), ',') }
	self := c.base + c.r.URL.RequestURI()
	var next sim.Cursor
	more := true
	if bounds := (sim.Bounds{From: q.from.Add(1), To: q.to, Newest: q.newest}); !q.to.IsZero() {
		if q.at == nil {
			begin := s.feed.Begin(bounds)
			q.at = &begin
		}
		next, more = s.feed.ReadIn(bounds, *q.at, q.limit, each)
	} else {
		if q.at == nil {
			begin := s.feed.After(q.from)
			q.at = &begin
		}
		next = s.feed.Read(*q.at, q.limit, each)
	}
	links := []sim.Link{{Rel: "self", URL: self}}
	switch empty := len(page) == 1; {
	case q.to.IsZero() && empty:
		links = append(links, sim.Link{Rel: "next", URL: self})
	case more:
		token := strconv.FormatInt(s.o.Now().UnixMilli(), 10) + "_" + next.String()
		set := map[string]string{"after": token}
		if q.to.IsZero() { // the cursor is enough
			set["since"] = ""
		}
		links = append(links, sim.Link{Rel: "next", URL: sim.WithQuery(c.base, c.r, set)})
	}
	sim.SetLinks(c.w.Header(), links...)
	c.w.Header().Set("Content-Type", "application/json")
	if len(page) > 1 {
		page = page[:len(page)-1]
	}
	_, _ = c.w.Write(append(page, ']'))
}

// logCursor reads after, which is good for as long as events are kept.
func (s *simOrg) logCursor(w http.ResponseWriter, after string, now time.Time) (*sim.Cursor, bool) {
	if after == "" {
		return nil, true
	}
	made, place, _ := strings.Cut(after, "_")
	ms, err := strconv.ParseInt(made, 10, 64)
	c, err2 := sim.ParseCursor(place)
	if err != nil || err2 != nil {
		s.fail(w, http.StatusBadRequest, "E0000001", "Api validation failed: after")
		return nil, false
	}
	if time.UnixMilli(ms).Before(now.Add(-simRetention)) {
		s.fail(w, http.StatusNotFound, "E0000007", "Not found: Resource not found: "+after+" (after)")
		return nil, false
	}
	return &c, true
}

// simLimit reads a limit, which may not be above most.
func simLimit(text string, usual, most int) (int, bool) {
	if text == "" {
		return usual, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0 && n <= most
}
