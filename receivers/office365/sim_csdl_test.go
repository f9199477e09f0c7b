package office365

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/saas/saastest"
)

// csdl is Microsoft Graph's own description of its types. https://github.com/microsoftgraph/msgraph-metadata
type csdl struct {
	types map[string]*csdlType
	enums map[string]map[string]bool
	sets  map[string]string // of the container, by type
	ops   map[string][]csdlOp
}

type csdlType struct {
	Name  string         `xml:",attr"`
	Base  string         `xml:"BaseType,attr"`
	Props []csdlProperty `xml:"Property"`
	Navs  []csdlProperty `xml:"NavigationProperty"`
	all   map[string]csdlProperty
}

type csdlProperty struct {
	Name     string `xml:",attr"`
	Type     string `xml:",attr"`
	Nullable string `xml:",attr"`
}

type csdlOp struct {
	Name       string         `xml:",attr"`
	Parameters []csdlProperty `xml:"Parameter"`
	Return     struct {
		Type string `xml:",attr"`
	} `xml:"ReturnType"`
}

// csdlSchema is a schema as the file has it.
type csdlSchema struct {
	Namespace string     `xml:",attr"`
	Entities  []csdlType `xml:"EntityType"`
	Complex   []csdlType `xml:"ComplexType"`
	Enums     []struct {
		Name    string `xml:",attr"`
		Members []struct {
			Name string `xml:",attr"`
		} `xml:"Member"`
	} `xml:"EnumType"`
	Actions   []csdlOp `xml:"Action"`
	Functions []csdlOp `xml:"Function"`
	Container struct {
		Sets []struct {
			Name string `xml:",attr"`
			Type string `xml:"EntityType,attr"`
		} `xml:"EntitySet"`
		Single []csdlProperty `xml:"Singleton"`
	} `xml:"EntityContainer"`
}

// csdlName is a type's name without what stands for the namespace.
func csdlName(name string) (plain string, many bool) {
	plain, many = strings.CutPrefix(name, "Collection(")
	plain = strings.TrimSuffix(plain, ")")
	for alias, full := range map[string]string{"graph.": "microsoft.graph.", "self.": "microsoft.graph.security."} {
		if rest, ok := strings.CutPrefix(plain, alias); ok {
			plain = full + rest
		}
	}
	return plain, many
}

const csdlFile = "specs/graph/v1.0-Prod.csdl"

// csdlRead is the description, read once.
var csdlRead = struct {
	sync.Once
	d   *csdl
	err error
}{}

// loadCSDL gives the description; its absence skips the test, or fails it under CI.
func loadCSDL(t testing.TB) *csdl {
	t.Helper()
	name := saastest.Shared(t.(*testing.T), csdlFile)
	csdlRead.Do(func() { csdlRead.d, csdlRead.err = readCSDL(name) })
	if csdlRead.err != nil {
		t.Fatal(csdlRead.err)
	}
	return csdlRead.d
}

func readCSDL(name string) (*csdl, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Schemas []csdlSchema `xml:"DataServices>Schema"`
	}
	if err := xml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	d := &csdl{types: map[string]*csdlType{}, enums: map[string]map[string]bool{}, sets: map[string]string{}, ops: map[string][]csdlOp{}}
	for _, s := range doc.Schemas {
		for _, ty := range slices.Concat(s.Entities, s.Complex) {
			ty.all = map[string]csdlProperty{}
			for _, p := range slices.Concat(ty.Props, ty.Navs) {
				ty.all[p.Name] = p
			}
			d.types[s.Namespace+"."+ty.Name] = &ty
		}
		for _, e := range s.Enums {
			set := map[string]bool{}
			for _, m := range e.Members {
				set[m.Name] = true
			}
			d.enums[s.Namespace+"."+e.Name] = set
		}
		for _, op := range slices.Concat(s.Actions, s.Functions) {
			d.ops[op.Name] = append(d.ops[op.Name], op)
		}
		for _, e := range s.Container.Sets {
			d.sets[e.Name] = "Collection(" + e.Type + ")"
		}
		for _, e := range s.Container.Single {
			d.sets[e.Name] = e.Type
		}
	}
	if len(d.types) < 1000 || len(d.sets) < 50 {
		return nil, fmt.Errorf("%d types and %d entity sets were read of the description", len(d.types), len(d.sets))
	}
	return d, nil
}

