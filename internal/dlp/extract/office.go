package extract

import (
	"bufio"
	"path"
	"strings"
)

// office is a kind of Office Open XML document.
type office struct {
	kind   string
	folder string // of its parts
	main   string // names the parts in it that are read first, in order
	read   func(x *run, p *parts) error
}

var offices = []office{
	{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "word/", "document.xml", (*run).readWord},
	{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xl/", "workbook.xml", (*run).readWorkbook},
	{"application/vnd.openxmlformats-officedocument.presentationml.presentation", "ppt/", "presentation.xml", (*run).readSlides},
}

// officeOf tells what kind of document the entries are of, or nil.
func officeOf(entries []entry) *office {
	types, found := false, (*office)(nil)
	for i := range entries {
		name := partName(entries[i].name)
		types = types || name == "[content_types].xml"
		for k := range offices {
			if strings.HasPrefix(name, offices[k].folder) && found == nil {
				found = &offices[k]
			}
		}
	}
	if !types {
		return nil
	}
	return found
}

// partName is the name of a part as it is compared: in small letters, as no two of them may differ in that only.
func partName(name string) string {
	return strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "/"))
}

// parts are those of a document.
type parts struct {
	office  *office
	a       *archive
	f       file
	tally   *tally
	entries []entry
	names   map[string]int // of those not read yet
}

func (o *office) open(a *archive, entries []entry, f file, t *tally) *parts {
	p := &parts{office: o, a: a, f: f, tally: t, entries: entries, names: make(map[string]int, len(entries))}
	for i := range entries {
		if name := partName(entries[i].name); name != "" {
			if _, twice := p.names[name]; !twice {
				p.names[name] = i
			}
		}
	}
	return p
}

// office reads a document: first what its kind says, then every other part as what it is.
func (x *run) office(o *office, a *archive, entries []entry, f file, t *tally) error {
	p := o.open(a, entries, f, t)
	if err := o.read(x, p); err != nil {
		return err
	}
	for i := range entries {
		name := partName(entries[i].name)
		if at, ok := p.names[name]; !ok || at != i {
			if ok {
				t.add(status{outcome: NotScanned, reason: "another entry has its name"})
			}
			continue
		}
		if err := x.rest(p, name); err != nil {
			return err
		}
	}
	return nil
}

// silent are parts that hold no text of anybody.
func silent(name string) bool {
	folder, file := path.Split(name)
	switch file {
	case "styles.xml", "fonttable.xml", "websettings.xml", "numbering.xml", "[content_types].xml", "calcchain.xml", "presprops.xml",
		"viewprops.xml", "tablestyles.xml", "vbaproject.bin", "styleswitheffects.xml":
		return true
	}
	for _, in := range []string{"/theme/", "/media/", "/fonts/", "/slidelayouts/_rels/", "/printersettings/", "/activex/",
		"docprops/thumbnail"} {
		if strings.Contains("/"+name, in) {
			return true
		}
	}
	return strings.HasSuffix(folder, "/theme/_rels/")
}

// rest reads a part that is none of the main ones.
func (x *run) rest(p *parts, name string) error {
	base := path.Base(name)
	switch {
	case silent(name) && (x.ocr == nil || !strings.Contains(name, "/media/")):
		delete(p.names, name)
		return nil
	case strings.HasSuffix(name, ".rels"):
		return x.part(p, name, "link", links)
	case strings.Contains(name, "/charts/"), !strings.HasSuffix(name, ".xml"):
		return x.embedded(p, name)
	case strings.HasPrefix(name, "word/"), strings.HasPrefix(name, "ppt/"), strings.Contains(name, "comments"),
		strings.Contains(name, "/drawings/"):
		if base != "settings.xml" && base != "presentation.xml" {
			return x.part(p, name, strings.TrimSuffix(base, ".xml")+", paragraph", paragraphs)
		}
	}
	return x.embedded(p, name)
}

// embedded reads a part as the file that it is by itself.
func (x *run) embedded(p *parts, name string) error {
	i, ok := p.names[name]
	if !ok {
		return nil
	}
	delete(p.names, name)
	return x.entry(p.a, p.entries[i], p.f, p.tally)
}

// part reads a part as XML of a known kind. unit: what its lines are, for people.
func (x *run) part(p *parts, name, unit string, read func(x *run, w *flow, m *markup) error) error {
	i, ok := p.names[name]
	if !ok {
		return nil
	}
	delete(p.names, name)
	e := p.entries[i]
	if e.encrypted() {
		p.tally.add(status{outcome: Encrypted})
		return nil
	}
	in, err := x.unpack(p.a, e)
	if err != nil {
		st, err := settle("", false, err)
		p.tally.add(st)
		return err
	}
	r := readers.Get().(*bufio.Reader)
	r.Reset(in)
	defer func() {
		r.Reset(nil)
		readers.Put(r)
	}()
	st, err := x.gather(p.f, form{kind: kindXML, strict: true}, unit, r, func(w *flow, d *decoder) error { return read(x, w, newMarkup(d)) })
	p.tally.add(st)
	return err
}

// links writes where the relations of a part lead.
func links(x *run, w *flow, m *markup) error {
	for {
		t, err := m.next()
		if err != nil || t == tokenEnd {
			return err
		}
		if t == tokenOpen && string(m.name) == "Relationship" && string(m.attr("TargetMode")) == "External" {
			w.mark("Target", false, 0)
			if err := w.writeLine(m.attr("Target")); err != nil {
				return err
			}
		}
	}
}

// relations are the targets of a part's relations by id.
func (x *run) relations(p *parts, name string) (map[string]string, error) {
	folder, file := path.Split(name)
	out := map[string]string{}
	err := x.part(p, folder+"_rels/"+file+".rels", "link", func(x *run, w *flow, m *markup) error {
		for len(out) < x.lim.Entries {
			t, err := m.next()
			if err != nil || t == tokenEnd {
				return err
			}
			if t == tokenOpen && string(m.name) == "Relationship" {
				id := string(m.attr("Id"))
				target := string(m.attr("Target"))
				if string(m.attr("TargetMode")) == "External" {
					if err := w.writeLine([]byte(target)); err != nil {
						return err
					}
					continue
				}
				if !strings.HasPrefix(target, "/") {
					target = path.Join("/", folder, target)
				}
				out[id] = partName(target)
			}
		}
		return nil
	})
	return out, err
}

// depth counts elements in elements.
type depth struct{ now, limit int }

func (d *depth) open(m *markup) error {
	if m.empty {
		return nil
	}
	if d.now++; d.now > d.limit {
		return flawf("elements below %d others, the limit of the depth of XML", d.limit)
	}
	return nil
}

// end says whether all that was opened was closed.
func (d *depth) end() error {
	if d.now > 0 {
		return flawf("damaged: it ends inside of an element")
	}
	return nil
}
