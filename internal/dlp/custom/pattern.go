package custom

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	re2 "github.com/wasilibs/go-re2/experimental"

	"github.com/longshore-dev/longshore/internal/dlp"
)

// Bounds of patterns.
const (
	maxChunk   = 64 << 10 // bytes of text that are looked at together
	maxOver    = 4 << 10  // and of what follows: longer matches may be cut
	maxSetMem  = 64 << 20
	lineByLine = "(?m)"
	substitute = 0x1a // for bytes that are no UTF-8
)

// pattern is one of a detector.
type pattern struct {
	of int
	re *regexp.Regexp
}

// patterns are all of a set. One pass tells which of them match, and these say where.
type patterns struct {
	all   []pattern
	find  func(text []byte, n int) ([]int, error) // which match; nil = there are none
	words *automaton
	by    []Detector
}

func (d *Detector) validatePatterns() error {
	if len(d.Patterns) > maxPatterns {
		return fmt.Errorf("patterns: %d: want at most %d", len(d.Patterns), maxPatterns)
	}
	for _, p := range d.Patterns {
		if _, err := compilePattern(p); err != nil {
			return fmt.Errorf("patterns: %q: %w", p, err)
		}
	}
	if d.Checksum != "" && !slices.Contains(dlp.Checksums(), d.Checksum) {
		return fmt.Errorf("checksum: %q: want any of %s", d.Checksum, strings.Join(dlp.Checksums(), ", "))
	}
	for i, k := range d.Keywords {
		if err := checkTerm(k); err != nil {
			return fmt.Errorf("keywords: number %d: %w", i+1, err)
		}
	}
	return nil
}

func compilePattern(p string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(p)
	if err == nil {
		re, err = regexp.Compile(lineByLine + p)
	}
	var e *syntax.Error
	switch {
	case errors.As(err, &e):
		if at := strings.Index(p, e.Expr); at >= 0 && e.Expr != "" {
			return nil, fmt.Errorf("%s at character %d: %q", e.Code, utf8.RuneCountInString(p[:at])+1, e.Expr)
		}
		return nil, errors.New(e.Code.String())
	case err != nil:
		return nil, err
	case re.MatchString(""):
		return nil, errors.New("it matches the empty text")
	}
	return re, nil
}

// newPatterns compiles those of some detectors.
func newPatterns(all []Detector) (*patterns, error) {
	s := &patterns{by: all}
	var texts []string
	for i, d := range all {
		for _, p := range d.Patterns {
			re, err := compilePattern(p)
			if err == nil {
				_, err = re2.CompileSetWithOptions([]string{lineByLine + p}, re2.CompileOptions{MaxMem: maxSetMem})
			}
			if err != nil {
				return nil, fmt.Errorf("detector %q: patterns: %q: %w", d.ID, p, err)
			}
			s.all = append(s.all, pattern{i, re})
			texts = append(texts, lineByLine+p)
		}
	}
	if len(texts) == 0 {
		return s, nil
	}
	set, err := re2.CompileSetWithOptions(texts, re2.CompileOptions{MaxMem: maxSetMem})
	if err != nil {
		return nil, fmt.Errorf("%d patterns together: %w", len(texts), err)
	}
	s.find = set.FindAllWithError
	how := manner{fold: true, whole: true}
	var words []entry
	for i, d := range all {
		for _, k := range d.Keywords {
			words = append(words, entry{how.normal(k), uint8(i)})
		}
	}
	s.words = newAutomaton(how, words)
	return s, nil
}

// which are the patterns that match a chunk of text: where the set cannot say it, all that might.
func (s *patterns) which(chunk []byte) []int {
	hits, err := s.find(chunk, -1)
	if err != nil {
		hits = hits[:0]
		for i := range s.all {
			hits = append(hits, i)
		}
	}
	slices.Sort(hits)
	return hits
}

// match adds what stands in a text.
func (m *matcher) patterns(p *dlp.Passage) {
	s := m.set.patterns
	if s.find == nil {
		return
	}
	text := p.Text
	if !utf8.Valid(text) {
		text = m.valid(text)
	}
	m.nearby = false
	m.ends = append(m.ends[:0], make([]int, len(s.all))...)
	for from := 0; from < len(text); {
		to := cut(text, from)
		over := min(len(text), to+maxOver)
		for _, i := range s.which(text[from:over]) {
			d := &s.by[s.all[i].of]
			for _, at := range s.all[i].re.FindAllIndex(text[from:over], -1) {
				start, end := from+at[0], from+at[1]
				if start >= to || start == end || start < m.ends[i] {
					continue
				}
				m.ends[i] = end
				if d.Checksum != "" && !dlp.Checksum(d.Checksum, text[start:end]) {
					continue
				}
				m.out = append(m.out, m.weigh(p, s.all[i].of, start, end))
			}
		}
		from = to
	}
}

