package event

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// ocsfAttr is an attribute as the schema declares it, in the dictionary or in a class or object.
type ocsfAttr struct {
	Type        string
	ObjectType  string `json:"object_type"`
	IsArray     *bool  `json:"is_array"`
	Requirement string
	Enum        map[string]struct{ Caption string }
	Sibling     string
	Observable  int
	Profile     json.RawMessage // "null" takes an attribute out of a profile
	profile     string
}

// ocsfThing is an event class or an object.
type ocsfThing struct {
	Name        string
	Caption     string
	UID         int
	Category    string
	Extends     string
	Attributes  json.RawMessage
	Constraints map[string][]string
	Observable  int
	attrs       map[string]ocsfAttr
	done        bool
}

type ocsfType struct {
	Type       string
	MaxLen     int `json:"max_len"`
	Range      []float64
	Regex      string
	Observable int
	re         *regexp.Regexp
}

// ocsfSchema is the schema as its files give it, `extends`, `$include` and profiles resolved.
type ocsfSchema struct {
	dir        string
	version    string
	dictionary map[string]ocsfAttr
	types      map[string]ocsfType
	objects    map[string]*ocsfThing
	events     map[string]*ocsfThing
	classes    map[int]*ocsfThing
	categories map[string]struct {
		UID     int
		Caption string
	}
	observables map[int]bool
}

var openSchema = sync.OnceValues(func() (*ocsfSchema, error) {
	dir := cmp.Or(os.Getenv("LONGSHORE_SPECS"), filepath.Join("..", "..", "..", "shared", "specs"))
	return readSchema(filepath.Join(dir, "ocsf"))
})

// schema is OCSF's own; a test is skipped where it is not there.
func schema(t testing.TB) *ocsfSchema {
	t.Helper()
	s, err := openSchema()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("no OCSF schema: ", err)
	}
	return s
}

