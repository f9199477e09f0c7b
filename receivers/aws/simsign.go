package aws

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// simCred is an access key, or the temporary one of a session.
type simCred struct {
	id, secret, token string
	account           string
	arn, userID       string // of whom it is
	expires           time.Time
	user              *simUser // whose key it is; a session has none
	bound             bool     // it may assume roles and nothing else
}

const simMember = "LongshoreRead"

// credential is the collector's key, made when it is asked for the first time.
func (s *simCloud) credential() (id, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, secret = s.unique("AKIA", 20, 0)[:20], s.hex(21, 0, 40)
	if a := s.accounts[0]; s.keys[id] == nil {
		u := a.iam.users[0]
		s.keys[id] = &simCred{id: id, secret: secret, account: a.id, arn: u.arn, userID: u.id, bound: s.o.Variant == "role"}
	}
	if s.o.Variant == "wrong_key" {
		secret = "x" + secret[1:]
	}
	return id, secret
}

// simScope is what the Authorization header says.
type simScope struct {
	key, day, region, service string
	signed                    []string
	signature                 string
}

func simAuthorization(r *http.Request) (sc simScope, ok bool) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	for part := range strings.SplitSeq(text, ",") {
		name, val, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			if f := strings.Split(val, "/"); len(f) == 5 && f[4] == "aws4_request" {
				sc.key, sc.day, sc.region, sc.service = f[0], f[1], f[2], f[3]
			}
		case "SignedHeaders":
			sc.signed = strings.Split(val, ";")
		case "Signature":
			sc.signature = val
		}
	}
	return sc, ok && sc.key != "" && sc.signature != "" && slices.Contains(sc.signed, "host")
}

// admit checks who asks, by the signature over the request as it came.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func (s *simCloud) admit(c *simCall) *simError {
	sc, ok := simAuthorization(c.r)
	if !ok {
		return simErr(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	who := s.keys[sc.key]
	if who == nil {
		return simErr(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
	}
	now := s.o.Now()
	if who.token != c.r.Header.Get("X-Amz-Security-Token") || who.token != "" && !slices.Contains(sc.signed, "x-amz-security-token") {
		return simErr(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
	}
	if !who.expires.IsZero() && !now.Before(who.expires) {
		return simErr(403, "ExpiredToken", "The security token included in the request is expired")
	}
	at, err := time.Parse("20060102T150405Z", c.r.Header.Get("X-Amz-Date"))
	skew := 5 * time.Minute
	if c.service == "s3" {
		skew = 15 * time.Minute
	}
	if err != nil || at.Format("20060102") != sc.day || at.Sub(now).Abs() > skew {
		return simErr(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	}
	sent := c.r.Header.Get("X-Amz-Content-Sha256")
	if sum := sha256.Sum256(c.body); sent == "" && c.service != "s3" {
		sent = hex.EncodeToString(sum[:])
	} else if sent != "UNSIGNED-PAYLOAD" && sent != hex.EncodeToString(sum[:]) {
		return simErr(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	if want := simSignature(c.r, sc, who.secret, sent); !hmac.Equal([]byte(want), []byte(sc.signature)) {
		return simErr(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method.")
	}
	if who.user != nil && !who.user.keyActive(who.id) {
		return simErr(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
	}
	c.who, c.account = who, s.byID[who.account]
	return s.permit(c)
}

// simSignature is the signature that the request must have.
func simSignature(r *http.Request, sc simScope, secret, payload string) string {
	path := simEscape(r.URL.Path, true)
	if sc.service != "s3" { // all others escape twice
		path = simEscape(path, true)
	}
	if path == "" {
		path = "/"
	}
	var query []string
	for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if name, val, _ := strings.Cut(part, "="); part != "" {
			n, _ := url.QueryUnescape(name)
			v, _ := url.QueryUnescape(val)
			query = append(query, simEscape(n, false)+"="+simEscape(v, false))
		}
	}
	slices.Sort(query)
	var b strings.Builder
	b.WriteString(r.Method + "\n" + path + "\n" + strings.Join(query, "&") + "\n")
	for _, name := range sc.signed {
		val := strings.Join(r.Header.Values(name), ",")
		switch {
		case name == "host":
			val = r.Host
		case name == "content-length" && val == "":
			val = strconv.FormatInt(r.ContentLength, 10)
		}
		b.WriteString(name + ":" + strings.Join(strings.Fields(val), " ") + "\n")
	}
	b.WriteString("\n" + strings.Join(sc.signed, ";") + "\n" + payload)
	sum := sha256.Sum256([]byte(b.String()))
	text := "AWS4-HMAC-SHA256\n" + r.Header.Get("X-Amz-Date") + "\n" + strings.Join([]string{sc.day, sc.region, sc.service,
		"aws4_request"}, "/") +
		"\n" + hex.EncodeToString(sum[:])
	key := []byte("AWS4" + secret)
	for _, step := range []string{sc.day, sc.region, sc.service, "aws4_request", text} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(step))
		key = h.Sum(nil)
	}
	return hex.EncodeToString(key)
}

// simEscape escapes all but the unreserved characters, and slashes unless they may stay.
func simEscape(s string, slashes bool) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~", c) >= 0, slashes && c == '/':
			b.WriteByte(c)
		default:
			b.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{c})))
		}
	}
	return b.String()
}

// simReads says that an operation changes nothing that anybody would note.
func simReads(c *simCall) bool {
	verbs := []string{"Get", "List", "Describe", "Lookup", "Generate", "Head", "Simulate"}
	return c.service == "sqs" || c.service == "sts" || slices.ContainsFunc(verbs, func(v string) bool { return strings.HasPrefix(c.op, v) })
}

// permit says whether the credential may do what it asks for.
func (s *simCloud) permit(c *simCall) *simError {
	denied := s.o.Variant == "reader" && !simReads(c) || s.o.Variant == "member" && c.service == "organizations" ||
		c.who.bound && c.service != "sts" || c.service == "organizations" && c.account.n > 0
	if denied {
		return simDenied(c)
	}
	return nil
}

func simDenied(c *simCall) *simError {
	if c.service == "s3" {
		return simErr(403, "AccessDenied", "Access Denied")
	}
	return simErr(403, "AccessDenied", "User: "+c.who.arn+" is not authorized to perform: "+c.service+":"+c.op+
		" because no identity-based policy allows the "+c.service+":"+c.op+" action")
}
