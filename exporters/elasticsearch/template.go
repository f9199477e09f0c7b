package elasticsearch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
)

const (
	// templateVersion counts the changes of what is installed.
	templateVersion = 1
	// templatePriority is above the built-in 100 and Fleet's 200, so that no package's pipeline runs on our documents.
	templatePriority = 250
)

// template is one thing to install.
type template struct {
	path string // below the server's root
	body object
}

// templates are all that is installed, in order: an index template after its components.
func templates(t types, namespace string) []template {
	meta := object{"managed_by": "longshore", "version": templateVersion}
	var all []template
	var parts []string
	component := func(name string, props object) {
		parts = append(parts, name)
		mappings := object{"properties": props}
		all = append(all, template{"/_component_template/" + name, object{"_meta": meta, "template": object{"mappings": mappings}}})
	}
	own := func(name string) bool { return strings.HasPrefix(name, "saas.") }
	stream := func(name string) bool { return strings.HasPrefix(name, "data_stream.") }
	component("saas-ecs", t.properties(event.FieldTypes(), func(name string) bool { return !own(name) && !stream(name) }))
	component("saas-own", t.properties(both(event.FieldTypes(), letterFields), own))
	for _, root := range vendorRoots {
		component("saas-"+root, object{root: t.whole()})
	}
	index := func(name, pattern string, has types) object {
		mappings := object{"dynamic": false, "properties": has.properties(event.FieldTypes(), stream)}
		body := object{"_meta": meta, "index_patterns": []string{pattern}, "priority": templatePriority, "composed_of": parts,
			"template": object{"mappings": mappings, "settings": object{"index": object{"codec": "best_compression"}}}}
		all = append(all, template{"/_index_template/" + name, body})
		return body
	}
	index("saas-entities-"+namespace, "saas-entities-"+namespace, types{}) // entities of all datasets share one index: no constants
	index("saas-logs-"+namespace, "logs-*-"+namespace, t)["data_stream"] = object{}
	return all
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

// install brings the cluster's templates up to our version. Everything is checked by the cluster before the first is
// written; an index template, which makes its components count, is written last.
func install(ctx context.Context, c *client, namespace string) error {
	there, err := versions(ctx, c)
	if err != nil {
		return err
	}
	old := func(t template) bool { v, ok := there[t.path]; return !ok || v < templateVersion }
	if !slices.ContainsFunc(templates(types{}, namespace), old) {
		return nil
	}
	has, err := probe(ctx, c)
	if err != nil {
		return err
	}
	all := templates(has, namespace)
	if err := rehearse(ctx, c, all); err != nil {
		return err
	}
	for _, t := range all {
		if !old(t) {
			continue
		}
		if err := put(ctx, c, http.MethodPut, t.path, t.body); err != nil {
			return err
		}
	}
	return nil
}

// versions are the versions of what is installed, by path; what is somebody else's counts as newer.
func versions(ctx context.Context, c *client) (map[string]int, error) {
	type item struct {
		Name string `json:"name"`
		Body struct {
			Meta struct {
				ManagedBy string `json:"managed_by"`
				Version   int    `json:"version"`
			} `json:"_meta"`
		}
	}
	there := map[string]int{}
	for _, kind := range [...]string{"_component_template", "_index_template"} {
		r, err := c.do(ctx, http.MethodGet, "/"+kind+"/saas-*", "", nil)
		var f *failure
		if errors.As(err, &f) && f.status == http.StatusNotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		var list map[string][]map[string]json.RawMessage
		if err := json.Unmarshal(r.body, &list); err != nil {
			return nil, fmt.Errorf("read %s: %w", kind, err)
		}
		for _, entry := range list[kind[1:]+"s"] {
			var it item
			if json.Unmarshal(entry["name"], &it.Name) != nil || json.Unmarshal(entry[kind[1:]], &it.Body) != nil {
				return nil, fmt.Errorf("read %s: unexpected answer", kind)
			}
			version := it.Body.Meta.Version
			if it.Body.Meta.ManagedBy != "longshore" {
				version = templateVersion + 1
			}
			there["/"+kind+"/"+it.Name] = version
		}
	}
	return there, nil
}

// simulate is where the cluster checks a template without keeping it.
const simulate = "/_index_template/_simulate"

// probe asks which field types the cluster has. Where it cannot be asked, only the common ones count as there.
func probe(ctx context.Context, c *client) (types, error) {
	has := types{}
	for _, typ := range probed {
		body := object{"index_patterns": []string{"saas-probe-*"}, "priority": templatePriority,
			"template": object{"mappings": object{"properties": object{"probe": object{"type": typ}}}}}
		err := put(ctx, c, http.MethodPost, simulate, body)
		var f *failure
		switch {
		case err == nil:
			has[typ] = true
		case errors.As(err, &f) && f.status == http.StatusBadRequest:
		default:
			return nil, err
		}
	}
	return has, nil
}

// rehearse lets the cluster check all fields and settings together.
func rehearse(ctx context.Context, c *client, all []template) error {
	props := object{}
	for _, t := range all {
		inner, _ := t.body["template"].(object)
		mappings, _ := inner["mappings"].(object)
		p, _ := mappings["properties"].(object)
		maps.Copy(props, p)
	}
	last := all[len(all)-1].body
	body := object{"index_patterns": []string{"saas-probe-*"}, "priority": templatePriority, "data_stream": object{},
		"template": object{"mappings": object{"dynamic": false, "properties": props}, "settings": last["template"].(object)["settings"]}}
	if err := put(ctx, c, http.MethodPost, simulate, body); err != nil {
		return fmt.Errorf("rehearse: %w", err)
	}
	return nil
}

func put(ctx context.Context, c *client, method, path string, body object) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	_, err = c.do(ctx, method, path, "application/json", text)
	return err
}
