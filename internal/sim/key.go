package sim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"sync"

	"github.com/youmark/pkcs8"
)

// RSAKey is the key of every fake's app: to make one takes long.
var RSAKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// KeyPEM is a private key as PKCS #8 in PEM, encrypted where there is a passphrase.
func KeyPEM(key crypto.Signer, passphrase string) (string, error) {
	block := &pem.Block{Type: "PRIVATE KEY"}
	var err error
	if passphrase == "" {
		block.Bytes, err = x509.MarshalPKCS8PrivateKey(key)
	} else {
		block.Type = "ENCRYPTED PRIVATE KEY"
		block.Bytes, err = pkcs8.MarshalPrivateKey(key, []byte(passphrase), nil)
	}
	if err != nil {
		return "", fmt.Errorf("encode the key of the fake: %w", err)
	}
	return string(pem.EncodeToMemory(block)), nil
}
