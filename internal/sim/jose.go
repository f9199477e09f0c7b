package sim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.SHA256
	_ "crypto/sha512" // for crypto.SHA384 and SHA512
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Signed is a JWT that was read; Verify says whether its signature holds.
type Signed struct {
	Header struct {
		Alg, Typ, Kid string
		Thumb         string `json:"x5t#S256"` // of the certificate, in place of kid
		JWK           *JWK
	}
	Claims    map[string]any
	body      string
	signature []byte
}

// JWK is a public key as RFC 7517 writes it.
type JWK struct {
	Kty string `json:"kty"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
	D   string `json:"d,omitempty"` // a private member: refused
}

// ReadJWT takes a JWT apart.
func ReadJWT(s string) (*Signed, error) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 || len(s) > 16<<10 {
		return nil, errors.New("read JWT: want three parts")
	}
	j := &Signed{body: parts[0] + "." + parts[1]}
	for i, into := range []any{&j.Header, &j.Claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return nil, fmt.Errorf("read JWT: %w", err)
		}
		if err := json.Unmarshal(b, into); err != nil {
			return nil, fmt.Errorf("read JWT: %w", err)
		}
	}
	var err error
	if j.signature, err = base64.RawURLEncoding.DecodeString(parts[2]); err != nil {
		return nil, fmt.Errorf("read JWT: %w", err)
	}
	return j, nil
}

// Text is a claim that is a string, or "".
func (j *Signed) Text(claim string) string {
	s, _ := j.Claims[claim].(string)
	return s
}

// Seconds is a claim that is a time in seconds since 1970, a number or its text; ok = it is there.
func (j *Signed) Seconds(claim string) (int64, bool) {
	switch v := j.Claims[claim].(type) {
	case float64:
		return int64(v), true
	case string: // as some clients write it, and vendors take
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	}
	return 0, false
}

// Verify checks the signature: RS256, RS384, RS512, PS256 and so on, ES256 and so on.
func (j *Signed) Verify(key crypto.PublicKey) error {
	hashes := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}
	alg := j.Header.Alg
	hash, ok := hashes[strings.TrimLeft(alg, "RPSE")]
	if !ok || len(alg) != 5 {
		return fmt.Errorf("verify JWT: algorithm %q", alg)
	}
	h := hash.New()
	h.Write([]byte(j.body))
	sum := h.Sum(nil)
	switch k := key.(type) {
	case *rsa.PublicKey:
		switch alg[:2] {
		case "RS":
			return rsa.VerifyPKCS1v15(k, hash, sum, j.signature)
		case "PS":
			return rsa.VerifyPSS(k, hash, sum, j.signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		return fmt.Errorf("verify JWT: algorithm %q with an RSA key", alg)
	case *ecdsa.PublicKey:
		bits := map[string]int{"ES256": 256, "ES384": 384, "ES512": 521}[alg]
		size := (k.Curve.Params().BitSize + 7) / 8
		if bits != k.Curve.Params().BitSize || len(j.signature) != 2*size {
			return fmt.Errorf("verify JWT: algorithm %q with a %s key", alg, k.Curve.Params().Name)
		}
		r, s := new(big.Int).SetBytes(j.signature[:size]), new(big.Int).SetBytes(j.signature[size:])
		if !ecdsa.Verify(k, sum, r, s) {
			return errors.New("verify JWT: the signature does not hold")
		}
		return nil
	}
	return fmt.Errorf("verify JWT: a key of type %T", key)
}

// Public is the key.
func (k *JWK) Public() (crypto.PublicKey, error) {
	raw := base64.RawURLEncoding.DecodeString
	if k.D != "" {
		return nil, errors.New("read JWK: it is a private key")
	}
	switch k.Kty {
	case "EC":
		curve, ok := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[k.Crv]
		x, err := raw(k.X)
		y, err2 := raw(k.Y)
		if !ok || err != nil || err2 != nil {
			return nil, fmt.Errorf("read JWK: curve %q, x %q, y %q", k.Crv, k.X, k.Y)
		}
		return ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{4}, x...), y...))
	case "RSA":
		n, err := raw(k.N)
		e, err2 := raw(k.E)
		if err != nil || err2 != nil || len(e) > 4 {
			return nil, fmt.Errorf("read JWK: n %q, e %q", k.N, k.E)
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, nil
	}
	return nil, fmt.Errorf("read JWK: kind %q", k.Kty)
}

// Thumbprint identifies the key (RFC 7638).
func (k *JWK) Thumbprint() string {
	text := fmt.Sprintf(`{"e":"%s","kty":"%s","n":"%s"}`, k.E, k.Kty, k.N)
	if k.Kty == "EC" {
		text = fmt.Sprintf(`{"crv":"%s","kty":"%s","x":"%s","y":"%s"}`, k.Crv, k.Kty, k.X, k.Y)
	}
	h := crypto.SHA256.New()
	h.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
