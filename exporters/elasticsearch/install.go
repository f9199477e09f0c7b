package elasticsearch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// installed is what stands in _meta of a template.
type installed struct {
	ManagedBy string `json:"managed_by"`
	Version   int    `json:"version"`
	Policy    string `json:"policy"`
}

// install brings the cluster's templates up to our version. Everything is checked by the cluster before the first is
// written; an index template, which makes its components count, is written after them.
func install(ctx context.Context, c *client, l layout) error {
	there, err := versions(ctx, c)
	if err != nil {
		return err
	}
	old := func(t template) bool {
		v, ok := there[t.path]
		return !ok || v.Version < templateVersion || v.Version == templateVersion && l.policy != "" && v.Policy != l.policy
	}
	if !slices.ContainsFunc(l.templates(), old) {
		return nil
	}
	if l.has, err = probe(ctx, c); err != nil {
		return err
	}
	all := l.templates()
	if err := rehearse(ctx, c, all); err != nil {
		return err
	}
	for _, t := range all {
		if !old(t) {
			continue
		}
		if err := put(ctx, c, http.MethodPut, t.path, t.body); err != nil {
			return fmt.Errorf("write %s: %w", t.path[1:], err)
		}
	}
	return nil
}

// versions are the versions of what is installed, by path; what is somebody else's counts as newer.
func versions(ctx context.Context, c *client) (map[string]installed, error) {
	there := map[string]installed{}
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
			var name string
			var body struct {
				Meta installed `json:"_meta"`
			}
			if json.Unmarshal(entry["name"], &name) != nil || json.Unmarshal(entry[kind[1:]], &body) != nil {
				return nil, fmt.Errorf("read %s: unexpected answer", kind)
			}
			if body.Meta.ManagedBy != "longshore" {
				body.Meta.Version = templateVersion + 1
			}
			there["/"+kind+"/"+name] = body.Meta
		}
	}
	return there, nil
}

// simulate is where the cluster checks a template without keeping it.
const simulate = "/_index_template/_simulate"

// pastLimit is the setting with which an index leaves out fields beyond its limit, instead of refusing the document.
const pastLimit = "index.mapping.total_fields.ignore_dynamic_beyond_limit"

// probe asks which field types and settings the cluster has.
func probe(ctx context.Context, c *client) (types, error) {
	has := types{}
	for _, what := range append(slices.Clone(probed[:]), pastLimit) {
		inner := object{"mappings": object{"properties": object{"probe": object{"type": what}}}}
		if what == pastLimit {
			inner = object{"settings": object{pastLimit: true}}
		}
		body := object{"index_patterns": []string{"saas-probe-*"}, "priority": templatePriority, "template": inner}
		err := put(ctx, c, http.MethodPost, simulate, body)
		var f *failure
		switch {
		case err == nil:
			has[what] = true
		case errors.As(err, &f) && f.status == http.StatusBadRequest:
		default:
			return nil, fmt.Errorf("ask for %s: %w", what, err)
		}
	}
	return has, nil
}

// rehearse lets the cluster check each index template with its components.
func rehearse(ctx context.Context, c *client, all []template) error {
	for _, t := range all {
		name, ok := strings.CutPrefix(t.path, "/_index_template/")
		if !ok {
			continue
		}
		mappings, settings := composed(all, t)
		body := object{"index_patterns": []string{"saas-probe-*"}, "priority": templatePriority,
			"template": object{"mappings": mappings, "settings": settings}}
		if stream, ok := t.body["data_stream"]; ok {
			body["data_stream"] = stream
		}
		if err := put(ctx, c, http.MethodPost, simulate, body); err != nil {
			return fmt.Errorf("rehearse %s: %w", name, err)
		}
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
