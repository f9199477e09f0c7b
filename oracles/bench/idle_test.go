package bench

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
	"github.com/longshore-dev/longshore/receivers/okta"
)

// TestThousandIdleTenants measures what a process costs that has nothing to read from 1,000 tenants.
func TestThousandIdleTenants(t *testing.T) {
	procs.Measures(t)
	const tenants = 1000
	from := procs.StartSim(t, "okta", "--events", "1", "--users", "1", "--span", "20h", "--limits", "10000")
	to := procs.StartSink(t)
	p := procs.Pipeline{Dir: t.TempDir(), Receivers: procs.M{}, Order: []string{}, Exporters: procs.M{"otlp_http": procs.ToSink(to)}}
	for i := range tenants {
		p.Receivers[fmt.Sprintf("okta/t%04d", i)] = from.With(procs.M{"quota_share": 1, "streams": procs.LogOnly(t)})
	}
	began := time.Now()
	c := p.Start(t)
	procs.Until(t, "an event of each tenant", 5*time.Minute, func() bool { return to.Counts()["okta.system"].Records >= tenants })
	t.Logf("%d tenants read their first event in %.1f s, %.1f CPU-s", tenants, time.Since(began).Seconds(), c.CPU().Seconds())
	const long = 2 * time.Minute
	before := c.CPU()
	<-time.After(long)
	used := c.CPU() - before
	t.Logf("idle for %s: %.2f %% of a core, %.0f MB resident, %.0f MB peak", long, 100*used.Seconds()/long.Seconds(),
		float64(c.Resident())/1e6, float64(c.Peak())/1e6)
	c.Stop()
}

// TestStartUp measures the time from starting the program to its first request, and the size of the program.
func TestStartUp(t *testing.T) {
	procs.Measures(t)
	info, err := os.Stat(procs.Binary(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("binary: %.1f MB", float64(info.Size())/1e6)
	for i := range 5 {
		t.Logf("start %d: first request after %s", i+1, startUp(t).Round(time.Millisecond))
	}
}

func startUp(t *testing.T) time.Duration {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan time.Time, 1)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case asked <- time.Now():
		default:
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})}
	var wg sync.WaitGroup
	wg.Go(func() { _ = srv.Serve(l) })
	defer wg.Wait()
	defer srv.Close()
	p := procs.Pipeline{Dir: t.TempDir(), Order: []string{}, Exporters: procs.M{"debug": procs.M{}}, Receivers: procs.M{"okta/acme": procs.M{
		"endpoint": "http://" + l.Addr().String(), "auth": procs.M{"type": "token", "token": "00abc"}, "storage": "file_storage"}}}
	began := time.Now()
	c := p.Start(t)
	defer c.Kill()
	select {
	case at := <-asked:
		return at.Sub(began)
	case <-time.After(time.Minute):
		t.Fatalf("no request in a minute:\n%s", c.Said())
	}
	return 0
}

// TestShareOfTheAllowedRate measures how much of the vendor's limit a drain uses, with the published limits on: 120
// requests a minute for the log.
func TestShareOfTheAllowedRate(t *testing.T) {
	procs.Measures(t)
	const limit = 120
	begin := time.Now().Add(-24 * time.Hour)
	s, err := okta.Provider.Sim(sim.Options{Seed: 33, Events: 1_000_000, Users: 100, Start: begin, Span: 20 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	minutes := map[int64]int{}
	s.Intercept = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/api/v1/logs") {
			mu.Lock()
			defer mu.Unlock()
			minutes[time.Now().Unix()/60]++
		}
		return false
	}
	base, stop, err := sim.Serve("127.0.0.1:0", s, "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	to := procs.StartSink(t)
	cfg := s.Config(base)
	cfg["storage"], cfg["quota_share"], cfg["streams"] = "file_storage", 1, procs.LogOnly(t)
	p := procs.Pipeline{Dir: t.TempDir(), Receivers: procs.M{"okta/acme": cfg}, Order: []string{},
		Exporters: procs.M{"otlp_http": procs.ToSink(to)}}
	c := p.Start(t)
	first := time.Now().Unix() / 60
	const whole = 4
	<-time.After(time.Until(time.Unix((first+whole+1)*60, 0).Add(time.Second)))
	c.Kill()
	mu.Lock()
	defer mu.Unlock()
	sum := 0
	for m := first + 1; m <= first+whole; m++ {
		t.Logf("minute %d: %d of %d requests", m-first, minutes[m], limit)
		sum += minutes[m]
	}
	all, refused := s.Seen.Count("GET", "/api/v1/logs", 0), s.Seen.Count("GET", "/api/v1/logs", 429)
	share := float64(sum) / (limit * whole)
	t.Logf("%.1f %% of the allowed rate in %d whole minutes; %d of %d requests were refused with 429", 100*share, whole, refused, all)
	if share < 0.95 || float64(refused) > 0.001*float64(all) {
		t.Errorf("want at least 95 %% used and at most 0.1 %% refused")
	}
}
