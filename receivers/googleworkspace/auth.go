package googleworkspace

import (
	"cmp"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

// key is what is read of the JSON of a credential: a service account's key, or a workload's identity.
type key struct {
	Type        string
	ClientEmail string `json:"client_email"`
	ClientID    string `json:"client_id"`
	KeyID       string `json:"private_key_id"`
	PrivateKey  string `json:"private_key"`
	TokenURI    string `json:"token_uri"`
	// Of a workload.
	Audience    string
	SubjectType string `json:"subject_token_type"`
	TokenURL    string `json:"token_url"`
	Acting      string `json:"service_account_impersonation_url"`
	Source      struct {
		File   string
		Format struct {
			Type  string
			Field string `json:"subject_token_field_name"`
		}
	} `json:"credential_source"`

	signer crypto.Signer
}

// read reads and checks the JSON. No error quotes it.
func (a *Auth) read() (k key, err error) {
	text, from := []byte(a.Key), "auth.key"
	switch {
	case a.Key != "" && a.KeyFile != "":
		return k, fmt.Errorf("auth.key_file: %q is set beside auth.key, want one of them", a.KeyFile)
	case a.Key == "" && a.KeyFile == "":
		return k, errors.New("auth.key_file: empty, want the path of the JSON key of the service account, or the JSON in auth.key")
	case a.KeyFile != "":
		if text, err = os.ReadFile(a.KeyFile); err != nil {
			return k, fmt.Errorf("auth.key_file: read %q: %w", a.KeyFile, err)
		}
		from = fmt.Sprintf("auth.key_file: %q", a.KeyFile)
	}
	if json.Unmarshal(text, &k) != nil {
		return k, fmt.Errorf("%s: no JSON of a credential", from)
	}
	_, email, _ := strings.Cut(k.Acting, "/serviceAccounts/")
	email, _, _ = strings.Cut(email, ":")
	k.ClientEmail = cmp.Or(a.ServiceAccount, k.ClientEmail, email)
	switch {
	case k.Type != "service_account" && k.Type != "external_account":
		return k, fmt.Errorf("%s: type is %q, want service_account or external_account", from, k.Type)
	case k.ClientEmail == "":
		return k, errors.New("auth.service_account: empty, and the JSON names none")
	case k.Type == "service_account":
		if k.signer, err = saas.ParseKey([]byte(k.PrivateKey), nil); err != nil {
			return k, fmt.Errorf("%s: private_key: %w", from, err)
		}
	case k.Source.File == "" || k.Audience == "":
		return k, fmt.Errorf("%s: a workload without audience or credential_source.file, from which its token is read", from)
	}
	return k, nil
}

// The scopes, without what they have in common.
const (
	scopes      = "https://www.googleapis.com/auth/"
	readReports = "admin.reports.audit.readonly"
	readUsers   = "admin.directory.user.readonly"
	editUsers   = "admin.directory.user"
	security    = "admin.directory.user.security"
	readGroups  = "admin.directory.group.readonly"
	readMembers = "admin.directory.group.member.readonly"
	readRoles   = "admin.directory.rolemanagement.readonly"
	readDrive   = "drive.readonly"
	editDrive   = "drive"
	readLabels  = "drive.admin.labels.readonly"
	readAlerts  = "apps.alerts"
)

// wider are the scopes that do instead of another that was not granted.
var wider = map[string]string{readUsers: editUsers, readDrive: editDrive, readMembers: readGroups}

// credential gets the tokens of one instance: one for each user that is acted for, and scope.
type credential struct {
	*Config
	key   key
	base  string
	setup saas.Setup

	mu       sync.Mutex
	workload saas.Token
}

// scopeOf is the one scope that a request needs.
func (c *credential) scopeOf(q saas.Req) string {
	path, reads := strings.TrimPrefix(q.URL, c.base), q.Method == "" && q.Body == "" || q.Method == http.MethodGet
	under := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(path, p) {
				return true
			}
		}
		return false
	}
	path, _, _ = strings.Cut(path, "?")
	switch {
	case under("/admin/reports/"):
		return readReports
	case under("/admin/directory/v1/users/") && strings.Count(path, "/") > 5:
		return security
	case under("/admin/directory/v1/users") && reads:
		return readUsers
	case under("/admin/directory/v1/users"):
		return editUsers
	case under("/admin/directory/v1/groups/"):
		return readMembers
	case under("/admin/directory/v1/groups"):
		return readGroups
	case under("/admin/directory/v1/customer/"):
		return readRoles
	case under(c.URLs.Alerts+"/v1beta1/alerts", "/v1beta1/alerts"):
		return readAlerts
	case under(c.URLs.Labels+"/v2/", "/v2/"):
		return readLabels
	case reads || strings.HasSuffix(path, "/download"):
		return readDrive
	}
	return editDrive
}

