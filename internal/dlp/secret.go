package dlp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
)

const (
	lenAWS    = 20
	minJWT    = 3 + minHeader + minClaims + minSign - 1 // two dots and the parts
	minHeader = 14                                      // {"alg":"x"} has 11 bytes
	minClaims = 4
	minSign   = 16
	maxHeader = 1 << 10
	maxJWT    = 16 << 10
)

// prefixesAWS begin the ids of long-lived and temporary keys, bearer tokens and context-specific credentials.
var prefixesAWS = [...]string{"AKIA", "ASIA", "ABIA", "ACCA"}

// awsKey looks at a token of 20: a prefix and 16 characters of base 32, which hold the number of an account since 2019.
func (s *scanner) awsKey(i, end int) {
	b := s.text[i:end]
	known := false
	for _, p := range prefixesAWS {
		known = known || string(b[:4]) == p
	}
	if !known || bytes.HasSuffix(b, []byte("EXAMPLE")) { // as the vendor's own documents write it
		return
	}
	var seen, bits uint64
	for k, c := range b[4:] {
		var v uint64
		switch {
		case class[c] == upper:
			v = uint64(c - 'A')
		case c >= '2' && c <= '7':
			v = uint64(c-'2') + 26
		default:
			return
		}
		seen |= 1 << v
		if k < 10 {
			bits = bits<<5 | v
		}
	}
	if few(seen, 5) {
		return // a row of crosses
	}
	account := bits >> 9 & (1<<40 - 1) // of 50 bits, those after the first
	s.claim(awsKey, i, end, account < 1e12, false)
}

// few says whether fewer than n bits are set.
func few(bits uint64, n int) bool {
	for ; bits != 0 && n > 0; n-- {
		bits &= bits - 1
	}
	return n > 0
}

// jwt looks for three parts in base64url joined by dots, of which the first is a JSON object that names an algorithm (RFC
// 7519).
func (s *scanner) jwt(i int) {
	if i > 1 && s.text[i-1] == '-' && class[s.text[i-2]]&inWord != 0 {
		return // in the middle of a part
	}
	b := s.text[i:min(len(s.text), i+maxJWT)]
	head := part(b[:min(len(b), maxHeader+1)])
	if head < minHeader || head > maxHeader || head >= len(b) || b[head] != '.' || !bytes.HasPrefix(b[head+1:], []byte("eyJ")) {
		return
	}
	claims := head + 1 + part(b[head+1:])
	if claims >= len(b) || b[claims] != '.' {
		return
	}
	end := claims + 1 + part(b[claims+1:])
	if end-claims-1 < minSign {
		return
	}
	var header [maxHeader]byte
	n, err := base64.RawURLEncoding.Decode(header[:], b[:head])
	if err == nil && bytes.Contains(header[:n], []byte(`"alg"`)) && json.Valid(header[:n]) {
		s.claim(jwt, i, i+end, true, false)
	}
}

// part is the length of the base64url characters that b begins with.
func part(b []byte) int {
	n := 0
	for n < len(b) && (class[b[n]]&inWord != 0 || b[n] == '-') {
		n++
	}
	return n
}
