package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
	"github.com/longshore-dev/longshore/receivers/aws"
	"github.com/longshore-dev/longshore/receivers/okta"
)

func TestMain(m *testing.M) { procs.Main(m) }

// source is a log that is drained.
type source struct {
	*saas.Provider
	log     string   // the stream of the fake's events
	streams []string // that are read for it
	dataset string
}

var (
	oktaLog = source{&okta.Provider, "system_log", []string{"system_log"}, "okta.system"}
	trail   = source{&aws.Provider, "cloudtrail", []string{"cloudtrail", "trail_files"}, "aws.cloudtrail"}
	sources = []source{oktaLog, trail}
)

// drained is what a run cost.
type drained struct {
	events    int
	cpu, wall time.Duration
	peak      int64
}

// drain reads this many events over TLS into a sink. profile, where given, is a file for the collector's CPU profile.
func drain(t *testing.T, of source, events int, profile string) drained {
	t.Helper()
	cert := procs.NewCert(t)
	args := []string{"--seed", "31", "--events", strconv.Itoa(events), "--users", "1000", "--span", "20h", "--limits", "10000",
		"--tls-cert", cert.Cert, "--tls-key", cert.Key}
	from := procs.StartSim(t, of.Name, args...)
	to := procs.StartSink(t)
	receiver := from.With(procs.M{"quota_share": 1, "tls": procs.M{"ca_file": cert.CA}, "streams": saastest.Only(t, of.Provider, of.streams...)})
	p := procs.Pipeline{Dir: t.TempDir(), Exporters: procs.M{"otlp_http": procs.ToSink(to)}, Order: []string{},
		Receivers: procs.M{of.Name + "/acme": receiver}}
	if profile != "" {
		p.Extensions = procs.M{"pprof": procs.M{"endpoint": "127.0.0.1:0", "save_to_file": profile}}
	}
	s, err := of.Sim(sim.Options{Seed: 31, Events: events, Users: 1000, Span: 20 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	want, sum := s.Digest(of.log)
	began := time.Now()
	c := p.Start(t)
	var got procs.Counts
	procs.Until(t, fmt.Sprint(want, " events"), time.Duration(events)*300*time.Microsecond+time.Minute, func() bool {
		if c.Ended() {
			t.Fatalf("the collector ended:\n%s", c.Said())
		}
		got = to.Counts()[of.dataset]
		return got.Objects >= want
	})
	d := drained{events: want, cpu: c.CPU(), wall: time.Since(began), peak: c.Peak()}
	c.Stop()
	if got.ObjectSum != sum || got.Repeats() > 0 {
		t.Errorf("the sink has %d events, %d of them repeats; %d were published, other sum: %v", got.Records, got.Repeats(), want,
			got.ObjectSum != sum)
	}
	return d
}

func (d drained) String() string {
	return fmt.Sprintf("%d events, %.2f CPU-s (%.0f a CPU-second), %.0f MB peak, %.1f s", d.events, d.cpu.Seconds(),
		float64(d.events)/d.cpu.Seconds(), float64(d.peak)/1e6, d.wall.Seconds())
}

// TestDrainOf100000Events measures three runs. BENCH_PROFILE names a file for the CPU profile of a fourth.
func TestDrainOf100000Events(t *testing.T) {
	procs.Measures(t)
	for i := range 3 {
		t.Logf("run %d: %s", i+1, drain(t, oktaLog, 100_000, ""))
	}
	if path := os.Getenv("BENCH_PROFILE"); path != "" {
		abs, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("profiled: %s", drain(t, oktaLog, 100_000, abs))
	}
}

// TestDrainOfEveryApplication measures the log of each, against its fake.
func TestDrainOfEveryApplication(t *testing.T) {
	procs.Measures(t)
	for _, of := range sources {
		t.Run(of.Name, func(t *testing.T) {
			for range 2 {
				t.Log(drain(t, of, 100_000, ""))
			}
		})
	}
}

func TestDrainOf1000000Events(t *testing.T) {
	procs.Measures(t)
	if !procs.Long() {
		t.Skip("set LONGSHORE_LONG=1")
	}
	profile := os.Getenv("BENCH_PROFILE")
	t.Logf("%s", drain(t, oktaLog, 1_000_000, profile))
}
