package sigma

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"go.yaml.in/yaml/v3"
)

// builder makes an item from its modifiers and values.
type builder struct {
	p      *parser
	item   *item
	op     string   // contains, startswith, endswith, re, cidr, exists, lt, lte, gt, gte; "" = equal
	change []string // modifiers that change values, in order
	flags  string   // of re
	cased  bool
	expand bool
	ref    bool
	neq    bool
}

var (
	ops      = []string{"contains", "startswith", "endswith", "re", "cidr", "exists", "lt", "lte", "gt", "gte"}
	changers = []string{"base64", "base64offset", "windash", "wide", "utf16le", "utf16be", "utf16"}
	others   = []string{"all", "cased", "expand", "fieldref", "neq", "i", "m", "s"}
)

func (b *builder) modify(mods []string) error {
	for _, m := range mods {
		switch {
		case slices.Contains(ops, m):
			if b.op != "" {
				return fmt.Errorf("the modifiers %q and %q exclude each other", b.op, m)
			}
			b.op = m
		case slices.Contains(changers, m):
			b.change = append(b.change, m)
		case m == "all":
			b.item.all = true
		case m == "cased":
			b.cased = true
		case m == "expand":
			b.expand = true
		case m == "fieldref":
			b.ref = true
		case m == "neq":
			b.neq = true
		case (m == "i" || m == "m" || m == "s") && b.op == "re":
			b.flags += m
		case slices.Contains(others, m):
			return fmt.Errorf("the modifier %q stands only after re", m)
		default:
			return fmt.Errorf("unknown modifier %q: known are %s", m, strings.Join(slices.Concat(ops, changers, others), ", "))
		}
	}
	text := slices.Contains([]string{"", "contains", "startswith", "endswith"}, b.op)
	switch {
	case b.ref && (!text || len(b.change) > 0 || b.expand || b.item.field == ""):
		return errors.New("fieldref goes with a field, contains, startswith and endswith only")
	case len(b.change) > 0 && !text:
		return fmt.Errorf("the modifier %q changes text, which %q does not compare", b.change[0], b.op)
	case b.op == "exists" && b.item.field == "":
		return errors.New("exists needs a field")
	}
	if b.item.field == "" && b.op == "" { // keywords stand anywhere
		b.op = "contains"
	}
	return nil
}

// add compiles one value.
func (b *builder) add(n *yaml.Node) error {
	text := n.Value
	switch tag := n.ShortTag(); {
	case b.ref:
		b.item.refs = append(b.item.refs, ref{field: text})
		b.item.op, b.item.cased = b.op, b.cased
		return nil
	case b.op == "exists":
		yes, err := strconv.ParseBool(text)
		if err != nil {
			return errors.New("exists is true or false")
		}
		b.item.exists, b.item.absent = b.item.exists || yes, b.item.absent || !yes
		return nil
	case tag == "!!null":
		if b.op != "" {
			return fmt.Errorf("null cannot be compared with %q", b.op)
		}
		b.item.absent = true
		return nil
	case b.op == "" && len(b.change) == 0 && (tag == "!!int" || tag == "!!float"):
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			b.item.tests = append(b.item.tests, number{"", f, text})
			return nil
		}
	}
	vals, err := b.values(text)
	if err != nil {
		return err
	}
	if err := b.p.count(len(vals)); err != nil {
		return err
	}
	var alike either // one value under all may still be met in any of its forms
	for _, v := range vals {
		t, err := b.test(v)
		if err != nil {
			return err
		}
		alike = append(alike, t)
	}
	if b.item.all && len(alike) > 1 {
		alike = either{alike}
	}
	b.item.tests = append(b.item.tests, alike...)
	return nil
}

// values are what placeholders and changing modifiers make of a value.
func (b *builder) values(text string) ([]string, error) {
	vals := []string{text}
	if b.expand {
		var err error
		if vals, err = b.fill(text); err != nil {
			return nil, err
		}
	}
	if b.encoded() {
		for i, v := range vals {
			p := newPattern(v, "", true, false)
			if !p.plain {
				return nil, fmt.Errorf("a wildcard cannot be encoded with %q: write \\* and \\? for the characters", b.change[0])
			}
			vals[i] = p.parts[0].text
		}
	}
	for _, m := range b.change {
		var out []string
		for _, v := range vals {
			made, err := changed(m, v)
			if err != nil {
				return nil, err
			}
			out = append(out, made...)
		}
		vals = out
	}
	return vals, nil
}

