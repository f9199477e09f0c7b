package googleworkspace

import (
	"net/http"
	"slices"
	"strings"
)

// simLabelled is a label on a file: with a choice, or without fields.
type simLabelled struct{ label, field, choice string }

// The labels of the customer: one that classifies, one without fields.
const (
	simLabelID    = "zDNSensitivityLabelOfContoso4pQxFFFbbFcb"
	simFieldID    = "SensitivityFieldQ"
	simLabelPlain = "zDNRetainLabelOfContosoWithout7FieldsFcb"
)

// simChoices are the choices of the first, by id and name.
var simChoices = [][2]string{{"ChoicePublicA", "Public"}, {"ChoiceInternB", "Internal"}, {"ChoiceSecretC", "Confidential \"C\""}}

// labelRoutes answer about labels. https://developers.google.com/workspace/drive/labels/guides/overview
func (s *simOrg) labelRoutes(add simAdd) {
	add("GET /v2/labels", "drive.admin.labels.readonly drive.admin.labels drive.labels.readonly drive.labels", s.listLabels)
	add("GET /drive/v3/files/{file}/listLabels", "drive.metadata.readonly drive.metadata drive.readonly drive", s.onFile("reader", "",
		func(a *simAsk) (any, *simNo) {
			return simPaged(s, a.simCall, "labels", "drive#labelList", a.f.labels, 100, 100, simLabelled.show)
		}))
	add("POST /drive/v3/files/{file}/modifyLabels", "drive.metadata drive", s.onFile("writer", "", s.modifyLabels))
}

// listLabels is the catalogue.
func (s *simOrg) listLabels(c *simCall) (any, *simNo) {
	scopes := c.r.URL.Query()
	switch view := c.query("view"); {
	case s.o.Variant == "basic":
		return nil, simForbid("forbidden", "The Drive Labels service is not available for this customer.")
	case c.yes("useAdminAccess") && !c.admin():
		return nil, simForbid("forbidden", "The caller does not have permission")
	case view != "" && view != "LABEL_VIEW_BASIC" && view != "LABEL_VIEW_FULL":
		return nil, simInvalid("view", view)
	}
	full := scopes.Get("view") == "LABEL_VIEW_FULL"
	all := []obj{}
	for _, l := range [][2]string{{simLabelID, "Sensitivity"}, {simLabelPlain, "Retain"}} {
		o := obj{"name": "labels/" + l[0] + "@7", "id": l[0], "revisionId": "7", "labelType": "ADMIN", "lifecycle": obj{"state": "PUBLISHED"},
			"properties": obj{"title": l[1], "description": "How a file is to be treated"}}
		if full {
			o["createTime"], o["publishTime"], o["customer"] = simTime(s.users[0].made), simTime(s.users[0].made), "customers/"+s.id
		}
		if l[0] == simLabelID && full {
			choices := []obj{}
			for _, ch := range simChoices {
				choices = append(choices, obj{"id": ch[0], "lifecycle": obj{"state": "PUBLISHED"}, "properties": obj{"displayName": ch[1]}})
			}
			o["fields"] = []obj{{"id": simFieldID, "queryKey": "labels/" + l[0] + "." + simFieldID, "lifecycle": obj{"state": "PUBLISHED"},
				"properties": obj{"displayName": "Level", "required": true}, "selectionOptions": obj{"choices": choices}}}
		}
		all = append(all, o)
	}
	limit, no := c.size(50, 200)
	if no != nil {
		return nil, no
	}
	at, no := s.place(c)
	if no != nil {
		return nil, no
	}
	if at == "1" {
		all = all[1:]
	}
	if len(all) > limit {
		return obj{"labels": all[:limit], "nextPageToken": s.token(c, itoa(limit))}, nil
	}
	return obj{"labels": all}, nil
}

// show is a label as files have it.
func (l simLabelled) show() obj {
	out := obj{"kind": "drive#label", "id": l.label, "revisionId": "7"}
	if l.field != "" {
		out["fields"] = obj{l.field: obj{"kind": "drive#labelField", "id": l.field, "valueType": "selection", "selection": []string{l.choice}}}
	}
	return out
}

// shown are the labels of a file among those with the ids.
func (f *simFile) shown(ids []string) []obj {
	out := []obj{}
	for _, l := range f.labels {
		if slices.Contains(ids, l.label) {
			out = append(out, l.show())
		}
	}
	return out
}

// simRelabel changes one label of a file.
type simRelabel struct {
	LabelID            string
	RemoveLabel        bool
	FieldModifications []struct {
		FieldID            string
		SetSelectionValues []string
		UnsetValues        bool
	}
}

// modifyLabels is POST /modifyLabels. A file has at most five.
func (s *simOrg) modifyLabels(a *simAsk) (any, *simNo) {
	var in struct{ LabelModifications []simRelabel }
	if no := a.into(&in); no != nil {
		return nil, no
	}
	if a.f.mime == simFolder || a.f.mime == simShortcut {
		return nil, simForbid("cannotModifyLabels", "Labels cannot be applied to this item.")
	}
	f := s.tree.edit(a.f)
	before := f.version
	out := []obj{}
	for _, m := range in.LabelModifications {
		i := slices.IndexFunc(f.labels, func(l simLabelled) bool { return l.label == m.LabelID })
		l := simLabelled{label: m.LabelID}
		if i >= 0 {
			l = f.labels[i]
		}
		for _, fm := range m.FieldModifications {
			ok := l.label == simLabelID && fm.FieldID == simFieldID && len(fm.SetSelectionValues) < 2
			for _, v := range fm.SetSelectionValues {
				l.field, l.choice = fm.FieldID, v
				ok = ok && slices.ContainsFunc(simChoices, func(c [2]string) bool { return c[0] == v })
			}
			if fm.UnsetValues {
				l.field, l.choice = "", ""
			}
			if !ok {
				return nil, s.undone(a, simBad("badRequest", "Invalid field or choice."))
			}
		}
		event := "label_added"
		switch {
		case l.label != simLabelID && l.label != simLabelPlain:
			return nil, s.undone(a, &simNo{http.StatusNotFound, "notFound", "Label not found: " + strings.TrimPrefix(l.label, "labels/"), "labelId"})
		case m.RemoveLabel && i < 0:
			continue
		case m.RemoveLabel:
			f.labels, event = slices.Delete(f.labels, i, i+1), "label_removed"
		case i >= 0:
			f.labels[i], event = l, "label_field_changed"
		default:
			f.labels = append(f.labels, l)
		}
		if !m.RemoveLabel {
			out = append(out, l.show())
		}
		s.changed(a.simCall, f, "access", event, "label=labels/"+l.label)
	}
	f.version = before
	return obj{"kind": "drive#modifyLabelsResponse", "modifiedLabels": out}, nil
}

// undone leaves the file as it was and refuses.
func (s *simOrg) undone(a *simAsk, no *simNo) *simNo {
	s.tree.changed[a.f.id] = a.f
	return no
}
