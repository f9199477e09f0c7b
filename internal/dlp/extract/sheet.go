package extract

import (
	"bytes"
	"errors"
	"path"
	"strconv"
)

// readWorkbook reads the tables of a workbook: each row is a text of its own in which the cells stand in the fields that the
// heading names, with the values of formulas as they were last worked out.
func (x *run) readWorkbook(p *parts) error {
	rel, err := x.relations(p, "xl/workbook.xml")
	if err != nil {
		return err
	}
	b := workbook{x: x, p: p}
	for _, name := range sortedValues(rel) {
		if path.Base(name) == "sharedstrings.xml" {
			if err := x.part(p, name, "the texts in it", b.strings); err != nil {
				return err
			}
		}
	}
	type sheet struct{ name, part string }
	var sheets []sheet
	err = x.part(p, "xl/workbook.xml", "workbook", func(_ *run, w *flow, m *markup) error {
		w.at = func(int) string { return "beside the sheets" }
		return eachElement(m, func() error {
			if string(m.name) == "sheet" && len(sheets) < x.lim.Entries {
				sheets = append(sheets, sheet{string(m.attr("name")), rel[string(m.attr("id"))]})
			}
			return attributes(w, m)
		})
	})
	if err != nil {
		return err
	}
	for _, s := range sheets {
		if err := x.part(p, s.part, s.name, b.sheet); err != nil {
			return err
		}
	}
	return b.unused()
}

// eachElement goes through the elements.
func eachElement(m *markup, f func() error) error {
	for {
		t, err := m.next()
		if err != nil || t == tokenEnd {
			return err
		}
		if t == tokenOpen {
			if err := f(); err != nil {
				return err
			}
		}
	}
}

// attributes writes those of an element.
func attributes(w *flow, m *markup) error {
	for _, a := range m.attrs {
		w.mark(string(a.name[:min(len(a.name), maxName)]), false, m.began)
		if err := w.writeLine(m.unescape(a.value)); err != nil {
			return err
		}
	}
	return nil
}

// workbook is what its sheets share.
type workbook struct {
	x     *run
	p     *parts
	texts []byte   // one after the other
	ends  []uint32 // of each
	used  []bool
}

// strings reads the texts that cells refer to.
func (b *workbook) strings(_ *run, _ *flow, m *markup) error {
	on, phonetic := false, false
	for {
		t, err := m.next()
		switch {
		case err != nil || t == tokenEnd:
			b.used = make([]bool, len(b.ends))
			return err
		case t == tokenText && on && !phonetic:
			if int64(len(b.texts)+len(m.text)) > b.x.lim.Text || len(b.ends) > 1<<24 {
				return halt{"its texts have more than " + bytesText(b.x.lim.Text) + ", the limit of a file's text"}
			}
			b.texts = append(b.texts, m.text...)
		case t == tokenOpen && string(m.name) == "t":
			on = !m.empty
		case t == tokenOpen && string(m.name) == "rPh": // how it is said
			phonetic = !m.empty
		case t == tokenOpen && string(m.name) == "si" && m.empty:
			b.ends = append(b.ends, uint32(len(b.texts)))
		case t == tokenClose:
			switch string(m.name) {
			case "t":
				on = false
			case "rPh":
				phonetic = false
			case "si":
				b.ends = append(b.ends, uint32(len(b.texts)))
			}
		}
	}
}

// text is a text by its number.
func (b *workbook) text(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = b.ends[i-1]
	}
	return b.texts[from:b.ends[i]]
}

// unused writes the texts that no cell refers to any more.
func (b *workbook) unused() error {
	w := b.x.flow(b.p.f, "")
	w.at = func(int) string { return "texts that no cell has" }
	for i := range b.ends {
		if i < len(b.used) && !b.used[i] {
			if err := w.writeLine(b.text(i)); err != nil {
				return errors.Join(err, w.close())
			}
		}
	}
	return w.close()
}

// rows is a sheet being read.
type rows struct {
	table
	depth
	b     *workbook
	w     *flow
	side  *flow // formulas, headers, lists to choose from
	m     *markup
	name  string // of the sheet
	kind  string // of the cell
	row   int
	col   int
	value []byte
	to    byte // where text goes: 'v' the value, 'f' a formula, 's' beside the cells, 0 nowhere
}

