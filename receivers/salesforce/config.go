package salesforce

import (
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/infile"
)

const (
	production     = "https://login.salesforce.com"
	sandbox        = "https://test.salesforce.com"
	defaultVersion = "62.0"
	leastVersion   = 59 // of the API: the first with all that is read here
)

// Config is what a salesforce receiver takes beside the keys that every receiver has. The endpoint is where tokens are asked
// for: https://login.salesforce.com (the default), https://test.salesforce.com for a sandbox, or the org's My Domain.
// The API is where the token says.
type Config struct {
	// Auth is how the agent signs in to the org.
	Auth Auth `mapstructure:"auth"`
	// APIVersion is the version of the API, 59.0 or newer. Default 62.0.
	APIVersion string `mapstructure:"api_version"`
	// EventLog says which log files are read.
	EventLog EventLog `mapstructure:"event_log"`
	// Files says how files are read.
	Files Files `mapstructure:"files"`
	// QuarantineUser is the id of the user who owns what is in quarantine. Default none: the agent's own user.
	QuarantineUser string `mapstructure:"quarantine_user"`
	// InFileLabels is the id of the tenant of Microsoft Entra whose sensitivity labels apply_label writes into Word, Excel and
	// PowerPoint files themselves, each as a new version of the file. Default none: no label is written.
	// Example: cb46c030-1825-4e81-a295-151c039dbf02.
	InFileLabels string `mapstructure:"in_file_labels"`
	// Labels gives the id of a sensitivity label for the name of a label in a policy. Default none: policies name the ids.
	// Example: {Confidential: 2096f6a2-d2f7-48be-b329-b73aaa526e5d}.
	Labels map[string]string `mapstructure:"labels"`
	// URLs are the addresses beside the endpoint.
	URLs URLs `mapstructure:"urls"`
}

// Auth is a credential of the org: an external client app and the user whom it is for.
type Auth struct {
	// Type is jwt (JWT bearer) or client_credentials, which needs the org's My Domain as the endpoint. No default.
	Type string `mapstructure:"type"`
	// ClientID is the consumer key of the app.
	ClientID string `mapstructure:"client_id"`
	// ClientSecret is the consumer secret of the app, for type client_credentials.
	ClientSecret configopaque.String `mapstructure:"client_secret"`
	// Username is the user to be, for type jwt.
	Username string `mapstructure:"username"`
	// PrivateKey is the private half of the app's certificate in PEM, for type jwt. Either this or private_key_file.
	PrivateKey configopaque.String `mapstructure:"private_key"`
	// PrivateKeyFile is the path of that key.
	PrivateKeyFile string `mapstructure:"private_key_file"`
	// Passphrase opens an encrypted key.
	Passphrase configopaque.String `mapstructure:"passphrase"`
	// Audience is who the assertion is for. Default https://login.salesforce.com, of a sandbox https://test.salesforce.com.
	Audience string `mapstructure:"audience"`
}

// EventLog says which log files are read.
type EventLog struct {
	// Interval is hourly or daily: never both, which hold the same events. Hourly files need Event Monitoring.
	// Default hourly.
	Interval string `mapstructure:"interval"`
	// Types are the EventTypes to read. Default all.
	Types []string `mapstructure:"types"`
	// Except are EventTypes that are not read. Default none.
	Except []string `mapstructure:"except"`
}

// Files says how files are read.
type Files struct {
	// ScanEvery is how often all files are listed. Default 12h.
	ScanEvery time.Duration `mapstructure:"scan_every"`
	// SkipTrash leaves out what lies in the recycle bin. Default false.
	SkipTrash bool `mapstructure:"skip_trash"`
}

// URLs are addresses beside the endpoint.
type URLs struct {
	// Token is where tokens are asked for. Default /services/oauth2/token below the endpoint.
	Token string `mapstructure:"token"`
}

