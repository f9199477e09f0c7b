package main

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/store"
)

// rawEvents are the events that a fake of Okta publishes, as it sends them to the token of a service account.
func rawEvents(t *testing.T, s *sim.Sim) iter.Seq[json.RawMessage] {
	t.Helper()
	key, _ := s.Config("http://127.0.0.1")["auth"].(obj)["token"].(string)
	if key == "" { // the fake was not made with such a token
		s, _ = fake(t, "okta", sim.Options{Events: s.Count("system_log"), Variant: "token"})
		key = s.Config("http://127.0.0.1")["auth"].(obj)["token"].(string)
	}
	return func(yield func(json.RawMessage) bool) {
		for url := "http://127.0.0.1/api/v1/logs?limit=1000&since=" + time.Now().Add(-48*time.Hour).UTC().Format(time.RFC3339); ; {
			r := httptest.NewRequest(http.MethodGet, url, nil)
			r.Header.Set("Authorization", "SSWS "+key)
			w := httptest.NewRecorder()
			s.Handler.ServeHTTP(w, r)
			var page []json.RawMessage
			if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
				t.Fatalf("status %d: %v", w.Code, err)
			}
			for _, raw := range page {
				if !yield(raw) {
					return
				}
			}
			if len(page) == 0 {
				return
			}
			next := regexp.MustCompile(`<([^>]+)>; rel="next"`).FindStringSubmatch(strings.Join(w.Header().Values("Link"), ","))
			url = next[1]
		}
	}
}

func TestSimPrintsAReceiverThatPollsIt(t *testing.T) {
	s := start(t, "sim", "--app", "okta", "--events", "50", "--users", "30")
	s.errs.until(t, "interrupt to stop")
	var printed struct{ Receivers obj }
	if err := yaml.Unmarshal([]byte(s.out.String()), &printed); err != nil || len(printed.Receivers) != 1 {
		t.Fatalf("%v in:\n%s", err, s.out)
	}
	path := file(t, "agent.yaml", pipeline(t.TempDir(), printed.Receivers, obj{"debug": obj{}}))
	code, out, errs := call(t, "", "check", "--config", path)
	if code != exitOK || !strings.Contains(out, "ok      okta/sim: connected as") {
		t.Errorf("check of what it printed: exit code %d\n%s%s", code, out, errs)
	}
	if code := s.end(t, 5*time.Second); code != exitOK {
		t.Errorf("exit code %d after an interrupt", code)
	}
}

func TestSimServesTheEventsOfAFile(t *testing.T) {
	path := file(t, "events.jsonl", signIn+"\n"+`{"raw":`+strings.Replace(signIn, "f24790d0", "f24790d1", 1)+"}\n")
	s := start(t, "sim", "--app", "okta", "--replay", path)
	s.errs.until(t, "interrupt to stop")
	store := t.TempDir()
	var printed struct{ Receivers map[string]obj }
	if err := yaml.Unmarshal([]byte(s.out.String()), &printed); err != nil {
		t.Fatal(err)
	}
	rcv := printed.Receivers["okta/sim"]
	rcv["start_at"] = "2026-11-01T00:00:00Z"
	db := store + "/longshore.db"
	agent := start(t, "--config", file(t, "agent.yaml", pipeline(store, obj{"okta/sim": rcv}, obj{"sqlite": obj{"path": db}})))
	two := digest{2, sim.KeySum("f24790d0-d324-47f8-aac5-c27a31ab928d") + sim.KeySum("f24790d1-d324-47f8-aac5-c27a31ab928d")}
	holds(t, db, "okta/sim", func() map[string]digest { return map[string]digest{"system_log": two} })
	said, err := http.Get(rcv["endpoint"].(string) + "/-/published")
	if err != nil {
		t.Fatal(err)
	}
	defer said.Body.Close()
	body, err := io.ReadAll(said.Body)
	if want := fmt.Sprintf(`"system_log":{"objects":2,"sum":"%d"}`, two.sum); err != nil || !strings.Contains(string(body), want) {
		t.Errorf("%s, %v; want %s", body, err, want)
	}
	if code := agent.end(t, 10*time.Second); code != exitOK {
		t.Errorf("the agent ended with %d:\n%s", code, agent.errs)
	}
}

// holds waits until a store holds the wanted sets of keys, by stream.
func holds(t *testing.T, db, id string, want func() map[string]digest) {
	t.Helper()
	app, name, _ := strings.Cut(id, "/")
	a, err := (&program{set: settings()}).application(app)
	if err != nil {
		t.Fatal(err)
	}
	tenant := rehearsed{app: a, name: name}
	held, seq := newTally([]rehearsed{tenant}), int64(0)
	var r *store.Reader
	defer func() {
		if r != nil {
			_ = r.Close()
		}
	}()
	wait(t, func() string {
		if r == nil {
			if r, err = store.OpenReader(t.Context(), db); err != nil {
				r = nil
				return err.Error()
			}
		}
		if _, err := since(t.Context(), r, seq, func(n int64, doc []byte) error { seq = n; return held.add(doc) }); err != nil {
			t.Fatal(err)
		}
		for stream, want := range want() {
			if got := held.of(tenant).streams[stream]; got != want {
				return fmt.Sprintf("%s of %s: %d records with the sum %x, want %d with %x", stream, id, got.n, got.sum, want.n, want.sum)
			}
		}
		return ""
	})
}

// wait asks again until nothing is missing any more.
func wait(t *testing.T, missing func() string) {
	t.Helper()
	late := time.NewTimer(40 * time.Second)
	defer late.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		what := missing()
		if what == "" {
			return
		}
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("after 40 s: %s", what)
		}
	}
}

// all is what a fake has published by the time it is asked, in some streams or in every one.
func all(s *sim.Sim, streams ...string) func() map[string]digest {
	if len(streams) == 0 {
		streams = s.Streams
	}
	return func() map[string]digest {
		out := map[string]digest{}
		for _, name := range streams {
			n, sum := s.Digest(name)
			out[name] = digest{n, sum}
		}
		return out
	}
}
