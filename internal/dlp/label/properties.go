package label

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// keyPrefix begins the names of a label's properties: MSIP_Label_<id>_<attribute>. They are compared without regard to case.
const keyPrefix = "msip_label_"

// splitKey gives the label and the attribute that a property is about.
func splitKey(name string) (id, attribute string, ok bool) {
	if len(name) < len(keyPrefix)+38 || !strings.EqualFold(name[:len(keyPrefix)], keyPrefix) {
		return "", "", false
	}
	rest := name[len(keyPrefix):]
	if id, ok = GUID(rest[:36]); !ok || rest[36] != '_' {
		return "", "", false
	}
	return id, strings.ToLower(rest[37:]), true
}

// bag gathers properties by label.
type bag struct {
	ids    []string // in the order in which they come
	labels map[string]map[string]string
	twice  map[string]bool // labels of which an attribute has two values
}

// add takes a property, if it is a label's.
func (b *bag) add(name, value string) {
	id, attribute, ok := splitKey(name)
	if !ok || len(b.ids) > maxLabels {
		return
	}
	if b.labels == nil {
		b.labels, b.twice = map[string]map[string]string{}, map[string]bool{}
	}
	of := b.labels[id]
	if of == nil {
		of = map[string]string{}
		b.labels[id] = of
		b.ids = append(b.ids, id)
	}
	switch attribute {
	case "enabled", "siteid", "actionid", "method", "setdate", "name", "contentbits", "removed":
	default:
		return // of other writers
	}
	value = strings.TrimSpace(value)
	if old, known := of[attribute]; known && old != value {
		b.twice[id] = true
	}
	of[attribute] = value
}

// tell adds the labels. place: how the place is called, for people.
func (b *bag) tell(f *Found, in, place string) {
	for _, id := range b.ids {
		if b.twice[id] {
			f.flawed("%s: label %s has two values of one attribute", place, id)
			continue
		}
		l, err := b.label(id, func(what string) { f.flawed("%s: label %s: %s", place, id, what) })
		if err != nil {
			f.flawed("%s: label %s: %s", place, id, err.Error())
			continue
		}
		l.Places = []string{in}
		f.add(l)
	}
}

// label reads one. What may be missing and is malformed is left out, and noted.
func (b *bag) label(id string, note func(what string)) (Label, error) {
	of, l := b.labels[id], Label{ID: id}
	var ok bool
	if l.Enabled, ok = readBool(strings.ToLower(of["enabled"])); !ok {
		return l, flawf("Enabled is not true or false")
	}
	if site := of["siteid"]; site == "" {
		note("it has no SiteId")
	} else if l.Site, ok = GUID(site); !ok {
		return l, flawf("SiteId is no GUID")
	}
	if v := of["removed"]; v != "" {
		if l.Removed, ok = readBool(strings.ToLower(v)); !ok {
			return l, flawf("Removed is not true or false")
		}
	}
	if v := of["setdate"]; v != "" {
		if l.SetDate, ok = readDate(v); !ok {
			note("SetDate is no date with a time zone")
		}
	}
	if v := of["contentbits"]; v != "" {
		if l.ContentBits, ok = readBits(v); !ok {
			note("ContentBits is no number")
		}
	}
	if v := of["actionid"]; v != "" {
		if l.ActionID, ok = GUID(v); !ok {
			note("ActionId is no GUID")
		}
	}
	for attribute, to := range map[string]*string{"name": &l.Name, "method": &l.Method} {
		if *to = of[attribute]; len(*to) > maxText {
			*to = ""
			note("a text of more than " + strconv.Itoa(maxText) + " bytes")
		}
	}
	return l, nil
}

// property says which label's property an element is, or "".
func property(k *element) (name string) {
	if k.Local != "property" || k.Space != dialects[0].customSpace && k.Space != dialects[1].customSpace {
		return ""
	}
	name, _ = k.attr("name")
	return name
}

// readCustom reads the labels among custom properties.
func (f *Found) readCustom(t *tree) {
	var b bag
	for i := range t.kids {
		if name := property(&t.kids[i]); name != "" {
			b.add(name, t.kids[i].text)
		}
	}
	b.tell(f, InProperties, "custom properties")
}

// userDefined is the property set that custom properties are of ([MS-OLEPS] 2.25).
const userDefined = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"

// customElements writes the properties of a label. space: the prefix of their elements. The action's id is left out: writers no
// longer have one (MIP SDK 1.8).
func customElements(prefix, types string, l *Label, pid int) string {
	var b strings.Builder
	add := func(attribute, value string) {
		b.WriteString("<" + prefix + `property fmtid="` + userDefined + `" pid="` + strconv.Itoa(pid) + `" name="MSIP_Label_` + l.ID + "_" +
			attribute + `"><vt:lpwstr xmlns:vt="` + types + `">` + escaped(value) + "</vt:lpwstr></" + prefix + "property>")
		pid++
	}
	add("Enabled", strconv.FormatBool(l.Enabled))
	add("SetDate", l.SetDate.UTC().Format(time.RFC3339))
	add("Method", l.Method)
	if l.Name != "" {
		add("Name", l.Name)
	}
	add("SiteId", l.Site)
	add("ContentBits", strconv.FormatUint(uint64(l.ContentBits), 10))
	return b.String()
}

// newCustom is a part of custom properties with those of one label.
func newCustom(of dialect, l *Label) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\r\n" + `<Properties xmlns="` + of.customSpace +
		`">` + customElements("", of.types, l, 2) + "</Properties>")
}

// editCustom takes the properties of a tenant's labels out, and puts those of a label in, unless it is nil. before: the labels
// that the properties tell. false = nothing is to be changed.
func editCustom(t *tree, before []Label, site string, l *Label) (b []byte, changed bool, err error) {
	if t.root.Local != "Properties" || t.root.Space != dialects[0].customSpace && t.root.Space != dialects[1].customSpace {
		return nil, false, flawf("the custom properties are no list of properties")
	}
	of := dialects[0]
	if t.root.Space == dialects[1].customSpace {
		of = dialects[1]
	}
	var cuts []cut
	pid := 1
	for i := range t.kids {
		k := &t.kids[i]
		if n, err := strconv.Atoi(first(k.attr("pid"))); err == nil && n < 1<<30 {
			pid = max(pid, n)
		}
		id, _, ok := splitKey(property(k))
		if !ok {
			continue
		}
		if l != nil && id == l.ID || slices.ContainsFunc(before, func(o Label) bool { return o.ID == id && o.Site == site }) {
			cuts = append(cuts, cut{k.from, k.to, ""})
		}
	}
	if l != nil {
		text := customElements(t.root.prefix(), of.types, l, pid+1)
		if len(cuts) > 0 {
			cuts[0].with = text
		} else {
			cuts = append(cuts, t.insert(text))
		}
	}
	if len(cuts) == 0 {
		return nil, false, nil
	}
	b, err = t.edit(cuts...)
	return b, true, err
}

func first(s string, _ bool) string { return s }
