package dlp

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/dlp"
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

// body is that of a finding: in which record it is, and in which fields.
type body struct {
	Rule      string   `json:"rule"`
	Record    string   `json:"record"`
	Dataset   string   `json:"dataset,omitempty"`
	Action    string   `json:"action,omitempty"`
	Locations []string `json:"locations"`
}

// add makes the finding of one type in a record (schema.md §8). shows says which texts hold a value: they are left out.
func (f *findings) add(w event.View, found dlp.Finding, shows func(string) bool) {
	clean := func(s string) string {
		if shows(s) {
			return ""
		}
		return s
	}
	raw, err := json.Marshal(body{found.Type.ID, w.DocID(), clean(w.Str("event.dataset")), clean(w.Str("event.action")), found.Locations})
	if err != nil {
		return // it holds only text
	}
	g := f.group(w, shows)
	g.seen = append(g.seen, w.Log.ObservedTimestamp())
	r := g.b.Add(nil, &event.Values{Raw: raw})
	r.ID(findingID(w, found.Type.ID))
	at := recordTime(w).AsTime()
	r.Time(at)
	r.Str("event.kind", "alert")
	r.Str("event.action", findingAction)
	r.Strs("event.category", category(w)...)
	r.Strs("event.type", "info")
	r.Strs("tags", "data")
	severity := found.Type.Severity
	if found.Confidence < dlp.Medium {
		severity = max(1, severity-1)
	}
	r.Int("event.severity", int64(severity))
	r.Str("rule.id", found.Type.ID)
	r.Str("rule.name", found.Type.Name)
	r.Str("rule.category", found.Type.Pack)
	r.Str("rule.version", dlp.Version)
	r.Str("rule.ruleset", "dlp")
	r.Str("saas.finding.status", "new")
	r.Str("saas.finding.scan", "done")
	r.Int("saas.finding.confidence", int64(found.Confidence))
	r.Strs("saas.finding.data_type", found.Type.ID)
	r.Int("saas.finding.count", int64(found.Count))
	r.Int("saas.finding.unique_count", int64(found.Unique))
	r.Strs("saas.finding.sample_redacted", found.Samples...)
	r.Strs("saas.finding.fingerprint", found.Fingerprints...)
	r.Str("saas.finding.location", strings.Join(found.Locations, ", "))
	r.Date("saas.finding.first_seen", at)
	r.Date("saas.finding.last_seen", at)
	r.Str("message", fmt.Sprintf("%s in %s", found.Type.Name, where(found.Locations)))
	for name, v := range w.Log.Attributes().All() {
		if told(name) {
			put(r, name, v, clean)
		}
	}
}

func where(locations []string) string {
	if len(locations) == 0 || locations[0] == "" {
		return "the record"
	}
	return locations[0]
}

// group gives the batch of a record's resource and origin. Of the resource's attributes those that show a value go.
func (f *findings) group(w event.View, shows func(string) bool) *group {
	o := event.Origin{Module: w.Str("event.module"), Tenant: w.Str("saas.tenant"), Version: w.Str("agent.version"), Dataset: findingDataset}
	i := slices.IndexFunc(f.groups, func(g group) bool { return g.res == w.Res && g.o == o })
	if i < 0 {
		i = len(f.groups)
		f.groups = append(f.groups, group{res: w.Res, o: o, b: event.NewBatch(o), attrs: pcommon.NewMap()})
		w.Res.Resource().Attributes().CopyTo(f.groups[i].attrs)
	}
	f.groups[i].attrs.RemoveIf(func(_ string, v pcommon.Value) bool { return shows(v.AsString()) })
	return &f.groups[i]
}

// take gives the findings away, each group with the attributes of the resource that its records have.
func (f *findings) take() plog.Logs {
	out := plog.NewLogs()
	for _, g := range f.groups {
		l := g.b.Take()
		for _, rl := range l.ResourceLogs().All() {
			attrs := rl.Resource().Attributes()
			attrs.PutStr("event.kind", "alert")
			for name, v := range g.attrs.All() {
				if _, own := attrs.Get(name); !own {
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
	sum := sha256.Sum256([]byte(id + "\x00" + rule))
	return base64.RawURLEncoding.EncodeToString(sum[:15])
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
func put(r *event.Record, name string, v pcommon.Value, clean func(string) string) {
	switch v.Type() {
	case pcommon.ValueTypeSlice:
		for _, e := range v.Slice().All() {
			r.Strs(name, clean(e.AsString()))
		}
	case pcommon.ValueTypeInt:
		if clean(v.AsString()) != "" {
			r.Int(name, v.Int())
		}
	case pcommon.ValueTypeBool:
		r.Bool(name, v.Bool())
	case pcommon.ValueTypeStr:
		r.Str(name, clean(v.Str()))
	}
}
