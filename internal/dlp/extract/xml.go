package extract

import (
	"bufio"
	"bytes"
)

// readXML reads the text and attributes of any XML, each in the field of its element. Other elements stand between words.
func (x *run) readXML(r *bufio.Reader, f file, form form) (status, error) {
	return x.gather(f, form, "", r, func(w *flow, d *decoder) error {
		w.lined = true
		t := tree{w: w, m: newMarkup(d), depth: depth{limit: x.lim.XML}, names: map[string]string{}, strict: form.strict}
		return t.read()
	})
}

// tree is the way to where the text stands.
type tree struct {
	depth
	w     *flow
	m     *markup
	open  []string // names of the elements around
	names map[string]string
	key   []byte

	strict bool // an element that is not closed is damage
}

const maxNames = 1 << 12 // that are remembered

// name is a string that is made once.
func (t *tree) name(parts ...[]byte) string {
	t.key = t.key[:0]
	for _, p := range parts {
		if len(p) == 0 {
			continue
		}
		if len(t.key) > 0 {
			t.key = append(t.key, '.')
		}
		t.key = append(t.key, p[:min(len(p), maxName)]...)
	}
	if s, ok := t.names[string(t.key)]; ok {
		return s
	}
	s := string(t.key)
	if len(t.names) < maxNames {
		t.names[s] = s
	}
	return s
}

func (t *tree) read() error {
	for {
		token, err := t.m.next()
		if err != nil {
			return err
		}
		switch token {
		case tokenEnd:
			if t.strict {
				return t.end()
			}
			return nil
		case tokenText:
			err = t.text()
		case tokenOpen:
			err = t.element()
		case tokenClose:
			t.close()
		}
		if err != nil {
			return err
		}
	}
}

// text writes text; what only sets elements apart is left out.
func (t *tree) text() error {
	b := t.m.text
	if len(bytes.TrimLeft(b, " \t\r\n")) == 0 {
		return nil
	}
	field := ""
	if n := len(t.open); n > 0 {
		field = t.open[n-1]
	}
	t.w.mark(field, false, t.m.began)
	return t.w.write(b)
}

// element notes its name and writes its attributes. The value of an attribute that names it counts as its name.
func (t *tree) element() error {
	m := t.m
	if err := t.depth.open(m); err != nil {
		return err
	}
	if err := t.apart(); err != nil {
		return err
	}
	var parent, label []byte
	if n := len(t.open); n > 0 {
		parent = []byte(last(t.open[n-1]))
	}
	for _, a := range m.attrs {
		switch string(a.name) {
		case "name", "key", "label":
			if label == nil && len(a.value) <= maxName {
				label = a.value
			}
		}
	}
	for _, a := range m.attrs {
		if len(a.value) == 0 || bytes.HasPrefix(a.name, []byte("xmlns")) {
			continue
		}
		if string(a.name) == "value" {
			t.w.mark(t.name(m.name, label), false, m.began)
		} else {
			t.w.mark(t.name(m.name, a.name), false, m.began)
		}
		if err := t.w.writeLine(m.unescape(a.value)); err != nil {
			return err
		}
	}
	if !m.empty {
		t.open = append(t.open, t.name(parent, m.name, label))
	}
	return nil
}

// last is the last part of a field's name.
func last(name string) string {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' {
			return name[i+1:]
		}
	}
	return name
}

func (t *tree) close() {
	_ = t.apart()
	t.now = max(0, t.now-1)
	t.open = t.open[:min(len(t.open), t.now)]
}

// apart keeps the text of two elements apart, unless an element only says how a part of a line looks.
func (t *tree) apart() error {
	if string(t.m.name) == "span" || len(t.w.buf) == t.w.from || t.w.buf[len(t.w.buf)-1] == '\n' {
		return nil
	}
	return t.w.write(newline)
}
