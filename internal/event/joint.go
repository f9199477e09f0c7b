package event

import (
	"strings"
	"unicode/utf8"
	"unsafe"
)

// seats remember the numbers of names. Most names are constants of a program, or come from one list of names for a whole batch,
// so the same bytes in memory come again and again: they are known by where they are.
type seats [1024]seat

// seat remembers the number of a name, which it keeps from being freed.
type seat struct {
	name string
	id   int
}

// of gives the only seat that a name may have, and whether the name has it.
func (s *seats) of(name string) (*seat, bool) {
	at := unsafe.StringData(name)
	seat := &s[spread(uint64(uintptr(unsafe.Pointer(at)))^uint64(len(name)))%uint64(len(s))]
	return seat, name != "" && len(seat.name) == len(name) && unsafe.StringData(seat.name) == at
}

// spread makes a number of which the low bits depend on all bits of n.
func spread(n uint64) uint64 { return n * 0x9e3779b97f4a7c15 >> 40 }

// fieldID is the function of this name, remembered for the names of the field table.
func (s *seats) fieldID(name string) int {
	seat, known := s.of(name)
	if known {
		return seat.id
	}
	id := fieldID(name)
	if id >= 0 {
		seat.name, seat.id = name, id
	}
	return id
}

// joint is what a document has between the values of two fields of the table, or the root of a vendor, that follow one another:
// the ends of objects, the begins of others, and the name.
type joint struct {
	from, to int // one more than their numbers; from 0 = the document's begin
	text     []byte
}

// field writes all that comes before the value of a field of the table.
func (c *encoder) field(id int) { c.join(id, fieldTable[id].parent, fieldTable[id].quoted) }

// join goes to an object and writes a name in it, if there is one to be written.
func (c *encoder) join(id int, object, quoted string) {
	from, to := c.last, id+1
	j := &c.joints[spread(uint64(from)<<32|uint64(to))%uint64(len(c.joints))]
	if j.from == from && j.to == to {
		c.dst, c.last = append(c.dst, j.text...), to
		return
	}
	start := len(c.dst)
	c.settle()
	c.moveTo(object)
	if c.comma && quoted != "" {
		c.dst = append(c.dst, ',')
	}
	c.dst, c.last = append(c.dst, quoted...), to
	if from >= 0 {
		j.from, j.to, j.text = from, to, append(j.text[:0], c.dst[start:]...)
	}
}

// settle notes what is open after a field of the table or the root, before something else than such is written.
func (c *encoder) settle() {
	switch {
	case c.last > len(fieldTable):
		c.open, c.comma = c.root, true
	case c.last > 0:
		c.open, c.comma = fieldTable[c.last-1].parent, true
	}
}

// fieldForm is what the encoder asks of every field it writes: whether it is a list, whether other fields are below it.
type fieldForm struct{ list, object bool }

var fieldForms = func() []fieldForm {
	forms := make([]fieldForm, len(fieldTable))
	for i := range fieldTable {
		below := i+1 < len(fieldTable) && isBelow(fieldTable[i+1].name, fieldTable[i].name)
		forms[i] = fieldForm{list: fieldTable[i].list, object: below}
	}
	return forms
}()

// isPath says whether a name is steps joined by dots, as it is to be; only foreign records have others.
func isPath(name string) bool {
	return name != "" && name[0] > ' ' && name[0] != '.' && name[len(name)-1] != '.' && !strings.Contains(name, "..") &&
		utf8.ValidString(name)
}

// cleanPath drops empty steps, which readers refuse, as in the names of a body.
func cleanPath(name string) string { return string(appendClean(nil, valid(name))) }

// moveTo goes from the open object to another one.
func (c *encoder) moveTo(to string) {
	if to == c.open {
		return
	}
	common := commonSteps(c.open, to)
	if rest := strings.TrimPrefix(c.open[common:], "."); rest != "" || common == 0 && c.open != "" {
		for range strings.Count(rest, ".") + 1 {
			c.dst = append(c.dst, '}')
		}
		c.comma = true
	}
	if len(to) > common {
		for step := range strings.SplitSeq(strings.TrimPrefix(to[common:], "."), ".") {
			c.member(step)
			c.dst = append(c.dst, '{')
			c.comma = false
		}
	}
	c.open = to
}

// commonSteps is the length of the steps that a and b begin with.
func commonSteps(a, b string) int {
	n := 0
	for i := 0; ; i++ {
		endA, endB := i == len(a) || a[i] == '.', i == len(b) || b[i] == '.'
		switch {
		case endA && endB:
			n = i
			if i == len(a) || i == len(b) {
				return n
			}
		case endA || endB || a[i] != b[i]:
			return n
		}
	}
}