// encoded says whether the values are no text that a person wrote, so that * and ? in them are characters.
func (b *builder) encoded() bool {
	return slices.ContainsFunc(b.change, func(m string) bool { return m != "windash" })
}

var placeholder = regexp.MustCompile(`%[A-Za-z0-9_.-]+%`)

// fill puts every value of a placeholder in its place.
func (b *builder) fill(text string) ([]string, error) {
	vals := []string{text}
	for _, mark := range placeholder.FindAllString(text, -1) {
		with := b.p.options.Placeholders[strings.Trim(mark, "%")]
		if len(with) == 0 {
			return nil, fmt.Errorf("no values are given for the placeholder %s", mark)
		}
		if len(vals)*len(with) > maxNodes {
			return nil, fmt.Errorf("the placeholder %s gives more than %d values", mark, maxNodes)
		}
		var out []string
		for _, v := range vals {
			for _, w := range with {
				out = append(out, strings.Replace(v, mark, w, 1))
			}
		}
		vals = out
	}
	return vals, nil
}

// changed is what an encoding modifier makes of a value.
func changed(mod, v string) ([]string, error) {
	switch mod {
	case "windash":
		return windash(v)
	case "wide", "utf16le", "utf16":
		out := utf16Bytes(v, false)
		if mod == "utf16" {
			out = "\xff\xfe" + out
		}
		return []string{out}, nil
	case "utf16be":
		return []string{utf16Bytes(v, true)}, nil
	case "base64":
		return []string{base64.StdEncoding.EncodeToString([]byte(v))}, nil
	}
	out := make([]string, 3) // base64offset: where the text begins within three bytes
	for i := range out {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", i) + v))
		from, end := [...]int{0, 2, 3}[i], len(text)-[...]int{0, 3, 2}[(len(v)+i)%3]
		if from >= end {
			return nil, errors.New("it is too short for base64offset")
		}
		out[i] = text[from:end]
	}
	return out, nil
}

func utf16Bytes(v string, big bool) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(v)) {
		if big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return string(b)
}

var (
	dash      = regexp.MustCompile(`\B[-/]\b`)
	dashes    = []string{"-", "/", "–", "—", "―"}
	maxDashes = 4
)

// windash gives a value with every dash before a word as each of the dashes that Windows takes.
func windash(v string) ([]string, error) {
	at := dash.FindAllStringIndex(v, -1)
	if len(at) > maxDashes {
		return nil, fmt.Errorf("%d dashes under windash, at most %d", len(at), maxDashes)
	}
	out := []string{v}
	for _, loc := range slices.Backward(at) {
		var more []string
		for _, o := range out {
			for _, d := range dashes {
				more = append(more, o[:loc[0]]+d+o[loc[1]:])
			}
		}
		out = more
	}
	return out, nil
}

// test compiles the comparison with a value.
func (b *builder) test(v string) (test, error) {
	switch b.op {
	case "re":
		return newRegexp(v, b.flags)
	case "cidr":
		prefix, err := netip.ParsePrefix(v)
		if err != nil {
			return nil, errors.New("no network such as 203.0.113.0/24")
		}
		return network{prefix.Masked()}, nil
	case "lt", "lte", "gt", "gte":
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return nil, errors.New("no number")
		}
		return number{b.op, f, v}, nil
	}
	return newPattern(v, b.op, b.cased, b.encoded()), nil
}

// newRegexp compiles a regular expression that is not too much work.
func newRegexp(text, flags string) (test, error) {
	if flags != "" {
		text = "(?" + flags + ")" + text
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("no regular expression (RE2): %w", err)
	}
	if steps(tree) > maxProgram {
		return nil, fmt.Errorf("a regular expression of more than %d steps", maxProgram)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("no regular expression (RE2): %w", err)
	}
	return expression{re}, nil
}

// steps is about how many instructions a regular expression needs.
func steps(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n += steps(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, maxProgram+1)
}
