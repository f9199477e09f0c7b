package sim

import (
	"cmp"
	"crypto"
	"fmt"
	"net/http"
	"time"
)

// assertion reads and verifies a JWT by which a client says who it is, its subject, or for whom it asks. of finds the client.
func (s *Issuer) assertion(r *http.Request, text, code string, of func(*Signed) Client) (*Signed, *Refusal) {
	bad := func(claim, format string, args ...any) (*Signed, *Refusal) {
		no := &Refusal{http.StatusBadRequest, code, "assertion: " + fmt.Sprintf(format, args...), claim}
		if code == "invalid_client" {
			no.Status = http.StatusUnauthorized
		}
		return nil, no
	}
	j, err := ReadJWT(text)
	if err != nil {
		return bad("", "%v", err)
	}
	c := of(j)
	if c.ID == "" || j.Text("iss") != c.ID {
		return bad("iss", "iss %q, sub %q: want the id of the client", j.Text("iss"), j.Text("sub"))
	}
	if claim, err := verifyAny(j, c.Keys); err != nil {
		return bad(claim, "%v", err)
	}
	if claim, why := s.times(r, j); why != "" {
		return bad(claim, "%s", why)
	}
	return j, nil
}

func verifyAny(j *Signed, keys map[string]crypto.PublicKey) (at string, err error) {
	id := cmp.Or(j.Header.Kid, j.Header.Thumb)
	if id == "" && len(keys) == 1 {
		for _, k := range keys {
			return "signature", j.Verify(k)
		}
	}
	k, ok := keys[id]
	if !ok {
		return "kid", fmt.Errorf("no key with kid %q", id)
	}
	return "signature", j.Verify(k)
}

// times checks aud, exp, iat and jti of an assertion, and says which of them is wrong.
func (s *Issuer) times(r *http.Request, j *Signed) (claim, why string) {
	now, late, ahead := s.Now(), slack, time.Hour+slack
	if s.Ahead > 0 {
		late, ahead = 0, s.Ahead
	}
	aud, want := j.Text("aud"), s.Audience(r)
	exp, ok := j.Seconds("exp")
	end := time.Unix(exp, 0)
	switch {
	case aud != want:
		return "aud", fmt.Sprintf("aud %q, want %q", aud, want)
	case !ok:
		return "exp", "exp is missing"
	case !end.After(now.Add(-late)):
		return "exp", "exp is over"
	case end.After(now.Add(ahead)):
		return "exp", "exp is more than " + ahead.String() + " ahead"
	}
	if iat, ok := j.Seconds("iat"); ok && time.Unix(iat, 0).After(now.Add(slack)) {
		return "iat", "iat is in the future"
	}
	if id := j.Text("jti"); id != "" && !s.once("assertion "+id, end.Add(slack)) {
		return "jti", "jti was used before"
	}
	return "", ""
}

// once says whether the id is new, and remembers it.
func (s *Issuer) once(id string, until time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used == nil {
		s.used = map[string]time.Time{}
	}
	now := s.Now()
	if _, ok := s.used[id]; ok {
		return false
	}
	if now.Sub(s.swept) > time.Minute || len(s.used) > 1<<20 {
		s.swept = now
		for k, t := range s.used {
			if t.Before(now) {
				delete(s.used, k)
			}
		}
	}
	s.used[id] = until
	return true
}
