package saas

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unsafe"

	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/event"
)

// agentDataset is where the agent tells of itself: gaps and records set aside.
const agentDataset = "saas.agent"

// run is the state of one reading of one part.
type run struct {
	mapper
	ctx      context.Context
	t        *core
	p        *part
	conn     *Conn
	cur      *event.Values       // of the row that the last reply gave
	fresh    map[uint64]struct{} // keys of records not yet accepted
	waits    []uint64            // and of those that another reading has
	twins    map[string]int
	items    []placedItem
	endings  []*part // whose entity is gone
	snap     *snapshot
	walked   bool // Done was called
	finished bool // a once-part was read whole: its last save ends it
	last     bool // Poll has ended: the save that follows is the run's last
	progress bool // something was accepted or committed
	failed   error
	moved    bool      // a mark was saved
	newest   time.Time // of the events accepted
	doubted  bool      // the walk lost too much to be believed alone
	spoilt   bool      // an object without a key was set aside in this walk
	open     *Reply
	// Of a Content stream:
	told     bool  // Emit was called
	judged   bool  // and the file judged, which ended the part
	rejected error // or not
	file     *File // whose verdicts are to be saved
	// Of a stream that leads to one: what was known of contents when the records that name them were handed on.
	known map[string]verdictRow
}

// placedItem is an item and what it hangs on.
type placedItem struct {
	Item
	from owner
}

func newRun(ctx context.Context, t *core, p *part) *Run {
	c := &Conn{conn{link: t.link, prio: 1 + int(p.st.Kind)}}
	if p.st.Kind == Content && t.isTouched(p) { // before all periodic work that draws on the same budget
		c.prio = prioWalk
	}
	r := &Run{Conn: c, run: run{ctx: ctx, t: t, p: p, conn: c, fresh: map[uint64]struct{}{}}}
	r.mapper.init(p.st, t.origin(p.st.Dataset))
	if p.st.Twins {
		r.twins = map[string]int{}
	}
	return r
}

func (r *run) send(ctx context.Context, q Req) (*Reply, error) {
	r.closeReply()
	rep, err := r.conn.do(ctx, q)
	if err != nil {
		return nil, err
	}
	rep.run, r.open = r, rep
	return rep, nil
}

func (r *run) closeReply() {
	if r.open != nil {
		r.open.in.Close()
		r.open = nil
	}
}

func (r *run) item() Item     { return r.p.row.Item }
func (r *run) now() time.Time { return r.t.link.vendorNow() }

func (r *run) since() time.Time { return later(r.p.row.Begun, r.p.row.Restart) }

func (r *run) mark(v any) bool {
	if len(r.p.row.Mark) == 0 {
		return false
	}
	if err := json.Unmarshal(r.p.row.Mark, v); err != nil {
		r.t.log.Warn("a stored mark cannot be read, the stream begins again", zap.String("part", r.p.rowName()), zap.Error(err))
		r.p.restart()
		return false
	}
	return true
}

// read gives the wanted values of raw: those found while the page was split, when raw is that row.
func (r *run) read(raw json.RawMessage) (*event.Values, error) {
	if r.cur != nil && len(raw) > 0 && len(raw) == len(r.cur.Raw) && unsafe.SliceData(raw) == unsafe.SliceData(r.cur.Raw) {
		return r.cur, nil
	}
	return r.fill(raw)
}

func (r *run) emit(key string, raw json.RawMessage) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	v, err := r.read(raw)
	if err != nil {
		return r.unread(raw, err)
	}
	if r.st.Kind == Content {
		return r.emitContent(key, v)
	}
	if key == "" {
		if key, err = r.key(v); err != nil {
			return r.unread(raw, err)
		}
	}
	if r.st.entity() {
		return r.emitEntity(key, v)
	}
	if r.twins != nil {
		n := r.twins[key]
		r.twins[key] = n + 1
		if n > 0 {
			key += "~" + strconv.Itoa(n) // unlike the number of a record in its object
		}
	}
	h := keyHash(key)
	if r.dup(h) {
		r.st.stats.duplicates.Add(1)
		return nil
	}
	r.fresh[h] = struct{}{}
	items, err := r.mapRecord(v, byKey(key))
	if err != nil {
		r.unclaim(h)
		delete(r.fresh, h)
		return r.setAside(raw, err)
	}
	for _, it := range items {
		r.items = append(r.items, placedItem{Item: it})
	}
	return r.maybeHandOver()
}

