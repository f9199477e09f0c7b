package custom

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/dlp"
)

// Set is compiled detectors.
type Set struct {
	all          []Detector
	types        []dlp.Type
	confidence   []int // of a match of each
	patterns     *patterns
	dictionaries []*automaton
	exact        []exact
	documents    *documents
	whole        bool // some are of an object as a whole
	version      string
}

// New compiles detectors and reads their files. None = nil.
func New(all []Detector) (dlp.Custom, error) {
	if len(all) == 0 {
		return nil, nil
	}
	if err := Validate(all); err != nil {
		return nil, err
	}
	s := &Set{all: slices.Clone(all)}
	var err error
	if s.patterns, err = newPatterns(s.all); err != nil {
		return nil, err
	}
	if s.dictionaries, err = newDictionaries(s.all); err != nil {
		return nil, err
	}
	if s.exact, err = newExact(s.all); err != nil {
		return nil, err
	}
	if s.documents, err = newDocuments(s.all); err != nil {
		return nil, err
	}
	for i := range s.all {
		d := &s.all[i]
		s.types = append(s.types, dlp.Type{ID: d.ID, Name: cmp.Or(d.Name, d.ID), Pack: cmp.Or(d.Pack, "custom"), Severity: cmp.Or(d.Severity, 3)})
		s.confidence = append(s.confidence, d.confidence())
		s.whole = s.whole || d.Rule != nil || d.Documents != nil || len(d.FileTypes) > 0
	}
	return s, s.name()
}

// confidence is that of a match.
func (d *Detector) confidence() int {
	switch {
	case d.Confidence > 0:
		return d.Confidence
	case len(d.Keywords) > 0:
		return dlp.High
	case len(d.Patterns) > 0, d.Dictionary != nil:
		return dlp.Medium
	}
	return dlp.High
}

// name works the version out: of the detectors as they are written, and of their files.
func (s *Set) name() error {
	h := sha256.New()
	for i := range s.all {
		d := s.all[i]
		if err := json.NewEncoder(h).Encode(d); err != nil {
			return fmt.Errorf("detector %q: %w", d.ID, err)
		}
		if d.Dictionary != nil && d.Dictionary.File != "" {
			b, err := readFile(d.Dictionary.File, maxTermsFile)
			if err != nil {
				return fmt.Errorf("detector %q: dictionary: %w", d.ID, err)
			}
			fmt.Fprintf(h, "%x", sha256.Sum256(b))
		}
	}
	for _, x := range s.exact {
		h.Write(x.version)
	}
	for _, b := range s.documents.sums {
		sum := sha256.Sum256(b)
		h.Write(sum[:])
	}
	s.documents.sums = nil
	s.version = hex.EncodeToString(h.Sum(nil)[:8])
	return nil
}

// Types is dlp.Custom's.
func (s *Set) Types() []dlp.Type { return s.types }

// Hidden is dlp.Custom's.
func (s *Set) Hidden(of int) bool { return s.all[of].Hidden }

// Uses is dlp.Custom's.
func (s *Set) Uses() map[string][]string {
	uses := map[string][]string{}
	for i := range s.all {
		if r := s.all[i].Rule; r != nil {
			for _, t := range slices.Concat(r.All, r.Any, r.Not) {
				uses[s.all[i].ID] = append(uses[s.all[i].ID], t.Detector)
			}
		}
	}
	return uses
}

// Version is dlp.Custom's.
func (s *Set) Version() string { return s.version }

// Normal is dlp.Custom's.
func (s *Set) Normal(of int, value []byte) []byte {
	if d := s.all[of].Dictionary; d != nil {
		return []byte(manner{fold: !d.CaseSensitive}.normal(string(value)))
	}
	if s.all[of].ExactMatch != nil {
		v, _ := valueOf(string(value))
		return v.text
	}
	return slices.Clone(value)
}

// Matcher is dlp.Custom's.
func (s *Set) Matcher() dlp.Matcher { return &matcher{set: s} }

// matcher looks at one text after the other.
type matcher struct {
	set    *Set
	out    []dlp.Match
	plain  []byte
	ends   []int       // of the last match of each pattern
	words  [256][]span // keywords of the text, by detector
	nearby bool        // they were read
	kept   [256][]span
	rules  []ruled

	searches []search // by table
	aside    *matcher // for what is no content
	winnow   winnow
	seen     map[uint64]bool // fingerprints
	shared   []int           // fingerprints of each document that the object has
	kind     string          // its media type
}

// Reset is dlp.Matcher's.
func (m *matcher) Reset() {
	m.rules, m.kind, m.winnow = m.rules[:0], "", winnow{keep: m.print}
	clear(m.seen)
	clear(m.shared)
}

// Match is dlp.Matcher's.
func (m *matcher) Match(p *dlp.Passage) []dlp.Match {
	m.prints(p)
	return m.match(p, false)
}

// match is Match. loose: of a row the primary value is enough.
func (m *matcher) match(p *dlp.Passage, loose bool) []dlp.Match {
	m.out = m.out[:0]
	m.patterns(p)
	m.terms(p.Text)
	m.exacts(p, loose)
	slices.SortFunc(m.out, func(a, b dlp.Match) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), cmp.Compare(a.Of, b.Of), -cmp.Compare(a.Confidence, b.Confidence))
	})
	return m.out
}

// File is dlp.Matcher's.
func (m *matcher) File(kind string) { m.kind = kind }

// types adds the detectors of file types that the object is of.
func (m *matcher) types(out []dlp.Found) []dlp.Found {
	if m.kind == "" {
		return out
	}
	for i := range m.set.all {
		if slices.ContainsFunc(m.set.all[i].FileTypes, func(t string) bool {
			major, all := strings.CutSuffix(t, "/*")
			return t == m.kind || all && strings.HasPrefix(m.kind, major+"/")
		}) {
			out = append(out, dlp.Found{Of: i, Confidence: m.set.confidence[i], Count: 1, Sample: m.kind, Proof: dlp.Proof{Check: "file type"}})
		}
	}
	return out
}

// Shows is dlp.Matcher's.
func (m *matcher) Shows(text []byte, among []string) bool {
	if among != nil && !slices.ContainsFunc(among, m.set.has) {
		return false
	}
	if m.aside == nil { // matches of the content are still in use
		m.aside = &matcher{set: m.set}
	}
	return len(m.aside.match(&dlp.Passage{Text: text, To: len(text), Field: func(int) string { return "" }}, true)) > 0
}

func (s *Set) has(id string) bool {
	return slices.ContainsFunc(s.types, func(t dlp.Type) bool { return t.ID == id })
}
