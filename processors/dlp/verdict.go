package dlp

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/dlp/extract"
	"github.com/longshore-dev/longshore/internal/event"
)

const (
	verdictForm = 1        // of the JSON; one of another form is no verdict
	maxVerdict  = 60 << 10 // bytes of its JSON
	maxTold     = 128      // files of the same content that a verdict remembers
	maxReason   = 300
	maxLabels   = 16
)

// verdict is what the detectors say of a content. It holds masked samples and keyed fingerprints and nothing of the content.
type verdict struct {
	Form     int               `json:"v"`
	Scan     string            `json:"scan"`
	Reason   string            `json:"reason,omitempty"`
	Type     string            `json:"type,omitempty"`   // by the content
	Bytes    int64             `json:"bytes"`            // read
	Labels   []string          `json:"labels,omitempty"` // ids and names of sensitivity labels in force
	Findings []typeFound       `json:"findings,omitempty"`
	Told     map[string]string `json:"told,omitempty"` // to whom files of this content were exposed when alerts told of it, by entity
}

// typeFound is dlp.Finding.
type typeFound struct {
	Type         string   `json:"type"`
	Confidence   int      `json:"confidence"`
	Count        int      `json:"count"`
	Unique       int      `json:"unique"`
	Samples      []string `json:"samples,omitempty"`
	Fingerprints []string `json:"fingerprints,omitempty"`
	Locations    []string `json:"locations,omitempty"`
}

// byID are types of data by their id.
func byID(all []dlp.Type) map[string]*dlp.Type {
	m := make(map[string]*dlp.Type, len(all))
	for i := range all {
		m[all[i].ID] = &all[i]
	}
	return m
}

func newVerdict(res extract.Result, found []dlp.Finding) *verdict {
	v := &verdict{Form: verdictForm, Scan: res.Outcome, Reason: res.Reason, Type: res.Type, Bytes: res.Bytes, Told: map[string]string{}}
	inForce := res.Labels.InForce()
	for _, l := range inForce[:min(len(inForce), maxLabels)] {
		v.Labels = append(v.Labels, l.ID)
		if l.Name != "" {
			v.Labels = append(v.Labels, l.Name)
		}
	}
	for _, f := range found {
		v.Findings = append(v.Findings, typeFound{f.Type.ID, f.Confidence, f.Count, f.Unique, share(f.Samples, len(found)),
			share(f.Fingerprints, len(found)), share(f.Locations, len(found))})
	}
	return v
}

// Of a file in which so many types are found not all is kept that is told of each.
const (
	manyTypes = 20
	maxShare  = 64 // bytes of a text
)

// share is what is kept of the texts of one of n types.
func share(texts []string, n int) []string {
	if n <= manyTypes {
		return texts
	}
	var out []string
	for _, text := range texts[:min(len(texts), max(1, len(texts)*manyTypes/n))] {
		if len(text) > maxShare {
			text = strings.ToValidUTF8(text[:maxShare], "") + "…"
		}
		out = append(out, text)
	}
	return out
}

// readVerdict reads a stored one; nil = it is none, of another form, or of a type that is not among kinds.
func readVerdict(raw json.RawMessage, kinds map[string]*dlp.Type) *verdict {
	if len(raw) == 0 {
		return nil
	}
	v := &verdict{}
	if json.Unmarshal(raw, v) != nil || v.Form != verdictForm || v.Scan == "" {
		return nil
	}
	for _, f := range v.Findings {
		if kinds[f.Type] == nil {
			return nil
		}
	}
	if v.Told == nil {
		v.Told = map[string]string{}
	}
	return v
}

// json writes the verdict. What is too long loses what people can do without: places, then files of the same content.
func (v *verdict) json() json.RawMessage {
	for keep := 8; ; keep /= 2 {
		raw, _ := json.Marshal(v) // texts, numbers and maps of texts have a JSON form
		if len(raw) <= maxVerdict || keep == 0 && len(v.Told) == 0 {
			return raw
		}
		if keep == 0 {
			clear(v.Told)
		}
		for i := range v.Findings {
			f := &v.Findings[i]
			f.Locations = f.Locations[:min(keep, len(f.Locations))]
		}
	}
}

// tell remembers to whom a file was exposed when its alerts were written.
func (v *verdict) tell(entity, exposure string) {
	if _, known := v.Told[entity]; entity == "" || !known && len(v.Told) >= maxTold {
		return
	}
	v.Told[entity] = exposure
}

// types are those found, sorted.
func (v *verdict) types() (out []string) {
	for _, f := range v.Findings {
		out = append(out, f.Type)
	}
	slices.Sort(out)
	return out
}

// total counts the values, and gives the highest confidence.
func (v *verdict) total() (count, confidence int) {
	for _, f := range v.Findings {
		count += f.Count
		confidence = max(confidence, f.Confidence)
	}
	return count, confidence
}

func (f *typeFound) finding(kinds map[string]*dlp.Type) dlp.Finding {
	return dlp.Finding{Type: kinds[f.Type], Confidence: f.Confidence, Count: f.Count, Unique: f.Unique, Samples: f.Samples,
		Fingerprints: f.Fingerprints, Locations: f.Locations}
}

// exposure sums up who may reach a file: the same as long as nobody is added or removed and its link stays.
func exposure(w event.View) string {
	facts := []string{w.Str("saas.share.visibility")}
	for _, name := range [...]string{"saas.share.recipients", "saas.share.link.url", "saas.share.link.password", "saas.share.link.expires"} {
		values := slices.Clone(w.Strs(name))
		slices.Sort(values)
		facts = append(facts, strings.Join(values, "\x01"))
	}
	return stableID(facts...)[:12]
}

// stableID is the same for the same parts.
func stableID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return base64.RawURLEncoding.EncodeToString(sum[:15])
}

// recent remembers, bounded, what was handed on lately.
type recent struct{ now, before map[string]bool }

const maxRecent = 1 << 15

func (r *recent) has(id string) bool { return r.now[id] || r.before[id] }

func (r *recent) add(ids []string) {
	for _, id := range ids {
		if len(r.now) >= maxRecent {
			r.before, r.now = r.now, nil
		}
		if r.now == nil {
			r.now = map[string]bool{}
		}
		r.now[id] = true
	}
}
