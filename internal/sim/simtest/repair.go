package simtest

import (
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// repair makes of a document what its vendor means. A path with a fragment describes one use of the path before it, not a
// place of its own. A schema of several parts allows null when one of its own parts does, not only when all do. A property
// that is required and described nowhere is a slip.
func repair(doc *openapi3.T) {
	for path := range doc.Paths.Map() {
		if real, _, cut := strings.Cut(path, "#"); cut && doc.Paths.Value(real) != nil {
			doc.Paths.Delete(path)
		}
	}
	seen := map[*openapi3.Schema]bool{}
	if doc.Components != nil {
		for _, s := range doc.Components.Schemas {
			repairSchema(s, seen)
		}
		for _, r := range doc.Components.Responses {
			repairContent(r.Value.Content, seen)
		}
	}
	for _, p := range doc.Paths.Map() {
		for _, op := range p.Operations() {
			if op.RequestBody != nil {
				repairContent(op.RequestBody.Value.Content, seen)
			}
			for _, r := range op.Responses.Map() {
				repairContent(r.Value.Content, seen)
			}
		}
	}
}

func repairContent(c openapi3.Content, seen map[*openapi3.Schema]bool) {
	for _, m := range c {
		repairSchema(m.Schema, seen)
	}
}

func repairSchema(ref *openapi3.SchemaRef, seen map[*openapi3.Schema]bool) {
	if ref == nil || ref.Value == nil || seen[ref.Value] {
		return
	}
	s := ref.Value
	seen[s] = true
	for _, part := range s.AllOf {
		for _, name := range part.Value.Required { // of another part: the whole requires it
			if slices.ContainsFunc(s.AllOf, func(p *openapi3.SchemaRef) bool { return p.Value.Properties[name] != nil }) {
				s.Required = append(s.Required, name)
			}
		}
		repairSchema(part, seen)
		s.Nullable = s.Nullable || part.Ref == "" && part.Value.Nullable
	}
	for _, list := range []openapi3.SchemaRefs{s.AnyOf, s.OneOf, {s.Items, s.AdditionalProperties.Schema, s.Not}} {
		for _, part := range list {
			repairSchema(part, seen)
		}
	}
	for _, part := range s.Properties {
		repairSchema(part, seen)
	}
	if len(s.Properties) > 0 && len(s.AllOf) == 0 {
		s.Required = slices.DeleteFunc(s.Required, func(name string) bool { return s.Properties[name] == nil })
	}
}
