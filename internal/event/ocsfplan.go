package event

import (
	"slices"
	"strings"
)

// target is a place in OCSF of a field. It is written: the beginning of the classes' numbers and a colon, where it is not in all
// that have the attribute (! before it: in all but these); the path, with [] after a list and between them what tells its elements
// apart; ~ and a conversion; and a ? or two, where other fields go first.
type target struct {
	classes string
	except  bool
	path    string
	conv    conv
	rank    int
}

// targets reads the places of a field.
func (f *field) targets() (out []target) {
	for word := range strings.FieldsSeq(f.line.ocsf) {
		var t target
		word = alternative(word, f.alt)
		if at := strings.IndexByte(word, ':'); at > 0 {
			t.classes, t.except = strings.CutPrefix(word[:at], "!")
			word = word[at+1:]
		}
		path := strings.TrimRight(word, "?")
		t.rank = len(word) - len(path)
		path, name, _ := strings.Cut(path, "~")
		if t.path = path; path == "-" || strings.HasSuffix(path, ".-") {
			continue
		}
		t.conv = convOf(name, path, f.kind)
		out = append(out, t)
	}
	return out
}

// String is the place as people read it.
func (t target) String() string {
	switch {
	case t.except:
		return "not " + t.classes + "xxx: " + t.path
	case t.classes != "":
		return (t.classes + "xxx")[:max(4, len(t.classes))] + ": " + t.path
	}
	return t.path
}

func (t target) isFor(c *ocsfClass) bool {
	if t.classes != "" {
		begin, several := strings.CutSuffix(t.classes, "*")
		if is := begin == c.key || (several || len(begin) < 4) && strings.HasPrefix(c.key, begin); is == t.except {
			return false
		}
	}
	root, _, _ := strings.Cut(t.path, ".")
	root, _, _ = strings.Cut(root, "[")
	_, has := c.roots[root]
	return has
}

// computed are attributes that follow from several fields or from the record itself.
var computed = []string{"activity_id", "category_uid", "class_uid", "metadata.original_time", "metadata.version", "observables[].value",
	"raw_data", "raw_data_hash.value", "raw_data_size"}

// plan is how a class is written: its attributes in the order of their names, as a tree.
type plan struct {
	class  *ocsfClass
	nodes  []planNode
	leaves []leaf
	silent []uint64 // fields that computed attributes tell
	kept   []uint64 // fields that are in unmapped too
	needs  [][]int16
}

// planNode is an object or a list.
type planNode struct {
	parent  int16
	depth   int16
	open    string
	end     byte
	gate    []int16 // it is there only with one of these
	instead int16   // of them: what stands in for the rest, or -1
	twin    int16   // of a resource beside an entity of the inventory: the leaf of its id, else -1
}

// leaf is an attribute.
type leaf struct {
	path    string
	node    int16
	name    string // as JSON, with the colon
	id      string // of its number, when it has one
	conv    conv
	from    []int16 // fields, the best first
	calc    calc    // what it is without these
	text    string  // of constants: names and values
	weak    bool    // only in an object that holds something else
	profile profiles
}

// profiles are bits of a set of OCSF's profiles.
type profiles uint8

const (
	cloudProfile profiles = 1 << iota
	classificationProfile
	hostProfile
	controlProfile
)

var profileNames = [...]string{"cloud", "data_classification", "host", "security_control"}

func profileOf(root string) profiles {
	switch root {
	case "cloud", "api":
		return cloudProfile
	case "actor", "device":
		return hostProfile
	case "policy", "risk_level", "risk_details", "risk_score", "confidence_score":
		return controlProfile
	}
	return 0
}

