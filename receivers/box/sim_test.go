package box

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/youmark/pkcs8"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// simClock is a clock that tests set.
type simClock struct{ t time.Time }

func (c *simClock) now() time.Time { return c.t }

var simNoon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func simStr(o obj, key string) string { s, _ := o[key].(string); return s }

// simStaff asks a fake with the token of Config's credential.
type simStaff struct {
	*simtest.Client
	auth obj
}

// newSimStaff makes a fake, wrapped where wrap is not nil, and signs in.
func newSimStaff(t *testing.T, o sim.Options, wrap func(http.Handler) http.Handler) (*sim.Sim, *simStaff) {
	t.Helper()
	if o.Now == nil {
		o.Now = (&simClock{simNoon}).now
	}
	s, err := newSim(o)
	if err != nil {
		t.Fatal(err)
	}
	c := &simtest.Client{T: t, Handler: s.Handler, Base: "http://box.test"}
	if wrap != nil {
		c.Handler = wrap(s.Handler)
	}
	auth, _ := s.Config(c.Base)["auth"].(obj)
	a := &simStaff{c, auth}
	a.sign()
	return s, a
}

// form is the request for a token by client credentials.
func (a *simStaff) form() url.Values {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {simStr(a.auth, "client_id")},
		"client_secret": {simStr(a.auth, "client_secret")}, "box_subject_type": {"enterprise"},
		"box_subject_id": {simStr(a.auth, "enterprise_id")}}
	if id := simStr(a.auth, "user_id"); id != "" {
		form["box_subject_type"], form["box_subject_id"] = []string{"user"}, []string{id}
	}
	return form
}

// ask asks for a token.
func (a *simStaff) ask(form url.Values) (status int, out obj) {
	status, _, b := a.As("Content-Type", "application/x-www-form-urlencoded").Do(http.MethodPost, "/oauth2/token", form.Encode())
	if err := json.Unmarshal(b, &out); err != nil {
		a.T.Fatal(err)
	}
	return status, out
}

// sign signs in, by client credentials whatever the variant, where the fake lets it.
func (a *simStaff) sign() {
	if a.auth == nil {
		return
	}
	if status, out := a.ask(a.form()); status == http.StatusOK {
		a.Client = a.As("Authorization", "Bearer "+simStr(out, "access_token"))
	}
}

// rows reads all pages of a list.
func (a *simStaff) rows(c *simtest.Client, target string) (all []obj) {
	a.T.Helper()
	sep := "?"
	if strings.Contains(target, "?") {
		sep = "&"
	}
	for next := target; ; {
		var p struct {
			Entries []obj
			Total   *int   `json:"total_count"`
			Next    string `json:"next_marker"`
		}
		if err := json.Unmarshal(c.Must(http.StatusOK, http.MethodGet, next, ""), &p); err != nil {
			a.T.Fatal(err)
		}
		switch all = append(all, p.Entries...); {
		case p.Next != "":
			next = target + sep + "marker=" + url.QueryEscape(p.Next)
		case p.Total != nil && len(all) < *p.Total && len(p.Entries) > 0:
			next = target + sep + "offset=" + itoa(len(all))
		default:
			return all
		}
	}
}

// simEvents is an answer with events.
type simEvents struct {
	Size    int             `json:"chunk_size"`
	Next    json.RawMessage `json:"next_stream_position"`
	Entries []json.RawMessage
}

func (e *simEvents) next() string { return strings.Trim(string(e.Next), `"`) }

func simEventID(raw []byte) string {
	var e struct {
		ID string `json:"event_id"`
	}
	_ = json.Unmarshal(raw, &e)
	return e.ID
}

// drain follows positions until an answer is empty.
func (a *simStaff) drain(query, position string) (pages []simEvents, next string) {
	a.T.Helper()
	a.sign()
	for {
		p := simtest.Read[simEvents](a.Client, "/2.0/events?"+query+"&stream_position="+position)
		if p.Size != len(p.Entries) {
			a.T.Fatalf("chunk_size %d of %d events", p.Size, len(p.Entries))
		}
		if pages = append(pages, p); p.Size == 0 {
			return pages, p.next()
		}
		position = p.next()
	}
}

const simStreaming = "stream_type=admin_logs_streaming"

func simIDs(pages []simEvents) (ids []string) {
	for _, p := range pages {
		for _, raw := range p.Entries {
			ids = append(ids, simEventID(raw))
		}
	}
	return ids
}

func simKeys(s *sim.Sim, stream string) (keys []string) {
	s.Published(stream, func(key string) bool { keys = append(keys, key); return true })
	slices.Sort(keys)
	return keys
}

