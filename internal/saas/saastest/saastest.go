package saastest

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

// suite is what the cases share: what the first one learnt of the provider.
type suite struct {
	p       *saas.Provider
	streams []saas.Stream
	routes  map[string]string // "METHOD /pattern" that lists a stream's objects
	points  map[point]int     // of one life that reads everything
}

// Run checks that p keeps the promises of internal/saas, against its own fake. The numbers are the promises'; the bugs
// that others shipped are named at the cases that find them.
func Run(t *testing.T, p saas.Provider) {
	s := &suite{p: &p}
	for i, c := range []struct {
		name string
		run  func(*suite, *testing.T)
	}{
		{"1 first contact in order", (*suite).firstContact},
		{"2 killed anywhere nothing is lost", (*suite).kills},
		{"2 refused or failing nothing is lost", (*suite).refusals},
		{"3 late and unordered events arrive once", (*suite).late},
		{"3 late, again and killed for days", (*suite).disturbed},
		{"3 every page is read", (*suite).pages},
		{"4 activity passes walks", (*suite).priority},
		{"5 capacity is used and not exceeded", (*suite).capacity},
		{"5 every form of refusal is obeyed", (*suite).throttled},
		{"5 idle polling is cheap", (*suite).idle},
		{"6 refused once means signed in again", (*suite).renewal},
		{"6 a bad tenant stops no other", (*suite).badTenant},
		{"6 a lost right turns one capability off", (*suite).lostRight},
		{"7 silence and cut answers end", (*suite).silence},
		{"7 nothing leaves the configured hosts", (*suite).elsewhere},
		{"8 memory does not depend on backlog", (*suite).memory},
		{"9 malformed records are set aside", (*suite).malformed},
		{"10 disabled within a second and across restarts", (*suite).disabled},
		{"11 deletes are found, unchanged is not sent again", (*suite).snapshots},
		{"11 a list that looks emptied is not believed at once", (*suite).massDelete},
		{"12 what an event touched is read next", (*suite).touchedFirst},
		{"12 unchanged content is read once", (*suite).contentOnce},
		{"12 a changed file is judged before the periodic work", (*suite).changedFirst},
		{"13 metrics tell of every stream", (*suite).metrics},
	} {
		t.Run(c.name, func(t *testing.T) {
			if s.routes == nil && i > 0 {
				t.Skip("the first case, which learns what the others need, did not run")
			}
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(epoch))
				c.run(s, t)
			})
		})
		if t.Failed() && s.routes == nil {
			return // a provider that does not deliver fails everything
		}
	}
}

// epoch is when the cases begin: a bubble's own beginning is before what readers of time stamps take for one.
var epoch = time.Date(2026, 11, 2, 9, 30, 17, 0, time.UTC)

// firstContact: permissions, then users, then the rest; activity at once though users cannot be listed; every first full
// scan ends with a record that it was complete.
func (s *suite) firstContact(t *testing.T) {
	b := newBench(t, s.p, settings{opts: usual(60, 6), tune: unhurried})
	b.answers, b.fsync = map[string][]byte{}, true
	b.start()
	b.drain(time.Hour)
	b.wait(time.Hour, "walk everything", func() bool { return len(b.unwalked()) == 0 })
	b.whole()
	b.once()
	s.streams, s.points = b.streams, maps.Clone(b.points)
	if b.out.recs[0].action != "permissions_read" {
		t.Errorf("the first record is %q, want the permissions", b.out.recs[0].id)
	}
	if n := b.count(func(r *record) bool { return r.deleted }); n > 0 {
		t.Errorf("%d entities deleted by the first walk", n)
	}
	accounts := time.Time{} // when the lists of accounts had come
	for _, r := range b.out.recs {
		if st := s.stream(r.stream); r.action == "inventory.complete" && st.Kind == saas.Accounts && r.at.After(accounts) {
			accounts = r.at
		}
	}
	for _, st := range s.streams {
		if at := b.first[st.Name]; st.Kind != saas.Accounts && !at.IsZero() && at.Before(accounts) {
			t.Errorf("%s was read %v before the accounts were listed", st.Name, accounts.Sub(at))
		}
		if _, ok := b.first[st.Name]; !ok && b.off(st.Name) == "" && slices.Contains(b.sim.Streams, st.Name) {
			t.Errorf("%s was never read", st.Name)
		}
	}
	s.learn(b)
	b.stop()

	users := s.routes[s.first(saas.Accounts)]
	if users == "" || s.activity() == "" {
		return
	}
	slow := newBench(t, s.p, settings{opts: usual(60, 6), tune: unhurried})
	slow.sim.Faults.Share(1, users+"$", hang)
	slow.start()
	slow.wait(time.Minute, "activity though the users hang", func() bool {
		return slow.count(func(r *record) bool {
			return r.key != "" && s.stream(r.stream).Kind < saas.Accounts && s.stream(r.stream).Kind >= 0
		}) > 0
	})
}