// keyOf is Auth.Key: on whose behalf, and the scope.
func (c *credential) keyOf(q saas.Req) string { return cmp.Or(q.As, c.Auth.Admin) + " " + c.scopeOf(q) }

// mint is Auth.Mint. All scopes of an assertion have to be granted, so each is asked for alone. That nobody can be acted for any
// more says something of him, and nothing of the credential.
// https://developers.google.com/identity/protocols/oauth2/service-account#delegatingauthority
func (c *credential) mint(ctx context.Context, conn *saas.Conn, key string) (saas.Token, error) {
	as, scope, _ := strings.Cut(key, " ")
	t, err := c.ask(ctx, conn, as, scope)
	if more := wider[scope]; more != "" && ungranted(err) {
		if other, oerr := c.ask(ctx, conn, as, more); oerr == nil {
			return other, nil
		}
	}
	var e *saas.Error
	if errors.As(err, &e) && e.Code == "invalid_grant" && as != c.Auth.Admin {
		gone := *e
		gone.Outcome, gone.Msg = saas.Missing, "nobody can act for "+as+": "+e.Msg
		return t, &gone
	}
	return t, err
}

// ungranted says whether a scope was not granted to the service account.
func ungranted(err error) bool {
	return saas.Code(err) == "unauthorized_client" || saas.Code(err) == "invalid_scope" || saas.Code(err) == "access_denied"
}

// ask asks for a token to act for a user.
func (c *credential) ask(ctx context.Context, conn *saas.Conn, as string, names ...string) (saas.Token, error) {
	now, scope := c.setup.Now(), scopes+strings.Join(names, " "+scopes)
	claims := map[string]any{"iss": c.key.ClientEmail, "sub": as, "scope": scope, "aud": c.URLs.Token, "iat": now.Unix(),
		"exp": now.Add(time.Hour).Unix()}
	assertion, err := c.sign(ctx, conn, claims)
	if err != nil {
		return saas.Token{}, err
	}
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}
	return c.token(ctx, conn, saas.Req{URL: c.URLs.Token, Body: form.Encode()})
}

// token reads the token that a request is answered with.
func (c *credential) token(ctx context.Context, conn *saas.Conn, q saas.Req) (t saas.Token, err error) {
	q.Method, q.NoAuth = http.MethodPost, true
	rep, err := conn.Do(ctx, q)
	if err != nil {
		return t, err
	}
	var got struct {
		Value string `json:"access_token"`
		Life  int    `json:"expires_in"`
	}
	if err := rep.Into(&got); err != nil {
		return t, err
	}
	if got.Value == "" {
		return t, &saas.Error{Outcome: saas.Unauthorized, Req: "POST " + q.URL, Msg: "the answer holds no token"}
	}
	t.Value = got.Value
	if got.Life > 0 {
		t.Expires = c.setup.Now().Add(time.Duration(got.Life) * time.Second)
	}
	return t, nil
}

// sign makes a JWT of the claims: with the key or, where there is none, by IAM Credentials.
// https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signJwt
func (c *credential) sign(ctx context.Context, conn *saas.Conn, claims map[string]any) (string, error) {
	if c.key.signer != nil {
		return saas.SignJWT(c.setup.Rand, c.key.signer, "RS256", map[string]any{"typ": "JWT", "kid": c.key.KeyID}, claims)
	}
	own, err := c.exchange(ctx, conn)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode the claims of an assertion: %w", err)
	}
	var signed struct{ SignedJwt string }
	rep, err := conn.Do(ctx, saas.Req{Method: http.MethodPost, NoAuth: true, Header: map[string]string{"Authorization": "Bearer " + own.Value},
		URL:  c.URLs.Signer + "/v1/projects/-/serviceAccounts/" + url.PathEscape(c.key.ClientEmail) + ":signJwt",
		Body: string(saas.Join("payload", saas.Quote(string(payload))))})
	if err == nil {
		err = rep.Into(&signed)
	}
	return signed.SignedJwt, err
}

