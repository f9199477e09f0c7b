package saas

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

const (
	maxLookups   = 256 // rows of verdicts read at a time
	maxSets      = 16  // of detectors that walks are remembered to have run for
	maxDrops     = 10_000
	refreshDays  = 7
	verdictDays  = 45 // of a row whose content no walk saw
	sweepDelay   = 5 * time.Minute
	verdictClass = "v/"
	rowSets      = "sets"
)

// judges are the sets of detectors by which somebody in this process judges.
var judges struct {
	sync.Mutex
	n map[string]int
}

func registerJudge(set string) (remove func()) {
	count := func(by int) {
		judges.Lock()
		defer judges.Unlock()
		if judges.n == nil {
			judges.n = map[string]int{}
		}
		if judges.n[set] += by; judges.n[set] == 0 {
			delete(judges.n, set)
		}
	}
	count(1)
	tell := func() {
		registry.Lock()
		cores := slices.Clone(registry.cores)
		registry.Unlock()
		for _, c := range cores {
			c.newJudge()
		}
	}
	tell()
	return sync.OnceFunc(func() { count(-1); tell() })
}

// judging lists the registered sets.
func judging() []string {
	judges.Lock()
	defer judges.Unlock()
	return slices.Sorted(maps.Keys(judges.n))
}

// newJudge lets a running tenant see that the sets have changed.
func (t *core) newJudge() {
	if err := t.relist(t.parent, false); err != nil && t.parent.Err() == nil {
		t.log.Warn("walks for a new set of detectors begin at their usual time", zap.Error(err))
	}
	t.poke()
}

// inUse lists the sets that content has to be judged by: those that came for a verdict since the start, else all.
func (t *core) inUse() []string {
	all := judging()
	t.mu.Lock()
	defer t.mu.Unlock()
	own := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !t.asked[s] })
	if len(own) > 0 {
		return own
	}
	return all
}

// verdictRow is what sets of detectors said of one content. The day comes first: it is looked for without decoding.
type verdictRow struct {
	Day  int64              `json:"day"` // since 1970, when a walk or a judge saw it last
	Sets map[string]verdict `json:"sets"`
}

type verdict struct {
	Verdict json.RawMessage `json:"verdict,omitempty"`
	Final   bool            `json:"final"`
}

func today() int64 { return time.Now().Unix() / (24 * 60 * 60) }

func readVerdicts(key string, val []byte) (row verdictRow, err error) {
	if len(val) == 0 {
		return row, nil
	}
	if err := json.Unmarshal(val, &row); err != nil {
		return row, fmt.Errorf("read verdicts %q: %w", key, err)
	}
	return row, nil
}

// op saves the row, without the sets that nobody judges by any more.
func (row verdictRow) op(contentID string, keep []string) (*storage.Operation, error) {
	row.Day = today()
	maps.DeleteFunc(row.Sets, func(set string, _ verdict) bool { return !slices.Contains(keep, set) })
	val, err := json.Marshal(row)
	if err != nil {
		return nil, fmt.Errorf("save verdicts of %q: %w", contentID, err)
	}
	return storage.SetOperation(verdictClass+contentID, val), nil
}

// verdictsOf reads what is known of a content; "" = nothing.
func (t *core) verdictsOf(ctx context.Context, contentID string) (verdictRow, error) {
	if contentID == "" {
		return verdictRow{}, nil
	}
	val, err := t.state.Get(ctx, verdictClass+contentID)
	if err != nil {
		return verdictRow{}, fmt.Errorf("read verdicts of %q: %w", contentID, err)
	}
	return readVerdicts(contentID, val)
}

// saveVerdicts adds what was said of the run's file. It runs under t.saving: two files may have the same content.
func (r *run) saveVerdicts(ops []*storage.Operation) ([]*storage.Operation, error) {
	f := r.file
	if f == nil || f.content == "" {
		return ops, nil
	}
	row, err := r.t.verdictsOf(r.ctx, f.content)
	if err != nil {
		return nil, err
	}
	if len(f.said) == 0 && (len(row.Sets) == 0 || row.Day+refreshDays > today()) {
		return ops, nil
	}
	if row.Sets == nil {
		row.Sets = map[string]verdict{}
	}
	maps.Copy(row.Sets, f.said)
	op, err := row.op(f.content, append(judging(), slices.Collect(maps.Keys(f.said))...))
	return append(ops, op), err
}

