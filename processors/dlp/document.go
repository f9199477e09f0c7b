package dlp

import (
	"cmp"
	"context"
	"strings"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/dlp/label"
)

const (
	contentAction = "content_match"
	scanAction    = "content_scan"
)

// matchBody is the body of a finding in content.
type matchBody struct {
	Rule      string   `json:"rule"`
	Record    string   `json:"record"`
	Content   string   `json:"content"`
	Set       string   `json:"set"`
	Locations []string `json:"locations"`
}

// scanBody is the body of the document that says what became of a content.
type scanBody struct {
	Record  string `json:"record"`
	Content string `json:"content"`
	Set     string `json:"set"`
	Type    string `json:"type,omitempty"`
	Bytes   int64  `json:"bytes"`
}

// tell writes what there is to say of a file and its content that was not said before, and gives the ids of it.
func (k *worker) tell(ctx context.Context, d *judged) (ids []string) {
	clean := cleanerOf(k.Scanner, d.v.types())
	news := func(id string) bool { return d.asked || k.c.judge.news(id) }
	owner := cmp.Or(d.entity, d.w.DocID())
	if id := stableID(owner, d.content, d.set); !d.known && news(id+d.v.Scan) {
		k.scanned(d, id, clean)
		ids = append(ids, id+d.v.Scan)
	}
	status := "new"
	if d.known {
		if d.before == d.exposed {
			return ids
		}
		status = "update"
	}
	for _, f := range d.v.Findings {
		id := stableID(owner, d.content, f.Type, d.exposed)
		if !news(id) {
			continue
		}
		k.alert(match{w: d.w, found: f.finding(k.c.judge.kinds), id: id, action: contentAction, status: status, scan: d.v.Scan,
			reason: d.why(clean), place: cmp.Or(clean("file.name", d.w.Str("file.name")), "a file"), clean: clean,
			body: matchBody{f.Type, d.w.DocID(), d.content, d.set, f.Locations}})
		k.c.found.Add(ctx, 1, k.c.byType[f.Type])
		ids = append(ids, id)
	}
	return ids
}

// scanned writes what became of a content, with the reason where it was not read whole.
func (k *worker) scanned(d *judged, id string, clean cleaner) {
	count, confidence := d.v.total()
	r, _ := k.record(d.w, id, scanAction, scanBody{d.w.DocID(), d.content, d.set, d.v.Type, d.v.Bytes}, clean)
	r.Str("event.kind", "state")
	r.Strs("event.category", "file")
	r.Str("event.reason", d.why(clean))
	r.Str("rule.ruleset", "dlp")
	r.Str("rule.version", dlp.Version)
	r.Str("saas.finding.scan", d.v.Scan)
	r.Int("saas.finding.count", int64(count))
	r.Strs("saas.finding.data_type", d.v.types()...)
	if confidence > 0 {
		r.Int("saas.finding.confidence", int64(confidence))
	}
	name := cmp.Or(clean("file.name", d.w.Str("file.name")), "a file")
	r.Str("message", strings.TrimSuffix("content of "+name+": "+d.v.Scan+", "+d.why(clean), ", "))
	for field, v := range d.w.Log.Attributes().All() {
		for _, root := range [...]string{"file.", "saas.file.", "saas.container."} {
			if strings.HasPrefix(field, root) {
				put(r, field, v, clean)
			}
		}
	}
}

// why is the verdict's reason, without words of the vendor's that show a value.
func (d *judged) why(clean cleaner) string {
	if d.v.Reason == "" {
		return ""
	}
	return cmp.Or(clean("event.reason", d.v.Reason), unreadable)
}

// cleanerOf hides what may show a value of one of the types: in a name as if the type's keyword stood there, and an address if
// the file holds addresses, but for those of the people who have to do with the file.
func cleanerOf(s *dlp.Scanner, types []string) cleaner {
	var plain []string
	for _, t := range types {
		if t != "pii.email" {
			plain = append(plain, t)
		}
	}
	return func(field, text string) string {
		among := types
		if people(field) {
			among = plain
		}
		if strings.HasPrefix(field, "file.hash.") || numbered(field) {
			return text
		}
		if _, id := label.GUID(text); id && field == labels {
			return text
		}
		if s.Gives(text, among) {
			return ""
		}
		return text
	}
}

// people says whether a field names people, or is about the agent's own tenant.
func people(field string) bool {
	for _, root := range [...]string{"user.", "file.owner", "saas.file.owner.", "saas.share.recipients", "saas.actor.", "saas.target.",
		"saas.tenant", "group."} {
		if strings.HasPrefix(field, root) {
			return true
		}
	}
	return names(field)
}

// numbered says whether a field is an identifier or a number by the vendor, in which many digits mean nothing.
func numbered(field string) bool {
	switch field {
	case "file.size", "file.created", "file.mtime", "file.ctime", "saas.file.id", "saas.file.version", "saas.container.id",
		"saas.file.owner.id", "organization.id":
		return true
	}
	return false
}
