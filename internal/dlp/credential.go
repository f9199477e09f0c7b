package dlp

import (
	"bytes"
	"encoding/base64"
	"math"
	"math/bits"
)

// What secrets without a prefix of their own look like.
const (
	lenAWSSecret   = 40
	minAzureClient = 37
	minSAS         = 43
	maxSAS         = 132
	lenDevOps      = 84
	lenOldDevOps   = 52
	minBasic       = 8
	maxBasic       = 512
	minConnection  = 16
	aside          = 256 // bytes around a part of a URL or connection string that tell what it is
)

// awsSecret looks behind the name of a secret access key, or the id of one, for its 40 characters of base 64.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
func (s *scanner) awsSecret(kind uint8, i, end int) {
	b := s.text[:min(len(s.text), end+64)]
	for k := end; k < len(b); k++ {
		if !secretChar(b[k]) {
			continue
		}
		n := k
		for n < len(b) && secretChar(b[n]) {
			n++
		}
		if n-k == lenAWSSecret && (n == len(s.text) || s.text[n] != '=' && !secretChar(s.text[n])) {
			if v := b[k:n]; entropy(v) > 4.2 && mixed(v) == digit|letter {
				s.claim(kind, k, n, true, false)
			}
			return
		}
		k = n
	}
}

func secretChar(c byte) bool { return class[c]&(digit|letter) != 0 || c == '+' || c == '/' }

// mixed is the classes of the letters and digits of a value.
func mixed(v []byte) (of uint8) {
	for _, c := range v {
		of |= class[c] & (digit | letter)
	}
	return of
}

// entropy is that of Shannon, in bits a character.
func entropy(v []byte) (sum float64) {
	var count [256]int
	for _, c := range v {
		count[c]++
	}
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(v))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

// azureClient looks around a tilde: three characters, a digit, Q~ and 31 to 34 characters.
// https://learn.microsoft.com/purview/sit-defn-azure-ad-client-secret
func (s *scanner) azureClient(at int) {
	b, i := s.text, at-5
	if i < 0 || b[at-1] != 'Q' || class[b[at-2]] != digit || i > 0 && class[b[i-1]]&inWord != 0 {
		return
	}
	for _, c := range b[i : i+3] {
		if class[c]&inWord == 0 {
			return
		}
	}
	end := at + 1
	for end < len(b) && (class[b[end]]&inWord != 0 || b[end] == '-' || b[end] == '.' || b[end] == '~') {
		end++
	}
	for end > at && b[end-1] == '.' { // of a sentence
		end--
	}
	if n := end - at - 1; n >= 31 && n <= 34 && varied(b[at+1:end], minVaried) {
		s.claim(azureClient, i, end, true, false)
	}
}

// sharedAccess looks at the signature of a URL that has a version and an end or permissions beside it.
// https://learn.microsoft.com/rest/api/storageservices/create-service-sas
func (s *scanner) sharedAccess(kind uint8, i, end int) {
	b := s.text
	if end-i != len("sig") {
		return
	}
	k := end + 1
	for k < len(b) && k-end <= maxSAS && (secretChar(b[k]) || b[k] == '%' || b[k] == '=') {
		k++
	}
	if n := k - end - 1; n < minSAS || n > maxSAS || !varied(b[end+1:k], 12) {
		return
	}
	around := b[max(0, i-2*aside):min(len(b), k+2*aside)]
	if bytes.Contains(around, []byte("sv=")) && (bytes.Contains(around, []byte("se=")) || bytes.Contains(around, []byte("si="))) {
		s.claim(kind, i, k, true, false)
	}
}

// devOps looks at a token of 84 characters with a signature in it, or of 52 in base 32, which needs a keyword.
// https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate
func (s *scanner) devOps(i, end int) {
	v := s.text[i:end]
	if bytes.IndexByte(v, '_') >= 0 || !varied(v, minVaried) {
		return
	}
	if len(v) == lenDevOps && string(v[76:80]) == "AZDO" {
		s.claim(azureDevOps, i, end, true, false)
	}
	if len(v) == lenOldDevOps && mixed(v) == lower|digit && !bytes.ContainsAny(v, "0189") {
		s.need(azureDevOps, i, end)
	}
}

