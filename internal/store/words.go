package store

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/longshore-dev/longshore/internal/event"
)

// The attributes that have a column, or are candidates for one.
const (
	colModule = iota
	colDataset
	colTenant
	colKind
	colAction
	colOutcome
	colSourceIP
	colUserName
	colUserEmail
	colUserID
	colEntityType
	colEntityID
	colEntityName
	colDisplayName
	columnCount
)

var columnOf = map[string]int{
	"event.module": colModule, "event.dataset": colDataset, "saas.tenant": colTenant, "event.kind": colKind,
	"event.action": colAction, "event.outcome": colOutcome, "source.ip": colSourceIP, "user.name": colUserName,
	"user.email": colUserEmail, "user.id": colUserID, "entity.type": colEntityType, "entity.id": colEntityID,
	"entity.name": colEntityName, "entity.display_name": colDisplayName,
}

// mute are fields whose words nobody searches for without naming the field: the same in every record, or no words.
var mute = func() map[string]bool {
	m := map[string]bool{}
	for name := range strings.FieldsSeq(`event.module event.dataset event.kind event.category event.type event.outcome event.hash
		event.provider event.original event.timezone event.severity saas.inventory.run_id saas.inventory.content_hash
		saas.actor.type user.entity.type user.entity.source`) {
		m[name] = true
	}
	return m
}()

// words reads what is beside the document of a record: its columns and the text of its index.
type words struct {
	columns  [columnCount]string
	deletion bool // event.type says that the entity is gone
	vals     []string
	set      wordSet
}

// read reads a record. Fields of the record go before those of its resource.
func (w *words) read(v event.View) {
	w.columns, w.deletion = [columnCount]string{}, false
	clear(w.vals)
	w.vals = w.vals[:0]
	for name, val := range v.Log.Attributes().All() {
		w.field(name, val, true)
	}
	for name, val := range v.Res.Resource().Attributes().All() {
		w.field(name, val, false)
	}
}

func (w *words) field(name string, val pcommon.Value, own bool) {
	if col, ok := columnOf[name]; ok && w.columns[col] == "" {
		w.columns[col] = strings.ToValidUTF8(first(val), "\ufffd")
	}
	if name == "event.type" && val.Type() == pcommon.ValueTypeSlice {
		for _, e := range val.Slice().All() {
			w.deletion = w.deletion || e.AsString() == "deletion"
		}
	}
	if own && !mute[name] || selective[name] || val.Type() == pcommon.ValueTypeMap {
		w.add(val, selective[name])
	}
}

// first is a value as text; a list's first.
func first(val pcommon.Value) string {
	if val.Type() == pcommon.ValueTypeSlice {
		if val.Slice().Len() == 0 {
			return ""
		}
		val = val.Slice().At(0)
	}
	return val.AsString()
}

// compared bounds how many texts a new one is compared with: records have fewer.
const compared = 128

// add adds the texts of a value that are not there yet; with all, its numbers too, as below a map, where the name of a
// selective field may end.
func (w *words) add(val pcommon.Value, all bool) {
	switch val.Type() {
	case pcommon.ValueTypeEmpty:
	case pcommon.ValueTypeSlice:
		for _, e := range val.Slice().All() {
			w.add(e, all)
		}
	case pcommon.ValueTypeMap:
		for _, e := range val.Map().All() {
			w.add(e, true)
		}
	default:
		if !all && val.Type() != pcommon.ValueTypeStr {
			return
		}
		if s := val.AsString(); s != "" && !slices.Contains(w.vals[:min(len(w.vals), compared)], s) {
			w.vals = append(w.vals, s)
		}
	}
}
