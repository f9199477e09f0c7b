package procs

import (
	"crypto/tls"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// M is a part of a configuration.
type M = map[string]any

// Sim is the fake of an application in a process of its own.
type Sim struct {
	*Proc
	Base     string
	Receiver M // what it says polls it
}

// StartSim serves the fake of an application; the arguments are those of `longshore sim`.
func StartSim(t testing.TB, app string, args ...string) *Sim {
	t.Helper()
	last := "storage:" // what it prints last
	if slices.Contains(args, "--tls-cert") {
		last = "ca_file:"
	}
	lines := make(chan string, 1000)
	p := run(t, func(l string) { lines <- l }, nil, nil, Binary(t), append([]string{"sim", "--app", app}, args...)...)
	var text strings.Builder
	Until(t, "the fake to serve", 30*time.Second, func() bool {
		if p.Ended() {
			t.Fatalf("the fake ended: %s", p.Said())
		}
		for len(lines) > 0 {
			text.WriteString(<-lines + "\n")
		}
		return strings.Contains(p.Said(), "serving ") && strings.Contains(text.String(), last)
	})
	var said struct{ Receivers map[string]M }
	if err := yaml.Unmarshal([]byte(text.String()), &said); err != nil || len(said.Receivers) != 1 {
		t.Fatalf("the fake printed no receiver: %v\n%s", err, text.String())
	}
	s := &Sim{Proc: p}
	for _, r := range said.Receivers {
		s.Receiver, s.Base = r, r["endpoint"].(string)
	}
	return s
}

// Published is what the fake says it has published so far, by stream; the events of several streams are one, "events".
func (s *Sim) Published() map[string]Counts {
	s.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	at, err := url.Parse(s.Base)
	if err != nil {
		s.t.Fatal(err)
	}
	at.Path = "/-/published"
	r, err := client.Get(at.String()) // of a process of this test: its certificate proves nothing
	if err != nil {
		s.t.Fatalf("ask the fake: %v\n%s", err, s.Said())
	}
	defer r.Body.Close()
	var said map[string]struct {
		Objects int
		Sum     uint64 `json:",string"`
	}
	if err := json.NewDecoder(r.Body).Decode(&said); err != nil {
		s.t.Fatal(err)
	}
	out := map[string]Counts{}
	for name, d := range said {
		out[name] = Counts{Objects: d.Objects, ObjectSum: d.Sum}
	}
	return out
}

// With is a copy of a part with some keys set.
func (s *Sim) With(set M) M {
	r := maps.Clone(s.Receiver)
	maps.Copy(r, set)
	return r
}

// Pipeline is what a collector runs: one pipeline of logs.
type Pipeline struct {
	Dir                              string // of its state
	Receivers, Processors, Exporters M
	Order                            []string // of the processors
	Extensions                       M        // beside file_storage
}

// config writes the configuration into the pipeline's folder.
func (l Pipeline) config(t testing.TB) string {
	t.Helper()
	ext := M{"file_storage": M{"directory": filepath.Join(l.Dir, "state"), "fsync": true, "create_directory": true}}
	maps.Copy(ext, l.Extensions)
	keys := func(m M) []string { return slices.Sorted(maps.Keys(m)) }
	text, err := json.MarshalIndent(M{"extensions": ext, "receivers": l.Receivers, "processors": l.Processors, "exporters": l.Exporters,
		"service": M{"extensions": keys(ext), "telemetry": M{"metrics": M{"level": "none"}, "logs": M{"encoding": "json"}},
			"pipelines": M{"logs": M{"receivers": keys(l.Receivers), "processors": l.Order, "exporters": keys(l.Exporters)}}}}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(l.Dir, "agent.yaml") // JSON is YAML
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "$", "$$")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Start runs the collector. Started again with the same folder, it goes on from there.
func (l Pipeline) Start(t testing.TB, env ...string) *Proc {
	t.Helper()
	return run(t, nil, nil, env, Binary(t), "--config", l.config(t))
}

// ToSink is the exporter that sends to a sink, without a queue: what it acknowledged, the sink has.
func ToSink(s *Sink) M {
	return M{"endpoint": s.Base, "sending_queue": M{"enabled": false}, "compression": "none"}
}