func TestFakeSignsInWithWhatConfigGives(t *testing.T) {
	f := func(variant string, status int, code, who string) {
		t.Helper()
		c := &simClock{simNoon}
		s, a := newSimStaff(t, sim.Options{Seed: 1, Variant: variant, Now: c.now}, nil)
		form := a.form()
		if simStr(a.auth, "type") == "jwt" {
			form = a.byJWT("RS256", nil)
		}
		got, out := a.ask(form)
		if got != status || simStr(out, "error") != code {
			t.Fatalf("%q: %d %v", variant, got, out)
		}
		if status != http.StatusOK {
			return
		}
		if out["token_type"] != "bearer" || out["expires_in"] != float64(4123) || out["restricted_to"] == nil || out["scope"] != nil {
			t.Errorf("%q: %v", variant, out)
		}
		me := a.As("Authorization", "Bearer "+simStr(out, "access_token"))
		if login := simStr(simtest.Read[obj](me, "/2.0/users/me"), "login"); !strings.HasPrefix(login, who) {
			t.Errorf("%q is %s", variant, login)
		}
		c.t = c.t.Add(4123 * time.Second)
		_, h, _ := me.Do(http.MethodGet, "/2.0/users/me", "")
		if !strings.Contains(h.Get("WWW-Authenticate"), `error="invalid_token"`) || s.Seen.Count("GET", "/2.0/users/me", 401) != 1 {
			t.Errorf("%q: the token does not expire", variant)
		}
	}
	f("", 200, "", "AutomationUser_")
	f("jwt", 200, "", "AutomationUser_")
	f("jwt_encrypted", 200, "", "AutomationUser_")
	f("coadmin", 200, "", "user1@")
	f("few_scopes", 200, "", "AutomationUser_")
	f("revoked", 400, "unauthorized_client", "")
	f("wrong_key_id", 400, "invalid_grant", "")
	if _, err := newSim(sim.Options{Variant: "none"}); err == nil {
		t.Error("an unknown variant was accepted")
	}
}

// byJWT is the request for a token by an assertion, a good one but for the changes.
func (a *simStaff) byJWT(alg string, change obj) url.Values {
	a.T.Helper()
	block, _ := pem.Decode([]byte(simStr(a.auth, "private_key")))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if pass := simStr(a.auth, "passphrase"); pass != "" {
		key, err = pkcs8.ParsePKCS8PrivateKey(block.Bytes, []byte(pass))
	}
	if err != nil {
		a.T.Fatal(err)
	}
	claims := obj{"iss": a.auth["client_id"], "sub": a.auth["enterprise_id"], "box_sub_type": "enterprise", "exp": simNoon.Unix() + 45,
		"aud": "https://api.box.com/oauth2/token", "jti": rand.Text()}
	header := obj{"alg": alg, "typ": "JWT", "kid": a.auth["key_id"]}
	maps.Copy(claims, change)
	if claims["key"] != nil {
		key = claims["key"]
		delete(claims, "key")
	}
	form := a.form()
	form.Set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
	form.Set("assertion", simtest.JWT(a.T, key.(crypto.Signer), header, claims))
	return form
}

func TestFakeRefusesWhatBoxRefusesToSign(t *testing.T) {
	s, a := newSimStaff(t, sim.Options{Seed: 1, Variant: "jwt"}, nil)
	f := func(form url.Values, status int, code, says string) {
		t.Helper()
		got, out := a.ask(form)
		if got != status || simStr(out, "error") != code || !strings.Contains(simStr(out, "error_description"), says) {
			t.Errorf("%d %v, want %d %s %s", got, out, status, code, says)
		}
	}
	jwt := func(change obj) url.Values { return a.byJWT("RS256", change) }
	f(a.byJWT("RS384", nil), 200, "", "")
	f(a.byJWT("RS512", nil), 200, "", "")
	f(jwt(obj{"exp": simNoon.Unix() + 60}), 200, "", "")
	f(jwt(obj{"exp": simNoon.Unix() + 61}), 400, "invalid_grant", "maximum value of 60 seconds beyond the issue time.")
	f(jwt(obj{"exp": simNoon.Unix()}), 400, "invalid_grant", "'exp' claim")
	f(jwt(obj{"aud": "http://box.test/oauth2/token"}), 400, "invalid_grant", "'aud' claim")
	f(jwt(obj{"sub": "1"}), 400, "invalid_grant", "'sub' claim")
	f(jwt(obj{"box_sub_type": "user"}), 400, "invalid_grant", "'sub' claim")
	f(jwt(obj{"iss": "other"}), 400, "invalid_grant", "'iss' claim")
	f(jwt(obj{"jti": "short"}), 400, "invalid_grant", "'jti' claim")
	f(jwt(obj{"jti": "the-same-id-again"}), 200, "", "")
	f(jwt(obj{"jti": "the-same-id-again"}), 400, "invalid_grant", "'jti' claim")
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	f(jwt(obj{"key": other}), 400, "invalid_grant", "signature")
	wrong := a.form()
	wrong.Set("client_secret", "guess")
	f(wrong, 400, "invalid_client", "The client credentials are invalid")
	wrong = a.form()
	wrong.Set("box_subject_id", "77")
	f(wrong, 400, "invalid_grant", "Grant credentials are invalid")
	f(url.Values{"grant_type": {"password"}}, 400, "unsupported_grant_type", "")
	users := a.rows(a.Client, "/2.0/users?usemarker=true&fields=status")
	for i, status := range []int{0: 200, 5: 400} {
		if as := a.form(); status > 0 {
			as.Set("box_subject_type", "user")
			as.Set("box_subject_id", simStr(users[i], "id"))
			f(as, status, map[int]string{400: "invalid_grant"}[status], "")
		}
	}
	if n := s.Seen.Count("POST", "/oauth2/token", 0); n < 17 {
		t.Errorf("%d requests were counted", n)
	}
}

