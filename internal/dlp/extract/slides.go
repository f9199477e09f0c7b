package extract

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// readSlides reads the slides of a presentation in their order, each with its notes. Its other parts follow by themselves.
func (x *run) readSlides(p *parts) error {
	rel, err := x.relations(p, "ppt/presentation.xml")
	if err != nil {
		return err
	}
	var slides []string
	err = x.part(p, "ppt/presentation.xml", "presentation", func(_ *run, w *flow, m *markup) error {
		return eachElement(m, func() error {
			if string(m.name) == "sldId" && len(slides) < x.lim.Entries {
				for _, a := range m.attrs {
					if part := rel[string(a.value)]; part != "" {
						slides = append(slides, part)
					}
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	for i, name := range slides {
		slide := "slide " + strconv.Itoa(i+1)
		more, err := x.relations(p, name)
		if err != nil {
			return err
		}
		if err := x.part(p, name, slide+", paragraph", paragraphs); err != nil {
			return err
		}
		for _, note := range sortedValues(more) {
			if strings.HasPrefix(path.Base(note), "notesslide") {
				if err := x.part(p, note, slide+", notes, paragraph", paragraphs); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func sortedValues(m map[string]string) []string { return slices.Sorted(maps.Values(m)) }
