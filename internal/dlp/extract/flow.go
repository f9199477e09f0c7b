package extract

import (
	"bytes"
	"fmt"
	"sort"
	"strconv"
)

// flow gathers text and hands it on in pieces. What stands on both sides of where a piece ends is given with both, so that a
// value there, and what is said around it, is seen whole.
type flow struct {
	x     *run
	buf   []byte
	from  int // what begins before has been handed on
	spans []Span
	piece Piece

	lead string             // the entry
	unit string             // what each end of a line ends: "line"
	at   func(p int) string // where a byte of buf stands, instead of unit
	line int                // units before seen
	seen int                // in buf

	lined bool                         // the places of spans are lines
	asked struct{ span, at, line int } // the last time
}

// flow gives a place to write to. To be closed.
func (x *run) flow(f file, unit string) *flow {
	var w *flow
	if n := len(x.free); n > 0 {
		w, x.free = x.free[n-1], x.free[:n-1]
	} else {
		w = &flow{x: x}
		w.piece.Where = w.where
	}
	*w = flow{x: x, buf: w.buf[:0], spans: w.spans[:0], piece: Piece{Where: w.piece.Where}, lead: f.where, unit: unit}
	return w
}

// close hands on what is left and takes the place back.
func (w *flow) close() error {
	err := w.end()
	w.x.free = append(w.x.free, w)
	return err
}

// write adds text to the field that is marked.
func (w *flow) write(b []byte) error {
	for len(b) > 0 {
		n := min(len(b), w.x.size-len(w.buf))
		w.buf = append(w.buf, b[:n]...)
		b = b[n:]
		if len(w.buf) >= w.x.size {
			if err := w.hand(len(w.buf) - w.x.context); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeLine adds text that a line holds.
func (w *flow) writeLine(b []byte) error {
	if err := w.write(b); err != nil {
		return err
	}
	return w.write(newline)
}

// mark begins a field.
func (w *flow) mark(name string, number bool, place int) {
	s := Span{len(w.buf), name, number, place}
	if n := len(w.spans); n > 0 {
		was := &w.spans[n-1]
		if was.At == s.At {
			*was = s
			return
		}
		if was.Name == name && was.Number == number && was.place == place {
			return
		}
	}
	w.spans = append(w.spans, s)
}

// end hands all on. What follows is another text.
func (w *flow) end() error {
	err := w.hand(len(w.buf))
	w.line += bytes.Count(w.buf[w.seen:], newline)
	w.buf, w.spans, w.from, w.seen, w.asked.line = w.buf[:0], w.spans[:0], 0, 0, 0
	return err
}

var newline = []byte("\n")

// hand hands on what begins before to.
func (w *flow) hand(to int) error {
	if err := w.x.ctx.Err(); err != nil {
		return err
	}
	var over error
	if left := w.x.lim.Text - w.x.text; int64(to-w.from) > left {
		to = w.from + int(left)
		over = halt{"only the first " + bytesText(w.x.lim.Text) + " of its text were read, the limit of a file's text"}
	}
	if to > w.from {
		w.x.text += int64(to - w.from)
		w.piece.Text, w.piece.From, w.piece.To, w.piece.Spans = w.buf, w.from, to, w.spans
		w.x.sink(&w.piece)
	}
	if keep := to - w.x.context; keep > 0 && over == nil {
		w.drop(keep)
		to -= keep
	}
	w.from = to
	return over
}

// drop forgets the first bytes.
func (w *flow) drop(keep int) {
	if keep > w.seen {
		w.line += bytes.Count(w.buf[w.seen:keep], newline)
		w.seen = keep
	}
	w.seen -= keep
	gone := 0
	for gone+1 < len(w.spans) && w.spans[gone+1].At <= keep {
		gone++
	}
	if w.lined && len(w.spans) > 0 && w.spans[gone].At < keep {
		w.spans[gone].place += bytes.Count(w.buf[w.spans[gone].At:keep], newline)
	}
	w.asked.line = 0
	w.buf = w.buf[:copy(w.buf, w.buf[keep:])]
	w.spans = w.spans[:copy(w.spans, w.spans[gone:])]
	for i := range w.spans {
		w.spans[i].At = max(0, w.spans[i].At-keep)
	}
}

// json hands on a JSON document, of which nothing is kept.
func (w *flow) json(doc []byte) error {
	if err := w.x.ctx.Err(); err != nil {
		return err
	}
	if w.x.text+int64(len(doc)) > w.x.lim.Text {
		return halt{"only the first " + bytesText(w.x.text) + " of its text were read: more would pass the limit of " + bytesText(w.x.lim.Text)}
	}
	w.x.text += int64(len(doc))
	w.piece.Kind, w.piece.Text, w.piece.From, w.piece.To, w.piece.Spans = JSON, doc, 0, len(doc), nil
	w.x.sink(&w.piece)
	w.piece.Kind = Plain
	return nil
}

// where is Piece's.
func (w *flow) where(p int) string {
	s := ""
	switch {
	case w.at != nil:
		s = w.at(p)
	case w.lined:
		s = w.lines(p)
	case w.unit != "":
		if p < w.seen {
			return w.named(w.unit + " " + strconv.Itoa(w.line+1-bytes.Count(w.buf[p:w.seen], newline)))
		}
		w.line += bytes.Count(w.buf[w.seen:p], newline)
		w.seen = p
		s = w.unit + " " + strconv.Itoa(w.line+1)
	}
	return w.named(s)
}

func (w *flow) named(s string) string {
	switch {
	case w.lead == "":
		return s
	case s == "":
		return w.lead
	}
	return w.lead + ": " + s
}

// span is the field that holds a byte.
func (w *flow) span(p int) Span {
	i := sort.Search(len(w.spans), func(i int) bool { return w.spans[i].At > p })
	if i == 0 {
		return Span{}
	}
	return w.spans[i-1]
}

// lines says the line and field. The line is that in which the field began, and those after it up to here.
func (w *flow) lines(p int) string {
	s := w.span(p)
	if w.asked.span != s.At || w.asked.at > p || w.asked.line == 0 {
		w.asked.span, w.asked.at, w.asked.line = s.At, s.At, s.place
	}
	w.asked.line += bytes.Count(w.buf[w.asked.at:p], newline)
	w.asked.at = p
	if s.Name == "" {
		return fmt.Sprintf("line %d", w.asked.line)
	}
	return fmt.Sprintf("line %d, %s", w.asked.line, s.Name)
}
