package okta

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simKeys are the private key of the service app, as PEM, and its kid.
type simKeys struct{ pem, kid string }

// credentials makes tokens and keys known to the issuer.
func (s *simOrg) credentials() error {
	for _, k := range s.apiKeys {
		s.issuer.Static(k.value, k.owner)
	}
	var key crypto.Signer
	var err error
	switch s.o.Variant {
	case "pkjwt":
		key, err = sim.RSAKey()
	case "", "dpop", "pkjwt_es256", "token", "person", "readonly":
		rnd, raw := sim.NewRand(s.o.Seed, 30), make([]byte, 32)
		for i := range raw {
			raw[i] = byte(rnd.Next())
		}
		raw[0] &= 0x7f // below the order of the curve
		key, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	default:
		err = fmt.Errorf("variant %q, want dpop, pkjwt, pkjwt_es256, token, person or readonly", s.o.Variant)
	}
	if err != nil {
		return fmt.Errorf("make the credential of the fake: %w", err)
	}
	s.keys.kid = "sim-" + s.app.id[3:8]
	if s.keys.pem, err = sim.KeyPEM(key, ""); err != nil {
		return err
	}
	s.issuer.Register(sim.Client{ID: s.app.id, Keys: map[string]crypto.PublicKey{s.keys.kid: key.Public()}, Scopes: simScopes,
		DPoP: s.o.Variant == "" || s.o.Variant == "dpop"})
	return nil
}

// config is Sim.Config.
func (s *simOrg) config(base string) map[string]any {
	key := map[string]*simAPIKey{"token": s.service, "person": s.me, "readonly": s.low}[s.o.Variant]
	auth := obj{"type": "private_key_jwt", "client_id": s.app.id, "private_key": s.keys.pem, "key_id": s.keys.kid,
		"dpop": s.o.Variant == "" || s.o.Variant == "dpop", "governance": []string{"all"}}
	if key != nil {
		auth = obj{"type": "token", "token": key.value}
	}
	return obj{"endpoint": base, "auth": auth}
}

// caller is who a request comes from, as events name him, and the id of the API token.
func (s *simOrg) caller(by sim.Access) (who simParty, apiToken string) {
	if !by.Static {
		return s.app.party("PublicClientApp"), ""
	}
	for _, k := range s.apiKeys {
		if k.value == by.Token {
			apiToken = k.id
		}
	}
	return s.byID[by.Owner].party(), apiToken
}

// log appends the event of a change; the lock is held.
func (s *simOrg) log(c *simCall, kind string, targets ...simParty) {
	s.changes++
	rnd := sim.NewRand(s.o.Seed, 31, uint64(s.changes))
	e := &simEvent{rnd: rnd, uuid: string(rnd.UUID(nil)), kind: kind, message: kind, at: s.o.Now(), severity: "INFO", result: "SUCCESS",
		place: &simPlaces[0], ip: "198.51.100.7", agent: c.r.UserAgent(), os: "Unknown", browser: "UNKNOWN", zone: "null", uri: c.r.URL.Path,
		session: "trs" + string(rnd.Name(nil, 22)), transaction: string(rnd.Name(nil, 27)), targets: targets}
	for i := range simKinds {
		if simKinds[i].kind == kind {
			e.legacy, e.message = simKinds[i].legacy, simKinds[i].message
		}
	}
	e.actor, e.apiToken = s.caller(c.by)
	s.feed.Append(e.uuid, e.at, e.write(nil))
}

// simStep is a change of a user's state: from which states, to which, and the event it leaves.
type simStep struct {
	from  []string // nil = any but DEPROVISIONED
	to    string   // "" = as before
	event string
	reply func(c *simCall) any // nil = {}
}

var simHasPassword = []string{"ACTIVE", "PASSWORD_EXPIRED", "LOCKED_OUT", "RECOVERY"}

// simSteps are the lifecycle operations. https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserLifecycle/
var simSteps = map[string]simStep{
	"suspend":    {[]string{"ACTIVE"}, "SUSPENDED", "user.lifecycle.suspend", nil},
	"unsuspend":  {[]string{"SUSPENDED"}, "ACTIVE", "user.lifecycle.unsuspend", nil},
	"deactivate": {nil, "DEPROVISIONED", "user.lifecycle.deactivate", nil},
	"activate": {[]string{"STAGED", "DEPROVISIONED"}, "PROVISIONED", "user.lifecycle.activate",
		simLink("true", "activationUrl", "/welcome/")},
	"reactivate": {[]string{"PROVISIONED", "RECOVERY"}, "PROVISIONED", "user.lifecycle.reactivate",
		simLink("false", "activationUrl", "/welcome/")},
	"unlock":        {[]string{"LOCKED_OUT"}, "ACTIVE", "user.account.unlock_by_admin", nil},
	"reset_factors": {nil, "", "user.mfa.factor.reset_all", nil},
	"expire_password": {simHasPassword, "PASSWORD_EXPIRED", "user.account.expire_password",
		func(c *simCall) any { return c.user.json(c.base) }},
	"expire_password_with_temp_password": {simHasPassword, "PASSWORD_EXPIRED", "user.account.expire_password",
		func(c *simCall) any { return obj{"tempPassword": "Tmp!" + c.user.id[3:11]} }},
	"reset_password": {simHasPassword, "RECOVERY", "user.account.reset_password", simLink("", "resetPasswordUrl", "/reset_password/")},
}

