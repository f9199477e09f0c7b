package saas

import "container/heap"

// lane is the parts of a stream that are read on behalf of one. Those that are due while enough of them are read wait here.
type lane struct {
	urgent, held partHeap
	running      int
}

// take takes a part out of its queue to be read, unless enough are read on behalf of the same one: then it waits in the lane.
func (st *streamState) take(p *part) bool {
	st.leave(p)
	if st.Abreast == 0 {
		return true
	}
	as := p.row.Item.As
	l := st.lanes[as]
	if l == nil {
		l = &lane{}
		if st.lanes == nil {
			st.lanes = map[string]*lane{}
		}
		st.lanes[as] = l
	}
	if l.running < st.Abreast || l.running == st.Abreast && st.Kind == Content && p.touched { // see room
		l.running++
		return true
	}
	p.in = &l.held
	if p.touched {
		p.in = &l.urgent
	}
	heap.Push(p.in, p)
	return false
}

// release puts the next part of a lane back into its queue when one of it has been read.
func (st *streamState) release(as string) {
	l := st.lanes[as]
	if l == nil {
		return
	}
	l.running--
	switch {
	case len(l.urgent) > 0:
		st.wait(l.urgent[0], l.urgent[0].due)
	case len(l.held) > 0:
		st.wait(l.held[0], l.held[0].due)
	case l.running == 0:
		delete(st.lanes, as)
	}
}
