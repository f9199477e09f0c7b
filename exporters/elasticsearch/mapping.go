package elasticsearch

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
)

// vendorRoots are the modules' own namespaces; each is searchable as a whole.
var vendorRoots = [...]string{"aws", "azure", "box", "dropbox", "gcp", "github", "google_workspace", "o365", "okta", "salesforce",
	"servicenow", "webex", "workday"}

// searchedInside are the strings in which rules search; they are kept whole up to the longest term that Lucene takes.
var searchedInside = []string{"user_agent.original", "event.reason", "file.path", "file.target_path", "email.subject", "url.query",
	"process.name", "saas.change.old", "saas.change.new", "saas.finding.location", "rule.description"}

// types knows which field types a cluster has.
type types map[string]bool

// probed are the types that some servers lack.
var probed = [...]string{"match_only_text", "wildcard", "constant_keyword", "flattened", "flat_object"}

const (
	shortTerm = 1024
	longTerm  = 8191 // of at most 4 bytes each: below Lucene's 32766
)

type object = map[string]any

// mapping is the definition of a field, with what stands for a type that the cluster lacks.
func (t types) mapping(name, typ string) object {
	switch typ {
	case "ip", "date", "geo_point":
		m := object{"type": typ}
		if name != "@timestamp" {
			m["ignore_malformed"] = true
		}
		return m
	case "flattened", "object":
		return t.whole()
	case "nested":
		target := object{"properties": object{"type": keyword(shortTerm), "id": keyword(shortTerm)}}
		return object{"type": "nested", "properties": object{"type": keyword(shortTerm), "target": target}}
	case "match_only_text":
		if !t[typ] {
			return object{"type": "text", "norms": false}
		}
	case "wildcard":
		if !t[typ] {
			return keyword(longTerm)
		}
		return object{"type": typ, "ignore_above": longTerm}
	case "constant_keyword":
		if !t[typ] {
			return keyword(shortTerm)
		}
	case "keyword":
		switch {
		case name == "event.original":
			return object{"type": typ, "index": false, "doc_values": false}
		case slices.Contains(searchedInside, name):
			return keyword(longTerm)
		}
		return keyword(shortTerm)
	}
	return object{"type": typ}
}

func keyword(ignoreAbove int) object { return object{"type": "keyword", "ignore_above": ignoreAbove} }

// whole is a field for an object of unknown members.
func (t types) whole() object {
	switch {
	case t["flattened"]:
		return object{"type": "flattened", "ignore_above": longTerm, "depth_limit": 64}
	case t["flat_object"]:
		return object{"type": "flat_object"}
	}
	return object{"type": "object", "enabled": false}
}

// properties are the definitions of all fields that keep chooses, nested as documents are.
func (t types) properties(fields iter.Seq2[string, string], keep func(name string) bool) object {
	root := object{}
	for name, typ := range fields {
		if !keep(name) {
			continue
		}
		at := root
		steps := strings.Split(name, ".")
		for _, step := range steps[:len(steps)-1] {
			at = child(at, step)
		}
		last := steps[len(steps)-1]
		if old, ok := at[last].(object); ok && old["properties"] != nil {
			continue // an object of known members stays one
		}
		at[last] = t.mapping(name, typ)
	}
	return root
}

// vendor is the mapping of a vendor's root: its fields have types of their own, and what else comes is searched too, objects as
// a whole and anything else as it is. Where an object is also there as a whole, its other members need no field.
func (t types) vendor(v event.Vendor) object {
	props := t.properties(v.FieldTypes(), func(string) bool { return true })
	for name, typ := range v.FieldTypes() {
		at := props
		steps := strings.Split(name, ".")
		var parent object
		for _, step := range steps[:len(steps)-1] {
			parent, _ = at[step].(object)
			at, _ = parent["properties"].(object)
		}
		switch last := steps[len(steps)-1]; {
		case typ == "keyword":
			at[last] = keyword(longTerm)
		case typ == "long":
			at[last] = object{"type": typ, "ignore_malformed": true}
		case typ == "flattened" && last == "flattened":
			parent["dynamic"] = false
		}
	}
	top, _, _ := strings.Cut(cmp.Or(v.Root, v.Module), ".") // the datasets of some have a root each, below the module's name
	root, _ := props[top].(object)
	root["dynamic"] = true
	below := top + ".*"
	return object{"properties": props, "date_detection": false, "dynamic_templates": []any{
		object{top + "_objects": object{"path_match": below, "match_mapping_type": "object", "mapping": t.whole()}},
		object{top + "_values": object{"path_match": below, "match_mapping_type": "*", "mapping": keyword(longTerm)}},
	}}
}

// child is the properties of the object step, made if need be.
func child(at object, step string) object {
	inner, ok := at[step].(object)
	if !ok {
		inner = object{}
		at[step] = inner
	}
	props, ok := inner["properties"].(object)
	if !ok {
		props = object{}
		inner["properties"] = props
	}
	return props
}

// letterFields are the fields of dead letters beside those of a record.
func letterFields(yield func(string, string) bool) {
	for _, f := range [...][2]string{{"saas.dead_letter.id", "keyword"}, {"saas.dead_letter.dataset", "keyword"},
		{"saas.dead_letter.bytes", "long"}, {"saas.dead_letter.cut", "boolean"}} {
		if !yield(f[0], f[1]) {
			return
		}
	}
}
