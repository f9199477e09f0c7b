package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/oracles/procs"
	"github.com/longshore-dev/longshore/receivers/aws"
	"github.com/longshore-dev/longshore/receivers/box"
	"github.com/longshore-dev/longshore/receivers/googleworkspace"
	"github.com/longshore-dev/longshore/receivers/office365"
	"github.com/longshore-dev/longshore/receivers/okta"
	"github.com/longshore-dev/longshore/receivers/salesforce"
)

func TestMain(m *testing.M) { procs.Main(m) }

// source is what is drained: the events that one stream of the fake publishes, or all.
type source struct {
	*saas.Provider
	log     string   // "events" = all
	streams []string // that are read for it; none = all of events
	events  int
}

var (
	oktaLog = source{&okta.Provider, "system_log", nil, 100_000}
	sources = []source{{&aws.Provider, "cloudtrail", []string{"cloudtrail", "trail_files"}, 100_000}, {&box.Provider, "events", nil, 100_000},
		{&googleworkspace.Provider, "events", nil, 100_000},
		{&office365.Provider, "events", nil, 10_000}, // of which a minute has as many blobs as Microsoft lets 2,000 requests read
		oktaLog, {&salesforce.Provider, "events", nil, 100_000}}
)

// drained is what a run cost.
type drained struct {
	events    int
	cpu, wall time.Duration
	peak      int64
}

// drain reads this many events over TLS into a sink. profile, where given, is a
// file for the collector's CPU profile.
func drain(t *testing.T, of source, events int, profile string) drained {
	t.Helper()
	cert := procs.NewCert(t)
	from := procs.StartSim(t, of.Name, "--seed", "31", "--events", strconv.Itoa(events), "--users", "1000", "--span", "20h",
		"--limits", "10000", "--tls-cert", cert.Cert, "--tls-key", cert.Key)
	to := procs.StartSink(t)
	receiver := from.With(procs.M{"quota_share": 1, "tls": procs.M{"ca_file": cert.CA}, "streams": saastest.Only(t, of.Provider, activity(t, of)...)})
	p := procs.Pipeline{Dir: t.TempDir(), Exporters: procs.M{"otlp_http": procs.ToSink(to)}, Order: []string{},
		Receivers: procs.M{of.Name + "/acme": receiver}}
	if profile != "" {
		p.Extensions = procs.M{"pprof": procs.M{"endpoint": "127.0.0.1:0", "save_to_file": profile}}
	}
	want, got := from.Published()[of.log], procs.Counts{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("want %d, got %+v: %v", want.Objects, got, to.Counts())
		}
	})
	began := time.Now()
	c := p.Start(t)
	procs.Until(t, fmt.Sprint(want.Objects, " events"), time.Duration(events)*600*time.Microsecond+time.Minute, func() bool {
		if c.Ended() {
			t.Fatalf("the collector ended:\n%s", c.Said())
		}
		got = procs.Counts{}
		for set, of := range to.Counts() {
			if strings.HasPrefix(set, "saas.") { // the agent's own
				continue
			}
			got.Records, got.Keys = got.Records+of.Records, got.Keys+of.Keys
			got.Objects, got.ObjectSum = got.Objects+of.Objects, got.ObjectSum+of.ObjectSum
		}
		return got.Objects >= want.Objects
	})
	d := drained{events: want.Objects, cpu: c.CPU(), wall: time.Since(began), peak: c.Peak()}
	c.Stop()
	if want = from.Published()[of.log]; got.Objects != want.Objects || got.ObjectSum != want.ObjectSum || got.Repeats() > 0 {
		t.Errorf("the sink has %d events, %d of them repeats; %d were published, other sum: %v", got.Objects, got.Repeats(), want.Objects,
			got.ObjectSum != want.ObjectSum)
	}
	return d
}

// activity names the streams that are read.
func activity(t *testing.T, of source) (names []string) {
	t.Helper()
	if len(of.streams) > 0 {
		return of.streams
	}
	all, err := of.Declared()
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range all {
		if st.Kind < saas.Accounts {
			names = append(names, st.Name)
		}
	}
	return names
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
				t.Log(drain(t, of, of.events, ""))
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
