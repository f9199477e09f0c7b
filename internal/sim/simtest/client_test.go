package simtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/longshore-dev/longshore/internal/sim"
)

func TestClientSendsWhatItIsGiven(t *testing.T) {
	c := &Client{T: t, Base: "http://x.test", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s%s %q %q %q %s", r.Method, r.Host, r.URL.RequestURI(), r.Header["A"], r.Header["B"], r.Header["Content-Type"], b)
	})}
	f := func(c *Client, body, want string) {
		t.Helper()
		if got := string(c.Must(http.StatusTeapot, "PUT", "/p?q=1", body)); got != "PUT x.test/p?q=1 "+want {
			t.Errorf("sent %s, want %s", got, want)
		}
	}
	f(c, "", `[] [] [] `)
	f(c, "{}", `[] [] ["application/json"] {}`)
	a := c.As("a", "1")
	f(a.As("b", "2"), "", `["1"] ["2"] [] `)
	f(a, "", `["1"] [] [] `)
	f(a.As("A", "").As("content-type", "text/plain"), "x", `[] [] ["text/plain"] x`)
}

func TestReadDecodes(t *testing.T) {
	c := &Client{T: t, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"n":[1,2]}`) })}
	if got := Read[struct{ N []int }](c, "http://x.test/"); len(got.N) != 2 {
		t.Error(got)
	}
}

func TestJWTsVerify(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	f := func(alg string, key crypto.Signer) {
		t.Helper()
		j, err := sim.ReadJWT(JWT(t, key, map[string]any{"alg": alg, "kid": "k"}, map[string]any{"iss": "me"}))
		if err != nil || j.Verify(key.Public()) != nil || j.Text("iss") != "me" || j.Header.Kid != "k" {
			t.Errorf("%s: %v, %+v", alg, err, j)
		}
	}
	for alg, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		f(alg, key)
	}
	for _, alg := range []string{"RS256", "RS384", "RS512", "PS256", "PS512"} {
		f(alg, small)
	}
}