// simLink answers with a link when no mail is to be sent.
func simLink(usual, name, path string) func(c *simCall) any {
	return func(c *simCall) any {
		if cmp.Or(c.query("sendEmail"), usual) == "true" {
			return obj{}
		}
		return obj{name: c.base + path + "XE6wE17" + c.user.id[3:9]}
	}
}

func (s *simOrg) lifecycleRoutes(add simAdd) {
	for name, step := range simSteps {
		add("POST /api/v1/users/{user}/lifecycle/"+name, "okta.users.manage", func(c *simCall) { s.lifecycle(c, name, step) })
	}
	add("DELETE /api/v1/users/{user}/sessions", "okta.users.manage", func(c *simCall) {
		if c.query("oauthTokens") == "true" {
			s.dropTokens(c, func(t *simToken) bool { return t.user == c.user.id })
		}
		s.mu.Lock()
		s.log(c, "user.session.clear", c.user.party())
		s.mu.Unlock()
		c.w.WriteHeader(http.StatusNoContent)
	})
}

// lifecycle does one step, or says why it may not.
func (s *simOrg) lifecycle(c *simCall, name string, step simStep) {
	if name == "reset_password" && c.query("sendEmail") == "" {
		s.fail(c.w, http.StatusBadRequest, "E0000028", "The request is missing a required parameter.", "sendEmail is missing")
		return
	}
	u := c.user
	s.mu.Lock()
	allowed := step.from == nil && u.status != "DEPROVISIONED" || slices.Contains(step.from, u.status)
	if !allowed || u.sourced && name == "reset_password" {
		s.mu.Unlock()
		s.refuse(c, name)
		return
	}
	if step.to != "" && step.to != u.status {
		u.status, u.changed = step.to, s.o.Now()
	}
	s.log(c, step.event, u.party())
	var out any = obj{}
	if step.reply != nil {
		out = step.reply(c)
	}
	if name == "deactivate" {
		s.leave(u)
	}
	s.mu.Unlock()
	if name == "deactivate" {
		s.dropTokens(c, func(t *simToken) bool { return t.user == u.id })
		s.dropGrants(c, func(g *simGrant) bool { return g.user == u.id })
	}
	c.json(http.StatusOK, out)
}

// refuse says that the user's state does not allow the step.
func (s *simOrg) refuse(c *simCall, name string) {
	switch name {
	case "suspend", "unsuspend":
		s.fail(c.w, http.StatusBadRequest, "E0000001", "Api validation failed: "+c.user.id, "Cannot "+name+" a user that is not "+
			map[string]string{"suspend": "active", "unsuspend": "suspended"}[name])
	case "activate":
		s.fail(c.w, http.StatusForbidden, "E0000016", "Activation failed because the user is already active")
	case "unlock":
		s.fail(c.w, http.StatusForbidden, "E0000032", "Unlock is not allowed for this user.")
	case "reset_password":
		s.fail(c.w, http.StatusForbidden, "E0000034", "Forgot password not allowed on specified user.")
	default:
		s.fail(c.w, http.StatusForbidden, "E0000038", "This operation is not allowed in the user's current status.")
	}
}

// leave takes from a deactivated user what deactivation destroys: assignments, memberships, roles and API tokens. The lock is held.
func (s *simOrg) leave(u *simUser) {
	for _, a := range s.apps {
		delete(a.users, u.id)
	}
	for _, g := range s.groups {
		delete(g.members, u.id)
	}
	s.roles = slices.DeleteFunc(s.roles, func(r *simRole) bool { return r.holder == u.id })
	s.apiKeys = slices.DeleteFunc(s.apiKeys, func(k *simAPIKey) bool { return k.owner == u.id })
	s.issuer.Revoke(func(a sim.Access) bool { return a.Owner == u.id })
}

// simReplayKey is the identity of a replayed event: its uuid, or a hash.
func simReplayKey(raw []byte) string {
	var o struct{ UUID string }
	if err := json.Unmarshal(raw, &o); err != nil || o.UUID == "" {
		return fmt.Sprintf("%016x", sim.KeySum(string(raw)))
	}
	return o.UUID
}