func (r *run) emitEntity(key string, v *event.Values) error {
	now := r.now()
	hash := contentHash(v.Raw)
	old, send := r.snap.due(key, hash, now, r.t.cfg.ReportInterval)
	row := entityRow{Key: key, Hash: hash, Walk: r.p.row.Walk, Sent: now.Unix()}
	from := owner{r.st.Name, r.p.key, key}
	var items []Item
	if !send {
		row = *old
		row.Walk = r.p.row.Walk
		items = r.itemsOf(v) // which did not panic when it was sent
	} else {
		var err error
		before := r.batch.Len()
		items, err = r.mapRecord(v, func(rec *event.Record, n int) { r.describe(rec, numbered(key, n), hash) })
		if err != nil {
			if old != nil { // it is there, though it cannot be read
				row = *old
				row.Walk = r.p.row.Walk
				r.snap.stamp(row)
			}
			return r.setAside(v.Raw, err)
		}
		if rec := r.first; rec != nil {
			row.Type, row.ID, row.Name = rec.Get("entity.type"), rec.Get("entity.id"), rec.Get("entity.name")
			if rec.Deleted() {
				if old == nil { // never told of, or told of its end already
					r.batch.Cut(before)
					return nil
				}
				r.snap.drop(key)
				r.endings = append(r.endings, r.t.hangingOn(from, nil)...)
				return r.maybeHandOver()
			}
		}
		if old != nil {
			r.endings = append(r.endings, r.t.hangingOn(from, items)...)
		}
	}
	r.snap.stamp(row)
	for _, it := range items {
		r.items = append(r.items, placedItem{Item: it, from: from})
		r.endings = slices.DeleteFunc(r.endings, func(p *part) bool { return p.st.Name == it.Stream && p.key == it.Key })
	}
	return r.maybeHandOver()
}

// describe adds what the walk knows. The id of a state document is its key, the number of saves before it and its content:
// what is repeated because it was not saved is the same document, a state that comes back later is another one.
func (r *run) describe(rec *event.Record, key string, content uint64) {
	hash := strconv.FormatUint(content, 16)
	rec.ID(r.stateID(key) + ":" + hash)
	rec.Str("saas.inventory.run_id", r.walkID())
	rec.Str("saas.inventory.content_hash", hash)
	if rec.NoTime() {
		rec.Time(r.now())
	}
}

func (r *run) stateID(key string) string {
	return r.st.Name + "/" + r.p.key + "/" + key + "@" + strconv.Itoa(r.p.row.Saves)
}

func (r *run) walkID() string {
	id := r.st.Name + "#" + strconv.Itoa(r.p.row.Walk)
	if r.p.key != "" {
		id = r.st.Name + "/" + r.p.key + "#" + strconv.Itoa(r.p.row.Walk)
	}
	return id
}

func contentHash(raw []byte) uint64 {
	sum := sha256.Sum256(raw)
	return binary.BigEndian.Uint64(sum[:8])
}

// unread sets aside an object without a key. Which entity it was is unknown, so nothing counts as gone in this walk.
func (r *run) unread(raw json.RawMessage, why error) error {
	r.spoilt = true
	return r.setAside(raw, why)
}

// setAside hands on a malformed object with the reason, once, and goes on with the rest of the page.
func (r *run) setAside(raw json.RawMessage, why error) error {
	sum := sha256.Sum256(raw)
	id := "aside:" + r.st.Name + "/" + r.p.key + ":" + hex.EncodeToString(sum[:15])
	h := keyHash(id)
	if _, dup := r.fresh[h]; dup || r.st.seen(h) {
		return nil
	}
	r.fresh[h] = struct{}{}
	r.st.stats.setAside.Add(1)
	v := event.Values{Raw: raw}
	if !json.Valid(raw) { // a body must be a document: keep the bytes as base64
		v.Raw, _ = json.Marshal(map[string]string{"base64": base64.StdEncoding.EncodeToString(raw)})
	}
	rec := r.batch.Add(nil, &v)
	r.t.aboutItself(rec, r.st.Name, "record_set_aside", id)
	rec.Str("event.outcome", "failure")
	rec.Str("error.message", why.Error())
	rec.Time(r.now())
	return r.maybeHandOver()
}