// otherKey looks for a private key as PuTTY and OpenPGP write them.
// https://tartarus.org/~simon/putty-snapshots/htmldoc/AppendixC.html, RFC 9580 section 6.2
func (s *scanner) otherKey(kind uint8, i, end int) {
	b := s.text[i:min(len(s.text), i+maxPEM)]
	if string(s.text[i:end]) == "PuTTY" {
		lines := bytes.Index(b, []byte("Private-Lines:"))
		if !bytes.HasPrefix(b, []byte("PuTTY-User-Key-File-")) || lines < 0 {
			return
		}
		n := lines
		for n < len(b) && !bytes.HasPrefix(b[n:], []byte("Private-MAC:")) {
			n++
		}
		if line(b[lines:n]) {
			s.claim(kind, i, i+n, true, false)
		}
		return
	}
	const head, foot = "BEGIN PGP PRIVATE KEY BLOCK-----", "-----END PGP PRIVATE KEY BLOCK-----"
	if n := bytes.Index(b, []byte(foot)); n > 0 && bytes.HasPrefix(b, []byte(head)) && line(b[len(head):n]) {
		start := i
		for start > 0 && i-start < len(dashes) && s.text[start-1] == '-' {
			start--
		}
		s.claim(kind, start, i+n+len(foot), true, false)
	}
}

// httpAuth looks at the credentials of a header: RFC 7617's name and password, or a bearer's token (RFC 6750).
func (s *scanner) httpAuth(kind uint8, i, end int) {
	b := s.text[:min(len(s.text), end+maxBasic+32)]
	k := skip(b, end, ` "':=`+"\t\\", 8)
	scheme := k
	for k < len(b) && class[b[k]]&letter != 0 {
		k++
	}
	what := string(bytes.ToLower(b[scheme:k]))
	if what != "basic" && what != "bearer" && what != "token" {
		return
	}
	start := skip(b, k, " ", 2)
	for k = start; k < len(b) && (secretChar(b[k]) || bytes.IndexByte([]byte("-._~="), b[k]) >= 0); k++ {
	}
	v := b[start:k]
	if len(v) < minBasic || start == scheme+len(what) {
		return
	}
	if what == "basic" {
		pair, err := base64.StdEncoding.AppendDecode(nil, v)
		if name, password, ok := bytes.Cut(pair, []byte(":")); err != nil || !ok || len(name) == 0 || placeholder(password) {
			return
		}
	} else if len(v) < 2*minBasic || !varied(v, minVaried) || mixed(v)&digit == 0 || placeholder(v) {
		return
	}
	s.claim(kind, start, k, true, false)
}

// skip passes at most n of some characters.
func skip(b []byte, i int, of string, n int) int {
	for k := 0; k < n && i < len(b) && bytes.IndexByte([]byte(of), b[i]) >= 0; k++ {
		i++
	}
	return i
}

// login looks before an @ for the name and the password of a URL.
func (s *scanner) login(at int) {
	b := s.text
	i := at
	for i > 0 && at-i < aside && b[i-1] > ' ' && b[i-1] < 0x7f && b[i-1] != '/' && b[i-1] != '@' && b[i-1] != '"' && b[i-1] != '\'' {
		i--
	}
	if i < 4 || string(b[i-3:i]) != "://" {
		return
	}
	name, password, ok := bytes.Cut(b[i:at], []byte(":"))
	if !ok || len(password) < 3 || len(name) > 64 || placeholder(password) || at+1 >= len(b) || class[b[at+1]]&inWord == 0 && b[at+1] != '[' {
		return
	}
	start := i - len("://")
	for start > 0 && (class[b[start-1]]&(digit|letter) != 0 || b[start-1] == '+') && i-start < 24 {
		start--
	}
	if start < i-len("://") {
		s.claim(connection, start, at, true, false)
	}
}

// password looks at one in a connection string: beside a server and before the next semicolon.
// https://learn.microsoft.com/dotnet/framework/data/adonet/connection-string-syntax
func (s *scanner) password(kind uint8, i, end int) {
	b := s.text
	start := skip(b, end, " ", 1)
	if start >= len(b) || b[start] != '=' {
		return
	}
	start = skip(b, start+1, " ", 1)
	k := start
	for k < len(b) && k-start <= 128 && b[k] != ';' && b[k] != '"' && b[k] != '\'' && b[k] != '<' && b[k] >= ' ' {
		k++
	}
	before, after := bytes.ToLower(b[max(0, i-aside):i]), bytes.ToLower(b[k:min(len(b), k+aside)])
	if n := k - start; n < 3 || n > 128 || placeholder(b[start:k]) || !bytes.ContainsRune(before, ';') &&
		!bytes.HasPrefix(after, []byte(";")) {
		return
	}
	for _, word := range [...]string{"server=", "data source=", "host=", "initial catalog=", "database=", "addr=", "address=", "dsn="} {
		if bytes.Contains(before, []byte(word)) || bytes.Contains(after, []byte(word)) {
			s.claim(kind, i, k, true, false)
			return
		}
	}
}

// few says whether fewer than n bits are set.
func few(set uint64, n int) bool { return bits.OnesCount64(set) < n }
