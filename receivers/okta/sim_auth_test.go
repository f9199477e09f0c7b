package okta

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

var simB64 = base64.RawURLEncoding.EncodeToString

// simJWT signs with RS256 or ES256.
func simJWT(t *testing.T, key crypto.Signer, header, claims obj) string {
	t.Helper()
	header["alg"] = "ES256"
	if _, ok := key.(*rsa.PrivateKey); ok {
		header["alg"] = "RS256"
	}
	return simtest.JWT(t, key, header, claims)
}

// simServiceApp signs in to a fake as its service app.
type simServiceApp struct {
	t       *testing.T
	s       *sim.Sim
	now     func() time.Time
	auth    obj
	key     crypto.Signer
	proof   *ecdsa.PrivateKey // nil = Bearer tokens
	n       int
	token   string
	expires float64
}

func newSimServiceApp(t *testing.T, variant string, now func() time.Time) *simServiceApp {
	t.Helper()
	s, err := newSim(sim.Options{Seed: 1, Variant: variant, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.Config("http://org.test")
	a := &simServiceApp{t: t, s: s, now: now, auth: cfg["auth"].(obj)}
	block, _ := pem.Decode([]byte(simString(a.auth, "private_key")))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil || simString(cfg, "endpoint") != "http://org.test" || simString(a.auth, "type") != "private_key_jwt" {
		t.Fatal(err, cfg["endpoint"], a.auth["type"])
	}
	a.key = key.(crypto.Signer)
	if a.auth["dpop"] == true {
		if a.proof, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func (a *simServiceApp) header(method, target, nonce string) string {
	a.n++
	p, err := a.proof.PublicKey.Bytes()
	if err != nil {
		a.t.Fatal(err)
	}
	claims := obj{"htm": method, "htu": target, "iat": a.now().Unix(), "jti": fmt.Sprint("p", a.n)}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	if a.token != "" {
		sum := sha256.Sum256([]byte(a.token))
		claims["ath"] = simB64(sum[:])
	}
	jwk := obj{"kty": "EC", "crv": "P-256", "x": simB64(p[1:33]), "y": simB64(p[33:])}
	return simJWT(a.t, a.proof, obj{"typ": "dpop+jwt", "jwk": jwk}, claims)
}

// ask asks for a token and gives the status and the nonce that was answered.
func (a *simServiceApp) ask(scope, nonce string) (int, string) {
	a.n++
	a.token = ""
	const endpoint = "http://org.test/oauth2/v1/token"
	id := simString(a.auth, "client_id")
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {scope},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion": {simJWT(a.t, a.key, obj{"kid": a.auth["key_id"]}, obj{"iss": id, "sub": id, "aud": endpoint,
			"iat": a.now().Unix(), "exp": a.now().Unix() + 300, "jti": fmt.Sprint("a", a.n)})}}
	r := httptest.NewRequest(http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a.proof != nil {
		r.Header.Set("DPoP", a.header(http.MethodPost, endpoint, nonce))
	}
	w := httptest.NewRecorder()
	a.s.Handler.ServeHTTP(w, r)
	var out obj
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		a.t.Fatal(err)
	}
	a.token = simString(out, "access_token")
	a.expires, _ = out["expires_in"].(float64)
	return w.Code, w.Header().Get("dpop-nonce")
}

// get calls the API with the token.
func (a *simServiceApp) get(target string) (int, http.Header) {
	r := httptest.NewRequest(http.MethodGet, "http://org.test"+target, nil)
	r.Header.Set("Authorization", "Bearer "+a.token)
	if a.proof != nil {
		path, _, _ := strings.Cut(target, "?")
		r.Header.Set("Authorization", "DPoP "+a.token)
		r.Header.Set("DPoP", a.header(http.MethodGet, "http://org.test"+path, ""))
	}
	w := httptest.NewRecorder()
	a.s.Handler.ServeHTTP(w, r)
	return w.Code, w.Header()
}

func TestServiceAppsSignInInEveryVariant(t *testing.T) {
	for _, variant := range []string{"", "dpop", "pkjwt", "pkjwt_es256"} {
		c := &simClock{simNoon}
		a := newSimServiceApp(t, variant, c.now)
		if dpop := variant == "" || variant == "dpop"; dpop != (a.proof != nil) {
			t.Fatalf("variant %q: auth.dpop is %v", variant, a.auth["dpop"])
		}
		status, nonce := a.ask("okta.logs.read", "")
		if a.proof != nil {
			if status != http.StatusBadRequest || nonce == "" {
				t.Fatalf("variant %q: first answer %d, nonce %q", variant, status, nonce)
			}
			status, _ = a.ask("okta.logs.read", nonce)
		}
		if status != http.StatusOK || a.token == "" || a.expires != 3600 {
			t.Fatalf("variant %q: token answer %d, expires in %v", variant, status, a.expires)
		}
		if status, _ = a.get("/api/v1/logs?limit=1"); status != http.StatusOK {
			t.Errorf("variant %q: %d", variant, status)
		}
		status, h := a.get("/api/v1/api-tokens")
		if status != http.StatusForbidden || !strings.Contains(h.Get("WWW-Authenticate"), `error="insufficient_scope"`) {
			t.Errorf("variant %q, a scope not asked for: %d %q", variant, status, h.Get("WWW-Authenticate"))
		}
		c.t = simNoon.Add(time.Hour)
		if status, _ = a.get("/api/v1/logs?limit=1"); status != http.StatusUnauthorized {
			t.Errorf("variant %q, an hour later: %d", variant, status)
		}
		if status, _ = a.ask("okta.policies.manage", nonce); status != http.StatusBadRequest {
			t.Errorf("variant %q, a scope not granted: %d", variant, status)
		}
	}
}

func TestVariantsAreChecked(t *testing.T) {
	if _, err := newSim(sim.Options{Variant: "none"}); err == nil {
		t.Error("an unknown variant was accepted")
	}
}
