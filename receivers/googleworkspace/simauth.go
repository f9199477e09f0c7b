package googleworkspace

import (
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simLogin is what the agent signs in with.
type simLogin struct {
	email, client, kid string
	key                *rsa.PrivateKey
	pem                string
	subject            string
	workload           string // the access token of the workload that may sign for the service account
}

// simScope is a scope in full.
func simScope(name string) string { return "https://www.googleapis.com/auth/" + name }

// simGranted are the scopes that the client of the service account was granted in the Admin console.
var simGranted = strings.Fields(`admin.reports.audit.readonly admin.directory.user.readonly admin.directory.user
admin.directory.user.security admin.directory.group.readonly admin.directory.group.member.readonly
admin.directory.rolemanagement.readonly admin.directory.customer.readonly drive.readonly drive.metadata.readonly drive drive.metadata
drive.admin.labels.readonly drive.labels.readonly cloud-identity.policies.readonly apps.alerts`)

// credentials makes the service account known to the issuer, and its key.
func (s *simOrg) credentials() error {
	granted := slices.Clone(simGranted)
	s.login = simLogin{email: "longshore@contoso-audit.iam.gserviceaccount.com", client: s.digits(21, 30, 0), subject: s.users[0].email,
		kid: fmt.Sprintf("%016x%016x", sim.Hash(s.o.Seed, 31), sim.Hash(s.o.Seed, 32))}
	switch s.o.Variant {
	case "", "basic":
	case "keyless":
		s.login.workload = "ya29.c.workload-" + string(sim.NewRand(s.o.Seed, 33).Name(nil, 40))
	case "delegated":
		s.login.subject = s.users[1].email
	case "suspended":
		s.users[0].suspended = true
	case "no_drive":
		granted = slices.DeleteFunc(granted, func(scope string) bool { return strings.HasPrefix(scope, "drive") })
	case "no_delegation":
		granted = nil
	default:
		return fmt.Errorf("variant %q, want keyless, delegated, no_drive, basic, no_delegation or suspended", s.o.Variant)
	}
	var err error
	if s.login.key, err = sim.RSAKey(); err != nil {
		return fmt.Errorf("make the key of the fake: %w", err)
	}
	if s.login.pem, err = sim.KeyPEM(s.login.key, ""); err != nil {
		return err
	}
	for i := range granted {
		granted[i] = simScope(granted[i])
	}
	s.issuer = &sim.Issuer{Seed: s.o.Seed, Now: s.o.Now, TTL: 3599 * time.Second, Bare: true, Owner: s.ownerOf, Say: simSay,
		Audience: func(r *http.Request) string { return s.o.BaseOf(r) + "/token" },
		Text:     func(_ sim.Access, random string) string { return "ya29.c.c0" + random }}
	if s.login.workload != "" {
		s.issuer.Static(s.login.workload, s.login.email)
	}
	s.issuer.Register(sim.Client{ID: s.login.email, Keys: map[string]crypto.PublicKey{s.login.kid: s.login.key.Public()}, Scopes: granted})
	return nil
}

// key is the key file of the service account, as the Cloud console gives it.
func (s *simOrg) key(base string) string {
	b, _ := json.Marshal(obj{"type": "service_account", "project_id": "contoso-audit", "private_key_id": s.login.kid,
		"private_key": s.login.pem, "client_email": s.login.email, "client_id": s.login.client,
		"auth_uri":  "https://accounts.google.com/o/oauth2/auth",
		"token_uri": base + "/token", "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
		"client_x509_cert_url": "https://www.googleapis.com/robot/v1/metadata/x509/" + url.PathEscape(s.login.email),
		"universe_domain":      "googleapis.com"}) // of strings
	return string(b)
}

// ownerOf is sim.Issuer's Owner: whom a token acts for.
func (s *simOrg) ownerOf(_ url.Values, j *sim.Signed) (string, *sim.Refusal) {
	if j == nil {
		return "", &sim.Refusal{Status: http.StatusBadRequest, Code: "unsupported_grant_type"}
	}
	sub := j.Text("sub")
	if sub == "" || sub == s.login.email {
		return s.login.email, nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	u := s.byKey[sub]
	if u == nil || u.suspended || u.archived || !u.deleted.IsZero() {
		return "", &sim.Refusal{Status: http.StatusBadRequest, Code: "invalid_grant", Claim: "sub"}
	}
	return u.id, nil
}

// simSay is sim.Issuer's Say.
func simSay(w http.ResponseWriter, a sim.Access, no *sim.Refusal) {
	if no == nil {
		sim.WriteJSON(w, http.StatusOK, obj{"access_token": a.Token, "expires_in": 3599, "token_type": "Bearer"})
		return
	}
	status, code := no.Status, no.Code
	why := map[string]string{
		"sub":       "Invalid email or User ID",
		"signature": "Invalid JWT Signature.",
		"kid":       "Invalid JWT Signature.",
		"iss":       "Invalid grant: account not found",
		"aud":       "Failed audience check. The right audience is https://oauth2.googleapis.com/token",
		"exp":       "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values.",
		"iat":       "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values.",
	}[no.Claim]
	if code == "invalid_scope" && no.Reason != "no scope asked for" {
		status, code = http.StatusUnauthorized, "unauthorized_client"
		why = "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."
	}
	if status == http.StatusUnauthorized && code == "internal_failure" {
		code, why = "invalid_client", "Unauthorized"
	}
	sim.WriteJSON(w, status, obj{"error": code, "error_description": cmp.Or(why, no.Reason, "Bad Request")})
}

// signJWT is what IAM Credentials signs with the service account's key, for who may.
func (s *simOrg) signJWT(c *simCall) (any, *simNo) {
	if name, ok := strings.CutSuffix(c.path("call"), ":signJwt"); !ok || name != s.login.email || c.path("project") != "-" {
		return nil, &simNo{http.StatusNotFound, "notFound", "Requested entity was not found.", ""}
	}
	var in struct{ Payload string }
	if no := c.into(&in); no != nil {
		return nil, no
	}
	var claims struct {
		Exp int64
	}
	if err := json.Unmarshal([]byte(in.Payload), &claims); err != nil || claims.Exp > s.o.Now().Add(12*time.Hour).Unix() {
		return nil, simBad("badRequest", "Invalid payload: want the claims as a JSON object, exp at most 12 hours ahead")
	}
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64([]byte(`{"alg":"RS256","kid":"`+s.login.kid+`","typ":"JWT"}`)) + "." + b64([]byte(in.Payload))
	sum := sha256.Sum256([]byte(text))
	sign, err := rsa.SignPKCS1v15(nil, s.login.key, crypto.SHA256, sum[:])
	if err != nil {
		return nil, &simNo{http.StatusInternalServerError, "backendError", err.Error(), ""}
	}
	return obj{"keyId": s.login.kid, "signedJwt": text + "." + b64(sign)}, nil
}

// exchange is the token service, where a workload gets an access token for its own token.
func (s *simOrg) exchange(w http.ResponseWriter, r *http.Request) {
	form := url.Values{}
	if b, err := simBody(w, r); err == nil {
		form, _ = url.ParseQuery(string(b)) // what cannot be read is missing
	}
	switch {
	case s.login.workload == "" || form.Get("subject_token") == "" || !strings.Contains(form.Get("audience"), "/workloadIdentityPools/"):
		sim.WriteJSON(w, http.StatusBadRequest, obj{"error": "invalid_grant", "error_description": "The provided credential is not valid."})
	case form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:token-exchange" || form.Get("scope") != simScope("cloud-platform"):
		sim.WriteJSON(w, http.StatusBadRequest, obj{"error": "invalid_request", "error_description": "Invalid grant_type or scope"})
	default:
		sim.WriteJSON(w, http.StatusOK, obj{"access_token": s.login.workload, "expires_in": 3599, "token_type": "Bearer",
			"issued_token_type": "urn:ietf:params:oauth:token-type:access_token"})
	}
}

// config is Sim.Config.
func (s *simOrg) config(base string) map[string]any {
	key := s.key(base)
	if s.login.workload != "" {
		key = s.keyless(base)
	}
	return obj{"endpoint": base, "auth": obj{"key": key, "admin": s.login.subject}, "token_activity": true}
}

// simBody takes the body before the lock is taken.
func simBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(w, r.Body, 32<<20))
}

// keyless is the workload's identity that may sign for the service account, in place of a key.
func (s *simOrg) keyless(base string) string {
	return `{"type":"external_account","audience":"//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x",` +
		`"subject_token_type":"urn:ietf:params:oauth:token-type:jwt","token_url":"` + base + `/v1/token",` +
		`"service_account_impersonation_url":"` + base + `/v1/projects/-/serviceAccounts/` + s.login.email + `:generateAccessToken",` +
		`"credential_source":{"file":"` + simWorkload + `"},"universe_domain":"googleapis.com"}`
}

// simWorkload is where the workload finds its own token, whose text the fake does not judge.
const simWorkload = "/var/run/workload/token"
