package extract

import (
	"errors"
	"strings"
)

// readWord reads the body of a text document. Its other parts follow by themselves.
func (x *run) readWord(p *parts) error {
	return x.part(p, "word/document.xml", "paragraph", paragraphs)
}

// paragraphs writes the text of a document or a slide: a line for each paragraph, joined over the runs that it is cut into; a
// cell of a table ends with a tab. What is beside the text (codes of fields, descriptions of pictures) follows apart.
func paragraphs(x *run, w *flow, m *markup) error {
	side := x.flow(file{where: w.lead}, "")
	place := strings.TrimSuffix(w.unit, "paragraph") + "beside the text"
	side.at = func(int) string { return place }
	p := paragraph{w: w, side: side, depth: depth{limit: x.lim.XML}}
	err := p.read(m)
	return errors.Join(err, side.close())
}

type paragraph struct {
	depth
	w, side *flow
	to      *flow // where text goes, or nil
	skip    int   // the depth of what is left out
}

func (p *paragraph) read(m *markup) error {
	for {
		t, err := m.next()
		if err != nil {
			return err
		}
		switch t {
		case tokenEnd:
			return p.end()
		case tokenText:
			if p.to != nil && p.skip == 0 {
				err = p.to.write(m.text)
			}
		case tokenOpen:
			err = p.open(m)
		case tokenClose:
			err = p.close(string(m.name))
		}
		if err != nil {
			return err
		}
	}
}

func (p *paragraph) open(m *markup) error {
	if err := p.depth.open(m); err != nil || p.skip > 0 {
		return err
	}
	switch string(m.name) {
	case "t", "delText", "text":
		if !m.empty {
			p.to = p.w
		}
	case "instrText", "delInstrText", "v":
		if !m.empty {
			p.to = p.side
		}
	case "tab", "ptab":
		return p.w.write([]byte{'\t'})
	case "br", "cr":
		return p.w.write([]byte{'\v'}) // the paragraph goes on
	case "noBreakHyphen":
		return p.w.write([]byte{'-'})
	case "Fallback", "tabs": // the same as the choice before it, for old readers; where tabs lead
		if !m.empty {
			p.skip = p.now
		}
	}
	for _, a := range m.attrs {
		switch string(a.name) {
		case "descr", "title", "alt", "instr", "tooltip":
			p.side.mark(string(a.name), false, 0)
			if err := p.side.writeLine(m.unescape(a.value)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *paragraph) close(name string) error {
	if p.skip == p.now {
		p.skip = 0
	}
	p.now = max(0, p.now-1)
	if p.skip > 0 {
		return nil
	}
	switch name {
	case "p":
		return p.w.write(newline)
	case "tc":
		return p.w.write([]byte{'\t'})
	case "instrText", "delInstrText", "v":
		p.to = nil
		return p.side.write(newline)
	case "t", "delText", "text":
		p.to = nil
	}
	return nil
}
