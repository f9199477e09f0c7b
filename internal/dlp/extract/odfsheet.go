package extract

import (
	"bytes"
	"errors"
	"strconv"
)

// odfSheets reads the tables of a spreadsheet: each row is a text of its own in which the cells stand in the fields that the
// heading names. A number stands as it is kept, since what is shown of a long one has been rounded.
func odfSheets(x *run, w *flow, m *markup) error {
	side := x.flow(file{where: w.lead}, "")
	r := odfRows{odfDoc: odfDoc{depth: depth{limit: x.lim.XML}, side: side, m: m}, rows: w, cell: x.flow(file{}, "")}
	r.w = side
	w.at = func(p int) string { return r.sheet + "!" + column(w.span(p).place) + strconv.Itoa(r.row) }
	side.at = func(int) string {
		if r.sheet == "" {
			return "beside the sheets"
		}
		return r.sheet + ", beside the cells"
	}
	err := r.read()
	x.free = append(x.free, r.cell)
	return errors.Join(err, r.endRow(), side.close())
}

// odfRows is a spreadsheet being read.
type odfRows struct {
	odfDoc
	table
	rows  *flow
	cell  *flow  // never handed on: the text of a cell
	sheet string // its name
	row   int
	times int // that the row stands there
	col   int
	wide  int    // columns that the cell has
	value []byte // of a cell with a number
	in    int    // the depth of the cell, 0 = in none
	note  int    // the depth of the note in it
	order int    // sheets seen
}

func (r *odfRows) read() error {
	for {
		t, err := r.m.next()
		if err != nil {
			return err
		}
		switch t {
		case tokenEnd:
			return r.end()
		case tokenText:
			err = r.text()
		case tokenOpen:
			err = r.open()
		case tokenClose:
			err = r.close(string(r.m.name))
		}
		if err != nil {
			return err
		}
	}
}

// text adds to the cell, unless it is of a note.
func (r *odfRows) text() error {
	if r.in == 0 || r.note > 0 || r.inside == 0 {
		return r.odfDoc.text()
	}
	if len(r.cell.buf)+len(r.m.text) > maxTag {
		return flawf("a cell of more than %s, the limit of a cell", bytesText(maxTag))
	}
	r.cell.buf = append(r.cell.buf, r.m.text...)
	return nil
}

func (r *odfRows) open() error {
	name := string(r.m.name)
	if r.skip == 0 {
		switch name {
		case "table":
			r.order++
			r.sheet, r.row, r.times, r.table = string(r.m.attr("name")), 0, 1, table{}
			if r.sheet == "" {
				r.sheet = "sheet " + strconv.Itoa(r.order)
			}
			r.side.mark("", false, 0)
			if err := r.side.writeLine([]byte(r.sheet)); err != nil {
				return err
			}
		case "table-row":
			r.row += r.times
			r.times, r.col = repeated(r.m, "number-rows-repeated"), 0
		case "table-cell", "covered-table-cell":
			return r.begin()
		case "annotation":
			if r.in > 0 && r.note == 0 && !r.m.empty {
				r.note = r.now + 1
			}
		case "s", "tab", "line-break":
			if r.in > 0 && r.note == 0 && r.inside > 0 {
				r.cell.buf = append(r.cell.buf, odfSpace(r.m)...)
				return r.depth.open(r.m)
			}
		}
	}
	return r.odfDoc.open()
}

// repeated is how often something stands there.
func repeated(m *markup, attr string) int {
	n, err := strconv.Atoi(string(m.attr(attr)))
	if err != nil || n < 1 {
		return 1
	}
	return min(n, 1<<24)
}

// begin begins a cell.
func (r *odfRows) begin() error {
	r.wide, r.value, r.cell.buf = repeated(r.m, "number-columns-repeated"), r.value[:0], r.cell.buf[:0]
	if kind := string(r.m.attr("value-type")); kind == "float" || kind == "currency" || kind == "percentage" {
		r.value = append(r.value, whole(r.m.attr("value"))...)
	}
	if text := r.m.attr("string-value"); len(text) > 0 && len(text) < maxTag {
		r.value = append(r.value[:0], text...)
	}
	if err := r.odfDoc.open(); err != nil {
		return err
	}
	if r.m.empty {
		return r.endCell()
	}
	if r.in == 0 {
		r.in = r.now
	}
	return nil
}

func (r *odfRows) close(name string) error {
	depth := r.now
	inCell := r.in > 0 && r.note == 0
	if inCell && name == "p" {
		r.inside = max(0, r.inside-1)
		r.now = max(0, r.now-1)
		r.cell.buf = append(r.cell.buf, '\n')
		return nil
	}
	if depth == r.note {
		r.note = 0
	}
	switch {
	case depth == r.in && r.in > 0:
		r.in, r.now = 0, max(0, r.now-1)
		return r.endCell()
	case name == "table-row" && r.in == 0:
		r.now = max(0, r.now-1)
		return r.endRow()
	case name == "table-cell":
		r.now = max(0, r.now-1)
		return nil
	}
	return r.odfDoc.close(name)
}

// endCell writes the cell.
func (r *odfRows) endCell() error {
	text := bytes.TrimSpace(r.cell.buf)
	if len(r.value) > 0 {
		text = r.value
	}
	at := r.col
	r.col = min(r.col+r.wide, 1<<24)
	if len(text) == 0 {
		return nil
	}
	if len(r.rows.buf) > r.rows.from {
		if err := r.rows.write([]byte{'\t'}); err != nil {
			return err
		}
	}
	r.rows.mark(r.table.name(at), false, at)
	return r.rows.write(text)
}

func (r *odfRows) endRow() error {
	if len(r.rows.buf) > 0 {
		r.learn(r.rows)
	}
	return r.rows.end()
}
