package box

import (
	"context"
	"crypto"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
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
	list := []string{"*.boxcloud.com"}
	for _, s := range []string{c.URLs.Token, c.URLs.Upload} {
		if u, err := url.Parse(s); err == nil {
			list = append(list, u.Host)
		}
	}
	return list
}

// budgets are the quotas of each acting user a minute. https://developer.box.com/guides/api-calls/permissions-and-errors/rate-limits/
func budgets(c *Config) []saas.Budget {
	as := func(q saas.Req) string { return q.As }
	return []saas.Budget{
		{Name: "requests", Key: as, Limit: 1000, Per: time.Minute},
		{Name: "uploads", Key: as, Limit: 240, Per: time.Minute, Match: func(q saas.Req) bool { return strings.HasPrefix(q.URL, c.URLs.Upload) }},
	}
}

// credential signs the requests of one instance.
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

// mint is Auth.Mint.
func (c *credential) mint(ctx context.Context, conn *saas.Conn, _ string) (saas.Token, error) {
	subject, id := "enterprise", c.EnterpriseID
	if c.UserID != "" {
		subject, id = "user", c.UserID
	}
	rep, err := conn.Do(ctx, saas.Req{Method: http.MethodPost, URL: c.tokenURL, NoAuth: true, Body: url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.ClientID}, "client_secret": {string(c.ClientSecret)},
		"box_subject_type": {subject}, "box_subject_id": {id}}.Encode()})
	if err != nil {
		return saas.Token{}, err
	}
	var t struct {
		Value  string `json:"access_token"`
		Expiry int    `json:"expires_in"`
	}
	err = rep.Into(&t)
	return saas.Token{Value: t.Value, Expires: c.setup.Now().Add(time.Duration(t.Expiry) * time.Second)}, err
}

// fault is Instance.Fault.
func fault(status int, h http.Header, head []byte) *saas.Error { return nil }
