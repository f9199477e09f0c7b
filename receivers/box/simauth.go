package box

import (
	"net/http"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simKeys are the private key of the app, as PEM, and its kid.
type simKeys struct{ pem, passphrase, kid string }

// credentials makes the app known to the issuer.
func (s *simOrg) credentials() error {
	s.issuer = &sim.Issuer{Seed: s.o.Seed, Now: s.o.Now, Audience: func(*http.Request) string { return simAudience }}
	return nil
}

const simAudience = "https://api.box.com/oauth2/token" // under whatever URL the fake is reached

// config is Sim.Config.
func (s *simOrg) config(base string) map[string]any {
	return obj{"endpoint": base + "/2.0"}
}
