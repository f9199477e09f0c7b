package pipeline

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/backends"
	"github.com/longshore-dev/longshore/oracles/procs"
)

// page is the most records that a request of the receiver reads: the most that may come again after a death.
const page = 1000

// TestKilledAtRandomMomentsNothingIsLostOrDoubled kills the collector while it drains an org that publishes late, refuses,
// fails, hangs and cuts connections. LONGSHORE_LONG kills it 50 times instead of 5, with Elasticsearch beside the store.
func TestKilledAtRandomMomentsNothingIsLostOrDoubled(t *testing.T) {
	kills, events, seed := 5, 60_000, uint64(41)
	if procs.Long() {
		kills, events = 50, 400_000
	}
	n := strconv.Itoa(events)
	const faults = "429=0.003,500=0.03,503=0.01,hang=0.01,reset=0.01,cut=0.01,truncate=0.01"
	from := procs.StartSim(t, "okta", "--seed", "41", "--events", n, "--users", "30", "--late", "0.1", "--span", "20h", "--limits", "1000",
		"--faults", faults)
	s := fake(t, sim.Options{Seed: 41, Events: events, Users: 30, Late: 0.1, Span: 20 * time.Hour})
	to := procs.StartSink(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "longshore.db")
	p := procs.Pipeline{Dir: dir, Order: []string{"dlp"}, Processors: procs.M{"dlp": procs.M{}},
		Receivers: procs.M{"okta/acme": from.With(procs.M{"quota_share": 1, "timeout": "2s"})},
		Exporters: procs.M{"sqlite": procs.M{"path": path}, "otlp_http": procs.ToSink(to)}}
	var elastic string
	if procs.Long() {
		elastic = backends.Elasticsearch(t)
		p.Exporters["elasticsearch"] = procs.M{"endpoints": []string{elastic}}
	}
	rnd := rand.New(rand.NewPCG(seed, seed))
	want, sum := s.Digest("system_log")
	before := to.Counts()
	for i := range kills {
		c := p.Start(t)
		if i%4 != 0 { // a quarter of them may die before the first event, while they sign in or list accounts
			procs.Until(t, "an event", 3*time.Minute, func() bool {
				return c.Ended() || to.Counts()["okta.system"].Records > before["okta.system"].Records
			})
		}
		<-time.After(time.Duration(rnd.Int64N(int64(1500 * time.Millisecond))))
		if c.Ended() {
			t.Fatalf("life %d ended by itself:\n%s", i+1, c.Said())
		}
		c.Kill()
		now := to.Counts()
		if now["okta.system"].Keys >= want {
			t.Fatalf("everything was there before kill %d of %d: nothing was being drained", i+1, kills)
		}
		t.Logf("kill %d: %d events were there, %d came again", i+1, now["okta.system"].Keys, repeats(t, before, now))
		before = now
	}
	c := p.Start(t)
	counts := []func() int{ // a page may be in one and on its way to the next
		func() int { return to.Counts()["okta.system"].Keys },
		func() int { return storedCount(path, "dataset = 'okta.system'") },
	}
	if elastic != "" {
		counts = append(counts, func() int { return index{elastic}.count(t) })
	}
	var looked time.Time
	procs.Until(t, "the rest of "+n+" events, and all entities", time.Duration(events)*2*time.Millisecond+5*time.Minute, func() bool {
		if c.Ended() {
			t.Fatalf("the collector ended:\n%s", c.Said())
		}
		if time.Since(looked) < time.Second {
			return false
		}
		looked = time.Now()
		for _, has := range counts {
			if has() < want {
				return false
			}
		}
		return complete((&held{lean: true}).read(t, path, "dataset = 'okta.inventory'"), s)
	})
	c.Stop()
	now := to.Counts()
	t.Logf("last life: %d events came again", repeats(t, before, now))
	if got := now["okta.system"]; got.Keys != want || got.Sum != sum {
		t.Errorf("the sink has %d events, %d were published, same sum: %v", got.Keys, want, got.Sum == sum)
	}
	servers := []*held{(&held{lean: true}).read(t, path, "true")}
	if elastic != "" {
		servers = append(servers, index{elastic}.all(t, &held{lean: true}))
	}
	for _, h := range servers {
		same(t, h, s, s.Streams)
		once(t, h)
	}
}

// complete says whether a server holds as many keys of each stream of entities as were published.
func complete(h *held, s *sim.Sim) bool {
	return !slices.ContainsFunc(s.Streams, func(stream string) bool {
		return stream != "system_log" && len(h.keys(stream)) < s.Count(stream)
	})
}

// repeats checks that no stream came again for more than a page, and says how much came again in all.
func repeats(t *testing.T, before, now map[string]procs.Counts) (sum int) {
	t.Helper()
	for stream, c := range now {
		n := c.Repeats() - before[stream].Repeats()
		if n > page {
			t.Errorf("%s: %d records came again after one death, a page has %d", stream, n, page)
		}
		sum += n
	}
	return sum
}

// once checks that a server holds no record twice: as many as different ids, and one state of each entity.
func once(t *testing.T, h *held) {
	t.Helper()
	if h.n != len(h.docs) {
		t.Errorf("%s holds %d records twice", h.who, h.n-len(h.docs))
	}
	states := map[string]string{}
	for _, d := range h.docs {
		if key := d.state(); key != "" {
			if other, ok := states[key]; ok {
				t.Errorf("%s holds two states of %s: %s and %s", h.who, key, other, d.Event.ID)
			}
			states[key] = d.Event.ID
		}
	}
}

// TestServerStoppedUnderLoadNothingIsLostOrDoubled stops Elasticsearch while the collector drains into it, and starts it
// again on the same data: once as an operator does, once without warning.
func TestServerStoppedUnderLoadNothingIsLostOrDoubled(t *testing.T) {
	const events = 12_000
	from := procs.StartSim(t, "okta", "--seed", "42", "--events", fmt.Sprint(events), "--users", "30", "--span", "20h", "--limits", "1000")
	s := fake(t, sim.Options{Seed: 42, Events: events, Users: 30, Span: 20 * time.Hour})
	server := backends.StartElasticsearch(t)
	p := procs.Pipeline{Dir: t.TempDir(), Order: []string{}, Processors: procs.M{},
		Receivers: procs.M{"okta/acme": from.With(procs.M{"quota_share": 1, "batch_bytes": 400_000})},
		Exporters: procs.M{"elasticsearch": procs.M{"endpoints": []string{server.Addr}, "retry_on_failure": procs.M{"max_interval": "2s"}}}}
	c := p.Start(t)
	at := func(n int) {
		t.Helper()
		procs.Until(t, fmt.Sprintf("%d events in the index", n), 3*time.Minute, func() bool {
			if c.Ended() {
				t.Fatalf("the collector ended:\n%s", c.Said())
			}
			return index{server.Addr}.count(t) >= n
		})
	}
	at(1000)
	server.Stop()
	server.Start()
	if n := (index{server.Addr}).count(t); n >= events {
		t.Fatalf("%d events were there before the first stop ended: nothing was being drained", n)
	}
	at(4000)
	server.Kill()
	server.Start()
	want := 0
	for _, stream := range s.Streams {
		want += s.Count(stream)
	}
	at(want)
	c.Stop()
	h := index{server.Addr}.all(t, &held{lean: true})
	same(t, h, s, s.Streams)
	once(t, h)
}
