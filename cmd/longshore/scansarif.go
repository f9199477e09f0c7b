package main

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/longshore-dev/longshore/internal/dlp"
)

// sarif writes findings as a log of SARIF 2.1.0 (OASIS), which platforms for code take. Results are written as they come; the rules
// that they name, and the files that were not read, come behind them.
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type sarif struct {
	write func(v any) error
	text  func(s string)
	some  bool
	types map[string]*dlp.Type
	notes []any // of files that were not read whole
}

type object = map[string]any

const maxNotes = 1000

func newSARIF(write func(v any) error, text func(s string)) *sarif {
	text(`{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[` + "\n" +
		`{"columnKind":"unicodeCodePoints","results":[` + "\n")
	return &sarif{write: write, text: text, types: map[string]*dlp.Type{}, notes: []any{}}
}

// tell writes a result for each place of each finding.
func (s *sarif) tell(f *scanned, why string) error {
	if why != "" && len(s.notes) < maxNotes {
		s.notes = append(s.notes, object{"level": "warning", "message": object{"text": why},
			"locations": []any{object{"physicalLocation": object{"artifactLocation": artifact(f.path)}}}})
	}
	for _, x := range f.findings {
		s.types[x.Type.ID] = x.Type
		places := x.Locations
		if len(places) == 0 {
			places = []string{""}
		}
		for _, where := range places {
			if s.some {
				s.text(",")
			}
			s.some = true
			if err := s.write(sarifResult(f.path, x, where)); err != nil {
				return err
			}
		}
	}
	return nil
}

var (
	atLine   = regexp.MustCompile(`^line ([1-9][0-9]{0,8})(?:,|$)`)
	levels   = [...]string{1: "note", 2: "warning", 3: "error", 4: "error"}
	security = [...]string{1: "3.0", 2: "5.0", 3: "7.5", 4: "9.5"} // as CVSS scores, which platforms sort by
)

func sarifResult(path string, x dlp.Finding, where string) object {
	place := object{"artifactLocation": artifact(path)}
	location := object{"physicalLocation": place}
	if m := atLine.FindStringSubmatch(where); m != nil {
		n, _ := strconv.Atoi(m[1])
		place["region"] = object{"startLine": n}
	} else if where != "" {
		location["logicalLocations"] = []any{object{"fullyQualifiedName": where}}
	}
	text := fmt.Sprintf("%s: %s", x.Type.Name, some(x.Samples, x.Unique))
	if where != "" {
		text += ", at " + where
	}
	return object{"ruleId": x.Type.ID, "level": levels[x.Type.Severity], "message": object{"text": text}, "locations": []any{location},
		"properties": object{"confidence": x.Confidence, "count": x.Count, "unique": x.Unique}}
}

// artifact is a file: by its path from here, or from the root.
func artifact(path string) object {
	u := url.URL{Path: filepath.ToSlash(path)}
	if filepath.IsAbs(path) {
		u.Scheme = "file"
		if !strings.HasPrefix(u.Path, "/") {
			u.Path = "/" + u.Path
		}
	}
	return object{"uri": u.String()}
}

// end writes what comes behind the results.
func (s *sarif) end() error {
	ids := []string{}
	for id := range s.types {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	rules := []any{}
	for _, id := range ids {
		t := s.types[id]
		rules = append(rules, object{"id": id, "name": t.Name, "shortDescription": object{"text": t.Name},
			"defaultConfiguration": object{"level": levels[t.Severity]},
			"properties":           object{"security-severity": security[t.Severity], "tags": []string{"security", t.Pack}}})
	}
	s.text(`],"tool":`)
	if err := s.write(object{"driver": object{"name": "Longshore", "informationUri": "https://github.com/longshore-dev/longshore",
		"version": release(), "rules": rules}}); err != nil {
		return err
	}
	s.text(`,"invocations":[`)
	err := s.write(object{"executionSuccessful": true, "toolExecutionNotifications": s.notes})
	s.text("]}]}\n")
	return err
}
