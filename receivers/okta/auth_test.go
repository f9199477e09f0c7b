package okta

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// quiet is an org with little to read.
func quiet(variant string) sim.Options {
	return sim.Options{Seed: 7, Variant: variant, Events: 30, Users: 30, Limits: -1}
}

func TestEveryCredentialSignsIn(t *testing.T) {
	for _, variant := range []string{"dpop", "pkjwt", "pkjwt_es256", "token"} {
		inOrg(t, quiet(variant), nil, func(o *org) {
			o.pass(time.Minute)
			if s := o.tenant().Status(); s.Health != "ok" {
				t.Errorf("%s: %s", variant, s.Health)
			}
			r := o.tenant().Rights()
			if !strings.HasPrefix(r.OrgID, "00o") || r.OrgName != "Contoso" || r.Person || len(r.Self) == 0 || r.Who == "" {
				t.Errorf("%s: rights %+v", variant, r)
			}
			for _, scope := range readScopes {
				if !slices.Contains(r.Held, scope) {
					t.Errorf("%s: %s is not held: %v", variant, scope, r.Held)
				}
			}
			if refused := o.sim.Seen.Count("", "", http.StatusUnauthorized); refused > 1 || variant == "token" && refused > 0 {
				t.Errorf("%s: %d requests with a wrong signature", variant, refused)
			}
		})
	}
}

func TestAdministratorsOwnTokenIsSeenAsAPersons(t *testing.T) {
	inOrg(t, quiet("person"), nil, func(o *org) {
		o.pass(time.Minute)
		if r := o.tenant().Rights(); !r.Person || r.Who != "admin@contoso.example" || !slices.Contains(r.Self, r.Who) {
			t.Errorf("rights %+v", r)
		}
	})
}

func TestTokenIsRenewedBeforeAndAfterItEnds(t *testing.T) {
	for _, variant := range []string{"dpop", "pkjwt"} {
		inOrg(t, quiet(variant), seldom(), func(o *org) {
			o.pass(5 * time.Hour)
			if n, s := o.sim.Seen.Count("", "", http.StatusUnauthorized), o.tenant().Status(); n > 1 || s.Health != "ok" {
				t.Errorf("%s: %d requests with a token that ended, %s", variant, n, s.Health)
			}
			o.sim.Faults.Next(1, "GET /api/v1/logs", sim.Fault{Status: http.StatusUnauthorized})
			o.pass(15 * time.Minute)
			if s := o.status("system_log"); s.LastError != "" || o.tenant().Status().Health != "ok" {
				t.Errorf("%s: a token refused once: %s", variant, s.LastError)
			}
		})
	}
}

func TestWrongCredentialIsReportedAndNothingIsRead(t *testing.T) {
	f := func(variant string, auth map[string]any, want string) {
		t.Helper()
		inOddOrg(t, quiet(variant), map[string]any{"auth": auth}, asItIs, func(o *org) {
			o.pass(10 * time.Minute)
			if s := o.tenant().Status(); !strings.Contains(s.Health, want) {
				t.Errorf("%s: health %q, want %q", variant, s.Health, want)
			}
			if len(o.docs) > 0 {
				t.Errorf("%s: %d records were read", variant, len(o.docs))
			}
			if n := o.tenant().Status().Requests; n > 60 {
				t.Errorf("%s: %d requests with a credential that does not work", variant, n)
			}
		})
	}
	keys := pemKeys(t)
	f("dpop", map[string]any{"private_key": keys["p256"]}, "invalid_client")
	f("pkjwt", map[string]any{"private_key": keys["pkcs1"]}, "invalid_client")
	f("pkjwt_es256", map[string]any{"client_id": "0oanobody"}, "invalid_client")
	f("dpop", map[string]any{"dpop": false}, "invalid_dpop_proof")
	f("token", map[string]any{"token": "00nobody"}, "E0000011")
}

func TestScopeThatWasTakenTurnsItsStreamsOff(t *testing.T) {
	inOrg(t, quiet("dpop"), map[string]any{"auth": map[string]any{"scopes": []any{"okta.logs.read", "okta.users.read", "okta.nothing.read"}}},
		func(o *org) {
			o.pass(90 * time.Minute)
			for _, s := range o.tenant().Status().Streams {
				on := slices.Contains([]string{"system_log", "users", "user_grants", "user_clients"}, s.Name)
				if on != (s.Off == "") || !on && !strings.Contains(s.Off, "lacks okta.") {
					t.Errorf("%s: off %q", s.Name, s.Off)
				}
			}
			if len(o.got["users"]) == 0 || len(o.got["system_log"]) == 0 {
				t.Error("what is still granted was not read")
			}
		})
}

func TestRepliesMeanWhatOktaSays(t *testing.T) {
	c := &credential{nonces: map[string]string{}}
	f := func(status int, head http.Header, body string, want saas.Outcome, code string) {
		t.Helper()
		e := c.fault(status, head, []byte(body))
		if e == nil || e.Outcome != want || e.Code != code {
			t.Errorf("%d %s: %v, want %v %s", status, body, e, want, code)
		}
	}
	f(400, nil, `{"errorCode":"E0000001","errorSummary":"Api validation failed","errorCauses":[{"errorSummary":"no"}]}`,
		saas.Invalid, "E0000001")
	f(401, nil, `{"errorCode":"E0000011","errorSummary":"Invalid token provided"}`, saas.Unauthorized, "E0000011")
	f(400, nil, `{"error":"invalid_client","error_description":"no"}`, saas.Unauthorized, "invalid_client")
	f(400, nil, `{"error":"invalid_scope"}`, saas.Denied, "invalid_scope")
	f(403, nil, `{"errorCode":"E0000006"}`, saas.Denied, "E0000006")
	f(403, http.Header{"Www-Authenticate": {`Bearer realm="x", error="insufficient_scope", error_description="no"`}}, ``,
		saas.Denied, "insufficient_scope")
	f(409, nil, `{"errorCode":"E0000090"}`, saas.Already, "E0000090")
	f(404, nil, `{"errorCode":"E0000007"}`, saas.Missing, "E0000007")
	f(429, nil, `{"errorCode":"E0000047"}`, saas.Throttled, "E0000047")
	f(500, nil, `{"errorCode":"E0000009"}`, saas.Unavailable, "E0000009")
	f(502, nil, `<html>bad gateway</html>`, saas.Unavailable, "")
	f(400, http.Header{"Dpop-Nonce": {"n1"}}, `{"error":"use_dpop_nonce"}`, saas.Invalid, "use_dpop_nonce")
	f(401, http.Header{"Dpop-Nonce": {"n2"}, "Www-Authenticate": {`DPoP error="use_dpop_nonce"`}}, ``, saas.Unavailable, "use_dpop_nonce")
	if c.nonces["token"] != "n1" || c.nonces["api"] != "n2" {
		t.Errorf("nonces %v", c.nonces)
	}
	if e := c.fault(200, nil, nil); e != nil {
		t.Errorf("a good answer: %v", e)
	}
}