// exchange gives the token of the workload, for which Google takes the one in its file.
// https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
func (c *credential) exchange(ctx context.Context, conn *saas.Conn) (saas.Token, error) {
	c.mu.Lock()
	t := c.workload
	c.mu.Unlock()
	if t.Value != "" && c.setup.Now().Before(t.Expires.Add(-time.Minute)) {
		return t, nil
	}
	text, err := os.ReadFile(c.key.Source.File)
	if err != nil {
		return t, &saas.Error{Outcome: saas.Unauthorized, Msg: "the token of the workload cannot be read", Err: err}
	}
	subject := strings.TrimSpace(string(text))
	if c.key.Source.Format.Type == "json" {
		subject = saas.TextAt(text, c.key.Source.Format.Field)
	}
	t, err = c.token(ctx, conn, saas.Req{URL: c.URLs.Exchange, Body: url.Values{
		"grant_type":           {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"requested_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
		"subject_token_type":   {cmp.Or(c.key.SubjectType, "urn:ietf:params:oauth:token-type:jwt")},
		"audience":             {c.key.Audience},
		"scope":                {scopes + "cloud-platform"},
		"subject_token":        {subject},
	}.Encode()})
	if err == nil {
		c.mu.Lock()
		c.workload = t
		c.mu.Unlock()
	}
	return t, err
}

// refusals are what reasons of errors mean, whatever the status: 403 means a quota as well as a right.
// https://developers.google.com/workspace/drive/api/guides/handle-errors
var refusals = map[string]saas.Outcome{
	"rateLimitExceeded": saas.Throttled, "userRateLimitExceeded": saas.Throttled, "quotaExceeded": saas.Throttled,
	"dailyLimitExceeded": saas.Throttled, "sharingRateLimitExceeded": saas.Throttled, "RATE_LIMIT_EXCEEDED": saas.Throttled,
	"RESOURCE_EXHAUSTED": saas.Throttled, "exportSizeLimitExceeded": saas.TooMuch, "cannotDownloadAbusiveFile": saas.Invalid,
	"duplicate": saas.Already, "unauthorized_client": saas.Denied, "invalid_scope": saas.Denied, "access_denied": saas.Denied,
	"invalid_grant": saas.Unauthorized, "invalid_client": saas.Unauthorized,
}

// fault is Instance.Fault.
func fault(status int, h http.Header, text []byte) *saas.Error {
	var b struct {
		Description string `json:"error_description"`
		Error       json.RawMessage
	}
	if status < http.StatusBadRequest {
		return nil
	}
	_ = json.Unmarshal(text, &b) // a proxy's page has no codes
	var in struct {
		Message, Status string
		Errors          []struct{ Reason, Location string }
		Details         []struct{ Reason string }
	}
	_ = json.Unmarshal(b.Error, &in) // of a token endpoint it is a text
	e := &saas.Error{Code: saas.Text(b.Error), Msg: cmp.Or(in.Message, b.Description), Outcome: saas.Invalid}
	at := ""
	for _, d := range in.Details {
		e.Code = cmp.Or(e.Code, d.Reason)
	}
	for _, d := range in.Errors {
		e.Code, at = cmp.Or(e.Code, d.Reason), cmp.Or(at, d.Location)
	}
	e.Code = cmp.Or(e.Code, in.Status, saas.Challenge(h))
	said, known := refusals[e.Code]
	switch {
	case known:
		e.Outcome = said
	case status == http.StatusUnauthorized && strings.Contains(in.Message, "not authorized to read activity"): // of this edition
		e.Outcome = saas.Denied
	case status == http.StatusTooManyRequests:
		e.Outcome = saas.Throttled
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusPreconditionFailed:
		e.Outcome = saas.Unavailable
	case status == http.StatusForbidden:
		e.Outcome = saas.Denied
	case status == http.StatusGone, at == "pageToken":
		e.Outcome = saas.Expired
	case status == http.StatusNotFound:
		e.Outcome = saas.Missing
	case status == http.StatusUnauthorized:
		e.Outcome = saas.Unauthorized
	}
	return e
}

// budgets are the quotas: queries a minute of the administrator's, and units of Drive, which differ by what is asked.
// https://developers.google.com/workspace/drive/api/guides/limits
func budgets() []saas.Budget {
	in := func(part string) func(saas.Req) bool {
		return func(q saas.Req) bool { return strings.Contains(q.URL, part) }
	}
	drive := in("/drive/v3/")
	return []saas.Budget{
		{Name: "reports", Match: in("/admin/reports/"), Limit: 2400, Per: time.Minute},
		{Name: "filtered reports", Match: in("eventName="), Limit: 250, Per: time.Minute},
		{Name: "directory", Match: in("/admin/directory/"), Limit: 2400, Per: time.Minute},
		{Name: "drive of a user", Match: drive, Key: func(q saas.Req) string { return q.As }, Cost: units, Limit: 325_000, Per: time.Minute},
		{Name: "drive", Match: drive, Cost: units, Limit: 1_000_000, Per: time.Minute},
		{Name: "drive in a day", Match: drive, Cost: units, Limit: 400_000_000, Per: day},
	}
}

// units are what a request of Drive costs.
func units(q saas.Req) int {
	path, query, _ := strings.Cut(q.URL, "?")
	end := path[strings.LastIndexByte(path, '/')+1:]
	switch {
	case strings.Contains(query, "alt=media"), end == "export", end == "download":
		return 200
	case q.Method == http.MethodPatch, q.Method == http.MethodPost:
		return 50
	case q.Method != http.MethodDelete && strings.Contains(" files drives changes permissions revisions listLabels ", " "+end+" "):
		return 100
	}
	return 5
}