func defaults() *Config {
	return &Config{APIVersion: defaultVersion, EventLog: EventLog{Interval: "hourly"}, Files: Files{ScanEvery: 12 * time.Hour}}
}

// Validate reports the first value that cannot work.
func (c *Config) Validate() error {
	if v, err := strconv.ParseFloat(c.APIVersion, 64); err != nil || v < leastVersion {
		return fmt.Errorf("api_version: %q, want %d.0 or newer, such as %s", c.APIVersion, leastVersion, defaultVersion)
	}
	if !slices.Contains([]string{"hourly", "daily"}, c.EventLog.Interval) {
		return fmt.Errorf("event_log.interval: %q, want hourly or daily", c.EventLog.Interval)
	}
	for _, list := range [...][]string{c.EventLog.Types, c.EventLog.Except} {
		for _, t := range list {
			if !word(t) {
				return fmt.Errorf("event_log: %q is no EventType, want a name such as ReportExport", t)
			}
		}
	}
	if c.Files.ScanEvery < time.Minute {
		return fmt.Errorf("files.scan_every: %v, want a minute or more, such as 12h", c.Files.ScanEvery)
	}
	if q := c.QuarantineUser; q != "" && (!isID(q) || !strings.HasPrefix(q, "005")) {
		return fmt.Errorf("quarantine_user: %q is no id of a user, want one that begins with 005", q)
	}
	if err := infile.Validate(c.InFileLabels, c.Labels); err != nil {
		return err
	}
	if _, err := saas.BaseURL("urls.token", cmp.Or(c.URLs.Token, production), production); err != nil {
		return err
	}
	return c.Auth.validate()
}

func (a *Auth) validate() error {
	set := map[string]string{"client_secret": string(a.ClientSecret), "username": a.Username, "private_key": string(a.PrivateKey),
		"private_key_file": a.PrivateKeyFile, "passphrase": string(a.Passphrase), "audience": a.Audience}
	other := []string{"client_secret"}
	switch {
	case a.Type != "jwt" && a.Type != "client_credentials":
		return fmt.Errorf("auth.type: %q, want jwt or client_credentials", a.Type)
	case a.ClientID == "":
		return errors.New("auth.client_id: empty, want the consumer key of the app")
	case a.Type == "client_credentials":
		if a.ClientSecret == "" {
			return errors.New("auth.client_secret: empty, want the consumer secret of the app")
		}
		other = []string{"username", "private_key", "private_key_file", "passphrase", "audience"}
	case a.Username == "":
		return errors.New("auth.username: empty, want the user name that the app signs in as")
	default:
		if _, err := a.signer(); err != nil {
			return err
		}
	}
	for _, key := range other {
		if set[key] != "" {
			return fmt.Errorf("auth.%s: set beside auth.type %s, want one kind of credential", key, a.Type)
		}
	}
	return nil
}

// signer reads the private key, which Salesforce wants to be RSA.
func (a *Auth) signer() (crypto.Signer, error) {
	key, err := saas.ReadKey(string(a.PrivateKey), a.PrivateKeyFile, []byte(a.Passphrase), "RS256")
	if err != nil {
		return nil, fmt.Errorf("auth.%w", err)
	}
	return key, nil
}

// word says whether s is a name of an object or field, which may stand in a query as it is.
func word(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// resolve gives the base, and the configuration with all URLs filled in.
func (c Config) resolve(endpoint string) (string, *Config, error) {
	base, err := saas.BaseURL("endpoint", cmp.Or(endpoint, production), production)
	if err != nil {
		return "", nil, err
	}
	c.URLs.Token = cmp.Or(c.URLs.Token, base.String()+"/services/oauth2/token")
	if c.Auth.Audience == "" {
		c.Auth.Audience = production
		if strings.Contains(base.Host, ".sandbox.") || base.Host == strings.TrimPrefix(sandbox, "https://") {
			c.Auth.Audience = sandbox
		}
	}
	return base.String(), &c, nil
}
