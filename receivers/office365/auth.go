package office365

import (
	"cmp"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

const assertionLife = 5 * time.Minute

// tenant is one connected tenant: its configuration with all URLs, and what gets its tokens.
type tenant struct {
	*Config
	key   crypto.Signer
	thumb string // of the certificate
	setup saas.Setup

	mu       sync.Mutex
	roles    map[string][]string // of the last token, by the resource that it is for
	own      []string            // domains, until when they are believed
	ownUntil time.Time
}

func newTenant(c *Config, s saas.Setup) (*tenant, error) {
	t := &tenant{Config: c, setup: s, roles: map[string][]string{}}
	if c.Auth.Type != "certificate" {
		return t, nil
	}
	key, cert, err := c.Auth.signer()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(cert.Raw)
	t.key, t.thumb = key, saas.Base64URL(sum[:])
	return t, nil
}

// graph and feed are the bases of Microsoft Graph and of the tenant's feed of activity.
func (t *tenant) graph() string { return t.URLs.Graph + "/v1.0" }

func (t *tenant) feed() string {
	return t.URLs.Manage + "/api/v1.0/" + t.Auth.TenantID + "/activity/feed/"
}

// atSite is a request to a site's own API. Each host of sites has tokens of its own.
func (t *tenant) atSite(site, path string) (saas.Req, error) {
	u, err := url.Parse(site)
	if err != nil || u.Host == "" {
		return saas.Req{}, saas.Refuse("%q is no URL of a site", site)
	}
	base := cmp.Or(t.URLs.SharePoint, "https://"+u.Host)
	return saas.Req{URL: base + strings.TrimRight(u.EscapedPath(), "/") + "/_api/" + path, As: strings.ToLower(u.Host)}, nil
}

// resource is Auth.Key: the API that a request is for, as tokens are asked for.
func (t *tenant) resource(q saas.Req) string {
	switch {
	case q.As != "":
		return "https://" + q.As
	case strings.HasPrefix(q.URL, t.feed()):
		return "https://" + clouds[t.Cloud].manage
	}
	return "https://" + clouds[t.Cloud].graph
}

// mint is Auth.Mint.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
func (t *tenant) mint(ctx context.Context, conn *saas.Conn, resource string) (saas.Token, error) {
	endpoint := t.URLs.Login + "/" + t.Auth.TenantID + "/oauth2/v2.0/token"
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {t.Auth.ClientID}, "scope": {resource + "/.default"}}
	switch t.Auth.Type {
	case "secret":
		form.Set("client_secret", string(t.Auth.ClientSecret))
	default:
		assertion, err := t.assertion(endpoint)
		if err != nil {
			return saas.Token{}, err
		}
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", assertion)
	}
	rep, err := conn.Do(ctx, saas.Req{Method: http.MethodPost, URL: endpoint, NoAuth: true, Body: form.Encode()})
	if err != nil {
		return saas.Token{}, err
	}
	var got struct {
		Value  string `json:"access_token"`
		Expiry int    `json:"expires_in"`
	}
	if err := rep.Into(&got); err != nil {
		return saas.Token{}, err
	}
	if got.Value == "" || got.Expiry <= 0 {
		return saas.Token{}, &saas.Error{Outcome: saas.Unauthorized, Req: "POST " + endpoint, Msg: "the answer holds no token that lasts"}
	}
	t.mu.Lock()
	t.roles[resource] = rolesOf(got.Value)
	t.mu.Unlock()
	return saas.Token{Value: got.Value, Expires: t.setup.Now().Add(time.Duration(got.Expiry) * time.Second)}, nil
}

// assertion says who the app is: signed with its certificate, or what another issuer wrote.
// https://learn.microsoft.com/entra/identity-platform/certificate-credentials
func (t *tenant) assertion(endpoint string) (string, error) {
	if t.Auth.Type == "federated" {
		text, err := os.ReadFile(t.Auth.TokenFile)
		if err != nil {
			return "", fmt.Errorf("auth.token_file: read %q: %w", t.Auth.TokenFile, err)
		}
		return strings.TrimSpace(string(text)), nil
	}
	jti, err := saas.Nonce(t.setup.Rand)
	if err != nil {
		return "", err
	}
	now := t.setup.Now()
	return saas.SignJWT(t.setup.Rand, t.key, "RS256", map[string]any{"typ": "JWT", "x5t#S256": t.thumb},
		map[string]any{"aud": endpoint, "iss": t.Auth.ClientID, "sub": t.Auth.ClientID, "jti": jti, "nbf": now.Add(-time.Minute).Unix(),
			"exp": now.Add(assertionLife).Unix()})
}

// rolesOf are the application permissions that a token tells of.
// https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
func rolesOf(token string) []string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	var claims struct{ Roles []string }
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(b, &claims) != nil {
		return nil
	}
	return claims.Roles
}

// sign is Auth.Sign. Requests whose agent is decorated so are refused last.
// https://learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online
func sign(req *http.Request, _ []byte, tok saas.Token) error {
	req.Header.Set("Authorization", "Bearer "+tok.Value)
	req.Header.Set("User-Agent", "NONISV|Longshore|"+req.Header.Get("User-Agent"))
	return nil
}

// rights is Instance.Rights: the permissions that tokens tell of. Those on SharePoint's own API are spelled with its name before
// them.
func (t *tenant) rights(ctx context.Context, conn *saas.Conn) (*saas.Rights, error) {
	r := &saas.Rights{OrgID: t.Auth.TenantID, Who: "app " + t.Auth.ClientID, Self: []string{t.Auth.ClientID}}
	var own struct {
		Value []struct{ ID, DisplayName string }
	}
	err := saas.Get(ctx, conn, "/servicePrincipals?$filter=appId%20eq%20%27"+t.Auth.ClientID+"%27&$select=id,displayName", &own)
	if err != nil && !saas.Is(err, saas.Denied) {
		return nil, err
	}
	for _, app := range own.Value {
		r.Who, r.Self = app.DisplayName, append(r.Self, app.ID, app.DisplayName)
	}
	list := []saas.Req{{URL: t.feed() + "subscriptions/list?PublisherIdentifier=" + t.Auth.TenantID}}
	if clouds[t.Cloud].manage == "" {
		list = nil
	}
	if site := t.anySite(ctx, conn); site != "" && t.Auth.Type == "certificate" {
		q, err := t.atSite(site, "web?$select=Id")
		if err != nil {
			return nil, err
		}
		list = append(list, q)
	}
	for _, q := range list {
		if err := saas.Send(ctx, conn, []saas.Req{q}); saas.Is(err, saas.Unauthorized) && q.As == "" {
			return nil, err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for resource, roles := range t.roles {
		for _, role := range roles {
			if host := strings.TrimPrefix(resource, "https://"); host != clouds[t.Cloud].graph && host != clouds[t.Cloud].manage {
				role = "SharePoint " + role
			}
			r.Held = append(r.Held, role)
		}
	}
	slices.Sort(r.Held)
	r.Held = slices.Compact(r.Held)
	return r, nil
}

// anySite is the URL of a site; "" = none is to be had.
func (t *tenant) anySite(ctx context.Context, conn *saas.Conn) string {
	var sites struct{ Value []struct{ WebURL string } }
	if saas.Get(ctx, conn, "/sites/getAllSites?$select=webUrl&$top=1", &sites) != nil || len(sites.Value) == 0 {
		return ""
	}
	return sites.Value[0].WebURL
}
