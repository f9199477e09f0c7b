package box

import (
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

func TestEveryStreamIsDeliveredByRequestsThatBoxDescribes(t *testing.T) {
	for _, variant := range []string{"", "jwt"} { // users, files, events and rights as the agent asks for them
		check := simtest.Spec(t, simSpec, simExceptions)
		o := sim.Options{Seed: 4, Variant: variant, Events: 400, Users: 30, Files: 300, Late: 0.1, Start: fromNow(-20 * day), Span: 20 * day}
		inOffice(t, o, map[string]any{"streams": map[string]any{}}, nil, func(o *office) {
			o.pass(2 * time.Hour)
			for _, stream := range o.sim.Streams {
				if stream == "events" {
					o.whole()
				} else {
					o.delivered(stream)
				}
			}
			for _, c := range o.sim.Seen.All() {
				if c.Status == http.StatusTooManyRequests {
					t.Errorf("%q: %d requests above the limit", variant, c.N)
				}
			}
			for _, s := range o.tenant().Status().Streams {
				if s.Name != "content" && (s.Off != "" || s.LastError != "" || s.SetAside > 0) {
					t.Errorf("%q: %s: off %q, error %q, %d set aside", variant, s.Name, s.Off, s.LastError, s.SetAside)
				}
			}
		}, check.Handler)
		check.Done(t, false)
	}
}

// delivered checks that all that the fake publishes in a stream came, and once.
func (o *office) delivered(stream string) {
	o.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	var want []string
	o.sim.Published(stream, func(key string) bool { want = append(want, key); return true })
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(o.rows[stream])); !slices.Equal(got, want) || len(want) < 2 {
		o.Errorf("%s: %d keys delivered, %d published: %.300v and %.300v", stream, len(got), len(want), got, want)
	}
	for key, n := range o.rows[stream] {
		if n != 1 {
			o.Errorf("%s: %s came %d times", stream, key, n)
		}
	}
}

func TestEveryStreamOfTheFakeIsOneOfTheReceiver(t *testing.T) {
	s, err := newSim(sim.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	given := map[saas.Capability]bool{}
	for _, st := range streams(&Config{}) {
		if st.Kind != saas.Content {
			names = append(names, st.Name)
		}
		if st.Docs == "" || len(st.Needs) == 0 || len(st.Gives) == 0 || st.Dataset == "" {
			t.Errorf("%s does not say all that a stream says", st.Name)
		}
		for _, c := range st.Gives {
			given[c] = true
		}
	}
	if !slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(s.Streams))) {
		t.Errorf("the receiver has %v, the fake %v", names, s.Streams)
	}
	for _, c := range Provider.Covers {
		if c.Level == saas.None && given[c.Capability] || c.Level != saas.Has && c.Why == "" {
			t.Errorf("%s is %s because %q, streams give it: %v", c.Capability, c.Level, c.Why, given[c.Capability])
		}
		delete(given, c.Capability)
	}
	if len(given) > 0 {
		t.Errorf("streams give %v, which are not among the capabilities", given)
	}
}
