package extract

import (
	"bytes"
	"errors"
	"path"
	"strconv"
	"strings"
)

const kindODF = "application/vnd.oasis.opendocument."

// odfOf tells an OpenDocument file (ISO/IEC 26300) by its first entry, which says what it is: its media type, or "".
func odfOf(a *archive, entries []entry) string {
	for _, e := range entries {
		if e.name != "mimetype" {
			continue
		}
		if b, err := a.bytes(e); err == nil && e.method == 0 && len(b) < 128 {
			kind := strings.TrimSpace(string(b))
			if strings.HasPrefix(kind, kindODF) {
				return kind
			}
		}
		a.taken = nil
		return ""
	}
	return ""
}

// odf reads an OpenDocument file: its content, then every other part as what it is.
func (x *run) odf(kind string, a *archive, entries []entry, f file, t *tally) (locked bool, err error) {
	p := (&office{}).open(a, entries, f, t)
	delete(p.names, "mimetype")
	if locked, err := x.odfLocked(p); locked || err != nil {
		return locked, err
	}
	read := odfText
	if strings.HasPrefix(kind, kindODF+"spreadsheet") {
		read = odfSheets
	}
	if err := x.part(p, "content.xml", "paragraph", read); err != nil {
		return false, err
	}
	for i := range entries {
		name := partName(entries[i].name)
		if at, ok := p.names[name]; !ok || at != i {
			continue
		}
		if err := x.odfRest(p, name); err != nil {
			return false, err
		}
	}
	return false, nil
}

// odfRest reads a part that is none of the main ones.
func (x *run) odfRest(p *parts, name string) error {
	folder, base := path.Split(name)
	switch {
	case base == "manifest.rdf", base == "settings.xml", base == "layout-cache", strings.HasPrefix(name, "meta-inf/"),
		strings.HasPrefix(name, "configurations2/"), strings.HasPrefix(name, "thumbnails/"), strings.HasPrefix(name, "pictures/") && x.ocr == nil,
		strings.HasPrefix(name, "fonts/"), strings.HasPrefix(name, "objectreplacements/"):
		delete(p.names, name)
		return nil
	case base == "styles.xml": // headers and footers
		return x.part(p, name, folder+"styles, paragraph", odfText)
	case base == "content.xml":
		return x.part(p, name, folder+"content, paragraph", odfText)
	}
	return x.embedded(p, name)
}

// odfLocked says whether the manifest tells of encryption.
func (x *run) odfLocked(p *parts) (locked bool, err error) {
	i, ok := p.names["meta-inf/manifest.xml"]
	if !ok {
		return false, nil
	}
	delete(p.names, "meta-inf/manifest.xml")
	in, err := x.unpack(p.a, p.entries[i])
	if err == nil {
		r := buffered(in)
		defer giveBack(r)
		m := newMarkup(newDecoder(r))
		err = eachElement(m, func() error {
			locked = locked || string(m.name) == "encryption-data"
			return nil
		})
	}
	if errors.As(err, new(flaw)) {
		return locked, nil // what it has is read all the same
	}
	return locked, err
}

// odfText writes the text of a document: a line for each paragraph; a cell of a table ends with a tab. Where links lead and what
// pictures show follows apart.
func odfText(x *run, w *flow, m *markup) error {
	side := x.flow(file{where: w.lead}, "")
	place := strings.TrimSuffix(w.unit, "paragraph") + "beside the text"
	side.at = func(int) string { return place }
	d := odfDoc{depth: depth{limit: x.lim.XML}, w: w, side: side, m: m}
	err := d.read()
	return errors.Join(err, side.close())
}

// odfDoc is a document being read.
type odfDoc struct {
	depth
	w, side *flow
	m       *markup
	inside  int // paragraphs around
	skip    int // the depth of what is left out
}

func (d *odfDoc) read() error {
	for {
		t, err := d.m.next()
		if err != nil {
			return err
		}
		switch t {
		case tokenEnd:
			return d.end()
		case tokenText:
			err = d.text()
		case tokenOpen:
			err = d.open()
		case tokenClose:
			err = d.close(string(d.m.name))
		}
		if err != nil {
			return err
		}
	}
}

func (d *odfDoc) text() error {
	switch {
	case d.skip > 0, d.now == 0:
		return nil
	case d.inside > 0:
		d.w.mark("", false, 0)
		return d.w.write(d.m.text)
	case len(bytes.TrimSpace(d.m.text)) > 0:
		d.side.mark("", false, 0)
		return d.side.writeLine(d.m.text)
	}
	return nil
}

// odfUnseen are elements that only say how a document looks, and code.
func odfUnseen(name string) bool {
	switch name {
	case "automatic-styles", "styles", "font-face-decls", "settings", "binary-data":
		return true
	}
	return false
}

func (d *odfDoc) open() error {
	if err := d.depth.open(d.m); err != nil || d.skip > 0 {
		return err
	}
	name := string(d.m.name)
	if odfUnseen(name) && !d.m.empty {
		d.skip = d.now
		return nil
	}
	if err := odfLinks(d.side, d.m); err != nil {
		return err
	}
	switch name {
	case "p", "h":
		if d.m.empty {
			return d.w.write(newline)
		}
		d.inside++
	case "s", "tab", "line-break":
		if d.inside > 0 {
			return d.w.write(odfSpace(d.m))
		}
	}
	return nil
}

// odfLinks writes the attributes that say something.
func odfLinks(side *flow, m *markup) error {
	for _, a := range m.attrs {
		switch string(a.name) {
		case "href":
			if bytes.HasPrefix(a.value, []byte("#")) || bytes.HasPrefix(a.value, []byte("Pictures/")) || bytes.HasPrefix(a.value, []byte("./")) {
				continue
			}
		case "formula", "condition":
			if !bytes.Contains(a.value, []byte("&quot;")) {
				continue // no text in it
			}
		default:
			continue
		}
		side.mark(string(a.name), false, 0)
		if err := side.writeLine(m.unescape(a.value)); err != nil {
			return err
		}
	}
	return nil
}

// odfSpace is the space that an element stands for.
func odfSpace(m *markup) []byte {
	switch string(m.name) {
	case "tab":
		return []byte{'\t'}
	case "line-break":
		return []byte{'\v'}
	}
	n, err := strconv.Atoi(string(m.attr("c")))
	if err != nil || n < 1 {
		n = 1
	}
	return bytes.Repeat([]byte{' '}, min(n, 1<<10))
}

func (d *odfDoc) close(name string) error {
	if d.skip == d.now {
		d.skip = 0
	}
	d.now = max(0, d.now-1)
	if d.skip > 0 {
		return nil
	}
	switch name {
	case "p", "h":
		d.inside = max(0, d.inside-1)
		return d.w.write(newline)
	case "table-cell":
		return d.w.write([]byte{'\t'})
	}
	return nil
}
