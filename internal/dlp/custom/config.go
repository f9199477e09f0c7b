package custom

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/longshore-dev/longshore/internal/dlp"
)

// Detector is what a user writes of a detector of their own. It has one of patterns, dictionary, exact_match, documents,
// file_types and rule.
type Detector struct {
	// ID names the type of data: lower-case letters, digits, _ and -, in parts between dots. Example: acme.employee_number.
	ID string `mapstructure:"id"`
	// Name is for people. Default: the id.
	Name string `mapstructure:"name"`
	// Pack is the group that findings name. Default: custom.
	Pack string `mapstructure:"pack"`
	// Severity is that of findings, 1 (low) to 4 (critical). Default: 3.
	Severity int `mapstructure:"severity"`
	// Confidence is that of a match, 1 to 100. Default: 75 for patterns and dictionaries, with keywords 85; 85 for the others; for a
	// rule the lowest of what it needs. A pattern with keywords of which none stands near has 20 less.
	Confidence int `mapstructure:"confidence"`
	// Hidden lets the detector count in rules only.
	Hidden bool `mapstructure:"hidden"`
	// Patterns are regular expressions in RE2 syntax; ^ and $ are the ends of a line. A value of a record is a line.
	Patterns []string `mapstructure:"patterns"`
	// Checksum refuses what does not pass it: luhn, mod11_10, mod97, verhoeff.
	Checksum string `mapstructure:"checksum"`
	// Keywords raise the confidence of a pattern where one stands within the distance, or is in the name of the field.
	Keywords []string `mapstructure:"keywords"`
	// Distance is how many characters may stand between a keyword and a match. Default: 300.
	Distance int `mapstructure:"distance"`
	// Dictionary finds terms.
	Dictionary *Dictionary `mapstructure:"dictionary"`
	// ExactMatch finds rows of a table.
	ExactMatch *ExactMatch `mapstructure:"exact_match"`
	// Documents finds copies of documents, and texts that hold much of one.
	Documents *Documents `mapstructure:"documents"`
	// FileTypes are media types, told by the content. Example: [application/pdf, image/*].
	FileTypes []string `mapstructure:"file_types"`
	// Rule counts what other detectors found.
	Rule *Rule `mapstructure:"rule"`
}

// Dictionary is a list of terms.
type Dictionary struct {
	// Terms are the terms themselves.
	Terms []string `mapstructure:"terms"`
	// File has a term a line.
	File string `mapstructure:"file"`
	// CaseSensitive compares the letters as they are; else case and accents do not matter.
	CaseSensitive bool `mapstructure:"case_sensitive"`
	// Parts finds terms inside of words too.
	Parts bool `mapstructure:"parts_of_words"`
}

// ExactMatch is a table that `longshore edm build` made.
type ExactMatch struct {
	// File is the table.
	File string `mapstructure:"file"`
	// Key is the one that the table was built with, or KeyFile is a file with it.
	Key configopaque.String `mapstructure:"key"`
	// KeyFile is a file with the key.
	KeyFile string `mapstructure:"key_file"`
	// MinSecondary is how many other columns of the row must stand near. Default: 1, and 0 if the table has none.
	MinSecondary *int `mapstructure:"min_secondary"`
	// Distance is how many characters may stand between. Default: 300.
	Distance int `mapstructure:"distance"`
}

// Documents are the fingerprints that `longshore fingerprint` made.
type Documents struct {
	// File has the fingerprints.
	File string `mapstructure:"file"`
	// Containment is the share of a document that a text must hold, above 0 and at most 1. Default: 0.5.
	Containment float64 `mapstructure:"containment"`
}

// Rule holds where all of All, at least one of Any if there are any, and none of Not were found.
type Rule struct {
	All []Term `mapstructure:"all"`
	Any []Term `mapstructure:"any"`
	Not []Term `mapstructure:"not"`
	// Within is how many characters may stand between the beginnings of the first and the last of them. Default: 0, anywhere in the
	// record or file.
	Within int `mapstructure:"within"`
}

// Term is a detector and how often it must have found something. It may be written as the id alone.
type Term struct {
	// Detector is an id: of one of your own, or pii.us_ssn.
	Detector string `mapstructure:"detector"`
	// Count is how many there must be. Default: 1.
	Count int `mapstructure:"count"`
	// Unique counts equal values once.
	Unique bool `mapstructure:"unique"`
}

// UnmarshalText reads an id.
func (t *Term) UnmarshalText(text []byte) error {
	t.Detector = string(text)
	return nil
}

const (
	maxDistance    = 5000 // characters; texts overlap by more
	defaultReach   = 300
	maxPatterns    = 1000
	defaultContain = 0.5
)

