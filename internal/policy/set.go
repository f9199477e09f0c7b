package policy

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cel.dev/cel-go/cel"

	"github.com/longshore-dev/longshore/internal/event"
)

// Set is compiled policies.
type Set struct {
	rules []*rule
	reads map[string]paths // by root
	pool  sync.Pool        // of *record
	bad   atomic.Bool      // a condition failed
}

// rule is a policy that can be asked.
type rule struct {
	Policy
	prog    cel.Program
	counter *counter
	stats   stats
	bad     *atomic.Bool // of the set
}

type stats struct {
	matches, missing, failed atomic.Int64
	first                    atomic.Pointer[string]
}

// Stat is what became of a policy's evaluations.
type Stat struct {
	Policy  string
	Matches int64
	Missing int64  // the condition asked for a field the record lacks
	Failed  int64  // the condition failed otherwise, or cost too much
	Error   string // the first such failure
}

// Compile checks and compiles policies; mode is that of a policy that says none. The error names everything that is wrong.
func Compile(ps []Policy, mode string) (*Set, error) {
	ps, err := prepare(ps, mode)
	if err != nil {
		return nil, err
	}
	env, err := newEnv()
	if err != nil {
		return nil, err
	}
	s := &Set{reads: map[string]paths{}}
	var all paths
	var errs []error
	for i := range ps {
		prog, reads, err := compile(env, &ps[i])
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r := &rule{Policy: ps[i], prog: prog, bad: &s.bad}
		if t := ps[i].Threshold; t != nil {
			r.counter = newCounter(*t)
		}
		s.rules = append(s.rules, r)
		all = append(all, reads...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, path := range all.shortest() {
		root, _, _ := strings.Cut(path, ".")
		s.reads[root] = append(s.reads[root], path)
	}
	s.pool.New = func() any { return &record{fresh: s.reads, roots: map[string]any{}} }
	return s, nil
}

// Policies lists the policies, with the defaults filled in.
func (s *Set) Policies() []Policy {
	out := make([]Policy, len(s.rules))
	for i, r := range s.rules {
		out[i] = r.Policy
	}
	return out
}

// Stats says how the policies did.
func (s *Set) Stats() []Stat {
	out := make([]Stat, len(s.rules))
	for i, r := range s.rules {
		out[i] = Stat{Policy: r.Name, Matches: r.stats.matches.Load(), Missing: r.stats.missing.Load(), Failed: r.stats.failed.Load()}
		if e := r.stats.first.Load(); e != nil {
			out[i].Error = *e
		}
	}
	return out
}

// Failing says whether a condition ever failed other than for a missing field.
func (s *Set) Failing() bool { return s.bad.Load() }

// Match gives the policies that hold for a record, in their order. A threshold counts the record.
func (s *Set) Match(w event.View, now time.Time) []*Policy {
	kinds := kindsOf(w)
	if len(kinds) == 0 || len(s.rules) == 0 {
		return nil
	}
	module, tenant := w.Str("event.module"), w.Str("saas.tenant")
	var out []*Policy
	var rec *record
	for _, r := range s.rules {
		if !slices.Contains(kinds, r.Kind) || !r.holdsFor(module, tenant) {
			continue
		}
		if rec == nil {
			rec = s.pool.Get().(*record)
			rec.w, rec.now = w, now
		}
		if r.holds(rec) && r.often(w, module, tenant) {
			r.stats.matches.Add(1)
			out = append(out, &r.Policy)
		}
	}
	if rec != nil {
		clear(rec.roots)
		rec.w = event.View{}
		s.pool.Put(rec)
	}
	return out
}

// foundInContent is event.action of a finding in content. The file's own record says it as well, with all other findings, so that a
// policy about files is asked once.
const foundInContent = "content_match"

// kindsOf says which kinds of policies look at a record: none at the agent's own (receipts, health), at the end of a walk,
// and at what is gone.
func kindsOf(w event.View) []string {
	switch w.Str("event.dataset") {
	case "saas.action", "saas.agent":
		return nil
	}
	switch w.Str("event.kind") {
	case "event":
		return activityOnly
	case "alert":
		if w.Str("event.action") != foundInContent && (w.Str("saas.file.id") != "" || w.Str("file.name") != "") {
			return activityAndFile
		}
		return activityOnly
	case "asset":
		if w.Str("entity.id") == "" || w.Log.EventName() == "entity.delete" || slices.Contains(w.Strs("event.type"), "deletion") {
			return nil
		}
		return entityKinds[w.Str("entity.type")]
	}
	return nil
}

var (
	activityOnly    = []string{Activity}
	activityAndFile = []string{Activity, File}
	entityKinds     = map[string][]string{
		"user": {Account}, "group": {Account}, "service_account": {Account}, "role_assignment": {Account}, "credential": {Account},
		"device": {Account}, "app_grant": {App}, "application": {App}, "file": {File}, "container": {File},
	}
)

// quoted is how failures quote values, with a quote left open where the value is long.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?`)

const maxFailure = 300 // bytes

// holds evaluates the condition. An error is no: a missing field, or a failure that is counted and kept for people.
func (r *rule) holds(rec *record) bool {
	out, _, err := r.prog.Eval(rec)
	if err != nil {
		if text := err.Error(); strings.Contains(text, "no such key") || strings.Contains(text, "no such attribute") {
			r.stats.missing.Add(1)
			return false
		}
		r.fail(err.Error())
		return false
	}
	yes, ok := out.Value().(bool)
	if !ok {
		r.fail("the condition gives " + out.Type().TypeName() + ", not true or false")
	}
	return yes
}

// fail counts a failure and keeps its words, without what the record holds: failures are logged.
func (r *rule) fail(text string) {
	r.stats.failed.Add(1)
	if r.stats.first.Load() != nil {
		return
	}
	if text = quoted.ReplaceAllString(text, `"…"`); len(text) > maxFailure {
		text = strings.ToValidUTF8(text[:maxFailure], "") + "…"
	}
	r.stats.first.CompareAndSwap(nil, &text)
	r.bad.Store(true)
}

// often says whether the threshold, if there is one, is reached with this record.
func (r *rule) often(w event.View, module, tenant string) bool {
	if r.counter == nil {
		return true
	}
	key := module + "\x00" + tenant
	if by := r.Threshold.By; by != "" {
		val, ok := w.Get(by)
		text := word(val)
		if !ok || text == "" {
			r.stats.missing.Add(1)
			return false
		}
		key += "\x00" + text
	}
	at := w.Log.Timestamp()
	if at == 0 {
		at = w.Log.ObservedTimestamp()
	}
	return r.counter.add(key, w.DocID(), at.AsTime())
}
