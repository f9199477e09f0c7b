package event

import "slices"

// Bounds of what a writer remembers of bodies.
const (
	maxVendors    = 64
	maxMemo       = 2048 // places
	maxMemoObject = 64   // members of one object
	maxMemoKey    = 128  // bytes
)

// memo is what a writer has learned of the bodies of vendors: which names come in which place, in which order, and what is
// written for them. Bodies of one kind look alike, so that most names are found by one comparison.
type memo struct {
	tops map[*vendor]*vendorShape
	size int
}

// vendorShape is what was seen in one place of a body: the members of an object, the elements of a list.
type vendorShape struct {
	members     []vendorMember // each written under another name
	elem, whole *vendorShape   // of the elements; of the object as it is written whole
}

type vendorMember struct {
	quoted string // as sent, with quotes and colon
	out    string // as written, with quotes and colon
	same   bool   // these two are the same
	below  spot
}

// of is the shape of the bodies of v.
func (m *memo) of(v *vendor) *vendorShape {
	if top := m.tops[v]; top != nil {
		return top
	}
	if m.tops == nil || len(m.tops) >= maxVendors {
		m.tops, m.size = map[*vendor]*vendorShape{}, 0
	}
	top := &vendorShape{}
	m.tops[v] = top
	return top
}

// find gives the member whose name is at i: the one expected next, or one after it. next goes on with the one after that.
func (s *vendorShape) find(b []byte, i int, next *int) (m *vendorMember, val int) {
	if s == nil {
		return nil, i
	}
	for k := *next; k < len(s.members); k++ {
		m = &s.members[k]
		if val = i + len(m.quoted); val < len(b) && string(b[i:val]) == m.quoted {
			if b[val] <= ' ' {
				return nil, i
			}
			*next = k + 1
			return m, val
		}
	}
	return nil, i
}

// learn puts a member in the place in which it came, and gives the shape of its value; nil when there is no room, or when the
// object has another name that is written the same.
func (m *memo) learn(s *vendorShape, next *int, quoted, out []byte, below spot) *vendorShape {
	if s == nil || m.size >= maxMemo || len(s.members) >= maxMemoObject || len(quoted) > maxMemoKey {
		return nil
	}
	for i := range s.members {
		if s.members[i].out == string(out) {
			return nil
		}
	}
	m.size++
	below.shape = &vendorShape{}
	known := vendorMember{quoted: string(quoted), out: string(out), same: string(quoted) == string(out), below: below}
	s.members = slices.Insert(s.members, *next, known)
	*next++
	return below.shape
}

func (m *memo) elem(s *vendorShape) *vendorShape {
	if s == nil {
		return nil
	}
	return m.child(&s.elem)
}

func (m *memo) whole(s *vendorShape) *vendorShape {
	if s == nil {
		return nil
	}
	return m.child(&s.whole)
}

func (m *memo) child(s **vendorShape) *vendorShape {
	if *s == nil && m.size < maxMemo {
		m.size++
		*s = &vendorShape{}
	}
	return *s
}
