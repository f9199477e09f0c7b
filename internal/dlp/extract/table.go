package extract

import (
	"bufio"
	"bytes"
	"strconv"
)

// table is what is known of the columns of one.
type table struct {
	names []string // by column
	width int      // cells of the row that they are from
	rows  int      // seen
}

const (
	headRows   = 20   // among which the names of the columns stand
	maxColumns = 1024 // that have a name
	maxName    = 64
)

// name is that of a column, or "".
func (t *table) name(col int) string {
	if col < len(t.names) {
		return t.names[col]
	}
	return ""
}

// learn takes the names of the columns from a row that looks like a heading: the first one, or one that has more cells.
func (t *table) learn(w *flow) {
	t.rows++
	if t.rows > headRows || w.from > 0 {
		return
	}
	var names []string
	width, words := 0, false
	for i, s := range w.spans {
		end := len(w.buf)
		if i+1 < len(w.spans) {
			end = w.spans[i+1].At
		}
		text := bytes.TrimSpace(w.buf[s.At:end])
		if len(text) == 0 || s.place >= maxColumns {
			continue
		}
		word, ok := titular(text)
		if !ok {
			return
		}
		words = words || word
		for len(names) <= s.place {
			names = append(names, "")
		}
		names[s.place] = string(text)
		width++
	}
	if words && width > t.width {
		t.names, t.width = names, width
	}
}

// titular says whether a text may be the name of a column, and whether it has letters.
func titular(text []byte) (word, ok bool) {
	digits := 0
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '@':
			return false, false
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= 0x80:
			word = true
		}
	}
	return word, len(text) <= maxName && digits <= 4
}

// readCSV reads cells that a separator separates (RFC 4180, and whatever else is called so). Each row is a text of its own in
// which the cells stand in the fields that the heading names.
func (x *run) readCSV(r *bufio.Reader, f file, form form) (status, error) {
	return x.gather(f, form, "", r, func(w *flow, d *decoder) error {
		c := csv{w: w, sep: form.sep, row: 1, start: true}
		w.at = c.where
		c.mark()
		err := each(d, c.feed)
		if err == nil {
			err = c.endRow()
		}
		return err
	})
}

type csv struct {
	table
	w        *flow
	sep      byte
	row, col int
	start    bool // of a cell
	quoted   bool
	quote    bool // the last character was a quote in quotes
}

// mark begins a cell. Those far to the right have no column of their own.
func (c *csv) mark() {
	if c.col <= maxColumns {
		c.w.mark(c.name(c.col), false, c.col)
	}
}

func (c *csv) where(p int) string {
	s := c.w.span(p)
	switch {
	case s.Name != "":
		return "row " + strconv.Itoa(c.row) + ", " + s.Name
	case s.place == maxColumns:
		return "row " + strconv.Itoa(c.row)
	}
	return "row " + strconv.Itoa(c.row) + ", column " + strconv.Itoa(s.place+1)
}

// feed takes the next bytes.
func (c *csv) feed(b []byte) error {
	for len(b) > 0 {
		n, err := 0, error(nil)
		switch {
		case c.quote:
			n, err = c.afterQuote(b)
		case c.quoted:
			if n = bytes.IndexByte(b, '"'); n < 0 {
				n = len(b)
			} else {
				c.quote = true
			}
			err = c.w.write(b[:n])
			if c.quote {
				n++
			}
		case c.start && b[0] == '"':
			n, c.quoted, c.start = 1, true, false
		default:
			n, err = c.bare(b)
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// afterQuote tells whether a quote in quotes ended them.
func (c *csv) afterQuote(b []byte) (int, error) {
	c.quote = false
	if b[0] == '"' {
		return 1, c.w.write(b[:1])
	}
	c.quoted = false
	return 0, nil
}

// bare takes text out of quotes up to where something changes.
func (c *csv) bare(b []byte) (int, error) {
	n := 0
	for n < len(b) && b[n] != c.sep && b[n] != '\n' {
		n++
	}
	if n > 0 {
		c.start = false
		if err := c.w.write(b[:n]); err != nil {
			return n, err
		}
	}
	switch {
	case n == len(b):
		return n, nil
	case b[n] == '\n':
		return n + 1, c.endRow()
	}
	c.col++
	c.start = true
	err := c.w.write([]byte{'\t'})
	c.mark()
	return n + 1, err
}

// endRow ends a text.
func (c *csv) endRow() error {
	c.learn(c.w)
	err := c.w.end()
	c.row++
	c.col, c.start = 0, true
	c.mark()
	return err
}
