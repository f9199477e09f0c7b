package campaign

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/oracles/backends"
	"github.com/longshore-dev/longshore/oracles/procs"
)

func TestMain(m *testing.M) { procs.Main(m) }

// mostMemory bounds the collector in every trial, bytes resident.
const mostMemory = 300 << 20

// trial is one line of the table.
type trial struct {
	name     string
	load     *load
	exporter procs.M                            // beside what names the server
	disturb  func(t *testing.T, during *during) // while the load runs
	repeats  bool                               // the server cannot tell repeats
}

// during is what a disturbance may look at.
type during struct {
	load *load
	done chan struct{}
}

// until waits until a part of the load is acknowledged; false = all of it was before the disturbance ended.
func (d *during) until(part float64) bool {
	for float64(d.load.acked.Load()) < part*float64(d.load.records) {
		select {
		case <-d.done:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return true
}

// pause waits, but not beyond the load.
func (d *during) pause(long time.Duration) bool {
	select {
	case <-d.done:
		return false
	case <-time.After(long):
		return true
	}
}

// records is how many a trial publishes.
func records() int {
	if procs.Long() {
		return 200_000
	}
	return 10_000
}

// short is a time in the long form, and what is left of it in the short one.
func short(long, less time.Duration) time.Duration {
	if procs.Long() {
		return long
	}
	return less
}

// run feeds a collector that writes to a server, and compares what is there afterwards with what was published.
func (tr trial) run(t *testing.T, kind string, exporter procs.M, read func(documents map[string]string) held) {
	addr := "127.0.0.1:" + procs.Port(t)
	config := procs.M{}
	for _, m := range []procs.M{exporter, tr.exporter} {
		for k, v := range m {
			config[k] = v
		}
	}
	l := tr.load
	http := procs.M{"endpoint": addr, "write_timeout": "0s", "max_request_body_size": 64 << 20}
	p := procs.Pipeline{Dir: t.TempDir(), Order: []string{}, Processors: procs.M{},
		Receivers: procs.M{"otlp": procs.M{"protocols": procs.M{"http": http}}}, Exporters: procs.M{kind: config}}
	c := p.Start(t)
	d := &during{l, make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if tr.disturb != nil {
			tr.disturb(t, d)
		}
	}()
	began := time.Now()
	l.send(t, addr, c)
	took := time.Since(began)
	close(d.done)
	<-ended
	peak := c.Peak()
	c.Stop()

	documents := l.documents()
	h := read(documents)
	lost, both, wrong := 0, 0, 0
	for doc, event := range documents {
		stored, letter := h.stored[event] > 0, h.letters[doc]
		switch {
		case !stored && !letter:
			lost++
		case stored && letter:
			both++
		}
	}
	for i := range l.records {
		if (l.isPoison(i) || l.isBig(i)) == (h.stored[id(i)] > 0) {
			wrong++
		}
	}
	twice := h.documents() - len(h.stored)
	t.Logf("TABLE | %s | %d | %d | %d | %d | %d MB | %.0f s | %d |", strings.TrimPrefix(t.Name(), "Test"), l.records, len(h.stored),
		len(h.letters), twice, peak>>20, took.Seconds(), l.resent.Load())
	if lost+both+wrong+h.odd > 0 || len(h.stored)+len(h.letters) != l.records {
		t.Errorf("%d lost, %d stored and set aside, %d set aside or stored wrongly, %d under a wrong id; %d stored and %d letters of %d",
			lost, both, wrong, h.odd, len(h.stored), len(h.letters), l.records)
	}
	if twice > 0 && !tr.repeats {
		t.Errorf("%d records are there twice", twice)
	}
	if peak > mostMemory {
		t.Errorf("the collector took %d MB, at most %d", peak>>20, mostMemory>>20)
	}
}

// searchTrials are what an Elasticsearch or OpenSearch goes through.
func searchTrials(t *testing.T, start func(testing.TB, ...string) *backends.Server, config procs.M) {
	const limit = "http.max_content_length=1mb"
	type story struct {
		trial
		settings []string
		with     func(*testing.T, *during, *backends.Server, search, *storm)
	}
	n := records()
	for _, s := range []story{
		{trial: trial{name: "Undisturbed", load: &load{records: n}}},
		{trial: trial{name: "Poison", load: &load{records: n, poison: 1000}}},
		{trial: trial{name: "Oversize", load: &load{records: n, big: 1000}}, settings: []string{limit}},
		{trial: trial{name: "Killed", load: &load{records: n}}, with: func(_ *testing.T, d *during, s *backends.Server, _ search, _ *storm) {
			for _, part := range []float64{0.2, 0.6} {
				d.until(part)
				s.Kill()
				s.Start()
			}
		}},
		{trial: trial{name: "Down", load: &load{records: n}}, with: func(_ *testing.T, d *during, s *backends.Server, _ search, _ *storm) {
			d.until(0.3)
			s.Stop()
			d.pause(short(10*time.Minute, 5*time.Second))
			s.Start()
		}},
		{trial: trial{name: "DiskFull", load: &load{records: n}}, with: func(t *testing.T, d *during, _ *backends.Server, s search, _ *storm) {
			d.until(0.3)
			s.block(t, true)
			d.pause(short(30*time.Second, 3*time.Second))
			s.block(t, false)
		}},
		{trial: trial{name: "Storm429", load: &load{records: n}}, with: func(t *testing.T, d *during, _ *backends.Server, _ search, w *storm) {
			d.until(0.2)
			w.on.Store(true)
			d.pause(short(60*time.Second, 4*time.Second))
			w.on.Store(false)
			if w.refused.Load() == 0 {
				t.Error("nothing was refused")
			}
		}},
	} {
		if !procs.Long() && (s.name == "Undisturbed" || s.name == "Oversize" || s.name == "Down") {
			continue // the exporters' own suite has them in small
		}
		t.Run(s.name, func(t *testing.T) {
			server := start(t, s.settings...)
			at, front := search{server.Addr}, newStorm(t, server.Addr)
			exporter := procs.M{"endpoints": []string{front.URL}, "retry_on_failure": procs.M{"max_interval": "2s"}}
			for k, v := range config {
				exporter[k] = v
			}
			if s.with != nil {
				s.disturb = func(t *testing.T, d *during) { s.with(t, d, server, at, front) }
			}
			s.run(t, "elasticsearch", exporter, func(documents map[string]string) held { return at.held(t, documents) })
		})
	}
}

func TestElasticsearch(t *testing.T) {
	if procs.Long() {
		t.Parallel()
	}
	searchTrials(t, backends.StartElasticsearch, procs.M{})
}

func TestOpenSearch(t *testing.T) {
	if !procs.Long() {
		t.Skip("only in the long form: the exporters' own suite has OpenSearch in small")
	}
	t.Parallel()
	searchTrials(t, backends.StartOpenSearch, procs.M{"flavor": "opensearch"})
}

func TestSQLite(t *testing.T) {
	n := records()
	for _, tr := range []trial{
		{name: "Undisturbed", load: &load{records: n}},
		{name: "Poison", load: &load{records: n, poison: 1000, timely: true}},
	} {
		t.Run(tr.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "longshore.db")
			tr.run(t, "sqlite", procs.M{"path": path}, func(documents map[string]string) held { return file(t, path, documents) })
		})
	}
}

