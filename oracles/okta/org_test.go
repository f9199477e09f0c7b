package okta

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
	"github.com/longshore-dev/longshore/receivers/okta"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/patrickmn/go-cache.(*janitor).Run")) // of the vendor's client
}

// org is a running fake.
type org struct {
	*sim.Sim
	base, ca string // its URL, and the authority of its certificate
}

// start serves an org until the test ends. The vendor's limits are on, wide enough not to wait a minute.
func start(t *testing.T, o sim.Options) org { return serve(t, o, procs.Cert{}) }

// startTLS does it over HTTPS.
func startTLS(t *testing.T, o sim.Options) org { return serve(t, o, procs.NewCert(t)) }

func serve(t *testing.T, o sim.Options, cert procs.Cert) org {
	t.Helper()
	o.Limits = 100
	s, err := okta.Provider.Sim(o)
	if err != nil {
		t.Fatal(err)
	}
	base, stop, err := sim.Serve("127.0.0.1:0", s, cert.Cert, cert.Key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return org{s, base, cert.CA}
}

// auth is the credential that the org gives.
func (o org) auth() map[string]any { return o.Config(o.base)["auth"].(map[string]any) }

// client reaches the org under whatever name: clients insist on hosts without a port.
func (o org) client(t *testing.T) *http.Client {
	u, err := url.Parse(o.base)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", u.Host)
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: separateLinks{tr}}
}

// separateLinks puts each link on a line of its own, as the vendor sends them: its client cannot read the joined line
// that the fake sends at times, and that proxies make.
type separateLinks struct{ http.RoundTripper }

func (s separateLinks) RoundTrip(req *http.Request) (*http.Response, error) {
	r, err := s.RoundTripper.RoundTrip(req)
	if err == nil {
		lines := r.Header.Values("Link")
		r.Header.Del("Link")
		for _, line := range lines {
			for _, link := range strings.Split(line, ", <") {
				r.Header.Add("Link", "<"+strings.TrimPrefix(link, "<"))
			}
		}
	}
	return r, err
}

// published is what a stream must deliver.
func (o org) published(stream string) []string {
	var out []string
	o.Published(stream, func(key string) bool { out = append(out, key); return true })
	slices.Sort(out)
	return out
}

// sets are keys by stream. A key that was read twice is noted.
type sets struct {
	keys  map[string]map[string]bool
	twice []string
}

func (s *sets) add(stream string, parts ...string) {
	key := strings.Join(parts, "/")
	if s.keys == nil {
		s.keys = map[string]map[string]bool{}
	}
	if s.keys[stream] == nil {
		s.keys[stream] = map[string]bool{}
	}
	if s.keys[stream][key] {
		s.twice = append(s.twice, fmt.Sprintf("%s of %s", key, stream))
	}
	s.keys[stream][key] = true
}

func (s *sets) sorted(stream string) []string { return slices.Sorted(maps.Keys(s.keys[stream])) }

// same compares what was read of every stream with what the org published.
func (s *sets) same(t *testing.T, o org, who string, streams []string) {
	t.Helper()
	for _, stream := range streams {
		got, want := s.sorted(stream), o.published(stream)
		if len(want) == 0 {
			t.Errorf("%s: nothing was published, so nothing is shown", stream)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %s read %d, %d were published; missing %q, extra %q", stream, who, len(got), len(want),
				without(want, got), without(got, want))
		}
	}
	if len(s.twice) > 0 {
		t.Errorf("%s read %d twice, the first %s", who, len(s.twice), s.twice[0])
	}
}

// without is what of a is not in b, three of it at most; both are sorted.
func without(a, b []string) []string {
	var out []string
	for _, k := range a {
		if _, ok := slices.BinarySearch(b, k); !ok {
			out = append(out, k)
		}
	}
	return out[:min(3, len(out))]
}
