package sim

import (
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Client is an application that may ask for tokens.
type Client struct {
	ID     string
	Secret string                      // for client_secret; "" = only an assertion will do
	Keys   map[string]crypto.PublicKey // by kid or thumbprint of the certificate, for private_key_jwt
	Scopes []string                    // what it was granted
	DPoP   bool                        // its tokens are bound to a key
}

// Access is what a token stands for.
type Access struct {
	Token, Client string
	Owner         string // whose it is: the person of a static token, or what Issuer.Owner says
	Scopes        []string
	Static        bool // it has every scope its owner's role gives
	Expires       time.Time
	Key           string // thumbprint of the DPoP key; "" = not bound
}

// Refusal says why a request has no access: a status, the OAuth error code and a text.
type Refusal struct {
	Status       int
	Code, Reason string
	Claim        string // of an assertion, that is at fault; "kid" and "signature" beside the claims
}

// Issuer is a token endpoint for client credentials, and the check of the tokens it gave. It verifies assertions as
// credentials of a client or as grants (RFC 7523) and DPoP proofs (RFC 9449).
type Issuer struct {
	Seed     int64
	Now      func() time.Time
	Audience func(r *http.Request) string // what aud must be, and htu of the token request
	URL      func(r *http.Request) string // htu of other requests: without query
	TTL      time.Duration                // of tokens; 0 = an hour
	// Owner, where set, says whose a token is that is asked for with this form; j is the assertion of the grant by JWT, which
	// is allowed then, and nil for another. Such tokens have all scopes of the client.
	Owner func(form url.Values, j *Signed) (string, *Refusal)
	Bare  bool          // the grant by JWT comes without a secret: iss says which client asks, sub for whom
	Ahead time.Duration // how far ahead exp of an assertion may be, by a clock that is right; 0 = an hour, and both with slack
	// Text, where set, makes the text of a token; random is what makes it one of its own.
	Text func(a Access, random string) string
	// Say writes the answer to a request for a token; nil = as RFC 6749 has it.
	Say func(w http.ResponseWriter, a Access, no *Refusal)

	mu      sync.Mutex
	clients map[string]Client
	tokens  map[string]Access
	used    map[string]time.Time // jti by when it may be forgotten
	issued  uint64
	swept   time.Time
}

// slack is how far a client's clock may be off.
const slack = 5 * time.Minute

// Register adds or replaces a client.
func (s *Issuer) Register(c Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients == nil {
		s.clients = map[string]Client{}
	}
	s.clients[c.ID] = c
}

// Static makes a token known that does not expire: an API token of a person or of a service account.
func (s *Issuer) Static(token, owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(Access{Token: token, Owner: owner, Static: true})
}

func (s *Issuer) keep(a Access) {
	if s.tokens == nil {
		s.tokens = map[string]Access{}
	}
	s.tokens[a.Token] = a
}

// Revoke ends the tokens for which drop is true.
func (s *Issuer) Revoke(drop func(Access) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, a := range s.tokens {
		if drop(a) {
			delete(s.tokens, k)
		}
	}
}

// ServeHTTP is the token endpoint.
func (s *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-cache, no-store")
	c, j, no := s.client(r)
	var a Access
	if no == nil {
		a, no = s.grant(w, r, c, j)
	}
	if s.Say != nil {
		s.Say(w, a, no)
		return
	}
	if no != nil {
		WriteJSON(w, no.Status, map[string]string{"error": no.Code, "error_description": no.Reason})
		return
	}
	kind := "Bearer"
	if a.Key != "" {
		kind = "DPoP"
	}
	WriteJSON(w, http.StatusOK, map[string]any{"token_type": kind, "expires_in": int(a.Expires.Sub(s.Now()).Seconds()),
		"access_token": a.Token, "scope": strings.Join(a.Scopes, " ")})
}

// grantJWT is the grant by an assertion.
const grantJWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// client finds out who asks; j is the assertion of a grant.
func (s *Issuer) client(r *http.Request) (c Client, j *Signed, no *Refusal) {
	r.Body = http.MaxBytesReader(nil, r.Body, 64<<10)
	err := r.ParseForm()
	form := r.PostForm
	switch grant := form.Get("grant_type"); {
	case err == nil && grant == grantJWT && s.Owner != nil && s.Bare:
		if j, no = s.assertion(r, form.Get("assertion"), "invalid_grant", func(j *Signed) Client { return s.known(j.Text("iss")) }); no == nil {
			c = s.known(j.Text("iss"))
		}
	case err == nil && grant == grantJWT && s.Owner != nil:
		if c, no = s.secret(r); no == nil {
			j, no = s.assertion(r, form.Get("assertion"), "invalid_grant", func(*Signed) Client { return c })
		}
	case err != nil || grant != "client_credentials":
		no = &Refusal{Status: http.StatusBadRequest, Code: "unsupported_grant_type", Reason: fmt.Sprintf("grant_type %q", grant)}
	case form.Get("client_assertion") == "":
		c, no = s.secret(r)
	case form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
		no = &Refusal{Status: http.StatusBadRequest, Code: "invalid_request", Reason: fmt.Sprintf("client_assertion_type %q",
			form.Get("client_assertion_type"))}
	default:
		var by *Signed
		of := func(j *Signed) Client { return s.known(j.Text("sub")) }
		if by, no = s.assertion(r, form.Get("client_assertion"), "invalid_client", of); no == nil {
			c = of(by)
		}
	}
	return c, j, no
}

// secret finds out who asks by a secret.
func (s *Issuer) secret(r *http.Request) (Client, *Refusal) {
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	c := s.known(id)
	if c.Secret == "" || subtle.ConstantTimeCompare([]byte(c.Secret), []byte(secret)) == 0 {
		return c, &Refusal{Status: http.StatusUnauthorized, Code: "invalid_client", Reason: "no such client, or a wrong or unsupported secret"}
	}
	return c, nil
}

func (s *Issuer) known(id string) Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clients[id]
}

