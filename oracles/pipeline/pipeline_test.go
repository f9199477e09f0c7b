package pipeline

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/backends"
	"github.com/longshore-dev/longshore/oracles/procs"
	"github.com/longshore-dev/longshore/receivers/okta"
)

// through is a pipeline into an embedded store, Elasticsearch and Kafka.
type through struct {
	procs.Pipeline
	store, elastic, kafka string
}

func (p through) all(t *testing.T) []*held {
	return []*held{new(held).read(t, p.store, "true"), index{p.elastic}.all(t, &held{}), consumed(t, p.kafka)}
}

// pipeline is the collector's configuration for a fake, all processors and all three exporters.
func pipeline(t *testing.T, from *procs.Sim) through {
	t.Helper()
	dir := t.TempDir()
	p := through{store: filepath.Join(dir, "longshore.db"), elastic: backends.Elasticsearch(t), kafka: backends.Kafka(t)}
	p.Pipeline = procs.Pipeline{Dir: dir,
		Receivers: procs.M{"okta/acme": from.With(procs.M{"quota_share": 1, "start_at": "30d"})},
		Processors: procs.M{"dlp": procs.M{}, "governance": procs.M{"mode": "dry_run", "policies": []procs.M{{
			"name": "repeated failed sign-ins", "kind": "activity",
			"when":      `event.category.exists(c, c == "authentication") && event.outcome == "failure" && has(user.id)`,
			"threshold": procs.M{"count": 5, "window": "1h", "by": "user.id"}, "actions": []string{"revoke_sessions"}}}}},
		Order: []string{"dlp", "governance"},
		Exporters: procs.M{"sqlite": procs.M{"path": p.store}, "elasticsearch": procs.M{"endpoints": []string{p.elastic}},
			"kafka": procs.M{"brokers": []string{p.kafka}}}}
	return p
}

// fake is the fake that another process serves: keys follow from the options alone.
func fake(t *testing.T, o sim.Options) *sim.Sim {
	t.Helper()
	s, err := okta.Provider.Sim(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// settled waits until the store holds as much as was published, and no more comes for a second.
func settled(t *testing.T, c *procs.Proc, store string, want int) {
	t.Helper()
	last, since := -1, time.Now()
	procs.Until(t, fmt.Sprintf("%d records in the store", want), 3*time.Minute, func() bool {
		if c.Ended() {
			t.Fatalf("the collector ended:\n%s", c.Said())
		}
		if n := storedCount(store, "true"); n != last {
			last, since = n, time.Now()
		}
		return last >= want && time.Since(since) > 2*time.Second
	})
}

// same compares the keys of every stream with what the fake published.
func same(t *testing.T, h *held, s *sim.Sim, streams []string) {
	t.Helper()
	for _, stream := range streams {
		var want []string
		s.Published(stream, func(key string) bool { want = append(want, key); return true })
		slices.Sort(want)
		want = slices.Compact(want)
		if got := h.keys(stream); !slices.Equal(got, want) || len(want) == 0 {
			t.Errorf("%s: %s holds %d, %d were published", stream, h.who, len(got), len(want))
		}
	}
}

func TestPublishedIsStoredIndexedAndConsumed(t *testing.T) {
	o := sim.Options{Seed: 21, Events: 8000, Users: 100, Late: 0.05, Span: 20 * time.Hour}
	from := procs.StartSim(t, "okta", "--seed", "21", "--events", "8000", "--users", "100", "--late", "0.05", "--span", "20h",
		"--limits", "100")
	s := fake(t, o)
	want := 0
	for _, stream := range s.Streams {
		want += s.Count(stream)
	}
	p := pipeline(t, from)
	c := p.Start(t)
	settled(t, c, p.store, want)
	c.Stop()
	servers := p.all(t)
	for _, h := range servers {
		same(t, h, s, s.Streams)
		if h.n != len(h.docs) {
			t.Errorf("%s holds %d documents twice", h.who, h.n-len(h.docs))
		}
	}
	alike(t, servers[0], servers[1])
	alike(t, servers[0], servers[2])
	found := 0
	for id := range servers[0].docs {
		if len(id) > 12 && id[:12] == "saas.finding" {
			found++
		}
	}
	if found == 0 {
		t.Error("nothing was found in records that hold planted values")
	}
}

// TestRealEventsAreStoredIndexedAndConsumed serves events that nobody here wrote. Their authors replaced ids by the same
// few words: each gets one of its own, and nothing else of them is changed.
func TestRealEventsAreStoredIndexedAndConsumed(t *testing.T) {
	path, events := distinct(t, procs.Shared(t, "raw-events", "okta.jsonl"))
	from := procs.StartSim(t, "okta", "--seed", "22", "--replay", path, "--span", "20h", "--limits", "100")
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := fake(t, sim.Options{Seed: 22, Replay: file, Span: 20 * time.Hour})
	want := 0
	for _, stream := range s.Streams {
		want += s.Count(stream)
	}
	p := pipeline(t, from)
	c := p.Start(t)
	settled(t, c, p.store, want)
	c.Stop()
	servers := p.all(t)
	for _, h := range servers {
		same(t, h, s, s.Streams)
		seen := 0
		for _, d := range h.docs {
			if raw, ok := events[d.Event.ID]; ok && d.Event.Dataset == "okta.system" {
				seen++
				if d.Event.Original != raw {
					t.Errorf("%s changed the original of %s:\n%s\n%s", h.who, d.Event.ID, d.Event.Original, raw)
				}
			}
		}
		if seen != len(events) {
			t.Errorf("%s holds %d of %d events", h.who, seen, len(events))
		}
	}
	alike(t, servers[0], servers[1])
	alike(t, servers[0], servers[2])
}

// distinct gives a copy of a file of events in which no two have the same id, and the events by it.
func distinct(t *testing.T, path string) (copied string, events map[string]string) {
	t.Helper()
	in, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	events = map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(in))
	for lines.Buffer(nil, 1<<20); lines.Scan(); {
		var l struct{ Raw json.RawMessage }
		var e struct{ UUID string }
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(l.Raw, &e); err != nil {
			t.Fatal(err)
		}
		id, raw := e.UUID, l.Raw
		if events[id] != "" {
			id += "-" + strconv.Itoa(len(events))
			raw = bytes.Replace(raw, []byte(`"uuid":"`+e.UUID+`"`), []byte(`"uuid":"`+id+`"`), 1)
		}
		if _, ok := events[id]; ok || !bytes.Contains(raw, []byte(`"uuid":"`+id+`"`)) {
			t.Fatalf("no id of its own for %s", raw)
		}
		events[id] = string(raw)
		out.Write(append(raw, '\n'))
	}
	if len(events) < 30 {
		t.Fatalf("%d events", len(events))
	}
	copied = filepath.Join(t.TempDir(), "events.jsonl")
	if err := os.WriteFile(copied, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return copied, events
}
