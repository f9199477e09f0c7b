package box

import (
	"net/http"
	"slices"
)

// simClass is a classification of the enterprise.
type simClass struct {
	id, name, definition, color string
	number                      int // of the color
}

var simClasses = []simClass{{"c1a55e01-aaaa-4bbb-8ccc-d00000000001", "Public", "Anybody may see it.", "#91C2FD", 1},
	{"c1a55e01-aaaa-4bbb-8ccc-d00000000002", "Internal", "For employees.", "#0061D5", 4},
	{"c1a55e01-aaaa-4bbb-8ccc-d00000000003", "Confidential", "For those who need it.", "#F5B31B", 2},
	{"c1a55e01-aaaa-4bbb-8ccc-d00000000004", "Highly Confidential", "For those named in it.", "#ED3757", 7}}

const (
	simTemplate = "securityClassification-6VMVochwUWo"
	simClassKey = "Box__Security__Classification__Key"
)

func simIsClass(name string) bool {
	return slices.ContainsFunc(simClasses, func(c simClass) bool { return c.name == name })
}

// simClassShown is a class as items show it.
func simClassShown(name string) any {
	for _, c := range simClasses {
		if c.name == name {
			return obj{"name": c.name, "definition": c.definition, "color": c.color}
		}
	}
	return nil
}

// instance is the class of an item as metadata.
func (s *simOrg) instance(it *simItem) obj {
	return obj{simClassKey: it.class, "$parent": it.kind + "_" + it.id, "$template": simTemplate,
		"$scope": "enterprise_" + s.id, "$version": it.classed, "$type": simTemplate + "-c1a55e00-aaaa-4bbb-8ccc-d00000000000",
		"$typeVersion": 4, "$canEdit": true}
}

// classRoutes answer about classifications.
func (s *simOrg) classRoutes(on simOn) {
	on("GET /2.0/metadata_templates/{scope}/{template}/schema", "", func(f *simAsk) (int, any) {
		if f.path("template") != simTemplate || f.path("scope") != "enterprise" {
			return 0, simAbsent
		}
		options := []obj{}
		for _, c := range simClasses {
			options = append(options, obj{"id": c.id, "key": c.name, "staticConfig": obj{"classification": obj{
				"classificationDefinition": c.definition, "colorID": c.number}}})
		}
		return http.StatusOK, obj{"id": "c1a55e00-aaaa-4bbb-8ccc-d00000000000", "type": "metadata_template", "templateKey": simTemplate,
			"scope": "enterprise_" + s.id, "displayName": "Classification", "hidden": false, "copyInstanceOnItemCopy": true,
			"fields": []obj{{"id": "c1a55e00-aaaa-4bbb-8ccc-d00000000009", "type": "enum", "key": simClassKey,
				"displayName": "Classification", "hidden": false, "options": options}}}
	})
	for _, kind := range []string{"file", "folder"} {
		one := " /2.0/" + kind + "s/{" + kind + "}/metadata/{scope}/{template}"
		with := func(method, need string, h func(f *simAsk) (int, any)) {
			on(method+one, need, func(f *simAsk) (int, any) {
				switch {
				case f.path("template") != simTemplate || f.path("scope") != "enterprise":
					return 0, simAbsent
				case method != "POST" && f.it.class == "":
					return 0, simNo{404, "instance_not_found", "Instance of metadata template is not found on the item", nil}
				}
				return h(f)
			})
		}
		with("GET", "viewer", func(f *simAsk) (int, any) { return http.StatusOK, s.instance(f.it) })
		with("POST", "editor", s.classify)
		with("PUT", "editor", s.reclassify)
		with("DELETE", "editor", func(f *simAsk) (int, any) {
			s.setClass(f, "", "METADATA_INSTANCE_DELETE")
			return http.StatusNoContent, nil
		})
	}
}

func (s *simOrg) setClass(f *simAsk, class, event string) {
	f.it = s.tree.edit(f.it.id)
	if class != "" {
		f.it.class = class
	}
	s.tell(f, event, obj{"metadata": obj{"type": simTemplate, "operationParams": class}})
	f.it.class = class
}

func (s *simOrg) classify(f *simAsk) (int, any) {
	in, bad := simInto[map[string]string](f)
	class := in[simClassKey]
	switch {
	case bad != nil:
		return 0, bad
	case f.it.class != "":
		return 0, simNo{409, "tuple_already_exists", "Tuple already exists", nil}
	case len(in) != 1 || !simIsClass(class):
		return 0, simBad("Invalid classification %q", class)
	}
	s.setClass(f, class, "METADATA_INSTANCE_CREATE")
	f.it.classed = 0
	return http.StatusCreated, s.instance(f.it)
}

// reclassify takes a JSON Patch of operations on the one field.
func (s *simOrg) reclassify(f *simAsk) (int, any) {
	in, bad := simInto[[]struct{ Op, Path, Value string }](f)
	class := f.it.class
	if f.r.Header.Get("Content-Type") != "application/json-patch+json" {
		return 0, simNo{415, "unsupported_media_type", "Unsupported Media Type", nil}
	}
	for _, op := range in {
		switch {
		case op.Path != "/"+simClassKey, op.Op == "test" && op.Value != class, op.Op != "test" && op.Op != "replace", !simIsClass(op.Value):
			bad = simBad("Invalid operation %q of %q", op.Op, op.Path)
		case op.Op == "replace":
			class = op.Value
		}
	}
	if bad != nil || len(in) == 0 {
		return 0, simBad("Invalid patch")
	}
	s.setClass(f, class, "METADATA_INSTANCE_UPDATE")
	f.it.classed++
	return http.StatusOK, s.instance(f.it)
}
