package dlp

import (
	"context"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/dlp/extract"
)

// File adds what the content of a file holds. It begins a new object; Findings are then those of the file.
func (s *Scanner) File(ctx context.Context, in io.Reader, name string, size int64, lim extract.Limits) (extract.Result, error) {
	s.Reset()
	defer func() { s.prefix, s.spans = nil, spans{} }() // whatever happened in between
	res, err := extract.Read(ctx, in, name, size, lim, s.piece)
	if s.custom != nil {
		s.custom.m.File(res.Type)
	}
	s.hide()
	for i := range res.Labels.Labels { // the words of labels are anybody's
		l := &res.Labels.Labels[i]
		for _, word := range []*string{&l.ID, &l.Name, &l.Method} {
			*word = s.masked(*word)
		}
	}
	return res, err
}

// piece adds what is a piece's own. The text around it only tells what that is.
func (s *Scanner) piece(p *extract.Piece) {
	if len(p.Text) < s.set.shortest {
		return
	}
	if p.Kind == extract.JSON {
		s.prefix = p.Where
		s.JSON(p.Text)
		s.prefix = nil
		return
	}
	s.field.named("")
	s.spans.begin(p.Spans)
	if s.custom != nil {
		s.custom.match(&Passage{p.Text, p.From, p.To, fieldsOf(p.Spans)})
		defer s.custom.settled()
	}
	claims := s.scan(p.Text)
	s.spans.begin(nil)
	if s.set.explain {
		s.spans.begin(p.Spans)
		s.field.named("")
	}
	last, shown := "", ""
	for i, c := range claims {
		if c.Start < p.From || c.Start >= p.To {
			if s.custom != nil {
				s.custom.see(c)
			}
			continue
		}
		s.enter(c.Start)
		of := s.count(claims[i:i+1], p.Text)
		if of == (placed{}) || !s.tally.wants(&of) {
			continue
		}
		if where := p.Where(c.Start); where != last || shown == "" {
			last, shown = where, s.masked(where)
		}
		s.place(&of, shown)
	}
	s.cells(p)
}

// wants says whether it is still noted where values of one of the types stand.
func (t *tally) wants(of *placed) bool {
	for f := range t.of(of) {
		if len(f.Locations) < maxLocations {
			return true
		}
	}
	return false
}

// masked is a location of which every part may be shown.
func (s *Scanner) masked(where string) string {
	where = s.mask(strings.ToValidUTF8(where, "\ufffd"), "/", ": ", ", ", ".")
	if n := len(where); n > 2*maxPath { // the end says more
		where = strings.ToValidUTF8(where[:maxPath], "") + "…" + strings.ToValidUTF8(where[n-maxPath:], "")
	}
	return where
}

// mask masks the smallest parts between separators, in the order given, that leave nothing to see.
func (s *Scanner) mask(where string, seps ...string) string {
	if where == "" || !s.betrays(where) {
		return where
	}
	if len(seps) > 0 {
		parts := strings.Split(where, seps[0])
		for i, part := range parts {
			parts[i] = s.mask(part, seps[1:]...)
		}
		for width := 2; width < min(len(parts), 32) && s.betrays(strings.Join(parts, seps[0])); width++ { // a name with it
			for i := 0; i+width <= len(parts); i++ {
				if s.betrays(strings.Join(parts[i:i+width], seps[0])) {
					parts = slices.Replace(parts, i, i+width, "*")
				}
			}
		}
		if where = strings.Join(parts, seps[0]); !s.betrays(where) {
			return where
		}
	}
	return "*"
}

// betrays is shows, for a text that is masked only where it has to be: an object may hold more values than are remembered.
func (s *Scanner) betrays(text string) bool {
	t := &s.tally
	full := t.full
	t.full = false
	shown := t.shows(text)
	t.full = full
	return shown || full && (strings.ContainsRune(text, '@') || digits(text) > 6)
}

// digits is the length of the longest row of them.
func digits(text string) (most int) {
	n := 0
	for i := range len(text) {
		if n++; class[text[i]] != digit {
			n = 0
		}
		most = max(most, n)
	}
	return most
}

// hide masks the locations that show what was found only after them.
func (s *Scanner) hide() {
	for _, found := range [...][]Finding{s.tally.found[:], s.tally.own} {
		for i := range found {
			for k, where := range found[i].Locations {
				found[i].Locations[k] = s.masked(where)
			}
		}
	}
}

// spans are the fields that stretches of a text stand in.
type spans struct {
	all   []extract.Span
	next  int
	until int // where the next one begins
}

func (p *spans) begin(all []extract.Span) {
	*p = spans{all: all, until: math.MaxInt}
	if len(all) > 0 {
		p.until = all[0].At
	}
}

// enter goes to the field that holds the byte at i.
func (s *scanner) enter(i int) {
	if p := &s.spans; p.all != nil && i >= p.until {
		s.cross(i)
	}
}

// cross goes on to the field that holds the byte at i: it is another one.
func (s *scanner) cross(i int) {
	p := &s.spans
	for p.until = math.MaxInt; p.next < len(p.all); p.next++ {
		if p.all[p.next].At > i {
			p.until = p.all[p.next].At
			break
		}
	}
	now := &p.all[p.next-1]
	s.field.named(now.Name)
	s.field.number = now.Number
}
