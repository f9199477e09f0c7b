package box

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// quiet is an enterprise with little to read.
func quiet(variant string) sim.Options {
	return sim.Options{Seed: 7, Variant: variant, Events: 30, Users: 12, Limits: -1}
}

func TestEveryCredentialSignsIn(t *testing.T) {
	all := []string{"manage_managed_users", "manage_groups", "manage_enterprise_properties", "root_readonly", "root_readwrite"}
	f := func(variant string, person bool, held ...string) {
		t.Helper()
		inOffice(t, quiet(variant), nil, nil, func(o *office) {
			o.pass(time.Minute)
			if s := o.tenant().Status(); s.Health != "ok" {
				t.Errorf("%q: %s", variant, s.Health)
			}
			r := o.tenant().Rights()
			if r.OrgID == "" || r.OrgName == "" || r.Person != person || len(r.Self) != 2 || r.Self[1] != r.Who || r.Who == "" {
				t.Errorf("%q: rights %+v", variant, r)
			}
			if slices.Sort(held); !slices.Equal(r.Held, held) || (len(r.Blind) > 0) != (variant == "coadmin") {
				t.Errorf("%q: holds %v, does not see %v", variant, r.Held, r.Blind)
			}
		})
	}
	f("", false, all...)
	f("jwt", false, all...)
	f("jwt_encrypted", false, all...)
	f("coadmin", true, all...)
	f("few_scopes", false, "manage_enterprise_properties", "root_readonly")
}

func TestWhatStaysInvisibleIsSaid(t *testing.T) {
	f := func(variant, want string, refused func(r *http.Request) bool) {
		t.Helper()
		inOffice(t, quiet(variant), nil, func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/2.0/users/me" || !refused(r) {
				return false
			}
			sim.WriteJSON(w, http.StatusForbidden, obj{"status": 403, "code": "access_denied_insufficient_permissions"})
			return true
		}, func(o *office) {
			o.pass(time.Minute)
			if got := strings.Join(o.tenant().Rights().Blind, "; "); !strings.Contains(got, want) || (want == "") != (got == "") {
				t.Errorf("%q: %q", variant, got)
			}
		})
	}
	f("", "", func(*http.Request) bool { return false })
	f("coadmin", "the primary administrator and to other co-administrators", func(*http.Request) bool { return false })
	f("", "as-user header", func(r *http.Request) bool { return r.Header.Get("As-User") != "" })
}

func TestAWrongCredentialIsReportedInTheVendorsWords(t *testing.T) {
	f := func(variant string, auth map[string]any, want string) {
		t.Helper()
		o := quiet(variant)
		s, err := newSim(o)
		if err != nil {
			t.Fatal(err)
		}
		keys := map[string]any{}
		if auth != nil {
			keys["auth"] = s.Config("http://127.0.0.1")["auth"]
			for k, v := range auth {
				keys["auth"].(map[string]any)[k] = v
			}
		}
		inOffice(t, o, keys, nil, func(o *office) {
			o.pass(10 * time.Minute)
			if s := o.tenant().Status(); !strings.Contains(s.Health, want) || s.Requests > 60 {
				t.Errorf("%s %v: %d requests, health %q, want %q", variant, auth, s.Requests, s.Health, want)
			}
			if len(o.got) > 0 {
				t.Errorf("%s: %d events were read", variant, len(o.got))
			}
		})
	}
	f("wrong_key_id", nil, "unable to lookup correct key")
	f("revoked", nil, "not authorized by the enterprise admin")
	f("", map[string]any{"client_secret": "wrong"}, "client credentials are invalid")
	f("", map[string]any{"enterprise_id": "1"}, "Grant credentials are invalid")
}

func TestAClockThatIsWrongSignsInAllTheSame(t *testing.T) {
	for _, skew := range []time.Duration{-time.Hour, -61 * time.Second, -25 * time.Second, -18 * time.Second, 15 * time.Second,
		35 * time.Second, 50 * time.Second, 2 * time.Hour} {
		o := quiet("jwt")
		o.Now = func() time.Time { return time.Now().Add(skew) }
		inOffice(t, o, nil, func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Date", time.Now().Add(skew).UTC().Format(http.TimeFormat))
			return false
		}, func(o *office) {
			o.pass(3 * time.Hour)
			if s := o.tenant().Status(); s.Health != "ok" || s.Streams[0].LastError != "" {
				t.Errorf("a clock that is %v off: %s %s", skew, s.Health, s.Streams[0].LastError)
			}
		})
	}
}