func TestFakeActsOnlyForWhomItMay(t *testing.T) {
	_, a := newSimStaff(t, sim.Options{Seed: 1}, nil)
	users := a.rows(a.Client, "/2.0/users?user_type=managed&fields=login,status,role")
	f := func(a *simStaff, as, target string, status int) {
		t.Helper()
		got, _, b := a.Client.As("As-User", as).Do(http.MethodGet, target, "")
		var e struct{ Code, Type, Message string }
		_ = json.Unmarshal(b, &e)
		if got != status || got == 403 && (e.Code != "access_denied_insufficient_permissions" || e.Type != "error" || e.Message == "") {
			t.Errorf("as %s: %d %s, want %d", as, got, b, status)
		}
	}
	id := func(i int) string { return simStr(users[i], "id") }
	f(a, id(4), "/2.0/users/me", 200)
	f(a, id(8), "/2.0/users/me", 200) // who may not delete is not shut out
	f(a, id(5), "/2.0/users/me", 403)
	f(a, simOutsiders[0].id, "/2.0/users/me", 403)
	f(a, "77", "/2.0/users/me", 403)
	f(a, id(4), "/2.0/users", 403)
	f(a, id(4), "/2.0/events?stream_type=admin_logs_streaming", 403)
	f(a, id(4), "/2.0/events", 200)
	f(a, id(0), "/2.0/users", 200)
	if me := simtest.Read[obj](a.As("As-User", id(4)), "/2.0/users/me"); me["login"] != users[4]["login"] {
		t.Errorf("as %v it is %v", users[4]["login"], me["login"])
	}
	if own := a.rows(a.Client, "/2.0/folders/0/items"); len(own) != 0 {
		t.Errorf("the service account has %d items of its own", len(own))
	}
	_, co := newSimStaff(t, sim.Options{Seed: 1, Variant: "coadmin"}, nil)
	f(co, "", "/2.0/events?stream_type=admin_logs_streaming", 200)
	f(co, id(4), "/2.0/users/me", 200)
	f(co, id(0), "/2.0/users/me", 403)
	f(co, id(2), "/2.0/users/me", 403)
	_, few := newSimStaff(t, sim.Options{Seed: 1, Variant: "few_scopes"}, nil)
	f(few, "", "/2.0/events?stream_type=admin_logs_streaming", 200)
	f(few, id(4), "/2.0/folders/0/items", 200)
	status, h, b := few.Do(http.MethodGet, "/2.0/users", "")
	if status != 403 || !bytes.Contains(b, []byte(`"code":"insufficient_scope"`)) ||
		!strings.Contains(h.Get("WWW-Authenticate"), "insufficient_scope") {
		t.Errorf("a scope that was not granted: %d %s", status, b)
	}
}

func TestFakeCountsRequestsByWhoActs(t *testing.T) {
	c := &simClock{simNoon.Add(15 * time.Second)}
	_, a := newSimStaff(t, sim.Options{Seed: 1, Limits: 0.01, Now: c.now}, nil) // ten a minute, and two uploads
	users := a.rows(a.Client, "/2.0/users")
	f := func(as *simtest.Client, method, target string, ok int) {
		t.Helper()
		for i := range ok + 1 {
			status, h, b := as.Do(method, target, "")
			if limited := status == http.StatusTooManyRequests; limited != (i == ok) {
				t.Fatalf("request %d: %d %s", i+1, status, b)
			} else if limited && (h.Get("Retry-After") != "46" || !bytes.Contains(b, []byte(`"code":"rate_limit_exceeded"`))) {
				t.Errorf("Retry-After %q, %s", h.Get("Retry-After"), b)
			}
		}
	}
	f(a.Client, http.MethodGet, "/2.0/users/me", 9)
	f(a.As("As-User", simStr(users[3], "id")), http.MethodGet, "/2.0/users/me", 10)
	f(a.As("As-User", simStr(users[4], "id")), http.MethodPost, "/api/2.0/files/content", 2)
	c.t = c.t.Add(45 * time.Second)
	a.Must(http.StatusOK, http.MethodGet, "/2.0/users/me", "")
}

