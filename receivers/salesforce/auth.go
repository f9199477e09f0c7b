package salesforce

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	// assertionLife is what Salesforce allows at most.
	assertionLife = 3 * time.Minute
	// pause is how long nothing is asked of an org whose requests of 24 hours are used up.
	pause = 15 * time.Minute
	// session stands for the token in the body of a SOAP request, until that is signed.
	session = "{session}"
)

// credential gets the tokens of one instance.
type credential struct {
	Auth
	tokenURL string
	key      crypto.Signer
	setup    saas.Setup

	mu   sync.Mutex
	self identity // of the last token
}

// identity is whose a token is.
type identity struct{ org, user string }

func newCredential(c *Config, s saas.Setup) (*credential, error) {
	cred := &credential{Auth: c.Auth, tokenURL: c.URLs.Token, setup: s}
	if cred.Type == "jwt" {
		var err error
		if cred.key, err = cred.signer(); err != nil {
			return nil, err
		}
	}
	return cred, nil
}

// mint is Auth.Mint. The answer does not say how long the token is good: a 401 does.
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm
func (c *credential) mint(ctx context.Context, conn *saas.Conn, _ string) (saas.Token, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ClientID}, "client_secret": {string(c.ClientSecret)}}
	if c.key != nil {
		assertion, err := saas.SignJWT(c.setup.Rand, c.key, "RS256", map[string]any{"typ": "JWT"}, map[string]any{"iss": c.ClientID,
			"sub": c.Username, "aud": c.Audience, "exp": c.setup.Now().Add(assertionLife).Unix()})
		if err != nil {
			return saas.Token{}, err
		}
		form = url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}
	}
	var t struct {
		Value    string `json:"access_token"`
		Instance string `json:"instance_url"`
		ID       string `json:"id"` // https://login.salesforce.com/id/00D…/005…
	}
	rep, err := conn.Do(ctx, saas.Req{Method: http.MethodPost, URL: c.tokenURL, NoAuth: true, Body: form.Encode()})
	if err == nil {
		err = rep.Into(&t)
	}
	if err != nil {
		return saas.Token{}, err
	}
	if t.Value == "" || t.Instance == "" {
		return saas.Token{}, &saas.Error{Outcome: saas.Unauthorized, Req: "POST " + c.tokenURL,
			Msg: "the answer lacks access_token or instance_url"}
	}
	var id identity
	if _, whose, ok := strings.Cut(t.ID, "/id/"); ok {
		id.org, id.user, _ = strings.Cut(whose, "/")
	}
	c.mu.Lock()
	c.self = identity{longID(id.org), longID(id.user)}
	c.mu.Unlock()
	return saas.Token{Value: t.Value, Base: t.Instance}, nil
}

// me is whose the last token is.
func (c *credential) me() identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.self
}

// sign is Auth.Sign. SOAP has the token in its body.
func sign(q *http.Request, body []byte, t saas.Token) error {
	q.Header.Set("Authorization", "Bearer "+t.Value)
	if !strings.HasPrefix(q.Header.Get("Content-Type"), "text/xml") {
		return nil
	}
	var value bytes.Buffer
	if err := xml.EscapeText(&value, []byte(t.Value)); err != nil {
		return err
	}
	body = bytes.Replace(body, []byte(session), value.Bytes(), 1)
	q.Body, q.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	q.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return nil
}

// outcomes of the vendor's codes. An object or a field that is not known is one that the edition, the licence or a permission
// hides. https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
var outcomes = func() map[string]saas.Outcome {
	out := map[string]saas.Outcome{}
	for o, codes := range map[saas.Outcome]string{
		saas.Throttled: "REQUEST_LIMIT_EXCEEDED",
		saas.Unauthorized: "INVALID_SESSION_ID INVALID_LOGIN API_DISABLED_FOR_ORG API_CURRENTLY_DISABLED invalid_client invalid_client_id " +
			"invalid_grant invalid_app_access inactive_user inactive_org unsupported_grant_type unauthorized_client",
		saas.Unavailable: "SERVER_UNAVAILABLE UNKNOWN_EXCEPTION UNABLE_TO_LOCK_ROW",
		saas.TooMuch:     "QUERY_TIMEOUT",
		saas.Expired:     "INVALID_QUERY_LOCATOR",
		saas.Denied: "INVALID_TYPE INVALID_FIELD INSUFFICIENT_ACCESS INSUFFICIENT_ACCESS_OR_READONLY FUNCTIONALITY_NOT_ENABLED " +
			"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
		saas.Missing: "NOT_FOUND ENTITY_IS_DELETED INVALID_CROSS_REFERENCE_KEY",
		saas.Already: "DUPLICATE_VALUE unsupported_token_type invalid_token", // the latter two of revocation
	} {
		for code := range strings.FieldsSeq(codes) {
			out[code] = o
		}
	}
	return out
}()

// fault is Instance.Fault. Errors are a list; those of tokens are an object, those of SOAP an envelope.
func (c *credential) fault(status int, _ http.Header, head []byte) *saas.Error {
	if status < 400 {
		return nil
	}
	var list []struct {
		Code    string `json:"errorCode"`
		Message string
	}
	var one struct {
		Code    string `json:"error"`
		Message string `json:"error_description"`
	}
	e := &saas.Error{}
	if json.Unmarshal(head, &list) == nil && len(list) > 0 {
		e.Code, e.Msg = list[0].Code, list[0].Message
	} else if json.Unmarshal(head, &one) == nil {
		e.Code, e.Msg = one.Code, one.Message
	} else if _, code, ok := strings.Cut(string(head), "<faultcode>"); ok {
		e.Code, _, _ = strings.Cut(code[strings.IndexByte(code, ':')+1:], "<")
	}
	if o, ok := outcomes[e.Code]; ok {
		e.Outcome = o
	} else {
		e.Outcome = saas.ByStatus(status)
	}
	if e.Code == "REQUEST_LIMIT_EXCEEDED" && strings.Contains(e.Msg, "TotalRequests") {
		e.Until = c.setup.Now().Add(pause)
	}
	e.Code = cmp.Or(e.Code, http.StatusText(status))
	return e
}
