package office365

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/longshore-dev/longshore/internal/saas"
)

// Config is what an office365 receiver takes beside the keys that every receiver has. The endpoint is left out for Microsoft's
// own clouds; one that is set is believed to have all APIs.
type Config struct {
	// Cloud is global, gcc, gcc_high, dod or china. Default global.
	Cloud string `mapstructure:"cloud"`
	// Auth is how the agent signs in to the tenant.
	Auth Auth `mapstructure:"auth"`
	// URLs are the addresses of single APIs.
	URLs URLs `mapstructure:"urls"`
	// Files says how files are read.
	Files Files `mapstructure:"files"`
	// Quarantine is where files in quarantine are moved to. Default none: files cannot be quarantined.
	Quarantine Quarantine `mapstructure:"quarantine"`
	// Licenses is how many users have a paid licence, which the quotas of files and of the directory depend on: those of files are five
	// times as large for 50000 as for fewer than 1000. Default 0: the smallest quotas.
	Licenses int `mapstructure:"licenses"`
}

// Auth is an app registration of the tenant, which acts as itself.
type Auth struct {
	// Type is certificate, secret or federated. No default. Recycle bins need a certificate.
	Type string `mapstructure:"type"`
	// TenantID is the id of the directory, a GUID.
	TenantID string `mapstructure:"tenant_id"`
	// ClientID is the id of the app.
	ClientID string `mapstructure:"client_id"`
	// ClientSecret is a secret of the app, for type secret.
	ClientSecret configopaque.String `mapstructure:"client_secret"`
	// Certificate is the app's certificate in PEM, for type certificate. Either this or certificate_file.
	Certificate string `mapstructure:"certificate"`
	// CertificateFile is the path of that certificate.
	CertificateFile string `mapstructure:"certificate_file"`
	// PrivateKey is the certificate's private key in PEM. Either this or private_key_file.
	PrivateKey configopaque.String `mapstructure:"private_key"`
	// PrivateKeyFile is the path of that key.
	PrivateKeyFile string `mapstructure:"private_key_file"`
	// Passphrase opens an encrypted key.
	Passphrase configopaque.String `mapstructure:"passphrase"`
	// TokenFile is the path of a token of a trusted issuer, read anew each time, for type federated.
	TokenFile string `mapstructure:"token_file"`
}

// URLs are addresses of single APIs, each below an endpoint that is set, else the cloud's.
type URLs struct {
	// Login gives tokens. Default https://login.microsoftonline.com.
	Login string `mapstructure:"login"`
	// Graph is Microsoft Graph without its version. Default https://graph.microsoft.com.
	Graph string `mapstructure:"graph"`
	// Manage is the Management Activity API. Default https://manage.office.com.
	Manage string `mapstructure:"manage"`
	// SharePoint stands for the host of every site. Default none: each site's own.
	SharePoint string `mapstructure:"sharepoint"`
}

// Files says how files are read.
type Files struct {
	// ScanEvery is how often a drive is listed whole; between, only what changed is asked for. Default 12h.
	ScanEvery time.Duration `mapstructure:"scan_every"`
	// SkipTrash leaves out what lies in recycle bins. Default false.
	SkipTrash bool `mapstructure:"skip_trash"`
}

// Quarantine is a folder that only administrators can look into.
type Quarantine struct {
	// DriveID is the id of its drive.
	DriveID string `mapstructure:"drive_id"`
	// FolderID is the id of the folder. Default root.
	FolderID string `mapstructure:"folder_id"`
}

// cloud is where Microsoft's APIs are for a kind of customer.
// https://learn.microsoft.com/graph/deployments, https://learn.microsoft.com/office/office-365-management-api/
type cloud struct {
	login, graph, manage string
	sharepoint           string // the domain of sites
	label                bool   // labels can be assigned
}

// clouds by name. Nobody documents where the feed of activity is in China.
var clouds = map[string]cloud{
	"global":   {"login.microsoftonline.com", "graph.microsoft.com", "manage.office.com", "sharepoint.com", true},
	"gcc":      {"login.microsoftonline.com", "graph.microsoft.com", "manage-gcc.office.com", "sharepoint.com", false},
	"gcc_high": {"login.microsoftonline.us", "graph.microsoft.us", "manage.office365.us", "sharepoint.us", false},
	"dod":      {"login.microsoftonline.us", "dod-graph.microsoft.us", "manage.protection.apps.mil", "sharepoint-mil.us", false},
	"china":    {"login.chinacloudapi.cn", "microsoftgraph.chinacloudapi.cn", "", "sharepoint.cn", false},
}