// relist lets the walks that lead to content begin again when there is a set of detectors that none was begun for: what does
// not change is to be judged by it as well. proven = a record was judged by one.
func (t *core) relist(ctx context.Context, proven bool) error {
	sets := judging()
	t.saving.Lock()
	defer t.saving.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	parents := t.parentsOfContent()
	if len(parents) == 0 || t.nobody && !proven {
		return nil
	}
	fresh := slices.DeleteFunc(sets, func(s string) bool { return slices.Contains(t.walkedFor, s) })
	walkedFor := append(slices.Clone(t.walkedFor), fresh...)
	val, err := json.Marshal(walkedFor[max(0, len(walkedFor)-maxSets):])
	if err != nil {
		return fmt.Errorf("save the sets of detectors: %w", err)
	}
	ops := []*storage.Operation{storage.SetOperation(rowSets, val)}
	var moved []func()
	for _, parent := range parents {
		for _, p := range parent.parts {
			if p.gone || p.ending || p.row.Ran.IsZero() && len(p.row.Mark) == 0 || len(fresh) == 0 && !p.anew {
				continue
			}
			if p.running {
				ops = append(ops, storage.SetOperation(p.touchName(), []byte{touchAnew}))
				moved = append(moved, func() { p.anew = true })
				continue
			}
			row := p.row
			row.Mark, row.Walk = nil, row.Walk+1
			val, err := json.Marshal(&row)
			if err != nil {
				return fmt.Errorf("begin walk %q: %w", p.rowName(), err)
			}
			ops = append(ops, storage.SetOperation(p.rowName(), val), storage.SetOperation(p.touchName(), []byte{touchRead}))
			moved = append(moved, func() {
				p.row, p.touched, p.anew = row, true, false
				p.st.wait(p, time.Now())
			})
		}
	}
	if len(fresh) == 0 && len(moved) == 0 {
		return nil
	}
	if err := t.state.Batch(ctx, ops...); err != nil {
		return fmt.Errorf("begin walks for sets of detectors: %w", err)
	}
	t.walkedFor, t.nobody = walkedFor[max(0, len(walkedFor)-maxSets):], false
	if len(fresh) > 0 {
		clear(t.asked)
	}
	for _, f := range moved {
		f()
	}
	return nil
}

// judgesMissing turns a stream off whose record was judged by nobody. Called with mu held.
func (t *core) judgesMissing(st *streamState, now time.Time) {
	st.off, st.offUntil = errUnjudged.Error(), now.Add(deniedRetry)
	if t.nobody {
		return
	}
	t.walkedFor, t.nobody = nil, true
	if err := t.state.Set(t.ctx, rowSets, []byte("[]")); err != nil {
		t.log.Warn("it could not be noted that nobody judges content", zap.Error(err))
	}
}

// judgesFound notes that one was judged after all.
func (t *core) judgesFound(ctx context.Context) error {
	t.mu.Lock()
	found := t.nobody
	t.mu.Unlock()
	if !found {
		return nil
	}
	return t.relist(ctx, true)
}

// parentsOfContent are the streams of entities whose walks list what is to be judged. Called with mu held.
func (t *core) parentsOfContent() (parents []*streamState) {
	for _, st := range t.order {
		if p := t.streams[st.Over]; st.Kind == Content && p != nil && p.entity() {
			parents = append(parents, p)
		}
	}
	return parents
}

// sweepVerdicts drops what no walk has seen for long, and says when to come again. By then every processor has registered:
// sets that are not used any more are forgotten, so that their walks begin at once when they come back.
func (t *core) sweepVerdicts(ctx context.Context) time.Duration {
	w, ok := t.state.(storage.Walker)
	if !ok {
		return sweepEvery
	}
	edge, drops := today()-verdictDays, 0
	err := w.Walk(ctx, func(key string, val []byte) ([]*storage.Operation, error) {
		if len(key) < len(verdictClass) || key[:len(verdictClass)] != verdictClass || rowDay(val) > edge {
			return nil, nil
		}
		if drops++; drops > maxDrops {
			return nil, storage.SkipAll
		}
		return []*storage.Operation{storage.DeleteOperation(key)}, nil
	})
	if err == nil {
		sets := judging()
		val, _ := json.Marshal(sets) // of strings
		t.mu.Lock()
		changed := len(sets) > 0 && len(sets) < len(t.walkedFor)
		if changed {
			t.walkedFor = sets
		}
		t.mu.Unlock()
		if changed {
			err = t.state.Set(ctx, rowSets, val)
		}
	}
	switch {
	case err != nil && ctx.Err() == nil:
		t.log.Warn("old verdicts cannot be dropped", zap.Error(err))
	case drops > maxDrops:
		return sweepDelay
	}
	return sweepEvery
}

// rowDay is the day of a stored row of verdicts; 0 = it is none.
func rowDay(val []byte) int64 {
	rest, _ := bytes.CutPrefix(val, []byte(`{"day":`))
	digits, _, _ := bytes.Cut(rest, []byte(","))
	day, _ := strconv.ParseInt(string(digits), 10, 64)
	return day
}
