package saastest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// output is what the next component accepted. Of bodies it keeps those it was asked for: a backlog must fit.
type output struct {
	times   map[string]int // by record id
	keys    map[string]bool
	recs    []record
	batches []batch
	raws    map[string][]string // bodies by stream, while learning
	aside   []string            // bodies of what was set aside
	light   bool                // nothing but the keys, and no requests
}

// record is what the suite keeps of one.
type record struct {
	id, stream, part, key, action, hash string
	deleted                             bool
	at                                  time.Time // when it came out
	batch                               int
}

// batch is one hand-over.
type batch struct {
	stream, part string
	life, n      int
	bytes, most  int // of raw objects in all, of those that the largest object made
	ids          []string
}

func newOutput() output {
	return output{times: map[string]int{}, keys: map[string]bool{}, raws: map[string][]string{}}
}

var errRefused = errors.New("the next component is full")

// Capabilities and ConsumeLogs make the bench the receiver's next component.
func (b *bench) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs is consumer.Logs's.
func (b *bench) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if err := b.judge(logs); err != nil {
		return err
	}
	b.mu.Lock()
	by := b.by[ctx.Done()]
	b.mu.Unlock()
	bt, recs, raws := b.tell(logs, by)
	b.mu.Lock()
	refused := b.refuse != nil && b.refuse(&bt)
	b.mu.Unlock()
	if refused {
		return errRefused
	}
	return b.pass(false, bt.stream, func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		o := &b.out
		for i, r := range recs {
			o.times[r.id]++
			for _, k := range r.names() {
				o.keys[b.space(r.stream)+k] = true
			}
			if r.action == "record_set_aside" {
				o.aside = append(o.aside, raws[i])
			}
			if b.answers != nil {
				o.raws[bt.stream] = append(o.raws[bt.stream], raws[i])
			}
		}
		if !o.light {
			for i := range recs {
				recs[i].batch = len(o.batches)
			}
			o.recs, o.batches = append(o.recs, recs...), append(o.batches, bt)
		}
		return nil
	})
}

// tell tells what a batch holds.
func (b *bench) tell(logs plog.Logs, by reading) (bt batch, recs []record, raws []string) {
	of := map[string]int{} // bytes by raw object
	for v := range event.Views(logs) {
		r := record{id: strings.Clone(v.Str("event.id")), action: v.Str("event.action"), at: time.Now(),
			hash: v.Str("saas.inventory.content_hash"), deleted: v.Log.EventName() == "entity.delete"}
		if walk := v.Str("saas.inventory.run_id"); walk != "" && r.action == "inventory.complete" {
			r.stream = walk[:strings.LastIndexByte(walk, '#')]
		} else if walk != "" {
			r.stream, r.part, _ = strings.Cut(walk[:strings.LastIndexByte(walk, '#')], "/")
			r.key = strings.TrimPrefix(r.id, r.stream+"/"+r.part+"/")
			r.key = r.key[:max(0, strings.LastIndexByte(r.key, '@'))]
		} else if rest, ok := strings.CutPrefix(r.id, "content/"); ok {
			r.stream, r.part, _ = strings.Cut(rest, "/")
		} else if r.stream = eventStream(v, by); r.stream != "permissions" {
			r.key = r.id
			if of, ok := strings.CutPrefix(r.id, "gap:"+r.stream+"/"); ok && r.action == "gap" {
				r.part = of[:max(0, strings.LastIndexByte(of, '/'))]
			}
		}
		raw := v.Raw()
		of[raw] += len(raw)
		bt.bytes, bt.most = bt.bytes+len(raw), max(bt.most, of[raw])
		if len(recs) == 0 { // an event may make a record of another dataset besides
			bt.stream, bt.part = r.stream, cmp.Or(r.part, by.part)
		}
		bt.ids = append(bt.ids, r.id)
		recs, raws = append(recs, r), append(raws, raw)
	}
	bt.life, bt.n = b.life, len(recs)
	return bt, recs, raws
}

// eventStream is the stream of an event: that whose reading hands it on, or as the agent's own records say. Its dataset does not tell:
// streams may share one, and one may have several.
func eventStream(v event.View, by reading) string {
	data := v.Str("event.dataset")
	if data == "saas.agent" {
		return v.Str("event.provider")
	}
	return cmp.Or(by.stream, data)
}

// space is within what keys differ: one space for all events, whose datasets do not tell their stream, one for each stream
// of entities.
func (b *bench) space(stream string) string {
	for i := range b.streams {
		if b.streams[i].Name == stream && b.streams[i].Kind >= saas.Accounts {
			return stream + " "
		}
	}
	return "events "
}

// names are the spellings of a record's key that a fake may use.
func (r *record) names() []string {
	if r.stream == "" || r.key == "" {
		return nil
	}
	names := []string{r.key}
	if object := saas.ObjectKey(r.key); object != r.key {
		names = append(names, object)
	}
	if r.part != "" {
		names = append(names, r.part+"/"+r.key)
	}
	return names
}

