package label

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/encoding/unicode"
)

// element is one of XML, and the bytes that it has.
type element struct {
	xml.Name
	qualified string // the name as it stands: clbl:label
	attrs     []xml.Attr
	from, to  int    // with its tags
	text      string // of all that is in it
	child     string // the local name of the first element in it
}

// tree is the root of a part, and the elements in it.
type tree struct {
	b     []byte
	root  element
	kids  []element
	close int  // where the root's end tag begins; root.to = the root is one tag
	wide  bool // it was in UTF-16
}

const (
	maxKids  = 20_000
	maxDepth = 256
)

// attr is the value of an attribute that has no namespace.
func (e *element) attr(name string) (string, bool) {
	for _, a := range e.attrs {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value, true
		}
	}
	return "", false
}

// prefix is that of the name as it stands: "clbl:", or "".
func (e *element) prefix() string { return e.qualified[:strings.IndexByte(e.qualified, ':')+1] }

// parse reads a part.
func parse(b []byte) (*tree, error) {
	t := &tree{b: b}
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		t.wide = true
		var err error
		if t.b, err = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(b); err != nil {
			return nil, flawf("not UTF-16, as it says")
		}
	}
	d := xml.NewDecoder(bytes.NewReader(t.b))
	d.CharsetReader = func(name string, in io.Reader) (io.Reader, error) {
		if strings.EqualFold(name, "us-ascii") || t.wide && strings.HasPrefix(strings.ToLower(name), "utf-16") {
			return in, nil
		}
		return nil, flawf("in an encoding that parts do not have")
	}
	depth := 0
	var text []byte
	for {
		at := int(d.InputOffset())
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			if t.root.to == 0 {
				return nil, flawf("no XML")
			}
			return t, nil
		case err != nil:
			return nil, flawf("not well-formed XML")
		}
		switch token := token.(type) {
		case xml.Directive:
			return nil, flawf("XML with a document type")
		case xml.StartElement:
			if err := t.open(token, at, depth); err != nil {
				return nil, err
			}
			depth++
			text = text[:0]
		case xml.CharData:
			if depth > 1 {
				text = append(text, token...)
			}
		case xml.EndElement:
			depth--
			t.end(at, int(d.InputOffset()), depth, text)
		}
	}
}

// open begins an element.
func (t *tree) open(s xml.StartElement, at, depth int) error {
	e := element{Name: s.Name, attrs: s.Copy().Attr, from: at}
	if end := bytes.IndexAny(t.b[at:], " \t\r\n/>"); end > 0 && t.b[at] == '<' {
		e.qualified = string(t.b[at+1 : at+end])
	}
	switch {
	case depth == 0 && t.root.to > 0:
		return flawf("not well-formed XML")
	case depth == 0:
		t.root = e
	case depth == 1 && len(t.kids) >= maxKids:
		return flawf("more than %d elements", maxKids)
	case depth == 1:
		t.kids = append(t.kids, e)
	case depth >= maxDepth:
		return flawf("elements below %d others", maxDepth)
	case depth == 2 && t.kids[len(t.kids)-1].child == "":
		t.kids[len(t.kids)-1].child = e.Local
	}
	return nil
}

// end ends an element.
func (t *tree) end(at, after, depth int, text []byte) {
	switch depth {
	case 0:
		t.close, t.root.to = at, after
	case 1:
		t.kids[len(t.kids)-1].to = after
	case 2:
		t.kids[len(t.kids)-1].text += string(text)
	}
}

// cut replaces bytes of a part.
type cut struct {
	from, to int
	with     string
}

// insert puts elements behind all others.
func (t *tree) insert(text string) cut {
	if t.close == t.root.to { // <name/>
		return cut{t.root.to - 2, t.root.to, ">" + text + "</" + t.root.qualified + ">"}
	}
	return cut{t.close, t.close, text}
}

// edit makes the changes.
func (t *tree) edit(cuts ...cut) ([]byte, error) {
	if t.wide {
		return nil, flawf("a part is in UTF-16, which is not changed here")
	}
	slices.SortStableFunc(cuts, func(a, b cut) int { return a.from - b.from })
	var out []byte
	at := 0
	for _, c := range cuts {
		out = append(append(out, t.b[at:c.from]...), c.with...)
		at = c.to
	}
	return append(out, t.b[at:]...), nil
}

// escaped is a text as the value of an attribute, or between tags.
func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}