func TestFakeListsAccountsAsBoxDoes(t *testing.T) {
	_, a := newSimStaff(t, sim.Options{Seed: 1, Users: 60}, nil)
	byMarker, byOffset := a.rows(a.Client, "/2.0/users?usemarker=true&limit=7"), a.rows(a.Client, "/2.0/users?limit=11")
	if len(byMarker) != 60 || len(byOffset) != 60 || fmt.Sprint(byMarker) != fmt.Sprint(byOffset) {
		t.Errorf("%d accounts by marker, %d by offset", len(byMarker), len(byOffset))
	}
	if byMarker[0]["role"] != nil || byMarker[0]["language"] == nil {
		t.Errorf("without fields: %v", byMarker[0])
	}
	seen := map[string]int{}
	for _, u := range a.rows(a.Client, "/2.0/users?fields=status,role,enterprise") {
		if len(u) != 5 || u["type"] != "user" || u["id"] == nil {
			t.Fatalf("with fields: %v", u)
		}
		seen[simStr(u, "status")]++
		seen[simStr(u, "role")]++
	}
	if want := map[string]int{"active": 50, "inactive": 4, "cannot_delete_edit": 3, "cannot_delete_edit_upload": 2, "admin": 1, "coadmin": 2,
		"user": 57}; fmt.Sprint(seen) != fmt.Sprint(want) && seen["admin"]+seen["coadmin"] != 3 {
		t.Errorf("%v, want %v", seen, want)
	}
	f := func(query string, n int) {
		t.Helper()
		if got := a.rows(a.Client, "/2.0/users?"+query); len(got) != n {
			t.Errorf("%s: %d accounts, want %d", query, len(got), n)
		}
	}
	f("filter_term=USER1", 10) // user1 and user10 to user19, but for 17, who is an app's
	f("filter_term=admin%40contoso.example", 1)
	f("user_type=external", 0)
	f("user_type=external&filter_term=olu", 0)
	f("user_type=external&filter_term="+simOutsiders[0].login, 1)
	f("user_type=all&filter_term="+simOutsiders[0].login, 1)
	f("user_type=managed&filter_term="+simOutsiders[0].login, 0)
	f("limit=5000", 60)
	bad := func(query, name string) {
		t.Helper()
		var e struct {
			Info struct{ Errors []struct{ Name string } } `json:"context_info"`
		}
		_ = json.Unmarshal(a.Must(http.StatusBadRequest, http.MethodGet, "/2.0/"+query, ""), &e)
		if len(e.Info.Errors) != 1 || e.Info.Errors[0].Name != name {
			t.Errorf("%s: %+v", query, e)
		}
	}
	bad("users?offset=10001", "offset")
	bad("users?offset=-1", "offset")
	bad("groups?offset=10001", "offset")
	bad("users?usemarker=true&marker=made-up", "marker")
	bad("users?limit=none", "limit")
	bad("users?user_type=guest", "user_type")
	bad("events?stream_type=admin", "stream_type")
	bad("events?stream_position=12", "stream_position")
	bad("events?created_after=yesterday", "created_after")
	bad("events?limit=-1", "limit")
}

func TestFakeMembershipsAgreeFromBothSides(t *testing.T) {
	_, a := newSimStaff(t, sim.Options{Seed: 1}, nil)
	ids := func(list, each string) (out []string) {
		for _, o := range a.rows(a.Client, list) {
			for _, m := range a.rows(a.Client, strings.Replace(each, "{}", simStr(o, "id"), 1)) {
				out = append(out, simStr(m, "id"))
			}
		}
		slices.Sort(out)
		return out
	}
	byGroup := ids("/2.0/groups?limit=3", "/2.0/groups/{}/memberships?limit=4")
	byUser := ids("/2.0/users", "/2.0/users/{}/memberships?limit=1")
	if !slices.Equal(byGroup, byUser) || len(byGroup) < 40 || len(slices.Compact(slices.Clone(byGroup))) != len(byGroup) {
		t.Errorf("%d memberships by group, %d by user", len(byGroup), len(byUser))
	}
}