func TestATokenIsRenewedBeforeAndAfterItEnds(t *testing.T) {
	inOffice(t, quiet(""), nil, nil, func(o *office) {
		o.pass(5 * time.Hour)
		refused := func() (n int) {
			for _, c := range o.sim.Seen.All() {
				if c.Status == http.StatusUnauthorized {
					n += c.N
				}
			}
			return n
		}
		if n, s := refused(), o.tenant().Status(); n > 0 || s.Health != "ok" {
			t.Errorf("%d requests with a token that ended, %s", n, s.Health)
		}
		o.sim.Faults.Next(1, "GET /2.0/events", sim.Fault{Status: http.StatusUnauthorized})
		o.pass(5 * time.Minute)
		if s := o.tenant().Status(); s.Health != "ok" || s.Streams[0].LastError != "" || refused() != 1 {
			t.Errorf("a token refused once: %s %s", s.Health, s.Streams[0].LastError)
		}
	})
}

func TestAssertionsSayWhoAsks(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	seen := map[string]bool{}
	f := func(a Auth, alg, kind, id string) {
		t.Helper()
		a.ClientID, a.KeyID = "app1", "kid1"
		c := &credential{Auth: a, key: key, tokenURL: "https://elsewhere.example/token",
			setup: saas.Setup{Rand: rand.Reader, Now: func() time.Time { return now }}}
		jwt, err := c.assertion(c.subject())
		if err != nil {
			t.Fatal(err)
		}
		var head, claims map[string]any
		for i, into := range []*map[string]any{&head, &claims} {
			b, err := base64.RawURLEncoding.DecodeString(strings.Split(jwt, ".")[i])
			if err == nil {
				err = json.Unmarshal(b, into)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		jti, _ := claims["jti"].(string)
		if head["alg"] != alg || head["kid"] != "kid1" || head["typ"] != "JWT" || claims["iss"] != "app1" || claims["sub"] != id ||
			claims["box_sub_type"] != kind || claims["aud"] != "https://api.box.com/oauth2/token" || len(jti) < 16 || len(jti) > 128 || seen[jti] {
			t.Errorf("%v %v", head, claims)
		}
		if left := claims["exp"].(float64) - float64(now.Unix()); left < 30 || left > 45 {
			t.Errorf("it lasts %v s", left)
		}
		seen[jti] = true
	}
	f(Auth{EnterpriseID: "9"}, "RS256", "enterprise", "9")
	f(Auth{EnterpriseID: "9", Algorithm: "RS512"}, "RS512", "enterprise", "9")
	f(Auth{EnterpriseID: "9", UserID: "11", Algorithm: "RS384"}, "RS384", "user", "11")
}

func TestRefusalsMeanWhatTheirStatusSays(t *testing.T) {
	f := func(status int, header, body string, want saas.Outcome, code, msg string) {
		t.Helper()
		h := http.Header{}
		if name, val, ok := strings.Cut(header, ": "); ok {
			h.Set(name, val)
		}
		e := fault(status, h, []byte(body))
		if e == nil || e.Outcome != want || e.Code != code || !strings.Contains(e.Msg, msg) {
			t.Errorf("%d %s: %+v, want %v %s", status, body, e, want, code)
		}
	}
	f(429, "Retry-After: 30", `{"type":"error","status":429,"code":"rate_limit_exceeded","message":"later"}`, saas.Throttled,
		"rate_limit_exceeded", "later")
	f(429, "", `{"code":"too_many_requests"}`, saas.Throttled, "too_many_requests", "")
	f(202, "Retry-After: 3", ``, saas.Unavailable, "not_ready", "not ready")
	f(503, "", `<html>`, saas.Unavailable, "", "")
	f(401, `WWW-Authenticate: Bearer realm="Service", error="invalid_token"`, ``, saas.Unauthorized, "invalid_token", "")
	f(400, "", `{"error":"invalid_grant","error_description":"Please check the 'exp' claim."}`, saas.Unauthorized, "invalid_grant", "'exp'")
	f(403, "", `{"code":"access_denied_insufficient_permissions"}`, saas.Denied, "access_denied_insufficient_permissions", "")
	f(403, `WWW-Authenticate: Bearer error="insufficient_scope"`, ``, saas.Denied, "insufficient_scope", "")
	f(404, "", `{"code":"trashed"}`, saas.Missing, "trashed", "")
	f(409, "", `{"code":"item_name_in_use","context_info":{"conflicts":{"id":"1"}}}`, saas.Invalid, "item_name_in_use", "")
	f(409, "", `{"code":"conflict"}`, saas.Invalid, "conflict", "")
	f(412, "", `{"code":"precondition_failed"}`, saas.Invalid, "precondition_failed", "")
	f(400, "", `{"code":"bad_request","message":"Bad Request","context_info":{"errors":[{"name":"stream_position","message":"too old"}]}}`,
		saas.Expired, "bad_request", "stream_position: too old")
	f(400, "", `{"code":"bad_request","context_info":{"errors":[{"name":"marker"}]}}`, saas.Expired, "bad_request", "marker")
	f(400, "", `{"code":"bad_request","context_info":{"errors":[{"name":"offset","message":"over 10000"}]}}`, saas.Invalid,
		"bad_request", "offset")
	for _, good := range []int{200, 201, 202, 204} {
		if e := fault(good, http.Header{}, nil); e != nil {
			t.Errorf("%d: %v", good, e)
		}
	}
	var err *saas.Error
	if errors.As(error(fault(404, nil, nil)), &err); err.Outcome != saas.Missing {
		t.Error("no header")
	}
}

func TestRequestsForAUserDrawOnThatUsersBudget(t *testing.T) {
	c := &Config{URLs: URLs{Upload: "https://upload.box.com/api/2.0"}}
	b := budgets(c)
	q := asUser("11", "/folders/0/items")
	if q.As != "11" || q.Header["As-User"] != "11" || b[0].Key(q) != "11" || b[0].Limit != 1000 || b[1].Match(q) {
		t.Errorf("%+v", q)
	}
	if q := asUser("", "/users"); q.Header != nil || b[0].Key(q) != "" {
		t.Errorf("%+v", q)
	}
	if up := (saas.Req{URL: c.URLs.Upload + "/files/1/content", As: "11"}); !b[1].Match(up) || b[1].Key(up) != "11" || b[1].Limit != 240 {
		t.Errorf("uploads: %+v", b[1])
	}
}

func TestCheckNamesWhatStaysInvisible(t *testing.T) {
	f := func(variant, want string) {
		t.Helper()
		s, err := newSim(quiet(variant))
		if err != nil {
			t.Fatal(err)
		}
		base, stop, err := sim.Serve("127.0.0.1:0", s, "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		fac := NewFactory()
		cfg := fac.CreateDefaultConfig().(*saas.Config)
		all := map[string]any{"storage": "none"}
		maps.Copy(all, s.Config(base))
		if err := cfg.Unmarshal(confmap.NewFromStringMap(all)); err != nil {
			t.Fatal(err)
		}
		rep, err := saas.Probe(t.Context(), fac, cfg, component.NewIDWithName(fac.Type(), "sales"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(rep.Warnings, "\n"); !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%q: warnings %q, want %q", variant, got, want)
		}
		for _, g := range rep.Capabilities {
			lacks := variant == "few_scopes" && slices.Contains([]saas.Capability{saas.ListAccounts, saas.ListGroups, saas.ListPrivileges,
				saas.UserGovernance, saas.PeriodicDLP, saas.SharingControl, saas.FileGovernance, saas.ApplyLabels}, g.Capability)
			if lacks != (g.Missing != "") {
				t.Errorf("%q: %s lacks %q", variant, g.Capability, g.Missing)
			}
		}
	}
	f("", "")
	f("coadmin", "stays invisible: what belongs to the primary administrator and to other co-administrators")
	f("few_scopes", "")
}
