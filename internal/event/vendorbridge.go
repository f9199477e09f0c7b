package event

import (
	"encoding/binary"
	"math/bits"
	"strconv"
)

// maxBridges bounds the bridges from one place, maxBridge their length. Where bodies miss bridges in more than one of three
// cases, most are written without.
const (
	maxBridges = 16
	maxBridge  = 1024
	missCost   = 2
	missedMany = 16
	missPause  = 32
	maxKept    = 1 << 20
)

// tries says whether the next body may be written by bridges.
func (s *vendorShape) tries() bool {
	if s.missed > missedMany {
		s.missed--
		return false
	}
	return true
}

func (s *vendorShape) miss() {
	if s.missed += missCost; s.missed > missedMany {
		s.missed += missPause
	}
}

// bridge is what a body has between two of its values: ends and begins of objects and lists, names, members that are null. A
// value's place tells in which members of which objects it stands, and names come in one order, so that a bridge is the way
// between two places in every body that has it.
type bridge struct {
	sent, written string
	escaped       string       // as sent, in a JSON string
	to            *vendorShape // the place of the value after it, nil = there is none
	text          bool         // that value is a string; its quotes are part of the bridges
	begin         int          // one more than where in sent an object begins that is also written whole, 0 = nowhere
	end, copied   int          // where in sent such an object ends, and where in written its copy stands; 0 = nowhere
}

// bridge finds the bridge that b has at i.
func (s *vendorShape) bridge(b []byte, i int) *bridge {
	for k := range s.bridges {
		g := &s.bridges[k]
		end := i + len(g.sent)
		if end > len(b) || string(b[i:end]) != g.sent {
			continue
		}
		if g.text || g.to == nil && end == len(b) || g.to != nil && end < len(b) && isBare(b[end]) {
			return g
		}
	}
	return nil
}

// isBare says that a number, true or false begins with c.
func isBare(c byte) bool { return c-'0' <= 9 || c == '-' || c == 't' || c == 'f' }

// crossing is whether a body was written by bridges.
type crossing uint8

const (
	untried crossing = iota
	unwanted
	failed
	done
)

// bridges writes the body into crossed and escaped once, if it is like earlier ones.
func (w *vendorWriter) bridges() bool {
	if w.crossing == untried {
		top := w.memo.of(w.v)
		switch {
		case !top.tries():
			w.crossing = unwanted
		case w.cross(top):
			w.crossing = done
			top.missed = max(top.missed-1, 0)
		default:
			w.crossing, w.err = failed, nil
			top.miss()
		}
	}
	return w.crossing == done
}

// cross writes the members of the object in w.b, by bridges alone, and where it escapes the body as the inside of a JSON string;
// false = a bridge is missing, or a value is none of its place.
func (w *vendorWriter) cross(at *vendorShape) bool {
	dst, escaped := w.crossed[:0], w.escaped[:0]
	i, whole := 0, 0
	for {
		g := at.bridge(w.b, i)
		if g == nil {
			break
		}
		if g.end > 0 {
			dst = append(append(dst, g.written[:g.copied]...), w.b[whole:i+g.end]...)
		}
		if g.begin > 0 {
			whole = i + g.begin - 1
		}
		dst = append(dst, g.written[g.copied:]...)
		if w.escapes {
			escaped = append(escaped, g.escaped...)
		}
		i += len(g.sent)
		start := i
		if at = g.to; at == nil {
			break
		}
		if g.text {
			if dst, i = w.copyStr(dst, i); i < 0 {
				break
			}
			i--
			dst = dst[:len(dst)-1] // the quote is part of the next bridge
		} else if i = w.skip(i); i < 0 || isLarge(w.b[start:i]) {
			break
		} else {
			dst = append(dst, w.b[start:i]...)
		}
		switch {
		case !w.escapes:
		case g.text && w.esc:
			escaped = appendValid(escaped, zeroCopy(w.b[start:i]))
		default:
			escaped = append(escaped, w.b[start:i]...)
		}
	}
	w.crossed, w.escaped = dst, escaped
	return at == nil
}

