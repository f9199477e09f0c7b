package extract

import (
	"errors"
	"math"
	"strconv"

	chars "golang.org/x/text/encoding"
)

// The records of a workbook that are looked at ([MS-XLS] 2.3, and BIFF5).
const (
	xlsFormula  = 0x0006
	xlsEOF      = 0x000a
	xlsHeader   = 0x0014
	xlsFooter   = 0x0015
	xlsNote     = 0x001c
	xlsLocked   = 0x002f
	xlsContinue = 0x003c
	xlsPage     = 0x0042
	xlsSheet    = 0x0085
	xlsMulRK    = 0x00bd
	xlsRich     = 0x00d6
	xlsTexts    = 0x00fc
	xlsText     = 0x00fd
	xlsDrawn    = 0x01b6
	xlsLink     = 0x01b8
	xlsNumber   = 0x0203
	xlsLabel    = 0x0204
	xlsString   = 0x0207
	xlsRK       = 0x027e
	xlsBOF      = 0x0809
	xlsSeries   = 0x100d
)

// readXLS reads a workbook of Excel 5 to 2003: each row is a text of its own in which the cells stand in the fields that the
// heading names, with the values of formulas as they were last worked out.
func (x *run) readXLS(c *compound, in []int, f file) (status, error) {
	b := c.named(in, "Workbook")
	if b == nil {
		b = c.named(in, "Book")
	}
	was := x.text
	w, side := x.flow(f, ""), x.flow(f, "")
	book := workbook{x: x, p: &parts{f: f}}
	s := biff{workbook: &book, w: w, side: side, b: b, page: codePage(1252), row: -1, pending: -1, sheets: map[uint32]string{}}
	w.at = func(p int) string { return s.name + "!" + column(w.span(p).place) + strconv.Itoa(s.row+1) }
	side.at = func(int) string {
		if s.name == "" {
			return "beside the sheets"
		}
		return s.name + ", beside the cells"
	}
	err := s.read()
	if s.locked {
		x.free = append(x.free, w, side)
		return status{outcome: Encrypted}, nil
	}
	for _, end := range []error{s.endRow(), w.close(), side.close(), book.unused()} {
		if err == nil || errors.As(end, new(halt)) {
			err = end
		}
	}
	return settle(kindXLS, x.text > was, err)
}

// biff is a workbook being read.
type biff struct {
	*workbook
	table
	w, side *flow
	b       []byte
	at      int // in b
	page    chars.Encoding
	old     bool // BIFF5: no text is Unicode
	locked  bool

	sheets  map[uint32]string // by where they begin
	name    string            // of the sheet
	row     int
	pending int // the column of a formula whose text follows, -1 = none
	rest    [][]byte
}

// record gives the next record, and in rest what continues it; false at the end.
func (s *biff) record() (kind int, body []byte, ok bool, err error) {
	next := func() (int, []byte, bool) {
		if len(s.b)-s.at < 4 {
			return 0, nil, false
		}
		kind, n := int(le.Uint16(s.b[s.at:])), int(le.Uint16(s.b[s.at+2:]))
		if n > len(s.b)-s.at-4 {
			err = flawf("damaged: it ends inside of a record")
			n = len(s.b) - s.at - 4
		}
		return kind, s.b[s.at+4 : s.at+4+n], true
	}
	kind, body, ok = next()
	if !ok {
		return 0, nil, false, nil
	}
	s.at += 4 + len(body)
	s.rest = s.rest[:0]
	for kind == xlsTexts || kind == xlsDrawn {
		k, more, ok := next()
		if !ok || k != xlsContinue {
			break
		}
		s.at += 4 + len(more)
		s.rest = append(s.rest, more)
	}
	return kind, body, true, err
}

func (s *biff) read() error {
	for {
		at := uint32(s.at)
		kind, b, ok, damaged := s.record()
		if !ok {
			return nil
		}
		if err := s.act(kind, b, at); err != nil || s.locked {
			return err
		}
		if damaged != nil {
			return damaged
		}
	}
}

// act reads a record.
func (s *biff) act(kind int, b []byte, at uint32) error {
	switch kind {
	case xlsBOF:
		if len(b) >= 4 && le.Uint16(b) < 0x600 {
			s.old = true
		}
		if name, ok := s.sheets[at]; ok {
			err := s.endRow()
			s.name, s.row, s.table, s.pending = name, -1, table{}, -1
			return err
		}
	case xlsLocked:
		s.locked = true
	case xlsPage:
		if len(b) >= 2 && le.Uint16(b) != 1200 {
			s.page = codePage(int(le.Uint16(b)))
		}
	case xlsSheet:
		return s.sheetName(b)
	case xlsTexts:
		return s.shared(b)
	case xlsHeader, xlsFooter:
		if len(b) > 0 {
			return s.side.writeLine(s.label(b, s.old))
		}
	case xlsDrawn:
		return s.drawn(b)
	case xlsNote:
		if s.old && len(b) > 6 {
			return s.side.writeLine(recode(nil, b[6:], s.page))
		}
	case xlsLink:
		return s.side.writeLine(linkText(b))
	case xlsSeries:
		if len(b) > 3 {
			return s.side.writeLine(s.label(b[2:], true))
		}
	case xlsString:
		col := s.pending
		if s.pending = -1; col >= 0 {
			return s.put(col, s.label(b, false))
		}
	default:
		return s.cell(kind, b)
	}
	return nil
}

