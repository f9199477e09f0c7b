package saas

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
)

const (
	maxItems   = 10_000          // of one hand-over, and unread once-parts of a stream before its parent waits
	lateMargin = 2 * time.Minute // behind the newest event seen, an event counts as late
	idleSave   = 5 * time.Minute // between saves of a part that finds nothing
	logFormat  = "application/json"
)

// handOver gives the batch to the next component and, once accepted, saves what belongs to it in one storage batch:
// keys, snapshot rows, items and, at a commit, the mark. A kill in between repeats this batch, which the keys then drop.
// After a failure nothing more is handed on or saved: a Poll that goes on regardless must not move the mark past what was lost.
func (r *run) handOver(mark json.RawMessage, commit bool) error {
	if r.failed == nil {
		r.failed = r.tryHandOver(mark, commit)
	}
	return r.failed
}

func (r *run) tryHandOver(mark json.RawMessage, commit bool) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if commit && len(r.waits) > 0 {
		if err := r.tryHandOver(nil, false); err != nil { // others may wait for it
			return err
		}
		if err := r.await(r.ctx); err != nil {
			return err
		}
	}
	if n := r.batch.Len(); n > 0 {
		if err := r.look(); err != nil {
			return err
		}
		err := func() error {
			defer r.lookAway()
			return r.consume(r.batch.Take(), n)
		}()
		if err != nil {
			return err
		}
	}
	ended := r.last || r.walked
	r.t.saving.Lock()
	defer r.t.saving.Unlock()
	if err := r.save(mark, commit); err != nil {
		return fmt.Errorf("save state of %q: %w", r.p.rowName(), err)
	}
	if commit && !ended && r.t.crowded(r.st) {
		return errCrowded // what was committed stands: the next reading goes on from it
	}
	return nil
}

// consume gives n records to the next component.
func (r *run) consume(logs plog.Logs, n int) error {
	newest := r.measure(logs)
	octx := r.t.obs.StartLogsOp(r.ctx)
	err := r.t.next.ConsumeLogs(octx, logs)
	r.t.obs.EndLogsOp(octx, logFormat, n, err)
	if err != nil {
		return fmt.Errorf("hand on %d records of %q: %w", n, r.p.rowName(), err)
	}
	r.progress = true
	r.newest = later(r.newest, newest)
	r.st.stats.accepted(int64(n), newest)
	return nil
}

// measure finds the newest event of a batch and counts the late ones.
func (r *run) measure(logs plog.Logs) (newest time.Time) {
	if r.st.Kind >= Accounts {
		return time.Time{}
	}
	edge := r.st.stats.newestSeen().Add(-lateMargin)
	late := int64(0)
	for _, res := range logs.ResourceLogs().All() {
		if set, ok := res.Resource().Attributes().Get("event.dataset"); ok && set.Str() == agentDataset {
			continue // made now, whenever what they tell of happened
		}
		for _, scope := range res.ScopeLogs().All() {
			for _, rec := range scope.LogRecords().All() {
				at := rec.Timestamp().AsTime()
				if at.Before(edge) {
					late++
				}
				newest = later(newest, at)
			}
		}
	}
	if r.p.row.Success != (time.Time{}) {
		r.st.stats.late.Add(late)
	}
	return newest
}

// save runs under t.saving.
func (r *run) save(mark json.RawMessage, commit bool) error {
	st, row := r.st, r.p.row
	now := r.now()
	st.mu.Lock()
	ops := slices.Clone(st.pending)
	keyOps, keysSaved := st.keys.save(now, slices.Collect(maps.Keys(r.fresh))...)
	st.mu.Unlock()
	ops = append(ops, keyOps...)
	ops, err := r.saveSnapshot(ops, &row, commit)
	if err != nil {
		return err
	}
	made, ops, err := r.saveItems(ops)
	if err != nil {
		return err
	}
	for _, e := range r.endings {
		ops = append(ops, storage.SetOperation(e.endName(), []byte{1}))
	}
	if r.spoilt {
		row.Spoilt = row.Walk
	}
	if commit {
		r.advance(&row, mark, now)
		if r.last {
			ops = append(ops, r.t.unTouch(r.p)...)
		}
	}
	if idle := len(ops) == 0 && mark == nil && !r.walked && !r.finished; idle && commit && now.Sub(r.p.row.Success) < idleSave {
		clear(r.twins)
		r.items, r.known = r.items[:0], nil
		r.p.row.Ran = row.Ran
		return nil
	}
	r.finished = r.finished && !r.t.touched(r.p)
	ops, finishedSaved, err := r.saveRow(ops, &row, commit, now)
	if err != nil {
		return err
	}
	// What was accepted is noted even when the reading is being stopped: it would be read and handed on again.
	if err := r.t.state.Batch(context.WithoutCancel(r.ctx), ops...); err != nil {
		return err
	}
	r.saved(row, made, commit, now, keysSaved, finishedSaved)
	return nil
}

