package salesforce

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

func TestErrorsNameTheKeyAndTheValue(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := sim.KeyPEM(key, "")
	if err != nil {
		t.Fatal(err)
	}
	jwt := Auth{Type: "jwt", ClientID: "app", Username: "svc@contoso.example", PrivateKey: configopaque.String(pem)}
	cc := Auth{Type: "client_credentials", ClientID: "app", ClientSecret: "hush"}
	f := func(from Auth, change func(c *Config), want string) {
		t.Helper()
		c := defaults()
		c.Auth = from
		change(c)
		err := c.Validate()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("error %v, want %q", err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "KEY-----\nM")) {
			t.Errorf("a secret is in %v", err)
		}
	}
	f(jwt, func(*Config) {}, "")
	f(cc, func(*Config) {}, "")
	f(Auth{}, func(*Config) {}, `auth.type: ""`)
	f(jwt, func(c *Config) { c.Auth.ClientID = "" }, "auth.client_id")
	f(jwt, func(c *Config) { c.Auth.Username = "" }, "auth.username")
	f(jwt, func(c *Config) { c.Auth.PrivateKey = "hush" }, "auth.private_key")
	f(jwt, func(c *Config) { c.Auth.PrivateKeyFile = "/no/such.pem" }, "private_key_file")
	f(jwt, func(c *Config) { c.Auth.ClientSecret = "hush" }, "auth.client_secret: set beside")
	f(cc, func(c *Config) { c.Auth.ClientSecret = "" }, "auth.client_secret")
	f(cc, func(c *Config) { c.Auth.Username = "a" }, "auth.username: set beside")
	f(cc, func(c *Config) { c.APIVersion = "58.0" }, `api_version: "58.0"`)
	f(cc, func(c *Config) { c.APIVersion = "67.0" }, "")
	f(cc, func(c *Config) { c.APIVersion = "v62" }, `"v62"`)
	f(cc, func(c *Config) { c.EventLog.Interval = "both" }, `event_log.interval: "both"`)
	f(cc, func(c *Config) { c.EventLog.Except = []string{"Login' OR"} }, "is no EventType")
	f(cc, func(c *Config) { c.Files.ScanEvery = time.Second }, "files.scan_every: 1s")
	f(cc, func(c *Config) { c.QuarantineUser = "0010000000000001AA" }, "quarantine_user")
	f(cc, func(c *Config) { c.QuarantineUser = "0055g00000AAAAAAA1" }, "")
	f(cc, func(c *Config) { c.URLs.Token = "login" }, `urls.token: "login"`)
}

func TestTheAudienceFollowsTheEndpoint(t *testing.T) {
	f := func(endpoint, audience, token string) {
		t.Helper()
		_, c, err := defaults().resolve(endpoint)
		if err != nil || c.Auth.Audience != audience || c.URLs.Token != token {
			t.Errorf("%s: for %s at %s, %v", endpoint, c.Auth.Audience, c.URLs.Token, err)
		}
	}
	f("", production, production+"/services/oauth2/token")
	f(sandbox+"/", sandbox, sandbox+"/services/oauth2/token")
	f("https://contoso.my.salesforce.com", production, "https://contoso.my.salesforce.com/services/oauth2/token")
	f("https://contoso--uat.sandbox.my.salesforce.com", sandbox, "https://contoso--uat.sandbox.my.salesforce.com/services/oauth2/token")
}

func TestEveryCredentialSignsIn(t *testing.T) {
	for _, variant := range []string{"", "client_credentials"} {
		inOrg(t, sim.Options{Events: 5, Users: 12, Variant: variant}, nil, nil, func(o *tenancy) {
			o.pass(time.Minute)
			s := o.tenant().Status()
			if s.Health != "ok" {
				o.Errorf("%q: %s", variant, s.Health)
			}
			o.mu.Lock()
			defer o.mu.Unlock()
			for _, r := range o.asks {
				if agent := r.UserAgent(); !strings.HasPrefix(agent, "longshore") {
					o.Fatalf("%s is asked by %q", r.URL.Path, agent)
				}
			}
		})
	}
}

func TestAWrongCredentialIsReportedInTheVendorsWords(t *testing.T) {
	for variant, want := range map[string]string{"unapproved": "hasn't approved", "wrong_key": "invalid_grant",
		"no_api": "API_DISABLED_FOR_ORG"} {
		inOrg(t, sim.Options{Events: 5, Users: 12, Variant: variant}, nil, nil, func(o *tenancy) {
			o.pass(2 * time.Minute)
			if s := o.tenant().Status(); !strings.Contains(s.Health, want) {
				o.Errorf("%s: %s, want %q", variant, s.Health, want)
			}
		})
	}
}

func TestRightsAreThoseOfTheUser(t *testing.T) {
	f := func(variant string, held []string, lacks string, blind bool) {
		t.Helper()
		inOrg(t, sim.Options{Events: 5, Users: 12, Variant: variant}, nil, nil, func(o *tenancy) {
			o.pass(time.Minute)
			_, c, err := defaults().resolve("")
			if err != nil {
				o.Fatal(err)
			}
			cred, _ := newCredential(c, saas.Setup{}.Filled())
			r, err := (&org{Config: c, cred: cred}).rights(o.Context(), o.tenant().Conn())
			if err != nil {
				o.Fatal(err)
			}
			for _, h := range held {
				if !slices.Contains(r.Held, h) {
					o.Errorf("%q: %s is not held: %v", variant, h, r.Held)
				}
			}
			if slices.Contains(r.Held, lacks) || len(r.Blind) > 0 != blind || r.OrgName == "" || !strings.HasPrefix(r.OrgID, "00D") {
				o.Errorf("%q: %+v", variant, r)
			}
		})
	}
	f("", []string{"ViewSetup", "ModifyAllData", "QueryAllFiles"}, "NoSuch", false)
	f("reader", []string{"ViewSetup", "ViewEventLogFiles"}, "ModifyAllData", false)
	f("own_files", []string{"ApiEnabled"}, "QueryAllFiles", true)
}