// learn finds the routes that list a stream's objects, by looking for its raw objects in the answers, else for fragments.
func (s *suite) learn(b *bench) {
	s.routes = map[string]string{}
	for route, answer := range b.answers {
		b.answers[route] = unpacked(answer)
	}
	for _, found := range []func(answer, raw string) bool{strings.Contains, holdsText, holdsPart} {
		for stream, raws := range b.out.raws {
			for _, raw := range raws {
				for _, route := range slices.Sorted(maps.Keys(b.answers)) {
					if s.stream(stream).Kind >= 0 && s.routes[stream] == "" && found(string(b.answers[route]), raw) {
						s.routes[stream] = route
					}
				}
			}
		}
	}
	if s.stream(s.feed()).Every == 0 {
		s.learnLists(b)
	}
}

// learnLists finds, where all that events come from is read once, the routes that list it: their answers have the keys of what
// was read.
func (s *suite) learnLists(b *bench) {
	for _, st := range s.streams {
		list := s.stream(st.Over)
		if st.Every > 0 || list.Kind < 0 || list.Kind >= saas.Accounts || s.routes[st.Name] == "" {
			continue
		}
		for _, route := range slices.Sorted(maps.Keys(b.answers)) {
			if s.routes[list.Name] == "" && b.lists(string(b.answers[route]), st.Name) {
				s.routes[list.Name] = route
			}
		}
	}
}

// lists reports whether an answer has the keys of all parts of a stream that were read.
func (b *bench) lists(answer, stream string) bool {
	return !slices.ContainsFunc(b.order, func(o turn) bool {
		key, ok := strings.CutPrefix(o.part, stream+"/")
		text, _ := json.Marshal(key) // a text has a JSON form
		return ok && !strings.Contains(answer, string(text))
	})
}

// unpacked is an answer, or several, without gzip.
func unpacked(answer []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(answer))
	if err != nil {
		return answer
	}
	plain, _ := io.ReadAll(z) // as far as it goes
	return plain
}

// holdsText reports whether an answer has an object as the text of a member.
func holdsText(answer, raw string) bool {
	text, _ := json.Marshal(raw) // a text has a JSON form
	return strings.Contains(answer, string(text[1:len(text)-1]))
}

// holdsPart reports whether an answer has the largest fragment of an object that was joined.
func holdsPart(answer, raw string) bool {
	var parts map[string]json.RawMessage
	if json.Unmarshal([]byte(raw), &parts) != nil {
		return false
	}
	largest := ""
	for _, p := range parts {
		if len(p) > len(largest) && p[0] == '{' {
			largest = string(p)
		}
	}
	return len(largest) > 32 && strings.Contains(answer, largest)
}

func (s *suite) stream(name string) *saas.Stream {
	for i := range s.streams {
		if s.streams[i].Name == name {
			return &s.streams[i]
		}
	}
	return &saas.Stream{Kind: -1}
}

// first is the first root stream of the kind whose route is known, "" = none.
func (s *suite) first(k saas.Kind) string {
	for _, st := range s.streams {
		if st.Kind == k && st.Over == "" && s.routes[st.Name] != "" {
			return st.Name
		}
	}
	return ""
}

// activity is the first stream of events whose route is known.
func (s *suite) activity() string { return s.eventful(func(*saas.Stream) bool { return true }) }

// feed is the first that asks there again and again, if there is one.
func (s *suite) feed() string {
	return cmp.Or(s.eventful(func(st *saas.Stream) bool { return st.Every > 0 }), s.activity())
}

func (s *suite) eventful(ok func(*saas.Stream) bool) string {
	for _, k := range []saas.Kind{saas.SignIn, saas.Audit} {
		for i := range s.streams {
			if st := &s.streams[i]; st.Kind == k && s.routes[st.Name] != "" && ok(st) {
				return st.Name
			}
		}
	}
	return ""
}

// unhurried lifts the quotas: what a case is not about should not take its time.
func unhurried(inst *saas.Instance) {
	for i := range inst.Budgets {
		inst.Budgets[i].Limit *= 1000
	}
}
