package okta

import (
	"crypto/ecdsa"
	"fmt"

	"github.com/longshore-dev/longshore/internal/saas"
)

// publicJWK is the public half of a P-256 key, as a DPoP proof carries it.
func publicJWK(key *ecdsa.PrivateKey) (map[string]string, error) {
	pub, err := key.PublicKey.ECDH()
	if err != nil {
		return nil, fmt.Errorf("encode the key of DPoP proofs: %w", err)
	}
	point := pub.Bytes() // 4, X, Y
	return map[string]string{"kty": "EC", "crv": "P-256", "x": saas.Base64URL(point[1:33]), "y": saas.Base64URL(point[33:])}, nil
}
