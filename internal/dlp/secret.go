package dlp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"hash/crc32"
)

const (
	minJWT    = 3 + minHeader + minClaims + minSign - 1 // two dots and the parts
	minHeader = 14                                      // {"alg":"x"} has 11 bytes
	minClaims = 4
	minSign   = 16
	maxHeader = 1 << 10
	maxJWT    = 16 << 10
)

// accountKey checks the 16 characters of base 32 behind the prefix of an access key's id: they hold the number of an account since 2019.
func accountKey(v []byte) verdict {
	if bytes.HasSuffix(v, []byte("EXAMPLE")) { // as the vendor's own documents write it
		return refused
	}
	var seen, bits uint64
	for k, c := range v[4:] {
		n := uint64(c - 'A')
		if class[c] == digit {
			n = uint64(c-'2') + 26
		}
		if seen |= 1 << n; k < 10 {
			bits = bits<<5 | n
		}
	}
	switch account := bits >> 9 & (1<<40 - 1); { // of 50 bits, those after the first
	case few(seen, 5):
		return refused // a row of crosses
	case account < 1e12:
		return holds
	}
	return plausible
}

// jwt looks for three parts in base64url joined by dots, of which the first is a JSON object that names an algorithm (RFC
// 7519).
func (s *scanner) jwt(kind uint8, i, _ int) {
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
		s.claim(kind, i, i+end, true, false)
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

const (
	minSlack   = 24
	maxSlack   = 512
	minPEM     = 80
	maxPEM     = 16 << 10
	minPEMLine = 32
	dashes     = "-----"
)

// varied says whether there are at least n different letters and digits: what stands for a secret in an example has few.
func varied(b []byte, n int) bool {
	var seen uint64
	for _, c := range b {
		switch class[c] {
		case digit:
			seen |= 1 << (c - '0')
		case upper:
			seen |= 1 << (c - 'A' + 10)
		case lower:
			seen |= 1 << (c - 'a' + 36)
		}
	}
	return !few(seen, n)
}

// summed checks the CRC-32 in base 62 that the last six characters are, of those behind the first underscore.
// https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
func summed(v []byte) verdict {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	v = v[bytes.IndexByte(v, '_')+1:]
	if !varied(v, minVaried) {
		return refused
	}
	sum := crc32.ChecksumIEEE(v[:len(v)-6])
	for k := len(v) - 1; k >= len(v)-6; k-- {
		if v[k] != alphabet[sum%62] {
			return plausible
		}
		sum /= 62
	}
	return holds
}

// slack looks for a prefix and groups of letters and digits between hyphens: a version or numbers, at last the secret.
func (s *scanner) slack(kind uint8, i, end int) {
	if end-i != 4 {
		return
	}
	b := s.text[i:min(len(s.text), i+maxSlack)]
	if lead := string(b[:4]); lead != "xapp" && (lead[:3] != "xox" || bytes.IndexByte([]byte("abeoprs"), b[3]) < 0) {
		return
	}
	first, last, n := 0, 0, 0
	end = 4
	for end < len(b) && b[end] == '-' {
		k := end + 1
		for k < len(b) && class[b[k]]&(digit|letter) != 0 {
			k++
		}
		if k == end+1 {
			return
		}
		if n++; n == 1 {
			first = k
		}
		last, end = end+1, k
	}
	if n < 2 || n > 6 || end == maxSlack || !wordEnds(b, end) || end-last < 16 || !varied(b[last:end], 8) {
		return
	}
	for _, c := range b[5:first] {
		if class[c] != digit {
			return
		}
	}
	s.claim(kind, i, i+end, true, false)
}

// privateKey looks for a private key in PEM (RFC 7468) around the word BEGIN: a label, lines in base64, the end of the same
// label.
func (s *scanner) privateKey(kind uint8, i, end int) {
	start := i - len(dashes)
	if end-i != len("BEGIN") || start < 0 || string(s.text[start:i]) != dashes {
		return
	}
	b := s.text[i:min(len(s.text), i+maxPEM)]
	head := bytes.Index(b[:min(len(b), 64)], []byte(dashes))
	if head < 0 {
		return
	}
	label := b[len("BEGIN"):head]
	if !bytes.HasSuffix(label, []byte(" PRIVATE KEY")) {
		return
	}
	body := b[head+len(dashes):]
	foot := bytes.Index(body, []byte(dashes))
	if foot < 0 {
		return
	}
	tail := []byte("END" + string(label) + dashes)
	if !bytes.HasPrefix(body[foot+len(dashes):], tail) || !line(body[:foot]) {
		return
	}
	s.claim(kind, start, i+head+len(dashes)+foot+len(dashes)+len(tail), true, false)
}

// line says whether a line in base64 is among the text.
func line(b []byte) bool {
	for i := 0; i < len(b); i++ {
		k := i
		for k < len(b) && (class[b[k]]&(digit|letter) != 0 || b[k] == '+' || b[k] == '/') {
			k++
		}
		if k-i >= minPEMLine && varied(b[i:k], 12) {
			return true
		}
		i = k
	}
	return false
}
