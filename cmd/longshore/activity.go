package main

import (
	"cmp"
	"slices"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// allEvents is how the events of several streams are counted together: a record does not say by which stream it came, and some
// events come by more than one.
const allEvents = "events"

// activity is what an application has of events.
type activity struct {
	streams  map[string]string // each with the richer one for which it is off
	datasets map[string]bool
}

// activityOf asks a provider for it.
func activityOf(p *saas.Provider) activity {
	streams, err := p.Declared()
	if err != nil {
		return activity{}
	}
	a, over := activity{map[string]string{}, map[string]bool{}}, map[string]string{} // over: what reads the parts that a list leads to
	for _, st := range streams {
		if st.Over != "" {
			over[st.Over] = st.Name
		}
	}
	for _, st := range streams {
		if st.Kind < saas.Accounts {
			a.streams[st.Name], a.datasets[st.Dataset] = cmp.Or(over[st.Unless], st.Unless), true
		}
	}
	for set := range p.Datasets {
		a.datasets[set] = true
	}
	delete(a.datasets, "")
	for _, st := range streams {
		if st.Kind >= saas.Accounts {
			delete(a.datasets, st.Dataset)
		}
	}
	return a
}

// together says whether the events of all streams are counted as one.
func (a application) together() bool { return len(a.events().streams) > 1 }

// eventOf is where an event is counted, and its key. An object of which several records were made counts once.
func (a application) eventOf(d *document) (stream, key string) {
	switch {
	case !a.together():
		return a.Datasets[d.Event.Dataset], d.Event.ID
	case a.events().datasets[d.Event.Dataset]:
		return allEvents, saas.ObjectKey(d.Event.ID)
	}
	return "", ""
}

// published are the sets of keys that a simulated tenant published, by where they are counted.
func (r rehearsed) published() map[string]digest {
	all, want := &sim.Sim{Published: r.keys}, map[string]digest{}
	for _, name := range r.names() {
		if n, sum := all.Digest(name); n > 0 || name != contentStream {
			want[name] = digest{n, sum}
		}
	}
	return want
}

// names are where the keys of a simulated tenant are counted, in the fake's order.
func (r rehearsed) names() (names []string) {
	for _, name := range append(slices.Clone(r.sim.Streams), contentStream) {
		if _, ok := r.app.events().streams[name]; ok && r.app.together() {
			name = allEvents
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// keys calls f for the keys that are counted under a name, each once, until f returns false.
func (r rehearsed) keys(name string, f func(key string) bool) {
	if name != allEvents || !r.app.together() {
		r.sim.Published(name, f)
		return
	}
	on, f := true, once(f)
	for _, st := range r.sim.Streams {
		richer, ok := r.app.events().streams[st]
		if !ok || !on || slices.Contains(r.sim.Streams, richer) {
			continue
		}
		r.sim.Published(st, func(key string) bool { on = f(key); return on })
	}
}

// once is f for each key the first time that it comes: some vendors publish an event twice, or in two streams.
func once(f func(key string) bool) func(key string) bool {
	seen := map[uint64]bool{}
	return func(key string) bool {
		sum := sim.KeySum(key)
		if seen[sum] {
			return true
		}
		seen[sum] = true
		return f(key)
	}
}