// Validate reports the first value that cannot work.
func (c *Config) Validate() error {
	if _, ok := clouds[c.Cloud]; !ok {
		return fmt.Errorf("cloud: %q, want one of %s", c.Cloud, strings.Join(slices.Sorted(maps.Keys(clouds)), ", "))
	}
	if c.Files.ScanEvery < time.Minute {
		return fmt.Errorf("files.scan_every: %v, want a minute or more, such as 12h", c.Files.ScanEvery)
	}
	if c.Licenses < 0 {
		return fmt.Errorf("licenses: %d, want how many there are", c.Licenses)
	}
	if c.Quarantine.DriveID == "" && c.Quarantine.FolderID != "" {
		return fmt.Errorf("quarantine.folder_id: %q without quarantine.drive_id, want both", c.Quarantine.FolderID)
	}
	for _, u := range [...][2]string{{"login", c.URLs.Login}, {"graph", c.URLs.Graph}, {"manage", c.URLs.Manage},
		{"sharepoint", c.URLs.SharePoint}} {
		if u[1] != "" {
			if _, err := saas.BaseURL("urls."+u[0], u[1], "https://graph.microsoft.com"); err != nil {
				return err
			}
		}
	}
	err := c.Auth.validate()
	return err
}

func (a *Auth) validate() error {
	switch {
	case !isGUID(a.TenantID):
		return fmt.Errorf("auth.tenant_id: %q is no id of a directory, want a GUID", a.TenantID)
	case !isGUID(a.ClientID):
		return fmt.Errorf("auth.client_id: %q is no id of an app, want a GUID", a.ClientID)
	}
	kinds := map[string][]string{"secret": {"client_secret"}, "federated": {"token_file"},
		"certificate": {"certificate", "certificate_file", "private_key", "private_key_file", "passphrase"}}
	of, ok := kinds[a.Type]
	if !ok {
		return fmt.Errorf("auth.type: %q, want certificate, secret or federated", a.Type)
	}
	for _, k := range [...][2]string{{"client_secret", string(a.ClientSecret)}, {"token_file", a.TokenFile}, {"certificate", a.Certificate},
		{"certificate_file", a.CertificateFile}, {"private_key", string(a.PrivateKey)}, {"private_key_file", a.PrivateKeyFile},
		{"passphrase", string(a.Passphrase)}} {
		switch own := slices.Contains(of, k[0]); {
		case k[1] != "" && !own:
			return fmt.Errorf("auth.%s: set beside auth.type %s, want one kind of credential", k[0], a.Type)
		case k[1] == "" && own && len(of) == 1:
			return fmt.Errorf("auth.%s: empty, want the one of the app", k[0])
		}
	}
	if a.Type != "certificate" {
		return nil
	}
	_, _, err := a.signer()
	return err
}

// signer reads the certificate and its private key, which must fit each other.
func (a *Auth) signer() (crypto.Signer, *x509.Certificate, error) {
	text, from := []byte(a.Certificate), "certificate"
	switch {
	case a.Certificate != "" && a.CertificateFile != "":
		return nil, nil, fmt.Errorf("auth.certificate_file: %q is set beside certificate, want one of them", a.CertificateFile)
	case a.CertificateFile != "":
		var err error
		if text, err = os.ReadFile(a.CertificateFile); err != nil {
			return nil, nil, fmt.Errorf("auth.certificate_file: read %q: %w", a.CertificateFile, err)
		}
		from = "certificate_file"
	}
	block, rest := pem.Decode(text)
	for block != nil && block.Type != "CERTIFICATE" { // the file may have the key too
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, nil, fmt.Errorf("auth.%s: no certificate in PEM, want -----BEGIN CERTIFICATE-----", from)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("auth.%s: %w", from, err)
	}
	key, err := saas.ReadKey(string(a.PrivateKey), a.PrivateKeyFile, []byte(a.Passphrase), "RS256")
	if err != nil {
		return nil, nil, fmt.Errorf("auth.%w", err)
	}
	if pub, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !pub.Equal(key.Public()) {
		return nil, nil, errors.New("auth.private_key: it is not the key of the certificate")
	}
	return key, cert, nil
}

// isGUID says whether s is an id as Microsoft makes them.
func isGUID(s string) bool {
	parts := strings.Split(s, "-")
	if len(s) != 36 || len(parts) != 5 || len(parts[0]) != 8 || len(parts[4]) != 12 {
		return false
	}
	return strings.Trim(strings.ReplaceAll(strings.ToLower(s), "-", ""), "0123456789abcdef") == ""
}

// resolve is the configuration with all URLs filled in, but for those of sites in Microsoft's clouds.
func (c Config) resolve(endpoint string) (*Config, error) {
	c.Cloud = cmp.Or(c.Cloud, "global")
	at, base := clouds[c.Cloud], ""
	if endpoint != "" {
		u, err := saas.BaseURL("endpoint", endpoint, "https://graph.microsoft.com")
		if err != nil {
			return nil, err
		}
		base = u.String()
		c.URLs.SharePoint = cmp.Or(c.URLs.SharePoint, base)
	}
	for _, u := range []struct {
		set  *string
		host string
	}{{&c.URLs.Login, at.login}, {&c.URLs.Graph, at.graph}, {&c.URLs.Manage, at.manage}} {
		if u.host != "" {
			u.host = "https://" + u.host
		}
		*u.set = strings.TrimRight(cmp.Or(*u.set, base, u.host), "/")
	}
	return &c, nil
}
