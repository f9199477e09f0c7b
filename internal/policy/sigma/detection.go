package sigma

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parser compiles one rule.
type parser struct {
	options Options
	rule    *Rule
	named   map[string]expr // selections
	names   []string        // of them, in the rule's order
	nodes   int             // YAML values and values after modifiers, so far
	words   []string        // of the condition, to come
	depth   int
}

// selections compiles every part of a detection but its conditions, which it gives.
func (p *parser) selections(n *yaml.Node) (conditions []string, err error) {
	p.named = map[string]expr{}
	for key, val := range pairs(n) {
		switch name := key.Value; {
		case name == "condition":
			if conditions, err = p.texts(val); err != nil {
				return nil, fmt.Errorf("condition: %w", err)
			}
		case name == "timeframe":
			return nil, fmt.Errorf("timeframe %q: rules over several events are not known", val.Value)
		case p.named[name] != nil:
			return nil, fmt.Errorf("there are two selections %q", name)
		default:
			e, err := p.selection(val)
			if err != nil {
				return nil, fmt.Errorf("selection %q: %w", name, err)
			}
			p.named[name] = e
			p.names = append(p.names, name)
		}
	}
	return conditions, nil
}

// selection is a map of fields, a list of maps, or keywords.
func (p *parser) selection(n *yaml.Node) (expr, error) {
	n = real(n)
	switch n.Kind {
	case yaml.MappingNode:
		return p.fieldsOf(n)
	case yaml.SequenceNode:
		if len(n.Content) == 0 {
			return nil, fmt.Errorf("an empty list")
		}
		var out oneOf
		for _, el := range n.Content {
			if err := p.count(1); err != nil {
				return nil, err
			}
			e, err := p.element(real(el))
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		return out, nil
	case yaml.ScalarNode:
		return p.item("", n)
	}
	return nil, fmt.Errorf("no map, list or word")
}

func (p *parser) element(n *yaml.Node) (expr, error) {
	switch n.Kind {
	case yaml.MappingNode:
		return p.fieldsOf(n)
	case yaml.ScalarNode:
		return p.item("", n)
	}
	return nil, fmt.Errorf("a list in a list")
}

func (p *parser) fieldsOf(n *yaml.Node) (expr, error) {
	if len(n.Content) == 0 {
		return nil, fmt.Errorf("an empty map")
	}
	var out allOf
	seen := map[string]bool{}
	for key, val := range pairs(n) {
		if seen[key.Value] {
			return nil, fmt.Errorf("field %q is there twice", key.Value)
		}
		seen[key.Value] = true
		e, err := p.item(key.Value, val)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", key.Value, err)
		}
		out = append(out, e)
	}
	return out, nil
}

// item compiles a field (none: keywords) with modifiers, and its values.
func (p *parser) item(key string, n *yaml.Node) (expr, error) {
	field, chain, _ := strings.Cut(key, "|")
	var mods []string
	if chain != "" {
		mods = strings.Split(chain, "|")
	}
	vals := []*yaml.Node{real(n)}
	if vals[0].Kind == yaml.SequenceNode {
		vals = vals[0].Content
	}
	if len(vals) == 0 {
		return nil, fmt.Errorf("no value")
	}
	if other, ok := p.options.Fields[field]; ok {
		field = other
	}
	b := builder{p: p, item: &item{field: field}}
	if err := b.modify(mods); err != nil {
		return nil, err
	}
	for _, v := range vals {
		if v = real(v); v.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: a list or map where a value should be", v.Line)
		}
		if len(v.Value) > maxValue {
			return nil, fmt.Errorf("line %d: a value of %d bytes, at most %d", v.Line, len(v.Value), maxValue)
		}
		if err := p.count(1); err != nil {
			return nil, err
		}
		if err := b.add(v); err != nil {
			return nil, fmt.Errorf("value %q: %w", v.Value, err)
		}
	}
	b.item.any = either(b.item.tests)
	p.rule.fields = append(p.rule.fields, b.item)
	if b.neq {
		return not{b.item}, nil
	}
	return b.item, nil
}

func (p *parser) count(n int) error {
	if p.nodes += n; p.nodes > maxNodes {
		return fmt.Errorf("more than %d values", maxNodes)
	}
	return nil
}

func (p *parser) texts(n *yaml.Node) (out []string, err error) {
	vals := []*yaml.Node{real(n)}
	if vals[0].Kind == yaml.SequenceNode {
		vals = vals[0].Content
	}
	for _, v := range vals {
		if v = real(v); v.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: no text", v.Line)
		}
		if err := p.count(1); err != nil {
			return nil, err
		}
		out = append(out, v.Value)
	}
	return out, nil
}

// pairs iterates over a YAML map.
func pairs(n *yaml.Node) func(func(key, val *yaml.Node) bool) {
	return func(yield func(key, val *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content) && yield(real(n.Content[i]), n.Content[i+1]); i += 2 {
		}
	}
}

// real is what an alias stands for.
func real(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