// saveRow keeps where the part is. Of one that has ended nothing stays but that it has; saved takes that over in memory.
func (r *run) saveRow(ops []*storage.Operation, row *partRow, commit bool, now time.Time) ([]*storage.Operation, func(), error) {
	saved := func() {}
	switch {
	case r.p.gone: // by an earlier save: a row of its name is that of a part made anew
	case commit && r.finished:
		if st := r.st; st.Kind != Content { // which is known by its verdict
			st.mu.Lock()
			var fin []*storage.Operation
			fin, saved = st.finished.save(now, keyHash(r.p.key))
			st.mu.Unlock()
			ops = append(ops, fin...)
		}
		ops = append(ops, storage.DeleteOperation(r.p.rowName()))
	default:
		val, err := json.Marshal(row)
		if err != nil {
			return nil, nil, err
		}
		ops = append(ops, storage.SetOperation(r.p.rowName(), val))
	}
	return ops, saved, nil
}

// saveItems makes the parts that the items ask for, and keeps what was said of the run's file.
func (r *run) saveItems(ops []*storage.Operation) (made []*part, all []*storage.Operation, err error) {
	items, kept, err := r.unjudged()
	if err != nil {
		return nil, nil, err
	}
	made, placed, err := r.t.place(items)
	if err != nil {
		return nil, nil, err
	}
	all, err = r.saveVerdicts(append(append(ops, kept...), placed...))
	return made, all, err
}

// saved takes over in memory what the storage now holds.
func (r *run) saved(row partRow, made []*part, commit bool, now time.Time, done ...func()) {
	st := r.st
	st.mu.Lock()
	for _, f := range done {
		f()
	}
	if commit {
		r.moved = true
		r.doubted = false
		st.keys.tick(now)
		st.finished.tick(now)
		clear(r.twins)
		r.walked, r.spoilt = false, r.spoilt && !r.walked
		r.progress = true
	}
	st.pending = append(st.keys.tend(), st.finished.tend()...)
	st.mu.Unlock()
	st.claims.give(r, maps.Keys(r.fresh))
	clear(r.fresh)
	if r.snap != nil {
		clear(r.snap.dirty)
	}
	r.items, r.known = r.items[:0], nil
	endings := r.endings
	r.endings = nil
	r.t.adopt(r.p, row, made, endings, commit && r.finished)
}

func (r *run) saveSnapshot(ops []*storage.Operation, row *partRow, commit bool) ([]*storage.Operation, error) {
	if r.snap == nil {
		return ops, nil
	}
	row.Saves++
	if ended := commit && r.walked; ended || row.Chunks >= maxSnapChunks {
		more, n, err := r.snap.compact(row.Chunks)
		row.Chunks = n
		return append(ops, more...), err
	}
	op, err := r.snap.save(row.Chunks)
	if op != nil {
		ops = append(ops, op)
		row.Chunks++
	}
	return ops, err
}

// advance moves the mark, and the walk when it ended.
func (r *run) advance(row *partRow, mark json.RawMessage, now time.Time) {
	row.Success = now
	if r.last || r.walked {
		row.Ran = now
	}
	if at := minTime(r.newest, now); at.After(row.Newest) {
		row.Newest = at
	}
	if mark != nil {
		row.Mark = mark
	}
	if mark != nil || r.walked {
		row.Restart = time.Time{}
	}
	if !r.walked {
		return
	}
	if mark == nil {
		row.Mark = nil
	}
	if row.Doubt = 0; r.doubted {
		row.Doubt = row.Walk
	}
	row.Walk++
	row.Whole = true
}