// property finds a property of a type or of what it is based on.
func (d *csdl) property(name, prop string) (csdlProperty, bool) {
	for name != "" {
		ty := d.types[name]
		if ty == nil {
			break
		}
		if p, ok := ty.all[prop]; ok {
			return p, true
		}
		name, _ = csdlName(ty.Base)
	}
	return csdlProperty{}, false
}

// is says whether a type is the other or based on it.
func (d *csdl) is(name, other string) bool {
	for ; name != other; name, _ = csdlName(d.types[name].Base) {
		if d.types[name] == nil {
			return false
		}
	}
	return true
}

// operation finds an action or function that is bound to a type.
func (d *csdl) operation(name, on string) *csdlOp {
	plain, many := csdlName(on)
	name = name[strings.LastIndexByte(name, '.')+1:]
	name, _, _ = strings.Cut(name, "(")
	var best *csdlOp // the one that is bound to the most special type
	for _, op := range d.ops[name] {
		bound, boundMany := csdlName(op.Parameters[0].Type)
		if boundMany == many && d.is(plain, bound) && (best == nil || bound == plain) {
			best = &op
		}
	}
	return best
}

// at is what a path leads to: a type, and the operation at its end.
func (d *csdl) at(path string) (of string, op *csdlOp, err error) {
	seg := strings.Split(strings.Trim(path, "/"), "/")
	of, ok := d.sets[seg[0]]
	if !ok {
		return "", nil, fmt.Errorf("no entity set or singleton %q", seg[0])
	}
	for i, s := range seg[1:] {
		plain, many := csdlName(of)
		if p, ok := d.property(plain, s); ok && !many {
			of = p.Type
			continue
		}
		if op = d.operation(s, of); op != nil {
			if i != len(seg)-2 {
				return "", nil, fmt.Errorf("%s is in the middle of the path", s)
			}
			return of, op, nil
		}
		if !many {
			return "", nil, fmt.Errorf("%s has no %q", of, s)
		}
		of = plain // an element by its key
	}
	return of, nil, nil
}

var csdlForms = map[string]*regexp.Regexp{
	"Edm.Guid":           regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`),
	"Edm.DateTimeOffset": regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`),
}

// value says what is wrong with a value, by where it is.
func (d *csdl) value(of string, nullable bool, v any, at string, bad func(at, why string)) {
	plain, many := csdlName(of)
	if list, ok := v.([]any); many {
		if !ok {
			bad(at, fmt.Sprintf("want a list of %s, got %v", plain, v))
		}
		for _, x := range list {
			d.value(plain, false, x, at+"/*", bad)
		}
		return
	}
	if v == nil {
		if !nullable {
			bad(at, "null")
		}
		return
	}
	ok := false
	switch text, isText := v.(string); plain {
	case "Edm.String", "Edm.Binary", "Edm.Duration":
		ok = isText
	case "Edm.Guid", "Edm.DateTimeOffset":
		ok = isText && csdlForms[plain].MatchString(text)
	case "Edm.Boolean":
		_, ok = v.(bool)
	case "Edm.Int32", "Edm.Int64":
		n, isNumber := v.(json.Number)
		_, err := n.Int64()
		ok = isNumber && err == nil
	case "Edm.Double", "Edm.Single", "Edm.Decimal":
		_, ok = v.(json.Number)
	default:
		if members, isEnum := d.enums[plain]; isEnum {
			ok = isText && !slices.ContainsFunc(strings.Split(text, ","), func(m string) bool { return !members[m] })
			break
		}
		o, isObject := v.(map[string]any)
		if !isObject || d.types[plain] == nil {
			break
		}
		d.object(plain, o, at, bad)
		return
	}
	if !ok {
		bad(at, fmt.Sprintf("%v is no %s", v, plain))
	}
}