// grant makes a token.
func (s *Issuer) grant(w http.ResponseWriter, r *http.Request, c Client, j *Signed) (Access, *Refusal) {
	a := Access{Client: c.ID, Scopes: strings.Fields(r.PostForm.Get("scope"))}
	bad := func(code, why string) (Access, *Refusal) {
		return a, &Refusal{Status: http.StatusBadRequest, Code: code, Reason: why}
	}
	if s.Owner != nil {
		var no *Refusal
		if a.Owner, no = s.Owner(r.PostForm, j); no != nil {
			return a, no
		}
		a.Scopes = c.Scopes
	}
	if len(a.Scopes) == 0 {
		return bad("invalid_scope", "no scope asked for")
	}
	for _, scope := range a.Scopes {
		if !slices.Contains(c.Scopes, scope) {
			return bad("invalid_scope", "the client was not granted "+scope)
		}
	}
	proof := r.Header.Get("DPoP")
	if proof == "" && c.DPoP {
		return bad("invalid_dpop_proof", "the DPoP proof JWT header is missing")
	}
	if proof != "" {
		key, no := s.proven(r, proof, s.Audience(r), "", true)
		if no != nil {
			if no.Code == "use_dpop_nonce" {
				w.Header().Set("DPoP-Nonce", s.nonce(0))
			}
			return a, no
		}
		a.Key = key
	}
	ttl := s.TTL
	if ttl == 0 {
		ttl = time.Hour
	}
	a.Expires = s.Now().Add(ttl)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issued++
	rnd := NewRand(s.Seed, 7, s.issued, uint64(a.Expires.UnixNano()))
	a.Token = "eyJraWQiOiJzaW0i." + string(rnd.Name(nil, 60)) + "." + string(rnd.Name(nil, 40))
	if s.Text != nil {
		a.Token = s.Text(a, string(rnd.Name(nil, 60)))
	}
	for k, old := range s.tokens {
		if len(s.tokens) < 1<<14 {
			break
		}
		if !old.Static {
			delete(s.tokens, k)
		}
	}
	s.keep(a)
	return a, nil
}

// nonce is what DPoP proofs of the token endpoint must hold: it changes every 24 hours.
func (s *Issuer) nonce(back int64) string {
	return base64.RawURLEncoding.EncodeToString(strconv.AppendUint(nil, Hash(s.Seed, 8, uint64(s.Now().Unix()/86400-back)), 36))
}

// proven checks a DPoP proof and gives the thumbprint of its key.
func (s *Issuer) proven(r *http.Request, proof, target, token string, nonce bool) (string, *Refusal) {
	bad := func(format string, args ...any) (string, *Refusal) {
		return "", &Refusal{Status: http.StatusBadRequest, Code: "invalid_dpop_proof",
			Reason: "the DPoP proof is refused: " + fmt.Sprintf(format, args...)}
	}
	j, err := ReadJWT(proof)
	if err != nil {
		return bad("%v", err)
	}
	if j.Header.Typ != "dpop+jwt" || j.Header.JWK == nil {
		return bad("typ %q, want dpop+jwt and a jwk", j.Header.Typ)
	}
	key, err := j.Header.JWK.Public()
	if err == nil {
		err = j.Verify(key)
	}
	if err != nil {
		return bad("%v", err)
	}
	iat, ok := j.Seconds("iat")
	age := s.Now().Sub(time.Unix(iat, 0))
	switch {
	case j.Text("htm") != r.Method:
		return bad("htm %q, want %q", j.Text("htm"), r.Method)
	case j.Text("htu") != target:
		return bad("htu %q, want %q", j.Text("htu"), target)
	case !ok || age > slack || age < -slack:
		return bad("iat is %v ago", age)
	case j.Text("jti") == "":
		return bad("jti is missing")
	}
	if nonce && j.Text("nonce") != s.nonce(0) {
		return "", &Refusal{Status: http.StatusBadRequest, Code: "use_dpop_nonce",
			Reason: "Authorization server requires nonce in DPoP proof."}
	}
	if !s.once("proof "+j.Text("jti"), s.Now().Add(2*slack)) {
		return bad("jti was used before")
	}
	if sum := sha256.Sum256([]byte(token)); token != "" && j.Text("ath") != base64.RawURLEncoding.EncodeToString(sum[:]) {
		return bad("ath is not the hash of the access token")
	}
	return j.Header.JWK.Thumbprint(), nil
}

// Check finds out what a request with "Authorization: scheme token" may do. staticScheme is the one of static tokens.
func (s *Issuer) Check(r *http.Request, staticScheme string) (Access, *Refusal) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	no := func(why string) (Access, *Refusal) {
		return Access{}, &Refusal{Status: http.StatusUnauthorized, Code: "invalid_token", Reason: why}
	}
	s.mu.Lock()
	a, ok := s.tokens[token]
	s.mu.Unlock()
	want := "Bearer"
	switch {
	case a.Static:
		want = staticScheme
	case a.Key != "":
		want = "DPoP"
	}
	switch {
	case token == "" || !ok:
		return no("no such token")
	case !strings.EqualFold(scheme, want):
		return no("the token is of scheme " + want)
	case !a.Static && !s.Now().Before(a.Expires):
		return no("the token has expired")
	}
	if a.Key != "" {
		key, bad := s.proven(r, r.Header.Get("DPoP"), s.URL(r), token, false)
		if bad != nil {
			return no(bad.Reason)
		}
		if key != a.Key {
			return no("the DPoP proof is of another key")
		}
	}
	return a, nil
}
