package saas

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// asksContent says whether an item asks for the content of a file that a walk listed.
func (t *core) asksContent(it placedItem) bool {
	st := t.streams[it.Stream]
	return it.Hash != "" && it.from != (owner{}) && st != nil && st.Kind == Content
}

// look reads what is known of the contents that the run's items name. While their records are handed on processors are told the
// same, without a look of their own; and what is judged meanwhile, which they could not know, is not taken for told.
func (r *run) look() error {
	if len(judging()) == 0 {
		return nil
	}
	var ids []string
	for _, it := range r.items {
		if r.t.asksContent(it) {
			ids = append(ids, it.Hash)
		}
	}
	rows, err := r.t.allVerdicts(r.ctx, ids)
	if err != nil || len(ids) == 0 {
		return err
	}
	r.t.files.Lock()
	defer r.t.files.Unlock()
	r.known, r.t.files.known[r] = rows, rows
	return nil
}

// lookAway ends what look began.
func (r *run) lookAway() {
	r.t.files.Lock()
	defer r.t.files.Unlock()
	delete(r.t.files.known, r)
}

// unjudged drops, of the files that a walk listed, those whose content is judged already, and gives the operations that keep
// these verdicts. It runs under t.saving.
func (r *run) unjudged() (left []placedItem, ops []*storage.Operation, err error) {
	if len(judging()) == 0 {
		return r.items, nil, nil
	}
	var ids, stale []string
	for _, it := range r.items {
		if _, ok := r.known[it.Hash]; !ok && r.t.asksContent(it) {
			ids = append(ids, it.Hash)
		}
	}
	rows, err := r.t.allVerdicts(r.ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	maps.Copy(rows, r.known)
	sets := r.t.inUse()
	for _, it := range r.items {
		row := rows[it.Hash]
		if !r.t.asksContent(it) || slices.ContainsFunc(sets, func(set string) bool { return !row.Sets[set].Final }) {
			left = append(left, it)
		} else if row.Day+refreshDays <= today() {
			stale = append(stale, it.Hash)
		}
	}
	if rows, err = r.t.allVerdicts(r.ctx, stale); err != nil { // as they are now
		return nil, nil, err
	}
	for id, row := range rows {
		op, err := row.op(id, judging())
		if err != nil {
			return nil, nil, err
		}
		ops = append(ops, op)
	}
	return left, ops, nil
}

// allVerdicts reads what is known of several contents, many at a time: for the storage each reading is a transaction.
func (t *core) allVerdicts(ctx context.Context, contentIDs []string) (map[string]verdictRow, error) {
	rows := map[string]verdictRow{}
	for chunk := range slices.Chunk(contentIDs, maxLookups) {
		gets := make([]*storage.Operation, len(chunk))
		for i, id := range chunk {
			gets[i] = storage.GetOperation(verdictClass + id)
		}
		if err := t.state.Batch(ctx, gets...); err != nil {
			return nil, fmt.Errorf("read verdicts: %w", err)
		}
		for i, id := range chunk {
			row, err := readVerdicts(id, gets[i].Value)
			if err != nil {
				return nil, err
			}
			rows[id] = row
		}
	}
	return rows, nil
}

// verdictOf takes what is known of the content of a record that is being handed on, and looks for that of another. Of two parts
// that hand on records of the same content the one that knows more is right.
func (t *Tenant) verdictOf(ctx context.Context, contentID, set string) json.RawMessage {
	if val, ok := t.c.files.told(contentID, set); ok {
		return val
	}
	row, err := t.c.verdictsOf(ctx, contentID)
	if err != nil {
		t.c.log.Warn("a verdict cannot be read", zap.Error(err))
	}
	return row.Sets[set].Verdict
}

func (fs *openFiles) told(contentID, set string) (val json.RawMessage, ok bool) {
	fs.Lock()
	defer fs.Unlock()
	for _, rows := range fs.known {
		row, here := rows[contentID]
		if ok = ok || here; row.Sets[set].Verdict != nil {
			return row.Sets[set].Verdict, true
		}
	}
	return nil, ok
}