var idForm = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)*$`)

// Validate says what is wrong with detectors, without reading their files.
func Validate(all []Detector) error {
	builtIn := map[string]bool{}
	for _, t := range dlp.Types() {
		builtIn[t.ID] = true
	}
	known := map[string]*Detector{}
	for i := range all {
		d := &all[i]
		switch {
		case d.ID == "":
			return fmt.Errorf("detector %d has no id", i+1)
		case !idForm.MatchString(d.ID) || len(d.ID) > 64:
			return fmt.Errorf("detector %q: id: want lower-case letters, digits, _ and -, in parts between dots, up to 64", d.ID)
		case builtIn[d.ID]:
			return fmt.Errorf("detector %q: id: a detector of Longshore's own has it", d.ID)
		case known[d.ID] != nil:
			return fmt.Errorf("detector %q: id: another detector has it too", d.ID)
		}
		if err := d.validate(); err != nil {
			return fmt.Errorf("detector %q: %w", d.ID, err)
		}
		if d.Rule != nil {
			if err := d.Rule.validate(builtIn, known); err != nil {
				return fmt.Errorf("detector %q: rule: %w", d.ID, err)
			}
		}
		known[d.ID] = d
	}
	return nil
}

func (d *Detector) validate() error {
	if d.Severity < 0 || d.Severity > 4 {
		return fmt.Errorf("severity: %d: want 1 to 4", d.Severity)
	}
	if d.Confidence < 0 || d.Confidence > 100 {
		return fmt.Errorf("confidence: %d: want 1 to 100", d.Confidence)
	}
	var ways []string
	for _, w := range []struct {
		key string
		is  bool
	}{{"patterns", len(d.Patterns) > 0}, {"dictionary", d.Dictionary != nil}, {"exact_match", d.ExactMatch != nil},
		{"documents", d.Documents != nil}, {"file_types", len(d.FileTypes) > 0}, {"rule", d.Rule != nil}} {
		if w.is {
			ways = append(ways, w.key)
		}
	}
	if len(ways) != 1 {
		return fmt.Errorf("has %s: want one of patterns, dictionary, exact_match, documents, file_types and rule", cmpText(ways))
	}
	if len(d.Patterns) == 0 && (d.Checksum != "" || len(d.Keywords) > 0 || d.Distance != 0) {
		return errors.New("checksum, keywords and distance are for patterns")
	}
	if err := distance(d.Distance); err != nil {
		return err
	}
	switch {
	case d.Dictionary != nil:
		return d.Dictionary.validate()
	case d.ExactMatch != nil:
		return d.ExactMatch.validate()
	case d.Documents != nil:
		if d.Documents.File == "" {
			return errors.New("documents: no file")
		}
		if c := d.Documents.Containment; !(c >= 0 && c <= 1) {
			return fmt.Errorf("documents: containment: %v: want above 0 and at most 1", c)
		}
	}
	for _, t := range d.FileTypes {
		if major, minor, ok := strings.Cut(t, "/"); !ok || major == "" || minor == "" || strings.ContainsAny(t, " ;") {
			return fmt.Errorf("file_types: %q: want a media type, as application/pdf or image/*", t)
		}
	}
	return d.validatePatterns()
}

func cmpText(ways []string) string {
	if len(ways) == 0 {
		return "nothing to find"
	}
	return strings.Join(ways, " and ")
}

func distance(n int) error {
	if n < 0 || n > maxDistance {
		return fmt.Errorf("distance: %d: want 1 to %d", n, maxDistance)
	}
	return nil
}

func (d *Dictionary) validate() error {
	if len(d.Terms) == 0 && d.File == "" {
		return errors.New("dictionary: no terms and no file")
	}
	for i, t := range d.Terms {
		if err := checkTerm(t); err != nil {
			return fmt.Errorf("dictionary: terms: number %d: %w", i+1, err)
		}
	}
	return nil
}

func (x *ExactMatch) validate() error {
	switch {
	case x.File == "":
		return errors.New("exact_match: no file")
	case (x.Key == "") == (x.KeyFile == ""):
		return errors.New("exact_match: want key or key_file")
	case x.MinSecondary != nil && *x.MinSecondary < 0:
		return fmt.Errorf("exact_match: min_secondary: %d: want 0 or more", *x.MinSecondary)
	}
	if err := distance(x.Distance); err != nil {
		return fmt.Errorf("exact_match: %w", err)
	}
	return nil
}

func (r *Rule) validate(builtIn map[string]bool, known map[string]*Detector) error {
	if len(r.All)+len(r.Any) == 0 {
		return errors.New("all and any are empty")
	}
	if r.Within < 0 || r.Within > maxDistance {
		return fmt.Errorf("within: %d: want 1 to %d, or 0 for anywhere", r.Within, maxDistance)
	}
	for _, t := range slices.Concat(r.All, r.Any, r.Not) {
		d := known[t.Detector]
		switch {
		case d == nil && !builtIn[t.Detector]:
			return fmt.Errorf("no detector is called %q, or it stands further below", t.Detector)
		case t.Count < 0:
			return fmt.Errorf("%q: count: %d: want 1 or more", t.Detector, t.Count)
		case r.Within > 0 && d != nil && (d.Documents != nil || len(d.FileTypes) > 0 || d.Rule != nil):
			return fmt.Errorf("%q stands nowhere in a text: it cannot be counted within %d characters", t.Detector, r.Within)
		}
	}
	return nil
}
