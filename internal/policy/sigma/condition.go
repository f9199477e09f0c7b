package sigma

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// expr is a part of a condition.
type expr interface{ holds(d *record) bool }

type (
	oneOf []expr
	allOf []expr
	not   struct{ expr }
)

func (o oneOf) holds(d *record) bool {
	for _, e := range o {
		if e.holds(d) {
			return true
		}
	}
	return false
}

func (a allOf) holds(d *record) bool {
	for _, e := range a {
		if !e.holds(d) {
			return false
		}
	}
	return true
}

func (n not) holds(d *record) bool { return !n.expr.holds(d) }

// condition compiles a condition: or binds weaker than and, and weaker than not.
func (p *parser) condition(text string) (expr, error) {
	if strings.Contains(text, "|") {
		return nil, errors.New("aggregations (|) are no longer part of a rule's condition")
	}
	text = strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text)
	p.words, p.depth = strings.Fields(text), 0
	e, err := p.or()
	switch {
	case err != nil:
		return nil, err
	case len(p.words) > 0:
		return nil, fmt.Errorf("and, or or the end should stand where %q stands", p.words[0])
	}
	return e, nil
}

// next takes a word if it is the wanted one.
func (p *parser) next(word string) bool {
	if len(p.words) == 0 || !strings.EqualFold(p.words[0], word) {
		return false
	}
	p.words = p.words[1:]
	return true
}

func (p *parser) or() (expr, error) {
	e, err := p.and()
	for err == nil && p.next("or") {
		var right expr
		right, err = p.and()
		e = oneOf{e, right}
	}
	return e, err
}

func (p *parser) and() (expr, error) {
	e, err := p.operand()
	for err == nil && p.next("and") {
		var right expr
		right, err = p.operand()
		e = allOf{e, right}
	}
	return e, err
}

func (p *parser) operand() (expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("it is nested deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	switch {
	case p.next("not"):
		e, err := p.operand()
		return not{e}, err
	case p.next("("):
		e, err := p.or()
		if err == nil && !p.next(")") {
			err = errors.New("a parenthesis is not closed")
		}
		return e, err
	case len(p.words) == 0:
		return nil, errors.New("it ends where a selection should stand")
	case len(p.words) > 1 && strings.EqualFold(p.words[1], "of"):
		return p.several()
	}
	name := p.words[0]
	p.words = p.words[1:]
	if e, ok := p.named[name]; ok {
		return e, nil
	}
	return nil, fmt.Errorf("there is no selection %q: there are %s", name, strings.Join(p.names, ", "))
}

// several compiles "1 of selection_*", "all of them" and the like.
func (p *parser) several() (expr, error) {
	if len(p.words) < 3 {
		return nil, fmt.Errorf("a selection or them should follow %q", strings.Join(p.words, " "))
	}
	count, which := strings.ToLower(p.words[0]), p.words[2]
	p.words = p.words[3:]
	var found []expr
	for _, name := range p.names {
		ok := !strings.HasPrefix(name, "_")
		if !strings.EqualFold(which, "them") {
			ok, _ = path.Match(which, name)
		}
		if ok {
			found = append(found, p.named[name])
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no selection is called %q: there are %s", which, strings.Join(p.names, ", "))
	}
	switch {
	case count == "all":
		return allOf(found), nil
	case slices.Contains([]string{"1", "any"}, count):
		return oneOf(found), nil
	}
	return nil, fmt.Errorf("%q of %s: only 1, any and all are known", count, which)
}
