package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/longshore-dev/longshore/internal/event"
)

// record is one record as conditions see it: a root is built when the first condition asks for it, from the fields that any
// condition reads. It is for one goroutine.
type record struct {
	w     event.View
	fresh map[string]paths // of the set: the fields to read, by root
	roots map[string]any
	now   time.Time
}

// ResolveName gives a root.
func (r *record) ResolveName(name string) (any, bool) {
	if name == rootNow {
		return r.now, true
	}
	if v, ok := r.roots[name]; ok {
		return v, v != nil
	}
	reads, known := r.fresh[name]
	if !known {
		return nil, false
	}
	v := r.build(name, reads)
	r.roots[name] = v
	return v, v != nil
}

// Parent is nil: there is nothing behind a record.
func (r *record) Parent() cel.Activation { return nil }

func (r *record) build(root string, reads paths) any {
	switch root {
	case "message":
		v, _ := r.w.Get(root)
		return v
	case "tags":
		if tags := r.w.Strs(root); tags != nil {
			return tags
		}
		return []string{}
	}
	m := map[string]any{}
	if slices.Contains(vendorRoots, root) {
		r.buildVendor(m, root, reads)
		return m
	}
	for _, path := range reads {
		rest := strings.TrimPrefix(strings.TrimPrefix(path, root), ".")
		if root == "finding" {
			path, rest = findingField(rest)
		}
		if v, ok := r.w.Get(path); ok && path != root {
			put(m, rest, v)
			continue
		}
		r.below(m, path, rest)
	}
	if root == "finding" {
		if v, ok := m["data_type"]; ok {
			m["types"] = v
		}
	}
	return m
}

// findingField is where the record has what conditions call finding.x, and the name under which it is put first.
func findingField(rest string) (path, under string) {
	switch {
	case rest == "":
		return "saas.finding", ""
	case rest == "types":
		return "saas.finding.data_type", "data_type"
	}
	return "saas.finding." + rest, rest
}

// below puts all attributes under path.
func (r *record) below(m map[string]any, path, rest string) {
	for _, attrs := range [...]pcommon.Map{r.w.Res.Resource().Attributes(), r.w.Log.Attributes()} {
		for name, v := range attrs.All() {
			if len(name) > len(path) && name[len(path)] == '.' && name[:len(path)] == path {
				put(m, strings.TrimPrefix(rest+name[len(path):], "."), v.AsRaw())
			}
		}
	}
}

// buildVendor reads fields of the body. Only the application's own records have them.
func (r *record) buildVendor(m map[string]any, root string, reads paths) {
	if r.w.Str("event.module") != root {
		return
	}
	for _, path := range reads {
		if path == root {
			if whole, ok := r.w.Map()[root].(map[string]any); ok {
				for k, v := range whole {
					m[k] = v
				}
			}
			return
		}
		if v, ok := r.w.Get(path); ok {
			put(m, path[len(root)+1:], v)
			continue
		}
		r.between(m, root, path)
	}
}

// between is for a path that ends above where the vendor's fields begin: azure, whose root is azure.signinlogs.
func (r *record) between(m map[string]any, root, path string) {
	dataset := r.w.Str("event.dataset")
	if !strings.HasPrefix(dataset, path+".") && dataset != path {
		return
	}
	var v any = r.w.Map()
	for step := range strings.SplitSeq(path, ".") {
		inner, ok := v.(map[string]any)
		if !ok {
			return
		}
		v = inner[step]
	}
	if v != nil {
		put(m, path[len(root)+1:], v)
	}
}

// put sets a value at a dotted path; what stands in the way stays.
func put(m map[string]any, path string, v any) {
	for {
		step, rest, more := strings.Cut(path, ".")
		if !more {
			if old, ok := m[step].(map[string]any); ok {
				if add, ok := v.(map[string]any); ok {
					for k, x := range add {
						old[k] = x
					}
				}
				return
			}
			m[step] = v
			return
		}
		next, ok := m[step].(map[string]any)
		if !ok {
			if m[step] != nil {
				return
			}
			next = map[string]any{}
			m[step] = next
		}
		m, path = next, rest
	}
}

// word is a value as text; a list's first.
func word(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		if len(v) == 0 {
			return ""
		}
		return word(v[0])
	case map[string]any:
		return ""
	}
	return fmt.Sprint(v)
}
