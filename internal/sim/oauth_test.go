package sim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

type claims = map[string]any

// signed makes a JWT with an ES256 or RS256 key.
func signed(t *testing.T, key crypto.Signer, header, body claims) string {
	t.Helper()
	enc := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	header = maps.Clone(header)
	if header["alg"] == nil {
		header["alg"] = "ES256"
	}
	text := enc(header) + "." + enc(body)
	sum := sha256.Sum256([]byte(text))
	var sig []byte
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		sig = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case *rsa.PrivateKey:
		var err error
		if header["alg"] == "PS256" {
			sig, err = rsa.SignPSS(rand.Reader, k, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: 32})
		} else {
			sig, err = rsa.SignPKCS1v15(nil, k, crypto.SHA256, sum[:])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// caller is a client of an issuer.
type caller struct {
	t     *testing.T
	c     *clock
	is    *Issuer
	key   crypto.Signer
	proof *ecdsa.PrivateKey
	n     int
}

const endpoint = "http://org.test/token"

func newCaller(t *testing.T, dpop bool) *caller {
	t.Helper()
	a := &caller{t: t, c: &clock{noon}, key: newKey(t), proof: newKey(t)}
	a.is = &Issuer{Now: a.c.now, Audience: func(*http.Request) string { return endpoint },
		URL: func(r *http.Request) string { return "http://org.test" + r.URL.Path }}
	a.is.Register(Client{ID: "app", Keys: map[string]crypto.PublicKey{"k": a.key.Public()}, Scopes: []string{"read", "write"}, DPoP: dpop})
	return a
}

// assertion is a good one but for the changes; nil removes a claim.
func (a *caller) assertion(change claims) string {
	a.n++
	body := claims{"iss": "app", "sub": "app", "aud": endpoint, "iat": a.c.t.Unix(), "exp": a.c.t.Unix() + 300, "jti": fmt.Sprint("j", a.n)}
	header := claims{"kid": "k"}
	if kid, ok := change["kid"]; ok {
		header["kid"] = kid
		change = nil
	}
	for k, v := range change {
		if body[k] = v; v == nil {
			delete(body, k)
		}
	}
	return signed(a.t, a.key, header, body)
}

func (a *caller) prove(change claims) string {
	a.n++
	p, err := a.proof.PublicKey.Bytes()
	if err != nil {
		a.t.Fatal(err)
	}
	e := base64.RawURLEncoding.EncodeToString
	body := claims{"htm": "POST", "htu": endpoint, "iat": a.c.t.Unix(), "jti": fmt.Sprint("p", a.n)}
	maps.Copy(body, change)
	header := claims{"typ": "dpop+jwt", "jwk": claims{"kty": "EC", "crv": "P-256", "x": e(p[1:33]), "y": e(p[33:])}}
	if typ, ok := change["typ"]; ok {
		header["typ"] = typ
	}
	return signed(a.t, a.proof, header, body)
}

// ask posts to the token endpoint.
func (a *caller) ask(assertion, scope, proof string) (int, map[string]any, http.Header) {
	a.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {scope}, "client_assertion": {assertion},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}}
	r := httptest.NewRequest("POST", endpoint, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	w := httptest.NewRecorder()
	a.is.ServeHTTP(w, r)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		a.t.Fatal(err)
	}
	return w.Code, out, w.Header()
}

// check uses a token.
func (a *caller) check(authorization, proof string) string {
	r := httptest.NewRequest("GET", "http://org.test/api?x=1", nil)
	r.Header.Set("Authorization", authorization)
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	if _, no := a.is.Check(r, "SSWS"); no != nil {
		return no.Reason
	}
	return ""
}

func TestAssertionsAreVerified(t *testing.T) {
	a := newCaller(t, false)
	f := func(change claims, status int, code string) {
		t.Helper()
		got, body, _ := a.ask(a.assertion(change), "read", "")
		if e, _ := body["error"].(string); got != status || e != code {
			t.Errorf("%v: %d %v, want %d %s", change, got, body, status, code)
		}
	}
	now := noon.Unix()
	f(nil, 200, "")
	f(claims{"aud": "http://other.test/token"}, 401, "invalid_client")
	f(claims{"iss": "other"}, 401, "invalid_client")
	f(claims{"sub": "other"}, 401, "invalid_client")
	f(claims{"exp": nil}, 401, "invalid_client")
	f(claims{"exp": now - 600}, 401, "invalid_client")
	f(claims{"exp": now + 2*3600}, 401, "invalid_client")
	f(claims{"iat": now + 3600}, 401, "invalid_client")
	f(claims{"jti": nil}, 200, "")
	f(claims{"kid": "other"}, 401, "invalid_client")
	a.key = newKey(t)
	f(nil, 401, "invalid_client")
}

