package policy

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
	"cel.dev/cel-go/parser"
)

// ecsRoots are the top-level names of a record that a condition may use, whatever the application.
var ecsRoots = []string{
	"agent", "application", "client", "cloud", "destination", "device", "email", "entity", "error", "event", "file", "finding", "group",
	"host", "http", "labels", "message", "network", "organization", "related", "rule", "saas", "service", "session", "source",
	"tags", "threat", "tls", "transaction", "url", "user", "user_agent",
}

// vendorRoots are the roots of the applications' own fields (schema.md §10).
var vendorRoots = []string{
	"aws", "azure", "box", "dropbox", "gcp", "github", "google_workspace", "o365", "okta", "salesforce", "servicenow", "webex", "workday",
}

// rootNow is the time of evaluation, a timestamp.
const rootNow = "now"

// Roots lists the names a condition may begin with.
func Roots() []string { return slices.Concat(ecsRoots, vendorRoots, []string{rootNow}) }

func newEnv() (*cel.Env, error) {
	opts := []cel.EnvOption{
		cel.ClearMacros(),
		cel.Macros(deepHas, cel.AllMacro, cel.ExistsMacro, cel.ExistsOneMacro, cel.MapMacro, cel.MapFilterMacro, cel.FilterMacro),
		ext.Strings(), ext.Network(), cel.CrossTypeNumericComparisons(true), cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(MaxCondition), cel.ParserRecursionLimit(100), cel.RegexProgramSizeLimit(1 << 10),
	}
	for _, root := range slices.Concat(ecsRoots, vendorRoots) {
		typ := cel.MapType(cel.StringType, cel.DynType)
		if root == "message" || root == "tags" {
			typ = cel.DynType
		}
		opts = append(opts, cel.Variable(root, typ))
	}
	env, err := cel.NewEnv(append(opts, cel.Variable(rootNow, cel.TimestampType))...)
	if err != nil {
		return nil, fmt.Errorf("make environment of conditions: %w", err)
	}
	return env, nil
}

// deepHas is has(a.b.c) that is false, not an error, when already a.b is not there.
var deepHas = cel.GlobalMacro(operators.Has, 1, func(mf cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	last, err := parser.MakeHas(mf, target, args)
	if err != nil {
		return nil, err
	}
	for e := args[0].AsSelect().Operand(); e.Kind() == ast.SelectKind && !e.AsSelect().IsTestOnly(); e = e.AsSelect().Operand() {
		s := e.AsSelect()
		last = mf.NewCall(operators.LogicalAnd, mf.NewPresenceTest(mf.Copy(s.Operand()), s.FieldName()), last)
	}
	return last, nil
})

// compile makes a program of a condition, and the paths of fields it reads.
func compile(env *cel.Env, p *Policy) (cel.Program, []string, error) {
	if strings.TrimSpace(p.When) == "" {
		return nil, nil, fmt.Errorf("policy %q: when is missing: write true for a policy that always holds", p.Name)
	}
	if len(p.When) > MaxCondition {
		return nil, nil, fmt.Errorf("policy %q: when has %d bytes, at most %d", p.Name, len(p.When), MaxCondition)
	}
	checked, issues := env.Compile(p.When)
	if issues.Err() != nil {
		return nil, nil, fmt.Errorf("policy %q: when: %s", p.Name, explain(issues, p.When))
	}
	if t := checked.OutputType(); !t.IsExactType(types.BoolType) && !t.IsExactType(types.DynType) {
		return nil, nil, fmt.Errorf("policy %q: when: the condition gives %s, not true or false: %s", p.Name, t, p.When)
	}
	prog, err := env.Program(checked, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, nil, fmt.Errorf("policy %q: when: %w: %s", p.Name, err, p.When)
	}
	var found paths
	found.walk(checked.NativeRep().Expr())
	return prog, found, nil
}

// explain says where a condition is wrong, with the line it is in and the name that was probably meant.
func explain(issues *cel.Issues, text string) string {
	e := issues.Errors()[0]
	line, column := e.Location.Line(), e.Location.Column()+1
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) {
		return e.Message + ": " + text
	}
	out := fmt.Sprintf("line %d, column %d: %s", line, column, e.Message)
	if _, name, ok := strings.Cut(e.Message, "undeclared reference to '"); ok {
		name, _, _ = strings.Cut(name, "'")
		out = fmt.Sprintf("line %d, column %d: nothing is called %q%s", line, column, name, didYouMean(name, Roots()))
	}
	return out + ": " + strings.TrimSpace(lines[line-1])
}

// paths are the fields that a condition reads: "event.action", or a root alone.
type paths []string

func (ps *paths) add(path string) {
	root, _, _ := strings.Cut(path, ".")
	if (slices.Contains(ecsRoots, root) || slices.Contains(vendorRoots, root)) && !slices.Contains(*ps, path) {
		*ps = append(*ps, path)
	}
}

// walk adds the longest chain of names at every place of an expression. A loop variable called as a root only adds too much.
func (ps *paths) walk(e ast.Expr) {
	if path, ok := chain(e); ok {
		ps.add(path)
		return
	}
	switch e.Kind() {
	case ast.SelectKind:
		ps.walk(e.AsSelect().Operand())
	case ast.CallKind:
		c := e.AsCall()
		if c.IsMemberFunction() {
			ps.walk(c.Target())
		}
		for _, a := range c.Args() {
			ps.walk(a)
		}
	case ast.ListKind:
		for _, el := range e.AsList().Elements() {
			ps.walk(el)
		}
	case ast.MapKind:
		for _, en := range e.AsMap().Entries() {
			ps.walk(en.AsMapEntry().Key())
			ps.walk(en.AsMapEntry().Value())
		}
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		for _, sub := range []ast.Expr{c.IterRange(), c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result()} {
			ps.walk(sub)
		}
	}
}

// chain is a name followed by fields: user.target.id, or labels["team"].
func chain(e ast.Expr) (string, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent(), true
	case ast.SelectKind:
		path, ok := chain(e.AsSelect().Operand())
		return path + "." + e.AsSelect().FieldName(), ok
	case ast.CallKind:
		c := e.AsCall()
		if c.FunctionName() != operators.Index || len(c.Args()) != 2 || c.Args()[1].Kind() != ast.LiteralKind {
			return "", false
		}
		key, isText := c.Args()[1].AsLiteral().Value().(string)
		path, ok := chain(c.Args()[0])
		return path + "." + key, ok && isText
	}
	return "", false
}

// shortest drops the paths that lie below another one.
func (ps paths) shortest() paths {
	ps = slices.Clone(ps)
	slices.Sort(ps)
	var out paths
	for _, p := range slices.Compact(ps) {
		if !slices.ContainsFunc(out, func(o string) bool { return strings.HasPrefix(p, o+".") }) {
			out = append(out, p)
		}
	}
	return out
}
