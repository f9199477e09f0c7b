package sim

import (
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
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
	Keys   map[string]crypto.PublicKey // by kid, for private_key_jwt
	Scopes []string                    // what it was granted
	DPoP   bool                        // its tokens are bound to a key
}

// Access is what a token stands for.
type Access struct {
	Token, Client string
	Owner         string // the person of a static token
	Scopes        []string
	Static        bool // it has every scope its owner's role gives
	Expires       time.Time
	Key           string // thumbprint of the DPoP key; "" = not bound
}

// Refusal says why a request has no access: a status, the OAuth error code and a text.
type Refusal struct {
	Status       int
	Code, Reason string
}

// Issuer is a token endpoint for client credentials, and the check of the tokens it gave. It verifies private_key_jwt
// assertions (RFC 7523) and DPoP proofs (RFC 9449).
type Issuer struct {
	Seed     int64
	Now      func() time.Time
	Audience func(r *http.Request) string // what aud must be, and htu of the token request
	URL      func(r *http.Request) string // htu of other requests: without query
	TTL      time.Duration                // of tokens; 0 = an hour

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
	c, no := s.client(w, r)
	var a Access
	if no == nil {
		a, no = s.grant(w, r, c)
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

// client finds out who asks.
func (s *Issuer) client(_ http.ResponseWriter, r *http.Request) (Client, *Refusal) {
	bad := func(code, format string, args ...any) (Client, *Refusal) {
		status := http.StatusBadRequest
		if code == "invalid_client" {
			status = http.StatusUnauthorized
		}
		return Client{}, &Refusal{status, code, fmt.Sprintf(format, args...)}
	}
	r.Body = http.MaxBytesReader(nil, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != "client_credentials" {
		return bad("unsupported_grant_type", "grant_type %q", r.PostForm.Get("grant_type"))
	}
	if r.PostForm.Get("client_assertion") == "" {
		id, secret, ok := r.BasicAuth()
		if !ok {
			id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
		}
		c := s.known(id)
		if c.Secret == "" || subtle.ConstantTimeCompare([]byte(c.Secret), []byte(secret)) == 0 {
			return bad("invalid_client", "no such client, or a wrong or unsupported secret")
		}
		return c, nil
	}
	if t := r.PostForm.Get("client_assertion_type"); t != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return bad("invalid_request", "client_assertion_type %q", t)
	}
	j, err := ReadJWT(r.PostForm.Get("client_assertion"))
	if err != nil {
		return bad("invalid_client", "client_assertion: %v", err)
	}
	c := s.known(j.Text("sub"))
	if c.ID == "" || j.Text("iss") != c.ID {
		return bad("invalid_client", "client_assertion: iss %q, sub %q: want both to be the client's id", j.Text("iss"), j.Text("sub"))
	}
	if err := verifyAny(j, c.Keys); err != nil {
		return bad("invalid_client", "client_assertion: %v", err)
	}
	if why := s.times(r, j); why != "" {
		return bad("invalid_client", "client_assertion: %s", why)
	}
	return c, nil
}

func (s *Issuer) known(id string) Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clients[id]
}

func verifyAny(j *Signed, keys map[string]crypto.PublicKey) error {
	if j.Header.Kid == "" && len(keys) == 1 {
		for _, k := range keys {
			return j.Verify(k)
		}
	}
	k, ok := keys[j.Header.Kid]
	if !ok {
		return fmt.Errorf("no key with kid %q", j.Header.Kid)
	}
	return j.Verify(k)
}

// times checks aud, exp, iat and jti of an assertion.
func (s *Issuer) times(r *http.Request, j *Signed) string {
	now := s.Now()
	aud, want := j.Text("aud"), s.Audience(r)
	exp, ok := j.Seconds("exp")
	end := time.Unix(exp, 0)
	switch {
	case aud != want:
		return fmt.Sprintf("aud %q, want %q", aud, want)
	case !ok:
		return "exp is missing"
	case !end.After(now.Add(-slack)):
		return "exp is over"
	case end.After(now.Add(time.Hour + slack)):
		return "exp is more than an hour ahead"
	}
	if iat, ok := j.Seconds("iat"); ok && time.Unix(iat, 0).After(now.Add(slack)) {
		return "iat is in the future"
	}
	if id := j.Text("jti"); id != "" && !s.once("assertion "+id, end.Add(slack)) {
		return "jti was used before"
	}
	return ""
}

// once says whether the id is new, and remembers it.
func (s *Issuer) once(id string, until time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used == nil {
		s.used = map[string]time.Time{}
	}
	now := s.Now()
	if _, ok := s.used[id]; ok {
		return false
	}
	if now.Sub(s.swept) > time.Minute || len(s.used) > 1<<20 {
		s.swept = now
		for k, t := range s.used {
			if t.Before(now) {
				delete(s.used, k)
			}
		}
	}
	s.used[id] = until
	return true
}

// grant makes a token.
func (s *Issuer) grant(w http.ResponseWriter, r *http.Request, c Client) (Access, *Refusal) {
	a := Access{Client: c.ID, Scopes: strings.Fields(r.PostForm.Get("scope"))}
	if len(a.Scopes) == 0 {
		return a, &Refusal{http.StatusBadRequest, "invalid_scope", "no scope asked for"}
	}
	for _, scope := range a.Scopes {
		if !slices.Contains(c.Scopes, scope) {
			return a, &Refusal{http.StatusBadRequest, "invalid_scope", "the client was not granted " + scope}
		}
	}
	proof := r.Header.Get("DPoP")
	if proof == "" && c.DPoP {
		return a, &Refusal{http.StatusBadRequest, "invalid_dpop_proof", "the DPoP proof JWT header is missing"}
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
		return "", &Refusal{http.StatusBadRequest, "invalid_dpop_proof", "the DPoP proof is refused: " + fmt.Sprintf(format, args...)}
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
		return "", &Refusal{http.StatusBadRequest, "use_dpop_nonce", "Authorization server requires nonce in DPoP proof."}
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
		return Access{}, &Refusal{http.StatusUnauthorized, "invalid_token", why}
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