// cut is where a chunk ends that begins at from: behind a line if there is one, or a space.
func cut(text []byte, from int) int {
	if len(text)-from <= maxChunk {
		return len(text)
	}
	to := from + maxChunk
	for _, sep := range [...]byte{'\n', ' '} {
		if i := bytes.LastIndexByte(text[from+maxChunk/2:to], sep); i >= 0 {
			return from + maxChunk/2 + i + 1
		}
	}
	for to > from && !utf8.RuneStart(text[to]) {
		to--
	}
	return to
}

// valid is a text with one character for each byte that is no UTF-8.
func (m *matcher) valid(text []byte) []byte {
	m.plain = append(m.plain[:0], text...)
	for i := 0; i < len(m.plain); {
		c, size := utf8.DecodeRune(m.plain[i:])
		if c == utf8.RuneError && size == 1 {
			m.plain[i] = substitute
		}
		i += size
	}
	return m.plain
}

// weigh says how sure a match is.
func (m *matcher) weigh(p *dlp.Passage, of, start, end int) dlp.Match {
	d := &m.set.all[of]
	x := dlp.Match{Of: of, Start: start, End: end, Confidence: m.set.confidence[of], Proof: dlp.Proof{Check: d.Checksum}}
	if len(d.Keywords) == 0 {
		return x
	}
	if !m.nearby {
		m.nearby = true
		m.read(p.Text)
	}
	reach := d.Distance
	if reach == 0 {
		reach = defaultReach
	}
	x.Keyword, x.Distance = m.nearest(p.Text, of, start, end, reach)
	if m.names(p.Field(start), of) {
		x.Keyword, x.Distance = dlp.InField, 0
	}
	if x.Keyword == dlp.Nowhere {
		x.Confidence = max(1, x.Confidence-20)
	}
	return x
}

// read finds the keywords of a text.
func (m *matcher) read(text []byte) {
	for i := range m.words {
		m.words[i] = m.words[i][:0]
	}
	m.set.patterns.words.scan(text, func(owner uint8, start, end int) {
		m.words[owner] = longest(m.words[owner], span{start, end})
	})
}

// names says whether the name of a field holds a keyword, also as a part: employeeNumber, employee_number.
func (m *matcher) names(field string, of int) (has bool) {
	if field == "" {
		return false
	}
	m.set.patterns.words.scan(apart(field), func(owner uint8, _, _ int) { has = has || int(owner) == of })
	return has
}

// apart is the name of a field as words.
func apart(field string) []byte {
	var out []byte
	was := rune(0)
	for _, c := range field {
		switch in, _ := dlp.WordRune(c); {
		case !in:
			c = ' '
		case c >= 'A' && c <= 'Z' && was >= 'a' && was <= 'z':
			out = append(out, ' ')
		}
		out = utf8.AppendRune(out, c)
		was = c
	}
	return out
}

// nearest is where the next keyword stands.
func (m *matcher) nearest(text []byte, of, start, end, reach int) (side dlp.Side, distance int) {
	distance = reach + 1
	words := m.words[of]
	i, _ := slices.BinarySearchFunc(words, start, func(s span, at int) int { return s.end - at - 1 }) // the first that ends behind start
	if i > 0 {
		if n := between(text, words[i-1].end, start, reach); n < distance {
			side, distance = dlp.Before, n
		}
	}
	for ; i < len(words) && words[i].start < end; i++ { // within the match
	}
	if i < len(words) {
		if n := between(text, end, words[i].start, reach); n < distance {
			side, distance = dlp.Behind, n
		}
	}
	if side == dlp.Nowhere {
		distance = 0
	}
	return side, distance
}

// between is how many characters stand between two places, or more than limit.
func between(text []byte, from, to, limit int) int {
	if to-from > utf8.UTFMax*(limit+1) {
		return limit + 1
	}
	return utf8.RuneCount(text[from:to])
}