func (r *run) gap(from, to time.Time, why string) {
	r.st.stats.gaps.Add(1)
	body, _ := json.Marshal(map[string]any{"stream": r.st.Name, "part": r.p.key, "from": from, "to": to, "reason": why})
	rec := r.batch.Add(nil, &event.Values{Raw: body})
	r.t.aboutItself(rec, r.st.Name, "gap", "gap:"+r.st.Name+"/"+r.p.key+"/"+from.UTC().Format(time.RFC3339Nano))
	rec.Str("event.reason", why)
	rec.Date("event.start", from)
	rec.Date("event.end", to)
	rec.Time(r.now())
	r.t.log.Warn("a stretch of the stream is lost for good", zap.String("stream", r.st.Name), zap.String("part", r.p.key),
		zap.Time("from", from), zap.Time("to", to), zap.String("reason", why))
}

func (r *run) put(it Item) {
	r.items = append(r.items, placedItem{Item: it, from: owner{Stream: r.st.Name, Part: r.p.key}})
}

func (r *run) done() { r.walked = true }

// quiet reports whether nothing waits to be handed on or saved.
func (r *run) quiet() bool { return r.batch.Len() == 0 && len(r.fresh) == 0 && len(r.items) == 0 }

func (r *run) maybeHandOver() error {
	if r.batch.Size() < r.t.cfg.BatchBytes && len(r.items) < maxItems {
		return nil
	}
	return r.handOver(nil, false)
}

func (r *run) commit(mark any) error {
	var val json.RawMessage
	if mark != nil {
		b, err := json.Marshal(mark)
		if err != nil {
			return fmt.Errorf("save mark of %q: %w", r.p.rowName(), err)
		}
		val = b
	}
	if r.walked && r.st.entity() {
		if err := r.endWalk(); err != nil {
			return err
		}
	}
	return r.handOver(val, true)
}

// endWalk reports what a complete walk no longer saw, and that it was complete.
func (r *run) endWalk() error {
	row := &r.p.row
	gone, doubtful := r.snap.unseen(row.Walk)
	if (r.spoilt || row.Spoilt == row.Walk) && len(gone) > 0 {
		r.t.log.Warn("a walk held objects that cannot be read: deletes wait for the next walk", zap.String("part", r.p.rowName()))
		gone, doubtful = nil, false
	}
	if doubtful {
		lost := len(gone)
		gone = slices.DeleteFunc(gone, func(g *entityRow) bool { return row.Doubt != row.Walk-1 || g.Walk >= row.Doubt })
		if r.doubted = len(gone) < lost; r.doubted {
			r.t.log.Warn("a walk lost over half of what was there: deletes wait for the next walk to agree",
				zap.String("part", r.p.rowName()), zap.Int("lost", lost), zap.Int("known", len(r.snap.rows)))
		}
	}
	for _, g := range gone {
		if err := r.report(r.st, g); err != nil {
			return err
		}
		r.snap.drop(g.Key)
		r.endings = append(r.endings, r.t.hangingOn(owner{r.st.Name, r.p.key, g.Key}, nil)...)
	}
	if r.st.Over != "" {
		return nil
	}
	body, _ := json.Marshal(map[string]any{"stream": r.st.Name, "walk": row.Walk, "count": len(r.snap.rows), "deleted": len(gone)})
	rec := r.batch.Add(nil, &event.Values{Raw: body})
	rec.Str("event.kind", "state")
	rec.Str("event.action", "inventory.complete")
	rec.ID(r.walkID() + "@complete")
	rec.Str("saas.inventory.run_id", r.walkID())
	rec.Bool("saas.inventory.complete", true)
	rec.Int("saas.inventory.count", int64(len(r.snap.rows)))
	rec.Int("saas.inventory.deleted", int64(len(gone)))
	rec.Time(r.now())
	return nil
}

// report hands on that an entity is gone.
func (r *run) report(st *streamState, g *entityRow) error {
	body, _ := json.Marshal(map[string]string{"type": g.Type, "id": g.ID, "name": g.Name})
	rec := r.batch.Add(nil, &event.Values{Raw: body})
	rec.Dataset(st.Dataset)
	rec.Entity(g.Type, g.ID)
	rec.Str("entity.name", g.Name)
	rec.Delete()
	rec.ID(r.stateID(g.Key) + ":deleted")
	rec.Str("saas.inventory.run_id", r.walkID())
	rec.Time(r.now())
	return r.maybeHandOver()
}
