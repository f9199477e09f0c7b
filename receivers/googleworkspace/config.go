package googleworkspace

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/longshore-dev/longshore/internal/saas"
)

// Config is what a googleworkspace receiver takes beside the keys that every receiver has. The endpoint is the base of the Admin
// SDK, by default https://admin.googleapis.com; one that is not Google's is believed to have every API.
type Config struct {
	// Auth is how the agent signs in.
	Auth Auth `mapstructure:"auth"`
	// URLs are the bases of the other APIs.
	URLs URLs `mapstructure:"urls"`
	// Applications are those whose activity is read. Default: login, saml, user_accounts, drive, chat, meet, calendar, token,
	// takeout, admin, groups_enterprise, rules, context_aware_access, access_evaluation. Example: [login, admin, drive].
	Applications []string `mapstructure:"applications"`
	// TokenActivity also reads every call that an app makes with a token: many times all else. Default false.
	TokenActivity bool `mapstructure:"token_activity"`
	// Files says how files are read.
	Files Files `mapstructure:"files"`
	// QuarantineDrive is the id of the shared drive that files in quarantine are moved to; the administrator of auth.admin manages
	// it. Default none: no file can be quarantined.
	QuarantineDrive string `mapstructure:"quarantine_drive"`
	// Labels gives the value of a label of Google Drive for the name of a label in a policy, as <label>/<field>/<choice>, or as
	// <label> alone for one without fields. Default none: policies name them so themselves.
	// Example: {Confidential: ZDN3…/7A1F…/3C2B…}.
	Labels map[string]string `mapstructure:"labels"`
}

// Auth is a service account that an administrator gave the delegation of the domain.
type Auth struct {
	// Key is the service account's key as Google gives it for download, or the configuration of a workload identity (JSON of
	// type external_account), which needs no key. Either this or key_file.
	Key configopaque.String `mapstructure:"key"`
	// KeyFile is the path of that JSON.
	KeyFile string `mapstructure:"key_file"`
	// ServiceAccount is the address of the service account to be, where the JSON does not name one.
	ServiceAccount string `mapstructure:"service_account"`
	// Admin is the address of the administrator on whose behalf all is read that is no user's own. No default.
	Admin string `mapstructure:"admin"`
	// CustomerID is the customer (C0…); needed only to read for a customer that is not the administrator's own. Default: his.
	CustomerID string `mapstructure:"customer_id"`
}

// URLs are the bases of APIs beside the endpoint. The default of each is on the host of an endpoint that is not Google's own.
type URLs struct {
	// Drive is the base of Drive. Default https://www.googleapis.com.
	Drive string `mapstructure:"drive"`
	// Labels is the base of Drive Labels. Default https://drivelabels.googleapis.com.
	Labels string `mapstructure:"labels"`
	// Alerts is the base of the Alert Center. Default https://alertcenter.googleapis.com.
	Alerts string `mapstructure:"alerts"`
	// Token is where tokens are asked for. Default: as the key says, https://oauth2.googleapis.com/token.
	Token string `mapstructure:"token"`
	// Signer is the base of IAM Credentials, which signs where there is no key. Default https://iamcredentials.googleapis.com.
	Signer string `mapstructure:"signer"`
	// Exchange is where the token of a workload is exchanged. Default: as the JSON says, https://sts.googleapis.com/v1/token.
	Exchange string `mapstructure:"exchange"`
}

// Files says how files are read.
type Files struct {
	// ScanEvery is how often all files of a user or shared drive are listed. Default 12h.
	ScanEvery time.Duration `mapstructure:"scan_every"`
	// SkipTrash leaves out what lies in a trash. Default false.
	SkipTrash bool `mapstructure:"skip_trash"`
	// Follow are the addresses of users whose files are followed by their own feed of changes, beside the log of all that happens
	// in Drive. It costs quota: 100 units for each reading. Default none. Example: [ceo@contoso.example].
	Follow []string `mapstructure:"follow"`
	// FollowDrives follows shared drives so as well. Default false.
	FollowDrives bool `mapstructure:"follow_drives"`
}