// copyStr appends the rest of a string, which begins at i, eight bytes at a time.
func (w *vendorWriter) copyStr(dst []byte, i int) ([]byte, int) {
	b, start, begin := w.b, i, len(dst)
	for ; i+8 <= len(b); i += 8 {
		word := binary.LittleEndian.Uint64(b[i : i+8])
		dst = binary.LittleEndian.AppendUint64(dst, word)
		if m := special(word); m != 0 {
			n := bits.TrailingZeros64(m) >> 3
			if b[i+n] == '"' {
				w.esc = false
				return dst[:len(dst)-7+n], i + n + 1
			}
			break
		}
	}
	if i = w.str(i); i < 0 {
		return dst, -1
	}
	return append(dst[:begin], b[start:i]...), i
}

// isLarge says that a value is a whole number beyond 2^53.
func isLarge(raw []byte) bool {
	if len(raw) < 16 || !isDigits(zeroCopy(raw)) {
		return false
	}
	v, err := strconv.ParseInt(zeroCopy(raw), 10, 64)
	return err != nil || v > maxExact || v < -maxExact
}

// trace is how far the bridges of a body are known that is written without them.
type trace struct {
	on          bool
	from        *vendorShape // the place of the last value
	in, out     int          // where it ends in the body, and as it was written
	flat        bool         // an object is open that is also written whole
	whole       int          // where it begins
	end, copied int          // where in the body one ended since, and where its copy is written; end 0 = none did
	size        int          // of the copy
}

// enter notes that an object begins. Of one that is also written whole the copy is as it came only if its values are no objects.
func (t *trace) enter(begin int, f *flatNode) {
	t.on = t.on && !t.flat
	if f != nil && f.name != "" {
		t.flat, t.whole = true, begin
	}
}

// leave notes that an object ends that is also written whole: in dst from copied on.
func (t *trace) leave(begin, end, copied int, asIs bool) {
	t.on, t.flat = t.on && asIs, false
	if t.whole < t.in {
		t.end, t.copied, t.size = end, copied, end-begin
	}
}

// note learns the bridge to a value that stands at start in the body and at out in dst. No bridge leads to what a value's place
// does not tell: to objects that are to be written whole otherwise than as they came, and to what else ended the trace.
func (w *vendorWriter) note(dst []byte, to *vendorShape, start, end, out int) {
	t := &w.trace
	if !t.on || end < 0 {
		return
	}
	if to == nil || t.flat && !w.asIs {
		t.on = false
		return
	}
	quote := 0
	if w.b[start] == '"' {
		quote = 1
	}
	w.build(bridge{to: to, text: quote > 0}, dst, start+quote, out+quote)
	t.from, t.in, t.out, t.end = to, end-quote, len(dst)-quote, 0
}

// build adds a bridge that ends at in in the body and at out in dst.
func (w *vendorWriter) build(g bridge, dst []byte, in, out int) {
	t := &w.trace
	if t.flat && t.whole >= t.in {
		g.begin = t.whole - t.in + 1
	}
	if t.end > 0 {
		g.end, g.copied = t.end-t.in, t.copied-t.out
		dst = append(append([]byte(nil), dst[t.out:t.copied]...), dst[t.copied+t.size:out]...)
	} else {
		dst = dst[t.out:out]
	}
	if !w.memo.bridge(t.from, g, w.b[t.in:in], dst) {
		t.on = false
	}
}

// bridge keeps a bridge from a place; false when there is no room.
func (m *memo) bridge(from *vendorShape, g bridge, sent, written []byte) bool {
	for i := range from.bridges {
		if have := &from.bridges[i]; have.sent == string(sent) && have.text == g.text && have.to == g.to {
			return true
		}
	}
	if m.size >= maxMemo || len(from.bridges) >= maxBridges || len(sent) > maxBridge || len(written) > maxBridge {
		return false
	}
	m.size++
	g.sent, g.written, g.escaped = string(sent), string(written), string(appendValid(nil, string(sent)))
	from.bridges = append(from.bridges, g)
	return true
}

// kept is a buffer for the next body, unless it is very large.
func kept(b []byte) []byte {
	if cap(b) > maxKept {
		return nil
	}
	return b[:0]
}
