package salesforce

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simLogin is what the app signs in with.
type simLogin struct{ key, secret, pem, username string }

const (
	simHost = "https://login.salesforce.com" // aud of assertions, under whatever URL the fake is reached
	simLive = 2 * time.Hour                  // of a session; its client is not told
)

// credentials makes the app known to the issuer, and its certificate's key where Config needs one.
func (s *simOrg) credentials() error {
	s.issuer = &sim.Issuer{Seed: s.o.Seed, Now: s.o.Now, TTL: simLive, Ahead: 3*time.Minute + 2*time.Second,
		Bare: true, Owner: s.ownerOf, Say: s.say,
		Audience: func(*http.Request) string { return simHost },
		Text:     func(_ sim.Access, random string) string { return s.org[:15] + "!AQ" + random }}
	rnd := sim.NewRand(s.o.Seed, 30)
	s.login = simLogin{key: string(rnd.Name([]byte("3MVG9"), 80)), secret: strings.ToUpper(string(rnd.Name(nil, 64))),
		username: "svc.collector@contoso.example"}
	app := sim.Client{ID: s.login.key, Secret: s.login.secret, Scopes: []string{"api", "refresh_token", "full"}}
	switch s.o.Variant {
	case "", "free", "reader", "own_files", "unapproved", "wrong_key", "no_api":
		key, err := sim.RSAKey()
		if err != nil {
			return fmt.Errorf("make the key of the fake: %w", err)
		}
		if s.login.pem, err = sim.KeyPEM(key, ""); err != nil {
			return err
		}
		if s.o.Variant == "wrong_key" {
			if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
				return fmt.Errorf("make the key of the fake: %w", err)
			}
		}
		app.Keys = map[string]crypto.PublicKey{"": key.Public()}
	case "client_credentials":
	default:
		return fmt.Errorf("variant %q, want client_credentials, free, reader, own_files, unapproved, wrong_key or no_api", s.o.Variant)
	}
	s.issuer.Register(app)
	return nil
}

// ownerOf is sim.Issuer's Owner: a session is the user's that the assertion names, or the run-as user's.
func (s *simOrg) ownerOf(form url.Values, j *sim.Signed) (string, *sim.Refusal) {
	if j == nil {
		return s.active(s.service)
	}
	if s.o.Variant != "unapproved" {
		for _, id := range s.listed("User") {
			if row := s.find(id); strings.EqualFold(row["Username"].(string), j.Text("sub")) {
				return s.active(id)
			}
		}
	}
	return "", &sim.Refusal{Code: "invalid_grant", Claim: "sub"}
}

// active refuses users who may not log in.
func (s *simOrg) active(id string) (string, *sim.Refusal) {
	row, frozen := s.find(id), false
	for _, login := range s.listed("UserLogin") {
		l := s.find(login)
		frozen = frozen || l["UserId"] == id && l["IsFrozen"] == true
	}
	if row["IsActive"] != true || frozen {
		return "", &sim.Refusal{Code: "invalid_grant", Claim: "inactive"}
	}
	return id, nil
}

// listed are the ids of an object's records.
func (s *simOrg) listed(name string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.rows[name])
}

// loginRoutes registers what no session is for.
func (s *simOrg) loginRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /services/oauth2/token", func(w http.ResponseWriter, r *http.Request) {
		s.issuer.ServeHTTP(&simAsked{w, s.o.BaseOf(r)}, r)
	})
	mux.HandleFunc("/services/oauth2/revoke", s.revoke)
	mux.HandleFunc("GET /services/data", func(w http.ResponseWriter, _ *http.Request) {
		var all []obj
		for v := 31; v <= 68; v++ {
			all = append(all, obj{"label": "Release " + itoa(v), "url": fmt.Sprintf("/services/data/v%d.0", v), "version": fmt.Sprintf("%d.0", v)})
		}
		sim.WriteJSON(w, http.StatusOK, all)
	})
	who := func(w http.ResponseWriter, r *http.Request) {
		by, no := s.issuer.Check(r, "")
		if no != nil {
			http.Error(w, "Bad_OAuth_Token", http.StatusForbidden)
			return
		}
		row := s.find(by.Owner)
		sim.WriteJSON(w, http.StatusOK, obj{"user_id": by.Owner, "organization_id": s.org, "preferred_username": row["Username"],
			"username": row["Username"], "display_name": row["Name"], "name": row["Name"], "email": row["Email"], "active": true,
			"sub": s.o.BaseOf(r) + "/id/" + s.org + "/" + by.Owner, "user_type": "STANDARD"})
	}
	mux.HandleFunc("GET /services/oauth2/userinfo", who)
	mux.HandleFunc("GET /id/{org}/{user}", who)
}

// simAsked is where the answer to a request for a session goes, with the URL that the request came to.
type simAsked struct {
	http.ResponseWriter
	base string
}

// say is sim.Issuer's Say. No expires_in. https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm
func (s *simOrg) say(w http.ResponseWriter, a sim.Access, no *sim.Refusal) {
	if no == nil {
		base := w.(*simAsked).base
		sim.WriteJSON(w, http.StatusOK, obj{"access_token": a.Token, "scope": strings.Join(a.Scopes, " "), "instance_url": base,
			"id": base + "/id/" + s.org + "/" + a.Owner, "token_type": "Bearer"})
		return
	}
	code, why := no.Code, map[string]string{"iss": "client identifier invalid", "signature": "invalid assertion", "exp": "expired assertion",
		"aud": "audience is invalid", "sub": "user hasn't approved this consumer", "inactive": "inactive user"}[no.Claim]
	switch {
	case no.Claim == "iss":
		code = "invalid_client_id"
	case code == "invalid_client":
		why = "invalid client credentials"
	case code == "unsupported_grant_type":
		why = "grant type not supported"
	case why == "":
		why = "invalid assertion"
	}
	sim.WriteJSON(w, http.StatusBadRequest, obj{"error": code, "error_description": why})
}

// revoke is /services/oauth2/revoke: of a session, or of the token of an app by its DeleteToken.
func (s *simOrg) revoke(w http.ResponseWriter, r *http.Request) {
	token := r.FormValue("token")
	if id := s.holder(token); id != "" {
		s.mu.Lock()
		s.remove(id)
		delete(s.secrets, token)
		s.mu.Unlock()
		w.WriteHeader(http.StatusOK)
		return
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if _, no := s.issuer.Check(r, ""); no != nil {
		sim.WriteJSON(w, http.StatusBadRequest, obj{"error": "invalid_token", "error_description": "invalid token"})
		return
	}
	s.issuer.Revoke(func(a sim.Access) bool { return a.Token == token })
	w.WriteHeader(http.StatusOK)
}

// config is Sim.Config.
func (s *simOrg) config(base string) map[string]any {
	auth := obj{"type": "jwt", "client_id": s.login.key, "username": s.login.username, "private_key": s.login.pem}
	if s.login.pem == "" {
		auth = obj{"type": "client_credentials", "client_id": s.login.key, "client_secret": s.login.secret}
	}
	return obj{"endpoint": base, "auth": auth}
}