// gates are what an object needs one of, by its name.
var gates = map[string]string{"user": "uid name", "group": "uid name", "groups[]": "uid name", "users[]": "uid name",
	"owner": "uid name", "user_result": "uid name", "manager": "name", "iam_role": "uid name", "iam_roles[]": "uid name",
	"actor": "user.uid user.name session.uid app_name", "src_endpoint": "ip uid hostname name domain", "dst_endpoint": "ip hostname",
	"device": "uid hostname ip", "location": "city country postal_code region", "os": "name", "url": "url_string path",
	"analytic": "uid name", "finding_info": "uid", "file": "name", "api": "operation", "entity": "uid name", "app": "uid name",
	"service": "uid name", "http_response": "code", "loggers[]": "name uid",
	"evidences[]": "file.name user.uid user.name src_endpoint.ip src_endpoint.hostname src_endpoint.domain"}

// constants go with an object.
var constants = map[string]string{
	"hashes[md5]":    `algorithm_id "algorithm_id":1,"algorithm":"MD5"`,
	"hashes[sha1]":   `algorithm_id "algorithm_id":2,"algorithm":"SHA-1"`,
	"hashes[sha256]": `algorithm_id "algorithm_id":3,"algorithm":"SHA-256"`,
	"hashes[sha512]": `algorithm_id "algorithm_id":4,"algorithm":"SHA-512"`,
	"device":         `type_id "type_id":0`,
	"file":           `type "type":"Unknown","type_id":0`,
	"analytic":       `type_id "type_id":1,"type":"Rule"`,
	"data_security":  `detection_system_id "detection_system_id":4,"detection_system":"Data Discovery & Classification"`,
	"resources[app]": `type "type":"application"`, "resources[application]": `type "type":"application"`,
	"resources[group]": `type "type":"group"`, "resources[role]": `type "type":"role"`, "resources[user]": `type "type":"user"`,
	"3004a:entity": `type_id "type_id":99,"type":"application"`, "3004c:entity": `type_id "type_id":99,"type":"credential"`,
	"3004r:entity": `type_id "type_id":99,"type":"role"`,
}

// newPlan gathers what the registry says about a class.
func newPlan(c *ocsfClass) *plan {
	p := &plan{class: c, silent: make([]uint64, len(fieldTable)/64+1), kept: make([]uint64, len(fieldTable)/64+1)}
	drafts := map[string]*draft{}
	for id := range fieldTable {
		for _, t := range fieldTable[id].targets() {
			if slices.Contains(computed, t.path) {
				p.silent[id>>6] |= 1 << (id & 63)
			} else if t.path == "unmapped" {
				p.kept[id>>6] |= 1 << (id & 63)
			} else if t.isFor(c) {
				d := drafts[t.path]
				if d == nil {
					d = &draft{leaf: leaf{path: t.path, conv: t.conv}}
					drafts[t.path] = d
				}
				d.sources = append(d.sources, source{int16(id), t.rank})
			}
		}
	}
	for _, l := range calculated {
		if d := drafts[l.path]; d != nil {
			d.calc, d.text = l.calc, l.text
		} else {
			drafts[l.path] = &draft{leaf: l}
		}
	}
	for _, path := range c.instead {
		if d := drafts[path]; d != nil {
			d.calc = calcInstead
		} else {
			drafts[path] = &draft{leaf: leaf{path: path, calc: calcInstead}}
		}
	}
	addConstants(c, drafts)
	all := make([]*draft, 0, len(drafts))
	for _, d := range drafts {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b *draft) int { return compareNames(a.path, b.path) })
	p.build(all)
	return p
}

type source struct {
	field int16
	rank  int
}

type draft struct {
	leaf
	sources []source
}

func addConstants(c *ocsfClass, drafts map[string]*draft) {
	objects := map[string]bool{}
	for path := range drafts {
		for at := strings.LastIndexByte(path, '.'); at > 0; at = strings.LastIndexByte(path[:at], '.') {
			objects[path[:at]] = true
		}
	}
	for object := range objects {
		text := constants[object[strings.LastIndexByte(object, '.')+1:]]
		if own := constants[c.key+":"+object]; own != "" {
			text = own
		}
		name, text, ok := strings.Cut(text, " ")
		if !ok {
			continue
		}
		path := object + "." + name
		if drafts[path] == nil {
			drafts[path] = &draft{leaf: leaf{path: path}}
		}
		drafts[path].calc, drafts[path].text, drafts[path].weak = calcText, text, true
	}
}

