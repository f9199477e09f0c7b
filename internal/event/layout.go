package event

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Field is one wanted path of the vendor's object and the ECS names that take its value, separated by spaces.
// No name: the value is only wanted by the provider's Map.
type Field [2]string

// Table lists the wanted paths of one stream. An index into the table is the slot of Values; providers name the slots
// they read by constants (`fUUID = iota`) and list those first. A path is member names joined by dots; "[n]" after a name
// is the element n of a list: "target[0].id". A dot inside a name is written `\.`.
type Table []Field

// Layout is a compiled Table. It does not change and may be shared.
type Layout struct{ layout }

type layout struct {
	root  *node
	nodes int
	slots int
	puts  []put
}

// put says that a slot's value goes to a field.
type put struct {
	slot int
	name string
	id   int // in fieldTable, -1 for a name that is not there
}

// node is one step of the wanted paths.
type node struct {
	id    int
	slots []int32
	edges []edge
	elems []edge
	leaf  bool   // nothing is wanted below
	marks uint64 // a bit for the mark of each edge's name
}

type edge struct {
	key    string
	quoted string // the name and the quote after it
	index  int
	to     *node
	snake  string
}

// Compile checks and compiles a table. It panics on a malformed one: tables are constants of the program.
func Compile(t Table) *Layout {
	l := &Layout{layout{root: &node{leaf: true}, nodes: 1, slots: len(t)}}
	for i, f := range t {
		n, err := l.grow(f[0])
		if err != nil {
			panic("event: compile table: path " + strconv.Quote(f[0]) + ": " + err.Error())
		}
		n.slots = append(n.slots, int32(i))
		for name := range strings.FieldsSeq(f[1]) {
			l.puts = append(l.puts, put{slot: i, name: name, id: fieldID(name)})
		}
	}
	return l
}

func (l *layout) grow(path string) (*node, error) {
	n := l.root
	for step := range pathSteps(path) {
		name, index, isList := step, "", false
		if at := strings.IndexByte(step, '['); at >= 0 && strings.HasSuffix(step, "]") {
			name, index, isList = step[:at], step[at+1:len(step)-1], true
		}
		if name == "" {
			return nil, errors.New("a step is empty")
		}
		n = l.edge(n, strings.ReplaceAll(name, "\x00", "."))
		if isList {
			at, err := strconv.Atoi(index)
			if err != nil || at < 0 || at > 999 {
				return nil, errors.New("the index is no number from 0 to 999")
			}
			n = l.elem(n, at)
		}
	}
	return n, nil
}

// pathSteps cuts a path at its dots; an escaped dot comes as a zero byte.
func pathSteps(path string) func(func(string) bool) {
	return strings.SplitSeq(strings.ReplaceAll(path, `\.`, "\x00"), ".")
}

func (l *layout) node() *node {
	l.nodes++
	return &node{id: l.nodes - 1, leaf: true}
}

func (l *layout) edge(n *node, key string) *node {
	for i := range n.edges {
		if n.edges[i].key == key {
			return n.edges[i].to
		}
	}
	to := l.node()
	n.leaf = false
	n.edges = append(n.edges, edge{key: key, quoted: key + `"`, to: to, snake: string(appendSnake(nil, key))})
	n.marks |= mark([]byte(key))
	return to
}

func (l *layout) elem(n *node, index int) *node {
	for i := range n.elems {
		if n.elems[i].index == index {
			return n.elems[i].to
		}
	}
	to := l.node()
	n.leaf = false
	n.elems = append(n.elems, edge{index: index, to: to})
	return to
}

// find gives the edge for a name as it stands in the JSON: the exact one, else one that differs in case only; -1 when none.
func (n *node) find(key []byte, esc bool) int {
	if esc {
		key = unescape(nil, key)
	}
	if n.marks&mark(key) == 0 && ascii(key) {
		return -1
	}
	for i := range n.edges {
		if n.edges[i].key == string(key) {
			return i
		}
	}
	for i := range n.edges {
		if foldEqual(n.edges[i].key, key) {
			return i
		}
	}
	return -1
}

// mark is one of 64 bits, the same for names that differ only in the case of ASCII letters.
func mark(key []byte) uint64 {
	if len(key) == 0 {
		return 1
	}
	return 1 << ((len(key)*9 + int(key[0]|0x20) + 3*int(key[len(key)-1]|0x20)) & 63)
}

func ascii(b []byte) bool {
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b)&highs != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// foldEqual compares without regard to case; the common case, letters of ASCII, without a call.
func foldEqual(a string, b []byte) bool {
	if len(a) != len(b) {
		return !ascii(b) && strings.EqualFold(a, string(b))
	}
	for i := range b {
		x, y := a[i], b[i]
		if x >= utf8.RuneSelf || y >= utf8.RuneSelf {
			return strings.EqualFold(a, string(b))
		}
		if x != y && (x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return !ascii(b) && strings.EqualFold(a, string(b))
		}
	}
	return true
}