func TestRefusalsMeanWhatTheirCodesSay(t *testing.T) {
	c := &credential{setup: saas.Setup{}.Filled()}
	f := func(status int, body string, want saas.Outcome, code string) {
		t.Helper()
		e := c.fault(status, http.Header{}, []byte(body))
		if e == nil || e.Outcome != want || e.Code != code {
			t.Errorf("%d %s: %+v, want %v", status, body, e, want)
		}
	}
	list := func(code string) string { return `[{"message":"m","errorCode":"` + code + `"}]` }
	f(401, list("INVALID_SESSION_ID"), saas.Unauthorized, "INVALID_SESSION_ID")
	f(403, list("REQUEST_LIMIT_EXCEEDED"), saas.Throttled, "REQUEST_LIMIT_EXCEEDED")
	f(403, list("API_DISABLED_FOR_ORG"), saas.Unauthorized, "API_DISABLED_FOR_ORG")
	f(400, list("QUERY_TIMEOUT"), saas.TooMuch, "QUERY_TIMEOUT")
	f(400, list("INVALID_QUERY_LOCATOR"), saas.Expired, "INVALID_QUERY_LOCATOR")
	f(400, list("INVALID_TYPE"), saas.Denied, "INVALID_TYPE")
	f(400, list("INVALID_FIELD"), saas.Denied, "INVALID_FIELD")
	f(400, list("MALFORMED_QUERY"), saas.Invalid, "MALFORMED_QUERY")
	f(500, list("UNKNOWN_EXCEPTION"), saas.Unavailable, "UNKNOWN_EXCEPTION")
	f(503, list("SERVER_UNAVAILABLE"), saas.Unavailable, "SERVER_UNAVAILABLE")
	f(404, list("NOT_FOUND"), saas.Missing, "NOT_FOUND")
	f(400, `{"error":"invalid_grant","error_description":"user hasn't approved this consumer"}`, saas.Unauthorized, "invalid_grant")
	f(500, `<soapenv:Envelope><soapenv:Fault><faultcode>sf:INVALID_SESSION_ID</faultcode></soapenv:Fault>`, saas.Unauthorized,
		"INVALID_SESSION_ID")
	f(502, `<html>`, saas.Unavailable, "Bad Gateway")
	total := c.fault(403, nil, []byte(`[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`))
	if wait := time.Until(total.Until); wait < 14*time.Minute || wait > 16*time.Minute {
		t.Errorf("asked again %v after the requests of the day were used up", wait)
	}
	if e := c.fault(200, nil, nil); e != nil {
		t.Errorf("a good answer is %+v", e)
	}
}

func TestEveryAnswerTellsTheUseOfTheDay(t *testing.T) {
	f := func(header string, n, limit int) {
		t.Helper()
		if gotN, gotLimit := used(http.Header{"Sforce-Limit-Info": {header}}); gotN != n || gotLimit != limit {
			t.Errorf("%q: %d of %d, want %d of %d", header, gotN, gotLimit, n, limit)
		}
	}
	f("api-usage=18/5000", 18, 5000)
	f("per-app-api-usage=17/250(appName=x); api-usage=18/5000", 18, 5000)
	f("", 0, 0)
	f("api-usage=many", 0, 0)
}

func TestInventoriesStopBeforeLogOns(t *testing.T) {
	crowded := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			for name, vals := range rec.Header() {
				w.Header()[name] = vals
			}
			if w.Header().Get("Sforce-Limit-Info") != "" {
				w.Header().Set("Sforce-Limit-Info", "api-usage=85000/100000") // by others
			}
			w.WriteHeader(rec.Code)
			_, _ = w.Write(rec.Body.Bytes())
		})
	}
	inOrg(t, sim.Options{Events: 400, Users: 12, Limits: -1}, nil, crowded, func(o *tenancy) {
		o.pass(time.Hour)
		if n := o.asked("FROM LoginEvent"); n < 50 {
			o.Errorf("log-ons were read %d times in an hour", n)
		}
		walks := 0
		for _, from := range []string{"FROM User ", "FROM Group ", "FROM PermissionSet ", "FROM ContentVersion WHERE IsLatest = true AND Id"} {
			walks += o.asked(from)
		}
		if walks > 8 { // one of all in a quarter of an hour, to hear
			o.Errorf("%d pages of lists were read in an hour at 85 %%", walks)
		}
	})
}

func TestASlowQueryIsAskedInParts(t *testing.T) {
	slow := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if q := r.URL.Query().Get("q"); strings.Contains(q, "FROM User WHERE Id > ") && !strings.Contains(q, "LIMIT 500") {
				sim.WriteJSON(w, http.StatusBadRequest, []obj{{"errorCode": "QUERY_TIMEOUT", "message": "Your query was running for too long."}})
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	inOrg(t, sim.Options{Events: 5, Users: 12, Limits: -1}, nil, slow, func(o *tenancy) {
		o.pass(10 * time.Minute)
		if s := o.status("users"); !s.Complete || s.Events == 0 {
			o.Errorf("%+v", s)
		}
	})
}
