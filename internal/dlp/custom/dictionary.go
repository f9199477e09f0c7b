package custom

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/longshore-dev/longshore/internal/dlp"
)

// Bounds of dictionaries.
const (
	maxTerms     = 4 << 20 // of all dictionaries
	maxTermsFile = 256 << 20
)

// checkTerm says what is wrong with a term.
func checkTerm(t string) error {
	switch {
	case strings.TrimSpace(t) == "":
		return errors.New("the term is empty")
	case !utf8.ValidString(t):
		return errors.New("the term is not UTF-8")
	case len(t) > maxTerm:
		return fmt.Errorf("the term has %d bytes: want at most %d", len(t), maxTerm)
	}
	return nil
}

// read adds the terms of a dictionary. Those of its file may have empty lines between them.
func (d *Dictionary) read(owner uint8, terms []entry) ([]entry, error) {
	add := func(t string) error {
		text := d.manner().normal(t)
		if text == "" {
			return fmt.Errorf("%q has no letter", t)
		}
		if terms = append(terms, entry{text, owner}); len(terms) > maxTerms {
			return fmt.Errorf("all dictionaries have more than %d terms", maxTerms)
		}
		return nil
	}
	for _, t := range d.Terms {
		if err := add(t); err != nil {
			return nil, fmt.Errorf("dictionary: %w", err)
		}
	}
	if d.File == "" {
		return terms, nil
	}
	b, err := readFile(d.File, maxTermsFile)
	if err != nil {
		return nil, fmt.Errorf("dictionary: %w", err)
	}
	for i, line := range lines(b) {
		t := strings.TrimSpace(string(line))
		if t == "" {
			continue
		}
		if err = checkTerm(t); err == nil {
			err = add(t)
		}
		if err != nil {
			return nil, fmt.Errorf("dictionary: %s: line %d: %w", d.File, i+1, err)
		}
	}
	if len(terms) == 0 {
		return nil, fmt.Errorf("dictionary: %s has no terms", d.File)
	}
	return terms, nil
}

// readFile reads a file that may not have more than limit bytes.
func readFile(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s has %d bytes: want at most %d", name, info.Size(), limit)
	}
	return os.ReadFile(name)
}

// manner is how its terms are compared.
func (d *Dictionary) manner() manner { return manner{fold: !d.CaseSensitive, whole: !d.Parts} }

// newDictionaries compiles those of some detectors: an automaton for each manner.
func newDictionaries(all []Detector) ([]*automaton, error) {
	terms := map[manner][]entry{}
	for i, d := range all {
		if d.Dictionary == nil {
			continue
		}
		how := d.Dictionary.manner()
		more, err := d.Dictionary.read(uint8(i), terms[how])
		if err != nil {
			return nil, fmt.Errorf("detector %q: %w", d.ID, err)
		}
		terms[how] = more
	}
	var out []*automaton
	for how, of := range terms {
		out = append(out, newAutomaton(how, of))
	}
	return out, nil
}

// terms adds what stands in a text.
func (m *matcher) terms(text []byte) {
	for _, a := range m.set.dictionaries {
		any := false
		a.scan(text, func(owner uint8, start, end int) {
			m.kept[owner], any = longest(m.kept[owner], span{start, end}), true
		})
		for owner := 0; any && owner < len(m.kept); owner++ {
			for _, k := range m.kept[owner] {
				m.out = append(m.out, dlp.Match{Of: owner, Start: k.start, End: k.end, Confidence: m.set.confidence[owner],
					Proof: dlp.Proof{Check: "term"}})
			}
			m.kept[owner] = m.kept[owner][:0]
		}
	}
}
