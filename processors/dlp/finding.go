package dlp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/dlp/extract"
	"github.com/longshore-dev/longshore/internal/event"
)

const (
	findingDataset = "saas.finding"
	findingAction  = "data_match"
)

// findings collects what was found in one batch, by the resource of the records.
type findings struct{ groups []group }

type group struct {
	res   plog.ResourceLogs
	o     event.Origin
	b     *event.Batch
	attrs pcommon.Map // of the resource, those that show no value
	seen  []pcommon.Timestamp
}

// match is what a finding is made of.
type match struct {
	w      event.View
	found  dlp.Finding
	id     string
	action string // event.action
	status string // saas.finding.status
	scan   string // saas.finding.scan
	reason string
	place  string // for people
	body   any
	clean  cleaner
}

// cleaner gives of a field's text what shows no value.
type cleaner func(field, text string) string

// body is that of a finding: in which record it is, and in which fields.
type body struct {
	Rule      string   `json:"rule"`
	Record    string   `json:"record"`
	Dataset   string   `json:"dataset,omitempty"`
	Action    string   `json:"action,omitempty"`
	Locations []string `json:"locations"`
}

// add makes the finding of one type in a record. shows says which texts hold a value: they are left out.
func (f *findings) add(w event.View, found dlp.Finding, shows func(string) bool) {
	clean := func(_, s string) string {
		if shows(s) {
			return ""
		}
		return s
	}
	f.alert(match{w: w, found: found, id: findingID(w, found.Type.ID), action: findingAction, status: "new", scan: extract.Done,
		place: where(found.Locations), clean: clean, body: body{found.Type.ID, w.DocID(), clean("", w.Str("event.dataset")),
			clean("", w.Str("event.action")), found.Locations}})
}

// alert makes a finding of one type (schema.md §8), with what the record says of who, where and what.
func (f *findings) alert(m match) {
	r, at := f.record(m.w, m.id, m.action, m.body, m.clean)
	r.Str("event.kind", "alert")
	r.Strs("event.category", category(m.w)...)
	severity := m.found.Type.Severity
	if m.found.Confidence < dlp.Medium {
		severity = max(1, severity-1)
	}
	r.Int("event.severity", int64(severity))
	r.Str("event.reason", m.reason)
	r.Str("rule.id", m.found.Type.ID)
	r.Str("rule.name", m.found.Type.Name)
	r.Str("rule.category", m.found.Type.Pack)
	r.Str("rule.version", dlp.Version)
	r.Str("rule.ruleset", "dlp")
	r.Str("saas.finding.status", m.status)
	r.Str("saas.finding.scan", m.scan)
	r.Int("saas.finding.confidence", int64(m.found.Confidence))
	r.Strs("saas.finding.data_type", m.found.Type.ID)
	r.Int("saas.finding.count", int64(m.found.Count))
	r.Int("saas.finding.unique_count", int64(m.found.Unique))
	r.Strs("saas.finding.sample_redacted", m.found.Samples...)
	r.Strs("saas.finding.fingerprint", m.found.Fingerprints...)
	r.Str("saas.finding.location", strings.Join(m.found.Locations, ", "))
	r.Date("saas.finding.first_seen", at)
	r.Date("saas.finding.last_seen", at)
	r.Str("message", fmt.Sprintf("%s in %s", m.found.Type.Name, m.place))
	for name, v := range m.w.Log.Attributes().All() {
		if told(name) {
			put(r, name, v, m.clean)
		}
	}
}

// record begins a record of the processor's own beside another one.
func (f *findings) record(w event.View, id, action string, body any, clean cleaner) (*event.Record, time.Time) {
	raw, _ := json.Marshal(body) // it holds only text and numbers
	g := f.group(w, clean)
	g.seen = append(g.seen, w.Log.ObservedTimestamp())
	r, at := g.b.Add(nil, &event.Values{Raw: raw}), recordTime(w).AsTime()
	r.ID(id)
	r.Time(at)
	r.Str("event.action", action)
	r.Strs("event.type", "info")
	r.Strs("tags", "data")
	return r, at
}

