package saastest

import (
	"slices"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// What a vendor is disturbed by, and for how long it is watched.
const (
	lateShare  = 0.03
	againShare = 0.01
	watched    = 7 * 24 * time.Hour
	unhurry    = time.Hour      // between readings of events, or a week would take a million requests
	unwatched  = 24 * time.Hour // between walks
)

// disturbed: 3 % of the events come late by up to the documented lag, 1 % come again days later where the vendor is known to do
// that, newest-first pages shift because events go on coming, and the process dies at a hand-over or a save every half day: what
// was published came out, and what it cost is the requests more than in the same days without all that.
func (s *suite) disturbed(t *testing.T) {
	if testing.Short() {
		t.Skip("a week takes long")
	}
	calm, _ := s.days(t, sim.Options{}, false)
	rough, on := s.days(t, sim.Options{Late: lateShare, Again: againShare}, true)
	deaths, repeated := 0, 0
	for _, died := range rough.died {
		if died {
			deaths++
		}
	}
	for _, n := range rough.out.times {
		repeated += n - 1
	}
	if deaths < 3 {
		t.Errorf("%d deaths: the case shows little", deaths)
	}
	t.Logf("%d deaths, %d records repeated after them; %d requests, %d in the same days without disturbance", deaths, repeated,
		len(rough.hits), len(calm.hits))
	for _, st := range s.streams {
		if n := rough.sim.Count(st.Name); st.Kind < saas.Accounts && slices.Contains(on, st.Name) {
			t.Logf("%s: %d published and delivered", st.Name, n)
		}
	}
	if len(rough.hits) > 2*len(calm.hits)+1000 {
		t.Errorf("%d requests, %d without disturbance", len(rough.hits), len(calm.hits))
	}
}

// days is a tenant that was watched for days in which its first day's events came, and which of its streams were on.
func (s *suite) days(t *testing.T, o sim.Options, deadly bool) (_ *bench, on []string) {
	t.Helper()
	with := usual(600, 2)
	with.Start, with.Span, with.Late, with.Again, with.MaxLag = time.Now().Add(-time.Hour), 25*time.Hour, o.Late, o.Again, 0
	slow := map[string]any{}
	for _, st := range s.streams {
		every := unhurry
		if st.Kind >= saas.Accounts {
			every = unwatched
		}
		if st.Every > 0 && st.Every < every {
			slow[st.Name] = map[string]any{"interval": every}
		}
	}
	b := newBench(t, s.p, settings{opts: with, tune: unhurried, keys: map[string]any{"streams": slow, "batch_bytes": 16384}})
	rnd := sim.NewRand(11)
	for end := time.Now().Add(watched); time.Now().Before(end); {
		if deadly {
			b.fatal = &death{s.somePoint(rnd), 1 + rnd.N(4)}
		}
		b.start()
		for half := time.Now().Add(12 * time.Hour); time.Now().Before(half); {
			if elapse(10 * time.Minute); b.dead.Load() {
				b.fatal = nil
				b.restart()
			}
		}
		b.stop()
	}
	b.fatal = nil
	b.start()
	b.drain(24 * time.Hour)
	b.whole()
	b.once()
	on = b.on()
	b.stop()
	return b, on
}

// somePoint is a moment of an event's way at which a process can die.
func (s *suite) somePoint(rnd *sim.Rand) point {
	at := sim.Pick(rnd, slices.DeleteFunc(s.moments(), func(at point) bool {
		kind := s.stream(at.stream).Kind
		return kind < 0 || kind >= saas.Accounts
	}))
	at.after = rnd.N(2) == 0
	return at
}
