package saas_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/youmark/pkcs8"

	"github.com/longshore-dev/longshore/internal/saas"
)

// must is for what a test makes itself.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func inPEM(typ string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der})
}

func TestKeysAreReadInEveryFormVendorsHandOut(t *testing.T) {
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	ecKey := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	_, edKey := must2(ed25519.GenerateKey(rand.Reader))
	sealed := func(key any, pass string) []byte { return must(pkcs8.MarshalPrivateKey(key, []byte(pass), nil)) }
	f := func(name string, text []byte, pass string, want crypto.Signer, fault string) {
		t.Helper()
		got, err := saas.ParseKey(text, []byte(pass))
		switch {
		case fault != "":
			if err == nil || !strings.Contains(err.Error(), fault) {
				t.Errorf("%s: %v, want %q", name, err, fault)
			}
			if err != nil && pass != "" && strings.Contains(err.Error(), pass) {
				t.Errorf("%s: the error holds the passphrase", name)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case !got.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(want.Public()):
			t.Errorf("%s: another key", name)
		}
	}
	f("PKCS #8 of RSA", inPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(rsaKey))), "", rsaKey, "")
	f("PKCS #8 of EC", inPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ecKey))), "", ecKey, "")
	f("PKCS #1", inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), "", rsaKey, "")
	f("SEC 1", inPEM("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(ecKey))), "", ecKey, "")
	f("text around it", append([]byte("the key:\n"), inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))...), "", rsaKey, "")
	f("encrypted RSA", inPEM("ENCRYPTED PRIVATE KEY", sealed(rsaKey, "open sesame")), "open sesame", rsaKey, "")
	f("encrypted EC", inPEM("ENCRYPTED PRIVATE KEY", sealed(ecKey, "open sesame")), "open sesame", ecKey, "")

	locked := inPEM("ENCRYPTED PRIVATE KEY", sealed(rsaKey, "open sesame"))
	f("wrong passphrase", locked, "open wheat", nil, "that the passphrase does not open")
	f("no passphrase", locked, "", nil, "and no passphrase")
	f("broken and encrypted", inPEM("ENCRYPTED PRIVATE KEY", []byte("x")), "open sesame", nil, "that the passphrase does not open")
	f("nothing", nil, "", nil, "no PEM block")
	f("a public key", inPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(rsaKey.Public()))), "", nil, "a block of type PUBLIC KEY")
	f("of another kind", inPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(edKey))), "", nil, "a key of type ed25519.PrivateKey")
	f("of another curve", inPEM("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))))), "",
		nil, "want RSA, or EC on P-256, P-384 or P-521")
}

func must2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}

func TestAConfiguredKeyIsCheckedAgainstItsKeyAndAlgorithm(t *testing.T) {
	text := inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(must(rsa.GenerateKey(rand.Reader, 2048))))
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(key, file, alg, fault string) {
		t.Helper()
		k, err := saas.ReadKey(key, file, nil, alg)
		if fault == "" && (err != nil || k == nil) || fault != "" && (err == nil || !strings.HasPrefix(err.Error(), fault)) {
			t.Errorf("%v, want %q", err, fault)
		}
	}
	f(string(text), "", "", "")
	f("", file, "RS512", "")
	f("", file, "ES256", `algorithm: "ES256" does not fit the key, want one of RS256, RS384, RS512`)
	f(string(text), file, "", "private_key_file: ")
	f("", "", "", "private_key: empty")
	f("", file+"x", "", "private_key_file: read ")
	f("none", "", "", "private_key: no PEM block")
}

// The signature is checked with the standard library alone, as RFC 7515 says.
func TestAJWTIsSignedAsItsHeaderSays(t *testing.T) {
	f := func(alg string, key crypto.Signer) {
		t.Helper()
		if !slices.Contains(saas.Algorithms(key), alg) {
			t.Fatalf("%s does not fit %T", alg, key)
		}
		text, err := saas.SignJWT(rand.Reader, key, alg, map[string]any{"kid": "k1", "typ": "JWT"}, map[string]any{"sub": "é", "exp": 17})
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		parts := strings.Split(text, ".")
		if len(parts) != 3 {
			t.Fatalf("%s: %d parts", alg, len(parts))
		}
		var head, claims map[string]any
		for i, into := range []*map[string]any{&head, &claims} {
			if err := json.Unmarshal(must(base64.RawURLEncoding.DecodeString(parts[i])), into); err != nil {
				t.Errorf("%s: part %d: %v", alg, i, err)
			}
		}
		if head["alg"] != alg || head["kid"] != "k1" || head["typ"] != "JWT" || claims["sub"] != "é" || claims["exp"] != 17.0 {
			t.Errorf("%s: header %v, claims %v", alg, head, claims)
		}
		sig := must(base64.RawURLEncoding.DecodeString(parts[2]))
		valid := func(signed string) bool {
			var h crypto.Hash
			var sum []byte
			switch alg[2:] {
			case "256":
				s := sha256.Sum256([]byte(signed))
				h, sum = crypto.SHA256, s[:]
			case "384":
				s := sha512.Sum384([]byte(signed))
				h, sum = crypto.SHA384, s[:]
			default:
				s := sha512.Sum512([]byte(signed))
				h, sum = crypto.SHA512, s[:]
			}
			if pub, ok := key.Public().(*rsa.PublicKey); ok {
				return rsa.VerifyPKCS1v15(pub, h, sum, sig) == nil
			}
			size := map[string]int{"ES256": 32, "ES384": 48, "ES512": 66}[alg]
			return len(sig) == 2*size &&
				ecdsa.Verify(key.Public().(*ecdsa.PublicKey), sum, new(big.Int).SetBytes(sig[:size]), new(big.Int).SetBytes(sig[size:]))
		}
		if !valid(parts[0]+"."+parts[1]) || valid(parts[0]+"."+parts[1]+"A") {
			t.Errorf("%s: the signature does not hold, or holds for anything", alg)
		}
	}
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	for _, alg := range []string{"RS256", "RS384", "RS512"} {
		f(alg, rsaKey)
	}
	for range 8 { // of which some have a half with zeros in front
		f("ES256", must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)))
	}
	f("ES384", must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)))
	f("ES512", must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)))
}

func TestNoncesDifferAndFailWithTheirSource(t *testing.T) {
	a, b := must(saas.Nonce(rand.Reader)), must(saas.Nonce(rand.Reader))
	if a == b || len(a) != 24 || strings.Trim(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("%q and %q", a, b)
	}
	if _, err := saas.Nonce(strings.NewReader("short")); err == nil {
		t.Error("a nonce was made of too few random bytes")
	}
	_, err := saas.SignJWT(rand.Reader, must(rsa.GenerateKey(rand.Reader, 2048)), "RS256", map[string]any{"x": func() {}}, nil)
	if err == nil || !strings.Contains(err.Error(), "encode header") || errors.Unwrap(err) == nil {
		t.Errorf("a header that is no JSON was signed: %v", err)
	}
}
