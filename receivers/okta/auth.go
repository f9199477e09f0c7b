package okta

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

const tokenPath = "/oauth2/v1/token"

// credential signs the requests of one instance.
type credential struct {
	Auth
	base   string
	scopes []string // to ask for
	key    crypto.Signer
	proof  *ecdsa.PrivateKey // of DPoP
	rand   io.Reader
	now    func() time.Time

	mu      sync.Mutex
	nonces  map[string]string // of DPoP, by who asked: "token" or "api"
	granted []string          // scopes of the last token
}

func newCredential(a Auth, base string, s saas.Setup) (*credential, error) {
	c := &credential{Auth: a, base: base, rand: s.Rand, now: s.Now, scopes: a.wanted(), nonces: map[string]string{}}
	if a.Type != "private_key_jwt" {
		return c, nil
	}
	var err error
	if c.key, err = a.signer(); err != nil {
		return nil, err
	}
	c.Algorithm = cmp.Or(a.Algorithm, saas.Algorithms(c.key)[0])
	if a.DPoP {
		if c.proof, err = ecdsa.GenerateKey(elliptic.P256(), s.Rand); err != nil {
			return nil, fmt.Errorf("make the key of DPoP proofs: %w", err)
		}
	}
	return c, nil
}

// mint is Auth.Mint. An app that lost one scope gets no token for all of them, so the scopes are then tried one by one.
func (c *credential) mint(ctx context.Context, conn *saas.Conn, _ string) (saas.Token, error) {
	if c.Type == "token" {
		return saas.Token{Value: string(c.Token)}, nil
	}
	t, err := c.ask(ctx, conn, c.scopes)
	if saas.Code(err) != "invalid_scope" || len(c.scopes) < 2 {
		return t, err
	}
	var left []string
	for _, scope := range c.scopes {
		if _, err := c.ask(ctx, conn, []string{scope}); err == nil {
			left = append(left, scope)
		} else if saas.Code(err) != "invalid_scope" {
			return saas.Token{}, err
		}
	}
	if len(left) == 0 {
		return t, err
	}
	return c.ask(ctx, conn, left)
}

// ask asks for a token with the scopes; with the server's nonce when it wants one.
// https://developer.okta.com/docs/guides/dpop/oktaresourceserver/main/
func (c *credential) ask(ctx context.Context, conn *saas.Conn, scopes []string) (saas.Token, error) {
	rep, err := c.askOnce(ctx, conn, scopes)
	if saas.Code(err) == "use_dpop_nonce" { // the nonce is known now; assertion and proof are made anew
		rep, err = c.askOnce(ctx, conn, scopes)
	}
	if err != nil {
		return saas.Token{}, err
	}
	var t struct {
		Type   string `json:"token_type"`
		Value  string `json:"access_token"`
		Scope  string `json:"scope"`
		Expiry int    `json:"expires_in"`
	}
	if err := rep.Into(&t); err != nil {
		return saas.Token{}, err
	}
	if bound := strings.EqualFold(t.Type, "DPoP"); t.Value == "" || bound != c.DPoP {
		return saas.Token{}, &saas.Error{Outcome: saas.Unauthorized, Code: "token_type", Req: "POST " + tokenPath,
			Msg: fmt.Sprintf("token of type %q with auth.dpop %t", t.Type, c.DPoP)}
	}
	c.mu.Lock()
	c.granted = strings.Fields(t.Scope)
	c.mu.Unlock()
	return saas.Token{Value: t.Value, Expires: c.now().Add(time.Duration(t.Expiry) * time.Second)}, nil
}

