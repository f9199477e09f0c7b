package box

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// keyFor is a new private key in PEM.
func keyFor(t *testing.T, passphrase string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text, err := sim.KeyPEM(key, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestErrorsNameTheKeyAndTheValue(t *testing.T) {
	key, locked := keyFor(t, ""), keyFor(t, "open sesame")
	ccg := Auth{Type: "ccg", ClientID: "app", ClientSecret: "hush", EnterpriseID: "123"}
	jwt := ccg
	jwt.Type, jwt.KeyID, jwt.PrivateKey = "jwt", "k1", configopaque.String(key)
	f := func(from Auth, change func(c *Config), want ...string) {
		t.Helper()
		c := Provider.Config().(*Config)
		c.Auth = from
		change(c)
		err := c.Validate()
		if len(want) == 0 {
			if err != nil {
				t.Error(err)
			}
			return
		}
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("error %v, want %q", err, w)
			}
		}
		for _, secret := range []string{"hush", "sesame", "PRIVATE KEY-----\nM"} {
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("a secret is in %v", err)
			}
		}
	}
	f(ccg, func(*Config) {})
	f(jwt, func(*Config) {})
	f(ccg, func(c *Config) { c.Auth.EnterpriseID, c.Auth.UserID = "", "11" })
	f(ccg, func(c *Config) { c.Auth.Type = "oauth" }, "auth.type", `"oauth"`, "ccg or jwt")
	f(ccg, func(c *Config) { c.Auth.ClientID = "" }, "auth.client_id")
	f(ccg, func(c *Config) { c.Auth.ClientSecret = "" }, "auth.client_secret")
	f(ccg, func(c *Config) { c.Auth.EnterpriseID = "acme" }, "auth.enterprise_id", `"acme"`)
	f(ccg, func(c *Config) { c.Auth.EnterpriseID = "" }, "auth.enterprise_id", "empty")
	f(ccg, func(c *Config) { c.Auth.UserID = "ana@contoso.example" }, "auth.user_id", `"ana@contoso.example"`)
	f(ccg, func(c *Config) { c.Auth.KeyID = "k1" }, "auth.key_id", "ccg")
	f(ccg, func(c *Config) { c.Auth.Passphrase = "sesame" }, "auth.passphrase", "ccg")
	f(jwt, func(c *Config) { c.Auth.KeyID = "" }, "auth.key_id")
	f(jwt, func(c *Config) { c.Auth.PrivateKey = "" }, "auth.private_key", "empty")
	f(jwt, func(c *Config) { c.Auth.PrivateKeyFile = "/nowhere.pem" }, "auth.private_key_file", "/nowhere.pem", "beside")
	f(jwt, func(c *Config) { c.Auth.PrivateKey, c.Auth.PrivateKeyFile = "", "/nowhere.pem" }, "auth.private_key_file", "/nowhere.pem")
	f(jwt, func(c *Config) { c.Auth.PrivateKey = configopaque.String(locked) }, "auth.private_key", "passphrase")
	f(jwt, func(c *Config) { c.Auth.PrivateKey, c.Auth.Passphrase = configopaque.String(locked), "open wheat" },
		"auth.private_key", "does not open")
	f(jwt, func(c *Config) { c.Auth.PrivateKey, c.Auth.Passphrase = configopaque.String(locked), "open sesame" })
	f(jwt, func(c *Config) { c.Auth.Algorithm = "ES256" }, "auth.algorithm", `"ES256"`)
	f(ccg, func(c *Config) { c.Files.ScanEvery = time.Second }, "files.scan_every", "1s")
	f(ccg, func(c *Config) { c.QuarantineFolder = "Quarantine" }, "quarantine_folder", `"Quarantine"`)
	f(ccg, func(c *Config) { c.QuarantineFolder = "0" }, "quarantine_folder", `"0"`)
	f(ccg, func(c *Config) { c.Labels = map[string]string{"Secret": " "} }, "labels", `"Secret"`)
	f(ccg, func(c *Config) { c.URLs.Token = "api.box.com/oauth2/token" }, "urls.token", `"api.box.com/oauth2/token"`)
	f(ccg, func(c *Config) { c.URLs.Upload = "ftp://upload.box.com" }, "urls.upload", `"ftp://upload.box.com"`)
}

func TestTheAppsOwnSettingsAreTaken(t *testing.T) {
	locked := keyFor(t, "open sesame")
	name := filepath.Join(t.TempDir(), "box.json")
	write := func(v any) {
		b, err := json.Marshal(v)
		if err == nil {
			err = os.WriteFile(name, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write(obj{"enterpriseID": "123", "boxAppSettings": obj{"clientID": "app", "clientSecret": "hush", "appAuth": obj{"publicKeyID": "k1",
		"privateKey": locked, "passphrase": "open sesame"}}})
	a, err := Auth{ConfigFile: name, EnterpriseID: "456"}.filled()
	if err != nil || a.validate() != nil || a.Type != "jwt" || a.ClientID != "app" || a.ClientSecret != "hush" || a.KeyID != "k1" ||
		a.EnterpriseID != "456" {
		t.Errorf("%+v, %v, %v", a, err, a.validate())
	}
	c := Provider.Config().(*Config)
	c.Auth = Auth{ConfigFile: name}
	if inst, err := open(c, saas.Setup{Share: 1}); err != nil || inst.Base != publicBase || c.Auth.ClientID != "" {
		t.Errorf("%v: %+v", err, c.Auth)
	}
	f := func(v any, want string) {
		t.Helper()
		write(v)
		err := c.Validate()
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "hush") {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	f("hush", "no JSON")
	f(obj{"boxAppSettings": obj{"clientSecret": "hush"}}, "no boxAppSettings.clientID")
	c.Auth.ConfigFile = name + ".none"
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "auth.config_file") || !strings.Contains(err.Error(), name) {
		t.Errorf("error %v", err)
	}
}

func TestAddressesFollowTheEndpoint(t *testing.T) {
	f := func(endpoint string, u URLs, base, token, upload string) {
		t.Helper()
		got, c, err := Config{URLs: u}.resolve(endpoint)
		if err != nil || got != base || c.URLs != (URLs{Token: token, Upload: upload}) {
			t.Errorf("%s: %s %+v %v", endpoint, got, c, err)
		}
	}
	const boxToken, boxUpload = "https://api.box.com/oauth2/token", "https://upload.box.com/api/2.0"
	f("", URLs{}, "https://api.box.com/2.0", boxToken, boxUpload)
	f("https://api.box.com/2.0/", URLs{}, "https://api.box.com/2.0", boxToken, boxUpload)
	f("https://box.proxy.example/box/2.0", URLs{}, "https://box.proxy.example/box/2.0", "https://box.proxy.example/box/oauth2/token",
		"https://box.proxy.example/box/api/2.0")
	f("http://127.0.0.1:4010", URLs{}, "http://127.0.0.1:4010", "http://127.0.0.1:4010/oauth2/token", "http://127.0.0.1:4010/api/2.0")
	f("http://127.0.0.1:4010", URLs{Token: "http://127.0.0.1:1/t", Upload: "http://127.0.0.1:2/"}, "http://127.0.0.1:4010",
		"http://127.0.0.1:1/t", "http://127.0.0.1:2")
	for _, bad := range []string{"api.box.com", "ftp://api.box.com", "https://api.box.com/2.0?x=1", "https://u:p@api.box.com", "https://"} {
		if _, _, err := (Config{}).resolve(bad); err == nil || !strings.Contains(err.Error(), "endpoint") {
			t.Errorf("%s: error %v", bad, err)
		}
	}
}
