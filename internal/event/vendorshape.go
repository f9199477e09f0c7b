package event

import "slices"

// Bounds of what a writer remembers of bodies.
const (
	maxVendors    = 64
	maxMemo       = 4096 // places, and bridges between them
	maxMemoObject = 64   // members of one object, as there are bits in passage.had
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
	bridges     []bridge       // from the value in this place, or from the begin of a body
	missed      int            // of the place of a body: the more, the fewer bodies had all their bridges
}

type vendorMember struct {
	quoted string // as sent, with quotes and colon
	out    string // as written, with a comma, quotes and colon
	same   bool   // where names are as sent this one is
	text   bool   // a text in it is written as it is
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

// find gives the member whose name is at i: the one expected next, or one after it.
func (s *vendorShape) find(b []byte, i int, in *passage) (m *vendorMember, val int) {
	if s == nil || in.strange {
		return nil, i
	}
	for k := in.next; k < len(s.members); k++ {
		m = &s.members[k]
		if val = i + len(m.quoted); val < len(b) && string(b[i:val]) == m.quoted {
			if b[val] <= ' ' {
				return nil, i
			}
			in.next, in.had = k+1, in.had|1<<k
			return m, val
		}
	}
	return nil, i
}

// learn puts a member in the place in which it came; false when there is no room, or when the object has another name that is
// written the same.
func (m *memo) learn(s *vendorShape, in *passage, quoted, out []byte, below *spot) bool {
	if s == nil || in.strange || m.size >= maxMemo || len(s.members) >= maxMemoObject || len(quoted) > maxMemoKey {
		return false
	}
	for i := range s.members {
		if s.members[i].out[1:] == string(out) {
			return false
		}
	}
	m.size++
	below.shape = &vendorShape{}
	known := vendorMember{quoted: string(quoted), out: "," + string(out), below: *below}
	known.text = below.f == nil || below.f.name == ""
	known.same = string(appendClean(nil, known.quoted[1:len(quoted)-2])) == known.quoted[1:len(quoted)-2]
	s.members = slices.Insert(s.members, in.next, known)
	in.next, in.had = in.next+1, in.had|1<<in.next
	return true
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
