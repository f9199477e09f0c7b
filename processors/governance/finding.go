package governance

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/policy"
)

const (
	findingDataset = "saas.finding"
	findingAction  = "policy_match"
)

// findings collects what policies found in one batch.
type findings struct{ batches []findingBatch }

// findingBatch is the findings of one origin.
type findingBatch struct {
	o event.Origin
	b *event.Batch
}

func (f *findings) len() int { return len(f.batches) }

// batch gives the batch of an origin; there are as many as tenants and times of fetching in the batch that came in.
func (f *findings) batch(o event.Origin) *event.Batch {
	for _, b := range f.batches {
		if b.o == o {
			return b.b
		}
	}
	b := event.NewBatch(o)
	f.batches = append(f.batches, findingBatch{o, b})
	return b
}

func (f *findings) take() plog.Logs {
	out := plog.NewLogs()
	for _, b := range f.batches {
		b.b.Take().ResourceLogs().MoveAndAppendTo(out.ResourceLogs())
	}
	f.batches = nil
	return out
}

// findingBody is the body of a finding: which record, and by which condition.
type findingBody struct {
	Policy  string `json:"policy"`
	Kind    string `json:"kind"`
	When    string `json:"when"`
	Record  string `json:"record"`
	Dataset string `json:"dataset"`
	Action  string `json:"action,omitempty"`
}

// findingID is event.id of what a policy found in a record.
func findingID(w event.View, p *policy.Policy) string { return trigger(w) + ":" + p.Name }

// trigger is the stable id of a record, or of an entity and the day it was read: an entity that is reported again on the same
// day is the same trigger; of a file only while its exposure and its content are the same.
func trigger(w event.View) string {
	id := w.EntityID()
	if id == "" {
		return w.DocID()
	}
	id += "/" + recordTime(w).AsTime().Format("2006-01-02")
	if w.Str("entity.type") == action.OnFile {
		id += "/" + fileState(w)
	}
	return id
}

// fileState sums up who may reach a file, where it lies, whose it is and which content it has: the same in the record of a walk and
// in that of its content.
func fileState(w event.View) string {
	var facts []string
	for name, v := range w.Log.Attributes().All() {
		for _, root := range [...]string{"saas.share.", "saas.container.", "file.hash.", "saas.file.", "saas.entity.status"} {
			if strings.HasPrefix(name, root) {
				facts = append(facts, name+"="+v.AsString())
			}
		}
	}
	slices.Sort(facts)
	sum := sha256.Sum256([]byte(strings.Join(facts, "\x00")))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func recordTime(w event.View) pcommon.Timestamp {
	if t := w.Log.Timestamp(); t != 0 {
		return t
	}
	return w.Log.ObservedTimestamp()
}

// originOf is where a record came from.
func originOf(w event.View, dataset, version string) event.Origin {
	return event.Origin{Module: w.Str("event.module"), Tenant: w.Str("saas.tenant"), OrgID: w.Str("organization.id"),
		OrgName: w.Str("organization.name"), Version: version, Dataset: dataset, Observed: w.Log.ObservedTimestamp().AsTime()}
}

// add makes the finding of a policy in a record (schema.md §8): it has what the record says of who, where and what.
func (f *findings) add(w event.View, p *policy.Policy, version string) {
	body, err := json.Marshal(findingBody{p.Name, p.Kind, p.When, w.DocID(), w.Str("event.dataset"), w.Str("event.action")})
	if err != nil {
		return // it holds only text
	}
	r := f.batch(originOf(w, findingDataset, version)).Add(nil, &event.Values{Raw: body})
	r.ID(findingID(w, p))
	r.Time(recordTime(w).AsTime())
	r.Str("event.kind", "alert")
	r.Str("event.action", findingAction)
	r.Strs("event.category", w.Strs("event.category")...)
	r.Strs("event.type", "info")
	if p.Severity > 0 {
		r.Int("event.severity", int64(p.Severity))
	}
	r.Str("rule.name", p.Name)
	r.Str("rule.category", p.Kind)
	r.Str("rule.ruleset", "policies")
	r.Str("saas.finding.status", "new")
	r.Date("saas.finding.first_seen", recordTime(w).AsTime())
	r.Date("saas.finding.last_seen", recordTime(w).AsTime())
	r.Str("message", "policy "+p.Name+" holds for "+subject(w))
	for name, v := range w.Log.Attributes().All() {
		if told(name) {
			put(r, name, v)
		}
	}
}

// subject names what a record is about.
func subject(w event.View) string {
	for _, name := range [...]string{"entity.display_name", "entity.name", "entity.id", "file.name", "saas.file.id", "user.name", "user.id"} {
		if s := w.Str(name); s != "" {
			return s
		}
	}
	return w.Str("event.action")
}

// told says whether a finding repeats a field of its record.
func told(name string) bool {
	for _, root := range [...]string{"user.", "group.", "source.", "client.", "file.", "application.", "device.", "saas.actor.",
		"saas.target.", "saas.role.", "saas.app.", "saas.grant.", "saas.credential.", "saas.file.", "saas.share.",
		"saas.container.", "saas.object."} {
		if strings.HasPrefix(name, root) {
			return !strings.HasPrefix(name, "user.entity.")
		}
	}
	return name == "user_agent.original" || name == "session.id"
}

func put(r *event.Record, name string, v pcommon.Value) {
	switch v.Type() {
	case pcommon.ValueTypeSlice:
		for _, e := range v.Slice().All() {
			r.Strs(name, e.AsString())
		}
	case pcommon.ValueTypeInt:
		r.Int(name, v.Int())
	case pcommon.ValueTypeDouble:
		r.Float(name, v.Double())
	case pcommon.ValueTypeBool:
		r.Bool(name, v.Bool())
	case pcommon.ValueTypeMap:
		if raw, err := json.Marshal(v.Map().AsRaw()); err == nil {
			r.JSON(name, raw)
		}
	case pcommon.ValueTypeStr:
		r.Str(name, v.Str())
	}
}
