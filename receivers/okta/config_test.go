package okta

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/confmap"

	"github.com/longshore-dev/longshore/internal/saas"
)

// pemKeys are private keys in PEM, by kind.
func pemKeys(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	add := func(name, block string, der []byte, err error) {
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(pem.EncodeToMemory(&pem.Block{Type: block, Bytes: der}))
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	add("pkcs1", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(r), nil)
	for name, curve := range map[string]elliptic.Curve{"p224": elliptic.P224(), "p256": elliptic.P256(), "p384": elliptic.P384(),
		"p521": elliptic.P521()} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(k)
		add(name, "PRIVATE KEY", der, err)
		der, err = x509.MarshalECPrivateKey(k)
		add("sec1 "+name, "EC PRIVATE KEY", der, err)
	}
	_, e, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(e)
	add("ed25519", "PRIVATE KEY", der, err)
	add("public", "PUBLIC KEY", []byte{1, 2, 3}, nil)
	return out
}

// check reads and validates a configuration; keys are those below auth unless they begin with a slash.
func checkConfig(t *testing.T, keys map[string]any) error {
	t.Helper()
	auth, all := map[string]any{}, map[string]any{"storage": "none", "endpoint": "https://acme.okta.com", "auth": map[string]any{}}
	for k, v := range keys {
		if top, ok := strings.CutPrefix(k, "/"); ok {
			all[top] = v
		} else {
			auth[k] = v
		}
	}
	all["auth"] = auth
	cfg := NewFactory().CreateDefaultConfig().(*saas.Config)
	if err := cfg.Unmarshal(confmap.NewFromStringMap(all)); err != nil {
		return err
	}
	return cfg.Validate()
}

func TestMalformedConfigurationIsNamed(t *testing.T) {
	keys := pemKeys(t)
	f := func(want string, kv ...any) {
		t.Helper()
		in := map[string]any{}
		for i := 0; i < len(kv); i += 2 {
			in[kv[i].(string)] = kv[i+1]
		}
		err := checkConfig(t, in)
		if want == "" {
			if err != nil {
				t.Errorf("%v: %v", kv[0], err)
			}
			return
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "BEGIN ")) && want != "no PEM block" {
			t.Errorf("a secret is in %v", err)
		}
	}
	token := []any{"type", "token", "token", "00s3cret"}
	jwt := []any{"type", "private_key_jwt", "client_id", "0oa1"}
	with := func(base []any, more ...any) []any { return append(append([]any{}, base...), more...) }
	f("", token...)
	for _, kind := range []string{"pkcs1", "p256", "p384", "p521", "sec1 p256"} {
		f("", with(jwt, "private_key", keys[kind])...)
	}
	f(`auth.type: "", want token or private_key_jwt`, "token", "00s3cret")
	f(`auth.type: "basic", want token or private_key_jwt`, "type", "basic")
	f("auth.token: empty", "type", "token")
	f("auth.token: contains white space, want the token alone", "type", "token", "token", "SSWS 00s3cret")
	f("want one kind of credential", with(token, "client_id", "0oa1")...)
	f("want one kind of credential", with(jwt, "token", "00s3cret")...)
	f("auth.client_id: empty", "type", "private_key_jwt", "private_key", keys["p256"])
	f("auth.private_key: empty", jwt...)
	f("is set beside private_key", with(jwt, "private_key", keys["p256"], "private_key_file", "okta.pem")...)
	f(`auth.private_key_file: read "nowhere.pem"`, with(jwt, "private_key_file", "nowhere.pem")...)
	f("no PEM block", with(jwt, "private_key", "s3cret")...)
	f("a block of type PUBLIC KEY", with(jwt, "private_key", keys["public"])...)
	f("want RSA, or EC on P-256", with(jwt, "private_key", keys["ed25519"])...)
	f("want RSA, or EC on P-256", with(jwt, "private_key", keys["p224"])...)
	f(`auth.algorithm: "RS256" does not fit the key, want one of ES256`, with(jwt, "private_key", keys["p256"], "algorithm", "RS256")...)
	f(`auth.algorithm: "none" does not fit the key, want one of RS256, RS384, RS512`,
		with(jwt, "private_key", keys["pkcs1"], "algorithm", "none")...)
	f(`auth.governance: "suspend" is no action of okta, want all or some of`, with(token, "governance", []any{"suspend"})...)
	f("", with(token, "governance", []any{"suspend_user", "all"})...)
	f(`endpoint: "acme.okta.com" is no URL of an org`, with(token, "/endpoint", "acme.okta.com")...)
	f("has more than a host", with(token, "/endpoint", "https://acme.okta.com/api/v1")...)
	f("is the Admin Console, want https://acme.okta.com", with(token, "/endpoint", "https://acme-admin.okta.com")...)
	f("plain http", with(token, "/endpoint", "http://acme.okta.com")...)
	f(`endpoint: "" is no URL of an org`, with(token, "/endpoint", "")...)
	f(`unknown key "skip_builtin_group": did you mean "skip_builtin_groups"?`, with(token, "/skip_builtin_group", true)...)
	f(`did you mean "private_key"`, with(jwt, "privat_key", "s3cret")...)
	f(`did you mean "system_log"`, with(token, "/streams", map[string]any{"system_logs": map[string]any{"enabled": false}})...)
	f("", with(token, "/endpoint", "https://Acme.Okta.com/")...)
}

func TestKeyIsReadFromItsFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "okta.pem")
	if err := os.WriteFile(name, []byte(pemKeys(t)["p256"]), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := checkConfig(t, map[string]any{"type": "private_key_jwt", "client_id": "0oa1", "private_key_file": name}); err != nil {
		t.Error(err)
	}
}

func TestNoConfigurationMapsAndSendsNothing(t *testing.T) {
	inst, err := Provider.Open(Provider.Config(), saas.Setup{Offline: true, Share: 1})
	if err != nil || len(inst.Streams) == 0 {
		t.Fatalf("open without a credential: %v", err)
	}
	if _, err := Provider.Open(&struct{}{}, saas.Setup{}); err == nil {
		t.Error("another application's configuration was taken")
	}
}