func TestFakeAccountsAreGoverned(t *testing.T) {
	c := &simClock{simNoon}
	s, a := newSimStaff(t, sim.Options{Seed: 1, Now: c.now}, nil)
	_, co := newSimStaff(t, sim.Options{Seed: 1, Variant: "coadmin"}, nil)
	users := a.rows(a.Client, "/2.0/users?fields=status,role")
	_, at := a.drain(simStreaming, "now")
	c.t = c.t.Add(time.Minute)
	put := func(a *simStaff, i int, body string, status int, want string) {
		t.Helper()
		b := a.Must(status, http.MethodPut, "/2.0/users/"+simStr(users[i], "id")+"?fields=status,role", body)
		if !strings.Contains(string(b), want) {
			t.Errorf("%s: %s, want %s", body, b, want)
		}
	}
	put(a, 4, `{"status":"inactive"}`, 200, `"status":"inactive"`)
	put(a, 4, `{"status":"inactive"}`, 200, `"status":"inactive"`)
	a.As("As-User", simStr(users[4], "id")).Must(http.StatusForbidden, http.MethodGet, "/2.0/users/me", "")
	put(a, 4, `{"status":"active"}`, 200, `"status":"active"`)
	put(a, 4, `{"is_password_reset_required":true}`, 200, `"status":"active"`)
	put(a, 2, `{"role":"user"}`, 200, `"role":"user"`)
	put(a, 0, `{"status":"inactive"}`, 403, "access_denied_insufficient_permissions")
	put(a, 4, `{"status":"gone"}`, 400, `"name":"status"`)
	put(a, 4, `{"role":"admin"}`, 400, `"name":"role"`)
	put(a, 4, `{`, 400, "bad_request")
	put(co, 2, `{"role":"user"}`, 403, "access_denied_insufficient_permissions")
	put(co, 4, `{"role":"coadmin"}`, 403, "access_denied_insufficient_permissions")
	put(co, 4, `{"status":"inactive"}`, 200, `"status":"inactive"`)
	put(co, 1, `{"status":"inactive"}`, 403, "access_denied_insufficient_permissions") // himself
	a.Must(http.StatusNotFound, http.MethodPut, "/2.0/users/77", `{}`)
	end := func(body string, status int) {
		t.Helper()
		a.Must(status, http.MethodPost, "/2.0/users/terminate_sessions", body)
	}
	end(`{"user_ids":["`+simStr(users[4], "id")+`"]}`, 400)
	end(`{"user_ids":[],"user_logins":[]}`, 400)
	end(`{"user_ids":["`+simStr(users[4], "id")+`"],"user_logins":["user6@contoso.example"]}`, 202)
	pages, _ := a.drain(simStreaming, at)
	var kinds []string
	for _, raw := range slices.Concat(pages[0].Entries, pages[1].Entries) {
		var e struct {
			Type   string                 `json:"event_type"`
			At     string                 `json:"created_at"`
			By     struct{ Login string } `json:"created_by"`
			Source struct{ ID, Type, Login string }
		}
		_ = json.Unmarshal(raw, &e)
		if kinds = append(kinds, e.Type); !strings.HasPrefix(e.By.Login, "AutomationUser_") || e.Source.Type != "user" ||
			e.At != "2026-11-24T04:01:00-08:00" {
			t.Errorf("%s", raw)
		}
	}
	slices.Sort(kinds)
	want := strings.Fields("CHANGE_ADMIN_ROLE EDIT_USER EDIT_USER EDIT_USER USER_SESSIONS_TERMINATED USER_SESSIONS_TERMINATED")
	if !slices.Equal(kinds, want) {
		t.Errorf("events %v, want %v", kinds, want)
	}
	if keys := simKeys(s, "privileges"); len(keys) != 2 {
		t.Errorf("administrators are %v", keys)
	}
}

func TestFakeStreamGivesEveryEventAtLeastOnce(t *testing.T) {
	twice, short, shuffled, texts, numbers := 0, 0, 0, 0, 0
	for seed := range int64(4) {
		c := &simClock{simNoon}
		s, a := newSimStaff(t, sim.Options{Seed: seed, Events: 900, Late: 0.2, Limits: -1, Now: c.now, Start: simNoon.Add(-12 * time.Hour)}, nil)
		got, limit, position := map[string]int{}, 20+int(seed)*60, "0"
		for range 14 {
			var pages []simEvents
			pages, position = a.drain(simStreaming+"&limit="+itoa(limit), position)
			for i, p := range pages {
				if n, err := strconv.ParseInt(p.next(), 10, 64); err != nil || n < 1<<53 {
					t.Fatalf("position %s", p.Next)
				}
				if p.Next[0] == '"' {
					texts++
				} else {
					numbers++
				}
				if p.Size > limit {
					t.Errorf("%d events for a limit of %d", p.Size, limit)
				}
				if i < len(pages)-2 && p.Size < limit {
					short++
				}
				last := ""
				for _, raw := range p.Entries {
					got[simEventID(raw)]++
					_, at, _ := strings.Cut(string(raw), `"created_at":"`)
					if at = at[:25]; at < last {
						shuffled++
					}
					last = at
				}
			}
			c.t = c.t.Add(time.Hour)
		}
		if want := simKeys(s, "events"); !slices.Equal(slices.Sorted(maps.Keys(got)), want) || len(want) != 900 {
			t.Errorf("seed %d: %d events read, %d published", seed, len(got), len(want))
		}
		for _, n := range got {
			twice += n - 1
		}
	}
	if twice < 15 || short < 15 || shuffled < 200 || texts < 20 || numbers < 20 {
		t.Errorf("%d events came again, %d pages were short, %d events out of order, %d positions were text, %d numbers",
			twice, short, shuffled, texts, numbers)
	}
}