func TestAssertionsAreUsedOnce(t *testing.T) {
	a := newCaller(t, false)
	one := a.assertion(nil)
	if status, _, _ := a.ask(one, "read", ""); status != 200 {
		t.Fatal(status)
	}
	if status, body, _ := a.ask(one, "read", ""); status != 401 {
		t.Error(status, body)
	}
}

func TestScopesAreThoseGranted(t *testing.T) {
	a := newCaller(t, false)
	if _, body, _ := a.ask(a.assertion(nil), "read write", ""); body["scope"] != "read write" || body["token_type"] != "Bearer" {
		t.Error(body)
	}
	for _, scope := range []string{"", "admin", "read admin"} {
		if status, body, _ := a.ask(a.assertion(nil), scope, ""); status != 400 || body["error"] != "invalid_scope" {
			t.Error(scope, status, body)
		}
	}
}

func TestRSAKeysSignAssertions(t *testing.T) {
	a := newCaller(t, false)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	a.is.Register(Client{ID: "app", Keys: map[string]crypto.PublicKey{"k": key.Public()}, Scopes: []string{"read"}})
	body := claims{"iss": "app", "sub": "app", "aud": endpoint, "exp": noon.Unix() + 60}
	for alg, want := range map[string]int{"RS256": 200, "PS256": 200, "PS512": 401, "ES256": 401, "RS999": 401, "none": 401, "HS256": 401} {
		if status, out, _ := a.ask(signed(t, key, claims{"kid": "k", "alg": alg}, body), "read", ""); status != want {
			t.Errorf("%s: %d %v", alg, status, out)
		}
	}
	for thumb, want := range map[string]int{"k": 200, "other": 401} {
		if status, out, _ := a.ask(signed(t, key, claims{"x5t#S256": thumb, "alg": "PS256"}, body), "read", ""); status != want {
			t.Errorf("certificate %s: %d %v", thumb, status, out)
		}
	}
}

func TestTokensHaveTheTextThatTheFakeGivesThem(t *testing.T) {
	a := newCaller(t, false)
	a.is.Text = func(by Access, random string) string { return by.Client + "." + random }
	_, body, _ := a.ask(a.assertion(nil), "read", "")
	token, _ := body["access_token"].(string)
	if no := a.check("Bearer "+token, ""); no != "" || !strings.HasPrefix(token, "app.") || len(token) < 40 {
		t.Error(token, no)
	}
}