func where(locations []string) string {
	if len(locations) == 0 || locations[0] == "" {
		return "the record"
	}
	return locations[0]
}

// group gives the batch of a record's resource and origin. Of the resource's attributes those that show a value go.
func (f *findings) group(w event.View, clean cleaner) *group {
	o := event.Origin{Module: w.Str("event.module"), Tenant: w.Str("saas.tenant"), Version: w.Str("agent.version"), Dataset: findingDataset}
	i := slices.IndexFunc(f.groups, func(g group) bool { return g.res == w.Res && g.o == o })
	if i < 0 {
		i = len(f.groups)
		f.groups = append(f.groups, group{res: w.Res, o: o, b: event.NewBatch(o), attrs: pcommon.NewMap()})
		w.Res.Resource().Attributes().CopyTo(f.groups[i].attrs)
	}
	f.groups[i].attrs.RemoveIf(func(name string, v pcommon.Value) bool { return clean(name, v.AsString()) == "" })
	return &f.groups[i]
}

// take gives the findings away, each group with the attributes of the resource that its records have.
func (f *findings) take() plog.Logs {
	out := plog.NewLogs()
	for _, g := range f.groups {
		l := g.b.Take()
		for _, rl := range l.ResourceLogs().All() {
			attrs := rl.Resource().Attributes()
			for name, v := range g.attrs.All() {
				if _, own := attrs.Get(name); !own && name != "event.kind" {
					v.CopyTo(attrs.PutEmpty(name))
				}
			}
			records := rl.ScopeLogs().At(0).LogRecords()
			for i := range records.Len() {
				records.At(i).SetObservedTimestamp(g.seen[i])
			}
		}
		l.ResourceLogs().MoveAndAppendTo(out.ResourceLogs())
	}
	f.groups = nil
	return out
}

// findingID is event.id of what a rule found in a record, or in an entity as it was then.
func findingID(w event.View, rule string) string {
	id := w.DocID()
	if entity, version := w.EntityID(), w.Str("saas.inventory.content_hash"); entity != "" && version != "" {
		id = entity + "\x00" + version
	}
	return stableID(id, rule)
}

func recordTime(w event.View) pcommon.Timestamp {
	if t := w.Log.Timestamp(); t != 0 {
		return t
	}
	return w.Log.ObservedTimestamp()
}

// category is file or email where the record is about one. Of other records a finding has none that fits.
func category(w event.View) []string {
	var out []string
	of := w.Strs("event.category")
	if slices.Contains(of, "file") || w.Str("file.name") != "" || w.Str("saas.file.id") != "" {
		out = append(out, "file")
	}
	if slices.Contains(of, "email") {
		out = append(out, "email")
	}
	return out
}

// told says whether a finding repeats a field of its record: who, from where and on what.
func told(name string) bool {
	for _, root := range [...]string{"user.", "group.", "source.", "client.", "file.", "application.", "device.", "saas.actor.",
		"saas.target.", "saas.app.", "saas.file.", "saas.share.", "saas.container.", "saas.object."} {
		if strings.HasPrefix(name, root) {
			return !strings.HasPrefix(name, "user.entity.")
		}
	}
	return name == "user_agent.original" || name == "session.id"
}

// put repeats a field, without the texts that show a value.
func put(r *event.Record, name string, v pcommon.Value, clean cleaner) {
	switch v.Type() {
	case pcommon.ValueTypeSlice:
		for _, e := range v.Slice().All() {
			r.Strs(name, clean(name, e.AsString()))
		}
	case pcommon.ValueTypeInt:
		if clean(name, v.AsString()) != "" {
			r.Int(name, v.Int())
		}
	case pcommon.ValueTypeBool:
		r.Bool(name, v.Bool())
	case pcommon.ValueTypeStr:
		r.Str(name, clean(name, v.Str()))
	}
}
