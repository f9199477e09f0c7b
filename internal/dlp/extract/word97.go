package extract

import (
	"errors"
	"unicode/utf16"
)

// readDoc reads a document of Word 97 to 2003, and what can be read of one of Word 6 and 95 ([MS-DOC]): the pieces that the text
// is cut into, in their order; notes, headers, comments and text boxes follow the body. Codes of fields stand beside it.
func (x *run) readDoc(c *compound, in []int, f file) (status, error) {
	b := c.named(in, "WordDocument")
	if len(b) < 32 {
		return status{outcome: NotScanned, reason: "damaged: it has no header", kind: kindDoc}, nil
	}
	flags := le.Uint16(b[10:])
	if flags&0x100 != 0 {
		return status{outcome: Encrypted}, nil
	}
	was := x.text
	w, side := x.flow(f, "paragraph"), x.flow(f, "")
	side.at = func(int) string { return "beside the text" }
	d := doc97{w: w, side: side, page: windows1252}
	var err error
	if le.Uint16(b[2:]) < 0xc1 { // before Word 97
		from, to := min(le.Uint32(b[24:]), uint32(len(b))), min(le.Uint32(b[28:]), uint32(len(b)))
		err = d.bytes(b[from:max(from, to)])
	} else {
		err = d.pieces(b, c.named(in, tableName(flags)))
	}
	if err == nil {
		err = d.flush()
	}
	for _, end := range []error{w.close(), side.close()} {
		if err == nil || errors.As(end, new(halt)) {
			err = end
		}
	}
	return settle(kindDoc, x.text > was, err)
}

// tableName is that of the stream with the tables.
func tableName(flags uint16) string {
	if flags&0x200 != 0 {
		return "1Table"
	}
	return "0Table"
}

// doc97 is a document being read.
type doc97 struct {
	w, side *flow
	page    [128]rune
	out     []byte
	fields  []bool // that are open: it stands in the code of one, not in what is shown
	code    int    // of fields, those of which the code is open
	high    rune
}

const maxFields = 1000 // in fields

// pieces reads the text by the table of pieces (2.4.1): where each begins, and whether it has 8 or 16 bits a character.
func (d *doc97) pieces(b, table []byte) error {
	noTable := flawf("damaged: its table of pieces cannot be read")
	if len(b) < 0x1aa {
		return noTable
	}
	at, size := uint64(le.Uint32(b[0x1a2:])), uint64(le.Uint32(b[0x1a6:]))
	if at+size > uint64(len(table)) {
		return noTable
	}
	clx := table[at : at+size]
	for len(clx) > 3 && clx[0] == 1 {
		n := 3 + int(le.Uint16(clx[1:]))
		clx = clx[min(n, len(clx)):]
	}
	if len(clx) < 5 || clx[0] != 2 {
		return noTable
	}
	plc := clx[5 : 5+min(uint64(le.Uint32(clx[1:])), uint64(len(clx)-5))]
	n := (len(plc) - 4) / 12
	if n < 1 {
		return noTable
	}
	for i := range n {
		from, to := le.Uint32(plc[4*i:]), le.Uint32(plc[4*i+4:])
		fc := le.Uint32(plc[4*(n+1)+8*i+2:])
		if to <= from {
			continue
		}
		chars, start, width := uint64(to-from), uint64(fc&0x3fffffff), uint64(2)
		if fc&0x40000000 != 0 {
			start, width = start/2, 1
		}
		if start > uint64(len(b)) {
			return flawf("damaged: a piece of its text is missing")
		}
		end := min(start+chars*width, uint64(len(b)))
		var err error
		if width == 1 {
			err = d.bytes(b[start:end])
		} else {
			err = d.units(b[start:end])
		}
		if err == nil && end < start+chars*width {
			err = flawf("damaged: a piece of its text is missing")
		}
		if err != nil {
			return errors.Join(err, d.flush())
		}
	}
	return nil
}

func (d *doc97) bytes(b []byte) error {
	for _, c := range b {
		r := rune(c)
		if c >= 0x80 {
			r = d.page[c&0x7f]
		}
		if err := d.char(r); err != nil {
			return err
		}
	}
	return nil
}

func (d *doc97) units(b []byte) error {
	for i := 0; i+2 <= len(b); i += 2 {
		r := rune(le.Uint16(b[i:]))
		if utf16.IsSurrogate(r) {
			if r < 0xdc00 {
				d.high = r
				continue
			}
			r = utf16.DecodeRune(d.high, r)
		}
		if err := d.char(r); err != nil {
			return err
		}
	}
	return nil
}

// char takes a character; some are signs (2.4.1, and sprmCFSpec).
func (d *doc97) char(r rune) error {
	switch {
	case r >= ' ':
		d.out = appendPlain(d.out, r)
	case r == '\r', r == '\f', r == 0x0e, r == '\n':
		d.out = append(d.out, '\n')
	case r == 7: // the end of a cell, and of a row
		d.out = append(d.out, '\t')
	case r == '\t', r == '\v':
		d.out = append(d.out, byte(r))
	case r == 0x1e:
		d.out = append(d.out, '-')
	case r >= 0x13 && r <= 0x15:
		return d.field(r)
	}
	if len(d.out) >= sample {
		return d.flush()
	}
	return nil
}

// field begins one, ends its code, or ends it.
func (d *doc97) field(r rune) error {
	if err := d.flush(); err != nil {
		return err
	}
	n := len(d.fields)
	was := d.code
	switch {
	case r == 0x13 && n < maxFields:
		d.fields = append(d.fields, true)
		d.code++
	case r == 0x14 && n > 0 && d.fields[n-1]:
		d.fields[n-1] = false
		d.code--
	case r == 0x15 && n > 0:
		if d.fields[n-1] {
			d.code--
		}
		d.fields = d.fields[:n-1]
	}
	if was > 0 && d.code == 0 {
		return d.side.write(newline)
	}
	return nil
}

func (d *doc97) flush() error {
	w := d.w
	if d.code > 0 {
		w = d.side
	}
	err := w.write(d.out)
	d.out = d.out[:0]
	return err
}
