package sim

import (
	"crypto"
	"encoding/json"
	"encoding/pem"
	"testing"

	"github.com/youmark/pkcs8"
)

func TestRawIsWrittenAsItIs(t *testing.T) {
	if got := string(Raw(Raw(nil, nil), []byte(`{"a":1}`))); got != `null{"a":1}` {
		t.Error(got)
	}
}

func TestTextIsWrittenAsJSON(t *testing.T) {
	f := func(s string) {
		t.Helper()
		var got struct{ A, B *string }
		b := Field(Text([]byte(`{"a":`), s), "b", s)
		if err := json.Unmarshal(append(b, '}'), &got); err != nil || *got.A != s || (s == "") != (got.B == nil) || s != "" && *got.B != s {
			t.Errorf("%q became %s: %v", s, b, err)
		}
	}
	f("")
	f("plain")
	f("\"quoted\" \\ back\x00\x1f\n\t")
	f("Ünï 健太 👩‍👩‍👧 \u2028")
}

func TestKeysAreWrittenForTheirPassphrase(t *testing.T) {
	key := newKey(t)
	f := func(passphrase, kind string) {
		t.Helper()
		text, err := KeyPEM(key, passphrase)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode([]byte(text))
		if block == nil || block.Type != kind {
			t.Fatalf("not a %s", kind)
		}
		got, err := pkcs8.ParsePKCS8PrivateKey(block.Bytes, []byte(passphrase))
		if same, ok := got.(interface{ Equal(crypto.PrivateKey) bool }); err != nil || !ok || !same.Equal(key) {
			t.Errorf("read back as %T: %v", got, err)
		}
		if _, err := pkcs8.ParsePKCS8PrivateKey(block.Bytes, []byte("wrong")); err == nil && passphrase != "" {
			t.Error("a wrong passphrase opens it")
		}
	}
	f("", "PRIVATE KEY")
	f("secret", "ENCRYPTED PRIVATE KEY")
}
