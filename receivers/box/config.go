package box

import (
	"cmp"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/longshore-dev/longshore/internal/saas"
)

const publicBase = "https://api.box.com/2.0"

// Config is what a box receiver takes beside the keys that every receiver has. The endpoint is the API's base, by default
// https://api.box.com/2.0.
type Config struct {
	// Auth is how the agent signs in to the enterprise.
	Auth Auth `mapstructure:"auth"`
	// URLs are the addresses beside the endpoint.
	URLs URLs `mapstructure:"urls"`
	// Files says how files are read.
	Files Files `mapstructure:"files"`
	// QuarantineFolder is the id of the folder that files in quarantine are moved to; the app's service account owns it.
	// Default: the folder "Longshore quarantine" of that account, made when it is needed first.
	QuarantineFolder string `mapstructure:"quarantine_folder"`
	// Labels gives the id of a sensitivity label for the name of a classification. Default none: the names are the labels.
	// Example: {Confidential: 8f1f2a4e-9d1b-4f63-9c3b-1d0a6b7c8d9e}.
	Labels map[string]string `mapstructure:"labels"`
}

// Auth is a credential of the enterprise: an app with access to all of it.
type Auth struct {
	// Type is ccg (client credentials grant) or jwt. No default; config_file means jwt.
	Type string `mapstructure:"type"`
	// ClientID is the id of the app.
	ClientID string `mapstructure:"client_id"`
	// ClientSecret is the secret of the app.
	ClientSecret configopaque.String `mapstructure:"client_secret"`
	// EnterpriseID is the number of the enterprise, whose service account the agent then is.
	EnterpriseID string `mapstructure:"enterprise_id"`
	// UserID is the user to be instead of the service account: an administrator or co-administrator. Default none.
	UserID string `mapstructure:"user_id"`
	// KeyID is the id of the public key at the app, for type jwt.
	KeyID string `mapstructure:"key_id"`
	// PrivateKey is that key's private half in PEM, which may be encrypted. Either this or private_key_file.
	PrivateKey configopaque.String `mapstructure:"private_key"`
	// PrivateKeyFile is the path of that key.
	PrivateKeyFile string `mapstructure:"private_key_file"`
	// Passphrase opens an encrypted key.
	Passphrase configopaque.String `mapstructure:"passphrase"`
	// Algorithm signs the assertion: RS256, RS384 or RS512. Default RS256.
	Algorithm string `mapstructure:"algorithm"`
	// ConfigFile is the path of the app's settings as Box's console gives them for download. What is set beside it wins.
	ConfigFile string `mapstructure:"config_file"`
}

// URLs are addresses beside the endpoint. The default of each is on the host of an endpoint that is not Box's own.
type URLs struct {
	// Token is where tokens are asked for. Default https://api.box.com/oauth2/token.
	Token string `mapstructure:"token"`
	// Upload is the base of uploads. Default https://upload.box.com/api/2.0.
	Upload string `mapstructure:"upload"`
}

// Files says how files are read.
type Files struct {
	// ScanEvery is how often all files of a user are walked. Default 12h.
	ScanEvery time.Duration `mapstructure:"scan_every"`
	// SkipTrash leaves out what lies in a trash. Default false.
	SkipTrash bool `mapstructure:"skip_trash"`
}

// Validate reports the first value that cannot work.
func (c *Config) Validate() error {
	if c.Files.ScanEvery < time.Minute {
		return fmt.Errorf("files.scan_every: %v, want a minute or more, such as 12h", c.Files.ScanEvery)
	}
	if c.QuarantineFolder != "" && !number(c.QuarantineFolder) || c.QuarantineFolder == "0" {
		return fmt.Errorf("quarantine_folder: %q is no id of a folder, want its number, which is not 0", c.QuarantineFolder)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Labels)) {
		if id := c.Labels[name]; strings.TrimSpace(name) == "" || strings.TrimSpace(id) == "" {
			return fmt.Errorf("labels: %q: %q, want the name of a classification and the id of a label", name, id)
		}
	}
	for _, u := range [...][2]string{{"urls.token", c.URLs.Token}, {"urls.upload", c.URLs.Upload}} {
		if _, err := saas.BaseURL(u[0], u[1], publicBase); u[1] != "" && err != nil {
			return err
		}
	}
	a, err := c.Auth.filled()
	if err != nil {
		return err
	}
	return a.validate()
}

