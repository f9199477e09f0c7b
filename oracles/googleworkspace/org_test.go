package googleworkspace

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/oauth2/google"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
	"github.com/longshore-dev/longshore/receivers/googleworkspace"
)

func TestMain(m *testing.M) { procs.Main(m) }

func decode(s string) []byte {
	b, _ := base64.RawURLEncoding.DecodeString(s) // what is left of another text is no JSON
	return b
}

// customer is a running fake whose traffic is checked.
type customer struct {
	*sim.Sim
	*checker
	base, key, admin string
}

// serve serves a customer until the test ends.
func serve(t *testing.T, o sim.Options) *customer {
	t.Helper()
	s, err := googleworkspace.Provider.Sim(o)
	if err != nil {
		t.Fatal(err)
	}
	c := &customer{Sim: s, checker: newChecker(t)}
	s.Handler = c.wrap(s.Handler)
	base, stop, err := sim.Serve("127.0.0.1:0", s, "", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	auth := s.Config(base)["auth"].(map[string]any)
	c.base, c.key, c.admin = base, auth["key"].(string), auth["admin"].(string)
	return c
}

// as gives the options of Google's clients to act for somebody.
func (c *customer) as(t *testing.T, subject, path string, scopes ...string) []option.ClientOption {
	t.Helper()
	for i := range scopes {
		scopes[i] = "https://www.googleapis.com/auth/" + scopes[i]
	}
	cfg, err := google.JWTConfigFromJSON([]byte(c.key), scopes...)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Subject = subject
	hc := cfg.Client(context.Background())
	t.Cleanup(func() { http.DefaultTransport.(*http.Transport).CloseIdleConnections() })
	return []option.ClientOption{option.WithHTTPClient(hc), option.WithEndpoint(c.base + path)}
}

// published is what a stream must deliver, in order.
func (c *customer) published(stream string) (out []string) {
	c.Published(stream, func(key string) bool { out = append(out, key); return true })
	slices.Sort(out)
	return out
}

// conforms fails the test for everything that the descriptions do not allow.
func (c *customer) conforms(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, where := range slices.Sorted(maps.Keys(c.found)) {
		t.Errorf("%s: %s", where, c.found[where])
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// is says whether Google's client was told this status.
func is(err error, status int) bool {
	var e *googleapi.Error
	return errors.As(err, &e) && e.Code == status
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64) // of the fake's own keys
	return n
}

func sum(b []byte) string { return fmt.Sprintf("%x", md5.Sum(b)) }

func keys(m map[string]bool) []string { return slices.Collect(maps.Keys(m)) }