func TestFakeStreamGoesTwoWeeksBack(t *testing.T) {
	c := &simClock{simNoon}
	s, a := newSimStaff(t, sim.Options{Seed: 1, Events: 300, Limits: -1, Now: c.now, Start: simNoon.Add(-30 * 24 * time.Hour),
		Span: 30 * 24 * time.Hour}, nil)
	ids := func(query, position string) []string {
		t.Helper()
		pages, _ := a.drain(query+"&limit=500", position)
		list := simIDs(pages)
		slices.Sort(list)
		return slices.Compact(list)
	}
	all := ids(simStreaming, "0")
	if len(all) < 130 || len(all) > 145 {
		t.Errorf("%d events of 300 in 30 days", len(all))
	}
	if log := ids("stream_type=admin_logs&created_after=2026-10-01T00:00:00-08:00", "0"); len(log) != 300 || s.Count("events") != 300 {
		t.Errorf("the log has %d events, %d are published", len(log), s.Count("events"))
	}
	_, old := a.drain(simStreaming, "now")
	first := simtest.Read[simEvents](a.Client, "/2.0/events?"+simStreaming+"&limit=5&stream_position=0")
	c.t = c.t.Add(13 * 24 * time.Hour)
	if rest := ids(simStreaming, old); len(rest) != 0 {
		t.Errorf("%d events came after now", len(rest))
	}
	if rest := ids(simStreaming, first.next()); len(rest) > 12 {
		t.Errorf("a position of two weeks ago gives %d events, want those of the last day", len(rest))
	}
}

func TestFakeLogIsOrderedAndMissesWhatIsLate(t *testing.T) {
	c := &simClock{simNoon}
	s, a := newSimStaff(t, sim.Options{Seed: 2, Events: 3000, Late: 0.3, MaxLag: time.Hour, Limits: -1, Now: c.now,
		Start: simNoon.Add(-12 * time.Hour)}, nil)
	read := func(before string) (ids []string) {
		t.Helper()
		pages, next := a.drain("stream_type=admin_logs&limit=50&created_after=2026-11-24T00:00:00Z&created_before="+before, "0")
		last, empty := "", pages[len(pages)-1]
		for _, p := range pages {
			for _, raw := range p.Entries {
				_, at, _ := strings.Cut(string(raw), `"created_at":"`)
				if at = at[:25]; at < last {
					t.Fatal("not in order")
				}
				last = at
			}
		}
		if next != "0" || string(empty.Next) != `"0"` {
			t.Errorf("the position of an empty answer is %s", empty.Next)
		}
		if ids = simIDs(pages); len(slices.Compact(slices.Sorted(slices.Values(ids)))) != len(ids) {
			t.Error("an event came twice")
		}
		return ids
	}
	early := read("2026-11-24T12:00:00Z")
	if n := s.Count("events"); n-len(early) < 5 {
		t.Errorf("%d events in the log of %d that are published: it should be behind", len(early), n)
	}
	c.t = simNoon.Add(24 * time.Hour)
	whole := read("2026-11-24T12:00:00Z")
	if len(whole) < len(early)+10 || len(read("2026-11-25T11:30:00Z")) != 3000 {
		t.Errorf("%d events at noon, %d later", len(early), len(whole))
	}
	first := simtest.Read[simEvents](a.Client, "/2.0/events?stream_type=admin_logs&limit=10&created_after=2026-11-24T06:00:00Z")
	if len(first.Entries) == 0 || !slices.Contains(whole, simEventID(first.Entries[0])) {
		t.Error("created_after leads nowhere")
	}
}