// cell reads a record of one or more cells.
func (s *biff) cell(kind int, b []byte) error {
	if len(b) < 6 {
		return nil
	}
	row, col := int(le.Uint16(b)), int(le.Uint16(b[2:]))
	v := b[6:]
	switch {
	case kind == xlsLabel || kind == xlsRich:
		return s.at2(row, col, s.label(v, false))
	case kind == xlsText && len(v) >= 4:
		i := le.Uint32(v)
		if int64(i) >= int64(len(s.ends)) {
			return nil
		}
		s.used[i] = true
		return s.at2(row, col, s.workbook.text(int(i)))
	case kind == xlsNumber && len(v) >= 8:
		return s.at2(row, col, numeral(math.Float64frombits(le.Uint64(v))))
	case kind == xlsRK && len(v) >= 4:
		return s.at2(row, col, numeral(packedNumber(le.Uint32(v))))
	case kind == xlsMulRK:
		for b = b[4:]; len(b) >= 8; b = b[6:] { // the last two bytes are the last column
			if err := s.at2(row, col, numeral(packedNumber(le.Uint32(b[2:])))); err != nil {
				return err
			}
			col++
		}
	case kind == xlsFormula && len(v) >= 8:
		if le.Uint16(v[6:]) != 0xffff {
			return s.at2(row, col, numeral(math.Float64frombits(le.Uint64(v))))
		}
		if v[0] == 0 { // a text, which follows
			s.pending = col
			return s.at2(row, col, nil)
		}
	}
	return nil
}

// packedNumber is a number of 30 bits, whole or not, and perhaps of hundredths (2.5.217).
func packedNumber(v uint32) float64 {
	f := math.Float64frombits(uint64(v&^3) << 32)
	if v&2 != 0 {
		f = float64(int32(v) >> 2)
	}
	if v&1 != 0 {
		f /= 100
	}
	return f
}

// numeral writes a number with all of its digits.
func numeral(f float64) []byte {
	if math.Abs(f) < 1e18 {
		return strconv.AppendFloat(nil, f, 'f', -1, 64)
	}
	return strconv.AppendFloat(nil, f, 'g', -1, 64)
}

// at2 writes a cell of a row.
func (s *biff) at2(row, col int, text []byte) error {
	if row != s.row {
		if err := s.endRow(); err != nil {
			return err
		}
		s.row = row
	}
	return s.put(col, text)
}

func (s *biff) put(col int, text []byte) error {
	if len(text) == 0 {
		return nil
	}
	if len(s.w.buf) > s.w.from {
		if err := s.w.write([]byte{'\t'}); err != nil {
			return err
		}
	}
	s.w.mark(s.table.name(col), false, col)
	return s.w.write(text)
}

func (s *biff) endRow() error {
	if len(s.w.buf) > 0 {
		s.learn(s.w)
	}
	return s.w.end()
}

// sheetName notes where a sheet begins (2.4.28).
func (s *biff) sheetName(b []byte) error {
	if len(b) < 8 || len(s.sheets) >= s.x.lim.Entries {
		return nil
	}
	name := s.label(b[6:], true)
	s.sheets[le.Uint32(b)] = string(name)
	return s.side.writeLine(name)
}

// label is a text with its length before it. short: that has 8 bits.
func (s *biff) label(b []byte, short bool) []byte {
	n, at := 0, 2
	switch {
	case short && len(b) >= 1:
		n, at = int(b[0]), 1
	case !short && len(b) >= 2:
		n = int(le.Uint16(b))
	default:
		return nil
	}
	b = b[at:]
	if s.old {
		return recode(nil, b[:min(n, len(b))], s.page)
	}
	r := biffText{b: b}
	return r.text(nil, n)
}

// drawn is the text of a shape or note, which stands in the records that continue it (2.4.329).
func (s *biff) drawn(b []byte) error {
	if len(b) < 12 || len(s.rest) == 0 {
		return nil
	}
	r := biffText{b: s.rest[0], rest: s.rest[1:]}
	flags := r.byte()
	return s.side.writeLine(r.chars(nil, int(le.Uint16(b[10:])), flags&1 != 0))
}

// shared reads the texts that cells refer to (2.4.265).
func (s *biff) shared(b []byte) error {
	if len(b) < 8 {
		return nil
	}
	r := biffText{b: b[8:], rest: s.rest}
	for n := le.Uint32(b[4:]); n > 0 && !r.end(); n-- {
		size := int(r.byte()) | int(r.byte())<<8
		if s.texts = r.text(s.texts, size); int64(len(s.texts)) > s.x.lim.Text || len(s.ends) > 1<<24 {
			return halt{"its texts have more than " + bytesText(s.x.lim.Text) + ", the limit of a file's text"}
		}
		s.ends = append(s.ends, uint32(len(s.texts)))
	}
	s.used = make([]bool, len(s.ends))
	return nil
}
