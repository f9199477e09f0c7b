package label

import (
	"fmt"
	"strconv"
	"strings"
)

// put gives a part a new content.
func (e *Edit) put(name string, content func() ([]byte, error)) error {
	b, err := content()
	if err != nil {
		return err
	}
	if len(b) > maxPart {
		return flawf("the part %s would have more than %d MiB", known(name), maxPart>>20)
	}
	at, there := e.p.names[strings.ToLower(name)]
	if !there {
		at = -1
	}
	shown := name
	if there {
		shown = strings.TrimPrefix(e.p.zip.File[at].Name, "/")
	}
	e.fresh = append(e.fresh, fresh{shown, at, b})
	e.Parts = append(e.Parts, Part{Name: shown, Added: !there})
	if e.p.fresh == nil {
		e.p.fresh = map[string][]byte{}
	}
	e.p.fresh[strings.ToLower(name)] = b
	return nil
}

// add adds a part, the relationship of the package that leads to it and its media type.
func (e *Edit) add(part *string, name, kind, relation string, b []byte) error {
	if *part != "" {
		return flawf("a relationship leads to the part %s, which is not there", known(*part))
	}
	if _, there := e.p.names[strings.ToLower(name)]; there {
		return flawf("it has a part %s that no relationship leads to", name)
	}
	if err := e.put(name, func() ([]byte, error) { return b, nil }); err != nil {
		return err
	}
	*part = name
	if err := e.insert(relsPart, relsSpace, func(t *tree) string {
		return "<" + t.root.prefix() + `Relationship Id="` + freeID(t) + `" Type="` + relation + `" Target="` + name + `"/>`
	}); err != nil {
		return err
	}
	return e.insert(typesPart, "http://schemas.openxmlformats.org/package/2006/content-types", func(t *tree) string {
		for i := range t.kids {
			if k := &t.kids[i]; k.Local == "Override" && strings.EqualFold(first(k.attr("PartName")), "/"+name) {
				return ""
			}
		}
		return "<" + t.root.prefix() + `Override PartName="/` + name + `" ContentType="` + kind + `"/>`
	})
}

// insert puts an element behind all others of a part.
func (e *Edit) insert(part, space string, element func(t *tree) string) error {
	t, err := e.p.tree(part)
	if err != nil {
		return err
	}
	if t == nil || t.root.Space != space {
		return flawf("the part %s is not what it should be", part)
	}
	text := element(t)
	if text == "" {
		return nil
	}
	b, err := t.edit(t.insert(text))
	if err != nil {
		return err
	}
	for i := range e.fresh { // the second part that is added
		if strings.EqualFold(e.fresh[i].name, part) {
			e.fresh[i].b = b
			e.p.fresh[strings.ToLower(part)] = b
			return nil
		}
	}
	return e.put(part, func() ([]byte, error) { return b, nil })
}

// freeID is an id that no relationship has.
func freeID(t *tree) string {
	taken := map[string]bool{}
	for i := range t.kids {
		taken[strings.ToLower(first(t.kids[i].attr("Id")))] = true
	}
	for n := len(t.kids) + 1; ; n++ {
		if id := "rId" + strconv.Itoa(n); !taken[strings.ToLower(id)] {
			return id
		}
	}
}

// dropInfo takes the labels of a tenant out.
func dropInfo(t *tree, site string) ([]byte, error) {
	var cuts []cut
	for i := range t.kids {
		k := &t.kids[i]
		if guid, _ := GUID(first(k.attr("siteId"))); k.Local == "label" && guid == site {
			cuts = append(cuts, cut{k.from, k.to, ""})
		}
	}
	return t.edit(cuts...)
}

// String says it for people: "docProps/custom.xml (added)".
func (p Part) String() string {
	if p.Added {
		return fmt.Sprintf("%s (added)", p.Name)
	}
	return p.Name
}