func (c *credential) askOnce(ctx context.Context, conn *saas.Conn, scopes []string) (*saas.Reply, error) {
	jti, err := saas.Nonce(c.rand)
	if err != nil {
		return nil, err
	}
	now, endpoint := c.now().Unix(), c.base+tokenPath
	header := map[string]any{}
	if c.KeyID != "" {
		header["kid"] = c.KeyID
	}
	assertion, err := saas.SignJWT(c.rand, c.key, c.Algorithm, header, map[string]any{"iss": c.ClientID, "sub": c.ClientID,
		"aud": endpoint, "iat": now, "exp": now + 300, "jti": jti})
	if err != nil {
		return nil, err
	}
	q := saas.Req{Method: http.MethodPost, URL: tokenPath, NoAuth: true, Header: map[string]string{}, Body: url.Values{
		"grant_type":            {"client_credentials"},
		"scope":                 {strings.Join(scopes, " ")},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {assertion},
	}.Encode()}
	if c.DPoP {
		if q.Header["DPoP"], err = c.prove(q.Method, endpoint, "", "token"); err != nil {
			return nil, err
		}
	}
	return conn.Do(ctx, q)
}

// prove makes a DPoP proof for one request (RFC 9449).
func (c *credential) prove(method, target, token, server string) (string, error) {
	jwk, err := publicJWK(c.proof)
	if err != nil {
		return "", err
	}
	jti, err := saas.Nonce(c.rand)
	if err != nil {
		return "", err
	}
	claims := map[string]any{"htm": method, "htu": target, "iat": c.now().Unix(), "jti": jti}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = saas.Base64URL(sum[:])
	}
	c.mu.Lock()
	nonce := c.nonces[server]
	c.mu.Unlock()
	if nonce != "" {
		claims["nonce"] = nonce
	}
	return saas.SignJWT(c.rand, c.proof, "ES256", map[string]any{"typ": "dpop+jwt", "jwk": jwk}, claims)
}

// sign is Auth.Sign.
func (c *credential) sign(req *http.Request, _ []byte, t saas.Token) error {
	scheme := "Bearer "
	switch {
	case c.Type == "token":
		scheme = "SSWS "
	case c.DPoP:
		target, _, _ := strings.Cut(req.URL.String(), "?")
		proof, err := c.prove(req.Method, target, t.Value, "api")
		if err != nil {
			return err
		}
		req.Header.Set("DPoP", proof)
		scheme = "DPoP "
	}
	req.Header.Set("Authorization", scheme+t.Value)
	return nil
}

// fault is Instance.Fault. https://developer.okta.com/docs/reference/error-codes/
func (c *credential) fault(status int, h http.Header, head []byte) *saas.Error {
	server := "api"
	if status == http.StatusBadRequest { // the authorization server asks with 400, the API with 401
		server = "token"
	}
	if nonce := h.Get("DPoP-Nonce"); nonce != "" && status >= 400 {
		c.mu.Lock()
		c.nonces[server] = nonce
		c.mu.Unlock()
	}
	if status < 400 {
		return nil
	}
	var b struct {
		ErrorCode, ErrorSummary, Error string
		Description                    string                          `json:"error_description"`
		Causes                         []struct{ ErrorSummary string } `json:"errorCauses"`
	}
	_ = json.Unmarshal(head, &b) // a proxy's page has no codes
	e := &saas.Error{Code: cmp.Or(b.ErrorCode, b.Error, saas.Challenge(h)), Msg: cmp.Or(b.ErrorSummary, b.Description)}
	if len(b.Causes) > 0 {
		e.Msg += ": " + b.Causes[0].ErrorSummary
	}
	switch {
	case status == http.StatusTooManyRequests: // X-Rate-Limit-Limit 0 = too many in flight: no Until, a short back-off
		e.Outcome = saas.Throttled
	case status >= 500, status == http.StatusUnauthorized && e.Code == "use_dpop_nonce": // again, with the nonce
		e.Outcome = saas.Unavailable
	case status == http.StatusUnauthorized, e.Code == "invalid_client":
		e.Outcome = saas.Unauthorized
	case status == http.StatusForbidden, e.Code == "invalid_scope", e.Code == "E0000022": // the last: a feature that is off
		e.Outcome = saas.Denied
	case e.Code == "E0000090": // the role is assigned
		e.Outcome = saas.Already
	case status == http.StatusNotFound:
		e.Outcome = saas.Missing
	default: // validation, among it a lifecycle call in the wrong state
		e.Outcome = saas.Invalid
	}
	return e
}