func (s *ocsfSchema) read(name string, into any) error {
	data, err := os.ReadFile(filepath.Join(s.dir, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	if err = json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

func readSchema(dir string) (*ocsfSchema, error) {
	s := &ocsfSchema{dir: dir, objects: map[string]*ocsfThing{}, events: map[string]*ocsfThing{}, classes: map[int]*ocsfThing{},
		observables: map[int]bool{0: true, 99: true}}
	var version struct{ Version string }
	var categories struct {
		Attributes map[string]struct {
			UID     int
			Caption string
		}
	}
	var dictionary struct {
		Attributes map[string]ocsfAttr
		Types      struct{ Attributes map[string]ocsfType }
	}
	for name, into := range map[string]any{"version.json": &version, "categories.json": &categories, "dictionary.json": &dictionary} {
		if err := s.read(name, into); err != nil {
			return nil, err
		}
	}
	s.version, s.categories, s.dictionary, s.types = version.Version, categories.Attributes, dictionary.Attributes, dictionary.Types.Attributes
	for name, t := range s.types {
		s.observables[t.Observable] = true
		if t.Regex != "" {
			t.re = regexp.MustCompile(t.Regex)
			s.types[name] = t
		}
	}
	for _, a := range s.dictionary {
		s.observables[a.Observable] = true
	}
	if err := s.readThings("events", s.events); err != nil {
		return nil, err
	}
	if err := s.readThings("objects", s.objects); err != nil {
		return nil, err
	}
	for _, things := range []map[string]*ocsfThing{s.events, s.objects} {
		for name := range things {
			if err := s.resolve(things, name); err != nil {
				return nil, fmt.Errorf("resolve %s: %w", name, err)
			}
		}
	}
	for _, e := range s.events {
		if cat := s.categories[e.Category]; e.UID > 0 {
			s.classes[cat.UID*1000+e.UID] = e
		}
	}
	s.classes[0] = s.events["base_event"]
	return s, nil
}

// readThings reads all classes or objects below a folder.
func (s *ocsfSchema) readThings(folder string, things map[string]*ocsfThing) error {
	return filepath.WalkDir(filepath.Join(s.dir, folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(s.dir, path)
		thing := &ocsfThing{}
		if err = s.read(filepath.ToSlash(rel), thing); err != nil {
			return err
		}
		s.observables[thing.Observable] = true
		things[cmp.Or(thing.Name, strings.TrimSuffix(d.Name(), ".json"))] = thing
		return nil
	})
}

// resolve adds what a thing extends and includes.
func (s *ocsfSchema) resolve(things map[string]*ocsfThing, name string) error {
	t := things[name]
	if t == nil {
		return fmt.Errorf("there is no %q", name)
	}
	if t.done {
		return nil
	}
	t.done, t.attrs = true, map[string]ocsfAttr{}
	if t.Extends != "" {
		if err := s.resolve(things, t.Extends); err != nil {
			return err
		}
		up := things[t.Extends]
		for name, a := range up.attrs {
			t.attrs[name] = a
		}
		t.Category = cmp.Or(t.Category, up.Category)
		if t.Constraints == nil {
			t.Constraints = up.Constraints
		}
	}
	return s.declare(t, t.Attributes, "")
}

// declare adds declared attributes, of a profile or none.
func (s *ocsfSchema) declare(t *ocsfThing, raw json.RawMessage, profile string) error {
	var decl map[string]json.RawMessage
	if len(raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, &decl); err != nil {
		return err
	}
	if inc, ok := decl["$include"]; ok {
		var names []string
		if json.Unmarshal(inc, &names) != nil {
			names = []string{strings.Trim(string(inc), `"`)}
		}
		for _, name := range names {
			var p struct {
				Name, Meta string
				Attributes json.RawMessage
			}
			if err := s.read(name, &p); err != nil {
				return err
			}
			if p.Meta != "profile" {
				p.Name = profile
			}
			if err := s.declare(t, p.Attributes, p.Name); err != nil {
				return err
			}
		}
	}
	for name, raw := range decl {
		if name == "$include" {
			continue
		}
		a, had := t.attrs[name]
		if !had {
			a = s.dictionary[name]
			a.Requirement = ""
		}
		enum := a.Enum
		a.Enum, a.Profile = nil, nil
		if err := json.Unmarshal(raw, &a); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		merged := map[string]struct{ Caption string }{}
		for _, from := range []map[string]struct{ Caption string }{enum, a.Enum} {
			for id, e := range from {
				merged[id] = e
			}
		}
		a.Enum = merged
		var own string
		switch {
		case string(a.Profile) == "null":
			a.profile = ""
		case json.Unmarshal(a.Profile, &own) == nil && own != "":
			a.profile = own
		case profile != "":
			a.profile = profile
		}
		s.observables[a.Observable] = true
		if a.Type == "" && a.ObjectType == "" {
			return fmt.Errorf("%s has no type", name)
		}
		t.attrs[name] = a
	}
	return nil
}

// check says what of a document does not obey the schema.
func (s *ocsfSchema) check(doc []byte) (problems []string) {
	d := json.NewDecoder(strings.NewReader(string(doc)))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		return []string{err.Error()}
	}
	k := &ocsfCheck{s: s}
	class := s.classes[k.int(v, "class_uid")]
	if class == nil {
		return []string{fmt.Sprintf("there is no class %v", v["class_uid"])}
	}
	if meta, ok := v["metadata"].(map[string]any); ok {
		if list, ok := meta["profiles"].([]any); ok {
			for _, p := range list {
				k.profiles = append(k.profiles, fmt.Sprint(p))
			}
		}
		if meta["version"] != s.version {
			k.bad("metadata.version", "%v, the schema is %s", meta["version"], s.version)
		}
	}
	cat := s.categories[class.Category]
	activity := k.int(v, "activity_id")
	if uid := cat.UID*1000 + class.UID; k.int(v, "category_uid") != cat.UID || k.int(v, "type_uid") != uid*100+activity {
		k.bad("type_uid", "%v of category %v, class %v and activity %v", v["type_uid"], v["category_uid"], v["class_uid"], v["activity_id"])
	}
	if name := cmp.Or(cat.Caption, "Uncategorized"); v["class_name"] != class.Caption || v["category_name"] != name {
		k.bad("class_name", "%v of category %v, want %s of %s", v["class_name"], v["category_name"], class.Caption, name)
	}
	if want := class.Caption + ": " + class.attrs["activity_id"].Enum[strconv.Itoa(activity)].Caption; v["type_name"] != want {
		k.bad("type_name", "%v, want %s", v["type_name"], want)
	}
	k.object(v, class, "")
	return k.problems
}

// heads are checked together, for the base has only its own numbers.
var heads = []string{"category_name", "category_uid", "class_name", "class_uid", "type_name", "type_uid"}

type ocsfCheck struct {
	s        *ocsfSchema
	profiles []string
	problems []string
}

func (k *ocsfCheck) bad(path, format string, args ...any) {
	k.problems = append(k.problems, path+": "+fmt.Sprintf(format, args...))
}

func (k *ocsfCheck) int(v map[string]any, name string) int {
	n, _ := v[name].(json.Number)
	i, err := n.Int64()
	if err != nil {
		return -1
	}
	return int(i)
}

func (k *ocsfCheck) object(v map[string]any, t *ocsfThing, path string) {
	for name, a := range t.attrs {
		on := a.profile == "" || slices.Contains(k.profiles, a.profile)
		if _, there := v[name]; !there && on && a.Requirement == "required" {
			k.bad(join(path, name), "required and absent")
		} else if there && !on {
			k.bad(join(path, name), "is of the profile %s, which metadata.profiles lacks", a.profile)
		}
	}
	for name, val := range v {
		a, known := t.attrs[name]
		if !known {
			k.bad(join(path, name), "no attribute of %s", t.Name)
			continue
		}
		if path == "" && slices.Contains(heads, name) {
			continue
		}
		k.attr(val, a, t, join(path, name))
		if sib, ok := v[a.Sibling]; ok && len(a.Enum) > 0 && a.Sibling != "type_name" {
			id := fmt.Sprint(val)
			if e, ok := a.Enum[id]; ok && id != "99" && sib != e.Caption {
				k.bad(join(path, a.Sibling), "%v, the caption of %s is %s", sib, id, e.Caption)
			}
		} else if fmt.Sprint(val) == "99" && a.Sibling != "" && len(a.Enum) > 0 && !ok {
			k.bad(join(path, name), "99 without %s", a.Sibling)
		}
	}
	if names := t.Constraints["at_least_one"]; len(names) > 0 && countIn(v, names) == 0 {
		k.bad(cmp.Or(path, "event"), "none of %v", names)
	}
	if names := t.Constraints["just_one"]; len(names) > 0 && countIn(v, names) != 1 {
		k.bad(cmp.Or(path, "event"), "not just one of %v", names)
	}
}

func countIn(v map[string]any, names []string) (n int) {
	for _, name := range names {
		if _, ok := v[name]; ok {
			n++
		}
	}
	return n
}

func join(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }

func (k *ocsfCheck) attr(v any, a ocsfAttr, owner *ocsfThing, path string) {
	list, isList := v.([]any)
	if a.Type == "json_t" {
		return
	}
	if isArray := a.IsArray != nil && *a.IsArray; isArray != isList {
		k.bad(path, "a list: %v, want %v", isList, isArray)
		return
	}
	if !isList {
		list = []any{v}
	}
	for i, e := range list {
		at := path
		if isList {
			at += "[" + strconv.Itoa(i) + "]"
		}
		k.scalar(e, a, owner, at)
	}
}

func (k *ocsfCheck) scalar(v any, a ocsfAttr, owner *ocsfThing, path string) {
	object := cmp.Or(a.ObjectType, a.Type)
	if t := k.s.objects[object]; t != nil || a.Type == "object_t" {
		m, ok := v.(map[string]any)
		if !ok {
			k.bad(path, "%T, want an object", v)
		} else if object != "object" {
			k.object(m, t, path)
		}
		return
	}
	typ, ok := k.s.types[a.Type]
	if !ok {
		k.bad(path, "of a type %q that is not in the schema", a.Type)
		return
	}
	switch cmp.Or(typ.Type, a.Type) {
	case "boolean_t":
		if _, ok := v.(bool); !ok {
			k.bad(path, "%T, want a boolean", v)
		}
	case "integer_t", "long_t", "float_t":
		k.number(v, a, typ, cmp.Or(typ.Type, a.Type), owner, path)
	default:
		text, ok := v.(string)
		switch {
		case !ok:
			k.bad(path, "%T, want a string", v)
		case typ.MaxLen > 0 && len(text) > typ.MaxLen:
			k.bad(path, "%d characters, at most %d", len(text), typ.MaxLen)
		case a.Type == "ip_t": // the schema's expression has errors; it means addresses
			if _, err := netip.ParseAddr(text); err != nil {
				k.bad(path, "%q is no address", text)
			}
		case len(a.Enum) > 0 && a.Enum[text].Caption == "":
			k.bad(path, "%q is not one of the values", text)
		case typ.re != nil && !typ.re.MatchString(text):
			k.bad(path, "%q is no %s", text, a.Type)
		}
	}
}

func (k *ocsfCheck) number(v any, a ocsfAttr, typ ocsfType, base string, owner *ocsfThing, path string) {
	n, ok := v.(json.Number)
	if !ok {
		k.bad(path, "%T, want a number", v)
		return
	}
	f, _ := n.Float64()
	if _, err := n.Int64(); base != "float_t" && err != nil {
		k.bad(path, "%s is no whole number", n)
	}
	if base != "float_t" && math.Abs(f) > maxExact {
		k.bad(path, "%s is not exact for every reader", n)
	}
	if len(typ.Range) == 2 && (f < typ.Range[0] || f > typ.Range[1]) {
		k.bad(path, "%s is out of range", n)
	}
	switch {
	case owner.Name == "observable" && strings.HasSuffix(path, ".type_id"):
		if id, _ := n.Int64(); !k.s.observables[int(id)] {
			k.bad(path, "no kind of observable is %s", n)
		}
	case len(a.Enum) > 0:
		if _, ok := a.Enum[n.String()]; !ok {
			k.bad(path, "%s is not one of the values", n)
		}
	}
}