// build makes the tree of sorted drafts.
func (p *plan) build(all []*draft) {
	c := p.class
	p.nodes = []planNode{{instead: -1, twin: -1}}
	at := map[string]int16{"": 0}
	for _, d := range all {
		parent, _, _ := cutLast(d.path)
		d.node = p.object(parent, at)
		d.name, d.id = `"`+d.path[len(parent):]+`":`, `"`+d.path[len(parent):]+`_id":`
		if parent != "" {
			d.name, d.id = `"`+d.path[len(parent)+1:]+`":`, `"`+d.path[len(parent)+1:]+`_id":`
		}
		slices.SortStableFunc(d.sources, func(a, b source) int { return a.rank - b.rank })
		for _, s := range d.sources {
			d.from = append(d.from, s.field)
		}
		root, _, _ := strings.Cut(d.path, ".")
		if root, _, _ = strings.Cut(root, "["); !c.roots[root] {
			d.profile = profileOf(root)
		}
		if strings.HasSuffix(d.path, ".data_classifications") {
			d.profile |= classificationProfile
		}
		p.leaves = append(p.leaves, d.leaf)
	}
	for path, n := range at {
		p.gate(path, n)
	}
	for _, need := range c.needs {
		p.needs = append(p.needs, p.need(need))
	}
}

func cutLast(path string) (parent, last string, ok bool) {
	if at := strings.LastIndexByte(path, '.'); at >= 0 {
		return path[:at], path[at+1:], true
	}
	return "", path, false
}

// object is the node of a path, made when it is not there.
func (p *plan) object(path string, at map[string]int16) int16 {
	if n, ok := at[path]; ok {
		return n
	}
	up, step, _ := cutLast(path)
	parent := p.object(up, at)
	if name, _, isList := strings.Cut(step, "["); isList {
		list := strings.TrimPrefix(up+"."+name+"[", ".")
		n, ok := at[list]
		if !ok {
			n = p.node(parent, `"`+name+`":[`, ']')
			at[list] = n
		}
		at[path] = p.node(n, "{", '}')
	} else {
		at[path] = p.node(parent, `"`+name+`":{`, '}')
	}
	return at[path]
}

func (p *plan) node(parent int16, open string, end byte) int16 {
	p.nodes = append(p.nodes, planNode{parent: parent, depth: p.nodes[parent].depth + 1, open: open, end: end, instead: -1, twin: -1})
	return int16(len(p.nodes) - 1)
}

// gate finds what the object n needs.
func (p *plan) gate(path string, n int16) {
	_, step, _ := cutLast(path)
	names, ok := gates[step]
	if !ok && strings.HasPrefix(step, "resources[") && step != "resources[" {
		names = "uid name"
		if step != "resources[entity]" && p.class.uid == 5023 {
			p.nodes[n].twin = p.leaf(path + ".uid")
		}
	}
	for name := range strings.FieldsSeq(names) {
		if i := p.leaf(path + "." + name); i >= 0 {
			p.nodes[n].gate = append(p.nodes[n].gate, i)
		}
	}
	for i, l := range p.leaves {
		if l.calc == calcInstead && l.node == n {
			p.nodes[n].instead = int16(i)
		}
	}
}

func (p *plan) leaf(path string) int16 {
	return int16(slices.IndexFunc(p.leaves, func(l leaf) bool { return l.path == path }))
}

// need are the leaves of which one must be there, for an object or an attribute.
func (p *plan) need(path string) []int16 {
	if i := p.leaf(path); i >= 0 {
		return []int16{i}
	}
	for _, n := range p.nodes {
		if len(n.gate) > 0 {
			if up, _, _ := cutLast(p.leaves[n.gate[0]].path); up == path {
				return n.gate
			}
		}
	}
	panic("event: class " + p.class.key + " needs " + path + ", which no field gives")
}
