package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
	"github.com/longshore-dev/longshore/receivers/okta"
)

func TestMain(m *testing.M) { procs.Main(m) }

// drained is what a run cost.
type drained struct {
	cpu, wall time.Duration
	peak      int64
}

// drain reads this many events over TLS into a sink. profile, where given, is a file for the collector's CPU profile.
func drain(t *testing.T, events int, profile string) drained {
	t.Helper()
	n := strconv.Itoa(events)
	cert := procs.NewCert(t)
	from := procs.StartSim(t, "okta", "--seed", "31", "--events", n, "--users", "1000", "--span", "20h", "--limits", "10000",
		"--tls-cert", cert.Cert, "--tls-key", cert.Key)
	to := procs.StartSink(t)
	dir := t.TempDir()
	p := procs.Pipeline{Dir: dir, Exporters: procs.M{"otlp_http": procs.ToSink(to)}, Order: []string{},
		Receivers: procs.M{"okta/acme": from.With(procs.M{"quota_share": 1, "tls": procs.M{"ca_file": cert.CA}, "streams": procs.LogOnly(t)})}}
	if profile != "" {
		p.Extensions = procs.M{"pprof": procs.M{"endpoint": "127.0.0.1:0", "save_to_file": profile}}
	}
	s, err := okta.Provider.Sim(sim.Options{Seed: 31, Events: events, Users: 1000, Span: 20 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	want, sum := s.Digest("system_log")
	began := time.Now()
	c := p.Start(t)
	var got procs.Counts
	procs.Until(t, n+" events", time.Duration(events)*300*time.Microsecond+time.Minute, func() bool {
		if c.Ended() {
			t.Fatalf("the collector ended:\n%s", c.Said())
		}
		got = to.Counts()["okta.system"]
		return got.Keys >= want
	})
	d := drained{cpu: c.CPU(), wall: time.Since(began), peak: c.Peak()}
	c.Stop()
	if got.Sum != sum || got.Repeats() > 0 {
		t.Errorf("the sink has %d events, %d of them repeats; %d were published, other sum: %v", got.Records, got.Repeats(), want, got.Sum != sum)
	}
	return d
}

func (d drained) String() string {
	return fmt.Sprintf("%.2f CPU-s, %.0f MB peak, %.1f s", d.cpu.Seconds(), float64(d.peak)/1e6, d.wall.Seconds())
}

// TestDrainOf100000Events measures three runs. BENCH_PROFILE names a file for the CPU profile of a fourth.
func TestDrainOf100000Events(t *testing.T) {
	procs.Measures(t)
	for i := range 3 {
		t.Logf("run %d: %s", i+1, drain(t, 100_000, ""))
	}
	if path := os.Getenv("BENCH_PROFILE"); path != "" {
		abs, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("profiled: %s", drain(t, 100_000, abs))
	}
}

func TestDrainOf1000000Events(t *testing.T) {
	procs.Measures(t)
	if !procs.Long() {
		t.Skip("set LONGSHORE_LONG=1")
	}
	profile := os.Getenv("BENCH_PROFILE")
	t.Logf("%s", drain(t, 1_000_000, profile))
}
