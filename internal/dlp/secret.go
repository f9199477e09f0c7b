package dlp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"hash/crc32"
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

const (
	lenGitHub    = 40
	minSlack     = 24
	maxSlack     = 512
	lenGoogle    = 39
	prefixGoogle = "AIza"
	minPEM       = 80
	maxPEM       = 16 << 10
	minPEMLine   = 32
	dashes       = "-----"
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

// github looks at a token of 40: a prefix, 30 characters and their CRC-32 in base 62.
func (s *scanner) github(i, end int) {
	b := s.text[i:end]
	if bytes.IndexByte([]byte("pousr"), b[2]) < 0 || b[3] != '_' || bytes.IndexByte(b[4:], '_') >= 0 || !varied(b[4:], 8) {
		return
	}
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum, checked := crc32.ChecksumIEEE(b[4:lenGitHub-6]), true
	for k := lenGitHub - 1; k >= lenGitHub-6; k-- {
		checked = checked && b[k] == alphabet[sum%62]
		sum /= 62
	}
	s.claim(github, i, end, checked, false)
}

// slack looks for a prefix and groups of letters and digits between hyphens: a version or numbers, at last the secret.
func (s *scanner) slack(i int) {
	b := s.text[i:min(len(s.text), i+maxSlack)]
	if kind := string(b[:4]); kind != "xapp" && (kind[:3] != "xox" || bytes.IndexByte([]byte("abeoprs"), b[3]) < 0) {
		return
	}
	end, first, last, n := 4, 0, 0, 0
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
	s.claim(slack, i, i+end, true, false)
}

// google looks for a prefix and 35 characters in base64url. They have no check; the length and the variety tell.
func (s *scanner) google(i int) {
	end := i + lenGoogle
	if i > 1 && s.text[i-1] == '-' && class[s.text[i-2]]&inWord != 0 || end > len(s.text) {
		return // in the middle of base64url
	}
	b := s.text[i:]
	if part(b[:min(len(b), lenGoogle+1)]) == lenGoogle && varied(b[4:lenGoogle], 12) {
		s.claim(google, i, end, true, false)
	}
}

// privateKey looks for a private key in PEM (RFC 7468) around the word BEGIN: a label, lines in base64, the end of the same
// label.
func (s *scanner) privateKey(i int) {
	start := i - len(dashes)
	if start < 0 || string(s.text[start:i]) != dashes {
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
	end := []byte("END" + string(label) + dashes)
	if !bytes.HasPrefix(body[foot+len(dashes):], end) || !line(body[:foot]) {
		return
	}
	s.claim(privateKey, start, i+head+len(dashes)+foot+len(dashes)+len(end), true, false)
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
