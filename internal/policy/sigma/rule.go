package sigma

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"go.yaml.in/yaml/v3"

	"github.com/longshore-dev/longshore/internal/event"
)

// Bounds of one rule.
const (
	MaxRule    = 256 << 10 // bytes of its text
	maxNodes   = 20_000    // YAML values of a detection, and values after modifiers
	maxValue   = 4 << 10   // bytes of one value
	maxDepth   = 50        // parentheses and not
	maxProgram = 20_000    // steps of one regular expression
)

// Rule is a compiled rule, and what is shown with a match.
type Rule struct {
	ID          string
	Title       string
	Author      string
	Status      string // stable, test, experimental, …
	Level       string // informational, low, medium, high or critical
	Description string
	References  []string
	Tags        []string // attack.t1098.003
	Source      Source

	fields []*item
	holds  expr
}

// Source is a rule's logsource.
type Source struct{ Product, Category, Service string }

// Options are what a rule does not say itself.
type Options struct {
	// Placeholders are the values of %name% under the modifier expand.
	Placeholders map[string][]string
	// Fields are other names for a rule's fields: the rule's → the one to look for.
	Fields map[string]string
}

// Parse compiles a rule. The applications have to be registered, or fields have no exported names.
func Parse(text []byte, o Options) (*Rule, error) {
	if len(text) > MaxRule {
		return nil, fmt.Errorf("read sigma rule: %d bytes, at most %d", len(text), MaxRule)
	}
	var in struct {
		ID, Title, Author, Status, Level, Description string
		References, Tags                              []string
		Logsource                                     Source
		Detection                                     yaml.Node
	}
	if err := yaml.Unmarshal(text, &in); err != nil {
		return nil, fmt.Errorf("read sigma rule: %w", err)
	}
	r := &Rule{ID: in.ID, Title: in.Title, Author: in.Author, Status: in.Status, Level: in.Level, Description: in.Description,
		References: in.References, Tags: in.Tags, Source: in.Logsource}
	name := r.Title
	if name == "" {
		name = r.ID
	}
	err := r.compile(&in.Detection, o)
	if err != nil {
		return nil, fmt.Errorf("sigma rule %q: %w", name, err)
	}
	return r, nil
}

func (r *Rule) compile(n *yaml.Node, o Options) error {
	switch {
	case strings.TrimSpace(r.Title) == "":
		return errors.New("title is missing")
	case r.Source == Source{}:
		return errors.New("logsource is missing")
	case n.Kind != yaml.MappingNode:
		return errors.New("detection is missing or no map")
	}
	p := &parser{options: o, rule: r}
	conditions, err := p.selections(n)
	if err != nil {
		return err
	}
	if len(conditions) == 0 {
		return errors.New("condition is missing")
	}
	var holds oneOf
	for _, text := range conditions {
		e, err := p.condition(text)
		if err != nil {
			return fmt.Errorf("condition %q: %w", text, err)
		}
		holds = append(holds, e)
	}
	r.holds = holds
	module, dataset := r.Module(), ""
	if ds := r.Datasets(); len(ds) > 0 {
		dataset = ds[0]
	}
	for _, i := range r.fields {
		i.exported = event.Exported(module, dataset, i.field)
		for n := range i.refs {
			i.refs[n].exported = event.Exported(module, dataset, i.refs[n].field)
		}
	}
	return nil
}

// Fields lists the fields that the rule reads, as it names them, each once.
func (r *Rule) Fields() (names []string) {
	seen := map[string]bool{"": true}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, i := range r.fields {
		add(i.field)
		for _, to := range i.refs {
			add(to.field)
		}
	}
	return names
}

// Match says whether the rule holds for a record. It holds for none of another dataset than its logsource names.
func (r *Rule) Match(w event.View) bool {
	return r.meant(w.Str("event.dataset")) && r.holds.holds(&record{raw: object(w.Raw()), view: w, viewed: true})
}

// MatchDocument is Match for an exported document (ECS JSON).
func (r *Rule) MatchDocument(doc []byte) bool {
	d := &record{doc: object(unsafe.String(unsafe.SliceData(doc), len(doc)))}
	dataset := ""
	walk(d.doc, "event.dataset", 0, func(s string) bool { dataset = s; return false })
	walk(d.doc, "event.original", 0, func(s string) bool { d.raw = object(s); return false })
	return r.meant(dataset) && r.holds.holds(d)
}

// MatchRaw asks an object as the provider sends it, whatever the rule's logsource.
func (r *Rule) MatchRaw(raw []byte) bool {
	return r.holds.holds(&record{raw: object(unsafe.String(unsafe.SliceData(raw), len(raw)))})
}
