package aws

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/longshore-dev/longshore/internal/saas"
)

// sourceKey names the credential that the roles are assumed with; "" names the one in use, an account's id its own.
const sourceKey = "source"

// credential signs the requests of one instance.
type credential struct {
	Auth
	*place
	now    func() time.Time
	signer *v4.Signer
	bare   *v4.Signer // of paths as they are: S3

	mu  sync.Mutex
	who identity // of the credential in use
}

// identity is who a credential is, as GetCallerIdentity says it.
type identity struct{ Account, Arn, UserId string }

func newCredential(a Auth, p *place, s saas.Setup) *credential {
	return &credential{Auth: a, place: p, now: s.Now, signer: v4.NewSigner(),
		bare: v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })}
}

// key is Auth.Key.
func (c *credential) key(q saas.Req) string { return q.As }

// mint is Auth.Mint: the credential of an account is a role that is assumed there.
func (c *credential) mint(ctx context.Context, conn *saas.Conn, key string) (saas.Token, error) {
	switch {
	case key == sourceKey, key == "" && c.RoleARN == "":
		return c.source(ctx)
	case key == "":
		return c.assume(ctx, conn, sourceKey, c.RoleARN)
	}
	who, err := c.identity(ctx, conn)
	switch {
	case err != nil:
		return saas.Token{}, err
	case who.Account == key && c.RoleARN == "":
		return c.source(ctx)
	case who.Account == key:
		return c.assume(ctx, conn, sourceKey, c.RoleARN)
	case c.MemberRole == "":
		return saas.Token{}, &saas.Error{Outcome: saas.Denied, Code: "member_role",
			Msg: "account " + key + " is not the credential's own, and auth.member_role names no role to assume there"}
	}
	return c.assume(ctx, conn, "", "arn:"+c.name+":iam::"+key+":role/"+c.MemberRole)
}

// source is the configured key, or what the environment, the shared files, a web identity, the container or the instance has.
// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
func (c *credential) source(ctx context.Context) (saas.Token, error) {
	if c.AccessKeyID != "" {
		return token(sdk.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: string(c.SecretAccessKey),
			SessionToken: string(c.SessionToken)}), nil
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(c.region), config.WithSharedConfigProfile(c.Profile))
	if err == nil {
		var got sdk.Credentials
		if got, err = cfg.Credentials.Retrieve(ctx); err == nil {
			return token(got), nil
		}
	}
	return saas.Token{}, &saas.Error{Outcome: saas.Unauthorized, Code: "no_credentials", Msg: "no credentials were found", Err: err}
}

func token(c sdk.Credentials) saas.Token {
	t := saas.Token{Value: c.AccessKeyID, Extra: map[string]string{"secret": c.SecretAccessKey, "session": c.SessionToken}}
	if c.CanExpire {
		t.Expires = c.Expires
	}
	return t
}

// assume gets the key of a role. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (c *credential) assume(ctx context.Context, conn *saas.Conn, as, role string) (saas.Token, error) {
	rep, err := conn.Do(ctx, c.query("sts", as, "AssumeRole", "RoleArn", role, "RoleSessionName", c.SessionName, "ExternalId", c.ExternalID,
		"DurationSeconds", "3600"))
	if err != nil {
		return saas.Token{}, err
	}
	var got struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }
	if err := one(rep, "AssumeRoleResult/Credentials", &got); err != nil {
		return saas.Token{}, err
	}
	until, err := time.Parse(time.RFC3339, got.Expiration)
	if err != nil || got.SecretAccessKey == "" {
		return saas.Token{}, &saas.Error{Outcome: saas.Unauthorized, Req: "AssumeRole " + role, Msg: "the answer holds no key that lasts"}
	}
	return token(sdk.Credentials{AccessKeyID: got.AccessKeyId, SecretAccessKey: got.SecretAccessKey, SessionToken: got.SessionToken,
		CanExpire: true, Expires: until}), nil
}

// identity asks once who the credential in use is.
func (c *credential) identity(ctx context.Context, d saas.Doer) (identity, error) {
	c.mu.Lock()
	who := c.who
	c.mu.Unlock()
	if who.Account != "" {
		return who, nil
	}
	rep, err := d.Do(ctx, c.query("sts", "", "GetCallerIdentity"))
	if err == nil {
		err = one(rep, "GetCallerIdentityResult", &who)
	}
	if err == nil && who.Account == "" {
		err = &saas.Error{Outcome: saas.Unavailable, Req: "GetCallerIdentity", Msg: "the answer names no account"}
	}
	if err != nil {
		return who, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.who = who
	return who, nil
}

// sign is Auth.Sign. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func (c *credential) sign(req *http.Request, body []byte, t saas.Token) error {
	region, service, _ := strings.Cut(req.Header.Get(scopeHeader), "/")
	req.Header.Del(scopeHeader)
	sum := sha256.Sum256(body)
	hash, signer := hex.EncodeToString(sum[:]), c.signer
	if service == "s3" {
		req.Header.Set("X-Amz-Content-Sha256", hash)
		signer = c.bare
	}
	key := sdk.Credentials{AccessKeyID: t.Value, SecretAccessKey: t.Extra["secret"], SessionToken: t.Extra["session"]}
	return signer.SignHTTP(req.Context(), key, req, hash, service, region, c.now())
}

// one decodes the only element at path of an XML answer.
func one(rep *saas.Reply, path string, v any) error {
	raw, err := fragment(rep, path)
	if err != nil || len(raw) == 0 || raw[0] != '{' { // an element without members is a text
		return err
	}
	return json.Unmarshal(raw, v)
}

// fragment is the only element at path of an XML answer, as JSON; nil = there is none.
func fragment(rep *saas.Reply, path string) (raw json.RawMessage, err error) {
	for row, err := range rep.XML(path) {
		if err != nil {
			return nil, err
		}
		raw = row
	}
	return raw, nil
}
