package saas

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// stateVersion is the form of the rows below. A newer one is refused: an older program would lose what it holds.
const stateVersion = "1"

// Rows of the storage: "version", "disabled", "contact" (first contact made), "p/<stream>/<part>" (partRow),
// "e/<stream>/<part>" (the part is to end; with a row: and begins anew), "t/<stream>/<part>" (an event touched it),
// "rights" (Rights as last read), "v/<content>" (verdictRow), "sets" (of detectors, for which walks were begun; none = content
// came to nobody who judges), "k/<stream>/…" and "f/<stream>/…" (keySet: events, finished parts),
// "s/<stream>/<part>/…" (snapshot).
const (
	rowVersion  = "version"
	rowDisabled = "disabled"
	rowContact  = "contact"
	rowRights   = "rights"
)

// partRow is the durable state of a part.
type partRow struct {
	Item    Item            `json:"item,omitzero"`
	Mark    json.RawMessage `json:"mark,omitempty"`
	Walk    int             `json:"walk,omitempty"`   // the number of the walk in progress or next
	Doubt   int             `json:"doubt,omitempty"`  // the walk whose deletes were not believed
	Spoilt  int             `json:"spoilt,omitempty"` // the walk in which an object could not be told from others
	Chunks  int             `json:"chunks,omitempty"` // rows of the snapshot
	Saves   int             `json:"saves,omitempty"`  // of the snapshot, ever
	Success time.Time       `json:"success,omitzero"` // of the last run
	Ran     time.Time       `json:"ran,omitzero"`     // when it last ended: all there was until then is read
	Newest  time.Time       `json:"newest,omitzero"`  // of the events accepted
	Whole   bool            `json:"whole,omitempty"`  // a walk was complete once
	Owner   owner           `json:"owner,omitzero"`
	Begun   time.Time       `json:"begun,omitzero"`   // where the first reading began: start_at, seen from then
	Restart time.Time       `json:"restart,omitzero"` // an expired mark: events begin here
}

// owner is the entity a lasting part hangs on.
type owner struct {
	Stream string `json:"stream,omitempty"`
	Part   string `json:"part,omitempty"`
	Key    string `json:"key,omitempty"`
}

// part is one part of a stream in this process.
type part struct {
	st      *streamState
	key     string
	row     partRow
	due     time.Time
	fails   int
	expired int // times in a row
	slow    int // times in a row that the deadline came before the first mark
	running bool
	again   bool      // became due while it ran
	touched bool      // an event made it due, which is not forgotten until it was read
	anew    bool      // it is to begin again from the start, and runs yet
	gone    bool      // ended
	ending  bool      // what it hangs on is gone: its entities are reported as deleted
	reborn  *partRow  // what it hangs on is there again: with this it begins anew
	former  *part     // its namesake, which has ended and is to leave Poll before this one is read
	in      *partHeap // where it waits
	place   int       // in it
	lastErr string
}

func (p *part) rowName() string    { return "p/" + p.st.Name + "/" + p.key }
func (p *part) endName() string    { return "e/" + p.st.Name + "/" + p.key }
func (p *part) touchName() string  { return "t/" + p.st.Name + "/" + p.key }
func (p *part) snapPrefix() string { return "s/" + p.st.Name + "/" + p.key }

// restart lets events begin where the part had come to, when its mark is no good. While it catches up that is not the last
// success.
func (p *part) restart() {
	if at := later(p.row.Ran, p.row.Newest); !at.IsZero() {
		p.row.Restart = at.Add(-p.st.Keep)
	}
}

// What a touch row says.
const (
	touchRead = 1 // the part is to be read
	touchAnew = 2 // and from its beginning
)

// byEvent reports whether an event made this part of a Content stream, instead of a walk.
func (p *part) byEvent() bool { return p.st.Kind == Content && p.row.Owner == (owner{}) }

// once reports whether the part is forgotten when it was read.
func (p *part) once() bool { return p.st.Over != "" && p.st.Every == 0 }

// found is what the storage says beside the rows of streams.
type found struct {
	contact, disabled bool
	sets              []string // rowSets
}

// loadState fills the streams from the storage. It passes over verdicts, which may be many.
func loadState(ctx context.Context, c storage.Client, streams map[string]*streamState) (f found, err error) {
	w, ok := c.(storage.Walker)
	if !ok {
		return f, errors.New("use storage: this storage extension cannot list its rows; file_storage can")
	}
	version, err := c.Get(ctx, rowVersion) // before the rows, whose form it tells
	if err != nil {
		return f, fmt.Errorf("load state: %w", err)
	}
	if len(version) > 0 && string(version) != stateVersion {
		return f, fmt.Errorf("load state: it has version %q, this program knows version %s: use a newer program or another directory",
			version, stateVersion)
	}
	err = w.Walk(ctx, func(key string, val []byte) ([]*storage.Operation, error) {
		f.contact, f.disabled = f.contact || key == rowContact, f.disabled || key == rowDisabled
		if key == rowSets {
			return nil, json.Unmarshal(val, &f.sets)
		}
		return nil, loadRow(streams, key, val)
	})
	if err != nil {
		return f, fmt.Errorf("load state: %w", err)
	}
	if len(version) == 0 {
		if err := c.Set(ctx, rowVersion, []byte(stateVersion)); err != nil {
			return f, fmt.Errorf("save state version: %w", err)
		}
	}
	for _, st := range streams {
		st.keys.loaded()
		st.finished.loaded()
	}
	return f, nil
}

func loadRow(streams map[string]*streamState, key string, val []byte) error {
	class, rest, _ := strings.Cut(key, "/")
	name, id, _ := strings.Cut(rest, "/")
	st := streams[name]
	if st == nil {
		return nil // of a stream that is not configured now: kept for when it is again
	}
	switch class {
	case "p":
		p := &part{st: st, key: id}
		if err := json.Unmarshal(val, &p.row); err != nil {
			return fmt.Errorf("read part %q: %w", key, err)
		}
		st.parts[id] = p
	case "e":
		st.endings[id] = slices.Clone(val)
	case "t":
		st.touches[id] = touchRead
		if len(val) == 1 {
			st.touches[id] = val[0]
		}
	case "k":
		return st.keys.load(key, val)
	case "f":
		return st.finished.load(key, val)
	}
	return nil
}