func (a *Auth) validate() error {
	switch {
	case a.Type != "ccg" && a.Type != "jwt":
		return fmt.Errorf("auth.type: %q, want ccg or jwt", a.Type)
	case a.ClientID == "":
		return errors.New("auth.client_id: empty, want the client id of the app")
	case a.ClientSecret == "":
		return errors.New("auth.client_secret: empty, want the client secret of the app")
	case a.EnterpriseID != "" && !number(a.EnterpriseID):
		return fmt.Errorf("auth.enterprise_id: %q is no id of an enterprise, want its number", a.EnterpriseID)
	case a.UserID != "" && !number(a.UserID):
		return fmt.Errorf("auth.user_id: %q is no id of a user, want a number", a.UserID)
	case a.UserID == "" && a.EnterpriseID == "":
		return errors.New("auth.enterprise_id: empty, want the number of the enterprise, or a user in user_id")
	}
	if a.Type == "ccg" {
		for _, k := range [...][2]string{{"config_file", a.ConfigFile}, {"key_id", a.KeyID}, {"private_key", string(a.PrivateKey)},
			{"private_key_file", a.PrivateKeyFile}, {"passphrase", string(a.Passphrase)}, {"algorithm", a.Algorithm}} {
			if k[1] != "" {
				return fmt.Errorf("auth.%s: set beside auth.type ccg, want one kind of credential", k[0])
			}
		}
		return nil
	}
	if a.KeyID == "" {
		return errors.New("auth.key_id: empty, want the id of the public key at the app")
	}
	_, err := a.signer()
	return err
}

// filled is the credential with what config_file says.
func (a Auth) filled() (Auth, error) {
	if a.ConfigFile == "" {
		return a, nil
	}
	text, err := os.ReadFile(a.ConfigFile)
	if err != nil {
		return a, fmt.Errorf("auth.config_file: read %q: %w", a.ConfigFile, err)
	}
	var f struct {
		EnterpriseID   string
		BoxAppSettings struct {
			ClientID, ClientSecret string
			AppAuth                struct{ PublicKeyID, PrivateKey, Passphrase string }
		}
	}
	if err := json.Unmarshal(text, &f); err != nil { // which quotes nothing of the text
		return a, fmt.Errorf("auth.config_file: %q is no JSON of an app's settings: %w", a.ConfigFile, err)
	}
	app := f.BoxAppSettings
	if app.ClientID == "" {
		return a, fmt.Errorf("auth.config_file: %q has no boxAppSettings.clientID, want the settings that Box gives for download", a.ConfigFile)
	}
	for to, from := range map[*string]string{&a.Type: "jwt", &a.ClientID: app.ClientID, &a.EnterpriseID: f.EnterpriseID,
		&a.KeyID: app.AppAuth.PublicKeyID} {
		if *to == "" {
			*to = from
		}
	}
	if a.ClientSecret == "" {
		a.ClientSecret = configopaque.String(app.ClientSecret)
	}
	if a.PrivateKey == "" && a.PrivateKeyFile == "" {
		a.PrivateKey = configopaque.String(app.AppAuth.PrivateKey)
	}
	if a.Passphrase == "" {
		a.Passphrase = configopaque.String(app.AppAuth.Passphrase)
	}
	return a, nil
}

// signer reads the private key and checks that the algorithm fits it.
func (a *Auth) signer() (crypto.Signer, error) {
	key, err := saas.ReadKey(string(a.PrivateKey), a.PrivateKeyFile, []byte(a.Passphrase), a.Algorithm)
	if err != nil {
		return nil, fmt.Errorf("auth.%w", err)
	}
	if fits := saas.Algorithms(key); !slices.Contains(fits, "RS256") {
		return nil, fmt.Errorf("auth.private_key: a key for %s, want RSA", strings.Join(fits, ", "))
	}
	return key, nil
}

// number says whether s is an id as Box makes them.
func number(s string) bool {
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}

// resolve gives the base of the API, and the configuration with all URLs and the credential filled in. An endpoint that
// is not Box's own is believed to have everything.
func (c Config) resolve(endpoint string) (string, *Config, error) {
	base, err := saas.BaseURL("endpoint", cmp.Or(endpoint, publicBase), publicBase)
	if err != nil {
		return "", nil, err
	}
	token, upload := *base, *base
	token.Path, upload.Path = strings.TrimSuffix(base.Path, "/2.0")+"/oauth2/token", strings.TrimSuffix(base.Path, "/2.0")+"/api/2.0"
	if base.Host == "api.box.com" {
		upload.Host = "upload.box.com"
	}
	c.URLs = URLs{Token: cmp.Or(c.URLs.Token, token.String()), Upload: strings.TrimRight(cmp.Or(c.URLs.Upload, upload.String()), "/")}
	c.Auth, err = c.Auth.filled()
	return base.String(), &c, err
}