func TestKafka(t *testing.T) {
	if procs.Long() {
		t.Parallel()
	}
	n := records()
	type story struct {
		trial
		with func(*during, *backends.Server)
	}
	for _, s := range []story{
		{trial: trial{name: "Undisturbed", load: &load{records: n}}},
		{trial: trial{name: "Oversize", load: &load{records: n, big: 1000}}},
		{trial: trial{name: "Killed", load: &load{records: n}, repeats: true}, with: func(d *during, s *backends.Server) {
			for _, part := range []float64{0.2, 0.6} {
				d.until(part)
				s.Kill()
				s.Start()
			}
		}},
		{trial: trial{name: "Down", load: &load{records: n}, repeats: true}, with: func(d *during, s *backends.Server) {
			d.until(0.3)
			s.Stop()
			d.pause(short(10*time.Minute, 5*time.Second))
			s.Start()
		}},
	} {
		if !procs.Long() && s.name != "Killed" {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			server := backends.StartKafka(t)
			if s.with != nil {
				s.disturb = func(_ *testing.T, d *during) { s.with(d, server) }
			}
			brokers := []string{server.Addr}
			s.run(t, "kafka", procs.M{"brokers": brokers, "retry_on_failure": procs.M{"max_interval": "2s"}},
				func(documents map[string]string) held { return topics(t, brokers, documents) })
		})
	}
}

// TestKafkaCluster kills the leader of a partition again and again, and brings it back.
func TestKafkaCluster(t *testing.T) {
	if procs.Long() {
		t.Parallel()
	}
	every, kills := short(20*time.Second, 5*time.Second), 2
	l := &load{records: records(), over: 20 * time.Second}
	if procs.Long() {
		kills, l.over = 15, 310*time.Second
	}
	cluster := backends.StartKafkaCluster(t)
	tr := trial{load: l, repeats: true, disturb: func(t *testing.T, d *during) {
		d.until(0.02)
		for range kills {
			began := time.Now()
			at := cluster.Leader("saas.events", 0)
			cluster.KillNode(at)
			d.pause(every / 4)
			cluster.StartNode(at)
			cluster.AwaitInSync("saas.events", 0)
			d.pause(every - time.Since(began))
		}
	}}
	brokers := cluster.Brokers()
	tr.run(t, "kafka", procs.M{"brokers": brokers, "retry_on_failure": procs.M{"max_interval": "2s"}},
		func(documents map[string]string) held { return topics(t, brokers, documents) })
}