func TestSecretsWorkOnlyWhereThereIsOne(t *testing.T) {
	a := newCaller(t, false)
	a.is.Register(Client{ID: "old", Secret: "s", Scopes: []string{"read"}})
	for _, in := range []struct {
		id, secret string
		want       int
	}{{"old", "s", 200}, {"old", "x", 401}, {"old", "", 401}, {"app", "", 401}, {"none", "", 401}} {
		r := httptest.NewRequest("POST", endpoint, strings.NewReader("grant_type=client_credentials&scope=read"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(in.id, in.secret)
		w := httptest.NewRecorder()
		if a.is.ServeHTTP(w, r); w.Code != in.want {
			t.Errorf("%+v: %d", in, w.Code)
		}
	}
}

func TestTokensExpireAndAreRevoked(t *testing.T) {
	a := newCaller(t, false)
	_, body, _ := a.ask(a.assertion(nil), "read", "")
	token, _ := body["access_token"].(string)
	f := func(authorization, want string) {
		t.Helper()
		if got := a.check(authorization, ""); got != want {
			t.Errorf("%.20s: %q, want %q", authorization, got, want)
		}
	}
	f("Bearer "+token, "")
	f("SSWS "+token, "the token is of scheme Bearer")
	f("Bearer wrong", "no such token")
	f("", "no such token")
	a.c.t = noon.Add(time.Hour)
	f("Bearer "+token, "the token has expired")
	a.is.Static("forever", "somebody")
	f("SSWS forever", "")
	f("Bearer forever", "the token is of scheme SSWS")
	a.is.Revoke(func(x Access) bool { return x.Owner == "somebody" })
	f("SSWS forever", "no such token")
}

func TestProofsFollowTheNonceDance(t *testing.T) {
	a := newCaller(t, true)
	if status, body, _ := a.ask(a.assertion(nil), "read", ""); status != 400 || body["error"] != "invalid_dpop_proof" {
		t.Fatal(status, body)
	}
	status, body, h := a.ask(a.assertion(nil), "read", a.prove(nil))
	nonce := h.Get("DPoP-Nonce")
	if status != 400 || body["error"] != "use_dpop_nonce" || nonce == "" ||
		body["error_description"] != "Authorization server requires nonce in DPoP proof." {
		t.Fatal(status, body, h)
	}
	proof := a.prove(claims{"nonce": nonce})
	if status, body, _ = a.ask(a.assertion(nil), "read", proof); status != 200 || body["token_type"] != "DPoP" {
		t.Fatal(status, body)
	}
	if status, body, _ = a.ask(a.assertion(nil), "read", proof); status != 400 || body["error"] != "invalid_dpop_proof" {
		t.Error("a proof was taken twice:", status, body)
	}
	a.c.t = noon.Add(25 * time.Hour)
	status, body, h = a.ask(a.assertion(nil), "read", a.prove(claims{"nonce": nonce}))
	if body["error"] != "use_dpop_nonce" || h.Get("DPoP-Nonce") == nonce {
		t.Error("the nonce did not change in 25 hours:", status, body)
	}
}

func TestProofsAreVerified(t *testing.T) {
	a := newCaller(t, true)
	_, _, h := a.ask(a.assertion(nil), "read", a.prove(nil))
	nonce := h.Get("DPoP-Nonce")
	f := func(change claims) {
		t.Helper()
		change["nonce"] = nonce
		if status, body, _ := a.ask(a.assertion(nil), "read", a.prove(change)); status != 400 || body["error"] != "invalid_dpop_proof" {
			t.Errorf("%v: %d %v", change, status, body)
		}
	}
	f(claims{"typ": "JWT"})
	f(claims{"htm": "GET"})
	f(claims{"htu": endpoint + "?x=1"})
	f(claims{"iat": noon.Add(-time.Hour).Unix()})
	f(claims{"iat": noon.Add(time.Hour).Unix()})
	f(claims{"iat": nil})
	f(claims{"jti": ""})
	other := newKey(t)
	a.proof, other = other, a.proof
	p := strings.Split(a.prove(claims{"nonce": nonce}), ".")
	a.proof = other
	q := strings.Split(a.prove(claims{"nonce": nonce}), ".")
	if status, body, _ := a.ask(a.assertion(nil), "read", q[0]+"."+q[1]+"."+p[2]); status != 400 || body["error"] != "invalid_dpop_proof" {
		t.Error("a foreign signature was taken:", status, body)
	}
}

func TestBoundTokensNeedTheirKey(t *testing.T) {
	a := newCaller(t, true)
	_, _, h := a.ask(a.assertion(nil), "read", a.prove(nil))
	_, body, _ := a.ask(a.assertion(nil), "read", a.prove(claims{"nonce": h.Get("DPoP-Nonce")}))
	token, _ := body["access_token"].(string)
	sum := sha256.Sum256([]byte(token))
	good := claims{"htm": "GET", "htu": "http://org.test/api", "ath": base64.RawURLEncoding.EncodeToString(sum[:])}
	if got := a.check("DPoP "+token, a.prove(good)); got != "" {
		t.Error(got)
	}
	f := func(why string, authorization, proof string) {
		t.Helper()
		if a.check(authorization, proof) == "" {
			t.Error("accepted:", why)
		}
	}
	f("as a Bearer token", "Bearer "+token, a.prove(good))
	f("no proof", "DPoP "+token, "")
	f("no hash of the token", "DPoP "+token, a.prove(claims{"htm": "GET", "htu": "http://org.test/api"}))
	f("the URL with its query", "DPoP "+token, a.prove(claims{"htm": "GET", "htu": "http://org.test/api?x=1", "ath": good["ath"]}))
	a.proof = newKey(t)
	f("another key", "DPoP "+token, a.prove(good))
}

func TestAssertionsAreGrantsForAnOwner(t *testing.T) {
	a := newCaller(t, false)
	a.is.Ahead = time.Minute
	a.is.Owner = func(form url.Values, j *Signed) (string, *Refusal) {
		if j == nil {
			return "by secret " + form.Get("for"), nil
		}
		if sub := j.Text("sub"); sub != "nobody" {
			return "by JWT " + sub, nil
		}
		return "", &Refusal{Status: http.StatusBadRequest, Code: "invalid_grant", Claim: "sub"}
	}
	var at Access
	var claim string
	a.is.Say = func(w http.ResponseWriter, got Access, no *Refusal) {
		if at, claim = got, ""; no != nil {
			claim = no.Claim + " " + no.Code
		}
	}
	a.is.Register(Client{ID: "app", Secret: "s3", Keys: map[string]crypto.PublicKey{"k": a.key.Public()}, Scopes: []string{"read", "write"}})
	ask := func(form url.Values) {
		form.Set("client_id", "app")
		r := httptest.NewRequest(http.MethodPost, endpoint, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		a.is.ServeHTTP(httptest.NewRecorder(), r)
	}
	f := func(change claims, secret, owner, wrong string) {
		t.Helper()
		if _, ok := change["exp"]; !ok && change["kid"] == nil {
			change["exp"] = a.c.t.Unix() + 60
		}
		ask(url.Values{"grant_type": {grantJWT}, "client_secret": {secret}, "assertion": {a.assertion(change)}})
		if at.Owner != owner || claim != wrong || (wrong == "" && len(at.Scopes) != 2) {
			t.Errorf("%v: %q with scopes %v, %q; want %q, %q", change, at.Owner, at.Scopes, claim, owner, wrong)
		}
	}
	f(claims{"sub": "ann"}, "s3", "by JWT ann", "")
	f(claims{"sub": "ann"}, "s4", "", " invalid_client")
	f(claims{"sub": "ann", "iss": "other"}, "s3", "", "iss invalid_grant")
	f(claims{"sub": "nobody"}, "s3", "", "sub invalid_grant")
	f(claims{"exp": a.c.t.Unix() + 61}, "s3", "", "exp invalid_grant")
	f(claims{"exp": a.c.t.Unix()}, "s3", "", "exp invalid_grant")
	f(claims{"aud": "elsewhere"}, "s3", "", "aud invalid_grant")
	f(claims{"jti": "once"}, "s3", "by JWT app", "")
	f(claims{"jti": "once"}, "s3", "", "jti invalid_grant")
	f(claims{"kid": "other"}, "s3", "", "kid invalid_grant")
	right := a.key
	a.key = newKey(t)
	f(claims{"sub": "ann"}, "s3", "", "signature invalid_grant")
	a.key = right
	a.is.Bare = true
	f(claims{"sub": "ann"}, "", "by JWT ann", "")
	f(claims{"sub": "ann", "exp": strconv.FormatInt(a.c.t.Unix()+60, 10)}, "", "by JWT ann", "")
	f(claims{"sub": "ann", "iss": "other"}, "", "", "iss invalid_grant")
	f(claims{"sub": "ann", "exp": "soon"}, "", "", "exp invalid_grant")
	a.is.Bare = false
	f(claims{"sub": "ann"}, "", "", " invalid_client")
	ask(url.Values{"grant_type": {"client_credentials"}, "client_secret": {"s3"}, "for": {"bob"}})
	if at.Owner != "by secret bob" || len(at.Scopes) != 2 || a.check("Bearer "+at.Token, "") != "" {
		t.Errorf("by secret: %+v", at)
	}
	a.is.Owner = nil
	f(claims{"sub": "ann"}, "s3", "", " unsupported_grant_type")
}

func FuzzReadJWT(f *testing.F) {
	f.Add("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.AAAA")
	f.Add("..")
	f.Add("eyJhbGciOiJFUzI1NiIsImp3ayI6eyJrdHkiOiJFQyIsImNydiI6IlAtMjU2IiwieCI6IkFBIiwieSI6IkFBIn19.e30.AA")
	f.Fuzz(func(t *testing.T, s string) {
		j, err := ReadJWT(s)
		if err != nil || j.Header.JWK == nil {
			return
		}
		if key, err := j.Header.JWK.Public(); err == nil {
			_ = j.Verify(key)
		}
	})
}