func TestFakeEventsAreFiltered(t *testing.T) {
	_, a := newSimStaff(t, sim.Options{Seed: 1, Events: 1200, Limits: -1}, nil)
	users := a.rows(a.Client, "/2.0/users")
	f := func(c *simtest.Client, query string, want func(kind, by string) bool) {
		t.Helper()
		desk := &simStaff{Client: c}
		pages, _ := desk.drain(query, "0")
		n := 0
		for _, p := range pages {
			for _, raw := range p.Entries {
				var e struct {
					Type string               `json:"event_type"`
					By   *struct{ ID string } `json:"created_by"`
				}
				_ = json.Unmarshal(raw, &e)
				by := ""
				if e.By != nil {
					by = e.By.ID
				}
				if n++; !want(e.Type, by) {
					t.Fatalf("%s: %s", query, raw)
				}
			}
		}
		if n == 0 {
			t.Errorf("%s: nothing", query)
		}
	}
	f(a.Client, simStreaming+"&limit=3&event_type=LOGIN,UPLOAD", func(kind, _ string) bool { return kind == "LOGIN" || kind == "UPLOAD" })
	f(a.Client, "stream_type=admin_logs&limit=3&event_type=EDIT", func(kind, _ string) bool { return kind == "EDIT" })
	id := simStr(users[4], "id")
	f(a.As("As-User", id), "stream_type=all", func(_, by string) bool { return by == id })
	pages, _ := a.drain("stream_type=all", "0")
	if len(simIDs(pages)) != 0 {
		t.Error("the service account has events of others")
	}
}

func TestFakeEventsHaveTheVarietyOfRealOnes(t *testing.T) {
	s, a := newSimStaff(t, sim.Options{Seed: 1, Events: 12000, Limits: -1, Files: 900}, nil)
	pages, _ := a.drain(simStreaming+"&limit=500", "0")
	var body []byte
	for _, p := range pages {
		for _, raw := range p.Entries {
			body = append(append(body, raw...), '\n')
		}
	}
	for _, want := range []string{`"created_by":null`, `"id":"2"`, `"source":null`, `"additional_details":null`, `"session_id":null`,
		`"folder_id"`, `"ip_address":"2001:db8::`, `"ip_address":"Unknown IP"`, `"accessible_by"`,
		`"file_id"`, `"item_type":"folder"`, `"group_id"`, `-08:00"`,
		`"classification":{"name"`, `"shield_alert"`, `"service_name":"Zoom \"Pro\""`, `"event_type":"SOME_EVENT_OF_TOMORROW"`,
		`"name":"All Files"`} {
		if !bytes.Contains(body, []byte(want)) {
			t.Errorf("no event has %s", want)
		}
	}
	for _, k := range simTypes {
		if !bytes.Contains(body, []byte(`"event_type":"`+k.kind+`"`)) {
			t.Errorf("no event is %s", k.kind)
		}
	}
	if mean := len(body) / s.Count("events"); mean < 600 || mean > 900 {
		t.Errorf("an event has %d bytes", mean)
	}
	var e struct {
		Source struct {
			Item, ID string
			ItemID   string              `json:"item_id"`
			ItemName string              `json:"item_name"`
			Owner    struct{ ID string } `json:"owned_by"`
		}
	}
	for line := range bytes.Lines(body) { // events are about files that are there
		if bytes.Contains(line, []byte(`"item_type":"file"`)) && bytes.Contains(line, []byte(`"PREVIEW"`)) {
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatal(err)
			}
			status, _, b := a.As("As-User", e.Source.Owner.ID).Do(http.MethodGet, "/2.0/files/"+e.Source.ItemID+"?fields=name", "")
			if name, _ := json.Marshal(e.Source.ItemName); status == 200 && !bytes.Contains(bytes.ToLower(b), bytes.ToLower(name)) {
				t.Errorf("the event says %s, the file %s", name, b)
			}
			break
		}
	}
}

func TestFakeEventsHoldWhatPlantedCounts(t *testing.T) {
	set, err := dlp.New(dlp.Options{Packs: []string{"pci", "pii/us", "finance", "secrets"}})
	if err != nil {
		t.Fatal(err)
	}
	scan := set.Scanner()
	for seed := range int64(3) {
		s, a := newSimStaff(t, sim.Options{Seed: seed, Events: 4000, Limits: -1, Files: 100}, nil)
		pages, _ := a.drain("stream_type=admin_logs&limit=500", "0")
		got, n := map[string]int{}, 0
		for _, p := range pages {
			for _, raw := range p.Entries {
				n++
				var e struct {
					Details map[string]any `json:"additional_details"`
				}
				_ = json.Unmarshal(raw, &e)
				scan.Reset()
				scan.Text([]byte(simStr(e.Details, "message")), "")
				for _, f := range scan.Findings() {
					got[f.Type.ID]++
				}
			}
		}
		want := sim.CountPlanted(seed, simKindEvent, n)
		if !maps.Equal(got, want) || len(want) < 4 {
			t.Errorf("seed %d: %d events hold %v, planted are %v", seed, n, got, want)
		}
		for kind, k := range sim.CountPlanted(seed, simKindEvent, 4000) {
			if s.Planted[kind] < k {
				t.Errorf("Planted counts %v", s.Planted)
			}
		}
	}
}

