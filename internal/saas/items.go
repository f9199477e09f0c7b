package saas

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// place makes the parts that items ask for: those that are new, and the operations that save them.
func (t *core) place(items []placedItem) (made []*part, ops []*storage.Operation, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	batch := map[string]bool{}
	for _, it := range items {
		st := t.streams[it.Stream]
		if st == nil {
			return nil, nil, fmt.Errorf("make part %q: there is no stream %q", it.Key, it.Stream)
		}
		byEvent := it.from == (owner{})
		if p := st.parts[it.Key]; p != nil && !p.gone {
			if !byEvent && p.ending { // what it hangs on was gone and is there again: it ends all the same, and begins anew
				row := newRow(it)
				val, err := json.Marshal(&row)
				if err != nil {
					return nil, nil, fmt.Errorf("make part %q: %w", p.rowName(), err)
				}
				p.reborn = &row
				ops = append(ops, storage.SetOperation(p.endName(), val))
			}
			if !byEvent {
				continue
			}
			if p.touched = true; p.running {
				p.again = true
			} else {
				st.wait(p, time.Now())
			}
			if !p.once() || st.Kind == Content {
				ops = append(ops, storage.SetOperation(p.touchName(), []byte{touchRead}))
			}
			continue
		}
		id := it.Stream + "\x00" + it.Key
		if batch[id] || !t.wanted(st, it.Key, byEvent) {
			continue
		}
		if st.Kind == Content && byEvent && len(st.parts)+len(made) >= 2*maxItems {
			st.stats.postponed.Add(1) // it is not lost: the next walk lists it
			continue
		}
		batch[id] = true
		p := &part{st: st, key: it.Key, row: newRow(it)}
		p.touched = p.byEvent()
		val, err := json.Marshal(&p.row)
		if err != nil {
			return nil, nil, fmt.Errorf("make part %q: %w", p.rowName(), err)
		}
		made = append(made, p)
		ops = append(ops, storage.SetOperation(p.rowName(), val))
	}
	return made, ops, nil
}

// newRow is the row of a part that begins. One that comes back does not use the ids of its first life again.
func newRow(it placedItem) partRow {
	return partRow{Item: it.Item, Walk: 1, Owner: it.from, Saves: int(time.Now().Unix())}
}

// wanted reports whether an item makes a new part. An event makes no part that lasts; what it touches is read, also when
// it was read before; what is only listed again is not. Called with mu held.
func (t *core) wanted(st *streamState, key string, byEvent bool) bool {
	if st.Every > 0 {
		return !byEvent
	}
	if t.cfg.offReason(st.Name) != "" || st.off == "" && t.whyOff(st) != "" {
		return false
	}
	if st.Kind == Content { // while it is off nobody would read them; the walk that follows lists what is not judged
		return st.off == ""
	}
	return byEvent || !st.isFinished(key)
}

// adopt takes over what a save made durable.
func (t *core) adopt(p *part, row partRow, made, endings []*part, finished bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.row, p.gone = row, p.gone || finished
	for _, e := range endings {
		e.ending, e.reborn = true, nil
		if e.running {
			e.again = true
		} else if !e.gone {
			e.st.wait(e, time.Now())
		}
	}
	for _, m := range made {
		t.include(m)
	}
	if len(made)+len(endings) > 0 {
		t.poke()
	}
}

// include adds a part that was saved. Called with mu held.
func (t *core) include(m *part) {
	old := m.st.parts[m.key]
	if old != nil && !old.gone {
		return
	}
	if old != nil && old.running {
		m.former = old
	}
	m.st.parts[m.key] = m
	if m.row.Owner != (owner{}) && m.st.Every > 0 {
		t.hanging[m.row.Owner] = append(t.hanging[m.row.Owner], m)
	}
	m.st.wait(m, time.Now())
}

// hangingOn lists the parts that hang on an entity, but for those that keep names.
func (t *core) hangingOn(from owner, keep []Item) (parts []*part) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.hanging[from] {
		kept := slices.ContainsFunc(keep, func(it Item) bool { return it.Stream == p.st.Name && it.Key == p.key })
		if !kept && !p.gone && (!p.ending || p.reborn != nil) {
			parts = append(parts, p)
		}
	}
	return parts
}

func (t *core) crowded(st *streamState) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.isCrowded(st)
}

// touched reports whether a part became due while it was read.
func (t *core) touched(p *part) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return p.again
}

// isTouched reports whether an event made a part due.
func (t *core) isTouched(p *part) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return p.touched
}

// unTouch gives the operation that forgets an event's touch, once the part was read after it.
func (t *core) unTouch(p *part) []*storage.Operation {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !p.touched || p.again || p.once() && p.st.Kind != Content {
		return nil
	}
	p.touched = false
	return []*storage.Operation{storage.DeleteOperation(p.touchName())}
}