func (b *workbook) sheet(x *run, w *flow, m *markup) error {
	side := x.flow(file{where: w.lead}, "")
	r := rows{b: b, w: w, side: side, m: m, name: w.unit, depth: depth{limit: x.lim.XML}}
	w.at = func(p int) string { return r.name + "!" + column(w.span(p).place) + strconv.Itoa(r.row) }
	side.at = func(p int) string { return r.name + ", beside the cells" }
	err := r.read()
	return errors.Join(err, r.endRow(), side.close())
}

func (r *rows) read() error {
	for {
		t, err := r.m.next()
		if err != nil {
			return err
		}
		switch t {
		case tokenEnd:
			return r.depth.end()
		case tokenText:
			err = r.text()
		case tokenOpen:
			err = r.open()
		case tokenClose:
			r.now = max(0, r.now-1)
			err = r.close(string(r.m.name))
		}
		if err != nil {
			return err
		}
	}
}

func (r *rows) text() error {
	switch r.to {
	case 'v':
		if len(r.value)+len(r.m.text) > maxTag {
			return flawf("a cell of more than %s, the limit of a cell", bytesText(maxTag))
		}
		r.value = append(r.value, r.m.text...)
	case 'f':
		if bytes.IndexByte(r.m.text, '"') >= 0 { // a text in a formula
			return r.side.writeLine(r.m.text)
		}
	case 's':
		return r.side.writeLine(r.m.text)
	}
	return nil
}

func (r *rows) open() error {
	if err := r.depth.open(r.m); err != nil {
		return err
	}
	switch string(r.m.name) {
	case "row":
		r.row++
		if n, err := strconv.Atoi(string(r.m.attr("r"))); err == nil {
			r.row = n
		}
		r.col = -1
	case "c":
		r.col++
		if col, ok := columnOf(r.m.attr("r")); ok {
			r.col = col
		}
		r.kind, r.value = string(r.m.attr("t")), r.value[:0]
	case "v", "t":
		r.to = 'v'
	case "f":
		r.to = 'f'
	case "rPh":
		r.to = 0
	case "oddHeader", "evenHeader", "firstHeader", "oddFooter", "evenFooter", "firstFooter", "formula", "formula1", "formula2":
		r.to = 's'
	case "hyperlink", "dataValidation":
		return attributes(r.side, r.m)
	}
	if r.m.empty {
		return r.close(string(r.m.name))
	}
	return nil
}

func (r *rows) close(name string) error {
	switch name {
	case "c":
		r.col = max(0, r.col) // a cell may be outside of a row
		return r.cell()
	case "row":
		return r.endRow()
	}
	r.to = 0
	return nil
}

// cell writes the value of a cell.
func (r *rows) cell() error {
	text := r.value
	switch r.kind {
	case "s":
		i, err := strconv.Atoi(string(bytes.TrimSpace(r.value)))
		if err != nil || i < 0 || i >= len(r.b.ends) {
			return nil
		}
		text = r.b.text(i)
		r.b.used[i] = true
	case "", "n":
		text = whole(text)
	case "b", "e":
		return nil
	}
	if len(text) == 0 {
		return nil
	}
	if len(r.w.buf) > r.w.from {
		if err := r.w.write([]byte{'\t'}); err != nil {
			return err
		}
	}
	r.w.mark(r.table.name(r.col), false, r.col)
	return r.w.write(text)
}

func (r *rows) endRow() error {
	if len(r.w.buf) > 0 {
		r.learn(r.w)
	}
	return r.w.end()
}

// whole writes a whole number with all of its digits.
func whole(b []byte) []byte {
	if bytes.IndexByte(b, 'E') < 0 && bytes.IndexByte(b, 'e') < 0 {
		return b
	}
	if f, err := strconv.ParseFloat(string(b), 64); err == nil && f == float64(int64(f)) {
		return strconv.AppendInt(nil, int64(f), 10)
	}
	return b
}

// columnOf is the place of a cell's column: 2 for C7.
func columnOf(ref []byte) (int, bool) {
	col := 0
	for i, c := range ref {
		if c < 'A' || c > 'Z' || i == 4 {
			break
		}
		col = col*26 + int(c-'A') + 1
	}
	return col - 1, col > 0
}

// column is its letters.
func column(i int) string {
	var b []byte
	for i++; i > 0; i = (i - 1) / 26 {
		b = append([]byte{byte('A' + (i-1)%26)}, b...)
	}
	return string(b)
}