// apps are the applications of the Reports API, by what they tell of. Those of other are not read unless asked for.
// https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities/list#ApplicationName
var apps = map[saas.Capability][]string{
	saas.LogOnActivity: {"login", "saml", "user_accounts"},
	saas.UserActivity:  {"drive", "chat", "meet", "calendar", "token", "takeout"},
	saas.AdminActivity: {"admin", "groups_enterprise", "rules", "context_aware_access", "access_evaluation"},
	"other": {"access_transparency", "admin_data_action", "chrome", "chrome_sync", "classroom", "cloud_search", "contacts",
		"data_migration", "data_studio", "directory_sync", "gcp", "gemini_in_workspace_apps", "gemini_notebook", "gmail", "groups", "keep",
		"ldap", "mobile", "profile", "tasks", "vault", "voice", "workspace_studio"},
}

// usual are the applications that are read by default.
func usual() []string {
	return slices.Concat(apps[saas.LogOnActivity], apps[saas.UserActivity], apps[saas.AdminActivity])
}

// Validate reports the first value that cannot work.
func (c *Config) Validate() error {
	all := slices.Sorted(slices.Values(slices.Concat(usual(), apps["other"])))
	for i, app := range c.Applications {
		if !slices.Contains(all, app) {
			return fmt.Errorf("applications: %q is no application of the Reports API, want some of %s", app, strings.Join(all, ", "))
		}
		if slices.Contains(c.Applications[:i], app) {
			return fmt.Errorf("applications: %q is listed twice", app)
		}
	}
	if c.Files.ScanEvery < time.Minute {
		return fmt.Errorf("files.scan_every: %v, want a minute or more, such as 12h", c.Files.ScanEvery)
	}
	for _, user := range c.Files.Follow {
		if !strings.Contains(user, "@") {
			return fmt.Errorf("files.follow: %q is no address of a user", user)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Labels)) {
		if _, err := readLabel(c.Labels[name]); err != nil || strings.TrimSpace(name) == "" {
			return fmt.Errorf("labels: %q: %q, want <label>, or <label>/<field>/<choice>", name, c.Labels[name])
		}
	}
	for _, u := range [...][2]string{{"drive", c.URLs.Drive}, {"labels", c.URLs.Labels}, {"alerts", c.URLs.Alerts}, {"token", c.URLs.Token},
		{"signer", c.URLs.Signer}, {"exchange", c.URLs.Exchange}} {
		if _, err := saas.BaseURL("urls."+u[0], u[1], publicBase); u[1] != "" && err != nil {
			return err
		}
	}
	switch a := c.Auth; {
	case a.Admin == "":
		return errors.New("auth.admin: empty, want the address of the administrator to act for")
	case !strings.Contains(a.Admin, "@"):
		return fmt.Errorf("auth.admin: %q is no address of an administrator", a.Admin)
	}
	_, err := c.Auth.read()
	return err
}

// readLabel reads <label>, or <label>/<field>/<choice>.
func readLabel(s string) (parts []string, err error) {
	parts = strings.Split(s, "/")
	if len(parts) != 1 && len(parts) != 3 || slices.Contains(parts, "") {
		return nil, fmt.Errorf("%q is neither <label> nor <label>/<field>/<choice>", s)
	}
	return parts, nil
}

const publicBase = "https://admin.googleapis.com"

// resolve gives the base of the Admin SDK, and the configuration with all URLs filled in.
func (c Config) resolve(endpoint string, k key) (string, *Config, error) {
	u, err := saas.BaseURL("endpoint", cmp.Or(endpoint, publicBase), publicBase)
	if err != nil {
		return "", nil, err
	}
	base := u.String()
	own := base == publicBase
	for to, path := range map[*string][2]string{
		&c.URLs.Drive: {"https://www.googleapis.com"}, &c.URLs.Labels: {"https://drivelabels.googleapis.com"},
		&c.URLs.Alerts: {"https://alertcenter.googleapis.com"}, &c.URLs.Signer: {"https://iamcredentials.googleapis.com"},
		&c.URLs.Token:    {cmp.Or(k.TokenURI, "https://oauth2.googleapis.com/token"), "/token"},
		&c.URLs.Exchange: {cmp.Or(k.TokenURL, "https://sts.googleapis.com/v1/token"), "/v1/token"},
	} {
		switch {
		case *to != "":
			*to = strings.TrimRight(*to, "/")
		case own:
			*to = path[0]
		default:
			*to = base + path[1]
		}
	}
	if len(c.Applications) == 0 {
		c.Applications = usual()
	}
	return base, &c, nil
}

// hosts are where requests and downloads may go beside the endpoint.
func (c *Config) hosts() []string {
	u := c.URLs
	return append(saas.HostsOf(u.Drive, u.Labels, u.Alerts, u.Signer, u.Token, u.Exchange), "*.googleusercontent.com")
}
