package simtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha512" // for the hashes of JWTs
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// Client asks a fake in memory.
type Client struct {
	T       testing.TB
	Handler http.Handler
	Base    string      // of the targets: scheme and host
	Header  http.Header // of every request
}

// Do sends a request and gives the status, the headers and the body of the answer.
func (c *Client) Do(method, target, body string) (int, http.Header, []byte) {
	c.T.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, c.Base+target, in)
	r.Header = maps.Clone(c.Header)
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if body != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	c.Handler.ServeHTTP(w, r)
	return w.Code, w.Header(), w.Body.Bytes()
}

// Must is Do for a request that gets this status.
func (c *Client) Must(status int, method, target, body string) []byte {
	c.T.Helper()
	got, _, b := c.Do(method, target, body)
	if got != status {
		c.T.Fatalf("%s %s: status %d, want %d: %.300s", method, target, got, status, b)
	}
	return b
}

// As is the client with another header.
func (c *Client) As(name, value string) *Client {
	with := *c
	if with.Header = maps.Clone(c.Header); with.Header == nil {
		with.Header = http.Header{}
	}
	with.Header[http.CanonicalHeaderKey(name)] = slices.DeleteFunc([]string{value}, func(s string) bool { return s == "" })
	return &with
}

// Read gives what a GET answers.
func Read[T any](c *Client, target string) T {
	c.T.Helper()
	var v T
	if err := json.Unmarshal(c.Must(http.StatusOK, http.MethodGet, target, ""), &v); err != nil {
		c.T.Fatalf("GET %s: %v", target, err)
	}
	return v
}

// JWT signs with the algorithm that the header names. It is written apart from the product's, so that the two cannot agree
// on an error.
func JWT(t testing.TB, key crypto.Signer, header, claims map[string]any) string {
	t.Helper()
	alg, _ := header["alg"].(string)
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[strings.TrimLeft(alg, "RPSE")]
	h, _ := json.Marshal(header)
	c, _ := json.Marshal(claims)
	b64 := base64.RawURLEncoding.EncodeToString
	body := b64(h) + "." + b64(c)
	sum := hash.New()
	sum.Write([]byte(body))
	var sig []byte
	var err error
	if k, ok := key.(*ecdsa.PrivateKey); ok {
		r, s, e := ecdsa.Sign(rand.Reader, k, sum.Sum(nil))
		if e != nil {
			t.Fatal(e)
		}
		size := (k.Params().BitSize + 7) / 8
		sig = append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	} else {
		var how crypto.SignerOpts = hash
		if alg[0] == 'P' {
			how = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
		}
		if sig, err = key.Sign(rand.Reader, sum.Sum(nil), how); err != nil {
			t.Fatal(err)
		}
	}
	return body + "." + b64(sig)
}