// Fill reads one object into v, which is reset. Keys match as in encoding/json: exactly, else without regard to case.
func (l *Layout) Fill(raw json.RawMessage, v *Values) error {
	if !utf8.Valid(raw) {
		return errUTF8
	}
	s := scanner{b: raw, final: true}
	i := space(raw, 0)
	if i < len(raw) && raw[i] != '{' {
		v.reset(l)
		return errNoObject
	}
	end := s.fill(i, l, v)
	if end < 0 {
		v.reset(l)
		return s.err
	}
	if at := space(raw, end); at < len(raw) {
		v.reset(l)
		s.fail(at, "the end")
		return s.err
	}
	v.Raw = raw[i:end:end]
	return nil
}

var (
	errUTF8     = errors.New("not UTF-8")
	errNoObject = errors.New("no object")
	errNull     = errors.New("null where a row should be")
)

// fill passes the value at i and notes the wanted values of an object in v; offsets count from i.
func (s *scanner) fill(i int, l *Layout, v *Values) int {
	v.reset(l)
	if i < len(s.b) && s.b[i] != '{' {
		return s.skip(i)
	}
	s.v, s.base = v, i
	return s.want(i, l.root)
}

// take passes a wanted value below which nothing is wanted.
func (s *scanner) take(i int, n *node) int {
	start := i
	if i < len(s.b) && s.b[i] == '"' {
		i = s.str(i + 1)
	} else {
		i = s.skip(i)
	}
	for _, at := range n.slots {
		s.v.slots[at] = slot{off: int32(start - s.base), end: int32(i - s.base), esc: s.esc}
	}
	return i
}

// want passes a value that lies on a wanted path.
func (s *scanner) want(i int, n *node) int {
	if i >= len(s.b) {
		return s.fail(i, "")
	}
	st := &s.v.nodes[n.id]
	if st.seen == s.v.turn {
		s.v.forget(n)
	}
	st.seen = s.v.turn
	start := i
	switch {
	case s.b[i] == '{' && len(n.edges) > 0:
		i = s.object(i+1, n)
	case s.b[i] == '[' && len(n.elems) > 0:
		i = s.array(i+1, n)
	default:
		i = s.skip(i)
	}
	if i < 0 {
		return -1
	}
	for _, at := range n.slots {
		s.v.slots[at] = slot{off: int32(start - s.base), end: int32(i - s.base), esc: s.esc}
	}
	return i
}

// object passes an object with wanted members. The member that came next last time is tried first.
func (s *scanner) object(i int, n *node) int {
	if !s.enter() {
		return -1
	}
	if i = space(s.b, i); i < len(s.b) && s.b[i] == '}' {
		s.depth--
		return i + 1
	}
	next := s.v.next(n)
	at := 0 // one more than the edge that came last
	for done := false; ; {
		e := int(next[at])
		if q := n.edges[e].quoted; i+len(q) < len(s.b) && s.b[i] == '"' && string(s.b[i+1:i+1+len(q)]) == q {
			if i += 1 + len(q); i+1 < len(s.b) && s.b[i] == ':' && s.b[i+1] > ' ' {
				i++
			} else {
				i = s.colon(i)
			}
		} else {
			start := i + 1
			var end int
			if end, i = s.key(i); i >= 0 {
				if e = n.find(s.b[start:end], s.esc); e >= 0 {
					next[at] = uint16(e)
				}
			}
		}
		switch {
		case i < 0:
			return -1
		case e < 0:
			i = s.skip(i)
		default:
			at = e + 1
			if to := n.edges[e].to; to.leaf {
				i = s.take(i, to)
			} else {
				i = s.want(i, to)
			}
		}
		if i < 0 {
			return -1
		}
		if i, done = s.more(i, '}'); done {
			return i
		}
	}
}

// array passes a list with wanted elements.
func (s *scanner) array(i int, n *node) int {
	if !s.enter() {
		return -1
	}
	if i = space(s.b, i); i < len(s.b) && s.b[i] == ']' {
		s.depth--
		return i + 1
	}
	for at, done := 0, false; ; at++ {
		var to *node
		for k := range n.elems {
			if n.elems[k].index == at {
				to = n.elems[k].to
			}
		}
		if to != nil {
			i = s.want(i, to)
		} else {
			i = s.skip(i)
		}
		if i < 0 {
			return -1
		}
		if i, done = s.more(i, ']'); done {
			return i
		}
	}
}
