package label

import (
	"strconv"
	"strings"
)

// readInfo reads the labels of LabelInfo ([MS-OFFCRYPTO] 2.6.5.4).
func (f *Found) readInfo(t *tree) {
	if t.root.Local != "labelList" || t.root.Space != infoSpace {
		f.flawed("LabelInfo: it is no list of labels")
		return
	}
	labels, count := make([]Label, 0, len(t.kids)), map[string]int{}
	for i := range t.kids {
		k := &t.kids[i]
		if k.Local != "label" || k.Space != infoSpace {
			continue
		}
		l, err := infoLabel(k)
		if err != nil {
			f.flawed("LabelInfo: %s", err.Error())
			continue
		}
		count[l.Site]++
		labels = append(labels, l)
	}
	for _, l := range labels {
		if count[l.Site] > 1 {
			f.flawed("LabelInfo: %d labels of one tenant", count[l.Site])
			continue
		}
		f.add(l)
	}
}

// infoLabel reads an element label.
func infoLabel(k *element) (Label, error) {
	l := Label{Places: []string{InLabelInfo}}
	id, _ := k.attr("id")
	var ok bool
	if l.ID, ok = GUID(id); !ok {
		l.ID = strings.ToLower(id)
	}
	if l.ID == "" || len(l.ID) > maxText {
		return l, flawf("a label without an id")
	}
	site, _ := k.attr("siteId")
	if l.Site, ok = GUID(site); !ok {
		return l, flawf("a label whose siteId is no GUID")
	}
	for name, to := range map[string]*bool{"enabled": &l.Enabled, "removed": &l.Removed} {
		v, _ := k.attr(name)
		if *to, ok = readBool(v); !ok {
			return l, flawf("a label in which %s is not true or false", name)
		}
	}
	if l.Method, ok = k.attr("method"); !ok || len(l.Method) > maxText {
		return l, flawf("a label without a method")
	}
	if v, said := k.attr("contentBits"); said {
		if l.ContentBits, ok = readBits(v); !ok {
			return l, flawf("a label in which contentBits is no number")
		}
	}
	return l, nil
}

// readBool reads xsd:boolean.
func readBool(s string) (value, ok bool) {
	switch s {
	case "1", "true":
		return true, true
	case "0", "false":
		return false, true
	}
	return false, false
}

func readBits(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil
}

// infoElement writes a label, its attributes in the order that [MS-OFFCRYPTO] 2.6.5.4 asks for. Of a label that was removed the
// tenant's id is left, with which no default label is set again.
func infoElement(prefix string, l *Label) string {
	var b strings.Builder
	b.WriteString("<" + prefix + `label id="{` + l.ID + `}" enabled="` + digit(l.Enabled) + `" method="` + escaped(l.Method) +
		`" siteId="{` + l.Site + `}"`)
	if !l.Removed {
		b.WriteString(` contentBits="` + strconv.FormatUint(uint64(l.ContentBits), 10) + `"`)
	}
	b.WriteString(` removed="` + digit(l.Removed) + `"/>`)
	return b.String()
}

func digit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// newInfo is a part LabelInfo with one label.
func newInfo(l *Label) []byte {
	return []byte(`<?xml version="1.0" encoding="utf-8" standalone="yes"?>` + "\n" + `<clbl:labelList xmlns:clbl="` + infoSpace + `">` +
		infoElement("clbl:", l) + `</clbl:labelList>`)
}

// editInfo puts a label into the place of those of its tenant, or behind all others.
func editInfo(t *tree, l *Label) ([]byte, error) {
	if t.root.Local != "labelList" || t.root.Space != infoSpace {
		return nil, flawf("LabelInfo is no list of labels")
	}
	text, at := infoElement(t.root.prefix(), l), cut{from: -1}
	var cuts []cut
	for i := range t.kids {
		k := &t.kids[i]
		site, _ := k.attr("siteId")
		guid, _ := GUID(site)
		switch {
		case k.Local == "extLst" && k.Space == infoSpace && at.from < 0 && len(cuts) == 0:
			at = cut{k.from, k.from, text} // labels stand before it
		case k.Local == "label" && k.Space == infoSpace && guid == l.Site:
			cuts = append(cuts, cut{k.from, k.to, ""})
		}
	}
	switch {
	case len(cuts) > 0:
		cuts[0].with = text
	case at.from >= 0:
		cuts = append(cuts, at)
	default:
		cuts = append(cuts, t.insert(text))
	}
	return t.edit(cuts...)
}
