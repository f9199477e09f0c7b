package box

import (
	"cmp"
	"crypto"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simLogin is what the app signs in with.
type simLogin struct{ client, secret, key, passphrase, kid string }

// simScopes are what the app was granted.
var simScopes = []string{simRead, simWrite, simPeople, simGroups, simManage}

// credentials makes the app known to the issuer, and its key where Config needs one.
func (s *simOrg) credentials() error {
	s.issuer = &sim.Issuer{Seed: s.o.Seed, Now: s.o.Now, TTL: 4123 * time.Second, Ahead: time.Minute, Owner: s.ownerOf, Say: simSay,
		Audience: func(*http.Request) string { return "https://api.box.com/oauth2/token" }} // under whatever URL the fake is reached
	s.login = simLogin{client: strings.ToLower(s.name(30, 0, 32)), secret: s.name(30, 1, 32), kid: strings.ToLower(s.name(30, 2, 8))}
	app := sim.Client{ID: s.login.client, Secret: s.login.secret, Scopes: simScopes}
	switch s.o.Variant {
	case "", "coadmin", "revoked":
	case "few_scopes":
		app.Scopes = []string{simRead, simManage}
	case "jwt", "jwt_encrypted", "wrong_key_id":
		key, err := sim.RSAKey()
		if err != nil {
			return fmt.Errorf("make the key of the fake: %w", err)
		}
		app.Keys = map[string]crypto.PublicKey{s.login.kid: key.Public()}
		if s.o.Variant == "jwt_encrypted" {
			s.login.passphrase = s.name(30, 3, 24)
		}
		if s.login.key, err = sim.KeyPEM(key, s.login.passphrase); err != nil {
			return err
		}
	default:
		return fmt.Errorf("variant %q, want jwt, jwt_encrypted, coadmin, few_scopes, revoked or wrong_key_id", s.o.Variant)
	}
	s.issuer.Register(app)
	return nil
}

// config is Sim.Config.
func (s *simOrg) config(base string) map[string]any {
	auth := obj{"type": "ccg", "client_id": s.login.client, "client_secret": s.login.secret, "enterprise_id": s.id}
	if s.o.Variant == "coadmin" {
		delete(auth, "enterprise_id")
		auth["user_id"] = s.users[1].id
	}
	if s.login.key != "" {
		auth["type"], auth["key_id"], auth["private_key"] = "jwt", s.login.kid, s.login.key
	}
	if s.login.passphrase != "" {
		auth["passphrase"] = s.login.passphrase
	}
	if s.o.Variant == "wrong_key_id" {
		auth["key_id"] = "no" + s.login.kid[2:]
	}
	return obj{"endpoint": base + "/2.0", "auth": auth,
		"urls": obj{"token": base + "/oauth2/token", "upload": base + "/api/2.0"}}
}

// ownerOf is sim.Issuer's Owner: a token is the enterprise's service account's, or a user's.
func (s *simOrg) ownerOf(form url.Values, j *sim.Signed) (string, *sim.Refusal) {
	kind, id, wrong := form.Get("box_subject_type"), form.Get("box_subject_id"), ""
	if j != nil {
		kind, id, wrong = j.Text("box_sub_type"), j.Text("sub"), "sub"
		if n := len(j.Text("jti")); n < 16 || n > 128 {
			return "", &sim.Refusal{Code: "invalid_grant", Claim: "jti"}
		}
	}
	user := s.byID[id]
	switch {
	case s.o.Variant == "revoked":
		return "", &sim.Refusal{Code: "unauthorized_client"}
	case kind == "enterprise" && id == s.id:
		return s.service.id, nil
	case kind == "user" && user != nil && !user.external && s.statusOf(user) != "inactive":
		return id, nil
	}
	return "", &sim.Refusal{Code: "invalid_grant", Claim: wrong}
}

// simSay is sim.Issuer's Say. https://developer.box.com/guides/authentication/jwt/without-sdk/
func simSay(w http.ResponseWriter, a sim.Access, no *sim.Refusal) {
	if no == nil {
		sim.WriteJSON(w, http.StatusOK, obj{"access_token": a.Token, "expires_in": 4123, "restricted_to": []obj{}, "token_type": "bearer"})
		return
	}
	why := map[string]string{
		"kid":       `"kid" invalid, unable to lookup correct key`,
		"signature": "OAuth JWT signature verification failed",
		"sub":       "Please check the 'sub' claim. The 'sub' specified is invalid.",
		"exp": "Please check the 'exp' claim. The 'exp' claim must be a date in the future, up to a maximum value of 60 seconds beyond the " +
			"issue time.",
	}[no.Claim]
	if why == "" && no.Claim != "" {
		why = "Please check the '" + no.Claim + "' claim."
	}
	why = cmp.Or(why, map[string]string{
		"invalid_client":         "The client credentials are invalid",
		"unauthorized_client":    "This app is not authorized by the enterprise admin",
		"unsupported_grant_type": "The grant type is unauthorized for this client_id",
	}[no.Code], "Grant credentials are invalid")
	sim.WriteJSON(w, http.StatusBadRequest, obj{"error": no.Code, "error_description": why})
}

// may says whether the token has the scope, which the scope to write gives with that to read.
func simMay(by sim.Access, scope string) bool {
	return scope == "" || slices.Contains(by.Scopes, scope) || scope == simRead && slices.Contains(by.Scopes, simWrite)
}
