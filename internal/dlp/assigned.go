package dlp

import "bytes"

const (
	minGeneric = 8
	maxGeneric = 200
	minSymbols = 16 // of what is called a key or a token
	minEntropy = 3.2
	maxName    = 32 // bytes of a name that count
)

// assigned looks at what is assigned at an equals sign or colon: to a name that says that it is a secret.
func (s *scanner) assigned(at int) {
	b := s.text
	end := at
	for end > 0 && at-end < 4 && (b[end-1] == ' ' || b[end-1] == '"' || b[end-1] == '\'' || b[end-1] == ':') {
		end--
	}
	if end < 2 || !nameEnds[pair(b[end-2]|0x20, b[end-1]|0x20)] {
		return
	}
	what := secretName(b[max(0, end-maxName):end])
	if what == 0 {
		return
	}
	start := skip(b, at+1, " =>\\", 4)
	quote := byte(0)
	if start < len(b) && (b[start] == '"' || b[start] == '\'' || b[start] == '`') {
		quote = b[start]
		start++
	}
	k := start
	for k < len(b) && k-start <= maxGeneric && ends(b[k], quote) {
		k++
	}
	if quote == 0 && k < len(b) && (b[k] == '(' || b[k] == '[') {
		return // a call
	}
	for quote == 0 && k > start && bytes.IndexByte([]byte(".,;:)\\"), b[k-1]) >= 0 {
		k--
	}
	s.secretValue(what, start, k, quote != 0)
}

// nameEnds are the last two letters of what secrets are called, and some others.
var nameEnds = func() (of [1 << 12]bool) {
	for _, end := range [...]string{"rd", "wd", "se", "et", "en", "ey", "ls"} {
		of[pair(end[0], end[1])] = true
	}
	return of
}()

// ends says whether a value goes on with c.
func ends(c, quote byte) bool {
	if quote != 0 {
		return c != quote && c >= ' ' && c != '\\'
	}
	return c > ' ' && c != '"' && c != '\'' && c != ',' && c != ';' && c != '(' && c != '[' && c != '<' && c != '&' && c != '`' && c < 0x7f
}

// fields looks at what stands alone in fields that are named as secrets.
func (s *scanner) fields(text []byte) {
	if s.spans.all == nil {
		if what := secretName(s.field.name); what != 0 {
			s.secretValue(what, 0, len(text), true)
		}
		return
	}
	for k, span := range s.spans.all {
		what, end := secretName(span.Name), len(text)
		if what == 0 {
			continue
		}
		if k+1 < len(s.spans.all) {
			end = s.spans.all[k+1].At
		}
		value := bytes.TrimRight(text[span.At:end], " ,;|\t\r\n\"'")
		start := span.At + len(value) - len(bytes.TrimLeft(value, " \"'"))
		s.secretValue(what, start, span.At+len(value), true)
	}
}

// What a name calls a secret.
const (
	calledPassword = 1
	calledKey      = 2
)

// secretName says what a name calls what it is given.
func secretName[T ~string | ~[]byte](name T) int {
	n := len(name)
	if n < 3 {
		return 0
	}
	switch name[n-1] | 0x20 {
	case 'd':
		if endsSo(name, "password") || endsSo(name, "passwd") || endsSo(name, "pwd") {
			return calledPassword
		}
	case 'e':
		if endsSo(name, "passphrase") {
			return calledPassword
		}
	case 't':
		if endsSo(name, "secret") {
			return calledKey
		}
	case 'n':
		if endsSo(name, "token") && !harmless(name[:n-len("token")]) {
			return calledKey
		}
	case 'y':
		for _, of := range [...]string{"apikey", "api_key", "secretkey", "secret_key", "accesskey", "access_key", "privatekey", "private_key",
			"authkey", "auth_key", "encryptionkey", "encryption_key", "signingkey", "signing_key", "masterkey", "master_key"} {
			if endsSo(name, of) {
				return calledKey
			}
		}
	case 's':
		if endsSo(name, "credentials") {
			return calledKey
		}
	}
	return 0
}

// harmless says whether a token of that name opens nothing: one that makes a request the same, leads to the next page, or is a hash.
func harmless[T ~string | ~[]byte](name T) bool {
	for _, of := range [...]string{"client", "client_", "next", "next_", "page", "page_", "continuation", "continuation_", "sync", "sync_",
		"delta", "delta_", "skip", "skip_", "hashed_", "hashed", "hash_", "cancellation", "change_", "change", "idempotency_"} {
		if endsSo(name, of) {
			return true
		}
	}
	return false
}

// endsSo says whether a name ends so, whatever the case of its letters.
func endsSo[T ~string | ~[]byte](name T, text string) bool {
	if len(name) < len(text) {
		return false
	}
	for i := range len(text) {
		if c := name[len(name)-len(text)+i]; c != text[i] && c|0x20 != text[i] {
			return false
		}
	}
	return true
}

// secretValue claims what a name calls a secret, if it looks like one: a key is long and random, a password is of several kinds of
// characters, and neither is a name, a call or a word that stands for one.
func (s *scanner) secretValue(what, i, end int, quoted bool) {
	v := s.text[i:end]
	if len(v) < minGeneric || len(v) > maxGeneric || placeholder(v) {
		return
	}
	of, symbols := uint8(0), 0
	for _, c := range v {
		of |= class[c] & (digit | letter)
		if class[c]&(digit|letter) == 0 {
			symbols++
		}
	}
	switch what {
	case calledKey:
		random := entropy(v)
		if len(v) < minSymbols || of&digit == 0 || of&letter == 0 || symbols > len(v)/4 || bytes.IndexByte(v, ' ') >= 0 ||
			random < minEntropy-0.4 || !varied(v, minVaried) {
			return
		}
		s.assign(i, end, random >= minEntropy)
	case calledPassword:
		kinds := 0
		for _, c := range [...]uint8{digit, upper, lower} {
			if of&c != 0 {
				kinds++
			}
		}
		if symbols > 0 {
			kinds++
		}
		if kinds < 2 || of&digit == 0 && (symbols == 0 || !quoted) || !varied(v, 5) || bytes.IndexByte(v, ' ') >= 0 {
			return
		}
		s.assign(i, end, kinds >= 3)
	}
}

func (s *scanner) assign(i, end int, sure bool) {
	conf := Low
	if sure {
		conf = Medium
	}
	s.claims = append(s.claims, Claim{Start: i, End: end, Confidence: conf, kind: generic, word: true})
}

// placeholders stand in examples and templates for a secret, or lead to one that is elsewhere.
var placeholders = [...]string{"example", "sample", "changeme", "change_me", "change-me", "your", "xxxx", "placeholder", "dummy",
	"redacted", "insert", "replace", "****", "....", "null", "none", "undefined", "process.env",
	"environ", "getenv", "secrets.", "vault:", "env:",
	"env.", "config.", "self.", "this.", "request.", "params.", "1234567", "abcdef", "password", "passwd", "secret", "<", "{{", "${", "$(",
	"%(",
	"#{", "//", "@{"}

func placeholder(v []byte) bool {
	if len(v) == 0 || v[0] == '$' || v[0] == '%' || v[0] == '{' || v[0] == '*' || !varied(v, 3) && len(v) > 3 {
		return true
	}
	var room [maxGeneric]byte
	low := room[:0]
	for _, c := range v[:min(len(v), maxGeneric)] {
		if class[c] == upper {
			c |= 0x20
		}
		low = append(low, c)
	}
	for _, p := range placeholders {
		if bytes.Contains(low, []byte(p)) {
			return true
		}
	}
	return false
}
