package sigmatest

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Rule is a rule's text, read.
type Rule struct {
	Title, ID, Author string
	Logsource         struct{ Product, Service string }
	Detection         map[string]any
}

// Event is an event made for a rule.
type Event struct {
	Fields map[string]any // by path: a text, number or bool; keywords are under "message"
	Why    string         // what was changed in a near miss
}

// Expanded is the value that stands for every placeholder.
const Expanded = "expanded.example"

// star is what stands for *.
const star = "any"

// Read reads a rule.
func Read(text []byte) (r Rule, err error) {
	if err = yaml.Unmarshal(text, &r); err == nil && r.Detection["condition"] == nil {
		err = fmt.Errorf("%s: no condition", r.Title)
	}
	return r, err
}

// Fields lists the fields that the rule names.
func (r Rule) Fields() []string {
	seen := map[string]bool{}
	for name, sel := range r.Detection {
		list, _ := sel.([]any)
		for _, e := range append(list, sel) {
			m, ok := e.(map[string]any)
			for key := range m {
				if field, _, _ := strings.Cut(key, "|"); ok && name != "condition" {
					seen[field] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Events makes events that meet the rule, one for every alternative, and near misses: each is such an event with one required
// field changed, or left out, or with what the rule filters out.
func (r Rule) Events() (meet, miss []Event, err error) {
	condition, _ := r.Detection["condition"].(string)
	wanted, filters, _ := strings.Cut(condition, " and not ")
	var alternatives [][]string // of selections that are all to be met
	for _, part := range strings.Split(wanted, " and ") {
		names := r.selections(strings.TrimPrefix(strings.TrimPrefix(part, "1 of "), "all of "))
		switch {
		case len(names) == 0:
			return nil, nil, fmt.Errorf("%s: condition %q", r.Title, condition)
		case strings.HasPrefix(part, "1 of "):
			var more [][]string
			for _, name := range names {
				for _, a := range append(alternatives, nil)[:max(1, len(alternatives))] {
					more = append(more, append(slices.Clone(a), name))
				}
			}
			alternatives = more
		case alternatives == nil:
			alternatives = [][]string{names}
		default:
			for i := range alternatives {
				alternatives[i] = append(alternatives[i], names...)
			}
		}
	}
	for _, names := range alternatives {
		e := Event{Fields: map[string]any{}}
		for _, name := range names {
			if err := fill(e.Fields, r.Detection[name]); err != nil {
				return nil, nil, fmt.Errorf("%s: %s: %w", r.Title, name, err)
			}
		}
		meet = append(meet, e)
	}
	miss = near(meet[0])
	if filters != "" {
		for _, name := range r.selections(strings.TrimPrefix(filters, "1 of ")) {
			each := []any{r.Detection[name]}
			if list, ok := each[0].([]any); ok { // any of which filters
				each = list
			}
			for _, one := range each {
				e := Event{Fields: maps.Clone(meet[0].Fields), Why: "filtered by " + name}
				if err := fill(e.Fields, one); err != nil {
					return nil, nil, fmt.Errorf("%s: %s: %w", r.Title, name, err)
				}
				miss = append(miss, e)
			}
		}
	}
	return meet, miss, nil
}

func (r Rule) selections(pattern string) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(r.Detection)) {
		if ok, _ := path.Match(strings.TrimSpace(pattern), name); ok && name != "condition" {
			names = append(names, name)
		}
	}
	return names
}

// near changes each field of an event in turn, and leaves each out.
func near(e Event) (miss []Event) {
	for _, field := range slices.Sorted(maps.Keys(e.Fields)) {
		if e.Fields[field] == nil || e.Fields[field] == "" {
			continue // what is to be empty may be absent in another alternative
		}
		if other := (Event{Fields: maps.Clone(e.Fields), Why: field + " is another"}); e.Fields[field] != "x"+star+"x" {
			other.Fields[field] = "none-of-these"
			miss = append(miss, other)
		}
		gone := Event{Fields: maps.Clone(e.Fields), Why: field + " is not there"}
		delete(gone.Fields, field)
		miss = append(miss, gone)
	}
	return miss
}

// fill sets the fields that a selection wants, the first of several values.
func fill(fields map[string]any, selection any) error {
	switch s := selection.(type) {
	case []any:
		if word, ok := s[0].(string); ok {
			fields["message"] = "before " + word + " after"
			return nil
		}
		return fill(fields, s[0])
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(s)) {
			field, how, _ := strings.Cut(key, "|")
			v, err := meeting(how, s[key])
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			if how == "fieldref" {
				fields[s[key].(string)], v = "same", "same"
			}
			switch old, _ := fields[field].(string); {
			case old != "" && how == "startswith":
				v = fmt.Sprint(v, old)
			case old != "" && how == "contains":
				v = fmt.Sprint(old, v)
			}
			fields[field] = v
		}
		return nil
	}
	return fmt.Errorf("%T is not known", selection)
}

// meeting is a value that meets what a rule wants of a field.
func meeting(how string, want any) (any, error) {
	if list, ok := want.([]any); ok {
		if strings.HasSuffix(how, "all") {
			var parts []string
			for _, e := range list {
				parts = append(parts, fmt.Sprint(e))
			}
			return "x" + strings.Join(parts, " and ") + "x", nil
		}
		want = list[0]
	}
	text, ok := want.(string)
	if !ok {
		return want, nil // null, a number or a bool
	}
	text = strings.NewReplacer("*", star, "?", "1").Replace(text)
	switch how {
	case "", "fieldref":
		return text, nil
	case "contains", "contains|all":
		return "x" + text + "x", nil
	case "startswith":
		return text + "x", nil
	case "endswith":
		return "x" + text, nil
	case "expand", "contains|expand":
		return Expanded, nil
	case "re":
		return strings.ReplaceAll(text, ".+", "x"), nil
	}
	return nil, fmt.Errorf("the modifier %q is not known", how)
}

// Object is the event as an object of a provider: paths are nested.
func (e Event) Object() map[string]any {
	out := map[string]any{}
	for _, field := range slices.Sorted(maps.Keys(e.Fields)) {
		at, steps := out, strings.Split(field, ".")
		for _, step := range steps[:len(steps)-1] {
			next, ok := at[step].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[step] = next
			}
			at = next
		}
		at[steps[len(steps)-1]] = e.Fields[field]
	}
	return out
}