// object checks the members of an object.
func (d *csdl) object(of string, o map[string]any, at string, bad func(at, why string)) {
	if kind, ok := o["@odata.type"].(string); ok {
		named, _ := csdlName(strings.TrimPrefix(kind, "#"))
		if d.types[named] == nil || !d.is(named, of) {
			bad(at+"/@odata.type", kind+" is no "+of)
			return
		}
		of = named
	}
	for name, v := range o {
		p, ok := d.property(of, name)
		switch {
		case strings.HasPrefix(name, "@"):
		case !ok:
			bad(at+"/"+name, of+" has no such property")
		default:
			d.value(p.Type, p.Nullable != "false", v, at+"/"+name, bad)
		}
	}
}

// csdlChecker checks what arrives at a fake and what it answers.
type csdlChecker struct {
	d       *csdl
	mu      sync.Mutex
	found   map[string]string
	allowed map[string]string // why, by what
	used    map[string]bool
	seen    map[string]int
}

func newCSDLChecker(t testing.TB, allowed map[string]string) *csdlChecker {
	return &csdlChecker{d: loadCSDL(t), found: map[string]string{}, allowed: allowed, used: map[string]bool{}, seen: map[string]int{}}
}

// note notes what is wrong, unless it is allowed: by "METHOD path pointer", where a path's ids are {}.
func (c *csdlChecker) note(r *http.Request, at, why string) {
	what := r.Method + " " + csdlPattern(r) + " " + at
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.allowed {
		if like, _ := regexp.MatchString("^"+strings.ReplaceAll(regexp.QuoteMeta(key), `\*\*`, ".*")+"$", what); like {
			c.used[key] = true
			return
		}
	}
	c.found[what] = why
}

var csdlKey = regexp.MustCompile(`\{[a-z]+\}`)

func csdlPattern(r *http.Request) string {
	_, path, _ := strings.Cut(r.Pattern, " ")
	return csdlKey.ReplaceAllString(path, "{}")
}

// described is a fake whose requests and answers must be as Graph describes them, if the description is at hand.
func described(t *testing.T, fake http.Handler) http.Handler {
	t.Helper()
	if !saastest.IsShared(csdlFile) {
		return fake
	}
	allowed := maps.Clone(simAllowed)
	allowed["GET /v1.0/groups/{}/members ?$select=**"] = "what users and groups have may be selected of members, " +
		"https://learn.microsoft.com/graph/api/group-list-members"
	c := newCSDLChecker(t, allowed)
	t.Cleanup(func() { c.done(t, false) })
	return c.Handler(fake)
}

// Handler is the fake with its requests and answers checked.
func (c *csdlChecker) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(in))
		out := httptest.NewRecorder()
		next.ServeHTTP(out, r)
		if strings.HasPrefix(r.URL.Path, "/v1.0/") || strings.HasPrefix(r.URL.Path, "/beta/") {
			c.check(r, in, out)
		}
		maps.Copy(w.Header(), out.Header())
		w.WriteHeader(out.Code)
		_, _ = w.Write(out.Body.Bytes())
	})
}

