package elasticsearch

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
)

const (
	// templateVersion counts the changes of what is installed.
	templateVersion = 3
	// templatePriority is above the built-in 100 and Fleet's 200, so that no package's pipeline runs on our documents. Datasets
	// whose vendor's fields have types of their own come before the rest, by one.
	templatePriority = 250
)

// template is one thing to install.
type template struct {
	path string // below the server's root
	body object
}

// layout is what the templates depend on.
type layout struct {
	has       types
	namespace string
	flavor    string
	policy    string // of the data streams; "" = none
}

// templates are all that is installed, in order: an index template after its components.
func (l layout) templates() []template {
	var all []template
	component := func(name string, mappings object) string {
		body := object{"_meta": l.meta(), "template": object{"mappings": mappings}}
		all = append(all, template{"/_component_template/" + name, body})
		return name
	}
	own := func(name string) bool { return strings.HasPrefix(name, "saas.") }
	stream := func(name string) bool { return strings.HasPrefix(name, "data_stream.") }
	ecs := component("saas-ecs", object{"properties": l.has.properties(event.FieldTypes(),
		func(name string) bool { return !own(name) && !stream(name) })})
	saas := component("saas-own", object{"properties": l.has.properties(both(event.FieldTypes(), letterFields), own)})
	// A vendor's fields with types stand under another name than the whole: a template of a program that knew no types of that
	// vendor still has the whole while its components are brought up to date, and may not have both.
	typed := typedVendors()
	parts, inventory := []string{ecs, saas}, object{}
	for _, root := range vendorRoots {
		if v, ok := typed[root]; ok {
			component(fieldsOf(root), l.has.vendor(v))
			inventory[root] = l.has.whole()
			continue
		}
		parts = append(parts, component("saas-"+root, object{"properties": object{root: l.has.whole()}}))
	}
	parts = append(parts, component("saas-inventory", object{"properties": inventory}))

	index := func(name string, patterns []string, priority int, has types, parts []string) object {
		mappings := object{"dynamic": false, "properties": has.properties(event.FieldTypes(), stream)}
		body := object{"_meta": l.meta(), "index_patterns": patterns, "priority": priority, "composed_of": parts,
			"template": object{"mappings": mappings, "settings": l.settings()}}
		all = append(all, template{"/_index_template/" + name, body})
		return body
	}
	// Entities of all datasets share one index, which has no constants, and is no stream that could be rolled over.
	entities := index("saas-entities-"+l.namespace, []string{"saas-entities-" + l.namespace}, templatePriority, types{}, parts)
	entities["template"].(object)["settings"] = layout{has: l.has}.settings()
	for _, root := range slices.Sorted(maps.Keys(typed)) {
		var patterns []string
		for _, dataset := range typed[root].Typed {
			patterns = append(patterns, "logs-"+dataset+"-"+l.namespace)
		}
		body := index("saas-logs-"+root+"-"+l.namespace, patterns, templatePriority+1, l.has, []string{ecs, saas, fieldsOf(root)})
		body["data_stream"] = object{}
	}
	index("saas-logs-"+l.namespace, []string{"logs-*-" + l.namespace}, templatePriority, l.has, parts)["data_stream"] = object{}
	return all
}

// fieldsOf names the component with the types of a vendor's fields.
func fieldsOf(root string) string { return "saas-" + root + "-fields" }

func (l layout) meta() object {
	m := object{"managed_by": "longshore", "version": templateVersion}
	if l.policy != "" {
		m["policy"] = l.policy
	}
	return m
}

func (l layout) settings() object {
	s := object{"codec": "best_compression"}
	if l.has[pastLimit] {
		s["mapping"] = object{"total_fields": object{"ignore_dynamic_beyond_limit": true}}
	}
	if l.policy != "" && l.flavor == elastic { // ISM finds its indices itself
		s["lifecycle"] = object{"name": l.policy}
	}
	return object{"index": s}
}

// typedVendors are the vendors with fields of their own, by root.
func typedVendors() map[string]event.Vendor {
	typed := map[string]event.Vendor{}
	for _, v := range event.TypedVendors() {
		if slices.Contains(vendorRoots[:], v.Module) {
			typed[v.Module] = v
		}
	}
	return typed
}

// composed are the mappings and settings of an index template together with its components.
func composed(all []template, index template) (mappings, settings object) {
	props, dynamic := object{}, []any{}
	add := func(t object) {
		m, _ := t["mappings"].(object)
		p, _ := m["properties"].(object)
		maps.Copy(props, p)
		d, _ := m["dynamic_templates"].([]any)
		dynamic = append(dynamic, d...)
	}
	parts, _ := index.body["composed_of"].([]string)
	for _, t := range all {
		if name, ok := strings.CutPrefix(t.path, "/_component_template/"); ok && slices.Contains(parts, name) {
			inner, _ := t.body["template"].(object)
			add(inner)
		}
	}
	inner, _ := index.body["template"].(object)
	add(inner)
	settings, _ = inner["settings"].(object)
	return object{"dynamic": false, "properties": props, "dynamic_templates": dynamic}, settings
}

func both(a, b iter.Seq2[string, string]) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, seq := range [...]iter.Seq2[string, string]{a, b} {
			for name, typ := range seq {
				if !yield(name, typ) {
					return
				}
			}
		}
	}
}
