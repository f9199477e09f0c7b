package okta

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
)

// parseKey reads a private key in PEM: PKCS #8, PKCS #1 or SEC 1.
func parseKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block, want -----BEGIN PRIVATE KEY-----")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if key, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			if key, err = x509.ParseECPrivateKey(block.Bytes); err != nil {
				return nil, fmt.Errorf("a block of type %s that is no unencrypted RSA or EC private key", block.Type)
			}
		}
	}
	if s, ok := key.(crypto.Signer); ok && algorithms(s) != nil {
		return s, nil
	}
	return nil, fmt.Errorf("a key of type %T, want RSA, or EC on P-256, P-384 or P-521", key)
}

// algorithms lists what a key can sign with, the default first; nil for a kind of key that Okta does not take.
func algorithms(key crypto.Signer) []string {
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

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// signJWT makes a compact JWS of the claims.
func signJWT(rand io.Reader, key crypto.Signer, alg string, header, claims map[string]any) (string, error) {
	header["alg"] = alg
	head, err := json.Marshal(header)
	if err != nil {
		return "", fmt.Errorf("encode header of a JWT: %w", err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims of a JWT: %w", err)
	}
	text := base64url(head) + "." + base64url(body)
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	h := hash.New()
	h.Write([]byte(text))
	sum := h.Sum(nil)
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		sig, err := key.Sign(rand, sum, hash)
		return text + "." + base64url(sig), err
	}
	r, s, err := ecdsa.Sign(rand, ec, sum)
	if err != nil {
		return "", fmt.Errorf("sign JWT with %s: %w", alg, err)
	}
	size := (ec.Curve.Params().BitSize + 7) / 8
	sig := make([]byte, 2*size)
	r.FillBytes(sig[:size])
	s.FillBytes(sig[size:])
	return text + "." + base64url(sig), nil
}

// publicJWK is the public half of a P-256 key, as a DPoP proof carries it.
func publicJWK(key *ecdsa.PrivateKey) (map[string]string, error) {
	pub, err := key.PublicKey.ECDH()
	if err != nil {
		return nil, fmt.Errorf("encode the key of DPoP proofs: %w", err)
	}
	point := pub.Bytes() // 4, X, Y
	return map[string]string{"kty": "EC", "crv": "P-256", "x": base64url(point[1:33]), "y": base64url(point[33:])}, nil
}