func (c *csdlChecker) check(r *http.Request, in []byte, out *httptest.ResponseRecorder) {
	c.mu.Lock()
	c.seen[r.Method+" "+csdlPattern(r)]++
	c.mu.Unlock()
	if out.Code >= 400 {
		c.refusal(r, out)
		return
	}
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/v1.0"), "/beta")
	of, op, err := c.d.at(path)
	if err != nil {
		c.note(r, "path", err.Error())
		return
	}
	bad := func(where string) func(at, why string) {
		return func(at, why string) { c.note(r, where+at, why) }
	}
	answers := of
	if op != nil {
		answers = op.Return.Type
	}
	c.query(r, answers)
	if len(in) > 0 && of != "Edm.Stream" {
		c.body(r, of, op, in, bad("request"))
	}
	if out.Body.Len() == 0 || of == "Edm.Stream" && r.Method == http.MethodGet {
		return
	}
	if of == "Edm.Stream" {
		answers = "microsoft.graph.driveItem"
	}
	if plain, many := csdlName(answers); many && r.Method == http.MethodPost && op == nil {
		answers = plain // what was made
	}
	var v map[string]any
	dec := json.NewDecoder(bytes.NewReader(out.Body.Bytes()))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil || answers == "" {
		c.note(r, "answer", fmt.Sprintf("%q answers with %.80s: %v", answers, out.Body, err))
		return
	}
	if _, many := csdlName(answers); many || strings.HasPrefix(answers, "Edm.") {
		for name := range v {
			if name != "value" && !strings.HasPrefix(name, "@odata.") {
				bad("answer")("/"+name, "not a member of a list")
			}
		}
		c.d.value(answers, false, v["value"], "", bad("answer"))
		return
	}
	c.d.value(answers, false, v, "", bad("answer"))
}

// body checks what a request sends.
func (c *csdlChecker) body(r *http.Request, of string, op *csdlOp, in []byte, bad func(at, why string)) {
	var v map[string]any
	dec := json.NewDecoder(bytes.NewReader(in))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		bad("", err.Error())
		return
	}
	if op == nil {
		plain, _ := csdlName(of)
		c.d.object(plain, v, "", bad)
		return
	}
	for name, x := range v {
		i := slices.IndexFunc(op.Parameters, func(p csdlProperty) bool { return p.Name == name })
		if i < 1 {
			bad("/"+name, op.Name+" has no such parameter")
			continue
		}
		c.d.value(op.Parameters[i].Type, true, x, "/"+name, bad)
	}
	_ = r
}

// query checks the names that $select, $expand, $orderby and $filter use.
func (c *csdlChecker) query(r *http.Request, of string) {
	plain, _ := csdlName(of)
	for option, values := range r.URL.Query() {
		var names []string
		switch option {
		case "$select", "$expand":
			names = strings.Split(values[0], ",")
		case "$orderby":
			names = strings.Fields(values[0])[:1]
		case "$filter":
			for part := range strings.SplitSeq(values[0], " and ") {
				names = append(names, strings.Fields(strings.TrimPrefix(part, "startswith("))[0])
			}
		case "$top", "$skiptoken", "$deltatoken", "token":
		default:
			c.note(r, "?"+option, "no such option")
		}
		for _, n := range names {
			n, _, _ = strings.Cut(strings.TrimSpace(n), "(")
			n, _, _ = strings.Cut(n, ",")
			if _, ok := c.d.property(plain, n); !ok && !strings.HasPrefix(n, "@") {
				c.note(r, "?"+option+"="+n, plain+" has no such property")
			}
		}
	}
}

// refusal checks the error of a refusal.
func (c *csdlChecker) refusal(r *http.Request, out *httptest.ResponseRecorder) {
	var e struct {
		Error *struct {
			Code, Message *string
			InnerError    map[string]any
		}
	}
	err := json.Unmarshal(out.Body.Bytes(), &e)
	if err != nil || e.Error == nil || e.Error.Code == nil || e.Error.Message == nil || e.Error.InnerError["request-id"] == nil {
		c.note(r, fmt.Sprint(out.Code), "no error as Graph writes it: "+out.Body.String())
		return
	}
	if _, err := time.Parse("2006-01-02T15:04:05", fmt.Sprint(e.Error.InnerError["date"])); err != nil {
		c.note(r, fmt.Sprint(out.Code), err.Error())
	}
}

// done fails the test for what was found; stale = for what is allowed and was not needed, too.
func (c *csdlChecker) done(t testing.TB, stale bool) {
	t.Helper()
	for _, what := range slices.Sorted(maps.Keys(c.found)) {
		t.Errorf("%s: %s", what, c.found[what])
	}
	for what := range c.allowed {
		if stale && !c.used[what] {
			t.Errorf("nothing needs this exception: %s", what)
		}
	}
}
