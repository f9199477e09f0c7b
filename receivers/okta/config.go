package okta

import (
	"crypto"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/longshore-dev/longshore/internal/saas"
)

// Config is what an okta receiver takes beside the keys that every receiver has. The endpoint is the org:
// https://acme.okta.com or its custom domain.
type Config struct {
	// Auth is how the agent signs in to the org.
	Auth Auth `mapstructure:"auth"`
	// SkipBuiltinGroups leaves out the members of groups that Okta itself keeps, such as Everyone. Default false.
	SkipBuiltinGroups bool `mapstructure:"skip_builtin_groups"`
}

// Auth is a credential of the org.
type Auth struct {
	// Type is token (an API token) or private_key_jwt (an API Services app). No default.
	Type string `mapstructure:"type"`
	// Token is the API token, for type token. It has the rights of the administrator who made it.
	Token configopaque.String `mapstructure:"token"`
	// ClientID is the id of the app, for type private_key_jwt. Example: 0oa1abcd2EFGHIJK3l4.
	ClientID string `mapstructure:"client_id"`
	// PrivateKey is the app's private key in PEM: RSA, or EC on P-256, P-384 or P-521. Either this or private_key_file.
	PrivateKey configopaque.String `mapstructure:"private_key"`
	// PrivateKeyFile is the path of that key.
	PrivateKeyFile string `mapstructure:"private_key_file"`
	// KeyID is the kid of the public key at the app; it may be left out where the app has one key.
	KeyID string `mapstructure:"key_id"`
	// Algorithm signs the assertion: RS256, RS384, RS512, ES256, ES384 or ES512. Default: the key's, RS256 for RSA.
	Algorithm string `mapstructure:"algorithm"`
	// DPoP binds access tokens to a key of this process, as Okta asks of new apps. Default true. There is no silent way
	// back: an app that does not require it still gives bound tokens, and a token that is not bound is refused.
	DPoP bool `mapstructure:"dpop"`
	// Scopes are asked for instead of the default: every read scope the streams use. What the app was not granted is
	// left out, and the streams that need it are off.
	Scopes []string `mapstructure:"scopes"`
	// Governance lists the actions the agent may carry out, or all; their manage scopes are asked for as well.
	// Default none. Example: [suspend_user, revoke_sessions].
	Governance []string `mapstructure:"governance"`
}

// Validate reports the first value that cannot work.
func (c *Config) Validate() error {
	a := c.Auth
	for _, verb := range a.Governance {
		if _, ok := scopeOf(verb); !ok && verb != "all" {
			return fmt.Errorf("auth.governance: %q is no action of okta, want all or some of %s", verb, strings.Join(verbs(), ", "))
		}
	}
	switch a.Type {
	case "token":
		switch {
		case a.Token == "":
			return errors.New("auth.token: empty, want the API token")
		case strings.ContainsAny(string(a.Token), " \t\r\n"):
			return errors.New("auth.token: contains white space, want the token alone, without SSWS")
		case a.ClientID != "" || a.PrivateKey != "" || a.PrivateKeyFile != "":
			return errors.New("auth.client_id and private_key: set beside auth.type token, want one kind of credential")
		}
		return nil
	case "private_key_jwt":
		switch {
		case a.Token != "":
			return errors.New("auth.token: set beside auth.type private_key_jwt, want one kind of credential")
		case a.ClientID == "":
			return errors.New("auth.client_id: empty, want the client id of the app")
		}
		_, err := a.signer()
		return err
	}
	return fmt.Errorf("auth.type: %q, want token or private_key_jwt", a.Type)
}

// signer reads the private key and checks that the algorithm fits it.
func (a *Auth) signer() (crypto.Signer, error) {
	key, err := saas.ReadKey(string(a.PrivateKey), a.PrivateKeyFile, nil, a.Algorithm)
	if err != nil {
		return nil, fmt.Errorf("auth.%w", err)
	}
	return key, nil
}

// checkEndpoint gives the org's URL without a trailing slash.
func checkEndpoint(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", fmt.Errorf("endpoint: %q is no URL of an org, want https://<org>.okta.com", endpoint)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return "", fmt.Errorf("endpoint: %q has more than a host, want https://%s", u.Redacted(), u.Host)
	}
	if org, domain, _ := strings.Cut(u.Hostname(), "."); strings.HasSuffix(org, "-admin") && strings.HasPrefix(domain, "okta") {
		return "", fmt.Errorf("endpoint: %q is the Admin Console, want https://%s.%s", endpoint, strings.TrimSuffix(org, "-admin"), domain)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil // links in answers are in lower case
}