func TestFakeOfOneSeedGivesTheSameBytes(t *testing.T) {
	dump := func(seed int64) []byte {
		var b bytes.Buffer
		_, a := newSimStaff(t, sim.Options{Seed: seed, Events: 300, Late: 0.1, Limits: -1}, nil)
		for _, target := range []string{"events?" + simStreaming + "&limit=500", "events?stream_type=admin_logs", "users", "groups", "none"} {
			_, h, body := a.Do(http.MethodGet, "/2.0/"+target, "")
			fmt.Fprintln(&b, h, string(body))
		}
		return b.Bytes()
	}
	if !bytes.Equal(dump(5), dump(5)) {
		t.Error("two fakes of one seed differ")
	}
	if bytes.Equal(dump(5), dump(6)) {
		t.Error("two fakes of different seeds are the same")
	}
}

func TestFakeAddressesTenMillionEvents(t *testing.T) {
	_, a := newSimStaff(t, sim.Options{Seed: 1, Events: 10_000_000, Late: 0.1, Limits: -1, Files: 1_000_000}, nil)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, since := range []string{"2026-11-23T12:00:00Z", "2026-11-24T00:00:00Z", "2026-11-24T11:00:00Z"} {
		if n := simtest.Read[simEvents](a.Client, "/2.0/events?stream_type=admin_logs&limit=500&created_after="+since).Size; n < 300 {
			t.Errorf("since %s: %d events", since, n)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

func TestFakePublishesWhatCanBeRead(t *testing.T) {
	s, a := newSimStaff(t, sim.Options{Seed: 8, Users: 30, Files: 400, Limits: -1}, nil)
	got := map[string][]string{}
	add := func(stream, key string) { got[stream] = append(got[stream], key) }
	for _, u := range a.rows(a.Client, "/2.0/users?usemarker=true&fields=role,status") {
		id := simStr(u, "id")
		add("users", id)
		if role := simStr(u, "role"); role != "user" {
			add("privileges", id+"/"+role)
		}
		if u["status"] == "inactive" {
			continue
		}
		as := a.As("As-User", id)
		for folders := []string{"0"}; len(folders) > 0; {
			at := folders[0]
			folders = folders[1:]
			for _, it := range a.rows(as, "/2.0/folders/"+at+"/items?usemarker=true&limit=9&fields=owned_by,is_externally_owned") {
				owner, _ := it["owned_by"].(obj)
				if it["is_externally_owned"] == true || owner["id"] == id {
					add("files", simStr(it, "type")+"/"+simStr(it, "id"))
				}
				if it["type"] == "folder" && owner["id"] == id {
					folders = append(folders, simStr(it, "id"))
				}
			}
		}
		for _, it := range a.rows(as, "/2.0/folders/trash/items?usemarker=true&limit=9") {
			add("trash", simStr(it, "type")+"/"+simStr(it, "id"))
		}
	}
	for _, g := range a.rows(a.Client, "/2.0/groups") {
		add("groups", simStr(g, "id"))
		for _, m := range a.rows(a.Client, "/2.0/groups/"+simStr(g, "id")+"/memberships") {
			if add("group_members", simStr(m, "id")); m["role"] == "admin" {
				add("group_members", simStr(m, "id")+"#1")
			}
		}
	}
	for _, stream := range s.Streams[1:] {
		slices.Sort(got[stream])
		if want := simKeys(s, stream); !slices.Equal(slices.Compact(got[stream]), want) || len(want) == 0 {
			t.Errorf("%s: %d can be read, %d are published", stream, len(got[stream]), len(want))
		}
	}
	if files := simKeys(s, "content"); len(files) < 300 || len(files) > 400 {
		t.Errorf("content of %d files", len(files))
	}
}

func TestFakeReplaysEvents(t *testing.T) {
	const one = `{"event_id":"one","created_at":"2021-01-08T13:28:34-08:00"}`
	in := `{"dataset":"Box.Event","raw":` + one + "}\n" + `{"event_id":"two"}` + "\n" + `{"n":3}`
	s, a := newSimStaff(t, sim.Options{Replay: strings.NewReader(in)}, nil)
	pages, _ := a.drain("stream_type=admin_logs", "0")
	if got := fmt.Sprintf("%s", pages[0].Entries); got != "["+one+` {"event_id":"two"} {"n":3}]` {
		t.Error(got)
	}
	var keys []string
	s.Published("events", func(k string) bool { keys = append(keys, k); return true })
	if len(keys) != 3 || keys[0] != "one" || keys[1] != "two" || len(keys[2]) != 16 {
		t.Error(keys)
	}
}
