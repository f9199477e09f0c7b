package extract

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// readHTML reads the text of a page, with its scripts and comments; styles are left out. Attributes follow apart, each in a
// field of its name.
func (x *run) readHTML(r *bufio.Reader, f file, form form) (status, error) {
	return x.gather(f, form, "", r, func(w *flow, d *decoder) error {
		w.lined = true
		side := x.flow(f, "")
		side.lined = true
		p := page{w: w, side: side, line: 1}
		err := p.read(html.NewTokenizer(d))
		return errors.Join(err, side.close())
	})
}

// page is a page being read.
type page struct {
	w, side *flow
	line    int
	style   bool // inside of one
	plain   []byte
}

const maxToken = 4 << 20 // of a page, as one script

func (p *page) read(z *html.Tokenizer) error {
	z.SetMaxBuf(maxToken)
	for {
		kind := z.Next()
		raw := z.Raw()
		line := p.line
		p.line += bytes.Count(raw, newline)
		var err error
		switch kind {
		case html.ErrorToken:
			switch err = z.Err(); {
			case errors.Is(err, io.EOF):
				return nil
			case errors.Is(err, html.ErrBufferExceeded):
				return flawf("a script, tag or text of more than %s, the limit of HTML", bytesText(maxToken))
			}
		case html.TextToken:
			if !p.style {
				p.w.mark("", false, line)
				err = p.text(p.w, z.Text())
			}
		case html.CommentToken, html.DoctypeToken:
			p.side.mark("", false, line)
			err = p.text(p.side, z.Text(), newline)
		case html.StartTagToken, html.SelfClosingTagToken:
			err = p.open(z, line, kind == html.StartTagToken)
		case html.EndTagToken:
			name, _ := z.TagName()
			err = p.close(atom.Lookup(name))
		}
		if err != nil {
			return err
		}
	}
}

func (p *page) text(w *flow, parts ...[]byte) error {
	for _, b := range parts {
		if ascii(b) < len(b) { // what entities stand for
			p.plain, _ = decode8(p.plain[:0], b, true)
			b = p.plain
		}
		if err := w.write(b); err != nil {
			return err
		}
	}
	return nil
}

// open begins an element and writes its attributes.
func (p *page) open(z *html.Tokenizer, line int, opens bool) error {
	tag, more := z.TagName()
	name := atom.Lookup(tag)
	p.style = opens && name == atom.Style
	if err := p.apart(name); err != nil || !more {
		return err
	}
	type field struct{ name, value string }
	var all []field
	label := ""
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		switch string(key) {
		case "class", "style", "type", "rel", "charset", "width", "height":
			continue
		case "name", "property", "id", "http-equiv":
			if label == "" && len(value) <= maxName {
				label = string(value)
			}
		}
		if len(value) > 0 {
			all = append(all, field{string(key), string(value)})
		}
	}
	for _, a := range all {
		if label != "" && (a.name == "value" || a.name == "content") {
			a.name = label
		}
		p.side.mark(a.name[:min(len(a.name), maxName)], false, line)
		if err := p.text(p.side, []byte(a.value), newline); err != nil {
			return err
		}
	}
	return nil
}

func (p *page) close(name atom.Atom) error {
	if name == atom.Style {
		p.style = false
	}
	return p.apart(name)
}

// apart keeps texts apart that a browser shows apart.
func (p *page) apart(name atom.Atom) error {
	sep := newline
	switch name {
	case atom.A, atom.Abbr, atom.Acronym, atom.B, atom.Bdi, atom.Bdo, atom.Big, atom.Cite, atom.Code, atom.Data, atom.Del, atom.Dfn,
		atom.Em, atom.Font, atom.I, atom.Ins, atom.Kbd, atom.Mark, atom.Nobr, atom.Q, atom.S, atom.Samp, atom.Small, atom.Span,
		atom.Strike, atom.Strong, atom.Sub, atom.Sup, atom.Time, atom.Tt, atom.U, atom.Var, atom.Wbr, 0:
		return nil
	case atom.Td, atom.Th:
		sep = []byte{'\t'}
	}
	if n := len(p.w.buf); n == p.w.from || p.w.buf[n-1] == sep[0] {
		return nil
	}
	return p.w.write(sep)
}