// on lists the streams that the fake publishes and that must come out: what a failure turned off must, in the end, but for
// the one that the case turned off.
func (b *bench) on() (names []string) {
	for _, st := range b.tenant().Status().Streams {
		byFailure := strings.Contains(st.Off, saas.Invalid.String()) || strings.Contains(st.Off, saas.Denied.String()) && st.Name != b.denied
		if (st.Off == "" || byFailure) && slices.Contains(b.sim.Streams, st.Name) {
			names = append(names, st.Name)
		}
	}
	return names
}

// missing lists up to n keys that are published and did not come out.
func (b *bench) missing(n int) (out []string) {
	on := b.on()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, stream := range on {
		b.sim.Published(stream, func(key string) bool {
			if !b.out.keys[b.space(stream)+key] && !slices.ContainsFunc(b.out.aside, func(raw string) bool { return strings.Contains(raw, key) }) {
				out = append(out, stream+": "+key)
			}
			return len(out) < n
		})
	}
	return out
}

// off is why a stream is off, "" = it is on.
func (b *bench) off(stream string) string {
	for _, st := range b.tenant().Status().Streams {
		if st.Name == stream {
			return st.Off
		}
	}
	return "unknown"
}

// unwalked lists the streams of entities whose first full scan has not ended, with a record that says so.
func (b *bench) unwalked() (out []string) {
	status := b.tenant().Status().Streams
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, st := range b.streams {
		i := slices.IndexFunc(status, func(s saas.StreamStatus) bool { return s.Name == st.Name })
		told := slices.ContainsFunc(b.out.recs, func(r record) bool { return r.stream == st.Name && r.action == "inventory.complete" })
		if st.Kind >= saas.Accounts && st.Kind <= saas.Files && status[i].Off == "" && (!status[i].Complete || st.Over == "" && !told) {
			out = append(out, st.Name)
		}
	}
	return out
}

// count is how many records match.
func (b *bench) count(ok func(r *record) bool) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.out.recs {
		if ok(&b.out.recs[i]) {
			n++
		}
	}
	return n
}

// asked lists the requests of a route ("" = all) since a moment.
func (b *bench) asked(route string, since time.Time) (out []hit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.hits {
		if (route == "" || h.route == route) && !h.at.Before(since) {
			out = append(out, h)
		}
	}
	return out
}

// drain waits until all that is published came out.
func (b *bench) drain(most time.Duration) {
	b.t.Helper()
	b.wait(most, "drain", func() bool { return len(b.missing(1)) == 0 })
}

// whole checks that what came out is what was published: nothing lost, nothing made up.
func (b *bench) whole() {
	b.t.Helper()
	if lost := b.missing(5); len(lost) > 0 {
		b.t.Errorf("lost: %s; %s", strings.Join(lost, ", "), b.state())
	}
	known, spaces := map[string]bool{}, map[string]bool{}
	for _, stream := range b.sim.Streams {
		spaces[b.space(stream)] = true
		b.sim.Published(stream, func(key string) bool { known[b.space(stream)+key] = true; return true })
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.out.recs {
		space := b.space(r.stream)
		if !spaces[space] || r.action == "record_set_aside" || r.action == "gap" {
			continue
		}
		if names := r.names(); len(names) > 0 && !slices.ContainsFunc(names, func(k string) bool { return known[space+k] }) {
			b.t.Errorf("%s: %q came out and was never published", r.stream, r.id)
			return
		}
	}
}

// once checks that every record came out once, but for those that a death may repeat: of each part the last batch.
func (b *bench) once() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	excused, used := map[int]bool{}, map[string]int{}
	for i, bt := range slices.Backward(b.out.batches) {
		part := fmt.Sprint(bt.life, " ", bt.stream, "/", bt.part)
		if used[part]++; b.died[bt.life] && used[part] == 1 {
			excused[i] = true
		}
	}
	seen := map[string]int{}
	for _, r := range b.out.recs {
		if before, again := seen[r.id]; again && !excused[before] {
			b.t.Errorf("%s: %q came out %d times, and not because the last batch was repeated", r.stream, r.id, b.out.times[r.id])
			return
		}
		seen[r.id] = r.batch
	}
}

// state is the tenant in a line.
func (b *bench) state() string {
	var out []string
	if b.recv == nil {
		return "stopped"
	}
	s := b.tenant().Status()
	out = append(out, "health "+s.Health)
	for _, st := range s.Streams {
		if st.Off != "" || st.LastError != "" || st.Behind > 0 {
			out = append(out, fmt.Sprintf("%s: off %q, error %q, %d of %d parts behind", st.Name, st.Off, st.LastError, st.Behind, st.Parts))
		}
	}
	return strings.Join(append(out, b.missing(3)...), "; ")
}
