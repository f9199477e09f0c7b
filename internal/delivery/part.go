package delivery

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/event"
)

// Class is the kind of a record.
type Class uint8

// The classes of records.
const (
	Event Class = iota
	Entity
	Finding
	Action
)

// ClassOf tells the class of a record by its dataset and entity.
func ClassOf(w event.View) Class {
	switch dataset := w.Str("event.dataset"); {
	case dataset == "saas.finding":
		return Finding
	case dataset == "saas.action":
		return Action
	case strings.HasPrefix(dataset, "saas."):
		return Event
	case strings.HasSuffix(dataset, ".inventory") || w.EntityID() != "":
		return Entity
	}
	return Event
}

// Part copies the records that failed, counted in the order of event.Views. All of them: the batch itself.
func Part(l plog.Logs, failed []bool) plog.Logs {
	all := true
	for _, f := range failed {
		all = all && f
	}
	if all {
		return l
	}
	out := plog.NewLogs()
	n := 0
	for _, rl := range l.ResourceLogs().All() {
		var to plog.ResourceLogs
		opened := false
		for _, sl := range rl.ScopeLogs().All() {
			var scope plog.ScopeLogs
			inScope := false
			for _, lr := range sl.LogRecords().All() {
				n++
				if !failed[n-1] {
					continue
				}
				if !opened {
					opened, to = true, out.ResourceLogs().AppendEmpty()
					rl.Resource().CopyTo(to.Resource())
					to.SetSchemaUrl(rl.SchemaUrl())
				}
				if !inScope {
					inScope, scope = true, to.ScopeLogs().AppendEmpty()
					sl.Scope().CopyTo(scope.Scope())
					scope.SetSchemaUrl(sl.SchemaUrl())
				}
				lr.CopyTo(scope.LogRecords().AppendEmpty())
			}
		}
	}
	return out
}
