package box

import (
	"cmp"
	"context"
	"crypto"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	// audience is what an assertion is for, whatever the URL it is sent to.
	audience = "https://api.box.com/oauth2/token"
	// assertionLife is less than the 60 s that Box allows by more than the clocks may differ unnoticed.
	assertionLife = 40 * time.Second
)

// asUser is a request made on behalf of a user, whose budget it draws on; "" = of the credential's own account.
func asUser(id, url string) saas.Req {
	if id == "" {
		return saas.Req{URL: url}
	}
	return saas.Req{URL: url, As: id, Header: map[string]string{"As-User": id}}
}

// hosts are where requests and downloads may go beside the endpoint.
func hosts(c *Config) []string {
	return append(saas.HostsOf(c.URLs.Token, c.URLs.Upload), "*.boxcloud.com")
}

// budgets are the quotas of each acting user a minute.
// https://developer.box.com/guides/api-calls/permissions-and-errors/rate-limits/
func budgets(c *Config) []saas.Budget {
	as := func(q saas.Req) string { return q.As }
	return []saas.Budget{
		{Name: "requests", Key: as, Limit: 1000, Per: time.Minute},
		{Name: "uploads", Key: as, Limit: 240, Per: time.Minute, Match: func(q saas.Req) bool { return strings.HasPrefix(q.URL, c.URLs.Upload) }},
	}
}

// credential gets the tokens of one instance.
type credential struct {
	Auth
	tokenURL string
	key      crypto.Signer
	setup    saas.Setup
}

func newCredential(c *Config, s saas.Setup) (*credential, error) {
	cred := &credential{Auth: c.Auth, tokenURL: c.URLs.Token, setup: s}
	if c.Auth.Type != "jwt" {
		return cred, nil
	}
	var err error
	cred.key, err = cred.signer()
	return cred, err
}

// subject is whose token it is: the service account of the enterprise, or a user.
func (c *credential) subject() (kind, id string) {
	if c.UserID != "" {
		return "user", c.UserID
	}
	return "enterprise", c.EnterpriseID
}

// mint is Auth.Mint. An assertion that bore the wrong time is made anew by the SDK, which knows the vendor's clock then.
// https://developer.box.com/guides/authentication/client-credentials/ and …/jwt/
func (c *credential) mint(ctx context.Context, conn *saas.Conn, _ string) (saas.Token, error) {
	kind, id := c.subject()
	form := url.Values{"client_id": {c.ClientID}, "client_secret": {string(c.ClientSecret)}}
	if c.Type == "jwt" {
		assertion, err := c.assertion(kind, id)
		if err != nil {
			return saas.Token{}, err
		}
		form.Set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
		form.Set("assertion", assertion)
	} else {
		form.Set("grant_type", "client_credentials")
		form.Set("box_subject_type", kind)
		form.Set("box_subject_id", id)
	}
	rep, err := conn.Do(ctx, saas.Req{Method: http.MethodPost, URL: c.tokenURL, NoAuth: true, Body: form.Encode()})
	if err != nil {
		return saas.Token{}, err
	}
	var t struct {
		Value  string `json:"access_token"`
		Expiry int    `json:"expires_in"`
	}
	if err := rep.Into(&t); err != nil {
		return saas.Token{}, err
	}
	if t.Value == "" || t.Expiry <= 0 {
		return saas.Token{}, &saas.Error{Outcome: saas.Unauthorized, Req: "POST " + c.tokenURL, Msg: "the answer holds no token that lasts"}
	}
	return saas.Token{Value: t.Value, Expires: c.setup.Now().Add(time.Duration(t.Expiry) * time.Second)}, nil
}

// assertion is a JWT that says who the app is.
func (c *credential) assertion(kind, id string) (string, error) {
	jti, err := saas.Nonce(c.setup.Rand)
	if err != nil {
		return "", err
	}
	return saas.SignJWT(c.setup.Rand, c.key, cmp.Or(c.Algorithm, "RS256"), map[string]any{"typ": "JWT", "kid": c.KeyID},
		map[string]any{"iss": c.ClientID, "sub": id, "box_sub_type": kind, "aud": audience, "jti": jti,
			"exp": c.setup.Now().Add(assertionLife).Unix()})
}

// fault is Instance.Fault: by status, since the vendor's list of codes is not whole.
// https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors/
func fault(status int, h http.Header, head []byte) *saas.Error {
	if status == http.StatusAccepted && h.Get("Retry-After") != "" {
		return &saas.Error{Outcome: saas.Unavailable, Code: "not_ready", Msg: "the content is not ready yet"}
	}
	if status < 400 {
		return nil
	}
	var b struct {
		Code, Message, Error string
		Description          string `json:"error_description"`
		Info                 struct {
			Errors []struct{ Name, Message string }
		} `json:"context_info"`
	}
	_ = json.Unmarshal(head, &b) // a proxy's page has no codes
	e := &saas.Error{Code: cmp.Or(b.Code, b.Error, saas.Challenge(h)), Msg: cmp.Or(b.Message, b.Description), Outcome: saas.Invalid}
	name := ""
	if len(b.Info.Errors) > 0 {
		name = b.Info.Errors[0].Name
		e.Msg += ": " + name + ": " + b.Info.Errors[0].Message
	}
	switch {
	case status == http.StatusTooManyRequests:
		e.Outcome = saas.Throttled
	case status >= 500, status == http.StatusRequestTimeout:
		e.Outcome = saas.Unavailable
	case status == http.StatusUnauthorized, b.Error != "": // the latter: of the token endpoint
		e.Outcome = saas.Unauthorized
	case status == http.StatusForbidden:
		e.Outcome = saas.Denied
	case status == http.StatusNotFound:
		e.Outcome = saas.Missing
	case status == http.StatusBadRequest && (name == "stream_position" || name == "marker"):
		e.Outcome = saas.Expired
	}
	return e
}
