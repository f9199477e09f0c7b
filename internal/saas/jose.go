package saas

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha256" // of the algorithms ending in 256
	_ "crypto/sha512" // of those in 384 and 512
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"

	"github.com/youmark/pkcs8"
)

// ParseKey reads a private key in PEM that can sign a JWT: PKCS #8, also encrypted with a passphrase, PKCS #1 or SEC 1.
func ParseKey(text, passphrase []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block, want -----BEGIN PRIVATE KEY-----")
	}
	key, err := parseBlock(block, passphrase)
	if err != nil {
		return nil, err
	}
	if s, ok := key.(crypto.Signer); ok && Algorithms(s) != nil {
		return s, nil
	}
	return nil, fmt.Errorf("a key of type %T, want RSA, or EC on P-256, P-384 or P-521", key)
}

func parseBlock(block *pem.Block, passphrase []byte) (any, error) {
	if block.Type == "ENCRYPTED PRIVATE KEY" {
		if len(passphrase) == 0 {
			return nil, errors.New("an encrypted key, and no passphrase")
		}
		key, err := pkcs8.ParsePKCS8PrivateKey(block.Bytes, passphrase)
		if err != nil {
			return nil, errors.New("an encrypted key that the passphrase does not open")
		}
		return key, nil
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	return nil, fmt.Errorf("a block of type %s that is no unencrypted RSA or EC private key", block.Type)
}

// Algorithms lists what a key can sign with, the default first; nil for a kind of key that no JWT is signed with.
func Algorithms(key crypto.Signer) []string {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return []string{"RS256", "RS384", "RS512"}
	case *ecdsa.PrivateKey:
		if alg, ok := map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[k.Curve.Params().BitSize]; ok {
			return []string{alg}
		}
	}
	return nil
}

// Base64URL is the encoding of JSON Web Tokens.
func Base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Nonce is 24 random characters, for the jti of an assertion or proof.
func Nonce(rand io.Reader) (string, error) {
	b := make([]byte, 18)
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	return Base64URL(b), nil
}

// SignJWT makes a compact JWS (RFC 7515) of the claims. alg is one of Algorithms(key); it is added to the header.
func SignJWT(rand io.Reader, key crypto.Signer, alg string, header, claims map[string]any) (string, error) {
	header["alg"] = alg
	head, err := json.Marshal(header)
	if err != nil {
		return "", fmt.Errorf("encode header of a JWT: %w", err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims of a JWT: %w", err)
	}
	text := Base64URL(head) + "." + Base64URL(body)
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	h := hash.New()
	h.Write([]byte(text))
	sum := h.Sum(nil)
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		sig, err := key.Sign(rand, sum, hash)
		return text + "." + Base64URL(sig), err
	}
	r, s, err := ecdsa.Sign(rand, ec, sum)
	if err != nil {
		return "", fmt.Errorf("sign JWT with %s: %w", alg, err)
	}
	size := (ec.Curve.Params().BitSize + 7) / 8
	sig := make([]byte, 2*size)
	r.FillBytes(sig[:size])
	s.FillBytes(sig[size:])
	return text + "." + Base64URL(sig), nil
}
